# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Direction finding: coherent multichannel samples go in, bearings with honest error bars out.

Angles are in degrees:
azimuth clockwise from the array's +y axis as on a compass, elevation up from the x-y plane.

``bearing.core`` holds the algorithms on NumPy arrays, the blocks below carry them into
flowgraphs, ``bearing.plot`` draws what they find.
"""

import importlib

from .bearing_python import (
    apply_calibration,
    array,
    array_simulator,
    beamscan,
    calibration,
    channel_tags,
    core,
    coupling,
    covariance,
    diffmusic,
    kraken_source,
    load_calibration,
    music,
    propagator,
    propagator_ls_cc,
    propagator_ls_ff,
    root_music,
    subband_covariance,
    subspace_fit,
    wideband_music,
    __version__,
)
from .bearing_report import bearing_report
from .fusion.triangulation import position_fix, triangulate
from .hier.channel_filter import channel_filter
from .hier.channelized_covariance import channelized_covariance
from .hier.dispersive_line_source import dispersive_line_source
from .hier.phase_realigner import phase_realigner
from .hier.recording_sink import recording_sink
from .hier.recording_source import recording_source
from .hier.sigmf import capture, load_recording, recording, recording_error
from .hier.squelch import squelch
from .hier.usrp_source import usrp_source
from .hier.wideband_source import wideband_source
from .output.bearing_record import bearing_record
from .output.bearing_writer import bearing_writer
from .output.station import station

__all__ = [
    "apply_calibration",
    "array",
    "array_simulator",
    "beamscan",
    "bearing_record",
    "bearing_report",
    "bearing_writer",
    "calibration",
    "capture",
    "channel_filter",
    "channel_tags",
    "channelized_covariance",
    "core",
    "coupling",
    "covariance",
    "diffmusic",
    "dispersive_line_source",
    "kraken_source",
    "load_calibration",
    "load_recording",
    "music",
    "phase_realigner",
    "position_fix",
    "propagator",
    "propagator_ls_cc",
    "propagator_ls_ff",
    "recording",
    "recording_error",
    "recording_sink",
    "recording_source",
    "root_music",
    "squelch",
    "station",
    "subband_covariance",
    "subspace_fit",
    "triangulate",
    "usrp_source",
    "wideband_music",
    "wideband_source",
]

# Imported when they are first used, and not by "import *": a receiver without a display has
# neither Qt nor matplotlib.
_ON_FIRST_USE = {
    "compass_sink": ".gui.compass_sink",
    "track_sink": ".gui.track_sink",
    "plot": ".plot",
}


def __getattr__(name):
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_ON_FIRST_USE[name], __name__)
    value = getattr(module, name, module)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_ON_FIRST_USE})

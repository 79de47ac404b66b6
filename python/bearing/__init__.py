# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Direction finding: coherent multichannel samples go in, bearings with honest error bars out.

Angles are in degrees:
azimuth clockwise from the array's +y axis as on a compass, elevation up from the x-y plane.

``bearing.core`` holds the algorithms on NumPy arrays; the blocks below carry them into
flowgraphs.
"""

from .bearing_python import (
    apply_calibration,
    array,
    array_simulator,
    beamscan,
    calibration,
    core,
    covariance,
    load_calibration,
    music,
    root_music,
    __version__,
)

__all__ = [
    "apply_calibration",
    "array",
    "array_simulator",
    "beamscan",
    "calibration",
    "core",
    "covariance",
    "load_calibration",
    "music",
    "root_music",
]

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SigMF recordings, written: their metadata; the samples come from elsewhere."""

import json

import numpy as np

from ..bearing_python import __version__
from .recording import capture
from .sample_time import format_datetime
from .sigmf_format import (
    EXTENSION_VERSION,
    MAX_COUNT,
    MAX_FREQUENCY,
    MAX_INDEX,
    SIGMF_VERSION,
    check_description,
    check_format,
    index_argument,
    is_number,
    recording_paths,
)
from .whole_files import whole_files


def write_metadata(path, *arguments, **options):
    """Writes the metadata file of a recording, atomically: readers find the old one or the new.

    Parameters
    ----------
    path : str or os.PathLike
        NAME.sigmf-meta, NAME.sigmf-data or NAME.
    *arguments, **options
        Of format_metadata.

    Returns
    -------
    pathlib.Path
        The metadata file.

    Raises
    ------
    ValueError
        Naming the parameter that is wrong.
    OSError
        When the file cannot be written.
    """
    meta_path, _ = recording_paths(path)
    content = format_metadata(*arguments, **options)
    with whole_files(meta_path) as (file,):
        file.write(content)
    return meta_path


def format_metadata(
    datatype,
    sample_rate,
    num_channels,
    captures=(),
    array=None,
    heading_deg=None,
    description="",
    num_samples=None,
    unfinished=False,
):
    """The content of a metadata file, in ASCII.

    Parameters
    ----------
    datatype : "ci8", "ci16_le" or "cf32_le"
    sample_rate : float
        Hz.
    num_channels : int, 1 .. 64
    captures : sequence of capture
        In the order of their starts; none: one that starts at 0 and knows nothing.
    array : bearing.array, optional
        Of num_channels elements; with its calibration.
    heading_deg : float, optional
        Of the array's +y axis, degrees clockwise from north.
    description : str
    num_samples : int, optional
        Of each channel; readers refuse a data file that holds fewer.
    unfinished : bool
        The data file is still being written: readers take as much of it as is there.

    Raises
    ------
    ValueError
        Naming the parameter that is wrong.
    """
    check_format(datatype, sample_rate, num_channels)
    check_description(array, heading_deg, description, num_channels)
    document = {
        "core:datatype": datatype,
        "core:version": SIGMF_VERSION,
        "core:sample_rate": float(sample_rate),
        "core:num_channels": int(num_channels),
        "core:recorder": f"gr-bearing {__version__}",
    }
    if description:
        document["core:description"] = description
    own = _array_fields(array, heading_deg)
    if num_samples is not None:
        own["bearing:num_samples"] = index_argument("num_samples", num_samples, MAX_INDEX)
    if unfinished:
        own["bearing:unfinished"] = True
    segments = _capture_fields(captures)
    if own or any(key.startswith("bearing:") for segment in segments for key in segment):
        document["core:extensions"] = [
            {"name": "bearing", "version": EXTENSION_VERSION, "optional": True}
        ]
    document.update(own)
    return _layout(document, segments).encode("ascii")


def _layout(top, segments):
    """JSON with a line for every global field and every capture: people read it, and tens of
    thousands of captures are soon written."""
    fields = ",\n".join(
        f"    {json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in top.items()
    )
    captures = ",\n".join(f"    {json.dumps(segment, allow_nan=False)}" for segment in segments)
    return (
        f'{{\n  "global": {{\n{fields}\n  }},\n'
        f'  "captures": [\n{captures}\n  ],\n  "annotations": []\n}}\n'
    )


def _array_fields(array, heading_deg):
    fields = {}
    if array is not None:
        positions = np.asarray(array.positions).tolist()
        if array.wavelength is None:
            fields["bearing:positions_wavelengths"] = positions
        else:
            fields["bearing:positions_m"] = positions
            fields["bearing:wavelength_m"] = array.wavelength
        errors = array.calibration
        if any(part is not None for part in (errors.gains, errors.positions, errors.coupling)):
            fields["bearing:calibration"] = json.loads(errors.to_json())
    if heading_deg is not None:
        fields["bearing:heading_deg"] = float(heading_deg)
    return fields


def _capture_fields(captures):
    segments = []
    previous = -1
    for segment in captures or (capture(0),):
        start = index_argument("captures: start", segment.start, MAX_INDEX)
        if start <= previous:
            raise ValueError(f"captures: start {start} must be greater than the one before it")
        previous = start
        fields = {"core:sample_start": start}
        if segment.rx_freq is not None:
            if not is_number(segment.rx_freq) or abs(segment.rx_freq) > MAX_FREQUENCY:
                raise ValueError(
                    f"captures: rx_freq is {segment.rx_freq!r}; it must be a number of Hz of a "
                    f"magnitude of at most {MAX_FREQUENCY:g}"
                )
            fields["core:frequency"] = float(segment.rx_freq)
        if segment.rx_time is not None:
            fields["core:datetime"] = format_datetime(segment.rx_time)
        if segment.gap is not None:
            fields["bearing:gap"] = index_argument("captures: gap", segment.gap, MAX_COUNT)
        if segment.rx_freq_repeated:
            fields["bearing:frequency_repeated"] = True
        segments.append(fields)
    return segments

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SigMF recordings, read: every field of the metadata that is used is checked, and that the data
file fits."""

import json
import os
import re
import stat

import numpy as np

from ..bearing_python import array as antenna_array
from ..bearing_python import calibration
from .metadata_file import read_metadata, shown
from .recording import capture, reason, recording
from .sample_time import parse_datetime
from .sigmf_format import (
    DATATYPES,
    MAX_CHANNELS,
    MAX_COUNT,
    MAX_FREQUENCY,
    MAX_SAMPLE_RATE,
    MIN_SAMPLE_RATE,
    SPEED_OF_LIGHT,
    recording_paths,
)

_VERSION = re.compile(r"([0-9]{1,9})\.[0-9]{1,9}\.[0-9]{1,9}")


def load_recording(path):
    """Reads and checks the metadata of a SigMF recording.

    Parameters
    ----------
    path : str or os.PathLike
        NAME.sigmf-meta, NAME.sigmf-data or NAME.

    Returns
    -------
    recording

    Raises
    ------
    FileNotFoundError
        Naming the metadata file that is not there.
    recording_error
        Naming the file and the field that is missing, wrong or does not fit the data file.
    """
    meta_path, data_path = recording_paths(path)
    document = read_metadata(meta_path)
    top = document.object("global")
    captures = document.objects("captures", required=True)
    annotations = document.objects("annotations", required=True)
    _check_version(top)
    _check_extensions(top)
    datatype = top.text("core:datatype", required=True)
    if datatype not in DATATYPES:
        top.fail(
            "core:datatype", f"is {shown(datatype)}; it must be one of {', '.join(DATATYPES)}"
        )
    sample_rate = top.number(
        "core:sample_rate", MIN_SAMPLE_RATE, MAX_SAMPLE_RATE, required=True
    )
    channels = top.index("core:num_channels", 1, MAX_CHANNELS)
    channels = 1 if channels is None else channels
    description = top.text("core:description") or ""
    unfinished = top.flag("bearing:unfinished")
    _check_conforming(top, captures)

    data_path = _find_data(top, meta_path, data_path)
    num_samples = _count_samples(document, top, data_path, datatype, channels, unfinished)
    offset = top.index("core:offset") or 0
    segments = _read_captures(captures, offset, num_samples, unfinished)
    _check_annotations(annotations, offset, num_samples, unfinished)
    return recording(
        path=meta_path,
        data_path=data_path,
        datatype=datatype,
        sample_rate=sample_rate,
        num_channels=channels,
        num_samples=num_samples,
        captures=segments,
        array=_read_array(top, channels, segments[0]),
        heading_deg=top.number("bearing:heading_deg", -360.0, 360.0),
        description=description,
    )


def _check_version(top):
    version = top.text("core:version", required=True)
    match = _VERSION.match(version)
    if not match or int(match[1]) > 1:
        top.fail("core:version", f"is {shown(version)}; it must be X.Y.Z with X at most 1")


def _check_extensions(top):
    for k, extension in enumerate(top.objects("core:extensions")):
        name = extension.text("name", required=True)
        extension.text("version", required=True)
        if not extension.flag("optional", required=True) and name != "bearing":
            top.fail(
                f"core:extensions[{k}]",
                f"says that the extension {shown(name)} is needed to read this recording; "
                "only bearing is known",
            )


def _check_conforming(top, captures):
    """Refuses non-conforming datasets, in SigMF's words: those of more than samples, or less."""
    if top.flag("core:metadata_only"):
        top.fail("core:metadata_only", "is true; recordings without data are not supported")
    others = [(top, "core:trailing_bytes")]
    others += [(segment, "core:header_bytes") for segment in captures]
    for holder, key in others:
        if holder.index(key):
            holder.fail(
                key, "is not 0; data files with anything but samples are not supported"
            )


# The data file


def _find_data(top, meta_path, data_path):
    """Path of the data file. A name in the metadata leads to no other folder."""
    field = "core:dataset"
    name = top.text(field)
    if name is None:
        return data_path
    is_plain = 0 < len(name) <= 255 and name not in (".", "..") and name.isprintable()
    if not is_plain or any(c in '/\\:*?"<>|' for c in name):
        top.fail(
            field, f"is {shown(name)}; it must be the plain name of a file in the same folder"
        )
    path = meta_path.parent / name
    if path.is_symlink():
        top.fail(
            field, f"{shown(name)} is a symbolic link; it must be a file in the same folder"
        )
    return path


def _count_samples(document, top, data_path, datatype, channels, unfinished):
    """Samples of each channel in the data file."""
    try:
        status = os.stat(data_path)
    except FileNotFoundError:
        document.fail("the data file", f"{data_path} is missing")
    except (OSError, ValueError) as error:
        document.fail("the data file", f"{data_path} cannot be read: {reason(error)}")
    if not stat.S_ISREG(status.st_mode):
        document.fail("the data file", f"{data_path} is not a file")
    item_size = DATATYPES[datatype].item_size
    num_samples, rest = divmod(status.st_size, channels * item_size)
    # What a power cut left of the last samples is not worth an error.
    if rest and not unfinished:
        document.fail(
            "core:num_channels and core:datatype",
            f"do not fit the data file {data_path}: its {status.st_size} bytes are no multiple "
            f"of {channels} channels x {item_size} bytes",
        )
    promised = top.index("bearing:num_samples")
    if promised is not None and promised > num_samples:
        top.fail(
            "bearing:num_samples",
            f"is {promised}, but the data file {data_path} holds {num_samples} samples of "
            f"{channels} channels; it is truncated",
        )
    return num_samples


# Captures and annotations


def _read_captures(entries, offset, num_samples, unfinished):
    segments = []
    previous = -1
    lead = 0  # of core:global_index over the sample's own
    for k, entry in enumerate(entries):
        start = _read_start(entry, offset, previous, is_strict=True)
        previous = start
        rx_freq = entry.number("core:frequency", -MAX_FREQUENCY, MAX_FREQUENCY)
        rx_time = _read_time(entry)
        gap = entry.index("bearing:gap", 0, MAX_COUNT)
        position = entry.index("core:global_index", 0, MAX_COUNT)
        if position is not None:
            jump = position - start - offset - lead
            lead += jump
            if jump and k and gap is None:
                gap = max(0, jump)  # backwards: unknown
        repeated = entry.flag("bearing:frequency_repeated")
        if start >= max(1, num_samples):
            if unfinished:
                break
            entry.fail(
                "core:sample_start",
                f"is {start + offset}; the data file holds only {num_samples} samples a channel",
            )
        segments.append(capture(start, rx_freq, rx_time, gap, repeated and rx_freq is not None))
    if not segments or segments[0].start > 0:
        segments.insert(0, capture(0))
    return tuple(segments)


def _read_start(entry, offset, previous, is_strict):
    """The entry's first sample in the file, which must not come before the previous one."""
    key = "core:sample_start"
    start = entry.index(key, required=True)
    if start < offset:
        entry.fail(key, f"is {start}; it must be at least core:offset, {offset}")
    start -= offset
    if start < previous or (is_strict and start == previous):
        entry.fail(
            key,
            f"is {start + offset}; it must be {'greater than' if is_strict else 'at least'} "
            f"the one before it, {previous + offset}",
        )
    return start


def _read_time(entry):
    text = entry.text("core:datetime")
    if text is None:
        return None
    try:
        return parse_datetime(text)
    except ValueError as error:
        entry.fail("core:datetime", f"is {shown(text)}; it {error}")


def _check_annotations(entries, offset, num_samples, unfinished):
    previous = 0
    for entry in entries:
        start = _read_start(entry, offset, previous, is_strict=False)
        previous = start
        count = entry.index("core:sample_count") or 0
        for key in ("core:freq_lower_edge", "core:freq_upper_edge"):
            entry.number(key, -MAX_FREQUENCY, MAX_FREQUENCY)
        for key in ("core:label", "core:comment", "core:generator", "core:uuid"):
            entry.text(key)
        if start + count > num_samples and not unfinished:
            entry.fail(
                "core:sample_start",
                f"and core:sample_count reach sample {start + count + offset}; the data file "
                f"holds only {num_samples} samples a channel",
            )


# The array


def _read_array(top, channels, first):
    """bearing.array with its calibration, or None; first: the first capture."""
    in_metres = _read_positions(top, "bearing:positions_m", channels)
    in_wavelengths = _read_positions(top, "bearing:positions_wavelengths", channels)
    wavelength = top.member("bearing:wavelength_m", (int, float), "a number > 0")
    if wavelength is not None and wavelength <= 0:
        top.fail("bearing:wavelength_m", f"is {shown(wavelength)}; it must be a number > 0")
    errors = top.member("bearing:calibration", dict, "an object")
    if in_metres is not None and in_wavelengths is not None:
        top.fail("bearing:positions_wavelengths", "and bearing:positions_m exclude each other")
    if in_metres is None and in_wavelengths is None:
        if errors is not None:
            top.fail(
                "bearing:calibration",
                "needs bearing:positions_m or bearing:positions_wavelengths",
            )
        return None
    if in_metres is None:
        key, positions, wavelength = "bearing:positions_wavelengths", in_wavelengths, None
    else:
        key, positions = "bearing:positions_m", in_metres
        if wavelength is None:
            if not first.rx_freq or first.rx_freq <= 0:
                top.fail(
                    "bearing:wavelength_m",
                    "is missing; bearing:positions_m need it, or a core:frequency > 0 in the "
                    "first capture",
                )
            wavelength = SPEED_OF_LIGHT / first.rx_freq
    try:
        found = antenna_array.custom(positions, wavelength)
    except (ValueError, RuntimeError) as error:
        top.fail(key, f"makes no array: {reason(error)}")
    if errors is None:
        return found
    try:
        text = json.dumps(errors)
        return found.calibrated(calibration.from_json(text, "bearing:calibration"))
    except (ValueError, RuntimeError, RecursionError) as error:
        top.fail("bearing:calibration", f"does not fit: {reason(error)}")


def _read_positions(top, key, channels):
    rows = top.member(key, list, "a list of rows [x, y, z]")
    if rows is None:
        return None
    is_right = len(rows) == channels and all(
        isinstance(row, list)
        and len(row) == 3
        and all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in row)
        for row in rows
    )
    if not is_right:
        top.fail(key, f"must be {channels} rows of three numbers, one for each channel")
    return np.array(rows, dtype=float)

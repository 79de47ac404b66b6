# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the programs that describe an array and its calibration."""

import re
from pathlib import Path

import numpy as np

from ..bearing_python import array, load_calibration
from ..hier.sigmf_format import SPEED_OF_LIGHT
from .command_line import bad_input, complaints_about, finite, positive

# Far more than 64 elements need.
_LARGEST_POSITIONS_FILE = 1 << 20
_TITLES = (["x", "y"], ["x", "y", "z"])


def add_array_options(group):
    """--array, --wavelengths, --calibration and --heading."""
    group.add_argument(
        "--array",
        metavar="ARRAY",
        help="uca:N:RADIUS, a circle; ula:N:SPACING, a line; or a file with x, y and perhaps z of "
        "an element on each line, or with a .npy array of them; in metres, azimuth 0 along +y",
    )
    group.add_argument(
        "--wavelengths", action="store_true", help="lengths of --array are in wavelengths"
    )
    group.add_argument("--calibration", metavar="FILE", help="calibration file of the array")
    group.add_argument(
        "--heading",
        type=finite,
        metavar="DEGREES",
        help="direction of the array's +y axis, clockwise from north",
    )


def parse_array(text, frequency=None, in_wavelengths=False):
    """The bearing.array that an option ``--array`` describes.

    text: as its help says. Lengths are in metres at that frequency (Hz), or in wavelengths.

    Raises bad_input naming the option or the file.
    """
    if in_wavelengths:
        wavelength = None
    elif frequency is not None and frequency > 0:
        wavelength = SPEED_OF_LIGHT / frequency
    else:
        raise bad_input(
            "--array: lengths are in metres, which takes a frequency, and the recording tells "
            "none: give --frequency, or --wavelengths if they are in wavelengths"
        )
    if text.startswith(("uca:", "ula:")):
        with complaints_about(f"--array {text}"):
            kind, n, length = _uniform(text)
            if kind == "uca":
                return array.uca(n=n, radius=length, wavelength=wavelength)
            return array.ula(n=n, spacing=length, wavelength=wavelength)
    path = Path(text)
    if not path.exists():
        raise bad_input(
            f"--array {text}: No such file, and neither uca:N:RADIUS nor ula:N:SPACING"
        )
    with complaints_about(text):
        return array.custom(_positions(path), wavelength=wavelength)


def _uniform(text):
    match = re.fullmatch(r"(u[cl]a):([0-9]{1,4}):([^:]+)", text)
    if not match:
        raise ValueError("must be uca:N:RADIUS or ula:N:SPACING")
    try:
        return match[1], int(match[2]), positive(match[3])
    except ValueError:
        raise ValueError(f"the length is {match[3]!r}; it must be a number above 0") from None


def _positions(path):
    if path.suffix.lower() == ".npy":
        positions = np.load(path, mmap_mode="r", allow_pickle=False)
        if positions.dtype.kind not in "iuf":
            raise ValueError(f"holds {positions.dtype}, positions are real numbers")
    else:
        positions = _positions_of_text(path)
    if positions.ndim != 2 or positions.shape[1] not in (2, 3) or len(positions) > 64:
        shape = " x ".join(map(str, positions.shape))
        raise ValueError(f"holds {shape} numbers; at most 64 rows of x, y and perhaps z are read")
    return np.array(positions, dtype=float)


def _positions_of_text(path):
    with open(path, "rb") as file:
        content = file.read(_LARGEST_POSITIONS_FILE + 1)
    if len(content) > _LARGEST_POSITIONS_FILE:
        raise ValueError(f"is larger than {_LARGEST_POSITIONS_FILE} bytes, it holds no positions")
    rows = []
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        words = [word for word in re.split(r"[\s,;]+", line.split("#")[0]) if word]
        if not words or (not rows and [w.strip('"').lower() for w in words] in _TITLES):
            continue
        try:
            row = [finite(word) for word in words]
        except ValueError:
            raise ValueError(f"line {number} is {line.strip()[:60]!r}, not x, y and perhaps z")
        if len(row) not in (2, 3) or (rows and len(row) != len(rows[0])):
            raise ValueError(f"line {number} has {len(row)} numbers, not x, y and perhaps z")
        rows.append(row)
    if not rows:
        raise ValueError("holds no positions")
    return np.array(rows)


def calibrated(antennas, path):
    """The bearing.array with the calibration in a file; raises bad_input naming it."""
    try:
        calibration = load_calibration(str(path))
    except (RuntimeError, ValueError) as error:
        raise bad_input(error) from error
    with complaints_about(path):
        return antennas.with_calibration(calibration)

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the programs share: how they end, arrays described in a word, files that appear whole."""

import contextlib
import os
import re
import signal
import sys
from pathlib import Path

import numpy as np

from ..bearing_python import array, load_calibration
from ..hier.sigmf import SPEED_OF_LIGHT, load_recording

OK, FAILED, BAD_INPUT, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 130, 141  # as shells call them

ARRAY_HELP = (
    "uca:N:RADIUS, a circle; ula:N:SPACING, a line; or a file with x, y and perhaps z of an "
    "element on each line, or with a .npy array of them"
)

# Far more than 64 elements need.
_LARGEST_POSITIONS_FILE = 1 << 20


class bad_input(Exception):
    """What whoever started the program can put right, in one sentence."""


class stopped(Exception):
    """A signal ended the work; the exit code is its argument."""


def run(program, body, argv):
    """The exit code of body(argv); complaints become one line on stderr each."""
    try:
        return body(argv)
    except bad_input as error:
        print(f"{program}: {one_line(error)}", file=sys.stderr)
        return BAD_INPUT
    except stopped as error:
        return error.args[0]
    except KeyboardInterrupt:
        return INTERRUPTED


class stop_signals:
    """Ctrl-C and SIGTERM ask to stop; the next one of its kind does not ask.

    received: number of the signal that came, or None.
    """

    def __init__(self):
        self.received = None
        self._before = {}

    def __enter__(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            # A background job of a shell ignores Ctrl-C.
            if signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *_):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def exit_code(self):
        """What a shell calls the end by that signal."""
        return OK if self.received is None else 128 + self.received

    def _receive(self, number, _):
        self.received = number
        signal.signal(number, self._before[number])


def one_line(error):
    return " ".join(str(error).split())


def told_by_system(path, error):
    """bad_input for an OSError about that file."""
    return bad_input(f"{path}: {error.strerror or error}")


@contextlib.contextmanager
def complaints_about(subject):
    """Gives the sentences of errors that a value of the user's causes inside the name of a
    subject: an option or a file."""
    try:
        with system_errors_of(subject):
            yield
    except (ValueError, TypeError, OverflowError) as error:
        raise bad_input(f"{subject}: {error}") from error


@contextlib.contextmanager
def system_errors_of(path):
    """Gives what the system refuses inside the name of a file."""
    try:
        yield
    except OSError as error:
        raise told_by_system(path, error) from error


def finite(text):
    """Type of an option: a finite number."""
    value = float(text)
    if not np.isfinite(value):
        raise ValueError("must be finite")
    return value


def positive(text):
    """Type of an option: a finite number above 0."""
    value = finite(text)
    if value <= 0:
        raise ValueError("must be above 0")
    return value


def not_negative(text):
    """Type of an option: a finite number, 0 or more."""
    value = finite(text)
    if value < 0:
        raise ValueError("must be 0 or more")
    return value


# argparse shows these: "invalid positive number value: '-1'".
finite.__name__, positive.__name__ = "number", "positive number"
not_negative.__name__ = "number from 0 on"


def parse_array(text, frequency=None, in_wavelengths=False):
    """The bearing.array that an option ``--array`` describes.

    text: ARRAY_HELP. Lengths are in metres at that frequency (Hz), or in wavelengths.

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
    with complaints_about(text):
        return array.custom(_positions(Path(text)), wavelength=wavelength)


def _uniform(text):
    match = re.fullmatch(r"(u[cl]a):([0-9]{1,4}):([^:]+)", text)
    if not match:
        raise ValueError("must be uca:ELEMENTS:RADIUS or ula:ELEMENTS:SPACING")
    return match[1], int(match[2]), positive(match[3])


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


_TITLES = (["x", "y"], ["x", "y", "z"])


def read_calibration(path):
    """bearing.calibration of a file; raises bad_input naming it."""
    try:
        return load_calibration(str(path))
    except (RuntimeError, ValueError) as error:
        raise bad_input(error) from error


def check_writable(path):
    """Raises bad_input unless a file of that name can be made, without making it."""
    path = Path(path)
    if path.is_dir():
        raise bad_input(f"{path}: is a folder")
    if not path.parent.is_dir():
        raise bad_input(f"{path}: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise bad_input(f"{path}: the folder {path.parent} cannot be written to")


@contextlib.contextmanager
def whole_files(*paths):
    """Binary files, opened to write, that get their names when the body ends well.

    Until then they have others in the same folders, and they vanish when the body raises.
    What had the names before is replaced only then. Raises bad_input for what the system
    refuses, in the body too.
    """
    paths = [Path(path) for path in paths]
    parts = [path.with_name(f".{path.name}.{os.getpid()}.part") for path in paths]
    files = []
    try:
        for path, part in zip(paths, parts):
            with system_errors_of(path):
                files.append(open(part, "xb"))
        with system_errors_of(paths[0]):
            yield files
        for path, part, file in zip(paths, parts, files):
            with system_errors_of(path):
                file.flush()
                os.fsync(file.fileno())
                file.close()
        # Never an old file beside a new one.
        for path in paths[:0:-1]:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        for path, part in zip(paths, parts):
            with system_errors_of(path):
                os.replace(part, path)
    finally:
        for file in files:
            with contextlib.suppress(OSError):
                file.close()
        for part in parts:
            with contextlib.suppress(OSError):
                part.unlink()


def open_recording(path):
    """bearing.recording of a path; raises bad_input naming file and field."""
    try:
        return load_recording(path)
    except (ValueError, FileNotFoundError) as error:
        raise bad_input(error) from error

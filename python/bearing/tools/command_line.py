# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the programs share: how they end, what their options take, and files that appear whole."""

import contextlib
import os
import signal
import sys
from pathlib import Path

import numpy as np

from ..hier.sigmf_reader import load_recording
from ..hier.whole_files import whole_files

OK, FAILED, BAD_INPUT, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 130, 141  # as shells call them


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
def output_files(*paths):
    """whole_files of these paths; raises bad_input for what the system refuses, in the body
    too."""
    try:
        with whole_files(*paths) as files:
            yield files
    except OSError as error:
        raise told_by_system(error.filename, error) from error


def open_recording(path):
    """bearing.recording of a path; raises bad_input naming file and field."""
    try:
        return load_recording(path)
    except (ValueError, FileNotFoundError) as error:
        raise bad_input(error) from error

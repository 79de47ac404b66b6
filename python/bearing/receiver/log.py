# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver's log: lines on stderr, those that libraries print among them."""

import logging
import os
import re
import sys
import threading
import time

LEVELS = ("debug", "info", "warning", "error")

_LONGEST_LINE = 500
# Of what libraries print, lines a second; the rest is counted.
_MOST_PRINTED = 20

# syslog's numbers, by which journald knows how bad it is.
_PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (0, 7))
# How GNU Radio tells it: "block :warning: text".
_SPDLOG = re.compile(r" ?:(trace|debug|info|warn|warning|error|critical|fatal): *", re.I)
_LEVELS_OF_SPDLOG = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
}


def start_logging(level="info", stream=None):
    """Logs to stderr (or a stream) from that level on; for journald where stderr leads there."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_journal_format() if _is_journal(stream) else _terminal_format())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(getattr(logging, level.upper()))


class library_output:
    """Turns what libraries print to file descriptor 1, as GNU Radio's log does, into lines of the
    log. A context; dropped: how many lines were too many."""

    def __init__(self):
        self.dropped = 0
        self._log = logging.getLogger("gnuradio.bearing.library")

    def __enter__(self):
        sys.stdout.flush()
        self._stdout = os.dup(1)
        reading, writing = os.pipe()
        os.dup2(writing, 1)
        os.close(writing)
        self._thread = threading.Thread(target=self._read, args=(reading,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        sys.stdout.flush()
        os.dup2(self._stdout, 1)  # the pipe's last writer is closed, and the thread ends
        os.close(self._stdout)
        # Not for ever: a program that was started meanwhile may hold the pipe.
        self._thread.join(1.0)

    def _read(self, descriptor):
        second, count = 0, 0
        with open(descriptor, encoding="utf-8", errors="replace", newline="\n") as lines:
            # A line without end would grow without bound.
            while line := lines.readline(4 * _LONGEST_LINE):
                now = int(time.monotonic())
                if now != second:
                    second, count = now, 0
                count += 1
                if count > _MOST_PRINTED:
                    self.dropped += 1
                elif line.strip():
                    level, text = _level_and_text(line.strip())
                    self._log.log(level, "%s", text)


def _level_and_text(line):
    match = _SPDLOG.search(line)
    if not match:
        return logging.INFO, line
    level = _LEVELS_OF_SPDLOG.get(match[1].lower(), logging.ERROR)
    return level, f"{line[: match.start()]}: {line[match.end() :]}".removeprefix(": ")


class _terminal_format(logging.Formatter):
    """``2026-01-31 12:00:00 warning: text``, one line each."""

    def format(self, record):
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        return f"{when} {record.levelname.lower()}: {_text(record)}"


class _journal_format(logging.Formatter):
    """``<4>text``: journald keeps the time itself, and takes the priority off."""

    def format(self, record):
        priority = next(number for level, number in _PRIORITIES if record.levelno >= level)
        return "\n".join(f"<{priority}>{line}" for line in _text(record).split("\n"))


def _text(record):
    text = record.getMessage()
    if record.exc_info:
        text += "\n" + logging.Formatter().formatException(record.exc_info)
    # What a stranger sent must not look like a line of its own.
    return "\n".join(
        "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
        for line in text.split("\n")
    )


def _is_journal(stream):
    """Whether stderr leads to the journal: then systemd tells its device and inode."""
    try:
        told = os.fstat(stream.fileno())
    except (OSError, AttributeError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{told.st_dev}:{told.st_ino}"

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the replay program prints: bearings as JSON or as a table, and a progress bar."""

import contextlib
import json
import os
import sys

import numpy as np

from ..hier.sample_time import iso_time
from .command_line import system_errors_of, told_by_system


def _json_numbers(values):
    """Python floats that print as the shortest text of the same single-precision numbers."""
    return [float(str(v)) if np.isfinite(v) else None for v in values]


def json_lines(item, elapsed, report):
    """One object on one line; what is unknown is null."""
    rx_time = None
    if report.rx_time is not None:
        seconds, fraction = report.rx_time
        rx_time = {"seconds": seconds, "fraction": fraction, "iso": iso_time(seconds, fraction)}
    value = {
        "item": item,
        "elapsed_s": elapsed,
        "rx_time": rx_time,
        "rx_freq": report.rx_freq,
        "method": report.method,
        "status": report.status,
        "num_sources": report.num_sources,
        "snapshots": report.snapshots,
        "angles_deg": _json_numbers(report.angles_deg),
        "std_deg": _json_numbers(report.std_deg),
        "true_bearing_deg": _json_numbers(report.true_bearing_deg),
        "power_db": _json_numbers(report.power_db),
        "snr_db": _json_numbers(report.snr_db),
    }
    return json.dumps(value, allow_nan=False) + "\n"


_COLUMNS = (
    ("item", 7),
    ("time", 27),
    ("frequency_mhz", 13),
    ("status", 16),
    ("sources", 7),
    ("angle_deg", 10),
    ("std_deg", 9),
    ("bearing_deg", 11),
    ("power_db", 9),
    ("snr_db", 8),
)
TABLE_HEADER = " ".join(f"{title:>{width}}" for title, width in _COLUMNS) + "\n"


def _table_number(value, decimals):
    return f"{value:.{decimals}f}" if value is not None and np.isfinite(value) else "-"


def table_lines(item, elapsed, report):
    """A line for each direction, one without a direction when there is none."""
    when = None
    if report.rx_time is not None:
        when = iso_time(*report.rx_time, digits=6)
    frequency = None if report.rx_freq is None else report.rx_freq / 1e6
    start = [
        str(item),
        when or f"+{elapsed:.6f}",
        _table_number(frequency, 6),
        report.status,
        "-" if report.num_sources is None else str(report.num_sources),
    ]
    columns = [
        (report.angles_deg, 4),
        (report.std_deg, 4),
        (report.true_bearing_deg, 4),
        (report.power_db, 2),
        (report.snr_db, 2),
    ]
    lines = ""
    for k in range(max(1, report.angles_deg.size)):
        row = start + [
            _table_number(values[k] if k < values.size else None, decimals)
            for values, decimals in columns
        ]
        lines += " ".join(f"{text:>{width}}" for text, (_, width) in zip(row, _COLUMNS)) + "\n"
    return lines


class elapsed_time:
    """Seconds from the first sample of the first item to that of another one.

    By rx_time where both tell it, otherwise by counting items.
    """

    def __init__(self, interval):
        self._interval = interval
        self._first = None

    def __call__(self, item, report):
        if item == 0:
            self._first = report.rx_time
        if self._first is None or report.rx_time is None:
            return round(item * self._interval, 9)
        seconds, fraction = report.rx_time
        return round(seconds - self._first[0] + (fraction - self._first[1]), 9)


def take_stdout():
    """A file descriptor that leads to where stdout led. All else that is written to stdout, as
    GNU Radio's log is, goes to stderr from now on."""
    with system_errors_of("standard output"):
        descriptor = os.dup(1)
        os.dup2(2, 1)
    return descriptor


@contextlib.contextmanager
def text_output(path, descriptor):
    """A text file of that name, or, without a name, of that descriptor.

    Raises bad_input for what the system refuses, BrokenPipeError when nobody reads any more.
    """
    try:
        file = open(descriptor if path is None else path, "w", encoding="utf-8")
        with file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise told_by_system("standard output" if path is None else path, error) from error


class progress:
    """A bar on stderr, in seconds of the recording; nothing when it is not wanted."""

    def __init__(self, wanted, total_s, output):
        self._bar = None
        # Lines and bar on one terminal: the bar makes room.
        self._in_the_way = output.isatty()
        if wanted:
            # Imported here: it serves long files on a terminal only.
            from tqdm import tqdm

            self._bar = tqdm(
                total=round(total_s, 1),
                file=sys.stderr,
                dynamic_ncols=True,
                bar_format="{percentage:3.0f}%|{bar}| {n:.1f} of {total:.1f} s, {remaining} to go",
            )

    def make_room(self):
        if self._bar is not None and self._in_the_way:
            self._bar.clear()

    def advance_to(self, seconds):
        if self._bar is not None:
            self._bar.update(min(round(seconds, 1), self._bar.total) - self._bar.n)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()

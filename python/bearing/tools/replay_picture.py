# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture of bearings over time."""

import dataclasses
from pathlib import Path

import numpy as np

from .command_line import check_writable, complaints_about, output_files

# Degrees that all bearings must lie within for a picture of that sector only.
WIDEST_CLOSE_VIEW = 120.0


def narrow_limits(angles_deg):
    """(low, high) in degrees around these directions, for the deviations to be seen; None when
    they are all over the circle."""
    angles = np.sort(np.asarray(angles_deg, dtype=float) % 360.0)
    if angles.size == 0:
        return None
    gaps = np.diff(angles, append=angles[0] + 360.0)
    widest = int(np.argmax(gaps))
    span = 360.0 - gaps[widest]
    if span > WIDEST_CLOSE_VIEW:
        return None
    low = angles[(widest + 1) % angles.size]
    margin = 2.0 + 0.1 * span
    low, high = np.floor(low - margin), np.ceil(low + span + margin)
    # Those of lines are in [-90, 90].
    is_turned = high > 360.0 or (low >= 180.0 and np.min(angles_deg) < 0.0)
    return (low - 360.0, high - 360.0) if is_turned else (low, high)


class track_picture:
    """Collects bearings over time and draws them; true ones if the heading is known.

    Of more than MOST_POINTS reports every second one is drawn, or every fourth, and so on.
    """

    MOST_POINTS = 20000

    def __init__(self, path, north, title):
        self._path = Path(path)
        self._north = north
        self._title = title.replace("$", r"\$")  # not the beginning of a formula
        self._reports = []
        self._stride = 1
        check_writable(path)
        with complaints_about("--plot"):
            # Imported here: only a picture takes matplotlib, and the time to load it.
            from matplotlib.figure import Figure

            self._figure = Figure(figsize=(10, 5), layout="constrained")
            kinds = sorted(self._figure.canvas.get_supported_filetypes())
            self._kind = self._path.suffix[1:].lower()
            if self._kind not in kinds:
                raise ValueError(f"{path} must end in one of .{', .'.join(kinds)}")

    def add(self, item, elapsed, report):
        if item % self._stride:
            return
        self._reports.append((elapsed, report))
        if len(self._reports) > self.MOST_POINTS:
            self._reports = self._reports[::2]
            self._stride *= 2

    def save(self):
        from .. import plot

        reports = [report for _, report in self._reports]
        if any(report.rx_time is None for report in reports):
            reports = [
                dataclasses.replace(report, rx_time=(int(elapsed), elapsed % 1.0))
                for elapsed, report in self._reports
            ]
        axes = self._figure.subplots()
        if reports:
            shown = "angles_deg" if self._north == "array" else "true_bearing_deg"
            angles = np.concatenate([getattr(report, shown) for report in reports])
            limits = narrow_limits(angles[np.isfinite(angles)])
            plot.track(reports, ax=axes, north=self._north, limits_deg=limits)
        axes.set_title(self._title)
        with output_files(self._path) as (file,):
            self._figure.savefig(file, format=self._kind, dpi=120)

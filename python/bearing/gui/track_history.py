# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a track display remembers: bearings and spectra of the last seconds, in bounded memory.

Nothing here knows Qt. Times are seconds of any one clock, angles degrees clockwise.
"""

import math

import numpy as np

from .angles import difference_deg
from .display_settings import is_full_circle

# The strongest sources of a report; further ones are not kept.
MAX_SOURCES = 32

# Beyond this many dB a value of a spectrum is none.
MOST_DB = 1e6

_POINT = np.dtype(
    [
        ("time", np.float64),
        ("angle", np.float32),
        ("true", np.float32),
        ("std", np.float32),
        ("track", np.int64),
    ]
)


def longest_gap_s(duration_s):
    """Across which neighbours in time still belong together: 3 s, or a twentieth of what is seen
    when that is longer."""
    return max(3.0, duration_s / 20.0)


class bearing_history:
    """The bearings of one estimator, each linked to the one before of the same source.

    A source of a report continues the track whose last bearing is nearest, within 10 degrees or
    four of the deviations that both predict, but never more than 45 degrees and never across a
    gap of more than longest_gap_s; otherwise it begins a track.

    At most ``capacity`` bearings of the duration are kept, whatever the rate: each claims an
    equal part of it, and reports that come before the last one's part is over are left out.
    """

    def __init__(self, duration_s, capacity=2048):
        self._duration_s = duration_s
        self._capacity = capacity
        # Twice the room, so that the oldest half moves out in one piece.
        self._points = np.empty(2 * (capacity + MAX_SOURCES), _POINT)
        self.clear()

    def clear(self):
        self._end = 0
        self._next_time = -math.inf
        self._next_track = 0
        self._live = np.empty(0, _POINT)
        self.newest = -math.inf

    def __len__(self):
        return self._end

    def add(self, time, angles_deg, true_deg, std_deg):
        """Keeps the finite ones of the angles, strongest first; the arrays are equally long.

        A deviation that is not finite, or negative, is unknown: NaN. A time before that of the
        last report kept is out of order: left out. Returns whether the report was kept.
        """
        self.newest = max(self.newest, time)
        if time < self._next_time:
            return False
        found = np.flatnonzero(np.isfinite(angles_deg))[:MAX_SOURCES]
        points = np.empty(found.size, _POINT)
        points["time"] = time
        points["angle"] = angles_deg[found]
        points["true"] = true_deg[found]
        points["std"] = std_deg[found]
        points["std"][~(np.isfinite(points["std"]) & (points["std"] >= 0.0))] = np.nan
        # More than a circle is as good as a circle.
        np.minimum(points["std"], 360.0, out=points["std"])
        self._link(time, points)
        self._append(points)
        # An empty report takes a place too: time has passed.
        self._next_time = time + max(found.size, 1) * self._duration_s / self._capacity
        return True

    def _link(self, time, points):
        """Numbers the tracks of new points, and notes where these now end."""
        live = self._live[self._live["time"] >= time - longest_gap_s(self._duration_s)]
        distance = np.abs(difference_deg(points["angle"][:, None], live["angle"][None, :]))
        spread = 4.0 * np.hypot(points["std"][:, None], live["std"][None, :])
        near = distance <= np.clip(np.nan_to_num(spread), 10.0, 45.0)
        points["track"] = -1
        taken = np.zeros(live.size, bool)
        candidates = np.argwhere(near)
        order = np.argsort(distance[near], kind="stable")
        for new, old in candidates[order]:
            if points["track"][new] < 0 and not taken[old]:
                points["track"][new] = live["track"][old]
                taken[old] = True
        begun = np.flatnonzero(points["track"] < 0)
        points["track"][begun] = self._next_track + np.arange(begun.size)
        self._next_track += begun.size
        # Of those that were not seen, the youngest: a quick look at a bounded number.
        self._live = np.concatenate([live[~taken][-2 * MAX_SOURCES :], points])

    def _append(self, points):
        if self._end + points.size > self._points.size:
            kept = self._points[max(0, self._end - self._capacity) : self._end].copy()
            self._points[: kept.size] = kept
            self._end = kept.size
        self._points[self._end : self._end + points.size] = points
        self._end += points.size

    def points(self, newest):
        """Those of the duration before newest: fields time, angle, true (true bearing), std and
        track, sorted by track, then by time."""
        times = self._points["time"][: self._end]
        first = int(np.searchsorted(times, newest - self._duration_s))
        kept = self._points[first : self._end]
        return kept[np.argsort(kept["track"], kind="stable")]


class azimuth_cells:
    """Divides an axis of azimuths into cells, and puts spectra there.

    The cells of ``num_points`` directions along ``limits_deg`` = (first, last), both ends
    included, or () for [0, 360) without the end (a span of 360 leaves the end out as well).
    With ``around`` they lie on the full circle whatever the limits, for spectra that are turned.
    No more than ``most`` cells: each then shows the largest of the directions that it holds.

    bottom_deg, height_deg: where the cells begin, and how far they reach.
    """

    def __init__(self, num_points, limits_deg=(), around=False, most=720):
        self._first, last = limits_deg or (0.0, 360.0)
        self._circle = is_full_circle(limits_deg)
        self._step = (last - self._first) / (num_points if self._circle else num_points - 1)
        share = (last - self._first) / 360.0 if around else 1.0
        self._reduced = max(min(num_points, int(most * share)), 1)
        self._starts = (np.arange(self._reduced) * num_points) // self._reduced
        self._num_points = num_points
        # Width of a cell of the reduced spectrum.
        self._cell = self._step * num_points / self._reduced
        self._around = around
        if around:
            self.size = min(most, max(self._reduced, int(round(360.0 / self._cell))))
            self.height_deg = 360.0
            self.bottom_deg = -0.5 * 360.0 / self.size
        else:
            self.size = self._reduced
            self.height_deg = self._step * num_points
            self.bottom_deg = self._first - 0.5 * self._step

    def place(self, spectrum, heading_deg=0.0):
        """One value a cell of a spectrum of num_points; NaN outside the limits. The heading turns
        the spectrum, and is of no effect unless the cells go around."""
        row = np.asarray(spectrum, np.float32)
        if self._reduced < self._num_points:
            row = np.fmax.reduceat(row, self._starts)
        if not self._around:
            return row
        azimuths = np.arange(self.size) * (360.0 / self.size)
        offset = (azimuths - heading_deg - self._first + 0.5 * self._step) % 360.0
        at = offset / self._cell - 0.5
        # Half a cell below the first direction belongs to it.
        at = np.where(at > 360.0 / self._cell - 1.0, at - 360.0 / self._cell, at)
        low = np.floor(at).astype(int)
        part = (at - low).astype(np.float32)
        if self._circle:
            return row[low % row.size] * (1.0 - part) + row[(low + 1) % row.size] * part
        inside = (at >= -0.5) & (at <= row.size - 0.5)
        below, above = np.clip(low, 0, row.size - 1), np.clip(low + 1, 0, row.size - 1)
        return np.where(inside, row[below] * (1.0 - part) + row[above] * part, np.nan)


class spectrum_history:
    """The spectra of one estimator as columns of equal width in time.

    The newest spectrum of a column is the one kept. A spectrum stands until the next one comes,
    unless that takes more than longest_gap_s: such a gap stays empty (NaN).

    revision: grows when a column begins, for who draws all of them.
    """

    def __init__(self, duration_s, num_rows, num_columns=512):
        self._duration_s = duration_s
        self.column_s = duration_s / num_columns
        self._columns = np.empty((num_columns, num_rows), np.float32)
        self.clear()

    def clear(self):
        self._columns.fill(np.nan)
        self._last_column = None
        self.newest = -math.inf
        self.revision = 0

    def add(self, time, row):
        """Puts in a row of num_rows values; what is not within MOST_DB is none."""
        column = math.floor(time / self.column_s)
        if self._last_column is None:
            self._last_column = column
        shift = column - self._last_column
        if shift < 0:
            return
        size = len(self._columns)
        if shift:
            held = self._columns[-1].copy()
            moved = min(shift, size)
            self._columns[: size - moved] = self._columns[moved:]
            self._columns[size - moved :] = np.nan
            if time - self.newest <= longest_gap_s(self._duration_s):
                self._columns[size - moved : -1] = held
        self._columns[-1] = np.where(np.abs(row) <= MOST_DB, row, np.nan)
        if shift or not self.revision:
            self.revision += 1
        self._last_column = column
        self.newest = max(self.newest, time)

    @property
    def columns(self):
        """num_columns x num_rows, oldest first; not a copy."""
        return self._columns

    @property
    def start(self):
        """Time at which the first column begins; None while there is no spectrum."""
        if self._last_column is None:
            return None
        return (self._last_column + 1 - len(self._columns)) * self.column_s

    def levels_db(self):
        """Range of what is kept, in whole dB: from the second to the 999th per mille, so that a
        single odd value does not hide the rest, and no less than 3 dB; None without a value."""
        # Every eighth column is enough for that.
        values = self._columns[::-8]
        values = values[np.isfinite(values)]
        if not values.size:
            return None
        low, high = np.percentile(values, [0.2, 99.9])
        low = math.floor(low)
        return low, max(math.ceil(high), low + 3)

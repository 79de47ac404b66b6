# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From observations of stations to transmitters, as time goes on."""

import collections
import time

from .association import by_frequency, transmitters
from .station_table import station_table

# Seconds, after which no other frequency is begun; one takes a second or so at the most.
_LONGEST_S = 1.0


class fuser:
    """Combines the latest observation of every station.

    max_age_s: of observations that are combined, since they arrived.
    frequency_tolerance_hz: between stations that hear the same.
    heading_std_deg, max_range_m: as of transmitters().
    clock: a function that returns seconds; for tests.
    counters: what found no room or no time.

    One thread combines; others may add.
    """

    def __init__(
        self,
        max_age_s,
        frequency_tolerance_hz,
        heading_std_deg=0.0,
        max_range_m=1e6,
        clock=time.monotonic,
    ):
        self._table = station_table(max_age_s)
        self._tolerance_hz = frequency_tolerance_hz
        self._options = {"heading_std_deg": heading_std_deg, "max_range_m": max_range_m}
        self._clock = clock
        # Observations that have been combined, by their identity.
        self._used = {}
        self._turn = 0
        self._late = 0

    @property
    def counters(self):
        return collections.Counter(self._table.counters, frequencies_left_out=self._late)

    def add(self, one):
        """An observation that came."""
        self._table.add(one)

    def combine(self, now_s):
        """(observations in force, [(transmitter, whether a bearing behind it is new)])."""
        observations = self._table.current(now_s)
        groups = by_frequency(observations, self._tolerance_hz)
        begin_s = self._clock()
        found, used = [], {}
        # Those for which there was no time come first in the next call.
        first = self._turn % max(1, len(groups))
        self._turn = 0
        for count, group in enumerate(groups[first:] + groups[:first]):
            if count and self._clock() - begin_s > _LONGEST_S:
                self._late += len(groups) - count
                self._turn = first + count
                break
            is_new = any(id(one) not in self._used for one in group)
            found += [(one, is_new) for one in transmitters(group, **self._options)]
            used.update((id(one), one) for one in group)
        for one in observations:
            if id(one) in self._used:
                used[id(one)] = one
        # It holds them, so that no other gets the identity of one.
        self._used = used
        return observations, found

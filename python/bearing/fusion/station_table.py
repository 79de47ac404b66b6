# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The latest that each station heard."""

import collections
import threading

MAX_STATIONS = 256
MAX_CHANNELS = 256


class station_table:
    """Keeps the latest observation of every channel of every station for max_age_s.

    Times are of a clock that never jumps, and those of arrival here: clocks of stations may
    differ. Observations are added and taken on any thread. counters: observations that found no
    room.
    """

    def __init__(self, max_age_s):
        self._max_age_s = max_age_s
        self._stations = {}
        self._lock = threading.Lock()
        self.counters = collections.Counter()

    def add(self, one):
        with self._lock:
            self._add(one)

    def _add(self, one):
        key = (one.feed, one.station)
        if key not in self._stations and len(self._stations) >= MAX_STATIONS:
            self.counters["too_many_stations"] += 1
            return
        channels = self._stations.setdefault(key, {})
        # One that scans puts all its frequencies on one channel.
        channel = (one.channel, one.frequency_hz)
        if channel not in channels and len(channels) >= MAX_CHANNELS:
            self.counters["too_many_channels"] += 1
            return
        channels[channel] = one

    def current(self, now_s):
        """Observations that are not older than max_age_s; forgets the others."""
        with self._lock:
            return self._current(now_s - self._max_age_s)

    def _current(self, oldest):
        for channels in self._stations.values():
            for channel in [c for c, one in channels.items() if one.arrived_s < oldest]:
                del channels[channel]
        for key in [key for key, channels in self._stations.items() if not channels]:
            del self._stations[key]
        return [one for channels in self._stations.values() for one in channels.values()]

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notices when somebody sets the clock."""

import time

# Seconds. A clock that is kept by NTP is slewed, by half a millisecond a second at most.
_SMALLEST_JUMP = 0.5


class clock_watch:
    """Compares the time of day with the clock that nobody sets.

    jumps: how many there were.
    """

    def __init__(self, wall=time.time, steady=time.monotonic):
        self.jumps = 0
        self._wall, self._steady = wall, steady
        self._offset = wall() - steady()

    def jump(self):
        """Seconds by which the time of day was set since the last call; 0.0: it was not."""
        offset = self._wall() - self._steady()
        change, self._offset = offset - self._offset, offset
        if abs(change) < _SMALLEST_JUMP:
            return 0.0
        self.jumps += 1
        return change

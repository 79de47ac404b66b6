# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory and processor time that this process takes."""

import os
import resource
import time


class process_load:
    """memory_mb(): resident. cpu_percent(): of one core, since the call before."""

    def __init__(self):
        self._last = time.monotonic(), _cpu_seconds()

    def memory_mb(self):
        try:
            with open("/proc/self/statm", encoding="ascii") as file:
                pages = int(file.read().split()[1])
        except OSError:
            return None
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)

    def cpu_percent(self):
        before, now = self._last, (time.monotonic(), _cpu_seconds())
        self._last = now
        return round(100.0 * (now[1] - before[1]) / max(1e-3, now[0] - before[0]), 1)


def _cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

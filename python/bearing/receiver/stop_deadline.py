# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends a process that cannot stop by itself."""

import faulthandler
import logging
import os
import sys
import threading

_LOG = logging.getLogger(__name__)

# Less than systemd waits before it kills.
PATIENCE_S = 15.0
_FAILED = 1


class stop_deadline:
    """After start(), ends the process in 15 s, unless it has been cancelled by then.

    Before that it prints where every thread is: the next one who looks wants to know what hung.
    """

    def __init__(self, seconds=PATIENCE_S, end=os._exit):
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._seconds, self._end = seconds, end
        self._lock = threading.Lock()
        self._has_started = False

    def start(self):
        """Once; later calls do nothing."""
        with self._lock:
            if not self._has_started:
                self._has_started = True
                self._timer.start()

    def cancel(self):
        self._timer.cancel()

    def _expire(self):
        _LOG.error("did not stop within %.0f s and is ended; this is where it hangs", self._seconds)
        faulthandler.dump_traceback(sys.__stderr__, all_threads=True)
        self._end(_FAILED)

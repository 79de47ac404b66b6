# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells systemd that the receiver lives, whatever the main thread is busy with."""

import logging
import threading
import time

_LOG = logging.getLogger(__name__)

# Seconds.
_LONGEST_INTERVAL = 1.0
# Of a main thread that does not come by: a reload waits for a flowgraph that is being built, and
# then builds its own; the receiver allows either 90 s.
_LATE = 180.0


class service_pulse:
    """A thread that gives signs of life, as long as the receiver is healthy and the main thread
    comes by.

    manager: service_manager. is_receiver_healthy: called without arguments, from the thread.
    is_healthy: what it found last.
    """

    def __init__(self, manager, is_receiver_healthy, late_s=_LATE):
        self.is_healthy = True
        self._manager, self._is_receiver_healthy = manager, is_receiver_healthy
        self._late_s = late_s
        watchdog = manager.watchdog_s
        # Several within the watchdog's time.
        self._interval = min(_LONGEST_INTERVAL, (watchdog or 60.0) / 4)
        self._beat = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self):
        self.beat()
        self._thread.start()

    def beat(self):
        """The main thread came by."""
        self._beat = time.monotonic()

    def stop(self):
        """No sign of life from now on."""
        self._stop.set()

    def _run(self):
        while not self._stop.is_set():
            self._look()
            self._stop.wait(self._interval)

    def _look(self):
        is_late = time.monotonic() - self._beat > self._late_s
        try:
            is_healthy = not is_late and bool(self._is_receiver_healthy())
        except Exception:
            if self.is_healthy:
                _LOG.exception("the receiver cannot be asked whether it is healthy")
            is_healthy = False
        if is_healthy:
            self._manager.alive()
        if is_healthy != self.is_healthy:
            self.is_healthy = is_healthy
            if is_healthy:
                _LOG.info("the receiver works again")
            else:
                part = "the main thread" if is_late else "a part of the receiver"
                _LOG.error("%s is stuck; the watchdog gets no sign of life", part)

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits between the scheduler's threads and the display."""

import collections
import threading
import time
from typing import NamedTuple, Optional

import numpy as np

# Per message port. A display takes what it can about 30 times a second; only the newest matter.
MOST_WAITING = 512


class waiting_message(NamedTuple):
    """A message as it came, and when, by time.monotonic() and time.time()."""

    message: object
    monotonic: float
    wall: float


class spectrum_row(NamedTuple):
    """One spectrum: float32 values in dB; the seconds of its rx_time tag, None without one; and
    when it came, by time.monotonic() and time.time()."""

    values: np.ndarray
    seconds: Optional[float]
    monotonic: float
    wall: float


class display_feed:
    """Keeps the newest messages and spectra until the display takes them.

    Any thread may put, one takes. Putting costs a microsecond or so, whatever waits: nothing is
    decoded, no more than MOST_WAITING messages and one spectrum per port are kept.

    num_ports: number of message ports, and of spectrum inputs.
    notify: called without arguments when something waits after nothing did; once until the
        next take().
    """

    def __init__(self, num_ports, notify):
        self._lock = threading.Lock()
        self._notify = notify
        self._notified = False
        self._messages = [collections.deque(maxlen=MOST_WAITING) for _ in range(num_ports)]
        self._spectra = {}
        self._calibration = None
        self._received = [0] * num_ports

    def put_message(self, port, message):
        """Stores what came at a message port."""
        entry = waiting_message(message, time.monotonic(), time.time())
        with self._lock:
            self._messages[port].append(entry)
            self._received[port] += 1
            notify, self._notified = not self._notified, True
        if notify:
            self._notify()

    def wants_spectrum(self, port):
        """Whether the last spectrum of this port was taken, so that the next is worth a copy."""
        return port not in self._spectra

    def put_spectrum(self, port, values, seconds):
        """Stores a copy of a spectrum, in place of one that was not taken."""
        row = spectrum_row(
            np.array(values, np.float32), seconds, time.monotonic(), time.time()
        )
        with self._lock:
            self._spectra[port] = row
            notify, self._notified = not self._notified, True
        if notify:
            self._notify()

    def put_calibration(self, message):
        """Stores what a calibrator says, in place of what it said before."""
        with self._lock:
            self._calibration = message
            notify, self._notified = not self._notified, True
        if notify:
            self._notify()

    def take_calibration(self):
        """What a calibrator said since the last call, or None. To be called after take(), so
        that what comes in between is notified."""
        with self._lock:
            message, self._calibration = self._calibration, None
            return message

    def take(self):
        """All that waits: a list with a deque of waiting_message a port, oldest first; a dict
        from port to spectrum_row; and a list of how many messages each port received so far."""
        with self._lock:
            self._notified = False
            messages = self._messages
            self._messages = [collections.deque(maxlen=MOST_WAITING) for _ in messages]
            spectra, self._spectra = self._spectra, {}
            return messages, spectra, list(self._received)

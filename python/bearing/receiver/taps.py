# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where messages and spectra leave the flowgraph."""

import threading
import time

import numpy as np
import pmt
from gnuradio import gr

from ..unread_messages import unread_messages

# Seconds between two copies of a spectrum.
_SPECTRUM_INTERVAL_S = 0.2


class message_tap(gr.basic_block):
    """Hands every message of one port to receive(message), which must return at once: GNU Radio's
    queue before a slow reader grows without bound.

    received: how many came.
    """

    def __init__(self, port, receive):
        gr.basic_block.__init__(self, f"{port}_tap", None, None)
        self.received = 0
        self._port = pmt.intern(port)
        self._receive = receive
        self.message_port_register_in(self._port)
        self.set_msg_handler(self._port, self._handle)

    def _handle(self, message):
        self.received += 1
        self._receive(message)

    def stop(self):
        """Called in its own thread when that ends, as it does at a recording's end."""
        self.take_unread()
        return True

    def take_unread(self):
        """Hands on what its own thread had not read when the flowgraph ended."""
        for message in unread_messages(self, self._port):
            self._handle(message)


class spectrum_probe(gr.sync_block):
    """Keeps a copy of the newest spectrum, some times a second."""

    def __init__(self, num_points):
        gr.sync_block.__init__(self, "spectrum_probe", [(np.float32, num_points)], None)
        self._lock = threading.Lock()
        self._spectrum = None
        self._number = 0
        self._next = 0.0

    def work(self, input_items, output_items):
        now = time.monotonic()
        if now >= self._next and len(input_items[0]):
            self._next = now + _SPECTRUM_INTERVAL_S
            copy = np.array(input_items[0][-1], np.float32)
            with self._lock:
                self._spectrum = copy
                self._number += 1
        return len(input_items[0])

    def latest(self):
        """Number of the copy, from 1 on, and the copy; 0 and None before the first."""
        with self._lock:
            return self._number, self._spectrum


class message_source(gr.basic_block):
    """Sends messages of a port that another thread gives it."""

    def __init__(self, port):
        gr.basic_block.__init__(self, f"{port}_source", None, None)
        self._port = pmt.intern(port)
        self.message_port_register_out(self._port)

    def send(self, message):
        self.message_port_pub(self._port, message)

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A thread that writes, and the bounded queue before it: whoever has something to say never waits
for a disk or a network."""

import collections
import threading
import time

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_FLUSH_S = 1.0


class background_writer:
    """Hands what is put to ``write`` in a thread of its own, in order.

    write: of one thing; raises OSError. retries: whether it is tried again with the same thing,
    with growing pauses, until it succeeds; else what fails is dropped, as is what raises anything
    else.
    close: called by the thread when it ends. told: of the exception, or of None, when writing
    begins to fail or to succeed.
    limit: how many things wait; of more, the oldest is dropped.

    ``written``, ``dropped`` and ``errors`` count things, things, and failed attempts; with
    ``waiting`` they add up to what was put.
    """

    def __init__(self, write, close, retries=False, told=None, limit=1000):
        self._write, self._close = write, close
        self._retries, self._told = retries, told
        self._limit = limit
        self._queue = collections.deque()
        self._changed = threading.Condition()
        self._in_hand = 0
        self._stop_at = None
        self._is_left = self._is_started = False
        self._thread = threading.Thread(target=self._run, name="bearing_writer", daemon=True)
        self.written = self.dropped = self.errors = 0
        # None before the first attempt.
        self.is_well = None
        self.error = None

    def start(self):
        self._is_started = True
        self._thread.start()

    @property
    def has_stopped(self):
        return self._is_left

    @property
    def waiting(self):
        with self._changed:
            return len(self._queue) + self._in_hand

    def counts(self):
        """``written``, ``dropped``, ``errors`` and ``waiting`` of one moment, as a dict."""
        with self._changed:
            return dict(
                written=self.written,
                dropped=self.dropped,
                errors=self.errors,
                waiting=self.waiting,
            )

    def put(self, thing):
        with self._changed:
            if self._stop_at is not None:
                self.dropped += 1
                return
            if len(self._queue) >= self._limit:
                self._queue.popleft()
                self.dropped += 1
            self._queue.append(thing)
            self._changed.notify()

    def stop(self):
        """Writes what can be written within a second, and drops the rest. Of one that was never
        started, everything."""
        with self._changed:
            if self._stop_at is None:
                self._stop_at = time.monotonic() + _FLUSH_S
            self._changed.notify()
        if self._is_started:
            self._thread.join(_FLUSH_S)
        elif not self._is_left:
            self._close()
        with self._changed:
            # A thread that the system holds, in a name look-up for example, ends when it may.
            self._is_left = True
            self.dropped += self.waiting
            self._queue.clear()
            self._in_hand = 0

    def _run(self):
        try:
            while True:
                with self._changed:
                    while not self._queue and self._stop_at is None:
                        self._changed.wait()
                    if self._is_left or not self._queue:
                        return
                    thing = self._queue.popleft()
                    self._in_hand = 1
                if not self._write_one(thing):
                    return
        finally:
            self._close()

    def _write_one(self, thing):
        """False when the thread is to end."""
        pause = _FIRST_PAUSE_S
        while True:
            error = None
            try:
                self._write(thing)
            except Exception as caught:  # whatever it is, the next one may be better
                error = caught
            with self._changed:
                if self._is_left:
                    return False
                is_news = self.is_well != (error is None)
                self.is_well, self.error = error is None, error
                if error is None:
                    self.written += 1
                else:
                    self.errors += 1
                is_to_stop = self._stop_at is not None
                is_again = self._retries and isinstance(error, OSError)
                is_done = error is None or is_to_stop or not is_again
                if is_done:
                    self._in_hand = 0
                    self.dropped += error is not None
            if is_news and self._told is not None:
                self._told(error)
            if is_done:
                return not is_to_stop or time.monotonic() < self._stop_at
            with self._changed:
                self._changed.wait_for(lambda: self._stop_at is not None, pause)
            pause = min(2.0 * pause, _LONGEST_PAUSE_S)

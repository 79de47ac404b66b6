# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits between the receiver's threads and those who watch it over the web."""

import asyncio
import collections
import threading

# Of one watcher, and between the receiver and the loop: some seconds of a fast estimator.
MOST_WAITING = 256


class event_feed:
    """Brings events of any thread into an event loop.

    Putting costs a microsecond or so, and never waits: when the loop is slow, the oldest events
    are lost and counted.

    loop: the event loop.
    receive: called in it with a list of events, oldest first.
    """

    def __init__(self, loop, receive):
        self._loop = loop
        self._receive = receive
        self._lock = threading.Lock()
        self._events = collections.deque(maxlen=MOST_WAITING)
        self._is_told = False
        self.lost = 0

    def put(self, kind, payload):
        """From any thread; after the loop has ended, events come to nothing."""
        with self._lock:
            if len(self._events) == self._events.maxlen:
                self.lost += 1
            self._events.append((kind, payload))
            tell, self._is_told = not self._is_told, True
        if tell:
            try:
                self._loop.call_soon_threadsafe(self._take)
            except RuntimeError:
                pass  # the loop is closed

    def _take(self):
        with self._lock:
            events = list(self._events)
            self._events.clear()
            self._is_told = False
        self._receive(events)


class watcher:
    """What waits for one client, as text; a slow one loses the oldest, which ``lost`` counts.

    transport: its connection. is_stuck: whether it was given up, as it took nothing.
    """

    def __init__(self, transport):
        self.transport = transport
        self._texts = collections.deque(maxlen=MOST_WAITING)
        self._ready = asyncio.Event()
        self.lost = 0
        self.is_stuck = False

    def put(self, text):
        if len(self._texts) == self._texts.maxlen:
            self.lost += 1
        self._texts.append(text)
        self._ready.set()

    async def get(self):
        """The oldest text; waits for one."""
        while not self._texts:
            self._ready.clear()
            await self._ready.wait()
        return self._texts.popleft()


class bearing_history:
    """The bearings of the last minutes, for who has just begun to watch.

    At most one in ``spacing_s`` seconds of each channel is kept, and MOST of them; what outputs
    write is complete. Times are seconds of a steady clock.
    """

    MOST = 1200
    # More would be a mistake of whoever names them.
    MOST_CHANNELS = 64

    def __init__(self, spacing_s=0.5):
        self._spacing_s = spacing_s
        self._channels = {}

    def add(self, bearing, now):
        """bearing: a dict that the receiver tells, which names its channel."""
        name = bearing["channel"]
        if name not in self._channels:
            if len(self._channels) >= self.MOST_CHANNELS:
                return
            self._channels[name] = collections.deque(maxlen=self.MOST)
        kept = self._channels[name]
        if not kept or now - kept[-1][0] >= self._spacing_s:
            kept.append((now, bearing))

    def has(self, channel):
        """Whether there are bearings of a channel of that name."""
        return channel in self._channels

    def bearings(self, now, channel=None):
        """Of one channel, or of all; oldest first within each, with an entry ``age_s`` more."""
        if channel is None:
            wanted = self._channels.values()
        else:
            wanted = [self._channels.get(channel, ())]
        return [
            dict(bearing, age_s=round(now - time, 3)) for kept in wanted for time, bearing in kept
        ]

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bearing messages of one receiver over ZMQ."""

import collections
import re

from ..output.bearing_record import bearing_record
from .message_bytes import MAX_BYTES, message_reader
from .observation import observe, unusable

# Messages that wait when the program is busy; what comes then is lost, and the next one is newer.
_MOST_WAITING = 256
# Milliseconds.
_LONGEST_RECONNECT = 5000
_HEARTBEAT = 5000

_ADDRESS = re.compile(r"tcp://(\[[0-9A-Fa-f:.%a-z]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")


def feed_address(text, lowest_port=1):
    """tcp://HOST:PORT for such a text or HOST:PORT, or ipc://PATH; ValueError saying what is
    allowed."""
    if re.fullmatch(r"ipc://[^\0]{1,90}", text):
        return text
    address = text if "://" in text else f"tcp://{text}"
    match = _ADDRESS.fullmatch(address)
    if not match or not lowest_port <= int(match[2]) <= 65535:
        raise ValueError(
            f"address is {text!r}; it must be tcp://HOST:PORT, HOST:PORT or ipc://PATH"
        )
    return address


class feed:
    """Messages that one address publishes, or that come to an address of this computer.

    address: as feed_address returns it; with its port where port 0 was to be any. context: of
    zmq.asyncio. all_symbols: a set that all feeds share, as of message_reader. listens: others
    connect to the address; raises OSError when it cannot be had.
    counters: received, used, malformed, and a word for every other reason why a message was not
    used. arrived_s: of the last good message, or None.
    """

    def __init__(self, address, context, all_symbols=None, listens=False):
        # Imported here: programs without a network do without.
        import zmq

        self.address = address
        self.counters = collections.Counter()
        self.arrived_s = None
        self.last_problem = None
        self._reader = message_reader(all_symbols)
        self._socket = context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_BYTES)
        self._socket.setsockopt(zmq.RCVHWM, _MOST_WAITING)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, _LONGEST_RECONNECT)
        # Notices a peer that is gone without a word.
        self._socket.setsockopt(zmq.HEARTBEAT_IVL, _HEARTBEAT)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.IPV6, 1)
        self._socket.setsockopt(zmq.SUBSCRIBE, b"")
        if listens:
            self._listen()
        else:
            self._socket.connect(address)

    def _listen(self):
        import zmq

        try:
            if "[" not in self.address:
                self._socket.setsockopt(zmq.IPV6, 0)
            # ZMQ's word for any port.
            self._socket.bind(re.sub(r"^(tcp://.*):0+$", r"\1:*", self.address))
        except zmq.ZMQError as error:
            self._socket.close()
            raise OSError(error.errno, error.strerror) from error
        self.address = self._socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()

    async def receive(self, now):
        """The observation in the next message, or None where that is of no use. now: a function
        that returns the time of its arrival."""
        parts = await self._socket.recv_multipart()
        self.counters["received"] += 1
        try:
            if len(parts) != 1:
                raise ValueError(f"has {len(parts)} parts")
            record = bearing_record.from_message(self._reader.read(parts[0]))
        except (ValueError, RuntimeError) as error:
            self.counters["malformed"] += 1
            self.last_problem = str(error)
            return None
        self.arrived_s = now()
        try:
            one = observe(record, self.address, self.arrived_s)
        except unusable as why:
            self.counters[str(why)] += 1
            return None
        self.counters["used"] += 1
        return one

    def close(self):
        self._socket.close()

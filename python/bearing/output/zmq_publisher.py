# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that GNU Radio's PUB Message Sink publishes."""

import pmt
from gnuradio import gr

_OUT = pmt.intern("out")


class _relay(gr.basic_block):
    """Gives the sink a connection: what has none does not run."""

    def __init__(self):
        gr.basic_block.__init__(self, "bearing_relay", None, None)
        self.message_port_register_out(_OUT)


class zmq_publisher:
    """A socket in a flowgraph of its own. Closed, it frees its address, which it would not do while
    something holds a block that holds the socket.

    target: "tcp://HOST:PORT", "ipc://PATH"; bind: others connect to it, else it connects.

    Raises OSError when the address cannot be used.
    """

    def __init__(self, target, bind=True):
        # Imported here: only this needs it.
        from gnuradio import zeromq

        try:
            socket = zeromq.pub_msg_sink(target, 100, bind)
        except RuntimeError as error:
            raise OSError(f"{target}: {error}") from error
        # With the port in place of "*".
        self.name = socket.last_endpoint().rstrip("\0") if bind else target
        self._relay = _relay()
        self._top = gr.top_block("bearing_publisher")
        self._top.msg_connect(self._relay, "out", socket, "in")
        self._is_running = False

    def start(self):
        self._top.start()
        self._is_running = True

    def send(self, message):
        """Never waits: who is not there, or too slow, misses it."""
        self._relay.message_port_pub(_OUT, message)

    def close(self):
        if self._top is None:
            return
        if self._is_running:
            self._top.stop()
            self._top.wait()
        self._top.disconnect_all()
        self._top = None

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flowgraph that makes bearing messages of a recording, none of them lost."""

import contextlib
import queue
import threading

import numpy as np
import pmt
from gnuradio import blocks, gr

from ..bearing_python import covariance
from ..unread_messages import unread_messages

# Messages have no back pressure: the queue of a slow reader grows without bound, and GNU Radio
# throws away what waits beyond some thousands where a block is not ready to read. So many at most
# wait here, enough to keep the estimator busy.
MOST_WAITING = 256
# Seconds that anything waits before it looks whether the flowgraph has ended.
PATIENCE = 0.1
# Seconds without a sample after which a file counts as unreadable: a block that fails ends its
# own thread only.
LONGEST_STALL = 30.0

_BEARINGS = pmt.intern("bearings")


class item_gate(gr.sync_block):
    """Hands covariance items on while fewer than MOST_WAITING of them lack their message.

    items: how many passed. answer(count): so many messages have been dealt with.
    """

    def __init__(self, num_elements):
        item = (np.complex64, num_elements**2)
        gr.sync_block.__init__(self, "item_gate", [item], [item])
        self.items = 0
        self._answered = 0
        self._changed = threading.Condition()

    def answer(self, count):
        with self._changed:
            self._answered += count
            self._changed.notify()

    def work(self, input_items, output_items):
        with self._changed:
            # Not for ever: a flowgraph that is stopped interrupts its threads between calls.
            self._changed.wait_for(self._room, PATIENCE)
            count = min(len(output_items[0]), self._room())
            self.items += count
        output_items[0][:count] = input_items[0][:count]
        return count

    def _room(self):
        return MOST_WAITING - (self.items - self._answered)


class message_queue(gr.basic_block):
    """Receives messages in a thread of the flowgraph and keeps them for another."""

    def __init__(self):
        gr.basic_block.__init__(self, "message_queue", None, None)
        self._messages = queue.SimpleQueue()
        self.message_port_register_in(_BEARINGS)
        self.set_msg_handler(_BEARINGS, self.receive)

    def receive(self, message):
        self._messages.put(message)

    def take(self):
        """The messages that are there, in order; waits a little for the first one."""
        taken = []
        with contextlib.suppress(queue.Empty):
            taken.append(self._messages.get(timeout=PATIENCE))
            while len(taken) < MOST_WAITING:
                taken.append(self._messages.get_nowait())
        return taken

    def take_unread(self):
        """Those that the block's own thread had not read when the flowgraph ended."""
        return list(unread_messages(self, _BEARINGS))


class stalled(Exception):
    """No samples come any more."""


class replay_flowgraph:
    """From the streams of a source to bearing messages, none of them lost.

    source: a block or hier block with one output of complex samples a channel.
    estimator: a block with covariance items in and a message port ``bearings``.
    num_samples: samples of each channel to read; None: all.
    """

    def __init__(self, source, num_channels, snapshots, estimator, num_samples=None):
        self._flowgraph = gr.top_block("bearing-replay")
        # Blocks written in Python live as long as something in Python knows them.
        self._source = source
        self._covariance = covariance(num_channels, snapshots)
        self._gate = item_gate(num_channels)
        self._queue = message_queue()
        self._ended = threading.Event()
        for k in range(num_channels):
            chain = [(source, k), (self._covariance, k)]
            if num_samples is not None:
                chain.insert(1, blocks.head(gr.sizeof_gr_complex, num_samples))
            self._flowgraph.connect(*chain)
        self._flowgraph.connect(self._covariance, self._gate, estimator)
        self._flowgraph.msg_connect(estimator, "bearings", self._queue, "bearings")

    @property
    def samples_read(self):
        """Of each channel, up to now."""
        return self._covariance.nitems_read(0)

    @property
    def items(self):
        """Covariances made, and covariances that the estimator was given."""
        return self._covariance.nitems_written(0), self._gate.items

    def stop(self):
        self._flowgraph.stop()

    def messages(self):
        """Runs the flowgraph and yields lists of messages, in the order of the items.

        Lists may be empty. Ends when the flowgraph has, after the last message. Raises stalled.
        """
        idle_s, samples_read = 0.0, 0
        self._flowgraph.start()
        waiting = threading.Thread(target=self._wait, daemon=True)
        waiting.start()
        try:
            while True:
                ended = self._ended.is_set()
                taken = self._queue.take()
                if ended and not taken:
                    break
                # Counted in waits: the time that the program itself was suspended is none.
                idle_s = 0.0 if taken or samples_read != self.samples_read else idle_s + PATIENCE
                samples_read = self.samples_read
                if idle_s > LONGEST_STALL:
                    raise stalled
                yield taken
                self._gate.answer(len(taken))
            # Nothing promises that the thread that reads messages ends after the last one.
            yield self._queue.take_unread()
        finally:
            self._flowgraph.stop()
            waiting.join()

    def _wait(self):
        self._flowgraph.wait()
        self._ended.set()

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams with tags through blocks that filter them, for the tests of channels."""

import numpy as np
import pmt
from gnuradio import blocks, gr


def noise(n, size, seed=1):
    random = np.random.default_rng(seed)
    x = random.standard_normal((n, size)) + 1j * random.standard_normal((n, size))
    return x.astype(np.complex64)


def time_at(sample, rate, seconds=1000):
    """rx_time of a sample when sample 0 was taken at that many seconds."""
    whole, rest = divmod(sample / rate, 1.0)
    return pmt.make_tuple(pmt.from_uint64(seconds + int(whole)), pmt.from_double(rest))


class stream_run:
    """What a block makes of x (streams x samples) with tags [(stream, offset, key, value)]:
    output[i] of stream i, one row an item."""

    def __init__(self, block, x, tags=(), vlen=1, num_outputs=None, max_noutput_items=None):
        tb = gr.top_block()
        self.sinks = [blocks.vector_sink_c(vlen) for _ in range(num_outputs or len(x))]
        for k, samples in enumerate(x):
            own = [
                gr.tag_utils.python_to_tag((int(o), pmt.intern(key), value, pmt.intern("qa")))
                for stream, o, key, value in tags
                if stream == k
            ]
            tb.connect(blocks.vector_source_c(samples, False, 1, own), (block, k))
        for i, sink in enumerate(self.sinks):
            tb.connect((block, i), sink)
        if max_noutput_items:
            tb.run(max_noutput_items)
        else:
            tb.run()
        self.output = [np.array(sink.data(), np.complex64) for sink in self.sinks]

    def tags(self, key, stream=0):
        """[(item, value)] in the order of items."""
        found = [
            (t.offset, pmt.to_python(t.value))
            for t in self.sinks[stream].tags()
            if pmt.symbol_to_string(t.key) == key
        ]
        return sorted(found, key=lambda item_value: item_value[0])

    def times(self, rate, stream=0, seconds=1000):
        """[(item, rx_time as samples at that rate since that many seconds)]."""
        return [
            (item, (whole - seconds + fraction) * rate)
            for item, (whole, fraction) in self.tags("rx_time", stream)
        ]

    def covariances(self, n, stream=0):
        """The items, K x N x N."""
        return self.output[stream].reshape(-1, n, n).transpose(0, 2, 1)

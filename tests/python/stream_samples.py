# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes out of a source block."""

import numpy as np
import pmt
from gnuradio import blocks, gr


def first_samples(block, sinks, count, max_noutput_items=None, tags=None):
    """The first samples of as many streams as there are vector sinks, one row each; tags go
    into the list, one dict per stream."""
    tb = gr.top_block()
    item_size = block.output_signature().sizeof_stream_item(0)
    for k, sink in enumerate(sinks):
        tb.connect((block, k), blocks.head(item_size, count), sink)
    if max_noutput_items:
        tb.run(max_noutput_items)
    else:
        tb.run()
    if tags is not None:
        for sink in sinks:
            tags.append(
                {
                    pmt.symbol_to_string(t.key): (t.offset, pmt.to_python(t.value))
                    for t in sink.tags()
                }
            )
            assert len(tags[-1]) == len(sink.tags())
    return np.array([sink.data() for sink in sinks])

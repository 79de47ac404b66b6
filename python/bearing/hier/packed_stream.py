# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What source and sink of recordings share: names of tags, and a stream whose items are one sample
of all channels, as files store it."""

import pmt

RX_RATE = pmt.intern("rx_rate")
RX_FREQ = pmt.intern("rx_freq")
RX_TIME = pmt.intern("rx_time")
GAP = pmt.intern("gap")

# Bytes of the packed stream that a Python block gets at a time where speed matters.
_RUN_BYTES = 2**19


def lengthen_runs(block, frame_size):
    """Gives the block an output buffer of _RUN_BYTES."""
    # It would report this very call, and again when a flowgraph starts for a second time.
    block.set_log_level("error")
    block.set_min_output_buffer(max(2, _RUN_BYTES // frame_size))

#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What channels of a wide band cost: processor time of flowgraphs, all of their threads, for each
second of signal. Contenders run in turn in one process; a round's ratios are taken before medians.

    PYTHONPATH=<build>/test_modules /usr/bin/python3 tests/benchmarks/channels_cpu.py [--rounds N]
"""

import argparse
import statistics
import time

import numpy as np
from gnuradio import bearing, blocks, filter, gr

from gnuradio.bearing.hier.channel_taps import lowpass_taps

RATE = 2.4e6
CHANNEL_RATE = 150e3
SNAPSHOTS = 4096


class band:
    """Noise for each element, as a flowgraph that contenders are connected to."""

    def __init__(self, num_elements, seconds):
        random = np.random.default_rng(1)
        noise = random.standard_normal(1 << 15) + 1j * random.standard_normal(1 << 15)
        self.num_elements = num_elements
        self.flowgraph = gr.top_block()
        self.streams = []
        for _ in range(num_elements):
            source = blocks.vector_source_c(noise.astype(np.complex64), True)
            head = blocks.head(gr.sizeof_gr_complex, int(seconds * RATE))
            self.flowgraph.connect(source, head)
            self.streams.append(head)

    def feed(self, block):
        for k, stream in enumerate(self.streams):
            self.flowgraph.connect(stream, (block, k))

    def end(self, block, num_outputs, vlen):
        sink = blocks.null_sink(vlen * gr.sizeof_gr_complex)
        for i in range(num_outputs):
            self.flowgraph.connect((block, i), (sink, i))


def nothing(band):
    """The band alone."""
    sink = blocks.null_sink(gr.sizeof_gr_complex)
    band.feed(sink)


def channelizers(band, num_channels):
    """Polyphase channelizers alone, all channels."""
    spacing = RATE / num_channels
    taps = lowpass_taps(RATE, 0.4 * spacing, 0.6 * spacing, 80.0)
    sink = blocks.null_sink(gr.sizeof_gr_complex)
    for k, stream in enumerate(band.streams):
        split = blocks.stream_to_streams(gr.sizeof_gr_complex, num_channels)
        channelizer = filter.pfb_channelizer_ccf(num_channels, taps.tolist(), 1.0)
        band.flowgraph.connect(stream, split)
        for i in range(num_channels):
            band.flowgraph.connect((split, i), (channelizer, i))
            band.flowgraph.connect((channelizer, i), (sink, k * num_channels + i))


def covariances(band, num_channels, chosen=None):
    """Channelized covariances."""
    block = bearing.channelized_covariance(
        band.num_elements, SNAPSHOTS, num_channels, RATE, chosen
    )
    band.feed(block)
    band.end(block, len(block.channels()), band.num_elements**2)


def filters(band, num_filters):
    """Decimating filters alone, one an element and channel."""
    decimation = int(RATE / CHANNEL_RATE)
    taps = lowpass_taps(RATE, 0.4 * CHANNEL_RATE, 0.6 * CHANNEL_RATE, 80.0).tolist()
    sink = blocks.null_sink(gr.sizeof_gr_complex)
    for i in range(num_filters):
        for k, stream in enumerate(band.streams):
            one = filter.freq_xlating_fir_filter_ccf(decimation, taps, i * CHANNEL_RATE, RATE)
            band.flowgraph.connect(stream, one, (sink, i * band.num_elements + k))


def filtered_covariances(band, num_filters):
    """Channel filters, each with a covariance."""
    decimation = int(RATE / CHANNEL_RATE)
    for i in range(num_filters):
        channel = bearing.channel_filter(
            band.num_elements, decimation, i * CHANNEL_RATE, 0.8 * CHANNEL_RATE, RATE
        )
        covariance = bearing.covariance(band.num_elements, SNAPSHOTS, CHANNEL_RATE)
        band.feed(channel)
        for k in range(band.num_elements):
            band.flowgraph.connect((channel, k), (covariance, k))
        band.end(covariance, 1, band.num_elements**2)


def processor_seconds(contender, num_elements, seconds):
    """A contender's processor time, for a second of signal."""
    made = band(num_elements, seconds)
    contender(made)
    before = time.process_time()
    made.flowgraph.run()
    return (time.process_time() - before) / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--elements", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of signal in a round")
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()

    contenders = {
        "16 channels: channelizers alone": lambda b: channelizers(b, 16),
        "16 channels: channelized covariances": lambda b: covariances(b, 16),
        "16 channels, 3 chosen": lambda b: covariances(b, 16, [-4, 1, 4]),
        "64 channels: channelizers alone": lambda b: channelizers(b, 64),
        "64 channels: channelized covariances": lambda b: covariances(b, 64),
    }
    for count in (1, 2, 4):
        contenders[f"{count} channels: filters alone"] = lambda b, c=count: filters(b, c)
        contenders[f"{count} channels: channel filters and covariances"] = (
            lambda b, c=count: filtered_covariances(b, c)
        )
    first = next(iter(contenders))
    seconds = {name: [] for name in contenders}
    ratios = {name: [] for name in contenders}
    for _ in range(args.rounds):
        # What the band itself takes is nobody's.
        own = processor_seconds(nothing, args.elements, args.seconds)
        for name, contender in contenders.items():
            taken = processor_seconds(contender, args.elements, args.seconds) - own
            seconds[name].append(taken)
            ratios[name].append(taken / seconds[first][-1])
    print(f"{args.elements} elements at {RATE / 1e6:g} MS/s, medians of {args.rounds} rounds")
    print(f"{'':56}{'of the first':>14}{'processors':>12}")
    for name in contenders:
        ratio, taken = statistics.median(ratios[name]), statistics.median(seconds[name])
        print(f"{name:56}{ratio:14.2f}{taken:12.2f}")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this module's blocks add to the processor time of a receiver's flowgraph.

5 elements, 2.4 MS/s, 10 bearings a second. Compared are

receiver    [source -> covariance(240000) -> music] with [source -> GNU Radio's null sink]
channels    [source -> 4 decimating filters an element -> 4 times covariance -> music] with
            [the same filters -> null sinks]; no receiver of the first kind beside them. The filters
            are GNU Radio's freq_xlating_fir_filter; channels_cpu.py has this module's

The source is GNU Radio's vector_source_c, one an element, repeating 0.1 s of simulated samples, of
which element 0's passes a throttle block: it holds the others back as well. A cheaper source that
gives anything but zeros, GNU Radio does not have; a radio's driver takes more.

Both of a pair run in turn, round for round, and processor time is that of the whole process. A
ratio is that of the medians of processor time per sample; it is of no use if the machine could not
keep up, so the share of the sample rate that was reached is told as well, that of the slower one.

usage: PYTHONPATH=build/test_modules tests/benchmarks/cpu_share.py [--rounds N] [--seconds S]
Prints JSON.
"""

import argparse
import json
import resource
import statistics
import time

from gnuradio import bearing, blocks, filter, gr
from gnuradio.filter import firdes

ELEMENTS, SOURCES = 5, 2
RATE = 2.4e6
BEARINGS_A_SECOND = 10
POINTS = 512
# Four channels of 25 kHz, and where they are.
DECIMATION = 96
CHANNEL_OFFSETS = [-700e3, -200e3, 300e3, 800e3]
# Queues fill and threads settle before anything is measured.
SETTLING = 0.2

ARRAY = bearing.array.uca(n=ELEMENTS, radius=0.4)


def process_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


class Flowgraph(gr.top_block):
    """With a block `last`, which takes the stream that is counted."""

    def __init__(self, samples):
        super().__init__()
        self.streams = []
        for k in range(ELEMENTS):
            stream = blocks.vector_source_c(samples[k], True)
            if k == 0:
                throttle = blocks.throttle(gr.sizeof_gr_complex, RATE)
                self.connect(stream, throttle)
                stream = throttle
            self.streams.append(stream)
        self.bearings = []

    def add_bearings(self, streams, snapshots):
        covariance = bearing.covariance(ELEMENTS, snapshots)
        music = bearing.music(ARRAY, SOURCES, 0, POINTS)
        heard = blocks.message_debug()
        for k, stream in enumerate(streams):
            self.connect(stream, (covariance, k))
        self.connect(covariance, music, blocks.null_sink(POINTS * gr.sizeof_float))
        self.msg_connect(music, "bearings", heard, "store")
        self.bearings.append(heard)
        return covariance

    def add_sink(self, streams):
        sink = blocks.null_sink(gr.sizeof_gr_complex)
        for k, stream in enumerate(streams):
            self.connect(stream, (sink, k))
        return sink

    def channel(self, offset):
        taps = firdes.low_pass(1.0, RATE, 8e3, 8e3)
        streams = []
        for stream in self.streams:
            narrow = filter.freq_xlating_fir_filter_ccc(DECIMATION, taps, offset, RATE)
            self.connect(stream, narrow)
            streams.append(narrow)
        return streams


class Receiver(Flowgraph):
    def __init__(self, samples, is_ours):
        super().__init__(samples)
        if is_ours:
            self.last = self.add_bearings(self.streams, round(RATE / BEARINGS_A_SECOND))
        else:
            self.last = self.add_sink(self.streams)
        self.decimation = 1


class Channels(Flowgraph):
    def __init__(self, samples, is_ours):
        super().__init__(samples)
        for offset in CHANNEL_OFFSETS:
            streams = self.channel(offset)
            if is_ours:
                snapshots = round(RATE / DECIMATION / BEARINGS_A_SECOND)
                self.last = self.add_bearings(streams, snapshots)
            else:
                self.last = self.add_sink(streams)
        self.decimation = DECIMATION


def run(flowgraph, seconds):
    """(processor seconds, seconds, samples an element, bearings a second of each channel)"""
    flowgraph.start()
    time.sleep(SETTLING)
    begin = (process_seconds(), time.monotonic(), flowgraph.last.nitems_read(0))
    heard = [store.num_messages() for store in flowgraph.bearings]
    time.sleep(seconds)
    end = (process_seconds(), time.monotonic(), flowgraph.last.nitems_read(0))
    elapsed = end[1] - begin[1]
    heard = [(store.num_messages() - before) / elapsed
             for store, before in zip(flowgraph.bearings, heard)]
    flowgraph.stop()
    flowgraph.wait()
    return end[0] - begin[0], elapsed, (end[2] - begin[2]) * flowgraph.decimation, heard


def compare(kind, samples, rounds, seconds):
    cost, reached = {False: [], True: []}, {False: [], True: []}
    heard = []
    for _ in range(rounds):
        for is_ours in (False, True):
            spent, elapsed, count, bearings = run(kind(samples, is_ours), seconds)
            cost[is_ours].append(spent / count)
            reached[is_ours].append(count / elapsed / RATE)
            heard += bearings
    alone, ours = (statistics.median(cost[is_ours]) for is_ours in (False, True))
    return {
        "ratio": ours / alone,
        # Of what both take, and not of the machine: without a unit.
        "share_of_a_core": ours * RATE,
        "share_of_a_core_alone": alone * RATE,
        "rate_reached": min(map(statistics.median, reached.values())),
        "bearings_a_second": statistics.median(heard),
    }


def measure(rounds=15, seconds=1.0):
    samples = bearing.core.simulate(ARRAY, [30.0, 100.0], 10.0, round(RATE / 10), 1)
    return {
        "receiver": compare(Receiver, samples, rounds, seconds),
        "channels": compare(Channels, samples, rounds, seconds),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="of each flowgraph")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each round")
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.rounds, arguments.seconds), indent=1))

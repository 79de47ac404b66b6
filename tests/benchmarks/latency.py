#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long after its last sample the bearing of an item comes.

A source gives 5 streams of 2.4 MS/s in packets of 1 ms, as a radio's driver does, and notes when
each leaves; covariance and music follow; a block in Python notes when each bearing message comes.
The delay of an item is from the packet with its last sample to its message. It is told as a share
of the item's own duration, T samples, which each bearing takes in any case: the oldest of its
samples are that much older.

With "backlog", the source gives as much as the buffers between the blocks take, all that is in them
being older than what the source gives next: so it is behind a recording, or after a pause of the
machine. Then the delay is what the buffers hold:

backlog before covariance   one stream is late, and the others wait in covariance's own input, whose
                            size covariance asks for
backlog before another      all streams wait before a block in front of covariance; its input has
                            GNU Radio's default size, and smaller buffers shorten the delay

usage: PYTHONPATH=build/test_modules tests/benchmarks/latency.py [--seconds S]
Prints JSON.
"""

import argparse
import json
import statistics
import time

import numpy as np
import pmt
from gnuradio import bearing, blocks, gr

ELEMENTS, SOURCES = 5, 2
RATE = 2.4e6
SNAPSHOTS = [2400, 24000, 240000]
PACKET = 2400
POINTS = 512
# Two packets, rounded up to pages: less does not let the source work while others read.
SMALL_BUFFER = 5120
# More than covariance's input holds.
LARGE_BUFFER = 65536
# Queues fill and threads settle before anything is measured.
SETTLING = 0.3

ARRAY = bearing.array.uca(n=ELEMENTS, radius=0.4)


class PacketSource(gr.sync_block):
    """Notes when each packet leaves. Paced by the clock, or by the buffers and the rate behind."""

    def __init__(self, samples, backlog):
        super().__init__("packet_source", None, [np.complex64] * ELEMENTS)
        self.samples = samples
        self.backlog = backlog
        self.left = []  # when, a packet
        self.set_output_multiple(PACKET)

    def start(self):
        self.begin = time.monotonic()
        for k in range(ELEMENTS):
            self.add_item_tag(k, 0, pmt.intern("rx_time"),
                              pmt.make_tuple(pmt.from_uint64(0), pmt.from_double(0.0)))
            self.add_item_tag(k, 0, pmt.intern("rx_rate"), pmt.from_double(RATE))
        return True

    def work(self, input_items, output_items):
        packets = len(output_items[0]) // PACKET if self.backlog else 1
        if not self.backlog:
            due = self.begin + (len(self.left) + 1) * PACKET / RATE
            time.sleep(max(0.0, due - time.monotonic()))
        for k in range(ELEMENTS):
            output_items[k][:packets * PACKET] = np.tile(self.samples[k], packets)
        self.left += packets * [time.monotonic()]
        return packets * PACKET


class Pace(gr.sync_block):
    """Lets streams pass at the sample rate, in packets: the slow receiver of a backlog."""

    def __init__(self, streams):
        super().__init__("pace", [np.complex64] * streams, [np.complex64] * streams)
        self.set_output_multiple(PACKET)

    def start(self):
        self.begin, self.passed = time.monotonic(), 0
        return True

    def work(self, input_items, output_items):
        self.passed += 1
        time.sleep(max(0.0, self.begin + self.passed * PACKET / RATE - time.monotonic()))
        for samples, passed in zip(input_items, output_items):
            passed[:PACKET] = samples[:PACKET]
        return PACKET


class Listener(gr.basic_block):
    def __init__(self):
        super().__init__("listener", None, None)
        self.heard = []  # (time of the first sample, when the message came)
        self.message_port_register_in(pmt.intern("bearings"))
        self.set_msg_handler(pmt.intern("bearings"), self.hear)

    def hear(self, message):
        now = time.monotonic()
        first = pmt.dict_ref(pmt.car(message), pmt.intern("rx_time"), pmt.PMT_NIL)
        if not pmt.is_null(first):
            seconds = pmt.to_uint64(pmt.tuple_ref(first, 0))
            self.heard.append((seconds + pmt.to_double(pmt.tuple_ref(first, 1)), now))


def delays(snapshots, seconds, paced=0, buffer=None):
    """Seconds, one an item. With `paced` streams held back, there is a backlog."""
    flowgraph = gr.top_block()
    samples = bearing.core.simulate(ARRAY, [30.0, 100.0], 10.0, PACKET, 1)
    source = PacketSource(samples, paced > 0)
    covariance = bearing.covariance(ELEMENTS, snapshots)
    music = bearing.music(ARRAY, SOURCES, 0, POINTS)
    listener = Listener()
    pace = Pace(paced) if paced else None
    for k in range(ELEMENTS):
        if k < paced:
            flowgraph.connect((source, k), (pace, k), (covariance, k))
        else:
            flowgraph.connect((source, k), (covariance, k))
    if 0 < paced < ELEMENTS:
        # What is held back must not fill up before the inputs of covariance do.
        for k in range(paced):
            source.set_min_output_buffer(k, LARGE_BUFFER)
    if buffer:
        source.set_max_output_buffer(buffer)
    flowgraph.connect(covariance, music, blocks.null_sink(POINTS * gr.sizeof_float))
    flowgraph.msg_connect(music, "bearings", listener, "bearings")
    flowgraph.start()
    time.sleep(SETTLING + seconds + 2.0 * snapshots / RATE)
    flowgraph.stop()
    flowgraph.wait()
    settled = source.begin + SETTLING
    result = []
    for first, came in listener.heard:
        last_packet = (round(first * RATE) + snapshots - 1) // PACKET
        left = source.left[last_packet]
        if left > settled:
            result.append(came - left)
    return result


def summary(seconds_late, snapshots):
    duration = snapshots / RATE
    ordered = sorted(seconds_late)
    return {
        "items": len(ordered),
        "median": statistics.median(ordered) / duration,
        "95 %": ordered[int(0.95 * (len(ordered) - 1))] / duration,
        "duration_ms": 1e3 * duration,
    }


def measure(seconds=4.0):
    result = {}
    for snapshots in SNAPSHOTS:
        result[str(snapshots)] = summary(delays(snapshots, seconds), snapshots)
    for name, paced, buffer in (("backlog before covariance", 1, None),
                                ("backlog before another", ELEMENTS, None),
                                ("backlog before another, small buffers", ELEMENTS, SMALL_BUFFER)):
        result[name] = summary(delays(SNAPSHOTS[1], seconds, paced, buffer), SNAPSHOTS[1])
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    print(json.dumps(measure(parser.parse_args().seconds), indent=1))

#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The memory of a running flowgraph: array_simulator -> covariance -> music, 5 elements.

It runs for a minute, or with BEARING_TEST_FULL=1 for an hour, in a process of its own. Beside it
runs a second one that keeps what it hears: the same measure must find it growing.
"""

import statistics
import subprocess
import sys
import time
import unittest
from pathlib import Path

from support import FULL

SECONDS = 3600 if FULL else 60
# Libraries are loaded, buffers and the heap's arenas are filled for the first time.
SETTLING = 20

RATE = 200e3
SNAPSHOTS = 400
ITEMS_A_SECOND = RATE / SNAPSHOTS

MEGABYTE = 1 << 20
LARGEST = 150 * MEGABYTE
# From the first to the last quarter of the time after settling, half a minute at least. glibc lets
# its heap grow by steps of 128 kB (M_TOP_PAD), and beside a busy core one such step may come late,
# with some pages of the threads' own: twice that. The smallest thing that can be allocated, 32
# bytes, once an item, would be 480 kB.
LARGEST_GROWTH = 256 << 10

FLOWGRAPH = """
import sys
from gnuradio import bearing, blocks, gr

rate, snapshots, keeps = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "keeps"
array = bearing.array.uca(n=5, radius=0.4)
flowgraph = gr.top_block()
source = bearing.array_simulator(array, [30.0, 100.0], [10.0], rate, throttle=True)
covariance = bearing.covariance(5, snapshots)
music = bearing.music(array, 2)
for k in range(5):
    flowgraph.connect((source, k), (covariance, k))
flowgraph.connect(covariance, music, blocks.null_sink(512 * gr.sizeof_float))
if keeps:
    store = blocks.message_debug()
    flowgraph.msg_connect(music, "bearings", store, "store")
flowgraph.start()
print("running", flush=True)
sys.stdin.readline()
flowgraph.stop()
flowgraph.wait()
print(music.nitems_read(0), flush=True)
"""


def memory(process, kind):
    """Bytes: VmRSS, all that is resident, or RssAnon, what is not a file's."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        name, value = line.split(":", 1)
        if name == kind:
            return 1024 * int(value.split()[0])
    raise ValueError(f"no {kind}")


def growth(sizes):
    """From the first quarter of the time after settling to the last one."""
    settled = [size for second, size in sizes if second >= SETTLING]
    quarter = len(settled) // 4
    return statistics.median(settled[-quarter:]) - statistics.median(settled[:quarter])


@unittest.skipUnless(Path("/proc/self/status").exists(), "no /proc, which tells sizes")
class qa_memory(unittest.TestCase):
    def start(self, what):
        process = subprocess.Popen(
            [sys.executable, "-B", "-c", FLOWGRAPH, str(RATE), str(SNAPSHOTS), what],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "running\n")
        return process

    def finish(self, process):
        """How many items went through."""
        output, _ = process.communicate("\n", timeout=60)
        self.assertEqual(process.returncode, 0)
        return int(output)

    def test_a_flowgraph_is_small_and_stays_as_it_is(self):
        runs = {what: self.start(what) for what in ("listens", "keeps")}
        largest = 0
        sizes = {what: [] for what in runs}
        begin = time.monotonic()
        while (second := time.monotonic() - begin) < SECONDS:
            largest = max(largest, memory(runs["listens"], "VmRSS"))
            for what, process in runs.items():
                sizes[what].append((second, memory(process, "RssAnon")))
            time.sleep(0.5)
        items = self.finish(runs["listens"])
        self.finish(runs["keeps"])
        print(f"{largest / MEGABYTE:.0f} MB, {growth(sizes['listens']) / 1024:.0f} kB more at the "
              f"end; {growth(sizes['keeps']) / 1024:.0f} kB where messages are kept; "
              f"{items} items", file=sys.stderr)

        # A loaded machine may be late, but it was not idle.
        self.assertGreater(items, 0.5 * SECONDS * ITEMS_A_SECOND)
        self.assertLess(largest, LARGEST)
        self.assertLess(growth(sizes["listens"]), LARGEST_GROWTH)
        self.assertGreater(growth(sizes["keeps"]), LARGEST_GROWTH)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-replay: no message is lost, all are those of the live flowgraph, and what is printed
can be read back."""

import contextlib
import datetime
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest
from pathlib import Path

import matplotlib.image
import numpy as np
import pmt
from gnuradio import blocks, gr

from gnuradio import bearing
from gnuradio.bearing import estimator_choice
from gnuradio.bearing.hier import sample_time, sigmf
from gnuradio.bearing.tools import replay_flowgraph, replay_output, replay_picture

from support import BUILD_DIR, FULL, stored_messages

PROGRAM = BUILD_DIR / "apps" / "bearing-replay"
FREQUENCY = 433.92e6
WAVELENGTH = 299792458.0 / FREQUENCY
CIRCLE = bearing.array.uca(5, 0.25, WAVELENGTH)
START = (1700000000, 0.125)
RATE = 48000.0

# Seconds after which a program that hangs is given up.
PATIENCE = 120


def to_ci8(samples):
    """N x T complex as T x N x 2 int8, of 0.2 full scales rms."""
    components = np.ascontiguousarray(samples.T).view(np.float32)
    scaled = components * (128 * 0.2 / np.sqrt(np.mean(np.square(components))))
    return np.clip(np.rint(scaled), -128, 127).astype(np.int8)


def write_recording(stem, blocks_of_ci8, rate=RATE, array=CIRCLE, channels=5, **options):
    """NAME.sigmf-meta of a recording with these blocks of samples in a row."""
    options.setdefault("captures", (sigmf.capture(0, FREQUENCY, START),))
    with open(f"{stem}.sigmf-data", "wb") as file:
        for block in blocks_of_ci8:
            file.write(block)
    return sigmf.write_metadata(stem, "ci8", rate, channels, array=array, **options)


def two_sources(num_samples, array=CIRCLE, seed=1):
    return to_ci8(bearing.core.simulate(array, [72.0, 30.0], [20.0, 17.0], num_samples, seed))


def call(*arguments, **options):
    """(exit code, stdout, stderr) of the program."""
    result = subprocess.run(
        [str(PROGRAM), *map(str, arguments)],
        capture_output=True, text=True, timeout=PATIENCE, **options,
    )
    return result.returncode, result.stdout, result.stderr


class tagger(gr.sync_block):
    """Puts the tags of a receiver on the first sample."""

    def __init__(self, tags):
        gr.sync_block.__init__(self, "tagger", [np.complex64], [np.complex64])
        self._tags = tags

    def work(self, input_items, output_items):
        output_items[0][:] = input_items[0]
        for key, value in self._tags:
            self.add_item_tag(0, 0, pmt.intern(key), value)
        self._tags = []
        return len(output_items[0])


def live_reports(data_path, rate, snapshots, num_sources, heading_deg):
    """What GNU Radio's own blocks and the estimator make of the file."""
    flowgraph = gr.top_block()
    n = CIRCLE.n
    file = blocks.file_source(2 * n, str(data_path))
    split = blocks.vector_to_streams(2, n)
    tags = tagger([
        ("rx_rate", pmt.from_double(rate)),
        ("rx_freq", pmt.from_double(FREQUENCY)),
        ("rx_time", pmt.make_tuple(pmt.from_uint64(START[0]), pmt.from_double(START[1]))),
    ])
    covariance = bearing.covariance(n, snapshots)
    music = bearing.music(CIRCLE, num_sources, heading_deg=heading_deg)
    log = blocks.message_debug()
    flowgraph.connect(file, split)
    for k in range(n):
        chain = [(split, k), blocks.interleaved_char_to_complex(True, 128.0), (covariance, k)]
        if k == 0:
            chain.insert(2, tags)
        flowgraph.connect(*chain)
    flowgraph.connect(covariance, music)
    flowgraph.msg_connect(music, "bearings", log, "store")
    flowgraph.run()
    return [bearing.bearing_report.from_message(message) for message in stored_messages(log)]


class qa_bearing_replay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory(prefix="bearing-replay-")
        # Two seconds, and a bit that fills no item.
        cls.meta = write_recording(
            Path(cls.shared.name) / "two", [two_sources(96000 + 1000)], heading_deg=30.0
        )

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bearing-replay-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def json_of(self, *arguments):
        """The objects that the program prints."""
        code, printed, said = call(*arguments, "--format", "json", "--quiet")
        self.assertEqual((code, said), (0, ""))
        return [json.loads(line) for line in printed.splitlines()]

    def refused(self, *arguments, naming=()):
        """Exit code 2, nothing on stdout, one line on stderr that holds these words."""
        code, printed, said = call(*arguments)
        self.assertEqual((code, printed), (2, ""), said)
        last = said.splitlines()[-1]
        self.assertTrue(last.startswith("bearing-replay: "), said)
        if not said.startswith("usage:"):
            self.assertEqual(said.count("\n"), 1, said)
        for word in naming:
            self.assertIn(str(word), last)

    def assert_same_numbers(self, numbers, expected):
        """JSON numbers against float32, bit by bit; null is NaN."""
        found = np.array([np.nan if v is None else v for v in numbers], dtype=np.float32)
        np.testing.assert_array_equal(found, expected)

    def assert_equal_reports(self, objects, reports):
        self.assertEqual(len(objects), len(reports))
        for k, (found, report) in enumerate(zip(objects, reports)):
            self.assertEqual(found["item"], k)
            time_ = found["rx_time"]
            self.assertEqual((time_["seconds"], time_["fraction"]), report.rx_time)
            for name in ("rx_freq", "method", "status", "num_sources", "snapshots"):
                self.assertEqual(found[name], getattr(report, name))
            for name in ("angles_deg", "std_deg", "true_bearing_deg", "power_db", "snr_db"):
                self.assert_same_numbers(found[name], getattr(report, name))

    # The same bearings, and all of them

    def test_bearings_are_those_of_the_live_flowgraph_faster_than_real_time(self):
        # A minute in the full run, 1.44 GB.
        rate, duration = 2.4e6, 60 if FULL else 5
        second = two_sources(2400000)
        meta = write_recording(self.folder / "long", [second] * duration, rate, heading_deg=30.0)
        begin = time.monotonic()
        objects = self.json_of(meta)
        seconds = time.monotonic() - begin
        print(f"{duration} s of 5 channels at 2.4 MS/s in {seconds:.1f} s: "
              f"{duration / seconds:.1f} times real time ... ", end="", flush=True)
        self.assertEqual(len(objects), 10 * duration)
        data = meta.with_suffix(".sigmf-data")
        self.assert_equal_reports(objects, live_reports(data, rate, 240000, 0, 30.0))
        for found in objects:
            self.assertEqual((found["status"], len(found["angles_deg"])), ("ok", 2))
            # Predicted deviations are 0.004 degrees.
            self.assertAlmostEqual(found["angles_deg"][0], 72.0, delta=0.03)
            self.assertAlmostEqual(found["true_bearing_deg"][1], 60.0, delta=0.03)
        if FULL:
            self.assertLess(seconds, duration)

    def test_there_is_a_line_for_every_item(self):
        for snapshots in (97000, 9700, 480, 11):
            objects = self.json_of(self.meta, "--snapshots", snapshots, "--sources", 1)
            self.assertEqual(len(objects), 97000 // snapshots)
            for k, found in enumerate(objects):
                self.assertEqual((found["item"], found["snapshots"]), (k, snapshots))
                time_ = found["rx_time"]["seconds"] - START[0] + found["rx_time"]["fraction"]
                # Of a sample, 2e-5 s, a thousandth.
                self.assertAlmostEqual(time_, START[1] + k * snapshots / RATE, delta=2e-8)
                self.assertAlmostEqual(found["elapsed_s"], k * snapshots / RATE, delta=2e-8)

    def flowgraph(self, num_items):
        """One snapshot an item, each of a power of its own."""
        x = np.sqrt(1.0 + np.arange(num_items))
        hier = gr.hier_block2("source", gr.io_signature(0, 0, 0), gr.io_signature(2, 2, 8))
        for k in range(2):
            hier.connect(blocks.vector_source_c(x), (hier, k))
        estimator = bearing.beamscan(bearing.array.ula(2, 0.5), 1, "bartlett")
        return replay_flowgraph.replay_flowgraph(hier, 2, 1, estimator)

    def test_a_slow_reader_gets_every_message_in_order(self):
        flowgraph = self.flowgraph(20000)
        received = []
        for messages in flowgraph.messages():
            if len(received) < 2000:
                time.sleep(0.02)
            _, passed = flowgraph.items
            # The estimator is never further ahead than that.
            self.assertLessEqual(passed - len(received), replay_flowgraph.MOST_WAITING)
            received += [bearing.bearing_report.from_message(m).power_db[0] for m in messages]
        self.assertEqual(flowgraph.items, (20000, 20000))
        self.assertEqual(flowgraph.samples_read, 20000)
        # Powers 1, 2, 3, ... of both elements together; single precision has 24 bits.
        np.testing.assert_allclose(10 ** (np.array(received, float) / 10),
                                   1.0 + np.arange(20000), rtol=3e-6)

    def test_a_reader_that_goes_away_does_not_hang(self):
        for taken in (0, 1, 300):
            flowgraph = self.flowgraph(20000)

            def read():
                with contextlib.closing(flowgraph.messages()) as batches:
                    count = 0
                    for messages in batches:
                        count += len(messages)
                        if count >= taken:
                            break

            reader = threading.Thread(target=read, daemon=True)
            reader.start()
            reader.join(PATIENCE)
            self.assertFalse(reader.is_alive())

    def test_a_flowgraph_that_is_stopped_hands_out_what_it_has(self):
        flowgraph = self.flowgraph(20000)
        count = 0
        for messages in flowgraph.messages():
            count += len(messages)
            flowgraph.stop()
        self.assertLess(count, 20000)
        self.assertGreater(count, 0)

    def test_messages_that_no_thread_has_read_are_found(self):
        queue = replay_flowgraph.message_queue()
        port = pmt.intern("bearings")
        for k in range(3):
            queue.to_basic_block()._post(port, pmt.from_long(k))
        self.assertEqual([pmt.to_long(m) for m in queue.take_unread()], [0, 1, 2])
        self.assertEqual(queue.take_unread(), [])

    def patched(self, patch, *arguments):
        """(exit code, stdout, stderr) of the program after some Python."""
        program = (
            "import sys\nfrom gnuradio.bearing.tools import replay, replay_flowgraph\n"
            f"{patch}\nsys.exit(replay.main(sys.argv[1:]))\n"
        )
        result = subprocess.run([sys.executable, "-B", "-c", program, *map(str, arguments)],
                                capture_output=True, text=True, timeout=PATIENCE)
        return result.returncode, result.stdout, result.stderr

    def test_a_lost_message_is_an_error(self):
        # Passed over; or it ends the thread that reads messages, which leaves the rest unread.
        for loss in ("None", "1 / 0"):
            patch = (
                "read = replay_flowgraph.message_queue.receive\n"
                "lost = []\n"
                "def receive(self, message):\n"
                "    if lost:\n"
                "        return read(self, message)\n"
                "    lost.append(message)\n"
                f"    {loss}\n"
                "replay_flowgraph.message_queue.receive = receive\n"
            )
            code, printed, said = self.patched(patch, self.meta, "--quiet", "--format=json")
            self.assertEqual(code, 1)
            self.assertIn("20 covariances were made", said)
            self.assertIn("19 bearing messages", said)
            self.assertEqual(len(printed.splitlines()), 19)

    def test_a_recording_that_shrinks_while_it_is_read_is_an_error(self):
        meta = write_recording(self.folder / "x", [two_sources(200000)])
        patch = (
            "import os\n"
            "messages = replay.replay_flowgraph.messages\n"
            "def shrink(self):\n"
            f"    os.truncate({str(meta.with_suffix('.sigmf-data'))!r}, 1000000)\n"
            "    return messages(self)\n"
            "replay.replay_flowgraph.messages = shrink\n"
            "replay_flowgraph.LONGEST_STALL = 2.0\n"
        )
        code, _, said = self.patched(patch, meta, "--quiet")
        self.assertEqual(code, 2)
        self.assertIn("x.sigmf-data", said)
        self.assertIn("could not be read any further", said)

    def test_a_recording_that_grows_is_read_as_far_as_it_went(self):
        meta = write_recording(self.folder / "x", [two_sources(24000)], unfinished=True)
        more = 10 * 4800
        patch = (
            "make = replay.choose_estimator\n"
            "def grow(*arguments):\n"
            f"    with open({str(meta.with_suffix('.sigmf-data'))!r}, 'ab') as file:\n"
            f"        file.write(bytes({more}))\n"
            "    return make(*arguments)\n"
            "replay.choose_estimator = grow\n"
        )
        code, printed, said = self.patched(patch, meta, "--quiet", "--format=json")
        self.assertEqual((code, said), (0, ""))
        self.assertEqual(len(printed.splitlines()), 5)

    # What is printed

    def parse_table(self, printed):
        """[{column: text}], one a direction."""
        lines = [line.split() for line in printed.splitlines()]
        for line in lines:
            self.assertEqual(len(line), len(lines[0]), line)
        return [dict(zip(lines[0], line)) for line in lines[1:]]

    def assert_table_number(self, text, value, decimals):
        if value is None:
            self.assertEqual(text, "-")
        else:
            # Half of the last digit, and what single precision leaves of it.
            self.assertAlmostEqual(float(text), value, delta=0.501 * 10**-decimals)

    def test_table_and_json_say_the_same(self):
        noise = write_recording(
            self.folder / "noise", [to_ci8(bearing.core.simulate(CIRCLE, [], [], 24000, 1))]
        )
        for meta, *options in (
            (self.meta,),
            (self.meta, "--method=capon"),
            (self.meta, "--method=bartlett", "--sources=3"),
            (self.meta, "--sources=1"),
            (noise,),
        ):
            objects = self.json_of(meta, *options)
            code, printed, said = call(meta, *options, "--quiet")
            self.assertEqual((code, said), (0, ""))
            rows = self.parse_table(printed)
            expected = [(o, k) for o in objects for k in range(max(1, len(o["angles_deg"])))]
            self.assertEqual(len(rows), len(expected))
            self.assertGreaterEqual(len(rows), 5)
            for row, (found, k) in zip(rows, expected):
                self.assertEqual(row["item"], str(found["item"]))
                self.assertEqual(row["status"], found["status"])
                self.assertEqual(row["sources"], str(found["num_sources"]))
                self.assertEqual(float(row["frequency_mhz"]), found["rx_freq"] / 1e6)
                seconds = datetime.datetime.fromisoformat(row["time"]).timestamp() - START[0]
                exact = found["rx_time"]["seconds"] - START[0] + found["rx_time"]["fraction"]
                # Half a microsecond, and the precision of a double for seconds since 1970.
                self.assertAlmostEqual(seconds, exact, delta=0.8e-6)
                for column, name, decimals in (
                    ("angle_deg", "angles_deg", 4),
                    ("std_deg", "std_deg", 4),
                    ("bearing_deg", "true_bearing_deg", 4),
                    ("power_db", "power_db", 2),
                    ("snr_db", "snr_db", 2),
                ):
                    values = found[name]
                    self.assert_table_number(
                        row[column], values[k] if values else None, decimals
                    )
            if meta == noise:
                self.assertEqual({row["status"] for row in rows}, {"no_source"})
                self.assertEqual({row["angle_deg"] for row in rows}, {"-"})

    def report(self, **changes):
        values = {
            "angles_deg": np.array([0.1, np.nan], np.float32),
            "std_deg": np.array([np.nan, np.inf], np.float32),
            "true_bearing_deg": np.array([359.99997, np.nan], np.float32),
            "power_db": np.array([-np.inf, -123.456789], np.float32),
            "snr_db": np.array([1e-30, np.nan], np.float32),
            "status": "unresolved",
            "method": "music",
            **changes,
        }
        return bearing.bearing_report(**values)

    def test_json_of_what_is_not_finite_or_unknown_is_null(self):
        report = self.report()
        line = replay_output.json_lines(3, 0.3, report)
        self.assertEqual(line.count("\n"), 1)
        found = json.loads(line, parse_constant=self.fail)
        for name in ("rx_time", "rx_freq", "num_sources", "snapshots"):
            self.assertIsNone(found[name])
        self.assertEqual(found["std_deg"], [None, None])
        self.assertEqual(found["power_db"][0], None)
        for name in ("angles_deg", "true_bearing_deg", "snr_db"):
            self.assert_same_numbers(found[name], getattr(report, name))
        self.assertIn('"angles_deg": [0.1, null]', line)
        lines = replay_output.table_lines(3, 0.3, report)
        rows = self.parse_table(replay_output.TABLE_HEADER + lines)
        self.assertEqual([row["angle_deg"] for row in rows], ["0.1000", "-"])
        self.assertEqual(rows[0]["time"], "+0.300000")
        self.assertEqual([row["power_db"] for row in rows], ["-", "-123.46"])

    def test_iso_times(self):
        for rx_time, digits, expected in (
            ((0, 0.0), None, "1970-01-01T00:00:00Z"),
            ((1700000000, 0.125), None, "2023-11-14T22:13:20.125Z"),
            ((1700000000, 0.1 + 0.2), None, "2023-11-14T22:13:20.30000000000000004Z"),
            ((1700000000, 1e-9), None, "2023-11-14T22:13:20.000000001Z"),
            ((1700000000, 0.9999999), 6, "2023-11-14T22:13:21.000000Z"),
            ((1700000000, 0.0), 6, "2023-11-14T22:13:20.000000Z"),
            ((253402300799, 0.9), None, "9999-12-31T23:59:59.9Z"),
            ((253402300800, 0.0), None, None),
            ((2**64 - 1, 0.5), None, None),
        ):
            self.assertEqual(sample_time.iso_time(*rx_time, digits=digits), expected)
        line = replay_output.json_lines(0, 0.0, self.report(rx_time=(2**64 - 1, 0.5)))
        self.assertEqual(
            json.loads(line)["rx_time"],
            {"seconds": 2**64 - 1, "fraction": 0.5, "iso": None},
        )

    def test_nothing_else_comes_to_stdout(self):
        # GNU Radio's log goes to stdout.
        patch = (
            "from gnuradio import gr\n"
            "make, play = replay.choose_estimator, replay.play\n"
            "def say_and(function):\n"
            "    def both(*arguments):\n"
            "        print('print says', flush=True)\n"
            "        gr.log.warn('the log says')\n"
            "        return function(*arguments)\n"
            "    return both\n"
            "replay.choose_estimator = say_and(make)\n"
            "replay.replay_flowgraph.messages = say_and(replay.replay_flowgraph.messages)\n"
        )
        code, printed, said = self.patched(patch, self.meta, "--format=json")
        self.assertEqual(code, 0)
        self.assertEqual((said.count("print says"), said.count("the log says")), (2, 2), said)
        self.assertEqual([json.loads(line)["item"] for line in printed.splitlines()],
                         list(range(20)))

    def test_output_goes_to_a_file(self):
        path = self.folder / "out.json"
        _, expected, _ = call(self.meta, "--format=json", "--quiet")
        code, printed, said = call(self.meta, "--format=json", "--output", path)
        self.assertEqual((code, printed), (0, ""))
        self.assertIn("20 items (20 ok)", said)
        self.assertEqual(path.read_text(), expected)

    def test_the_progress_bar_comes_to_terminals_and_when_asked_for(self):
        code, _, said = call(self.meta)
        self.assertEqual(code, 0)
        self.assertNotIn("%|", said)
        code, printed, said = call(self.meta, "--progress")
        self.assertIn("100%|", said)
        self.assertNotIn("%|", printed)
        for options in ([], ["--quiet"]):
            ours, theirs = pty.openpty()
            fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 80, 0, 0))
            process = subprocess.Popen([PROGRAM, self.meta, *options], stderr=theirs,
                                       stdout=subprocess.DEVNULL)
            os.close(theirs)
            said = b""
            # The end of a terminal is an error on Linux.
            with contextlib.suppress(OSError):
                while part := os.read(ours, 4096):
                    said += part
            os.close(ours)
            self.assertEqual(process.wait(PATIENCE), 0)
            self.assertEqual(b"100%|" in said, not options, said)

    # How it ends

    def endless(self):
        """A recording of hours, of zeros, in a sparse file."""
        meta = write_recording(self.folder / "endless", [])
        os.truncate(meta.with_suffix(".sigmf-data"), 10 * 10**10)
        return meta

    def test_signals_end_it_with_whole_lines(self):
        meta = self.endless()
        for number in (signal.SIGINT, signal.SIGTERM):
            for form in ("json", "table"):
                process = subprocess.Popen([PROGRAM, meta, "--format", form, "--quiet"],
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                           text=True)
                try:
                    first = process.stdout.readline()
                    process.send_signal(number)
                    rest, said = process.stdout.read(), process.stderr.read()
                    process.wait(PATIENCE)
                finally:
                    process.kill()
                    process.stdout.close()
                    process.stderr.close()
                self.assertEqual((process.returncode, said), (128 + number, ""))
                self.assertTrue(rest.endswith("\n") or not rest)
                if form == "json":
                    items = [json.loads(line)["item"] for line in (first + rest).splitlines()]
                    self.assertEqual(items, list(range(len(items))))
                    self.assertGreater(len(items), 0)
                else:
                    self.parse_table(first + rest)

    def test_a_pipe_that_is_closed_ends_it_quietly(self):
        process = subprocess.Popen([PROGRAM, self.endless(), "--format=json"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            self.assertEqual(json.loads(process.stdout.readline())["item"], 0)
            process.stdout.close()
            said = process.stderr.read()
            code = process.wait(PATIENCE)
        finally:
            process.kill()
            process.stderr.close()
            process.wait()
        self.assertEqual((code, said), (141, b""))

    def test_a_full_disk_is_said(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run([PROGRAM, self.meta], stdout=full, stderr=subprocess.PIPE,
                                    text=True, timeout=PATIENCE)
        self.assertEqual(result.returncode, 2)
        self.assertEqual(result.stderr,
                         "bearing-replay: standard output: No space left on device\n")
        self.refused(self.meta, "--output=/dev/full", naming=["/dev/full", "No space left"])

    # What it is told

    def test_methods(self):
        line = bearing.array.ula(5, 0.3, WAVELENGTH)
        meta = write_recording(self.folder / "line", [two_sources(24000, line)], array=line)
        for method in estimator_choice.METHODS:
            objects = self.json_of(meta, f"--method={method}")
            self.assertEqual(len(objects), 5)
            for found in objects:
                self.assertEqual((found["method"], found["status"]), (method, "ok"))
                # Capon and Bartlett are biased by the other source.
                self.assertAlmostEqual(found["angles_deg"][0], 72.0, delta=3.0)
        for method in ("root_music", "wsf", "dml"):
            for found in self.json_of(self.meta, f"--method={method}"):  # a circle
                self.assertEqual((found["status"], len(found["angles_deg"])), ("ok", 2))
                self.assertAlmostEqual(found["angles_deg"][0], 72.0, delta=3.0)
        objects = self.json_of(meta, "--limits", -10, 60, "--sources=1", "--method=capon")
        for found in objects:
            self.assertAlmostEqual(found["angles_deg"][0], 30.0, delta=3.0)

    def test_variants_of_root_music(self):
        line = bearing.array.ula(5, 0.3, WAVELENGTH)
        samples = bearing.core.simulate(line, [10.0, 35.0], [20.0, 17.0], 4800, 1, coherent=True)
        meta = write_recording(self.folder / "line", [to_ci8(samples)], array=line)
        options = ("--method=root_music", "--sources=2")
        by_default = self.json_of(meta, *options)
        found = {
            variant: self.json_of(meta, *options, f"--variant={variant}")
            for variant in estimator_choice.VARIANTS
        }
        self.assertEqual(by_default, found["auto"])
        self.assertEqual(found["auto"], found["unitary"])
        # Of coherent sources the forward-backward average alone finds both.
        (both,) = found["unitary"]
        self.assertEqual(both["status"], "ok")
        np.testing.assert_allclose(sorted(both["angles_deg"]), [10.0, 35.0], atol=1.0)
        for variant in ("complex", "real"):
            (neither,) = found[variant]
            self.assertNotEqual(neither["status"], "ok")
            self.assertNotEqual(neither["angles_deg"], both["angles_deg"])

    def test_parts_of_a_recording(self):
        whole = self.json_of(self.meta, "--snapshots=4800")
        # Items of the same samples: the start is a multiple of an item.
        part = self.json_of(self.meta, "--snapshots=4800", "--start=0.5", "--duration=0.75")
        self.assertEqual(len(part), 7)
        for found, expected in zip(part, whole[5:12]):
            self.assertEqual(found["angles_deg"], expected["angles_deg"])
            for key in ("seconds", "fraction"):
                # The last digit of a double fraction.
                self.assertAlmostEqual(found["rx_time"][key], expected["rx_time"][key],
                                       delta=1e-15)
        for duration in (100, 1e308):
            found = self.json_of(self.meta, f"--duration={duration}", "--snapshots=4800")
            self.assertEqual(len(found), 20)

    def test_gaps_and_tunings_are_those_of_the_recording(self):
        captures = (
            sigmf.capture(0, FREQUENCY, START),
            sigmf.capture(10000, FREQUENCY, (START[0] + 5, 0.5), 17),
            sigmf.capture(30000, 500e6),
        )
        meta = write_recording(self.folder / "x", [two_sources(50000)], captures=captures)
        objects = self.json_of(meta, "--snapshots=4800")
        self.assertEqual([o["rx_freq"] for o in objects], 6 * [FREQUENCY] + 4 * [500e6])
        self.assertEqual([o["rx_time"]["seconds"] - START[0] for o in objects[:6]],
                         [0, 0, 5, 5, 5, 5])
        self.assertAlmostEqual(objects[3]["elapsed_s"], 5.375 + 0.1, delta=1e-8)

    def test_a_recording_without_time_counts_items(self):
        meta = write_recording(self.folder / "x", [two_sources(24000)],
                               captures=(sigmf.capture(0, FREQUENCY),))
        objects = self.json_of(meta)
        self.assertEqual([o["rx_time"] for o in objects], [None] * 5)
        self.assertEqual([o["elapsed_s"] for o in objects], [0.0, 0.1, 0.2, 0.3, 0.4])
        _, printed, _ = call(meta)
        self.assertEqual(self.parse_table(printed)[-1]["time"], "+0.400000")

    def test_arrays_of_the_command_line(self):
        meta = write_recording(self.folder / "x", [two_sources(24000)], array=None)
        bare = write_recording(self.folder / "y", [two_sources(24000)], array=None,
                               captures=(sigmf.capture(0),))
        np.savetxt(self.folder / "p.csv", CIRCLE.positions, delimiter=",")
        np.save(self.folder / "p.npy", CIRCLE.positions / WAVELENGTH)
        for recording, *options in (
            (meta, "--array=uca:5:0.25"),
            (bare, "--array=uca:5:0.25", f"--frequency={FREQUENCY}"),
            (meta, f"--array={self.folder / 'p.csv'}"),
            (bare, "--wavelengths", f"--array={self.folder / 'p.npy'}"),
            (bare, "--wavelengths", f"--array=uca:5:{0.25 / WAVELENGTH}"),
            (self.meta, f"--array={self.folder / 'p.csv'}"),
        ):
            for found in self.json_of(recording, *options):
                self.assertAlmostEqual(found["angles_deg"][0], 72.0, delta=0.5)

    def test_a_frequency_of_zero_tells_none(self):
        meta = write_recording(self.folder / "x", [two_sources(24000)], array=None,
                               captures=(sigmf.capture(0, 0.0),))
        self.refused(meta, "--array=uca:5:0.25", naming=["--frequency"])
        code, printed, _ = call(meta, "--array=uca:5:0.25", f"--frequency={FREQUENCY}")
        self.assertEqual(code, 0)
        # Predicted deviations are 0.03 degrees.
        self.assertAlmostEqual(float(self.parse_table(printed)[0]["angle_deg"]), 72.0, delta=0.5)

    def test_calibration_and_heading(self):
        gains = np.exp(1j * np.array([0.0, 0.6, -0.9, 1.3, 0.4]))
        calibration = bearing.calibration(gains=gains)
        calibration.save(str(self.folder / "cal.json"))
        samples = [two_sources(24000, CIRCLE.with_calibration(calibration))]
        meta = write_recording(self.folder / "x", samples, heading_deg=350.0)
        raw = self.json_of(meta, "--sources=2")
        self.assertGreater(abs(raw[0]["angles_deg"][0] - 72.0), 3.0)
        for options, heading in (([], 350.0), (["--heading=-30.5"], -30.5)):
            for found in self.json_of(meta, f"--calibration={self.folder / 'cal.json'}", *options):
                self.assertEqual(found["status"], "ok")
                self.assertAlmostEqual(found["angles_deg"][0], 72.0, delta=0.5)
                # Single precision of 360 degrees.
                self.assertAlmostEqual(found["true_bearing_deg"][0],
                                       (heading + found["angles_deg"][0]) % 360, delta=5e-5)
        own = write_recording(self.folder / "own", samples,
                              array=CIRCLE.with_calibration(calibration))
        self.assertEqual(self.json_of(own)[0]["status"], "ok")

    # The picture

    def test_a_picture_is_drawn(self):
        path = self.folder / "track.png"
        for options, marks in (([], 400), (["--start=2.0104", "--snapshots=2"], 0)):
            code, _, said = call(self.meta, "--plot", path, "--quiet", *options)
            self.assertEqual((code, said), (0, ""))
            picture = matplotlib.image.imread(path)
            self.assertEqual(picture.shape[:2], (600, 1200))
            # Text, frame and grid, and the bearings in the first colour of the series.
            self.assertGreater(np.count_nonzero(picture[:, :, :3].min(axis=2) < 0.5), 3000)
            blue = np.array([0x00, 0x72, 0xB2]) / 255
            found = np.all(np.abs(picture[:, :, :3] - blue) < 0.02, axis=2)
            self.assertGreaterEqual(np.count_nonzero(found), marks)
        self.assertEqual([p.name for p in self.folder.iterdir()], ["track.png"])

    def test_the_name_of_a_recording_is_no_formula(self):
        meta = write_recording(self.folder / r"a$\no$b", [two_sources(24000)])
        path = self.folder / "x.png"
        code, _, said = call(meta, "--plot", path, "--quiet")
        self.assertEqual((code, said), (0, ""))
        self.assertGreater(matplotlib.image.imread(path).std(), 0.02)

    def test_a_picture_shows_the_sector_of_the_bearings(self):
        for angles, expected in (
            ([], None),
            ([90.0], (88.0, 92.0)),
            ([0.0], (-2.0, 2.0)),
            ([359.0, 1.0, 0.0], (-4.0, 4.0)),
            ([-60.0, -50.0], (-63.0, -47.0)),
            ([300.0, 310.0], (297.0, 313.0)),
            ([10.0, 130.0], (-4.0, 144.0)),
            ([10.0, 131.0], None),
            ([0.0, 120.0, 240.0], None),
        ):
            self.assertEqual(replay_picture.narrow_limits(angles), expected)

    def test_long_recordings_are_thinned_for_the_picture(self):
        picture = replay_picture.track_picture(self.folder / "x.png", "array", "x")
        self.addCleanup(setattr, replay_picture.track_picture, "MOST_POINTS",
                        replay_picture.track_picture.MOST_POINTS)
        replay_picture.track_picture.MOST_POINTS = 100
        # Bearings that are not there, too.
        report = self.report()
        for item in range(1000):
            picture.add(item, 0.1 * item, report)
            self.assertLessEqual(len(picture._reports), 100)
        picture.save()
        self.assertGreater(matplotlib.image.imread(self.folder / "x.png").std(), 0.02)

    # What is refused

    def test_bad_recordings(self):
        meta = write_recording(self.folder / "x", [two_sources(24000)])
        data = meta.with_suffix(".sigmf-data")
        text, content = meta.read_text(), data.read_bytes()
        for old, new, words in (
            ('"ci8"', '"rf64_be"', ["core:datatype"]),
            ('"core:num_channels": 5', '"core:num_channels": 7', ["core:num_channels"]),
            ('"core:num_channels": 5', '"core:num_channels": 4', ["bearing:positions_m"]),
            ('"core:sample_rate": 48000.0', '"core:sample_rate": 1e999', ["core:sample_rate"]),
            ('"core:sample_rate": 48000.0', '"core:sample_rate": "fast"', ["core:sample_rate"]),
            ('"core:sample_rate"', '"sample_rate"', ["core:sample_rate"]),
            ("{", "[", ["JSON"]),
        ):
            self.assertIn(old, text)
            meta.write_text(text.replace(old, new))
            self.refused(meta, naming=["x.sigmf-meta", *words])
        meta.write_text("[" * 100000)
        self.refused(meta, naming=["x.sigmf-meta", "deep"])
        meta.write_text(text)
        data.write_bytes(content[:-3])
        self.refused(meta, naming=["x.sigmf-meta", "x.sigmf-data", "multiple"])
        data.unlink()
        self.refused(meta, naming=["x.sigmf-data"])
        self.refused(self.folder / "none.sigmf-meta", naming=["none.sigmf-meta"])
        self.refused(self.folder, naming=[self.folder])

    def test_bad_options(self):
        (self.folder / "bad.json").write_text("{}")
        (self.folder / "binary.json").write_bytes(b"\xff\xfe")
        (self.folder / "bad.csv").write_text("hello")
        bearing.calibration(gains=np.ones(4)).save(str(self.folder / "four.json"))
        bare = write_recording(self.folder / "bare", [two_sources(24000)], array=None,
                               captures=(sigmf.capture(0),))
        empty = write_recording(self.folder / "empty", [])
        for meta, options, words in (
            (bare, [], ["bare.sigmf-meta", "bearing:positions_m", "--array"]),
            (bare, ["--array=uca:5:0.25"], ["--array", "--frequency", "--wavelengths"]),
            (bare, ["--frequency=1e9"], ["--frequency"]),
            (self.meta, ["--array=uca:5:0.25", "--frequency=1e9"], ["--frequency"]),
            (self.meta, ["--array=uca:4:0.25"], ["core:num_channels", "4 elements"]),
            (self.meta, ["--array=uca:five:0.25"], ["--array uca:five:0.25"]),
            (self.meta, ["--array=ula:5:nan"], ["--array ula:5:nan"]),
            (self.meta, ["--array=uca:5:25cm"], ["--array uca:5:25cm", "'25cm'", "number"]),
            (self.meta, ["--array=kraken"], ["--array kraken", "No such file", "uca:N:RADIUS"]),
            (self.meta, [f"--array={self.folder / 'bad.csv'}"], ["bad.csv", "line 1"]),
            (self.meta, [f"--array={self.folder}"], [self.folder]),
            (self.meta, ["--wavelengths"], ["--wavelengths"]),
            (self.meta, [f"--calibration={self.folder / 'bad.json'}"], ["bad.json", "version"]),
            (self.meta, [f"--calibration={self.folder / 'four.json'}"], ["four.json"]),
            (self.meta, [f"--calibration={self.folder / 'binary.json'}"], ["binary.json", "JSON"]),
            (self.meta, ["--calibration=none.json"], ["none.json", "No such file"]),
            (self.meta, ["--method=esprit"], ["--method"]),
            (self.meta, ["--method=root_music", "--variant=unitary"],
             ["root_music", "unitary", "line"]),
            (self.meta, ["--method=root_music", "--variant=imaginary"], ["--variant"]),
            (self.meta, ["--variant=real"], ["--variant", "--method root_music"]),
            (self.meta, ["--method=root_music", "--limits", "0", "9"], ["root_music", "limits"]),
            (self.meta, ["--method=wsf", "--limits", "0", "9"], ["wsf", "limits"]),
            (self.meta, ["--sources=5"], ["num_sources"]),
            (self.meta, ["--sources=-1"], ["num_sources"]),
            (self.meta, ["--sources=99999999999"], ["num_sources"]),
            (self.meta, ["--sources=two"], ["--sources"]),
            (self.meta, ["--limits", "30", "10"], ["limits_deg"]),
            (self.meta, ["--limits", "0", "nan"], ["--limits"]),
            (self.meta, ["--snapshots=0"], ["--snapshots"]),
            (self.meta, ["--snapshots=100000"], ["two.sigmf-meta", "97000", "100000"]),
            (self.meta, ["--snapshots=9", "--interval=9"], ["--interval"]),
            (self.meta, ["--interval=0"], ["--interval"]),
            (self.meta, ["--interval=1e300"], ["--interval"]),
            (self.meta, ["--start=-1"], ["--start"]),
            (self.meta, ["--start=1e300"], ["--start"]),
            (self.meta, ["--start=1e308"], ["--start"]),
            (self.meta, ["--interval=1e308"], ["--interval"]),
            (empty, [], ["empty.sigmf-data", "no samples"]),
            (self.meta, ["--start=3"], ["--start", "2.02"]),
            (self.meta, ["--duration=0"], ["--duration"]),
            (self.meta, ["--duration=1e-9"], ["two.sigmf-meta"]),
            (self.meta, ["--heading=nan"], ["--heading"]),
            (self.meta, ["--format=xml"], ["--format"]),
            (self.meta, ["--output=/none/x"], ["/none"]),
            (self.meta, [f"--output={self.folder}"], [self.folder]),
            (self.meta, [f"--output={self.meta}"], ["recording itself"]),
            (self.meta, [f"--output={self.meta.with_suffix('.sigmf-data')}"], ["itself"]),
            (self.meta, ["--plot=/none/x.png"], ["/none"]),
            (self.meta, [f"--plot={self.folder / 'x.bmpx'}"], ["--plot", "x.bmpx", ".png"]),
            (self.meta, ["--progress", "--quiet"], ["--quiet"]),
        ):
            with self.subTest(options=options):
                self.refused(meta, *options, naming=words)
        code, _, said = call()
        self.assertEqual(code, 2)
        self.assertIn("usage:", said)

    def test_help(self):
        code, printed, said = call("--help")
        self.assertEqual((code, said), (0, ""))
        for word in ("--array", "--calibration", "--plot", "uca:N:RADIUS"):
            self.assertIn(word, printed)


if __name__ == "__main__":
    unittest.main()

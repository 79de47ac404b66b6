#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bearing writer: what arrives at files, web servers, sockets, and what happens when they fail."""

import contextlib
import gc
import http.client
import http.server
import json
import os
import pathlib
import resource
import select
import socket
import tempfile
import threading
import time
import unittest
import urllib.request
from unittest import mock

import numpy as np
import output_records as records
import pmt
from gnuradio import bearing, blocks, gr
from gnuradio.bearing.output import (
    csv_lines,
    cursor_on_target,
    df_aggregator_xml,
    json_lines,
    kraken_csv,
    kraken_json,
    kraken_xml,
)
from gnuradio.bearing.output.append_file import append_file
from gnuradio.bearing.output.background_writer import background_writer
from gnuradio.bearing.output.http_post import http_post
from support import OWN_ADDRESS, PATIENCE, reserved_port

HILL = bearing.station("hill", 47.5, 8.75, 12.0)

SUM = ("malformed", "other_channel", "thinned", "skipped", "written", "dropped", "waiting")

# Where all that waits is to be written: what is not within a second is dropped.
all_is_flushed = mock.patch("gnuradio.bearing.output.background_writer._FLUSH_S", PATIENCE)


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("what was waited for did not come")
        time.sleep(0.01)


def message(azimuth_deg=72.0, **more):
    return bearing.bearing_record(records.report([azimuth_deg], **more)).to_message()


class port_feed(gr.basic_block):
    """Sends what it is given to the port of a writer."""

    def __init__(self):
        gr.basic_block.__init__(self, "port_feed", None, None)
        self.message_port_register_out(pmt.intern("out"))

    def send(self, *messages):
        for one in messages:
            self.message_port_pub(pmt.intern("out"), one)


class message_store(gr.basic_block):
    def __init__(self):
        gr.basic_block.__init__(self, "message_store", None, None)
        self.messages = []
        self.message_port_register_in(pmt.intern("in"))
        self.set_msg_handler(pmt.intern("in"), self.keep)

    def keep(self, one):
        self.messages.append(one)


class writer_test(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    @contextlib.contextmanager
    def running(self, *writers):
        """A feed to these writers, in a flowgraph that runs."""
        flowgraph, feed = gr.top_block(), port_feed()
        for writer in writers:
            flowgraph.msg_connect(feed, "out", writer, "bearings")
        flowgraph.start()
        try:
            yield feed
        finally:
            flowgraph.stop()
            flowgraph.wait()

    def assert_adds_up(self, writer, received):
        counters = writer.counters()
        self.assertEqual(counters["received"], received)
        self.assertEqual(sum(counters[name] for name in SUM), received, counters)

    def received(self, writer, count):
        wait_until(lambda: writer.counters()["received"] >= count)

    def written(self, writer, count=1):
        wait_until(lambda: writer.counters()["written"] >= count)


class qa_files(writer_test):
    def test_json_lines_and_csv_hold_every_bearing_with_its_station(self):
        lines, table = self.folder / "a.jsonl", self.folder / "a.csv"
        writers = (
            bearing.bearing_writer("json_lines", str(lines), HILL),
            bearing.bearing_writer("csv", str(table), HILL),
        )
        with self.running(*writers) as feed:
            feed.send(*(message(k, heading_deg=0.0) for k in range(50)))
            for writer in writers:
                self.written(writer, 50)
        for writer in writers:
            self.assert_adds_up(writer, 50)
            self.assertIn("writing to", writer.state())
        for found in (
            json_lines.decode(lines.read_text()),
            csv_lines.decode(table.read_bytes().decode()),
        ):
            self.assertEqual([r.report.angles_deg[0] for r in found], list(range(50)))
            # The station's heading, not the estimator's.
            self.assertEqual([r.report.true_bearing_deg[0] for r in found], list(range(12, 62)))
            self.assertEqual({r.station for r in found}, {HILL})
        self.assertEqual(table.read_bytes().count(b"rx_seconds"), 1)

    @all_is_flushed
    def test_what_waits_is_written_when_the_flowgraph_stops_and_starts(self):
        path = self.folder / "a.jsonl"
        writer = bearing.bearing_writer("json_lines", str(path))
        flowgraph, feed = gr.top_block(), port_feed()
        flowgraph.msg_connect(feed, "out", writer, "bearings")
        for k in range(3):
            flowgraph.start()
            feed.send(*[message()] * 100)
            self.received(writer, 100 * (k + 1))
            flowgraph.stop()
            flowgraph.wait()
        self.assertEqual(len(path.read_text().splitlines()), 300)
        self.assertEqual(writer.counters()["written"], 300)

    def test_files_are_rotated_and_only_so_many_kept(self):
        path = self.folder / "a.csv"
        target = append_file(path, rotate_mb=0.001, keep=3, header="head\n")
        for k in range(100):
            target.write(f"{k:99d}\n")
        target.close()
        names = sorted(file.name for file in self.folder.iterdir())
        self.assertEqual(names, ["a.csv", "a.csv.1", "a.csv.2", "a.csv.3"])
        lines = []
        for name in reversed(names):
            text = (self.folder / name).read_text()
            self.assertLessEqual(len(text), 1000)
            self.assertTrue(text.startswith("head\n"))
            lines += text.splitlines()[1:]
        # Whole lines, in order, to the last.
        self.assertEqual([int(line) for line in lines], list(range(100 - len(lines), 100)))
        self.assertGreaterEqual(len(lines), 27)

    def test_a_file_that_is_full_at_the_start_is_rotated_and_none_kept(self):
        path = self.folder / "a"
        path.write_text("x" * 2000 + "\n")
        target = append_file(path, rotate_mb=0.001, keep=0)
        target.write("new\n")
        self.assertEqual([file.name for file in self.folder.iterdir()], ["a"])
        self.assertEqual(path.read_text(), "new\n")

    def test_a_file_that_cannot_be_put_aside_grows_on(self):
        path, obstacle = self.folder / "a.jsonl", self.folder / "a.jsonl.1"
        obstacle.mkdir()
        writer = bearing.bearing_writer("json_lines", str(path), rotate_mb=0.001, keep=1)
        with self.running(writer) as feed:
            feed.send(*(message(k) for k in range(20)))
            self.written(writer, 20)
            self.assertIn("writing to", writer.state())
            self.assertIn("cannot be put aside: Is a directory", writer.state())
            self.assertGreaterEqual(writer.counters()["errors"], 1)
        found = json_lines.decode(path.read_text())
        self.assertEqual([r.report.angles_deg[0] for r in found], list(range(20)))
        self.assert_adds_up(writer, 20)
        # Tried now and then, not for each line; and at the start of a program too.
        target = append_file(path, rotate_mb=0.001, keep=1)
        self.addCleanup(target.close)
        with mock.patch("gnuradio.bearing.output.append_file._ROTATE_AGAIN_S", 3600.0):
            target.write("one\n")
            target.write("two\n")
        self.assertEqual(target.errors, 1)
        self.assertTrue(path.read_text().endswith("\none\ntwo\n"))
        obstacle.rmdir()
        target.write("three\n")
        self.assertTrue(path.read_text().endswith("two\nthree\n"))
        # As if the hour were over.
        target._rotate_at = 0.0
        target.write("four\n")
        self.assertEqual(path.read_text(), "four\n")
        self.assertTrue(obstacle.read_text().endswith("three\n"))
        self.assertIsNone(target.warning)

    def test_a_line_that_was_cut_short_stays_alone(self):
        path = self.folder / "a"
        path.write_text("whole\ncut sh")
        target = append_file(path)
        target.write("new\n")
        self.assertEqual(path.read_text(), "whole\ncut sh\nnew\n")

    def test_a_file_that_is_moved_or_deleted_is_made_again(self):
        path = self.folder / "a"
        target = append_file(path)
        target.write("one\n")
        path.rename(self.folder / "b")
        target.write("two\n")
        path.unlink()
        target.write("three\n")
        self.assertEqual(path.read_text(), "three\n")
        self.assertEqual((self.folder / "b").read_text(), "one\n")

    def test_a_folder_that_is_gone_and_comes_back_costs_nothing(self):
        folder = self.folder / "later"
        writer = bearing.bearing_writer("json_lines", str(folder / "a.jsonl"))
        with self.running(writer) as feed:
            feed.send(*(message(k) for k in range(10)))
            wait_until(lambda: writer.counters()["errors"] >= 2)
            self.assertIn("No such file or directory", writer.state())
            self.assertEqual(writer.counters()["written"], 0)
            folder.mkdir()
            self.written(writer, 10)
            self.assertIn("writing to", writer.state())
        found = json_lines.decode((folder / "a.jsonl").read_text())
        self.assertEqual([r.report.angles_deg[0] for r in found], list(range(10)))
        self.assert_adds_up(writer, 10)

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_a_full_disk_is_said_and_stops_nothing(self):
        writer = bearing.bearing_writer("json_lines", "/dev/full")
        with self.running(writer) as feed:
            feed.send(message())
            wait_until(lambda: writer.counters()["errors"] >= 1)
            self.assertIn("No space left on device", writer.state())
        self.assert_adds_up(writer, 1)
        self.assertEqual(writer.counters()["dropped"], 1)

    def test_a_disk_that_is_full_within_a_line_loses_nothing(self):
        path = self.folder / "a"
        target = append_file(path)
        lines = [f"{k:99d}\n" for k in range(20)]
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        # Python ignores the signal that comes with it: the system takes 50 bytes of the sixth line.
        resource.setrlimit(resource.RLIMIT_FSIZE, (550, hard))
        try:
            for line in lines[:5]:
                target.write(line)
            for _ in range(3):
                with self.assertRaises(OSError):
                    target.write(lines[5])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        self.assertEqual(path.stat().st_size, 550)
        for line in lines[5:]:
            target.write(line)
        self.assertEqual(path.read_text(), "".join(lines))

    def test_a_write_that_is_cut_short_goes_on_where_it_stopped(self):
        # As on a disk that fills up within a line, and has room again.
        reader, pipe = os.pipe()
        os.set_blocking(pipe, False)
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, pipe)
        target = append_file(f"/proc/self/fd/{pipe}")
        self.addCleanup(target.close)
        text = "".join(f"{k}\n" for k in range(40000))
        with self.assertRaises(BlockingIOError):
            target.write(text)
        found = os.read(reader, 1 << 20)
        wanted = text.encode()
        while len(found) < len(wanted):
            with contextlib.suppress(BlockingIOError):
                target.write(text)
            found += os.read(reader, 1 << 20)
        self.assertEqual(found, wanted)

    def test_a_pipe_that_nobody_reads_stalls_nothing(self):
        path = self.folder / "pipe"
        os.mkfifo(path)
        writer = bearing.bearing_writer("json_lines", str(path))
        other = bearing.bearing_writer("json_lines", str(self.folder / "other.jsonl"))
        with self.running(writer, other) as feed:
            # Nobody has opened it.
            feed.send(*[message()] * 20)
            self.written(other, 20)
            wait_until(lambda: writer.counters()["errors"] >= 1)
            # Opened, but never read: it takes 64 KB, then no more.
            reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            self.addCleanup(os.close, reader)
            for k in range(15):
                # No more than may wait.
                feed.send(*[message()] * 100)
                self.written(other, 20 + 100 * (k + 1))
            wait_until(lambda: writer.counters()["dropped"] >= 100)
            wait_until(lambda: "nobody takes what is written" in writer.state())
            self.received(writer, 1520)
            self.assertLessEqual(writer.counters()["waiting"], 1001)
        self.assert_adds_up(writer, 1520)
        self.assertEqual(writer.counters()["waiting"], 0)
        # What the pipe has taken is whole but for the last line.
        lines = os.read(reader, 1 << 20).decode().splitlines()[:-1]
        for line in lines:
            json.loads(line)
        self.assertGreater(len(lines), 10)

    def test_readers_of_a_state_file_see_whole_documents_only(self):
        path = self.folder / "doa.xml"
        writer = bearing.bearing_writer("df_aggregator_xml", str(path), HILL)
        seen, problems, is_over = set(), [], threading.Event()

        def read():
            while not is_over.is_set():
                try:
                    (record,) = df_aggregator_xml.decode(path.read_text())
                    seen.add(round(float(record.report.angles_deg[0])))
                except FileNotFoundError:
                    pass
                except ValueError as error:
                    problems.append(error)

        thread = threading.Thread(target=read)
        with self.running(writer) as feed:
            thread.start()
            try:
                for k in range(300):
                    feed.send(message(k))
                self.written(writer, 300)
                wait_until(lambda: 299 in seen)
            finally:
                is_over.set()
                thread.join()
        self.assertEqual(problems, [])
        self.assertEqual([file.name for file in self.folder.iterdir()], ["doa.xml"])

    def test_the_apps_file_has_a_line_for_each_channel(self):
        path = self.folder / "DOA_value.html"
        writer = bearing.bearing_writer("kraken_csv", str(path), HILL, array_kind="uca")
        with self.running(writer) as feed:
            for azimuth, channel in ((10, "a"), (20, "b"), (30, "a")):
                record = bearing.bearing_record(records.report([azimuth]), channel=channel)
                feed.send(record.to_message())
            self.written(writer, 3)
        found = kraken_csv.decode(path.read_text())
        self.assertEqual([r.report.angles_deg[0] for r in found], [30, 20])

    def test_the_apps_log_has_all_lines(self):
        path = self.folder / "log.csv"
        writer = bearing.bearing_writer("kraken_csv", str(path), HILL, append=True, version="v2")
        with self.running(writer) as feed:
            feed.send(message(10), message(20))
            self.written(writer, 2)
        found = kraken_csv.decode(path.read_text(), "v2")
        self.assertEqual([r.report.angles_deg[0] for r in found], [10, 20])

    def test_the_spectrum_is_the_one_of_the_stream(self):
        path = self.folder / "a.jsonl"
        curve = np.float32([-3, -2, 0, -1])
        # A stream that ends would end the block.
        source = blocks.vector_source_f(curve.tolist(), True, 4)
        throttle = blocks.throttle(4 * gr.sizeof_float, 100e3)
        writer = bearing.bearing_writer(
            "json_lines", str(path), num_points=4, limits_deg=[-90, 90], with_spectrum=True
        )
        flowgraph, feed = gr.top_block(), port_feed()
        flowgraph.connect(source, throttle, writer)
        flowgraph.msg_connect(feed, "out", writer, "bearings")
        flowgraph.start()
        try:
            wait_until(lambda: writer._spectrum is not None)
            feed.send(message())
            self.written(writer)
        finally:
            flowgraph.stop()
            flowgraph.wait()
        (record,) = json_lines.decode(path.read_text())
        np.testing.assert_array_equal(record.spectrum_db, curve)
        np.testing.assert_array_equal(record.spectrum_deg, [-90, -30, 30, 90])

    def test_a_sharp_spectrum_does_not_make_a_doubtful_bearing_trusted(self):
        path = self.folder / "doa.xml"
        # 60 dB above the rest.
        curve = [-60.0] * 102 + [0.0] + [-60.0] * 409
        source = blocks.vector_source_f(curve, True, 512)
        throttle = blocks.throttle(512 * gr.sizeof_float, 1e3)
        writer = bearing.bearing_writer("df_aggregator_xml", str(path), HILL, num_points=512)
        flowgraph, feed = gr.top_block(), port_feed()
        flowgraph.connect(source, throttle, writer)
        flowgraph.msg_connect(feed, "out", writer, "bearings")
        flowgraph.start()
        found = []
        try:
            wait_until(lambda: writer._spectrum is not None)
            for status in ("ok", "model_mismatch"):
                feed.send(message(72.0, std_deg=[float("nan")], status=status))
                self.written(writer, len(found) + 1)
                found.append(path.read_text())
        finally:
            flowgraph.stop()
            flowgraph.wait()
        self.assertIn("<CONF>100</CONF>", found[0])
        self.assertIn("<CONF>0</CONF>", found[1])


class qa_selection(writer_test):
    @all_is_flushed
    def write(self, kind, messages, station=HILL, **options):
        """(records in the file, counters)."""
        path = self.folder / "out"
        writer = bearing.bearing_writer(kind, str(path), station, **options)
        with self.running(writer) as feed:
            feed.send(*messages)
            self.received(writer, len(messages))
        self.assert_adds_up(writer, len(messages))
        text = path.read_text() if path.exists() else ""
        decode = {"json_lines": json_lines.decode, "kraken_csv": kraken_csv.decode}.get(kind)
        return decode(text) if decode else text, writer

    def test_malformed_messages_are_counted(self):
        good = message(10.0)
        bad = [
            pmt.PMT_NIL,
            pmt.intern("x"),
            pmt.cons(pmt.make_dict(), pmt.init_u8vector(2, [1, 2])),
            pmt.cons(pmt.make_dict(), pmt.init_f32vector(1, [1.0])),
            pmt.cons(
                pmt.dict_add(pmt.car(good), pmt.intern("latitude"), pmt.from_double(99.0)),
                pmt.cdr(good),
            ),
        ]
        found, writer = self.write("json_lines", bad + [good])
        self.assertEqual(len(found), 1)
        self.assertEqual(writer.counters()["malformed"], len(bad))

    def test_what_a_format_cannot_say_is_counted_by_its_reason(self):
        nothing = [message(float("nan"), status=s) for s in ("no_source", "low_snr", "low_snr")]
        found, writer = self.write("kraken_csv", nothing + [message(10.0)], append=True)
        self.assertEqual(len(found), 1)
        counters = writer.counters()
        self.assertEqual(counters["skipped"], 3)
        self.assertEqual(counters["skipped_no_source"], 1)
        self.assertEqual(counters["skipped_no_direction_low_snr"], 2)
        # The others say it.
        self.folder.joinpath("out").unlink()
        found, writer = self.write("json_lines", nothing)
        self.assertEqual([r.report.status for r in found], ["no_source", "low_snr", "low_snr"])

    def test_no_number_of_reasons_makes_the_counters_grow(self):
        nothing = [message(float("nan"), status=f"s{k}") for k in range(200)]
        _, writer = self.write("kraken_xml", nothing)
        self.assertLess(len(writer.counters()), 50)
        self.assertEqual(writer.counters()["skipped"], 200)

    def test_a_map_waits_for_the_position(self):
        text, writer = self.write("df_aggregator_xml", [message(10.0)], bearing.station("x"))
        self.assertEqual(text, "")
        self.assertEqual(writer.counters()["skipped_no_position"], 1)
        self.assertIn("no position", writer.state())
        path = self.folder / "doa.xml"
        writer = bearing.bearing_writer("df_aggregator_xml", str(path))
        with self.running(writer) as feed:
            feed.send(message(10.0))
            self.received(writer, 1)
            writer.set_station(HILL)
            feed.send(message(10.0))
            self.written(writer)
        (record,) = df_aggregator_xml.decode(path.read_text())
        self.assertEqual((record.station.name, record.station.latitude), ("hill", 47.5))

    def test_of_a_channel_only_that(self):
        messages = [
            bearing.bearing_record(records.report([k]), channel=channel).to_message()
            for k, channel in enumerate(("a", "b", None, "a"))
        ]
        found, writer = self.write("json_lines", messages, channel="a")
        self.assertEqual([r.report.angles_deg[0] for r in found], [0, 2, 3])
        self.assertEqual([r.channel for r in found], ["a"] * 3)
        self.assertEqual(writer.counters()["other_channel"], 1)

    def test_bearings_within_the_interval_are_left_out_by_channel(self):
        messages = [
            bearing.bearing_record(records.report([k]), channel=channel).to_message()
            for k, channel in enumerate("aabba")
        ]
        # Longer than any machine takes for five.
        found, writer = self.write("json_lines", messages, interval_s=3600)
        self.assertEqual([r.report.angles_deg[0] for r in found], [0, 2])
        self.assertEqual(writer.counters()["thinned"], 3)

    def test_a_record_of_another_station_keeps_it(self):
        far = bearing.station("far", 1.0, 2.0, 100.0)
        messages = [bearing.bearing_record(records.report([10.0]), far).to_message()]
        found, _ = self.write("json_lines", messages)
        self.assertEqual(found[0].station, far)
        # A heading alone is no place, whatever its digits.
        self.folder.joinpath("out").unlink()
        for heading in (90.0, 12.3):
            alone = bearing.bearing_record(
                records.report([10.0]), bearing.station(heading_deg=heading)
            )
            found, _ = self.write("json_lines", [alone.to_message()])
            self.assertEqual(found[-1].station, HILL)

    def test_arrival_is_the_time_where_samples_have_none(self):
        before = time.time()
        found, _ = self.write("json_lines", [message(1.0, rx_time=None)])
        # A clock may be set while this runs: by a minute at most.
        self.assertLess(abs(found[0].time_s - before), 60.0)


class qa_networks(writer_test):
    def test_udp_datagrams_are_events(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            receiver.settimeout(PATIENCE)
            port = receiver.getsockname()[1]
            writer = bearing.bearing_writer("tak", f"127.0.0.1:{port}", HILL, stale_s=30.0)
            with self.running(writer) as feed:
                feed.send(message(72.0))
                (record,) = cursor_on_target.decode(receiver.recv(65536))
        self.assertAlmostEqual(float(record.report.true_bearing_deg[0]), 84.0, delta=1e-4)

    def test_nobody_listening_does_not_keep_datagrams_from_going(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            # It listens to itself only, and nobody else is given its port.
            receiver.connect(receiver.getsockname())
            port = receiver.getsockname()[1]
            writer = bearing.bearing_writer("tak", f"127.0.0.1:{port}", HILL, interval_s=0.0)
            with self.running(writer) as feed:
                feed.send(*[message()] * 10)
                self.written(writer, 10)

    def test_multicast_stays_in_as_many_networks(self):
        from gnuradio.bearing.output.output_kinds import KINDS, checked_options

        options = checked_options("tak", "multicast", {"ttl": 3})
        target = KINDS["tak"].make_target("multicast", options)
        self.assertEqual(target.name, "239.2.3.1:6969")
        opened, address = target._open()
        with opened:
            self.assertEqual(address, ("239.2.3.1", 6969))
            self.assertEqual(opened.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL), 3)

    def test_posts_arrive_and_refusals_are_counted(self):
        bodies, answers = [], [200, 500, 200]

        class handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                size = int(self.headers["Content-Length"])
                bodies.append((self.path, self.headers["Content-Type"], self.rfile.read(size)))
                self.send_response(answers[len(bodies) - 1])
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        url = f"http://127.0.0.1:{server.server_port}/doapost"
        writer = bearing.bearing_writer(
            "kraken_json", url, HILL, array_kind="uca", timeout_s=PATIENCE
        )
        with self.running(writer) as feed:
            feed.send(*(message(k) for k in (10, 20, 30)))
            self.written(writer, 2)
            self.assertEqual(writer.counters()["errors"], 1)
        self.assert_adds_up(writer, 3)
        self.assertEqual({body[:2] for body in bodies}, {("/doapost", "application/json")})
        azimuths = [kraken_json.decode(body)[0].report.angles_deg[0] for _, _, body in bodies]
        self.assertEqual(azimuths, [10, 20, 30])

    def test_a_dead_peer_stalls_nothing(self):
        # It takes connections and never says a word.
        with socket.create_server(("127.0.0.1", 0)) as dead:
            url = f"http://127.0.0.1:{dead.getsockname()[1]}/"
            writer = bearing.bearing_writer("kraken_json", url, timeout_s=30.0)
            other = bearing.bearing_writer("json_lines", str(self.folder / "a.jsonl"))
            with self.running(writer, other) as feed:
                # The first is on its way when the others come.
                feed.send(message())
                self.written(other, 1)
                wait_until(lambda: writer._writer._in_hand)
                for k in range(14):
                    # No more than may wait for the disk.
                    feed.send(*[message()] * 100)
                    self.written(other, 100 * (k + 1))
                feed.send(*[message()] * 99)
                self.written(other, 1500)
                self.received(writer, 1500)
                # One is on its way, 1000 wait.
                self.assertEqual(writer.counters()["dropped"], 499)
                self.assertEqual(writer.counters()["waiting"], 1001)
                begin = time.monotonic()
            # A second to flush, and whatever a busy machine adds; the peer's timeout is 30 s.
            self.assertLess(time.monotonic() - begin, 20.0)
        self.assert_adds_up(writer, 1500)
        self.assertEqual(writer.counters()["dropped"], 1500)

    def test_a_post_has_one_deadline_for_all_of_it(self):
        rest, is_over = [], threading.Event()

        def answer(server):
            for head in (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", b"HTTP/1.1 200 OK\r\n"):
                client, _ = server.accept()
                with client, contextlib.suppress(OSError):
                    client.recv(65536)
                    client.sendall(head)
                    # A byte at a time: no single wait is long. It ends in any case.
                    for byte in b"good" if b"Length" in head else b"x" * 400:
                        if is_over.wait(0.05):
                            break
                        rest.append(byte)
                        client.sendall(bytes([byte]))

        with socket.create_server(("127.0.0.1", 0)) as server:
            thread = threading.Thread(target=answer, args=(server,))
            thread.start()
            self.addCleanup(thread.join)
            self.addCleanup(is_over.set)
            url = f"http://127.0.0.1:{server.getsockname()[1]}/"
            # Slow, but in time.
            http_post(url, timeout_s=PATIENCE).write("{}")
            self.assertEqual(bytes(rest), b"good")
            with self.assertRaises(TimeoutError):
                http_post(url, timeout_s=0.3).write("{}")

    def test_a_refused_connection_is_said(self):
        url = f"http://127.0.0.1:{reserved_port(self)}/"
        writer = bearing.bearing_writer("kraken_json", url, timeout_s=PATIENCE)
        with self.running(writer) as feed:
            feed.send(message())
            wait_until(lambda: writer.counters()["errors"] == 1)
        self.assertIn("Connection refused", writer.state())

    def test_two_writers_feed_one_collector(self):
        from gnuradio import zeromq

        stations = [bearing.station(name, 47.0, 8.0, 10.0) for name in ("hill", "tower")]
        writers = [bearing.bearing_writer("zmq", "tcp://127.0.0.1:*", one) for one in stations]
        store = message_store()
        collector = gr.top_block()
        for writer in writers:
            source = zeromq.sub_msg_source(writer.target, 10)
            collector.msg_connect(source, "out", store, "in")
            # The connection keeps no reference.
            self.addCleanup(lambda source=source: source)
        collector.start()
        try:
            with self.running(*writers) as feed:
                # A subscriber hears nothing before it has joined.
                def both():
                    feed.send(message(72.0))
                    time.sleep(0.02)
                    names = {self.record(m).station.name for m in list(store.messages)}
                    return names == {"hill", "tower"}

                wait_until(both)
        finally:
            collector.stop()
            collector.wait()
        for one in store.messages:
            record = self.record(one)
            self.assertIn(record.station, stations)
            self.assertEqual(record.report.true_bearing_deg[0], 82.0)
            self.assertIsNone(record.spectrum_db)

    @staticmethod
    def record(one):
        return bearing.bearing_record.from_message(one)

    def test_a_message_that_cannot_be_sent_is_counted_and_the_next_one_goes(self):
        from gnuradio import zeromq

        good = message()
        bad = pmt.cons(
            pmt.dict_add(pmt.car(good), pmt.intern("num_sources"), pmt.from_long(-1)),
            pmt.cdr(good),
        )
        writer = bearing.bearing_writer("zmq", "tcp://127.0.0.1:*")
        store, collector = message_store(), gr.top_block()
        source = zeromq.sub_msg_source(writer.target, 10)
        collector.msg_connect(source, "out", store, "in")
        collector.start()
        try:
            with self.running(writer) as feed:
                feed.send(bad)
                self.received(writer, 1)
                self.assertEqual(writer.counters()["malformed"], 1)
                # Whatever it is that cannot be said.
                refuse = mock.Mock(side_effect=TypeError("no such number"))
                with mock.patch.object(bearing.bearing_record, "to_message", refuse):
                    feed.send(good)
                    self.received(writer, 2)
                self.assertEqual(writer.counters()["malformed"], 2)
                self.assertEqual(writer.counters()["written"], 0)

                # A subscriber hears nothing before it has joined.
                def arrives():
                    feed.send(good)
                    time.sleep(0.02)
                    return store.messages

                wait_until(arrives)
        finally:
            collector.stop()
            collector.wait()
        counters = writer.counters()
        self.assertEqual(counters["written"], counters["received"] - 2)

    def test_the_address_is_free_when_the_flowgraph_has_stopped(self):
        # Else the port could be given to others in between.
        first = bearing.bearing_writer("zmq", f"tcp://{OWN_ADDRESS}:*")
        with self.running(first) as feed:
            feed.send(message())
            self.written(first)
        second = bearing.bearing_writer("zmq", first.target)
        with self.running(second) as feed:
            feed.send(message())
            self.written(second)
        # And the first has its port again when it runs again.
        with self.running(first) as feed:
            feed.send(message())
            self.written(first, 2)
        self.assertEqual(first.target, second.target)

    def test_an_address_in_use_is_an_error_at_once(self):
        first = bearing.bearing_writer("zmq", "tcp://127.0.0.1:*")
        with self.assertRaisesRegex(OSError, "in use"):
            bearing.bearing_writer("zmq", first.target)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            with self.assertRaises(OSError):
                bearing.bearing_writer(
                    "kraken_xml", "", serve=f"127.0.0.1:{taken.getsockname()[1]}"
                )


class qa_pages(writer_test):
    def get(self, url, path=None, method="GET", hosts=None):
        """hosts: values of Host headers; None: the one that belongs to the url."""
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        try:
            connection.putrequest(
                method, parts.path if path is None else path, skip_host=hosts is not None
            )
            for host in hosts or ():
                connection.putheader("Host", host)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer
        finally:
            connection.close()

    def test_the_newest_is_served_and_nothing_else(self):
        serve = f"127.0.0.1:{reserved_port(self)}"
        writer = bearing.bearing_writer("df_aggregator_xml", "", HILL, serve=serve)
        self.assertTrue(writer.url.endswith("/doa.xml"))
        (self.folder / "secret").write_text("secret")
        with self.running(writer) as feed:
            self.assertEqual(self.get(writer.url)[0], 503)
            feed.send(message(10), message(20))
            self.written(writer, 2)
            status, text, answer = self.get(writer.url)
            self.assertEqual(status, 200)
            self.assertIn("application/xml", answer.headers["Content-Type"])
            self.assertEqual(df_aggregator_xml.decode(text)[0].report.angles_deg[0], 20)
            self.assertEqual(self.get(writer.url + "?t=1")[0], 200)
            status, text, answer = self.get(writer.url, method="HEAD")
            self.assertEqual((status, text), (200, ""))
            for path in (
                "/",
                "/doa.xml/",
                "/DOA_value.html",
                "/../doa.xml",
                f"/..{self.folder}/secret",
                "/%2e%2e/etc/passwd",
                "/doa.xml/../../etc/passwd",
                "http://127.0.0.1/doa.xml",
            ):
                self.assertEqual(self.get(writer.url, path)[0], 404, path)
            for method in ("POST", "PUT", "DELETE"):
                self.assertEqual(self.get(writer.url, method=method)[0], 501, method)
            url = writer.url
        # It ends with the flowgraph.
        with self.assertRaises(OSError):
            self.get(url)

    def test_a_page_on_this_computer_is_read_by_its_own_name_only(self):
        writer = bearing.bearing_writer("kraken_csv", "", HILL, serve="127.0.0.1:0")
        with self.running(writer) as feed:
            feed.send(message(10))
            self.written(writer)
            port = urllib.parse.urlsplit(writer.url).port
            for hosts in ([f"127.0.0.1:{port}"], [f"localhost:{port}"], ["localhost"]):
                self.assertEqual(self.get(writer.url, hosts=hosts)[0], 200, hosts)
            # What a name server may lead here, and what no browser sends.
            for hosts in ([f"stranger.example:{port}"], ["localhost.stranger.example"], [], [""]):
                status, text, _ = self.get(writer.url, hosts=hosts)
                self.assertEqual(status, 403, hosts)
                self.assertNotIn("hill", text)
        # Who opens it to a network says by which names it is called there.
        writer = bearing.bearing_writer("kraken_csv", "", HILL, serve="0.0.0.0:0")
        with self.running(writer) as feed:
            feed.send(message(10))
            self.written(writer)
            self.assertEqual(self.get(writer.url, hosts=["pi.example"])[0], 200)

    def test_a_stations_name_is_no_html(self):
        place = bearing.station("<script>alert(1)</script>", 47.5, 8.75, 12.0)
        writer = bearing.bearing_writer("kraken_csv", "", place, serve="127.0.0.1:0")
        with self.running(writer) as feed:
            feed.send(message(10))
            self.written(writer)
            _, text, answer = self.get(writer.url)
        # The bytes that the app reads.
        self.assertIn(", <script>alert(1)</script>, 47.5, ", text)
        self.assertEqual(answer.headers["Content-Type"], "text/plain; charset=utf-8")
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")

    def test_a_client_that_is_slow_is_shut_however_often_it_says_something(self):
        with mock.patch("gnuradio.bearing.output.state_server._DEADLINE_S", 0.3):
            writer = bearing.bearing_writer("kraken_xml", "", serve="127.0.0.1:0")
            parts = urllib.parse.urlsplit(writer.url)
            with self.running(writer), socket.create_connection(
                (parts.hostname, parts.port), PATIENCE
            ) as client:
                end = time.monotonic() + PATIENCE
                client.sendall(b"GET /DOA_value.html HTTP/1.0\r\nHost: localhost\r\nX: ")
                while not select.select([client], [], [], 0.05)[0]:
                    self.assertLess(time.monotonic(), end)
                    # It may be shut meanwhile.
                    with contextlib.suppress(ConnectionError):
                        client.sendall(b"x")

    def test_a_writer_that_never_ran_frees_its_address(self):
        address = ("127.0.0.1", reserved_port(self))
        # Others may be ending.
        before = set(threading.enumerate())
        writer = bearing.bearing_writer("kraken_xml", "", serve=f"127.0.0.1:{address[1]}")
        self.assertEqual(set(threading.enumerate()) - before, set())
        with self.assertRaises(OSError):
            socket.create_server(address).close()
        writer.stop()
        socket.create_server(address).close()
        # It may run all the same, or be forgotten.
        writer = bearing.bearing_writer("kraken_xml", "", serve=f"127.0.0.1:{address[1]}")
        with self.running(writer) as feed:
            feed.send(message(10))
            self.written(writer)
        writer = bearing.bearing_writer("kraken_xml", "", serve=f"127.0.0.1:{address[1]}")
        del writer
        gc.collect()
        socket.create_server(address).close()

    def test_two_writers_share_an_address_and_its_pages_are_one_each(self):
        serve = f"127.0.0.1:{reserved_port(self)}"
        xml = bearing.bearing_writer("df_aggregator_xml", "", HILL, serve=serve)
        csv = bearing.bearing_writer("kraken_csv", "", HILL, serve=serve)
        with self.assertRaisesRegex(ValueError, "served already"):
            bearing.bearing_writer("kraken_xml", "", HILL, serve=serve)
        with self.running(xml, csv) as feed:
            feed.send(message(10))
            self.written(xml)
            self.written(csv)
            for writer, decode in ((xml, df_aggregator_xml.decode), (csv, kraken_csv.decode)):
                self.assertEqual(decode(self.get(writer.url)[1])[0].report.angles_deg[0], 10)
        # The address is free again.
        again = bearing.bearing_writer("kraken_xml", "", HILL, serve=serve)
        with self.running(again) as feed:
            feed.send(message(40))
            self.written(again)
            text = urllib.request.urlopen(again.url, timeout=PATIENCE).read()
            self.assertEqual(kraken_xml.decode(text)[0].report.angles_deg[0], 40)

    def test_many_silent_clients_do_not_make_threads_without_end(self):
        writer = bearing.bearing_writer("kraken_xml", "", serve="127.0.0.1:0")
        flowgraph = contextlib.ExitStack()
        self.addCleanup(flowgraph.close)
        flowgraph.enter_context(self.running(writer))
        parts = urllib.parse.urlsplit(writer.url)
        before = set(threading.enumerate())
        clients = []
        try:
            for _ in range(60):
                clients.append(socket.create_connection((parts.hostname, parts.port), PATIENCE))
            # The last one is shut when those before have been seen to: only an end comes.
            counts = []
            while not select.select([clients[-1]], [], [], 0.01)[0]:
                counts.append(len(set(threading.enumerate()) - before))
                self.assertLess(len(counts), 100 * PATIENCE)
            self.assertEqual(clients[-1].recv(1), b"")
            self.assertLessEqual(max(counts, default=0), 16)
        finally:
            for client in clients:
                client.close()


class qa_background_writer(unittest.TestCase):
    @all_is_flushed
    def test_an_exception_of_any_kind_costs_one_thing(self):
        done = []

        def write(thing):
            if thing == 1:
                raise KeyError("x")
            done.append(thing)

        writer = background_writer(write, lambda: None, retries=True)
        writer.start()
        for thing in range(3):
            writer.put(thing)
        writer.stop()
        self.assertEqual(done, [0, 2])
        self.assertEqual((writer.written, writer.dropped, writer.errors), (2, 1, 1))

    def test_news_are_told_once(self):
        told, failing = [], threading.Event()

        def write(thing):
            if failing.is_set():
                raise OSError("no")

        writer = background_writer(write, lambda: None, told=lambda error: told.append(error))
        writer.start()
        for state in (False, False, True, True, False, False):
            failing.set() if state else failing.clear()
            count = writer.written + writer.errors
            writer.put(state)
            wait_until(lambda: writer.written + writer.errors > count)
        writer.stop()
        self.assertEqual([error is None for error in told], [True, False, True])

    def test_one_that_was_never_started_ends_at_once(self):
        closed = []
        writer = background_writer(lambda thing: None, lambda: closed.append(1))
        writer.put(1)
        writer.stop()
        writer.stop()
        self.assertEqual((closed, writer.dropped, writer.waiting), ([1], 1, 0))

    def test_counts_are_of_one_moment(self):
        writer = bearing.bearing_writer("json_lines", "/dev/null")
        problems, is_over = [], threading.Event()

        def read():
            while not is_over.is_set():
                counters = writer.counters()
                if sum(counters[name] for name in SUM) != counters["received"]:
                    problems.append(counters)

        put = writer._writer.put

        def put_slowly(thing):
            # What is between counting and putting shows.
            time.sleep(0.001)
            put(thing)

        writer._writer.put = put_slowly
        thread = threading.Thread(target=read)
        thread.start()
        try:
            for _ in range(300):
                writer._handle(message())
        finally:
            is_over.set()
            thread.join()
            writer.stop()
        self.assertEqual(problems, [])
        self.assertEqual(writer.counters()["dropped"], 300)

    def test_what_comes_after_the_end_is_counted(self):
        writer = background_writer(lambda thing: None, lambda: None)
        writer.start()
        writer.stop()
        writer.put(1)
        self.assertEqual(writer.dropped, 1)


class qa_parameters(unittest.TestCase):
    def test_wrong_ones_are_named(self):
        for kind, target, options, named in (
            ("xml", "a", {}, "kind is 'xml'; it must be one of json_lines"),
            ("json_lines", "", {}, "target is ''"),
            ("json_lines", "a/", {}, "target is 'a/'"),
            ("json_lines", 7, {}, "target is 7"),
            ("json_lines", "a", {"ttl": 2}, "ttl is no option"),
            ("json_lines", "a", {"serve": "127.0.0.1:1"}, "serve is no option"),
            ("json_lines", "a", {"rotate_mb": -1}, "rotate_mb is -1"),
            ("json_lines", "a", {"rotate_mb": float("nan")}, "rotate_mb is nan"),
            ("json_lines", "a", {"keep": 1.5}, "keep is 1.5"),
            ("json_lines", "a", {"interval_s": "1"}, "interval_s is '1'"),
            ("json_lines", "a", {"with_spectrum": 1}, "with_spectrum is 1"),
            ("json_lines", "a", {"num_points": 1}, "num_points is 1"),
            ("json_lines", "a", {"limits_deg": [10]}, "limits_deg is"),
            ("json_lines", "a", {"station": "hill"}, "station is 'hill'"),
            ("json_lines", "a", {"array_kind": "round"}, "array_kind is 'round'"),
            ("zmq", "127.0.0.1:5560", {}, "target is '127.0.0.1:5560'"),
            ("kraken_json", "ftp://x/", {}, "target is 'ftp://x/'"),
            ("kraken_json", "http://a:b@x/", {}, "target is"),
            ("kraken_json", "http://x:99999/", {}, "target is"),
            ("kraken_csv", "a", {"version": "v3"}, "version is 'v3'"),
            ("kraken_csv", "a", {"append": True, "serve": "127.0.0.1:1"}, "target is 'a': append is True"),
            ("kraken_csv", "", {}, "target is ''"),
            ("kraken_xml", "a", {"serve": "8081"}, "serve is '8081'"),
            ("kraken_xml", "a", {"serve": "a:70000"}, "serve is 'a:70000'"),
            ("tak", "239.2.3.1", {}, "target is '239.2.3.1'"),
            ("tak", "a:0", {}, "target is 'a:0'"),
            ("tak", "a:1", {"ttl": 256}, "ttl is 256"),
            ("tak", "a:1", {"range_km": 0}, "range_km is 0"),
        ):
            with self.subTest(kind=kind, target=target, options=options):
                with self.assertRaises(ValueError) as raised:
                    bearing.bearing_writer(kind, target, **options)
                self.assertTrue(str(raised.exception).startswith(named), raised.exception)

    def test_options_are_told_and_checked_without_a_writer(self):
        options = bearing.bearing_writer.options("tak")
        self.assertEqual(options["range_km"], 20.0)
        self.assertNotIn("keep", options)
        for kind in bearing.bearing_writer.kinds():
            self.assertIn("interval_s", bearing.bearing_writer.options(kind))
        bearing.bearing_writer.check("tak", "multicast", **options)
        with self.assertRaisesRegex(ValueError, "keep is no option of an output of the kind tak"):
            bearing.bearing_writer.check("tak", "multicast", keep=5)


if __name__ == "__main__":
    unittest.main()

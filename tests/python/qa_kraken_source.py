#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""kraken_source: right bearings over the wire, faults that cost a connection and nothing else, and
counters that add up."""

import contextlib
import functools
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import numpy as np
import pmt
from gnuradio import bearing, blocks, gr
from gnuradio.bearing.tools.kraken_simulator import kraken_simulator, simulator_fault
from support import FULL, PATIENCE, SOURCE_DIR, printed_lines, reference_data, reserved_port

# What a stop may take on such a machine; usually it is milliseconds. The timeouts that must not be
# waited for are PATIENCE.
STOP_PATIENCE = 5.0

NOT_USABLE = (
    "dummy", "ramp", "cal", "trigger", "noise_source", "not_sample_synchronous",
    "not_phase_synchronous", "retuning", "frequencies_differ", "phase_state_0", "phase_state_1",
    "phase_state_2", "phase_state_3", "phase_state_5", "phase_state_6", "phase_state_other",
)  # fmt: skip

V1_HEADER_SIZE, V2_HEADER_SIZE = 1024, 32 + 5 * 8


def wait_until(condition, what, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain until {what() if callable(what) else what}")
        time.sleep(0.01)


class tag_collector(gr.sync_block):
    """Counts samples and keeps the tags of each stream; waits while it is told to."""

    def __init__(self, num_streams, keep=0):
        gr.sync_block.__init__(self, "tag_collector", [np.complex64] * num_streams, None)
        self.num_samples = 0
        self.tags = [[] for _ in range(num_streams)]
        self.is_open = threading.Event()
        self.is_open.set()
        self.kept = [np.empty(0, np.complex64)] * num_streams
        self.keep = keep

    def work(self, input_items, output_items):
        self.is_open.wait(PATIENCE)
        size = len(input_items[0])
        for k, found in enumerate(self.tags):
            for tag in self.get_tags_in_window(k, 0, size):
                found.append((tag.offset, pmt.symbol_to_string(tag.key), tag.value))
            if self.num_samples < self.keep:
                self.kept[k] = np.concatenate([self.kept[k], input_items[k]])
        self.num_samples += size
        return size

    def values(self, key, stream=0):
        """[(offset, value)] of the tags with that key."""
        return [(o, pmt.to_python(v)) for o, k, v in list(self.tags[stream]) if k == key]


class receiving:
    """A flowgraph with a Kraken Source before the collector, or before MUSIC too."""

    def __init__(self, server, array=None, keep=0, num_elements=5, **parameters):
        if server is not None:
            parameters = dict(
                protocol=server.protocol, data_port=server.data_port,
                control_port=server.control_port, **parameters,
            )  # fmt: skip
        parameters = {"frequency": 0.0, "gain_db": [], "timeout_s": PATIENCE, **parameters}
        self.source = bearing.kraken_source(num_elements, **parameters)
        self.sink = tag_collector(num_elements, keep)
        self.messages = blocks.message_debug()
        self.flowgraph = gr.top_block()
        for k in range(num_elements):
            self.flowgraph.connect((self.source, k), (self.sink, k))
        if array is not None:
            covariance = bearing.covariance(array.n, 4096)
            music = bearing.music(array, 1)
            for k in range(array.n):
                self.flowgraph.connect((self.source, k), (covariance, k))
            self.flowgraph.connect(covariance, music)
            self.flowgraph.msg_connect(music, "bearings", self.messages, "store")

    def __enter__(self):
        self.flowgraph.start()
        return self

    def __exit__(self, *_):
        self.sink.is_open.set()
        self.flowgraph.stop()
        self.flowgraph.wait()

    def count(self, name):
        return self.source.counters()[name]

    def wait_for(self, name, count):
        wait_until(
            lambda: self.count(name) >= count,
            lambda: f"{name} is {count}: {self.source.state()}; {self.source.counters()}",
        )

    def has_all(self, num_frames):
        """Whether so many frames were delivered or dropped, and samples of the former have come."""
        counters = self.source.counters()
        done = counters["frames_delivered"] + counters["frames_dropped"]
        return done == num_frames and self.sink.num_samples == counters["samples_delivered"]

    def wait_for_bearing(self, degrees, tolerance):
        """Waits for a bearing that is as it should be, among those that come from now on."""
        start = self.messages.num_messages()
        seen = []

        def has_come():
            for k in range(start + len(seen), self.messages.num_messages()):
                report = bearing.bearing_report.from_message(self.messages.get_message(k))
                seen.append(report.angles_deg[0])
                if abs((seen[-1] - degrees + 180) % 360 - 180) < tolerance:
                    return True
            return False

        wait_until(has_come, lambda: f"{degrees} is among {seen[-5:]}: {self.source.state()}")


class qa_kraken_source(unittest.TestCase):
    def assert_adds_up(self, counters):
        """Whole frames that came are all accounted for."""
        known = ("frames_delivered", "frames_dropped", "frames_queued", *NOT_USABLE)
        self.assertEqual(counters["frames_received"], sum(counters[name] for name in known))

    def serve(self, *arguments, **parameters):
        simulator = kraken_simulator(*arguments, **parameters).start()
        self.addCleanup(simulator.stop)
        return simulator

    # Over the wire

    @classmethod
    @functools.cache
    def compiled(cls):
        """The class that GNU Radio Companion makes of the flowgraph beside this test."""
        folder = tempfile.mkdtemp(prefix="qa_kraken_")
        cls.addClassCleanup(lambda: subprocess.run(["rm", "-r", folder], check=True))
        environment = dict(
            os.environ, GRC_BLOCKS_PATH=str(SOURCE_DIR / "grc"), HOME=folder,
            XDG_CACHE_HOME=folder, PYTHONDONTWRITEBYTECODE="1",
        )  # fmt: skip
        environment.pop("DISPLAY", None)
        flowgraph = Path(__file__).with_name("kraken_wire.grc")
        run = subprocess.run(
            ["grcc", "-o", folder, str(flowgraph)], env=environment, capture_output=True,
            text=True, timeout=PATIENCE,
        )  # fmt: skip
        if run.returncode != 0:
            raise AssertionError(run.stdout + run.stderr)
        sys.path.insert(0, folder)
        try:
            import kraken_wire
        finally:
            sys.path.remove(folder)
        return kraken_wire.kraken_wire

    def bearing_of_wire(self, version, protocol):
        """The last of thirty bearings of a reference server, by generated code."""
        script = reference_data("tools", f"heimdall_{version}_sim.py")
        data_port, control_port = reserved_port(self), reserved_port(self)
        server = subprocess.Popen(
            [sys.executable, str(script), str(data_port), str(control_port)],
            stdout=subprocess.DEVNULL,
        )
        try:
            top = self.compiled()(
                data_port=data_port, control_port=control_port, protocol=protocol
            )
            top.start()
            try:
                wait_until(lambda: top.messages.num_messages() >= 30, top.source.state)
                counters = top.source.counters()
                last = top.messages.get_message(29)
            finally:
                top.stop()
                top.wait()
        finally:
            server.kill()
            server.wait()
        self.assert_adds_up(top.source.counters())
        return bearing.bearing_report.from_message(last), counters

    def test_72_degrees_counter_clockwise_on_the_v1_wire_are_288_clockwise(self):
        report, counters = self.bearing_of_wire("v1", "v1")
        # That server counts counter-clockwise from antenna 0, which is our +y: 360 - 72. It takes
        # 3e8 m/s for the speed of light, and the predicted deviation is 0.013 degrees: seven of them.
        self.assertAlmostEqual(report.angles_deg[0], 360.0 - 72.0, delta=0.1)
        self.assertEqual(report.rx_freq, 433e6)
        # Two of seven frames are empty or calibration.
        self.assertGreater(counters["dummy"], 0)
        self.assertGreater(counters["cal"], 0)

    def test_200_degrees_counter_clockwise_on_the_v2_wire_are_160_clockwise(self):
        report, _ = self.bearing_of_wire("v2", "auto")
        # Bytes instead of floats: deviation 0.03 degrees, five of them.
        self.assertAlmostEqual(report.angles_deg[0], 360.0 - 200.0, delta=0.16)
        self.assertEqual(report.rx_freq, 433e6)

    def test_a_v1_server_is_detected_behind_a_port_that_is_silent_to_v2(self):
        server = self.serve("v1", [40.0], sample_rate=400e3)
        with receiving(
            None, server.array, protocol="auto", data_port=server.data_port,
            control_port=server.control_port,
        ) as run:  # fmt: skip
            # Predicted deviation 0.02 degrees.
            run.wait_for_bearing(40.0, 0.15)
            self.assertIn("(v1)", run.source.state())
            self.assertTrue(run.source.is_receiving())

    # Samples

    def test_floats_of_v1_come_out_as_they_are_in_each_channel(self):
        random = np.random.default_rng(1)
        samples = random.standard_normal((5, 100, 2)).astype(np.float32).view(np.complex64)[..., 0]
        self.assertEqual(self.kept_of_one_frame("v1", samples.tobytes(), 100).tobytes(),
                         samples.tobytes())  # fmt: skip

    def test_bytes_of_v2_stand_for_what_the_server_made_them_of(self):
        values = np.random.default_rng(2).permutation(np.arange(1280) % 256).astype(np.uint8)
        # It wrote round(127 x + 128): silence is 128, whatever the channel.
        expected = ((values.astype(float) - 128) / 127).reshape(5, 128, 2)
        found = self.kept_of_one_frame("v2", values.tobytes(), 128)
        # Two roundings of single precision at full scale.
        np.testing.assert_allclose(found.real, expected[..., 0], rtol=0, atol=2.0**-23)
        np.testing.assert_allclose(found.imag, expected[..., 1], rtol=0, atol=2.0**-23)

    @staticmethod
    def header(protocol, size, index=0):
        """Of a frame of data of five channels."""
        if protocol == "v1":
            header = bytearray(1024)
            for offset, number in (
                (0, 0x2BF7B95A), (28, 5), (64, size), (84, index), (100, 32), (236, 1), (240, 1),
            ):  # fmt: skip
                struct.pack_into("<I", header, offset, number)
            struct.pack_into("<Q", header, 56, 2400000)
            return bytes(header)
        header = struct.pack(">8I", 0x4D434851, 5, size, 4, 0, 0, 0, 0)
        return header + struct.pack("<ff", 433e6, 28.0) * 5

    def serve_by_hand(self, talk):
        """Port of a server that calls talk(client, number of the connection) in a thread for
        each; it returns, or waits until the client goes."""
        listener = socket.create_server(("127.0.0.1", 0))
        clients = []

        def serve(client, number):
            with client, contextlib.suppress(OSError):
                talk(client, number)

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    clients.append(listener.accept()[0])
                    threading.Thread(
                        target=serve, args=(clients[-1], len(clients) - 1), daemon=True
                    ).start()

        def close():
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

        threading.Thread(target=accept, daemon=True).start()
        self.addCleanup(close)
        return listener.getsockname()[1]

    def kept_of_one_frame(self, protocol, payload, size):
        """What comes out (5 x size) of a frame whose header is written here."""
        header = self.header(protocol, size)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]

            def serve():
                client = listener.accept()[0]
                with client:
                    client.sendall(header + payload)
                    while client.recv(100):
                        pass

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            with receiving(
                None, keep=size, protocol=protocol, data_port=port, control_port=reserved_port(self)
            ) as run:
                wait_until(lambda: run.sink.num_samples >= size, run.source.state)
                found = np.array([channel[:size] for channel in run.sink.kept])
            thread.join(PATIENCE)
        return found

    # Tags

    def test_what_is_known_of_the_stream_is_in_tags_of_every_channel(self):
        server = self.serve(
            "v1", sample_rate=400e3, pace=None, faults=["overdrive:frame=3,value=5", "stall:frame=6"]
        )
        before = int(time.time())
        with receiving(server) as run:
            run.wait_for("frames_delivered", 6)
            wait_until(lambda: run.sink.num_samples == 6 * 4096, "all samples have come")
        sink = run.sink
        self.assertEqual(sink.values("rx_freq"), [(0, 433.92e6)])
        self.assertEqual(sink.values("rx_rate"), [(0, 400e3)])
        self.assertEqual(sink.values("sync_state"), [(0, 6)])
        self.assertEqual(sink.values("noise_source"), [(0, False)])
        self.assertEqual(sink.values("overdrive"), [(0, 0), (3 * 4096, 5), (4 * 4096, 0)])
        ((offset, (seconds, fraction)),) = sink.values("rx_time")
        self.assertEqual(offset, 0)
        self.assertTrue(before <= seconds <= time.time() + 1)
        self.assertTrue(0 <= fraction < 1)
        for stream in sink.tags[1:]:
            self.assertEqual(
                [(o, k, pmt.to_python(v)) for o, k, v in stream],
                [(o, k, pmt.to_python(v)) for o, k, v in sink.tags[0]],
            )

    def test_a_v2_stream_has_the_time_of_this_computer(self):
        server = self.serve("v2", sample_rate=800e3)
        with receiving(server) as run:
            run.wait_for("frames_delivered", 3)
            wait_until(lambda: run.sink.num_samples > 0, "samples have come")
            for _, (seconds, _) in run.sink.values("rx_time"):
                self.assertLess(abs(seconds - time.time()), PATIENCE)
            # The control port tells the sample rate, a moment after the first packets.
            wait_until(lambda: run.source.sample_rate() == 800e3, run.source.counters)
            wait_until(
                lambda: [rate for _, rate in run.sink.values("rx_rate")][-1] == 800e3,
                lambda: run.sink.values("rx_rate"),
            )

    def test_samples_lost_on_the_wire_are_told_exactly(self):
        # 119 is no multiple of 7: the frame before the stall is sent.
        server = self.serve(
            "v1", pace=None, drop_every=7, faults=["stall:frame=120"], num_samples=1000
        )
        with receiving(server) as run:
            run.wait_for("frames_delivered", 120 - 17)
            wait_until(lambda: run.sink.num_samples == 103000, "all samples have come")
            # By then the server has counted the frame before it.
            wait_until(lambda: server.counters["faults"] == 1, "the stall has come")
            counters = run.source.counters()
        gaps = run.sink.values("gap")
        self.assertEqual([lost for _, lost in gaps], [1000] * 17)
        self.assertEqual([offset for offset, _ in gaps], [6000 * k for k in range(1, 18)])
        total = run.sink.num_samples + sum(lost for _, lost in gaps)
        self.assertEqual(total, server.counters["samples_produced"])
        self.assertEqual(counters["samples_lost"], 17000)
        self.assertEqual(counters["gaps"], 17)
        self.assert_adds_up(run.source.counters())
        # After each gap the time is told anew.
        self.assertEqual(
            [offset for offset, _ in run.sink.values("rx_time")], [0] + [o for o, _ in gaps]
        )

    def test_a_slow_flowgraph_loses_whole_frames_and_says_how_many_samples(self):
        num_frames = 600
        server = self.serve("v1", pace=None, faults=[f"stall:frame={num_frames}"])
        with printed_lines() as lines, receiving(server) as run:
            run.sink.is_open.clear()
            run.wait_for("frames_received", num_frames)
            # 256 frames of 4096 samples in five channels of eight bytes.
            self.assertLessEqual(run.count("queue_bytes"), 257 * 4096 * 5 * 8)
            self.assertGreater(run.count("frames_dropped"), 100)
            run.sink.is_open.set()
            wait_until(lambda: run.has_all(num_frames), "the queue is empty")
            # By then the server has counted the frame before it.
            wait_until(lambda: server.counters["faults"] == 1, "the stall has come")
            counters = run.source.counters()
        self.assert_adds_up(counters)
        # What was dropped last has no frame behind it that could tell.
        self.assertEqual(
            (counters["frames_dropped"] + counters["frames_delivered"]) * 4096,
            server.counters["samples_produced"],
        )
        self.assertEqual(len([line for line in lines if "too slow" in line]), 1)

    def test_a_flowgraph_that_catches_up_gets_a_gap_tag(self):
        before, after, size = 500, 10, 1000
        may_go_on = threading.Event()

        def talk(client, number):
            for index in range(before + after):
                if index == before and not may_go_on.wait(PATIENCE):
                    return
                if not client.recv(100):
                    return
                client.sendall(self.header("v1", size, index) + bytes(8 * 5 * size))
            while client.recv(100):
                pass

        port = self.serve_by_hand(talk)
        with receiving(
            None, protocol="v1", data_port=port, control_port=reserved_port(self)
        ) as run:
            run.sink.is_open.clear()
            run.wait_for("frames_received", before)
            # The queue holds 256 frames, the flowgraph's buffers some tens.
            self.assertGreater(run.count("frames_dropped"), 0)
            run.sink.is_open.set()
            wait_until(lambda: run.has_all(before), "the queue is empty")
            may_go_on.set()
            wait_until(lambda: run.has_all(before + after), "the last frames have come")
            counters = run.source.counters()
        gaps = run.sink.values("gap")
        self.assert_adds_up(counters)
        self.assertGreater(len(gaps), 0)
        # Frames stood behind those that were dropped: all that was lost is told.
        self.assertEqual(
            run.sink.num_samples + sum(lost for _, lost in gaps), (before + after) * size
        )
        self.assertEqual(counters["samples_lost"], counters["frames_dropped"] * size)

    def test_memory_of_large_frames_is_given_back(self):
        large, small = 1 << 16, 100

        def talk(client, number):
            for index in range(10**6):
                if not client.recv(100):
                    return
                size = large if index < 3 else small
                client.sendall(self.header("v1", size, index) + bytes(8 * 5 * size))
                time.sleep(0.001)

        port = self.serve_by_hand(talk)
        with receiving(
            None, protocol="v1", data_port=port, control_port=reserved_port(self)
        ) as run:
            run.wait_for("frames_delivered", 3)
            run.wait_for("frames_delivered", 10)
            # One of the large frames has 2.6 MB, all 256 small ones together 1 MB.
            wait_until(
                lambda: run.count("queue_bytes") <= 256 * small * 5 * 8, run.source.counters
            )

    # What is of no use

    def check_unusable(self, protocol, faults, gaps, **parameters):
        """Each fault is counted by its own name; the rest is delivered, with these gaps."""
        last = 2 * len(faults) + 2
        texts = [f"{kind}:frame={2 * k + 1}{more}" for k, (_, kind, more) in enumerate(faults)]
        server = self.serve(
            protocol, pace=None, num_samples=1000, faults=texts + [f"stall:frame={last}"],
            **parameters,
        )  # fmt: skip
        with receiving(server) as run:
            run.wait_for("frames_received", last)
            run.wait_for("frames_delivered", last - len(faults))
            wait_until(
                lambda: run.sink.num_samples == 1000 * (last - len(faults)), "all have come"
            )
            counters = run.source.counters()
        for name, _, _ in faults:
            with self.subTest(name=name):
                self.assertEqual(counters[name], 1)
        self.assert_adds_up(counters)
        found = run.sink.values("gap")
        self.assertEqual([lost for _, lost in found], gaps)
        self.assertEqual([o for o, _ in found], [1000 * (k + 1) for k in range(len(gaps))])

    def test_frames_of_no_use_are_left_out_and_counted_by_name_v1(self):
        faults = [
            (kind, kind, "")
            for kind in (
                "dummy", "ramp", "cal", "trigger", "not_sample_synchronous",
                "not_phase_synchronous", "noise_source",
            )
        ]  # fmt: skip
        # How long a frame took that holds no data is not known; one with data is.
        self.check_unusable("v1", faults, [0, 0, 0, 0, 1000, 1000, 1000])

    def test_frames_of_no_use_are_left_out_and_counted_by_name_v2(self):
        states = [
            ("phase_state_other" if state > 6 else f"phase_state_{state & 0xFF}",
             "phase_state", f",value={state}")
            for state in (0, 1, 0x202, 3, 5, 6, 7)
        ]  # fmt: skip
        faults = [("noise_source", "noise_source", ""), *states]
        faults[3] = ("phase_state_2", *faults[3][1:])
        self.check_unusable("v2", faults, [1000] * len(faults))
        self.check_unusable("v2", [("retuning", "retuning", "")], [0])

    def test_flags_beside_the_phase_state_do_not_matter(self):
        server = self.serve("v2", pace=None, faults=["phase_state:frame=0,every=1,value=260"],
                            sample_rate=800e3)  # fmt: skip
        with receiving(server) as run:
            run.wait_for("frames_delivered", 3)
            wait_until(lambda: run.sink.values("sync_state"), "a tag has come")
            self.assertEqual(run.sink.values("sync_state"), [(0, 260)])

    def test_the_state_says_in_words_why_nothing_comes(self):
        server = self.serve("v2", sample_rate=800e3, faults=["noise_source:frame=0,every=1"])
        with receiving(server) as run:
            wait_until(lambda: "noise source is on" in run.source.state(), run.source.state)
            self.assertFalse(run.source.is_receiving())
            self.assertEqual(run.sink.num_samples, 0)

    # Faults

    def check_recovery(self, protocol, faults, counted, **parameters):
        """Faults cost a connection each; afterwards the bearing is right."""
        server = self.serve(protocol, [200.0], sample_rate=400e3, faults=faults)
        with receiving(server, server.array, **parameters) as run:
            wait_until(
                lambda: server.counters["faults"] == len(faults),
                lambda: f"all faults have been: {server.counters}; {run.source.state()}",
            )
            wait_until(lambda: server.counters["connections"] > len(faults), run.source.state)
            frames = run.count("frames_received")
            run.wait_for("frames_received", frames + 2)
            # Predicted deviation 0.02 degrees.
            run.wait_for_bearing(200.0, 0.15)
            # A new connection is a gap of unknown length.
            wait_until(
                lambda: 0 in [lost for _, lost in run.sink.values("gap")],
                lambda: run.sink.values("gap"),
            )
            counters = run.source.counters()
        for name, count in counted.items():
            self.assertGreaterEqual(counters[name], count, counters)
        self.assert_adds_up(run.source.counters())
        return counters

    def test_a_wrong_sync_word_costs_a_connection(self):
        for protocol in ("v1", "v2"):
            with self.subTest(protocol=protocol):
                self.check_recovery(protocol, ["sync_word:frame=2"], {"bad_header": 1})

    def test_an_absurd_length_costs_a_connection_and_no_memory(self):
        for protocol in ("v1", "v2"):
            with self.subTest(protocol=protocol):
                counters = self.check_recovery(protocol, ["length:frame=2"], {"bad_header": 1})
                # No more than the queue of frames of the right size.
                self.assertLess(counters["queue_bytes"], 256 * 16384 * 5 * 2 + 1)

    def test_a_server_that_falls_silent_within_a_long_frame_is_left_after_the_timeout(self):
        def talk(client, number):
            # 42 MB, of which little comes.
            client.sendall(self.header("v1", 1 << 20) + bytes(300000))
            while client.recv(100):
                pass

        port = self.serve_by_hand(talk)
        with receiving(
            None, protocol="v1", data_port=port, control_port=reserved_port(self), timeout_s=0.5
        ) as run:
            # At 1 MB/s it could have taken 42 s.
            wait_until(lambda: run.count("timeouts") > 0, run.source.state, 20.0)
            self.assertGreater(run.count("partial_frames"), 0)

    def test_a_v1_server_that_takes_its_time_is_detected(self):
        def talk(client, number):
            if number == 0:
                return  # not what a v2 server does
            # Longer than a v2 server that is one would be silent.
            time.sleep(2.2)
            for index in range(10**6):
                if not client.recv(100):
                    return
                client.sendall(self.header("v1", 100, index) + bytes(8 * 5 * 100))
                time.sleep(0.001)

        port = self.serve_by_hand(talk)
        with receiving(
            None, protocol="auto", data_port=port, control_port=reserved_port(self)
        ) as run:
            # Else each attempt of 2 s is followed by another.
            run.wait_for("frames_delivered", 3)
            self.assertIn("(v1)", run.source.state())
            self.assertEqual(run.count("timeouts"), 0)

    def test_it_says_at_once_where_it_connects_to(self):
        port = self.serve_by_hand(lambda client, number: client.recv(100) and client.recv(100))
        with printed_lines() as lines, receiving(
            None, protocol="v1", data_port=port, control_port=reserved_port(self)
        ) as run:
            words = f"connecting to 127.0.0.1:{port} (v1)"
            wait_until(lambda: run.source.state() == words, run.source.state)
            self.assertFalse(run.source.is_receiving())
        self.assertEqual(len([line for line in lines if words in line]), 1, lines)

    def test_another_number_of_channels_costs_a_connection(self):
        for protocol in ("v1", "v2"):
            with self.subTest(protocol=protocol):
                self.check_recovery(protocol, ["channels:frame=2"], {"channel_count": 1})

    def test_a_frame_that_ends_early_costs_a_connection(self):
        for protocol, size in (("v1", V1_HEADER_SIZE), ("v2", V2_HEADER_SIZE)):
            with self.subTest(protocol=protocol):
                self.check_recovery(
                    protocol,
                    [f"close:frame=2,offset={size + offset}" for offset in (0, 1, 1001)],
                    {"partial_frames": 3},
                )

    def test_a_server_that_closes_or_stalls_anywhere_in_the_header(self):
        jobs = []
        for protocol, size in (("v1", V1_HEADER_SIZE), ("v2", V2_HEADER_SIZE)):
            offsets = range(size) if FULL else np.linspace(0, size - 1, 32).astype(int)
            for kind in ("close", "stall"):
                # Each stall is waited for.
                parts = 2 if kind == "close" else 4
                for part in range(parts):
                    jobs.append((protocol, kind, [int(o) for o in offsets[part::parts]]))
        servers, runs = [], []
        with contextlib.ExitStack() as stack:
            for protocol, kind, offsets in jobs:
                faults = [simulator_fault(kind, frame=1, offset=offset) for offset in offsets]
                server = self.serve(protocol, num_samples=1000, sample_rate=20e3, faults=faults)
                servers.append(server)
                # Frames come every 0.05 s. Late ones on a loaded machine cost a connection more; a
                # stall that was to be in one would not be seen.
                timeout = {"timeout_s": 1.0} if kind == "stall" else {}
                runs.append(stack.enter_context(receiving(server, **timeout)))
            for (_, kind, offsets), server, run in zip(jobs, servers, runs):
                wait_until(
                    lambda: server.counters["faults"] == len(offsets),
                    lambda: f"all faults have been: {server.counters}; {run.source.state()}",
                    10 * PATIENCE if FULL else PATIENCE,
                )
                # The client notices the last one after the server has counted it.
                for name, count in self.counts_of(kind, offsets).items():
                    run.wait_for(name, count)
                delivered = run.count("frames_delivered")
                run.wait_for("frames_delivered", delivered + 2)
        for (protocol, kind, offsets), run in zip(jobs, runs):
            with self.subTest(protocol=protocol, kind=kind):
                counters = run.source.counters()
                self.assert_adds_up(counters)
                for name, count in self.counts_of(kind, offsets).items():
                    self.assertGreaterEqual(counters[name], count, name)

    @staticmethod
    def counts_of(kind, offsets):
        """At least, of faults of that kind at these bytes of a frame."""
        inside = len([offset for offset in offsets if offset > 0])
        counts = {"connections_lost": len(offsets), "partial_frames": inside}
        return {**counts, "timeouts": len(offsets)} if kind == "stall" else counts

    def test_a_server_with_other_channels_is_refused_and_asked_again(self):
        server = self.serve("v2", sample_rate=400e3)
        with receiving(server, num_elements=4) as run:
            run.wait_for("channel_count", 2)
            self.assertIn("5 channels", run.source.state())
            self.assertIn("num_elements is 4", run.source.state())
            self.assertEqual(run.sink.num_samples, 0)
            self.assertFalse(run.source.is_receiving())

    def test_a_server_that_was_away_is_found_again(self):
        server = self.serve(
            "v1", [123.0], sample_rate=400e3, data_port=reserved_port(self),
            control_port=reserved_port(self),
        )  # fmt: skip
        with receiving(server, server.array) as run:
            run.wait_for_bearing(123.0, 0.15)
            server.go_away()
            wait_until(lambda: not run.source.is_receiving(), run.source.state)
            server.come_back()
            wait_until(run.source.is_receiving, run.source.state)
            run.wait_for_bearing(123.0, 0.15)

    # The end

    def assert_stops(self, run):
        start = time.monotonic()
        run.flowgraph.stop()
        run.flowgraph.wait()
        # Milliseconds, usually; never the timeout, which is PATIENCE.
        self.assertLess(time.monotonic() - start, STOP_PATIENCE)

    def test_it_stops_whatever_the_server_does(self):
        with contextlib.ExitStack() as stack:
            silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            # A full backlog: nobody takes further connections, and nobody refuses them.
            full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
            for _ in range(4):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            stalled = self.serve("v1", faults=["stall:frame=2,offset=5000"])
            cases = {
                "nobody listens": dict(data_port=reserved_port(self)),
                "silent": dict(data_port=silent.getsockname()[1]),
                "no connection": dict(data_port=full.getsockname()[1]),
                "no such name": dict(host="no-such-host.invalid"),
                "stalled in a frame": dict(
                    data_port=stalled.data_port, control_port=stalled.control_port
                ),
            }
            for name, where in cases.items():
                with self.subTest(name):
                    run = receiving(None, protocol="v1", **where)
                    run.flowgraph.start()
                    if name.startswith("stalled"):
                        wait_until(lambda: stalled.counters["faults"] == 1, run.source.state)
                    else:
                        time.sleep(0.2)
                    self.assert_stops(run)
                    self.assertEqual(run.source.state(), "stopped")

    def test_it_can_be_started_again(self):
        server = self.serve("v1", sample_rate=400e3)
        run = receiving(server)
        for _ in range(2):
            with run:
                delivered = run.count("frames_delivered")
                run.wait_for("frames_delivered", delivered + 5)
        self.assert_adds_up(run.source.counters())
        self.assertEqual(len(run.sink.values("rx_freq")), 2)
        # What came in between is missing, and nobody counted it.
        self.assertIn(0, [lost for _, lost in run.sink.values("gap")])

    # Settings

    def test_a_frequency_that_is_set_is_in_the_tags_to_the_hertz(self):
        for protocol in ("v1", "v2"):
            with self.subTest(protocol=protocol):
                server = self.serve(protocol, sample_rate=400e3)
                # As 32-bit floats these are a multiple of 32 Hz.
                with receiving(server, frequency=433920001.0, gain_db=28.3) as run:
                    wait_until(lambda: run.source.frequency() == 433920001.0, run.source.state)
                    # Of the tuner's gains the nearest.
                    wait_until(lambda: server.gains_db == [28.0] * 5, run.source.counters)
                    run.source.set_frequency(868300007.0)
                    wait_until(
                        lambda: (868300007.0) in [f for _, f in run.sink.values("rx_freq")],
                        lambda: run.sink.values("rx_freq"),
                    )
                    run.source.set_gain([1.0, 2.0, 3.0, 8.0, 49.6])
                    gains = [0.9, 1.4, 2.7, 7.7, 49.6] if protocol == "v1" else [0.9] * 5
                    wait_until(lambda: server.gains_db == gains, lambda: server.gains_db)
                self.assertEqual(run.count("control_refused"), 0)

    def test_settings_are_sent_again_to_a_server_that_has_forgotten_them(self):
        for protocol in ("v1", "v2"):
            with self.subTest(protocol=protocol):
                ports = {"data_port": reserved_port(self), "control_port": reserved_port(self)}
                first = self.serve(protocol, sample_rate=400e3, **ports)
                with receiving(first) as run:
                    wait_until(run.source.is_receiving, run.source.state)
                    run.source.set_frequency(434e6)
                    run.source.set_gain(20.7)
                    wait_until(lambda: first.gains_db == [20.7] * 5, run.source.counters)
                    wait_until(lambda: first.frequency == 434e6, run.source.counters)
                    first.stop()
                    wait_until(lambda: not run.source.is_receiving(), run.source.state)
                    second = self.serve(protocol, sample_rate=400e3, **ports)
                    wait_until(lambda: second.gains_db == [20.7] * 5, run.source.counters)
                    wait_until(lambda: second.frequency == 434e6, run.source.counters)

    def test_settings_are_sent_while_no_data_come(self):
        for protocol, asked in (("v1", "v1"), ("v2", "auto")):
            with self.subTest(protocol=protocol):
                server = self.serve(protocol, sample_rate=400e3)
                sample = 8 if protocol == "v1" else 2

                def talk(client, number):
                    if number > 0:
                        return
                    # Once data came. A v1 client asks for each frame.
                    if protocol == "v1":
                        client.recv(100)
                    client.sendall(self.header(protocol, 100) + bytes(sample * 5 * 100))
                    if protocol == "v1":
                        client.recv(100)

                port = self.serve_by_hand(talk)
                with receiving(
                    None, protocol=asked, data_port=port, control_port=server.control_port
                ) as run:
                    run.wait_for("frames_delivered", 1)
                    run.wait_for("connections_lost", 2)
                    self.assertFalse(run.source.is_receiving())
                    run.source.set_frequency(435e6)
                    run.source.set_gain(20.7)
                    wait_until(lambda: server.frequency == 435e6, run.source.counters)
                    wait_until(lambda: server.gains_db == [20.7] * 5, run.source.counters)

    def test_the_log_is_not_flooded_by_the_control_port(self):
        answered = []

        def talk(client, number):
            while client.recv(4096):
                client.sendall(b"nonsense\n{\"status\": \"error\"}\n")
                answered.append(None)

        port = self.serve_by_hand(talk)
        server = self.serve("v2", sample_rate=400e3)
        with printed_lines() as lines, receiving(
            None, protocol="v2", data_port=server.data_port, control_port=port
        ) as run:
            wait_until(run.source.is_receiving, run.source.state)
            for k in range(12):
                run.source.set_frequency(433e6 + k)
                run.wait_for("control_refused", k + 1)
        told = [line for line in lines if "control port" in line]
        self.assertGreater(len(told), 1)
        # Of 24 sentences as many as a minute may have, and of another minute if it ends now.
        self.assertLessEqual(len(told), 21, lines)

    def test_what_is_in_force_is_not_set_again(self):
        server = self.serve("v1", frequency=434e6, sample_rate=400e3)
        with receiving(server, frequency=434e6, gain_db=[0.0]) as run:
            run.wait_for("frames_delivered", 20)
        self.assertEqual(server.counters["control_commands"], 0)

    def test_a_control_port_that_never_answers_does_not_stop_the_data(self):
        for protocol in ("v1", "v2"):
            with self.subTest(protocol=protocol):
                server = self.serve(protocol, sample_rate=400e3, answers=False)
                with receiving(server, frequency=435e6, timeout_s=0.5) as run:
                    run.wait_for("control_failures", 2)
                    delivered = run.count("frames_delivered")
                    run.wait_for("frames_delivered", delivered + 5)

    def test_nonsense_from_the_control_port_does_not_stop_the_data(self):
        server = self.serve("v2", sample_rate=400e3)
        nonsense = [b"\n\n{}\n[]\n{\"settings\": 3}\nnull\n" + b"[" * 60000 + b"\n",
                    b"{\"settings\":{\"sample_rate\":-1e999,\"center_freq\":\"x\"}}\n",
                    b"x" * 100000]  # fmt: skip
        clients = []

        def serve(listener):
            with contextlib.suppress(OSError):
                while True:
                    clients.append(listener.accept()[0])
                    clients[-1].sendall(nonsense[len(clients) % 3])

        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=serve, args=(listener,), daemon=True).start()
            with receiving(
                None, protocol="v2", data_port=server.data_port,
                control_port=listener.getsockname()[1], frequency=435e6, timeout_s=0.5,
            ) as run:  # fmt: skip
                run.wait_for("control_failures", 4)
                delivered = run.count("frames_delivered")
                run.wait_for("frames_delivered", delivered + 3)
                self.assertEqual(run.source.sample_rate(), 2.4e6)
            listener.shutdown(socket.SHUT_RDWR)
        for client in clients:
            client.close()

    def test_commands_and_status_are_messages(self):
        server = self.serve("v1", sample_rate=400e3)
        run = receiving(server)
        run.flowgraph.msg_connect(run.source, "status", run.messages, "store")
        with run:
            wait_until(run.source.is_receiving, run.source.state)
            port = pmt.intern("command")
            command = pmt.dict_add(pmt.make_dict(), pmt.intern("freq"), pmt.from_double(434.5e6))
            command = pmt.dict_add(command, pmt.intern("gain"), pmt.init_f64vector(5, [0.9] * 5))
            run.source.to_basic_block()._post(port, command)
            wait_until(lambda: server.frequency == 434.5e6, run.source.state)
            wait_until(lambda: server.gains_db == [0.9] * 5, lambda: server.gains_db)
            run.source.to_basic_block()._post(
                port, pmt.cons(pmt.intern("freq"), pmt.from_double(435e6))
            )
            wait_until(lambda: server.frequency == 435e6, run.source.state)
            for bad in (
                pmt.intern("freq"),
                pmt.cons(pmt.intern("freq"), pmt.from_double(-1.0)),
                pmt.cons(pmt.intern("gain"), pmt.init_f64vector(2, [1.0, 2.0])),
                pmt.cons(pmt.intern("antenna"), pmt.from_double(1.0)),
            ):
                run.source.to_basic_block()._post(port, bad)
            run.wait_for("bad_commands", 4)

            def last_status():
                count = run.messages.num_messages()
                return pmt.to_python(run.messages.get_message(count - 1)) if count else {}

            wait_until(lambda: "receiving from" in last_status().get("state", ""), last_status)
            status = last_status()
        self.assertIn("receiving from", status["state"])
        self.assertIs(status["receiving"], True)
        self.assertIn("frames_received", status["counters"])

    def test_the_log_tells_each_change_once(self):
        port = reserved_port(self)
        with printed_lines() as lines, receiving(None, protocol="v1", data_port=port) as run:
            run.wait_for("connection_failures", 4)
        told = [line for line in lines if "no data" in line]
        self.assertEqual(len(told), 1, lines)
        self.assertIn(f"127.0.0.1:{port} (v1): Connection refused", told[0])

    # Arguments

    def test_wrong_parameters_are_named(self):
        for name, value in (
            ("num_elements", 0), ("num_elements", 33), ("frequency", -1.0),
            ("frequency", 434.0), ("frequency", 433.92), ("frequency", 6.1e9),
            ("frequency", float("nan")), ("gain_db", -1.0), ("gain_db", [1.0, 2.0]),
            ("gain_db", [60.0]), ("host", ""), ("protocol", "v3"), ("data_port", -1),
            ("control_port", 65536), ("timeout_s", 0.0), ("timeout_s", float("inf")),
        ):  # fmt: skip
            with self.subTest(name=name, value=value):
                with self.assertRaisesRegex(ValueError, name):
                    bearing.kraken_source(**{name: value})
        source = bearing.kraken_source()
        with self.assertRaisesRegex(ValueError, "frequency"):
            source.set_frequency(-1.0)
        with self.assertRaisesRegex(ValueError, "gain_db"):
            source.set_gain([1.0, 2.0])
        self.assertEqual(source.state(), "not started")
        self.assertEqual((source.frequency(), source.sample_rate()), (0.0, 0.0))
        self.assertEqual(source.num_elements(), 5)


if __name__ == "__main__":
    unittest.main()

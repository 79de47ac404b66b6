#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Kraken simulator, read by clients written here: what is on the wire is what a server sends."""

import json
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest

import numpy as np
from gnuradio import bearing
from gnuradio.bearing.tools.kraken_simulator import kraken_simulator, simulator_fault
from support import BUILD_DIR, PATIENCE, reserved_port

SPEED_OF_LIGHT = 299792458.0
PROGRAM = BUILD_DIR / "apps" / "bearing-kraken-simulator"


class client:
    """A connection that reads what it is told to."""

    def __init__(self, port, first=b""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.sendall(first)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def read(self, size):
        data = bytearray()
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise ConnectionError(f"{len(data)} of {size} bytes")
            data += part
        return bytes(data)

    def line(self):
        """Up to the next line end."""
        text = b""
        while not text.endswith(b"\n"):
            text += self.read(1)
        return text

    def v1_frame(self):
        """(header, channels x samples), and asks for the next one."""
        header = self.read(1024)
        channels, = struct.unpack_from("<I", header, 28)
        samples, = struct.unpack_from("<I", header, 64)
        data = np.frombuffer(self.read(8 * channels * samples), "<c8").reshape(channels, samples)
        self.socket.sendall(b"IQDownload")
        return header, data

    def v2_packet(self):
        """(header words, frequencies and gains, channels x samples)."""
        words = struct.unpack(">8I", self.read(32))
        tuning = np.frombuffer(self.read(8 * words[1]), "<f4").reshape(words[1], 2)
        data = np.frombuffer(self.read(2 * words[1] * words[2]), np.uint8)
        data = (data.reshape(words[1], words[2], 2).astype(float) - 128) / 127
        return words, tuning, data[..., 0] + 1j * data[..., 1]


def u32(header, offset):
    return struct.unpack_from("<I", header, offset)[0]


def kraken_bearing(samples, frequency):
    """Where the beam of a circle of radius 0.25 m is strongest, in degrees counter-clockwise from
    antenna 0, antennas numbered clockwise: as the KrakenSDR's own programs have it."""
    n = len(samples)
    theta = np.deg2rad(np.arange(0, 360, 0.5))
    antennas = -2 * np.pi * np.arange(n) / n
    x, y = 0.25 * np.cos(antennas), 0.25 * np.sin(antennas)
    phase = np.outer(x, np.cos(theta)) + np.outer(y, np.sin(theta))
    steering = np.exp(2j * np.pi * frequency / SPEED_OF_LIGHT * phase)
    r = samples @ samples.conj().T
    power = np.einsum("ng,nm,mg->g", steering.conj(), r, steering).real
    return np.rad2deg(theta[np.argmax(power)])


class qa_kraken_simulator(unittest.TestCase):
    def serve(self, *arguments, **parameters):
        simulator = kraken_simulator(*arguments, **parameters).start()
        self.addCleanup(simulator.stop)
        return simulator

    def test_288_degrees_clockwise_are_72_in_frames_of_v1(self):
        server = self.serve("v1", [288.0], pace=None)
        with client(server.data_port, b"streaming") as c:
            headers, data = zip(*[c.v1_frame() for _ in range(3)])
        for k, header in enumerate(headers):
            self.assertEqual(u32(header, 0), 0x2BF7B95A)
            self.assertEqual([u32(header, o) for o in (4, 28, 64, 100, 1020)], [0, 5, 4096, 32, 7])
            self.assertEqual(header[8:24], b"kraken5".ljust(16, b"\0"))
            self.assertEqual(struct.unpack_from("<3Q", header, 40), (433920000, 2400000, 2400000))
            self.assertEqual(u32(header, 84), k)
            self.assertEqual([u32(header, o) for o in (236, 240, 244, 248)], [1, 1, 6, 0])
        # Grid of half degrees.
        self.assertAlmostEqual(kraken_bearing(data[0], 433.92e6), 72.0, delta=0.5)
        self.assertLessEqual(abs(np.concatenate(data)).max(), 1.5)

    def test_160_degrees_clockwise_are_200_in_packets_of_v2(self):
        server = self.serve("v2", [160.0], pace=None)
        with client(server.data_port) as c:
            words, tuning, data = c.v2_packet()
        self.assertEqual(words, (0x4D434851, 5, 16384, 4, 0, 0, 0, 0))
        self.assertTrue((tuning[:, 0] == np.float32(433.92e6)).all())
        self.assertAlmostEqual(kraken_bearing(data, 433.92e6), 200.0, delta=0.5)

    def test_bytes_of_v2_have_no_constant_in_common(self):
        server = self.serve("v2", [], pace=None)
        with client(server.data_port) as c:
            mean = np.mean([c.v2_packet()[2] for _ in range(10)])
        # Noise of deviation 0.18 in 820000 numbers: five deviations of their mean. Half a step of
        # a byte is 0.004.
        self.assertLess(max(abs(mean.real), abs(mean.imag)), 0.001)

    def test_the_control_port_is_obeyed_and_waves_follow(self):
        server = self.serve("v1", [30.0], pace=None)
        with client(server.control_port) as c:
            for message in (
                b"INIT", b"FREQ" + struct.pack("<Q", 300000000),
                b"GAIN" + struct.pack("<5I", 9, 14, 27, 37, 77), b"AGC ",
            ):  # fmt: skip
                # A short message, as one client sends it, at the end.
                c.socket.sendall(message.ljust(128, b"\0") if message != b"AGC " else message)
                self.assertEqual(c.read(128), b"FNSD" + bytes(124))
        with client(server.data_port, b"streaming") as c:
            header, data = c.v1_frame()
        self.assertEqual(struct.unpack_from("<Q", header, 40), (300000000,))
        self.assertEqual([u32(header, 108 + 4 * m) for m in range(6)], [9, 14, 27, 37, 77, 0])
        self.assertAlmostEqual(kraken_bearing(data, 300e6), 330.0, delta=0.5)

        server = self.serve("v2", pace=None)
        with client(server.control_port) as c:
            # Without a line end between them.
            c.socket.sendall(b'{"command":"set_frequency","frequency":868000000}'
                             b'{"command":"set_gain","gain":28.0}{"command":"x"}')  # fmt: skip
            lines = []
            while not (
                sum("status" in line for line in lines) >= 3
                and any("settings" in line for line in lines)
            ):
                lines.append(json.loads(c.line()))
        answers = [line["status"] for line in lines if "status" in line]
        self.assertEqual(answers, ["success", "success", "error"])
        self.assertEqual((server.frequency, server.gains_db), (868e6, [28.0] * 5))

    def test_absurd_tunings_are_refused_and_data_go_on(self):
        server = self.serve("v1", pace=None)
        with client(server.control_port) as c:
            for message in (
                b"FREQ" + struct.pack("<Q", 1), b"FREQ" + struct.pack("<Q", 2**64 - 1),
                b"FREQ" + struct.pack("<Q", 5000), b"GAIN" + struct.pack("<5I", *[2**32 - 1] * 5),
            ):  # fmt: skip
                c.socket.sendall(message.ljust(128, b"\0"))
                c.read(128)
        self.assertEqual(server.counters["control_errors"], 4)
        with client(server.data_port, b"streaming") as c:
            header, _ = c.v1_frame()
        self.assertEqual(struct.unpack_from("<Q", header, 40), (433920000,))

        server = self.serve("v2", pace=None, num_samples=100)
        values = ("1", "-1", "1e300", "1e999", "NaN", "1" + "0" * 400, "true")
        with client(server.control_port) as c:
            for command, name in (("set_frequency", "frequency"), ("set_gain", "gain")):
                for value in values[2 if name == "gain" else 0 :]:
                    text = f'{{"command":"{command}","{name}":{value}}}\n'
                    c.socket.sendall(text.encode())
                    while b'"message"' not in (line := c.line()):
                        self.assertNotIn(b"success", line, text)
        with client(server.data_port) as c:
            _, tuning, _ = c.v2_packet()
        self.assertTrue((tuning[:, 0] == np.float32(433.92e6)).all())
        self.assertTrue((tuning[:, 1] == 0.0).all())

    def test_a_retune_goes_through_the_states_of_a_server(self):
        server = self.serve("v2", pace=None, retune=True, num_samples=100)
        with client(server.control_port) as c:
            c.socket.sendall(b'{"command":"set_frequency","frequency":868000000}\n')
            while b"success" not in c.line():
                pass
        with client(server.data_port) as c:
            packets = [c.v2_packet()[0] for _ in range(8)]
        self.assertEqual([(w[3], w[4], w[7]) for w in packets], [
            (5, 0, 1), (5, 0, 0), (0, 1, 0), (1, 1, 0), (3, 1, 0), (3, 0, 0), (4, 0, 0), (4, 0, 0),
        ])  # fmt: skip

    def test_calibration_bursts_and_empty_frames_come_when_they_should(self):
        server = self.serve(
            "v1", pace=None, cal_every=3, cal_length=2, dummy_every=7, drop_every=6, num_samples=100
        )
        with client(server.data_port, b"streaming") as c:
            frames = [c.v1_frame()[0] for _ in range(11)]
        # Number 5 and 11 of each dozen are left out.
        self.assertEqual([u32(f, 84) for f in frames], [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12])
        self.assertEqual([u32(f, 4) for f in frames], [0, 0, 0, 3, 3, 1, 0, 3, 3, 0, 0])
        self.assertEqual([u32(f, 64) for f in frames][3:6], [65536, 65536, 0])

    def test_an_outage_closes_connections_and_refuses_new_ones(self):
        server = self.serve(
            "v1", [10.0], phase_jumps=True, num_samples=1000, data_port=reserved_port(self)
        )
        with client(server.data_port, b"streaming") as c:
            before = c.v1_frame()[1]
            server.go_away()
            with self.assertRaises(OSError):
                while True:
                    c.v1_frame()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                client(server.data_port).socket.close()
            except ConnectionRefusedError:
                break
            except ConnectionError:
                pass  # taken, and closed by the server's end
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        server.come_back()
        while True:
            try:
                c = client(server.data_port, b"streaming")
                break
            except ConnectionRefusedError:
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)
        with c:
            after = c.v1_frame()[1]
        # Phases between the first channels of one transmitter, which stands where it stood.
        turn = np.angle((after[1] @ after[0].conj()) / (before[1] @ before[0].conj()))
        self.assertGreater(abs(turn), 0.01)

    def test_wrong_parameters_are_named(self):
        array = bearing.array.uca(5, 0.4)
        for name, value in (
            ("protocol", "v3"), ("pace", 0.0), ("frequency", -1.0), ("sample_rate", 0.0),
            ("array", array), ("num_samples", 0), ("faults", ["retuning"]), ("gains", [1, 2]),
        ):  # fmt: skip
            with self.subTest(name=name):
                with self.assertRaisesRegex(ValueError, name):
                    kraken_simulator(**{name: value})
        for text in ("nothing", "close:frame=-1", "close:when=3"):
            with self.assertRaises(ValueError):
                simulator_fault.from_text(text)

    def test_the_program_serves_until_it_is_told_to_stop(self):
        process = subprocess.Popen(
            [sys.executable, "-B", str(PROGRAM), "--protocol", "v1", "--data-port", "0",
             "--control-port", "0", "--bearing", "90", "--fast", "--fault", "dummy:frame=1"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            words = process.stdout.readline().replace(",", " ").split()
            with client(int(words[words.index("data") + 2]), b"streaming") as c:
                _, data = c.v1_frame()
                header, _ = c.v1_frame()
            self.assertEqual(u32(header, 4), 1)
            self.assertAlmostEqual(kraken_bearing(data, 433.92e6), 270.0, delta=0.5)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=PATIENCE)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()
        self.assertEqual(process.returncode, 128 + signal.SIGTERM)
        self.assertIn("1 connections", errors)

    def test_the_program_refuses_wrong_options(self):
        for options, word in (
            (["--data-port", "70000"], "data-port"), (["--fault", "x"], "kind"),
            (["--gain", "1,2"], "gains"), (["--gain", "1,x"], "commas"), (["--pace", "0"], "pace"),
        ):  # fmt: skip
            run = subprocess.run(
                [sys.executable, "-B", str(PROGRAM), *options], capture_output=True, text=True,
                timeout=PATIENCE,
            )  # fmt: skip
            self.assertEqual(run.returncode, 2)
            self.assertIn(word, run.stderr)


if __name__ == "__main__":
    unittest.main()

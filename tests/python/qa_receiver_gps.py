#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver's place by gpsd: against a server that says what gpsd says, and what it does not."""

import contextlib
import json
import queue
import socket
import threading
import time
import unittest
from unittest import mock

from gnuradio.bearing.output.station import station
from gnuradio.bearing.receiver import gps
from gnuradio.bearing.receiver.config_types import gpsd_config

# Seconds of waiting for what happens at once.
PATIENCE = 60

VERSION = {"class": "VERSION", "release": "3.22", "proto_major": 3, "proto_minor": 14}
FIX = {
    "class": "TPV", "device": "/dev/a", "mode": 3, "lat": 47.5, "lon": 8.7, "altHAE": 520.0,
    "altMSL": 472.0, "speed": 3.0, "track": 200.0,
}
NO_FIX = {"class": "TPV", "device": "/dev/a", "mode": 1}


class gpsd:
    """A server that takes one client at a time; asked: what clients sent."""

    def __init__(self):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.asked = queue.Queue()
        self._clients = queue.Queue()
        self._client = None
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            client.sendall(json.dumps(VERSION).encode() + b"\r\n")
            self.asked.put(client.recv(4096).decode())
            self._clients.put(client)

    def wait_for_client(self):
        self._client = self._clients.get(timeout=PATIENCE)

    def say(self, *messages):
        self.send(b"".join(json.dumps(m).encode() + b"\r\n" for m in messages))

    def send(self, data):
        self._client.sendall(data)

    def hang_up(self):
        # Both ways, or the other side is told nothing while a thread still reads.
        self._client.shutdown(socket.SHUT_RDWR)
        self._client.close()

    def close(self):
        # A thread that waits for clients would wait at whatever socket has the number next.
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._server.close()
        if self._client is not None:
            self._client.close()


class qa_receiver_gps(unittest.TestCase):
    def setUp(self):
        self.server = gpsd()
        self.addCleanup(self.server.close)
        self.stations = queue.Queue()

    def start(self, base=station(name="hill"), **options):
        # Nothing becomes stale unless a test wants it.
        options = {"stale_s": 600.0, **options}
        config = gpsd_config(host="127.0.0.1", port=self.server.port, **options)
        self.client = gps.gps_client(config, base, self.stations.put)
        self.client.start()
        self.addCleanup(self.client.stop)
        self.server.wait_for_client()

    def next_station(self):
        return self.stations.get(timeout=PATIENCE)

    def wait_until(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, self.client.state())
            time.sleep(0.01)

    def test_it_asks_for_json(self):
        self.start()
        asked = self.server.asked.get(timeout=PATIENCE)
        self.assertTrue(asked.startswith("?WATCH="))
        self.assertEqual(json.loads(asked[7:].strip()), {"enable": True, "json": True})

    def test_position_altitude_and_speed_are_those_of_the_fix(self):
        self.start()
        self.server.say(NO_FIX, FIX)
        self.assertEqual(
            self.next_station(),
            station(name="hill", latitude=47.5, longitude=8.7, altitude_m=520.0, speed_m_s=3.0),
        )
        self.assertEqual(self.client.counters()["without_fix"], 1)

        def is_new():
            self.server.say(FIX)
            return "fix 0 s old" in self.client.state()

        self.wait_until(is_new)

    def test_a_configured_heading_stays_when_gpsd_tells_the_position(self):
        self.start(station(heading_deg=12.0))
        self.server.say(FIX)
        self.assertEqual(self.next_station().heading_deg, 12.0)

    def test_heading_by_compass_with_an_offset(self):
        self.start(heading="attitude", heading_offset_deg=-90.0)
        self.server.say({"class": "ATT", "device": "/dev/a", "heading": 30.0})
        self.assertEqual(self.next_station().heading_deg, 300.0)

    def test_heading_by_track_is_that_of_motion(self):
        self.start(heading="track", min_speed_m_s=2.0)
        self.server.say({**FIX, "speed": 0.5, "track": 77.0})
        self.assertIsNone(self.next_station().heading_deg)
        self.server.say({**FIX, "track": 200.0})
        self.assertEqual(self.next_station().heading_deg, 200.0)
        # Standing again: where it came from, not where the noise of the fix points to.
        self.server.say({**FIX, "lat": 47.6, "speed": 0.1, "track": 5.0})
        standing = self.next_station()
        self.assertEqual((standing.latitude, standing.heading_deg), (47.6, 200.0))

    def test_position_alone_can_be_left_to_the_file(self):
        self.start(station(latitude=1.0, longitude=2.0), position=False, heading="track")
        self.server.say(FIX)
        told = self.next_station()
        self.assertEqual((told.latitude, told.heading_deg, told.speed_m_s), (1.0, 200.0, None))

    def test_other_receivers_of_the_same_gpsd_are_left_alone(self):
        self.start(device="/dev/b")
        self.assertEqual(
            json.loads(self.server.asked.get(timeout=PATIENCE)[7:])["device"], "/dev/b"
        )
        self.server.say(FIX, {**FIX, "device": "/dev/b", "lat": 10.0})
        self.assertEqual(self.next_station().latitude, 10.0)

    def test_a_stale_position_is_kept_and_said_to_be_so_a_stale_heading_is_not_kept(self):
        self.start(heading="attitude", stale_s=2.0)
        seen = station()
        while seen.heading_deg is None:
            self.server.say(FIX, {"class": "ATT", "heading": 30.0})
            with contextlib.suppress(queue.Empty):
                seen = self.stations.get(timeout=0.5)
        while seen.heading_deg is not None:
            seen = self.next_station()
        self.assertEqual((seen.latitude, seen.longitude), (47.5, 8.7))
        self.wait_until(lambda: "stale" in self.client.state())

    def test_it_connects_again(self):
        self.start()
        self.server.say(FIX)
        self.next_station()
        self.server.hang_up()
        self.server.wait_for_client()
        self.server.say({**FIX, "lat": 48.0})
        self.assertEqual(self.next_station().latitude, 48.0)
        self.assertEqual(self.client.counters()["connections"], 2)

    def test_what_gpsd_never_says_is_counted_and_harmless(self):
        self.start()
        for line in (
            b"not json", b"[1, 2]", b"3", b'"TPV"', b"{}", b"", b"\xff\xfe", b"[" * 5000,
            b'{"class": "TPV", "mode": "3", "lat": 1, "lon": 2}',
            b'{"class": "TPV", "mode": 3, "lat": 1e999, "lon": 2}',
            b'{"class": "TPV", "mode": 3, "lat": 91, "lon": 2}',
            b'{"class": "TPV", "mode": 3, "lat": [1], "lon": 2}',
            b'{"class": "TPV", "mode": 3}',
            b'{"class": "TPV", "mode": true, "lat": 1, "lon": 2}',
            b'{"class": "SKY", "satellites": 3}',
        ):
            self.server.send(line + b"\r\n")
        self.server.say(FIX)
        self.assertEqual(self.next_station().latitude, 47.5)
        self.assertGreater(self.client.counters()["bad_messages"], 8)
        self.assertEqual(self.client.counters()["connections"], 1)

    def test_lines_without_end_are_cut_off(self):
        # Before it tries again, and says so instead.
        pause = mock.patch.object(gps, "_FIRST_PAUSE", gps._LONGEST_PAUSE)
        pause.start()
        self.addCleanup(pause.stop)
        self.start()
        with self.assertRaises(OSError):
            for _ in range(10000):
                self.server.send(b"x" * 4096)
        self.wait_until(lambda: "no gpsd" in self.client.state())

    def test_half_a_line_before_the_end_does_no_harm(self):
        self.start()
        self.server.send(b'{"class": "TPV", "mo')
        self.server.hang_up()
        self.server.wait_for_client()
        self.server.say(FIX)
        self.assertEqual(self.next_station().latitude, 47.5)

    def test_without_gpsd_it_says_so_and_stops_at_once(self):
        # Bound, so that nobody else can listen there.
        closed = self.enterContext(socket.socket())
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        client = gps.gps_client(
            gpsd_config(host="127.0.0.1", port=port), station(), self.stations.put
        )
        self.client = client
        client.start()
        self.wait_until(lambda: "refused" in client.state())
        begin = time.monotonic()
        client.stop()
        self.assertLess(time.monotonic() - begin, 20)
        self.assertTrue(self.stations.empty())

    def test_whatever_goes_wrong_it_tries_again(self):
        make = gps._make_client
        wrong = [ImportError("No module named 'gps'"), KeyError("on purpose")]
        details = []

        def make_client():
            details.append(self.client.state())
            if wrong:
                raise wrong.pop(0)
            return make()

        with mock.patch.object(gps, "_make_client", make_client), mock.patch.object(
            gps, "_FIRST_PAUSE", 0.02
        ):
            self.start()
            self.server.say(FIX)
            self.assertEqual(self.next_station().latitude, 47.5)
        self.assertIn("python3-gps", details[1])
        self.assertIn("KeyError: 'on purpose'", details[2])

    def test_a_callback_that_raises_does_not_end_it(self):
        told = []

        def callback(place):
            told.append(place)
            raise RuntimeError("on purpose")

        self.stations.put = callback
        with self.assertLogs("gnuradio.bearing", "ERROR"):
            self.start()
            self.server.say(FIX)
            self.wait_until(lambda: len(told) == 1)
            self.server.say({**FIX, "lat": 48.0})
            self.wait_until(lambda: len(told) == 2)


if __name__ == "__main__":
    unittest.main()

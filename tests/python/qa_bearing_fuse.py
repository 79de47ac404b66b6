#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-fuse: bearings of receivers meet where the transmitter is, whoever else sends what."""

import asyncio
import contextlib
import dataclasses
import fcntl
import io
import itertools
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pmt
import zmq
import zmq.asyncio
from gnuradio import bearing, gr
from gnuradio.bearing.fusion import association, geodesy, geojson, message_bytes
from gnuradio.bearing.fusion import fix_report, line_output
from gnuradio.bearing.fusion.feed import feed, feed_address
from gnuradio.bearing.fusion import fuser as fuser_module
from gnuradio.bearing.fusion.fuser import fuser
from gnuradio.bearing.fusion.observation import observe, unusable
from gnuradio.bearing.fusion.silence_watch import silence_watch
from gnuradio.bearing.fusion.station_table import MAX_CHANNELS, station_table
from gnuradio.bearing.output.bearing_record import bearing_record
from gnuradio.bearing.output.bearing_writer import bearing_writer
from gnuradio.bearing.output.station import station
from gnuradio.bearing.tools import fuse

from support import BUILD_DIR

PROGRAM = BUILD_DIR / "apps" / "bearing-fuse"
# Seconds after which what does not happen has failed.
PATIENCE = 60
FREQUENCY = 433.92e6
TRUTH = (47.4, 8.6)
HILL = station("hill", 47.5, 8.7, heading_deg=12.0)
LAKE = station("lake", 47.3, 8.9, heading_deg=100.0)
TOWN = station("town", 47.25, 8.45, heading_deg=0.0)


def report(angles, std=1.0, status="ok", frequency=FREQUENCY):
    angles = np.atleast_1d(np.asarray(angles, np.float32))
    same = np.ones_like(angles)
    return bearing.bearing_report(
        angles_deg=angles,
        std_deg=std * same,
        true_bearing_deg=angles % 360,
        power_db=-10 * same,
        snr_db=20 * same,
        status=status,
        method="music",
        rx_time=(1700000000, 0.25),
        rx_freq=frequency,
        num_sources=angles.size,
        snapshots=100,
    )


def record(place, *targets, **options):
    """What a station says of transmitters at these places."""
    angles = [seen_from(place, target) for target in targets]
    return bearing_record(report(angles, **options), place, channel="beacon")


def seen_from(place, target):
    """Azimuth of the array there."""
    towards = geodesy.initial_bearing(place.latitude, place.longitude, *target)
    return (towards - place.heading_deg) % 360.0


def observed(place, *targets, arrived_s=0.0, **options):
    return observe(record(place, *targets, **options), "feed", arrived_s)


class qa_message_bytes(unittest.TestCase):
    def setUp(self):
        self.message = record(HILL, TRUTH).to_message()
        self.data = pmt.serialize_str(self.message)
        self.read = message_bytes.message_reader().read

    def test_what_fusion_reads_is_kept(self):
        found = bearing_record.from_message(self.read(self.data))
        expected = bearing_record.from_message(self.message)
        for name in ("status", "method", "rx_time", "rx_freq", "num_sources", "snapshots"):
            self.assertEqual(getattr(found.report, name), getattr(expected.report, name))
        for name in ("angles_deg", "std_deg", "true_bearing_deg", "power_db", "snr_db"):
            np.testing.assert_array_equal(getattr(found.report, name),
                                          getattr(expected.report, name))
        self.assertEqual((found.station, found.channel), (expected.station, expected.channel))

    def test_other_entries_of_any_kind_are_passed_over(self):
        message = self.message
        details = pmt.car(message)
        for k, value in enumerate((
            pmt.PMT_T, pmt.PMT_NIL, pmt.from_long(-5), pmt.from_uint64(2**60), pmt.from_double(1.5),
            pmt.from_complex(1 + 2j), pmt.intern("free words"), pmt.init_u8vector(3, [1, 2, 3]),
            pmt.init_c32vector(2, [1, 2j]), pmt.make_tuple(pmt.from_long(1), pmt.PMT_NIL),
        )):
            details = pmt.dict_add(details, pmt.intern(f"other{k}"), value)
        data = pmt.serialize_str(pmt.cons(details, pmt.cdr(message)))
        found = self.read(data)
        self.assertTrue(pmt.equal(found, self.read(self.data)))

    def test_bytes_that_would_end_the_process_are_refused(self):
        symbol, null, pair = b"\x02", b"\x06", b"\x07"
        dict_, vector, tuple_ = b"\x09", b"\x0a", b"\x0c"
        entry = dict_ + pair + symbol + b"\0\1a"
        angles = vector + b"\x08\0\0\0\0\0"
        cases = {
            "nested pairs": pair * 200000,
            "nested dicts": pair + dict_ * 200000,
            "nested tuples": pair + entry + (tuple_ + b"\0\0\0\1") * 100000,
            "long tuple": pair + entry + tuple_ + b"\xff\xff\xff\xff",
            "vector of 16 GB": pair + null + vector + b"\x08\xff\xff\xff\xff\0",
            "vector of 64 GB inside": pair + entry + vector + b"\x0b\xff\xff\xff\xff\0",
            "vector of PMTs": pair + entry + b"\x08\xff\xff\xff\xff",
            "long symbol": pair + dict_ + pair + symbol + b"\xff\xff" + b"a" * 65535,
            "entries without end": pair + (entry + null) * 100000 + null + angles,
            "too many bytes": pair + null + angles + bytes(message_bytes.MAX_BYTES),
            "something behind": self.data + b"\0",
            "nothing": b"",
            "a number": b"\x03\0\0\0\1",
            "no name": pair + dict_ + pair + null,
            "directions": pair + null + vector + b"\x08" + struct.pack(">IB", 65, 0) + bytes(260),
        }
        for name, data in cases.items():
            with self.subTest(name), self.assertRaises(message_bytes.malformed):
                self.read(data)

    def test_every_truncation_is_refused(self):
        for size in range(len(self.data)):
            with self.assertRaises(message_bytes.malformed):
                self.read(self.data[:size])

    def test_bytes_changed_at_random_give_a_record_or_a_complaint(self):
        random = np.random.default_rng(1)
        outcomes = {True: 0, False: 0}
        for _ in range(4000):
            data = bytearray(self.data)
            for place in random.integers(0, len(data), random.integers(1, 4)):
                data[place] = random.integers(0, 256)
            try:
                bearing_record.from_message(self.read(bytes(data)))
                outcomes[True] += 1
            except (ValueError, RuntimeError):
                outcomes[False] += 1
        # Most bytes are digits of numbers, the others structure.
        self.assertGreater(min(outcomes.values()), 400)

    def test_names_that_change_for_ever_are_refused_in_the_end(self):
        template = self.data
        read = 0
        with self.assertRaisesRegex(message_bytes.malformed, "new name"):
            for k in range(message_bytes.MAX_SYMBOLS + 1):
                self.read(template.replace(b"\0\4hill", b"\0\4" + b"%04x" % k))
                read += 1
        self.assertGreater(read, message_bytes.MAX_SYMBOLS - 10)
        # Those that are known are read on.
        self.read(template.replace(b"\0\4hill", b"\0\4" + b"0001"))

    def test_all_feeds_together_have_one_limit_of_names(self):
        known = set()
        readers = [message_bytes.message_reader(known) for _ in range(3)]

        def read(reader, name):
            reader.read(self.data.replace(b"\0\4hill", b"\0\4" + name))

        read(readers[0], b"ours")
        with unittest.mock.patch.object(message_bytes, "MAX_ALL_SYMBOLS", len(known) + 5):
            for k in range(5):
                read(readers[1], b"%04x" % k)
            with self.assertRaisesRegex(message_bytes.malformed, "all senders"):
                read(readers[2], b"0005")
            # What one has said another may say, too.
            read(readers[2], b"ours")


class qa_association(unittest.TestCase):
    def test_what_cannot_be_combined_is_named(self):
        nowhere = station("x", heading_deg=0.0)
        for one, why in (
            (bearing_record(report([10.0]), nowhere), "without_position"),
            (record(HILL, TRUTH, status="no_source"), "status_not_ok"),
            (record(HILL, TRUTH, std=np.nan), "without_deviation"),
            (record(HILL, TRUTH, frequency=None), "without_frequency"),
            (bearing_record(report([np.nan]), HILL), "without_deviation"),
        ):
            with self.assertRaisesRegex(unusable, f"^{why}$"):
                observe(one, "feed", 0.0)

    def test_a_station_without_name_has_that_of_its_feed(self):
        place = station("", 47.5, 8.7, heading_deg=0.0)
        self.assertEqual(observe(record(place, TRUTH), "tcp://a:1", 0.0).station, "tcp://a:1")

    def test_frequencies_near_each_other_are_one_and_rows_of_neighbours_are_not(self):
        def at(place, offset):
            return observed(place, TRUTH, frequency=FREQUENCY + offset)

        group = association.by_frequency([at(HILL, 0), at(LAKE, 900), at(TOWN, 1800)], 1000.0)
        self.assertEqual([[o.station for o in g] for g in group], [["hill", "lake"]])
        self.assertEqual(association.by_frequency([at(HILL, 0), at(LAKE, 1100)], 1000.0), [])

    def test_a_place_counts_once_with_its_latest(self):
        old, new = observed(HILL, TRUTH, arrived_s=1.0), observed(HILL, TRUTH, arrived_s=2.0)
        other = observed(LAKE, TRUTH)
        self.assertEqual(association.by_frequency([old, new], 1.0), [])
        (group,) = association.by_frequency([old, other, new], 1.0)
        self.assertEqual(group, [new, other])

    def test_a_station_that_moves_is_one(self):
        # Heard on two channels, that differ by less than the tolerance, two metres apart.
        moved = station("hill", HILL.latitude + 2.0 / 111e3, HILL.longitude, heading_deg=12.0)
        old = observed(HILL, TRUTH, arrived_s=1.0)
        new = observed(moved, TRUTH, arrived_s=2.0, frequency=FREQUENCY + 10.0)
        other = observed(LAKE, TRUTH)
        (group,) = association.by_frequency([old, new, other], 1000.0)
        self.assertEqual(group, [new, other])
        # Two of one name on different feeds are two.
        away = dataclasses.replace(old, feed="another")
        (group,) = association.by_frequency([away, new, other], 1000.0)
        self.assertEqual(len(group), 3)

    def test_of_too_many_stations_the_latest_are_looked_at(self):
        places = [(47.0 + 0.001 * (k % 40), 8.0 + 0.001 * (k // 40)) for k in range(1000)]
        crowd = [
            dataclasses.replace(observed(HILL, TRUTH), station=f"s{k}", latitude=place[0],
                                longitude=place[1], arrived_s=float(k))
            for k, place in enumerate(places)
        ]
        with unittest.mock.patch.object(
            association, "_place_m", wraps=association._place_m
        ) as looked_at:
            (group,) = association.by_frequency(crowd, 1.0)
        self.assertEqual(len(group), association.MAX_STATIONS)
        self.assertEqual(min(one.arrived_s for one in group), 1000.0 - association.MAX_STATIONS)
        self.assertEqual(looked_at.call_count, association.MAX_STATIONS)

    def test_many_stations_have_fewer_combinations(self):
        group = [
            dataclasses.replace(observed(HILL, TRUTH, TRUTH), station=f"s{k}",
                                latitude=47.0 + 0.01 * k, longitude=8.0 + 0.02 * (k % 7))
            for k in range(60)
        ]
        with unittest.mock.patch.object(
            association, "triangulate", wraps=association.triangulate
        ) as tried:
            association.transmitters(group)
        self.assertLessEqual(tried.call_count * 60 * 59 // 2, association._MOST_PAIRS)
        self.assertGreater(tried.call_count, 16)

    def test_one_transmitter_is_where_it_is(self):
        (found,) = association.transmitters([observed(HILL, TRUTH), observed(LAKE, TRUTH)])
        self.assertEqual(found.fix.status, "ok")
        # Single precision of bearings: 1.5e-5 degrees over 27 km are 7 mm, crossing 80 degrees.
        self.assertLess(geodesy.distance(found.fix.latitude, found.fix.longitude, *TRUTH), 0.05)

    def test_three_stations_tell_transmitters_from_ghosts(self):
        targets = [TRUTH, (47.45, 9.0)]
        group = [observed(place, *targets[::turn], std=0.3)
                 for place, turn in ((HILL, 1), (LAKE, -1), (TOWN, 1))]
        found = association.transmitters(group)
        self.assertEqual([one.fix.status for one in found], ["ok", "ok"])
        for target in targets:
            nearest = min(geodesy.distance(one.fix.latitude, one.fix.longitude, *target)
                          for one in found)
            self.assertLess(nearest, 0.5)

    def test_two_stations_with_several_transmitters_say_that_they_cannot_tell(self):
        # All four lines cross in front of both.
        targets = [(47.6, 8.75), (47.6, 8.85)]
        south = [station("a", 47.4, 8.7, heading_deg=0.0), station("b", 47.4, 8.9, heading_deg=0.0)]
        found = association.transmitters([observed(place, *targets) for place in south])
        self.assertEqual(len(found), 4)
        self.assertEqual({one.fix.status for one in found}, {"not_identifiable"})
        # Where the other lines diverge there is no doubt.
        targets = [(47.5, 8.5), (47.3, 9.2)]
        found = association.transmitters([observed(place, *targets, std=0.2) for place in south])
        self.assertEqual([one.fix.status for one in found], ["ok", "ok"])

    def test_time_that_is_short_goes_round(self):
        seconds = itertools.count()
        # Every look at this clock takes a quarter of what a call may: five frequencies fit.
        table = fuser(10.0, 1.0, clock=lambda: 0.25 * fuser_module._LONGEST_S * next(seconds))
        targets = [(47.4 + 0.01 * k, 8.6) for k in range(4)]
        for k in range(9):
            for place in (HILL, LAKE):
                table.add(observed(place, *targets, frequency=FREQUENCY + 1e3 * k))
        seen = []
        for calls in range(2):
            _, found = table.combine(1.0)
            seen += {one.frequency_hz for one, is_new in found if is_new}
            # Those that had to wait are as new as the others.
            self.assertEqual((len(seen), len(set(seen))), ((5, 5), (9, 9))[calls])
        self.assertEqual(table.counters["frequencies_left_out"], 8)

    def test_a_heading_that_is_not_well_known_widens_the_ellipse(self):
        group = [observed(HILL, TRUTH), observed(LAKE, TRUTH)]
        (narrow,) = association.transmitters(group)
        (wide,) = association.transmitters(group, heading_std_deg=np.sqrt(3.0))
        # 1 and 3 square degrees make 2 degrees.
        self.assertAlmostEqual(wide.fix.semi_minor_m / narrow.fix.semi_minor_m, 2.0, delta=0.05)

    def test_combinations_are_bounded(self):
        targets = [(47.4 + 0.01 * k, 8.6) for k in range(20)]
        begin = time.process_time()
        found = association.transmitters([observed(p, *targets) for p in (HILL, LAKE, TOWN)])
        self.assertLessEqual(len(found), association.MAX_FIXES)
        print(f"{time.process_time() - begin:.2f} s ... ", end="")

    def test_observations_age_and_stay_bounded(self):
        table = station_table(5.0)
        table.add(observed(HILL, TRUTH, arrived_s=1.0))
        table.add(observed(LAKE, TRUTH, arrived_s=4.0))
        self.assertEqual(len(table.current(6.0)), 2)
        self.assertEqual([o.station for o in table.current(6.5)], ["lake"])
        self.assertEqual(table.current(20.0), [])
        for k in range(MAX_CHANNELS + 5):
            table.add(observed(HILL, TRUTH, arrived_s=30.0, frequency=1e6 + k))
        self.assertEqual(len(table.current(30.0)), MAX_CHANNELS)
        self.assertEqual(table.counters["too_many_channels"], 5)

    def test_silence_is_told_once_and_so_is_its_end(self):
        watch = silence_watch(10.0)
        watch.expect("a", 0.0)
        self.assertEqual(watch.newly_silent(9.0), [])
        self.assertEqual(watch.newly_silent(11.0), ["a"])
        self.assertEqual(watch.newly_silent(12.0), [])
        self.assertEqual(watch.silent, ["a"])
        self.assertTrue(watch.hear("a", 13.0))
        self.assertFalse(watch.hear("a", 14.0))
        self.assertEqual(watch.newly_silent(25.0), ["a"])


def signed_area(ring):
    x, y = np.array(ring).T
    return 0.5 * np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])


class qa_geojson(unittest.TestCase):
    def rings(self, shape):
        polygons = [shape["coordinates"]]
        if shape["type"] == "MultiPolygon":
            polygons = shape["coordinates"]
        for polygon in polygons:
            self.assertEqual(len(polygon), 1)
        return [polygon[0] for polygon in polygons]

    def test_ellipses_are_counterclockwise_closed_and_of_their_size(self):
        for latitude, longitude in ((47.0, 8.0), (-33.0, 151.0), (0.0, 0.0)):
            shape = geojson.ellipse(latitude, longitude, 5000.0, 2000.0, 30.0)
            self.assertEqual(shape["type"], "Polygon")
            (ring,) = self.rings(shape)
            self.assertEqual(ring[0], ring[-1])
            self.assertGreater(signed_area(ring), 0.0)
            lon, lat = np.array(ring).T
            away = geodesy.distance(latitude, longitude, lat, lon)
            # 1e-7 degrees are 1 cm; 64 points hit the axes.
            self.assertAlmostEqual(away.max(), 5000.0, delta=0.05)
            self.assertAlmostEqual(away.min(), 2000.0, delta=0.05)
            far = geodesy.initial_bearing(latitude, longitude, lat, lon)[np.argmax(away)]
            self.assertAlmostEqual(far % 180.0, 30.0, delta=0.01)

    def test_shapes_are_cut_at_the_antimeridian(self):
        for longitude in (179.99, -179.99, 180.0, -180.0):
            shape = geojson.ellipse(60.0, longitude, 5000.0, 2000.0, 90.0)
            self.assertEqual(shape["type"], "MultiPolygon")
            rings = self.rings(shape)
            self.assertEqual(len(rings), 2)
            whole = signed_area(self.rings(geojson.ellipse(60.0, 10.0, 5000.0, 2000.0, 90.0))[0])
            # What is cut is all there; coordinates have seven digits behind the point.
            self.assertAlmostEqual(sum(map(signed_area, rings)) / whole, 1.0, delta=1e-3)
            for ring in rings:
                self.assertEqual(ring[0], ring[-1])
                self.assertGreater(signed_area(ring), 0.0)
                lon = np.array(ring)[:, 0]
                self.assertLessEqual(np.abs(lon).max(), 180.0)
                self.assertLess(np.ptp(lon), 1.0)

    def test_lines_are_cut_at_the_antimeridian(self):
        shape = geojson.line(10.0, 179.9, 80.0, 100e3)
        self.assertEqual(shape["type"], "MultiLineString")
        first, second = (np.array(piece) for piece in shape["coordinates"])
        if first[0, 0] < 0:
            first, second = second, first
        np.testing.assert_allclose(first[0], [179.9, 10.0])
        self.assertEqual((first[-1, 0], second[0, 0]), (180.0, -180.0))
        self.assertEqual(first[-1, 1], second[0, 1])
        end = geodesy.destination(10.0, 179.9, 80.0, 100e3)
        np.testing.assert_allclose(second[-1], end[::-1], atol=1e-7)
        self.assertEqual(geojson.line(10.0, 8.0, 80.0, 100e3)["type"], "LineString")
        # The other way round.
        shape = geojson.line(10.0, -179.9, 280.0, 100e3)
        self.assertEqual(shape["type"], "MultiLineString")

    def test_lines_along_the_antimeridian_are_on_one_side(self):
        for latitude, longitude, bearing, length in itertools.product(
            (-40.0, 0.0, 60.0), (180.0, -180.0), (0.0, 180.0), (1.0, 50e3, 1000e3)
        ):
            shape = geojson.line(latitude, longitude, bearing, length)
            self.assertEqual(shape["type"], "LineString")
            end = geodesy.destination(latitude, longitude, bearing, length)
            lon, lat = np.array(shape["coordinates"]).T
            self.assertEqual((lat[0], np.ptp(lon), abs(lon[0])), (latitude, 0.0, 180.0))
            self.assertAlmostEqual(lat[-1], end[0], delta=1e-7)

    def test_a_map_has_an_end(self):
        group = [observed(HILL, TRUTH, arrived_s=0.0), observed(LAKE, TRUTH, arrived_s=0.0)]
        others = [observed(TOWN, TRUTH, arrived_s=1.0 + k, frequency=1e6 * k) for k in range(10)]
        found = association.transmitters(group)
        with unittest.mock.patch.object(fix_report, "MAX_BEARINGS", 5):
            drawn = fix_report.fix_map(found, others + group, 0.0, 1e3)
        seen = [one["properties"] for one in drawn["features"]
                if one["properties"]["role"] == "bearing"]
        # Those of the fix, and the latest of the others.
        self.assertEqual([(one["station"], one["frequency_hz"]) for one in seen], [
            ("hill", FREQUENCY), ("lake", FREQUENCY), ("town", 9e6), ("town", 8e6), ("town", 7e6)
        ])
        self.assertEqual(drawn["bearings_left_out"], 7)

    def test_a_pole_inside_is_inside(self):
        shape = geojson.ellipse(89.99, 40.0, 5000.0, 4000.0, 0.0)
        rings = self.rings(shape)
        self.assertGreater(sum(map(signed_area, rings)), 0.0)
        lon = np.concatenate([np.array(ring)[:, 0] for ring in rings])
        lat = np.concatenate([np.array(ring)[:, 1] for ring in rings])
        self.assertEqual((lon.min(), lon.max(), lat.max()), (-180.0, 180.0, 90.0))


class sender(gr.basic_block):
    def __init__(self):
        gr.basic_block.__init__(self, "sender", None, None)
        self.message_port_register_out(pmt.intern("bearings"))

    def send(self, message):
        self.message_port_pub(pmt.intern("bearings"), message)


class published:
    """Stations that publish through the writer's own sockets until the block ends."""

    def __init__(self, *places):
        self.places = list(places)
        self.quiet = set()
        self._flowgraph = gr.top_block()
        self._senders = [sender() for _ in places]
        self._writers = [
            bearing_writer("zmq", "tcp://127.0.0.1:*", station=place) for place in places
        ]
        for one, writer in zip(self._senders, self._writers):
            self._flowgraph.msg_connect(one, "bearings", writer, "bearings")
        self.addresses = [writer.target for writer in self._writers]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._stop.wait(0.05):
            for place, one in zip(self.places, self._senders):
                if place.name not in self.quiet:
                    # As an estimator says it that knows no station.
                    told = bearing_record(report([seen_from(place, TRUTH)]))
                    one.send(told.to_message())

    def __enter__(self):
        self._flowgraph.start()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self._flowgraph.stop()
        self._flowgraph.wait()


class qa_bearing_fuse(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bearing-fuse-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    @contextlib.contextmanager
    def running(self, *arguments, program=(str(PROGRAM),)):
        """The program; process.said collects lines on stderr."""
        process = subprocess.Popen([*program, *map(str, arguments)], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.said = []

        def read():
            for line in process.stderr:
                process.said.append(line)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            reader.join()
            process.stdout.close()
            process.stderr.close()

    def wait_for(self, condition, why=""):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(0.05)
        self.fail(f"did not happen in {PATIENCE} s: {why}")

    def said(self, process, *words):
        return self.wait_for(
            lambda: [line for line in list(process.said) if all(w in line for w in words)],
            f"{words} in {process.said}",
        )[0]

    def get(self, url, **headers):
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read(), answer.headers

    def refused(self, url, code, data=None, method=None, **headers):
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=PATIENCE)
        caught.exception.close()
        self.assertEqual(caught.exception.code, code)

    def test_two_stations_locate_a_transmitter_while_a_third_sends_rubbish(self):
        context = zmq.Context()
        self.addCleanup(context.destroy, linger=0)
        rubbish = context.socket(zmq.PUB)
        self.addCleanup(rubbish.close, linger=0)
        port = rubbish.bind_to_random_port("tcp://127.0.0.1")
        output = self.folder / "fixes.geojson"
        with published(HILL, LAKE) as stations:
            listed = self.folder / "addresses"
            listed.write_text(f"# hills\n{stations.addresses[1]}  # lake\n\n127.0.0.1:{port}\n")
            with self.running(
                stations.addresses[0], "--addresses", listed, "--serve", "127.0.0.1:0",
                "--output", output, "--interval", 0.2, "--max-age", 2,
            ) as process:
                url = self.said(process, "serves").split()[-1]
                # Each is read to the end before the next fix.
                for data in (b"\x07" * 100000, b"", b"\x07\x06\x0a\x08\xff\xff\xff\xff\0"):
                    rubbish.send(data)

                def send_on():
                    rubbish.send(b"\x07" * 200000)
                    rubbish.send_multipart([b"a", b"b"])
                    return [line for line in list(process.said) if "a message that is none" in line]

                self.wait_for(send_on, "a complaint")
                fix = json.loads(process.stdout.readline())
                self.assertEqual(fix["status"], "ok")
                self.assertEqual([s["name"] for s in fix["stations"]], ["hill", "lake"])
                away = geodesy.distance(fix["latitude"], fix["longitude"], *TRUTH)
                # Bearings of single precision, with a heading taken off and added again: 3e-5
                # degrees over 27 km.
                self.assertLess(away, 0.1)
                self.assertEqual(fix["frequency_hz"], FREQUENCY)
                self.assertEqual(fix["stations"][0]["time"], 1700000000.25)

                content, headers = self.wait_for(
                    lambda: (lambda got: got if b'"fix"' in got[0] else None)(self.get(url))
                )
                self.assertEqual(headers["Content-Type"].split(";")[0], "application/geo+json")
                self.assertIsNone(headers["Access-Control-Allow-Origin"])
                self.check_map(json.loads(content))
                drawn = self.wait_for(
                    lambda: (lambda got: got if '"fix"' in got else None)(
                        output.read_text() if output.exists() else ""
                    )
                )
                self.check_map(json.loads(drawn))

                # Strangers
                for name in ("evil.example:80", "localhost.evil.example", ""):
                    self.refused(url, 403, Host=name)
                self.refused(url, 405, data=b"{}", method="POST")
                self.refused(url.replace("fixes.geojson", "../../etc/passwd"), 404)
                self.refused(url.replace("fixes.geojson", "%2e%2e/%2e%2e/etc/passwd"), 404)
                status = json.loads(self.get(url.replace("fixes.geojson", "status.json"))[0])
                feeds = {one["address"]: one for one in status["feeds"]}
                self.assertGreater(feeds[stations.addresses[0]]["used"], 0)
                bad = feeds[f"tcp://127.0.0.1:{port}"]
                self.assertEqual(bad["malformed"], bad["received"])
                # 1.7e9 seconds since 1970 are years ago: clocks need not agree.
                offset = status["clock_offset_s"][f"hill ({stations.addresses[0]})"]
                self.assertAlmostEqual(offset, 1700000000.25 - time.time(), delta=PATIENCE)

                stations.quiet.add("lake")
                self.said(process, "station lake", "silent")
                stations.quiet.clear()
                self.said(process, "station lake", "again")
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(PATIENCE), 130)
            summary = "".join(process.said)
            self.assertIn("used", summary)
            self.assertIn("malformed", summary)
            # Of what did not stop coming there is one line.
            self.assertEqual(summary.count("a message that is none"), 1)

    def check_map(self, drawn):
        self.assertEqual(drawn["type"], "FeatureCollection")
        roles = [one["properties"]["role"] for one in drawn["features"]]
        for role, count in (("fix", 1), ("ellipse", 1), ("station", 2), ("bearing", 2),
                            ("minus_sigma", 2), ("plus_sigma", 2)):
            self.assertEqual(roles.count(role), count, role)
        by_role = {one["properties"]["role"]: one for one in drawn["features"]}
        lon, lat = by_role["fix"]["geometry"]["coordinates"]
        self.assertLess(geodesy.distance(lat, lon, *TRUTH), 0.2)
        (ring,) = by_role["ellipse"]["geometry"]["coordinates"]
        self.assertGreater(signed_area(ring), 0.0)
        for one in drawn["features"]:
            if one["properties"]["role"] == "bearing":
                # It passes the transmitter: from there on it goes the same way.
                points = np.array(one["geometry"]["coordinates"])
                (start_lon, start_lat), (end_lon, end_lat) = points[0], points[-1]
                toward = geodesy.initial_bearing(start_lat, start_lon, *TRUTH)
                along = geodesy.initial_bearing(start_lat, start_lon, end_lat, end_lon)
                self.assertAlmostEqual(toward, along, delta=1e-3)

    def test_what_is_not_read_or_cannot_be_written_or_takes_long_stops_nothing(self):
        folder, hold = self.folder / "maps", self.folder / "hold"
        folder.mkdir()
        # The program, with work that lasts as long as a file is there.
        code = (
            "import pathlib, sys, time\n"
            "from gnuradio.bearing.tools import fuse\n"
            "class slow(fuse.fuser):\n"
            "    def combine(self, now_s):\n"
            f"        hold = pathlib.Path({str(hold)!r})\n"
            "        while hold.exists():\n"
            "            hold.with_name('held').touch()\n"
            "            time.sleep(0.05)\n"
            "        return super().combine(now_s)\n"
            "fuse.fuser = slow\n"
            "sys.exit(fuse.main(sys.argv[1:]))\n"
        )
        with published(HILL, LAKE) as stations, self.running(
            *stations.addresses, "--serve", "127.0.0.1:0", "--output", folder / "fixes.geojson",
            "--interval", 0.01, program=(sys.executable, "-B", "-c", code),
        ) as process:
            # Room for some lines of 800 bytes.
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, 4096)
            url = self.said(process, "serves").split()[-1].replace("fixes.geojson", "status.json")

            def status():
                return json.loads(self.get(url)[0])

            # Nobody reads.
            self.wait_for(lambda: status()["fixes"] >= 12, "more fixes than there is room for")
            self.wait_for((folder / "fixes.geojson").exists, "a map")
            (folder / "fixes.geojson").unlink()
            folder.rename(self.folder / "gone")
            self.said(process, "fixes.geojson", "No such file")
            folder.mkdir()
            self.said(process, "fixes.geojson", "is written again")
            self.assertEqual(sum("No such file" in line for line in process.said), 1)
            self.assertEqual(json.loads((folder / "fixes.geojson").read_text())["type"],
                             "FeatureCollection")
            hold.touch()
            self.wait_for(hold.with_name("held").exists, "work that lasts")
            before = status()["feeds"][0]["received"]
            self.wait_for(lambda: status()["feeds"][0]["received"] > before + 3, "messages")
            hold.unlink()
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(PATIENCE), 143)

    def test_lines_stay_whole_and_a_reader_that_is_gone_is_noticed(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, writing)
        out = line_output.line_output(writing)
        write = os.write
        # A disk that is full in the middle of a line.
        results = iter([lambda data: write(writing, data[:3]), OSError("full")])

        def torn(_, data):
            result = next(results)
            if isinstance(result, OSError):
                raise result
            return result(data)

        with unittest.mock.patch.object(line_output.os, "write", torn):
            with self.assertRaisesRegex(OSError, "full"):
                out.write("first\n")
        out.write("second\n")
        self.assertEqual(os.read(reading, 100), b"fir\nsecond\n")
        os.close(reading)
        beside = fuse.written_beside("standard output", out, 10)
        beside.put("third\n")
        self.wait_for(lambda: beside.is_broken)
        beside.stop()

    def test_lines_that_find_no_room_are_told_of_once_and_counted(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, writing)
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
        beside = fuse.written_beside("standard output", line_output.line_output(writing), 5)
        self.addCleanup(beside.stop)
        # First of all, so that the thread does not wait any longer.
        self.addCleanup(os.close, reading)
        for _ in range(10):
            beside.put("x" * 5000)
        with contextlib.redirect_stderr(io.StringIO()) as said:
            beside.tell_loss()
            beside.tell_loss()
        self.assertGreaterEqual(beside.dropped, 4)
        self.assertEqual(len(said.getvalue().splitlines()), 1)

    def test_writers_can_connect(self):
        async def hear():
            context = zmq.asyncio.Context()
            one = feed("tcp://127.0.0.1:0", context, listens=True)
            plain = zmq.Context()
            try:
                with self.assertRaises(OSError):
                    feed(one.address, context, listens=True)
                publisher = plain.socket(zmq.PUB)
                publisher.connect(one.address)

                async def send():
                    while True:
                        publisher.send(pmt.serialize_str(record(HILL, TRUTH).to_message()))
                        await asyncio.sleep(0.05)

                sending = asyncio.create_task(send())
                found = await asyncio.wait_for(one.receive(time.monotonic), PATIENCE)
                sending.cancel()
                return found, one.address
            finally:
                one.close()
                plain.destroy(linger=0)
                context.destroy(linger=0)

        found, address = asyncio.run(hear())
        self.assertEqual((found.station, found.feed), ("hill", address))
        self.assertRegex(address, r"^tcp://127\.0\.0\.1:[1-9][0-9]*$")

    def call(self, *arguments):
        result = subprocess.run(
            [str(PROGRAM), *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE
        )
        return result.returncode, result.stdout, result.stderr

    def test_what_is_wrong_is_named(self):
        listed = self.folder / "list"
        listed.write_text("127.0.0.1:5560\nhttp://x:1\n")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            in_use = f"127.0.0.1:{taken.getsockname()[1]}"
            for arguments, word in (
                (["nonsense"], "nonsense"),
                (["--addresses", listed], f"{listed}:2"),
                (["--addresses", self.folder / "none"], "none"),
                (["127.0.0.1:5560", "--serve", "8090"], "--serve"),
                (["127.0.0.1:5560", "--serve", in_use], in_use),
                (["--listen", f"tcp://{in_use}"], in_use),
                (["--listen", "here"], "--listen"),
                (["127.0.0.1:5560", "--output", self.folder / "no" / "x"], "no"),
                ([], "ADDRESS"),
            ):
                code, printed, said = self.call(*arguments)
                self.assertEqual((code, printed), (2, ""), said)
                self.assertIn(str(word), said.splitlines()[-1])

    def test_addresses(self):
        self.assertEqual(feed_address("hill:5560"), "tcp://hill:5560")
        self.assertEqual(feed_address("tcp://[::1]:5560"), "tcp://[::1]:5560")
        self.assertEqual(feed_address("ipc:///run/bearings"), "ipc:///run/bearings")
        for text in ("", "hill", "hill:0", "hill:65536", "udp://hill:1", "a b:1", "tcp://:1",
                     "inproc://x", "tcp://hill:1/x"):
            with self.assertRaises(ValueError):
                feed_address(text)


if __name__ == "__main__":
    unittest.main()

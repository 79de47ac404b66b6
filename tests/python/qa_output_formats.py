#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Output formats: round trips, literal lines, and what their readers make of them."""

import dataclasses
import json
import math
import os
import unittest
import xml.etree.ElementTree as ElementTree

import numpy as np
import output_records as records
import pmt
import support
from gnuradio import bearing
from gnuradio.bearing.output import (
    angle_conventions,
    confidence,
    csv_lines,
    cursor_on_target,
    df_aggregator_xml,
    json_lines,
    kraken_csv,
    kraken_json,
    kraken_xml,
)

SEED = 20260901


def difference_deg(a, b):
    return (a - b + 180.0) % 360.0 - 180.0


class qa_angle_conventions(unittest.TestCase):
    def test_the_staged_module_is_the_one_under_test(self):
        build_dir = os.environ.get("BEARING_BUILD_DIR")
        if build_dir:
            staged = os.path.join(os.path.realpath(build_dir), "test_modules")
            self.assertTrue(os.path.realpath(bearing.__file__).startswith(staged))

    def test_known_directions(self):
        # Right of straight ahead is 90 degrees clockwise and 270 counter-clockwise.
        for clockwise, counter in ((0, 0), (90, 270), (72, 288), (160, 200), (-90, 90), (360, 0)):
            self.assertEqual(
                angle_conventions.clockwise_to_counter_clockwise_deg(clockwise), counter
            )
            self.assertEqual(
                angle_conventions.counter_clockwise_to_clockwise_deg(counter), clockwise % 360
            )
        self.assertEqual(angle_conventions.true_bearing_deg(72.0, 300.0), 12.0)
        self.assertEqual(angle_conventions.azimuth_of_true_deg(12.0, 300.0), 72.0)
        self.assertEqual(angle_conventions.difference_deg(1.0, 359.0), 2.0)

    def test_every_result_is_in_the_circle(self):
        functions = [
            angle_conventions.wrap_deg,
            angle_conventions.clockwise_to_counter_clockwise_deg,
            angle_conventions.counter_clockwise_to_clockwise_deg,
            lambda angle: angle_conventions.true_bearing_deg(angle, 359.999),
            lambda angle: angle_conventions.azimuth_of_true_deg(angle, 359.999),
        ]
        for kind in (np.float32, np.float64):
            angles = np.array(records.EDGE_ANGLES_DEG + [720.0, -1e-9, -720.0], kind)
            for function in functions:
                for angle, result in zip(angles, function(angles)):
                    self.assertGreaterEqual(result, 0.0, angle)
                    self.assertLess(result, 360.0, angle)
        single = angle_conventions.wrap_single_deg([359.99999999, -1e-9, 720.0])
        self.assertEqual((single.dtype, single.tolist()), (np.float32, [0.0, 0.0, 0.0]))
        self.assertTrue(math.isnan(angle_conventions.wrap_deg(math.nan)))

    def test_whole_degrees_are_nearest_and_below_360(self):
        for angle, whole in ((0, 0), (0.49, 0), (0.5, 1), (359.4, 359), (359.5, 0), (359.999, 0)):
            self.assertEqual(angle_conventions.whole_degrees(angle), whole)


class qa_record(unittest.TestCase):
    def test_station_says_what_is_wrong(self):
        for field, value in (
            ("latitude", 90.1),
            ("latitude", math.nan),
            ("longitude", -180.5),
            ("longitude", "8"),
            ("heading_deg", math.inf),
            ("altitude_m", True),
            ("speed_m_s", -1.0),
            ("name", "a\nb"),
            ("name", "x" * 101),
            ("name", 7),
        ):
            with self.subTest(field=field, value=value):
                fields = {"latitude": 1.0, "longitude": 1.0, field: value}
                with self.assertRaisesRegex(ValueError, f"^{field} is .*must be"):
                    bearing.station(**fields)
        with self.assertRaisesRegex(ValueError, "longitude.*together"):
            bearing.station(latitude=1.0)
        self.assertEqual(bearing.station(heading_deg=-30).heading_deg, 330.0)

    def test_the_heading_of_the_station_counts(self):
        one = records.report([10.0, -20.0], heading_deg=0.0)
        record = bearing.bearing_record(one, bearing.station(heading_deg=355.0))
        np.testing.assert_array_equal(record.report.true_bearing_deg, [5.0, 335.0])
        record = bearing.bearing_record(records.report([10.0], heading_deg=90.0))
        self.assertEqual(record.station.heading_deg, 90.0)

    def test_bearings_that_contradict_the_heading_are_made_anew(self):
        # The first agrees with the station, or is not known.
        one = records.report([10.0, math.nan, 20.0], heading_deg=30.0)
        for first in (40.0, math.nan):
            wrong = dataclasses.replace(one, true_bearing_deg=np.float32([first, 7.0, 77.0]))
            record = bearing.bearing_record(wrong, bearing.station("x", 1.0, 2.0, 30.0))
            np.testing.assert_array_equal(record.report.true_bearing_deg, [40.0, math.nan, 50.0])
            events = [cursor_on_target.decode(text)[0] for text in cursor_on_target.encode(record)]
            self.assertEqual([e.report.true_bearing_deg[0] for e in events], [40.0, 50.0])
        # Without a heading of the station, that of the first direction that has one.
        wrong = dataclasses.replace(one, true_bearing_deg=np.float32([math.nan, 7.0, 77.0]))
        record = bearing.bearing_record(wrong)
        self.assertEqual(record.station.heading_deg, 57.0)
        np.testing.assert_array_equal(record.report.true_bearing_deg, [67.0, math.nan, 77.0])

    def test_counts_below_0_are_refused(self):
        for field in ("num_sources", "snapshots"):
            with self.assertRaisesRegex(ValueError, f"^{field} is -1; it must be"):
                bearing.bearing_record(records.report([10.0], **{field: -1}))
            good = bearing.bearing_record(records.report([10.0])).to_message()
            details = pmt.dict_add(pmt.car(good), pmt.intern(field), pmt.from_long(-1))
            with self.assertRaisesRegex(ValueError, f"^{field} must be a whole number"):
                bearing.bearing_report.from_message(pmt.cons(details, pmt.cdr(good)))

    def test_message_round_trip(self):
        for record in records.random_records(SEED, 120):
            data = pmt.serialize_str(record.to_message())
            again = bearing.bearing_record.from_message(pmt.deserialize_str(data))
            records.assert_same(self, record, again)

    def test_message_is_an_estimators_message(self):
        record = next(iter(records.random_records(SEED, 1)))
        report = bearing.bearing_report.from_message(record.to_message())
        np.testing.assert_array_equal(report.angles_deg, record.report.angles_deg)

    def test_bad_messages_are_refused(self):
        good = bearing.bearing_record(records.report([10.0])).to_message()
        details, angles = pmt.car(good), pmt.cdr(good)
        for key, value in (
            ("station", pmt.from_long(1)),
            ("station", pmt.intern("\n")),
            ("latitude", pmt.from_double(91.0)),
            ("latitude", pmt.intern("47")),
            ("longitude", pmt.from_double(math.nan)),
            ("channel", pmt.from_double(1.0)),
            ("spectrum_db", pmt.init_f32vector(3, [1, 2, 3])),
            ("received_s", pmt.from_double(-1.0)),
            ("received_s", pmt.from_double(1e300)),
            ("std_deg", pmt.init_f32vector(2, [1, 2])),
            ("num_sources", pmt.from_long(-1)),
            ("snapshots", pmt.from_long(-4096)),
        ):
            with self.subTest(key=key):
                bad = pmt.cons(pmt.dict_add(details, pmt.intern(key), value), angles)
                with self.assertRaises(ValueError):
                    bearing.bearing_record.from_message(bad)

    def test_spectra_are_checked(self):
        one = records.report([10.0])
        for db, deg in (([1, 2], [0, 0]), ([1, 2], [0, np.nan]), ([1], [0]), ([1, 2, 3], [0, 1])):
            with self.assertRaisesRegex(ValueError, "spectrum"):
                bearing.bearing_record(one, spectrum_db=db, spectrum_deg=deg)
        with self.assertRaisesRegex(ValueError, "together"):
            bearing.bearing_record(one, spectrum_db=[1, 2])


class qa_lossless_formats(unittest.TestCase):
    def test_json_lines_round_trip(self):
        texts = []
        wanted = list(records.random_records(SEED + 1, 120))
        for record in wanted:
            (text,) = json_lines.encode(record, with_spectrum=True)
            self.assertEqual(text.count("\n"), 1)
            texts.append(text)
        found = json_lines.decode("".join(texts))
        self.assertEqual(len(found), len(wanted))
        for record, again in zip(wanted, found):
            records.assert_same(self, record, again)

    def test_csv_round_trip(self):
        # Spectra have no columns, and what no direction has cannot be told from what is absent.
        besides = {"spectrum_db", "spectrum_deg"}
        wanted = list(records.random_records(SEED + 2, 120))
        text = csv_lines.HEADER + "".join(csv_lines.encode(record)[0] for record in wanted)
        found = csv_lines.decode(text)
        self.assertEqual(len(found), len(wanted))
        for record, again in zip(wanted, found):
            more = set()
            if not record.report.angles_deg.size:
                more = {f"report.{key}" for key in csv_lines.SECOND_VECTORS}
            records.assert_same(self, record, again, besides | more)

    def test_what_is_unknown_is_null(self):
        record = bearing.bearing_record(records.report([math.nan], status="no_source"))
        value = json.loads(json_lines.encode(record)[0])
        self.assertEqual(value["angles_deg"], [None])
        self.assertEqual(value["std_deg"], [None])
        self.assertEqual(value["status"], "no_source")
        self.assertIsNone(value["station"]["latitude"])

    def test_bad_json_is_refused(self):
        good = json_lines.encode(bearing.bearing_record(records.report([10.0])))[0]
        for text in (
            "[]",
            "{}",
            "{",
            '"x"',
            "[" * 100000,
            good.replace("[10.0]", "[10.0, 2.0]"),
            good.replace("[10.0]", '["a"]'),
            good.replace("[10.0]", "[true]"),
            good.replace('"music"', "7"),
            good.replace('"num_sources": 1', '"num_sources": -1'),
            good.replace('"fraction": 0.25', '"fraction": 1.25'),
            good.replace('"seconds": 17', '"seconds": 99999999999917'),
            good.replace('"seconds": 17', '"seconds": -17'),
            good.replace('"latitude": null', '"latitude": 91'),
            good.replace('"name": ""', '"name": []'),
        ):
            self.assertNotEqual(text, good)
            with self.subTest(text=text[:60]), self.assertRaises(ValueError):
                json_lines.decode(text)

    def test_bad_csv_is_refused(self):
        good = csv_lines.encode(bearing.bearing_record(records.report([10.0])))[0]
        for text in (
            "a,b\r\n",
            good.replace("10.0", "ten"),
            good.replace(",1,10.0", ",2,10.0"),
            good.replace(",4096,", ",-4096,"),
            good.replace(",1700000000,", ",-1700000000,"),
            good.replace(",1700000000,", f",{2**64},"),
            good.replace(",0.25,", ",1.25,"),
            good.replace("music", "x" * 200000),
        ):
            self.assertNotEqual(text, good)
            with self.subTest(text=text[:60]), self.assertRaises(ValueError):
                csv_lines.decode(text)


class qa_krakensdr_formats(unittest.TestCase):
    """Against lines and rules as the software's documentation has them, written by hand."""

    def setUp(self):
        self.station = bearing.station("hill", 47.5, 8.75, 12.0)
        # Azimuth 72 is 288 counter-clockwise.
        self.record = bearing.bearing_record(
            records.report([72.0, 200.4], 12.0, [0.5, 2.0], [-20.5, -30.0], [15.0, 9.0]),
            self.station,
        )

    def test_literal_csv_v1(self):
        first, second = kraken_csv.encode(self.record, "uca")
        self.assertTrue(first.endswith(" \n"))
        fields = first[: -len(" \n")].split(", ")
        self.assertEqual(len(fields), 377)
        self.assertEqual(fields[:2], ["1700000000250", "72.0"])
        self.assertEqual(fields[3:5], ["-20.5", "433920000"])
        self.assertEqual(fields[5:12], ["UCA", "0", "hill", "47.5", "8.75", "12.0", "12.0"])
        self.assertEqual(fields[12:17], ["GPS", "R", "R", "R", "R"])
        spectrum = [float(field) for field in fields[17:]]
        self.assertTrue(all(len(field.partition(".")[2]) == 2 for field in fields[17:]))
        self.assertEqual(min(spectrum), 0.0)
        self.assertEqual(int(np.argmax(spectrum)), 288)
        self.assertEqual(second.split(", ")[1], "200.4")

    def test_literal_csv_v2(self):
        fields = kraken_csv.encode(self.record, "ula", "v2")[1].split(", ")
        self.assertEqual(fields[1], "200")
        # 5 degrees are 2.5 standard deviations: 98.76 %.
        self.assertEqual(fields[2:4], ["0.99", "9.0"])
        self.assertEqual(fields[5], "ULA")

    def test_literal_xml(self):
        # 10 log10(360 / (sqrt(2 pi) 0.5)) = 24.58 dB.
        self.assertEqual(
            kraken_xml.encode(self.record),
            ["<DATA>\n<DOA>72</DOA>\n<CONF>2458</CONF>\n<PWR>79.5</PWR>\n</DATA>"],
        )

    def test_literal_json(self):
        value = json.loads(kraken_json.encode(self.record, "custom")[0])
        spectrum = value.pop("doaArray")
        self.assertTrue(spectrum.endswith(","))
        self.assertEqual(len(spectrum[:-1].split(",")), 360)
        self.assertEqual(
            value,
            {
                "station_id": "hill",
                "tStamp": 1700000000250,
                "gps_timestamp": 1700000000250,
                "latitude": "47.5",
                "longitude": "8.75",
                "gpsBearing": "12.0",
                "speed": "0.0",
                "radioBearing": "288.0",
                "conf": "24.58",
                "power": "-20.5",
                "freq": 433920000,
                "antType": "Custom",
                "latency": 0,
                "processing_time": 0,
                "adc_overdrive": 0,
                "num_corr_sources": "0",
                "snr_db": 15.0,
            },
        )
        value = json.loads(kraken_json.encode(self.record, "custom", "v2")[1])
        self.assertEqual((value["radioBearing"], value["snr_db"]), ("200", "9.0"))

    def test_literal_df_aggregator_xml(self):
        (text,) = df_aggregator_xml.encode(self.record)
        self.assertEqual(
            text,
            "<DATA><STATION_ID>hill</STATION_ID><TIME>1700000000250</TIME>"
            "<GPS_TIME>1700000000250</GPS_TIME><FREQUENCY>433.92</FREQUENCY>"
            "<LOCATION><LATITUDE>47.5</LATITUDE><LONGITUDE>8.75</LONGITUDE>"
            "<HEADING>12.0</HEADING><SPEED>0.0</SPEED></LOCATION>"
            "<DOA>288.0</DOA><PWR>79.5</PWR><CONF>100</CONF><LATENCY>0</LATENCY>"
            "<PROCESSING_TIME>0</PROCESSING_TIME><ADC_OVERDRIVE>0</ADC_OVERDRIVE>"
            "<NUM_CORRELATED_SOURCES>0</NUM_CORRELATED_SOURCES><SNR_DB>15.0</SNR_DB></DATA>",
        )

    def test_krakens_own_360_is_straight_ahead(self):
        text = kraken_csv.encode(self.record)[0].replace(", 72.0, ", ", 360.0, ")
        (record,) = kraken_csv.decode(text)
        self.assertEqual(record.report.angles_deg[0], 0.0)

    def test_spectrum_is_counter_clockwise_and_keeps_its_shape(self):
        azimuths = np.arange(360.0)
        curve = -((azimuths - 100.0) ** 2) / 1000.0
        record = bearing.bearing_record(
            records.report([100.0]), spectrum_db=curve, spectrum_deg=azimuths
        )
        text = kraken_csv.encode(record)[0]
        post = kraken_json.encode(record)[0]
        levels = np.array([float(field) for field in text.split(", ")[17:]])
        shown = json.loads(post)["doaArray"].rstrip(",").split(",")
        np.testing.assert_array_equal([float(level) for level in shown], levels)
        for theta in range(360):
            # Half of the last decimal, and single precision of numbers up to 70.
            self.assertAlmostEqual(
                levels[theta], curve[(360 - theta) % 360] - curve.min(), delta=0.00501
            )
        for (again,) in (kraken_csv.decode(text), kraken_json.decode(post)):
            np.testing.assert_array_equal(again.spectrum_deg, azimuths)
            np.testing.assert_allclose(again.spectrum_db, curve - curve.min(), atol=0.00501)

    def test_spectrum_of_a_line_is_nothing_behind_it(self):
        azimuths = np.linspace(-90.0, 90.0, 181)
        record = bearing.bearing_record(
            records.report([-30.0]),
            spectrum_db=-np.abs(azimuths + 30.0),
            spectrum_deg=azimuths,
        )
        levels = np.array([float(f) for f in kraken_csv.encode(record, "ula")[0].split(", ")[17:]])
        # -30 is 30 counter-clockwise; behind the line are 91 to 269.
        self.assertEqual(int(np.argmax(levels)), 30)
        self.assertEqual(np.abs(levels[91:270]).max(), 0.0)

    def test_a_full_circle_of_any_number_of_points_closes(self):
        # No point between 356.4 degrees and 0.
        azimuths = np.arange(100) * 3.6
        curve = 10.0 * np.cos(np.radians(azimuths - 358.0))
        record = bearing.bearing_record(
            records.report([358.0]), spectrum_db=curve, spectrum_deg=azimuths
        )
        levels = np.array([float(f) for f in kraken_csv.encode(record)[0].split(", ")[17:]])
        expected = 10.0 * np.cos(np.radians(np.arange(360) - 2.0)) + 10.0
        # Straight lines between points 3.6 degrees apart are within 0.005 of a cosine of 10, the
        # least point within 0.005 of its minimum; and the last decimal.
        np.testing.assert_allclose(levels, expected, atol=0.0151)

    def test_a_name_with_a_comma_does_not_shift_fields(self):
        place = dataclasses.replace(self.station, name="hill, north")
        text = kraken_csv.encode(bearing.bearing_record(self.record.report, place))[0]
        self.assertEqual(kraken_csv.decode(text)[0].station.name, "hill north")


class qa_round_trips_within_rounding(unittest.TestCase):
    # Half a unit of the last decimal, and of single precision at 360 degrees (1.5e-5), twice.
    DEGREES = 0.5e-4 + 4e-5

    def each(self, encode, decode, is_single=False):
        compared = 0
        for record in records.random_records(SEED + 3, 240):
            texts = encode(record)
            found = record.found[:1] if is_single else record.found
            if not texts:
                continue
            self.assertEqual(len(texts), len(found))
            for index, text in zip(found, texts):
                (again,) = decode(text)
                compared += 1
                yield record, index, again
        self.assertGreater(compared, 100)

    def assert_angle(self, record, index, again, within):
        error = difference_deg(
            float(again.report.angles_deg[0]), float(record.report.angles_deg[index])
        )
        self.assertLessEqual(abs(error), within, records.fields_of(record))
        self.assertTrue(0.0 <= again.report.angles_deg[0] < 360.0)

    def assert_station(self, record, again, has_speed=False):
        place = record.station
        for field in ("latitude", "longitude"):
            self.assertEqual(getattr(again.station, field), getattr(place, field))
        self.assertEqual(again.station.heading_deg, place.heading_deg or 0.0)
        if has_speed:
            self.assertEqual(again.station.speed_m_s, place.speed_m_s)

    def assert_time_and_frequency(self, record, again):
        if record.time_s is None:
            self.assertIsNone(again.report.rx_time)
        else:
            # Half a millisecond, and what a double of today's seconds leaves.
            self.assertAlmostEqual(again.time_s, record.time_s, delta=0.5e-3 + 1e-6)
        self.assertEqual(again.report.rx_freq, record.report.rx_freq)

    def assert_level(self, name, record, index, again, within=0.0):
        """power_db or snr_db is the one of the record, with one decimal where within is that."""
        found, wanted = getattr(again.report, name)[0], getattr(record.report, name)[index]
        self.assertLessEqual(abs(float(found) - float(wanted)), within, name)

    # Half a unit of the first and of the fourth decimal, and of single precision at 100 (4e-6).
    ONE_DECIMAL, FOUR_DECIMALS = 0.05001, 0.5e-4 + 1e-5

    def test_arrival_is_kept_by_those_that_have_a_latency(self):
        place = bearing.station("x", 1.0, 2.0, 3.0)
        record = bearing.bearing_record(
            records.report([10.0], rx_time=(1700000000, 0.25)), place, received_s=1700000001.5
        )
        for module in (kraken_csv, kraken_json, df_aggregator_xml):
            (again,) = module.decode(module.encode(record)[0])
            self.assertEqual(again.received_s, 1700000001.5, module.__name__)

    def test_kraken_csv(self):
        for version, within in (("v1", self.DEGREES), ("v2", 0.5 + 4e-5)):
            for record, index, again in self.each(
                lambda record: kraken_csv.encode(record, "uca", version),
                lambda text: kraken_csv.decode(text, version),
            ):
                self.assert_angle(record, index, again, within)
                self.assert_station(record, again)
                self.assert_time_and_frequency(record, again)
                self.assertEqual(again.station.name, " ".join(record.station.name.split()))
                if version == "v1":
                    self.assert_level("power_db", record, index, again)
                else:
                    self.assert_level("snr_db", record, index, again, self.ONE_DECIMAL)

    def test_kraken_json(self):
        for version, within in (("v1", self.DEGREES), ("v2", 0.5 + 4e-5)):
            for record, index, again in self.each(
                lambda record: kraken_json.encode(record, "uca", version),
                lambda text: kraken_json.decode(text, version),
            ):
                self.assert_angle(record, index, again, within)
                self.assert_station(record, again, has_speed=True)
                self.assert_time_and_frequency(record, again)
                self.assertEqual(again.station.name, record.station.name)
                self.assert_level("power_db", record, index, again, self.ONE_DECIMAL)
                self.assert_level("snr_db", record, index, again, self.FOUR_DECIMALS)

    def test_kraken_xml(self):
        for record, index, again in self.each(kraken_xml.encode, kraken_xml.decode, True):
            self.assert_angle(record, index, again, 0.5 + 4e-5)
            self.assert_level("power_db", record, index, again, self.ONE_DECIMAL)

    def test_df_aggregator_xml(self):
        for record, index, again in self.each(
            df_aggregator_xml.encode, df_aggregator_xml.decode, True
        ):
            self.assert_angle(record, index, again, self.DEGREES)
            self.assert_station(record, again, has_speed=True)
            self.assert_time_and_frequency(record, again)
            self.assertEqual(again.station.name, record.station.name.strip())
            self.assert_level("power_db", record, index, again, self.ONE_DECIMAL)
            self.assert_level("snr_db", record, index, again, self.FOUR_DECIMALS)

    def test_cursor_on_target(self):
        for record, index, again in self.each(cursor_on_target.encode, cursor_on_target.decode):
            self.assert_angle(record, index, again, self.DEGREES + 4e-5)
            self.assertEqual(again.channel, record.channel)
            for field in ("name", "heading_deg", "altitude_m", "speed_m_s"):
                self.assertEqual(getattr(again.station, field), getattr(record.station, field))
            for field in ("latitude", "longitude"):
                found, wanted = getattr(again.station, field), getattr(record.station, field)
                self.assertAlmostEqual(found, wanted, delta=0.6e-8)
            self.assert_time_and_frequency(record, again)
            for field in ("method", "status"):
                self.assertEqual(getattr(again.report, field), getattr(record.report, field))
            for field in ("std_deg", "power_db", "snr_db"):
                np.testing.assert_array_equal(
                    getattr(again.report, field), getattr(record.report, field)[index : index + 1]
                )
            error = difference_deg(
                float(again.report.true_bearing_deg[0]),
                float(record.report.true_bearing_deg[index]),
            )
            self.assertLessEqual(abs(error), self.DEGREES)


class qa_documentation(unittest.TestCase):
    def test_the_bearing_that_is_shown_in_every_format_is_what_they_write(self):
        page = (support.SOURCE_DIR / "docs" / "outputs.md").read_text(encoding="utf-8")
        record = bearing.bearing_record(
            records.report(
                [72.04], 12.0, [0.31], [-31.5], [14.2], rx_time=(1767225600, 0.25)
            ),
            bearing.station("hill", 47.5, 8.75, 12.0, 520.0),
            "beacon",
        )
        shown = [
            json_lines.encode(record)[0],
            csv_lines.encode(record)[0].replace("\r\n", "\n"),
            kraken_xml.encode(record)[0] + "\n",
            df_aggregator_xml.encode(record)[0] + "\n",
            cursor_on_target.encode(record)[0] + "\n",
        ]
        for version in ("v1", "v2"):
            fields = kraken_csv.encode(record, "uca", version)[0].split(", ")
            shown.append(", ".join(fields[:17]) + "\n")
            text = kraken_json.encode(record, "uca", version)[0]
            shown.append(text[: text.index("0.00,")] + "\n")
        for text in shown:
            self.assertIn("\n" + text, page)


class qa_readers(unittest.TestCase):
    """What each reader makes of what is written is the true bearing, whatever the angles."""

    def scenes(self):
        for heading in records.EDGE_HEADINGS_DEG:
            for azimuth in records.EDGE_ANGLES_DEG:
                record = bearing.bearing_record(
                    records.report([azimuth]), bearing.station("x", 47.0, 8.0, heading)
                )
                # Of what went in, not of what the record made of it.
                yield record, float(np.float32(azimuth)) + heading

    def assert_bearing(self, found, wanted, within=0.0001):
        self.assertLessEqual(abs(difference_deg(found, wanted)), within)

    def test_df_aggregator(self):
        for record, wanted in self.scenes():
            root = ElementTree.fromstring(df_aggregator_xml.encode(record)[0])
            doa, heading = float(root.findtext("DOA")), float(root.findtext("LOCATION/HEADING"))
            int(root.findtext("CONF")), int(root.findtext("TIME")), float(root.findtext("PWR"))
            found = heading + (360.0 - doa)
            # It wraps once.
            if found > 360.0:
                found -= 360.0
            elif found < 0.0:
                found += 360.0
            self.assertTrue(0.0 <= found <= 360.0)
            self.assert_bearing(found, wanted)

    def test_krakensdr_app(self):
        for record, wanted in self.scenes():
            for version, within in (("v1", 0.0001), ("v2", 0.5001)):
                fields = kraken_csv.encode(record, version=version)[0].split(", ")
                self.assertTrue(0.0 <= float(fields[1]) < 360.0)
                self.assert_bearing(float(fields[1]) + float(fields[11]), wanted, within)
                # The peak of the spectrum is where the bearing is.
                theta = int(np.argmax([float(field) for field in fields[17:]]))
                self.assert_bearing(float(fields[11]) + 360 - theta, wanted, 0.5001)

    def test_krakensdr_middleware(self):
        for record, wanted in self.scenes():
            value = json.loads(kraken_json.encode(record)[0])
            self.assertTrue(0.0 <= float(value["radioBearing"]) < 360.0)
            found = float(value["gpsBearing"]) + 360.0 - float(value["radioBearing"])
            self.assert_bearing(found, wanted)
            value = json.loads(kraken_json.encode(record, version="v2")[0])
            found = float(value["gpsBearing"]) + int(value["radioBearing"])
            self.assert_bearing(found, wanted, 0.5001)

    def test_kerberos_app(self):
        for record, wanted in self.scenes():
            doa = int(ElementTree.fromstring(kraken_xml.encode(record)[0]).findtext("DOA"))
            self.assertTrue(0 <= doa < 360)
            self.assert_bearing(record.station.heading_deg + doa, wanted, 0.5001)

    def test_tak_draws_the_line_along_the_true_bearing(self):
        for latitude, longitude in ((47.0, 8.0), (-33.0, 179.95)):
            place = bearing.station("x", latitude, longitude, 30.0)
            for azimuth in range(-180, 180, 15):
                record = bearing.bearing_record(records.report([azimuth]), place)
                root = ElementTree.fromstring(cursor_on_target.encode(record, range_km=20.0)[0])
                start, end = (
                    tuple(map(float, link.get("point").split(",")))
                    for link in root.findall("detail/link")
                )
                self.assertEqual(start, (place.latitude, place.longitude))
                self.assertTrue(-180.0 <= end[1] <= 180.0)
                found, distance_m = self.seen_from(start, end)
                # A great circle of the conformal sphere against a plane through the ellipsoid's
                # normal.
                self.assert_bearing(found, azimuth + 30.0, 0.002)
                self.assertAlmostEqual(distance_m, 20e3, delta=1.0)

    @staticmethod
    def seen_from(start, end):
        """Azimuth and distance of a point near the ground from another, by plain geometry."""

        def earth_centred(latitude, longitude):
            a, f = 6378137.0, 1 / 298.257223563
            phi, lam = math.radians(latitude), math.radians(longitude)
            n = a / math.sqrt(1 - f * (2 - f) * math.sin(phi) ** 2)
            east = n * math.cos(phi)
            return np.array(
                [east * math.cos(lam), east * math.sin(lam), n * (1 - f) ** 2 * math.sin(phi)]
            )

        phi, lam = map(math.radians, start)
        way = earth_centred(*end) - earth_centred(*start)
        east = way @ [-math.sin(lam), math.cos(lam), 0.0]
        north = way @ [
            -math.sin(phi) * math.cos(lam),
            -math.sin(phi) * math.sin(lam),
            math.cos(phi),
        ]
        return math.degrees(math.atan2(east, north)), float(np.linalg.norm(way))

    def test_tak_events_are_as_the_schema_has_them(self):
        place = bearing.station("hill", 47.0, 8.0, 30.0)
        record = bearing.bearing_record(records.report([10.0, 50.0]), place, channel="beacon")
        events = [ElementTree.fromstring(text) for text in cursor_on_target.encode(record)]
        for event in events:
            self.assertEqual(event.tag, "event")
            self.assertEqual(event.get("version"), "2.0")
            self.assertEqual(event.get("type"), "u-d-f")
            self.assertEqual(event.get("time"), "2023-11-14T22:13:20.250Z")
            self.assertEqual(event.get("start"), event.get("time"))
            self.assertEqual(event.get("stale"), "2023-11-14T22:13:30.250Z")
            self.assertEqual(
                sorted(event.find("point").attrib), ["ce", "hae", "lat", "le", "lon"]
            )
            self.assertEqual(event.find("point").get("hae"), "9999999.0")
        # Stable, and one for each direction, channel and station.
        again = cursor_on_target.encode(
            bearing.bearing_record(
                records.report([99.0], rx_time=(1800000000, 0.0)), place, "beacon"
            )
        )
        self.assertEqual(ElementTree.fromstring(again[0]).get("uid"), events[0].get("uid"))
        other = bearing.bearing_record(records.report([99.0]), place, "voice")
        uids = {event.get("uid") for event in events}
        uids.add(ElementTree.fromstring(cursor_on_target.encode(other)[0]).get("uid"))
        self.assertEqual(len(uids), 3)

    def test_tak_lines_of_stations_without_a_name_are_told_by_place(self):
        uids = set()
        # The second is the first, as a receiver of GPS sees it a little later.
        for latitude, longitude in ((47.0, 8.0), (47.00003, 8.0), (47.0, 8.001), (47.001, 8.0)):
            place = bearing.station("", latitude, longitude, 30.0)
            (text,) = cursor_on_target.encode(bearing.bearing_record(records.report([1.0]), place))
            uids.add(ElementTree.fromstring(text).get("uid"))
        self.assertEqual(len(uids), 3)

    def test_control_characters_do_not_break_xml(self):
        one = records.report([10.0], status="a\x01b", method="\x00")
        record = bearing.bearing_record(one, bearing.station("x", 1.0, 2.0, 3.0))
        (again,) = cursor_on_target.decode(cursor_on_target.encode(record)[0])
        self.assertEqual(again.report.status, "ab")


class qa_what_cannot_be_said(unittest.TestCase):
    def test_no_line_without_a_direction(self):
        record = bearing.bearing_record(
            records.report([math.nan, math.nan]), bearing.station("x", 1.0, 2.0, 3.0)
        )
        for encode in (
            kraken_csv.encode,
            kraken_json.encode,
            kraken_xml.encode,
            df_aggregator_xml.encode,
            cursor_on_target.encode,
        ):
            self.assertEqual(encode(record), [])

    def test_no_map_without_a_place(self):
        record = bearing.bearing_record(records.report([10.0]), bearing.station(heading_deg=3.0))
        self.assertEqual(df_aggregator_xml.encode(record), [])
        self.assertEqual(cursor_on_target.encode(record), [])

    def test_confidence_falls_with_the_deviation(self):
        stds = [1e-6, 0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 40, 80, 200, math.inf]
        found = [bearing.bearing_record(records.report([0.0], std_deg=[std])) for std in stds]
        for measure in (confidence.confidence_db, confidence.confidence_percent):
            values = [measure(record, 0) for record in found]
            self.assertEqual(values, sorted(values, reverse=True))
            self.assertGreaterEqual(values[-1], 0.0)
            unknown = bearing.bearing_record(records.report([0.0], std_deg=[math.nan]))
            self.assertEqual(measure(unknown, 0), 0.0)
        percents = [confidence.confidence_percent(record, 0) for record in found]
        self.assertLessEqual(percents[0], 100.0)
        # Within 5 degrees at a deviation of 5: the 68.27 % of a normal distribution.
        self.assertAlmostEqual(percents[stds.index(5)], 68.27, delta=0.01)
        # df-aggregator leaves out what is below 10: useless bearings only.
        self.assertGreater(percents[stds.index(20)], 10.0)
        self.assertLess(percents[stds.index(80)], 10.0)

    def test_confidence_of_a_spectrum(self):
        # One point of 360 at 0 dB among others at -60: 360 / (1 + 359e-6) over the mean.
        curve = np.full(360, -60.0)
        curve[7] = 0.0
        record = bearing.bearing_record(
            records.report([7.0], std_deg=[math.nan]),
            spectrum_db=curve,
            spectrum_deg=np.arange(360),
        )
        expected = 10 * math.log10(360 / (1 + 359e-6))
        self.assertAlmostEqual(confidence.confidence_db(record, 0), expected, places=9)
        self.assertGreater(confidence.confidence_percent(record, 0), 99.0)

    # Of the library; and of messages that come from elsewhere, or tell none.
    DOUBTFUL = (
        "no_source unresolved collapsed bad_data low_snr model_mismatch not_identifiable OK okay"
    ).split() + [""]

    @staticmethod
    def confidences(record):
        """{format: confidence} as it is written."""

        def text(found, path):
            return ElementTree.fromstring(found).findtext(path)

        found = {
            "df_aggregator_xml": text(df_aggregator_xml.encode(record)[0], "CONF"),
            "kraken_xml": text(kraken_xml.encode(record)[0], "CONF"),
        }
        for version in ("v1", "v2"):
            line = kraken_csv.encode(record, "uca", version)[0]
            found[f"kraken_csv {version}"] = line.split(", ")[2]
            post = json.loads(kraken_json.encode(record, "uca", version)[0])
            found[f"kraken_json {version}"] = post["conf"]
        return {name: float(value) for name, value in found.items()}

    @staticmethod
    def sharp(status, std_deg=math.nan, method="music"):
        """A bearing with a narrow peak; as an array that is not calibrated gives them, too."""
        curve = np.full(360, -40.0)
        curve[158] = 0.0
        return bearing.bearing_record(
            records.report([158.2], std_deg=[std_deg], status=status, method=method),
            bearing.station("hill", 47.5, 8.75, 12.0),
            "beacon",
            spectrum_db=curve,
            spectrum_deg=np.arange(360),
        )

    def test_confidence_is_0_unless_the_status_is_ok(self):
        for status in self.DOUBTFUL:
            # Sharp in the spectrum, by the deviation, and by both.
            sharp = self.sharp(status, 0.3)
            bare = dataclasses.replace(sharp, spectrum_db=None, spectrum_deg=None)
            for record in (self.sharp(status), sharp, bare):
                for name, value in self.confidences(record).items():
                    self.assertEqual(value, 0.0, (name, status))
        for record in (self.sharp("ok", 0.3), self.sharp("ok")):
            for name, value in self.confidences(record).items():
                self.assertGreater(value, 0.9, name)

    def test_df_aggregator_leaves_out_what_is_not_ok(self):
        def takes(record):
            return self.confidences(record)["df_aggregator_xml"] >= 10

        self.assertTrue(takes(self.sharp("ok", 0.3)))
        # Without a deviation by nature: by the spectrum.
        for method in ("bartlett", "capon"):
            self.assertTrue(takes(self.sharp("ok", method=method)))
        for status in self.DOUBTFUL:
            self.assertFalse(takes(self.sharp(status)), status)

    def test_a_doubtful_bearing_that_is_read_and_written_again_stays_doubtful(self):
        record = self.sharp("model_mismatch")
        for module in (kraken_csv, kraken_json):
            (again,) = module.decode(module.encode(record)[0])
            self.assertIsNotNone(again.spectrum_db)
            self.assertEqual(set(self.confidences(again).values()), {0.0}, module.__name__)
            event = self.event(again)
            self.assertEqual(event.callsign, "hill 170.2° (status unknown, no ±σ)")
            self.assertEqual(event.colour, self.GREY)
        (again,) = cursor_on_target.decode(cursor_on_target.encode(record)[0])
        self.assertEqual(again.report.status, "model_mismatch")
        self.assertEqual(self.event(again), self.event(record))

    # Opaque red, orange and grey: ARGB as a signed number of 32 bits.
    RED, ORANGE, GREY = (colour - 2**32 for colour in (0xFFFF0000, 0xFFFF7700, 0xFF808080))

    @dataclasses.dataclass(frozen=True)
    class seen:
        """What a TAK client shows of a line, and what it knows it by."""

        callsign: str
        colour: int
        remarks: str
        uid: str

    def event(self, record, rank=0):
        root = ElementTree.fromstring(cursor_on_target.encode(record)[rank])
        return self.seen(
            root.find("detail/contact").get("callsign"),
            int(root.find("detail/strokeColor").get("value")),
            root.findtext("detail/remarks"),
            root.get("uid"),
        )

    def test_tak_shows_what_should_not_be_trusted(self):
        right = self.event(self.sharp("ok", 0.3))
        self.assertEqual(right.callsign, "hill beacon 170.2°")
        self.assertEqual(right.colour, self.RED)
        self.assertEqual(right.remarks, "170.2° ± 0.30°, 433.92 MHz")
        wrong = self.event(self.sharp("model_mismatch"))
        self.assertEqual(wrong.callsign, "hill beacon 170.2° (model_mismatch, no ±σ)")
        self.assertEqual(wrong.colour, self.GREY)
        self.assertEqual(wrong.remarks, "170.2°, model_mismatch, no ±σ, 433.92 MHz")
        # The one replaces the other.
        self.assertEqual(wrong.uid, right.uid)
        page = (support.SOURCE_DIR / "docs" / "outputs.md").read_text(encoding="utf-8")
        self.assertIn(f"`{wrong.callsign}`", page)
        weak = self.event(self.sharp("low_snr", 0.3))
        self.assertEqual(weak.callsign, "hill beacon 170.2° (low_snr)")
        self.assertEqual(weak.colour, self.GREY)
        self.assertEqual(weak.remarks, "170.2° ± 0.30°, low_snr, 433.92 MHz")
        peak = self.event(self.sharp("ok", method="bartlett"))
        self.assertEqual(peak.callsign, "hill beacon 170.2° (no ±σ)")
        self.assertEqual(peak.colour, self.RED)
        self.assertEqual(peak.remarks, "170.2°, no ±σ, 433.92 MHz")

    def test_tak_shows_every_direction_of_a_doubtful_message_in_grey(self):
        place = bearing.station("hill", 47.5, 8.75, 0.0)
        for status, colours in (
            ("ok", [self.RED, self.ORANGE]),
            ("unresolved", [self.GREY, self.GREY]),
        ):
            one = records.report([10.0, 50.0], std_deg=[0.5, math.nan], status=status)
            record = bearing.bearing_record(one, place)
            events = [self.event(record, rank) for rank in range(2)]
            self.assertEqual([event.colour for event in events], colours)
            for event, lacks in zip(events, (False, True)):
                self.assertEqual("no ±σ" in event.callsign, lacks)
                self.assertEqual("unresolved" in event.callsign, status != "ok")

    def test_evil_xml_is_refused(self):
        good = kraken_xml.encode(bearing.bearing_record(records.report([10.0])))[0]
        entity = '<!DOCTYPE x [<!ENTITY a "10"><!ENTITY b "&a;&a;&a;">]>'
        for text in (
            entity + good.replace("10", "&b;"),
            '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + good,
            "<!DOCTYPE DATA>" + good,
            good[:-3],
            "",
            "\x00",
            good.replace("DATA", "EVENT"),
            good.replace("DOA", "AOD"),
            good.replace(">10<", ">nan<"),
            good.replace(">10<", ">1" + "0" * 5000 + "<"),
            good.replace("<CONF>", "<CONF>1.5"),
            "<DATA>" + "x" * (1 << 20) + "</DATA>",
        ):
            self.assertNotEqual(text, good)
            with self.subTest(text=text[:80]), self.assertRaises(ValueError):
                kraken_xml.decode(text)

    def test_damaged_text_is_refused_or_read_and_nothing_else(self):
        record = bearing.bearing_record(
            records.report([10.0, 200.0]), bearing.station("hill", 47.0, 8.0, 12.0), "beacon"
        )
        rng = np.random.default_rng(SEED)
        for module in (
            json_lines,
            csv_lines,
            kraken_csv,
            kraken_json,
            kraken_xml,
            df_aggregator_xml,
            cursor_on_target,
        ):
            data = module.encode(record)[0].encode()
            self.assertEqual(len(module.decode(data)), len(module.decode(data.decode())))
            refused = 0
            for _ in range(200):
                damaged = bytearray(data)
                # In the first kilobyte: what follows in some are zeros of a spectrum.
                begin = int(rng.integers(0, min(len(data), 1000)))
                if rng.random() < 0.5:
                    del damaged[begin : begin + int(rng.integers(1, 20))]
                else:
                    damaged[begin] = int(rng.integers(0, 256))
                try:
                    module.decode(bytes(damaged))
                except ValueError:
                    refused += 1
            # Most damage shows: a digit or letter for another does not.
            self.assertGreater(refused, 40, module.__name__)

    def test_wrong_parameters_are_named(self):
        record = bearing.bearing_record(records.report([10.0]))
        for encode in (kraken_csv.encode, kraken_json.encode):
            with self.assertRaisesRegex(ValueError, "version is 'v3'; it must be one of v1, v2"):
                encode(record, "uca", "v3")
            with self.assertRaisesRegex(ValueError, "array_kind is 'UCA'; it must be one of ula"):
                encode(record, "UCA")
        with self.assertRaisesRegex(ValueError, "377"):
            kraken_csv.decode("1, 2, 3\n")


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing_report: what a bearing message says, and what is wrong with one that is none."""

import math
import unittest
import warnings

import numpy as np
import pmt
from gnuradio import bearing, blocks, gr
from support import stored_messages


def floats(values):
    return pmt.init_f32vector(len(values), list(values))


def message(angles, **details):
    """A message with the given entries, those that are None left out."""
    entries = dict(method=pmt.intern("music"), status=pmt.intern("ok"))
    entries.update(details)
    fields = pmt.make_dict()
    for name, value in entries.items():
        if value is not None:
            fields = pmt.dict_add(fields, pmt.intern(name), value)
    return pmt.cons(fields, floats(angles))


class qa_bearing_report(unittest.TestCase):
    def test_every_field_is_read(self):
        report = bearing.bearing_report.from_message(
            message(
                [350.0, 20.5],
                std_deg=floats([0.25, math.nan]),
                true_bearing_deg=floats([20.0, 50.5]),
                power_db=floats([3.0, -1.0]),
                snr_db=floats([13.0, 9.0]),
                rx_time=pmt.make_tuple(pmt.from_uint64(1767225600), pmt.from_double(0.25)),
                rx_freq=pmt.from_double(433.92e6),
                num_sources=pmt.from_uint64(2),
                snapshots=pmt.from_uint64(2**40),
                later_versions=pmt.PMT_T,
            )
        )
        np.testing.assert_array_equal(report.angles_deg, np.float32([350.0, 20.5]))
        np.testing.assert_array_equal(report.std_deg, np.float32([0.25, math.nan]))
        np.testing.assert_array_equal(report.true_bearing_deg, np.float32([20.0, 50.5]))
        np.testing.assert_array_equal(report.power_db, np.float32([3.0, -1.0]))
        np.testing.assert_array_equal(report.snr_db, np.float32([13.0, 9.0]))
        self.assertEqual(report.rx_time, (1767225600, 0.25))
        self.assertEqual(report.seconds, 1767225600.25)
        self.assertEqual(report.rx_freq, 433.92e6)
        self.assertEqual(report.num_sources, 2)
        self.assertEqual(report.snapshots, 2**40)
        self.assertEqual((report.method, report.status), ("music", "ok"))
        # 350 + 30 = 380: across north.
        self.assertAlmostEqual(report.heading_deg, 30.0)

    def test_what_the_block_coupling_adds_is_read_where_it_is_told(self):
        report = bearing.bearing_report.from_message(
            message(
                [10.0],
                reason=pmt.intern("too few snapshots"),
                is_gated=pmt.PMT_T,
                glrt=pmt.from_double(56.5),
                glrt_limit=pmt.from_double(math.nan),
            )
        )
        self.assertEqual(report.reason, "too few snapshots")
        self.assertIs(report.is_gated, True)
        self.assertEqual(report.glrt, 56.5)
        self.assertTrue(math.isnan(report.glrt_limit))
        other = bearing.bearing_report.from_message(message([10.0], reason=pmt.PMT_NIL))
        self.assertEqual(
            (other.reason, other.is_gated, other.glrt, other.glrt_limit), (None,) * 4
        )

    def test_second_coordinates_are_read_where_they_are_told(self):
        report = bearing.bearing_report.from_message(
            message(
                [350.0, 20.5],
                elevation_deg=floats([30.0, 5.0]),
                elevation_std_deg=floats([0.5, math.nan]),
            )
        )
        np.testing.assert_array_equal(report.elevation_deg, np.float32([30.0, 5.0]))
        np.testing.assert_array_equal(report.elevation_std_deg, np.float32([0.5, math.nan]))
        self.assertIsNone(report.range_m)
        report = bearing.bearing_report.from_message(
            message([1.0], range_m=floats([math.inf]), range_std_m=floats([math.nan]))
        )
        np.testing.assert_array_equal(report.range_m, np.float32([math.inf]))
        self.assertIsNone(report.elevation_deg)
        with self.assertRaisesRegex(ValueError, "elevation_deg"):
            bearing.bearing_report.from_message(message([1.0], elevation_deg=floats([1.0, 2.0])))

    def test_what_is_not_told_is_unknown(self):
        for absent in (None, pmt.PMT_NIL):
            names = "std_deg true_bearing_deg power_db snr_db rx_time rx_freq num_sources snapshots"
            report = bearing.bearing_report.from_message(
                message([1.0, 2.0], **dict.fromkeys(names.split(), absent))
            )
            for name in names.split()[:4]:
                values = getattr(report, name)
                self.assertEqual(values.shape, (2,))
                self.assertTrue(np.isnan(values).all(), name)
            for name in names.split()[4:] + ["seconds", "heading_deg"]:
                self.assertIsNone(getattr(report, name), name)

    def test_no_bearings_are_a_report_too(self):
        report = bearing.bearing_report.from_message(message([], status=pmt.intern("no_source")))
        self.assertEqual(report.angles_deg.shape, (0,))
        self.assertEqual(report.status, "no_source")
        self.assertIsNone(report.heading_deg)

    def test_the_heading_is_that_of_the_first_direction_that_was_found(self):
        report = bearing.bearing_report.from_message(
            message([math.nan, 10.0], true_bearing_deg=floats([math.nan, 5.0]))
        )
        self.assertAlmostEqual(report.heading_deg, 355.0)

    def test_a_direction_that_is_no_number_tells_no_heading_and_warns_of_nothing(self):
        for true_deg in (math.inf, -math.inf, math.nan):
            report = bearing.bearing_report.from_message(
                message([math.inf, 10.0], true_bearing_deg=floats([true_deg, true_deg]))
            )
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                self.assertIsNone(report.heading_deg)

    def test_malformed_messages_are_value_errors_that_name_the_field(self):
        two = [1.0, 2.0]
        cases = [
            (pmt.PMT_NIL, "pair"),
            (pmt.from_long(3), "pair"),
            (pmt.cons(pmt.from_long(3), floats(two)), "dict"),
            (pmt.cons(pmt.make_dict(), pmt.PMT_NIL), "f32vector"),
            (pmt.cons(pmt.make_dict(), pmt.init_f64vector(2, two)), "f32vector"),
            (pmt.cons(pmt.make_dict(), floats(two)), "symbol"),
            (message(two, std_deg=floats([1.0])), "std_deg"),
            (message(two, std_deg=pmt.from_double(1.0)), "std_deg"),
            (message(two, power_db=pmt.init_f64vector(2, two)), "power_db"),
            (message(two, status=pmt.from_long(0)), "status"),
            (message(two, status=None), "status"),
            (message(two, method=pmt.PMT_NIL), "method"),
            (message(two, rx_time=pmt.from_double(1.0)), "rx_time"),
            (message(two, rx_time=pmt.make_tuple(pmt.from_uint64(1))), "rx_time"),
            (
                message(
                    two,
                    rx_time=pmt.make_tuple(pmt.from_uint64(1), pmt.from_double(math.nan)),
                ),
                "rx_time",
            ),
            (message(two, rx_freq=pmt.intern("fm")), "rx_freq"),
            (message(two, rx_freq=pmt.from_complex(1, 1)), "rx_freq"),
            (message(two, num_sources=pmt.from_double(2.0)), "num_sources"),
            (message(two, snapshots=pmt.intern("many")), "snapshots"),
            (message(two, reason=pmt.from_long(1)), "reason"),
            (message(two, is_gated=pmt.from_double(1.0)), "is_gated"),
            (message(two, glrt=pmt.intern("much")), "glrt"),
        ]
        for malformed, word in cases:
            with self.subTest(word=word):
                with self.assertRaisesRegex(ValueError, word):
                    bearing.bearing_report.from_message(malformed)

    def test_what_an_estimator_publishes_is_read_whole(self):
        array = bearing.array.uca(5, 0.4)
        flowgraph = gr.top_block()
        simulator = bearing.array_simulator(
            array, [75.0], [20.0], sample_rate=1e4, seed=3, center_frequency=100e6, start_time=7.5
        )
        covariance = bearing.covariance(array.n, 500)
        music = bearing.music(array, 1, heading_deg=300.0)
        log = blocks.message_debug()
        for k in range(array.n):
            head = blocks.head(gr.sizeof_gr_complex, 1000)
            flowgraph.connect((simulator, k), head, (covariance, k))
        flowgraph.connect(covariance, music)
        flowgraph.msg_connect(music, "bearings", log, "store")
        flowgraph.run()
        _, last = stored_messages(log)
        report = bearing.bearing_report.from_message(last)
        # Predicted deviation 0.05 degrees: 6 of them.
        self.assertAlmostEqual(float(report.angles_deg[0]), 75.0, delta=0.3)
        self.assertAlmostEqual(float(report.true_bearing_deg[0]), 15.0, delta=0.3)
        # The angles are single precision: 360 * 2^-24.
        self.assertAlmostEqual(report.heading_deg, 300.0, delta=1e-4)
        # The second item begins 500 samples of 0.1 ms after the first.
        self.assertAlmostEqual(report.seconds, 7.55, delta=1e-9)
        self.assertEqual(
            (report.method, report.status, report.num_sources, report.snapshots, report.rx_freq),
            ("music", "ok", 1, 500, 100e6),
        )


if __name__ == "__main__":
    unittest.main()

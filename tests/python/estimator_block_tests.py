# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every estimator block must do, whichever estimator runs in it.

qa_music, qa_beamscan, qa_root_music, qa_subspace_fit and qa_wideband_music_block inherit these
tests. Covariances are written out here with NumPy from the drawing of the array, so nothing under
test makes its own input.
"""

import math
import time

import numpy as np
import pmt
from gnuradio import blocks, gr

from gnuradio import bearing

SPEED_OF_LIGHT = 299792458.0

# Covariance items are single precision: entries of an exact R are off by up to 6e-8 of
# its power, which turns a signal subspace by about as many radians; messages carry angles
# in single precision (1.5e-5 degrees near 360). 1e-3 degrees leaves room for both and is
# a hundred times below any error a wrong sign, index or unit could make.
ANGLE_TOLERANCE_DEG = 1e-3

PDU_KEYS = {
    "rx_time", "rx_freq", "method", "status", "num_sources", "snapshots",
    "std_deg", "true_bearing_deg", "power_db", "snr_db",
}  # fmt: skip


# The oracle --------------------------------------------------------------------------


def line_positions(n, spacing):
    return np.array([[k * spacing, 0.0, 0.0] for k in range(n)])


def circle_positions(n, radius):
    """Element k at azimuth 360 k / n, clockwise from +y."""
    azimuth = 2 * np.pi * np.arange(n) / n
    return radius * np.stack([np.sin(azimuth), np.cos(azimuth), 0 * azimuth], axis=1)


def steering(positions, azimuth_deg):
    """exp(+j 2 pi p . u) with u = (sin theta, cos theta, 0), positions in wavelengths."""
    azimuth = np.deg2rad(azimuth_deg)
    return np.exp(2j * np.pi * positions @ [np.sin(azimuth), np.cos(azimuth), 0.0])


def covariance(vectors, snr_db=10.0):
    """Uncorrelated sources with these steering vectors in noise of variance 1."""
    vectors = np.atleast_2d(vectors)
    power = np.broadcast_to(10 ** (np.asarray(snr_db) / 10), len(vectors))
    r = np.eye(vectors.shape[1], dtype=complex)
    for a, p in zip(vectors, power):
        r += p * np.outer(a, a.conj())
    return r


def scene(positions, angles_deg, snr_db=10.0):
    return covariance([steering(positions, t) for t in np.atleast_1d(angles_deg)], snr_db)


def angle_error(a_deg, b_deg):
    return np.abs((np.asarray(a_deg) - np.asarray(b_deg) + 180) % 360 - 180)


# Streams, tags and messages ----------------------------------------------------------


def item_length(block):
    return block.input_signature().sizeof_stream_item(0) // gr.sizeof_gr_complex


def to_items(covariances, copies=1):
    """Column-major, one covariance after the other; or so many times each, with an equal share of
    its power."""
    shares = np.repeat(covariances, copies, axis=0) / copies
    return np.concatenate([np.ravel(r, order="F") for r in shares]).astype(np.complex64)


def tag(item, key, value):
    return gr.tag_utils.python_to_tag((item, pmt.intern(key), value, pmt.intern("test")))


def time_value(seconds, fraction):
    return pmt.make_tuple(pmt.from_uint64(seconds), pmt.from_double(fraction))


def calibration_message(**parts):
    message = pmt.make_dict()
    for key, value in parts.items():
        message = pmt.dict_add(message, pmt.intern(key), value)
    return message


def c32(values):
    values = np.asarray(values)
    return pmt.init_c32vector(len(values), [complex(v) for v in values])


class Report:
    """A `bearings` PDU in Python's own types; `raw` is its dict as it came."""

    def __init__(self, message):
        self.raw = pmt.car(message)
        self.angles = pmt.cdr(message)
        self.angles_deg = np.array(pmt.f32vector_elements(self.angles))
        self.status = pmt.symbol_to_string(self.get("status"))
        self.method = pmt.symbol_to_string(self.get("method"))
        self.num_sources = pmt.to_uint64(self.get("num_sources"))
        self.std_deg, self.true_bearing_deg, self.power_db, self.snr_db = (
            np.array(pmt.f32vector_elements(self.get(key)))
            for key in ("std_deg", "true_bearing_deg", "power_db", "snr_db")
        )

    def get(self, key):
        return pmt.dict_ref(self.raw, pmt.intern(key), pmt.intern("missing"))

    @property
    def rx_time(self):
        value = self.get("rx_time")
        if pmt.is_null(value):
            return None
        return pmt.to_uint64(pmt.tuple_ref(value, 0)), pmt.to_double(pmt.tuple_ref(value, 1))


class Flowgraph:
    """items -> block -> reports and, unless spectrum is None, spectra."""

    def __init__(self, block, covariances, tags=(), num_points=None, rate=None):
        vlen = item_length(block)
        # Some blocks take items of several covariances.
        copies = vlen // len(covariances[0]) ** 2
        self.block = block
        self.num_items = len(covariances)
        self.top = gr.top_block()
        # At a given rate the items come again and again, until the flowgraph is stopped.
        self.source = blocks.vector_source_c(
            to_items(covariances, copies), rate is not None, vlen, list(tags)
        )
        self.messages = blocks.message_debug()
        if rate is None:
            self.top.connect(self.source, block)
        else:
            throttle = blocks.throttle(gr.sizeof_gr_complex * vlen, rate)
            throttle.set_max_noutput_items(1)
            self.top.connect(self.source, throttle, block)
        self.spectra = None
        if num_points is not None:
            self.spectra = blocks.vector_sink_f(num_points)
            self.top.connect(block, self.spectra)
        self.top.msg_connect(block, "bearings", self.messages, "store")
        self.num_points = num_points

    def run(self, timeout=60.0):
        """Every report of a stream that ends."""
        expected = self.messages.num_messages() + self.num_items
        self.top.start()
        deadline = time.monotonic() + timeout
        while self.messages.num_messages() < expected and time.monotonic() < deadline:
            time.sleep(0.001)
        # The sink has its spectra when the stream's end has come through to it; where
        # reports are missing nothing is worth waiting for.
        if self.messages.num_messages() < expected:
            self.top.stop()
        self.top.wait()
        count = self.messages.num_messages()
        if count != expected:
            raise AssertionError(f"{count} reports for {expected} items")
        return [self.report(k) for k in range(expected - self.num_items, expected)]

    def report(self, index):
        return Report(self.messages.get_message(index))

    def spectrum_items(self):
        return np.reshape(self.spectra.data(), (-1, self.num_points))

    def __enter__(self):
        self.top.start()
        return self

    def __exit__(self, *_):
        self.top.stop()
        self.top.wait()

    def until(self, condition, timeout=30.0):
        """The first report from now on that satisfies the condition."""
        seen = self.messages.num_messages()
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for seen in range(seen, self.messages.num_messages()):
                report = self.report(seen)
                if condition(report):
                    return report
            seen = self.messages.num_messages()
            time.sleep(0.002)
        raise AssertionError(f"no such report in {timeout} s")


def run(block, covariances, tags=(), messages=()):
    flowgraph = Flowgraph(block, covariances, tags)
    for message in messages:  # queued before the start, so handled before the first item
        block.to_basic_block()._post(pmt.intern("calibration"), message)
    return flowgraph.run()


# The tests ---------------------------------------------------------------------------


class EstimatorBlockTests:
    """Mixed into a gr_unittest.TestCase that tells how its block is made.

    Sources are alone in most scenes: a single source has an unbiased peak in every
    spectrum, Bartlett's too.
    """

    method = None  # the symbol in messages
    # Where an estimator is biased by nature, its own tests say why and by how much.
    two_source_tolerance_deg = ANGLE_TOLERANCE_DEG
    offset_tolerance_deg = ANGLE_TOLERANCE_DEG
    level_tolerance_db = 0.01
    few_points = {"num_points": 32}

    def make(self, array, num_sources, **options):
        raise NotImplementedError

    def setUp(self):
        self.n = 6
        self.line = bearing.array.ula(n=self.n, spacing=0.5)
        self.positions = line_positions(self.n, 0.5)
        self.r = scene(self.positions, 20.0)

    def assert_angles(self, report, expected_deg, tolerance=ANGLE_TOLERANCE_DEG):
        self.assertEqual(len(report.angles_deg), len(np.atleast_1d(expected_deg)))
        worst = np.max(angle_error(report.angles_deg, expected_deg))
        self.assertLess(worst, tolerance, f"{report.angles_deg} is not {expected_deg}")

    # Convention

    def test_convention_positive_bearing_on_a_line_is_towards_plus_x(self):
        for angle in (-70.0, -20.0, 0.0, 35.0, 60.0):
            (report,) = run(self.make(self.line, 1), [scene(self.positions, angle)])
            self.assert_angles(report, angle)

    def test_convention_an_element_nearer_the_source_leads(self):
        # Phases from distances to a point, with no unit vector and no sign to choose:
        # a path d wavelengths long delays by 2 pi d. At 1e7 wavelengths the wave is flat
        # to aperture^2 / (2 * distance) = 3e-7 wavelengths.
        source = 1e7 * np.array([math.sin(math.radians(30)), math.cos(math.radians(30)), 0])
        distance = np.linalg.norm(source - self.positions, axis=1)
        self.assertLess(distance[-1], distance[0])
        r = covariance(np.exp(-2j * np.pi * (distance - distance[0])))
        self.assertGreater(np.angle(r[1, 0]), 0)  # element 1 is nearer: it leads
        (report,) = run(self.make(self.line, 1), [r])
        self.assert_angles(report, 30.0)

    def test_convention_true_bearing_is_heading_plus_angle_modulo_360(self):
        for heading, expected in ((0, 20), (350, 10), (-100, 280), (1000, 300), (-20, 0)):
            (report,) = run(self.make(self.line, 1, heading_deg=heading), [self.r])
            self.assert_angles(report, 20.0)
            error = angle_error(report.true_bearing_deg, expected)
            self.assertLess(error[0], ANGLE_TOLERANCE_DEG)
            self.assertGreaterEqual(report.true_bearing_deg[0], 0.0)
            self.assertLess(report.true_bearing_deg[0], 360.0)

    def test_convention_true_bearing_stays_below_360_in_single_precision(self):
        # 359.99999 is nearer to 360 than to the next smaller single, 359.99997.
        (report,) = run(
            self.make(self.line, 1, heading_deg=-1e-5), [scene(self.positions, 0.0)]
        )
        self.assertEqual(report.true_bearing_deg[0], 0.0)

    # Arrays that are no line

    def test_bearings_on_a_circle_run_clockwise_all_round(self):
        array = bearing.array.uca(n=5, radius=0.4)
        for angle in (0.0, 30.0, 123.0, 288.0, 359.5):
            (report,) = run(self.make(array, 1), [scene(circle_positions(5, 0.4), angle)])
            self.assert_angles(report, angle)
            self.assertTrue(0.0 <= report.angles_deg[0] < 360.0)

    def test_convention_a_source_at_plus_30_by_a_circle_is_forward_right(self):
        # As on a compass: 30 degrees is 1/2 to the right (+x) and 0.866 forward (+y).
        source = 1e7 * np.array([0.5, math.sqrt(0.75), 0.0])
        distance = np.linalg.norm(source - circle_positions(5, 0.4), axis=1)
        r = covariance(np.exp(-2j * np.pi * (distance - distance[0])))
        block = self.make(bearing.array.uca(n=5, radius=0.4), 1, heading_deg=100.0)
        (report,) = run(block, [r])
        self.assert_angles(report, 30.0)
        self.assertLess(angle_error(report.true_bearing_deg, 130.0)[0], ANGLE_TOLERANCE_DEG)

    def test_bearings_on_a_custom_array(self):
        positions = np.array(
            [[0, 0, 0], [0.45, 0.1, 0], [0.2, 0.5, 0.1], [-0.4, 0.3, 0], [-0.1, -0.45, 0.2]]
        )
        for angle in (47.0, 200.0, 333.0):
            block = self.make(bearing.array.custom(positions), 1)
            (report,) = run(block, [scene(positions, angle)])
            self.assert_angles(report, angle)

    # Messages

    def test_the_pdu_is_complete_and_of_the_promised_types(self):
        tags = [
            tag(0, "rx_time", time_value(1700000000, 0.25)),
            tag(0, "rx_freq", pmt.from_double(433.92e6)),
            tag(0, "snapshots", pmt.from_uint64(500)),
        ]
        (report,) = run(self.make(self.line, 2), [scene(self.positions, [-20, 40])], tags)
        keys = pmt.dict_keys(report.raw)
        keys = [pmt.symbol_to_string(pmt.nth(k, keys)) for k in range(pmt.length(keys))]
        self.assertEqual(sorted(keys), sorted(PDU_KEYS))
        self.assertTrue(pmt.is_f32vector(report.angles))
        self.assertEqual(report.rx_time, (1700000000, 0.25))
        self.assertTrue(pmt.is_uint64(pmt.tuple_ref(report.get("rx_time"), 0)))
        self.assertTrue(pmt.is_real(pmt.tuple_ref(report.get("rx_time"), 1)))
        self.assertTrue(pmt.is_real(report.get("rx_freq")))
        self.assertEqual(pmt.to_double(report.get("rx_freq")), 433.92e6)
        self.assertTrue(pmt.is_symbol(report.get("method")))
        self.assertEqual(report.method, self.method)
        self.assertTrue(pmt.is_symbol(report.get("status")))
        self.assertTrue(pmt.is_uint64(report.get("num_sources")))
        self.assertEqual(report.num_sources, 2)
        self.assertTrue(pmt.is_uint64(report.get("snapshots")))
        self.assertEqual(pmt.to_uint64(report.get("snapshots")), 500)
        for key in ("std_deg", "true_bearing_deg", "power_db", "snr_db"):
            self.assertTrue(pmt.is_f32vector(report.get(key)), key)
            self.assertEqual(pmt.length(report.get(key)), 2, key)

    def test_what_is_unknown_is_nil(self):
        (report,) = run(self.make(self.line, 1), [self.r])
        for key in ("rx_time", "rx_freq", "snapshots"):
            self.assertTrue(pmt.is_null(report.get(key)), key)

    def test_power_and_snr_are_those_of_the_source(self):
        # R is exact, so what is left is single precision: 1e-7 relative, far below 0.01 dB.
        # Noise is seen through snapshots only in its debiasing, 1 / (1 - 1 / 1e6).
        r = 4.0 * scene(self.positions, 20.0, snr_db=13.0)
        (report,) = run(self.make(self.line, 1, snapshots=10**6), [r])
        self.assertAlmostEqual(report.snr_db[0], 13.0, delta=self.level_tolerance_db)
        self.assertAlmostEqual(
            report.power_db[0], 13.0 + 10 * math.log10(4.0), delta=self.level_tolerance_db
        )

    def test_sources_are_sorted_strongest_first(self):
        for angles in ([-30.0, 35.0], [35.0, -30.0]):
            r = scene(self.positions, angles, snr_db=[20.0, 14.0])
            (report,) = run(self.make(self.line, 2), [r])
            self.assert_angles(report, angles, self.two_source_tolerance_deg)
            self.assertGreater(report.power_db[0], report.power_db[1])

    def test_sources_are_counted_when_their_number_is_zero(self):
        covariances = [scene(self.positions, angles, 20.0) for angles in ([10], [-40, 10])]
        reports = run(self.make(self.line, 0, snapshots=1000), covariances)
        self.assertEqual([r.num_sources for r in reports], [1, 2])
        self.assertEqual([len(r.angles_deg) for r in reports], [1, 2])

    def test_every_way_of_counting_counts(self):
        for counting in ("ratio", "mdl", "aic"):
            block = self.make(self.line, 0, snapshots=1000, counting=counting)
            (report,) = run(block, [self.r])
            self.assertEqual(report.num_sources, 1, counting)

    # Bad data

    def test_bad_data_is_reported_and_leaves_no_trace(self):
        n = self.n
        with_nan, with_inf, dead = self.r.copy(), self.r.copy(), self.r.copy()
        with_nan[2, 3] = np.nan
        with_inf[1, 1] = np.inf
        dead[2, :] = dead[:, 2] = 0.0
        all_nan = np.full((n, n), np.nan, dtype=complex)
        zero = np.zeros((n, n), dtype=complex)
        skewed = self.r + 5.0 * np.triu(np.ones((n, n)), 1)
        bad = [with_nan, with_inf, all_nan, zero, dead, skewed]
        covariances = [x for r in bad for x in (r, self.r)]
        reports = run(self.make(self.line, 1, snapshots=1000), covariances)
        for k, report in enumerate(reports):
            if k % 2 == 0:
                self.assertEqual(report.status, "bad_data", f"item {k}")
                self.assertEqual(report.num_sources, 1)
                for values in (
                    report.angles_deg,
                    report.std_deg,
                    report.true_bearing_deg,
                    report.power_db,
                    report.snr_db,
                ):
                    self.assertEqual(len(values), 1)
                    self.assertTrue(np.isnan(values[0]))
            else:
                self.assertEqual(report.status, "ok", f"item {k}")
                self.assert_angles(report, 20.0)

    def test_noise_alone_is_no_source(self):
        (report,) = run(self.make(self.line, 0, snapshots=1000), [np.eye(self.n)])
        self.assertEqual(report.status, "no_source")
        self.assertEqual(report.num_sources, 0)
        self.assertEqual(len(report.angles_deg), 0)
        for key in ("std_deg", "true_bearing_deg", "power_db", "snr_db"):
            self.assertEqual(pmt.length(report.get(key)), 0)

    def test_sources_that_cannot_be_counted_are_not_identifiable(self):
        (report,) = run(self.make(self.line, 0), [self.r])
        self.assertEqual(report.status, "not_identifiable")
        self.assertEqual(len(report.angles_deg), 0)

    def test_a_rank_one_covariance_gives_its_bearing(self):
        a = steering(self.positions, 20.0)
        (report,) = run(self.make(self.line, 1, snapshots=100), [np.outer(a, a.conj())])
        self.assert_angles(report, 20.0)

    # Tags

    def test_rx_time_is_that_of_the_item_it_stands_on(self):
        times = [(10, 0.5), (11, 0.25), (4000000000, 0.0)]
        tags = [tag(k, "rx_time", time_value(*t)) for k, t in enumerate(times)]
        reports = run(self.make(self.line, 1), [self.r] * 3, tags)
        self.assertEqual([r.rx_time for r in reports], times)

    def test_rx_time_advances_by_the_snapshots_of_each_item(self):
        tags = [
            tag(0, "rx_time", time_value(5, 0.998)),
            tag(0, "rx_rate", pmt.from_double(1e6)),
            tag(2, "snapshots", pmt.from_uint64(4000)),
        ]
        reports = run(self.make(self.line, 1, snapshots=1000), [self.r] * 5, tags)
        expected = [5.998, 5.999, 6.0, 6.004, 6.008]
        for report, time_s in zip(reports, expected):
            seconds, fraction = report.rx_time
            self.assertTrue(0.0 <= fraction < 1.0)
            # One rounding of a fraction of a second in double precision.
            self.assertAlmostEqual(seconds + fraction, time_s, delta=1e-12)

    def test_rx_time_is_nil_where_rate_or_snapshots_are_unknown(self):
        time_tag = tag(0, "rx_time", time_value(5, 0.5))
        rate_tag = tag(0, "rx_rate", pmt.from_double(1e6))
        for options, tags in (({"snapshots": 1000}, [time_tag]), ({}, [time_tag, rate_tag])):
            reports = run(self.make(self.line, 1, **options), [self.r] * 2, tags)
            self.assertEqual([r.rx_time for r in reports], [(5, 0.5), None])

    def test_rx_time_is_nil_after_samples_may_have_been_lost(self):
        start = [
            tag(0, "rx_time", time_value(5, 0.5)),
            tag(0, "rx_rate", pmt.from_double(1e3)),
            tag(0, "rx_freq", pmt.from_double(1e9)),
        ]
        for key, value in (
            ("gap", pmt.from_uint64(0)),
            ("rx_freq", pmt.from_double(2e9)),
            ("rx_rate", pmt.from_double(2e3)),
        ):
            block = self.make(self.line, 1, snapshots=1000)
            reports = run(block, [self.r] * 4, start + [tag(2, key, value)])
            times = [r.rx_time for r in reports]
            self.assertEqual(times, [(5, 0.5), (6, 0.5), None, None], key)

    def test_rx_time_goes_on_from_its_own_tag_after_a_gap(self):
        tags = [
            tag(0, "rx_time", time_value(5, 0.5)),
            tag(0, "rx_rate", pmt.from_double(1e3)),
            tag(1, "gap", pmt.from_uint64(7)),
            tag(1, "rx_time", time_value(9, 0.25)),
        ]
        reports = run(self.make(self.line, 1, snapshots=1000), [self.r] * 3, tags)
        self.assertEqual([r.rx_time for r in reports], [(5, 0.5), (9, 0.25), (10, 0.25)])

    def test_the_snapshots_tag_outranks_the_parameter_until_the_next_one(self):
        tags = [tag(1, "snapshots", pmt.from_uint64(400)), tag(3, "snapshots", pmt.from_long(7))]
        reports = run(self.make(self.line, 1, snapshots=100), [self.r] * 4, tags)
        snapshots = [pmt.to_uint64(r.get("snapshots")) for r in reports]
        self.assertEqual(snapshots, [100, 400, 400, 7])

    def test_tags_that_make_no_sense_are_ignored(self):
        text = pmt.intern("nonsense")
        values = {
            "rx_time": [text, pmt.from_double(1.0), pmt.make_tuple(text, text)],
            "rx_freq": [text, *map(pmt.from_double, (0.0, -1e9, math.nan, math.inf, 1e30))],
            "rx_rate": [text, *map(pmt.from_double, (0.0, -1.0, math.nan))],
            "snapshots": [text, pmt.from_uint64(0), pmt.from_long(-3), pmt.from_double(math.nan)],
            "unheard_of": [text],
        }
        tags = [tag(1, key, value) for key in values for value in values[key]]
        array = bearing.array.ula(n=self.n, spacing=0.5, wavelength=1.0)
        reports = run(self.make(array, 1, snapshots=100), [self.r] * 3, tags)
        for report in reports:
            self.assertEqual(report.status, "ok")
            self.assert_angles(report, 20.0)
            self.assertIsNone(report.rx_time)
            self.assertTrue(pmt.is_null(report.get("rx_freq")))
            self.assertEqual(pmt.to_uint64(report.get("snapshots")), 100)

    def test_rx_freq_retunes_an_array_built_with_a_wavelength(self):
        # Half a metre between elements. What arrives at 250 MHz and at 299.792458 MHz
        # has different phases for the same bearing.
        array = bearing.array.ula(n=self.n, spacing=0.5, wavelength=1.0)
        low, high = 250e6, SPEED_OF_LIGHT
        r_low, r_high = (
            scene(line_positions(self.n, 0.5 * f / SPEED_OF_LIGHT), 40.0) for f in (low, high)
        )
        tags = [tag(1, "rx_freq", pmt.from_double(low)), tag(3, "rx_freq", pmt.from_double(high))]
        reports = run(self.make(array, 1), [r_high, r_low, r_low, r_high, r_high], tags)
        for report in reports:
            self.assert_angles(report, 40.0)
        self.assertTrue(pmt.is_null(reports[0].get("rx_freq")))
        frequencies = [pmt.to_double(r.get("rx_freq")) for r in reports[1:]]
        self.assertEqual(frequencies, [low, low, high, high])

    def test_rx_freq_does_not_touch_an_array_in_wavelengths(self):
        tags = [tag(1, "rx_freq", pmt.from_double(250e6))]
        reports = run(self.make(self.line, 1), [self.r] * 2, tags)
        self.assert_angles(reports[1], 20.0)
        self.assertEqual(pmt.to_double(reports[1].get("rx_freq")), 250e6)

    def test_a_frequency_the_array_cannot_work_at_is_bad_data_until_the_next_one(self):
        # At 1 Hz the whole array is a point.
        array = bearing.array.ula(n=self.n, spacing=0.5, wavelength=1.0)
        tags = [
            tag(1, "rx_freq", pmt.from_double(1.0)),
            tag(3, "rx_freq", pmt.from_double(SPEED_OF_LIGHT)),
        ]
        reports = run(self.make(array, 1, snapshots=100), [self.r] * 4, tags)
        self.assertEqual([r.status for r in reports], ["ok", "bad_data", "bad_data", "ok"])
        self.assertTrue(np.isnan(reports[1].angles_deg[0]))
        self.assert_angles(reports[3], 20.0)

    def test_a_calibration_survives_retuning(self):
        gains = np.exp(1j * np.linspace(0.0, 2.0, self.n) ** 2)
        array = bearing.array.ula(n=self.n, spacing=0.5, wavelength=1.0)
        low = 250e6
        a = gains * steering(line_positions(self.n, 0.5 * low / SPEED_OF_LIGHT), 40.0)
        tags = [tag(0, "rx_freq", pmt.from_double(low))]
        reports = run(
            self.make(array, 1),
            [covariance(a)],
            tags,
            [calibration_message(gains=c32(gains))],
        )
        self.assert_angles(reports[0], 40.0)

    # Calibration

    gains = np.array([1.0, 0.8j, 1.2 * np.exp(0.7j), -1.0, 0.9 * np.exp(-2j), 1.1])

    def test_a_calibration_message_corrects_gain_errors(self):
        r = covariance(self.gains * steering(self.positions, 20.0))
        (wrong,) = run(self.make(self.line, 1), [r])
        self.assertGreater(angle_error(wrong.angles_deg, 20.0)[0], 1.0)
        (right,) = run(
            self.make(self.line, 1), [r], (), [calibration_message(gains=c32(self.gains))]
        )
        self.assert_angles(right, 20.0)

    def test_a_calibration_message_corrects_positions_and_keeps_the_gains(self):
        offsets = np.zeros((self.n, 3))
        offsets[1] = [0.04, -0.03, 0.0]
        offsets[4] = [-0.05, 0.06, 0.0]
        r = covariance(self.gains * steering(self.positions + offsets, 20.0))
        positions = pmt.init_f32vector(3 * self.n, [float(x) for x in offsets.ravel()])
        (report,) = run(
            self.make(self.line, 1),
            [r],
            (),
            [
                calibration_message(gains=c32(self.gains)),
                calibration_message(positions=positions),
            ],
        )
        self.assert_angles(report, 20.0, self.offset_tolerance_deg)

    def test_a_calibration_that_does_not_fit_is_ignored(self):
        good = calibration_message(gains=c32(self.gains))
        bad = [
            pmt.intern("not a dict"),
            pmt.from_long(3),
            calibration_message(gains=c32(self.gains[:-1])),
            calibration_message(gains=c32(np.full(self.n, np.nan))),
            calibration_message(gains=pmt.intern("none")),
            calibration_message(positions=pmt.init_f32vector(4, [0.0] * 4)),
            calibration_message(coupling=c32(np.ones(3))),
        ]
        r = covariance(self.gains * steering(self.positions, 20.0))
        for message in bad:
            (report,) = run(self.make(self.line, 1), [r], (), [good, message])
            self.assert_angles(report, 20.0)

    def test_set_calibration_does_what_the_message_does(self):
        block = self.make(self.line, 1)
        block.set_calibration(bearing.calibration(gains=self.gains))
        (report,) = run(block, [covariance(self.gains * steering(self.positions, 20.0))])
        self.assert_angles(report, 20.0)
        with self.assertRaisesRegex(ValueError, "gains"):
            block.set_calibration(bearing.calibration(gains=np.ones(self.n + 1)))

    def test_set_calibration_replaces_all_parts_and_the_message_only_its_own(self):
        offsets = np.zeros((self.n, 3))
        offsets[1] = [0.04, -0.03, 0.0]
        array = self.line.calibrated(bearing.calibration(self.gains, offsets))
        positions = self.positions + offsets
        both = covariance(self.gains * steering(positions, 20.0))
        gains_only = covariance(self.gains * steering(self.positions, 20.0))
        block = self.make(array, 1)
        self.assert_angles(run(block, [both])[0], 20.0, self.offset_tolerance_deg)
        block.set_calibration(bearing.calibration(self.gains))
        self.assert_angles(run(block, [gains_only])[0], 20.0)
        block.set_calibration(bearing.calibration())
        self.assert_angles(run(block, [self.r])[0], 20.0)
        block = self.make(array, 1)
        (report,) = run(block, [both], (), [calibration_message(gains=c32(self.gains))])
        self.assert_angles(report, 20.0, self.offset_tolerance_deg)

    # Calibrations that name a frequency. Those that do not count there leave a bearing
    # that is degrees off: test_a_calibration_message_corrects_gain_errors.

    def are_right(self, block, frequencies, messages=()):
        """For one item at each frequency (None: nobody tells), whether its bearing is that of
        an array with the gains of this test."""
        r = covariance(self.gains * steering(self.positions, 20.0))
        tags = [
            tag(k, "rx_freq", pmt.from_double(f)) for k, f in enumerate(frequencies) if f
        ]
        reports = run(block, [r] * len(frequencies), tags, messages)
        errors = [angle_error(report.angles_deg, 20.0)[0] for report in reports]
        self.assertTrue(all(e < ANGLE_TOLERANCE_DEG or e > 1.0 for e in errors), errors)
        return [e < ANGLE_TOLERANCE_DEG for e in errors]

    def test_a_calibration_with_a_frequency_counts_within_a_thousandth_of_it(self):
        message = calibration_message(
            gains=c32(self.gains), frequency=pmt.from_double(1e9)
        )
        frequencies = [None, 1e9, 1.0009e9, 0.9991e9, 1.0011e9, 0.9989e9, 2e9, 1e9]
        expected = [True, True, True, True, False, False, False, True]
        self.assertEqual(
            self.are_right(self.make(self.line, 1), frequencies, [message]), expected
        )

    def test_every_way_to_give_a_calibration_binds_it_to_its_frequency(self):
        bound = bearing.calibration(self.gains, frequency=1e9)
        frequencies = [None, 1e9, 2e9]
        given = self.make(self.line.calibrated(bound), 1)
        self.assertEqual(self.are_right(given, frequencies), [True, True, False])
        block = self.make(self.line, 1)
        block.set_calibration(bound)
        self.assertEqual(self.are_right(block, frequencies), [True, True, False])

    def test_each_tuning_has_the_calibration_that_came_for_it(self):
        right = calibration_message(gains=c32(self.gains), frequency=pmt.from_double(1e9))
        wrong = calibration_message(
            gains=c32(self.gains[::-1]), frequency=pmt.from_double(2e9)
        )
        array = self.line.calibrated(bearing.calibration(gains=self.gains))
        frequencies = [1e9, 2e9, 3e9, 1e9]
        expected = [True, False, True, True]
        for messages in ([right, wrong], [wrong, right]):
            # At a third frequency it is what the block was built with.
            block = self.make(array, 1)
            self.assertEqual(self.are_right(block, frequencies, messages), expected)

    def test_a_calibration_without_a_frequency_counts_at_all(self):
        wrong = [
            calibration_message(gains=c32(self.gains[::-1]), frequency=pmt.from_double(f))
            for f in (1e9, 2e9)
        ]
        block = self.make(self.line, 1)
        messages = [*wrong, calibration_message(gains=c32(self.gains))]
        self.assertEqual(self.are_right(block, [None, 1e9, 2e9, 3e9], messages), [True] * 4)

    def test_set_calibration_takes_calibrations_of_all_frequencies_away(self):
        block = self.make(self.line, 1)
        block.set_calibration(bearing.calibration(self.gains[::-1], frequency=1e9))
        block.set_calibration(bearing.calibration(self.gains))
        self.assertEqual(self.are_right(block, [None, 1e9, 2e9]), [True] * 3)

    def test_no_more_than_64_frequencies_are_remembered(self):
        messages = [
            calibration_message(gains=c32(self.gains), frequency=pmt.from_double(k * 1e8))
            for k in range(1, 66)
        ]
        block = self.make(self.line, 1)
        frequencies = [1e8, 2e8, 65e8]
        self.assertEqual(self.are_right(block, frequencies, messages), [False, True, True])

    def test_a_calibrated_array_can_be_given_to_begin_with(self):
        array = self.line.calibrated(bearing.calibration(gains=self.gains))
        (report,) = run(
            self.make(array, 1), [covariance(self.gains * steering(self.positions, 20.0))]
        )
        self.assert_angles(report, 20.0)

    # Changes while running: items come at 500 a second

    def test_the_number_of_sources_changes_while_running(self):
        block = self.make(self.line, 1)
        with Flowgraph(block, [scene(self.positions, [-30, 35], 20.0)], rate=500) as running:
            running.until(lambda report: len(report.angles_deg) == 1)
            block.set_num_sources(2)
            report = running.until(lambda report: len(report.angles_deg) == 2)
            self.assertEqual(report.num_sources, 2)
            for wrong in (-1, self.n):
                with self.assertRaisesRegex(ValueError, "num_sources"):
                    block.set_num_sources(wrong)

    def test_the_heading_changes_while_running(self):
        block = self.make(self.line, 1)
        with Flowgraph(block, [self.r], rate=500) as running:
            running.until(lambda report: abs(report.true_bearing_deg[0] - 20) < 0.01)
            block.set_heading_deg(345.0)
            report = running.until(lambda report: abs(report.true_bearing_deg[0] - 5) < 0.01)
            self.assert_angles(report, 20.0)
            with self.assertRaisesRegex(ValueError, "heading_deg"):
                block.set_heading_deg(math.inf)

    def test_the_calibration_changes_while_running(self):
        block = self.make(self.line, 1)
        r = covariance(self.gains * steering(self.positions, 20.0))
        with Flowgraph(block, [r], rate=500) as running:
            running.until(lambda report: angle_error(report.angles_deg, 20.0)[0] > 1.0)
            message = calibration_message(gains=c32(self.gains))
            block.to_basic_block()._post(pmt.intern("calibration"), message)
            running.until(
                lambda report: angle_error(report.angles_deg, 20.0)[0] < ANGLE_TOLERANCE_DEG
            )

    # Tunings. Estimators are built beside the flowgraph; the wavelength of a wrong one puts a
    # bearing degrees off.

    def hops(self, frequencies):
        """An array in metres; covariances of bearings that go up and down, and their tags."""
        array = bearing.array.ula(n=self.n, spacing=0.5, wavelength=1.0)
        angles = 20.0 + 10.0 * (np.arange(len(frequencies)) % 5)
        scenes = {
            (f, angle): scene(line_positions(self.n, 0.5 * f / SPEED_OF_LIGHT), angle)
            for f in set(frequencies)
            for angle in set(angles)
        }
        covariances = [scenes[pair] for pair in zip(frequencies, angles)]
        tags = [tag(k, "rx_freq", pmt.from_double(f)) for k, f in enumerate(frequencies)]
        return array, angles, covariances, tags

    def assert_hops(self, reports, frequencies, angles):
        got = [pmt.to_double(report.get("rx_freq")) for report in reports]
        self.assertEqual(got, list(frequencies))
        found = [report.angles_deg[0] for report in reports]
        worst = np.max(angle_error(found, angles))
        self.assertLess(worst, ANGLE_TOLERANCE_DEG)

    def test_every_item_of_a_hopping_receiver_meets_its_own_manifold(self):
        # Few tunings, whose estimators are kept; more than are kept; and a new one each time.
        for num_tunings, num_items in ((3, 1000), (40, 400), (300, 300)):
            tunings = np.linspace(150e6, SPEED_OF_LIGHT, num_tunings)
            frequencies = [float(tunings[k % num_tunings]) for k in range(num_items)]
            array, angles, covariances, tags = self.hops(frequencies)
            block = self.make(array, 1, **self.few_points)
            reports = Flowgraph(block, covariances, tags).run()
            self.assert_hops(reports, frequencies, angles)

    def test_rx_time_goes_on_over_items_that_had_to_wait(self):
        frequencies = [150e6, 150e6, 200e6, 200e6, 250e6, 250e6]
        array, angles, covariances, tags = self.hops(frequencies)
        tags.append(tag(0, "rx_rate", pmt.from_double(1e3)))
        tags += [tag(k, "rx_time", time_value(k, 0.5)) for k in (0, 2, 4)]
        block = self.make(array, 1, snapshots=250)
        reports = run(block, covariances, tags)
        self.assert_hops(reports, frequencies, angles)
        times = [(0, 0.5), (0, 0.75), (2, 0.5), (2, 0.75), (4, 0.5), (4, 0.75)]
        self.assertEqual([report.rx_time for report in reports], times)

    def test_items_that_wait_come_through_though_a_neighbour_ends(self):
        # Whoever sends messages tells at its end; a block that then does nothing is ended.
        frequencies = [float(f) for f in np.linspace(150e6, SPEED_OF_LIGHT, 300)]
        array, angles, covariances, tags = self.hops(frequencies)
        block = self.make(array, 1, **self.few_points)
        flowgraph = Flowgraph(block, covariances, tags)
        neighbour = self.make(self.line, 1)
        vlen = item_length(neighbour)
        source = blocks.vector_source_c(to_items([self.r], vlen // self.n**2), False, vlen)
        flowgraph.top.connect(source, neighbour)
        flowgraph.top.msg_connect(neighbour, "bearings", block, "calibration")
        self.assert_hops(flowgraph.run(), frequencies, angles)

    def test_calibrations_and_hops_at_once_lose_nothing(self):
        frequencies = [float(150e6 + 1e6 * (k % 29)) for k in range(1500)]
        array, angles, covariances, tags = self.hops(frequencies)
        block = self.make(array, 1, **self.few_points)
        flowgraph = Flowgraph(block, covariances, tags)
        flowgraph.top.start()
        # A common gain changes no bearing: whichever calibration serves, the manifold is
        # that of the item's wavelength or the bearing is wrong.
        for k in range(200):
            message = calibration_message(gains=c32(np.full(self.n, np.exp(0.1j * k))))
            block.to_basic_block()._post(pmt.intern("calibration"), message)
            time.sleep(0.0005)
        flowgraph.top.wait()
        count = flowgraph.messages.num_messages()
        deadline = time.monotonic() + 30
        while count < len(frequencies) and time.monotonic() < deadline:
            time.sleep(0.001)
            count = flowgraph.messages.num_messages()
        self.assertEqual(count, len(frequencies))
        reports = [flowgraph.report(k) for k in range(count)]
        self.assert_hops(reports, frequencies, angles)

    def test_a_hopping_flowgraph_stops_at_any_time(self):
        frequencies = [float(150e6 + 1e6 * k) for k in range(100)]
        array, _, covariances, tags = self.hops(frequencies)
        flowgraph = Flowgraph(
            self.make(array, 1, **self.few_points), covariances, tags, rate=1e6
        )
        for k in range(20):
            flowgraph.top.start()
            time.sleep(0.001 * (k % 5))
            flowgraph.top.stop()
            flowgraph.top.wait()

    def test_what_is_set_before_the_start_holds_from_the_first_item_on(self):
        block = self.make(self.line, 1)
        block.set_num_sources(2)
        block.set_calibration(bearing.calibration(gains=self.gains))
        r = covariance([self.gains * steering(self.positions, t) for t in (-30.0, 35.0)])
        reports = run(block, [r] * 3)
        for report in reports:
            self.assertEqual(report.num_sources, 2)
            self.assertLess(np.max(angle_error(np.sort(report.angles_deg), [-30, 35])), 1.0)

    # Life

    def test_a_flowgraph_stops_and_starts_again(self):
        flowgraph = Flowgraph(
            self.make(self.line, 1, snapshots=1000),
            [self.r] * 3,
            [tag(0, "rx_time", time_value(5, 0.5)), tag(0, "rx_rate", pmt.from_double(1e3))],
        )
        self.assertEqual([r.rx_time[0] for r in flowgraph.run()], [5, 6, 7])
        # Nothing tells how much time has passed since.
        copies = item_length(flowgraph.block) // self.n**2
        flowgraph.source.set_data(to_items([self.r] * 3, copies), [])
        again = flowgraph.run()
        self.assertEqual([r.rx_time for r in again], [None] * 3)
        for report in again:
            self.assert_angles(report, 20.0)

    def test_ten_thousand_items_come_through(self):
        n = 3
        array = bearing.array.ula(n=n, spacing=0.5)
        r = scene(line_positions(n, 0.5), 20.0)
        flowgraph = Flowgraph(self.make(array, 1, **self.few_points), [r] * 10000)
        reports = flowgraph.run(timeout=300)
        self.assert_angles(reports[-1], 20.0)

    def test_items_of_another_size_are_refused_when_connecting(self):
        block = self.make(self.line, 1)
        for vlen in (self.n, (self.n + 1) ** 2):
            source = blocks.vector_source_c([0j] * vlen, False, vlen)
            with self.assertRaisesRegex((ValueError, RuntimeError), "size"):
                gr.top_block().connect(source, block)

    # Construction

    def assert_refused(self, name, array, num_sources, **options):
        with self.assertRaisesRegex(ValueError, name):
            self.make(array, num_sources, **options)

    def test_construction_names_the_parameter_that_is_wrong(self):
        self.assert_refused("num_sources", self.line, self.n)
        self.assert_refused("num_sources", self.line, self.n + 10)
        self.assert_refused("num_sources", self.line, -1)
        self.assert_refused("array", bearing.array.ula(n=1, spacing=0.5), 0)
        self.assert_refused("snapshots", self.line, 1, snapshots=-1)
        self.assert_refused("counting", self.line, 1, counting="guess")
        self.assert_refused("heading_deg", self.line, 1, heading_deg=math.nan)
        self.assert_refused("heading_deg", self.line, 1, heading_deg=math.inf)


class DeviationBlockTests:
    """What blocks that predict a standard deviation do besides."""

    # Of the deviation, against what one covariance has.
    deviation_factor = 1.0

    def test_the_deviation_of_one_source_is_the_closed_form(self):
        # sd of w = 2 pi d sin theta: sqrt(6 / (M snr N (N^2 - 1)) (1 + 1 / (N snr))).
        # From a sample covariance eigenvalues are debiased, which changes it by N / M.
        n, snapshots, snr = self.n, 10**4, 10.0
        expected = math.sqrt(6 / (snapshots * snr * n * (n**2 - 1)) * (1 + 1 / (n * snr)))
        expected /= math.pi * math.cos(math.radians(20.0))
        (report,) = run(self.make(self.line, 1, snapshots=snapshots), [self.r])
        self.assertEqual(report.status, "ok")
        ratio = report.std_deg[0] / math.degrees(expected)
        self.assertAlmostEqual(ratio, self.deviation_factor, delta=2 * n / snapshots)

    def test_the_deviation_falls_as_the_snapshots_tag_rises(self):
        tags = [tag(1, "snapshots", pmt.from_uint64(40000))]
        reports = run(self.make(self.line, 1, snapshots=10000), [self.r] * 2, tags)
        ratio = reports[1].std_deg[0] / reports[0].std_deg[0]
        self.assertAlmostEqual(ratio, 0.5, delta=0.5 * self.n / 10000)

    def test_without_snapshots_there_is_no_deviation_and_the_status_says_so(self):
        (report,) = run(self.make(self.line, 1), [self.r])
        self.assertEqual(report.status, "not_identifiable")
        self.assertTrue(np.isnan(report.std_deg[0]))
        self.assert_angles(report, 20.0)

    def test_a_weak_source_has_a_bearing_and_no_deviation(self):
        r = scene(self.positions, 20.0, snr_db=-15.0)
        (report,) = run(self.make(self.line, 1, snapshots=100), [r])
        self.assertEqual(report.status, "low_snr")
        self.assertTrue(np.isnan(report.std_deg[0]))
        # Single precision counts thirty times more against so weak a source.
        self.assert_angles(report, 20.0, 30 * ANGLE_TOLERANCE_DEG)

    def test_sources_too_close_for_their_deviation_are_unresolved(self):
        r = scene(self.positions, [20.0, 21.0], snr_db=20.0)
        (report,) = run(self.make(self.line, 2, snapshots=100), [r])
        self.assertEqual(report.status, "unresolved")
        self.assertTrue(np.all(np.isnan(report.std_deg)))

    def test_more_sources_than_the_rank_of_the_covariance_are_not_trusted(self):
        # Two coherent sources are one direction in signal space, which is neither.
        a = steering(self.positions, -30.0) + steering(self.positions, 35.0)
        covariances = [np.outer(a, a.conj()), covariance(a, 20.0)]
        for report in run(self.make(self.line, 2, snapshots=100), covariances):
            self.assertNotEqual(report.status, "ok")
            self.assertEqual(len(report.angles_deg), 2)
            self.assertTrue(np.all(np.isnan(report.std_deg)))

    def test_uncertain_gains_widen_the_deviation(self):
        sigma = pmt.init_f32vector(self.n, [0.05] * self.n)
        message = calibration_message(sigma_phase_rad=sigma)
        (sure,) = run(self.make(self.line, 1, snapshots=1000), [self.r])
        (unsure,) = run(self.make(self.line, 1, snapshots=1000), [self.r], (), [message])
        self.assertEqual(unsure.status, "ok")
        self.assertGreater(unsure.std_deg[0], 2 * sure.std_deg[0])


class SpectrumBlockTests:
    """What blocks with a spectrum do besides."""

    def test_the_spectrum_peaks_where_the_source_is(self):
        for num_points in (512, 181):
            block = self.make(self.line, 1, num_points=num_points)
            grid = np.array(block.grid_deg())
            self.assertEqual(len(grid), num_points)
            covariances = [scene(self.positions, angle) for angle in (-50.0, 0.0, 20.0)]
            flowgraph = Flowgraph(block, covariances, num_points=num_points)
            flowgraph.run()
            spectra = flowgraph.spectrum_items()
            self.assertEqual(spectra.shape, (3, num_points))
            self.assertTrue(np.all(np.isfinite(spectra)))
            step = np.max(np.diff(grid))
            for spectrum, angle in zip(spectra, (-50.0, 0.0, 20.0)):
                self.assertLess(abs(grid[np.argmax(spectrum)] - angle), step)

    def test_the_grid_of_a_line_has_both_ends_and_that_of_a_circle_its_start_only(self):
        line = self.make(self.line, 1, num_points=181).grid_deg()
        np.testing.assert_allclose(line, np.linspace(-90, 90, 181), atol=1e-12)
        circle = self.make(bearing.array.uca(n=5, radius=0.4), 1, num_points=360).grid_deg()
        np.testing.assert_allclose(circle, np.arange(360.0), atol=1e-12)

    def test_limits_bound_spectrum_and_search(self):
        array = bearing.array.uca(n=5, radius=0.4)
        positions = circle_positions(5, 0.4)
        block = self.make(array, 1, num_points=101, limits_deg=[100.0, 200.0])
        np.testing.assert_allclose(block.grid_deg(), np.linspace(100, 200, 101), atol=1e-12)
        inside, outside = run(block, [scene(positions, 150.0), scene(positions, 20.0)])
        self.assert_angles(inside, 150.0)
        found = outside.angles_deg[0]
        self.assertTrue(np.isnan(found) or 100.0 <= found <= 200.0)

    def test_limits_may_straddle_north(self):
        array = bearing.array.uca(n=5, radius=0.4)
        block = self.make(array, 1, limits_deg=[-60.0, 60.0])
        (report,) = run(block, [scene(circle_positions(5, 0.4), 340.0)])
        self.assert_angles(report, 340.0)

    def test_limits_change_while_running_and_the_number_of_points_does_not(self):
        block = self.make(self.line, 2, num_points=64)
        r = scene(self.positions, [50.0, -30.0], [20.0, 17.0])
        with Flowgraph(block, [r], num_points=64, rate=500) as running:
            running.until(lambda report: abs(report.angles_deg[0] - 50) < 5)
            block.set_limits_deg([-60.0, 0.0])
            report = running.until(lambda report: abs(report.angles_deg[0] + 30) < 5)
            self.assertFalse(np.any(report.angles_deg > 0.0))
            np.testing.assert_allclose(block.grid_deg(), np.linspace(-60, 0, 64), atol=1e-12)
            block.set_limits_deg([])
            running.until(lambda report: abs(report.angles_deg[0] - 50) < 5)
            self.assertEqual(len(block.grid_deg()), 64)
            for wrong in ([0.0], [10.0, 0.0], [-91.0, 0.0], [math.nan, 0.0], [0.0, 1.0, 2.0]):
                with self.assertRaisesRegex(ValueError, "limits_deg"):
                    block.set_limits_deg(wrong)
        self.assertEqual(len(running.spectra.data()) % 64, 0)

    def test_the_spectrum_of_bad_data_is_flat_and_the_next_one_is_good(self):
        block = self.make(self.line, 1, num_points=64)
        zero = np.zeros_like(self.r)
        flowgraph = Flowgraph(block, [zero, self.r], num_points=64)
        flowgraph.run()
        bad, good = flowgraph.spectrum_items()
        self.assertEqual(np.ptp(bad), 0.0)
        self.assertGreater(np.ptp(good), 10.0)

    def test_the_spectrum_is_nan_where_the_estimator_cannot_be_built(self):
        array = bearing.array.ula(n=self.n, spacing=0.5, wavelength=1.0)
        tags = [tag(1, "rx_freq", pmt.from_double(1.0))]  # the array is a point
        flowgraph = Flowgraph(
            self.make(array, 1, num_points=64), [self.r] * 2, tags, num_points=64
        )
        flowgraph.run()
        good, bad = flowgraph.spectrum_items()
        self.assertTrue(np.all(np.isfinite(good)))
        self.assertTrue(np.all(np.isnan(bad)))

    def test_spectrum_tags_stand_on_their_own_item(self):
        block = self.make(self.line, 1, num_points=64)
        tags = [tag(1, "rx_freq", pmt.from_double(1e9))]
        flowgraph = Flowgraph(block, [self.r] * 3, tags, num_points=64)
        flowgraph.run()
        passed = [(t.offset, pmt.symbol_to_string(t.key)) for t in flowgraph.spectra.tags()]
        self.assertEqual(passed, [(1, "rx_freq")])

    def test_ten_thousand_spectra_come_through(self):
        array = bearing.array.ula(n=3, spacing=0.5)
        r = scene(line_positions(3, 0.5), 20.0)
        block = self.make(array, 1, num_points=16)
        flowgraph = Flowgraph(block, [r] * 10000, num_points=16)
        flowgraph.run(timeout=300)
        self.assertEqual(len(flowgraph.spectrum_items()), 10000)

    def test_construction_names_the_grid_parameter_that_is_wrong(self):
        for wrong in (1, 0, -5):
            self.assert_refused("num_points", self.line, 1, num_points=wrong)
        for wrong in ([0.0], [10.0, 10.0], [20.0, -20.0], [-100.0, 0.0], [0.0, math.nan]):
            self.assert_refused("limits_deg", self.line, 1, limits_deg=wrong)
        circle = bearing.array.uca(n=5, radius=0.4)
        self.assert_refused("limits_deg", circle, 1, limits_deg=[0.0, 361.0])

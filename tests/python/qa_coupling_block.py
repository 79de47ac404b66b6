#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The block that finds coupling and bearings together."""

import gc
import threading
import time
import unittest

import numpy as np
import pmt
from gnuradio import bearing, blocks, gr, gr_unittest

from estimator_block_tests import (
    PDU_KEYS,
    SPEED_OF_LIGHT,
    EstimatorBlockTests,
    Flowgraph,
    Report,
    c32,
    calibration_message,
    line_positions,
    run,
    scene,
    steering,
    tag,
    time_value,
    to_items,
)

core = bearing.core

N = 8
SNAPSHOTS = 200
LINE = bearing.array.ula(n=N, spacing=0.5)
COEFFICIENTS = [0.4 * np.exp(1j * np.pi / 3), 0.15 * np.exp(1j * np.pi / 10)]
RATE = 1000.0  # Hz: an item lasts 0.2 s

# A loaded machine may need this long, in seconds, for what usually takes a tenth.
PATIENCE = 60.0

COUPLING_KEYS = {"glrt", "glrt_limit", "is_gated", "reason"}


def toeplitz(coefficients=COEFFICIENTS, n=N):
    first = np.r_[1.0, coefficients, np.zeros(n - 1 - len(coefficients))]
    return first[np.abs(np.subtract.outer(range(n), range(n)))]


def sample_covariance(exact, generator, snapshots=SNAPSHOTS):
    shape = len(exact), snapshots
    white = generator.normal(size=shape) + 1j * generator.normal(size=shape)
    x = np.linalg.cholesky(exact) @ white / np.sqrt(2)
    return (x @ x.conj().T / snapshots).astype(np.complex64)


def coupled(angles_deg, snr_db=10.0, coupling=None, array=LINE, gains=None):
    """Exact covariance of sources of 1 and 0.6 in noise of 1."""
    positions = array.positions / (array.wavelength or 1.0)
    a = np.stack([steering(positions, angle) for angle in angles_deg], axis=1)
    if gains is not None:
        a = gains[:, None] * a
    g = (toeplitz() if coupling is None else coupling) @ a
    powers = 10 ** (snr_db / 10) * np.array([1.0, 0.6])[: len(angles_deg)]
    return g @ np.diag(powers) @ g.conj().T + np.eye(len(g))


def moving_scenes(count, seed=1, **options):
    """[(angles, covariance)]: two sources that are somewhere else each time."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        first = generator.uniform(-50.0, 20.0)
        angles = np.array([first, first + generator.uniform(15.0, 30.0)])
        found.append((angles, sample_covariance(coupled(angles, **options), generator)))
    return found


def items_of(scenes):
    return [r for _, r in scenes]


def stream_tags(start=1000.0):
    whole = int(start)
    return [
        tag(0, "rx_time", time_value(whole, start - whole)),
        tag(0, "rx_rate", pmt.from_double(RATE)),
        tag(0, "snapshots", pmt.from_uint64(SNAPSHOTS)),
    ]


def get(message, key):
    return pmt.dict_ref(message, pmt.intern(key), pmt.intern("missing"))


def keys_of(message):
    keys = pmt.dict_keys(message)
    return {pmt.symbol_to_string(pmt.nth(k, keys)) for k in range(pmt.length(keys))}


def coupling_of(message):
    values = np.array(pmt.c32vector_elements(get(message, "coupling")))
    n = int(round(np.sqrt(len(values))))
    return values.reshape(n, n, order="F")


def nmse_db(found, true):
    return 20 * np.log10(np.linalg.norm(found - true) / np.linalg.norm(true))


class Running(Flowgraph):
    """Items into the block; keeps its bearings and its calibrations."""

    def __init__(self, block, covariances, tags=(), messages=(), **options):
        super().__init__(block, covariances, tags, **options)
        self.calibrations = blocks.message_debug()
        self.top.msg_connect(block, "calibration", self.calibrations, "store")
        for message in messages:  # handled before the first item
            self.send(message)

    def send(self, message):
        self.block.to_basic_block()._post(pmt.intern("calibration"), message)

    def learnt(self):
        """The calibration messages that came."""
        return [
            self.calibrations.get_message(k) for k in range(self.calibrations.num_messages())
        ]


def wait_for(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not in {PATIENCE} s")
        time.sleep(0.002)


def total(counts):
    """Items that became something."""
    return sum(counts.values()) - counts.get("gated", 0)


def worst_error(reports, scenes):
    return max(
        np.max(np.abs(np.sort(report.angles_deg) - angles))
        for report, (angles, _) in zip(reports, scenes)
    )


class qa_as_an_estimator(EstimatorBlockTests, gr_unittest.TestCase):
    """What all estimator blocks do, with one coefficient: coupling that is known to be none. Else it
    would make up for gains that these tests leave wrong."""

    method = "coupling"
    few_points = {}  # no spectrum

    def make(self, array, num_sources, **options):
        return bearing.coupling(array, num_sources, 1, **options)

    def test_bearings_on_a_custom_array(self):
        with self.assertRaisesRegex(ValueError, "array"):
            self.make(bearing.array.custom([[0, 0], [0.5, 0.1], [0.2, 0.5]]), 1)

    def test_the_pdu_is_complete_and_of_the_promised_types(self):
        (report,) = run(self.make(self.line, 2, snapshots=500), [scene(self.positions, [-20, 40])])
        self.assertEqual(keys_of(report.raw), PDU_KEYS | COUPLING_KEYS)
        self.assertTrue(pmt.is_real(report.get("glrt")))
        self.assertTrue(pmt.is_real(report.get("glrt_limit")))
        self.assertTrue(pmt.is_bool(report.get("is_gated")))
        self.assertTrue(pmt.is_null(report.get("reason")))
        for key in ("std_deg", "true_bearing_deg", "power_db", "snr_db"):
            self.assertTrue(pmt.is_f32vector(report.get(key)), key)
            self.assertEqual(pmt.length(report.get(key)), 2, key)

    def test_ten_thousand_items_come_through(self):
        # Two thousand: five times what the buffer holds.
        array = bearing.array.ula(n=3, spacing=0.5)
        flowgraph = Flowgraph(
            self.make(array, 1, snapshots=1000), [scene(line_positions(3, 0.5), 20.0)] * 2000)
        self.assert_angles(flowgraph.run()[-1], 20.0)

    def test_it_has_no_stream_output(self):
        self.assertEqual(self.make(self.line, 1).output_signature().max_streams(), 0)


class qa_bearings(unittest.TestCase):
    def test_the_module_is_the_one_under_test(self):
        self.assertIn("coupling", bearing.__all__)

    def test_each_item_is_what_the_function_says_without_memory(self):
        scenes = moving_scenes(5)
        block = bearing.coupling(LINE, 2, snapshots=SNAPSHOTS, memory=0)
        for (_, r), report in zip(scenes, run(block, items_of(scenes))):
            expected = core.coupling_fit(r, LINE, 2, SNAPSHOTS)
            self.assertEqual(report.status, expected.status)
            # Single precision in messages.
            np.testing.assert_allclose(report.angles_deg, expected.angles_deg, rtol=1e-6)
            np.testing.assert_allclose(report.std_deg, expected.std_deg, rtol=1e-6)
            self.assertEqual(pmt.to_double(report.get("glrt")), expected.glrt)
            self.assertEqual(pmt.to_double(report.get("glrt_limit")), expected.glrt_limit)
            self.assertFalse(pmt.to_bool(report.get("is_gated")))

    def test_bearings_get_better_as_coupling_is_learnt(self):
        scenes = moving_scenes(40)
        block = bearing.coupling(LINE, 2, snapshots=SNAPSHOTS)
        reports = run(block, items_of(scenes))
        errors = np.array([
            np.sort(report.angles_deg) - angles for report, (angles, _) in zip(reports, scenes)])
        alone = np.array([
            np.sort(core.coupling_fit(r, LINE, 2, SNAPSHOTS).angles_deg) - angles
            for angles, r in scenes])
        with_it, without = (np.sqrt(np.mean(e[10:] ** 2)) for e in (errors, alone))
        print(f"RMSE {with_it:.3f} degrees with memory, {without:.3f} without")
        self.assertLess(with_it, 0.8 * without)
        self.assertEqual(block.status(), "tracking")
        self.assertGreater(block.scenes(), 35)
        self.assertLess(nmse_db(block.calibration().coupling, toeplitz()), -30.0)

    def test_every_prior_runs(self):
        scenes = moving_scenes(2, coupling=toeplitz([0.1j]))
        for prior in ("none", "gaussian", "coupling", "covariance"):
            options = {"memory": 0} if prior == "covariance" else {}
            block = bearing.coupling(LINE, 2, prior=prior, snapshots=SNAPSHOTS, **options)
            for report in run(block, items_of(scenes)):
                self.assertEqual(len(report.angles_deg), 2)
                self.assertNotEqual(report.status, "bad_data", report.get("reason"))

    def test_a_weak_item_is_gated_and_says_why(self):
        generator = np.random.default_rng(2)
        weak = sample_covariance(coupled([12.3, 27.8], -5.0), generator, 20)
        block = bearing.coupling(LINE, 2, snapshots=20)
        running = Running(block, [weak])
        (report,) = running.run()
        self.assertEqual(report.status, "low_snr")
        self.assertTrue(pmt.to_bool(report.get("is_gated")))
        self.assertTrue(pmt.is_symbol(report.get("reason")))
        self.assertEqual(block.counts(), {"low_snr": 1, "gated": 1})
        self.assertEqual(block.status(), "learning")
        self.assertIsNone(block.calibration().coupling)

    def test_reasons_do_not_hold_measured_values(self):
        # A symbol lives for ever: each value would be another one.
        scenes = moving_scenes(30, coupling=toeplitz([0.9j, -0.7, 0.5j, 0.4]))
        block = bearing.coupling(LINE, 2, 2, snapshots=SNAPSHOTS)
        reports = run(block, items_of(scenes))
        reasons = {
            pmt.symbol_to_string(report.get("reason"))
            for report in reports
            if report.status != "ok"
        }
        self.assertGreater(len([r for r in reports if r.status != "ok"]), 10)
        self.assertLess(len(reasons), 6, reasons)


class qa_calibrations(unittest.TestCase):
    """The messages that other estimators take."""

    def test_one_is_complete_and_of_the_promised_types(self):
        scenes = moving_scenes(3)
        tags = stream_tags() + [tag(0, "rx_freq", pmt.from_double(433e6))]
        block = bearing.coupling(LINE, 2, interval=0.0)
        running = Running(block, items_of(scenes), tags)
        running.run()
        messages = running.learnt()
        self.assertEqual(len(messages), 3)
        for k, message in enumerate(messages):
            self.assertEqual(
                keys_of(message),
                {"coupling", "frequency", "time", "status", "glrt", "scenes", "restarts"},
            )
            self.assertTrue(pmt.is_c32vector(get(message, "coupling")))
            self.assertEqual(coupling_of(message)[0, 0], 1.0)
            self.assertEqual(pmt.to_double(get(message, "frequency")), 433e6)
            # That of the item.
            self.assertAlmostEqual(pmt.to_double(get(message, "time")), 1000.0 + 0.2 * k, places=6)
            self.assertEqual(pmt.symbol_to_string(get(message, "status")), "tracking")
            self.assertTrue(pmt.is_real(get(message, "glrt")))
            self.assertEqual(pmt.to_uint64(get(message, "scenes")), k + 1)
            self.assertEqual(pmt.to_uint64(get(message, "restarts")), 0)
        np.testing.assert_allclose(
            coupling_of(messages[-1]), block.calibration().coupling, atol=1e-6)
        self.assertEqual(block.calibration().frequency, 433e6)

    def test_what_is_unknown_is_nil_and_before_anything_is_learnt_there_is_a_status(self):
        block = bearing.coupling(LINE, 2)  # nobody tells the snapshots
        running = Running(block, [np.zeros((N, N))])
        running.run()
        (message,) = running.learnt()
        self.assertEqual(
            keys_of(message), {"frequency", "time", "status", "glrt", "scenes", "restarts"})
        self.assertEqual(pmt.symbol_to_string(get(message, "status")), "learning")
        self.assertTrue(pmt.is_null(get(message, "frequency")))
        self.assertTrue(pmt.is_null(get(message, "time")))

    def test_they_keep_their_interval_in_stream_time_and_tell_a_change_at_once(self):
        # 20 items of 0.2 s; the first one is a change of the status.
        scenes = moving_scenes(20)
        running = Running(bearing.coupling(LINE, 2, interval=1.0), items_of(scenes), stream_tags())
        running.run()
        told = [pmt.to_uint64(get(message, "scenes")) for message in running.learnt()]
        self.assertEqual(told, [1, 6, 11, 16])

    def test_where_nothing_is_new_nothing_is_told(self):
        scenes = moving_scenes(1)
        items = items_of(scenes) + [np.zeros((N, N))] * 10
        running = Running(bearing.coupling(LINE, 2, interval=0.0), items, stream_tags())
        running.run()
        self.assertEqual(len(running.learnt()), 1)

    def test_music_is_right_with_it_and_wrong_without(self):
        scenes = moving_scenes(30, snr_db=20.0)
        running = Running(bearing.coupling(LINE, 2, interval=0.0), items_of(scenes), stream_tags())
        running.run()
        message = running.learnt()[-1]
        angles = np.array([-10.0, 25.0])
        r = coupled(angles, 20.0)
        (wrong,) = run(bearing.music(LINE, 2, snapshots=1000), [r])
        (right,) = run(bearing.music(LINE, 2, snapshots=1000), [r], (), [message])
        self.assertGreater(np.abs(np.sort(wrong.angles_deg) - angles).max(), 0.5)
        # 30 scenes of 200 snapshots and 20 dB leave some hundredths of a degree.
        self.assertLess(np.abs(np.sort(right.angles_deg) - angles).max(), 0.1)

    def test_without_memory_it_is_that_of_the_latest_item(self):
        scenes = moving_scenes(3)
        block = bearing.coupling(LINE, 2, memory=0, interval=0.0)
        running = Running(block, items_of(scenes), stream_tags())
        running.run()
        for (_, r), message in zip(scenes, running.learnt()):
            expected = core.coupling_fit(r, LINE, 2, SNAPSHOTS).coupling
            np.testing.assert_allclose(coupling_of(message), expected, atol=1e-6)

    def test_coupling_that_changed_is_learnt_anew_and_told_at_once(self):
        scenes = moving_scenes(10) + moving_scenes(15, coupling=toeplitz(np.conj(COEFFICIENTS)))
        block = bearing.coupling(LINE, 2, interval=1e6)
        running = Running(block, items_of(scenes), stream_tags())
        running.run()
        restarts = [pmt.to_uint64(get(message, "restarts")) for message in running.learnt()]
        self.assertEqual(restarts[0], 0)
        self.assertEqual(restarts[-1], 1)
        self.assertEqual(block.restarts(), 1)
        self.assertLess(nmse_db(block.calibration().coupling, toeplitz(np.conj(COEFFICIENTS))), -25)


class qa_gains(unittest.TestCase):
    """Gains come from elsewhere; coupling does not."""

    gains = np.exp(1j * np.linspace(0.0, 2.0, N) ** 2) * np.linspace(0.8, 1.2, N)

    def test_gains_of_a_message_count_and_its_coupling_does_not(self):
        scenes = moving_scenes(3, gains=self.gains)
        wild = toeplitz([0.9, 0.9j, -0.5])
        message = calibration_message(gains=c32(self.gains), coupling=c32(wild.ravel()))
        block = bearing.coupling(LINE, 2, snapshots=SNAPSHOTS)
        reports = Running(block, items_of(scenes), (), [message]).run()
        # Deviations are 0.1 to 0.2 degrees.
        self.assertLess(worst_error(reports, scenes), 1.0)
        self.assertLess(nmse_db(block.calibration().coupling, toeplitz()), -20.0)
        self.assertIsNone(block.calibration().gains)

    def test_a_calibrated_array_and_set_calibration_do_the_same(self):
        scenes = moving_scenes(2, gains=self.gains)
        known = bearing.calibration(self.gains, coupling=toeplitz([0.9]))
        given = bearing.coupling(LINE.calibrated(known), 2, snapshots=SNAPSHOTS)
        told = bearing.coupling(LINE, 2, snapshots=SNAPSHOTS)
        told.set_calibration(known)
        one, other = (run(block, items_of(scenes)) for block in (given, told))
        self.assertLess(worst_error(one, scenes), 1.0)
        for a, b in zip(one, other):
            np.testing.assert_array_equal(a.angles_deg, b.angles_deg)
        with self.assertRaisesRegex(ValueError, "gains"):
            told.set_calibration(bearing.calibration(gains=np.ones(N + 1)))

    def test_what_was_learnt_outlives_news_of_the_gains_and_of_the_sources(self):
        scenes = moving_scenes(4, gains=self.gains, snr_db=20.0)
        block = bearing.coupling(LINE, 2, snapshots=SNAPSHOTS)
        flowgraph = Running(block, items_of(scenes))
        flowgraph.send(calibration_message(gains=c32(self.gains)))
        flowgraph.run()
        self.assertEqual(block.scenes(), 4)
        changes = (
            lambda: flowgraph.send(calibration_message(gains=c32(self.gains * 1.001))),
            lambda: block.set_num_sources(0),
            lambda: block.set_calibration(bearing.calibration(self.gains)),
        )
        for k, change in enumerate(changes):
            change()
            flowgraph.source.set_data(to_items(items_of(scenes)), [])
            flowgraph.run()
            self.assertEqual(block.scenes(), 4 * (k + 2))
        self.assertEqual(block.restarts(), 0)


class qa_tunings(unittest.TestCase):
    METRES = bearing.array.ula(n=N, spacing=0.5, wavelength=1.0)

    def at(self, frequency, angles, coefficients, seed):
        array = self.METRES.with_wavelength(SPEED_OF_LIGHT / frequency)
        exact = coupled(angles, coupling=toeplitz(coefficients), array=array)
        return sample_covariance(exact, np.random.default_rng(seed))

    def test_each_learns_for_itself(self):
        frequencies = (0.9 * SPEED_OF_LIGHT, SPEED_OF_LIGHT)
        couplings = ([0.3j], [0.4, 0.1])
        angles = [-20.0, 15.0]
        items, tags = [], stream_tags()
        for k in range(20):
            tags.append(tag(k, "rx_freq", pmt.from_double(frequencies[k % 2])))
            items.append(self.at(frequencies[k % 2], angles, couplings[k % 2], k))
        running = Running(bearing.coupling(self.METRES, 2, interval=0.0), items, tags)
        reports = running.run()
        for report in reports:
            # Deviations are 0.1 degrees.
            np.testing.assert_allclose(np.sort(report.angles_deg), angles, atol=0.7)
        last = {pmt.to_double(get(m, "frequency")): m for m in running.learnt()}
        self.assertEqual(set(last), set(frequencies))
        for frequency, coefficients in zip(frequencies, couplings):
            self.assertEqual(pmt.to_uint64(get(last[frequency], "scenes")), 10)
            self.assertLess(nmse_db(coupling_of(last[frequency]), toeplitz(coefficients)), -25.0)

    def test_a_near_frequency_is_the_same_tuning_with_its_own_wavelength(self):
        frequencies = [SPEED_OF_LIGHT, 1.0009 * SPEED_OF_LIGHT]
        angles = [-20.0, 60.0]
        items = [
            coupled(angles, coupling=toeplitz([0.3j]),
                    array=self.METRES.with_wavelength(SPEED_OF_LIGHT / frequency))
            for frequency in frequencies
        ]
        tags = stream_tags() + [
            tag(k, "rx_freq", pmt.from_double(f)) for k, f in enumerate(frequencies)
        ]
        block = bearing.coupling(self.METRES, 2)
        for report in Running(block, items, tags).run():
            # Covariances are exact; a thousandth of the wavelength is 0.1 degrees at 60.
            np.testing.assert_allclose(np.sort(report.angles_deg), angles, atol=0.01)
        self.assertEqual(block.scenes(), 2)

    def test_weights_that_do_not_fit_the_wavelength_are_a_status_with_a_reason(self):
        angles = [-20.0, 15.0]
        low, high = 0.8 * SPEED_OF_LIGHT, SPEED_OF_LIGHT
        items = [self.at(f, angles, [0.1j], k) for k, f in enumerate((high, low, high))]
        tags = stream_tags() + [
            tag(k, "rx_freq", pmt.from_double(f)) for k, f in enumerate((high, low, high))
        ]
        block = bearing.coupling(self.METRES, 2, prior="gaussian")
        good, bad, again = Running(block, items, tags).run()
        self.assertEqual(bad.status, "not_identifiable")
        self.assertIn("weights", pmt.symbol_to_string(bad.get("reason")))
        self.assertTrue(np.isnan(bad.angles_deg).all())
        self.assertEqual(len(bad.angles_deg), 2)
        for report in (good, again):
            self.assertNotEqual(report.status, "not_identifiable")
            self.assertTrue(np.isfinite(report.angles_deg).all())


class qa_threads(unittest.TestCase):
    def test_nothing_is_lost_however_slow_where_nothing_tells_how_long_items_last(self):
        scenes = moving_scenes(4, coupling=toeplitz([0.1j]))
        items = items_of(scenes) * 10
        # A fit by sampling takes as long as many others.
        block = bearing.coupling(LINE, 2, prior="coupling", snapshots=SNAPSHOTS, memory=0)
        reports = Running(block, items).run()
        self.assertEqual(len(reports), 40)
        for k in range(4, 40):
            np.testing.assert_array_equal(reports[k].angles_deg, reports[k - 4].angles_deg)
        self.assertEqual(total(block.counts()), 40)
        self.assertNotIn("busy", block.counts())

    def test_a_block_that_is_behind_skips_the_oldest_and_counts_them(self):
        items = items_of(moving_scenes(4, coupling=toeplitz([0.1j]))) * 50
        # 200 items of 0.2 microseconds each: no machine keeps pace.
        tags = [
            tag(0, "rx_time", time_value(1000, 0.0)),
            tag(0, "rx_rate", pmt.from_double(1e9)),
            tag(0, "snapshots", pmt.from_uint64(SNAPSHOTS)),
        ]
        block = bearing.coupling(LINE, 2)
        flowgraph = Running(block, items, tags)
        flowgraph.top.run()
        counts = block.counts()
        self.assertGreater(counts["busy"], 0)
        self.assertEqual(total(counts), 200)
        reports = [flowgraph.report(k) for k in range(flowgraph.messages.num_messages())]
        self.assertEqual(len(reports), 200 - counts["busy"])
        # The latest ones are not skipped, and times are those of their own items.
        last = [report.rx_time[1] for report in reports[-8:]]
        np.testing.assert_allclose(last, np.arange(192, 200) * 2e-7, atol=1e-12)

    def test_items_that_last_longer_than_the_work_are_all_used(self):
        items = items_of(moving_scenes(4)) * 25
        tags = [
            tag(0, "rx_rate", pmt.from_double(1.0)),  # 200 s each
            tag(0, "snapshots", pmt.from_uint64(SNAPSHOTS)),
        ]
        block = bearing.coupling(LINE, 2)
        self.assertEqual(len(Running(block, items, tags).run()), 100)
        self.assertNotIn("busy", block.counts())

    def test_it_stops_while_items_wait(self):
        before = threading.active_count()
        items = items_of(moving_scenes(4, coupling=toeplitz([0.1j])))
        for _ in range(5):
            block = bearing.coupling(LINE, 2, prior="coupling", snapshots=SNAPSHOTS, memory=0)
            top = gr.top_block()
            source = blocks.vector_source_c(to_items(items), True, N * N)
            top.connect(source, block)
            top.start()
            # The source never ends and fills the buffer at once.
            wait_for(lambda: total(block.counts()) > 0, "an item")
            top.stop()
            top.wait()
            done = total(block.counts())
            del top, source
            gc.collect()
            # Nothing goes on afterwards.
            time.sleep(0.05)
            self.assertEqual(total(block.counts()), done)
        self.assertEqual(threading.active_count(), before)

    def test_the_last_message_comes_before_the_flowgraph_ends(self):
        scenes = moving_scenes(6)
        for _ in range(10):
            block = bearing.coupling(LINE, 2, snapshots=SNAPSHOTS)
            flowgraph = Running(block, items_of(scenes))
            flowgraph.top.run()
            self.assertEqual(flowgraph.messages.num_messages(), 6)

    def test_it_goes_on_learning_after_a_stop(self):
        scenes = moving_scenes(5)
        block = bearing.coupling(LINE, 2, snapshots=SNAPSHOTS)
        flowgraph = Running(block, items_of(scenes))
        flowgraph.run()
        self.assertEqual(block.scenes(), 5)
        flowgraph.source.set_data(to_items(items_of(scenes)), [])
        flowgraph.run()
        self.assertEqual(block.scenes(), 10)


class qa_construction(unittest.TestCase):
    def refuse(self, pattern, array=LINE, num_sources=2, error=ValueError, **options):
        with self.assertRaisesRegex(error, pattern):
            bearing.coupling(array, num_sources, **options)

    def test_what_is_wrong_is_named(self):
        self.refuse("coefficients is 9", coefficients=9)
        self.refuse("coefficients is 4", array=bearing.array.uca(n=5, radius=0.36), coefficients=4)
        self.refuse("prior is 'snapshot'.*covariances", prior="snapshot")
        self.refuse("prior.*'strong'", prior="strong")
        self.refuse("criterion.*'mse'", criterion="mse")
        self.refuse("memory", memory=-1.0)
        self.refuse("criterion|memory", criterion="frobenius")
        self.refuse("interval", interval=-1.0)
        self.refuse("interval", interval=float("nan"))
        self.refuse("array|structure", array=bearing.array.custom(
            [[0, 0], [0.5, 0.1], [0.2, 0.5], [-0.4, 0.3]]))

    def test_weights_that_are_missing_or_for_another_array_are_named(self):
        self.refuse("none.safetensors", prior="gaussian", weights="/none.safetensors",
                    error=RuntimeError)
        self.refuse("weights", array=bearing.array.ula(n=8, spacing=0.7), prior="gaussian",
                    error=RuntimeError)
        self.refuse("line of 8", array=bearing.array.uca(n=5, radius=0.36), prior="gaussian",
                    weights=core.find_weights(LINE, "coupling"))

    def test_setters_refuse_what_the_constructor_refuses(self):
        block = bearing.coupling(LINE, 2)
        for call, name in (
            (lambda: block.set_interval(-1.0), "interval"),
            (lambda: block.set_num_sources(8), "num_sources"),
            (lambda: block.set_num_sources(-1), "num_sources"),
            (lambda: block.set_heading_deg(float("inf")), "heading_deg"),
        ):
            with self.assertRaisesRegex(ValueError, name):
                call()
        block.set_interval(0.0)


if __name__ == "__main__":
    unittest.main()

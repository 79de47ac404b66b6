#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The block that calibrates the array while it runs."""

import gc
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import unittest

import numpy as np
import pmt
from gnuradio import blocks, gr

from estimator_block_tests import (
    SPEED_OF_LIGHT,
    Report,
    angle_error,
    circle_positions,
    line_positions,
    steering,
    tag,
    time_value,
    to_items,
)
from gnuradio import bearing
from support import FULL

SNAPSHOTS = 100
SNR_DB = 20.0
RATE = 1000.0  # Hz: an item lasts a tenth of a second

GAINS = np.array([1.0, 0.8 * np.exp(0.9j), 1.2 * np.exp(-1.1j), np.exp(2.0j), 0.9j])

# Random errors of one bearing are 0.3 degrees by a circle of five with 100 snapshots and 20 dB,
# 0.1 by a line of five; what a calibration from dozens of them leaves is less. Without one, the
# gains above put bearings off by 10 degrees and more.
GOOD_DEG = 1.5
BAD_DEG = 5.0

# A loaded machine may need this long, in seconds, for what usually takes a tenth.
PATIENCE = 60.0

ITEM_COUNTS = {
    "accepted", "bad_data", "weak", "too_many_sources", "close_sources", "off_model",
    "bad_label", "busy", "unknown_snapshots",
}  # fmt: skip
TRUTH_COUNTS = {
    "truth_contradictory", "truth_malformed", "truth_outside_view", "truth_too_many",
    "truth_expired", "truth_dropped",
}  # fmt: skip


# What goes in, written out with NumPy and pmt from the definitions -----------------------


def sample_covariance(vector, generator, snr_db=SNR_DB):
    """Of SNAPSHOTS samples of one Gaussian source with this steering vector, in noise."""
    n = len(vector)

    def gaussian(*shape):
        parts = generator.standard_normal((2, *shape))
        return (parts[0] + 1j * parts[1]) / math.sqrt(2.0)

    x = 10 ** (snr_db / 20) * np.outer(vector, gaussian(SNAPSHOTS)) + gaussian(n, SNAPSHOTS)
    return x @ x.conj().T / SNAPSHOTS


CIRCLE = bearing.array.uca(n=5, radius=0.383)
CIRCLE_POSITIONS = circle_positions(5, 0.383)
LINE = bearing.array.ula(n=5, spacing=0.5)
LINE_POSITIONS = line_positions(5, 0.5)


def covariances(angles_deg, positions=CIRCLE_POSITIONS, gains=GAINS, seed=1):
    """One a bearing."""
    generator = np.random.default_rng(seed)
    return [sample_covariance(gains * steering(positions, t), generator) for t in angles_deg]


def all_round(count, seed=2):
    return np.random.default_rng(seed).uniform(0.0, 360.0, count)


def stream_tags(start=0.0, item=0):
    seconds = math.floor(start)
    return [
        tag(item, "rx_time", time_value(seconds, start - seconds)),
        tag(item, "rx_rate", pmt.from_double(RATE)),
        tag(item, "snapshots", pmt.from_uint64(SNAPSHOTS)),
    ]


def f32(values):
    return pmt.init_f32vector(len(values), [float(v) for v in values])


def moment(seconds):
    """The tuple; whatever else it is, as it is."""
    if isinstance(seconds, pmt.pmt_base):
        return seconds
    return time_value(math.floor(seconds), seconds - math.floor(seconds))


def truth(angles_deg=None, start=None, stop=None, **more):
    message = pmt.make_dict()
    if angles_deg is not None:
        is_pmt = isinstance(angles_deg, pmt.pmt_base)
        more["angles_deg"] = angles_deg if is_pmt else f32(angles_deg)
    if start is not None:
        more["start"] = moment(start)
    if stop is not None:
        more["stop"] = moment(stop)
    for key, value in more.items():
        message = pmt.dict_add(message, pmt.intern(key), value)
    return message


# What comes out --------------------------------------------------------------------------


def get(message, key):
    return pmt.dict_ref(message, pmt.intern(key), pmt.intern("missing"))


def symbol(message, key):
    return pmt.symbol_to_string(get(message, key))


def keys_of(message):
    keys = pmt.dict_keys(message)
    return {pmt.symbol_to_string(pmt.nth(k, keys)) for k in range(pmt.length(keys))}


def items_counted(counts):
    return sum(counts[name] for name in ITEM_COUNTS)


def wait_for(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not in {PATIENCE} s")
        time.sleep(0.002)


class Running:
    """Items once, or again and again at a rate, into the block; keeps its messages."""

    def __init__(self, block, items, tags=(), truths=(), rate=None):
        vlen = len(items[0]) ** 2
        self.block = block
        self.num_items = len(items)
        self.top = gr.top_block()
        self.source = blocks.vector_source_c(to_items(items), rate is not None, vlen, list(tags))
        self.messages = blocks.message_debug()
        self.items = self.source
        if rate is not None:
            self.items = blocks.throttle(gr.sizeof_gr_complex * vlen, rate)
            self.items.set_max_noutput_items(1)
            self.top.connect(self.source, self.items)
        self.top.connect(self.items, block)
        self.top.msg_connect(block, "calibration", self.messages, "store")
        for message in truths:  # handled before the first item
            self.send(message)

    def send(self, message):
        self.block.to_basic_block()._post(pmt.intern("truth"), message)

    def all(self):
        """The messages that came so far."""
        return [self.messages.get_message(k) for k in range(self.messages.num_messages())]

    def __enter__(self):
        self.top.start()
        return self

    def __exit__(self, *_):
        self.top.stop()
        self.top.wait()

    def to_the_end(self):
        """Lets all items through; returns the messages."""
        before = items_counted(self.block.counts())
        self.top.start()
        self.top.wait()
        done = items_counted(self.block.counts()) - before
        if done != self.num_items:
            raise AssertionError(f"{done} of {self.num_items} items are counted")
        return self.all()


def run(block, items, tags=(), truths=()):
    return Running(block, items, tags, truths).to_the_end()


def worst_error(array, calibration, positions, gains, angles_deg, allow_rotation=False):
    """Largest error of MUSIC with this calibration on exact covariances, degrees."""
    calibrated = array.calibrated(calibration)
    errors = []
    for angle in angles_deg:
        a = gains * steering(positions, angle)
        r = 100.0 * np.outer(a, a.conj()) + np.eye(len(a))
        found = bearing.core.music(r, calibrated, 1, 1000).angles_deg[0]
        errors.append((found - angle + 180.0) % 360.0 - 180.0)
    turned = np.exp(1j * np.deg2rad(errors))
    if allow_rotation:
        turned = turned * np.conj(turned.mean())
    return float(np.max(np.abs(np.rad2deg(np.angle(turned)))))


def tag_time(tags):
    """Seconds of the first rx_time."""
    (first, *_) = [t for t in tags if pmt.eq(t.key, pmt.intern("rx_time"))]
    seconds, fraction = (pmt.tuple_ref(first.value, k) for k in (0, 1))
    return pmt.to_uint64(seconds) + pmt.to_double(fraction)


class DiffmusicTestCase(unittest.TestCase):
    def make(self, array=CIRCLE, num_sources=1, **options):
        return bearing.diffmusic(array, num_sources, **options)

    def assert_counts(self, block, **expected):
        counts = block.counts()
        self.assertEqual({name: counts[name] for name in expected}, expected)


class qa_calibrating(DiffmusicTestCase):
    def test_the_module_is_the_one_under_test(self):
        self.assertIn("test_modules", bearing.__file__)

    def test_a_circle_calibrates_itself_from_unknown_signals_but_for_north(self):
        block = self.make()
        angles = all_round(60)
        before = worst_error(CIRCLE, bearing.calibration(), CIRCLE_POSITIONS, GAINS, angles)
        messages = run(block, covariances(angles), stream_tags())
        self.assertEqual(block.orientation(), "unknown")
        self.assertEqual(symbol(messages[-1], "ambiguity"), "north")
        after = worst_error(
            CIRCLE, block.calibration(), CIRCLE_POSITIONS, GAINS, angles, allow_rotation=True
        )
        self.assertGreater(before, BAD_DEG)
        self.assertLess(after, GOOD_DEG)

    def test_one_known_bearing_fixes_north(self):
        block = self.make()
        angles = all_round(60)
        angles[10:16] = 75.0
        label = truth([75.0], start=1.0, stop=1.6)
        messages = run(block, covariances(angles), stream_tags(), [label])
        self.assert_counts(block, labelled=6)
        self.assertEqual(block.orientation(), "known")
        self.assertEqual(symbol(messages[-1], "ambiguity"), "none")
        after = worst_error(CIRCLE, block.calibration(), CIRCLE_POSITIONS, GAINS, angles)
        self.assertLess(after, GOOD_DEG)

    def test_a_line_says_what_it_lacks(self):
        def orientation(*labels):
            angles = np.random.default_rng(3).uniform(-60, 60, 30)
            angles[5:10], angles[15:20] = -40.0, 35.0
            block = self.make(LINE)
            messages = run(block, covariances(angles, LINE_POSITIONS), stream_tags(), labels)
            self.assertEqual(symbol(messages[-1], "orientation"), block.orientation())
            return block.orientation(), symbol(messages[-1], "ambiguity")

        first, second = truth([-40.0], 0.5, 1.0), truth([35.0], 1.5, 2.0)
        self.assertEqual(orientation(), ("unknown", "tilt"))
        self.assertEqual(orientation(first), ("partly_known", "stretch"))
        self.assertEqual(orientation(first, second), ("known", "none"))

    def test_estimators_use_the_message_at_once(self):
        angles = all_round(40)
        angles[:] = 75.0
        items = covariances(angles)
        # One bearing tells gains, but not gains and positions.
        block, estimator = self.make(fit_positions=False), bearing.music(CIRCLE, 1)
        reports = blocks.message_debug()
        running = Running(block, items, stream_tags(), [truth([75.0])], rate=400)
        running.top.connect(running.items, estimator)
        running.top.msg_connect(block, "calibration", estimator, "calibration")
        running.top.msg_connect(estimator, "bearings", reports, "store")

        def error():
            count = reports.num_messages()
            if not count:
                return 180.0
            report = Report(reports.get_message(count - 1))
            return angle_error(report.angles_deg, 75.0)[0]

        with running:
            wait_for(lambda: error() < GOOD_DEG, "the right bearing")

    def test_it_follows_receivers_that_drift_behind_the_whole_chain(self):
        # 300 items of a source that goes round at 6 degrees a second, seen by receivers that
        # drift by a degree a minute; a tenth of them is labelled, at two bearings.
        rate_deg = 6.0
        simulator = bearing.array_simulator(
            CIRCLE,
            [0.0],
            [SNR_DB],
            RATE,
            bearing.calibration(GAINS),
            rates_deg=[rate_deg],
            phase_drift_deg=1.0,
            start_time=1e9,
        )
        covariance = bearing.covariance(5, SNAPSHOTS)
        # As many items as show it from all around.
        block = self.make(unlabelled_buffer=256)
        for k in [*range(100, 115), *range(200, 215)]:
            # Where the source is in the middle of the item.
            middle = rate_deg * 0.1 * (k + 0.5)
            label = truth([middle], 1e9 + 0.1 * k, 1e9 + 0.1 * k + 0.1)
            block.to_basic_block()._post(pmt.intern("truth"), label)

        def run_on(count, sink):
            top, head = gr.top_block(), blocks.head(25 * gr.sizeof_gr_complex, count)
            for k in range(5):
                top.connect((simulator, k), (covariance, k))
            top.connect(covariance, head, sink)
            top.run()
            top.disconnect_all()

        run_on(300, block)
        self.assert_counts(block, labelled=30)
        self.assertEqual((block.status(), block.orientation()), ("tracking", "known"))
        # The stream goes on a few buffers later.
        calibration = block.calibration()
        items = blocks.vector_sink_c(25)
        run_on(20, items)
        first = tag_time(items.tags()) - 1e9
        truths = rate_deg * (first + 0.1 * (np.arange(20) + 0.5))
        errors = {}
        for name, array in (("drawn", CIRCLE), ("fitted", CIRCLE.calibrated(calibration))):
            found = [
                bearing.core.music(item.T, array, 1, SNAPSHOTS).angles_deg[0]
                for item in np.reshape(items.data(), (-1, 5, 5))
            ]
            errors[name] = math.sqrt(np.mean(angle_error(found, truths) ** 2))
        self.assertGreater(errors["drawn"], BAD_DEG)
        self.assertLess(errors["fitted"], GOOD_DEG)

    def test_bad_items_are_counted_and_leave_no_trace(self):
        angles = all_round(60)
        good = covariances(angles)
        with_nan, zero, dead = good[0].copy(), np.zeros((5, 5)), good[1].copy()
        with_nan[2, 3] = np.nan
        dead[2, :] = dead[:, 2] = 0.0
        noise = np.eye(5)
        items = [*good[:30], with_nan, zero, dead, np.full((5, 5), np.inf), noise, *good[30:]]
        tags = stream_tags()
        labels = [truth([angles[3]], 0.3, 0.4)]
        block, undisturbed = self.make(), self.make()
        run(block, items, tags, labels)
        run(undisturbed, good, tags, labels)
        self.assert_counts(block, bad_data=4, weak=1)
        # Five arrivals older, what is remembered weighs a little less, and has drifted for longer:
        # by less than the 0.01 that noise leaves of a gain (32 items of 100 snapshots at 20 dB).
        # A bad item that was used would show as more than 1.
        np.testing.assert_allclose(
            block.calibration().gains, undisturbed.calibration().gains, atol=3e-3
        )

    def test_an_element_moved_by_hand_is_recovered_from_and_told(self):
        angles = all_round(200)
        moved = CIRCLE_POSITIONS.copy()
        moved[2] += [0.12, -0.1, 0.0]
        items = covariances(angles[:60]) + covariances(angles[60:], moved, seed=5)
        block = self.make()
        messages = run(block, items, stream_tags())
        self.assertGreaterEqual(block.restarts(), 1)
        self.assertEqual(pmt.to_uint64(get(messages[-1], "restarts")), block.restarts())
        after = worst_error(
            CIRCLE, block.calibration(), moved, GAINS, angles, allow_rotation=True
        )
        self.assertLess(after, GOOD_DEG)


class qa_messages(DiffmusicTestCase):
    def test_a_message_is_complete_and_of_the_promised_types(self):
        tags = [*stream_tags(1.7e9 + 0.25), tag(0, "rx_freq", pmt.from_double(433.92e6))]
        block = self.make()
        message = run(block, covariances(all_round(60)), tags)[-1]
        for key, is_right, size in (
            ("gains", pmt.is_c32vector, 5),
            ("positions", pmt.is_f32vector, 15),
            ("sigma_phase_rad", pmt.is_f32vector, 5),
            ("sigma_log_gain", pmt.is_f32vector, 5),
        ):
            self.assertTrue(is_right(get(message, key)), key)
            self.assertEqual(pmt.length(get(message, key)), size, key)
        self.assertTrue(pmt.is_integer(get(message, "reference")))
        self.assertEqual(pmt.to_double(get(message, "frequency")), 433.92e6)
        self.assertTrue(pmt.is_real(get(message, "loss")))
        self.assertIn(symbol(message, "status"), ("learning", "tracking", "frozen"))
        self.assertEqual(symbol(message, "orientation"), "unknown")
        self.assertEqual(symbol(message, "ambiguity"), "north")
        for key in ("restarts", "rollbacks"):
            self.assertTrue(pmt.is_uint64(get(message, key)), key)
        counts = get(message, "counts")
        self.assertEqual(keys_of(counts), ITEM_COUNTS | TRUTH_COUNTS | {"labelled"})
        self.assertEqual(keys_of(counts), set(block.counts()))
        # The time of an item of this stream.
        seconds = pmt.to_double(get(message, "time")) - (1.7e9 + 0.25)
        self.assertTrue(0.0 <= seconds <= 5.9, seconds)

    def test_what_is_unknown_is_nil(self):
        message = run(self.make(snapshots=SNAPSHOTS), covariances(all_round(10)))[-1]
        for key in ("frequency", "time"):
            self.assertTrue(pmt.is_null(get(message, key)), key)

    def test_before_anything_is_learnt_there_is_only_a_status(self):
        (message,) = run(self.make(), [np.eye(5)] * 5, stream_tags())
        self.assertEqual(symbol(message, "status"), "learning")
        self.assertTrue(math.isnan(pmt.to_double(get(message, "loss"))))
        self.assertFalse(keys_of(message) & {"gains", "positions", "coupling", "reference"})

    def changes(self, messages):
        """Of messages, those that tell something new."""
        seen = [
            ("gains" in keys_of(m), *(symbol(m, k) for k in ("status", "orientation")))
            + (pmt.to_uint64(get(m, "restarts")),)
            for m in messages
        ]
        return sum(a != b for a, b in zip([None, *seen], seen))

    def test_messages_keep_their_interval_in_stream_time_whatever_the_clock_says(self):
        # 100 items of 0.1 s.
        for interval, most in ((0.0, 100), (1.0, 10), (3.0, 4), (1000.0, 1)):
            block = self.make(interval=interval)
            messages = run(block, covariances(all_round(100)), stream_tags())
            # Changes are told in between.
            changes = self.changes(messages)
            self.assertLessEqual(len(messages), most + changes, interval)
            self.assertGreaterEqual(len(messages), min(most, 100 - most), interval)
            if interval == 0.0:
                self.assertEqual(len(messages), 100)

    def test_a_change_is_told_at_once(self):
        angles = all_round(40)
        labels = [truth([angles[20]], 2.0, 2.1)]
        messages = run(self.make(interval=1000.0), covariances(angles), stream_tags(), labels)
        known = [m for m in messages if symbol(m, "orientation") == "known"]
        self.assertTrue(known)
        self.assertAlmostEqual(pmt.to_double(get(known[0], "time")), 2.0, delta=1e-6)
        self.assertEqual(self.changes(messages), len(messages))

    def test_the_interval_changes_while_running(self):
        block = self.make(interval=1000.0)
        with Running(block, covariances(all_round(40)), stream_tags(), rate=400) as running:
            wait_for(lambda: block.status() == "tracking", "tracking")
            count = len(running.all())
            block.set_interval(0.0)
            wait_for(lambda: len(running.all()) > count + 10, "more messages")
        for wrong in (-1.0, math.nan, math.inf):
            with self.assertRaisesRegex(ValueError, "interval"):
                block.set_interval(wrong)


class qa_truth(DiffmusicTestCase):
    """Items of 0.1 s from 10 s on, all from 75 degrees; `labelled` tells what truth counted."""

    def setUp(self):
        self.items = covariances([75.0] * 40)
        self.tags = stream_tags(10.0)

    def counts(self, *truths, tags=None, **options):
        block = self.make(**options)
        run(block, self.items, self.tags if tags is None else tags, truths)
        counts = block.counts()
        keys = {"labelled", *TRUTH_COUNTS}
        return {key: counts[key] for key in keys if counts[key]}

    def test_it_counts_for_items_that_lie_wholly_within_its_time(self):
        self.assertEqual(self.counts(truth([75.0], 11.0, 12.0)), {"labelled": 10})
        self.assertEqual(self.counts(truth([75.0], 11.01, 12.0)), {"labelled": 9})
        self.assertEqual(self.counts(truth([75.0], 11.0, 11.99)), {"labelled": 9})
        self.assertEqual(self.counts(truth([75.0], 11.0, 11.05)), {"truth_expired": 1})
        self.assertEqual(self.counts(truth([75.0], 13.0, 99.0)), {"labelled": 10})

    def test_items_that_overlap_or_are_worth_more_end_where_their_window_ends(self):
        """Windows of 0.2 s every 0.1 s; then windows of 0.1 s that are worth nine times as many."""
        for snapshots, window, labelled in ((2, 2, 9), (9, 1, 10)):
            tags = stream_tags(10.0)
            tags[2] = tag(0, "snapshots", pmt.from_uint64(snapshots * SNAPSHOTS))
            tags.append(tag(0, "window", pmt.from_uint64(window * SNAPSHOTS)))
            tags.append(tag(0, "hop", pmt.from_uint64(SNAPSHOTS)))
            counts = self.counts(truth([75.0], 11.0, 12.0), tags=tags)
            self.assertEqual(counts, {"labelled": labelled})

    def test_without_start_it_counts_from_now_on_and_without_stop_for_ever(self):
        self.assertEqual(self.counts(truth([75.0])), {"labelled": 40})
        self.assertEqual(self.counts(truth([75.0], stop=12.0)), {"labelled": 20})
        self.assertEqual(self.counts(truth([75.0], start=12.0)), {"labelled": 20})

    def test_one_for_the_wrong_time_is_never_used(self):
        self.assertEqual(self.counts(truth([75.0], 1.0, 2.0)), {"truth_expired": 1})
        self.assertEqual(self.counts(truth([75.0], 100.0, 200.0)), {})

    def test_windows_queue_up_in_any_order(self):
        windows = [truth([75.0], 10.0 + k, 10.5 + k) for k in (2, 0, 3, 1)]
        self.assertEqual(self.counts(*windows), {"labelled": 20})

    def test_one_without_stop_ends_where_a_later_one_begins(self):
        # What replaces it says that nothing is known, for a second, and for ever.
        first = truth([75.0])
        for end in (truth([], 11.0, 12.0), truth([], 11.0)):
            self.assertEqual(self.counts(first, end), {"labelled": 10})
            self.assertEqual(self.counts(end, first), {"labelled": 10})
        # The second one, which came later for the same time, is for 30 degrees.
        block = self.make(fit_positions=False)
        run(block, self.items, self.tags, [truth([75.0], 10.0), truth([30.0], 10.0)])
        self.assert_counts(block, labelled=40, truth_contradictory=0)
        worst = worst_error(
            CIRCLE, block.calibration(), CIRCLE_POSITIONS, GAINS, [75.0], allow_rotation=False
        )
        self.assertAlmostEqual(worst, 45.0, delta=GOOD_DEG)

    def test_contradictory_ones_are_not_used_where_they_contradict(self):
        one, other = truth([75.0], 11.0, 12.0), truth([80.0], 11.5, 12.5)
        expected = {"labelled": 10, "truth_contradictory": 5}
        self.assertEqual(self.counts(one, other), expected)
        self.assertEqual(self.counts(other, one), expected)
        agrees = truth([75.05], 11.5, 12.5)
        self.assertEqual(self.counts(one, agrees), {"labelled": 15})
        # At one end of the circle and the other.
        turned = truth([-285.0], 11.5, 12.5)
        self.assertEqual(self.counts(one, turned), {"labelled": 15})

    def test_an_item_across_two_windows_is_neither_ones(self):
        one, other = truth([75.0], 11.0, 11.55), truth([80.0], 11.55, 12.0)
        self.assertEqual(self.counts(one, other), {"labelled": 9})

    def test_items_without_a_time_are_known_by_what_names_none(self):
        tags = [tag(0, "snapshots", pmt.from_uint64(SNAPSHOTS))]
        for label, labelled in (
            (truth([75.0]), {"labelled": 40}),
            (truth([75.0], 0.0), {}),
            (truth([75.0], 0.0, 1e6), {}),
            (truth([75.0], stop=1e6), {}),
        ):
            self.assertEqual(self.counts(label, tags=tags), labelled)

    def test_items_of_unknown_duration_are_known_by_their_first_sample(self):
        tags = [
            t
            for k in range(40)
            for t in (
                tag(k, "rx_time", moment(10.0 + 0.1 * k)),
                tag(k, "snapshots", pmt.from_uint64(SNAPSHOTS)),
            )
        ]
        label = truth([75.0], 11.05, 12.05)
        self.assertEqual(self.counts(label, tags=tags), {"labelled": 10})

    def test_bad_messages_are_counted_and_change_nothing(self):
        good = truth([75.0], 11.0, 12.0)
        text = pmt.intern("nonsense")
        for bad in (
            text,
            pmt.from_double(75.0),
            pmt.PMT_NIL,
            pmt.make_dict(),
            truth(start=11.0),
            truth(angles=f32([75.0])),
            truth(angles_deg=pmt.from_double(75.0)),
            truth([math.nan], 11.0, 12.0),
            truth([math.inf], 11.0, 12.0),
            truth([60.0], 12.0, 11.0),
            truth([60.0], 11.0, 11.0),
            truth([60.0], start=text),
            truth([60.0], stop=pmt.from_double(12.0)),
            truth([60.0], start=pmt.make_tuple(pmt.from_long(-1), pmt.from_double(0.0))),
            truth([60.0], 11.0, 12.0, range_m=f32([1.0, 2.0])),
            truth([60.0], 11.0, 12.0, range_m=f32([-1.0])),
            truth([60.0], 11.0, 12.0, range_m=f32([0.38])),  # among the elements
            truth([60.0], 11.0, 12.0, range_m=f32([math.nan])),
            truth([60.0], 11.0, 12.0, range_m=text),
        ):
            expected = {"labelled": 10, "truth_malformed": 1}
            self.assertEqual(self.counts(good, bad), expected, pmt.write_string(bad))

    def test_more_labels_than_sources_are_refused(self):
        many = truth([75.0, 100.0], 11.0, 12.0)
        self.assertEqual(self.counts(many), {"truth_too_many": 1})

    def test_labels_that_the_array_cannot_see_are_refused(self):
        self.items = covariances([40.0] * 40, LINE_POSITIONS)
        for angle in (91.0, -90.1, 180.0, 270.0):
            label = truth([angle], 11.0, 12.0)
            self.assertEqual(self.counts(label, array=LINE), {"truth_outside_view": 1})
        for angle in (40.0, 90.0, -90.0):
            label = truth([angle], 11.0, 12.0)
            self.assertEqual(self.counts(label, array=LINE), {"labelled": 10})

    def test_a_circle_takes_angles_of_any_number_of_turns(self):
        block = self.make()
        run(block, self.items, self.tags, [truth([75.0 + 720.0])])
        self.assert_counts(block, labelled=40, bad_data=0)
        self.assertEqual(block.orientation(), "known")

    def test_no_more_than_64_wait(self):
        later = [truth([75.0], 100.0 + k, 101.0 + k) for k in range(70)]
        self.assertEqual(self.counts(*later), {"truth_dropped": 6})
        now = truth([75.0], 11.0, 12.0)
        expected = {"truth_dropped": 7, "labelled": 10}
        self.assertEqual(self.counts(*later, now), expected)

    def test_it_comes_while_the_flowgraph_runs(self):
        block = self.make(interval=0.0)
        with Running(block, self.items, self.tags, rate=400) as running:
            wait_for(lambda: block.counts()["accepted"] > 5, "items")
            self.assert_counts(block, labelled=0)
            running.send(truth([75.0]))
            wait_for(lambda: block.orientation() == "known", "the label")
            running.send(truth([]))

            def is_unknown():
                before = block.counts()
                time.sleep(0.1)
                after = block.counts()
                return (
                    after["accepted"] > before["accepted"]
                    and after["labelled"] == before["labelled"]
                )

            wait_for(is_unknown, "items without a label")


class qa_tunings(DiffmusicTestCase):
    """Two tunings, at which the receivers have other gains."""

    LOW, HIGH = 433.92e6, 868.3e6
    OTHER_GAINS = np.conj(GAINS)[[0, 2, 1, 4, 3]]

    def items_and_tags(self, angles):
        """Ten items at one tuning, ten at the other, and so on."""
        low, high = (covariances(angles, gains=g) for g in (GAINS, self.OTHER_GAINS))
        items, tags = [], []
        for k, both in enumerate(zip(low, high)):
            is_high = (k // 10) % 2
            items.append(both[is_high])
            if k % 10 == 0:
                tags += stream_tags(100.0 * k, k)
                frequency = self.HIGH if is_high else self.LOW
                tags.append(tag(k, "rx_freq", pmt.from_double(frequency)))
        return items, tags

    def test_each_has_a_calibrator_of_its_own(self):
        angles = np.full(80, 75.0)
        items, tags = self.items_and_tags(angles)
        block = self.make(interval=0.0, fit_positions=False)
        messages = run(block, items, tags, [truth([75.0])])
        self.assert_counts(block, accepted=80)
        latest = {pmt.to_double(get(m, "frequency")): m for m in messages}
        self.assertEqual(sorted(latest), [self.LOW, self.HIGH])
        # The last item's: the present one.
        self.assertEqual(block.calibration().frequency, self.HIGH)
        # Gains from one bearing: 40 times 100 snapshots at 20 dB leave 0.002, remembered are
        # 20 items: 0.003; ten times that, for whatever weights the calibrator gives them.
        for frequency, gains in ((self.LOW, GAINS), (self.HIGH, self.OTHER_GAINS)):
            found = np.array(pmt.c32vector_elements(get(latest[frequency], "gains")))
            found *= gains[0] / found[0]
            np.testing.assert_allclose(found, gains, atol=0.03)

    def test_a_near_frequency_is_the_same_tuning_and_a_far_one_is_not(self):
        items = covariances([75.0] * 4)
        tags = stream_tags()
        for k, f in enumerate((1e9, 1.0009e9, 1.0011e9, 0.9991e9)):
            tags.append(tag(k, "rx_freq", pmt.from_double(f)))
        tags += [tag(k, "rx_time", moment(10.0 * k)) for k in range(4)]
        messages = run(self.make(interval=0.0), items, tags)
        frequencies = [pmt.to_double(get(m, "frequency")) for m in messages]
        self.assertEqual(frequencies, [1e9, 1e9, 1.0011e9, 1e9])
        messages = run(self.make(interval=0.0, frequency_tolerance=0.1), items, tags)
        self.assertEqual({pmt.to_double(get(m, "frequency")) for m in messages}, {1e9})

    def test_of_nine_the_one_out_of_use_longest_is_forgotten(self):
        frequencies = [1e9 * (k + 1) for k in range(8)] + [1e9, 9e9, 1e9, 2e9]
        items = covariances([75.0] * len(frequencies))
        tags = stream_tags()
        for k, f in enumerate(frequencies):
            tags.append(tag(k, "rx_freq", pmt.from_double(f)))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "state.json")
            run(self.make(path=path), items, tags)
            entries = json.loads(path.read_text())["calibrations"]
            stored = [entry["calibration"]["frequency_hz"] for entry in entries]
        # 2 GHz went when 9 GHz came, and is new again; then 3 GHz went.
        self.assertEqual(sorted(stored), [1e9, 2e9, 4e9, 5e9, 6e9, 7e9, 8e9, 9e9])

    def test_the_wavelength_of_an_array_in_metres_follows_the_tuning(self):
        low, high = 250e6, SPEED_OF_LIGHT
        array = bearing.array.uca(n=5, radius=0.383, wavelength=1.0)
        offsets = np.zeros((5, 3))
        offsets[2] = [0.05, -0.03, 0.0]
        for frequency in (low, high):
            wavelength = SPEED_OF_LIGHT / frequency
            positions = (CIRCLE_POSITIONS + offsets) / wavelength
            angles = all_round(60)
            tags = [*stream_tags(), tag(0, "rx_freq", pmt.from_double(frequency))]
            labels = [truth([t], 0.1 * k, 0.1 * k + 0.1) for k, t in enumerate(angles)]
            block = self.make(array)
            run(block, covariances(angles, positions), tags, labels)
            found = np.array(block.calibration().positions)
            found -= found.mean(axis=0) - offsets.mean(axis=0)
            # In metres at either. 20 labelled items of 100 snapshots at 20 dB: a phase is good
            # to 0.01 rad, a position to 0.002 wavelengths; four times that.
            np.testing.assert_allclose(found[:, :2], offsets[:, :2], atol=0.01 * wavelength)

    def test_a_frequency_that_the_array_cannot_work_at_is_bad_data(self):
        array = bearing.array.uca(n=5, radius=0.383, wavelength=1.0)
        tags = stream_tags()
        tags += [tag(2, "rx_freq", pmt.from_double(1.0)), tag(4, "rx_freq", pmt.from_double(3e8))]
        block = self.make(array)
        run(block, covariances([75.0] * 6), tags)
        self.assert_counts(block, bad_data=2, accepted=4)


class qa_threads(DiffmusicTestCase):
    def test_the_worker_does_what_the_scheduler_does(self):
        angles = all_round(40)
        items, tags = covariances(angles), stream_tags()
        labels = [truth([angles[3]], 0.3, 0.4)]
        inline, worker = (self.make(threading=t) for t in ("inline", "worker"))
        run(inline, items, tags, labels)
        # Slowly, so that none is skipped: eight wait for 0.16 s.
        with Running(worker, items, tags, labels, rate=50):
            wait_for(lambda: items_counted(worker.counts()) >= 40, "40 items")
            counts = worker.counts()
        self.assertEqual(counts["busy"], 0)
        self.assertEqual(worker.status(), inline.status())
        self.assertEqual(worker.orientation(), inline.orientation())
        for block in (inline, worker):
            error = worst_error(CIRCLE, block.calibration(), CIRCLE_POSITIONS, GAINS, angles)
            self.assertLess(error, GOOD_DEG)

    def test_a_worker_that_is_behind_skips_and_the_stream_does_not_wait(self):
        n, count = 32, 3000
        array = bearing.array.uca(n=n, radius=2.0)
        positions = circle_positions(n, 2.0)
        items = covariances([75.0] * 30, positions, np.ones(n)) * (count // 30)
        tags = stream_tags()
        block = self.make(array, threading="worker")
        run(block, items, tags)
        counts = block.counts()
        self.assertGreater(counts["busy"], 0)
        self.assertGreater(counts["accepted"], 0)
        self.assertEqual(items_counted(counts), count)
        # As a whole: nothing waits when the flowgraph has stopped.
        time.sleep(0.1)
        self.assertEqual(block.counts(), counts)

    def test_updates_move_to_the_worker_when_items_are_shorter_than_they_take(self):
        items = covariances(all_round(50)) * 40
        # Items of 100 s, and of 0.1 ns.
        for rate, is_skipping in ((1.0, False), (1e12, True)):
            tags = [*stream_tags(), tag(0, "rx_rate", pmt.from_double(rate))]
            block = self.make()
            run(block, items, tags)
            self.assertEqual(block.counts()["busy"] > 0, is_skipping, rate)

    def test_without_a_rate_every_item_is_used(self):
        block = self.make(snapshots=SNAPSHOTS)
        run(block, covariances(all_round(50)) * 10)
        self.assert_counts(block, busy=0)

    def test_items_are_not_used_without_a_number_of_snapshots(self):
        block = self.make()
        run(block, covariances(all_round(5)))
        self.assert_counts(block, unknown_snapshots=5, accepted=0)

    def test_a_flowgraph_stops_and_starts_again_and_goes_on_learning(self):
        block = self.make()
        items = covariances(all_round(30))
        running = Running(block, items, stream_tags())
        running.to_the_end()
        first = block.counts()["accepted"]
        running.source.set_data(to_items(items), stream_tags(100.0))
        running.to_the_end()
        self.assertGreater(first, 20)
        self.assertGreater(block.counts()["accepted"], first + 20)

    def test_flowgraphs_leave_neither_threads_nor_memory_behind(self):
        def resident():
            pages = int(pathlib.Path("/proc/self/statm").read_text().split()[1])
            return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

        def threads():
            # One that was joined may be listed for a moment longer: the fewest of some looks.
            counts = []
            for _ in range(20):
                counts.append(len(os.listdir("/proc/self/task")))
                time.sleep(0.01)
            return min(counts)

        items = covariances(all_round(20))
        with tempfile.TemporaryDirectory() as folder:

            def run_one(k):
                threading = ("inline", "worker", "auto")[k % 3]
                block = self.make(path=f"{folder}/{k % 3}.json", threading=threading)
                run(block, items, stream_tags(), [truth([1.0])])
                del block
                gc.collect()

            for k in range(6):
                run_one(k)
            before, threads_before = resident(), threads()
            for k in range(20):
                run_one(k)
        self.assertEqual(threads(), threads_before)
        # A buffer of the flowgraph alone has 32 KiB; twenty of what a flowgraph needs would be
        # 10 MiB and more, what the allocator keeps for later comes and goes by 2.
        self.assertLess(resident() - before, 5.0)


class qa_state_file(DiffmusicTestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.path = self.folder / "state.json"

    def learn(self, path, array=CIRCLE, positions=CIRCLE_POSITIONS, gains=GAINS):
        angles = all_round(40)
        block = self.make(array, path=path)
        labels = [truth([t], 0.1 * k, 0.1 * k + 0.1) for k, t in enumerate(angles)]
        run(block, covariances(angles, positions, gains), stream_tags(), labels)
        self.assertEqual(block.orientation(), "known")
        return block

    def test_what_was_learnt_is_there_again(self):
        learnt = self.learn(self.path)
        again = self.make(path=self.path)
        self.assertEqual(again.orientation(), "known")
        for part in ("gains", "positions"):
            # Fixing the gauge anew rounds.
            np.testing.assert_allclose(
                getattr(again.calibration(), part),
                getattr(learnt.calibration(), part),
                atol=1e-9,
            )
        # The first message has it, whatever comes in.
        (message,) = run(again, [np.eye(5)], stream_tags())
        self.assertTrue(pmt.is_c32vector(get(message, "gains")))
        self.assertEqual(symbol(message, "orientation"), "known")

    def test_it_is_the_json_that_is_promised(self):
        self.learn(self.path)
        document = json.loads(self.path.read_text())
        self.assertEqual(document["version"], 1)
        (entry,) = document["calibrations"]
        self.assertEqual(entry["orientation"], "known")
        self.assertEqual(entry["calibration"]["num_elements"], 5)
        self.assertEqual([p.name for p in self.folder.iterdir()], ["state.json"])

    def test_without_a_path_nothing_is_written(self):
        before = set(os.listdir())
        self.learn("")
        self.assertEqual(set(os.listdir()), before)

    def test_when_nothing_was_learnt_nothing_is_written(self):
        run(self.make(path=self.path), [np.eye(5)] * 3, stream_tags())
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_it_is_saved_every_so_often(self):
        block = self.make(path=self.path, save_interval=1000.0)
        with Running(block, covariances(all_round(40)), stream_tags(), rate=400):
            wait_for(lambda: block.counts()["accepted"] > 10, "items")
            self.assertFalse(self.path.exists())
            block.set_save_interval(0.02)
            wait_for(self.path.exists, "the file")
            stamp = self.path.stat().st_mtime_ns
            wait_for(lambda: self.path.stat().st_mtime_ns != stamp, "another one")
        for wrong in (0.0, -1.0, math.nan, math.inf):
            with self.assertRaisesRegex(ValueError, "save_interval"):
                block.set_save_interval(wrong)

    def test_a_bad_file_is_kept_aside_and_all_is_learnt_anew(self):
        other = bearing.array.uca(n=6, radius=0.4)
        self.learn(self.path, other, circle_positions(6, 0.4), np.ones(6))
        of_another_array = self.path.read_text()
        for text in (of_another_array, of_another_array[:200], "", "{}", "\x00\xff" * 50):
            aside = pathlib.Path(f"{self.path}.bad")
            self.path.write_text(text)
            block = self.make(path=self.path)
            self.assertEqual(aside.read_text(), text)
            self.assertFalse(self.path.exists())
            self.assertEqual(block.orientation(), "unknown")
            self.assertEqual(block.status(), "learning")
            run(block, covariances(all_round(20)), stream_tags())
            self.assertEqual(len(json.loads(self.path.read_text())["calibrations"]), 1)

    def test_a_path_that_cannot_be_is_refused(self):
        for path in (self.folder / "none" / "state.json", self.folder):
            with self.assertRaisesRegex(ValueError, "path is .*" + self.folder.name):
                self.make(path=path)

    def test_a_folder_that_vanishes_stops_nothing(self):
        folder = self.folder / "stick"
        folder.mkdir()
        block = self.make(path=folder / "state.json", save_interval=0.02)
        with Running(block, covariances(all_round(40)), stream_tags(), rate=400):
            wait_for((folder / "state.json").exists, "the file")
            while folder.exists():
                for path in folder.iterdir():
                    path.unlink(missing_ok=True)
                try:
                    folder.rmdir()
                except OSError:
                    pass  # it was quicker
            count = block.counts()["accepted"]
            wait_for(lambda: block.counts()["accepted"] > count + 20, "items")
            folder.mkdir()
            wait_for((folder / "state.json").exists, "the file again")

    def test_a_kill_at_any_instant_leaves_a_good_file(self):
        # A child that learns, and saves all the time; killed at random instants.
        child = f"""
import sys
sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r})
from qa_diffmusic import *
block = bearing.diffmusic(CIRCLE, 1, path={str(self.path)!r}, save_interval=1e-4)
with Running(block, covariances(all_round(40)), stream_tags(), rate=2000):
    print("runs", flush=True)
    time.sleep(600)
"""
        generator = random.Random(7)
        for k in range(100 if FULL else 8):
            process = subprocess.Popen(
                [sys.executable, "-B", "-c", child],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self.assertEqual(process.stdout.readline(), b"runs\n")
            wait_for(self.path.exists, "the first file")
            time.sleep(generator.uniform(0.0, 0.05))
            process.kill()
            process.communicate()
            block = self.make(path=self.path)
            self.assertEqual(block.calibration().gains.shape, (5,), f"kill {k}")
            self.assertFalse(pathlib.Path(f"{self.path}.bad").exists(), f"kill {k}")


class qa_construction(DiffmusicTestCase):
    def test_it_names_the_parameter_that_is_wrong(self):
        for name, options in (
            ("num_sources", {"num_sources": 0}),
            ("num_sources", {"num_sources": 5}),
            ("array", {"array": bearing.array.ula(2, 0.5)}),
            ("snapshots", {"snapshots": -1}),
            ("interval", {"interval": -1.0}),
            ("interval", {"interval": math.nan}),
            ("save_interval", {"save_interval": 0.0}),
            ("labelled_buffer", {"labelled_buffer": 0}),
            ("unlabelled_buffer", {"unlabelled_buffer": 0}),
            ("label_lifetime", {"label_lifetime": 0}),
            ("frequency_tolerance", {"frequency_tolerance": -0.1}),
            ("frequency_tolerance", {"frequency_tolerance": 1.0}),
            ("threading", {"threading": "none"}),
        ):
            with self.assertRaisesRegex(ValueError, name):
                self.make(**options)

    def test_before_the_first_item_it_has_what_it_was_built_with(self):
        block = self.make(CIRCLE.calibrated(bearing.calibration(GAINS, frequency=1e9)))
        np.testing.assert_allclose(block.calibration().gains, GAINS, atol=1e-12)
        self.assertEqual(block.calibration().frequency, 1e9)
        self.assertEqual(block.status(), "learning")
        self.assertTrue(math.isnan(block.loss()))
        self.assertEqual(set(block.counts().values()), {0})


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

import time
from fractions import Fraction

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest

from gnuradio import bearing

# Relative to sqrt(R_ii R_jj): what the accumulator promises for any signal.
COVARIANCE_TOLERANCE = 3e-6

RATE = 1e6


def noise(n, size, seed=1):
    random = np.random.default_rng(seed)
    x = random.standard_normal((n, size)) + 1j * random.standard_normal((n, size))
    return x.astype(np.complex64)


def time_value(seconds, fraction):
    return pmt.make_tuple(pmt.from_uint64(seconds), pmt.from_double(fraction))


def time_at(sample, rate=RATE, seconds=1000):
    """rx_time of a sample when sample 0 was taken at that many seconds."""
    return time_value(seconds + int(sample // rate), (sample % rate) / rate)


def tag(offset, key, value):
    return gr.tag_utils.python_to_tag((int(offset), pmt.intern(key), value, pmt.intern("qa")))


class covariance_run:
    """What bearing.covariance makes of x (N x samples) with tags [(input, offset, key, value)]."""

    def __init__(self, x, snapshots, tags=(), sample_rate=0.0, max_noutput_items=None, **window):
        n = len(x)
        tb = gr.top_block()
        self.block = bearing.covariance(n, snapshots, sample_rate, **window)
        self.sink = blocks.vector_sink_c(n * n)
        for k in range(n):
            own = [tag(o, key, value) for i, o, key, value in tags if i == k]
            tb.connect(blocks.vector_source_c(x[k], False, 1, own), (self.block, k))
        tb.connect(self.block, self.sink)
        if max_noutput_items:
            tb.run(max_noutput_items)
        else:
            tb.run()
        self.items = np.reshape(self.sink.data(), (-1, n, n)).transpose(0, 2, 1)

    def tags(self, key):
        """[(item, value)] in the order of items."""
        found = [
            (t.offset, pmt.to_python(t.value))
            for t in self.sink.tags()
            if pmt.symbol_to_string(t.key) == key
        ]
        return sorted(found, key=lambda item_value: item_value[0])


class qa_covariance(gr_unittest.TestCase):
    def assert_items(self, items, x, starts, snapshots):
        """Item k is the covariance of the snapshots from column starts[k] on."""
        self.assertEqual(len(items), len(starts))
        for item, start in zip(items, starts):
            block = x[:, start : start + snapshots].astype(complex)
            expected = block @ block.conj().T / snapshots
            scale = np.sqrt(np.outer(np.diag(expected).real, np.diag(expected).real))
            self.assertLessEqual(
                np.max(np.abs(item - expected) / scale), COVARIANCE_TOLERANCE, f"start {start}"
            )

    def assert_times(self, run, expected):
        """Items' rx_time, as samples at RATE after second 1000; None: unknown."""
        found = dict(run.tags("rx_time"))
        self.assertEqual(len(found), len(run.tags("rx_time")))
        for item, sample in enumerate(expected):
            if sample is None:
                self.assertNotIn(item, found)
                continue
            seconds, fraction = found[item]
            # Fractions of a second are doubles: 1e-16 s is 1e-10 samples.
            self.assertAlmostEqual((seconds - 1000 + fraction) * RATE, sample, delta=1e-6)
        self.assertLessEqual(set(found), set(range(len(expected))))

    def test_the_module_is_the_one_under_test(self):
        self.assertIn("test_modules", bearing.__file__)

    # Items

    def test_items_are_the_covariances_of_numpy(self):
        for n, snapshots in ((1, 1), (2, 7), (5, 100), (8, 1000), (64, 50)):
            x = noise(n, 3 * snapshots)
            x[-1] += 2 * x[0]
            run = covariance_run(x, snapshots)
            self.assert_items(run.items, x, [0, snapshots, 2 * snapshots], snapshots)

    def test_items_are_hermitian_to_the_bit(self):
        items = covariance_run(noise(5, 1000), 100).items
        np.testing.assert_array_equal(items, items.conj().transpose(0, 2, 1))

    def test_element_i_j_is_the_mean_of_x_i_conj_x_j(self):
        x = np.array([[1, 1], [1j, 1j]], dtype=np.complex64)
        np.testing.assert_array_equal(covariance_run(x, 2).items[0], [[1, -1j], [1j, 1]])

    def test_items_do_not_depend_on_buffers(self):
        x = noise(3, 5000)
        for max_noutput_items in (1, 7, 100, 1024):
            run = covariance_run(x, 300, max_noutput_items=max_noutput_items)
            self.assert_items(run.items, x, range(0, 4501, 300), 300)

    def test_items_may_be_longer_than_any_buffer(self):
        x = noise(2, 650000)
        tags = [(0, 0, "rx_time", time_at(0)), (1, 400000, "marker", pmt.from_long(3))]
        run = covariance_run(x, 300000, tags, RATE)
        self.assert_items(run.items, x, [0, 300000], 300000)
        self.assert_times(run, [0, 300000])
        self.assertEqual(run.tags("marker"), [(1, 3)])

    def test_the_largest_item_asks_for_no_memory(self):
        run = covariance_run(noise(2, 1000), 2**31 - 1)
        self.assertEqual(len(run.items), 0)

    def test_a_stream_that_ends_in_mid_item_leaves_no_item(self):
        self.assertEqual(len(covariance_run(noise(2, 99), 100).items), 0)
        self.assertEqual(len(covariance_run(noise(2, 199), 100).items), 1)

    def test_nan_stays_in_its_channel_and_item(self):
        for bad in (np.nan, np.inf):
            x = noise(3, 300)
            x[1, 150] = bad
            items = covariance_run(x, 100).items
            self.assert_items(items[[0, 2]], x, [0, 200], 100)
            finite = np.isfinite(items[1])
            np.testing.assert_array_equal(
                finite, [[True, False, True], [False, False, False], [True, False, True]]
            )
            self.assert_items(items[1:2][:, ::2, ::2], x[::2], [100], 100)

    def test_all_zero_samples_give_zero(self):
        items = covariance_run(np.zeros((4, 200), np.complex64), 100).items
        np.testing.assert_array_equal(items, np.zeros((2, 4, 4)))

    # Tags

    def test_every_item_tells_its_time_and_snapshots(self):
        tags = [(k, 0, "rx_time", time_at(0)) for k in range(3)]
        run = covariance_run(noise(3, 1000), 100, tags, RATE)
        self.assert_times(run, range(0, 1000, 100))
        self.assertEqual(run.tags("snapshots"), [(k, 100) for k in range(10)])
        self.assertEqual(run.tags("gap"), [])

    def test_tags_that_every_input_carries_come_out_once(self):
        tags = []
        for k in range(4):
            tags += [
                (k, 0, "rx_time", time_at(0)),
                (k, 0, "rx_rate", pmt.from_double(RATE)),
                (k, 0, "rx_freq", pmt.from_double(433e6)),
                (k, 250, "marker", pmt.intern("x")),
                (k, 120, "rx_freq", pmt.from_double(433e6)),
            ]
        run = covariance_run(noise(4, 500), 100, tags)
        self.assert_times(run, [0, 100, 200, 300, 400])
        self.assertEqual(run.tags("rx_rate"), [(0, RATE)])
        self.assertEqual(run.tags("rx_freq"), [(0, 433e6), (1, 433e6)])
        self.assertEqual(run.tags("marker"), [(2, "x")])

    def test_tags_come_out_at_the_item_of_their_sample(self):
        offsets = [0, 1, 99, 100, 101, 350, 399, 400, 777, 999]
        tags = [(o % 3, o, "marker", pmt.from_long(o)) for o in offsets]
        for max_noutput_items in (None, 30, 1000):
            run = covariance_run(noise(3, 1000), 100, tags, 0.0, max_noutput_items)
            self.assertEqual(run.tags("marker"), [(o // 100, o) for o in offsets])

    def test_inputs_that_say_different_things_are_all_heard(self):
        tags = [(k, 150, "receiver", pmt.from_long(k)) for k in range(3)]
        run = covariance_run(noise(3, 300), 100, tags)
        self.assertEqual(run.tags("receiver"), [(1, 0), (1, 1), (1, 2)])

    def test_time_counts_back_to_the_first_sample_of_its_item(self):
        tags = [(0, 130, "rx_time", time_at(130))]
        run = covariance_run(noise(2, 300), 100, tags, RATE)
        self.assert_times(run, [None, 100, 200])

    def test_time_needs_a_rate_except_where_it_stands(self):
        tags = [(0, 100, "rx_time", time_at(100)), (0, 230, "rx_time", time_at(230))]
        run = covariance_run(noise(2, 400), 100, tags)
        self.assert_times(run, [None, 100, None, None])

    def test_time_does_not_drift_in_a_million_items(self):
        # One snapshot an item; the last ten are looked at. The expected times are exact.
        items = 1200000
        for rate in (2.4e6, 1e6 / 3, 1234567.89):
            start = Fraction(1700000000) + Fraction(0.7)
            tb = gr.top_block()
            tags = [tag(0, "rx_time", time_value(1700000000, 0.7))]
            source = blocks.vector_source_c(np.zeros(items, np.complex64), False, 1, tags)
            sink = blocks.vector_sink_c()
            skip = blocks.skiphead(gr.sizeof_gr_complex, items - 10)
            tb.connect(source, bearing.covariance(1, 1, rate), skip, sink)
            tb.run()
            times = [
                (t.offset, pmt.to_python(t.value))
                for t in sink.tags()
                if pmt.symbol_to_string(t.key) == "rx_time"
            ]
            self.assertEqual(len(times), 10)
            for offset, (seconds, fraction) in times:
                exact = start + Fraction(items - 10 + offset) / Fraction(rate)
                # Two roundings of a fraction below 1, of 1.1e-16 each.
                self.assertLess(abs(float(seconds + Fraction(fraction) - exact)), 4e-16)
                self.assertTrue(0 <= fraction < 1)

    def test_time_is_exact_after_days_of_samples(self):
        lost = 9 * 10**12 + 7
        for rate in (2.4e6, 1e6 / 3, 1234567.89, 61.44e6):
            tags = [
                (0, 0, "rx_time", time_value(1700000000, 0.7)),
                (0, 10, "gap", pmt.from_uint64(lost)),
            ]
            run = covariance_run(noise(1, 20), 10, tags, rate)
            exact = Fraction(1700000000) + Fraction(0.7) + Fraction(10 + lost) / Fraction(rate)
            # The prediction and the gap, each of two roundings of 1.1e-16.
            seconds, fraction = dict(run.tags("rx_time"))[1]
            self.assertLess(abs(float(seconds + Fraction(fraction) - exact)), 5e-16)
            self.assertTrue(0 <= fraction < 1)

    def test_time_ends_at_the_last_second_that_can_be_counted(self):
        last = 2**64 - 1
        tags = [(0, 0, "rx_time", time_value(last, 0.75))]
        run = covariance_run(noise(1, 500), 100, tags, 1000.0)
        found = run.tags("rx_time")
        self.assertEqual([item for item, _ in found], [0, 1, 2])
        for item, (seconds, fraction) in found:
            self.assertEqual(seconds, last)
            # Two roundings of a fraction below 1.
            self.assertAlmostEqual(fraction, 0.75 + 0.1 * item, delta=4e-16)
        # One second later than that is not a time.
        run = covariance_run(noise(1, 100), 100, [(0, 0, "rx_time", time_value(last, 1.0))])
        self.assertEqual(run.tags("rx_time"), [])
        # A jump there and back is a loss of unknown size, whichever way it goes.
        tags = [
            (0, 0, "rx_time", time_at(0)),
            (0, 150, "rx_time", time_value(last, 0.0)),
            (0, 350, "rx_time", time_at(350)),
        ]
        run = covariance_run(noise(1, 500), 100, tags, RATE)
        self.assertEqual(run.tags("gap"), [(1, 0), (3, 0)])

    def test_ill_typed_tags_change_nothing(self):
        nonsense = [
            ("rx_time", pmt.from_double(1000.0)),
            ("rx_time", pmt.intern("now")),
            ("rx_time", pmt.make_tuple(pmt.from_uint64(1))),
            ("rx_time", pmt.make_tuple(pmt.from_double(1.5), pmt.from_double(0.5))),
            ("rx_time", time_value(1000, float("nan"))),
            ("rx_freq", pmt.intern("433 MHz")),
            ("rx_freq", pmt.from_double(float("nan"))),
            ("rx_freq", pmt.from_complex(1j)),
            ("rx_rate", pmt.from_double(-1.0)),
            ("rx_rate", pmt.from_double(0.0)),
            ("rx_rate", pmt.PMT_NIL),
        ]
        x = noise(2, 500)
        tags = [(0, 0, "rx_time", time_at(0))]
        tags += [(i % 2, 30 + 31 * i, key, value) for i, (key, value) in enumerate(nonsense)]
        run = covariance_run(x, 100, tags, RATE)
        self.assert_items(run.items, x, [0, 100, 200, 300, 400], 100)
        self.assert_times(run, [0, 100, 200, 300, 400])
        self.assertEqual(run.tags("rx_freq") + run.tags("rx_rate") + run.tags("gap"), [])

    def test_numbers_of_any_type_are_understood(self):
        tags = [
            (0, 0, "rx_freq", pmt.from_uint64(433000000)),
            (0, 50, "rx_freq", pmt.from_double(433e6)),
            (0, 60, "rx_rate", pmt.from_long(1000000)),
            (1, 210, "gap", pmt.from_long(12)),
        ]
        run = covariance_run(noise(2, 500), 100, tags, RATE)
        self.assertEqual(len(run.items), 4)
        self.assertEqual(run.tags("rx_freq"), [(0, 433e6)])
        self.assertEqual(run.tags("gap"), [(2, 12)])

    # Gaps

    def test_a_gap_on_any_input_restarts(self):
        for gap_input in range(3):
            x = noise(3, 500)
            tags = [(gap_input, 150, "gap", pmt.from_uint64(70))]
            tags += [(0, 0, "rx_time", time_at(0))]
            for max_noutput_items in (None, 40):
                run = covariance_run(x, 100, tags, RATE, max_noutput_items)
                self.assert_items(run.items, x, [0, 150, 250, 350], 100)
                self.assertEqual(run.tags("gap"), [(1, 70)])
                # 70 samples took their time.
                self.assert_times(run, [0, 220, 320, 420])

    def test_a_gap_between_items_is_told_too(self):
        x = noise(2, 300)
        run = covariance_run(x, 100, [(1, 100, "gap", pmt.from_uint64(5))])
        self.assert_items(run.items, x, [0, 100, 200], 100)
        self.assertEqual(run.tags("gap"), [(1, 5)])

    def test_lost_samples_before_an_item_add_up(self):
        def gaps(*tags):
            tags = [(i, o, "gap", pmt.from_uint64(lost)) for i, o, lost in tags]
            return covariance_run(noise(3, 400), 100, tags).tags("gap")

        self.assertEqual(gaps((0, 110, 5), (1, 130, 7), (2, 180, 9)), [(1, 21)])
        # One loss that every input reports.
        self.assertEqual(gaps((0, 110, 5), (1, 110, 5), (2, 110, 5)), [(1, 5)])
        # Something unknown in between makes the sum unknown.
        self.assertEqual(gaps((0, 110, 5), (1, 130, 0), (2, 180, 9)), [(1, 0)])
        # And so does a sum that nobody can count.
        most = 2**64 - 1
        self.assertEqual(gaps((0, 110, most - 9), (1, 130, 9)), [(1, most)])
        self.assertEqual(gaps((0, 110, most - 9), (1, 130, 10)), [(1, 0)])
        self.assertEqual(gaps((0, 110, most), (1, 130, most), (2, 180, 9)), [(1, 0)])

    def test_after_an_unknown_gap_time_is_unknown_until_told(self):
        x = noise(2, 600)
        tags = [
            (0, 0, "rx_time", time_at(0)),
            (1, 150, "gap", pmt.from_uint64(0)),
            (0, 350, "rx_time", time_at(9350)),
        ]
        run = covariance_run(x, 100, tags, RATE)
        self.assert_items(run.items, x, [0, 150, 250, 350, 450], 100)
        self.assert_times(run, [0, None, None, 9350, 9450])
        self.assertEqual(run.tags("gap"), [(1, 0)])

    def test_a_gap_without_a_number_is_a_gap(self):
        x = noise(2, 400)
        for value in (pmt.PMT_T, pmt.from_long(-3), pmt.intern("many")):
            run = covariance_run(x, 100, [(1, 150, "gap", value)])
            self.assert_items(run.items, x, [0, 150, 250], 100)
            self.assertEqual(run.tags("gap"), [(1, 0)])

    def test_a_time_jump_on_any_input_restarts(self):
        x = noise(3, 600)
        for jump_input in range(3):
            for jump, lost in ((1, 1), (0.6, 1), (1e7 + 0.2, 10000000), (-1, 0), (-1e8, 0)):
                tags = [
                    (0, 0, "rx_time", time_at(0)),
                    (jump_input, 150, "rx_time", time_at(150 + jump)),
                ]
                run = covariance_run(x, 100, tags, RATE)
                self.assert_items(run.items, x, [0, 150, 250, 350, 450], 100)
                self.assert_times(run, [0] + [150 + 100 * k + jump for k in range(4)])
                self.assertEqual(run.tags("gap"), [(1, lost)])

    def test_jitter_below_half_a_sample_does_not_restart(self):
        x = noise(2, 600)
        for jitter in (0.0, 0.49, -0.49):
            tags = [
                (0, 0, "rx_time", time_at(0)),
                (1, 150, "rx_time", time_at(150 + jitter)),
                (0, 350, "rx_time", time_at(350)),
            ]
            run = covariance_run(x, 100, tags, RATE)
            self.assert_items(run.items, x, [0, 100, 200, 300, 400, 500], 100)
            self.assertEqual(run.tags("gap"), [])

    def test_one_channel_that_slips_against_the_others_restarts(self):
        x = noise(2, 400)
        tags = [
            (0, 0, "rx_time", time_at(0)),
            (1, 0, "rx_time", time_at(0)),
            (0, 150, "rx_time", time_at(150)),
            (1, 150, "rx_time", time_at(153)),
        ]
        run = covariance_run(x, 100, tags, RATE)
        self.assert_items(run.items, x, [0, 150, 250], 100)
        self.assertEqual(run.tags("gap"), [(1, 3)])

    def test_a_gap_and_the_jump_it_makes_count_once(self):
        for told in (70, 0):
            tags = [
                (0, 0, "rx_time", time_at(0)),
                (0, 150, "gap", pmt.from_uint64(told)),
                (1, 150, "rx_time", time_at(220)),
            ]
            run = covariance_run(noise(2, 400), 100, tags, RATE)
            self.assertEqual(run.tags("gap"), [(1, 70)])
            self.assert_times(run, [0, 220, 320])
        # The time that follows later agrees with the gap: nothing more was lost.
        tags = [
            (0, 0, "rx_time", time_at(0)),
            (0, 150, "gap", pmt.from_uint64(70)),
            (1, 180, "rx_time", time_at(250)),
        ]
        run = covariance_run(noise(2, 400), 100, tags, RATE)
        self.assertEqual(run.tags("gap"), [(1, 70)])
        self.assert_times(run, [0, 220, 320])

    # Retunes

    def test_a_retune_restarts_and_the_same_frequency_does_not(self):
        x = noise(2, 700)
        tags = [
            (0, 0, "rx_time", time_at(0)),
            (0, 0, "rx_freq", pmt.from_double(433e6)),
            (1, 130, "rx_freq", pmt.from_double(433e6)),
            (1, 250, "rx_freq", pmt.from_double(868e6)),
            (0, 250, "rx_freq", pmt.from_double(868e6)),
            (0, 370, "rx_freq", pmt.from_double(868e6)),
        ]
        for max_noutput_items in (None, 33):
            run = covariance_run(x, 100, tags, RATE, max_noutput_items)
            self.assert_items(run.items, x, [0, 100, 250, 350, 450, 550], 100)
            expected = [(0, 433e6), (1, 433e6), (2, 868e6), (3, 868e6)]
            self.assertEqual(run.tags("rx_freq"), expected)
            self.assert_times(run, [0, 100, 250, 350, 450, 550])
            self.assertEqual(run.tags("gap"), [])

    def test_every_input_that_retunes_restarts(self):
        # From 150 to 158 some inputs are tuned as before.
        x = noise(3, 500)
        retunes = [(0, 150, 868e6), (1, 153, 868e6), (2, 158, 868e6)]
        for told in (3, 1):  # an input that told nothing is tuned as the first one that did
            tags = [(k, 0, "rx_freq", pmt.from_double(433e6)) for k in range(told)]
            tags += [(k, o, "rx_freq", pmt.from_double(f)) for k, o, f in retunes]
            for max_noutput_items in (None, 33):
                run = covariance_run(x, 100, tags, RATE, max_noutput_items)
                self.assert_items(run.items, x, [0, 158, 258, 358], 100)
                self.assertEqual(run.tags("rx_freq"), [(0, 433e6), (1, 868e6)])
        run = covariance_run(x, 100, tags[:2])  # input 0 only: nothing else is known
        self.assert_items(run.items, x, [0, 150, 250, 350], 100)

    def test_of_several_retunes_at_one_sample_the_last_counts(self):
        # As a decimating block in front leaves them.
        retunes = [433e6, 868e6, 915e6]
        tags = [(k, 150, "rx_freq", pmt.from_double(f)) for f in retunes for k in range(2)]
        run = covariance_run(noise(2, 300), 100, tags)
        self.assertEqual(run.tags("rx_freq"), [(1, 915e6)])

    def test_inputs_at_different_frequencies_come_out_as_the_lowest_that_changed_last(self):
        def tune(offset, *frequencies):
            return [
                (k, offset, "rx_freq", pmt.from_double(f))
                for k, f in enumerate(frequencies)
                if f
            ]

        x = noise(3, 700)
        tags = tune(0, 431e6, 432e6, 433e6) + tune(320, None, 442e6, 443e6)
        # Repeats are no retunes, and only what is in force comes out again.
        repeats = tune(120, 431e6, 432e6, 433e6) + tune(550, 431e6, 442e6, 443e6)
        run = covariance_run(x, 100, tags + repeats)
        self.assert_items(run.items, x, [0, 100, 200, 320, 420, 520], 100)
        expected = [(0, 431e6), (1, 431e6), (3, 442e6), (5, 442e6)]
        self.assertEqual(run.tags("rx_freq"), expected)

    def test_every_input_whose_rate_changes_restarts_and_times_count_from_the_first(self):
        x = noise(2, 500)
        tags = [
            (0, 0, "rx_time", time_at(0)),
            (0, 0, "rx_rate", pmt.from_double(RATE)),
            (0, 150, "rx_rate", pmt.from_double(RATE / 2)),
            (1, 153, "rx_rate", pmt.from_double(RATE / 2)),
        ]
        run = covariance_run(x, 100, tags)
        self.assert_items(run.items, x, [0, 153, 253, 353], 100)
        self.assertEqual(run.tags("rx_rate"), [(0, RATE), (1, RATE / 2)])
        self.assert_times(run, [0, 156, 356, 556])

    def test_the_first_frequency_in_mid_item_restarts(self):
        # What was tuned before is not known: that it was this one cannot be assumed.
        x = noise(2, 400)
        run = covariance_run(x, 100, [(0, 150, "rx_freq", pmt.from_double(433e6))])
        self.assert_items(run.items, x, [0, 150, 250], 100)
        self.assertEqual(run.tags("rx_freq"), [(1, 433e6)])

    def test_a_new_rate_restarts_and_counts_from_there(self):
        x = noise(2, 500)
        tags = [
            (0, 0, "rx_time", time_at(0)),
            (0, 0, "rx_rate", pmt.from_double(RATE)),
            (1, 150, "rx_rate", pmt.from_double(RATE / 2)),
        ]
        run = covariance_run(x, 100, tags)
        self.assert_items(run.items, x, [0, 150, 250, 350], 100)
        self.assertEqual(run.tags("rx_rate"), [(0, RATE), (1, RATE / 2)])
        self.assert_times(run, [0, 150, 350, 550])
        self.assertEqual(run.tags("gap"), [])

    def test_tags_on_unused_samples_wait_for_the_next_item(self):
        tags = [
            (0, 110, "marker", pmt.from_long(1)),
            (0, 120, "other", pmt.from_long(2)),
            (0, 140, "marker", pmt.from_long(3)),
            (1, 150, "gap", pmt.from_uint64(70)),
            (0, 160, "marker", pmt.from_long(4)),
        ]
        run = covariance_run(noise(2, 400), 100, tags)
        self.assertEqual(run.tags("other"), [(1, 2)])
        # Of one key, the last one that was on an unused sample.
        self.assertEqual(run.tags("marker"), [(1, 3), (1, 4)])

    # Running

    def test_a_restarted_flowgraph_starts_with_an_empty_item(self):
        first, second = noise(2, 150, 1), noise(2, 250, 2)
        tb = gr.top_block()
        sources = [blocks.vector_source_c(x) for x in first]
        block, sink = bearing.covariance(2, 100), blocks.vector_sink_c(4)
        for k in range(2):
            tb.connect(sources[k], (block, k))
        tb.connect(block, sink)
        tb.run()
        for k in range(2):
            sources[k].set_data(second[k])
            sources[k].rewind()
        tb.run()
        items = np.reshape(sink.data(), (-1, 2, 2)).transpose(0, 2, 1)
        self.assert_items(items[:1], first, [0], 100)
        self.assert_items(items[1:], second, [0, 100], 100)

    def test_a_running_flowgraph_stops_and_starts(self):
        tb = gr.top_block()
        block, sink = bearing.covariance(3, 5000), blocks.null_sink(9 * gr.sizeof_gr_complex)
        for k in range(3):
            tb.connect(blocks.null_source(gr.sizeof_gr_complex), (block, k))
        tb.connect(block, sink)
        for _ in range(3):
            tb.start()
            time.sleep(0.05)
            began = time.monotonic()
            tb.stop()
            tb.wait()
            # It takes milliseconds; a hang would last for ever.
            self.assertLess(time.monotonic() - began, 5)

    def test_new_snapshots_keep_samples_that_fit(self):
        # At the change 50 samples have been gathered for the second item.
        for snapshots, starts in ((80, [100, 180, 260]), (50, [100, 150, 200]), (30, [150, 180])):
            x = noise(1, 360)
            tb = gr.top_block()
            block, sink = bearing.covariance(1, 100), blocks.vector_sink_c()
            # A block written in Python must outlive the flowgraph: keep it.
            source = two_step_source(x[0], 150, block, lambda: block.set_snapshots(snapshots))
            tb.connect(source, block, sink)
            tb.run()
            self.assertEqual(block.snapshots(), snapshots)
            items = np.reshape(sink.data(), (-1, 1, 1))
            self.assert_items(items[:1], x, [0], 100)
            self.assert_items(items[1 : len(starts) + 1], x, starts, snapshots)
            tags = [
                pmt.to_python(t.value)
                for t in sink.tags()
                if pmt.symbol_to_string(t.key) == "snapshots"
            ]
            self.assertEqual(tags, [100] + [snapshots] * (len(items) - 1))

    # Overlap

    def test_overlapping_items_are_the_covariances_of_numpy(self):
        x = noise(3, 1030)
        tags = [(0, 0, "rx_time", time_at(0))]
        for snapshots, hop in ((100, 50), (100, 10), (64, 1), (100, 100), (128, 32)):
            for max_noutput_items in (None, 1, 13):
                run = covariance_run(x, snapshots, tags, RATE, max_noutput_items, hop=hop)
                starts = range(0, 1030 - snapshots + 1, hop)
                self.assert_items(run.items, x, starts, snapshots)
                self.assert_times(run, starts)
                expected = [(k, snapshots) for k in range(len(starts))]
                self.assertEqual(run.tags("snapshots"), expected)
                self.assertEqual(run.tags("window"), expected if hop < snapshots else [])
                hops = [(k, hop) for k in range(len(starts))] if hop < snapshots else []
                self.assertEqual(run.tags("hop"), hops)
                conjugate = run.items.conj().transpose(0, 2, 1)
                np.testing.assert_array_equal(run.items, conjugate)

    def test_overlapping_tags_come_out_once_at_the_first_item_of_their_sample(self):
        offsets = [0, 99, 100, 124, 125, 310, 399]
        tags = [(o % 2, o, "marker", pmt.from_long(o)) for o in offsets]
        tags += [(k, 130, "rx_freq", pmt.from_double(433e6)) for k in range(2)]
        tags += [(0, 0, "rx_freq", pmt.from_double(433e6))]
        run = covariance_run(noise(2, 400), 100, tags, hop=25)
        # Item k ends before sample 100 + 25 k.
        expected = [(max(0, (o - 75) // 25), o) for o in offsets]
        self.assertEqual(run.tags("marker"), expected)
        self.assertEqual(run.tags("rx_freq"), [(0, 433e6), (2, 433e6)])

    def test_no_overlapping_item_spans_a_gap_or_a_retune(self):
        x = noise(2, 700)
        first = [0, 25, 50, 75, 100, 125]
        after = list(range(230, 601, 25))
        start = [(0, 0, "rx_time", time_at(0)), (0, 0, "rx_freq", pmt.from_double(433e6))]
        for key, value, gaps, lost in (
            ("gap", pmt.from_uint64(70), [(6, 70)], 70),
            ("rx_time", time_at(270), [(6, 40)], 40),
            ("rx_freq", pmt.from_double(868e6), [], 0),
            ("rx_rate", pmt.from_double(RATE / 2), [], None),
        ):
            for max_noutput_items in (None, 7):
                tags = start + [(1, 230, key, value)]
                run = covariance_run(x, 100, tags, RATE, max_noutput_items, hop=25)
                self.assert_items(run.items, x, first + after, 100)
                self.assertEqual(run.tags("gap"), gaps)
                if lost is not None:
                    self.assert_times(run, first + [start + lost for start in after])
                else:
                    self.assert_times(run, first + [230 + 2 * (start - 230) for start in after])

    # Forgetting

    def assert_forgetting(self, run, x, first_item, first, windows, snapshots, b):
        """Items from first_item on remember windows from column first on."""
        weights = []
        past = np.zeros((len(x), len(x)), complex)
        told = dict(run.tags("snapshots"))
        for k in range(windows):
            block = x[:, first + k * snapshots : first + (k + 1) * snapshots].astype(complex)
            past = b * past + block @ block.conj().T
            weights = [b * w for w in weights] + [1.0]
            expected = past / (snapshots * sum(weights))
            scale = np.sqrt(np.outer(np.diag(expected).real, np.diag(expected).real))
            error = np.max(np.abs(run.items[first_item + k] - expected) / scale)
            self.assertLessEqual(error, COVARIANCE_TOLERANCE)
            worth = snapshots * sum(weights) ** 2 / sum(w * w for w in weights)
            self.assertAlmostEqual(told[first_item + k], worth, delta=0.5 + 1e-6)

    def test_forgetting_weighs_windows_and_tells_what_they_are_worth(self):
        x = noise(3, 1030)
        tags = [(0, 0, "rx_time", time_at(0))]
        for b in (0.1, 0.5, 0.95):
            for max_noutput_items in (None, 1, 13):
                run = covariance_run(x, 50, tags, RATE, max_noutput_items, forgetting=b)
                self.assertEqual(len(run.items), 20)
                self.assert_forgetting(run, x, 0, 0, 20, 50, b)
                self.assert_times(run, range(0, 1000, 50))
        self.assertEqual(run.tags("snapshots")[0], (0, 50))
        # The first item is no more than its own window.
        for key in ("window", "hop"):
            self.assertEqual(run.tags(key), [(k, 50) for k in range(1, 20)])

    def test_a_gap_or_a_retune_forgets_everything(self):
        x = noise(2, 700)
        for key, value in (("gap", pmt.from_uint64(70)), ("rx_freq", pmt.from_double(868e6))):
            run = covariance_run(x, 50, [(1, 230, key, value)], forgetting=0.9)
            self.assertEqual(len(run.items), 4 + 9)
            self.assert_forgetting(run, x, 0, 0, 4, 50, 0.9)
            self.assert_forgetting(run, x, 4, 230, 9, 50, 0.9)

    def test_forgetting_goes_on_after_nan(self):
        x = noise(2, 500)
        x[1, 120] = np.nan
        run = covariance_run(x, 50, forgetting=0.9)
        finite = [bool(np.all(np.isfinite(item))) for item in run.items]
        self.assertEqual(finite, [k != 2 for k in range(10)])
        self.assertTrue(np.isfinite(run.items[2][0, 0]))

    def test_the_number_of_snapshots_is_right_after_thousands_of_items(self):
        run = covariance_run(noise(1, 3000), 1, forgetting=0.9999)
        told = [value for _, value in run.tags("snapshots")]
        self.assertEqual(told, sorted(told))
        # T (1 + b) (1 - b^k) / ((1 - b) (1 + b^k)), and rounding to whole snapshots
        past = 0.9999**3000
        worth = 1.9999 * (1 - past) / (1e-4 * (1 + past))
        self.assertAlmostEqual(told[-1], worth, delta=0.5 + 1e-6)

    def test_estimators_hear_what_items_are_worth(self):
        array = bearing.array.uca(5, 0.3)
        x = bearing.core.simulate(array, [40.0], 10.0, 5000, 1)
        tb = gr.top_block()
        block = bearing.covariance(5, 500, forgetting=0.5)
        music, store = bearing.music(array, 1), blocks.message_debug()
        for k in range(5):
            tb.connect(blocks.vector_source_c(x[k]), (block, k))
        tb.connect(block, music)
        tb.msg_connect(music, "bearings", store, "store")
        tb.run()
        messages = [pmt.to_python(pmt.car(store.get_message(k))) for k in range(10)]
        told = [message["snapshots"] for message in messages]
        # 500 (1 + b) (1 - b^k) / ((1 - b) (1 + b^k))
        worth = [1500 * (1 - 0.5**k) / (1 + 0.5**k) for k in range(1, 11)]
        self.assertEqual(told, [round(w) for w in worth])

    # Changes while it runs

    def changed(self, x, first, window, change):
        """Items of a block to which change(block) is done after \p first samples."""
        tb = gr.top_block()
        block, sink = bearing.covariance(1, **window), blocks.vector_sink_c()
        # A block written in Python must outlive the flowgraph: keep it.
        source = two_step_source(x[0], first, block, lambda: change(block))
        tb.connect(source, block, sink)
        tb.run()
        return np.reshape(sink.data(), (-1, 1, 1))

    def test_a_new_window_starts_with_the_samples_that_fit(self):
        x = noise(1, 500)
        side_by_side, overlapping = {"snapshots": 100}, {"snapshots": 100, "hop": 20}
        ends_at_180 = range(0, 81, 20)
        cases = [
            # At 150 samples, 50 of them in the unfinished hop.
            (side_by_side, 150, lambda b: b.set_window(120, 60), [0], range(100, 381, 60), 120),
            (side_by_side, 150, lambda b: b.set_hop(50), [0], range(100, 401, 50), 100),
            (side_by_side, 150, lambda b: b.set_hop(20), [0], range(150, 401, 20), 100),
            # At 190 samples, 10 of them; windows end at 100, 120 .. 180.
            (overlapping, 190, lambda b: b.set_hop(0), ends_at_180, range(180, 401, 100), 100),
            (overlapping, 190, lambda b: b.set_snapshots(60), ends_at_180, range(180, 441, 20), 60),
        ]
        for window, first, change, old_starts, new_starts, snapshots in cases:
            items = self.changed(x, first, window, change)
            old_starts, new_starts = list(old_starts), list(new_starts)
            self.assertEqual(len(items), len(old_starts) + len(new_starts))
            self.assert_items(items[: len(old_starts)], x, old_starts, 100)
            self.assert_items(items[len(old_starts) :], x, new_starts, snapshots)

    def test_new_forgetting_keeps_what_is_remembered(self):
        x = noise(1, 500)
        items = self.changed(
            x, 220, {"snapshots": 100, "forgetting": 0.5}, lambda b: b.set_forgetting(0.9)
        )[:, 0, 0]
        power = np.mean(np.abs(x[0].reshape(5, 100)) ** 2, axis=1)
        weights = [
            [1],
            [0.5, 1],
            [0.45, 0.9, 1],
            [0.405, 0.81, 0.9, 1],
            [0.3645, 0.729, 0.81, 0.9, 1],
        ]
        for item, weight in zip(items, weights):
            expected = np.average(power[: len(weight)], weights=weight)
            self.assertAlmostEqual(item / expected, 1.0, delta=COVARIANCE_TOLERANCE)

    def test_setters_keep_the_rest(self):
        block = bearing.covariance(4, 100, hop=20)
        self.assertEqual((block.snapshots(), block.hop(), block.forgetting()), (100, 20, 0.0))
        block.set_snapshots(40)
        block.set_hop(10)
        self.assertEqual((block.snapshots(), block.hop(), block.forgetting()), (40, 10, 0.0))
        block.set_window(70, forgetting=0.5)
        self.assertEqual((block.snapshots(), block.hop(), block.forgetting()), (70, 0, 0.5))
        block.set_forgetting(0.25)
        self.assertEqual((block.snapshots(), block.hop(), block.forgetting()), (70, 0, 0.25))
        for mistake in (
            lambda: block.set_hop(35),
            lambda: block.set_forgetting(1.0),
            lambda: block.set_window(100, 30),
        ):
            with self.assertRaises(ValueError):
                mistake()
            self.assertEqual((block.snapshots(), block.hop(), block.forgetting()), (70, 0, 0.25))

    # On arrays

    def test_covariances_of_an_array_are_those_of_the_block(self):
        x = noise(3, 1030)
        x[1] += 1j * x[0]
        for window in ({}, {"hop": 20}, {"forgetting": 0.8}):
            r = bearing.core.covariances(x, 100, **window)
            self.assertEqual(r.dtype, np.complex64)
            # Samples are split into calls otherwise: float rounding.
            items = covariance_run(x, 100, **window).items
            self.assertEqual(r.shape, items.shape)
            np.testing.assert_allclose(r, items, rtol=0, atol=1e-6 * np.max(np.abs(items)))
            np.testing.assert_array_equal(r, r.conj().transpose(0, 2, 1))
            self.assertFalse(np.any(np.signbit(np.diagonal(r.imag, axis1=1, axis2=2))))
            for other in (np.asfortranarray(x), x.astype(complex), x[:, ::-1][:, ::-1]):
                np.testing.assert_array_equal(bearing.core.covariances(other, 100, **window), r)
        np.testing.assert_array_equal(
            bearing.core.covariances(x, 1030)[0], bearing.core.covariance(x)
        )
        self.assertEqual(bearing.core.covariances(x, 1031).shape, (0, 3, 3))

    def test_mistakes_in_arrays_are_named(self):
        x = noise(3, 100)
        for arguments, message in (
            ((x[0], 10), "X has 1 dim"),
            ((x[:, :0], 10), "X has 0 snapshots"),
            ((noise(65, 10), 10), "X has 65 rows"),
            ((x, 0), "snapshots is 0"),
            ((x, -1), "snapshots is -1"),
            ((x, 10, -1), "hop is -1"),
            ((x, 10, 3), "hop is 3 and snapshots is 10"),
            ((x, 10, 0, 1.0), "forgetting is 1"),
            ((x, 10, 5, 0.5), "hop is 5 of 10 snapshots and forgetting is 0.5"),
        ):
            with self.assertRaisesRegex(ValueError, message):
                bearing.core.covariances(*arguments)

    # Mistakes

    def test_mistakes_are_named(self):
        for n in (-1, 0, 65):
            with self.assertRaisesRegex(ValueError, f"num_elements is {n};"):
                bearing.covariance(n, 100)
        for snapshots in (-1, 0):
            with self.assertRaisesRegex(ValueError, f"snapshots is {snapshots};"):
                bearing.covariance(4, snapshots)
            with self.assertRaisesRegex(ValueError, f"snapshots is {snapshots};"):
                bearing.covariance(4, 100).set_snapshots(snapshots)
        for rate in (-1.0, float("nan"), float("inf")):
            with self.assertRaisesRegex(ValueError, "sample_rate is"):
                bearing.covariance(4, 100, rate)
        for window, message in (
            ({"hop": -1}, "hop is -1;"),
            ({"hop": 30}, "hop is 30 and snapshots is 100;"),
            ({"hop": 200}, "hop is 200 and snapshots is 100;"),
            ({"forgetting": -0.1}, "forgetting is -0.1"),
            ({"forgetting": 1.0}, "forgetting is 1.0"),
            ({"forgetting": float("nan")}, "forgetting is nan"),
            ({"hop": 50, "forgetting": 0.5}, "hop is 50 of 100 snapshots and forgetting is 0.5"),
        ):
            with self.assertRaisesRegex(ValueError, "covariance: " + message):
                bearing.covariance(4, 100, **window)

    def test_an_estimator_for_another_array_cannot_be_connected(self):
        array = bearing.array.uca(n=5, radius=0.25)
        tb = gr.top_block()
        with self.assertRaisesRegex((ValueError, RuntimeError), "size"):
            tb.connect(bearing.covariance(4, 100), bearing.music(array, 1))

    def test_a_missing_channel_is_an_error(self):
        tb = gr.top_block()
        block = bearing.covariance(3, 100)
        for k in range(2):
            tb.connect(blocks.null_source(gr.sizeof_gr_complex), (block, k))
        tb.connect(block, blocks.null_sink(9 * gr.sizeof_gr_complex))
        with self.assertRaises((ValueError, RuntimeError)):
            tb.run()


class two_step_source(gr.sync_block):
    """Holds samples back until covariance has used the first ones, then changes it."""

    def __init__(self, samples, first, covariance, change):
        gr.sync_block.__init__(self, "two_step_source", None, [np.complex64])
        self.samples, self.first, self.done = samples, first, 0
        self.covariance, self.change = covariance, change

    def work(self, input_items, output_items):
        out = output_items[0]
        if self.done == self.first:
            while self.covariance.nitems_read(0) < self.first:
                time.sleep(0.001)
            self.change()
        limit = self.first if self.done < self.first else len(self.samples)
        size = min(len(out), limit - self.done)
        if size == 0:
            return -1
        out[:size] = self.samples[self.done : self.done + size]
        self.done += size
        return size


if __name__ == "__main__":
    gr_unittest.run(qa_covariance)

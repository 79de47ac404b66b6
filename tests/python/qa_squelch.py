#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The squelch: which items pass, the tags they carry, and its thresholds."""

import threading
import unittest

import numpy as np
import pmt
from gnuradio import blocks, gr

from gnuradio import bearing
from gnuradio.bearing.hier.item_thinner import item_thinner

from support import stored_messages

RATE = 1000.0
SNAPSHOTS = 100


def items_with(powers, n=3, ratio=1.0):
    """One diagonal covariance for each mean power; the first element `ratio` times the others."""
    diagonal = np.ones(n)
    diagonal[0] = ratio
    items = np.zeros((len(powers), n * n), np.complex64)
    items[:, :: n + 1] = np.outer(powers, diagonal * n / diagonal.sum())
    return items


class squelch_run:
    """What the block makes of items (K x N * N) with tags [(item, key, value)]."""

    def __init__(self, block, items, tags=(), max_noutput_items=None):
        items = np.asarray(items, np.complex64)
        messages = blocks.message_debug()
        self.sink = blocks.vector_sink_c(items.shape[1])
        own = [
            gr.tag_utils.python_to_tag((k, pmt.intern(key), value, pmt.intern("qa")))
            for k, key, value in tags
        ]
        source = blocks.vector_source_c(items.ravel().tolist(), False, items.shape[1], own)
        flowgraph = gr.top_block()
        flowgraph.connect(source, block, self.sink)
        if isinstance(block, bearing.squelch):
            flowgraph.msg_connect(block, "squelch", messages, "store")
        flowgraph.run(*([max_noutput_items] if max_noutput_items else []))
        self.items = np.reshape(self.sink.data(), (-1, items.shape[1])).astype(np.complex64)
        self.messages = stored_messages(messages)

    def tags(self, key):
        found = [
            (t.offset, pmt.to_python(t.value))
            for t in self.sink.tags()
            if pmt.symbol_to_string(t.key) == key
        ]
        return sorted(found, key=lambda item_value: item_value[0])

    def changes(self):
        return [pmt.to_python(message) for message in self.messages]


def time_tag(item, seconds):
    whole, fraction = divmod(seconds, 1.0)
    value = pmt.make_tuple(pmt.from_uint64(int(whole)), pmt.from_double(fraction))
    return item, "rx_time", value


class qa_item_thinner(unittest.TestCase):
    def test_one_of_several_passes_with_the_tags_of_all(self):
        items = items_with(np.arange(1.0, 11.0))
        tags = [(k, "gap", pmt.from_uint64(1)) for k in (1, 2, 5)]
        tags += [time_tag(k, 0.5 * k) for k in range(10)]
        for most in (None, 1, 2, 3):
            run = squelch_run(item_thinner(3, 4), items, tags, most)
            np.testing.assert_array_equal(run.items, items[::4])
            self.assertEqual(run.tags("gap"), [(1, 2), (2, 1)])
            self.assertEqual(
                run.tags("rx_time"), [(0, (0, 0.0)), (1, (2, 0.0)), (2, (4, 0.0))]
            )

    def test_wrong_parameters_are_named(self):
        for arguments, name in (((0, 1), "num_elements"), ((5, 0), "num_items")):
            with self.assertRaisesRegex(ValueError, "^" + name + " is "):
                item_thinner(*arguments)


class qa_squelch(unittest.TestCase):
    def test_power_decides_and_counters_add_up(self):
        powers = [1e-6, 1e-3, 1e-2, 1e-4, np.nan, 1.0, 1e-3, np.inf, 1e-9]
        items = items_with(powers)
        for most in (None, 1, 2, 3):
            with self.subTest(max_noutput_items=most):
                # The fourth item is exactly what a threshold between its neighbours holds back.
                block = bearing.squelch(3, power_db=-30.5)
                run = squelch_run(block, items, max_noutput_items=most)
                passed = [1, 2, 5, 6]
                np.testing.assert_array_equal(run.items, items[passed])
                counters = block.counters()
                self.assertEqual(
                    counters,
                    {"received": 9, "passed": 4, "closed": 3, "bad_data": 2, "openings": 2},
                )
                self.assertFalse(block.is_open())
                self.assertEqual(
                    [change["is_open"] for change in run.changes()], [True, False, True, False]
                )
                # What single precision keeps of it.
                self.assertAlmostEqual(run.changes()[0]["power_db"], -30.0, places=5)

    def test_without_thresholds_all_but_nan_passes(self):
        block = bearing.squelch(2)
        items = items_with([1.0, 0.0, np.nan, 1e-30], n=2)
        np.testing.assert_array_equal(squelch_run(block, items).items, items[[0, 1, 3]])

    def test_the_eigenvalue_ratio_does_not_know_gain(self):
        # Largest over the mean of the other two: exactly `ratio`.
        for scale in (1e-12, 1.0, 1e6):
            items = np.concatenate(
                [items_with([scale], ratio=ratio) for ratio in (1.0, 3.9, 4.1, 2.0, 100.0)]
            )
            run = squelch_run(bearing.squelch(3, eigenvalue_db=10 * np.log10(4.0)), items)
            np.testing.assert_array_equal(run.items, items[[2, 4]])

    def test_as_many_eigenvalues_as_sources_are_no_noise(self):
        # Two equal sources at 10 dB: over the other three, or over the three smallest.
        powers = np.diag([11.0, 11.0, 1.0, 1.0]).ravel()[None]
        one, two = 11.0 / np.mean([11.0, 1.0, 1.0]), 11.0
        for num_sources, ratio in ((1, one), (2, two)):
            for step, count in ((-0.01, 1), (0.01, 0)):
                limit = 10 * np.log10(ratio) + step
                block = bearing.squelch(4, eigenvalue_db=limit, num_sources=num_sources)
                self.assertEqual(len(squelch_run(block, powers).items), count)

    def test_eigenvalues_are_those_of_hermitian_items(self):
        # A source from a direction: off-diagonal elements count, whatever the order of memory.
        a = bearing.array.uca(5, 0.4).steering([40.0])[:, 0]
        for snr in (0.5, 2.0):
            item = (np.eye(5) + snr * np.outer(a, a.conj())).ravel(order="F")[None]
            wanted = 10 * np.log10(1 + 5 * snr)
            for step, count in ((-0.01, 1), (0.01, 0)):
                run = squelch_run(bearing.squelch(5, eigenvalue_db=wanted + step), item)
                self.assertEqual(len(run.items), count)

    def test_both_thresholds_must_be_reached(self):
        items = np.concatenate(
            [items_with([power], ratio=ratio) for power in (0.1, 1.0) for ratio in (1.0, 10.0)]
        )
        run = squelch_run(bearing.squelch(3, power_db=-3.0, eigenvalue_db=6.0), items)
        np.testing.assert_array_equal(run.items, items[[3]])

    def test_silence_has_no_signal(self):
        block = bearing.squelch(3, eigenvalue_db=3.0)
        self.assertEqual(len(squelch_run(block, np.zeros((4, 9))).items), 0)
        self.assertEqual(block.counters()["closed"], 4)

    def test_hang_lets_items_pass_after_a_signal(self):
        signal = {3, 4, 10}
        items = items_with([1.0 if k in signal else 1e-3 for k in range(20)])
        items[5] = np.nan
        for most in (None, 1, 3):
            with self.subTest(max_noutput_items=most):
                block = bearing.squelch(3, power_db=-10.0, hang=3)
                run = squelch_run(block, items, max_noutput_items=most)
                # Time goes by in the bad item too.
                passed = [3, 4, 6, 7, 10, 11, 12, 13]
                np.testing.assert_array_equal(run.items, items[passed])

    def test_tags_stay_with_their_items(self):
        count = 12
        items = items_with([1.0 if k % 4 == 3 else 1e-3 for k in range(count)])
        tags = [
            (0, "rx_freq", pmt.from_double(1e8)),
            (0, "rx_rate", pmt.from_double(RATE)),
            (5, "rx_freq", pmt.from_double(2e8)),
            (7, "marker", pmt.from_long(7)),
            (8, "marker", pmt.from_long(8)),
            (9, "marker", pmt.from_long(9)),
        ]
        tags += [(k, "snapshots", pmt.from_uint64(SNAPSHOTS + k)) for k in range(count)]
        tags += [time_tag(k, 1000.0 + 0.25 * k) for k in range(count)]
        for most in (None, 1, 5):
            with self.subTest(max_noutput_items=most):
                run = squelch_run(bearing.squelch(3, power_db=-10.0), items, tags, most)
                self.assertEqual(run.tags("rx_freq"), [(0, 1e8), (1, 2e8)])
                self.assertEqual(run.tags("rx_rate"), [(0, RATE)])
                self.assertEqual(run.tags("snapshots"), [(k, 103 + 4 * k) for k in range(3)])
                times = [(k, (1000 + int(t), t % 1)) for k, t in enumerate((0.75, 1.75, 2.75))]
                self.assertEqual(run.tags("rx_time"), times)
                self.assertEqual(run.tags("marker"), [(1, 7), (2, 9)])
                self.assertEqual(run.tags("gap"), [])

    def test_gaps_of_items_that_were_held_back_are_added_up(self):
        items = items_with([1.0, 1e-3, 1e-3, 1.0, 1e-3, 1.0, 1.0])
        gaps = {1: 5, 2: 7, 4: 0, 5: 3, 6: 2}
        tags = [(k, "gap", pmt.from_uint64(count)) for k, count in gaps.items()]
        tags += [time_tag(k, float(k)) for k in range(7)]
        run = squelch_run(bearing.squelch(3, power_db=-10.0), items, tags)
        # Of item 4 it is unknown how many.
        self.assertEqual(run.tags("gap"), [(1, 12), (2, 0), (3, 2)])

    def test_times_go_on_behind_items_that_were_held_back(self):
        # One time tag at the start, as for any estimator.
        items = items_with([1.0, 1e-3, 1e-3, 1.0, 1e-3, 1.0])
        tags = [
            time_tag(0, 1e9 + 0.875),
            (0, "rx_rate", pmt.from_double(RATE)),
            (0, "snapshots", pmt.from_uint64(SNAPSHOTS)),
            (4, "snapshots", pmt.from_uint64(2 * SNAPSHOTS)),
        ]
        run = squelch_run(bearing.squelch(3, power_db=-10.0), items, tags, 1)
        seconds = [whole - 1e9 + fraction for _, (whole, fraction) in run.tags("rx_time")]
        # Items 0, 3 and 5 after 0, 300 and 600 samples, the last of them twice as long.
        np.testing.assert_allclose(seconds, [0.875, 1.175, 1.475], atol=1e-12)
        # With window and hop, the hop counts.
        tags = tags[:3] + [(0, "hop", pmt.from_uint64(10)), (0, "window", pmt.from_uint64(100))]
        run = squelch_run(bearing.squelch(3, power_db=-10.0), items, tags)
        seconds = [whole - 1e9 + fraction for _, (whole, fraction) in run.tags("rx_time")]
        np.testing.assert_allclose(seconds, [0.875, 0.905, 0.925], atol=1e-12)

    def test_an_unknown_time_is_not_made_up(self):
        items = items_with([1.0, 1e-3, 1.0, 1.0])
        rate = (0, "rx_rate", pmt.from_double(RATE))
        snapshots = (0, "snapshots", pmt.from_uint64(SNAPSHOTS))
        retune = (1, "rx_freq", pmt.from_double(1e8))
        for tags in (
            [time_tag(0, 5.0)],
            [time_tag(0, 5.0), rate],
            [time_tag(0, 5.0), rate, snapshots, retune],
        ):
            run = squelch_run(bearing.squelch(3, power_db=-10.0), items, tags)
            self.assertEqual(run.tags("rx_time"), [(0, (5, 0.0))])
            # Else an estimator would count on as if no item were missing.
            self.assertEqual(run.tags("gap"), [(1, 0)])

    def test_estimators_behind_it_tell_the_right_times(self):
        array = bearing.array.uca(5, 0.4)
        a = array.steering([40.0])[:, 0]
        loud = (np.eye(5) + 10 * np.outer(a, a.conj())).ravel(order="F")
        items = np.array([loud if k in (0, 1, 5, 9) else np.eye(5).ravel() for k in range(10)])
        tags = [
            time_tag(0, 100.0),
            (0, "rx_rate", pmt.from_double(RATE)),
            (0, "snapshots", pmt.from_uint64(SNAPSHOTS)),
        ]
        own = [
            gr.tag_utils.python_to_tag((k, pmt.intern(key), value, pmt.intern("qa")))
            for k, key, value in tags
        ]
        flowgraph = gr.top_block()
        source = blocks.vector_source_c(items.ravel().tolist(), False, 25, own)
        gate, music = bearing.squelch(5, eigenvalue_db=6.0), bearing.music(array, 1)
        messages = blocks.message_debug()
        flowgraph.connect(source, gate, music)
        flowgraph.msg_connect(music, "bearings", messages, "store")
        flowgraph.run()
        reports = [
            bearing.bearing_report.from_message(message) for message in stored_messages(messages)
        ]
        np.testing.assert_allclose([r.seconds for r in reports], [100.0, 100.1, 100.5, 100.9])
        # The item is exact but for single precision.
        np.testing.assert_allclose([r.angles_deg[0] for r in reports], 40.0, atol=1e-3)

    def test_parameters_change_while_it_runs(self):
        # One block, one state: the next items are judged by what was set last.
        block = bearing.squelch(3, power_db=10.0)
        item = items_with([1.0])
        for setter, value, passes in (
            ("set_power_db", -10.0, 1),
            ("set_eigenvalue_db", 3.0, 0),
            ("set_eigenvalue_db", None, 1),
            ("set_power_db", 1.0, 0),
            ("set_power_db", None, 1),
        ):
            getattr(block, setter)(value)
            self.assertEqual(len(squelch_run(block, item).items), passes, (setter, value))
        self.assertEqual(block.counters()["received"], 5)
        block.set_power_db(5.0)
        for hang, passes in ((2, 3), (0, 1)):
            block.set_hang(hang)
            run = squelch_run(block, items_with([10.0, 1.0, 1.0, 1.0]))
            self.assertEqual(len(run.items), passes)

    def test_a_signal_of_the_run_before_is_forgotten(self):
        block = bearing.squelch(3, power_db=5.0, hang=5)
        self.assertEqual(len(squelch_run(block, items_with([10.0])).items), 1)
        self.assertTrue(block.is_open())
        run = squelch_run(block, items_with([1.0, 10.0]))
        np.testing.assert_array_equal(run.items, items_with([10.0]))
        # It opened once in each run.
        self.assertEqual([change["is_open"] for change in run.changes()], [True])
        self.assertEqual(block.counters()["openings"], 2)

    def test_setters_from_other_threads_do_no_harm(self):
        block = bearing.squelch(3, power_db=0.5, hang=1)
        stop = threading.Event()

        def change():
            while not stop.is_set():
                for value in (None, 3.0, 1.0):
                    block.set_eigenvalue_db(value)
                    block.set_num_sources(2)
                    block.set_num_sources(1)

        other = threading.Thread(target=change)
        other.start()
        try:
            squelch_run(block, items_with(np.resize([1.0, 2.0, np.nan, 0.1], 3000)))
        finally:
            stop.set()
            other.join()
        counters = block.counters()
        self.assertEqual(counters["received"], 3000)
        self.assertEqual(
            counters["passed"] + counters["closed"] + counters["bad_data"], counters["received"]
        )

    def test_noise_exceeds_the_threshold_as_often_as_said(self):
        # Other random numbers, and real snapshots in place of triangular factors.
        random = np.random.default_rng(20)
        trials, false_alarm = 10000, 0.02
        for n, snapshots, num_sources in ((5, 60, 1), (5, 60, 3), (4, 6, 1), (8, 30, 2)):
            limit = bearing.squelch.threshold_db(n, snapshots, false_alarm, num_sources)
            count = 0
            for _ in range(10):
                size = (trials // 10, n, snapshots)
                x = random.standard_normal(size) + 1j * random.standard_normal(size)
                r = (x @ x.conj().transpose(0, 2, 1)).transpose(0, 2, 1)
                values = np.sort(np.linalg.eigvalsh(r), axis=1)[:, ::-1]
                ratio = values[:, 0] / np.mean(values[:, num_sources:], axis=1)
                count += np.count_nonzero(10 * np.log10(ratio) >= limit)
            # 200 expected, deviation 14; the threshold's own rate is off by a tenth (1 sigma).
            # Five of both together: one in a million.
            self.assertLess(abs(count - 200), 5 * np.hypot(14, 20), (n, snapshots, num_sources))

    def test_thresholds_fall_with_snapshots(self):
        limits = [
            bearing.squelch.threshold_db(5, snapshots, 0.01)
            for snapshots in (20, 200, 2000, 20000)
        ]
        self.assertEqual(limits, sorted(limits, reverse=True))
        # As 1 / sqrt(T) from where the ratio is near 1: 3.16 times over, within the simulation.
        excess = [10 ** (limit / 10) - 1 for limit in limits]
        self.assertAlmostEqual(excess[2] / excess[3], np.sqrt(10), delta=0.3)

    def test_wrong_parameters_are_named(self):
        for name, values in (
            ("num_elements", (0, 65, 2.0, None)),
            ("power_db", ("0", float("nan"), True)),
            ("eigenvalue_db", (0.0, -3.0, float("inf"), "6")),
            ("hang", (-1, 1.5, None)),
            ("num_sources", (0, 5, 1.0)),
        ):
            for value in values:
                with self.subTest(**{name: value}):
                    with self.assertRaisesRegex(ValueError, "^" + name + " is "):
                        bearing.squelch(**{"num_elements": 5, name: value})
        with self.assertRaisesRegex(ValueError, "^eigenvalue_db is "):
            bearing.squelch(1, eigenvalue_db=3.0)
        for arguments, name in (
            ((1, 100), "num_elements"),
            ((5, 4), "snapshots"),
            ((5, 100, 0.0), "false_alarm"),
            ((5, 100, 0.1, 5), "num_sources"),
        ):
            with self.assertRaisesRegex(ValueError, "^" + name + " is "):
                bearing.squelch.threshold_db(*arguments)


if __name__ == "__main__":
    unittest.main()

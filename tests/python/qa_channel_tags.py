#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

import numpy as np
import pmt
from channel_streams import noise, stream_run, time_at
from gnuradio import bearing, gr_unittest
from support import printed_lines

RATE = 1e6  # before the filters
M = 8
DELAY = 20.5
MEMORY = 5


def block(
    num_elements=2, offsets=(0.0,), decimation=M, delay=DELAY, memory=MEMORY, rate=RATE, centre=0.0
):
    return bearing.channel_tags(
        num_elements, list(offsets), decimation, delay, memory, rate, centre
    )


def told_at(sample):
    """rx_time on a sample behind the filter: the time of the one before it."""
    return time_at(sample * M, RATE)


class qa_channel_tags(gr_unittest.TestCase):
    def assert_times(self, run, expected, stream=0):
        """rx_time of items, as samples before the filters since the first one."""
        found = run.times(RATE, stream)
        self.assertEqual([item for item, _ in found], [item for item, _ in expected])
        for (_, time), (_, wanted) in zip(found, expected):
            # Fractions of a second are doubles: 1e-16 s is 1e-10 samples, times 1000 s.
            self.assertAlmostEqual(time, wanted, delta=1e-5)

    def test_samples_pass_but_for_those_while_filters_fill(self):
        x = noise(6, 5000)
        for max_noutput_items in (None, 1, 7, 1000):
            run = stream_run(
                block(3, (0.0, 1e3)), x, max_noutput_items=max_noutput_items
            )
            np.testing.assert_array_equal(run.output, x[:, MEMORY:])
            for stream in range(6):
                self.assertEqual(run.tags("gap", stream), [])

    def test_tags_tell_of_the_channel_behind_the_filter(self):
        offsets = (-2e5, 0.0, 3e5)
        tags = []
        for stream in range(6):
            tags += [
                (stream, 0, "rx_time", told_at(0)),
                (stream, 0, "rx_rate", pmt.from_double(RATE)),
                (stream, 0, "rx_freq", pmt.from_double(433e6)),
                (stream, 100, "marker", pmt.from_long(stream)),
            ]
        run = stream_run(block(2, offsets), noise(6, 200), tags)
        for stream in range(6):
            self.assertEqual(run.tags("rx_freq", stream), [(0, 433e6 + offsets[stream // 2])])
            self.assertEqual(run.tags("rx_rate", stream), [(0, RATE / M)])
            self.assertEqual(run.tags("marker", stream), [(100 - MEMORY, stream)])
            # The samples that were left out took their time, and so did the filter.
            self.assert_times(run, [(0, MEMORY * M - DELAY)], stream)

    def test_copies_of_a_tag_at_one_sample_come_out_once(self):
        tags = [(0, 50, "marker", pmt.intern("x"))] * 16
        tags += [(0, 50, "rx_freq", pmt.from_double(1e6))] * 16
        tags += [(0, 50, "gap", pmt.from_uint64(8))] * 16
        run = stream_run(block(2, memory=0), noise(2, 100), tags)
        self.assertEqual(run.tags("marker"), [(50, "x")])
        self.assertEqual(run.tags("rx_freq"), [(50, 1e6)])
        self.assertEqual(run.tags("gap"), [(50, 1)])

    def test_a_gap_on_any_stream_leaves_the_same_samples_out_of_all(self):
        x = noise(4, 300)
        lost = 1003  # 125.4 samples behind the filter
        for stream in range(4):
            tags = [(0, 0, "rx_time", told_at(0)), (stream, 150, "gap", pmt.from_uint64(lost))]
            for max_noutput_items in (None, 1, 40):
                run = stream_run(
                    block(2, (0.0, 1e5)), x, tags, max_noutput_items=max_noutput_items
                )
                kept = np.concatenate([x[:, MEMORY:150], x[:, 150 + MEMORY :]], axis=1)
                np.testing.assert_array_equal(run.output, kept)
                item = 150 - MEMORY
                for other in range(4):
                    self.assertEqual(run.tags("gap", other), [(item, 125 + MEMORY)])
                    self.assert_times(
                        run,
                        [(0, MEMORY * M - DELAY), (item, (150 + MEMORY) * M + lost - DELAY)],
                        other,
                    )

    def test_a_jump_of_time_is_a_gap_and_what_rounding_moves_is_none(self):
        x = noise(2, 300)
        first = [(k, 0, "rx_time", told_at(0)) for k in range(2)]
        # A tag stands up to half an output sample from its place: two of them, one sample.
        for shift in (-M, -M // 2, 0, M // 2, M):
            told = time_at(150 * M + shift, RATE)
            run = stream_run(block(), x, first + [(1, 150, "rx_time", told)])
            np.testing.assert_array_equal(run.output, x[:, MEMORY:])
            self.assertEqual(run.tags("gap"), [])
            # It confirms what is known, to the sample; what one tag's rounding cannot explain is
            # followed, by a quarter of an output sample at most.
            moved = np.sign(shift) * M / 4 if abs(shift) > M / 2 else 0.0
            item = 150 - MEMORY
            self.assert_times(
                run, [(0, MEMORY * M - DELAY), (item, 150 * M + moved - DELAY)], stream=1
            )
        for shift, missing in ((M + 1, 1 + MEMORY), (80, 10 + MEMORY), (-M - 1, 0), (-90, 0)):
            told = time_at(150 * M + shift, RATE)
            run = stream_run(block(), x, first + [(1, 150, "rx_time", told)])
            self.assertEqual(len(run.output[0]), 300 - 2 * MEMORY)
            item = 150 - MEMORY
            self.assertEqual(run.tags("gap"), [(item, missing)])
            time = (150 + MEMORY) * M + shift - DELAY
            self.assert_times(run, [(0, MEMORY * M - DELAY), (item, time)])

    def test_a_clock_that_drifts_loses_nothing_and_is_followed(self):
        num_tags, spacing = 120, 10003  # samples before the filter, no multiple of M
        x = noise(1, num_tags * spacing // M + 100)
        for drift in (20e-6, -20e-6):  # 24 samples in all, three behind the filter
            placed = [
                (round(k * spacing / M), k * spacing * (1 + drift)) for k in range(num_tags)
            ]
            tags = [(0, item, "rx_time", time_at(sample, RATE)) for item, sample in placed]
            run = stream_run(block(1, memory=0), x, tags)
            np.testing.assert_array_equal(run.output, x)
            self.assertEqual(run.tags("gap"), [])
            found = run.times(RATE)
            self.assertEqual([item for item, _ in found], [item for item, _ in placed])
            for (item, time), (_, sample) in zip(found, placed):
                # Half an output sample for the place of the present tag; moves are reckoned in
                # thousandths of a sample.
                self.assertAlmostEqual(time, sample - DELAY, delta=M / 2 + 1e-3)
            # Nor does the covariance, which is less lenient, find a loss in what comes out.
            again = [(0, o, "rx_time", value) for o, value in _pmts(run, "rx_time")]
            covariance = bearing.covariance(1, 1000, RATE / M)
            second = stream_run(covariance, np.array(run.output), again, num_outputs=1)
            self.assertEqual(len(second.output[0]), len(x[0]) // 1000)
            self.assertEqual(second.tags("gap"), [])
            # A loss is still one.
            item, sample = placed[-1]
            tags[-1] = (0, item, "rx_time", time_at(sample + 3 * M, RATE))
            lossy = stream_run(block(1, memory=0), x, tags)
            self.assertEqual(lossy.tags("gap"), [(item, 3)])

    def test_after_an_unknown_gap_time_is_unknown_until_told(self):
        tags = [
            (0, 0, "rx_time", told_at(0)),
            (0, 100, "gap", pmt.from_uint64(0)),
            (0, 200, "rx_time", told_at(900)),
        ]
        run = stream_run(block(), noise(2, 300), tags)
        self.assertEqual(run.tags("gap"), [(100 - MEMORY, 0)])
        self.assert_times(
            run, [(0, MEMORY * M - DELAY), (200 - 2 * MEMORY, 900 * M - DELAY)]
        )

    def test_a_retune_and_a_new_rate_leave_what_filters_mix_out(self):
        x = noise(2, 300)
        for key, value in (("rx_freq", 434e6), ("rx_rate", 2e6)):
            tags = [
                (0, 0, "rx_time", told_at(0)),
                (1, 0, "rx_freq", pmt.from_double(433e6)),
                (1, 0, "rx_rate", pmt.from_double(RATE)),
                # Told once more: nothing new.
                (1, 100, "rx_freq", pmt.from_double(433e6)),
                (1, 100, "rx_rate", pmt.from_double(RATE)),
                (1, 150, key, pmt.from_double(value)),
            ]
            run = stream_run(block(offsets=(1e5,)), x, tags)
            kept = np.concatenate([x[:, MEMORY:150], x[:, 150 + MEMORY :]], axis=1)
            np.testing.assert_array_equal(run.output, kept)
            item = 150 - MEMORY
            self.assertEqual(run.tags("gap", 1), [(item, MEMORY)])
            divided = value + 1e5 if key == "rx_freq" else value / M
            self.assertIn((item, divided), run.tags(key, 1))
            self.assertEqual(len(run.tags(key, 1)), 3)

    def test_the_center_frequency_stands_in_for_a_tag_that_is_missing(self):
        x, offsets = noise(4, 300), (-1e5, 1e5)

        def frequencies(tags):
            tested = block(offsets=offsets, centre=433e6)
            # Twice: a restart forgets what the streams told.
            for _ in range(2):
                run = stream_run(tested, x, tags)
            return run, [run.tags("rx_freq", stream) for stream in range(4)]

        run, found = frequencies([])
        self.assertEqual(found, [[(0, 433e6 + offsets[stream // 2])] for stream in range(4)])
        np.testing.assert_array_equal(run.output, x[:, MEMORY:])
        # Before the first sample comes out, one stream tells for all.
        for sample in (0, MEMORY):
            run, found = frequencies([(1, sample, "rx_freq", pmt.from_double(2e9))])
            self.assertEqual(found, [[], [(0, 2e9 - 1e5)], [], []])
            self.assertEqual(run.tags("gap"), [])
        # Later, another frequency is a retune, and the same none.
        run, found = frequencies([(1, 100, "rx_freq", pmt.from_double(2e9))])
        item = 100 - MEMORY
        self.assertEqual(found[0], [(0, 433e6 - 1e5)])
        self.assertEqual(found[1], [(0, 433e6 - 1e5), (item, 2e9 - 1e5)])
        self.assertEqual(run.tags("gap"), [(item, MEMORY)])
        run, found = frequencies([(1, 100, "rx_freq", pmt.from_double(433e6))])
        self.assertEqual(run.tags("gap"), [])

    def test_another_rate_than_that_of_the_filters_is_warned_of_once(self):
        def warnings(rate, told):
            tags = [(k, o, "rx_rate", pmt.from_double(told)) for k in range(2) for o in (0, 50)]
            with printed_lines() as lines:
                stream_run(block(rate=rate), noise(2, 100), tags)
            return [line for line in lines if "rx_rate" in line]

        self.assertEqual(len(warnings(RATE, 2 * RATE)), 1)
        self.assertEqual(warnings(RATE, RATE * (1 + 1e-9)), [])
        self.assertEqual(warnings(0.0, RATE), [])

    def test_times_follow_the_rate_that_is_told(self):
        tags = [
            (0, 0, "rx_time", told_at(0)),
            (0, 0, "rx_rate", pmt.from_double(2 * RATE)),
            (0, 200, "gap", pmt.from_uint64(M)),
        ]
        for rate in (0.0, RATE):
            run = stream_run(block(rate=rate), noise(2, 300), tags)
            item = 200 - MEMORY
            self.assert_times(
                run,
                [(0, (MEMORY * M - DELAY) / 2), (item, ((200 + MEMORY) * M + M - DELAY) / 2)],
            )

    def test_without_a_rate_no_time_is_made_up(self):
        run = stream_run(block(rate=0.0), noise(2, 100), [(0, 0, "rx_time", told_at(0))])
        self.assertEqual(run.tags("rx_time"), [])

    def test_gaps_upon_gaps_add_up_and_tags_do_not_pile_up(self):
        x = noise(1, 3000)
        tags = [(0, 0, "rx_time", told_at(0))]
        for sample in range(100, 2900, 3):
            tags += [
                (0, sample, "gap", pmt.from_uint64(M)),
                (0, sample, "marker", pmt.from_long(sample)),
            ]
        run = stream_run(block(1), x, tags)
        last = tags[-1][1]
        kept = np.concatenate([x[:, MEMORY:100], x[:, last + MEMORY :]], axis=1)
        np.testing.assert_array_equal(run.output, kept)
        gaps = (len(tags) - 1) // 2
        item = 100 - MEMORY
        missing = gaps + last + MEMORY - 100
        self.assertEqual(run.tags("gap"), [(item, missing)])
        self.assertEqual(run.tags("marker"), [(item, last)])
        self.assert_times(
            run,
            [(0, MEMORY * M - DELAY), (item, (100 + missing) * M - DELAY)],
        )

    def test_covariances_of_what_comes_out_know_their_time(self):
        # The covariance reckons from the tags, and finds the same.
        x = noise(2, 1000)
        tags = [(k, 0, "rx_time", told_at(0)) for k in range(2)]
        tags += [(0, 505, "gap", pmt.from_uint64(11 * M)), (1, 700, "rx_time", told_at(711))]
        first = stream_run(block(), x, tags)
        again = [(0, o, "rx_time", time_of) for o, time_of in _pmts(first, "rx_time")]
        again += [(0, o, "gap", pmt.from_uint64(value)) for o, value in first.tags("gap")]
        covariance = bearing.covariance(2, 100, RATE / M)
        second = stream_run(covariance, np.array(first.output), again, vlen=4, num_outputs=1)
        starts = [5 + 100 * k for k in range(5)] + [505 + MEMORY + 11 + 100 * k for k in range(4)]
        self.assert_times(second, [(k, s * M - DELAY) for k, s in enumerate(starts)])
        self.assertEqual(second.tags("gap"), [(5, 11 + MEMORY)])

    def test_ill_typed_tags_change_nothing(self):
        x = noise(1, 300)
        tags = [
            (0, 10, "rx_time", pmt.from_double(1000.0)),
            (0, 20, "rx_freq", pmt.intern("433 MHz")),
            (0, 30, "rx_rate", pmt.from_double(-1.0)),
            (0, 40, "rx_freq", pmt.from_double(float("nan"))),
        ]
        run = stream_run(block(1), x, tags)
        np.testing.assert_array_equal(run.output[0], x[0, MEMORY:])
        for key in ("rx_time", "rx_freq", "rx_rate", "gap"):
            self.assertEqual(run.tags(key), [])

    def test_a_restart_begins_anew(self):
        tested = block(1)
        x = noise(1, 100)
        for _ in range(2):
            run = stream_run(tested, x, [(0, 0, "rx_time", told_at(0))])
            np.testing.assert_array_equal(run.output[0], x[0, MEMORY:])
            self.assert_times(run, [(0, MEMORY * M - DELAY)])
            self.assertEqual(run.tags("gap"), [])

    def test_wrong_parameters_are_named(self):
        for parameters, name in (
            ({"num_elements": 0}, "num_elements"),
            ({"num_elements": 65}, "num_elements"),
            ({"offsets": []}, "offsets"),
            ({"offsets": [float("nan")]}, "offsets"),
            ({"decimation": 0}, "decimation"),
            ({"delay": -1.0}, "delay"),
            ({"delay": 0.25}, "delay"),
            ({"delay": float("nan")}, "delay"),
            ({"memory": -1}, "memory"),
            ({"rate": -1.0}, "sample_rate"),
            ({"rate": float("inf")}, "sample_rate"),
            ({"centre": -1.0}, "center_frequency"),
            ({"centre": float("nan")}, "center_frequency"),
            ({"centre": float("inf")}, "center_frequency"),
            ({"centre": 1e5, "offsets": [0.0, -1e5]}, "center_frequency"),
        ):
            with self.subTest(**parameters):
                with self.assertRaisesRegex(ValueError, "^channel_tags: " + name):
                    block(**parameters)

    def test_it_tells_what_it_was_made_for(self):
        made = block(3, (1e3, 2e3))
        self.assertEqual(made.num_elements(), 3)
        self.assertEqual(made.offsets(), [1e3, 2e3])


def _pmts(run, key):
    """[(item, value)] of the first stream, the values as they are."""
    return [
        (t.offset, t.value) for t in run.sinks[0].tags() if pmt.symbol_to_string(t.key) == key
    ]


if __name__ == "__main__":
    gr_unittest.run(qa_channel_tags)

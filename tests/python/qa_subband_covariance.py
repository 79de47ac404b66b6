#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Covariances of sub-bands: the function and the block."""

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest

from gnuradio import bearing

RATE = 1e6

# Transforms and products in single precision, relative to the norm.
TOLERANCE = 2e-6


def noise(n, size, seed=1):
    random = np.random.default_rng(seed)
    x = random.standard_normal((n, size)) + 1j * random.standard_normal((n, size))
    x[-1] += 2 * x[0]
    return x.astype(np.complex64)


def frame_length(num_subbands, bandwidth):
    return 2 * int(np.ceil(num_subbands / (2 * bandwidth) - 1e-9))


def by_numpy(x, num_subbands, bandwidth=0.8):
    """M x N x N, each bin of each frame by its definition."""
    length = frame_length(num_subbands, bandwidth)
    frequency = (np.arange(num_subbands) - (num_subbands - 1) / 2) / length
    k = np.arange(length)
    window = np.sin(np.pi * k / length) ** 2
    window /= np.sqrt(np.sum(window**2) * length)
    kernels = window * np.exp(-2j * np.pi * np.outer(frequency, k))
    starts = range(0, x.shape[1] - length + 1, length // 2)
    frames = np.stack([x[:, s : s + length] for s in starts]).astype(complex)
    bins = np.einsum("mk,qik->qmi", kernels, frames)
    return np.einsum("qmi,qmj->mij", bins, bins.conj()) / len(starts)


def tag(offset, key, value):
    return gr.tag_utils.python_to_tag((int(offset), pmt.intern(key), value, pmt.intern("qa")))


def time_at(sample, seconds=1000):
    """rx_time of a sample when sample 0 was taken at that many seconds."""
    return pmt.make_tuple(
        pmt.from_uint64(seconds + int(sample // RATE)), pmt.from_double((sample % RATE) / RATE)
    )


class subband_run:
    """What the block makes of x (N x samples) with tags [(input, offset, key, value)]."""

    def __init__(self, x, snapshots, num_subbands=8, tags=(), max_noutput_items=None):
        n = len(x)
        tb = gr.top_block()
        self.block = bearing.subband_covariance(n, snapshots, num_subbands, RATE)
        self.sink = blocks.vector_sink_c(num_subbands * n * n)
        for k in range(n):
            own = [tag(o, key, value) for i, o, key, value in tags if i == k]
            tb.connect(blocks.vector_source_c(x[k], False, 1, own), (self.block, k))
        tb.connect(self.block, self.sink)
        if max_noutput_items:
            tb.run(max_noutput_items)
        else:
            tb.run()
        self.items = np.reshape(self.sink.data(), (-1, num_subbands, n, n)).transpose(0, 1, 3, 2)

    def tags(self, key):
        """[(item, value)] in the order of items."""
        found = [
            (t.offset, pmt.to_python(t.value))
            for t in self.sink.tags()
            if pmt.symbol_to_string(t.key) == key
        ]
        return sorted(found, key=lambda item_value: item_value[0])

    def times(self):
        """{item: samples after second 1000}"""
        return {
            item: round((value[0] - 1000 + value[1]) * RATE, 6)
            for item, value in self.tags("rx_time")
        }


class qa_subband_covariance(gr_unittest.TestCase):
    def assert_items(self, items, x, starts, snapshots, num_subbands=8):
        """Item k is made of the snapshots from column starts[k] on."""
        self.assertEqual(len(items), len(starts))
        for item, start in zip(items, starts):
            expected = by_numpy(x[:, start : start + snapshots], num_subbands)
            self.assertLess(
                np.linalg.norm(item - expected), TOLERANCE * np.linalg.norm(expected), start
            )

    # The function

    def test_the_function_follows_the_definition(self):
        for n, num_subbands, size in ((1, 3, 50), (3, 16, 999), (5, 33, 5000)):
            x = noise(n, size)
            found, frequency, snapshots = bearing.core.subband_covariance(
                x, RATE, num_subbands, center_frequency=433e6
            )
            expected = by_numpy(x, num_subbands)
            self.assertLess(
                np.linalg.norm(found - expected), TOLERANCE * np.linalg.norm(expected)
            )
            length = frame_length(num_subbands, 0.8)
            m = np.arange(num_subbands) - (num_subbands - 1) / 2
            np.testing.assert_allclose(frequency, 433e6 + m * RATE / length, rtol=1e-12)
            frames = 1 + (size - length) // (length // 2)
            # Welch: neighbours of half overlapped frames share 1/36 of their errors' squares.
            self.assertEqual(snapshots, int(frames / (1 + 2 * (1 - 1 / frames) / 36)))

    def test_any_memory_layout_will_do(self):
        x = noise(3, 500)
        expected = bearing.core.subband_covariance(x, RATE, 8)[0]
        for other in (np.asfortranarray(x), x.astype(complex), np.repeat(x, 2, axis=1)[:, ::2]):
            np.testing.assert_array_equal(
                bearing.core.subband_covariance(other, RATE, 8)[0], expected
            )

    # Items

    def test_items_follow_the_definition(self):
        for n, num_subbands, snapshots in ((1, 3, 4), (2, 8, 100), (5, 16, 1000)):
            x = noise(n, 3 * snapshots)
            run = subband_run(x, snapshots, num_subbands)
            self.assert_items(
                run.items, x, [0, snapshots, 2 * snapshots], snapshots, num_subbands
            )

    def test_items_are_hermitian_to_the_bit(self):
        items = subband_run(noise(4, 1000), 200).items
        np.testing.assert_array_equal(items, items.conj().transpose(0, 1, 3, 2))

    def test_items_do_not_depend_on_buffers(self):
        x = noise(3, 3000)
        for max_noutput_items in (1, 7, 100):
            run = subband_run(x, 300, max_noutput_items=max_noutput_items)
            self.assert_items(run.items, x, range(0, 2701, 300), 300)

    def test_items_may_be_longer_than_any_buffer(self):
        x = noise(2, 450000)
        self.assert_items(subband_run(x, 200000).items, x, [0, 200000], 200000)

    def test_nan_stays_in_its_channel_and_item(self):
        x = noise(3, 900)
        x[1, 450] = np.nan
        items = subband_run(x, 300).items
        bad = np.isnan(items)
        self.assertFalse(bad[[0, 2]].any())
        expected = np.zeros((3, 3), bool)
        expected[1, :] = expected[:, 1] = True
        for m in range(8):
            np.testing.assert_array_equal(bad[1, m], expected)

    # Tags

    def test_every_item_tells_its_time_and_what_it_is_worth(self):
        x = noise(2, 1000)
        tags = [(k, 0, "rx_time", time_at(0)) for k in range(2)]
        run = subband_run(x, 250, tags=tags)
        self.assertEqual(run.times(), {0: 0, 1: 250, 2: 500, 3: 750})
        worth = bearing.core.subband_covariance(x[:, :250], RATE, 8)[2]
        self.assertEqual(run.tags("snapshots"), [(k, worth) for k in range(4)])
        self.assertEqual(run.tags("rx_rate"), [(0, RATE)])

    def test_a_gap_on_any_input_restarts(self):
        x = noise(2, 1000)
        tags = [
            (0, 0, "rx_time", time_at(0)),
            (1, 310, "gap", pmt.from_uint64(77)),
        ]
        run = subband_run(x, 200, tags=tags)
        self.assert_items(run.items, x, [0, 310, 510, 710], 200)
        self.assertEqual(run.tags("gap"), [(1, 77)])
        self.assertEqual(run.times(), {0: 0, 1: 387, 2: 587, 3: 787})

    def test_a_time_jump_restarts_and_tells_what_was_lost(self):
        x = noise(2, 1000)
        tags = [(0, 0, "rx_time", time_at(0)), (0, 450, "rx_time", time_at(500))]
        run = subband_run(x, 200, tags=tags)
        self.assert_items(run.items, x, [0, 200, 450, 650], 200)
        self.assertEqual(run.tags("gap"), [(2, 50)])
        self.assertEqual(run.times(), {0: 0, 1: 200, 2: 500, 3: 700})

    def test_after_an_unknown_gap_time_is_unknown(self):
        x = noise(2, 700)
        tags = [(0, 0, "rx_time", time_at(0)), (0, 200, "gap", pmt.from_uint64(0))]
        run = subband_run(x, 200, tags=tags)
        self.assertEqual(run.tags("gap"), [(1, 0)])
        self.assertEqual(run.times(), {0: 0})

    def test_lost_samples_before_an_item_add_up(self):
        x = noise(1, 700)
        for first, second, expected in ((3, 4, 7), (3, 0, 0), (0, 4, 0)):
            tags = [
                (0, 100, "gap", pmt.from_uint64(first)),
                (0, 150, "gap", pmt.from_uint64(second)),
            ]
            self.assertEqual(subband_run(x, 200, tags=tags).tags("gap"), [(0, expected)])

    def test_a_retune_restarts_and_the_same_frequency_does_not(self):
        x = noise(2, 1000)
        tags = [
            (0, 0, "rx_freq", pmt.from_double(1e9)),
            (1, 0, "rx_freq", pmt.from_double(1e9)),
            (0, 100, "rx_freq", pmt.from_double(1e9)),
            (0, 250, "rx_freq", pmt.from_double(2e9)),
        ]
        run = subband_run(x, 200, tags=tags)
        self.assert_items(run.items, x, [0, 250, 450, 650], 200)
        self.assertEqual(run.tags("rx_freq"), [(0, 1e9), (1, 2e9)])

    def test_other_tags_come_out_once_at_the_item_of_their_sample(self):
        x = noise(2, 800)
        tags = [(k, 450, "marker", pmt.from_long(3)) for k in range(2)]
        tags += [(1, 0, "note", pmt.intern("here"))]
        run = subband_run(x, 200, tags=tags)
        self.assertEqual(run.tags("marker"), [(2, 3)])
        self.assertEqual(run.tags("note"), [(0, "here")])

    def test_tags_that_make_no_sense_change_nothing(self):
        x = noise(1, 600)
        tags = [
            (0, 100, "rx_freq", pmt.intern("high")),
            (0, 110, "rx_time", pmt.from_double(1.0)),
            (0, 120, "rx_rate", pmt.from_double(2e6)),
        ]
        run = subband_run(x, 200, tags=tags)
        self.assert_items(run.items, x, [0, 200, 400], 200)
        self.assertEqual(run.tags("rx_rate"), [(0, RATE)])

    # Life

    def test_a_restarted_flowgraph_starts_with_an_empty_item(self):
        x = noise(1, 250)
        source = blocks.vector_source_c(x[0], False, 1, [])
        block = bearing.subband_covariance(1, 200, 8, RATE)
        sink = blocks.vector_sink_c(8)
        tb = gr.top_block()
        tb.connect(source, block, sink)
        tb.run()
        source.rewind()
        tb.run()
        items = np.reshape(sink.data(), (-1, 8, 1, 1))
        self.assert_items(items, x, [0, 0], 200)

    def test_new_snapshots_hold_from_the_next_item_on(self):
        block = bearing.subband_covariance(2, 200, 8, RATE)
        block.set_snapshots(500)
        self.assertEqual(block.snapshots(), 500)
        with self.assertRaisesRegex(ValueError, "snapshots is 9"):
            block.set_snapshots(9)
        self.assertEqual(block.snapshots(), 500)
        self.assertEqual((block.num_elements(), block.num_subbands()), (2, 8))
        np.testing.assert_allclose(np.mean(block.frequencies()), 0.0, atol=1e-6)

    def test_mistakes_are_named(self):
        for arguments, name in (
            ((0, 100, 8, RATE), "num_elements"),
            ((65, 100, 8, RATE), "num_elements"),
            ((2, 9, 8, RATE), "snapshots"),
            ((2, 100, 2, RATE), "num_subbands"),
            ((2, 100, 8, 0.0), "sample_rate"),
            ((2, 100, 8, RATE, 1.1), "bandwidth"),
        ):
            with self.assertRaisesRegex(ValueError, name):
                bearing.subband_covariance(*arguments)
        for arguments, name in (
            ((noise(2, 9), RATE, 8), "X"),
            ((noise(2, 90)[0], RATE, 8), "X"),
            ((noise(2, 90), 0.0, 8), "sample_rate"),
            ((noise(2, 90), RATE, 2), "num_subbands"),
            ((noise(2, 90), RATE, 8, 0.0), "bandwidth"),
        ):
            with self.assertRaisesRegex(ValueError, name):
                bearing.core.subband_covariance(*arguments)


if __name__ == "__main__":
    gr_unittest.run(qa_subband_covariance)

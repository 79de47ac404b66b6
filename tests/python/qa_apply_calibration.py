#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest

from gnuradio import bearing

# One complex division in single precision, done as a product with a rounded inverse.
RELATIVE_TOLERANCE = 5e-7

GAINS = np.array([1.0, 0.5j, -2.0 + 1.0j, 0.3 - 0.1j])


def noise(n, size, seed=1):
    random = np.random.default_rng(seed)
    x = random.standard_normal((n, size)) + 1j * random.standard_normal((n, size))
    return x.astype(np.complex64)


def calibration(gains=GAINS):
    return bearing.calibration(gains=gains)


def message(**parts):
    result = pmt.make_dict()
    for key, value in parts.items():
        result = pmt.dict_add(result, pmt.intern(key), value)
    return result


def c32(values):
    return pmt.init_c32vector(len(values), np.asarray(values, np.complex64))


class qa_apply_calibration(gr_unittest.TestCase):
    def run_block(self, block, x, tags=()):
        """Outputs (N x samples) and, per stream, tags [(offset, key, value)]."""
        tb = gr.top_block()
        sinks = []
        for k, samples in enumerate(x):
            own = [
                gr.tag_utils.python_to_tag((o, pmt.intern(key), value, pmt.PMT_F))
                for i, o, key, value in tags
                if i == k
            ]
            tb.connect(blocks.vector_source_c(samples, False, 1, own), (block, k))
            sinks.append(blocks.vector_sink_c())
            tb.connect((block, k), sinks[k])
        tb.run()
        found = [
            [(t.offset, pmt.symbol_to_string(t.key), pmt.to_python(t.value)) for t in s.tags()]
            for s in sinks
        ]
        return np.array([s.data() for s in sinks], np.complex64), found

    def assert_divided(self, y, x, gains):
        expected = x.astype(complex) / np.asarray(gains)[:, None]
        error = np.abs(y - expected)
        self.assertLessEqual(np.max(error / np.abs(expected)), RELATIVE_TOLERANCE)

    def test_the_module_is_the_one_under_test(self):
        self.assertIn("test_modules", bearing.__file__)

    def test_each_stream_is_divided_by_its_gain(self):
        x = noise(4, 100003)
        y, _ = self.run_block(bearing.apply_calibration(4, calibration()), x)
        self.assert_divided(y, x, GAINS)

    def test_it_undoes_the_gains_of_a_simulated_array(self):
        drawn = bearing.array.uca(n=4, radius=0.3)
        angles, snr, count = [40.0, 250.0], 60.0, 500
        clean = bearing.core.simulate(drawn, angles, snr, count, 3)
        faulty = bearing.core.simulate(drawn.calibrated(calibration()), angles, snr, count, 3)
        y, _ = self.run_block(bearing.apply_calibration(4, calibration()), faulty)
        # What remains is noise of variance 1 and of variance |1/g|^2 <= 10, 60 dB down;
        # 6 is beyond 2000 draws of it.
        self.assertLess(np.max(np.abs(y - clean)), 6 * np.sqrt(10))
        self.assertGreater(np.max(np.abs(faulty - clean)), 500)

    def test_without_gains_samples_pass_unchanged(self):
        x = noise(4, 5000)
        for block in (
            bearing.apply_calibration(4),
            bearing.apply_calibration(4, bearing.calibration(positions=np.zeros((4, 3)))),
        ):
            np.testing.assert_array_equal(self.run_block(block, x)[0], x)

    def test_nan_and_inf_pass_and_stay_where_they_are(self):
        x = noise(4, 1000)
        x[1, 500], x[2, 600] = np.nan, np.inf
        y, _ = self.run_block(bearing.apply_calibration(4, calibration()), x)
        bad = np.argwhere(~np.isfinite(y)).tolist()
        self.assertEqual(bad, [[1, 500], [2, 600]])

    def test_zero_samples_stay_zero(self):
        y, _ = self.run_block(
            bearing.apply_calibration(4, calibration()), np.zeros((4, 100), np.complex64)
        )
        np.testing.assert_array_equal(y, 0)

    def test_tags_stay_on_their_streams(self):
        tags = [(k, 10 * k + 3, "marker", pmt.from_long(k)) for k in range(4)]
        _, found = self.run_block(
            bearing.apply_calibration(4, calibration()), noise(4, 100), tags
        )
        self.assertEqual(found, [[(10 * k + 3, "marker", k)] for k in range(4)])

    def test_a_message_replaces_the_gains(self):
        x = noise(4, 100)
        new = np.array([1.0, 2.0, 3.0j, -4.0])
        for gains in (c32(new), pmt.init_c64vector(4, new)):
            block = bearing.apply_calibration(4, calibration())
            # Waiting messages are handled before the first samples.
            block._post(pmt.intern("calibration"), message(gains=gains))
            self.assert_divided(self.run_block(block, x)[0], x, new)

    def test_messages_that_do_not_fit_are_ignored(self):
        x = noise(4, 100)
        block = bearing.apply_calibration(4, calibration())
        for bad in (
            message(gains=c32([1, 2, 3])),
            message(gains=c32([1, 0, 1, 1])),
            message(gains=c32([1, np.nan, 1, 1])),
            message(gains=pmt.init_f32vector(4, [1, 2, 3, 4])),
            message(gains=pmt.from_double(2.0)),
            message(gains=c32([1, 2, 3, 4]), positions=pmt.init_f32vector(4, [0] * 4)),
            message(gains=c32([1, 2, 3, 4]), coupling=c32([1, 0, 0])),
            message(gains=c32([1, 2, 3, 4]), reference=pmt.from_long(4)),
            message(gains=c32([1, 2, 3, 4]), frequency=pmt.intern("high")),
            pmt.intern("gains"),
            pmt.from_double(1.0),
            pmt.cons(pmt.PMT_NIL, c32([1, 2, 3, 4])),
        ):
            block._post(pmt.intern("calibration"), bad)
        self.assert_divided(self.run_block(block, x)[0], x, GAINS)

    def test_a_message_without_gains_changes_nothing(self):
        x = noise(4, 100)
        block = bearing.apply_calibration(4, calibration())
        offsets = pmt.init_f32vector(12, [0.01] * 12)
        for harmless in (pmt.make_dict(), message(positions=offsets), message(loss=pmt.PMT_T)):
            block._post(pmt.intern("calibration"), harmless)
        self.assert_divided(self.run_block(block, x)[0], x, GAINS)

    def test_a_full_message_is_understood(self):
        x = noise(4, 100)
        new = [1.0, 2.0, 3.0j, -4.0]
        block = bearing.apply_calibration(4)
        full = message(
            gains=c32(new),
            positions=pmt.init_f64vector(12, [0.01] * 12),
            coupling=c32(np.eye(4).ravel()),
            sigma_phase_rad=pmt.init_f32vector(4, [0.1] * 4),
            sigma_log_gain=pmt.init_f32vector(4, [0.1] * 4),
            reference=pmt.from_uint64(3),
            frequency=pmt.from_long(433000000),
            time=pmt.from_double(1.7e9),
            loss=pmt.from_double(0.5),
            status=pmt.intern("tracking"),
        )
        block._post(pmt.intern("calibration"), full)
        self.assert_divided(self.run_block(block, x)[0], x, new)

    def test_set_calibration_replaces_the_gains(self):
        x = noise(4, 100)
        block = bearing.apply_calibration(4)
        block.set_calibration(calibration())
        self.assert_divided(self.run_block(block, x)[0], x, GAINS)
        # Without gains there is nothing left to undo.
        block.set_calibration(bearing.calibration(positions=np.zeros((4, 3))))
        np.testing.assert_array_equal(self.run_block(block, x)[0], x)

    def test_gains_of_a_frequency_count_where_the_stream_is_tuned_to_it(self):
        x = noise(4, 400)
        low, high = GAINS, np.array([2.0, 1.0j, 1.0, -1.0])
        tunings = ((0, 1e9, low), (100, 2e9, high), (200, 3e9, np.ones(4)), (300, 1.0009e9, low))
        tags = [
            (k, offset, "rx_freq", pmt.from_double(frequency))
            for k in range(4)
            for offset, frequency, _ in tunings
        ]
        block = bearing.apply_calibration(4)
        for gains, frequency in ((low, 1e9), (high, 2e9)):
            sent = message(gains=c32(gains), frequency=pmt.from_double(frequency))
            block._post(pmt.intern("calibration"), sent)
        y, _ = self.run_block(block, x, tags)
        for offset, _, gains in tunings:
            part = slice(offset, offset + 100)
            self.assert_divided(y[:, part], x[:, part], gains)

    def test_gains_of_a_frequency_count_where_nobody_tells_the_tuning(self):
        x = noise(4, 100)
        block = bearing.apply_calibration(4, bearing.calibration(GAINS, frequency=1e9))
        self.assert_divided(self.run_block(block, x)[0], x, GAINS)

    def test_mistakes_are_named(self):
        for n in (-1, 0, 65):
            with self.assertRaisesRegex(ValueError, f"num_elements is {n};"):
                bearing.apply_calibration(n)
        block = bearing.apply_calibration(4)
        for gains, words in (
            ([1, 0, 1, 1], "gains.* element 1 has the magnitude 0;"),
            ([1, 1, 1e-40, 1], "gains.* element 2"),
            ([1, 1, 1, 1e300], "gains.* element 3 has the magnitude 1e\\+300;"),
            ([1, 2, 3], "gains"),
            ([0, 0, 0, 0], "gains"),
        ):
            with self.assertRaisesRegex(ValueError, words):
                bearing.apply_calibration(4, calibration(gains))
            with self.assertRaisesRegex(ValueError, words):
                block.set_calibration(calibration(gains))


if __name__ == "__main__":
    gr_unittest.run(qa_apply_calibration)

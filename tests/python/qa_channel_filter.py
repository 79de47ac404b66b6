#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

import numpy as np
import pmt
from channel_streams import noise, stream_run, time_at
from gnuradio import bearing, gr_unittest
from scipy import signal

# Between elements, relative to the signal: some hundred single-precision products and sums, whose
# order depends on where a buffer begins.
ROUNDING = 1e-4

RATE = 2.4e6
CENTRE = 433e6


def tone(frequency, size, rate=RATE):
    return np.exp(2j * np.pi * frequency / rate * np.arange(size)).astype(np.complex64)


class qa_channel_filter(gr_unittest.TestCase):
    def test_what_passes_and_what_does_not(self):
        decimation, offset, bandwidth = 20, 300e3, 80e3
        rate = RATE / decimation

        def level_db(frequency):
            block = bearing.channel_filter(1, decimation, offset, bandwidth, RATE)
            run = stream_run(block, tone(offset + frequency, 20000)[None])
            return 10.0 * np.log10(np.mean(np.abs(run.output[0]) ** 2))

        for frequency in (-40e3, -13e3, 0.0, 39e3):
            self.assertAlmostEqual(level_db(frequency), 0.0, delta=0.002)
        # Half-way between the edges, half of the amplitude.
        for frequency in (rate / 2, -rate / 2):
            self.assertAlmostEqual(level_db(frequency), -6.02, delta=0.05)
        for frequency in (rate - 40e3, -rate + 40e3, rate, 2 * rate, 5 * rate + 1e3, -offset):
            self.assertLess(level_db(frequency), -80.0)

    def test_the_channel_comes_to_the_centre(self):
        block = bearing.channel_filter(1, 10, -700e3, 100e3, RATE)
        y = stream_run(block, tone(-700e3 + 25e3, 20000)[None]).output[0]
        turn = np.angle(y[1:] * np.conj(y[:-1])) / (2 * np.pi) * RATE / 10
        # A phase of 80 dB below is 1e-4, of a rate of 240 kHz, and 4e4 is a turn.
        np.testing.assert_allclose(turn, 25e3, atol=10.0)

    def test_elements_keep_their_phases(self):
        x = noise(1, 200000)[0]
        gains = np.exp(2j * np.pi * np.array([0.0, 0.1, 0.35, 0.8]))
        streams = (gains[:, None] * x).astype(np.complex64)
        for max_noutput_items in (None, 77):
            block = bearing.channel_filter(4, 16, 431e3, 100e3, RATE)
            run = stream_run(block, streams, max_noutput_items=max_noutput_items)
            y = np.array(run.output)
            self.assertGreater(y.shape[1], 12400)
            error = np.abs(y - gains[:, None] * y[0])
            self.assertLess(np.max(error) / np.sqrt(np.mean(np.abs(y) ** 2)), ROUNDING)

    def test_known_bearings_beside_a_strong_neighbour(self):
        array = bearing.array.uca(5, 0.4)
        decimation = 20
        n = decimation * 20000
        random = np.random.default_rng(7)
        x = noise(5, n, seed=8) / np.sqrt(2)
        for azimuth, level_db, frequency in ((72.0, 6.0, 300e3), (150.0, 46.0, 300e3 + 92e3)):
            steering = array.steering(np.array([azimuth]))
            phase = np.exp(2j * np.pi * random.random())
            x = x + 10 ** (level_db / 20) * phase * steering * tone(frequency, n)
        block = bearing.channel_filter(5, decimation, 300e3, 60e3, RATE)
        run = stream_run(block, x.astype(np.complex64))
        y = np.array(run.output)
        estimate = bearing.core.music(bearing.core.covariance(y), array, 1, y.shape[1])
        self.assertEqual(estimate.status, "ok")
        # Five deviations of about 0.01 degrees.
        self.assertLess(abs(estimate.angles_deg[0] - 72.0), 5.0 * estimate.std_deg[0])
        self.assertLess(estimate.std_deg[0], 0.02)

    def test_tags_tell_of_the_channel(self):
        decimation, offset = 16, 300e3
        tags = []
        for k in range(3):
            tags += [
                (k, 0, "rx_time", time_at(0, RATE)),
                (k, 0, "rx_freq", pmt.from_double(CENTRE)),
                (k, 0, "rx_rate", pmt.from_double(RATE)),
            ]
        block = bearing.channel_filter(3, decimation, offset, 100e3, RATE)
        run = stream_run(block, noise(3, 4000), tags)
        for k in range(3):
            self.assertEqual(run.tags("rx_freq", k), [(0, CENTRE + offset)])
            self.assertEqual(run.tags("rx_rate", k), [(0, RATE / decimation)])
            self.assertEqual([item for item, _ in run.times(RATE, k)], [0])

    def test_a_stream_without_tags_has_the_center_frequency_that_is_given(self):
        block = bearing.channel_filter(2, 16, -3e5, 100e3, RATE, center_frequency=CENTRE)
        run = stream_run(block, noise(2, 4000))
        for k in range(2):
            self.assertEqual(run.tags("rx_freq", k), [(0, CENTRE - 3e5)])
            self.assertEqual(run.tags("gap", k), [])

    def test_time_is_that_of_the_signal(self):
        decimation = 8
        errors = []
        for burst in range(3200, 3200 + decimation):
            x = np.zeros((1, 6400), np.complex64)
            x[0, burst] = 1.0
            block = bearing.channel_filter(1, decimation, 300e3, 100e3, RATE)
            run = stream_run(block, x, [(0, 0, "rx_time", time_at(0, RATE))])
            ((_, time),) = run.times(RATE)
            power = np.abs(run.output[0]) ** 2
            times = time + decimation * np.arange(len(power))
            errors.append(np.sum(power * times) / np.sum(power) - burst)
        # One sample in eight sees some of a burst sooner, some later; the mean over all places is
        # that of a symmetric filter, in single precision.
        self.assertLess(np.max(np.abs(errors)), 0.25 * decimation)
        self.assertAlmostEqual(np.mean(errors), 0.0, delta=1e-3)

    def test_no_sample_holds_both_sides_of_a_gap(self):
        decimation = 10
        for place in range(5000, 5000 + decimation):
            x = noise(1, 10000)
            x = np.vstack([x, x])
            x[1, place:] *= -1.0
            outputs = []
            for tags in ([], [(0, place, "gap", pmt.from_uint64(200))]):
                block = bearing.channel_filter(2, decimation, 1e5, 1e5, RATE)
                run = stream_run(block, x, tags)
                outputs.append(np.array(run.output))
            blind, told = outputs

            def mixture(y):
                worst = np.minimum(np.abs(y[0] - y[1]), np.abs(y[0] + y[1]))
                return np.max(worst) / np.sqrt(np.mean(np.abs(y[0]) ** 2))

            self.assertGreater(mixture(blind), 0.1)
            self.assertLess(mixture(told), ROUNDING)
            ((item, missing),) = run.tags("gap")
            given_up = blind.shape[1] - told.shape[1]
            self.assertEqual(missing, 20 + given_up)
            # The filter's length over the decimation is 9.
            self.assertLessEqual(given_up, 11)
            self.assertTrue(np.all(np.abs(told[0] - told[1])[:item] < ROUNDING))
            self.assertTrue(np.all(np.abs(told[0] + told[1])[item:] < ROUNDING))

    def test_samples_are_those_of_scipy(self):
        # The same taps, applied by another program; the first come after the filter is full.
        from gnuradio.bearing.hier.channel_taps import lowpass_taps

        decimation, offset, bandwidth = 12, -240e3, 90e3
        x = noise(2, 30000)
        run = stream_run(bearing.channel_filter(2, decimation, offset, bandwidth, RATE), x)
        taps = lowpass_taps(RATE, bandwidth / 2, RATE / decimation - bandwidth / 2, 80.0)
        shifted = x * np.exp(-2j * np.pi * offset / RATE * np.arange(x.shape[1]))
        wanted = signal.upfirdn(taps, shifted, 1, decimation)
        y = np.array(run.output)
        left_out = x.shape[1] // decimation - y.shape[1]
        self.assertTrue(0 < left_out <= len(taps) // decimation + 2, left_out)
        part = wanted[:, left_out : left_out + y.shape[1]]
        # But for a phase that all elements share: where the shift begins.
        common = np.vdot(part, y) / np.vdot(part, part)
        # Single precision: the shift's step of 3e-8 turns adds up over 2500 samples.
        self.assertAlmostEqual(abs(common), 1.0, delta=1e-4)
        np.testing.assert_allclose(y, common * part, atol=1e-3)

    def test_wrong_parameters_are_named(self):
        good = {
            "num_elements": 2,
            "decimation": 8,
            "offset": 0.0,
            "bandwidth": 50e3,
            "sample_rate": 1e6,
        }
        bearing.channel_filter(**good)
        for name, values in (
            ("num_elements", (0, 65, 2.0)),
            ("decimation", (1, 10001, 8.0)),
            ("offset", (-500001.0, 6e5, float("nan"), None)),
            ("bandwidth", (0.0, 113e3, -1.0, None)),
            ("sample_rate", (0, -1.0, float("inf"), "1e6")),
            ("attenuation_db", (20, 141, None)),
            ("center_frequency", (-1.0, float("nan"), None)),
        ):
            for value in values:
                with self.subTest(**{name: value}):
                    with self.assertRaisesRegex(ValueError, "^" + name + " is "):
                        bearing.channel_filter(**{**good, name: value})
        with self.assertRaisesRegex(ValueError, "^center_frequency is "):
            bearing.channel_filter(**{**good, "offset": -1e5}, center_frequency=1e5)


if __name__ == "__main__":
    gr_unittest.run(qa_channel_filter)

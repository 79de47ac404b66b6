#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an array hears of wide-band signals."""

import numpy as np
from gnuradio import bearing, blocks, gr, gr_unittest

SPEED_OF_LIGHT = 299792458.0
CENTER = 100e6
RATE = 25e6
POSITIONS = np.array([[0.0, 0.0], [4.5, 1.0], [-3.0, 6.0]])  # metres


def heard(source, num_elements, size):
    """N x size samples"""
    top = gr.top_block()
    sinks = []
    for k in range(num_elements):
        head = blocks.head(gr.sizeof_gr_complex, size)
        sinks.append(blocks.vector_sink_c())
        top.connect((source, k), head, sinks[-1])
    top.run()
    return np.array([sink.data() for sink in sinks])


class qa_wideband_source(gr_unittest.TestCase):
    array = bearing.array.custom(POSITIONS, SPEED_OF_LIGHT / CENTER)

    def test_every_element_hears_the_signal_at_its_own_time(self):
        angle = np.deg2rad(70.0)
        source = bearing.wideband_source(self.array, [70.0], 60.0, RATE, CENTER)
        x = heard(source, 3, 1 << 16)
        length = 64
        frames = np.reshape(x, (3, -1, length)) * np.hanning(length)
        bins = np.fft.fft(frames)
        frequency = np.fft.fftfreq(length, 1 / RATE)
        early = POSITIONS @ [np.sin(angle), np.cos(angle)] / SPEED_OF_LIGHT
        inner = np.abs(frequency) < 0.38 * RATE
        for k in (1, 2):
            cross = np.mean(bins[k] * bins[0].conj(), axis=0)[inner]
            expected = 2 * np.pi * (CENTER + frequency[inner]) * (early[k] - early[0])
            # A frame cuts the two at different samples: a hundredth of a radian.
            error = np.angle(cross * np.exp(-1j * expected))
            self.assertLess(np.max(np.abs(error)), 0.02)

    def test_powers_are_those_of_signal_and_noise(self):
        size = 1 << 17
        for snr_db, expected in ((-100.0, 1.0), (10.0, 11.0)):
            source = bearing.wideband_source(self.array, [20.0], snr_db, RATE, CENTER)
            power = np.mean(np.abs(heard(source, 3, size)) ** 2, axis=1)
            # 131072 samples tell it to 0.3 %; four times that.
            np.testing.assert_allclose(power, expected, rtol=0.012)

    def test_the_signal_stays_in_its_band(self):
        source = bearing.wideband_source(self.array, [20.0], 80.0, RATE, CENTER, bandwidth=0.4)
        frames = np.reshape(heard(source, 3, 1 << 15)[0], (-1, 256)) * np.blackman(256)
        psd = np.mean(np.abs(np.fft.fft(frames)) ** 2, axis=0)
        frequency = np.abs(np.fft.fftfreq(256))
        inside = np.mean(psd[frequency < 0.15])
        self.assertLess(np.max(psd[frequency > 0.45]), 1e-6 * inside)
        flatness = psd[frequency < 0.15] / inside
        # 128 frames, independent: 9 % each, one of 77 beyond four of them once in 400.
        self.assertLess(np.max(np.abs(flatness - 1.0)), 0.45)

    def test_wide_band_music_finds_the_signals_and_their_deviations_hold(self):
        array = bearing.array.uca(7, 3.0, SPEED_OF_LIGHT / CENTER)
        truth = [20.0, 200.0]
        source = bearing.wideband_source(array, truth, 10.0, RATE, CENTER, seed=3)
        x = heard(source, 7, 60 * 2000)
        ratios = []
        for k in range(60):
            rs, frequency, snapshots = bearing.core.subband_covariance(
                x[:, 2000 * k : 2000 * (k + 1)], RATE, 16, center_frequency=CENTER
            )
            found = bearing.core.wideband_music(rs, array, frequency, 2, snapshots)
            self.assertEqual(found.status, "ok")
            order = np.argsort(found.angles_deg)
            ratios.append((found.angles_deg[order] - truth) / found.std_deg[order])
        # The variance of 120 standard normal numbers: 1 to 13 %; four times that.
        self.assertAlmostEqual(np.mean(np.square(ratios)), 1.0, delta=0.52)

    def test_the_same_seed_gives_the_same_samples(self):
        make = lambda seed: bearing.wideband_source(self.array, [0.0], 0.0, RATE, CENTER, seed=seed)
        first, same, other = (heard(make(seed), 3, 1000) for seed in (5, 5, 6))
        np.testing.assert_array_equal(first, same)
        self.assertGreater(np.max(np.abs(first - other)), 1.0)

    def test_angles_and_snr_can_change(self):
        source = bearing.wideband_source(self.array, [0.0, 90.0], 0.0, RATE, CENTER)
        source.set_angles_deg([10.0, 100.0])
        source.set_snr_db([-100.0, -100.0])
        power = np.mean(np.abs(heard(source, 3, 1 << 15)) ** 2)
        self.assertAlmostEqual(power, 1.0, delta=0.02)
        with self.assertRaisesRegex(ValueError, "angles_deg"):
            source.set_angles_deg([10.0])
        with self.assertRaisesRegex(ValueError, "snr_db"):
            source.set_snr_db("loud")
        with self.assertRaisesRegex(ValueError, "snr_db .* each of the 2 signals"):
            source.set_snr_db([10.0])

    def test_each_signal_has_a_level_of_its_own(self):
        source = bearing.wideband_source(self.array, [0.0, 90.0], [10.0, -100.0], RATE, CENTER)
        power = np.mean(np.abs(heard(source, 3, 1 << 17)) ** 2)
        # As above.
        np.testing.assert_allclose(power, 11.0, rtol=0.012)

    def test_mistakes_are_named(self):
        good = {
            "array": self.array,
            "angles_deg": [0.0],
            "snr_db": 0.0,
            "sample_rate": RATE,
            "center_frequency": CENTER,
        }
        for name, value in (
            ("array", POSITIONS),
            ("angles_deg", []),
            ("angles_deg", [np.nan]),
            ("snr_db", None),
            ("sample_rate", 0.0),
            ("center_frequency", 0.0),
            ("bandwidth", 1.0),
            ("seed", -1),
        ):
            with self.assertRaisesRegex(ValueError, name):
                bearing.wideband_source(**{**good, name: value})


if __name__ == "__main__":
    gr_unittest.run(qa_wideband_source)

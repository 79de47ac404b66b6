#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

import time

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest

from gnuradio import bearing
from stream_samples import first_samples

SPEED_OF_LIGHT = 299792458.0

# Single precision of samples near 1, in three steps.
ROUNDING = 1e-6


def circle(n, radius):
    """Element k at azimuth 360 k / n, clockwise from +y."""
    azimuth = 2 * np.pi * np.arange(n) / n
    return radius * np.stack([np.sin(azimuth), np.cos(azimuth), 0 * azimuth], axis=1)


def steering(positions, azimuth_deg, elevation_deg=0.0):
    """exp(+j 2 pi p . u), positions in wavelengths."""
    t, e = np.deg2rad(azimuth_deg), np.deg2rad(elevation_deg)
    u = [np.sin(t) * np.cos(e), np.cos(t) * np.cos(e), np.sin(e)]
    return np.exp(2j * np.pi * positions @ u)


UCA = circle(5, 0.4)


def uca():
    return bearing.array.uca(n=5, radius=0.4)


def samples(block, count, max_noutput_items=None, tags=None):
    """The first samples of every stream, N x count; tags go into the list, one per stream."""
    num_streams = block.output_signature().min_streams()
    sinks = [blocks.vector_sink_c() for _ in range(num_streams)]
    return first_samples(block, sinks, count, max_noutput_items, tags).astype(np.complex64)


class qa_array_simulator(gr_unittest.TestCase):
    def assert_steering(self, x, expected, level=1.0):
        """Every snapshot of the noiseless tone x is level times expected."""
        error = x / level - np.asarray(expected)[:, None]
        self.assertLess(np.max(np.abs(error)), ROUNDING)

    def test_the_module_is_the_one_under_test(self):
        self.assertIn("test_modules", bearing.__file__)

    # What comes out

    def test_the_covariance_is_that_of_the_drawing(self):
        count = 200000
        x = samples(
            bearing.array_simulator(uca(), [30.0, 250.0], snr_db=[10.0, 3.0], seed=5), count
        ).astype(complex)
        found = x @ x.conj().T / count
        a, b = steering(UCA, 30.0), steering(UCA, 250.0)
        expected = np.eye(5) + 10 * np.outer(a, a.conj()) + 10**0.3 * np.outer(b, b.conj())
        # Entries of a Gaussian covariance deviate by sqrt(R_ii R_jj / T); 25 entries leave
        # 6 times that once in 1e14 seeds.
        sigma = np.sqrt(np.outer(np.diag(expected), np.diag(expected)).real / count)
        self.assertLess(np.max(np.abs(found - expected) / sigma), 6)

    def test_snr_is_kept_at_any_noise_power(self):
        count = 100000
        for noise_power in (0.01, 4.0):
            x = samples(
                bearing.array_simulator(
                    uca(), [30.0], snr_db=[10.0], modulation="tone", noise_power=noise_power
                ),
                count,
            )
            a = steering(UCA, 30.0)
            level = np.mean(x * a.conj()[:, None])
            noise = np.mean(np.abs(x - level * a[:, None]) ** 2)
            # The power of 5e5 samples is known to 0.14 %, that of the tone better.
            self.assertAlmostEqual(noise / noise_power, 1.0, delta=6 * 0.0014)
            self.assertAlmostEqual(abs(level) ** 2 / noise_power, 10.0, delta=0.1)

    def test_a_noiseless_tone_shows_the_steering_vector(self):
        settings = dict(modulation="tone", noise_power=0.0, snr_db=[20.0])
        x = samples(
            bearing.array_simulator(uca(), [77.0], elevations_deg=[33.0], **settings), 1000
        )
        self.assert_steering(x, steering(UCA, 77.0, 33.0), 10.0)

    def test_errors_of_the_receivers_are_in_the_samples(self):
        gains = np.array([1.0, 0.5j, -2.0, 1 + 1j, 0.7])
        offsets = np.zeros((5, 3))
        offsets[2] = [0.05, -0.02, 0.0]
        coupling = np.eye(5, dtype=complex)
        coupling[3, 1] = 0.2 - 0.1j
        x = samples(
            bearing.array_simulator(
                uca(),
                [77.0],
                errors=bearing.calibration(gains=gains, positions=offsets, coupling=coupling),
                snr_db=[0.0],
                modulation="tone",
                noise_power=0.0,
            ),
            300,
        )
        self.assert_steering(x, coupling @ (gains * steering(UCA + offsets, 77.0)), 1.0)

    def test_a_tone_has_its_frequency(self):
        count, rate = 50000, 48000.0
        x = samples(
            bearing.array_simulator(
                uca(),
                [0.0],
                snr_db=[0.0],
                sample_rate=rate,
                frequencies=[-1234.5],
                modulation="tone",
                noise_power=0.0,
            ),
            count,
        )
        carrier = np.exp(-2j * np.pi * 1234.5 / rate * np.arange(count))
        expected = steering(UCA, 0.0)[:, None] * carrier
        self.assertLess(np.max(np.abs(x - expected)), ROUNDING)

    def test_coherent_sources_are_one_wavefront(self):
        for coherent, rank in ((True, 1), (False, 2)):
            x = samples(
                bearing.array_simulator(
                    uca(), [30.0, 250.0], snr_db=[0.0], noise_power=0.0, coherent=coherent
                ),
                1000,
            )
            self.assertEqual(np.linalg.matrix_rank(x, tol=1e-3), rank)

    def test_without_sources_there_is_noise(self):
        x = samples(bearing.array_simulator(uca(), [], noise_power=2.0), 100000)
        # The power of 5e5 samples is known to 0.14 %.
        self.assertAlmostEqual(np.mean(np.abs(x) ** 2), 2.0, delta=2 * 6 * 0.0014)

    def test_phases_drift_except_that_of_element_0(self):
        x = samples(
            bearing.array_simulator(
                bearing.array.ula(n=64, spacing=0.5),
                [0.0],
                snr_db=[0.0],
                sample_rate=256.0,
                modulation="tone",
                noise_power=0.0,
                phase_drift_deg=5.0,
            ),
            60 * 256 + 1,
        )
        drift = np.rad2deg(np.angle(x[:, -1]))
        self.assertEqual(drift[0], 0.0)
        # 63 values give their standard deviation to 9 %.
        self.assertAlmostEqual(np.std(drift[1:]) / 5.0, 1.0, delta=6 * 0.09)

    def test_a_centre_frequency_sets_the_wavelength(self):
        metres = bearing.array.uca(n=5, radius=0.3, wavelength=0.69)
        settings = dict(snr_db=[0.0], modulation="tone", noise_power=0.0)
        x = samples(bearing.array_simulator(metres, [77.0], **settings), 10)
        self.assert_steering(x, steering(circle(5, 0.3) / 0.69, 77.0))
        x = samples(
            bearing.array_simulator(metres, [77.0], center_frequency=868e6, **settings), 10
        )
        self.assert_steering(x, steering(circle(5, 0.3) * 868e6 / SPEED_OF_LIGHT, 77.0))
        # A geometry in wavelengths is never rescaled.
        x = samples(
            bearing.array_simulator(uca(), [77.0], center_frequency=868e6, **settings), 10
        )
        self.assert_steering(x, steering(UCA, 77.0))

    # The same samples again

    def test_samples_do_not_depend_on_buffers(self):
        def make():
            return bearing.array_simulator(
                uca(), [30.0, 250.0], rates_deg=[1000.0, 0.0], phase_drift_deg=1000.0, seed=3
            )

        expected = samples(make(), 20000)
        for max_noutput_items in (1, 100, 257):
            count = 300 if max_noutput_items == 1 else 20000
            np.testing.assert_array_equal(
                samples(make(), count, max_noutput_items), expected[:, :count]
            )

    def test_seeds_make_different_samples(self):
        first = samples(bearing.array_simulator(uca(), [30.0], seed=1), 1000)
        again = samples(bearing.array_simulator(uca(), [30.0], seed=1), 1000)
        other = samples(bearing.array_simulator(uca(), [30.0], seed=-1), 1000)
        np.testing.assert_array_equal(first, again)
        self.assertTrue(np.all(first != other))

    def test_a_restart_continues_the_stream_and_tells_its_time(self):
        rate = 1e5
        block = bearing.array_simulator(uca(), [30.0], sample_rate=rate, start_time=50.5)
        samples(block, 1000)
        tags = []
        x = samples(block, 1000, tags=tags)
        offset, (seconds, fraction) = tags[0]["rx_time"]
        self.assertEqual(offset, 0)
        position = round((seconds + fraction - 50.5) * rate)
        self.assertGreaterEqual(position, 1000)
        reference = bearing.array_simulator(uca(), [30.0], sample_rate=rate)
        expected = samples(reference, position + 1000)
        np.testing.assert_array_equal(x, expected[:, position:])

    # Tags

    def test_the_first_sample_of_every_stream_is_tagged(self):
        tags = []
        samples(
            bearing.array_simulator(
                uca(), [30.0], sample_rate=2.4e6, center_frequency=433e6, start_time=1.7e9 + 0.25
            ),
            30000,
            tags=tags,
        )
        expected = {
            "rx_time": (0, (1700000000, 0.25)),
            "rx_rate": (0, 2.4e6),
            "rx_freq": (0, 433e6),
        }
        self.assertEqual(tags, [expected] * 5)

    def test_without_a_centre_frequency_there_is_no_such_tag(self):
        tags = []
        samples(bearing.array_simulator(uca(), [30.0]), 100, tags=tags)
        self.assertEqual([sorted(t) for t in tags], [["rx_rate", "rx_time"]] * 5)

    # Moving sources

    def test_sources_move_at_their_rates(self):
        block = bearing.array_simulator(
            uca(),
            [350.0, 10.0],
            rates_deg=[3.0, -4.0],
            sample_rate=256.0,
            snr_db=[0.0, -300.0],
            modulation="tone",
            noise_power=0.0,
        )
        for seconds, expected in ((0.0, [350, 10]), (5.0, [5, 350]), (-10.0, [320, 50])):
            np.testing.assert_allclose(block.angles_deg_at(seconds), expected, atol=1e-10)
        x = samples(block, 20 * 256)
        # Directions are exact in the middle of each update, which lasts a second here.
        for second in range(20):
            angle = block.angles_deg_at(second + 0.5)[0]
            self.assert_steering(x[:, second * 256 : second * 256 + 256], steering(UCA, angle))

    def test_angles_wrap_on_a_circle_and_not_on_a_line(self):
        self.assertAlmostEqual(bearing.array_simulator(uca(), [-30.0]).angles_deg_at(0)[0], 330)
        line = bearing.array.ula(n=4, spacing=0.5)
        self.assertAlmostEqual(bearing.array_simulator(line, [-30.0]).angles_deg_at(0)[0], -30)

    def test_sources_can_be_put_elsewhere_and_made_louder(self):
        block = bearing.array_simulator(
            uca(), [10.0, 20.0], snr_db=[0.0, -300.0], modulation="tone", noise_power=0.0
        )
        self.assert_steering(samples(block, 1000), steering(UCA, 10.0))
        block.set_angles_deg([110.0, 20.0])
        np.testing.assert_allclose(block.angles_deg_at(0.0), [110.0, 20.0], atol=1e-10)
        # What was made before may still fill an update.
        self.assert_steering(samples(block, 1000)[:, 256:], steering(UCA, 110.0))
        block.set_snr_db([-300.0, 20.0])
        self.assert_steering(samples(block, 1000)[:, 256:], steering(UCA, 20.0), 10.0)
        block.set_snr_db([-20.0])
        both = steering(UCA, 110.0) + steering(UCA, 20.0)
        self.assert_steering(samples(block, 1000)[:, 256:], both, 0.1)

    def test_a_moving_source_goes_on_when_its_level_changes(self):
        block = bearing.array_simulator(uca(), [10.0], rates_deg=[5.0], sample_rate=1e4)
        samples(block, 20000)
        block.set_snr_db([3.0])
        samples(block, 20000)
        np.testing.assert_allclose(block.angles_deg_at(7.0), [45.0], atol=1e-9)

    # Pacing

    def test_a_throttled_stream_takes_its_time(self):
        rate, count = 20000.0, 10000
        for _ in range(2):
            block = bearing.array_simulator(uca(), [30.0], sample_rate=rate, throttle=True)
            began = time.monotonic()
            samples(block, count)
            took = time.monotonic() - began
            # Never early; late by what a busy machine adds.
            self.assertGreaterEqual(took, count / rate)
            self.assertLess(took, count / rate + 2.0)

    def test_a_throttled_stream_stops_promptly(self):
        # One sample in a hundred seconds: the block would sleep for ever.
        block = bearing.array_simulator(uca(), [30.0], sample_rate=0.01, throttle=True)
        tb = gr.top_block()
        for k in range(5):
            tb.connect((block, k), blocks.null_sink(gr.sizeof_gr_complex))
        for _ in range(2):
            tb.start()
            time.sleep(0.1)
            began = time.monotonic()
            tb.stop()
            tb.wait()
            # 50 ms of sleep and what a busy machine adds.
            self.assertLess(time.monotonic() - began, 1.0)

    def test_a_pause_is_not_made_up_for(self):
        block = bearing.array_simulator(uca(), [30.0], sample_rate=20000.0, throttle=True)
        samples(block, 100)
        time.sleep(1.0)
        began = time.monotonic()
        samples(block, 10000)
        self.assertGreaterEqual(time.monotonic() - began, 0.5)

    # With the other blocks

    def test_covariance_and_music_find_the_sources(self):
        tb = gr.top_block()
        simulator = bearing.array_simulator(uca(), [30.0, 250.0], snr_db=[20.0])
        covariance = bearing.covariance(5, 4096)
        head, sink = blocks.head(25 * gr.sizeof_gr_complex, 3), blocks.vector_sink_c(25)
        for k in range(5):
            tb.connect((simulator, k), (covariance, k))
        tb.connect(covariance, head, sink)
        tb.run()
        for item in np.reshape(sink.data(), (-1, 5, 5)):
            found = bearing.core.music(item.T, uca(), 2, 4096).angles_deg
            # The Cramer-Rao bound is 0.02 degrees here.
            np.testing.assert_allclose(np.sort(found), [30.0, 250.0], atol=0.2)
        times = [
            pmt.to_python(t.value)
            for t in sink.tags()
            if pmt.symbol_to_string(t.key) == "rx_time"
        ]
        self.assertEqual([s for s, _ in times], [0, 0, 0])
        np.testing.assert_allclose([f for _, f in times], np.arange(3) * 4096e-6, atol=1e-15)

    # Mistakes

    def test_mistakes_are_named(self):
        nan, inf = float("nan"), float("inf")
        for name, bad in (
            ("angles_deg", [0.0, nan]),
            ("snr_db", [1.0, 2.0, 3.0]),
            ("snr_db", []),
            ("snr_db", [inf]),
            ("snr_db", [301.0]),
            ("sample_rate", 0.0),
            ("sample_rate", -1.0),
            ("sample_rate", nan),
            ("rates_deg", [inf]),
            ("rates_deg", [1.0, 2.0, 3.0]),
            ("frequencies", [nan]),
            ("frequencies", [0.0, 0.0, 0.0]),
            ("frequency", dict(frequencies=[6e5])),
            ("modulation", "fm"),
            ("phase_drift_deg", -1.0),
            ("phase_drift_deg", nan),
            ("center_frequency", -1.0),
            ("center_frequency", inf),
            ("start_time", -1.0),
            ("start_time", nan),
            ("noise_power", -1.0),
            ("noise_power", inf),
            ("elevations_deg", [nan]),
            ("elevations_deg", [1.0, 2.0, 3.0]),
            ("gains", dict(errors=bearing.calibration(gains=[1.0, 1.0]))),
        ):
            arguments = dict(angles_deg=[10.0, 20.0])
            arguments.update(bad if isinstance(bad, dict) else {name: bad})
            with self.subTest(name=name, bad=bad):
                with self.assertRaisesRegex(ValueError, name):
                    bearing.array_simulator(uca(), **arguments)
        with self.assertRaisesRegex(ValueError, "65"):
            bearing.array_simulator(bearing.array.ula(n=65, spacing=0.5), [0.0])
        block = bearing.array_simulator(uca(), [10.0, 20.0])
        for bad in ([1.0], [1.0, 2.0, 3.0], [1.0, nan]):
            with self.assertRaisesRegex(ValueError, "angles_deg"):
                block.set_angles_deg(bad)
        for bad in ([], [1.0, 2.0, 3.0], [nan], [301.0]):
            with self.assertRaisesRegex(ValueError, "snr_db"):
                block.set_snr_db(bad)


if __name__ == "__main__":
    gr_unittest.run(qa_array_simulator)

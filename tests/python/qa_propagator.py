#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Propagators and least squares along them, on NumPy arrays."""

import threading
import unittest

import numpy as np
from gnuradio import fft

import dispersive_line as line
from gnuradio import bearing
from support import FULL

SPEED_OF_LIGHT = 299792458.0


class qa_propagator(unittest.TestCase):
    def test_a_dispersive_line_is_its_formula(self):
        frequency = np.array([0.0, 3.0, 77.7, 250.0, 499.9])
        p = line.propagator()
        self.assertEqual(p.num_sensors, 10)
        self.assertEqual((p.lowest_frequency, p.highest_frequency), (0.0, 750.0))
        # Linear tables err by h^2 / 8 times the second derivative: their phase is 1e-5 of 500 rad
        # off at most, and their log gain less.
        np.testing.assert_allclose(
            p.response(frequency), line.response(frequency), rtol=0, atol=6e-3
        )
        at_table = line.tables()[0][::500]
        np.testing.assert_allclose(
            p.response(at_table), line.response(at_table), rtol=0, atol=1e-9
        )

    def test_gain_counts_over_its_distance(self):
        p = bearing.propagator.dispersive([0, 10, 15], [0], [0.5], [100], gain_distance=5)
        np.testing.assert_allclose(p.response([0.0])[0], [1, 0.25, 0.125], rtol=1e-12)
        p = bearing.propagator.dispersive([0, 10, 15], [0], [0.5], [100])
        np.testing.assert_allclose(p.response([0.0])[0], [1, 0.5, 0.5**1.5], rtol=1e-12)

    def test_what_comes_later_has_a_phase_that_falls(self):
        p = bearing.propagator.dispersive([0, 10], [0], [1], [100])
        np.testing.assert_allclose(p.response([1.0])[0], [1, np.exp(-0.2j * np.pi)], atol=1e-12)

    def test_a_plane_wave_is_steering_relative_to_the_first_element(self):
        a = bearing.array.uca(5, 0.25, wavelength=0.7)
        a = a.calibrated(bearing.calibration(gains=[1, 1j, -0.5, 2, 1 + 1j]))
        p = bearing.propagator.plane_wave(a, 37.0, 12.0)
        self.assertTrue(p.is_plane_wave)
        self.assertAlmostEqual(p.own_center_frequency, SPEED_OF_LIGHT / 0.7, delta=1e-3)
        steering = a.steering([37.0], [12.0])[:, 0]
        center = p.own_center_frequency
        np.testing.assert_allclose(p.response([0.0], center)[0], steering / steering[0], atol=1e-9)
        turned = p.towards(-20.0)
        steering = a.steering([-20.0])[:, 0]
        np.testing.assert_allclose(
            turned.response([0.0], center)[0], steering / steering[0], atol=1e-9
        )

    def test_sound_reaches_what_is_nearer_first(self):
        a = bearing.array.ula(3, 0.1, wavelength=1.0)
        p = bearing.propagator.plane_wave(a, 90.0, velocity=340.0)
        frequency = np.array([0.0, 100.0, 1000.0])
        expected = np.exp(2j * np.pi * frequency[:, None] * np.array([0, 0.1, 0.2]) / 340.0)
        np.testing.assert_allclose(p.response(frequency, is_real=True), expected, atol=1e-12)

    def test_a_table_is_linear_in_between(self):
        p = bearing.propagator.table([0, 10], [[1, 1j], [3, -1j]])
        np.testing.assert_allclose(p.response([5.0, 10.0]), [[2, 0], [3, -1j]], atol=1e-12)
        self.assertFalse(p.has_velocity)
        self.assertIn("table", repr(p))

    def test_velocities_scale(self):
        scaled = line.propagator().with_velocity_scale(1.03)
        f = line.tables()[0][100:1000:100]
        np.testing.assert_allclose(scaled.response(f), line.response(f, 1.03), atol=1e-9)

    def test_mistakes_are_named(self):
        dispersive, table = bearing.propagator.dispersive, bearing.propagator.table
        sonic = bearing.array.ula(3, 0.1, wavelength=1.0)
        plain = bearing.array.ula(3, 0.5)
        cases = [
            ("positions", lambda: dispersive([0, 1, 1], [0], [1], [1])),
            ("positions", lambda: dispersive([], [0], [1], [1])),
            ("velocity", lambda: dispersive([0, 1], [0], [1], [0])),
            ("velocity", lambda: dispersive([0, 1], [0], [1], [np.nan])),
            ("gain", lambda: dispersive([0, 1], [0], [0], [1])),
            ("gain", lambda: dispersive([0, 1], [0, 1], [1], [1, 1])),
            ("frequency", lambda: dispersive([0, 1], [1, 0], [1, 1], [1, 1])),
            ("gain_distance", lambda: dispersive([0, 1], [0], [1], [1], 0.0)),
            ("frequency", lambda: table([0], [[1, 1]])),
            ("response", lambda: table([0, 1], [[1, np.nan], [1, 1]])),
            ("response", lambda: table([0, 1], [[1, 1]])),
            ("velocity", lambda: bearing.propagator.plane_wave(sonic, 0.0, velocity=0.0)),
            ("velocity", lambda: bearing.propagator.plane_wave(plain, 0.0, velocity=340.0)),
            ("azimuth", lambda: bearing.propagator.plane_wave(sonic, np.nan)),
            ("frequency", lambda: line.propagator().response([751.0])),
            (
                "velocity",
                lambda: bearing.propagator.plane_wave(sonic, 0.0).response([1.0], is_real=True),
            ),
            ("velocity", lambda: table([0, 1], [[1], [1]]).with_velocity_scale(1.1)),
            ("plane wave", lambda: line.propagator().towards(3.0)),
        ]
        for name, mistake in cases:
            with self.subTest(name=name), self.assertRaisesRegex(ValueError, name):
                mistake()


class qa_propagator_ls_function(unittest.TestCase):
    def test_results_have_their_shapes_and_types(self):
        random = np.random.default_rng(1)
        for d, bins, center in (
            (random.standard_normal((400, 10)), 201, 0.0),
            (random.standard_normal((401, 10)).astype(np.float32), 201, 0.0),
            (random.standard_normal((300, 10)) * 1j, 300, 100.0),
        ):
            p = bearing.propagator.dispersive(line.POSITIONS, [0], [0.9], [50])
            r = bearing.core.propagator_ls(d, line.RATE, [p], center_frequency=center)
            self.assertEqual(r.signal.shape, d.shape)
            self.assertEqual(np.iscomplexobj(r.signal), np.iscomplexobj(d))
            self.assertEqual(r.source.shape, (len(d), 1))
            self.assertEqual(r.frequency.shape, (bins,))
            self.assertEqual(r.noise_psd.shape, (bins, 10))
            self.assertEqual(r.source_psd.shape, (bins, 1))
            np.testing.assert_allclose(r.signal[:, 0], r.source[:, 0], atol=1e-9)

    def test_the_default_comes_near_the_oracle_and_leaks_less_than_least_squares(self):
        # The worst of 200 seeds: 0.12 dB from the oracle, 4.3 dB better at the first sensor.
        for seed in range(200 if FULL else 4):
            one = line.record(5000, seed)
            found = bearing.core.propagator_ls(one.data, line.RATE, line.propagator())
            self.assertEqual(found.status, "ok")
            oracle = line.nmse_db(one.wiener()[0], one.signal)
            self.assertLess(line.nmse_db(found.signal, one.signal), oracle + 0.25)
            plain = bearing.core.propagator_ls(one.data, line.RATE, line.propagator(), "ls")
            for own, expected in ((slice(0, 1), 4.0), (slice(None), 3.4)):
                self.assertLess(
                    line.nmse_db(found.signal[:, own], one.signal[:, own]),
                    line.nmse_db(plain.signal[:, own], one.signal[:, own]) - expected,
                )
            # 1e-3: what linear tables leave of 500 rad of phase.
            by_hand = line.plain_least_squares(one.data, one.responses[0])
            self.assertLess(line.nmse_db(plain.signal, by_hand), -60.0)

    def test_known_densities_give_the_oracle(self):
        one = line.record(5000, 3)
        p = bearing.propagator.table(one.frequency, one.responses[0])
        found = bearing.core.propagator_ls(
            one.data,
            line.RATE,
            p,
            source_psd=one.densities[0],
            noise_psd=line.NOISE**2 / line.RATE,
        )
        # Both are double precision.
        self.assertLess(line.nmse_db(found.signal, one.wiener()[0]), -150.0)

    def test_densities_are_two_sided_a_hertz(self):
        one = line.record(20000, 4)
        found = bearing.core.propagator_ls(one.data, line.RATE, line.propagator())
        # Over a hundred neighbouring bins and more a mean is good to 10 %.
        band = (one.frequency > 5) & (one.frequency < 200)
        noise = np.mean(found.noise_psd[band]) / (line.NOISE**2 / line.RATE)
        self.assertAlmostEqual(noise, 1.0, delta=0.1)
        band = (one.frequency > 1) & (one.frequency < 30)
        source = np.sum(found.source_psd[band]) / np.sum(one.densities[0][band])
        self.assertAlmostEqual(source, 1.0, delta=0.15)

    def test_bad_data_has_a_status_and_finite_results(self):
        one = line.record(2000, 5)
        dead, lost, broken = (one.data.copy() for _ in range(3))
        dead[:, 3] = 0.0
        lost[700, 3] = np.nan
        broken[:, 1:] = np.inf
        cases = [
            (np.zeros((2000, 10)), "no_source"),
            (dead, "bad_data"),
            (lost, "bad_data"),
            (np.full((2000, 10), np.nan), ("bad_data", "not_identifiable")),
        ]
        for d, status in cases:
            with self.subTest(status=status):
                found = bearing.core.propagator_ls(d, line.RATE, line.propagator())
                self.assertIn(found.status, status)
                self.assertTrue(np.all(np.isfinite(found.signal)))
                self.assertTrue(np.all(np.isfinite(found.source_psd)))
        # The others make up for the one that is missing.
        for d in (dead, lost):
            found = bearing.core.propagator_ls(d, line.RATE, line.propagator())
            self.assertLess(line.nmse_db(found.signal[:, 3], one.signal[:, 3]), -15.0)
        waves = [bearing.propagator.table([0, 500], np.ones((2, 10)) * s) for s in (1, 2)]
        self.assertEqual(
            bearing.core.propagator_ls(broken, line.RATE, waves).status, "not_identifiable"
        )

    def test_mistakes_are_named(self):
        d = line.record(500, 6).data
        p = line.propagator()
        ls = bearing.core.propagator_ls
        short = bearing.propagator.dispersive(line.POSITIONS, [0, 400], [1, 1], [50, 50])
        pair = bearing.propagator.dispersive([0, 1], [0], [1], [50])
        cases = [
            ("d has 1 dim", lambda: ls(d[:, 0], line.RATE, p)),
            ("d|data|sensors", lambda: ls(d[:, :9], line.RATE, p)),
            ("sample_rate", lambda: ls(d, 0.0, p)),
            ("sample_rate", lambda: ls(d, np.nan, p)),
            ("mode", lambda: ls(d, line.RATE, p, mode="best")),
            ("noise", lambda: ls(d, line.RATE, p, noise="none")),
            ("mu", lambda: ls(d, line.RATE, p, mu=-1.0)),
            ("ridge", lambda: ls(d, line.RATE, p, mode="ridge")),
            ("ridge", lambda: ls(d, line.RATE, p, mode="ridge", ridge=-1.0)),
            ("frequency", lambda: ls(d, line.RATE, short)),
            ("propagator", lambda: ls(d, line.RATE, [])),
            ("sources", lambda: ls(d[:, :2], line.RATE, [pair] * 3)),
            ("source_psd", lambda: ls(d, line.RATE, p, source_psd=np.ones(3))),
            ("source_psd", lambda: ls(d, line.RATE, p, source_psd=-1.0)),
            ("noise_psd", lambda: ls(d, line.RATE, p, noise_psd=np.full(251, np.nan))),
            ("noise_psd", lambda: ls(d, line.RATE, p, noise_psd=np.ones((251, 3)))),
            ("center_frequency", lambda: ls(d, line.RATE, p, center_frequency=1e6)),
        ]
        for name, mistake in cases:
            with self.subTest(name=name), self.assertRaisesRegex(ValueError, name):
                mistake()

    def test_velocity_is_found(self):
        # A hundredth costs 5.7 dB; this is forty times better.
        for scale in (0.97, 1.0, 1.012):
            one = line.record(8192, 7, velocity_scale=scale)
            found = bearing.core.velocity_scale(one.data, line.RATE, line.propagator())
            self.assertEqual(found.status, "ok")
            self.assertAlmostEqual(found.scale, scale, delta=1e-3)
            self.assertEqual(float(found), found.scale)
        nothing = bearing.core.velocity_scale(np.zeros((500, 10)), 1000.0, line.propagator())
        self.assertTrue(np.isnan(nothing.scale))
        self.assertEqual(nothing.status, "no_source")
        table = bearing.propagator.table([0, 500], np.ones((2, 10)))
        with self.assertRaisesRegex(ValueError, "velocity"):
            bearing.core.velocity_scale(one.data, line.RATE, table)

    def test_threads_and_other_transforms_go_on_meanwhile(self):
        # Both make plans; who waits for the other must not hold what the other waits for.
        d = line.record(4096, 8).data
        done = []

        def work():
            for _ in range(3):
                bearing.core.propagator_ls(d, line.RATE, line.propagator())
            done.append(True)

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for size in range(300, 340):
            fft.fft_vcc(size, True, [], False)
            bearing.propagator_ls_ff(
                bearing.propagator.table([0, 500], np.ones((2, 3))), line.RATE, block_length=512
            )
        for thread in threads:
            thread.join(60)
        self.assertEqual(done, [True, True])


if __name__ == "__main__":
    unittest.main()

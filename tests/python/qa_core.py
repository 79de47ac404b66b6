#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The NumPy surface of bearing.core, bearing.array and bearing.calibration."""

import tempfile
import unittest
from pathlib import Path

import numpy as np
from gnuradio import bearing
from support import BUILD_DIR

core = bearing.core


def exact(array, angles_deg, snr_db=15.0):
    a = array.steering(angles_deg)
    return 10 ** (snr_db / 10) * a @ a.conj().T + np.eye(array.n)


class qa_surface(unittest.TestCase):
    def test_the_module_of_the_build_tree_is_tested(self):
        self.assertTrue(
            Path(bearing.__file__).is_relative_to(BUILD_DIR / "test_modules"), bearing.__file__)

    def test_exports_are_explicit_and_there(self):
        for name in bearing.__all__:
            self.assertTrue(hasattr(bearing, name), name)
        for name in ("simulate", "covariance", "bartlett", "capon", "music", "root_music",
                     "count_sources", "predict_std_deg", "crb_deg", "forward_backward",
                     "spatial_smoothing"):
            self.assertTrue(getattr(core, name).__doc__, name)


    def test_the_version_is_known(self):
        self.assertRegex(bearing.__version__, r"^\d+\.\d+\.\d+$")


class qa_array(unittest.TestCase):
    def test_it_shows_what_tells_one_from_another(self):
        circle = bearing.array.uca(n=5, radius=0.25, wavelength=0.69)
        self.assertIn("5 elements", repr(circle))
        self.assertIn("0.69", repr(circle))
        self.assertNotIn("calibrated", repr(circle))
        self.assertIn("calibrated: gains", repr(
            circle.calibrated(bearing.calibration(gains=np.ones(5)))))

    def test_line_circle_and_custom(self):
        line = bearing.array.ula(n=8, spacing=0.5)
        self.assertEqual(line.n, 8)
        self.assertIsNone(line.wavelength)
        np.testing.assert_allclose(line.positions[:, 0], 0.5 * np.arange(8))
        circle = bearing.array.uca(n=5, radius=0.25, wavelength=0.69)
        self.assertEqual(circle.wavelength, 0.69)
        # Element 1 stands at azimuth 72 degrees clockwise from forward: to the right.
        np.testing.assert_allclose(
            circle.positions[1],
            0.25 * np.array([np.sin(np.deg2rad(72)), np.cos(np.deg2rad(72)), 0]), atol=1e-15)
        self.assertEqual(bearing.array.custom([[0, 0], [0.4, 0.2], [0.1, 0.5]]).n, 3)
        self.assertEqual(bearing.array.custom(np.eye(3)).positions.shape, (3, 3))

    def test_steering_is_pairwise_and_positive(self):
        array = bearing.array.custom([[0, 0, 0], [0.4, 0.2, 0.1], [0.1, 0.5, -0.2]])
        azimuth, elevation = [10.0, 120.0, -40.0], [0.0, 30.0, 60.0]
        a = array.steering(azimuth, elevation)
        self.assertEqual((a.shape, a.dtype), ((3, 3), np.dtype(complex)))
        for g, (t, e) in enumerate(np.deg2rad(np.column_stack([azimuth, elevation]))):
            u = np.array([np.sin(t) * np.cos(e), np.cos(t) * np.cos(e), np.sin(e)])
            np.testing.assert_allclose(
                a[:, g], np.exp(2j * np.pi * array.positions @ u), rtol=1e-12)
        self.assertEqual(array.steering(10.0).shape, (3, 1))
        self.assertEqual(array.steering([1, 2, 3, 4]).shape, (3, 4))
        np.testing.assert_array_equal(array.steering(30.0, [0.0, 20.0])[:, 1:],
                                      array.steering(30.0, 20.0))
        with self.assertRaisesRegex(ValueError, "elevation"):
            array.steering([1, 2, 3], [1, 2])

    def test_steering_derivative(self):
        array = bearing.array.uca(n=5, radius=0.25, wavelength=0.69)
        step = 1e-4  # degrees; the difference is exact to step^2 and rounding / step
        numeric = (array.steering(50 + step) - array.steering(50 - step)) / np.deg2rad(2 * step)
        np.testing.assert_allclose(array.steering_derivative(50.0), numeric, atol=1e-6)
        with self.assertRaisesRegex(ValueError, "with_respect_to"):
            array.steering_derivative(50.0, with_respect_to="colour")

    def test_bad_arrays_are_named(self):
        for call, name in (
            (lambda: bearing.array.ula(n=0, spacing=0.5), "n is 0"),
            (lambda: bearing.array.ula(n=4, spacing=0.0), "spacing"),
            (lambda: bearing.array.ula(n=4, spacing=-1.0), "spacing"),
            (lambda: bearing.array.uca(n=4, radius=float("nan")), "radius"),
            (lambda: bearing.array.uca(n=4, radius=1.0, wavelength=0.0), "wavelength"),
            (lambda: bearing.array.custom([[0, 0], [0, 0], [1, 1]]), "coincide"),
            (lambda: bearing.array.custom([[0.0], [1.0]]), "columns"),
        ):
            with self.assertRaisesRegex(ValueError, name):
                call()


class qa_calibration(unittest.TestCase):
    def test_parts_gauge_and_file(self):
        rng = np.random.default_rng(1)
        gains = rng.normal(size=4) + 1j * rng.normal(size=4)
        coupling = np.eye(4) + 0.1j * rng.normal(size=(4, 4)) * (1 - np.eye(4))
        cal = bearing.calibration(gains=gains, positions=0.01 * rng.normal(size=(4, 3)),
                                  coupling=coupling, reference=1, frequency=868e6,
                                  sigma_phase_rad=[0, 0.1, 0.1, 0.1])
        self.assertIsNone(cal.sigma_log_gain)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "array.json"
            cal.save(path)
            loaded = bearing.load_calibration(path)
            again = bearing.load_calibration(str(path))
            again.save(str(path))
            self.assertEqual([p.name for p in Path(folder).iterdir()], ["array.json"])
        np.testing.assert_array_equal(again.gains, cal.gains)
        for part in ("gains", "positions", "coupling", "sigma_phase_rad"):
            np.testing.assert_array_equal(getattr(loaded, part), getattr(cal, part))
        self.assertEqual((loaded.reference, loaded.frequency), (1, 868e6))
        self.assertGreater(loaded.time, 1.5e9)

        array = bearing.array.ula(n=4, spacing=0.5)
        p = array.positions + cal.positions
        u = np.array([np.sin(0.5), np.cos(0.5), 0.0])
        np.testing.assert_allclose(array.calibrated(cal).steering(np.rad2deg(0.5))[:, 0],
                                   coupling @ (gains * np.exp(2j * np.pi * p @ u)))

    def test_calibrated_merges_and_with_calibration_replaces(self):
        offsets = np.full((3, 3), 0.01)
        drawn = bearing.array.ula(n=3, spacing=0.5)
        array = drawn.calibrated(bearing.calibration([1, 1j, -1], offsets, reference=1))
        gains = bearing.calibration([1, 2, 3])
        np.testing.assert_array_equal(array.calibrated(gains).calibration.positions, offsets)
        replaced = array.with_calibration(gains).calibration
        np.testing.assert_array_equal(replaced.gains, [1, 2, 3])
        self.assertIsNone(replaced.positions)
        self.assertEqual(replaced.reference, 0)
        np.testing.assert_array_equal(
            array.with_calibration(bearing.calibration()).steering(20.0), drawn.steering(20.0))
        with self.assertRaisesRegex(ValueError, "gains describes 2"):
            array.with_calibration(bearing.calibration([1, 2]))

    def test_it_shows_what_it_holds(self):
        self.assertEqual(repr(bearing.calibration()), "<bearing.calibration: nothing>")
        self.assertEqual(repr(bearing.calibration(gains=[1, 1j], coupling=np.eye(2))),
                         "<bearing.calibration: gains, coupling of 2 elements>")

    def test_errors(self):
        with self.assertRaisesRegex(ValueError, "gains"):
            bearing.calibration(gains=[1.0, float("inf")])
        with self.assertRaisesRegex(ValueError, "coupling"):
            bearing.calibration(coupling=2 * np.eye(3))
        with self.assertRaisesRegex(ValueError, "gains describes 3"):
            bearing.array.ula(n=4, spacing=0.5).calibrated(bearing.calibration(gains=[1, 1, 1]))
        with self.assertRaisesRegex(RuntimeError, "/no/such/file"):
            bearing.load_calibration("/no/such/file")
        with self.assertRaisesRegex(ValueError, "nothing to save"):
            bearing.calibration().save("never")


class qa_functions(unittest.TestCase):
    def test_simulate_and_covariance(self):
        array = bearing.array.uca(n=5, radius=0.4)
        x = core.simulate(array, [40.0, 200.0], [10.0, 3.0], 20000, seed=3)
        self.assertEqual((x.shape, x.dtype), ((5, 20000), np.dtype(np.complex64)))
        r = core.covariance(x)
        self.assertEqual(r.dtype, np.dtype(np.complex64))
        np.testing.assert_array_equal(r, r.conj().T)
        # Single precision products, double sums: 3e-6 of the largest power.
        reference = x.astype(complex) @ x.conj().T.astype(complex) / 20000
        np.testing.assert_allclose(r, reference, atol=3e-6 * np.abs(reference).max())
        a = array.steering([40.0, 200.0])
        population = a @ np.diag([10.0, 10**0.3]) @ a.conj().T + np.eye(5)
        # Entries scatter by up to 13 / sqrt(20000) = 0.09; five of these.
        np.testing.assert_allclose(r, population, atol=0.45)
        np.testing.assert_array_equal(
            x, core.simulate(array, [40.0, 200.0], [10.0, 3.0], 20000, seed=3))
        coherent = core.covariance(
            core.simulate(array, [40.0, 200.0], 20.0, 2000, 3, coherent=True))
        # One waveform: one strong eigenvalue, the second is noise.
        self.assertLess(np.linalg.eigvalsh(coherent)[-2], 1.5)

    def test_covariance_reads_any_layout(self):
        x = core.simulate(bearing.array.ula(n=3, spacing=0.5), 10.0, 5.0, 100, 1)
        reference = core.covariance(x)
        np.testing.assert_array_equal(core.covariance(np.ascontiguousarray(x)), reference)
        np.testing.assert_array_equal(core.covariance(np.repeat(x, 2, axis=1)[:, ::2]), reference)
        for backwards in (x[::-1], x[:, ::-1], x[::-1, ::-2]):
            np.testing.assert_array_equal(
                core.covariance(backwards), core.covariance(backwards.copy(order="C")))
        # Samples between other fields: steps that are no whole number of samples.
        records = np.zeros(x.shape, [("flag", "u1"), ("sample", np.complex64)])
        records["sample"] = x
        np.testing.assert_array_equal(core.covariance(records["sample"]), reference)

    def test_covariance_of_repeated_samples_reads_no_other_memory(self):
        row = np.array([1.0, 2.0j, -3.0], np.complex64)
        for x in (np.broadcast_to(row, (4, 3)), np.broadcast_to(row[:, None], (3, 5)),
                  np.broadcast_to(np.complex64(2j), (2, 7)), np.broadcast_to(row, (1, 3)),
                  np.broadcast_to(row[:, None], (3, 1))):
            with self.subTest(strides=x.strides, shape=x.shape):
                # Integers: exact in any order of summation; T = 3, 5, 7 divide with one rounding.
                expected = x @ x.conj().T / max(x.shape[1], 1)
                np.testing.assert_allclose(core.covariance(x), expected, rtol=1.2e-7)

    def test_covariance_converts_other_types(self):
        x = np.array([[1, 2, 3], [4, -5, 6]])
        for samples in (x, x.astype(float), x.astype(complex), x.astype(">c8"), x.tolist()):
            np.testing.assert_allclose(core.covariance(samples), x @ x.T / 3, rtol=1.2e-7)

    def test_covariance_names_x(self):
        for x in (np.ones(4), np.complex64(1), np.ones((2, 3, 4)), np.ones((0, 5)),
                  np.ones((65, 2))):
            with self.assertRaisesRegex(ValueError, "^X "):
                core.covariance(x)

    def test_estimators_find_the_sources(self):
        line = bearing.array.ula(n=8, spacing=0.5)
        r = exact(line, [-12.0, 34.0])
        for name in ("music", "root_music"):
            result = getattr(core, name)(r, line, 2, 100)
            with self.subTest(name):
                np.testing.assert_allclose(np.sort(result.angles_deg), [-12, 34], atol=1e-5)
                np.testing.assert_allclose(result.power_db, 15, atol=0.05)
                self.assertEqual(result.status, "ok")
                self.assertTrue(np.all(result.std_deg > 0))
        for name in ("bartlett", "capon"):
            result = getattr(core, name)(r, line, num_sources=2)
            with self.subTest(name):
                np.testing.assert_allclose(np.sort(result.angles_deg), [-12, 34], atol=1.0)
                self.assertEqual(result.spectrum_db.shape, (512,))
                self.assertTrue(np.all(np.isnan(result.std_deg)))

    def test_the_grid_is_the_callers(self):
        circle = bearing.array.uca(n=5, radius=0.4)
        grid = np.arange(0.0, 360.0, 2.0)
        result = core.music(exact(circle, [101.3]), circle, 1, 100, grid)
        np.testing.assert_allclose(result.grid_deg, grid, atol=1e-12)
        self.assertAlmostEqual(result.angles_deg[0], 101.3, places=6)
        self.assertEqual(grid[np.argmax(result.spectrum_db)], 102.0)
        self.assertEqual(core.root_music(exact(bearing.array.ula(n=4, spacing=0.5), [3.0]),
                                         bearing.array.ula(n=4, spacing=0.5), 1, 10
                                         ).spectrum_db.size, 0)
        with self.assertRaisesRegex(ValueError, "ascending"):
            core.music(exact(circle, [101.3]), circle, 1, 100, [3.0, 2.0, 1.0])

    def test_zero_sources_means_count_them(self):
        circle = bearing.array.uca(n=7, radius=0.6)
        r = exact(circle, [10.0, 120.0, 250.0])
        self.assertEqual(core.count_sources(r, 1000), 3)
        self.assertEqual(core.music(r, circle, 0, 1000).num_sources, 3)
        for method in ("ratio", "mdl", "aic"):
            self.assertEqual(core.count_sources(r, 1000, method), 3)
            self.assertEqual(core.count_sources(np.eye(7), 1000, method), 0)
            self.assertEqual(core.count_sources(np.zeros((7, 7)), 1000, method), 0)
            self.assertEqual(core.count_sources(np.full((7, 7), np.nan), 1000, method), 0)

    def test_bad_input_is_an_error_that_names_it(self):
        line = bearing.array.ula(n=4, spacing=0.5)
        r = exact(line, [5.0])
        for call, name in (
            (lambda: core.music(r, line, 4, 10), "num_sources is 4"),
            (lambda: core.music(r, line, -1, 10), "num_sources is -1"),
            (lambda: core.music(r, line, 1, -1), "snapshots is -1"),
            (lambda: core.music(r[:3, :3], line, 1, 10), "R is 3 x 3"),
            (lambda: core.root_music(r, line, 1, 10, variant="complicated"), "variant"),
            (lambda: core.root_music(r, bearing.array.uca(n=4, radius=1.0), 1, 10, "real"),
             "uniform line"),
            (lambda: core.root_music(r, line, 2, 10, "real"), "num_sources is 2.*real"),
            (lambda: core.root_music(r, line, 1, 10, mirror="glass"), "mirror"),
            (lambda: core.count_sources(r, 0), "snapshots is 0"),
            (lambda: core.count_sources(r, 10, "guess"), "method"),
            (lambda: core.count_sources(r[:, :2], 10), "square"),
            (lambda: core.predict_std_deg(r, line, [5.0], 10, variant="x"), "variant"),
            (lambda: core.predict_std_deg(r, line, [5.0], 10, theory="x"), "theory"),
            (lambda: core.crb_deg(line, [], 10.0, 10), "angles"),
            (lambda: core.crb_deg(line, [1.0, 2.0], [1.0, 2.0, 3.0], 10), "snr_db"),
            (lambda: core.simulate(line, [1.0], 10.0, 0, 1), "snapshots"),
            (lambda: core.simulate(line, [1.0, 2.0], [1.0, 2.0, 3.0], 10, 1), "snr_db"),
            (lambda: core.simulate(line, [float("nan")], 10.0, 10, 1), "angles|azimuth"),
            (lambda: core.spatial_smoothing(r, 9), "subarray_size"),
            (lambda: core.covariance(np.zeros((3, 0), np.complex64)), "X has 0 snapshots"),
        ):
            with self.assertRaisesRegex(ValueError, name):
                call()

    def test_bad_data_is_a_status(self):
        circle = bearing.array.uca(n=5, radius=0.4)
        dead = exact(circle, [50.0])
        dead[2] = dead[:, 2] = 0
        for r in (np.zeros((5, 5)), np.full((5, 5), np.nan), dead):
            for estimate in (lambda: core.music(r, circle, 2, 100),
                             lambda: core.capon(r, circle, num_sources=2),
                             lambda: core.bartlett(r, circle, num_sources=2)):
                result = estimate()
                self.assertEqual(result.status, "bad_data")
                self.assertEqual(result.angles_deg.shape, (2,))
                self.assertTrue(np.all(np.isnan(result.angles_deg)))
        self.assertEqual(core.music(np.eye(5), circle, 0, 100).status, "no_source")

    def test_smoothing_restores_coherent_sources(self):
        line = bearing.array.ula(n=10, spacing=0.5)
        a = line.steering([-20.0, 15.0]) @ np.array([1.0, np.exp(0.7j)])
        r = 100 * np.outer(a, a.conj()) + np.eye(10)
        smoothed = core.spatial_smoothing(r, 7)
        found = core.music(smoothed, bearing.array.ula(n=7, spacing=0.5), 2, 1000).angles_deg
        np.testing.assert_allclose(np.sort(found), [-20, 15], atol=1e-5)
        self.assertEqual(np.linalg.eigvalsh(r)[-2:].round(6)[0], 1.0)


if __name__ == "__main__":
    unittest.main()

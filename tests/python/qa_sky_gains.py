#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Closed-form gains from Python: simulated pilots and skies, and a real sky of satellites."""

import unittest

import numpy as np
from gnuradio import bearing
from support import reference_data

core = bearing.core
SPEED_OF_LIGHT = 299792458.0


class qa_real_sky(unittest.TestCase):
    """A 24-receiver array at 1575.42 MHz that nobody calibrated, and 16 satellites."""

    def setUp(self):
        records = np.load(reference_data("data", "tart24", "tart24.npz"))
        self.r = records["R"]
        self.azimuth = records["satellite_azimuth_deg"]
        self.elevation = records["satellite_elevation_deg"]
        self.array = bearing.array.custom(
            records["positions_m"], wavelength=SPEED_OF_LIGHT / float(records["frequency_hz"]))

    def power(self, array, azimuth, elevation):
        cross = self.r - np.diag(np.diag(self.r))
        a = array.steering(azimuth, elevation)
        return np.einsum("ns,nm,ms->s", a.conj(), cross, a).real

    def arrays_without(self, folds):
        """The array calibrated on all satellites but those of each fold."""
        arrays = []
        for out in folds:
            kept = np.setdiff1d(np.arange(16), out)
            fit = core.sky_gains(self.r, self.array, self.azimuth[kept], self.elevation[kept])
            arrays.append(self.array.calibrated(fit.calibration))
        return arrays

    def significance(self, arrays, folds):
        """How far the satellites that each array does not know of stand out of its sky, in 20
        draws of directions to compare with."""
        values = []
        for seed in range(20):
            generator = np.random.default_rng(seed)
            sky = generator.uniform(0, 360, 400), generator.uniform(20, 90, 400)
            at, elsewhere = [], []
            for array, out in zip(arrays, folds):
                at.append(self.power(array, self.azimuth[out], self.elevation[out]))
                elsewhere.append(self.power(array, *sky))
            at, elsewhere = np.concatenate(at), np.concatenate(elsewhere)
            values.append((at.mean() - elsewhere.mean()) / elsewhere.std() * np.sqrt(at.size))
        return np.array(values)

    def test_the_fit_is_sure_of_itself(self):
        fit = core.sky_gains(self.r, self.array, self.azimuth, self.elevation)
        self.assertEqual(fit.status, "ok")
        # A few degrees to some fifteen: the sources are weak.
        self.assertLess(fit.calibration.sigma_phase_rad.max(), 0.4)
        self.assertGreater(fit.calibration.sigma_phase_rad.min(), 0.05)

    def test_satellites_left_out_stand_out_of_the_sky(self):
        for name, folds in (("neighbours in the list", np.arange(16).reshape(8, 2)),
                            ("eight apart in the list", np.arange(16).reshape(2, 8).T)):
            before = self.significance([self.array] * 8, folds)
            after = self.significance(self.arrays_without(folds), folds)
            print(f"{name}: z {before.mean():.2f} uncalibrated, {after.mean():.2f} calibrated "
                  f"({after.min():.2f} .. {after.max():.2f} over draws of directions)")
            # Uncalibrated there is nothing to be seen.
            self.assertLess(before.max(), 2.0)
            self.assertGreaterEqual(after.mean(), 6.0)
            # One draw of 400 directions moves it by some 0.5.
            self.assertGreater(after.min(), 5.0)

    def test_wrong_skies_do_not(self):
        # Satellites within a beam of each other, up to 6 degrees, are left out together: one
        # that the fit knows would light up the other, in a wrong sky too.
        folds = [[8, 15], [10, 13], [0, 9], [4, 11], [1, 3], [6, 12], [2, 5], [7, 14]]
        right = self.significance(self.arrays_without(folds), folds).mean()
        measured, azimuth = self.r, self.azimuth
        wrong = []
        for r, angles in ((measured.conj(), azimuth), (measured, -azimuth),
                          (measured, azimuth + 90), (measured, azimuth + 200)):
            self.r, self.azimuth = r, angles
            wrong.append(self.significance(self.arrays_without(folds), folds).mean())
        print(f"z {right:.2f}; in wrong skies {np.round(wrong, 2)}")
        # Of 15 turned skies: 0.2 +- 0.9.
        self.assertGreater(right, 5.0)
        self.assertLess(max(wrong), 3.0)


class qa_sky_gains(unittest.TestCase):
    def setUp(self):
        generator = np.random.default_rng(1)
        self.array = bearing.array.custom(generator.uniform(-2, 2, (10, 2)))
        self.azimuth = generator.uniform(0, 360, 12)
        self.elevation = generator.uniform(-20, 80, 12)
        self.gains = np.exp(generator.normal(0, 0.3, 10) + 2j * np.pi * generator.uniform(size=10))
        self.powers = generator.uniform(0.02, 0.05, 12)

    def covariance(self, elevation):
        a = self.gains[:, None] * self.array.steering(self.azimuth, elevation)
        return (a * self.powers) @ a.conj().T + np.eye(10)

    def test_gains_and_powers_come_back(self):
        for elevation in (self.elevation, 30.0):
            fit = core.sky_gains(self.covariance(elevation), self.array, self.azimuth, elevation)
            self.assertEqual(fit.status, "ok")
            # Alternation ends where it moves the residual no more.
            np.testing.assert_allclose(
                fit.calibration.gains, self.gains / self.gains[0], atol=1e-6)
            np.testing.assert_allclose(
                fit.power, self.powers * abs(self.gains[0]) ** 2, rtol=1e-5)
            self.assertLess(fit.residual, 1e-6)
            np.testing.assert_array_equal(fit.calibration.positions, np.zeros((10, 3)))

    def test_bad_arguments_are_named(self):
        r = self.covariance(0.0)
        for arguments, name in (
            ((r, self.array, self.azimuth, self.elevation[:5]), "elevation"),
            ((r, self.array, []), "azimuth"),
            ((r[:5, :5], self.array, self.azimuth), "covariance"),
            ((r, self.array, self.azimuth, 0.0, 0), "starts"),
        ):
            with self.assertRaisesRegex(ValueError, name):
                core.sky_gains(*arguments)
        self.assertEqual(
            core.sky_gains(0 * r, self.array, self.azimuth).status, "bad_data")


class qa_pilot_gains(unittest.TestCase):
    def setUp(self):
        self.array = bearing.array.uca(n=5, radius=0.3828)
        self.gains = np.array([1, 0.8j, -1.2, 0.5 - 0.5j, 1.1])
        self.truth = self.array.calibrated(bearing.calibration(gains=self.gains))

    def covariance(self, angles, seed=1):
        return core.covariance(core.simulate(self.truth, angles, 15.0, 200, seed))

    def test_labels_are_shaped_as_covariances_are(self):
        one = self.covariance([40.0])
        two = self.covariance([40.0, 170.0])
        stack = np.array([one, self.covariance([210.0])])
        for rs, labels in ((one, 40.0), (one, [40.0]), (one[None], [[40.0]]),
                           (two, [40.0, 170.0]), (two, [[40.0, 170.0]]),
                           (stack, [40.0, 210.0]), (list(stack), [[40.0], [210.0]])):
            fit = core.pilot_gains(rs, self.array, labels, snapshots=200)
            self.assertEqual(fit.status, "ok")
            # 15 dB and 200 snapshots: 0.01 an element; two sources cost some more.
            np.testing.assert_allclose(fit.calibration.gains, self.gains, atol=0.1)
            self.assertLess(fit.calibration.sigma_phase_rad.max(), 0.05)

    def test_the_calibrated_array_points_right(self):
        fit = core.pilot_gains(
            np.array([self.covariance([a], seed=3) for a in (10.0, 130.0)]), self.array,
            [10.0, 130.0], elevation_deg=[0.0, 0.0], snapshots=200)
        array = self.array.calibrated(fit.calibration)
        estimate = core.music(self.covariance([77.0], seed=9), array, 1, 200)
        self.assertEqual(estimate.status, "ok")
        # The error is dominated by that of the bearing itself: about 0.15 degrees.
        self.assertLess(abs(estimate.angles_deg[0] - 77.0), 0.8)

    def test_deviations_need_snapshots(self):
        fit = core.pilot_gains(self.covariance([40.0]), self.array, 40.0)
        self.assertEqual(fit.status, "ok")
        self.assertIsNone(fit.calibration.sigma_phase_rad)

    def test_bad_arguments_are_named(self):
        r = self.covariance([40.0])
        for arguments, name in (
            ((r, self.array, [[1.0], [2.0]]), "azimuth has 2 rows"),
            ((np.array([r, r]), self.array, [1.0, 2.0], [[1.0, 2.0]]), "elevation"),
            ((r, self.array, np.arange(5.0)), "columns"),
            ((r[0], self.array, 1.0), "dimensions"),
            ((r, self.array, np.zeros((1, 1, 1))), "labels_deg"),
            ((r, self.array, 1.0, 0.0, -1), "snapshots"),
        ):
            with self.assertRaisesRegex(ValueError, name):
                core.pilot_gains(*arguments)
        self.assertEqual(core.pilot_gains(r, self.array, np.nan).status, "bad_data")


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Subspace fitting: the block, and the statistics of the function.

Reduced sizes by default; BEARING_TEST_FULL=1 runs the full ones.
"""

import numpy as np
from gnuradio import bearing, gr_unittest

from estimator_block_tests import (
    DeviationBlockTests,
    EstimatorBlockTests,
    Flowgraph,
    circle_positions,
    covariance,
    run,
    scene,
    steering,
)
from support import FULL

core = bearing.core


def errors_deg(result, angles):
    """Of the estimates in order of azimuth, wrapped; and their predicted deviations."""
    order = np.argsort(result.angles_deg)
    return (result.angles_deg[order] - angles + 180) % 360 - 180, result.std_deg[order]


class SubspaceFitTests(EstimatorBlockTests, DeviationBlockTests):
    few_points = {}  # no spectrum

    def make(self, array, num_sources, **options):
        return bearing.subspace_fit(array, num_sources, self.method, **options)

    def test_more_sources_than_the_rank_of_the_covariance_are_not_trusted(self):
        # Here coherent sources are: a rank of one is what two of them have.
        a = [steering(self.positions, -30.0), steering(self.positions, 35.0)]
        r = covariance(a[0] + 0.7j * a[1], 20.0)
        (report,) = run(self.make(self.line, 2, snapshots=100), [r])
        self.assertEqual(report.status, "ok")
        self.assert_angles(report, [-30.0, 35.0])
        self.assertTrue(np.all(report.std_deg < 1.0))
        # The amplitudes' squares, 1 and 0.49, 20 dB up.
        np.testing.assert_allclose(report.power_db, [20.0, 20 + 20 * np.log10(0.7)], atol=0.01)
        # A third one has nothing to stand on.
        (report,) = run(self.make(self.line, 3, snapshots=100), [r])
        self.assertNotEqual(report.status, "ok")
        self.assertEqual(len(report.angles_deg), 3)
        self.assertTrue(np.all(np.isnan(report.std_deg)))

    def test_coherent_sources_on_a_circle(self):
        positions = circle_positions(8, 0.6)
        a = [steering(positions, 80.0), steering(positions, 200.0)]
        block = self.make(bearing.array.uca(n=8, radius=0.6), 2, snapshots=500)
        (report,) = run(block, [covariance(a[0] + 0.5j * a[1], 20.0)])
        self.assertEqual(report.status, "ok")
        self.assert_angles(report, [80.0, 200.0])

    def test_it_has_no_stream_output(self):
        self.assertEqual(self.make(self.line, 1).output_signature().max_streams(), 0)

    def test_the_block_says_what_the_function_says(self):
        r = scene(self.positions, [-10.0, 25.0], [10.0, 7.0]).astype(np.complex64)
        (report,) = run(self.make(self.line, 2, snapshots=200), [r])
        expected = core.subspace_fit(r, self.line, 2, 200, self.method)
        self.assertEqual(report.status, expected.status)
        # Single precision in messages.
        np.testing.assert_allclose(report.angles_deg, expected.angles_deg, rtol=1e-6)
        np.testing.assert_allclose(report.std_deg, expected.std_deg, rtol=1e-6)
        np.testing.assert_allclose(report.power_db, expected.power_db, rtol=1e-6)

    def test_the_criterion_changes_while_running(self):
        block = self.make(self.line, 1)
        other = {"wsf": "dml", "dml": "wsf"}[self.method]
        with Flowgraph(block, [self.r], rate=500) as running:
            running.until(lambda report: report.method == self.method)
            block.set_criterion(other)
            running.until(lambda report: report.method == other)
            with self.assertRaisesRegex(ValueError, "criterion.*wsf.*dml"):
                block.set_criterion("music")

    def test_an_unknown_criterion_is_refused(self):
        with self.assertRaisesRegex(ValueError, "criterion is 'WSF'.*wsf.*dml"):
            bearing.subspace_fit(self.line, 1, "WSF")
        with self.assertRaisesRegex(ValueError, "criterion is 'ml'.*wsf.*dml"):
            core.subspace_fit(self.r, self.line, 1, 100, criterion="ml")
        with self.assertRaisesRegex(ValueError, "criterion is 'ml'.*wsf.*dml"):
            core.predict_fit_std_deg(self.r, self.line, [20.0], 100, criterion="ml")


class qa_wsf(SubspaceFitTests, gr_unittest.TestCase):
    method = "wsf"

    def test_weighted_subspace_fitting_is_the_default(self):
        (report,) = run(bearing.subspace_fit(self.line, 1), [self.r])
        self.assertEqual(report.method, "wsf")


class qa_dml(SubspaceFitTests, gr_unittest.TestCase):
    method = "dml"


class qa_efficiency(gr_unittest.TestCase):
    """The errors are those predicted from the exact covariance."""

    # The ratio from n trials has a relative standard deviation of 1 / sqrt(2 n): 0.5 % at
    # 20 000, 2.9 % at 600. What the theory of many snapshots leaves out is up to 3 % here
    # (20 000 trials), so a ratio stays three deviations within the limit. Of all of them, two a
    # case and criterion, the mean has a deviation of 0.8 % (errors of both criteria from the same
    # data are nearly the same), and three of those beside the 3 %.
    TRIALS = 20000 if FULL else 600
    LIMIT = 0.08 if FULL else 0.12
    LIMIT_OF_MEAN = 0.055

    # array, angles, SNR in dB, snapshots, coherent
    CASES = {
        "line of 16, 5 degrees, 10 dB": (
            bearing.array.ula(n=16, spacing=0.5), [0.0, 5.0], 10.0, 64, False),
        "line of 8, 3 degrees, 20 dB": (
            bearing.array.ula(n=8, spacing=0.5), [10.0, 13.0], 20.0, 200, False),
        "line of 8, 20 degrees, 0 dB": (
            bearing.array.ula(n=8, spacing=0.5), [30.0, 50.0], 0.0, 200, False),
        "circle of 8, 20 degrees, 10 dB": (
            bearing.array.uca(n=8, radius=0.588), [75.0, 95.0], 10.0, 64, False),
        "line of 16, coherent, 10 degrees, 15 dB": (
            bearing.array.ula(n=16, spacing=0.5), [0.0, 10.0], 15.0, 100, True),
        "line of 16, coherent, 5 degrees, 15 dB": (
            bearing.array.ula(n=16, spacing=0.5), [0.0, 5.0], 15.0, 100, True),
        "circle of 8, coherent, 50 degrees, 15 dB": (
            bearing.array.uca(n=8, radius=0.588), [75.0, 125.0], 15.0, 100, True),
    }  # fmt: skip

    def test_errors_of_close_and_of_coherent_pairs_are_as_predicted(self):
        ratios = []
        for name, (array, angles, snr_db, snapshots, coherent) in self.CASES.items():
            a = array.steering(np.array(angles))
            power = 10 ** (snr_db / 10)
            source = np.ones((2, 2)) if coherent else np.eye(2)
            r = power * a @ source @ a.conj().T + np.eye(array.n)
            for criterion in ("wsf", "dml"):
                with self.subTest(name, criterion=criterion):
                    predicted = core.predict_fit_std_deg(r, array, angles, snapshots, criterion)
                    square = np.zeros(2)
                    for trial in range(self.TRIALS):
                        x = core.simulate(
                            array, angles, snr_db, snapshots, seed=trial, coherent=coherent)
                        result = core.subspace_fit(
                            core.covariance(x), array, 2, snapshots, criterion)
                        square += errors_deg(result, angles)[0] ** 2
                    ratio = np.sqrt(square / self.TRIALS) / predicted
                    print(f"{name}, {criterion}: predicted {predicted.round(4)} degrees, "
                          f"RMSE / predicted {ratio.round(3)}")
                    ratios.extend(ratio)
                    np.testing.assert_allclose(ratio, 1.0, atol=self.LIMIT)
                    if criterion == "wsf" and not coherent:
                        bound = core.crb_deg(array, angles, snr_db, snapshots)
                        # Rounding: close pairs take six digits of sixteen.
                        np.testing.assert_allclose(predicted, bound, rtol=1e-8)
        print(f"RMSE / predicted: mean {np.mean(ratios):.4f}")
        self.assertAlmostEqual(np.mean(ratios), 1.0, delta=self.LIMIT_OF_MEAN)

    def test_coherent_pairs_are_resolved_where_music_is_lost(self):
        rng = np.random.default_rng(3)
        fitted, music = [], []
        for trial in range(200):
            # A sparse and uneven line of elements that differ, known to the estimators.
            n = 16
            x = np.arange(n) / 2 + rng.uniform(-0.25, 0.25, n)
            gains = 1 + (rng.normal(0, 0.3, n) + 1j * rng.normal(0, 0.3, n))
            array = bearing.array.custom(np.stack([x, 0 * x], axis=1)).calibrated(
                bearing.calibration(gains=gains))
            first = rng.uniform(-50, 40)
            angles = np.array([first, first + 10.0])
            r = core.covariance(
                core.simulate(array, angles, 15.0, 100, seed=trial, coherent=True))
            result = core.subspace_fit(r, array, 2, 100, "dml")
            fitted.append(errors_deg(result, angles)[0])
            music.append(errors_deg(core.music(r, array, 2, 100), angles)[0])
        fitted, music = np.median(np.abs(fitted)), np.median(np.abs(music))
        print(f"coherent pairs 10 degrees apart: median error of DML {fitted:.4f} degrees, "
              f"of MUSIC {music:.4f}")
        # Predicted deviations are 0.015 to 0.03 degrees, by the direction.
        self.assertLess(fitted, 0.03)
        self.assertGreater(music, 10 * fitted)


class qa_coverage(gr_unittest.TestCase):
    """The 95 % interval of published deviations covers the truth in 93 to 97 % of cases."""

    # A coverage of 0.95 from n intervals has a standard deviation of sqrt(.0475 / n): 0.6 %
    # at the 1300 of 700 scenes, so the limits of 2 % are three deviations away. All kinds
    # together have twelve times as many, where both criteria see the same data: 0.25 %, and 1 %
    # is four deviations away.
    SCENES = 10000 if FULL else 700

    def array(self, rng, kind):
        n = int(rng.integers(5, 17))
        if kind == "line":
            return bearing.array.ula(n=n, spacing=0.5)
        if kind == "circle":
            return bearing.array.uca(n=n, radius=0.45 / (2 * np.sin(np.pi / n)))
        return bearing.array.custom(rng.uniform(-0.25, 0.25, (n, 2)) * np.sqrt(n))

    def coherent_covariance(self, rng, array, angles, snr_db, snapshots):
        """The second source is an echo of the first, of any phase and up to 6 dB weaker."""
        def noise(*shape):
            return (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / np.sqrt(2)

        amplitude = np.full(len(angles), 10 ** (snr_db / 20))
        waveforms = noise(len(angles), snapshots)
        waveforms[1] = waveforms[0] * np.exp(2j * np.pi * rng.uniform())
        amplitude[1] *= 10 ** (-rng.uniform(0, 6) / 20)
        x = array.steering(angles) @ (amplitude[:, None] * waveforms)
        return core.covariance((x + noise(array.n, snapshots)).astype(np.complex64))

    def coverage(self, kind, criterion, coherent):
        rng = np.random.default_rng(77 + coherent)
        covered = published = sources = lost = 0
        for trial in range(self.SCENES):
            array = self.array(rng, kind)
            # Coherent ones must be fewer than the data can tell.
            k = int(rng.integers(2, 4 if array.n > 5 else 3) if coherent else rng.integers(1, 4))
            low, high = (-80.0, 80.0) if kind == "line" else (0.0, 360.0)
            angles = rng.uniform(low, high, k)
            snr_db, snapshots = rng.uniform(-5.0, 25.0), int(2 ** rng.uniform(4, 9))
            if coherent:
                r = self.coherent_covariance(rng, array, angles, snr_db, snapshots)
            else:
                r = core.covariance(
                    core.simulate(array, angles, snr_db, snapshots, seed=trial))
            result = core.subspace_fit(r, array, k, snapshots, criterion)
            sources += k
            for angle, std in zip(result.angles_deg, result.std_deg):
                if np.isfinite(std):
                    error = np.abs((angle - angles + 180) % 360 - 180).min()
                    covered += error < 1.96 * std
                    lost += error > 5 * std
                    published += 1
        print(f"{kind}, {criterion}, {'coherent' if coherent else 'independent'}: coverage "
              f"{covered / published:.4f}, {published / sources:.3f} of {sources} published")
        # The gates may not buy coverage by publishing little.
        self.assertGreater(published, 0.7 * sources)
        # A bearing that has nothing to do with a source must not carry a deviation.
        self.assertLess(lost, 0.002 * published)
        self.assertGreater(covered / published, 0.93)
        self.assertLess(covered / published, 0.97)
        return np.array([covered, published])

    def test_coverage_on_random_scenes(self):
        sums = np.zeros(2)
        for kind in ("line", "circle", "random planar array"):
            for criterion in ("wsf", "dml"):
                for coherent in (False, True):
                    with self.subTest(kind, criterion=criterion, coherent=coherent):
                        sums += self.coverage(kind, criterion, coherent)
        print(f"all: coverage {sums[0] / sums[1]:.4f} of {sums[1]:.0f} intervals")
        self.assertAlmostEqual(sums[0] / sums[1], 0.95, delta=0.01)

    def test_sources_that_are_not_there_carry_no_deviation(self):
        published = 0
        for array in (bearing.array.ula(n=8, spacing=0.5), bearing.array.uca(n=5, radius=0.4)):
            for trial in range(200):
                r = core.covariance(core.simulate(array, [33.0], 15.0, 100, seed=trial))
                for k in (2, 3):
                    result = core.subspace_fit(r, array, k, 100)
                    published += np.isfinite(result.std_deg).any()
        # Of 800; the limit of the misfit is passed in one case of ten thousand.
        self.assertLessEqual(published, 1)


class qa_small_arrays(gr_unittest.TestCase):
    """Few elements leave other directions that explain the data as well: say so."""

    SCENES = 3000 if FULL else 300

    def published_and_lost(self, rng, array, num_sources):
        angles = rng.uniform(0.0, 360.0, num_sources)
        snr_db, snapshots = rng.uniform(0.0, 35.0), int(2 ** rng.uniform(4, 9))
        x = core.simulate(array, angles, snr_db, snapshots, seed=int(rng.integers(1 << 30)))
        result = core.subspace_fit(core.covariance(x), array, num_sources, snapshots)
        error = np.abs((result.angles_deg[:, None] - angles + 180) % 360 - 180).min(axis=1)
        return np.array([np.isfinite(result.std_deg), error > 5 * result.std_deg]).sum(axis=1)

    def test_directions_that_could_be_others_carry_no_deviation(self):
        rng = np.random.default_rng(12)
        for n in (3, 4, 5):
            circle = bearing.array.uca(n=n, radius=0.45 / (2 * np.sin(np.pi / n)))
            for k in range(1, n):
                for kind in ("circle", "planar"):
                    sums = np.zeros(2, int)
                    for _ in range(self.SCENES):
                        array = circle if kind == "circle" else bearing.array.custom(
                            rng.uniform(-0.25, 0.25, (n, 2)) * np.sqrt(n))
                        sums += self.published_and_lost(rng, array, k)
                    published, lost = sums
                    print(f"{kind} of {n}, {k} sources: {published} published, {lost} lost")
                    with self.subTest(kind, n=n, k=k):
                        # A Gaussian error is beyond five deviations in less than one case
                        # of a million; 0.3 % is what the errors' tails may add, and one more
                        # is for chance at this size. Where no test for other directions is
                        # made it is 2 to 27 %.
                        self.assertLessEqual(lost, 0.003 * published + 1)
                        if k == n - 1:
                            self.assertEqual(published, 0)
                        elif k <= n // 2:
                            # Silence would pass, too.
                            self.assertGreater(published, 0.5 * k * self.SCENES)


class qa_calibration_floor(gr_unittest.TestCase):
    """Stated calibration errors are part of the predicted deviation."""

    SCENES = 5000 if FULL else 500

    def test_coverage_holds_with_calibration_errors_of_2_degrees_and_02_db(self):
        rng = np.random.default_rng(5)
        phase, gain = np.deg2rad(2.0), 0.2 / 8.685889638
        uncertain = bearing.calibration(
            sigma_phase_rad=np.full(8, phase), sigma_log_gain=np.full(8, gain))
        line, circle = bearing.array.ula(n=8, spacing=0.5), bearing.array.uca(n=8, radius=0.6)
        for drawn, angles, coherent in (
            (line, [5.0, 15.0], False), (line, [5.0, 25.0], True), (circle, [50.0, 90.0], False)
        ):
            stated = drawn.calibrated(uncertain)
            for criterion in ("wsf", "dml"):
                covered = withheld = 0
                for trial in range(self.SCENES):
                    error = rng.normal(0, gain, 8) + 1j * rng.normal(0, phase, 8)
                    real = drawn.calibrated(bearing.calibration(gains=np.exp(error)))
                    r = core.covariance(
                        core.simulate(real, angles, 20.0, 256, trial, coherent=coherent))
                    error, std = errors_deg(core.subspace_fit(r, stated, 2, 256, criterion), angles)
                    covered += np.count_nonzero(np.abs(error) < 1.96 * std)
                    naive = core.subspace_fit(r, drawn, 2, 256, criterion)
                    withheld += naive.status == "model_mismatch"
                covered, withheld = covered / 2 / self.SCENES, withheld / self.SCENES
                print(f"{angles} of {drawn.n}, coherent {coherent}, {criterion}: coverage with "
                      f"stated calibration errors {covered:.3f}, called a mismatch without "
                      f"{withheld:.3f}")
                # Standard deviation of the coverage: 0.7 % from 1000 intervals, and the two of a
                # pair are not independent: up to 1 %, and the limits are two of those away.
                self.assertGreater(covered, 0.93)
                self.assertLess(covered, 0.97)
                # The same errors are far above what noise does at 20 dB.
                self.assertGreater(withheld, 0.95)


if __name__ == "__main__":
    gr_unittest.main()

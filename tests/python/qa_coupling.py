#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mutual coupling on NumPy arrays: the fit, its bound, the tracker, and the networks.

Scenes, covariances, the Fisher information and the networks are written out here with NumPy, so that
nothing under test makes its own oracle. Reduced sizes by default; BEARING_TEST_FULL=1 runs the
full ones.
"""

import json
import os
import pathlib
import struct
import tempfile
import unittest

import numpy as np
from gnuradio import bearing

from support import FULL

core = bearing.core

LINE = bearing.array.ula(n=8, spacing=0.5)
# KrakenSDR: five antennas, a radius of 25 cm at 434 MHz.
CIRCLE = bearing.array.uca(n=5, radius=0.25 / 0.69)

# A line, (c_1, c_2), sources, their powers over the noise.
COEFFICIENTS = [0.4 * np.exp(1j * np.pi / 3), 0.15 * np.exp(1j * np.pi / 10)]
ANGLES_DEG = np.array([12.3, 27.8])
POWERS = np.array([1.0, 0.6])

# The same by a circle.
CIRCLE_COEFFICIENTS = [0.3 * np.exp(1j * np.pi / 3), 0.1 * np.exp(1j * np.pi / 10)]
CIRCLE_ANGLES_DEG = np.array([40.0, 130.0])


# The oracle --------------------------------------------------------------------------


def toeplitz(n, coefficients):
    first = np.r_[1.0, coefficients, np.zeros(n - 1 - len(coefficients))]
    return first[np.abs(np.subtract.outer(range(n), range(n)))]


def circulant(n, coefficients):
    distance = np.abs(np.subtract.outer(range(n), range(n)))
    first = np.r_[1.0, coefficients, np.zeros(n)]
    return first[np.minimum(distance, n - distance)]


def structured(array, coefficients):
    return (toeplitz if array is LINE else circulant)(array.n, coefficients)


def steering(array, angles_deg):
    """exp(+j 2 pi p . u), positions in wavelengths."""
    u = np.stack([np.sin(np.deg2rad(angles_deg)), np.cos(np.deg2rad(angles_deg))])
    return np.exp(2j * np.pi * array.positions[:, :2] @ u)


def covariance(array, coupling, angles_deg, powers, noise=1.0):
    g = coupling @ steering(array, angles_deg)
    return g @ np.diag(powers) @ g.conj().T + noise * np.eye(array.n)


def samples(exact, snapshots, generator):
    """N x T, complex Gaussian with that covariance."""
    shape = len(exact), snapshots
    white = generator.normal(size=shape) + 1j * generator.normal(size=shape)
    return np.linalg.cholesky(exact) @ white / np.sqrt(2)


def sample_covariance(exact, snapshots, generator):
    x = samples(exact, snapshots, generator)
    return x @ x.conj().T / snapshots


def nmse_db(found, true):
    return 20 * np.log10(np.linalg.norm(found - true) / np.linalg.norm(true))


def scene(snr_db=10.0):
    """Coupling and exact covariance of the line's scene; the SNR is that of power 1."""
    coupling = toeplitz(8, COEFFICIENTS)
    return coupling, covariance(LINE, coupling, ANGLES_DEG, 10 ** (snr_db / 10) * POWERS)


def circle_scene(snr_db=10.0):
    coupling = circulant(5, CIRCLE_COEFFICIENTS)
    powers = 10 ** (snr_db / 10) * POWERS
    return coupling, covariance(CIRCLE, coupling, CIRCLE_ANGLES_DEG, powers)


def by_angle(result):
    order = np.argsort(result.angles_deg)
    return result.angles_deg[order]


def fisher_deviations(array, coefficients, angles_deg, powers, snapshots):
    """Of the angles in degrees, from the Fisher information of a Gaussian sample, L Re tr(R^-1 dR_i R^-1
    dR_j), with derivatives by central differences."""
    k, m = len(angles_deg), len(coefficients)
    x0 = np.r_[angles_deg, np.real(coefficients), np.imag(coefficients), np.log(powers), 0.0]

    def r(x):
        angles, re, im, q, v = np.split(x, np.cumsum([k, m, m, k]))
        coupling = structured(array, re + 1j * im)
        return covariance(array, coupling, angles, np.exp(q), np.exp(v[0]))

    h = 1e-5
    steps = h * np.eye(len(x0))
    derivatives = [(r(x0 + s) - r(x0 - s)) / (2 * h) for s in steps]
    inverse = np.linalg.inv(r(x0))
    scaled = [inverse @ d for d in derivatives]
    information = snapshots * np.array(
        [[np.trace(a @ b).real for b in scaled] for a in scaled])
    return np.sqrt(np.diag(np.linalg.inv(information))[:k])


# Weights files -----------------------------------------------------------------------


def read_weights(path):
    """Texts and tensors of a safetensors file."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]
    texts = header.pop("__metadata__")
    tensors = {
        name: np.frombuffer(body[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
        for name, entry in header.items()
    }
    return texts, tensors


def write_weights(path, texts, tensors):
    header, body = {"__metadata__": texts}, b""
    for name, values in tensors.items():
        data = np.asarray(values, "<f4").tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(np.shape(values)),
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    text = json.dumps(header).encode()
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + body)


class Network:
    """The network of a weights file in NumPy, double precision."""

    def __init__(self, path):
        texts, tensors = read_weights(path)
        schedule = json.loads(texts["schedule"])
        beta = np.linspace(schedule["beta_first"], schedule["beta_last"], schedule["steps"])
        self.alpha_bar = np.cumprod(1 - beta)
        self.layers = []
        while f"layer{len(self.layers)}.weight" in tensors:
            name = f"layer{len(self.layers)}"
            self.layers.append(
                (tensors[name + ".weight"].astype(float), tensors[name + ".bias"].astype(float)))
        self.dimension = len(self.layers[-1][1])

    def __call__(self, x, alpha_bar):
        x = np.reshape(x, (self.dimension, -1))
        a = np.geomspace(0.05, 2.0, 8) * 0.5 * np.log(alpha_bar / (1 - alpha_bar))
        features = np.r_[np.sin(a), np.cos(a)][:, None] * np.ones(x.shape[1])
        h = np.vstack([x, features])
        for k, (weight, bias) in enumerate(self.layers):
            h = weight @ h + bias[:, None]
            if k + 1 < len(self.layers):
                h = h / (1 + np.exp(-h))
        return h

    def ddim(self, start, count, y=0.0, variance=np.inf):
        x = start
        ts = np.round(np.linspace(len(self.alpha_bar) - 1, 0, count)).astype(int)
        for k, t in enumerate(ts):
            abar = self.alpha_bar[t]
            x0 = (x - np.sqrt(1 - abar) * self(x, abar)) / np.sqrt(abar)
            x0 = x0 + (1 - abar) / (1 - abar + variance) * (y - x0)
            if k + 1 == count:
                return x0
            noise = (x - np.sqrt(abar) * x0) / np.sqrt(1 - abar)
            abar = self.alpha_bar[ts[k + 1]]
            x = np.sqrt(abar) * x0 + np.sqrt(1 - abar) * noise
        raise AssertionError


# The tests ---------------------------------------------------------------------------


class qa_model(unittest.TestCase):
    def test_coupling_has_the_structure_of_the_array(self):
        np.testing.assert_array_equal(
            core.coupling_matrix(LINE, COEFFICIENTS), toeplitz(8, COEFFICIENTS))
        np.testing.assert_array_equal(
            core.coupling_matrix(CIRCLE, CIRCLE_COEFFICIENTS), circulant(5, CIRCLE_COEFFICIENTS))
        np.testing.assert_array_equal(core.coupling_matrix(LINE, []), np.eye(8))

    def test_an_array_without_structure_and_too_many_coefficients_are_refused(self):
        bent = bearing.array.custom([[0, 0], [0.5, 0], [0.9, 0.3], [0.1, 0.7]])
        with self.assertRaisesRegex(ValueError, "array"):
            core.coupling_matrix(bent, [0.1])
        with self.assertRaisesRegex(ValueError, "coefficients is 9"):
            core.coupling_matrix(LINE, [0.1] * 8)
        with self.assertRaisesRegex(ValueError, "coefficients is 4"):
            core.coupling_matrix(CIRCLE, [0.1] * 3)


class qa_bound(unittest.TestCase):
    def test_it_is_that_of_the_fisher_information(self):
        cases = [
            (LINE, COEFFICIENTS, ANGLES_DEG),
            (LINE, COEFFICIENTS[:1], [-50.0, -20.0]),
            (CIRCLE, CIRCLE_COEFFICIENTS, CIRCLE_ANGLES_DEG),
        ]
        for array, coefficients, angles in cases:
            snr_db = [10.0, 10.0 + 10 * np.log10(0.6)]
            expected = fisher_deviations(
                array, coefficients, angles, 10 ** (np.array(snr_db) / 10), 100)
            found = core.coupling_crb_deg(array, angles, snr_db, 100, coefficients)
            # Central differences of 1e-5 are good to 1e-9; the information's condition, 1e4, takes
            # four digits of them.
            np.testing.assert_allclose(found, expected, rtol=1e-5)

    def test_not_knowing_the_coupling_costs_accuracy(self):
        known = core.crb_deg(LINE, ANGLES_DEG, 10.0, 100)
        unknown = core.coupling_crb_deg(LINE, ANGLES_DEG, 10.0, 100, [0, 0])
        self.assertTrue(np.all(unknown > 1.2 * known), (unknown, known))
        # Without anything unknown it is the ordinary bound, but for what it helps to know that the
        # sources are not correlated: that one does not know.
        uncorrelated = core.coupling_crb_deg(LINE, ANGLES_DEG, 10.0, 100, [])
        self.assertTrue(np.all(uncorrelated <= known))
        np.testing.assert_allclose(uncorrelated, known, rtol=0.01)

    def test_what_cannot_be_known_has_no_bound(self):
        # A single source tells 2 N - 1 numbers, a full Toeplitz matrix and the rest ask for more.
        bound = core.coupling_crb_deg(LINE, [20.0], 10.0, 100, [0.1] * 7)
        self.assertTrue(np.isnan(bound).all())

    def test_bad_arguments_are_named(self):
        for arguments, name in (
            ((LINE, [10.0], 10.0, 0, [0.1]), "snapshots"),
            ((LINE, [10.0, 20.0], [1.0, 2.0, 3.0], 10, [0.1]), "snr_db"),
        ):
            with self.assertRaisesRegex(ValueError, name):
                core.coupling_crb_deg(*arguments)


class qa_fit(unittest.TestCase):
    def assert_recovers(self, array, exact, coupling, angles):
        result = core.coupling_fit(exact, array, len(angles), 1000)
        # An exact covariance has its optimum at the truth. The fit stops where a step changes
        # the cost by less than rounding, 1e-10 of it: 1e-5 of a parameter, whose deviations at 1000
        # snapshots are 1e-2.
        np.testing.assert_allclose(by_angle(result), np.sort(angles), atol=1e-3)
        np.testing.assert_allclose(result.coupling, coupling, atol=1e-4)
        self.assertAlmostEqual(result.noise, 1.0, delta=1e-3)
        self.assertEqual(result.status, "ok", result.reason)
        self.assertEqual(result.reason, "")
        self.assertFalse(result.is_gated)
        self.assertLess(result.glrt, 1e-3)
        self.assertGreater(result.glrt_limit, 10.0)
        return result

    def test_an_exact_covariance_gives_the_truth(self):
        result = self.assert_recovers(LINE, scene()[1], scene()[0], ANGLES_DEG)
        # Strongest first: power 10 and 6, per element.
        np.testing.assert_allclose(result.angles_deg, ANGLES_DEG, atol=1e-3)
        np.testing.assert_allclose(result.powers, 10 * POWERS, rtol=1e-3)
        np.testing.assert_allclose(result.power_db, 10 * np.log10(10 * POWERS), atol=0.01)
        np.testing.assert_allclose(result.snr_db, 10 * np.log10(10 * POWERS), atol=0.01)
        self.assertTrue(result.front_only)
        self.assertEqual(result.num_sources, 2)
        coupling, exact = circle_scene()
        result = self.assert_recovers(CIRCLE, exact, coupling, CIRCLE_ANGLES_DEG)
        self.assertFalse(result.front_only)

    def test_deviations_of_an_exact_covariance_are_the_bound(self):
        snr_db = 10 + 10 * np.log10(POWERS)
        result = core.coupling_fit(scene()[1], LINE, 2, 1000)
        bound = core.coupling_crb_deg(LINE, ANGLES_DEG, snr_db, 1000, COEFFICIENTS)
        # What a finite number of snapshots adds is of the order of N / L.
        np.testing.assert_allclose(result.std_deg, bound, rtol=0.01)

    def test_gains_that_are_known_count_and_a_coupling_does_not(self):
        gains = np.exp(1j * np.linspace(0, 2, 8) ** 2) * np.linspace(0.8, 1.3, 8)
        coupling = toeplitz(8, COEFFICIENTS)
        g = coupling @ np.diag(gains) @ steering(LINE, ANGLES_DEG)
        exact = 10 * g @ np.diag(POWERS) @ g.conj().T + np.eye(8)
        known = LINE.calibrated(bearing.calibration(gains, coupling=toeplitz(8, [0.9j])))
        self.assert_recovers(known, exact, coupling, ANGLES_DEG)

    def test_it_beats_music_that_ignores_coupling_and_reaches_the_bound(self):
        trials = 400
        generator = np.random.default_rng(1)
        coupling, exact = scene()
        bound = core.coupling_crb_deg(
            LINE, ANGLES_DEG, 10 + 10 * np.log10(POWERS), 100, COEFFICIENTS)
        errors, of_music, nmse = [], [], []
        for _ in range(trials):
            r = sample_covariance(exact, 100, generator)
            result = core.coupling_fit(r, LINE, 2, 100)
            errors.append(by_angle(result) - ANGLES_DEG)
            nmse.append(np.sum(np.abs(result.coupling - coupling) ** 2))
            of_music.append(by_angle(core.music(r, LINE, 2, 100)) - ANGLES_DEG)
        rmse = np.sqrt(np.mean(np.square(errors)))
        music = np.sqrt(np.nanmean(np.square(of_music)))
        ratio = rmse / np.sqrt(np.mean(bound**2))
        nmse = 10 * np.log10(np.mean(nmse) / np.sum(np.abs(coupling) ** 2))
        print(f"line, 100 snapshots, 10 dB: RMSE {rmse:.3f} degrees, {ratio:.2f} of the bound; NMSE "
              f"{nmse:.1f} dB; MUSIC that ignores coupling {music:.3f} degrees")
        self.assertLess(rmse, 0.20)
        self.assertLess(nmse, -25.0)
        self.assertGreater(music, 7 * rmse)
        # 800 errors tell it to 2.5 %; the bound is that of many snapshots.
        self.assertTrue(0.8 < ratio < 1.3, ratio)

    def test_a_circle_is_corrected_too(self):
        generator = np.random.default_rng(2)
        coupling, exact = circle_scene(20.0)
        errors, of_music = [], []
        for _ in range(20):
            r = sample_covariance(exact, 500, generator)
            errors.append(by_angle(core.coupling_fit(r, CIRCLE, 2, 500)) - CIRCLE_ANGLES_DEG)
            of_music.append(by_angle(core.music(r, CIRCLE, 2, 500)) - CIRCLE_ANGLES_DEG)
        rmse, music = (np.sqrt(np.mean(np.square(e))) for e in (errors, of_music))
        bound = core.coupling_crb_deg(
            CIRCLE, CIRCLE_ANGLES_DEG, 20 + 10 * np.log10(POWERS), 500, CIRCLE_COEFFICIENTS)
        print(f"circle: RMSE {rmse:.3f} degrees, bound {np.sqrt(np.mean(bound**2)):.3f}; MUSIC "
              f"{music:.3f}")
        # 40 errors: a relative deviation of 11 %, four of them.
        self.assertLess(rmse, 1.5 * np.sqrt(np.mean(bound**2)))
        self.assertGreater(music, 3 * rmse)

    def test_the_frobenius_fit_is_there_to_compare_with(self):
        coupling, exact = scene()
        start = np.abs(by_angle(core.music(exact, LINE, 2, 1000)) - ANGLES_DEG).max()
        # Least squares stop where rounding hides a step. The alternating search creeps, and ends
        # far nearer to the truth than MUSIC, from which it starts.
        for search, tolerance in (("levenberg_marquardt", 1e-3), ("alternating", start / 5)):
            result = core.coupling_fit(
                exact, LINE, 2, 1000, criterion="frobenius", search=search)
            np.testing.assert_allclose(by_angle(result), ANGLES_DEG, atol=tolerance)
        # As it was published it knows neither powers nor noise.
        plain = core.coupling_fit(
            exact, LINE, 2, 1000, criterion="frobenius", powers_and_noise=False)
        self.assertGreater(nmse_db(plain.coupling, coupling), -30.0)

    def test_the_number_of_sources_is_counted(self):
        result = core.coupling_fit(scene(20.0)[1], LINE, 0, 1000)
        self.assertEqual(result.num_sources, 2)
        np.testing.assert_allclose(by_angle(result), ANGLES_DEG, atol=1e-3)


class qa_doubt(unittest.TestCase):
    """What the result says of itself."""

    def test_a_wrong_model_is_flagged(self):
        # Coupling that is not Toeplitz at all.
        generator = np.random.default_rng(3)
        wild = np.eye(8) + 0.2 * (
            generator.normal(size=(8, 8)) + 1j * generator.normal(size=(8, 8)))
        wild[0, 0] = 1
        r = sample_covariance(covariance(LINE, wild, ANGLES_DEG, 10 * POWERS), 500, generator)
        result = core.coupling_fit(r, LINE, 2, 500)
        self.assertGreater(result.glrt, result.glrt_limit)
        self.assertEqual(result.status, "model_mismatch")
        self.assertNotEqual(result.reason, "")

    def test_false_alarms_are_rare(self):
        trials = 4000 if FULL else 400
        generator = np.random.default_rng(4)
        flagged = 0
        for _ in range(trials):
            result = core.coupling_fit(
                sample_covariance(scene()[1], 200, generator), LINE, 2, 200)
            flagged += result.glrt > result.glrt_limit
        print(f"{flagged} false alarms in {trials}")
        # 1 %: of 400 more than 11 in one case of a thousand; of 4000 more than 60, at 3.2
        # deviations.
        self.assertLessEqual(flagged, 60 if FULL else 11)

    def test_what_is_too_weak_is_not_corrected_and_says_so(self):
        generator = np.random.default_rng(5)
        gated = 0
        for _ in range(10):
            r = sample_covariance(scene(-5.0)[1], 20, generator)
            result = core.coupling_fit(r, LINE, 2, 20)
            if result.is_gated:
                gated += 1
                self.assertEqual(result.status, "low_snr")
                self.assertNotEqual(result.reason, "")
                np.testing.assert_array_equal(result.coupling, np.eye(8))
                expected = core.music(r, LINE, 2, 20).angles_deg
                np.testing.assert_allclose(by_angle(result), np.sort(expected), atol=1e-6)
        self.assertGreaterEqual(gated, 9)

    def test_coherent_sources_are_flagged(self):
        generator = np.random.default_rng(6)
        g = toeplitz(8, COEFFICIENTS) @ steering(LINE, ANGLES_DEG) @ np.sqrt(10 * POWERS)
        r = sample_covariance(np.outer(g, g.conj()) + np.eye(8), 500, generator)
        result = core.coupling_fit(r, LINE, 2, 500)
        self.assertIn(result.status, ("unresolved", "model_mismatch", "low_snr", "not_identifiable"))
        self.assertNotEqual(result.reason, "")

    def test_too_few_snapshots_are_flagged_and_unknown_ones_leave_no_deviation(self):
        generator = np.random.default_rng(7)
        # Two snapshots look the same whatever two sources there are.
        few = core.coupling_fit(sample_covariance(scene()[1], 2, generator), LINE, 2, 2)
        self.assertNotEqual(few.status, "ok")
        self.assertNotEqual(few.reason, "")
        self.assertTrue(np.isnan(few.glrt))
        unknown = core.coupling_fit(scene()[1], LINE, 2, 0)
        self.assertTrue(np.isnan(unknown.std_deg).all())
        self.assertTrue(np.isnan(unknown.glrt))
        self.assertNotEqual(unknown.status, "ok")
        np.testing.assert_allclose(by_angle(unknown), ANGLES_DEG, atol=1e-2)

    def test_bad_data_have_a_status_and_no_values(self):
        holes = scene()[1].copy()
        holes[1, 2] = np.nan
        for r in (holes, np.zeros((8, 8)), np.full((8, 8), np.inf)):
            result = core.coupling_fit(r, LINE, 2, 100)
            self.assertEqual(result.status, "bad_data")
            self.assertTrue(np.isnan(result.angles_deg).all())
            self.assertEqual(len(result.angles_deg), 2)
            self.assertTrue(np.isfinite(result.coupling).all())
        nothing = core.coupling_fit(np.eye(8), LINE, 0, 1000)
        self.assertEqual(nothing.status, "no_source")
        self.assertEqual(len(nothing.angles_deg), 0)


class qa_arguments(unittest.TestCase):
    def refuse(self, pattern, array=LINE, num_sources=2, snapshots=100, error=ValueError, r=None,
               **options):
        r = np.eye(array.n) if r is None else r
        with self.assertRaisesRegex(error, pattern):
            core.coupling_fit(r, array, num_sources, snapshots, **options)

    def test_wrong_ones_are_named(self):
        self.refuse("prior.*'strong'.*none", prior="strong")
        self.refuse("criterion.*'mse'.*frobenius", criterion="mse")
        self.refuse("search.*'random'.*alternating", criterion="frobenius", search="random")
        self.refuse("num_sources", num_sources=8)
        self.refuse("num_sources", num_sources=-1)
        self.refuse("snapshots", snapshots=-1)
        self.refuse("covariance|R ", r=np.eye(5))
        self.refuse("coefficients", coefficients=0)

    def test_more_coefficients_than_the_array_can_tell_are_refused(self):
        self.refuse("coefficients is 9", coefficients=9)
        self.refuse("coefficients is 4", array=CIRCLE, coefficients=4)
        bent = bearing.array.custom([[0, 0], [0.5, 0], [0.9, 0.3], [0.1, 0.7]])
        self.refuse("array|structure", array=bent)

    def test_samples_belong_to_their_prior(self):
        self.refuse("samples", prior="snapshot")
        self.refuse("samples", prior="snapshot", samples=np.ones((5, 100)))


class qa_tracker(unittest.TestCase):
    def scenes(self, generator, coupling, count, snr_db=10.0, snapshots=100):
        for _ in range(count):
            first = generator.uniform(-50.0, 20.0)
            angles = np.array([first, first + generator.uniform(12.0, 30.0)])
            exact = covariance(LINE, coupling, angles, 10 ** (snr_db / 10) * POWERS)
            yield angles, sample_covariance(exact, snapshots, generator)

    def test_coupling_and_bearings_get_better_with_every_scene(self):
        generator = np.random.default_rng(8)
        coupling = toeplitz(8, COEFFICIENTS)
        tracker = core.coupling_tracker(LINE, 2)
        self.assertEqual(tracker.status, "learning")
        self.assertEqual(tracker.scenes, 0)
        np.testing.assert_array_equal(tracker.coupling, np.eye(8))
        alone, together, first = [], [], None
        for k, (angles, r) in enumerate(self.scenes(generator, coupling, 40)):
            result = tracker.update(r, 100)
            if first is None:
                first = nmse_db(tracker.coupling, coupling)
                self.assertEqual(tracker.status, "tracking")
            if k >= 20:
                together.append(by_angle(result) - angles)
                alone.append(by_angle(core.coupling_fit(r, LINE, 2, 100)) - angles)
        last = nmse_db(tracker.coupling, coupling)
        alone, together = (np.sqrt(np.mean(np.square(e))) for e in (alone, together))
        print(f"tracker: NMSE {first:.1f} dB after one scene, {last:.1f} after 40; RMSE {together:.3f} "
              f"degrees, {alone:.3f} of each alone")
        self.assertGreater(tracker.scenes, 35)
        self.assertEqual(tracker.restarts, 0)
        # 40 times the information is 16 dB; directions differ in what they tell.
        self.assertLess(last, first - 8.0)
        self.assertLess(together, 0.8 * alone)

    def test_coupling_that_changed_is_learnt_anew(self):
        generator = np.random.default_rng(9)
        tracker = core.coupling_tracker(LINE, 2, patience=2)
        for coefficients in (COEFFICIENTS, np.conj(COEFFICIENTS)):
            coupling = toeplitz(8, coefficients)
            for _, r in self.scenes(generator, coupling, 15):
                tracker.update(r, 100)
        self.assertEqual(tracker.restarts, 1)
        self.assertLess(nmse_db(tracker.coupling, coupling), -25.0)

    def test_weak_scenes_use_what_strong_ones_told(self):
        generator = np.random.default_rng(20)
        coupling = toeplitz(8, COEFFICIENTS)
        tracker = core.coupling_tracker(LINE, 2)
        for _, r in self.scenes(generator, coupling, 20):
            tracker.update(r, 100)
        known = LINE.calibrated(bearing.calibration(coupling=tracker.coupling))
        gated = 0
        for _, r in self.scenes(generator, coupling, 30, -5.0, 20):
            scenes = tracker.scenes
            result = tracker.update(r, 20)
            if result.is_gated:
                gated += 1
                self.assertEqual(result.status, "low_snr")
                self.assertEqual(tracker.scenes, scenes)
                self.assertTrue(np.isnan(result.std_deg).all())
                expected = core.music(r, known, 2, 20)
                np.testing.assert_allclose(result.angles_deg, expected.angles_deg, atol=0.1)
                self.assertLess(nmse_db(result.coupling, coupling), -25.0)
        self.assertGreater(gated, 10)

    def test_without_memory_each_covariance_stands_for_itself(self):
        generator = np.random.default_rng(10)
        tracker = core.coupling_tracker(LINE, 2, memory=0)
        for _, r in self.scenes(generator, toeplitz(8, COEFFICIENTS), 3):
            expected = core.coupling_fit(r, LINE, 2, 100)
            result = tracker.update(r, 100)
            np.testing.assert_array_equal(result.angles_deg, expected.angles_deg)
            np.testing.assert_array_equal(result.coupling, expected.coupling)

    def test_wrong_arguments_are_named(self):
        for options, name in (
            ({"memory": -1.0}, "memory"),
            ({"memory": np.nan}, "memory"),
            ({"patience": 0}, "patience"),
            ({"coefficients": 9}, "coefficients"),
            ({"prior": "snapshot"}, "prior"),
        ):
            with self.assertRaisesRegex(ValueError, name):
                core.coupling_tracker(LINE, 2, **options)


class qa_networks(unittest.TestCase):
    """Those that are installed, against NumPy."""

    def paths(self):
        yield core.find_weights(LINE, "coupling")
        yield core.find_weights(CIRCLE, "coupling")
        yield core.find_weights(LINE, "covariance")
        yield core.find_weights(LINE, "snapshot")

    def test_a_network_says_what_it_says_in_numpy(self):
        generator = np.random.default_rng(11)
        for path in self.paths():
            network, oracle = core.noise_network(path), Network(path)
            self.assertEqual(network.dimension, oracle.dimension)
            np.testing.assert_allclose(network.alpha_bar, oracle.alpha_bar, rtol=1e-12)
            x = generator.normal(size=(network.dimension, 3))
            for alpha_bar in (network.alpha_bar[0], 0.5, network.alpha_bar[-1]):
                expected = oracle(x, alpha_bar)
                found = network(x, alpha_bar)
                self.assertEqual(found.shape, expected.shape)
                # Single precision, sums of a few hundred terms.
                np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
                # One column is like a list.
                single = network(x[:, 0], alpha_bar)
                self.assertEqual(single.shape, (network.dimension,))
                np.testing.assert_allclose(single, found[:, 0], atol=1e-5)

    def test_sampling_runs_as_it_does_in_numpy(self):
        generator = np.random.default_rng(12)
        for path in self.paths():
            oracle = Network(path)
            start = generator.normal(size=(oracle.dimension, 2))
            y = 0.5 * generator.normal(size=start.shape)
            for options in ({}, {"measurement": y, "variance": 0.3}):
                expected = oracle.ddim(start, 25, *options.values())
                found = core.ddim_sample(path, start, 25, **options)
                # Single precision, 25 steps that enlarge errors while noise is taken away.
                np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())

    def test_a_clean_measurement_is_the_sample(self):
        path = core.find_weights(LINE, "coupling")
        dimension = core.noise_network(path).dimension
        generator = np.random.default_rng(13)
        y = generator.normal(size=(dimension, 2))
        start = generator.normal(size=y.shape)
        found = core.ddim_sample(path, start, 20, measurement=y, variance=1e-12)
        np.testing.assert_allclose(found, y, atol=1e-6)

    def test_the_posterior_mean_is_one_call_of_the_network(self):
        generator = np.random.default_rng(14)
        for path in self.paths():
            oracle = Network(path)
            y = generator.normal(size=oracle.dimension)
            variance = 0.7
            abar = 1 / (1 + variance)
            x = np.sqrt(abar) * y
            expected = (x - np.sqrt(1 - abar) * oracle(x, abar)[:, 0]) / np.sqrt(abar)
            found = core.posterior_mean(path, y, variance)
            self.assertEqual(found.shape, y.shape)
            np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())

    def test_both_samplers_draw_from_the_same_distribution(self):
        path = core.find_weights(LINE, "coupling")
        dimension = core.noise_network(path).dimension
        start = np.random.default_rng(15).normal(size=(dimension, 400))
        free = [
            core.ddim_sample(path, start, 200),
            core.euler_maruyama_sample(path, start, seed=3),
        ]
        for values in free:
            self.assertTrue(np.isfinite(values).all())
            # White by design, w ~ (0, I), though not Gaussian: the median of |w| is near 0.67,
            # and 2400 values tell it to 2 %. Steps of finite length draw a few values from
            # far outside, which a median does not see.
            self.assertAlmostEqual(np.median(np.abs(values)), 0.67, delta=0.1)
        again = core.euler_maruyama_sample(path, start, seed=3)
        np.testing.assert_array_equal(again, free[1])
        self.assertFalse(np.array_equal(core.euler_maruyama_sample(path, start, seed=4), again))

    def test_wrong_arguments_are_named(self):
        path = core.find_weights(LINE, "coupling")
        network = core.noise_network(path)
        start = np.zeros(network.dimension)
        for call, name in (
            (lambda: network(np.zeros(network.dimension + 1), 0.5), "x has"),
            (lambda: network(start, 0.0), "alpha_bar"),
            (lambda: network(start, 1.0), "alpha_bar"),
            (lambda: core.ddim_sample(path, start[1:], 20), "start"),
            (lambda: core.ddim_sample(path, start, 1), "count"),
            (lambda: core.ddim_sample(path, start, 20, start, 0.0), "variance"),
            (lambda: core.ddim_sample(path, start, 20, start[1:], 1.0), "measurement"),
            (lambda: core.posterior_mean(path, start, -1.0), "variance"),
        ):
            with self.assertRaisesRegex(ValueError, name):
                call()


class qa_priors(unittest.TestCase):
    """With the weights that are installed."""

    def antenna_scene(self, generator, snapshots, snr_db):
        """Coupling drawn from the principal components of the weights, and a covariance."""
        _, tensors = read_weights(core.find_weights(LINE, "coupling"))
        mean, basis = tensors["mean"].astype(float), tensors["basis"].astype(float)
        w = np.clip(generator.normal(size=len(basis)), -1.5, 1.5)
        both = mean + np.tensordot(w, basis, 1)
        coupling = both[0] + 1j * both[1]
        exact = covariance(LINE, coupling, ANGLES_DEG, 10 ** (snr_db / 10) * POWERS)
        return coupling, sample_covariance(exact, snapshots, generator)

    def test_what_is_known_of_antennas_helps_with_few_snapshots(self):
        trials = 100 if FULL else 30
        generator = np.random.default_rng(16)
        error = {name: [] for name in ("none", "gaussian", "coupling")}
        for _ in range(trials):
            coupling, r = self.antenna_scene(generator, 20, 10.0)
            for name in error:
                result = core.coupling_fit(
                    r, LINE, 2, 20, prior=name, sampling_count=2, sampling_steps=10)
                self.assertEqual(len(result.angles_deg), 2)
                error[name].append(np.sum(np.abs(result.coupling - coupling) ** 2))
        level = {name: 10 * np.log10(np.mean(e) / 8) for name, e in error.items()}
        print("NMSE with 20 snapshots, dB:", {k: round(v, 1) for k, v in level.items()})
        # Six numbers of which the size is known, against Toeplitz, which these antennas are not.
        self.assertLess(level["gaussian"], level["none"] - 5.0)
        self.assertLess(level["coupling"], level["none"] - 5.0)

    def test_a_seed_decides_what_is_sampled(self):
        _, r = self.antenna_scene(np.random.default_rng(17), 20, 10.0)
        one, same, other = (
            core.coupling_fit(r, LINE, 2, 20, prior="coupling", sampling_count=2, seed=seed).coupling
            for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(one, same)
        self.assertFalse(np.array_equal(one, other))

    def test_a_diffused_covariance_is_nearer_to_the_noise_free_one(self):
        generator = np.random.default_rng(18)
        raw, diffused = [], []
        for _ in range(10):
            # Like those that it was trained with, and unseen.
            c1 = generator.uniform(0.1, 0.4) * np.exp(2j * np.pi * generator.uniform())
            c2 = 0.3 * np.abs(c1) * np.exp(2j * np.pi * generator.uniform())
            first = generator.uniform(-50.0, 20.0)
            angles = [first, first + generator.uniform(15.0, 30.0)]
            exact = covariance(LINE, toeplitz(8, [c1, c2]), angles, [1.0, 1.0], 0.0)
            r = sample_covariance(exact + np.eye(8), 20, generator)
            found = core.diffuse_covariance(r, LINE, 2, 20)
            self.assertEqual(found.shape, (8, 8))
            np.testing.assert_allclose(found, found.conj().T, atol=1e-12)
            scale = np.linalg.norm(exact)
            raw.append(np.linalg.norm(r - np.eye(8) - exact) / scale)
            diffused.append(np.linalg.norm(found - exact) / scale)
        print(f"relative error of R: {np.mean(raw):.2f}, diffused {np.mean(diffused):.2f}")
        self.assertLess(np.mean(diffused), 0.9 * np.mean(raw))

    def test_covariances_and_snapshots_are_diffused_in_the_fit(self):
        generator = np.random.default_rng(19)
        x = samples(scene()[1], 60, generator)
        r = x @ x.conj().T / 60
        for options in ({"prior": "covariance"}, {"prior": "snapshot", "samples": x}):
            result = core.coupling_fit(r, LINE, 2, 60, **options)
            self.assertEqual(len(result.angles_deg), 2)
            self.assertTrue(np.isfinite(result.angles_deg).all(), result.reason)
        clean = core.diffuse_snapshots(x, LINE, 1.0)
        self.assertEqual(clean.shape, x.shape)
        self.assertTrue(np.isfinite(clean).all())


class qa_bad_weights(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.good = pathlib.Path(core.find_weights(LINE, "coupling"))

    def refuse(self, path, pattern, error=RuntimeError, array=LINE, prior="gaussian"):
        with self.assertRaisesRegex(error, pattern):
            core.coupling_fit(np.eye(array.n), array, 2, 100, prior=prior, weights=path)

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def test_those_that_are_installed_are_taken_by_name_too(self):
        r = scene()[1]
        for path in (self.good, str(self.good)):
            one = core.coupling_fit(r, LINE, 2, 100, prior="gaussian", weights=path)
            other = core.coupling_fit(r, LINE, 2, 100, prior="gaussian")
            np.testing.assert_array_equal(one.coupling, other.coupling)

    def test_a_file_that_is_missing_truncated_or_no_weights_file_is_named(self):
        data = self.good.read_bytes()
        self.refuse(self.folder / "none.safetensors", "none.safetensors")
        for size in (0, 5, 8, 100, len(data) // 2, len(data) - 1):
            self.refuse(self.write("cut.safetensors", data[:size]), "cut.safetensors")
        self.refuse(self.write("long.safetensors", data + b"x"), "long.safetensors")
        self.refuse(self.write("text.safetensors", b"not weights at all"), "text.safetensors")
        far = struct.pack("<Q", 2**63) + data[8:]
        self.refuse(self.write("far.safetensors", far), "far.safetensors")
        with self.assertRaisesRegex(RuntimeError, "cut.safetensors"):
            core.noise_network(self.write("cut.safetensors", data[:1000]))

    def test_weights_that_are_nan_are_refused(self):
        texts, tensors = read_weights(self.good)
        for name in ("layer1.weight", "mean", "basis"):
            bad = {key: value.copy() for key, value in tensors.items()}
            bad[name].flat[3] = np.nan
            path = self.folder / "nan.safetensors"
            write_weights(path, texts, bad)
            self.refuse(path, f"nan.safetensors(.|\n)*{name}")

    def test_weights_of_another_array_or_kind_are_refused(self):
        self.refuse(self.good, "weights|array", error=(ValueError, RuntimeError), array=CIRCLE)
        self.refuse(core.find_weights(LINE, "covariance"), "covariance")
        wide = bearing.array.ula(n=8, spacing=0.7)
        self.refuse("", "0.44 to 0.52", array=wide)
        with self.assertRaisesRegex(RuntimeError, "coupling"):
            core.find_weights(wide, "coupling")
        with self.assertRaisesRegex(RuntimeError, "spectrum"):
            core.find_weights(LINE, "spectrum")
        for call in (
            lambda: core.diffuse_covariance(np.eye(5), CIRCLE, 2, 100,
                                            weights=core.find_weights(LINE, "covariance")),
            lambda: core.diffuse_snapshots(np.ones((5, 3)), CIRCLE, 1.0,
                                           weights=core.find_weights(LINE, "snapshot")),
        ):
            with self.assertRaisesRegex(ValueError, "line of 8"):
                call()

    def test_the_environment_names_another_folder(self):
        self.addCleanup(os.environ.pop, "GR_BEARING_WEIGHTS", None)
        os.environ["GR_BEARING_WEIGHTS"] = str(self.folder)
        with self.assertRaisesRegex(RuntimeError, str(self.folder)):
            core.find_weights(LINE, "coupling")
        self.write("damaged.safetensors", b"x")
        path = self.write("mine.safetensors", self.good.read_bytes())
        self.assertEqual(core.find_weights(LINE, "coupling"), str(path))


if __name__ == "__main__":
    unittest.main()

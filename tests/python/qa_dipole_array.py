#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated dipoles: impedances against tables, integrals and circuits, and random arrays."""

import unittest

import numpy as np
import scipy.integrate
import scipy.special
import scipy.stats

from gnuradio import bearing
from gnuradio.bearing.tools.training import random_scenes
from gnuradio.bearing.tools.training.antenna_family import family_from
from gnuradio.bearing.tools.training.dipole_array import (
    mutual_impedance,
    receiving_coupling,
    self_impedance,
)
from gnuradio.bearing.tools.training.principal_components import principal_components
from gnuradio.bearing.tools.training.random_antennas import draw_couplings, impedances

ETA = 376.730313668  # ohm, impedance of free space


def description(**changes):
    """Of a family; a change to None takes a key out."""
    values = {
        "name": "test",
        "geometry": "line",
        "num_elements": 6,
        "spacing": [0.44, 0.52],
        "dipole_length": 0.5,
        "wire_radius": 0.001,
        "load_resistance_ohm": [8, 400],
        "load_reactance_ohm": [-60, 150],
        "tolerance": 0.02,
        **changes,
    }
    return {key: value for key, value in values.items() if value is not None}


def half_wave_pair(distance):
    """Balanis, "Antenna Theory", equations 8-71: side by side, half a wavelength long."""
    u0 = 2 * np.pi * distance
    root = np.sqrt(distance**2 + 0.25)
    u1, u2 = 2 * np.pi * (root + 0.5), 2 * np.pi * distance**2 / (root + 0.5)  # root - 0.5
    (s0, c0), (s1, c1), (s2, c2) = map(scipy.special.sici, (u0, u1, u2))
    return ETA / (4 * np.pi) * (2 * c0 - c1 - c2 - 1j * (2 * s0 - s1 - s2))


def integrated_pair(distance, length):
    """The current of one dipole times the field of the other (Balanis, 8-68), by quadrature."""
    k, half = 2 * np.pi, length / 2

    def integrand(z):
        waves = [np.exp(-1j * k * r) / r for r in np.hypot(distance, [z - half, z + half, z])]
        field = waves[0] + waves[1] - 2 * np.cos(k * half) * waves[2]
        return np.sin(k * (half - abs(z))) * field

    total, _ = scipy.integrate.quad(
        integrand, -half, half, points=[0], limit=1000, epsabs=1e-11, epsrel=1e-11,
        complex_func=True,
    )
    return 1j * ETA / (4 * np.pi * np.sin(k * half) ** 2) * total


class qa_impedance(unittest.TestCase):
    def test_known_values(self):
        # Every textbook; 0.05 is the rounding. A vanishing wire: the radius takes little from X.
        self.assertAlmostEqual(self_impedance(0.5, 1e-5), 73.1 + 42.5j, delta=0.05)
        self.assertAlmostEqual(complex(mutual_impedance(0.5, 0.5)), -12.5 - 29.9j, delta=0.05)

    def test_half_waves_as_by_sine_and_cosine_integrals(self):
        distance = np.geomspace(1e-4, 20, 60)
        # Rounding: integrals of about 10 cancel to a thousandth, times 30 ohm.
        np.testing.assert_allclose(
            mutual_impedance(distance, 0.5), half_wave_pair(distance), rtol=1e-11, atol=1e-12
        )

    def test_other_lengths_as_by_quadrature(self):
        for distance, length in ((0.002, 0.47), (0.3, 0.3), (0.48, 0.55), (1.2, 0.64), (3, 0.8)):
            with self.subTest(distance=distance, length=length):
                expected = integrated_pair(distance, length)
                found = complex(mutual_impedance(distance, length))
                # What the quadrature was asked for, with room for its peak at the feed.
                self.assertLess(abs(found - expected), 1e-7 * abs(expected))

    def test_the_radius_is_that_of_a_pair_as_far_apart(self):
        self.assertEqual(self_impedance(0.47, 0.002), mutual_impedance(0.002, 0.47))

    def test_currents_take_power_however_they_are_fed(self):
        # A passive array: the resistance matrix is positive definite.
        for changes in ({}, {"geometry": "circle", "spacing": None, "radius": 0.36}):
            z = impedances(family_from(description(**changes)), np.array([0.36, 0.44, 0.8]))
            np.testing.assert_array_equal(z, z.swapaxes(1, 2))
            self.assertGreater(np.linalg.eigvalsh(z.real).min(), 0)

    def test_wrong_lengths_are_refused(self):
        for distance in (0, -1, np.nan):
            with self.assertRaisesRegex(ValueError, "distance"):
                mutual_impedance(distance, 0.5)
        for length in (0, -0.5, 1, np.nan):
            with self.assertRaisesRegex(ValueError, "length"):
                mutual_impedance(0.5, length)


class qa_receiving_coupling(unittest.TestCase):
    def setUp(self):
        self.random = np.random.default_rng(3)
        family = family_from(description())
        self.z = impedances(family, np.array([0.47]))[0]
        n = len(self.z)
        self.load = self.random.uniform(20, 100, n) + 1j * self.random.uniform(-50, 50, n)

    def test_it_is_what_a_circuit_does_to_voltages(self):
        """Kirchhoff: each dipole is a source behind the impedance matrix, closed by its load;
        without neighbours its receiver would see the divided voltage."""
        n = len(self.z)
        emf = self.random.standard_normal(n) + 1j * self.random.standard_normal(n)
        current = np.linalg.solve(self.z + np.diag(self.load), emf)
        seen = self.load * current / (self.load / (self.z[0, 0] + self.load))
        coupling = receiving_coupling(self.z, self.load)
        found = coupling @ emf
        # One common factor: C(0, 0) = 1.
        factor = np.vdot(found, seen) / np.vdot(found, found)
        np.testing.assert_allclose(factor * found, seen, rtol=1e-12)
        self.assertEqual(coupling[0, 0], 1)

    def test_reciprocity(self):
        coupling = receiving_coupling(self.z, self.load)
        symmetric = coupling / (self.z[0, 0] + self.load)[:, None]
        np.testing.assert_allclose(symmetric, symmetric.T, rtol=0, atol=1e-14)

    def test_dipoles_far_apart_do_not_couple(self):
        z = impedances(family_from(description(spacing=10)), np.array([1e5]))[0]
        # The field falls as 1 / distance: (60 ohm / 1e5 pi) against more than 73 ohm.
        np.testing.assert_allclose(receiving_coupling(z, self.load), np.eye(6), atol=1e-5)

    def test_equal_circles_are_circulant_and_equal_lines_mirror_but_are_not_toeplitz(self):
        circle = family_from(
            description(geometry="circle", num_elements=5, spacing=None, radius=[0.34, 0.39],
                        tolerance=0)
        )
        for coupling in draw_couplings(circle, self.random, 5):
            turned = np.roll(coupling, (1, 1), (0, 1))
            np.testing.assert_allclose(turned, coupling, atol=1e-13)
            np.testing.assert_allclose(coupling.T, coupling, atol=1e-13)
        for coupling in draw_couplings(family_from(description(tolerance=0)), self.random, 5):
            mirrored = coupling[::-1, ::-1]
            np.testing.assert_allclose(mirrored, coupling, atol=1e-13)
            # Ends have one neighbour, others two.
            self.assertGreater(abs(coupling[0, 1] - coupling[2, 3]), 1e-4)


class qa_random_antennas(unittest.TestCase):
    def test_same_seed_same_antennas(self):
        family = family_from(description())
        first, same, other = (
            draw_couplings(family, np.random.default_rng(seed), 50) for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(first, same)
        self.assertGreater(np.abs(first - other).min(axis=0)[0, 1], 0)

    def test_a_family_of_one_is_its_own_circuit(self):
        one = {"load_resistance_ohm": 50, "load_reactance_ohm": 20, "tolerance": 0}
        line = family_from(description(spacing=0.5, **one))
        circle = family_from(description(geometry="circle", spacing=None, radius=0.5, **one))
        for family, array in ((line, bearing.array.ula(n=6, spacing=0.5)),
                              (circle, bearing.array.uca(n=6, radius=0.5))):
            position = array.positions
            apart = np.linalg.norm(position[:, None] - position[None], axis=2)
            z = half_wave_pair(apart + 0.001 * np.eye(6))
            expected = np.linalg.inv(z + (50 + 20j) * np.eye(6))
            expected = expected / expected[0, 0]
            for coupling in draw_couplings(family, np.random.default_rng(1), 3):
                np.testing.assert_allclose(coupling, expected, atol=1e-9)

    def test_every_range_is_drawn_from(self):
        fixed = {"spacing": 0.5, "load_resistance_ohm": 50, "load_reactance_ohm": 0,
                 "tolerance": 0}
        free = {"spacing": [0.44, 0.52], "load_resistance_ohm": [8, 400],
                "load_reactance_ohm": [-60, 150], "tolerance": 0.02}
        for key, value in free.items():
            with self.subTest(key=key):
                family = family_from(description(**{**fixed, key: value}))
                couplings = draw_couplings(family, np.random.default_rng(1), 200)
                self.assertGreater(couplings.std(axis=0)[0, 1], 1e-3)

    def test_components_are_white_and_rebuild_what_they_keep(self):
        couplings = draw_couplings(family_from(description()), np.random.default_rng(1), 4000)
        components = principal_components(couplings, 6)
        weights = components.weights(couplings)
        # Exact but for rounding: these are the values they were made from.
        np.testing.assert_allclose(weights.mean(axis=0), np.zeros(6), atol=1e-9)
        np.testing.assert_allclose(np.cov(weights.T, bias=True), np.eye(6), atol=1e-9)
        rebuilt = components.mean + np.einsum("tk,kij->tij", weights, components.basis)
        left = (np.abs(rebuilt - couplings) ** 2).sum()
        whole = (np.abs(couplings - couplings.mean(axis=0)) ** 2).sum()
        self.assertAlmostEqual(1 - left / whole, components.kept, places=9)
        self.assertGreater(components.kept, 0.99)
        self.assertEqual(components.mean[0, 0], 1)
        np.testing.assert_array_equal(components.basis[:, 0, 0], np.zeros(6))

    def test_there_are_no_more_components_than_ways_to_differ(self):
        # Two elements: C(1, 1) = 1 like C(0, 0), two complex entries are left.
        pairs = draw_couplings(family_from(description(num_elements=2)),
                               np.random.default_rng(1), 500)
        components = principal_components(pairs, 6)
        self.assertEqual(components.basis.shape, (4, 2, 2))
        self.assertAlmostEqual(components.kept, 1, places=9)
        with self.assertRaisesRegex(ValueError, "all antennas are the same"):
            principal_components(pairs[:1].repeat(9, axis=0), 6)


def scenes_of(geometry, **changes):
    scenes = {
        "num_sources": 2,
        "azimuth_deg": [-55, 55],
        "separation_deg": 12,
        "power_db": [-3, 3],
        "coefficients": 3,
        "neighbour_coupling": [0.1, 0.4],
        "coupling_decay": [0.2, 0.5],
        **changes,
    }
    size = {"line": "spacing", "circle": "radius"}[geometry]
    changed = {"geometry": geometry, "spacing": None, size: 0.48, "scenes": scenes}
    return family_from(description(**changed))


class qa_random_scenes(unittest.TestCase):
    def test_directions_are_those_of_the_arrays(self):
        # c = [1] and one direction: nothing but the manifold is left.
        for geometry in ("line", "circle"):
            family = scenes_of(geometry, num_sources=1, azimuth_deg=20, power_db=6,
                               coefficients=1)
            if geometry == "line":
                array = bearing.array.ula(n=6, spacing=0.48)
            else:
                array = bearing.array.uca(n=6, radius=0.48)
            found = random_scenes.random_scenes(family, np.random.default_rng(1), 2).response
            for response in found:
                power = np.abs(response[:, 0]) ** 2
                np.testing.assert_allclose(power, np.full(6, 10**0.6), rtol=1e-12)
                np.testing.assert_allclose(response / np.abs(response),
                                           array.steering([20.0]), atol=1e-12)

    def test_scenes_keep_their_ranges(self):
        family = scenes_of("line")
        random = np.random.default_rng(1)
        couplings = random_scenes.couplings(family, random, 500)
        first, second = np.abs(couplings[:, 0, 1]), np.abs(couplings[:, 0, 2])
        self.assertTrue(np.all((first >= 0.1) & (first <= 0.4)))
        self.assertTrue(np.all((second >= 0.2 * first) & (second <= 0.5 * first)))
        for k in range(1, 5):
            np.testing.assert_array_equal(couplings[:, 0, k], couplings[:, k + 1, 1])
        self.assertTrue(np.all(couplings[:, 0, 3:] == 0))
        directions = random_scenes._directions(family.scenes, random, 500)
        self.assertGreaterEqual(np.abs(np.diff(directions)).min(), 12)
        self.assertLessEqual(np.abs(directions).max(), 55)

    def test_directions_are_even_over_all_that_lie_apart(self):
        """Beside the plain way: draw, and throw away what is too near."""
        scenes = scenes_of("line", num_sources=3, separation_deg=15).scenes
        random = np.random.default_rng(1)
        found = random_scenes._directions(scenes, random, 20000)
        plain = np.sort(random.uniform(-55, 55, (60000, 3)), axis=1)
        plain = plain[np.diff(plain).min(axis=1) >= 15]
        for k in range(3):
            # The chance of a false alarm is 1e-4 in each.
            self.assertGreater(scipy.stats.ks_2samp(found[:, k], plain[:, k]).pvalue, 1e-4)

    def test_on_a_circle_coupling_goes_round_and_so_do_distances(self):
        family = scenes_of("circle", azimuth_deg=[0, 360], separation_deg=80)
        random = np.random.default_rng(1)
        for coupling in random_scenes.couplings(family, random, 5):
            np.testing.assert_array_equal(np.roll(coupling, (1, 1), (0, 1)), coupling)
        apart = np.abs(np.diff(random_scenes._directions(family.scenes, random, 500)))
        self.assertGreaterEqual(np.minimum(apart, 360 - apart).min(), 80)

    def test_covariances_are_those_of_the_snapshots(self):
        scenes = random_scenes.random_scenes(scenes_of("line"), np.random.default_rng(1), 1)
        covariance = scenes.covariances()[0]
        self.assertAlmostEqual(np.trace(covariance).real, 6, places=12)
        random, count = np.random.default_rng(2), 20000
        scenes.response = np.repeat(scenes.response, count, axis=0)
        z = scenes.snapshots(random)
        # 5 deviations of a mean over 20000 snapshots, whose entries vary by about 1.
        np.testing.assert_allclose(z.T @ z.conj() / count, covariance, atol=5 / np.sqrt(count))

    def test_a_hermitian_matrix_is_a_vector_of_the_same_norm(self):
        random = np.random.default_rng(4)
        matrix = random.standard_normal((3, 3)) + 1j * random.standard_normal((3, 3))
        matrix = matrix + matrix.conj().T
        vector = random_scenes.hermitian_to_vector(matrix[None])[0]
        pairs = ((0, 1), (0, 2), (1, 2))
        expected = [matrix[k, k].real for k in range(3)]
        expected += [np.sqrt(2) * matrix[pair].real for pair in pairs]
        expected += [np.sqrt(2) * matrix[pair].imag for pair in pairs]
        np.testing.assert_allclose(vector, expected, rtol=1e-15)
        self.assertAlmostEqual(np.linalg.norm(vector), np.linalg.norm(matrix), places=12)


if __name__ == "__main__":
    unittest.main()

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random sources seen by random arrays with Toeplitz or circulant coupling."""

import numpy as np


class random_scenes:
    """That many scenes of a family, without noise.

    response: C A P^(1/2), count x N x K, times white sources gives snapshots
    """

    def __init__(self, family, random, count):
        scenes = family.scenes
        azimuth = np.radians(_directions(scenes, random, count))
        size = random.uniform(*family.size, count)
        # As arrays have it: lines along +x, circles clockwise from +y.
        element = np.arange(family.num_elements)[:, None]
        if family.geometry == "line":
            phase = size[:, None, None] * element * np.sin(azimuth)[:, None, :]
        else:
            turn = 2 * np.pi * element / family.num_elements
            phase = size[:, None, None] * np.cos(azimuth[:, None, :] - turn)
        amplitude = 10 ** (random.uniform(*scenes.power_db, azimuth.shape) / 20)
        manifold = np.exp(2j * np.pi * phase) * amplitude[:, None, :]
        self.response = couplings(family, random, count) @ manifold

    def covariances(self):
        """R0 N / tr R0, count x N x N."""
        r0 = self.response @ self.response.conj().swapaxes(1, 2)
        return r0 / self._mean_power()[:, None, None]

    def snapshots(self, random):
        """One of each scene, circular Gaussian sources, over the square root of the mean power
        at an element: count x N."""
        shape = self.response.shape[0], self.response.shape[2], 2
        sources = random.standard_normal(shape) @ np.array([1, 1j]) / np.sqrt(2)
        snapshots = np.einsum("tnk,tk->tn", self.response, sources)
        return snapshots / np.sqrt(self._mean_power())[:, None]

    def _mean_power(self):
        return (np.abs(self.response) ** 2).sum(axis=(1, 2)) / self.response.shape[1]


def couplings(family, random, count):
    """Toeplitz (line) or circulant (circle) coupling matrices, count x N x N."""
    scenes, n = family.scenes, family.num_elements
    c = np.zeros((count, n), complex)
    c[:, 0] = size = 1
    for k in range(1, scenes.coefficients):
        shrink = scenes.neighbour_coupling if k == 1 else scenes.coupling_decay
        size = size * random.uniform(*shrink, count)
        c[:, k] = size * np.exp(2j * np.pi * random.uniform(size=count))
    apart = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    if family.geometry == "circle":
        apart = np.minimum(apart, n - apart)
    return c[:, apart]


def _directions(scenes, random, count):
    """Azimuths in degrees, count x K, in order, far enough apart."""
    k, apart = scenes.num_sources, scenes.separation_deg
    low, high = scenes.azimuth_deg
    found = np.empty((0, k))
    while len(found) < count:
        # Even over all that lie apart: what is left of the range without the gaps, in order.
        drawn = np.sort(random.uniform(low, high - (k - 1) * apart, (count, k)), axis=1)
        drawn += apart * np.arange(k)
        # Round the back, from the last to the first, most but not all have room.
        gap = drawn[:, 0] + 360 - drawn[:, -1]
        found = np.concatenate([found, drawn[gap >= apart]])
    return found[:count]


def hermitian_to_vector(matrices):
    """count x N x N to count x N^2, keeping the Frobenius norm: the diagonal, sqrt(2) times the
    real parts of the upper triangle, row by row, sqrt(2) times the imaginary parts."""
    n = matrices.shape[-1]
    rows, columns = np.triu_indices(n, 1)
    upper = matrices[:, rows, columns] * np.sqrt(2)
    diagonal = np.einsum("...ii->...i", matrices).real
    return np.concatenate([diagonal, upper.real, upper.imag], axis=1)

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the noise networks learn to tell from noise: three kinds of x_0, each a vector whose
entries have a variance of about 1."""

import numpy as np

from .principal_components import principal_components
from .random_antennas import draw_couplings
from .random_scenes import hermitian_to_vector, random_scenes

# Values to learn from, drawn at a time.
_POOL = 1 << 16
NUM_COMPONENTS = 6


class coupling_set:
    """Whitened principal components of simulated antennas' coupling."""

    HIDDEN = 64
    # Simulating them takes longer than learning: one pool for the whole training.
    is_renewed = False

    def __init__(self, family, random):
        couplings = draw_couplings(family, random, _POOL)
        components = principal_components(couplings, NUM_COMPONENTS)
        self._family, self._components = family, components
        self._first = couplings
        self.dimension = len(components.basis)
        self.tensors = {"mean": _planes(components.mean), "basis": _planes(components.basis)}

    def pool(self, random):
        return self._components.weights(self._first)

    def draw(self, random, count):
        return self._components.weights(draw_couplings(self._family, random, count))


class _scene_set:
    is_renewed = True

    def __init__(self, family):
        if family.scenes is None:
            raise ValueError(f"scenes is missing, which training of kind {self.KIND} draws from")
        self._family = family

    def pool(self, random):
        return self.draw(random, _POOL)


class covariance_set(_scene_set):
    """Covariances without noise of random scenes."""

    KIND = "covariance"
    HIDDEN = 256

    def __init__(self, family, random):
        super().__init__(family)
        values = self._values(random, _POOL)
        self._mean = values.mean(axis=0)
        self._scale = np.sqrt(values.var(axis=0).mean())
        self.dimension = values.shape[1]
        self.tensors = {"mean": self._mean, "scale": np.array([self._scale])}

    def draw(self, random, count):
        return (self._values(random, count) - self._mean) / self._scale

    def _values(self, random, count):
        return hermitian_to_vector(random_scenes(self._family, random, count).covariances())


class snapshot_set(_scene_set):
    """Single snapshots without noise of random scenes."""

    KIND = "snapshot"
    HIDDEN = 96

    def __init__(self, family, _):
        super().__init__(family)
        self._scale = np.sqrt(0.5)  # of each part, where the power is 1
        self.dimension = 2 * family.num_elements
        self.tensors = {"scale": np.array([self._scale])}

    def draw(self, random, count):
        z = random_scenes(self._family, random, count).snapshots(random)
        return np.concatenate([z.real, z.imag], axis=1) / self._scale


KINDS = {"coupling": coupling_set, "covariance": covariance_set, "snapshot": snapshot_set}


def gaussian_loss(values, alpha_bar):
    """Mean-square error per entry of the noise that the best linear estimate leaves, mean over
    the steps: that of a Gaussian x_0 with the covariance of these values.

    A network that learnt no more than that has this loss, one that learnt nothing has 1.
    """
    variance = np.linalg.eigvalsh(np.cov(values, rowvar=False))
    signal = np.multiply.outer(alpha_bar, np.maximum(variance, 0))
    return float((signal / (signal + (1 - alpha_bar)[:, None])).mean())


def _planes(matrices):
    """Real part and imaginary part, in front of rows and columns."""
    return np.stack([matrices.real, matrices.imag], axis=-3)

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coordinates in which random coupling matrices are white."""

import numpy as np

# Of a component in C, whose largest entry is 1: less is rounding.
_LEAST_VARIANCE = 1e-12


class principal_components:
    """C = mean + sum_j w_j basis_j with real w, of mean 0 and variance 1, uncorrelated.

    mean: N x N; basis: k x N x N, the largest first; kept: share of the variance they have
    """

    def __init__(self, couplings, count):
        """couplings: at least 2 x N x N, with element (0, 0) 1; count: k, or fewer where the
        couplings differ in fewer ways than that

        Raises ValueError when they do not differ at all."""
        n = couplings.shape[-1]
        real = _to_real(couplings)
        mean = real.mean(axis=0)
        variance, vectors = np.linalg.eigh(np.cov(real - mean, rowvar=False, bias=True))
        count = min(count, np.count_nonzero(variance > _LEAST_VARIANCE))
        if count == 0:
            raise ValueError("all antennas are the same: there is nothing to learn")
        variance, vectors = variance[::-1][:count], vectors[:, ::-1][:, :count].T
        # An eigenvector's sign is arbitrary: the largest entry is positive.
        largest = np.abs(vectors).argmax(axis=1)[:, None]
        vectors = vectors * np.sign(np.take_along_axis(vectors, largest, axis=1))
        self.mean = _to_complex(mean, n)
        self.basis = _to_complex(vectors * np.sqrt(variance)[:, None], n)
        # Exactly, whatever the rounding.
        self.mean[0, 0], self.basis[:, 0, 0] = 1, 0
        self.kept = variance.sum() / real.var(axis=0).sum()
        self._to_weights = (vectors / np.sqrt(variance)[:, None]).T
        self._mean = mean

    def weights(self, couplings):
        """w of coupling matrices, count x k."""
        return (_to_real(couplings) - self._mean) @ self._to_weights


def _to_real(matrices):
    """Real parts, then imaginary ones, each row by row."""
    flat = matrices.reshape(len(matrices), -1)
    return np.concatenate([flat.real, flat.imag], axis=1)


def _to_complex(real, n):
    parts = real.reshape(*real.shape[:-1], 2, n, n)
    return parts[..., 0, :, :] + 1j * parts[..., 1, :, :]

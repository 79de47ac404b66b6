# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How noise comes in, and how the networks are told how much of it there is."""

import numpy as np

# As gr::bearing::core::noise_schedule has it.
SCHEDULE = {"type": "variance_preserving", "steps": 200, "beta_first": 5e-4, "beta_last": 0.1}


def alpha_bar():
    """abar_t of x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) e, t = 0 .. T-1."""
    beta = np.linspace(SCHEDULE["beta_first"], SCHEDULE["beta_last"], SCHEDULE["steps"])
    return np.cumprod(1 - beta)


def time_features(abar):
    """What a network sees of abar, for each value 16: the sines of a_i, then the cosines, where
    a_i = f_i log(abar / (1 - abar)) / 2 and f_i are spaced evenly in the logarithm."""
    frequencies = np.geomspace(0.05, 2, 8)
    abar = np.asarray(abar, float)
    a = np.multiply.outer(np.log(abar / (1 - abar)) / 2, frequencies)
    return np.concatenate([np.sin(a), np.cos(a)], axis=-1)

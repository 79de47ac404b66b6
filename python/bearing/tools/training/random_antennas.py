# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coupling matrices of random arrays of a family of antennas."""

import numpy as np

from .antenna_family import antenna_family
from .dipole_array import mutual_impedance, receiving_coupling, self_impedance

# Simulated at a time, which bounds the memory.
_BLOCK = 4096


def draw_couplings(family: antenna_family, random, count):
    """Coupling matrices of that many random arrays, count x N x N.

    Each array has a size (even within its range), a load resistance (even in the logarithm), a
    load reactance (even), and tolerances of both at each element (normal).
    """
    blocks = range(0, count, _BLOCK)
    return np.concatenate([_draw(family, random, min(_BLOCK, count - k)) for k in blocks])


def _draw(family, random, count):
    n = family.num_elements
    size = random.uniform(*family.size, count)
    logarithm = np.log(family.load_resistance_ohm)
    resistance = np.exp(random.uniform(*logarithm, count))
    reactance = random.uniform(*family.load_reactance_ohm, count)
    factors = 1 + family.tolerance * random.standard_normal((2, count, n))
    load = resistance[:, None] * factors[0] + 1j * reactance[:, None] * factors[1]
    return receiving_coupling(impedances(family, size), load)


def impedances(family, size):
    """Impedance matrices, ohms, of arrays with these spacings or radii: count x N x N."""
    n = family.num_elements
    apart = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    if family.geometry == "line":
        distance = np.arange(1, n)
        order = apart
    else:
        order = np.minimum(apart, n - apart)
        distance = 2 * np.sin(np.pi * np.arange(1, n // 2 + 1) / n)
    mutual = mutual_impedance(np.multiply.outer(size, distance), family.dipole_length)
    own = self_impedance(family.dipole_length, family.wire_radius)
    return np.concatenate([np.full((len(size), 1), own), mutual], axis=1)[:, order]

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Impedances and receiving coupling of parallel thin dipoles, by the induced-EMF method.

The dipoles stand upright side by side, are fed at their middles and carry sinusoidal currents.
Phasors turn with exp(+j w t), so that inductance has a positive reactance, as the steering
vectors have it. Lengths are in wavelengths, impedances in ohms.

Reference: C. A. Balanis, "Antenna Theory", 4th edition, sections 8.5 to 8.7.
"""

import numpy as np
import scipy.constants
import scipy.special

FREE_SPACE = scipy.constants.value("characteristic impedance of vacuum")  # ohm
_K = 2 * np.pi


def mutual_impedance(distance, length):
    """Impedance between the feeds of two dipoles side by side.

    distance: of their axes, in wavelengths, above 0; any shape. With the radius of the wire it
    is the impedance of one dipole by itself: its current flows on the axis and meets the field
    on the surface.
    length: of both, tip to tip, in wavelengths, not a whole number (no current at the feed).
    Returns complex ohms, referred to the currents at the feeds, of the shape of distance.

    The integral of the current's field is solved in closed form by exponential integrals.
    """
    distance = np.asarray(distance, float)
    half = length / 2
    if not np.all(distance > 0):
        raise ValueError("distance must be above 0")
    if not length > 0 or abs(np.sin(_K * half)) < 1e-3:
        raise ValueError(f"length is {length}; it must be above 0 and no whole number")
    # The field on an axis at height z comes from both tips and, with a kink, from the feed.
    total = (
        _upper_half(distance, -half, half)
        + _upper_half(distance, half, half)
        - 2 * np.cos(_K * half) * _upper_half(distance, 0.0, half)
    )
    # The lower half of the current sees the same by symmetry: 2 on the tips, and on the feed.
    return 1j * FREE_SPACE / (4 * np.pi * np.sin(_K * half) ** 2) * 2 * total


def self_impedance(length, wire_radius):
    """Impedance of one dipole at its feed, complex ohms."""
    return complex(mutual_impedance(wire_radius, length))


def _upper_half(distance, source, half):
    """Integral over z from 0 to half of sin(k (half - z)) exp(-j k R) / R, R the distance from
    height z on one axis to height source on the other."""

    def distances(height):
        r = np.hypot(distance, height)
        # r + height without cancellation for a negative height.
        plus = np.where(height >= 0, r + height, distance**2 / (r - np.minimum(height, 0)))
        return plus, distance**2 / plus

    # With s = z - source and u = R +- s, ds / R = +- du / u.
    plus_high, minus_high = distances(half - source)
    plus_low, minus_low = distances(0.0 - source)
    falling = _exponential_integral(plus_low) - _exponential_integral(plus_high)
    rising = _exponential_integral(minus_high) - _exponential_integral(minus_low)
    phase = np.exp(1j * _K * (half - source))
    return (phase * falling - np.conj(phase) * rising) / 2j


def _exponential_integral(u):
    """Integral of exp(-j k v) / v over v from u on."""
    return scipy.special.exp1(1j * _K * u)


def receiving_coupling(impedance, load):
    """What stands between open-circuit voltages and those at the receivers' inputs.

    impedance: Z, ... x N x N ohms, with the dipoles' own on the diagonal
    load: of each receiver, ... x N ohms
    Returns C, ... x N x N, diag(Z_A + Z_L) (Z + diag(Z_L))^-1 over its element (0, 0). A dipole
    far from all others has 1 whatever its load is: gains are not coupling.
    """
    impedance, load = np.asarray(impedance), np.asarray(load)
    n = impedance.shape[-1]
    own = np.einsum("...ii->...i", impedance)
    loaded = impedance + load[..., None] * np.eye(n)
    coupling = (own + load)[..., None] * np.linalg.inv(loaded)
    return coupling / coupling[..., :1, :1]

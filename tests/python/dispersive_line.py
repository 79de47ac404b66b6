# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dispersive line of sensors and its best linear estimator, from the definitions, with NumPy."""

import numpy as np

from gnuradio import bearing

RATE = 1000.0  # Hz
SENSORS = 10
SPACING = 10.0  # m
POSITIONS = SPACING * np.arange(SENSORS)
CORNER = 10.0  # Hz, of the source's spectrum
NOISE = 0.05  # standard deviation of each sensor's


def velocity(frequency):
    """Of the phase, m/s."""
    return 25.0 * (1.0 + np.sqrt(1.0 + (frequency / 100.0) ** 2))


def gain(frequency):
    """Over one interval."""
    return np.exp(-np.sqrt(0.01 + (frequency / 100.0) ** 2))


def tables(size=5001):
    """Frequency, gain and velocity; 0.15 Hz apart, linear interpolation errs by 1e-5."""
    frequency = np.linspace(0.0, 0.75 * RATE, size)
    return frequency, gain(frequency), velocity(frequency)


def propagator():
    return bearing.propagator.dispersive(POSITIONS, *tables())


def response(frequency, velocity_scale=1.0):
    """P, F x N, at frequencies >= 0."""
    f = np.asarray(frequency)[:, None]
    delay = POSITIONS / (velocity_scale * velocity(f))
    return gain(f) ** np.arange(SENSORS) * np.exp(-2j * np.pi * f * delay)


def source_density(frequency):
    """Two-sided, unit^2 / Hz: white noise of variance 1 through a Butterworth of first order."""
    warped = np.tan(np.pi * np.minimum(np.abs(frequency) / RATE, 0.5 - 1e-9))
    return 1.0 / (1.0 + (warped / np.tan(np.pi * CORNER / RATE)) ** 2) / RATE


class record:
    """What is heard and what is true, T x N; a circle, so that densities are exact."""

    def __init__(
        self, samples, seed, responses=None, densities=None, deviations=NOISE, velocity_scale=1.0
    ):
        random = np.random.default_rng(seed)
        self.frequency = np.arange(samples // 2 + 1) * (RATE / samples)
        if responses is None:
            responses = [response(self.frequency, velocity_scale)]
            densities = [source_density(self.frequency)]
        self.responses, self.densities = responses, densities
        self.variances = np.broadcast_to(np.square(deviations), SENSORS)
        self.signals = []
        for p, density in zip(responses, densities):
            white = np.fft.rfft(random.standard_normal(samples))
            spectrum = p * (white * np.sqrt(density * RATE))[:, None]
            self.signals.append(np.fft.irfft(spectrum, samples, axis=0))
        self.signal = sum(self.signals)
        noise = random.standard_normal((samples, SENSORS)) * np.sqrt(self.variances)
        self.data = self.signal + noise

    def wiener(self):
        """The best linear estimate of each source's signals by those who know all densities."""
        return wiener(self.data, self.responses, self.densities, self.variances / RATE)


def wiener(data, responses, densities, noise_densities):
    """K arrays of T x N, from circular data; densities two-sided."""
    p = np.stack(responses, axis=2)  # F x N x K
    s = np.stack(densities, axis=1)  # F x K
    is_real = np.isrealobj(data)
    forward = np.fft.rfft if is_real else np.fft.fft
    d = forward(data, axis=0)
    # (P^H Q^-1 P + S^-1)^-1 P^H Q^-1 d
    weighted = p.conj() / noise_densities[:, None]
    normal = np.einsum("fnk,fnl->fkl", weighted, p)
    normal += np.eye(s.shape[1]) / s[:, :, None]
    source = np.linalg.solve(normal, np.einsum("fnk,fn->fk", weighted, d)[:, :, None])[:, :, 0]
    estimates = []
    for k in range(p.shape[2]):
        spectrum = p[:, :, k] * source[:, k : k + 1]
        if is_real:
            estimates.append(np.fft.irfft(spectrum, len(data), axis=0))
        else:
            estimates.append(np.fft.ifft(spectrum, axis=0))
    return estimates


def plain_least_squares(data, p):
    """The signals by one source's least squares without a prior, from circular real data."""
    d = np.fft.rfft(data, axis=0)
    source = np.sum(p.conj() * d, axis=1) / np.sum(np.abs(p) ** 2, axis=1)
    return np.fft.irfft(p * source[:, None], len(data), axis=0)


def nmse_db(estimate, truth):
    error = np.sum(np.abs(np.asarray(estimate) - truth) ** 2)
    return 10.0 * np.log10(error / np.sum(np.abs(truth) ** 2))

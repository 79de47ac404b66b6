# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gains of receivers from one strong signal whose response is known, and how sure they are."""

from dataclasses import dataclass

import numpy as np

# A second eigenvalue this far above the others is a signal, not unequal noise.
_SECOND_SIGNAL = 10.0
# What two halves of a measurement may differ by: their noise, so many deviations of it, ...
_MOST_DEVIATIONS = 6.0
# ... and what oscillators that share a reference wander meanwhile, radians.
_MOST_WANDER = 0.05


@dataclass(frozen=True)
class pilot_phases:
    """gains: N complex128, 1 at the reference; None unless status is ok.
    sigma_phase_rad, sigma_log_gain: N, deviations of the errors (radians, nepers) that are left
    when the best common factor is taken out.
    status: ok, bad_data, low_snr or model_mismatch. detail: what is wrong, in words."""

    gains: np.ndarray
    sigma_phase_rad: np.ndarray
    sigma_log_gain: np.ndarray
    status: str
    detail: str = ""


def _failure(status, detail):
    return pilot_phases(None, None, None, status, detail)


def measure_pilot(halves, snapshots, response, reference=0, min_ratio_db=10.0, background=None):
    """The gains that a pilot tells: x = diag(gains) response s, up to a common factor.

    The principal eigenvector of the covariance, divided by the response. To first order its
    error has the covariance lambda_1 s2 / (T (lambda_1 - s2)^2) (I - v v^H); D. R. Brillinger,
    "Time Series: Data Analysis and Theory", 1981, chapter 9.

    Parameters
    ----------
    halves : two complex arrays of N x N
        Covariances of the pilot, one after the other.
    snapshots : int
        Behind both together.
    response : complex array of N
        Of ideal receivers to the pilot, no zeros: gains of the paths from a splitter, or the
        array's response to an emitter.
    reference : int
        Element at which the gain is 1.
    min_ratio_db : float
        Least ratio of the largest eigenvalue to the second one, and to the largest one of the
        background.
    background : complex array of N x N, optional
        Covariance without the pilot.
    """
    halves = [np.asarray(half, np.complex128) for half in halves]
    total = sum(halves) / len(halves)
    n = len(total)
    if not np.all(np.isfinite(total)):
        return _failure("bad_data", "samples are not finite")
    dead = np.flatnonzero(np.real(np.diag(total)) <= 0.0)
    if len(dead):
        return _failure("bad_data", f"receiver {dead[0]} is silent")

    values, vectors = np.linalg.eigh(total)
    # Rounding makes eigenvalues of noise-free samples zero or less.
    values = np.maximum(values, values[-1] * 1e-12)
    noise = float(np.mean(values[:-1]))
    least = 10.0 ** (min_ratio_db / 10.0)
    if values[-1] < least * values[-2]:
        if n > 2 and values[-2] > _SECOND_SIGNAL * np.mean(values[:-2]):
            return _failure("model_mismatch", "a second signal is as strong as the pilot")
        return _failure("low_snr", f"the pilot is less than {min_ratio_db:g} dB above the noise")
    if background is not None:
        before = np.linalg.eigvalsh(np.asarray(background, np.complex128))[-1]
        if not values[-1] >= least * before:
            return _failure(
                "low_snr",
                f"the pilot is less than {min_ratio_db:g} dB above what is received without it",
            )

    principal = vectors[:, -1]
    size = np.abs(principal)
    if np.min(size) < 1e-6:
        return _failure("low_snr", f"receiver {np.argmin(size)} does not hear the pilot")
    variance = values[-1] * noise / (values[-1] - noise) ** 2 / snapshots
    # Half of it is along the phase, half along the magnitude.
    sigma = np.sqrt(0.5 * variance * np.maximum(1.0 - size**2, 0.0)) / size

    first, second = (np.linalg.eigh(half)[1][:, -1] for half in halves)
    turned = second * np.conj(first)
    # Both have a free common phase.
    turned = np.angle(turned * np.conj(np.sum(turned)))
    by_noise = 2.0 * sigma
    if np.any(np.abs(turned) > _MOST_DEVIATIONS * by_noise + _MOST_WANDER):
        return _failure(
            "model_mismatch",
            f"phases move by {np.degrees(np.max(np.abs(turned))):.1f} degrees within the "
            "measurement: the pilot or the oscillators have not settled",
        )
    wander = 0.5 * np.maximum(np.abs(turned) - 3.0 * by_noise, 0.0)

    gains = principal / np.asarray(response, np.complex128)
    gains = gains / gains[reference]
    return pilot_phases(gains, np.hypot(sigma, wander), sigma, "ok")

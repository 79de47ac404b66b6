# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Low-pass filters that cut channels out of a wide band."""

import math

import numpy as np

from .sigmf_format import is_number

# Of a Kaiser window, dB: less is no channel filter, more is beyond single precision.
LEAST_ATTENUATION_DB, MOST_ATTENUATION_DB = 30.0, 140.0
# Kaiser's formulas are fits: a filter may fall short of what was asked for by as much, dB.
_MARGIN_DB = 3.0


def lowpass_taps(sample_rate, pass_edge, stop_edge, attenuation_db):
    """Taps of a linear-phase low-pass by Kaiser's window, of odd number; gain 1 at 0 Hz.

    Up to pass_edge the gain is within 10^(-attenuation_db / 20) of 1, beyond stop_edge it is less
    than that; half-way between the edges it is a half. All frequencies in Hz.

    Kaiser's formulas for length and shape: J. F. Kaiser, "Nonrecursive digital filter design
    using the I0-sinh window function", Proc. IEEE Int. Symp. Circuits and Systems, 1974.
    """
    attenuation_db += _MARGIN_DB
    width = 2.0 * math.pi * (stop_edge - pass_edge) / sample_rate
    half = math.ceil((attenuation_db - 7.95) / (2.285 * width) / 2.0)
    if attenuation_db > 50.0:
        shape = 0.1102 * (attenuation_db - 8.7)
    else:
        shape = 0.5842 * (attenuation_db - 21.0) ** 0.4 + 0.07886 * (attenuation_db - 21.0)
    cutoff = (stop_edge + pass_edge) / sample_rate
    taps = np.kaiser(2 * half + 1, shape) * np.sinc(cutoff * np.arange(-half, half + 1))
    return taps / np.sum(taps)


def check_integer(name, value, least, most):
    """The value as an int; ValueError naming it unless it is an integer from least to most."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        # What comes of a product with a rate, 0.2 * 2.4e6, is a float.
        hint = f", such as {int(value)}" if is_number(value) and value % 1 == 0 else ""
        raise ValueError(f"{name} is {value!r}; it must be an integer{hint}")
    if not least <= value <= most:
        raise ValueError(f"{name} is {value!r}; it must be from {least} to {most}")
    return int(value)


def check_sample_rate(sample_rate):
    """The rate as a float; ValueError unless it is a number > 0."""
    if not is_number(sample_rate) or not sample_rate > 0:
        raise ValueError(f"sample_rate is {sample_rate!r}; it must be a number > 0 (Hz)")
    return float(sample_rate)


def check_center_frequency(center_frequency, lowest_offset):
    """The frequency as a float, 0 for unknown; ValueError where it puts a channel below 0 Hz."""
    if not is_number(center_frequency) or not (
        center_frequency == 0 or center_frequency > max(-lowest_offset, 0.0)
    ):
        raise ValueError(
            f"center_frequency is {center_frequency!r}; it must be > "
            f"{max(-lowest_offset, 0.0):g} Hz, or 0 for unknown"
        )
    return float(center_frequency)


def check_attenuation(attenuation_db):
    """The attenuation as a float; ValueError where no filter has it."""
    least, most = LEAST_ATTENUATION_DB, MOST_ATTENUATION_DB
    if not is_number(attenuation_db) or not least <= attenuation_db <= most:
        raise ValueError(
            f"attenuation_db is {attenuation_db!r}; it must be from {least:g} to {most:g} dB"
        )
    return float(attenuation_db)

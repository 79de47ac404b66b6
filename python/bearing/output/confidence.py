# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One number for how good a bearing is, for formats that have no place for its deviation.

Readers compare it with thresholds, so each of these falls as the deviation grows:

- in dB, as the KrakenSDR software has it: the largest value of the pseudo-spectrum over its mean.
  Without a spectrum, that of the density of a normal distribution with the bearing's deviation.
- in percent: the chance that the true bearing is within 5 degrees of the one given, were errors
  normal with the bearing's deviation. Without a deviation, one that would give the spectrum's
  number of dB.

Both are 0 where neither is known, and unless the status is ok: an array that is not calibrated has
sharp peaks too, in wrong directions, and these formats have no other word for that.
"""

import math

import numpy as np

HALF_WIDTH_DEG = 5.0

# Of a deviation that an estimator calls certain, and to keep the logarithm finite.
_LEAST_STD_DEG = 1e-3

# Largest value over mean, around a circle, of a normal density with a deviation of 1 degree.
_PEAK_OVER_MEAN = 360.0 / math.sqrt(2.0 * math.pi)


def is_trusted(record):
    """Whether the estimator stands by what it found. It is not known of what was read from a format
    without a status, or a bearing would be trusted again once it is written anew."""
    return record.report.status == "ok"


def confidence_db(record, index):
    """Of the direction with that index in the report; in dB, 0 or more."""
    if not is_trusted(record):
        return 0.0
    from_spectrum = _peak_over_mean_db(record.spectrum_db)
    if from_spectrum is not None:
        return from_spectrum
    std_deg = float(record.report.std_deg[index])
    if not 0.0 <= std_deg < math.inf:
        return 0.0
    return max(0.0, 10.0 * math.log10(_PEAK_OVER_MEAN / max(std_deg, _LEAST_STD_DEG)))


def confidence_percent(record, index):
    """Of the direction with that index in the report; 0 to 100, no whole number."""
    if not is_trusted(record):
        return 0.0
    std_deg = float(record.report.std_deg[index])
    if not std_deg >= 0.0:
        from_spectrum = _peak_over_mean_db(record.spectrum_db)
        if from_spectrum is None:
            return 0.0
        std_deg = _PEAK_OVER_MEAN / 10.0 ** (from_spectrum / 10.0)
    return 100.0 * math.erf(HALF_WIDTH_DEG / (math.sqrt(2.0) * max(std_deg, _LEAST_STD_DEG)))


def _peak_over_mean_db(spectrum_db):
    if spectrum_db is None:
        return None
    values = np.asarray(spectrum_db, float)
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    return float(-10.0 * np.log10(np.mean(10.0 ** ((values - values.max()) / 10.0))))

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the formats of the KrakenSDR software have in common: their words, units and spectra."""

import math

import numpy as np

from ..bearing_report import bearing_report
from .angle_conventions import (
    clockwise_to_counter_clockwise_deg,
    counter_clockwise_to_clockwise_deg,
    difference_deg,
    true_bearing_deg,
    wrap_deg,
    wrap_single_deg,
)
from .bearing_record import bearing_record
from .station import station

VERSIONS = ("v1", "v2")
ARRAY_KINDS = ("ula", "uca", "custom")

_ALIGNMENTS = {"ula": "ULA", "uca": "UCA", "custom": "Custom"}

# Of the software itself, in dB relative to full scale.
LEAST_POWER_DB = -100.0

_LONGEST_LATENCY_MS = 3600000

# A spectrum that is made up from a deviation does not go further below its peak.
_LEAST_DENSITY_DB = -30.0
_THETA_DEG = np.arange(360.0)


def check_choice(name, value, choices):
    if value not in choices:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(choices)}")
    return value


def alignment(array_kind):
    return _ALIGNMENTS[check_choice("array_kind", array_kind, ARRAY_KINDS)]


def degrees(angle_deg):
    """An angle in [0, 360) with four decimals: less than any deviation, and no digits that are
    only single precision's."""
    return float(wrap_deg(round(float(wrap_deg(float(angle_deg))), 4)))


def milliseconds(seconds):
    """Whole milliseconds since 1970; 0 where it is not known."""
    return 0 if seconds is None else int(math.floor(seconds * 1e3 + 0.5))


def latency_ms(record):
    """From the first sample to the arrival of the bearing, where both are times of day. 0 for what
    is older than an hour: a recording."""
    if record.received_s is None or record.time_s is None:
        return 0
    latency = milliseconds(record.received_s) - milliseconds(record.time_s)
    return latency if 0 <= latency < _LONGEST_LATENCY_MS else 0


def known(value, otherwise=0.0):
    """A finite number for what may be None or NaN."""
    return float(value) if value is not None and math.isfinite(value) else otherwise


def whole_hertz(frequency):
    return int(math.floor(known(frequency) + 0.5))


def power_db(record, index):
    return max(LEAST_POWER_DB, known(record.report.power_db[index], LEAST_POWER_DB))


def spectrum_by_theta(record, index):
    """360 values in dB for theta = 0, 1 ... 359 degrees counter-clockwise, the least of them 0.

    Outside the azimuths of a line's spectrum they are 0. Without a spectrum: the density of a
    normal distribution with the bearing and its deviation, 30 dB deep; 0 where the deviation is
    not known either.
    """
    values = None
    if record.spectrum_db is not None:
        values = _sampled(record)
    if values is None:
        std_deg = float(record.report.std_deg[index])
        if not std_deg >= 0.0:
            return np.zeros(360)
        theta = clockwise_to_counter_clockwise_deg(float(record.report.angles_deg[index]))
        # The peak is seen on whole degrees however narrow it is.
        deviations = difference_deg(_THETA_DEG, theta) / max(std_deg, 0.5)
        values = np.maximum(-10.0 * np.log10(np.e) * deviations**2 / 2.0, _LEAST_DENSITY_DB)
    return values - values.min()


def _sampled(record):
    """The spectrum on whole degrees of theta, or None without a finite value in it."""
    is_finite = np.isfinite(record.spectrum_db)
    if not is_finite.any():
        return None
    azimuths = record.spectrum_deg[is_finite].astype(float)
    values = record.spectrum_db[is_finite].astype(float)
    # Whole turns that bring an azimuth to where the spectrum has values.
    wanted = azimuths[0] + wrap_deg(counter_clockwise_to_clockwise_deg(_THETA_DEG) - azimuths[0])
    step = (azimuths[-1] - azimuths[0]) / max(1, azimuths.size - 1)
    if azimuths[-1] + 1.5 * step >= azimuths[0] + 360.0:  # a full circle: it closes
        azimuths = np.append(azimuths, azimuths[0] + 360.0)
        values = np.append(values, values[0])
    return np.interp(wanted, azimuths, values, right=values.min())


def spectrum_from_theta(values):
    """(spectrum_db, spectrum_deg) of such values: clockwise azimuths 0, 1 ... 359."""
    azimuths = counter_clockwise_to_clockwise_deg(_THETA_DEG)
    order = np.argsort(azimuths)
    return np.asarray(values, float)[order], azimuths[order]


def record_of(
    azimuth_deg,
    name,
    position,
    heading_deg,
    time_ms=0,
    arrival_ms=0,
    power_db=math.nan,
    snr_db=math.nan,
    frequency=0.0,
    num_sources=None,
    speed_m_s=None,
    spectrum=None,
):
    """The record that a reader makes of one direction. What these formats write for what is not
    known is read as that: place 0, 0, time 0, frequency 0, the least power."""
    place = dict(name=name, heading_deg=heading_deg, speed_m_s=speed_m_s)
    if position != (0.0, 0.0):
        place.update(latitude=position[0], longitude=position[1])
    if power_db <= LEAST_POWER_DB:
        power_db = math.nan
    spectrum_db, spectrum_deg = (None, None) if spectrum is None else spectrum_from_theta(spectrum)
    bearing = math.nan if heading_deg is None else true_bearing_deg(azimuth_deg, heading_deg)
    report = bearing_report(
        angles_deg=wrap_single_deg([azimuth_deg]),
        std_deg=np.float32([np.nan]),
        true_bearing_deg=wrap_single_deg([bearing]),
        power_db=np.float32([power_db]),
        snr_db=np.float32([snr_db]),
        status="",
        method="",
        rx_time=(time_ms // 1000, (time_ms % 1000) / 1e3) if time_ms > 0 else None,
        rx_freq=frequency or None,
        num_sources=num_sources,
    )
    return bearing_record(
        report,
        station(**place),
        spectrum_db=spectrum_db,
        spectrum_deg=spectrum_deg,
        received_s=arrival_ms / 1e3 if arrival_ms else None,
    )


def number(text, field):
    """A finite number out of a field's text; ValueError names the field."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{field} is {str(text)[:60]!r}; it must be a finite number")
    return value


def whole_number(text, field):
    """A whole number out of a field's text; ValueError names the field."""
    try:
        return int(str(text))
    except ValueError:
        raise ValueError(f"{field} is {str(text)[:60]!r}; it must be a whole number") from None

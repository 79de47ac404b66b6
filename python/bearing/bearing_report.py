# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one bearing message says, as Python sees it."""

import dataclasses
from typing import Optional, Tuple

import numpy as np
import pmt

from . import stream_time

_RX_TIME = pmt.intern("rx_time")
_RX_FREQ = pmt.intern("rx_freq")
_METHOD = pmt.intern("method")
_STATUS = pmt.intern("status")
_NUM_SOURCES = pmt.intern("num_sources")
_SNAPSHOTS = pmt.intern("snapshots")
# As long as the angles, and those of searches over two coordinates only.
VECTORS = ("std_deg", "true_bearing_deg", "power_db", "snr_db")
SECOND_VECTORS = ("elevation_deg", "elevation_std_deg", "range_m", "range_std_m")
_KEYS = {name: pmt.intern(name) for name in VECTORS + SECOND_VECTORS}
_NONE_SUCH = pmt.PMT_NIL


@dataclasses.dataclass(frozen=True)
class bearing_report:
    """One message of a port ``bearings``: what an estimator found in one covariance.

    The arrays are float32 and equally long, strongest source first; a direction that was not
    found is NaN, and so is all that the message does not tell about it. What is unknown
    otherwise is None.

    angles_deg: azimuths in degrees, clockwise from the array's +y axis.
    std_deg: predicted standard deviations in degrees; NaN where not trustworthy.
    true_bearing_deg: heading + azimuth, in [0, 360).
    power_db, snr_db: power per element relative to 1, and over the noise power, in dB.
    status, method: as the estimator says them.
    rx_time: (seconds, fraction) of the first sample.
    rx_freq: tuned frequency in Hz.
    num_sources, snapshots: as counted or given, and behind the covariance.
    elevation_deg, elevation_std_deg: of a search over azimuth and elevation, up from the x-y
    plane; arrays as long as the angles.
    range_m, range_std_m: of a search over azimuth and range, likewise; in metres, or in wavelengths
    when the array has no wavelength. Infinite: not told apart from a source far away.
    reason, is_gated, glrt, glrt_limit: of the block coupling: a sentence behind the status (None:
    nothing to say), whether angles are those without correction, the likelihood ratio and the
    limit above which its model is wrong (NaN where it cannot tell).
    """

    angles_deg: np.ndarray
    std_deg: np.ndarray
    true_bearing_deg: np.ndarray
    power_db: np.ndarray
    snr_db: np.ndarray
    status: str
    method: str
    rx_time: Optional[Tuple[int, float]] = None
    rx_freq: Optional[float] = None
    num_sources: Optional[int] = None
    snapshots: Optional[int] = None
    elevation_deg: Optional[np.ndarray] = None
    elevation_std_deg: Optional[np.ndarray] = None
    range_m: Optional[np.ndarray] = None
    range_std_m: Optional[np.ndarray] = None
    reason: Optional[str] = None
    is_gated: Optional[bool] = None
    glrt: Optional[float] = None
    glrt_limit: Optional[float] = None

    @property
    def seconds(self):
        """rx_time as one float, or None; good to about a microsecond for the present time."""
        return None if self.rx_time is None else self.rx_time[0] + self.rx_time[1]

    @property
    def heading_deg(self):
        """Direction of the array's +y axis in degrees clockwise from north, in [0, 360), as
        angles and true bearings tell it; None when no direction was found."""
        found = np.flatnonzero(np.isfinite(self.true_bearing_deg) & np.isfinite(self.angles_deg))
        if not found.size:
            return None
        return (float(self.true_bearing_deg[found[0]]) - float(self.angles_deg[found[0]])) % 360.0

    @classmethod
    def from_message(cls, message):
        """Reads the pmt of a message. Keys that it does not know are passed over.

        Raises ValueError saying what is wrong with a message that is no bearing message.
        """
        if not pmt.is_pair(message):
            raise ValueError("a bearing message is a pair of a dict and an f32vector")
        details, angles = pmt.car(message), pmt.cdr(message)
        # An empty dict is PMT_NIL.
        if not (pmt.is_dict(details) or pmt.is_null(details)):
            raise ValueError("the first part of a bearing message must be a dict")
        if not pmt.is_f32vector(angles):
            raise ValueError("the second part of a bearing message must be an f32vector")
        angles_deg = _to_array(angles)
        fields = {}
        for name in VECTORS:
            told = _vector(details, name, angles_deg.size)
            fields[name] = np.full(angles_deg.size, np.nan, np.float32) if told is None else told
        for name in SECOND_VECTORS:
            fields[name] = _vector(details, name, angles_deg.size)
        return cls(
            angles_deg=angles_deg,
            status=_symbol(details, "status", _STATUS),
            method=_symbol(details, "method", _METHOD),
            rx_time=_time(details),
            rx_freq=_frequency(details),
            num_sources=_count(details, "num_sources", _NUM_SOURCES),
            snapshots=_count(details, "snapshots", _SNAPSHOTS),
            reason=_if_told(details, "reason", pmt.is_symbol, pmt.symbol_to_string, "a symbol"),
            is_gated=_if_told(details, "is_gated", pmt.is_bool, pmt.to_bool, "a bool"),
            glrt=_if_told(details, "glrt", pmt.is_real, pmt.to_double, "a double"),
            glrt_limit=_if_told(details, "glrt_limit", pmt.is_real, pmt.to_double, "a double"),
            **fields,
        )


def _to_array(vector):
    return np.array(pmt.f32vector_elements(vector), np.float32)


def _vector(details, name, size):
    value = pmt.dict_ref(details, _KEYS[name], _NONE_SUCH)
    if pmt.is_null(value):
        return None
    if not pmt.is_f32vector(value) or pmt.length(value) != size:
        raise ValueError(f"{name} must be an f32vector as long as the angles, {size}")
    return _to_array(value)


def _symbol(details, name, key):
    value = pmt.dict_ref(details, key, _NONE_SUCH)
    if not pmt.is_symbol(value):
        raise ValueError(f"{name} must be a symbol")
    return pmt.symbol_to_string(value)


def _if_told(details, name, is_right, to_python, kind):
    value = pmt.dict_ref(details, pmt.intern(name), _NONE_SUCH)
    if pmt.is_null(value):
        return None
    if not is_right(value):
        raise ValueError(f"{name} must be {kind}")
    return to_python(value)


def _time(details):
    value = pmt.dict_ref(details, _RX_TIME, _NONE_SUCH)
    if pmt.is_null(value):
        return None
    told = stream_time.from_pmt(value)
    if told is None:
        raise ValueError("rx_time must be a tuple of uint64 seconds and a double fraction")
    return told


def _frequency(details):
    value = pmt.dict_ref(details, _RX_FREQ, _NONE_SUCH)
    if pmt.is_null(value):
        return None
    if not pmt.is_number(value) or pmt.is_complex(value):
        raise ValueError("rx_freq must be a real number")
    return pmt.to_double(value)


def _count(details, name, key):
    value = pmt.dict_ref(details, key, _NONE_SUCH)
    if pmt.is_null(value):
        return None
    if not (pmt.is_uint64(value) or pmt.is_integer(value)) or pmt.to_python(value) < 0:
        raise ValueError(f"{name} must be a whole number, 0 or more")
    return pmt.to_python(value)

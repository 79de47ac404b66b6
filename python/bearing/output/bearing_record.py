# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One bearing message and the station it comes from: what every output format encodes."""

import dataclasses
import math
from typing import Optional

import numpy as np
import pmt

from .. import stream_time
from ..bearing_report import SECOND_VECTORS, VECTORS, bearing_report
from .angle_conventions import true_bearing_deg, wrap_single_deg
from .station import station

# rx_time before 2001 is time since the start of a stream, not of day.
_FIRST_DATE = 978307200
# The year 9990: what is a little later still has four digits in its date.
_LAST_DATE = 253086768000

_LONGEST_NAME = 100
_MOST_POINTS = 65536

_COUNTS = ("num_sources", "snapshots")
_NUMBERS = ("rx_freq", "glrt", "glrt_limit")
_STATION_NUMBERS = ("latitude", "longitude", "heading_deg", "altitude_m", "speed_m_s")


@dataclasses.dataclass(frozen=True, eq=False)
class bearing_record:
    """A bearing report with its station: one message, ready for any output format.

    report: ``bearing_report``.
    station: ``station``. A heading that it tells is the one that counts; where it tells none, it
    takes the one of the first direction that was found. All true bearings are made anew with it.
    channel: name of the channel in a receiver of several, up to 100 printable characters, or None.
    spectrum_db, spectrum_deg: pseudo-spectrum in dB and its azimuths in degrees, clockwise from
    the array's +y axis and ascending; float32 arrays of equal length, or None.
    received_s: Unix time when the report came, in seconds; None: not known.

    Raises ValueError naming the field, its value and what is allowed.
    """

    report: bearing_report
    station: station = station()
    channel: Optional[str] = None
    spectrum_db: Optional[np.ndarray] = None
    spectrum_deg: Optional[np.ndarray] = None
    received_s: Optional[float] = None

    def __post_init__(self):
        if not isinstance(self.report, bearing_report):
            kind = type(self.report).__name__
            raise ValueError(f"report is a {kind}; it must be a bearing_report")
        if not isinstance(self.station, station):
            raise ValueError(f"station is a {type(self.station).__name__}; it must be a station")
        if self.channel is not None:
            is_name = isinstance(self.channel, str) and len(self.channel) <= _LONGEST_NAME
            if not (is_name and self.channel.isprintable()):
                raise ValueError(
                    f"channel is {self.channel!r:.60}; it must be a name of up to "
                    f"{_LONGEST_NAME} printable characters, or None"
                )
        if self.received_s is not None and not 0.0 <= self.received_s < _LAST_DATE:
            raise ValueError(
                f"received_s is {self.received_s!r}; it must be a Unix time from 0 to {_LAST_DATE}"
            )
        self._check_counts()
        self._check_spectrum()
        self._agree_on_heading()

    def _check_counts(self):
        for field in _COUNTS:
            told = getattr(self.report, field)
            if told is not None and not 0 <= told < 2**64:
                raise ValueError(f"{field} is {told!r:.60}; it must be a whole number, 0 or more")

    def _check_spectrum(self):
        given = [values is not None for values in (self.spectrum_db, self.spectrum_deg)]
        if not any(given):
            return
        if not all(given):
            raise ValueError("spectrum_db and spectrum_deg must be given together")
        for field in ("spectrum_db", "spectrum_deg"):
            values = np.asarray(getattr(self, field), np.float32)
            if values.ndim != 1 or not 2 <= values.size <= _MOST_POINTS:
                raise ValueError(
                    f"{field} has the shape {values.shape}; it must be a row of 2 to "
                    f"{_MOST_POINTS}"
                )
            object.__setattr__(self, field, values)
        if self.spectrum_db.size != self.spectrum_deg.size:
            raise ValueError(
                f"spectrum_db has {self.spectrum_db.size} values; it must have as many as "
                f"spectrum_deg, {self.spectrum_deg.size}"
            )
        if not (np.isfinite(self.spectrum_deg).all() and (np.diff(self.spectrum_deg) > 0).all()):
            raise ValueError("spectrum_deg must be finite and ascending")

    def _agree_on_heading(self):
        if self.station.heading_deg is None:
            told = self.report.heading_deg
            if told is None:
                return
            place = dataclasses.replace(self.station, heading_deg=told)
            object.__setattr__(self, "station", place)
        # Also where the first direction agrees: others may not.
        angles = np.asarray(self.report.angles_deg, np.float32)
        bearings = wrap_single_deg(true_bearing_deg(angles.astype(float), self.station.heading_deg))
        object.__setattr__(
            self, "report", dataclasses.replace(self.report, true_bearing_deg=bearings)
        )

    @property
    def found(self):
        """Indices of the directions that were found, strongest first."""
        return np.flatnonzero(np.isfinite(self.report.angles_deg))

    @property
    def time_s(self):
        """Unix time in seconds: that of the samples, else that of the arrival; None: not known."""
        rx_time = self.report.rx_time
        if rx_time is not None and _FIRST_DATE <= rx_time[0] < _LAST_DATE:
            return rx_time[0] + rx_time[1]
        return self.received_s

    def to_message(self):
        """The PMT that carries all of it: an estimator's message with ``station``, ``channel``
        (symbols), ``latitude``, ``longitude``, ``heading_deg``, ``altitude_m``, ``speed_m_s``,
        ``received_s`` (doubles) in its dict, PMT_NIL for what is unknown, and ``spectrum_db``,
        ``spectrum_deg`` (f32vectors) where there is a spectrum."""
        report, place = self.report, self.station
        details = pmt.make_dict()

        def add(key, value):
            nonlocal details
            details = pmt.dict_add(details, pmt.intern(key), value)

        add("rx_time", _or_nil(report.rx_time, stream_time.to_pmt))
        add("method", pmt.intern(report.method))
        add("status", pmt.intern(report.status))
        for key in _COUNTS:
            add(key, _or_nil(getattr(report, key), pmt.from_uint64))
        add("rx_freq", _or_nil(report.rx_freq, pmt.from_double))
        for key in VECTORS:
            add(key, _to_f32vector(getattr(report, key)))
        optional = [(key, _to_f32vector) for key in SECOND_VECTORS]
        optional += [("reason", pmt.intern), ("is_gated", pmt.from_bool)]
        optional += [("glrt", pmt.from_double), ("glrt_limit", pmt.from_double)]
        for key, to_pmt in optional:
            if getattr(report, key) is not None:
                add(key, to_pmt(getattr(report, key)))
        add("station", pmt.intern(place.name))
        for key in _STATION_NUMBERS:
            add(key, _or_nil(getattr(place, key), pmt.from_double))
        add("channel", _or_nil(self.channel, pmt.intern))
        add("received_s", _or_nil(self.received_s, pmt.from_double))
        if self.spectrum_db is not None:
            add("spectrum_db", _to_f32vector(self.spectrum_db))
            add("spectrum_deg", _to_f32vector(self.spectrum_deg))
        return pmt.cons(details, _to_f32vector(report.angles_deg))

    @classmethod
    def from_message(cls, message):
        """Reads such a message, or one of an estimator, which knows no station.

        Raises ValueError saying what is wrong with it.
        """
        report = bearing_report.from_message(message)
        details = pmt.car(message)
        fields = {key: _number(details, key) for key in _STATION_NUMBERS}
        return cls(
            report=report,
            station=station(name=_symbol(details, "station") or "", **fields),
            channel=_symbol(details, "channel"),
            spectrum_db=_f32vector(details, "spectrum_db"),
            spectrum_deg=_f32vector(details, "spectrum_deg"),
            received_s=_number(details, "received_s"),
        )


def _or_nil(value, to_pmt):
    return pmt.PMT_NIL if value is None else to_pmt(value)


def _to_f32vector(values):
    values = np.asarray(values, np.float32)
    return pmt.init_f32vector(values.size, values.tolist())


def _get(details, key):
    value = pmt.dict_ref(details, pmt.intern(key), pmt.PMT_NIL)
    return None if pmt.is_null(value) else value


def _symbol(details, key):
    value = _get(details, key)
    if value is None:
        return None
    if not pmt.is_symbol(value):
        raise ValueError(f"{key} must be a symbol")
    try:
        return pmt.symbol_to_string(value)
    except UnicodeDecodeError:
        raise ValueError(f"{key} must be text in UTF-8") from None


def _number(details, key):
    value = _get(details, key)
    if value is None:
        return None
    if not pmt.is_real(value) or not math.isfinite(pmt.to_double(value)):
        raise ValueError(f"{key} must be a finite double")
    return pmt.to_double(value)


def _f32vector(details, key):
    value = _get(details, key)
    if value is None:
        return None
    if not pmt.is_f32vector(value):
        raise ValueError(f"{key} must be an f32vector")
    return np.array(pmt.f32vector_elements(value), np.float32)

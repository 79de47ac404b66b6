# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One JSON object a line, for one bearing message: all that it says, and the station.

Numbers of single precision are written with the shortest digits that read as the same; what is
unknown is null, infinite ranges are the text "inf". Keys are those of ``bearing-replay --format
json`` less its ``item`` and ``elapsed_s``, and ``station``, ``channel``, ``received_s``; further
keys where a search has more to say; ``spectrum_db``, ``spectrum_deg`` where they are wanted.
"""

import json
import math

import numpy as np

from ..bearing_report import SECOND_VECTORS, VECTORS, bearing_report
from ..hier.sample_time import iso_time
from .bearing_record import bearing_record
from .json_reader import read_object
from .station import station
from .text_input import as_text

_LARGEST = 1 << 22

_VECTORS = ("angles_deg",) + VECTORS
_MORE_VALUES = ("reason", "is_gated", "glrt", "glrt_limit")
_STATION_FIELDS = ("name", "latitude", "longitude", "heading_deg", "altitude_m", "speed_m_s")


def encode(record, with_spectrum=False):
    """A list of one line of text.

    with_spectrum: the record's spectrum is written too.
    """
    report = record.report
    rx_time = None
    if report.rx_time is not None:
        seconds, fraction = report.rx_time
        rx_time = {"seconds": seconds, "fraction": fraction, "iso": iso_time(seconds, fraction)}
    value = {
        "station": {field: getattr(record.station, field) for field in _STATION_FIELDS},
        "channel": record.channel,
        "received_s": record.received_s,
        "rx_time": rx_time,
        "rx_freq": _number(report.rx_freq),
        "method": report.method,
        "status": report.status,
        "num_sources": report.num_sources,
        "snapshots": report.snapshots,
    }
    value.update((key, _numbers(getattr(report, key))) for key in _VECTORS)
    for key in SECOND_VECTORS:
        if getattr(report, key) is not None:
            value[key] = _numbers(getattr(report, key))
    for key in _MORE_VALUES:
        told = getattr(report, key)
        if told is not None:
            value[key] = _number(told) if isinstance(told, float) else told
    if with_spectrum and record.spectrum_db is not None:
        value["spectrum_db"] = _numbers(record.spectrum_db)
        value["spectrum_deg"] = _numbers(record.spectrum_deg)
    return [json.dumps(value, allow_nan=False) + "\n"]


def _numbers(values):
    return [_number(float(str(value))) for value in np.asarray(values, np.float32)]


def _number(value):
    if value is None or math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)


def decode(text):
    """Records out of lines of text or bytes; one a line.

    Raises ValueError naming what is wrong.
    """
    lines = as_text(text).split("\n")
    return [_record(read_object(line, _LARGEST)) for line in lines if line.strip()]


def _record(value):
    rx_time = _get(value, "rx_time", dict)
    if rx_time is not None:
        rx_time = (_get(rx_time, "seconds", int), _get(rx_time, "fraction", float))
        check_rx_time(rx_time)
    fields = {key: _vector(value, key) for key in _VECTORS + SECOND_VECTORS}
    size = None if fields["angles_deg"] is None else fields["angles_deg"].size
    for key, vector in fields.items():
        if vector is None and key in _VECTORS:
            raise ValueError(f"{key} must be there")
        if vector is not None and vector.size != size:
            raise ValueError(f"{key} has {vector.size} values; it must have as many as angles_deg")
    fields.update((key, _get(value, key, str)) for key in ("method", "status", "reason"))
    fields.update((key, _get(value, key, int)) for key in ("num_sources", "snapshots"))
    for key in ("glrt", "glrt_limit"):
        if key in value:
            told = _get(value, key, float)
            fields[key] = math.nan if told is None else told
    report = bearing_report(
        rx_time=rx_time,
        rx_freq=_get(value, "rx_freq", float),
        is_gated=_get(value, "is_gated", bool),
        **fields,
    )
    place = _get(value, "station", dict) or {}
    return bearing_record(
        report,
        station(**{key: place[key] for key in _STATION_FIELDS if key in place}),
        channel=_get(value, "channel", str),
        spectrum_db=_vector(value, "spectrum_db"),
        spectrum_deg=_vector(value, "spectrum_deg"),
        received_s=_get(value, "received_s", float),
    )


def check_rx_time(rx_time):
    """Raises ValueError for what is no (seconds, fraction)."""
    is_whole = None not in rx_time and 0 <= rx_time[0] < 2**64
    if not (is_whole and 0.0 <= rx_time[1] < 1.0):
        raise ValueError("rx_time must have seconds from 0 on and a fraction in [0, 1)")


def _get(value, key, kind):
    told = value.get(key)
    if told is None:
        return None
    if kind is float and told in ("inf", "-inf"):
        return float(told)
    kinds = (int, float) if kind is float else kind
    if not isinstance(told, kinds) or (isinstance(told, bool) and kind is not bool):
        raise ValueError(f"{key} must be a {kind.__name__} or null")
    return float(told) if kind is float else told


def _vector(value, key):
    told = _get(value, key, list)
    if told is None:
        return None
    numbers = [_get({key: one}, key, float) for one in told]
    return np.array([math.nan if one is None else one for one in numbers], np.float32)

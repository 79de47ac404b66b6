# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comma-separated values: a row for each direction of a bearing message, for tables and plots.

``direction`` counts the directions of a message from 1, strongest first; a message without any has
one row, where it is empty. What is unknown is empty. ``time`` is for people; ``rx_seconds`` and
``rx_fraction`` are exact. Rows end with CR LF, as RFC 4180 wants it.
"""

import csv
import io
import math

import numpy as np

from ..bearing_report import SECOND_VECTORS, VECTORS, bearing_report
from ..hier.sample_time import iso_time
from .bearing_record import bearing_record
from .json_lines import check_rx_time
from .station import station
from .text_input import as_text

_STATION_FIELDS = ("latitude", "longitude", "heading_deg", "altitude_m", "speed_m_s")
_VECTORS = ("angles_deg",) + VECTORS
_COUNTS = ("num_sources", "snapshots")
_NUMBERS = ("glrt", "glrt_limit")

COLUMNS = (
    ("time", "rx_seconds", "rx_fraction", "received_s", "station")
    + _STATION_FIELDS
    + ("channel", "rx_freq", "method", "status")
    + _COUNTS
    + ("direction", "angle_deg")
    + VECTORS
    + SECOND_VECTORS
    + ("reason", "is_gated")
    + _NUMBERS
)


def _row(values):
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue()


HEADER = _row(COLUMNS)


def encode(record):
    """A list of one text with a row for each direction; without the header."""
    report, place = record.report, record.station
    values = dict.fromkeys(COLUMNS, "")
    if report.rx_time is not None:
        seconds, fraction = report.rx_time
        values["time"] = iso_time(seconds, fraction, digits=6) or ""
        values["rx_seconds"], values["rx_fraction"] = seconds, repr(float(fraction))
    values["station"], values["channel"] = place.name, record.channel or ""
    values["method"], values["status"] = report.method, report.status
    values["reason"] = report.reason or ""
    values["is_gated"] = "" if report.is_gated is None else str(report.is_gated).lower()
    values["received_s"] = _text(record.received_s)
    values["rx_freq"] = _text(report.rx_freq)
    for key in _STATION_FIELDS:
        values[key] = _text(getattr(place, key))
    for key in _COUNTS:
        told = getattr(report, key)
        values[key] = "" if told is None else told
    for key in _NUMBERS:
        told = getattr(report, key)
        values[key] = "" if told is None else repr(told)
    rows = []
    for k in range(max(1, report.angles_deg.size)):
        if report.angles_deg.size:
            values["direction"] = k + 1
            for key in _VECTORS + SECOND_VECTORS:
                vector = getattr(report, key)
                column = "angle_deg" if key == "angles_deg" else key
                # A search over elevation is told from one without by its "nan".
                values[column] = "" if vector is None else _single(vector[k], key in _VECTORS)
        rows.append(_row(values.values()))
    return ["".join(rows)]


def _text(value):
    return "" if value is None else repr(float(value))


def _single(value, is_empty_when_unknown):
    # str of single precision has the shortest digits that read as the same.
    return "" if is_empty_when_unknown and math.isnan(value) else str(np.float32(value))


def decode(text):
    """Records out of rows of text or bytes, with or without the header before them.

    Raises ValueError naming what is wrong.
    """
    try:
        return _records(csv.reader(io.StringIO(as_text(text), newline="")))
    except csv.Error as error:
        raise ValueError(f"these are no rows that can be read: {error}") from None


def _records(reader):
    records, rows = [], []
    for row in reader:
        if not row or row == list(COLUMNS):
            continue
        if len(row) != len(COLUMNS):
            raise ValueError(f"a row has {len(row)} columns; it must have {len(COLUMNS)}")
        row = dict(zip(COLUMNS, row))
        if rows and row["direction"] in ("", "1"):
            records.append(_record(rows))
            rows = []
        rows.append(row)
        if row["direction"] not in ("", str(len(rows))):
            raise ValueError(f"direction is {row['direction'][:20]!r}; it must be {len(rows)}")
    if rows:
        records.append(_record(rows))
    return records


def _record(rows):
    first = rows[0]
    has_directions = first["direction"] != ""
    fields = {}
    for key in _VECTORS + SECOND_VECTORS:
        column = "angle_deg" if key == "angles_deg" else key
        texts = [row[column] for row in rows] if has_directions else []
        if key in SECOND_VECTORS and not any(texts):
            fields[key] = None
            continue
        fields[key] = np.array([_float(text or "nan", column) for text in texts], np.float32)
    for key in _COUNTS:
        fields[key] = int(first[key]) if first[key] else None
    for key in _NUMBERS:
        fields[key] = _float(first[key], key) if first[key] else None
    rx_time = None
    if first["rx_seconds"]:
        rx_time = (int(first["rx_seconds"]), _float(first["rx_fraction"], "rx_fraction"))
        check_rx_time(rx_time)
    report = bearing_report(
        status=first["status"],
        method=first["method"],
        rx_time=rx_time,
        rx_freq=_optional(first, "rx_freq"),
        reason=first["reason"] or None,
        is_gated={"true": True, "false": False}.get(first["is_gated"]),
        **fields,
    )
    return bearing_record(
        report,
        station(first["station"], **{key: _optional(first, key) for key in _STATION_FIELDS}),
        channel=first["channel"] or None,
        received_s=_optional(first, "received_s"),
    )


def _optional(row, key):
    return _float(row[key], key) if row[key] else None


def _float(text, column):
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{column} is {text[:60]!r}; it must be a number") from None

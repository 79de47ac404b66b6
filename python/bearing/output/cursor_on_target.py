# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cursor-on-target events for TAK: a line from the station along the true bearing.

One event a direction, strongest first: type ``u-d-f`` (a drawing of free form) whose point is the
station and whose ``link`` points are the two ends of the line. ``time`` and ``start`` are those of
the bearing, ``stale`` comes some seconds later; then TAK lets the line fade. The ``uid`` stays the
same for a station, a channel and the rank of a direction, so a new event replaces the old line. A
station without a name is told by its place, to 0.0001 degrees.
A line whose status is not ``ok`` is grey, and its callsign and remarks say the status; they say "no
±σ" where there is no deviation.
The detail ``bearing`` holds the numbers, which TAK passes over. A record without a position or
heading cannot be written.
"""

import math
import uuid
import xml.etree.ElementTree as ElementTree

import numpy as np

from ..bearing_report import bearing_report
from ..fusion import geodesy
from ..hier.sample_time import iso_time, parse_iso_time
from .angle_conventions import azimuth_of_true_deg, wrap_deg, wrap_single_deg
from .bearing_record import bearing_record
from .confidence import is_trusted
from .kraken_fields import number
from .station import station
from .xml_reader import parse

# Of the schema: an error or a height that is not known.
_UNKNOWN = "9999999.0"

# Names of uids, so that two programs make the same of the same names.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "gr-bearing")

# Of lines, by rank: opaque red, then orange. As TAK has it, a signed number of ARGB.
_COLOURS = (-65536, -35072)
# Opaque grey: not to be trusted.
_DOUBTFUL_COLOUR = -8355712


def encode(record, range_km=20.0, stale_s=10.0):
    """Texts of one event each, one for each direction that was found; none without position,
    heading or time.

    range_km: length of the line. stale_s: seconds after which it is old.
    """
    place = record.station
    if not place.has_position or place.heading_deg is None or record.time_s is None:
        return []
    return [
        _event(record, index, rank, range_km, stale_s) for rank, index in enumerate(record.found)
    ]


def uid(record, rank):
    """Stable name of the line of the direction of that rank, 0 the strongest."""
    place = record.station
    # Else all stations without a name would replace each other's lines.
    who = place.name or f"{place.latitude:.4f},{place.longitude:.4f}"
    name = f"{who}\n{record.channel or ''}\n{rank}"
    return f"bearing-{uuid.uuid5(_NAMESPACE, name)}"


def _event(record, index, rank, range_km, stale_s):
    place, report = record.station, record.report
    bearing = float(report.true_bearing_deg[index])
    end = geodesy.destination(place.latitude, place.longitude, bearing, range_km * 1e3)
    time = _iso(record.time_s)
    root = ElementTree.Element(
        "event",
        version="2.0",
        uid=uid(record, rank),
        type="u-d-f",
        how="m-g",
        time=time,
        start=time,
        stale=_iso(record.time_s + stale_s),
    )
    ElementTree.SubElement(
        root,
        "point",
        lat=f"{place.latitude:.8f}",
        lon=f"{place.longitude:.8f}",
        hae=_UNKNOWN if place.altitude_m is None else repr(place.altitude_m),
        ce=_UNKNOWN,
        le=_UNKNOWN,
    )
    detail = ElementTree.SubElement(root, "detail")
    for latitude, longitude in ((place.latitude, place.longitude), end):
        ElementTree.SubElement(detail, "link", point=f"{latitude:.8f},{longitude:.8f}")
    name = " ".join(part for part in (place.name, record.channel) if part)
    label = f"{degrees_text(bearing)}°"
    doubts = _doubts(record, index)
    callsign = f"{name} {label}".strip()
    if doubts:
        callsign += f" ({', '.join(doubts)})"
    colour = _COLOURS[min(rank, 1)] if is_trusted(record) else _DOUBTFUL_COLOUR
    ElementTree.SubElement(detail, "contact", callsign=callsign)
    ElementTree.SubElement(detail, "strokeColor", value=str(colour))
    ElementTree.SubElement(detail, "strokeWeight", value="3.0")
    ElementTree.SubElement(detail, "strokeStyle", value="solid")
    ElementTree.SubElement(detail, "labels_on", value="true")
    numbers = {
        "station": place.name,
        "channel": record.channel or "",
        "true_bearing_deg": f"{bearing:.4f}",
        "heading_deg": repr(place.heading_deg),
        "method": _plain(report.method),
        "status": _plain(report.status),
    }
    for key, value in (
        ("std_deg", report.std_deg[index]),
        ("power_db", report.power_db[index]),
        ("snr_db", report.snr_db[index]),
        ("frequency_hz", report.rx_freq),
        ("speed_m_s", place.speed_m_s),
    ):
        if value is not None and math.isfinite(value):
            numbers[key] = str(value)
    ElementTree.SubElement(detail, "bearing", numbers)
    remarks = [label]
    if math.isfinite(report.std_deg[index]):
        remarks[0] += f" ± {report.std_deg[index]:.2f}°"
    remarks += doubts
    if report.rx_freq:
        remarks.append(f"{report.rx_freq / 1e6:.6g} MHz")
    ElementTree.SubElement(detail, "remarks").text = ", ".join(remarks)
    return ElementTree.tostring(root, encoding="unicode")


def _doubts(record, index):
    """What whoever sees the line must know: TAK shows no detail of its own."""
    doubts = []
    if not is_trusted(record):
        doubts.append(_plain(record.report.status) or "status unknown")
    if not math.isfinite(record.report.std_deg[index]):
        doubts.append("no ±σ")
    return doubts


def degrees_text(bearing_deg):
    """One decimal, in [0, 360): 359.97 is 0.0."""
    return f"{float(wrap_deg(round(bearing_deg, 1))):.1f}"


def _plain(text):
    """XML has no way to write control characters."""
    return "".join(character for character in text if character.isprintable())


def _iso(seconds):
    whole = math.floor(seconds)
    return iso_time(whole, seconds - whole, digits=3)


def decode(text):
    """A list of one record out of an event that ``encode`` wrote.

    Raises ValueError naming what is wrong.
    """
    root = parse(text, "event")
    if root.get("type") != "u-d-f":
        raise ValueError(f"type is {str(root.get('type'))[:60]!r}; it must be u-d-f")
    point, numbers = root.find("point"), root.find("detail/bearing")
    if point is None or numbers is None:
        raise ValueError("point and detail/bearing must be there")

    def read(element, key, otherwise=None):
        if otherwise is not None and element.get(key) is None:
            return otherwise
        return number(element.get(key), key)

    altitude = read(point, "hae")
    place = station(
        name=numbers.get("station", ""),
        latitude=read(point, "lat"),
        longitude=read(point, "lon"),
        heading_deg=read(numbers, "heading_deg"),
        altitude_m=None if altitude == float(_UNKNOWN) else altitude,
        speed_m_s=read(numbers, "speed_m_s") if "speed_m_s" in numbers.attrib else None,
    )
    bearing = wrap_deg(read(numbers, "true_bearing_deg"))
    vectors = {
        key: np.float32([read(numbers, key, math.nan)]) for key in ("std_deg", "power_db", "snr_db")
    }
    report = bearing_report(
        angles_deg=wrap_single_deg([azimuth_of_true_deg(bearing, place.heading_deg)]),
        true_bearing_deg=wrap_single_deg([bearing]),
        status=numbers.get("status", ""),
        method=numbers.get("method", ""),
        rx_time=parse_iso_time(root.get("time", "")),
        rx_freq=read(numbers, "frequency_hz") if "frequency_hz" in numbers.attrib else None,
        **vectors,
    )
    return [bearing_record(report, place, channel=numbers.get("channel") or None)]

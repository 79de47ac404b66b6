# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The XML file that df-aggregator reads, usually at http://HOST:8081/doa.xml.

DOA is counter-clockwise from the array's +y axis: df-aggregator makes heading + (360 - DOA) of it
while its receiver is "inverted", as it is by default. CONF is a whole percentage, PWR the power in
dB relative to full scale plus 100; df-aggregator leaves out what is below 10 of either. CONF is 0
unless the status is ok. It has room for one direction: the strongest that was found. A record
without a position or heading cannot be written.
"""

import xml.etree.ElementTree as ElementTree

from .angle_conventions import (
    clockwise_to_counter_clockwise_deg,
    counter_clockwise_to_clockwise_deg,
)
from .confidence import confidence_percent
from .kraken_fields import (
    degrees,
    known,
    latency_ms,
    milliseconds,
    number,
    power_db,
    record_of,
    whole_number,
)
from .xml_reader import child_text, parse


def encode(record):
    """A list of one document on one line, or of none without direction, position or heading."""
    if not record.station.has_position or record.station.heading_deg is None:
        return []
    return [_document(record, index) for index in record.found[:1]]


def _document(record, index):
    place, report = record.station, record.report
    theta = clockwise_to_counter_clockwise_deg(float(report.angles_deg[index]))
    time_ms = str(milliseconds(record.time_s))
    root = ElementTree.Element("DATA")
    _add(root, "STATION_ID", place.name)
    _add(root, "TIME", time_ms)
    _add(root, "GPS_TIME", time_ms)
    _add(root, "FREQUENCY", repr(round(known(report.rx_freq) / 1e6, 6)))
    location = ElementTree.SubElement(root, "LOCATION")
    _add(location, "LATITUDE", repr(place.latitude))
    _add(location, "LONGITUDE", repr(place.longitude))
    _add(location, "HEADING", repr(place.heading_deg))
    _add(location, "SPEED", repr(known(place.speed_m_s)))
    _add(root, "DOA", repr(degrees(theta)))
    _add(root, "PWR", f"{power_db(record, index) + 100.0:.1f}")
    _add(root, "CONF", str(int(confidence_percent(record, index) + 0.5)))
    _add(root, "LATENCY", str(latency_ms(record)))
    _add(root, "PROCESSING_TIME", "0")
    _add(root, "ADC_OVERDRIVE", "0")
    _add(root, "NUM_CORRELATED_SOURCES", "0")
    _add(root, "SNR_DB", repr(round(known(report.snr_db[index]), 4)))
    return ElementTree.tostring(root, encoding="unicode")


def _add(parent, name, text):
    ElementTree.SubElement(parent, name).text = text


def decode(text):
    """A list of one record.

    Raises ValueError naming what is wrong.
    """
    root = parse(text, "DATA")

    def read(path):
        return number(child_text(root, path), path)

    time_ms = whole_number(child_text(root, "TIME"), "TIME")
    latency = whole_number(child_text(root, "LATENCY"), "LATENCY")
    whole_number(child_text(root, "CONF"), "CONF")
    return [
        record_of(
            azimuth_deg=float(counter_clockwise_to_clockwise_deg(read("DOA"))),
            name=child_text(root, "STATION_ID"),
            position=(read("LOCATION/LATITUDE"), read("LOCATION/LONGITUDE")),
            heading_deg=read("LOCATION/HEADING"),
            time_ms=time_ms,
            arrival_ms=time_ms + latency if latency else 0,
            power_db=read("PWR") - 100.0,
            snr_db=read("SNR_DB"),
            frequency=read("FREQUENCY") * 1e6,
            speed_m_s=read("LOCATION/SPEED") or None,
        )
    ]

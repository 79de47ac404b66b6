# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of the KrakenSDR app: what it reads at http://HOST:8081/DOA_value.html, and its log.

One line a direction, strongest first, of 377 fields with ", " between them:

1 milliseconds since 1970. 2 bearing clockwise from the array's +y axis: v1 a number, v2 a whole
one; the app adds the heading. 3 confidence: v1 in dB, v2 from 0 to 1; 0 unless the status is ok.
4 v1 power in dB relative to full scale, v2 SNR in dB. 5 frequency, Hz. 6 UCA, ULA or Custom.
7 latency, ms. 8 station. 9, 10 latitude, longitude, degrees. 11, 12 heading, degrees. 13 "GPS".
14 to 17 "R". 18 to 377 spectrum in dB for 0, 1 ... 359 degrees counter-clockwise, the least value
0.

What is not known is 0 (power: -100). A comma in the station's name becomes a space: there is no
way to write it.
"""

from .angle_conventions import whole_degrees, wrap_deg
from .confidence import confidence_db, confidence_percent
from .kraken_fields import (
    VERSIONS,
    alignment,
    check_choice,
    degrees,
    known,
    latency_ms,
    milliseconds,
    number,
    power_db,
    record_of,
    spectrum_by_theta,
    whole_hertz,
    whole_number,
)
from .text_input import as_text

NUM_FIELDS = 377
_FIRST_OF_SPECTRUM = 17


def encode(record, array_kind="custom", version="v1"):
    """Lines of text, one for each direction that was found.

    array_kind: "ula", "uca" or "custom". version: "v1" or "v2" of the KrakenSDR software.
    """
    check_choice("version", version, VERSIONS)
    kind = alignment(array_kind)
    return [_line(record, index, kind, version) for index in record.found]


def _line(record, index, kind, version):
    place, report = record.station, record.report
    azimuth = float(report.angles_deg[index])
    heading = repr(known(place.heading_deg))
    if version == "v1":
        measured = [
            repr(degrees(azimuth)),
            repr(confidence_db(record, index)),
            repr(power_db(record, index)),
        ]
    else:
        measured = [
            str(whole_degrees(wrap_deg(azimuth))),
            f"{confidence_percent(record, index) / 100.0:.2f}",
            f"{known(report.snr_db[index]):.1f}",
        ]
    fields = [
        str(milliseconds(record.time_s)),
        *measured,
        str(whole_hertz(report.rx_freq)),
        kind,
        str(latency_ms(record)),
        " ".join(place.name.replace(",", " ").split()),
        repr(known(place.latitude)),
        repr(known(place.longitude)),
        heading,
        heading,
        "GPS",
        *"RRRR",
        *(f"{value:.2f}" for value in spectrum_by_theta(record, index)),
    ]
    return ", ".join(fields) + " \n"


def decode(text, version="v1"):
    """Records out of lines of text or bytes; one a line.

    Raises ValueError naming what is wrong.
    """
    check_choice("version", version, VERSIONS)
    return [_record(line, version) for line in as_text(text).split("\n") if line.strip()]


def _record(line, version):
    fields = [field.strip() for field in line.split(",")]
    if len(fields) != NUM_FIELDS:
        raise ValueError(f"a line has {len(fields)} fields; it must have {NUM_FIELDS}")
    time_ms = whole_number(fields[0], "time")
    latency = whole_number(fields[6], "latency")
    level = number(fields[3], "power")
    return record_of(
        # KrakenSDR itself writes 360.0 for straight ahead.
        azimuth_deg=float(wrap_deg(number(fields[1], "bearing"))),
        name=fields[7],
        position=(number(fields[8], "latitude"), number(fields[9], "longitude")),
        heading_deg=number(fields[10], "heading"),
        time_ms=time_ms,
        arrival_ms=time_ms + latency if latency else 0,
        frequency=number(fields[4], "frequency"),
        spectrum=[number(field, "spectrum") for field in fields[_FIRST_OF_SPECTRUM:]],
        **({"power_db": level} if version == "v1" else {"snr_db": level}),
    )

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON objects of the KrakenSDR software: what it posts to http://127.0.0.1:8042/doapost.

One object a direction, strongest first. ``radioBearing`` is counter-clockwise from the array's +y
axis in v1, and whole degrees clockwise in v2; readers add the heading in ``gpsBearing``. ``conf``
is in dB in v1 and from 0 to 1 in v2, and 0 unless the status is ok; ``power`` in dB relative to
full scale, ``doaArray`` the spectrum in dB for 0, 1 ... 359 degrees counter-clockwise. What is not
known is 0 (power: -100).
"""

import json

from .angle_conventions import (
    clockwise_to_counter_clockwise_deg,
    counter_clockwise_to_clockwise_deg,
    whole_degrees,
    wrap_deg,
)
from .confidence import confidence_db, confidence_percent
from .json_reader import read_object
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

_LARGEST = 1 << 20


def encode(record, array_kind="custom", version="v1"):
    """Texts of one JSON object each, one for each direction that was found.

    array_kind: "ula", "uca" or "custom". version: "v1" or "v2" of the KrakenSDR software.
    """
    check_choice("version", version, VERSIONS)
    kind = alignment(array_kind)
    return [
        json.dumps(_object(record, index, kind, version), allow_nan=False)
        for index in record.found
    ]


def _object(record, index, kind, version):
    place, report = record.station, record.report
    azimuth = float(report.angles_deg[index])
    snr_db = round(known(report.snr_db[index]), 4)
    if version == "v1":
        bearing = repr(degrees(clockwise_to_counter_clockwise_deg(azimuth)))
        confidence = confidence_db(record, index)
    else:
        bearing = str(whole_degrees(wrap_deg(azimuth)))
        confidence = confidence_percent(record, index) / 100.0
        snr_db = str(snr_db)
    time_ms = milliseconds(record.time_s)
    return {
        "station_id": place.name,
        "tStamp": time_ms,
        "gps_timestamp": time_ms,
        "latitude": repr(known(place.latitude)),
        "longitude": repr(known(place.longitude)),
        "gpsBearing": repr(known(place.heading_deg)),
        "speed": repr(known(place.speed_m_s)),
        "radioBearing": bearing,
        "conf": f"{confidence:.2f}",
        "power": f"{power_db(record, index):.1f}",
        "freq": whole_hertz(report.rx_freq),
        "antType": kind,
        "latency": latency_ms(record),
        "processing_time": 0,
        "doaArray": "".join(f"{value:.2f}," for value in spectrum_by_theta(record, index)),
        "adc_overdrive": 0,
        "num_corr_sources": "0",
        "snr_db": snr_db,
    }


def decode(text, version="v1"):
    """A list of one record.

    Raises ValueError naming what is wrong.
    """
    check_choice("version", version, VERSIONS)
    value = read_object(text, _LARGEST)

    def get(key):
        if not isinstance(value.get(key), (str, int, float)) or isinstance(value[key], bool):
            raise ValueError(f"{key} must be there, text or a number")
        return value[key]

    bearing = number(get("radioBearing"), "radioBearing")
    if version == "v1":
        bearing = counter_clockwise_to_clockwise_deg(bearing)
    time_ms, latency = (whole_number(get(key), key) for key in ("tStamp", "latency"))
    levels = str(get("doaArray")).rstrip(", ").split(",")
    if len(levels) != 360:
        raise ValueError(f"doaArray has {len(levels)} values; it must have 360")
    return [
        record_of(
            azimuth_deg=float(wrap_deg(bearing)),
            name=str(get("station_id")),
            position=(number(get("latitude"), "latitude"), number(get("longitude"), "longitude")),
            heading_deg=number(get("gpsBearing"), "gpsBearing"),
            time_ms=time_ms,
            arrival_ms=time_ms + latency if latency else 0,
            power_db=number(get("power"), "power"),
            snr_db=number(get("snr_db"), "snr_db"),
            frequency=number(get("freq"), "freq"),
            speed_m_s=number(get("speed"), "speed") or None,
            spectrum=[number(level, "doaArray") for level in levels],
        )
    ]

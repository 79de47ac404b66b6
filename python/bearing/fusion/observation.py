# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one station heard at one frequency."""

import dataclasses
from typing import Optional, Tuple

import numpy as np


@dataclasses.dataclass(frozen=True)
class direction:
    """One of the directions of a message: true bearing in degrees in [0, 360), its standard
    deviation in degrees, power in dB (NaN: not told)."""

    bearing_deg: float
    std_deg: float
    power_db: float


@dataclasses.dataclass(frozen=True)
class observation:
    """A message of a station that can be combined with others.

    station: its name. feed: where its messages come from; both together are who it is, wherever
    it moves. latitude, longitude: WGS84 degrees.
    frequency_hz: tuned frequency. channel: name of the receiver's channel, or None.
    directions: strongest first, at least one.
    arrived_s: of this computer's clock that never jumps.
    time_s: Unix time of the samples by the station's clock, or None.
    """

    station: str
    latitude: float
    longitude: float
    frequency_hz: float
    channel: Optional[str]
    directions: Tuple[direction, ...]
    arrived_s: float
    time_s: Optional[float] = None
    feed: str = ""


class unusable(Exception):
    """A message that cannot be combined; its argument names why in one word for a counter."""


def observe(record, feed, arrived_s):
    """The observation that is in a bearing_record from a feed, whose address is the name of a
    station without one; raises unusable."""
    report, place = record.report, record.station
    if report.status != "ok":
        # Statuses come from outside, counters must not grow with them.
        raise unusable("status_not_ok")
    if not place.has_position:
        raise unusable("without_position")
    if report.rx_freq is None or not np.isfinite(report.rx_freq):
        raise unusable("without_frequency")
    directions = tuple(
        direction(float(bearing) % 360.0, float(std), float(power))
        for bearing, std, power in zip(report.true_bearing_deg, report.std_deg, report.power_db)
        if np.isfinite(bearing) and std > 0 and np.isfinite(std)
    )
    if not directions:
        raise unusable("without_deviation")
    return observation(
        station=place.name or feed,
        latitude=place.latitude,
        longitude=place.longitude,
        frequency_hz=report.rx_freq,
        channel=record.channel,
        directions=directions,
        arrived_s=arrived_s,
        time_s=record.time_s,
        feed=feed,
    )

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of transmitters: a JSON object each, and a map of all."""

import math

from ..hier.sample_time import iso_time
from . import geojson
from .geodesy import distance

# A bearing is drawn this much farther than to the fix.
_BEYOND = 1.15
# A map of more bearings is none, and takes seconds to draw.
MAX_BEARINGS = 500


def fix_object(one, unix_s):
    """A transmitter as a JSON object; what is unknown is null.

    unix_s: when it was computed, by this computer's clock.
    """
    fix = one.fix
    return {
        "time": iso_time(int(unix_s), unix_s % 1.0, digits=3),
        "frequency_hz": one.frequency_hz,
        "status": fix.status,
        "latitude": _number(fix.latitude),
        "longitude": _number(fix.longitude),
        "semi_major_m": _number(fix.semi_major_m),
        "semi_minor_m": _number(fix.semi_minor_m),
        "orientation_deg": _number(fix.orientation_deg),
        "covariance_m2": [[_number(v) for v in row] for row in fix.covariance.tolist()],
        "chi_squared": _number(fix.chi_squared),
        "stations": [
            {
                "name": observed.station,
                "latitude": observed.latitude,
                "longitude": observed.longitude,
                "channel": observed.channel,
                "bearing_deg": direction.bearing_deg,
                "std_deg": direction.std_deg,
                "power_db": _number(direction.power_db),
                "residual_deg": _number(residual),
                "time": observed.time_s,
            }
            for (observed, direction), residual in zip(one.members, fix.residuals_deg.tolist())
        ],
    }


def fix_map(found, observations, unix_s, line_length_m):
    """GeoJSON FeatureCollection, as a dict: points of fixes with their ellipses, stations, and
    lines of their bearings with those one standard deviation to either side.

    Of more than MAX_BEARINGS those of fixes are drawn, then the latest; bearings_left_out counts
    the others.
    """
    features = []
    # What many combinations share is drawn once, as far as the farthest needs it.
    lengths, members = {}, set()
    for number, one in enumerate(found):
        fix = one.fix
        properties = fix_object(one, unix_s)
        if not math.isnan(fix.latitude):
            place = geojson.point(fix.latitude, fix.longitude)
            features.append(geojson.feature(place, role="fix", fix=number, **properties))
            for observed, direction in one.members:
                members.add(id(observed))
                key = (id(observed), direction)
                away = _BEYOND * distance(
                    observed.latitude, observed.longitude, fix.latitude, fix.longitude
                )
                lengths[key] = max(away, lengths.get(key, 0.0))
        if not math.isnan(fix.semi_major_m):
            shape = geojson.ellipse(
                fix.latitude,
                fix.longitude,
                fix.semi_major_m,
                fix.semi_minor_m,
                fix.orientation_deg,
            )
            features.append(
                geojson.feature(
                    shape, role="ellipse", fix=number, status=fix.status, probability=0.95
                )
            )
    places, drawn, left_out = set(), 0, 0
    for observed in sorted(observations, key=lambda o: (id(o) not in members, -o.arrived_s)):
        drawn += len(observed.directions)
        if drawn > MAX_BEARINGS:
            left_out += len(observed.directions)
            continue
        place = (observed.station, observed.latitude, observed.longitude)
        if place not in places:
            places.add(place)
            features.append(
                geojson.feature(geojson.point(*place[1:]), role="station", name=observed.station)
            )
        for direction in observed.directions:
            length = lengths.get((id(observed), direction), line_length_m)
            for role, offset in (("bearing", 0), ("minus_sigma", -1), ("plus_sigma", 1)):
                bearing = (direction.bearing_deg + offset * direction.std_deg) % 360.0
                shape = geojson.line(observed.latitude, observed.longitude, bearing, length)
                features.append(
                    geojson.feature(
                        shape,
                        role=role,
                        station=observed.station,
                        frequency_hz=observed.frequency_hz,
                        bearing_deg=bearing,
                        std_deg=direction.std_deg,
                    )
                )
    drawn = geojson.collection(features)
    if left_out:
        drawn["bearings_left_out"] = left_out
    return drawn


def _number(value):
    return value if math.isfinite(value) else None

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shapes on the Earth as GeoJSON (RFC 7946): longitude before latitude, outer rings
counterclockwise, and nothing across the antimeridian: what crosses it is cut there."""

import math

import numpy as np

from .geodesy import destination

MEDIA_TYPE = "application/geo+json"

_ELLIPSE_POINTS = 64
# A straight line on the map is within 20 m of the great circle over such a step, up to latitude 60.
_LINE_STEP_M = 30e3
_MOST_LINE_POINTS = 100
# Of a degree; 1 cm.
_DIGITS = 7


def point(latitude, longitude):
    return {"type": "Point", "coordinates": [round(longitude, _DIGITS), round(latitude, _DIGITS)]}


def line(latitude, longitude, bearing_deg, length_m):
    """LineString along a great circle; MultiLineString where it crosses the antimeridian."""
    count = min(_MOST_LINE_POINTS, 2 + int(length_m // _LINE_STEP_M))
    lat, lon = destination(latitude, longitude, bearing_deg, np.linspace(0, length_m, count))
    lon = np.unwrap(np.concatenate([[longitude], lon[1:]]), period=360.0)
    # A line along the antimeridian does not waver across it.
    lon = np.round(lon, _DIGITS + 2)
    pieces = []
    for turn in _turns(lon):
        piece = _cut_line(np.stack([lon - turn, lat], axis=1))
        if len(piece) > 1:
            pieces.append(_rounded(piece))
    return _one_or_many("LineString", pieces)


def ellipse(latitude, longitude, semi_major_m, semi_minor_m, orientation_deg):
    """Polygon of an ellipse with those semi-axes, its major one so many degrees clockwise from
    north; MultiPolygon where it crosses the antimeridian."""
    # Backwards, as bearings turn clockwise.
    turn = -np.linspace(0, 2 * np.pi, _ELLIPSE_POINTS, endpoint=False)
    along, across = semi_major_m * np.cos(turn), semi_minor_m * np.sin(turn)
    bearing_deg = orientation_deg + np.degrees(np.arctan2(across, along))
    lat, lon = destination(latitude, longitude, bearing_deg, np.hypot(along, across))
    lon = np.unwrap(np.append(lon, lon[0]), period=360.0)
    ring = np.stack([lon, np.append(lat, lat[0])], axis=1)
    if abs(lon[-1] - lon[0]) > 180.0:
        # Around a pole, which on the map is a line.
        pole = math.copysign(90.0, latitude)
        ring = np.vstack([ring, [lon[-1], pole], [lon[0], pole]])
    else:
        ring = ring[:-1]
    pieces = []
    for offset in _turns(ring[:, 0]):
        piece = _clip(_clip(ring - [offset, 0.0], -180.0, 1.0), 180.0, -1.0)
        if len(piece) > 2:
            pieces.append([_rounded(np.vstack([piece, piece[:1]]))])
    return _one_or_many("Polygon", pieces)


def feature(geometry, **properties):
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def collection(features):
    return {"type": "FeatureCollection", "features": features}


def _turns(lon):
    """Multiples of 360 degrees to take off so that parts lie in [-180, 180]."""
    # A longitude of 180 belongs to both sides.
    first, last = math.floor((lon.min() + 180.0) / 360.0), math.ceil((lon.max() - 180.0) / 360.0)
    # What lies on the antimeridian is on one side.
    return [360.0 * k for k in range(first, max(first, last) + 1)]


def _cut_line(points):
    """The part of a line of (longitude, latitude) in [-180, 180], of which there is one: a great
    circle of less than half a turn crosses the antimeridian once."""
    kept = []
    for start, end in zip(points[:-1], points[1:]):
        clipped = _inside_of(start, end)
        if clipped is None:
            continue
        kept += [clipped[0]] if not kept else []
        kept.append(clipped[1])
    return np.array(kept)


def _inside_of(start, end):
    low, high = 0.0, 1.0
    step = end[0] - start[0]
    if step == 0.0:
        return (start, end) if abs(start[0]) <= 180.0 else None
    at = sorted([(-180.0 - start[0]) / step, (180.0 - start[0]) / step])
    low, high = max(low, at[0]), min(high, at[1])
    if low >= high:
        return None
    return start + low * (end - start), start + high * (end - start)


def _clip(ring, limit, side):
    """What of a polygon has longitudes above the limit (side 1) or below (-1)."""
    kept = []
    for start, end in zip(ring, np.roll(ring, -1, axis=0)):
        height, next_height = side * (start[0] - limit), side * (end[0] - limit)
        if height >= 0:
            kept.append(start)
        if height * next_height < 0:
            crossing = start + height / (height - next_height) * (end - start)
            kept.append([limit, crossing[1]])
    return np.array(kept).reshape(-1, 2)


def _rounded(points):
    return [[round(float(x), _DIGITS), round(float(y), _DIGITS)] for x, y in points]


def _one_or_many(kind, pieces):
    if len(pieces) == 1:
        return {"type": kind, "coordinates": pieces[0]}
    return {"type": f"Multi{kind}", "coordinates": pieces}

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bearings and distances on the Earth, by great circles of one sphere.

Latitudes and longitudes are geodetic degrees (WGS84), bearings degrees clockwise from true north,
distances metres along the ground. Arguments are numbers or arrays that broadcast together; results
are floats where all arguments are numbers.

The sphere is that of the conformal latitude: every point of the ellipsoid has one of the sphere,
and angles are kept. What a station calls 30 degrees is 30 degrees there, while geodetic latitudes
taken as they are would turn it by up to 0.19 degrees. Lengths differ by a scale that hardly
changes nearby. Against geodesics of WGS84, bearings are within 0.002 degrees over 100 km and 0.02
degrees over 1000 km, distances within 1e-9 and 1e-7 of themselves.

Reference: J. P. Snyder, "Map Projections: A Working Manual", U.S. Geological Survey Professional
Paper 1395, 1987, equations 3-1 and 4-20 (conformal latitude) and 5-3 to 5-5 (great circles).
"""

import numpy as np

# (2 a + b) / 3 of WGS84. Of the sphere any radius would do: the scale makes up for it.
EARTH_RADIUS_M = 6371008.8
_SEMI_MAJOR_AXIS_M = 6378137.0
_FLATTENING = 1 / 298.257223563
_ECCENTRICITY_2 = _FLATTENING * (2 - _FLATTENING)
_ECCENTRICITY = np.sqrt(_ECCENTRICITY_2)
# Each step leaves a 150th of the error: 5e-18 of a radian are left.
_LATITUDE_STEPS = 8


def wrapped_longitude(longitude_deg):
    """The same longitude in [-180, 180)."""
    wrapped = (np.asarray(longitude_deg, float) + 180.0) % 360.0 - 180.0
    # The remainder of a tiny negative number rounds up to 360.
    return _plain(np.where(wrapped >= 180.0, -180.0, wrapped))


def to_sphere(latitude):
    """Conformal latitude in radians of a geodetic one in degrees."""
    phi = np.radians(np.asarray(latitude, float))
    return _plain(np.arctan(np.sinh(_isometric(phi))))


def from_sphere(conformal_rad):
    """Geodetic latitude in degrees of a conformal one in radians."""
    chi = np.asarray(conformal_rad, float)
    target = np.arcsinh(np.tan(chi))
    phi = chi
    for _ in range(_LATITUDE_STEPS):
        flattened = _ECCENTRICITY * np.arctanh(_ECCENTRICITY * np.sin(phi))
        phi = np.arctan(np.sinh(target + flattened))
    return _plain(np.degrees(phi))


def scale(conformal_rad):
    """Metres on the ground for a radian of the sphere, there; the same in all directions."""
    chi = np.asarray(conformal_rad, float)
    # Beyond, both cosines vanish; the scale has a limit, which it is near already.
    chi = np.clip(chi, -np.pi / 2 + 1e-6, np.pi / 2 - 1e-6)
    phi = np.radians(from_sphere(chi))
    normal_m = _SEMI_MAJOR_AXIS_M / np.sqrt(1 - _ECCENTRICITY_2 * np.sin(phi) ** 2)
    return _plain(normal_m * np.cos(phi) / np.cos(chi))


def distance(latitude_1, longitude_1, latitude_2, longitude_2):
    """Metres between two points."""
    chi_1, chi_2 = to_sphere(latitude_1), to_sphere(latitude_2)
    lon_1, lon_2 = _radians(longitude_1), _radians(longitude_2)
    arc = arc_between(chi_1, lon_1, chi_2, lon_2)
    course = course_between(chi_1, lon_1, chi_2, lon_2)
    return _plain(arc * _mean_scale(chi_1, course, arc))


def initial_bearing(latitude_1, longitude_1, latitude_2, longitude_2):
    """Bearing at point 1 of the great circle to point 2, in [0, 360); 0 where they are one."""
    course = course_between(
        to_sphere(latitude_1), _radians(longitude_1), to_sphere(latitude_2), _radians(longitude_2)
    )
    bearing_deg = np.degrees(course) % 360.0
    return _plain(np.where(bearing_deg >= 360.0, 0.0, bearing_deg))


def destination(latitude, longitude, bearing_deg, distance_m):
    """(latitude, longitude) after that many metres along the great circle that starts with that
    bearing; the longitude in [-180, 180)."""
    chi, lon, course = to_sphere(latitude), _radians(longitude), _radians(bearing_deg)
    arc = np.asarray(distance_m, float) / scale(chi)
    # The scale of the way is known when the way is. Each step leaves a hundredth of the error.
    for _ in range(4):
        arc = np.asarray(distance_m, float) / _mean_scale(chi, course, arc)
    end_chi, end_lon = move(chi, lon, course, arc)
    return from_sphere(end_chi), wrapped_longitude(np.degrees(end_lon))


# On the sphere itself: conformal latitudes, longitudes and courses in radians, arcs in radians.


def arc_between(chi_1, lon_1, chi_2, lon_2):
    """Arc of the great circle between two points, well conditioned for short ones."""
    half_chi, half_lon = (chi_2 - chi_1) / 2, (lon_2 - lon_1) / 2
    haversine = np.sin(half_chi) ** 2 + np.cos(chi_1) * np.cos(chi_2) * np.sin(half_lon) ** 2
    # Rounding may leave [0, 1] at antipodes.
    inside = np.clip(haversine, 0.0, 1.0)
    return 2 * np.arctan2(np.sqrt(inside), np.sqrt(1.0 - inside))


def course_between(chi_1, lon_1, chi_2, lon_2):
    """Course at point 1 towards point 2, in [-pi, pi]."""
    turn = lon_2 - lon_1
    east = np.sin(turn) * np.cos(chi_2)
    # cos(1) sin(2) - sin(1) cos(2) cos(turn), without its loss of digits nearby.
    north = np.sin(chi_2 - chi_1) + 2 * np.sin(chi_1) * np.cos(chi_2) * np.sin(turn / 2) ** 2
    return np.arctan2(east, north)


def move(chi, lon, course, arc):
    """(latitude, longitude) at the end of an arc that starts with that course."""
    # Unit vector of the end: x and z in the plane of the start's meridian, y east.
    ahead = np.sin(arc) * np.cos(course)
    x = np.cos(arc) * np.cos(chi) - ahead * np.sin(chi)
    y = np.sin(arc) * np.sin(course)
    z = np.cos(arc) * np.sin(chi) + ahead * np.cos(chi)
    return np.arctan2(z, np.hypot(x, y)), lon + np.arctan2(y, x)


def _mean_scale(chi, course, arc):
    """Along a great circle, by Simpson's rule."""
    middle, _ = move(chi, 0.0, course, arc / 2)
    end, _ = move(chi, 0.0, course, arc)
    return (scale(chi) + 4 * np.asarray(scale(middle)) + scale(end)) / 6


def _isometric(phi):
    """Isometric latitude: arctanh of the sine of the conformal one."""
    return np.arcsinh(np.tan(phi)) - _ECCENTRICITY * np.arctanh(_ECCENTRICITY * np.sin(phi))


def _radians(degrees):
    return np.radians(np.asarray(degrees, float))


def _plain(value):
    """A float for an array without axes, as arguments that are numbers make it."""
    value = np.asarray(value)
    return float(value) if value.ndim == 0 else value

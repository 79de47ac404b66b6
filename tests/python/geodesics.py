# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Geodesics of the WGS84 ellipsoid, to compare with.

Reference: T. Vincenty, "Direct and inverse solutions of geodesics on the ellipsoid with application
of nested equations", Survey Review XXIII, 176, 1975. Good to a millimetre; not for antipodes.
"""

import numpy as np

A = 6378137.0
F = 1 / 298.257223563
B = A * (1 - F)


def inverse(latitude_1, longitude_1, latitude_2, longitude_2):
    """(metres, bearing in degrees at point 1) of geodesics between different points."""
    u_1 = np.arctan((1 - F) * np.tan(np.radians(latitude_1)))
    u_2 = np.arctan((1 - F) * np.tan(np.radians(latitude_2)))
    difference = np.radians(np.subtract(longitude_2, longitude_1))
    difference = (difference + np.pi) % (2 * np.pi) - np.pi
    turn = difference
    for _ in range(30):
        sin_turn, cos_turn = np.sin(turn), np.cos(turn)
        east = np.cos(u_2) * sin_turn
        north = np.cos(u_1) * np.sin(u_2) - np.sin(u_1) * np.cos(u_2) * cos_turn
        sin_arc = np.hypot(east, north)
        cos_arc = np.sin(u_1) * np.sin(u_2) + np.cos(u_1) * np.cos(u_2) * cos_turn
        arc = np.arctan2(sin_arc, cos_arc)
        sin_azimuth = np.cos(u_1) * np.cos(u_2) * sin_turn / sin_arc
        cos_2 = 1 - sin_azimuth**2
        cos_middle = cos_arc - 2 * np.sin(u_1) * np.sin(u_2) / np.maximum(cos_2, 1e-300)
        c = F / 16 * cos_2 * (4 + F * (4 - 3 * cos_2))
        series = cos_middle + c * cos_arc * (2 * cos_middle**2 - 1)
        turn = difference + (1 - c) * F * sin_azimuth * (arc + c * sin_arc * series)
    u2 = cos_2 * (A**2 - B**2) / B**2
    a = 1 + u2 / 16384 * (4096 + u2 * (-768 + u2 * (320 - 175 * u2)))
    b = u2 / 1024 * (256 + u2 * (-128 + u2 * (74 - 47 * u2)))
    inner = cos_middle / 6 * (4 * sin_arc**2 - 3) * (4 * cos_middle**2 - 3)
    outer = cos_arc * (2 * cos_middle**2 - 1) - b * inner
    change = b * sin_arc * (cos_middle + b / 4 * outer)
    return B * a * (arc - change), np.degrees(np.arctan2(east, north)) % 360.0

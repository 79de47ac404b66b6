# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that turns angles of one convention into another.

This module measures azimuth clockwise from the array's +y axis, as on a compass. The KrakenSDR
software measures it counter-clockwise from its first antenna, which is the same direction. True
bearings are clockwise from true north. All angles are in degrees.
"""

import numpy as np


def wrap_deg(angle_deg):
    """The same direction in [0, 360); NaN stays. Numbers or arrays, of the precision given."""
    wrapped = np.mod(angle_deg, 360.0)
    # A small negative angle rounds up to 360.
    return np.where(wrapped >= 360.0, np.zeros_like(wrapped), wrapped)[()]


def wrap_single_deg(angle_deg):
    """The same in single precision, where 359.99999 would round to 360."""
    return wrap_deg(np.asarray(wrap_deg(angle_deg), np.float32))


def true_bearing_deg(azimuth_deg, heading_deg):
    """Clockwise from north, in [0, 360), of a clockwise azimuth; the heading is that of the
    array's +y axis."""
    return wrap_deg(np.add(heading_deg, azimuth_deg))


def azimuth_of_true_deg(bearing_deg, heading_deg):
    """Clockwise from the array's +y axis, in [0, 360), of a true bearing."""
    return wrap_deg(np.subtract(bearing_deg, heading_deg))


def clockwise_to_counter_clockwise_deg(azimuth_deg):
    """360 - azimuth, in [0, 360): what KrakenSDR calls theta."""
    return wrap_deg(np.negative(azimuth_deg))


def counter_clockwise_to_clockwise_deg(theta_deg):
    """360 - theta, in [0, 360): KrakenSDR itself leaves 360.0 for a theta of 0, here it is 0."""
    return wrap_deg(np.negative(theta_deg))


def whole_degrees(angle_deg):
    """The nearest whole degree of one finite angle: 0 to 359."""
    return int(np.floor(float(angle_deg) + 0.5)) % 360


def difference_deg(a_deg, b_deg):
    """a - b the short way round, in [-180, 180)."""
    return np.mod(np.subtract(a_deg, b_deg) + 180.0, 360.0) - 180.0

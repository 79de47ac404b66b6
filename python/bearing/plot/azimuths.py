# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ranges of azimuths in degrees, and angles within them."""

import numpy as np
from matplotlib.ticker import FixedLocator, MaxNLocator

FULL_CIRCLE = (0.0, 360.0)
FRONT = (-90.0, 90.0)
BOTH_SIDES = (-180.0, 180.0)

# Of a share of a degree: single precision at 360 degrees is good to 3e-5.
ROUNDING = 1e-3


def near(angles_deg, centre_deg):
    """The angles plus whole turns, in [centre - 180, centre + 180)."""
    return (angles_deg - centre_deg + 180.0) % 360.0 - 180.0 + centre_deg


def within(angles_deg, limits_deg):
    """The angles plus whole turns, as near to the middle of the limits as they can be."""
    return near(angles_deg, sum(limits_deg) / 2)


def is_full(limits_deg):
    """Whether the limits hold every direction."""
    return limits_deg[1] - limits_deg[0] >= 360.0 - ROUNDING


def range_of_angles(angles_deg):
    """Front only or all around, as the angles themselves tell: those of lines are in
    [-90, 90], others in [0, 360)."""
    if not np.any(angles_deg < 0.0):
        return FULL_CIRCLE
    return FRONT if np.all(np.abs(angles_deg) <= 90.0 + ROUNDING) else BOTH_SIDES


def range_of_grid(grid_deg):
    """From the first point to the last one, or to the first one again."""
    low, high = grid_deg[0], grid_deg[-1]
    if goes_round(grid_deg):
        return (low, low + 360.0)
    # A single point still needs room.
    return (low, high) if high > low else (low - 1.0, high + 1.0)


def goes_round(grid_deg):
    """Whether one more step leads to the first point again."""
    if grid_deg.size < 3:
        return False
    last_step = grid_deg[-1] - grid_deg[-2]
    return abs(grid_deg[-1] - grid_deg[0] + last_step - 360.0) < 0.5 * last_step


def closed(grid_deg, values):
    """Both with the first point again at the end, where the grid goes round."""
    if not goes_round(grid_deg):
        return grid_deg, values
    return np.append(grid_deg, grid_deg[0] + 360.0), np.append(values, values[:1])


def range_of_estimate(found):
    """The limits in which a found_directions is drawn, or None when it tells none."""
    if found.grid_deg.size:
        return range_of_grid(found.grid_deg)
    if found.front_only is not None:
        return FRONT if found.front_only else FULL_CIRCLE
    return range_of_angles(found.angles_deg) if found.angles_deg.size else None


def common_range(ranges):
    """The limits that hold all of these; None among them count for nothing."""
    ranges = [r for r in ranges if r is not None]
    if not ranges:
        return FULL_CIRCLE
    low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
    return (low, high) if high - low <= 360.0 + ROUNDING else FULL_CIRCLE


def locator(limits_deg):
    """Ticks at angles that people know."""
    low, high = limits_deg
    span = high - low
    for step, widest in ((60.0, 360.0), (30.0, 180.0)):
        if abs(span - widest) < ROUNDING and abs(low % step) < ROUNDING:
            return FixedLocator(np.arange(low, high + step / 2, step))
    return MaxNLocator(nbins=9, steps=[1, 1.5, 3, 5, 10])

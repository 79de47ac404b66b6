# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the maker of a display chose, checked."""

import dataclasses
import math
import numbers
from typing import Tuple

import numpy as np

MOST_NAMES = 6
MOST_POINTS = 1 << 20
# Two turns: whoever writes azimuths in degrees needs no more.
LARGEST_LIMIT_DEG = 720.0
SMALLEST_SPAN_DEG = 1e-3
# As for estimators: spans of 360 that are a rounding off are full circles.
SPAN_TOLERANCE_DEG = 1e-9 * 180.0 / math.pi
NORTHS = ("array", "true")
THEMES = ("auto", "light", "dark")


def checked_names(names):
    """A tuple of 1 to 6 strings."""
    if isinstance(names, str):
        raise ValueError(f"names must be a sequence of strings, not the string {names!r}")
    try:
        names = tuple(names)
    except TypeError:
        raise ValueError(f"names must be a sequence of strings, not {names!r}") from None
    if not 1 <= len(names) <= MOST_NAMES:
        raise ValueError(f"names must be 1 to {MOST_NAMES} labels, not {len(names)}")
    for name in names:
        if not isinstance(name, str):
            raise ValueError(f"names must be strings, not {name!r}")
    return names


def checked_num_points(num_points):
    """0, or the number of points of a spectrum, 2 to MOST_POINTS."""
    is_whole = isinstance(num_points, numbers.Real) and num_points % 1 == 0
    if not is_whole or not (num_points == 0 or 2 <= num_points <= MOST_POINTS):
        raise ValueError(
            f"num_points is {num_points!r}; it must be 0 (no spectra), or 2 to {MOST_POINTS}"
        )
    return int(num_points)


def checked_limits(limits_deg):
    """() or (first, last) in degrees with first < last <= first + 360."""
    try:
        limits = tuple(float(limit) for limit in limits_deg)
    except (TypeError, ValueError):
        raise ValueError(
            f"limits_deg must be empty or [first, last] in degrees, not {limits_deg!r}"
        ) from None
    if not limits:
        return limits
    if len(limits) != 2 or not all(abs(limit) <= LARGEST_LIMIT_DEG for limit in limits):
        raise ValueError(
            f"limits_deg is {list(limits)}; it must be empty or [first, last], each within "
            f"±{LARGEST_LIMIT_DEG:.0f}"
        )
    if not SMALLEST_SPAN_DEG <= limits[1] - limits[0] <= 360.0 + SPAN_TOLERANCE_DEG:
        raise ValueError(
            f"limits_deg is {list(limits)}; the last must be above the first, by "
            f"{SMALLEST_SPAN_DEG} to 360"
        )
    return limits


def is_full_circle(limits_deg):
    """Whether azimuths with these limits go all around and leave the end out."""
    return not limits_deg or limits_deg[1] - limits_deg[0] >= 360.0 - SPAN_TOLERANCE_DEG


def checked_choice(name, value, choices):
    """The value, when it is one of the choices."""
    if value not in choices:
        allowed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} is {value!r}; it must be one of {allowed}")
    return value


@dataclasses.dataclass
class display_settings:
    """names: labels of the estimators, one a message port; empty: the message's method.
    num_points: G, points of a spectrum; 0: no spectra.
    limits_deg: () or (first, last), azimuths of the spectra.
    north: "array": 0 degrees is the array's +y axis; "true": it is true north.
    title: a heading above the words, may be empty.
    theme: "auto", "light" or "dark".
    """

    names: Tuple[str, ...] = ("",)
    num_points: int = 0
    limits_deg: Tuple[float, ...] = ()
    north: str = "array"
    title: str = ""
    theme: str = "auto"

    def __post_init__(self):
        self.names = checked_names(self.names)
        self.num_points = checked_num_points(self.num_points)
        self.limits_deg = checked_limits(self.limits_deg)
        checked_choice("north", self.north, NORTHS)
        self.title = str(self.title)
        checked_choice("theme", self.theme, THEMES)

    @property
    def full_circle(self):
        return is_full_circle(self.limits_deg)

    def grid_deg(self):
        """Azimuths of the G points of a spectrum, relative to the array, in degrees: a full
        circle leaves its end out, any other span has both ends."""
        first, last = self.limits_deg or (0.0, 360.0)
        return np.linspace(first, last, self.num_points, endpoint=not self.full_circle)

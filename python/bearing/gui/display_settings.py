# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the maker of a display chose, checked."""

import dataclasses
import math
from typing import Tuple

import numpy as np

MOST_NAMES = 6
NORTHS = ("array", "true")
THEMES = ("auto", "light", "dark")


def checked_names(names):
    """A tuple of 1 to 6 strings."""
    if isinstance(names, str):
        raise ValueError(f"names must be a sequence of strings, not the string {names!r}")
    names = tuple(names)
    if not 1 <= len(names) <= MOST_NAMES:
        raise ValueError(f"names must be 1 to {MOST_NAMES} labels, not {len(names)}")
    for name in names:
        if not isinstance(name, str):
            raise ValueError(f"names must be strings, not {name!r}")
    return names


def checked_num_points(num_points):
    """0, or the number of points of a spectrum, 2 or more."""
    if num_points != int(num_points) or num_points < 0 or num_points == 1:
        raise ValueError(f"num_points is {num_points}; it must be 0 (no spectra) or at least 2")
    return int(num_points)


def checked_limits(limits_deg):
    """() or (first, last) in degrees with first < last <= first + 360."""
    limits = tuple(float(limit) for limit in limits_deg)
    if not limits:
        return limits
    if len(limits) != 2 or not all(map(math.isfinite, limits)):
        raise ValueError(f"limits_deg must be empty or [first, last], not {list(limits)}")
    if not limits[0] < limits[1] <= limits[0] + 360.0:
        raise ValueError(
            f"limits_deg is {list(limits)}; the last must be above the first, by at most 360"
        )
    return limits


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
        return not self.limits_deg or self.limits_deg[1] - self.limits_deg[0] == 360.0

    def grid_deg(self):
        """Azimuths of the G points of a spectrum, relative to the array, in degrees: a full
        circle leaves its end out, any other span has both ends."""
        first, last = self.limits_deg or (0.0, 360.0)
        return np.linspace(first, last, self.num_points, endpoint=not self.full_circle)

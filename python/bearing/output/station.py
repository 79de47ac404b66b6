# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a direction finder stands and which way its array looks."""

import dataclasses
import math
import numbers
from typing import Optional

from .angle_conventions import wrap_deg

_LONGEST_NAME = 100


@dataclasses.dataclass(frozen=True)
class station:
    """A direction finder's place on earth. What is not known is None.

    name: up to 100 printable characters.
    latitude, longitude: degrees in WGS84, north and east positive; both or neither.
    heading_deg: of the array's +y axis, clockwise from true north; kept in [0, 360).
    altitude_m: above the WGS84 ellipsoid, metres.
    speed_m_s: over ground, metres per second.

    Raises ValueError naming the field, its value and what is allowed.
    """

    name: str = ""
    latitude: Optional[float] = None
    longitude: Optional[float] = None
    heading_deg: Optional[float] = None
    altitude_m: Optional[float] = None
    speed_m_s: Optional[float] = None

    def __post_init__(self):
        if not isinstance(self.name, str) or len(self.name) > _LONGEST_NAME:
            raise ValueError(
                f"name is {_short(self.name)}; it must be text of up to {_LONGEST_NAME} characters"
            )
        # Neither XML nor lines of text can hold the others.
        if not self.name.isprintable():
            raise ValueError(f"name is {self.name!r}; its characters must be printable")
        self._keep_number("latitude", -90.0, 90.0, "degrees")
        self._keep_number("longitude", -180.0, 180.0, "degrees")
        self._keep_number("heading_deg", -math.inf, math.inf, "degrees")
        self._keep_number("altitude_m", -20e3, 1e6, "metres")
        self._keep_number("speed_m_s", 0.0, 1e5, "metres per second")
        if (self.latitude is None) != (self.longitude is None):
            missing = "latitude" if self.latitude is None else "longitude"
            raise ValueError(f"{missing} is None; latitude and longitude must be given together")
        if self.heading_deg is not None:
            object.__setattr__(self, "heading_deg", float(wrap_deg(self.heading_deg)))

    @property
    def has_position(self):
        return self.latitude is not None

    def _keep_number(self, field, least, most, unit):
        value = getattr(self, field)
        if value is None:
            return
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not (is_number and math.isfinite(value) and least <= value <= most):
            limits = f" from {least:g} to {most:g}" if math.isfinite(most) else ""
            raise ValueError(
                f"{field} is {_short(value)}; it must be a finite number of {unit}{limits}, "
                "or None when it is not known"
            )
        object.__setattr__(self, field, float(value))


def _short(value):
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."

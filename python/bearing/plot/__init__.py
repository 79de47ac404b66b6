# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of arrays, covariances and bearings for notebooks, scripts and reports (matplotlib).

Every function draws on the Axes ``ax``, or makes a figure of its own when there is none, and
returns the Axes. None of them opens a window or changes matplotlib's settings; styles apply,
light or dark. A wrong argument raises ValueError naming it; what estimators may deliver (NaN,
no source, no spectrum) never does.

Angles are in degrees, azimuth clockwise from the array's +y axis as on a compass.
"""

from .bearing_track import track
from .covariance_panels import covariance
from .geometry import array
from .polar_view import polar
from .root_plane import roots
from .spectrum_view import spectrum

__all__ = ["array", "covariance", "polar", "roots", "spectrum", "track"]

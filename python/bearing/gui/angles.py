# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Angles on the circle."""

import numpy as np


def difference_deg(a, b):
    """a - b in degrees the short way round, in [-180, 180)."""
    return (np.asarray(a, float) - b + 180.0) % 360.0 - 180.0

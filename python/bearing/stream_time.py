# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GNU Radio's rx_time: a tuple of uint64 seconds and a double fraction, in tags and messages."""

import math

import pmt


def from_pmt(value):
    """(seconds, fraction), or None for what is no such tuple or has no finite fraction."""
    if pmt.is_tuple(value) and pmt.length(value) == 2:
        seconds, fraction = pmt.tuple_ref(value, 0), pmt.tuple_ref(value, 1)
        if pmt.is_uint64(seconds) and pmt.is_real(fraction):
            fraction = pmt.to_double(fraction)
            if math.isfinite(fraction):
                return pmt.to_uint64(seconds), fraction
    return None


def to_pmt(rx_time):
    """The tuple of (seconds, fraction)."""
    return pmt.make_tuple(pmt.from_uint64(rx_time[0]), pmt.from_double(rx_time[1]))

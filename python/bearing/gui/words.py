# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bearings in words, for people who read and for screen readers."""

import datetime
import math
import re

import pmt

# More would not be read.
MOST_BEARINGS = 4

# A status that is not here is said as it comes.
STATUS_SENTENCES = {
    "ok": "ok",
    "no_source": "no source found",
    "unresolved": "sources are not resolved",
    "collapsed": "bearing met its mirror image",
    "bad_data": "data cannot be used",
    "low_snr": "signal is too weak for an error bar",
    "model_mismatch": "array does not match its model",
    "not_identifiable": "bearing is ambiguous",
    "learning": "calibration is learning",
    "tracking": "calibration follows the array",
    "frozen": "calibration is frozen",
}

# rx_time before 2001 is time since the start of a stream, not of day.
_FIRST_DATE = 978307200.0
_LAST_DATE = 253402300800.0


def bearing_text(angle_deg, std_deg, full_circle=True):
    """"72.1° ± 0.1°"; "± unknown" without a deviation. On a full circle in [0, 360), else in
    [-180, 180)."""
    decimals = 1
    if math.isfinite(std_deg) and std_deg >= 0.0:
        decimals = 1 if std_deg >= 0.095 else 2
        deviation = f"{std_deg:.{decimals}f}°" if std_deg >= 0.005 else "under 0.01°"
    else:
        deviation = "unknown"
    return f"{angle_text(angle_deg, decimals, full_circle)} ± {deviation}"


def angle_text(angle_deg, decimals=1, full_circle=True):
    """"72.1°", in [0, 360), or in [-180, 180)."""
    # Rounded first: 359.97 is 0.0, not 360.0.
    angle = round(float(angle_deg), decimals) % 360.0
    if not full_circle and angle >= 180.0:
        angle -= 360.0
    return f"{angle:.{decimals}f}°"


def bearings_text(angles_deg, std_deg, count, full_circle=True):
    """The first MOST_BEARINGS of several bearings, and how many of ``count`` are left. NaN ones are
    passed over. In order of angle: sources of equal power would change places all the time."""
    pairs = zip(map(float, angles_deg), map(float, std_deg))
    found = [(angle, std) for angle, std in pairs if math.isfinite(angle)]
    if not found:
        return "no bearing"
    turn = 0.0 if full_circle else 180.0
    shown = sorted(found[:MOST_BEARINGS], key=lambda pair: (pair[0] + turn) % 360.0)
    text = ", ".join(bearing_text(angle, std, full_circle) for angle, std in shown)
    return text if count <= MOST_BEARINGS else f"{text} and {count - MOST_BEARINGS} more"


def status_text(status):
    return STATUS_SENTENCES.get(status, short(status.replace("_", " ")))


def calibration_text(message):
    """"shape calibrated, north unknown": a message of a running calibrator, as bearing.diffmusic
    sends it. "" for one that says nothing about itself.

    Raises ValueError saying what is wrong with it.
    """
    if not pmt.is_dict(message):
        raise ValueError("a calibration message is a dict")
    status, ambiguity = (_symbol(message, key) for key in ("status", "ambiguity"))
    if status is None:
        return ""
    is_known = ambiguity in (None, "none")
    if status == "tracking":
        said = ["array calibrated" if is_known else "shape calibrated"]
    else:
        said = [status_text(status)]
    if not is_known:
        said.append(f"{short(ambiguity)} unknown")
    restarts = pmt.dict_ref(message, pmt.intern("restarts"), pmt.PMT_NIL)
    if pmt.is_uint64(restarts) and pmt.to_uint64(restarts) > 0:
        count = pmt.to_uint64(restarts)
        said.append(f"recovered from {count} step change" + ("s" if count > 1 else ""))
    return ", ".join(said)


def _symbol(message, key):
    """The text of a symbol in a dict; None where it is missing."""
    value = pmt.dict_ref(message, pmt.intern(key), pmt.PMT_NIL)
    if pmt.is_null(value):
        return None
    if not pmt.is_symbol(value):
        raise ValueError(f"{key} must be a symbol")
    return pmt.symbol_to_string(value)


def time_text(seconds, wall):
    """Time of day of the samples, or their time in the stream; without rx_time (None) the time
    of arrival, by time.time()."""
    if seconds is None:
        seconds = wall
    if 0.0 <= seconds < _FIRST_DATE:
        return f"{seconds:.1f} s into the stream"
    if not 0.0 <= seconds < _LAST_DATE:
        return "at no possible time"
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime(
        "%H:%M:%S UTC"
    )


def plain(name):
    """A name without what people write in different ways: root_music is root-MUSIC."""
    return re.sub(r"[^0-9a-z]", "", name.casefold())


def short(text, most=40):
    """Text of others, made fit for a line."""
    text = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * most]).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def age_text(seconds):
    """"12 s", "3 min", "2 h"."""
    if seconds < 120.0:
        return f"{seconds:.0f} s"
    return f"{seconds / 60.0:.0f} min" if seconds < 7200.0 else f"{seconds / 3600.0:.0f} h"

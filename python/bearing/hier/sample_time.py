# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times of samples: (seconds since 1970-01-01 UTC, fraction of a second in [0, 1)), as rx_time has
them. Apart they keep what one double of today's seconds would round."""

import calendar
import math
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

_LAST_SECOND = 253402300799  # 9999-12-31T23:59:59Z
_SIGMF_FORM = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,1100}))?Z"
)
_ISO_FORM = re.compile(r"([^.,]*?)(?:[.,]([0-9]{1,1000}))?(Z|[+-][0-9]{2}:?[0-9]{2})?")


def advanced(rx_time, samples, sample_rate):
    """(seconds, fraction) that many samples later; None beyond 64 bits. Exact but for the last
    rounding."""
    total = rx_time[0] + Fraction(rx_time[1]) + Fraction(samples) / Fraction(sample_rate)
    return _split(total)


def _split(total):
    seconds = total.numerator // total.denominator
    fraction = float(total - seconds)
    if fraction >= 1.0:  # rounded up
        seconds, fraction = seconds + 1, 0.0
    return (seconds, fraction) if 0 <= seconds < 2**64 else None


def normalised_time(seconds, fraction):
    """(seconds, fraction in [0, 1)) of a time whose fraction may lie outside; None when it is not
    finite or before 1970."""
    if not math.isfinite(fraction):
        return None
    if 0.0 <= fraction < 1.0:
        return seconds, fraction + 0.0  # no negative zero
    return _split(seconds + Fraction(fraction))


def is_datable(rx_time):
    """Whether the date of (seconds, fraction) has the four-digit year that SigMF wants."""
    return 0 <= rx_time[0] <= _LAST_SECOND


def iso_time(seconds, fraction, digits=None):
    """ISO 8601 of a time since 1970 in UTC; None beyond the year 9999.

    digits: of the fraction; None: as many as give back the same double.
    """
    # The shortest digits that read as this double.
    fraction = Decimal(repr(float(fraction)))
    if digits is not None:
        fraction = round(fraction, digits)
    carry = int(fraction // 1)
    fraction -= carry
    try:
        date = datetime(1970, 1, 1) + timedelta(seconds=int(seconds) + carry)
    except OverflowError:
        return None
    text = f"{fraction:f}".partition(".")[2]  # never in exponent notation
    if digits is None:
        text = text.rstrip("0")
    return f"{date.isoformat()}{'.' if text else ''}{text}Z"


def format_datetime(rx_time):
    """core:datetime of (seconds, fraction), with as many digits as it takes to give back the very
    same fraction. ValueError for a fraction outside [0, 1) or a year after 9999."""
    seconds, fraction = rx_time
    if not (is_datable(rx_time) and 0.0 <= fraction < 1.0):
        raise ValueError(
            f"captures: rx_time is {rx_time!r}; it must be seconds from 0 to {_LAST_SECOND} and "
            "a fraction in [0, 1)"
        )
    text = iso_time(seconds, fraction)
    return text if "." in text else text[:-1] + ".0Z"


def parse_datetime(text):
    """(seconds, fraction) of a core:datetime; ValueError: what it must be."""
    complaint = (
        "must be a date and time of the form YYYY-MM-DDThh:mm:ss.sssZ, with up to 1100 digits in "
        "the fraction"
    )
    match = _SIGMF_FORM.fullmatch(text)
    if not match:
        raise ValueError(complaint)
    *minute, second = (int(part) for part in match.groups()[:6])
    if second > 60:
        raise ValueError(complaint)
    try:
        # A leap second is, as in POSIX, the first one of the next minute.
        date = datetime(*minute, min(second, 59))
    except ValueError:
        raise ValueError(complaint) from None
    return _since_1970(calendar.timegm(date.timetuple()) + (second == 60), match[7])


def parse_iso_time(text):
    """(seconds, fraction) of an ISO 8601 time of any form, UTC unless it names a zone; ValueError:
    what it must be."""
    match = _ISO_FORM.fullmatch(text)
    if not match or "T" not in match[1]:
        raise ValueError("must be of the form YYYY-MM-DDThh:mm:ss.sssZ")
    whole, digits, zone = match.groups()
    date = datetime.fromisoformat(whole + (zone or "Z").replace("Z", "+00:00"))
    seconds = (date - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(seconds=1)
    return _since_1970(seconds, digits)


def _since_1970(seconds, digits):
    """(seconds, fraction) of whole seconds and the digits, or None, of a fraction."""
    fraction = float("0." + (digits or "0"))
    if fraction >= 1.0:  # more nines than a double holds
        seconds, fraction = seconds + 1, 0.0
    if seconds < 0:
        raise ValueError("must not be before 1970")
    return seconds, fraction

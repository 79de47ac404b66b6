# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON that others wrote, read with care."""

import json


def read_object(text, largest):
    """A dict out of JSON text or bytes of at most that length; ValueError says what is wrong."""
    if len(text) > largest:
        raise ValueError(f"JSON of {len(text)} bytes; it must be at most {largest}")
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"JSON holds a {type(value).__name__}; it must hold an object")
    return value

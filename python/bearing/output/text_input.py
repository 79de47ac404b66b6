# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that comes as such or in UTF-8."""


def as_text(data):
    """A str of a str or bytes; ValueError for bytes that are no UTF-8."""
    return data if isinstance(data, str) else bytes(data).decode("utf-8")

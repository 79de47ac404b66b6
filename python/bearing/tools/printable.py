# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of strangers on a terminal."""


def printable(text):
    """The text with escapes, as repr() has them, in place of what is no printable character: a
    file's name may hold what a terminal obeys, and what ends a line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours of plots and displays, and how well one is seen on another.

The series look different to everyone, on white and on black (M. Okabe, K. Ito, Color Universal
Design), and are used in this order. Functions take colours as "#rrggbb" or as (red, green, blue)
from 0 to 1.
"""

BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
SKY_BLUE = "#56B4E9"
ORANGE = "#E69F00"

SERIES = (BLUE, VERMILION, GREEN, PURPLE, SKY_BLUE, ORANGE)

# Of spectra over direction and time, as matplotlib and pyqtgraph call it: even in brightness,
# and without red beside green.
COLOUR_MAP = "cividis"

# What WCAG 2.1 asks of graphical objects (1.4.11) and of text (1.4.3).
GRAPHICS_CONTRAST = 3.0
TEXT_CONTRAST = 4.5


def rgb(colour):
    """A colour as (red, green, blue) from 0 to 1."""
    if isinstance(colour, str):
        return tuple(int(colour[k : k + 2], 16) / 255.0 for k in (1, 3, 5))
    return tuple(map(float, colour))


def mix(one, other, share):
    """The colour between two, of those that 8 bits can tell: share 0 is one, 1 is the other."""
    mixed = ((1.0 - share) * a + share * b for a, b in zip(rgb(one), rgb(other)))
    return tuple(round(255.0 * value) / 255.0 for value in mixed)


def luminance(colour):
    """Relative luminance, 0 (black) to 1 (white), as WCAG 2.1 defines it."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Contrast ratio of two colours, 1 to 21, as WCAG 2.1 defines it."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def is_dark(colour):
    """Whether white is seen better on a colour than black is."""
    return contrast(colour, "#ffffff") > contrast(colour, "#000000")


def readable(colour, background, least=GRAPHICS_CONTRAST):
    """colour, mixed with as little black or white as it takes to reach this contrast to the
    background."""
    end = "#ffffff" if is_dark(background) else "#000000"
    for step in range(101):
        mixed = mix(colour, end, step / 100.0)
        if contrast(mixed, background) >= least:
            break
    return mixed

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours of plots and displays.

The series look different to everyone, on white and on black (M. Okabe, K. Ito, Color Universal
Design), and are used in this order.
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

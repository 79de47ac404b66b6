# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Axes, and colours that can be read on them."""

import matplotlib.axes
import numpy as np
from matplotlib.colors import to_rgb, to_rgba

from .. import colours

# Of lines and markers against what is behind them: WCAG 2.1, criterion 1.4.11.
LEAST_CONTRAST = 3.0

# One for each of a few series, so that colour is not all that tells them apart. Dots are for
# what is true.
LINE_STYLES = ("-", "--", "-.", (0, (6, 1.5, 1, 1.5, 1, 1.5)))
MARKERS = ("o", "s", "^", "D", "v", "P")


def axes_or_new(ax, projection="rectilinear", size=(6.4, 4.8)):
    """ax, or the only Axes of a new figure of this size in inches; ValueError naming ax."""
    if ax is None:
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=size, layout="constrained")
        return figure.add_subplot(projection=projection)
    require_axes("ax", ax, projection)
    return ax


def require_axes(name, ax, projection="rectilinear"):
    """ValueError naming the parameter unless ax is an Axes of this projection."""
    if not isinstance(ax, matplotlib.axes.Axes):
        raise ValueError(f"{name} is {ax!r}; it must be a matplotlib Axes")
    if ax.name != projection:
        raise ValueError(
            f"{name} has the projection {ax.name!r}; it must be {projection!r}, as "
            f"figure.add_subplot(projection={projection!r}) gives it"
        )


def luminance(colour):
    """Relative luminance, 0 (black) to 1 (white), as WCAG 2.1 defines it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    """Contrast ratio of two colours, 1 to 21, as WCAG 2.1 defines it."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def readable(colour, background, least=LEAST_CONTRAST):
    """colour, mixed with as little black or white as it takes to be read on the background."""
    colour = np.array(to_rgb(colour))
    target = max((np.zeros(3), np.ones(3)), key=lambda extreme: contrast(extreme, background))
    for share in np.linspace(0.0, 1.0, 51):
        mixed = (1.0 - share) * colour + share * target
        if contrast(mixed, background) >= least:
            break
    return tuple(mixed)


def background(ax):
    """The opaque colour behind what is drawn: the face of ax over that of its figure."""
    behind = np.ones(3)
    for face in (ax.figure.get_facecolor(), ax.get_facecolor()):
        *rgb, alpha = to_rgba(face)
        behind = alpha * np.array(rgb) + (1.0 - alpha) * behind
    return tuple(behind)


def foreground(ax):
    """The colour of labels, or what can be read in its place."""
    return readable(ax.xaxis.label.get_color(), background(ax))


def guide(ax):
    """A colour for what stands behind the data: axes, circles, true values."""
    return readable("0.5", background(ax))


def series(ax, index):
    """The colour of the series of this index."""
    return readable(colours.SERIES[index % len(colours.SERIES)], background(ax))


def legend(ax, handles, **placing):
    """A legend where there is something to tell."""
    if handles:
        ax.legend(handles=handles, **placing)

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Axes, and colours that can be read on them."""

import matplotlib.axes
import numpy as np
from matplotlib.colors import to_rgb, to_rgba

from .. import colours

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


def background(ax):
    """The opaque colour behind what is drawn: the face of ax over that of its figure."""
    behind = np.ones(3)
    for face in (ax.figure.get_facecolor(), ax.get_facecolor()):
        *rgb, alpha = to_rgba(face)
        behind = alpha * np.array(rgb) + (1.0 - alpha) * behind
    return tuple(behind)


def foreground(ax):
    """The colour of labels, or what can be read in its place."""
    return colours.readable(to_rgb(ax.xaxis.label.get_color()), background(ax))


def guide(ax):
    """A colour for what stands behind the data: axes, circles, true values."""
    return colours.readable(to_rgb("0.5"), background(ax))


def series(ax, index):
    """The colour of the series of this index."""
    return colours.readable(colours.SERIES[index % len(colours.SERIES)], background(ax))


def legend(ax, handles, **placing):
    """A legend where there is something to tell."""
    if handles:
        ax.legend(handles=handles, **placing)

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the elements of an array stand."""

import numpy as np
from matplotlib.lines import Line2D

from .. import colours
from ..bearing_python import array as antenna_array
from ..bearing_python import calibration as calibration_type
from . import style
from .arguments import finite_number, flag

# Room around the elements, as a share of the array's width.
MARGIN = 0.22
# Points (1/72 inch): of a mark with a number inside, and the least between two numbers.
LARGEST_MARK = 17.0
NUMBER_ROOM = 11.0
# Points that a mark of gain 1 measures where gains are shown.
GAIN_MARK = 15.0


def array(array, calibrated=None, ax=None, *, offset_scale=1.0, show_gains=False):
    """Draws an array seen from above: x to the right, y, the array's forward, up.

    Elements are numbered as everywhere. A calibration's position offsets are arrows from the
    nominal to the calibrated positions.

    Parameters
    ----------
    array : bearing.array
        Its nominal geometry, in metres when it has a wavelength, else in wavelengths.
    calibrated : bearing.array or bearing.calibration, optional
        Of as many elements: what the calibration holds is drawn beside the nominal geometry.
        Default: the calibration that is in force in ``array``.
    ax : matplotlib Axes, optional
        Default: a figure of its own. Its aspect is made equal.
    offset_scale : float > 0
        By how much the offsets are drawn larger than they are; the legend says so.
    show_gains : bool
        Whether the nominal positions show the gains: the diameter of a mark is proportional to
        the magnitude, its colour tells the phase in degrees.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        Naming the parameter.
    """
    if not isinstance(array, antenna_array):
        raise ValueError(f"array is {array!r}; it must be a bearing.array")
    calibration = _calibration(array, calibrated)
    offset_scale = finite_number("offset_scale", offset_scale)
    if offset_scale <= 0.0:
        raise ValueError(f"offset_scale is {offset_scale}; it must be positive")
    show_gains = flag("show_gains", show_gains)
    nominal = array.positions[:, :2]
    offsets = calibration.positions
    moved = None if offsets is None else nominal + offset_scale * offsets[:, :2]
    everything = nominal if moved is None else np.vstack([nominal, moved])
    low, high = everything.min(axis=0), everything.max(axis=0)
    width = float(np.max(high - low)) or 1.0
    is_flat = high[1] - low[1] < 0.3 * (high[0] - low[0])
    ax = style.axes_or_new(ax, size=(6.4, 3.4) if is_flat else (5.6, 5.4))
    _forward(ax, (low[0] + high[0]) / 2, high[1], width)

    handles = []
    ink = style.foreground(ax)
    spacing = _spacing_in_points(ax, nominal, width)
    size = float(np.clip(0.85 * spacing, 4.0, LARGEST_MARK))
    colour = style.series(ax, 0)
    if show_gains:
        gains = np.ones(array.n) if calibration.gains is None else calibration.gains
        shown = ax.scatter(
            *nominal.T,
            s=(min(size, GAIN_MARK) * np.abs(gains)) ** 2,
            c=np.degrees(np.angle(gains)),
            cmap="twilight",
            vmin=-180.0,
            vmax=180.0,
            edgecolors=[ink],
            linewidths=1.0,
            zorder=3,
        )
        ax.figure.colorbar(
            shown, ax=ax, label="phase of the gain (degrees)", ticks=range(-180, 181, 90),
            shrink=0.8
        )
    elif moved is None:
        ax.plot(*nominal.T, "o", ms=size, color=colour, zorder=3)
    else:
        size = min(size, 9.0)
        ax.plot(*nominal.T, "o", ms=size, mew=1.5, mfc="none", color=colour, zorder=3)
    if moved is not None:
        other = style.series(ax, 1)
        ax.quiver(
            *nominal.T,
            *(moved - nominal).T,
            angles="xy",
            scale_units="xy",
            scale=1.0,
            width=0.006,
            color=[other],
            zorder=4,
        )
        ax.plot(*moved.T, "D", ms=4.5, color=other, zorder=5)
        factor = "" if offset_scale == 1.0 else f", offsets × {offset_scale:g}"
        nominal_mark = {"mfc": "none", "mew": 1.5, "color": ink if show_gains else colour}
        handles = [
            Line2D([], [], ls="", marker="o", ms=8, label="nominal", **nominal_mark),
            Line2D([], [], ls="-", marker="D", ms=4.5, color=other, label="calibrated" + factor),
        ]
    is_inside = moved is None and not show_gains and size >= NUMBER_ROOM
    _number(ax, nominal, low, high, size, spacing, colour if is_inside else None)

    unit = "wavelengths" if array.wavelength is None else "m"
    ax.set(
        xlabel=f"x, right ({unit})",
        ylabel=f"y, forward ({unit})",
        xlim=(low[0] - MARGIN * width, high[0] + MARGIN * width),
        ylim=(low[1] - MARGIN * width, high[1] + 2.2 * MARGIN * width),
    )
    ax.set_aspect("equal")
    ax.set_axisbelow(True)
    ax.grid(alpha=0.3)
    below = -0.32 if is_flat else -0.12
    style.legend(ax, handles, loc="upper center", bbox_to_anchor=(0.5, below), ncols=2)
    return ax


def _calibration(array, calibrated):
    """The calibration to draw; ValueError naming calibrated when it is no such thing."""
    if calibrated is None:
        return array.calibration
    if isinstance(calibrated, antenna_array):
        if calibrated.n != array.n:
            raise ValueError(
                f"calibrated has {calibrated.n} elements; it must have as many as array, {array.n}"
            )
        return calibrated.calibration
    if isinstance(calibrated, calibration_type):
        try:
            return array.with_calibration(calibrated).calibration
        except ValueError as error:
            raise ValueError(f"calibrated does not fit array: {error}") from error
    raise ValueError(
        f"calibrated is {calibrated!r}; it must be a bearing.array or a bearing.calibration"
    )


def _forward(ax, x, top, width):
    """An arrow beyond the foremost element."""
    ink = style.foreground(ax)
    ax.annotate(
        "",
        xy=(x, top + 1.7 * MARGIN * width),
        xytext=(x, top + 0.6 * MARGIN * width),
        arrowprops={"arrowstyle": "-|>", "color": ink, "lw": 1.6, "shrinkA": 0, "shrinkB": 0},
    )
    ax.annotate(
        "forward, 0°",
        xy=(x, top + 1.15 * MARGIN * width),
        xytext=(7, 0),
        textcoords="offset points",
        color=ink,
        va="center",
    )


def _spacing_in_points(ax, positions, width):
    """About how far the nearest two elements will be apart on paper."""
    if len(positions) < 2:
        return LARGEST_MARK * 2
    distances = np.hypot(*(positions[:, None, :] - positions[None, :, :]).transpose(2, 0, 1))
    # Elements above each other share a mark.
    distances = distances[distances > 1e-9 * width]
    if not distances.size:
        return LARGEST_MARK * 2
    box = ax.get_window_extent()
    points = min(box.width, box.height) * 72.0 / ax.figure.dpi
    return distances.min() / (width * (1.0 + 2.0 * MARGIN)) * points


def _number(ax, positions, low, high, size, spacing, mark_colour):
    """Writes the elements' numbers, on the marks or, away from the middle, beside them."""
    names = {}
    for k, position in enumerate(np.round(positions, 9)):
        names.setdefault(tuple(position), []).append(k)
    every = int(np.ceil(NUMBER_ROOM / spacing))
    centre = (low + high) / 2
    for place, members in names.items():
        # Elements above each other, seen from above, share one place.
        if members[0] % every and len(positions) > 1:
            continue
        text = ", ".join(str(k) for k in members)
        if mark_colour is not None and len(members) == 1:
            on_mark = "white" if colours.is_dark(mark_colour) else "black"
            ax.annotate(text, place, color=on_mark, ha="center", va="center_baseline",
                        fontsize=min(9.0, 0.58 * size), zorder=6)
            continue
        away = np.array(place) - centre
        # Elements of a line, which have no outside, are named below.
        length = np.hypot(*away)
        is_flat = high[1] - low[1] < 0.1 * (high[0] - low[0])
        away = np.array([0.0, -1.0]) if is_flat or length == 0.0 else away / length
        ax.annotate(
            text,
            place,
            xytext=away * (0.5 * size + (4.0 if abs(away[0]) > 0.4 else 8.0)),
            textcoords="offset points",
            color=style.foreground(ax),
            # Several numbers are wider than high.
            ha="center" if abs(away[0]) <= 0.4 else "left" if away[0] > 0.0 else "right",
            va="center",
            fontsize=9.0,
            zorder=6,
        )

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bearings on a compass rose."""

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from . import azimuths, style
from .arguments import finite_number, flag, read_estimates, true_angles

# Of what a bearing may be off, on each side.
DEVIATIONS = 2.0
# Corners of a wedge are at most this far apart.
ARC_STEP_DEG = 3.0
# Between the dial and what is written below the angles around it, as a share of its box.
LABEL_ROOM = 0.09
COMPASS_POINTS = {0: "N", 90: "E", 180: "S", 270: "W"}


def polar(estimate, ax=None, heading_deg=None, truth_deg=None, *, front_only=None):
    """Draws bearings as they lie around the array: 0 at the top, clockwise.

    Each bearing is a line with a wedge of ±2σ; a dashed line has no known deviation. The
    spectrum, when there is one, is drawn inside, its dB written along the radius.

    Parameters
    ----------
    estimate : bearing_estimate, or list of (label, bearing_estimate)
        As for spectrum(); a bearing_report is drawn without a spectrum.
    ax : matplotlib Axes with the projection "polar", optional
        Default: a figure of its own. What it shows, and where 0 is, is set.
    heading_deg : float, optional
        Direction of the array's +y axis in degrees clockwise from north. With it everything is
        turned to true bearings, north at the top. Default: azimuths, the array's forward at the
        top.
    truth_deg : float or array of float, optional
        True azimuths in degrees, relative to the array as those of the estimate; dotted lines.
    front_only : bool, optional
        Whether only [-90, 90] degrees about the array's forward is shown. Default: when the
        estimates tell that they come from an array that cannot tell front from back: by the
        range of the grid, by their ``front_only``, or else by a negative angle.

    Returns
    -------
    matplotlib PolarAxes; its angles are in radians, in the direction that is written there

    Raises
    ------
    ValueError
        Naming the parameter.
    """
    estimates = read_estimates(estimate)
    truth = true_angles(truth_deg)
    heading = 0.0 if heading_deg is None else finite_number("heading_deg", heading_deg)
    if front_only is None:
        front_only = _is_front_only([found for _, found in estimates])
    else:
        front_only = flag("front_only", front_only)
    ax = style.axes_or_new(ax, "polar", (5.6, 4.6 if front_only else 5.8))

    ax.set_theta_zero_location("N")
    ax.set_theta_direction(-1)
    low, high = _radii([found for _, found in estimates])
    handles = []
    has_wedge = False
    for index, (label, found) in enumerate(estimates):
        colour = style.series(ax, index)
        line_style = style.LINE_STYLES[index % len(style.LINE_STYLES)]
        if found.grid_deg.size:
            grid, values = azimuths.closed(found.grid_deg, found.spectrum_db)
            ax.plot(np.radians(grid + heading), values, ls=line_style, color=colour, lw=1.2)
        known = np.isfinite(found.std_deg)
        angles = found.angles_deg + heading
        _wedges(ax, angles[known], found.std_deg[known], low, high, colour)
        has_wedge = has_wedge or bool(known.any())
        for angle, dashes in ((angles[known], "-"), (angles[~known], "--")):
            if angle.size:
                ax.vlines(
                    np.radians(angle), low, high, colors=[colour], linestyles=dashes, lw=1.8
                )
        if label is not None:
            # The style is that of the spectrum; of bearings it tells whether σ is known.
            look = {"ls": line_style} if found.grid_deg.size else {"ls": "-", "lw": 1.8}
            handles.append(Line2D([], [], color=colour, label=label, **look))
    ink = style.foreground(ax)
    if has_wedge:
        handles.append(Patch(fc=ink, alpha=0.3, lw=0, label="±2σ"))
    if any(np.isnan(found.std_deg).any() for _, found in estimates):
        handles.append(Line2D([], [], ls="--", color=ink, label="σ unknown"))
    if truth.size:
        ax.vlines(np.radians(truth + heading), low, high, colors=[ink], linestyles=":", lw=1.6,
                  zorder=3)
        handles.append(Line2D([], [], ls=":", lw=1.6, color=ink, label="truth"))
    if heading_deg is not None:
        # On the rim, pointing outwards.
        mark = {"marker": (3, 0, -heading), "ms": 10, "color": ink, "ls": ""}
        ax.plot([np.radians(heading)], [high], clip_on=False, zorder=4, **mark)
        handles.append(Line2D([], [], label="the array's forward", **{**mark, "marker": (3, 0)}))

    _dial(ax, heading_deg, front_only)
    ax.set_ylim(low, high)
    _radial_scale(ax, [found for _, found in estimates], heading, front_only)
    ax.set_xlabel("azimuth (degrees)" if heading_deg is None else "true bearing (degrees)")
    bottom = _bottom(heading) if front_only else 0.0
    ax.xaxis.set_label_coords(0.5, bottom - LABEL_ROOM)
    ax.grid(alpha=0.4)
    style.legend(
        ax,
        handles,
        loc="upper center",
        bbox_to_anchor=(0.5, bottom - 1.6 * LABEL_ROOM),
        ncols=min(len(handles), 3),
    )
    return ax


def _is_front_only(estimates):
    ranges = [azimuths.range_of_estimate(found) for found in estimates]
    ranges = [r for r in ranges if r is not None]
    return bool(ranges) and all(
        r[0] >= azimuths.FRONT[0] - azimuths.ROUNDING
        and r[1] <= azimuths.FRONT[1] + azimuths.ROUNDING
        for r in ranges
    )


def _radii(estimates):
    """From the centre to the rim: the spectra's lowest and highest values in dB, or 0 to 1."""
    values = np.concatenate([np.empty(0), *(found.spectrum_db for found in estimates)])
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = values.min(), values.max()
    # Room at the centre, where nothing can be told apart.
    margin = max(0.12 * (high - low), 0.5)
    return low - margin, high + 0.02 * margin


def _wedges(ax, angles_deg, std_deg, low, high, colour):
    """Sectors of ±2σ from the centre to the rim."""
    shapes = []
    for angle, std in zip(angles_deg, std_deg):
        half = min(DEVIATIONS * std, 180.0)
        points = 2 + int(2.0 * half / ARC_STEP_DEG)
        arc = np.radians(np.linspace(angle - half, angle + half, points))
        outer = np.column_stack([arc, np.full(points, high)])
        inner = np.column_stack([arc[::-1], np.full(points, low)])
        shapes.append(np.vstack([outer, inner]))
    if shapes:
        ax.add_collection(PolyCollection(shapes, facecolors=[colour], alpha=0.3, linewidths=0))


def _dial(ax, heading_deg, front_only):
    """What part of the circle is shown, and what is written around it."""
    heading = heading_deg or 0.0
    if front_only:
        ax.set_thetamin(heading + azimuths.FRONT[0])
        ax.set_thetamax(heading + azimuths.FRONT[1])
        first = np.ceil((heading - 90.0) / 30.0 - 1e-9) * 30.0
        ticks = np.arange(first, heading + 90.0 + 1e-6, 30.0)
    else:
        ax.set_thetamin(0.0)
        ax.set_thetamax(360.0)
        ticks = np.arange(0.0, 360.0, 30.0)
    if heading_deg is None:
        labels = [f"{tick:.0f}°" for tick in ticks]
    else:
        labels = [COMPASS_POINTS.get(int(t), f"{t:.0f}°") for t in np.round(ticks % 360.0)]
    ax.set_xticks(np.radians(ticks), labels)


def _bottom(heading):
    """Lower end of half a dial, which lies in the middle of a square box of height 1."""
    turn = np.radians(heading + np.linspace(*azimuths.FRONT, 181))
    x, y = np.append(np.sin(turn), 0.0), np.append(np.cos(turn), 0.0)
    height = np.ptp(y)
    return 0.5 - height / (2.0 * max(height, np.ptp(x)))


def _radial_scale(ax, estimates, heading, front_only):
    """dB along a radius that few lines cross, or nothing where there is no spectrum."""
    if not any(np.isfinite(found.spectrum_db).any() for found in estimates):
        ax.set_yticks([])
        return
    busy = np.concatenate([found.angles_deg for found in estimates])
    # Between two of the angles that are written around.
    reach = 75.0 if front_only else 180.0
    places = np.arange(-reach, reach, 30.0) + (0.0 if front_only else 15.0)
    room = [np.min(np.abs(azimuths.near(busy - place, 0.0)), initial=180.0) for place in places]
    ax.set_rlabel_position(places[int(np.argmax(room))] + heading)
    ax.tick_params(axis="y", labelsize="small")
    low, high = ax.get_ylim()
    values = MaxNLocator(nbins=4, steps=[1, 2, 5, 10]).tick_values(low, high)
    # Not at the centre and the rim, where there is no room to write.
    ticks = [t for t in values if 0.2 < (t - low) / (high - low) < 0.88]
    ax.set_yticks(ticks, [f"{t:g} dB" for t in ticks])

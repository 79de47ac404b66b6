# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pseudo-spectra over azimuth."""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from . import azimuths, style
from .arguments import flag, read_estimates, true_angles

# Where the bearings of an estimate without a spectrum are marked, as a share of the height.
MARK_HEIGHT = 0.93
MARK_STEP = 0.06


def spectrum(estimate, truth_deg=None, ax=None, *, peak_at_zero=False):
    """Draws pseudo-spectra over azimuth, and the bearings with their standard deviations.

    Each bearing is marked where it lies on its spectrum, with a bar of ±σ; an open mark has no
    known deviation. An estimate without a spectrum (root-MUSIC) is drawn as vertical lines.

    Parameters
    ----------
    estimate : bearing_estimate, or list of (label, bearing_estimate)
        Results of bearing.core.music() and its like, angles and deviations in degrees,
        spectra in dB. A bearing_report counts as an estimate without a spectrum.
    truth_deg : float or array of float, optional
        True azimuths in degrees; dotted lines. NaN are left out.
    ax : matplotlib Axes, optional
        Default: a figure of its own.
    peak_at_zero : bool
        Whether each spectrum is shifted to have its peak at 0 dB, to compare methods whose
        spectra mean different things.

    Returns
    -------
    matplotlib Axes; azimuth over [-90, 90], [0, 360] or the grid's own range

    Raises
    ------
    ValueError
        Naming the parameter.
    """
    estimates = read_estimates(estimate)
    truth = true_angles(truth_deg)
    peak_at_zero = flag("peak_at_zero", peak_at_zero)
    ax = style.axes_or_new(ax, size=(8.0, 4.2))

    limits = azimuths.common_range(azimuths.range_of_estimate(found) for _, found in estimates)
    handles = []
    has_known, has_unknown = False, False
    for index, (label, found) in enumerate(estimates):
        colour = style.series(ax, index)
        line_style = style.LINE_STYLES[index % len(style.LINE_STYLES)]
        marker = style.MARKERS[index % len(style.MARKERS)]
        angles = azimuths.within(found.angles_deg, limits)
        if found.grid_deg.size:
            grid, values = azimuths.closed(found.grid_deg, found.spectrum_db)
            if peak_at_zero and np.any(np.isfinite(values)):
                values = values - np.nanmax(values)
            for shift in _turns(grid, limits):
                ax.plot(grid + shift, values, ls=line_style, color=colour)
            heights = np.interp(azimuths.within(angles, (grid[0], grid[-1])), grid, values)
            transform = ax.transData
        else:
            _verticals(ax, angles, colors=[colour], linestyles=[line_style])
            heights = np.full(angles.size, MARK_HEIGHT - MARK_STEP * (index % 6))
            transform = ax.get_xaxis_transform()
        known = np.isfinite(found.std_deg)
        has_known = has_known or bool(known.any())
        has_unknown = has_unknown or bool((~known).any())
        _mark(ax, angles[known], heights[known], found.std_deg[known], colour, marker,
              transform, limits)
        _mark(ax, angles[~known], heights[~known], None, colour, marker, transform, limits)
        if label is not None:
            handles.append(Line2D([], [], ls=line_style, color=colour, label=label))

    ink = style.foreground(ax)
    mark = {"marker": "o", "ms": 5, "color": ink}
    if has_known:
        handles.append(Line2D([], [], ls="-", label="bearing ± σ", **mark))
    if has_unknown:
        handles.append(Line2D([], [], ls="", mfc="none", label="bearing, σ unknown", **mark))
    if truth.size:
        _verticals(
            ax, azimuths.within(truth, limits), colors=[ink], linestyles=":", zorder=2.5
        )
        handles.append(Line2D([], [], ls=":", lw=1.3, color=ink, label="truth"))

    ax.set(
        xlabel="azimuth (degrees)",
        ylabel="spectrum (dB, peak = 0)" if peak_at_zero else "spectrum (dB)",
        xlim=limits,
    )
    if not any(found.grid_deg.size for _, found in estimates):
        ax.set_ylabel("")
        ax.set_yticks([])
    ax.xaxis.set_major_locator(azimuths.locator(limits))
    ax.grid(alpha=0.3)
    # Peaks may be anywhere inside.
    style.legend(
        ax,
        handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.15),
        ncols=min(len(handles), 6),
        columnspacing=1.2,
        handlelength=1.8,
        handletextpad=0.6,
        frameon=False,
    )
    return ax


def _turns(grid, limits):
    """0, and the whole turns that bring more of the grid into the limits."""
    shifts = [0.0]
    for shift in (-360.0, 360.0):
        low, high = max(grid[0] + shift, limits[0]), min(grid[-1] + shift, limits[1])
        if high - low > azimuths.ROUNDING:
            shifts.append(shift)
    return shifts


def _verticals(ax, angles, **look):
    """Lines from bottom to top, which say nothing about the scale of the spectra."""
    lines = LineCollection(
        [[(angle, 0.0), (angle, 1.0)] for angle in angles],
        linewidths=1.3,
        transform=ax.get_xaxis_transform(),
        **look,
    )
    ax.add_collection(lines, autolim=False)


def _mark(ax, angles, heights, std, colour, marker, transform, limits):
    """Marks with bars of ±std, or open ones without; those over an end that joins the other
    one show at both."""
    if not angles.size:
        return
    if std is None:
        ax.plot(angles, heights, marker, ms=6, mfc="none", color=colour, transform=transform)
        return
    if azimuths.is_full(limits):
        below, above = angles - std < limits[0], angles + std > limits[1]
        angles = np.concatenate([angles, angles[below] + 360.0, angles[above] - 360.0])
        heights = np.concatenate([heights, heights[below], heights[above]])
        std = np.concatenate([std, std[below], std[above]])
    look = {"color": colour, "zorder": 3, "transform": transform}
    ends = [[(x - s, y), (x + s, y)] for x, y, s in zip(angles, heights, std)]
    # Axes.errorbar would take heights that are shares of the axes for dB.
    ax.add_collection(LineCollection(ends, linewidths=1.5, **look), autolim=False)
    ax.plot(angles, heights, marker, ms=5, **look)
    ax.plot(*np.reshape(ends, (-1, 2)).T, "|", ms=8, **look)

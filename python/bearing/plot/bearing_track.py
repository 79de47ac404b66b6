# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bearings over time."""

import datetime

import matplotlib.dates
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..bearing_report import bearing_report
from . import azimuths, style
from .arguments import deviations, real_array

# Of what a bearing may be off, on each side.
DEVIATIONS = 2.0
# Seconds from here on are of the present: since 1970, in September 2001 or later.
PRESENT_S = 1e9
# matplotlib has no dates from the year 10000 on, nor in the margin before.
LAST_DATE_S = 2.5e11
# More tracks than these cannot be told apart as lines.
MOST_LINES = 12
# Tracks of more points are drawn without a mark at each.
MOST_MARKS = 400
# Of the time axis on each side of the bearings, for their marks: as a share of it.
MARGIN = 0.01

_UTC = datetime.timezone.utc


def track(
    time,
    angles_deg=None,
    std_deg=None,
    ax=None,
    labels=None,
    truth_deg=None,
    *,
    north="array",
    limits_deg=None,
):
    """Draws bearings over time with bands of ±2σ.

    Each column is a track of its own, a line that is broken where it jumps over the end of the
    circle, where a bearing is missing, and where time goes back. Reports of several sources,
    and more than 12 columns, are drawn as points with bars of ±2σ: nothing says which of them
    belong together.

    Parameters
    ----------
    time : array of T, or list of bearing_report
        Seconds, datetimes or datetime64 (those without a time zone are UTC). Seconds since 1970
        from 1e9 on are shown as date and time of day (UTC), to the year 9892. Reports bring their
        own times (rx_time, the first sample), angles and deviations; reports none of which has a
        time are numbered, among others those without are left out.
    angles_deg : array of T or T x K
        Bearings in degrees; NaN where there is none. None with reports.
    std_deg : array of the same shape, optional
        Standard deviations in degrees; NaN where unknown. None with reports.
    ax : matplotlib Axes, optional
        Default: a figure of its own.
    labels : str or list of K str, optional
        Names of the tracks.
    truth_deg : float, or array of T or T x M, optional
        True bearings; dashed lines.
    north : "array" or "true"
        What the angles count from, the array's forward or north. Of reports "true" draws the
        true bearings.
    limits_deg : two floats, optional
        Azimuths to show, low and high, at most 360 apart. Default: [-90, 90] or [-180, 180] when
        there are negative angles, else [0, 360].

    Returns
    -------
    matplotlib Axes; times of day are matplotlib's dates (days since 1970)

    Raises
    ------
    ValueError
        Naming the parameter.
    """
    if north not in ("array", "true"):
        raise ValueError(f"north is {north!r}; it must be 'array' or 'true'")
    limits = _limits(limits_deg)
    reports = _reports(time)
    if reports is None:
        seconds, is_date = _times(time)
        angles, std = _bearings(angles_deg, std_deg, seconds.size)
        time_label = "time (UTC)" if is_date else "time (s)"
        is_joined = angles.shape[1] <= MOST_LINES
    else:
        for name, value in (("angles_deg", angles_deg), ("std_deg", std_deg)):
            if value is not None:
                raise ValueError(f"{name} must be None when time is a list of reports")
        seconds, is_date, time_label = _report_times(reports)
        angles, std = _report_bearings(reports, north)
        is_joined = np.all(np.isfinite(angles).sum(axis=1) <= 1)
    names = _labels(labels, angles.shape[1])
    truth = _truth(truth_deg, seconds.size)
    ax = style.axes_or_new(ax, size=(8.0, 4.2))

    if limits is None:
        known = np.concatenate([angles.ravel(), truth.ravel()])
        limits = azimuths.range_of_angles(known[np.isfinite(known)])
    angles, truth = azimuths.within(angles, limits), azimuths.within(truth, limits)
    if is_date:
        ax.xaxis_date(_UTC)
        locator = matplotlib.dates.AutoDateLocator(tz=_UTC)
        ax.xaxis.set_major_locator(locator)
        formatter = matplotlib.dates.ConciseDateFormatter(locator, tz=_UTC)
        # By default bare seconds, which look like hours.
        formatter.formats[5] = "%H:%M:%S.%f"
        formatter.zero_formats[5] = "%H:%M:%S"
        ax.xaxis.set_major_formatter(formatter)

    is_joined = is_joined and angles.shape[1] <= MOST_LINES
    # Each series costs a pass of the renderer; points without names need no series of their own.
    is_named = names is not None and angles.shape[1] <= MOST_LINES
    columns = range(angles.shape[1]) if is_joined or is_named else [slice(None)]
    if is_joined:
        handles = _draw_lines(ax, seconds, angles, std, names, limits)
    else:
        handles = _draw_points(ax, seconds, angles, std, columns, limits)
        if is_named:
            for handle, name in zip(handles, names):
                handle.set_label(name)
        else:
            handles = []
    ink = style.foreground(ax)
    is_known = np.isfinite(std[np.isfinite(angles)])
    if is_known.any():
        handles.append(Patch(fc=ink, alpha=0.3, lw=0, label="±2σ"))
    # Without any deviation given, there is nothing to tell apart.
    if (reports is not None or std_deg is not None) and not is_known.all():
        _draw_unknown(ax, seconds, angles, std, columns)
        look = {"marker": style.MARKERS[0], **_HOLLOW, "mfc": style.background(ax), "mec": ink}
        handles.append(Line2D([], [], ls="", label="σ unknown", **look))
    for column in truth.T:
        when, where = _broken(seconds, column)
        ax.plot(when, where, "--", color=ink, lw=1.0, zorder=3)
    if np.isfinite(truth).any():
        handles.append(Line2D([], [], ls="--", lw=1.0, color=ink, label="truth"))

    ax.set(
        xlabel=time_label,
        ylabel="azimuth (degrees)" if north == "array" else "true bearing (degrees)",
        ylim=limits,
    )
    ax.yaxis.set_major_locator(azimuths.locator(limits))
    drawn = seconds[np.isfinite(seconds)]
    if drawn.size and drawn.min() < drawn.max():
        margin = MARGIN * np.ptp(drawn)
        ax.set_xlim(drawn.min() - margin, drawn.max() + margin)
    elif not drawn.size:
        ax.set_xticks([])
    ax.grid(alpha=0.3)
    style.legend(ax, handles, loc="upper right", ncols=min(len(handles), 4))
    return ax


def _draw_lines(ax, seconds, angles, std, names, limits):
    handles = []
    for k in range(angles.shape[1]):
        colour = style.series(ax, k)
        when, where, width = _broken(seconds, angles[:, k], DEVIATIONS * std[:, k])
        _band(ax, when, where, width, colour, limits)
        # Without marks the line itself must show beside that of the truth.
        look = {"color": colour, "lw": 2.4}
        if np.count_nonzero(np.isfinite(where)) <= MOST_MARKS:
            look.update(lw=1.3, marker=style.MARKERS[k % len(style.MARKERS)], ms=3.0)
        ax.plot(when, where, ls="-", zorder=2.5, **look)
        _lonely(ax, when, where, colour)
        if names is not None:
            handles.append(Line2D([], [], label=names[k], **look))
    return handles


def _draw_points(ax, seconds, angles, std, columns, limits):
    handles = []
    for index, column in enumerate(columns):
        colour = style.series(ax, index)
        where = angles[:, column].ravel()
        width = DEVIATIONS * std[:, column].ravel()
        when = np.repeat(seconds, where.size // max(seconds.size, 1))
        marker = style.MARKERS[index % len(style.MARKERS)]
        ax.plot(when, where, marker, ms=3.0, color=colour, zorder=2.5)
        known = np.isfinite(when) & np.isfinite(where) & np.isfinite(width)
        for shift in _shifts(where, width, limits):
            ax.vlines(
                when[known],
                (where - width)[known] + shift,
                (where + width)[known] + shift,
                colors=[colour],
                alpha=0.35,
                lw=1.5,
            )
        handles.append(Line2D([], [], ls="", marker=marker, ms=4.0, color=colour))
    return handles


_HOLLOW = {"ms": 4.5, "mew": 1.2}


def _draw_unknown(ax, seconds, angles, std, columns):
    """Hollow marks on bearings without a deviation."""
    for index, column in enumerate(columns):
        where = np.where(np.isfinite(std[:, column]), np.nan, angles[:, column]).ravel()
        when = np.repeat(seconds, where.size // max(seconds.size, 1))
        if np.isfinite(where).any():
            ax.plot(
                when,
                where,
                style.MARKERS[index % len(style.MARKERS)],
                **_HOLLOW,
                mfc=style.background(ax),
                mec=style.series(ax, index),
                zorder=2.6,
            )


def _lonely(ax, when, where, colour):
    """Marks the points that no line shows, having no neighbour."""
    there = np.isfinite(when) & np.isfinite(where)
    padded = np.concatenate([[False], there, [False]])
    alone = there & ~padded[:-2] & ~padded[2:]
    if alone.any():
        ax.plot(when[alone], where[alone], ".", ms=4.0, color=colour, zorder=2.5)


def _band(ax, when, where, width, colour, limits):
    """±width about the line, and what goes over an end of the circle at the other one."""
    for shift in _shifts(where, width, limits):
        ax.fill_between(
            when, where - width + shift, where + width + shift, color=colour, alpha=0.3, lw=0
        )


def _shifts(where, width, limits):
    """By how many degrees a band must be drawn again to be seen all around."""
    shifts = [0.0]
    if azimuths.is_full(limits):
        if np.any(where - width < limits[0]):
            shifts.append(360.0)
        if np.any(where + width > limits[1]):
            shifts.append(-360.0)
    return shifts


def _broken(seconds, angles, *others):
    """All with NaN put between neighbours that no line may join: more than half a turn apart,
    or later than the next."""
    angles = np.where(np.isfinite(seconds), angles, np.nan)
    # Comparisons with NaN are false: there is a break already.
    breaks = (np.abs(np.diff(angles)) > 180.0) | (np.diff(seconds) < 0.0)
    after = np.flatnonzero(breaks) + 1
    # A time that is none would end up outside of the axes.
    when = np.insert(seconds, after, seconds[after])
    return (when, *(np.insert(values, after, np.nan) for values in (angles, *others)))


def _limits(limits_deg):
    if limits_deg is None:
        return None
    values = real_array("limits_deg", limits_deg, (1,))
    if values.size != 2 or not 0.0 < values[1] - values[0] <= 360.0:
        raise ValueError(
            f"limits_deg is {limits_deg!r}; it must be two angles, low and high, at most 360 apart"
        )
    return tuple(values)


def _reports(time):
    """time when it is a list of bearing_report, else None."""
    if isinstance(time, (list, tuple)) and any(isinstance(t, bearing_report) for t in time):
        for value in time:
            if not isinstance(value, bearing_report):
                raise ValueError(f"time holds reports and {value!r}; it must hold either")
        return time
    return None


def _times(time):
    """(times, whether they are matplotlib's dates)"""
    try:
        array = np.array(time)
    except (TypeError, ValueError) as error:
        raise ValueError(f"time must be an array of times: {error}") from error
    if array.ndim != 1:
        raise ValueError(f"time has {array.ndim} dimensions; it must have 1")
    if array.dtype.kind == "M":
        # NaT becomes NaN.
        return np.array(matplotlib.dates.date2num(array), dtype=float), True
    if array.dtype == object and array.size:
        if not all(isinstance(t, datetime.datetime) for t in array):
            raise ValueError("time must be seconds, datetimes, datetime64 or reports")
        return np.array(matplotlib.dates.date2num(list(array)), dtype=float), True
    return _as_dates(real_array("time", time, (1,)))


def _as_dates(seconds):
    """Seconds as they are, or, of the present, as matplotlib's dates."""
    known = seconds[np.isfinite(seconds)]
    if known.size and known.min() >= PRESENT_S and known.max() <= LAST_DATE_S:
        return seconds / matplotlib.dates.SEC_PER_DAY, True
    return seconds, False


def _report_times(reports):
    """(times, whether they are dates, what they are)"""
    seconds = np.array([np.nan if r.seconds is None else r.seconds for r in reports], dtype=float)
    if np.all(np.isnan(seconds)):
        return np.arange(seconds.size, dtype=float), False, "report"
    seconds, is_date = _as_dates(seconds)
    return seconds, is_date, "time (UTC)" if is_date else "time (s)"


def _report_bearings(reports, north):
    """Angles and deviations, T x K, of reports with K bearings at most."""
    angles = [r.angles_deg if north == "array" else r.true_bearing_deg for r in reports]
    size = max([1, *(len(a) for a in angles)])
    table = np.full((2, len(reports), size), np.nan)
    for k, report in enumerate(reports):
        table[0, k, : len(angles[k])] = angles[k]
        table[1, k, : len(angles[k])] = report.std_deg
    table[~np.isfinite(table)] = np.nan
    return table[0], table[1]


def _bearings(angles_deg, std_deg, length):
    """Angles and deviations, T x K."""
    if angles_deg is None:
        raise ValueError("angles_deg must be given when time is not a list of reports")
    angles = real_array("angles_deg", angles_deg, (1, 2))
    if angles.shape[0] != length:
        raise ValueError(
            f"angles_deg has {angles.shape[0]} rows; it must have as many as time, {length}"
        )
    if std_deg is None:
        std = np.full(angles.shape, np.nan)
    else:
        std = deviations("std_deg", std_deg, (1, 2))
    if std.shape != angles.shape:
        raise ValueError(
            f"std_deg has the shape {std.shape}; it must have that of angles_deg, {angles.shape}"
        )
    columns = angles.shape[1] if angles.ndim == 2 else 1
    return angles.reshape(length, columns), std.reshape(length, columns)


def _labels(labels, count):
    if labels is None:
        return None
    names = [labels] if isinstance(labels, str) else labels
    is_list = isinstance(names, (list, tuple)) and all(isinstance(n, str) for n in names)
    if not is_list or len(names) != count:
        raise ValueError(f"labels is {labels!r}; it must be a list of {count} str")
    return names


def _truth(truth_deg, length):
    """True bearings, T x M."""
    if truth_deg is None:
        return np.empty((length, 0))
    truth = real_array("truth_deg", truth_deg, (0, 1, 2))
    if truth.ndim == 0:
        return np.full((length, 1), truth)
    if truth.shape[0] != length:
        raise ValueError(
            f"truth_deg has {truth.shape[0]} rows; it must have as many as time, {length}"
        )
    return truth.reshape(length, truth.shape[1] if truth.ndim == 2 else 1)

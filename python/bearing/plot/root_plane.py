# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roots of root-MUSIC's polynomial."""

import numpy as np
from matplotlib.lines import Line2D

from ..bearing_python import array as antenna_array
from . import style
from .arguments import real_array

# How much of the plane is shown, at least and at most, from the origin.
LEAST_REACH, GREATEST_REACH = 1.55, 2.1
# Elements of a uniform line are this much of the spacing off at most.
UNIFORMITY = 1e-6
# Radius of the scale of azimuths, clear of the roots near the circle and their mirrors.
SCALE = 1.18
# Roots this near to each other, or to the phase of a bearing, are the same.
SAME_ROOT = 1e-6
# Where azimuths are marked, in degrees; towards endfire they crowd together.
AZIMUTHS_DEG = (-90, -60, -45, -30, -20, -10, 0, 10, 20, 30, 45, 60, 90)


def roots(estimate, array=None, ax=None):
    """Draws the roots of root-MUSIC in the complex plane.

    A source puts a pair of roots, z and its mirror 1/conj(z), near the unit circle, at
    ``z = exp(j 2 pi (d / lambda) sin theta)``: the nearer, the clearer it is. The polynomial of
    the real variant is real: every root has a conjugate, which stands for -theta.

    Parameters
    ----------
    estimate : bearing_estimate of bearing.core.root_music()
        Its ``roots`` lie inside the unit circle; the ``num_sources`` nearest to it gave the
        bearings. Of the real variant, that many pairs.
    array : bearing.array, optional
        The uniform line of the estimate. With it azimuths in degrees are written on a scale
        around the circle, where there are directions, and the signal roots of the real variant
        are told from their conjugates.
    ax : matplotlib Axes, optional
        Default: a figure of its own. Its aspect is made equal.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        Naming the parameter; for an array that is no uniform line along x.
    """
    inside, num_signals = _read(estimate)
    spacing = None if array is None else _spacing(array)
    ax = style.axes_or_new(ax, size=(6.0, 6.0))

    order = np.argsort(-np.abs(inside), kind="stable")
    inside = inside[order]
    is_signal, is_conjugate = _choose(estimate, inside, num_signals, spacing)
    # The mirror of a root at zero is at infinity.
    has_mirror = np.abs(inside) > 0.0
    mirrors = 1.0 / np.conj(inside[has_mirror])
    reach = float(
        np.clip(1.1 * np.max(np.abs(mirrors), initial=0.0), LEAST_REACH, GREATEST_REACH)
    )

    ink, guide = style.foreground(ax), style.guide(ax)
    ax.axhline(0.0, color=guide, lw=0.8, alpha=0.6, zorder=0)
    ax.axvline(0.0, color=guide, lw=0.8, alpha=0.6, zorder=0)
    _circle(ax, spacing, ink)

    handles = []
    for choice, index, name in (
        (is_signal, 1, "signal roots"),
        (is_conjugate, 2, "their conjugates, −θ"),
        (~is_signal & ~is_conjugate, 0, "other roots"),
    ):
        if not choice.any():
            continue
        colour = style.series(ax, index)
        outside = 1.0 / np.conj(inside[choice & has_mirror])
        marker = style.MARKERS[(1, 0, 2)[index]]
        ax.plot(inside[choice].real, inside[choice].imag, marker, ms=7, color=colour, zorder=4,
                label=name)
        ax.plot(outside.real, outside.imag, marker, ms=7, mew=1.5, mfc="none", color=colour,
                zorder=4, label=f"mirrors of {name}")
        handles.append(Line2D([], [], ls="", marker=marker, ms=7, color=colour, label=name))
    for z in inside[is_signal & has_mirror]:
        # From the origin to the scale.
        pointer = np.array([0.0, 1.0 if spacing is None else SCALE]) * z / abs(z)
        ax.plot(pointer.real, pointer.imag, ls="-", lw=1.0, color=style.series(ax, 1), zorder=2)
    if mirrors.size:
        beyond = np.sum(
            (np.abs(mirrors.real) > reach) | (np.abs(mirrors.imag) > reach)
        )
        note = f" ({beyond} beyond the frame)" if beyond else ""
        handles.append(
            Line2D([], [], ls="", marker="o", ms=7, mew=1.5, mfc="none", color=ink,
                   label="mirrors 1/z*" + note)
        )

    ax.set(
        xlabel="real part of z",
        ylabel="imaginary part of z",
        xlim=(-reach, reach),
        ylim=(-reach, reach),
    )
    ax.set_aspect("equal")
    ax.grid(alpha=0.2)
    columns = 3 if len(handles) <= 3 else 2
    style.legend(ax, handles, loc="upper center", bbox_to_anchor=(0.5, -0.11), ncols=columns)
    return ax


def _read(estimate):
    """(roots inside the unit circle, how many of them are sources)"""
    if not hasattr(estimate, "roots"):
        raise ValueError(f"estimate is {estimate!r}; it must be what root_music() returns")
    try:
        values = np.array(estimate.roots, dtype=complex)
    except (TypeError, ValueError) as error:
        raise ValueError(f"estimate.roots must be complex numbers: {error}") from error
    if values.ndim != 1:
        raise ValueError(f"estimate.roots has {values.ndim} dimensions; it must have 1")
    if np.any(np.abs(values[np.isfinite(values)]) > 1.0 + 1e-6):
        raise ValueError("estimate.roots must lie inside the unit circle")
    count = getattr(estimate, "num_sources", 0)
    if isinstance(count, (bool, np.bool_)) or not isinstance(count, (int, np.integer)) or count < 0:
        raise ValueError(f"estimate.num_sources is {count!r}; it must be an integer from 0 up")
    return values[np.isfinite(values)], int(count)


def _choose(estimate, inside, num_signals, spacing):
    """Which roots, nearest to the circle first, are the signal, and which are the conjugates
    that a real polynomial adds to them: two arrays of bool."""
    nearest = np.arange(inside.size) < num_signals
    none = np.zeros(inside.size, bool)
    distances = np.abs(inside[:, np.newaxis] - np.conj(inside))
    if not np.all(np.any(distances < SAME_ROOT, axis=1)):
        return nearest, none
    if spacing is not None:
        angles = real_array("estimate.angles_deg", getattr(estimate, "angles_deg", ()), (1,))
        angles = np.radians(angles[np.isfinite(angles)])
        phases = np.exp(2j * np.pi * spacing * np.sin(angles))
        # A root at zero has no phase.
        on_circle = inside / np.maximum(np.abs(inside), np.finfo(float).tiny)
        found = [np.flatnonzero(np.abs(on_circle - phase) < SAME_ROOT) for phase in phases]
        if found and all(match.size for match in found):
            is_signal = none.copy()
            is_signal[[match[0] for match in found]] = True
            is_conjugate = np.any(distances[:, is_signal] < SAME_ROOT, axis=1) & ~is_signal
            return is_signal, is_conjugate
    # Nothing tells a root from its conjugate: both count.
    pairs = np.flatnonzero(inside.imag >= 0.0)[:num_signals]
    is_signal = np.any(distances[:, pairs] < SAME_ROOT, axis=1)
    is_signal[pairs] = True
    return is_signal, none


def _spacing(array):
    """Spacing of a uniform line in wavelengths; ValueError naming array for any other one."""
    if not isinstance(array, antenna_array):
        raise ValueError(f"array is {array!r}; it must be a bearing.array")
    positions = array.positions / (array.wavelength or 1.0)
    steps = np.diff(positions, axis=0)
    is_line = (
        array.n >= 2
        and steps[0, 0] > 0.0
        and np.all(np.abs(steps - [steps[0, 0], 0.0, 0.0]) <= UNIFORMITY * steps[0, 0])
    )
    if not is_line:
        raise ValueError(f"array is {array!r}; it must be a uniform line along x")
    return float(steps[0, 0])


def _circle(ax, spacing, ink):
    """The unit circle, and on it where the azimuths are."""
    phase = np.linspace(0.0, 2.0 * np.pi, 361)
    ax.plot(np.cos(phase), np.sin(phase), "-", color=ink, lw=1.2, zorder=1, label="unit circle")
    if spacing is None:
        return
    endfire = 2.0 * np.pi * spacing
    scale = SCALE * np.exp(1j * np.linspace(-min(endfire, np.pi), min(endfire, np.pi), 361))
    ax.plot(scale.real, scale.imag, "-", color=ink, lw=0.8, zorder=1, label="azimuths")
    names = {}
    for azimuth in AZIMUTHS_DEG:
        z = np.exp(1j * endfire * np.sin(np.radians(azimuth)))
        # Half a wavelength apart both ends of the line look the same, further apart more does.
        names.setdefault((round(z.real, 6), round(z.imag, 6)), []).append(azimuth)
    spoken = []
    behind = style.background(ax)
    for (x, y), azimuths in names.items():
        tick = np.array([SCALE, SCALE + 0.05])
        ax.plot(tick * x, tick * y, "-", color=ink, lw=0.8, zorder=1)
        text = "±90°" if azimuths == [-90, 90] else ", ".join(f"{a}°" for a in azimuths)
        # What would be written over another one moves outwards.
        radius = SCALE + 0.13
        while any(abs(radius * (x + 1j * y) - other) < 0.11 for other in spoken):
            radius += 0.12
        spoken.append(radius * (x + 1j * y))
        ax.text(radius * x, radius * y, text, color=ink, fontsize=8, ha="center", va="center",
                zorder=3, bbox={"fc": behind, "ec": "none", "pad": 0.5})

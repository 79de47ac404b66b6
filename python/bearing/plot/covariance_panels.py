# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A covariance, element by element."""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from .. import colours
from . import style

# Magnitudes further below the largest one are not told apart.
DYNAMIC_RANGE_DB = 60.0
# Up to so many elements each has a tick.
ALL_TICKS = 16
# -180 and 180 degrees are the same colour, and brightness alone tells 0 from 180.
PHASE_COLOUR_MAP = "twilight"


def covariance(R, axes=None):
    """Draws magnitude and phase of each element of a covariance.

    Row i and column j hold the mean of ``x_i x_j*``. Elements that are NaN, infinite or zero have
    neither: they are grey and hatched, as the rows and columns of a channel with bad samples.

    Parameters
    ----------
    R : complex array of N x N
    axes : two matplotlib Axes, optional
        For magnitude and phase. Default: a figure of their own. Colour bars are added.

    Returns
    -------
    tuple of the two matplotlib Axes: magnitude (10 log10 abs R, in dB relative to 1, at most 60 dB
    down) and phase (degrees, -180 .. 180)

    Raises
    ------
    ValueError
        Naming the parameter.
    """
    matrix = _square(R)
    magnitude, phase = _pair(axes)
    size = matrix.shape[0]
    power = np.abs(matrix)
    bad = ~np.isfinite(power) | (power == 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.ma.array(10.0 * np.log10(power), mask=bad)
        angle = np.ma.array(np.degrees(np.angle(matrix)), mask=bad)

    highest = 0.0 if bad.all() else float(level.max())
    lowest = highest if bad.all() else float(level.min())
    floor = max(min(lowest, highest - 1.0), highest - DYNAMIC_RANGE_DB)
    _panel(
        magnitude,
        level,
        "magnitude (dB)",
        cmap=colours.COLOUR_MAP,
        limits=(floor, highest),
        extend="min" if lowest < floor else "neither",
    )
    _panel(phase, angle, "phase (degrees)", cmap=PHASE_COLOUR_MAP, limits=(-180.0, 180.0),
           ticks=range(-180, 181, 90))
    for ax in (magnitude, phase):
        ax.set(xlabel="element j", ylabel="element i")
        if bad.any():
            # Seen where the image leaves a hole.
            ax.add_patch(
                Rectangle((-0.5, -0.5), size, size, fc="0.85", ec="0.3", hatch="////", lw=0,
                          zorder=-1)
            )
        for axis in (ax.xaxis, ax.yaxis):
            if size <= ALL_TICKS:
                axis.set_ticks(range(size))
            else:
                axis.set_major_locator(MaxNLocator(nbins=9, integer=True, steps=[1, 2, 4, 8, 10]))
    return magnitude, phase


def _panel(ax, values, label, cmap, limits, **bar):
    image = ax.imshow(values, cmap=cmap, vmin=limits[0], vmax=limits[1], interpolation="nearest")
    ax.figure.colorbar(image, ax=ax, label=label, shrink=0.85, **bar)


def _square(R):
    try:
        matrix = np.array(R)
    except (TypeError, ValueError) as error:
        raise ValueError(f"R must be an array of N x N numbers: {error}") from error
    if matrix.dtype.kind not in "fiuc":
        raise ValueError(f"R must be an array of N x N numbers, not of {matrix.dtype}")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"R has the shape {matrix.shape}; it must be square, N x N")
    return matrix.astype(complex)


def _pair(axes):
    if axes is None:
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(9.6, 4.0), layout="constrained")
        figure.get_layout_engine().set(wspace=0.08)
        return tuple(figure.subplots(1, 2))
    pair = list(np.ravel(np.array(axes, dtype=object)))
    if len(pair) != 2:
        raise ValueError(f"axes holds {len(pair)}; it must be two Axes, for magnitude and phase")
    for ax in pair:
        style.require_axes("axes", ax)
    return tuple(pair)

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the functions of this package accept: checks that name the parameter."""

import dataclasses

import numpy as np


def real_array(name, values, dimensions):
    """A new float array; anything that is not finite becomes NaN.

    ValueError naming the parameter unless it is made of real numbers and has one of these
    numbers of dimensions.
    """
    try:
        array = np.array(values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of real numbers: {error}") from error
    # An empty list is an array of floats already; None and ragged lists are objects.
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must be an array of real numbers, not of {array.dtype}")
    if array.ndim not in dimensions:
        allowed = " or ".join(str(d) for d in dimensions)
        raise ValueError(f"{name} has {array.ndim} dimensions; it must have {allowed}")
    array = array.astype(float)
    array[~np.isfinite(array)] = np.nan
    return array


def deviations(name, values, dimensions):
    """As real_array(), and none negative."""
    array = real_array(name, values, dimensions)
    if np.any(array < 0.0):
        raise ValueError(f"{name} holds {np.nanmin(array)}; deviations must not be negative")
    return array


def finite_number(name, value):
    """A float; ValueError naming the parameter unless it is one finite number."""
    number = real_array(name, value, (0,))
    if np.isnan(number):
        raise ValueError(f"{name} is {value}; it must be finite")
    return float(number)


def flag(name, value):
    """ValueError naming the parameter unless it is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name} is {value!r}; it must be True or False")
    return bool(value)


def true_angles(truth_deg):
    """The finite ones of the true azimuths, one number or many; none for None."""
    if truth_deg is None:
        return np.empty(0)
    angles = np.atleast_1d(real_array("truth_deg", truth_deg, (0, 1)))
    return angles[np.isfinite(angles)]


@dataclasses.dataclass(frozen=True)
class found_directions:
    """The parts of an estimate that are drawn.

    angles_deg: the directions that were found, all finite.
    std_deg: as long; NaN where unknown.
    grid_deg, spectrum_db: equally long, perhaps empty; the spectrum is NaN where not finite.
    front_only: whether its array cannot tell front from back; None where it does not say.
    """

    angles_deg: np.ndarray
    std_deg: np.ndarray
    grid_deg: np.ndarray
    spectrum_db: np.ndarray
    front_only: bool | None


def read_estimate(estimate):
    """found_directions of a bearing_estimate, a bearing_report or what looks like one.

    ValueError naming the estimate's wrong part.
    """
    if not hasattr(estimate, "angles_deg"):
        raise ValueError(
            f"estimate is {estimate!r}; it must be what an estimator of bearing.core returns, "
            "or a bearing_report"
        )
    angles = real_array("estimate.angles_deg", estimate.angles_deg, (1,))
    std = getattr(estimate, "std_deg", None)
    std = np.full(angles.size, np.nan) if std is None else deviations("estimate.std_deg", std, (1,))
    if std.size != angles.size:
        raise ValueError(
            f"estimate.std_deg has {std.size} values; it must have as many as "
            f"estimate.angles_deg, {angles.size}"
        )
    grid = real_array("estimate.grid_deg", getattr(estimate, "grid_deg", ()), (1,))
    spectrum = real_array("estimate.spectrum_db", getattr(estimate, "spectrum_db", ()), (1,))
    if grid.size != spectrum.size:
        raise ValueError(
            f"estimate.spectrum_db has {spectrum.size} values; it must have as many as "
            f"estimate.grid_deg, {grid.size}"
        )
    if np.any(np.isnan(grid)) or np.any(np.diff(grid) <= 0.0):
        raise ValueError("estimate.grid_deg must be finite and ascending")
    found = np.isfinite(angles)
    return found_directions(
        angles_deg=angles[found],
        std_deg=std[found],
        grid_deg=grid,
        spectrum_db=spectrum,
        front_only=getattr(estimate, "front_only", None),
    )


def read_estimates(estimate):
    """[(label, found_directions)] of one estimate (label None) or a list of pairs."""
    if not isinstance(estimate, (list, tuple)):
        return [(None, read_estimate(estimate))]
    pairs = []
    for pair in estimate:
        if not (isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str)):
            raise ValueError(
                f"estimate holds {pair!r}; it must be an estimate or a list of pairs "
                "(label, estimate)"
            )
        pairs.append((pair[0], read_estimate(pair[1])))
    return pairs

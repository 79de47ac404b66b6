# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the bearings of several stations meet, and how far off that may be."""

import dataclasses
import functools
import itertools
import math

import numpy as np

from .geodesy import (
    arc_between,
    course_between,
    from_sphere,
    move,
    scale,
    to_sphere,
    wrapped_longitude,
)

MAX_STATIONS = 64
# Of the chi-squared distribution with two degrees of freedom.
_QUANTILE_95 = -2 * np.log(0.05)
# A fix whose chi-squared is exceeded by chance once in a thousand times does not fit its bearings.
_MISMATCH_PROBABILITY = 1e-3
# The region of 95 % is looked for as far as this, in semi-axes of the ellipse that it would be if
# bearings changed linearly with position. Regions that reach farther out have hardly an end.
_FARTHEST = 3.0
_DIRECTIONS = 48
_RADII = np.linspace(0.0, _FARTHEST, 61)[1:]
_MOST_STEPS = 50
# Radians: 6 millimetres.
_SMALLEST_STEP = 1e-9
# Radians, of a station: nearer than 6 micrometres bearings have no slope.
_NEAREST = 1e-12
# Starts that are followed to their minimum.
_STARTS = 2


@dataclasses.dataclass(frozen=True)
class position_fix:
    """Where bearings meet.

    latitude, longitude: WGS84 degrees; NaN unless status is ok, low_snr or model_mismatch.
    semi_major_m, semi_minor_m, orientation_deg: of the ellipse that holds the transmitter with a
        probability of 95 %, see triangulate(); orientation of its major axis clockwise from north,
        in [0, 180).
    covariance: 2 x 2, of the position's error to the east and to the north, in square metres.
        Ellipse and covariance are NaN unless status is ok or model_mismatch.
    residuals_deg: measured less expected bearing of each station, in [-180, 180); NaN without a
        position.
    chi_squared: sum of squares of residuals over their deviations, with as many degrees of freedom
        as there are stations less two.
    status:
        ok;
        unresolved: no two bearings meet in front of their stations within max_range_m, as of
            stations at one place or bearings that are parallel or diverge;
        low_snr: they meet, but so flatly, or with deviations so large, that the region where the
            transmitter may be has no end, or one far outside any ellipse;
        model_mismatch: more than two bearings, and they contradict each other: chi_squared is
            larger than it is by chance once in a thousand times. The ellipse, where there is one,
            is what the deviations promise, not what the contradiction leaves of it;
        bad_data: a number is NaN or infinite.
    """

    latitude: float
    longitude: float
    semi_major_m: float
    semi_minor_m: float
    orientation_deg: float
    covariance: np.ndarray
    residuals_deg: np.ndarray
    chi_squared: float
    status: str


def triangulate(latitude, longitude, bearing_deg, std_deg, max_range_m=1e6):
    """The most likely place of a transmitter that several stations hear.

    Least squares on the sphere: the sum over stations of ((measured - expected bearing) / std)^2,
    which is the maximum of the likelihood for Gaussian errors. A bearing points forwards: what
    lies behind a station is 180 degrees off. Levenberg-Marquardt starts from the points where two
    of the bearings meet and from the one that all great circles pass nearest to.

    The ellipse has the second moments about the fix of the region where that sum is less than 5.99
    above its minimum. For two stations this region holds the transmitter with exactly 95 %, for
    more nearly so. When deviations are small it is the ellipse of Fisher's information, which is
    smaller where they are not: it would hold 92 to 94 % for deviations of 0.5 to 5 degrees.

    The probability is that of a given scene where no ellipses are withheld. Where lines cross so
    flatly that most fixes are low_snr, the few that are ok are those whose errors make the lines
    cross more steeply than they should, and may hold far less often; over many scenes, 95 % is an
    average.

    Parameters
    ----------
    latitude, longitude : array_like
        Of 2 to 64 stations, WGS84 degrees.
    bearing_deg : array_like
        True bearing at each station, clockwise from north.
    std_deg : array_like
        Its standard deviation, > 0; that of the station's heading included.
    max_range_m : float
        Farthest distance of the transmitter from any station. Great circles meet again at the
        other end of the world.

    Returns
    -------
    position_fix

    Raises
    ------
    ValueError
        Naming the parameter whose shape or value is wrong.

    References
    ----------
    R. G. Stansfield, "Statistical theory of D.F. fixing", Journal of the IEE 94, part IIIA, 1947;
    D. J. Torrieri, "Statistical theory of passive location systems", IEEE Transactions on
    Aerospace and Electronic Systems AES-20, 1984.
    """
    latitude, longitude, bearing_deg, std_deg = _arguments(
        latitude=latitude, longitude=longitude, bearing_deg=bearing_deg, std_deg=std_deg
    )
    if not (np.isfinite(max_range_m) and max_range_m > 0):
        raise ValueError(f"max_range_m is {max_range_m!r}; it must be a number above 0 (metres)")
    numbers = np.stack([latitude, longitude, bearing_deg, std_deg])
    if not np.all(np.isfinite(numbers)):
        return _no_fix("bad_data", len(latitude))
    problem = _problem(
        to_sphere(latitude),
        np.radians(longitude),
        np.radians(bearing_deg),
        np.radians(std_deg),
        max_range_m,
    )
    starts = problem.starts()
    if not starts:
        return _no_fix("unresolved", len(latitude))
    position = min((problem.minimum(start) for start in starts), key=problem.chi_squared)
    if not problem.is_in_range(position):
        return _no_fix("unresolved", len(latitude))
    return _describe(problem, position)


class _problem:
    """Stations and bearings on the sphere, in radians; a position is (latitude, longitude)."""

    def __init__(self, chi, lon, course, std, max_range_m):
        self._chi, self._lon, self._course, self.std = chi, lon, course, std
        self._max_arc = max_range_m / scale(chi)

    def residuals(self, position):
        """Measured less expected bearing in [-pi, pi); of many positions: one row each."""
        chi, lon = np.asarray(position)[..., :1], np.asarray(position)[..., 1:]
        expected = course_between(self._chi, self._lon, chi, lon)
        return (self._course - expected + np.pi) % (2 * np.pi) - np.pi

    def chi_squared(self, position):
        return np.sum(np.square(self.residuals(position) / self.std), axis=-1)

    def is_in_range(self, position):
        """Of many positions: one of each row."""
        chi, lon = np.asarray(position)[..., :1], np.asarray(position)[..., 1:]
        return np.all(arc_between(self._chi, self._lon, chi, lon) <= self._max_arc, axis=-1)

    def information(self, position):
        """(Fisher's information, gradient of half chi-squared) over arcs to the east and north."""
        chi, lon = position
        # Moving across the line of sight turns the bearing by the inverse of the sine of the arc.
        sine = np.sin(np.maximum(arc_between(self._chi, self._lon, chi, lon), _NEAREST))
        back = course_between(chi, lon, self._chi, self._lon)
        # To the right of the course, which is opposite to the one back.
        slope = np.stack([-np.cos(back), np.sin(back)]) / (sine * self.std)
        return slope @ slope.T, -slope @ (self.residuals(position) / self.std)

    def starts(self):
        """The most likely of the points where two bearings meet in front of their stations, and
        of those nearest to all great circles; none when no two meet."""
        station = _unit(self._chi, self._lon)
        ahead = _unit(*move(self._chi, self._lon, self._course, np.pi / 2))
        normal = np.cross(station, ahead)
        first, second = np.array(list(itertools.combinations(range(len(station)), 2))).T
        meeting = np.cross(normal[first], normal[second])
        length = np.linalg.norm(meeting, axis=1)
        # Of great circles that are one, within rounding.
        is_point = length > 1e-12
        meeting = meeting[is_point] / length[is_point, None]
        points = np.concatenate([meeting, -meeting])
        first, second = np.tile([first[is_point], second[is_point]], 2)
        in_front, row = points @ ahead.T > 0, np.arange(len(points))
        points = _position(points[in_front[row, first] & in_front[row, second]].T).T
        points = points[self.is_in_range(points)]
        # No more of them are followed.
        found = list(points[np.argsort(self.chi_squared(points), kind="stable")[:_STARTS]])
        if not found:
            return []
        if len(station) > 2:
            weighted = normal / self.std[:, None]
            _, vectors = np.linalg.eigh(weighted.T @ weighted)
            found += [_position(vectors[:, 0]), _position(-vectors[:, 0])]
        return sorted(found, key=self.chi_squared)[:_STARTS]

    def minimum(self, position):
        """Of chi-squared, near a position."""
        cost, damping = self.chi_squared(position), 1e-3
        information, gradient = self.information(position)
        for _ in range(_MOST_STEPS):
            step = -_solved(information * (1 + damping * np.eye(2)), gradient)
            trial = self.moved(position, step)
            trial_cost = self.chi_squared(trial)
            if trial_cost <= cost:
                position, cost = trial, trial_cost
                information, gradient = self.information(position)
                damping /= 10
            else:
                damping *= 10
            if math.hypot(*step) < _SMALLEST_STEP:
                break
        return position

    @staticmethod
    def moved(position, step):
        """Positions after steps (one a row) to the east and north."""
        step = np.asarray(step)
        east, north = step[..., 0], step[..., 1]
        moved = move(position[0], position[1], np.arctan2(east, north), np.hypot(east, north))
        return np.stack(moved, axis=-1)


def _describe(problem, position):
    information, _ = problem.information(position)
    residuals = problem.residuals(position)
    chi_squared = float(problem.chi_squared(position))
    status = "ok"
    semi_major = semi_minor = orientation = np.nan
    covariance = _covariance(problem, position, information) * scale(position[0]) ** 2
    if np.isnan(covariance[0, 0]):
        status = "low_snr"
    else:
        values, vectors = np.linalg.eigh(covariance)
        semi_minor, semi_major = np.sqrt(_QUANTILE_95 * values)
        orientation = np.degrees(np.arctan2(vectors[0, 1], vectors[1, 1])) % 180.0
    if chi_squared > _largest_by_chance(len(residuals) - 2):
        status = "model_mismatch"
    return position_fix(
        latitude=from_sphere(position[0]),
        longitude=wrapped_longitude(np.degrees(position[1])),
        semi_major_m=float(semi_major),
        semi_minor_m=float(semi_minor),
        orientation_deg=float(orientation),
        covariance=covariance,
        residuals_deg=np.degrees(residuals),
        chi_squared=chi_squared,
        status=status,
    )


def _covariance(problem, position, information):
    """Of the arcs to the east and north, as the region of 95 % has it; NaN when that does not
    end."""
    nothing = np.full((2, 2), np.nan)
    values, vectors = np.linalg.eigh(information)
    if not values[0] > 1e-12 * values[1]:
        return nothing
    # In these coordinates the linear ellipse is the unit circle.
    whitened = vectors * np.sqrt(_QUANTILE_95 / values)
    turn = np.linspace(0, 2 * np.pi, _DIRECTIONS, endpoint=False)
    direction = np.stack([np.cos(turn), np.sin(turn)])
    steps = _RADII[:, None, None] * (whitened @ direction).T
    growth = problem.chi_squared(problem.moved(position, steps)) - problem.chi_squared(position)
    is_outside = growth > _QUANTILE_95
    if not np.all(np.any(is_outside, axis=0)):
        return nothing
    column = np.arange(_DIRECTIONS)
    first = np.argmax(is_outside, axis=0)
    growth = np.vstack([np.zeros(_DIRECTIONS), growth])
    low, high = growth[first, column], growth[first + 1, column]
    radius = _RADII[first] - (high - _QUANTILE_95) / (high - low) * _RADII[0]
    # Integrals over angle and radius; of a full ellipse moments are a quarter of its semi-axes.
    moments = (direction * radius**4) @ direction.T / np.sum(radius**2) * 2
    return whitened @ moments @ whitened.T / _QUANTILE_95


def _solved(matrix, vector):
    """Of a 2 x 2 system; zero where that has no solution."""
    (a, b), (_, c) = matrix
    determinant = a * c - b * b
    if not determinant > 0:
        return np.zeros(2)
    return np.array([c * vector[0] - b * vector[1], a * vector[1] - b * vector[0]]) / determinant


@functools.lru_cache(MAX_STATIONS)
def _largest_by_chance(freedom):
    if freedom < 1:
        return np.inf
    # Imported here: two stations do without.
    from scipy.stats import chi2

    return chi2.isf(_MISMATCH_PROBABILITY, freedom)


def _no_fix(status, count):
    nan = float("nan")
    return position_fix(
        latitude=nan,
        longitude=nan,
        semi_major_m=nan,
        semi_minor_m=nan,
        orientation_deg=nan,
        covariance=np.full((2, 2), nan),
        residuals_deg=np.full(count, nan),
        chi_squared=nan,
        status=status,
    )


def _arguments(**given):
    arrays = {name: np.asarray(value, float) for name, value in given.items()}
    shape = arrays["latitude"].shape
    if len(shape) != 1 or not 2 <= shape[0] <= MAX_STATIONS:
        raise ValueError(
            f"latitude has the shape {shape}; it must hold 2 to {MAX_STATIONS} numbers, one a "
            "station"
        )
    for name, values in arrays.items():
        if values.shape != shape:
            raise ValueError(
                f"{name} has the shape {values.shape}; it must be {shape}, as of latitude"
            )
    _check("latitude", arrays["latitude"], -90.0, 90.0)
    _check("longitude", arrays["longitude"], -360.0, 360.0)
    _check("bearing_deg", arrays["bearing_deg"], -360.0, 360.0)
    if np.any(arrays["std_deg"] <= 0):
        raise ValueError(f"std_deg is {np.min(arrays['std_deg']):g}; it must be above 0")
    return arrays.values()


def _check(name, values, low, high):
    for value in values:
        # NaN is bad data, which has a status.
        if np.isfinite(value) and not low <= value <= high:
            raise ValueError(f"{name} is {value:g}; it must be from {low:g} to {high:g}")


def _unit(chi, lon):
    return np.stack([np.cos(chi) * np.cos(lon), np.cos(chi) * np.sin(lon), np.sin(chi)], axis=-1)


def _position(point):
    x, y, z = point
    return np.array([np.arctan2(z, np.hypot(x, y)), np.arctan2(y, x)])

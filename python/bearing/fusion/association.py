# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bearings of several stations belong to one transmitter."""

import dataclasses
import itertools
import math
from typing import Tuple

import numpy as np

from .observation import direction, observation
from .triangulation import MAX_STATIONS, position_fix, triangulate

# Of one frequency at a time.
MAX_COMBINATIONS = 128
MAX_FIXES = 16
# Pairs of bearings, over all combinations of a frequency: a second of one processor, about.
_MOST_PAIRS = 1 << 16
# Observations from places nearer than this, in metres, are of one station.
_SAME_PLACE_M = 1.0
# For that, a sphere is near enough to the Earth.
_RADIUS_M = 6371e3


@dataclasses.dataclass(frozen=True)
class transmitter:
    """A fix with the bearings behind it.

    members: (observation, direction) of each station, in the order of fix.residuals_deg.
    fix: with status not_identifiable where other combinations of bearings fit as well: it is one
    of the places where a transmitter may be.
    """

    frequency_hz: float
    members: Tuple[Tuple[observation, direction], ...]
    fix: position_fix


def by_frequency(observations, tolerance_hz):
    """Lists of observations whose frequencies differ by tolerance_hz at the most, with lists of one
    place left out.

    Of each station, and of each place, the latest; of more than MAX_STATIONS the latest ones.
    """
    groups = []
    for one in sorted(observations, key=lambda o: (o.frequency_hz, o.station)):
        # From the first, so that a row of neighbours does not become one group.
        if not groups or one.frequency_hz - groups[-1][0].frequency_hz > tolerance_hz:
            groups.append([])
        groups[-1].append(one)
    groups = [_one_of_each_station(group) for group in groups]
    return [group for group in groups if len(group) > 1]


def _one_of_each_station(group):
    latest = {}
    for one in sorted(group, key=lambda o: -o.arrived_s):
        # Many stations may share a feed, and one that moves is still one.
        latest.setdefault((one.feed, one.station), one)
    kept, places = [], np.empty((MAX_STATIONS, 3))
    for one in latest.values():
        place = _place_m(one)
        near = np.linalg.norm(places[: len(kept)] - place, axis=1) < _SAME_PLACE_M
        if near.any():
            continue
        places[len(kept)] = place
        kept.append(one)
        if len(kept) == MAX_STATIONS:
            break
    return sorted(kept, key=lambda o: (o.station, o.feed))


def _place_m(one):
    latitude, longitude = math.radians(one.latitude), math.radians(one.longitude)
    across = _RADIUS_M * math.cos(latitude)
    return (
        across * math.cos(longitude),
        across * math.sin(longitude),
        _RADIUS_M * math.sin(latitude),
    )


def transmitters(
    group, heading_std_deg=0.0, max_range_m=1e6, max_combinations=MAX_COMBINATIONS
):
    """Places of the transmitters that a group of observations hears, a list of transmitter.

    Every combination of one direction of each station is triangulated. With one direction a
    station there is one combination, whatever its status. With more, those that fit
    (chi-squared) are kept, at most MAX_FIXES of the smallest chi-squared; a combination that
    shares a direction with another one that fits is not_identifiable, as all of two stations that
    hear several transmitters each often are. Directions are left out, the weakest of the station
    with the most of them first, until there are max_combinations, or fewer of many stations.

    heading_std_deg: standard deviation of the stations' headings, added to that of the bearings.
    """
    choices = [list(one.directions) for one in group]
    pairs = len(group) * (len(group) - 1) // 2
    max_combinations = min(max_combinations, max(1, _MOST_PAIRS // pairs))
    while math.prod(map(len, choices)) > max_combinations:
        max(choices, key=len).pop()
    found = []
    for chosen in itertools.product(*map(range, map(len, choices))):
        directions = [choices[k][c] for k, c in enumerate(chosen)]
        fix = triangulate(
            [one.latitude for one in group],
            [one.longitude for one in group],
            [one.bearing_deg for one in directions],
            [math.hypot(one.std_deg, heading_std_deg) for one in directions],
            max_range_m,
        )
        frequency = float(np.mean([one.frequency_hz for one in group]))
        found.append((chosen, transmitter(frequency, tuple(zip(group, directions)), fix)))
    if len(found) == 1:
        return [found[0][1]]
    fitting = [entry for entry in found if entry[1].fix.status in ("ok", "low_snr")]
    if not fitting:
        # What contradicts itself least says why there is none.
        return [min(found, key=_misfit)[1]]
    result = []
    for chosen, one in sorted(fitting, key=_misfit)[:MAX_FIXES]:
        rivals = [other for other, _ in fitting if other != chosen]
        if any(a == b for other in rivals for a, b in zip(other, chosen)):
            one = dataclasses.replace(
                one, fix=dataclasses.replace(one.fix, status="not_identifiable")
            )
        result.append(one)
    return result


def _misfit(entry):
    fix = entry[1].fix
    return math.inf if math.isnan(fix.chi_squared) else fix.chi_squared

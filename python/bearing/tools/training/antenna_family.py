# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Families of antenna arrays, each described by a YAML file, to draw from at random."""

import dataclasses
import math
from pathlib import Path

import yaml

from ..command_line import complaints_about

# A file of a family has some twenty lines.
_LARGEST_FILE = 1 << 16
_SIZE_NAMES = {"line": "spacing", "circle": "radius"}


@dataclasses.dataclass(frozen=True)
class scene_family:
    """What random scenes of a family are drawn from. Pairs are ranges: from, to."""

    num_sources: int
    azimuth_deg: tuple
    separation_deg: float  # at least, between any two sources
    power_db: tuple
    coefficients: int  # c_0 = 1 included
    neighbour_coupling: tuple  # |c_1|
    coupling_decay: tuple  # |c_2| / |c_1|, and so on


@dataclasses.dataclass(frozen=True)
class antenna_family:
    """What random antennas are drawn from. Pairs are ranges: from, to. Lengths in wavelengths."""

    name: str
    geometry: str  # "line" or "circle"
    num_elements: int
    size: tuple  # spacing of a line's neighbours, or radius of a circle
    dipole_length: float  # tip to tip
    wire_radius: float
    load_resistance_ohm: tuple
    load_reactance_ohm: tuple
    tolerance: float  # relative standard deviation of each load's resistance and reactance
    scenes: scene_family = None

    def described(self):
        """As in the YAML file."""
        values = dataclasses.asdict(self)
        size = values.pop("size")
        values = {key: value for key, value in values.items() if value is not None}
        return {**values, _SIZE_NAMES[self.geometry]: size}


def load_family(path):
    """The antenna_family that a YAML file describes.

    Raises bad_input naming the file, the key and what is allowed.
    """
    path = Path(path)
    with complaints_about(path):
        with open(path, "rb") as file:
            text = file.read(_LARGEST_FILE + 1)
        if len(text) > _LARGEST_FILE:
            raise ValueError(f"is larger than {_LARGEST_FILE} bytes: no family of antennas")
        try:
            values = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError) as error:
            raise ValueError(f"is no YAML: {error}") from error
        return family_from(values)


def family_from(values):
    """The antenna_family of what a YAML file holds. Raises ValueError naming the key."""
    keys = _keys(values, "")
    name = keys.take("name")
    if not isinstance(name, str) or not name:
        raise ValueError(f"name is {name!r}; it must be a text")
    geometry = keys.take("geometry")
    if not isinstance(geometry, str) or geometry not in _SIZE_NAMES:
        raise ValueError(f"geometry is {geometry!r}; it must be line or circle")
    smallest = 2 if geometry == "line" else 3
    wire_radius = keys.number("wire_radius", 1e-6, 0.05)
    family = antenna_family(
        name=name,
        geometry=geometry,
        num_elements=keys.integer("num_elements", smallest, 64),
        size=keys.range(_SIZE_NAMES[geometry], 0.02, 10),
        # Beyond 0.9 hardly any current is at the feed, and impedances mean little.
        dipole_length=keys.number("dipole_length", 0.05, 0.9),
        wire_radius=wire_radius,
        load_resistance_ohm=keys.range("load_resistance_ohm", 1e-3, 1e6),
        load_reactance_ohm=keys.range("load_reactance_ohm", -1e6, 1e6),
        tolerance=keys.number("tolerance", 0, 0.2),
        scenes=_scenes_from(keys.take("scenes")) if keys.has("scenes") else None,
    )
    keys.finish()
    closest = family.size[0]
    if geometry == "circle":
        closest *= 2 * math.sin(math.pi / family.num_elements)
    # Thin dipoles: the current flows evenly around the wire.
    if closest < 5 * wire_radius:
        raise ValueError(
            f"wire_radius is {wire_radius}; it must be at most a fifth of the distance of "
            f"neighbours, {closest / 5:.3g}"
        )
    if family.scenes:
        _check_scenes(family)
    return family


def _scenes_from(values):
    keys = _keys(values, "scenes.")
    scenes = scene_family(
        num_sources=keys.integer("num_sources", 1, 63),
        azimuth_deg=keys.range("azimuth_deg", -360, 360),
        separation_deg=keys.number("separation_deg", 0, 180),
        power_db=keys.range("power_db", -60, 60),
        coefficients=keys.integer("coefficients", 1, 64),
        neighbour_coupling=keys.range("neighbour_coupling", 0, 1),
        coupling_decay=keys.range("coupling_decay", 0, 1),
    )
    keys.finish()
    return scenes


def _check_scenes(family):
    scenes = family.scenes
    if scenes.num_sources >= family.num_elements:
        raise ValueError(
            f"scenes.num_sources is {scenes.num_sources}; it must be 1 to {family.num_elements - 1}"
        )
    # Of Toeplitz matrices on lines, of circulant ones on circles.
    n = family.num_elements
    most = n if family.geometry == "line" else n // 2 + 1
    if scenes.coefficients > most:
        raise ValueError(f"scenes.coefficients is {scenes.coefficients}; it must be 1 to {most}")
    low, high = scenes.azimuth_deg
    if family.geometry == "line" and not -90 <= low <= high <= 90:
        raise ValueError(f"scenes.azimuth_deg is [{low}, {high}]; on a line within [-90, 90]")
    if high - low > 360:
        raise ValueError(f"scenes.azimuth_deg is [{low}, {high}]; it must be one turn at most")
    # Half of the room, so that most that are drawn fit round a circle too.
    most = (high - low) / (2 * scenes.num_sources)
    if scenes.num_sources > 1 and scenes.separation_deg > most:
        raise ValueError(
            f"scenes.separation_deg is {scenes.separation_deg}; for {scenes.num_sources} sources "
            f"it must be 0 to {most:g}"
        )


class _keys:
    """Takes what is wanted out of a mapping, and complains of the rest."""

    def __init__(self, values, prefix):
        if not isinstance(values, dict):
            subject = prefix.rstrip(".") or "the file"
            raise ValueError(f"{subject} must hold keys and values, like 'num_elements: 8'")
        self.values, self.prefix = dict(values), prefix

    def has(self, key):
        return key in self.values

    def take(self, key):
        if key not in self.values:
            raise ValueError(f"{self.prefix}{key} is missing")
        return self.values.pop(key)

    def integer(self, key, low, high):
        value = self.take(key)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self._refuse(key, value, f"a whole number from {low} to {high}")
        return value

    def number(self, key, low, high):
        value = self.take(key)
        if not _is_number(value) or not low <= value <= high:
            self._refuse(key, value, f"a number from {low} to {high}")
        return float(value)

    def range(self, key, low, high):
        value = self.take(key)
        pair = value if isinstance(value, list) else [value, value]
        if len(pair) != 2 or not all(_is_number(x) for x in pair):
            self._refuse(key, value, "a number or two, [from, to]")
        if not low <= pair[0] <= pair[1] <= high:
            self._refuse(key, value, f"from {low} to {high}, the smaller one first")
        return tuple(float(x) for x in pair)

    def finish(self):
        if self.values:
            names = ", ".join(f"{self.prefix}{key}" for key in self.values)
            raise ValueError(f"{names}: no such key")

    def _refuse(self, key, value, allowed):
        raise ValueError(f"{self.prefix}{key} is {value!r}; it must be {allowed}")


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the file that describes a receiver: YAML, checked against schema.yaml and in itself."""

import os
import typing
from pathlib import Path

from .config_checks import cross_check
from .config_problem import config_error, config_problem
from .config_types import (
    array_config,
    calibration_config,
    channel_config,
    estimator_config,
    file_config,
    gpsd_config,
    kraken_config,
    output_config,
    radio_config,
    realign_config,
    receiver_config,
    simulator_config,
    soapy_config,
    squelch_config,
    station_config,
    usrp_config,
    web_config,
)
from .schema_check import schema, schema_problems, shown
from .yaml_reader import LARGEST_BYTES, read_yaml

__all__ = [
    "array_config",
    "calibration_config",
    "channel_config",
    "config_error",
    "config_problem",
    "default_state_folder",
    "estimator_config",
    "file_config",
    "gpsd_config",
    "kraken_config",
    "load_config",
    "output_config",
    "parse_config",
    "radio_config",
    "realign_config",
    "receiver_config",
    "simulator_config",
    "soapy_config",
    "squelch_config",
    "station_config",
    "usrp_config",
    "web_config",
]

_RADIOS = {
    "kraken": kraken_config,
    "usrp": usrp_config,
    "soapy": soapy_config,
    "file": file_config,
    "simulator": simulator_config,
}
# Kinds of outputs whose target is a file.
_FILE_OUTPUTS = ("json_lines", "csv", "kraken_csv", "kraken_xml", "df_aggregator_xml")
_SYSTEM_STATE_FOLDER = Path("/var/lib/bearing-receiver")


def load_config(path, state_folder=None):
    """The receiver_config that a file describes.

    What is read (a recording, a calibration) is relative to the file's folder, what is written
    (output files, the token) to the state folder.

    state_folder: in place of the file's own, for a receiver that keeps its state there already.

    Raises config_error, a ValueError with one line ``file:line: path: problem`` for everything
    that is wrong; OSError when the file cannot be read.
    """
    with open(path, "rb") as file:
        # One byte more than is allowed tells that it is too large, whatever stands behind.
        return parse_config(file.read(LARGEST_BYTES + 1), path, state_folder)


def parse_config(text, name="configuration", state_folder=None):
    """The same for text (str or bytes) that stands in a file of that name."""
    path = Path(os.path.abspath(name))
    value, lines, problems = read_yaml(text)
    if problems:
        raise config_error(name, problems)
    problems, spoilt = schema_problems(value, lines)
    builder = _builder(value, path, spoilt, lines)
    parts, found = cross_check(builder.parts(state_folder), lines)
    problems = [*problems, *builder.problems, *found]
    if problems:
        raise config_error(name, problems)
    return receiver_config(path=path, **parts)


def default_state_folder():
    """Where state is kept when the file does not say it; RuntimeError when there is no home."""
    # systemd may name several folders, the first one is meant for state.
    named = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if named:
        return Path(named)
    if _is_folder(_SYSTEM_STATE_FOLDER):
        return _SYSTEM_STATE_FOLDER
    home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(home).expanduser() / "bearing-receiver"


def _is_folder(path):
    try:
        return path.is_dir()
    except PermissionError:
        # A service with a user of its own leaves a link there, into a folder that is closed.
        return True


class _builder:
    """Makes the parts of a receiver_config of a value that may be wrong in places.

    problems: config_problem objects, what was found meanwhile.
    """

    def __init__(self, value, path, spoilt, lines):
        self._value = value if isinstance(value, dict) else {}
        self._folder = path.parent
        self._spoilt = spoilt
        self._lines = lines
        self.problems = []

    def parts(self, state_folder=None):
        """Keyword arguments of receiver_config; a part that is wrong is missing, a channel or
        output that is wrong is None."""
        value = self._value
        stated = self._stated_folder()
        self._state_folder = stated if state_folder is None else Path(state_folder)
        parts = {"state_folder": self._state_folder}
        for name in ("station", "radio", "array", "calibration", "estimator", "web"):
            if self._is_right(name):
                parts[name] = getattr(self, f"_{name}")(value.get(name))
        for name in ("channels", "outputs"):
            entries = value.get(name, [])
            if not isinstance(entries, list) or (name,) in self._spoilt:
                continue
            make = getattr(self, f"_{name}")
            parts[name] = tuple(
                make(entry, k) if self._is_right(name, k) else None
                for k, entry in enumerate(entries)
            )
        return parts

    def _stated_folder(self):
        value = self._value
        if "state_folder" in value and self._is_right("state_folder"):
            return self._absolute(self._folder, value["state_folder"], "state_folder")
        try:
            return Path(os.path.abspath(default_state_folder()))
        except RuntimeError:
            self._complain(("state_folder",), "is missing, and there is no home folder either")
            return self._folder

    def _is_right(self, *path):
        return not any(w[: len(path)] == path or w == () for w in self._spoilt)

    def _input(self, text, *path):
        return self._absolute(self._folder, text, *path)

    def _output(self, text, *path):
        return self._absolute(self._state_folder, text, *path)

    def _absolute(self, folder, text, *path):
        """The name as a whole; path: of the value that it is."""
        try:
            name = Path(text).expanduser()
        except RuntimeError:
            self._complain(path, f"is {shown(text)}; there is no such home folder")
            name = Path(text)
        return Path(os.path.abspath(folder / name))

    def _complain(self, path, text):
        self.problems.append(config_problem(self._lines.get(path, 1), path, text))

    def _station(self, value):
        value = dict(value or {})
        if "gpsd" in value:
            gpsd = dict(value["gpsd"])
            heading = gpsd.pop("heading", False)
            gpsd["heading"] = {True: "attitude", False: None}.get(heading, heading)
            value["gpsd"] = _typed(gpsd_config, gpsd)
        return _typed(station_config, value)

    def _radio(self, value):
        value = dict(value)
        kind = _RADIOS[value["kind"]]
        if value["kind"] == "file":
            value["path"] = self._input(value["path"], "radio", "path")
        if value["kind"] == "simulator":
            count = len(_list(value.get("bearings_deg", simulator_config.bearings_deg)))
            for name in ("bearings_deg", "snr_db", "offsets_hz"):
                entries = _list(value.get(name, getattr(simulator_config, name)))
                value[name] = tuple(entries * count if len(entries) == 1 else entries)
        value = {key: tuple(v) if isinstance(v, list) else v for key, v in value.items()}
        if value.get("realign") is not None:
            value["realign"] = _typed(realign_config, value["realign"])
        return _typed(kind, value)

    def _array(self, value):
        if value is None:
            return None
        value = dict(value)
        if value["kind"] == "custom":
            positions = tuple((*map(float, p), 0.0)[:3] for p in value["positions_m"])
            value.update(positions_m=positions, elements=len(positions))
        return _typed(array_config, value)

    def _calibration(self, value):
        value = dict(value or {})
        if "file" in value:
            value["file"] = self._input(value["file"], "calibration", "file")
        return _typed(calibration_config, value)

    def _estimator(self, value):
        return _typed(estimator_config, value or {})

    def _web(self, value):
        token_file = (value or {}).get("token_file", "token")
        token_file = self._output(token_file, "web", "token_file")
        if value is None:
            return web_config(token_file=token_file)
        value = {"enabled": True, **value, "token_file": token_file}
        return _typed(web_config, value)

    def _channels(self, value, _):
        value = dict(value)
        if "squelch" in value:
            value["squelch"] = _typed(squelch_config, value["squelch"])
        return _typed(channel_config, value)

    def _outputs(self, value, number):
        kind, target = value["kind"], value.get("target", "")
        known = set(schema()["$defs"][f"output_{kind}"]["properties"]) - {"kind", "target"}
        options = {name: entry for name, entry in value.items() if name in known}
        if kind in _FILE_OUTPUTS and target:
            target = str(self._output(target, "outputs", number, "target"))
        return output_config(kind, target, options)


def _list(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _typed(kind, value):
    """An object of a dataclass, of the keys that it knows.

    JSON Schema takes 433 for a number and 5.0 for a whole one; a field gets what its type says.
    """
    hints = typing.get_type_hints(kind)
    known = {name: entry for name, entry in value.items() if name in hints}
    return kind(**{name: _converted(entry, str(hints[name])) for name, entry in known.items()})


def _converted(entry, hint):
    if isinstance(entry, (list, tuple)):
        return tuple(_converted(e, hint) for e in entry)
    if isinstance(entry, bool) or not isinstance(entry, (int, float)):
        return entry
    return float(entry) if "float" in hint else int(entry)

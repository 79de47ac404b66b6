# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be told to the receiver over the web, and how it is written."""

import json
import math

LONGEST_BODY = 4096
_MOST_GAINS = 64
_LONGEST_NAME = 100
# What no radio goes beyond; each has narrower limits of its own.
_FREQUENCIES_HZ = 1e3, 1e12
_MOST_GAIN_DB = 200.0


def parse_command(body):
    """(name, arguments) of the bytes of ``{"command": "retune", "frequency_hz": 433.92e6}``.

    Raises ValueError saying what is wrong and what is allowed.
    """
    try:
        command = json.loads(
            body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_number
        )
    except UnicodeDecodeError as error:
        raise ValueError("the body is no UTF-8") from error
    except json.JSONDecodeError as error:
        raise ValueError(
            f"the body is no JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from error
    except RecursionError as error:
        raise ValueError("the body is nested too deeply") from error
    if not isinstance(command, dict):
        raise ValueError("the body must be a JSON object")
    name = command.pop("command", None)
    if not isinstance(name, str) or name not in _COMMANDS:
        raise ValueError(f"command must be one of {', '.join(_COMMANDS)}")
    wanted = _COMMANDS[name]
    if set(command) != set(wanted):
        raise ValueError(f"{name} takes {', '.join(wanted)}, and nothing else")
    return name, {key: check(key, command[key]) for key, check in wanted.items()}


def _unique(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("the body has a name twice")
    return members


def _no_number(text):
    raise ValueError(f"{text} is no JSON")


def _number(name, value):
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if math.isfinite(float(value)):
                return float(value)
    except OverflowError:
        pass
    raise ValueError(f"{name} must be a finite number")


def _frequency(name, value):
    hertz = _number(name, value)
    low, high = _FREQUENCIES_HZ
    if not low <= hertz <= high:
        raise ValueError(f"{name} is {hertz:g}; it must be from 1 kHz to 1 THz")
    return hertz


def _gain(name, value):
    gain = _number(name, value)
    if abs(gain) > _MOST_GAIN_DB:
        raise ValueError(
            f"{name} is {gain:g}; it must be from -{_MOST_GAIN_DB:g} to {_MOST_GAIN_DB:g} dB"
        )
    return gain


def _gain_or_gains(name, value):
    if not isinstance(value, list):
        return _gain(name, value)
    if not 1 <= len(value) <= _MOST_GAINS:
        raise ValueError(f"{name} must be a number or a list of 1 to {_MOST_GAINS}")
    return [_gain(name, each) for each in value]


def _whole_number(name, value):
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1000:
        raise ValueError(f"{name} must be a whole number, 0 or more")
    return value


def _name(name, value):
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_NAME:
        raise ValueError(f"{name} must be a name")
    return value


_COMMANDS = {
    "retune": {"frequency_hz": _frequency},
    "set_gain": {"gain_db": _gain_or_gains},
    "set_num_sources": {"channel": _name, "num_sources": _whole_number},
}

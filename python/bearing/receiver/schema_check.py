# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of configuration files, and what it finds wrong with one, in plain words."""

import difflib
import functools
import json
from pathlib import Path

import yaml

from .config_problem import config_problem

_WORDS_OF_TYPES = {
    "object": "a section with keys",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "empty",
}
_MISSING = "is missing"
_MOST_SHOWN = 60
# A megabyte of nonsense must not take minutes.
MOST_PROBLEMS = 200


@functools.lru_cache(maxsize=None)
def schema():
    """The JSON Schema (2020-12) as dict and list; not to be changed."""
    return yaml.safe_load(Path(__file__).with_name("schema.yaml").read_text(encoding="utf-8"))


def schema_json():
    """The same as JSON text, for editors that check while one writes."""
    return json.dumps(schema(), indent=2)


def schema_problems(value, lines):
    """(problems, spoilt): config_problem objects, where a value does not follow the schema, and
    paths of values that are of no use. An unknown key spoils the section that it stands in:
    nobody knows which of its keys was meant.

    lines: of read_yaml.
    """
    import jsonschema

    problems, spoilt, meant = [], [], set()
    for error in jsonschema.Draft202012Validator(schema()).iter_errors(value):
        path = tuple(error.absolute_path)
        line = lines.get(path, 1)
        if error.validator == "required":
            # One error for each missing key; its message is the only place with the name.
            for key in error.validator_value:
                if key not in error.instance:
                    problems.append(config_problem(line, (*path, key), _MISSING))
                    spoilt.append((*path, key))
        elif error.validator == "additionalProperties":
            allowed = list(error.schema["properties"])
            spoilt.append(path)
            for key in error.instance:
                if key not in allowed and len(problems) < MOST_PROBLEMS:
                    problems.append(unknown_key(lines, (*path, key), allowed))
                    meant.update((*path, name) for name in _close(key, allowed))
        else:
            problems.append(config_problem(line, path, _told(error)))
            spoilt.append(path)
        if len(problems) >= MOST_PROBLEMS:
            # Nobody reads more; but the rest must not be taken for right.
            spoilt.append(())
            break
    # A required key that is misspelt is not missing too.
    problems = [p for p in problems if p.path not in meant or p.text != _MISSING]
    return problems, spoilt


def unknown_key(lines, path, allowed):
    """config_problem of a key that nobody knows, with the nearest one that is allowed."""
    close = _close(path[-1], allowed)
    meant = f"did you mean {close[0]}?" if close else f"allowed are {', '.join(allowed)}"
    return config_problem(lines.get(path, 1), path, f"unknown key; {meant}")


def _close(key, allowed):
    return difflib.get_close_matches(key, allowed, 1)


def shown(value):
    """A value in a message: short, on one line."""
    if isinstance(value, (dict, list)):
        return "a section" if isinstance(value, dict) else f"a list of {len(value)}"
    text = {None: "empty", True: "true", False: "false"}[value] if _is_word(value) else repr(value)
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "..."


def _is_word(value):
    return value is None or isinstance(value, bool)


def _told(error):
    """What is wrong, what is allowed."""
    value, limit = shown(error.instance), error.validator_value
    if error.validator == "type":
        types = [limit] if isinstance(limit, str) else limit
        words = " or ".join(_WORDS_OF_TYPES[name] for name in types)
        # "2400000.0" in quotes, or a unit behind a number: the commonest slip.
        return f"is {value}; it must be {words}"
    if error.validator == "enum":
        allowed = ["true" if v is True else "false" if v is False else str(v) for v in limit]
        close = difflib.get_close_matches(str(error.instance), allowed, 1)
        meant = f" (did you mean {close[0]}?)" if close else ""
        return f"is {value}; it must be one of {', '.join(allowed)}{meant}"
    if error.validator in _LIMITS:
        told = f"is {value}; it must be {_LIMITS[error.validator].format(_number(limit))}"
        is_carrier = error.validator == "minimum" and list(error.absolute_path)[-1:] == _FREQUENCY
        return told + " (Hz, not MHz?)" if is_carrier else told
    if error.validator in _COUNTS:
        return f"has {len(error.instance)} {_COUNTS[error.validator].format(limit)}"
    if error.validator == "pattern":
        return f"is {value}; it must match {limit}"
    if error.validator == "uniqueItems":
        return "says something twice"
    return f"is {value}: {error.message[:200]}"


_FREQUENCY = ["frequency_hz"]
_LIMITS = {
    "minimum": "{} or more",
    "maximum": "{} or less",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
}
_COUNTS = {
    "minItems": "entries; it must have {} or more",
    "maxItems": "entries; it may have {} at most",
    "minLength": "characters; it must have {} or more",
    "maxLength": "characters; it may have {} at most",
    "minProperties": "keys; it must have {} or more",
}


def _number(value):
    return f"{value:.12g}" if isinstance(value, float) else str(value)

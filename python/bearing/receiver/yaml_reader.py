# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML of a stranger, with the line of every value.

PyYAML tells the events, so what would be dangerous is refused before anything is built of it:
aliases (a few lines can stand for gigabytes), tags (which name Python objects), deep nesting.
Plain words mean what YAML 1.2 says: 433.92e6 is a number, and "no" and 12:30 are words.
"""

import math
import re

import yaml

from .config_problem import config_problem

LARGEST_BYTES = 1 << 20
DEEPEST = 16
_LONGEST_NUMBER = 64

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(
    r"[-+]?(?:(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|\.inf|\.Inf|\.INF)"
    r"|\.nan|\.NaN|\.NAN"
)


def read_yaml(text):
    """(value, lines, problems) of a YAML document.

    text: str or bytes. value: of dict, list, str, int, float, bool and None. lines: number of the
    line of each value, by its path, a tuple of keys and indices. problems: config_problem objects;
    value is not to be used when there are any.
    """
    reader = _reader()
    try:
        if len(text) > LARGEST_BYTES:
            raise _refused(1, (), f"is larger than {LARGEST_BYTES} bytes")
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        value = reader.document(yaml.parse(text, Loader=_LOADER))
    except _refused as error:
        return None, reader.lines, [*reader.problems, error.args[0]]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        problem = config_problem(mark.line + 1 if mark else 1, (), f"is no YAML: {said}")
        return None, reader.lines, [*reader.problems, problem]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        said = " ".join(str(error).split())
        return None, reader.lines, [*reader.problems, config_problem(1, (), f"is no YAML: {said}")]
    return value, reader.lines, reader.problems


class _refused(Exception):
    def __init__(self, line, path, text):
        super().__init__(config_problem(line, path, text))


class _reader:
    def __init__(self):
        self.lines = {}
        self.problems = []

    def document(self, events):
        """The value of the only document."""
        value, documents = None, 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _refused(_line(event), (), "holds several documents; one is allowed")
            elif isinstance(event, yaml.NodeEvent):
                value = self._value(events, event, ())
        return value

    def _value(self, events, event, path):
        line = _line(event)
        self.lines[path] = line
        if isinstance(event, yaml.AliasEvent):
            raise _refused(line, path, f"is an alias, *{event.anchor}; write the value itself")
        if event.anchor is not None:
            raise _refused(line, path, f"has an anchor, &{event.anchor}; nothing may refer to it")
        if event.tag is not None:
            raise _refused(line, path, f"has a tag, {event.tag}; tags are not read")
        if len(path) > DEEPEST:
            raise _refused(line, path[:2], f"is nested deeper than {DEEPEST} levels")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, line, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(events, path)
        return self._mapping(events, path)

    def _list(self, events, path):
        values = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                return values
            values.append(self._value(events, event, (*path, len(values))))
        raise AssertionError("PyYAML ends what it starts")

    def _mapping(self, events, path):
        values = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                return values
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise _refused(line, path, "has a key that is no word")
            key = event.value
            before = self.lines.get((*path, key)) if key in values else None
            value = self._value(events, next(events), (*path, key))
            # A mapping or a list begins after its key, and the key is where to look.
            self.lines[(*path, key)] = line
            if before is not None:
                self._complain(
                    line, (*path, key), f"stands here for the second time, see line {before}"
                )
            values[key] = value
        raise AssertionError("PyYAML ends what it starts")

    def _scalar(self, event, line, path):
        text = event.value
        if not _is_usable(text):
            # No file, host or name can hold it, and the system's calls raise at it.
            self._complain(line, path, f"is {text[:60]!r}; it must not hold NUL or half characters")
            return ""
        if not event.implicit[0]:
            return text  # in quotes
        if text in _WORDS:
            return _WORDS[text]
        is_integer = _INTEGER.fullmatch(text)
        if not is_integer and not _FLOAT.fullmatch(text):
            return text
        if len(text) > _LONGEST_NUMBER:
            self._complain(line, path, f"is a number of {len(text)} characters")
            return 0
        # YAML writes .inf and .nan, Python without the point.
        value = int(text) if is_integer else float(re.sub(r"\.(?=[a-zA-Z])", "", text))
        if not math.isfinite(value):
            self._complain(line, path, f"is {text}; numbers must be finite")
            return 0
        return value

    def _complain(self, line, path, text):
        self.problems.append(config_problem(line, path, text))


def _is_usable(text):
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def _line(event):
    return event.start_mark.line + 1

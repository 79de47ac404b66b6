# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A JSON file of unknown origin, and the fields of its objects; every complaint names the file and
the field."""

import json
import math
import os
import stat

from .recording import reason, recording_error
from .sigmf_format import MAX_INDEX, MAX_METADATA_BYTES


def read_metadata(path):
    """The metadata_object that is the whole file.

    Raises FileNotFoundError, or recording_error for what is no file, no UTF-8, no JSON or no
    object, for a key that stands twice and for numbers that are not finite.
    """
    not_finite = []

    def real(text):
        value = float(text)
        if not math.isfinite(value):
            not_finite.append(text)
        return value

    def integer(text):
        # Longer ones fit nowhere, and conversion takes time that grows with the square.
        return int(text) if len(text) <= 40 else real(text)

    def unique_keys(pairs):
        found = {}
        for key, value in pairs:
            if key in found:
                raise recording_error(
                    f"{path}: {shown(key)} stands twice in one object; a key must be unique"
                )
            found[key] = value
        return found

    text = _text_of(path)
    try:
        document = json.loads(
            text,
            object_pairs_hook=unique_keys,
            parse_float=real,
            parse_int=integer,
            parse_constant=real,  # NaN, Infinity and -Infinity
        )
    except recording_error:
        raise
    except RecursionError:
        raise recording_error(f"{path}: is nested too deep for metadata") from None
    except ValueError as error:
        raise recording_error(f"{path}: is not JSON: {reason(error)}") from None
    if not_finite:
        raise recording_error(
            f"{path}: {_place_of_not_finite(document)} is no finite number; JSON allows neither "
            "NaN nor Infinity, nor more than a double holds"
        )
    if not isinstance(document, dict):
        raise recording_error(
            f"{path}: the top level is {shown(document)}; it must be an object"
        )
    return metadata_object(path, "", document)


def _text_of(path):
    try:
        # A FIFO without a writer must not make the reader wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise FileNotFoundError(f"no such recording: {path}") from None
    except (OSError, ValueError) as error:
        raise recording_error(f"{path}: cannot be read: {reason(error)}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise recording_error(f"{path}: is not a file; metadata must be a JSON file")
    with open(descriptor, "rb") as file:
        try:
            content = file.read(MAX_METADATA_BYTES + 1)
        except OSError as error:
            raise recording_error(f"{path}: cannot be read: {reason(error)}") from None
    if len(content) > MAX_METADATA_BYTES:
        raise recording_error(
            f"{path}: is larger than the {MAX_METADATA_BYTES // 2**20} MiB that metadata may have"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise recording_error(f"{path}: is not UTF-8 text at byte {error.start}") from None


def _place_of_not_finite(document):
    stack = [("", iter([(None, document)]))]  # places, and the entries left in them
    while True:  # real() has seen it
        place, entries = stack[-1]
        for key, value in entries:
            if isinstance(value, (dict, list)):
                inside = value.items() if isinstance(value, dict) else enumerate(value)
                # Its end is what is shown, and names of any length may stand inside each other.
                stack.append(((place + _step(key))[-201:], iter(inside)))
                break
            if isinstance(value, float) and not math.isfinite(value):
                place = (place + _step(key)).strip() or "the top level"
                return place if len(place) <= 200 else "..." + place[-200:]
        else:
            stack.pop()


def _step(key):
    """A key or index as a part of a place, without quotes."""
    if key is None:
        return ""
    return f"[{key}]" if isinstance(key, int) else " " + shown(key)[1:].rstrip('"')


def shown(value):
    """A value for a message, short and printable whatever it is."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


class metadata_object:
    """An object of the file. Its members are got by kind: None when one is absent, recording_error
    when it is required, of another kind or out of range."""

    def __init__(self, path, place, members):
        """place: of the object in the file, with a space behind it, or empty."""
        self._path, self._place, self._members = path, place, members

    def fail(self, key, complaint):
        raise recording_error(f"{self._path}: {self._place}{key} {complaint}")

    def member(self, key, kind, name, required=False):
        """The value when it is of that kind; name: what it must be."""
        if key not in self._members:
            if required:
                self.fail(key, f"is missing; it must be {name}")
            return None
        value = self._members[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fail(key, f"is {shown(value)}; it must be {name}")
        return value

    def text(self, key, required=False):
        return self.member(key, str, "a string", required)

    def flag(self, key, required=False):
        return bool(self.member(key, bool, "true or false", required))

    def number(self, key, low, high, required=False):
        name = f"a number from {low:g} to {high:g}"
        value = self._within(key, (int, float), name, low, high, required)
        return None if value is None else float(value)

    def index(self, key, low=0, high=MAX_INDEX, required=False):
        return self._within(key, int, f"an integer from {low} to {high}", low, high, required)

    def _within(self, key, kind, name, low, high, required):
        value = self.member(key, kind, name, required)
        if value is not None and not low <= value <= high:
            self.fail(key, f"is {shown(value)}; it must be {name}")
        return value

    def object(self, key):
        """The metadata_object that is required there."""
        members = self.member(key, dict, "an object", required=True)
        return metadata_object(self._path, f"{self._place}{key} ", members)

    def objects(self, key, required=False):
        """The list of metadata_objects there; empty when it is absent."""
        entries = self.member(key, list, "a list", required) or []
        for k, entry in enumerate(entries):
            if not isinstance(entry, dict):
                self.fail(f"{key}[{k}]", f"is {shown(entry)}; it must be an object")
        return [
            metadata_object(self._path, f"{self._place}{key}[{k}] ", entry)
            for k, entry in enumerate(entries)
        ]

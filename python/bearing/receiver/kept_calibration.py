# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the receiver knows about its array, over rebuilt flowgraphs, retunes and restarts."""

import collections
import json
import logging
import math
import threading

import numpy as np
import pmt

_log = logging.getLogger(__name__)

# Of one frequency each, as many as an estimator remembers.
_MOST_TUNINGS = 64
_LARGEST_FILE = 16 << 20


class kept_calibration:
    """The newest calibration of each tuning, as estimators take it, and as a web page shows it.

    path: of the self-calibration's state file, as a str; empty: there is none. What it holds is
    the first thing that is known.
    initial: a bearing.calibration from a file, or None.
    """

    def __init__(self, path="", initial=None):
        self.path = path
        self.initial = initial
        self._lock = threading.Lock()
        self._messages = collections.OrderedDict()
        self._latest = None if initial is None else _payload_of(initial)
        for orientation, message in _read_state(path):
            self._remember(message)
            # A calibrator that goes on with it says what it makes of it.
            ambiguity = "none" if orientation == "known" else "north"
            payload = {**_payload(message), "status": "fixed", "ambiguity": ambiguity}
            if self._latest is None or _later(payload, self._latest):
                self._latest = payload

    def put(self, message):
        """Takes what a calibrator says."""
        self._remember(message)
        payload = _payload(message)
        if payload is not None:
            with self._lock:
                if self._latest is not None:
                    # A calibrator that has learnt nothing yet says nothing of these.
                    for key in ("gains", "positions_m", "sigma_phase_rad", "reference"):
                        payload[key] = payload[key] or self._latest[key]
                self._latest = payload

    def take_over(self, other):
        """What another one knows, as newer than what this one does."""
        messages = other.messages()
        for message in messages:
            self._remember(message)
        if messages:
            with self._lock:
                self._latest = other._latest

    def _remember(self, message):
        if not pmt.is_dict(message) or not pmt.dict_has_key(message, pmt.intern("gains")):
            return
        frequency = _real(message, "frequency")
        with self._lock:
            # A calibration holds within a thousandth of its frequency.
            for known in self._messages:
                if frequency is None or known is None:
                    is_same = frequency is known
                else:
                    is_same = abs(known - frequency) <= 1e-3 * frequency
                if is_same:
                    del self._messages[known]
                    break
            self._messages[frequency] = message
            if len(self._messages) > _MOST_TUNINGS:
                self._messages.popitem(last=False)

    def messages(self):
        """One for each tuning, for the message port of an estimator that is new."""
        with self._lock:
            return list(self._messages.values())

    def snapshot(self):
        """Plain values for JSON, or None where nothing is known."""
        with self._lock:
            if self._latest is None:
                return None
            # What came from the initial file alone is kept there.
            return {**self._latest, "saved_path": self.path if self._messages else ""}


def _payload(message):
    if not pmt.is_dict(message):
        return None
    gains = _vector(message, "gains")
    positions = _vector(message, "positions")
    counts = pmt.dict_ref(message, pmt.intern("counts"), pmt.PMT_NIL)
    return {
        "status": _symbol(message, "status"),
        "ambiguity": _symbol(message, "ambiguity"),
        "time": _real(message, "time"),
        "frequency_hz": _real(message, "frequency"),
        "reference": _count(message, "reference"),
        "gains": [[float(g.real), float(g.imag)] for g in gains],
        "positions_m": [[float(p) for p in row] for row in np.reshape(positions, (-1, 3))],
        "sigma_phase_rad": [_finite(value) for value in _vector(message, "sigma_phase_rad")],
        "loss": _real(message, "loss"),
        "restarts": _count(message, "restarts"),
        "rollbacks": _count(message, "rollbacks"),
        "counts": pmt.to_python(counts) if pmt.is_dict(counts) else {},
    }


def _payload_of(calibration):
    gains = () if calibration.gains is None else calibration.gains
    positions = () if calibration.positions is None else calibration.positions
    sigma = () if calibration.sigma_phase_rad is None else calibration.sigma_phase_rad
    return {
        "status": "fixed",
        "ambiguity": "none",
        "time": calibration.time,
        "frequency_hz": calibration.frequency,
        "reference": calibration.reference,
        "gains": [[float(g.real), float(g.imag)] for g in gains],
        "positions_m": [[float(p) for p in row] for row in positions],
        "sigma_phase_rad": [_finite(value) for value in sigma],
        "loss": None,
        "restarts": 0,
        "rollbacks": 0,
        "counts": {},
    }


def _later(payload, other):
    """Whether one that has a time is not before the other; one without is the older."""
    return (payload["time"] or 0.0) >= (other["time"] or 0.0)


def _read_state(path):
    """Orientations and messages of the calibrations in a state file. The calibrator itself reads it
    with more care, and puts a bad one aside: here it only is no news."""
    try:
        with open(path, "rb") as file:
            text = file.read(_LARGEST_FILE)
        records = json.loads(text)["calibrations"]
        return [(record.get("orientation"), _message(record["calibration"])) for record in records]
    except FileNotFoundError:
        return []
    except (OSError, LookupError, TypeError, AttributeError) as error:
        _log.warning("%s is not used: %s", path, error)
        return []
    # Numbers that are too large, and brackets that are too many.
    except (ValueError, OverflowError, RecursionError) as error:
        _log.warning("%s is not used: %s", path, error)
        return []


def _message(values):
    """The message of a calibration as a file has it."""
    message = pmt.make_dict()

    def add(key, value):
        nonlocal message
        message = pmt.dict_add(message, pmt.intern(key), value)

    gains = [complex(*pair) for pair in values["gains"]]
    add("gains", pmt.init_c32vector(len(gains), gains))
    for key, name in (
        ("positions", "positions_m"),
        ("sigma_phase_rad", "sigma_phase_rad"),
        ("sigma_log_gain", "sigma_log_gain"),
    ):
        if values.get(name):
            numbers = np.asarray(values[name], float).ravel()
            add(key, pmt.init_f32vector(len(numbers), numbers.tolist()))
    if isinstance(values.get("reference"), int):
        add("reference", pmt.from_uint64(values["reference"]))
    for key, name in (("frequency", "frequency_hz"), ("time", "time")):
        if values.get(name) is not None:
            add(key, pmt.from_double(float(values[name])))
    return message


def _vector(message, key):
    value = pmt.dict_ref(message, pmt.intern(key), pmt.PMT_NIL)
    return np.array(pmt.to_python(value)) if pmt.is_uniform_vector(value) else np.array([])


def _finite(value):
    value = float(value)
    return value if math.isfinite(value) else None


def _real(message, key):
    value = pmt.dict_ref(message, pmt.intern(key), pmt.PMT_NIL)
    return _finite(pmt.to_double(value)) if pmt.is_real(value) else None


def _count(message, key):
    value = pmt.dict_ref(message, pmt.intern(key), pmt.PMT_NIL)
    is_count = pmt.is_uint64(value) or pmt.is_integer(value)
    return int(pmt.to_python(value)) if is_count else 0


def _symbol(message, key):
    value = pmt.dict_ref(message, pmt.intern(key), pmt.PMT_NIL)
    return pmt.symbol_to_string(value) if pmt.is_symbol(value) else None

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Covariance items pass while a signal is there."""

import math

import numpy as np
import pmt

from .. import stream_time
from .channel_taps import check_integer
from .item_gate import item_gate
from .sigmf_format import is_number

_SQUELCH = pmt.intern("squelch")

_MOST_ELEMENTS = 64
_MOST_HANG = 10**9
# Trials behind a threshold for each false alarm among them: its error is then a tenth of the rate.
_TRIALS_A_FALSE_ALARM = 100
# Matrices that are simulated at a time.
_RUN = 4096


class squelch(item_gate):
    """Hands covariance items on while a signal is there, and holds back the others.

    Input and output: items of N * N complex float as those of bearing.covariance.

    An item has a signal when its mean power per element is at least power_db, and its largest
    eigenvalue is at least eigenvalue_db above the mean of its N - num_sources smallest ones, the
    noise; with one threshold alone, when that one is reached; with none, always. It passes, and
    so do the `hang` items after it. Items with NaN or Inf never pass.

    Tags: an item that passes keeps its tags. What changed while items were held back (rx_freq,
    rx_rate, snapshots, window, hop) comes with the next one that passes, and so does the newest
    tag of any other key (of 64 keys at most); samples of gap tags are added up (0: unknown). An
    item that was held back is no gap: the first item after it carries its own rx_time, or, where
    that is not known, a gap tag of 0.

    Message out `squelch`, whenever it opens or closes: a dict with `is_open` (bool), `power_db`,
    `eigenvalue_db` (doubles; of the item that changed it) and `rx_time`, `rx_freq` (of that item;
    PMT_NIL: unknown).

    Parameters
    ----------
    num_elements : int
        N, 1 to 64; from 2 on with eigenvalue_db.
    power_db : float or None
        Power per element in dB relative to 1; None: whatever the power.
    eigenvalue_db : float or None
        Ratio in dB, > 0; None: whatever the ratio. See threshold_db().
    hang : int
        Items, 0 to 1e9.
    num_sources : int
        Eigenvalues that are not taken for noise, 1 to N - 1.

    Raises
    ------
    ValueError
        Naming the parameter that is wrong.
    """

    def __init__(self, num_elements, power_db=None, eigenvalue_db=None, hang=0, num_sources=1):
        self._num_elements = check_integer("num_elements", num_elements, 1, _MOST_ELEMENTS)
        item_gate.__init__(self, "squelch", self._num_elements)
        self._received = self._passed = self._closed = self._bad_data = self._openings = 0
        self._is_open = False
        self._since_signal = None
        self.set_power_db(power_db)
        self.set_eigenvalue_db(eigenvalue_db)
        self.set_hang(hang)
        self.set_num_sources(num_sources)
        self.message_port_register_out(_SQUELCH)

    def start(self):
        # Signals of an earlier run are over.
        self._since_signal = None
        self._is_open = False
        return item_gate.start(self)

    # Parameters

    def set_power_db(self, power_db):
        """New least power, or None."""
        if power_db is not None and not is_number(power_db):
            raise ValueError(
                f"power_db is {power_db!r}; it must be a number in dB relative to 1, or None"
            )
        self._power_db = power_db

    def set_eigenvalue_db(self, eigenvalue_db):
        """New least ratio, or None."""
        if eigenvalue_db is not None:
            if not is_number(eigenvalue_db) or eigenvalue_db <= 0:
                raise ValueError(
                    f"eigenvalue_db is {eigenvalue_db!r}; it must be a number > 0 in dB, or None"
                )
            if self._num_elements < 2:
                raise ValueError(
                    f"eigenvalue_db is {eigenvalue_db!r}; one element has one eigenvalue, it must "
                    "be None"
                )
        self._eigenvalue_db = eigenvalue_db

    def set_hang(self, hang):
        """New number of items that pass after one with a signal."""
        self._hang = check_integer("hang", hang, 0, _MOST_HANG)

    def set_num_sources(self, num_sources):
        """New number of eigenvalues that are not taken for noise."""
        self._num_sources = check_integer(
            "num_sources", num_sources, 1, max(1, self._num_elements - 1)
        )

    @property
    def num_elements(self):
        return self._num_elements

    def is_open(self):
        """Whether the last item passed."""
        return self._is_open

    def counters(self):
        """Items since the block was made: received = passed + closed (no signal) + bad_data (NaN
        or Inf); and openings, how often a signal came up."""
        with self._lock:
            return {
                "received": self._received,
                "passed": self._passed,
                "closed": self._closed,
                "bad_data": self._bad_data,
                "openings": self._openings,
            }

    @staticmethod
    def threshold_db(num_elements, snapshots, false_alarm=1e-3, num_sources=1, seed=1):
        """The eigenvalue_db that noise alone exceeds in a false_alarm part of the items.

        For white noise, equally strong and independent in all elements, and independent
        snapshots. Simulated with a hundred items for each false alarm (error of the rate: a tenth
        of it), from M. S. Bartlett's triangular factor of a Wishart matrix, so that the effort
        does not depend on the number of snapshots.

        num_elements: N, 2 to 64. snapshots: behind each item, >= N. false_alarm: 1e-5 to 0.5.
        """
        n = check_integer("num_elements", num_elements, 2, _MOST_ELEMENTS)
        snapshots = check_integer("snapshots", snapshots, n, 2**31 - 1)
        num_sources = check_integer("num_sources", num_sources, 1, n - 1)
        if not is_number(false_alarm) or not 1e-5 <= false_alarm <= 0.5:
            raise ValueError(f"false_alarm is {false_alarm!r}; it must be from 1e-5 to 0.5")
        random = np.random.default_rng(seed)
        trials = math.ceil(_TRIALS_A_FALSE_ALARM / false_alarm)
        ratios = []
        lower = np.tril_indices(n, -1)
        for first in range(0, trials, _RUN):
            size = min(_RUN, trials - first)
            factor = np.zeros((size, n, n), complex)
            normal = random.standard_normal((2, size, len(lower[0]))) / math.sqrt(2.0)
            factor[:, lower[0], lower[1]] = normal[0] + 1j * normal[1]
            # Chi-squared of 2 (T - i) degrees, halved: complex values.
            shapes = np.broadcast_to(snapshots - np.arange(n), (size, n))
            factor[:, range(n), range(n)] = np.sqrt(random.gamma(shapes))
            ratios.append(_ratios_db(factor @ factor.conj().transpose(0, 2, 1), num_sources))
        return float(np.quantile(np.concatenate(ratios), 1.0 - false_alarm))

    # Items

    def _judge(self, items):
        power_db, eigenvalue_db, hang = self._power_db, self._eigenvalue_db, self._hang
        n = self._num_elements
        # Rows and columns exchanged are the conjugate: eigenvalues are the same.
        matrices = items.reshape(-1, n, n)
        is_good = np.isfinite(items).all(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            powers = np.einsum("kii->k", matrices).real / n
            powers_db = 10.0 * np.log10(powers)
        has_signal = is_good.copy()
        if power_db is not None:
            has_signal &= powers_db >= power_db
        ratios_db = np.full(len(items), np.nan)
        # Where it decides nothing it need not be known.
        told = np.flatnonzero(has_signal) if eigenvalue_db is not None else []
        if len(told):
            ratios_db[told] = _ratios_db(matrices[told].astype(complex), self._num_sources)
            has_signal[told] = ratios_db[told] >= eigenvalue_db

        # Items since the last signal; far more than any hang where there was none.
        numbers = np.arange(len(items))
        before = -_MOST_HANG - 2 if self._since_signal is None else -1 - self._since_signal
        latest = np.maximum.accumulate(np.where(has_signal, numbers, before))
        since = numbers - latest
        last = int(since[-1])
        self._since_signal = last if last <= _MOST_HANG else None
        passing = is_good & (since <= hang)
        with self._lock:
            self._received += len(items)
            self._passed += int(np.count_nonzero(passing))
            self._bad_data += int(np.count_nonzero(~is_good))
            self._closed += int(np.count_nonzero(is_good & ~passing))
            was = np.concatenate([[self._is_open], passing[:-1]])
            self._openings += int(np.count_nonzero(passing & ~was))
        self._powers_db, self._ratios_db = powers_db, ratios_db
        return passing

    def _judged(self, number, passes, time):
        if passes != self._is_open:
            self._is_open = passes
            self.message_port_pub(_SQUELCH, self._message(number, time))

    def _message(self, number, time):
        """Of an item that opened or closed it."""
        told = {
            "is_open": pmt.from_bool(self._is_open),
            "power_db": pmt.from_double(float(self._powers_db[number])),
            "eigenvalue_db": pmt.from_double(float(self._ratios_db[number])),
            "rx_time": pmt.PMT_NIL if time is None else stream_time.to_pmt(time),
            "rx_freq": self.lasting("rx_freq"),
        }
        message = pmt.make_dict()
        for key, value in told.items():
            message = pmt.dict_add(message, pmt.intern(key), value)
        return message


def _ratios_db(matrices, num_sources):
    """Largest eigenvalue over the mean of the N - num_sources smallest ones, in dB."""
    eigenvalues = np.linalg.eigvalsh(matrices)
    noise = np.mean(eigenvalues[:, : eigenvalues.shape[1] - num_sources], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Rounding may leave less than nothing of no noise at all.
        ratios = eigenvalues[:, -1] / np.maximum(noise, 0.0)
        # Silence has no signal either.
        return 10.0 * np.log10(np.where(eigenvalues[:, -1] > 0.0, ratios, 0.0))

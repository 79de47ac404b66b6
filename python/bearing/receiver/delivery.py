# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the flowgraph's threads to outputs and subscribers."""

import collections
import logging
import math
import threading
import time

import numpy as np
import pmt

from ..bearing_report import bearing_report
from ..output.bearing_record import bearing_record

_log = logging.getLogger(__name__)

# Bearings that wait for the thread that hands them on.
MOST_WAITING = 4096
# Seconds between two signs of life, at most, while nothing happens.
_TICK_S = 0.5

_TRUE_BEARING = pmt.intern("true_bearing_deg")


class channel_record:
    """What outlives flowgraphs of a channel.

    totals: counters of the flowgraphs before. bearing: the newest, as subscribers get it;
    bearing_at: time.monotonic() of when it came.
    delivered, dropped: bearings; each is one or the other, or waits.
    """

    def __init__(self, name):
        self.name = name
        self.totals = collections.Counter()
        self.bearing = None
        self.bearing_at = None
        self.delivered = 0
        self.dropped = 0
        self.spectrum_number = 0


class bearing_delivery:
    """Takes bearing messages at once, and hands them on in a thread of its own.

    outputs: output_group. Of more than MOST_WAITING that wait the oldest is dropped.
    """

    def __init__(self, outputs, station):
        self._outputs = outputs
        self._station = station
        self._lock = threading.Lock()
        self._chains = ()
        self._subscribers = []
        self._failures = self._mistakes = 0
        self._waiting = collections.deque()
        self._arrived = threading.Condition()
        self._is_running = False
        self._thread = None
        self.beat = 0.0  # time.monotonic() of the last sign of life

    def start(self):
        self._is_running = True
        self.beat = time.monotonic()
        self._thread = threading.Thread(
            target=self._run, name="bearing-receiver-deliver", daemon=True
        )
        self._thread.start()

    def stop(self, patience_s):
        """Hands on what waits, for so long at most."""
        with self._arrived:
            self._is_running = False
            self._arrived.notify_all()
        self._thread.join(patience_s)

    def counters(self):
        """Bearings that wait; those, and spectra, that could not be handed on; calls of
        subscribers that failed."""
        return {
            "waiting": len(self._waiting),
            "failed": self._mistakes,
            "subscriber_failures": self._failures,
        }

    def set_station(self, station):
        self._station = station

    def follow(self, chains):
        """Spectra come from these pairs of channel_record and channel_chain from now on."""
        self._chains = tuple(chains)

    def subscribe(self, callback):
        with self._lock:
            self._subscribers = [*self._subscribers, callback]

    def unsubscribe(self, callback):
        with self._lock:
            # Bound methods are equal, but not the same.
            self._subscribers = [other for other in self._subscribers if other != callback]

    def tell(self, kind, payload):
        """Calls all subscribers; what they raise is counted, and logged the first time."""
        for callback in self._subscribers:
            try:
                callback(kind, payload)
            except Exception:
                self._failures += 1
                if self._failures == 1:
                    _log.exception("a subscriber failed; further failures are only counted")

    def put(self, record, message):
        """A bearing of the channel with that channel_record, in a thread of the flowgraph."""
        with self._arrived:
            self._waiting.append((record, message))
            if len(self._waiting) > MOST_WAITING:
                late, _ = self._waiting.popleft()
                late.dropped += 1
            self._arrived.notify()

    def _run(self):
        while True:
            self.beat = time.monotonic()
            with self._arrived:
                if not self._waiting and self._is_running:
                    self._arrived.wait(_TICK_S)
                taken = self._waiting.popleft() if self._waiting else None
                if taken is None and not self._is_running:
                    return
            if taken is not None:
                self._count(taken[0], self._succeeds(self._deliver, *taken))
            self._succeeds(self._deliver_spectra)

    @staticmethod
    def _count(record, is_delivered):
        if is_delivered:
            record.delivered += 1
        else:
            record.dropped += 1

    def _succeeds(self, deliver, *arguments):
        try:
            deliver(*arguments)
            return True
        except Exception:
            self._mistakes += 1
            if self._mistakes == 1:
                _log.exception("a bearing was not handed on; further ones are only counted")
            return False

    def _deliver(self, record, message):
        place = self._station
        if place.heading_deg is None:
            # The estimator took 0 for it.
            message = pmt.cons(pmt.dict_delete(pmt.car(message), _TRUE_BEARING), pmt.cdr(message))
        report = bearing_report.from_message(message)
        record.bearing, record.bearing_at = _bearing_payload(record.name, report), time.monotonic()
        spectrum, grid = self._spectrum_of(record)
        told = bearing_record(report, place, record.name, spectrum, grid, time.time())
        self._outputs.send(told.to_message())
        self.tell("bearing", record.bearing)

    def _spectrum_of(self, record):
        """The newest spectrum of a channel and its azimuths, or two None."""
        for other, chain in self._chains:
            if other is record and chain.probe is not None:
                spectrum = chain.probe.latest()[1]
                if spectrum is not None:
                    return spectrum, chain.grid_deg
        return None, None

    def _deliver_spectra(self):
        for record, chain in self._chains:
            if chain.probe is None or not self._subscribers:
                continue
            number, spectrum = chain.probe.latest()
            if spectrum is not None and number != record.spectrum_number:
                record.spectrum_number = number
                self.tell("spectrum", _spectrum_payload(record.name, chain.grid_deg, spectrum))


def _bearing_payload(channel, report):
    return {
        "channel": channel,
        "time": report.seconds,
        "frequency_hz": report.rx_freq,
        "status": report.status,
        "method": report.method,
        "num_sources": report.num_sources,
        "snapshots": report.snapshots,
        "angles_deg": _numbers(report.angles_deg),
        "std_deg": _numbers(report.std_deg),
        "true_bearing_deg": _numbers(report.true_bearing_deg),
        "power_db": _numbers(report.power_db),
        "snr_db": _numbers(report.snr_db),
    }


def _spectrum_payload(channel, grid_deg, spectrum):
    return {
        "channel": channel,
        "time": time.time(),
        "azimuth_deg": {
            "start": grid_deg[0],
            "step": grid_deg[1] - grid_deg[0],
            "count": len(grid_deg),
        },
        "db": _numbers(np.round(spectrum.astype(float), 2)),
    }


def _numbers(values):
    """Floats for JSON: None for what is not finite."""
    return [float(value) if math.isfinite(value) else None for value in values]

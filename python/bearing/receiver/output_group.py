# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outputs of a receiver: writers that live on while the flowgraph is built anew."""

import collections
import logging
import threading
import time

from gnuradio import gr

from .flowgraph_end import ends_within
from .taps import message_source

_log = logging.getLogger(__name__)

# Writers take messages at once. One that has so many before it has stopped to.
_MOST_WAITING = 4096
# Seconds that a writer has to write what it has.
_STOP_S = 5.0
# Seconds before one that could not be opened is tried again, doubled each time up to the last.
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0


class _output:
    """One writer in a flowgraph of its own, with messages alone; or why there is none."""

    def __init__(self, config, array_kind, make_writer):
        self.config = config
        self.array_kind = array_kind
        self._make_writer = make_writer
        self._lock = threading.Lock()
        # Writer, message_source and flowgraph, while there is one.
        self._opened = None
        self._sent = 0
        self._error = ""
        self._wait_s = _FIRST_WAIT_S
        self._next_attempt = 0.0
        # Attempts that failed, bearings that found no writer, and counts of earlier writers.
        self._failures = self._dropped = 0
        self._past = collections.Counter()

    def open(self, station):
        """Makes the writer, or notes why not. Raises ValueError for what no waiting puts right."""
        config = self.config
        try:
            writer = self._make_writer(
                config.kind,
                config.target,
                station=station,
                array_kind=self.array_kind,
                **config.options,
            )
            source = message_source("bearings")
            top = gr.top_block("bearing-receiver-output")
            top.msg_connect(source, "bearings", writer, "bearings")
            top.start()
        except ValueError as error:
            raise ValueError(f"output {config.kind}: {error}") from error
        # Such as an address that another program has, or that the network has not got yet.
        except Exception as error:
            self._note(error)
            return
        if self._error:
            _log.info("output %s %s is open", config.kind, config.target)
        self._error, self._wait_s, self._sent = "", _FIRST_WAIT_S, 0
        self._opened = writer, source, top

    def open_again(self, station):
        """open(), for what was right once."""
        try:
            self.open(station)
        except ValueError as error:
            self._note(error)

    def _place(self):
        return self.config.target or self.config.options.get("serve", "")

    def _note(self, error):
        self._failures += 1
        self._error = " ".join(str(error).split())[:200] or type(error).__name__
        self._next_attempt = time.monotonic() + self._wait_s
        _log.warning(
            "output %s %s cannot be opened: %s; next attempt in %.0f s",
            self.config.kind,
            self._place(),
            self._error,
            self._wait_s,
        )
        self._wait_s = min(_LONGEST_WAIT_S, 2.0 * self._wait_s)

    def is_due(self):
        """Whether it is time to try again to open it."""
        return self._opened is None and time.monotonic() >= self._next_attempt

    def send(self, message):
        # Nothing is sent to what ends meanwhile.
        with self._lock:
            if self._opened is None or self._waiting() >= _MOST_WAITING:
                self._dropped += 1
                return
            self._sent += 1
            self._opened[1].send(message)

    def _waiting(self):
        return self._sent - self._opened[0].counters()["received"]

    def set_station(self, station):
        opened = self._opened
        if opened is not None:
            opened[0].set_station(station)

    def state(self):
        opened = self._opened
        if opened is None:
            return f"cannot open {self._place()}: {self._error}"
        return opened[0].state()

    def counters(self):
        counts = collections.Counter(dict.fromkeys(("received", "written", "dropped", "errors"), 0))
        counts.update(self._past)
        opened = self._opened
        if opened is not None:
            counts.update(opened[0].counters())
        counts["errors"] += self._failures
        return {**counts, "dropped_before": self._dropped}

    def stop(self):
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is None:
            return
        writer, _, top = opened
        if not ends_within(top, _STOP_S, opened):
            _log.warning(
                "output %s %s did not end in time", self.config.kind, self.config.target
            )
        self._past.update(writer.counters())


class output_group:
    """The writers of a list of output_config. One that cannot be opened is tried again.

    make_writer: as bearing.bearing_writer; None: that one.

    update(), retry() and stop() are called by one thread at a time.
    """

    def __init__(self, make_writer=None):
        if make_writer is None:
            from ..output.bearing_writer import bearing_writer as make_writer
        self._make_writer = make_writer
        self._lock = threading.Lock()
        self._outputs = []
        self._station = None

    def update(self, configs, station, array_kind):
        """Writers for these, as they are now: those that stay the same go on undisturbed.

        Raises ValueError naming what a writer refuses; those that were ended for it are then opened
        again."""
        before = self._all()
        ended, made, now = list(before), [], []
        for config in configs:
            same = next(
                (o for o in ended if (o.config, o.array_kind) == (config, array_kind)), None
            )
            if same is not None:
                ended.remove(same)
            else:
                made.append(_output(config, array_kind, self._make_writer))
            now.append(same or made[-1])
        # They may have the very addresses that others want now.
        for output in ended:
            output.stop()
        try:
            for output in made:
                output.open(station)
        except BaseException:
            for output in made:
                output.stop()
            for output in ended:
                _log.warning(
                    "output %s %s is opened as it was", output.config.kind, output.config.target
                )
                output.open_again(self._station)
            raise
        self._station = station
        with self._lock:
            self._outputs = now

    def retry(self):
        """Opens what could not be opened before, once enough time has passed."""
        for output in self._all():
            if output.is_due():
                output.open_again(self._station)

    def _all(self):
        with self._lock:
            return list(self._outputs)

    def send(self, message):
        """A bearing for all of them."""
        for output in self._all():
            output.send(message)

    def set_station(self, station):
        self._station = station
        for output in self._all():
            output.set_station(station)

    def snapshot(self):
        return [
            {
                "kind": output.config.kind,
                "target": output.config.target,
                "state": output.state(),
                "counters": output.counters(),
            }
            for output in self._all()
        ]

    def stop(self):
        with self._lock:
            outputs, self._outputs = self._outputs, []
        for output in outputs:
            output.stop()

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells when a flowgraph does not work any more."""

import time

# Seconds without progress after which it counts as stuck, at least; and so many items' time.
_STALL_S, _STALL_ITEMS = 30.0, 20
# Seconds without progress after which nothing of a recording is on its way any more.
_REST_S = 10.0
# Parts of the sample rate that are no other rate.
_SAME_RATE = 1e-6


class flowgraph_watch:
    """Looks at one receiver_flowgraph from time to time.

    is_ended: a recording came to its end, as it should.
    """

    def __init__(self, graph, interval_s):
        self._graph = graph
        self._patience_s = max(_STALL_S, _STALL_ITEMS * interval_s)
        self._progress = None
        self._progress_at = time.monotonic()
        self.is_ended = False

    def other_rate(self):
        """The rate at which samples come, when that is not what filters were made for."""
        rate = self._graph.radio.sample_rate()
        made_for = self._graph.sample_rate
        return rate if rate and abs(rate - made_for) > _SAME_RATE * made_for else None

    def fault(self):
        """What is wrong in a sentence, "" when nothing is."""
        if self.is_ended:
            return ""
        missing = self._graph.missing_threads()
        progress = self._graph.samples(), [chain.counters() for chain in self._graph.channels]
        now = time.monotonic()
        if self._progress is None or self._goes_on(progress):
            self._progress, self._progress_at = progress, now
        late_s = now - self._progress_at
        if missing:
            self.is_ended = self._graph.has_read_all()
            # A recording's source ends before the blocks behind it have read all.
            may_go_on = self._graph.radio.has_end and late_s <= _REST_S
            is_well = self.is_ended or may_go_on
            return "" if is_well else f"a block ended: {', '.join(missing)}"
        is_late = late_s > self._patience_s
        return "the flowgraph stands still" if is_late and self._should_go_on() else ""

    def _goes_on(self, progress):
        """Whether samples came, and bearings wherever items did."""
        return progress[0] > self._progress[0] and all(
            new["messages"] > old["messages"] or new["passed"] <= new["messages"]
            for old, new in zip(self._progress[1], progress[1])
        )

    def _should_go_on(self):
        radio = self._graph.radio
        # A source that looks after a lost radio itself may be silent; not when samples are there.
        return (
            not radio.recovers
            or radio.state()[0] == "running"
            or any(own["passed"] > own["messages"] for own in self._progress[1])
        )

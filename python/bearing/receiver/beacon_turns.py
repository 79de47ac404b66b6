# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels that a calibrator hears in turn, one of which has a transmitter at a known azimuth."""

import logging

import numpy as np
import pmt
from gnuradio import gr

from .. import stream_time
from ..hier.item_gate import item_gate

_log = logging.getLogger(__name__)

_TRUTH = pmt.intern("truth")
_GIGA = 10**9
# Hz within which an item is of the frequency for which the azimuth was said.
_SAME_FREQUENCY_HZ = 1e3
# Turns have room for so many items at least: one then lies wholly within.
_LEAST_ITEMS = 3


class turn_gate(item_gate):
    """Of the covariance items of one channel the first that lies wholly within a turn of its own.

    Stream time is cut into turns, which num_channels channels have one after the other: a
    calibrator learns by time what is known, so what it gets of two channels must not overlap.
    Items whose time is unknown do not pass.

    item_s: seconds of an item. channel: from 0 on. turn_s: seconds of a turn, of all the same.
    """

    def __init__(self, num_elements, item_s, channel, num_channels, turn_s):
        self._item_s = item_s
        self._channel = channel
        self._num_channels = num_channels
        self._turn_ns = round(turn_s * _GIGA)
        self._last = None
        item_gate.__init__(self, "turn_gate", num_elements)

    def start(self):
        self._last = None
        return item_gate.start(self)

    def _takes(self, time):
        if time is None:
            return False
        # In whole numbers: a double does not hold seconds since 1970 and a sample.
        turn, since = divmod(time[0] * _GIGA + round(time[1] * _GIGA), self._turn_ns)
        is_within = since + self._item_s * _GIGA <= self._turn_ns
        self._sees(turn)
        if turn % self._num_channels != self._channel or turn == self._last or not is_within:
            return False
        if not self._is_right(turn):
            return False
        self._last = turn
        return True

    def _sees(self, turn):
        """Called for each item; nothing is to be done."""

    def _is_right(self, turn):
        return True


class beacon_gate(turn_gate):
    """The turn_gate of the channel of a beacon; it tells a calibrator of its turns.

    They are labelled before they come, so that no label is late. At another frequency than the
    beacon's somebody else is heard, of whom nothing is known.

    calibrator: a diffmusic. azimuth_deg: of the beacon. frequency_hz: the beacon's; None: any.
    """

    def __init__(self, calibrator, azimuth_deg, frequency_hz, *arguments):
        self._post = calibrator.to_basic_block()._post
        self._azimuth_deg = azimuth_deg
        self._frequency_hz = frequency_hz
        self._labelled = ()
        turn_gate.__init__(self, *arguments)

    def start(self):
        self._labelled = ()
        return turn_gate.start(self)

    def _sees(self, turn):
        number = (turn - self._channel) // self._num_channels + 1
        following = number * self._num_channels + self._channel
        if following not in self._labelled and self._is_beacon():
            # Clocks may be set back: of the newest few it is known.
            self._labelled = (*self._labelled, following)[-4:]
            self._label(following)

    def _is_right(self, turn):
        return (turn in self._labelled) == self._is_beacon()

    def _is_beacon(self):
        tuned = self.lasting("rx_freq")
        return (
            self._frequency_hz is None
            or not pmt.is_real(tuned)
            or abs(pmt.to_double(tuned) - self._frequency_hz) <= _SAME_FREQUENCY_HZ
        )

    def _label(self, turn):
        label = pmt.make_dict()
        azimuth = pmt.init_f32vector(1, [self._azimuth_deg])
        label = pmt.dict_add(label, pmt.intern("angles_deg"), azimuth)
        for key, number in (("start", turn), ("stop", turn + 1)):
            seconds, rest = divmod(number * self._turn_ns, _GIGA)
            time = stream_time.to_pmt((seconds, rest / _GIGA))
            label = pmt.dict_add(label, pmt.intern(key), time)
        self._post(_TRUTH, label)


class item_merger(gr.basic_block):
    """Covariance items of several streams in one, each with all the tags that hold for it."""

    def __init__(self, num_elements, num_streams):
        item = (np.complex64, num_elements**2)
        gr.basic_block.__init__(self, "item_merger", [item] * num_streams, [item])
        self.set_tag_propagation_policy(gr.TPP_DONT)
        self._lasting = [{} for _ in range(num_streams)]

    def forecast(self, noutput_items, ninputs):
        return [0] * ninputs

    def general_work(self, input_items, output_items):
        room, written = len(output_items[0]), self.nitems_written(0)
        count = 0
        for port, items in enumerate(input_items):
            size = min(len(items), room - count)
            tags = {}
            for tag in self.get_tags_in_window(port, 0, size):
                tags.setdefault(tag.offset - self.nitems_read(port), []).append(tag)
            for number in range(size):
                output_items[0][count] = items[number]
                self._write_tags(written + count, self._lasting[port], tags.get(number, ()))
                count += 1
            self.consume(port, size)
        return count

    def _write_tags(self, item, lasting, tags):
        for tag in tags:
            key = pmt.symbol_to_string(tag.key)
            if key == "snapshots":
                # Says that there are no window and hop but those that follow.
                for other in ("window", "hop"):
                    lasting.pop(other, None)
            lasting.pop(key, None)
            lasting[key] = tag
        lasting.pop("gap", None)  # times tell it
        for tag in lasting.values():
            self.add_item_tag(0, item, tag.key, tag.value, tag.srcid)


def connect_in_turn(flowgraph, chains, beacon, calibrator, azimuth_deg, frequency_hz, turn_s):
    """Lets a calibrator learn from all channel_chains, of which one hears the beacon.

    The blocks between them, of which the flowgraph itself keeps none."""
    if len(chains) == 1:
        _log.warning("only the beacon's channel is there: others tell the array's shape")
    n = beacon.squelch.num_elements
    order = [beacon, *(chain for chain in chains if chain is not beacon)]
    turn_s = max(turn_s, _LEAST_ITEMS * max(chain.snapshots / chain.rate for chain in order))
    merger = item_merger(n, len(order))
    made = [merger]
    for number, chain in enumerate(order):
        arguments = n, chain.snapshots / chain.rate, number, len(order), turn_s
        if chain is beacon:
            gate = beacon_gate(calibrator, azimuth_deg, frequency_hz, *arguments)
        else:
            gate = turn_gate(*arguments)
        flowgraph.connect(chain.squelch, gate, (merger, number))
        made.append(gate)
    flowgraph.connect(merger, calibrator)
    return made

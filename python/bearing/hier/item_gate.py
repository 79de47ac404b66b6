# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Some covariance items pass, and their tags stay right."""

import math
import threading

import numpy as np
import pmt
from gnuradio import gr

from .. import stream_time

_RX_TIME = pmt.intern("rx_time")
_RX_FREQ = pmt.intern("rx_freq")
_RX_RATE = pmt.intern("rx_rate")
_SNAPSHOTS = pmt.intern("snapshots")
_WINDOW = pmt.intern("window")
_HOP = pmt.intern("hop")
_GAP = pmt.intern("gap")
# Hold until another value comes.
_LASTING = (_RX_FREQ, _RX_RATE, _SNAPSHOTS, _WINDOW, _HOP)

# Tags of other blocks that wait for an item that passes: of each key the newest, so many keys.
_MOST_WAITING = 64
_LARGEST_RUN = 4096


class item_gate(gr.basic_block):
    """Hands some of the covariance items on, those that a class of its own chooses.

    Such a class has _judge(items), which tells of each row of items whether it passes (an array of
    bool), or _takes(time), which tells it of one row after the other by its rx_time as (seconds,
    fraction), None where unknown. It may have _judged(number, passes, time), called after that.

    Tags are those that the class squelch promises.
    """

    def __init__(self, name, num_elements):
        item = [(np.complex64, num_elements**2)]
        gr.basic_block.__init__(self, name, item, item)
        self.set_tag_propagation_policy(gr.TPP_DONT)
        self._lock = threading.Lock()
        self._source = pmt.intern(name)
        self._forget()

    def _forget(self):
        self._lasting = {}  # newest values; those that were not handed on yet are in _waiting
        self._waiting = {}
        self._gap = None
        self._time = None  # of the item to come, as far as items before it tell
        self._is_broken = False  # items were held back before the one to come

    def start(self):
        self._forget()
        return True

    def lasting(self, name):
        """Newest value of the tag rx_freq, rx_rate, snapshots, window or hop; PMT_NIL: none."""
        return self._lasting.get(name, pmt.PMT_NIL)

    def _judge(self, items):
        return np.ones(len(items), bool)

    def _takes(self, time):
        return True

    def _judged(self, number, passes, time):
        """Nothing else is to be done."""

    def general_work(self, input_items, output_items):
        size = min(len(input_items[0]), len(output_items[0]), _LARGEST_RUN)
        items = input_items[0][:size]
        first = self.nitems_read(0)
        tags = {}
        for tag in self.get_tags_in_window(0, 0, size):
            tags.setdefault(tag.offset - first, []).append(tag)

        passing = self._judge(items)
        written = self.nitems_written(0)
        count = 0
        for number in range(size):
            time = self._follow(tags.get(number, ()))
            passes = passing[number] = bool(passing[number]) and self._takes(time)
            if passes:
                self._write_tags(written + count, time)
                count += 1
            else:
                self._is_broken = True
            self._judged(number, passes, time)
            self._time = self._advanced(time)
        output_items[0][:count] = items[passing]
        self.consume(0, size)
        return count

    def _follow(self, tags):
        """Takes the tags of the next item; its rx_time as (seconds, fraction), None: unknown."""
        own = None
        for tag in tags:
            key, value = tag.key, tag.value
            if pmt.eq(key, _RX_TIME):
                own = stream_time.from_pmt(value)
            elif pmt.eq(key, _GAP):
                self._add_gap(value)
                self._time = None
            elif any(pmt.eq(key, lasting) for lasting in _LASTING):
                self._follow_lasting(pmt.symbol_to_string(key), tag)
            elif len(self._waiting) < _MOST_WAITING or pmt.symbol_to_string(key) in self._waiting:
                self._waiting[pmt.symbol_to_string(key)] = tag
        return self._time if own is None else own

    def _follow_lasting(self, name, tag):
        if name == "snapshots":
            # Says that there are no window and hop but those that follow.
            for other in ("window", "hop"):
                self._lasting.pop(other, None)
                self._waiting.pop(other, None)
        elif name in ("rx_freq", "rx_rate"):
            known = self._lasting.get(name)
            if known is None or not pmt.equal(known, tag.value):
                self._time = None
        # Behind what came before it: window and hop stand behind snapshots.
        self._waiting.pop(name, None)
        self._waiting[name] = tag
        self._lasting[name] = tag.value

    def _add_gap(self, value):
        samples = _count(value)
        if self._gap is None:
            self._gap = samples
        else:
            self._gap = self._gap + samples if self._gap and samples else 0

    def _advanced(self, time):
        """Time of the item after one of that time."""
        snapshots = _count(self._lasting.get("hop")) or _count(self._lasting.get("snapshots"))
        rate = self._lasting.get("rx_rate")
        if time is None or not snapshots or rate is None or not pmt.is_real(rate):
            return None
        rate = pmt.to_double(rate)
        if not (math.isfinite(rate) and rate > 0.0):
            return None
        # Whole seconds apart: a double does not hold both.
        whole, fraction = divmod(time[1] + snapshots / rate, 1.0)
        return time[0] + int(whole), fraction

    def _write_tags(self, item, time):
        for tag in self._waiting.values():
            self.add_item_tag(0, item, tag.key, tag.value, tag.srcid)
        self._waiting.clear()
        if time is not None:
            self.add_item_tag(0, item, _RX_TIME, stream_time.to_pmt(time), self._source)
        elif self._is_broken and self._gap is None:
            self._gap = 0
        self._is_broken = False
        if self._gap is not None:
            self.add_item_tag(0, item, _GAP, pmt.from_uint64(self._gap), self._source)
            self._gap = None


def _count(value):
    """A count in a tag; 0 where it makes no sense."""
    if value is None or not (pmt.is_uint64(value) or pmt.is_integer(value)):
        return 0
    return max(0, pmt.to_python(value))

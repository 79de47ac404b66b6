# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Radios and writers for the tests of the receiver."""

import collections
import threading

import numpy as np
import pmt
from gnuradio import gr
from support import PATIENCE

from gnuradio import bearing
from gnuradio.bearing.receiver import radios
from gnuradio.bearing.unread_messages import unread_messages

def difference_deg(a, b):
    return abs((a - b + 180.0) % 360.0 - 180.0)


class fault_gate(gr.sync_block):
    """Passes a stream on, and throws once told to."""

    def __init__(self):
        gr.sync_block.__init__(self, "fault_gate", [np.complex64], [np.complex64])
        self.fault = threading.Event()

    def work(self, input_items, output_items):
        if self.fault.is_set():
            raise RuntimeError("told to")
        output_items[0][:] = input_items[0]
        return len(output_items[0])


class gated_source(gr.hier_block2):
    """A source whose first stream goes through a fault_gate."""

    def __init__(self, source, num_elements):
        gr.hier_block2.__init__(
            self,
            "gated_source",
            gr.io_signature(0, 0, 0),
            gr.io_signature(num_elements, num_elements, gr.sizeof_gr_complex),
        )
        self.gate = fault_gate()
        for k in range(num_elements):
            self.connect(*[(source, k)] + [self.gate] * (k == 0) + [(self, k)])


class held_source(gr.hier_block2):
    """A source of which nothing more comes, after so many samples at least, until it is let go."""

    def __init__(self, source, num_elements, num_samples):
        gr.hier_block2.__init__(
            self,
            "held_source",
            gr.io_signature(0, 0, 0),
            gr.io_signature(num_elements, num_elements, gr.sizeof_gr_complex),
        )
        self._source = source
        self._gate = _held_stream(num_samples)
        self.let_go = self._gate.may_go_on.set
        for k in range(num_elements):
            self.connect(*[(source, k)] + [self._gate] * (k == 0) + [(self, k)])


class _held_stream(gr.sync_block):
    def __init__(self, num_samples):
        gr.sync_block.__init__(self, "held_stream", [np.complex64], [np.complex64])
        self._num_samples = num_samples
        self.may_go_on = threading.Event()

    def work(self, input_items, output_items):
        if self.nitems_written(0) >= self._num_samples:
            self.may_go_on.wait(PATIENCE)
        output_items[0][:] = input_items[0]
        return len(output_items[0])


class simulated_radios:
    """make_radio() of a receiver, for simulators with constant errors that can fail.

    gains: of the elements. is_absent: attempts fail as if no radio were there.
    made: all radios so far.
    """

    def __init__(self, gains=None, is_absent=False):
        self._gains = gains
        self.is_absent = is_absent
        self.made = []

    def __call__(self, config, array, start_number=0):
        if self.is_absent:
            raise RuntimeError("no such device")
        self.made.append(_simulated(config, array, self._gains, start_number))
        return self.made[-1]

    @property
    def simulator(self):
        return self.made[-1].simulator


class _simulated(radios.radio):
    kind = "simulator"

    def __init__(self, config, array, gains, start_number):
        # The truth is the array as drawn.
        array = array.with_calibration(bearing.calibration())
        # Of the stream, as bearings tell it.
        self.start_time = 1e9 + 1e4 * start_number
        self.simulator = bearing.array_simulator(
            array,
            list(config.bearings_deg),
            snr_db=list(config.snr_db),
            sample_rate=config.sample_rate_hz,
            errors=bearing.calibration(gains=gains),
            frequencies=list(config.offsets_hz),
            modulation="tone" if any(config.offsets_hz) else "noise",
            center_frequency=config.frequency_hz,
            start_time=self.start_time,
            seed=config.seed + start_number,
            throttle=True,
        )
        source = gated_source(self.simulator, array.n)
        self.fault = source.gate.fault
        super().__init__(source, array.n, config.sample_rate_hz, config.frequency_hz)

    def move(self, angles_deg):
        """Puts the transmitters elsewhere; the stream's time from which on all come from there."""
        self.simulator.set_angles_deg(angles_deg)
        # Those of the call before may not have been counted yet: a buffer full at most.
        made = self.simulator.nitems_written(0) + 2**14
        return self.start_time + made / self.sample_rate()

    def retune(self, frequency_hz):
        return True

    def set_gain(self, gain_db):
        return False


class writers:
    """make_writer() of a receiver, for writers that keep what they get.

    made: all of them by target, the newest. absent: targets that cannot be opened for now.
    """

    def __init__(self):
        self.made = {}
        self.absent = ("absent",)

    def __call__(self, kind, target, station=None, array_kind="custom", **options):
        if target == "refused":
            raise ValueError("target is 'refused'; it must be another one")
        if target in self.absent:
            raise OSError("no such address")
        self.made[target] = _writer(station)
        return self.made[target]


class _writer(gr.basic_block):
    def __init__(self, station):
        gr.basic_block.__init__(self, "writer", None, None)
        self.station = station
        self.records = []
        port = pmt.intern("bearings")
        self.message_port_register_in(port)
        self.set_msg_handler(port, self._receive)
        self._port = port

    def stop(self):
        for message in unread_messages(self, self._port):
            self._receive(message)
        return True

    def _receive(self, message):
        from gnuradio.bearing.output.bearing_record import bearing_record

        self.records.append(bearing_record.from_message(message))

    def set_station(self, station):
        self.station = station

    def counters(self):
        count = len(self.records)
        return {"received": count, "written": count, "dropped": 0, "errors": 0}

    def state(self):
        return "writing"


class listener:
    """Subscribes and keeps the newest 20000 of each kind."""

    def __init__(self, receiver):
        self.heard = collections.defaultdict(lambda: collections.deque(maxlen=20000))
        receiver.subscribe(self)

    def __call__(self, kind, payload):
        self.heard[kind].append(payload)

    def bearings(self, channel):
        return [payload for payload in list(self.heard["bearing"]) if payload["channel"] == channel]

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receivers whose phases are new after each start and retune, brought into line by a pilot."""

import threading
import time

import numpy as np
import pmt
from gnuradio import gr

from ..bearing_python import apply_calibration
from ..bearing_python import array as array_type
from ..bearing_python import calibration, phase_gate
from .channel_taps import check_integer, check_sample_rate
from .pilot_phases import measure_pilot
from .sigmf_format import is_number

_PILOTS = ("splitter", "emitter")
# Seconds of samples to wait after the first failure; twice as many after each further one.
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0


class phase_realigner(gr.hier_block2):
    """Takes the phases and gains between N receivers out, anew after each start and retune.

    Whenever phases may have changed - at a start, a gap tag, a jump of rx_time, an rx_freq tag -
    it holds all samples back, has the pilot switched on, takes the covariance of its samples,
    and divides by the gains that these tell. No sample passes that was not aligned: the first one
    after such a pause carries a gap tag with the number of samples that are missing, so that
    no covariance spans it. See docs/usrp.md.

    A measurement that fails - the pilot is too weak, a second signal is as strong, phases still
    move - is repeated after 1 s, 2 s, 4 s, ... up to a minute; until then nothing passes.

    Inputs and outputs: N complex streams. Message out ``calibration``: after each measurement a
    dict with status and time, and if it is ok, sigma_phase_rad and sigma_log_gain, how well the
    streams are aligned, for estimators' deviations; receiver_gains (c32vector) is what they were
    divided by. There are no gains in it, because an estimator behind this block must not apply
    them again.

    Parameters
    ----------
    num_elements : int
        N, 2 to 64.
    sample_rate : float
        Hz, for settle_s and times.
    pilot : str
        "splitter": a noise source that a splitter connects to all receivers; "emitter": a
        transmitter at pilot_deg.
    array : bearing.array, optional
        For an emitter: the array that the estimator works with, with its calibration.
    pilot_deg : float
        Azimuth of the emitter from the array's +y.
    path_gains : sequence of N complex, optional
        From the splitter to the receivers, no zeros; None: equal.
    snapshots : int
        Of the pilot in a measurement, at least 4 N; its two halves must agree.
    settle_s : float
        Left out after each switching: seconds until the pilot has settled and, where switch does
        not return a time, the last sample from before has come through all buffers. Without a
        switch: left out before each measurement, until oscillators and gains have settled.
    switch : callable, optional
        switch(True) puts the pilot on, switch(False) off. It may return the time by the radio's
        clock, (seconds, fraction): settle_s then counts from there, however many samples are on
        their way. Called from a thread of this block; what it raises counts as a failed
        measurement. None: the pilot is always there.
    min_ratio_db : float
        Of the pilot over all else, at least.
    reference : int
        Element whose samples stay as they are.

    Raises
    ------
    ValueError
        Naming the parameter that is wrong.
    """

    def __init__(
        self,
        num_elements,
        sample_rate,
        pilot="splitter",
        array=None,
        pilot_deg=0.0,
        path_gains=None,
        snapshots=16384,
        settle_s=0.2,
        switch=None,
        min_ratio_db=10.0,
        reference=0,
    ):
        num_elements = check_integer("num_elements", num_elements, 2, 64)
        sample_rate = check_sample_rate(sample_rate)
        snapshots = check_integer("snapshots", snapshots, 4 * num_elements, 2**31 - 1)
        reference = check_integer("reference", reference, 0, num_elements - 1)
        if not is_number(settle_s) or not 0 <= settle_s <= 60:
            raise ValueError(f"settle_s is {settle_s!r}; it must be from 0 to 60 seconds")
        if not is_number(min_ratio_db) or not 3 <= min_ratio_db <= 60:
            raise ValueError(f"min_ratio_db is {min_ratio_db!r}; it must be from 3 to 60 dB")
        if switch is not None and not callable(switch):
            raise ValueError(f"switch is {switch!r}; it must be callable, or None")
        response = _response(num_elements, pilot, array, pilot_deg, path_gains)

        signature = gr.io_signature(num_elements, num_elements, gr.sizeof_gr_complex)
        gr.hier_block2.__init__(self, "phase_realigner", signature, signature)
        self.message_port_register_hier_out("calibration")

        self._correction = apply_calibration(num_elements)
        self._gate = phase_gate(num_elements, self._correction, sample_rate)
        self._control = _realigner_control(
            self._gate,
            response,
            snapshots,
            sample_rate,
            settle_s,
            switch,
            min_ratio_db,
            reference,
        )
        for k in range(num_elements):
            self.connect((self, k), (self._gate, k), (self._correction, k), (self, k))
        self.msg_connect(self._gate, "events", self._control, "events")
        self.msg_connect(self._control, "calibration", self, "calibration")

    def realign(self):
        """Measures anew from the next sample on, as after a retune."""
        self._gate.close()

    def counters(self):
        """dict of int: passed and held_back (samples of each stream since the start), closed,
        aligned, failed (measurements)."""
        return {
            "passed": self._gate.passed(),
            "held_back": self._gate.held_back(),
            **self._control.counters(),
        }

    def state(self):
        """One line: whether samples pass, and why not."""
        return self._control.state()


def _response(num_elements, pilot, array, pilot_deg, path_gains):
    """Of ideal receivers to the pilot, N complex128; ValueError naming the parameter."""
    if pilot not in _PILOTS:
        raise ValueError(f"pilot is {pilot!r}; it must be one of {', '.join(_PILOTS)}")
    if pilot == "emitter":
        if not isinstance(array, array_type) or array.n != num_elements:
            raise ValueError(
                f"array is {array!r}; for an emitter it must be a bearing.array with "
                f"{num_elements} elements"
            )
        if not is_number(pilot_deg):
            raise ValueError(f"pilot_deg is {pilot_deg!r}; it must be a number of degrees")
        return array.steering(np.array([float(pilot_deg)]))[:, 0]
    if path_gains is None:
        return np.ones(num_elements, np.complex128)
    try:
        response = np.asarray(path_gains, np.complex128)
    except (TypeError, ValueError):
        response = np.zeros(0)
    if response.shape != (num_elements,) or not np.all(np.isfinite(response) & (response != 0)):
        raise ValueError(
            f"path_gains is {path_gains!r}; it must be {num_elements} finite complex numbers other "
            "than 0"
        )
    return response


class _realigner_control(gr.basic_block):
    """Answers the gate's events with orders, and switches the pilot.

    All of it happens in this block's message handler: one event after the other. Time is counted
    in samples, by orders that only wait.
    """

    def __init__(
        self, gate, response, snapshots, sample_rate, settle_s, switch, min_ratio_db, reference
    ):
        gr.basic_block.__init__(self, "realigner_control", None, None)
        self._gate = gate
        self._response = response
        self._half = max(snapshots // 2, 1)
        self._sample_rate = sample_rate
        self._settle = round(settle_s * sample_rate)
        self._switch = switch
        self._min_ratio_db = min_ratio_db
        self._reference = reference
        self._log = gr.logger("phase_realigner")

        self._closure = None
        self._step = None
        self._failures = 0
        self._background = None
        self._halves = []
        self._is_pilot_on = False
        self._switched_at = None  # (seconds, fraction) of the radio's clock
        self._lock = threading.Lock()  # guards the next two
        self._state = "waiting for samples"
        self._counters = {"closed": 0, "aligned": 0, "failed": 0}

        self.message_port_register_in(pmt.intern("events"))
        self.set_msg_handler(pmt.intern("events"), self._handle)
        self.message_port_register_out(pmt.intern("calibration"))

    def counters(self):
        with self._lock:
            return dict(self._counters)

    def state(self):
        with self._lock:
            return self._state

    def stop(self):
        # Nobody will switch it off later.
        if self._is_pilot_on:
            self._try_switch(False)
        return True

    def _tell(self, state, counter=None):
        with self._lock:
            self._state = state
            if counter:
                self._counters[counter] += 1

    def _handle(self, message):
        event = pmt.to_python(message)
        if event["event"] == "closed":
            self._closure = event["closure"]
            self._failures = 0
            self._tell(f"held back ({event['reason']}): measuring phases", "closed")
            self._begin()
        elif event["event"] == "opened":
            self._tell("aligned", "aligned")
        elif event["event"] == "measured":
            covariance = event.get("covariance")
            if covariance is not None:
                n = len(self._response)
                covariance = np.reshape(covariance, (n, n), order="F")
            self._step(covariance)

    def _measure(self, discard, snapshots, step):
        self._step = step
        self._gate.measure(self._closure, discard, snapshots, self._switched_at)

    def _begin(self, _=None):
        """What is there without the pilot comes first: a pilot that is not there must not be
        mistaken for one."""
        self._background = None
        if self._switch is None:
            # The pilot is there, but what changed the phases may not be over.
            self._measure(self._settle, self._half, self._take_first)
        elif self._switch_or_fail(False):
            self._measure(self._settle, self._half, self._take_background)

    def _take_background(self, covariance):
        self._background = covariance
        if self._switch_or_fail(True):
            self._measure(self._settle, self._half, self._take_first)

    def _take_first(self, covariance):
        self._halves = [covariance]
        self._measure(0, self._half, self._take_second)

    def _take_second(self, covariance):
        self._halves.append(covariance)
        found = measure_pilot(
            self._halves,
            2 * self._half,
            self._response,
            self._reference,
            self._min_ratio_db,
            self._background,
        )
        if found.status != "ok":
            self._fail(found.status, found.detail)
        elif self._switch is None or self._switch_or_fail(False):
            # Before the samples that it is about.
            self._publish(found)
            gains = calibration(gains=found.gains)
            settle = 0 if self._switch is None else self._settle
            self._gate.open(self._closure, settle, gains, self._switched_at)

    def _try_switch(self, on):
        """What went wrong, or None."""
        try:
            # Off is only sure once it has been.
            self._is_pilot_on = True
            switched_at = self._switch(on)
            self._switched_at = None if switched_at is None else _checked_time(switched_at)
            self._is_pilot_on = on
        except Exception as error:
            return f"switching the pilot {'on' if on else 'off'} failed: {error}"
        return None

    def _switch_or_fail(self, on):
        error = self._try_switch(on)
        if error:
            self._fail("bad_data", error)
        return error is None

    def _fail(self, status, detail):
        if self._is_pilot_on and self._switch is not None:
            self._try_switch(False)
        wait_s = min(_FIRST_WAIT_S * 2.0**self._failures, _LONGEST_WAIT_S)
        self._failures += 1
        if self._failures == 1:
            self._log.warn(f"{status}: {detail}; nothing passes until it is well")
        self._tell(f"held back: {status}: {detail}; again after {wait_s:g} s", "failed")
        self._publish(None, status)
        self._measure(round(wait_s * self._sample_rate), 0, self._begin)

    def _publish(self, found, status="ok"):
        message = pmt.make_dict()
        entries = {"status": pmt.intern(status), "time": pmt.from_double(time.time())}
        if found is not None:
            entries.update(
                sigma_phase_rad=_f32(found.sigma_phase_rad),
                sigma_log_gain=_f32(found.sigma_log_gain),
                receiver_gains=pmt.init_c32vector(len(found.gains), found.gains.tolist()),
            )
        for key, value in entries.items():
            message = pmt.dict_add(message, pmt.intern(key), value)
        self.message_port_pub(pmt.intern("calibration"), message)


def _checked_time(value):
    """(seconds, fraction); ValueError for what is no time."""
    try:
        seconds, fraction = value
        fraction = float(fraction)
        is_time = int(seconds) == seconds >= 0 and 0.0 <= fraction < 1.0
    except (TypeError, ValueError):
        is_time = False
    if not is_time:
        raise ValueError(f"switch returned {value!r}; it must be None or (seconds, fraction)")
    return int(seconds), fraction


def _f32(values):
    return pmt.init_f32vector(len(values), values.tolist())

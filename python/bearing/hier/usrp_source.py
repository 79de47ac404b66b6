# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several USRP channels that sample, tune and start together."""

import math
import threading
import time

import pmt
from gnuradio import gr

from ..bearing_python import calibration, phase_gate
from .channel_taps import check_integer, check_sample_rate
from .sigmf_format import is_number
from .usrp_layouts import LAYOUTS

# Seconds of waiting for a board: a reference takes some to lock.
_LOCK_TIMEOUT_S = 20.0
# Pulses come every second.
_PULSE_TIMEOUT_S = 4.0
_POLL_S = 0.01
# From a command until samples start: time for it to reach every board.
_START_LEAD_S = 0.2
# Of oscillators, after a tune.
_LO_SETTLE_S = 0.02
# Of amplifiers, after a change of gain.
_GAIN_SETTLE_S = 0.005
# A rate that a radio cannot have exactly is off by more.
_RATE_TOLERANCE = 1e-6


def make_uhd_device(device_args, stream_args):
    """GNU Radio's USRP source, which waits for the command to stream.

    device_args : str, UHD's device address. stream_args : dict of cpu_format and channels.
    """
    from gnuradio import uhd

    return uhd.usrp_source(device_args, uhd.stream_args(**stream_args), False)


class usrp_source(gr.hier_block2):
    """N coherent channels of one USRP or several, with a common clock and time.

    Boards get their clock and time from the sources that are named; when all have locked, a pulse
    sets the time of all. Channels are tuned and started by commands for one time. A retune while
    samples flow does the same; samples from before the first command until the oscillators have
    settled are left out, and the next one carries a gap tag. So does a change of gain. Streams of
    several devices are brought together by their times. After a start or a retune phases between
    channels are new unless oscillators are shared: bearing.phase_realigner takes them out. See
    docs/usrp.md.

    Outputs: N complex streams, one an element, in the layout's order of channels, board by board.
    Tags rx_time, rx_freq, rx_rate at a start, after lost samples and after a retune, gap with the
    latter two.

    Parameters
    ----------
    num_elements : int
        N, 2 to 64; the layout's channels, as many as are needed.
    sample_rate : float
        Hz; one that the radio has exactly.
    frequency : float
        Hz, of all channels.
    gain_db : float, or sequence of N float
        Of each channel, dB.
    layout : str
        "x310_twinrx", "n321", "x440", "b210" or "custom".
    device_args : str, or sequence of str
        UHD's device address; for layouts that UHD drives one by one (b210) one for each.
    clock_source, time_source : str
        "auto": "internal" for one board, "external" for several.
    share_lo : bool
        Layouts that can: one channel's oscillators feed all others, through cables where they
        are of another board.
    antennas : sequence of N str, optional
        Of each channel; None: the layout's.
    bandwidth : float
        Analog filters, Hz; 0: as UHD has them.
    subdevices : str
        Layout "custom": UHD's sub-device specification of a board, such as "A:0 B:0".
    tune_lead_s : float
        From a command to tune until it takes effect: long enough for it to reach every board.
    make_device : callable, optional
        make_device(device_args, stream_args) makes a device with the methods of GNU Radio's
        uhd.usrp_source; None: that one.

    Raises
    ------
    ValueError
        Naming the parameter that is wrong.
    RuntimeError
        Of a radio that does not lock, or has another rate or number of boards.
    """

    def __init__(
        self,
        num_elements,
        sample_rate,
        frequency,
        gain_db,
        layout="x310_twinrx",
        device_args="",
        clock_source="auto",
        time_source="auto",
        share_lo=True,
        antennas=None,
        bandwidth=0.0,
        subdevices="",
        tune_lead_s=0.2,
        make_device=None,
    ):
        self._num_elements = check_integer("num_elements", num_elements, 2, 64)
        self._sample_rate = check_sample_rate(sample_rate)
        self._frequency = _check_frequency(frequency)
        self._gains = self._check_gains(gain_db)
        if layout not in LAYOUTS:
            raise ValueError(f"layout is {layout!r}; it must be one of {', '.join(LAYOUTS)}")
        self._layout = LAYOUTS[layout]
        self._boards = _boards(self._layout, num_elements, subdevices)
        self._device_args = _check_device_args(device_args, self._layout, len(self._boards))
        self._clock_source, self._time_source = (
            _check_source(name, value, allowed, len(self._boards))
            for name, value, allowed in (
                ("clock_source", clock_source, self._layout.clock_sources),
                ("time_source", time_source, self._layout.time_sources),
            )
        )
        self._shares_lo = bool(share_lo) and self._layout.can_share_lo
        self._antennas = self._check_antennas(antennas)
        if not is_number(bandwidth) or not bandwidth >= 0:
            raise ValueError(f"bandwidth is {bandwidth!r}; it must be > 0 Hz, or 0 for UHD's own")
        if not is_number(tune_lead_s) or not 0.01 <= tune_lead_s <= 10:
            raise ValueError(f"tune_lead_s is {tune_lead_s!r}; it must be from 0.01 to 10 seconds")
        self._bandwidth = float(bandwidth)
        self._tune_lead_s = float(tune_lead_s)
        if make_device is not None and not callable(make_device):
            raise ValueError(f"make_device is {make_device!r}; it must be callable, or None")

        gr.hier_block2.__init__(
            self,
            "usrp_source",
            gr.io_signature(0, 0, 0),
            gr.io_signature(num_elements, num_elements, gr.sizeof_gr_complex),
        )
        self._devices = self._make_devices(make_device or make_uhd_device)
        self._set_clocks()
        self._set_times()
        self._set_channels()
        self._lock = threading.Lock()  # one retune at a time
        self._gate = phase_gate(num_elements, None, self._sample_rate)
        self._control = _stream_control(self._gate, self._devices)
        self._tune(self._frequency)
        self._wait_for("lo_locked", self._lo_sensors())

        channel = 0
        for device in self._devices:
            for k in range(len(device.channels)):
                self.connect((device.block, k), (self._gate, channel), (self, channel))
                channel += 1
        self.msg_connect(self._gate, "events", self._control, "events")

    def frequency(self):
        """Hz, as it was last set."""
        return self._frequency

    def sample_rate(self):
        """Hz."""
        return self._sample_rate

    def time_now(self):
        """(seconds, fraction) of the first board's clock."""
        return _later(self._devices[0].block.get_time_now(0), 0.0)

    def set_frequency(self, frequency):
        """Tunes all channels at one time, tune_lead_s from now. Hz.

        Where the radio raises, channels may be tuned apart: nothing passes until a tune succeeds.
        """
        frequency = _check_frequency(frequency)
        with self._lock:
            self._tune(frequency)

    def set_gain_db(self, gain_db):
        """One number for all channels, or N; at once.

        Amplifiers have another phase at another gain: samples are left out until all are set,
        and the next one carries a gap tag, so that what is behind realigns.
        """
        gains = self._check_gains(gain_db)
        with self._lock:
            self._control.hold("gain")
            try:
                self._set_gains(gains)
            finally:
                now = self._devices[0].block.get_time_now(0)
                self._control.release("gain", _later(now, _GAIN_SETTLE_S))

    def counters(self):
        """dict of int: passed and held_back (samples of each stream since the start), starts,
        retunes, closed (losses of samples among them)."""
        return {
            "passed": self._gate.passed(),
            "held_back": self._gate.held_back(),
            **self._control.counters(),
        }

    def _set_gains(self, gains):
        for channel, (device, k) in enumerate(self._channels()):
            device.block.set_gain(gains[channel], k)
        self._gains = gains

    def _check_gains(self, gain_db):
        gains = [gain_db] * self._num_elements if is_number(gain_db) else gain_db
        try:
            is_good = len(gains) == self._num_elements and all(map(is_number, gains))
        except TypeError:
            is_good = False
        if not is_good:
            raise ValueError(
                f"gain_db is {gain_db!r}; it must be a number of dB, or one for each of the "
                f"{self._num_elements} channels"
            )
        return [float(gain) for gain in gains]

    def _check_antennas(self, antennas):
        default = [antenna for board in self._boards for _, antenna in board]
        if antennas is None:
            return default
        allowed = self._layout.antennas
        is_list = isinstance(antennas, (list, tuple)) and len(antennas) == self._num_elements
        if not is_list or not all(
            isinstance(name, str) and (not allowed or name in allowed) for name in antennas
        ):
            raise ValueError(
                f"antennas is {antennas!r}; it must be {self._num_elements} names"
                + (f" of {', '.join(allowed)}" if allowed else "")
            )
        return list(antennas)

    def _make_devices(self, make_device):
        devices = []
        step = self._layout.boards_per_device
        for first in range(0, len(self._boards), step):
            boards = self._boards[first : first + step]
            channels = list(range(sum(len(board) for board in boards)))
            block = make_device(
                self._device_args[len(devices)], {"cpu_format": "fc32", "channels": channels}
            )
            if block.get_num_mboards() < len(boards):
                raise RuntimeError(
                    f"device_args {self._device_args[len(devices)]!r}: {len(boards)} boards are "
                    f"needed for {self._num_elements} elements, {block.get_num_mboards()} "
                    "answered"
                )
            devices.append(_device(block, first, boards, channels))
        return devices

    def _channels(self):
        """(device, its channel) of each element."""
        return [(device, k) for device in self._devices for k in device.channels]

    def _each_board(self):
        """(device, its board, its place among all boards)."""
        return [
            (device, board, device.first_board + board)
            for device in self._devices
            for board in range(len(device.boards))
        ]

    def _set_clocks(self):
        for device, board, _ in self._each_board():
            device.block.set_clock_source(self._clock_source, board)
        for device, board, _ in self._each_board():
            device.block.set_time_source(self._time_source, board)
        sensors = [
            (f"board {place}", lambda d=device, b=board: d.block.get_mboard_sensor("ref_locked", b))
            for device, board, place in self._each_board()
            if "ref_locked" in device.block.get_mboard_sensor_names(board)
        ]
        self._wait_for("ref_locked", sensors)

    def _wait_for(self, what, sensors):
        """Until all sensors (name, function that reads it) are true."""
        deadline = time.monotonic() + _LOCK_TIMEOUT_S
        for name, read in sensors:
            while not read().to_bool():
                if time.monotonic() > deadline:
                    raise RuntimeError(
                        f"{name}: {what} is still false after {_LOCK_TIMEOUT_S:g} s; is the "
                        f"{self._clock_source} clock connected?"
                    )
                time.sleep(_POLL_S)

    def _lo_sensors(self):
        return [
            (f"channel {channel}", lambda d=device, k=k: d.block.get_sensor("lo_locked", k))
            for channel, (device, k) in enumerate(self._channels())
            if "lo_locked" in device.block.get_sensor_names(k)
        ]

    def _set_times(self):
        """One pulse sets all boards to the UTC second of the host's clock."""
        from gnuradio import uhd

        first = self._devices[0].block
        if self._time_source == "none":
            first.set_time_now(uhd.time_spec(time.time()))
            return
        # Just after a pulse, so that all wait for the same one, and the host knows its second.
        self._wait_for_pulse(first)
        second = round(time.time())
        if len(self._devices) == 1:
            # It waits for the next pulse, and sets the time of the one after that.
            first.set_time_unknown_pps(uhd.time_spec(second + 2, 0.0))
        else:
            for device in self._devices:
                device.block.set_time_next_pps(uhd.time_spec(second + 1, 0.0))
        self._wait_for_pulse(first)
        times = {
            f"board {place}": device.block.get_time_last_pps(board).get_real_secs()
            for device, board, place in self._each_board()
        }
        if len(set(times.values())) > 1:
            raise RuntimeError(
                "boards disagree on the time of the last pulse: "
                + ", ".join(f"{name}: {seconds:.6f} s" for name, seconds in times.items())
                + f"; does the {self._time_source} pulse reach all of them?"
            )

    def _wait_for_pulse(self, block):
        before = block.get_time_last_pps(0).get_real_secs()
        deadline = time.monotonic() + _PULSE_TIMEOUT_S
        while block.get_time_last_pps(0).get_real_secs() == before:
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"no pulse for {_PULSE_TIMEOUT_S:g} s; is the {self._time_source} time "
                    "source connected?"
                )
            time.sleep(_POLL_S)

    def _set_channels(self):
        for device, board, place in self._each_board():
            names = [name for name, _ in self._boards[place]]
            device.block.set_subdev_spec(" ".join(names), board)
        for device in self._devices:
            device.block.set_samp_rate(self._sample_rate)
            rate = device.block.get_samp_rate()
            if abs(rate - self._sample_rate) > _RATE_TOLERANCE * self._sample_rate:
                raise RuntimeError(
                    f"sample_rate is {self._sample_rate:g} Hz; the nearest that the radio has is "
                    f"{rate:.9g} Hz"
                )
        if self._shares_lo:
            self._share_oscillators()
        self._set_gains(self._gains)
        for channel, (device, k) in enumerate(self._channels()):
            if self._antennas[channel]:
                device.block.set_antenna(self._antennas[channel], k)
        if self._bandwidth:
            for device, k in self._channels():
                device.block.set_bandwidth(self._bandwidth, k)

    def _share_oscillators(self):
        for device in self._devices:
            places = [
                (device.first_board + board, k)
                for board, channels in enumerate(device.boards)
                for k in range(len(channels))
            ]
            for channel, (place, k) in enumerate(places):
                sources = self._layout.other_board_lo if place else self._layout.first_board_lo
                # An output is on before an input needs it.
                if place == 0 and k in self._layout.lo_exports:
                    device.block.set_lo_export_enabled(True, self._layout.lo_name, channel)
                device.block.set_lo_source(sources[k], self._layout.lo_name, channel)

    def _tune(self, frequency):
        from gnuradio import uhd

        # Radios that the host tunes do not wait for the time of the command, and one that gets
        # it too late tunes at once: the gate is closed before, and stays so for as long as it took.
        self._control.hold("tune")
        now = self._devices[0].block.get_time_now(0)
        at = _later(now, self._tune_lead_s)
        for device in self._devices:
            for board in range(len(device.boards)):
                device.block.set_command_time(uhd.time_spec(*at), board)
        try:
            for device, k in self._channels():
                device.block.set_center_freq(uhd.tune_request(frequency), k)
            over = _later(self._devices[0].block.get_time_now(0), 0.0)
        finally:
            for device in self._devices:
                for board in range(len(device.boards)):
                    device.block.clear_command_time(board)
        self._frequency = frequency
        self._control.release("tune", _later(max(at, over), _LO_SETTLE_S))
        if not self._control.is_streaming():
            self._wait_until(at)

    def _wait_until(self, at):
        """What is asked of a board before is about the frequency before."""
        deadline = time.monotonic() + _LOCK_TIMEOUT_S
        while _seconds_between(self._devices[0].block.get_time_now(0), at) > 0:
            if time.monotonic() > deadline:
                raise RuntimeError("the time of the radio does not go on")
            time.sleep(_POLL_S)


class _device:
    """One block of GNU Radio, and the boards and channels behind it."""

    def __init__(self, block, first_board, boards, channels):
        self.block = block
        self.first_board = first_board
        self.boards = boards
        self.channels = channels


class _stream_control(gr.basic_block):
    """Starts all devices at one time, and opens the gate once oscillators have settled."""

    def __init__(self, gate, devices):
        gr.basic_block.__init__(self, "stream_control", None, None)
        self._gate = gate
        self._devices = devices
        self._lock = threading.Lock()  # guards all below
        self._settled_at = None
        self._held_for = set()  # changes that are being made, or failed halfway
        self._closure = None  # the last one that the gate told
        self._is_streaming = False
        self._counters = {"starts": 0, "retunes": 0, "closed": 0}
        for port, handler in (("events", self._handle), ("start", self._issue)):
            self.message_port_register_in(pmt.intern(port))
            self.set_msg_handler(pmt.intern(port), handler)

    def counters(self):
        with self._lock:
            return dict(self._counters)

    def is_streaming(self):
        with self._lock:
            return self._is_streaming

    def hold(self, what):
        """Closes the gate, at the next sample that comes, until release() of the same."""
        with self._lock:
            self._held_for.add(what)
            is_streaming = self._is_streaming
        if is_streaming:
            self._gate.close()

    def release(self, what, settled_at):
        """Has it opened at (seconds, fraction): from there on samples are as they should be."""
        with self._lock:
            self._held_for.discard(what)
            self._settled_at = max(settled_at, self._settled_at or settled_at)
            settled_at = self._settled_at
            self._counters["retunes"] += what == "tune" and self._is_streaming
            closure = None if self._held_for else self._closure
        if closure is not None:
            # For one that is open, or closed anew, it is ignored.
            self._gate.open(closure, 0, calibration(), settled_at)

    def start(self):
        # Devices have no streamer before their own start(); messages come after that of all.
        self._post(pmt.intern("start"), pmt.PMT_T)
        return True

    def stop(self):
        with self._lock:
            self._is_streaming = False
        return True

    def _issue(self, _):
        from gnuradio import uhd

        command = uhd.stream_cmd(uhd.stream_mode.STREAM_MODE_START_CONTINUOUS)
        command.stream_now = False
        now = self._devices[0].block.get_time_now(0)
        command.time_spec = uhd.time_spec(*_later(now, _START_LEAD_S))
        with self._lock:
            self._is_streaming = True
            self._counters["starts"] += 1
        for device in self._devices:
            device.block.issue_stream_cmd(command)

    def _handle(self, message):
        event = pmt.to_python(message)
        if event["event"] != "closed":
            return
        with self._lock:
            self._closure = event["closure"]
            settled_at = self._settled_at
            is_held = bool(self._held_for)
            self._counters["closed"] += 1
        if not is_held:
            self._gate.open(event["closure"], 0, calibration(), settled_at)


def _later(at, seconds):
    """(whole seconds, fraction) that much after a time_spec or such a tuple."""
    whole, fraction = at if isinstance(at, tuple) else (at.get_full_secs(), at.get_frac_secs())
    fraction += seconds
    carry = math.floor(fraction)
    return whole + carry, fraction - carry


def _seconds_between(earlier, later):
    whole, fraction = _later(earlier, 0.0)
    return (later[0] - whole) + (later[1] - fraction)


def _check_frequency(frequency):
    if not is_number(frequency) or not frequency > 0:
        raise ValueError(f"frequency is {frequency!r}; it must be a number > 0 (Hz)")
    return float(frequency)


def _boards(layout, num_elements, subdevices):
    """(sub-device, antenna) of each channel of each board, as many as there are elements."""
    if layout.channels:
        if subdevices:
            raise ValueError(
                f"subdevices is {subdevices!r}; it must be empty unless the layout is custom"
            )
        channels = layout.channels
    else:
        names = subdevices.split() if isinstance(subdevices, str) else []
        if not names or not all(name.count(":") == 1 for name in names):
            raise ValueError(
                f"subdevices is {subdevices!r}; for a custom layout it must be a list such as "
                "'A:0 B:0'"
            )
        channels = tuple((name, "") for name in names)
    most = len(channels) * layout.max_boards
    if num_elements > most:
        raise ValueError(
            f"num_elements is {num_elements}; {layout.max_boards} boards of this layout have "
            f"{most} channels"
        )
    return [
        channels[: num_elements - first] for first in range(0, num_elements, len(channels))
    ]


def _check_device_args(device_args, layout, num_boards):
    """One string for each device."""
    needed = math.ceil(num_boards / layout.boards_per_device)
    args = [device_args] if isinstance(device_args, str) else device_args
    if (
        not isinstance(args, (list, tuple))
        or not all(isinstance(one, str) for one in args)
        or len(args) != needed
    ):
        raise ValueError(
            f"device_args is {device_args!r}; it must be "
            + ("a string" if needed == 1 else f"{needed} strings, one for each device")
        )
    if needed > 1 and len(set(args)) < needed:
        raise ValueError(f"device_args is {device_args!r}; all {needed} devices must differ")
    return list(args)


def _check_source(name, value, allowed, num_boards):
    if value == "auto":
        return "internal" if num_boards == 1 else "external"
    if not isinstance(value, str) or not value or (allowed and value not in allowed):
        raise ValueError(
            f"{name} is {value!r}; it must be auto" + (f", {', '.join(allowed)}" if allowed else "")
        )
    if num_boards > 1 and value in ("internal", "none"):
        raise ValueError(
            f"{name} is {value!r}; {num_boards} boards need one that is common to them"
        )
    return value

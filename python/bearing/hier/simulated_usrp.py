# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for USRPs, for tests and for trying flowgraphs without a radio."""

import threading
import time

import numpy as np
import pmt
from gnuradio import gr

from ..bearing_python import array as array_type
from .channel_taps import check_integer
from .sigmf_format import is_number

_SPEED_OF_LIGHT = 299792458.0  # m/s
# Samples of a source are made in blocks of so many, from the block's own number: devices that
# sample at different paces hear the same signal at the same time.
_BLOCK = 4096
# Seconds that pass with each look at the clock, while no samples do.
_IDLE_STEP_S = 0.05
# Looks at a sensor until a reference or an oscillator has locked.
_LOCK_POLLS = 3
# Seconds that samples stand still at most while a command follows a look at the clock: they pass
# faster than those of a radio, and the command must not come late.
_LONGEST_HOLD_S = 0.5
# By the wall clock, of a call while which samples are to go on.
_LONGEST_CALL_S = 30.0
# Of the clock that counts samples, at power-on of the boards.
_EPOCH = 1000.0
_PHASES = ("channel", "board", "fixed")


class simulated_usrps:
    """Radios on one network, before one array: make_device is for bearing.usrp_source.

    They do what is done wrong to real ones: they refuse to stream before the time is set, to
    tune channels without a command time, commands for times that are over, and channels,
    antennas and boards that are not there (RuntimeError). Each start and each tune gives channels
    new phases. Time passes with the samples, however fast they are taken, unless throttle is set.

    Parameters
    ----------
    array : bearing.array
        Of N elements, in the order of channels; with a wavelength it is heard at the frequency
        that is tuned to.
    angles_deg : sequence of float
        Azimuths of signals, white in the band.
    snr_db : float
        Of each at an element.
    phases : str
        What has a phase of its own after a start or a tune: each "channel", each "board", or
        nothing ("fixed": shared oscillators; phases are those of the frequency).
    pilot : str
        "splitter": switch_pilot(True) puts a noise source in place of the antennas; "emitter": a
        transmitter at pilot_deg is on the air.
    pilot_deg, pilot_snr_db : float
    path_gains : sequence of N complex, optional
        From the splitter to the receivers; None: equal.
    channels_per_board : int
    latency : int
        Samples from switch_pilot() until the pilot is switched.
    seed : int
    throttle : bool
        Samples come no faster than the sample rate by the wall clock.
    tunes_at_once : bool
        As radios do that the host tunes: the frequency changes at the beginning of the call,
        whatever the command time; the tag comes when the call is over.
    tune_call_s : float
        By the radio's clock, that a call to tune takes while samples flow. A command that comes
        too late is obeyed at once.

    Attributes
    ----------
    calls : list of (device, method, arguments, command time in seconds or None), in order.
    gains : N complex128, in force at the last sample made.
    """

    def __init__(
        self,
        array,
        angles_deg,
        snr_db=20.0,
        phases="channel",
        pilot="splitter",
        pilot_deg=0.0,
        pilot_snr_db=40.0,
        path_gains=None,
        channels_per_board=4,
        latency=1000,
        seed=1,
        throttle=False,
        tunes_at_once=False,
        tune_call_s=0.0,
    ):
        if not isinstance(array, array_type):
            raise ValueError(f"array is {array!r}; it must be a bearing.array")
        if phases not in _PHASES:
            raise ValueError(f"phases is {phases!r}; it must be one of {', '.join(_PHASES)}")
        if pilot not in ("splitter", "emitter"):
            raise ValueError(f"pilot is {pilot!r}; it must be splitter or emitter")
        for name, value in (
            ("snr_db", snr_db),
            ("pilot_deg", pilot_deg),
            ("pilot_snr_db", pilot_snr_db),
            ("tune_call_s", tune_call_s),
        ):
            if not is_number(value):
                raise ValueError(f"{name} is {value!r}; it must be a number")
        self.array = array
        self.throttle = bool(throttle)
        self.tunes_at_once = bool(tunes_at_once)
        self.tune_call_s = float(tune_call_s)
        self.channels_per_board = check_integer("channels_per_board", channels_per_board, 1, 64)
        self.latency = check_integer("latency", latency, 0, 2**31 - 1)
        self.calls = []
        self._seed = check_integer("seed", seed, 0, 2**31 - 1)
        self._random = np.random.default_rng(self._seed)
        self._phases = phases
        self._angles = np.asarray(angles_deg, float)
        self._amplitude = 10.0 ** (snr_db / 20.0)
        self._pilot = pilot
        self._pilot_deg = float(pilot_deg)
        self.pilot_amplitude = 10.0 ** (pilot_snr_db / 20.0)
        self._paths = np.ones(array.n) if path_gains is None else np.asarray(path_gains, complex)
        # Of receivers: they stay.
        self._magnitudes = 10.0 ** (self._random.uniform(-1.0, 1.0, array.n) / 20.0)
        self._cables = np.exp(2j * np.pi * self._random.random(array.n))
        self.gains = self._magnitudes * self._cables

        self.lock = threading.RLock()  # of all below, and of the devices
        self.devices = []
        self.rate = None
        self.held_until = 0.0  # by the monotonic clock
        self._idle_s = _EPOCH
        self._switches = [(0, False)]  # (sample, on), in order, the last ones
        self._blocks = {}
        self._drawn = {}

    def make_device(self, device_args, stream_args):
        """A stand-in for gnuradio.uhd.usrp_source, with the next channels of the array."""
        first = sum(device.num_channels for device in self.devices)
        count = len(stream_args["channels"])
        if first + count > self.array.n:
            raise RuntimeError(f"no device at {device_args!r}: the array has no more elements")
        device = _simulated_usrp(self, len(self.devices), first, count)
        self.devices.append(device)
        return device

    def switch_pilot(self, on):
        """Puts the pilot on or off, latency samples from now; returns the time by the first
        device's clock, (seconds, fraction)."""
        with self.lock:
            # Before the first samples there is nothing that could be late.
            place = self.sample_now() + self.latency if self.rate else 0
            self._switches = self._switches[-8:] + [(place, bool(on))]
            self.calls.append((None, "switch_pilot", (bool(on),), None))
            return self.devices[0].time_at(self.sample_now()) if self.rate else None

    def lose(self, device, samples):
        """So many samples of a device are lost from its next one on: an overflow."""
        with self.lock:
            self.devices[device].to_lose += int(samples)

    # What follows is called by the devices, under the lock.

    def clock(self, passes=False):
        """Seconds since power-on; looking at it takes time while no samples do."""
        if not any(device.is_streaming for device in self.devices):
            self._idle_s += _IDLE_STEP_S if passes else 0.0
        places = [device.place for device in self.devices if device.place is not None]
        if places and self.rate:
            self._idle_s = max(self._idle_s, max(places) / self.rate)
        return self._idle_s

    def sample_now(self):
        return round(self.clock() * self.rate)

    def new_phases(self, key, channels, frequency):
        """Of channels that start, or are tuned, at one time."""
        turns = np.zeros(self.array.n)
        drawn = self._drawn.setdefault(key, self._random.random(self.array.n))
        if self._phases == "channel":
            turns = drawn
        elif self._phases == "board":
            boards = np.arange(self.array.n) // self.channels_per_board
            turns = drawn[boards]
        else:
            fixed = np.random.default_rng([self._seed, int(frequency)])
            turns = fixed.random(self.array.n)
        return (self._magnitudes * self._cables * np.exp(2j * np.pi * turns))[channels]

    def is_pilot_on(self, sample):
        return [on for place, on in self._switches if place <= sample][-1]

    def next_switch(self, sample):
        return min((place for place, _ in self._switches if place > sample), default=None)

    def _block(self, source, number):
        key = (source, number)
        if key not in self._blocks:
            random = np.random.default_rng([self._seed, source, number])
            pair = random.standard_normal((2, _BLOCK)) / np.sqrt(2.0)
            if len(self._blocks) >= 64:
                self._blocks.pop(next(iter(self._blocks)))
            self._blocks[key] = pair[0] + 1j * pair[1]
        return self._blocks[key]

    def signal(self, source, first, count):
        """Samples [first, first + count) of a source, power 1."""
        numbers = range(first // _BLOCK, (first + count - 1) // _BLOCK + 1)
        whole = np.concatenate([self._block(source, number) for number in numbers])
        start = first - numbers[0] * _BLOCK
        return whole[start : start + count]

    def scene(self, channels, frequencies, first, count):
        """What ideal receivers hear, without their noise: channels x count."""
        on = self.is_pilot_on(first)
        heard = np.zeros((len(frequencies), count), complex)
        # On the air, so many at most: sources, and an emitter.
        directions = [] if on and self._pilot == "splitter" else list(enumerate(self._angles))
        amplitudes = [self._amplitude] * len(directions)
        if on and self._pilot == "emitter":
            directions.append((len(self._angles), self._pilot_deg))
            amplitudes.append(self.pilot_amplitude)
        for (source, angle), amplitude in zip(directions, amplitudes):
            signal = amplitude * self.signal(source, first, count)
            heard += self._steering(angle, frequencies[0])[channels, None] * signal
        if on and self._pilot == "splitter":
            noise = self.pilot_amplitude * self.signal(len(self._angles), first, count)
            heard += self._paths[channels, None] * noise
        return heard

    def _steering(self, angle, frequency):
        array = self.array
        if array.wavelength:
            array = array_type.custom(array.positions, wavelength=_SPEED_OF_LIGHT / frequency)
        return array.steering(np.array([angle]))[:, 0]


class _sensor:
    def __init__(self, value):
        self._value = value

    def to_bool(self):
        return self._value


class _simulated_usrp(gr.sync_block):
    """The methods of gnuradio.uhd.usrp_source that bearing.usrp_source calls."""

    def __init__(self, network, number, first, count):
        gr.sync_block.__init__(self, f"simulated_usrp{number}", None, [np.complex64] * count)
        self._network = network
        self._number = number
        self._first = first
        self.num_channels = count
        self.num_boards = -(-count // network.channels_per_board)
        self.channels = slice(first, first + count)
        self.is_streaming = False
        self.place = None  # sample that comes next, since power-on
        self.to_lose = 0
        self._has_streamer = False
        # Seconds by each board's own clock less those since power-on: nobody has set them.
        self._offsets = list(network._random.uniform(0.0, 1e6, self.num_boards))
        self._pending = [None] * self.num_boards  # (clock, new offset) at a pulse
        self._is_time_set = False
        self._command_times = [None] * self.num_boards
        self._sources = {}
        self._polls = {}
        self._tunes = []  # (sample, channel, frequency), in order
        self._frequencies = np.full(count, np.nan)
        self._gains = np.ones(count, complex)
        self._random = np.random.default_rng([network._seed, 1000 + number])
        self._tag_now = False
        self._wall = None

    # Clocks.

    def _note(self, method, *arguments, board=0):
        command_time = self._command_times[board]
        self._network.calls.append((self._number, method, arguments, command_time))

    def _board(self, board):
        if not 0 <= board < self.num_boards:
            raise RuntimeError(f"there is no board {board}")
        return board

    def _channel(self, channel):
        if not 0 <= channel < self.num_channels:
            raise RuntimeError(f"there is no channel {channel}")
        return channel

    def _time(self, board, passes=False):
        """Seconds by a board's clock."""
        clock = self._network.clock(passes)
        pending = self._pending[board]
        if pending and clock >= pending[0]:
            self._offsets[board] = pending[1]
            self._pending[board] = None
        return clock + self._offsets[board]

    def get_num_mboards(self):
        return self.num_boards

    def set_clock_source(self, source, mboard=0):
        self._note("set_clock_source", source, self._board(mboard))
        self._polls[("ref_locked", mboard)] = 0

    def set_time_source(self, source, mboard=0):
        self._note("set_time_source", source, self._board(mboard))
        self._sources[mboard] = source

    def get_mboard_sensor_names(self, mboard=0):
        return ["ref_locked"]

    def get_mboard_sensor(self, name, mboard=0):
        return self._poll(name, self._board(mboard))

    def get_sensor_names(self, chan=0):
        return ["lo_locked"]

    def get_sensor(self, name, chan=0):
        return self._poll(name, self._channel(chan))

    def _poll(self, name, where):
        with self._network.lock:
            self._network.clock(passes=True)
            polls = self._polls.get((name, where), 0)
            self._polls[(name, where)] = polls + 1
        return _sensor(polls >= _LOCK_POLLS)

    def get_time_now(self, mboard=0):
        from gnuradio import uhd

        with self._network.lock:
            seconds = self._time(self._board(mboard), passes=True)
            self._network.held_until = time.monotonic() + _LONGEST_HOLD_S
        return uhd.time_spec(int(seconds), seconds % 1.0)

    def get_time_last_pps(self, mboard=0):
        from gnuradio import uhd

        # Pulses come with the whole seconds since power-on.
        with self._network.lock:
            self._time(self._board(mboard), passes=True)
            seconds = np.floor(self._network.clock()) + self._offsets[mboard]
        return uhd.time_spec(float(seconds))

    def set_time_now(self, time_spec, mboard=None):
        with self._network.lock:
            self._note("set_time_now", time_spec.get_real_secs())
            if self.num_boards > 1:
                raise RuntimeError("boards that are set one by one do not have the same time")
            self._offsets[0] = time_spec.get_real_secs() - self._network.clock()
            self._is_time_set = True

    def set_time_unknown_pps(self, time_spec):
        with self._network.lock:
            self._note("set_time_unknown_pps", time_spec.get_real_secs())
            self._set_at_pulse(time_spec)
            # It returns after the pulse.
            while any(self._pending):
                for board in range(self.num_boards):
                    self._time(board, passes=True)

    def set_time_next_pps(self, time_spec):
        with self._network.lock:
            self._note("set_time_next_pps", time_spec.get_real_secs())
            self._set_at_pulse(time_spec)

    def _set_at_pulse(self, time_spec):
        if self._network.clock() % 1.0 > 0.9:
            self._network._idle_s += 0.2  # too near: real ones wait as well
        pulse = np.floor(self._network.clock()) + 1.0
        for board in range(self.num_boards):
            if self._sources.get(board, "none") == "none":
                raise RuntimeError(f"board {board} has no time source")
            self._pending[board] = (pulse, time_spec.get_real_secs() - pulse)
        self._is_time_set = True

    def set_command_time(self, time_spec, mboard=0):
        with self._network.lock:
            at = time_spec.get_real_secs()
            if at < self._time(self._board(mboard)):
                raise RuntimeError("the command time is over")
            self._command_times[mboard] = at
            self._note("set_command_time", at, mboard, board=mboard)

    def clear_command_time(self, mboard=0):
        self._note("clear_command_time", self._board(mboard), board=mboard)
        self._network.held_until = 0.0
        self._command_times[mboard] = None

    # Channels.

    def set_subdev_spec(self, spec, mboard=0):
        self._note("set_subdev_spec", spec, self._board(mboard))

    def set_samp_rate(self, rate):
        self._note("set_samp_rate", rate)
        self._network.rate = float(rate)

    def get_samp_rate(self):
        return self._network.rate

    def set_gain(self, gain, chan=0):
        self._note("set_gain", gain, self._channel(chan))

    def set_antenna(self, antenna, chan=0):
        self._note("set_antenna", antenna, self._channel(chan))

    def set_bandwidth(self, bandwidth, chan=0):
        self._note("set_bandwidth", bandwidth, self._channel(chan))

    def set_lo_source(self, source, name, chan=0):
        self._note("set_lo_source", source, name, self._channel(chan))

    def set_lo_export_enabled(self, enabled, name, chan=0):
        self._note("set_lo_export_enabled", enabled, name, self._channel(chan))

    def get_center_freq(self, chan=0):
        return float(self._frequencies[self._channel(chan)])

    def set_center_freq(self, tune_request, chan=0):
        with self._network.lock:
            board = self._channel(chan) // self._network.channels_per_board
            frequency = float(tune_request)
            self._note("set_center_freq", frequency, chan, board=board)
            at = self._command_times[board]
            if at is None:
                raise RuntimeError(f"channel {chan} was tuned without a command time")
            place = round((at - self._offsets[board]) * self._network.rate)
            self._polls[("lo_locked", chan)] = 0
            if not self.is_streaming:
                self._tune(place, chan, frequency)
                return
            if self._network.tunes_at_once:
                self._tune(self.place, chan, frequency)
        self._let_pass(self._network.tune_call_s)
        with self._network.lock:
            if not self._network.tunes_at_once:
                self._tunes.append((max(place, self.place), chan, frequency))
            # As GNU Radio's source has it: tags come at once, the frequency later.
            self._tag_now = True

    def _let_pass(self, seconds):
        """Samples go on meanwhile."""
        if seconds <= 0.0:
            return
        self._network.held_until = 0.0
        until = self.place + seconds * self._network.rate
        deadline = time.monotonic() + _LONGEST_CALL_S
        while self.place < until and self.is_streaming and time.monotonic() < deadline:
            time.sleep(0.001)

    def _tune(self, place, channel, frequency):
        whole = slice(self._first + channel, self._first + channel + 1)
        self._frequencies[channel] = frequency
        self._gains[channel] = self._network.new_phases(place, whole, frequency)[0]
        self._network.gains[whole] = self._gains[channel]

    # Samples.

    def start(self):
        with self._network.lock:
            self._has_streamer = True
            self._tag_now = True
        return True

    def stop(self):
        with self._network.lock:
            self.is_streaming = False
            self._has_streamer = False
        return True

    def issue_stream_cmd(self, cmd):
        with self._network.lock:
            at = cmd.time_spec.get_real_secs()
            self._note("issue_stream_cmd", at)
            times = {self._time(board) for board in range(self.num_boards)}
            if not self._has_streamer:
                raise RuntimeError("there is no streamer yet")
            if not self._is_time_set or max(times) - min(times) > 1e-6:
                raise RuntimeError("samples were to start before boards had the same time")
            if cmd.stream_now:
                raise RuntimeError("channels that start at once do not start together")
            if at < max(times):
                raise RuntimeError("the time to start is over")
            if np.any(np.isnan(self._frequencies)):
                raise RuntimeError("samples were to start before all channels were tuned")
            self.place = round((at - self._offsets[0]) * self._network.rate)
            self.is_streaming = True
            if all(device.is_streaming for device in self._network.devices):
                self._network.held_until = 0.0
            for channel in range(self.num_channels):
                self._tune(("start", self.place), channel, self._frequencies[channel])
            self._wall = (time.monotonic(), self.place)
            self._tag_now = True

    def work(self, input_items, output_items):
        wanted = len(output_items[0])
        with self._network.lock:
            is_held = not self._network.throttle and time.monotonic() < self._network.held_until
            if self.is_streaming and not is_held:
                return self._make(output_items, wanted)
        time.sleep(0.001)  # as a real one waits for packets
        return 0

    def _make(self, output_items, wanted):
        network = self._network
        if network.throttle:
            # Some at a time, so that displays move.
            wanted = min(wanted, max(int(network.rate / 50), 1))
        if self.to_lose:
            self.place += self.to_lose
            self.to_lose = 0
            self._tag_now = True
        while self._tunes and self._tunes[0][0] <= self.place:
            self._tune(*self._tunes.pop(0))
        changes = [tune[0] for tune in self._tunes[:1]] + [network.next_switch(self.place)]
        count = min([wanted] + [change - self.place for change in changes if change is not None])
        heard = network.scene(self.channels, self._frequencies, self.place, count)
        noise = self._random.standard_normal((2, self.num_channels, count), np.float32)
        samples = heard + (noise[0] + 1j * noise[1]) / np.sqrt(2.0)
        for out, row, gain in zip(output_items, samples, self._gains):
            out[:count] = gain * row
        if self._tag_now:
            self._tag_now = False
            self._write_tags()
        self.place += count
        if network.throttle:
            started, first = self._wall
            network.lock.release()
            try:
                ahead = started + (self.place - first) / network.rate - time.monotonic()
                time.sleep(max(ahead, 0.0))
            finally:
                network.lock.acquire()
        return count

    def time_at(self, place):
        """(seconds, fraction) by the first board's clock of a sample."""
        rate = self._network.rate
        seconds, rest = divmod(place, round(rate))
        whole, offset = divmod(self._offsets[0], 1.0)
        carry, fraction = divmod(offset + rest / rate, 1.0)
        return int(seconds + whole + carry), fraction

    def _write_tags(self):
        rate = self._network.rate
        seconds, fraction = self.time_at(self.place)
        stamp = pmt.make_tuple(pmt.from_uint64(seconds), pmt.from_double(fraction))
        # What has been tuned to is told before it is in force.
        told = self._frequencies.copy()
        for _, channel, frequency in self._tunes:
            told[channel] = frequency
        for channel in range(self.num_channels):
            for key, value in (
                ("rx_time", stamp),
                ("rx_rate", pmt.from_double(rate)),
                ("rx_freq", pmt.from_double(told[channel])),
            ):
                self.add_item_tag(
                    channel, self.nitems_written(channel), pmt.intern(key), value
                )

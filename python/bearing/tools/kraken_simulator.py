# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KrakenSDR server without a KrakenSDR: both protocols of the Heimdall server, and what goes wrong
with them.

Its antennas are those of a bearing.array, bearings are clockwise from its +y as everywhere here.
The KrakenSDR's own programs count counter-clockwise from antenna 0, which is +y here: a bearing of
288° is their 72°. Circles are numbered clockwise in both.
"""

import dataclasses
import json
import math
import select
import socket
import struct
import threading
import time

import numpy as np

from ..bearing_python import array as antenna_array
from ..hier.sigmf_format import SPEED_OF_LIGHT

# Header of a v1 frame, a C structure with its pads written out, and its sizes.
_V1_HEADER = struct.Struct("<II16sIII4xQQQI4xQIIQIII32IIIII192II")
_V1_SYNC_WORD = 0x2BF7B95A
_V1_VERSION = 7
_V1_MESSAGE_SIZE = 128
_DATA, _DUMMY, _RAMP, _CAL, _TRIGGER = range(5)
_TRACK, _IQ_CAL = 6, 4  # sync_state

_V2_HEADER = struct.Struct(">8I")
_V2_MAGIC = 0x4D434851
_V2_TUNING = struct.Struct("<ff")
_CONVERGED = 4  # phase_state
# A retune: what the server goes through, as (phase_state, noise source, retuning).
_V2_RETUNE = ((5, 0, 1), (5, 0, 0), (0, 1, 0), (1, 1, 0), (3, 1, 0), (3, 0, 0))
# The same in v1: frame types.
_V1_RETUNE = (_DUMMY, _DUMMY, _CAL, _CAL)
_V2_STATUS_INTERVAL = 0.5

# What clients may set; the wire would take more than an antenna does.
_FREQUENCIES = 1e3, 1e12
_MOST_GAIN_DB = 200.0

# A thread that waits looks so often, in seconds, whether it is to stop.
_POLL = 0.05
# Samples of each waveform that frames are cut out of.
_POOL = 1 << 18

# Kinds of fault, and those that a frame of either protocol has.
FAULTS = {
    "close": "close the connection after `offset` bytes of the frame",
    "stall": "send nothing more after `offset` bytes of the frame",
    "sync_word": "start the header wrongly",
    "length": "announce an absurd number of samples",
    "channels": "announce one channel more, and send it",
    "cal": "send a calibration frame of `value` samples (65536) in its place",
    "dummy": "send a header without samples in its place",
    "ramp": "send a test pattern in its place",
    "trigger": "send a trigger frame in its place",
    "not_sample_synchronous": "say that channels are not aligned to the sample",
    "not_phase_synchronous": "say that channels are not aligned in phase",
    "noise_source": "say that the noise source is on",
    "retuning": "say that the tuner is being tuned",
    "phase_state": "say that the phase state is `value`",
    "overdrive": "say that the channels in the mask `value` are overdriven",
    "drop": "leave the frame out",
}
V1_FAULTS = set(FAULTS) - {"retuning", "phase_state"}
V2_FAULTS = set(FAULTS) - {
    "cal", "dummy", "ramp", "trigger", "not_sample_synchronous", "not_phase_synchronous",
    "overdrive", "drop",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class simulator_fault:
    """Something that goes wrong.

    kind: of FAULTS. frame: number of the frame in its connection, from 0. every: 0: once, in the first
    connection that comes so far, in the first frame from there on that is sent; n: at this frame and every n-th one after it. offset: bytes that are
    sent before (close, stall). value: see FAULTS.
    """

    kind: str
    frame: int = 3
    every: int = 0
    offset: int = 0
    value: int = None

    def __post_init__(self):
        if self.kind not in FAULTS:
            raise ValueError(f"kind is {self.kind!r}; it must be one of {', '.join(FAULTS)}")
        for name in ("frame", "every", "offset"):
            if not 0 <= getattr(self, name) < 2**31:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be >= 0")

    @classmethod
    def from_text(cls, text):
        """Of "kind", "kind:frame=5" or "kind:frame=5,every=10,offset=12,value=1"."""
        kind, _, rest = text.partition(":")
        values = {}
        for item in filter(None, rest.split(",")):
            name, _, number = item.partition("=")
            if name not in ("frame", "every", "offset", "value"):
                raise ValueError(f"{text!r}: {name!r} is none of frame, every, offset, value")
            values[name] = int(number)
        return cls(kind, **values)


class _gone(Exception):
    """The client has closed its connection, or is to be left."""


class _connection:
    """A client's socket, which a stop or an outage ends at once."""

    def __init__(self, client, is_over):
        self._socket = client
        self._is_over = is_over
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self._socket.close()

    def is_readable(self, seconds=0.0):
        return bool(select.select([self._socket], [], [], seconds)[0])

    def receive(self, size):
        """What has come, waiting for it."""
        while not self._is_over():
            if self.is_readable(_POLL):
                try:
                    data = self._socket.recv(size)
                except OSError as error:
                    raise _gone from error
                if not data:
                    raise _gone
                return data
        raise _gone

    def send(self, *parts):
        for part in parts:
            left = memoryview(part).cast("B")
            while left:
                if self._is_over():
                    raise _gone
                if not select.select([], [self._socket], [], _POLL)[1]:
                    continue
                try:
                    left = left[self._socket.send(left) :]
                except BlockingIOError:
                    continue
                except OSError as error:
                    raise _gone from error

    def stall(self):
        """Sends nothing until the client goes."""
        while True:
            self.receive(65536)


class kraken_simulator:
    """Serves samples of transmitters around an array, in a thread, as a KrakenSDR's server would.

    protocol : "v1" or "v2"
    bearings_deg : azimuths of the transmitters, degrees clockwise from the array's +y
    array : bearing.array in metres (built with a wavelength); None: a circle of num_elements
        antennas with radius_m
    frequency : Hz, until a client sets another; the waves follow it
    snr_db : per element, of each transmitter
    num_samples : of each channel in a frame; None: 4096 in v1, 16384 in v2
    sample_rate : Hz, that the headers (v2: the control port) tell
    pace : times real time at which frames come; None: as fast as they are taken. A v1 client that is
        late misses frames; v2 waits for it
    gains : complex errors of the channels, one each
    phase_jumps : channels have other phases, which nobody knows, after each outage
    cal_every, cal_length : v1: every so many frames so many calibration frames of 65536 samples
    dummy_every : v1: every so many frames one without samples
    drop_every : v1: every so many frames one is left out, as when the network is slow
    retune : go through the states of a real server when the frequency or a gain is set
    faults : simulator_fault or texts as its from_text() takes
    outage_every_s, outage_s : the server is gone for so long, every so often; 0: never
    answers : the control port answers
    seed : of the samples
    host, data_port, control_port : to listen at; port 0: the system chooses

    counters : dict of str to int; samples_produced of each channel are those of all frames from
        the first to the last one sent in each connection, those left out included.

    Raises ValueError naming the parameter.
    """

    def __init__(
        self,
        protocol="v1",
        bearings_deg=(288.0,),
        array=None,
        frequency=433.92e6,
        snr_db=20.0,
        num_samples=None,
        sample_rate=2.4e6,
        pace=1.0,
        gains=None,
        phase_jumps=False,
        cal_every=0,
        cal_length=10,
        dummy_every=0,
        drop_every=0,
        retune=False,
        faults=(),
        outage_every_s=0.0,
        outage_s=1.0,
        answers=True,
        num_elements=5,
        radius_m=0.25,
        seed=1,
        host="127.0.0.1",
        data_port=0,
        control_port=0,
    ):
        if protocol not in ("v1", "v2"):
            raise ValueError(f"protocol is {protocol!r}; it must be 'v1' or 'v2'")
        if pace is not None and not (math.isfinite(pace) and pace > 0):
            raise ValueError(f"pace is {pace}; it must be above 0, or None")
        for name, value in (("frequency", frequency), ("sample_rate", sample_rate)):
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"{name} is {value}; it must be above 0 Hz")
        low, high = _FREQUENCIES
        if not low <= frequency <= high:
            raise ValueError(f"frequency is {frequency}; it must be from 1 kHz to 1 THz")
        if array is None:
            array = antenna_array.uca(num_elements, radius_m, SPEED_OF_LIGHT / frequency)
        if array.wavelength is None:
            raise ValueError("array has no wavelength; its geometry must be in metres")
        if num_samples is None:
            num_samples = 4096 if protocol == "v1" else 16384
        if not 1 <= num_samples <= 1 << 20:
            raise ValueError(f"num_samples is {num_samples}; it must be from 1 to {1 << 20}")
        faults = [simulator_fault.from_text(f) if isinstance(f, str) else f for f in faults]
        known = V1_FAULTS if protocol == "v1" else V2_FAULTS
        for fault in faults:
            if fault.kind not in known:
                raise ValueError(f"faults has {fault.kind!r}, which {protocol} does not have")
        gains = np.ones(array.n) if gains is None else np.asarray(gains, complex)
        if gains.shape != (array.n,):
            raise ValueError(f"gains has {gains.size} values; there are {array.n} elements")

        self.protocol = protocol
        self.array = array
        self.num_samples = num_samples
        self.sample_rate = float(sample_rate)
        self.pace = pace
        self.host = host
        self.data_port, self.control_port = data_port, control_port
        self.counters = dict.fromkeys(
            (
                "connections", "frames_sent", "data_frames", "other_frames", "frames_left_out",
                "samples_produced", "faults", "control_commands", "control_errors", "outages",
            ), 0,
        )  # fmt: skip
        self._frequency = float(frequency)
        self._gains_db = [0.0] * array.n
        self._gains = gains
        self._phase_jumps = phase_jumps
        self._cal_every, self._cal_length = cal_every, cal_length
        self._dummy_every, self._drop_every = dummy_every, drop_every
        self._has_retune = retune
        self._faults = faults
        self._outage_every_s, self._outage_s = outage_every_s, outage_s
        self._answers = answers

        self._random = np.random.default_rng(seed)
        self._snr_db = snr_db
        self._bearings_deg = list(np.atleast_1d(np.asarray(bearings_deg, float)))
        self._lock = threading.Lock()  # guards what follows, and the counters
        self._retune_left = []
        self._tunings = 0
        self._index = 0
        self._mixing = None
        self._is_stopping = threading.Event()
        self._is_out = threading.Event()
        self._thread_lock = threading.Lock()  # guards the next
        self._threads = []
        self._noise = None
        self._make_noise()

    # What the air holds

    def _make_noise(self):
        shape = (self.array.n + len(self._bearings_deg), _POOL + self.num_samples)
        self._noise = self._gaussian(shape)
        self._cal_samples = np.float32(0.2 * math.sqrt(2.0)) * self._gaussian((65536,))

    def _gaussian(self, shape):
        """Complex64, of power 1."""
        parts = self._random.standard_normal((*shape, 2), dtype=np.float32)
        return parts.view(np.complex64)[..., 0] / np.float32(np.sqrt(2.0))

    def _mix(self):
        """Elements x (elements and transmitters), complex64: from waveforms to samples within the
        full scale of 1."""
        n = self.array.n
        waves = self.array.with_wavelength(SPEED_OF_LIGHT / self._frequency)
        mixing = np.zeros((n, 0), complex)
        if self._bearings_deg:
            mixing = waves.steering(np.array(self._bearings_deg)) * 10 ** (self._snr_db / 20)
        mixing = np.concatenate([np.eye(n), mixing], axis=1)
        # Four deviations of the strongest channel are full scale.
        level = 0.25 / math.sqrt(1.0 + len(self._bearings_deg) * 10 ** (self._snr_db / 10))
        return (level * self._gains[:, np.newaxis] * mixing).astype(np.complex64)

    def _payload(self):
        """Bytes of the next frame."""
        with self._lock:
            if self._mixing is None:
                self._mixing = self._mix()
            mixing, noise = self._mixing, self._noise
            starts = self._random.integers(0, _POOL, len(noise))
        # Each waveform from a place of its own: products of two of them hardly ever repeat.
        waveforms = [row[k : k + self.num_samples] for row, k in zip(noise, starts)]
        # Not by a matrix product: the threads of a BLAS would spin between frames.
        n = len(mixing)
        samples = np.stack([mixing[k, k] * waveforms[k] for k in range(n)])
        for k in range(n, len(waveforms)):
            samples += mixing[:, k, np.newaxis] * waveforms[k]
        if self.protocol == "v1":
            return samples.tobytes()
        # As the server rounds: no half step that all channels would have in common.
        values = samples.view(np.float32) * np.float32(127.0) + np.float32(128.0)
        return np.clip(np.rint(values), 0, 255).astype(np.uint8).tobytes()

    @property
    def frequency(self):
        """Hz, as set last."""
        return self._frequency

    @property
    def gains_db(self):
        """Of each channel, as set last."""
        return list(self._gains_db)

    def set_bearing(self, bearing_deg):
        """Puts the first transmitter at another azimuth, degrees clockwise from +y."""
        with self._lock:
            self._bearings_deg[0] = float(bearing_deg)
            self._mixing = None

    def _count(self, **numbers):
        with self._lock:
            for name, number in numbers.items():
                self.counters[name] += number

    def _tune(self, frequency=None, gains_db=None):
        """Whether that could be done."""
        if frequency is not None and not self._takes_frequency(frequency):
            return False
        if gains_db is not None and not all(abs(gain) <= _MOST_GAIN_DB for gain in gains_db):
            return False
        with self._lock:
            if frequency is not None:
                self._frequency = float(frequency)
                self._mixing = None
            if gains_db is not None:
                self._gains_db = gains_db
            self._tunings += 1
            if self._has_retune:
                self._retune_left = list(_V1_RETUNE if self.protocol == "v1" else _V2_RETUNE)
        return True

    def _takes_frequency(self, frequency):
        if not _FREQUENCIES[0] <= frequency <= _FREQUENCIES[1]:
            return False
        try:
            self.array.with_wavelength(SPEED_OF_LIGHT / frequency)
        except ValueError:
            return False  # antennas that are too close together for it
        return True

    # Serving

    def start(self):
        """Listens from now on, at data_port and control_port."""
        listeners = [self._listen("data_port"), self._listen("control_port")]
        self._is_stopping.clear()
        self._is_out.clear()
        serve = self._serve_v1 if self.protocol == "v1" else self._serve_v2
        control = self._control_v1 if self.protocol == "v1" else self._control_v2
        for listener, port, body in zip(
            listeners, ("data_port", "control_port"), (serve, control)
        ):
            self._run(self._accept, listener, port, body)
        if self._outage_every_s > 0:
            self._run(self._have_outages)
        return self

    def stop(self):
        """Closes all connections."""
        self._is_stopping.set()
        while True:
            # Those that listen may start others until they have ended themselves.
            with self._thread_lock:
                threads, self._threads = self._threads, []
            if not threads:
                return
            for thread in threads:
                thread.join()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def go_away(self):
        """The server is gone, as after a power cut, until come_back()."""
        self._count(outages=1)
        self._is_out.set()

    def come_back(self):
        """Listens again, at the same ports."""
        if self._phase_jumps:
            with self._lock:
                turns = self._random.uniform(0.0, 2.0 * math.pi, self.array.n)
                self._gains = np.abs(self._gains) * np.exp(1j * turns)
                self._mixing = None
        self._is_out.clear()

    def _have_outages(self):
        while not self._is_stopping.wait(self._outage_every_s):
            self.go_away()
            self._is_stopping.wait(self._outage_s)
            self.come_back()

    def _run(self, body, *arguments):
        thread = threading.Thread(target=body, args=arguments, daemon=True)
        with self._thread_lock:
            thread.start()
            self._threads = [t for t in self._threads if t.is_alive()] + [thread]

    def _listen(self, port):
        listener = socket.create_server((self.host, getattr(self, port)))
        setattr(self, port, listener.getsockname()[1])
        return listener

    def _listen_again(self, port):
        """At the port of before, which another program may hold for a moment; None: it is to stop."""
        while not self._is_stopping.wait(_POLL):
            try:
                return self._listen(port)
            except OSError:
                continue
        return None

    def _is_over(self):
        return self._is_stopping.is_set() or self._is_out.is_set()

    def _accept(self, listener, port, body):
        """One client after the other in v1, any number of them in v2."""
        while not self._is_stopping.is_set():
            if self._is_out.is_set():
                listener.close()
                while self._is_out.is_set() and not self._is_stopping.wait(_POLL):
                    pass
                if self._is_stopping.is_set():
                    return
                listener = self._listen_again(port)
                if listener is None:
                    return
            if not select.select([listener], [], [], _POLL)[0]:
                continue
            try:
                client = listener.accept()[0]
            except OSError:
                continue
            if self.protocol == "v1":
                self._talk(body, client)
            else:
                self._run(self._talk, body, client)
        listener.close()

    def _talk(self, body, client):
        connection = _connection(client, self._is_over)
        try:
            body(connection)
        except _gone:
            pass
        finally:
            connection.close()

    # Frames

    def _fault_at(self, number, num_skipped=0):
        """The fault that this frame of a connection has, or that frames have which were skipped just
        before it, or None."""
        with self._lock:
            for fault in self._faults:
                if fault.every:
                    since = (number - fault.frame) % fault.every
                    if number - since >= fault.frame and since <= num_skipped:
                        self.counters["faults"] += 1
                        return fault
                elif number >= fault.frame:
                    self._faults.remove(fault)
                    self.counters["faults"] += 1
                    return fault
        return None

    def _send_frame(self, connection, fault, header, payload, is_data):
        """All of a frame, or what a fault leaves of it."""
        if fault is not None and fault.kind in ("close", "stall"):
            connection.send((header + payload)[: fault.offset])
            if fault.kind == "stall":
                connection.stall()
            raise _gone
        connection.send(header, payload)
        self._count(frames_sent=1, **{"data_frames" if is_data else "other_frames": 1})

    def _wait_for_frame(self, connection, start, number):
        """Waits until it is time for a frame; frames that are late by then."""
        if self.pace is None:
            return 0
        interval = self.num_samples / self.sample_rate / self.pace
        while True:
            early = start + number * interval - time.monotonic()
            if early <= 0:
                return int(-early / interval)
            if self._is_over():
                raise _gone
            time.sleep(min(early, _POLL))

    def _v1_header(self, kind, num_samples, is_synchronous, fault):
        what = fault.kind if fault is not None else None
        channels = self.array.n + (what == "channels")
        gains = [round(10 * gain) for gain in self._gains_db] + [0] * (32 - self.array.n)
        is_noise = kind == _CAL or what == "noise_source"
        state = 0 if kind == _DUMMY else _TRACK if is_synchronous else _IQ_CAL
        return _V1_HEADER.pack(
            _V1_SYNC_WORD ^ (what == "sync_word"), kind, b"kraken5", 0, channels, 0,
            round(self._frequency), round(self.sample_rate), round(self.sample_rate),
            0xFFFFFFFF if what == "length" else num_samples, self._time_ms(), self._index,
            self._index, 0, 3, 32, (fault.value or 1) if what == "overdrive" else 0, *gains,
            is_synchronous and what != "not_sample_synchronous",
            is_synchronous and what != "not_phase_synchronous", state, is_noise, *[0] * 192,
            _V1_VERSION,
        )  # fmt: skip

    def _time_ms(self):
        # Counted in samples, as the receiver's clock is another one than the computer's.
        return self._start_ms + round(1e3 * self.counters["samples_produced"] / self.sample_rate)

    def _serve_v1(self, connection):
        if connection.receive(1024) != b"streaming":
            return
        self._count(connections=1)
        kinds = {"dummy": _DUMMY, "ramp": _RAMP, "cal": _CAL, "trigger": _TRIGGER}
        start = time.monotonic()
        self._start_ms = round(1e3 * time.time()) - round(
            1e3 * self.counters["samples_produced"] / self.sample_rate
        )
        number = left_out = 0  # frames since the connection, and those among them not sent
        while True:
            late = self._wait_for_frame(connection, start, number)
            for _ in range(min(late, 1 << 16)):
                # The server goes on while its client does something else.
                number, left_out = number + 1, left_out + 1
                self._leave_out()
            fault = self._fault_at(number, late)
            every = self._drop_every
            if (fault is not None and fault.kind == "drop") or (
                every and number % every == every - 1
            ):
                number, left_out = number + 1, left_out + 1
                self._leave_out()
                continue
            kind, num_samples = _DATA, self.num_samples
            if fault is not None and fault.kind in kinds:
                kind = kinds[fault.kind]
            elif self._retune_left:
                with self._lock:
                    kind = self._retune_left.pop(0)
            elif self._cal_every and number % (self._cal_every + self._cal_length) >= (
                self._cal_every
            ):
                kind = _CAL
            elif self._dummy_every and number % self._dummy_every == self._dummy_every - 1:
                kind = _DUMMY
            payload = b""
            if kind == _DUMMY:
                num_samples = 0
            elif kind == _CAL:
                value = fault.value if fault is not None and fault.kind == "cal" else None
                num_samples = min(value or 65536, 65536)
                payload = np.tile(self._cal_samples[:num_samples], self.array.n).tobytes()
            else:
                payload = self._payload()
            if fault is not None and fault.kind == "channels":
                payload += bytes(8 * num_samples)
            header = self._v1_header(kind, num_samples, kind == _DATA, fault)
            self._send_frame(connection, fault, header, payload, kind == _DATA)
            with self._lock:
                self.counters["samples_produced"] += num_samples
                self._index = (self._index + 1) % 2**32
            number += 1
            if connection.receive(1024) != b"IQDownload":
                return

    def _leave_out(self):
        with self._lock:
            self.counters["samples_produced"] += self.num_samples
            self.counters["frames_left_out"] += 1
            self._index = (self._index + 1) % 2**32

    def _serve_v2(self, connection):
        self._count(connections=1)
        start = time.monotonic()
        number = 0
        while True:
            self._wait_for_frame(connection, start, number)
            fault = self._fault_at(number)
            what = fault.kind if fault is not None else None
            state, noise, retuning = _CONVERGED, 0, 0
            with self._lock:
                if self._retune_left:
                    state, noise, retuning = self._retune_left.pop(0)
            if what == "phase_state":
                state = fault.value or 0
            header = _V2_HEADER.pack(
                _V2_MAGIC ^ (what == "sync_word"),
                self.array.n + (what == "channels"),
                0xFFFFFFFF if what == "length" else self.num_samples,
                state,
                noise or what == "noise_source",
                self._tunings,
                0,
                retuning or what == "retuning",
            )
            payload = self._payload()
            tuning = [_V2_TUNING.pack(self._frequency, gain) for gain in self._gains_db]
            if what == "channels":
                tuning.append(tuning[0])
                payload += bytes(2 * self.num_samples)
            is_data = (state & 0xFF) == _CONVERGED and not (noise or retuning)
            self._send_frame(
                connection, fault, header + b"".join(tuning), payload,
                is_data and what not in ("noise_source", "retuning"),
            )  # fmt: skip
            self._count(samples_produced=self.num_samples)
            number += 1

    # Control

    def _control_v1(self, connection):
        while True:
            message = b""
            # A client of the vendor's sends a shorter one.
            while len(message) < 4:
                message += connection.receive(_V1_MESSAGE_SIZE - len(message))
            command = message[:4]
            self._count(control_commands=1)
            is_done = command in (b"INIT", b"AGC ", b"STHU")
            if command == b"FREQ" and len(message) >= 12:
                is_done = self._tune(frequency=struct.unpack_from("<Q", message, 4)[0])
            elif command == b"GAIN" and len(message) >= 4 + 4 * self.array.n:
                tenths = struct.unpack_from(f"<{self.array.n}I", message, 4)
                is_done = self._tune(gains_db=[value / 10 for value in tenths])
            elif command == b"EXIT":
                return
            if not is_done:
                # A server says so only in its log.
                self._count(control_errors=1)
            if self._answers:
                connection.send(b"FNSD" + bytes(_V1_MESSAGE_SIZE - 4))

    def _control_v2(self, connection):
        text = ""
        next_status = time.monotonic()
        while True:
            if time.monotonic() >= next_status:
                next_status += _V2_STATUS_INTERVAL
                if self._answers:
                    connection.send(self._v2_status())
            if self._is_over():
                raise _gone
            if not connection.is_readable(_POLL):
                continue
            text += connection.receive(4096).decode("utf-8", "replace")
            if len(text) > 65536:
                return
            while text.lstrip():
                try:
                    command, end = json.JSONDecoder().raw_decode(text.lstrip())
                except ValueError:
                    break  # the rest of it is to come
                except RecursionError:
                    return
                text = text.lstrip()[end:]
                answer = self._obey(command)
                if self._answers:
                    connection.send(json.dumps(answer).encode() + b"\n")

    def _v2_status(self):
        settings = {
            "center_freq": round(self._frequency),
            "gain": self._gains_db[0],
            "sample_rate": round(self.sample_rate),
        }
        status = {"settings": settings, "num_channels": self.array.n}
        return json.dumps(status).encode() + b"\n"

    def _obey(self, command):
        self._count(control_commands=1)
        name = command.get("command") if isinstance(command, dict) else None
        number = {"set_frequency": "frequency", "set_gain": "gain"}.get(name)
        value = command.get(number) if number else None
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            self._count(control_errors=1)
            return {"status": "error", "message": "Unknown command"}
        if name == "set_frequency":
            is_done = self._tune(frequency=value)
        else:
            is_done = self._tune(gains_db=[value] * self.array.n)
        if not is_done:
            self._count(control_errors=1)
            return {"status": "error", "message": f"{number} is out of range"}
        return {"status": "success", number: value}

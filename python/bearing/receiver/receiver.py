# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver: its flowgraph, and what keeps it going unattended."""

import collections
import dataclasses
import logging
import pathlib
import threading
import time

from ..bearing_python import __version__, load_calibration
from ..hier.channel_taps import check_integer
from .configured_array import array_kind, learned_calibration_path, make_array, num_elements
from .delivery import bearing_delivery, channel_record
from .flowgraph import receiver_flowgraph
from .flowgraph_watch import flowgraph_watch
from .kept_calibration import kept_calibration
from .output_group import output_group
from .process_load import process_load
from .radios import check_frequency, gain_list, make_radio
from .recent_lines import recent_lines

_log = logging.getLogger(__name__)

# Seconds between two looks at the flowgraph.
_TICK_S = 0.5
# Seconds before a flowgraph that failed is built anew, doubled with each failure up to the last;
# and how long one must run for the next failure to count as the first.
_FIRST_WAIT_S, _LONGEST_WAIT_S, _LONG_RUN_S = 0.5, 60.0, 60.0
# Seconds after which one of the receiver's own threads counts as stuck.
_LATE_S = 90.0  # building a flowgraph takes as long as radios take to lock
# Seconds between items that are learnt from: those that are remembered then are of half a minute,
# in which transmitters in several directions should be heard.
_LEARNING_INTERVAL_S = 0.5

_CHAIN_COUNTERS = ("received", "passed", "closed", "bad_data", "openings", "messages")


class receiver:
    """A direction finder that nobody attends.

    Builds the flowgraph of a receiver_config and watches it: one that failed is built anew, after
    a pause that grows, while calibration, outputs and counters go on. All methods may be called
    from any thread.

    config: receiver_config.
    make_radio: as radios.make_radio, which it is by default.
    make_writer: as bearing.bearing_writer, which it is by default.
    learning_interval_s: seconds between items that self-calibration takes.
    """

    def __init__(
        self,
        config,
        make_radio=make_radio,
        make_writer=None,
        learning_interval_s=_LEARNING_INTERVAL_S,
    ):
        self._config = config
        self._learning_interval_s = learning_interval_s
        self._make_radio = make_radio
        self._outputs = output_group(make_writer)
        self._station, self._station_source = config.station.station(), "config"
        self._delivery = bearing_delivery(self._outputs, self._station)
        # Serialises what builds and ends flowgraphs; never taken by snapshot().
        self._building = threading.RLock()
        # Guards the values below for a moment.
        self._lock = threading.Lock()
        self._graph = None
        self._kept = None
        self._frequency = config.radio.frequency_hz
        self._gain = config.radio.gain_db
        self._rate = None  # that samples turned out to have
        self._num_radios = 0
        self._failure = ""
        self._radio_totals = collections.Counter()
        self._records = [channel_record(channel.name) for channel in config.channels]
        self._num_sources = [channel.num_sources for channel in config.channels]
        self._rebuilds = 0
        self._watcher = None
        self._load = process_load()
        self._process = {"memory_mb": self._load.memory_mb(), "cpu_percent": 0.0}
        self._lines = recent_lines()
        self._began = None
        self._is_running = False
        self._thread = None
        self._beat = 0.0
        self._is_given_up = False
        self._wake = threading.Event()
        self._next_build = 0.0
        self._wait_s = _FIRST_WAIT_S
        self._built_at = 0.0

    # Life

    def start(self):
        """Starts it. Raises ValueError for a configuration that cannot work; a radio that is not
        there is waited for."""
        with self._building:
            if self._is_running:
                return
            logging.getLogger("gnuradio.bearing").addHandler(self._lines)
            try:
                self._kept = self._make_kept(self._config)
                self._outputs.update(
                    self._config.outputs, self._station, array_kind(self._config)
                )
                self._is_running = True
                self._began = time.monotonic()
                self._build(first=True)
            except BaseException:
                self._is_running = False
                self._outputs.stop()
                logging.getLogger("gnuradio.bearing").removeHandler(self._lines)
                raise
            self._wake.clear()
            self._beat = time.monotonic()
            self._delivery.start()
            self._thread = threading.Thread(
                target=self._watch, name="bearing-receiver-watch", daemon=True
            )
            self._thread.start()

    def stop(self):
        """Ends it; bearings that wait are written."""
        with self._building:
            if not self._is_running:
                return
            self._is_running = False
            self._end_graph()
        self._wake.set()
        self._thread.join(_LATE_S)
        self._delivery.stop(_LATE_S)
        self._outputs.stop()
        logging.getLogger("gnuradio.bearing").removeHandler(self._lines)

    def is_healthy(self):
        """Whether the receiver's own threads go on. A radio that is lost is no illness."""
        now = time.monotonic()
        return (
            self._is_running
            and not self._is_given_up
            and now - min(self._beat, self._delivery.beat) < _LATE_S
        )

    # What it tells

    def snapshot(self):
        """All that is known, as plain values for JSON."""
        with self._lock:
            graph, config = self._graph, self._config
            radio = graph.radio if graph is not None else None
            radio_counters = collections.Counter(self._radio_totals)
            if radio is not None:
                radio_counters.update(radio.counters())
            channels = [
                self._channel_snapshot(number, channel, graph)
                for number, channel in enumerate(config.channels)
            ]
        place = self._station
        state, detail = self._radio_state(radio)
        return {
            "time": time.time(),
            "version": __version__,
            "uptime_s": 0.0 if self._began is None else time.monotonic() - self._began,
            "station": {
                "name": place.name,
                "latitude": place.latitude,
                "longitude": place.longitude,
                "altitude_m": place.altitude_m,
                "heading_deg": place.heading_deg,
                "source": self._station_source,
            },
            "radio": {
                "kind": config.radio.kind,
                "state": state,
                "detail": detail,
                "frequency_hz": radio.frequency() if radio is not None else self._frequency,
                "sample_rate_hz": (
                    config.radio.sample_rate_hz if radio is None else radio.sample_rate()
                ),
                "gain_db": _as_list(self._gain),
                "num_elements": graph.array.n if graph is not None else num_elements(config),
                "counters": {**radio_counters, "rebuilds": self._rebuilds},
            },
            "array": {
                "positions_m": graph.array.positions.tolist() if graph is not None else [],
                "kind": array_kind(config),
            },
            "channels": channels,
            "calibration": self._kept.snapshot() if self._kept is not None else None,
            "outputs": self._outputs.snapshot(),
            "delivery": self._delivery.counters(),
            "process": dict(self._process),
            "messages": list(self._lines.lines),
        }

    def _radio_state(self, radio):
        if radio is not None:
            watcher = self._watcher
            is_ended = watcher is not None and watcher.is_ended
            return ("ended", "the recording ended") if is_ended else radio.state()
        return ("failed", self._failure) if self._is_running else ("stopped", "")

    def _channel_snapshot(self, number, config, graph):
        record = self._records[number]
        counters = collections.Counter({name: 0 for name in _CHAIN_COUNTERS})
        counters.update(record.totals)
        chain = graph.channels[number] if graph is not None else None
        if chain is not None:
            counters.update(chain.counters())
        frequency = graph.radio.frequency() if graph is not None else self._frequency
        came = record.bearing_at
        return {
            "name": config.name,
            "frequency_hz": None if frequency is None else frequency + config.offset_hz,
            "offset_hz": config.offset_hz,
            "bandwidth_hz": config.bandwidth_hz or (chain.rate if chain is not None else None),
            "num_sources": self._num_sources[number],
            "squelch_open": _squelch_open(config.squelch, chain),
            "items": counters["received"],
            "counters": {**counters, "bearings": record.delivered, "dropped": record.dropped},
            "bearing": record.bearing,
            "bearing_age_s": None if came is None else time.monotonic() - came,
        }

    def subscribe(self, callback):
        """callback(kind, payload) is called from threads of the receiver's with every "bearing",
        some times a second with a "spectrum" of each channel, and once a second with the
        "state", a snapshot(). It must return soon; what it raises is logged once."""
        self._delivery.subscribe(callback)

    def unsubscribe(self, callback):
        self._delivery.unsubscribe(callback)

    # What it is told

    def command(self, name, **arguments):
        """retune(frequency_hz), set_gain(gain_db), set_num_sources(channel, num_sources): returns
        when it was handed over. Raises ValueError naming what is wrong."""
        wanted = {
            "retune": ("frequency_hz",),
            "set_gain": ("gain_db",),
            "set_num_sources": ("channel", "num_sources"),
        }
        if name not in wanted:
            raise ValueError(f"command is {name!r}; it must be one of {', '.join(wanted)}")
        if set(arguments) != set(wanted[name]):
            raise ValueError(f"{name} takes {' and '.join(wanted[name])}")
        getattr(self, "_" + name)(**arguments)

    def _retune(self, frequency_hz):
        frequency_hz = check_frequency(frequency_hz)
        with self._building:
            if self._config.array is not None:
                try:
                    make_array(self._config, frequency_hz)
                except ValueError as error:
                    raise ValueError(
                        f"frequency_hz is {frequency_hz:g}; the array does not fit: {error}"
                    ) from error
            self._to_radio("retune", frequency_hz, "_frequency", frequency_hz)
            _log.info("tuned to %.6f MHz", frequency_hz / 1e6)

    def _set_gain(self, gain_db):
        with self._building:
            elements = num_elements(self._config)
            if elements is not None:
                gain_list(gain_db, elements, self._config.radio.kind)
            kept = tuple(gain_db) if isinstance(gain_db, list) else gain_db
            self._to_radio("set_gain", gain_db, "_gain", kept)
            _log.info("gain set to %s dB", gain_db)

    def _to_radio(self, method, value, kept_as, kept):
        """Tells the radio, and keeps what it was told for those that come after it."""
        graph = self._graph
        if graph is None and self._config.radio.kind == "file":
            raise ValueError("a recording has its own frequency and gain")
        takes_new_one = getattr(graph.radio, method)(value) if graph is not None else True
        before = getattr(self, kept_as)
        setattr(self, kept_as, kept)
        if not (takes_new_one and self._is_running):
            return
        self._end_graph()
        try:
            # Also where none ran: only a radio can say what it takes.
            self._build(first=True)
        except ValueError:
            setattr(self, kept_as, before)
            if graph is not None:
                self._build()
            raise

    def _set_num_sources(self, channel, num_sources):
        names = [config.name for config in self._config.channels]
        if channel not in names:
            raise ValueError(f"channel is {channel!r}; it must be one of {', '.join(names)}")
        number = names.index(channel)
        with self._building:
            elements = num_elements(self._config)
            most = (elements or 64) - 1
            num_sources = check_integer("num_sources", num_sources, 0, most)
            if self._graph is not None:
                self._graph.channels[number].set_num_sources(num_sources)
            self._num_sources[number] = num_sources
            _log.info("channel %s: %s sources", channel, num_sources or "counts its")

    def set_station(self, place, source="gpsd"):
        """A new station: position, heading. source: who told it."""
        with self._building:
            self._station, self._station_source = place, source
            self._outputs.set_station(place)
            self._delivery.set_station(place)
            if self._graph is not None:
                self._graph.set_heading_deg(place.heading_deg or 0.0)

    def apply(self, config):
        """Takes a new configuration over while it runs; the names of what needs a restart of the
        program for it. Raises ValueError when it cannot work; the old one then goes on."""
        with self._building:
            old = self._config
            if not self._is_running:
                self._take(config)
                return []
            needs_restart = [
                name
                for name in ("state_folder", "web")
                if getattr(old, name) != getattr(config, name)
            ]
            config = _in_state_folder(config, old.state_folder)
            place = config.station.station()
            self._outputs.update(config.outputs, place, array_kind(config))
            try:
                if _can_go_on(old, config):
                    self._change_graph(old, config)
                    self._config = config
                else:
                    self._replace_graph(old, config)
            except Exception:
                self._outputs.update(old.outputs, self._station, array_kind(old))
                raise
            if place != old.station.station():
                self.set_station(place, "config")
            _log.info("configuration taken over")
            return needs_restart

    def _take(self, config):
        with self._lock:
            self._config = config
            self._frequency, self._gain = config.radio.frequency_hz, config.radio.gain_db
            self._num_sources = [channel.num_sources for channel in config.channels]
            self._records = [channel_record(channel.name) for channel in config.channels]

    def _replace_graph(self, old, config):
        kept, frequency, gain = self._kept, self._frequency, self._gain
        is_other_radio = config.radio.kind != old.radio.kind
        # What was set by a command holds until the file says something else than before.
        if is_other_radio or config.radio.frequency_hz != old.radio.frequency_hz:
            frequency = config.radio.frequency_hz
        if is_other_radio or config.radio.gain_db != old.radio.gain_db:
            gain = config.radio.gain_db
        before = {
            channel.name: (channel.num_sources, number, record)
            for channel, number, record in zip(old.channels, self._num_sources, self._records)
        }
        records, numbers = [], []
        for channel in config.channels:
            said, number, record = before.get(channel.name, (None, None, None))
            records.append(record or channel_record(channel.name))
            numbers.append(number if said == channel.num_sources else channel.num_sources)
        # Whether files can be read is known before the old flowgraph ends.
        if config.array != old.array or config.calibration != old.calibration:
            kept = self._make_kept(config)
        state = "_config", "_kept", "_frequency", "_gain", "_num_sources", "_records", "_rate"
        as_it_was = {name: getattr(self, name) for name in state}
        self._end_graph()
        if kept is not self._kept and config.array == old.array:
            kept.take_over(self._kept)
        changed = dict(zip(state, (config, kept, frequency, gain, numbers, records, None)))
        try:
            with self._lock:
                vars(self).update(changed)
            self._build(first=True)
        except Exception:
            with self._lock:
                vars(self).update(as_it_was)
            self._build()
            raise

    def _change_graph(self, old, config):
        """Changes what a flowgraph can change while it runs. After an error all is as it was."""
        numbers = list(self._num_sources)
        steps = []
        if config.radio.frequency_hz != old.radio.frequency_hz:
            steps.append((self._retune, config.radio.frequency_hz, self._frequency))
        if config.radio.gain_db != old.radio.gain_db:
            steps.append((self._set_gain, config.radio.gain_db, self._gain))
        done = []
        try:
            for change, value, before in steps:
                done.append((change, before))
                change(value)
            self._change_channels(old.channels, config.channels)
        except Exception:
            self._num_sources = numbers
            self._change_back(done)
            raise

    def _change_back(self, done):
        for change, before in reversed(done):
            try:
                change(before)
            except ValueError:
                continue  # what takes no value has changed none
            except Exception:
                _log.exception("the radio does not go back: the flowgraph is built anew")
                self._end_graph()
                self._build()

    def _change_channels(self, before, after):
        for number, (old, new) in enumerate(zip(before, after)):
            chain = self._graph.channels[number] if self._graph is not None else None
            if new.squelch != old.squelch and chain is not None:
                chain.set_squelch(new.squelch)
            if new.num_sources != old.num_sources:
                if chain is not None:
                    chain.set_num_sources(new.num_sources)
                self._num_sources[number] = new.num_sources

    # The flowgraph

    def _make_kept(self, config):
        path, learns = "", config.calibration.self_calibration
        if config.state_folder is not None:
            try:
                if learns:
                    config.state_folder.mkdir(parents=True, exist_ok=True)
                path = str(learned_calibration_path(config))
            except OSError as error:
                if learns:
                    _log.warning("what is learnt will not be kept: %s", error)
        initial = None
        if config.calibration.file is not None:
            try:
                initial = load_calibration(str(config.calibration.file))
            except (OSError, RuntimeError) as error:
                raise ValueError(f"calibration file: {error}") from error
        return kept_calibration(path, initial)

    def _build(self, first=False):
        """Makes and starts a flowgraph. Raises ValueError when it is the first one of its values;
        else, and for all other errors, it is tried again later."""
        config = self._config
        try:
            graph = self._make_graph(config)
            graph.start()
        except Exception as error:
            if first and isinstance(error, ValueError):
                raise
            if first and isinstance(error, ArithmeticError):
                raise ValueError(f"a value is out of range: {error}") from error
            self._failure = f"{type(error).__name__}: {error}"
            self._wait("the flowgraph could not be started: %s", self._failure)
            return
        self._built_at = time.monotonic()
        self._watcher = flowgraph_watch(graph, config.estimator.interval_s)
        self._delivery.follow(zip(self._records, graph.channels))
        self._failure = ""
        with self._lock:
            self._graph = graph
        _log.info(
            "%s with %d elements at %s MHz, %d channels",
            config.radio.kind,
            graph.array.n,
            "?" if self._frequency is None else f"{self._frequency / 1e6:.6f}",
            len(graph.channels),
        )

    def _make_graph(self, config):
        settings = {"frequency_hz": self._frequency, "gain_db": self._gain}
        if self._rate is not None:
            settings["sample_rate_hz"] = self._rate
        radio_config = dataclasses.replace(config.radio, **settings)
        array = make_array(config, self._frequency)
        if self._kept.initial is not None:
            array = array.calibrated(self._kept.initial)
        radio = self._make_radio(radio_config, array, self._num_radios)
        self._num_radios += 1
        channels = tuple(
            dataclasses.replace(channel, num_sources=number)
            for channel, number in zip(config.channels, self._num_sources)
        )
        records = self._records
        return receiver_flowgraph(
            dataclasses.replace(config, channels=channels),
            radio,
            array,
            self._kept.messages(),
            self._kept.path,
            self._station.heading_deg or 0.0,
            lambda number, message: self._delivery.put(records[number], message),
            self._kept.put,
            self._learning_interval_s,
        )

    def _end_graph(self):
        graph, self._watcher = self._graph, None
        if graph is None:
            return
        self._delivery.follow(())
        if time.monotonic() - self._built_at > _LONG_RUN_S:
            self._wait_s = _FIRST_WAIT_S
        if not graph.stop():
            # Its threads hold on to something for ever: only a new process gets rid of them.
            self._is_given_up = True
            _log.error("the flowgraph does not end")
        with self._lock:
            for record, chain in zip(self._records, graph.channels):
                record.totals.update(chain.counters())
            self._radio_totals.update(graph.radio.counters())
            self._graph = None

    def _wait(self, text, *arguments):
        """Puts off the next attempt, the longer the more often it failed."""
        self._next_build = time.monotonic() + self._wait_s
        _log.warning(text + "; next attempt in %.1f s", *arguments, self._wait_s)
        self._wait_s = min(_LONGEST_WAIT_S, 2.0 * self._wait_s)

    # The threads

    def _watch(self):
        next_state, mistake = 0.0, ""
        while self._is_running:
            try:
                # A command that builds a flowgraph does the work meanwhile; one that never ends
                # is what the missing beat tells.
                if self._building.acquire(timeout=_TICK_S):
                    self._beat = time.monotonic()
                    try:
                        if self._is_running:
                            self._look()
                    finally:
                        self._building.release()
                if time.monotonic() >= next_state:
                    next_state = time.monotonic() + 1.0
                    self._process = {
                        "memory_mb": self._load.memory_mb(),
                        "cpu_percent": self._load.cpu_percent(),
                    }
                    self._delivery.tell("state", self.snapshot())
            except Exception as error:
                # Twice a second would be too often.
                if repr(error) != mistake:
                    mistake = repr(error)
                    _log.exception("the receiver's own mistake")
            self._wake.wait(_TICK_S)

    def _look(self):
        self._outputs.retry()
        watcher = self._watcher
        if watcher is None:
            if time.monotonic() >= self._next_build:
                self._rebuilds += 1
                self._build()
            return
        rate = watcher.other_rate()
        if rate:
            _log.info("samples come at %g Hz: filters are made anew", rate)
            self._rate = rate
            self._end_graph()
            self._build()
            return
        was_ended = watcher.is_ended
        self._failure = watcher.fault()
        if self._failure:
            self._end_graph()
            self._wait("%s; the flowgraph is built anew", self._failure)
        elif watcher.is_ended and not was_ended:
            _log.info("the recording ended")


def _squelch_open(config, chain):
    """Whether it is, or None where no threshold can close it."""
    if config is None or config.power_db is None and config.eigenvalue_db is None:
        return None
    return chain is not None and chain.squelch.is_open()


def _can_go_on(old, config):
    """Whether the flowgraph of one configuration can become that of the other."""

    def fixed(of):
        radio = dataclasses.replace(of.radio, gain_db=None)
        # Where a beacon is known, the flowgraph knows at which frequency.
        if of.calibration.beacon_azimuth_deg is None:
            radio = dataclasses.replace(radio, frequency_hz=None)
        channels = [
            dataclasses.replace(channel, squelch=None, num_sources=0) for channel in of.channels
        ]
        return radio, of.array, of.calibration, of.estimator, channels

    return fixed(old) == fixed(config)


def _in_state_folder(config, folder):
    """The configuration with another state folder, and with outputs that are below it."""
    outputs = config.outputs
    if config.state_folder is not None and config.state_folder != folder:
        outputs = tuple(_moved(output, config.state_folder, folder) for output in outputs)
    return dataclasses.replace(config, state_folder=folder, outputs=outputs)


def _moved(output, old, new):
    path = pathlib.PurePath(output.target)
    if new is None or not path.is_relative_to(old):
        return output
    return dataclasses.replace(output, target=str(new / path.relative_to(old)))


def _as_list(value):
    return list(value) if isinstance(value, tuple) else value

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no schema can tell of a configuration: whether its parts go together."""

import dataclasses
import os
import stat

from ..bearing_python import load_calibration
from ..hier.sigmf_reader import load_recording
from ..output.output_kinds import KINDS, checked_options
from .config_problem import config_problem
from .flowgraph import channel_decimation, estimator_block
from .schema_check import shown
from .status_file import OWN_FILES
from .taken_places import PAGES, taken_files, taken_ports


def cross_check(parts, lines):
    """(parts, problems): what goes wrong between the parts of a configuration.

    parts: keyword arguments of receiver_config, those missing whose own problems are known, and
    None in place of such channels and outputs; the ones given back have what a recording tells
    filled in. lines: of read_yaml.
    """
    checks = _checks(parts, lines)
    for check in (
        checks.radio,
        checks.array,
        checks.station,
        checks.channels,
        checks.estimator,
        checks.calibration,
        checks.outputs,
        checks.web,
    ):
        check()
    return checks.parts, checks.problems


class _checks:
    def __init__(self, parts, lines):
        self.parts = dict(parts)
        self.problems = []
        self._lines = lines
        self._recording = None

    def radio(self):
        radio = self.parts.get("radio")
        if radio is None:
            return
        if radio.kind == "file":
            self._open_recording(radio)
        if radio.kind == "simulator":
            count = len(radio.bearings_deg)
            for name in ("snr_db", "offsets_hz"):
                if len(getattr(radio, name)) != count:
                    self._complain(
                        ("radio", name),
                        f"has {len(getattr(radio, name))} entries for {count} sources; it must be "
                        "one number, or one for each of bearings_deg",
                    )
            for offset in radio.offsets_hz:
                if abs(offset) > radio.sample_rate_hz / 2:
                    self._complain(
                        ("radio", "offsets_hz"),
                        f"holds {offset:.12g}; it must be within half the sample rate, "
                        f"{radio.sample_rate_hz / 2:.12g} Hz",
                    )

    def _open_recording(self, radio):
        with self._told_at(("radio", "path")):
            self._recording = load_recording(radio.path)
        if self._recording is None:
            del self.parts["radio"]
            return
        told = [c.rx_freq for c in self._recording.captures if c.rx_freq]
        if not told and radio.frequency_hz is None:
            self._complain(
                ("radio", "frequency_hz"), "is missing, and the recording does not tell it either"
            )
        self.parts["radio"] = dataclasses.replace(
            radio,
            frequency_hz=told[0] if told else radio.frequency_hz,
            sample_rate_hz=float(self._recording.sample_rate),
        )

    def array(self):
        array, radio = self.parts.get("array"), self.parts.get("radio")
        if "array" not in self.parts or radio is None:
            return
        if array is None:
            if self._recording is None:
                self._complain(("array",), "is missing")
            elif self._recording.array is None:
                self._complain(("array",), "is missing, and the recording does not tell it either")
            return
        if radio.frequency_hz is not None:
            with self._told_at(("array",)):
                array.make(radio.frequency_hz)
        counts = []
        if self._recording is not None:
            counts.append((("radio", "path"), self._recording.num_channels, "channels"))
        if getattr(radio, "antennas", ()):
            counts.append((("radio", "antennas"), len(radio.antennas), "entries"))
        if isinstance(radio.gain_db, tuple):
            counts.append((("radio", "gain_db"), len(radio.gain_db), "entries"))
        if radio.kind == "soapy" and radio.channels:
            counts.append((("radio", "channels"), len(radio.channels), "entries"))
        for path, count, noun in counts:
            if count != array.elements:
                self._complain(
                    path, f"has {count} {noun}, but the array has {array.elements} elements"
                )

    def station(self):
        station = self.parts.get("station")
        if station is None:
            return
        with self._told_at(("station",)):
            station.station()

    def channels(self):
        names = {}
        for k, channel in self._entries("channels"):
            before = names.setdefault(channel.name, k)
            if before != k:
                self._complain(
                    ("channels", k, "name"),
                    f"is {shown(channel.name)}, as that of channels[{before}]; names must differ",
                )
            self._channel(("channels", k), channel)

    def _channel(self, path, channel):
        radio, elements = self.parts.get("radio"), self._elements()
        if elements is not None and channel.num_sources >= elements:
            self._complain(
                (*path, "num_sources"),
                f"is {channel.num_sources}; it must be less than the number of elements, "
                f"{elements}",
            )
        rate = radio and radio.sample_rate_hz
        if not rate:
            return
        if channel.bandwidth_hz is None:
            if channel.offset_hz:
                self._complain(
                    (*path, "offset_hz"),
                    f"is {channel.offset_hz:.12g}; without bandwidth_hz a channel is the whole "
                    "band",
                )
        elif abs(channel.offset_hz) + channel.bandwidth_hz / 2 > rate / 2:
            furthest = max(0.0, (rate - channel.bandwidth_hz) / 2)
            self._complain(
                (*path, "offset_hz"),
                f"is {channel.offset_hz:.12g}; the channel must lie within the band, so it must be "
                f"within +-{furthest:.12g} Hz",
            )
        decimation = 1
        with self._told_at((*path, "bandwidth_hz"), "bandwidth_hz "):
            if channel.bandwidth_hz is not None:
                decimation = channel_decimation(channel.bandwidth_hz, rate)
            self._check_interval(channel, rate / decimation, elements or 2)

    def _check_interval(self, channel, rate, elements):
        estimator = self.parts.get("estimator")
        if estimator is not None and estimator.interval_s * rate < elements:
            self._complain(
                ("estimator", "interval_s"),
                f"is {estimator.interval_s:g}; channel {shown(channel.name)} has {rate:.6g} "
                f"samples/s, so it must be {elements / rate:.3g} or more for as many samples as "
                "elements",
            )

    def estimator(self):
        estimator = self.parts.get("estimator")
        if estimator is None:
            return
        if estimator.limits_deg and estimator.method not in ("music", "capon", "bartlett"):
            self._complain(
                ("estimator", "limits_deg"), "goes with the methods music, capon and bartlett"
            )
            return
        if estimator.variant != "auto" and estimator.method != "root_music":
            self._complain(("estimator", "variant"), "goes with method root_music")
        array = self._array()
        if array is not None:
            with self._told_at(("estimator",)):
                estimator_block(estimator, array, 1)

    def calibration(self):
        calibration, elements = self.parts.get("calibration"), self._elements()
        if calibration is None:
            return
        if elements is not None and calibration.num_sources >= elements:
            self._complain(
                ("calibration", "num_sources"),
                f"is {calibration.num_sources}; it must be less than the number of elements, "
                f"{elements}",
            )
        if calibration.channel is not None:
            names = self._channel_names()
            if names and calibration.channel not in names:
                self._complain(
                    ("calibration", "channel"),
                    f"is {shown(calibration.channel)}; it must be one of {', '.join(names)}",
                )
        if calibration.beacon_azimuth_deg is not None:
            path = ("calibration", "beacon_azimuth_deg")
            if not calibration.self_calibration:
                self._complain(path, "goes with self_calibration: true")
            elif calibration.num_sources != 1:
                self._complain(
                    path,
                    f"is of one transmitter, but num_sources is {calibration.num_sources}; it must "
                    "be 1 then",
                )
        if calibration.file is not None:
            with self._told_at(("calibration", "file")):
                calibration.file.stat()  # an OSError here may pass, what is in it does not
                loaded = load_calibration(str(calibration.file))
                array = self._array()
                if array is not None:
                    array.with_calibration(loaded)

    def outputs(self):
        station, targets = self.parts.get("station"), {}
        files, ports = self._own_files(), self._own_ports()
        names = self._channel_names()
        for k, output in self._entries("outputs"):
            path = ("outputs", k)
            options = None
            with self._told_at(path):
                options = checked_options(output.kind, output.target, output.options)
            before = targets.setdefault(output.target or k, k)
            if before != k:
                self._complain(
                    (*path, "target"), f"is that of outputs[{before}] too; targets must differ"
                )
            elif options is not None:
                self._check_file(path, output.target, options, files)
                self._check_port(path, output, options, ports)
            channel = output.options.get("channel")
            if channel and names and channel not in names:
                self._complain(
                    (*path, "channel"),
                    f"is {shown(channel)}; it must be one of {', '.join(names)}",
                )
            if station is not None:
                self._check_station_for(path, output.kind, station)

    def _own_files(self):
        """taken_files with those of the receiver itself."""
        folder, web = self.parts["state_folder"], self.parts.get("web")
        files = taken_files()
        for name in OWN_FILES:
            files.take(str(folder / name), "a file of the receiver's own")
        if web is not None and web.enabled:
            told = files.take(str(web.token_file), "web.token_file")
            if told:
                self._complain(("web", "token_file"), f"is {web.token_file}, {told}")
        return files

    def _check_file(self, path, target, options, files):
        if not os.path.isabs(target):
            return  # an address
        kept = 0
        if options.get("rotate_mb") and options.get("append", True):
            kept = options.get("keep", 0)
        told = files.take(target, f"a file of outputs[{path[1]}]", kept)
        if told:
            self._complain((*path, "target"), f"is {target}, {told}")

    def _own_ports(self):
        web, ports = self.parts.get("web"), taken_ports()
        if web is not None and web.enabled:
            ports.take(web.address, web.port, "that of the web page")
        return ports

    def _check_port(self, path, output, options, ports):
        whose, page, key, address = f"that of outputs[{path[1]}]", None, "target", ""
        if options.get("serve"):
            key, address, page = "serve", options["serve"], PAGES[output.kind]
        elif output.kind == "zmq" and options["bind"] and output.target.startswith("tcp://"):
            address = output.target.removeprefix("tcp://")
        if address:
            host, _, port = address.rpartition(":")
            told = ports.take(host, 0 if port == "*" else int(port), whose, page)
            if told:
                self._complain((*path, key), f"is {address}, which is {told}")

    def _check_station_for(self, path, kind, station):
        gpsd, needs = station.gpsd, KINDS[kind].needs
        has_position = station.latitude is not None or (gpsd and gpsd.position)
        if "position" in needs and not has_position:
            self._complain(
                path, f"kind {kind} needs the station's latitude and longitude, or a gpsd with them"
            )
        if "heading" in needs and station.heading_deg is None and not (gpsd and gpsd.heading):
            self._complain(path, f"kind {kind} needs the station's heading_deg, or a gpsd with it")

    def web(self):
        web = self.parts.get("web")
        if web is None or not web.enabled:
            return
        try:
            mode = web.token_file.stat().st_mode
        except OSError:
            return  # not yet there, or it is another user's: told when it is read
        if not stat.S_ISREG(mode):
            self._complain(("web", "token_file"), f"is {web.token_file}, which is no file")
        elif mode & 0o077:
            self._complain(
                ("web", "token_file"),
                f"is {web.token_file}, which others may read or write (mode {mode & 0o777:03o}); "
                "it must be its owner's alone: chmod 600",
            )

    def _entries(self, name):
        return [(k, e) for k, e in enumerate(self.parts.get(name, ())) if e is not None]

    def _channel_names(self):
        """Of all channels; none where one of them is wrong, whose name may be meant."""
        channels = self.parts.get("channels", ())
        return [] if None in channels else [channel.name for channel in channels]

    def _elements(self):
        if self.parts.get("array") is not None:
            return self.parts["array"].elements
        return self._recording.num_channels if self._recording else None

    def _array(self):
        """The bearing.array where it can be made."""
        array, radio = self.parts.get("array"), self.parts.get("radio")
        if array is None:
            return self._recording.array if self._recording else None
        if radio is None or radio.frequency_hz is None:
            return None
        try:
            return array.make(radio.frequency_hz)
        except ValueError:
            return None  # told at the array

    def _told_at(self, path, name=""):
        return _complaints(self, path, name)

    def _complain(self, path, text, may_pass=False):
        # A key that is not there is where its section is.
        where = path
        while where and where not in self._lines:
            where = where[:-1]
        self.problems.append(config_problem(self._lines.get(where, 1), path, text, may_pass))


class _complaints:
    """Makes problems of a value of what is raised about it; name: that need not be repeated."""

    def __init__(self, checks, path, name):
        self._checks, self._path, self._name = checks, path, name

    def __enter__(self):
        return self

    def __exit__(self, _, error, __):
        if error is None:
            return False
        if isinstance(error, OSError):
            # Of a disk that is not mounted yet, for example.
            text = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        elif isinstance(error, (ValueError, RuntimeError, TypeError, OverflowError)):
            text = " ".join(str(error).split()).removeprefix(self._name)
        else:
            return False
        self._checks._complain(self._path, text, isinstance(error, OSError))
        return True

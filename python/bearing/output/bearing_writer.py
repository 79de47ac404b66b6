# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bearing writer: a block that writes bearings to files, web servers, maps and collectors."""

import threading
import time

import numpy as np
import pmt
from gnuradio import gr

from ..unread_messages import unread_messages
from .background_writer import background_writer
from .bearing_record import bearing_record
from .kraken_fields import ARRAY_KINDS, check_choice
from .output_kinds import KINDS, OPTIONS, checked_options, missing, options_of
from .state_file import state_file
from .station import station as station_type
from .zmq_publisher import zmq_publisher

_PORT = pmt.intern("bearings")

_MOST_REASONS = 32
_MOST_CHANNELS = 256


class bearing_writer(gr.basic_block):
    """Writes what estimators find, each bearing with the station it comes from.

    Message port "bearings": that of an estimator, or records with a station. Where there are
    num_points, an optional stream input: the estimator's pseudo-spectra in dB; formats that have
    room for a spectrum take the newest.

    Nothing waits for disks or networks: writing has a thread of its own, and of more than 1000
    bearings that wait the oldest is dropped. Files that cannot be written are tried again; what
    cannot be sent is dropped. All of it is counted. stop() writes for up to a second what waits.

    Parameters
    ----------
    kind : str
        "json_lines", "csv": a file that grows. "zmq": messages for collectors, by GNU Radio's PUB
        Message Sink. "kraken_csv", "kraken_xml": for KrakenSDR's app; "kraken_json": posted to
        KrakenSDR's middleware. "df_aggregator_xml": for df-aggregator. "tak": cursor-on-target
        lines for TAK.
    target : str
        Name of a file, which is made when the first bearing comes; "" where it is only served.
        zmq: "tcp://127.0.0.1:5560", with "*" for any port, or "ipc://PATH". kraken_json: a URL.
        tak: "HOST:PORT", or "multicast" for 239.2.3.1:6969.
    station : bearing.station
        Name, place and heading; None: nothing is known but the heading that the estimator tells.
        A heading that it tells replaces the estimator's.
    array_kind : str
        "uca", "ula" or "custom", which KrakenSDR's formats name.
    num_points : int
        G, points of a spectrum; 0: no spectrum input.
    limits_deg : sequence of float
        [first, last] azimuth of the spectra in degrees, as the estimator has them: a span of 360
        leaves the end out, any other has both ends. []: the full circle from 0.
    channel : str
        Name of the channel: of bearings that name none. Those of other channels are left out.
        "": all are taken as they are.
    interval_s : float
        The least time between two bearings of a channel, seconds; those between are left out.
        None: 1 for tak, 0 for all else.
    rotate_mb : float
        json_lines, csv, and kraken_csv with append: from so many millions of bytes on, the file
        becomes target.1, that target.2 and so on; 0: never.
    keep : int
        How many of those are kept.
    append : bool
        kraken_csv: the file is a log that grows, not the newest bearing of each channel.
    serve : str
        kraken_csv, kraken_xml, df_aggregator_xml: "HOST:PORT" where the newest is served too, as
        /DOA_value.html or /doa.xml; "": nowhere. Port 0: any free one.
    version : str
        kraken_csv, kraken_json: "v1" or "v2" of KrakenSDR's software.
    timeout_s : float
        kraken_json: for a post as a whole, seconds.
    range_km : float
        tak: length of the line.
    stale_s : float
        tak: seconds after which a line is old.
    ttl : int
        tak: how many networks multicast may cross.
    bind : bool
        zmq: True: collectors connect to target; False: this connects to a collector there.
    with_spectrum : bool
        json_lines, zmq: the spectrum is written too.

    Options that a kind does not take must have their defaults.

    Raises
    ------
    ValueError
        Naming the parameter that is wrong, its value and what is allowed.
    OSError
        When the address to serve or to bind cannot be used. It is held from now on until stop(),
        which a writer that never ran may be told too, or until nothing refers to the writer.
    """

    def __init__(
        self,
        kind,
        target,
        station=None,
        array_kind="custom",
        num_points=0,
        limits_deg=(),
        channel="",
        interval_s=None,
        rotate_mb=10.0,
        keep=5,
        append=False,
        serve="",
        version="v1",
        timeout_s=2.0,
        range_km=20.0,
        stale_s=10.0,
        ttl=1,
        bind=True,
        with_spectrum=False,
    ):
        given = dict(
            channel=channel,
            interval_s=interval_s,
            rotate_mb=rotate_mb,
            keep=keep,
            append=append,
            serve=serve,
            version=version,
            timeout_s=timeout_s,
            range_km=range_km,
            stale_s=stale_s,
            ttl=ttl,
            bind=bind,
            with_spectrum=with_spectrum,
        )
        taken = options_of(kind)
        wanted = {
            name: value
            for name, value in given.items()
            if name in taken or value != OPTIONS[name][0]
        }
        options = checked_options(kind, target, wanted)
        check_choice("array_kind", array_kind, ARRAY_KINDS)
        azimuths = _spectrum_azimuths(num_points, limits_deg)

        # General: with a stream or without one.
        inputs = gr.py_io_signature(0, 1, [(np.float32, num_points)]) if num_points else None
        gr.basic_block.__init__(self, "bearing_writer", inputs, None)
        self._kind, self._options, self._array_kind = kind, options, array_kind
        self._target_text, self._azimuths = target, azimuths
        self._lock = threading.Lock()
        self._spectrum = None
        self._counts = dict.fromkeys(
            ("received", "malformed", "other_channel", "thinned", "skipped", "written"), 0
        )
        self._reasons = {}
        self._last_reason = None
        self._last_times = {}
        # Of writers before a restart.
        self._past = dict(written=0, dropped=0, errors=0, waiting=0)
        self._warning = None
        self._writer = self._goal = self._publisher = None
        self.set_station(station)
        self._open()
        self.message_port_register_in(_PORT)
        self.set_msg_handler(_PORT, self._handle)

    @staticmethod
    def kinds():
        """The kinds of outputs."""
        return tuple(KINDS)

    @staticmethod
    def options(kind):
        """{name: default} of the options that a kind takes beside its target."""
        return options_of(kind)

    @staticmethod
    def check(kind, target, **options):
        """Raises the ValueError that a writer of these would raise, and makes nothing."""
        checked_options(kind, target, options)

    @property
    def kind(self):
        return self._kind

    @property
    def target(self):
        """Where it writes to: a file, an address or URL; of zmq, with the port that was found."""
        return self._target_text if self._goal is None else self._goal.name

    @property
    def url(self):
        """Where the newest bearing is served, or ""."""
        return getattr(self._goal, "url", "")

    def _open(self):
        if self.kind == "zmq":
            self._publisher = zmq_publisher(self._target_text, self._options["bind"])
            # After a restart the port is the same.
            self._target_text = self._publisher.name
            return
        make_target = KINDS[self.kind].make_target
        self._goal = make_target(self._target_text, self._options)
        self._writer = background_writer(
            self._write, self._goal.close, retries=self._goal.retries, told=self._tell
        )

    def set_station(self, station):
        """The station of the bearings that come from now on, or None. From any thread."""
        if station is None:
            station = station_type()
        if not isinstance(station, station_type):
            raise ValueError(f"station is {station!r:.80}; it must be a bearing.station or None")
        with self._lock:
            self._station = station

    def start(self):
        """Called by the flowgraph. After a stop it opens anew what that has closed."""
        if self._writer is not None:
            if self._writer.has_stopped:
                with self._lock:
                    past = self._totals()
                    self._open()
                    self._past = past
            if isinstance(self._goal, state_file):
                self._goal.start()
            self._writer.start()
        else:
            if self._publisher is None:
                self._open()
            self._publisher.start()
        return True

    def stop(self):
        """Called by the flowgraph. Frees the address of one that never ran, too."""
        for message in unread_messages(self, _PORT):
            self._handle(message)
        if self._writer is not None:
            self._writer.stop()
        with self._lock:
            publisher, self._publisher = self._publisher, None
        if publisher is not None:
            publisher.close()
        return True

    def forecast(self, noutput_items, ninputs):
        return [0] * ninputs

    def general_work(self, input_items, output_items):
        for port, items in enumerate(input_items):
            if len(items):
                self._spectrum = np.array(items[-1], np.float32)
                self.consume(port, len(items))
        return 0

    def _handle(self, message):
        # A handler that raises ends its thread, and the flowgraph hangs.
        try:
            record = self._record(message)
            to_send = record.to_message() if self.kind == "zmq" else None
        except Exception:  # whatever is wrong with it, the next one may be better
            record = None
        with self._lock:
            self._counts["received"] += 1
            if record is None:
                self._counts["malformed"] += 1
                return
            if self._options["channel"] not in ("", record.channel):
                self._counts["other_channel"] += 1
                return
            reason = missing(self.kind, record)
            if reason is not None:
                self._skip(reason, record.report.status)
                return
            self._last_reason = None
            if self._comes_too_soon(record.channel):
                self._counts["thinned"] += 1
                return
            if self._publisher is not None:
                self._publisher.send(to_send)
                self._counts["written"] += 1
                return
            if self._writer is None:  # the flowgraph has stopped
                self._past["dropped"] += 1
                return
            # Within the lock, or counters() would find it nowhere.
            self._writer.put(record)

    def _record(self, message):
        record = bearing_record.from_message(message)
        place = record.station
        with self._lock:
            own = self._station
        # A record that tells its own place, from another receiver, keeps it.
        has_own = place.name or place.has_position
        spectrum = self._spectrum
        channel = record.channel or self._options["channel"] or None
        if spectrum is None or record.spectrum_db is not None:
            curve = dict(spectrum_db=record.spectrum_db, spectrum_deg=record.spectrum_deg)
        else:
            curve = dict(spectrum_db=spectrum, spectrum_deg=self._azimuths)
        if self.kind == "zmq" and not self._options["with_spectrum"]:
            curve = {}
        return bearing_record(
            record.report,
            place if has_own else own,
            channel=channel,
            received_s=time.time() if record.received_s is None else record.received_s,
            **curve,
        )

    def _skip(self, need, status):
        self._counts["skipped"] += 1
        reason = f"no_{need}"
        if need == "direction":
            reason = status if status.startswith("no_") else f"{reason}_{status}"
        if reason not in self._reasons and len(self._reasons) >= _MOST_REASONS:
            reason = "other"
        self._reasons[reason] = self._reasons.get(reason, 0) + 1
        self._last_reason = reason

    def _comes_too_soon(self, channel):
        interval_s = self._options["interval_s"]
        if not interval_s:
            return False
        now = time.monotonic()
        last = self._last_times.get(channel)
        if last is not None and now - last < interval_s:
            return True
        if len(self._last_times) >= _MOST_CHANNELS:
            self._last_times.clear()
        self._last_times[channel] = now
        return False

    def _write(self, record):
        """In the writer's thread."""
        texts = KINDS[self.kind].encode(record, self._array_kind, self._options)
        if self._goal.is_one_text:
            # Of all directions: what is replaced must not be left with the last of them.
            self._goal.write("".join(texts), record.channel)
            self._tell_warning()
            return
        for text in texts:
            self._goal.write(text)

    def _tell(self, error):
        logger = gr.logger("bearing_writer")
        if error is not None:
            logger.warn(f"{self.target}: {_reason(error)}")
        elif self._writer.errors:
            logger.info(f"{self.target}: writing again")

    def _tell_warning(self):
        warning = getattr(self._goal, "warning", None)
        if warning not in (None, self._warning):
            gr.logger("bearing_writer").warn(f"{self.target}: {warning}")
        self._warning = warning

    def _totals(self):
        totals = dict(self._past)
        if self._writer is not None:
            for name, count in self._writer.counts().items():
                totals[name] += count
            totals["errors"] += getattr(self._goal, "errors", 0)
        return totals

    def counters(self):
        """{name: count}. ``received`` messages are ``malformed``, of an ``other_channel``,
        ``thinned`` (within interval_s), ``skipped`` (the format cannot say them), ``written``,
        ``dropped`` or ``waiting``. ``skipped_no_position`` and the like say why, with the status
        where there is no direction; ``errors`` counts attempts that failed. All of one moment."""
        with self._lock:
            counts = dict(self._counts)
            reasons = sorted(self._reasons.items())
            totals = self._totals()
        for name, total in totals.items():
            counts[name] = counts.get(name, 0) + total
        counts.update((f"skipped_{reason}", count) for reason, count in reasons)
        return counts

    def state(self):
        """One line: whether it writes, and if not, why."""
        writer = self._writer
        if writer is not None and writer.error is not None:
            lost = f"{writer.waiting} wait, " if writer.waiting else ""
            return (
                f"cannot write to {self.target}: {_reason(writer.error)} "
                f"({lost}{self.counters()['errors']} errors)"
            )
        with self._lock:
            reason, received = self._last_reason, self._counts["received"]
        if reason is not None:
            return f"nothing to write to {self.target}: {reason.replace('_', ' ')}"
        if not received:
            return f"ready to write to {self.target}"
        warning = f"; {self._warning}" if self._warning else ""
        return f"writing to {self.target}{warning}"


def _spectrum_azimuths(num_points, limits_deg):
    """Azimuths of a spectrum's points in degrees, or None without one."""
    is_count = isinstance(num_points, (int, np.integer)) and not isinstance(num_points, bool)
    if not is_count or not (num_points == 0 or 2 <= num_points <= 65536):
        raise ValueError(f"num_points is {num_points!r}; it must be 0, or 2 to 65536")
    limits = [float(limit) for limit in limits_deg] or [0.0, 360.0]
    if len(limits) != 2 or not 0.0 < limits[1] - limits[0] <= 360.0 or not np.isfinite(limits[0]):
        raise ValueError(
            f"limits_deg is {limits_deg!r}; it must be [] or [first, last], ascending and at most "
            "360 apart"
        )
    if not num_points:
        return None
    return np.linspace(*limits, num_points, endpoint=limits[1] - limits[0] < 360.0)


def _reason(error):
    """What the system says, without number and file name."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split())[:200]

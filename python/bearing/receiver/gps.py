# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Position and heading from gpsd, as long as it tells them."""

import collections
import contextlib
import dataclasses
import logging
import math
import socket
import threading
import time

_LOG = logging.getLogger(__name__)

# Seconds.
_PATIENCE_CONNECT = 5.0
_PATIENCE_READ = 0.5
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
# gpsd says something every second; a connection that is silent for so long is made anew.
_LONGEST_SILENCE = 60.0
# Between two calls back, unless a fix became stale.
_SPACING = 0.2

# Its longest message has some thousand bytes.
_LONGEST_LINE = 1 << 16
_SMALLEST_MODE = 2  # of a fix with latitude and longitude


class gps_client:
    """Listens to gpsd in a thread of its own and calls back with a bearing.station.

    config: gpsd_config. station: what is known without gpsd; what gpsd tells takes its place.
    callback: called with a station whenever it changes, from the thread.

    A position that becomes stale is kept, and ``state()`` says so: most stations stand still. A
    heading that becomes stale is not: nobody knows where the array looks by now, so the
    station has none until gpsd tells it again.
    """

    def __init__(self, config, station, callback):
        self._config, self._station, self._callback = config, station, callback
        self._told = self._called_with = station
        self._stop = threading.Event()
        self._thread = None
        self._lock = threading.Lock()
        self._counters = collections.Counter(
            connections=0, messages=0, fixes=0, without_fix=0, bad_messages=0
        )
        self._detail = "not started"
        self._fix_time = self._heading_time = None  # monotonic
        self._callback_time = -math.inf
        self._has_callback_failed = False

    def start(self):
        self._thread = threading.Thread(target=self._run, name="gpsd", daemon=True)
        self._thread.start()

    def stop(self):
        """Ends the thread; returns within some seconds whatever gpsd does."""
        self._stop.set()
        if self._thread is not None:
            # Looking up a name cannot be interrupted; the thread dies with the process.
            self._thread.join(_PATIENCE_READ + 1.0)

    def tell_again(self):
        """Calls back even if nothing has changed."""
        with self._lock:
            self._called_with = None

    def counters(self):
        """Name and number of what happened."""
        with self._lock:
            return dict(self._counters)

    def state(self):
        """One line: whether there is a fix, how old it is, or why there is none."""
        with self._lock:
            age, detail = _age(self._fix_time), self._detail
        where = f"gpsd {self._config.host}:{self._config.port}"
        if age is None:
            return f"{where}: {detail}"
        stale = "stale, " if age > self._config.stale_s else ""
        return f"{where}: {stale}fix {age:.0f} s old{'' if detail == _CONNECTED else ', ' + detail}"

    def _run(self):
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            before = self._counters["messages"]
            try:
                self._listen()
                detail = "closed the connection"
            except OSError as error:
                detail = error.strerror or str(error) or type(error).__name__
            except ImportError as error:
                detail = f"{error}; Debian has it as python3-gps"
            except Exception as error:
                # Whatever it is, the next connection may be better.
                detail = f"{type(error).__name__}: {error}"
            if self._stop.is_set():
                return
            self._set_detail(detail)
            pause = _FIRST_PAUSE if self._counters["messages"] > before else 2 * pause
            self._wait(min(pause, _LONGEST_PAUSE))

    def _wait(self, seconds):
        end = time.monotonic() + seconds
        while not self._stop.wait(max(0.0, min(_PATIENCE_READ, end - time.monotonic()))):
            self._tell()
            if time.monotonic() >= end:
                return

    def _listen(self):
        """One connection to gpsd; returns when it has closed it, raises OSError."""
        config = self._config
        client = _make_client()
        # Not the library's own connect(): that one gives up at the first address of a name, and
        # waits without limit.
        client.sock = socket.create_connection((config.host, config.port), _PATIENCE_CONNECT)
        with contextlib.closing(client):
            client.sock.settimeout(_PATIENCE_READ)
            client.watch(config.device)
            self._counters["connections"] += 1
            self._set_detail(_CONNECTED)
            heard = time.monotonic()
            while not self._stop.is_set():
                self._tell()
                try:
                    message = client.next_message()
                except TimeoutError:
                    if time.monotonic() - heard > _LONGEST_SILENCE:
                        raise TimeoutError(f"said nothing for {_LONGEST_SILENCE:.0f} s") from None
                    continue
                if message is None:
                    return
                heard = time.monotonic()
                self._counters["messages"] += 1
                try:
                    self._take(message)
                except (ValueError, TypeError):
                    self._counters["bad_messages"] += 1

    def _take(self, message):
        """Keeps what a message says; raises ValueError or TypeError for one that is wrong."""
        if not isinstance(message, dict):
            raise ValueError("is no object")
        config = self._config
        if config.device is not None and message.get("device") not in (None, config.device):
            return
        kind = message.get("class")
        if kind == "TPV":
            if not _number(message, "mode", 0) >= _SMALLEST_MODE:
                self._counters["without_fix"] += 1
                return
            self._take_fix(message)
        elif kind == "ATT" and config.heading == "attitude":
            heading = _number(message, "heading")
            if heading is not None:
                self._set_heading(heading)

    def _take_fix(self, message):
        config, told = self._config, {}
        if config.position:
            told = {
                "latitude": _number(message, "lat"),
                "longitude": _number(message, "lon"),
                # Above the ellipsoid; "alt" is above one geoid or another.
                "altitude_m": _number(message, "altHAE"),
                "speed_m_s": _number(message, "speed"),
            }
            if told["latitude"] is None or told["longitude"] is None:
                raise ValueError("a fix without latitude or longitude")
        with self._lock:
            self._told = dataclasses.replace(self._told, **told)
            self._fix_time = time.monotonic()
            self._counters["fixes"] += 1
        if config.heading == "track":
            speed, track = _number(message, "speed"), _number(message, "track")
            if speed is not None and speed >= config.min_speed_m_s and track is not None:
                self._set_heading(track)
            elif self._heading_time is not None:
                # Who stands still looks where he looked.
                self._heading_time = time.monotonic()

    def _set_heading(self, heading_deg):
        with self._lock:
            self._told = dataclasses.replace(
                self._told, heading_deg=heading_deg + self._config.heading_offset_deg
            )
            self._heading_time = time.monotonic()

    def _now(self):
        """The station as it is known at this moment."""
        config = self._config
        with self._lock:
            base, told = self._station, self._told
            age = _age(self._heading_time)
            changes = {}
            if config.position and self._fix_time is not None:
                for field in ("latitude", "longitude", "altitude_m", "speed_m_s"):
                    changes[field] = getattr(told, field)
                if changes["altitude_m"] is None:
                    changes["altitude_m"] = base.altitude_m
            if config.heading is not None and age is not None:
                changes["heading_deg"] = told.heading_deg if age <= config.stale_s else None
        return dataclasses.replace(base, **changes)

    def _tell(self):
        """Calls back if the station has changed."""
        if time.monotonic() - self._callback_time < _SPACING:
            return
        station = self._now()
        if station == self._called_with:
            return
        self._callback_time, self._called_with = time.monotonic(), station
        try:
            self._callback(station)
        except Exception:
            # Once: positions go on without a line for each.
            if not self._has_callback_failed:
                _LOG.exception("a position of gpsd could not be handed on")
            self._has_callback_failed = True

    def _set_detail(self, detail):
        with self._lock:
            is_new, self._detail = detail != self._detail, detail
        if is_new:
            _LOG.info("gpsd %s:%d: %s", self._config.host, self._config.port, detail)


_CONNECTED = "connected, no fix yet"


def _age(since):
    return None if since is None else time.monotonic() - since


def _number(message, key, default=None):
    value = message.get(key, default)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{key} is {value!r}")
    return float(value)


def _make_client():
    """A client of python3-gps that is not connected yet."""
    from gps import client

    class gpsd_client(client.gpscommon, client.gpsjson):
        def __init__(self):
            client.gpscommon.__init__(self, host=None)
            client.gpsjson.__init__(self)

        def watch(self, device):
            flags = client.WATCH_ENABLE | client.WATCH_JSON
            if device is not None:
                flags |= client.WATCH_DEVICE
            self.stream(flags, device)

        def next_message(self):
            """The next one as dict, None at the end; raises TimeoutError, and ConnectionError for
            what gpsd never sends."""
            while True:
                waiting = len(self.linebuffer)
                got = self.read()
                if got > 0:
                    break
                # Half a line, and no more of it came: the end.
                if got < 0 or len(self.linebuffer) == waiting:
                    return None
                if len(self.linebuffer) > _LONGEST_LINE:
                    raise ConnectionError("sends lines without end, it is no gpsd")
            try:
                self.unpack(self.response)
            except (client.json_error, RecursionError, AttributeError, TypeError):
                return ()
            return dict(self.data)

    return gpsd_client()

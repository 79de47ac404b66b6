# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a receiver until a signal ends it: reloads, signs of life, status."""

import logging
import os
import queue
import signal
import sys
import threading
import time

from .clock_watch import clock_watch
from .config import load_config
from .gps import gps_client
from .service_manager import service_manager
from .service_pulse import service_pulse
from .status_file import write_status
from .status_screen import OLD_BEARING_S
from .stop_deadline import stop_deadline

_LOG = logging.getLogger(__name__)

# Seconds.
_TICK = 1.0
_WEB_PAUSE = 10.0  # between attempts to serve the page
# A slow status, of a computer that is too slow for its work, is worth a line once.
_SLOW = 5.0

_STOPPING = (signal.SIGTERM, signal.SIGINT)


class cannot_start(Exception):
    """The receiver refuses its configuration; the argument says why."""


class service:
    """A receiver with all that surrounds it.

    config: receiver_config. make_receiver: called with it, gives the receiver, as does
    make_web_server with the receiver and its web_config.

    Raises cannot_start.
    """

    def __init__(self, config, make_receiver, make_web_server):
        self._config = config
        self._make_web_server = make_web_server
        try:
            self._receiver = make_receiver(config)
        except ValueError as error:
            raise cannot_start(error) from error
        self._manager = service_manager()
        self._pulse = service_pulse(self._manager, self._receiver.is_healthy)
        self._clock = clock_watch()
        self._signals = signals()
        self._web = self._gps = None
        self._web_time = -_WEB_PAUSE
        self._web_said = None
        self._counters = {"reloads": 0, "failed_reloads": 0, "status_errors": 0}
        self._needs_restart = []
        self._has_been_slow = self._has_status_failed = False

    def run(self):
        """From start to stop. Raises cannot_start."""
        with self._signals:
            try:
                self._start_receiver()
                self._start_gps()
                self._manager.ready()
                self._pulse.start()
                while not self._signals.is_stopping:
                    self._tick()
                    number = self._signals.next(_TICK)
                    if number == signal.SIGHUP:
                        self._reload()
            finally:
                # Whatever hangs now must not hang for ever.
                self._signals.stop_within_deadline()
                self._pulse.stop()
                self._manager.stopping()
                self._stop()
                self._signals.deadline.cancel()
        _LOG.info("stopped")

    def _start_receiver(self):
        try:
            self._receiver.start()
        except ValueError as error:
            raise cannot_start(error) from error

    def _tick(self):
        self._pulse.beat()
        jump = self._clock.jump()
        if jump:
            _LOG.warning("the clock was set %s by %.1f s", "on" if jump > 0 else "back", abs(jump))
        self._serve_web()
        self._write_status()

    def _write_status(self):
        begin = time.monotonic()
        try:
            status = self._status()
        except Exception:
            # Bearings matter more.
            self._count_status_error()
            return
        seconds = time.monotonic() - begin
        if seconds > _SLOW and not self._has_been_slow:
            self._has_been_slow = True
            _LOG.warning("collecting the status took %.1f s", seconds)
        self._manager.status(summary(status))
        try:
            write_status(self._config.state_folder, status)
            self._has_status_failed = False
        except OSError:
            self._count_status_error()

    def _count_status_error(self):
        """To be called while an error is handled: each counts, the first of a row is told."""
        self._counters["status_errors"] += 1
        if not self._has_status_failed:
            error = sys.exc_info()[1]
            _LOG.error(
                "the status could not be written: %s", error,
                exc_info=not isinstance(error, OSError),
            )
        self._has_status_failed = True

    def _status(self):
        status = dict(self._receiver.snapshot())
        status["service"] = {
            "pid": os.getpid(),
            "config": str(self._config.path),
            "written": time.time(),
            "healthy": self._pulse.is_healthy,
            "web": getattr(self._web, "url", None),
            "web_state": self._web_said,
            "gps": self._gps.state() if self._gps else None,
            "needs_restart": list(self._needs_restart),
            "clock_jumps": self._clock.jumps,
            **self._counters,
        }
        return status

    def _start_gps(self):
        config = self._config.station.gpsd
        if config is not None:
            self._gps = gps_client(
                config, self._config.station.station(), self._receiver.set_station
            )
            self._gps.start()

    def _serve_web(self):
        """Serves the page, also when its port becomes free later on."""
        config = self._config.web
        if not config.enabled or self._web is not None:
            return
        if time.monotonic() - self._web_time < _WEB_PAUSE:
            return
        self._web_time = time.monotonic()
        said = None
        try:
            web = self._make_web_server(self._receiver, config)
            web.start()
            self._web = web
        except ImportError as error:
            said = f"no web page: {error}; Debian has it as python3-aiohttp"
        except (OSError, ValueError, RuntimeError) as error:
            said = f"no web page: {error}"
        if said is not None and said != self._web_said:
            _LOG.error("%s", said)
        self._web_said = said

    def _stop_web(self):
        web, self._web = self._web, None
        self._web_time = -_WEB_PAUSE
        if web is not None:
            _quietly("web page", web.stop)

    def _reload(self):
        self._manager.reloading()
        try:
            self._apply(*self._load())
            self._counters["reloads"] += 1
        except (ValueError, OSError) as error:
            self._counters["failed_reloads"] += 1
            told = str(error)
            if isinstance(error, OSError):
                told = f"{error.filename or self._config.path}: {error.strerror or error}"
            for line in told.splitlines():
                _LOG.error("nothing was reloaded: %s", line)
        except Exception:
            # Nobody is there to start it again by hand.
            self._counters["failed_reloads"] += 1
            _LOG.exception("reloading failed")
        self._manager.ready()

    def _load(self):
        """The new receiver_config, and whether its file names another state folder than the one
        in use, where all stays until a restart."""
        path, folder = self._config.path, self._config.state_folder
        new = load_config(path)
        if new.state_folder == folder:
            return new, False
        return load_config(path, folder), True

    def _apply(self, new, has_other_folder):
        old = self._config
        # The page is served anew below.
        needs_restart = [name for name in self._receiver.apply(new) if name != "web"]
        if has_other_folder:
            needs_restart.append("state_folder")
        self._config = new
        if new.web != old.web:
            self._stop_web()
            self._web_said = None
        if new.station != old.station:
            if self._gps is not None:
                self._gps.stop()
                self._gps = None
            self._receiver.set_station(new.station.station(), "config")
            self._start_gps()
        elif self._gps is not None:
            self._gps.tell_again()  # the file says where the station was
        self._needs_restart = needs_restart
        _LOG.info("reloaded %s", new.path)
        if needs_restart:
            _LOG.warning("needs a restart to take effect: %s", ", ".join(needs_restart))

    def _stop(self):
        self._stop_web()
        if self._gps is not None:
            _quietly("gpsd", self._gps.stop)
        _quietly("receiver", self._receiver.stop)
        try:
            write_status(
                self._config.state_folder, {**self._status(), "stopped": time.time()}
            )
        except OSError as error:
            _LOG.error("the status could not be written: %s", error)
        except Exception:
            _LOG.exception("the last status could not be collected")


class signals:
    """What the process is told by signals, as soon as it comes.

    Python runs a handler only between two steps of its main thread, and a driver may keep that
    thread for minutes. So the numbers are read in another thread.

    is_stopping: SIGTERM or SIGINT has come; the next one ends the process at once.
    """

    def __init__(self):
        self.is_stopping = False
        self.deadline = stop_deadline()
        self._numbers = queue.SimpleQueue()
        self._before = {}

    def __enter__(self):
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        self._wakeup_before = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in (*_STOPPING, signal.SIGHUP):
            # A background job of a shell ignores Ctrl-C. One started by nohup is to reload all the
            # same; a terminal that goes away then reloads once more, which does no harm.
            if number == signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, lambda *_: None)
        threading.Thread(target=self._read, name="signals", daemon=True).start()
        return self

    def __exit__(self, *_):
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._writing)  # and the thread ends

    def next(self, timeout):
        """The number of the next signal, or None after so many seconds."""
        try:
            return self._numbers.get(timeout=timeout)
        except queue.Empty:
            return None

    def stop_within_deadline(self):
        self.is_stopping = True
        self.deadline.start()

    def _read(self):
        with open(self._reading, "rb", buffering=0) as pipe:
            while received := pipe.read(64):
                for number in received:
                    self._take(number)

    def _take(self, number):
        if number in _STOPPING:
            if self.is_stopping:
                os._exit(128 + number)
            _LOG.info("stopping: %s", signal.Signals(number).name)
            self.stop_within_deadline()
        if number in (*_STOPPING, signal.SIGHUP):
            self._numbers.put(number)


def summary(status):
    """One line on a status: what ``systemctl status`` shows."""
    radio = status.get("radio") or {}
    parts = [f"radio {radio.get('kind', '?')}: {radio.get('state', '?')}"]
    if radio.get("frequency_hz"):
        parts[0] += f" at {radio['frequency_hz'] / 1e6:.6g} MHz"
    for channel in status.get("channels") or ():
        bearing = channel.get("bearing") or {}
        angles = bearing.get("true_bearing_deg") or bearing.get("angles_deg") or ()
        is_old = (channel.get("bearing_age_s") or 0.0) > OLD_BEARING_S
        if angles and angles[0] is not None and not is_old:
            parts.append(f"{channel.get('name')} {angles[0]:.1f}°")
    return ", ".join(parts[:6])


def _quietly(name, stop):
    """Stops a part; what it raises must not keep the others running."""
    try:
        stop()
    except Exception:
        _LOG.exception("%s could not be stopped", name)

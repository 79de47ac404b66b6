#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-receiver with a receiver that does what files in its state folder say, and writes down
what it was told."""

import functools
import os
import sys
import time

from gnuradio.bearing.receiver import service
from gnuradio.bearing.receiver.clock_watch import clock_watch
from gnuradio.bearing.receiver.main import main


# Tests need not wait as long as an unattended program.
service._WEB_PAUSE = 0.5
_load_config = service.load_config


def _load(path, state_folder=None):
    config = _load_config(path, state_folder)
    if (config.state_folder / "puzzles").exists():
        raise KeyError("on purpose")
    return config


service.load_config = _load


class stub_receiver:
    def __init__(self, config):
        self._folder = config.state_folder
        self._begin = time.monotonic()
        self._config = config
        self._items = 0
        if self._is("refuses"):
            raise ValueError("radio.gain_db is 1; it must be 2")

        def wall():
            return time.time() + 3600.0 * self._is("summer_time")

        service.clock_watch = functools.partial(clock_watch, wall)

    def start(self):
        self._note("start")
        if self._is("refuses_to_start"):
            raise ValueError("radio.gain_db is 3; it must be 2")
        os.write(1, b"block :error: a library complains\n")
        if self._is("starts_slowly"):
            time.sleep(3600)

    def stop(self):
        self._note("stop")
        if self._is("hangs"):
            time.sleep(3600)

    def is_healthy(self):
        return not self._is("sick")

    def apply(self, config):
        if self._is("refuses"):
            raise ValueError("radio.gain_db is 1; it must be 2")
        self._note(f"apply {config.station.heading_deg} {config.web.port}")
        self._note(f"outputs {[output.target for output in config.outputs]}")
        while self._is("builds_slowly"):
            time.sleep(0.05)
        self._config = config
        return ["radio", "web"]

    def set_station(self, station, source="gpsd"):
        self._note(f"station {station.latitude} {station.heading_deg} {source}")

    def snapshot(self):
        self._items += 1
        if self._is("confused"):
            raise KeyError("on purpose")
        return {
            "version": "1.2.3",
            "uptime_s": time.monotonic() - self._begin,
            "station": {"name": "hill", "heading_deg": 12.0, "source": "config"},
            "radio": {"kind": "stub", "state": "running", "frequency_hz": 433.92e6},
            "channels": [
                {"name": "beacon", "items": self._items, "frequency_hz": 433.9e6,
                 "bearing": {"status": "ok", "angles_deg": [72.0], "std_deg": [float("nan")],
                             "true_bearing_deg": [84.0]}},
            ],
        }

    def _is(self, name):
        return (self._folder / name).exists()

    def _note(self, text):
        with open(self._folder / "calls", "a", encoding="utf-8") as file:
            file.write(text + "\n")


class stub_web_server:
    def __init__(self, receiver, config):
        self._receiver = receiver
        self.port = config.port

    def start(self):
        if self._receiver._is("port_taken"):
            raise OSError("address already in use")
        self._receiver._note(f"web start {self.port}")

    def stop(self):
        self._receiver._note(f"web stop {self.port}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], stub_receiver, stub_web_server))

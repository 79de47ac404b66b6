# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver for tests of its web page: all it does is tell what it was told to tell."""

import cmath
import math
import threading
import time

CHANNELS = ("beacon", "voice")
# Relative to the array; the array points to 12 degrees.
ANGLES_DEG = {"beacon": 72.0, "voice": 290.0}
STD_DEG = {"beacon": 4.0, "voice": 1.5}
HEADING_DEG = 12.0
RADIUS_M = 0.25


def circle(n=5):
    turns = [2.0 * math.pi * k / n for k in range(n)]
    return [[RADIUS_M * math.sin(t), RADIUS_M * math.cos(t), 0.0] for t in turns]


class pretend_receiver:
    """Has the methods that the web server uses.

    commands: (name, arguments) of what it was told, in order.
    """

    def __init__(self):
        self.frequency_hz = 433.92e6
        self.gain_db = 28.0
        self.heading_deg = HEADING_DEG
        self.num_sources = dict.fromkeys(CHANNELS, 1)
        self.commands = []
        self.messages = ["radio: data flow from 127.0.0.1:5000", "calibration: tracking"]
        self.bearings = {}
        self._callbacks = []
        self._stop = threading.Event()
        self._thread = None
        self._begin = time.monotonic()

    def subscribe(self, callback):
        self._callbacks.append(callback)

    def unsubscribe(self, callback):
        if callback in self._callbacks:
            self._callbacks.remove(callback)

    @property
    def num_subscribers(self):
        return len(self._callbacks)

    def put(self, kind, payload):
        for callback in list(self._callbacks):
            callback(kind, payload)

    def command(self, name, **arguments):
        if name == "retune":
            if not 24e6 <= arguments["frequency_hz"] <= 1766e6:
                raise ValueError(
                    f"frequency_hz is {arguments['frequency_hz']:.0f}; the radio takes 24 MHz "
                    "to 1766 MHz"
                )
            self.frequency_hz = arguments["frequency_hz"]
        elif name == "set_gain":
            self.gain_db = arguments["gain_db"]
        elif name == "set_num_sources":
            if arguments["channel"] not in self.num_sources:
                raise ValueError(f"channel is {arguments['channel']!r}; there is none of that name")
            self.num_sources[arguments["channel"]] = arguments["num_sources"]
        self.commands.append((name, arguments))
        self.messages.append(f"told over the web: {name} {arguments}")

    def bearing(self, channel, when=None, angle_deg=None, std_deg=None, status="ok"):
        angle = ANGLES_DEG[channel] if angle_deg is None else angle_deg
        payload = {
            "channel": channel,
            "time": time.time() if when is None else when,
            "frequency_hz": self.frequency_hz,
            "status": status,
            "method": "music",
            "num_sources": 1,
            "angles_deg": [angle],
            "std_deg": [STD_DEG[channel] if std_deg is None else std_deg],
            "true_bearing_deg": [(HEADING_DEG + angle) % 360.0],
            "power_db": [-31.0],
            "snr_db": [18.2],
        }
        self.bearings[channel] = payload
        return payload

    def spectrum(self, channel, count=360):
        """One lobe where the source is, 20 dB high."""
        step = 360.0 / count
        centre = math.radians(ANGLES_DEG[channel])
        return {
            "channel": channel,
            "time": time.time(),
            "azimuth_deg": {"start": 0.0, "step": step, "count": count},
            "db": [
                -20.0 + 20.0 * math.exp(8.0 * (math.cos(math.radians(k * step) - centre) - 1.0))
                + 1.5 * math.cos(math.radians(5 * k * step))
                for k in range(count)
            ],
        }  # fmt: skip

    def start(self, interval_s=0.1, wobble_deg=0.0):
        """Bearings and spectra from a thread; wobble_deg: by how much bearings swing."""

        def run():
            step = 0
            while not self._stop.wait(interval_s):
                step += 1
                for k, channel in enumerate(CHANNELS):
                    angle = ANGLES_DEG[channel] + wobble_deg * math.sin(step / 17.0 + k)
                    self.put("bearing", self.bearing(channel, angle_deg=angle))
                    self.put("spectrum", self.spectrum(channel))

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def stop(self):
        self._stop.set()
        if self._thread is not None:
            self._thread.join(30)

    def snapshot(self):
        elapsed = time.monotonic() - self._begin
        phases = [0.0, 0.6, -1.1, 2.2, -0.4]
        sizes = [1.0, 0.9, 1.15, 0.7, 1.05]
        return {
            "time": time.time(),
            "version": "0.1.0",
            "uptime_s": elapsed,
            "station": {
                "name": "hill", "latitude": 47.5, "longitude": 8.7,
                "heading_deg": self.heading_deg, "source": "config",
            },
            "radio": {
                "kind": "kraken", "state": "streaming", "detail": "data flow from 127.0.0.1:5000",
                "frequency_hz": self.frequency_hz, "sample_rate_hz": 2.4e6,
                "gain_db": self.gain_db, "num_elements": 5,
                "counters": {"received_frames": int(9 * elapsed), "dropped_frames": 0,
                             "calibration_frames": 12, "reconnects": 1},
            },
            "array": {"positions_m": circle(), "kind": "uca"},
            "channels": [
                {
                    "name": name, "frequency_hz": self.frequency_hz + offset,
                    "bandwidth_hz": bandwidth, "num_sources": self.num_sources[name],
                    "squelch_open": is_open, "items": int(10 * elapsed),
                    "bearing": self.bearings.get(name),
                }
                for name, offset, bandwidth, is_open in (
                    ("beacon", 25e3, 12.5e3, True), ("voice", -200e3, 25e3, False))
            ],
            "calibration": {
                "status": "tracking", "ambiguity": "north", "time": time.time() - 5.0,
                "reference": 0,
                "gains": [[a.real, a.imag] for a in map(cmath.rect, sizes, phases)],
                "positions_m": [[0.0, 0.0, 0.0], [0.004, -0.002, 0.0], [-0.003, -0.005, 0.0],
                                [0.001, 0.006, 0.0], [0.002, 0.001, 0.0]],
                "sigma_phase_rad": [0.0, 0.03, 0.05, 0.12, 0.04],
                "loss": 0.0123, "saved_path": "/var/lib/bearing-receiver/calibration.json",
                "restarts": 1, "counts": {"updates": 812},
            },
            "outputs": [
                {"kind": "json_lines", "target": "bearings.jsonl", "state": "writing",
                 "counters": {"received": 1200, "written": 1200, "dropped": 0, "errors": 0}},
                {"kind": "zmq", "target": "tcp://127.0.0.1:5560", "state": "bound",
                 "counters": {"received": 1200, "written": 1200, "dropped": 0, "errors": 0}},
                {"kind": "tak", "target": "udp://239.2.3.1:6969",
                 "state": "network is unreachable; trying again in 8 s",
                 "counters": {"received": 1200, "written": 1130, "dropped": 70, "errors": 3}},
            ],
            "process": {"memory_mb": 143.2, "cpu_percent": 61.0},
            "messages": self.messages[-20:],
        }  # fmt: skip

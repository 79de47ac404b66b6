#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-receiver attended by nobody, before a KrakenSDR that does all that goes wrong.

It runs for a minute, or with BEARING_TEST_FULL=1 for half an hour, as the program that systemd
starts, while the server goes away and comes back, stalls, sends nonsense and bursts of calibration
frames. It is told phases that are wrong by up to 60 degrees, and has two lives: in the first one
the transmitter moves and bearings become right; blocks fail; the file is changed, spoilt and
mended. Then the file with the wrong phases is deleted, and a second process has nothing but the
state folder, and a transmitter that stands still.
"""

import csv
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import numpy as np
from support import FULL, OWN_ADDRESS

from gnuradio import bearing
from gnuradio.bearing.receiver.status_file import read_status
from gnuradio.bearing.tools.kraken_simulator import kraken_simulator

SECONDS = 1800 if FULL else 60
# Of both lives; the rest of a minute is for starting, stopping and looking.
FIRST_S, SECOND_S = (900, 850) if FULL else (24, 8)
# Of each life, for sizes.
SETTLING_S = 120 if FULL else 4
# For what a loaded machine does late, seconds.
PATIENCE = 60

FREQUENCY = 433.92e6
ELSEWHERE = 440.0e6
HEADING = 30.0
OFFSETS_HZ = {"band": 0.0, "narrow": 20e3}
PHASES_DEG = np.array([0.0, 130.0, -70.0, 40.0, -150.0])
# With these bearings are wrong by up to 20 degrees, and at some azimuths anywhere.
WRONG_BY_DEG = np.array([0.0, -60.0, 20.0, 60.0, -20.0])
GAINS = np.array([1.0, 0.9, 1.1, 1.0, 0.8]) * np.exp(1j * np.deg2rad(PHASES_DEG))

# Where the transmitter stands still, clockwise from +y: at the end of the first life, and from
# before the start of the second one. Uncalibrated bearings are wrong by some 20 degrees there, to
# either side.
LEARNT_AT, FIRST_AT, LAST_AT = 288.0, 135.0, 20.0
# Unknown signals tell an array's shape, but not its north: antennas that are turned look the same.
# It is where the calibrator settles, mostly within 0.1 degrees; 3.5 degrees were seen.
NORTH_DEG = 7.0
# But it is the same for all bearings. Those of 0.1 s at 20 dB differ by 0.13 degrees at most, and
# the shape learnt from sixty such items is wrong by less; this is some times as much.
SHAPE_DEG = 0.6

# A server and its network that fail all the time; what ends a connection comes once each round.
LASTING = [
    "noise_source:frame=20,every=50",
    "not_phase_synchronous:frame=31,every=60",
    "not_sample_synchronous:frame=47,every=110",
    "ramp:frame=53,every=150",
    "cal:frame=77,every=100",
    "overdrive:frame=85,every=70,value=3",
]
ONCE = [
    "close:frame=60,offset=700",
    "stall:frame=71,offset=100",
    "sync_word:frame=80",
    "length:frame=90",
    "channels:frame=100",
    "close:frame=110,offset=5000",
    "stall:frame=121,offset=1024",
]
ROUNDS = max(1, SECONDS // 60)
MOVES_EVERY_S, OUTAGE_EVERY_S, OUTAGE_S = 0.8, 11.0, 1.0
# Of each 40 seconds.
ELSEWHERE_FROM_S, ELSEWHERE_TO_S = 8.0, 10.0

MEGABYTE = 1 << 20
LARGEST = 220 * MEGABYTE
# From the first to the last quarter of a life after settling. Queues hold what the last outage
# left, some frames of 160 kB and CAL frames of 2.6 MB, and glibc keeps such blocks for the next
# ones; heaps of some fifty threads grow by steps of 128 kB until each has seen its worst. A leak of
# a frame a connection would be more than 1.6 MB a minute for good.
LARGEST_GROWTH = 6 * MEGABYTE
# From the third to the last quarter of a life of a quarter of an hour, when all has been seen: more
# than three minutes, with 4000 bearings. A hundred bytes of each would be 0.4 MB; steps of
# heaps are some of 128 kB.
LARGEST_LATE_GROWTH = MEGABYTE
# Bearings of a channel that may be on their way when the transmitter is moved: a second's, in the
# network's and the source's queues and in a filter.
ON_THEIR_WAY = 15
# Items of 5 x 5 complex floats in a page: what may wait between the squelch and an estimator
# whose flowgraph is ended. It is passed, and never estimated.
PAGE_ITEMS = 4096 // 200
# Seconds without a sign of life after which systemd kills it, as its unit file says.
WATCHDOG_S = 60

# The program, but for a squelch that fails when told to, and for items to learn from that come
# faster, so that a minute is enough.
PROGRAM = """
import signal, threading
from gnuradio.bearing.hier.squelch import squelch
from gnuradio.bearing.receiver.main import main
from gnuradio.bearing.receiver.receiver import receiver

fault = threading.Event()
signal.signal(signal.SIGUSR1, lambda *_: fault.set())
judge = squelch._judge

def judge_or_fail(self, items):
    if fault.is_set():
        fault.clear()
        raise RuntimeError("told to")
    return judge(self, items)

squelch._judge = judge_or_fail
raise SystemExit(main(make_receiver=lambda config: receiver(config, learning_interval_s=0.2)))
"""

CONFIGURATION = """
station: {{name: soak, latitude: 47.5, longitude: 8.7, heading_deg: {heading}}}
radio:
  kind: kraken
  protocol: v1
  host: {host}
  data_port: {data_port}
  control_port: {control_port}
  frequency_hz: {frequency}
  sample_rate_hz: 240e3
  timeout_s: 1.0
array: {{kind: uca, elements: 5, radius_m: 0.25}}
calibration: {{{file}self_calibration: true, num_sources: 1}}
channels:
  - {{name: band, num_sources: 1, squelch: {{eigenvalue_db: 6}}}}
  - {{name: narrow, offset_hz: 20e3, bandwidth_hz: 25e3, num_sources: 1}}
estimator: {{interval_s: 0.1, spectrum_points: 128}}
outputs:
  - {{kind: json_lines, target: bearings.jsonl, rotate_mb: 0}}
  - {{kind: csv, target: bearings.csv, rotate_mb: 0.05, keep: 1000}}
  - {{kind: kraken_json, target: "http://127.0.0.1:{deaf_port}/doapost", timeout_s: 0.2}}
state_folder: {folder}
"""


def difference_deg(a, b):
    return (a - b + 180.0) % 360.0 - 180.0


def resident_bytes(process):
    """Of what is no file's."""
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        name, value = line.split(":", 1)
        if name == "RssAnon":
            return 1024 * int(value.split()[0])
    raise ValueError("no RssAnon")


class deaf_peer:
    """Accepts connections and reads nothing."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.accepted = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        held = []
        while True:
            try:
                held.append(self._listener.accept()[0])
            except OSError:
                break
            self.accepted += 1
            # The client gave these up long ago.
            if len(held) > 64:
                held.pop(0).close()
        for client in held:
            client.close()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class pretend_systemd:
    """The socket where a service tells that it lives."""

    def __init__(self, folder):
        self.name = str(folder / "notify")
        self.said = []
        self.signs, self.longest_silence_s = 0, 0.0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.name)
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self):
        last = None
        while text := self._socket.recv(4096).decode():
            now = time.monotonic()
            words = [line for line in text.splitlines() if not line.startswith("STATUS=")]
            if "WATCHDOG=1" in words:
                self.signs += 1
                if last is not None:
                    self.longest_silence_s = max(self.longest_silence_s, now - last)
                last = now
            elif "STOPPING=1" in words:
                last = None
            self.said += [word for word in words if word in ("READY=1", "STOPPING=1")]
        self._socket.close()

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", self.name)


@unittest.skipUnless(pathlib.Path("/proc/self/status").exists(), "no /proc, which tells sizes")
class qa_receiver_soak(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="qa_receiver_soak_")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.state = self.folder / "state"
        self.deaf = deaf_peer()
        self.addCleanup(self.deaf.close)
        self.systemd = pretend_systemd(self.folder)
        self.addCleanup(self.systemd.close)
        self.server = kraken_simulator(
            "v1",
            [LEARNT_AT],
            frequency=FREQUENCY,
            sample_rate=240e3,
            gains=GAINS,
            cal_every=150,
            cal_length=2,
            dummy_every=97,
            drop_every=41,
            retune=True,
            faults=LASTING + ROUNDS * ONCE,
            host=OWN_ADDRESS,
        )
        self.server.start()
        self.addCleanup(self.server.stop)
        self.log = open(self.folder / "log", "w")
        self.addCleanup(self.log.close)
        self.random = np.random.default_rng(7)
        self.frequency, self.file = FREQUENCY, "file: wrong.json, "
        self.is_out = False

    # The program

    def configure(self, more=""):
        (self.folder / "receiver.yaml").write_text(
            CONFIGURATION.format(
                heading=HEADING,
                host=self.server.host,
                data_port=self.server.data_port,
                control_port=self.server.control_port,
                deaf_port=self.deaf.port,
                frequency=self.frequency,
                file=self.file,
                folder=self.state,
            )
            + more
        )

    def start(self):
        self.configure()
        (self.state / "status.json").unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-B", "-c", PROGRAM, str(self.folder / "receiver.yaml")],
            stdout=subprocess.DEVNULL,
            stderr=self.log,
            env={
                **os.environ,
                "NOTIFY_SOCKET": self.systemd.name,
                "WATCHDOG_USEC": str(WATCHDOG_S * 1000000),
            },
        )
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        self.wait_for(lambda: self.status() is not None, "status")
        self.began, self.sizes = time.monotonic(), []

    def end(self):
        """What it said last."""
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(PATIENCE), 0, self.logged())
        return self.status()

    def status(self):
        return read_status(self.state) if self.state.exists() else None

    def wait_for(self, condition, what):
        end = time.monotonic() + PATIENCE
        while not (value := condition()):
            self.assertIsNone(self.process.poll(), f"it ended, without {what}: {self.logged()}")
            self.assertLess(time.monotonic(), end, f"no {what}: {self.status()} {self.logged()}")
            time.sleep(0.05)
        return value

    def logged(self):
        return (self.folder / "log").read_text()[-4000:]

    def reload(self, counter="reloads", more=""):
        before = self.status()["service"][counter]
        self.configure(more)
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self.status()["service"][counter] == before + 1, counter)

    def fail_once(self):
        """A block throws, and the flowgraph is built anew."""

        def rebuilds():
            return self.status()["radio"]["counters"]["rebuilds"]

        before = rebuilds()
        self.process.send_signal(signal.SIGUSR1)
        self.wait_for(lambda: rebuilds() == before + 1, "rebuilding")

    def look(self):
        """What anybody may see at any time."""
        self.assertIsNone(self.process.poll())
        self.assertTrue(self.status()["service"]["healthy"])
        second = time.monotonic() - self.began
        self.sizes.append((second, resident_bytes(self.process)))
        time.sleep(0.25)

    def live(self, seconds, moves):
        """With outages; the transmitter moves, and the file tunes it away and back."""
        next_move = 0.0
        begin = time.monotonic()
        while (second := time.monotonic() - begin) < seconds:
            is_out = second % OUTAGE_EVERY_S > OUTAGE_EVERY_S - OUTAGE_S
            if is_out != self.is_out:
                self.is_out = is_out
                (self.server.go_away if is_out else self.server.come_back)()
            if moves and second >= next_move:
                next_move = second + MOVES_EVERY_S
                self.server.set_bearing(self.random.uniform(0.0, 360.0))
            if moves:
                is_away = ELSEWHERE_FROM_S < second % 40.0 < ELSEWHERE_TO_S
                frequency = ELSEWHERE if is_away else FREQUENCY
                if frequency != self.frequency:
                    self.frequency = frequency
                    self.reload()
            self.look()
        if self.is_out:
            self.is_out = False
            self.server.come_back()

    # Bearings

    def records(self):
        """All bearings that were written so far."""
        try:
            lines = (self.state / "bearings.jsonl").read_text().splitlines(keepends=True)
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def errors(self, before, truth, skipped=0, count=8):
        """In degrees, of so many bearings of each channel that are written after the first `before`
        of both and `skipped` more of each."""

        def written():
            told = {name: [] for name in OFFSETS_HZ}
            for record in self.records()[before:]:
                told[record["channel"]].append(record)
            told = {name: records[skipped:] for name, records in told.items()}
            return all(len(records) >= count for records in told.values()) and told

        errors = []
        for name, records in self.wait_for(written, "bearings").items():
            for record in records:
                self.assertEqual(record["rx_freq"], FREQUENCY + OFFSETS_HZ[name])
                self.assertEqual(record["station"]["name"], "soak")
                error = difference_deg(record["angles_deg"][0], truth)
                self.assertAlmostEqual(
                    difference_deg(record["true_bearing_deg"][0], truth + HEADING), error, 2
                )
                errors.append(error)
        return errors

    def errors_at(self, truth):
        """Of a transmitter that is put there now."""
        self.server.set_bearing(truth)
        return self.errors(len(self.records()), truth, ON_THEIR_WAY)

    # Counters

    def quiet_status(self):
        """What it says when the server has gone and all that came was worked on."""
        self.server.go_away()
        last = since = None

        def is_quiet():
            nonlocal last, since
            status = self.status()
            now = [channel["counters"] for channel in status["channels"]], [
                output["counters"]["received"] for output in status["outputs"]
            ]
            written = status["service"]["written"]
            if now != last:
                last, since = now, written
            # The status comes once a second, or later.
            return status if written - since > 2.5 else None

        self.wait_for(is_quiet, "quiet")

        # A counter that moves from one name to another may be read in between.
        def adds_up():
            status = self.status()
            return all(output_rest(output) == 0 for output in status["outputs"]) and status

        return self.wait_for(adds_up, "outputs whose counters add up")

    def assert_nothing_was_lost(self, status, lines_before):
        """In a life, up to a moment when nothing comes."""
        radio = status["radio"]["counters"]
        rebuilds = radio["rebuilds"]
        unusable = {
            "dummy", "ramp", "cal", "trigger", "not_sample_synchronous",
            "not_phase_synchronous", "noise_source", "retuning",
        }  # fmt: skip
        self.assertLessEqual(unusable - {"retuning"}, set(radio))
        named = sum(
            count
            for name, count in radio.items()
            if name in unusable or name.startswith("phase_state")
        )
        self.assertEqual(
            radio["frames_received"],
            radio["frames_delivered"] + radio["frames_dropped"] + radio["frames_queued"] + named,
            radio,
        )
        if not rebuilds:
            self.assertEqual(radio["frames_queued"], 0)
            self.assertEqual(radio["frames_delivered"] * 4096, radio["samples_delivered"])

        delivered = 0
        for channel in status["channels"]:
            own = channel["counters"]
            with self.subTest(channel=channel["name"]):
                self.assertEqual(own["received"], own["passed"] + own["closed"] + own["bad_data"])
                self.assertEqual(own["bad_data"], 0)
                # Only a flowgraph that was ended may leave some.
                lost = own["passed"] - own["messages"]
                self.assertGreaterEqual(lost, 0)
                self.assertLessEqual(lost, rebuilds * PAGE_ITEMS)
                self.assertEqual(own["messages"], own["bearings"] + own["dropped"])
                self.assertEqual(own["dropped"], 0)
                self.assertGreater(own["bearings"], 20)
            delivered += own["bearings"]
        for output in status["outputs"]:
            told = output["counters"]
            with self.subTest(output=output["kind"]):
                self.assertEqual(told["received"] + told["dropped_before"], delivered)
                self.assertEqual(told["dropped_before"], 0)
                if output["kind"] in ("json_lines", "csv"):
                    self.assertEqual(told["written"], delivered)
                else:
                    self.assertEqual(told["written"], 0)
                    self.assertGreater(told["errors"], 10)
        self.assertEqual(len(self.records()) - lines_before["json_lines"], delivered)
        self.assertEqual(len(self.rows()) - lines_before["csv"], delivered)

    def rows(self):
        """Of all files of comma-separated values, without their headers."""
        newest = self.state / "bearings.csv"
        older = len(list(self.state.glob("bearings.csv.*")))
        found = []
        for path in [*(f"{newest}.{number}" for number in range(older, 0, -1)), newest]:
            with open(path, newline="") as file:
                found += list(csv.DictReader(file))
        return found

    def assert_memory_is_constant(self):
        settled = [size for second, size in self.sizes if second >= SETTLING_S]
        quarter = len(settled) // 4
        first, third, last = (
            statistics.median(settled[k * quarter : (k + 1) * quarter]) for k in (0, 2, 3)
        )
        self.say(
            f"{max(settled) / MEGABYTE:.0f} MB, {(last - first) / 1024:.0f} kB more at the end, "
            f"{(last - third) / 1024:.0f} kB of them late"
        )
        with self.subTest("memory"):
            self.assertLess(max(settled), LARGEST)
            self.assertLess(last - first, LARGEST_GROWTH)
            if FULL:
                self.assertLess(last - third, LARGEST_LATE_GROWTH)

    def say(self, text):
        print(text, file=sys.stderr)

    def test_it_learns_and_keeps_it_and_loses_nothing(self):
        wrong = GAINS * np.exp(1j * np.deg2rad(WRONG_BY_DEG))
        bearing.calibration(gains=wrong / wrong[0], frequency=FREQUENCY).save(
            str(self.folder / "wrong.json")
        )

        # The first life
        self.start()
        at_first = self.errors(0, LEARNT_AT)
        self.fail_once()
        self.reload("failed_reloads", "station: twice\n")
        self.live(FIRST_S, moves=True)
        end = time.monotonic() + PATIENCE
        while self.status()["calibration"]["status"] != "tracking" and time.monotonic() < end:
            # A machine that is late hears less in the same time.
            self.live(3.0, moves=True)
        learnt = self.errors_at(LEARNT_AT)
        calibration = self.status()["calibration"]
        # The next flowgraph knows it from its first bearing on.
        lines = len(self.records())
        self.fail_once()
        rebuilt = self.errors(lines, LEARNT_AT)
        first = self.quiet_status()
        self.assert_nothing_was_lost(first, {"json_lines": 0, "csv": 0})
        self.assert_memory_is_constant()
        last = self.end()
        radio = dict(first["radio"]["counters"])
        self.assertEqual(radio["rebuilds"], 2, last["messages"])
        self.assertEqual(last["service"]["failed_reloads"], 1)
        self.assertGreaterEqual(last["service"]["reloads"], 2)

        # The second one
        (self.folder / "wrong.json").unlink()
        self.file = ""
        lines = {"json_lines": len(self.records()), "csv": len(self.rows())}
        self.server.set_bearing(FIRST_AT)
        self.server.come_back()
        self.start()
        at_once = self.errors(lines["json_lines"], FIRST_AT)
        self.live(SECOND_S, moves=False)
        still = self.errors(len(self.records()), FIRST_AT)
        elsewhere = self.errors_at(LAST_AT)
        second = self.quiet_status()
        self.assertEqual(second["radio"]["counters"]["rebuilds"], 0, second["messages"])
        self.assert_nothing_was_lost(second, lines)
        self.assert_memory_is_constant()
        self.end()
        for name, count in second["radio"]["counters"].items():
            radio[name] = radio.get(name, 0) + count
        served = dict(self.server.counters)

        told = {"at first": at_first, "learnt": learnt, "rebuilt": rebuilt, "at once": at_once,
                "still": still, "elsewhere": elsewhere}  # fmt: skip
        self.say(
            "; ".join(
                f"{name} {np.min(errors):.2f} to {np.max(errors):.2f}"
                for name, errors in told.items()
            )
            + f"; {served['faults']} faults, {served['outages']} outages, "
            f"{served['connections']} connections, {self.deaf.accepted} posts; "
            f"{self.systemd.longest_silence_s:.1f} s of silence; {calibration['counts']}"
        )

        with self.subTest("everything went wrong"):
            self.assertGreater(served["faults"], SECONDS / 2)
            self.assertGreater(served["outages"], SECONDS / 25)
            self.assertGreater(served["connections"], SECONDS / 10)
            self.assertGreater(self.deaf.accepted, SECONDS / 2)
            for reason in ("cal", "dummy", "ramp", "noise_source", "not_phase_synchronous",
                           "bad_header", "partial_frames", "timeouts", "channel_count"):
                self.assertGreater(radio[reason], 0, reason)
            # The server counts frames that it handed to the network; a connection that ends
            # loses some.
            self.assertLessEqual(radio["frames_received"], served["frames_sent"])
            self.assertGreater(radio["frames_received"], 0.8 * served["frames_sent"])

        with self.subTest("bearings become right, and stay so"):
            # Else nothing below is worth anything.
            self.assertGreater(np.min(np.abs(at_first)), 15.0)
            right = np.concatenate([learnt, rebuilt, at_once, still, elsewhere])
            self.assertLess(np.max(np.abs(right)), NORTH_DEG)
            self.assertLess(np.ptp(right), SHAPE_DEG)
            self.assertEqual(calibration["status"], "tracking")

        with self.subTest("systemd is content"):
            self.assertEqual(self.systemd.said[:1], ["READY=1"])
            self.assertEqual(self.systemd.said.count("STOPPING=1"), 2)
            self.assertGreater(self.systemd.signs, SECONDS / 6)
            self.assertLess(self.systemd.longest_silence_s, WATCHDOG_S)

        with self.subTest("files say the same"):
            rows = self.rows()
            for record, row in zip(self.records(), rows):
                self.assertEqual(record["channel"], row["channel"])
                self.assertAlmostEqual(record["angles_deg"][0], float(row["angle_deg"]), 2)


def output_rest(output):
    """Bearings that came to an output and that none of its counters names."""
    told = output["counters"]
    names = "written", "dropped", "skipped", "thinned", "waiting", "malformed", "other_channel"
    return told["received"] - sum(told[name] for name in names)


if __name__ == "__main__":
    unittest.main()

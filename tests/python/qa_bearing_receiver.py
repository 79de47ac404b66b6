#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-receiver: checking, status, signals, what systemd is told, and its unit file; with a
receiver that does as it is told, and once with the real one."""

import contextlib
import io
import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

from gnuradio.bearing.receiver import log
from gnuradio.bearing.receiver.clock_watch import clock_watch
from gnuradio.bearing.receiver.config import load_config
from gnuradio.bearing.receiver.configured_array import learned_calibration_path
from gnuradio.bearing.receiver.main import main
from gnuradio.bearing.receiver.service import summary
from gnuradio.bearing.receiver.service_manager import service_manager
from gnuradio.bearing.receiver.service_pulse import service_pulse
from gnuradio.bearing.receiver.status_file import (
    FILE_NAME, is_in_use, only_one, read_status, state_folder_in_use, write_status,
)
from gnuradio.bearing.receiver.status_screen import status_lines
from gnuradio.bearing.receiver.stop_deadline import stop_deadline

from support import BUILD_DIR, SOURCE_DIR, wait_for

PROGRAM = BUILD_DIR / "apps" / "bearing-receiver"
STUB = Path(__file__).with_name("stub_receiver.py")
EXAMPLES = SOURCE_DIR / "examples" / "receiver"
UNIT = BUILD_DIR / "apps" / "bearing-receiver.service"

# Seconds after which what should happen soon is given up.
PATIENCE = 90

CONFIG = """
station: {name: hill, latitude: 47.5, longitude: 8.7, heading_deg: 12}
radio:
  kind: simulator
  frequency_hz: 433.92e6
  sample_rate_hz: 48e3
  bearings_deg: [72]
array: {kind: uca, elements: 5, radius_m: 0.25}
channels:
  - {name: beacon, num_sources: 1}
outputs: [{kind: json_lines, target: bearings.jsonl}]
web: {port: 8123}
state_folder: state
"""


class running:
    """A program that runs with a configuration; its log is in .lines."""

    def __init__(self, folder, program, *arguments, **environment):
        self.folder = folder
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, "-B", str(program), str(folder / "r.yaml"), *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **environment},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stderr.close()

    def send(self, number):
        self.process.send_signal(number)

    def exit_code(self):
        """When it has ended by itself."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def wait_for(self, condition, what):
        """The first true value of a function."""
        deadline = time.monotonic() + PATIENCE
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                raise AssertionError(f"no {what}; the log: {self.lines}")
            time.sleep(0.02)

    def wait_for_line(self, words):
        return self.wait_for(lambda: [line for line in self.lines if words in line], words)[0]

    def status(self):
        return read_status(self.folder / "state")

    def wait_for_status(self, condition=lambda status: True):
        def found():
            status = self.status()
            return status if status is not None and condition(status) else None

        return self.wait_for(found, "such status")

    def calls(self):
        try:
            return (self.folder / "state" / "calls").read_text().splitlines()
        except FileNotFoundError:
            return []

    def wait_for_call(self, text):
        self.wait_for(lambda: text in self.calls(), f"call {text}")


class program_test(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.config = self.folder / "r.yaml"
        self.config.write_text(CONFIG)

    def make(self, name):
        """A file by which the stub knows what to do."""
        (self.folder / "state").mkdir(exist_ok=True)
        (self.folder / "state" / name).touch()

    def run_stub(self, *arguments, **environment):
        program = running(self.folder, STUB, *arguments, **environment)
        self.addCleanup(program.kill)
        return program

    def call(self, *arguments):
        """(exit code, stdout, stderr) of what the program does without running a receiver."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main([str(argument) for argument in arguments])
            except SystemExit as end:  # of argparse
                code = end.code
        return code, out.getvalue(), err.getvalue()

    def call_stub(self, *arguments):
        """(exit code, stdout, stderr) of the stub's program."""
        result = subprocess.run(
            [sys.executable, "-B", str(STUB), *map(str, arguments)],
            capture_output=True, text=True, timeout=PATIENCE,
        )
        return result.returncode, result.stdout, result.stderr


class checking(program_test):
    def test_a_right_file_is_described(self):
        code, out, err = self.call(self.config, "--check")
        self.assertEqual((code, err), (0, ""))
        for words in ("r.yaml: ok", "circle of 5", "beacon: whole band", "433.92 MHz"):
            self.assertIn(words, out)
        self.assertFalse((self.folder / "state").exists())

    def notes_of(self, *changes):
        text = CONFIG
        for before, after in changes:
            self.assertIn(before, text)
            text = text.replace(before, after)
        self.config.write_text(text)
        code, out, err = self.call(self.config, "--check")
        self.assertEqual((code, err), (0, ""))
        return [line for line in out.splitlines() if line.startswith("note: ")]

    def test_what_may_not_be_meant_is_noted(self):
        self.assertEqual(self.notes_of(), [])
        (note,) = self.notes_of(("bearings.jsonl", str(self.folder / "none" / "x.jsonl")))
        self.assertIn(f"the folder {self.folder / 'none'} is not there", note)
        kraken = (CONFIG.split("  frequency_hz")[0].split("radio:")[1], "\n  kind: kraken\n")
        simulated = ("  bearings_deg: [72]\n", "")
        self.assertEqual(self.notes_of(kraken, simulated), [])
        (note,) = self.notes_of(kraken, simulated, ("elements: 5", "elements: 4"))
        self.assertIn("5 channels, the array has 4 elements", note)
        # 2 r sin 36 degrees over 0.691 m.
        (note,) = self.notes_of(("radius_m: 0.25", "radius_m: 0.5"))
        self.assertIn("0.85 wavelengths", note)

    def test_what_was_learnt_is_named(self):
        parsed = load_config(self.config)
        path = learned_calibration_path(parsed)
        self.assertEqual(path.parent, self.folder / "state")
        self.assertIn("calibration  none to begin with\n", self.call(self.config, "--check")[1])
        path.parent.mkdir()
        path.touch()
        told = self.call(self.config, "--check")[1]
        self.assertIn(f"calibration  {path}, learnt by an earlier run\n", told)

    def test_a_wrong_file_is_told_line_by_line(self):
        self.config.write_text(CONFIG.replace("elements: 5", "elements: 500").replace("8123", "a"))
        code, out, err = self.call(self.config, "--check")
        self.assertEqual((code, out), (2, ""))
        self.assertEqual(
            [line.split(": ")[:2] for line in err.splitlines()],
            [[f"{self.config}:8", "array.elements"], [f"{self.config}:12", "web.port"]],
        )

    def test_a_wrong_file_is_not_run(self):
        self.config.write_text("radio: {}")
        self.assertEqual(self.call(self.config)[0], 2)

    def test_a_file_that_is_not_there(self):
        # Its disk may be mounted later: whoever starts it again is right.
        for options, expected in ((["--check"], 2), (["--status"], 2), ([], 1)):
            code, _, err = self.call(self.folder / "absent.yaml", *options)
            self.assertEqual(code, expected)
            self.assertIn("absent.yaml: No such file", err)

    def test_what_a_file_names_may_be_there_later(self):
        self.config.write_text(
            "radio: {kind: file, path: mounted/later}\nchannels: [{name: all}]\n"
        )
        for options, expected in ((["--check"], 2), ([], 1)):
            code, _, err = self.call(self.config, *options)
            self.assertEqual(code, expected)
            self.assertIn(f"{self.config}:1: radio.path: no such recording", err)

    def test_the_command_line(self):
        self.assertEqual(self.call()[0], 2)
        self.assertEqual(self.call(self.config, "--check", "--status")[0], 2)
        code, out, _ = self.call("--print-schema")
        self.assertEqual((code, json.loads(out)["title"]), (0, "bearing-receiver"))
        code, out, _ = self.call("--help")
        for option in ("CONFIG", "--check", "--status", "--print-schema", "--log-level"):
            self.assertIn(option, out)

    def test_a_state_folder_that_cannot_be(self):
        # It may be one day; only a file that is wrong is final.
        (self.folder / "state").write_text("a file")
        code, _, err = self.call_stub(self.config)
        self.assertEqual(code, 1)
        self.assertIn("state", err.splitlines()[-1])

    def test_what_the_receiver_refuses_is_the_files_fault(self):
        for name, value in (("refuses_to_start", 3), ("refuses", 1)):
            self.make(name)
            code, _, err = self.call_stub(self.config)
            self.assertEqual(code, 2)
            self.assertIn(f"{self.config}: radio.gain_db is {value}; it must be 2", err)


class signals(program_test):
    def test_sigterm_and_ctrl_c_stop_it_and_it_succeeds(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            program = self.run_stub()
            program.wait_for_status(lambda status: "stopped" not in status)
            program.send(number)
            self.assertEqual(program.exit_code(), 0, program.lines)
            self.assertEqual(program.calls()[-2:], ["web stop 8123", "stop"])
            self.assertIn("stopped", program.status())

    def test_sighup_reloads_and_names_what_needs_a_restart(self):
        program = self.run_stub()
        program.wait_for_call("web start 8123")
        self.config.write_text(CONFIG.replace("heading_deg: 12", "heading_deg: 99"))
        program.send(signal.SIGHUP)
        program.wait_for_call("apply 99.0 8123")
        program.wait_for_call("station 47.5 99.0 config")
        status = program.wait_for_status(lambda status: status["service"]["reloads"] == 1)
        self.assertEqual(status["service"]["needs_restart"], ["radio"])
        program.wait_for_line("needs a restart to take effect: radio")

    def test_sighup_serves_the_page_elsewhere(self):
        program = self.run_stub()
        program.wait_for_call("web start 8123")
        self.config.write_text(CONFIG.replace("8123", "8124"))
        program.send(signal.SIGHUP)
        program.wait_for_call("web start 8124")
        self.assertLess(
            program.calls().index("web stop 8123"), program.calls().index("web start 8124")
        )

    def test_a_broken_new_file_changes_nothing(self):
        program = self.run_stub()
        program.wait_for_status()
        for text in (
            "radio: [",
            CONFIG.replace("elements: 5", "elements: x"),
            CONFIG.replace("port: 8123", 'token_file: "x\\0y"'),
            CONFIG.replace("bearings.jsonl", "~nobody.here/x"),
            CONFIG.replace("state_folder: state", "state_folder: ~nobody.here/x"),
            None,
        ):
            if text is None:
                self.config.unlink()
            else:
                self.config.write_text(text)
            before = program.status()["service"]["failed_reloads"]
            program.send(signal.SIGHUP)
            program.wait_for_status(lambda s: s["service"]["failed_reloads"] == before + 1)
        program.wait_for_line("array.elements")
        program.wait_for_line(f"nothing was reloaded: {self.config}: No such file")
        self.assertIsNone(program.process.poll())
        self.assertFalse([call for call in program.calls() if call.startswith("apply")])

    def test_a_mistake_of_the_program_in_a_reload_does_not_end_it(self):
        program = self.run_stub()
        program.wait_for_call("web start 8123")
        self.make("puzzles")
        program.send(signal.SIGHUP)
        program.wait_for_line("KeyError: 'on purpose'")
        (self.folder / "state" / "puzzles").unlink()
        program.send(signal.SIGHUP)
        status = program.wait_for_status(lambda status: status["service"]["reloads"] == 1)
        self.assertEqual(status["service"]["failed_reloads"], 1)

    def test_sighup_before_it_listens_does_not_end_it(self):
        process = subprocess.Popen(
            [str(PROGRAM), str(self.config), "--check"], stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        caught = f"/proc/{process.pid}/status"
        deadline = time.monotonic() + PATIENCE
        # HUP is the lowest bit.
        while not int(re.search(r"SigCgt:\s*(\w+)", Path(caught).read_text())[1], 16) & 1:
            self.assertLess(time.monotonic(), deadline)
            self.assertIsNone(process.poll())
            time.sleep(0.001)
        process.send_signal(signal.SIGHUP)
        out, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0)
        self.assertIn("r.yaml: ok", out)

    def test_what_the_receiver_refuses_when_it_is_reloaded_changes_nothing(self):
        program = self.run_stub()
        program.wait_for_call("web start 8123")
        self.make("refuses")
        self.config.write_text(CONFIG.replace("8123", "8124"))
        program.send(signal.SIGHUP)
        program.wait_for_line("nothing was reloaded: radio.gain_db is 1")
        self.assertNotIn("web start 8124", program.calls())

    def test_another_state_folder_needs_a_restart(self):
        program = self.run_stub()
        program.wait_for_status()
        self.config.write_text(CONFIG.replace("state_folder: state", "state_folder: other"))
        program.send(signal.SIGHUP)
        program.wait_for_status(
            lambda status: status["service"]["needs_restart"] == ["radio", "state_folder"]
        )
        # Files stay where they are.
        program.wait_for_call(f"outputs ['{self.folder}/state/bearings.jsonl']")
        self.assertFalse((self.folder / "other").exists())

    def test_the_second_signal_ends_what_hangs(self):
        for name in ("hangs", "starts_slowly"):
            self.make(name)
            program = self.run_stub()
            program.wait_for_call("start")
            program.send(signal.SIGTERM)
            program.wait_for_line("stopping: SIGTERM")
            program.send(signal.SIGTERM)
            self.assertEqual(program.exit_code(), 128 + signal.SIGTERM)
            (self.folder / "state" / "calls").unlink()

    def test_what_hangs_is_ended_and_says_where(self):
        ended = threading.Event()
        codes = []

        def end(code):
            codes.append(code)
            ended.set()

        deadline = stop_deadline(0.01, end)
        with tempfile.TemporaryFile("w+") as file, self.assertLogs("gnuradio.bearing", "ERROR"):
            stderr, sys.__stderr__ = sys.__stderr__, file
            try:
                deadline.start()
                self.assertTrue(ended.wait(PATIENCE))
            finally:
                sys.__stderr__ = stderr
            file.seek(0)
            self.assertIn("test_what_hangs", file.read())
        self.assertEqual(codes, [1])


class service(program_test):
    def listen(self):
        """A socket as systemd's, and its name."""
        path = self.folder / "notify"
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(listening.close)
        listening.bind(str(path))
        listening.settimeout(PATIENCE)
        return listening, str(path)

    def told(self, listening, wanted):
        """What was told until a message has a line that begins so."""
        messages = []
        while True:
            messages.append(listening.recv(65536).decode())
            if any(line.startswith(wanted) for line in messages[-1].splitlines()):
                return messages

    def test_systemd_is_told_of_start_reload_and_stop(self):
        listening, path = self.listen()
        program = self.run_stub(NOTIFY_SOCKET=path)
        self.assertEqual(self.told(listening, "READY=1"), ["READY=1"])
        status = self.told(listening, "STATUS=")[-1]
        self.assertIn("433.92 MHz, beacon 84.0°", status)
        program.send(signal.SIGHUP)
        reloading = self.told(listening, "RELOADING=1")[-1]
        self.assertRegex(reloading, r"MONOTONIC_USEC=\d+")
        self.told(listening, "READY=1")
        program.send(signal.SIGTERM)
        self.told(listening, "STOPPING=1")
        self.assertEqual(program.exit_code(), 0)

    def test_it_is_ready_only_when_it_has_started(self):
        listening, path = self.listen()
        self.make("starts_slowly")
        program = self.run_stub(NOTIFY_SOCKET=path)
        program.wait_for_call("start")
        listening.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            listening.recv(65536)

    def test_the_watchdog_is_fed_only_while_the_receiver_is_healthy(self):
        listening, path = self.listen()
        program = self.run_stub(NOTIFY_SOCKET=path, WATCHDOG_USEC="400000")
        self.told(listening, "WATCHDOG=1")
        self.told(listening, "WATCHDOG=1")
        self.make("sick")
        program.wait_for_line("stuck")
        program.wait_for_status(lambda status: status["service"]["healthy"] is False)
        listening.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                listening.recv(65536)
        # Five times as long as between two signs of life.
        time.sleep(0.5)
        with self.assertRaises(BlockingIOError):
            while "WATCHDOG" not in listening.recv(65536).decode():
                pass
        (self.folder / "state" / "sick").unlink()
        listening.settimeout(PATIENCE)
        self.told(listening, "WATCHDOG=1")

    def test_the_watchdog_is_fed_while_a_reload_takes_its_time(self):
        listening, path = self.listen()
        program = self.run_stub(NOTIFY_SOCKET=path, WATCHDOG_USEC="400000")
        self.told(listening, "STATUS=")
        self.make("builds_slowly")
        program.send(signal.SIGHUP)
        program.wait_for_call("apply 12.0 8123")
        listening.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                listening.recv(65536)
        listening.settimeout(PATIENCE)
        for _ in range(5):
            self.told(listening, "WATCHDOG=1")
        (self.folder / "state" / "builds_slowly").unlink()
        self.told(listening, "READY=1")

    def pulse(self, is_healthy, **options):
        """A service_pulse that looks once, and how often it gave a sign of life."""
        manager = mock.Mock(watchdog_s=None)
        pulse = service_pulse(manager, is_healthy, **options)
        with self.assertLogs("gnuradio.bearing", "ERROR") as logs:
            pulse._look()
        self.assertFalse(pulse.is_healthy)
        manager.alive.assert_not_called()
        return "\n".join(logs.output)

    def test_the_watchdog_is_not_fed_while_the_main_thread_is_stuck(self):
        self.assertIn("main thread", self.pulse(lambda: True, late_s=-1.0))

    def test_a_receiver_that_raises_is_not_healthy(self):
        self.assertIn("on purpose", self.pulse(mock.Mock(side_effect=KeyError("on purpose"))))

    def test_systemd_is_told_without_its_module(self):
        listening, path = self.listen()
        abstract = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(abstract.close)
        name = f"bearing-receiver-{os.getpid()}"
        abstract.bind("\0" + name)
        abstract.settimeout(PATIENCE)
        for address, reader in ((path, listening), ("@" + name, abstract)):
            with mock.patch.dict(sys.modules, {"systemd": None}), mock.patch.dict(
                os.environ, {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"}
            ), self.assertLogs("gnuradio.bearing", "WARNING") as logs:
                manager = service_manager()
                manager.ready()
                self.assertEqual(reader.recv(65536), b"READY=1")
                manager.alive()
                self.assertEqual(reader.recv(65536), b"WATCHDOG=1")
            self.assertIn("python3-systemd", logs.output[0])

    def test_a_watchdog_of_another_process_is_not_fed(self):
        listening, path = self.listen()
        self.run_stub(NOTIFY_SOCKET=path, WATCHDOG_USEC="100000", WATCHDOG_PID="1")
        self.told(listening, "STATUS=")
        listening.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            self.told(listening, "WATCHDOG=1")

    def test_a_page_that_cannot_be_served_stops_nothing_and_is_tried_again(self):
        self.make("port_taken")
        program = self.run_stub()
        program.wait_for_line("no web page: address already in use")
        program.wait_for_status(lambda status: status["service"]["web_state"])
        (self.folder / "state" / "port_taken").unlink()
        program.wait_for_call("web start 8123")
        self.assertEqual(sum("already in use" in line for line in program.lines), 1)

    def test_one_receiver_for_a_state_folder(self):
        self.run_stub().wait_for_status()
        code, _, err = self.call_stub(self.config)
        self.assertEqual(code, 1)
        self.assertIn("another receiver keeps its state there", err)
        self.assertIn("state_folder", err)

    def test_what_libraries_print_is_in_the_log(self):
        program = self.run_stub()
        line = program.wait_for_line("a library complains")
        self.assertRegex(line, r"^\S+ \S+ error: block: a library complains$")

    def test_a_status_that_cannot_be_written_stops_nothing(self):
        program = self.run_stub()
        program.wait_for_status()
        (self.folder / "state" / FILE_NAME).unlink()
        # Nothing can be renamed to a folder.
        while True:
            with contextlib.suppress(FileExistsError):
                (self.folder / "state" / FILE_NAME).mkdir()
                break
            with contextlib.suppress(FileNotFoundError):
                (self.folder / "state" / FILE_NAME).unlink()
        program.wait_for_line("the status could not be written")
        (self.folder / "state" / FILE_NAME).rmdir()
        program.wait_for_status()

    def test_a_status_that_cannot_be_collected_stops_nothing_either(self):
        program = self.run_stub()
        program.wait_for_status()
        self.make("confused")
        program.wait_for_line("KeyError: 'on purpose'")
        (self.folder / "state" / "confused").unlink()
        errors = program.wait_for_status(lambda status: status["service"]["status_errors"])
        self.assertGreaterEqual(errors["service"]["status_errors"], 1)
        self.assertEqual(sum("could not be written" in line for line in program.lines), 1)

    def test_a_clock_that_is_set_is_noticed_and_all_goes_on(self):
        program = self.run_stub()
        program.wait_for_status()
        self.make("summer_time")
        program.wait_for_line("the clock was set on by 3600.0 s")
        status = program.wait_for_status(lambda s: s["service"]["clock_jumps"] == 1)
        items = status["channels"][0]["items"]
        program.wait_for_status(lambda status: status["channels"][0]["items"] > items)

    def test_position_from_gpsd_reaches_the_receiver(self):
        fix = {"class": "TPV", "mode": 3, "lat": 1.5, "lon": 2.5}
        with socket.create_server(("127.0.0.1", 0)) as server:
            text = CONFIG.replace(
                "heading_deg: 12",
                f"heading_deg: 12, gpsd: {{host: 127.0.0.1, port: {server.getsockname()[1]}}}",
            )
            self.config.write_text(text)
            program = self.run_stub()
            server.settimeout(PATIENCE)
            client, _ = server.accept()
            with client:
                client.sendall(json.dumps(fix).encode() + b"\n")
                program.wait_for_call("station 1.5 12.0 gpsd")
                program.wait_for_status(lambda status: "fix" in (status["service"]["gps"] or ""))
                # The file's position is not taken for the station's when it is read again.
                program.send(signal.SIGHUP)
                program.wait_for_status(lambda status: status["service"]["reloads"] == 1)
                program.wait_for(
                    lambda: program.calls().count("station 1.5 12.0 gpsd") == 2, "second position"
                )
            self.assertNotIn("station 47.5 12.0", "\n".join(program.calls()))


class status(program_test):
    def example(self):
        return {
            "version": "1.0", "uptime_s": 100000.0,
            "station": {"name": "hill", "latitude": 47.5, "longitude": 8.7, "heading_deg": 12.0,
                        "source": "gpsd"},
            "radio": {"kind": "kraken", "state": "waiting", "detail": "no answer " * 20,
                      "frequency_hz": 433.92e6, "sample_rate_hz": 2.4e6, "counters": {"frames": 5}},
            "channels": [
                {"name": f"channel {k}", "frequency_hz": 433e6, "items": 10, "squelch_open": k > 1,
                 "bearing": {"status": "ok", "angles_deg": [72.0, 100.0], "std_deg": [0.5, None],
                             "true_bearing_deg": [84.0, None]}}
                for k in range(3)
            ],
            "calibration": {"status": "tracking", "loss": 0.01, "saved_path": "/x/y"},
            "outputs": [{"kind": "csv", "target": "/a", "state": "ok", "counters": {"written": 3}}],
            "process": {"memory_mb": 80.0, "cpu_percent": 30.0},
            "messages": [f"message {k}" for k in range(20)],
            "service": {"pid": 1, "written": 1000.0, "healthy": True, "web": "http://a/",
                        "gps": "gpsd: fix 0 s old", "needs_restart": ["radio"], "clock_jumps": 2},
        }

    def test_it_fits_on_a_screen(self):
        for width, height in ((80, 24), (40, 10), (200, 60), (20, 3), (1, 1)):
            lines = status_lines(self.example(), True, 1000.0, width, height)
            self.assertLessEqual(len(lines), max(1, height - 1))
            self.assertLessEqual(max(map(len, lines)), width)

    def test_it_says_what_matters(self):
        text = "\n".join(status_lines(self.example(), True, 1000.0, 100, 60))
        for words in (
            "hill: running for 1 d 3 h", "47.50000, 8.70000, heading 12.0° (gpsd)",
            "433.920000 MHz", "waiting", "84.0° ± 0.50° true; 100.0° of the array",
            "squelch closed", "tracking, loss 0.01", "3 written", "80 MB", "clock set 2 times",
            "restart for  radio", "message 19",
        ):
            self.assertIn(words, text)

    def channel_line(self, now, **values):
        example = self.example()
        example["channels"] = [{**example["channels"][2], **values}]
        return next(line for line in status_lines(example, True, now) if "channel 2" in line)

    def test_old_bearings_have_their_age(self):
        self.assertNotIn("ago", self.channel_line(1000.0))
        self.assertNotIn("ago", self.channel_line(1000.0, bearing_age_s=2.0))
        self.assertIn("57 s ago", self.channel_line(1000.0, bearing_age_s=57.0))
        # The status itself may be old.
        self.assertIn("6 s ago", self.channel_line(1004.0, bearing_age_s=2.0))
        self.assertNotIn("squelch", self.channel_line(1000.0, squelch_open=None))

    def test_what_is_lost_comes_first_and_one_is_no_plural(self):
        example = self.example()
        example["radio"]["counters"] = {
            "connection_failures": 26, "connections": 1, "frames": 12345678, "frames_dropped": 3,
            "frames_lost": 2, "gaps": 1, "loss": 1, "nothing": 0,
        }
        (line,) = (line for line in status_lines(example, True, 1000.0, 200) if "26" in line)
        self.assertEqual(
            line.strip(),
            "1 gap, 2 frames lost, 3 frames dropped, 26 connection failures, 1 connection, "
            "12345678 frames, 1 loss",
        )

    def test_what_calibration_does_not_know_is_told(self):
        example = self.example()
        for ambiguity, words in (("north", "tracking, north unknown, loss"), ("none", "tracking, l")):
            example["calibration"]["ambiguity"] = ambiguity
            self.assertIn(words, "\n".join(status_lines(example, True, 1000.0, 100, 60)))

    def test_old_bearings_are_not_in_the_line_for_systemd(self):
        example = self.example()
        example["channels"][0]["bearing_age_s"] = 4.0
        example["channels"][1]["bearing_age_s"] = 1.0
        self.assertNotIn("channel 0", summary(example))
        self.assertIn("channel 1 84.0°", summary(example))

    def test_stale_stuck_and_stopped_are_told_apart(self):
        example = self.example()
        self.assertIn("STALE", "\n".join(status_lines(example, True, 1100.0)))
        self.assertNotIn("STALE", "\n".join(status_lines(example, True, 1005.0)))
        self.assertIn("ended without stopping", status_lines(example, False, 1100.0)[0])
        self.assertIn("starting", status_lines(None, True, 0.0)[0])
        self.assertIn("not running", status_lines(None, False, 0.0)[0])
        example["service"]["healthy"] = False
        self.assertIn("STUCK", "\n".join(status_lines(example, True, 1001.0)))
        example["stopped"] = 1000.0
        self.assertIn("stopped 1 min 40 s ago", status_lines(example, False, 1100.0)[0])

    def test_anything_can_stand_in_the_file(self):
        for value in ({}, {"radio": 3, "channels": {"a": 1}, "station": None, "service": [1]},
                      {"channels": [1, {"name": 3, "bearing": {"angles_deg": ["x", None]}}]},
                      {"messages": ["\x1b[2J\n\n", 5], "uptime_s": "long", "stopped": "yes"}):
            lines = status_lines(value, True, 0.0)
            self.assertTrue(all(line.isprintable() for line in lines), lines)

    def test_the_program_prints_it(self):
        self.assertEqual(self.call(self.config, "--status")[0], 3)
        program = self.run_stub()
        program.wait_for_status(lambda status: status["channels"][0]["items"] > 1)
        code, out, _ = self.call(self.config, "--status")
        self.assertEqual(code, 0)
        self.assertIn("beacon", out)
        self.assertIn("84.0° true", out)
        program.send(signal.SIGKILL)
        program.exit_code()
        code, out, _ = self.call(self.config, "--status")
        self.assertEqual(code, 3)
        self.assertIn("ended without stopping", out)

    def test_a_folder_that_is_closed_to_others(self):
        closed = PermissionError(13, "Permission denied")
        with mock.patch("gnuradio.bearing.receiver.main.is_in_use", side_effect=closed):
            code, _, err = self.call(self.config, "--status")
        self.assertEqual(code, 1)
        self.assertIn("state: Permission denied", err)
        self.assertIn("sudo", err)

    def test_readers_find_a_whole_file_always(self):
        stop = threading.Event()
        folder = self.folder

        def write():
            while not stop.is_set():
                write_status(folder, {"numbers": list(range(2000)), "bad": float("nan")})

        writing = threading.Thread(target=write)
        writing.start()
        try:
            seen = 0
            deadline = time.monotonic() + PATIENCE
            while seen < 300 and time.monotonic() < deadline:
                found = read_status(folder)
                if found is not None:
                    self.assertEqual(len(found["numbers"]), 2000)
                    self.assertIsNone(found["bad"])
                    seen += 1
        finally:
            stop.set()
            writing.join()
        self.assertEqual(seen, 300)

    def test_a_file_that_is_no_status(self):
        for content in (b"{", b"[]", b"\xff", b"[" * 100000, b"x" * (5 << 20)):
            (self.folder / FILE_NAME).write_bytes(content)
            with self.assertRaises(ValueError):
                read_status(self.folder)

    def test_the_folder_is_held_by_one(self):
        self.assertFalse(is_in_use(self.folder))
        with only_one(self.folder):
            self.assertTrue(is_in_use(self.folder))
            with self.assertRaises(state_folder_in_use), only_one(self.folder):
                pass
        self.assertFalse(is_in_use(self.folder))


class clock(unittest.TestCase):
    def test_jumps_are_noticed_and_drift_is_not(self):
        now = {"wall": 1000.0, "steady": 5.0}
        watch = clock_watch(lambda: now["wall"], lambda: now["steady"])

        def go_on(wall, steady):
            now["wall"] += wall
            now["steady"] += steady
            return watch.jump()

        for _ in range(10000):
            self.assertEqual(go_on(1.0005, 1.0), 0.0)
        self.assertAlmostEqual(go_on(3601.0, 1.0), 3600.0)
        self.assertEqual(go_on(1.0, 1.0), 0.0)
        self.assertAlmostEqual(go_on(-49.0, 1.0), -50.0)
        self.assertEqual(watch.jumps, 2)


class logging_to(unittest.TestCase):
    def record(self, level, text):
        return logging.makeLogRecord({"levelno": level, "levelname": "X", "msg": text})

    def test_the_journal_gets_priorities_and_no_line_of_a_strangers_making(self):
        form = log._journal_format()
        self.assertEqual(form.format(self.record(logging.ERROR, "a")), "<3>a")
        self.assertEqual(form.format(self.record(logging.INFO, "a\nb")), "<6>a\n<6>b")
        self.assertEqual(form.format(self.record(logging.WARNING, "a\x1b[2J\r")), "<4>a\\x1b[2J\\r")

    def test_stderr_is_the_journals_if_systemd_says_so(self):
        with tempfile.TemporaryFile() as file:
            told = os.fstat(file.fileno())
            before = os.environ.get("JOURNAL_STREAM")
            try:
                os.environ["JOURNAL_STREAM"] = f"{told.st_dev}:{told.st_ino}"
                self.assertTrue(log._is_journal(file))
                os.environ["JOURNAL_STREAM"] = f"{told.st_dev}:1"
                self.assertFalse(log._is_journal(file))
            finally:
                os.environ.pop("JOURNAL_STREAM")
                if before is not None:
                    os.environ["JOURNAL_STREAM"] = before
            self.assertFalse(log._is_journal(io.StringIO()))

    def test_a_flood_of_a_library_is_counted(self):
        with self.assertLogs("gnuradio.bearing.library", "INFO") as logs:
            with log.library_output() as output:
                os.write(1, b"gr::log :WARN: x - first\n")
                for _ in range(100):
                    os.write(1, b"line\n" * 1000)
                self.assertTrue(wait_for(lambda: len(logs.output) + output.dropped >= 100001))
        self.assertIn("WARNING", logs.output[0])
        self.assertLess(len(logs.output), 1000)
        self.assertEqual(len(logs.output) + output.dropped, 100001)


class unit_file(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if shutil.which("systemd-analyze") is None:
            raise unittest.SkipTest("no systemd-analyze (package systemd)")

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name, "bearing-receiver.service")
        # The program as it is here: verify looks for it.
        text, count = re.subn(
            r"^ExecStart=\S+", f"ExecStart={PROGRAM}", UNIT.read_text(), flags=re.M
        )
        self.assertEqual(count, 1)
        self.path.write_text(text)

    def analyze(self, *arguments):
        return subprocess.run(
            ["systemd-analyze", *arguments, str(self.path)], capture_output=True, text=True,
            timeout=PATIENCE, env={**os.environ, "SYSTEMD_PAGER": "cat"},
        )

    def test_systemd_finds_nothing_wrong_with_it(self):
        result = self.analyze("verify", "--man=no")
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_systemd_would_find_what_is_wrong(self):
        self.path.write_text(self.path.read_text().replace("Type=notify", "Type=notifi"))
        self.assertNotEqual(self.analyze("verify", "--man=no").stderr, "")

    def test_the_service_is_shut_in(self):
        # Of 10; a service that says nothing has 9.6. 2.0 is what systemd calls OK.
        result = self.analyze("security", "--offline=yes", "--threshold=20", "--no-pager")
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_watchdog_reload_and_user(self):
        text = UNIT.read_text()
        for line in ("Type=notify", "Restart=always", "DynamicUser=yes", "NoNewPrivileges=yes",
                     "ProtectSystem=strict", "ExecReload=/bin/kill -HUP $MAINPID"):
            self.assertIn(f"\n{line}\n", text)
        seconds = {key: int(value) for key, value in re.findall(r"^(\w+Sec)=(\d+)$", text, re.M)}
        self.assertGreater(seconds["WatchdogSec"], 30)
        # It ends itself before systemd does it.
        self.assertGreater(seconds["TimeoutStopSec"], 15)


class the_real_one(program_test):
    def test_the_examples_are_right(self):
        for name in ("simulator", "kraken", "usrp"):
            result = subprocess.run(
                [str(PROGRAM), str(EXAMPLES / f"{name}.yaml"), "--check"],
                capture_output=True, text=True, timeout=PATIENCE,
            )
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertNotIn("note:", result.stdout)

    def test_bearings_status_reload_and_stop(self):
        # The example, less the ports that others may use.
        text = (EXAMPLES / "simulator.yaml").read_text()
        for before, after in (
            ("port: 8080", "port: 0"),
            ("tcp://127.0.0.1:5560", f"ipc://{self.folder}/zmq"),
        ):
            self.assertEqual(text.count(before), 1)
            text = text.replace(before, after)
        self.config.write_text(text + "state_folder: state\n")
        program = running(self.folder, PROGRAM)
        self.addCleanup(program.kill)
        output = self.folder / "state" / "bearings.jsonl"

        def last_bearings():
            """By channel, when both have some."""
            found = {}
            with contextlib.suppress(FileNotFoundError, IndexError, ValueError):
                for line in output.read_text().splitlines()[-6:]:
                    record = json.loads(line)
                    found[record["channel"]] = record["true_bearing_deg"][0]
            return found if len(found) == 2 else None

        # 72 and 200 degrees of the array, which looks to 12. The deviation, with 20 dB in the
        # whole band and 1600 samples, is a hundredth of a degree.
        found = program.wait_for(last_bearings, "bearings")
        self.assertAlmostEqual(found["beacon"], 84.0, delta=0.1)
        self.assertAlmostEqual(found["visitor"], 212.0, delta=0.1)
        status = program.wait_for_status(
            lambda status: all(channel["bearing"] for channel in status["channels"])
        )
        self.assertEqual(status["radio"]["kind"], "simulator")
        self.assertRegex(status["service"]["web"], r"^http://127\.0\.0\.1:\d+/$")
        code, out, _ = self.call(self.config, "--status")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"beacon .* ok: 84\.0° ± 0\.0\d° true")

        text = self.config.read_text().replace("heading_deg: 12.0", "heading_deg: 100.0")
        self.config.write_text(text)
        program.send(signal.SIGHUP)

        def turned():
            found = last_bearings()
            # Each was less than that with the old one.
            is_turned = found and found["beacon"] > 150 and found["visitor"] > 250
            return found if is_turned else None

        found = program.wait_for(turned, "bearings with the new heading")
        self.assertAlmostEqual(found["beacon"], 172.0, delta=0.1)
        self.assertAlmostEqual(found["visitor"], 300.0, delta=0.1)
        program.send(signal.SIGTERM)
        self.assertEqual(program.exit_code(), 0, program.lines)
        self.assertFalse([line for line in program.lines if " error: " in line], program.lines)


del program_test

if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-batch: the same bytes on threads and on a cluster, all of them, and only once."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock
from pathlib import Path

from gnuradio import bearing
from gnuradio.bearing.tools import batch, batch_runners

import qa_bearing_replay as recordings
from support import BUILD_DIR

PROGRAM = BUILD_DIR / "apps" / "bearing-batch"
REPLAY = BUILD_DIR / "apps" / "bearing-replay"
# Seconds after which a program that hangs is given up.
PATIENCE = 120
SCHEDULER = """
import asyncio
from distributed import Scheduler

async def serve():
    async with Scheduler(host="127.0.0.1", port=0, dashboard_address="127.0.0.1:0") as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()

asyncio.run(serve())
"""

# The program whose name comes first: after the first recording each item takes some milliseconds.
SLOW_PROGRAM = """
import runpy, sys, time
from gnuradio.bearing.tools import batch_runners, batch_task

process, json_lines = batch_task.process, batch_task.json_lines

def json_lines_slowly(*arguments):
    time.sleep(0.005)
    return json_lines(*arguments)

def process_and_slow_down(*arguments):
    done = process(*arguments)
    batch_task.json_lines = json_lines_slowly
    return done

batch_runners.process = process_and_slow_down
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def call(*arguments):
    """(exit code, lines on stderr) of the program, in this process: starting takes a second."""
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            code = batch.main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
    return code, said.getvalue().splitlines()


def call_program(*arguments):
    """The same of a process of its own, which prints nothing on stdout."""
    result = subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True, text=True,
                            timeout=PATIENCE)
    assert result.stdout == "", result.stdout
    return result.returncode, result.stderr.splitlines()


def contents(folder):
    """{name: bytes} of all files in a folder but the lock."""
    paths = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in paths if not path.name.endswith(".lock")}


class qa_bearing_batch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory(prefix="bearing-batch-")
        cls.folder = Path(cls.shared.name) / "recordings"
        (cls.folder / "deeper" / "still").mkdir(parents=True)
        for k, stem in enumerate(("a", "b", "with space", "deeper/a", "deeper/still/c")):
            recordings.write_recording(
                cls.folder / stem, [recordings.two_sources(24000 * (k + 1) + 7, seed=k)],
                heading_deg=30.0 * k,
            )

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bearing-batch-")
        self.addCleanup(folder.cleanup)
        self.results = Path(folder.name) / "results"
        self.own = Path(folder.name) / "own"
        self.own.mkdir()

    def write(self, name, **options):
        return recordings.write_recording(
            self.own / name, [recordings.two_sources(12000, seed=5)], **options
        )

    def test_threads_and_a_cluster_of_two_workers_write_the_same_bytes(self):
        # Imported here: it takes a second.
        from distributed import LocalCluster

        options = ("--recursive", "--interval", "0.02", "--sources", "2")
        code, said = call_program(self.folder, self.results, *options, "--jobs", 2)
        self.assertEqual(code, 0, said)
        threads = contents(self.results)
        self.assertEqual(len(threads), 10)
        for name in ("a", "with space", "deeper/still/c"):
            meta = self.folder / f"{name}.sigmf-meta"
            printed = subprocess.run(
                [str(REPLAY), str(meta), "--format", "json", "--quiet", *options[1:]],
                capture_output=True, timeout=PATIENCE, check=True,
            ).stdout
            self.assertEqual(threads[f"{name}.jsonl"], printed)
            summary = json.loads(threads[f"{name}.summary.json"])
            self.assertEqual(summary["results"]["items"], printed.count(b"\n"))
            self.assertEqual(sum(summary["results"]["statuses"].values()), printed.count(b"\n"))

        with LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1",
            local_directory=str(self.own / "dask"),
            dashboard_address="127.0.0.1:0", worker_dashboard_address="127.0.0.1:0",
        ) as cluster:
            other = self.results.with_name("other")
            code, said = call_program(
                self.folder, other, *options, "--scheduler", cluster.scheduler_address
            )
            self.assertEqual(code, 0, said)
            self.assertEqual(contents(other), threads)
            # What threads have done a cluster need not do again.
            code, said = call(self.folder, self.results, *options,
                              "--scheduler", cluster.scheduler_address)
            self.assertEqual(code, 0)
            self.assertIn("0 recordings done, 0 failed, 5 had been done before", said[-1])
            # Broken recordings, on a worker.
            (self.own / "x.sigmf-meta").write_text("{")
            self.write("y")
            code, said = call(self.own, other, "--scheduler", cluster.scheduler_address)
            self.assertEqual(code, 1)
            self.assertIn("x.sigmf-meta: is not JSON", said[0])
            self.assertIn("1 recording done, 1 failed", said[-1])
            # A worker that is killed at work; another one, or its successor, takes over.
            with self.started(self.folder, self.results.with_name("again"), *options,
                              "--scheduler", cluster.scheduler_address) as process:
                part = self.wait_for(
                    lambda: next(self.results.with_name("again").rglob(".*.part"), None)
                )
                os.kill(int(part.name.split(".")[-2].split("-")[0]), signal.SIGKILL)
                said = process.stderr.read().splitlines()
                self.assertEqual(process.wait(PATIENCE), 0, said)
            self.assertEqual(len(said), 1, said)
            self.assertEqual(contents(self.results.with_name("again")), threads)

    @contextlib.contextmanager
    def started(self, *arguments):
        """The program in a process of its own, which says early that there are no workers."""
        process = subprocess.Popen(
            [sys.executable, "-B", "-c",
             "import sys\nfrom gnuradio.bearing.tools import batch, batch_runners\n"
             "batch_runners._WORKERLESS_S = 0.1\nsys.exit(batch.main(sys.argv[1:]))",
             *map(str, arguments)],
            stderr=subprocess.PIPE, text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            process.stderr.close()

    def wait_for(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not (found := condition()):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.002)
        return found

    def test_a_scheduler_that_is_killed_is_told_of_once(self):
        for k in range(3):
            self.write(f"r{k}")
        # In a process that can be killed; without workers, so that nothing is done.
        scheduler = subprocess.Popen([sys.executable, "-B", "-c", SCHEDULER], text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(scheduler.stdout.close)
        self.addCleanup(scheduler.wait)
        self.addCleanup(scheduler.kill)
        address = scheduler.stdout.readline().strip()
        with self.started(self.own, self.results, "--scheduler", address) as process:
            self.assertIn("has no workers", process.stderr.readline())
            scheduler.kill()
            said = process.stderr.read().splitlines()
            self.assertEqual(process.wait(PATIENCE), 1)
        # No traceback of Dask's, and nothing counted as failed that was not tried.
        self.assertEqual(len(said), 2, said)
        self.assertIn(f"{address} is gone, 3 recordings left", said[0])
        self.assertIn("0 recordings done, 0 failed", said[1])

    def test_a_cluster_without_workers_is_told_of_and_can_be_left(self):
        from distributed import LocalCluster

        self.write("x")
        with LocalCluster(
            n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster:
            with self.started(self.own, self.results, "--scheduler",
                              cluster.scheduler_address) as process:
                self.assertIn("has no workers", process.stderr.readline())
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.wait(PATIENCE), 130)
                self.assertIn("1 recording left", process.stderr.read())

    def test_what_is_done_is_not_done_again_and_what_changed_is(self):
        self.write("x")
        calibration = self.own / "cal.json"
        bearing.calibration(gains=[1, 1j, 1, 1, 1]).save(str(calibration))
        options = ("--calibration", calibration)

        def count(*arguments, word=""):
            code, said = call(self.own, self.results, *arguments)
            self.assertEqual(code, 0, said)
            self.assertIn(word, said[0])
            return int(said[-1].split(" recording")[0].split()[-1])

        self.assertEqual(count(), 1)
        stamp = (self.results / "x.jsonl").stat().st_mtime_ns
        self.assertEqual(count(), 0)
        self.assertEqual((self.results / "x.jsonl").stat().st_mtime_ns, stamp)
        # A snapshot count that the interval does not change, and the other way round.
        self.assertEqual(count("--snapshots", 480, word="with other options"), 1)
        self.assertEqual(count("--snapshots", 480), 0)
        self.assertEqual(count(*options, word="with other options"), 1)
        self.assertEqual(count(*options), 0)
        calibrated = contents(self.results)
        # The content counts, not the name.
        moved = self.own / "moved.json"
        moved.write_bytes(calibration.read_bytes())
        self.assertEqual(count("--calibration", moved), 0)
        bearing.calibration(gains=[1, -1j, 1, 1, 1]).save(str(calibration))
        self.assertEqual(count(*options, word="with other options"), 1)
        self.assertNotEqual(contents(self.results), calibrated)
        self.assertEqual(count("--calibration", moved, word="with other options"), 1)
        self.assertEqual(contents(self.results), calibrated)
        options = ("--calibration", moved)
        # The recording, the results, the summary
        os.utime(self.own / "x.sigmf-data", ns=(1, 1))
        self.assertEqual(count(*options, word="the recording has changed"), 1)
        with open(self.results / "x.jsonl", "r+") as file:
            file.write("[")
        self.assertEqual(count(*options, word="they have been changed"), 1)
        for text in ("", "{}", "[" * 100000, "null", '{"format": 1, "made_of": [], "results": 1}'):
            (self.results / "x.summary.json").write_text(text)
            self.assertEqual(count(*options, word="cannot be read"), 1)
        (self.results / "x.jsonl").unlink()
        self.assertEqual(count(*options, word="cannot be read"), 1)
        self.assertEqual(count(*options, "--force"), 1)

    def test_broken_recordings_are_named_and_do_not_stop_the_others(self):
        self.write("good0")
        self.write("good1")

        def broken(name, change):
            meta = self.write(name)
            document = json.loads(meta.read_text())
            change(document)
            meta.write_text(json.dumps(document))

        broken("outside", lambda d: d["global"].update({"core:dataset": "../../out.sigmf-data"}))
        broken("absolute", lambda d: d["global"].update({"core:dataset": "/etc/passwd"}))
        broken("no_array", lambda d: d["global"].pop("bearing:positions_m"))
        broken("not_finite", lambda d: d["global"].update({"core:sample_rate": float("nan")}))
        broken("channels", lambda d: d["global"].update({"core:num_channels": 10**30}))
        self.write("no_data")
        (self.own / "no_data.sigmf-data").unlink()
        (self.own / "deep.sigmf-meta").write_text("[" * 200000)
        (self.own / "bytes.sigmf-meta").write_bytes(bytes(range(256)))
        (self.own / "folder.sigmf-meta").mkdir()
        os.mkfifo(self.own / "pipe.sigmf-meta")
        (self.own / "in the way").mkdir()
        self.write("taken")
        (self.results / "taken.jsonl").mkdir(parents=True)
        code, said = call(self.own, self.results, "--jobs", 2)
        self.assertEqual(code, 1)
        names = ("outside", "absolute", "no_array", "not_finite", "channels", "no_data", "deep",
                 "bytes", "pipe", "taken")
        for name in names:
            self.assertEqual(sum(f"{name}.sigmf-" in line for line in said[:-1]), 1, (name, said))
        self.assertEqual(len(said), len(names) + 1)
        self.assertIn(f"2 recordings done, {len(names)} failed", said[-1])
        self.assertEqual(sorted(contents(self.results)), ["good0.jsonl", "good0.summary.json",
                                                         "good1.jsonl", "good1.summary.json"])

    def test_file_names_with_control_characters_are_told_once_and_escaped(self):
        (self.own / "a\x1b[31m\nb.sigmf-meta").write_text("{")
        self.write("no\ndata")
        (self.own / "no\ndata.sigmf-data").unlink()
        code, said = call(self.own, self.results, "--jobs", 1)
        self.assertEqual((code, len(said)), (1, 3), said)
        for line, name in zip(sorted(said[:-1]), ("a\\x1b[31m b.sigmf-meta",
                                                  "no data.sigmf-meta")):
            self.assertTrue(line.isprintable(), line)
            self.assertEqual(line.count(name), 1, line)

    def test_folders_inside_are_for_recursive_and_links_are_not_followed(self):
        self.write("x")
        (self.own / "inner").symlink_to(self.folder)
        code, said = call(self.own, self.results, "--recursive")
        self.assertEqual((code, sorted(contents(self.results))), (0, ["x.jsonl", "x.summary.json"]))
        code, said = call(self.folder, self.results)
        self.assertEqual(code, 0)
        self.assertIn("3 recordings done", said[-1])

    def long_batch(self):
        """The program at work on six recordings, the first of them done and half a minute before
        the last one is."""
        for k in range(6):
            recordings.write_recording(self.own / f"r{k}",
                                       [recordings.two_sources(48000, seed=k)])
        process = subprocess.Popen(
            [sys.executable, "-B", "-c", SLOW_PROGRAM, str(PROGRAM), str(self.own),
             str(self.results), "--snapshots", "32", "--jobs", "1"],
            stderr=subprocess.PIPE, text=True,
        )
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        deadline = time.monotonic() + PATIENCE
        while not list(self.results.glob("*.summary.json")):
            self.assertIsNone(process.poll(), "ended too early")
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.002)
        return process

    def check_that_it_goes_on(self):
        before = {name: (self.results / name).stat().st_ino for name in contents(self.results)
                  if not name.endswith(".part")}
        self.assertLess(len(before), 12)
        whole = self.results.with_name("whole")
        for results in (self.results, whole):
            code, said = call(self.own, results, "--snapshots", 32)
            self.assertEqual(code, 0, said)
        # What had been done was left alone, nothing else is left.
        for name, number in before.items():
            self.assertEqual((self.results / name).stat().st_ino, number)
        self.assertEqual(contents(self.results), contents(whole))
        self.assertEqual(len(contents(whole)), 12)

    def test_a_batch_that_is_interrupted_goes_on(self):
        process = self.long_batch()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read().splitlines()
        self.assertEqual(process.wait(PATIENCE), 130)
        self.assertIn("interrupted", said[-1])
        self.assertEqual([name for name in contents(self.results) if name.endswith(".part")], [])
        self.check_that_it_goes_on()

    def test_a_batch_that_is_killed_goes_on(self):
        process = self.long_batch()
        process.kill()
        process.wait()
        self.check_that_it_goes_on()

    def test_two_batches_do_not_write_to_one_folder(self):
        process = self.long_batch()
        code, said = call(self.own, self.results)
        self.assertEqual(code, 2)
        self.assertIn("another bearing-batch", said[-1])
        self.assertIsNone(process.poll())

    def test_progress_is_shown_when_it_is_wanted(self):
        self.write("x")
        self.assertEqual(len(call(self.own, self.results)[1]), 1)
        code, said = call(self.own, self.results, "--force", "--progress")
        self.assertEqual(code, 0)
        self.assertIn("100%", "".join(said))
        self.assertEqual(call(self.own, self.results, "--force", "--quiet"), (0, []))

    def test_what_is_wrong_is_named(self):
        self.write("x")
        empty = self.own / "empty"
        empty.mkdir()
        for arguments, word in (
            ((empty, self.results), "holds no recordings"),
            ((self.own / "none", self.results), "none: No such file"),
            ((self.own, self.own / "x.sigmf-meta"), "x.sigmf-meta: "),
            ((self.own, self.results, "--calibration", self.own / "no.json"), "no.json"),
            ((self.own, self.results, "--jobs", "0"), "--jobs"),
            ((self.own, self.results, "--scheduler", "http://x"), "--scheduler"),
            ((self.own, self.results, "--scheduler", "tls://x:1"), "--tls-ca"),
            ((self.own, self.results, "--tls-ca", "x"), "--tls-ca"),
            ((self.own, self.results, "--variant", "real"), "--variant"),
        ):
            code, said = call(*arguments)
            self.assertEqual(code, 2, said)
            self.assertIn(word, said[-1])

    def test_a_scheduler_that_is_not_there_is_named(self):
        self.write("x")
        with unittest.mock.patch.object(batch_runners, "_CONNECT_S", 1):
            code, said = call(self.own, self.results, "--scheduler", "tcp://127.0.0.1:1")
        self.assertEqual(code, 2)
        self.assertIn("tcp://127.0.0.1:1", said[-1])


if __name__ == "__main__":
    unittest.main()

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-batch: bearings of a folder of recordings."""

import argparse
import contextlib
import fcntl
import os
import sys
import time

from .batch_runners import cluster_runner, lost_cluster, thread_runner
from .batch_task import identified, make_task, reason_to_process, remove_parts, replay_options
from .command_line import (
    FAILED,
    OK,
    bad_input,
    complaints_about,
    one_line,
    run,
    stop_signals,
    system_errors_of,
)
from .printable import printable
from .replay_options import add_replay_options, check_replay_options
from .replay_output import take_stdout

PROGRAM = "bearing-batch"
_META = ".sigmf-meta"
_LOCK = ".bearing-batch.lock"


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Writes the bearings of all SigMF recordings in a folder: NAME.jsonl, an "
        "object for each interval on a line, and NAME.summary.json. Recordings whose results are "
        "there are passed over, so a batch that was interrupted goes on where it was.",
        epilog="Exit code 1: a recording could not be processed; 2: the command line or a file is "
        "wrong; 130: Ctrl-C.",
    )
    parser.add_argument("folder", metavar="FOLDER", help="with recordings NAME.sigmf-meta")
    parser.add_argument("results", metavar="RESULTS", help="folder of results, made if missing")
    parser.add_argument(
        "--recursive", action="store_true", help="recordings in folders inside the folder too"
    )
    add_replay_options(parser)
    group = parser.add_argument_group("where it runs (default: threads of this program)")
    group.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        help="recordings at a time, default: as many as there are processors",
    )
    group.add_argument(
        "--scheduler",
        metavar="tcp://HOST:PORT",
        help="of a Dask cluster whose workers see both folders under the same names; tcp only on a "
        "network that is trusted, as Dask runs what it is sent; tls://HOST:PORT with --tls-...",
    )
    for name, what in (
        ("ca", "certificate authority"),
        ("cert", "certificate of this program"),
        ("key", "its private key"),
    ):
        group.add_argument(f"--tls-{name}", metavar="FILE", help=f"{what}, PEM")
    group = parser.add_argument_group("output")
    group.add_argument("--force", action="store_true", help="process all recordings again")
    group.add_argument(
        "--progress", action="store_true", help="progress bar even if stderr is no terminal"
    )
    group.add_argument("--quiet", action="store_true", help="only what went wrong on stderr")
    arguments = parser.parse_args(argv)
    check_replay_options(parser, arguments)
    if arguments.progress and arguments.quiet:
        parser.error("--progress and --quiet exclude each other")
    if arguments.jobs is not None and arguments.jobs < 1:
        parser.error(f"--jobs is {arguments.jobs}; it must be 1 or more")
    if arguments.jobs is not None and arguments.scheduler is not None:
        parser.error("--jobs is of threads here, a cluster has its own")
    tls = [arguments.tls_ca, arguments.tls_cert, arguments.tls_key]
    is_tls = (arguments.scheduler or "").startswith("tls://")
    if is_tls != all(tls) or is_tls != any(tls):
        parser.error("--scheduler tls://..., --tls-ca, --tls-cert and --tls-key go together")
    if arguments.scheduler is not None and not arguments.scheduler.startswith(("tcp://", "tls://")):
        parser.error(f"--scheduler is {arguments.scheduler}; it must be tcp://... or tls://...")
    return arguments


def find_recordings(folder, is_recursive):
    """Names of metadata files relative to the folder, sorted, and sentences about folders that
    could not be read. Links to folders are not followed."""
    names, complaints = [], []
    with system_errors_of(folder):
        os.listdir(folder)
    for place, folders, files in os.walk(
        folder, onerror=lambda e: complaints.append(f"{e.filename}: {e.strerror}")
    ):
        if not is_recursive:
            folders.clear()
        relative = os.path.relpath(place, folder)
        for name in files:
            if name.endswith(_META) and name != _META:
                names.append(os.path.normpath(os.path.join(relative, name)))
    return sorted(names), complaints


@contextlib.contextmanager
def sole_writer(folder):
    """Makes the folder, and sees that no other batch writes to it."""
    with system_errors_of(folder):
        os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, _LOCK)
    with contextlib.ExitStack() as stack:
        with system_errors_of(path):
            lock = stack.enter_context(open(path, "a"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise bad_input(f"{folder}: another bearing-batch is writing to it") from None
        except OSError as error:
            # Some network file systems have no locks.
            say(f"{path}: {error.strerror}; no other batch may write to this folder now")
        yield


class progress_bar:
    """On stderr, in bytes of the recordings, when it is wanted."""

    def __init__(self, wanted, total):
        self._bar = None
        if wanted:
            # Imported here: it serves a terminal only.
            from tqdm import tqdm

            self._bar = tqdm(
                total=total, file=sys.stderr, unit="B", unit_scale=True, dynamic_ncols=True
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()

    def advance(self, count):
        if self._bar is not None:
            self._bar.update(min(count, self._bar.total - self._bar.n))

    def say(self, sentence):
        if self._bar is not None:
            self._bar.clear()
        say(sentence)
        if self._bar is not None:
            self._bar.refresh()


def say(sentence):
    print(f"{PROGRAM}: {printable(sentence)}", file=sys.stderr, flush=True)


def make_runner(arguments):
    if arguments.scheduler is None:
        return thread_runner(arguments.jobs or os.cpu_count() or 1)
    return cluster_runner(
        arguments.scheduler, arguments.tls_ca, arguments.tls_cert, arguments.tls_key
    )


def tasks_to_do(arguments, names):
    """Tasks without results, saying why results that are there do not count."""
    options = replay_options(arguments)
    known = identified(options)
    tasks = []
    for name in names:
        metadata = os.path.join(arguments.folder, name)
        task = make_task(metadata, name, arguments.results, options, known)
        why = "" if arguments.force else reason_to_process(task)
        if why is None:
            continue
        if why and not arguments.quiet:
            say(f"{name}: has results, but {why}; it is processed again")
        tasks.append(task)
    return tasks


def data_bytes(task):
    """As a guess for the bar: the data file may be another, or missing."""
    try:
        return os.path.getsize(task["metadata"][: -len(_META)] + ".sigmf-data")
    except OSError:
        return 0


def batch(argv):
    """The program, less what run() does; the exit code."""
    arguments = parse_arguments(argv)
    # What GNU Radio logs is no result.
    os.close(take_stdout())
    names, complaints = find_recordings(arguments.folder, arguments.recursive)
    for sentence in complaints:
        say(sentence)
    if not names:
        raise bad_input(f"{arguments.folder}: holds no recordings, no file NAME{_META}")
    with sole_writer(arguments.results):
        with complaints_about("options"):
            tasks = tasks_to_do(arguments, names)
        passed_over = len(names) - len(tasks)
        for task in tasks:
            remove_parts(task)
        with stop_signals() as signals:
            done, failed, seconds, elapsed = work_off(arguments, tasks, signals)
    if not arguments.quiet:
        say(summary(done, passed_over, failed, seconds, elapsed))
    if signals.received is not None:
        left = counted(len(tasks) - done - failed)
        say(f"interrupted, {left} left to do; the same command goes on")
        return signals.exit_code
    return OK if done == len(tasks) and not complaints else FAILED


def work_off(arguments, tasks, signals):
    """(recordings done, failed, their seconds, seconds that it took)."""
    done, failed, seconds = 0, 0, 0.0
    begin = time.monotonic()
    wanted = arguments.progress or (sys.stderr.isatty() and not arguments.quiet)
    with contextlib.ExitStack() as stack:
        runner = stack.enter_context(make_runner(arguments))
        bar = stack.enter_context(progress_bar(wanted and tasks, sum(map(data_bytes, tasks))))
        outcomes = stack.enter_context(contextlib.closing(runner.outcomes(tasks)))
        try:
            for news in outcomes:
                if signals.received is not None:
                    runner.stop()
                    break
                kind, value = news or (None, None)
                if kind == "bytes":
                    bar.advance(value)
                elif kind == "notice":
                    bar.say(value)
                elif kind == "outcome":
                    task, outcome = value
                    # Of a worker that was killed; another one has taken over since.
                    remove_parts(task)
                    if outcome["state"] == "done":
                        done += 1
                        seconds += outcome["seconds"]
                    else:
                        failed += 1
                        bar.say(complaint(task, outcome["reason"]))
        except lost_cluster as error:
            left = len(tasks) - done - failed
            bar.say(
                f"the scheduler {error} is gone, {counted(left)} left to do; the same command goes "
                "on"
            )
            return done, failed, seconds, time.monotonic() - begin
    left = len(tasks) - done - failed
    if left and signals.received is None:
        say(f"no answer for {counted(left)}")
        failed += left
    return done, failed, seconds, time.monotonic() - begin


def counted(number):
    return f"{number} recording{'' if number == 1 else 's'}"


def complaint(task, reason):
    """Names the recording once: most reasons begin with the path of one of its files."""
    stem = one_line(task["metadata"][: -len(_META)])
    is_named = reason.startswith((f"{stem}{_META}", f"{stem}.sigmf-data"))
    return reason if is_named else f"{one_line(task['name'])}: {reason}"


def summary(done, passed_over, failed, seconds, elapsed):
    text = f"{counted(done)} done, {failed} failed, {passed_over} had been done before"
    if done:
        text += f"; {seconds:.1f} s of signals in {elapsed:.1f} s: {seconds / elapsed:.1f} times "
        text += "real time"
    return text


def main(argv=None):
    """Entry point; argv: the command line without the program's name. The exit code."""
    return run(PROGRAM, batch, argv)

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-fuse: where the bearings of several receivers meet."""

import argparse
import asyncio
import contextlib
import json
import sys
import time

from ..fusion.feed import feed, feed_address
from ..fusion.fix_report import fix_map, fix_object
from ..fusion.fix_server import fix_server, serving_address
from ..fusion.fuser import fuser
from ..fusion.line_output import line_output
from ..fusion.silence_watch import silence_watch
from ..output.background_writer import background_writer
from ..output.state_file import state_file
from .command_line import (
    BROKEN_PIPE,
    bad_input,
    check_writable,
    complaints_about,
    not_negative,
    positive,
    run,
    stop_signals,
    system_errors_of,
)
from .printable import printable
from .replay_output import take_stdout

PROGRAM = "bearing-fuse"
MAX_FEEDS = 256
_LARGEST_LIST = 1 << 20
# Lines that wait for whoever reads standard output.
_MOST_LINES = 4096
# Seconds between looks at signals.
_PATIENCE = 0.1


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Listens to the bearings of several receivers, works out where they meet, and "
        "prints one JSON object a line for each fix.",
        epilog="Exit code 2: the command line or a file is wrong; 130: Ctrl-C.",
    )
    parser.add_argument(
        "addresses",
        nargs="*",
        metavar="ADDRESS",
        help="where a receiver publishes bearings: tcp://HOST:PORT or HOST:PORT",
    )
    parser.add_argument(
        "--addresses",
        dest="address_file",
        metavar="FILE",
        help="file with one more address on each line; # starts a comment",
    )
    parser.add_argument(
        "--listen",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="where receivers connect to and publish bearings, tcp://IP:PORT or ipc://PATH; port 0: "
        "any; may be given several times. Whoever reaches the address can send: 127.0.0.1 is this "
        "computer only",
    )
    group = parser.add_argument_group("what is combined")
    group.add_argument(
        "--max-age",
        type=positive,
        default=5.0,
        metavar="SECONDS",
        help="of bearings, since they arrived; default: 5",
    )
    group.add_argument(
        "--frequency-tolerance",
        type=not_negative,
        default=1000.0,
        metavar="HZ",
        help="largest difference between stations that hear the same; default: 1000",
    )
    group.add_argument(
        "--heading-std",
        type=not_negative,
        default=0.0,
        metavar="DEGREES",
        help="standard deviation of the stations' headings, added to that of every bearing; "
        "default: 0. A compass is rarely better than 1",
    )
    group.add_argument(
        "--max-range",
        type=positive,
        default=1000.0,
        metavar="KM",
        help="farthest distance of a transmitter from a station; default: 1000",
    )
    group = parser.add_argument_group("output")
    group.add_argument(
        "--interval",
        type=positive,
        default=1.0,
        metavar="SECONDS",
        help="between fixes; default: 1",
    )
    group.add_argument(
        "--serve",
        metavar="HOST:PORT",
        help="serve the map at http://HOST:PORT/fixes.geojson, and /status.json; port 0: any. "
        "Whoever reaches the address can read it: 127.0.0.1 is this computer only",
    )
    group.add_argument("--output", metavar="FILE", help="write the map to a GeoJSON file")
    group.add_argument(
        "--line-length",
        type=positive,
        default=50.0,
        metavar="KM",
        help="of bearings on the map that meet no other; default: 50",
    )
    group.add_argument("--quiet", action="store_true", help="no summary on stderr")
    arguments = parser.parse_args(argv)
    if not arguments.addresses and not arguments.listen and arguments.address_file is None:
        parser.error("there is no ADDRESS, no --addresses and no --listen")
    return arguments


def all_addresses(arguments):
    """{address: whether others connect to it} of the command line and the file; raises
    bad_input."""
    found = {}
    for text in arguments.listen:
        with complaints_about("--listen"):
            found[feed_address(text, lowest_port=0)] = True
    for text in arguments.addresses:
        with complaints_about("ADDRESS"):
            found.setdefault(feed_address(text), False)
    if arguments.address_file is not None:
        path = arguments.address_file
        with complaints_about(path):
            with open(path, "rb") as file:
                content = file.read(_LARGEST_LIST + 1)
            if len(content) > _LARGEST_LIST:
                raise ValueError(f"is larger than {_LARGEST_LIST} bytes, which no list here is")
            for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
                text = line.split("#")[0].strip()
                if text:
                    with complaints_about(f"{path}:{number}"):
                        found.setdefault(feed_address(text), False)
    if not 1 <= len(found) <= MAX_FEEDS:
        raise bad_input(f"{len(found)} addresses; 1 to {MAX_FEEDS} are possible")
    return found


class fusing:
    """The program while it runs: feeds, fuser, and what is told about them.

    lines: written_beside, of standard output; put_map: a function of the map as text that does not
    wait.
    """

    def __init__(self, arguments, feeds, lines, put_map):
        self._arguments, self._feeds = arguments, feeds
        self._lines, self._put_map = lines, put_map
        self._fuser = fuser(
            arguments.max_age,
            arguments.frequency_tolerance,
            arguments.heading_std,
            arguments.max_range * 1e3,
        )
        # A station of one message in max_age seconds is not silent in between.
        self._watch = silence_watch(2 * arguments.max_age)
        self._clock_offsets = {}
        self._fixes = 0
        self._map = json.dumps(fix_map([], [], 0.0, 0.0)).encode()
        for one in feeds:
            self._watch.expect(one.address, time.monotonic())

    async def listen(self, one):
        """Takes what a feed sends, for ever."""
        while True:
            observed = await one.receive(time.monotonic)
            if one.counters["malformed"] == 1 and one.last_problem:
                say(f"{one.address}: a message that is none: {one.last_problem}; further ones are "
                    "counted")
                one.last_problem = None
            if one.arrived_s is not None:
                self._watch.forget(one.address)
            if observed is not None:
                self._fuser.add(observed)
                self._note(one, observed)
            # A feed that floods leaves time to the others.
            await asyncio.sleep(0)

    def _note(self, one, observed):
        name = observed.station
        if name != one.address:
            name = f"{name} ({one.address})"
        if self._watch.hear(name, observed.arrived_s):
            say(f"station {name}: is heard again")
        if observed.time_s is not None and (
            name in self._clock_offsets or len(self._clock_offsets) < MAX_FEEDS
        ):
            self._clock_offsets[name] = observed.time_s - time.time()

    def tell_silence(self):
        for name in self._watch.newly_silent(time.monotonic()):
            say(f"station {name}: silent, no bearing for {2 * self._arguments.max_age:g} s")

    def step(self):
        """Fixes from what has come, printed and drawn. It may take seconds, and is called on a
        thread beside the one that listens."""
        now_s, unix_s = time.monotonic(), time.time()
        observations, found = self._fuser.combine(now_s)
        new = [one for one, is_new in found if is_new]
        self._fixes += len(new)
        for one in new:
            self._lines.put(json.dumps(fix_object(one, unix_s), allow_nan=False) + "\n")
        drawn = fix_map(
            [one for one, _ in found], observations, unix_s, self._arguments.line_length * 1e3
        )
        text = json.dumps(drawn, allow_nan=False)
        self._map = text.encode()
        self._put_map(text)

    def map(self):
        return self._map

    def status(self):
        value = {
            "fixes": self._fixes,
            "silent": self._watch.silent,
            "clock_offset_s": self._clock_offsets,
            "lost": {**self._fuser.counters, "lines_left_out": self._lines.dropped},
            "feeds": [{"address": one.address, **one.counters} for one in self._feeds],
        }
        return (json.dumps(value, allow_nan=False) + "\n").encode()

    def summary(self):
        counted = []
        for one in self._feeds:
            words = ", ".join(f"{count} {name}" for name, count in one.counters.items())
            counted.append(f"{one.address}: {words or 'nothing received'}")
        lost = f", {self._lines.dropped} of their lines left out" if self._lines.dropped else ""
        return f"{self._fixes} fixes{lost}; " + "; ".join(counted)


def say(sentence):
    print(f"{PROGRAM}: {printable(sentence)}", file=sys.stderr, flush=True)


def fuse(argv):
    """The program, less what run() does; the exit code."""
    arguments = parse_arguments(argv)
    stdout = take_stdout()
    addresses = all_addresses(arguments)
    serving = None
    if arguments.serve is not None:
        with complaints_about("--serve"):
            serving = serving_address(arguments.serve)
    if arguments.output is not None:
        check_writable(arguments.output)
    try:
        with stop_signals() as signals:
            asyncio.run(listen_to(arguments, addresses, serving, stdout, signals))
    except BrokenPipeError:
        return BROKEN_PIPE
    return signals.exit_code


class written_beside:
    """What is written on a thread of its own: a file that cannot be written, or an output that
    nobody reads, stops nothing else. A change between failing and succeeding is said.

    name: for messages. target: with write(text) and close(). limit: how many texts wait.
    is_broken: nobody will ever read.
    """

    def __init__(self, name, target, limit):
        self._name = name
        self.is_broken = False
        self._writer = background_writer(target.write, target.close, told=self._tell, limit=limit)
        self._writer.start()
        self._was_well, self._is_loss_told = True, False
        self.put = self._writer.put

    @property
    def dropped(self):
        return self._writer.dropped

    def tell_loss(self):
        if self.dropped and not self._is_loss_told:
            self._is_loss_told = True
            say(f"{self._name}: lines are left out, as it is not read or written fast enough")

    def _tell(self, error):
        if isinstance(error, BrokenPipeError):
            self.is_broken = True
        elif error is not None:
            say(f"{self._name}: {getattr(error, 'strerror', None) or error}; it is tried again")
        elif not self._was_well:
            say(f"{self._name}: is written again")
        self._was_well = error is None

    def stop(self):
        self._writer.stop()


async def listen_to(arguments, addresses, serving, stdout, signals):
    """Runs until a signal comes; raises BrokenPipeError when nobody reads any more."""
    # Imported here: --help does without.
    import zmq.asyncio

    async with contextlib.AsyncExitStack() as stack:
        context = zmq.asyncio.Context()
        stack.callback(context.destroy, linger=0)
        feeds, symbols = [], set()
        for address, listens in addresses.items():
            with system_errors_of(address):
                feeds.append(feed(address, context, symbols, listens))
            if listens:
                say(f"receivers can connect to {feeds[-1].address}")
        lines = written_beside("standard output", line_output(stdout), _MOST_LINES)
        stack.callback(lines.stop)
        put_map = _ignore
        if arguments.output is not None:
            # Of maps that wait only the newest is of use.
            drawn = written_beside(arguments.output, state_file(arguments.output), 1)
            stack.callback(drawn.stop)
            put_map = drawn.put
        work = fusing(arguments, feeds, lines, put_map)
        if serving is not None:
            server = fix_server(*serving, work.map, work.status)
            stack.push_async_callback(server.stop)
            with system_errors_of(arguments.serve):
                url = await server.start()
            say(f"serves {url}")
        tasks = [asyncio.create_task(work.listen(one)) for one in feeds]
        stack.callback(lambda: [task.cancel() for task in tasks])
        say(f"listens to {len(feeds)} receivers")
        due_s = time.monotonic() + arguments.interval
        step = None
        while signals.received is None:
            await asyncio.sleep(_PATIENCE)
            for task in tasks:
                if task.done():
                    task.result()
            if lines.is_broken:
                raise BrokenPipeError
            lines.tell_loss()
            work.tell_silence()
            if step is not None and step.done():
                step.result()
                step = None
            if step is None and time.monotonic() >= due_s:
                step = asyncio.get_running_loop().run_in_executor(None, work.step)
                due_s = max(due_s + arguments.interval, time.monotonic())
        if not arguments.quiet:
            say(work.summary())


def _ignore(_):
    pass


def main(argv=None):
    """Entry point; argv: the command line without the program's name. The exit code."""
    return run(PROGRAM, fuse, argv)

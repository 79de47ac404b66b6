# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-replay: bearings from a recording in one command."""

import argparse
import collections
import contextlib
import dataclasses
import json
import os
import queue
import sys
import threading
import time
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pmt
from gnuradio import blocks, gr

from ..bearing_python import beamscan, covariance, music, root_music
from ..bearing_report import bearing_report
from ..hier.recording_source import recording_source
from .command_line import (
    ARRAY_HELP,
    BROKEN_PIPE,
    FAILED,
    OK,
    bad_input,
    check_writable,
    complaints_about,
    finite,
    not_negative,
    open_recording,
    parse_array,
    positive,
    read_calibration,
    run,
    stop_signals,
    system_errors_of,
    told_by_system,
    whole_files,
)

PROGRAM = "bearing-replay"
METHODS = ("music", "root_music", "capon", "bartlett")

# Messages have no back pressure: the queue of a slow reader grows without bound, and GNU Radio
# throws away what waits beyond some thousands where a block is not ready to read. So many at most
# wait here, enough to keep the estimator busy.
MOST_WAITING = 256
# Seconds that anything waits before it looks whether the flowgraph has ended.
PATIENCE = 0.1
# Seconds without a sample after which a file counts as unreadable: a block that fails ends its
# own thread only.
LONGEST_STALL = 30.0
# Degrees that all bearings must lie within for a picture of that sector only.
WIDEST_CLOSE_VIEW = 120.0

_BEARINGS = pmt.intern("bearings")


class item_gate(gr.sync_block):
    """Hands covariance items on while fewer than MOST_WAITING of them lack their message.

    items: how many passed. answer(count): so many messages have been dealt with.
    """

    def __init__(self, num_elements):
        item = (np.complex64, num_elements**2)
        gr.sync_block.__init__(self, "item_gate", [item], [item])
        self.items = 0
        self._answered = 0
        self._changed = threading.Condition()

    def answer(self, count):
        with self._changed:
            self._answered += count
            self._changed.notify()

    def work(self, input_items, output_items):
        with self._changed:
            # Not for ever: a flowgraph that is stopped interrupts its threads between calls.
            self._changed.wait_for(self._room, PATIENCE)
            count = min(len(output_items[0]), self._room())
            self.items += count
        output_items[0][:count] = input_items[0][:count]
        return count

    def _room(self):
        return MOST_WAITING - (self.items - self._answered)


class message_queue(gr.basic_block):
    """Receives messages in a thread of the flowgraph and keeps them for another."""

    def __init__(self):
        gr.basic_block.__init__(self, "message_queue", None, None)
        self._messages = queue.SimpleQueue()
        self.message_port_register_in(_BEARINGS)
        self.set_msg_handler(_BEARINGS, self.receive)

    def receive(self, message):
        self._messages.put(message)

    def take(self):
        """The messages that are there, in order; waits a little for the first one."""
        taken = []
        with contextlib.suppress(queue.Empty):
            taken.append(self._messages.get(timeout=PATIENCE))
            while len(taken) < MOST_WAITING:
                taken.append(self._messages.get_nowait())
        return taken

    def take_unread(self):
        """Those that the block's own thread had not read when the flowgraph ended."""
        taken = []
        while not self.empty_p(_BEARINGS):
            taken.append(self.delete_head_nowait(_BEARINGS))
        return taken


class stalled(Exception):
    """No samples come any more."""


class replay_flowgraph:
    """From the streams of a source to bearing messages, none of them lost.

    source: a block or hier block with one output of complex samples a channel.
    estimator: a block with covariance items in and a message port ``bearings``.
    num_samples: samples of each channel to read; None: all.
    """

    def __init__(self, source, num_channels, snapshots, estimator, num_samples=None):
        self._flowgraph = gr.top_block(PROGRAM)
        # Blocks written in Python live as long as something in Python knows them.
        self._source = source
        self._covariance = covariance(num_channels, snapshots)
        self._gate = item_gate(num_channels)
        self._queue = message_queue()
        self._ended = threading.Event()
        for k in range(num_channels):
            chain = [(source, k), (self._covariance, k)]
            if num_samples is not None:
                chain.insert(1, blocks.head(gr.sizeof_gr_complex, num_samples))
            self._flowgraph.connect(*chain)
        self._flowgraph.connect(self._covariance, self._gate, estimator)
        self._flowgraph.msg_connect(estimator, "bearings", self._queue, "bearings")

    @property
    def samples_read(self):
        """Of each channel, up to now."""
        return self._covariance.nitems_read(0)

    @property
    def items(self):
        """Covariances made, and covariances that the estimator was given."""
        return self._covariance.nitems_written(0), self._gate.items

    def stop(self):
        self._flowgraph.stop()

    def messages(self):
        """Runs the flowgraph and yields lists of messages, in the order of the items.

        Lists may be empty. Ends when the flowgraph has, after the last message. Raises stalled.
        """
        idle_s, samples_read = 0.0, 0
        self._flowgraph.start()
        waiting = threading.Thread(target=self._wait, daemon=True)
        waiting.start()
        try:
            while True:
                ended = self._ended.is_set()
                taken = self._queue.take()
                if ended and not taken:
                    break
                # Counted in waits: the time that the program itself was suspended is none.
                idle_s = 0.0 if taken or samples_read != self.samples_read else idle_s + PATIENCE
                samples_read = self.samples_read
                if idle_s > LONGEST_STALL:
                    raise stalled
                yield taken
                self._gate.answer(len(taken))
            # Nothing promises that the thread that reads messages ends after the last one.
            yield self._queue.take_unread()
        finally:
            self._flowgraph.stop()
            waiting.join()

    def _wait(self):
        self._flowgraph.wait()
        self._ended.set()


def make_estimator(method, array, num_sources, limits_deg=(), heading_deg=0.0):
    """The block of one of METHODS; ValueError naming the parameter that it refuses."""
    limits_deg = list(limits_deg)
    if method == "music":
        return music(array, num_sources, limits_deg=limits_deg, heading_deg=heading_deg)
    if method == "root_music":
        if limits_deg:
            raise ValueError("searches everywhere, it takes no limits")
        return root_music(array, num_sources, heading_deg=heading_deg)
    return beamscan(
        array, num_sources, method, limits_deg=limits_deg, heading_deg=heading_deg
    )


# What is printed


def iso_time(seconds, fraction, digits=None):
    """ISO 8601 of a time since 1970 in UTC; None beyond the year 9999.

    digits: of the fraction; None: as many as give back the same double.
    """
    fraction = Decimal(repr(float(fraction)))
    if digits is not None:
        fraction = round(fraction, digits)
    carry = int(fraction // 1)
    fraction -= carry
    try:
        date = datetime(1970, 1, 1) + timedelta(seconds=seconds + carry)
    except OverflowError:
        return None
    text = f"{fraction:f}".partition(".")[2]
    if digits is None:
        text = text.rstrip("0")
    return f"{date.isoformat()}{'.' if text else ''}{text}Z"


def _json_numbers(values):
    """Python floats that print as the shortest text of the same single-precision numbers."""
    return [float(str(v)) if np.isfinite(v) else None for v in values]


def json_lines(item, elapsed, report):
    """One object on one line; what is unknown is null."""
    rx_time = None
    if report.rx_time is not None:
        seconds, fraction = report.rx_time
        rx_time = {"seconds": seconds, "fraction": fraction, "iso": iso_time(seconds, fraction)}
    value = {
        "item": item,
        "elapsed_s": elapsed,
        "rx_time": rx_time,
        "rx_freq": report.rx_freq,
        "method": report.method,
        "status": report.status,
        "num_sources": report.num_sources,
        "snapshots": report.snapshots,
        "angles_deg": _json_numbers(report.angles_deg),
        "std_deg": _json_numbers(report.std_deg),
        "true_bearing_deg": _json_numbers(report.true_bearing_deg),
        "power_db": _json_numbers(report.power_db),
        "snr_db": _json_numbers(report.snr_db),
    }
    return json.dumps(value, allow_nan=False) + "\n"


_COLUMNS = (
    ("item", 7),
    ("time", 27),
    ("frequency_mhz", 13),
    ("status", 16),
    ("sources", 7),
    ("angle_deg", 10),
    ("std_deg", 9),
    ("bearing_deg", 11),
    ("power_db", 9),
    ("snr_db", 8),
)
TABLE_HEADER = " ".join(f"{title:>{width}}" for title, width in _COLUMNS) + "\n"


def _table_number(value, decimals):
    return f"{value:.{decimals}f}" if value is not None and np.isfinite(value) else "-"


def table_lines(item, elapsed, report):
    """A line for each direction, one without a direction when there is none."""
    when = None
    if report.rx_time is not None:
        when = iso_time(*report.rx_time, digits=6)
    frequency = None if report.rx_freq is None else report.rx_freq / 1e6
    start = [
        str(item),
        when or f"+{elapsed:.6f}",
        _table_number(frequency, 6),
        report.status,
        "-" if report.num_sources is None else str(report.num_sources),
    ]
    columns = [
        (report.angles_deg, 4),
        (report.std_deg, 4),
        (report.true_bearing_deg, 4),
        (report.power_db, 2),
        (report.snr_db, 2),
    ]
    lines = ""
    for k in range(max(1, report.angles_deg.size)):
        row = start + [
            _table_number(values[k] if k < values.size else None, decimals)
            for values, decimals in columns
        ]
        lines += " ".join(f"{text:>{width}}" for text, (_, width) in zip(row, _COLUMNS)) + "\n"
    return lines


class elapsed_time:
    """Seconds from the first sample of the first item to that of another one.

    By rx_time where both tell it, otherwise by counting items.
    """

    def __init__(self, interval):
        self._interval = interval
        self._first = None

    def __call__(self, item, report):
        if item == 0:
            self._first = report.rx_time
        if self._first is None or report.rx_time is None:
            return round(item * self._interval, 9)
        seconds, fraction = report.rx_time
        return round(seconds - self._first[0] + (fraction - self._first[1]), 9)


def take_stdout():
    """A file descriptor that leads to where stdout led. All else that is written to stdout, as
    GNU Radio's log is, goes to stderr from now on."""
    with system_errors_of("standard output"):
        descriptor = os.dup(1)
        os.dup2(2, 1)
    return descriptor


@contextlib.contextmanager
def output_file(path, descriptor):
    """A text file of that name, or, without a name, of that descriptor.

    Raises bad_input for what the system refuses, BrokenPipeError when nobody reads any more.
    """
    try:
        file = open(descriptor if path is None else path, "w", encoding="utf-8")
        with file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise told_by_system("standard output" if path is None else path, error) from error


class progress:
    """A bar on stderr, in seconds of the recording; nothing when it is not wanted."""

    def __init__(self, wanted, total_s, output):
        self._bar = None
        # Lines and bar on one terminal: the bar makes room.
        self._in_the_way = output.isatty()
        if wanted:
            # Imported here: it serves long files on a terminal only.
            from tqdm import tqdm

            self._bar = tqdm(
                total=round(total_s, 1),
                file=sys.stderr,
                dynamic_ncols=True,
                bar_format="{percentage:3.0f}%|{bar}| {n:.1f} of {total:.1f} s, {remaining} to go",
            )

    def make_room(self):
        if self._bar is not None and self._in_the_way:
            self._bar.clear()

    def advance_to(self, seconds):
        if self._bar is not None:
            self._bar.update(min(round(seconds, 1), self._bar.total) - self._bar.n)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()


def narrow_limits(angles_deg):
    """(low, high) in degrees around these directions, for the deviations to be seen; None when
    they are all over the circle."""
    angles = np.sort(np.asarray(angles_deg, dtype=float) % 360.0)
    if angles.size == 0:
        return None
    gaps = np.diff(angles, append=angles[0] + 360.0)
    widest = int(np.argmax(gaps))
    span = 360.0 - gaps[widest]
    if span > WIDEST_CLOSE_VIEW:
        return None
    low = angles[(widest + 1) % angles.size]
    margin = 2.0 + 0.1 * span
    low, high = np.floor(low - margin), np.ceil(low + span + margin)
    # Those of lines are in [-90, 90].
    is_turned = high > 360.0 or (low >= 180.0 and np.min(angles_deg) < 0.0)
    return (low - 360.0, high - 360.0) if is_turned else (low, high)


class track_picture:
    """Collects bearings over time and draws them; true ones if the heading is known.

    Of more than MOST_POINTS reports every second one is drawn, or every fourth, and so on.
    """

    MOST_POINTS = 20000

    def __init__(self, path, north, title):
        self._path = Path(path)
        self._north = north
        self._title = title
        self._reports = []
        self._stride = 1
        check_writable(path)
        with complaints_about("--plot"):
            # Imported here: only a picture takes matplotlib, and the time to load it.
            from matplotlib.figure import Figure

            self._figure = Figure(figsize=(10, 5), layout="constrained")
            kinds = sorted(self._figure.canvas.get_supported_filetypes())
            self._kind = self._path.suffix[1:].lower()
            if self._kind not in kinds:
                raise ValueError(f"{path} must end in one of .{', .'.join(kinds)}")

    def add(self, item, elapsed, report):
        if item % self._stride:
            return
        self._reports.append((elapsed, report))
        if len(self._reports) > self.MOST_POINTS:
            self._reports = self._reports[::2]
            self._stride *= 2

    def save(self):
        from .. import plot

        reports = [report for _, report in self._reports]
        if any(report.rx_time is None for report in reports):
            reports = [
                dataclasses.replace(report, rx_time=(int(elapsed), elapsed % 1.0))
                for elapsed, report in self._reports
            ]
        axes = self._figure.subplots()
        if reports:
            shown = "angles_deg" if self._north == "array" else "true_bearing_deg"
            angles = np.concatenate([getattr(report, shown) for report in reports])
            limits = narrow_limits(angles[np.isfinite(angles)])
            plot.track(reports, ax=axes, north=self._north, limits_deg=limits)
        axes.set_title(self._title)
        with whole_files(self._path) as (file,):
            self._figure.savefig(file, format=self._kind, dpi=120)


# The program


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Prints the bearings of the signals in a recording of a coherent array.",
        epilog="Exit code 2: the command line or a file is wrong; 130: Ctrl-C.",
    )
    parser.add_argument("recording", metavar="FILE.sigmf-meta", help="recording with metadata")
    group = parser.add_argument_group("array (default: as the recording says)")
    group.add_argument(
        "--array", metavar="ARRAY", help=f"{ARRAY_HELP}; in metres, azimuth 0 along +y"
    )
    group.add_argument(
        "--wavelengths", action="store_true", help="lengths of --array are in wavelengths"
    )
    group.add_argument(
        "--frequency",
        type=positive,
        metavar="HZ",
        help="carrier frequency, for --array in metres when the recording does not tell it",
    )
    group.add_argument("--calibration", metavar="FILE", help="calibration file of the array")
    group.add_argument(
        "--heading",
        type=finite,
        metavar="DEGREES",
        help="direction of the array's +y axis, clockwise from north",
    )
    group = parser.add_argument_group("estimation")
    group.add_argument("--method", choices=METHODS, default="music", help="default: music")
    group.add_argument(
        "--sources",
        type=int,
        default=0,
        metavar="K",
        help="number of sources; 0 (default): count them",
    )
    group.add_argument(
        "--limits",
        type=finite,
        nargs=2,
        metavar=("FIRST", "LAST"),
        default=(),
        help="azimuths in degrees to search between",
    )
    block = group.add_mutually_exclusive_group()
    block.add_argument("--snapshots", type=int, metavar="T", help="samples behind each bearing")
    block.add_argument(
        "--interval",
        type=positive,
        default=0.1,
        metavar="SECONDS",
        help="time behind each bearing, default: 0.1",
    )
    group = parser.add_argument_group("part of the recording")
    group.add_argument("--start", type=not_negative, default=0.0, metavar="SECONDS")
    group.add_argument("--duration", type=positive, metavar="SECONDS")
    group = parser.add_argument_group("output")
    group.add_argument(
        "--format",
        choices=("table", "json"),
        default="table",
        help="table (default), or json: one object a line",
    )
    group.add_argument("--output", metavar="FILE", help="instead of stdout")
    group.add_argument("--plot", metavar="PNG", help="picture of bearings over time with +-2 sigma")
    group.add_argument(
        "--progress", action="store_true", help="progress bar even if stderr is no terminal"
    )
    group.add_argument("--quiet", action="store_true", help="neither bar nor summary on stderr")
    arguments = parser.parse_args(argv)
    if arguments.wavelengths and arguments.array is None:
        parser.error("--wavelengths goes with --array")
    if arguments.frequency and (arguments.array is None or arguments.wavelengths):
        parser.error("--frequency goes with --array in metres")
    if arguments.progress and arguments.quiet:
        parser.error("--progress and --quiet exclude each other")
    return arguments


def choose_array(arguments, recording):
    """The bearing.array of the command line or the recording, with the calibration in force."""
    told = [c.rx_freq for c in recording.captures if c.rx_freq is not None]
    if arguments.frequency and told and told[0] != arguments.frequency:
        raise bad_input(f"--frequency: the recording tells another one itself, {told[0]:.12g} Hz")
    array = recording.array
    if arguments.array is not None:
        frequency = told[0] if told else arguments.frequency
        array = parse_array(arguments.array, frequency, arguments.wavelengths)
    if array is None:
        raise bad_input(
            f"{arguments.recording}: field bearing:positions_m is missing, so --array is needed"
        )
    if array.n != recording.num_channels:
        raise bad_input(
            f"{arguments.recording}: field core:num_channels is {recording.num_channels}, "
            f"but the array has {array.n} elements"
        )
    if arguments.calibration is not None:
        calibration = read_calibration(arguments.calibration)
        with complaints_about(arguments.calibration):
            array = array.with_calibration(calibration)
    return array


class part_of_recording:
    """Which samples to read: start_s, num_samples of each channel, and whether that is less than
    all from there on; snapshots of an item and its interval in seconds."""

    def __init__(self, arguments, recording):
        rate = recording.sample_rate
        self.start_s = arguments.start
        first = round(arguments.start * rate)
        left = recording.num_samples - first
        if left <= 0:
            raise bad_input(
                f"--start: {arguments.start:g} s is not before the end of the recording, "
                f"{recording.duration:g} s"
            )
        self.num_samples = left
        if arguments.duration is not None:
            self.num_samples = min(left, round(arguments.duration * rate))
        self.is_cut = self.num_samples < left
        self.snapshots = arguments.snapshots
        if self.snapshots is None:
            self.snapshots = max(1, round(arguments.interval * rate))
        if not 1 <= self.snapshots < 2**31:
            raise bad_input(
                f"{'--snapshots' if arguments.snapshots is not None else '--interval'}: "
                f"{self.snapshots} samples behind each bearing; 1 .. 2147483647 are possible"
            )
        if self.snapshots > self.num_samples:
            raise bad_input(
                f"{arguments.recording}: {self.num_samples} samples a channel to read, fewer "
                f"than the {self.snapshots} behind a bearing (--interval, --snapshots)"
            )
        self.interval = self.snapshots / rate
        self.duration = self.num_samples / rate


def replay(argv):
    """The program, less what run() does; the exit code."""
    arguments = parse_arguments(argv)
    stdout = take_stdout()
    recording = open_recording(arguments.recording)
    array = choose_array(arguments, recording)
    part = part_of_recording(arguments, recording)
    heading = arguments.heading if arguments.heading is not None else recording.heading_deg
    with complaints_about(arguments.method):
        estimator = make_estimator(
            arguments.method, array, arguments.sources, arguments.limits, heading or 0.0
        )
    with complaints_about(arguments.recording):
        source = recording_source(arguments.recording, start_s=part.start_s)
    if arguments.output is not None:
        check_writable(arguments.output)
        check_not_read(arguments.output, arguments.recording, recording)
    picture = None
    if arguments.plot is not None:
        check_not_read(arguments.plot, arguments.recording, recording)
        picture = track_picture(
            arguments.plot, "array" if heading is None else "true", recording.path.name
        )
    flowgraph = replay_flowgraph(
        source,
        recording.num_channels,
        part.snapshots,
        estimator,
        part.num_samples if part.is_cut else None,
    )
    try:
        return play(arguments, recording, part, flowgraph, picture, stdout)
    except BrokenPipeError:
        return BROKEN_PIPE
    except stalled:
        raise bad_input(
            f"{recording.data_path}: could not be read any further after {flowgraph.samples_read} "
            "samples a channel"
        )


def check_not_read(path, metadata, recording):
    """Raises bad_input when writing to that file would destroy the recording."""
    for own in (metadata, recording.data_path):
        with contextlib.suppress(OSError):
            if os.path.samefile(path, own):
                raise bad_input(f"{path}: is the recording itself")


def play(arguments, recording, part, flowgraph, picture, stdout):
    """Runs the flowgraph, prints, draws; the exit code."""
    lines_of = json_lines if arguments.format == "json" else table_lines
    elapsed_of = elapsed_time(part.interval)
    statuses = collections.Counter()
    item = 0
    show_bar = arguments.progress or (sys.stderr.isatty() and not arguments.quiet)
    begin = time.monotonic()
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(output_file(arguments.output, stdout))
        bar = stack.enter_context(progress(show_bar, part.duration, output))
        signals = stack.enter_context(stop_signals())
        batches = stack.enter_context(contextlib.closing(flowgraph.messages()))
        if arguments.format == "table":
            output.write(TABLE_HEADER)
        for messages in batches:
            text = []
            for report in map(bearing_report.from_message, messages):
                elapsed = elapsed_of(item, report)
                text.append(lines_of(item, elapsed, report))
                if picture is not None:
                    picture.add(item, elapsed, report)
                statuses[report.status] += 1
                item += 1
            if text:
                bar.make_room()
                output.write("".join(text))
                output.flush()
                bar.advance_to(item * part.interval)
            if signals.received is not None:
                flowgraph.stop()
    seconds = time.monotonic() - begin
    if picture is not None:
        picture.save()
    if not arguments.quiet:
        print(summary(recording, part, seconds, statuses), file=sys.stderr)
    if signals.received is not None:
        return signals.exit_code
    made, passed = flowgraph.items
    if not made == passed == item or flowgraph.samples_read != part.num_samples:
        print(
            f"{PROGRAM}: {flowgraph.samples_read} of {part.num_samples} samples a channel were "
            f"read, {made} covariances were made, {passed} given to the estimator and {item} "
            "bearing messages received; these must agree",
            file=sys.stderr,
        )
        return FAILED
    return OK


def summary(recording, part, seconds, statuses):
    found = ", ".join(f"{count} {status}" for status, count in statuses.most_common())
    played = statuses.total() * part.interval
    return (
        f"{PROGRAM}: {statuses.total()} items ({found or 'nothing'}), {played:.1f} s of "
        f"{recording.num_channels} channels at {recording.sample_rate:.6g} samples/s in "
        f"{seconds:.1f} s: {played / seconds:.1f} times real time"
    )


def main(argv=None):
    """Entry point; argv: the command line without the program's name. The exit code."""
    return run(PROGRAM, replay, argv)

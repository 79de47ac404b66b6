# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-replay: bearings from a recording in one command."""

import argparse
import collections
import contextlib
import os
import sys
import time

from ..bearing_report import bearing_report
from ..hier.recording_source import recording_source
from .array_options import add_array_options, calibrated, parse_array
from .command_line import (
    BROKEN_PIPE,
    FAILED,
    OK,
    bad_input,
    check_writable,
    complaints_about,
    finite,
    not_negative,
    open_recording,
    positive,
    run,
    stop_signals,
)
from .replay_flowgraph import METHODS, VARIANTS, make_estimator, replay_flowgraph, stalled
from .replay_output import (
    TABLE_HEADER,
    elapsed_time,
    json_lines,
    progress,
    table_lines,
    take_stdout,
    text_output,
)
from .replay_picture import track_picture

PROGRAM = "bearing-replay"


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Prints the bearings of the signals in a recording of a coherent array.",
        epilog="Exit code 2: the command line or a file is wrong; 130: Ctrl-C.",
    )
    parser.add_argument("recording", metavar="FILE.sigmf-meta", help="recording with metadata")
    group = parser.add_argument_group("array (default: as the recording says)")
    add_array_options(group)
    group.add_argument(
        "--frequency",
        type=positive,
        metavar="HZ",
        help="carrier frequency, for --array in metres when the recording does not tell it",
    )
    group = parser.add_argument_group("estimation")
    group.add_argument("--method", choices=METHODS, default="music", help="default: music")
    group.add_argument("--variant", choices=VARIANTS, help="of root_music, default: auto")
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
        help="table (default), or json: one object per line",
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
    if arguments.variant and arguments.method != "root_music":
        parser.error("--variant goes with --method root_music")
    if arguments.progress and arguments.quiet:
        parser.error("--progress and --quiet exclude each other")
    return arguments


def choose_array(arguments, recording):
    """The bearing.array of the command line or the recording, with the calibration in force."""
    told = [c.rx_freq for c in recording.captures if c.rx_freq is not None and c.rx_freq > 0]
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
        array = calibrated(array, arguments.calibration)
    return array


class part_of_recording:
    """Which samples to read: start_s, num_samples of each channel, and whether that is less than
    all from there on; snapshots of an item and its interval in seconds."""

    def __init__(self, arguments, recording):
        rate, num_samples = recording.sample_rate, recording.num_samples
        if num_samples == 0:
            raise bad_input(f"{recording.data_path}: holds no samples")
        self.start_s = arguments.start
        # Limited before they are rounded: products may be infinite.
        left = num_samples - round(min(arguments.start * rate, num_samples))
        if left <= 0:
            raise bad_input(
                f"--start: {arguments.start:g} s is not before the end of the recording, "
                f"{recording.duration:g} s"
            )
        self.num_samples = left
        if arguments.duration is not None:
            self.num_samples = round(min(arguments.duration * rate, left))
        self.is_cut = self.num_samples < left
        self.snapshots = arguments.snapshots
        if self.snapshots is None:
            self.snapshots = max(1, round(min(arguments.interval * rate, 2**31)))
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
            arguments.method,
            array,
            arguments.sources,
            arguments.limits,
            heading or 0.0,
            arguments.variant or "auto",
        )
    # The very same: one that is still being written has grown since.
    source = recording_source(recording, start_s=part.start_s)
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
        output = stack.enter_context(text_output(arguments.output, stdout))
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

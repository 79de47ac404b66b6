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
from .command_line import (
    BROKEN_PIPE,
    FAILED,
    OK,
    bad_input,
    check_writable,
    open_recording,
    run,
    stop_signals,
)
from .replay_flowgraph import replay_flowgraph, stalled
from .replay_options import (
    add_replay_options,
    check_replay_options,
    choose_array,
    choose_estimator,
    choose_heading,
    part_of_recording,
)
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
    add_replay_options(parser)
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
    check_replay_options(parser, arguments)
    if arguments.progress and arguments.quiet:
        parser.error("--progress and --quiet exclude each other")
    return arguments


def replay(argv):
    """The program, less what run() does; the exit code."""
    arguments = parse_arguments(argv)
    stdout = take_stdout()
    recording = open_recording(arguments.recording)
    array = choose_array(arguments, recording)
    part = part_of_recording(arguments, recording)
    estimator = choose_estimator(arguments, recording, array)
    # The very same: one that is still being written has grown since.
    source = recording_source(recording, start_s=part.start_s)
    if arguments.output is not None:
        check_writable(arguments.output)
        check_not_read(arguments.output, arguments.recording, recording)
    picture = None
    if arguments.plot is not None:
        check_not_read(arguments.plot, arguments.recording, recording)
        is_relative = choose_heading(arguments, recording) is None
        picture = track_picture(
            arguments.plot, "array" if is_relative else "true", recording.path.name
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

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-convert: samples of several channels from one kind of file to another."""

import argparse
import dataclasses
import shutil
import sys
from pathlib import Path

from ..hier.sample_time import parse_iso_time
from ..hier.sigmf_format import DATATYPES, SPEED_OF_LIGHT
from .array_options import add_array_options, calibrated, parse_array
from .command_line import (
    OK,
    bad_input,
    check_writable,
    output_files,
    positive,
    run,
    stop_signals,
    stopped,
)
from .sample_conversion import converter
from .sample_files import open_input
from .sample_formats import FORMATS, RAW_SUFFIXES, kind_of
from .sample_targets import mat_target, npy_target, sample_target, sigmf_target, split_target

PROGRAM = "bearing-convert"

# Components (I and Q) that are in memory at a time.
BLOCK_COMPONENTS = 1 << 21


def time_of(text):
    """Type of an option: ISO 8601, UTC unless it names a zone; (seconds, fraction)."""
    return parse_iso_time(text)


# argparse shows it.
time_of.__name__ = "ISO 8601 time"


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage="%(prog)s [options] INPUT [INPUT ...] OUTPUT",
        description="Converts samples of coherent channels between SigMF, NumPy (.npy), MATLAB "
        "(.mat) and raw files, by the files' names. Without --scale, 1.0 is the full scale of "
        "integers.",
        epilog="Exit code 2: the command line or a file is wrong; 130: Ctrl-C.",
    )
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="+", type=Path, help="a file, or a raw one per channel"
    )
    parser.add_argument("output", metavar="OUTPUT", type=Path)
    group = parser.add_argument_group("input")
    group.add_argument("--channels", type=int, metavar="N", help="of a raw file, interleaved")
    group.add_argument(
        "--input-datatype",
        choices=FORMATS,
        metavar="TYPE",
        help=f"of raw files: {', '.join(FORMATS)}; default: by the suffix, or --datatype",
    )
    group.add_argument("--variable", metavar="NAME", help="of a MATLAB file")
    group.add_argument(
        "--transpose",
        action="store_true",
        help="arrays are samples x channels, not channels x samples",
    )
    group = parser.add_argument_group("output")
    group.add_argument(
        "--datatype",
        choices=FORMATS,
        metavar="TYPE",
        help="of the output; default: that of the input where it is possible, else cf32_le",
    )
    group.add_argument(
        "--scale", type=positive, default=1.0, metavar="FACTOR", help="multiplies the samples"
    )
    group.add_argument("--split", action="store_true", help="a raw file for each channel")
    group.add_argument("--force", action="store_true", help="replace files that are there")
    group.add_argument("--quiet", action="store_true", help="no summary on stderr")
    group = parser.add_argument_group("metadata of a SigMF recording")
    group.add_argument("--sample-rate", type=positive, metavar="HZ")
    group.add_argument("--frequency", type=positive, metavar="HZ", help="carrier frequency")
    group.add_argument(
        "--time", type=time_of, metavar="TIME", help="of the first sample, ISO 8601, UTC"
    )
    add_array_options(group)
    group.add_argument("--description", metavar="TEXT")
    arguments = parser.parse_args(argv)
    check_arguments(parser, arguments)
    return arguments


def check_arguments(parser, arguments):
    """Refuses options that would have no effect."""
    kinds = {kind_of(path) for path in arguments.inputs}
    kind = kind_of(arguments.output)
    if arguments.channels is not None and arguments.channels < 1:
        parser.error("--channels must be 1 or more")
    if arguments.input_datatype and kinds != {"raw"}:
        parser.error("--input-datatype goes with raw input")
    if arguments.variable and "mat" not in kinds | {kind}:
        parser.error("--variable goes with MATLAB files")
    if arguments.split and kind != "raw":
        parser.error("--split goes with raw output")
    arrays = {"npy", "mat"}
    if arguments.transpose and not arrays & (kinds | {kind}):
        parser.error("--transpose goes with NumPy and MATLAB files")
    # Both sides are arrays: the input's are turned.
    arguments.transpose_output = arguments.transpose and not arrays & kinds
    for name in ("time", "array", "calibration", "heading", "description"):
        if getattr(arguments, name) is not None and kind != "sigmf":
            parser.error(f"--{name} goes with SigMF output")
    for name in ("sample_rate", "frequency"):
        if getattr(arguments, name) is not None and kind not in ("sigmf", "mat"):
            parser.error(f"--{name.replace('_', '-')} goes with SigMF and MATLAB output")
    if arguments.wavelengths and arguments.array is None:
        parser.error("--wavelengths goes with --array")


def choose_format(arguments, opened, kind):
    """The sample_format of the output."""
    if kind == "sigmf":
        allowed = list(DATATYPES)
    elif kind == "raw":
        allowed = list(FORMATS)
    else:
        allowed = ["cf32_le", "cf64_le"]
    name = arguments.datatype or RAW_SUFFIXES.get(arguments.output.suffix.lower())
    if name is None:
        fallback = "cf64_le" if opened.format.is_wide and "cf64_le" in allowed else "cf32_le"
        name = opened.format.name if opened.format.name in allowed else fallback
    if name not in allowed:
        raise bad_input(f"{arguments.output}: cannot hold {name}, but: {', '.join(allowed)}")
    return FORMATS[name]


def choose_metadata(arguments, opened):
    """Arguments of format_metadata, from the command line and from the input."""
    captures = opened.captures
    if arguments.frequency is not None or arguments.time is not None:
        if len(captures) > 1:
            option = "--frequency" if arguments.frequency is not None else "--time"
            raise bad_input(f"{option}: {opened.name} has {len(captures)} captures of its own")
        changes = {"rx_freq": arguments.frequency, "rx_time": arguments.time}
        changes = {key: value for key, value in changes.items() if value is not None}
        captures = (dataclasses.replace(captures[0], **changes),)
    sample_rate = arguments.sample_rate or opened.sample_rate
    if sample_rate is None:
        raise bad_input(f"{opened.name}: does not tell its sample rate: give --sample-rate")
    heading, description = arguments.heading, arguments.description
    return {
        "sample_rate": sample_rate,
        "captures": captures,
        "array": _choose_array(arguments, opened, captures[0].rx_freq),
        "heading_deg": opened.heading_deg if heading is None else heading,
        "description": opened.description if description is None else description,
    }


def _choose_array(arguments, opened, frequency):
    array = opened.array
    if arguments.array is not None:
        array = parse_array(arguments.array, frequency, arguments.wavelengths)
        if array.n != opened.num_channels:
            raise bad_input(
                f"--array: has {array.n} elements, but {opened.name} {opened.num_channels} channels"
            )
    elif array is not None and array.wavelength is not None and arguments.frequency is not None:
        array = array.with_wavelength(SPEED_OF_LIGHT / arguments.frequency)
    if arguments.calibration is not None:
        if array is None:
            raise bad_input("--calibration: belongs to an array: give --array")
        array = calibrated(array, arguments.calibration)
    return array


def make_target(arguments, opened, kind, target):
    """The sample_target of the output."""
    path = arguments.output
    if kind == "sigmf":
        return sigmf_target(path, opened, target, choose_metadata(arguments, opened))
    if kind == "npy":
        return npy_target(path, opened, target, arguments.transpose_output)
    if kind == "raw":
        return split_target(path, opened) if arguments.split else sample_target(path)
    others = {
        "sample_rate": arguments.sample_rate or opened.sample_rate,
        "frequency": arguments.frequency or opened.captures[0].rx_freq,
    }
    others = {name: value for name, value in others.items() if value is not None}
    name = arguments.variable if kind_of(arguments.inputs[0]) != "mat" else None
    return mat_target(path, opened, target, name or "samples", arguments.transpose_output, others)


def check_outputs(paths, is_forced, size):
    """Raises bad_input unless these files may be made and there is room for so many bytes."""
    for path in paths:
        check_writable(path)
        if path.exists() and not is_forced:
            raise bad_input(f"{path}: is there already; --force replaces it")
    free = shutil.disk_usage(paths[0].parent).free
    if size > free:
        raise bad_input(f"{paths[0]}: takes {size} bytes, but the disk has only {free} left")


def convert(argv):
    """The program, less what run() does; the exit code."""
    arguments = parse_arguments(argv)
    opened = open_input(arguments)
    kind = kind_of(arguments.output)
    chosen = choose_format(arguments, opened, kind)
    target = make_target(arguments, opened, kind, chosen)
    num_components = 2 * opened.num_channels * opened.num_samples
    check_outputs(target.paths, arguments.force, num_components * chosen.component.itemsize)

    conversion = converter(opened.format, chosen, arguments.scale)
    step = max(1, BLOCK_COMPONENTS // (2 * opened.num_channels))
    with stop_signals() as signals, output_files(*target.paths) as files:
        target.begin(files)
        for start in range(0, opened.num_samples, step):
            if signals.received is not None:
                raise stopped(signals.exit_code)
            block = opened.read(start, min(start + step, opened.num_samples))
            target.write(files, conversion(block))
        target.finish(files)

    for complaint in conversion.complaints(num_components):
        print(f"{PROGRAM}: {arguments.output}: {complaint}", file=sys.stderr)
    if not arguments.quiet:
        print(
            f"{PROGRAM}: {arguments.output}: {opened.num_channels} channels of "
            f"{opened.num_samples} samples, {chosen.name}",
            file=sys.stderr,
        )
    return OK


def main(argv=None):
    """Entry point; argv: the command line without the program's name. The exit code."""
    return run(PROGRAM, convert, argv)

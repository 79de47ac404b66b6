# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be found in a recording, and in which part of it: options that the programs for
recordings share."""

from ..estimator_choice import METHODS, VARIANTS, make_estimator
from .array_options import add_array_options, calibrated, parse_array
from .command_line import bad_input, complaints_about, finite, not_negative, positive


def add_replay_options(parser):
    """Array, estimation, and part of the recording."""
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


def check_replay_options(parser, arguments):
    """Ends the program where options do not go together."""
    if arguments.wavelengths and arguments.array is None:
        parser.error("--wavelengths goes with --array")
    if arguments.frequency and (arguments.array is None or arguments.wavelengths):
        parser.error("--frequency goes with --array in metres")
    if arguments.variant and arguments.method != "root_music":
        parser.error("--variant goes with --method root_music")


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


def choose_heading(arguments, recording):
    """Degrees clockwise from north; None: unknown."""
    return recording.heading_deg if arguments.heading is None else arguments.heading


def choose_estimator(arguments, recording, array):
    """The block that --method names; raises bad_input naming what does not go together."""
    with complaints_about(arguments.method):
        return make_estimator(
            arguments.method,
            array,
            arguments.sources,
            arguments.limits,
            choose_heading(arguments, recording) or 0.0,
            arguments.variant or "auto",
        )


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

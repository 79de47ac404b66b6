# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-train: weights of a noise network for a family of antennas."""

import argparse
import json
import math
import sys
import time
from pathlib import Path

import numpy as np

from ..command_line import (
    OK,
    bad_input,
    check_writable,
    complaints_about,
    output_files,
    run,
    stop_signals,
    stopped,
)
from .antenna_family import load_family
from .diffusion_schedule import SCHEDULE, alpha_bar
from .training_sets import KINDS, gaussian_loss
from .weights_file import write_weights

PROGRAM = "bearing-train"
FAMILIES = Path(__file__).parent / "families"
# x_0 that the training did not see; the loss is a mean over all steps of each.
_UNSEEN = 4096
# The last of the training, over which its loss is a mean.
_LAST = 500


def whole_number(low, high):
    """Type of an option: a whole number from low to high."""

    def parse(text):
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value}; it must be {low} to {high}")
        return value

    parse.__name__ = "whole number"
    return parse


def parse_arguments(argv):
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage="%(prog)s [options] FAMILY.yaml --kind KIND --output FILE",
        description="Trains a noise network on random antennas or scenes of a family, and writes "
        "its weights for bearing.coupling. The same command gives the same bytes on the same kind "
        "of processor.",
        epilog=f"Families that come with it: {', '.join(_shipped())}, in {FAMILIES}. Exit code 2: "
        "the command line, the family or the installation is wrong; 130: Ctrl-C. Needs PyTorch: "
        "apt install python3-torch libopenblas0-pthread",
    )
    parser.add_argument(
        "family",
        metavar="FAMILY.yaml",
        type=Path,
        help="description of the antennas, or the name of a family that comes with the program",
    )
    parser.add_argument(
        "--kind",
        choices=KINDS,
        required=True,
        help="coupling: matrices of simulated dipoles, the useful one; covariance: of random "
        "scenes, without noise; snapshot: likewise",
    )
    parser.add_argument("--output", metavar="FILE", type=Path, required=True, help="safetensors")
    parser.add_argument(
        "--steps", metavar="N", type=whole_number(1, 10**7), default=8000, help="%(default)s"
    )
    parser.add_argument(
        "--hidden",
        metavar="N",
        type=whole_number(1, 4096),
        help="width of the three hidden layers; default: 64, 256, 96 by kind",
    )
    parser.add_argument("--seed", metavar="N", type=whole_number(0, 2**32 - 1), default=1)
    parser.add_argument(
        "--threads",
        metavar="N",
        type=whole_number(1, 256),
        default=1,
        help="default: 1; other numbers change the last digits",
    )
    parser.add_argument("--plot", metavar="FILE.png", type=Path, help="picture of the loss")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no summary")
    return parser.parse_args(argv)


def _shipped():
    return sorted(path.stem for path in FAMILIES.glob("*.yaml"))


def family_path(path):
    """The file of a family that comes with the program, where that is its name; else the same."""
    if not path.exists() and str(path) in _shipped():
        return FAMILIES / f"{path}.yaml"
    return path


def load_training():
    """The module that needs PyTorch."""
    try:
        from . import noise_training
    except ImportError as error:
        if (error.name or "").split(".")[0] != "torch":
            raise
        raise bad_input(
            "PyTorch is missing: on Debian, apt install python3-torch libopenblas0-pthread"
        ) from error
    return noise_training


def described_array(family):
    """The text `array` of a weights file."""
    smallest, largest = family.size
    return {
        "geometry": family.geometry,
        "num_elements": family.num_elements,
        "smallest": smallest,
        "largest": largest,
    }


def train(argv):
    """The program, less what run() does; the exit code."""
    arguments = parse_arguments(argv)
    family = load_family(family_path(arguments.family))
    paths = [arguments.output] + ([arguments.plot] if arguments.plot else [])
    for path in paths:
        check_writable(path)
        if path.exists() and not arguments.force:
            raise bad_input(f"{path}: is there already; --force replaces it")
    if arguments.plot and arguments.plot.resolve() == arguments.output.resolve():
        raise bad_input(f"{arguments.plot}: is both --output and --plot")
    training = load_training()
    training.use_threads(arguments.threads)

    start = time.monotonic()
    with stop_signals() as signals:
        with complaints_about(arguments.family):
            random = np.random.default_rng([arguments.seed, 0])
            data = KINDS[arguments.kind](family, random)
        hidden = arguments.hidden or data.HIDDEN
        work = training.noise_training(data, arguments.steps, hidden, arguments.seed)
        losses = _losses(work, signals, arguments.quiet)
        loss = float(np.mean(losses[-_LAST:]))
        unseen = data.draw(np.random.default_rng([arguments.seed, 2]), _UNSEEN)
        compared = {
            "loss": loss,
            "unseen_loss": training.unseen_loss(work.network, unseen, arguments.seed),
            "gaussian_loss": gaussian_loss(unseen, alpha_bar()),
        }
        metadata = {
            "kind": arguments.kind,
            "schedule": SCHEDULE,
            "array": described_array(family),
            "prior": family.described(),
            "training": {
                "seed": arguments.seed,
                "steps": arguments.steps,
                "batch": training.BATCH,
                **{name: round(value, 5) for name, value in compared.items()},
            },
        }
        texts = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in metadata.items()
        }
        with output_files(*paths) as files:
            write_weights(files[0], {**data.tensors, **work.network.tensors()}, texts)
            if arguments.plot:
                from .loss_picture import save_loss

                title = f"{arguments.kind}, {family.name}"
                save_loss(files[1], losses, compared["gaussian_loss"], title)
    if not arguments.quiet:
        print(
            f"{PROGRAM}: {arguments.output}: loss {loss:.4f}; on unseen data "
            f"{compared['unseen_loss']:.4f}, best linear estimate "
            f"{compared['gaussian_loss']:.4f}; {time.monotonic() - start:.0f} s",
            file=sys.stderr,
        )
    return OK


def _losses(work, signals, is_quiet):
    """Loss of each step; raises stopped when a signal came."""
    from tqdm import tqdm

    losses = []
    with tqdm(work, unit="step", disable=is_quiet, mininterval=0.5) as bar:
        for loss in bar:
            if not math.isfinite(loss):
                raise bad_input(f"the training diverged at step {len(losses) + 1}")
            losses.append(loss)
            if len(losses) % 100 == 0:
                bar.set_postfix_str(f"loss {np.mean(losses[-100:]):.4f}", refresh=False)
            if signals.received is not None:
                raise stopped(signals.exit_code)
    return losses


def main(argv=None):
    """Entry point; argv: the command line without the program's name. The exit code."""
    return run(PROGRAM, train, argv)

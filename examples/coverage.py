#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws how often published 95 % intervals hold the true bearing, over SNR and snapshots.

Every trial is a random scene: a uniform line of 5 to 16 elements and 1 to 3 sources anywhere
within 80 degrees of its front. The second panel tells how many deviations are published at all.
"""

import argparse
import pathlib

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from gnuradio import bearing
from gnuradio.bearing import colours
from matplotlib.colors import TwoSlopeNorm
from tqdm import tqdm

LEVELS_DB = np.arange(-5, 26, 5)
SNAPSHOTS = 2 ** np.arange(4, 10)
VARIANTS = ("complex", "unitary", "real", "music")
# Fewer intervals than these tell little: the standard deviation of their coverage is 1.5 %.
LEAST_PUBLISHED = 200


def random_scene(generator):
    """(array, K azimuths in degrees); 2 K < N, as the real variant needs it."""
    elements = int(generator.integers(5, 17))
    count = min(int(generator.integers(1, 4)), (elements - 1) // 2)
    return bearing.array.ula(n=elements, spacing=0.5), generator.uniform(-80.0, 80.0, count)


def estimate(r, array, count, snapshots, variant):
    if variant == "music":
        return bearing.core.music(r, array, count, snapshots)
    return bearing.core.root_music(r, array, count, snapshots, variant=variant)


def tally(snr_db, snapshots, variant, trials, generator, progress):
    """(intervals that hold a true bearing, intervals published, sources)"""
    covered = published = sources = 0
    for _ in range(trials):
        array, angles = random_scene(generator)
        samples = bearing.core.simulate(
            array, angles, float(snr_db), int(snapshots), generator.integers(2**62)
        )
        found = estimate(
            bearing.core.covariance(samples), array, len(angles), int(snapshots), variant
        )
        sources += len(angles)
        for angle, std in zip(found.angles_deg, found.std_deg):
            if np.isfinite(std):
                published += 1
                covered += np.abs(angle - angles).min() <= 1.96 * std
        progress.update()
    return covered, published, sources


def measure(variant, trials, seed):
    """Three arrays, SNR x snapshots: intervals that hold a true bearing, published, sources."""
    generator = np.random.default_rng(seed)
    shape = (len(LEVELS_DB), len(SNAPSHOTS))
    counts = np.empty((*shape, 3), dtype=int)
    # Without a terminal there is no bar.
    with tqdm(total=trials * shape[0] * shape[1], unit=" trials", disable=None) as progress:
        for row, column in np.ndindex(shape):
            counts[row, column] = tally(
                LEVELS_DB[row], SNAPSHOTS[column], variant, trials, generator, progress
            )
    return counts[..., 0], counts[..., 1], counts[..., 2]


def draw_map(figure, panel, shares, colour_map, norm, title):
    """A heat map in percent with its numbers; cells that are NaN are hatched."""
    panel.set_facecolor("0.9")
    panel.patch.set(hatch="///", edgecolor="0.7")
    image = panel.imshow(
        np.ma.masked_invalid(shares), origin="lower", aspect="auto", cmap=colour_map, norm=norm
    )
    for (row, column), share in np.ndenumerate(shares):
        if np.isfinite(share):
            is_dark = colours.is_dark(image.to_rgba(share)[:3])
            panel.text(column, row, f"{share:.1f}", ha="center", va="center", fontsize=9,
                       color="white" if is_dark else "black")
    panel.set(
        xlabel="snapshots",
        ylabel="SNR per element (dB)",
        xticks=range(len(SNAPSHOTS)),
        xticklabels=SNAPSHOTS,
        yticks=range(len(LEVELS_DB)),
        yticklabels=LEVELS_DB,
        title=title,
    )
    figure.colorbar(image, ax=panel, label="%", extend="both" if norm.vmin > 0 else "neither")


def draw(variant, trials, covered, published, sources):
    name = "MUSIC" if variant == "music" else f"root-MUSIC, {variant} variant"
    coverage = np.where(
        published >= LEAST_PUBLISHED, 100.0 * covered / np.maximum(published, 1), np.nan
    )
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.8), layout="constrained")
    draw_map(figure, left, coverage, "PuOr", TwoSlopeNorm(95.0, 90.0, 100.0),
             "95 % intervals that hold the true bearing (%)")
    draw_map(figure, right, 100.0 * published / sources, colours.COLOUR_MAP,
             plt.Normalize(0.0, 100.0), "deviations published (% of the sources)")
    figure.suptitle(
        f"{name}: random lines of 5 to 16 elements, 1 to 3 sources, {trials} scenes a cell"
        + (f"\nhatched: fewer than {LEAST_PUBLISHED} intervals" if np.isnan(coverage).any() else "")
    )
    return figure


def trial_count(text):
    value = int(text)
    if not 1 <= value <= 1000000:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to 1000000")
    return value


def seed_number(text):
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--variant", choices=VARIANTS, default="unitary", help="the estimator (default unitary)"
    )
    parser.add_argument(
        "--trials", type=trial_count, default=500, help="a cell, 1 to 1000000 (default 500)"
    )
    parser.add_argument(
        "--seed", type=seed_number, default=1, help="of the random numbers (default 1)"
    )
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        default=pathlib.Path("coverage.png"),
        metavar="PNG",
        help="picture to write (default coverage.png)",
    )
    args = parser.parse_args()

    covered, published, sources = measure(args.variant, args.trials, args.seed)
    if published.sum():
        print(
            f"{args.variant}: the 95 % intervals held the true bearing in "
            f"{100 * covered.sum() / published.sum():.2f} % of {published.sum()} cases; "
            f"{100 * published.sum() / sources.sum():.1f} % of the deviations were published"
        )
    draw(args.variant, args.trials, covered, published, sources).savefig(args.output, dpi=100)
    print(f"The picture is in {args.output}")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the table of diffMUSIC (arXiv 2411.15144, ICC 2025) beside this module's own figures.

A line of 16 elements with wrong gains and positions learns them from covariances: by the three
losses of the paper's slides, and by Gauss-Newton. The table holds the mean error of bearings before
and after, for one source and for five. Without --full it takes about a minute.
"""

import argparse
import dataclasses
import pathlib

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from gnuradio import bearing
from gnuradio.bearing.colours import BLUE, VERMILION
from tqdm import tqdm

BLACK = "#000000"

# The slides' scene.
ELEMENTS = 16
SNAPSHOTS = 100
SNR_DB = 15.0
SECTOR_DEG = 60.0  # sources stand anywhere from -60 to 60 degrees
GAIN_VARIANCE = 0.36  # gains are 1 + CN(0, 0.36)
OFFSET = 0.25  # wavelengths: positions are off by up to that, to either side
COUNTS = (1, 5)

# The slides' grid. Around each of its peaks the soft peak is the mean of azimuth weighted with the
# softmax of the spectrum, over so many points to either side.
GRID_DEG = np.linspace(-90.0, 90.0, 3601)
HALF_WINDOW = 20

# Published RMSPE in degrees, {sources: (MUSIC, diffMUSIC)} of each row; SubspaceNet is another
# method, whose figures stand here as they were published.
PUBLISHED = {
    "nominal": {1: (2.425, None), 5: (9.976, None)},
    "true parameters": {1: (0.014, 0.013), 5: (4.358, 4.275)},
    "SL, θ": {1: (0.019, 0.015), 5: (5.371, 5.178)},
    "SL, P": {1: (0.013, 0.013), 5: (4.325, 4.209)},
    "UL": {1: (1.339, 1.310), 5: (4.834, 4.731)},
    "SubspaceNet": {1: (None, 0.098), 5: (None, 16.123)},
}
# How the rows that learn do it, and whether they are told the true bearings.
LEARNERS = {
    "SL, θ": ("sl_theta", True),
    "SL, P": ("sl_p", True),
    "UL": ("ul", False),
    "Gauss-Newton": ("gauss_newton", True),
    "Gauss-Newton, unlabelled": ("gauss_newton", False),
}
# What subspace fitting is shown for.
FITTED = ("true parameters", "Gauss-Newton")


@dataclasses.dataclass(frozen=True)
class sizes:
    """How much is simulated: arrays, covariances that each learns from, and is tested with."""

    arrays: int
    covariances: int
    tests: int


QUICK = sizes(arrays=4, covariances=100, tests=50)
FULL = sizes(arrays=40, covariances=100, tests=200)


@dataclasses.dataclass
class scene:
    """Covariances, K x N x N, and the bearings of their sources in degrees, K x M."""

    covariances: np.ndarray
    truth_deg: np.ndarray


@dataclasses.dataclass
class example:
    """One array, for the picture: its truth, what was learned, and a test."""

    true: object
    learned: dict
    test: scene


def drawn_array():
    return bearing.array.ula(n=ELEMENTS, spacing=0.5)


def random_errors(random):
    """A calibration: gains, and positions of which the ends are moved inward only."""
    noise = random.normal(size=(2, ELEMENTS)) * np.sqrt(GAIN_VARIANCE / 2.0)
    gains = 1.0 + noise[0] + 1j * noise[1]
    offsets = random.uniform(-OFFSET, OFFSET, ELEMENTS)
    offsets[0], offsets[-1] = abs(offsets[0]), -abs(offsets[-1])
    positions = np.zeros((ELEMENTS, 3))
    positions[:, 0] = offsets - offsets[0]
    return bearing.calibration(gains=gains / gains[0], positions=positions)


def random_scene(array, count, size, random):
    truth_deg = random.uniform(-SECTOR_DEG, SECTOR_DEG, (size, count))
    seeds = random.integers(2**62, size=size)
    covariances = [
        bearing.core.covariance(bearing.core.simulate(array, angles, SNR_DB, SNAPSHOTS, seed))
        for angles, seed in zip(truth_deg, seeds)
    ]
    return scene(np.array(covariances), truth_deg)


def learn(drawn, training, method, labelled):
    count = training.truth_deg.shape[1]
    labels = training.truth_deg if labelled else None
    fit = bearing.core.diffmusic_fit(
        training.covariances, drawn, count, SNAPSHOTS, labels_deg=labels, method=method
    )
    return drawn.calibrated(fit.calibration)


def completed(angles_deg):
    """Angles, strongest first, of which those that were not found take the strongest one's place:
    nothing may be left out of a mean error."""
    angles = np.array(angles_deg, dtype=float)
    return np.where(np.isfinite(angles), angles, angles[0] if np.isfinite(angles[0]) else 0.0)


def grid_peaks(spectrum, count):
    """Indices of the highest local maxima, the highest first; of that one again where there are
    fewer than count."""
    inner = spectrum[1:-1]
    found = 1 + np.flatnonzero((inner > spectrum[:-2]) & (inner >= spectrum[2:]))
    found = found[np.argsort(-spectrum[found])][:count]
    return np.concatenate([found, np.full(count - len(found), found[0])])


def soft_peak(spectrum, peak):
    """The slides' differentiable peak, with a temperature of 1."""
    window = slice(max(peak - HALF_WINDOW, 0), peak + HALF_WINDOW + 1)
    weights = np.exp(spectrum[window] - spectrum[window].max())
    return weights @ GRID_DEG[window] / weights.sum()


def music_angles(r, array, count):
    """Bearings by MUSIC: on the grid, soft peaks, and refined without a grid."""
    estimate = bearing.core.music(r, array, count, SNAPSHOTS, GRID_DEG)
    spectrum = 10.0 ** (estimate.spectrum_db / 10.0)
    peaks = grid_peaks(spectrum, count)
    soft = [soft_peak(spectrum, peak) for peak in peaks]
    return GRID_DEG[peaks], np.array(soft), completed(estimate.angles_deg)


def rmspe(array, estimates_deg, truth_deg):
    """Mean over the tests of the root mean square periodic error, degrees."""
    errors = [
        bearing.core.rmspe_deg(array, estimate, truth)
        for estimate, truth in zip(estimates_deg, truth_deg)
    ]
    return np.mean(errors)


def music_errors(array, test):
    """RMSPE on the grid, of soft peaks, refined, and refined after the best alignment."""
    count = test.truth_deg.shape[1]
    found = [music_angles(r, array, count) for r in test.covariances]
    grid, soft, refined = (np.array(estimates) for estimates in zip(*found))
    aligned = bearing.core.align_bearings(array, refined, test.truth_deg, robust=count > 1)
    return [rmspe(array, angles, test.truth_deg) for angles in (grid, soft, refined, aligned)]


def fit_error(array, test):
    """RMSPE of weighted subspace fitting, degrees."""
    count = test.truth_deg.shape[1]
    found = [
        completed(bearing.core.subspace_fit(r, array, count, SNAPSHOTS, criterion="wsf").angles_deg)
        for r in test.covariances
    ]
    return rmspe(array, found, test.truth_deg)


def study_array(count, size, seed, progress):
    """({row: RMSPE [grid, soft, refined, aligned, subspace fit]}, example) of one random array."""
    random = np.random.default_rng(seed)
    drawn = drawn_array()
    true = random_errors(random)
    real = drawn.calibrated(true)
    training = random_scene(real, count, size.covariances, random)
    test = random_scene(real, count, size.tests, random)

    arrays = {"nominal": drawn, "true parameters": real}
    for name, (method, labelled) in LEARNERS.items():
        arrays[name] = learn(drawn, training, method, labelled)
        progress.update()
    errors = {}
    for name, array in arrays.items():
        fitted = fit_error(array, test) if name in FITTED else np.nan
        errors[name] = music_errors(array, test) + [fitted]
        progress.update()
    return errors, example(true, arrays, test)


def study(size, seed):
    """({sources: {row: mean RMSPE}}, first example of each) over the random arrays."""
    steps = len(COUNTS) * size.arrays * (2 * len(LEARNERS) + 2)
    means, examples = {}, {}
    # Without a terminal there is no bar.
    with tqdm(total=steps, unit=" steps", disable=None) as progress:
        for count in COUNTS:
            studies = [
                study_array(count, size, [seed, count, k], progress) for k in range(size.arrays)
            ]
            rows = studies[0][0]
            means[count] = {
                name: np.mean([errors[name] for errors, _ in studies], axis=0) for name in rows
            }
            examples[count] = studies[0][1]
    return means, examples


def text_of(value):
    """A cell of the table."""
    if value is None or np.isnan(value):
        return "-".rjust(11)
    return f"{value:11.4f}" if value < 1.0 else f"{value:11.3f}"


def print_table(count, errors):
    print(f"\n{count} source{'s' if count > 1 else ''}: RMSPE in degrees")
    ours = ["MUSIC", "diffMUSIC", "refined", "aligned"]
    print(f"{'':26}{'here':>25}{'published':>38}")
    print(f"{'':26}" + "".join(f"{name:>11}" for name in ours + ["MUSIC", "diffMUSIC"]))
    for name in list(PUBLISHED) + [name for name in LEARNERS if name not in PUBLISHED]:
        values = list(errors.get(name, [None] * 5)[:4])
        values += PUBLISHED.get(name, {}).get(count, (None, None))
        print(f"{name:26}" + "".join(map(text_of, values)))
    for name in FITTED:
        print(f"{name + ' + fit':26}" + " " * 22 + text_of(errors[name][4]))


def print_comparison(errors):
    """How Gauss-Newton with subspace fitting stands to the bars that matter."""
    one, five = errors[1], errors[5]
    print(
        "\nGauss-Newton + fit: with one source "
        f"{one['Gauss-Newton'][4] / one['true parameters'][2]:.3f} times the error of MUSIC with "
        "the true parameters,"
    )
    best = min(value for row in PUBLISHED.values() for value in row[5] if value is not None)
    print(f"with five {five['Gauss-Newton'][4]:.3f}° against {best:.3f}°, the best of the slides.")


def separated(test, least_deg=8.0):
    """Index of the first test whose sources stand so far apart; or of the widest one."""
    gaps = np.diff(np.sort(test.truth_deg), axis=1).min(axis=1)
    return int(np.argmax(gaps >= least_deg)) if gaps.max() >= least_deg else int(np.argmax(gaps))


def draw(shown):
    """Spectra before and after, and what was learned against the truth; shown is an example."""
    figure, panels = plt.subplot_mosaic(
        [["spectra"] * 3, ["gain", "phase", "position"]],
        figsize=(11, 7.5),
        height_ratios=[1.2, 1.0],
        layout="constrained",
    )
    index = separated(shown.test)
    r, truth = shown.test.covariances[index], shown.test.truth_deg[index]
    styles = {
        "nominal": ("as drawn (nominal)", ":", "0.35"),
        "SL, P": ("learned by the loss SL, P", "-", BLUE),
        "Gauss-Newton": ("learned by Gauss-Newton", "-", VERMILION),
        "true parameters": ("true parameters", "--", BLACK),
    }
    axes = panels["spectra"]
    for name, (label, style, colour) in styles.items():
        array = shown.learned[name]
        estimate = bearing.core.music(r, array, len(truth), SNAPSHOTS, GRID_DEG)
        axes.plot(estimate.grid_deg, estimate.spectrum_db, style, color=colour, lw=1.4, label=label)
    for angle in truth:
        axes.axvline(angle, color="0.8", zorder=0)
    axes.set(
        xlabel="azimuth (degrees)",
        ylabel="MUSIC spectrum (dB)",
        xlim=(-90, 90),
        xticks=range(-90, 91, 30),
        title=f"{len(truth)} sources (grey lines), {SNR_DB:.0f} dB, {SNAPSHOTS} snapshots",
    )
    axes.legend(loc="upper right")

    columns = {
        "gain": ("gain (dB)", lambda c: 20.0 * np.log10(np.abs(c.gains))),
        "phase": ("phase (degrees)", lambda c: np.degrees(np.angle(c.gains))),
        "position": ("offset along x (λ)", lambda c: c.positions[:, 0]),
    }
    markers = {"SL, P": ("+", 9), "Gauss-Newton": ("x", 7)}
    for key, (label, value) in columns.items():
        axes = panels[key]
        element = np.arange(ELEMENTS)
        axes.plot(element, value(shown.true), "o", ms=9, mfc="none", color=BLACK, label="true")
        for name, (marker, size) in markers.items():
            learned = value(shown.learned[name].calibration)
            axes.plot(element, learned, marker, ms=size, mew=1.8, color=styles[name][2], label=name)
        axes.set(xlabel="element", ylabel=label, xticks=range(0, ELEMENTS, 3))
    panels["gain"].legend()
    for axes in panels.values():
        axes.grid(alpha=0.3)
    figure.suptitle("diffMUSIC: a line of 16 learns its gains and positions")
    return figure


def positive(text):
    value = int(text)
    if not 1 <= value <= 100000:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to 100000")
    return value


def seed_number(text):
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    for field in dataclasses.fields(sizes):
        parser.add_argument(
            f"--{field.name}",
            type=positive,
            help=f"default {getattr(QUICK, field.name)}, --full {getattr(FULL, field.name)}",
        )
    parser.add_argument("--full", action="store_true", help="the sizes of a serious comparison")
    parser.add_argument(
        "--seed", type=seed_number, default=1, help="of the random numbers (default 1)"
    )
    parser.add_argument(
        "--plot",
        type=pathlib.Path,
        metavar="FILE",
        help="picture of spectra before and after, and of learned and true errors",
    )
    args = parser.parse_args()
    given = {name: getattr(args, name) for name in ("arrays", "covariances", "tests")}
    given = {name: value for name, value in given.items() if value is not None}
    size = dataclasses.replace(FULL if args.full else QUICK, **given)

    print(
        f"Line of {ELEMENTS}, {SNAPSHOTS} snapshots, {SNR_DB:.0f} dB; means over {size.arrays} random\n"
        f"arrays, each learning from {size.covariances} covariances, and tested with {size.tests}; "
        f"seed {args.seed}\n"
        "MUSIC: highest peaks on a grid of 0.05 degrees; diffMUSIC: soft peaks around them; refined:\n"
        "minima of the null function; aligned: these after the best map that unlabelled data leave\n"
        "free; + fit: weighted subspace fitting. Directions not found count as the strongest one."
    )
    errors, examples = study(size, args.seed)
    for count in COUNTS:
        print_table(count, errors[count])
    print_comparison(errors)
    if args.plot:
        draw(examples[5]).savefig(args.plot, dpi=100)
        print(args.plot)


if __name__ == "__main__":
    main()

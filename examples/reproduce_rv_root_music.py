#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws figures 1, 2 and 3 of the analysis of real-valued root-MUSIC (arXiv 2509.01999).

Roots in the complex plane, and the rms error of true and mirror directions against SNR and
against snapshots: simulation, the paper's formula, the full formula and the Cramer-Rao bound.
"""

import argparse
import csv
import dataclasses
import pathlib

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from gnuradio import bearing
from gnuradio.bearing.colours import BLUE, GREEN, VERMILION
from matplotlib.ticker import (
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    StrMethodFormatter,
)
from tqdm import tqdm

BLACK = "#000000"

# The paper's scene: lines of 9 and of 8 elements, half a wavelength apart, and two sources.
ELEMENTS = (9, 8)
SOURCES_DEG = np.array([30.0, 50.0])
SNR_DB = 10.0
SNAPSHOTS = 200
# What the figures run over: [(SNR in dB, snapshots)].
OVER_SNR = [(snr_db, SNAPSHOTS) for snr_db in np.arange(0.0, 21.0, 2.0)]
OVER_SNAPSHOTS = [(SNR_DB, 2**exponent) for exponent in range(5, 13)]


@dataclasses.dataclass(frozen=True)
class comparison:
    """Simulated and predicted errors of one source, in degrees; a line of the CSV file.

    rmse_deg and mirror_rmse_deg are of the real variant, root_music_rmse_deg is of complex
    root-MUSIC on the same covariances. The formulas hold the ensemble's factor M / (M - K).
    """

    elements: int
    snr_db: float
    snapshots: int
    source_deg: float
    trials: int
    rmse_deg: float
    mirror_rmse_deg: float
    paper_deg: float
    full_deg: float
    crb_deg: float
    root_music_rmse_deg: float


def uniform_line(elements):
    return bearing.array.ula(n=elements, spacing=0.5)


def exact_covariance(array, angles_deg, snr_db):
    """R of infinitely many snapshots; noise variance 1."""
    steering = array.steering(angles_deg)
    powers = 10.0 ** (np.broadcast_to(snr_db, len(angles_deg)) / 10.0)
    return (steering * powers) @ steering.conj().T + np.eye(array.n)


def predictions(array, snr_db, snapshots, theory):
    """What a formula says of the rms error over many trials with Gaussian sources, degrees."""
    r = exact_covariance(array, SOURCES_DEG, snr_db)
    std_deg = bearing.core.predict_std_deg(
        r, array, SOURCES_DEG, snapshots, variant="real", theory=theory
    )
    return std_deg * np.sqrt(snapshots / (snapshots - len(SOURCES_DEG)))


def rms(errors):
    """Of each column, over the trials that found something."""
    return np.sqrt(np.nanmean(errors**2, axis=0))


def compare(elements, snr_db, snapshots, trials, seeds, progress):
    """[comparison of each source] from so many trials; seeds is a random generator."""
    array = uniform_line(elements)
    shape = (trials, len(SOURCES_DEG))
    true, mirror, complex_one = np.empty(shape), np.empty(shape), np.empty(shape)
    for trial, seed in enumerate(seeds.integers(2**62, size=trials)):
        samples = bearing.core.simulate(array, SOURCES_DEG, snr_db, snapshots, seed)
        r = bearing.core.covariance(samples)
        count = len(SOURCES_DEG)
        found = bearing.core.root_music(r, array, count, snapshots, variant="real")
        angles = np.sort(found.angles_deg)
        true[trial] = angles - SOURCES_DEG
        # The polynomial is real: with each root its conjugate is one too, which stands for the
        # direction of opposite sign.
        mirror[trial] = -angles - (-SOURCES_DEG)
        found = bearing.core.root_music(r, array, count, snapshots)
        complex_one[trial] = np.sort(found.angles_deg) - SOURCES_DEG
        progress.update()
    columns = (
        rms(true),
        rms(mirror),
        predictions(array, snr_db, snapshots, "paper"),
        predictions(array, snr_db, snapshots, "full"),
        bearing.core.crb_deg(array, SOURCES_DEG, snr_db, snapshots),
        rms(complex_one),
    )
    return [
        comparison(elements, float(snr_db), snapshots, source, trials, *map(float, values))
        for source, *values in zip(SOURCES_DEG, *columns)
    ]


def sweep(points, trials, seed):
    """[comparison] for each array, each (SNR, snapshots) of points, and each source."""
    seeds = np.random.default_rng(seed)
    cases = [(elements, *point) for elements in ELEMENTS for point in points]
    # Without a terminal there is no bar.
    with tqdm(total=len(cases) * trials, unit=" trials", disable=None) as progress:
        return [
            row for case in cases for row in compare(*case, trials=trials, seeds=seeds,
                                                     progress=progress)
        ]


def draw_roots():
    """Figure 1: the roots from exact covariances."""
    figure, panels = plt.subplots(1, 2, figsize=(11, 5.7))
    # The constrained layout cuts legends below panels whose aspect is fixed.
    figure.subplots_adjust(left=0.06, right=0.97, bottom=0.19, top=0.88, wspace=0.17)
    for panel, elements in zip(panels, ELEMENTS):
        array = uniform_line(elements)
        r = exact_covariance(array, SOURCES_DEG, SNR_DB)
        estimate = bearing.core.root_music(r, array, len(SOURCES_DEG), SNAPSHOTS, variant="real")
        bearing.plot.roots(estimate, array, panel)
        panel.set(title=f"{elements} elements", xlim=(-2.1, 2.1), ylim=(-1.6, 1.6))
    figure.suptitle(f"Real-valued root-MUSIC, {described_sources()}, exact covariance")
    return figure


def described_sources():
    return "sources at " + " and ".join(f"{angle:.0f}°" for angle in SOURCES_DEG)


def draw_errors(rows, over):
    """Figures 2 and 3: the errors of the first source over "snr_db" or "snapshots", and how far
    the formulas are off."""
    rows = [row for row in rows if row.source_deg == SOURCES_DEG[0]]
    figure, panels = plt.subplots(
        2,
        len(ELEMENTS),
        figsize=(11, 7),
        sharex=True,
        sharey="row",
        height_ratios=[2, 1],
        layout="constrained",
    )
    for (errors, ratios), elements in zip(panels.T, ELEMENTS):
        chosen = [row for row in rows if row.elements == elements]

        def column(name, chosen=chosen):
            return np.array([getattr(row, name) for row in chosen])

        x, simulated = column(over), column("rmse_deg")
        errors.plot(x, simulated, "o", ms=8, mfc="none", mew=1.5, color=BLUE,
                    label="simulation, true direction")
        errors.plot(x, column("mirror_rmse_deg"), "x", ms=5, mew=1.5, color=BLUE,
                    label="simulation, mirror direction")
        errors.plot(x, column("full_deg"), "-", color=GREEN, label="full formula")
        errors.plot(x, column("paper_deg"), "--", color=VERMILION, label="paper's formula (36)")
        errors.plot(x, column("crb_deg"), ":", color=BLACK, lw=1.6, label="Cramér-Rao bound")
        errors.set(yscale="log", title=f"{elements} elements")
        errors.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        errors.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        errors.yaxis.set_minor_formatter(NullFormatter())

        # Relative standard deviation of an rms from n trials.
        noise = 2.0 / np.sqrt(2.0 * column("trials"))
        ratios.fill_between(x, -noise, noise, color="0.85", lw=0, label="±2σ of the simulation")
        ratios.plot(x, column("full_deg") / simulated - 1.0, "o-", ms=4, color=GREEN)
        ratios.plot(x, column("paper_deg") / simulated - 1.0, "s--", ms=4, color=VERMILION)
        ratios.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
        ratios.yaxis.set_major_formatter(
            FuncFormatter(lambda value, _: f"{100.0 * value:.3g} %".replace("-", "−"))
        )
        if over == "snapshots":
            ratios.set_xscale("log", base=2)
            ratios.set_xticks(x, [str(count) for count in x])
            ratios.xaxis.set_minor_formatter(NullFormatter())
        else:
            ratios.set_xticks(np.arange(0, 21, 5))
        ratios.set_xlabel("snapshots" if over == "snapshots" else "SNR per element (dB)")
        ratios.legend(loc="lower right")
        for panel in (errors, ratios):
            panel.grid(alpha=0.3)
            panel.grid(alpha=0.15, which="minor")
    panels[0, 0].set_ylabel(f"rms error of the source at {SOURCES_DEG[0]:.0f}° (degrees)")
    panels[1, 0].set_ylabel("formula / simulation − 1")
    panels[0, 0].legend()
    fixed = f"{SNR_DB:.0f} dB" if over == "snapshots" else f"{SNAPSHOTS} snapshots"
    figure.suptitle(
        f"Real-valued root-MUSIC, {described_sources()}, {fixed}, {rows[0].trials} trials a point"
    )
    return figure


def write_table(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in dataclasses.fields(comparison)])
        for row in rows:
            writer.writerow(
                f"{value:.6g}" if isinstance(value, float) else value
                for value in dataclasses.astuple(row)
            )


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
        "--trials", type=trial_count, default=1000, help="a point, 1 to 1000000 (default 1000)"
    )
    parser.add_argument(
        "--seed", type=seed_number, default=1, help="of the random numbers (default 1)"
    )
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        default=pathlib.Path("rv_root_music"),
        metavar="DIRECTORY",
        help="where three PNG files and a CSV file are written (default rv_root_music)",
    )
    args = parser.parse_args()
    try:
        args.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--output {args.output}: {error.strerror}")

    rows = {
        "snr_db": sweep(OVER_SNR, args.trials, args.seed),
        "snapshots": sweep(OVER_SNAPSHOTS, args.trials, args.seed + 1),
    }
    outputs = {
        "rv_root_music_roots.png": draw_roots(),
        "rv_root_music_snr.png": draw_errors(rows["snr_db"], "snr_db"),
        "rv_root_music_snapshots.png": draw_errors(rows["snapshots"], "snapshots"),
    }
    for name, figure in outputs.items():
        figure.savefig(args.output / name, dpi=100)
        print(args.output / name)
    table = args.output / "rv_root_music.csv"
    write_table(table, rows["snr_db"] + rows["snapshots"])
    print(table)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bearings through unknown mutual coupling: classical fits beside score-guided diffusion.

Errors of bearings and of the coupling matrix over SNR and over snapshots, for coupling that has a
structure (Toeplitz on a line, circulant on a circle) and for simulated dipoles, whose coupling has
none. Compared are MUSIC, with the coupling ignored and known; the covariance fit of Luo and Fung,
"DOA and Mutual Coupling Estimation using Score-Guided Diffusion", equation (34), as printed and
repaired; stochastic maximum likelihood; priors from simulated antennas; and diffusion in its three uses.
"""

import argparse
import csv
import dataclasses
import pathlib
import time

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import scipy.optimize
from gnuradio import bearing
from gnuradio.bearing.colours import BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILION
from gnuradio.bearing.tools import training
from gnuradio.bearing.tools.training.antenna_family import load_family
from gnuradio.bearing.tools.training.random_antennas import draw_couplings
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from tqdm import tqdm

BLACK, GREY = "#000000", "#777777"

FAMILIES = pathlib.Path(training.__file__).parent / "families"

SNR_DB = 10.0
SNAPSHOTS = 100
# What the figures run over: [(SNR in dB, snapshots)].
OVER_SNR = [(snr_db, SNAPSHOTS) for snr_db in np.arange(-5.0, 21.0, 5.0)]
OVER_SNAPSHOTS = [(SNR_DB, count) for count in (20, 50, 100, 200, 500, 1000)]

# In degrees. Larger errors, and bearings that were not found, count as this: one trial that is lost
# would hide all others in a root mean square.
WORST = 10.0


def polar(size, phase):
    return size * np.exp(1j * phase)


@dataclasses.dataclass(frozen=True)
class scene:
    """Two sources and an array whose coupling nobody knows.

    powers: relative to the SNR of a point. coefficients: of the structure that is fitted, c_0
    included. coupling: c_1, .. of the truth where it has that structure. kits: else simulated
    antennas, (family, size in wavelengths, load in ohms), by turns.
    """

    title: str
    geometry: str
    angles_deg: tuple
    powers: tuple
    coefficients: int = 3
    coupling: tuple = ()
    kits: tuple = ()

    def array(self, size):
        if self.geometry == "line":
            return bearing.array.ula(n=8, spacing=size)
        return bearing.array.uca(n=5, radius=size)

    def draw(self, trial, random):
        """(array as drawn, C) of one trial."""
        if not self.kits:
            array = self.array({"line": 0.5, "circle": 0.25 / 0.69}[self.geometry])
            return array, bearing.core.coupling_matrix(array, self.coupling)
        name, size, load = self.kits[trial % len(self.kits)]
        family = dataclasses.replace(
            load_family(FAMILIES / (name + ".yaml")),
            size=(size, size),
            load_resistance_ohm=(load.real, load.real),
            load_reactance_ohm=(load.imag, load.imag),
        )
        return self.array(size), draw_couplings(family, random, 1)[0]


SCENES = {
    "line": scene(
        "Line of 8, Toeplitz",
        "line",
        (12.3, 27.8),
        (1.0, 0.6),
        coupling=(polar(0.4, np.pi / 3), polar(0.15, np.pi / 10)),
    ),
    "wide": scene(
        "Line of 8, Toeplitz, 26° apart",
        "line",
        (-10.37, 15.61),
        (1.0, 1.0),
        coupling=(polar(0.3, np.pi / 3), polar(0.1, np.pi / 10)),
    ),
    "dipoles": scene(
        "Line of 8 dipoles",
        "line",
        (12.3, 27.8),
        (1.0, 0.6),
        kits=(("line8", 0.46, 20 - 30j), ("line8", 0.50, 50 + 0j), ("line8", 0.48, 200 + 80j)),
    ),
    "circle": scene(
        "Circle of 5, circulant",
        "circle",
        (40.0, 105.0),
        (1.0, 0.6),
        coupling=(polar(0.4, np.pi / 3), polar(0.15, np.pi / 10)),
    ),
    "circle_dipoles": scene(
        "Circle of 5 dipoles",
        "circle",
        (40.0, 105.0),
        (1.0, 0.6),
        kits=(("circle5", 0.35, 20 - 30j), ("circle5", 0.3623, 50 + 0j), ("circle5", 0.38, 200 + 80j)),
    ),
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class data:
    """What is known in a trial: the array as drawn; the truth, C, angles and the mean power of the
    sources; samples with and without noise of power 1 (N x T); and what the fit is told."""

    array: object
    coupling: np.ndarray
    angles_deg: tuple
    mean_power: float
    samples: np.ndarray
    clean: np.ndarray
    coefficients: int
    seed: int

    @property
    def snapshots(self):
        return self.samples.shape[1]


def simulate(one, snr_db, snapshots, trial, random):
    array, coupling = one.draw(trial, random)

    def white(rows):
        return random.standard_normal((rows, snapshots, 2)) @ [np.sqrt(0.5), 1j * np.sqrt(0.5)]

    amplitude = np.sqrt(10.0 ** (snr_db / 10.0) * np.array(one.powers))
    clean = coupling @ array.steering(one.angles_deg) @ (amplitude[:, None] * white(2))
    return data(
        array, coupling, one.angles_deg, np.mean(amplitude**2), clean + white(array.n), clean,
        one.coefficients, seed=trial + 1,
    )  # fmt: skip


def covariance(samples):
    return samples @ samples.conj().T / samples.shape[1]


def plain_music(known):
    found = bearing.core.music(covariance(known.samples), known.array, 2, known.snapshots)
    return found.angles_deg, None


def told_music(known):
    array = known.array.calibrated(bearing.calibration(coupling=known.coupling))
    found = bearing.core.music(covariance(known.samples), array, 2, known.snapshots)
    return found.angles_deg, None


def fitted(known, **options):
    options = {"coefficients": known.coefficients, "seed": known.seed, **options}
    found = bearing.core.coupling_fit(
        covariance(known.samples), known.array, 2, known.snapshots, **options
    )
    return found.angles_deg, found.coupling


def printed_fit(known, samples, start_deg, start_coupling):
    """Equation (34) as printed, min over C and angles of ||R - C A A^H C^H||_F^2. It takes all
    powers for 1, so it is told what they are on average."""
    k = known.coefficients - 1
    r = covariance(samples) / known.mean_power

    def coupling_of(x):
        return bearing.core.coupling_matrix(known.array, x[:k] + 1j * x[k : 2 * k])

    def misfit(x):
        g = coupling_of(x) @ known.array.steering(x[2 * k :])
        return (r - g @ g.conj().T).view(float).ravel()

    c = start_coupling[0, 1 : k + 1]
    start = np.concatenate([c.real, c.imag, start_deg])
    scale = np.concatenate([np.full(2 * k, 0.1), np.full(len(start_deg), 1.0)])
    x = scipy.optimize.least_squares(misfit, start, x_scale=scale).x
    return x[2 * k :], coupling_of(x)


def printed(known):
    start, _ = plain_music(known)
    # A direction that was not found has to start somewhere.
    return printed_fit(known, known.samples, np.nan_to_num(start), np.eye(known.array.n))


def printed_at_best(known):
    """Of samples without any noise, from the truth: what a perfect denoiser would allow."""
    return printed_fit(known, known.clean, known.angles_deg, known.coupling)


def repaired(known):
    return fitted(known, criterion="frobenius")


def likelihood(known):
    return fitted(known)


def gaussian(known):
    return fitted(known, prior="gaussian")


def coupling_diffusion(known):
    return fitted(known, prior="coupling")


def covariance_diffusion(known):
    return fitted(known, prior="covariance", criterion="frobenius")


def snapshot_diffusion(known):
    return fitted(known, prior="snapshot", criterion="frobenius", samples=known.samples)


@dataclasses.dataclass(frozen=True)
class method:
    """estimate: angles in degrees and C (or None) of data. kind: of the weights it needs."""

    name: str
    estimate: object
    style: str
    colour: str
    kind: str = ""


METHODS = {
    "music": method("MUSIC, coupling ignored", plain_music, "s--", GREY),
    "oracle": method("MUSIC, coupling known", told_music, "s-", BLACK),
    "printed": method("(34) as printed", printed, "v--", ORANGE),
    "printed_at_best": method("(34) as printed, at best", printed_at_best, "v:", ORANGE),
    "repaired": method("(34) with powers and noise", repaired, "v-", ORANGE),
    "ml": method("stochastic ML", likelihood, "o-", BLUE),
    "gaussian": method("Gaussian prior", gaussian, "D-", GREEN, "coupling"),
    "coupling": method("diffusion of coupling", coupling_diffusion, "x-", VERMILION, "coupling"),
    "covariance": method(
        "diffusion of covariances", covariance_diffusion, "^-", PURPLE, "covariance"
    ),
    "snapshot": method("diffusion of snapshots", snapshot_diffusion, "P-", SKY_BLUE, "snapshot"),
}


@dataclasses.dataclass(frozen=True)
class comparison:
    """Errors of a method; a line of the CSV file. NaN: does not apply.

    rmse_deg: of both bearings, errors above WORST taken for it. lost: share of those. nmse_db: of C.
    milliseconds: of an estimate, mean.
    """

    scene: str
    snr_db: float
    snapshots: int
    method: str
    trials: int
    rmse_deg: float
    lost: float
    nmse_db: float
    milliseconds: float
    crb_deg: float


def bearing_errors(found_deg, true_deg):
    """In degrees, each source with its own estimate."""
    found, true = np.sort(np.asarray(found_deg) % 360.0), np.sort(np.asarray(true_deg) % 360.0)
    # Round the back the first may be the last: the pairing with the smaller error.
    turns = [(np.roll(found, k) - true + 180.0) % 360.0 - 180.0 for k in range(len(true))]
    return min(turns, key=lambda errors: np.nansum(np.abs(errors)) + 360.0 * np.isnan(errors).sum())


def has_weights(one, kind):
    """Whether networks for arrays of a scene are installed."""
    array, _ = one.draw(0, np.random.default_rng(0))
    try:
        bearing.core.find_weights(array, kind)
    except RuntimeError:
        return False
    return True


def bound_deg(one, snr_db, snapshots):
    """The Cramer-Rao bound, both sources together; NaN for coupling without a structure."""
    if one.kits:
        return np.nan
    array, _ = one.draw(0, None)
    levels = snr_db + 10.0 * np.log10(one.powers)
    crb = bearing.core.coupling_crb_deg(array, one.angles_deg, levels, snapshots, one.coupling)
    return float(np.sqrt(np.mean(crb**2)))


def compare(name, snr_db, snapshots, trials, seed, progress):
    """[comparison of each method] at a point."""
    one = SCENES[name]
    # The same numbers whichever other points are computed.
    random = np.random.default_rng([seed, list(SCENES).index(name), int(snr_db + 100), snapshots])
    methods = {
        key: m for key, m in METHODS.items() if not m.kind or has_weights(one, m.kind)
    }
    errors = {key: [] for key in methods}
    nmse = {key: [] for key in methods}
    seconds = dict.fromkeys(methods, 0.0)
    for trial in range(trials):
        known = simulate(one, snr_db, snapshots, trial, random)
        scale = np.sum(np.abs(known.coupling) ** 2)
        for key, m in methods.items():
            start = time.perf_counter()
            angles, coupling = m.estimate(known)
            seconds[key] += time.perf_counter() - start
            errors[key].append(bearing_errors(angles, one.angles_deg))
            if coupling is not None:
                nmse[key].append(np.sum(np.abs(coupling - known.coupling) ** 2) / scale)
        progress.update()
    rows = []
    for key in methods:
        error = np.abs(np.array(errors[key]))
        lost = np.isnan(error) | (error > WORST)
        error[lost] = WORST
        rows.append(
            comparison(
                name, float(snr_db), snapshots, key, trials,
                rmse_deg=float(np.sqrt(np.mean(error**2))),
                lost=float(np.mean(lost)),
                nmse_db=float(10.0 * np.log10(np.mean(nmse[key]))) if nmse[key] else np.nan,
                milliseconds=1e3 * seconds[key] / trials,
                crb_deg=bound_deg(one, snr_db, snapshots),
            )  # fmt: skip
        )
    return rows


def study(names, trials, seed):
    """[comparison] of all points, each once."""
    points = list(dict.fromkeys(OVER_SNR + OVER_SNAPSHOTS))
    cases = [(name, *point) for name in names for point in points]
    rows = []
    # Without a terminal there is no bar.
    with tqdm(total=len(cases) * trials, unit=" trials", disable=None) as progress:
        for case in cases:
            progress.set_description(case[0])
            rows += compare(*case, trials, seed, progress)
    return rows


def at(rows, name, key, point):
    """The row of a scene and method at (SNR, snapshots), or None."""
    found = [
        row
        for row in rows
        if (row.scene, row.method, row.snr_db, row.snapshots) == (name, key, *point)
    ]
    return found[0] if found else None


def print_table(rows, names, point):
    snr_db, snapshots = point
    print(f"\n{snapshots} snapshots, {snr_db:.0f} dB: RMSE of bearings in degrees, NMSE of C in dB")
    print(" " * 28 + "".join(f"{name:>16}" for name in names))
    for key, m in METHODS.items():
        cells = ""
        for name in names:
            row = at(rows, name, key, point)
            if row is None:
                cells += f"{'-':>9}{'-':>7}"
            else:
                nmse = "-" if np.isnan(row.nmse_db) else f"{row.nmse_db:.1f}"
                cells += f"{row.rmse_deg:9.3f}{nmse:>7}"
        print(f"{m.name:<28}{cells}")
    cells = ""
    for name in names:
        crb = at(rows, name, "ml", point).crb_deg
        cells += f"{'-' if np.isnan(crb) else format(crb, '.3f'):>9}{'-':>7}"
    print(f"{'Cramér-Rao bound':<28}{cells}")


def print_times(rows, names):
    print("\nMilliseconds an estimate, mean of all points")
    print(" " * 28 + "".join(f"{name:>16}" for name in names))
    for key, m in METHODS.items():
        cells = ""
        for name in names:
            taken = [row.milliseconds for row in rows if (row.scene, row.method) == (name, key)]
            cells += f"{np.mean(taken):16.2f}" if taken else f"{'-':>16}"
        print(f"{m.name:<28}{cells}")


def draw(rows, names, over):
    """RMSE and NMSE over "snr_db" or "snapshots", a column a scene."""
    points = OVER_SNR if over == "snr_db" else OVER_SNAPSHOTS
    x = [point[over == "snapshots"] for point in points]
    figure, panels = plt.subplots(
        2, len(names), figsize=(max(3.5 * len(names), 9.0), 8.0), sharex=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    # Room for the legend.
    figure.get_layout_engine().set(rect=(0.0, 0.1, 1.0, 0.9))
    for (angles, matrix), name in zip(panels.T, names):
        for key, m in METHODS.items():
            found = [at(rows, name, key, point) for point in points]
            if None in found:
                continue
            style = {"color": m.colour, "ms": 5, "lw": 1.3, "mfc": "none", "label": m.name}
            angles.plot(x, [row.rmse_deg for row in found], m.style, **style)
            if not np.isnan(found[0].nmse_db):
                matrix.plot(x, [row.nmse_db for row in found], m.style, **style)
        bound = [at(rows, name, "ml", point).crb_deg for point in points]
        if not np.isnan(bound[0]):
            angles.plot(x, bound, ":", color=BLACK, lw=1.8, label="Cramér-Rao bound")
        angles.set(yscale="log", title=SCENES[name].title)
        angles.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        angles.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        angles.yaxis.set_minor_formatter(NullFormatter())
        if over == "snapshots":
            matrix.set_xscale("log")
            matrix.set_xticks(x, [str(count) for count in x])
            matrix.xaxis.set_minor_formatter(NullFormatter())
        matrix.set_xlabel("snapshots" if over == "snapshots" else "SNR per element (dB)")
        for panel in (angles, matrix):
            panel.grid(alpha=0.3)
    panels[0, 0].set_ylabel("rms error of the bearings (degrees)")
    panels[1, 0].set_ylabel("NMSE of the coupling matrix (dB)")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=4)
    fixed = f"{SNR_DB:.0f} dB" if over == "snapshots" else f"{SNAPSHOTS} snapshots"
    figure.suptitle(f"Two sources, unknown mutual coupling, {fixed}, {rows[0].trials} trials a point")
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
    parser.add_argument("--trials", type=trial_count, help="a point (default 100, --full 1000)")
    parser.add_argument("--full", action="store_true", help="the size of a serious comparison")
    parser.add_argument(
        "--seed", type=seed_number, default=1, help="of the random numbers (default 1)"
    )
    parser.add_argument(
        "--scenes",
        nargs="+",
        choices=SCENES,
        default=list(SCENES),
        metavar="SCENE",
        help="some of: " + ", ".join(SCENES),
    )
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        default=pathlib.Path("coupling"),
        metavar="DIRECTORY",
        help="where two PNG files and a CSV file are written (default coupling)",
    )
    args = parser.parse_args()
    try:
        args.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--output {args.output}: {error.strerror}")
    names = list(dict.fromkeys(args.scenes))

    trials = args.trials or (1000 if args.full else 100)
    print(
        f"Two sources, {trials} trials a point, seed {args.seed}; errors above {WORST:.0f}° count "
        f"as {WORST:.0f}°.\nDiffusion and its Gaussian stand-in where there are weights for the array."
    )
    rows = study(names, trials, args.seed)
    for point in ((SNR_DB, SNAPSHOTS), (SNR_DB, 20), (0.0, SNAPSHOTS)):
        print_table(rows, names, point)
    print_times(rows, names)
    outputs = {
        "coupling_snr.png": draw(rows, names, "snr_db"),
        "coupling_snapshots.png": draw(rows, names, "snapshots"),
    }
    for name, figure in outputs.items():
        figure.savefig(args.output / name, dpi=100)
        print(args.output / name)
    table = args.output / "coupling.csv"
    write_table(table, rows)
    print(table)


if __name__ == "__main__":
    main()

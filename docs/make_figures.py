#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the figures of the documentation with the module itself.

usage: PYTHONPATH=build/test_modules docs/make_figures.py [FIGURE...]

Without arguments all figures are drawn. Pictures of windows are taken of the examples on a virtual
display (Xvfb); docs/figures/demo.png comes from examples/demo.py.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from gnuradio import bearing
from gnuradio.bearing.colours import BLUE, GREEN, VERMILION

SOURCE_DIR = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE_DIR / "examples"))

import coverage as coverage_study
import reproduce_rv_root_music as rv_root_music

FOLDER = SOURCE_DIR / "docs" / "figures"
BLACK = "#000000"


def wrapped(degrees):
    return (degrees + 180.0) % 360.0 - 180.0


def covariance(array, angles_deg, snr_db, snapshots, seed, **options):
    samples = bearing.core.simulate(array, angles_deg, snr_db, snapshots, seed, **options)
    return bearing.core.covariance(samples)


def arrow(axes, start, end, colour):
    axes.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.8, "shrinkA": 0, "shrinkB": 0},
    )


def draw_frame(axes, positions, azimuth_deg, title, reach):
    """Elements, axes, and the direction to a source at azimuth_deg."""
    theta = np.radians(azimuth_deg)
    u = np.array([np.sin(theta), np.cos(theta)])
    arrow(axes, (0, 0), (reach, 0), "0.55")
    axes.text(reach, 0.04, "x, right", color="0.35", ha="center", va="bottom")
    arrow(axes, (0, 0), (0, reach), "0.55")
    axes.text(0.05, reach, "y, forward: azimuth 0°", color="0.35", ha="left", va="center")
    axes.plot(*positions.T, "o", ms=15, color=BLUE, zorder=3)
    for k, position in enumerate(positions):
        axes.text(*position, str(k), color="white", ha="center", va="center_baseline", zorder=4)

    source = reach * 1.05 * u
    arrow(axes, (0, 0), source, VERMILION)
    axes.plot(*(source + 0.07 * u), "*", ms=17, color=VERMILION)
    axes.text(*(source + 0.17 * u + [0.05, 0]), "source", color=VERMILION, ha="left", va="center")
    axes.text(*(0.78 * source + [0.05, -0.09]), "u", color=VERMILION, fontsize=14, weight="bold")

    turn = np.linspace(0, theta, 60)
    radius = 0.42 * reach
    axes.plot(radius * np.sin(turn), radius * np.cos(turn), color=BLACK, lw=1.2)
    arrow(
        axes,
        (radius * np.sin(turn[-4]), radius * np.cos(turn[-4])),
        (radius * np.sin(turn[-1]), radius * np.cos(turn[-1])),
        BLACK,
    )
    half = theta / 2
    axes.text(
        1.13 * radius * np.sin(half),
        1.13 * radius * np.cos(half),
        f"θ = {azimuth_deg:.0f}°",
        ha="center",
        va="bottom",
    )

    # The wave front that passes the first element it reaches.
    index = int(np.argmax(positions @ u))
    along = np.array([u[1], -u[0]])
    front = np.outer([-0.32, 0.32], along) + positions[index]
    axes.plot(*front.T, color=GREEN, lw=2.2)
    axes.set_title(f"{title}\nwave front (green): element {index} is nearest and leads", fontsize=11)
    axes.set_aspect("equal")
    axes.axis("off")


def figure_convention():
    figure, (line, circle) = plt.subplots(1, 2, figsize=(10, 4.9))
    # Room for titles of two lines: the constrained layout cuts them where the aspect is fixed.
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.88, wspace=0.02)
    positions = bearing.array.ula(n=4, spacing=0.3).positions[:, :2]
    draw_frame(line, positions, 40.0, "Uniform line along +x", 1.15)
    line.set(xlim=(-0.35, 1.35), ylim=(-0.35, 1.25))
    positions = bearing.array.uca(n=5, radius=0.55).positions[:, :2]
    draw_frame(circle, positions, 55.0, "Uniform circle, seen from above", 1.05)
    circle.set(xlim=(-0.75, 1.35), ylim=(-0.65, 1.25))
    return figure


def figure_spectra():
    array = bearing.array.ula(n=8, spacing=0.5)
    angles = [-20.0, 10.0, 18.0]
    r = covariance(array, angles, [10.0, 10.0, 10.0], 200, seed=3)
    grid = np.linspace(-90, 90, 1801)
    axes = bearing.plot.spectrum(
        [
            ("Bartlett", bearing.core.bartlett(r, array, grid, 3)),
            ("Capon", bearing.core.capon(r, array, grid, 3)),
            ("MUSIC", bearing.core.music(r, array, 3, 200, grid)),
        ],
        truth_deg=angles,
        peak_at_zero=True,
    )
    axes.set(
        ylim=(-50, 3),
        title="Line of 8 elements, λ/2 apart; three sources of 10 dB, 200 snapshots",
    )
    return axes.figure


def monte_carlo(array, angles_deg, snr_db, snapshots, trials, estimator):
    """Errors, deviations (degrees, trials x K) of an estimator, in the order of angles_deg."""
    errors = np.empty((trials, len(angles_deg)))
    deviations = np.empty_like(errors)
    for trial in range(trials):
        r = covariance(array, angles_deg, snr_db, snapshots, seed=trial)
        estimate = estimator(r)
        order = np.argsort(estimate.angles_deg)
        errors[trial] = wrapped(estimate.angles_deg[order] - np.sort(angles_deg))
        deviations[trial] = estimate.std_deg[order]
    return errors, deviations


def figure_accuracy():
    trials = 1000
    levels = np.arange(-10, 26, 2.5)
    snapshots = 64
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained", sharey=True)
    scenes = (
        ("Circle of 5, sources at 75° and 150°: MUSIC", bearing.array.uca(5, 0.3828), [75, 150]),
        ("Line of 8, sources at 10° and 25°: root-MUSIC", bearing.array.ula(8, 0.5), [10, 25]),
    )
    for panel, (title, array, angles) in zip(axes, scenes):
        is_line = title.startswith("Line")

        def estimate(r, array=array, is_line=is_line):
            method = bearing.core.root_music if is_line else bearing.core.music
            return method(r, array, 2, snapshots)

        bound, rms, predicted, published = [], [], [], []
        for level in levels:
            errors, deviations = monte_carlo(array, angles, level, snapshots, trials, estimate)
            bound.append(bearing.core.crb_deg(array, angles, level, snapshots)[0])
            rms.append(np.sqrt(np.nanmean(errors[:, 0] ** 2)))
            given = deviations[np.isfinite(deviations[:, 0]), 0]
            published.append(given.size / trials)
            predicted.append(np.sqrt(np.mean(given**2)) if given.size > trials / 20 else np.nan)
        panel.semilogy(levels, bound, "-", color=BLACK, label="Cramér-Rao bound")
        panel.semilogy(levels, rms, "o", color=BLUE, label="simulated rms error")
        panel.semilogy(levels, predicted, "x", ms=8, mew=2, color=VERMILION, label="predicted σ")
        gate = levels[np.argmax(np.array(published) > 0.95)]
        panel.axvspan(levels[0] - 2, gate, color="0.9", zorder=0)
        panel.text(
            gate - 0.5,
            0.012,
            "σ withheld\nin more than\n5 % of trials",
            ha="right",
            va="bottom",
            color="0.35",
        )
        panel.set(
            title=title,
            xlabel="SNR per element (dB)",
            xlim=(levels[0] - 1, levels[-1] + 1),
            ylim=(0.01, 100),
        )
        panel.grid(alpha=0.3, which="both")
    axes[0].set_ylabel("first source (degrees)")
    axes[0].legend()
    return figure


def figure_root_music():
    trials = 400
    array = bearing.array.ula(n=8, spacing=0.5)
    separations = np.array([2, 3, 4, 5, 6, 8, 10, 12, 15, 20.0])
    snapshots = 100
    found = {"Bartlett": [], "Capon": [], "MUSIC": [], "root-MUSIC": []}
    for separation in separations:
        truth = np.array([10 - separation / 2, 10 + separation / 2])
        hits = dict.fromkeys(found, 0)
        for trial in range(trials):
            r = covariance(array, truth, 10.0, snapshots, seed=trial)
            estimates = {
                "Bartlett": bearing.core.bartlett(r, array, num_sources=2),
                "Capon": bearing.core.capon(r, array, num_sources=2),
                "MUSIC": bearing.core.music(r, array, 2, snapshots),
                "root-MUSIC": bearing.core.root_music(r, array, 2, snapshots),
            }
            for name, estimate in estimates.items():
                errors = np.abs(np.sort(estimate.angles_deg) - truth)
                # Two peaks, each nearer to its own source than to the other one.
                hits[name] += bool(np.all(errors < separation / 2))
        for name, count in hits.items():
            found[name].append(100 * count / trials)
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    styles = (("s-.", BLUE), ("^--", GREEN), ("o-", VERMILION), ("D:", BLACK))
    for (name, values), (style, colour) in zip(found.items(), styles):
        axes.plot(separations, values, style, color=colour, label=name)
    axes.set(
        xlabel="separation of the sources (degrees)",
        ylabel="both resolved (% of trials)",
        title="Line of 8 elements, λ/2 apart; two sources of 10 dB about 10°, 100 snapshots",
        ylim=(-3, 103),
    )
    axes.legend()
    axes.grid(alpha=0.3)
    return figure


def figure_source_count():
    trials = 500
    array = bearing.array.uca(n=5, radius=0.3828)
    levels = np.arange(-16, 17, 2.0)
    snapshots = 1000
    generator = np.random.default_rng(1)
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.9), layout="constrained", sharey=True)
    for panel, spread_db, title in (
        (axes[0], 0.0, "Equal noise in all channels"),
        (axes[1], 1.0, "Channel noise unequal, 1 dB rms"),
    ):
        right = {"ratio": [], "mdl": [], "aic": []}
        for level in levels:
            hits = dict.fromkeys(right, 0)
            for trial in range(trials):
                # Sources whose own noise is 60 dB lower than usual, and the noise apart.
                loud = bearing.core.simulate(array, [75, 150], level + 60, snapshots, seed=trial)
                noise = bearing.core.simulate(array, [], [], snapshots, seed=trials + trial)
                scale = 10 ** (generator.normal(0, spread_db, (array.n, 1)) / 20)
                r = bearing.core.covariance((loud / 1000 + scale * noise).astype(np.complex64))
                for method in hits:
                    hits[method] += bearing.core.count_sources(r, snapshots, method) == 2
            for method, count in hits.items():
                right[method].append(100 * count / trials)
        for (name, values), style, colour in zip(
            right.items(), ("o-", "s--", "^-."), (VERMILION, BLUE, GREEN)
        ):
            panel.plot(levels, values, style, ms=5, color=colour, label=f'"{name}"')
        panel.set(title=title, xlabel="SNR per element (dB)", ylim=(-3, 103))
        panel.grid(alpha=0.3)
    axes[0].set_ylabel("two sources counted (% of trials)")
    axes[0].legend(loc="center right")
    return figure


def figure_smoothing():
    array = bearing.array.ula(n=10, spacing=0.5)
    subarray = bearing.array.ula(n=6, spacing=0.5)
    angles = [-10.0, 15.0]
    r = covariance(array, angles, 10.0, 300, seed=2, coherent=True)
    grid = np.linspace(-90, 90, 1801)
    smoothed = bearing.core.spatial_smoothing(r, 6)
    axes = bearing.plot.spectrum(
        [
            ("as it is", bearing.core.music(r, array, 2, 300, grid)),
            ("smoothed, subarrays of 6", bearing.core.music(smoothed, subarray, 2, 300, grid)),
        ],
        truth_deg=angles,
    )
    axes.set(
        ylabel="MUSIC spectrum (dB)",
        title="Two coherent sources of 10 dB on a line of 10 elements, 300 snapshots",
    )
    return axes.figure


def figure_rv_root_music_roots():
    return rv_root_music.draw_roots()


def figure_rv_root_music_snr():
    rows = rv_root_music.sweep(rv_root_music.OVER_SNR, 10000, 1)
    return rv_root_music.draw_errors(rows, "snr_db")


def figure_rv_root_music_snapshots():
    rows = rv_root_music.sweep(rv_root_music.OVER_SNAPSHOTS, 10000, 2)
    return rv_root_music.draw_errors(rows, "snapshots")


def figure_rv_root_music_coverage():
    return coverage_study.draw("real", 2000, *coverage_study.measure("real", 2000, 1))


def figure_calibration():
    array = bearing.array.uca(n=5, radius=0.3828)
    generator = np.random.default_rng(5)
    phase = np.radians(generator.normal(0, 25, 5))
    gains = np.exp(generator.normal(0, 0.15, 5) + 1j * phase)
    truth = bearing.calibration(gains=gains / gains[0])
    real = array.calibrated(truth)
    azimuth = np.arange(0, 360, 5.0)
    figure, axes = plt.subplots(figsize=(8, 3.8), layout="constrained")
    for name, assumed, style, colour in (
        ("as drawn", array, "o--", BLUE),
        ("with the calibration", real, "s-", VERMILION),
    ):
        errors = [
            wrapped(
                bearing.core.music(
                    covariance(real, [angle], 15.0, 500, seed=k), assumed, 1, 500
                ).angles_deg[0]
                - angle
            )
            for k, angle in enumerate(azimuth)
        ]
        rms = np.sqrt(np.mean(np.square(errors)))
        axes.plot(azimuth, errors, style, ms=3.5, color=colour, label=f"{name}: {rms:.2f}° rms")
    axes.set(
        xlabel="true azimuth (degrees)",
        ylabel="error (degrees)",
        xlim=(0, 360),
        xticks=range(0, 361, 60),
        title="Circle of 5 with gain errors of 25° and 1.3 dB; one source of 15 dB, 500 snapshots",
    )
    axes.legend()
    axes.grid(alpha=0.3)
    return figure


def figure_plot_array():
    generator = np.random.default_rng(2)
    array = bearing.array.uca(n=5, radius=0.26, wavelength=0.69)
    offsets = np.column_stack([generator.normal(0, 0.012, (5, 2)), np.zeros(5)])
    gains = np.exp(generator.normal(0, 0.2, 5) + 1j * np.radians(generator.normal(0, 70, 5)))
    calibration = bearing.calibration(gains=gains / gains[0], positions=offsets - offsets[0])
    figure, (drawn, measured) = plt.subplots(
        1, 2, figsize=(10, 5), width_ratios=[1, 1.15], layout="constrained"
    )
    bearing.plot.array(array, ax=drawn)
    bearing.plot.array(array, calibration, ax=measured, offset_scale=3, show_gains=True)
    drawn.set_title("As drawn")
    measured.set_title("With a calibration")
    return figure


def figure_plot_polar():
    figure = plt.figure(figsize=(10, 4.8), layout="constrained")
    array = bearing.array.uca(n=5, radius=0.3828)
    estimate = bearing.core.music(covariance(array, [40, 150], [5, 0], 50, seed=3), array, 2, 50)
    dial = bearing.plot.polar(
        estimate,
        figure.add_subplot(1, 2, 1, projection="polar"),
        heading_deg=100,
        truth_deg=[40, 150],
    )
    dial.set_title("Circle of 5, heading 100°")
    array = bearing.array.ula(n=6, spacing=0.5)
    estimate = bearing.core.music(covariance(array, [-25, 40], 0, 30, seed=4), array, 2, 30)
    half = bearing.plot.polar(estimate, figure.add_subplot(1, 2, 2, projection="polar"))
    half.set_title("Line of 6: front only", y=0.87)
    return figure


def figure_plot_covariance():
    array = bearing.array.ula(n=8, spacing=0.5)
    r = covariance(array, [20, -35], [10, 3], 500, seed=1)
    r[5, :] = r[:, 5] = np.nan
    return bearing.plot.covariance(r)[0].figure


def figure_plot_roots():
    array = bearing.array.ula(n=8, spacing=0.5)
    r = covariance(array, [-20.0, 10.0, 18.0], 10.0, 200, seed=3)
    return bearing.plot.roots(bearing.core.root_music(r, array, 3, 200), array).figure


def figure_plot_track():
    array = bearing.array.uca(n=5, radius=0.2)
    time = np.arange(0, 60, 0.75)
    truth = (285 + 3 * time) % 360
    estimates = [
        bearing.core.music(covariance(array, [angle], 6 - 0.14 * t, 40, seed=k), array, 1, 40)
        for k, (t, angle) in enumerate(zip(time, truth))
    ]
    return bearing.plot.track(
        time,
        [estimate.angles_deg[0] for estimate in estimates],
        [estimate.std_deg[0] for estimate in estimates],
        labels="MUSIC",
        truth_deg=truth,
    ).figure


# Runs a flowgraph that GNU Radio Companion generated, moves its first source where it has one,
# and takes a picture of the screen: path, name of the flowgraph, tab, seconds.
TAKE_PICTURE = """
import importlib, json, os, sys
from PyQt5 import QtCore
path, name, tab, seconds = json.loads(sys.argv[1])
sys.argv[1:] = []
sys.path.insert(0, os.getcwd())
module = importlib.import_module(name)

class pictured(getattr(module, name)):
    def start(self, *arguments):
        super().start(*arguments)
        self.tabs.setCurrentIndex(tab)
        self.elapsed = 0.0
        self.timer = QtCore.QTimer(self)
        self.timer.timeout.connect(self.move_on)
        self.timer.start(100)

    def move_on(self):
        self.elapsed += 0.1
        if tab == 1 and hasattr(self, "set_azimuth_1"):
            self.set_azimuth_1(self.get_azimuth_1() + 0.4)
        if self.elapsed >= seconds:
            self.timer.stop()
            self.screen().grabWindow(0).save(path)
            self.close()

module.main(pictured)
"""


class window_picture:
    """A picture of an example's window; saved like a figure."""

    def __init__(self, example, tab=0, screen="1280x800", seconds=10.0, record=False):
        self.example = example
        self.tab = tab
        self.screen = screen
        self.seconds = seconds
        self.record = record

    def savefig(self, path, **_):
        with tempfile.TemporaryDirectory() as folder:
            environment = dict(
                os.environ, HOME=folder, XDG_RUNTIME_DIR=folder, GRC_BLOCKS_PATH=str(SOURCE_DIR / "grc")
            )
            run = {"cwd": folder, "env": environment, "check": True, "stdout": subprocess.DEVNULL}
            flowgraph = SOURCE_DIR / "examples" / (self.example + ".grc")
            subprocess.run(["grcc", "-o", folder, flowgraph], **run)
            if self.record:
                recorder = SOURCE_DIR / "examples" / "04_record.py"
                subprocess.run([sys.executable, recorder, "--duration", "20"], **run)
            (generated,) = pathlib.Path(folder).glob("*.py")
            task = json.dumps([str(path), generated.stem, self.tab, self.seconds])
            subprocess.run(
                ["xvfb-run", "-a", "-s", f"-screen 0 {self.screen}x24"]
                + [sys.executable, "-c", TAKE_PICTURE, task],
                **run,
            )


class companion_picture:
    """A picture of GNU Radio Companion with an example."""

    def __init__(self, example):
        self.example = example

    def savefig(self, path, **_):
        flowgraph = SOURCE_DIR / "examples" / (self.example + ".grc")
        with tempfile.TemporaryDirectory() as folder:
            preferences = pathlib.Path(folder, "grc.conf")
            preferences.write_text(
                "[main]\nmain_window_width = 1500\nmain_window_height = 800\n"
                "blocks_window_position = 1290\nconsole_window_position = 700\n"
                "console_window_visible = False\nvariable_editor_visible = False\n"
            )
            environment = dict(
                os.environ,
                HOME=folder,
                XDG_RUNTIME_DIR=folder,
                NO_AT_BRIDGE="1",
                GRC_BLOCKS_PATH=str(SOURCE_DIR / "grc"),
                GRC_PREFS_PATH=str(preferences),
            )
            # It needs some seconds for its library of blocks.
            script = 'gnuradio-companion "$0" & sleep 15; import -window root "$1"; kill $!'
            subprocess.run(
                ["xvfb-run", "-a", "-s", "-screen 0 1500x800x24", "bash", "-c", script]
                + [flowgraph, path],
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )


def figure_window_circle_compass():
    return window_picture("01_circle_music")


def figure_window_circle_track():
    return window_picture("01_circle_music", tab=1, seconds=62.0)


def figure_window_line_compass():
    return window_picture("02_line_music_capon_bartlett", screen="800x480")


def figure_window_line_track():
    return window_picture("02_line_music_capon_bartlett", tab=1, screen="800x480", seconds=62.0)


def figure_window_calibrated_compass():
    return window_picture("03_gain_errors_calibrated", screen="800x480")


def figure_window_playback_compass():
    return window_picture("05_playback", screen="800x480", record=True)


def figure_grc_circle_canvas():
    return companion_picture("01_circle_music")


FIGURES = {
    name[len("figure_") :]: function
    for name, function in list(globals().items())
    if name.startswith("figure_")
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join(FIGURES))
    args = parser.parse_args()
    for name in args.figures or FIGURES:
        if name not in FIGURES:
            parser.error(f"no figure {name}; there are {', '.join(FIGURES)}")
        FOLDER.mkdir(exist_ok=True)
        FIGURES[name]().savefig(FOLDER / f"{name}.png", dpi=100)
        print(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()

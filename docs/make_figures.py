#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the figures of the documentation with the module itself.

usage: PYTHONPATH=build/test_modules docs/make_figures.py [FIGURE...]

Without arguments all figures are drawn. Pictures of windows are taken of the examples on a virtual
display (Xvfb); docs/figures/demo.png comes from examples/demo.py.
"""

import argparse
import functools
import importlib
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
from gnuradio.bearing.colours import BLUE, COLOUR_MAP, GREEN, VERMILION
from gnuradio.bearing.fusion import geodesy, geojson
from gnuradio.bearing.fusion.triangulation import triangulate
from gnuradio.bearing.hier.channel_taps import lowpass_taps
from gnuradio.bearing.tools.training.weights_file import read_weights

SOURCE_DIR = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE_DIR / "examples"))

import coverage as coverage_study
import reproduce_coupling as coupling_study
import reproduce_diffmusic as diffmusic_study
import reproduce_propagator as propagator_study
import reproduce_rv_root_music as rv_root_music

dispersive_example = importlib.import_module("09_dispersive_line_ls_and_wiener")
circle_example = importlib.import_module("07_circle_calibrates_itself")

FOLDER = SOURCE_DIR / "docs" / "figures"
BLACK = "#000000"


# Of the study of coupling, those that are drawn.
COUPLING_SCENES = ["line", "dipoles", "circle"]


@functools.cache
def coupling_rows():
    return coupling_study.study(COUPLING_SCENES, 200, 1)


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


def sampled(steering, snr_db, snapshots, seed):
    """The sample covariance of sources with these steering vectors (columns) in noise of power 1."""
    random = np.random.default_rng(seed)

    def draw(*shape):
        return (random.standard_normal(shape) + 1j * random.standard_normal(shape)) / np.sqrt(2)

    n, count = steering.shape
    amplitude = 10 ** (snr_db / 20)
    samples = amplitude * steering @ draw(count, snapshots) + draw(n, snapshots)
    return samples @ samples.conj().T / snapshots


def figure_music_2d():
    figure = plt.figure(figsize=(10, 4.8), layout="constrained")
    sky = figure.add_subplot(1, 2, 1, projection="polar")
    circle = bearing.array.uca(n=5, radius=0.383)
    truth = np.array([[70.0, 200.0, 310.0], [25.0, 60.0, 4.0]])
    r = sampled(circle.steering(*truth), 15.0, 100, seed=2)
    found = bearing.core.music_2d(r, circle, 3, 100)
    sky.set(theta_zero_location="N", theta_direction=-1, ylim=(0, 90))
    # The first azimuth again at the end, so that the map closes.
    azimuth = np.radians(np.append(found.grid_deg, 360.0))
    zenith_angle = 90.0 - found.map_elevation_deg
    levels = np.vstack([found.map_db, found.map_db[:1]]).T
    sky.grid(False)
    sky.pcolormesh(azimuth, zenith_angle, levels, cmap="Greys", vmin=0, vmax=30, rasterized=True)
    sky.plot(np.radians(truth[0]), 90 - truth[1], "+", color=BLUE, ms=14, mew=2, label="sources")
    sky.plot(
        np.radians(found.angles_deg),
        90 - found.elevation_deg,
        "o",
        mfc="none",
        mec=VERMILION,
        ms=11,
        mew=1.6,
        label="found",
    )
    for k in range(3):
        deviation = found.elevation_std_deg[k]
        elevation = f"{found.elevation_deg[k]:.1f}° ± " + (
            f"{deviation:.1f}°" if np.isfinite(deviation) else "unknown"
        )
        sky.annotate(
            f"{found.angles_deg[k]:.1f}° ± {found.std_deg[k]:.1f}°\n{elevation}",
            (np.radians(found.angles_deg[k]), 90 - found.elevation_deg[k]),
            textcoords="offset points",
            xytext=(10, 8),
            fontsize=8,
            bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8},
        )
    sky.set_yticks([30, 60], ["60°", "30°"])
    sky.grid(alpha=0.3)
    sky.set_title("Circle of 5, radius 0.383 λ: the sky as on a map\n15 dB, 100 snapshots", fontsize=10)

    plan = figure.add_subplot(1, 2, 2)
    line = bearing.array.ula(n=8, spacing=0.5)
    truth = np.array([[-25.0, 30.0], [9.0, 14.0]])
    r = sampled(bearing.array.near_field(line, *truth), 20.0, 100, seed=4)
    found = bearing.core.music_2d(r, line, 2, 100, search="azimuth_range")
    mesh = plan.pcolormesh(
        found.grid_deg,
        found.map_inverse_range,
        found.map_db.T,
        cmap="Greys",
        vmin=0,
        vmax=30,
        rasterized=True,
    )
    figure.colorbar(mesh, ax=plan, label="MUSIC spectrum (dB)")
    plan.plot(truth[0], 1 / truth[1], "+", color=BLUE, ms=14, mew=2, label="sources")
    plan.plot(
        found.angles_deg, 1 / found.range, "o", mfc="none", mec=VERMILION, ms=11, mew=1.6, label="found"
    )
    for k in range(2):
        plan.annotate(
            f"{found.angles_deg[k]:.2f}° ± {found.std_deg[k]:.2f}°\n"
            f"{found.range[k]:.2f} λ ± {found.range_std[k]:.2f} λ",
            (found.angles_deg[k], 1 / found.range[k]),
            textcoords="offset points",
            xytext=(12, 8),
            fontsize=8,
            bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8},
        )
    plan.set(xlabel="azimuth (°)", ylabel="inverse range (1/λ)", xlim=(-90, 90))
    plan.legend(loc="upper right", fontsize=8)
    plan.set_title("Line of 8, λ/2 apart: sources near by\n20 dB, 100 snapshots", fontsize=10)
    return figure


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


def figure_channels():
    # Every channel has the prototype, shifted to its centre.
    num_channels, rate = 16, 16.0
    taps = lowpass_taps(rate, 0.4, 0.6, 80.0)
    offsets = np.linspace(-1.5, 1.5, 1201)
    times = np.arange(len(taps))
    figure, axes = plt.subplots(figsize=(8, 3.8), layout="constrained")
    for channel, colour in zip((-1, 0, 1), (GREEN, BLUE, VERMILION)):
        phases = np.outer(offsets - channel, times) * 2 * np.pi / rate
        gain_db = 20 * np.log10(np.abs(np.exp(-1j * phases) @ taps) + 1e-9)
        axes.plot(offsets, gain_db, color=colour, label=f"channel {channel}")
        axes.axvspan(channel - 0.4, channel + 0.4, color=colour, alpha=0.12, lw=0)
    axes.set(
        xlabel="frequency less the centre's (spacings)",
        ylabel="gain (dB)",
        xlim=(-1.5, 1.5),
        ylim=(-110, 5),
        title=f"Three of {num_channels} channels; shaded: in no other one",
    )
    # Beside the curves: below them are side lobes.
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    axes.grid(alpha=0.3)
    return figure


def wide_waves(array, angle_deg, snr_db, size, relative_rate, random):
    """N x size samples of a flat signal in the inner four fifths of the band, in such noise, with
    true time delays; the sample rate is relative to the centre frequency."""
    frequency = np.fft.fftfreq(size)
    inside = np.abs(frequency) < 0.4

    def noise(*shape):
        return (random.standard_normal(shape) + 1j * random.standard_normal(shape)) * inside

    angle = np.deg2rad(angle_deg)
    periods = array.positions @ [np.sin(angle), np.cos(angle), 0.0]
    delays = np.exp(2j * np.pi * np.outer(periods, 1.0 + frequency * relative_rate))
    spectra = 10 ** (snr_db / 20) * noise(size) * delays + noise(array.n, size)
    return (np.fft.ifft(spectra) * np.sqrt(size / 2)).astype(np.complex64)


def figure_wideband():
    """Where one covariance ends: the second eigenvalue, and errors over those of sub-bands."""
    array, angle, size, trials = bearing.array.ula(n=8, spacing=0.5), 40.0, 4000, 150
    travel = 3.5 * np.sin(np.deg2rad(angle))  # periods of the centre frequency
    random = np.random.default_rng(1)
    products = np.array([0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0])
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for snr_db, colour in zip((0.0, 10.0, 20.0), (GREEN, BLUE, VERMILION)):
        shown, second, ratio = [], [], []
        for product in products:
            bandwidth = product / np.sqrt(8 * 10 ** (snr_db / 10)) / travel
            relative_rate = bandwidth / 0.8
            if relative_rate > 0.5:
                continue
            narrow, wide, values = [], [], []
            for _ in range(trials):
                x = wide_waves(array, angle, snr_db, size, relative_rate, random)
                r = bearing.core.covariance(x)
                eigenvalues = np.linalg.eigvalsh(r.astype(complex))
                values.append(eigenvalues[-2] / np.mean(eigenvalues[:-2]))
                narrow.append(bearing.core.music(r, array, 1, size).angles_deg[0] - angle)
                rs, frequency, snapshots = bearing.core.subband_covariance(
                    x, relative_rate, 16, center_frequency=1.0
                )
                found = bearing.core.wideband_music(rs, array, frequency, 1, snapshots, 1.0)
                wide.append(found.angles_deg[0] - angle)
            shown.append(product)
            second.append(np.mean(values))
            ratio.append(np.sqrt(np.mean(np.square(narrow)) / np.mean(np.square(wide))))
        axes[0].plot(shown, second, "o-", color=colour, label=f"{snr_db:.0f} dB")
        axes[1].plot(shown, ratio, "o-", color=colour, label=f"{snr_db:.0f} dB")
    formula = 1.0 + (np.pi * products) ** 2 / 36 * 9 / 7
    axes[0].plot(products, formula, "--", color=BLACK, label="formula, any SNR")
    axes[0].set(ylabel="second eigenvalue / noise", title="Signal outside the first eigenvector")
    axes[1].set(ylabel="ratio of RMSE", title="MUSIC on one covariance / on 16 sub-bands")
    for panel in axes:
        panel.set(xlabel="B τ sqrt(N SNR)", xscale="log", yscale="log")
        panel.set_xticks([0.1, 0.2, 0.5, 1, 2, 5])
        panel.axvline(1.0, color=BLACK, lw=0.8)
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter("{x:g}")
            axis.set_minor_formatter("")
        panel.legend(loc="upper left", title="SNR at an element")
        panel.grid(alpha=0.3, which="both")
    axes[0].set_yticks([1, 2, 5, 10])
    axes[1].set_yticks([1, 2, 3, 4, 5])
    return figure


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


def stretched(array, alpha, beta):
    """A line that explains all data of another one with sin -> alpha sin + beta."""
    x = array.positions[:, 0]
    return array.calibrated(
        bearing.calibration(
            gains=np.exp(-2j * np.pi * beta / alpha * x),
            positions=np.outer(x / alpha - x, [1, 0, 0]),
        )
    )


def turned(array, degrees):
    """An array that explains all data of another one with azimuths that are larger by so much."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
    offsets = array.positions @ rotation.T - array.positions
    return array.calibrated(bearing.calibration(positions=offsets))


def figure_diffmusic_ambiguity():
    snapshots = 200
    line, circle = bearing.array.ula(8, 0.5), bearing.array.uca(5, 0.383)
    panels = (
        ("Line of 8: tilt and stretch unknown", line, stretched(line, 0.9, 0.15), [-45, -10, 20]),
        ("Circle of 5: north unknown", circle, turned(circle, 25.0), [60, 210]),
    )
    figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.2), layout="constrained")
    for panel, (title, real, other, angles) in zip(axes, panels):
        r = covariance(real, angles, 10.0, snapshots, seed=1)
        is_line = real is line
        grid = np.linspace(-90, 90, 3601) if is_line else np.arange(0, 360, 0.1)
        for array, name, style, colour in (
            (real, "true array", "-", BLUE),
            (other, "as well: shape right, orientation not", "-", VERMILION),
        ):
            estimate = bearing.core.music(r, array, len(angles), snapshots, grid)
            panel.plot(grid, estimate.spectrum_db, style, color=colour, lw=1.5, label=name)
            panel.plot(
                estimate.angles_deg,
                np.interp(estimate.angles_deg, grid, estimate.spectrum_db),
                "v",
                ms=7,
                color=colour,
            )
        for angle in angles:
            panel.axvline(angle, color="0.85", zorder=0)
        panel.set(
            title=title,
            xlabel="azimuth (degrees); grey: the sources",
            xlim=(grid[0], 90 if is_line else 360),
            xticks=range(-90, 91, 30) if is_line else range(0, 361, 60),
            ylim=(0, 50),
        )
        panel.grid(alpha=0.3)
    axes[0].set_ylabel("MUSIC spectrum (dB)")
    axes[0].legend(loc="upper center", ncols=2)
    return figure


def figure_diffmusic():
    _, examples = diffmusic_study.study(diffmusic_study.sizes(1, 100, 50), 1)
    return diffmusic_study.draw(examples[5])


def figure_diffmusic_circle():
    flowgraph = circle_example.self_calibrating_circle(30.0)
    flowgraph.run()
    return circle_example.draw(flowgraph)


def figure_propagator_wiggles():
    return propagator_study.draw(propagator_study.simulate(np.random.default_rng(1)))


def figure_propagator_leak():
    """What the sensors hear together, and power densities at the first one."""
    records = 200
    random = np.random.default_rng(1)
    names = ("plain LS", "Wiener")
    leaks = {name: np.zeros(len(propagator_study.FREQUENCY)) for name in names}
    for _ in range(records):
        heard = propagator_study.simulate(random)
        for name in names:
            found = propagator_study.estimate(heard, name)
            passed = propagator_study.leaked(heard, found, name)[:, 0]
            leaks[name] += np.abs(np.fft.rfft(passed)) ** 2 / records
    scale = propagator_study.SAMPLES * propagator_study.SAMPLE_RATE

    frequency = propagator_study.FREQUENCY[1:-1]
    response = propagator_study.line().response(frequency)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    left.plot(frequency, np.sum(np.abs(response) ** 2, axis=1), color=BLACK)
    left.axhline(1.0, color="0.6", lw=0.8)
    left.set(ylim=(0, 6), ylabel="$P^H P$", title="Sensors that hear the signal, out of ten")
    densities = {
        "signal": (propagator_study.source_psd(), "-", BLACK),
        "noise by least squares": (leaks["plain LS"] / scale, "-", VERMILION),
        "noise by Wiener": (leaks["Wiener"] / scale, "-", BLUE),
    }
    for label, (density, style, colour) in densities.items():
        decibels = propagator_study.decibels(density[1:-1])
        right.plot(frequency, decibels, style, color=colour, lw=1.2, label=label)
    right.set(
        ylim=(-90, -25),
        ylabel="power density (dB, unit²/Hz)",
        title=f"At the first sensor, {records} records",
    )
    right.legend(loc="lower left")
    for axes in (left, right):
        axes.set(xscale="log", xlim=(1, 500), xlabel="frequency (Hz)")
        axes.set_xticks([1, 10, 100, 500], ["1", "10", "100", "500"])
        axes.grid(alpha=0.3)
    return figure


def figure_propagator_stream():
    flowgraph = dispersive_example.dispersive_line(10.0)
    flowgraph.run()
    return dispersive_example.draw(flowgraph.meters)


def figure_coupling_snr():
    return coupling_study.draw(coupling_rows(), COUPLING_SCENES, "snr_db")


def figure_coupling_snapshots():
    return coupling_study.draw(coupling_rows(), COUPLING_SCENES, "snapshots")


def figure_coupling_dipoles():
    """Coupling of simulated dipoles, and what a network knows of it."""
    figure, (matrix, drawn, sampled) = plt.subplots(
        1, 3, figsize=(11, 3.9), width_ratios=[1.25, 1, 1], layout="constrained"
    )
    kit = coupling_study.SCENES["dipoles"]
    array, coupling = kit.draw(1, np.random.default_rng(1))
    level = 20 * np.log10(np.abs(coupling))
    image = matrix.imshow(level, cmap=COLOUR_MAP, vmin=-40)
    figure.colorbar(image, ax=matrix, label="|C| (dB)", shrink=0.85)
    matrix.set(title="Half-wave dipoles, λ/2, 50 Ω", xlabel="element", ylabel="element")

    path = bearing.core.find_weights(array, "coupling")
    random = np.random.default_rng(2)
    family = coupling_study.load_family(coupling_study.FAMILIES / "line8.yaml")
    tensors, _ = read_weights(path)
    real, imaginary = (tensors["basis"][:, k].reshape(len(tensors["basis"]), -1) for k in (0, 1))
    basis = np.concatenate([real, imaginary], axis=1).T
    centre = tensors["mean"].reshape(-1)
    couplings = coupling_study.draw_couplings(family, random, 2000)
    flat = couplings.reshape(len(couplings), -1)
    flat = np.concatenate([flat.real, flat.imag], axis=1) - centre
    weights = np.linalg.lstsq(basis, flat.T, rcond=None)[0]
    start = random.standard_normal(weights.shape)
    for axes, points, colour, title in (
        (drawn, weights, BLUE, "2000 simulated arrays"),
        (sampled, bearing.core.ddim_sample(path, start, 20), VERMILION, "2000 samples of the network"),
    ):
        axes.plot(points[0], points[1], ".", ms=2.5, color=colour)
        axes.set(title=title, xlim=(-2, 4), ylim=(-3, 3), xlabel="$w_1$", ylabel="$w_2$")
        axes.set_aspect("equal")
        axes.grid(alpha=0.3)
    return figure


def figure_coupling_tracker():
    """Coupling learnt from one scene after the other, and changed in the middle."""
    figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
    array = bearing.array.ula(n=8, spacing=0.5)
    runs, scenes, change = 20, 120, 80
    alone, tracked = np.zeros(scenes), np.zeros(scenes)
    for run in range(runs):
        random = np.random.default_rng(run)
        tracker = bearing.core.coupling_tracker(array, 2)
        for k in range(scenes):
            second = 0.4 if k < change else 0.25
            coupling = bearing.core.coupling_matrix(
                array, [second * np.exp(1j * np.pi / 3), 0.15 * np.exp(1j * np.pi / 10)]
            )
            first = random.uniform(-50, 35)
            angles = [first, first + random.uniform(12, 50 - first)]
            r = sampled(coupling @ array.steering(angles), 10.0, 100, seed=1000 * run + k)
            found = bearing.core.coupling_fit(r, array, 2, 100)
            tracker.update(r, 100)
            for errors, estimate in ((alone, found.coupling), (tracked, tracker.coupling)):
                errors[k] += np.linalg.norm(estimate - coupling) ** 2 / np.linalg.norm(coupling) ** 2
    for errors, colour, label in (
        (alone, VERMILION, "coupling_fit, each covariance by itself"),
        (tracked, BLUE, "coupling_tracker"),
    ):
        decibels = 10 * np.log10(errors / runs)
        axes.plot(np.arange(1, scenes + 1), decibels, color=colour, label=label)
    axes.axvline(change + 0.5, color="0.6", ls="--", lw=1)
    axes.text(
        change + 3.5, 0.96, "the coupling changes", va="top", transform=axes.get_xaxis_transform()
    )
    axes.set(
        xlabel="covariance of 100 snapshots, 10 dB, sources anywhere",
        ylabel="NMSE of the coupling (dB)",
        title=f"Line of 8, mean of {runs} runs",
        xlim=(1, scenes),
    )
    axes.legend()
    axes.grid(alpha=0.3)
    return figure


def figure_sky_calibration():
    generator = np.random.default_rng(45)
    array = bearing.array.custom(generator.uniform(-6, 6, (24, 2)))
    azimuth = generator.uniform(0, 360, 16)
    elevation = np.degrees(np.arcsin(generator.uniform(np.sin(np.radians(20)), 1, 16)))
    gains = np.exp(generator.normal(0, 0.2, 24) + 2j * np.pi * generator.uniform(size=24))
    snapshots = 10000

    def gaussian(rows):
        parts = generator.normal(0, np.sqrt(0.5), (2, rows, snapshots))
        return parts[0] + 1j * parts[1]

    weak = 10 ** (-15 / 20) * gaussian(16)
    samples = gains[:, None] * (array.steering(azimuth, elevation) @ weak) + gaussian(24)
    r = samples @ samples.conj().T / snapshots
    fit = bearing.core.sky_gains(r, array, azimuth[2:], elevation[2:])

    edges_azimuth = np.linspace(0, 360, 361)
    edges_zenith = np.linspace(0, 70, 141)
    centres = [(edges[1:] + edges[:-1]) / 2 for edges in (edges_azimuth, edges_zenith)]
    towards, zenith = np.meshgrid(*centres)
    cross = r - np.diag(np.diag(r))
    figure, panels = plt.subplots(
        1, 2, figsize=(10, 5), layout="constrained", subplot_kw={"projection": "polar"}
    )
    for panel, title, calibrated in (
        (panels[0], "As drawn", array),
        (panels[1], "With sky_gains", array.calibrated(fit.calibration)),
    ):
        a = calibrated.steering(towards.ravel(), 90 - zenith.ravel())
        power = np.einsum("ng,nm,mg->g", a.conj(), cross, a).real.reshape(zenith.shape)
        panel.set_theta_zero_location("N")
        panel.set_theta_direction(-1)
        panel.grid(False)
        panel.pcolormesh(
            np.radians(edges_azimuth), edges_zenith, power / power.max(), cmap="Greys", vmin=0
        )
        for names, marker, colour, label in (
            (slice(2, None), "o", BLUE, "14 that the fit knows"),
            (slice(0, 2), "s", VERMILION, "2 left out"),
        ):
            panel.plot(
                np.radians(azimuth[names]),
                90 - elevation[names],
                marker,
                ms=13,
                mew=1.8,
                color=colour,
                fillstyle="none",
                label=label,
            )
        panel.set_rticks([30, 60], ["60°", "30°"])
        panel.set_title(title)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="lower center", ncols=1)
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


# Runs a flowgraph that GNU Radio Companion generated, sets variables at their seconds, or else
# moves its first source where it has one and a track is shown, and takes a picture of the screen:
# path, name of the flowgraph, tab, seconds, [[seconds, setter, value]...].
TAKE_PICTURE = """
import importlib, json, os, sys
from PyQt5 import QtCore
path, name, tab, seconds, settings = json.loads(sys.argv[1])
is_moved = tab == 1 and not settings
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
        if is_moved and hasattr(self, "set_azimuth_1"):
            self.set_azimuth_1(self.get_azimuth_1() + 0.4)
        while settings and self.elapsed >= settings[0][0]:
            _, setter, value = settings.pop(0)
            getattr(self, setter)(value)
        if self.elapsed >= seconds:
            self.timer.stop()
            self.screen().grabWindow(0).save(path)
            self.close()

module.main(pictured)
"""


class window_picture:
    """A picture of an example's window; saved like a figure."""

    def __init__(
        self, example, tab=0, screen="1280x800", seconds=10.0, record=False, settings=()
    ):
        self.example = example
        self.tab = tab
        self.screen = screen
        self.seconds = seconds
        self.record = record
        self.settings = settings

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
            task = json.dumps(
                [str(path), generated.stem, self.tab, self.seconds, self.settings]
            )
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


def kilometres(origin, latitude, longitude):
    """To the east and north of an origin."""
    away = geodesy.distance(*origin, latitude, longitude) / 1e3
    course = np.radians(geodesy.initial_bearing(*origin, latitude, longitude))
    return away * np.sin(course), away * np.cos(course)


def fisher_covariance(fix, latitude, longitude, std):
    """Of a fix, in square metres: the inverse of Fisher's information there alone."""
    slopes = []
    for course in (90.0, 0.0):
        ahead, behind = (
            geodesy.initial_bearing(
                latitude,
                longitude,
                *geodesy.destination(fix.latitude, fix.longitude, course + turn, 1.0),
            )
            for turn in (0.0, 180.0)
        )
        slopes.append(wrapped(ahead - behind) / 2.0 / std)
    return np.linalg.inv(np.array(slopes) @ np.array(slopes).T)


def stations_coverage(std_deg, count, seed):
    """Shares of fixes of two stations whose ellipse holds the transmitter: that of Fisher's
    information, and that of triangulate(); and share of fixes that have none."""
    random = np.random.default_rng(seed)
    held, found = np.zeros(2), 0
    for _ in range(count):
        baseline = random.uniform(2e3, 50e3)
        here = np.array([47.0, 8.0])
        there = geodesy.destination(*here, random.uniform(0, 360), baseline)
        middle = geodesy.destination(*here, geodesy.initial_bearing(*here, *there), baseline / 2)
        truth = geodesy.destination(
            *middle, random.uniform(0, 360), baseline * random.uniform(0.3, 2.0)
        )
        latitude, longitude = np.array([here, there]).T
        bearings = geodesy.initial_bearing(latitude, longitude, *truth)
        bearings = (bearings + std_deg * random.standard_normal(2)) % 360.0
        fix = triangulate(latitude, longitude, bearings, [std_deg, std_deg])
        if fix.status != "ok":
            continue
        found += 1
        error = 1e3 * np.array(kilometres((fix.latitude, fix.longitude), *truth))
        for k, matrix in enumerate(
            (fisher_covariance(fix, latitude, longitude, std_deg), fix.covariance)
        ):
            held[k] += error @ np.linalg.solve(matrix, error) <= -2 * np.log(0.05)
    return (*(held / found), 1 - found / count)


def figure_stations():
    figure, (chart, shares) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
    origin = (47.4, 8.6)
    places = [geodesy.destination(*origin, 250.0, 12e3), geodesy.destination(*origin, 150.0, 14e3)]
    latitude, longitude = np.array(places).T
    std = np.array([3.0, 4.0])
    truth = geodesy.initial_bearing(latitude, longitude, *origin)
    random = np.random.default_rng(3)
    for k in range(400):
        fix = triangulate(latitude, longitude, truth + std * random.standard_normal(2), std)
        chart.plot(
            *kilometres(origin, fix.latitude, fix.longitude),
            ".",
            color="0.6",
            ms=3,
            label="fixes of 400 other bearings" if k == 0 else None,
        )
    heard = truth + std * [0.5, -0.4]
    fix = triangulate(latitude, longitude, heard, std)
    for k, name in enumerate("AB"):
        for offset, width in ((0.0, 1.8), (-std[k], 0.7), (std[k], 0.7)):
            way = geodesy.destination(
                latitude[k], longitude[k], heard[k] + offset, np.linspace(0, 19e3, 20)
            )
            chart.plot(*kilometres(origin, *way), color=BLUE, lw=width)
        east, north = kilometres(origin, *places[k])
        chart.plot(east, north, "^", color=BLUE, ms=11)
        chart.text(east + 0.7, north - 0.5, f"{name}, σ = {std[k]:.0f}°", va="top")
    ring = geojson.ellipse(
        fix.latitude, fix.longitude, fix.semi_major_m, fix.semi_minor_m, fix.orientation_deg
    )["coordinates"][0]
    chart.plot(
        *kilometres(origin, *np.array(ring).T[::-1]), color=VERMILION, lw=2, label="95 % ellipse"
    )
    chart.plot(
        *kilometres(origin, fix.latitude, fix.longitude), "o", color=VERMILION, label="fix"
    )
    chart.plot(0, 0, "*", color=GREEN, ms=14, label="transmitter")
    chart.set(aspect="equal", xlabel="east (km)", ylabel="north (km)")
    chart.set(xlim=(-13, 12), ylim=(-14, 7))
    chart.set_title("Two stations", fontsize=11)
    chart.legend(loc="lower left", fontsize=8)

    levels = np.array([0.2, 0.5, 1.0, 2.0, 3.0, 5.0])
    found = np.array([stations_coverage(std, 1500, seed=1) for std in levels]).T
    shares.axhspan(93, 97, color="0.92")
    shares.axhline(95, color="0.5", lw=1)
    shares.plot(levels, 100 * found[1], "o-", color=VERMILION, label="ellipse of the 95 % region")
    shares.plot(levels, 100 * found[0], "s--", color=BLUE, label="ellipse of Fisher's information")
    shares.set(
        xscale="log",
        xticks=levels,
        xticklabels=[f"{level:g}°" for level in levels],
        xlabel="standard deviation of both bearings",
        ylabel="ellipses that hold the transmitter (%)",
        ylim=(88, 100),
    )
    shares.minorticks_off()
    for level, without in zip(levels, found[2]):
        shares.text(level, 88.3, f"{100 * without:.0f} %", ha="center", fontsize=8, color="0.35")
    shares.text(levels[0], 88.9, "without an ellipse:", fontsize=8, color="0.35")
    shares.set_title("2 to 50 km apart, transmitter anywhere around them", fontsize=11)
    shares.legend(loc="upper left", fontsize=8)
    return figure


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


def figure_window_self_calibrated_compass():
    return window_picture("07_circle_calibrates_itself", screen="800x480", seconds=13.5)


def figure_window_line_beacon_track():
    known = [[25.0, "set_known", True]]
    return window_picture(
        "08_line_drift_beacon", tab=1, screen="800x480", seconds=55.0, settings=known
    )


def figure_window_dispersive_line():
    return window_picture("09_dispersive_line_ls_and_wiener", screen="800x480")


def figure_window_coupling_compass():
    return window_picture("10_coupling_circle_and_line", screen="800x480")


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

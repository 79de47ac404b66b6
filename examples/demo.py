#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two moving transmitters, seen by a circle of five elements.

A simulated receiver delivers five streams; bearing.covariance and bearing.music turn them
into bearings with standard deviations. Prints one line a second and draws what was found.
"""

import argparse
import itertools

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pmt
from gnuradio import bearing, blocks, gr
from gnuradio.bearing import colours

SAMPLE_RATE = 12800.0  # Hz
SNAPSHOTS = 256  # samples behind one bearing: 20 ms, 50 bearings a second
RADIUS = 0.3828  # wavelengths: neighbouring elements are 0.45 wavelengths apart
START_DEG = [60.0, 270.0]
RATE_DEG = [3.0, -3.0]  # degrees a second
SNR_DB = [18.0, 12.0]


def circular_difference(a, b):
    """a - b in degrees, in [-180, 180)."""
    return (np.asarray(a) - np.asarray(b) + 180.0) % 360.0 - 180.0


def pair(angles, truth):
    """For each true angle the index of its estimate, or None, with the least total error."""
    candidates = list(range(len(angles))) + [None] * len(truth)

    def cost(choice):
        # Leaving a found source out must cost more than any error.
        return sum(
            1000.0 if k is None else abs(circular_difference(angles[k], t))
            for k, t in zip(choice, truth)
        )

    return min(itertools.permutations(candidates, len(truth)), key=cost)


class bearing_log(gr.basic_block):
    """Keeps the bearings that arrive on its message port, beside the truth, and prints the
    first ones of every second.

    truth_at(seconds) gives the true azimuths in degrees; interval is the length of one
    measurement in seconds.
    """

    def __init__(self, truth_at, interval):
        gr.basic_block.__init__(self, name="bearing_log", in_sig=None, out_sig=None)
        self.truth_at = truth_at
        self.interval = interval
        self.time = []
        self.truth = []
        self.angles = []
        self.std = []
        self.num_found = []
        self.message_port_register_in(pmt.intern("bearings"))
        self.set_msg_handler(pmt.intern("bearings"), self.handle)

    def handle(self, message):
        report = bearing.bearing_report.from_message(message)
        angles = report.angles_deg
        # rx_time is that of the first sample; the sources move while we measure.
        time = report.seconds + self.interval / 2
        truth = self.truth_at(time)
        found = [k for k, angle in enumerate(angles) if np.isfinite(angle)]
        chosen = [
            None if k is None else found[k] for k in pair([angles[k] for k in found], truth)
        ]
        self.time.append(time)
        self.truth.append(truth)
        self.num_found.append(len(found))
        self.angles.append([np.nan if k is None else angles[k] for k in chosen])
        self.std.append([np.nan if k is None else report.std_deg[k] for k in chosen])
        if len(self.time) == 1 or int(time) > int(self.time[-2]):
            self.show(report.status)

    def show(self, status):
        text = f"{self.time[-1]:6.2f} s "
        for angle, std, truth in zip(self.angles[-1], self.std[-1], self.truth[-1]):
            estimate = f"{angle:6.2f}°" if np.isfinite(angle) else "not found"
            deviation = f"{std:4.2f}°" if np.isfinite(std) else "unknown"
            text += f"  {estimate} ± {deviation} (truth {truth:6.2f}°)"
        print(f"{text}   {status}", flush=True)


class demo_flowgraph(gr.top_block):
    """array_simulator -> covariance -> music -> log of bearings and spectra"""

    def __init__(self, duration, seed):
        gr.top_block.__init__(self, "Two moving sources and a circle of five elements")
        array = bearing.array.uca(n=5, radius=RADIUS)
        self.simulator = bearing.array_simulator(
            array,
            angles_deg=START_DEG,
            snr_db=SNR_DB,
            sample_rate=SAMPLE_RATE,
            rates_deg=RATE_DEG,
            seed=seed,
            throttle=True,
        )
        self.covariance = bearing.covariance(array.n, snapshots=SNAPSHOTS)
        # num_sources=0: nobody tells it how many there are.
        self.music = bearing.music(array, num_sources=0)
        self.log = bearing_log(self.simulator.angles_deg_at, SNAPSHOTS / SAMPLE_RATE)
        self.grid_deg = np.array(self.music.grid_deg())
        self.spectra = blocks.vector_sink_f(len(self.grid_deg))

        samples = int(duration * SAMPLE_RATE)
        for k in range(array.n):
            head = blocks.head(gr.sizeof_gr_complex, samples)
            self.connect((self.simulator, k), head, (self.covariance, k))
        self.connect(self.covariance, self.music, self.spectra)
        self.msg_connect(self.music, "bearings", self.log, "bearings")


def summarise(log):
    """Compares the errors with what was predicted for them."""
    std = np.array(log.std)
    error = circular_difference(log.angles, log.truth)
    trusted = np.isfinite(std)
    counted = np.array(log.num_found) == len(START_DEG)
    print(f"\n{len(std)} measurements; the number of sources was right in {counted.sum()}.")
    print(f"{trusted.sum()} bearings with a standard deviation, {(~trusted).sum()} without.")
    if trusted.any():
        rms = np.sqrt(np.mean(error[trusted] ** 2))
        predicted = np.sqrt(np.mean(std[trusted] ** 2))
        inside = np.abs(error[trusted]) <= 1.96 * std[trusted]
        print(f"Error: {rms:.3f}° rms; predicted: {predicted:.3f}° rms.")
        print(
            f"The 95 % intervals held the true bearing in {inside.sum()} of {inside.size} "
            f"cases: {100 * inside.mean():.1f} %."
        )


def draw(flowgraph, path):
    log = flowgraph.log
    time = np.array(log.time)
    truth = np.array(log.truth)
    angles = np.array(log.angles)
    std = np.array(log.std)
    error = circular_difference(angles, truth)
    spectra = np.array(flowgraph.spectra.data()).reshape(-1, len(flowgraph.grid_deg))
    spectra = spectra[: len(time)]

    figure, (track, errors, waterfall) = plt.subplots(
        3,
        1,
        sharex=True,
        figsize=(9, 8.5),
        height_ratios=[2.2, 1.5, 2.2],
        layout="constrained",
    )
    figure.suptitle("MUSIC on a circle of five elements, two moving sources (simulated)")
    names = [f"source {k + 1}, {level:.0f} dB" for k, level in enumerate(SNR_DB)]
    bearing.plot.track(time, angles, std, ax=track, labels=names, truth_deg=truth)
    track.set_xlabel("")
    for k, colour in enumerate(colours.SERIES[: len(names)]):
        band = 2 * std[:, k]
        errors.fill_between(
            time, -band, band, color=colour, alpha=0.25, lw=0, label=f"±2σ, source {k + 1}"
        )
        errors.plot(time, error[:, k], ".", color=colour, ms=2.5)
    limit = 1.1 * np.nanmax(np.abs(error), initial=0.1)
    errors.set(ylabel="error (degrees)", ylim=(-limit, limit))
    errors.legend(loc="upper left", ncols=2)
    errors.grid(alpha=0.3)
    step = flowgraph.grid_deg[1] - flowgraph.grid_deg[0]
    half = SNAPSHOTS / SAMPLE_RATE / 2
    image = waterfall.imshow(
        spectra.T,
        aspect="auto",
        origin="lower",
        interpolation="nearest",
        extent=[
            time[0] - half,
            time[-1] + half,
            flowgraph.grid_deg[0] - step / 2,
            flowgraph.grid_deg[-1] + step / 2,
        ],
        cmap=colours.COLOUR_MAP,
        vmin=0,
        vmax=np.nanpercentile(spectra, 99.5),
    )
    waterfall.set(
        xlabel="time (s)",
        ylabel="azimuth (degrees)",
        xlim=(time[0] - half, time[-1] + half),
        ylim=(0, 360),
        yticks=range(0, 361, 60),
    )
    figure.colorbar(image, ax=waterfall, label="MUSIC spectrum (dB)", pad=0.01)
    figure.savefig(path, dpi=100)


def positive(text):
    value = float(text)
    if not 1.0 <= value <= 3600.0:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to 3600 seconds")
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--duration", type=positive, default=30.0, help="seconds, 1 to 3600 (default 30)"
    )
    parser.add_argument(
        "--output", default="demo.png", metavar="PNG", help="picture to write (default demo.png)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (default 1)")
    args = parser.parse_args()

    print("Two moving sources, a circle of five elements: bearings ± standard deviation")
    flowgraph = demo_flowgraph(args.duration, args.seed)
    flowgraph.run()
    summarise(flowgraph.log)
    draw(flowgraph, args.output)
    print(f"The picture is in {args.output}")


if __name__ == "__main__":
    main()

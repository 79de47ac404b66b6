#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal along a dispersive line, out of noise, while it comes in: least squares and Wiener.

Ten sensors, a metre apart, on something that attenuates high frequencies and carries them faster,
both known. Plain least squares leaks noise onto the first sensor; the Wiener filter, which learns
the source's spectrum from the stream, leaks a fifth of it.
"""

import argparse

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from gnuradio import bearing, blocks, gr
from gnuradio.bearing.colours import BLUE, VERMILION

SAMPLE_RATE = 10000.0  # Hz
POSITIONS = np.arange(10.0)  # metres
BANDWIDTH = 100.0  # of the source, Hz
NOISE_POWER = 0.08  # at each sensor; that of the source is 1
INTERVAL = 5000  # samples behind one printed figure
SHOWN = 600  # samples in the picture


def line():
    """What the sensors hear of the source, from 0 to half the sample rate."""
    frequency = np.linspace(0.0, SAMPLE_RATE / 2, 5001)
    return bearing.propagator.dispersive(
        POSITIONS,
        frequency,
        gain=np.exp(-np.sqrt(0.01 + (frequency / 1000.0) ** 2)),
        velocity=25.0 * (1.0 + np.sqrt(1.0 + (frequency / 1000.0) ** 2)),
    )


class error_meter(gr.sync_block):
    """Compares N streams with N others, the truth, and prints their errors twice a second, for so
    many intervals.

    The last samples of the first pair are kept for the picture.
    """

    def __init__(self, label, estimator, intervals):
        self.n = estimator.num_sensors()
        gr.sync_block.__init__(self, "error_meter", [np.float32] * (2 * self.n), None)
        self.label = label
        self.estimator = estimator
        self.intervals = intervals
        self.count = 0
        self.errors = []  # energies, one a sensor and interval
        self.signals = []
        self.error = np.zeros(self.n)
        self.signal = np.zeros(self.n)
        self.shown = np.zeros((2, 0), np.float32)

    def work(self, input_items, output_items):
        if len(self.errors) == self.intervals:
            return len(input_items[0])
        size = min(len(input_items[0]), INTERVAL - self.count)
        found, truth = (
            np.array([items[:size] for items in half], float)
            for half in (input_items[: self.n], input_items[self.n :])
        )
        self.error += np.sum((found - truth) ** 2, axis=1)
        self.signal += np.sum(truth**2, axis=1)
        kept = np.concatenate([self.shown, [found[0], truth[0]]], axis=1)
        self.shown = kept[:, -SHOWN:]
        self.count += size
        if self.count == INTERVAL:
            self.next_interval()
        return size

    def next_interval(self):
        self.errors.append(self.error)
        self.signals.append(self.signal)
        self.error, self.signal, self.count = np.zeros(self.n), np.zeros(self.n), 0
        time = len(self.errors) * INTERVAL / SAMPLE_RATE
        first, total = self.nmse_db(slice(-1, None))
        text = f"{time:7.2f} s  {self.label:>13}  sensor 1 {first:6.2f} dB  all {total:6.2f} dB"
        # Meters run in threads of their own: line and line end go out in one piece.
        print(f"{text}  {self.estimator.status()}\n", end="", flush=True)

    def nmse_db(self, intervals):
        """(at sensor 1, at all) over a slice of the intervals."""
        error = np.sum(self.errors[intervals], axis=0)
        signal = np.sum(self.signals[intervals], axis=0)
        ratios = np.array([error[0] / signal[0], np.sum(error) / np.sum(signal)])
        return 10.0 * np.log10(ratios)


class dispersive_line(gr.top_block):
    """source -> least squares and Wiener -> errors"""

    def __init__(self, duration):
        gr.top_block.__init__(self, "Dispersive line")
        propagator = line()
        n = propagator.num_sensors
        # Python blocks live as long as someone in Python knows them.
        self.source = bearing.dispersive_line_source(
            propagator, SAMPLE_RATE, BANDWIDTH, noise_power=[NOISE_POWER]
        )
        intervals = int(duration * SAMPLE_RATE) // INTERVAL
        # Estimates at the very end know nothing of what follows, and are worse: one interval more.
        count = (intervals + 1) * INTERVAL
        heads = [blocks.head(gr.sizeof_float, count) for _ in range(2 * n)]
        for k, head in enumerate(heads):
            self.connect((self.source, k), head)
        self.meters = []
        for label, mode in (("least squares", "ls"), ("Wiener", "wiener")):
            estimator = bearing.propagator_ls_ff(propagator, SAMPLE_RATE, mode=mode)
            meter = error_meter(label, estimator, intervals)
            for k in range(n):
                self.connect(heads[k], (estimator, k), (meter, k))
                self.connect(heads[n + k], (meter, n + k))
            self.meters.append(meter)
        self.latency = estimator.latency()


def summarise(meters):
    print("\nNMSE in the second half:")
    for meter in meters:
        first, total = meter.nmse_db(slice(len(meter.errors) // 2, None))
        print(f"{meter.label:>13}: sensor 1 {first:.2f} dB, all {total:.2f} dB")


def draw(meters):
    figure, panels = plt.subplots(3, 1, figsize=(9, 7.5), layout="constrained")
    for axes, meter, colour in zip(panels, meters, (VERMILION, BLUE)):
        found, truth = meter.shown
        time = 1e3 * np.arange(len(truth)) / SAMPLE_RATE
        axes.plot(time, truth, color="black", lw=1.6, label="signal")
        axes.plot(time, found, color=colour, lw=1.0, label=meter.label)
        axes.set(ylabel="sensor 1", xlim=(0, 1e3 * SHOWN / SAMPLE_RATE), ylim=(-4.2, 4.2))
        axes.legend(loc="upper right", ncols=2)
        errors = [meter.nmse_db(slice(k, k + 1)) for k in range(len(meter.errors))]
        time = (1 + np.arange(len(errors))) * INTERVAL / SAMPLE_RATE
        panels[2].plot(time, np.array(errors)[:, 0], "o-", ms=4, color=colour, label=meter.label)
    panels[0].set_title("A signal along a dispersive line, least squares and Wiener (simulated)")
    panels[1].set_xlabel("time (ms), at the end of the stream")
    panels[2].set(xlabel="time (s)", ylabel="NMSE at sensor 1 (dB)", xlim=(0, None))
    panels[2].legend(loc="best", ncols=2)
    for axes in panels:
        axes.grid(alpha=0.3)
    return figure


def seconds(text):
    value = float(text)
    if not 2.0 <= value <= 3600.0:
        raise argparse.ArgumentTypeError(f"{text} is not from 2 to 3600 seconds")
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--duration", type=seconds, default=10.0, help="seconds of signal, 2 to 3600 (default 10)"
    )
    parser.add_argument("--plot", metavar="PNG", help="picture of signals and errors")
    args = parser.parse_args()

    flowgraph = dispersive_line(args.duration)
    flowgraph.run()
    summarise(flowgraph.meters)
    print(f"latency: at most {flowgraph.latency / SAMPLE_RATE:.2f} s")
    if args.plot:
        draw(flowgraph.meters).savefig(args.plot, dpi=100)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Antennas that disturb each other, on a circle of five and on a line of eight.

What one antenna receives another one radiates again: mutual coupling, of which nobody told MUSIC. The
coupling calibrator finds it together with the bearings; a second MUSIC takes it as its calibration.
"""

import argparse

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pmt
from gnuradio import bearing, blocks, gr
from gnuradio.bearing.colours import BLUE, GREEN, VERMILION

SAMPLE_RATE = 25600.0  # Hz
SNAPSHOTS = 2048  # samples behind one bearing: 80 ms
SPEED = 4.0  # times faster than the wall clock
SNR_DB = 10.0
# Seconds until the coupling has settled.
SETTLED = 1.0

# As a KrakenSDR at 434 MHz; radius and spacing in wavelengths.
ARRAYS = {
    "circle": bearing.array.uca(n=5, radius=0.3623),
    "line": bearing.array.ula(n=8, spacing=0.5),
}
TRUTH_DEG = {"circle": [25.0, 210.0], "line": [-20.0, 25.0]}
# Of neighbours, and of those next but one.
COEFFICIENTS = {
    "circle": [0.3 * np.exp(1j * np.pi / 3), 0.1 * np.exp(1j * np.pi / 10)],
    "line": [0.4 * np.exp(1j * np.pi / 3), 0.15 * np.exp(1j * np.pi / 10)],
}
ESTIMATORS = ("MUSIC", "coupling", "MUSIC, corrected")


class bearing_log(gr.basic_block):
    """Keeps the errors of bearing messages, and prints one a second."""

    def __init__(self, array, name):
        gr.basic_block.__init__(self, "bearing_log", None, None)
        self.label = f"{array:>6}, {name}"
        self.truth = np.array(TRUTH_DEG[array])
        self.time = []
        self.error = []
        self.message_port_register_in(pmt.intern("bearings"))
        self.set_msg_handler(pmt.intern("bearings"), self.handle)

    def handle(self, message):
        report = bearing.bearing_report.from_message(message)
        order = np.argsort(report.angles_deg)
        angles, stds = report.angles_deg[order], report.std_deg[order]
        self.time.append(report.seconds)
        self.error.append(angles - self.truth)
        if len(self.time) == 1 or int(report.seconds) > int(self.time[-2]):
            found = "  ".join(
                f"{angle:7.2f}°" + (f" ± {std:.2f}°" if np.isfinite(std) else " " * 8)
                for angle, std in zip(angles, stds)
            )
            # Logs run in threads of their own: line and line end go out in one piece.
            line = f"{report.seconds:6.2f} s  {self.label:<24}  {found}  {report.status}"
            print(line + "\n", end="", flush=True)

    def rms(self):
        settled = np.array(self.time) > SETTLED
        return np.sqrt(np.mean(np.square(np.array(self.error)[settled])))


class coupled_arrays(gr.top_block):
    """simulator -> covariance -> MUSIC, coupling -> MUSIC, for each of the arrays"""

    def __init__(self, duration):
        gr.top_block.__init__(self, "Mutual coupling of a circle and of a line")
        self.logs = {}
        self.calibrators = {}
        for k, (name, array) in enumerate(ARRAYS.items()):
            covariance = self.covariances(name, array, duration, seed=1 + k)
            estimators = {
                "MUSIC": bearing.music(array, 2),
                "coupling": bearing.coupling(array, 2, interval=0.2),
                "MUSIC, corrected": bearing.music(array, 2),
            }
            self.calibrators[name] = estimators["coupling"]
            for what, estimator in estimators.items():
                log = self.logs[name, what] = bearing_log(name, what)
                self.connect(covariance, estimator)
                self.msg_connect(estimator, "bearings", log, "bearings")
            self.msg_connect(
                estimators["coupling"], "calibration",
                estimators["MUSIC, corrected"], "calibration",
            )  # fmt: skip

    def covariances(self, name, array, duration, seed):
        coupling = bearing.core.coupling_matrix(array, COEFFICIENTS[name])
        simulator = bearing.array_simulator(
            array,
            TRUTH_DEG[name],
            [SNR_DB],
            SAMPLE_RATE,
            bearing.calibration(coupling=coupling),
            start_time=0.0,
            seed=seed,
        )
        covariance = bearing.covariance(array.n, snapshots=SNAPSHOTS)
        items = int(duration * SAMPLE_RATE / SNAPSHOTS)
        for k in range(array.n):
            pace = blocks.throttle(gr.sizeof_gr_complex, SPEED * SAMPLE_RATE)
            head = blocks.head(gr.sizeof_gr_complex, items * SNAPSHOTS)
            self.connect((simulator, k), pace, head, (covariance, k))
        return covariance


def summarise(flowgraph):
    print("\nrms error in degrees:")
    for name in ARRAYS:
        errors = [f"{what} {flowgraph.logs[name, what].rms():.2f}" for what in ESTIMATORS]
        print(f"{name:>7}: " + ", ".join(errors))
    for name, array in ARRAYS.items():
        coupling = bearing.core.coupling_matrix(array, COEFFICIENTS[name])
        found = flowgraph.calibrators[name].calibration().coupling
        error = np.linalg.norm(found - coupling) / np.linalg.norm(coupling)
        scenes = flowgraph.calibrators[name].scenes()
        print(f"coupling of the {name}, from {scenes} covariances: off by {100 * error:.2f} %")


def draw(flowgraph):
    figure, axes = plt.subplots(2, 1, sharex=True, figsize=(9, 5), layout="constrained")
    for axis, name in zip(axes, ARRAYS):
        # One hides the other: rings around dots.
        looks = (".", VERMILION, 4), ("o", GREEN, 6), (".", BLUE, 4)
        for what, (marker, colour, size) in zip(ESTIMATORS, looks):
            log = flowgraph.logs[name, what]
            error = np.array(log.error)
            time = np.repeat(log.time, error.shape[1])
            face = "none" if marker == "o" else colour
            axis.plot(time, error.ravel(), marker, ms=size, color=colour, mfc=face, label=what)
        # Room for the legend.
        axis.margins(y=0.3)
        axis.axhline(0.0, color="0.6", lw=0.8)
        axis.set(ylabel="bearing error (degrees)", title=f"Coupled antennas on a {name} (simulated)")
        axis.grid(alpha=0.3)
    axes[0].legend(loc="upper right", ncols=3, markerscale=1.5)
    axes[-1].set(xlabel="time (s)")
    return figure


def seconds(text):
    value = float(text)
    if not 2.0 <= value <= 3600.0:
        raise argparse.ArgumentTypeError(f"{text} is not from 2 to 3600 seconds")
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--duration", type=seconds, default=10.0, help="seconds of signal, 2 to 3600 (default 10)"
    )
    parser.add_argument("--plot", metavar="PNG", help="picture of the errors over time")
    args = parser.parse_args()

    print("truth:", "; ".join(f"{k} {v[0]:.2f}°, {v[1]:.2f}°" for k, v in TRUTH_DEG.items()))
    flowgraph = coupled_arrays(args.duration)
    flowgraph.run()
    summarise(flowgraph)
    if args.plot:
        draw(flowgraph).savefig(args.plot, dpi=100)


if __name__ == "__main__":
    main()

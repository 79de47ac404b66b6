#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line of eight with bad gains and positions and drifting phases, and a beacon at two bearings.

Somebody unknown is heard together with a beacon network that transmits from two masts. Until their
bearings are known, a line's tilt and stretch are not; from then on, after a third of the time, the
unknown one's bearing walks onto the truth, and stays there while the phases drift.
"""

import argparse

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pmt
from gnuradio import bearing, blocks, gr
from gnuradio.bearing.colours import BLUE, VERMILION

SAMPLE_RATE = 3200.0  # Hz
SNAPSHOTS = 128  # samples behind one bearing: 40 ms
SPEED = 4.0  # times faster than the wall clock
TARGET_DEG = 20.0
BEACON_DEG = [-55.0, 55.0]
SNR_DB = 10.0
DRIFT_DEG = 10.0  # after one minute
# What the calibrator does not know: amplitudes of 3 dB, phases that grow along the line (cables)
# and scatter by 40 degrees, elements that are up to a tenth of a wavelength off.
GAINS = 10.0 ** (np.array([0, -3, 2, 1, -2, 3, -1, 2]) / 20.0) * np.exp(
    1j * np.radians([0, 60, 10, 85, 120, 70, 160, 140])
)
OFFSETS = np.outer([0.0, 0.06, -0.05, 0.08, 0.02, 0.1, 0.0, 0.09], [1.0, 0.0, 0.0])


def truth_message(angles_deg, start):
    """For the port truth: these bearings are known from start on, in seconds of stream time."""
    whole = int(start)
    begin = pmt.make_tuple(pmt.from_uint64(whole), pmt.from_double(start - whole))
    angles = pmt.init_f32vector(len(angles_deg), angles_deg)
    message = pmt.dict_add(pmt.make_dict(), pmt.intern("angles_deg"), angles)
    return pmt.dict_add(message, pmt.intern("start"), begin)


class error_log(gr.basic_block):
    """Keeps the errors of the bearing nearest to the target, and prints one a second."""

    def __init__(self, label):
        gr.basic_block.__init__(self, "error_log", None, None)
        self.label = label
        self.time = []
        self.error = []
        self.message_port_register_in(pmt.intern("bearings"))
        self.set_msg_handler(pmt.intern("bearings"), self.handle)

    def handle(self, message):
        report = bearing.bearing_report.from_message(message)
        distance = np.abs(report.angles_deg - TARGET_DEG)
        nearest = 0 if np.isnan(distance).all() else np.nanargmin(distance)
        angle, std = report.angles_deg[nearest], report.std_deg[nearest]
        self.time.append(report.seconds)
        self.error.append(angle - TARGET_DEG)
        if len(self.time) == 1 or int(report.seconds) > int(self.time[-2]):
            deviation = f" ± {std:4.2f}°" if np.isfinite(std) else " " * 8
            line = f"{report.seconds:7.2f} s  {self.label:>10}  {angle:7.2f}°{deviation}  "
            # Logs run in threads of their own: line and line end go out in one piece.
            print(line + f"error {self.error[-1]:+6.2f}°  {report.status}\n", end="", flush=True)

    def errors(self, start, stop):
        time = np.array(self.time)
        return np.array(self.error)[(time > start) & (time < stop)]


class calibration_log(gr.basic_block):
    """Prints when the calibrator changes its mind."""

    def __init__(self):
        gr.basic_block.__init__(self, "calibration_log", None, None)
        self.said = None
        self.message_port_register_in(pmt.intern("calibration"))
        self.set_msg_handler(pmt.intern("calibration"), self.handle)

    def handle(self, message):
        values = pmt.to_python(message)
        said = f"{values['status']}, {values['ambiguity']} unknown"
        said = said.replace("none unknown", "nothing unknown")
        if said != self.said:
            self.said = said
            print(f"           calibrator: {said}\n", end="", flush=True)


class drifting_line(gr.top_block):
    """array_simulator -> covariance -> diffmusic, and MUSIC with and without it"""

    def __init__(self, duration):
        gr.top_block.__init__(self, "Line, drift and beacon")
        array = bearing.array.ula(n=8, spacing=0.5)  # as it was drawn, in wavelengths
        angles = [TARGET_DEG] + BEACON_DEG
        simulator = bearing.array_simulator(
            array,
            angles,
            [SNR_DB],
            SAMPLE_RATE,
            bearing.calibration(gains=GAINS, positions=OFFSETS),
            phase_drift_deg=DRIFT_DEG,
        )
        covariance = bearing.covariance(array.n, snapshots=SNAPSHOTS)
        for k in range(array.n):
            head = blocks.head(gr.sizeof_gr_complex, int(duration * SAMPLE_RATE))
            pace = blocks.throttle(gr.sizeof_gr_complex, SPEED * SAMPLE_RATE)
            self.connect((simulator, k), pace, head, (covariance, k))

        self.known_at = duration / 3
        self.end = duration
        self.calibrator = bearing.diffmusic(array, len(angles), interval=0.2)
        self.connect(covariance, self.calibrator)
        self.calibrations = calibration_log()
        self.msg_connect(self.calibrator, "calibration", self.calibrations, "calibration")
        truth = truth_message(BEACON_DEG, self.known_at)
        self.calibrator.to_basic_block()._post(pmt.intern("truth"), truth)

        self.logs = {}
        for name in ("as drawn", "calibrated"):
            music = bearing.music(array, len(angles))
            self.logs[name] = error_log(name)
            self.connect(covariance, music)
            self.msg_connect(music, "bearings", self.logs[name], "bearings")
        self.msg_connect(self.calibrator, "calibration", music, "calibration")


def rms(values):
    return np.sqrt(np.mean(np.square(values)))


def summarise(flowgraph):
    print("\nrms error of the unknown transmitter in degrees:")
    for name, log in flowgraph.logs.items():
        before = log.errors(0.0, flowgraph.known_at)
        after = log.errors((flowgraph.known_at + flowgraph.end) / 2, flowgraph.end)
        print(f"{name:>10}: before the beacon is known {rms(before):.2f}, after {rms(after):.2f}")
    print(", ".join(f"{name} {n}" for name, n in flowgraph.calibrator.counts().items() if n))


def draw(flowgraph):
    figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
    for (name, log), colour in zip(flowgraph.logs.items(), (BLUE, VERMILION)):
        axes.plot(log.time, log.error, ".", ms=3, color=colour, label=name)
    axes.axvspan(flowgraph.known_at, flowgraph.end, color="0.92", label="beacon known")
    axes.axhline(0.0, color="0.6", lw=0.8)
    axes.set(
        xlabel="time (s)",
        ylabel="error of the unknown one (degrees)",
        xlim=(0, flowgraph.end),
        ylim=(-12, 16),
        title="A line of eight, a beacon known at two bearings, drifting phases (simulated)",
    )
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right", ncols=3, markerscale=4)
    return figure


def seconds(text):
    value = float(text)
    if not 6.0 <= value <= 3600.0:
        raise argparse.ArgumentTypeError(f"{text} is not from 6 to 3600 seconds")
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--duration", type=seconds, default=30.0, help="seconds of signal, 6 to 3600 (default 30)"
    )
    parser.add_argument("--plot", metavar="PNG", help="picture of the errors over time")
    args = parser.parse_args()

    flowgraph = drifting_line(args.duration)
    flowgraph.run()
    summarise(flowgraph)
    if args.plot:
        draw(flowgraph).savefig(args.plot, dpi=100)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receivers with phase errors of up to 35 degrees: MUSIC before and after apply_calibration.

Without the calibration the bearings are wrong by degrees; the covariance contradicts the array,
which the status tells (model_mismatch), and no standard deviation is given.
"""

import argparse
import math
import time

import numpy as np
import pmt
from gnuradio import bearing, gr

TRUTH_DEG = [72.0, 110.0]
PHASE_ERRORS_DEG = np.array([0.0, 25.0, -35.0, 15.0, -20.0])


class bearing_printer(gr.basic_block):
    """Prints every tenth bearing message, so about two lines a second."""

    def __init__(self, label):
        gr.basic_block.__init__(self, "bearing_printer", None, None)
        self.label = label
        self.count = 0
        self.newest = None
        self.message_port_register_in(pmt.intern("bearings"))
        self.set_msg_handler(pmt.intern("bearings"), self.show)

    def show(self, message):
        report = self.newest = bearing.bearing_report.from_message(message)
        self.count += 1
        if self.count % 10 != 1:
            return
        found = "  ".join(
            f"{angle:7.2f}°" + ("        " if math.isnan(std) else f" ± {std:.2f}°")
            for angle, std in sorted(zip(report.angles_deg, report.std_deg))
        )
        # Printers run in threads of their own: line and line end go out in one piece.
        line = f"{report.seconds:7.3f} s  {self.label:>12}  {found}  {report.status}"
        print(line + "\n", end="", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--duration", type=float, default=5.0, help="seconds to run")
    parser.add_argument("--plot", metavar="PNG", help="picture of the last bearings")
    args = parser.parse_args()

    array = bearing.array.uca(n=5, radius=0.4)  # in wavelengths
    receivers = bearing.calibration(gains=np.exp(1j * np.radians(PHASE_ERRORS_DEG)))
    simulator = bearing.array_simulator(
        array, TRUTH_DEG, snr_db=[10.0], sample_rate=100e3, errors=receivers, throttle=True
    )
    calibrate = bearing.apply_calibration(array.n, receivers)

    flowgraph = gr.top_block("Gain errors, calibrated")
    for k in range(array.n):
        flowgraph.connect((simulator, k), (calibrate, k))
    printers = []  # a Python block lives as long as Python refers to it
    for name, source in ("uncalibrated", simulator), ("calibrated", calibrate):
        covariance = bearing.covariance(array.n, snapshots=4096)
        music = bearing.music(array, num_sources=2)
        printers.append(bearing_printer(name))
        for k in range(array.n):
            flowgraph.connect((source, k), (covariance, k))
        flowgraph.connect(covariance, music)
        flowgraph.msg_connect(music, "bearings", printers[-1], "bearings")

    print("truth:", "  ".join(f"{angle:7.2f}°" for angle in TRUTH_DEG))
    flowgraph.start()
    time.sleep(args.duration)
    flowgraph.stop()
    flowgraph.wait()
    if args.plot:
        newest = [(printer.label, printer.newest) for printer in printers]
        axes = bearing.plot.polar(newest, truth_deg=TRUTH_DEG)
        axes.figure.savefig(args.plot)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal and its echo before a line of eight antennas, 10 degrees apart.

Both carry the same waveform, which leaves one direction in the covariance that is neither. MUSIC is
lost, and says so; subspace fitting looks for both at once, and predicts its deviations.
"""

import argparse
import math
import time

import numpy as np
import pmt
from gnuradio import bearing, blocks, gr

TRUTH_DEG = [-10.0, 0.0]


class bearing_printer(gr.basic_block):
    """Prints every tenth bearing message, so about two lines a second."""

    def __init__(self, label):
        gr.basic_block.__init__(self, "bearing_printer", None, None)
        self.label = label
        self.count = 0
        self.message_port_register_in(pmt.intern("bearings"))
        self.set_msg_handler(pmt.intern("bearings"), self.show)

    def show(self, message):
        self.count += 1
        if self.count % 10 != 1:
            return
        report = bearing.bearing_report.from_message(message)
        # Bearings that are not to be trusted come without a deviation: theirs is NaN.
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
    parser.add_argument(
        "--criterion", choices=("wsf", "dml"), default="wsf", help="of the fit, default: wsf"
    )
    parser.add_argument("--plot", metavar="PNG", help="picture of the last covariance's bearings")
    args = parser.parse_args()

    array = bearing.array.ula(n=8, spacing=0.5)  # in wavelengths
    simulator = bearing.array_simulator(
        array, TRUTH_DEG, snr_db=[15.0], coherent=True, sample_rate=100e3, throttle=True
    )
    covariance = bearing.covariance(array.n, snapshots=4096)
    estimators = {
        "MUSIC": bearing.music(array, 2),
        "subspace fit": bearing.subspace_fit(array, 2, args.criterion),
    }

    flowgraph = gr.top_block("Coherent subspace fit")
    for k in range(array.n):
        flowgraph.connect((simulator, k), (covariance, k))
    last_item = blocks.probe_signal_vc(array.n**2)
    flowgraph.connect(covariance, last_item)
    printers = []  # a Python block lives as long as Python refers to it
    for name, estimator in estimators.items():
        printers.append(bearing_printer(name))
        flowgraph.connect(covariance, estimator)
        flowgraph.msg_connect(estimator, "bearings", printers[-1], "bearings")

    print("truth:", "  ".join(f"{angle:7.2f}°" for angle in TRUTH_DEG))
    flowgraph.start()
    time.sleep(args.duration)
    flowgraph.stop()
    flowgraph.wait()
    if args.plot:
        r = np.reshape(last_item.level(), (array.n, array.n), order="F")
        estimates = [
            ("MUSIC", bearing.core.music(r, array, 2, covariance.snapshots())),
            (
                "subspace fit",
                bearing.core.subspace_fit(r, array, 2, covariance.snapshots(), args.criterion),
            ),
        ]
        axes = bearing.plot.spectrum(estimates, truth_deg=TRUTH_DEG)
        axes.figure.savefig(args.plot)


if __name__ == "__main__":
    main()

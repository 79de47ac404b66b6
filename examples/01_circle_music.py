#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two sources around a circle of five antennas: MUSIC prints bearings with deviations."""

import argparse
import math
import time

import pmt
from gnuradio import bearing, gr

TRUTH_DEG = [72.0, 210.0]


class bearing_printer(gr.basic_block):
    """Prints every tenth bearing message, so about two lines a second."""

    def __init__(self):
        gr.basic_block.__init__(self, "bearing_printer", None, None)
        self.reports = []
        self.message_port_register_in(pmt.intern("bearings"))
        self.set_msg_handler(pmt.intern("bearings"), self.show)

    def show(self, message):
        report = bearing.bearing_report.from_message(message)
        self.reports.append(report)
        if len(self.reports) % 10 != 1:
            return
        found = "  ".join(
            f"{angle:7.2f}°" + ("        " if math.isnan(std) else f" ± {std:.2f}°")
            for angle, std in sorted(zip(report.angles_deg, report.std_deg))
        )
        print(f"{report.seconds:7.3f} s  {found}  {report.status}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duration", type=float, default=5.0, help="seconds to run")
    parser.add_argument("--plot", metavar="PNG", help="picture of the bearings over time")
    args = parser.parse_args()

    array = bearing.array.uca(n=5, radius=0.4)  # in wavelengths
    simulator = bearing.array_simulator(
        array, TRUTH_DEG, snr_db=[10.0], sample_rate=100e3, throttle=True
    )
    covariance = bearing.covariance(array.n, snapshots=4096)
    music = bearing.music(array, num_sources=2)
    printer = bearing_printer()

    flowgraph = gr.top_block("Circle MUSIC")
    for k in range(array.n):
        flowgraph.connect((simulator, k), (covariance, k))
    flowgraph.connect(covariance, music)
    flowgraph.msg_connect(music, "bearings", printer, "bearings")

    print("truth:", "  ".join(f"{angle:7.2f}°" for angle in TRUTH_DEG))
    flowgraph.start()
    time.sleep(args.duration)
    flowgraph.stop()
    flowgraph.wait()
    if args.plot:
        bearing.plot.track(printer.reports).figure.savefig(args.plot)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal a fifth of its own frequency wide before a line of eight antennas: one covariance of the
whole band contradicts the array's model, those of its sub-bands together give bearings with
deviations that hold."""

import argparse
import math
import time

import pmt
from gnuradio import bearing, gr

CENTER_FREQUENCY = 1e6
SAMPLE_RATE = 250e3
WAVELENGTH = 299792458.0 / CENTER_FREQUENCY
TRUTH_DEG = 35.0
SNAPSHOTS = 8192
NUM_SUBBANDS = 32


class bearing_printer(gr.basic_block):
    """Prints every fifteenth bearing message, so two lines a second."""

    def __init__(self, label):
        gr.basic_block.__init__(self, "bearing_printer", None, None)
        self.label = label
        self.reports = []
        self.message_port_register_in(pmt.intern("bearings"))
        self.set_msg_handler(pmt.intern("bearings"), self.show)

    def show(self, message):
        report = bearing.bearing_report.from_message(message)
        self.reports.append(report)
        if len(self.reports) % 15 != 1:
            return
        angle, std = report.angles_deg[0], report.std_deg[0]
        found = f"{angle:7.3f}°" + ("         " if math.isnan(std) else f" ± {std:.3f}°")
        # Printers run in threads of their own: line and line end go out in one piece.
        print(f"{self.label:>11}  {found}  {report.status}\n", end="", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duration", type=float, default=5.0, help="seconds to run")
    parser.add_argument("--plot", metavar="PNG", help="picture of the bearings, item by item")
    args = parser.parse_args()

    array = bearing.array.ula(8, WAVELENGTH / 2, WAVELENGTH)  # in metres
    source = bearing.wideband_source(
        array, [TRUTH_DEG], 10.0, SAMPLE_RATE, CENTER_FREQUENCY, throttle=True
    )
    covariance = bearing.covariance(array.n, SNAPSHOTS)
    music = bearing.music(array, 1)
    subbands = bearing.subband_covariance(array.n, SNAPSHOTS, NUM_SUBBANDS, SAMPLE_RATE)
    wideband_music = bearing.wideband_music(array, 1, NUM_SUBBANDS, SAMPLE_RATE)
    printers = {name: bearing_printer(name) for name in ("narrow band", "wide band")}

    flowgraph = gr.top_block("Wide-band signal")
    for k in range(array.n):
        flowgraph.connect((source, k), (covariance, k))
        flowgraph.connect((source, k), (subbands, k))
    flowgraph.connect(covariance, music)
    flowgraph.connect(subbands, wideband_music)
    flowgraph.msg_connect(music, "bearings", printers["narrow band"], "bearings")
    flowgraph.msg_connect(wideband_music, "bearings", printers["wide band"], "bearings")

    print(f"truth: {TRUTH_DEG:.3f}°")
    flowgraph.start()
    time.sleep(args.duration)
    flowgraph.stop()
    flowgraph.wait()
    if args.plot:
        count = min(len(printer.reports) for printer in printers.values())
        rows = list(zip(*(printer.reports[:count] for printer in printers.values())))
        axes = bearing.plot.track(
            [k * SNAPSHOTS / SAMPLE_RATE for k in range(count)],
            [[report.angles_deg[0] for report in reports] for reports in rows],
            [[report.std_deg[0] for report in reports] for reports in rows],
            labels=list(printers),
            truth_deg=TRUTH_DEG,
            limits_deg=(TRUTH_DEG - 0.2, TRUTH_DEG + 0.2),
        )
        axes.figure.savefig(args.plot)


if __name__ == "__main__":
    main()

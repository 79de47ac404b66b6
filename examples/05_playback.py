#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays a recording of 04_record.py back at its own pace: true bearings with deviations.

Array, heading, frequency and time come from the recording.
"""

import argparse
import math
import time

import pmt
from gnuradio import bearing, gr


class bearing_printer(gr.basic_block):
    """Prints every fifth bearing message, so two lines a second."""

    def __init__(self):
        gr.basic_block.__init__(self, "bearing_printer", None, None)
        self.reports = []
        self.message_port_register_in(pmt.intern("bearings"))
        self.set_msg_handler(pmt.intern("bearings"), self.show)

    def show(self, message):
        report = bearing.bearing_report.from_message(message)
        self.reports.append(report)
        if len(self.reports) % 5 != 1:
            return
        found = "  ".join(
            f"{angle:7.2f}°" + ("        " if math.isnan(std) else f" ± {std:.2f}°")
            for angle, std in zip(report.true_bearing_deg, report.std_deg)
        )
        clock = time.strftime("%H:%M:%S", time.gmtime(report.rx_time[0]))
        print(f"{clock} UTC  true bearing {found}  {report.status}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--duration", type=float, default=10.0, help="seconds to play")
    parser.add_argument(
        "--input", default="recording.sigmf-meta", help="default: recording.sigmf-meta"
    )
    parser.add_argument("--plot", metavar="PNG", help="picture of the bearings over time")
    args = parser.parse_args()

    try:
        source = bearing.recording_source(args.input, real_time=True)
    except (OSError, ValueError) as error:
        parser.error(f"{error}; 04_record.py makes a recording")
    covariance = bearing.covariance(source.num_channels, int(0.1 * source.sample_rate))
    music = bearing.music(source.array, num_sources=1, heading_deg=source.heading_deg or 0.0)
    printer = bearing_printer()

    flowgraph = gr.top_block("Playback")
    for k in range(source.num_channels):
        flowgraph.connect((source, k), (covariance, k))
    flowgraph.connect(covariance, music)
    flowgraph.msg_connect(music, "bearings", printer, "bearings")

    flowgraph.start()
    time.sleep(args.duration)
    flowgraph.stop()
    flowgraph.wait()
    if args.plot:
        bearing.plot.track(printer.reports, north="true").figure.savefig(args.plot)


if __name__ == "__main__":
    main()

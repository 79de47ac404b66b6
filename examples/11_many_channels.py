#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three signals in one wide band around a circle of five antennas: each has its own channel, and
MUSIC its bearing. One of them has it twice, by a channel filter too."""

import argparse
import math
import time

import pmt
from gnuradio import bearing, gr

SAMPLE_RATE = 2.4e6
CENTER_FREQUENCY = 433e6
# Azimuth, and frequency less the centre's, of each transmitter.
SIGNALS = [(72.0, -600e3), (210.0, 150e3), (300.0, 600e3)]
# Sixteen channels, 150 kHz apart: three of them are looked at.
NUM_CHANNELS = 16
CHANNELS = [-4, 1, 4]


class bearing_printer(gr.basic_block):
    """Prints the first bearing message and then every twentieth: about two lines a second."""

    def __init__(self, label):
        gr.basic_block.__init__(self, "bearing_printer", None, None)
        self.label = label
        self.reports = []
        self.message_port_register_in(pmt.intern("bearings"))
        self.set_msg_handler(pmt.intern("bearings"), self.show)

    def show(self, message):
        report = bearing.bearing_report.from_message(message)
        self.reports.append(report)
        if len(self.reports) % 20 != 1:
            return
        found = "  ".join(
            f"{angle:7.2f}°" + ("        " if math.isnan(std) else f" ± {std:.2f}°")
            for angle, std in sorted(zip(report.angles_deg, report.std_deg))
        )
        # Printers run in threads of their own: line and line end go out in one piece.
        print(
            f"{report.seconds:7.3f} s  {report.rx_freq / 1e6:.2f} MHz, {self.label}  {found}"
            f"  {report.status}\n",
            end="",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duration", type=float, default=5.0, help="seconds to run")
    parser.add_argument("--plot", metavar="PNG", help="picture of the bearings over time")
    args = parser.parse_args()

    # In wavelengths, because the simulator gives all sources the phases of the centre frequency.
    # Before a receiver, give metres, uca(5, 0.28, 299792458.0 / CENTER_FREQUENCY): every channel
    # then has the wavelength of its own rx_freq.
    array = bearing.array.uca(n=5, radius=0.4)
    simulator = bearing.array_simulator(
        array,
        [azimuth for azimuth, _ in SIGNALS],
        snr_db=[0.0],
        sample_rate=SAMPLE_RATE,
        frequencies=[offset for _, offset in SIGNALS],
        modulation="tone",
        center_frequency=CENTER_FREQUENCY,
        throttle=True,
    )
    covariances = bearing.channelized_covariance(
        array.n, 4096, NUM_CHANNELS, sample_rate=SAMPLE_RATE, channels=CHANNELS
    )

    # The second channel once more.
    channel_filter = bearing.channel_filter(
        array.n, NUM_CHANNELS, SIGNALS[1][1], 120e3, sample_rate=SAMPLE_RATE
    )
    covariance = bearing.covariance(array.n, snapshots=4096)

    flowgraph = gr.top_block("Many channels")
    for k in range(array.n):
        flowgraph.connect((simulator, k), (covariances, k))
        flowgraph.connect((simulator, k), (channel_filter, k), (covariance, k))
    outputs = [((covariances, i), "channelized") for i in range(len(CHANNELS))]
    outputs.append(((covariance, 0), "filtered   "))
    printers = []
    for output, label in outputs:
        music = bearing.music(array, num_sources=1)
        printer = bearing_printer(label)
        flowgraph.connect(output, music)
        flowgraph.msg_connect(music, "bearings", printer, "bearings")
        printers.append(printer)

    for azimuth, offset in SIGNALS:
        print(f"truth: {(CENTER_FREQUENCY + offset) / 1e6:.2f} MHz at {azimuth:.2f}°")
    flowgraph.start()
    time.sleep(args.duration)
    flowgraph.stop()
    flowgraph.wait()
    if args.plot:
        # Items of all channels of the channelizer are of the same time.
        rows = list(zip(*(printer.reports for printer in printers[: len(CHANNELS)])))
        axes = bearing.plot.track(
            [reports[0].seconds for reports in rows],
            [[report.angles_deg[0] for report in reports] for reports in rows],
            [[report.std_deg[0] for report in reports] for reports in rows],
            labels=[f"{report.rx_freq / 1e6:.2f} MHz" for report in rows[0]],
        )
        axes.figure.savefig(args.plot)


if __name__ == "__main__":
    main()

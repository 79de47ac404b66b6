#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KrakenSDR on the network, or a simulated one: MUSIC prints bearings with deviations. Halfway the
receiver is tuned to another frequency."""

import argparse
import contextlib
import math
import time

import pmt
from gnuradio import bearing, gr
from gnuradio.bearing.tools.kraken_simulator import kraken_simulator

SPEED_OF_LIGHT = 299792458.0
RADIUS_M = 0.25  # of the circle of antennas
# Of the simulated transmitter, clockwise from the first antenna: what the KrakenSDR's own programs,
# which count counter-clockwise, call 72 degrees.
TRUTH_DEG = 288.0


class bearing_printer(gr.basic_block):
    """Prints about two bearing messages a second."""

    def __init__(self):
        gr.basic_block.__init__(self, "bearing_printer", None, None)
        self.reports = []
        self.next_print = 0.0
        self.message_port_register_in(pmt.intern("bearings"))
        self.set_msg_handler(pmt.intern("bearings"), self.show)

    def show(self, message):
        report = bearing.bearing_report.from_message(message)
        self.reports.append(report)
        if time.monotonic() < self.next_print:
            return
        self.next_print = time.monotonic() + 0.5
        found = "  ".join(
            f"{angle:7.2f}°" + ("        " if math.isnan(std) else f" ± {std:.2f}°")
            for angle, std in sorted(zip(report.angles_deg, report.std_deg))
        )
        print(f"{report.rx_freq / 1e6:.3f} MHz  {found}  {report.status}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duration", type=float, default=5.0, help="seconds to run")
    parser.add_argument("--plot", metavar="PNG", help="picture of the bearings over time")
    parser.add_argument("--host", default="127.0.0.1", help="of the server")
    parser.add_argument("--frequency", type=float, default=433.92e6, help="Hz")
    parser.add_argument("--retune", type=float, default=434.92e6, help="Hz, in the second half")
    parser.add_argument("--gain", type=float, default=28.0, help="dB")
    parser.add_argument("--simulate", action="store_true", help="a receiver of its own, slowed down")
    args = parser.parse_args()

    # In metres: the wavelength follows the tag rx_freq.
    array = bearing.array.uca(n=5, radius=RADIUS_M, wavelength=SPEED_OF_LIGHT / args.frequency)
    ports = {}
    with contextlib.ExitStack() as stack:
        if args.simulate:
            simulator = stack.enter_context(
                kraken_simulator("v2", [TRUTH_DEG], array, sample_rate=240e3)
            )
            ports = dict(data_port=simulator.data_port, control_port=simulator.control_port)
            print(f"truth: {TRUTH_DEG:.2f}°")
        source = bearing.kraken_source(
            array.n, args.frequency, args.gain, args.host, "auto", **ports
        )
        covariance = bearing.covariance(array.n, snapshots=16384)
        music = bearing.music(array, num_sources=1)
        printer = bearing_printer()

        flowgraph = gr.top_block("Kraken")
        for k in range(array.n):
            flowgraph.connect((source, k), (covariance, k))
        flowgraph.connect(covariance, music)
        flowgraph.msg_connect(music, "bearings", printer, "bearings")

        flowgraph.start()
        time.sleep(args.duration / 2)
        source.set_frequency(args.retune)
        time.sleep(args.duration / 2)
        print(source.state())
        flowgraph.stop()
        flowgraph.wait()
        print(", ".join(f"{count} {name}" for name, count in source.counters().items() if count))
        if args.plot:
            bearing.plot.track(printer.reports).figure.savefig(args.plot)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Four channels of USRPs, or of simulated ones: a noise source brings their phases into line after
the start and after a retune halfway, and MUSIC prints bearings with deviations."""

import argparse
import math
import sys
import time

import pmt
from gnuradio import bearing, gr
from gnuradio.bearing.hier.simulated_usrp import simulated_usrps

SPEED_OF_LIGHT = 299792458.0
SIDE_M = 0.25  # of the square of antennas
TRUTH_DEG = 72.0  # of the simulated transmitter


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
    parser.add_argument("--simulate", action="store_true", help="radios of its own")
    parser.add_argument("--layout", default="x310_twinrx", help="default: %(default)s")
    parser.add_argument(
        "--args",
        action="append",
        metavar="ADDRESS",
        help="UHD's device address; for b210 twice, such as --args serial=A --args serial=B",
    )
    parser.add_argument("--rate", type=float, default=200e3, help="samples a second")
    parser.add_argument("--frequency", type=float, default=433.92e6, help="Hz")
    parser.add_argument("--retune", type=float, default=434.92e6, help="Hz, in the second half")
    parser.add_argument("--gain", type=float, default=30.0, help="dB")
    args = parser.parse_args()

    # In metres: the wavelength follows the tag rx_freq.
    corners = [[0, 0], [SIDE_M, 0], [0, SIDE_M], [SIDE_M, SIDE_M]]
    array = bearing.array.custom(corners, wavelength=SPEED_OF_LIGHT / args.frequency)
    addresses = args.args or [""]
    radios = None
    if args.simulate:
        # Each channel has a phase of its own after each start and each tune.
        per_board = 2 if args.layout == "b210" else 4
        radios = simulated_usrps(array, [TRUTH_DEG], channels_per_board=per_board, throttle=True)
        if args.layout == "b210" and not args.args:
            addresses = ["serial=A", "serial=B"]
        print(f"truth: {TRUTH_DEG:.2f}°")

    try:
        source = bearing.usrp_source(
            array.n,
            args.rate,
            args.frequency,
            args.gain,
            args.layout,
            addresses if len(addresses) > 1 else addresses[0],
            make_device=radios.make_device if radios else None,
        )
    except (LookupError, RuntimeError) as error:
        sys.exit(f"no such USRP, perhaps try --simulate: {error}")

    def switch_noise_source(on):
        # With radios: whatever switches yours, such as a GPIO pin of the host. The time by the
        # radio's clock tells from when on samples are of the noise source.
        if radios:
            return radios.switch_pilot(on)
        input(f"switch the noise source {'on' if on else 'off'}, and press Enter ")
        return source.time_now()

    realigner = bearing.phase_realigner(
        array.n, args.rate, settle_s=0.05, switch=switch_noise_source
    )
    covariance = bearing.covariance(array.n, snapshots=4096)
    music = bearing.music(array, num_sources=1)
    printer = bearing_printer()

    flowgraph = gr.top_block("USRP")
    for k in range(array.n):
        flowgraph.connect((source, k), (realigner, k), (covariance, k))
    flowgraph.connect(covariance, music)
    # How well phases are known goes into the deviations.
    flowgraph.msg_connect(realigner, "calibration", music, "calibration")
    flowgraph.msg_connect(music, "bearings", printer, "bearings")

    flowgraph.start()
    time.sleep(args.duration / 2)
    source.set_frequency(args.retune)
    time.sleep(args.duration / 2)
    print(realigner.state())
    flowgraph.stop()
    flowgraph.wait()
    counters = realigner.counters()
    print(", ".join(f"{count} {name}" for name, count in counters.items() if count))
    if args.plot:
        bearing.plot.track(printer.reports).figure.savefig(args.plot)


if __name__ == "__main__":
    main()

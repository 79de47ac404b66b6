# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-kraken-simulator: a KrakenSDR server without a KrakenSDR."""

import argparse
import sys
import time

from .command_line import bad_input, complaints_about, finite, positive, run, stop_signals
from .kraken_simulator import FAULTS, kraken_simulator

PROGRAM = "bearing-kraken-simulator"
# The ports of the real servers.
_PORTS = {"v1": (5000, 5001), "v2": (8091, 8092)}
_POLL = 0.1


def _gains(text):
    """Complex numbers; as words of their own, negative ones would be taken for options."""
    try:
        return [complex(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}; it must be complex numbers with commas between them, such as 1,-0.2+1.1j"
        ) from None


def parse_arguments(argv):
    """The options; argparse ends the program where they are wrong."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Serves simulated samples as the server of a KrakenSDR does, until Ctrl-C.",
        epilog="Faults, each KIND or KIND:frame=5,every=10,offset=12,value=1 (frame: number of the "
        "frame in its connection; every: 0, the default, is once; offset: bytes sent before): "
        + "; ".join(f"{kind}: {what}" for kind, what in FAULTS.items())
        + ".",
    )
    parser.add_argument(
        "--protocol", choices=("v1", "v2"), default="v1",
        help="v1 (default): heimdall_daq_fw; v2: heimdall_v2",
    )  # fmt: skip
    group = parser.add_argument_group("transmitters and antennas")
    group.add_argument(
        "--bearing", type=finite, nargs="*", default=[288.0], metavar="DEGREES",
        help="azimuths, clockwise from the first antenna; default: 288, which the KrakenSDR's "
        "own programs, counting counter-clockwise, call 72",
    )  # fmt: skip
    group.add_argument("--snr", type=finite, default=20.0, metavar="DB", help="default: 20")
    group.add_argument(
        "--elements", type=int, default=5, metavar="N", help="antennas on a circle; default: 5"
    )
    group.add_argument(
        "--radius", type=positive, default=0.25, metavar="METRES", help="default: 0.25"
    )
    group.add_argument(
        "--frequency", type=positive, default=433.92e6, metavar="HZ",
        help="until a client sets another; default: 433.92e6",
    )  # fmt: skip
    group.add_argument("--seed", type=int, default=1, help="of the samples; default: 1")
    group = parser.add_argument_group("receiver")
    group.add_argument(
        "--sample-rate", type=positive, default=2.4e6, metavar="HZ",
        help="default: 2.4e6; v2 tells it on the control port only, so a client that does not ask "
        "there, or gets no answer, takes it for 2.4e6",
    )  # fmt: skip
    group.add_argument(
        "--samples", type=int, metavar="N",
        help="of each channel in a frame; default: 4096 (v1), 16384 (v2)",
    )  # fmt: skip
    pace = group.add_mutually_exclusive_group()
    pace.add_argument("--pace", type=positive, default=1.0, help="times real time; default: 1")
    pace.add_argument(
        "--fast", action="store_true", help="as fast as the client takes it"
    )
    group.add_argument(
        "--gain", type=_gains, metavar="GAIN,...",
        help="errors of the channels, one for each: complex numbers with commas between them, "
        "such as --gain=1,-0.2+1.1j,0.9,1,1j",
    )  # fmt: skip
    group.add_argument(
        "--phase-jumps", action="store_true", help="other phases after each outage"
    )
    group.add_argument(
        "--cal-every", type=int, default=0, metavar="N",
        help="v1: calibration frames after so many frames; a real one: 677",
    )  # fmt: skip
    group.add_argument(
        "--cal-length", type=int, default=10, metavar="N", help="so many of them; default: 10"
    )
    group.add_argument(
        "--dummy-every", type=int, default=0, metavar="N", help="v1: every N-th frame is empty"
    )
    group.add_argument(
        "--retune", action="store_true",
        help="a change of frequency or gain takes a few frames of calibration",
    )  # fmt: skip
    group = parser.add_argument_group("network")
    group.add_argument("--host", default="127.0.0.1", help="to listen at; default: 127.0.0.1")
    group.add_argument(
        "--data-port", type=int, metavar="PORT", help="0: any; default: 5000 (v1), 8091 (v2)"
    )
    group.add_argument(
        "--control-port", type=int, metavar="PORT", help="0: any; default: 5001 (v1), 8092 (v2)"
    )
    group = parser.add_argument_group("faults")
    group.add_argument("--fault", nargs="+", default=[], metavar="FAULT", help="see below")
    group.add_argument(
        "--drop-every", type=int, default=0, metavar="N", help="v1: leave every N-th frame out"
    )
    group.add_argument(
        "--outage-every", type=positive, metavar="SECONDS", help="the server goes away so often"
    )
    group.add_argument(
        "--outage", type=positive, default=1.0, metavar="SECONDS", help="and stays away so long"
    )
    group.add_argument(
        "--no-answers", action="store_true", help="the control port never answers"
    )
    arguments = parser.parse_args(argv)
    usual = _PORTS[arguments.protocol]
    for name, port in zip(("data_port", "control_port"), usual):
        if getattr(arguments, name) is None:
            setattr(arguments, name, port)
        if not 0 <= getattr(arguments, name) <= 65535:
            parser.error(f"--{name.replace('_', '-')}: from 0 to 65535")
    for name in ("cal_every", "cal_length", "dummy_every", "drop_every", "seed"):
        if getattr(arguments, name) < 0:
            parser.error(f"--{name.replace('_', '-')}: 0 or more")
    return arguments


def simulate(argv):
    """The program, less what run() does; the exit code."""
    arguments = parse_arguments(argv)
    with complaints_about("options"):
        simulator = kraken_simulator(
            protocol=arguments.protocol,
            bearings_deg=arguments.bearing,
            frequency=arguments.frequency,
            snr_db=arguments.snr,
            num_samples=arguments.samples,
            sample_rate=arguments.sample_rate,
            pace=None if arguments.fast else arguments.pace,
            gains=arguments.gain,
            phase_jumps=arguments.phase_jumps,
            cal_every=arguments.cal_every,
            cal_length=arguments.cal_length,
            dummy_every=arguments.dummy_every,
            drop_every=arguments.drop_every,
            retune=arguments.retune,
            faults=arguments.fault,
            outage_every_s=arguments.outage_every or 0.0,
            outage_s=arguments.outage,
            answers=not arguments.no_answers,
            num_elements=arguments.elements,
            radius_m=arguments.radius,
            seed=arguments.seed,
            host=arguments.host,
            data_port=arguments.data_port,
            control_port=arguments.control_port,
        )
    # Before anybody can wait for what is printed.
    with stop_signals() as signals:
        try:
            simulator.start()
        except OSError as error:
            raise bad_input(f"{arguments.host}: {error.strerror or error}") from error
        try:
            print(
                f"{arguments.protocol} at {arguments.host}, data port {simulator.data_port}, "
                f"control port {simulator.control_port}",
                flush=True,
            )
            while signals.received is None:
                time.sleep(_POLL)
        finally:
            simulator.stop()
    counted = ", ".join(f"{count} {name}" for name, count in simulator.counters.items() if count)
    print(f"{PROGRAM}: {counted or 'nobody came'}", file=sys.stderr)
    return signals.exit_code


def main(argv=None):
    """Entry point; argv: the command line without the program's name. The exit code."""
    return run(PROGRAM, simulate, argv)

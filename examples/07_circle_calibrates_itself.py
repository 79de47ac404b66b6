#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A circle of five that calibrates itself from unknown signals, then finds north by one known one.

The receivers' gains and phases are wrong, the antennas are bent, and the mast is turned by some 8
degrees. First a transmitter passes of which nothing is known: bearings become exact but for the
turn, which no such signal can tell. Then a beacon at a known bearing is heard, and they are right.
"""

import argparse

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pmt
from gnuradio import bearing, blocks, gr
from gnuradio.bearing.colours import BLUE, VERMILION

SAMPLE_RATE = 12800.0  # Hz
SNAPSHOTS = 512  # samples behind one bearing: 40 ms
SPEED = 4.0  # times faster than the wall clock
RADIUS = 0.383  # wavelengths
SNR_DB = 20.0
START_DEG, RATE_DEG = 160.0, 36.0  # of who passes: ten seconds a turn
BEACON_DEG = 72.0
# What the calibrator does not know: phases of up to 35 degrees, amplitudes of 3 dB, the turned mast
# and bent antennas, in wavelengths.
GAINS = np.array([1.0, 0.7, 1.25, 1.1, 0.8]) * np.exp(1j * np.radians([0, 35, 15, -20, -30]))
OFFSETS = [
    [0.05, 0.0, 0.0],
    [0.04, -0.07, 0.0],
    [-0.08, 0.0, 0.0],
    [-0.02, 0.06, 0.0],
    [-0.01, 0.03, 0.0],
]
# Covariances that are remembered: ten seconds of them, so that they come from all around.
MEMORY = 256


def pmt_time(seconds):
    """A time of the stream as tags and messages carry it."""
    whole = int(seconds)
    return pmt.make_tuple(pmt.from_uint64(whole), pmt.from_double(seconds - whole))


def truth_message(angles_deg, start, stop):
    """For the port truth: where a source is known to be from start to stop, in stream time."""
    message = pmt.make_dict()
    message = pmt.dict_add(
        message, pmt.intern("angles_deg"), pmt.init_f32vector(len(angles_deg), angles_deg)
    )
    message = pmt.dict_add(message, pmt.intern("start"), pmt_time(start))
    return pmt.dict_add(message, pmt.intern("stop"), pmt_time(stop))


class error_log(gr.basic_block):
    """Keeps the errors of bearing messages, and prints one a second."""

    def __init__(self, label, truth_at):
        gr.basic_block.__init__(self, "error_log", None, None)
        self.label = label
        self.truth_at = truth_at
        self.time = []
        self.error = []
        self.message_port_register_in(pmt.intern("bearings"))
        self.set_msg_handler(pmt.intern("bearings"), self.handle)

    def handle(self, message):
        report = bearing.bearing_report.from_message(message)
        # rx_time is that of the first sample; the source moves while we measure.
        time = report.seconds + SNAPSHOTS / SAMPLE_RATE / 2
        angle, std = report.angles_deg[0], report.std_deg[0]
        error = (angle - self.truth_at(time) + 180.0) % 360.0 - 180.0
        self.time.append(time)
        self.error.append(error)
        if len(self.time) == 1 or int(time) > int(self.time[-2]):
            deviation = f" ± {std:4.2f}°" if np.isfinite(std) else " " * 8
            line = f"{time:7.2f} s  {self.label:>15}  {angle:7.2f}°{deviation}  "
            # Logs run in threads of their own: line and line end go out in one piece.
            print(line + f"error {error:+7.2f}°  {report.status}\n", end="", flush=True)

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


class scene:
    """Who transmits when: somebody who passes, the beacon, and somebody else who passes."""

    def __init__(self, duration):
        items = int(duration * SAMPLE_RATE / SNAPSHOTS)
        # In samples; whole items, so that none hears two transmitters.
        self.parts = [n * SNAPSHOTS for n in (items * 6 // 10, items * 2 // 10, items * 2 // 10)]
        self.beacon_on, self.beacon_off, self.end = np.cumsum(self.parts) / SAMPLE_RATE

    def truth_at(self, seconds):
        if self.beacon_on <= seconds < self.beacon_off:
            return BEACON_DEG
        return START_DEG + RATE_DEG * seconds

    def transmitters(self, array, errors):
        """One simulator a part."""
        starts = (0.0, self.beacon_on, self.beacon_off)
        rates = (RATE_DEG, 0.0, RATE_DEG)
        return [
            bearing.array_simulator(
                array,
                [self.truth_at(start) % 360.0],
                [SNR_DB],
                SAMPLE_RATE,
                errors,
                rates_deg=[rate],
                start_time=start,
                seed=1 + k,
            )
            for k, (start, rate) in enumerate(zip(starts, rates))
        ]


class self_calibrating_circle(gr.top_block):
    """transmitters in turn -> covariance -> diffmusic, and MUSIC with and without it"""

    def __init__(self, duration):
        gr.top_block.__init__(self, "Circle calibrates itself")
        array = bearing.array.uca(n=5, radius=RADIUS)  # as it was drawn
        self.scene = scene(duration)
        transmitters = self.scene.transmitters(
            array, bearing.calibration(gains=GAINS, positions=OFFSETS)
        )
        covariance = bearing.covariance(array.n, snapshots=SNAPSHOTS)
        for k in range(array.n):
            # Each part goes on until the next one begins.
            switch = blocks.stream_mux(gr.sizeof_gr_complex, self.scene.parts)
            head = blocks.head(gr.sizeof_gr_complex, sum(self.scene.parts))
            pace = blocks.throttle(gr.sizeof_gr_complex, SPEED * SAMPLE_RATE)
            for part, transmitter in enumerate(transmitters):
                self.connect((transmitter, k), (switch, part))
            self.connect(switch, pace, head, (covariance, k))

        self.calibrator = bearing.diffmusic(array, 1, interval=0.2, unlabelled_buffer=MEMORY)
        self.connect(covariance, self.calibrator)
        self.calibrations = calibration_log()
        self.msg_connect(self.calibrator, "calibration", self.calibrations, "calibration")
        truth = truth_message([BEACON_DEG], self.scene.beacon_on, self.scene.beacon_off)
        self.calibrator.to_basic_block()._post(pmt.intern("truth"), truth)

        self.logs = {}
        for name in ("as drawn", "self-calibrated"):
            music = bearing.music(array, 1)
            self.logs[name] = error_log(name, self.scene.truth_at)
            self.connect(covariance, music)
            self.msg_connect(music, "bearings", self.logs[name], "bearings")
        self.msg_connect(self.calibrator, "calibration", music, "calibration")


def rms(values):
    return np.sqrt(np.mean(np.square(values)))


def summarise(flowgraph):
    scene_ = flowgraph.scene
    print("\nrms error in degrees:")
    for name, log in flowgraph.logs.items():
        # The calibrator has had most of its time by then.
        before = log.errors(0.6 * scene_.beacon_on, scene_.beacon_on)
        after = log.errors(scene_.beacon_off, scene_.end)
        turn = np.median(before)
        print(
            f"{name:>15}: unknown signals only {rms(before):.2f}, of which a turn of {turn:+.2f} "
            f"and {rms(before - turn):.2f} else; after the beacon {rms(after):.2f}"
        )
    print(", ".join(f"{name} {n}" for name, n in flowgraph.calibrator.counts().items() if n))


def draw(flowgraph):
    figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
    for (name, log), colour in zip(flowgraph.logs.items(), (BLUE, VERMILION)):
        axes.plot(log.time, log.error, ".", ms=3, color=colour, label=name)
    scene_ = flowgraph.scene
    axes.axvspan(scene_.beacon_on, scene_.beacon_off, color="0.9", label="known beacon on the air")
    axes.axhline(0.0, color="0.6", lw=0.8)
    axes.set(
        xlabel="time (s)",
        ylabel="bearing error (degrees)",
        xlim=(0, scene_.end),
        ylim=(-26, 16),
        title="A circle of five calibrates itself, and is turned onto north (simulated)",
    )
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right", ncols=3, markerscale=4)
    return figure


def seconds(text):
    value = float(text)
    if not 15.0 <= value <= 3600.0:
        raise argparse.ArgumentTypeError(f"{text} is not from 15 to 3600 seconds")
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--duration", type=seconds, default=30.0, help="seconds of signal, 15 to 3600 (default 30)"
    )
    parser.add_argument("--plot", metavar="PNG", help="picture of the errors over time")
    args = parser.parse_args()

    flowgraph = self_calibrating_circle(args.duration)
    flowgraph.run()
    summarise(flowgraph)
    if args.plot:
        draw(flowgraph).savefig(args.plot, dpi=100)


if __name__ == "__main__":
    main()

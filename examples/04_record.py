#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records a moving transmitter as SigMF, with array, heading, frequency and time.

Play it back with 05_playback.py, or: bearing-replay recording.sigmf-meta
"""

import argparse
import time

from gnuradio import bearing, gr

FREQUENCY = 433.92e6  # Hz
SAMPLE_RATE = 20e3  # Hz
START_DEG, RATE_DEG = 40.0, 6.0  # azimuth, and degrees a second
HEADING_DEG = 30.0  # of the array's +y axis, clockwise from north


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--duration", type=float, default=10.0, help="seconds to record")
    parser.add_argument(
        "--output", default="recording.sigmf-meta", help="default: recording.sigmf-meta"
    )
    parser.add_argument("--plot", metavar="PNG", help="picture of the array that was recorded")
    args = parser.parse_args()

    array = bearing.array.uca(n=5, radius=0.27, wavelength=299792458.0 / FREQUENCY)  # metres
    simulator = bearing.array_simulator(
        array,
        [START_DEG],
        snr_db=[10.0],
        sample_rate=SAMPLE_RATE,
        rates_deg=[RATE_DEG],
        center_frequency=FREQUENCY,
        start_time=time.time(),
        throttle=True,
    )
    sink = bearing.recording_sink(
        args.output, array.n, SAMPLE_RATE, array=array, heading_deg=HEADING_DEG
    )
    flowgraph = gr.top_block("Record")
    for k in range(array.n):
        flowgraph.connect((simulator, k), (sink, k))

    flowgraph.start()
    time.sleep(args.duration)
    flowgraph.stop()
    flowgraph.wait()
    recording = bearing.load_recording(args.output)
    print(f"{recording.duration:.1f} s of {recording.num_channels} channels: ok")
    if args.plot:
        bearing.plot.array(recording.array).figure.savefig(args.plot)


if __name__ == "__main__":
    main()

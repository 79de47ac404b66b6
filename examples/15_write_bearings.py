#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bearings of a station go into files: JSON lines, and what df-aggregator reads. Then the files are
read and printed."""

import argparse
import pathlib
import time

from gnuradio import bearing, gr
from gnuradio.bearing.output import json_lines

TRUTH_DEG = 72.0
HILL = bearing.station("hill", latitude=47.5, longitude=8.75, heading_deg=12.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--duration", type=float, default=5.0, help="seconds to run")
    parser.add_argument("--output", metavar="DIR", default=".", help="folder of the files")
    parser.add_argument(
        "--serve", metavar="HOST:PORT", default="", help="where df-aggregator may fetch doa.xml"
    )
    parser.add_argument("--plot", metavar="PNG", help="picture of the bearings over time")
    args = parser.parse_args()
    folder = pathlib.Path(args.output)
    # Writers make files, but no folders.
    folder.mkdir(parents=True, exist_ok=True)
    lines, newest_only = folder / "bearings.jsonl", folder / "doa.xml"
    # The lines of earlier runs stay.
    size = lines.stat().st_size if lines.exists() else 0

    array = bearing.array.uca(n=5, radius=0.4)  # in wavelengths
    simulator = bearing.array_simulator(
        array,
        [TRUTH_DEG],
        snr_db=[10.0],
        sample_rate=100e3,
        center_frequency=433.92e6,
        start_time=1767225600.0,  # 2026 begins
        throttle=True,
    )
    covariance = bearing.covariance(array.n, snapshots=4096)
    # Nothing is written while there is no signal.
    squelch = bearing.squelch(array.n, eigenvalue_db=6.0)
    music = bearing.music(array, num_sources=1, heading_deg=HILL.heading_deg)
    log = bearing.bearing_writer("json_lines", str(lines), HILL)
    newest = bearing.bearing_writer(
        "df_aggregator_xml", str(newest_only), HILL, interval_s=0.5, serve=args.serve
    )

    flowgraph = gr.top_block("Write bearings")
    for k in range(array.n):
        flowgraph.connect((simulator, k), (covariance, k))
    flowgraph.connect(covariance, squelch, music)
    for writer in (log, newest):
        flowgraph.msg_connect(music, "bearings", writer, "bearings")

    print(f"truth: {HILL.heading_deg + TRUTH_DEG:.2f}° from north")
    flowgraph.start()
    time.sleep(args.duration)
    flowgraph.stop()
    flowgraph.wait()

    with open(lines, encoding="utf-8") as file:
        file.seek(size)
        records = json_lines.decode(file.read())
    print(f"{lines}: {len(records)} bearings, about two a second of them:")
    for record in records[::12]:
        report = record.report
        print(
            f"{report.seconds:.3f} s  {record.station.name}  "
            f"{report.true_bearing_deg[0]:7.2f}° ± {report.std_deg[0]:.2f}°  {report.status}"
        )
    print(f"{newest_only}:\n{newest_only.read_text(encoding='utf-8')}")
    if args.plot:
        reports = [record.report for record in records]
        bearing.plot.track(reports, north="true").figure.savefig(args.plot)


if __name__ == "__main__":
    main()

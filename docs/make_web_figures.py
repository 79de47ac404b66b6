#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the pictures of the receiver's web page, with a calculated radio.

usage: PYTHONPATH=build/test_modules docs/make_web_figures.py

Needs chromium, npm and ImageMagick, as the tests of the page do, and two minutes.
"""

import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

from gnuradio import bearing
from gnuradio.bearing.receiver.config import load_config
from gnuradio.bearing.receiver.radios import radio
from gnuradio.bearing.receiver.receiver import receiver
from gnuradio.bearing.receiver.web import web_server

SOURCE_DIR = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE_DIR / "tests" / "python"))

from web_browser import browser, tab

FOLDER = SOURCE_DIR / "docs" / "figures"
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}
SECONDS = 65.0

RECEIVER = """
station: {name: hill, latitude: 47.5, longitude: 8.7, heading_deg: 12.0}
radio:
  kind: simulator
  frequency_hz: 433.92e6
  sample_rate_hz: 240e3
  gain_db: 28.0
array: {kind: uca, elements: 5, radius_m: 0.25}
calibration: {file: pilot.json}
channels:
  - {name: beacon, offset_hz: 25e3, bandwidth_hz: 12.5e3, num_sources: 1}
  - {name: visitor, offset_hz: -50e3, bandwidth_hz: 12.5e3, num_sources: 1}
estimator: {method: music, interval_s: 0.1, spectrum_points: 360}
outputs:
  - {kind: json_lines, target: bearings.jsonl}
  - {kind: csv, target: bearings.csv}
web: {address: 127.0.0.1, port: 8080}
"""


# What a rough pilot would have told about receivers and elements that are not as they should be.
CALIBRATION = bearing.calibration(
    gains=[1.0, 0.9, 1.15, 0.8, 1.05] * np.exp(1j * np.radians([0, 34, -62, 126, -23])),
    positions=0.001
    * np.array([[0, 0, 0], [4, -2, 0], [-3, -5, 0], [1, 6, 0], [5, 1, 0]], float),
    frequency=433.92e6,
    sigma_phase_rad=[0.0, 0.2, 0.25, 0.3, 0.2],
)


def two_transmitters(config, array, start_number):
    """A radio that hears a transmitter that passes by, and a weak one."""
    source = bearing.array_simulator(
        array,
        [40.0, 200.0],
        snr_db=[0.0, -15.0],
        sample_rate=config.sample_rate_hz,
        errors=CALIBRATION,
        rates_deg=[0.4, 0.0],
        frequencies=[25e3, -50e3],
        modulation="tone",
        center_frequency=config.frequency_hz,
        start_time=time.time(),
        throttle=True,
    )
    return radio(source, array.n, config.sample_rate_hz, config.frequency_hz)


def take_pictures(url, seconds):
    with browser() as chromium:
        tabs = {
            size: tab(chromium, size, url, width, height)
            for size, (width, height) in SIZES.items()
        }
        for page in tabs.values():
            page.wait("document.querySelector('.bearing .angle')")
            page.do("select", selector="#span", value="60")
        time.sleep(seconds)
        for size, page in tabs.items():
            path = FOLDER / f"web_{size}.png"
            page.do("screenshot", path=str(path))
            # So many colours are enough for it, in half of the bytes.
            reduce = ["+dither", "-colors", "96", "-strip", f"PNG8:{path}"]
            subprocess.run(["convert", path, *reduce], check=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        CALIBRATION.save(str(pathlib.Path(folder, "pilot.json")))
        path = pathlib.Path(folder, "receiver.yaml")
        path.write_text(RECEIVER + f"state_folder: {folder}\n")
        config = load_config(path)
        running = receiver(config, make_radio=two_transmitters)
        running.start()
        server = web_server(running, config.web)
        server.start()
        try:
            take_pictures(server.url, SECONDS)
        finally:
            server.stop()
            running.stop()


if __name__ == "__main__":
    main()

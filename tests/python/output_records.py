# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of bearings for the tests of output formats, and comparing them."""

import dataclasses
import math

import numpy as np
from gnuradio import bearing

# Angles where a wrong wrap shows: straight ahead, behind, just before a full turn in single and in
# double precision, and those left of a line's broadside.
EDGE_ANGLES_DEG = [
    0.0,
    -0.0,
    1e-6,
    90.0,
    180.0,
    270.0,
    359.999,
    float(np.nextafter(np.float32(360.0), np.float32(0.0))),
    -90.0,
    -1e-6,
    -1e-30,
    -0.4,
    359.6,
]
EDGE_HEADINGS_DEG = [0.0, 359.999, 360.0 - 1e-12, 180.0, 12.25, -30.0]

NAMES = ["hill", 'a <b> & "c" \'d\'', "Zürich Ütliberg 北 😀", "", "x;y|z", "semi  colon"]


def report(
    angles_deg,
    heading_deg=0.0,
    std_deg=None,
    power_db=None,
    snr_db=None,
    status="ok",
    rx_time=(1700000000, 0.25),
    **more,
):
    angles = np.array(angles_deg, np.float32)

    def row(values, otherwise):
        values = np.full(angles.size, otherwise) if values is None else values
        return np.where(np.isnan(angles), np.nan, np.array(values)).astype(np.float32)

    true = ((angles.astype(float) + heading_deg) % 360.0).astype(np.float32)
    true[true >= 360.0] = 0.0
    fields = dict(method="music", rx_freq=433.92e6, num_sources=angles.size, snapshots=4096)
    fields.update(more)
    return bearing.bearing_report(
        angles_deg=angles,
        std_deg=row(std_deg, 0.5),
        true_bearing_deg=true,
        power_db=row(power_db, -20.0),
        snr_db=row(snr_db, 15.0),
        status=status,
        rx_time=rx_time,
        **fields,
    )


def random_records(seed, count):
    """Records of all kinds: several directions, none, some unknown, with and without spectrum."""
    rng = np.random.default_rng(seed)
    for k in range(count):
        size = int(rng.integers(0, 4))
        angles = rng.choice(
            [rng.choice(EDGE_ANGLES_DEG), rng.uniform(-90, 360), math.nan], size, p=[0.4, 0.5, 0.1]
        )
        heading = float(rng.choice(EDGE_HEADINGS_DEG)) if k % 3 else None
        place = bearing.station(
            name=NAMES[k % len(NAMES)],
            latitude=float(rng.uniform(-80, 80)) if k % 4 else None,
            longitude=float(rng.uniform(-180, 180)) if k % 4 else None,
            heading_deg=heading,
            altitude_m=float(rng.uniform(-100, 3000)) if k % 2 else None,
            speed_m_s=float(rng.uniform(0.1, 40)) if k % 5 == 1 else None,
        )
        more = {}
        if k % 6 == 1:
            more["elevation_deg"] = rng.uniform(0, 90, size).astype(np.float32)
            more["elevation_std_deg"] = np.full(size, np.nan, np.float32)
        if k % 6 == 2:
            more["range_m"] = np.where(rng.random(size) < 0.5, np.inf, 12.5).astype(np.float32)
            more["range_std_m"] = rng.uniform(0, 9, size).astype(np.float32)
        if k % 6 == 3:
            more.update(reason="too few, \"so\" to say\n", is_gated=True, glrt=1.5)
            more["glrt_limit"] = math.nan
        if k % 7 == 0:
            more.update(rx_freq=None, num_sources=None, snapshots=None)
        one = report(
            angles,
            heading_deg=0.0 if heading is None else heading,
            std_deg=np.where(rng.random(size) < 0.2, np.nan, rng.uniform(0.01, 50, size)),
            power_db=rng.uniform(-99, 0, size),
            snr_db=rng.uniform(-10, 40, size),
            status=str(rng.choice(["ok", "no_source", "unresolved"])),
            rx_time=None if k % 8 == 0 else (int(rng.integers(1e9, 2e9)), float(rng.random())),
            **more,
        )
        spectrum = {}
        if k % 2:
            points = int(rng.choice([181, 360, 512]))
            start, stop, closed = (-90, 90, True) if points == 181 else (0, 360, False)
            spectrum["spectrum_deg"] = np.linspace(start, stop, points, endpoint=closed)
            spectrum["spectrum_db"] = -30.0 * rng.random(points)
        yield bearing.bearing_record(
            one,
            place,
            channel=[None, "beacon", "434 MHz, <&>"][k % 3],
            received_s=1.7e9 + k / 8 if k % 2 else None,
            **spectrum,
        )


def fields_of(record):
    """{name: value} of all that a record holds."""
    names = [field.name for field in dataclasses.fields(record.report)]
    found = {f"report.{name}": getattr(record.report, name) for name in names}
    found.update((f"station.{key}", value) for key, value in vars(record.station).items())
    for name in ("channel", "spectrum_db", "spectrum_deg", "received_s"):
        found[name] = getattr(record, name)
    return found


def assert_same(test, first, second, besides=()):
    """Every field is the same to the bit; besides: names of fields that are not compared."""
    wanted, found = fields_of(first), fields_of(second)
    for name, value in wanted.items():
        if name in besides:
            continue
        if isinstance(value, np.ndarray):
            test.assertIsNotNone(found[name], name)
            np.testing.assert_array_equal(found[name], value, name)
        elif isinstance(value, float) and math.isnan(value):
            test.assertTrue(math.isnan(found[name]), name)
        else:
            test.assertEqual(found[name], value, name)

#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata of recordings: what is written obeys SigMF, what is read is believed only when right."""

import copy
import datetime
import json
import os
import random
import re
import tempfile
import threading
import time
import tracemalloc
import unittest
from fractions import Fraction
from pathlib import Path

import numpy as np

from gnuradio import bearing
from gnuradio.bearing.hier import sigmf
from support import FULL

NUM_SAMPLES = 200


# The rules of the specification (SigMF 1.x) for the fields that are used here.

NUMBER = (int, float)
DATATYPE = re.compile(r"[cr]((f32|f64|i32|i16|u32|u16)_(le|be)|i8|u8)")
KEY = re.compile(r"([a-z][a-z0-9_-]*):[a-z][a-z0-9_]*")
DATETIME = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d+)?Z")
GLOBAL = {
    "core:datatype": str,
    "core:version": str,
    "core:sample_rate": NUMBER,
    "core:num_channels": int,
    "core:recorder": str,
    "core:description": str,
    "core:extensions": list,
}
CAPTURE = {"core:sample_start": int, "core:frequency": NUMBER, "core:datetime": str}
RANGES = {
    "core:sample_rate": (1, 1e12),
    "core:num_channels": (1, 1000),
    "core:sample_start": (0, 2**64 - 1),
    "core:frequency": (-1e12, 1e12),
}


def is_a(value, kind):
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def complaints(text):
    """What the specification has against a metadata file with this text (bytes)."""

    def refuse(constant):
        raise ValueError(constant)

    def unique(pairs):
        if len({key for key, _ in pairs}) != len(pairs):
            raise ValueError("a name stands twice")
        return dict(pairs)

    try:
        document = json.loads(
            text.decode("utf-8"), parse_constant=refuse, object_pairs_hook=unique
        )
    except ValueError as error:
        return [str(error)]
    if set(document) != {"global", "captures", "annotations"}:
        return ["the top level"]
    found = []
    top, captures, annotations = (document[k] for k in ("global", "captures", "annotations"))
    found += [f"{key} is missing" for key in ("core:datatype", "core:version") if key not in top]
    namespaces = set()
    scopes = [(top, GLOBAL)] + [(c, CAPTURE) for c in captures]
    scopes += [(a, {"core:sample_start": int}) for a in annotations]
    for scope, kinds in scopes:
        for key, value in scope.items():
            match = KEY.fullmatch(key)
            if not match:
                found.append(f"name {key}")
                continue
            if match[1] != "core":
                namespaces.add(match[1])
            elif key not in kinds:
                found.append(f"{key} is not for this scope, or not known to this test")
            elif not is_a(value, kinds[key]):
                found.append(f"type of {key}")
            elif key in RANGES and not RANGES[key][0] <= value <= RANGES[key][1]:
                found.append(f"range of {key}")
    if not DATATYPE.fullmatch(top.get("core:datatype", "")):
        found.append("core:datatype")
    if not re.fullmatch(r"\d+\.\d+\.\d+", top.get("core:version", "")):
        found.append("core:version")
    declared = set()
    for extension in top.get("core:extensions", []):
        if set(extension) != {"name", "version", "optional"}:
            found.append("an extension has name, version, optional, and nothing else")
            continue
        if not (is_a(extension["name"], str) and is_a(extension["version"], str)):
            found.append("types in core:extensions")
        if not is_a(extension["optional"], bool):
            found.append("types in core:extensions")
        declared.add(extension["name"])
    if namespaces != declared:
        found.append(f"extensions {declared} are declared, {namespaces} used")
    for entries in (captures, annotations):
        starts = [entry.get("core:sample_start", -1) for entry in entries]
        if starts != sorted(starts) or min(starts, default=0) < 0:
            found.append("entries without core:sample_start or not sorted by it")
    for entry in captures:
        if "core:datetime" in entry:
            match = DATETIME.fullmatch(entry["core:datetime"])
            try:
                datetime.datetime.strptime(match[1], "%Y-%m-%dT%H:%M:%S")
            except (TypeError, ValueError):
                found.append(f"core:datetime {entry['core:datetime']}")
    return found


def valid_document():
    """Metadata with every field that is understood, and one more extension."""
    return {
        "global": {
            "core:datatype": "ci16_le",
            "core:version": "1.0.0",
            "core:sample_rate": 1000000,
            "core:num_channels": 2,
            "core:recorder": "by hand",
            "core:description": "two dipoles",
            "core:extensions": [
                {"name": "bearing", "version": "0.1.0", "optional": True},
                {"name": "weather", "version": "3.0.0", "optional": True},
            ],
            "bearing:positions_m": [[0, 0, 0], [0.5, 0, 0]],
            "bearing:wavelength_m": 0.9,
            "bearing:heading_deg": 12.5,
            "bearing:calibration": {
                "version": 1,
                "num_elements": 2,
                "reference": 0,
                "frequency_hz": None,
                "gains": [[1, 0], [0.5, 0.25]],
                "positions_m": None,
                "coupling": None,
                "sigma_phase_rad": None,
                "sigma_log_gain": None,
                "time": None,
            },
            "bearing:num_samples": NUM_SAMPLES,
            "weather:cloud_cover": {"oktas": [3, 4.5, None, True, "many"]},
        },
        "captures": [
            {
                "core:sample_start": 0,
                "core:frequency": 333e6,
                "core:datetime": "2024-02-29T23:59:59.25Z",
                "core:global_index": 1000,
            },
            {"core:sample_start": 50, "core:frequency": 334e6, "bearing:gap": 0},
            {"core:sample_start": 150, "core:global_index": 1450},
        ],
        "annotations": [
            {"core:sample_start": 10, "core:sample_count": 20, "core:label": "burst"},
            {"core:sample_start": 10, "core:freq_lower_edge": 1e6, "core:freq_upper_edge": 2e6},
        ],
    }


class sigmf_test_case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="qa_sigmf_")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.meta = self.folder / "r.sigmf-meta"
        self.data = self.folder / "r.sigmf-data"

    def put(self, document=None, data=None):
        """Writes a recording: metadata as an object or as bytes, and the data file's bytes."""
        if document is None:
            document = valid_document()
        if not isinstance(document, bytes):
            document = json.dumps(document).encode()
        self.meta.write_bytes(document)
        self.data.write_bytes(bytes(8 * NUM_SAMPLES) if data is None else data)

    def assert_refused(self, *words, path=None):
        """Loading fails with one sentence that names the file and says these words."""
        with self.assertRaises(bearing.recording_error) as caught:
            bearing.load_recording(path or self.meta)
        message = str(caught.exception)
        self.assertIn(str(path or self.meta), message)
        self.assertTrue(message.isprintable(), message)
        self.assertLess(len(message) - 2 * len(str(self.folder)), 500)
        for word in words:
            self.assertIn(word, message)
        return message


class qa_the_rules_themselves(unittest.TestCase):
    def test_they_see_what_is_wrong(self):
        def check(change):
            document = valid_document()
            document["annotations"] = []
            document["captures"] = document["captures"][:2]
            document["captures"][0].pop("core:global_index")
            change(document)
            return complaints(json.dumps(document).encode())

        self.assertEqual(check(lambda d: None), [])
        for change in (
            lambda d: d.update(more={}),
            lambda d: d.pop("annotations"),
            lambda d: d["global"].pop("core:version"),
            lambda d: d["global"].update({"core:version": "1"}),
            lambda d: d["global"].update({"core:datatype": "cf32"}),
            lambda d: d["global"].update({"core:sample_rate": "1"}),
            lambda d: d["global"].update({"core:num_channels": True}),
            lambda d: d["global"]["core:extensions"].pop(),
            lambda d: d["global"]["core:extensions"][0].pop("optional"),
            lambda d: d["captures"].reverse(),
            lambda d: d["captures"][0].update({"core:datetime": "2023-02-29T00:00:00Z"}),
            lambda d: d["captures"][0].update({"core:datetime": "2023-02-28T00:00:00+00:00"}),
            lambda d: d["captures"][0].update({"core:frequency": float("nan")}),
        ):
            self.assertNotEqual(check(change), [])


class qa_written_metadata(sigmf_test_case):
    def write(self, *arguments, **options):
        path = sigmf.write_metadata(self.folder / "r", *arguments, **options)
        self.assertEqual(path, self.meta)
        text = self.meta.read_bytes()
        self.assertEqual(complaints(text), [])
        return json.loads(text)

    def test_the_least_is_valid_and_declares_no_extension(self):
        document = self.write("ci8", 2.4e6, 5)
        self.assertEqual(
            document["global"],
            {
                "core:datatype": "ci8",
                "core:version": "1.0.0",
                "core:sample_rate": 2.4e6,
                "core:num_channels": 5,
                "core:recorder": f"gr-bearing {bearing.__version__}",
            },
        )
        self.assertEqual(document["captures"], [{"core:sample_start": 0}])
        self.assertEqual(document["annotations"], [])

    def test_an_array_in_metres_with_calibration_and_heading(self):
        positions = np.array([[0.1, 0.2, 0.3], [-1 / 3, 1e-9, 0.0], [4.0, 5.0, -6.0]])
        errors = bearing.calibration(
            gains=[1, 0.5j, 1 / 3],
            positions=[[0, 0, 0], [0.01, 0, 0], [0, 0.02, 0]],
            coupling=np.eye(3) + 0.1j * (np.ones((3, 3)) - np.eye(3)),
            sigma_phase_rad=[0.1, 0.2, 0.3],
            frequency=433e6,
            time=1.7e9,
        )
        array = bearing.array.custom(positions, 0.69).calibrated(errors)
        document = self.write("cf32_le", 1e6, 3, array=array, heading_deg=-7.25)
        top = document["global"]
        self.assertEqual(top["bearing:positions_m"], positions.tolist())
        self.assertEqual(top["bearing:wavelength_m"], 0.69)
        self.assertEqual(top["bearing:heading_deg"], -7.25)
        self.assertEqual(top["bearing:calibration"]["gains"], [[1, 0], [0, 0.5], [1 / 3, 0]])
        self.assertEqual(
            top["core:extensions"], [{"name": "bearing", "version": "0.1.0", "optional": True}]
        )
        self.data.write_bytes(bytes(3 * 8))
        found = bearing.load_recording(self.meta)
        self.assertEqual(found.heading_deg, -7.25)
        self.assertEqual(found.array.wavelength, 0.69)
        azimuth, elevation = np.arange(0.0, 360.0, 7.0), np.linspace(-40, 70, 52)
        np.testing.assert_array_equal(
            found.array.steering(azimuth, elevation), array.steering(azimuth, elevation)
        )
        for name in ("gains", "positions", "coupling"):
            np.testing.assert_array_equal(
                getattr(found.array.calibration, name), getattr(errors, name)
            )

    def test_an_array_in_wavelengths_stays_one(self):
        for array in (bearing.array.ula(4, 0.45), bearing.array.uca(4, 0.4)):
            document = self.write("ci16_le", 1e6, 4, array=array)
            self.assertNotIn("bearing:positions_m", document["global"])
            self.assertNotIn("bearing:wavelength_m", document["global"])
            self.assertNotIn("bearing:calibration", document["global"])
            self.data.write_bytes(bytes(16))
            found = bearing.load_recording(self.meta).array
            self.assertIsNone(found.wavelength)
            np.testing.assert_array_equal(found.positions, array.positions)
            angles = np.linspace(-90.0, 90.0, 37)
            np.testing.assert_array_equal(found.steering(angles), array.steering(angles))

    def test_times_come_back_to_the_last_bit(self):
        random_numbers = np.random.default_rng(5)
        fractions = [0.0, 0.1, 1 / 3, 5e-324, 2.5e-310, np.nextafter(1, 0), 1e-7, 0.5]
        fractions += list(random_numbers.random(200))
        fractions += list(10.0 ** random_numbers.uniform(-300, 0, 50))
        seconds = [0, 1, 951782399, 1700000000, 2**31, 2**32, 253402300799]
        captures = []
        for k, fraction in enumerate(fractions):
            captures.append(
                sigmf.capture(k, rx_time=(seconds[k % len(seconds)], float(fraction)))
            )
        document = self.write("ci8", 1e6, 1, captures)
        for entry, written in zip(document["captures"], captures):
            # Read by other means: exact decimal digits, and the calendar of datetime.
            whole, _, digits = entry["core:datetime"][:-1].partition(".")
            date = datetime.datetime.fromisoformat(whole + "+00:00")
            epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
            self.assertEqual((date - epoch) // datetime.timedelta(seconds=1), written.rx_time[0])
            self.assertEqual(float(Fraction(int(digits), 10 ** len(digits))), written.rx_time[1])
        self.data.write_bytes(bytes(2 * len(captures)))
        self.assertEqual(bearing.load_recording(self.meta).captures, tuple(captures))

    def test_captures_come_back(self):
        captures = (
            sigmf.capture(0, 433.92e6, (1700000000, 0.125)),
            sigmf.capture(10, 433.92e6, None, 2**64 - 1, True),
            sigmf.capture(11, 1e12, None, 0),
            sigmf.capture(99, -5.5),
        )
        self.write("ci8", 1e6, 1, captures, num_samples=100)
        self.data.write_bytes(bytes(200))
        found = bearing.load_recording(self.meta)
        self.assertEqual(found.captures, captures)
        self.assertEqual(found.num_samples, 100)

    def test_text_of_any_kind_comes_back(self):
        for text in ("", "Peilung µ 方位 \U0001f4e1", 'quo"te \\ \n\t\0'):
            self.write("ci8", 1e6, 1, description=text)
            self.data.write_bytes(bytes(2))
            self.assertEqual(bearing.load_recording(self.meta).description, text)

    def test_parameters_that_no_recording_can_have_are_named(self):
        capture = sigmf.capture
        line = bearing.array.ula(3, 0.5)
        for word, arguments, options in (
            ("datatype", ("cf64_le", 1e6, 1), {}),
            ("datatype", (None, 1e6, 1), {}),
            ("sample_rate", ("ci8", 0, 1), {}),
            ("sample_rate", ("ci8", -1e6, 1), {}),
            ("sample_rate", ("ci8", float("nan"), 1), {}),
            ("sample_rate", ("ci8", float("inf"), 1), {}),
            ("sample_rate", ("ci8", "1e6", 1), {}),
            ("sample_rate", ("ci8", True, 1), {}),
            ("num_channels", ("ci8", 1e6, 0), {}),
            ("num_channels", ("ci8", 1e6, 65), {}),
            ("num_channels", ("ci8", 1e6, 2.0), {}),
            ("num_channels", ("ci8", 1e6, True), {}),
            ("array", ("ci8", 1e6, 2), {"array": line}),
            ("array", ("ci8", 1e6, 2), {"array": [[0, 0], [1, 0]]}),
            ("heading_deg", ("ci8", 1e6, 2), {"heading_deg": float("nan")}),
            ("heading_deg", ("ci8", 1e6, 2), {"heading_deg": 361}),
            ("description", ("ci8", 1e6, 2), {"description": None}),
            ("num_samples", ("ci8", 1e6, 2), {"num_samples": -1}),
            ("captures", ("ci8", 1e6, 2, [capture(5), capture(5)]), {}),
            ("captures", ("ci8", 1e6, 2, [capture(-1)]), {}),
            ("rx_freq", ("ci8", 1e6, 2, [capture(0, float("inf"))]), {}),
            ("rx_time", ("ci8", 1e6, 2, [capture(0, None, (253402300800, 0.0))]), {}),
            ("rx_time", ("ci8", 1e6, 2, [capture(0, None, (5, 1.0))]), {}),
            ("gap", ("ci8", 1e6, 2, [capture(0, gap=-1)]), {}),
            ("gap", ("ci8", 1e6, 2, [capture(0, gap=2**64)]), {}),
        ):
            with self.subTest(word=word, arguments=arguments, options=options):
                with self.assertRaisesRegex(ValueError, word):
                    sigmf.write_metadata(self.meta, *arguments, **options)
                self.assertEqual(os.listdir(self.folder), [])

    def test_readers_never_see_half_a_file(self):
        captures = [sigmf.capture(k, 1e8 + k) for k in range(2000)]
        self.write("ci8", 1e6, 1, captures)
        self.data.write_bytes(bytes(4000))
        stop = threading.Event()

        def write():
            while not stop.is_set():
                sigmf.write_metadata(self.meta, "ci8", 1e6, 1, captures)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(50):
                self.assertEqual(len(bearing.load_recording(self.meta).captures), 2000)
        finally:
            stop.set()
            writer.join()
        self.assertEqual(sorted(os.listdir(self.folder)), ["r.sigmf-data", "r.sigmf-meta"])

    def test_a_failed_write_leaves_the_old_file_and_nothing_else(self):
        self.meta.mkdir()
        (self.meta / "occupied").touch()
        with self.assertRaises(OSError):
            sigmf.write_metadata(self.meta, "ci8", 1e6, 1)
        self.assertEqual(os.listdir(self.folder), ["r.sigmf-meta"])
        with self.assertRaisesRegex(FileNotFoundError, "nowhere"):
            sigmf.write_metadata(self.folder / "nowhere" / "r", "ci8", 1e6, 1)


class qa_read_metadata(sigmf_test_case):
    def test_every_field_is_understood(self):
        document = valid_document()
        stored = np.arange(-2 * NUM_SAMPLES, 2 * NUM_SAMPLES, dtype="<i2") * 80
        self.put(document, stored.tobytes())
        found = bearing.load_recording(self.meta)
        self.assertEqual((found.path, found.data_path), (self.meta, self.data))
        self.assertEqual(found.datatype, "ci16_le")
        self.assertEqual(found.sample_rate, 1e6)
        self.assertEqual((found.num_channels, found.num_samples), (2, NUM_SAMPLES))
        self.assertEqual(found.duration, NUM_SAMPLES / 1e6)
        self.assertEqual(found.description, "two dipoles")
        self.assertEqual(found.heading_deg, 12.5)
        self.assertEqual(found.array.wavelength, 0.9)
        np.testing.assert_array_equal(found.array.positions, [[0, 0, 0], [0.5, 0, 0]])
        np.testing.assert_array_equal(found.array.calibration.gains, [1, 0.5 + 0.25j])
        date = datetime.datetime(2024, 2, 29, 23, 59, 59, tzinfo=datetime.timezone.utc)
        time = (int(date.timestamp()), 0.25)
        # 450 samples by the global index from 0 to 150, 150 of them in the file.
        self.assertEqual(
            found.captures,
            (
                sigmf.capture(0, 333e6, time),
                sigmf.capture(50, 334e6, None, 0),
                sigmf.capture(150, None, None, 300),
            ),
        )
        i, q = stored.reshape(NUM_SAMPLES, 2, 2).T.astype(np.float64) / 32768
        expected = (i + 1j * q).astype(np.complex64)
        np.testing.assert_array_equal(found.read(), expected)
        np.testing.assert_array_equal(found.read(7, 13), expected[:, 7:20])
        np.testing.assert_array_equal(found.read(start=190), expected[:, 190:])
        self.assertEqual(found.read(NUM_SAMPLES).shape, (2, 0))
        self.assertEqual(found.read(3, 0).shape, (2, 0))
        self.assertEqual(found.read().dtype, np.complex64)

    def test_reading_beyond_the_end_is_refused_by_name(self):
        self.put()
        found = bearing.load_recording(self.meta)
        for word, arguments in (
            ("start", (-1,)),
            ("start", (NUM_SAMPLES + 1,)),
            ("start", (0.5,)),
            ("start", (True,)),
            ("count", (0, NUM_SAMPLES + 1)),
            ("count", (10, NUM_SAMPLES - 9)),
            ("count", (0, -1)),
        ):
            with self.assertRaisesRegex(ValueError, word):
                found.read(*arguments)
        os.truncate(self.data, 8)
        with self.assertRaisesRegex(bearing.recording_error, "r.sigmf-data"):
            found.read()
        self.data.unlink()
        with self.assertRaisesRegex(bearing.recording_error, "r.sigmf-data"):
            found.read()

    def test_floats_come_bit_by_bit(self):
        bits = np.random.default_rng(3).integers(0, 2**64, (100, 3), np.uint64)
        bits[0, 0] = 0x7FA0000180000000  # a signalling NaN with a payload, and -0
        document = {
            "global": {
                "core:datatype": "cf32_le",
                "core:version": "1.2.3",
                "core:sample_rate": 1.5,
                "core:num_channels": 3,
            },
            "captures": [],
            "annotations": [],
        }
        self.put(document, bits.astype("<u8").tobytes())
        found = bearing.load_recording(self.meta)
        np.testing.assert_array_equal(found.read().view(np.uint64), bits.T)
        self.assertEqual(found.captures, (sigmf.capture(0),))
        self.assertIsNone(found.array)
        self.assertIsNone(found.heading_deg)

    def test_bytes_are_signed_and_of_full_scale_128(self):
        stored = np.arange(-128, 128, dtype=np.int8)
        document = valid_document()
        document["global"].update({"core:datatype": "ci8"})
        document["global"].pop("bearing:num_samples")
        document["captures"] = document["annotations"] = []
        self.put(document, stored.tobytes())
        expected = stored.reshape(-1, 2, 2) / 128
        found = bearing.load_recording(self.meta).read()
        np.testing.assert_array_equal(found.real, expected[:, :, 0].T)
        np.testing.assert_array_equal(found.imag, expected[:, :, 1].T)

    def test_either_file_or_their_stem_names_a_recording(self):
        self.put()
        for path in (self.meta, self.data, self.folder / "r", str(self.folder / "r")):
            self.assertEqual(bearing.load_recording(path).path, self.meta)
        # A stem may hold dots.
        self.meta.rename(self.folder / "r.1.sigmf-meta")
        self.data.rename(self.folder / "r.1.sigmf-data")
        self.assertEqual(bearing.load_recording(self.folder / "r.1").num_samples, NUM_SAMPLES)

    def test_one_channel_is_the_default(self):
        document = valid_document()
        for key in ("num_channels", "recorder", "description"):
            document["global"].pop("core:" + key)
        for key in [k for k in document["global"] if k.startswith("bearing:")]:
            document["global"].pop(key)
        self.put(document)
        found = bearing.load_recording(self.meta)
        self.assertEqual((found.num_channels, found.num_samples), (1, 2 * NUM_SAMPLES))

    def test_the_wavelength_may_come_from_the_first_frequency(self):
        document = valid_document()
        document["global"].pop("bearing:wavelength_m")
        self.put(document)
        self.assertEqual(bearing.load_recording(self.meta).array.wavelength, 299792458 / 333e6)
        for frequency in (None, 0, -333e6):
            document["captures"][0]["core:frequency"] = frequency
            if frequency is None:
                document["captures"][0].pop("core:frequency")
            self.put(document)
            self.assert_refused("bearing:wavelength_m", "core:frequency")

    def test_indices_count_from_core_offset(self):
        document = valid_document()
        document["global"]["core:offset"] = 10**12
        for entry in document["captures"] + document["annotations"]:
            entry["core:sample_start"] += 10**12
        self.put(document)
        starts = [c.start for c in bearing.load_recording(self.meta).captures]
        self.assertEqual(starts, [0, 50, 150])
        document["captures"][0]["core:sample_start"] = 0
        self.put(document)
        self.assert_refused("captures[0] core:sample_start", "core:offset")

    def test_samples_before_the_first_capture_have_one_of_their_own(self):
        document = valid_document()
        document["captures"] = document["captures"][1:]
        document["global"].pop("bearing:positions_m")
        document["global"].pop("bearing:calibration")
        self.put(document)
        found = bearing.load_recording(self.meta).captures
        self.assertEqual(found[0], sigmf.capture(0))
        self.assertEqual([c.start for c in found], [0, 50, 150])

    def test_jumps_of_the_global_index_are_gaps(self):
        document = valid_document()
        document["captures"] = [
            {"core:sample_start": 0},
            {"core:sample_start": 10, "core:global_index": 10},  # nothing lost
            {"core:sample_start": 20, "core:global_index": 27},  # 7 lost
            {"core:sample_start": 30},
            {"core:sample_start": 40, "core:global_index": 47},  # nothing more lost
            {"core:sample_start": 50, "core:global_index": 3},  # backwards
            {"core:sample_start": 60, "core:global_index": 100, "bearing:gap": 5},
        ]
        document["global"].pop("bearing:positions_m")
        document["global"].pop("bearing:calibration")
        self.put(document)
        gaps = [c.gap for c in bearing.load_recording(self.meta).captures]
        self.assertEqual(gaps, [None, None, 7, None, None, 0, 5])

    def test_a_leap_second_is_the_first_of_the_next_minute(self):
        document = valid_document()
        document["captures"][0]["core:datetime"] = "2016-12-31T23:59:60.5Z"
        self.put(document)
        self.assertEqual(bearing.load_recording(self.meta).captures[0].rx_time, (1483228800, 0.5))

    def test_digits_beyond_a_double_are_rounded(self):
        document = valid_document()
        for digits, time in (("9" * 400, (1, 0.0)), ("1" + "0" * 500, (0, 0.1))):
            document["captures"][0]["core:datetime"] = f"1970-01-01T00:00:00.{digits}Z"
            self.put(document)
            self.assertEqual(bearing.load_recording(self.meta).captures[0].rx_time, time)

    def test_a_capture_in_the_middle_knows_its_time(self):
        rate = 3e6
        captures = (
            sigmf.capture(0, 1e8, (1000, 0.9)),
            sigmf.capture(100, 2e8),  # follows without a gap
            sigmf.capture(200, 2e8, None, 50, True),  # a known gap
            sigmf.capture(300, 3e8, None, 0),  # an unknown one
            sigmf.capture(400, 3e8, (5000, 0.0), None, True),
        )
        sigmf.write_metadata(self.meta, "ci8", rate, 1, captures)
        self.data.write_bytes(bytes(2 * 500))
        found = bearing.load_recording(self.meta)

        def at(sample):
            return found.capture_at(sample)

        def time(seconds, fraction, samples):
            total = seconds + Fraction(fraction) + Fraction(samples) / Fraction(rate)
            return total.numerator // total.denominator, float(total % 1)

        self.assertEqual(at(0), captures[0])
        self.assertEqual(at(10), sigmf.capture(10, 1e8, time(1000, 0.9, 10)))
        self.assertEqual(at(100), sigmf.capture(100, 2e8, time(1000, 0.9, 100)))
        self.assertEqual(at(200).rx_time, time(1000, 0.9, 250))
        self.assertEqual(at(200).gap, 50)
        self.assertEqual(at(201).gap, None)
        self.assertEqual(at(299).rx_time, time(1000, 0.9, 349))
        self.assertEqual((at(300).rx_time, at(399).rx_time), (None, None))
        self.assertEqual(at(499), sigmf.capture(499, 3e8, time(5000, 0.0, 99), None, True))
        with self.assertRaisesRegex(ValueError, "sample"):
            at(500)

    def test_an_unfinished_recording_is_read_as_far_as_it_goes(self):
        document = valid_document()
        document["global"].pop("bearing:num_samples")
        document["global"]["bearing:unfinished"] = True
        # 60 samples and a piece: the metadata know more than reached the disk.
        self.put(document, bytes(8 * 60 + 5))
        found = bearing.load_recording(self.meta)
        self.assertEqual(found.num_samples, 60)
        self.assertEqual([c.start for c in found.captures], [0, 50])
        self.assertEqual(found.read().shape, (2, 60))
        self.put(document, b"")
        self.assertEqual(bearing.load_recording(self.meta).num_samples, 0)

    def test_unknown_fields_and_optional_extensions_are_passed_over(self):
        document = valid_document()
        document["global"]["core:hw"] = {"not": "even a string"}
        document["global"]["core:sha512"] = "0" * 128
        document["captures"][0]["weather:wind"] = [[[]]]
        document["more"] = None
        self.put(document)
        self.assertEqual(bearing.load_recording(self.meta).num_samples, NUM_SAMPLES)

    def test_core_dataset_names_a_file_in_the_same_folder(self):
        document = valid_document()
        document["global"]["core:dataset"] = "samples of monday.raw"
        self.put(document)
        self.assert_refused("samples of monday.raw", "missing")
        self.data.rename(self.folder / "samples of monday.raw")
        found = bearing.load_recording(self.meta)
        self.assertEqual(found.data_path, self.folder / "samples of monday.raw")


class qa_refused_metadata(sigmf_test_case):
    def refused(self, change, *words):
        document = valid_document()
        change(document)
        with self.subTest(words=words):
            self.put(document)
            return self.assert_refused(*words)

    def test_missing_fields_are_named(self):
        for key in ("global", "captures", "annotations"):
            self.refused(lambda d: d.pop(key), key, "missing")
        for key in ("core:datatype", "core:version", "core:sample_rate"):
            self.refused(lambda d: d["global"].pop(key), key, "missing")
        self.refused(lambda d: d["captures"][1].pop("core:sample_start"), "captures[1] core:sample")
        self.refused(lambda d: d["annotations"][0].pop("core:sample_start"), "annotations[0] core:")

    def test_wrong_types_and_values_are_named(self):
        wrong = {
            "core:datatype": [None, 5, [], "rf32_le", "cf32_be", "cf64_le", "", "cf32_le "],
            "core:version": [1.0, "1", "2.0.0", "v1.0.0", "1.0", "9" * 5000 + ".0.0"],
            "core:sample_rate": [True, "1e6", None, 0, -1, 0.5, 1e13, 10**30, [], {}],
            "core:num_channels": [True, "2", 2.0, 0, -1, 65, 10**30, None],
            "core:offset": [-1, 0.0, "0", 2**64, False],
            "core:description": [5, None, ["a"]],
            "core:metadata_only": [True, 1, "true", None],
            "core:trailing_bytes": [1, -1, True, "1"],
            "core:dataset": [5, None, ""],
            "bearing:num_samples": [-1, 1.0, True, "200", NUM_SAMPLES + 1, 10**40],
            "bearing:unfinished": [1, "true", None],
            "bearing:heading_deg": [True, "12", None, 361, -1e300],
            "bearing:wavelength_m": [True, "1", None, 0, -1],
            "bearing:positions_m": [
                5, {}, [], [[0, 0, 0]], [[0, 0, 0]] * 3, [[0, 0], [1, 0]], [[0, 0, 0], 5],
                [[0, 0, 0], [True, 0, 0]], [[0, 0, 0], ["1", 0, 0]], [[0, 0, 0], [0, 0, 0]],
                [[0, 0, 0], [None, 0, 0]], "positions",
            ],
            "bearing:calibration": [5, [], "x", {}, {"version": 1}, None],
        }
        for key, values in wrong.items():
            for value in values:
                self.refused(lambda d: d["global"].update({key: value}), "global " + key)
        wrong = {
            "core:sample_start": [True, 0.0, "0", -1, 2**63, 10**4000, None],
            "core:frequency": [True, "1e8", None, 2e12, -2e12, [1]],
            "core:datetime": [5, None, "", "yesterday", "2024-02-30T00:00:00Z",
                              "2024-02-03T00:00:00", "2024-02-03 00:00:00Z",
                              "2024-02-03T00:00:00+00:00", "2024-02-03T00:00:61Z",
                              "2024-02-03T24:00:00Z", "2024-02-03T00:00:00.Z",
                              "1955-11-05T14:00:00.000Z", "2024-02-03T00:00:00." + "1" * 1101 + "Z",
                              "٢٠٢٤-02-03T00:00:00Z", "0000-01-01T00:00:00Z",
                              "2024-02-03T00:00:00Z\n"],
            "core:global_index": [-1, 1.5, True, "1", 2**64],
            "core:header_bytes": [4, -1, True, "4"],
            "bearing:gap": [-1, 0.0, True, "0", 2**64],
            "bearing:frequency_repeated": [0, "false", None],
        }
        for key, values in wrong.items():
            for value in values:
                self.refused(lambda d: d["captures"][0].update({key: value}), f"captures[0] {key}")
        for key in ("global", "captures", "annotations"):
            for value in (None, 5, "x", True):
                self.refused(lambda d: d.update({key: value}), key)
        for key in ("captures", "annotations"):
            for value in (None, 5, "x", True, []):
                self.refused(lambda d: d[key].insert(1, value), f"{key}[1]")
        self.refused(lambda d: d["annotations"][0].update({"core:label": 5}), "core:label")
        self.refused(lambda d: d["annotations"][0].update({"core:sample_count": -1}), "_count")

    def test_extensions_that_are_needed_but_unknown(self):
        def declare(extension):
            return lambda d: d["global"]["core:extensions"].append(extension)

        self.refused(
            declare({"name": "secret", "version": "1.0.0", "optional": False}),
            "core:extensions[2]", "secret",
        )
        for extension in (
            5, None, "bearing", {}, {"name": "a"}, {"name": "a", "version": "1"},
            {"name": 5, "version": "1", "optional": True},
            {"name": "a", "version": 1.0, "optional": True},
            {"name": "a", "version": "1", "optional": 1},
        ):
            self.refused(declare(extension), "core:extensions[2]")
        self.refused(lambda d: d["global"].update({"core:extensions": {"a": "1"}}), "extensions")
        document = valid_document()
        document["global"]["core:extensions"][0]["optional"] = False
        self.put(document)
        self.assertEqual(bearing.load_recording(self.meta).num_channels, 2)

    def test_captures_and_annotations_in_disorder_or_beyond_the_end(self):
        self.refused(lambda d: d["captures"].reverse(), "captures[1] core:sample_start")
        self.refused(lambda d: d["captures"][2].update({"core:sample_start": 50}), "captures[2]")
        self.refused(
            lambda d: d["captures"][2].update({"core:sample_start": NUM_SAMPLES}),
            "captures[2] core:sample_start", str(NUM_SAMPLES),
        )
        self.refused(lambda d: d["captures"][2].update({"core:sample_start": 2**62}), "captures[2]")
        self.refused(lambda d: d["annotations"][0].update({"core:sample_start": 11}), "ons[1] core")
        self.refused(lambda d: d["annotations"][0].update({"core:sample_count": 191}), "ons[0] ")

    def test_a_data_file_that_does_not_fit(self):
        document = valid_document()
        self.put(document, bytes(8 * NUM_SAMPLES - 8))
        self.assert_refused("bearing:num_samples", "200", "199", "r.sigmf-data", "truncated")
        self.put(document, bytes(8 * NUM_SAMPLES + 3))
        self.assert_refused("core:num_channels", "core:datatype", "1603 bytes", "2 channels x 4")
        self.put(document, b"")
        self.assert_refused("bearing:num_samples")
        self.put(document)
        self.data.unlink()
        self.assert_refused("r.sigmf-data", "missing")
        self.data.mkdir()
        self.assert_refused("r.sigmf-data", "not a file")
        self.data.rmdir()
        os.mkfifo(self.data)
        self.assert_refused("r.sigmf-data", "not a file")

    def test_calibrations_that_do_not_fit(self):
        def calibration(**changes):
            return lambda d: d["global"]["bearing:calibration"].update(changes)

        word = "bearing:calibration"
        self.refused(calibration(num_elements=3), word)
        self.refused(calibration(num_elements=3, gains=[[1, 0]] * 3), word)
        self.refused(calibration(gains=[[1, 0], [0, 0, 0]]), word)
        self.refused(calibration(reference=7), word)
        self.refused(calibration(surprise=1), word)
        self.refused(calibration(version=10**39), word)
        self.refused(lambda d: d["global"].pop("bearing:positions_m"), word, "positions")
        self.refused(
            lambda d: d["global"].update({"bearing:positions_wavelengths": [[0, 0, 0], [1, 0, 0]]}),
            "bearing:positions_wavelengths",
        )

    def test_names_that_lead_elsewhere(self):
        (self.folder / "elsewhere").mkdir()
        secret = self.folder / "elsewhere" / "secret.raw"
        secret.write_bytes(bytes(8 * NUM_SAMPLES))
        for name in (
            "elsewhere/secret.raw", "../x.raw", str(secret), "..", ".", "/", "a\0b", "a\nb",
            "elsewhere\\secret.raw", "C:secret.raw", "x" * 256, "\ud800", "~/x|y",
        ):
            message = self.refused(lambda d: d["global"].update({"core:dataset": name}),
                                   "global core:dataset")
            self.assertIn("plain name", message)
        self.refused(lambda d: d["global"].update({"core:dataset": "elsewhere"}), "not a file")
        (self.folder / "link.raw").symlink_to(secret)
        self.refused(lambda d: d["global"].update({"core:dataset": "link.raw"}), "symbolic link")

    def test_text_that_is_no_metadata(self):
        for text, word in (
            (b"", "not JSON"),
            (b"\0" * 100, "not JSON"),
            (b"{", "not JSON"),
            (b"null", "top level"),
            (b"[]", "top level"),
            (b'"global"', "top level"),
            (b"1e999", "top level"),
            (b"\xef\xbb\xbf{}", "not JSON"),
            (b"\xff\xfe{\0}\0", "not UTF-8"),
            (b'{"global": "\xe9"}', "not UTF-8"),
            (b"[" * 1000000, "too deep"),
            (b'{"a":' * 1000000, "too deep"),
            (b"[" * 1500 + b"]" * 1500, "too deep"),
            (b"[NaN]", "[0] is no finite number"),
            (b'{"global": {"core:sample_rate": NaN}}', "global core:sample_rate"),
            (b'{"global": {"core:sample_rate": -Infinity}}', "global core:sample_rate"),
            (b'{"global": {"core:sample_rate": 1e999}}', "global core:sample_rate"),
            (b'{"global": {"a:b": [0, {"c": 1' + b"0" * 400 + b"}]}}", "global a:b[1] c"),
            (b'{"global": {"a": 1, "b": 2, "a": 3}}', '"a" stands twice'),
            (b'{"global": {}, "global": {}}', '"global" stands twice'),
            (b'{"\\ud800": 1, "\\ud800": 2}', "stands twice"),
            (b'{"' + b"x" * 100000 + b'": 1e999}', "no finite number"),
        ):
            with self.subTest(text=text[:40]):
                self.put(text)
                self.assert_refused(word)

    def test_text_of_a_few_megabytes_is_refused_in_time_and_memory_of_its_own_size(self):
        # In time or memory that grow with the square, each would take more than a minute or 3 GB.
        keys = ",".join(f'"k{k}":1' for k in range(100000))
        self.put(("{" + keys + ',"k99999":2}').encode())
        begin = time.monotonic()
        self.assert_refused('"k99999" stands twice')
        nest = '{"' + "x" * 56 + '":'
        deep = nest * 700 + "[" + "1," * 100000 + "1e999]" + "}" * 700
        for text, place in ((deep, "xxx[100000] is no"), ("[" + deep + ",-1e999]", "xxx[100000]")):
            self.put(text.encode())
            tracemalloc.start()
            try:
                self.assert_refused(place)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            # A value takes up to a hundred bytes.
            self.assertLess(peak, 100 * 2**20)
        self.assertLess(time.monotonic() - begin, 20.0)

    def test_deep_nesting_short_of_the_limit_is_passed_over(self):
        document = json.dumps(valid_document())
        for depth in (100, 400, 700):
            nest = "[" * depth + "]" * depth
            for target in ('"weather:cloud_cover": ', '"gains": '):
                text = re.sub(re.escape(target) + r"[\[{]", target + nest + ', "x:y": [', document)
                text = document.replace(target, target + nest + ', "x:y": ')
                self.put(text.encode())
                if "gains" in target:
                    self.assert_refused("bearing:calibration")
                else:
                    self.assertEqual(bearing.load_recording(self.meta).num_channels, 2)

    def test_things_that_are_no_file(self):
        self.put()
        with self.assertRaisesRegex(FileNotFoundError, "nothing.sigmf-meta"):
            bearing.load_recording(self.folder / "nothing")
        with self.assertRaisesRegex(FileNotFoundError, "nowhere/r.sigmf-meta"):
            bearing.load_recording(self.folder / "nowhere" / "r.sigmf-meta")
        self.meta.unlink()
        self.meta.mkdir()
        self.assert_refused("not a file")
        self.meta.rmdir()
        os.mkfifo(self.meta)
        self.assert_refused("not a file")
        self.meta.unlink()
        self.meta.symlink_to(self.meta)
        self.assert_refused("cannot be read")
        self.assert_refused("cannot be read", path=self.data / "r.sigmf-meta")
        long = self.folder / ("x" * 250 + ".sigmf-meta")
        self.assert_refused("cannot be read", path=long)
        with self.assertRaisesRegex(bearing.recording_error, "cannot be read"):
            bearing.load_recording(str(self.folder / "a\0b"))

    def test_a_file_that_is_too_large(self):
        self.put()
        os.truncate(self.meta, 64 * 2**20 + 1)
        self.assert_refused("64 MiB")


class qa_hostile_metadata(sigmf_test_case):
    """Whatever stands in the file: a recording, or recording_error."""

    VALUES = [
        None, True, False, 0, 1, -1, 2, 64, 65, 2**31, 2**53 + 1, 2**62, 2**63, 2**64, 10**39,
        -(10**39), 1e-320, 0.5, 1e308, -1e308, "", "0", "core:datatype", "\0", "\ud800", "../x",
        "x" * 3000, [], {}, [[]], [{}], {"core:sample_start": 0}, [[0, 0, 0], [1, 0, 0]],
        [1e308, -1e308, 1e308], "9999-12-31T23:59:60.9999999999999999999Z", "cf32_le", "ci8",
    ]
    WORDS = [b"NaN", b"1e999", b"-", b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\u0000", b"\xff",
             b"\\", b"null", b"true", b"1e", b"0x1", b" ", b"\n", b"9" * 5000, b"[" * 5000]

    def outcome(self, text):
        self.meta.write_bytes(text)
        try:
            found = bearing.load_recording(self.meta)
        except bearing.recording_error as error:
            self.assertIn(str(self.meta), str(error))
            self.assertTrue(str(error).isprintable())
            return False
        self.assertLessEqual(found.num_samples * found.frame_size, 8 * NUM_SAMPLES)
        self.assertEqual(found.captures[0].start, 0)
        found.read(0, min(3, found.num_samples))
        if found.num_samples:
            found.capture_at(found.num_samples - 1)
        return True

    def places(self, value, path=()):
        """Every (container, key) of a document."""
        entries = []
        if isinstance(value, dict):
            entries = list(value.items())
        elif isinstance(value, list):
            entries = list(enumerate(value))
        for key, child in entries:
            yield value, key
            yield from self.places(child)

    def test_mutated_values(self):
        self.put()
        choose = random.Random(20)
        loaded = 0
        trials = 20000 if FULL else 4000
        for trial in range(trials):
            document = copy.deepcopy(valid_document())
            for _ in range(choose.choice([1, 1, 1, 2, 5])):
                holder, key = choose.choice(list(self.places(document)))
                action = choose.randrange(4)
                if action == 0:
                    del holder[key]
                elif action == 1 and isinstance(holder, list):
                    holder.insert(key, copy.deepcopy(choose.choice(self.VALUES)))
                elif action == 2:
                    other, name = choose.choice(list(self.places(document)))
                    holder[key] = copy.deepcopy(other[name])
                else:
                    holder[key] = copy.deepcopy(choose.choice(self.VALUES))
            loaded += self.outcome(json.dumps(document).encode())
        # Both outcomes occur: many fields are free text, optional or unknown.
        self.assertGreater(loaded, trials // 20)
        self.assertLess(loaded, trials * 19 // 20)

    def test_mutated_bytes(self):
        self.put()
        valid = json.dumps(valid_document(), indent=1).encode()
        choose = random.Random(21)
        loaded = 0
        trials = 20000 if FULL else 4000
        for trial in range(trials):
            text = bytearray(valid)
            for _ in range(choose.choice([1, 1, 2, 4])):
                at = choose.randrange(len(text))
                action = choose.randrange(5)
                if action == 0:
                    text[at] ^= 1 << choose.randrange(8)
                elif action == 1:
                    del text[at : at + choose.choice([1, 2, 10, 100])]
                elif action == 2:
                    text[at:at] = choose.choice(self.WORDS)
                elif action == 3:
                    start = choose.randrange(len(text))
                    text[at:at] = text[start : start + choose.choice([1, 10, 100])]
                elif trial % 10 == 0:
                    del text[at:]
                if not text:
                    break
            loaded += self.outcome(bytes(text))
        self.assertGreater(loaded, trials // 50)
        self.assertLess(loaded, trials * 19 // 20)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""bearing-convert: what goes through unchanged, what is counted, and what is refused."""

import contextlib
import io
import json
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import scipy.io

from gnuradio import bearing
from gnuradio.bearing.hier import sample_time
from gnuradio.bearing.tools import convert

from support import BUILD_DIR

FREQUENCY = 433.92e6
WAVELENGTH = 299792458.0 / FREQUENCY


def complex_noise(shape, seed=1, dtype=np.complex64):
    random = np.random.default_rng(seed)
    x = random.standard_normal(shape) + 1j * random.standard_normal(shape)
    return (0.2 * x).astype(dtype)


def hostile_floats(count, seed=2):
    """Every kind of single-precision bit pattern: NaN with payloads, infinities, denormals."""
    random = np.random.default_rng(seed)
    bits = random.integers(0, 2**32, count, dtype=np.uint32)
    bits[:6] = [0x7FC12345, 0xFFC00001, 0x7F812345, 0x7F800000, 0x80000000, 0x00000001]
    return bits


class qa_bearing_convert(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bearing-convert-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def path(self, name):
        return self.folder / name

    def convert(self, *arguments):
        """What it says on stderr; it must succeed."""
        code, said = self.attempt(*arguments)
        self.assertEqual(code, 0, said)
        return said

    def attempt(self, *arguments):
        """(exit code, what it says on stderr)"""
        stderr = io.StringIO()
        with contextlib.redirect_stderr(stderr):
            try:
                code = convert.main([str(a) for a in arguments])
            except SystemExit as end:  # of the parser of the command line
                code = end.code
        return code, stderr.getvalue()

    def refused(self, *arguments, naming=()):
        """Exit code 2, one line that holds these words, and nothing new in the folder."""
        before = sorted(self.folder.iterdir())
        code, said = self.attempt(*arguments)
        self.assertEqual(code, 2, said)
        self.assertTrue(said.splitlines()[-1].startswith("bearing-convert: "), said)
        if not said.startswith("usage:"):
            self.assertEqual(said.count("\n"), 1, said)
        for word in naming:
            self.assertIn(str(word), said)
        self.assertEqual(sorted(self.folder.iterdir()), before)

    def write_raw(self, name, values):
        np.asarray(values).tofile(self.path(name))
        return self.path(name)

    def write_sigmf(self, name="in", channels=5, samples=1000, **options):
        np.save(self.path("in.npy"), complex_noise((channels, samples)))
        arguments = [f"--{k.replace('_', '-')}={v}" for k, v in options.items()]
        path = self.path(f"{name}.sigmf-meta")
        self.convert(self.path("in.npy"), path, "--sample-rate", 1e6, *arguments)
        return path

    # Nothing lost

    def test_raw_to_sigmf_and_back_keeps_every_byte(self):
        values = {
            "ci8": np.arange(-128, 128, dtype=np.int8).repeat(30),
            "ci16_le": np.arange(-32768, 32768, dtype="<i2")[: 65536 // 30 * 30],
            "cf32_le": hostile_floats(3000).view("<f4"),
        }
        for name, components in values.items():
            with self.subTest(datatype=name):
                raw = self.write_raw("in.raw", components)
                meta = self.path(f"{name}.sigmf-meta")
                self.convert(raw, meta, "--channels", 3, "--datatype", name, "--sample-rate", 1e6)
                self.assertEqual(meta.with_suffix(".sigmf-data").read_bytes(), raw.read_bytes())
                recording = bearing.load_recording(meta)
                self.assertEqual(recording.datatype, name)
                self.assertEqual(recording.num_channels, 3)
                self.assertEqual(recording.num_samples, components.size // 6)
                back = self.path("back.raw")
                self.convert(meta, back, "--force")
                self.assertEqual(back.read_bytes(), raw.read_bytes())

    def test_npy_and_sigmf_agree_with_the_reader_bit_by_bit(self):
        x = hostile_floats(2 * 4 * 500).view(np.complex64).reshape(4, 500)
        for order in "CF":
            np.save(self.path("in.npy"), np.asarray(x, order=order))
            meta = self.path("x.sigmf-meta")
            self.convert(self.path("in.npy"), meta, "--sample-rate", 2.4e6, "--force")
            read = bearing.load_recording(meta).read()
            np.testing.assert_array_equal(read.view(np.uint32), x.view(np.uint32))
            self.convert(meta, self.path("back.npy"), "--force")
            back = np.load(self.path("back.npy"))
            self.assertEqual((back.dtype, back.shape), (x.dtype, x.shape))
            back = np.ascontiguousarray(back)
            np.testing.assert_array_equal(back.view(np.uint32), x.view(np.uint32))

    def test_integers_survive_the_way_through_floats(self):
        for name, dtype in (("ci8", "i1"), ("cu8", "u1"), ("ci16_le", "<i2"), ("ci16_be", ">i2"),
                            ("ci32_le", "<i4")):
            with self.subTest(datatype=name):
                limits = np.iinfo(dtype)
                random = np.random.default_rng(3)
                components = random.integers(limits.min, limits.max, 4000, endpoint=True)
                components[:2] = limits.min, limits.max
                raw = self.write_raw("in.bin", components.astype(dtype))
                wide = "cf64_le" if name == "ci32_le" else "cf32_le"
                self.convert(raw, self.path("f.npy"), "--channels", 2, "--input-datatype", name,
                             "--datatype", wide, "--force")
                said = self.convert(self.path("f.npy"), self.path("back.bin"),
                                    "--datatype", name, "--force")
                self.assertNotIn("clipped", said)
                self.assertEqual(self.path("back.bin").read_bytes(), raw.read_bytes())

    def test_a_raw_file_for_each_channel_both_ways(self):
        x = complex_noise((3, 700))
        names = [self.write_raw(f"channel{k}.c64", x[k]) for k in range(3)]
        meta = self.path("x.sigmf-meta")
        self.convert(*names, meta, "--sample-rate", 1e6)
        np.testing.assert_array_equal(bearing.load_recording(meta).read(), x)
        self.convert(meta, self.path("out.c64"), "--split")
        for k in range(3):
            self.assertEqual(self.path(f"out{k}.c64").read_bytes(), names[k].read_bytes())

    def test_mat_both_ways(self):
        x = complex_noise((4, 300))
        y = {"rx": x, "sample_rate": 2e6, "frequency": FREQUENCY, "weights": np.ones(4)}
        scipy.io.savemat(self.path("in.mat"), y)
        meta = self.path("x.sigmf-meta")
        self.convert(self.path("in.mat"), meta)
        recording = bearing.load_recording(meta)
        np.testing.assert_array_equal(recording.read(), x)
        self.assertEqual(recording.sample_rate, 2e6)
        self.assertEqual(recording.captures[0].rx_freq, FREQUENCY)
        self.convert(meta, self.path("out.mat"))
        back = scipy.io.loadmat(self.path("out.mat"))
        self.assertEqual(back["samples"].dtype, np.complex64)
        np.testing.assert_array_equal(back["samples"], x)
        self.assertEqual(float(back["sample_rate"]), 2e6)
        self.assertEqual(float(back["frequency"]), FREQUENCY)

    def test_double_precision_stays_where_it_can(self):
        x = complex_noise((2, 100), dtype=np.complex128)
        np.save(self.path("in.npy"), x)
        self.convert(self.path("in.npy"), self.path("out.mat"))
        np.testing.assert_array_equal(scipy.io.loadmat(self.path("out.mat"))["samples"], x)
        self.convert(self.path("in.npy"), self.path("out.bin"))
        back = np.fromfile(self.path("out.bin"), complex).reshape(-1, 2).T
        np.testing.assert_array_equal(back, x)

    # Arrays

    def test_shapes_of_arrays(self):
        x = complex_noise((3, 50))
        pairs = np.stack([x.real, x.imag], axis=-1)
        meta = self.path("x.sigmf-meta")
        for array, options, expected in (
            (x, [], x),
            (x.T, ["--transpose"], x),
            (pairs, [], x),
            (pairs.swapaxes(0, 1), ["--transpose"], x),
            (x[0], [], x[:1]),
            (x.astype(">c8"), [], x),
            (x.astype(complex), [], x),
        ):
            np.save(self.path("in.npy"), array)
            self.convert(self.path("in.npy"), meta, "--sample-rate", 1e6, "--force", *options)
            np.testing.assert_array_equal(bearing.load_recording(meta).read(), expected)

    def test_integer_pairs_are_of_full_scale(self):
        pairs = np.array([[[127, -128], [0, 64]]], dtype=np.int8)
        np.save(self.path("in.npy"), pairs)
        self.convert(self.path("in.npy"), self.path("x.sigmf-meta"), "--sample-rate", 1e6)
        recording = bearing.load_recording(self.path("x.sigmf-meta"))
        self.assertEqual(recording.datatype, "ci8")
        np.testing.assert_array_equal(recording.read(), [[127 / 128 - 1j, 0.5j]])

    def test_transposed_output(self):
        x = complex_noise((3, 50))
        raw = self.write_raw("in.c64", np.ascontiguousarray(x.T))
        for name, load in (
            ("out.npy", np.load),
            ("out.mat", lambda path: scipy.io.loadmat(path)["samples"]),
        ):
            self.convert(raw, self.path(name), "--channels", 3, "--transpose")
            np.testing.assert_array_equal(load(self.path(name)), x.T)

    def test_blocks_do_not_show(self):
        x = complex_noise((5, 1000))
        np.save(self.path("in.npy"), x)
        before = convert.BLOCK_COMPONENTS
        self.addCleanup(setattr, convert, "BLOCK_COMPONENTS", before)
        outputs = set()
        for components in (before, 10, 70, 9990):
            convert.BLOCK_COMPONENTS = components
            self.convert(self.path("in.npy"), self.path("out.cs16"), "--force")
            outputs.add(self.path("out.cs16").read_bytes())
            self.convert(self.path("in.npy"), self.path("out.mat"), "--force")
            np.testing.assert_array_equal(scipy.io.loadmat(self.path("out.mat"))["samples"], x)
        self.assertEqual(len(outputs), 1)

    def test_files_larger_than_memory_go_through(self):
        # Sparse, and with a quarter of a gigabyte of address space beyond what is loaded.
        size = 600_000_000
        with open(self.path("in.raw"), "wb") as file:
            file.truncate(size)
            file.seek(size - 10)
            file.write(bytes(range(10)))
        program = (
            "import resource, sys\n"
            "from gnuradio.bearing.tools import convert\n"
            "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
            "resource.setrlimit(resource.RLIMIT_AS, (used + 2**28,) * 2)\n"
            "sys.exit(convert.main(sys.argv[1:]))\n"
        )
        result = subprocess.run(
            [sys.executable, "-B", "-c", program, self.path("in.raw"), self.path("x.sigmf-meta"),
             "--channels=5", "--datatype=ci8", "--sample-rate=2.4e6"],
            capture_output=True, text=True, timeout=300,
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        recording = bearing.load_recording(self.path("x.sigmf-meta"))
        self.assertEqual(recording.num_samples, size // 10)
        expected = np.arange(10, dtype=np.float32).view(np.complex64) / 128
        np.testing.assert_array_equal(recording.read(size // 10 - 1)[:, 0], expected)

    # Scaling

    def test_what_is_clipped_is_counted_and_said(self):
        x = np.array([[0.5 + 1j, -1 - 1.5j, 2 + 0j, 0.996 + 0j]], dtype=np.complex64)
        np.save(self.path("in.npy"), x)
        said = self.convert(self.path("in.npy"), self.path("out.ci8"), "--quiet")
        # 1, -1.5 and 2 lie outside [-1, 127/128]; 0.996 * 128 = 127.49 rounds to 127.
        self.assertIn("3 of 8 values", said)
        self.assertIn("2 times full scale", said)
        values = np.fromfile(self.path("out.ci8"), np.int8)
        np.testing.assert_array_equal(values, [64, 127, -128, -128, 127, 0, 127, 0])
        scale = said.split("--scale ")[1].split()[0]
        said = self.convert(self.path("in.npy"), self.path("out.ci8"), "--quiet", "--force",
                            "--scale", scale)
        self.assertEqual(said, "")
        self.assertGreater(np.fromfile(self.path("out.ci8"), np.int8).max(), 124)

    def test_nan_becomes_zero_in_integers_and_is_said(self):
        x = np.array([[complex(np.nan, 0.25), complex(np.inf, -np.inf)]], dtype=np.complex64)
        np.save(self.path("in.npy"), x)
        said = self.convert(self.path("in.npy"), self.path("out.ci16"))
        self.assertIn("1 of 4 values were NaN", said)
        self.assertIn("2 of 4 values were too large", said)
        np.testing.assert_array_equal(
            np.fromfile(self.path("out.ci16"), "<i2"), [0, 8192, 32767, -32768]
        )

    def test_what_single_precision_cannot_hold_is_said(self):
        np.save(self.path("in.npy"), np.array([1e300 + 1j]))
        said = self.convert(self.path("in.npy"), self.path("x.sigmf-meta"), "--sample-rate", 1e6)
        self.assertIn("1 of 2 values", said)
        self.assertIn("infinite", said)

    def test_scale_multiplies(self):
        x = complex_noise((2, 20))
        np.save(self.path("in.npy"), x)
        self.convert(self.path("in.npy"), self.path("out.npy"), "--scale", 0.25)
        # A power of two: exact.
        np.testing.assert_array_equal(np.load(self.path("out.npy")), x / 4)

    # Metadata

    def test_metadata_come_from_the_command_line(self):
        calibration = bearing.calibration(gains=np.exp(1j * np.arange(5)))
        calibration.save(str(self.path("cal.json")))
        meta = self.write_sigmf(frequency=FREQUENCY, time="2024-05-01T14:00:00.1+02:00",
                                array="uca:5:0.25", calibration=self.path("cal.json"),
                                heading=30, description="five on a roof")
        recording = bearing.load_recording(meta)
        self.assertEqual(recording.captures[0].rx_freq, FREQUENCY)
        self.assertEqual(recording.captures[0].rx_time, (1714564800, 0.1))
        self.assertEqual(recording.heading_deg, 30.0)
        self.assertEqual(recording.description, "five on a roof")
        expected = bearing.array.uca(5, 0.25, WAVELENGTH).with_calibration(calibration)
        np.testing.assert_array_equal(recording.array.positions, expected.positions)
        self.assertEqual(recording.array.wavelength, WAVELENGTH)
        # Through JSON text, which gives back the same doubles.
        np.testing.assert_array_equal(recording.array.steering([70.0]), expected.steering([70.0]))

    def test_times_name_their_zone_or_are_utc_with_and_without_a_fraction(self):
        for text, expected in (
            ("2024-05-01T12:00:00", (1714564800, 0.0)),
            ("2024-05-01T12:00:00Z", (1714564800, 0.0)),
            ("2024-05-01T12:00:00,5Z", (1714564800, 0.5)),
            ("2024-05-01T14:00:00+02:00", (1714564800, 0.0)),
            ("2024-05-01T11:00:00.25-0100", (1714564800, 0.25)),
            ("9999-12-31T22:59:59-01:00", (253402300799, 0.0)),
        ):
            with self.subTest(text=text):
                self.assertEqual(sample_time.parse_iso_time(text), expected)
        for text in ("2024-05-01", "12:00:00Z", "1969-12-31T23:59:59Z", "2024-05-01T12:00:00ZZ"):
            with self.subTest(text=text), self.assertRaises(ValueError):
                sample_time.parse_iso_time(text)

    def test_metadata_survive_a_conversion_to_another_datatype(self):
        meta = self.write_sigmf(frequency=FREQUENCY, time="2024-05-01T12:00:00.123456789Z",
                                array="uca:5:0.25", heading=12.5)
        # Two captures, as a recording with a gap has them.
        document = json.loads(meta.read_text())
        document["captures"].append(
            {"core:sample_start": 400, "core:frequency": 4e8, "bearing:gap": 17}
        )
        meta.write_text(json.dumps(document))
        self.convert(meta, self.path("y.sigmf-meta"), "--datatype", "ci16_le")
        x, y = (bearing.load_recording(self.path(f"{n}.sigmf-meta")) for n in ("in", "y"))
        self.assertEqual((x.datatype, y.datatype), ("cf32_le", "ci16_le"))
        self.assertEqual(len(y.captures), 2)
        self.assertEqual(x.captures, y.captures)
        self.assertEqual((x.heading_deg, x.sample_rate), (y.heading_deg, y.sample_rate))
        np.testing.assert_array_equal(x.array.steering([10.0]), y.array.steering([10.0]))
        # Half a step of 16 bits.
        self.assertLessEqual(np.abs((x.read() - y.read()).real).max(), 0.5001 / 32768)
        self.refused(meta, self.path("z.sigmf-meta"), "--frequency", 1e9, naming=["2 captures"])

    def test_arrays_from_files(self):
        positions = np.array([[0, 0, 0], [0.3, 0.1, 0], [0.1, 0.4, 0.2]])
        np.savetxt(self.path("a.csv"), positions, delimiter=",", header="x,y,z", comments="")
        np.savetxt(self.path("b.txt"), positions)
        np.save(self.path("c.npy"), positions)
        np.save(self.path("x.npy"), complex_noise((3, 10)))
        for name in ("a.csv", "b.txt", "c.npy"):
            for options, wavelength in ((["--frequency", FREQUENCY], WAVELENGTH),
                                        (["--wavelengths"], None)):
                self.convert(self.path("x.npy"), self.path("x.sigmf-meta"), "--force",
                             "--sample-rate", 1e6, "--array", self.path(name), *options)
                array = bearing.load_recording(self.path("x.sigmf-meta")).array
                np.testing.assert_array_equal(array.positions, positions)
                self.assertEqual(array.wavelength, wavelength)

    # Files that are whole or not there

    def test_existing_files_are_kept_without_force(self):
        meta = self.write_sigmf()
        before = meta.with_suffix(".sigmf-data").read_bytes()
        np.save(self.path("other.npy"), complex_noise((5, 1000), seed=9))
        self.refused(self.path("other.npy"), meta, "--sample-rate", 1e6, naming=["--force"])
        self.assertEqual(meta.with_suffix(".sigmf-data").read_bytes(), before)
        self.convert(self.path("other.npy"), meta, "--sample-rate", 1e6, "--force")
        self.assertNotEqual(meta.with_suffix(".sigmf-data").read_bytes(), before)

    def test_a_file_may_replace_itself(self):
        meta = self.write_sigmf()
        x = bearing.load_recording(meta).read()
        self.convert(meta, meta, "--force", "--datatype", "ci16_le")
        recording = bearing.load_recording(meta)
        self.assertEqual(recording.datatype, "ci16_le")
        self.assertLessEqual(np.abs((recording.read() - x).real).max(), 0.5001 / 32768)

    def test_a_full_disk_leaves_nothing(self):
        # A limit of the size of files stands for the disk.
        raw = self.write_raw("in.raw", np.zeros(1_000_000, np.int8))
        for name in ("x.sigmf-meta", "x.npy", "x.mat", "x.bin"):
            options = ["--sample-rate=1e6"] if name.endswith("meta") else []
            result = subprocess.run(
                [BUILD_DIR / "apps" / "bearing-convert", raw, self.path(name), "--channels=5",
                 "--input-datatype=ci8", *options],
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000)),
                capture_output=True, text=True, timeout=60,
            )
            self.assertEqual(result.returncode, 2, result.stderr)
            self.assertIn("File too large", result.stderr)
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
            self.assertEqual([p.name for p in self.folder.iterdir()], ["in.raw"])

    def test_too_little_room_is_said_before_anything_is_written(self):
        size = 10 * shutil.disk_usage(self.folder).free // 10 * 10
        with open(self.path("in.raw"), "wb") as file:
            try:
                file.truncate(min(size, 2**43) // 10 * 10)
            except OSError:
                self.skipTest("the file system takes no sparse file larger than itself")
        self.refused(self.path("in.raw"), self.path("x.sigmf-meta"), "--channels=5",
                     "--datatype=ci8", "--sample-rate=1e6", naming=["left"])

    def test_ctrl_c_leaves_nothing(self):
        with open(self.path("in.raw"), "wb") as file:
            file.truncate(2_000_000_000)
        process = subprocess.Popen(
            [BUILD_DIR / "apps" / "bearing-convert", self.path("in.raw"),
             self.path("x.sigmf-meta"), "--channels=5", "--input-datatype=ci8",
             "--datatype=ci16_le", "--sample-rate=1e6"],
            stderr=subprocess.PIPE, text=True,
        )
        try:
            # Under way once its first file is there.
            while process.poll() is None and len(list(self.folder.iterdir())) < 2:
                pass
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
        self.assertEqual(process.returncode, 130, said)
        self.assertEqual([p.name for p in self.folder.iterdir()], ["in.raw"])

    # What is refused

    def test_bad_raw_files(self):
        raw = self.write_raw("in.raw", np.zeros(1001, np.int8))
        meta = self.path("x.sigmf-meta")
        options = ["--datatype=ci8", "--sample-rate=1e6"]
        self.refused(raw, meta, "--channels=5", *options,
                     naming=["in.raw", "1001 bytes", "10 bytes", "5 channels"])
        self.refused(raw, meta, *options, naming=["in.raw", "--channels"])
        self.refused(raw, meta, "--channels=5", "--sample-rate=1e6",
                     naming=["in.raw", "--input-datatype"])
        self.refused(raw, meta, "--channels=5", "--datatype=cf99", naming=["cf99"])
        self.refused(raw, meta, "--channels=0", *options, naming=["--channels"])
        self.refused(self.path("none.raw"), meta, "--channels=5", *options,
                     naming=["none.raw", "No such file"])
        empty = self.write_raw("empty.raw", np.zeros(0, np.int8))
        self.refused(empty, meta, "--channels=5", *options, naming=["empty.raw", "no samples"])
        many = self.write_raw("many.raw", np.zeros(130, np.int8))
        self.refused(many, meta, "--channels=65", *options, naming=["65", "64"])
        long = self.write_raw("long.c64", np.zeros(3, np.complex64))
        short = self.write_raw("short.c64", np.zeros(2, np.complex64))
        self.refused(long, short, meta, "--sample-rate=1e6", naming=["short.c64", "2", "3"])
        other = self.write_raw("other.ci8", np.zeros(24, np.int8))
        self.refused(long, other, meta, "--sample-rate=1e6", naming=["other.ci8", "ci8"])

    def test_bad_npy_files(self):
        meta = self.path("x.sigmf-meta")
        path = self.path("bad.npy")
        for array, words in (
            (np.zeros((3, 5)), ["float64", "3 x 5"]),
            (np.zeros((2, 3, 4), complex), ["2 x 3 x 4"]),
            (np.zeros((2, 2, 3, 2)), ["2 x 2 x 3 x 2"]),
            (np.zeros((), complex), []),
            (np.zeros((100, 5), complex), ["100 channels", "--transpose"]),
            (np.zeros((5, 0), complex), []),
            (np.zeros((0, 5), complex), []),
            (np.zeros((2, 3, 2), np.uint64), ["uint64"]),
            (np.zeros((2, 3, 2), bool), ["bool"]),
            (np.zeros((2, 3), np.clongdouble), ["complex256"]),
            (np.array(["a"]), []),
            (np.array([{"a": 1}], dtype=object), []),
        ):
            np.save(path, array)
            self.refused(path, meta, "--sample-rate=1e6", naming=["bad.npy", *words])
        np.save(path, complex_noise((3, 100)))
        whole = path.read_bytes()
        for content in (b"", b"\x93NUMPY", whole[:-1], whole[:60], b"x" * 200,
                        whole.replace(b"(3, 100)", b"(3, -1) ")):
            path.write_bytes(content)
            self.refused(path, meta, "--sample-rate=1e6", naming=["bad.npy"])
        with open(path, "wb") as file:
            np.savez(file, a=np.zeros(3))
        self.refused(path, meta, "--sample-rate=1e6", naming=["bad.npy", "archive"])
        self.refused(self.path("none.npy"), meta, naming=["none.npy", "No such file"])

    def test_bad_mat_files(self):
        meta = self.path("x.sigmf-meta")
        path = self.path("bad.mat")
        x = complex_noise((2, 50))
        scipy.io.savemat(path, {"a": x, "b": x})
        self.refused(path, meta, "--sample-rate=1e6", naming=["bad.mat", "a, b", "--variable"])
        self.refused(path, meta, "--sample-rate=1e6", "--variable=c", naming=["bad.mat", "a, b"])
        self.convert(path, meta, "--sample-rate=1e6", "--variable=b", "--force")
        for name in (meta, meta.with_suffix(".sigmf-data")):
            name.unlink()
        scipy.io.savemat(path, {"a": x.real})
        self.refused(path, meta, "--sample-rate=1e6", naming=["no complex"])
        self.refused(path, meta, "--sample-rate=1e6", "--variable=a", naming=["2 x 50"])
        # What MATLAB 7.3 writes: a text header of 512 bytes with version 0x0200, then HDF5.
        header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
        path.write_bytes(header.ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n" + bytes(100))
        self.refused(path, meta, "--sample-rate=1e6", naming=["7.3", "HDF5"])
        scipy.io.savemat(path, {"a": x})
        whole = path.read_bytes()
        for content in (b"", whole[:100], whole[:200], b"x" * 500):
            path.write_bytes(content)
            self.refused(path, meta, "--sample-rate=1e6", naming=["bad.mat"])
        self.refused(self.path("none.mat"), meta, naming=["none.mat", "No such file"])

    def test_bad_recordings(self):
        meta = self.write_sigmf()
        data = meta.with_suffix(".sigmf-data")
        text, content = meta.read_text(), data.read_bytes()
        out = self.path("out.npy")
        data.write_bytes(content[:-8])
        self.refused(meta, out, naming=["in.sigmf-meta", "core:num_channels"])
        data.write_bytes(content[:-40])
        self.refused(meta, out, naming=["in.sigmf-meta", "bearing:num_samples"])
        data.write_bytes(content)
        meta.write_text(text.replace("cf32_le", "rf32_le"))
        self.refused(meta, out, naming=["in.sigmf-meta", "core:datatype"])
        meta.unlink()
        self.refused(meta, out, naming=["in.sigmf-meta"])

    def test_bad_options(self):
        np.save(self.path("in.npy"), complex_noise((5, 100)))
        meta, source = self.path("x.sigmf-meta"), self.path("in.npy")
        rate = "--sample-rate=1e6"
        for options, words in (
            ([], ["--sample-rate"]),
            (["--sample-rate=0"], ["--sample-rate"]),
            (["--sample-rate=nan"], ["--sample-rate"]),
            (["--sample-rate=1e-3"], ["sample_rate"]),
            ([rate, "--frequency=-1"], ["--frequency"]),
            ([rate, "--scale=0"], ["--scale"]),
            ([rate, "--heading=inf"], ["--heading"]),
            ([rate, "--time=yesterday"], ["--time"]),
            ([rate, "--time=2024-13-01T00:00:00Z"], ["--time"]),
            ([rate, "--time=1969-12-31T23:59:59Z"], ["--time"]),
            ([rate, "--datatype=ci32_le"], ["ci32_le"]),
            ([rate, "--channels=4"], ["in.npy", "5 channels", "4"]),
            ([rate, "--array=uca:5:0.25"], ["--frequency", "--wavelengths"]),
            ([rate, "--wavelengths"], ["--wavelengths"]),
            ([rate, "--wavelengths", "--array=uca:4:0.25"], ["--array", "4 elements"]),
            ([rate, "--wavelengths", "--array=uca:5"], ["--array uca:5"]),
            ([rate, "--wavelengths", "--array=uca:5:-1"], ["--array uca:5:-1"]),
            ([rate, "--wavelengths", "--array=uca:2:1"], ["--array uca:2:1"]),
            ([rate, "--wavelengths", "--array=none.csv"], ["none.csv", "No such file"]),
            ([rate, "--calibration=none.json"], ["--array"]),
            ([rate, "--wavelengths", "--array=uca:5:1", "--calibration=none.json"], ["none.json"]),
            ([rate, "--input-datatype=ci8"], ["--input-datatype"]),
            ([rate, "--variable=x"], ["--variable"]),
            ([rate, "--split"], ["--split"]),
        ):
            with self.subTest(options=options):
                self.refused(source, meta, *options, naming=words)
        self.refused(source, self.path("x.xyz"), naming=["x.xyz", ".sigmf-meta"])
        self.refused(source, self.path("x.sigmf"), naming=["x.sigmf", "tar"])
        self.refused(source, self.path("x.npy"), "--heading=3", naming=["--heading"])
        self.refused(source, source, meta, rate, naming=["in.npy", "raw"])
        self.refused(source, self.path("none/x.npy"), naming=["none"])
        self.path("folder.npy").mkdir()
        self.refused(source, self.path("folder.npy"), "--force", naming=["folder"])

    def test_bad_positions(self):
        np.save(self.path("in.npy"), complex_noise((3, 100)))
        path = self.path("bad.csv")
        for text, words in (
            ("", ["no positions"]),
            ("0,0\n1,x\n2,2\n", ["line 2"]),
            ("0,0\n1\n2,2\n", ["line 2"]),
            ("0,0\n1,1,1\n2,2\n", ["line 2"]),
            ("0,0\nnan,1\n2,2\n", ["line 2"]),
            ("0,0\n0,0\n1,0\n", []),
            ("1,2\n" * 65, []),
            ("\0\xff" * 100, ["line 1"]),
            (" " * 2_000_000, ["larger"]),
        ):
            path.write_text(text)
            self.refused(self.path("in.npy"), self.path("x.sigmf-meta"), "--sample-rate=1e6",
                         "--wavelengths", f"--array={path}", naming=["bad.csv", *words])

    def test_the_installed_program_helps(self):
        result = subprocess.run(
            [BUILD_DIR / "apps" / "bearing-convert", "--help"], capture_output=True, text=True
        )
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for word in ("--transpose", "--calibration", "ci16_le", "SigMF"):
            self.assertIn(word, result.stdout)


if __name__ == "__main__":
    unittest.main()

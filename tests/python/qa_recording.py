#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings as streams: what a file holds comes out, what goes in comes back."""

import errno
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from fractions import Fraction
from pathlib import Path
from unittest import mock

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest

from gnuradio import bearing
from gnuradio.bearing.hier import recorder as recorder_module, sigmf
from qa_sigmf import complaints

# NumPy type and full scale of the stored components.
STORED = {"ci8": ("i1", 128), "ci16_le": ("<i2", 32768), "cf32_le": ("<f4", 1)}
RATE = 1e6
KINDS = ("rx_rate", "rx_time", "rx_freq", "gap")


def stored_samples(datatype, n, size, seed=1):
    """Random components as a file holds them: size x n x 2."""
    random = np.random.default_rng(seed)
    kind, full_scale = STORED[datatype]
    if full_scale == 1:
        # All bits, NaN and denormal numbers among them.
        bits = random.integers(0, 2**32, (size, n, 2), np.uint32)
        return bits.view(np.float32).astype("<f4", copy=False)
    return random.integers(-full_scale, full_scale, (size, n, 2)).astype(kind)


def as_complex(stored):
    """N x T complex64 of stored components; floats keep their bits."""
    if stored.dtype.kind == "f":
        pairs = np.ascontiguousarray(stored.transpose(1, 0, 2))
        return pairs.view(np.complex64)[:, :, 0]
    scaled = stored.astype(np.float64) / {1: 128, 2: 32768}[stored.dtype.itemsize]
    return (scaled[:, :, 0] + 1j * scaled[:, :, 1]).T.astype(np.complex64)


def bits(samples):
    return np.ascontiguousarray(samples, np.complex64).view(np.uint64)


def time_value(seconds, fraction):
    return pmt.make_tuple(pmt.from_uint64(seconds), pmt.from_double(fraction))


def tag(offset, key, value):
    return gr.tag_utils.python_to_tag((int(offset), pmt.intern(key), value, pmt.intern("qa")))


def told(tags, kinds=KINDS):
    """Tags as a sorted list of (offset, key, value)."""
    found = [(t.offset, pmt.symbol_to_string(t.key), pmt.to_python(t.value)) for t in tags]
    return sorted(entry for entry in found if entry[1] in kinds)


class outcome:
    """Samples (N x T) and, for each stream, the tags of a flowgraph."""

    def __init__(self, source, n, count=None):
        tb = gr.top_block()
        sinks = []
        with tempfile.TemporaryDirectory(prefix="qa_recording_") as folder:
            # A vector_sink_c gives Python's complex numbers, which quieten signalling NaNs.
            files = [os.path.join(folder, str(k)) for k in range(n)]
            for k, file in enumerate(files):
                sinks.append(blocks.vector_sink_c())
                samples = (source, k)
                if count is not None:
                    samples = blocks.head(gr.sizeof_gr_complex, count)
                    tb.connect((source, k), samples)
                tb.connect(samples, sinks[-1])
                tb.connect(samples, blocks.file_sink(gr.sizeof_gr_complex, file))
            tb.run()
            self.samples = np.array([np.fromfile(file, np.complex64) for file in files])
        self.tags = [told(s.tags()) for s in sinks]


class recording_test_case(gr_unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="qa_recording_")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.meta = self.folder / "r.sigmf-meta"
        self.data = self.folder / "r.sigmf-data"

    def put(self, stored, captures=(), datatype="cf32_le", rate=RATE, **fields):
        """Writes a SigMF recording of stored samples (T x N x 2) with nothing of the module."""
        document = {
            "global": {
                "core:datatype": datatype,
                "core:version": "1.0.0",
                "core:sample_rate": rate,
                "core:num_channels": stored.shape[1],
                **fields,
            },
            "captures": list(captures),
            "annotations": [],
        }
        self.meta.write_text(json.dumps(document))
        stored.tofile(self.data)

    def document(self):
        """Metadata that the sink wrote, which must obey the specification."""
        text = self.meta.read_bytes()
        self.assertEqual(complaints(text), [])
        return json.loads(text)

    def stored(self, datatype, n):
        return np.fromfile(self.data, STORED[datatype][0]).reshape(-1, n, 2)

    def record(self, samples, tags=(), rate=RATE, datatype="cf32_le", path=None, **options):
        """Records N x T samples with tags [(input, offset, key, value)]; the sink."""
        n = len(samples)
        tb = gr.top_block()
        sink = bearing.recording_sink(path or self.meta, n, rate, datatype, **options)
        for k in range(n):
            own = [tag(o, key, value) for i, o, key, value in tags if i == k]
            source = blocks.vector_source_c(samples[k], False, 1, own)
            tb.connect(source, (sink, k))
        tb.run()
        return sink


CAPTURES = [
    {
        "core:sample_start": 0,
        "core:frequency": 433e6,
        "core:datetime": "1970-01-01T00:16:40.25Z",
    },
    {"core:sample_start": 20001, "core:frequency": 434e6},
    {
        "core:sample_start": 30000,
        "core:frequency": 434e6,
        "core:datetime": "1970-01-01T00:16:41.5Z",
        "bearing:gap": 77,
    },
    {"core:sample_start": 49999, "bearing:gap": 0},
]
CAPTURE_TAGS = [
    (0, "rx_freq", 433e6),
    (0, "rx_rate", RATE),
    (0, "rx_time", (1000, 0.25)),
    (20001, "rx_freq", 434e6),
    (30000, "gap", 77),
    (30000, "rx_freq", 434e6),
    (30000, "rx_time", (1001, 0.5)),
    (49999, "gap", 0),
]


class qa_recording_source(recording_test_case):
    def test_the_module_is_the_one_under_test(self):
        self.assertIn("test_modules", bearing.__file__)

    def test_samples_are_those_of_the_file(self):
        for datatype in STORED:
            for n in (1, 2, 5, 7, 64):
                stored = stored_samples(datatype, n, 3001)
                self.put(stored, datatype=datatype)
                source = bearing.recording_source(self.meta)
                self.assertEqual((source.num_channels, source.sample_rate), (n, RATE))
                found = outcome(source, n)
                np.testing.assert_array_equal(bits(found.samples), bits(as_complex(stored)))
                self.assertEqual(found.tags, [[(0, "rx_rate", RATE)]] * n)

    def test_captures_become_tags_on_every_stream(self):
        for datatype in STORED:
            self.put(stored_samples(datatype, 3, 50000), CAPTURES, datatype)
            found = outcome(bearing.recording_source(self.meta), 3)
            self.assertEqual(found.samples.shape, (3, 50000))
            self.assertEqual(found.tags, [CAPTURE_TAGS] * 3)

    def test_a_start_inside_a_capture_advances_its_time(self):
        stored = stored_samples("ci16_le", 2, 50000)
        self.put(stored, CAPTURES, "ci16_le")
        for start, first in (
            (100, [("rx_freq", 433e6), ("rx_time", (1000, 0.2501))]),
            # After the retuning the time is still that of the first capture, further on.
            (20001, [("rx_freq", 434e6), ("rx_time", (1000, 0.270001))]),
            (25000, [("rx_freq", 434e6), ("rx_time", (1000, 0.275))]),
            # Nothing was lost in a stream that begins here.
            (30000, [("rx_freq", 434e6), ("rx_time", (1001, 0.5))]),
            (30001, [("rx_freq", 434e6), ("rx_time", (1001, 0.500001))]),
            (49999, []),
        ):
            with self.subTest(start=start):
                found = outcome(bearing.recording_source(self.meta, start_s=start / RATE), 2)
                np.testing.assert_array_equal(found.samples, as_complex(stored)[:, start:])
                expected = [(0, "rx_rate", RATE)] + [(0, *entry) for entry in first]
                later = [(o - start, k, v) for o, k, v in CAPTURE_TAGS if o > start]
                for tags in found.tags:
                    self.assertEqual(tags, sorted(expected) + later)

    def test_a_time_advanced_by_hours_is_exact(self):
        rate = 2.4e6 / 7
        self.put(stored_samples("ci8", 1, 8), CAPTURES[:1], "ci8", rate)
        size = 2 * 9_000_000_001
        os.truncate(self.data, size)  # sparse: 7 hours
        start = 9_000_000_000
        found = outcome(bearing.recording_source(self.meta, start_s=start / rate), 1)
        exact = Fraction(1000.25) + start / Fraction(rate)
        seconds, fraction = dict((k, v) for _, k, v in found.tags[0])["rx_time"]
        self.assertEqual(seconds, exact.numerator // exact.denominator)
        self.assertEqual(fraction, float(exact % 1))
        self.assertEqual(found.samples.shape, (1, 1))

    def test_repeats_start_with_the_same_tags(self):
        stored = stored_samples("ci8", 2, 700)
        self.put(stored, CAPTURES[:1], "ci8")
        found = outcome(bearing.recording_source(self.meta, True, start_s=100 / RATE), 2, 1500)
        expected = np.tile(as_complex(stored)[:, 100:], 3)[:, :1500]
        np.testing.assert_array_equal(found.samples, expected)
        first = [("rx_freq", 433e6), ("rx_rate", RATE), ("rx_time", (1000, 0.2501))]
        every = [(offset, *entry) for offset in (0, 600, 1200) for entry in first]
        self.assertEqual(found.tags, [every] * 2)

    def test_repeats_without_a_time_tell_of_the_jump(self):
        self.put(stored_samples("cf32_le", 2, 700))
        found = outcome(bearing.recording_source(self.meta, repeat=True), 2, 1500)
        expected = [(0, "rx_rate", RATE)]
        for offset in (700, 1400):
            expected += [(offset, "gap", 0), (offset, "rx_rate", RATE)]
        self.assertEqual(found.tags, [expected] * 2)

    def test_thousands_of_captures_come_out_in_their_places(self):
        size = 5000
        captures = [{"core:sample_start": 3 * k, "core:frequency": 1e8 + k} for k in range(size)]
        self.put(stored_samples("ci8", 2, 3 * size), captures, "ci8")
        found = outcome(bearing.recording_source(self.meta), 2)
        expected = [(0, "rx_freq", 1e8), (0, "rx_rate", RATE)]
        expected += [(3 * k, "rx_freq", 1e8 + k) for k in range(1, size)]
        self.assertEqual(found.tags, [expected] * 2)

    def test_real_time_keeps_the_pace(self):
        rate, seconds = 20000.0, 1.5
        self.put(stored_samples("ci8", 5, int(seconds * rate)), (), "ci8", rate)

        def duration(real_time):
            source = bearing.recording_source(self.meta, real_time=real_time)
            begun = time.monotonic()
            self.assertEqual(outcome(source, 5).samples.shape, (5, int(seconds * rate)))
            return time.monotonic() - begun

        # The throttle lets its first run, a twentieth of a second, pass at once; a loaded
        # machine may be late.
        self.assertGreater(duration(True), seconds - 0.2)
        self.assertLess(duration(True), seconds + 3.0)
        self.assertLess(duration(False), 0.5 * seconds)

    def test_real_time_comes_in_short_runs(self):
        self.put(stored_samples("ci8", 2, 4000), (), "ci8", 2000.0)
        source = bearing.recording_source(self.meta, real_time=True)
        tb = gr.top_block()
        sinks = [blocks.vector_sink_c(), blocks.vector_sink_c()]
        for k in range(2):
            tb.connect((source, k), sinks[k])
        tb.start()
        try:
            deadline = time.monotonic() + 5.0
            while not sinks[0].data() and time.monotonic() < deadline:
                time.sleep(0.01)
            # Two seconds of samples, far less than a buffer, and yet they do not come at once.
            self.assertLess(len(sinks[0].data()), 3500)
        finally:
            tb.stop()
            tb.wait()

    def test_array_and_heading_are_those_of_the_file(self):
        stored = stored_samples("ci8", 2, 10)
        positions = [[0, 0, 0], [0.25, 0, 0]]
        self.put(
            stored, CAPTURES[:1], "ci8",
            **{"bearing:positions_m": positions, "bearing:heading_deg": 30},
        )
        source = bearing.recording_source(str(self.folder / "r"), num_channels=2)
        np.testing.assert_array_equal(source.array.positions, positions)
        self.assertEqual(source.array.wavelength, 299792458 / 433e6)
        self.assertEqual(source.heading_deg, 30.0)
        self.assertEqual(source.recording.num_samples, 10)

    def test_a_recording_that_was_loaded_is_played_as_it_was(self):
        stored = stored_samples("ci8", 2, 100)
        self.put(stored, CAPTURES[:1], "ci8")
        found = bearing.load_recording(self.meta)
        with open(self.data, "ab") as file:  # as one that is still being written
            file.write(bytes(4 * 50))
        source = bearing.recording_source(found)
        self.assertIs(source.recording, found)
        np.testing.assert_array_equal(outcome(source, 2).samples, as_complex(stored))

    def test_names_of_any_bytes(self):
        samples = as_complex(stored_samples("ci8", 1, 100))
        name = os.path.join(self.folder, os.fsdecode(b"\xff \xc3\xa4"))
        self.record(samples, path=name)
        found = outcome(bearing.recording_source(name), 1)
        np.testing.assert_array_equal(found.samples, samples)
        self.record(samples, path=[name])
        found = outcome(bearing.recording_source([name], sample_rate=RATE), 1)
        np.testing.assert_array_equal(found.samples, samples)

    def test_raw_files_are_channels(self):
        for datatype in STORED:
            stored = stored_samples(datatype, 3, 2000)
            files = [self.folder / f"channel_{k}.raw" for k in range(3)]
            for k, file in enumerate(files):
                np.ascontiguousarray(stored[:, k]).tofile(file)
            source = bearing.recording_source(
                files, datatype=datatype, sample_rate=RATE, frequency=1e8, start_s=500 / RATE
            )
            self.assertEqual(
                (source.num_channels, source.sample_rate, source.recording, source.array),
                (3, RATE, None, None),
            )
            found = outcome(source, 3)
            np.testing.assert_array_equal(bits(found.samples), bits(as_complex(stored)[:, 500:]))
            self.assertEqual(found.tags, [[(0, "rx_freq", 1e8), (0, "rx_rate", RATE)]] * 3)
        found = outcome(
            bearing.recording_source(files[:1], True, False, 0.0, 1, "cf32_le", RATE), 1, 3000
        )
        self.assertEqual(
            found.tags, [[(0, "rx_rate", RATE), (2000, "gap", 0), (2000, "rx_rate", RATE)]]
        )

    def test_a_flowgraph_that_starts_again_does_not_lie(self):
        self.put(stored_samples("ci8", 2, 100000), CAPTURES, "ci8", 20000.0)
        source = bearing.recording_source(self.meta, repeat=True, real_time=True)
        tb = gr.top_block()
        sinks = [blocks.vector_sink_c(), blocks.vector_sink_c()]
        for k in range(2):
            tb.connect((source, k), sinks[k])
        for run in range(2):
            for sink in sinks:
                sink.reset()
            tb.start()
            deadline = time.monotonic() + 10.0
            while len(sinks[0].data()) < 2000 and time.monotonic() < deadline:
                time.sleep(0.01)
            tb.stop()
            tb.wait()
            first = [entry[1:] for entry in told(sinks[0].tags()) if entry[0] == 0]
            if run == 0:
                self.assertEqual([key for key, _ in first], ["rx_freq", "rx_rate", "rx_time"])
        # Somewhere in the file: neither time nor tuning are claimed.
        self.assertEqual(first, [("gap", 0), ("rx_rate", 20000.0)])

    def test_wrong_parameters_are_named(self):
        stored = stored_samples("ci8", 2, 100)
        self.put(stored, (), "ci8")
        raw = [self.folder / "a.raw", self.folder / "b.raw"]
        for file in raw:
            stored.tofile(file)
        nan = float("nan")
        for word, arguments in (
            ("num_channels is 3; .*r.sigmf-meta holds 2", {"num_channels": 3}),
            ("num_channels", {"num_channels": -1}),
            ("num_channels", {"num_channels": 2.0}),
            ("start_s", {"start_s": -1.0}),
            ("start_s", {"start_s": 100 / RATE}),
            ("start_s", {"start_s": nan}),
            ("start_s", {"start_s": "0"}),
            ("num_channels is 1; files holds 2", {"files": raw, "num_channels": 1}),
            ("sample_rate", {"files": raw, "sample_rate": 0.0}),
            ("sample_rate", {"files": raw, "sample_rate": nan}),
            ("datatype", {"files": raw, "datatype": "cf64_le"}),
            ("frequency", {"files": raw, "frequency": -1.0}),
            ("frequency", {"files": raw, "frequency": nan}),
            ("files", {"files": []}),
            ("files", {"files": 5}),
            ("files", {"files": [5]}),
            ("files", {"files": raw * 40}),
        ):
            with self.subTest(word=word, arguments=arguments):
                with self.assertRaisesRegex(ValueError, word):
                    bearing.recording_source(
                        **{"files": self.meta, "sample_rate": RATE, **arguments}
                    )

    def test_raw_files_that_do_not_fit_are_named(self):
        files = [self.folder / name for name in ("a.raw", "b.raw", "c.raw")]
        for file, size in zip(files, (800, 792, 800)):
            file.write_bytes(bytes(size))

        def assert_refused(*words, kind=bearing.recording_error):
            with self.assertRaises(kind) as caught:
                bearing.recording_source(files, sample_rate=RATE)
            for word in words:
                self.assertIn(word, str(caught.exception))

        assert_refused("b.raw holds 99 samples", "longest 100")
        files[1].write_bytes(bytes(801))
        assert_refused("b.raw has 801 bytes", "8 bytes")
        files[1].write_bytes(b"")
        assert_refused("b.raw has 0 bytes")
        files[1].unlink()
        assert_refused("no such file", "b.raw", kind=FileNotFoundError)
        os.mkfifo(files[1])
        assert_refused("b.raw is not a file")

    def test_broken_recordings_are_refused(self):
        with self.assertRaisesRegex(FileNotFoundError, "r.sigmf-meta"):
            bearing.recording_source(self.meta)
        self.put(stored_samples("ci8", 2, 100), (), "ci8")
        os.truncate(self.data, 399)
        with self.assertRaisesRegex(bearing.recording_error, "core:num_channels"):
            bearing.recording_source(self.meta)
        os.truncate(self.data, 0)
        with self.assertRaisesRegex(bearing.recording_error, "r.sigmf-meta.*no samples"):
            bearing.recording_source(self.meta)

    def test_files_beyond_4_gib(self):
        for datatype in STORED:
            n = 5
            kind, _ = STORED[datatype]
            frame = 2 * n * np.dtype(kind).itemsize
            stored = stored_samples(datatype, n, 3000)
            self.put(stored[:0], [], datatype)
            far = 5 * 2**32 // 4 // frame  # samples before 5 GiB
            retuned = far + 1000
            document = json.loads(self.meta.read_text())
            document["captures"] = [
                {"core:sample_start": 0, "core:frequency": 1e8},
                {"core:sample_start": retuned, "core:frequency": 2e8},
            ]
            self.meta.write_text(json.dumps(document))
            with open(self.data, "wb") as file:
                file.seek(far * frame)
                file.write(stored.tobytes())
            self.assertGreater(self.data.stat().st_size, 2**32)
            found = bearing.load_recording(self.meta)
            self.assertEqual(found.num_samples, far + 3000)
            expected = as_complex(stored)
            np.testing.assert_array_equal(bits(found.read(far)), bits(expected))
            np.testing.assert_array_equal(
                bits(found.read(far + 10, 20)), bits(expected[:, 10:30])
            )
            np.testing.assert_array_equal(found.read(0, 3), np.zeros((n, 3)))
            source = bearing.recording_source(self.meta, start_s=(far - 500) / RATE)
            played = outcome(source, n)
            np.testing.assert_array_equal(bits(played.samples[:, 500:]), bits(expected))
            np.testing.assert_array_equal(played.samples[:, :500], 0)
            tags = [(0, "rx_freq", 1e8), (0, "rx_rate", RATE), (1500, "rx_freq", 2e8)]
            self.assertEqual(played.tags, [tags] * n)

    def test_covariances_mix_no_two_captures(self):
        n, snapshots = 3, 1000
        stored = stored_samples("ci16_le", n, 50000)
        self.put(stored, CAPTURES, "ci16_le")
        source = bearing.recording_source(self.meta)
        covariance = bearing.covariance(n, snapshots)
        sink = blocks.vector_sink_c(n * n)
        tb = gr.top_block()
        for k in range(n):
            tb.connect((source, k), (covariance, k))
        tb.connect(covariance, sink)
        tb.run()
        starts = [s for first, last in ((0, 20001), (20001, 30000), (30000, 49999))
                  for s in range(first, last - snapshots + 1, snapshots)]
        items = np.reshape(sink.data(), (-1, n, n)).transpose(0, 2, 1)
        self.assertEqual(len(items), len(starts))
        x = as_complex(stored).astype(complex)
        for item, start in zip(items, starts):
            block = x[:, start : start + snapshots]
            # The samples are about 0.6 each; the block promises 3e-6 of their power.
            np.testing.assert_allclose(item, block @ block.conj().T / snapshots, atol=3e-6)
        times = {t.offset: pmt.to_python(t.value) for t in sink.tags()
                 if pmt.symbol_to_string(t.key) == "rx_time"}
        for item, start in enumerate(starts):
            since = 0.25 + start / RATE if start < 30000 else 1.5 + (start - 30000) / RATE
            # A double of this size resolves 2e-16 s.
            self.assertAlmostEqual(times[item][0] - 1000 + times[item][1], since, delta=1e-12)

    def test_repeats_mix_no_two_passes(self):
        for captures in (CAPTURES[:1], []):
            stored = stored_samples("ci16_le", 2, 2500)
            self.put(stored, captures, "ci16_le")
            source = bearing.recording_source(self.meta, repeat=True)
            covariance = bearing.covariance(2, 1000)
            head, sink = blocks.head(4 * gr.sizeof_gr_complex, 5), blocks.vector_sink_c(4)
            tb = gr.top_block()
            for k in range(2):
                tb.connect((source, k), (covariance, k))
            tb.connect(covariance, head, sink)
            tb.run()
            items = np.reshape(sink.data(), (5, 4))
            # Rounding depends on how samples come; those of other samples differ by 0.01.
            np.testing.assert_allclose(items[2:4], items[:2], atol=3e-6)
            np.testing.assert_allclose(items[4], items[0], atol=3e-6)
            self.assertGreater(np.max(np.abs(items[1] - items[0])), 1e-3)


class qa_recording_sink(recording_test_case):
    def round_trip(self, samples, tags, datatype="cf32_le", **options):
        """Records, checks the metadata, and compares what the source makes of the recording."""
        sink = self.record(samples, tags, datatype=datatype, **options)
        self.assertIsNone(sink.ended)
        document = self.document()
        n, size = samples.shape
        self.assertEqual(document["global"]["bearing:num_samples"], size)
        self.assertNotIn("bearing:unfinished", document["global"])
        self.assertEqual(self.data.stat().st_size, size * n * 2 * self.stored(datatype, n).itemsize)
        found = outcome(bearing.recording_source(self.meta), n)
        np.testing.assert_array_equal(bits(found.samples), bits(samples))
        expected = {(o, key, pmt.to_python(value)) for _, o, key, value in tags}
        expected.add((0, "rx_rate", RATE))
        self.assertEqual(found.tags, [sorted(expected)] * n)
        return document

    def test_what_goes_in_comes_back_bit_by_bit_with_its_tags(self):
        size = 60000
        for datatype in STORED:
            for n in (1, 5):
                tags = []
                for k in range(n):
                    tags += [
                        (k, 0, "rx_rate", pmt.from_double(RATE)),
                        (k, 0, "rx_time", time_value(1700000000, 1 / 3)),
                        (k, 0, "rx_freq", pmt.from_double(433.92e6)),
                        (k, 1, "rx_freq", pmt.from_double(434e6)),
                        (k, 17777, "gap", pmt.from_uint64(2**63 + 1)),
                        (k, 17777, "rx_time", time_value(1700000123, np.nextafter(1, 0))),
                        (k, 30000, "rx_time", time_value(1700000200, 5e-324)),
                        # The same frequency again is a tag as well.
                        (k, 40000, "rx_freq", pmt.from_double(434e6)),
                        (k, 40001, "gap", pmt.from_uint64(0)),
                        (k, size - 1, "rx_freq", pmt.from_double(1 / 3)),
                    ]
                # Vectors of Python's complex numbers quieten NaNs, which are tested below.
                samples = as_complex(stored_samples(datatype, n, size))
                samples[np.isnan(samples)] = 0
                self.round_trip(samples, tags, datatype)

    def test_the_file_holds_what_numpy_reads(self):
        samples = as_complex(stored_samples("ci16_le", 3, 5000))
        tags = [
            (0, 0, "rx_freq", pmt.from_double(1e8)),
            (0, 0, "rx_time", time_value(951782400, 0.5)),
            (0, 2000, "gap", pmt.from_uint64(9)),
            (0, 3000, "rx_freq", pmt.from_double(2e8)),
        ]
        array = bearing.array.uca(3, 0.3, 0.9)
        self.record(samples, tags, datatype="ci16_le", array=array, heading_deg=99.5,
                    description="roof")
        i, q = self.stored("ci16_le", 3).T.astype(float) / 32768
        np.testing.assert_array_equal(i + 1j * q, samples)
        document = self.document()
        top = document["global"]
        self.assertEqual(top["core:datatype"], "ci16_le")
        self.assertEqual((top["core:sample_rate"], top["core:num_channels"]), (RATE, 3))
        self.assertEqual(top["core:description"], "roof")
        self.assertEqual(top["bearing:positions_m"], array.positions.tolist())
        self.assertEqual(top["bearing:wavelength_m"], 0.9)
        self.assertEqual(top["bearing:heading_deg"], 99.5)
        self.assertEqual(top["bearing:num_samples"], 5000)
        self.assertEqual(
            document["captures"],
            [
                {
                    "core:sample_start": 0,
                    "core:frequency": 1e8,
                    "core:datetime": "2000-02-29T00:00:00.5Z",
                },
                # SigMF: the frequency does not carry over, so it is told again.
                {
                    "core:sample_start": 2000,
                    "core:frequency": 1e8,
                    "bearing:gap": 9,
                    "bearing:frequency_repeated": True,
                },
                {"core:sample_start": 3000, "core:frequency": 2e8},
            ],
        )
        self.assertEqual(document["annotations"], [])

    def test_nan_keeps_its_payload(self):
        stored = stored_samples("cf32_le", 2, 3000)
        stored[::3, 0, 0].view(np.uint32)[...] |= 0x7F800001
        self.put(stored)
        source = bearing.recording_source(self.meta)
        sink = bearing.recording_sink(self.folder / "copy", 2, RATE)
        tb = gr.top_block()
        for k in range(2):
            tb.connect((source, k), (sink, k))
        tb.run()
        self.assertEqual((self.folder / "copy.sigmf-data").read_bytes(), self.data.read_bytes())

    def test_integers_round_and_clip(self):
        # Half a step either way, and beyond full scale.
        samples = np.array([[0.4 / 128, 0.6 / 128, 1.0, 5.0, -5.0, -1.0 - 1.0j]], np.complex64)
        self.record(samples, datatype="ci8")
        np.testing.assert_array_equal(
            self.stored("ci8", 1)[:, 0], [[0, 0], [1, 0], [127, 0], [127, 0], [-128, 0], [-128] * 2]
        )

    def test_a_tag_on_a_single_input_counts(self):
        for k in range(3):
            tags = [(k, 0, "rx_freq", pmt.from_double(1e8)), (k, 700, "gap", pmt.from_uint64(3))]
            self.round_trip(as_complex(stored_samples("ci8", 3, 1000)), tags, "ci8")

    def test_the_lowest_input_is_believed(self):
        tags = [
            (2, 50, "rx_freq", pmt.from_double(3e8)),
            (1, 50, "rx_freq", pmt.from_double(2e8)),
        ]
        self.record(np.zeros((3, 100)), tags)
        self.assertEqual(
            self.document()["captures"][1], {"core:sample_start": 50, "core:frequency": 2e8}
        )

    def test_values_that_make_no_sense_are_ignored(self):
        tags = [
            (0, 10, "rx_time", pmt.from_double(5.0)),
            (0, 20, "rx_time", time_value(253402300800, 0.0)),
            (0, 30, "rx_time", time_value(5, float("nan"))),
            (0, 40, "rx_time", time_value(0, -0.5)),
            (0, 50, "rx_freq", pmt.intern("high")),
            (0, 60, "rx_freq", pmt.from_double(float("inf"))),
            (0, 70, "rx_freq", pmt.from_double(1e13)),
            (0, 80, "rx_rate", pmt.intern("fast")),
            (0, 90, "other", pmt.from_long(1)),
            (0, 91, "rx_freq", pmt.from_complex(1j)),
            (0, 92, "rx_freq", pmt.PMT_T),
            (0, 93, "rx_freq", pmt.from_uint64(5)),
            (0, 94, "rx_rate", pmt.PMT_NIL),
        ]
        sink = self.record(np.zeros((2, 200)), tags)
        self.assertIsNone(sink.ended)
        self.assertEqual(self.document()["captures"], [{"core:sample_start": 0}])
        # Times whose fraction overflows are times; a gap of whatever kind is a gap.
        tags = [
            (0, 10, "rx_time", time_value(5, 1.25)),
            (0, 20, "rx_time", time_value(5, -0.25)),
            (0, 30, "gap", pmt.intern("some")),
            (0, 40, "gap", pmt.from_long(-3)),
            (0, 50, "gap", pmt.from_long(4)),
            (0, 60, "rx_freq", pmt.from_long(10**8)),
        ]
        self.record(np.zeros((2, 200)), tags)
        self.assertEqual(
            self.document()["captures"][1:],
            [
                {"core:sample_start": 10, "core:datetime": "1970-01-01T00:00:06.25Z"},
                {"core:sample_start": 20, "core:datetime": "1970-01-01T00:00:04.75Z"},
                {"core:sample_start": 30, "bearing:gap": 0},
                {"core:sample_start": 40, "bearing:gap": 0},
                {"core:sample_start": 50, "bearing:gap": 4},
                {"core:sample_start": 60, "core:frequency": 1e8},
            ],
        )

    def test_nothing_is_written_under_a_wrong_rate(self):
        samples = as_complex(stored_samples("ci8", 2, 50000))
        for at in (1, 33333):
            tags = [
                (0, 0, "rx_rate", pmt.from_double(RATE)),
                (1, at, "rx_rate", pmt.from_double(2e6)),
                (1, at, "rx_freq", pmt.from_double(5e8)),
            ]
            sink = self.record(samples, tags, datatype="ci8")
            self.assertIn("rx_rate", sink.ended)
            document = self.document()
            self.assertEqual(document["global"]["bearing:num_samples"], at)
            self.assertEqual(document["captures"], [{"core:sample_start": 0}])
            found = bearing.load_recording(self.meta)
            np.testing.assert_array_equal(found.read(), samples[:, :at])
        # The same rate after somebody's arithmetic is the same rate.
        sink = self.record(samples, [(0, 9, "rx_rate", pmt.from_double(RATE * (1 + 1e-12)))])
        self.assertIsNone(sink.ended)

    def test_the_rate_of_the_first_sample_is_the_rate(self):
        samples = as_complex(stored_samples("ci8", 2, 5000))
        for told, recorded in ((2403846.15, 2403846.15), (-1.0, RATE), (1e13, RATE)):
            sink = self.record(samples, [(1, 0, "rx_rate", pmt.from_double(told))], datatype="ci8")
            self.assertEqual(sink.ended is None, told == recorded)
            self.assertEqual(self.document()["global"]["core:sample_rate"], recorded)
            size = 5000 if told == recorded else 0
            self.assertEqual(self.document()["global"]["bearing:num_samples"], size)

    def test_clipped_values_are_counted_and_told(self):
        random = np.random.default_rng(8)
        quiet = (random.uniform(-0.9, 0.9, (2, 4000, 2)) @ [1, 1j]).astype(np.complex64)
        loud = quiet.copy()
        loud[1, 1000:1060] = 3 - 2j
        for datatype in ("ci8", "ci16_le", "cf32_le"):
            self.assertEqual(self.record(quiet, datatype=datatype).at_full_scale, 0)
            expected = 0 if datatype == "cf32_le" else 120
            self.assertEqual(self.record(loud, datatype=datatype).at_full_scale, expected)
        # What is told goes to the log, which is a program's own stdout.
        program = (
            "import sys\nfrom gnuradio import bearing, blocks, gr\n"
            "tb = gr.top_block()\n"
            "source = blocks.vector_source_c([float(sys.argv[2])] * 10000)\n"
            "sink = bearing.recording_sink(sys.argv[1], 1, 1e6, 'ci16_le')\n"
            "tb.connect(source, sink)\ntb.run()\n"
        )
        for value, times in (("0.5", 0), ("1.5", 1)):
            output = subprocess.run(
                [sys.executable, "-B", "-c", program, self.meta, value],
                check=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=60,
            ).stdout
            self.assertEqual(output.count("clipped"), times, output)

    def test_a_time_at_every_packet_does_not_fill_the_metadata(self):
        rate = 1000.0
        limit = 20
        size = 400 * 10

        def packet_time(k):
            seconds = 100 + k / 100 + 0.5 * (k >= 300)
            return pmt.make_tuple(
                pmt.from_uint64(int(seconds)), pmt.from_double(seconds % 1.0)
            )

        # Of 400 packets, packet 300 comes half a second late.
        tags = [
            (0, 10 * k, "rx_time", packet_time(k)) for k in range(400)
        ]
        with mock.patch.object(recorder_module, "MAX_CONFIRMATIONS", limit):
            sink = self.record(np.zeros((1, size)), tags, rate)
        self.assertIsNone(sink.ended)
        starts = [c.start for c in bearing.load_recording(self.meta).captures]
        self.assertEqual(starts, [10 * k for k in range(limit)] + [3000])
        self.assertEqual(bearing.load_recording(self.meta).captures[-1].rx_time, (103, 0.5))

    def test_the_flowgraph_goes_on_when_the_recording_has_ended(self):
        tb = gr.top_block()
        tags = [tag(100, "rx_rate", pmt.from_double(2e6))]
        source = blocks.vector_source_c(np.zeros(2000000), False, 1, tags)
        sink = bearing.recording_sink(self.meta, 1, RATE)
        other = blocks.vector_sink_c()
        tb.connect(source, sink)
        tb.connect(source, other)
        tb.run()
        self.assertEqual(len(other.data()), 2000000)
        self.assertEqual(bearing.load_recording(self.meta).num_samples, 100)

    def test_a_tag_at_every_sample_meets_a_limit(self):
        limit = 3000
        self.assertEqual(recorder_module.MAX_CAPTURES, 50000)
        size = 2 * limit
        tags = [(0, k, "rx_freq", pmt.from_double(1e8 + k)) for k in range(size)]
        samples = as_complex(stored_samples("ci8", 2, size))
        with mock.patch.object(recorder_module, "MAX_CAPTURES", limit):
            sink = self.record(samples, tags, datatype="ci8")
        self.assertIn(str(limit), sink.ended)
        found = bearing.load_recording(self.meta)
        self.assertEqual((found.num_samples, len(found.captures)), (limit, limit))
        self.assertEqual(found.captures[-1].rx_freq, 1e8 + limit - 1)
        np.testing.assert_array_equal(found.read(), samples[:, :limit])

    def test_as_many_captures_as_are_allowed_are_readable(self):
        # The longest that a capture can be, but for the digits of absurdly small fractions.
        captures = [
            bearing.capture(2**40 + k, 1e11 / 3, (253402300799, 1.2345678901234567e-5), 2**64 - 1,
                            True)
            for k in range(recorder_module.MAX_CAPTURES)
        ]
        sigmf.write_metadata(self.meta, "ci8", RATE, 1, captures)
        self.assertLess(self.meta.stat().st_size, sigmf.MAX_METADATA_BYTES // 2)

    def test_a_recording_is_readable_while_it_is_written(self):
        rate = 50000.0
        array = bearing.array.ula(2, 0.5)
        tags = [tag(0, "rx_freq", pmt.from_double(1e8)), tag(10000, "gap", pmt.from_uint64(5))]
        x = as_complex(stored_samples("ci8", 1, 10**6))[0]
        source = blocks.vector_source_c(x, False, 1, tags)
        throttle = blocks.throttle(gr.sizeof_gr_complex, rate)
        throttle.set_max_noutput_items(500)
        sink = bearing.recording_sink(self.meta, 2, rate, "ci8", array)
        # Before the flowgraph starts there is a recording without samples.
        self.assertEqual(bearing.load_recording(self.meta).num_samples, 0)
        tb = gr.top_block()
        tb.connect(source, throttle)
        tb.connect(throttle, (sink, 0))
        tb.connect(throttle, (sink, 1))
        tb.start()
        try:
            deadline = time.monotonic() + 20.0
            while time.monotonic() < deadline:
                found = bearing.load_recording(self.meta)
                if len(found.captures) > 1:
                    break
                time.sleep(0.05)
            self.assertEqual(found.captures, (bearing.capture(0, 1e8),
                                              bearing.capture(10000, 1e8, None, 5, True)))
            self.assertEqual(found.array.n, 2)
            document = self.document()
            self.assertIs(document["global"]["bearing:unfinished"], True)
            self.assertNotIn("bearing:num_samples", document["global"])
            np.testing.assert_array_equal(found.read(), [x[: found.num_samples]] * 2)
        finally:
            tb.stop()
            tb.wait()
        document = self.document()
        self.assertNotIn("bearing:unfinished", document["global"])
        found = bearing.load_recording(self.meta)
        # Nothing of what reached the file is left out, and nothing else is claimed.
        self.assertLessEqual(document["global"]["bearing:num_samples"], found.num_samples)
        self.assertGreater(document["global"]["bearing:num_samples"], 10000)
        np.testing.assert_array_equal(found.read(), [x[: found.num_samples]] * 2)

    def test_a_stop_in_full_flight_claims_only_what_is_in_the_file(self):
        for datatype in STORED:
            tb = gr.top_block()
            sink = bearing.recording_sink(self.meta, 4, RATE, datatype)
            source = blocks.null_source(gr.sizeof_gr_complex)
            for k in range(4):
                tb.connect(source, (sink, k))
            tb.start()
            time.sleep(0.2)
            tb.stop()
            tb.wait()
            document = self.document()
            found = bearing.load_recording(self.meta)
            self.assertGreater(found.num_samples, 0)
            self.assertLessEqual(document["global"]["bearing:num_samples"], found.num_samples)

    def test_a_flowgraph_that_starts_again_goes_on_with_the_recording(self):
        tb = gr.top_block()
        sink = bearing.recording_sink(self.meta, 1, RATE, "ci8")
        source = blocks.vector_source_c(np.zeros(1000), False)
        tb.connect(source, sink)
        for _ in range(3):
            source.rewind()
            tb.run()
        found = bearing.load_recording(self.meta)
        self.assertEqual(found.num_samples, 3000)
        self.assertEqual(
            found.captures,
            (bearing.capture(0), bearing.capture(1000, gap=0), bearing.capture(2000, gap=0)),
        )

    def test_an_old_recording_is_replaced(self):
        self.record(np.ones((2, 500)), [(0, 100, "gap", pmt.from_uint64(3))])
        self.record(np.zeros((1, 20)), datatype="ci8")
        found = bearing.load_recording(self.meta)
        self.assertEqual((found.num_channels, found.num_samples), (1, 20))
        self.assertEqual(found.captures, (bearing.capture(0),))
        self.assertEqual(sorted(os.listdir(self.folder)), ["r.sigmf-data", "r.sigmf-meta"])

    def test_raw_files_come_back(self):
        files = [str(self.folder / f"{k}.raw") for k in range(3)]
        for datatype in STORED:
            samples = as_complex(stored_samples(datatype, 3, 7000))
            samples[np.isnan(samples)] = 0
            self.record(samples, datatype=datatype, path=files)
            self.assertEqual(sorted(os.listdir(self.folder)), ["0.raw", "1.raw", "2.raw"])
            kind, full_scale = STORED[datatype]
            for k in range(3):
                parts = np.fromfile(files[k], kind).reshape(-1, 2) / np.float64(full_scale)
                np.testing.assert_array_equal(parts[:, 0] + 1j * parts[:, 1], samples[k])
            source = bearing.recording_source(files, datatype=datatype, sample_rate=RATE)
            np.testing.assert_array_equal(bits(outcome(source, 3).samples), bits(samples))

    def test_raw_files_are_equally_long_however_the_flowgraph_stops(self):
        files = [self.folder / f"{k}.raw" for k in range(5)]
        tb = gr.top_block()
        sink = bearing.recording_sink(files, 5, RATE)
        source = blocks.null_source(gr.sizeof_gr_complex)
        for k in range(5):
            tb.connect(source, (sink, k))
        for _ in range(2):
            tb.start()
            time.sleep(0.2)
            tb.stop()
            tb.wait()
            sizes = {file.stat().st_size for file in files}
            self.assertEqual(len(sizes), 1)
        self.assertGreater(sizes.pop(), 0)

    def test_a_disk_that_fills_up_ends_the_recording_in_good_order(self):
        tb = gr.top_block()
        source = blocks.null_source(gr.sizeof_gr_complex)
        throttle = blocks.throttle(gr.sizeof_gr_complex, 1e5)
        sink = bearing.recording_sink(self.meta, 1, 1e5)
        tb.connect(source, throttle, sink)
        tb.start()
        try:
            with mock.patch.object(recorder_module.shutil, "disk_usage") as usage:
                usage.return_value.free = 2**20
                deadline = time.monotonic() + 20.0
                while sink.ended is None and time.monotonic() < deadline:
                    time.sleep(0.05)
        finally:
            tb.stop()
            tb.wait()
        self.assertIn("disk", sink.ended)
        found = bearing.load_recording(self.meta)
        self.assertEqual(found.num_samples, sink.num_samples)

    def test_no_stream_is_too_fast_for_the_disk(self):
        # Unthrottled, far above the sample rate: no look once a second would be in time.
        room = 64 * 2**20

        def usage(_):
            return mock.Mock(free=room - self.data.stat().st_size if self.data.exists() else room)

        tb = gr.top_block()
        head = blocks.head(gr.sizeof_gr_complex, 4 * room // 8)
        with mock.patch.object(recorder_module.shutil, "disk_usage", usage):
            sink = bearing.recording_sink(self.meta, 1, 1e5)
            tb.connect(blocks.null_source(gr.sizeof_gr_complex), head, sink)
            tb.run()
        self.assertIn("disk", sink.ended)
        self.assertLess(self.data.stat().st_size, room)
        self.assertEqual(bearing.load_recording(self.meta).num_samples, sink.num_samples)

    def test_what_the_system_does_not_take_is_not_claimed(self):
        # A limit of the size of files stands for quotas and disks that fail: file_sink is silent.
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        size = 1_000_003
        samples = as_complex(stored_samples("ci16_le", 1, 500_000))
        for path, names in (
            (self.meta, [self.data]),
            ([self.folder / "a.raw"], [self.folder / "a.raw"]),
        ):
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
            try:
                sink = self.record(samples, path=path)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            self.assertIn(f"could not be written to {names[0]}", sink.ended)
            # Whole samples only.
            self.assertEqual(names[0].stat().st_size, size // 8 * 8)
            np.testing.assert_array_equal(
                np.fromfile(names[0], np.complex64), samples[0, : size // 8]
            )
        self.assertEqual(self.document()["global"]["bearing:num_samples"], size // 8)
        self.assertEqual(bearing.load_recording(self.meta).num_samples, size // 8)

    def test_a_full_disk_is_told_by_the_constructor(self):
        with mock.patch.object(recorder_module.shutil, "disk_usage") as usage:
            usage.return_value.free = 2**20
            with self.assertRaisesRegex(OSError, "path.*free") as caught:
                bearing.recording_sink(self.meta, 5, 2.4e6)
        self.assertEqual(caught.exception.errno, errno.ENOSPC)
        self.assertEqual(os.listdir(self.folder), [])

    def test_wrong_parameters_are_named(self):
        line = bearing.array.ula(3, 0.5)
        for word, arguments in (
            ("num_channels", {"num_channels": 0}),
            ("num_channels", {"num_channels": 65}),
            ("num_channels", {"num_channels": 1.0}),
            ("sample_rate", {"sample_rate": 0.0}),
            ("sample_rate", {"sample_rate": float("nan")}),
            ("sample_rate", {"sample_rate": "1e6"}),
            ("datatype", {"datatype": "cf32"}),
            ("array", {"array": line}),
            ("array", {"array": "ula"}),
            ("heading_deg", {"heading_deg": float("inf")}),
            ("heading_deg", {"heading_deg": 400.0}),
            ("description", {"description": 5}),
            ("path", {"path": ""}),
            ("path", {"path": str(self.folder) + "/"}),
            ("path", {"path": str(self.folder / "a\0b")}),
            ("path", {"path": 5}),
            ("path", {"path": [self.folder / "a"]}),
            ("path", {"path": [self.folder / "a"] * 2}),
            ("path", {"path": [5, 6]}),
        ):
            with self.subTest(word=word, arguments=arguments):
                everything = {"path": self.meta, "num_channels": 2, "sample_rate": RATE}
                with self.assertRaisesRegex(ValueError, word):
                    bearing.recording_sink(**{**everything, **arguments})
                self.assertEqual(os.listdir(self.folder), [])

    def test_paths_that_cannot_be_written_are_told_by_the_constructor(self):
        self.data.mkdir()
        with self.assertRaisesRegex(IsADirectoryError, "path.*r.sigmf-data"):
            bearing.recording_sink(self.meta, 2, RATE)
        with self.assertRaisesRegex(FileNotFoundError, "path.*nowhere"):
            bearing.recording_sink(self.folder / "nowhere" / "r", 2, RATE)
        with self.assertRaisesRegex(OSError, "path"):
            bearing.recording_sink(self.folder / ("x" * 300), 2, RATE)
        with self.assertRaisesRegex(OSError, "path"):
            bearing.recording_sink("/proc/r", 2, RATE)
        self.data.rmdir()
        os.mkfifo(self.data)
        # With a reader, or opening would fail for another reason.
        reader = os.open(self.data, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        with self.assertRaisesRegex(ValueError, "path.*not a file"):
            bearing.recording_sink(self.meta, 2, RATE)
        self.data.unlink()
        self.meta.mkdir()
        with self.assertRaisesRegex(IsADirectoryError, "path"):
            bearing.recording_sink(self.meta, 2, RATE)

    def test_no_thread_outlives_the_flowgraph(self):
        self.record(np.zeros((2, 100)))
        self.assertNotIn("recording_sink", [thread.name for thread in threading.enumerate()])


if __name__ == "__main__":
    unittest.main()

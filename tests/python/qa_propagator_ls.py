#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Least squares along propagators on streams: the running blocks."""

import threading
import time
import unittest

import numpy as np
import pmt
from gnuradio import blocks, gr

import dispersive_line as line
from gnuradio import bearing
from support import FULL, reference_data, stored_messages

# A loaded machine may need this long, in seconds, for what usually takes a tenth.
PATIENCE = 60.0


# Splits are random, of one sample to this many.
LONGEST_RUN = 9973

# A block length at which densities are given, and its bins in Hz.
BLOCK = 8192
BINS = np.arange(BLOCK // 2 + 1) * line.RATE / BLOCK


def block_that_knows(source_psd, noise_psd=line.NOISE**2 / line.RATE):
    return bearing.propagator_ls_ff(
        line.propagator(),
        line.RATE,
        block_length=BLOCK,
        source_psd=source_psd,
        noise_psd=noise_psd,
    )


# What goes in and what comes out -----------------------------------------------------------


def tag(offset, key, value):
    return gr.tag_utils.python_to_tag((int(offset), pmt.intern(key), value, pmt.intern("qa")))


def time_at(sample, seconds=1000):
    """rx_time of a sample when sample 0 was taken at that many seconds."""
    whole, rest = divmod(sample, line.RATE)
    return pmt.make_tuple(pmt.from_uint64(seconds + int(whole)), pmt.from_double(rest / line.RATE))


def f32(values):
    return pmt.init_f32vector(len(values), [float(v) for v in values])


def bearings(angles_deg, status="ok", **more):
    message = pmt.dict_add(pmt.make_dict(), pmt.intern("status"), pmt.intern(status))
    for key, value in more.items():
        message = pmt.dict_add(message, pmt.intern(key), value)
    return pmt.cons(message, f32(angles_deg))


class record_source(gr.sync_block):
    """N streams from a T x N array, in runs of random or given length; at(sample) is called when a
    run of its own is to begin there, for actions [(sample, function)]."""

    def __init__(self, d, tags=(), longest_run=None, seed=1, actions=()):
        dtype = np.complex64 if np.iscomplexobj(d) else np.float32
        n = d.shape[1]
        gr.sync_block.__init__(self, "record_source", None, [dtype] * n)
        self.d = np.ascontiguousarray(d.T, dtype=dtype)
        self.tags = tags
        self.done = 0
        self.longest_run = longest_run
        self.random = np.random.default_rng(seed)
        self.actions = list(actions)
        self.error = None

    def work(self, input_items, output_items):
        if self.actions and self.actions[0][0] == self.done:
            try:
                self.actions.pop(0)[1]()
            except Exception as error:
                # An exception in work() would leave the flowgraph waiting for ever.
                self.error = error
                return -1
        total = self.d.shape[1]
        size = min(len(output_items[0]), total - self.done)
        if self.longest_run:
            size = min(size, int(self.random.integers(1, self.longest_run + 1)))
        if self.actions:
            size = min(size, self.actions[0][0] - self.done)
        if size == 0:
            return -1
        if self.done == 0:
            for stream, offset, key, value in self.tags:
                self.add_item_tag(stream, offset, pmt.intern(key), value)
        for out, own in zip(output_items, self.d):
            out[:size] = own[self.done : self.done + size]
        self.done += size
        return size


class record_sink(gr.sync_block):
    """T x N what N streams brought, and their tags [(stream, offset, key, value)]."""

    def __init__(self, n, dtype):
        gr.sync_block.__init__(self, "record_sink", [dtype] * n, None)
        self.parts = []
        self.found = []

    def work(self, input_items, output_items):
        size = len(input_items[0])
        self.parts.append(np.array([items[:size] for items in input_items]))
        for k in range(len(input_items)):
            first = self.nitems_read(k)
            for t in self.get_tags_in_range(k, first, first + size):
                self.found.append((k, t.offset, pmt.symbol_to_string(t.key), t.value))
        return size

    def record(self):
        return np.concatenate(self.parts, axis=1).T if self.parts else np.empty((0, 0))


class run:
    """What a block makes of d, T x N: .signal, .source (K streams), .tags, .messages."""

    def __init__(
        self,
        block,
        d,
        tags=(),
        longest_run=None,
        max_noutput_items=None,
        sources=0,
        actions=(),
        seed=1,
    ):
        self.block = block
        n = d.shape[1]
        tb = gr.top_block()
        # Blocks written in Python must outlive the flowgraph.
        self.source_block = record_source(d, tags, longest_run, seed, actions)
        dtype = np.complex64 if np.iscomplexobj(d) else np.float32
        self.sink = record_sink(n + sources, dtype)
        debug = blocks.message_debug()
        for k in range(n):
            tb.connect((self.source_block, k), (block, k))
        for k in range(n + sources):
            tb.connect((block, k), (self.sink, k))
        tb.msg_connect((block, "spectra"), (debug, "store"))
        if max_noutput_items:
            tb.run(max_noutput_items)
        else:
            tb.run()
        if self.source_block.error:
            raise self.source_block.error
        both = self.sink.record()
        self.signal, self.source = both[:, :n], both[:, n:]
        self.tags = sorted(self.sink.found, key=lambda t: t[:3])
        self.messages = [message(stored) for stored in stored_messages(debug)]


class message:
    """A dict of port spectra, its values as Python has them; .keys"""

    def __init__(self, dict_):
        self.values = {}
        pairs = pmt.dict_items(dict_)
        for k in range(pmt.length(pairs)):
            pair = pmt.nth(k, pairs)
            self.values[pmt.symbol_to_string(pmt.car(pair))] = pmt.to_python(pmt.cdr(pair))

    def __getattr__(self, key):
        return self.values[key]


def middle(samples, more=0):
    """Samples that the ends of a record do not reach: streams are no circles, and waves take 2000
    samples from end to end of the line."""
    return slice(4000 + more, samples - 4000)


class qa_propagator_ls(unittest.TestCase):
    LONG = 1 << 18

    @classmethod
    def setUpClass(cls):
        cls.record = line.record(cls.LONG, 1)
        cls.oracle = cls.record.wiener()[0]

    def test_the_module_is_the_one_under_test(self):
        self.assertIn("test_modules", bearing.__file__)

    # What it estimates ----------------------------------------------------------------------

    def test_the_stream_of_a_periodic_record_is_the_known_one(self):
        with np.load(reference_data("data", "golden_propagator.npz")) as known:
            d, expected = (own if len(own) == 5000 else own.T for own in (known["d"], known["ls"]))
        periods = 40
        block = bearing.propagator_ls_ff(line.propagator(), line.RATE, "ls", block_length=8192)
        found = run(block, np.tile(d, (periods, 1)), longest_run=LONGEST_RUN).signal
        own = middle(len(found))
        error = line.nmse_db(found[own], np.tile(expected, (periods, 1))[own])
        print(f"known record, repeated: {error:.1f} dB from its least squares")
        # Filters that are cut at their support leave about -100 dB; so does single precision.
        self.assertLess(error, -80.0)

    def test_with_known_densities_the_stream_is_the_whole_record(self):
        block = block_that_knows(line.source_density(BINS))
        one = run(block, self.record.data, longest_run=LONGEST_RUN)
        own = middle(self.LONG)
        error = line.nmse_db(one.signal[own], self.oracle[own])
        print(f"known densities: {error:.1f} dB from the whole record")
        self.assertLess(error, -80.0)

    def test_learnt_densities_come_within_a_tenth_of_a_decibel_of_the_oracle(self):
        own = middle(self.LONG, 36000)
        limit = line.nmse_db(self.oracle[own], self.record.signal[own])
        for averaging in (4, 16):
            block = bearing.propagator_ls_ff(line.propagator(), line.RATE, averaging=averaging)
            one = run(block, self.record.data, longest_run=LONGEST_RUN, sources=1)
            self.assertEqual(one.signal.shape, self.record.data.shape)
            gap = line.nmse_db(one.signal[own], self.record.signal[own]) - limit
            print(f"averaging over {averaging} blocks: {gap:.3f} dB from the oracle")
            self.assertLess(gap, 0.1)
        # The first sensor hears the source itself.
        np.testing.assert_allclose(one.source[:, 0], one.signal[:, 0], atol=1e-6)
        # The whole record at once learns from all of it.
        batch = bearing.core.propagator_ls(self.record.data, line.RATE, line.propagator())
        found = line.nmse_db(one.signal[own], batch.signal[own])
        first = line.nmse_db(one.signal[own, 0], batch.signal[own, 0])
        print(f"against the whole record: {found:.1f} dB, first sensor {first:.1f} dB")
        self.assertLess(found, -45.0)
        self.assertLess(first, -40.0)

    def test_it_gains_over_least_squares(self):
        # From the first block on, which has learnt from itself alone.
        own = middle(self.LONG)
        for seed in range(1, 11 if FULL else 2):
            one = self.record if seed == 1 else line.record(self.LONG, seed)
            oracle = self.oracle if seed == 1 else one.wiener()[0]
            results = {"oracle": oracle}
            for mode in ("wiener", "ls"):
                block = bearing.propagator_ls_ff(line.propagator(), line.RATE, mode)
                results[mode] = run(block, one.data, longest_run=LONGEST_RUN).signal
            total, first = (
                {name: line.nmse_db(x[part], one.signal[part]) for name, x in results.items()}
                for part in ((own, slice(None)), (own, 0))
            )
            print(
                f"gain over least squares: first sensor {first['ls'] - first['wiener']:.2f} dB, "
                f"all {total['ls'] - total['wiener']:.2f} dB; "
                f"{total['wiener'] - total['oracle']:.3f} dB from the oracle"
            )
            self.assertGreater(first["ls"] - first["wiener"], 4.0)
            self.assertGreater(total["ls"] - total["wiener"], 3.4)
            self.assertLess(total["wiener"] - total["oracle"], 0.25)

    def test_it_leaks_less_than_least_squares(self):
        # With densities given filters are fixed: what they make of noise alone is what noise
        # adds to the estimates of signals.
        learning = bearing.propagator_ls_ff(
            line.propagator(), line.RATE, block_length=BLOCK, averaging=16
        )
        run(learning, self.record.data, longest_run=LONGEST_RUN)
        _, learnt_noise, learnt_source = learning.spectra()
        random = np.random.default_rng(11)
        noise = line.NOISE * random.standard_normal((self.LONG, line.SENSORS))
        own = middle(self.LONG)

        def powers(block):
            """Of the noise at the first sensor, at 0 .. RATE / 2."""
            found = run(block, noise, longest_run=LONGEST_RUN).signal[own, 0]
            return np.abs(np.fft.rfft(found)) ** 2

        plain = powers(bearing.propagator_ls_ff(line.propagator(), line.RATE, "ls"))
        upper = np.linspace(0.0, line.RATE / 2, len(plain)) >= 200.0
        for name, block in (
            ("known", block_that_knows(line.source_density(BINS))),
            ("learnt", block_that_knows(learnt_source, learnt_noise)),
        ):
            passed = powers(block)
            leak = 10 * np.log10(np.sum(passed) / np.sum(plain))
            above = 10 * np.log10(np.sum(passed[upper]) / np.sum(plain[upper]))
            print(f"leak, {name} densities: {leak:.2f} dB, above 200 Hz {above:.2f} dB")
            self.assertLess(leak, -6.0)
            self.assertLess(above, -10.0)

    def test_buffers_do_not_change_a_bit(self):
        # As it comes, and in runs of other lengths.
        for samples, splits in (
            (self.LONG, [(None, None), (9000, 2777)]),
            (10000, [(None, None), (7, 64), (100, 7)]),
        ):
            d = self.record.data[:samples]
            expected = None
            for longest_run, max_noutput_items in splits:
                block = bearing.propagator_ls_ff(line.propagator(), line.RATE)
                found = run(block, d, (), longest_run, max_noutput_items).signal
                if expected is None:
                    expected = found
                np.testing.assert_array_equal(found, expected)

    def test_buffers_do_not_change_a_bit_whatever_the_settings(self):
        def real(**more):
            return lambda: bearing.propagator_ls_ff(line.propagator(), line.RATE, **more)

        a = bearing.array.ula(4, 0.3, wavelength=0.5)
        waves = [bearing.propagator.plane_wave(a, angle) for angle in (30.0, -50.0)]
        random = np.random.default_rng(10)
        complex_data = random.standard_normal((200000, 4, 2)) @ [1, 1j]
        cases = [
            (real(noise="per_sensor"), self.record.data),
            (real(velocity="apply", interval=60.0), self.record.data),
            (lambda: bearing.propagator_ls_cc(waves[0], 1e6), complex_data),
            (lambda: bearing.propagator_ls_cc(waves, 1e6), complex_data),
        ]
        for make, d in cases:
            expected = run(make(), d).signal
            self.assertEqual(expected.shape, d.shape)
            found = run(make(), d, longest_run=LONGEST_RUN, max_noutput_items=1777).signal
            np.testing.assert_array_equal(found, expected)

    def test_a_noisy_sensor_is_known_by_its_noise(self):
        deviations = np.full(10, line.NOISE)
        deviations[3] *= 10
        one = line.record(self.LONG, 2, deviations=deviations)
        oracle = one.wiener()[0]
        found = {}
        for noise in ("common", "per_sensor"):
            block = bearing.propagator_ls_ff(line.propagator(), line.RATE, noise=noise)
            result = run(block, one.data, longest_run=LONGEST_RUN)
            own = middle(self.LONG, 36000)
            found[noise] = line.nmse_db(result.signal[own], one.signal[own])
        limit = line.nmse_db(oracle[own], one.signal[own])
        print(
            f"a noisy sensor: {found['per_sensor'] - limit:.2f} dB from the oracle, "
            f"common noise {found['common'] - limit:.2f} dB"
        )
        self.assertLess(found["per_sensor"], limit + 0.5)
        self.assertGreater(found["common"], found["per_sensor"] + 5.0)
        expected = deviations**2 / np.exp(np.mean(np.log(deviations**2)))
        np.testing.assert_allclose(block.sensor_noise(), expected, rtol=0.1)
        np.testing.assert_allclose(result.messages[-1].sensor_noise, expected, rtol=0.1)

    def test_two_sources_from_both_ends_are_told_apart(self):
        # Near 0 Hz, where both look alike, it takes long filters to tell them apart.
        samples, length = self.LONG, 16384
        f = np.arange(samples // 2 + 1) * line.RATE / samples
        there = line.response(f)
        densities = [line.source_density(f), line.source_density(2 * f)]
        both = line.record(samples, 3, [there, there[:, ::-1]], densities)
        oracle = both.wiener()
        # Exact at the bins of a block and of the record, which are all that count.
        fine = np.arange(2 * length + 1) * line.RATE / (4 * length)
        back = bearing.propagator.table(fine, line.response(fine)[:, ::-1])
        block = bearing.propagator_ls_ff(
            [line.propagator(), back], line.RATE, block_length=length, averaging=16
        )
        result = run(block, both.data, longest_run=LONGEST_RUN, sources=2)
        own = middle(samples, 36000)
        limit = line.nmse_db(sum(oracle)[own], both.signal[own])
        gaps = [line.nmse_db(result.signal[own], both.signal[own]) - limit]
        for k, first in ((0, 0), (1, 9)):
            truth = both.signals[k][own, first]
            limit = line.nmse_db(oracle[k][own, first], truth)
            gaps.append(line.nmse_db(result.source[own, k], truth) - limit)
        print("two sources: {1:.2f} and {2:.2f} dB from the oracle, all {0:.2f} dB".format(*gaps))
        self.assertLess(max(gaps), 0.3)

    def test_complex_streams(self):
        samples, center = 1 << 18, 2000.0
        random = np.random.default_rng(4)

        def white(*shape):
            return (random.standard_normal(shape) + 1j * random.standard_normal(shape)) / 2**0.5

        f = np.fft.fftfreq(samples, 1 / line.RATE)
        table = np.linspace(center - 500, center + 500, 2001)
        # Attenuation grows to both sides of 1950 Hz.
        gain = line.gain(np.abs(table - 1950))
        p = np.interp(center + f, table, np.log(gain))[:, None] * np.arange(10)
        p = np.exp(p - 2j * np.pi * (center + f)[:, None] * line.POSITIONS / 100.0)
        density = line.source_density(f + 20)
        spectrum = np.fft.fft(white(samples)) * np.sqrt(density * line.RATE)
        signal = np.fft.ifft(p * spectrum[:, None], axis=0)
        d = signal + line.NOISE * white(samples, 10)
        noise_psd = np.full(10, line.NOISE**2 / line.RATE)
        oracle = line.wiener(d, [p], [density], noise_psd)[0]
        propagator = bearing.propagator.dispersive(
            line.POSITIONS, table, gain, np.full(2001, 100.0)
        )
        block = bearing.propagator_ls_cc(propagator, line.RATE, center_frequency=center)
        found = run(block, d, longest_run=LONGEST_RUN).signal
        own = middle(samples, 36000)
        gap = line.nmse_db(found[own], signal[own]) - line.nmse_db(oracle[own], signal[own])
        print(f"complex: {gap:.3f} dB from the oracle")
        self.assertLess(gap, 0.25)

    # Velocity -------------------------------------------------------------------------------

    def test_velocity_is_told_and_applied(self):
        scale = 1.01
        one = line.record(self.LONG, 5, velocity_scale=scale)
        errors = {}
        for velocity in ("off", "report", "apply"):
            block = bearing.propagator_ls_ff(
                line.propagator(), line.RATE, velocity=velocity, interval=40.0, block_length=BLOCK
            )
            result = run(block, one.data, longest_run=LONGEST_RUN)
            own = middle(self.LONG, 20000)
            errors[velocity] = line.nmse_db(result.signal[own], one.signal[own])
            if velocity == "off":
                self.assertTrue(np.isnan(block.velocity_scale()[0]))
                continue
            told = [message.velocity_scale[0] for message in result.messages]
            # The first message does not wait for the fit to its block.
            self.assertTrue(np.isnan(told[0]))
            print(
                f"velocity, {velocity}: off by {told[1] - scale:.1e} "
                f"after one block, {block.velocity_scale()[0] - scale:.1e} at the end"
            )
            # After the first block; in single precision as the message has it.
            self.assertAlmostEqual(told[1], scale, delta=1e-3)
            self.assertAlmostEqual(block.velocity_scale()[0], scale, delta=3e-4)
        self.assertEqual(errors["report"], errors["off"])
        print(f"velocity: {errors['off']:.2f} dB, applied {errors['apply']:.2f} dB")
        # A hundredth costs 5.7 dB.
        self.assertLess(errors["apply"], errors["off"] - 4.0)
        frequency = line.tables()[0][::500]
        np.testing.assert_allclose(
            block.propagators()[0].response(frequency),
            line.response(frequency, block.velocity_scale()[0]),
            atol=0.1,
        )

    # Time -----------------------------------------------------------------------------------

    def test_every_sample_comes_out_and_tags_stay_on_theirs(self):
        for samples in (1, 100, 50001):
            d = self.record.data[:samples]
            tags = [(k, 0, "rx_time", time_at(0)) for k in range(10)]
            tags += [(k, 0, "rx_rate", pmt.from_double(line.RATE)) for k in range(10)]
            tags += [(3, samples - 1, "own", pmt.from_long(3))]
            tags += [(k, samples // 2, "which", pmt.from_long(k)) for k in range(2)]
            tags += [(5, samples // 3, "rx_time", time_at(samples // 3))]
            block = bearing.propagator_ls_ff(line.propagator(), line.RATE)
            result = run(block, d, tags, sources=1)
            self.assertEqual(result.signal.shape, (samples, 10))
            # Each once on every output, whatever number of inputs carried it.
            expected = {
                (offset, key, pmt.write_string(value)) for _, offset, key, value in tags
            }
            for k in range(11):
                own = [(o, key, pmt.write_string(v)) for s, o, key, v in result.tags if s == k]
                self.assertEqual(sorted(own), sorted(expected))
            self.assertEqual(block.restarts(), 0)

    def test_latency_is_what_it_says(self):
        block = bearing.propagator_ls_ff(line.propagator(), line.RATE)
        seen = []

        def look():
            # The block has taken what there was and waits.
            deadline = time.monotonic() + PATIENCE
            while block.nitems_read(0) < 3 * block.hop() and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.1)
            seen.append((block.nitems_read(0), block.nitems_written(0)))

        run(block, self.record.data[: 1 << 16], actions=[(3 * block.hop(), look)])
        read, written = seen[0]
        self.assertEqual(read, 3 * block.hop())
        self.assertLessEqual(read - written, block.latency())
        self.assertGreater(written, 0)

    def test_gaps_and_jumps_start_anew(self):
        # The parts, each by itself, with the spectra that were learnt before: plain least squares
        # learns nothing.
        first, second = 20011, 45000
        d = self.record.data[:60000]
        tags = [(k, 0, "rx_time", time_at(0)) for k in range(10)]
        tags += [(k, first, "gap", pmt.from_uint64(500)) for k in range(10)]
        # What a gap has told already is no jump.
        tags += [(k, first, "rx_time", time_at(first + 500)) for k in range(10)]
        tags += [(2, 30000, "rx_time", time_at(30500.3))]  # jitter
        tags += [(2, second, "rx_time", time_at(second + 501))]
        block = bearing.propagator_ls_ff(line.propagator(), line.RATE, "ls", interval=5.0)
        result = run(block, d, tags, longest_run=9999)
        self.assertEqual(block.restarts(), 2)
        counts = block.counts()
        self.assertEqual((counts["gap"], counts["jump"]), (1, 1))
        last = result.messages[-1]
        self.assertEqual((last.restarts, last.counts["gap"]), (2, 1))
        self.assertIn(1, [one.restarts for one in result.messages])
        parts = np.split(d, [first, second])
        alone = [
            run(bearing.propagator_ls_ff(line.propagator(), line.RATE, "ls"), part).signal
            for part in parts
        ]
        np.testing.assert_array_equal(result.signal, np.concatenate(alone))

    def test_messages_come_at_their_interval_with_their_time(self):
        samples = 100000
        tags = [(0, 0, "rx_time", time_at(0))]
        block = bearing.propagator_ls_ff(line.propagator(), line.RATE, interval=20.0)
        result = run(block, self.record.data[:samples], tags)
        # After the first block, five times, and at the end.
        self.assertGreaterEqual(len(result.messages), 4)
        self.assertLessEqual(len(result.messages), 7)
        times = [one.rx_time[0] + one.rx_time[1] for one in result.messages]
        self.assertEqual(times[0], 1000.0)
        self.assertGreater(min(np.diff(times)[:-1]), 20.0 - block.hop() / line.RATE)
        self.assertLess(times[-1], 1000.0 + samples / line.RATE)
        last = result.messages[-1]
        bins = block.block_length() // 2 + 1
        self.assertEqual(len(last.frequency), bins)
        self.assertEqual(np.size(last.noise_psd), bins * 10)
        self.assertEqual(np.size(last.source_psd), bins)
        self.assertEqual(last.status, "ok")
        frequency, noise_psd, source_psd = block.spectra()
        np.testing.assert_allclose(frequency[-1], line.RATE / 2)
        self.assertEqual(noise_psd.shape, (bins, 10))
        np.testing.assert_allclose(
            np.reshape(last.noise_psd, (bins, 10)), noise_psd, rtol=1e-5, atol=1e-12
        )
        # 400 bins of several blocks.
        band = (frequency > 20) & (frequency < 70)
        self.assertAlmostEqual(
            np.mean(noise_psd[band]) / (line.NOISE**2 / line.RATE), 1.0, delta=0.1
        )

    def test_a_flowgraph_that_runs_again_starts_anew(self):
        block = bearing.propagator_ls_ff(line.propagator(), line.RATE, "ls")
        d = self.record.data[:30000]
        first = run(block, d).signal
        np.testing.assert_array_equal(run(block, d).signal, first)

    def test_a_running_flowgraph_stops(self):
        tb = gr.top_block()
        block = bearing.propagator_ls_cc(
            bearing.propagator.plane_wave(bearing.array.ula(3, 0.5), 0.0),
            1e6,
            center_frequency=1e9,
        )
        for k in range(3):
            tb.connect(blocks.null_source(gr.sizeof_gr_complex), (block, k))
            tb.connect((block, k), blocks.null_sink(gr.sizeof_gr_complex))
        for _ in range(3):
            tb.start()
            time.sleep(0.05)
            tb.stop()
            waiting = threading.Thread(target=tb.wait)
            waiting.start()
            waiting.join(PATIENCE)
            self.assertFalse(waiting.is_alive())

    # Changes at run time --------------------------------------------------------------------

    def test_mode_mu_and_propagators_change_while_it_runs(self):
        samples, when = 1 << 17, 60000
        d = self.record.data[:samples]
        wrong = line.propagator().with_velocity_scale(1.02)
        plain = run(bearing.propagator_ls_ff(line.propagator(), line.RATE, "ls"), d).signal
        default = run(bearing.propagator_ls_ff(line.propagator(), line.RATE), d).signal
        careful = run(bearing.propagator_ls_ff(line.propagator(), line.RATE, mu=4.0), d).signal
        cases = [
            (dict(propagators=line.propagator()), lambda b: b.set_mode("ls"), default, plain),
            (dict(propagators=line.propagator()), lambda b: b.set_mu(4.0), default, careful),
            (
                dict(propagators=wrong, mode="ls"),
                lambda b: b.set_propagators([line.propagator()]),
                None,
                plain,
            ),
        ]
        for parameters, change, before, after in cases:
            block = bearing.propagator_ls_ff(sample_rate=line.RATE, **parameters)
            found = run(block, d, actions=[(when, lambda: change(block))]).signal
            # A block and what buffers hold may wait, and one block is faded over.
            fade = 4 * block.block_length() + 2 * 8192
            if before is not None:
                head = slice(0, when - fade)
                np.testing.assert_array_equal(found[head], before[head])
            tail = slice(when + fade, samples)
            # Sensors stay aligned as they were: single precision rounds in another way.
            self.assertTrue(np.allclose(found[tail], after[tail], rtol=0, atol=1e-4))
            self.assertGreater(line.nmse_db(found[: when - fade], after[: when - fade]), -60.0)

    def test_setters_may_come_from_any_thread(self):
        block = bearing.propagator_ls_ff(line.propagator(), line.RATE)
        stop = threading.Event()
        rounds = []

        def change():
            while not stop.is_set():
                for mode in ("ls", "wiener"):
                    block.set_mode(mode)
                block.set_mu(2.0)
                block.set_propagators(line.propagator())
                block.spectra(), block.counts(), block.status(), block.velocity_scale()
                rounds.append(1)

        threads = [threading.Thread(target=change) for _ in range(2)]
        for thread in threads:
            thread.start()
        found = run(block, self.record.data[: 1 << 16]).signal
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)
        self.assertEqual(found.shape, (1 << 16, 10))
        self.assertTrue(np.all(np.isfinite(found)))
        self.assertGreater(len(rounds), 0)

    def test_a_plane_wave_follows_a_bearing(self):
        # An acoustic array: sound from 40 degrees, the block begins at -60.
        rate, samples, when = 8000.0, 1 << 16, 20000
        a = bearing.array.uca(6, 0.2, wavelength=1.0)
        wave = bearing.propagator.plane_wave(a, 40.0, velocity=340.0)
        random = np.random.default_rng(7)
        f = np.arange(samples // 2 + 1) * rate / samples
        shape = 1.0 / (1.0 + (f / 500.0) ** 2)
        spectrum = np.fft.rfft(random.standard_normal(samples)) * shape
        signal = np.fft.irfft(spectrum[:, None] * wave.response(f), samples, axis=0)
        d = signal + 0.1 * np.std(signal) * random.standard_normal(signal.shape)
        block = bearing.propagator_ls_ff(wave.towards(-60.0), rate, mode="ls", taper=0.05)

        def tell(*messages):
            def post():
                for one in messages:
                    block.to_basic_block()._post(pmt.intern("bearings"), one)

            return post

        nonsense = [
            pmt.intern("north"),
            pmt.PMT_NIL,
            pmt.cons(pmt.PMT_NIL, pmt.PMT_NIL),
            pmt.cons(pmt.make_dict(), f32([40.0])),
            pmt.cons(pmt.intern("x"), f32([40.0])),
            bearings([40.0], elevation_deg=f32([0.0, 1.0])),
        ]
        ignored = [bearings([100.0], "low_snr"), bearings([]), bearings([np.nan])]
        # The strongest counts.
        actions = [
            (when // 2, tell(*nonsense, *ignored)),
            (when, tell(bearings([40.0, -100.0]))),
        ]
        found = run(block, d, actions=actions).signal
        counts = block.counts()
        self.assertEqual(counts["bearings_malformed"], len(nonsense))
        self.assertEqual(counts["bearings_ignored"], len(ignored))
        self.assertEqual(counts["bearings_followed"], 1)
        self.assertEqual(counts["refused"], 0)
        fade = 4 * block.block_length()
        before = slice(block.support(), when - fade)
        after = slice(when + fade, samples - block.support())
        self.assertGreater(line.nmse_db(found[before], signal[before]), -10.0)
        # A sixth of noise that is 20 dB down.
        self.assertLess(line.nmse_db(found[after], signal[after]), -27.0)
        np.testing.assert_allclose(
            block.propagators()[0].response(f[:99]), wave.response(f[:99]), atol=1e-5
        )

    def test_waves_turn_to_the_nearest_bearings(self):
        a = bearing.array.uca(6, 0.4)
        wave = bearing.propagator.plane_wave(a, 0.0)
        table = bearing.propagator.table([1e9 - 1e6, 1e9 + 1e6], np.ones((2, 6)))
        block = bearing.propagator_ls_cc([wave, table, wave.towards(90.0)], 1e6,
                                         center_frequency=1e9)  # fmt: skip

        def azimuths():
            responses = [p.response([0.0], 1e9)[0] for p in block.propagators()]
            grid = np.arange(0.0, 360.0, 0.5)
            steering = a.steering(grid)
            return [grid[np.argmax(np.abs(r.conj() @ steering))] for r in responses[::2]]

        # At first the strongest is the first wave's; later power decides no more.
        steps = [
            ([200.0, 300.0], [200.0, 300.0]),
            ([304.0, 204.0], [204.0, 304.0]),
            ([350.0], [204.0, 350.0]),
            ([10.0, 210.0, 100.0], [210.0, 10.0]),
            ([np.nan, 215.0], [215.0, 10.0]),
        ]
        d = np.zeros((len(steps) * 100 + 100, 6), complex)
        heard = []
        actions = []
        for k, (angles, _) in enumerate(steps):

            def tell(angles=angles, done=k + 1):
                block.to_basic_block()._post(pmt.intern("bearings"), bearings(angles))
                deadline = time.monotonic() + PATIENCE
                while block.counts()["bearings_followed"] < done and time.monotonic() < deadline:
                    time.sleep(0.001)
                heard.append(azimuths())

            actions.append((100 * (k + 1), tell))
        run(block, d, actions=actions)
        for found, (angles, expected) in zip(heard, steps):
            with self.subTest(angles=angles):
                np.testing.assert_allclose(found, expected, atol=0.5)

    def test_a_retuned_complex_stream_has_another_centre(self):
        a = bearing.array.uca(4, 0.3, wavelength=0.5)
        wave = bearing.propagator.plane_wave(a, 30.0)
        own = wave.own_center_frequency
        random = np.random.default_rng(8)
        samples, when, rate = 60000, 25000, 1e6
        source = random.standard_normal((samples, 2)) @ [1, 1j]
        f = np.where(np.arange(samples) < when, own, 1.5 * own)
        phases = np.array([wave.response([0.0], one)[0] for one in (own, 1.5 * own)])
        signal = source[:, None] * phases[(f > own).astype(int)]
        tags = [(k, 0, "rx_freq", pmt.from_double(own)) for k in range(4)]
        tags += [(k, when, "rx_freq", pmt.from_double(1.5 * own)) for k in range(4)]
        # A mode that was set holds at the new centre too: Wiener would take noise off that is not
        # there.
        block = bearing.propagator_ls_cc(wave, rate)
        block.set_mode("ls")
        found = run(block, signal, tags).signal
        self.assertEqual(block.restarts(), 1)
        self.assertEqual(block.counts()["retuned"], 1)
        edge = block.support()
        for part in (slice(edge, when - edge), slice(when + edge, samples - edge)):
            # Delays of a nanosecond are a phase to 1e-3.
            self.assertLess(line.nmse_db(found[part], signal[part]), -50.0)

    def test_retuned_to_longer_delays_it_errs_no_more_than_one_built_there(self):
        # Of one velocity at 1500..2500 Hz; at 3500..4500 Hz slower, and dispersive.
        frequency = np.linspace(1500.0, 4500.0, 6001)
        ripple = np.where(frequency > 3500, np.sin(2 * np.pi * (frequency - 3500) / 1000), 0.0)
        velocity = 100 - 40 * np.clip((frequency - 2500) / 1000, 0.0, 1.0) + 3 * ripple
        gain = line.gain(np.abs((frequency - 1500) % 2000 - 450))
        p = bearing.propagator.dispersive(line.POSITIONS, frequency, gain, velocity)
        random = np.random.default_rng(9)

        def white(*shape):
            return (random.standard_normal(shape) + 1j * random.standard_normal(shape)) / 2**0.5

        half = self.LONG // 2
        f = np.fft.fftfreq(half, 1 / line.RATE)
        amplitude = np.sqrt(line.source_density(f + 20) * line.RATE)
        centers = (2000.0, 4000.0)
        signals = [
            np.fft.ifft(p.response(f, c) * (amplitude * np.fft.fft(white(half)))[:, None], axis=0)
            for c in centers
        ]
        signal = np.concatenate(signals)
        d = signal + line.NOISE * white(*signal.shape)
        tags = [(k, 0, "rx_freq", pmt.from_double(centers[0])) for k in range(10)]
        tags += [(k, half, "rx_freq", pmt.from_double(centers[1])) for k in range(10)]

        def block_at(center, block_length):
            return bearing.propagator_ls_cc(
                p, line.RATE, block_length=block_length, center_frequency=center
            )

        own = middle(half, 36000)
        # With blocks that are long enough for both, and with those of the first band.
        for block_length in (4096, 0):
            block = block_at(centers[0], block_length)
            support = block.support()
            found = run(block, d, tags, LONGEST_RUN).signal[half:]
            built = block_at(centers[1], block_length)
            expected = run(built, d[half:], longest_run=LONGEST_RUN).signal
            retuned, alone = (line.nmse_db(x[own], signals[1][own]) for x in (found, expected))
            print(
                f"retuned: {retuned:.2f} dB, built there {alone:.2f} dB; "
                f"support {support}, then {block.support()} of {built.support()} samples"
            )
            self.assertEqual(block.counts()["retuned"], 1)
            self.assertEqual(block.counts()["refused"], 0)
            # Else it would not matter.
            self.assertGreater(built.support(), 2 * support)
            self.assertEqual(block.support(), built.support())
            self.assertLess(alone, -12.0)
            self.assertLess(abs(retuned - alone), 0.5)

    # Few sensors ----------------------------------------------------------------------------

    def test_one_sensor_whose_noise_is_known(self):
        # There is nothing left to learn noise from: it is a Wiener filter of a single channel.
        p = bearing.propagator.dispersive([0.0], [0.0], [1.0], [50.0])
        d, signal = self.record.data[:, :1], self.record.signal[:, :1]
        density = self.record.densities[0]
        noise_psd = line.NOISE**2 / line.RATE
        oracle = np.fft.irfft(
            np.fft.rfft(d, axis=0) * (density / (density + noise_psd))[:, None], self.LONG, axis=0
        )
        block = bearing.propagator_ls_ff(p, line.RATE, noise_psd=noise_psd, block_length=BLOCK)
        result = run(block, d, longest_run=LONGEST_RUN, sources=1)
        own = middle(self.LONG, 36000)
        raw, limit, found = (
            line.nmse_db(x[own], signal[own]) for x in (d, oracle, result.signal)
        )
        print(
            f"one sensor: {raw:.2f} dB, found {found:.2f} dB, "
            f"{found - limit:.3f} dB from the oracle"
        )
        self.assertEqual(block.status(), "ok")
        self.assertLess(found, limit + 0.25)
        self.assertLess(found, raw - 4.0)
        np.testing.assert_array_equal(result.source, result.signal)

    # Bad data -------------------------------------------------------------------------------

    def test_a_sensor_that_fails_is_made_up_for(self):
        fault = slice(150000, 170000)
        for bad in (0.0, np.nan, np.inf):
            d = self.record.data.copy()
            d[fault, 4] = bad
            block = bearing.propagator_ls_ff(line.propagator(), line.RATE, interval=0)
            result = run(block, d, longest_run=LONGEST_RUN)
            self.assertTrue(np.all(np.isfinite(result.signal)))
            statuses = [one.status for one in result.messages]
            self.assertIn("bad_data", statuses)
            self.assertEqual(statuses[-2], "ok")
            own = slice(fault.start + 5000, fault.stop - 5000)
            error = line.nmse_db(result.signal[own], self.record.signal[own])
            print(f"a sensor gives {bad}: {error:.2f} dB")
            self.assertLess(error, -18.0)

    def test_a_complex_sensor_that_fails(self):
        a = bearing.array.uca(4, 0.3, wavelength=0.5)
        random = np.random.default_rng(12)
        d = random.standard_normal((60000, 4)) + 1j * random.standard_normal((60000, 4))
        for bad in (0.0, complex(0.0, np.nan), complex(np.inf, 0.0)):
            faulty = d.copy()
            faulty[20000:40000, 2] = bad
            block = bearing.propagator_ls_cc(
                bearing.propagator.plane_wave(a, 30.0), 1e6, interval=0
            )
            result = run(block, faulty)
            self.assertTrue(np.all(np.isfinite(result.signal)))
            self.assertIn("bad_data", [one.status for one in result.messages])

    def test_a_source_that_is_known_to_be_silent(self):
        block = block_that_knows(np.zeros(len(BINS)))
        result = run(block, self.record.data[:40000])
        np.testing.assert_array_equal(result.signal, np.zeros((40000, 10)))
        self.assertEqual(block.status(), "no_source")

    def test_silence_is_no_source(self):
        block = bearing.propagator_ls_ff(line.propagator(), line.RATE)
        result = run(block, np.zeros((40000, 10)))
        np.testing.assert_array_equal(result.signal, np.zeros((40000, 10)))
        self.assertEqual(result.messages[-1].status, "no_source")
        self.assertEqual(block.status(), "no_source")

    def test_tags_without_sense_are_counted(self):
        tags = [
            (0, 100, "rx_time", pmt.from_double(3.0)),
            (1, 200, "rx_freq", pmt.from_double(-1.0)),
            (2, 300, "rx_rate", pmt.from_double(2 * line.RATE)),
            (3, 400, "rx_rate", pmt.intern("fast")),
            (4, 500, "gap", pmt.intern("wide")),
        ]
        block = bearing.propagator_ls_ff(line.propagator(), line.RATE)
        result = run(block, self.record.data[:20000], tags)
        counts = block.counts()
        self.assertEqual(counts["bad_tags"], 4)
        self.assertEqual(counts["other_rate"], 1)
        # Whatever it says, a gap is one.
        self.assertEqual((counts["gap"], block.restarts()), (1, 1))
        self.assertEqual(len([t for t in result.tags if t[0] == 0]), 5)

    # Mistakes -------------------------------------------------------------------------------

    def test_mistakes_are_named(self):
        p = line.propagator()
        pair = bearing.propagator.dispersive([0, 1], [0], [1], [50])
        alone = bearing.propagator.dispersive([0], [0], [1], [50])
        short = bearing.propagator.dispersive(line.POSITIONS, [0, 400], [1, 1], [50, 50])
        ff = bearing.propagator_ls_ff
        cases = [
            ("propagators", lambda: ff([], line.RATE)),
            ("propagator", lambda: ff([p, pair], line.RATE)),
            ("sources", lambda: ff([pair] * 3, line.RATE)),
            ("noise_psd", lambda: ff(alone, line.RATE)),
            ("frequency", lambda: ff(short, line.RATE)),
            ("sample_rate", lambda: ff(p, 0.0)),
            ("mode", lambda: ff(p, line.RATE, "best")),
            ("noise", lambda: ff(p, line.RATE, noise="loud")),
            ("mu", lambda: ff(p, line.RATE, mu=-1.0)),
            ("mu", lambda: ff(p, line.RATE, mu=np.nan)),
            ("ridge", lambda: ff(p, line.RATE, "ridge")),
            ("averaging", lambda: ff(p, line.RATE, averaging=0.5)),
            ("taper", lambda: ff(p, line.RATE, taper=1.5)),
            ("interval", lambda: ff(p, line.RATE, interval=-1.0)),
            ("velocity", lambda: ff(p, line.RATE, velocity="on")),
            ("center_frequency", lambda: ff(p, line.RATE, center_frequency=1e6)),
            ("source_psd", lambda: ff(p, line.RATE, source_psd=np.ones(7))),
            # The least that is allowed is told.
            (r"block_length is 1024; .*\d{4}", lambda: ff(p, line.RATE, block_length=1024)),
            (r"block_length is -1", lambda: ff(p, line.RATE, block_length=-1)),
            ("mode", lambda: ff(p, line.RATE).set_mode("best")),
            ("mu", lambda: ff(p, line.RATE).set_mu(-1.0)),
            ("propagator", lambda: ff(p, line.RATE).set_propagators([p, p])),
            ("propagator", lambda: ff(p, line.RATE).set_propagators([pair])),
            ("frequency", lambda: ff(p, line.RATE).set_propagators(short)),
            (
                "block_length",
                lambda: ff(p, line.RATE).set_propagators(p.with_velocity_scale(0.1)),
            ),
        ]
        for name, mistake in cases:
            with self.subTest(name=name), self.assertRaisesRegex(ValueError, name):
                mistake()

    def test_a_refused_change_changes_nothing(self):
        block = bearing.propagator_ls_ff(line.propagator(), line.RATE)
        d = self.record.data[:30000]
        expected = run(bearing.propagator_ls_ff(line.propagator(), line.RATE), d).signal
        with self.assertRaises(ValueError):
            block.set_propagators(line.propagator().with_velocity_scale(0.1))
        np.testing.assert_array_equal(run(block, d).signal, expected)

    def test_a_missing_channel_is_an_error(self):
        tb = gr.top_block()
        block = bearing.propagator_ls_ff(line.propagator(), line.RATE)
        for k in range(9):
            tb.connect(blocks.null_source(gr.sizeof_float), (block, k))
        with self.assertRaises((ValueError, RuntimeError)):
            tb.run()


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated dispersive line: spectrum, propagation, noise, repeatability, pacing."""

import time

import numpy as np
import scipy.signal
from gnuradio import blocks, gr, gr_unittest

from gnuradio import bearing
from stream_samples import first_samples

RATE = 1000.0
POSITIONS = 10.0 * np.arange(10)
BANDWIDTH = 10.0


def velocity(frequency):
    return 25.0 * (1.0 + np.sqrt(1.0 + (frequency / 100.0) ** 2))


def gain(frequency):
    """Over 10 m."""
    return np.exp(-np.sqrt(0.01 + (frequency / 100.0) ** 2))


def response(frequency):
    """P of the line, F x N, by its formula: between the tables' rows it is 1e-4 off."""
    delay = POSITIONS[None, :] / velocity(frequency)[:, None]
    loss = gain(frequency)[:, None] ** (POSITIONS / 10.0)
    return loss * np.exp(-2j * np.pi * frequency[:, None] * delay)


def line():
    frequency = np.linspace(0.0, RATE / 2, 5001)
    return bearing.propagator.dispersive(
        POSITIONS, frequency, gain(frequency), velocity(frequency)
    )


def source(**options):
    return bearing.dispersive_line_source(line(), RATE, **options)


def samples(block, count, streams=None, max_noutput_items=None, tags=None):
    """The first samples of the streams (heard, then signals), T x streams."""
    sinks = [blocks.vector_sink_f() for _ in range(streams or 2 * block.num_sensors())]
    return first_samples(block, sinks, count, max_noutput_items, tags).astype(np.float32).T


class qa_dispersive_line_source(gr_unittest.TestCase):
    def test_the_module_is_the_one_under_test(self):
        self.assertIn("test_modules", bearing.__file__)

    # What comes out

    def test_signals_propagate_as_the_tables_say(self):
        count, edge = 1 << 16, 8192
        signal = samples(source(), count)[:, 10:].astype(float)
        frequency = np.fft.rfftfreq(count, 1.0 / RATE)
        spectrum = np.fft.rfft(signal[:, 0])
        expected = np.fft.irfft(spectrum[:, None] * response(frequency), count, axis=0)
        # A circle, which the stream is not: the waves need up to two seconds, and what
        # rings longer than six more is below the rest.
        inside = slice(edge, count - edge)
        error = np.sum((signal - expected)[inside] ** 2, axis=0)
        relative = error / np.sum(expected[inside] ** 2, axis=0)
        # 100 dB of each are held; the tables between their rows and the test's circle add to that.
        self.assertLess(10.0 * np.log10(np.max(relative)), -95.0)

    def test_the_source_is_white_noise_through_a_butterworth_filter(self):
        signal = samples(source(signal_power=3.0), 400000)[:, 10]
        frequency, density = scipy.signal.welch(signal, RATE, nperseg=1000, window="blackman")
        low_pass = scipy.signal.butter(1, BANDWIDTH, fs=RATE)
        expected = np.abs(scipy.signal.freqz(*low_pass, frequency, fs=RATE)[1]) ** 2
        # One-sided: the bin at zero is half as wide.
        expected *= 3.0 / ((np.sum(expected) - expected[0] / 2) * frequency[1])
        # Bands of ten bins: some 800 segments, half over each other, give a bin to 4 % and a band
        # to 1.5 %: six of those. The lowest bins lean by the window, the highest have nothing.
        ratio = (density / expected)[10:480].reshape(-1, 10).mean(axis=1)
        self.assertLess(np.max(np.abs(ratio - 1.0)), 0.09)

    def test_powers_are_what_was_asked_for(self):
        powers = 0.02 * np.arange(1, 11)
        x = samples(source(signal_power=2.0, noise_power=powers), 200000)
        # 1 / (pi bandwidth) is how long the source remembers: 3000 free samples each second
        # hundred, that is 2.5 % in 200 seconds.
        self.assertAlmostEqual(np.var(x[:, 10]) / 2.0, 1.0, delta=6 * 0.025)
        noise = (x[:, :10] - x[:, 10:]).astype(float)
        # 200 000 samples tell a variance to 0.32 %; single precision of a difference is nothing.
        np.testing.assert_allclose(np.var(noise, axis=0) / powers, 1.0, atol=6 * 0.0032)
        correlation = np.corrcoef(noise.T) - np.eye(10)
        # Deviation 1 / sqrt(T); 45 of them leave 6 times that once in 1e7 seeds.
        self.assertLess(np.max(np.abs(correlation)), 6 / np.sqrt(200000))
        # White: the same of neighbouring samples.
        neighbours = np.mean(noise[1:] * noise[:-1], axis=0) / powers
        self.assertLess(np.max(np.abs(neighbours)), 6 / np.sqrt(200000))

    def test_one_sensor_that_hears_all(self):
        everything = bearing.propagator.table([0.0, 500.0], [[1.0], [1.0]])
        x = samples(bearing.dispersive_line_source(everything, RATE, noise_power=[0.0]), 1000)
        np.testing.assert_array_equal(x[:, 0], x[:, 1])
        self.assertGreater(np.var(x[:, 0]), 0.1)

    def test_a_sensor_that_hears_nothing(self):
        deaf = bearing.propagator.table([0.0, 500.0], [[1.0, 0.0], [1.0, 0.0]])
        x = samples(bearing.dispersive_line_source(deaf, RATE, noise_power=[0.0]), 1000)
        np.testing.assert_array_equal(x[:, 3], 0.0)

    # The same samples again

    def test_samples_do_not_depend_on_buffers(self):
        expected = samples(source(), 20000)
        for max_noutput_items in (1, 100, 257):
            count = 300 if max_noutput_items == 1 else 20000
            again = samples(source(), count, max_noutput_items=max_noutput_items)
            np.testing.assert_array_equal(again, expected[:count])

    def test_signals_may_be_left_open(self):
        expected = samples(source(), 5000)
        for streams in (10, 13):
            np.testing.assert_array_equal(samples(source(), 5000, streams), expected[:, :streams])

    def test_seeds_make_different_samples(self):
        first = samples(source(seed=1), 1000)
        np.testing.assert_array_equal(samples(source(seed=1), 1000), first)
        for seed in (2, -1):
            other = samples(source(seed=seed), 1000)
            self.assertTrue(np.all(other != first))

    def test_a_restart_continues_the_stream_and_tells_its_time(self):
        block = source()
        tags = []
        samples(block, 1000, tags=tags)
        start = {"rx_time": (0, (0, 0.0)), "rx_rate": (0, RATE)}
        self.assertEqual(tags, [start] * 20)
        tags = []
        x = samples(block, 1000, tags=tags)
        offset, (seconds, fraction) = tags[0]["rx_time"]
        self.assertEqual(offset, 0)
        position = round((seconds + fraction) * RATE)
        self.assertGreaterEqual(position, 1000)
        expected = samples(source(), position + 1000)
        np.testing.assert_array_equal(x, expected[position:])

    # While it runs

    def test_powers_can_be_changed(self):
        block = source(noise_power=[0.0])
        x = samples(block, 1000)
        np.testing.assert_array_equal(x[:, :10], x[:, 10:])
        block.set_noise_power([0.3] * 9 + [0.0])
        x = samples(block, 20000)
        noise = (x[:, :10] - x[:, 10:]).astype(float)
        # 20 000 samples tell a variance to 1 %.
        np.testing.assert_allclose(np.var(noise[:, :9], axis=0), 0.3, rtol=6 * 0.01)
        np.testing.assert_array_equal(noise[:, 9], 0.0)
        block.set_signal_power(0.0)
        np.testing.assert_array_equal(samples(block, 1000)[:, 10:], 0.0)

    def test_a_throttled_stream_takes_its_time(self):
        rate = 20000.0
        direct = bearing.propagator.table([0.0, rate / 2], [[1.0], [1.0]])
        block = bearing.dispersive_line_source(direct, rate, throttle=True)
        tb = gr.top_block()
        tb.connect(block, blocks.null_sink(gr.sizeof_float))
        for _ in range(2):
            began = time.monotonic()
            tb.start()
            time.sleep(0.5)
            tb.stop()
            tb.wait()
            took = time.monotonic() - began
            delivered = block.nitems_written(0)
            # One run of 50 ms comes at once; a busy machine may begin late.
            self.assertLessEqual(delivered, (took + 0.05) * rate)
            self.assertGreater(delivered, 0.1 * rate)

    def test_streams_can_wait_for_an_estimate(self):
        # Two streams are added, one of which comes 60 000 samples later: with less room nothing
        # would move.
        block = source()
        tb = gr.top_block()
        add, sink = blocks.add_ff(), blocks.vector_sink_f()
        late = blocks.skiphead(gr.sizeof_float, 60000)
        tb.connect((block, 0), late, (add, 0))
        tb.connect((block, 1), blocks.head(gr.sizeof_float, 50000), (add, 1))
        tb.connect(add, sink)
        for k in range(2, 10):
            tb.connect((block, k), blocks.null_sink(gr.sizeof_float))
        tb.run()
        self.assertEqual(len(sink.data()), 50000)

    def test_a_throttled_stream_stops_promptly(self):
        # One sample in a hundred seconds.
        slow = bearing.propagator.table([0.0, 1.0], [[1.0], [1.0]])
        block = bearing.dispersive_line_source(slow, 0.01, bandwidth=0.001, throttle=True)
        tb = gr.top_block()
        tb.connect(block, blocks.null_sink(gr.sizeof_float))
        tb.start()
        time.sleep(0.2)
        began = time.monotonic()
        tb.stop()
        tb.wait()
        self.assertLess(time.monotonic() - began, 1.0)

    # Mistakes

    def test_mistakes_are_named(self):
        nan = float("nan")
        for name, bad in (
            ("bandwidth", 0.0),
            ("bandwidth", 500.0),
            ("bandwidth", nan),
            ("signal_power", -1.0),
            ("signal_power", nan),
            ("noise_power", [0.1, 0.1]),
            ("noise_power", [-0.1]),
            ("noise_power", [nan]),
            ("noise_power", []),
            ("seed", 1.5),
            ("seed", True),
        ):
            with self.subTest(name=name, bad=bad):
                with self.assertRaisesRegex(ValueError, name):
                    source(**{name: bad})
        for rate in (0.0, -1.0, nan):
            with self.assertRaisesRegex(ValueError, "sample_rate"):
                bearing.dispersive_line_source(line(), rate)
        # The tables end at 500 Hz.
        with self.assertRaisesRegex(ValueError, "frequency"):
            bearing.dispersive_line_source(line(), 2.0 * RATE)
        with self.assertRaisesRegex(ValueError, "propagator"):
            bearing.dispersive_line_source("a line", RATE)
        block = source()
        for set_power, bad in ((block.set_noise_power, [1.0] * 3), (block.set_signal_power, -1)):
            with self.assertRaises(ValueError):
                set_power(bad)

    def test_responses_without_an_end_are_refused(self):
        random = np.random.default_rng(1)
        frequency = np.linspace(0.0, RATE / 2, 1 << 17)
        phases = np.exp(2j * np.pi * random.random((len(frequency), 2)))
        with self.assertRaisesRegex(ValueError, "propagator"):
            bearing.dispersive_line_source(bearing.propagator.table(frequency, phases), RATE)


if __name__ == "__main__":
    gr_unittest.run(qa_dispersive_line_source)

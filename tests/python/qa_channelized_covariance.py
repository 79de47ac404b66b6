#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

import numpy as np
import pmt
from channel_streams import noise, stream_run, time_at
from gnuradio import bearing, blocks, gr, gr_unittest
from support import FULL

from gnuradio.bearing.hier.channel_taps import lowpass_taps

RATE = 2.4e6
CENTRE = 433e6


def kaiser_taps(num_channels, attenuation_db=80.0):
    """The prototype, whose own test is below."""
    return lowpass_taps(num_channels, 0.4, 0.6, attenuation_db)


def channel_samples(x, num_channels, channel, first, count):
    """Samples first .. first + count of a channel by its definition: shifted, filtered, and one
    of M. The sample m of GNU Radio's channelizer has seen the input up to m M + M - 1, half a
    channel's sample less here."""
    taps = kaiser_taps(num_channels)
    lead = num_channels // 2
    n = np.arange(x.shape[1])
    shifted = x * np.exp(-2j * np.pi * channel * n / num_channels)
    filtered = np.array([np.convolve(row, taps) for row in shifted])
    ends = np.arange(first, first + count) * num_channels + num_channels - 1 - lead
    return filtered[:, ends]


def memory_of(num_channels):
    """Samples of a channel that an input sample goes into, at most."""
    return int(np.ceil(len(kaiser_taps(num_channels)) / num_channels)) + 1


class scene_run:
    """Items of each channel for a simulated scene, by channel number."""

    def __init__(self, array, sources, num_channels, snapshots, items, channels=None, seed=1):
        """sources: (azimuth, SNR in the band, frequency, modulation)"""
        samples = num_channels * (snapshots * items + 2 * memory_of(num_channels))
        self.block = bearing.channelized_covariance(
            array.n, snapshots, num_channels, RATE, channels
        )
        tb = gr.top_block()
        sums = [blocks.add_vcc(1) for _ in range(array.n)]
        for i, (azimuth, snr, frequency, modulation) in enumerate(sources):
            simulator = bearing.array_simulator(
                array,
                [azimuth],
                snr_db=[snr],
                sample_rate=RATE,
                frequencies=[frequency],
                modulation=modulation,
                noise_power=1.0 if i == 0 else 0.0,
                seed=seed + i,
            )
            for k in range(array.n):
                tb.connect((simulator, k), (sums[k], i))
        for k in range(array.n):
            tb.connect(sums[k], blocks.head(gr.sizeof_gr_complex, samples), (self.block, k))
        self.sinks = {c: blocks.vector_sink_c(array.n**2) for c in self.block.channels()}
        for i, sink in enumerate(self.sinks.values()):
            tb.connect((self.block, i), sink)
        tb.run()
        self.items = {
            c: np.reshape(sink.data(), (-1, array.n, array.n)).transpose(0, 2, 1)
            for c, sink in self.sinks.items()
        }


class qa_channelized_covariance(gr_unittest.TestCase):
    def test_the_prototype_passes_and_stops_what_it_says(self):
        for num_channels in (2, 3, 16, 64):
            for attenuation_db in (30.0, 50.0, 80.0, 120.0):
                taps = kaiser_taps(num_channels, attenuation_db)
                self.assertEqual(len(taps) % 2, 1)
                np.testing.assert_array_equal(taps, taps[::-1])
                size = 1 << 17
                gain = np.abs(np.fft.rfft(taps, size))
                frequency = np.arange(len(gain)) * num_channels / size
                allowed = 10.0 ** (-attenuation_db / 20.0)
                self.assertLess(np.max(np.abs(gain[frequency <= 0.4] - 1.0)), 1.2 * allowed)
                self.assertLess(np.max(gain[frequency >= 0.6]), allowed)

    def test_items_are_the_covariances_of_the_channels_by_their_definition(self):
        for num_channels, channels in ((2, None), (5, None), (8, [3, -4, 0]), (16, [-7])):
            # Elements that have nothing in common but two of the signals.
            n = 3
            # The first sample that comes out is the first of a full filter.
            first = memory_of(num_channels) - 1
            x = noise(n, num_channels * (60 + 2 * first))
            x[1] += 2j * x[0]
            x[2, 1:] += x[0, :-1]
            block = bearing.channelized_covariance(n, 20, num_channels, RATE, channels)
            run = stream_run(block, x, vlen=n * n, num_outputs=len(block.channels()))
            for i, channel in enumerate(block.channels()):
                items = run.covariances(n, i)
                self.assertGreaterEqual(len(items), 3)
                y = channel_samples(x, num_channels, channel, first, 60)
                wanted = [
                    y[:, j : j + 20] @ y[:, j : j + 20].conj().T / 20 for j in (0, 20, 40)
                ]
                error = np.max(np.abs(items[:3] - wanted)) / np.max(np.abs(wanted))
                # Single precision: taps and samples of 6e-8, some hundred of them.
                self.assertLess(error, 3e-6)

    def test_a_tone_is_in_its_own_channel_only(self):
        num_channels = 16
        array = bearing.array.ula(2, 0.5)
        for channel in (-8, 0, 5):
            for place in (-0.38, 0.0, 0.38):
                frequency = (channel + place) / num_channels * RATE
                if abs(frequency) > RATE / 2:
                    continue
                run = scene_run(array, [(20.0, 100.0, frequency, "tone")], num_channels, 50, 3)
                # 80 dB, and the noise, which is at -112 dB.
                for other, items in run.items.items():
                    level = 10.0 * np.log10(np.mean(items[:, 0, 0].real)) - 100.0
                    if other == channel:
                        self.assertAlmostEqual(level, 0.0, delta=0.01)
                    else:
                        self.assertLess(level, -80.0)

    def test_a_strong_neighbour_does_not_bias_the_bearing(self):
        # The neighbour is 40 dB stronger, as near as it is promised, and modulated or not.
        num_channels, snapshots, items = 8, 1024, 40 if FULL else 12
        array = bearing.array.uca(5, 0.4)
        truth, spacing = 72.0, RATE / num_channels
        for channel, neighbour, frequency in (
            (0, 1, 0.62), (0, -1, -0.62), (-4, 3, 3.0), (2, 3, 3.0)
        ):
            signal = (truth, 6.0, channel * spacing, "tone")
            strong = (150.0, 46.0, frequency * spacing, "tone")
            run = scene_run(array, [signal, strong], num_channels, snapshots, items,
                            [channel, neighbour])
            estimates = [
                bearing.core.music(item, array, 1, snapshots) for item in run.items[channel]
            ]
            errors = np.array([e.angles_deg[0] - truth for e in estimates])
            predicted = np.mean([e.std_deg[0] for e in estimates])
            self.assertEqual({e.status for e in estimates}, {"ok"})
            # The mean of so many has that deviation: four of them. The errors of 12 scatter by
            # 20 %.
            self.assertLess(abs(np.mean(errors)), 4.0 * predicted / np.sqrt(len(errors)))
            self.assertLess(np.std(errors), 2.0 * predicted)
            self.assertLess(predicted, 0.1)
            # It is there: without the filters nothing else is seen.
            other = bearing.core.music(run.items[neighbour][0], array, 1, snapshots)
            self.assertAlmostEqual(other.angles_deg[0], 150.0, delta=0.01)

    def test_tags_tell_the_channels_frequency_rate_and_snapshots(self):
        num_channels, n = 16, 2
        x = noise(n, 20000)
        tags = []
        for k in range(n):
            tags += [
                (k, 0, "rx_freq", pmt.from_double(CENTRE)),
                (k, 0, "rx_rate", pmt.from_double(RATE)),
            ]
        block = bearing.channelized_covariance(n, 100, num_channels, RATE)
        run = stream_run(block, x, tags, n * n, num_channels)
        wanted = (np.arange(num_channels) - num_channels / 2) * RATE / num_channels
        np.testing.assert_allclose(block.channel_offsets(), wanted, rtol=1e-12)
        for i, offset in enumerate(wanted):
            self.assertEqual(run.tags("rx_freq", i), [(0, CENTRE + offset)])
            self.assertEqual(run.tags("rx_rate", i), [(0, RATE / num_channels)])
            # 1250 samples of the channel, less those that fill the filter.
            self.assertEqual(run.tags("snapshots", i), [(j, 100) for j in range(12)])
            self.assertEqual(run.tags("gap", i), [])

    def test_a_stream_without_tags_has_the_center_frequency_that_is_given(self):
        n, num_channels = 2, 8
        for tags, centre in (([], CENTRE), ([(1, 0, "rx_freq", pmt.from_double(2e9))], 2e9)):
            block = bearing.channelized_covariance(
                n, 100, num_channels, RATE, center_frequency=CENTRE
            )
            run = stream_run(block, noise(n, 8000), tags, n * n, num_channels)
            for i, offset in enumerate(block.channel_offsets()):
                self.assertEqual(run.tags("rx_freq", i), [(0, centre + offset)])
                self.assertEqual(run.tags("gap", i), [])

    def burst_error(self, num_channels, place, tagged):
        """How much later than a short burst its items say that it was; samples of the band.
        By their tags, where items of one snapshot have most power is when."""
        burst = num_channels * 60 + place
        x = np.zeros((2, num_channels * 120), np.complex64)
        x[:, burst] = 1.0
        tags = [(k, tagged, "rx_time", time_at(tagged, RATE)) for k in range(2)]
        block = bearing.channelized_covariance(2, 1, num_channels, RATE, [0])
        run = stream_run(block, x, tags, 4, 1)
        power = run.covariances(2)[:, 0, 0].real
        times = np.array([time for _, time in run.times(RATE)])
        self.assertEqual(len(times), len(power))
        return np.sum(power * times) / np.sum(power) - burst

    def test_time_is_that_of_the_signal(self):
        for num_channels in (4, 5):
            # One sample in M sees some of a burst sooner, some later; the mean over all places is
            # that of a symmetric filter.
            errors = [self.burst_error(num_channels, p, 0) for p in range(num_channels)]
            self.assertLess(np.max(np.abs(errors)), 0.25 * num_channels)
            # Single precision of the powers.
            self.assertAlmostEqual(np.mean(errors), 0.0, delta=1e-3)

    def test_a_tag_between_samples_of_the_channel_is_right_to_half_of_one(self):
        num_channels = 8
        exact = self.burst_error(num_channels, 0, 0)
        shifts = [self.burst_error(num_channels, 0, t) - exact for t in range(1, num_channels)]
        # Moved down to sample 0, and from the middle on up to sample 8.
        np.testing.assert_allclose(shifts, [1, 2, 3, -4, -3, -2, -1], atol=1e-4)

    CHANNELS = (0, 1, -1)

    def broken_run(self, num_channels, place, key=None, value=None):
        """Two elements in phase before sample place, in antiphase from there on, where there may
        be a tag; items of one snapshot in three channels."""
        x = noise(1, 150 * num_channels)
        x = np.vstack([x, x])
        x[1, place:] *= -1.0
        tags = [(k, 0, "rx_freq", pmt.from_double(CENTRE)) for k in range(2)]
        tags.append((0, 0, "rx_time", time_at(0, RATE)))
        if key:
            tags.append((1, place, key, value))
        block = bearing.channelized_covariance(2, 1, num_channels, RATE, self.CHANNELS)
        return stream_run(block, x, tags, 4, len(self.CHANNELS))

    @staticmethod
    def mixture(items):
        """How far from in phase or in antiphase the worst item is, relative to usual power."""
        power = items[:, 0, 0].real
        cross = items[:, 0, 1]
        return np.max(np.abs(np.abs(cross.real) - power) + np.abs(cross.imag)) / np.mean(power)

    def test_no_item_spans_a_gap_or_a_retune_not_even_within_a_filter(self):
        num_channels, lost = 8, 800
        for place in range(600, 600 + num_channels):
            # What the filters do where nothing is told.
            blind = self.broken_run(num_channels, place)
            worst = max(self.mixture(blind.covariances(2, i)) for i in range(3))
            self.assertGreater(worst, 0.1)
            told = [("gap", pmt.from_uint64(lost))]
            if place % 3 == 0:
                told.append(("rx_time", time_at(place + lost, RATE)))
                told.append(("rx_freq", pmt.from_double(CENTRE + 1e6)))
            for key, value in told:
                run = self.broken_run(num_channels, place, key, value)
                for i, channel in enumerate(self.CHANNELS):
                    with self.subTest(place=place, key=key, channel=channel):
                        self.check_break(blind, run, i, key, lost)

    def check_break(self, blind, run, i, key, lost):
        num_channels = 8
        items = run.covariances(2, i)
        # Single precision: some hundred products and sums, in an order that depends on buffers.
        self.assertLess(self.mixture(items), 1e-4)
        # No more is given up than the filter holds.
        given_up = len(blind.covariances(2, i)) - len(items)
        self.assertTrue(0 < given_up <= memory_of(num_channels), given_up)
        ((item, missing),) = run.tags("gap", i)
        lost_items = 0 if key == "rx_freq" else lost // num_channels
        self.assertEqual(missing, given_up + lost_items)
        # All items before stand in phase, all after in antiphase.
        signs = np.sign(items[:, 0, 1].real)
        np.testing.assert_array_equal(signs[:item], 1.0)
        np.testing.assert_array_equal(signs[item:], -1.0)
        # Time goes on where it should; that of a tag is moved by up to half a sample.
        times = dict(run.times(RATE, i))
        step = times[item] - times[item - 1] - (1 + missing) * num_channels
        self.assertLessEqual(abs(step), (num_channels / 2 if key == "rx_time" else 0.0) + 1e-5)
        frequencies = [CENTRE] + [CENTRE + 1e6] * (key == "rx_freq")
        offset = self.CHANNELS[i] * RATE / num_channels
        self.assertEqual([f for _, f in run.tags("rx_freq", i)], [f + offset for f in frequencies])

    def test_deviations_are_as_predicted(self):
        # Snapshots of a channel are independent but for 1.5 %.
        num_channels, snapshots, items = 8, 64, 1500 if FULL else 400
        array = bearing.array.uca(5, 0.4)
        run = scene_run(array, [(72.0, 3.0, 0.0, "tone")], num_channels, snapshots, items, [0])
        estimates = [bearing.core.music(item, array, 1, snapshots) for item in run.items[0]]
        ratio = np.std([e.angles_deg[0] for e in estimates]) / np.mean(
            [e.std_deg[0] for e in estimates]
        )
        # A deviation of 400 errors is itself known to 3.5 %: four of those.
        self.assertAlmostEqual(ratio, 1.0, delta=0.14)

    def test_channels_come_out_in_the_order_that_is_asked_for(self):
        block = bearing.channelized_covariance(2, 10, 5, 100e3, [2, -2, 0])
        self.assertEqual(block.channels(), [2, -2, 0])
        self.assertEqual(block.channel_offsets(), [40e3, -40e3, 0.0])
        everything = bearing.channelized_covariance(2, 10, 5, 100e3)
        self.assertEqual(everything.channels(), [-2, -1, 0, 1, 2])
        even = bearing.channelized_covariance(2, 10, 4, 100e3)
        self.assertEqual(even.channel_offsets(), [-50e3, -25e3, 0.0, 25e3])

    def test_the_number_of_snapshots_can_be_changed(self):
        block = bearing.channelized_covariance(2, 50, 4, RATE)
        self.assertEqual(block.snapshots(), 50)
        block.set_snapshots(100)
        self.assertEqual(block.snapshots(), 100)
        run = stream_run(block, noise(2, 4000), vlen=4, num_outputs=4)
        for i in range(4):
            self.assertEqual(run.tags("snapshots", i), [(j, 100) for j in range(9)])
        with self.assertRaisesRegex(ValueError, "snapshots"):
            block.set_snapshots(0)

    def test_windows_overlap_and_forget_as_those_of_a_covariance(self):
        # The samples of a channel, by items of one snapshot: sums of them are the windows.
        n, num_channels, x = 2, 4, noise(2, 4000)
        single = bearing.channelized_covariance(n, 1, num_channels, RATE, [1])
        products = stream_run(single, x, vlen=4, num_outputs=1).covariances(n)

        def items(block):
            return stream_run(block, x, vlen=4, num_outputs=1).covariances(n)

        def overlapping(k):
            return np.mean(products[20 * k : 20 * k + 100], axis=0)

        def forgetting(k):
            weights = np.repeat(0.5 ** np.arange(k, -1, -1), 100)
            return np.average(products[: 100 * (k + 1)], axis=0, weights=weights)

        made = bearing.channelized_covariance(n, 100, num_channels, RATE, [1], hop=20)
        staged = bearing.channelized_covariance(n, 100, num_channels, RATE, [1])
        staged.set_hop(20)
        together = bearing.channelized_covariance(n, 7, num_channels, RATE, [1], forgetting=0.9)
        together.set_window(100, 20)
        remembering = bearing.channelized_covariance(n, 100, num_channels, RATE, [1])
        remembering.set_forgetting(0.5)
        for block, wanted, count in (
            (made, overlapping, 40),
            (staged, overlapping, 40),
            (together, overlapping, 40),
            (remembering, forgetting, 9),
        ):
            found = items(block)
            self.assertGreaterEqual(len(found), count)
            for k in range(count):
                # Single precision of the products, of a power of 2 / 4 an element.
                np.testing.assert_allclose(found[k], wanted(k), atol=3e-6)
        self.assertEqual((made.hop(), made.forgetting()), (20, 0.0))
        self.assertEqual((remembering.hop(), remembering.forgetting()), (0, 0.5))
        with self.assertRaisesRegex(ValueError, "hop"):
            made.set_hop(30)
        self.assertEqual(made.hop(), 20)

    def test_wrong_parameters_are_named(self):
        good = {"num_elements": 2, "snapshots": 10, "num_channels": 8, "sample_rate": 1e6}
        bearing.channelized_covariance(**good)
        for name, values in (
            ("num_elements", (0, 65, 2.0, True, None)),
            ("num_channels", (1, 1025, 8.0, "8")),
            ("snapshots", (0, -1, 1e3)),
            ("sample_rate", (0, -1.0, float("nan"), None)),
            ("channels", ([], [4], [-5], [0, 0], [0.0], 3, "all")),
            ("attenuation_db", (20, 141, float("inf"), None)),
            ("center_frequency", (-1.0, 5e5, float("nan"), None)),
            ("hop", (-1, 5.0, None)),
            ("forgetting", (-0.1, 1.0, float("nan"), None)),
        ):
            for value in values:
                with self.subTest(**{name: value}):
                    with self.assertRaisesRegex(ValueError, "^" + name + " is "):
                        bearing.channelized_covariance(**{**good, name: value})
        with self.assertRaisesRegex(ValueError, "hop"):
            bearing.channelized_covariance(**good, hop=3)
        # What a product with a rate gives: the message has what to write instead.
        with self.assertRaisesRegex(ValueError, "^snapshots is 480000.0.* such as 480000$"):
            bearing.channelized_covariance(**{**good, "snapshots": 0.2 * 2.4e6})


if __name__ == "__main__":
    gr_unittest.run(qa_channelized_covariance)

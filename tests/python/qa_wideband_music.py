#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""MUSIC over a wide band: the function and the block."""

import numpy as np
import pmt
from gnuradio import bearing, blocks, gr, gr_unittest

from estimator_block_tests import Report, calibration_message, c32, tag, time_value
from support import stored_messages

SPEED_OF_LIGHT = 299792458.0

CENTER = 100e6
RATE = 25e6
SUBBANDS = 16
WAVELENGTH = SPEED_OF_LIGHT / CENTER
LINE = np.array([[1.4 * k, 0.0] for k in range(8)])  # metres, nearly half a wavelength apart


def circle(n=7, radius=3.0):
    azimuth = 2 * np.pi * np.arange(n) / n
    return radius * np.stack([np.sin(azimuth), np.cos(azimuth)], axis=1)


def noise(random, size):
    return (random.standard_normal(size) + 1j * random.standard_normal(size)) / np.sqrt(2)


def waves(positions, angles_deg, snr_db, size, seed, delays=None, center=CENTER):
    """N x size samples, noise of power 1: every element hears each signal earlier by the time that
    the wave takes from it to the origin. With delays (in samples) all are echoes of one signal."""
    random = np.random.default_rng(seed)
    frequency = np.fft.fftfreq(size, 1 / RATE)
    spectra = np.zeros((len(positions), size), complex)
    signal = noise(random, size)
    for k, angle in enumerate(np.deg2rad(angles_deg)):
        if delays is None:
            signal = noise(random, size)
        late = 0.0 if delays is None else delays[k] / RATE
        early = positions @ [np.sin(angle), np.cos(angle)] / SPEED_OF_LIGHT
        level = 10 ** (snr_db / 20) * np.exp(-2j * np.pi * frequency * late)
        spectra += level * signal * np.exp(2j * np.pi * np.outer(early, center + frequency))
    spectra += noise(random, spectra.shape)
    return (np.fft.ifft(spectra) * np.sqrt(size)).astype(np.complex64)


def wideband(x, array, num_sources, center=CENTER, **options):
    covariances, frequency, snapshots = bearing.core.subband_covariance(
        x, RATE, SUBBANDS, center_frequency=center
    )
    return bearing.core.wideband_music(
        covariances, array, frequency, num_sources, snapshots, **options
    )


class flowgraph:
    """x -> subband_covariance -> wideband_music; reports and spectra"""

    def __init__(self, x, array, num_sources, size, tags=(), messages=(), setters=(), **options):
        top = gr.top_block()
        covariance = bearing.subband_covariance(len(x), size, SUBBANDS, RATE)
        self.block = bearing.wideband_music(array, num_sources, SUBBANDS, RATE, **options)
        for name, *arguments in setters:
            getattr(self.block, name)(*arguments)
        for k, samples in enumerate(x):
            own = [tag(offset, key, value) for offset, key, value in tags if k == 0]
            top.connect(blocks.vector_source_c(samples, False, 1, own), (covariance, k))
        top.connect(covariance, self.block)
        num_points = len(self.block.grid_deg())
        spectra = blocks.vector_sink_f(num_points)
        top.connect(self.block, spectra)
        debug = blocks.message_debug()
        top.msg_connect(self.block, "bearings", debug, "store")
        for message in messages:
            self.block.to_basic_block()._post(pmt.intern("calibration"), message)
        top.run()
        self.spectra = np.reshape(spectra.data(), (-1, num_points))
        self.reports = [Report(stored) for stored in stored_messages(debug)]


class qa_wideband_music(gr_unittest.TestCase):
    def assert_near(self, estimate, angles_deg, deviations=5.0):
        """Every angle within so many predicted deviations."""
        found = np.sort(estimate.angles_deg)
        order = np.argsort(estimate.angles_deg)
        errors = np.abs(found - np.sort(angles_deg))
        self.assertTrue(np.all(errors < deviations * np.array(estimate.std_deg)[order]), errors)

    # The function

    def test_bearings_on_a_line_and_on_a_circle(self):
        for positions, angles in (
            (LINE, [40.0]),
            (LINE, [-20.0, 33.0]),
            (circle(), [100.0]),
            (circle(), [20.0, 200.0]),
        ):
            array = bearing.array.custom(positions, WAVELENGTH)
            x = waves(positions, angles, 10.0, 8000, seed=1)
            for combination in ("incoherent", "coherent"):
                estimate = wideband(x, array, len(angles), combination=combination)
                self.assertEqual(estimate.status, "ok")
                self.assert_near(estimate, angles)
                # A tenth of what a narrow band of one sub-band has.
                self.assertLess(np.max(estimate.std_deg), 0.1)

    def test_one_covariance_contradicts_the_model(self):
        array = bearing.array.custom(LINE, WAVELENGTH)
        x = waves(LINE, [40.0], 10.0, 8000, seed=2)
        narrow = bearing.core.music(bearing.core.covariance(x), array, 1, x.shape[1])
        self.assertEqual(narrow.status, "model_mismatch")
        self.assertTrue(np.isnan(narrow.std_deg[0]))

    def test_focusing_resolves_echoes(self):
        array = bearing.array.custom(LINE, WAVELENGTH)
        angles = [10.0, 35.0]
        x = waves(LINE, angles, 3.0, 8000, seed=3, delays=[0.0, 1.25])
        focused = wideband(x, array, 2, combination="coherent")
        # The angles can be told, their deviations cannot.
        self.assertEqual(focused.status, "not_identifiable")
        # A tenth of a degree is five deviations of sources that are no echoes.
        np.testing.assert_allclose(np.sort(focused.angles_deg), angles, atol=0.1)
        self.assertTrue(np.all(np.isnan(focused.std_deg)))
        self.assertNotEqual(wideband(x, array, 2).status, "ok")

    def test_the_centre_is_that_of_the_wavelength_or_of_the_band(self):
        x = waves(LINE, [30.0], 10.0, 4000, seed=4)
        expected = wideband(x, bearing.array.custom(LINE, WAVELENGTH), 1)
        in_wavelengths = bearing.array.custom(LINE / WAVELENGTH)
        found = wideband(x, in_wavelengths, 1)
        np.testing.assert_allclose(found.angles_deg, expected.angles_deg, atol=1e-7)
        # Metres of another wavelength, and the frequency it belongs to.
        halved = bearing.array.custom(LINE / WAVELENGTH / 2)
        found = wideband(x, halved, 1, center_frequency=CENTER / 2)
        np.testing.assert_allclose(found.angles_deg, expected.angles_deg, atol=1e-7)

    def test_independent_subbands_have_smaller_deviations(self):
        array = bearing.array.custom(LINE, WAVELENGTH)
        x = waves(LINE, [30.0], 10.0, 4000, seed=5)
        overlapped = wideband(x, array, 1)
        independent = wideband(x, array, 1, correlation=[])
        np.testing.assert_allclose(overlapped.angles_deg, independent.angles_deg, atol=1e-12)
        # sum_mm' c_|m-m'| / 16 with c = 1, 0.459, 0.039, 0.001: 1.93.
        ratio = overlapped.std_deg[0] / independent.std_deg[0]
        self.assertAlmostEqual(ratio**2, 1.93, delta=0.05)

    def test_the_spectrum_is_over_the_grid(self):
        array = bearing.array.custom(circle(), WAVELENGTH)
        x = waves(circle(), [123.0], 10.0, 4000, seed=6)
        grid = np.linspace(90.0, 180.0, 91)
        estimate = wideband(x, array, 1, grid_deg=grid)
        np.testing.assert_allclose(estimate.grid_deg, grid, atol=1e-9)
        self.assertEqual(np.argmax(estimate.spectrum_db), 33)

    def test_whatever_the_data_there_is_an_answer(self):
        random = np.random.default_rng(16)
        for trial in range(160):
            n, m = (int(random.integers(2, size)) for size in (8, 6))
            k = int(random.integers(0, n))
            array = bearing.array.uca(n, 0.6) if n > 2 and trial % 2 else bearing.array.ula(n, 0.45)
            x = noise(random, (m, n, int(random.integers(1, 2 * n))))
            rs = x @ x.conj().transpose(0, 2, 1)
            spoil = (trial // 2) % 7
            if spoil == 1:
                rs[0] = np.nan
            elif spoil == 2:
                rs[:] = 0.0
            elif spoil == 3:
                rs[:] = 1.0
            elif spoil == 4:
                rs[:] = np.eye(n)
            elif spoil == 5:
                rs *= 10.0 ** random.uniform(-60.0, 60.0, (m, 1, 1))
            frequency = 1.0 + 0.1 * np.arange(m)
            snapshots = int(random.integers(0, 50))
            for combination in ("incoherent", "coherent"):
                found = bearing.core.wideband_music(
                    rs, array, frequency, k, snapshots, 1.0, combination
                )
                with self.subTest(trial=trial, combination=combination):
                    self.assertEqual(len(found.angles_deg), found.num_sources)
                    self.assertTrue(np.all(np.isfinite(found.spectrum_db)))
                    if found.status == "ok":
                        self.assertTrue(np.all(np.isfinite(found.angles_deg)))

    def test_mistakes_are_named(self):
        array = bearing.array.custom(LINE, WAVELENGTH)
        rs = np.tile(np.eye(8), (4, 1, 1))
        good = np.array([98e6, 99e6, 100e6, 101e6])
        for arguments, options, name in (
            ((rs[:3], array, good, 1), {}, "Rs"),
            ((rs[0], array, good, 1), {}, "Rs"),
            ((rs, array, good - 100e6, 1), {}, "frequencies .* give subband_covariance"),
            ((rs, array, good[::-1], 1), {}, "frequencies"),
            ((rs, array, good, 8), {}, "num_sources"),
            ((rs, array, good, 1), {"snapshots": -1}, "snapshots"),
            ((rs, array, good, 1), {"center_frequency": 0.0}, "center_frequency"),
            ((rs, array, good, 1), {"combination": "both"}, "combination"),
            ((rs, array, good, 1), {"correlation": [2.0]}, "correlation"),
            ((rs, array, good, 1), {"grid_deg": [0.0]}, "num_points"),
            ((rs[:, :7, :7], array, good, 1), {}, "Rs is 4 x 7 x 7; .* N = 8"),
        ):
            with self.assertRaisesRegex(ValueError, name):
                bearing.core.wideband_music(*arguments, **options)

    # The block

    def test_reports_and_spectra_are_those_of_the_function(self):
        array = bearing.array.custom(circle(), WAVELENGTH)
        size = 3000
        x = waves(circle(), [70.0, 250.0], 10.0, 3 * size, seed=7)
        for combination in ("incoherent", "coherent"):
            run = flowgraph(x, array, 2, size, combination=combination)
            self.assertEqual(len(run.reports), 3)
            for k, report in enumerate(run.reports):
                expected = wideband(
                    x[:, k * size : (k + 1) * size], array, 2, combination=combination
                )
                # Items and messages are in single precision.
                np.testing.assert_allclose(report.angles_deg, expected.angles_deg, atol=1e-4)
                np.testing.assert_allclose(report.std_deg, expected.std_deg, rtol=1e-3)
                np.testing.assert_allclose(report.power_db, expected.power_db, atol=1e-3)
                np.testing.assert_allclose(report.snr_db, expected.snr_db, atol=1e-2)
                self.assertEqual(report.status, expected.status)
                self.assertEqual(report.method, "wideband_music")
                np.testing.assert_allclose(run.spectra[k], expected.spectrum_db, atol=0.05)

    def test_each_item_has_its_own_time_and_what_it_is_worth(self):
        array = bearing.array.custom(LINE, WAVELENGTH)
        x = waves(LINE, [10.0], 10.0, 6000, seed=8)
        run = flowgraph(x, array, 1, 2000, tags=[(0, "rx_time", time_value(50, 0.25))])
        for k, report in enumerate(run.reports):
            seconds, fraction = report.rx_time
            self.assertAlmostEqual(seconds + fraction, 50.25 + k * 2000 / RATE, delta=1e-9)
            worth = bearing.core.subband_covariance(x[:, :2000], RATE, SUBBANDS)[2]
            self.assertEqual(pmt.to_uint64(report.get("snapshots")), worth)

    def test_rx_freq_is_the_centre_of_an_array_built_with_a_wavelength(self):
        x = waves(LINE, [25.0], 10.0, 4000, seed=9, center=80e6)
        array = bearing.array.custom(LINE, WAVELENGTH)
        run = flowgraph(x, array, 1, 4000, tags=[(0, "rx_freq", pmt.from_double(80e6))])
        self.assertEqual(run.reports[0].status, "ok")
        self.assertLess(
            abs(run.reports[0].angles_deg[0] - 25.0), 5 * run.reports[0].std_deg[0]
        )

    def test_an_array_in_wavelengths_needs_the_centre(self):
        x = waves(LINE, [25.0], 10.0, 4000, seed=10)
        array = bearing.array.custom(LINE / WAVELENGTH)
        with self.assertRaisesRegex(ValueError, "center_frequency"):
            bearing.wideband_music(array, 1, SUBBANDS, RATE)
        run = flowgraph(x, array, 1, 4000, center_frequency=CENTER)
        expected = wideband(x, array, 1)
        np.testing.assert_allclose(run.reports[0].angles_deg, expected.angles_deg, atol=1e-4)

    def test_a_calibration_holds_for_the_whole_band(self):
        gains = np.exp(1j * np.arange(8.0) ** 2) * np.linspace(0.7, 1.3, 8)
        gains /= gains[0]
        x = waves(LINE, [-15.0], 15.0, 4000, seed=11) * gains[:, None]
        array = bearing.array.custom(LINE, WAVELENGTH)
        message = calibration_message(gains=c32(gains))
        known = bearing.calibration(gains=gains)
        for options in ({"messages": [message]}, {"setters": [("set_calibration", known)]}):
            run = flowgraph(x.astype(np.complex64), array, 1, 4000, **options)
            self.assertEqual(run.reports[0].status, "ok")
            # Gains are in single precision in messages; five deviations.
            self.assertLess(
                abs(run.reports[0].angles_deg[0] + 15.0), 5 * run.reports[0].std_deg[0]
            )

    def test_setters_before_the_start_hold_from_the_first_item_on(self):
        array = bearing.array.custom(circle(), WAVELENGTH)
        x = waves(circle(), [70.0, 150.0], 10.0, 3000, seed=12)
        run = flowgraph(
            x,
            array,
            1,
            3000,
            setters=[
                ("set_num_sources", 2),
                ("set_combination", "coherent"),
                ("set_limits_deg", [60.0, 160.0]),
                ("set_heading_deg", 300.0),
            ],
        )
        report = run.reports[0]
        expected = wideband(
            x, array, 2, combination="coherent", grid_deg=np.linspace(60.0, 160.0, 512)
        )
        np.testing.assert_allclose(report.angles_deg, expected.angles_deg, atol=1e-4)
        np.testing.assert_allclose(
            report.true_bearing_deg, (expected.angles_deg + 300.0) % 360.0, atol=1e-3
        )

    def test_sources_are_counted_when_their_number_is_zero(self):
        array = bearing.array.custom(circle(), WAVELENGTH)
        x = waves(circle(), [70.0, 150.0, 300.0], 8.0, 4000, seed=13)
        self.assertEqual(flowgraph(x, array, 0, 4000).reports[0].num_sources, 3)
        silence = waves(circle(), [], 0.0, 4000, seed=14)
        report = flowgraph(silence, array, 0, 4000).reports[0]
        self.assertEqual((report.num_sources, report.status), (0, "no_source"))

    def test_bad_data_is_reported_and_leaves_no_trace(self):
        array = bearing.array.custom(LINE, WAVELENGTH)
        x = waves(LINE, [5.0], 10.0, 6000, seed=15)
        x[3, 2500] = np.nan
        statuses = [report.status for report in flowgraph(x, array, 1, 2000).reports]
        self.assertEqual(statuses, ["ok", "bad_data", "ok"])

    def test_mistakes_are_named(self):
        array = bearing.array.custom(LINE, WAVELENGTH)
        for arguments, options, name in (
            ((array, 8, 16, RATE), {}, "num_sources"),
            ((array, 1, 2, RATE), {}, "num_subbands"),
            ((array, 1, 16, 0.0), {}, "sample_rate"),
            ((array, 1, 16, 3 * CENTER), {}, "sample_rate"),
            ((array, 1, 16, RATE, 0.0), {}, "bandwidth"),
            ((array, 1, 16, RATE), {"center_frequency": -1.0}, "center_frequency"),
            ((array, 1, 16, RATE), {"combination": "both"}, "combination"),
            ((array, 1, 16, RATE), {"snapshots": -1}, "snapshots"),
            ((array, 1, 16, RATE), {"num_points": 1}, "num_points"),
            ((array, 1, 16, RATE), {"limits_deg": [0.0, 91.0]}, "limits_deg"),
            ((array, 1, 16, RATE), {"heading_deg": np.inf}, "heading_deg"),
            ((array, 1, 16, RATE), {"counting": "all"}, "counting"),
        ):
            with self.assertRaisesRegex(ValueError, name):
                bearing.wideband_music(*arguments, **options)
        block = bearing.wideband_music(array, 1, 16, RATE)
        for name, value in (("num_sources", 8), ("combination", "none"), ("limits_deg", [1.0])):
            with self.assertRaisesRegex(ValueError, name):
                getattr(block, "set_" + name)(value)


if __name__ == "__main__":
    gr_unittest.run(qa_wideband_music)

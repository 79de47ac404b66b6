#!/usr/bin/python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The MUSIC block."""

import math

import numpy as np
import pmt
from gnuradio import bearing, gr_unittest

from estimator_block_tests import (
    ANGLE_TOLERANCE_DEG,
    PDU_KEYS,
    DeviationBlockTests,
    EstimatorBlockTests,
    Flowgraph,
    SpectrumBlockTests,
    calibration_message,
    c32,
    circle_positions,
    covariance,
    line_positions,
    run,
    scene,
)


def wave(positions, azimuth_deg, elevation_deg=0.0, distance=1e6):
    """Phases at the elements of a wave from a point, from its distances alone. Far away by default:
    flat to aperture^2 / (2 distance), 1e-6 wavelengths."""
    azimuth, elevation = np.deg2rad([azimuth_deg, elevation_deg])
    level = np.cos(elevation)
    u = np.array([np.sin(azimuth) * level, np.cos(azimuth) * level, np.sin(elevation)])
    return np.exp(-2j * np.pi * (np.linalg.norm(distance * u - positions, axis=1) - distance))


def keys_of(report):
    keys = pmt.dict_keys(report.raw)
    return {pmt.symbol_to_string(pmt.nth(k, keys)) for k in range(pmt.length(keys))}


def floats(report, key):
    return np.array(pmt.f32vector_elements(report.get(key)))


class qa_music(
    EstimatorBlockTests, DeviationBlockTests, SpectrumBlockTests, gr_unittest.TestCase
):
    method = "music"

    def make(self, array, num_sources, **options):
        return bearing.music(array, num_sources, **options)

    def test_defaults_are_a_spectrum_of_512_points_over_the_whole_range(self):
        grid = np.array(bearing.music(self.line, 1).grid_deg())
        np.testing.assert_allclose(grid, np.linspace(-90, 90, 512), atol=1e-12)

    def test_two_sources_by_a_circle_do_not_depend_on_the_grid(self):
        array = bearing.array.uca(n=5, radius=0.3828)
        r = scene(circle_positions(5, 0.3828), [75.0, 150.0], [13.0, 10.0])
        for num_points in (90, 512):
            block = self.make(array, 2, num_points=num_points)
            self.assert_angles(run(block, [r])[0], [75.0, 150.0])

    def test_the_block_says_what_the_function_says(self):
        r = scene(self.positions, [-10.0, 25.0], [10.0, 7.0]).astype(np.complex64)
        (report,) = run(self.make(self.line, 2, snapshots=200), [r])
        expected = bearing.core.music(r, self.line, 2, 200)
        self.assertEqual(report.status, expected.status)
        # Single precision in messages.
        np.testing.assert_allclose(report.angles_deg, expected.angles_deg, rtol=1e-6)
        np.testing.assert_allclose(report.std_deg, expected.std_deg, rtol=1e-6)
        np.testing.assert_allclose(report.power_db, expected.power_db, rtol=1e-6)

    # Searches over two coordinates

    def test_azimuth_and_elevation_are_found_and_told(self):
        positions = circle_positions(5, 0.383)
        array = bearing.array.uca(5, 0.383)
        r = covariance([wave(positions, 70, 30), wave(positions, 200, 55)], [15.0, 12.0])
        block = self.make(array, 2, snapshots=200, search="azimuth_elevation")
        (report,) = run(block, [r])
        self.assert_angles(report, [70.0, 200.0])
        self.assertEqual(report.status, "ok")
        self.assertEqual(keys_of(report), PDU_KEYS | {"elevation_deg", "elevation_std_deg"})
        # Elevation is known less well than azimuth at 30 degrees by the tangent of it.
        np.testing.assert_allclose(
            floats(report, "elevation_deg"), [30, 55], atol=3 * ANGLE_TOLERANCE_DEG
        )
        expected = bearing.core.music_2d(r.astype(np.complex64), array, 2, 200)
        self.assertEqual(expected.status, "ok")
        # Single precision in messages.
        for key, values in (
            ("std_deg", expected.std_deg),
            ("elevation_deg", expected.elevation_deg),
            ("elevation_std_deg", expected.elevation_std_deg),
        ):
            np.testing.assert_allclose(floats(report, key), values, rtol=1e-6)

    def test_azimuth_and_range_are_found_and_told(self):
        positions = line_positions(8, 0.5)
        array = bearing.array.ula(8, 0.5)
        r = covariance([wave(positions, 20, distance=8.0), wave(positions, -30, distance=12.0)], 20)
        (report,) = run(self.make(array, 2, snapshots=500, search="azimuth_range"), [r])
        self.assertEqual(report.status, "ok")
        self.assertEqual(keys_of(report), PDU_KEYS | {"range_m", "range_std_m"})
        order = np.argsort(report.angles_deg)
        np.testing.assert_allclose(report.angles_deg[order], [-30, 20], atol=ANGLE_TOLERANCE_DEG)
        # 6e-8 of single precision in R through an inverse range with a response of 10.
        np.testing.assert_allclose(floats(report, "range_m")[order], [12, 8], rtol=1e-4)
        self.assertTrue(np.all(floats(report, "range_std_m") > 0))
        # The same source far away.
        (far,) = run(
            self.make(array, 1, snapshots=500, search="azimuth_range"),
            [covariance([wave(positions, 20)], 20)],
        )
        self.assertTrue(math.isinf(floats(far, "range_m")[0]))
        self.assertTrue(math.isnan(floats(far, "range_std_m")[0]))
        self.assertEqual(far.status, "ok")

    def test_ranges_of_an_array_in_metres_are_metres(self):
        positions = 0.69 * circle_positions(8, 0.6)
        array = bearing.array.uca(8, 0.69 * 0.6, wavelength=0.69)
        a = wave(positions / 0.69, 40, distance=2.0 / 0.69)
        (report,) = run(
            self.make(array, 1, snapshots=1000, search="azimuth_range"), [covariance([a], 30)]
        )
        np.testing.assert_allclose(floats(report, "range_m"), [2.0], rtol=1e-4)

    def test_the_spectrum_of_a_search_over_two_peaks_at_the_azimuth(self):
        positions = circle_positions(5, 0.383)
        block = self.make(
            bearing.array.uca(5, 0.383), 1, num_points=360, search="azimuth_elevation"
        )
        flowgraph = Flowgraph(block, [covariance([wave(positions, 123, 40)], 15)], num_points=360)
        flowgraph.run()
        (spectrum,) = flowgraph.spectrum_items()
        self.assertEqual(np.argmax(spectrum), 123)

    def test_a_calibration_message_holds_for_searches_over_two(self):
        positions = circle_positions(5, 0.383)
        gains = np.exp(1j * np.array([0.0, 1.0, -2.0, 0.5, 3.0]))
        r = covariance([gains * wave(positions, 70, 30)], 15)
        block = self.make(
            bearing.array.uca(5, 0.383), 1, snapshots=200, search="azimuth_elevation"
        )
        (report,) = run(block, [r], messages=[calibration_message(gains=c32(gains))])
        self.assert_angles(report, 70.0)
        self.assertEqual(report.status, "ok")

    def test_a_search_over_two_of_bad_data_has_its_keys_too(self):
        block = self.make(bearing.array.uca(5, 0.383), 1, search="azimuth_elevation")
        (report,) = run(block, [np.zeros((5, 5))])
        self.assertEqual(report.status, "bad_data")
        self.assertTrue(math.isnan(floats(report, "elevation_deg")[0]))

    def test_searches_that_cannot_be_are_refused_by_name(self):
        with self.assertRaisesRegex(ValueError, "search"):
            self.make(bearing.array.uca(5, 0.383), 1, search="elevation")
        with self.assertRaisesRegex(ValueError, "line"):
            self.make(self.line, 1, search="azimuth_elevation")

    # The functions

    def test_near_field_steering_is_that_of_distances(self):
        array = bearing.array.uca(5, 0.383)
        got = bearing.array.near_field(array, [10.0, 200.0], [0.6, 30.0], [0.0, 25.0])
        positions = circle_positions(5, 0.383)
        expected = [wave(positions, 10, 0, 0.6), wave(positions, 200, 25, 30.0)]
        np.testing.assert_allclose(got, np.transpose(expected), atol=1e-12)
        np.testing.assert_allclose(
            bearing.array.near_field(array, [10.0, 20.0], math.inf, 5.0),
            array.steering([10.0, 20.0], 5.0),
            atol=1e-12,
        )
        self.assertEqual(bearing.array.near_field(array, 10.0, [1.0, 2.0, 3.0]).shape, (5, 3))
        for bad in (0.383, 0.0, -1.0, math.nan):
            with self.assertRaisesRegex(ValueError, "range"):
                bearing.array.near_field(array, 10.0, bad)
        with self.assertRaisesRegex(ValueError, "equally long"):
            bearing.array.near_field(array, [1.0, 2.0], [1.0, 2.0, 3.0])

    def test_an_estimator_object_says_what_the_function_says(self):
        for array in (self.line, bearing.array.uca(6, 0.5)):
            grid_deg = np.arange(-80.0, 81.0, 2.0)
            r = covariance([array.steering(t)[:, 0] for t in (-20.0, 35.0)])
            estimator = bearing.core.music_estimator(array, 2, grid_deg)
            for options in ({}, {"snapshots": 300}):
                got = estimator.estimate(r, **options)
                expected = bearing.core.music(r, array, 2, grid_deg=grid_deg, **options)
                self.assertEqual(got.status, expected.status)
                for name in ("angles_deg", "std_deg", "power_db", "spectrum_db", "grid_deg"):
                    np.testing.assert_array_equal(getattr(got, name), getattr(expected, name))
            np.testing.assert_array_equal(estimator.spectrum_db(r), got.spectrum_db)

    def test_functions_called_again_with_other_arguments_use_those(self):
        """They keep tables from call to call: those of an estimator made for the purpose are right."""
        grid_deg = np.arange(-80.0, 81.0, 2.0)
        gains = np.exp(1j * np.arange(self.n))
        calibrated = self.line.calibrated(bearing.calibration(gains=gains))
        r = covariance([self.line.steering(t)[:, 0] for t in (-20.0, 35.0)])
        for _ in range(2):  # the second time all but the latest four are made anew
            for array in (self.line, bearing.array.ula(self.n, 0.4), calibrated):
                for num_sources in (1, 2):
                    for shift in (0.0, 0.5):
                        grid_deg += shift  # in place: the same object with other values
                        expected = bearing.core.music_estimator(
                            array, num_sources, grid_deg
                        ).estimate(r, 300)
                        got = bearing.core.music(r, array, num_sources, 300, grid_deg)
                        np.testing.assert_array_equal(got.angles_deg, expected.angles_deg)
                        np.testing.assert_array_equal(got.spectrum_db, expected.spectrum_db)
                        grid_deg -= shift
        # An array that is gone leaves nothing behind for one that takes its place in memory.
        for spacing in np.linspace(0.3, 0.5, 40):
            found = bearing.core.root_music(
                covariance([bearing.array.ula(self.n, spacing).steering(20.0)[:, 0]]),
                bearing.array.ula(self.n, spacing), 1, 300)
            np.testing.assert_allclose(found.angles_deg, [20.0], atol=ANGLE_TOLERANCE_DEG)

    def test_spectra_of_a_stack_are_those_of_its_covariances(self):
        estimator = bearing.core.music_estimator(self.line, 1)
        stack = np.stack([scene(self.positions, t) for t in (-40.0, 5.0, 60.0)])
        for form in (stack, np.asfortranarray(stack), stack.astype(np.complex64)):
            spectra = estimator.spectrum_db(form)
            self.assertEqual(spectra.shape, (3, 512))
            for r, spectrum in zip(form, spectra):
                np.testing.assert_array_equal(estimator.spectrum_db(r), spectrum)
        peaks = np.linspace(-90, 90, 512)[np.argmax(estimator.spectrum_db(stack), axis=1)]
        np.testing.assert_allclose(peaks, [-40.0, 5.0, 60.0], atol=180 / 511)
        self.assertEqual(estimator.spectrum_db(stack[:0]).shape, (0, 512))
        for wrong in (stack[:, :5, :5], stack[None], np.ones(self.n**2)):
            with self.assertRaisesRegex(ValueError, "R"):
                estimator.spectrum_db(wrong)
        # Without a signal subspace there is nothing to see.
        np.testing.assert_array_equal(estimator.spectrum_db(np.full((6, 6), np.nan)), 0.0)
        with self.assertRaisesRegex(ValueError, "num_sources"):
            bearing.core.music_estimator(self.line, 6)

    def test_the_map_shows_the_source(self):
        array = bearing.array.uca(5, 0.383)
        r = covariance([array.steering(100.0, 41.0)[:, 0]], 20)
        found = bearing.core.music_2d(r, array, 1, 100, grid_deg=np.arange(0, 360, 2.0))
        self.assertEqual(found.map_db.shape, (180, len(found.map_elevation_deg)))
        self.assertEqual(len(found.map_inverse_range), 0)
        g, e = np.unravel_index(np.argmax(found.map_db), found.map_db.shape)
        self.assertEqual(found.grid_deg[g], 100.0)
        # The elevations step by two degrees.
        self.assertLess(abs(found.map_elevation_deg[e] - 41.0), 1.01)
        np.testing.assert_array_equal(found.spectrum_db, found.map_db.max(axis=1))

    def test_the_nearest_range_limits_the_search(self):
        array = bearing.array.uca(8, 0.6)
        r = covariance([wave(circle_positions(8, 0.6), 40, distance=0.75)], 30)
        options = {"search": "azimuth_range", "nearest_range": 0.7}
        found = bearing.core.music_2d(r, array, 1, 1000, **options)
        np.testing.assert_allclose(found.range, [0.75], rtol=1e-6)
        self.assertNotEqual(bearing.core.music_2d(r, array, 1, 1000, "azimuth_range").status, "ok")
        options["nearest_range"] = 0.5
        with self.assertRaisesRegex(ValueError, "nearest_range"):
            bearing.core.music_2d(r, array, 1, 1000, **options)


if __name__ == "__main__":
    gr_unittest.run(qa_music)

#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangulation: geometry that agrees with geodesics of the ellipsoid, the most likely place, and
ellipses that hold the transmitter as often as they say."""

import collections
import unittest

import numpy as np
import scipy.optimize
from gnuradio.bearing.fusion import geodesy
from gnuradio.bearing.fusion.triangulation import MAX_STATIONS, triangulate

import geodesics
from support import FULL

QUANTILE_95 = 5.991464547107979  # of chi-squared, two degrees of freedom


def turned(degrees):
    return (np.asarray(degrees) + 180.0) % 360.0 - 180.0


def offset_m(fix, latitude, longitude):
    """Metres to the east and north from a fix to a point, by geodesics."""
    metres, bearing = geodesics.inverse(fix.latitude, fix.longitude, latitude, longitude)
    return metres * np.array([np.sin(np.radians(bearing)), np.cos(np.radians(bearing))])


def ring(random, count, range_m, centre=(47.0, 8.0)):
    """Stations around a centre, at distances up to range_m."""
    bearing = 360.0 / count * np.arange(count) + random.uniform(-20, 20, count)
    return geodesy.destination(*centre, bearing, range_m * random.uniform(0.4, 1.0, count))


class qa_geodesy(unittest.TestCase):
    def ways(self, length_m, most_latitude=89.0):
        random = np.random.default_rng(1)
        count = 2000
        latitude = random.uniform(-most_latitude, most_latitude, count)
        longitude = random.uniform(-180, 180, count)
        bearing = random.uniform(0, 360, count)
        end = geodesy.destination(latitude, longitude, bearing, length_m)
        return latitude, longitude, bearing, end

    def test_ways_are_geodesics_of_the_ellipsoid_as_near_as_documented(self):
        for length_m, bearing_tolerance, distance_tolerance in (
            (100.0, 1e-5, 1e-6),  # what the oracle's millimetre allows
            (1e4, 2e-4, 1e-7),
            (1e5, 2e-3, 1e-9),
            (1e6, 2e-2, 1e-7),
        ):
            latitude, longitude, bearing, end = self.ways(length_m)
            metres, course = geodesics.inverse(latitude, longitude, *end)
            self.assertLess(np.abs(metres / length_m - 1).max(), distance_tolerance)
            self.assertLess(np.abs(turned(course - bearing)).max(), bearing_tolerance)

    def test_distance_and_bearing_are_those_of_the_way(self):
        for length_m in (1.0, 1e3, 1e5, 5e6):
            latitude, longitude, bearing, end = self.ways(length_m)
            # Double precision of a longitude is a nanometre; of the haversine 1e-8 m.
            found = geodesy.distance(latitude, longitude, *end)
            np.testing.assert_allclose(found, length_m, rtol=1e-9, atol=1e-7)
            course = geodesy.initial_bearing(latitude, longitude, *end)
            # The same 1e-8 m, seen from the other end, near a pole more.
            self.assertLess(np.abs(turned(course - bearing)).max(), 1e-4 / length_m + 1e-9)

    def test_conformal_latitude_and_back(self):
        latitude = np.array([-90.0, -89.999999, -45.0, 0.0, 1e-9, 60.0, 90.0])
        back = geodesy.from_sphere(geodesy.to_sphere(latitude))
        np.testing.assert_allclose(back, latitude, atol=1e-13)

    def test_poles_and_antimeridian_are_no_special_places(self):
        latitude, longitude = geodesy.destination(89.99, 20.0, 0.0, 5000.0)
        # 1117 m of the way lead to the pole, the rest down on the other side.
        self.assertAlmostEqual(longitude, -160.0, places=9)
        self.assertAlmostEqual(geodesy.distance(latitude, longitude, 90.0, 0.0), 3883.1, delta=0.1)
        latitude, longitude = geodesy.destination(10.0, 179.9, 90.0, 50e3)
        self.assertTrue(-180.0 <= longitude < -179.0)
        self.assertAlmostEqual(geodesy.initial_bearing(0.0, 179.0, 0.0, -179.0), 90.0, places=9)
        self.assertEqual(geodesy.wrapped_longitude(180.0), -180.0)
        self.assertEqual(geodesy.wrapped_longitude(-1e-20 - 180.0), -180.0)

    def test_numbers_give_floats_and_arrays_broadcast(self):
        self.assertIsInstance(geodesy.distance(1, 2, 3, 4), float)
        self.assertIsInstance(geodesy.initial_bearing(1, 2, 3, 4), float)
        self.assertTrue(all(isinstance(x, float) for x in geodesy.destination(1, 2, 3, 4)))
        self.assertEqual(geodesy.initial_bearing(1.0, 2.0, 1.0, 2.0), 0.0)
        self.assertEqual(geodesy.distance(1.0, 2.0, 1.0, 2.0), 0.0)
        latitude, _ = geodesy.destination(1.0, 2.0, [3.0, 4.0], np.ones((3, 1)))
        self.assertEqual(latitude.shape, (3, 2))


class qa_triangulation(unittest.TestCase):
    def test_exact_bearings_meet_at_the_transmitter(self):
        random = np.random.default_rng(2)
        for trial in range(60):
            count = 2 + trial % 4
            centre = (random.uniform(-80, 80), random.uniform(-180, 180))
            latitude, longitude = ring(random, max(3, count), 40e3, centre)
            latitude, longitude = latitude[:count], longitude[:count]
            _, bearing = geodesics.inverse(latitude, longitude, *centre)
            fix = triangulate(latitude, longitude, bearing, np.full(count, 0.5))
            self.assertEqual(fix.status, "ok")
            # Great circles are off geodesics by 0.0006 degrees over 40 km, 0.4 m; crossing angles
            # of at least 20 degrees make three times as much of it.
            self.assertLess(np.hypot(*offset_m(fix, *centre)), 2.0)

    def test_the_fix_is_the_most_likely_place(self):
        random = np.random.default_rng(3)
        for trial in range(12):
            count = 2 + trial % 5
            latitude, longitude = ring(random, max(3, count), 30e3)
            latitude, longitude = latitude[:count], longitude[:count]
            std = random.uniform(0.3, 3.0, count)
            _, bearing = geodesics.inverse(latitude, longitude, 47.0, 8.0)
            bearing = (bearing + std * random.standard_normal(count)) % 360.0
            fix = triangulate(latitude, longitude, bearing, std)

            def residuals(place):
                # In kilometres around the true place, so that both are alike.
                lat, lon = 47.0 + place[0] / 111.0, 8.0 + place[1] / 76.0
                _, expected = geodesics.inverse(latitude, longitude, lat, lon)
                return turned(bearing - expected) / std

            starts = [(0.1, 0.2), (2.0, -3.0), (-4.0, 1.0)]
            best = min(
                (scipy.optimize.least_squares(residuals, start, xtol=1e-12) for start in starts),
                key=lambda result: result.cost,
            )
            expected = 47.0 + best.x[0] / 111.0, 8.0 + best.x[1] / 76.0
            # As above: great circles are not quite geodesics.
            self.assertLess(np.hypot(*offset_m(fix, *expected)), 2.0)
            self.assertAlmostEqual(fix.chi_squared, 2 * best.cost, delta=0.01)
            np.testing.assert_allclose(fix.residuals_deg, residuals(best.x) * std, atol=0.005)

    def test_the_covariance_of_small_deviations_is_that_of_fisher(self):
        random = np.random.default_rng(4)
        for count in (2, 3, 6):
            latitude, longitude = ring(random, max(3, count), 30e3)
            latitude, longitude = latitude[:count], longitude[:count]
            std = random.uniform(0.01, 0.03, count)
            _, bearing = geodesics.inverse(latitude, longitude, 47.0, 8.0)
            fix = triangulate(latitude, longitude, bearing, std)
            # Slopes of bearings by finite differences of 10 m.
            slopes = []
            for course in (90.0, 0.0):
                ends = [geodesy.destination(47.0, 8.0, course + turn, 10.0) for turn in (0, 180)]
                seen = [geodesics.inverse(latitude, longitude, *end)[1] for end in ends]
                slopes.append(turned(seen[0] - seen[1]) / 20.0 / std)
            expected = np.linalg.inv(np.array(slopes) @ np.array(slopes).T)
            # The region is cut into 48 directions and 60 radii: 1e-3 of it, and its own curvature.
            np.testing.assert_allclose(
                fix.covariance, expected, rtol=0, atol=0.005 * np.trace(expected)
            )
            values, vectors = np.linalg.eigh(expected)
            self.assertAlmostEqual(fix.semi_major_m, np.sqrt(QUANTILE_95 * values[1]), delta=0.005
                                   * fix.semi_major_m)
            self.assertAlmostEqual(fix.semi_minor_m, np.sqrt(QUANTILE_95 * values[0]), delta=0.005
                                   * fix.semi_major_m)
            axis = np.array([np.sin(np.radians(fix.orientation_deg)),
                             np.cos(np.radians(fix.orientation_deg))])
            self.assertGreater(abs(axis @ vectors[:, 1]), 0.999)

    def scenes(self, random, count, most_std, well_placed=False):
        """Two stations 2 to 50 km apart, a transmitter up to twice as far from the point between
        them in any direction, deviations of 0.5 degrees to most_std: truth of shape 2 x count;
        latitude, longitude, bearing and deviation of shape count x 2.

        well_placed: only transmitters whose lines cross at 30 to 150 degrees, 0.3 to 1.5 times as
        far from each station as these are from each other; else 0.3 to 2 times as far from the
        point between. Nothing that is measured takes part in that.
        """
        # A quarter to a third of them are well placed.
        drawn = 6 * count if well_placed else count
        here = np.array([random.uniform(-70, 70, drawn), random.uniform(-180, 180, drawn)])
        baseline = random.uniform(2e3, 50e3, drawn)
        there = geodesy.destination(*here, random.uniform(0, 360, drawn), baseline)
        middle = geodesy.destination(*here, geodesy.initial_bearing(*here, *there), baseline / 2)
        least = 0.0 if well_placed else 0.3
        truth = np.array(geodesy.destination(
            *middle, random.uniform(0, 360, drawn), baseline * random.uniform(least, 2.0, drawn)
        ))
        latitude, longitude = np.moveaxis([here, there], 0, -1)
        if well_placed:
            metres, back = geodesics.inverse(*truth[..., None], latitude, longitude)
            crossing = np.abs(turned(back[:, 0] - back[:, 1]))
            ranges = metres / baseline[:, None]
            fits = (crossing >= 30) & (crossing <= 150)
            fits &= (ranges.min(axis=1) >= 0.3) & (ranges.max(axis=1) <= 1.5)
            chosen = np.flatnonzero(fits)[:count]
            self.assertEqual(len(chosen), count)
            truth, latitude, longitude = truth[:, chosen], latitude[chosen], longitude[chosen]
        std = random.uniform(0.5, most_std, (count, 2))
        _, bearing = geodesics.inverse(latitude, longitude, *truth[..., None])
        noise = random.standard_normal((count, 2))
        return truth, noise, latitude, longitude, (bearing + std * noise) % 360.0, std

    def located(self, truth, told):
        """(statuses, whether an ellipse holds the transmitter) of scenes."""
        fixes = [triangulate(*case) for case in zip(*told)]
        held = np.zeros(len(fixes), bool)
        for k, fix in enumerate(fixes):
            if fix.status == "ok":
                error = offset_m(fix, *truth[:, k])
                held[k] = error @ np.linalg.solve(fix.covariance, error) <= QUANTILE_95
            else:
                self.assertTrue(np.isnan(fix.semi_major_m))
        return np.array([fix.status for fix in fixes]), held

    def test_ellipses_hold_the_transmitter_in_95_of_100_cases(self):
        count = 20000 if FULL else 1000
        truth, _, *told = self.scenes(np.random.default_rng(5), count, 2.0, well_placed=True)
        statuses, held = self.located(truth, told)
        # None is left out, so what is counted is no selection.
        self.assertEqual(collections.Counter(statuses), {"ok": count})
        print(f"{held.sum()} of {count} held ... ", end="")
        # The binomial deviation of 1000 is 6.9, of 20000 0.15 %; what is left is the method's.
        slack = 0.01 if FULL else 0.02
        self.assertTrue((0.95 - slack) * count <= held.sum() <= (0.95 + slack) * count, held.sum())

    def test_where_ellipses_are_withheld_95_is_an_average_of_those_that_are_not(self):
        count = 20000 if FULL else 1000
        truth, noise, *told = self.scenes(np.random.default_rng(15), count, 5.0)
        statuses, held = self.located(truth, told)
        ok, low = statuses == "ok", statuses == "low_snr"
        self.assertEqual(set(statuses) - {"ok", "low_snr", "unresolved"}, set())
        # Of two bearings that meet, chi-squared at the transmitter is that of their errors.
        likely = np.sum(noise**2, axis=1) <= QUANTILE_95
        print(
            f"{held.sum() / ok.sum():.3f} of {ok.sum()} ellipses held, {held.mean():.3f} of all "
            f"{count} scenes, {1 - ok.mean():.3f} without: {low.sum()} low_snr, of whose regions "
            f"without an end {np.mean(likely[low]):.3f} held ... ", end=""
        )
        # Binomial deviations are 0.8 % of the ellipses, 1.3 % of all scenes, 1.2 % of those without
        # one, and 2 % of the 150 of low_snr, half as much as is allowed or less.
        self.assertAlmostEqual(held.sum() / ok.sum(), 0.95, delta=0.02)
        self.assertAlmostEqual(held.mean(), 0.78, delta=0.04)
        self.assertAlmostEqual(1 - ok.mean(), 0.19, delta=0.04)
        self.assertAlmostEqual(np.mean(likely[low]), 0.95, delta=0.05)

    def test_a_scene_whose_ellipses_are_mostly_withheld_has_few_that_hold(self):
        # Base, and place of the transmitter east and north of its middle, in kilometres.
        for base, east, north, is_flat in ((20.0, 60.0, 15.0, True), (40.0, 0.0, 20.0, False)):
            random, count = np.random.default_rng(1), 1000 if FULL else 300
            away, bearing = np.hypot(east, north), np.degrees(np.arctan2(east, north))
            stations = geodesy.destination(47.0, 8.0, [270.0, 90.0], 500.0 * base)
            truth = np.array(geodesy.destination(47.0, 8.0, bearing, 1e3 * away))
            _, bearing = geodesics.inverse(*stations, *truth)
            told = [np.tile(values, (count, 1)) for values in stations]
            told.append((bearing + 2.0 * random.standard_normal((count, 2))) % 360.0)
            told.append(np.full((count, 2), 2.0))
            statuses, held = self.located(np.tile(truth[:, None], count), told)
            without = np.mean(statuses != "ok")
            if is_flat:
                # 98.7 % of 3000 scenes had none, and of 39 ellipses not one held.
                self.assertGreater(without, 0.95)
                self.assertLess(held.mean(), 0.01)
            else:
                self.assertEqual(without, 0.0)
                # The binomial deviation of 300 is 1.3 %.
                self.assertAlmostEqual(held.mean(), 0.95, delta=0.04)

    def test_chi_squared_is_what_its_name_says(self):
        # The mean of a chi-squared variable is its degrees of freedom, two; that of 400 has a
        # deviation of 0.1, and four of them are a chance of 6e-5. Contradictions are claimed once
        # in a thousand times.
        random = np.random.default_rng(6)
        latitude, longitude = ring(random, 4, 20e3)
        _, bearing = geodesics.inverse(latitude, longitude, 47.0, 8.0)
        std = np.array([0.5, 1.0, 0.7, 0.3])
        fixes = [
            triangulate(latitude, longitude, bearing + std * random.standard_normal(4), std)
            for _ in range(400)
        ]
        self.assertAlmostEqual(np.mean([fix.chi_squared for fix in fixes]), 2.0, delta=0.4)
        # Five or more of 400 have a chance of 1e-4.
        self.assertLess(sum(fix.status != "ok" for fix in fixes), 5)

    def test_contradictions_are_said(self):
        latitude, longitude = ring(np.random.default_rng(7), 4, 20e3)
        _, bearing = geodesics.inverse(latitude, longitude, 47.0, 8.0)
        bearing[2] += 20.0
        fix = triangulate(latitude, longitude, bearing, np.ones(4))
        self.assertEqual(fix.status, "model_mismatch")
        self.assertGreater(abs(fix.residuals_deg[2]), 5.0)
        self.assertTrue(np.isfinite(fix.semi_major_m))

    def test_a_bearing_points_forwards(self):
        latitude, longitude = np.array([47.0, 47.0]), np.array([8.0, 8.2])
        for bearing, expected in (
            ([45.0, 315.0], "ok"),
            ([135.0, 225.0], "ok"),
            ([225.0, 315.0], "unresolved"),  # the second one's line meets the first one's behind it
            ([315.0, 45.0], "unresolved"),  # they diverge
            ([0.0, 0.0], "unresolved"),  # parallel, but for the meridians' meeting at the pole
            ([90.0, 90.0], "unresolved"),
        ):
            fix = triangulate(latitude, longitude, bearing, [1.0, 1.0])
            self.assertEqual(fix.status, expected, bearing)
            if expected == "ok":
                for place, course in zip(longitude, bearing):
                    seen = geodesy.initial_bearing(47.0, place, fix.latitude, fix.longitude)
                    self.assertAlmostEqual(float(turned(seen - course)), 0.0, places=6)

    def test_stations_at_one_place_are_no_baseline(self):
        for bearing in ([10.0, 12.0], [10.0, 190.0], [10.0, 10.0]):
            fix = triangulate([47.0, 47.0], [8.0, 8.0], bearing, [1.0, 1.0])
            self.assertIn(fix.status, ("unresolved", "low_snr"))
            self.assertTrue(np.isnan(fix.semi_major_m))

    def test_a_fix_is_no_farther_than_allowed(self):
        latitude, longitude = np.array([47.0, 47.0]), np.array([8.0, 8.2])
        _, bearing = geodesics.inverse(latitude, longitude, 47.5, 8.1)
        self.assertEqual(triangulate(latitude, longitude, bearing, [0.1, 0.1], 60e3).status, "ok")
        fix = triangulate(latitude, longitude, bearing, [0.1, 0.1], 50e3)
        self.assertEqual(fix.status, "unresolved")

    def test_lines_that_cross_flatly_have_no_ellipse(self):
        latitude, longitude = np.array([47.0, 47.0]), np.array([8.0, 8.02])
        _, bearing = geodesics.inverse(latitude, longitude, 47.2, 8.01)
        fix = triangulate(latitude, longitude, bearing, [3.0, 3.0])
        self.assertEqual(fix.status, "low_snr")
        self.assertLess(np.hypot(*offset_m(fix, 47.2, 8.01)), 20.0)
        self.assertTrue(np.all(np.isnan(fix.covariance)))

    def test_anywhere_on_earth_is_alike(self):
        random = np.random.default_rng(8)
        std = np.array([1.0, 0.5, 2.0])
        error = std * random.standard_normal(3)
        for centre in ((0.0, 180.0), (-45.0, -179.99), (89.9, 30.0), (-90.0, 0.0), (10.0, 0.0)):
            latitude, longitude = geodesy.destination(*centre, [10.0, 130.0, 260.0], 20e3)
            bearing = geodesy.initial_bearing(latitude, longitude, *centre) + error
            fix = triangulate(latitude, longitude, bearing % 360, std)
            self.assertEqual(fix.status, "ok")
            if centre[0] == 0.0:
                expected = fix
            # The sphere is one; the Earth's own curvature differs by 0.3 % from place to place.
            self.assertAlmostEqual(fix.chi_squared, expected.chi_squared, delta=1e-3)
            self.assertAlmostEqual(fix.semi_major_m / expected.semi_major_m, 1.0, delta=1e-3)

    def test_the_order_of_stations_does_not_matter(self):
        random = np.random.default_rng(9)
        latitude, longitude = ring(random, 5, 30e3)
        std = random.uniform(0.5, 2.0, 5)
        bearing = geodesy.initial_bearing(latitude, longitude, 47.0, 8.0)
        bearing += std * random.standard_normal(5)
        a = triangulate(latitude, longitude, bearing, std)
        order = random.permutation(5)
        b = triangulate(latitude[order], longitude[order], bearing[order], std[order])
        # Micrometres, and rounding of what they are differences of.
        self.assertAlmostEqual(a.latitude, b.latitude, places=9)
        self.assertAlmostEqual(a.longitude, b.longitude, places=9)
        np.testing.assert_allclose(a.residuals_deg[order], b.residuals_deg, atol=1e-7)

    def test_bad_data_has_a_status(self):
        told = np.array([[47.0, 47.0], [8.0, 8.2], [45.0, 315.0], [1.0, 1.0]])
        for row in range(4):
            for value in (np.nan, np.inf):
                bad = told.copy()
                bad[row, 1] = value
                fix = triangulate(*bad)
                self.assertEqual(fix.status, "bad_data")
                self.assertTrue(np.isnan(fix.latitude))

    def test_wrong_parameters_are_named(self):
        good = {
            "latitude": [47.0, 47.0],
            "longitude": [8.0, 8.2],
            "bearing_deg": [45.0, 315.0],
            "std_deg": [1.0, 1.0],
            "max_range_m": 1e6,
        }
        for name, value in (
            ("latitude", [47.0, 91.0]),
            ("latitude", [47.0]),
            ("latitude", np.zeros(MAX_STATIONS + 1)),
            ("longitude", [8.0, 400.0]),
            ("longitude", [8.0, 8.0, 8.0]),
            ("bearing_deg", [45.0, 361.0]),
            ("std_deg", [1.0, 0.0]),
            ("std_deg", [1.0, -1.0]),
            ("max_range_m", 0.0),
            ("max_range_m", np.nan),
        ):
            with self.assertRaisesRegex(ValueError, f"^{name} "):
                triangulate(**{**good, name: value})


if __name__ == "__main__":
    unittest.main()

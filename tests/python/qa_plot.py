#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plots: what the drawn artists say, read back and compared with independent arithmetic."""

import datetime
import itertools
import os
import pathlib
import re
import subprocess
import sys
import unittest
import warnings
from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import matplotlib.collections
import matplotlib.dates
import matplotlib.pyplot as plt
import matplotlib.quiver
import numpy as np
import pmt
from gnuradio import bearing

from support import SOURCE_DIR

# Of coordinates that were computed in double precision from numbers below 1000.
EXACT = 1e-9
# Of angles that went through single precision: 360 times half a unit in its last place is 2e-5.
SINGLE = 1e-4
# The least contrast of graphical objects, WCAG 2.1, criterion 1.4.11.
CONTRAST = 3.0


def estimate(angles=(), std=None, grid=(), spectrum=(), **more):
    """What estimators return, made by hand."""
    return SimpleNamespace(
        angles_deg=np.array(angles, dtype=float),
        std_deg=np.full(len(angles), np.nan) if std is None else np.array(std, dtype=float),
        grid_deg=np.array(grid, dtype=float),
        spectrum_db=np.array(spectrum, dtype=float),
        **more,
    )


def report(angles=(), std=None, rx_time=None, turned=0.0):
    """A bearing_report with angles and deviations."""
    angles = np.array(angles, np.float32)
    unknown = np.full(angles.size, np.nan, np.float32)
    return bearing.bearing_report(
        angles_deg=angles,
        std_deg=unknown if std is None else np.array(std, np.float32),
        true_bearing_deg=(angles + np.float32(turned)) % np.float32(360.0),
        power_db=unknown,
        snr_db=unknown,
        status="ok",
        method="music",
        rx_time=rx_time,
    )


def sampled(array, angles, snr_db=10.0, snapshots=100, seed=1):
    return bearing.core.covariance(
        bearing.core.simulate(array, angles, snr_db, snapshots, seed=seed)
    )


def relative_luminance(colour):
    """WCAG 2.1, written out."""
    total = 0.0
    for value, weight in zip(matplotlib.colors.to_rgb(colour), (0.2126, 0.7152, 0.0722)):
        linear = value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        total += weight * linear
    return total


def contrast(one, other):
    light, dark = sorted((relative_luminance(one), relative_luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def line_collections(ax):
    """Segments of the LineCollections, each an array of points in data coordinates."""
    return [
        np.array(segment)
        for collection in ax.collections
        if isinstance(collection, matplotlib.collections.LineCollection)
        for segment in collection.get_segments()
    ]


def points_of_lines(ax):
    """All finite points of the lines in data coordinates."""
    points = [line.get_xydata() for line in ax.lines if line.get_transform() == ax.transData]
    points = np.vstack([np.empty((0, 2)), *points])
    return points[np.isfinite(points).all(axis=1)]


def has_point(points, expected, tolerance=EXACT):
    points = np.asarray(points).reshape(-1, 2)
    return bool(np.any(np.all(np.abs(points - expected) <= tolerance, axis=1)))


def legend_texts(ax):
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def draw(ax):
    """Draws everything, and fails on a warning (of a layout, a font, a number)."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax.figure.canvas.draw()


class plot_test(unittest.TestCase):
    """Closes the figures, and sees that nobody changed matplotlib's settings."""

    def setUp(self):
        # The settings hold a backend that is resolved when the first figure is made.
        plt.close(plt.figure())
        self.settings = dict(matplotlib.rcParams.copy())

    def tearDown(self):
        plt.close("all")
        self.assertEqual(dict(matplotlib.rcParams.copy()), self.settings)

    def assert_near(self, actual, expected, tolerance=EXACT):
        np.testing.assert_allclose(actual, expected, rtol=0.0, atol=tolerance)

    def assert_names(self, parameter, function, *args, **kwargs):
        """The call raises ValueError whose sentence begins with the parameter."""
        with self.assertRaises(ValueError) as caught:
            function(*args, **kwargs)
        self.assertTrue(
            str(caught.exception).startswith(parameter),
            f"{str(caught.exception)!r} does not begin with {parameter}",
        )


class qa_package(unittest.TestCase):
    def run_python(self, program):
        environment = dict(os.environ, MPLBACKEND="Agg", DISPLAY="")
        result = subprocess.run(
            [sys.executable, "-B", "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.split()

    def test_the_module_comes_from_the_build_tree(self):
        stage = pathlib.Path(bearing.plot.__file__).resolve().parents[3]
        self.assertIn(str(stage), os.environ.get("PYTHONPATH", ""))

    def test_matplotlib_is_imported_on_first_use_and_qt_never(self):
        program = (
            "import sys; from gnuradio import bearing\n"
            "print('matplotlib' in sys.modules)\n"
            "bearing.plot.spectrum([])\n"
            "print('matplotlib' in sys.modules, 'PyQt5' in sys.modules)\n"
        )
        self.assertEqual(self.run_python(program), ["False", "True", "False"])

    def test_exports_are_the_six_plots(self):
        self.assertEqual(
            sorted(bearing.plot.__all__),
            ["array", "covariance", "polar", "roots", "spectrum", "track"],
        )
        for name in bearing.plot.__all__:
            self.assertTrue(callable(getattr(bearing.plot, name)), name)
            self.assertIn("Raises", getattr(bearing.plot, name).__doc__)

    def test_nobody_opens_a_window(self):
        for path in (SOURCE_DIR / "python/bearing/plot").glob("*.py"):
            text = path.read_text(encoding="utf-8")
            self.assertNotIn(".show(", text, path.name)
            self.assertNotIn("rcParams", text, path.name)


class qa_array(plot_test):
    def setUp(self):
        super().setUp()
        self.circle = bearing.array.uca(n=5, radius=0.4)
        self.offsets = np.array(
            [[0, 0, 0], [0.02, -0.01, 0.1], [0.0, 0.03, 0], [-0.02, 0.0, 0], [0.01, 0.01, 0]]
        )

    def elements(self, ax):
        """Positions of the first series of marks that has as many as the array elements."""
        return next(line.get_xydata() for line in ax.lines if len(line.get_xydata()) > 1)

    def test_element_k_of_a_circle_is_at_azimuth_360_k_over_n_clockwise(self):
        ax = bearing.plot.array(self.circle)
        azimuth = 2 * np.pi * np.arange(5) / 5
        self.assert_near(
            self.elements(ax), 0.4 * np.column_stack([np.sin(azimuth), np.cos(azimuth)])
        )
        self.assertEqual(ax.get_aspect(), 1.0)
        draw(ax)

    def test_numbers_stand_at_their_elements(self):
        for array in (self.circle, bearing.array.ula(8, 0.5), bearing.array.uca(16, 1.0)):
            ax = bearing.plot.array(array)
            places = {t.get_text(): t.xy for t in ax.texts if t.get_text().isdigit()}
            self.assertEqual(sorted(map(int, places)), list(range(array.n)))
            for text, place in places.items():
                self.assert_near(place, array.positions[int(text), :2])

    def test_elements_above_each_other_are_named_together(self):
        ax = bearing.plot.array(
            bearing.array.custom([[0, 0, 0], [0, 0, 0.5], [0.5, 0, 0], [0, 0.5, 0]])
        )
        self.assertIn("0, 1", [text.get_text() for text in ax.texts])

    def test_forward_is_up(self):
        ax = bearing.plot.array(self.circle)
        arrow = next(text for text in ax.texts if text.arrow_patch is not None)
        head, tail = np.array(arrow.xy), np.array(arrow.xyann)
        self.assert_near(head[0], tail[0])
        self.assertGreater(head[1], tail[1])
        self.assertGreater(ax.get_ylim()[1], ax.get_ylim()[0])
        self.assertGreater(ax.get_xlim()[1], ax.get_xlim()[0])
        self.assertTrue(any("forward" in text.get_text() for text in ax.texts))

    def test_unit_is_that_of_the_array(self):
        ax = bearing.plot.array(self.circle)
        self.assertIn("(wavelengths)", ax.get_xlabel())
        ax = bearing.plot.array(bearing.array.uca(5, 0.3, wavelength=0.69))
        self.assertEqual((ax.get_xlabel(), ax.get_ylabel()), ("x, right (m)", "y, forward (m)"))

    def test_arrows_lead_from_nominal_to_calibrated_positions(self):
        calibration = bearing.calibration(positions=self.offsets)
        variants = (
            (self.circle, calibration, 1.0),
            (self.circle, self.circle.calibrated(calibration), 1.0),
            (self.circle.calibrated(calibration), None, 1.0),
            (self.circle, calibration, 4.0),
        )
        for array, calibrated, scale in variants:
            ax = bearing.plot.array(array, calibrated, offset_scale=scale)
            arrows = next(
                c for c in ax.collections if isinstance(c, matplotlib.quiver.Quiver)
            )
            moved = self.circle.positions[:, :2] + scale * self.offsets[:, :2]
            self.assert_near(arrows.XY, self.circle.positions[:, :2])
            self.assert_near(
                np.column_stack([arrows.U, arrows.V]), scale * self.offsets[:, :2]
            )
            self.assertEqual((arrows.angles, arrows.scale_units, arrows.scale), ("xy", "xy", 1.0))
            for point in moved:
                self.assertTrue(has_point(points_of_lines(ax), point))
            self.assertEqual("× 4" in " ".join(legend_texts(ax)), scale == 4.0)
            draw(ax)

    def test_gains_show_as_diameter_and_phase(self):
        gains = np.array([1, 0.5, 0.5j, -1, 1 - 1j])
        ax = bearing.plot.array(
            self.circle, bearing.calibration(gains=gains), show_gains=True
        )
        marks = next(c for c in ax.collections if len(c.get_offsets()) == 5)
        self.assert_near(marks.get_offsets(), self.circle.positions[:, :2])
        self.assert_near(marks.get_array(), np.degrees(np.arctan2(gains.imag, gains.real)))
        diameters = np.sqrt(marks.get_sizes())
        self.assert_near(diameters / diameters[0], np.abs(gains))
        self.assertEqual(marks.get_clim(), (-180.0, 180.0))

    def test_small_and_large_arrays(self):
        for array in (
            bearing.array.ula(1, 0.5),
            bearing.array.ula(2, 0.5),
            bearing.array.ula(64, 0.5),
            bearing.array.uca(64, 3.0),
            bearing.array.custom([[0, 0, 0], [1e-3, 0, 1], [0, 5, 0]]),
        ):
            ax = bearing.plot.array(array, show_gains=True)
            self.assertTrue(np.isfinite([ax.get_xlim(), ax.get_ylim()]).all())
            draw(ax)

    def test_wrong_arguments_are_named(self):
        plot = bearing.plot.array
        self.assert_names("array", plot, np.zeros((3, 2)))
        self.assert_names("calibrated", plot, self.circle, "cal.json")
        self.assert_names("calibrated", plot, self.circle, bearing.array.uca(4, 0.4))
        self.assert_names(
            "calibrated", plot, self.circle, bearing.calibration(gains=[1, 1, 1])
        )
        self.assert_names("offset_scale", plot, self.circle, offset_scale=0.0)
        self.assert_names("offset_scale", plot, self.circle, offset_scale=np.nan)
        self.assert_names("show_gains", plot, self.circle, show_gains="yes")


class qa_spectrum(plot_test):
    def marks(self, ax):
        """(angle, height, half width) of the bearings with a bar."""
        found = []
        for (low, y), (high, other_y) in line_collections(ax):
            if y == other_y:
                centre = (low + high) / 2
                self.assertTrue(any(has_point(line.get_xydata(), [centre, y]) for line in ax.lines))
                found.append((centre, y, (high - low) / 2))
        return np.array(found).reshape(-1, 3)

    def test_a_curve_is_the_spectrum(self):
        line = bearing.array.ula(8, 0.5)
        found = bearing.core.music(sampled(line, [-20, 30]), line, 2, 100)
        ax = bearing.plot.spectrum(found)
        curve = ax.lines[0].get_xydata()
        self.assert_near(curve[:, 0], found.grid_deg)
        self.assert_near(curve[:, 1], found.spectrum_db)
        self.assertEqual(ax.get_xlim(), (-90.0, 90.0))
        self.assertEqual(ax.get_xlabel(), "azimuth (degrees)")
        self.assertEqual(ax.get_ylabel(), "spectrum (dB)")
        draw(ax)

    def test_a_circle_is_closed_and_a_sector_is_not(self):
        grid = np.arange(0, 360, 2.0)
        ax = bearing.plot.spectrum(estimate(grid=grid, spectrum=np.cos(np.radians(grid))))
        curve = ax.lines[0].get_xydata()
        self.assert_near(curve[-1], [360.0, 1.0])
        self.assertEqual(ax.get_xlim(), (0.0, 360.0))
        ax = bearing.plot.spectrum(estimate(grid=grid[10:50], spectrum=grid[10:50]))
        self.assertEqual(len(ax.lines[0].get_xydata()), 40)
        self.assertEqual(ax.get_xlim(), (20.0, 98.0))

    def test_bearings_stand_on_the_curve_with_bars_of_sigma(self):
        grid = np.arange(-90, 90.5, 0.5)
        spectrum = -np.abs(grid - 10.0)
        ax = bearing.plot.spectrum(estimate([10.25, -40.0], [1.5, 0.25], grid, spectrum))
        marks = self.marks(ax)
        # Between two points of the grid: the curve is straight there.
        self.assert_near(marks, [[10.25, -0.25, 1.5], [-40.0, -50.0, 0.25]])

    def test_an_unknown_deviation_has_an_open_mark_and_no_bar(self):
        grid = np.arange(-90, 91.0)
        ax = bearing.plot.spectrum(estimate([5.0, 7.0], [np.nan, np.inf], grid, 2 * grid))
        self.assertEqual(len(self.marks(ax)), 0)
        mark = ax.lines[1]
        self.assert_near(mark.get_xydata(), [[5.0, 10.0], [7.0, 14.0]])
        self.assertEqual(mark.get_markerfacecolor(), "none")
        self.assertIn("bearing, σ unknown", legend_texts(ax))

    def test_bars_across_north_show_at_both_ends(self):
        grid = np.arange(0, 360, 1.0)
        ax = bearing.plot.spectrum(estimate([359.0], [3.0], grid, 0 * grid))
        self.assert_near(self.marks(ax), [[359.0, 0.0, 3.0], [-1.0, 0.0, 3.0]])

    def test_truth_and_lines_do_not_stretch_the_scale_of_the_spectrum(self):
        grid = np.arange(-90, 91.0)
        found = estimate([0.0], [1.0], grid, -80.0 - np.abs(grid) / 10)
        pairs = [("spectrum", found), ("lines", estimate([5.0], [1.0]))]
        ax = bearing.plot.spectrum(pairs, truth_deg=[1.0])
        low, high = ax.get_ylim()
        # The values span -89 to -80, and matplotlib leaves 5 % free.
        self.assert_near([low, high], [-89.45, -79.55], 0.01)

    def test_a_line_beside_a_circle_shows_all_of_both(self):
        front, around = np.arange(-90, 91.0), np.arange(0, 360.0)
        ax = bearing.plot.spectrum(
            [
                ("line", estimate([-30.0], [1.0], front, front)),
                ("circle", estimate(grid=around, spectrum=0 * around)),
            ]
        )
        self.assertEqual(ax.get_xlim(), (0.0, 360.0))
        drawn = points_of_lines(ax)
        self.assertTrue(has_point(drawn, [300.0, -60.0]))
        self.assertTrue(has_point(drawn, [60.0, 60.0]))
        self.assert_near(self.marks(ax), [[330.0, -30.0, 1.0]])

    def test_peaks_at_zero(self):
        grid = np.arange(-90, 91.0)
        pairs = [
            ("a", estimate(grid=grid, spectrum=grid)),
            ("b", estimate(grid=grid, spectrum=-3 * grid)),
        ]
        ax = bearing.plot.spectrum(pairs, peak_at_zero=True)
        self.assert_near(ax.lines[0].get_ydata(), grid - 90.0)
        self.assert_near(ax.lines[1].get_ydata(), -3 * grid - 270.0)
        self.assertIn("peak = 0", ax.get_ylabel())
        self.assertEqual(legend_texts(ax), ["a", "b"])
        # Colour is not all that tells them apart.
        self.assertNotEqual(ax.lines[0].get_linestyle(), ax.lines[1].get_linestyle())

    def test_truth_is_drawn_within_the_range(self):
        grid = np.arange(0, 360, 1.0)
        ax = bearing.plot.spectrum(
            estimate(grid=grid, spectrum=grid), truth_deg=[-20.0, 380.0, np.nan]
        )
        self.assert_near(sorted(s[0, 0] for s in line_collections(ax)), [20.0, 340.0])
        ax = bearing.plot.spectrum(estimate(grid=grid, spectrum=grid), truth_deg=7)
        self.assert_near([s[0, 0] for s in line_collections(ax)], [7.0])

    def test_an_estimate_without_a_spectrum_is_lines(self):
        line = bearing.array.ula(8, 0.5)
        found = bearing.core.root_music(sampled(line, [20, 50]), line, 2, 100)
        ax = bearing.plot.spectrum(found)
        drawn = sorted(segment[0, 0] for segment in line_collections(ax)[:2])
        self.assert_near(drawn, sorted(found.angles_deg))
        self.assert_near(self.marks(ax)[:, 2], found.std_deg)
        self.assertEqual(ax.get_xlim(), (-90.0, 90.0))
        self.assertEqual(ax.get_ylabel(), "")
        draw(ax)

    def test_wrong_arguments_are_named(self):
        plot = bearing.plot.spectrum
        good = estimate([1.0])
        self.assert_names("estimate", plot, None)
        self.assert_names("estimate", plot, [good])
        self.assert_names("estimate", plot, [(1, good)])
        self.assert_names("estimate.angles_deg", plot, estimate([[1.0]], [1.0]))
        self.assert_names("estimate.angles_deg", plot, SimpleNamespace(angles_deg=["north"]))
        self.assert_names("estimate.std_deg", plot, estimate([1.0], [1.0, 2.0]))
        self.assert_names("estimate.std_deg", plot, estimate([1.0], [-1.0]))
        self.assert_names("estimate.spectrum_db", plot, estimate(grid=[1, 2], spectrum=[1]))
        self.assert_names("estimate.grid_deg", plot, estimate(grid=[2, 1], spectrum=[1, 1]))
        self.assert_names("truth_deg", plot, good, "north")
        self.assert_names("truth_deg", plot, good, [[1.0]])
        self.assert_names("peak_at_zero", plot, good, peak_at_zero=2)
        self.assert_names("ax", plot, good, ax=3)
        self.assert_names("ax", plot, good, ax=plt.subplot(projection="polar"))


class qa_polar(plot_test):
    def wedges(self, ax):
        """(lowest angle, highest angle) in degrees of each wedge."""
        polygons = next(
            c for c in ax.collections if isinstance(c, matplotlib.collections.PolyCollection)
        )
        return np.array(
            [
                [np.degrees(f(path.vertices[:, 0])) for f in (np.min, np.max)]
                for path in polygons.get_paths()
            ]
        )

    def on_paper(self, ax, angle_deg):
        """Unit vector on the page, x right and y up, from the centre to an angle at the rim."""
        low, high = ax.get_ylim()
        rim, centre = ax.transData.transform([[np.radians(angle_deg), high], [0.0, low]])
        return (rim - centre) / np.hypot(*(rim - centre))

    def test_zero_is_up_and_angles_grow_clockwise(self):
        grid = np.arange(0, 360, 1.0)
        for heading in (None, 30.0):
            ax = bearing.plot.polar(
                estimate([30.0], [1.0], grid, np.cos(np.radians(grid))), heading_deg=heading
            )
            draw(ax)
            # Pixels: the layout is exact to rounding.
            self.assert_near(self.on_paper(ax, 0.0), [0, 1], 1e-6)
            self.assert_near(self.on_paper(ax, 90.0), [1, 0], 1e-6)
            self.assert_near(
                self.on_paper(ax, 210.0),
                [np.sin(np.radians(210.0)), np.cos(np.radians(210.0))],
                1e-6,
            )

    def test_a_wedge_is_four_sigma_wide_about_its_bearing(self):
        ax = bearing.plot.polar(estimate([100.0, 359.5], [2.5, 1.0]))
        self.assert_near(self.wedges(ax), [[95.0, 105.0], [357.5, 361.5]])
        lines = [np.degrees(segment[:, 0]) for segment in line_collections(ax)]
        self.assert_near(lines, [[100.0, 100.0], [359.5, 359.5]])
        self.assertIn("±2σ", legend_texts(ax))

    def test_a_wedge_is_never_more_than_a_circle(self):
        ax = bearing.plot.polar(estimate([100.0], [500.0]))
        self.assert_near(self.wedges(ax), [[-80.0, 280.0]])

    def test_an_unknown_deviation_has_a_dashed_line_and_no_wedge(self):
        ax = bearing.plot.polar(estimate([100.0], [np.nan]))
        (collection,) = ax.collections
        self.assertIsInstance(collection, matplotlib.collections.LineCollection)
        self.assertIsNotNone(collection.get_linestyle()[0][1])
        self.assertEqual(legend_texts(ax), ["σ unknown"])

    def test_heading_turns_everything_to_true_bearings(self):
        grid = np.arange(0, 360, 1.0)
        spectrum = np.where(grid == 40.0, 20.0, 0.0)
        ax = bearing.plot.polar(
            estimate([40.0], [1.0], grid, spectrum), heading_deg=350.0, truth_deg=[41.0]
        )
        angle = np.degrees(ax.lines[0].get_xdata())
        peak = angle[np.argmax(ax.lines[0].get_ydata())]
        self.assert_near(peak % 360.0, 30.0)
        self.assert_near(self.wedges(ax) % 360.0, [[28.0, 32.0]])
        drawn = [np.degrees(s[0, 0]) % 360.0 for s in line_collections(ax)]
        self.assert_near(drawn, [30.0, 31.0])
        self.assertEqual(ax.get_xlabel(), "true bearing (degrees)")
        labels = [t.get_text() for t in ax.get_xticklabels()]
        ticks = np.round(np.degrees(ax.get_xticks())) % 360
        self.assertEqual(labels[list(ticks).index(90)], "E")
        self.assertEqual(labels[list(ticks).index(270)], "W")
        self.assertIn("the array's forward", legend_texts(ax))
        forward = ax.lines[-1]
        self.assert_near(np.degrees(forward.get_xdata()), [350.0])
        draw(ax)

    def test_the_spectrum_is_drawn_inside(self):
        grid = np.arange(0, 360, 1.0)
        spectrum = 10.0 + 5.0 * np.sin(np.radians(grid))
        ax = bearing.plot.polar(estimate(grid=grid, spectrum=spectrum))
        self.assert_near(np.degrees(ax.lines[0].get_xdata()[:-1]), grid)
        self.assert_near(ax.lines[0].get_ydata()[:-1], spectrum)
        low, high = ax.get_ylim()
        self.assertLess(low, 5.0)
        self.assertGreaterEqual(high, 15.0)
        for text, level in zip(ax.get_yticklabels(), ax.get_yticks()):
            self.assertEqual(text.get_text(), f"{level:g} dB")

    def test_front_only_arrays_show_the_front_half(self):
        line = bearing.array.ula(8, 0.5)
        r = sampled(line, [20, 50])
        circle = bearing.array.uca(5, 0.4)
        for found, is_half in (
            (bearing.core.music(r, line, 2, 100), True),
            # Both angles are positive: the roots tell.
            (bearing.core.root_music(r, line, 2, 100), True),
            (bearing.core.music(sampled(circle, [20, 50]), circle, 2, 100), False),
            (estimate([-10.0]), True),
            (estimate([10.0]), False),
            (estimate([]), False),
        ):
            ax = bearing.plot.polar(found)
            shown = (ax.get_thetamin(), ax.get_thetamax())
            self.assertEqual(shown, (-90.0, 90.0) if is_half else (0.0, 360.0))
            draw(ax)
        ax = bearing.plot.polar(estimate([10.0]), front_only=True, heading_deg=200.0)
        self.assert_near([ax.get_thetamin(), ax.get_thetamax()], [110.0, 290.0])
        draw(ax)

    def test_several_estimates_have_their_own_colours(self):
        ax = bearing.plot.polar([("a", estimate([10.0])), ("b", estimate([20.0]))])
        one, other = (tuple(c.get_colors()[0]) for c in ax.collections)
        self.assertNotEqual(one, other)
        self.assertEqual(legend_texts(ax)[:2], ["a", "b"])

    def test_a_report_is_drawn_with_its_own_heading(self):
        message = report([10.0], [1.0], turned=90.0)
        ax = bearing.plot.polar(message, heading_deg=message.heading_deg)
        self.assert_near(self.wedges(ax), [[98.0, 102.0]], SINGLE)

    def test_wrong_arguments_are_named(self):
        plot = bearing.plot.polar
        good = estimate([1.0])
        self.assert_names("estimate", plot, 3)
        self.assert_names("heading_deg", plot, good, heading_deg="N")
        self.assert_names("heading_deg", plot, good, heading_deg=np.inf)
        self.assert_names("truth_deg", plot, good, truth_deg=[1j])
        self.assert_names("front_only", plot, good, front_only=1)
        self.assert_names("ax", plot, good, ax=plt.subplot())


class qa_covariance(plot_test):
    def images(self, axes):
        return [ax.images[0].get_array() for ax in axes]

    def test_every_element_has_its_magnitude_and_phase(self):
        generator = np.random.default_rng(1)
        for n in (2, 5, 64):
            x = generator.normal(size=(n, 3 * n)) + 1j * generator.normal(size=(n, 3 * n))
            r = x @ x.conj().T / (3 * n)
            axes = bearing.plot.covariance(r)
            level, phase = self.images(axes)
            self.assert_near(level, 20 * np.log10(np.sqrt(np.hypot(r.real, r.imag))))
            self.assert_near(phase, np.degrees(np.arctan2(r.imag, r.real)))
            # Row 0 is on top, column 0 to the left.
            for ax in axes:
                self.assertEqual(ax.images[0].get_extent(), (-0.5, n - 0.5, n - 0.5, -0.5))
                self.assertEqual(ax.images[0].origin, "upper")
                draw(ax)

    def test_the_sign_of_the_phase_is_that_of_the_steering_vectors(self):
        # Element 1 of a line is nearer to a source at 30 degrees by d sin 30 = 0.1 wavelengths, so
        # it leads by 36 degrees: mean of x_1 x_0* has the phase +36 degrees.
        line = bearing.array.ula(2, 0.2)
        a = line.steering([30.0])
        axes = bearing.plot.covariance(a @ a.conj().T)
        self.assert_near(self.images(axes)[1], [[0.0, -36.0], [36.0, 0.0]])

    def test_the_phase_map_is_cyclic(self):
        ax = bearing.plot.covariance(np.eye(3) + 0.1j)[1]
        image = ax.images[0]
        self.assertEqual(image.get_clim(), (-180.0, 180.0))
        # One step of 256 from each other.
        self.assert_near(image.cmap(0.0), image.cmap(1.0), 0.02)

    def test_bad_elements_are_hatched(self):
        r = np.eye(4) + 0.1
        r[2, :] = np.nan
        r[:, 2] = np.inf
        r[0, 1] = 0.0
        for ax in bearing.plot.covariance(r):
            mask = np.ma.getmaskarray(ax.images[0].get_array())
            expected = np.zeros((4, 4), bool)
            expected[2, :] = expected[:, 2] = expected[0, 1] = True
            np.testing.assert_array_equal(mask, expected)
            (patch,) = [p for p in ax.patches if p.get_hatch()]
            self.assertLess(patch.get_zorder(), ax.images[0].get_zorder())
            draw(ax)
            # The hole shows what lies behind: grey, unlike either map's colours.
            image = np.asarray(ax.figure.canvas.buffer_rgba())
            x, y = ax.transData.transform([2.0, 3.0])
            around = image[int(image.shape[0] - y) - 6 :, int(x) - 6 :][:13, :13, :3].astype(int)
            self.assertLessEqual(np.max(np.ptp(around, axis=2)), 1)
        for r in (np.full((3, 3), np.nan), np.zeros((2, 2))):
            for ax in bearing.plot.covariance(r):
                draw(ax)

    def test_a_good_covariance_has_no_hatching(self):
        for ax in bearing.plot.covariance(np.ones((3, 3))):
            self.assertEqual([p for p in ax.patches if p.get_hatch()], [])
            low, high = ax.images[0].get_clim()
            self.assertLess(low, high)

    def test_magnitudes_reach_down_60_db(self):
        r = np.array([[1.0, 1e-9], [1e-9, 1.0]])
        axes = bearing.plot.covariance(r)
        self.assert_near(axes[0].images[0].get_clim(), (-60.0, 0.0))

    def test_panels_are_those_given(self):
        figure, axes = plt.subplots(2, 1)
        self.assertEqual(bearing.plot.covariance(np.eye(2), axes), tuple(axes))
        self.assertIn("dB", figure.axes[2].get_ylabel())
        self.assertIn("degrees", figure.axes[3].get_ylabel())

    def test_wrong_arguments_are_named(self):
        plot = bearing.plot.covariance
        self.assert_names("R", plot, np.zeros((2, 3)))
        self.assert_names("R", plot, np.zeros(4))
        self.assert_names("R", plot, np.zeros((0, 0)))
        self.assert_names("R", plot, "R")
        self.assert_names("R", plot, [[1, 2], [3]])
        self.assert_names("axes", plot, np.eye(2), plt.subplot())
        self.assert_names("axes", plot, np.eye(2), [1, 2])


class qa_roots(plot_test):
    def series(self, ax):
        return {
            line.get_label(): line.get_xdata() + 1j * line.get_ydata()
            for line in ax.lines
            if not line.get_label().startswith("_")
        }

    def test_mirrors_have_the_same_angle_and_the_inverse_radius(self):
        inside = np.array([0.95 * np.exp(0.5j), 0.6 * np.exp(-2j), 0.5, 0.3j])
        ax = bearing.plot.roots(estimate([1.0], roots=inside, num_sources=1))
        series = self.series(ax)
        self.assert_near(series["signal roots"], inside[:1])
        self.assert_near(series["other roots"], inside[1:])
        for name, roots in (("signal roots", inside[:1]), ("other roots", inside[1:])):
            mirrors = series[f"mirrors of {name}"]
            self.assert_near(np.abs(mirrors) * np.abs(roots), np.ones(len(roots)))
            self.assert_near(np.angle(mirrors), np.angle(roots))
        self.assert_near(np.abs(series["unit circle"]), np.ones(361))
        self.assertEqual(ax.get_aspect(), 1.0)
        # 1 / 0.3 is outside of what is shown.
        self.assertTrue(any("1 beyond" in text for text in legend_texts(ax)))

    def test_the_nearest_to_the_circle_are_the_signal_whatever_the_order(self):
        inside = np.array([0.2, 0.9j, 0.5, -0.99])
        ax = bearing.plot.roots(estimate(roots=inside, num_sources=2))
        self.assert_near(self.series(ax)["signal roots"], [-0.99, 0.9j])

    def test_signal_roots_are_those_of_numpy(self):
        line = bearing.array.ula(6, 0.45)
        r = sampled(line, [-25.0, 35.0], 20.0, 1000)
        found = bearing.core.root_music(r, line, 2, 1000)
        ax = bearing.plot.roots(found, line)
        # Barabell's polynomial, by NumPy: the sums of the diagonals of the noise projector.
        vectors = np.linalg.eigh(r.astype(complex))[1][:, :4]
        projector = vectors @ vectors.conj().T
        roots = np.roots([np.trace(projector, k) for k in range(5, -6, -1)])
        roots = roots[np.abs(roots) < 1.0]
        roots = roots[np.argsort(-np.abs(roots))]
        series = self.series(ax)
        # R was in single precision; roots near the circle move as the square root of errors.
        self.assert_near(np.sort(series["signal roots"]), np.sort(roots[:2]), 1e-4)
        self.assertEqual(len(series["other roots"]), 3)
        draw(ax)

    def test_a_real_polynomial_has_the_conjugates_of_its_signal_roots_too(self):
        line = bearing.array.ula(6, 0.5)
        z = [0.98 * np.exp(1j * np.pi * np.sin(np.radians(angle))) for angle in (-20.0, 40.0)]
        roots = np.array([z[0], np.conj(z[0]), z[1], np.conj(z[1]), -0.3])
        found = estimate([40.0, -20.0], roots=roots, num_sources=2)
        ax = bearing.plot.roots(found, line)
        series = self.series(ax)
        self.assert_near(np.sort(series["signal roots"]), np.sort(z))
        self.assert_near(np.sort(series["their conjugates, −θ"]), np.sort(np.conj(z)))
        self.assert_near(series["other roots"], [-0.3])
        draw(ax)
        # Without the array nothing tells them apart; a bearing that no root stands for neither.
        stray = estimate([40.0, -21.0], roots=roots, num_sources=2)
        for ax in (bearing.plot.roots(found), bearing.plot.roots(stray, line)):
            series = self.series(ax)
            self.assert_near(np.sort(series["signal roots"]), np.sort(roots[:4]))
            self.assertNotIn("their conjugates, −θ", series)
        # A source and its mirror image: each root is the other one's conjugate.
        pair = estimate([-20.0, 20.0], roots=[z[0], np.conj(z[0]), 0.1, -0.2], num_sources=2)
        series = self.series(bearing.plot.roots(pair, line))
        self.assert_near(np.sort(series["signal roots"]), np.sort([z[0], np.conj(z[0])]))
        self.assertNotIn("their conjugates, −θ", series)

    def test_azimuths_stand_where_the_phase_of_their_directions_is(self):
        for spacing, wavelength in ((0.35, None), (0.5, None), (0.12, 0.3), (0.9, None)):
            line = bearing.array.ula(4, spacing, wavelength)
            ax = bearing.plot.roots(estimate(roots=[0.5], num_sources=0), line)
            ratio = spacing / (wavelength or 1.0)
            spoken = {}
            for text in ax.texts:
                angle = np.degrees(np.arctan2(text.get_position()[1], text.get_position()[0]))
                for name in text.get_text().replace("°", "").split(", "):
                    spoken[name] = angle
            for azimuth in (-30, 0, 20, 60):
                expected = 360.0 * ratio * np.sin(np.radians(azimuth))
                error = (spoken[str(azimuth)] - expected + 180.0) % 360.0 - 180.0
                # Degrees that went through a position and back.
                self.assertLess(abs(error), 1e-3, (spacing, azimuth))
            self.assertEqual("±90" in spoken, spacing == 0.5)
            if ratio < 0.5:
                # The scale ends at endfire.
                scale = self.series(ax)["azimuths"]
                self.assert_near(np.max(np.abs(np.angle(scale))), 2 * np.pi * ratio)
            draw(ax)

    def test_no_roots_zero_roots_and_bad_roots(self):
        for roots in ([], [0.0, 0.0], [np.nan, 0.5], np.array([])):
            ax = bearing.plot.roots(estimate(roots=roots, num_sources=3), bearing.array.ula(3, 0.5))
            draw(ax)
        line = bearing.array.ula(4, 0.5)
        for r in (np.full((4, 4), np.nan), np.zeros((4, 4))):
            draw(bearing.plot.roots(bearing.core.root_music(r, line, 1, 100), line))

    def test_wrong_arguments_are_named(self):
        plot = bearing.plot.roots
        good = estimate(roots=[0.5], num_sources=1)
        self.assert_names("estimate", plot, estimate())
        self.assert_names("estimate.roots", plot, estimate(roots=[2.0], num_sources=1))
        self.assert_names("estimate.roots", plot, estimate(roots=[[0.5]], num_sources=1))
        self.assert_names("estimate.roots", plot, estimate(roots=["z"], num_sources=1))
        self.assert_names("estimate.num_sources", plot, estimate(roots=[0.5], num_sources=-1))
        text = SimpleNamespace(angles_deg=["x"], roots=[0.5], num_sources=1)
        self.assert_names("estimate.angles_deg", plot, text, bearing.array.ula(4, 0.5))
        self.assert_names("array", plot, good, bearing.array.uca(5, 0.4))
        self.assert_names("array", plot, good, bearing.array.custom([[0, 0], [0.5, 0], [1.1, 0]]))
        self.assert_names("array", plot, good, bearing.array.ula(1, 0.5))
        self.assert_names("array", plot, good, 0.5)


class qa_track(plot_test):
    def test_a_line_passes_through_the_bearings(self):
        time = np.arange(5.0)
        angles = np.column_stack([10 + time, 200 - time])
        ax = bearing.plot.track(time, angles, np.ones((5, 2)), labels=["a", "b"])
        for k in range(2):
            self.assert_near(ax.lines[k].get_xydata(), np.column_stack([time, angles[:, k]]))
        self.assertEqual(legend_texts(ax), ["a", "b", "±2σ"])
        self.assertEqual(ax.get_xlabel(), "time (s)")
        self.assertEqual(ax.get_ylabel(), "azimuth (degrees)")
        self.assertEqual(ax.get_ylim(), (0.0, 360.0))
        draw(ax)

    def test_a_line_is_broken_where_it_wraps_and_keeps_every_bearing(self):
        time = np.arange(6.0)
        angles = np.array([350.0, 355.0, 2.0, 8.0, 359.0, 1.0])
        ax = bearing.plot.track(time, angles, np.full(6, np.nan))
        x, y = ax.lines[0].get_data()
        kept = np.isfinite(y)
        self.assert_near(y[kept], angles)
        self.assert_near(x[kept], time)
        steps = np.abs(np.diff(y))
        # Comparisons with NaN are false.
        self.assertFalse(np.any(steps > 180.0))
        # Three wraps: 355 to 2, 8 to 359, 359 to 1.
        self.assertEqual(np.count_nonzero(~kept), 3)
        # A bearing without neighbours is marked.
        self.assertTrue(has_point(ax.lines[1].get_xydata(), [4.0, 359.0]))

    def test_the_band_is_two_sigma_to_each_side(self):
        time, std = np.arange(4.0), np.array([1.0, 2.0, 3.0, 4.0])
        ax = bearing.plot.track(time, np.full(4, 100.0), std)
        (band,) = ax.collections
        vertices = band.get_paths()[0].vertices
        for t, s in zip(time, std):
            at = vertices[vertices[:, 0] == t, 1]
            self.assert_near([at.min(), at.max()], [100.0 - 2 * s, 100.0 + 2 * s])

    def test_a_band_across_north_shows_at_both_ends(self):
        ax = bearing.plot.track([0.0, 1.0], [359.0, 359.0], [1.0, 1.0])
        spans = [
            (c.get_paths()[0].vertices[:, 1].min(), c.get_paths()[0].vertices[:, 1].max())
            for c in ax.collections
        ]
        self.assert_near(sorted(spans), [(-3.0, 1.0), (357.0, 361.0)])

    def test_missing_bearings_and_deviations_leave_gaps(self):
        time = np.arange(6.0)
        angles = np.array([10.0, 11.0, np.nan, 13.0, 14.0, 15.0])
        std = np.array([1.0, 1.0, 1.0, 1.0, np.nan, np.inf])
        ax = bearing.plot.track(time, angles, std)
        self.assert_near(ax.lines[0].get_ydata(), angles)
        reach = np.vstack([path.vertices for path in ax.collections[0].get_paths()])
        self.assertTrue(set(reach[:, 0]) <= {0.0, 1.0, 3.0})

    def test_a_line_is_broken_where_time_goes_back(self):
        ax = bearing.plot.track([0.0, 1.0, 2.0, 0.5, 1.5], [1.0, 2.0, 3.0, 4.0, 5.0])
        x, y = ax.lines[0].get_data()
        forward = np.isfinite(y[1:]) & np.isfinite(y[:-1])
        self.assertTrue(np.all(np.diff(x)[forward] > 0.0))

    def test_ranges_follow_the_angles(self):
        for angles, limits in (
            ([-5.0, 80.0], (-90.0, 90.0)),
            ([-120.0, 80.0], (-180.0, 180.0)),
            ([5.0, 300.0], (0.0, 360.0)),
        ):
            self.assertEqual(bearing.plot.track([0.0, 1.0], angles).get_ylim(), limits)
        ax = bearing.plot.track([0.0, 1.0], [350.0, 10.0], limits_deg=(-180, 180))
        self.assert_near(ax.lines[0].get_ydata(), [-10.0, 10.0])

    def test_truth_is_dashed_and_broken_too(self):
        time = np.arange(4.0)
        truth = np.array([358.0, 359.0, 1.0, 2.0])
        ax = bearing.plot.track(time, truth, truth_deg=np.column_stack([truth, truth + 90]))
        dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
        self.assertEqual(len(dashed), 2)
        self.assertEqual(np.count_nonzero(np.isnan(dashed[0].get_ydata())), 1)
        self.assert_near(dashed[1].get_ydata(), [88.0, 89.0, 91.0, 92.0])
        self.assertIn("truth", legend_texts(ax))
        ax = bearing.plot.track(time, truth, truth_deg=90)
        self.assert_near(ax.lines[-1].get_ydata(), np.full(4, 90.0))

    def test_present_times_are_dates_in_utc(self):
        start = datetime.datetime(2026, 3, 1, 12, 0, 0, tzinfo=datetime.timezone.utc)
        moments = [start + datetime.timedelta(seconds=k) for k in range(3)]
        abroad = datetime.timezone(datetime.timedelta(hours=5))
        for time in (
            [moment.timestamp() for moment in moments],
            moments,
            [moment.replace(tzinfo=None) for moment in moments],
            [moment.astimezone(abroad) for moment in moments],
            np.array([moment.replace(tzinfo=None) for moment in moments], "datetime64[ms]"),
        ):
            ax = bearing.plot.track(time, [1.0, 2.0, 3.0])
            drawn = matplotlib.dates.num2date(ax.lines[0].get_xdata())
            for moment, expected in zip(drawn, moments):
                # Days since 1970 in double precision are good to a microsecond.
                self.assertLess(abs((moment - expected).total_seconds()), 1e-5)
            self.assertEqual(ax.get_xlabel(), "time (UTC)")
            draw(ax)

    def test_times_that_no_calendar_has_are_seconds(self):
        for seconds in ([1e9, 2.5e11], [1e12, 1e13], [1.7e9, 1e300]):
            ax = bearing.plot.track(seconds, [1.0, 2.0])
            is_date = seconds[1] <= 2.5e11
            self.assertEqual(ax.get_xlabel(), "time (UTC)" if is_date else "time (s)")
            draw(ax)
        ax = bearing.plot.track([report([10.0], [1.0], (2**64 - 1, 0.5))])
        self.assertEqual(ax.get_xlabel(), "time (s)")
        draw(ax)

    def test_a_local_time_zone_does_not_move_utc(self):
        # Five and a half hours ahead.
        with plt.rc_context({"timezone": "Asia/Kolkata"}):
            # 2026-03-01 12:00 UTC and a day on.
            ax = bearing.plot.track(1772366400.0 + 3600.0 * np.arange(25), np.arange(25.0))
            draw(ax)
            labels = [text.get_text() for text in ax.get_xticklabels()]
        hours = [label for label in labels if ":" in label]
        self.assertIn("15:00", hours)
        self.assertTrue(all(label.endswith(":00") for label in hours), hours)

    def test_reports_of_one_source_are_a_track(self):
        reports = [
            report([10.0 + k], [0.5], rx_time=(7, 0.25 * k), turned=100.0) for k in range(4)
        ]
        ax = bearing.plot.track(reports)
        self.assert_near(
            ax.lines[0].get_xydata(), [[7 + 0.25 * k, 10.0 + k] for k in range(4)], SINGLE
        )
        ax = bearing.plot.track(reports, north="true")
        self.assert_near(ax.lines[0].get_ydata(), 110.0 + np.arange(4), SINGLE)
        self.assertEqual(ax.get_ylabel(), "true bearing (degrees)")

    def test_reports_of_several_sources_are_points(self):
        reports = [
            report([], rx_time=(0, 0.0)),
            report([10.0, 200.0], [1.0, np.nan], rx_time=(1, 0.0)),
            report([201.0, 11.0, np.nan], [2.0, 1.0, np.nan], rx_time=(2, 0.0)),
        ]
        ax = bearing.plot.track(reports)
        points, hollow = ax.lines
        self.assertEqual(points.get_linestyle(), "None")
        unknown = hollow.get_xydata()
        unknown = unknown[np.isfinite(unknown).all(axis=1)]
        self.assert_near(unknown, [[1, 200]], SINGLE)
        drawn = points.get_xydata()
        drawn = drawn[np.isfinite(drawn).all(axis=1)]
        expected = [[1, 10], [1, 200], [2, 201], [2, 11]]
        self.assertEqual(len(drawn), 4)
        for point in expected:
            self.assertTrue(has_point(drawn, point, SINGLE), point)
        bars = sorted((s[:, 0].max(), s[:, 1].min(), s[:, 1].max()) for s in line_collections(ax))
        self.assert_near(bars, [(1, 8, 12), (2, 9, 13), (2, 197, 205)], SINGLE)
        draw(ax)

    def test_bearings_without_a_deviation_have_hollow_marks(self):
        for style_name in ("default", "dark_background"):
            with plt.style.context(style_name):
                ax = bearing.plot.track([0, 1, 2, 3], [10, 20, 30, 40], [1, np.nan, 1, np.nan])
                (hollow,) = [line for line in ax.lines if line.get_linestyle() == "None"]
                where = hollow.get_xydata()
                self.assert_near(where[np.isfinite(where).all(axis=1)], [[1, 20], [3, 40]])
                # Filled with what is behind it, rimmed with the colour of the track.
                self.assertEqual(
                    matplotlib.colors.to_rgb(hollow.get_markerfacecolor()),
                    matplotlib.colors.to_rgb(ax.get_facecolor()),
                )
                self.assertEqual(hollow.get_markeredgecolor(), ax.lines[0].get_color())
                texts = [text.get_text() for text in ax.get_legend().get_texts()]
                self.assertEqual(texts, ["±2σ", "σ unknown"])
                draw(ax)
        # Nothing was said about deviations: nothing is unknown.
        ax = bearing.plot.track([0, 1], [10, 20])
        self.assertEqual([line.get_linestyle() for line in ax.lines], ["-"])
        self.assertIsNone(ax.get_legend())

    def test_reports_without_time_are_numbered(self):
        ax = bearing.plot.track([report([1.0]), report([2.0])])
        self.assert_near(ax.lines[0].get_xdata(), [0.0, 1.0])
        self.assertEqual(ax.get_xlabel(), "report")
        ax = bearing.plot.track([report([1.0]), report([2.0], rx_time=(5, 0.5))])
        drawn = points_of_lines(ax)
        self.assertTrue(has_point(drawn, [5.5, 2.0], SINGLE))
        self.assertFalse(np.any(np.abs(drawn[:, 1] - 1.0) < 0.5))

    def test_wrong_arguments_are_named(self):
        plot = bearing.plot.track
        self.assert_names("time", plot, ["noon"], [1.0])
        self.assert_names("time", plot, [[1.0]], [1.0])
        self.assert_names("time", plot, 3.0, [1.0])
        self.assert_names("time", plot, [report([1.0]), 3.0])
        self.assert_names("time", plot, [datetime.datetime(2026, 1, 1), None], [1.0, 2.0])
        self.assert_names("angles_deg", plot, [1.0])
        self.assert_names("angles_deg", plot, [1.0], [1.0, 2.0])
        self.assert_names("angles_deg", plot, [report([1.0])], [1.0])
        self.assert_names("std_deg", plot, [1.0], [1.0], [[1.0, 2.0]])
        self.assert_names("std_deg", plot, [1.0], [1.0], [-1.0])
        self.assert_names("std_deg", plot, [report([1.0])], None, [1.0])
        self.assert_names("labels", plot, [1.0], [1.0], labels=["a", "b"])
        self.assert_names("labels", plot, [1.0], [1.0], labels=[1])
        self.assert_names("truth_deg", plot, [1.0], [1.0], truth_deg=[1.0, 2.0])
        self.assert_names("north", plot, [1.0], [1.0], north="magnetic")
        self.assert_names("limits_deg", plot, [1.0], [1.0], limits_deg=(90, 0))
        self.assert_names("limits_deg", plot, [1.0], [1.0], limits_deg=(0, 720))
        self.assert_names("ax", plot, [1.0], [1.0], ax="here")


class qa_every_plot(plot_test):
    """What holds for all of them."""

    def plots(self, **given):
        """Each plot with ordinary input: (name, Axes of its own)."""
        line = bearing.array.ula(8, 0.5)
        r = sampled(line, [-20.0, 15.0, 40.0])
        music = bearing.core.music(r, line, 3, 100)
        capon = bearing.core.capon(r, line, num_sources=3)
        root = bearing.core.root_music(r, line, 3, 100)
        labelled = list(zip("abcdef", (music, capon, root, music, capon, root)))
        time = np.arange(20.0)
        tracks = 10.0 * np.arange(6) + np.zeros((20, 1))
        shifted = bearing.calibration(positions=0.05 * np.eye(8, 3))
        yield "array", bearing.plot.array(line)
        yield "array, calibrated", bearing.plot.array(line, shifted)
        yield "spectrum", bearing.plot.spectrum(labelled, [0.0])
        yield "polar", bearing.plot.polar(labelled, heading_deg=10.0, truth_deg=[0.0])
        yield "roots", bearing.plot.roots(root, line)
        yield "track", bearing.plot.track(time, tracks, 0 * tracks + 1.0, truth_deg=5.0)
        yield "points", bearing.plot.track([report([1, 2], [3, 4], (k, 0.0)) for k in range(3)])
        yield "covariance", bearing.plot.covariance(r)[0]

    def test_lines_marks_and_texts_can_be_read_in_light_and_dark_styles(self):
        for style in ("default", "dark_background", "ggplot", "seaborn-v0_8-darkgrid"):
            with plt.style.context(style):
                drawn = list(self.plots())
                for name, ax in drawn:
                    draw(ax)
            for name, ax in drawn:
                face = ax.get_facecolor()
                seen = 0
                for line in ax.lines:
                    # The real and the imaginary axis are a grid, which may stand back.
                    if line.get_alpha() is not None:
                        continue
                    self.assertGreaterEqual(
                        contrast(line.get_color(), face), CONTRAST, (style, name, line)
                    )
                    seen += 1
                for collection in ax.collections:
                    if not isinstance(collection, matplotlib.collections.LineCollection):
                        continue
                    # Bars of points, which stand out by their points, are translucent.
                    if collection.get_alpha() is not None:
                        continue
                    for colour in collection.get_colors():
                        self.assertGreaterEqual(
                            contrast(colour, face), CONTRAST, (style, name, collection)
                        )
                for text in ax.texts:
                    on_mark = name == "array" and text.get_text().isdigit()
                    behind = ax.lines[0].get_color() if on_mark else face
                    self.assertGreaterEqual(
                        contrast(text.get_color(), behind), CONTRAST, (style, name, text)
                    )
                self.assertTrue(seen or name == "covariance", name)
            plt.close("all")

    def test_axes_of_another_style_are_read_too(self):
        with plt.style.context("dark_background"):
            ax = plt.figure().add_subplot()
        bearing.plot.track([0.0, 1.0], [1.0, 2.0], truth_deg=[3.0, 4.0], ax=ax)
        for line in ax.lines:
            self.assertGreaterEqual(contrast(line.get_color(), "black"), CONTRAST)

    def test_axes_are_labelled_with_units(self):
        for name, ax in self.plots():
            label = ax.get_xlabel() + ax.get_ylabel()
            if name in ("roots", "covariance"):
                # Numbers without a unit.
                self.assertTrue(label, name)
            else:
                self.assertRegex(label, r"\((degrees|wavelengths|m)\)", name)

    def test_given_axes_are_drawn_on_and_returned(self):
        line = bearing.array.ula(4, 0.5)
        root = bearing.core.root_music(sampled(line, [10.0]), line, 1, 100)
        figure = plt.figure()
        flat, dial = figure.add_subplot(121), figure.add_subplot(122, projection="polar")
        self.assertIs(bearing.plot.array(line, ax=flat), flat)
        self.assertIs(bearing.plot.spectrum(root, ax=flat), flat)
        self.assertIs(bearing.plot.roots(root, ax=flat), flat)
        self.assertIs(bearing.plot.track([0.0], [1.0], ax=flat), flat)
        self.assertIs(bearing.plot.polar(root, dial), dial)
        self.assertEqual(plt.get_fignums(), [figure.number])

    def test_nothing_found_is_drawn(self):
        line, circle = bearing.array.ula(4, 0.5), bearing.array.uca(5, 0.4)
        bad = np.full((4, 4), np.nan)
        found = [
            bearing.core.music(bad, line, 2, 100),
            bearing.core.music(np.zeros((4, 4)), line, 0, 100),
            bearing.core.root_music(bad, line, 2, 100),
            bearing.core.capon(np.full((5, 5), np.nan), circle, num_sources=2),
            estimate(),
            estimate([np.nan, np.nan]),
            estimate([np.nan, 3.0], [np.nan, np.nan], [0, 1, 2], [np.nan, np.inf, -np.inf]),
            report(),
            report([np.nan]),
        ]
        plots = (bearing.plot.spectrum, bearing.plot.polar)
        for one, plot in itertools.product([*found, []], plots):
            draw(plot(one))
            plt.close("all")
        for arguments in (
            ([], [], []),
            ([], np.empty((0, 3)), np.empty((0, 3))),
            (np.empty(0), np.empty(0)),
            ([0.0], [np.nan], [np.nan]),
            ([np.nan, np.nan], [1.0, 2.0]),
            ([0.0, 1.0], np.empty((2, 0))),
            ([report(), report([np.nan])],),
        ):
            draw(bearing.plot.track(*arguments))
            plt.close("all")

    def test_thousands_of_sources_are_drawn(self):
        generator = np.random.default_rng(3)
        many = 5000
        angles = generator.uniform(0, 360, many)
        std = generator.uniform(0, 2, many)
        grid = np.arange(0, 360, 1.0)
        found = estimate(angles, std, grid, np.cos(np.radians(grid)))
        draw(bearing.plot.spectrum(found, truth_deg=angles))
        ax = bearing.plot.polar(found)
        draw(ax)
        self.assertEqual(
            sum(len(c.get_paths()) for c in ax.collections), 2 * many, "a line and a wedge each"
        )
        draw(bearing.plot.track([report(angles, std, (k, 0.0)) for k in range(3)]))
        table = np.tile(angles, (3, 1))
        draw(bearing.plot.track([0.0, 1.0, 2.0], table, 0 * table, truth_deg=angles[:3]))

    def test_the_code_of_the_page_runs(self):
        page = (SOURCE_DIR / "docs/plots.md").read_text(encoding="utf-8")
        programs = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
        self.assertGreaterEqual(len(programs), 7)
        # One after the other, as a reader would run them; only messages come from elsewhere.
        message = pmt.cons(
            pmt.to_pmt({"status": "ok", "method": "music"}), pmt.init_f32vector(1, [2.0])
        )
        known = {"messages": [message, message]}
        for program in programs:
            exec(compile(program, "plots.md", "exec"), known)

    def test_inputs_are_left_alone(self):
        angles = np.array([[10.0, np.inf]])
        std = np.array([[1.0, 2.0]])
        r = np.eye(2)
        bearing.plot.track([0.0], angles, std)
        bearing.plot.covariance(r)
        self.assertTrue(np.isinf(angles[0, 1]))
        np.testing.assert_array_equal(r, np.eye(2))


if __name__ == "__main__":
    unittest.main()

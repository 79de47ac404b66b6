#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The track display: what is drawn is where it should be, whatever is sent to it."""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
import unittest

# Qt draws into memory: no display is needed, and none of the user's settings count.
HOME = tempfile.TemporaryDirectory(prefix="qa_track_sink_")
os.environ.update(QT_QPA_PLATFORM="offscreen", HOME=HOME.name, XDG_RUNTIME_DIR=HOME.name)
os.environ.pop("PYQTGRAPH_QT_LIB", None)

import numpy as np
import pmt
from gnuradio import bearing
from PyQt5 import QtCore, QtGui, QtTest, QtWidgets, sip

application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])

from gnuradio.bearing.colours import contrast
from gnuradio.bearing.gui import track_history, track_plot
from gnuradio.bearing.gui import theme as themes
from support import python_calls

# A loaded machine may need this long, in seconds, for what usually takes a tenth of one.
PATIENCE = 30.0

# The time of day of the first report of a test: any will do.
START = 1790000000.0


def tearDownModule():
    HOME.cleanup()


def message(angles_deg, std_deg, seconds=None, heading_deg=None, method="music", **more):
    """A bearing message as blocks send it; more: further keys with their pmts."""
    fields = {
        "method": pmt.intern(method),
        "status": pmt.intern("ok"),
        "std_deg": floats(std_deg),
        "rx_time": pmt.PMT_NIL,
    }
    if seconds is not None:
        whole = math.floor(seconds)
        fields["rx_time"] = pmt.make_tuple(
            pmt.from_uint64(whole), pmt.from_double(seconds - whole)
        )
    if heading_deg is not None:
        fields["true_bearing_deg"] = floats([(a + heading_deg) % 360.0 for a in angles_deg])
    fields.update(more)
    details = pmt.make_dict()
    for key, value in fields.items():
        details = pmt.dict_add(details, pmt.intern(key), value)
    return pmt.cons(details, floats(angles_deg))


def floats(values):
    return pmt.init_f32vector(len(values), [float(value) for value in values])


class display:
    """A track_sink in a window that is on no screen, and what a test wants to know of it."""

    def __init__(self, width=800, height=480, **arguments):
        self.sink = bearing.track_sink(**arguments)
        self.view = self.sink.widget
        self.view.resize(width, height)
        self.view.show()
        self.sent = 0
        self.sent_spectra = 0
        pump(0.02)

    def hurry(self):
        """What is sent next is shown at once, not when a thirtieth of a second has passed."""
        wait_for(lambda: not self.view._busy)
        self.view._not_before = -math.inf

    def close(self):
        self.view.close()
        self.view.deleteLater()

    def send(self, *messages, port=0):
        """Sends messages as the scheduler would, and waits until they are shown."""
        self.hurry()
        for one in messages:
            self.sink._feed.put_message(port, one)
        self.sent += len(messages)
        self.settle()

    def send_spectrum(self, values, seconds, port=0):
        self.hurry()
        self.sink._feed.put_spectrum(port, np.asarray(values, np.float32), seconds)
        self.sent_spectra += 1
        self.settle()

    def settle(self):
        counters = self.view.counters
        wait_for(lambda: counters.decoded + counters.refused >= self.sent)
        wait_for(lambda: counters.spectra >= self.sent_spectra)

    def marks(self, slot=0):
        """Seconds and degrees of the marks of an estimator, filled and hollow, by time."""
        series = self.view.plot.series[slot]
        pairs = [np.stack(m.getData()) for m in (series.filled_marks, series.hollow_marks)]
        pairs = np.concatenate(pairs, axis=1)
        return pairs[:, np.lexsort(pairs[::-1])]

    def picture(self):
        """Height x width x RGB."""
        image = self.view.grab().toImage().convertToFormat(QtGui.QImage.Format_RGB888)
        rows = np.frombuffer(image.bits().asstring(image.sizeInBytes()), np.uint8)
        rows = rows.reshape(image.height(), image.bytesPerLine())[:, : 3 * image.width()]
        return rows.reshape(image.height(), image.width(), 3).astype(int)

    def pixel(self, plot, seconds, degrees):
        """Where something of a plot is in the picture: x, y."""
        scene = plot.box.mapViewToScene(QtCore.QPointF(seconds, degrees))
        place = plot.mapTo(self.view, plot.mapFromScene(scene))
        return place.x(), place.y()

    def inside(self, plot):
        """The rectangle of the picture that a plot draws into: left, top, right, bottom."""
        (left, right), (low, high) = plot.box.viewRange()
        return self.pixel(plot, left, high) + self.pixel(plot, right, low)


def pump(seconds):
    """Lets Qt work for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        application.processEvents()
        time.sleep(0.001)


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("nothing happened for {} s".format(PATIENCE))
        application.processEvents()
        time.sleep(0.001)
    application.processEvents()


def rgb(colour):
    return np.array(colour.getRgb()[:3])


def near(picture, colour, tolerance=40):
    """Which pixels have a colour, or almost."""
    return abs(picture - rgb(colour)).max(axis=2) <= tolerance


def segments(item):
    """Lines of a path: an array of x0, y0, x1, y1."""
    path = item.path()
    found = []
    for k in range(path.elementCount()):
        element = path.elementAt(k)
        if element.isLineTo():
            before = path.elementAt(k - 1)
            found.append((before.x, before.y, element.x, element.y))
    return np.array(found).reshape(-1, 4)


class qa_histories(unittest.TestCase):
    def history(self, duration_s=60.0, capacity=2048):
        return track_history.bearing_history(duration_s, capacity)

    def add(self, history, seconds, angles, std=None):
        angles = np.array(angles, np.float32)
        std = np.full(angles.size, 1.0, np.float32) if std is None else np.array(std, np.float32)
        return history.add(seconds, angles, angles, std)

    def test_sources_keep_their_tracks_whatever_their_order(self):
        history = self.history()
        for k in range(200):
            pair = [(350.0 + 0.2 * k) % 360.0, (200.0 - 0.3 * k) % 360.0]
            self.add(history, 0.25 * k, pair if k % 3 else pair[::-1])
        points = history.points(49.75)
        self.assertEqual(len(points), 400)
        self.assertEqual(len(set(points["track"])), 2)
        for track in set(points["track"]):
            own = points[points["track"] == track]
            self.assertTrue((np.diff(own["time"]) > 0).all())
            steps = track_history.difference_deg(own["angle"][1:], own["angle"][:-1])
            # 0.2 or 0.3 degrees a report, in single precision.
            self.assertLess(abs(steps).max(), 0.31)

    def test_far_bearings_and_late_ones_begin_tracks(self):
        history = self.history(60.0)
        self.add(history, 0.0, [10.0])
        self.add(history, 1.0, [19.0])
        self.add(history, 2.0, [60.0])
        # The longest gap is 3 s.
        self.add(history, 4.9, [60.0])
        self.add(history, 8.0, [60.0])
        tracks = history.points(8.0)["track"]
        self.assertEqual(list(tracks), [0, 0, 1, 1, 2])
        # Or a twentieth of what is seen.
        slow = self.history(600.0)
        self.add(slow, 0.0, [10.0])
        self.add(slow, 29.0, [10.0])
        self.add(slow, 60.0, [10.0])
        self.assertEqual(list(slow.points(60.0)["track"]), [0, 0, 1])

    def test_uncertain_bearings_may_be_farther_apart(self):
        history = self.history()
        self.add(history, 0.0, [10.0], [5.0])
        # 4 sqrt(5^2 + 5^2) = 28.3 degrees.
        self.add(history, 1.0, [38.0], [5.0])
        self.add(history, 2.0, [67.0], [5.0])
        # Never more than 45 degrees.
        self.add(history, 3.0, [113.0], [90.0])
        self.assertEqual(list(history.points(3.0)["track"]), [0, 0, 1, 2])

    def test_memory_is_bounded_and_covers_the_duration(self):
        for sources in (1, 2, 32, 500):
            history = self.history(60.0, capacity=512)
            angles = np.linspace(0.0, 359.0, sources)
            for k in range(20000):
                self.add(history, 0.01 * k, angles)
            points = history.points(199.99)
            drawn = min(sources, 32)
            self.assertLessEqual(len(points), 512 + drawn)
            # What a report claims, in whole periods of 10 ms.
            report_s = 0.01 * math.ceil(6000.0 * drawn / 512 - 1e-9)
            self.assertGreaterEqual(len(points), (60.0 / report_s - 2.0) * drawn)
            self.assertLess(points["time"].min(), 139.99 + report_s + 0.02)
            self.assertGreater(points["time"].max(), 199.99 - report_s - 0.02)
            self.assertLess(history._points.nbytes, 100000)

    def test_only_finite_bearings_are_kept_and_deviations_that_are_none_are_unknown(self):
        history = self.history()
        angles = [math.nan, 10.0, math.inf, 100.0, 200.0]
        self.add(history, 0.0, angles, [1.0, -1.0, 1.0, math.inf, math.nan])
        points = history.points(0.0)
        self.assertEqual(sorted(points["angle"]), [10.0, 100.0, 200.0])
        self.assertTrue(np.isnan(points["std"]).all())

    def test_a_report_out_of_order_is_left_out(self):
        history = self.history()
        self.assertTrue(self.add(history, 10.0, [10.0]))
        self.assertFalse(self.add(history, 9.9, [20.0]))
        self.assertEqual(len(history), 1)

    def test_cells_lie_where_their_points_are(self):
        # Of a spectrum with one peak, the highest cell holds the azimuth of the peak.
        for num_points, limits in (
            (512, ()),
            (361, (-90.0, 90.0)),
            (5000, ()),
            (4001, (-60.0, 60.0)),
            (100, (-180.0, 180.0)),
            (2, (0.0, 90.0)),
        ):
            first, last = limits or (0.0, 360.0)
            circle = last - first == 360.0
            grid = np.linspace(first, last, num_points, endpoint=not circle)
            for around, heading in ((False, 0.0), (True, 0.0), (True, 77.7)):
                cells = track_history.azimuth_cells(num_points, limits, around)
                self.assertLessEqual(cells.size, 720)
                width = cells.height_deg / cells.size
                for peak in (0, num_points // 3, num_points - 1):
                    spectrum = np.zeros(num_points)
                    spectrum[peak] = 10.0
                    with self.subTest(points=num_points, limits=limits, heading=heading):
                        row = cells.place(spectrum, heading)
                        self.assertEqual(len(row), cells.size)
                        highest = int(np.nanargmax(row))
                        middle = cells.bottom_deg + (highest + 0.5) * width
                        error = track_history.difference_deg(middle, grid[peak] + heading)
                        # A cell holds up to a point more at one end; a turned spectrum lies
                        # between the cells.
                        step = abs(grid[1] - grid[0])
                        self.assertLess(abs(error), (1.01 if around else 0.51) * width + step)

    def test_turned_cells_are_empty_outside_the_limits(self):
        cells = track_history.azimuth_cells(181, (-90.0, 90.0), around=True)
        row = cells.place(np.ones(181), 30.0)
        middles = cells.bottom_deg + (np.arange(cells.size) + 0.5) * 360.0 / cells.size
        outside = abs(track_history.difference_deg(middles, 30.0)) > 91.0
        self.assertTrue(np.isnan(row[outside]).all())
        inside = abs(track_history.difference_deg(middles, 30.0)) < 90.0
        self.assertTrue((row[inside] == 1.0).all())

    def test_spectra_stand_in_their_columns_until_the_next(self):
        history = track_history.spectrum_history(60.0, 4, num_columns=60)
        history.add(100.5, np.full(4, 1.0))
        history.add(102.5, np.full(4, 2.0))
        self.assertEqual(list(history.columns[-4:, 0])[1:], [1.0, 1.0, 2.0])
        self.assertTrue(np.isnan(history.columns[:-3]).all())
        self.assertEqual(history.start, 43.0)
        # More than 3 s later: a gap.
        history.add(106.5, np.full(4, 3.0))
        self.assertEqual(history.columns[-1, 0], 3.0)
        self.assertTrue(np.isnan(history.columns[-4:-1]).all())
        self.assertEqual(history.columns[-5, 0], 2.0)

    def test_levels_leave_out_what_is_no_number(self):
        history = track_history.spectrum_history(60.0, 100, num_columns=60)
        self.assertIsNone(history.levels_db())
        row = np.linspace(0.0, 30.0, 100)
        row[10], row[20], row[30] = math.nan, math.inf, -math.inf
        history.add(1.0, row)
        low, high = history.levels_db()
        self.assertEqual((low, high), (0, 30))


class qa_drawing(unittest.TestCase):
    def display(self, **arguments):
        made = display(**arguments)
        self.addCleanup(made.close)
        return made

    def setUp(self):
        self.failures = []
        self.hook = sys.excepthook
        sys.excepthook = lambda *error: self.failures.append(error)

    def tearDown(self):
        sys.excepthook = self.hook
        self.assertEqual(self.failures, [])

    def test_bearings_are_drawn_at_their_time_and_azimuth(self):
        for colours in (themes.LIGHT, themes.DARK):
            shown = self.display(theme=colours.name, duration_s=60.0)
            # Too far apart to be tracks: a mark each.
            truth = [(-50.0, 30.0), (-40.0, 120.0), (-20.0, 300.0), (0.0, 210.0)]
            shown.send(*(message([a], [0.01], START + t) for t, a in truth))
            np.testing.assert_allclose(shown.marks(), np.transpose(truth), atol=1e-4)
            picture = shown.picture()
            left, top, right, bottom = shown.inside(shown.view.plot)
            found = near(picture, colours.series[0])[top:bottom, left:right]
            rows, columns = np.nonzero(found)
            rows, columns = rows + top, columns + left
            explained = np.zeros(rows.size, bool)
            for seconds, degrees in truth:
                x, y = shown.pixel(shown.view.plot, seconds, degrees)
                own = np.hypot(columns - x, rows - y) <= 6.0
                with self.subTest(theme=colours.name, seconds=seconds):
                    # A disc of 9 pixels has 63, less an edge of one.
                    self.assertGreater(own.sum(), 20)
                    # Whole pixels.
                    self.assertLess(abs(columns[own].mean() - x), 1.0)
                    self.assertLess(abs(rows[own].mean() - y), 1.0)
                explained |= own
            self.assertEqual(int((~explained).sum()), 0)

    def test_arrival_is_the_time_of_reports_without_one(self):
        shown = self.display()
        shown.send(message([10.0], [1.0]))
        pump(0.5)
        shown.send(message([200.0], [1.0]))
        seconds, degrees = shown.marks()
        np.testing.assert_allclose(degrees, [10.0, 200.0], atol=1e-4)
        self.assertEqual(seconds[1], 0.0)
        self.assertLess(seconds[0], -0.45)
        self.assertGreater(seconds[0], -PATIENCE)

    def test_reports_without_time_are_placed_beside_those_with_one(self):
        shown = self.display(names=("timed", "untimed"))
        shown.send(message([10.0], [1.0], 1000.0))
        shown.send(message([200.0], [1.0]), port=1)
        self.assertLess(abs(shown.marks(0)[0, 0]), PATIENCE)
        self.assertEqual(shown.marks(1)[0, 0], 0.0)

    def test_lines_leave_at_one_end_and_come_in_at_the_other(self):
        shown = self.display(theme="light")
        angles = [(340.0 + 2.0 * k) % 360.0 for k in range(21)]
        shown.send(*(message([a], [0.01], START + k) for k, a in enumerate(angles)))
        lines = segments(shown.view.plot.series[0].lines)
        # 20 steps, and one that leaves and comes in. All rise by 2 degrees a second.
        self.assertEqual(len(lines), 21)
        np.testing.assert_allclose(lines[:, 3] - lines[:, 1], 2.0, atol=1e-3)
        np.testing.assert_allclose(lines[:, 2] - lines[:, 0], 1.0, atol=1e-9)
        # Nothing of it between 50 and 330 degrees.
        picture = shown.picture()
        left, top = shown.pixel(shown.view.plot, -20.0, 330.0)
        right, bottom = shown.pixel(shown.view.plot, 0.0, 50.0)
        between = near(picture, themes.LIGHT.series[0])[top:bottom, left:right]
        self.assertEqual(int(between.sum()), 0)

    def test_the_scale_of_a_line_goes_below_zero_and_does_not_break_there(self):
        shown = self.display(limits_deg=(-90.0, 90.0))
        shown.send(*(message([-5.0 + k], [0.01], START + k) for k in range(11)))
        lines = segments(shown.view.plot.series[0].lines)
        np.testing.assert_allclose(lines[:, 1], -5.0 + np.arange(10), atol=1e-4)
        np.testing.assert_allclose(lines[:, 3], -4.0 + np.arange(10), atol=1e-4)
        self.assertEqual(shown.view.plot.box.viewRange()[1], [-90.0, 90.0])

    def test_the_band_reaches_two_deviations_to_either_side(self):
        shown = self.display(theme="light", width=800, height=600)
        shown.send(*(message([180.0], [1.0 + k], START + k) for k in range(21)))
        series = shown.view.plot.series[0]
        quads = segments(series.band).reshape(-1, 4, 4)
        self.assertEqual(len(quads), 20)
        for quad in quads:
            for seconds, degrees in quad[:, :2]:
                deviation = 1.0 + seconds + 20.0
                self.assertAlmostEqual(abs(degrees - 180.0), 2.0 * deviation, places=3)
        # The same in the picture, at the time when the deviation is 11 degrees: pixels between
        # white and the colour of the line.
        picture = shown.picture()
        x, middle = shown.pixel(shown.view.plot, -10.0, 180.0)
        _, top = shown.pixel(shown.view.plot, -10.0, 202.0)
        _, bottom = shown.pixel(shown.view.plot, -10.0, 158.0)
        # A little aside, where no line of the grid is; 0.3 s, or 0.6 degrees of band.
        column = picture[:, x - 4]
        grey = abs(column.max(axis=1) - column.min(axis=1))
        tinted = np.flatnonzero(grey[: shown.inside(shown.view.plot)[3]] > 25)
        # An edge may lie anywhere in its pixel, and the band is a pixel narrower there.
        self.assertLessEqual(abs(tinted.min() - top), 2)
        self.assertLessEqual(abs(tinted.max() - bottom), 2)
        self.assertEqual(len(tinted), tinted.max() - tinted.min() + 1)

    def test_the_band_goes_on_at_the_other_end_of_the_circle(self):
        shown = self.display()
        shown.send(*(message([355.0], [10.0], START + k) for k in range(3)))
        quads = segments(shown.view.plot.series[0].band).reshape(-1, 4, 4)
        edges = sorted({(q[:, 1].min().round(3), q[:, 1].max().round(3)) for q in quads})
        self.assertEqual(edges, [(-25.0, 15.0), (335.0, 375.0)])

    def test_a_single_bearing_has_a_bar(self):
        shown = self.display()
        shown.send(message([100.0, 250.0], [5.0, math.nan], START))
        bars = segments(shown.view.plot.series[0].bars)
        np.testing.assert_allclose(bars, [[0.0, 90.0, 0.0, 110.0]], atol=1e-4)

    def test_unknown_deviations_have_hollow_marks_and_no_band(self):
        shown = self.display(theme="light")
        shown.send(*(message([100.0], [math.nan], START + k) for k in range(5)))
        series = shown.view.plot.series[0]
        self.assertEqual(len(series.filled_marks.getData()[0]), 0)
        self.assertGreater(len(series.hollow_marks.getData()[0]), 0)
        self.assertEqual(len(segments(series.band)) + len(segments(series.bars)), 0)
        self.assertEqual(len(segments(series.lines)), 4)
        x, y = shown.pixel(shown.view.plot, 0.0, 100.0)
        np.testing.assert_allclose(shown.picture()[y, x], [255, 255, 255], atol=40)
        wait_for(lambda: "hollow mark: σ unknown" in shown.sink.text)
        self.assertIn("100.0° ± unknown", shown.sink.text)
        self.assertNotIn("±2σ", shown.sink.text)

    def test_estimators_differ_in_more_than_colour(self):
        shown = self.display(names=tuple("ABCDEF"))
        for port in range(6):
            for k in range(2):
                shown.send(message([60.0 * port + 30.0], [1.0], START + k), port=port)
        series = shown.view.plot.series
        self.assertEqual(sorted(series), list(range(6)))
        signs, colours = set(), set()
        for one in series.values():
            symbol = one.filled_marks.opts["symbol"]
            points = [(round(p.x(), 3), round(p.y(), 3)) for p in symbol.toFillPolygon()]
            signs.add((one.lines.pen().style(), tuple(points)))
            colours.add(one.lines.pen().color().name())
        self.assertEqual(len(signs), 6)
        self.assertEqual(len(colours), 6)

    def test_marks_of_equal_bearings_do_not_hide_each_other(self):
        shown = self.display(names=("A", "B"))
        for port in range(2):
            reports = [message([100.0], [1.0], START + 0.1 * k) for k in range(601)]
            for first in range(0, 601, 100):
                shown.send(*reports[first : first + 100], port=port)
        one, other = shown.marks(0)[0][1:-1], shown.marks(1)[0][1:-1]
        self.assertGreater(min(one.size, other.size), 8)
        # A sixth of the distance of marks, 8 pixels; the first and last ones must coincide.
        pixels = abs(one[:, None] - other[None, :]).min() * shown.view.plot.box.width() / 60.5
        self.assertGreater(pixels, 6.0)

    def test_a_jump_back_in_time_clears(self):
        shown = self.display(num_points=16)
        shown.send_spectrum(np.arange(16), START + 9.0)
        shown.send(*(message([100.0], [1.0], START + k) for k in range(10)))
        shown.send(message([200.0], [1.0], START))
        np.testing.assert_allclose(shown.marks(), [[0.0], [200.0]], atol=1e-4)
        self.assertIsNone(shown.view.waterfall.image.image)
        self.assertEqual(len(segments(shown.view.plot.series[0].lines)), 0)
        shown.send(message([201.0], [1.0], START + 1.0))
        self.assertEqual(len(segments(shown.view.plot.series[0].lines)), 1)
        # A spectrum goes back as well.
        shown.send_spectrum(np.arange(16), START + 2.0)
        shown.send_spectrum(np.arange(16), START)
        self.assertEqual(shown.marks().size, 0)

    def test_a_message_that_was_overtaken_does_not_clear(self):
        shown = self.display()
        shown.send(*(message([100.0], [1.0], START + k) for k in range(10)))
        shown.send(message([101.0], [1.0], START + 8.8))
        self.assertEqual(len(segments(shown.view.plot.series[0].lines)), 9)

    def test_spectra_without_a_time_go_on_beside_late_reports(self):
        shown = self.display(num_points=16)
        shown.send(message([100.0], [1.0], START))
        shown.send_spectrum(np.arange(16), None)
        # Ten seconds of samples that took a while to get here.
        pump(0.1)
        shown.send(message([100.0], [1.0], START + 10.0))
        shown.send_spectrum(np.arange(16), None)
        pump(1.0)
        shown.send(message([100.0], [1.0], START + 10.1))
        shown.send_spectrum(np.arange(16), None)
        self.assertEqual(len(shown.view._histories[0]), 3)
        self.assertIsNotNone(shown.view.waterfall.image.image)

    def test_nothing_is_drawn_while_hidden_and_all_when_shown_again(self):
        shown = self.display()
        shown.send(message([100.0], [1.0], START))
        shown.view.hide()
        shown.send(message([200.0], [1.0], START + 1.0))
        self.assertEqual(shown.marks().shape[1], 1)
        shown.view.show()
        pump(0.05)
        np.testing.assert_allclose(shown.marks(), [[-1.0, 0.0], [100.0, 200.0]], atol=1e-4)

    def test_nothing_in_python_is_called_while_a_window_is_destroyed(self):
        # Why: see display_view.
        for make in (bearing.track_sink, bearing.compass_sink):
            with self.subTest(make.__name__):
                sink = make(num_points=16)
                window = QtWidgets.QTabWidget()
                window.addTab(sink.widget, "a display")
                window.addTab(QtWidgets.QWidget(), "nothing")
                window.resize(800, 480)
                window.show()
                pump(0.1)
                self.assertEqual(python_calls(lambda: sip.delete(window)), [])
                self.assertTrue(sip.isdeleted(sink.widget))

    def test_a_time_that_cannot_be_does_not_hide_the_rest(self):
        shown = self.display(names=("good", "odd"))
        odd = message(
            [10.0],
            [1.0],
            rx_time=pmt.make_tuple(pmt.from_uint64(2**64 - 1), pmt.from_double(0.5)),
        )
        shown.send(odd, port=1)
        far = message(
            [10.0], [1.0], rx_time=pmt.make_tuple(pmt.from_uint64(5), pmt.from_double(1e300))
        )
        shown.send(far, port=1)
        shown.send(message([100.0], [1.0], START), port=0)
        # An estimator that fell silent in the future is passed over when it is stale.
        shown.send(message([11.0], [1.0], START + 1e9), port=1)
        pump(3.2)
        shown.send(message([101.0], [1.0], START + 1.0), port=0)
        np.testing.assert_allclose(shown.marks(0)[0], [-1.0, 0.0], atol=1e-5)

    def test_old_bearings_leave(self):
        shown = self.display(duration_s=10.0)
        shown.send(*(message([100.0], [1.0], START + k) for k in range(30)))
        points = shown.view._histories[0].points(START + 29.0)
        self.assertEqual(points["time"].min(), START + 19.0)
        self.assertLessEqual(-10.0, segments(shown.view.plot.series[0].lines)[:, 0].min())

    def test_true_north_turns_bearings_and_spectra(self):
        shown = self.display(num_points=360, north="true", theme="light")
        spectrum = np.zeros(360)
        spectrum[40] = 30.0
        shown.send_spectrum(spectrum, START)
        self.assertIsNone(shown.view.waterfall.image.image)
        self.assertIn("heading", shown.view.waterfall.remark.text())
        self.assertIsNone(shown.view.plot.forward.heading_deg)
        shown.send(message([40.0], [1.0], START, heading_deg=330.0))
        np.testing.assert_allclose(shown.marks(), [[0.0], [10.0]], atol=1e-3)
        self.assertAlmostEqual(shown.view.plot.forward.heading_deg, 330.0, places=3)
        # Of a message without true bearings the last heading is true.
        shown.send(message([41.0], [1.0], START + 1.0))
        self.assertAlmostEqual(shown.marks()[1, -1], 11.0, places=3)
        shown.send_spectrum(spectrum, START + 1.0)
        self.assertAlmostEqual(self.brightest(shown)[1], 10.0, delta=self.two_pixels(shown))
        self.assertIn("true bearing", shown.view.plot.degrees.labelText)
        # The mark of the array's front is drawn where it is.
        picture = shown.picture()
        left, _, right, _ = shown.inside(shown.view.plot)
        _, y = shown.pixel(shown.view.plot, 0.0, 330.0)
        dark = (picture[y - 1 : y + 2, left + 5 : right - 5].min(axis=0) < 190).all(axis=1)
        self.assertGreater(dark.mean(), 0.3)

    def test_north_may_be_chosen_at_run_time(self):
        shown = self.display(limits_deg=(-90.0, 90.0))
        shown.send(message([40.0], [1.0], START, heading_deg=330.0))
        shown.sink.set_north("true")
        shown.send(message([40.0], [1.0], START + 1.0, heading_deg=330.0))
        self.assertAlmostEqual(shown.marks()[1, -1], 10.0, places=3)
        self.assertEqual(shown.view.plot.box.viewRange()[1], [0.0, 360.0])
        shown.sink.set_north("array")
        shown.send(message([40.0], [1.0], START + 2.0, heading_deg=330.0))
        self.assertAlmostEqual(shown.marks()[1, -1], 40.0, places=3)
        self.assertEqual(shown.view.plot.box.viewRange()[1], [-90.0, 90.0])

    def brightest(self, shown):
        """Seconds and degrees of the middle of the brightest pixels of the waterfall."""
        waterfall = shown.view.waterfall
        left, top, right, bottom = shown.inside(waterfall)
        picture = shown.picture()[top + 1 : bottom - 1, left + 2 : right]
        # The colours go from dark blue to yellow; the background is neither.
        yellow = picture[:, :, 0] - picture[:, :, 2]
        rows, columns = np.nonzero(yellow > yellow.max() - 40)
        scene = waterfall.mapToScene(
            waterfall.mapFrom(
                shown.view,
                QtCore.QPoint(
                    round(columns.mean()) + left + 2, round(rows.mean()) + top + 1
                ),
            )
        )
        place = waterfall.box.mapSceneToView(scene)
        return place.x(), place.y()

    def two_pixels(self, shown):
        """In degrees of the waterfall: the middle of a peak of one pixel, and of a cell."""
        box = shown.view.waterfall.box
        low, high = box.viewRange()[1]
        return 2.0 * (high - low) / box.height()

    def test_a_peak_of_the_waterfall_is_at_its_time_and_azimuth(self):
        for limits, peak, azimuth in (((), 100, 70.3125), ((-90.0, 90.0), 100, -54.7750)):
            for width, height in ((800, 480), (1280, 800)):
                shown = self.display(
                    num_points=512, limits_deg=limits, width=width, height=height, theme="light"
                )
                flat = np.zeros(512)
                high = flat.copy()
                high[peak] = 40.0
                for k in range(121):
                    shown.send_spectrum(high if k == 80 else flat, START + 0.5 * k)
                shown.view._levels_time = -math.inf
                shown.send_spectrum(flat, START + 60.1)
                # The spectrum of second 40, of 60, stands until 40.5: its middle is at 40.25.
                seconds, degrees = self.brightest(shown)
                with self.subTest(limits=limits, width=width):
                    # A column lasts 0.12 s, a pixel up to 0.1 s.
                    self.assertAlmostEqual(seconds, -60.1 + 40.25, delta=0.3)
                    self.assertAlmostEqual(degrees, azimuth, delta=self.two_pixels(shown))

    def test_narrow_peaks_survive_small_windows(self):
        for peak in range(200, 206):
            shown = self.display(num_points=4096, width=400, height=300, theme="light")
            spectrum = np.zeros(4096)
            spectrum[peak] = 40.0
            for k in range(10):
                shown.send_spectrum(spectrum, START + k)
            numbers = shown.view.waterfall.image.image
            self.assertEqual(numbers.max(), 255)
            self.assertLessEqual(numbers.shape[1], 300)

    def test_the_times_of_both_plots_are_above_one_another(self):
        shown = self.display(num_points=64, limits_deg=(-90.0, 90.0))
        for size in ((800, 480), (1280, 800), (320, 260)):
            shown.view.resize(*size)
            pump(0.05)
            for seconds in (-60.0, -30.0, 0.0):
                upper = shown.pixel(shown.view.plot, seconds, 0.0)[0]
                lower = shown.pixel(shown.view.waterfall, seconds, 0.0)[0]
                self.assertLessEqual(abs(upper - lower), 1)

    def test_the_reader_chooses_the_spectrum(self):
        shown = self.display(names=("A", "B"), num_points=90, theme="light")
        shown.send_spectrum(np.eye(90)[20] * 30.0, START, port=1)
        # The only one that came, and the first of those that did, whichever came first.
        self.assertEqual(shown.view.choice.currentText(), "B")
        self.assertAlmostEqual(self.brightest(shown)[1], 80.0, delta=5.0)
        shown.send_spectrum(np.eye(90)[60] * 30.0, START, port=0)
        self.assertEqual(shown.view.choice.currentText(), "A")
        self.assertAlmostEqual(self.brightest(shown)[1], 240.0, delta=5.0)
        shown.view.choice.setCurrentIndex(1)
        shown.view.choice.activated.emit(1)
        self.assertAlmostEqual(self.brightest(shown)[1], 80.0, delta=5.0)
        shown.send_spectrum(np.eye(90)[60] * 30.0, START + 0.1, port=0)
        self.assertEqual(shown.view.choice.currentText(), "B")
        self.assertTrue(shown.view.choice.isVisible())

    def test_without_spectra_there_is_no_waterfall(self):
        shown = self.display()
        self.assertFalse(shown.view.waterfall.isVisible())
        self.assertFalse(shown.view.choice.isVisible())
        self.assertTrue(shown.view.plot.seconds.label.isVisible())

    def test_levels_are_said_in_db(self):
        shown = self.display(num_points=100)
        shown.send_spectrum(np.linspace(-5.0, 35.0, 100), START)
        self.assertEqual(shown.view.scale.accessibleDescription(), "-5 to 35 dB")

    def test_a_double_click_undoes_the_mouse(self):
        shown = self.display(num_points=16)
        shown.send(message([100.0], [1.0], START))
        for plot in (shown.view.plot, shown.view.waterfall):
            plot.box.setRange(xRange=(-30.0, -10.0), yRange=(50.0, 100.0), padding=0.0)
            pump(0.05)
            shown.send(message([100.0], [1.0], START + 1.0))
            # What comes does not take the reader away.
            self.assertEqual(plot.box.viewRange()[1], [50.0, 100.0])
            middle = plot.mapFromScene(plot.box.sceneBoundingRect().center())
            mouse = QtTest.QTest
            for click in (mouse.mouseClick, mouse.mouseDClick, mouse.mouseRelease):
                click(plot.viewport(), QtCore.Qt.LeftButton, pos=middle)
            pump(0.05)
            self.assertEqual(plot.box.viewRange()[1], [0.0, 360.0])
            self.assertEqual(plot.box.viewRange()[0][0], -60.0)
            plot.plotItem.autoBtnClicked()
            self.assertEqual(plot.box.viewRange()[0][0], -60.0)

    def test_the_mouse_stays_within_what_there_is(self):
        shown = self.display(num_points=16)
        shown.view.plot.box.setRange(xRange=(-500.0, 500.0), yRange=(-900.0, 900.0))
        (left, right), (low, high) = shown.view.plot.box.viewRange()
        # Rounding.
        self.assertGreaterEqual(left, -60.0 - 1e-9)
        self.assertLess(right, 1.0)
        self.assertGreaterEqual(low, -1e-9)
        self.assertLessEqual(high, 360.0 + 1e-9)

    def test_ticks_are_compass_angles(self):
        axis = track_plot.even_axis("left", track_plot._DEGREES)
        allowed = {15.0, 30.0, 45.0, 60.0, 90.0, 180.0}
        for size in range(80, 1200, 20):
            (distance, offset), = axis.tickSpacing(0.0, 360.0, size)
            self.assertIn(distance, allowed)
            self.assertEqual(offset, 0.0)
            self.assertGreaterEqual(distance * size / 360.0, axis._room * 0.999)
        self.assertEqual(axis.tickStrings([-90.0, -0.0, 90.0], 1.0, 90.0), ["−90", "0", "90"])
        self.assertEqual(axis.tickStrings([0.1, 0.2], 1.0, 0.1), ["0.1", "0.2"])

    def test_settings_change_at_run_time(self):
        shown = self.display(names=("A", "B"), num_points=16)
        shown.send(message([100.0], [1.0], START))
        shown.sink.set_duration_s(600.0)
        self.assertEqual(shown.view.plot.box.viewRange()[0][0], -600.0)
        self.assertEqual(shown.view.waterfall.box.viewRange()[0][0], -600.0)
        shown.sink.set_limits_deg([-60.0, 60.0])
        self.assertEqual(shown.view.plot.box.viewRange()[1], [-60.0, 60.0])
        shown.sink.set_title("Tower")
        shown.sink.set_names(("C", "D"))
        self.assertEqual(shown.marks().size, 0)
        self.assertEqual(shown.view.choice.itemText(1), "D")
        shown.sink.set_theme("dark")
        self.assertEqual(shown.view.theme.name, "dark")
        shown.send(message([10.0], [1.0], START), message([20.0], [1.0], START + 300.0))
        np.testing.assert_allclose(shown.marks(), [[-300.0, 0.0], [10.0, 20.0]], atol=1e-4)
        shown.send_spectrum(np.arange(16), START + 300.0)
        self.assertIsNotNone(shown.view.waterfall.image.image)

    def test_sizes(self):
        shown = self.display(names=tuple("ABCDEF"), num_points=64)
        for port in range(6):
            shown.send(message([60.0 * port], [1.0], START), port=port)
        shown.send_spectrum(np.arange(64), START)
        for width, height in ((1280, 800), (800, 480), (320, 260)):
            shown.view.resize(width, height)
            pump(0.4)
            with self.subTest(width=width):
                self.assertEqual((shown.view.width(), shown.view.height()), (width, height))
                parts = [shown.view.plot, shown.view.waterfall, shown.view.words]
                for part in parts:
                    self.assertTrue(shown.view.rect().contains(part.geometry()))
                for one, other in zip(parts, parts[1:]):
                    self.assertLessEqual(one.geometry().bottom(), other.geometry().top())
                self.assertGreater(shown.view.plot.height(), height // 6)
                self.assertGreater(shown.view.waterfall.height(), height // 6)
                self.assertLessEqual(shown.view.words.height(), height // 3 + 1)
                self.assertGreater(shown.picture().std(), 10.0)

    def test_words_and_accessible_text(self):
        shown = self.display(names=("Tower",), num_points=16)
        self.assertEqual(shown.view.accessibleName(), "Track")
        wait_for(lambda: shown.sink.text == "waiting for bearings")
        shown.send(message([72.1, 210.0], [0.12, 0.2], START, heading_deg=0.0))
        wait_for(lambda: "72.1° ± 0.1°, 210.0° ± 0.2°" in shown.sink.text)
        self.assertIn("Tower", shown.sink.text)
        self.assertIn("14:13:20 UTC", shown.sink.text)
        self.assertIn("band: ±2σ", shown.sink.text)
        wait_for(lambda: shown.view.accessibleDescription() == shown.sink.text)

    def test_stale_bearings_are_paler_and_say_so(self):
        shown = self.display(num_points=16, theme="light")
        shown.send(message([72.1], [0.12], START))
        shown.send_spectrum(np.arange(16), START)
        series = shown.view.plot.series[0]
        self.assertEqual(series.lines.opacity(), 1.0)
        wait_for(lambda: "no bearings for" in shown.sink.text)
        pump(1.2)
        for item in (series.lines, series.filled_marks, series.band, shown.view.waterfall.image):
            self.assertEqual(item.opacity(), track_plot.STALE_OPACITY)
        shown.send(message([72.1], [0.12], START + 5.0))
        shown.send_spectrum(np.arange(16), START + 5.0)
        pump(1.2)
        for item in (series.lines, shown.view.waterfall.image):
            self.assertEqual(item.opacity(), 1.0)

    def test_themes_follow_the_palette_and_are_readable(self):
        shown = self.display(names=tuple("ABCDEF"), num_points=16)
        for port in range(6):
            shown.send(message([60.0 * port], [1.0], START), port=port)
        for background, name in (("#202020", "dark"), ("#f0f0f0", "light")):
            palette = QtGui.QPalette(QtGui.QColor(background))
            shown.view.setPalette(palette)
            pump(0.05)
            self.assertEqual(shown.view.theme.name, name)
            colours = themes.THEMES[name]
            drawn = shown.view.plot.backgroundBrush().color()
            self.assertEqual(drawn, colours.background)
            for one in shown.view.plot.series.values():
                # What WCAG asks of graphics, and of text.
                line = one.lines.pen().color().name()
                self.assertGreaterEqual(contrast(line, drawn.name()), 3.0)
            axis = shown.view.plot.degrees
            self.assertGreaterEqual(contrast(axis.textPen().color().name(), drawn.name()), 4.5)
            self.assertGreaterEqual(contrast(axis.pen().color().name(), drawn.name()), 3.0)
            np.testing.assert_array_equal(shown.picture()[1, 1], rgb(colours.background))

    def test_a_styled_window_leaves_no_part_unreadable(self):
        sheet = "QWidget { color: white; background-color: black; }"
        application.setStyleSheet(sheet)
        try:
            window = QtWidgets.QWidget()
            shown = display(names=("A", "B"), num_points=16, parent=window)
            self.addCleanup(window.close)
            QtWidgets.QVBoxLayout(window).addWidget(shown.view)
            window.resize(800, 480)
            window.show()
            shown.send(message([100.0], [1.0], START))
            pump(0.4)
            self.assertEqual(shown.view.theme.name, "dark")
            picture = shown.picture()
            # Behind the words, the row between the plots, and the plots.
            background = near(picture, themes.DARK.background, tolerance=2)
            for part in (shown.view.words, shown.view.choice_label, shown.view.plot):
                corner = part.mapTo(shown.view, QtCore.QPoint(0, 0))
                area = background[corner.y() :, corner.x() :][: part.height(), : part.width()]
                self.assertGreater(area.mean(), 0.5)
        finally:
            application.setStyleSheet("")

    def test_the_options_of_pyqtgraph_stay(self):
        script = (
            "import PyQt5.QtWidgets as q, pyqtgraph, copy\n"
            "a = q.QApplication([])\n"
            "before = copy.deepcopy(pyqtgraph.CONFIG_OPTIONS)\n"
            "from gnuradio import bearing\n"
            "s = bearing.track_sink(num_points=16)\n"
            "s.widget.show(); a.processEvents()\n"
            "assert pyqtgraph.CONFIG_OPTIONS == before\n"
        )
        subprocess.run([sys.executable, "-B", "-c", script], check=True, timeout=PATIENCE)

    def test_another_qt_binding_is_refused(self):
        script = "import gnuradio.bearing as b\nb.track_sink\n"
        environment = dict(os.environ, PYQTGRAPH_QT_LIB="PyQt6")
        done = subprocess.run(
            [sys.executable, "-B", "-c", script],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
        )
        self.assertNotEqual(done.returncode, 0)
        if "no module with this name" not in done.stderr:
            self.assertIn("the displays need PyQt5", done.stderr)

    def test_qt_is_not_imported_before_it_is_needed(self):
        script = (
            "import sys\nfrom gnuradio import bearing\n"
            "assert 'PyQt5' not in sys.modules and 'pyqtgraph' not in sys.modules\n"
            "try:\n    bearing.track_sink()\nexcept RuntimeError as e:\n    print(e)\n"
        )
        done = subprocess.run(
            [sys.executable, "-B", "-c", script],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
        )
        self.assertIn("QApplication", done.stdout)

    def test_bad_arguments_are_refused_with_a_sentence(self):
        for arguments, word in (
            ({"names": ()}, "names"),
            ({"names": ("a",) * 7}, "names"),
            ({"num_points": 1}, "num_points"),
            ({"limits_deg": [10.0, 10.0]}, "limits_deg"),
            ({"north": "south"}, "north"),
            ({"theme": "pink"}, "theme"),
            ({"duration_s": 0.5}, "duration_s"),
            ({"duration_s": math.nan}, "duration_s"),
            ({"duration_s": math.inf}, "duration_s"),
            ({"duration_s": 86401.0}, "duration_s"),
            ({"duration_s": None}, "duration_s"),
            ({"limits_deg": [1e16, 1e16 + 100.0]}, "limits_deg"),
        ):
            with self.subTest(**arguments):
                with self.assertRaisesRegex(ValueError, word):
                    bearing.track_sink(**arguments)
        shown = self.display()
        with self.assertRaisesRegex(ValueError, "duration_s"):
            shown.sink.set_duration_s(0.0)

    def test_whatever_is_sent_nothing_raises(self):
        shown = self.display(names=("", "B"), num_points=64)
        nan, inf = math.nan, math.inf
        many = np.random.default_rng(1).uniform(0.0, 360.0, 5000)
        good = [
            message([nan, nan], [nan, nan], START),
            message([10.0, nan], [nan, 1.0], START + 1.0),
            message([inf, -inf, 1e38, -1e38], [1.0] * 4, START + 2.0),
            message([], [], START + 3.0),
            message([10.0], [inf], START + 4.0),
            message([10.0], [-1.0], START + 5.0),
            message([10.0], [1e38], START + 6.0),
            message(many, np.ones(many.size), START + 7.0),
            message([10.0], [1.0], START + 8.0, unheard_of=pmt.make_dict(), note=pmt.PMT_T),
            message([10.0], [1.0], START + 9.0, method="<b>" + "x" * 10000),
            message([10.0], [1.0], 0.0),
            message(
                [10.0],
                [1.0],
                rx_time=pmt.make_tuple(pmt.from_uint64(5), pmt.from_double(-1e308)),
            ),
        ]
        bad = [
            pmt.PMT_NIL,
            pmt.PMT_T,
            pmt.intern("bearings"),
            pmt.cons(pmt.make_dict(), pmt.intern("x")),
            pmt.cons(pmt.make_dict(), floats([1.0])),
            message([1.0, 2.0], [1.0], START + 10.0),
            message([1.0], [1.0], rx_time=pmt.intern("noon")),
            message([1.0], [1.0], method="x", status=pmt.PMT_NIL),
        ]
        for port in (0, 1):
            for one in good + bad:
                shown.send(one, port=port)
                shown.picture()
            # Words are renewed four times a second.
            pump(0.3)
        counters = shown.view.counters
        self.assertEqual(counters.refused, 2 * len(bad))
        self.assertEqual(counters.decoded, 2 * len(good))
        wait_for(lambda: "not understood" in shown.sink.text)
        for values in (np.full(64, nan), np.full(64, inf), np.full(64, -inf), np.full(64, 3e38)):
            for seconds in (START, None, -1.0, nan, 1e300, START + 1.0):
                shown.send_spectrum(values, seconds)
                shown.picture()
        # And it still shows what is good.
        shown.send(message([123.0], [1.0], START + 100.0), port=1)
        self.assertIn(123.0, shown.marks(1)[1].round(3))

    def test_only_the_strongest_of_thousands_are_drawn(self):
        shown = self.display()
        angles = np.linspace(0.0, 350.0, 5000)
        shown.send(message(angles, np.ones(5000), START))
        self.assertEqual(shown.marks().shape[1], 32)
        np.testing.assert_allclose(shown.marks()[1], angles[:32], atol=1e-3)
        wait_for(lambda: "32 of 5000 drawn" in shown.sink.text)


# More than ten thousand messages a second from a flowgraph, and two streams of spectra, while a
# timer of the GUI thread measures how long it ever has to wait.
FLOOD = """
import json, sys, time
import numpy as np
from PyQt5 import QtCore, QtWidgets
from gnuradio import bearing, blocks, gr

SECONDS, WARM_UP = 10.0, 3.0
application = QtWidgets.QApplication([])
errors = []
sys.path.insert(0, sys.argv[1])
from qa_track_sink import message

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096

random = np.random.default_rng(1)
tb = gr.top_block()
sink = bearing.track_sink(names=("A", "B"), num_points=512, duration_s=5.0)
for port, name in enumerate(("bearings", "bearings1")):
    values = random.uniform(0.0, 30.0, 512 * 50).tolist()
    spectrum = blocks.vector_source_f(values, True, 512)
    tb.connect(spectrum, blocks.throttle(4 * 512, 1000.0), (sink, port))
    # Each sends every millisecond; one in seven has thousands of sources.
    for sender in range(7):
        count = 3 if sender else 2000
        one = message(random.uniform(0.0, 360.0, count), random.uniform(0.0, 5.0, count))
        tb.msg_connect(blocks.message_strobe(one, 1), "strobe", sink, name)
sys.excepthook = lambda *error: errors.append(str(error[1]))
sink.widget.resize(1280, 800)
sink.widget.show()
gaps, last = [], [None]
def beat():
    now = time.monotonic()
    if last[0] is not None:
        gaps.append(now - last[0])
    last[0] = now
heart = QtCore.QTimer()
heart.setTimerType(QtCore.Qt.PreciseTimer)
heart.timeout.connect(beat)
heart.start(10)
tb.start()
def pump(seconds):
    QtCore.QTimer.singleShot(int(1000 * seconds), application.quit)
    application.exec_()
pump(WARM_UP)
counters = sink.counters
before, decoded, refreshes = counters.received, counters.decoded, counters.refreshes
memory, began = resident(), time.monotonic()
pump(SECONDS)
seconds = time.monotonic() - began
result = dict(
    rate=(counters.received - before) / seconds, growth=resident() - memory, gap=max(gaps),
    refreshes=(counters.refreshes - refreshes) / seconds, decoded=counters.decoded - decoded,
    spectra=counters.spectra, refused=counters.refused, errors=errors,
    points=max(len(history) for history in sink.widget._histories.values()))
tb.stop()
tb.wait()
print(json.dumps(result))
"""


class qa_flood(unittest.TestCase):
    def test_ten_thousand_messages_a_second_neither_freeze_nor_grow_it(self):
        done = subprocess.run(
            [sys.executable, "-B", "-c", FLOOD, os.path.dirname(os.path.abspath(__file__))],
            stdout=subprocess.PIPE,
            text=True,
            timeout=4 * PATIENCE,
        )
        self.assertEqual(done.returncode, 0)
        result = json.loads(done.stdout)
        print(
            "{rate:.0f} messages/s, {refreshes:.1f} refreshes/s, longest gap {gap:.3f} s, "
            "memory +{growth} bytes".format(**result),
            file=sys.stderr,
        )
        self.assertGreater(result["rate"], 10000)
        # A window that decodes every message stands still for all that it is flooded; where other
        # programs have the processors, a thread may wait for tenths of a second.
        self.assertLess(result["gap"], 1.5)
        self.assertLessEqual(result["refreshes"], 30.0)
        self.assertGreater(result["refreshes"], 2.0)
        self.assertGreater(result["decoded"], 200)
        self.assertGreater(result["spectra"], 20)
        self.assertEqual((result["refused"], result["errors"]), (0, []))
        self.assertLessEqual(result["points"], 2 * (2048 + 32))
        # The allocator keeps a few pages more or fewer; 100 000 messages would be 50 MB.
        self.assertLess(result["growth"], 8e6)


if __name__ == "__main__":
    unittest.main()

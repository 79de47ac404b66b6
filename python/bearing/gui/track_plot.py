# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two plots of a track display, with one time axis: bearings, and a waterfall of spectra."""

import math

import numpy as np

# Before pyqtgraph, which takes the binding that it finds loaded.
from PyQt5 import QtCore, QtGui, QtWidgets

import pyqtgraph

from ..colours import COLOUR_MAP
from . import theme as themes
from .angles import difference_deg

if pyqtgraph.Qt.QT_LIB != "PyQt5":
    raise ImportError(
        f"pyqtgraph uses {pyqtgraph.Qt.QT_LIB}, but the displays need PyQt5, as GNU Radio does: "
        "import bearing.track_sink before the other binding, and unset PYQTGRAPH_QT_LIB"
    )

# Distance of marks along a track, and their size, in pixels.
MARK_DISTANCE = 48
MARK_SIZE = 9

# Deviations that the band reaches to either side.
BAND_SIGMAS = 2.0

STALE_OPACITY = 0.4

# Distances of ticks that people like to read: compass angles, and times.
_DEGREES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 45.0, 60.0, 90.0, 180.0)
_SECONDS = (0.001, 0.01, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0)
_SECONDS += (600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 21600.0, 43200.0, 86400.0)


def _pen(colour, width, style=QtCore.Qt.SolidLine):
    """A pen whose width is in pixels, whatever the scale."""
    pen = QtGui.QPen(colour, width, style, QtCore.Qt.FlatCap)
    pen.setCosmetic(True)
    return pen


class even_axis(pyqtgraph.AxisItem):
    """An axis whose ticks are a pleasant distance apart, and all of one kind.

    distances: to choose from.
    """

    def __init__(self, orientation, distances):
        super().__init__(orientation)
        self._distances = distances
        self._room = 30.0
        self._words = ("", "")
        self.enableAutoSIPrefix(False)
        self.setStyle(tickAlpha=255, maxTickLevel=0, hideOverlappingLabels=False)

    def tickSpacing(self, low, high, size):
        wanted = (high - low) * self._room / max(size, 1.0)
        if self.orientation == "left" and high - low > 120.0:
            # Of much of a circle, no other parts than people know.
            wanted = max(wanted, 15.0)
        for distance in self._distances:
            if distance >= wanted:
                return [(distance, 0.0)]
        return [(self._distances[-1] * math.ceil(wanted / self._distances[-1]), 0.0)]

    def boundingRect(self):
        # Numbers at the ends reach beyond; pyqtgraph leaves them out when there is a grid.
        margin = 20.0
        return super().boundingRect().adjusted(-margin, -margin, margin, margin)

    def set_words(self, words, short):
        """What the axis says; the short words are for an axis without room for the others."""
        self._words = (words, short)
        self._choose_words()

    def resizeEvent(self, event=None):
        super().resizeEvent(event)
        # Also called by the base class while it is made.
        if hasattr(self, "_words"):
            self._choose_words()

    def _choose_words(self):
        length = self.height() if self.orientation == "left" else self.width()
        room = QtGui.QFontMetrics(self.label.font()).horizontalAdvance(self._words[0])
        words = self._words[0 if room <= length else 1]
        if words != self.labelText:
            self.setLabel(words)
            # Puts the new words into the middle.
            super().resizeEvent(None)

    def tickStrings(self, values, scale, spacing):
        decimals = max(0, math.ceil(-math.log10(spacing)))
        # Adding 0 makes -0 a 0.
        return [f"{value + 0.0:.{decimals}f}".replace("-", "\u2212") for value in values]

    def follow(self, colours, font):
        """Takes colours and font of the surroundings."""
        self.setPen(colours.axis)
        self.setTickPen(colours.grid)
        self.setTextPen(colours.text)
        self.setTickFont(font)
        self.label.setFont(font)
        # What a number needs along the axis.
        metrics = QtGui.QFontMetrics(font)
        if self.orientation == "left":
            self._room = 1.25 * metrics.height()
        else:
            self._room = 1.4 * metrics.horizontalAdvance("\u22121000")
        self.label.setDefaultTextColor(colours.text)


class time_box(pyqtgraph.ViewBox):
    """A view that the mouse zooms and moves within what there is, and that returns to all of it
    at a double click."""

    returned = QtCore.pyqtSignal()

    def __init__(self):
        super().__init__(enableMenu=False)

    def mouseClickEvent(self, event):
        if event.double() and event.button() == QtCore.Qt.LeftButton:
            event.accept()
            self.returned.emit()


class _plot_item(pyqtgraph.PlotItem):
    def autoBtnClicked(self):
        # Not to what pyqtgraph thinks is all.
        self.getViewBox().returned.emit()


class time_plot(pyqtgraph.PlotWidget):
    """Something in degrees over the seconds before the newest."""

    def __init__(self, duration_s, parent=None):
        self.degrees = even_axis("left", _DEGREES)
        self.seconds = even_axis("bottom", _SECONDS)
        self.box = time_box()
        super().__init__(
            parent,
            background=None,
            plotItem=_plot_item(
                viewBox=self.box, axisItems={"left": self.degrees, "bottom": self.seconds}
            ),
        )
        self.plotItem.setMenuEnabled(False)
        for axis in (self.degrees, self.seconds):
            # Grid lines lie below what is drawn.
            axis.setZValue(-1000)
        self.setAntialiasing(True)
        self.label_time(True)
        self.box.returned.connect(self.show_all)
        self.set_ranges(duration_s, 0.0, 360.0)

    def set_ranges(self, duration_s, low, high):
        """What there is to see: seconds before the newest, and degrees from low to high."""
        # At the right, room for half a mark.
        self._x_range = (-duration_s, 0.008 * duration_s)
        self._y_range = (low, high)
        self.show_all()

    def show_all(self):
        """Undoes what the mouse did."""
        (left, right), (low, high) = self._x_range, self._y_range
        # As close as a thousandth of the time, and a fifth of a degree.
        closest = {"minXRange": 1e-3 * (right - left), "minYRange": 0.2}
        self.box.setLimits(xMin=left, xMax=right, yMin=low, yMax=high, **closest)
        self.box.setRange(xRange=self._x_range, yRange=self._y_range, padding=0.0)

    def label_time(self, shown):
        """Whether numbers and words stand at the axis of time."""
        self.labels_time = shown
        self.seconds.setStyle(showValues=shown)
        self.seconds.set_words(*(("time (s), 0 is the newest", "time (s)") if shown else ("", "")))

    def follow(self, colours, font):
        """Takes colours and font of the surroundings."""
        self.setBackground(colours.background)
        for axis in (self.degrees, self.seconds):
            axis.follow(colours, font)
        metrics = QtGui.QFontMetrics(font)
        # Labels at the ends of the degrees reach beyond by half their height.
        half = metrics.height() // 2 + 1
        self.plotItem.layout.setContentsMargins(0, half, half, 0 if self.labels_time else half)
        # The same for all plots, so that their times are above one another.
        self.degrees.setWidth(metrics.horizontalAdvance("\u2212180.5") + metrics.height() + 12)


def wrapped(degrees, bottom_deg):
    """Degrees on a circle that is cut open at bottom_deg."""
    return bottom_deg + (np.asarray(degrees, float) - bottom_deg) % 360.0


def _path(x, y, connected):
    """A path through points; connected: which ones are joined to their next."""
    return pyqtgraph.functions.arrayToQPath(
        np.ravel(x), np.ravel(y), connect=np.ravel(connected).astype(np.int32)
    )


def _around(x, y, bottom_deg):
    """Shapes, one a row of x and y, and copies a turn away of those that reach over an end of the
    circle that is cut open at bottom_deg."""
    if not len(x):
        return x, y
    over = y.max(axis=1) > bottom_deg + 360.0
    under = y.min(axis=1) < bottom_deg
    return (
        np.concatenate([x, x[over], x[under]]),
        np.concatenate([y, y[over] - 360.0, y[under] + 360.0]),
    )


class bearing_series:
    """How the bearings of one estimator look in a plot: a line a track, now and then a mark,
    filled where the deviation is known, and the band of 2 sigma to either side. A bearing that
    belongs to no track has a mark and a bar.

    Line style and mark tell estimators apart as well as the colour.
    """

    def __init__(self, plot, slot):
        self._slot = slot
        self.band = QtWidgets.QGraphicsPathItem()
        self.bars = QtWidgets.QGraphicsPathItem()
        self.lines = QtWidgets.QGraphicsPathItem()
        self.filled_marks = pyqtgraph.ScatterPlotItem()
        self.hollow_marks = pyqtgraph.ScatterPlotItem()
        # The paths of marks are 2 units wide, the symbols of pyqtgraph 1.
        symbol = QtGui.QTransform.fromScale(0.5, 0.5).map(themes.marker_path(slot))
        for marks in (self.filled_marks, self.hollow_marks):
            marks.setSymbol(symbol)
        self._items = (self.band, self.bars, self.lines, self.filled_marks, self.hollow_marks)
        # Whether any deviation that is shown is known, or is not.
        self.has_known = self.has_unknown = False
        for level, item in enumerate(self._items):
            # All bands lie below all lines.
            item.setZValue(themes.MOST_SERIES * level + slot)
            plot.addItem(item)

    def follow(self, colours):
        """Takes the colours of the surroundings."""
        colour = QtGui.QColor(colours.series[self._slot])
        veil = QtGui.QColor(colour)
        veil.setAlpha(80)
        self.band.setPen(QtGui.QPen(QtCore.Qt.NoPen))
        self.band.setBrush(veil)
        for item, width, style in (
            (self.bars, 1.2, QtCore.Qt.SolidLine),
            (self.lines, 1.7, themes.LINE_STYLES[self._slot]),
        ):
            item.setPen(_pen(colour, width, style))
        self.filled_marks.setSize(MARK_SIZE)
        self.filled_marks.setPen(_pen(colours.background, 1.0))
        self.filled_marks.setBrush(colour)
        self.hollow_marks.setSize(MARK_SIZE - 1)
        self.hollow_marks.setPen(_pen(colour, 1.6))
        self.hollow_marks.setBrush(colours.background)

    def set_stale(self, stale):
        for item in self._items:
            item.setOpacity(STALE_OPACITY if stale else 1.0)

    def show(self, seconds, degrees, std_deg, tracks, bottom_deg, mark_cells):
        """Draws points that are sorted by track, then by time.

        seconds: before the newest, so not positive. tracks: a number each. bottom_deg: where the
        circle of degrees is cut open. mark_cells: a number each; of the points of a track with
        the same number the first one has a mark.
        """
        x, y = np.asarray(seconds, float), wrapped(degrees, bottom_deg)
        width = np.minimum(BAND_SIGMAS * np.asarray(std_deg, float), 180.0)
        same = tracks[1:] == tracks[:-1]
        step = difference_deg(y[1:], y[:-1])
        self._show_lines(x, y, same, step)
        in_band = self._show_band(x, y, width, same, step, bottom_deg)
        self._show_bars(x, y, width, np.isfinite(width) & ~in_band, bottom_deg)
        marked = np.ones(x.size, bool)
        marked[1:] = ~same | (mark_cells[1:] != mark_cells[:-1])
        # Where a track ends.
        marked[:-1] |= ~same
        marked[-1:] = True
        known = np.isfinite(width)
        self.has_known, self.has_unknown = bool(known.any()), bool((~known).any())
        self.filled_marks.setData(x[marked & known], y[marked & known])
        self.hollow_marks.setData(x[marked & ~known], y[marked & ~known])

    def _show_lines(self, x, y, same, step):
        # A line that leaves at an end of the circle comes in at the other one.
        leaves = np.flatnonzero(same & (np.abs(y[:-1] + step - y[1:]) > 180.0))
        places = np.repeat(leaves + 1, 2)
        ends_x = np.stack([x[leaves + 1], x[leaves]], axis=1)
        ends_y = np.stack([y[leaves] + step[leaves], y[leaves + 1] - step[leaves]], axis=1)
        joined = np.append(same, False)[: x.size]
        self.lines.setPath(
            _path(
                np.insert(x, places, ends_x.ravel()),
                np.insert(y, places, ends_y.ravel()),
                np.insert(joined, places, np.tile([False, True], leaves.size)),
            )
        )

    def _show_band(self, x, y, width, same, step, bottom_deg):
        """Returns which points the band touches."""
        known = np.isfinite(width)
        first = np.flatnonzero(same & known[1:] & known[:-1])
        last = first + 1
        end = y[first] + step[first]
        low, high = y[first] - width[first], y[first] + width[first]
        corners_x = np.stack([x[first], x[last], x[last], x[first], x[first]], axis=1)
        corners_y = np.stack([low, end - width[last], end + width[last], high, low], axis=1)
        corners_x, corners_y = _around(corners_x, corners_y, bottom_deg)
        path = _path(corners_x, corners_y, np.tile([1, 1, 1, 1, 0], len(corners_x)))
        # Where tracks cross, there are no holes.
        path.setFillRule(QtCore.Qt.WindingFill)
        self.band.setPath(path)
        touched = np.zeros(x.size, bool)
        touched[first] = touched[last] = True
        return touched

    def _show_bars(self, x, y, width, alone, bottom_deg):
        ends_x = np.stack([x[alone], x[alone]], axis=1)
        ends_y = np.stack([y[alone] - width[alone], y[alone] + width[alone]], axis=1)
        ends_x, ends_y = _around(ends_x, ends_y, bottom_deg)
        self.bars.setPath(_path(ends_x, ends_y, np.tile([1, 0], len(ends_x))))


class bearing_plot(time_plot):
    """Bearings over time, a series an estimator."""

    def __init__(self, duration_s, parent=None):
        super().__init__(duration_s, parent)
        self.series = {}
        self.plotItem.showGrid(x=True, y=True, alpha=1.0)
        self.forward = forward_mark(self)
        self._colours = themes.LIGHT

    def follow(self, colours, font):
        super().follow(colours, font)
        self._colours = colours
        self.forward.follow(colours, font)
        for series in self.series.values():
            series.follow(colours)

    def series_of(self, slot):
        """The series of an estimator, 0 to 5, made when it is needed."""
        if slot not in self.series:
            self.series[slot] = bearing_series(self.plotItem, slot)
            self.series[slot].follow(self._colours)
        return self.series[slot]

    def mark_cells(self, times, slot):
        """Numbers of stretches of time that are as long as marks are apart. They stay where they
        are while time goes on, so that marks move with their bearings; those of another estimator
        begin elsewhere, so that equal bearings do not hide each other's marks."""
        (left, right), _ = self.box.viewRange()
        stretch = max(right - left, 1e-6) * MARK_DISTANCE / max(self.box.width(), MARK_DISTANCE)
        return np.floor(times / stretch + slot / themes.MOST_SERIES)


class forward_mark:
    """A dashed line and a word at the bearing of the array's +y axis."""

    def __init__(self, plot):
        self._line = pyqtgraph.InfiniteLine(angle=0, movable=False)
        self._line.setZValue(-1)
        self._word = pyqtgraph.InfLineLabel(
            self._line, "array's front", position=0.0, anchors=[(0.0, 1.0), (0.0, 0.0)]
        )
        plot.plotItem.addItem(self._line)
        self.heading_deg = None
        self.show(None)

    def follow(self, colours, font):
        self._line.setPen(_pen(colours.muted, 1.0, QtCore.Qt.DashLine))
        self._word.setColor(colours.muted)
        self._word.setFont(font)

    def show(self, heading_deg):
        """Puts the mark there; None: nowhere."""
        self.heading_deg = heading_deg
        self._line.setVisible(heading_deg is not None)
        if heading_deg is not None:
            self._line.setValue(heading_deg)


def colour_table():
    """256 x 4 bytes RGBA: nothing for 0, then the colours of spectra from low to high."""
    table = np.zeros((256, 4), np.uint8)
    table[1:] = pyqtgraph.colormap.get(COLOUR_MAP).getLookupTable(nPts=255, alpha=True)
    return table


def colour_numbers(values, low, high):
    """Places of values in the colour table; NaN: 0."""
    numbers = 1.5 + (values - low) * (254.0 / (high - low))
    return np.where(np.isnan(numbers), 0.0, np.clip(numbers, 1.0, 255.0)).astype(np.uint8)


class waterfall_plot(time_plot):
    """Spectra over time, one colour a level."""

    def __init__(self, duration_s, parent=None):
        super().__init__(duration_s, parent)
        self.image = pyqtgraph.ImageItem(axisOrder="col-major")
        self.image.setLookupTable(colour_table())
        self.image.setZValue(-2)
        for axis in (self.degrees, self.seconds):
            # Outwards: what lies on the image can hardly be seen.
            axis.setStyle(tickLength=4)
        self.addItem(self.image)
        self.remark = QtWidgets.QLabel(self)
        self.remark.setAlignment(QtCore.Qt.AlignCenter)
        self.remark.setWordWrap(True)
        self.remark.setAttribute(QtCore.Qt.WA_TransparentForMouseEvents)
        self.box.sigResized.connect(self._place_remark)
        self._shown = None

    def follow(self, colours, font):
        super().follow(colours, font)
        self.remark.setFont(font)
        self.remark.setStyleSheet(f"color: {colours.muted.name()}; background: transparent")

    def set_remark(self, text):
        """Words in the place of spectra; empty: none."""
        self.remark.setText(text)
        self.remark.setVisible(bool(text))

    def _place_remark(self):
        area = self.box.mapRectToScene(self.box.boundingRect())
        self.remark.setGeometry(self.mapFromScene(area).boundingRect())

    def set_stale(self, stale):
        self.image.setOpacity(STALE_OPACITY if stale else 1.0)

    def clear_spectra(self):
        self._shown = None
        self.image.clear()

    def show_spectra(self, history, cells, newest, levels):
        """Draws a spectrum_history on azimuth_cells; levels: (low, high) of the colours."""
        _, (bottom, top) = self.box.viewRange()
        # Qt would leave rows out where there are more than pixels: a peak may be one row wide.
        wanted = int(self.box.height() * cells.height_deg / max(top - bottom, 1e-6))
        rows = min(cells.size, max(wanted, 1))
        shown = (history, history.revision, rows, levels)
        if shown != self._shown:
            numbers = colour_numbers(history.columns, *levels)
            if rows < cells.size:
                starts = (np.arange(rows) * cells.size) // rows
                numbers = np.maximum.reduceat(numbers, starts, axis=1)
            self.image.setImage(numbers, autoLevels=False, levels=(0, 255))
            self._shown = shown
        columns = len(history.columns)
        self.image.setRect(
            history.start - newest,
            cells.bottom_deg,
            columns * history.column_s,
            cells.height_deg,
        )


class level_scale(QtWidgets.QWidget):
    """What the colours of a waterfall mean: a strip of them between two levels in dB."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._levels = None
        self._colours = themes.LIGHT
        table = np.ascontiguousarray(colour_table()[1:])
        self._strip = QtGui.QImage(
            table.tobytes(), len(table), 1, QtGui.QImage.Format_RGBA8888
        ).copy()
        self.setAccessibleName("Levels of the spectrum")

    def follow(self, colours):
        self._colours = colours
        self.update()

    def show_levels(self, levels):
        """(low, high) in dB; None: nothing is shown."""
        if levels != self._levels:
            self._levels = levels
            self.setAccessibleDescription("" if levels is None else "{} to {} dB".format(*levels))
            self.updateGeometry()
            self.update()

    def _words(self):
        low, high = ("{:.0f}".format(level).replace("-", "\u2212") for level in self._levels)
        return low, high + " dB"

    def sizeHint(self):
        metrics = self.fontMetrics()
        return QtCore.QSize(
            120 + metrics.horizontalAdvance("\u2212180\u2212180 dB"), metrics.height() + 4
        )

    def minimumSizeHint(self):
        return QtCore.QSize(0, self.sizeHint().height())

    def paintEvent(self, _):
        if self._levels is None:
            return
        painter = QtGui.QPainter(self)
        painter.setPen(self._colours.text)
        low, high = self._words()
        metrics = self.fontMetrics()
        before, after = metrics.horizontalAdvance(low) + 6, metrics.horizontalAdvance(high) + 6
        area = QtCore.QRect(self.rect())
        painter.drawText(area, QtCore.Qt.AlignLeft | QtCore.Qt.AlignVCenter, low)
        painter.drawText(area, QtCore.Qt.AlignRight | QtCore.Qt.AlignVCenter, high)
        painter.drawImage(area.adjusted(before, 5, -after, -5), self._strip)

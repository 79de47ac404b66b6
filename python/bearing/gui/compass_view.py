# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compass: a dial with needles, wedges and spectra, and words beside it."""

import collections
import math
import time

import numpy as np
from PyQt5 import QtCore, QtGui, QtWidgets

from .display_view import STALE_AFTER_S, display_view
from .theme import LINE_STYLES, marker_path

# Spectra lie between these parts of the dial's radius; needles end at the rim.
SPECTRUM_FROM, SPECTRUM_TO = 0.68, 0.97

# Of a spectrum; the largest of the values that share a point counts.
MOST_POINTS = 1024

# A spectrum is scaled by the extremes of this many before it, and at least to this range: the
# noise of a flat spectrum is no peak.
SCALE_MEMORY = 30
SMALLEST_RANGE_DB = 3.0

# Pixels between the rim, marks on it, and the labels.
_LABEL_GAP = 6.0

_POINTS_OF_COMPASS = {0: "N", 90: "E", 180: "S", 270: "W"}


class compass_view(display_view):
    """See ``compass_sink``."""

    def __init__(self, feed, settings, parent=None):
        super().__init__(feed, settings, "Compass", parent)
        self.dial = dial(self)
        self._extremes = {}
        self.finish_making()

    def show_update(self, update):
        for port, row in update.spectra.items():
            finite = row.values[np.isfinite(row.values)]
            if finite.size:
                memory = self._extremes.setdefault(port, collections.deque(maxlen=SCALE_MEMORY))
                memory.append((float(finite.min()), float(finite.max())))
        self.dial.update()

    def apply_theme(self):
        self.dial.update()

    def apply_settings(self):
        self.dial.update()

    def tick(self):
        self.dial.update()

    def legend(self):
        known = self.settings.north == "array" or self.heading_deg() is not None
        signs = ["arrow at the centre: array's front"] if known else []
        newest = [self.deviations_deg(one.newest) for one in self.series]
        if any(np.isfinite(deviations).any() for deviations in newest):
            signs.append("wedge: ±2σ")
        if any(np.isnan(deviations).any() for deviations in newest):
            signs.append("dashed needle: σ unknown")
        sentences = ["; ".join(signs)] if signs else []
        for port in sorted(self.spectra):
            scale = self.scale_db(port)
            if scale is not None and self.spectrum_azimuths_deg(port) is not None:
                name = self.settings.names[port]
                name = f" of {name}" if name and len(self.settings.names) > 1 else ""
                sentences.append(f"spectrum{name}: {scale[0]:.1f} to {scale[1]:.1f} dB")
        return sentences

    def scale_db(self, port):
        """Values at the inner and the outer edge of the ring of spectra; None before any."""
        memory = self._extremes.get(port)
        if not memory:
            return None
        low, high = min(low for low, _ in memory), max(high for _, high in memory)
        return low, max(high, low + SMALLEST_RANGE_DB)

    def resizeEvent(self, event):
        super().resizeEvent(event)
        width, height = self.width(), self.height()
        if width >= 1.2 * height:
            # Labels stand beside the circle, so it is a little wider than high.
            side = int(min(1.2 * height, max(0.55 * width, width - 440)))
            self.dial.setGeometry(0, 0, side, height)
            self.words.setGeometry(side, 0, width - side, height)
        else:
            side = int(min(width, max(0.62 * height, height - 260)))
            self.dial.setGeometry(0, 0, width, side)
            self.words.setGeometry(0, side, width, height - side)


class dial(QtWidgets.QWidget):
    """What is round. Angles in degrees, clockwise from up."""

    def __init__(self, view):
        super().__init__(view)
        self._view = view
        self._face = None
        self._face_key = None

    def face_geometry(self):
        """Centre (x, y) and radius of the rim, in pixels, and the pixel size of the font."""
        side = min(self.width(), self.height())
        pixels = int(min(18, max(10, round(0.034 * side))))
        radius = 0.5 * side
        for angle, text, bold in self.face_labels():
            sine, cosine = abs(_at(angle, 1.0).x()), abs(_at(angle, 1.0).y())
            width, height = self._label_size(text, bold, pixels)
            # Each label must end before the edge does.
            if sine > 1e-6:
                beside = 0.5 * width * (1.0 + sine)
                radius = min(radius, (0.5 * self.width() - beside) / sine - _LABEL_GAP)
            if cosine > 1e-6:
                beyond = 0.5 * height * (1.0 + cosine)
                radius = min(radius, (0.5 * self.height() - beyond) / cosine - _LABEL_GAP)
        return 0.5 * self.width(), 0.5 * self.height(), max(radius - 1.0, 10.0), pixels

    def label_font(self, bold, pixels):
        font = QtGui.QFont(self.font())
        font.setPixelSize(pixels)
        font.setBold(bold)
        return font

    def _label_size(self, text, bold, pixels):
        metrics = QtGui.QFontMetricsF(self.label_font(bold, pixels))
        return metrics.horizontalAdvance(text) + 1.0, metrics.height()

    def paintEvent(self, event):
        painter = QtGui.QPainter(self)
        painter.drawPixmap(0, 0, self._cached_face())
        painter.setRenderHint(QtGui.QPainter.Antialiasing)
        x, y, radius, _ = self.face_geometry()
        painter.translate(x, y)
        view = self._view
        slots = {}
        for one in view.series:
            slots.setdefault(one.port, one.slot)
        for port, row in sorted(view.spectra.items()):
            self._draw_spectrum(painter, radius, port, row, slots.get(port, port))
        for wedges in (True, False):
            # Strongest last: it lies on top.
            for place, one in reversed(list(enumerate(view.series))):
                self._draw_bearings(painter, radius, one, place, wedges)
        self._draw_hub(painter, max(4.0, 0.03 * radius))

    # The face ------------------------------------------------------------------------

    def _cached_face(self):
        settings = self._view.settings
        ratio = self.devicePixelRatioF()
        key = (self.size(), ratio, self._view.theme, settings.north, settings.limits_deg)
        key += (self.font().toString(),)
        if key != self._face_key:
            self._face = QtGui.QPixmap(self.size() * ratio)
            self._face.setDevicePixelRatio(ratio)
            self._face.fill(self._view.theme.background)
            painter = QtGui.QPainter(self._face)
            painter.setRenderHint(QtGui.QPainter.Antialiasing)
            self._draw_face(painter)
            painter.end()
            self._face_key = key
        return self._face

    def _draw_face(self, painter):
        x, y, radius, pixels = self.face_geometry()
        theme = self._view.theme
        painter.translate(x, y)
        first, last = self._sector()
        ticks = [
            angle
            for angle in range(0, 360, 10 if radius > 90.0 else 30)
            if (angle - first) % 360.0 <= last - first + 1e-9
        ]
        painter.setPen(QtGui.QPen(theme.grid, 1.0))
        _draw_arc(painter, radius, 0.0, 360.0)
        for part in (SPECTRUM_FROM / 2.0, SPECTRUM_FROM):
            _draw_arc(painter, part * radius, first, last)
        for angle in ticks:
            if angle % 30 == 0:
                painter.drawLine(_at(angle, 0.0), _at(angle, radius))
        painter.setPen(QtGui.QPen(theme.axis, 1.0))
        for angle in ticks:
            inner = 0.95 if angle % 30 == 0 else 0.975
            painter.drawLine(_at(angle, inner * radius), _at(angle, radius))
        painter.setPen(QtGui.QPen(theme.axis, 1.6))
        _draw_arc(painter, radius, first, last)
        for angle, text, bold in self.face_labels():
            painter.setFont(self.label_font(bold, pixels))
            painter.setPen(theme.text if bold else theme.muted)
            painter.drawText(self.label_rectangle(angle, text, bold), QtCore.Qt.AlignCenter, text)

    def _sector(self):
        """First and last angle of the scale: beyond the spectra of a line there is nothing to be
        read off. A scale from north does not turn with the array."""
        settings = self._view.settings
        if settings.north == "true" or settings.full_circle:
            return 0.0, 360.0
        return settings.limits_deg

    def face_labels(self):
        """(angle, text, whether bold) of the labels around the rim."""
        settings = self._view.settings
        first, last = self._sector()
        labels = []
        for angle in range(0, 360, 30):
            if (angle - first) % 360.0 > last - first + 1e-9:
                continue
            text = f"{angle}°"
            if settings.north == "true":
                text = _POINTS_OF_COMPASS.get(angle, text)
            elif not settings.full_circle and angle >= 180:
                text = f"\u2212{360 - angle}°"
            labels.append((angle, text, angle % 90 == 0))
        return labels

    def label_rectangle(self, angle, text, bold):
        """Where a label goes, relative to the centre: it touches a circle around the rim."""
        _, _, radius, pixels = self.face_geometry()
        width, height = self._label_size(text, bold, pixels)
        outward = _at(angle, 1.0)
        rectangle = QtCore.QRectF(0.0, 0.0, width, height)
        rectangle.moveCenter(
            _at(angle, radius + _LABEL_GAP)
            + QtCore.QPointF(0.5 * width * outward.x(), 0.5 * height * outward.y())
        )
        return rectangle

    # What moves ----------------------------------------------------------------------

    def _draw_hub(self, painter, size):
        """An arrow to where the array's +y axis points; a dot while that is unknown."""
        view = self._view
        heading = 0.0 if view.settings.north == "array" else view.heading_deg()
        painter.setPen(QtGui.QPen(view.theme.background, 1.0))
        painter.setBrush(view.theme.text)
        if heading is None:
            painter.drawEllipse(QtCore.QPointF(0.0, 0.0), 0.6 * size, 0.6 * size)
            return
        painter.save()
        painter.rotate(heading)
        arrow = [(0.0, -1.8), (1.1, 1.2), (0.0, 0.6), (-1.1, 1.2)]
        corners = [QtCore.QPointF(size * across, size * along) for across, along in arrow]
        painter.drawPolygon(QtGui.QPolygonF(corners))
        painter.restore()

    def _draw_spectrum(self, painter, radius, port, row, slot):
        view = self._view
        scale = view.scale_db(port)
        azimuths = view.spectrum_azimuths_deg(port)
        if scale is None or azimuths is None:
            return
        azimuths, values = thinned(azimuths, row.values)
        part = np.clip((values - scale[0]) / (scale[1] - scale[0]), 0.0, 1.0)
        part[~np.isfinite(part)] = 0.0
        radii = radius * (SPECTRUM_FROM + part * (SPECTRUM_TO - SPECTRUM_FROM))
        turned = np.deg2rad(azimuths)
        points = zip((radii * np.sin(turned)).tolist(), (-radii * np.cos(turned)).tolist())
        curve = QtGui.QPolygonF([QtCore.QPointF(x, y) for x, y in points])
        is_stale = time.monotonic() - row.monotonic > STALE_AFTER_S
        colour = view.theme.muted if is_stale else view.theme.series[slot]
        painter.setBrush(QtCore.Qt.NoBrush)
        painter.setPen(QtGui.QPen(colour, 1.4, LINE_STYLES[slot]))
        if view.settings.full_circle:
            painter.drawPolygon(curve)
        else:
            painter.drawPolyline(curve)

    def _draw_bearings(self, painter, radius, one, place, wedges):
        view = self._view
        colour = view.theme.muted if view.is_stale(one) else view.theme.series[one.slot]
        directions = view.directions_deg(one.newest).tolist()
        deviations = view.deviations_deg(one.newest).tolist()
        for rank, (angle, deviation) in reversed(list(enumerate(zip(directions, deviations)))):
            if math.isnan(angle):
                continue
            if wedges:
                if not math.isnan(deviation):
                    self._draw_wedge(painter, radius, angle, deviation, colour)
                continue
            dashed = math.isnan(deviation)
            width = 3.0 if rank == 0 else 2.0
            pen = QtGui.QPen(colour, width, QtCore.Qt.DashLine if dashed else QtCore.Qt.SolidLine)
            pen.setCapStyle(QtCore.Qt.FlatCap)
            painter.setPen(pen)
            painter.drawLine(QtCore.QPointF(0.0, 0.0), _at(angle, radius))
            size = (1.0 if rank == 0 else 0.75) * max(4.5, 0.032 * radius)
            painter.save()
            # Inside the rim, where no label is, and those of estimators that agree side by side.
            step = min(2.4 * size, 0.09 * radius)
            painter.translate(_at(angle, radius - 1.2 * size - place * step))
            painter.setPen(QtGui.QPen(view.theme.background, 0.25))
            painter.setBrush(colour)
            painter.scale(size, size)
            painter.drawPath(marker_path(one.slot))
            painter.restore()

    def _draw_wedge(self, painter, radius, angle, deviation, colour):
        half = min(2.0 * deviation, 180.0)
        fill = QtGui.QColor(colour)
        fill.setAlpha(70)
        painter.setPen(QtCore.Qt.NoPen)
        painter.setBrush(fill)
        painter.drawPie(*_qt_arc(radius, angle - half, angle + half))


def _qt_arc(radius, first_deg, last_deg):
    """The arguments of QPainter's arcs and pies: it counts sixteenths of a degree, anticlockwise
    from the right."""
    box = QtCore.QRectF(-radius, -radius, 2.0 * radius, 2.0 * radius)
    return box, round(16.0 * (90.0 - last_deg)), round(16.0 * (last_deg - first_deg))


def _draw_arc(painter, radius, first_deg, last_deg):
    painter.drawArc(*_qt_arc(radius, first_deg, last_deg))


def _at(angle_deg, radius):
    """The point this far from the origin, clockwise from up."""
    angle = math.radians(angle_deg)
    return QtCore.QPointF(radius * math.sin(angle), -radius * math.cos(angle))


def thinned(azimuths, values):
    """At most MOST_POINTS points, the largest of each group."""
    group = -(-values.size // MOST_POINTS)
    if group == 1:
        return azimuths, values
    groups = -(-values.size // group)
    padded = np.full(groups * group, -np.inf)
    padded[: values.size] = np.nan_to_num(values, nan=-np.inf)
    picked = np.arange(0, values.size, group) + padded.reshape(groups, group).argmax(axis=1)
    return azimuths[picked], values[picked]

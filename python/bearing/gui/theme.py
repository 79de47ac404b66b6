# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How displays look: colours for light and dark surroundings, and the marks of estimators."""

import dataclasses
from typing import Tuple

from PyQt5 import QtCore, QtGui

from .. import colours

# Signs of the estimators besides their colours, as pyqtgraph calls them.
MARKERS = ("o", "s", "t", "d", "+", "x")
LINE_STYLES = (
    QtCore.Qt.SolidLine,
    QtCore.Qt.DashLine,
    QtCore.Qt.DotLine,
    QtCore.Qt.DashDotLine,
    QtCore.Qt.DashDotDotLine,
    QtCore.Qt.SolidLine,
)

MOST_SERIES = len(colours.SERIES)


def qcolor(colour):
    """A colour of the module ``colours`` as a QColor."""
    return QtGui.QColor.fromRgbF(*colours.rgb(colour))


@dataclasses.dataclass(frozen=True)
class theme:
    """Colours (QColor) of a display.

    background: behind everything. text: words and numbers. muted: less important words, and
    what is stale. axis: lines of scales. grid: lines that help the eye. series: of estimators
    0 to 5, at least 3:1 against the background.
    """

    name: str
    background: QtGui.QColor
    text: QtGui.QColor
    muted: QtGui.QColor
    axis: QtGui.QColor
    grid: QtGui.QColor
    series: Tuple[QtGui.QColor, ...]

    @classmethod
    def of(cls, name, background, text):
        grey = colours.mix(text, background, 0.5)
        return cls(
            name=name,
            background=qcolor(background),
            text=qcolor(text),
            muted=qcolor(colours.readable(grey, background, colours.TEXT_CONTRAST)),
            axis=qcolor(colours.readable(grey, background)),
            grid=qcolor(colours.mix(text, background, 0.84)),
            series=tuple(
                qcolor(colours.readable(colour, background)) for colour in colours.SERIES
            ),
        )


LIGHT = theme.of("light", "#ffffff", "#1b1f24")
DARK = theme.of("dark", "#15181c", "#e8eaed")
THEMES = {"light": LIGHT, "dark": DARK}


def theme_for(widget, choice):
    """The theme of this name; "auto": the one that suits the widget's palette, which a style
    sheet changes too."""
    if choice in THEMES:
        return THEMES[choice]
    window = widget.palette().color(QtGui.QPalette.Window)
    return DARK if colours.is_dark(window.getRgbF()[:3]) else LIGHT


def marker_path(slot):
    """The mark of estimator slot as a QPainterPath about the origin, about 2 units wide."""
    path = QtGui.QPainterPath()
    marker = MARKERS[slot % len(MARKERS)]
    if marker == "o":
        path.addEllipse(QtCore.QRectF(-1.0, -1.0, 2.0, 2.0))
    elif marker == "s":
        path.addRect(QtCore.QRectF(-0.9, -0.9, 1.8, 1.8))
    elif marker in _POLYGONS:
        path.addPolygon(QtGui.QPolygonF([QtCore.QPointF(x, y) for x, y in _POLYGONS[marker]]))
        path.closeSubpath()
    if marker == "x":
        path = QtGui.QTransform().rotate(45.0).map(path)
    return path


_T = 0.38
_CROSS = [
    (-_T, -1.1), (_T, -1.1), (_T, -_T), (1.1, -_T), (1.1, _T), (_T, _T),
    (_T, 1.1), (-_T, 1.1), (-_T, _T), (-1.1, _T), (-1.1, -_T), (-_T, -_T),
]  # fmt: skip
_POLYGONS = {
    "t": [(0.0, 1.1), (1.1, -0.9), (-1.1, -0.9)],
    "d": [(0.0, -1.25), (1.0, 0.0), (0.0, 1.25), (-1.0, 0.0)],
    "+": _CROSS,
    "x": _CROSS,
}

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of a display: a paragraph per estimator, with the sign that it is drawn with."""

import html
import re
from typing import NamedTuple

from PyQt5 import QtCore, QtGui, QtWidgets

from .theme import LINE_STYLES, MOST_SERIES, marker_path

# In pixels.
SMALLEST_FONT_PIXELS = 8
SWATCH_WIDTH = 30
SCROLL_BAR_WIDTH = 8
MARGIN = 4


class words_line(NamedTuple):
    """What is said about an estimator."""

    slot: int
    label: str
    bearings: str
    details: str
    stale: bool

    @property
    def text(self):
        return f"{self.label}: {self.bearings} — {self.details}"


class swatch(QtWidgets.QWidget):
    """Line and mark of an estimator, as they are drawn."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self.slot = 0
        self.colour = QtGui.QColor()
        self.setFixedSize(SWATCH_WIDTH, 18)

    def paintEvent(self, event):
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.Antialiasing)
        middle = self.height() / 2.0
        painter.setPen(QtGui.QPen(self.colour, 2.0, LINE_STYLES[self.slot]))
        end = SWATCH_WIDTH - 1.0
        painter.drawLine(QtCore.QPointF(1.0, middle), QtCore.QPointF(end, middle))
        painter.setPen(QtCore.Qt.NoPen)
        painter.setBrush(self.colour)
        painter.translate(0.5 * SWATCH_WIDTH, middle)
        painter.scale(5.5, 5.5)
        painter.drawPath(marker_path(self.slot))


class words_panel(QtWidgets.QScrollArea):
    """A paragraph an estimator beside its swatch. Text can be selected, and scrolls when there is
    more of it than room."""

    # The paragraphs together need another height.
    height_changed = QtCore.pyqtSignal()

    def __init__(self, parent=None):
        super().__init__(parent)
        self.setObjectName("bearing_words")
        self.setFrameShape(QtWidgets.QFrame.NoFrame)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarAlwaysOff)
        self.setAccessibleName("Bearings in words")
        self._inner = QtWidgets.QWidget()
        self._inner.setObjectName("bearing_words_inner")
        self._title = self._label()
        self._rows = [(swatch(self._inner), self._label()) for _ in range(MOST_SERIES)]
        self._remarks = self._label()
        self.setWidget(self._inner)
        self._theme = None
        self._scale = 1.0
        self._shown = ("", [], [])
        # An estimator's details behind its bearings instead of below, where height is scarce.
        self.one_line = False

    def _label(self):
        label = QtWidgets.QLabel(self._inner)
        label.setTextFormat(QtCore.Qt.RichText)
        label.setWordWrap(True)
        label.setAlignment(QtCore.Qt.AlignTop | QtCore.Qt.AlignLeft)
        label.setTextInteractionFlags(
            QtCore.Qt.TextSelectableByMouse | QtCore.Qt.TextSelectableByKeyboard
        )
        label.hide()
        return label

    def labels(self):
        """The labels that are shown."""
        everything = [self._title] + [label for _, label in self._rows] + [self._remarks]
        return [label for label in everything if not label.isHidden()]

    def apply_theme(self, theme):
        self._theme = theme
        # Style sheets of the surroundings give every widget a background of their own.
        self.setStyleSheet(
            "QScrollArea, QWidget#bearing_words_inner, QLabel {"
            f" background: {theme.background.name()}; color: {theme.text.name()};"
            " border: none; padding: 0px; margin: 0px; }"
            f"QScrollBar:vertical {{ background: {theme.background.name()};"
            f" width: {SCROLL_BAR_WIDTH}px;"
            " border: none; margin: 0px; }"
            f"QScrollBar::handle:vertical {{ background: {theme.axis.name()}; min-height: 20px;"
            " border: none; border-radius: 3px; }"
            "QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page,"
            " QScrollBar::sub-page { background: none; border: none; height: 0px; }"
        )
        self._render()

    def set_scale(self, scale):
        """Size of the numbers relative to the font: 1 to 1.6."""
        scale = min(1.6, max(1.0, round(scale, 1)))
        if scale != self._scale:
            self._scale = scale
            self._render()

    def show_lines(self, title, lines, remarks):
        """Shows a title, words_lines and sentences; what is empty takes no room."""
        if (title, lines, remarks) != self._shown:
            self._shown = (title, lines, remarks)
            self._render()

    def changeEvent(self, event):
        super().changeEvent(event)
        if event.type() == QtCore.QEvent.FontChange and hasattr(self, "_shown"):
            self._render()

    def resizeEvent(self, event):
        super().resizeEvent(event)
        self._render()

    def _render(self):
        if self._theme is None:
            return
        # Beside a scroll bar, which comes and goes.
        width = self.width() - SCROLL_BAR_WIDTH
        pixels = QtGui.QFontInfo(self.font()).pixelSize()
        while True:
            self._render_sized(pixels)
            # Words that cannot be broken are made smaller.
            ends = [x + label.minimumSizeHint().width() for x, label in self._places()]
            needed = max(ends, default=0) + MARGIN
            if needed <= width or pixels <= SMALLEST_FONT_PIXELS:
                break
            # In proportion: a pixel a time takes seconds from the largest fonts.
            pixels = min(pixels - 1, pixels * max(width, 0) // needed)
            pixels = max(pixels, SMALLEST_FONT_PIXELS)
        # Layouts of Qt do not see every change of what wrapped words need.
        y = MARGIN
        for x, label in self._places():
            label_width = max(width - x - MARGIN, 1)
            height = label.heightForWidth(label_width)
            label.setGeometry(x, y, label_width, height)
            for sign, beside in self._rows:
                if beside is label:
                    sign.move(MARGIN, y)
            y += height + 6
        is_new = y != self._inner.height()
        self._inner.resize(max(width, 1), y)
        if is_new:
            self.height_changed.emit()

    def _places(self):
        """(x, label) of the labels that are shown, from above."""
        signed = {label for _, label in self._rows}
        for label in self.labels():
            yield MARGIN + (SWATCH_WIDTH + 8 if label in signed else 0), label

    def _render_sized(self, pixels):
        title, lines, remarks = self._shown
        large, small = round(self._scale * 1.15 * pixels), round((0.6 + 0.4 * self._scale) * pixels)
        colour = self._theme.text.name()
        muted = self._theme.muted.name()
        heading = f'<span style="font-size:{large}px"><b>{_escaped(title)}</b></span>'
        self._write(self._title, heading if title else "")
        for (sign, label), line in zip(self._rows, lines + [None] * len(self._rows)):
            sign.setVisible(line is not None)
            if line is None:
                self._write(label, "")
                continue
            between = " &nbsp; " if self.one_line else "<br>"
            sign.slot = line.slot
            sign.setFixedSize(SWATCH_WIDTH, round(1.25 * large))
            sign.colour = self._theme.muted if line.stale else self._theme.series[line.slot]
            sign.update()
            self._write(
                label,
                f'<span style="font-size:{large}px; color:{muted if line.stale else colour}">'
                f"{_together(line.bearings)}</span>{between}"
                f'<span style="font-size:{small}px; color:{muted}"><b>{_escaped(line.label)}</b>: '
                f"{_escaped(line.details)}</span>",
            )
        sentences = "<br>".join(_escaped(remark) for remark in remarks)
        text = f'<span style="font-size:{small}px; color:{muted}">{sentences}</span>'
        self._write(self._remarks, text if remarks else "")

    def _write(self, label, text):
        label.setVisible(bool(text))
        # Words that somebody is copying stay.
        if label.text() != text and not (label.hasSelectedText() and label.hasFocus()):
            label.setText(text)


def _together(bearings):
    """HTML of bearings, none of which is broken into two lines."""
    for gap in (" ±", "± ", "under "):
        bearings = bearings.replace(gap, gap.replace(" ", "\u00a0"))
    return html.escape(bearings)


def _escaped(text):
    """HTML of a text, in which also a long word may be broken."""
    broken = (
        "\u200b".join(word[k : k + 14] for k in range(0, len(word), 14))
        for word in text.split(" ")
    )
    # A number stays with its unit.
    return re.sub(r"(?<=\d) (?=UTC|dB|s\b|min\b|h\b)", "\u00a0", html.escape(" ".join(broken)))

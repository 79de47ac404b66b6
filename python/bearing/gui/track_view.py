# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The widget of a track display: bearings over time, and below them a waterfall of spectra."""

import math
import numbers
import time

import numpy as np
from PyQt5 import QtWidgets

from .display_view import STALE_AFTER_S, display_view
from .track_history import azimuth_cells, bearing_history, spectrum_history
from .track_plot import bearing_plot, level_scale, waterfall_plot

# Of a report that is no more than this before the last one, messages of several blocks may have
# overtaken each other; if it is more, a recording began again.
OVERTAKING_S = 0.5

# Colours of levels do not follow every spectrum.
LEVELS_PERIOD_S = 0.5

# An rx_time beyond is not believed: the year 5000.
LATEST_TIME_S = 1e11


def checked_duration(duration_s):
    """Seconds, from 1 to a day."""
    if not isinstance(duration_s, numbers.Real) or not 1.0 <= duration_s <= 86400.0:
        raise ValueError(f"duration_s is {duration_s!r}; it must be 1 to 86400 seconds")
    return float(duration_s)


class stream_clock:
    """One time for all that comes: rx_time where it is told; what does not tell it is put where
    the last rx_time has moved meanwhile."""

    def __init__(self):
        self._ahead = 0.0

    def seconds(self, told, monotonic, newest):
        """told: an rx_time in seconds, or None; monotonic: when it came, by time.monotonic();
        newest: the time of what came before it from the same place, which only what is told can
        precede."""
        if told is None or not 0.0 <= told <= LATEST_TIME_S:
            return max(monotonic + self._ahead, newest)
        self._ahead = told - monotonic
        return told


class spectrum_input:
    """The spectra of one port. history: a spectrum_history. monotonic: when the last one came."""

    def __init__(self, duration_s, cells):
        self.history = spectrum_history(duration_s, cells.size)
        self.monotonic = -math.inf


class track_view(display_view):
    """See ``track_sink``; feed, settings and parent as for every ``display_view``.

    duration_s: what is shown, in seconds before the newest.
    """

    def __init__(self, feed, settings, parent=None, duration_s=60.0):
        super().__init__(feed, settings, "Track", parent)
        self.setMinimumSize(320, 260)
        self._duration_s = checked_duration(duration_s)
        self._clock = stream_clock()
        self._histories = {}
        self._inputs = {}
        self._cells = None
        self._chosen = 0
        self._chosen_by_hand = False
        self._levels = None
        self._levels_time = -math.inf
        # One that never was may be drawn into a picture.
        self._was_shown = False
        # What the plots are made for.
        self._made_for = None
        self._make_parts()
        self.finish_making()

    def _make_parts(self):
        self.plot = bearing_plot(self._duration_s, self)
        self.plot.setAccessibleName("Bearings over time")
        self.choice_label = QtWidgets.QLabel(self)
        self.choice = QtWidgets.QComboBox(self)
        self.choice.setAccessibleName("Estimator whose spectrum is shown")
        self.choice.activated.connect(self._choose)
        self.scale = level_scale(self)
        self.waterfall = waterfall_plot(self._duration_s, self)
        self.waterfall.setAccessibleName("Spectrum over time")
        self.waterfall.plotItem.setXLink(self.plot.plotItem)
        # Cut off rather than wider than the window.
        self.choice_label.setMinimumWidth(1)
        for plot in (self.plot, self.waterfall):
            plot.setMinimumSize(60, 60)
        self._middle = QtWidgets.QWidget(self)
        self._middle.setObjectName("track_middle")
        row = QtWidgets.QHBoxLayout(self._middle)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.choice_label)
        row.addWidget(self.choice)
        row.addStretch(1)
        row.addWidget(self.scale)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(6, 3, 6, 2)
        column.setSpacing(2)
        column.addWidget(self.plot, 11)
        column.addWidget(self._middle)
        column.addWidget(self.waterfall, 10)
        column.addWidget(self.words)
        self.words.one_line = True
        self.words.height_changed.connect(self._give_words_room)

    # Settings -----------------------------------------------------------------------

    @property
    def duration_s(self):
        return self._duration_s

    def set_duration_s(self, duration_s):
        self._duration_s = checked_duration(duration_s)
        self._apply_settings()

    def apply_settings(self):
        settings = self.settings
        # What was kept for other axes or under other names is of no use.
        made_for = (settings.limits_deg, settings.north, settings.names, self._duration_s)
        if made_for != self._made_for:
            self._made_for = made_for
            self._make_axes()
        spectra = bool(settings.num_points)
        self._middle.setVisible(spectra)
        self.waterfall.setVisible(spectra)
        self.choice.setVisible(len(settings.names) > 1)
        self.choice.clear()
        self.choice.addItems([""] * len(settings.names))
        self._name_choices()
        self._redraw()

    def _make_axes(self):
        settings = self.settings
        true_north = settings.north == "true"
        first, last = (0.0, 360.0) if true_north else settings.limits_deg or (0.0, 360.0)
        # Where the circle is cut open: as far as can be from what is seen.
        self._bottom_deg = 0.5 * (first + last) - 180.0
        quantity = "true bearing" if true_north else "azimuth"
        for plot in (self.plot, self.waterfall):
            plot.set_ranges(self._duration_s, first, last)
            plot.degrees.set_words(f"{quantity} (degrees)", "degrees")
        self.plot.label_time(not settings.num_points)
        if settings.num_points:
            self._cells = azimuth_cells(settings.num_points, settings.limits_deg, true_north)
        self._histories = {slot: bearing_history(self._duration_s) for slot in self._histories}
        self._forget()

    def apply_theme(self):
        colours, font = self.theme, self.font()
        for plot in (self.plot, self.waterfall):
            plot.follow(colours, font)
        self.scale.follow(colours)
        self.choice_label.setStyleSheet(
            f"color: {colours.muted.name()}; background: transparent"
        )
        # Style sheets of the surroundings give every widget a background of their own.
        self._middle.setStyleSheet("#track_middle { background: transparent; border: none; }")
        both = f"color: {colours.text.name()}; background: {colours.background.name()};"
        self.choice.setStyleSheet(
            f"QComboBox {{ {both} border: 1px solid {colours.axis.name()}; padding: 1px 6px; }}"
            f"QAbstractItemView {{ {both} }}"
        )

    # What comes ---------------------------------------------------------------------

    def show_update(self, update):
        for one in update.arrivals:
            if one.slot is not None:
                self._keep_bearings(one)
        for port, row in update.spectra.items():
            self._keep_spectrum(port, row)
        # Behind another tab, say, nothing is drawn.
        if self.isVisible() or not self._was_shown:
            self._redraw()
            self.tick()

    def _forget(self):
        """Clears both plots."""
        for history in self._histories.values():
            history.clear()
        self._inputs = {}
        self._levels = None

    def _began_again(self, seconds, newest):
        return seconds < newest - min(OVERTAKING_S, 0.05 * self._duration_s)

    def _keep_bearings(self, one):
        report = one.report
        if one.slot not in self._histories:
            self._histories[one.slot] = bearing_history(self._duration_s)
        history = self._histories[one.slot]
        seconds = self._clock.seconds(report.seconds, one.monotonic, history.newest)
        if self._began_again(seconds, history.newest):
            self._forget()
        heading = self.heading_deg(one.port)
        turned = report.angles_deg + (math.nan if heading is None else heading)
        told = report.true_bearing_deg
        history.add(
            seconds, report.angles_deg, np.where(np.isfinite(told), told, turned), report.std_deg
        )

    def _keep_spectrum(self, port, row):
        heading = 0.0
        if self.settings.north == "true":
            heading = self.heading_deg(port)
            if heading is None:
                return
        newest = self._inputs[port].history.newest if port in self._inputs else -math.inf
        seconds = self._clock.seconds(row.seconds, row.monotonic, newest)
        if self._began_again(seconds, newest):
            self._forget()
        if port not in self._inputs:
            self._inputs[port] = spectrum_input(self._duration_s, self._cells)
        self._inputs[port].history.add(seconds, self._cells.place(row.values, heading))
        self._inputs[port].monotonic = row.monotonic
        # The first estimator that has a spectrum, in whatever order they came.
        if not self._chosen_by_hand and self._chosen != min(self._inputs):
            self._chosen = min(self._inputs)
            self._levels = None

    # What is drawn ------------------------------------------------------------------

    def _newest(self):
        """The time that is 0 on the axis: the latest of what still comes, so that nothing that
        once told a wrong time hides the rest."""
        now = time.monotonic()
        times = []
        for one in self.series:
            history = self._histories.get(one.slot)
            if history is not None and math.isfinite(history.newest):
                times.append((not self.is_stale(one), history.newest))
        for entry in self._inputs.values():
            times.append((now - entry.monotonic < STALE_AFTER_S, entry.history.newest))
        return max(times)[1] if times else 0.0

    def showEvent(self, event):
        super().showEvent(event)
        self._was_shown = True
        self._redraw()

    def _redraw(self):
        newest = self._newest()
        for slot, history in self._histories.items():
            points = history.points(newest)
            degrees = points["true" if self.settings.north == "true" else "angle"]
            points = points[np.isfinite(degrees) & (points["time"] <= newest)]
            degrees = points["true" if self.settings.north == "true" else "angle"]
            self.plot.series_of(slot).show(
                points["time"] - newest,
                degrees,
                points["std"],
                points["track"],
                self._bottom_deg,
                self.plot.mark_cells(points["time"], slot),
            )
        self._show_forward()
        if self.settings.num_points:
            self._draw_spectra(newest)

    def _show_forward(self):
        heading = self.heading_deg() if self.settings.north == "true" else None
        self.plot.forward.show(heading)

    def _draw_spectra(self, newest):
        self._name_choices()
        if self._chosen not in self._inputs:
            self.waterfall.clear_spectra()
            self.scale.show_levels(None)
            self.waterfall.set_remark(self._why_no_spectrum())
            return
        self.waterfall.set_remark("")
        history = self._inputs[self._chosen].history
        now = time.monotonic()
        if self._levels is None or now - self._levels_time >= LEVELS_PERIOD_S:
            self._levels, self._levels_time = history.levels_db(), now
        if self._levels is not None:
            self.waterfall.show_spectra(history, self._cells, newest, self._levels)
            self.scale.show_levels(self._levels)

    def _why_no_spectrum(self):
        if self.settings.north == "true" and self.heading_deg(self._chosen) is None:
            return "The spectrum is shown when the heading of the array is known."
        return "No spectrum yet."

    def tick(self):
        for one in self.series:
            if one.slot in self._histories:
                self.plot.series_of(one.slot).set_stale(self.is_stale(one))
        entry = self._inputs.get(self._chosen)
        if entry is not None:
            self.waterfall.set_stale(time.monotonic() - entry.monotonic > STALE_AFTER_S)

    def legend(self):
        shown = self.plot.series.values()
        sentences = []
        if any(one.has_known for one in shown):
            sentences.append("band: \u00b12\u03c3")
        if any(one.has_unknown for one in shown):
            sentences.append("hollow mark: \u03c3 unknown")
        return ["; ".join(sentences)] if sentences else []

    # Which spectrum -----------------------------------------------------------------

    def _choose(self, port):
        self._chosen, self._chosen_by_hand = port, True
        self._levels = None
        self._redraw()

    def _name_choices(self):
        for port in range(self.choice.count()):
            name = self._input_name(port)
            if self.choice.itemText(port) != name:
                self.choice.setItemText(port, name)
        if self.choice.currentIndex() != self._chosen:
            self.choice.setCurrentIndex(self._chosen)
        several = self.choice.count() > 1
        self.choice_label.setText("Spectrum of" + ("" if several else " " + self._input_name(0)))

    def _input_name(self, port):
        """What to call the estimator at a port."""
        heard = [one.label for one in self.series if one.port == port]
        return self.settings.names[port] or ", ".join(heard) or f"input {port}"

    # Room ---------------------------------------------------------------------------

    def resizeEvent(self, event):
        super().resizeEvent(event)
        self.words.set_scale(1.0)
        self._fit_words(0)

    def _give_words_room(self):
        self._fit_words(self.words.height())

    def _fit_words(self, least):
        """Gives the words the height that they need, up to a third. It shrinks only when the
        window changes: plots that jump are hard to read."""
        needed = self.words.widget().height()
        self.words.setFixedHeight(max(min(needed, self.height() // 3), least, 1))

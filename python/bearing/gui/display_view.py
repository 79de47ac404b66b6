# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The widget that all displays are made from: when to look, what came, and the words about it.

A view derives from ``display_view``, puts ``self.words`` into its layout, and overrides

``show_update(update)``
    What came since the last refresh, a ``display_update``; at most 30 times a second.
``apply_theme()``
    ``self.theme`` is new (a ``theme.theme``). Called once before the first refresh.
``apply_settings()``
    ``self.settings`` is new (``display_settings``): limits, north, title or names. Called once
    before the first refresh.
``tick()``
    Every second: what depends on the age of things (``is_stale``).
``legend()``
    Sentences about how to read the picture, to be shown below the bearings.

All run on the GUI thread, and never for a widget that is being made: the first two calls
come from ``finish_making()``, the last line of a view's constructor. An exception in any of
them would end the program, as in every slot of PyQt5.

Handlers that Qt calls while a window is destroyed (``hideEvent``, ``eventFilter``) are not
written in Python: when a program ends, PyQt5 destroys what is left while it walks its own table
of objects, and the event that such a handler is given is one more in it, which sometimes ends
the program with a segmentation fault.

What a view may read: ``settings``, ``theme``, ``series`` (estimators that were heard, by slot),
``spectra`` (newest spectrum_row by port), ``heading_deg()``, ``directions_deg()``,
``spectrum_azimuths_deg()``, ``is_stale()``, ``text``.
"""

import dataclasses
import math
import time
from typing import Dict, List, NamedTuple, Optional

import numpy as np
import pmt
from PyQt5 import QtCore, QtGui, QtWidgets

from ..bearing_report import bearing_report
from . import words
from .angles import difference_deg
from .display_feed import spectrum_row
from .theme import MOST_SERIES, theme_for
from .words_panel import words_line, words_panel

# At most 30 refreshes a second (a timer counts whole milliseconds).
REFRESH_PERIOD_S = 0.034

# A refresh decodes for this long, of the thread's own time and of everybody's: messages are not
# lost because the machine was busy with something else for a moment.
DECODING_BUDGET_S = 0.008
DECODING_LIMIT_S = 0.05

# A message of more directions is refused: decoding takes 0.2 us a direction.
MOST_DIRECTIONS = 10000

# Drawn of one message, the strongest first.
MOST_DRAWN = 32

# Bearings older than this are not the present ones.
STALE_AFTER_S = 3.0

# Words change at most this often: nobody reads faster, and screen readers even less.
WORDS_PERIOD_MS = 250
ACCESSIBLE_PERIOD_S = 1.0


class arrival(NamedTuple):
    """A message that was understood.

    port: index of its message port. slot: of its estimator, 0 to 5, which says colour and mark;
    None for an estimator too many, which is not drawn. report: what it says. monotonic, wall:
    when it came, by time.monotonic() and time.time().
    """

    port: int
    slot: Optional[int]
    report: bearing_report
    monotonic: float
    wall: float

    @property
    def seconds(self):
        """Its rx_time, or the time when it came."""
        return self.wall if self.report.seconds is None else self.report.seconds


class display_update(NamedTuple):
    """What came since the last refresh.

    arrivals: messages, oldest first; of more than can be decoded in time, the newest.
    spectra: the newest spectrum_row of each port where one came.
    """

    arrivals: List[arrival]
    spectra: Dict[int, spectrum_row]


@dataclasses.dataclass
class display_counters:
    """received: messages that came to the ports. decoded: those that were understood. refused:
    those that were not. spectra: spectra that were taken. refreshes: as the word says."""

    received: int = 0
    decoded: int = 0
    refused: int = 0
    spectra: int = 0
    refreshes: int = 0


@dataclasses.dataclass
class series:
    """An estimator. slot: 0 to 5, of colour and mark. port: index of its port. label: what to
    call it. newest: its last arrival."""

    slot: int
    port: int
    label: str
    newest: Optional[arrival] = None


class display_view(QtWidgets.QWidget):
    """Base of the views; see the module."""

    def __init__(self, feed, settings, name, parent=None):
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setMinimumSize(260, 260)
        self.setAutoFillBackground(False)
        self.settings = settings
        self.theme = theme_for(self, settings.theme)
        self.series = []
        self.spectra = {}
        self.counters = display_counters()
        self.words = words_panel(self)
        self._feed = feed
        self._slots = {}
        self._headings = {}
        self._newest_heading = None
        self._too_many = False
        self._complaint = None
        self._calibration = ""
        self._text = ""
        self._made = False
        self._not_before = 0.0
        self._busy = False
        self._data_waits = False
        self._refresh_timer = self._timer(self._refresh, single=True)
        self._refresh_timer.setTimerType(QtCore.Qt.PreciseTimer)
        self._served_timer = self._timer(self._served, single=True)
        self._theme_timer = self._timer(self._apply_theme, single=True)
        self._words_timer = self._timer(self._update_words)
        self._tick_timer = self._timer(self.tick)
        self._words_are_old = True
        self._words_second = -1
        self._accessible_time = -math.inf

    def _timer(self, slot, single=False):
        timer = QtCore.QTimer(self)
        timer.setSingleShot(single)
        timer.timeout.connect(slot)
        return timer

    def finish_making(self):
        """Called by a view when its parts exist."""
        self._made = True
        self._apply_settings()
        self._apply_theme()
        self._words_timer.start(WORDS_PERIOD_MS)
        self._tick_timer.start(1000)
        self._update_words()

    # What a view overrides ----------------------------------------------------------

    def show_update(self, update):
        """Something came."""

    def apply_theme(self):
        """Colours changed."""

    def apply_settings(self):
        """What is to be shown changed."""

    def tick(self):
        """A second passed."""

    def legend(self):
        """How to read the picture: a list of sentences."""
        return []

    # What a view may ask ------------------------------------------------------------

    @property
    def text(self):
        """All bearings in words, a line per estimator."""
        return self._text

    def is_stale(self, estimator):
        """Whether the last message of this series is too old to tell the present bearing."""
        newest = estimator.newest
        return newest is None or time.monotonic() - newest.monotonic > STALE_AFTER_S

    def heading_deg(self, port=None):
        """Direction of the array's +y axis, clockwise from north, as messages told it last: those
        of this port where they did, else those of any port. None: not yet known."""
        return self._headings.get(port, self._newest_heading)

    def directions_deg(self, one):
        """Where the bearings of an arrival are drawn: degrees clockwise, in [0, 360), from north or
        from the array's +y axis as the settings say. NaN is not drawn. At most MOST_DRAWN."""
        report = one.report
        angles = report.angles_deg[:MOST_DRAWN].astype(float)
        if self.settings.north == "true":
            told = report.true_bearing_deg[:MOST_DRAWN].astype(float)
            heading = self.heading_deg(one.port)
            turned = angles + (math.nan if heading is None else heading)
            angles = np.where(np.isfinite(told), told, turned)
        angles[~np.isfinite(angles)] = math.nan
        return angles % 360.0

    def deviations_deg(self, one):
        """Standard deviations that go with directions_deg; NaN where unknown."""
        deviations = one.report.std_deg[:MOST_DRAWN].astype(float)
        deviations[~np.isfinite(deviations) | (deviations < 0.0)] = math.nan
        return deviations

    def spectrum_azimuths_deg(self, port):
        """Directions of the points of a spectrum, not wrapped; None while north is true and the
        heading unknown."""
        azimuths = self.settings.grid_deg()
        if self.settings.north == "array":
            return azimuths
        heading = self.heading_deg(port)
        return None if heading is None else azimuths + heading

    # Settings, which the block has checked; on the GUI thread -------------------------

    def set_names(self, names):
        self.settings.names = names
        self.series = []
        self._slots = {}
        self._too_many = False
        self._apply_settings()

    def set_limits_deg(self, limits_deg):
        self.settings.limits_deg = limits_deg
        self._apply_settings()

    def set_north(self, north):
        self.settings.north = north
        self._apply_settings()

    def set_title(self, title):
        self.settings.title = title
        self._apply_settings()

    def set_theme(self, choice):
        self.settings.theme = choice
        self._apply_theme()

    def _apply_settings(self):
        self.apply_settings()
        self._words_are_old = True
        self.update()

    def _apply_theme(self):
        self.theme = theme_for(self, self.settings.theme)
        self.words.apply_theme(self.theme)
        self.apply_theme()
        self._words_are_old = True
        self.update()

    def changeEvent(self, event):
        super().changeEvent(event)
        changes = (QtCore.QEvent.PaletteChange, QtCore.QEvent.StyleChange)
        if event.type() in changes and getattr(self, "_made", False):
            if theme_for(self, self.settings.theme) is not self.theme:
                # Later: a style sheet that is set while another one is taking effect does not
                # reach all children.
                self._theme_timer.start(0)

    def sizeHint(self):
        return QtCore.QSize(800, 480)

    def paintEvent(self, event):
        QtGui.QPainter(self).fillRect(event.rect(), self.theme.background)

    def resizeEvent(self, event):
        super().resizeEvent(event)
        self.words.set_scale(min(self.width() / 640.0, self.height() / 400.0))

    # Refreshing ---------------------------------------------------------------------

    @QtCore.pyqtSlot()
    def data_wait(self):
        """The feed says that something waits."""
        self._data_waits = True
        if not self._busy and not self._refresh_timer.isActive():
            wait = max(0.0, self._not_before - time.monotonic())
            self._refresh_timer.start(math.ceil(1000.0 * wait))

    def _refresh(self):
        self._busy = True
        self._data_waits = False
        self._started = time.monotonic()
        messages, spectra, received = self._feed.take()
        self._read_calibration(self._feed.take_calibration())
        counters = self.counters
        counters.received = sum(received)
        arrivals = self._decode(messages)
        self.spectra.update(spectra)
        counters.refreshes += 1
        counters.spectra += len(spectra)
        self._words_are_old = True
        self.show_update(display_update(arrivals, spectra))
        # Comes after all that show_update() asked to be painted.
        self._served_timer.start(0)

    def _served(self):
        # A slow machine keeps half its time for others, and messages come in through Python too.
        now = time.monotonic()
        self._not_before = self._started + max(REFRESH_PERIOD_S, 2.0 * (now - self._started))
        self._busy = False
        if self._data_waits:
            self.data_wait()

    def _decode(self, messages):
        """The newest messages of each port in turn, until time is up; oldest first."""
        arrivals = []
        complaints = []
        budget_end = time.thread_time() + DECODING_BUDGET_S
        limit_end = time.monotonic() + DECODING_LIMIT_S

        def in_time():
            return time.thread_time() < budget_end and time.monotonic() < limit_end

        waiting = [(port, entries) for port, entries in enumerate(messages) if entries]
        first_round = True
        while waiting and (first_round or in_time()):
            for port, entries in waiting:
                entry = entries.pop()
                try:
                    report = _read(entry.message)
                # Whatever somebody sends: a slot that raises would end the program.
                except Exception as error:
                    complaints.append((entry.monotonic, port, str(error)))
                else:
                    arrivals.append((entry.monotonic, port, report, entry.wall))
                if not first_round and not in_time():
                    break
            waiting = [item for item in waiting if item[1]]
            first_round = False
        self.counters.decoded += len(arrivals)
        self.counters.refused += len(complaints)
        if complaints:
            self._complaint = max(complaints)
        arrivals.sort(key=lambda item: item[0])
        return [self._accept(*item) for item in arrivals]

    def _read_calibration(self, message):
        if message is None:
            return
        try:
            self._calibration = words.calibration_text(message)
        # As for bearings.
        except Exception as error:
            self.counters.refused += 1
            self._complaint = (time.monotonic(), -1, str(error))

    def _accept(self, monotonic, port, report, wall):
        heading = report.heading_deg
        if heading is not None:
            self._headings[port] = self._newest_heading = heading
        estimator = self._estimator(port, report.method)
        slot = None if estimator is None else estimator.slot
        accepted = arrival(port, slot, report, monotonic, wall)
        if estimator is not None:
            estimator.newest = accepted
        return accepted

    def _estimator(self, port, method):
        """The series of a port and, where the port has no name, of a method; None: too many."""
        name = self.settings.names[port]
        key = (port, None if name else method)
        if key in self._slots:
            return self._slots[key]
        taken = {one.slot for one in self.series}
        # A port keeps the slot of its number, further methods take what is left over.
        own = [] if port in taken else [port]
        free = [k for k in range(len(self.settings.names), MOST_SERIES) if k not in taken]
        slot = next(iter(own + free), None)
        if slot is None:
            self._too_many = True
            return None
        found = series(slot, port, words.short(name or method))
        self._slots[key] = found
        self.series = sorted(self.series + [found], key=lambda one: one.slot)
        return found

    # Words --------------------------------------------------------------------------

    def _update_words(self):
        second = int(time.monotonic())
        if not self._words_are_old and second == self._words_second:
            return
        self._words_are_old = False
        self._words_second = second
        lines = [self._line(one) for one in self.series]
        remarks = self._remarks()
        self.words.show_lines(self.settings.title, lines, remarks)
        self._text = "\n".join([line.text for line in lines] + remarks)
        now = time.monotonic()
        if now - self._accessible_time >= ACCESSIBLE_PERIOD_S:
            self._accessible_time = now
            if self.accessibleDescription() != self._text:
                self.setAccessibleDescription(self._text)

    def _line(self, one):
        newest = one.newest
        report = newest.report
        if self.settings.north == "array":
            full_circle = self.settings.full_circle
        else:
            full_circle = True
        directions = self.directions_deg(newest)
        deviations = self.deviations_deg(newest)
        details = [words.status_text(report.status)]
        found = np.isfinite(report.angles_deg)
        count = int(found.sum())
        if found[:MOST_DRAWN].any() and not np.isfinite(directions).any():
            bearings = "true bearing is unknown without a heading"
        else:
            bearings = words.bearings_text(directions, deviations, count, full_circle)
        if report.angles_deg.size > MOST_DRAWN:
            details.append(f"first {MOST_DRAWN} of {report.angles_deg.size} drawn")
        age = time.monotonic() - newest.monotonic
        stale = age > STALE_AFTER_S
        if stale:
            details.insert(0, f"no bearings for {words.age_text(age)}")
        method = words.short(report.method)
        label = one.label
        if words.plain(method) != words.plain(label):
            details.append(method)
        details.append(words.time_text(report.seconds, newest.wall))
        return words_line(one.slot, label, bearings, ", ".join(details), stale)

    def _remarks(self):
        remarks = [] if self.series else ["waiting for bearings"]
        if self._calibration:
            remarks.append(self._calibration)
        remarks += self.legend()
        if self.settings.north == "true":
            told = list(self._headings.values())
            # Single precision knows them to 3e-5 degrees.
            if told and np.any(np.abs(difference_deg(told, told[0])) > 0.01):
                fronts = ", ".join(words.angle_text(heading) for heading in sorted(told))
                remarks.append(f"estimators disagree on the array's heading: {fronts}")
            elif told:
                remarks.append(f"from true north; array's front at {words.angle_text(told[0])}")
            elif self.series or self.spectra:
                remarks.append("from true north; the array's heading is not known yet")
        if self._too_many:
            remarks.append(f"more than {MOST_SERIES} estimators: the others are not shown")
        if self._complaint is not None:
            count = self.counters.refused
            said = words.short(self._complaint[2], 120)
            messages = "1 message" if count == 1 else f"{count} messages"
            remarks.append(f"{messages} not understood: {said}")
        return remarks


def _read(message):
    if pmt.is_pair(message) and pmt.is_f32vector(pmt.cdr(message)):
        count = pmt.length(pmt.cdr(message))
        if count > MOST_DIRECTIONS:
            raise ValueError(f"{count} directions are more than {MOST_DIRECTIONS}")
    return bearing_report.from_message(message)

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The block that all displays are made from: it hands messages and spectra to a view.

A display is a ``display_sink`` with a view, a class derived from ``display_view``:

    class compass_sink(display_sink):
        def __init__(self, names=("",), ..., parent=None):
            super().__init__("compass_sink", compass_view, names, num_points, limits_deg, north,
                             title, theme, parent)

Keyword arguments beyond these go to the view, which is made as
``view_class(feed, settings, parent=parent, **more)``. Setters of a display's own use
``self._on_gui(self.widget.set_something, value)``.

The scheduler's threads only store (``display_feed``) and emit one Qt signal until what waits was
taken; everything else happens on the GUI thread.
"""

import threading

import numpy as np
import pmt
from gnuradio import gr
from PyQt5 import QtCore, QtWidgets, sip

from .. import stream_time
from .display_feed import display_feed
from .display_settings import (
    NORTHS,
    THEMES,
    checked_choice,
    checked_limits,
    checked_names,
    display_settings,
)

_RX_TIME = pmt.intern("rx_time")

# Between calls from other threads: a new setting may take the display 10 ms.
CALLS_PERIOD_MS = 100


class _mailbox(QtCore.QObject):
    """Carries calls of a view's setters to the GUI thread. Of many with different values only the
    last one counts: a thread that is faster than the display must not fill it with work."""

    data_wait = QtCore.pyqtSignal()
    calls_wait = QtCore.pyqtSignal()

    def __init__(self):
        super().__init__()
        self._lock = threading.Lock()
        self._calls = {}
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._serve)
        self.calls_wait.connect(self._start_timer, QtCore.Qt.QueuedConnection)

    def call(self, setter, value):
        """From any thread: now where this is the GUI thread, else soon."""
        if QtCore.QThread.currentThread() == self.thread():
            with self._lock:
                # What another thread wanted before.
                self._calls.pop(setter, None)
            self._set(setter, value)
            return
        with self._lock:
            is_first = not self._calls
            self._calls[setter] = value
        if is_first:
            self.calls_wait.emit()

    @QtCore.pyqtSlot()
    def _start_timer(self):
        if not self._timer.isActive():
            self._timer.start(CALLS_PERIOD_MS)

    def _serve(self):
        with self._lock:
            calls, self._calls = self._calls, {}
        for setter, value in calls.items():
            self._set(setter, value)

    def _set(self, setter, value):
        # Nothing is to be set on a widget whose window is gone.
        if not sip.isdeleted(setter.__self__):
            setter(value)


# A general block: a sync block would take as much from every input, and an estimator that has
# more to say than another would stop the flowgraph.
class display_sink(gr.basic_block):
    """Base of the displays.

    name: of the block. view_class: see the module. names, num_points, limits_deg, north, title,
    theme: see ``display_settings``; parent: of the widget.

    Message ports "bearings", "bearings1" ... and stream inputs k = 0, 1 ... of num_points floats
    belong to names[k]; inputs are optional, there are none when num_points is 0. Message port
    "calibration" takes what bearing.diffmusic says, for the words.

    Raises ValueError saying which argument is wrong, and RuntimeError without a QApplication or
    outside the GUI thread.
    """

    def __init__(
        self, name, view_class, names, num_points, limits_deg, north, title, theme, parent, **more
    ):
        settings = display_settings(names, num_points, limits_deg, north, title, theme)
        application = QtWidgets.QApplication.instance()
        if not isinstance(application, QtWidgets.QApplication):
            raise RuntimeError(
                f"{name} needs a QApplication, which must be made first: "
                "PyQt5.QtWidgets.QApplication([])"
            )
        if application.thread() != QtCore.QThread.currentThread():
            raise RuntimeError(f"{name} must be made in the thread of the QApplication")
        count = len(settings.names)
        inputs = None
        if settings.num_points:
            inputs = gr.py_io_signature(0, count, [(np.float32, settings.num_points)])
        super().__init__(name=name, in_sig=inputs, out_sig=None)
        self._mailbox = _mailbox()
        self._feed = display_feed(count, self._notify)
        self._view = view_class(self._feed, settings, parent=parent, **more)
        self._mailbox.data_wait.connect(self._view.data_wait, QtCore.Qt.QueuedConnection)
        for port in range(count):
            self._add_bearings(port)
        self._add_port("calibration", self._feed.put_calibration)

    def _add_bearings(self, port):
        put = self._feed.put_message
        self._add_port(
            "bearings" + (str(port) if port else ""), lambda message: put(port, message)
        )

    def _add_port(self, port, put):
        def handle(message):
            put(message)

        # The gateway looks a handler up by its name.
        handle.__name__ = f"_handle_{port}"
        setattr(self, handle.__name__, handle)
        name = pmt.intern(port)
        self.message_port_register_in(name)
        self.set_msg_handler(name, handle)

    def _notify(self):
        try:
            self._mailbox.data_wait.emit()
        except RuntimeError:
            # Qt has ended before the flowgraph.
            pass

    def _on_gui(self, setter, value):
        """Calls a method of the view: now, or later when this is not the GUI thread."""
        self._mailbox.call(setter, value)

    @property
    def widget(self):
        """The QWidget to be placed in a window."""
        return self._view

    @property
    def text(self):
        """The bearings in words, a line per estimator, as the display shows them."""
        return self._view.text

    @property
    def counters(self):
        """``display_counters``: what came, what was understood, and how often it was shown."""
        return self._view.counters

    def set_names(self, names):
        """New labels, as many as before."""
        names = checked_names(names)
        if len(names) != len(self._view.settings.names):
            count = len(self._view.settings.names)
            raise ValueError(f"names must be {count} labels, as many as ports, not {len(names)}")
        self._on_gui(self._view.set_names, names)

    def set_limits_deg(self, limits_deg):
        """Azimuths of the spectra: [first, last] in degrees, or [] for the full circle."""
        self._on_gui(self._view.set_limits_deg, checked_limits(limits_deg))

    def set_north(self, north):
        """ "array": 0 degrees is the array's +y axis; "true": it is true north."""
        self._on_gui(self._view.set_north, checked_choice("north", north, NORTHS))

    def set_title(self, title):
        """The heading above the words; "" for none."""
        self._on_gui(self._view.set_title, str(title))

    def set_theme(self, theme):
        """ "auto" (as the surroundings), "light" or "dark"."""
        self._on_gui(self._view.set_theme, checked_choice("theme", theme, THEMES))

    def forecast(self, noutput_items, ninputs):
        return [0] * ninputs

    def general_work(self, input_items, output_items):
        for port, items in enumerate(input_items):
            count = len(items)
            if not count:
                continue
            if self._feed.wants_spectrum(port):
                self._feed.put_spectrum(port, items[-1], self._seconds(port, count - 1))
            self.consume(port, count)
        return 0

    def _seconds(self, port, item):
        """The rx_time tag of an item of what is being worked on, or None."""
        for tag in self.get_tags_in_window(port, item, item + 1, _RX_TIME):
            told = stream_time.from_pmt(tag.value)
            if told is not None:
                return sum(told)
        return None

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Track: a block that shows bearings and spectra over time."""

from .display_sink import display_sink
from .track_view import checked_duration, track_view


class track_sink(display_sink):
    """Bearings over time with bands of two standard deviations, and a waterfall of spectra.

    names: labels of one to six estimators, each with a message port: "bearings", "bearings1" ...
    "bearings5". Under an empty label the methods in the messages are shown, each by itself.
    num_points: G, points of a spectrum. There are len(names) optional stream inputs of G floats
    in dB, input k for names[k]; the waterfall shows those of one, which the reader chooses. 0:
    none, and no waterfall. Connect them from the first one on: GNU Radio allows no gap.
    limits_deg: [first, last] azimuth of the spectra and of the scale in degrees, as the
    estimators have them: a span of 360 leaves the end out, any other has both ends. []: the full
    circle from 0.
    north: "array": 0 degrees is the array's +y axis. "true": it is true north; bearings and
    spectra are turned by the heading that the messages tell, and spectra wait until one does.
    duration_s: seconds before the newest that are shown, 1 to 86400.
    title: a heading for the words; "" for none.
    theme: "light", "dark", or "auto", which follows palette and style sheet of the application.
    parent: of the widget.

    A bearing is drawn at its rx_time, or else when it came; estimators must tell the time of one
    clock. A jump back in time clears the display. At most 2048 bearings per estimator are kept,
    spread evenly over the duration.

    What a bearing.diffmusic says to the message port "calibration" is put into words.

    Degrees are clockwise. ``widget`` is the QWidget, ``text`` says what it shows. Both, and the
    constructor, belong to the GUI thread; setters may be called from any. New limits, names, north
    and duration clear the display.

    Raises ValueError saying which argument is wrong, and RuntimeError without a QApplication.
    """

    def __init__(
        self,
        names=("",),
        num_points=0,
        limits_deg=(),
        north="array",
        duration_s=60.0,
        title="",
        theme="auto",
        parent=None,
    ):
        super().__init__(
            "track_sink",
            track_view,
            names,
            num_points,
            limits_deg,
            north,
            title,
            theme,
            parent,
            duration_s=checked_duration(duration_s),
        )

    def set_duration_s(self, duration_s):
        """Seconds that are shown, 1 to 86400; what was shown is forgotten."""
        self._on_gui(self.widget.set_duration_s, checked_duration(duration_s))

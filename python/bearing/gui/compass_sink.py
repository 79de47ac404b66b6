# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compass: a block that shows bearings on a dial."""

from .compass_view import compass_view
from .display_sink import display_sink


class compass_sink(display_sink):
    """Bearings on a dial, with wedges of two standard deviations and spectra around the rim.

    names: labels of one to six estimators, each with a message port: "bearings", "bearings1" ...
    "bearings5". Under an empty label the methods in the messages are shown, each by itself.
    num_points: G, points of a spectrum. There are len(names) optional stream inputs of G floats
    in dB, input k for names[k]; 0: none. Connect them from the first one on:
    GNU Radio allows no gap.
    limits_deg: [first, last] azimuth of the spectra in degrees, as the estimators have them: a
    span of 360 leaves the end out, any other has both ends. []: the full circle from 0.
    north: "array": 0 degrees, up, is the array's +y axis. "true": up is true north; all is turned
    by the heading that the messages tell, and spectra wait until one does.
    title: a heading for the words; "" for none.
    theme: "light", "dark", or "auto", which follows palette and style sheet of the application.
    parent: of the widget.

    What a bearing.diffmusic says to the message port "calibration" is put into words.

    Degrees are clockwise. ``widget`` is the QWidget, ``text`` says what it shows. Both, and the
    constructor, belong to the GUI thread; setters may be called from any.

    Raises ValueError saying which argument is wrong, and RuntimeError without a QApplication.
    """

    def __init__(
        self,
        names=("",),
        num_points=0,
        limits_deg=(),
        north="array",
        title="",
        theme="auto",
        parent=None,
    ):
        super().__init__(
            "compass_sink",
            compass_view,
            names,
            num_points,
            limits_deg,
            north,
            title,
            theme,
            parent,
        )

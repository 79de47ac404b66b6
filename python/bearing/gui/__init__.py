# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Qt displays of bearings: blocks that show what estimators find.

Nothing here is imported before ``bearing.compass_sink`` or ``bearing.track_sink`` is used, so
a receiver without a display needs no Qt.
"""

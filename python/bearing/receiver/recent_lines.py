# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest lines of the log, for who looks at the receiver from afar."""

import collections
import logging
import time

_MOST_LINES = 20
_LONGEST_LINE = 500


class recent_lines(logging.Handler):
    """lines: the newest, with time of day (UTC) and level, oldest first."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.lines = collections.deque(maxlen=_MOST_LINES)

    def emit(self, record):
        stamp = time.strftime("%H:%M:%S", time.gmtime(record.created))
        text = " ".join(record.getMessage().split())[:_LONGEST_LINE]
        self.lines.append(f"{stamp} {record.levelname.lower()}: {text}")

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of text to a descriptor, such as standard output."""

import os


class line_output:
    """Writes whole lines without a buffer, so that nothing is left to write at the end of the
    program when nobody reads."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self._is_torn = False

    def write(self, line):
        """Waits for whoever reads; raises OSError."""
        # What failed in the middle of a line does not take the next one with it.
        data = memoryview((("\n" if self._is_torn else "") + line).encode())
        total = len(data)
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
                self._is_torn = True
            self._is_torn = False
        except OSError:
            self._is_torn = self._is_torn or len(data) < total
            raise

    def close(self):
        """The descriptor is the program's."""

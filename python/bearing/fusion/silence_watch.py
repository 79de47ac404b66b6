# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has gone silent, and who is back."""

MAX_NAMES = 512


class silence_watch:
    """Tells every change between heard and silent once. Times are of a clock that never jumps."""

    def __init__(self, longest_s):
        self._longest_s = longest_s
        self._heard_s = {}
        self._silent = set()

    @property
    def silent(self):
        """Names of those who are, sorted."""
        return sorted(self._silent)

    def expect(self, name, now_s):
        """Waits for a name from now on; one beyond MAX_NAMES is passed over."""
        if len(self._heard_s) < MAX_NAMES:
            self._heard_s.setdefault(name, now_s)

    def forget(self, name):
        self._heard_s.pop(name, None)
        self._silent.discard(name)

    def hear(self, name, now_s):
        """Returns whether it had been silent."""
        self.expect(name, now_s)
        if name not in self._heard_s:
            return False
        self._heard_s[name] = now_s
        was_silent = name in self._silent
        self._silent.discard(name)
        return was_silent

    def newly_silent(self, now_s):
        """Names that have been silent for longest_s and were not before."""
        found = [
            name
            for name, heard_s in self._heard_s.items()
            if now_s - heard_s > self._longest_s and name not in self._silent
        ]
        self._silent.update(found)
        return sorted(found)

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which threads a flowgraph has, and which of them have ended."""

import collections
import os

_TASKS = "/proc/self/task"


class block_threads:
    """GNU Radio gives each block a thread with the block's name. Where a block throws, that thread
    ends and no other takes notice: the flowgraph stands still for ever. The system's list of
    threads shows it.

    Made before the flowgraph starts; started() once it has. Where the system has no such list,
    nothing is ever missing.
    """

    def __init__(self):
        self._before = set(_threads())
        self._started = collections.Counter()
        self._own = {}

    def started(self):
        """Takes all threads that are new and have a name of their own for the flowgraph's."""
        now = _threads()
        inherited = set(now[task] for task in self._before if task in now)
        self._own = {
            task: name
            for task, name in now.items()
            if task not in self._before and name not in inherited
        }
        self._started = collections.Counter(self._own.values())

    def missing(self):
        """Names of threads, cut to 15 characters, of which there are fewer than at the start.

        By name, because a block may start threads of its own, which have the block's name and
        may come and go."""
        now = collections.Counter(
            name for task, name in _threads().items() if task not in self._before
        )
        return sorted((self._started - now).elements())


def _threads():
    """{thread's number: name}"""
    found = {}
    try:
        tasks = os.listdir(_TASKS)
    except OSError:
        return found
    for task in tasks:
        try:
            with open(f"{_TASKS}/{task}/comm", encoding="ascii", errors="replace") as file:
                found[task] = file.read().strip()
        except OSError:
            continue  # it ended meanwhile
    return found

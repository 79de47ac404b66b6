# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending a flowgraph whose threads may hold on to something."""

import threading


def ends_within(top, seconds, owner):
    """Stops a gr.top_block; whether it ended in that time. If not it is left to a thread, with
    the owner of its blocks: GNU Radio does not keep those that are written in Python.
    """

    def end(_):
        top.stop()
        top.wait()

    ending = threading.Thread(
        target=end, args=(owner,), name="bearing-flowgraph-end", daemon=True
    )
    ending.start()
    ending.join(seconds)
    return not ending.is_alive()

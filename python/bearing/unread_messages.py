# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages that came when a block's thread had already been told to end."""


def unread_messages(block, port):
    """Takes what waits at a message port (a symbol) of a block whose thread reads no more, one by
    one: GNU Radio itself throws it away.
    """
    while not block.empty_p(port):
        yield block.delete_head_nowait(port)

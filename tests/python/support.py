# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several tests need: where things are, and how long a run may take."""

import contextlib
import os
import socket
import sys
import tempfile
import time
import unittest
from pathlib import Path

import pmt
from gnuradio import gr

from gnuradio.bearing.unread_messages import unread_messages

SOURCE_DIR = Path(os.environ.get("BEARING_SOURCE_DIR", Path(__file__).parents[2]))
BUILD_DIR = Path(os.environ.get("BEARING_BUILD_DIR", SOURCE_DIR / "build"))

# An address of this process alone, where a port stays free while nobody listens at it.
OWN_ADDRESS = "127.1.{}.{}".format(*divmod(os.getpid() % 65536, 256))

LAST_LINE = "nothing was printed after this"

# Long statistical versions: tests/run.sh --full
FULL = os.environ.get("BEARING_TEST_FULL") == "1"

# A loaded machine may need this long, in seconds, for what usually takes less than one.
PATIENCE = 60.0


def wait_for(condition, seconds=PATIENCE):
    """What condition() returns once it is true, or at the end of the patience."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.01)
    return value


def stored_messages(store, port="store"):
    """Messages that a message_debug has kept, and those that it had not read when the flowgraph
    ended: it is told the end of the blocks before it, and reads no more."""
    found = [store.get_message(k) for k in range(store.num_messages())]
    return found + list(unread_messages(store, pmt.intern(port)))


def reserved_port(test):
    """A port of 127.0.0.1 that nobody else is given before the test is over. Nobody listens there
    until a server does that may reuse addresses, as most do."""
    holder = socket.socket()
    test.addCleanup(holder.close)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    return holder.getsockname()[1]


def python_calls(action):
    """Names of the functions in Python that this thread calls during action(), but for that."""
    names = []

    def note(frame, event, _):
        if event == "call" and frame.f_code is not action.__code__:
            names.append(frame.f_code.co_qualname)

    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return names


@contextlib.contextmanager
def printed_lines():
    """Collects what comes to stdout, GNU Radio's log among it; filled when the block ends."""
    lines = []
    stdout = os.dup(1)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        try:
            yield lines
        finally:
            # The log may have a thread of its own, which prints in order: what came before this
            # has been printed with it.
            gr.logger("printed_lines").warn(LAST_LINE)
            deadline = time.monotonic() + PATIENCE
            text = ""
            while LAST_LINE not in text and time.monotonic() < deadline:
                time.sleep(0.01)
                # Not read(), which would move the place where others write.
                size = os.fstat(file.fileno()).st_size
                text = os.pread(file.fileno(), size, 0).decode()
            os.dup2(stdout, 1)
            os.close(stdout)
            lines.extend(line for line in text.splitlines() if LAST_LINE not in line)


def reference_data(*parts):
    """Path of a file of the reference data; skips the test, saying so, where it is absent."""
    data = Path(os.environ.get("BEARING_TEST_DATA", SOURCE_DIR.parent / "shared"))
    path = data.joinpath(*parts)
    if not path.exists():
        raise unittest.SkipTest(f"no reference data at {path} (set BEARING_TEST_DATA)")
    return path

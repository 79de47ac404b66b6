# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several tests need: where things are, and how long a run may take."""

import contextlib
import os
import tempfile
import time
import unittest
from pathlib import Path

SOURCE_DIR = Path(os.environ.get("BEARING_SOURCE_DIR", Path(__file__).parents[2]))
BUILD_DIR = Path(os.environ.get("BEARING_BUILD_DIR", SOURCE_DIR / "build"))

# Long statistical versions: tests/run.sh --full
FULL = os.environ.get("BEARING_TEST_FULL") == "1"


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
            # The log may have a thread of its own.
            time.sleep(0.05)
            os.dup2(stdout, 1)
            os.close(stdout)
            file.seek(0)
            lines.extend(file.read().decode().splitlines())


def reference_data(*parts):
    """Path of a file of the reference data; skips the test, saying so, where it is absent."""
    data = Path(os.environ.get("BEARING_TEST_DATA", SOURCE_DIR.parent / "shared"))
    path = data.joinpath(*parts)
    if not path.exists():
        raise unittest.SkipTest(f"no reference data at {path} (set BEARING_TEST_DATA)")
    return path

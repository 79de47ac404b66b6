# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that lines are added to, which is put aside when it has become large."""

import contextlib
import errno
import os
import select
import stat
import time

_WRITE_DEADLINE_S = 0.5
# Between attempts to put a file aside.
_ROTATE_AGAIN_S = 10.0


class append_file:
    """Adds text to the end of a file; opens it again when it was moved or deleted.

    Nothing blocks: a named pipe that nobody reads, or reads too slowly, is an OSError like a full
    disk. What an OSError left unwritten is written by the next call with the same text, so lines
    stay whole. A file that cannot be put aside grows on, and that is tried again later: ``warning``
    says why, None when all is well, and ``errors`` counts the attempts.

    path: of the file; its folder must be there when something is written.
    rotate_mb: size in millions of bytes from which on the file becomes path.1, path.1 becomes
    path.2 and so on; 0: never.
    keep: how many of those are kept.
    header: text that a new file begins with.
    """

    retries = True
    is_one_text = True

    def __init__(self, path, rotate_mb=10.0, keep=5, header=""):
        self.name = os.fspath(path)
        self._limit = int(rotate_mb * 1e6)
        self._keep = keep
        self._header = header.encode()
        self._descriptor = None
        self._is_regular = True
        self._text = None
        self._left = b""
        self.warning = None
        self.errors = 0
        self._rotate_at = 0.0

    def write(self, text, channel=None):
        """Adds it whole. Raises OSError; then the same text must come again."""
        data = text.encode()
        if self._descriptor is not None and self._has_moved():
            self.close()
        if self._text != text or self._descriptor is None:
            self._text, self._left = text, data
        if self._descriptor is None:
            self._open()
        elif self._limit and self._left is data and self._is_regular:
            if os.fstat(self._descriptor).st_size + len(data) > self._limit:
                if self._put_aside():
                    self.close()
                    self._open()
        try:
            self._write_left()
        except OSError as error:
            # What a pipe has taken is gone with its reader; a file keeps it.
            is_pipe_cut = not self._is_regular and not isinstance(error, BlockingIOError)
            if is_pipe_cut or len(self._left) == len(data):
                self.close()
            raise
        self._text = None

    def close(self):
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self):
        # Without O_NONBLOCK a pipe that nobody reads would hold the thread for ever.
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
        if os.path.exists(self.name) and not os.path.isfile(self.name):
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self.name, flags, 0o644)
        self._descriptor = descriptor
        status = os.fstat(descriptor)
        self._is_regular = stat.S_ISREG(status.st_mode)
        start = b""
        if self._is_regular and status.st_size:
            # A line that was cut short, by a full disk and the end of a program, stays alone.
            if os.pread(descriptor, 1, status.st_size - 1) != b"\n":
                start = b"\n"
            if self._limit and status.st_size + len(self._left) > self._limit:
                if self._put_aside():
                    self.close()
                    self._open()
                    return
        else:
            start = self._header
        self._left = start + self._left

    def _put_aside(self):
        """Whether the file has another name now."""
        now = time.monotonic()
        if now < self._rotate_at:
            return False
        try:
            if self._keep == 0:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.name)
            for number in range(self._keep, 0, -1):
                source = f"{self.name}.{number - 1}" if number > 1 else self.name
                with contextlib.suppress(FileNotFoundError):
                    os.replace(source, f"{self.name}.{number}")
        except OSError as error:
            # There may be room for long: better a large file than none.
            self._rotate_at = now + _ROTATE_AGAIN_S
            self.errors += 1
            self.warning = f"it is too large and cannot be put aside: {error.strerror}"
            return False
        self.warning = None
        return True

    def _has_moved(self):
        try:
            there = os.stat(self.name)
        except OSError:
            return True
        here = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)

    def _write_left(self):
        while self._left:
            try:
                count = os.write(self._descriptor, self._left)
            except BlockingIOError:
                if not select.select([], [self._descriptor], [], _WRITE_DEADLINE_S)[1]:
                    raise BlockingIOError(
                        errno.EAGAIN, "nobody takes what is written", self.name
                    ) from None
                continue
            self._left = self._left[count:]

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear whole or not at all."""

import contextlib
import errno
import itertools
import os
from pathlib import Path

_count = itertools.count()


@contextlib.contextmanager
def whole_files(*paths):
    """Binary files, opened to write, that get their names when the body ends well.

    Until then they have others in the same folders, and they vanish when the body raises. What
    had the names before is replaced only then: readers find the old file or the new.

    An OSError, of the body too, names one of the paths: the first where it may be any.
    """
    paths = [Path(path) for path in paths]
    files = []
    try:
        for path in paths:
            with _named(path):
                files.append(_open_beside(path))
        with _named(paths[0]):
            yield files
        for path, file in zip(paths, files):
            with _named(path):
                file.flush()
                os.fsync(file.fileno())
                file.close()
        # Never an old file beside a new one.
        for path in paths[:0:-1]:
            with contextlib.suppress(FileNotFoundError), _named(path):
                path.unlink()
        for path, file in zip(paths, files):
            with _named(path):
                os.replace(file.name, path)
        for folder in {path.parent for path in paths}:
            with _named(folder):
                _sync_folder(folder)
    finally:
        for file in files:
            with contextlib.suppress(OSError):
                file.close()
            with contextlib.suppress(OSError):
                os.unlink(file.name)


@contextlib.contextmanager
def _named(path):
    try:
        yield
    except OSError as error:
        code, text = error.errno or errno.EIO, error.strerror or str(error)
        raise OSError(code, text, os.fspath(path)) from error


def _open_beside(path):
    """A new file of another name in the same folder. Not a private one, as tempfile makes them:
    it becomes one for every reader that the umask allows."""
    while True:
        try:
            return open(path.with_name(f".{path.name}.{os.getpid()}-{next(_count)}.part"), "xb")
        except FileExistsError:
            continue


def _sync_folder(folder):
    """New names outlive a power cut only once their folder is on the disk."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return  # it may be written to, but not read
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

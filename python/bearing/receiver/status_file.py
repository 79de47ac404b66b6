# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running receiver says of itself, in a file that another program reads."""

import contextlib
import fcntl
import json
import os
import time
from pathlib import Path

from .plain_values import plain

FILE_NAME = "status.json"
_LOCK_NAME = "lock"
_BESIDE = "status.new"
OWN_FILES = (FILE_NAME, _BESIDE, _LOCK_NAME)
_LARGEST_BYTES = 4 << 20
_ATTEMPTS, _PAUSE = 5, 0.2


class state_folder_in_use(Exception):
    """Another receiver keeps its state in the same folder."""


@contextlib.contextmanager
def only_one(folder):
    """Holds the folder for this process; raises state_folder_in_use."""
    descriptor = os.open(Path(folder, _LOCK_NAME), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        for attempt in range(_ATTEMPTS):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # Perhaps somebody only asks whether it is in use.
                if attempt == _ATTEMPTS - 1:
                    raise state_folder_in_use(
                        f"{folder}: another receiver keeps its state there; each needs a state_folder "
                        "of its own"
                    ) from None
                time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)  # and the lock is gone, as after any end of the process


def is_in_use(folder):
    """Whether a receiver runs with that folder; raises OSError when that cannot be told."""
    try:
        descriptor = os.open(Path(folder, _LOCK_NAME), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)


def write_status(folder, status):
    """Replaces the file as a whole: who reads it finds the old one or the new one.

    Raises OSError.
    """
    path = Path(folder, FILE_NAME)
    beside = path.with_name(_BESIDE)
    try:
        # Not synchronised with the disk: it is of use only while the receiver runs.
        beside.write_text(json.dumps(plain(status), allow_nan=False), encoding="utf-8")
        os.replace(beside, path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def read_status(folder):
    """The dict that was written last, or None; raises OSError, or ValueError for anything else."""
    try:
        with open(Path(folder, FILE_NAME), "rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except FileNotFoundError:
        return None
    if len(content) > _LARGEST_BYTES:
        raise ValueError(f"{FILE_NAME} is larger than {_LARGEST_BYTES} bytes")
    try:
        status = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{FILE_NAME} is no JSON: {error}") from error
    if not isinstance(status, dict):
        raise ValueError(f"{FILE_NAME} holds no object")
    return status

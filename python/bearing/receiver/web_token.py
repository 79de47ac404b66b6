# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secret that whoever changes the receiver over the web must know."""

import collections
import hmac
import os
import re
import secrets
import stat
import tempfile
import time
from pathlib import Path

# 43 characters.
_RANDOM_BYTES = 32
_LONGEST_FILE = 1024
# What fits into an Authorization header and into the name of a websocket protocol.
_FORM = re.compile(r"[A-Za-z0-9._~-]{16,200}")


def token_from_file(path):
    """The token in a file; the file is made, readable by its owner only, where there is none.

    Raises ValueError for a file that others can read, that is someone else's or that holds no
    token, OSError for what the system refuses.
    """
    path = Path(path)
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    try:
        _make(path, secrets.token_urlsafe(_RANDOM_BYTES))
    except FileExistsError:
        pass  # another receiver was faster
    return _read(path)


def _read(path):
    # A pipe must not make the receiver wait for whoever writes it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"token_file {path} is not a file")
        if status.st_mode & 0o077:
            mode = stat.S_IMODE(status.st_mode)
            raise ValueError(
                f"token_file {path} has mode {mode:04o}; others must not read it: chmod 600"
            )
        # Whoever owns it could have written it, and knows what is in it.
        if status.st_uid not in (os.geteuid(), 0):
            raise ValueError(
                f"token_file {path} belongs to user {status.st_uid}; it must be the receiver's "
                f"own, user {os.geteuid()}, or root's: chown"
            )
        content = file.read(_LONGEST_FILE)
    token = content.decode("ascii", "replace").strip()
    if not _FORM.fullmatch(token):
        raise ValueError(
            f"token_file {path} holds no token: one line of 16 to 200 letters, digits and -._~ "
            "(a new one is made when the file is removed)"
        )
    return token


def _make(path, token):
    path.parent.mkdir(parents=True, exist_ok=True)
    # Under its own name only when complete: a file cut short by a power failure would stay.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:  # mkstemp gives mode 0600
            file.write(token + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(name, path)
        except FileExistsError:
            raise
        except OSError:
            # FAT has no links.
            _make_in_place(path, token)
    finally:
        os.unlink(name)


def _make_in_place(path, token):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(token + "\n")
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(path)
        raise


class token_check:
    """Whether requests bring the token, and how often an address may be wrong.

    The right token is taken whatever came before, so nobody locks out who has it. What protects
    the token is its length; the limit keeps guesses from filling the log.

    token: what they must bring; None refuses all.
    most_failures: wrong tokens from one address within ``period_s`` seconds, after which further
        ones are told to wait.
    clock: seconds; for tests.
    """

    # Addresses that are remembered; the one that failed longest ago goes first.
    MOST_ADDRESSES = 256

    def __init__(self, token, most_failures=10, period_s=60.0, clock=time.monotonic):
        self._token = None if token is None else token.encode("ascii")
        self._most_failures = most_failures
        self._period_s = period_s
        self._clock = clock
        self._failures = collections.OrderedDict()

    def is_right(self, offered):
        """Whether a text is the token."""
        given = offered.encode("utf-8", "surrogateescape")
        # Takes as long for a wrong first character as for a wrong last one.
        return self._token is not None and hmac.compare_digest(given, self._token)

    def failed(self, address):
        """Notes a wrong token from an address; 0.0, or the seconds that it has to wait as there
        were too many before."""
        times = self._failures.get(address, ())
        if len(times) == self._most_failures:
            wait = times[0] + self._period_s - self._clock()
            if wait > 0.0:
                return wait
        times = self._failures.setdefault(
            address, collections.deque(maxlen=self._most_failures)
        )
        times.append(self._clock())
        self._failures.move_to_end(address)
        if len(self._failures) > self.MOST_ADDRESSES:
            self._failures.popitem(last=False)
        return 0.0

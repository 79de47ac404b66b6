# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the receiver tells systemd: that it is ready, alive, reloading, stopping."""

import logging
import os
import socket
import time

_LOG = logging.getLogger(__name__)

_PATIENCE = 5.0  # seconds; systemd reads at once


class service_manager:
    """Sends to the socket that systemd named, and does nothing where there is none.

    watchdog_s: seconds between two signs of life that systemd waits for, or None.
    """

    def __init__(self):
        self._notify = None
        self._status = None
        self.watchdog_s = None
        if "NOTIFY_SOCKET" not in os.environ:
            return
        try:
            from systemd import daemon
        except ImportError:
            # Without any word systemd ends it as one that never became ready.
            _LOG.warning("systemd's Python module is missing (python3-systemd); told without it")
            self._notify = _notify
        else:
            self._notify = daemon.notify
        self.watchdog_s = _watchdog_s()

    def ready(self):
        self._send("READY=1")

    def reloading(self):
        # Newer versions of systemd compare it with the READY=1 that follows.
        self._send("RELOADING=1", None, f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self):
        self._send("STOPPING=1")

    def alive(self):
        if self.watchdog_s is not None:
            self._send("WATCHDOG=1")

    def status(self, text):
        """One line that ``systemctl status`` shows; sent when it changes."""
        if text != self._status:
            self._send(None, text)

    def _send(self, state=None, status=None, more=None):
        if self._notify is None:
            return
        lines = [line for line in (state, more) if line]
        if status is not None:
            self._status = status
            lines.append("STATUS=" + " ".join(status.split()))
        try:
            self._notify("\n".join(lines))
        except (OSError, ValueError) as error:
            _LOG.warning("systemd could not be told: %s", error)


def _notify(text):
    """One datagram to the socket that systemd named, as sd_notify(3) has it."""
    address = os.environ["NOTIFY_SOCKET"]
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending:
        sending.settimeout(_PATIENCE)
        sending.sendto(text.encode(), address)


def _watchdog_s():
    pid, microseconds = os.environ.get("WATCHDOG_PID"), os.environ.get("WATCHDOG_USEC")
    if pid not in (None, str(os.getpid())):
        return None  # meant for another process
    try:
        seconds = int(microseconds or 0) / 1e6
    except ValueError:
        return None
    return seconds if seconds > 0 else None

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that are posted to a web server."""

import functools
import http.client
import io
import time
import urllib.parse

_MOST_OF_ANSWER = 4096


class http_post:
    """Posts each text as the body of a request of its own.

    url: http or https, without user and password. timeout_s: for all of a post, and for connecting
    to each address of the host that is tried. Redirects are not followed.

    Raises ValueError naming url.
    """

    retries = False
    is_one_text = False

    def __init__(self, url, timeout_s=2.0, content_type="application/json"):
        self.name = url
        parts = split_url(url)
        self._make = {
            "http": http.client.HTTPConnection,
            "https": http.client.HTTPSConnection,
        }[parts.scheme]
        self._host, self._port = parts.hostname, parts.port
        self._path = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
        self._timeout_s = timeout_s
        self._headers = {"Content-Type": content_type, "Connection": "close"}

    def write(self, text):
        """Raises OSError, for answers other than 2xx too."""
        deadline = time.monotonic() + self._timeout_s
        connection = self._make(self._host, self._port, timeout=self._timeout_s)
        connection.response_class = functools.partial(_answer, deadline=deadline)
        try:
            connection.connect()
            connection.sock.settimeout(_left(deadline))
            connection.request("POST", self._path, text.encode(), self._headers)
            answer = connection.getresponse()
            answer.read(_MOST_OF_ANSWER)
        except http.client.HTTPException as error:
            raise ConnectionError(f"no HTTP answer: {type(error).__name__}") from error
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise ConnectionError(f"answered {answer.status} {answer.reason}"[:200])

    def close(self):
        """Nothing stays open between texts."""


def _left(deadline):
    """Seconds until then; TimeoutError when there are none."""
    left = deadline - time.monotonic()
    if left <= 0.0:
        raise TimeoutError("timed out")
    return left


class _answer(http.client.HTTPResponse):
    """An answer that must be there by a deadline. A socket's own timeout is for each wait: a server
    that sends a byte now and then would hold the writer for ever."""

    def __init__(self, sock, *arguments, deadline, **more):
        super().__init__(sock, *arguments, **more)
        self.fp = io.BufferedReader(_reader(sock, self.fp.detach(), deadline))


class _reader(io.RawIOBase):
    def __init__(self, sock, raw, deadline):
        self._socket, self._raw, self._deadline = sock, raw, deadline

    def readable(self):
        return True

    def readinto(self, buffer):
        self._socket.settimeout(_left(self._deadline))
        return self._raw.readinto(buffer)

    def close(self):
        self._raw.close()
        super().close()


def split_url(url):
    """The parts of a URL; ValueError says what it must be."""
    parts = urllib.parse.urlsplit(url)
    is_right = parts.scheme in ("http", "https") and parts.hostname and url.isprintable()
    # port raises ValueError itself for what is no number.
    if not is_right or parts.port == 0 or parts.username is not None or " " in url:
        raise ValueError(f"{url!r} must be an http or https URL without user and password")
    return parts

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection of the web server: what aiohttp would log at length is counted here."""

from aiohttp import web


class web_connection(web.RequestHandler):
    """The protocol of one connection.

    Bytes that are no HTTP are refused like everything else, and counted as ``bad_requests``:
    anybody who reaches the port can send them, so they leave no line in the log. A connection
    that brings no request within ``patience_s`` seconds is closed, and counted as
    ``silent_connections``.

    server: the runner's aiohttp.web.Server.
    loop: the event loop.
    counters: collections.Counter.
    silent: set that holds all connections that have not brought a request yet.
    refuse: refuse(status, sentence) makes the response of a refusal.
    patience_s: seconds.
    options: keyword arguments of aiohttp.web.RequestHandler.
    """

    def __init__(self, server, loop, counters, silent, refuse, patience_s, **options):
        super().__init__(server, loop=loop, **options)
        self._counters = counters
        self._silent = silent
        self._refuse = refuse
        self._silent.add(self)
        self._deadline = loop.call_later(patience_s, self._close_if_silent)

    def has_spoken(self):
        """A request has come."""
        self._silent.discard(self)
        self._deadline.cancel()

    def _close_if_silent(self):
        if self in self._silent:
            self._silent.discard(self)
            self._counters["silent_connections"] += 1
            self.force_close()

    # What aiohttp calls

    def connection_lost(self, exc):
        self.has_spoken()
        super().connection_lost(exc)

    def data_received(self, data):
        try:
            super().data_received(data)
        except ValueError:
            # An address such as http://[::1/ passes aiohttp's parser, and fails behind it.
            self._counters["bad_requests"] += 1
            self.force_close()

    def handle_error(self, request, status=500, exc=None, message=None):
        self.has_spoken()
        self._counters["bad_requests" if status < 500 else "failures"] += 1
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the answer is on its way already")
        sentence = "this is no HTTP" if status < 500 else "the receiver could not answer"
        response = self._refuse(status, sentence)
        response.force_close()
        return response

    def log_exception(self, *args, **kw):
        self._counters["failures"] += 1

    def log_debug(self, *args, **kw):
        pass

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The map of fixes over HTTP: it is read, nothing can be written."""

from ..receiver.web_origin import is_allowed_host, is_loopback
from .geojson import MEDIA_TYPE

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
# Bytes of a request's body, which no request here needs.
_LARGEST_BODY = 1024


def serving_address(text):
    """(host, port) of HOST:PORT; ValueError saying what is allowed."""
    host, colon, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ValueError(f"address is {text!r}; it must be HOST:PORT, as 127.0.0.1:8090")
    return host, int(port)


class fix_server:
    """Serves GET /fixes.geojson and /status.json, what the functions of those names return as
    bytes. No other site's page may read them: no CORS headers are sent, and on a loopback address
    requests by a name other than localhost are refused, with which a page of a stranger would get
    around that."""

    def __init__(self, host, port, fixes, status):
        self._host, self._port = host, port
        self._fixes, self._status = fixes, status
        self._runner = None

    async def start(self):
        """Returns the URL; raises OSError when the address cannot be had."""
        # Imported here: the program does without when it serves nothing.
        from aiohttp import web

        @web.middleware
        async def check_host(request, handler):
            host = request.headers.get("Host")
            if is_loopback(self._host) and not is_allowed_host(host, ()):
                raise web.HTTPForbidden(text="this server answers to localhost only\n")
            return await handler(request)

        async def get_fixes(_):
            return web.Response(body=self._fixes(), content_type=MEDIA_TYPE, headers=_HEADERS)

        async def get_status(_):
            return web.Response(
                body=self._status(), content_type="application/json", headers=_HEADERS
            )

        application = web.Application(middlewares=[check_host], client_max_size=_LARGEST_BODY)
        application.router.add_get("/fixes.geojson", get_fixes)
        application.router.add_get("/status.json", get_status)
        # Handlers for signals are the program's own business.
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        port = self._runner.addresses[0][1]
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{port}/fixes.geojson"

    async def stop(self):
        if self._runner is not None:
            await self._runner.cleanup()

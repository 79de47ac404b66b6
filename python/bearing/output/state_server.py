# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small web server for the newest bearing: it answers GET of a few fixed pages and nothing else.

Writers of one process share a server where they ask for the same address, as the KrakenSDR software
has DOA_value.html and doa.xml on port 8081.
"""

import contextlib
import http.server
import socket
import threading
import time
import weakref

from ..receiver.web_origin import is_allowed_host, is_loopback

# Connections at a time, and how long one may take as a whole.
_MOST_CONNECTIONS = 16
_DEADLINE_S = 5.0

# Weak, as are the pages of one: those that nobody holds any more free their address.
_servers = weakref.WeakValueDictionary()
_lock = threading.Lock()


def open_page(host, port, path, content_type):
    """A ``page`` at http://host:port/path; port 0: any free one, and a server of its own. The
    address is taken at once, and the page is served when it is started.

    Raises OSError when the address cannot be used, ValueError when the page is there already.
    """
    with _lock:
        server = _servers.get((host, port)) if port else None
        if server is None:
            server = _server(host, port)
            _servers[(host, port or server.server_address[1])] = server
        if path in server.pages:
            raise ValueError(f"serve is {host}:{port}, where {path} is served already")
        new = page(server, path, content_type)
        server.pages[path] = new
        return new


class page:
    """What a server answers to one path."""

    def __init__(self, server, path, content_type):
        self._server = server
        self._path = path
        self.content_type = content_type
        self.data = None
        host, port = server.server_address[:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}{path}"

    def start(self):
        self._server.start()

    def set_text(self, text):
        self.data = text.encode()

    def close(self):
        """The server ends with its last page."""
        with _lock:
            if self._server.pages.pop(self._path, None) is None or self._server.pages:
                return
            for address in [key for key, server in _servers.items() if server is self._server]:
                del _servers[address]
        self._server.end()


class _server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # Beyond the few of the base, clients that come together wait for seconds.
    request_queue_size = 64
    block_on_close = False

    def __init__(self, host, port):
        if ":" in host:
            self.address_family = socket.AF_INET6
        self.pages = weakref.WeakValueDictionary()
        # When to shut which connection.
        self._deadlines = {}
        self._free = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        super().__init__((host, port), _handler)
        # What ends on a loopback address has come from this computer, but whose page sent it?
        self.is_local_only = is_loopback(host)
        self._thread = None

    def start(self):
        with _lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self.serve_forever,
                    kwargs={"poll_interval": 0.1},
                    name="bearing_pages",
                    daemon=True,
                )
                self._thread.start()

    def server_bind(self):
        # Not that of the base, which asks the name service who this host is.
        socket_server_bind = super(http.server.HTTPServer, self).server_bind
        socket_server_bind()
        self.server_name, self.server_port = self.server_address[:2]

    def end(self):
        # Without a thread there is nothing to wait for.
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        self.server_close()

    def __del__(self):
        # Of one that never ran, whose pages nobody holds any more.
        self.socket.close()

    def service_actions(self):
        """Called at least every poll_interval."""
        now = time.monotonic()
        for request, deadline in list(self._deadlines.items()):
            if now > deadline:
                # It ends the thread's waiting, who then closes it.
                with contextlib.suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)

    def process_request(self, request, client_address):
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        self._deadlines[request] = time.monotonic() + _DEADLINE_S
        try:
            super().process_request(request, client_address)
        except Exception:
            self._forget(request)
            raise

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._forget(request)

    def _forget(self, request):
        self._deadlines.pop(request, None)
        self._free.release()

    def handle_error(self, request, client_address):
        """A client that went away is nobody's business."""


class _handler(http.server.BaseHTTPRequestHandler):
    timeout = _DEADLINE_S
    server_version = "gr-bearing"
    sys_version = ""

    def do_GET(self):
        self._answer(has_body=True)

    def do_HEAD(self):
        self._answer(has_body=False)

    def _answer(self, has_body):
        if self.server.is_local_only and not is_allowed_host(self.headers.get("Host"), ()):
            # A stranger's page, whose name suddenly leads to this computer.
            self._say(403, "text/plain", b"this server answers to localhost only\n", has_body)
            return
        # Looked up, never opened: there are no files behind it.
        found = self.server.pages.get(self.path.partition("?")[0])
        data = None if found is None else found.data
        if data is None:
            status, data = (404, b"no such page\n") if found is None else (503, b"no bearing yet\n")
            content_type = "text/plain"
        else:
            status, content_type = 200, found.content_type
        self._say(status, content_type, data, has_body)

    def _say(self, status, content_type, data, has_body):
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", f"{content_type}; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            if has_body:
                self.wfile.write(data)

    def log_message(self, *_):
        """Not a line for each request."""

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver's web page: what it shows, and who may change what."""

import asyncio
import collections
import json
import logging
import math
import threading
from pathlib import Path

import aiohttp
from aiohttp import web

from ..gui import words
from .plain_values import plain
from .web_commands import LONGEST_BODY, parse_command
from .web_connection import web_connection
from .web_feed import bearing_history, event_feed, watcher
from .web_origin import is_allowed_host, is_loopback, is_own_origin, is_own_site
from .web_questions import STATE_SPACING, no_answer, receiver_questions
from .web_token import token_check, token_from_file

_LOG = logging.getLogger(__name__)

# Everything that is served from the folder, and as what.
_FOLDER = Path(__file__).parent / "page"
_PAGE = "index.html"
_FILES = {
    "icon.svg": "image/svg+xml",
    "style.css": "text/css",
    "array_picture.js": "text/javascript",
    "chart.js": "text/javascript",
    "compass.js": "text/javascript",
    "controls.js": "text/javascript",
    "link.js": "text/javascript",
    "main.js": "text/javascript",
    "panels.js": "text/javascript",
    "spectrum.js": "text/javascript",
    "svg.js": "text/javascript",
    "track.js": "text/javascript",
    "words.js": "text/javascript",
}

# Nothing from elsewhere, nothing inline, in no one else's frame.
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # A new version of the receiver brings a new page.
    "Cache-Control": "no-store",
    "Server": "bearing-receiver",
}

_PROTOCOL = "bearing"
# A browser's websocket can send no header of its own.
_TOKEN_PROTOCOL = "token."

# Seconds.
_STATE_INTERVAL = 1.0
_HISTORY_INTERVAL = 0.5  # so long the text of the last bearings is given again
_KEEP_ALIVE = 30.0
_PATIENCE_REQUEST = 20.0  # for a request to arrive
_PATIENCE_CLIENT = 20.0  # for a watcher to take what is sent, and to answer a ping
_PATIENCE_GOODBYE = 1.0  # for a watcher to say good-bye too
_PATIENCE_STOP = 10.0

# Connections besides those of watchers; a browser opens six.
_MORE_CONNECTIONS = 48


class web_server:
    """Serves the receiver's page, what it shows and a few commands, in a thread of its own.

    receiver: has ``snapshot()``, ``subscribe(callback)``, ``unsubscribe(callback)`` and
        ``command(name, **arguments)``.
    web_config: address, port (0: a free one), token_file (None: nothing can be changed),
        read_token (whether reading needs the token too; listening beyond this machine it always
        does), allowed_hosts (names in addition to numbers and localhost) and max_clients.

    Raises ValueError or OSError for a token file that cannot be used.
    """

    def __init__(self, receiver, web_config):
        self._receiver = receiver
        self._config = web_config
        token_file = web_config.token_file
        token = None if token_file is None else token_from_file(token_file)
        self._tokens = token_check(token)
        self._has_token = token is not None
        self._must_read_with_token = bool(
            web_config.read_token or not is_loopback(web_config.address)
        )
        if self._must_read_with_token and not self._has_token:
            raise ValueError("token_file is missing; reading needs the token")
        self._files = {name: (_FOLDER / name).read_bytes() for name in (_PAGE, *_FILES)}
        self._thread = None
        self._loop = None
        self._port = None
        self._counters = collections.Counter()
        self._is_mistake_told = False

    @property
    def port(self):
        """The port that it listens on; None while it does not."""
        return self._port

    @property
    def url(self):
        """Where the page is, for a browser on this machine; None while it is not."""
        if self._port is None:
            return None
        host = self._config.address
        if host in ("0.0.0.0", "::"):
            host = "localhost"
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}/"

    def counters(self):
        """Requests, watchers and refusals so far, str -> int."""
        return dict(self._counters)

    def start(self):
        """Listens; raises OSError where that is not possible."""
        if self._thread is not None:
            raise RuntimeError("the web server runs already")
        started = threading.Event()
        failure = []
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(
            target=self._run, args=(started, failure), name="bearing-web", daemon=True
        )
        self._thread.start()
        started.wait()
        if failure:
            self._thread.join()
            self._thread = None
            raise failure[0]
        _LOG.info("web page at %s", self.url)

    def stop(self):
        """Says good-bye to all who watch, and ends the thread."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        try:
            self._loop.call_soon_threadsafe(self._stopping.set)
        except RuntimeError:
            pass  # ended by itself
        thread.join(_PATIENCE_STOP)
        if thread.is_alive():
            _LOG.warning("the web server's thread did not end within %g s", _PATIENCE_STOP)

    # In the thread

    def _run(self, started, failure):
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve(started))
        except Exception as error:  # told to whoever starts it, or logged
            if started.is_set():
                _LOG.exception("the web server ended")
            failure.append(error)
        finally:
            self._port = None
            self._loop.close()
            started.set()

    async def _serve(self, started):
        self._watchers = {}
        self._history = bearing_history()
        self._state_wanted = asyncio.Event()
        self._questions = receiver_questions(self._receiver, self._loop, self._counters)
        self._feed = event_feed(self._loop, self._pass_on)
        # New connections that have not brought a request yet.
        self._silent = set()
        # Channel, or None for all, -> when, and the text.
        self._history_texts = {}
        self._loop.set_exception_handler(self._note_mistake)

        # aiohttp refuses what is as long as its limit.
        application = web.Application(
            middlewares=[self._guard], client_max_size=LONGEST_BODY + 1
        )
        application.on_response_prepare.append(self._add_headers)
        application.add_routes([
            web.get("/", self._page),
            web.get("/static/{name}", self._static),
            web.get("/api/state", self._get_state),
            web.get("/api/bearings", self._get_bearings),
            web.get("/api/words", self._get_words),
            web.post("/api/command", self._post_command),
            web.get("/ws", self._watch),
        ])  # fmt: skip
        runner = web.AppRunner(application)
        await runner.setup()
        try:
            server = await self._loop.create_server(
                lambda: self._connection(runner.server), self._config.address, self._config.port
            )
            try:
                self._port = server.sockets[0].getsockname()[1]
                self._receiver.subscribe(self._feed.put)
                pushing = self._loop.create_task(self._push_states())
                started.set()
                await self._stopping.wait()
                pushing.cancel()
            finally:
                self._receiver.unsubscribe(self._feed.put)
                server.close()
        finally:
            await self._dismiss()
            await runner.server.shutdown(_PATIENCE_GOODBYE)
            await runner.cleanup()
            await _end_other_tasks()

    def _connection(self, server):
        """The protocol of a new connection; one too many is closed at once."""
        if len(server.connections) >= self._config.max_clients + _MORE_CONNECTIONS:
            self._counters["refused_connections"] += 1
            return _closes()
        return web_connection(
            server,
            self._loop,
            self._counters,
            self._silent,
            lambda status, sentence: _refused(status, sentence, _HEADERS),
            _PATIENCE_REQUEST,
            access_log=None,
            keepalive_timeout=_KEEP_ALIVE,
        )

    def _note_mistake(self, loop, context):
        """What no one else took care of in the loop: logged once, counted each time."""
        self._counters["failures"] += 1
        if not self._is_mistake_told:
            self._is_mistake_told = True
            error = context.get("exception")
            _LOG.error("in the web server: %s", context["message"], exc_info=error)

    async def _add_headers(self, request, response):
        response.headers.update(_HEADERS)

    async def _dismiss(self):
        """Closes all watchers' connections; those that do not take it are cut off."""
        goodbyes = [
            asyncio.wait_for(
                socket.close(code=aiohttp.WSCloseCode.GOING_AWAY, message=b"receiver stops"),
                _PATIENCE_GOODBYE,
            )
            for socket in self._watchers
        ]
        transports = [client.transport for client in self._watchers.values()]
        await asyncio.gather(*goodbyes, return_exceptions=True)
        for transport in transports:
            _abort(transport)

    # Who may ask

    @web.middleware
    async def _guard(self, request, handler):
        """Refuses strangers; every refusal is one sentence of JSON."""
        request.protocol.has_spoken()
        self._counters["requests"] += 1
        try:
            self._check_names(request)
            return await handler(request)
        except no_answer as error:
            return _refused(503, str(error))
        except web.HTTPException as refusal:
            if refusal.status < 400:
                raise
            reason = refusal.text or refusal.reason
            return _refused(refusal.status, reason, refusal.headers)
        except Exception as error:  # a mistake in this program, or in what it asks
            self._counters["failures"] += 1
            _LOG.error("%s %s failed: %r", request.method, request.path, error)
            return _refused(500, "the receiver could not answer; its log says why")

    def _check_names(self, request):
        hosts = request.headers.getall("Host", [])
        if len(hosts) != 1 or not is_allowed_host(hosts[0], self._config.allowed_hosts):
            self._counters["refused_hosts"] += 1
            raise web.HTTPForbidden(
                text="the receiver does not go by this host name; its configuration's "
                "web.allowed_hosts lists those it does"
            )
        origins = request.headers.getall("Origin", [])
        origin = origins[0] if origins else None
        if len(origins) > 1 or not is_own_origin(origin, hosts[0]):
            self._counters["refused_origins"] += 1
            raise web.HTTPForbidden(text="another site's page may not ask the receiver")
        # Links on other pages may lead to the page, which is the same for all.
        if request.path != "/" and not is_own_site(request.headers.get("Sec-Fetch-Site")):
            self._counters["refused_sites"] += 1
            raise web.HTTPForbidden(text="another site's page may not ask the receiver")

    def _check_reader(self, request):
        # A token that need not be there must still be right: so a page can try one.
        if self._must_read_with_token or _offered_token(request) is not None:
            self._check_token(request)

    def _check_token(self, request):
        if not self._has_token:
            raise web.HTTPForbidden(text="nothing can be changed: there is no token_file")
        challenge = {"WWW-Authenticate": "Bearer"}
        offered = _offered_token(request)
        if offered is None:
            self._counters["refused_tokens"] += 1
            raise web.HTTPUnauthorized(text="this needs the token", headers=challenge)
        if self._tokens.is_right(offered):
            return
        wait = self._tokens.failed(request.remote)
        if wait > 0.0:
            self._counters["refused_too_many"] += 1
            raise web.HTTPTooManyRequests(
                text="the token is wrong, and too many were; wait a minute",
                headers={"Retry-After": str(math.ceil(wait))},
            )
        self._counters["refused_tokens"] += 1
        _LOG.warning("wrong token from %s", request.remote)
        raise web.HTTPUnauthorized(text="the token is wrong", headers=challenge)

    # What they get

    async def _page(self, request):
        return web.Response(body=self._files[_PAGE], content_type="text/html", charset="utf-8")

    async def _static(self, request):
        # A name in a table, never part of a path.
        name = request.match_info["name"]
        if name not in _FILES:
            raise web.HTTPNotFound(text="there is no such file")
        return web.Response(body=self._files[name], content_type=_FILES[name], charset="utf-8")

    async def _get_words(self, request):
        return web.json_response(
            {"status": words.STATUS_SENTENCES, "most_bearings": words.MOST_BEARINGS}
        )

    async def _get_state(self, request):
        self._check_reader(request)
        return web.Response(
            text=_json(await self._ask_state()), content_type="application/json"
        )

    async def _get_bearings(self, request):
        self._check_reader(request)
        channel = request.query.get("channel")
        return web.Response(text=self._history_text(channel), content_type="application/json")

    def _history_text(self, channel):
        """JSON of the last bearings. It is long: many who ask at once get the same."""
        now = self._loop.time()
        when, text = self._history_texts.get(channel, (-math.inf, ""))
        if now - when >= _HISTORY_INTERVAL:
            text = _json({"bearings": self._history.bearings(now, channel)})
            # Anybody can ask for names of channels that are none.
            if channel is None or self._history.has(channel):
                self._history_texts[channel] = now, text
        return text

    async def _post_command(self, request):
        self._check_token(request)
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="the body must be application/json")
        # One that says its length need not be read.
        if (request.content_length or 0) > LONGEST_BODY:
            raise _too_long()
        try:
            body = await asyncio.wait_for(request.read(), _PATIENCE_REQUEST)
        except asyncio.TimeoutError as error:
            raise web.HTTPRequestTimeout(text="the body did not come") from error
        except web.HTTPRequestEntityTooLarge as error:
            raise _too_long() from error
        try:
            name, arguments = parse_command(body)
            await self._questions.tell(name, arguments)
        except ValueError as error:
            self._counters["bad_commands"] += 1
            raise web.HTTPBadRequest(text=words.short(str(error), 300)) from error
        self._counters["commands"] += 1
        said = ", ".join(f"{key} {value}" for key, value in arguments.items())
        _LOG.info("%s from %s: %s", name, request.remote, words.short(said, 200))
        self._state_wanted.set()
        return web.json_response({"done": name})

    async def _watch(self, request):
        """Bearings, spectra and state as they come; what a client says ends the connection."""
        self._check_reader(request)
        if len(self._watchers) >= self._config.max_clients:
            self._counters["refused_watchers"] += 1
            raise web.HTTPServiceUnavailable(text="too many are watching")
        socket = web.WebSocketResponse(
            heartbeat=_PATIENCE_CLIENT,
            protocols=(_PROTOCOL,),
            max_msg_size=1024,
            compress=False,
        )
        if not socket.can_prepare(request):
            raise web.HTTPBadRequest(text="this address speaks websocket")
        # Taken before anything is awaited, or more could slip in.
        client = self._watchers[socket] = watcher(request.transport)
        sender = None
        try:
            await socket.prepare(request)
            self._counters["watchers"] += 1
            self._state_wanted.set()
            sender = self._loop.create_task(self._send(socket, client))
            async for _ in socket:
                await socket.close(
                    code=aiohttp.WSCloseCode.POLICY_VIOLATION, message=b"nothing is taken here"
                )
        except ConnectionError:
            pass  # gone without a word
        finally:
            del self._watchers[socket]
            self._counters["lost_by_slow_watchers"] += client.lost
            # It took nothing, or did not answer a ping.
            if client.is_stuck or isinstance(socket.exception(), asyncio.TimeoutError):
                self._counters["stuck_watchers"] += 1
            if sender is not None:
                sender.cancel()
        return socket

    async def _send(self, socket, client):
        told = 0
        try:
            while True:
                text = await client.get()
                await asyncio.wait_for(socket.send_str(text), _PATIENCE_CLIENT)
                if client.lost != told:
                    told = client.lost
                    client.put(_json({"kind": "lost", "payload": told}))
        except (asyncio.TimeoutError, ConnectionError) as error:
            client.is_stuck = isinstance(error, asyncio.TimeoutError)
            # Also of one that is closing, which would wait for what it does not take.
            _abort(client.transport)

    # The receiver

    def _pass_on(self, events):
        now = self._loop.time()
        for kind, payload in events:
            if kind == "state":
                self._state_wanted.set()
                continue
            if kind not in ("bearing", "spectrum"):
                continue
            try:
                text = _json({"kind": kind, "payload": payload})
                if kind == "bearing":
                    self._history.add(payload, now)
            except (TypeError, ValueError, LookupError) as error:
                self._counters["bad_events"] += 1
                if self._counters["bad_events"] == 1:
                    _LOG.error("a %s cannot be shown: %s", kind, error)
                continue
            self._send_to_all(text)

    def _send_to_all(self, text):
        for client in self._watchers.values():
            client.put(text)

    async def _push_states(self):
        while True:
            if self._watchers:
                try:
                    state = await self._ask_state()
                    self._send_to_all(_json({"kind": "state", "payload": state}))
                except (no_answer, TypeError, ValueError):
                    pass  # counted; the page sees that nothing comes
            self._state_wanted.clear()
            await asyncio.sleep(STATE_SPACING)
            try:
                await asyncio.wait_for(
                    self._state_wanted.wait(), _STATE_INTERVAL - STATE_SPACING
                )
            except asyncio.TimeoutError:
                pass

    async def _ask_state(self):
        """What the page is told: the receiver's state and this server's."""
        state = dict(await self._questions.state())
        state["web"] = dict(
            self._counters, watching=len(self._watchers), lost_events=self._feed.lost
        )
        state["can_change"] = self._has_token
        return state


class _closes(asyncio.Protocol):
    def connection_made(self, transport):
        transport.abort()


async def _end_other_tasks():
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _abort(transport):
    if transport is not None:
        transport.abort()


def _offered_token(request):
    """The token that a request brings, or None."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    if request.path == "/ws":
        for protocol in request.headers.get("Sec-WebSocket-Protocol", "").split(","):
            if protocol.strip().startswith(_TOKEN_PROTOCOL):
                return protocol.strip()[len(_TOKEN_PROTOCOL) :]
    return None


def _refused(status, sentence, headers=()):
    response = web.json_response({"error": sentence}, status=status)
    for name in ("Allow", "Retry-After", "WWW-Authenticate", *_HEADERS):
        if name in headers:
            response.headers[name] = headers[name]
    return response


def _too_long():
    return web.HTTPRequestEntityTooLarge(
        max_size=LONGEST_BODY,
        actual_size=LONGEST_BODY + 1,
        text=f"the body must not be longer than {LONGEST_BODY} bytes",
    )


def _json(value):
    """JSON, in which what is not finite is null."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(plain(value), allow_nan=False, separators=(",", ":"))

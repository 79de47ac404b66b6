#!/usr/bin/env python3
# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver's web server: who may read and who may change what, and that nobody can make it
wait, grow or end."""

import asyncio
import hmac
import http.client
import json
import logging
import math
import os
import re
import socket
import stat
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

import aiohttp

from gnuradio.bearing import colours
from gnuradio.bearing.gui import words
from gnuradio.bearing.receiver import radios, web, web_origin, web_token
from gnuradio.bearing.receiver.config import load_config
from gnuradio.bearing.receiver.config_types import web_config
from gnuradio.bearing.receiver.receiver import receiver
from gnuradio.bearing.receiver.web import web_server
from gnuradio.bearing.receiver.web_commands import LONGEST_BODY, parse_command
from gnuradio.bearing.receiver.web_feed import MOST_WAITING, bearing_history, event_feed

from pretend_receiver import pretend_receiver
from support import PATIENCE, SOURCE_DIR, wait_for

PAGE = SOURCE_DIR / "python" / "bearing" / "receiver" / "page"

RETUNE = {"command": "retune", "frequency_hz": 434.5e6}


class served(unittest.TestCase):
    """A server of a pretended receiver on a port of its own."""

    options = {}

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bearing-web-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.token_file = self.folder / "token"
        self.receiver = pretend_receiver()
        # Refusals are logged; the tests provoke many.
        logging.getLogger("gnuradio.bearing.receiver").setLevel(logging.CRITICAL)
        self.server = self.new_server()
        self.server.start()
        self.addCleanup(self.server.stop)
        self.port = self.server.port
        self.host = f"127.0.0.1:{self.port}"
        self.token = self.token_file.read_text().strip()

    def new_server(self, **options):
        options = {
            "enabled": True, "port": 0, "token_file": self.token_file, **self.options, **options
        }  # fmt: skip
        return web_server(self.receiver, web_config(**options))

    def ask(self, path, method="GET", body=None, token=None, **headers):
        """(status, headers, bytes) of one request; headers with _ for -; None leaves one out."""
        headers = {"Host": self.host, **{k.replace("_", "-"): v for k, v in headers.items()}}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            # As it is: neither the path is tidied up nor a header added.
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                if value is not None:
                    connection.putheader(name, value)
            if body is not None and "Content-Length" not in headers:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def post(self, body, token=None, **headers):
        """(status, answer) of a command; body bytes or what becomes JSON."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Content_Type": "application/json", **headers}
        status, _, answer = self.ask("/api/command", "POST", body, token, **headers)
        return status, json.loads(answer)

    def refused(self, status, body=RETUNE, **options):
        """A command is refused with that status, in a sentence, and not carried out."""
        before = list(self.receiver.commands)
        found, answer = self.post(body, **options)
        self.assertEqual(found, status, answer)
        self.assertEqual(self.receiver.commands, before)
        self.assertGreater(len(answer["error"]), 5)
        return answer["error"]

    def json_of(self, path, **options):
        status, _, body = self.ask(path, **options)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def in_loop(self, coroutine):
        return asyncio.run(asyncio.wait_for(coroutine, PATIENCE))


class qa_web(served):
    # What it shows

    def test_the_page_and_all_it_needs_are_there_and_nothing_from_elsewhere(self):
        status, headers, body = self.ask("/")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        texts = {"/": body.decode()}
        waiting = re.findall(r'(?:src|href)="([^"#]+)"', texts["/"])
        while waiting:
            name = waiting.pop()
            if name in texts:
                continue
            status, headers, body = self.ask(f"/{name}")
            self.assertEqual(status, 200, name)
            texts[name] = body.decode()
            kind = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
            self.assertIn(kind[name.rsplit(".")[-1]], headers["Content-Type"])
            waiting += [f"static/{m}" for m in re.findall(r'from "\./([^"]+)"', texts[name])]
        # No file in the folder that is not served, and none that is not used.
        self.assertEqual(
            {f"static/{path.name}" for path in PAGE.iterdir()} - {"static/index.html"},
            set(texts) - {"/"},
        )
        for name, text in texts.items():
            addresses = set(re.findall(r"(?:https?:|wss?:)?//[a-z][\w./]+", text))
            # The name of the language SVG, and comments.
            self.assertLessEqual(
                {a for a in addresses if "://" in a},
                {"http://www.w3.org/2000/svg"}, name,
            )
            for inline in (" style=", "<script>", " onclick", "innerHTML", "eval(", "Function("):
                self.assertNotIn(inline, text, name)

    def test_every_answer_forbids_other_sites_resources_and_frames(self):
        for path in ("/", "/static/main.js", "/api/state", "/api/nothing", "/api/words"):
            _, headers, _ = self.ask(path)
            policy = headers["Content-Security-Policy"]
            self.assertIn("default-src 'self';", policy)
            self.assertNotIn("unsafe", policy)
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["X-Frame-Options"], "DENY")
            self.assertIsNone(headers["Access-Control-Allow-Origin"])
            self.assertEqual(headers["Server"], "bearing-receiver")

    def test_state_bearings_and_words_are_those_of_the_receiver(self):
        state = self.json_of("/api/state")
        self.assertEqual(state["radio"]["frequency_hz"], 433.92e6)
        self.assertEqual(state["calibration"]["text"],
                         "shape calibrated, north unknown, recovered from 1 step change")
        self.assertEqual(self.json_of("/api/words")["status"], words.STATUS_SENTENCES)
        sent = self.receiver.bearing("beacon")
        self.receiver.put("bearing", sent)
        self.receiver.put("bearing", self.receiver.bearing("voice"))
        self.assertTrue(wait_for(
            lambda: len(self.json_of("/api/bearings")["bearings"]) == 2))
        found = self.json_of("/api/bearings?channel=beacon")["bearings"]
        age = found[0].pop("age_s")
        self.assertGreaterEqual(age, 0.0)
        self.assertEqual(found, [sent])

    def test_the_history_is_written_once_for_many_who_ask(self):
        with mock.patch.object(web, "_HISTORY_INTERVAL", 1e6):
            self.receiver.put("bearing", self.receiver.bearing("beacon"))
            self.assertTrue(wait_for(lambda: self.server._history.has("beacon")))
            with mock.patch.object(
                bearing_history, "bearings", autospec=True, side_effect=bearing_history.bearings
            ) as bearings:
                texts = {self.ask("/api/bearings")[2] for _ in range(20)}
                self.assertEqual((len(texts), bearings.call_count), (1, 1))
                # Not of every name that somebody thinks of.
                for k in range(20):
                    path = f"/api/bearings?channel={k}"
                    self.assertEqual(self.json_of(path), {"bearings": []})
                self.assertEqual(len(self.json_of("/api/bearings?channel=beacon")["bearings"]), 1)
            self.assertEqual(set(self.server._history_texts), {None, "beacon"})

    def test_what_is_not_finite_is_null(self):
        self.receiver.put("bearing", self.receiver.bearing("beacon", std_deg=math.nan))
        self.assertTrue(wait_for(lambda: self.json_of("/api/bearings")["bearings"]))
        self.assertEqual(self.json_of("/api/bearings")["bearings"][0]["std_deg"], [None])

    def test_colours_of_the_page_are_those_of_the_displays(self):
        text = (PAGE / "style.css").read_text()
        panels = re.findall(r"--panel: (#\w+);", text)
        self.assertEqual(len(panels), 2)
        found = re.findall(r"--series-(\d): (#\w+);", text)
        wanted = []
        for panel in panels:
            for k, colour in enumerate(colours.SERIES):
                rgb = colours.rgb(colours.readable(colour, panel))
                wanted.append((str(k), "#" + "".join(f"{round(255 * v):02x}" for v in rgb)))
        self.assertEqual([(k, colour.lower()) for k, colour in found], wanted)
        for name in ("text", "muted", "accent", "bad"):
            for colour, panel in zip(re.findall(rf"--{name}: (#\w+);", text), panels):
                contrast = colours.contrast(colour, panel)
                self.assertGreaterEqual(contrast, colours.TEXT_CONTRAST, name)

    # Paths

    def test_no_path_leads_out_of_the_table(self):
        paths = [
            "/static/../web.py", "/static/%2e%2e/web.py", "/static/..%2fweb.py",
            "/static/%2e%2e%2fweb_token.py", "/static/....//web.py", "/static/..%5cweb.py",
            "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/../../../../etc/passwd",
            "/static/index.html", "/static/", "/static/main.js/..", "/static/main.js%00.css",
            "/static/%c0%ae%c0%ae/web.py", "/token", "/static/__proto__", "//static/main.js",
        ]  # fmt: skip
        for path in paths:
            status, _, body = self.ask(path)
            self.assertIn(status, (400, 404), path)
            self.assertNotIn(b"SPDX", body)
            self.assertNotIn(b"root:", body)
            self.assertNotIn(self.token.encode(), body)

    def test_other_methods_are_refused(self):
        for method, path in (("POST", "/"), ("PUT", "/api/command"), ("DELETE", "/api/state"),
                             ("GET", "/api/command"), ("OPTIONS", "/api/command")):  # fmt: skip
            status, headers, _ = self.ask(path, method, token=self.token)
            self.assertEqual(status, 405, (method, path))
            self.assertIsNotNone(headers["Allow"])

    # Changing

    def test_commands_with_the_token_reach_the_receiver(self):
        commands = [
            RETUNE,
            {"command": "set_gain", "gain_db": [1, 2.5, 3, 4, 5]},
            {"command": "set_num_sources", "channel": "voice", "num_sources": 0},
        ]
        for command in commands:
            status, answer = self.post(command, token=self.token)
            self.assertEqual((status, answer), (200, {"done": command["command"]}))
        self.assertEqual(
            self.receiver.commands,
            [(c["command"], {k: v for k, v in c.items() if k != "command"}) for c in commands],
        )

    def test_what_the_receiver_refuses_is_told_in_its_words(self):
        said = self.refused(400, {"command": "retune", "frequency_hz": 1e6}, token=self.token)
        self.assertIn("24 MHz", said)

    def test_without_the_right_token_nothing_changes(self):
        self.refused(401)
        wrong = (
            "x", self.token[:-1], self.token + "x", self.token.swapcase(), "ä" * 43, " ",
            "a" * 4000,
        )  # fmt: skip
        for token in wrong:
            self.refused(401, token=token)
        for header in (self.token, f"Basic {self.token}", f"Bearer{self.token}", "Bearer", ""):
            self.refused(401, Authorization=header)
        # Neither where it would end in logs.
        status, _, _ = self.ask(f"/api/command?token={self.token}", "POST", b"{}",
                                Content_Type="application/json")
        self.assertEqual(status, 401)
        _, headers, _ = self.ask("/api/command", "POST", b"{}")
        self.assertEqual(headers["WWW-Authenticate"], "Bearer")

    def test_too_many_wrong_tokens_have_to_wait_and_lock_nobody_out(self):
        for _ in range(10):
            self.refused(401, token="wrong-but-long-enough")
        with self.assertNoLogs("gnuradio.bearing"):
            said = self.refused(429, token="wrong-but-long-enough")
        self.assertIn("token is wrong", said)
        _, headers, _ = self.ask("/api/command", "POST", b"{}", "wrong-but-long-enough")
        self.assertTrue(1 <= int(headers["Retry-After"]) <= 60)
        # Who has the token, or needs none, does not suffer.
        self.assertEqual(self.post(RETUNE, self.token)[0], 200)
        self.assertEqual(self.ask("/api/state", token=self.token)[0], 200)
        self.json_of("/api/state")
        self.refused(401)
        # Nor does that give whoever guesses more attempts.
        self.refused(429, token="wrong-but-long-enough")
        self.assertEqual(self.server.counters()["refused_too_many"], 3)
        self.assertEqual(self.server.counters()["refused_tokens"], 11)

    def test_other_sites_pages_change_nothing_even_with_the_token(self):
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{self.port + 1}",
                       f"http://localhost:{self.port}", f"ftp://{self.host}", "",
                       f"http://{self.host}.evil.example", f"http://{self.host}/"):  # fmt: skip
            self.refused(403, token=self.token, Origin=origin)
            status, _, _ = self.ask("/api/state", Origin=origin)
            self.assertEqual(status, 403, origin)
        # They did not count as wrong tokens, and the page's own do.
        for origin in (f"http://{self.host}", f"https://{self.host}"):
            self.assertEqual(self.post(RETUNE, self.token, Origin=origin)[0], 200)

    def test_other_sites_pages_cannot_even_make_it_work(self):
        # As for a picture or a script: without an Origin.
        for site in ("cross-site", "same-site", "x"):
            for path in ("/api/bearings", "/static/main.js", "/ws"):
                status, _, body = self.ask(path, Sec_Fetch_Site=site)
                self.assertEqual(status, 403, (site, path))
                self.assertIn(b"another site", body)
            # A link may lead here.
            self.assertEqual(self.ask("/", Sec_Fetch_Site=site)[0], 200)
        for site in ("same-origin", "none"):
            self.assertEqual(self.ask("/api/bearings", Sec_Fetch_Site=site)[0], 200)
        self.assertEqual(self.server.counters()["refused_sites"], 9)

    def test_names_that_a_name_server_could_lead_here_are_refused(self):
        for host in ("evil.example", f"evil.example:{self.port}", "127.0.0.1.evil.example",
                     "localhost.evil.example", "", "127.0.0.1:8080:8080", "[::1", "a b",
                     "127.0.0.1/", "user@127.0.0.1", "receiver"):  # fmt: skip
            status, _, body = self.ask("/api/state", Host=host)
            self.assertIn(status, (400, 403), host)
            self.assertNotIn(b"433", body)
            self.refused(403, token=self.token, Host=host)
        status, _, _ = self.ask("/api/state", Host=None)
        self.assertIn(status, (400, 403))
        for host in ("localhost", f"LOCALHOST:{self.port}", "127.0.0.1", "[::1]:80", "192.0.2.1"):
            self.assertEqual(self.ask("/api/state", Host=host)[0], 200, host)

    def test_only_json_is_a_command(self):
        body = json.dumps(RETUNE).encode()
        for kind in (None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                     "text/plain; application/json", "application/jsonx", ""):  # fmt: skip
            self.refused(415, body, token=self.token, Content_Type=kind)
        kind = "application/json; charset=utf-8"
        self.assertEqual(self.post(RETUNE, self.token, Content_Type=kind)[0], 200)

    def test_malformed_commands_are_refused(self):
        bad = [
            b"", b"{", b"[]", b"1", b'"retune"', b"null", b"{}", b"\xff\xfe", b"[" * 4000,
            b'{"a":' * 600, b'{"command": 1}', b'{"command": ["retune"]}',
            b'{"command": "stop"}', b'{"command": "__class__"}', b'{"command": "retune"}',
            b'{"command": "retune", "frequency_hz": "433e6"}',
            b'{"command": "retune", "frequency_hz": true}',
            b'{"command": "retune", "frequency_hz": null}',
            b'{"command": "retune", "frequency_hz": NaN}',
            b'{"command": "retune", "frequency_hz": Infinity}',
            b'{"command": "retune", "frequency_hz": 1e999}',
            b'{"command": "retune", "frequency_hz": 1' + b"0" * 3000 + b"}",
            b'{"command": "retune", "frequency_hz": 433e6, "self": 1}',
            b'{"command": "retune", "frequency_hz": 1, "frequency_hz": 433e6}',
            b'{"command": "retune", "frequency_hz": 5}',
            b'{"command": "retune", "frequency_hz": 1e-320}',
            b'{"command": "retune", "frequency_hz": -433e6}',
            b'{"command": "retune", "frequency_hz": 1e13}',
            b'{"command": "set_gain", "gain_db": 1e300}',
            b'{"command": "set_gain", "gain_db": -201}',
            b'{"command": "set_gain", "gain_db": [1, 2, 3, 4, 1e300]}',
            b'{"command": "set_gain", "gain_db": []}',
            b'{"command": "set_gain", "gain_db": 1e999}',
            b'{"command": "set_gain", "gain_db": [1, -1e999]}',
            b'{"command": "set_gain", "gain_db": [[1]]}',
            b'{"command": "set_num_sources", "channel": "beacon", "num_sources": 1.5}',
            b'{"command": "set_num_sources", "channel": "beacon", "num_sources": -1}',
            b'{"command": "set_num_sources", "channel": {}, "num_sources": 1}',
            b'{"command": "set_num_sources", "channel": "none", "num_sources": 1}',
        ]  # fmt: skip
        for body in bad:
            self.refused(400, body, token=self.token)

    def test_a_body_is_not_longer_than_it_may_be(self):
        command = json.dumps(RETUNE).encode()
        longest = command + b" " * (LONGEST_BODY - len(command))
        self.assertEqual(self.post(longest, self.token)[0], 200)
        self.refused(413, longest + b" ", token=self.token)
        # Nor one that does not say how long it is, nor one that only says so.
        chunked = b"1001\r\n" + b" " * 0x1001 + b"\r\n0\r\n\r\n"
        self.refused(413, chunked, token=self.token, Content_Length=None,
                     Transfer_Encoding="chunked")
        status, _, _ = self.ask("/api/command", "POST", token=self.token,
                                Content_Type="application/json", Content_Length="99999999999")
        self.assertEqual(status, 413)

    def test_a_body_that_does_not_come_is_not_waited_for(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as slow:
            # The request itself is waited for as long as ever.
            self.assertTrue(wait_for(lambda: self.server._silent))
            with mock.patch.object(web, "_PATIENCE_REQUEST", 0.2):
                slow.sendall(
                    f"POST /api/command HTTP/1.1\r\nHost: {self.host}\r\nContent-Length: 20\r\n"
                    "Content-Type: application/json\r\n"
                    f"Authorization: Bearer {self.token}\r\n\r\n{{"
                    .encode()
                )
                self.assertIn(b" 408 ", slow.recv(100))
        self.assertEqual(self.receiver.commands, [])

    # What is no HTTP

    def raw(self, data):
        """All that comes back for bytes, until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(data)
            answer = b""
            try:
                while block := connection.recv(65536):
                    answer += block
            except ConnectionResetError:
                pass
            return answer

    def test_what_is_no_http_is_refused_and_leaves_no_line_in_the_log(self):
        host = f"Host: {self.host}\r\n".encode()
        bad = [
            b"FOO\0 / HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + host + b"\r\n",
            b"GET / HTTP/1.1\r\n" + host + b"X: " + b"a" * 9000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + host + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        ]
        with self.assertNoLogs():
            for data in bad:
                answer = self.raw(data)
                head, _, body = answer.partition(b"\r\n\r\n")
                self.assertIn(b" 400 ", head.split(b"\r\n")[0], data[:30])
                for name, value in web._HEADERS.items():
                    self.assertIn(f"{name}: {value}".encode(), head)
                self.assertNotIn(b"aiohttp", answer)
                self.assertEqual(set(json.loads(body)), {"error"})
            # Passes as HTTP, but is no address; nobody can say what it asks.
            self.assertEqual(self.raw(b"GET http://[::1/ HTTP/1.1\r\n" + host + b"\r\n"), b"")
        self.assertEqual(self.server.counters()["bad_requests"], len(bad) + 1)
        self.assertTrue(wait_for(lambda: not self.server._silent))
        self.json_of("/api/state")

    def test_mistakes_in_the_server_are_logged_once(self):
        def fail():
            raise RuntimeError("a mistake")

        logging.getLogger("gnuradio.bearing.receiver").setLevel(logging.ERROR)
        with self.assertLogs("gnuradio.bearing", logging.ERROR) as log:
            for _ in range(3):
                self.server._loop.call_soon_threadsafe(fail)
            self.assertTrue(wait_for(lambda: self.server.counters().get("failures") == 3))
        self.assertEqual(len(log.records), 1)
        self.json_of("/api/state")

    def test_a_receiver_that_fails_or_hangs_takes_nothing_along(self):
        hang = threading.Event()
        self.addCleanup(hang.set)
        calls = []

        def command(name, **arguments):
            calls.append(name)
            if name == "retune":
                raise RuntimeError("secret detail")
            hang.wait(PATIENCE)

        self.receiver.command = command
        status, answer = self.post(RETUNE, self.token)
        self.assertEqual(status, 500)
        self.assertNotIn("secret", answer["error"])
        gain = {"command": "set_gain", "gain_db": 1}
        threads = [threading.Thread(target=self.post, args=(gain, self.token)) for _ in range(4)]
        for thread in threads:
            thread.start()
        self.assertTrue(wait_for(lambda: len(calls) == 5))
        status, answer = self.post(gain, self.token)
        self.assertEqual(status, 503)
        self.json_of("/api/state")
        hang.set()
        for thread in threads:
            thread.join(PATIENCE)
        self.assertEqual(len(calls), 5)
        self.receiver.snapshot = lambda: 1 / 0
        time.sleep(0.3)  # the last state is given for a quarter of a second
        self.assertEqual(self.ask("/api/state")[0], 503)

    # Watching

    async def watch(self, session, **options):
        options.setdefault("protocols", ("bearing",))
        return await session.ws_connect(f"http://{self.host}/ws", **options)

    def test_a_watcher_is_told_all_in_order(self):
        async def run():
            async with aiohttp.ClientSession() as session:
                socket_ = await self.watch(session)
                first = await socket_.receive_json()
                self.assertEqual(first["kind"], "state")
                for k in range(100):
                    self.receiver.put("bearing", self.receiver.bearing("beacon", angle_deg=k))
                self.receiver.put("spectrum", self.receiver.spectrum("beacon"))
                angles = []
                while True:
                    message = await socket_.receive_json()
                    if message["kind"] == "bearing":
                        angles += message["payload"]["angles_deg"]
                    if message["kind"] == "spectrum":
                        break
                self.assertEqual(angles, list(range(100)))
                # A state a second, without being asked for.
                while (await socket_.receive_json())["kind"] != "state":
                    pass
                await socket_.close()

        self.in_loop(run())
        self.assertTrue(wait_for(lambda: self.json_of("/api/state")["web"]["watching"] == 0))

    def test_a_watcher_is_told_how_many_it_lost(self):
        async def run():
            async with aiohttp.ClientSession() as session:
                socket_ = await self.watch(session)
                await socket_.receive_json()
                # Too many at once, before any can be sent.
                bearings = [self.receiver.bearing("beacon", angle_deg=k) for k in range(300)]
                self.server._loop.call_soon_threadsafe(
                    self.server._pass_on, [("bearing", bearing) for bearing in bearings]
                )
                angles = []
                while (message := await socket_.receive_json())["kind"] != "lost":
                    if message["kind"] == "bearing":
                        angles += message["payload"]["angles_deg"]
                # The oldest; a state may be among them, and one that gave way to the number.
                self.assertEqual(angles, list(range(300 - len(angles), 300)))
                self.assertLessEqual(len(angles), MOST_WAITING)
                self.assertAlmostEqual(message["payload"], 300 - len(angles), delta=2)
                await socket_.close()

        self.in_loop(run())
        self.assertTrue(wait_for(lambda: not self.server._watchers))
        lost = lambda: self.server.counters().get("lost_by_slow_watchers", 0)
        self.assertTrue(wait_for(lambda: lost() >= 300 - MOST_WAITING))

    def test_a_watcher_cannot_say_anything(self):
        async def run():
            async with aiohttp.ClientSession() as session:
                for text in (json.dumps(RETUNE), "x" * 100000):
                    socket_ = await self.watch(session)
                    await socket_.send_str(text)
                    while not (await socket_.receive()).type in (
                        aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED
                    ):
                        pass
                    self.assertIn(socket_.close_code, (1008, 1009))

        self.in_loop(run())
        self.assertEqual(self.receiver.commands, [])

    def test_other_sites_pages_cannot_watch(self):
        async def run():
            async with aiohttp.ClientSession() as session:
                for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"},
                                {"Host": "evil.example"}):  # fmt: skip
                    with self.assertRaises(aiohttp.WSServerHandshakeError) as refusal:
                        await self.watch(session, headers=headers)
                    self.assertEqual(refusal.exception.status, 403)
                socket_ = await self.watch(session, origin=f"http://{self.host}")
                await socket_.close()

        self.in_loop(run())

    def test_no_more_watch_than_may(self):
        async def run():
            async with aiohttp.ClientSession() as session:
                sockets = [await self.watch(session) for _ in range(16)]
                with self.assertRaises(aiohttp.WSServerHandshakeError) as refusal:
                    await self.watch(session)
                self.assertEqual(refusal.exception.status, 503)
                await sockets[0].close()
                for _ in range(1000):
                    try:
                        sockets[0] = await self.watch(session)
                        break
                    except aiohttp.WSServerHandshakeError:
                        await asyncio.sleep(0.02)
                for each in sockets:
                    self.assertFalse(each.closed)
                    await each.close()

        self.in_loop(run())

    def watch_without_reading(self):
        """What the server keeps for a watcher that never reads; None where it has been cut off."""
        stuck = socket.create_connection(("127.0.0.1", self.port))
        self.addCleanup(stuck.close)
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {self.host}\r\nConnection: Upgrade\r\nUpgrade: websocket"
            "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
            .encode()
        )
        self.assertTrue(wait_for(lambda: self.server.counters().get("watchers") == 1))
        return next(iter(list(self.server._watchers.values())), None)

    def test_a_watcher_that_takes_nothing_is_cut_off(self):
        with mock.patch.object(web, "_PATIENCE_CLIENT", 0.5):
            self.watch_without_reading()
            self.receiver.start(interval_s=0.001)
            self.addCleanup(self.receiver.stop)
            self.assertTrue(wait_for(lambda: not self.server._watchers))
        self.assertEqual(self.json_of("/api/state")["web"]["stuck_watchers"], 1)

    def test_a_watcher_that_does_not_read_loses_the_oldest_and_nobody_else_anything(self):
        client = self.watch_without_reading()
        # 30 kB each: the system's buffers hold some MB, and as many as wait here.
        pad = "x" * 30000

        async def run():
            async with aiohttp.ClientSession() as session:
                socket_ = await self.watch(session)
                k = 0
                while client.lost < 10 and k < 5000:
                    k += 1
                    bearing = dict(self.receiver.bearing("beacon", angle_deg=k), pad=pad)
                    self.receiver.put("bearing", bearing)
                    while True:
                        message = await socket_.receive_json()
                        if message["kind"] == "bearing":
                            break
                    self.assertEqual(message["payload"]["angles_deg"], [k])
                await socket_.close()

        self.in_loop(run())
        self.assertGreaterEqual(client.lost, 10)
        self.assertLessEqual(len(client._texts), MOST_WAITING)
        # The end does not wait for the one that is stuck.
        self.server.stop()
        self.assertTrue(wait_for(lambda: self.server.port is None))

    def test_connections_that_say_nothing_are_bounded(self):
        sockets = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(64)]
        for each in sockets:
            self.addCleanup(each.close)
        self.assertTrue(wait_for(
            lambda: len(self.server._silent) == 64))
        one_more = socket.create_connection(("127.0.0.1", self.port))
        self.addCleanup(one_more.close)
        one_more.settimeout(PATIENCE)
        try:
            self.assertEqual(one_more.recv(1), b"")
        except ConnectionResetError:
            pass
        self.assertEqual(self.server.counters()["refused_connections"], 1)

    def test_a_connection_that_brings_no_request_is_closed(self):
        with mock.patch.object(web, "_PATIENCE_REQUEST", 0.2):
            silent = socket.create_connection(("127.0.0.1", self.port))
            self.addCleanup(silent.close)
            silent.sendall(b"GET / HTTP/1.1\r\nHost: ")
            silent.settimeout(PATIENCE)
            try:
                self.assertEqual(silent.recv(1), b"")
            except ConnectionResetError:
                pass  # closed before all of it had come
        self.assertEqual(self.server.counters()["silent_connections"], 1)
        self.assertEqual(self.server._silent, set())

    # Starting and stopping

    def test_it_starts_again_and_leaves_nothing_behind(self):
        self.assertEqual(self.receiver.num_subscribers, 1)
        self.server.stop()
        self.server.stop()
        self.assertEqual(self.receiver.num_subscribers, 0)
        self.receiver.put("bearing", self.receiver.bearing("beacon"))
        self.server.start()
        self.port = self.server.port
        self.host = f"127.0.0.1:{self.port}"
        self.assertEqual(self.json_of("/api/bearings")["bearings"], [])
        self.assertEqual(self.post(RETUNE, self.token)[0], 200)
        self.server.stop()
        names = [thread.name for thread in threading.enumerate()]
        self.assertNotIn("bearing-web", names)

    def test_a_port_that_is_taken_is_an_error(self):
        other = self.new_server(port=self.port)
        with self.assertRaises(OSError):
            other.start()
        self.assertEqual(self.receiver.num_subscribers, 1)
        self.json_of("/api/state")

    def listening_addresses(self):
        """Where the system says that somebody listens on the server's port, as it writes them."""
        found = set()
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            if Path(table).exists():
                for line in Path(table).read_text().splitlines()[1:]:
                    address, port = line.split()[1].split(":")
                    if int(port, 16) == self.port and line.split()[3] == "0A":
                        found.add(address)
        return found

    def test_it_listens_on_this_machine_only(self):
        # Nothing says where: the default.
        options = {"enabled": True, "port": 0, "token_file": self.token_file}
        server = web_server(self.receiver, web_config(**options))
        server.start()
        self.addCleanup(server.stop)
        self.port = server.port
        if Path("/proc/net/tcp").exists():
            # 127.0.0.1, least byte first or last.
            self.assertEqual(
                self.listening_addresses(),
                {"0100007F" if sys.byteorder == "little" else "7F000001"},
            )
        socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE).close()
        # This machine's as well, and another address, as that in a network is.
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", self.port), timeout=PATIENCE)
        self.assertEqual(server.url, f"http://127.0.0.1:{self.port}/")


class qa_web_read_token(served):
    options = {"read_token": True, "allowed_hosts": ("df.example.org",)}

    def test_nothing_of_the_receiver_is_read_without_the_token(self):
        for path in ("/api/state", "/api/bearings"):
            self.assertEqual(self.ask(path)[0], 401)
            self.assertEqual(self.ask(path, token="wrong-but-long-enough")[0], 401)
            self.assertEqual(self.ask(path, token=self.token)[0], 200)

        async def run():
            async with aiohttp.ClientSession() as session:
                for protocols in ((), ("bearing",), ("bearing", "token.wrong-but-long-enough")):
                    with self.assertRaises(aiohttp.WSServerHandshakeError) as refusal:
                        await session.ws_connect(f"http://{self.host}/ws", protocols=protocols)
                    self.assertEqual(refusal.exception.status, 401)
                protocols = ("bearing", f"token.{self.token}")
                socket_ = await session.ws_connect(
                    f"http://{self.host}/ws", protocols=protocols
                )
                # The token does not come back.
                self.assertEqual(socket_.protocol, "bearing")
                self.assertEqual((await socket_.receive_json())["kind"], "state")
                await socket_.close()

        self.in_loop(run())

    def test_a_name_that_is_allowed_serves_behind_a_proxy(self):
        host = "df.example.org"
        self.assertEqual(self.ask("/api/state", token=self.token, Host=host)[0], 200)
        status, _ = self.post(RETUNE, self.token, Host=host, Origin=f"https://{host}")
        self.assertEqual(status, 200)
        self.refused(403, token=self.token, Host=host, Origin="https://example.org")


class qa_web_refusals(unittest.TestCase):
    """What a receiver keeps of values that its radio does not take."""

    def test_a_value_that_no_radio_takes_ends_nothing_and_is_not_kept(self):
        logging.getLogger("gnuradio.bearing.receiver").setLevel(logging.CRITICAL)
        folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="bearing-web-")))
        path = folder / "receiver.yaml"
        path.write_text(
            "radio: {kind: simulator, frequency_hz: 433.92e6, sample_rate_hz: 48e3, gain_db: 3,\n"
            "  bearings_deg: [72.0]}\n"
            "array: {kind: uca, elements: 5, radius_m: 0.25}\n"
            f"channels: [{{name: beacon}}]\nstate_folder: {folder}\n"
        )
        is_lost = []

        def picky_radio(config, *arguments):
            if is_lost:
                raise RuntimeError("no such device")
            if config.gain_db > 50.0:
                raise ValueError("gain_db is above 50")
            return radios.make_radio(config, *arguments)

        running = receiver(load_config(path), make_radio=picky_radio)
        running.start()
        self.addCleanup(running.stop)

        def state():
            told = running.snapshot()["radio"]
            return told["state"], told["frequency_hz"], told["gain_db"]

        before = state()
        self.assertEqual(before, ("running", 433.92e6, 3))
        for command, value in (("retune", 5.0), ("retune", 1e-320), ("set_gain", 60.0)):
            name = {"retune": "frequency_hz", "set_gain": "gain_db"}[command]
            with self.assertRaisesRegex(ValueError, name):
                running.command(command, **{name: value})
            self.assertEqual(state(), before)
        # Nor where there is no radio that could say so before it is back.
        is_lost.append(True)
        running.command("retune", frequency_hz=440e6)
        self.assertEqual(state(), ("failed", 440e6, 3))
        is_lost.clear()
        with self.assertRaisesRegex(ValueError, "gain_db is above 50"):
            running.command("set_gain", gain_db=60.0)
        self.assertEqual(state()[2], 3)
        running.command("set_gain", gain_db=20.0)
        self.assertEqual(state(), ("running", 440e6, 20.0))


class qa_web_parts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="bearing-web-")
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "token"

    def test_a_token_is_made_once_and_only_its_owner_reads_it(self):
        before = os.umask(0)
        try:
            token = web_token.token_from_file(self.path)
        finally:
            os.umask(before)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertEqual(web_token.token_from_file(self.path), token)
        # 256 bits in base 64.
        self.assertEqual(len(token), 43)
        self.assertEqual([path.name for path in self.path.parent.iterdir()], ["token"])
        other = self.path.with_name("other")
        self.assertNotEqual(web_token.token_from_file(other), token)

    def test_a_token_file_that_protects_nothing_is_refused(self):
        web_token.token_from_file(self.path)
        for mode in (0o640, 0o604, 0o644, 0o620):
            self.path.chmod(mode)
            with self.assertRaisesRegex(ValueError, "token_file .*chmod 600"):
                web_token.token_from_file(self.path)
        for content in ("", "short", "two words of a token", "a" * 500, "ä" * 30):
            self.path.unlink()
            self.path.write_text(content, encoding="utf-8")
            self.path.chmod(0o600)
            with self.assertRaisesRegex(ValueError, "token_file .* holds no token"):
                web_token.token_from_file(self.path)
        for make in (os.mkfifo, os.mkdir):
            other = self.path.with_name(make.__name__)
            make(other, 0o600)
            with self.assertRaises((ValueError, OSError)):
                web_token.token_from_file(other)
        with self.assertRaises(OSError):
            web_token.token_from_file(self.path / "below")

    def test_a_token_of_someone_else_is_refused(self):
        web_token.token_from_file(self.path)
        other = os.geteuid() + 1
        with mock.patch.object(web_token.os, "geteuid", return_value=other):
            if os.geteuid() - 1 == 0:  # its owner is root, whom all trust
                web_token.token_from_file(self.path)
            else:
                with self.assertRaisesRegex(ValueError, "token_file .* belongs to user"):
                    web_token.token_from_file(self.path)
        if os.geteuid() == 0:
            os.chown(self.path, 12345, -1)
            with self.assertRaisesRegex(ValueError, "belongs to user 12345"):
                web_token.token_from_file(self.path)

    def test_a_token_is_made_where_there_are_no_links(self):
        # As on FAT.
        with mock.patch.object(web_token.os, "link", side_effect=PermissionError("no links")):
            token = web_token.token_from_file(self.path)
            self.assertEqual(web_token.token_from_file(self.path), token)
            self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
            self.assertEqual([path.name for path in self.path.parent.iterdir()], ["token"])
            # Another receiver was faster.
            with self.assertRaises(FileExistsError):
                web_token._make(self.path, "x" * 43)
            self.assertEqual(web_token.token_from_file(self.path), token)
            # A full disk leaves no half of a token.
            other = self.path.with_name("other")
            with mock.patch.object(web_token.os, "fsync", side_effect=[None, OSError("full")]):
                with self.assertRaisesRegex(OSError, "full"):
                    web_token.token_from_file(other)
        self.assertEqual([path.name for path in self.path.parent.iterdir()], ["token"])

    def test_tokens_are_compared_in_constant_time(self):
        with mock.patch.object(
            web_token.hmac, "compare_digest", wraps=hmac.compare_digest
        ) as compare:
            check = web_token.token_check("right-right-right")
            for offered in ("right-right-right", "x", "ä"):
                check.is_right(offered)
        self.assertEqual(
            [call.args for call in compare.call_args_list],
            [(offered.encode(), b"right-right-right")
             for offered in ("right-right-right", "x", "ä")])  # fmt: skip

    def test_wrong_tokens_of_many_addresses_are_forgotten(self):
        clock = [0.0]
        check = web_token.token_check("right-right-right", 3, 60.0, lambda: clock[0])
        for _ in range(3):
            self.assertEqual(check.failed("a"), 0.0)
            clock[0] += 10.0
        self.assertEqual(check.failed("a"), 30.0)
        self.assertEqual(check.failed("b"), 0.0)
        clock[0] += 30.0
        self.assertEqual(check.failed("a"), 0.0)
        # That and the second and third still count.
        self.assertEqual(check.failed("a"), 10.0)
        for k in range(2 * check.MOST_ADDRESSES):
            check.failed(str(k))
        self.assertEqual(len(check._failures), check.MOST_ADDRESSES)
        self.assertTrue(check.is_right("right-right-right"))
        self.assertFalse(web_token.token_check(None).is_right("None"))

    def test_a_server_that_others_reach_must_have_a_token(self):
        with self.assertRaisesRegex(ValueError, "token_file is missing"):
            web_server(pretend_receiver(), web_config(address="0.0.0.0", token_file=None))
        server = web_server(
            pretend_receiver(), web_config(address="0.0.0.0", token_file=self.path)
        )
        self.assertTrue(server._must_read_with_token)
        self.assertEqual(
            [web_origin.is_loopback(a) for a in
             ("127.0.0.1", "127.1.2.3", "::1", "localhost", "0.0.0.0", "::", "192.0.2.1", "x")],
            [True, True, True, True, False, False, False, False])  # fmt: skip

    def test_an_event_feed_loses_the_oldest_while_the_loop_is_busy(self):
        async def run():
            received = []
            feed = event_feed(asyncio.get_running_loop(), received.extend)
            for k in range(MOST_WAITING + 100):
                feed.put("bearing", k)
            await asyncio.sleep(0)
            self.assertEqual([k for _, k in received], list(range(100, MOST_WAITING + 100)))
            self.assertEqual(feed.lost, 100)
            feed.put("bearing", -1)
            await asyncio.sleep(0)
            self.assertEqual(received[-1], ("bearing", -1))
            return feed

        feed = asyncio.run(run())
        feed.put("bearing", 0)  # after the loop's end

    def test_the_history_is_bounded(self):
        history = bearing_history(spacing_s=0.5)
        for k in range(10000):
            history.add({"channel": "a", "k": k}, 0.25 * k)
        kept = history.bearings(2500.0, "a")
        self.assertEqual(len(kept), history.MOST)
        # Every second one, and their ages in seconds: the last kept came 0.5 s before 2500.
        self.assertEqual([entry["k"] for entry in kept[-2:]], [9996, 9998])
        self.assertEqual(kept[-1]["age_s"], 0.5)
        for k in range(1000):
            history.add({"channel": str(k)}, 0.0)
        self.assertEqual(len(history.bearings(0.0)), history.MOST + history.MOST_CHANNELS - 1)

    def test_numbers_stay_what_they_are(self):
        name, arguments = parse_command(b'{"command": "retune", "frequency_hz": 433920000}')
        self.assertEqual((name, arguments), ("retune", {"frequency_hz": 433.92e6}))


if __name__ == "__main__":
    unittest.main()

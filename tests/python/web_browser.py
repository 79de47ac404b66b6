# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Chromium without a window, for tests of web pages."""

import contextlib
import fcntl
import json
import os
import selectors
import shutil
import signal
import subprocess
import time
import unittest

from support import BUILD_DIR, SOURCE_DIR

_SCRIPTS = SOURCE_DIR / "tests" / "web"
_FOLDER = BUILD_DIR / "tests" / "web"

# Seconds: for the package to come, and for one action, which the script gives up after 60.
_PATIENCE_INSTALL = 300
_PATIENCE = 120

_failures = []


def _playwright():
    """Folder in which playwright-core is installed; SkipTest where it cannot be."""
    npm = shutil.which("npm")
    if npm is None:
        raise unittest.SkipTest("no npm to install playwright-core with")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    if _failures:
        raise unittest.SkipTest(_failures[0])
    with open(_FOLDER / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = (_SCRIPTS / "package-lock.json").read_text()
        installed = _FOLDER / "installed"
        if not installed.exists() or installed.read_text() != wanted:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_SCRIPTS / name, _FOLDER / name)
            # playwright-core brings no browser, and no script of its runs.
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            command += ["--cache", str(_FOLDER / "npm-cache"), "--fetch-retries", "1"]
            result = subprocess.run(
                command, cwd=_FOLDER, capture_output=True, text=True, timeout=_PATIENCE_INSTALL
            )
            if result.returncode:
                lines = [line for line in result.stderr.splitlines() if "error" in line.lower()]
                _failures.append(f"npm ci failed: {' '.join(lines[:2]) or 'it does not say why'}")
                raise unittest.SkipTest(_failures[0])
            installed.write_text(wanted)
    return _FOLDER


class browser:
    """Runs tests/web/browser.mjs; a context manager.

    Raises SkipTest naming what is missing, RuntimeError for what the browser could not do.
    """

    def __init__(self):
        node = shutil.which("node")
        if node is None:
            raise unittest.SkipTest("no node (Debian: nodejs)")
        chromium = shutil.which("chromium")
        if chromium is None:
            raise unittest.SkipTest("no chromium")
        command = [node, str(_SCRIPTS / "browser.mjs"), str(_playwright()), chromium]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)
        self._rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        # The script closes the browser when nothing more is to come.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._selector.close()
        self._process.stdout.close()

    def do(self, action, **options):
        """The result of an action of browser.mjs."""
        line = json.dumps({"action": action, **options}) + "\n"
        self._process.stdin.write(line.encode())
        self._process.stdin.flush()
        answer = json.loads(self._line())
        if "error" in answer:
            raise RuntimeError(f"{action} {options}: {answer['error']}")
        return answer["result"]

    def _line(self):
        deadline = time.monotonic() + _PATIENCE
        while b"\n" not in self._rest:
            if not self._selector.select(max(0.0, deadline - time.monotonic())):
                raise RuntimeError("the browser does not answer")
            block = os.read(self._process.stdout.fileno(), 65536)
            if not block:
                raise RuntimeError(f"the browser ended with {self._process.wait(_PATIENCE)}")
            self._rest += block
        line, self._rest = self._rest.split(b"\n", 1)
        return line


class tab:
    """One page in a browser."""

    def __init__(self, browser, name, url, width, height, scheme="light"):
        self._browser = browser
        self._name = name
        self.do("open", url=url, width=width, height=height, scheme=scheme)

    def do(self, action, **options):
        return self._browser.do(action, name=self._name, **options)

    def evaluate(self, expression):
        return self.do("evaluate", expression=expression)

    def text(self, selector):
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).textContent")

    def wait(self, expression):
        self.do("wait", expression=expression)

    def wait_for_text(self, selector, text):
        name, part = json.dumps(selector), json.dumps(text)
        self.wait(f"document.querySelector({name})?.textContent.includes({part})")

# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a receiver, which may take its time, from an event loop, which may not."""

import asyncio
import logging
import math
import threading

import pmt

from ..gui import words

_LOG = logging.getLogger(__name__)

# Seconds: for an answer, and how old a state may be that is given again.
_PATIENCE = 10.0
STATE_SPACING = 0.25
# Commands without an answer yet.
_MOST_COMMANDS = 4


class no_answer(Exception):
    """The receiver gave none; the argument is a sentence."""


class receiver_questions:
    """All methods belong to the event loop; the receiver is called in threads of their own, so a
    receiver that hangs keeps nothing from ending.

    receiver: has ``snapshot()`` and ``command(name, **arguments)``.
    loop: the event loop.
    counters: collections.Counter, in which failures are counted.
    """

    def __init__(self, receiver, loop, counters):
        self._receiver = receiver
        self._loop = loop
        self._counters = counters
        self._state = (-math.inf, None)
        self._asking = None
        self._commands = 0

    async def state(self):
        """The receiver's snapshot, not older than STATE_SPACING, with its calibration in words.

        Raises no_answer.
        """
        when, state = self._state
        if self._loop.time() - when < 0.9 * STATE_SPACING:
            return state
        # One question at a time, however many wait for the answer.
        if self._asking is None or self._asking.done():
            self._asking = self._loop.create_task(self._new_state())
            self._asking.add_done_callback(_look_at)
        return await self._answer(self._asking)

    async def tell(self, name, arguments):
        """Has the receiver carry out a command. Raises no_answer, and what the receiver raises:
        ValueError where it will not."""
        if self._commands >= _MOST_COMMANDS:
            raise no_answer("the receiver is busy with other commands")
        self._commands += 1
        answer = self._in_thread(lambda: self._receiver.command(name, **arguments))
        answer.add_done_callback(self._command_ended)
        await self._answer(answer)
        # What was known before is no longer so.
        self._state = (-math.inf, None)

    async def _answer(self, future):
        try:
            return await asyncio.wait_for(asyncio.shield(future), _PATIENCE)
        except asyncio.TimeoutError as error:
            self._counters["late_answers"] += 1
            raise no_answer("the receiver does not answer") from error

    async def _new_state(self):
        try:
            state = dict(await self._in_thread(self._receiver.snapshot))
            calibration = state.get("calibration")
            if calibration:
                state["calibration"] = dict(calibration, text=calibration_text(calibration))
        except Exception as error:  # whatever it is, the page must not end with it
            self._counters["failed_states"] += 1
            if self._counters["failed_states"] == 1:
                _LOG.exception("the receiver's state cannot be shown")
            raise no_answer("the receiver's state is not known") from error
        self._state = (self._loop.time(), state)
        return state

    def _command_ended(self, answer):
        self._commands -= 1
        _look_at(answer)

    def _in_thread(self, function):
        """Future of a function's result."""
        future = self._loop.create_future()

        def finish(set_, value):
            if not future.done():
                set_(value)

        def run():
            try:
                outcome = future.set_result, function()
            except Exception as error:  # handed to whoever waits
                outcome = future.set_exception, error
            try:
                self._loop.call_soon_threadsafe(finish, *outcome)
            except RuntimeError:
                pass  # the loop is closed

        threading.Thread(target=run, name="bearing-web-call", daemon=True).start()
        return future


def calibration_text(calibration):
    """What the displays say of a calibration, here a dict; "" where it says nothing about
    itself."""
    if calibration.get("status") == "fixed":
        return "array calibrated from a file"
    message = pmt.make_dict()
    for key in ("status", "ambiguity"):
        if isinstance(calibration.get(key), str):
            message = pmt.dict_add(message, pmt.intern(key), pmt.intern(calibration[key]))
    restarts = calibration.get("restarts")
    if isinstance(restarts, int):
        message = pmt.dict_add(message, pmt.intern("restarts"), pmt.from_uint64(restarts))
    return words.calibration_text(message)


def _look_at(answer):
    """Where nobody waits any more for an answer that is an exception, asyncio would complain."""
    if not answer.cancelled():
        answer.exception()

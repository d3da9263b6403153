"""JSON-RPC 2.0 between the host and one panel process: numbers, answers, cancellation, errors.

Requests to the panel are futures; requests from it are coroutines kept until they answer; notifications are handled
at once, in the order they came. Never knows what a message means, never starts or ends a process.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from workspace.panels import wire
from workspace.panels.protocol import (
    ANSWERS,
    ERRORS,
    MAX_LINE,
    PANEL_TO_HOST,
    Cancel,
    Cancelled,
    InternalError,
    InvalidParams,
    InvalidRequest,
    Message,
    MethodNotFound,
    PanelError,
    TooLarge,
    TooMany,
)
from workspace.problem import Problem

MAX_RUNNING = 64
"""Requests of one panel that may be under way at a time."""

Tap = Callable[[str, str, str, bytes], None]
"""``tap(direction, instance, context, raw)``; direction is ``out`` (to the panel) or ``in``."""

_PARAMS = {kind.method: msgspec.json.Decoder(kind) for kind in PANEL_TO_HOST}
_RESULTS: dict[type[Message] | None, Any] = {
    kind: msgspec.json.Decoder(kind) if kind is not None else msgspec.json.Decoder(Any) for kind in ANSWERS.values()
}


_BY_NAME = {kind.name: kind for kind in ERRORS.values()}


@dataclass(slots=True)
class _Pending:
    future: asyncio.Future[Any]
    method: str
    instance: str
    context: str


class Peer:
    """One end of the line. `send(bytes)` puts a line on the pipe; `heard(Message)` takes a notification;
    `asked(Message)` answers a request (its result is encoded as it is); `tap` sees every line."""

    def __init__(
        self,
        send: Callable[[bytes], object],
        heard: Callable[[Message], None],
        asked: Callable[[Message], Awaitable[Any]],
        tap: Tap | None = None,
    ) -> None:
        self._send, self._heard, self._asked, self._tap = send, heard, asked, tap
        self.size = 0  # bytes of the line being taken
        self._number = 0
        self._pending: dict[int, _Pending] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._closed: PanelError | None = None

    # --- outwards -------------------------------------------------------------------------------------------

    def notify(self, params: Message) -> None:
        if self._closed is None:
            self._put(wire.notification(params.method, wire.encode(params)), params)

    def start(self, params: Message) -> asyncio.Future[Any]:
        """Send a request now; the future gets the typed answer or the error the panel raised."""
        return self._start(params)[1]

    def _start(self, params: Message) -> tuple[int, asyncio.Future[Any]]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._closed is not None:
            future.set_exception(self._closed)
            return 0, future
        self._number += 1
        instance, context = _address(params)
        self._pending[self._number] = _Pending(future, params.method, instance, context)
        self._put(wire.request(self._number, params.method, wire.encode(params)), params)
        return self._number, future

    async def request(self, params: Message, timeout: float) -> Any:
        """`start` and wait. Raises TimeoutError (the panel is then told to cancel) or the panel's error."""
        number, future = self._start(params)
        try:
            async with asyncio.timeout(timeout):
                return await future
        except (TimeoutError, asyncio.CancelledError):
            if self._pending.pop(number, None) is not None:
                self.notify(Cancel(id=number))
            raise

    def _put(self, line: bytes, params: Message) -> None:
        if self._tap is not None:
            self._tap("out", *_address(params), line)
        self._send(line)

    # --- inwards --------------------------------------------------------------------------------------------

    def take(self, line: bytes) -> None:
        """One line from the panel. Raises ParseError when it is no message at all."""
        self.size = len(line)
        envelope = wire.decode(line)
        if envelope.method is None:
            self._answered(envelope, line)
            return
        decoder = _PARAMS.get(envelope.method)
        try:
            if decoder is None:
                raise MethodNotFound(f"no method {envelope.method!r}")
            params: Message = decoder.decode(envelope.params or b"{}")
        except (msgspec.DecodeError, RecursionError) as error:
            self._refuse(envelope, line, InvalidParams(f"{envelope.method}: {error}"))
            return
        except MethodNotFound as error:
            self._refuse(envelope, line, error)
            return
        if self._tap is not None:
            self._tap("in", *_address(params), line)
        if isinstance(params, Cancel):
            task = self._running.get(params.id)
            if task is not None:
                task.cancel()
        elif envelope.id is None:
            self._heard(params)
        else:
            self._serve(envelope.id, params)

    def _refuse(self, envelope: wire.Envelope, line: bytes, error: PanelError) -> None:
        if self._tap is not None:
            self._tap("in", "", "", line)
        if envelope.id is not None:
            self._reply(wire.failure(envelope.id, error))

    def _answered(self, envelope: wire.Envelope, line: bytes) -> None:
        pending = self._pending.pop(envelope.id or 0, None)
        if self._tap is not None:
            self._tap("in", pending.instance if pending else "", pending.context if pending else "", line)
        if pending is None or pending.future.done():
            return  # cancelled meanwhile, or an answer nobody asked for
        if envelope.error is not None:
            pending.future.set_exception(wire.raised(envelope.error))
            return
        try:
            pending.future.set_result(_RESULTS[ANSWERS[pending.method]].decode(envelope.result or b"null"))
        except (msgspec.DecodeError, RecursionError) as error:
            pending.future.set_exception(InvalidRequest(f"answer to {pending.method}: {error}"))

    def _serve(self, number: int, params: Message) -> None:
        if number in self._running:
            self._reply(wire.failure(number, InvalidRequest(f"request {number} is already under way")))
            return
        if len(self._running) >= MAX_RUNNING:
            self._reply(wire.failure(number, TooMany(f"more than {MAX_RUNNING} requests at a time")))
            return
        task = asyncio.get_running_loop().create_task(self._run(number, params))
        self._running[number] = task
        task.add_done_callback(lambda _: self._running.pop(number, None))

    async def _run(self, number: int, params: Message) -> None:
        try:
            line = wire.answer(number, await self._asked(params))
            if len(line) > MAX_LINE:
                raise TooLarge(f"the answer is {len(line)} bytes; watch the query, or ask for less with _count")
        except asyncio.CancelledError:
            if self._closed is None:
                self._reply(wire.failure(number, Cancelled("cancelled")), params)
            return
        except PanelError as error:
            line = wire.failure(number, error)
        except Problem as problem:
            line = wire.failure(number, from_problem(problem))
        except Exception:
            # A fault of ours: the panel must not wait for ever, and the crash log must hear of it.
            self._reply(wire.failure(number, InternalError("the host failed")), params)
            raise
        self._reply(line, params)

    def _reply(self, line: bytes, params: Message | None = None) -> None:
        if self._closed is None:
            if self._tap is not None:
                self._tap("out", *(_address(params) if params is not None else ("", "")), line)
            self._send(line)

    # --- the end --------------------------------------------------------------------------------------------

    def fail(self, error: PanelError, context: str | None = None) -> None:
        """Answer every pending request (of `context`, if given) with `error`; without a context for good."""
        if context is None:
            self._closed = error
        for number, pending in list(self._pending.items()):
            if context is None or pending.context == context:
                del self._pending[number]
                if not pending.future.done():
                    pending.future.set_exception(error)
                    pending.future.exception()  # nobody may be waiting any more: not a mistake

    async def close(self, error: PanelError) -> None:
        """`fail`, and cancel what the panel asked for. Idempotent."""
        self.fail(error)
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


def _address(params: Message) -> tuple[str, str]:
    context = getattr(params, "context", "")
    return getattr(params, "instance", ""), context if isinstance(context, str) else getattr(context, "token", "")


def from_problem(problem: Problem) -> PanelError:
    """A refusal at the door as the error class that the panel gets; the code survives the wire."""
    return _BY_NAME.get(problem.code, PanelError)(str(problem), {"code": problem.code})

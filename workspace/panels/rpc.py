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

from workspace.fhir.json import number as decimal
from workspace.panels import wire
from workspace.panels.protocol import (
    ANSWERS,
    ERRORS,
    MAX_CHUNK,
    MAX_LINE,
    MAX_PENDING,
    PANEL_TO_HOST,
    Acknowledge,
    Cancel,
    Cancelled,
    ContextChanged,
    Id,
    InternalError,
    InvalidParams,
    InvalidRequest,
    Message,
    MethodNotFound,
    PanelError,
    Part,
    Render,
    Result,
    TooLarge,
    TooMany,
)
from workspace.problem import Problem

Tap = Callable[[str, str, str, bytes], None]
"""``tap(direction, instance, context, raw)``; direction is ``out`` (to the panel) or ``in``."""


def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """Keeps the digits of decimals in what may be a resource; what is drawn is none, and is held to its own types."""
    return msgspec.json.Decoder(kind, float_hook=None if kind is Render else decimal)


_PARAMS = {kind.method: _decoder(kind) for kind in PANEL_TO_HOST}
_RESULTS: dict[type[Message] | None, Any] = {
    kind: _decoder(kind if kind is not None else Any) for kind in ANSWERS.values()
}


_BY_NAME = {kind.name: kind for kind in ERRORS.values()}


@dataclass(slots=True)
class _Pending:
    future: asyncio.Future[Any]
    method: str
    instance: str
    context: str
    acknowledged: bool = False


@dataclass(slots=True)
class _Running:
    task: asyncio.Task[None]
    instance: str
    over: PanelError | None = None  # why it was cancelled, when it was not the panel's own wish


class Peer:
    """One end of the line. `send(bytes)` puts a line on the pipe; `heard(Message)` takes a notification;
    `asked(Message)` answers a request (its result is encoded as it is); `tap` sees every line; `asking()` is called
    when a request leaves, `faulty(words)` when a notification could not be read."""

    def __init__(
        self,
        send: Callable[[bytes], object],
        heard: Callable[[Message], None],
        asked: Callable[[Message], Awaitable[Any]],
        tap: Tap | None = None,
        *,
        asking: Callable[[], None] = lambda: None,
        faulty: Callable[[str], None] = lambda words: None,
    ) -> None:
        self._send, self._heard, self._asked, self._tap = send, heard, asked, tap
        self._asking, self._faulty = asking, faulty
        self.size = 0  # bytes of the line being taken
        self._number = 0
        self._pending: dict[int, _Pending] = {}
        self._running: dict[Id, _Running] = {}
        self._closed: PanelError | None = None

    # --- outwards -------------------------------------------------------------------------------------------

    @property
    def owed(self) -> bool:
        """Whether a request waits that the panel has neither answered nor acknowledged."""
        return any(not pending.acknowledged for pending in self._pending.values())

    def notify(self, params: Message) -> None:
        """Raises TooLarge, and sends nothing, when the line would be over the limit."""
        if self._closed is None:
            line = wire.notification(params.method, wire.encode(params))
            if len(line) > MAX_LINE:
                raise TooLarge(f"{params.method}: a line of {len(line)} bytes")
            self._put(line, params)

    def start(self, params: Message) -> asyncio.Future[Any]:
        """Send a request now; the future gets the typed answer or the error the panel raised."""
        return self._start(params)[1]

    def _start(self, params: Message) -> tuple[int, asyncio.Future[Any]]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._closed is not None:
            future.set_exception(self._closed)
            return 0, future
        line = wire.request(self._number + 1, params.method, wire.encode(params))
        if len(line) > MAX_LINE:
            future.set_exception(TooLarge(f"{params.method}: a line of {len(line)} bytes"))
            return 0, future
        self._number += 1
        instance, context = _address(params)
        self._pending[self._number] = _Pending(future, params.method, instance, context)
        self._put(line, params)
        self._asking()
        return self._number, future

    async def request(self, params: Message, timeout: float, patient: Callable[[], bool] = lambda: False) -> Any:
        """`start` and wait. Raises TimeoutError or the panel's error; the panel is told to cancel when nobody waits any
        more. After `timeout` the wait begins anew while `patient()` says so."""
        number, future = self._start(params)
        try:
            while True:
                done, _ = await asyncio.wait({future}, timeout=timeout)
                if done:
                    return future.result()
                if not patient():
                    raise TimeoutError(params.method)
        except (TimeoutError, asyncio.CancelledError):
            if self._pending.pop(number, None) is not None:
                self.notify(Cancel(id=number))
                future.cancel()
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
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._refuse(envelope, line, InvalidParams(f"{envelope.method}: {error}"))
            return
        except MethodNotFound as error:
            self._refuse(envelope, line, error)
            return
        if self._tap is not None:
            self._tap("in", *_address(params), line)
        if isinstance(params, Cancel):
            running = self._running.get(params.id)
            if running is not None:
                running.task.cancel()
        elif isinstance(params, Acknowledge):
            pending = self._pending.get(params.id) if isinstance(params.id, int) else None
            if pending is not None:
                pending.acknowledged = True
        elif envelope.id is None:
            self._heard(params)
        else:
            self._serve(envelope.id, params)

    def _refuse(self, envelope: wire.Envelope, line: bytes, error: PanelError) -> None:
        if self._tap is not None:
            self._tap("in", "", "", line)
        if envelope.id is not None:
            self._reply(wire.failure(envelope.id, error))
        elif not isinstance(error, MethodNotFound):
            self._faulty(error.message)

    def _answered(self, envelope: wire.Envelope, line: bytes) -> None:
        pending = self._pending.pop(envelope.id, None) if isinstance(envelope.id, int) else None
        if self._tap is not None:
            self._tap("in", pending.instance if pending else "", pending.context if pending else "", line)
        if pending is None or pending.future.done():
            return  # cancelled meanwhile, or an answer nobody asked for
        if envelope.failed:
            pending.future.set_exception(wire.raised(envelope.error))
            return
        try:
            pending.future.set_result(_RESULTS[ANSWERS[pending.method]].decode(envelope.result or b"null"))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            pending.future.set_exception(InvalidRequest(f"answer to {pending.method}: {error}"))

    def _serve(self, number: Id, params: Message) -> None:
        if number in self._running:
            self._reply(wire.failure(number, InvalidRequest(f"request {number} is already under way")))
            return
        if len(self._running) >= MAX_PENDING:
            self._reply(wire.failure(number, TooMany(f"more than {MAX_PENDING} requests at a time")))
            return
        task = asyncio.get_running_loop().create_task(self._run(number, params))
        self._running[number] = _Running(task, _address(params)[0])
        task.add_done_callback(lambda _: self._running.pop(number, None))

    async def _run(self, number: Id, params: Message) -> None:
        try:
            result = await self._asked(params)
            if isinstance(result, Result):
                result = self._in_parts(number, result, params)
            line = wire.answer(number, result)
            if len(line) > MAX_LINE:
                raise TooLarge(f"the answer is {len(line)} bytes; ask for less, with _elements or _count")
        except asyncio.CancelledError:
            running = self._running.get(number)
            over = running.over if running is not None else None
            self._reply(wire.failure(number, over or Cancelled("cancelled")), params)
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

    def _in_parts(self, number: Id, result: Result, params: Message) -> Result:
        """A result too long for one line leaves as `part` messages; what is left goes with the answer."""
        if len(wire.encode(result.resources)) <= MAX_CHUNK:
            return result
        large = next((row for row in result.resources if not wire.fits(row)), None)
        if large is not None:
            raise TooLarge(f"{large.get('resourceType')}/{large.get('id')} is larger than a line; ask with _elements")
        *parts, last = wire.chunked(result.resources)
        for rows in parts:
            part = Part(id=number, resources=rows)
            self._reply(wire.notification(part.method, wire.encode(part)), params)
        return msgspec.structs.replace(result, resources=last, parts=len(parts))

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

    def drop(self, instance: str | None = None) -> None:
        """What the panel asked for (in `instance`, if given) is no longer wanted here: answered with
        `context-changed`."""
        for running in list(self._running.values()):
            if instance is None or running.instance == instance:
                running.over = ContextChanged("the context has ended")
                running.task.cancel()

    async def close(self, error: PanelError) -> None:
        """`fail`, and cancel what the panel asked for. Idempotent."""
        self.fail(error)
        tasks = [running.task for running in self._running.values()]
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

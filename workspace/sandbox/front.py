"""The sandbox's front door (ASGI): answers before the platform is built, holds patient data back until today is in, and
knows when nobody uses it.

Serves this machine only, by the connection's address and by the name asked for. Decides nothing about people.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from workspace.fhir import outcome
from workspace.problem import Problem
from workspace.sandbox.day import Day, read_setting

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_HERE = ("127.0.0.1", "::1", "localhost")
_OPEN = ("/identity", "/.well-known", "/health", "/time", "/sandbox")
"""What answers while the store is being filled."""
_LARGEST = 4096


class Front:
    """The app that uvicorn serves; `inner` is the platform once it is built.

    Args:
        health: the body of ``/health``.
        ready: whether patient data may be asked for.
        merge: makes two patients' records one; returns how much was moved.
        wipe: orders (person, device, reason) to delete what was copied; returns the order's id.
    """

    def __init__(
        self,
        day: Day,
        health: Callable[[], dict[str, Any]],
        ready: Callable[[], bool],
        merge: Callable[[str, str], Awaitable[int]],
        wipe: Callable[[str, str, str], Awaitable[str]],
    ) -> None:
        self.inner: ASGIApp | None = None
        self._merging, self._wiping = merge, wipe
        self._day = day
        self._health = health
        self._ready = ready
        self._open_requests = 0
        self._last = time.monotonic()

    def idle(self) -> float:
        """Seconds since the last request ended; 0 while one, or a stream of changes, is open."""
        return 0.0 if self._open_requests else time.monotonic() - self._last

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self._open_requests += 1
        try:
            answer = await self._answer(Request(scope, receive))
            await (answer or self.inner or _not_ready())(scope, receive, send)
        finally:
            self._open_requests -= 1
            self._last = time.monotonic()

    async def _answer(self, request: Request) -> Response | None:
        """The sandbox's own answer; None leaves the request to the platform."""
        path = request.url.path
        if not _is_here(request):
            return _refusal(403, "sandbox-only", "Sandkassen svarer bare på denne maskinen.")
        if path == "/sandbox/time":
            return await self._time(request)
        if path == "/health" and self.inner is None:
            return JSONResponse(self._health(), headers={"Cache-Control": "no-store"})
        orders = {"/sandbox/merge": self._merge, "/sandbox/wipe": self._wipe}
        if path in orders and self.inner is not None and self._ready():
            return await orders[path](request)
        if self.inner is None or path in orders or not (self._ready() or _within(path, _OPEN)):
            return _not_ready()
        return None

    async def _time(self, request: Request) -> Response:
        """Read or set clinical time and its rate: ``{"now", "rate"}``, either may be left out."""
        if request.method not in ("GET", "HEAD", "POST"):
            return Response(status_code=405, headers={"Allow": "GET, POST"})
        if request.method == "POST":
            # A page elsewhere can send a form here unasked, but not JSON: that takes a preflight nobody answers.
            if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
                return _refusal(415, "time-not-json", "Tiden må sendes som JSON.")
            try:
                asked = await _json(request)
                moment, rate = read_setting(asked, self._day.now(), self._day.rate)
            except (ValueError, OverflowError) as error:
                return _refusal(400, "time-unreadable", "Tiden kan ikke leses.", str(error))
            self._day.set(moment, rate)
            self._day.save()
        return JSONResponse(self._day.told(), headers={"Cache-Control": "no-store"})

    async def _merge(self, request: Request) -> Response:
        """``{"from": "Patient/x", "into": "Patient/y"}``: two records are one person."""
        if request.method != "POST":
            return Response(status_code=405, headers={"Allow": "POST"})
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _refusal(415, "merge-not-json", "Journalene som skal slås sammen, må sendes som JSON.")
        try:
            asked = await _json(request)
            moved = await self._merging(str(asked.get("from", "")), str(asked.get("into", "")))
        except ValueError as error:
            return _refusal(400, "merge-unreadable", "Innholdet kan ikke leses.", str(error))
        except Problem as problem:
            status = {"merge-unknown": 404, "merge-failed": 409, "merge-done": 409}.get(problem.code, 400)
            return _refusal(status, problem.code, problem.sentence, problem.detail, advice=problem.advice)
        return JSONResponse({"moved": moved}, headers={"Cache-Control": "no-store"})

    async def _wipe(self, request: Request) -> Response:
        """``{"person": "Practitioner/x" or "*", "device": name or "*", "reason"}``: workstations delete their copies."""
        if request.method != "POST":
            return Response(status_code=405, headers={"Allow": "POST"})
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _refusal(415, "wipe-not-json", "Ordren om sletting må sendes som JSON.")
        try:
            asked = await _json(request)
            given = [str(asked.get(name, "")) for name in ("person", "device", "reason")]
            own = await self._wiping(*given)
        except ValueError as error:
            return _refusal(400, "wipe-unreadable", "Innholdet kan ikke leses.", str(error))
        except Problem as problem:
            return _refusal(400, problem.code, problem.sentence, problem.detail, advice=problem.advice)
        return JSONResponse({"id": own}, headers={"Cache-Control": "no-store"})


async def _json(request: Request) -> dict[str, Any]:
    import json

    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST:
            raise ValueError("too long")
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _is_here(request: Request) -> bool:
    """From this machine, and asked for by this machine's own names (a page elsewhere may rename itself to it)."""
    caller = request.client.host if request.client else ""
    try:
        named = urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:
        return False
    return caller in _HERE and named in _HERE


def _within(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith(root + "/") for root in roots)


def _not_ready() -> Response:
    sentence = "Sandkassen gjør klar dagens data."
    answer = _refusal(503, "sandbox-seeding", sentence, advice="Vent noen sekunder og prøv igjen.", issue="transient")
    answer.headers["Retry-After"] = "1"
    return answer


def _refusal(
    status: int, code: str, sentence: str, detail: str = "", *, advice: str = "", issue: str = "processing"
) -> Response:
    body = outcome.build(Problem(code, sentence, advice, detail), issue=issue)
    return JSONResponse(body, status, {"Cache-Control": "no-store"}, media_type="application/fhir+json")

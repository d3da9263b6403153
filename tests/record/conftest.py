"""A platform over real HTTP: the real store behind a thin front with a change feed, which can be slowed, cut and stopped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.gateway.conftest import Server
from tests.serving import PromptServer
from workspace.clock import OSLO, OffsetClock, SystemClock
from workspace.fhir.service import FhirRequest
from workspace.record import patience
from workspace.record.client import Client
from workspace.record.record import Record
from workspace.sandbox.fhir import Store

DAY = datetime(2026, 1, 14, 14, 45, tzinfo=OSLO)


@dataclass
class Endpoints:
    origin: str

    @property
    def fhir(self):
        return f"{self.origin}/fhir"

    @property
    def changes(self):
        return f"{self.origin}/changes"

    @property
    def audit(self):
        return f"{self.origin}/audit"

    @property
    def time(self):
        return f"{self.origin}/time"


class Tokens:
    def __init__(self):
        self.forced = 0

    async def access_token(self, *, force=False):
        self.forced += force
        return f"good-{self.forced}"


class Platform:
    """`asked` holds (path with query, packages) in the order of arrival; `delay(path)` seconds before an answer."""

    def __init__(self, store, clock):
        self.store, self.clock = store, clock
        self.asked: list[tuple[str, str]] = []
        self.delay = lambda path: 0.0
        self.refuse: dict[str, int] = {}
        self.largest = 1000  # rows of a page, whatever is asked
        self.mute = False  # changes are kept back from the feed, but numbered
        self.skew = timedelta()
        self.numbered: list[tuple[int, dict]] = []
        self.readers: set[asyncio.Queue] = set()
        self.feeds: list[int] = []
        self.cut = asyncio.Event()
        store.on_commit(self._committed)
        self.app = Starlette(
            routes=[
                Route("/changes", self._changes),
                Route("/time", self._time),
                Route("/fhir", self._fhir, methods=["POST"]),
                Route("/fhir/{path:path}", self._fhir, methods=["GET", "POST", "PUT"]),
            ]
        )
        self._server = None
        self.port = 0

    async def open(self):
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=self.port, log_level="error", lifespan="off", timeout_graceful_shutdown=1
        )
        socket = config.bind_socket()
        self.port = socket.getsockname()[1]
        self.cut.clear()
        self._server = PromptServer(config)
        self._server.install_signal_handlers = lambda: None
        self._task = asyncio.create_task(self._server._serve([socket]))
        while not self._server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    async def shut(self):
        self.cut.set()
        self._server.should_exit = True
        await self._task

    async def hang_up(self):
        """End every feed; new ones are welcome."""
        self.cut.set()
        await asyncio.sleep(0.05)
        self.cut.clear()

    def tell(self, event, data):
        for queue in self.readers:
            queue.put_nowait((event, data))

    async def put(self, resource):
        path = f"{resource['resourceType']}/{resource['id']}"
        answer = await self.store.handle(FhirRequest("PUT", path, body=resource))
        assert answer.status < 300, answer.body
        return answer.body

    def searches(self, start):
        return [path for path, _ in self.asked if path.startswith(start)]

    def _committed(self, changes):
        for kind, own, version, resource in changes:
            number = len(self.numbered) + 1
            data = {"seq": number, "type": kind, "id": own, "version": version, "patients": [], "transaction": ""}
            self.numbered.append((number, {**data, "resource": resource}))
            if not self.mute:
                self.tell("change", self.numbered[-1][1])

    async def _time(self, request):
        real = SystemClock().real() + self.skew
        return JSONResponse({"now": self.clock.now().isoformat(), "rate": 1.0, "real": real.isoformat()})

    async def _changes(self, request):
        since = int(request.query_params["since"])
        self.feeds.append(since)
        queue: asyncio.Queue = asyncio.Queue()
        start = since
        for number, data in self.numbered:
            if number > start:
                queue.put_nowait(("change", data))
        self.readers.add(queue)

        async def stream():
            try:
                yield f'event: hello\ndata: {{"seq": {start}}}\n\n: hei\n\n'
                while not self.cut.is_set():
                    try:
                        event, data = await asyncio.wait_for(queue.get(), 0.02)
                    except TimeoutError:
                        continue
                    yield f"event: {event}\nid: {data.get('seq', 0)}\ndata: {json.dumps(data)}\n\n"
            finally:
                self.readers.discard(queue)

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def _fhir(self, request):
        path, query = request.path_params.get("path", ""), request.url.query
        body = await request.body()
        if path.endswith("/_search"):
            query, body = body.decode(), b""
        whole = path.removesuffix("/_search") + (f"?{query}" if query else "")
        self.asked.append((whole, request.headers.get("x-workspace-package", "")))
        await asyncio.sleep(self.delay(whole))
        for start, status in self.refuse.items():
            if whole.startswith(start):
                return JSONResponse({"resourceType": "OperationOutcome", "issue": []}, status)
        query = query.replace("_count=1000", f"_count={self.largest}")
        method = "GET" if not body else request.method
        parsed = json.loads(body) if body else None
        name = path.removesuffix("/_search")
        answer = await self.store.handle(FhirRequest(method, name, query, {"prefer": "return=representation"}, parsed))
        if answer.body is None:
            return Response(status_code=answer.status)
        return JSONResponse(answer.body, answer.status, dict(answer.headers))


@asynccontextmanager
async def _platform(folder) -> AsyncIterator[tuple[Platform, Record]]:
    """A running platform with a record that follows it."""
    clock = OffsetClock(DAY, 0.0, 0.0)
    store = Store(folder / "fhir.sqlite", clock)
    await store.start()
    here = Platform(store, clock)
    await here.open()
    client = Client(Endpoints(f"http://127.0.0.1:{here.port}"), Tokens())
    record = Record(client, clock=OffsetClock(DAY, 0.0, 0.0), user="Practitioner/tone")
    try:
        await record.start()
        yield here, record
    finally:
        await record.close()
        await client.aclose()
        await here.shut()
        await store.close()


async def _until(true, seconds=5.0):
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest.fixture
def platform():
    """``async with platform(folder) as (here, record)``."""
    return _platform


@pytest.fixture
def until():
    """``await until(lambda: …)``: fails after five seconds."""
    return _until


@pytest.fixture
def server(tmp_path):
    """A gateway over HTTP with a small home, the test's own."""
    made = Server(tmp_path).start()
    yield made
    made.stop()


@pytest.fixture
def impatient(monkeypatch):
    """What is tried again is tried again at once."""
    monkeypatch.setattr(patience, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.1)

"""The platform in two processes that can be killed apart: ``store`` (the FHIR store behind HTTP) and ``gateway`` before it.
``whole`` is both in one, as the sandbox has them.

``python -m tests.faults.platform_process store|gateway|whole FOLDER PORT [UPSTREAM]``; with port 0 it takes a free one and
writes it to FOLDER/port: who asks for a free port and starts this after may find it taken.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.faults.mortal import Mortal
from workspace.clock import OSLO, OffsetClock
from workspace.fhir.service import FhirRequest
from workspace.gateway.app import GatewaySettings, TokenCheck, gateway_app
from workspace.gateway.upstream import Upstream
from workspace.sandbox.fhir import Store

ISSUER = "http://127.0.0.1:1/identity"
DAY = datetime(2026, 1, 14, 14, 45, tzinfo=OSLO)


def clock():
    return OffsetClock(DAY, time.monotonic())


def store_app(folder):
    store, mortal = Store(folder / "fhir.sqlite", clock()), Mortal(folder, "store")

    async def handle(request):
        raw = await request.body()
        path, query = request.path_params.get("path", ""), request.url.query
        if path.endswith("/_search"):
            path, query, raw = path.removesuffix("/_search"), raw.decode(), b""
        writes = request.method in ("POST", "PUT") and bool(raw)
        if writes:
            mortal.at("received")
        method = request.method if writes else "GET"
        headers = {name: value for name, value in request.headers.items() if name.startswith(("if-", "prefer"))}
        answer = await store.handle(FhirRequest(method, path, query, headers, json.loads(raw) if raw else None))
        if writes:
            mortal.at("committed")
        if answer.body is None:
            return Response(status_code=answer.status)
        return JSONResponse(answer.body, answer.status, dict(answer.headers))

    @asynccontextmanager
    async def lifespan(app):
        await store.start()
        yield
        await store.close()

    methods = ["GET", "POST", "PUT"]
    routes = [Route("/fhir", handle, methods=methods), Route("/fhir/{path:path}", handle, methods=methods)]
    return Starlette(routes=routes, lifespan=lifespan)


class Dying:
    """The service before the store, in a process that dies at the steps of a transaction."""

    def __init__(self, inner, mortal):
        self.inner, self.mortal = inner, mortal

    async def handle(self, request):
        writes = request.method == "POST" and not request.path
        if writes:
            self.mortal.at("before-store")
        answer = await self.inner.handle(request)
        if writes:
            self.mortal.at("after-store")
        return answer


def gateway(folder, port, upstream):
    mortal = Mortal(folder, "gateway")
    store = None if upstream else Store(folder / "fhir.sqlite", clock())
    service = store or Upstream(f"{upstream}/fhir")
    url = f"http://127.0.0.1:{port}"
    settings = GatewaySettings("Fjellheim", "311000101", True, ISSUER, "arbeidsflaten", url, folder / "gateway.sqlite")
    keys = json.loads((folder / "keys.json").read_text())
    tokens = TokenCheck(ISSUER, "http://gateway.test", clock(), keys=lambda: keys, ended=lambda session: False)
    app = gateway_app(
        Dying(service, mortal) if upstream else service,
        settings=settings,
        tokens=tokens,
        clock=clock(),
        health=lambda: {"state": "ready"},
    )

    async def front(scope, receive, send):
        if scope["type"] == "lifespan" and store is not None:
            await store.start()
        writes = scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == "/fhir"
        if writes:
            mortal.at("received")

        async def said(message):
            if writes and message["type"] == "http.response.start":
                mortal.at("answered")
            await send(message)

        await app(scope, receive, said)

    return front


async def main(role, folder, port, upstream=""):
    # TCP by name: only then does asyncio send small answers at once, and not 40 ms later (TCP_NODELAY).
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", int(port)))
    here = bound.getsockname()[1]
    app = store_app(Path(folder)) if role == "store" else gateway(Path(folder), here, upstream)
    if port == "0":
        (Path(folder) / "port.new").write_text(str(here))
        (Path(folder) / "port.new").replace(Path(folder) / "port")
    config = uvicorn.Config(app, host="127.0.0.1", port=here, log_level="error", timeout_graceful_shutdown=1)
    await uvicorn.Server(config).serve(sockets=[bound])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

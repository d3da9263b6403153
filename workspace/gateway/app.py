"""The gateway on the web: the HTTP surface of docs/seams.md as a Starlette application.

``app.state.gateway`` is the `Gateway`; the lifespan starts and closes it, and an application that mounts this one calls
``await app.state.gateway.start()`` and ``close()`` itself. Never serves anything but what docs/seams.md names.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from workspace.clock import Clock
from workspace.fhir.service import FhirService
from workspace.gateway import reports
from workspace.gateway.draft_routes import DraftRoutes
from workspace.gateway.fhir_routes import FhirRoutes, body_of
from workspace.gateway.gateway import Gateway
from workspace.gateway.refused import Refused, bad_request
from workspace.gateway.sealed_routes import SealedRoutes
from workspace.gateway.settings import GatewaySettings
from workspace.gateway.tokens import TokenCheck
from workspace.gateway.web import fhir_response, json_bytes
from workspace.gateway.wellknown import WellKnown
from workspace.gateway.wipes import WipeRoutes

__all__ = ["Gateway", "GatewaySettings", "TokenCheck", "gateway_app"]

LARGEST_REPORT = 2 * 1024 * 1024
_METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]


def gateway_app(
    service: FhirService,
    *,
    settings: GatewaySettings,
    tokens: TokenCheck,
    clock: Clock,
    health: Callable[[], Mapping[str, Any]],
) -> Starlette:
    """The application in front of `service`. `health` is the body of ``/health`` (docs/seams.md)."""
    gateway = Gateway(service, settings=settings, tokens=tokens, clock=clock, health=health)
    open_to_all, fhir, rest, drafts = WellKnown(gateway), FhirRoutes(gateway), _Rest(gateway), DraftRoutes(gateway)
    wipes = WipeRoutes(gateway)
    sealed = SealedRoutes(gateway, fhir)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await gateway.start()
        try:
            yield
        finally:
            await gateway.close()

    app = Starlette(
        routes=[
            Route("/.well-known/clinician-workspace", open_to_all.description),
            Route("/health", open_to_all.health),
            Route("/time", open_to_all.time),
            Route("/changes", rest.changes),
            Route("/changes/poll", rest.poll),
            Route("/audit", rest.audit, methods=["POST"]),
            Route("/transactions/{key}", rest.transaction),
            Route("/drafts", _guarded(drafts.all)),
            Route("/drafts/{id}", _guarded(drafts.one), methods=["GET", "PUT", "DELETE"]),
            Route("/wipes", _guarded(wipes.pending)),
            Route("/wipe/{id}/done", _guarded(wipes.done), methods=["POST"]),
            Route("/session/key", _guarded(sealed.register), methods=["POST"]),
            Route("/session/key/{id}/revoke", _guarded(sealed.revoke), methods=["POST"]),
            Route("/sealed", _guarded(sealed.deliver), methods=["POST"]),
            Route("/fhir", _guarded(fhir.handle), methods=_METHODS),
            Route("/fhir/{path:path}", _guarded(fhir.handle), methods=_METHODS),
        ],
        lifespan=lifespan,
    )
    app.state.gateway = gateway
    return app


Handler = Callable[[Request], Awaitable[Response]]


def _guarded(handler: Handler) -> Handler:
    """A refusal that reaches the edge becomes its OperationOutcome."""

    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except Refused as refusal:
            return fhir_response(refusal.response())
        except ClientDisconnect:
            return Response(status_code=400)

    return guarded


class _Rest:
    """The feed and the broker's reports."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.changes = _guarded(self._changes)
        self.poll = _guarded(self._poll)
        self.audit = _guarded(self._audit)
        self.transaction = _guarded(self._transaction)

    async def _changes(self, request: Request) -> Response:
        gateway = self._gateway
        bearer = await gateway.bearer(request.headers)
        # A browser's own client keeps the address it began with: what it last saw counts when it is more.
        since = max(_number(request.query_params.get("since")), _number(request.headers.get("last-event-id")))
        gateway.feed.admit(bearer.sid)

        async def who() -> Any:
            return await gateway.asking(bearer, request.headers)

        asking = await who()
        stream = gateway.feed.stream(
            since, who, asking, asking.author, gateway.drafts.revision, lambda: gateway.tokens.alive(bearer)
        )
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream, headers=headers, media_type="text/event-stream")

    async def _poll(self, request: Request) -> Response:
        gateway = self._gateway
        asking = await gateway.asking(await gateway.bearer(request.headers), request.headers)
        since = _number(request.query_params.get("since"))
        revision = await gateway.drafts.revision(asking.author)
        told = gateway.feed.poll(since, request.query_params.get("sight", ""), asking, revision)
        return Response(told, headers={"Cache-Control": "no-store"}, media_type="application/json")

    async def _transaction(self, request: Request) -> Response:
        """What became of a transaction: how a client learns it when the answer was lost."""
        gateway, key = self._gateway, request.path_params["key"]
        bearer = await gateway.bearer(request.headers)
        outcome = await gateway.writes.asked_again(bearer.subject.sub, key)
        if outcome is None:
            raise Refused(404, "no-transaction", "Ingenting er skrevet under denne nøkkelen.", issue="not-found")
        told = {"key": key, "status": outcome.status or None}
        if not outcome.status:
            return json_bytes(orjson.dumps(told), 202, {"Retry-After": "1"})
        # The body is kept as bytes: the first answer is given back as it was.
        return json_bytes(orjson.dumps(told)[:-1] + b',"body":' + (outcome.body or b"null") + b"}")

    async def _audit(self, request: Request) -> Response:
        gateway = self._gateway
        bearer = await gateway.bearer(request.headers)
        asking = await gateway.asking(bearer, request.headers)
        try:
            body = orjson.loads(await body_of(request, LARGEST_REPORT))
        except orjson.JSONDecodeError as error:
            raise bad_request("bad-report", "Rapporten til loggen kan ikke leses.", "not JSON") from error
        kept = reports.accesses(asking, gateway.auditing, body)
        for done in gateway.auditing.reported(kept, bearer.sid):
            await asyncio.shield(done)
        return Response(status_code=204)


def _number(text: str | None) -> int:
    """A number of the feed, 0 for none. Raises Refused 400."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise bad_request("bad-since", "Strømmens nummer kan ikke leses.", "since is a whole number")
    return int(text)

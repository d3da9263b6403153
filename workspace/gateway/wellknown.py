"""What anybody may ask without signing on: where the platform's parts are, how it is, and what time it has."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from workspace import __version__
from workspace.clock import instant
from workspace.gateway.gateway import Gateway


class WellKnown:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def description(self, request: Request) -> Response:
        settings = self._gateway.settings
        origin = settings.origin.rstrip("/")
        return _json(
            {
                "name": settings.name,
                "organization_number": settings.organization_number,
                "sandbox": settings.sandbox,
                "version": __version__,
                "issuer": settings.issuer,
                "client_id": settings.client_id,
                "fhir": settings.base,
                "changes": f"{origin}/changes",
                "audit": f"{origin}/audit",
                "time": f"{origin}/time",
                "health": f"{origin}/health",
            }
        )

    async def health(self, request: Request) -> Response:
        return _json(dict(self._gateway.health()))

    async def time(self, request: Request) -> Response:
        clock = self._gateway.clock
        rate = float(getattr(clock, "rate", 1.0))
        return _json({"now": instant(clock.now()), "rate": rate, "real": instant(clock.real())})


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), headers={"Cache-Control": "no-store"}, media_type="application/json")

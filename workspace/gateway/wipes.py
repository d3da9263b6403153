"""Orders to delete what was copied to a workstation (docs/seams.md, *Wipe orders*): kept until each device has answered.

An order names a person, a device, or everybody's. It is told on the feed and again whenever the device asks. Never deletes
anything itself, and never learns what lay on the device.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import orjson
from starlette.requests import Request
from starlette.responses import Response

from workspace.access.decision import Decision
from workspace.clock import Clock
from workspace.gateway.refused import Refused, bad_request
from workspace.gateway.store import GatewayStore
from workspace.gateway.web import json_bytes

if TYPE_CHECKING:
    from workspace.gateway.asking import Asking
    from workspace.gateway.gateway import Gateway

ANY = "*"
KEPT_SECONDS = 30 * 86_400
"""An order to all devices; nobody knows how many there are. One to a named device stays until it has answered."""
PACKAGE = "workspace.wipe"
_PERSON = re.compile(r"\*|Practitioner/[A-Za-z0-9\-.]{1,64}")
_DEVICE = re.compile(r"\*|[\x20-\x7eÆØÅæøå]{1,64}")
_REASON = re.compile(r"[^\x00-\x1f]{3,300}")

Told = Callable[[str, Mapping[str, Any]], None]
"""(person or ``*``, data of the event ``wipe``)."""


class Wipes:
    """`order`, `pending` for a device, and `done` when it has answered."""

    def __init__(self, store: GatewayStore, clock: Clock, tell: Told) -> None:
        self._store, self._clock, self._tell = store, clock, tell

    async def order(self, person: str, device: str, reason: str) -> str:
        """Give the order and return its id. Raises Refused 400 when it does not say who, where and why."""
        for text, pattern, name in (
            (person, _PERSON, "person"),
            (device, _DEVICE, "device"),
            (reason, _REASON, "reason"),
        ):
            if not isinstance(text, str) or not pattern.fullmatch(text):
                raise bad_request("bad-wipe", "Ordren om sletting kan ikke leses.", name)
        own, now = str(uuid4()), self._now()

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM wipe WHERE device = ? AND at < ?", (ANY, now - KEPT_SECONDS))
            connection.execute("DELETE FROM wiped WHERE id NOT IN (SELECT id FROM wipe)")
            connection.execute("INSERT INTO wipe VALUES (?, ?, ?, ?, ?)", (own, person, device, reason, now))

        await self._store.run(work)
        self._tell(person, {"id": own, "device": device, "reason": reason})
        return own

    async def pending(self, person: str, device: str) -> list[dict[str, Any]]:
        """What this device has not answered yet, the oldest first."""
        query = (
            "SELECT id, device, reason FROM wipe WHERE person IN (?, ?) AND device IN (?, ?) AND (device <> ? OR at >= ?)"
            " AND id NOT IN (SELECT id FROM wiped WHERE device = ?) ORDER BY at, id"
        )
        given = (person, ANY, device, ANY, ANY, self._now() - KEPT_SECONDS, device)
        rows = await self._store.run(lambda connection: list(connection.execute(query, given)))
        return [{"id": own, "device": named, "reason": reason} for own, named, reason in rows]

    async def done(self, person: str, device: str, own: str) -> str:
        """The device has done it; the order's reason, "" when there is no such order for this person and device. May be
        called twice."""

        def work(connection: sqlite3.Connection) -> str:
            query = "SELECT reason FROM wipe WHERE id = ? AND person IN (?, ?) AND device IN (?, ?)"
            found = connection.execute(query, (own, person, ANY, device, ANY)).fetchone()
            if found is None:
                return ""
            connection.execute("INSERT OR IGNORE INTO wiped VALUES (?, ?, ?)", (own, device, self._now()))
            return str(found[0])

        return await self._store.run(work)

    def _now(self) -> int:
        return int(self._clock.real().timestamp())


class WipeRoutes:
    """``GET /wipes`` and ``POST /wipe/{id}/done``, by a workstation that names itself in ``X-Workspace-Device``."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def pending(self, request: Request) -> Response:
        _, person, device = await self._who(request)
        orders = await self._gateway.wipes.pending(person, device)
        return json_bytes(orjson.dumps({"orders": orders}), 200)

    async def done(self, request: Request) -> Response:
        asking, person, device = await self._who(request)
        own = request.path_params["id"]
        reason = await self._gateway.wipes.done(person, device, own)
        if not reason:
            raise Refused(404, "no-wipe", "Det finnes ingen slik ordre om sletting.", issue="not-found")
        said = f"Kopiene på arbeidsflaten er slettet etter ordre: {reason}"
        decision = Decision("permit", "permit", "R-34", "Normen kap. 5.2", said)
        access = self._gateway.auditing.access(asking, "wipe", PACKAGE, (), "Device/offline-copies", decision)
        event = str(uuid5(NAMESPACE_URL, f"{own} {device}"))  # an answer that is repeated is one event
        for each in self._gateway.auditing.reported([(event, access)], asking.bearer.sid):
            await asyncio.shield(each)
        return Response(status_code=204)

    async def _who(self, request: Request) -> tuple[Asking, str, str]:
        asking = await self._gateway.asking(await self._gateway.bearer(request.headers), request.headers)
        device = request.headers.get("x-workspace-device", "")
        if device == ANY or not _DEVICE.fullmatch(device):
            raise bad_request("bad-device", "Arbeidsflaten sier ikke hvilken den er.", "X-Workspace-Device")
        return asking, asking.subject.practitioner or asking.subject.sub, device

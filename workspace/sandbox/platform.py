"""The embedded platform put together: store, identity provider, gateway and the synthetic home, on one origin.

The one place that calls their makers. Serves nothing itself and knows no socket.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workspace.problem import Problem
from workspace.sandbox import seeding
from workspace.sandbox.day import Day
from workspace.sandbox.folder import Folder

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from workspace.gateway.gateway import Gateway
    from workspace.sandbox.fhir import Store

_LOG = logging.getLogger("workspace.sandbox")
_GATEWAY_DAMAGED = "Sandkassens logg og kladder er skadet og kan ikke leses."


class Platform:
    """One platform over one folder. `await start()`, then `fill()` as a task, `await close()` at the end.

    Args:
        origin: ``http://127.0.0.1:8650``.
        progress: told how the filling goes.
    """

    def __init__(self, folder: Folder, day: Day, origin: str, progress: seeding.Progress) -> None:
        self._folder = folder
        self._day = day
        self._origin = origin
        self._progress = progress
        self._store: Store | None = None
        self._gateway: Gateway | None = None
        self._up = False

    async def start(self) -> Starlette:
        """Open the data and build the app. Raises Problem ``sandbox-damaged`` and what the rooms raise."""
        done = seeding.resume(self._folder, self._progress)
        app_of = await asyncio.to_thread(self._build)
        assert self._store is not None
        try:
            await self._store.start()
        except Problem as problem:
            self._store = None
            raise _told(problem) from problem
        app = app_of()
        assert self._gateway is not None
        try:
            await self._gateway.start()
        except Problem as problem:
            cause = problem.__cause__
            # Locked and full are OperationalError: nothing that a reset would mend.
            if isinstance(cause, sqlite3.DatabaseError) and not isinstance(cause, sqlite3.OperationalError):
                problem = Problem("gateway-damaged", _GATEWAY_DAMAGED, detail=problem.detail)
            raise _told(problem) from cause
        self._up = True
        _LOG.info("platform built, %d chunks of history in place", done)
        return app

    def _build(self) -> Callable[[], Starlette]:
        """In a thread: importing, reading definitions and making a key take longer than the loop may wait."""
        from starlette.applications import Starlette
        from starlette.routing import Mount

        from workspace.gateway.app import gateway_app
        from workspace.gateway.settings import GatewaySettings
        from workspace.gateway.tokens import TokenCheck
        from workspace.sandbox.fhir import Store
        from workspace.sandbox.home import definitions
        from workspace.sandbox.identity.app import identity_app
        from workspace.sandbox.identity.client import CLIENT_ID

        store = self._store = Store(self._folder.fhir, self._day)
        home = definitions.load()
        issuer = f"{self._origin}/identity"
        try:
            identity = identity_app(issuer, home.people(), self._folder.path, self._day, audience=self._origin)
        except Problem as problem:
            raise _told(problem) from problem
        settings = GatewaySettings(
            name="Fjellheim sykehjem",
            organization_number="311000101",
            sandbox=True,
            issuer=issuer,
            client_id=CLIENT_ID,
            origin=self._origin,
            store_path=self._folder.gateway,
        )

        def app() -> Starlette:
            # In process: the provider is a part of this server, which must not wait for an answer of its own.
            provider = identity.state.provider
            tokens = TokenCheck(issuer, self._origin, self._day, keys=provider.keys.jwks, ended=provider.sessions.ended)
            gateway = gateway_app(store, settings=settings, tokens=tokens, clock=self._day, health=self.health)
            self._gateway = gateway.state.gateway
            provider.sessions.on_end(self._gateway.end_session)
            return Starlette(routes=[Mount("/identity", identity), Mount("/", gateway)])

        return app

    def health(self) -> dict[str, Any]:
        """The body of ``/health`` (docs/seams.md)."""
        told = self._progress.health()
        if not self._up:
            # Today may lie in the file from last time, but nobody can ask for it yet.
            told |= {"state": "seeding", "services": {"fhir": "starting", "identity": "starting"}}
            return told
        return told | {"services": {"fhir": "ok", "identity": "ok"}}

    async def fill(self) -> None:
        """Fill the store until all history is in; tell the sessions when older history came. May be cancelled."""
        from workspace.sandbox.home import producer

        if self._progress.complete:
            return
        assert self._store is not None
        days = self._progress.history_days
        await seeding.fill(
            self._folder,
            self._store,
            lambda done: producer.produce(days, base="", skip_chunks=done),
            self._progress,
        )
        if self._gateway is not None:
            self._gateway.announce_resync("history")
        _LOG.info("all history is in place")

    async def merge(self, source: str, into: str) -> int:
        """Make two patients' records one (`sandbox.merge`). Raises Problem."""
        from workspace.sandbox.merge import merge

        assert self._store is not None
        return await merge(self._store, source, into)

    async def wipe(self, person: str, device: str, reason: str) -> str:
        """Order workstations to delete what was copied to them; the order's id. Raises Problem ``bad-wipe``."""
        assert self._gateway is not None
        return await self._gateway.wipes.order(person, device, reason)

    def end_streams(self) -> None:
        """End open streams of changes, so that the server can stop; other requests may still finish."""
        if self._gateway is not None:
            self._gateway.end_feeds()

    async def close(self) -> None:
        """Close the data. May be called twice, and when `start` failed."""
        if self._gateway is not None:
            gateway, self._gateway = self._gateway, None
            await gateway.close()
        if self._store is not None:
            store, self._store = self._store, None
            await store.close()


def _told(problem: Problem) -> Problem:
    """`problem` as the sandbox tells it: for damaged data there is a command that helps."""
    if not problem.code.endswith("-damaged"):
        return problem
    return Problem(
        "sandbox-damaged",
        problem.sentence,
        "Kjør «workspace sandbox serve --reset»: da legges det skadde til side og dataene lages på nytt.",
        problem.detail,
    )

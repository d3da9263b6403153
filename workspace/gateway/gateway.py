"""The gateway itself: its parts wired together, and their life. Knows no HTTP; `app` puts it on the web."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workspace.clock import Clock
from workspace.fhir.merges import circular, replaced_by
from workspace.fhir.service import FhirRequest, FhirResponse, FhirService, Resource
from workspace.gateway import asking
from workspace.gateway.asking import Asking
from workspace.gateway.auditing import Auditing
from workspace.gateway.book import WATCHED, Book
from workspace.gateway.drafts import Drafts, taken_of
from workspace.gateway.feed import Change, Feed
from workspace.gateway.idempotency import Keys
from workspace.gateway.intents import Intents
from workspace.gateway.pages import Pages
from workspace.gateway.reads import Reads
from workspace.gateway.refused import Refused
from workspace.gateway.searches import Searches
from workspace.gateway.session_keys import SessionKeys
from workspace.gateway.settings import GatewaySettings
from workspace.gateway.sight import about, versions
from workspace.gateway.store import GatewayStore
from workspace.gateway.tokens import Bearer, TokenCheck
from workspace.gateway.wipes import Wipes
from workspace.gateway.writes import Writes
from workspace.problem import Problem

logger = logging.getLogger(__name__)


class Gateway:
    """``await start()`` when the service has started; ``await close()`` before it closes. Both may be called twice.

    A service that has `on_commit` tells of every change; of another the gateway tells its own writes only.
    """

    def __init__(
        self,
        service: FhirService,
        *,
        settings: GatewaySettings,
        tokens: TokenCheck,
        clock: Clock,
        health: Callable[[], Mapping[str, Any]],
    ) -> None:
        self.service = service
        self.settings = settings
        self.tokens = tokens
        self.clock = clock
        self.health = health
        self.store = GatewayStore(settings.store_path)
        self.book = Book(service, clock, settings.base, self._replaced)
        self.auditing = Auditing(service, self.store, settings)
        self.feed = Feed(self.store, clock, self)
        self.drafts = Drafts(self.store, settings, clock, self.feed.tell)
        self.wipes = Wipes(self.store, clock, self.feed.order)
        self.session_keys = SessionKeys(self.store, clock)
        self.searches = Searches(service, self.auditing, Pages(settings), settings.base)
        self.reads = Reads(service, self.auditing, settings.base)
        self._keys = Keys(self.store, clock)
        self.intents = Intents(service, self.auditing, self.store, clock, self._let_go)
        self.writes = Writes(service, self.auditing, self._keys, self.intents, settings.base)
        self._listen = getattr(service, "on_commit", None)
        self._undo: Callable[[], None] | None = None
        self._state = asyncio.Lock()
        self._started = False

    async def start(self) -> None:
        async with self._state:
            if self._started:
                return
            try:
                await self._begin()
            except BaseException:
                await self._end()
                raise
            self._started = True

    async def _begin(self) -> None:
        await self.store.start()
        await self._keys.prune()
        await self.drafts.start()
        await self.feed.start()
        self.auditing.start()
        await self.intents.complete()
        if self._listen is not None:
            self._undo = self._listen(self._committed)

    async def close(self) -> None:
        """End the streams, write the log that waits, close the file."""
        async with self._state:
            if not self._started:
                return
            self._started = False
            await self._end()

    async def _end(self) -> None:
        if self._undo is not None:
            self._undo()
            self._undo = None
        await self.feed.close()
        await self.drafts.close()
        await self.session_keys.close()
        await self.intents.close()
        await self.auditing.close()
        await self.store.close()

    def announce_resync(self, reason: str) -> None:
        """Tell every session to fetch anew, e.g. when the sandbox has filled in older history."""
        self.book.forget()
        self.feed.announce_resync(reason)

    def end_session(self, sid: str) -> None:
        """A session was signed out: its streams end now. Its key still counts for what was made in it."""
        self.session_keys.end(sid)
        self.feed.end_session(sid)

    def end_feeds(self) -> None:
        """End every stream, so that a web server that waits for its connections can stop."""
        self.feed.end_all()

    async def bearer(self, headers: Mapping[str, str]) -> Bearer:
        """Who asks, signed on strongly enough. Raises Refused 401 or 403 ``level``."""
        bearer = await self.tokens.check(headers.get("authorization", ""))
        if bearer.level < self.settings.security_level:
            raise Refused(
                403,
                "level",
                "Innloggingen er ikke sikker nok for pasientopplysninger.",
                f"Logg inn på nytt med sikkerhetsnivå {self.settings.security_level}.",
                f"security level {bearer.level}",
                issue="forbidden",
            )
        return bearer

    async def asking(self, bearer: Bearer, headers: Mapping[str, str]) -> Asking:
        decisions = await self.book.for_person(bearer.subject.practitioner)
        return asking.read(bearer, decisions, self.clock.now(), headers)

    def written(self, answer: FhirResponse) -> None:
        """Number the gateway's own write for a service that announces nothing."""
        if self._listen is not None or answer.status not in (200, 201) or not answer.body:
            return
        body = answer.body
        rows = (
            [body]
            if body.get("resourceType") != "Bundle"
            else [e["resource"] for e in body["entry"] if "resource" in e]
        )
        self._committed([(r["resourceType"], r["id"], _version(r), r) for r in rows if r.get("id")])

    def _committed(self, changes: Sequence[Change]) -> None:
        if any(kind in WATCHED for kind, _, _, _ in changes):
            self.book.forget()
        self.feed.publish(changes)

    async def _let_go(self, author: str, given: str) -> None:
        """What was written is no draft any more. A draft that stays is a smaller fault than a write that is said to fail."""
        taken = taken_of(given)
        if taken is None:
            return
        try:
            await self.drafts.written(author, taken)
        except (Problem, sqlite3.Error):
            logger.exception("a draft that was written could not be taken away")

    # What the feed looks up ---------------------------------------------------------------------------------------

    async def about(self, resource: Resource, known: dict[str, Resource]) -> tuple[str, ...]:
        return await about(self.service, resource, self.settings.base, known)

    async def former(self, changes: Sequence[Change]) -> list[Resource | None]:
        """The version before each of `changes`, in one request; None where there is none, or nobody can say."""
        return await versions(self.service, [f"{kind}/{own}/_history/{number - 1}" for kind, own, number, _ in changes])

    async def merged(self, source: str, into: str) -> None:
        """Drafts about the one who goes are about the one who stays from now on; where the links lead back nobody does."""
        if not await self._leads_back(source, into):
            await self.drafts.moved(source, into)
        row = (_told(source, into),)
        await self.store.run(lambda c: c.execute("INSERT OR IGNORE INTO logged VALUES (?)", row))

    async def _leads_back(self, source: str, into: str) -> bool:
        links, last = {source: into}, into
        while not circular(source, links):
            answer = await self.service.handle(FhirRequest("GET", last))
            there = replaced_by(answer.body, self.settings.base) if answer.status == 200 and answer.body else ""
            if not there:
                return False
            links[last], last = there, there
        return True

    async def knows(self, source: str, into: str) -> bool:
        row = (_told(source, into),)
        return (
            await self.store.run(lambda c: c.execute("SELECT 1 FROM logged WHERE key = ?", row).fetchone()) is not None
        )

    def _replaced(self, source: str, into: str) -> None:
        """A merge that was read and not announced: behind a service that announces nothing, there is no other sign."""
        if self._listen is None:
            self.feed.announce_merge(source, into)


def _told(source: str, into: str) -> str:
    return f"merge {source} {into}"


def _version(resource: Resource) -> int:
    text = str((resource.get("meta") or {}).get("versionId", ""))
    return int(text) if text.isdigit() else 0

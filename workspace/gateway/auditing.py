"""The log: makes AuditEvents of what was read, written and refused, chains them, and sees that they reach the platform.

An event is first in the gateway's own file, then on the platform, in the order of its session's chain. Reads are logged by a
task; a write's log is waited for. Never announces its events in the change feed and never loses one that was accepted.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID, uuid4, uuid5

import orjson

from workspace.access.audit import GENESIS, Access, audit_event, chain_of, chained
from workspace.access.decision import Decision
from workspace.clock import instant
from workspace.fhir.service import FhirRequest, FhirService, Resource
from workspace.gateway.asking import Asking
from workspace.gateway.settings import GatewaySettings
from workspace.gateway.store import GatewayStore

logger = logging.getLogger(__name__)

REMEMBERED = 20_000
GATHER_SECONDS = 0.03
RETRY_SECONDS = 2.0
BATCH = 100
_UNLOGGED = "SELECT 1 FROM intent WHERE key = ? AND logged = 0"


@dataclass(slots=True)
class _Entry:
    access: Access
    session: str
    own: str
    once: str
    """Logged only the first time this key is seen; empty: always."""
    done: asyncio.Future[None] | None = None
    intent: str = ""
    """The key of the write it tells of."""


class Auditing:
    """``start()``, then `read`, `written`, `refused`, `reported`; ``await close()`` flushes."""

    def __init__(self, service: FhirService, store: GatewayStore, settings: GatewaySettings) -> None:
        self._service = service
        self._store = store
        self._settings = settings
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._waiting: list[_Entry] = []
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def start(self) -> None:
        self._closing = False
        self._awake.set()  # what a former run left in the outbox goes first
        self._task = asyncio.create_task(self._work(), name="gateway-audit")

    async def close(self) -> None:
        """Write what waits; what the platform does not take stays in the outbox for the next start."""
        self._closing = True
        self._awake.set()
        task, self._task = self._task, None
        if task is not None:
            await task

    # What is logged -----------------------------------------------------------------------------------------------

    def read(
        self, asking: Asking, kind: str, shape: str, patients: Iterable[str], decision: Decision, *, reason: str = ""
    ) -> None:
        """A read or search that was answered; once for each person, package, patients, purpose, shape and context, but one
        that gave a `reason` always."""
        named = tuple(sorted(set(patients)))
        for package in asking.packages:
            if reason:
                self._add(asking, kind, package, named, shape, decision, reason=reason)
                continue
            parts = (asking.bearer.sid, package, *named, asking.purpose, shape, asking.context)
            once = hashlib.sha256("\n".join(parts).encode()).hexdigest()
            if once in self._seen:
                self._seen.move_to_end(once)
                continue
            self._remember(once)
            self._add(asking, kind, package, named, shape, decision, once=once)

    def refused(self, asking: Asking, shape: str, patients: Iterable[str], decision: Decision) -> None:
        for package in asking.packages:
            self._add(asking, "refused", package, tuple(sorted(set(patients))), shape, decision)

    async def written(self, intent: str, accesses: Iterable[Access], session: str, versions: tuple[str, ...]) -> None:
        """The events of the write that began as `intent`, on the platform (or safe in the outbox) when this returns.

        Logged only when the intent is there and not logged yet, so a write is in the log once, whoever completes it.
        """
        done = []
        for access in accesses:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            entry = _Entry(replace(access, versions=versions), session, str(uuid4()), "", future, intent)
            self._waiting.append(entry)
            done.append(future)
        self._awake.set()
        for future in done:
            await asyncio.shield(future)

    def reported(self, accesses: Iterable[tuple[str, Access]], session: str) -> list[asyncio.Future[None]]:
        """The broker's reports, each with its id (a UUID); an id seen before changes nothing."""
        done = []
        for own, access in accesses:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            # Of the session too: nobody's report may become a new version of another's event.
            event = str(uuid5(UUID(own), session))
            self._waiting.append(_Entry(access, session, event, f"report {event}", future))
            done.append(future)
        self._awake.set()
        return done

    def access(
        self, asking: Asking, kind: str, package: str, patients: tuple[str, ...], shape: str, decision: Decision
    ) -> Access:
        return Access(
            kind,  # type: ignore[arg-type]
            asking.subject,
            package,
            patients,
            asking.purpose,
            shape,
            decision,
            instant(asking.now),
            unit=asking.unit(patients),
            organization=self._settings.organization_number,
            organization_name=self._settings.name,
            context=asking.context,
            request=asking.request,
            device=asking.device,
        )

    def _add(
        self,
        asking: Asking,
        kind: str,
        package: str,
        patients: tuple[str, ...],
        shape: str,
        decision: Decision,
        *,
        once: str = "",
        reason: str = "",
    ) -> None:
        access = replace(self.access(asking, kind, package, patients, shape, decision), reason=reason)
        self._waiting.append(_Entry(access, asking.bearer.sid, str(uuid4()), once))
        self._awake.set()

    def _remember(self, once: str) -> None:
        self._seen[once] = None
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    # How it gets there --------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        delivered = True
        while True:
            if not self._awake.is_set():
                if self._closing:
                    return
                # What the platform did not take is tried again, also when nobody reads.
                try:
                    async with asyncio.timeout(None if delivered else RETRY_SECONDS):
                        await self._awake.wait()
                except TimeoutError:
                    pass
            self._awake.clear()
            if not self._closing and not any(entry.done for entry in self._waiting):
                await asyncio.sleep(GATHER_SECONDS)  # one transaction for what a screen reads at once
            batch, self._waiting = self._waiting, []
            if not await self._kept(batch):
                if self._closing:
                    return
                await asyncio.sleep(RETRY_SECONDS)
                self._awake.set()
                continue
            try:
                delivered = await self._deliver(batch)
            except sqlite3.Error:
                # The events are in the outbox: they go at the next try, and nobody needs to wait for that.
                logger.exception("the log's outbox cannot be read")
                _release(batch)
                delivered = False

    async def _kept(self, batch: list[_Entry]) -> bool:
        """Put the events in the outbox; when the disk refuses, they wait, and the writes they log wait with them."""
        if not batch:
            return True
        try:
            await self._store.run(lambda connection: _keep(connection, batch))
        except sqlite3.Error:
            logger.exception("the log cannot be written")
            self._waiting = [*batch, *self._waiting]
            return False
        return True

    async def _deliver(self, batch: list[_Entry]) -> bool:
        """Send the outbox to the platform, then let those go who wait for `batch`. False when it was not taken."""
        while True:
            events = await self._store.run(_next)
            taken = not events or await self._send([orjson.loads(body) for _, body in events])
            if not taken or len(events) < BATCH:
                # What the platform did not take is safe in the outbox: nobody needs to wait for it.
                _release(batch)
            if not taken:
                return False
            if events:
                last = events[-1][0]
                await self._store.run(lambda connection, last=last: _delivered(connection, last))  # type: ignore[misc]
            if len(events) < BATCH:
                return True

    async def _send(self, events: list[Resource]) -> bool:
        entries = [
            {"resource": each, "request": {"method": "PUT", "url": f"AuditEvent/{each['id']}"}} for each in events
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = await self._service.handle(FhirRequest("POST", "", headers={"prefer": "return=minimal"}, body=bundle))
        if answer.status >= 300:
            logger.error("the platform did not take %d audit events: %d", len(events), answer.status)
        return answer.status < 300


def _release(batch: list[_Entry]) -> None:
    for entry in batch:
        if entry.done is not None and not entry.done.done():
            entry.done.set_result(None)


def _keep(connection: sqlite3.Connection, batch: list[_Entry]) -> None:
    """Chain the events and put them in the outbox, all in one transaction."""
    told = {entry.intent for entry in batch if entry.intent}
    fresh = {key for key in told if connection.execute(_UNLOGGED, (key,)).fetchone()}
    for entry in batch:
        if entry.intent and entry.intent not in fresh:
            continue
        if entry.once:
            new = connection.execute("INSERT OR IGNORE INTO logged VALUES (?)", (entry.once,)).rowcount
            if not new:
                continue
        row = connection.execute("SELECT number, hash FROM chain WHERE session = ?", (entry.session,)).fetchone()
        number, previous = row or (0, GENESIS)
        event = chained(audit_event(entry.access, entry.own), entry.session, number + 1, previous)
        link = (entry.session, number + 1, chain_of(event)["hash"])
        connection.execute("INSERT OR REPLACE INTO chain VALUES (?, ?, ?)", link)
        connection.execute("INSERT INTO outbox (id, body) VALUES (?, ?)", (entry.own, orjson.dumps(event)))
    for key in fresh:
        # One the client may ask for again stays until its outcome is kept.
        connection.execute("UPDATE intent SET logged = 1 WHERE key = ? AND asked", (key,))
        connection.execute("DELETE FROM intent WHERE key = ? AND NOT asked", (key,))


def _next(connection: sqlite3.Connection) -> list[tuple[int, bytes]]:
    return connection.execute("SELECT place, body FROM outbox ORDER BY place LIMIT ?", (BATCH,)).fetchall()


def _delivered(connection: sqlite3.Connection, last: int) -> None:
    connection.execute("DELETE FROM outbox WHERE place <= ?", (last,))

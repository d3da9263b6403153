"""A transaction's key: the first outcome is the only one, however often it is sent (docs/seams.md, `Idempotency-Key`).

A repeat at the same time waits for the first. A key without an outcome (the gateway stopped midway) is looked for on the
platform by the tag that every written resource carries. The key is taken when the write begins (`intents`). Never decides
access.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from workspace.clock import Clock
from workspace.fhir import json
from workspace.fhir.service import FhirResponse, Resource
from workspace.gateway.intents import ENTRY, TRANSACTION, version_of
from workspace.gateway.refused import Refused, bad_request
from workspace.gateway.store import GatewayStore

KEY = re.compile(r"[A-Za-z0-9\-]{8,64}")
KEPT_DAYS = 30
KEPT_STATUS = frozenset({200, 201, 400, 422})
"""Outcomes that stand. Others (access, overload, a failure) may be different the next time."""
CLASHES = frozenset({409, 412})
"""The platform's: contention passes, and an unexpected 412 may have been its own doing. The next repeat looks for the tag,
and only then asks again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`body` is the answer's bytes, the same for every repeat."""

    status: int
    body: bytes
    resource: Resource | None = None


class Keys:
    """`once` runs `work` at most once for a key that has an outcome."""

    def __init__(self, store: GatewayStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._running: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}

    async def prune(self) -> None:
        """Forget answers older than `KEPT_DAYS`: they hold clinical data, and no outbox waits so long."""
        oldest = int(self._clock.real().timestamp()) - KEPT_DAYS * 86_400

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM answer WHERE at < ?", (oldest,))
            connection.execute("DELETE FROM intent WHERE logged = 1 AND at < ?", (oldest,))

        await self._store.run(work)

    async def kept(self, key: str) -> tuple[str, Outcome | None, bool] | None:
        """Whose `key` is, its outcome if there is one, and whether it is under way; None for a key never used."""
        if not KEY.fullmatch(key):
            return None
        row = await self._store.run(
            lambda c: c.execute("SELECT author, status, body FROM answer WHERE key = ?", (key,)).fetchone()
        )
        if row is None:
            return ("", None, True) if key in self._running else None
        outcome = Outcome(row[1], row[2]) if row[1] is not None else None
        return row[0], outcome, key in self._running

    async def once(
        self,
        key: str,
        author: str,
        digest: str,
        work: Callable[[], Awaitable[FhirResponse]],
        recover: Callable[[bool], Awaitable[FhirResponse | None]],
        *,
        repeat: bool = False,
    ) -> Outcome:
        """`recover` is told whether it is known here whose the key is. `repeat`: whoever sends it does not know what became
        of an earlier sending, so it is looked for on the platform also when nothing is known of the key here (a gateway
        that lost its file).

        Raises Refused 400 for a key that is none and 422 for a key that stands for something else."""
        if not KEY.fullmatch(key):
            raise bad_request("bad-key", "Forsendelsens nøkkel kan ikke brukes.", "Idempotency-Key is a UUID")
        lock = self._running.setdefault(key, asyncio.Lock())
        self._users[key] = self._users.get(key, 0) + 1
        try:
            async with lock:
                return await self._first(key, author, digest, work, recover, repeat)
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._running[key]

    async def _first(
        self,
        key: str,
        author: str,
        digest: str,
        work: Callable[[], Awaitable[FhirResponse]],
        recover: Callable[[bool], Awaitable[FhirResponse | None]],
        repeat: bool,
    ) -> Outcome:
        kept = await self._store.run(
            lambda c: c.execute("SELECT author, digest, status, body FROM answer WHERE key = ?", (key,)).fetchone()
        )
        if kept is not None and kept[:2] != (author, digest):
            raise reused("same key, other body")
        if kept is not None and kept[2] is not None:
            return Outcome(kept[2], kept[3])
        at = int(self._clock.real().timestamp())
        try:
            known = kept is not None
            answer = (await recover(known) if known or repeat else None) or await work()
        except Refused as refusal:
            status = refusal.status
            await self._store.run(lambda c: _settle(c, key, author, digest, at, status, b""))
            raise
        body = json.dumps(answer.body) if answer.body is not None else b""
        await self._store.run(lambda c: _settle(c, key, author, digest, at, answer.status, body))
        return Outcome(answer.status, body, answer.body)


def _settle(
    connection: sqlite3.Connection, key: str, author: str, digest: str, at: int, status: int, body: bytes
) -> None:
    if status in KEPT_STATUS and body:
        # A refusal before the write began has no row yet.
        row = (key, author, digest, status, body, at)
        connection.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?, ?)", row)
    elif status < 500 and not (status in CLASHES and body):
        connection.execute("DELETE FROM answer WHERE key = ? AND status IS NULL", (key,))
    if status < 500:
        connection.execute("DELETE FROM intent WHERE key = ?", (key,))
    # After a failure or a clash the outcome is unknown: the row stays, and the next repeat looks for the tag.


def reused(detail: str) -> Refused:
    return Refused(422, "key-reused", "Forsendelsens nøkkel er brukt til noe annet.", detail=detail)


def digest_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def tagged(resource: Resource, key: str, place: int) -> Resource:
    """`resource` marked as entry `place` of transaction `key`; marks of an earlier transaction go."""
    meta = dict(resource.get("meta") or {})
    held = meta.get("tag")
    tags = (
        [t for t in held if isinstance(t, dict) and t.get("system") not in (TRANSACTION, ENTRY)]
        if isinstance(held, list)
        else []
    )
    meta["tag"] = [*tags, {"system": TRANSACTION, "code": key}, {"system": ENTRY, "code": str(place)}]
    return {**resource, "meta": meta}


def answered(places: Mapping[str, Resource], count: int) -> FhirResponse:
    """The answer to a transaction whose outcome is unknown, rebuilt from what it wrote at which place."""
    done = []
    for place in range(count):
        one = places.get(str(place))
        if one is None:
            done.append({"response": {"status": "200"}})
            continue
        version = str((one.get("meta") or {}).get("versionId") or "")
        response = {"status": "201" if version == "1" else "200", "location": version_of(one)}
        if version:
            response["etag"] = f'W/"{version}"'
        done.append({"resource": one, "response": response})
    return FhirResponse(200, {"resourceType": "Bundle", "type": "transaction-response", "entry": done})

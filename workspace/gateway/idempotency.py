"""A transaction's key: the first outcome is the only one, however often it is sent (docs/seams.md, `Idempotency-Key`).

A repeat at the same time waits for the first. A key without an outcome (the gateway stopped midway) is looked for on the
platform by the tag that every written resource carries. Never decides access.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson

from workspace.clock import Clock
from workspace.fhir.service import FhirRequest, FhirResponse, FhirService, Resource
from workspace.gateway.refused import Refused, bad_request
from workspace.gateway.store import GatewayStore

TRANSACTION = "urn:workspace:transaction"
ENTRY = "urn:workspace:entry"
KEY = re.compile(r"[A-Za-z0-9\-]{8,64}")
KEPT_DAYS = 30
KEPT_STATUS = frozenset({200, 201, 400, 409, 412, 422})
"""Outcomes that stand. Others (access, overload, a failure) may be different the next time."""


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
        await self._store.run(lambda c: c.execute("DELETE FROM answer WHERE at < ?", (oldest,)))

    async def once(
        self,
        key: str,
        author: str,
        digest: str,
        work: Callable[[], Awaitable[FhirResponse]],
        recover: Callable[[], Awaitable[FhirResponse | None]],
    ) -> Outcome:
        """Raises Refused 400 for a key that is none and 422 for a key that stands for something else."""
        if not KEY.fullmatch(key):
            raise bad_request("bad-key", "Forsendelsens nøkkel kan ikke brukes.", "Idempotency-Key is a UUID")
        lock = self._running.setdefault(key, asyncio.Lock())
        self._users[key] = self._users.get(key, 0) + 1
        try:
            async with lock:
                return await self._first(key, author, digest, work, recover)
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
        recover: Callable[[], Awaitable[FhirResponse | None]],
    ) -> Outcome:
        kept = await self._store.run(
            lambda c: c.execute("SELECT author, digest, status, body FROM answer WHERE key = ?", (key,)).fetchone()
        )
        if kept is not None and kept[:2] != (author, digest):
            raise Refused(
                422, "key-reused", "Forsendelsens nøkkel er brukt til noe annet.", detail="same key, other body"
            )
        if kept is not None and kept[2] is not None:
            return Outcome(kept[2], kept[3])
        if kept is None:
            row = (key, author, digest, int(self._clock.real().timestamp()))
            await self._store.run(lambda c: c.execute("INSERT INTO answer VALUES (?, ?, ?, NULL, NULL, ?)", row))
        try:
            answer = (await recover() if kept is not None else None) or await work()
        except Refused as refusal:
            status = refusal.status
            await self._store.run(lambda c: _settle(c, key, status, b""))
            raise
        body = orjson.dumps(answer.body) if answer.body is not None else b""
        await self._store.run(lambda c: _settle(c, key, answer.status, body))
        return Outcome(answer.status, body, answer.body)


def _settle(connection: sqlite3.Connection, key: str, status: int, body: bytes) -> None:
    if status in KEPT_STATUS and body:
        connection.execute("UPDATE answer SET status = ?, body = ? WHERE key = ?", (status, body, key))
    elif status < 500:
        connection.execute("DELETE FROM answer WHERE key = ? AND status IS NULL", (key,))
    # After a failure the outcome is unknown: the row stays, and the next repeat looks for the tag.


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


def tag_of(resource: Resource, system: str = TRANSACTION) -> str:
    """The code of the resource's tag in `system`; empty when it has none."""
    tags = (resource.get("meta") or {}).get("tag") or ()
    return next((str(tag.get("code", "")) for tag in tags if isinstance(tag, dict) and tag.get("system") == system), "")


async def found_again(service: FhirService, key: str, bundle: Resource) -> FhirResponse | None:
    """The answer to a transaction whose outcome is unknown, rebuilt from what it wrote; None when it wrote nothing."""
    entries = [entry for entry in bundle.get("entry") or () if isinstance(entry, dict)]
    kinds = dict.fromkeys(str((entry.get("resource") or {}).get("resourceType", "")) for entry in entries)
    places: dict[str, Resource] = {}
    for kind in filter(None, kinds):
        answer = await service.handle(FhirRequest("GET", kind, f"_tag={TRANSACTION}%7C{key}&_count=1000"))
        if answer.status != 200:
            raise Refused(
                503, "platform-failed", "Plattformen har en feil akkurat nå.", detail=f"recovery {answer.status}"
            )
        for row in (answer.body or {}).get("entry", ()):
            places[tag_of(row["resource"], ENTRY)] = row["resource"]
    if not places:
        return None
    done = []
    for place in range(len(entries)):
        one = places.get(str(place))
        if one is None:
            done.append({"response": {"status": "200"}})
            continue
        version = one["meta"]["versionId"]
        location = f"{one['resourceType']}/{one['id']}/_history/{version}"
        status = "201" if version == "1" else "200"
        done.append({"resource": one, "response": {"status": status, "etag": f'W/"{version}"', "location": location}})
    return FhirResponse(200, {"resourceType": "Bundle", "type": "transaction-response", "entry": done})

"""What a write is about to do and what the log will say of it, in the gateway's own file before the platform is asked.

A gateway that is killed between the platform's commit and its own log finds the intent at the next start, looks for the tag
that every written resource carries (in its history, when somebody has changed it since), and completes the log. Never does a
write again, and never logs one twice.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import orjson

from workspace.access.audit import Access
from workspace.access.decision import Decision, Subject
from workspace.clock import Clock
from workspace.fhir.service import FhirRequest, FhirService, Resource
from workspace.gateway.auditing import Auditing
from workspace.gateway.refused import Refused
from workspace.gateway.store import GatewayStore

logger = logging.getLogger(__name__)

TRANSACTION = "urn:workspace:transaction"
ENTRY = "urn:workspace:entry"
RETRY_SECONDS = 5.0
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Intent:
    """A write under `key`: resources of `kinds` in `count` entries, logged as `accesses`, one for each panel.

    `asked` says that the key is the client's own, under which it may ask again; `names` (``Type/id``) what it puts.
    """

    key: str
    author: str
    session: str
    kinds: tuple[str, ...]
    count: int
    accesses: tuple[Access, ...]
    asked: bool = False
    names: tuple[str, ...] = ()


class Intents:
    """`begin` before the write, `logged` or `dropped` after it; `complete` at start."""

    def __init__(self, service: FhirService, auditing: Auditing, store: GatewayStore, clock: Clock) -> None:
        self._service = service
        self._auditing = auditing
        self._store = store
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._open: set[str] = set()
        """Keys of writes under way: nobody else may say what became of them."""

    async def begin(self, intent: Intent, digest: str = "") -> None:
        """Safe on the disk when this returns. Raises Refused 503 when the disk refuses: then nothing was written."""
        at = int(self._clock.real().timestamp())
        row = (intent.key, intent.author, intent.session, _dumped(intent), int(intent.asked), at)

        def work(connection: sqlite3.Connection) -> None:
            if intent.asked:
                connection.execute(
                    "INSERT OR IGNORE INTO answer VALUES (?, ?, ?, NULL, NULL, ?)",
                    (intent.key, intent.author, digest, at),
                )
            connection.execute("INSERT OR REPLACE INTO intent VALUES (?, ?, ?, ?, ?, 0, ?)", row)

        self._open.add(intent.key)
        try:
            await self._store.run(work)
        except sqlite3.Error as error:
            self._open.discard(intent.key)
            raise Refused(
                503,
                "gateway-store-failed",
                "Plattformen kan ikke ta imot endringer akkurat nå.",
                "Prøv igjen om litt.",
                str(error),
                issue="transient",
            ) from error

    async def logged(self, intent: Intent, written: Iterable[Resource]) -> None:
        """The write was done: its events are on the platform, or safe in the outbox, when this returns."""
        versions = tuple(f"{r['resourceType']}/{r['id']}/_history/{r['meta']['versionId']}" for r in written)
        self._open.discard(intent.key)
        await self._auditing.written(intent.key, intent.accesses, intent.session, versions)

    async def dropped(self, key: str) -> None:
        """The platform did not do it: there is nothing to log."""
        self._open.discard(key)
        await self._store.run(lambda c: c.execute("DELETE FROM intent WHERE key = ?", (key,)))

    def doubtful(self, key: str) -> None:
        """The platform did not say whether it did it: it is looked for in a while."""
        self._open.discard(key)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._again(), name="gateway-intents")

    async def of(self, key: str) -> Intent | None:
        row = await self._store.run(
            lambda c: c.execute("SELECT body, session, asked FROM intent WHERE key = ?", (key,)).fetchone()
        )
        return _loaded(*row) if row else None

    # After a crash ------------------------------------------------------------------------------------------------

    async def complete(self) -> None:
        """Log what a former run wrote and did not log; what the platform cannot tell yet is asked for again."""
        if not await self._completed():
            self.doubtful("")

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _again(self) -> None:
        done = False
        while not done:
            await asyncio.sleep(RETRY_SECONDS)
            done = await self._completed()

    async def _completed(self) -> bool:
        rows = await self._store.run(
            lambda c: c.execute("SELECT body, session, asked FROM intent WHERE logged = 0 ORDER BY at").fetchall()
        )
        for body, session, asked in rows:
            intent = _loaded(body, session, asked)
            if intent.key in self._open:
                continue
            try:
                written = await self.written_under(intent.key, intent.kinds, intent.names)
            except Refused as refusal:
                logger.warning("an unfinished write cannot be looked for yet: %s", refusal.detail)
                return False
            if written:
                logger.warning("the log of a write is completed after a stop midway")
                await self.logged(intent, written.values())
            else:
                await self.dropped(intent.key)
        return True

    async def written_under(self, key: str, kinds: Iterable[str], names: Iterable[str]) -> dict[str, Resource]:
        """What was written under `key`, by place in the bundle. A version of one of `names` is found also when others stand
        above it; what was created, and changed by somebody else before it was logged, is not. Raises Refused 503 when the
        platform cannot say."""
        found: list[Resource] = []
        for kind in filter(None, dict.fromkeys(kinds)):
            found += await self._rows(kind, f"_tag={TRANSACTION}%7C{key}&_count={PAGE}")
        standing = {f"{one['resourceType']}/{one['id']}" for one in found}
        for name in dict.fromkeys(names):
            if name not in standing:
                former = await self._rows(f"{name}/_history", f"_count={PAGE}")
                found += [one for one in former if tag_of(one) == key][:1]
        # What was written beside has no place among the client's entries.
        return {place: one for one in found if (place := tag_of(one, ENTRY))}

    async def _rows(self, path: str, query: str) -> list[Resource]:
        answer = await self._service.handle(FhirRequest("GET", path, query))
        if answer.status in (404, 410):  # the history of what there never was
            return []
        if answer.status != 200:
            raise Refused(
                503,
                "platform-failed",
                "Plattformen har en feil akkurat nå.",
                "Prøv igjen om litt.",
                f"recovery {answer.status}",
                issue="transient",
            )
        return [row["resource"] for row in (answer.body or {}).get("entry", ()) if row.get("resource")]


def tag_of(resource: Mapping[str, Any], system: str = TRANSACTION) -> str:
    """The code of the resource's tag in `system`; empty when it has none."""
    tags = (resource.get("meta") or {}).get("tag") or ()
    return next((str(tag.get("code", "")) for tag in tags if isinstance(tag, dict) and tag.get("system") == system), "")


def _dumped(intent: Intent) -> bytes:
    accesses = [_plain(each) for each in intent.accesses]
    return orjson.dumps(
        {
            "key": intent.key,
            "author": intent.author,
            "kinds": intent.kinds,
            "count": intent.count,
            "accesses": accesses,
            "names": intent.names,
        }
    )


def _plain(access: Access) -> dict[str, Any]:
    plain = asdict(access)
    plain["decision"]["patients"] = sorted(access.decision.patients or ())
    return plain


def _loaded(body: bytes, session: str, asked: int) -> Intent:
    told = orjson.loads(body)
    return Intent(
        told["key"],
        told["author"],
        session,
        tuple(told["kinds"]),
        told["count"],
        tuple(_access(each) for each in told["accesses"]),
        bool(asked),
        tuple(told.get("names", ())),
    )


def _access(told: dict[str, Any]) -> Access:
    known = {each.name for each in fields(Access)}
    held: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in told.items() if name in known
    }
    decided = told["decision"]
    held["subject"] = Subject(**told["subject"])
    held["decision"] = Decision(**{**decided, "patients": frozenset(decided["patients"])})
    return Access(**held)

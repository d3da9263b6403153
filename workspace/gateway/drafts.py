"""Unsaved work that follows its author from one workstation to another (DESIGN §4, docs/seams.md *Drafts*).

Sealed at rest, the author's alone, ended 14 days after it was last saved. Never reads what stands in a draft beyond whom it
is about, and never tells anybody but its author that there is one.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from workspace.clock import Clock, instant, parse
from workspace.gateway.refused import Refused
from workspace.gateway.seal import Seal, Unsealable, key_of
from workspace.gateway.settings import GatewaySettings
from workspace.gateway.store import GatewayStore

logger = logging.getLogger(__name__)

KEPT = timedelta(days=14)
MOST = 500
"""Drafts of one person."""
SWEEP_SECONDS = 60.0

TAKEN = "urn:workspace:draft"
"""The extension of a transaction Bundle's ``meta`` that names the draft it comes from."""

Told = Callable[[str, Mapping[str, Any]], None]
"""(author, data of the event ``draft``)."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a draft belongs to, but for its author. `patient` is ``Patient/x``, ``Organization/x`` or empty."""

    patient: str
    package: str
    view: str
    draft: str
    state_version: int = 1

    def id(self, author: str) -> str:
        """SHA-256 of the fields that make the draft; the state's version is none of them."""
        named = "\x1f".join((author, self.patient, self.package, self.view, self.draft))
        return hashlib.sha256(named.encode()).hexdigest()

    def told(self) -> dict[str, Any]:
        return {
            "patient": self.patient,
            "package": self.package,
            "view": self.view,
            "draft": self.draft,
            "state_version": self.state_version,
        }


@dataclass(frozen=True, slots=True)
class Draft:
    id: str
    key: Key
    values: Mapping[str, Any]
    revision: int
    saved: str
    expires: str
    device: str
    merged_from: str = ""

    def told(self) -> dict[str, Any]:
        """As docs/seams.md has it."""
        return {
            "id": self.id,
            "key": self.key.told(),
            "values": self.values,
            "revision": self.revision,
            "saved": self.saved,
            "expires": self.expires,
            "device": self.device,
            "merged_from": self.merged_from,
        }


@dataclass(frozen=True, slots=True)
class Taken:
    """What a transaction took from the draft `id` as it stood in `revision`: `fields`. `device` made the transaction."""

    id: str
    revision: int
    device: str
    fields: frozenset[str]


def taken_by(bundle: Mapping[str, Any]) -> Taken | None:
    """As the transaction itself says, under its seal (docs/seams.md, *Drafts*); None when that is nothing we can read."""
    try:
        given = next(each for each in bundle["meta"]["extension"] if each["url"] == TAKEN)
        told = orjson.loads(given["valueString"])
        own, revision, device, fields = (told[name] for name in ("id", "revision", "device", "fields"))
    except (KeyError, TypeError, StopIteration, orjson.JSONDecodeError):
        return None
    if not isinstance(own, str) or not isinstance(device, str) or len(device) > 64 or type(revision) is not int:
        return None
    if not isinstance(fields, list) or not all(isinstance(each, str) for each in fields):
        return None
    return Taken(own, revision, device, frozenset(fields))


class Conflict(Exception):
    """Another revision stands: `standing`, or None when the draft is gone."""

    def __init__(self, standing: Draft | None) -> None:
        super().__init__("draft-conflict")
        self.standing = standing


class Drafts:
    """``await start()`` first, ``await close()`` at the end. `told` hears of each change, on the event loop."""

    def __init__(self, store: GatewayStore, settings: GatewaySettings, clock: Clock, told: Told) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._told = told
        self._bytes = b""
        self._seal: Seal | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises Problem ``gateway-key-failed``."""
        given, path = self._settings.draft_key, self._settings.key_path
        self._bytes = await asyncio.to_thread(key_of, given, path)
        self._task = asyncio.create_task(self._sweep(), name="gateway-drafts")

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    # What may be asked --------------------------------------------------------------------------------------------

    async def all(self, author: str) -> tuple[list[Draft], int]:
        """The author's drafts, the newest first, and the revision of the newest change."""

        def work(connection: sqlite3.Connection) -> tuple[list[Draft], int]:
            query = "SELECT id, sealed, revision, expires FROM draft WHERE author = ? AND expires > ?"
            rows = connection.execute(query + " ORDER BY revision DESC", (author, self._now())).fetchall()
            found = [draft for row in rows if (draft := self._opened(author, *row))]
            return found, _revision(connection, author)

        return await self._store.run(work)

    async def revision(self, author: str) -> int:
        """The revision of the author's newest change; 0 when there never was one."""
        return await self._store.run(lambda connection: _revision(connection, author))

    async def one(self, author: str, own: str) -> Draft | None:
        return await self._store.run(lambda connection: self._one(connection, author, own))

    async def whose(self, own: str, author: str) -> str | None:
        """The patient of somebody else's draft `own`, empty when it is about none; None when nobody has it."""

        def work(connection: sqlite3.Connection) -> str | None:
            query = "SELECT author, id, sealed, revision, expires FROM draft WHERE id = ? AND author <> ?"
            row = connection.execute(query, (own, author)).fetchone()
            if row is None:
                return None
            draft = self._opened(*row)
            return draft.key.patient if draft else ""

        return await self._store.run(work)

    async def put(
        self, author: str, key: Key, values: Mapping[str, Any], device: str, *, standing: int | None
    ) -> tuple[Draft, bool]:
        """Keep it in the place of revision `standing` (None: of nothing). Returns it, and whether it is new.

        Raises Conflict, and Refused 409 ``too-many-drafts``.
        """
        own = key.id(author)

        def work(connection: sqlite3.Connection) -> tuple[Draft, bool, bool]:
            before = self._one(connection, author, own)
            if before is not None and (before.values, before.device, before.key) == (dict(values), device, key):
                return before, False, False  # a repeat, after an answer that was lost
            if (before.revision if before else None) != standing:
                raise Conflict(before)
            if before is None and self._count(connection, author) >= MOST:
                raise _too_many()
            draft = self._kept(connection, author, key, values, device, before.merged_from if before else "")
            return draft, before is None, True

        draft, new, changed = await self._store.run(work)
        if changed:
            self._tell(author, draft.id, draft.revision, device)
        return draft, new

    async def delete(self, author: str, own: str, device: str, *, standing: int | None = None) -> None:
        """Forget it; nothing happens when it is gone. Raises Conflict when `standing` is not what stands."""

        def work(connection: sqlite3.Connection) -> int:
            before = self._one(connection, author, own)
            if before is None:
                return 0
            if standing is not None and before.revision != standing:
                raise Conflict(before)
            connection.execute("DELETE FROM draft WHERE author = ? AND id = ?", (author, own))
            return _next_revision(connection, author)

        revision = await self._store.run(work)
        if revision:
            self._tell(author, own, revision, device, "deleted")

    async def written(self, author: str, taken: Taken) -> None:
        """A transaction is done: what it took from its author's draft goes from there, whoever delivered it. Nothing happens
        to a draft that has another revision: it was typed on since, and is its workstation's to say."""

        def work(connection: sqlite3.Connection) -> tuple[int, str] | None:
            before = self._one(connection, author, taken.id)
            if before is None or before.revision != taken.revision:
                return None
            rest = {bind: value for bind, value in before.values.items() if bind not in taken.fields}
            if rest:
                saved = parse(before.saved)
                kept = self._kept(connection, author, before.key, rest, before.device, before.merged_from, saved)
                return kept.revision, ""
            connection.execute("DELETE FROM draft WHERE author = ? AND id = ?", (author, taken.id))
            return _next_revision(connection, author), "deleted"

        done = await self._store.run(work)
        if done is not None:
            self._tell(author, taken.id, done[0], taken.device, done[1])

    async def moved(self, source: str, into: str) -> None:
        """Two patients were one: drafts about `source` (``Patient/x``) are about `into` from now on."""
        events = await self._store.run(lambda connection: self._move(connection, source, into))
        for author, own, revision, reason in events:
            self._tell(author, own, revision, "", reason)

    # On the store's thread ----------------------------------------------------------------------------------------

    def _move(self, connection: sqlite3.Connection, source: str, into: str) -> list[tuple[str, str, int, str]]:
        events = []
        query = "SELECT author, id, sealed, revision, expires FROM draft WHERE expires > ?"
        for row in connection.execute(query, (self._now(),)).fetchall():
            author, old = row[0], self._opened(*row)
            if old is None or old.key.patient != source:
                continue
            key = Key(into, old.key.package, old.key.view, old.key.draft, old.key.state_version)
            if self._one(connection, author, key.id(author)) is not None:
                # What was typed about either stays: the one that moves stands beside.
                beside = f"{key.draft}~{source.rpartition('/')[2]}"
                key = Key(into, key.package, key.view, beside, key.state_version)
            connection.execute("DELETE FROM draft WHERE author = ? AND id = ?", (author, old.id))
            events.append((author, old.id, _next_revision(connection, author), "merged"))
            new = self._kept(connection, author, key, old.values, old.device, source)
            events.append((author, new.id, new.revision, ""))
        return events

    def _one(self, connection: sqlite3.Connection, author: str, own: str) -> Draft | None:
        query = "SELECT id, sealed, revision, expires FROM draft WHERE author = ? AND id = ? AND expires > ?"
        row = connection.execute(query, (author, own, self._now())).fetchone()
        return self._opened(author, *row) if row else None

    def _kept(
        self,
        connection: sqlite3.Connection,
        author: str,
        key: Key,
        values: Mapping[str, Any],
        device: str,
        merged_from: str,
        saved: datetime | None = None,
    ) -> Draft:
        now = saved or self._clock.now()
        ends = now + KEPT
        revision, own = _next_revision(connection, author), key.id(author)
        draft = Draft(own, key, dict(values), revision, instant(now), instant(ends), device, merged_from)
        plain = orjson.dumps({**draft.told(), "id": "", "revision": 0})
        sealed = self._sealing().seal(plain, f"{author} {own}")
        row = (own, author, sealed, revision, int(ends.timestamp()))
        connection.execute("INSERT OR REPLACE INTO draft VALUES (?, ?, ?, ?, ?)", row)
        return draft

    def _opened(self, author: str, own: str, sealed: bytes, revision: int, expires: int) -> Draft | None:
        try:
            told = orjson.loads(self._sealing().open(sealed, f"{author} {own}"))
        except Unsealable as error:
            logger.warning("a draft cannot be opened: %s", error)
            return None
        key = Key(**told["key"])
        return Draft(
            own, key, told["values"], revision, told["saved"], told["expires"], told["device"], told["merged_from"]
        )

    def _count(self, connection: sqlite3.Connection, author: str) -> int:
        return int(connection.execute("SELECT COUNT(*) FROM draft WHERE author = ?", (author,)).fetchone()[0])

    def _sealing(self) -> Seal:
        if self._seal is None:
            self._seal = Seal(self._bytes)
        return self._seal

    def _now(self) -> int:
        return int(self._clock.now().timestamp())

    # Their end ----------------------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        while True:
            try:
                await self.expire()
            except sqlite3.Error:
                logger.exception("drafts that have ended cannot be looked for")
            await asyncio.sleep(SWEEP_SECONDS)

    async def expire(self) -> None:
        """End what is older than it may be, and say so to its author."""

        def work(connection: sqlite3.Connection) -> list[tuple[str, str, int]]:
            query = "SELECT author, id FROM draft WHERE expires <= ?"
            gone = connection.execute(query, (self._now(),)).fetchall()
            connection.executemany("DELETE FROM draft WHERE author = ? AND id = ?", gone)
            return [(author, own, _next_revision(connection, author)) for author, own in gone]

        for author, own, revision in await self._store.run(work):
            self._tell(author, own, revision, "", "expired")

    def _tell(self, author: str, own: str, revision: int, device: str, gone: str = "") -> None:
        told: dict[str, Any] = {"id": own, "revision": revision, "device": device, "gone": bool(gone)}
        self._told(author, told | ({"reason": gone} if gone else {}))


def _revision(connection: sqlite3.Connection, author: str) -> int:
    row = connection.execute("SELECT value FROM number WHERE name = ?", (f"draft {author}",)).fetchone()
    return int(row[0]) if row else 0


def _next_revision(connection: sqlite3.Connection, author: str) -> int:
    """Larger for later, and never the same again for this author, also when the draft itself is gone."""
    connection.execute(
        "INSERT INTO number VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", (f"draft {author}",)
    )
    return _revision(connection, author)


def _too_many() -> Refused:
    return Refused(
        409,
        "too-many-drafts",
        "Du har for mange kladder.",
        "Fullfør eller forkast noen av dem.",
        f"at most {MOST}",
        issue="too-costly",
    )

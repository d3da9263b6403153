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
from workspace.fhir import json
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
    stretch: str = ""

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
            "stretch": self.stretch,
        }


@dataclass(frozen=True, slots=True)
class Taken:
    """What a transaction took from the draft `id` as it stood in `revision`: `fields`. `device` made the transaction, and
    what it had typed before it is the `stretch`, over now but for what stands in the fields `left`."""

    id: str
    revision: int
    device: str
    fields: frozenset[str]
    stretch: str = ""
    left: frozenset[str] = frozenset()

    def rest(self, standing: Draft) -> dict[str, Any] | None:
        """What is still unsaved of `standing`; None when that is not what the transaction was made from."""
        if self.stretch and standing.stretch == self.stretch:  # whatever of it came here, and whenever
            return {bind: value for bind, value in standing.values.items() if bind in self.left}
        if standing.revision == self.revision:
            return {bind: value for bind, value in standing.values.items() if bind not in self.fields}
        return None


def taken_by(bundle: Mapping[str, Any]) -> str:
    """What a transaction takes from a draft, as it says itself, under its seal (docs/seams.md, *Drafts*); "" for nothing."""
    try:
        given = next(each for each in bundle["meta"]["extension"] if each["url"] == TAKEN)
        return str(given["valueString"])
    except (KeyError, TypeError, StopIteration):
        return ""


def taken_of(given: str) -> Taken | None:
    """What `taken_by` gave; None when that is nothing we can read."""
    try:
        told = orjson.loads(given)
        own, revision, device, fields = (told[name] for name in ("id", "revision", "device", "fields"))
        stretch, left = told.get("stretch", ""), told.get("left", [])
    except (KeyError, TypeError, AttributeError, orjson.JSONDecodeError):
        return None
    if not isinstance(own, str) or not isinstance(device, str) or len(device) > 64 or type(revision) is not int:
        return None
    if not isinstance(stretch, str) or len(stretch) > 64:
        return None
    if not all(isinstance(some, list) and all(isinstance(each, str) for each in some) for some in (fields, left)):
        return None
    return Taken(own, revision, device, frozenset(fields), stretch, frozenset(left))


class Conflict(Exception):
    """Another revision stands: `standing`, or None when the draft is gone. `over`: what was sent belongs to a stretch that a
    transaction has ended, and these fields of it (None: it does not) say what was written."""

    def __init__(self, standing: Draft | None, over: list[str] | None = None) -> None:
        super().__init__("draft-conflict")
        self.standing, self.over = standing, over


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
        self, author: str, key: Key, values: Mapping[str, Any], device: str, *, standing: int | None, stretch: str = ""
    ) -> tuple[Draft, bool]:
        """Keep it in the place of revision `standing` (None: of nothing). Returns it, and whether it is new. What belongs to
        a `stretch` that is over is never kept: it comes late, and what it says was written.

        Raises Conflict, and Refused 409 ``too-many-drafts``.
        """
        own = key.id(author)

        def work(connection: sqlite3.Connection) -> tuple[Draft, bool, bool]:
            before = self._one(connection, author, own)
            spent = self._spent(connection, author, stretch)
            if spent is not None:
                raise Conflict(before, [bind for bind, value in values.items() if spent.get(bind) == _digest(value)])
            if before is not None and (before.values, before.device, before.key) == (dict(values), device, key):
                return before, False, False  # a repeat, after an answer that was lost
            if (before.revision if before else None) != standing:
                raise Conflict(before)
            if before is None and self._count(connection, author) >= MOST:
                raise _too_many()
            merged_from = before.merged_from if before else ""
            draft = self._kept(connection, author, key, values, device, merged_from, stretch=stretch)
            return draft, before is None, True

        draft, new, changed = await self._store.run(work)
        if changed:
            self._tell(author, draft.id, draft.revision, device)
        return draft, new

    async def delete(
        self, author: str, own: str, device: str, *, standing: int | None = None, stretch: str = ""
    ) -> None:
        """Forget it; nothing happens when it is gone. Nothing of the `stretch` is a draft from here on, whichever revision
        it stands in and whatever of it comes late. Raises Conflict when `standing` is not what stands."""

        def work(connection: sqlite3.Connection) -> int:
            before = self._one(connection, author, own)
            if before is not None and standing not in (None, before.revision) and stretch != (before.stretch or None):
                raise Conflict(before)
            self._end(connection, author, stretch)
            if before is None:
                return 0
            connection.execute("DELETE FROM draft WHERE author = ? AND id = ?", (author, own))
            return _next_revision(connection, author)

        revision = await self._store.run(work)
        if revision:
            self._tell(author, own, revision, device, "deleted")

    async def written(self, author: str, taken: Taken) -> None:
        """A transaction is done: what it took from its author's draft goes from there, whoever delivered it, and what comes
        of its stretch from here on comes late. Nothing happens to a draft of another stretch and revision: it was typed on
        since, and is its workstation's to say. Doing it again changes nothing."""

        def work(connection: sqlite3.Connection) -> tuple[str, int, str] | None:
            before = self._one(connection, author, taken.id) or self._moved_on(connection, author, taken.stretch)
            self._end(connection, author, taken.stretch)
            rest = taken.rest(before) if before is not None else None
            if before is None or rest is None:
                return None
            gone = {bind: _digest(value) for bind, value in before.values.items() if bind not in rest}
            self._end(connection, author, before.stretch, gone)
            if rest:
                saved = parse(before.saved)
                kept = self._kept(connection, author, before.key, rest, before.device, before.merged_from, saved)
                return kept.id, kept.revision, ""
            connection.execute("DELETE FROM draft WHERE author = ? AND id = ?", (author, before.id))
            return before.id, _next_revision(connection, author), "deleted"

        done = await self._store.run(work)
        if done is not None:
            self._tell(author, done[0], done[1], taken.device, done[2])

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
            new = self._kept(connection, author, key, old.values, old.device, source, stretch=old.stretch)
            events.append((author, new.id, new.revision, ""))
        return events

    def _end(
        self, connection: sqlite3.Connection, author: str, stretch: str, spent: Mapping[str, str] | None = None
    ) -> None:
        """Nothing of `stretch` is a draft from here on, for as long as a draft is kept. `spent` are digests of what was
        written, by bind: its own workstation may not know it, when another had taken it over."""
        if not stretch:
            return
        sealed = self._sealing().seal(orjson.dumps(dict(spent)), f"{author} {stretch}") if spent else None
        row = (author, stretch, self._now() + int(KEPT.total_seconds()), sealed)
        again = "ON CONFLICT DO UPDATE SET until = excluded.until, spent = COALESCE(excluded.spent, spent)"
        connection.execute(f"INSERT INTO ended VALUES (?, ?, ?, ?) {again}", row)

    def _spent(self, connection: sqlite3.Connection, author: str, stretch: str) -> dict[str, str] | None:
        """What was written of `stretch`; None when it is not over."""
        query = "SELECT spent FROM ended WHERE author = ? AND stretch = ?"
        row = connection.execute(query, (author, stretch)).fetchone() if stretch else None
        if row is None:
            return None
        try:
            return dict(orjson.loads(self._sealing().open(row[0], f"{author} {stretch}"))) if row[0] else {}
        except Unsealable as error:
            logger.warning("what was written of a draft cannot be opened: %s", error)
            return {}

    def _one(self, connection: sqlite3.Connection, author: str, own: str) -> Draft | None:
        query = "SELECT id, sealed, revision, expires FROM draft WHERE author = ? AND id = ? AND expires > ?"
        row = connection.execute(query, (author, own, self._now())).fetchone()
        return self._opened(author, *row) if row else None

    def _moved_on(self, connection: sqlite3.Connection, author: str, stretch: str) -> Draft | None:
        """The draft of `stretch` under whatever id: the patient it is about may have another record by now."""
        if not stretch:
            return None
        query = "SELECT id, sealed, revision, expires FROM draft WHERE author = ? AND expires > ?"
        found = (self._opened(author, *row) for row in connection.execute(query, (author, self._now())).fetchall())
        return next((draft for draft in found if draft is not None and draft.stretch == stretch), None)

    def _kept(
        self,
        connection: sqlite3.Connection,
        author: str,
        key: Key,
        values: Mapping[str, Any],
        device: str,
        merged_from: str,
        saved: datetime | None = None,
        *,
        stretch: str = "",
    ) -> Draft:
        now = saved or self._clock.now()
        ends = now + KEPT
        revision, own = _next_revision(connection, author), key.id(author)
        draft = Draft(own, key, dict(values), revision, instant(now), instant(ends), device, merged_from, stretch)
        plain = json.dumps({**draft.told(), "id": "", "revision": 0})
        sealed = self._sealing().seal(plain, f"{author} {own}")
        row = (own, author, sealed, revision, int(ends.timestamp()))
        connection.execute("INSERT OR REPLACE INTO draft VALUES (?, ?, ?, ?, ?)", row)
        return draft

    def _opened(self, author: str, own: str, sealed: bytes, revision: int, expires: int) -> Draft | None:
        try:
            told = json.loads(self._sealing().open(sealed, f"{author} {own}"))
        except Unsealable as error:
            logger.warning("a draft cannot be opened: %s", error)
            return None
        key = Key(**told["key"])
        return Draft(
            own, key, told["values"], revision, told["saved"], told["expires"], told["device"], told["merged_from"],
            told.get("stretch", ""),
        )  # fmt: skip

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
            connection.execute("DELETE FROM ended WHERE until <= ?", (self._now(),))
            connection.executemany("DELETE FROM draft WHERE author = ? AND id = ?", gone)
            return [(author, own, _next_revision(connection, author)) for author, own in gone]

        for author, own, revision in await self._store.run(work):
            self._tell(author, own, revision, "", "expired")

    def _tell(self, author: str, own: str, revision: int, device: str, gone: str = "") -> None:
        told: dict[str, Any] = {"id": own, "revision": revision, "device": device, "gone": bool(gone)}
        self._told(author, told | ({"reason": gone} if gone else {}))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, json.SORTED)).hexdigest()


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

"""A unit's results kept for when the platform is away: readable with their age, for 72 hours, the user's own units alone.

Copies what the panels ask of each patient, slowly and under a name of its own in the audit. Never answers while the platform
does, and forgets all of it when told to.
"""

from __future__ import annotations

import asyncio
import logging
import re
import zlib
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Any

from workspace import __version__
from workspace.clock import Clock
from workspace.fhir import json
from workspace.fhir.search import parse_query
from workspace.fhir.service import Resource
from workspace.problem import Problem
from workspace.record.client import Asker, Client
from workspace.record.fetch import fetch
from workspace.record.live import Page, page_of
from workspace.record.rows import name_of
from workspace.record.seen import Seen
from workspace.record.wiping import wipe
from workspace.vault.people import Vaults
from workspace.vault.vault import Vault

log = logging.getLogger(__name__)
KEPT_SECONDS = 72 * 3600
AGAIN = 900.0
"""Seconds between two rounds of copying."""
BEFORE = 20.0
"""Seconds before the first round: whoever has just signed on or changed unit comes first."""
SLACK = 300
"""Seconds that this machine's clock may be set back without a doubt about how old the copies are."""
NOTED = 60
"""Seconds between two notes of how late it is."""
CLOCK = "offline.clock"
_ONE_PATIENT = re.compile(r"Patient\?_id=([A-Za-z0-9\-.]{1,64})")
BETWEEN = 0.05
"""Seconds between two copies, so that they never stand in the way of a person."""
COPYING = Asker((f"workspace.offline@{__version__}",))


class Offline:
    """``await start()`` first, ``await close()`` at the end. Without a durable vault it keeps nothing. `vaults` are
    everybody's on this workstation: what is too old, or wiped, goes from all of them."""

    def __init__(self, vault: Vault, client: Client, clock: Clock, *, user: str, vaults: Vaults | None = None) -> None:
        self._vault, self._client, self._clock, self._user = vault, client, clock, user
        self._vaults = vaults
        self._task: asyncio.Task[None] | None = None
        self._aging: asyncio.Task[None] | None = None
        self._next: dict[str, int] = {}
        """By id of another's vault: when the oldest copy there is too old."""
        self.unit = ""
        self.copied = ""
        """Clinical instant of the end of the last whole round; "" before the first."""
        self._wiped = False
        self._doubted = asyncio.Event()
        self.seen = Seen()
        """What was told since the copies were made."""
        self._gone: set[str] = set()
        self._dropping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.prune()
        if self._vaults is not None and self._vaults.durable:
            self._aging = asyncio.ensure_future(self._prune_others())

    async def close(self) -> None:
        aging, self._aging = self._aging, None
        if aging is not None:
            aging.cancel()
            await asyncio.gather(aging, return_exceptions=True)
        if self._dropping is not None:
            await asyncio.gather(self._dropping, return_exceptions=True)
        await self._stop()

    # Copying --------------------------------------------------------------------------------------

    async def keep(self, unit: str, queries: Sequence[str], here: Callable[[str], Page | None]) -> None:
        """From now on `unit` is the one that is kept: `queries` are what is asked of it and its patients, as they leave.
        `here` gives a fresh result that is at hand anyway. What was kept of patients who have left goes; what was of another
        unit stays until this one is whole, for the platform may go away before that."""
        await self._stop()
        if not self._vault.durable or self._wiped:
            return
        self.unit, self.copied = unit, ""
        canonical = list(dict.fromkeys(queries))
        await self._only(unit, canonical, others=True)
        if self._is_wiped():  # meanwhile
            return
        self._task = asyncio.ensure_future(self._rounds(canonical, here))

    def _is_wiped(self) -> bool:
        return self._wiped

    async def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def doubt(self) -> None:
        """Whom this person may see has changed: who is closed goes at once, and all is copied anew without waiting, for
        parts of a record may be closed too. What is kept of who is not asked about here has another 72 hours at most."""
        self._doubted.set()

    def drop(self, names: Iterable[str]) -> None:
        """These (``Type/id``) are deleted, or not for this person any more: they go from every copy."""
        self._gone.update(names)
        if self._dropping is None or self._dropping.done():
            self._dropping = asyncio.ensure_future(self._drop())

    async def _drop(self) -> None:
        while self._gone:
            names, self._gone = self._gone, set()
            try:
                await self._vault.run(partial(self._without, names))
            except Problem as problem:
                log.warning("what is gone could not be taken out of the copies: %s", problem.code)

    def _without(self, names: Collection[str], database: Any) -> None:
        kinds = {name.partition("/")[0] for name in names}
        query = "SELECT unit, query, body FROM offline WHERE user = ?"
        for unit, text, raw in list(database.execute(query, (self._user,))):
            if text.partition("?")[0] not in kinds and "include" not in text:
                continue
            body = json.loads(zlib.decompress(raw))
            left = {part: [row for row in body[part] if name_of(row) not in names] for part in ("matches", "included")}
            if any(len(left[part]) < len(body[part]) for part in left):
                row = (zlib.compress(json.dumps({**body, **left}), 1), self._user, unit, text)
                database.execute("UPDATE offline SET body = ? WHERE user = ? AND unit = ? AND query = ?", row)

    async def _rounds(self, queries: Sequence[str], here: Callable[[str], Page | None]) -> None:
        await self._pause(BEFORE)
        while True:
            whole = not self._doubted.is_set() or await self._without_closed(queries)
            await self.prune()  # a shell may run for days
            for text in queries:
                if self._doubted.is_set():
                    break
                whole = await self._copy(text, here) and whole
                await asyncio.sleep(BETWEEN)
            else:
                if whole:
                    await self._only(self.unit, queries, others=False)
                    self.copied = self._clock.now().isoformat(timespec="seconds")
                await self._pause(AGAIN if whole else AGAIN / 10)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._doubted.wait()
        except TimeoutError:
            pass

    async def _without_closed(self, queries: Sequence[str]) -> bool:
        """Ask for each patient, and forget all that is kept of whom the platform does not open. Whether it said of each."""
        self._doubted.clear()
        sure = True
        for text in queries:
            found = _ONE_PATIENT.fullmatch(text)
            if found is None:
                continue
            try:
                await self._client.get(text, COPYING)
            except Problem as problem:
                if getattr(problem, "status", 0) == 403:
                    await self._forget_patient(found[1])
                else:
                    sure = False
        return sure

    async def _forget_patient(self, own: str) -> None:
        """What was asked about ``Patient/<own>`` alone or among others, and what that brought."""
        named = _naming(own)

        def write(database: Any) -> None:
            for (text,) in list(database.execute("SELECT query FROM offline WHERE user = ?", (self._user,))):
                if named.search(text):
                    database.execute("DELETE FROM offline WHERE user = ? AND query = ?", (self._user, text))

        await self._vault.run(write)

    async def _copy(self, text: str, here: Callable[[str], Page | None]) -> bool:
        try:
            page = here(text)
            if page is None:
                page = await fetch(self._client, parse_query(text), text, COPYING, self._clock)
            await self.save(text, page)
        except Problem as problem:
            if getattr(problem, "status", 0) == 403:
                await self.forget(text)  # it may no longer be seen
                return True
            log.info("a copy for offline reading waits: %s", problem.code)
            return False
        return True

    # The vault ------------------------------------------------------------------------------------

    async def save(self, text: str, page: Page) -> None:
        matches, included = self._standing(page.matches), self._standing(page.included)
        body = {"matches": matches, "included": included, "total": page.total, "complete": page.complete}
        raw = zlib.compress(json.dumps(body), 1)
        row = (self._user, self.unit, text, raw, page.fetched, self._until())

        def write(database: Any) -> None:
            age(database, self._now())
            database.execute("INSERT OR REPLACE INTO offline VALUES (?, ?, ?, ?, ?, ?)", row)

        await self._vault.run(write)

    async def load(self, text: str) -> Page | None:
        """The kept answer to `text`, with the instant it was fetched; None when there is none or it is too old."""

        def read(database: Any) -> list[tuple[Any, ...]]:
            age(database, self._now())
            query = "SELECT body, fetched FROM offline WHERE user = ? AND query = ? ORDER BY until DESC"
            return list(database.execute(query, (self._user, text)))

        rows = await self._vault.run(read)
        if not rows:
            return None
        raw, fetched = rows[0]
        body = json.loads(zlib.decompress(raw))
        matches, included = self._standing(body["matches"]), self._standing(body["included"])
        return page_of(
            parse_query(text), matches, included, total=body["total"], complete=body["complete"],
            fetched=fetched, request="",
        )  # fmt: skip

    def _standing(self, rows: Iterable[Resource]) -> list[Resource]:
        """`rows` without what is no fact any more; what was changed since stays as it was, with the age of its answer."""
        return [row for row in rows if not self.seen.ended(row)]

    async def units(self) -> dict[str, str]:
        """The units that can be read without the platform, each with the clinical instant of its oldest copy."""

        def read(database: Any) -> list[tuple[Any, ...]]:
            age(database, self._now())
            query = "SELECT unit, min(fetched) FROM offline WHERE user = ? GROUP BY unit"
            return list(database.execute(query, (self._user,)))

        return {str(unit): str(fetched) for unit, fetched in await self._vault.run(read)}

    async def find(self, reference: str) -> Resource | None:
        """``Type/id`` as the newest kept answer that has it, asked for or beside (``_include``, ``_revinclude``); None when
        none does, it is too old, or a newer version was told."""
        kind, _, own = reference.partition("/")

        def read(database: Any) -> Resource | None:
            age(database, self._now())
            query = "SELECT body FROM offline WHERE user = ? AND (query LIKE ? OR query LIKE ?) ORDER BY until DESC"
            for (raw,) in database.execute(query, (self._user, f"{kind}?%", "%include%")):
                body = json.loads(zlib.decompress(raw))
                for row in (*body["matches"], *body["included"]):
                    if (row.get("resourceType"), row.get("id")) == (kind, own):
                        found: Resource = row
                        return found
            return None

        found = await self._vault.run(read)
        return None if found is None or self.seen.outdates(found) else found

    async def of(self, kind: str, patient: str, but: Collection[str] = ()) -> tuple[Resource, ...]:
        """Every row of `kind` in the answers kept about `patient` (``Patient/x``), each once, the newest of it; `but` are
        queries whose answers are at hand anyway, and newer."""
        named = _naming(patient.rpartition("/")[2])

        def read(database: Any) -> tuple[Resource, ...]:
            age(database, self._now())
            query = "SELECT query, body FROM offline WHERE user = ? AND query LIKE ? ORDER BY until DESC"
            found: dict[str, Resource] = {}
            for text, raw in database.execute(query, (self._user, f"{kind}?%")):
                if text not in but and named.search(text):
                    for row in json.loads(zlib.decompress(raw))["matches"]:
                        found.setdefault(str(row.get("id")), row)
            return tuple(found.values())

        return tuple(self._standing(await self._vault.run(read)))

    async def forget(self, text: str) -> None:
        row = (self._user, text)
        await self._vault.run(
            lambda database: database.execute("DELETE FROM offline WHERE user = ? AND query = ?", row)
        )

    async def wipe(self) -> int:
        """On order: everything of everybody on this workstation, and nothing is copied again before the next sign-on. How
        many copies there were. What nobody has sent yet (outbox, drafts) is no copy and stays; PINs go, and vaults in which
        nothing waits (`wiping`). Raises Problem when something could not be cleaned, after all else is."""
        self._wiped = True
        await self._stop()
        self.unit = self.copied = ""
        done = await wipe(self._vaults, self._vault)
        fault = done.fault()
        if fault is not None:
            raise fault
        return done.copies

    async def only_units(self, units: Iterable[str]) -> None:
        """What is kept of units that are not the user's any more goes."""
        held = set(units)

        def write(database: Any) -> None:
            query = "SELECT DISTINCT unit FROM offline WHERE user = ?"
            for (unit,) in list(database.execute(query, (self._user,))):
                if unit not in held:
                    database.execute("DELETE FROM offline WHERE user = ? AND unit = ?", (self._user, unit))

        await self._vault.run(write)

    async def prune(self) -> None:
        """What is older than 72 hours goes."""
        await prune(self._vault, self._now())

    async def _prune_others(self) -> None:
        """The same for everybody else's, now and then: a shell may run for days, and nobody else's has news meanwhile."""
        assert self._vaults is not None
        await asyncio.sleep(BEFORE)
        while True:
            now = self._now()
            for person in await self._vaults.others(than=self._vault):
                if self._next.get(person.id, 0) > now:
                    continue
                try:
                    async with self._vaults.visit(person) as vault:
                        self._next[person.id] = await prune(vault, now)
                except Problem as problem:
                    log.warning("copies of somebody else cannot be looked through: %s", problem.code)
            await asyncio.sleep(AGAIN)

    async def _only(self, unit: str, queries: Sequence[str], *, others: bool) -> None:
        """Of `unit` nothing but `queries` stays; of `others` all or nothing."""

        def write(database: Any) -> None:
            if not others:
                database.execute("DELETE FROM offline WHERE user = ? AND unit <> ?", (self._user, unit))
            row = (self._user, unit)
            kept = list(database.execute("SELECT query FROM offline WHERE user = ? AND unit = ?", row))
            for (text,) in kept:
                if text not in queries:
                    database.execute("DELETE FROM offline WHERE user = ? AND query = ?", (self._user, text))

        await self._vault.run(write)
        await self.prune()

    def _now(self) -> int:
        return int(self._clock.real().timestamp())

    def _until(self) -> int:
        return self._now() + KEPT_SECONDS


def _naming(own: str) -> re.Pattern[str]:
    """Finds the queries about the patient of that id, alone or among others."""
    return re.compile(rf"(?:Patient/|[?&]_id=){re.escape(own)}(?![A-Za-z0-9.-])")


async def prune(vault: Vault, now: int) -> int:
    """What is too old at `now` (seconds since 1970) goes; when the oldest that is left will be. Raises Problem."""

    def work(database: Any) -> int:
        age(database, now)
        oldest = next(iter(database.execute("SELECT min(until) FROM offline")))[0]
        return now + KEPT_SECONDS if oldest is None else int(oldest)

    return await vault.run(work)


def age(database: Any, now: int) -> None:
    """Inside a step of the vault: what is too old at `now` (this machine's clock, seconds since 1970) goes. A clock that is
    behind the latest this vault has seen was set back, or was ahead when copies were made: nobody knows how old those are,
    and all go."""
    rows = list(database.execute("SELECT value FROM setting WHERE name = ?", (CLOCK,)))
    latest = int(rows[0][0]) if rows else 0
    if now + SLACK < latest:
        database.execute("DELETE FROM offline")
    database.execute("DELETE FROM offline WHERE until <= ? OR until > ?", (now, now + KEPT_SECONDS + SLACK))
    if not latest - SLACK <= now < latest + NOTED:
        database.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (CLOCK, str(now)))

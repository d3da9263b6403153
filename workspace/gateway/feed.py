"""The change feed: numbers commits, keeps the latest, and sends each session what it may see, as a stream or when asked.

Numbers never repeat, also after a crash: they are reserved in blocks in the gateway's own file. What is no longer
kept, and a reader too slow, is answered with `resync`. Never sends audit events.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol
from uuid import uuid4

import orjson

from workspace.access.kinds import GLOBAL_TYPES, served
from workspace.access.protection import KINDS
from workspace.access.restrictions import is_restriction, marks_of
from workspace.clock import Clock
from workspace.fhir import json
from workspace.fhir.merges import replaced_by
from workspace.fhir.service import Resource
from workspace.gateway.asking import Asking
from workspace.gateway.intents import tag_of
from workspace.gateway.origins import is_beside
from workspace.gateway.readers import RESTRICTION, WAITING, Numbered, Reader, event, sees, told_of
from workspace.gateway.refused import Refused
from workspace.gateway.store import GatewayStore

logger = logging.getLogger(__name__)

KEPT = 5_000
BLOCK = 10_000
HEARTBEAT_SECONDS = 2.0
"""Between two comments on a stream: nine bytes, where a workstation that hears nothing would ask ``/time`` instead."""
MOST_STREAMS = 8
"""Open streams of one session."""
POLLED = 200
AGAIN_SECONDS = 5
RESERVE_SECONDS = 1.0
RETRY = b"retry: 1000\n\n"

Change = tuple[str, str, int, Resource | None]
Reach = tuple[tuple[str, ...], frozenset[str]]
"""What decides who is told: the patients, and what a restriction may name."""
NOBODY: Reach = ((), frozenset())
Who = Callable[[], Awaitable[Asking]]


class Lookup(Protocol):
    """What the feed asks of the rest of the gateway."""

    async def about(self, resource: Resource, known: dict[str, Resource]) -> tuple[str, ...]:
        """The patients a resource is about."""

    async def former(self, changes: Sequence[Change]) -> list[Resource | None]:
        """The version before each of `changes`."""

    async def merged(self, source: str, into: str) -> None:
        """``Patient/x`` was replaced by another; called before the event is sent."""

    async def knows(self, source: str, into: str) -> bool:
        """Whether `merged` has been called for these, by a former gateway too."""


@dataclass(frozen=True, slots=True)
class Merge:
    """``Patient/x`` was found to be replaced by another."""

    source: str
    into: str


class Feed:
    """`publish` on each commit, in order; `stream` for each reader, `poll` for those who cannot hold one open."""

    def __init__(self, store: GatewayStore, clock: Clock, lookup: Lookup) -> None:
        self._store = store
        self._clock = clock
        self._lookup = lookup
        self._kept: deque[Numbered] = deque(maxlen=KEPT)
        self._readers: set[Reader] = set()
        self._run = ""
        self._seq = 0
        self._reserved = 0
        self._oldest = 0
        self._commits: deque[Sequence[Change] | Merge | str] = deque()
        """What waits for a number: commits, merges, and the reasons of a `resync` for everybody."""
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def start(self) -> None:
        self._closed = False
        self._run = uuid4().hex  # a file that was lost, or is another gateway's, begins its numbers again
        await self._reserve()
        self._kept.clear()
        self._seq = self._oldest = self._reserved - BLOCK + 1  # never 0: that is a newcomer's number
        self._task = asyncio.create_task(self._work(), name="gateway-feed")

    async def close(self) -> None:
        self.end_all()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @property
    def seq(self) -> int:
        """The latest number given."""
        return self._seq

    def publish(self, changes: Sequence[Change]) -> None:
        """The changes of one commit; called on the event loop, never waits."""
        told = [each for each in changes if each[0] != "AuditEvent"]
        if told:
            self._commits.append(told)
            self._awake.set()

    def announce_resync(self, reason: str) -> None:
        """Every session must fetch anew (older history was filled in)."""
        self._commits.append(reason)
        self._awake.set()

    def announce_merge(self, source: str, into: str) -> None:
        """Two records were found to be one, in what no commit told of. Told once, also over a restart."""
        self._commits.append(Merge(source, into))
        self._awake.set()

    def tell(self, author: str, draft: Mapping[str, Any]) -> None:
        """The word on one draft, to the sessions of its author and to nobody else."""
        for reader in self._readers:
            if reader.author == author:
                reader.note(str(draft["id"]), event("draft", draft))

    def order(self, person: str, order: Mapping[str, Any]) -> None:
        """An order to wipe, to the sessions of one person, or ``*`` of all."""
        for reader in self._readers:
            if person in ("*", reader.author):
                reader.note(f"wipe {order['id']}", event("wipe", order))

    def end_session(self, sid: str) -> None:
        for reader in self._readers:
            if reader.session == sid:
                reader.end()

    def end_all(self) -> None:
        self._closed = True
        for reader in self._readers:
            reader.end()

    # Numbering ----------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            await self._awake.wait()
            self._awake.clear()
            while self._commits:
                next_up = self._commits.popleft()
                try:
                    await self._tell_all(next_up)
                except Exception:
                    # Another system's resource that nobody here can read must not end everybody's feed.
                    logger.exception("a commit cannot be told: everybody fetches anew")
                    await self._tell_all("unreadable")

    async def _tell_all(self, what: Sequence[Change] | Merge | str) -> None:
        if isinstance(what, str):
            await self._add("resync", "", NOBODY, {"reason": what})
        elif isinstance(what, Merge):
            await self._found(what)
        else:
            await self._number(what)

    async def _number(self, changes: Sequence[Change]) -> None:
        known = {f"{kind}/{own}": resource for kind, own, _, resource in changes if resource is not None}
        # What comes beside a version that is told of is asked for when somebody wants to know.
        told = [each for each in changes if each[3] is None or not is_beside(each[3])]
        # What all see, or nobody, leaves no sight.
        asked = [each for each in told if each[2] > 1 and served(each[0]) and each[0] not in GLOBAL_TYPES]
        former = dict(zip([each[:3] for each in asked], await self._lookup.former(asked), strict=True)) if asked else {}
        for kind, own, version, resource in told:
            before = former.get((kind, own, version))
            was = await self._reach(before, known)
            # A deletion concerns those who could see what was deleted.
            now = was if resource is None else await self._reach(resource, known)
            gone = {"type": kind, "id": own, "version": version, "transaction": "", "resource": None}
            body = gone if resource is None else {**gone, "transaction": tag_of(resource), "resource": resource}
            await self._add("change", kind, now, body, (was, gone) if was[0] and was != now else None)
            into = replaced_by(resource) if kind == "Patient" and resource is not None else ""
            if into and (before is None or replaced_by(before) != into):
                await self._join(f"Patient/{own}", into)

    async def _reach(self, resource: Resource | None, known: dict[str, Resource]) -> Reach:
        """Who sees a version, or did."""
        if resource is None:
            return NOBODY
        marks = marks_of(resource) | ({RESTRICTION} if is_restriction(resource) else frozenset())
        return await self._lookup.about(resource, known), marks

    async def _found(self, merge: Merge) -> None:
        try:
            if await self._lookup.knows(merge.source, merge.into):
                return
        except sqlite3.Error:
            logger.exception("a merge may be told twice")
        await self._join(merge.source, merge.into)

    async def _join(self, source: str, into: str) -> None:
        try:
            await self._lookup.merged(source, into)
        except sqlite3.Error:
            logger.exception("drafts could not follow a merge")
        await self._add("merge", "Patient", ((into,), frozenset()), {"from": source, "into": into})

    async def _add(
        self,
        name: str,
        kind: str,
        reach: Reach,
        body: Mapping[str, Any],
        left: tuple[Reach, Mapping[str, Any]] | None = None,
    ) -> None:
        """`left`: who is told what, instead, when `body` is not for them."""
        while self._seq + 1 >= self._reserved:
            try:
                await self._reserve()
            except sqlite3.Error:
                # A number given without being reserved could come twice: what happened waits, and is told late.
                logger.exception("the feed cannot reserve numbers")
                await asyncio.sleep(RESERVE_SECONDS)
        self._seq += 1
        instead = self._numbered(name, kind, *left) if left is not None else None
        one = replace(self._numbered(name, kind, reach, body), left=instead)
        if len(self._kept) == KEPT:
            self._oldest = self._kept[0].seq
        self._kept.append(one)
        for reader in self._readers:
            reader.put(one)

    def _numbered(self, name: str, kind: str, reach: Reach, body: Mapping[str, Any]) -> Numbered:
        patients, marks = reach
        about = {"patients": patients} if name == "change" else {}
        whole = {"seq": self._seq, **body, **about}
        place = whole if kind in KINDS and body.get("resource") is not None else None
        return Numbered(self._seq, name, kind, patients, json.dumps(whole), marks, place)

    async def _reserve(self) -> None:
        def work(connection: sqlite3.Connection) -> int:
            connection.execute(
                "INSERT INTO number VALUES ('seq', ?) ON CONFLICT (name) DO UPDATE SET value = value + ?",
                (BLOCK, BLOCK),
            )
            return int(connection.execute("SELECT value FROM number WHERE name = 'seq'").fetchone()[0])

        self._reserved = await self._store.run(work)

    # Reading ------------------------------------------------------------------------------------------------------

    def admit(self, session: str) -> None:
        """Raises Refused 429 when the session has enough streams open."""
        if sum(reader.session == session for reader in self._readers) >= MOST_STREAMS:
            said = "Arbeidsflaten har for mange åpne strømmer av endringer."
            raise Refused(429, "too-many-streams", said, "Prøv igjen om litt.", issue="throttled")

    async def stream(
        self,
        since: int,
        who: Who,
        asking: Asking,
        author: str,
        drafts: Callable[[str], Awaitable[int]],
        alive: Callable[[], bool],
    ) -> AsyncIterator[bytes]:
        """The events of one session from number `since` (0: from now), until it ends. `drafts(author)` is the revision
        of the author's newest draft change; asked when the reader stands in line, so that none falls between."""
        reader = Reader(asking.bearer.sid, author)
        replay, start = self._replay(since)
        reader.waiting.extend(replay)
        self._readers.add(reader)
        if since and start != since:
            reader.resync = "forgotten"
        if self._closed:
            reader.end()
        sight = asking.sight()
        beat = self._clock.monotonic() + HEARTBEAT_SECONDS
        try:
            known = {"drafts": await drafts(author), "beat": HEARTBEAT_SECONDS, "run": self._run, "sight": sight}
            yield RETRY + event("hello", {"seq": start, **known})
            while not reader.ended and alive():
                reader.awake.clear()
                try:
                    asking = await who()
                except Refused:
                    return  # nobody can say what this session may see: it comes back later
                if asking.sight() != sight:
                    # Who is open has changed: what was hidden must be fetched, what is closed must go.
                    sight = asking.sight()
                    reader.again("access")
                if reader.resync:
                    reason, reader.resync = reader.resync, ""
                    yield event("resync", {"reason": reason, "seq": self._seq, "sight": sight})
                sent = reader.taken(asking)
                if sent:
                    yield sent
                if reader.waiting or reader.notes or reader.resync or reader.ended:
                    continue
                left = min(beat - self._clock.monotonic(), asking.bearer.expires - self._clock.real().timestamp())
                if not await _woken(reader.awake, left) and self._clock.monotonic() >= beat:
                    beat = self._clock.monotonic() + HEARTBEAT_SECONDS
                    yield b": alive\n\n"
        finally:
            self._readers.discard(reader)

    def poll(self, since: int, sight: str, asking: Asking, drafts: int) -> bytes:
        """The answer to one poll (docs/seams.md, *The feed*), as JSON."""
        now, entries, upto, more = asking.sight(), [], self._seq, False
        reason = ""
        if since and not self._oldest <= since <= self._seq:
            reason = "forgotten"
        elif sight and sight != now:
            reason = "access"
        if reason:
            entries.append(b'{"event":"resync","data":' + orjson.dumps({"reason": reason, "seq": upto}) + b"}")
            merges = [each for each in self._after(since) if each.name == "merge"] if reason == "access" else []
            entries += [each.entry(asking) for each in merges if sees(asking, each)]
        elif since:
            for change in self._after(since):
                if len(entries) == POLLED:
                    more = True
                    break
                upto = change.seq
                if (shown := told_of(asking, change)) is not None:
                    entries.append(shown.entry(asking))
        known = {"sight": now, "drafts": drafts, "again": AGAIN_SECONDS, "run": self._run}
        head = orjson.dumps({"seq": upto, "more": more, **known})
        return head[:-1] + b',"events":[' + b",".join(entries) + b"]}"

    def _replay(self, since: int) -> tuple[list[Numbered], int]:
        """What a reader from `since` has missed, and the number the stream goes on from."""
        if self._oldest <= since <= self._seq and self._seq - since < WAITING:
            return list(self._after(since)), since
        return [], self._seq

    def _after(self, since: int) -> list[Numbered]:
        """What is kept with higher numbers; those have no holes while one gateway runs."""
        missed = max(self._seq - since, 0) if since else 0
        return list(islice(self._kept, max(len(self._kept) - missed, 0), None))


async def _woken(awake: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await awake.wait()
    except TimeoutError:
        return False
    return True

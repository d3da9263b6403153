"""The change feed: numbers commits, keeps the latest, and sends each session what it may see (server-sent events).

Numbers never repeat, also after a crash: they are reserved in blocks in the gateway's own file. What is no longer
kept, and a reader too slow, is answered with `resync`. Never sends audit events.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import orjson

from workspace.access.kinds import GLOBAL_TYPES, served
from workspace.clock import Clock
from workspace.fhir.service import Resource
from workspace.gateway.asking import Asking
from workspace.gateway.intents import tag_of
from workspace.gateway.refused import Refused
from workspace.gateway.store import GatewayStore

KEPT = 5_000
BLOCK = 10_000
WAITING = 1_000
"""Changes that may wait for one reader before it must fetch anew."""
HEARTBEAT_SECONDS = 10.0

Change = tuple[str, str, int, Resource | None]
About = Callable[[Resource, dict[str, Resource]], Awaitable[tuple[str, ...]]]
Who = Callable[[], Awaitable[Asking]]


@dataclass(frozen=True, slots=True)
class Numbered:
    """`data` is the event as it is sent; `patients` decide who gets it."""

    seq: int
    kind: str
    patients: tuple[str, ...]
    data: bytes


@dataclass(slots=True, eq=False)
class Reader:
    """One open stream."""

    session: str
    waiting: deque[Numbered] = field(default_factory=deque)
    awake: asyncio.Event = field(default_factory=asyncio.Event)
    resync: str = ""
    ended: bool = False

    def put(self, change: Numbered) -> None:
        if len(self.waiting) >= WAITING:
            self.waiting.clear()
            self.resync = "slow"
        else:
            self.waiting.append(change)
        self.awake.set()

    def again(self, reason: str) -> None:
        self.waiting.clear()
        self.resync = reason
        self.awake.set()

    def end(self) -> None:
        self.ended = True
        self.awake.set()


class Feed:
    """`publish` on each commit, in order; `stream` for each reader."""

    def __init__(self, store: GatewayStore, clock: Clock, about: About) -> None:
        self._store = store
        self._clock = clock
        self._about = about
        self._kept: deque[Numbered] = deque(maxlen=KEPT)
        self._readers: set[Reader] = set()
        self._seq = 0
        self._reserved = 0
        self._oldest = 0
        self._commits: deque[Sequence[Change]] = deque()
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def start(self) -> None:
        self._closed = False
        await self._reserve()
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
        for reader in self._readers:
            reader.again(reason)

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
                await self._number(self._commits.popleft())

    async def _number(self, changes: Sequence[Change]) -> None:
        if self._seq + len(changes) >= self._reserved:
            await self._reserve()
        known = {f"{kind}/{own}": resource for kind, own, _, resource in changes if resource is not None}
        for kind, own, version, resource in changes:
            patients = await self._about(resource, known) if resource is not None else ()
            self._seq += 1
            body = {
                "seq": self._seq,
                "type": kind,
                "id": own,
                "version": version,
                "patients": patients,
                "transaction": tag_of(resource) if resource is not None else "",
                "resource": resource,
            }
            one = Numbered(self._seq, kind, patients, event("change", body, self._seq))
            if len(self._kept) == KEPT:
                self._oldest = self._kept[0].seq
            self._kept.append(one)
            for reader in self._readers:
                reader.put(one)

    async def _reserve(self) -> None:
        def work(connection: sqlite3.Connection) -> int:
            connection.execute(
                "INSERT INTO number VALUES ('seq', ?) ON CONFLICT (name) DO UPDATE SET value = value + ?",
                (BLOCK, BLOCK),
            )
            return int(connection.execute("SELECT value FROM number WHERE name = 'seq'").fetchone()[0])

        self._reserved = await self._store.run(work)

    # Reading ------------------------------------------------------------------------------------------------------

    async def stream(self, since: int, who: Who, asking: Asking, alive: Callable[[], bool]) -> AsyncIterator[bytes]:
        """The events of one session from number `since` (0: from now), until it ends."""
        reader = Reader(asking.bearer.sid)
        replay, start = self._replay(since)
        reader.waiting.extend(replay)
        self._readers.add(reader)
        if since and start != since:
            reader.resync = "forgotten"
        if self._closed:
            reader.end()
        permitted = asking.permitted()
        beat = self._clock.monotonic() + HEARTBEAT_SECONDS
        try:
            yield event("hello", {"seq": start})
            while not reader.ended and alive():
                reader.awake.clear()
                try:
                    asking = await who()
                except Refused:
                    return  # nobody can say what this session may see: it comes back later
                if asking.permitted() != permitted:
                    # Who is open has changed: what was hidden must be fetched, what is closed must go.
                    permitted = asking.permitted()
                    reader.again("access")
                if reader.resync:
                    reason, reader.resync = reader.resync, ""
                    yield event("resync", {"reason": reason, "seq": self._seq})
                sent = b"".join(self._taken(reader, asking))
                if sent:
                    yield sent
                if reader.waiting or reader.resync or reader.ended:
                    continue
                left = min(beat - self._clock.monotonic(), asking.bearer.expires - self._clock.real().timestamp())
                if not await _woken(reader.awake, left) and self._clock.monotonic() >= beat:
                    beat = self._clock.monotonic() + HEARTBEAT_SECONDS
                    yield b": alive\n\n"
        finally:
            self._readers.discard(reader)

    def _replay(self, since: int) -> tuple[list[Numbered], int]:
        """What a reader from `since` has missed, and the number the stream goes on from."""
        if self._oldest <= since <= self._seq and self._seq - since < WAITING:
            return [each for each in self._kept if each.seq > since], since
        return [], self._seq

    def _taken(self, reader: Reader, asking: Asking) -> list[bytes]:
        taken: list[bytes] = []
        while reader.waiting and len(taken) < 100:
            change = reader.waiting.popleft()
            if sees(asking, change):
                taken.append(change.data)
        return taken


def sees(asking: Asking, change: Numbered) -> bool:
    """Whether a session is told of a change: nobody's data go to everybody, a patient's only to those who may see them."""
    if not served(change.kind):
        return False
    if change.kind in GLOBAL_TYPES:
        return True
    if not change.patients:
        return False
    return asking.decide("read", change.kind, change.patients).permitted


async def _woken(awake: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await awake.wait()
    except TimeoutError:
        return False
    return True


def event(name: str, data: object, seq: int | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n" + (f"id: {seq}\n" if seq is not None else "")
    return head.encode() + b"data: " + orjson.dumps(data) + b"\n\n"

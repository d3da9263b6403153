"""The shared record of one signed-in user: every search, read and watch of every panel ends here.

Queries arrive with their patients in them: the broker has checked scope, context and patient before. Never checks access,
never writes to the platform (the outbox does) and keeps nothing on disk (outbox and drafts do).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from workspace.clock import Clock
from workspace.fhir.service import Resource
from workspace.problem import Problem
from workspace.record.client import Asker, Client, PlatformProblem
from workspace.record.feed import Feed
from workspace.record.joins import Joins
from workspace.record.lights import Light
from workspace.record.offline import Offline
from workspace.record.queries import KEPT_AFTER, Queries
from workspace.record.rows import Changed, Rows, RowsListener, ServiceState, changed
from workspace.record.seen import Seen
from workspace.record.waiting import Unsettled, Waiting
from workspace.record.watched import Watched

log = logging.getLogger(__name__)
__all__ = ["Record", "Watched"]

FIRST_HELLO = 2.0
"""Seconds that `start` waits for the change feed; without it the record works, and says that it may be stale."""


class Following(Unsettled, Protocol):
    """As much of the outbox as the record follows."""

    def on_marks(self, listener: Callable[[], None]) -> Callable[[], None]: ...


class Record:
    """`user` is the FHIR reference of who is signed in. `outbox` and `drafts` are kept for the broker; the record asks
    nothing of them. ``await start()`` before, ``await close()`` after."""

    def __init__(self, client: Client, *, clock: Clock, user: str, outbox: Any = None, drafts: Any = None) -> None:
        self.client = client
        self.clock = clock
        self.user = user
        self.outbox = outbox
        self.drafts = drafts
        self._light = Light("journalplattform", clock)
        self.waiting = Waiting()
        """What the outbox has not got an answer to yet; it is laid over every result."""
        self._queries = Queries(client, clock, self._light, lambda: self._feed.is_open(), self.waiting)
        queries = self._queries
        self._feed = Feed(
            client, self._light, self._arrived, self._anew, self._back, queries.lost,
            access=self._access, merged=self._merged, drafted=self._drafted, ordered=self._ordered,
        )  # fmt: skip
        queries.fetched = self._fetched
        self._joins = Joins()
        self._merging: list[Callable[[str, str], None]] = []
        self._drafting: list[Callable[[Mapping[str, Any] | None, int], None]] = []
        self._ordering: list[Callable[[], None]] = []
        self._seen = Seen()
        self._reads: dict[tuple[str, str], asyncio.Task[Resource]] = {}
        self._listeners: list[Callable[[Sequence[Changed]], None]] = []
        self._doubting: list[Callable[[], None]] = []

    def follow(self, outbox: Following) -> Callable[[], None]:
        """What waits in `outbox` stands in every result from now on. Returns what ends it."""

        def take() -> None:
            if self.waiting.take(outbox):
                self._queries.laid_over()

        take()
        return outbox.on_marks(take)

    def read_from(self, offline: Offline) -> None:
        """What `offline` keeps is readable while the platform is away, but for what this session knows to be over."""
        self._queries.offline, offline.seen = offline, self._seen

    async def keep_offline(self, unit: str, queries: Sequence[str]) -> None:
        """Keep the answers to `queries` (canonical, about `unit` and its patients) for when the platform is away."""
        if self._queries.offline is not None:
            await self._queries.offline.keep(unit, queries, self._queries.page)

    async def start(self) -> None:
        """Open the change feed; returns when it stands, at the latest after two seconds."""
        self._feed.start()
        await self._feed.wait_until_open(FIRST_HELLO)

    async def close(self) -> None:
        """End the feed, all requests and all watches; no listener is called any more. May be called twice."""
        await self._feed.close()
        await self._queries.close()
        tasks = list(self._reads.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listeners.clear()
        self._light.close()

    async def search(self, query: str, asker: Asker) -> Rows:
        """The live result of `query` when there is one, else fetched. Raises PlatformProblem, SearchError."""
        return await self._queries.search(query, asker)

    async def read(self, reference: str, asker: Asker) -> Resource:
        """``Type/id`` as it is now, with what waits of it; equal reads under way share one request. A create that waits is
        read under the id it is shown by, and under that still when the platform has given it its own. Raises
        PlatformProblem (``not-found``)."""
        there = self.waiting.find(reference) if self.waiting.unsettled(reference) else None
        if there is not None:
            return there
        reference = self.waiting.named(reference)
        key = (reference, asker.purpose)
        task = self._reads.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._read(reference, asker))
            self._reads[key] = task
            task.add_done_callback(lambda done: self._has_read(key, done))
        return self.waiting.over_one(await asyncio.shield(task))

    async def _read(self, reference: str, asker: Asker) -> Resource:
        asking = asyncio.ensure_future(self.client.get(reference, asker))
        try:
            await asyncio.wait({asking}, timeout=0.0 if self._light.is_down() else KEPT_AFTER)
            there = None if asking.done() else await self._there(reference)
            if there is not None:
                return there  # the platform does not answer: what is at hand can still be opened
            answer = await asking
        except PlatformProblem as problem:
            there = await self._there(reference) if problem.unknown_outcome else None
            if there is None:
                raise
            return there
        finally:
            asking.cancel()
        resource: Resource = answer.body
        return resource

    async def _there(self, reference: str) -> Resource | None:
        """On the screen, or kept for when the platform is away; nothing when a newer version was told that is not here."""
        held, offline = self._queries.held(reference), self._queries.offline
        if held is not None and not self._seen.outdates(held):
            return held
        return await offline.find(reference) if offline is not None else None

    def _has_read(self, key: tuple[str, str], task: asyncio.Task[Resource]) -> None:
        self._reads.pop(key, None)
        if not task.cancelled():
            task.exception()  # an asker that has gone may fail unheard

    def watch(self, query: str, asker: Asker, listener: RowsListener, *, safety: bool = False) -> Watched:
        """A live query. The first call of `listener` comes on a later turn of the loop. Raises SearchError."""
        return self._queries.watch(query, asker, listener, safety=safety)

    async def prefetch(self, queries: Sequence[tuple[str, Asker, bool]]) -> None:
        """Send (query, asker, safety) ahead, merged, safety ones first; joined to what is under way before the first
        wait. Returns when all have an answer; failures are told to whoever watches or searches later."""
        await self._queries.prefetch(queries)

    def peek(self, query: str) -> Rows | None:
        """The live result of `query`, as shown (with what waits), if it is here and fresh; never fetches. Raises
        SearchError."""
        return self._queries.peek(query)

    def rows(self, kind: str) -> tuple[Resource, ...]:
        """All resources of a type that live results show now, those that wait among them; never fetches."""
        return self._queries.rows(kind)

    async def at_hand(self, kind: str, patient: str) -> tuple[Resource, ...]:
        """Resources of a type about `patient` (``Patient/x``) that are here without asking the platform: on the screen,
        waiting, or kept for when it is away where nothing newer is here: what has gone from the screen is not found."""
        shown = (*self._queries.rows(kind), *self.waiting.of(kind))
        offline = self._queries.offline
        try:
            copies = await offline.of(kind, patient, self._queries.texts(kind)) if offline is not None else ()
        except Problem as problem:
            log.warning("what is kept for reading without the platform cannot be read: %s", problem.code)
            copies = ()
        known = {row.get("id") for row in shown}
        return (*shown, *(row for row in copies if row.get("id") not in known))

    def held(self, name: str, version: str = "") -> Resource | None:
        """``Type/id``, in that version, as the platform has it, when a live result does; never what waits, never fetches."""
        return self._queries.held(name, version)

    def apply(self, bundle: Mapping[str, Any], transaction: str = "") -> None:
        """The platform's answer to an own transaction: its resources reach every watch before this returns."""
        moved = self.waiting.answered(transaction, bundle)
        fresh = []
        for entry in bundle.get("entry") or ():
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(resource, dict) and resource.get("id") and resource.get("resourceType") != "OperationOutcome":
                fresh.append(changed(resource, transaction))
        self._arrived(fresh, moved)

    def is_away(self) -> bool:
        """Whether the platform is known not to answer."""
        return self._light.state.state == "nede"

    def release(self, context: str) -> None:
        """The context (its token) is over: what only it asked for is forgotten."""
        self._queries.release(context)

    def refresh(self) -> None:
        """Fetch every live result again, e.g. after the user's access has changed."""
        self._queries.refetch_all()
        self._doubt()

    def _back(self) -> None:
        self._queries.retry()
        self._doubt()

    def _doubt(self) -> None:
        for listener in list(self._doubting):
            listener()

    def on_service(self, listener: Callable[[ServiceState], None]) -> Callable[[], None]:
        """Told the light of ``journalplattform`` now and whenever it changes. Returns what ends it."""
        return self._light.listen(listener)

    def on_change(self, listener: Callable[[Sequence[Changed]], None]) -> Callable[[], None]:
        """Told every new version of a resource, own ones included, once. Returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def on_doubt(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Called when what was read may be other than it was, and nobody can say what: changes may have been missed, or the
        platform is there again. Returns what ends it."""
        self._doubting.append(listener)
        return lambda: self._doubting.remove(listener) if listener in self._doubting else None

    def on_merge(self, listener: Callable[[str, str], None]) -> Callable[[], None]:
        """Told (gone, stays), each ``Patient/<id>``, when two records turn out to be one person, but for what closes a
        circle. Returns what ends it."""
        self._merging.append(listener)
        return lambda: self._merging.remove(listener) if listener in self._merging else None

    def on_draft(self, listener: Callable[[Mapping[str, Any] | None, int], None]) -> Callable[[], None]:
        """Told a change of this person's drafts on another workstation, or None with the newest revision to compare with.
        Returns what ends it."""
        self._drafting.append(listener)
        return lambda: self._drafting.remove(listener) if listener in self._drafting else None

    def on_order(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Called when the platform may have an order to wipe for this workstation. Returns what ends it."""
        self._ordering.append(listener)
        return lambda: self._ordering.remove(listener) if listener in self._ordering else None

    def _anew(self) -> None:
        self._seen.clear()
        self.refresh()

    def _access(self) -> None:
        if self._queries.offline is not None:
            self._queries.offline.doubt()

    def _ordered(self) -> None:
        for listener in list(self._ordering):
            listener()

    def _fetched(self, rows: Sequence[Resource]) -> None:
        """A merge that the feed did not tell of (it was cut for too long, or is older than this session) says itself."""
        self._seen.answered(rows)
        for gone, stays in self._joins.read(rows):
            self._merged(gone, stays)

    def _merged(self, gone: str, stays: str) -> None:
        moves = self._joins.tells(gone, stays)
        self._queries.merged(gone, stays)
        if not moves:
            log.warning("records that replace each other: nothing follows them")
            return
        for listener in list(self._merging):
            listener(gone, stays)

    def _drafted(self, change: Mapping[str, Any] | None, revision: int) -> None:
        for listener in list(self._drafting):
            listener(change, revision)

    def _arrived(self, batch: Sequence[Changed], moved: bool = False) -> None:
        """`moved`: what waits is other than before. Its rows leave in the same change as the platform's come."""
        fresh = [each for each in batch if self._seen.is_new(each)]
        moved = self.waiting.heard(fresh) or moved
        if fresh or moved:
            self._queries.changed(fresh)
        if self._queries.offline is not None and (gone := [each.name for each in fresh if each.resource is None]):
            self._queries.offline.drop(gone)
        if not fresh:
            return
        self._joins.read(
            each.resource for each in fresh if each.resource is not None
        )  # the feed tells of a merge itself
        for listener in list(self._listeners):
            listener(fresh)

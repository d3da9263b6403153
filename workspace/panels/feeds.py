"""The live queries of one open panel: kept rows for bound tables, and `data` messages for the panel itself.

Every query goes to the door with the instance's grant (law 1). Never asks for more than the panel asked. A panel that
nobody sees is told of changes a moment after those on the screen: it is not to take a processor that they need.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from workspace.broker.door import Change, Door, SearchResult, Watch
from workspace.broker.grant import Grant
from workspace.fhir import parameters
from workspace.fhir.search import parse_query
from workspace.fhir.service import Resource
from workspace.panels import wire
from workspace.panels.face import BoundRows
from workspace.panels.protocol import MAX_CHUNK, MAX_WATCHES, Data, Result, TooLarge, TooMany
from workspace.problem import Problem

LATER = 0.05
"""Seconds after which a panel out of sight is told of a change; the others have painted theirs by then."""


@dataclass(slots=True)
class Feed:
    """One watched query. `bound`: its rows stay on this side. `ready`: a first answer (or error) has come."""

    handle: int
    query: str
    bound: bool
    rows: list[Resource] = field(default_factory=list)
    included: int = 0
    total: int | None = None
    fetched: str = ""
    more: bool = False
    error: str = ""
    code: str = ""
    ready: bool = False
    told: bool = False  # the panel has been given (or is being given) its rows
    asked_bound: bool = False
    watch: Watch | None = None

    def apply(self, change: Change) -> None:
        self.ready = True
        self.error, self.code = change.error, change.code
        self.more = self.more if change.more is None else change.more
        if change.whole is not None:
            self._whole(change.whole)
        elif not change.gone and all(self._stands(index, row) for index, row in change.put):
            for index, row in change.put:  # the usual case, and the long result is not gone through for it
                self.rows[index] = row
        elif change.gone or change.put:
            drop = {*change.gone, *(reference(resource) for _, resource in change.put)}
            tail = {reference(row) for row in self.rows[len(self.rows) - self.included :]} if self.included else set()
            self.rows = [row for row in self.rows if reference(row) not in drop]
            for index, resource in sorted(change.put, key=lambda placed: placed[0]):
                self.rows.insert(index, resource)
            self.included = sum(reference(row) in tail for row in self.rows) if tail else 0

    def _stands(self, index: int, row: Resource) -> bool:
        """Whether another version of `row` stands there already."""
        return index < len(self.rows) and reference(self.rows[index]) == reference(row)

    def _whole(self, result: SearchResult) -> None:
        self.rows = list(result.resources)
        self.included, self.total, self.fetched = result.included, result.total, result.fetched
        self.more = result.more

    def result(self, rows: list[Resource] | None = None) -> Result:
        return Result(
            query=self.query,
            watch=self.handle,
            resources=self.rows if rows is None else rows,
            included=self.included,
            total=self.total,
            fetched=self.fetched,
            error=self.error,
            code=self.code,
            more=self.more,
        )


class Feeds:
    """All of an instance's. `send(Data)` reaches the panel; `changed(handle)` the shell; `in_sight()` says whether anybody
    sees the panel."""

    def __init__(
        self,
        door: Door,
        grant: Grant,
        send: Callable[[Data], None],
        changed: Callable[[int], None],
        in_sight: Callable[[], bool] = lambda: True,
    ) -> None:
        self._door, self._grant, self._send, self._changed = door, grant, send, changed
        self._in_sight = in_sight
        self._held: list[Data] = []
        self._timer: asyncio.TimerHandle | None = None
        self._feeds: dict[int, Feed] = {}
        self._number = 0
        self._first: asyncio.Event = asyncio.Event()
        self._closed = False

    @property
    def ready(self) -> bool:
        """Whether every query has had an answer."""
        return all(feed.ready for feed in self._feeds.values())

    def bound(self, handle: int) -> BoundRows:
        feed = self._feeds.get(handle)
        if feed is None:
            return BoundRows()
        newest = feed.more and newest_first(feed.query)
        return BoundRows(tuple(feed.rows), feed.included, feed.error, feed.fetched, feed.more, newest, feed.ready)

    def watch(self, query: str, bound: bool = False, mute: bool = False) -> Feed:
        """A live query under a handle; the same query is the same handle. What was fetched ahead and is then only drawn
        from is not sent to the panel, unless it has been. `mute`: nothing is sent until `open` has left. Raises Refused from
        the door, TooMany."""
        for feed in self._feeds.values():
            if feed.query == query and (bound or not feed.bound):
                feed.bound = feed.bound or (bound and not feed.ready)
                return feed
        if len(self._feeds) >= MAX_WATCHES:
            raise TooMany(f"more than {MAX_WATCHES} watches in one instance")
        self._number += 1
        feed = Feed(self._number, query, bound, asked_bound=bound)
        self._feeds[feed.handle] = feed
        try:
            feed.watch = self._door.watch(self._grant, query, lambda change: self._moved(feed, change))
        except Problem as problem:
            if not mute:
                del self._feeds[feed.handle]
                raise
            feed.error, feed.code, feed.ready = str(problem), problem.code, True
        return feed

    def tell(self, feed: Feed) -> None:
        """Give the panel all rows of `feed`, now or as soon as they come; from then on its changes too."""
        feed.told = True
        if feed.ready and not feed.bound:
            self._whole(feed)

    def unwatch(self, handle: int) -> None:
        feed = self._feeds.pop(handle, None)
        self._held = [data for data in self._held if data.watch != handle]
        if feed is not None:
            feed.rows = []  # who still holds the feed holds no record
            if feed.watch is not None:
                feed.watch.close()

    async def settle(self, handles: list[int], timeout: float) -> None:
        """Wait until all of `handles` have an answer, at most `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                while not all(self._feeds[handle].ready for handle in handles if handle in self._feeds):
                    self._first.clear()
                    await self._first.wait()
        except TimeoutError:
            return

    def flush(self) -> None:
        """What was to come later goes now, in its order: something follows that may rest on it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        held, self._held = self._held, []
        for data in held:
            self._send(data)

    def _drop_held(self) -> None:
        self._held.clear()
        self.flush()

    def forget(self) -> None:
        """The process is gone: prefetched feeds stand, what it had asked for itself ends."""
        self._drop_held()
        for feed in list(self._feeds.values()):
            feed.told, feed.bound = False, feed.asked_bound

    def close(self) -> None:
        self._closed = True
        self._drop_held()
        for handle in list(self._feeds):
            self.unwatch(handle)

    def _moved(self, feed: Feed, change: Change) -> None:
        if self._closed or (feed.handle not in self._feeds):
            return
        feed.apply(change)
        self._first.set()
        self._changed(feed.handle)
        if feed.bound or not feed.told:
            return
        if change.whole is not None:
            self._whole(feed)
            return
        if sum(len(wire.encode(row)) for _, row in change.put) > MAX_CHUNK:
            self._whole(feed)
            return
        told = {"error": change.error, "code": change.code, "further": change.more}
        self._held.append(self._data(feed, gone=list(change.gone), put=list(change.put), **told))
        if self._in_sight():
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LATER, self.flush)

    def _whole(self, feed: Feed) -> None:
        """All rows, in as many messages as it takes. A row that no line can hold is left out, and the result says
        so."""
        self.flush()
        rows = [row for row in feed.rows if wire.fits(row)]
        if len(rows) < len(feed.rows) and not feed.error:
            feed.error, feed.code = "En rad er for stor til å sendes til panelet.", TooLarge.name
        parts = list(wire.chunked(rows))
        for number, part in enumerate(parts):
            self._send(self._data(feed, whole=feed.result(part), more=number + 1 < len(parts)))

    def _data(self, feed: Feed, **parts: object) -> Data:
        address = {"instance": self._grant.instance, "context": self._grant.context.token, "watch": feed.handle}
        return Data(**address, **parts)  # type: ignore[arg-type]


def newest_first(text: str) -> bool:
    """Whether a cut result of the query holds the newest: it asks for them first."""
    query = parse_query(text)
    clinical = parameters.clinical_time(query.type)
    first = query.sort[0] if query.sort else None
    return first is not None and first.descending and first.name in ("_lastUpdated", clinical.name if clinical else "")


def reference(resource: Resource) -> str:
    return f"{resource.get('resourceType', '')}/{resource.get('id', '')}"

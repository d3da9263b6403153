"""What waits for the platform, laid over what the platform has answered: a row typed with the network gone stands where it
belongs, with *venter*, and makes way for the platform's own in one and the same change.

An overlay, never a fact: no version of its own, never kept on disk here (the outbox does), never in the copies for offline
reading. What was refused or is in conflict is not in it: that is in the unsent sheet, and the platform's version stands.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from workspace.fhir.references import replaced
from workspace.fhir.search import Query
from workspace.fhir.service import Resource
from workspace.record import conflict
from workspace.record.chain import reference_of
from workspace.record.items import Item, entries, version_in
from workspace.record.live import Page, page_of
from workspace.record.matcher import judge, orders, sort_key
from workspace.record.ours import ENTRY, TRANSACTION, tag
from workspace.record.rows import WAITS, Changed, name_of, version_of

URN = "urn:uuid:"
NAMES = 4000
"""Names of creates that have been answered and are remembered, the longest unused go first: a form that was opened before
may still point at what was shown as waiting. More than anybody writes in a shift, and half a megabyte at most."""


class Unsettled(Protocol):
    """As much of the outbox as the overlay needs."""

    def items(self) -> tuple[Item, ...]: ...

    def late(self) -> tuple[Item, ...]:
        """Those that wait and have been called *venter*."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of an item. `name` is ``Type/id``; a create has the uuid of its ``urn:uuid:`` as id and no `match`. `place`
    is its entry's in the transaction, `key` what the platform tags that with."""

    name: str
    item: str
    key: str
    place: int
    resource: Resource
    match: str = ""

    @property
    def kind(self) -> str:
        return self.name.partition("/")[0]


class Waiting:
    """`take` follows the outbox, `heard` and `answered` the platform; `over` gives a page as it is shown."""

    def __init__(self) -> None:
        self.revision = 0
        """Rises whenever `over` may answer otherwise."""
        self._rows: tuple[Row, ...] = ()
        self._creates: dict[str, Resource] = {}
        self._names: dict[str, str] = {}
        self._formerly: dict[str, dict[int, list[str]]] = {}  # by item and place, the names it had before it was mended
        self._came: set[tuple[str, int]] = set()
        self._done: set[str] = set()
        self._newest: dict[str, int] = {}
        self._ours: set[tuple[str, int]] = set()
        self._taken: list[tuple[str, str, Mapping[str, Any]]] = []

    # Following ------------------------------------------------------------------------------------

    def take(self, outbox: Unsettled) -> bool:
        """What waits now; whether that is news."""
        items, late = outbox.items(), outbox.late()
        self._done &= {one.id for one in items}
        self._creates, self._formerly = {}, {}
        for name, resource in (made for one in items for made in _creates(one)):
            self._creates[name] = self._creates[URN + name.partition("/")[2]] = resource
        for one in items:
            if one.stands_for:
                self._replaces(one)
        late = tuple(one for one in late if one.id not in self._done)
        taken = [(one.id, one.sent_as, one.bundle) for one in late]
        same = len(taken) == len(self._taken) and all(
            a[:2] == b[:2] and a[2] is b[2] for a, b in zip(taken, self._taken, strict=True)
        )
        if same:
            return False
        self._taken = taken
        self._rows = _rows(late)
        if not late:
            for held in (self._came, self._newest, self._ours):
                held.clear()
        self.revision += 1
        return True

    def _replaces(self, item: Item) -> None:
        """A form may still point at what stood where this one stands."""
        places = {str(entry.get("fullUrl", "")): place for place, entry in enumerate(entries(item.bundle))}
        held: dict[int, list[str]] = {}
        self._formerly[item.id] = held
        for old, new in item.stands_for.items():
            if new in self._creates and new in places:
                made = self._creates[new]
                name = f"{made.get('resourceType', '')}/{old.removeprefix(URN)}"
                self._creates[name] = self._creates[old] = made
                held.setdefault(places[new], []).append(name)

    def heard(self, batch: Iterable[Changed]) -> bool:
        """New versions from the platform: what they bring of ours is not laid over them any more. Whether that is news."""
        if not self._rows:
            return False
        before = len(self._came), dict(self._newest)
        keys = {row.key: row for row in self._rows}
        names = {row.name for row in self._rows if row.match}
        for change in batch:
            if change.name in names:
                self._newest[change.name] = max(change.version, self._newest.get(change.name, 0))
                if change.transaction in keys:
                    self._ours.add((change.name, change.version))
            if change.resource is not None and change.transaction in keys:
                self._came |= self._places(change.transaction, change.resource)
        if before == (len(self._came), self._newest):
            return False
        self.revision += 1
        return True

    def answered(self, own: str, bundle: Mapping[str, Any]) -> bool:
        """The platform's answer to the item `own`: its rows go, their names lead to the platform's. Whether that is news."""
        mine = [row for row in self._rows if row.item == own]
        self._done.add(own)
        answers = entries(bundle)
        for place, names in self._formerly.get(own, {}).items():
            for name in names if place < len(answers) else ():
                self._remember(name, reference_of(answers[place]))
        for row in mine:
            if row.place < len(answers):
                self._learn(row, answers[row.place])
        self._rows = tuple(row for row in self._rows if row.item != own)
        self._taken = [one for one in self._taken if one[0] != own]
        self.revision += bool(mine)
        return bool(mine)

    def _learn(self, row: Row, answer: Mapping[str, Any]) -> None:
        if not row.match:
            self._remember(row.name, reference_of(answer))
        elif version := version_of(answer.get("resource") or {}):
            # Later ones of ours build on it: they are not overtaken by it.
            self._ours.add((row.name, version))

    def _remember(self, name: str, known: str) -> None:
        self._names[name] = known
        while len(self._names) > NAMES:
            del self._names[next(iter(self._names))]

    def _places(self, key: str, resource: Resource) -> set[tuple[str, int]]:
        place = tag(resource, ENTRY)
        return {
            (key, row.place)
            for row in self._rows
            if row.key == key and row.kind == resource.get("resourceType") and place in ("", str(row.place))
        }

    # Showing --------------------------------------------------------------------------------------

    def over(self, page: Page) -> Page:
        """`page` with what waits in its place; itself when nothing of it concerns the page."""
        if not self._rows or page.counts or page.query.page:
            return page
        rows = [row for row in self._rows if row.kind == page.query.type]
        came = self._came | self._already(page, rows) if rows else self._came
        for row in self._rows:
            if row.match:
                page = self._changed(page, row)
            elif row.kind == page.query.type and (row.key, row.place) not in came:
                page = _put(page, None, row.resource)
        return page

    def alone(self, query: Query) -> Page | None:
        """What waits of a query that the platform has never answered; None when nothing does."""
        page = self.over(page_of(query, ()))
        return replace(page, complete=False) if page.matches else None

    def of(self, kind: str) -> tuple[Resource, ...]:
        """What waits of a type, as it is shown, whether any result shows it or not."""
        return tuple(row.resource for row in self._rows if row.kind == kind and self._stands(row))

    def find(self, name: str) -> Resource | None:
        """What waits under `name` (``Type/id``), the newest."""
        return next((row.resource for row in reversed(self._rows) if row.name == name and self._stands(row)), None)

    def over_one(self, resource: Resource) -> Resource:
        """A single resource as it is shown."""
        name = name_of(resource)
        fits = (row for row in reversed(self._rows) if row.name == name and self._fits(row, resource))
        return next((row.resource for row in fits), resource)

    def _already(self, page: Page, rows: Sequence[Row]) -> set[tuple[str, int]]:
        """Those of ours that a fetch has brought before their answer."""
        keys = {row.key for row in rows}
        found: set[tuple[str, int]] = set()
        for match in page.matches:
            if (key := tag(match, TRANSACTION)) in keys:
                found |= self._places(key, match)
        return found

    def _changed(self, page: Page, row: Row) -> Page:
        if row.kind != page.query.type or row.name not in page.names:
            for at, beside in enumerate(page.included):
                if name_of(beside) == row.name and self._fits(row, beside):
                    return replace(page, included=(*page.included[:at], row.resource, *page.included[at + 1 :]))
            inside = row.kind == page.query.type and self._stands(row)
            return _put(page, None, row.resource) if inside else page
        at = page.names.index(row.name)
        return _put(page, at, row.resource) if self._fits(row, page.matches[at]) else page

    def _stands(self, row: Row) -> bool:
        newest = self._newest.get(row.name, 0)
        return not row.match or not newest or self._is_base(row, newest)

    def _fits(self, row: Row, there: Resource) -> bool:
        """Whether `there` is what the update was made from: a newer version of somebody else's is a fact, and stands."""
        return self._stands(row) and self._is_base(row, version_of(there))

    def _is_base(self, row: Row, version: int) -> bool:
        return not row.match.isdigit() or version <= int(row.match) or (row.name, version) in self._ours

    # Names ----------------------------------------------------------------------------------------

    def unsettled(self, name: str) -> Resource | None:
        """What is to be made under `name` (``Type/<uuid>`` or ``urn:uuid:…``), shown or not: it waits, is held or was
        refused."""
        return self._creates.get(name)

    def named(self, name: str) -> str:
        """The platform's name of a create that has been shown as `name`; else `name`."""
        known = self._names.pop(name, "")
        if known:
            self._names[name] = known  # the newest in use
        return known or name

    def standing(self, name: str) -> str:
        """What to write for a reference to `name`: the ``urn:uuid:`` of a create that is not settled, which the outbox puts
        right, the platform's own name of one that is; else `name`."""
        if name in self._creates and not name.startswith(URN):
            return URN + name.partition("/")[2]
        return self.named(name)

    def is_known(self, name: str) -> bool:
        """Whether `name` is one that only waiting has given."""
        return name in self._creates or name in self._names


def _creates(item: Item) -> list[tuple[str, Resource]]:
    found = []
    for entry in entries(item.bundle):
        resource, name = entry.get("resource") or {}, str(entry.get("fullUrl", ""))
        if (entry.get("request") or {}).get("method") == "POST" and name.startswith(URN):
            found.append((f"{resource.get('resourceType', '')}/{name.removeprefix(URN)}", resource))
    return found


def _rows(items: Sequence[Item]) -> tuple[Row, ...]:
    """The rows of `items`, in the order of delivery; a later update of a resource stands on the earlier one."""
    names = {URN + name.partition("/")[2]: name for one in items for name, _ in _creates(one)}
    found: list[Row] = []
    updated: dict[str, Resource] = {}
    for item in items:
        for place, entry in enumerate(entries(item.bundle)):
            request, resource = entry.get("request") or {}, entry.get("resource")
            if not isinstance(resource, dict):
                continue
            if request.get("method") == "PUT":
                name, match = str(request.get("url", "")), version_in(str(request.get("ifMatch", "")))
                earlier, base = updated.get(name), item.bases.get(name)
                if earlier is not None and base is not None:
                    joined = conflict.compare(base, resource, earlier)
                    resource = earlier if joined.withdrawn == ("theirs",) else joined.merged
                updated[name] = resource
            else:
                name, match = names.get(str(entry.get("fullUrl", "")), ""), ""
            if name:
                shown = _shown(resource, name, match, item.made, names)
                found.append(Row(name, item.id, item.sent_as, place, shown, match))
    return tuple(found)


def _shown(resource: Resource, name: str, match: str, made: str, names: Mapping[str, str]) -> Resource:
    """As it is shown: under its name, marked; others that wait are named as they are shown."""
    shown: Resource = replaced(resource, lambda text: names.get(text, text))
    meta = {key: value for key, value in (shown.get("meta") or {}).items() if key != "versionId"}
    tags = [one for one in meta.get("tag") or () if isinstance(one, dict) and one.get("system") != WAITS["system"]]
    version = {"versionId": match} if match else {}
    shown["id"] = name.partition("/")[2]
    shown["meta"] = {**meta, **version, "lastUpdated": made, "tag": [*tags, dict(WAITS)]}
    return shown


def _put(page: Page, at: int | None, resource: Resource) -> Page:
    """`page` with `resource` instead of the row at `at`, or besides, when the query can tell that it belongs."""
    verdict = judge(page.query, resource)
    if verdict != "in":
        return page.spliced(at, None, None, None) if at is not None and verdict == "out" else page
    key = sort_key(page.query, resource)
    if at is not None and page.keys[at] == key:
        return replace(page, matches=(*page.matches[:at], resource, *page.matches[at + 1 :]))
    keys = page.keys if at is None else (*page.keys[:at], *page.keys[at + 1 :])
    newest_first = orders(page.query)[0].descending
    place = bisect_left(keys, key) if newest_first else bisect_right(keys, key)
    if at is None and not page.complete and place == len(keys):
        return page  # it belongs behind what is shown
    return page.spliced(at, place, resource, key)

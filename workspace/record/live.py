"""One page of live results: kept right by applying changes, as long as that can be decided here.

Pure: no clock, no network. `Page.after` answers with the next page, or None when only the platform can tell.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import lt
from typing import Any

from workspace.fhir import parameters
from workspace.fhir.references import walk
from workspace.fhir.search import Query
from workspace.fhir.service import Resource
from workspace.fhir.values import Reference, extract
from workspace.record.matcher import Key, Read, judge, orders, sort_key
from workspace.record.rows import Changed, Rows, RowsChange, is_older, name_of, version_of, waits

LONGEST = 1000
"""Rows that are kept of a search without `_count`."""


class Keys(Sequence[Key]):
    """The sort keys of rows, worked out when the first change needs them: most pages are shown and never change."""

    def __init__(self, query: Query, rows: Sequence[Resource]) -> None:
        self._query, self._rows = query, rows
        self._keys: tuple[Key, ...] | None = None

    def ready(self) -> tuple[Key, ...]:
        if self._keys is None:
            self._keys = tuple(sort_key(self._query, each) for each in self._rows)
        return self._keys

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.ready())

    def __getitem__(self, at: Any) -> Any:
        return self.ready()[at]


@dataclass(frozen=True, slots=True)
class Page:
    """`matches` in order with their sort `keys` and `names`; `complete` when nothing lies behind the last one."""

    query: Query
    matches: tuple[Resource, ...]
    keys: Sequence[Key]
    names: tuple[str, ...]
    included: tuple[Resource, ...] = ()
    total: int | None = None
    complete: bool = True
    fetched: str = ""
    request: str = ""

    @property
    def rows(self) -> Rows:
        total = len(self.matches) if self.complete and not self.counts else self.total
        resources = (*self.matches, *self.included)
        more = not self.complete and bool(self.limit)
        return Rows(resources, len(self.included), total, self.fetched, self.request, more)

    @property
    def counts(self) -> bool:
        """Whether the query asks for a number that only the platform knows."""
        return self.query.total in ("accurate", "estimate") or not self.limit

    @property
    def limit(self) -> int:
        if self.query.summary == "count":
            return 0
        return LONGEST if self.query.count is None else min(self.query.count, LONGEST)

    def after(self, changes: Iterable[Changed], read: Read = extract) -> Page | None:
        """This page after `changes`, in their order; itself when none concerns it; None when it must be fetched."""
        page: Page | None = self
        for change in changes:
            page = page._moved(change, read) if page else None
        return page

    def _moved(self, change: Changed, read: Read) -> Page | None:
        if self._far_end_of_a_chain(change.type):
            return None
        page: Page | None = self
        if self.query.include or self.query.revinclude:
            page = self._beside(change)
        if page is None or change.type != self.query.type:
            return page
        at = page.names.index(change.name) if change.name in page.names else None
        if at is not None and (older := is_older(change, page.matches[at])) is not False:
            return page if older else None
        verdict = "out" if change.resource is None else judge(self.query, change.resource, read)
        if verdict == "out" and at is None and not (self.counts and (not self.complete or not self.limit)):
            return page if change.version == 1 else page._uncounted()  # it may have stood behind the last row
        if verdict == "undecidable" or self.counts:
            return None
        if change.resource is None or verdict == "out":
            return page._without(at) if at is not None else page
        return page._with(change.resource, at, change.version, read)

    def _without(self, at: int) -> Page | None:
        if not self.complete or self.query.include or self.query.revinclude:
            return None  # what moves up from behind, or is no longer included, only the platform knows
        return self.spliced(at, None, None, None)

    def spliced(self, drop: int | None, place: int | None, resource: Resource | None, key: Key | None) -> Page:
        """Without the row at `drop`, then with `resource` at `place`, cut to the limit."""
        matches, keys, names = list(self.matches), list(self.keys), list(self.names)
        if drop is not None:
            del matches[drop], keys[drop], names[drop]
        complete, swapped = self.complete, drop is not None and place is not None
        total = self.total if self.counts or swapped else None
        if place is not None and resource is not None and key is not None:
            matches.insert(place, resource)
            keys.insert(place, key)
            names.insert(place, name_of(resource))
            if len(matches) > self.limit:
                complete = False
                del matches[self.limit :], keys[self.limit :], names[self.limit :]
        return replace(
            self, matches=tuple(matches), keys=tuple(keys), names=tuple(names), total=total, complete=complete
        )

    def _uncounted(self) -> Page:
        """How many there are was said before this change, and only the platform knows how many there are now."""
        return self if self.complete or self.counts or self.total is None else replace(self, total=None)

    def _with(self, resource: Resource, at: int | None, version: int, read: Read) -> Page | None:
        key = sort_key(self.query, resource, read)
        includes = bool(self.query.include or self.query.revinclude)
        if includes and (at is None or _targets(self.matches[at]) != _targets(resource)):
            return None
        if at is not None and self.keys[at] == key:
            return replace(self, matches=(*self.matches[:at], resource, *self.matches[at + 1 :]))
        keys = self.keys if at is None else (*self.keys[:at], *self.keys[at + 1 :])
        place, last = bisect_left(keys, key), bisect_right(keys, key)
        if place != last:
            if at is not None or version != 1:
                return None  # among equals the platform keeps an order of its own
            # A new one is the newest of its equals: first when the newest come first, else last.
            place = place if orders(self.query)[0].descending else last
        if not self.complete and place == len(keys):
            return self._uncounted() if at is None else None
        return self.spliced(at, place, resource, key)

    # Included resources ---------------------------------------------------------------------------

    def _beside(self, change: Changed) -> Page | None:
        """The page after a change of a resource that may be there because another one names it."""
        for place, row in enumerate(self.included):
            if row.get("resourceType") == change.type and row.get("id") == change.id:
                if (older := is_older(change, row)) is not False:
                    return self if older else None
                if change.resource is None or self._leads_on(row, change.resource):
                    return None
                included = (*self.included[:place], change.resource, *self.included[place + 1 :])
                return replace(self, included=included)
        return None if self._is_drawn_in(change) else self

    def _leads_on(self, before: Resource, now: Resource) -> bool:
        """Whether the change may draw in or drop others, or make it no longer belong."""
        iterates = any(each.iterate for each in (*self.query.include, *self.query.revinclude))
        backward = any(each.type == now.get("resourceType") for each in self.query.revinclude)
        return (iterates or backward) and _targets(before) != _targets(now)

    def _is_drawn_in(self, change: Changed) -> bool:
        rows = (*self.matches, *self.included)
        here = {name_of(row) for row in rows}
        if change.name in here:
            return False
        for each in self.query.include:
            definition = parameters.definition(each.type, each.name)
            if definition is None or each.target not in ("", change.type):
                continue
            for row in rows:
                found = extract(row, definition) if row.get("resourceType") == each.type else []
                if any(isinstance(value, Reference) and value.target == change.name for value in found):
                    return True
        if change.resource is None:
            return False
        for each in self.query.revinclude:
            definition = parameters.definition(each.type, each.name) if each.type == change.type else None
            found = extract(change.resource, definition) if definition else []
            if any(isinstance(value, Reference) and value.target in here for value in found):
                return True
        return False

    def _far_end_of_a_chain(self, kind: str) -> bool:
        return any(each.chain is not None and kind in each.chain.targets for each in self.query.parameters)


def page_of(
    query: Query,
    matches: Sequence[Resource],
    included: Sequence[Resource] = (),
    *,
    total: int | None = None,
    complete: bool = True,
    fetched: str = "",
    request: str = "",
) -> Page:
    """A page from what the platform answered."""
    rows = tuple(matches)
    names = tuple(name_of(each) for each in rows)
    return Page(query, rows, Keys(query, rows), names, tuple(included), total, complete, fetched, request)


def difference(before: Page, now: Page) -> RowsChange | None:
    """The least that turns the rows of `before` into those of `now`; None when they are the same."""
    old, new = before.rows, now.rows
    if now.counts and old.total != new.total:
        return RowsChange(whole=new)
    if now.query.include or now.query.revinclude:
        # The broker withholds some included rows from some panels: places in the full page mean nothing to those, and
        # a row withheld at first must not arrive as a change. Only a whole result is filtered whole.
        same = (
            old.more == new.more
            and len(old.resources) == len(new.resources)
            and all(map(_same, old.resources, new.resources))
        )
        return None if same else RowsChange(whole=new)
    extra_before, extra_now = _names(before.included), _names(now.included)
    here = set(now.names)
    if not set(extra_now) <= set(extra_before) or not here.isdisjoint(extra_before):
        return RowsChange(whole=new)  # a listener cannot know a new row as included
    was = {name: place for place, name in enumerate((*before.names, *extra_before))}
    names = (*now.names, *extra_now)
    here.update(extra_now)
    gone = tuple(name for name in was if name not in here)
    places = [was.get(name) for name in names]
    stay = _unmoved(places)
    put = tuple(
        (index, row)
        for index, (place, row) in enumerate(zip(places, new.resources, strict=True))
        if place is None or index not in stay or not _same(old.resources[place], row)
    )
    more = new.more if old.more != new.more else None
    return RowsChange(gone=gone, put=put, more=more) if gone or put or more is not None else None


def _names(rows: Sequence[Resource]) -> tuple[str, ...]:
    return tuple(name_of(row) for row in rows)


def _unmoved(places: Sequence[int | None]) -> set[int]:
    """Indexes of the longest run of rows that keep their order; `places` are their former ones."""
    known = [place for place in places if place is not None]
    if all(map(lt, known, known[1:])):
        return {index for index, place in enumerate(places) if place is not None}
    tails: list[int] = []
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for index, place in enumerate(places):
        if place is None:
            continue
        at = bisect_left(tails, place)
        before[index] = ends[at - 1] if at else None
        tails[at:] = [place, *tails[at + 1 :]]
        ends[at:] = [index, *ends[at + 1 :]]
    found: set[int] = set()
    index_or_end: int | None = ends[-1] if ends else None
    while index_or_end is not None:
        found.add(index_or_end)
        index_or_end = before[index_or_end]
    return found


def _same(one: Resource, other: Resource) -> bool:
    if one is other:
        return True
    if waits(one) or waits(other):  # in the version that it was made from
        return one == other
    version = version_of(one)
    return (name_of(one), version) == (name_of(other), version_of(other)) if version else one == other


def _targets(resource: Resource) -> frozenset[str]:
    return frozenset(each["reference"] for each in walk(resource))

"""A page of what may be seen, out of the platform's pages: one with rows withheld is filled up from those that follow, so
that no page's length tells how many were. Never narrows a search and never logs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from workspace.fhir import references
from workspace.fhir.references import local, walk
from workspace.fhir.service import FhirRequest, FhirResponse, FhirService, Resource
from workspace.gateway.pages import Place
from workspace.gateway.sight import Sight

MOST = 10
"""Pages of the platform that one answer is made of; after that many it is short, and leads on."""
ORDINARY = 100
"""Rows of a page, where the first one has none that says so."""


@dataclass(slots=True)
class Gathered:
    """`first` is the platform's first answer; when it is no searchset nothing else is here. `following`: where the next page
    begins. `withheld`: some rows are not here that the platform found."""

    first: FhirResponse
    matches: list[Resource] = field(default_factory=list)
    beside: list[Resource] = field(default_factory=list)
    following: Place | None = None
    withheld: bool = False
    placeless: bool = False
    """Somebody's place was taken out."""
    cut: bool = False

    def entries(self) -> list[Resource]:
        """Matches, then what came along for them, each once."""
        there = {_name(each) for each in self.matches}
        beside = {name: each for each in self.beside if (name := _name(each)) not in there}
        rows = list(beside.values())
        return self.matches + (_belonging(self.matches, rows) if self.cut or self.withheld else rows)


class Gathering:
    """One search's. `by_place`: a row whose place is not shown is not found. `sparse`: rows are withheld as a rule, so that
    a next link is given only where something follows that may be seen."""

    def __init__(self, service: FhirService, sight: Sight, kind: str, *, by_place: bool, sparse: bool) -> None:
        self._service, self._sight, self._kind = service, sight, kind
        self._by_place, self._sparse = by_place, sparse

    async def gathered(self, place: Place) -> Gathered:
        """From `place` on."""
        found: Gathered | None = None
        room = 0
        for _ in range(MOST):
            path, _, text = place.asked.partition("?")
            answer = await self._service.handle(FhirRequest("GET", path, text))
            body = answer.body
            if answer.status != 200 or body is None:
                if found is not None:
                    found.following = place  # what there is, is given; the rest is asked for again
                return found or Gathered(answer)
            rows = [each for each in body.get("entry") or () if isinstance(each.get("resource"), dict)]
            matches = [each for each in rows if _mode(each) == "match"]
            if found is None:
                found, room = Gathered(answer), len(matches) or ORDINARY
            found.beside += await self._shown(found, [each for each in rows if _mode(each) != "match"])
            last = await self._take(found, matches, place.after, room)
            following = _next(body, self._kind)
            if last is not None:
                found.following, found.cut = Place(place.asked, last), True
                return found
            found.following = Place(following) if following else None
            if found.following is None or (len(found.matches) >= room and not self._sparse):
                return found
            place = found.following
        assert found is not None, "there is a first page"
        return found

    async def _take(self, found: Gathered, matches: list[Resource], after: str, room: int) -> str | None:
        """Take of one page's `matches`, from `after` on, what has room: the last one that was dealt with; None for all."""
        names = [_name(each) for each in matches]
        begin = names.index(after) + 1 if after in names else 0
        last = after
        for name, entry in zip(names[begin:], matches[begin:], strict=True):
            seen = await self._shown(found, [entry])
            if seen and len(found.matches) >= room:
                return last
            found.matches += seen
            last = name
        return None

    async def _shown(self, found: Gathered, entries: Iterable[Resource]) -> list[Resource]:
        """Those that may be seen, as they are shown."""
        kept = []
        for entry in entries:
            resource = entry["resource"]
            if not await self._sight.sees(resource):
                found.withheld = True
                continue
            shown = self._sight.shown(resource)
            if shown is not resource:
                if self._by_place:
                    found.withheld = True
                    continue
                entry["resource"], found.placeless = shown, True
            kept.append(entry)
        return kept


def _mode(entry: Resource) -> str:
    return str((entry.get("search") or {}).get("mode") or "match")


def _name(entry: Resource) -> str:
    return references.name(entry["resource"])


def _next(bundle: Resource, kind: str) -> str:
    """``Type?query`` of the next link, under whatever address it stands; ``?query`` for a server that pages at its base."""
    links = (link for link in bundle.get("link") or () if link.get("relation") == "next")
    head, _, query = str(next((link.get("url", "") for link in links), "")).partition("?")
    return f"{kind if head.rstrip('/').rpartition('/')[2] == kind else ''}?{query}" if query else ""


def _belonging(matches: list[Resource], beside: list[Resource]) -> list[Resource]:
    """Of what came along, what points at a match or is pointed at by one, at whatever distance. A resource with an address
    of its own (``url``) is pointed at in ways that are not looked into."""
    kept = list(matches)
    rest = beside
    while True:
        here = {_name(each) for each in kept}
        named = {name for each in kept for name in _pointed(each)}
        more = [each for each in rest if _name(each) in named or "url" in each["resource"] or here & _pointed(each)]
        if not more:
            return [each for each in beside if _name(each) in here]
        kept += more
        rest = [each for each in rest if each not in more]


def _pointed(entry: Resource) -> set[str]:
    """``Type/id`` of all that a resource refers to, whatever server they are said to stand on."""
    found = set()
    for each in walk(entry["resource"]):
        text = str(each["reference"])
        there = local(text)
        found.add(str(there) if there else references.absolute(text))
    return found

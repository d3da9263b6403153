"""One search as pages from the platform, and the line in which requests wait for their turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from workspace.clock import Clock, instant
from workspace.fhir.search import Query
from workspace.fhir.service import Resource
from workspace.record.client import Asker, Client
from workspace.record.lights import Light
from workspace.record.live import LONGEST, Page, page_of

ABREAST = 8
"""Ordinary requests at a time; safety ones do not wait for them."""
SAFETY_ABREAST = 8


@dataclass(eq=False, slots=True)
class _Waiting:
    safety: Callable[[], bool]
    go: asyncio.Future[bool]


class Line:
    """Who may send now. Those who come in one turn of the loop are let through together, safety first."""

    def __init__(self, light: Light) -> None:
        self._light = light
        self._waiting: list[_Waiting] = []
        self._under_way = {True: 0, False: 0}
        self._called = False

    @asynccontextmanager
    async def turn(self, safety: Callable[[], bool]) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        me = _Waiting(safety, loop.create_future())
        self._waiting.append(me)
        if not self._called:
            self._called = True
            loop.call_soon(self._admit)
        try:
            lane = await me.go
        except asyncio.CancelledError:
            if me in self._waiting:
                self._waiting.remove(me)
            elif me.go.done() and not me.go.cancelled():
                self._leave(me.go.result())
            raise
        try:
            with self._light.request():
                yield
        finally:
            self._leave(lane)

    def _leave(self, lane: bool) -> None:
        self._under_way[lane] -= 1
        self._admit()

    def _admit(self) -> None:
        self._called = False
        for lane, room in ((True, SAFETY_ABREAST), (False, ABREAST)):
            for each in list(self._waiting):
                if self._under_way[lane] >= room:
                    break
                if each.safety() == lane and not each.go.done():
                    self._under_way[lane] += 1
                    self._waiting.remove(each)
                    each.go.set_result(lane)


async def fetch(client: Client, query: Query, text: str, asker: Asker, clock: Clock) -> Page:
    """All pages of a search without `_count`, up to `LONGEST` rows; one page with. Raises PlatformProblem."""
    matches: dict[str, Resource] = {}
    included: dict[str, Resource] = {}
    if query.count is None and not query.summary and not query.page:
        # All of it is wanted: as few pages as the platform will give, since each waits for the one before.
        text += f"{'&' if '?' in text else '?'}_count={LONGEST}"
    answer = await client.get(text, asker)
    request, total, following = answer.request, answer.body.get("total"), ""
    for _ in range(LONGEST):
        following = _take(answer.body, matches, included)
        if not following or query.count is not None or len(matches) >= LONGEST:
            break
        answer = await client.get(following, asker)
    beside = [row for name, row in included.items() if name not in matches]
    rows = list(matches.values())
    return page_of(
        query,
        rows[:LONGEST],
        beside,
        total=total if isinstance(total, int) else None,
        complete=not following and len(rows) <= LONGEST,
        fetched=instant(clock.now()),
        request=request,
    )


def _take(bundle: dict[str, Any], matches: dict[str, Resource], included: dict[str, Resource]) -> str:
    """Sort a page's entries into `matches` and `included`; the address of the next page, or ""."""
    for entry in bundle.get("entry") or ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            continue
        if resource.get("resourceType") == "OperationOutcome":
            continue  # about the search, not found by it, also where the platform leaves `search.mode` out
        mode = (entry.get("search") or {}).get("mode", "match")
        name = f"{resource.get('resourceType')}/{resource.get('id')}"
        if mode == "match":
            matches.setdefault(name, resource)
        elif mode == "include":
            included.setdefault(name, resource)
    links = (link for link in bundle.get("link") or () if isinstance(link, dict))
    return next((str(link.get("url", "")) for link in links if link.get("relation") == "next"), "")

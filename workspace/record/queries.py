"""Every query once: one request and one live result for all who ask the same, kept as long as somebody wants it.

Requests leave in one place, safety ones first. Knows pages and changes, not what they mean; never asks on its own for what
nobody has asked for.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from workspace.clock import Clock
from workspace.fhir.search import format_query, parse_query
from workspace.fhir.service import Resource
from workspace.problem import Problem
from workspace.record import covering
from workspace.record.client import PURPOSE, Asker, Client, PlatformProblem
from workspace.record.fetch import Line, fetch
from workspace.record.lights import Light
from workspace.record.live import Keys, Page, difference
from workspace.record.lives import Live
from workspace.record.matcher import Reading
from workspace.record.offline import Offline
from workspace.record.patience import LONGEST_AFTER
from workspace.record.rows import Changed, Rows, RowsChange, RowsListener, name_of, version_of
from workspace.record.waiting import Waiting
from workspace.record.watched import Watched

IDLE = 30.0
"""Seconds that a result without watch or context stays."""
SWEEP_EVERY = 1.0
"""Seconds between two looks for such; each query that is asked would else look through all that are kept."""
LARGEST = 600
"""Live results kept at most; those that nobody watches leave first."""
FORMER = 2
"""Contexts that were left last, whose results stay as long, so that going back and forth is immediate."""
KEPT_AFTER = 2.0
"""Seconds without an answer after which what the vault has is shown meanwhile; at once when the platform is known away."""
LARGE = 100
"""A search for as many rows is worth waiting for by one that it may hold."""
READY = 0.3
"""Seconds from a result's arrival to the sorting of its keys."""
GATHER = 0.02
"""Seconds between a change that cannot be decided here and the new fetch, so that a burst costs one."""
RETRIES = (1.0, 2.0, 5.0, 10.0, 30.0)


class Queries:
    """All live results of a session."""

    def __init__(
        self, client: Client, clock: Clock, light: Light, followed: Callable[[], bool], waiting: Waiting
    ) -> None:
        """`followed`: whether the change feed stands; without it a kept result may be old and is not reused. `waiting` is
        laid over every answer."""
        self._client, self._clock, self._followed, self._waiting = client, clock, followed, waiting
        self._line, self._light = Line(light), light
        self._former: list[str] = []
        self._ageing: asyncio.TimerHandle | None = None
        self._swept = 0.0
        self._lives: dict[str, Live] = {}
        self._closed = False
        self.offline: Offline | None = None
        self.fetched: Callable[[Sequence[Resource]], None] = lambda rows: None
        """Told the rows of each answer of the platform."""

    async def close(self) -> None:
        self._closed = True
        lives, self._lives = list(self._lives.values()), {}
        tasks = [task for live in lives for task in (live.task, live.meanwhile) if task]
        if self._ageing:
            self._ageing.cancel()
        for live in lives:
            live.watches.clear()
            if live.again:
                live.again.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Asking ---------------------------------------------------------------------------------------

    async def search(self, text: str, asker: Asker) -> Rows:
        live = self._join(text, asker)
        if live.fresh() and live.shown and self._followed():
            return live.shown.rows
        self._start(live)
        if live.page is not None and live.shown is not None and self._light.is_down():
            return live.shown.rows  # with its age, at once; it is asked for all the same
        live.searching += not asker.context  # who asks in a context is told by its end
        try:
            while live.task is not None:
                looking = {live.meanwhile} if live.meanwhile and not live.meanwhile.done() else set()
                await asyncio.wait({live.task, *looking}, return_when=asyncio.FIRST_COMPLETED)
                if live.task is not None and not live.kept:
                    continue  # nothing in the vault, or somebody came while it was being called off
                if live.problem is not None and not live.fresh() and not live.kept:
                    raise live.problem
                if live.page is not None and live.shown is not None:
                    return live.shown.rows
        finally:
            live.searching -= not asker.context
        if asker.context and not self._closed:
            raise Problem("context-changed", "Beboeren er byttet.")
        raise Problem("closed", "Arbeidsflaten er i ferd med å lukke.", "", "search after close")

    def watch(self, text: str, asker: Asker, listener: RowsListener, *, safety: bool = False) -> Watched:
        live = self._join(text, asker, safety)
        watched = Watched(live, asker, listener, self._left)
        live.watches.append(watched)
        if not (live.fresh() and self._followed()):
            self._start(live)
        asyncio.get_running_loop().call_soon(watched.begin)
        return watched

    async def prefetch(self, asked: Sequence[tuple[str, Asker, bool]]) -> None:
        lives = []
        for text, asker, safety in asked:
            try:
                lives.append(self._join(text, asker, safety))
            except Problem:
                continue  # whoever asks it in earnest is told
        # Safety first; among equals what may hold another.
        lives.sort(key=lambda each: (each.safety, covering.width(each.query)), reverse=True)
        for live in lives:
            if not (live.fresh() and self._followed()):
                self._start(live)
        tasks = {live.task for live in lives if live.task}
        if tasks:
            await asyncio.wait(tasks)

    def peek(self, text: str) -> Rows | None:
        live = self._lives.get(_key(format_query(parse_query(text)), PURPOSE))
        return live.shown.rows if live and live.fresh() and live.shown else None

    def rows(self, kind: str) -> tuple[Resource, ...]:
        pages = [live.shown for live in self._lives.values() if live.shown is not None and live.query.type == kind]
        return tuple({name: row for page in pages for name, row in zip(page.names, page.matches, strict=True)}.values())

    def texts(self, kind: str) -> frozenset[str]:
        """The queries of a type whose results are at hand."""
        return frozenset(
            live.text for live in self._lives.values() if live.page is not None and live.query.type == kind
        )

    def held(self, name: str, version: str = "") -> Resource | None:
        kind, found = name.partition("/")[0], []
        for live in self._lives.values():
            page = live.page
            if page is not None and page.query.type == kind and name in page.names:
                row = page.matches[page.names.index(name)]
                if not version:
                    found.append((not live.stale, version_of(row), row))
                elif str((row.get("meta") or {}).get("versionId", "")) == version:
                    return row
        # A result that waits to be fetched again has what held before that.
        return max(found, key=lambda each: each[:2])[2] if found else None

    def page(self, text: str) -> Page | None:
        """The fresh page of `text` when there is one."""
        live = self._lives.get(_key(text, PURPOSE))
        return live.page if live is not None and live.fresh() and self._followed() else None

    def release(self, context: str) -> None:
        for live in list(self._lives.values()):
            if context not in live.wanted:
                continue
            live.wanted.discard(context)
            live.left, live.used = context, self._clock.monotonic()
            if live.task is not None and not (live.wanted or live.watches or live.searching):
                live.task.cancel()  # the patient has left: nobody waits for this
        self._former = [*(one for one in self._former if one != context), context][-FORMER:]
        self._age()

    def _age(self) -> None:
        """The results of contexts that were left go; those of the last few a while later, if the feed keeps them right."""
        if self._ageing:
            self._ageing.cancel()
            self._ageing = None
        left = [live for live in self._lives.values() if live.left and not live.wanted]
        for live in left:
            self._drop_if_unwanted(live, IDLE if live.left in self._former and live.fresh() else 0.0)
        if left and not self._closed:
            self._ageing = asyncio.get_running_loop().call_later(IDLE / 2, self._age)

    def _join(self, text: str, asker: Asker, safety: bool = False) -> Live:
        query = parse_query(text)
        canonical = format_query(query)
        key = _key(canonical, asker.purpose)
        live = self._lives.get(key)
        if live is None:
            self._sweep()
            live = Live(key, query, canonical, asker)
            self._lives[key] = live
        live.safety = live.safety or safety
        live.used = self._clock.monotonic()
        live.asker = asker
        live.packages.update(dict.fromkeys(asker.packages))
        if asker.context:
            live.wanted.add(asker.context)
        return live

    # Leaving --------------------------------------------------------------------------------------

    def _left(self, live: Live, watched: Watched) -> None:
        if watched in live.watches:
            live.watches.remove(watched)
            live.used = self._clock.monotonic()

    def _sweep(self) -> None:
        now = self._clock.monotonic()
        if now - self._swept >= min(SWEEP_EVERY, IDLE):
            self._swept = now
            for live in list(self._lives.values()):
                self._drop_if_unwanted(live, IDLE)
        excess = len(self._lives) - LARGEST
        if excess >= 0:
            idle = [live for live in self._lives.values() if not live.watches and live.task is None]
            for live in sorted(idle, key=lambda each: each.used)[: excess + 1]:
                self._drop(live)

    def _drop_if_unwanted(self, live: Live, idle: float) -> None:
        if live.watches or live.wanted:
            return
        if live.task is None and self._clock.monotonic() - live.used >= idle:
            self._drop(live)

    def _drop(self, live: Live) -> None:
        if live.again:
            live.again.cancel()
        self._lives.pop(live.key, None)

    # Fetching -------------------------------------------------------------------------------------

    def _start(self, live: Live) -> None:
        if live.task is None and not self._closed:
            if live.again:
                live.again.cancel()
                live.again = None
            live.sent = live.doubted = False
            live.missed.clear()
            live.task = asyncio.get_running_loop().create_task(self._fetch(live))
            live.task.add_done_callback(lambda task: self._fetched(live, task))
            if live.page is None and self.offline is not None:
                live.meanwhile = asyncio.get_running_loop().create_task(self._look_in_the_vault(live, self.offline))

    async def _look_in_the_vault(self, live: Live, offline: Offline) -> None:
        """What was kept is shown while the platform does not answer; it goes on being asked."""
        if not self._light.is_down():
            await asyncio.sleep(KEPT_AFTER)
        page = await offline.load(live.text)
        if page is None or live.page is not None or live.task is None or self._closed:
            return
        live.page, live.kept = page, True
        live.problem = PlatformProblem("platform-unreachable", "Plattformen svarer ikke.")
        self._lay(live)
        whole = live.shown.rows if live.shown is not None else page.rows
        self._emit(live, RowsChange(whole=whole, error=live.age(), code=live.problem.code))

    async def _covered(self, live: Live) -> Page | None:
        """The answer out of a wider result that is here or under way; a safety query waits for no other."""
        if not self._followed():
            return None
        for other in list(self._lives.values()):
            here = other.fresh()
            if other is live or not (here or other.task) or other.asker.purpose != live.asker.purpose:
                continue
            if not covering.may_cover(other.query, live.query):
                continue
            if not here:
                short = (other.query.count or LARGE) < LARGE and not covering.is_longer(other.query, live.query)
                if (live.safety and not other.safety) or other.stale or short:
                    continue
                if other.task is not None:
                    await asyncio.wait({other.task})
            if other.fresh() and other.page is not None and (page := covering.read_out(other.page, live.query)):
                return page
        return None

    async def _fetch(self, live: Live) -> None:
        page = await self._covered(live) if live.page is None and not live.stale else None
        if page is None:
            try:
                async with self._line.turn(lambda: live.safety):
                    live.sent = True
                    page = await fetch(self._client, live.query, live.text, _for_all(live), self._clock)
            except Problem as problem:
                if _is_away(problem) and live.page is None and self.offline is not None:
                    live.page = await self.offline.load(live.text)
                    live.kept = live.page is not None
                    self._lay(live)
                elif getattr(problem, "status", 0) == 403 and self.offline is not None:
                    await self.offline.forget(live.text)
                raise
        caught_up = page.after(live.missed)
        before, live.page = live.page, caught_up or page
        recovered = live.problem is not None
        live.kept = False
        live.problem, live.failures = None, 0
        live.stale = caught_up is None or live.doubted
        change = self._lay(live)
        whole = before is None or recovered
        self._emit(live, RowsChange(whole=live.shown.rows) if whole and live.shown is not None else change)
        self.fetched(page.rows.resources)
        if live.watches and isinstance(live.page.keys, Keys):
            # The first change will want them; not now, when a whole patient is being put on the screen.
            asyncio.get_running_loop().call_later(READY, live.page.keys.ready)

    def _fetched(self, live: Live, task: asyncio.Task[None]) -> None:
        live.task = None
        if live.meanwhile is not None:
            live.meanwhile.cancel()
            live.meanwhile = None
        if self._closed:
            return
        if task.cancelled():
            if live.watches or live.wanted or live.searching:  # somebody came while it was being called off
                self._start(live)
            else:
                self._drop(live)
            return
        error = task.exception()
        if isinstance(error, Problem):
            live.problem = error
            gone: tuple[str, ...] = ()
            if live.shown is not None and getattr(error, "status", 0) == 403:
                # What may no longer be seen does not stay on the screen, not even as stale or waiting.
                gone, live.page, live.kept = tuple(name_of(row) for row in live.shown.rows.resources), None, False
            self._lay(live)
            whole = live.shown.rows if live.shown is not None and (live.kept or live.page is None) else None
            self._emit(live, RowsChange(whole=whole, gone=gone, error=live.words(), code=error.code))
            live.failures += 1
            if live.watches and _is_away(error):
                pause = RETRIES[min(live.failures, len(RETRIES)) - 1] * random.uniform(0.8, 1.0)
                self._later(live, max(pause, min(getattr(error, "retry_after", 0.0), LONGEST_AFTER)))
        elif error is not None:
            loop = asyncio.get_running_loop()
            loop.call_exception_handler({"message": "a live query failed", "exception": error})
        elif live.stale:
            self._later(live, GATHER * 5)

    def _later(self, live: Live, seconds: float) -> None:
        if live.again is None and not self._closed:
            live.again = asyncio.get_running_loop().call_later(seconds, self._due, live)

    def _due(self, live: Live) -> None:
        live.again = None
        if self._lives.get(live.key) is live:
            self._start(live)

    def _emit(self, live: Live, change: RowsChange | None) -> None:
        if change is not None:
            live.said = (change.error, change.code)
            for watched in list(live.watches):
                watched.tell(change)

    # Changes --------------------------------------------------------------------------------------

    def changed(self, batch: Sequence[Changed]) -> None:
        """Bring every live result up to date; those that cannot be decided here are fetched again when wanted."""
        read = Reading()
        emissions: list[tuple[Live, RowsChange | None]] = []
        for live in list(self._lives.values()):
            if live.sent and live.task is not None:
                live.missed.extend(batch)
            laid = live.laid
            if live.page is not None and (not live.stale or self._waiting.revision != laid):
                # A stale one takes an own answer too: else its row would be gone until the new fetch.
                page = live.page.after(batch, read)
                if page is not None:
                    live.page = page
                elif not live.stale:
                    self._outdated(live, GATHER)
            if live.shown is not live.page or laid != self._waiting.revision:
                change = self._lay(live)
                if change is not None and (live.stale or live.problem or live.unfollowed):
                    change = replace(change, error=live.said[0], code=live.said[1])
                emissions.append((live, change))
        for live, change in emissions:
            self._emit(live, change)

    def laid_over(self) -> None:
        """What waits is other than before: every result shows it, and goes on saying how old it is."""
        emissions = [(live, self._lay(live)) for live in list(self._lives.values()) if live.page or live.problem]
        for live, change in emissions:
            if change is not None:
                self._emit(live, replace(change, error=live.said[0], code=live.said[1]))

    def _lay(self, live: Live) -> RowsChange | None:
        """Bring `shown` up to date; what that changes for those who watch."""
        before, live.laid = live.shown, self._waiting.revision
        if live.page is not None:
            live.shown = self._waiting.over(live.page)
        else:
            # Nobody has answered: what was typed here is shown alone, but never where safety reads a list as all there is.
            away = live.problem is not None and _is_away(live.problem) and not live.safety
            live.shown = self._waiting.alone(live.query) if away else None
        if before is live.shown:
            return None
        if before is None or live.shown is None:
            gone = () if before is None else tuple(name_of(row) for row in before.rows.resources)
            return RowsChange(whole=live.shown.rows) if live.shown is not None else RowsChange(gone=gone)
        return difference(before, live.shown)

    def lost(self) -> None:
        """The platform is away: what is shown stands, and says from when it is."""
        hour = f"{self._clock.now():%H:%M}"
        told = f"Plattformen svarer ikke. Det som vises, er fra kl. {hour}."
        for live in list(self._lives.values()):
            if live.problem is None and live.page is not None:
                live.unfollowed = True
                self._emit(live, RowsChange(error=told, code="platform-unreachable"))

    def retry(self) -> None:
        """The platform is there again: ask anew what failed; what was missed comes by the feed."""
        for live in list(self._lives.values()):
            if live.unfollowed and live.problem is None:
                self._emit(live, RowsChange())
            live.unfollowed = False
            if live.kept and live.task is not None:
                live.task.cancel()  # asked into the void: it is asked again at once
            elif live.problem is not None:
                self._outdated(live, 0.0)

    def refetch_all(self) -> None:
        """Something may have been missed: fetch what is watched, mark the rest."""
        for live in list(self._lives.values()):
            live.doubted = live.sent
            if live.left and not (live.wanted or live.watches or live.task):
                self._drop(live)  # of a patient who was left: it may be one who is no longer to be seen
            elif live.page is not None or live.problem is not None:
                self._outdated(live, 0.0)

    def merged(self, gone: str, stays: str) -> None:
        """Two patients are one: every result that names either is asked for again; the platform answers for both."""
        for live in list(self._lives.values()):
            if gone in live.text or stays in live.text:
                live.doubted = live.sent
                self._outdated(live, 0.0)

    def _outdated(self, live: Live, delay: float) -> None:
        live.stale = True
        if live.task is None:
            if live.again and not delay:
                live.again.cancel()
                live.again = None
            if live.watches:
                self._later(live, delay)


def _is_away(problem: Problem) -> bool:
    """The platform, or with it the provider of tokens, does not answer."""
    return getattr(problem, "unknown_outcome", False) or problem.code == "identity-unreachable"


def _for_all(live: Live) -> Asker:
    """One asker for all who are served: those who have joined since the last request, and those who watch."""
    for watched in live.watches:
        live.packages.update(dict.fromkeys(watched.asker.packages))
    packages, first = tuple(live.packages), live.watches[0].asker if live.watches else live.asker
    live.packages.clear()
    return Asker(packages, first.context, first.purpose)


def _key(canonical: str, purpose: str) -> str:
    return canonical if purpose == PURPOSE else f"{purpose} {canonical}"

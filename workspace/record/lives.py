"""One live result: what is asked, for whom, what is known and shown of it, and how it is told. Asks nothing itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workspace.clock import OSLO, parse
from workspace.fhir.search import Query
from workspace.problem import Problem
from workspace.record.client import Asker
from workspace.record.live import Page
from workspace.record.rows import Changed

if TYPE_CHECKING:
    from workspace.record.watched import Watched


@dataclass(eq=False, slots=True)
class Live:
    """One live result: `page` as the platform has it, `shown` with what waits laid over it, `said` the error last told.
    `missed` are the changes that came while a request was under way; `wanted` by contexts."""

    key: str
    query: Query
    text: str
    asker: Asker
    safety: bool = False
    page: Page | None = None
    shown: Page | None = None
    laid: int = 0  # the revision of what waits that `shown` was made with
    said: tuple[str, str] = ("", "")
    problem: Problem | None = None
    stale: bool = False  # a change could not be decided, or was perhaps missed
    doubted: bool = False  # the answer under way may be older than what made us ask
    unfollowed: bool = False  # the listeners were told that the feed is down
    task: asyncio.Task[None] | None = None
    meanwhile: asyncio.Task[None] | None = None  # looks in the vault while the platform does not answer
    again: asyncio.TimerHandle | None = None
    sent: bool = False
    missed: list[Changed] = field(default_factory=list)
    watches: list[Watched] = field(default_factory=list)
    wanted: set[str] = field(default_factory=set)
    left: str = ""  # the context that wanted it last
    packages: dict[str, None] = field(default_factory=dict)
    failures: int = 0
    used: float = 0.0
    kept: bool = False  # the page is an old one from the vault: readable, with its age
    searching: int = 0

    def fresh(self) -> bool:
        return self.page is not None and not self.stale and self.problem is None

    def words(self) -> str:
        """What is said of it beside what is shown, when there is a `problem`."""
        if self.kept and self.page is not None:
            return self.age()
        if self.page is None and self.shown is not None:
            return "Plattformen svarer ikke. Bare det du selv har skrevet, og som venter, vises."
        if self.unfollowed and self.problem is not None and self.problem.code == self.said[1]:
            return self.said[0]  # from when it is: that goes on being so
        return str(self.problem)

    def age(self) -> str:
        """From when it is, of a page from the vault."""
        try:
            moment = parse(self.page.fetched if self.page is not None else "").astimezone(OSLO)
        except ValueError:
            return "Plattformen svarer ikke. Det som vises, er fra tidligere."
        return f"Plattformen svarer ikke. Det som vises, er fra {moment:%d.%m. kl. %H:%M}."

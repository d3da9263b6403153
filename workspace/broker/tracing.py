"""«Hvor kommer dette fra?»: the shell's own question about one value on the screen, through the same door as a panel's.

Asked in the context on screen, so that it is about that patient and nobody else, and ends with it (laws 1 and 3); what of
the story may not be seen is counted and not shown. Never writes, and shows nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from urllib.parse import quote

from workspace import __version__
from workspace.broker import facts
from workspace.broker.context import Context
from workspace.broker.door import Refused, SearchResult
from workspace.broker.grant import Grant
from workspace.fhir.service import Resource
from workspace.record.marks import Mark
from workspace.record.origin import origin_of
from workspace.record.outbox import Outbox
from workspace.record.people import UNNAMED, names
from workspace.record.record import Record
from workspace.record.rows import Changed
from workspace.record.trace import MOST_SOURCES, Person, Source, Trace, sources_of, steps_of, trace_of

SCOPES = ("patient/*.rs",)
MOST_PROVENANCES = 20
OVER = "context-changed"


def shells(context: Context) -> Grant:
    """The shell as who asks: it may read whatever the platform opens to the user, about this context alone."""
    return Grant("workspace.shell", __version__, "", SCOPES, "origin", context)


class Tracing:
    """`read` gives a resource that the grant may see, also one entered in error; `search` the answer to a query of ours."""

    def __init__(
        self,
        read: Callable[[Grant, str], Awaitable[Resource]],
        search: Callable[[Grant, str], Awaitable[SearchResult]],
    ) -> None:
        self._read, self._search = read, search

    async def of(self, context: Context, reference: str) -> Trace:
        """The story of ``Type/id``. Raises Refused, `context-changed` included; a part that cannot be had is left out."""
        grant = shells(context)
        resource = await self._read(grant, reference)
        trace = trace_of(resource, facts.SENTENCE if facts.is_withheld(resource) else "")
        provenances: tuple[Resource, ...] = ()
        if trace.version:
            try:
                # Whom it is about is known: the one it is asked about has just been let through.
                query = f"Provenance?target={quote(trace.reference, safe='/')}&_sort=-recorded&_count={_most(trace)}"
                provenances = (await self._search(grant, query)).resources
            except Refused as fault:
                _still(fault)
                trace = replace(trace, whole=False)
        named = sources_of(resource, provenances)
        sources = [one for name in named[:MOST_SOURCES] if (one := await self._source(grant, name)) is not None]
        steps = steps_of(provenances)
        known = await self._names(grant, [*trace.people, *(one for step in steps for one in step.people)])
        return replace(
            trace,
            people=_named(trace.people, known),
            steps=tuple(replace(step, people=_named(step.people, known)) for step in steps),
            sources=tuple(sources),
            unseen=len(named) - len(sources),
        )

    async def _source(self, grant: Grant, reference: str) -> Source | None:
        try:
            there = await self._read(grant, reference)
        except Refused as fault:
            _still(fault)
            return None
        told = trace_of(there, facts.SENTENCE if facts.is_withheld(there) else "")
        origin = origin_of(there)
        if not origin.name:
            known = await self._names(grant, told.people)
            origin = replace(origin, name=", ".join(one.name for one in _named(told.people, known) if one.name))
        return Source(reference, told.words, origin)

    async def _names(self, grant: Grant, people: Iterable[Person]) -> dict[str, str]:
        """Names by reference, of staff whom the resources only point at."""
        found = {one.reference: one.name for one in people if one.name}
        for reference in {one.reference for one in people} - set(found):
            if reference.startswith("Practitioner/"):
                try:
                    found[reference] = names(await self._read(grant, reference))[2]
                except Refused as fault:
                    _still(fault)
        return {reference: name for reference, name in found.items() if name != UNNAMED}


class Followed:
    """Calls `told` whenever the story of ``Type/id`` may be another than it was: a version of it or of what it was made from
    has come, what waits of it has, its patient was joined with another, or changes may have been missed. Under the name it
    was asked by and under the one that the platform gives it. Asks for nothing; silent once closed."""

    def __init__(
        self, record: Record, outbox: Outbox, reference: str, told: Callable[[], None], among: set[Followed]
    ) -> None:
        self._record, self._outbox, self._told, self._among = record, outbox, told, among
        among.add(self)
        self._names = {reference}
        self._waits = self._waiting()
        self._offs = [
            record.on_change(self._changed),
            record.on_merge(lambda gone, stays: told()),
            record.on_doubt(told),
            outbox.on_marks(self._marked),
        ]

    def heard(self, trace: Trace) -> None:
        """`trace` is what its user sees now."""
        self._names |= {trace.reference, *(one.reference for one in trace.sources)}
        self._waits = self._waiting()

    def close(self) -> None:
        """Idempotent."""
        for off in self._offs:
            off()
        self._offs = []
        self._among.discard(self)

    def _changed(self, batch: Sequence[Changed]) -> None:
        names = self._names | {self._record.waiting.named(one) for one in self._names}
        if any(change.name in names for change in batch):
            self._told()

    def _marked(self) -> None:
        before, self._waits = self._waits, self._waiting()
        if self._waits != before:
            self._told()

    def _waiting(self) -> list[tuple[Mark | None, Resource | None]]:
        marks, find = self._outbox.marks(), self._record.waiting.find
        return [(marks.get(one), find(one)) for one in sorted(self._names)]


def _most(trace: Trace) -> int:
    """Another version is another question: what is written beside a version is not announced, and never changes."""
    return MOST_PROVENANCES + (int(trace.version) % 100 if trace.version.isdecimal() else 0)


def _named(people: Iterable[Person], known: dict[str, str]) -> tuple[Person, ...]:
    return tuple(replace(one, name=one.name or known.get(one.reference, "")) for one in people)


def _still(fault: Refused) -> None:
    """What is missing is left out; but when the context is over, all of it is."""
    if fault.code == OVER:
        raise fault

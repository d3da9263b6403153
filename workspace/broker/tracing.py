"""«Hvor kommer dette fra?»: the shell's own question about one value on the screen, through the same door as a panel's.

Asked in the context on screen, so that it is about that patient and nobody else, and ends with it (laws 1 and 3); what of
the story may not be seen is counted and not shown. Never writes, and shows nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from urllib.parse import quote

from workspace import __version__
from workspace.broker import facts
from workspace.broker.context import Context
from workspace.broker.door import Refused, SearchResult
from workspace.broker.grant import Grant
from workspace.fhir.service import Resource
from workspace.record.origin import origin_of
from workspace.record.people import UNNAMED, names
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
                query = (
                    f"Provenance?target={quote(trace.reference, safe='/')}&_sort=-recorded&_count={MOST_PROVENANCES}"
                )
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


def _named(people: Iterable[Person], known: dict[str, str]) -> tuple[Person, ...]:
    return tuple(replace(one, name=one.name or known.get(one.reference, "")) for one in people)


def _still(fault: Refused) -> None:
    """What is missing is left out; but when the context is over, all of it is."""
    if fault.code == OVER:
        raise fault

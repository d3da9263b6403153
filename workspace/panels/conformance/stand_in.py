"""A door (`broker.door.Door`) over generated data: the broker's own rules of scope and patient, no platform behind.

What a panel asks, is refused, and writes is remembered for the checks. A mode decides what its queries meet. Used by
`verify` and by `dev --synthetic`; never by the shell.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from workspace.broker import scoping
from workspace.broker.context import Context
from workspace.broker.door import Change, Draft, DraftKey, Form, Prefetch, Receipt, Refused, SearchResult, Write
from workspace.broker.grant import Grant
from workspace.clock import instant
from workspace.fhir.search import parse_query
from workspace.panels.conformance import synthetic
from workspace.panels.conformance.synthetic import Resident, Resource
from workspace.record.matcher import judge

Mode = Literal["full", "none", "failing", "holes", "late", "many"]

MANY = 400


@dataclass(frozen=True, slots=True)
class Denial:
    """What was refused: `code` scope-denied, wrong-patient, bad-query …; `what` the query, reference or type."""

    token: str
    code: str
    what: str
    detail: str


@dataclass(slots=True)
class _Entry:
    grant: Grant
    query: str
    listener: Callable[[Change], None]
    rows: list[Resource] = field(default_factory=list)
    included: int = 0
    open: bool = True


class StandIn:
    """`modes` by context token; a token without one is served in full."""

    def __init__(self, user: str = synthetic.USER["reference"], *, drafts: bool = True) -> None:
        """Without `drafts` nothing typed is handed on from one opening to the next: each begins empty."""
        self.modes: dict[str, Mode] = {}
        self.denials: list[Denial] = []
        self.asked: dict[str, list[tuple[str, str]]] = {}  # token → (what was asked, as the panel wrote it), in order
        self.commits: list[tuple[Grant, list[Write]]] = []
        self.drafts: dict[DraftKey, Draft] = {}
        self.types: set[tuple[str, str]] = set()  # (resource type, letter) really used
        self._keeps = drafts
        self._user, self._entries, self._number = user, list[_Entry](), itertools.count(1)
        self._timers: set[asyncio.TimerHandle] = set()
        self._held: dict[str, list[Callable[[], Any]]] = {}
        self._released: set[str] = set()

    # --- Door -----------------------------------------------------------------------------------------------

    async def search(self, grant: Grant, query: str) -> SearchResult:
        self._note(grant, "search", query)
        entry = self._entry(grant, query, lambda _: None)
        mode = self.modes.get(grant.context.token, "full")
        if mode == "late" and grant.context.token not in self._released:
            come = asyncio.Event()
            self._held.setdefault(grant.context.token, []).append(come.set)
            await come.wait()
        if mode == "failing":
            raise Refused("unavailable", "Journalplattformen svarer ikke.", "Prøv igjen om litt.")
        return SearchResult(tuple(entry.rows), entry.included, fetched=instant(synthetic.NOW))

    async def read(self, grant: Grant, reference: str) -> Resource:
        self._note(grant, "read", reference)
        try:
            kind = scoping.readable(grant, reference)
        except Refused as refusal:
            raise self._denied(grant, refusal, reference) from None
        self.types.add((kind, "r"))
        if self.modes.get(grant.context.token) == "failing":
            raise Refused("unavailable", "Journalplattformen svarer ikke.", "Prøv igjen om litt.")
        found = synthetic.read(reference, synthetic.RESIDENTS)
        if found is None:
            raise Refused("not-found", "Opplysningen finnes ikke.")
        if not scoping.visible(grant, found):
            raise self._denied(grant, scoping.refused("wrong-patient", "Gjelder en annen beboer."), reference)
        return found

    def watch(self, grant: Grant, query: str, listener: Callable[[Change], None]) -> _Watch:
        self._note(grant, "watch", query)
        entry = self._entry(grant, query, listener)
        self._entries.append(entry)
        mode = self.modes.get(grant.context.token, "full")

        def first() -> None:
            if not entry.open:
                return
            if mode == "failing":
                listener(Change(error="Journalplattformen svarer ikke.", code="unavailable"))
            else:
                listener(Change(whole=self._result(entry)))

        if mode == "late" and grant.context.token not in self._released:
            self._held.setdefault(grant.context.token, []).append(first)
        else:
            self._later(0.0, first)
        return _Watch(entry, self._entries)

    async def prefetch(self, queries: Sequence[Prefetch]) -> None:
        return None

    async def commit(self, grant: Grant, writes: Sequence[Write], form: Form | None = None) -> Receipt:
        own = frozenset(write.full_url for write in writes if write.full_url)
        for write in writes:
            kind = str(write.resource.get("resourceType"))
            try:
                scoping.checked_write(grant, write.action, write.resource, self._user, own)
            except Refused as refusal:
                raise self._denied(grant, refusal, kind) from None
            self.types.add((kind, "c" if write.action == "create" else "u"))
        self.commits.append((grant, list(writes)))
        references = []
        for write in writes:
            made = {
                **write.resource,
                "id": write.resource.get("id") or f"ny-{next(self._number)}",
                "meta": {"versionId": "2"},
            }
            references.append(f"{made['resourceType']}/{made['id']}")
            self._spread(grant, made)
        return Receipt(f"kvittering-{next(self._number)}", "lagret", tuple(references))

    async def undo(self, receipt_id: str) -> Receipt:
        return Receipt(receipt_id, "lagret", undoable=False)

    def on_receipt(self, listener: Callable[[Receipt], None]) -> Callable[[], None]:
        return lambda: None

    def opened(self, grant: Grant) -> None:
        return None

    def end(self, context: Context) -> None:
        for entry in [one for one in self._entries if one.grant.context.token == context.token]:
            _Watch(entry, self._entries).close()

    def load_draft(self, key: DraftKey) -> Draft | None:
        return self.drafts.get(key) if self._keeps else None

    def save_draft(self, key: DraftKey, draft: Draft, then: Callable[[], None] | None = None) -> None:
        self.drafts[key] = draft
        if then is not None:
            then()

    def release(self, token: str) -> None:
        """What was late in that context comes now. Idempotent."""
        self._released.add(token)
        for come in self._held.pop(token, []):
            come()

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    # --- inside ---------------------------------------------------------------------------------------------

    def _note(self, grant: Grant, how: str, what: str) -> None:
        self.asked.setdefault(grant.context.token, []).append((how, what))

    def _denied(self, grant: Grant, refusal: Refused, what: str) -> Refused:
        self.denials.append(Denial(grant.context.token, refusal.code, what, refusal.detail))
        return refusal

    def _entry(self, grant: Grant, text: str, listener: Callable[[Change], None]) -> _Entry:
        """The query as the broker would let it out, and its rows. Raises Refused."""
        try:
            query = scoping.narrowed(grant, text)
        except Refused as refusal:
            raise self._denied(grant, refusal, text) from None
        kind = query.partition("?")[0]
        self.types.add((kind, "s"))
        entry = _Entry(grant, query, listener)
        mode = self.modes.get(grant.context.token, "full")
        if mode in ("none", "failing"):
            return entry
        found, extra = synthetic.rows(text, residents(grant.context), MANY if mode == "many" else 6)
        if mode == "holes":
            found = [hole for row in found[:2] for hole in synthetic.holed(row)]
        extra = [row for row in extra if scoping.in_scope(grant, row)]
        self.types |= {(str(row["resourceType"]), "s") for row in extra}
        entry.rows, entry.included = [*found, *extra], len(extra)
        return entry

    def _result(self, entry: _Entry) -> SearchResult:
        return SearchResult(tuple(entry.rows), entry.included, fetched=instant(synthetic.NOW))

    def _spread(self, grant: Grant, made: Resource) -> None:
        """What was written stands in every watch it belongs to."""
        reference = f"{made['resourceType']}/{made['id']}"
        for entry in list(self._entries):
            query = parse_query(entry.query)
            about_it = entry.open and query.type == made["resourceType"] and entry.grant.context == grant.context
            if not about_it or judge(query, made) == "out":
                continue
            entry.rows = [made, *(row for row in entry.rows if f"{row['resourceType']}/{row.get('id')}" != reference)]
            self._later(0.0, partial(_tell, entry, Change(put=((0, made),))))

    def _later(self, seconds: float, call: Callable[[], Any]) -> None:
        timer: asyncio.TimerHandle

        def run() -> None:
            self._timers.discard(timer)
            call()

        timer = asyncio.get_running_loop().call_later(seconds, run)
        self._timers.add(timer)


def _tell(entry: _Entry, change: Change) -> None:
    if entry.open:
        entry.listener(change)


class _Watch:
    def __init__(self, entry: _Entry, entries: list[_Entry]) -> None:
        self._entry, self._entries = entry, entries

    def close(self) -> None:
        self._entry.open = False
        if self._entry in self._entries:
            self._entries.remove(self._entry)


def residents(context: Context) -> tuple[Resident, ...]:
    """Who a context is about."""
    return tuple(one for one in synthetic.RESIDENTS if context.allows(one.reference))

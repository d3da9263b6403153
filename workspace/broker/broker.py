"""The one door (law 1): every search, read, watch and write of every panel passes here, with its grant.

Checks scope, patient and context before the record is asked, filters every answer once more, and reports what was read.
Never decides who may see a patient (the gateway does) and never shows anything.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from workspace.broker import scoping
from workspace.broker.context import Context
from workspace.broker.door import (
    Change,
    Draft,
    DraftKey,
    Prefetch,
    Receipt,
    Refused,
    SearchResult,
    Watch,
    WatchListener,
    Write,
)
from workspace.broker.grant import Grant
from workspace.broker.reporting import Reports
from workspace.clock import Clock
from workspace.fhir.compartment import patients_of
from workspace.fhir.service import Resource
from workspace.problem import Problem
from workspace.record import inverse
from workspace.record.client import Asker, Client, PlatformProblem
from workspace.record.drafts import Drafts
from workspace.record.outbox import Item, Outbox, reference_of
from workspace.record.record import Record, Watched
from workspace.record.rows import Rows, RowsChange

log = logging.getLogger(__name__)
REQUESTS_PER_SECOND = 60
WIRE_CODES = {"avvist": "rejected", "konflikt": "conflict"}


@dataclass(frozen=True, slots=True)
class Counts:
    """For the status line. `registered` facts were typed and saved here today, `reused` were taken from earlier ones."""

    unsent: int = 0
    registered: int = 0
    reused: int = 0


class LiveWatch:
    """A panel's watch; silent once closed."""

    def __init__(self) -> None:
        self.inner: Watched | None = None
        self.closed = False

    def close(self) -> None:
        self.closed = True
        if self.inner is not None:
            self.inner.close()
            self.inner = None


class Broker:
    """Implements `door.Door`. `user` is ``Practitioner/<id>``, `tenant` the organisation that is dataansvarlig."""

    def __init__(
        self, record: Record, outbox: Outbox, drafts: Drafts, client: Client, clock: Clock, *, user: str, tenant: str
    ) -> None:
        self._record, self._outbox, self._drafts, self._clock = record, outbox, drafts, clock
        self._user, self._tenant = user, tenant
        self._reports = Reports(client, clock)
        self._ended: set[str] = set()
        self._watches: dict[str, set[LiveWatch]] = {}
        self._calls: dict[str, deque[float]] = {}
        self._receipts: list[Callable[[Receipt], None]] = []
        self._counting: list[Callable[[Counts], None]] = []
        self._commits: dict[str, tuple[Grant, Item]] = {}
        self._registered = self._reused = 0
        self._background: set[asyncio.Task[Any]] = set()
        self._off = outbox.on_change(self._moved)

    async def close(self) -> None:
        """End every watch and send the last reports."""
        self._off()
        for watches in list(self._watches.values()):
            for watch in list(watches):
                watch.close()
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._reports.close()

    # --- reading ---

    async def search(self, grant: Grant, query: str) -> SearchResult:
        asked = self._admit(grant, query)
        cached = self._record.peek(asked) is not None
        rows = await self._asked(self._record.search(asked, self._asker(grant)))
        self._still(grant)
        return self._answer(grant, query, rows, cached=cached)

    async def read(self, grant: Grant, reference: str) -> Resource:
        kind = reference.partition("/")[0]
        self._alive(grant)
        self._pace(grant)
        if not scoping.in_scope(grant, {"resourceType": kind}):
            raise self._refuse(
                grant, scoping.refused("scope-denied", f"Panelet har ikke lov til å lese {kind}."), reference
            )
        resource = await self._asked(self._record.read(reference, self._asker(grant)))
        self._still(grant)
        if not scoping.visible(grant, resource):
            fault = scoping.refused("wrong-patient", "Panelet spurte om en annen beboer enn den som er åpen.", kind)
            raise self._refuse(grant, fault, kind)
        self._reports.add("read", grant, patients_of(resource), query=kind)
        return resource

    def watch(self, grant: Grant, query: str, listener: WatchListener) -> Watch:
        asked = self._admit(grant, query)
        live = LiveWatch()
        cached = self._record.peek(asked) is not None

        def told(change: RowsChange) -> None:
            if not live.closed and grant.context.token not in self._ended:
                listener(self._converted(grant, query, change, cached=cached))

        live.inner = self._record.watch(asked, self._asker(grant), told)
        self._watches.setdefault(grant.context.token, set()).add(live)
        return live

    async def prefetch(self, queries: Sequence[Prefetch]) -> None:
        asked: list[tuple[str, Asker, bool]] = []
        for one in queries:
            try:
                asked.append((self._admit(one.grant, one.query), self._asker(one.grant), one.safety))
            except Refused:
                continue  # the panel hears it when it asks for itself
        await self._record.prefetch(asked)

    # --- writing ---

    async def commit(self, grant: Grant, writes: Sequence[Write]) -> Receipt:
        self._alive(grant)
        self._pace(grant)
        for write in writes:
            try:
                scoping.checked_write(grant, write.action, write.resource, self._user)
            except Refused as fault:
                raise self._refuse(grant, fault, str(write.resource.get("resourceType"))) from None
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [_entry(grant, write) for write in writes]}
        patient = grant.context.patient or grant.context.unit or ""
        item = await self._outbox.commit(bundle, patient, self._asker(grant))
        self._commits[item.id] = (grant, item)
        return _receipt(item)

    async def undo(self, receipt_id: str) -> Receipt:
        found = self._commits.get(receipt_id)
        if found is None or found[1].answer is None:
            raise scoping.refused("not-undoable", "Dette kan ikke angres lenger.")
        grant, item = found
        created = [e["resource"] for e in (item.answer or {}).get("entry") or () if e.get("resource", {}).get("id")]
        if not inverse.undoable(created):
            raise scoping.refused("not-undoable", "Dette kan ikke angres lenger.")
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": inverse.inverse(created)}
        back = await self._outbox.commit(bundle, item.patient, self._asker(grant))
        if back.state in ("lagret", "venter"):
            del self._commits[receipt_id]
        return Receipt(back.id, back.state, (), back.problem, undoable=False)

    def on_receipt(self, listener: Callable[[Receipt], None]) -> Callable[[], None]:
        self._receipts.append(listener)
        return lambda: self._receipts.remove(listener) if listener in self._receipts else None

    def on_counts(self, listener: Callable[[Counts], None]) -> Callable[[], None]:
        """Told the counts now and whenever they change."""
        self._counting.append(listener)
        listener(self.counts())
        return lambda: self._counting.remove(listener) if listener in self._counting else None

    def counts(self) -> Counts:
        return Counts(self._outbox.unsent(), self._registered, self._reused)

    # --- contexts and drafts ---

    def opened(self, grant: Grant) -> None:
        context = grant.context
        who = (context.patient,) if context.patient else context.patients
        self._reports.add("open", grant, who, reason=grant.instance)

    def end(self, context: Context) -> None:
        self._ended.add(context.token)
        for watch in self._watches.pop(context.token, set()):
            watch.close()
        self._record.release(context.token)
        self._reports.forget(context.token)

    def load_draft(self, key: DraftKey) -> Draft | None:
        kept = self._drafts.load(_draft(key))
        return None if kept is None else Draft(kept.values, kept.revision, kept.saved)

    def save_draft(self, key: DraftKey, draft: Draft) -> None:
        if key.user == self._user:
            self._drafts.save(_draft(key), draft.values, draft.revision)

    # --- inside ---

    def _admit(self, grant: Grant, query: str) -> str:
        self._alive(grant)
        self._pace(grant)
        try:
            return scoping.narrowed(grant, query)
        except Refused as fault:
            raise self._refuse(grant, fault, query.partition("?")[0]) from None

    def _alive(self, grant: Grant) -> None:
        if grant.context.token in self._ended:
            raise scoping.refused("context-changed", "Beboeren er byttet.")

    _still = _alive

    def _pace(self, grant: Grant) -> None:
        calls = self._calls.setdefault(grant.instance + grant.context.token, deque())
        now = time.monotonic()
        while calls and now - calls[0] > 1.0:
            calls.popleft()
        if len(calls) >= REQUESTS_PER_SECOND:
            raise self._refuse(grant, scoping.refused("too-many", "Panelet spør for ofte og må vente litt."), "rate")
        calls.append(now)

    def _refuse(self, grant: Grant, fault: Refused, about: str) -> Refused:
        log.warning("refused %s to %s: %s", fault.code, grant.signature, fault.detail or about)
        who = (grant.context.patient,) if grant.context.patient else ()
        self._reports.add("refused", grant, who, query=about, reason=fault.code)
        return fault

    def _asker(self, grant: Grant) -> Asker:
        return Asker((grant.signature,), grant.context.token)

    async def _asked(self, work: Any) -> Any:
        try:
            return await work
        except PlatformProblem as problem:
            code = {403: "access-denied", 0: "unavailable"}.get(problem.status, "unavailable")
            raise Refused(
                code if problem.status != 404 else "not-found", problem.sentence, problem.advice, problem.detail
            ) from problem
        except Problem as problem:
            raise Refused(problem.code, problem.sentence, problem.advice, problem.detail) from problem

    def _answer(self, grant: Grant, query: str, rows: Rows, *, cached: bool) -> SearchResult:
        matches = len(rows.resources) - rows.included
        kept = [one for one in rows.resources[:matches] if self._passes(grant, one)]
        extra = [one for one in rows.resources[matches:] if self._passes(grant, one) and scoping.in_scope(grant, one)]
        who = dict.fromkeys(patient for one in kept for patient in patients_of(one))
        context = grant.context.patient
        self._reports.add(
            "read", grant, (context,) if context else tuple(who), query=query, request=rows.request, cached=cached
        )
        return SearchResult((*kept, *extra), len(extra), rows.total, rows.fetched)

    def _passes(self, grant: Grant, resource: Resource) -> bool:
        if scoping.visible(grant, resource):
            return True
        fault = scoping.refused("wrong-patient", "En opplysning om en annen beboer ble holdt tilbake.")
        self._refuse(grant, fault, str(resource.get("resourceType")))
        return False

    def _converted(self, grant: Grant, query: str, change: RowsChange, *, cached: bool) -> Change:
        whole = self._answer(grant, query, change.whole, cached=cached) if change.whole is not None else None
        put = tuple((index, one) for index, one in change.put if self._passes(grant, one))
        return Change(whole, change.gone, put, change.error, change.code)

    def _moved(self, item: Item) -> None:
        grant_of = self._commits.get(item.id)
        if grant_of is not None:
            self._commits[item.id] = (grant_of[0], item)
        if item.state == "lagret":
            entries = [entry["resource"] for entry in item.bundle.get("entry") or ()]
            self._registered += sum(
                one.get("resourceType") != "Provenance" and "meta" in one and "id" not in one for one in entries
            )
            self._reused += sum(
                entity.get("role") == "source"
                for one in entries
                if one.get("resourceType") == "Provenance"
                for entity in one.get("entity") or ()
            )
        for told in list(self._receipts):
            told(_receipt(item))
        for listener in list(self._counting):
            listener(self.counts())


def _entry(grant: Grant, write: Write) -> dict[str, Any]:
    resource = dict(write.resource)
    meta = dict(resource.get("meta") or {})
    tags = [tag for tag in meta.get("tag") or () if tag.get("system") != "urn:workspace:package"]
    meta["tag"] = [*tags, {"system": "urn:workspace:package", "code": grant.signature}]
    resource["meta"] = meta
    kind = str(resource["resourceType"])
    if write.action == "create":
        full = write.full_url or f"urn:uuid:{uuid4()}"
        return {"fullUrl": full, "resource": resource, "request": {"method": "POST", "url": kind}}
    url = f"{kind}/{resource['id']}"
    match = write.if_match if write.if_match.startswith("W/") else f'W/"{write.if_match}"'
    return {"fullUrl": url, "resource": resource, "request": {"method": "PUT", "url": url, "ifMatch": match}}


def _receipt(item: Item) -> Receipt:
    entries = (item.answer or {}).get("entry") or ()
    resources = [entry.get("resource") or {} for entry in entries]
    problem = item.problem
    if problem is not None and item.state in WIRE_CODES:
        problem = Refused(WIRE_CODES[item.state], problem.sentence, problem.advice, problem.detail)
    return Receipt(
        item.id,
        item.state,
        tuple(reference for entry in entries if (reference := reference_of(entry))),
        problem,
        undoable=item.state == "lagret" and bool(resources) and inverse.undoable(resources),
    )


def _draft(key: DraftKey) -> tuple[str, ...]:
    return (key.tenant, key.user, key.patient, key.package, key.view, key.draft, str(key.state_version))

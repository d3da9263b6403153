"""The one door (law 1): every search, read, watch and write of every panel passes here, with its grant.

Checks scope, patient and context before the record is asked, filters every answer once more, and reports what was read.
Never decides who may see a patient (the gateway does) and never shows anything.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from workspace.access.scopes import permits
from workspace.broker import facts, scoping
from workspace.broker.commits import Counts
from workspace.broker.context import Context, for_patient
from workspace.broker.door import (
    Change,
    Draft,
    DraftKey,
    Form,
    Prefetch,
    Receipt,
    Refused,
    SearchResult,
    Watch,
    WatchListener,
    Write,
)
from workspace.broker.duplicates import Ask, Guard, Rules
from workspace.broker.gate import Gate
from workspace.broker.grant import Grant
from workspace.broker.kept import KeptDrafts
from workspace.broker.pending import Pendings
from workspace.broker.reporting import Reports
from workspace.broker.tracing import Followed, Tracing, shells
from workspace.broker.writing import Writing
from workspace.clock import Clock
from workspace.fhir.compartment import patients_of
from workspace.fhir.search import format_query, parse_query
from workspace.fhir.service import Resource
from workspace.fhir.withdrawn import in_error
from workspace.problem import Problem
from workspace.record.client import Asker, Client
from workspace.record.drafts import Drafts
from workspace.record.draftsync import DraftSync
from workspace.record.offline import Offline
from workspace.record.outbox import Outbox
from workspace.record.record import Record
from workspace.record.rows import Rows, RowsChange, ServiceState
from workspace.record.tally import Tally
from workspace.record.trace import Trace
from workspace.record.watched import Watched
from workspace.vault.vault import Vault

log = logging.getLogger(__name__)


class LiveWatch:
    """A panel's watch; silent once closed."""

    def __init__(self, among: set[LiveWatch]) -> None:
        self.inner: Watched | None = None
        self.closed = False
        self.hides = False  # rows of the result are kept from the panel: places in it mean nothing to the panel
        self._among = among

    def close(self) -> None:
        self.closed = True
        self._among.discard(self)
        if self.inner is not None:
            self.inner.close()
            self.inner = None


class Broker:
    """Implements `door.Door`. `user` is ``Practitioner/<id>``, `tenant` the organisation that is dataansvarlig.
    The `vault` keeps what was seen until the platform's log has it."""

    def __init__(
        self,
        record: Record,
        outbox: Outbox,
        drafts: Drafts,
        client: Client,
        clock: Clock,
        *,
        user: str,
        tenant: str,
        tally: Tally | None = None,
        rules: Rules | None = None,
        offline: Offline | None = None,
        vault: Vault | None = None,
    ) -> None:
        self._record, self._outbox, self._drafts, self._clock = record, outbox, drafts, clock
        self._user, self._tenant = user, tenant
        self._reports = Reports(client, clock, vault, user=user)
        self._gate = Gate(self._reports)
        self._watches: dict[str, set[LiveWatch]] = {}
        self._followed: dict[str, set[Followed]] = {}
        self._tally = tally or Tally(clock)
        self._background: set[asyncio.Task[Any]] = set()
        self.offline = offline
        if offline is not None:
            record.read_from(offline)
        self._shown = facts.Shown()
        self._tracing = Tracing(self._one, self._own_search)
        self.pending = Pendings(outbox, drafts, user=user, tenant=tenant)
        self.drafts = drafts
        self.kept = KeptDrafts(drafts, clock)
        self._offs = [record.follow(outbox)]  # first: what waits stands in the rows before anybody is told of it
        guard = Guard(record, rules or Rules.read(), clock, user=user)
        self._writing = Writing(
            self._gate, record, outbox, drafts, self.pending, guard, self._tally, self._shown.has_withheld,
            user=user, tenant=tenant,
        )  # fmt: skip
        self._offs += [self._writing.close, record.on_service(self._served)]
        self._offs.append(record.on_merge(self._moved))
        sync = drafts.sync
        if isinstance(sync, DraftSync):
            self._offs += [record.on_draft(sync.heard), record.on_merge(sync.merged)]

    async def close(self) -> None:
        """End every watch and send the last reports."""
        for off in self._offs:
            off()
        for watches in list(self._watches.values()):
            for watch in list(watches):
                watch.close()
        for followed in {one for among in self._followed.values() for one in among}:
            followed.close()
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._reports.close()
        await self._tally.close()
        if self.offline is not None:
            await self.offline.close()

    # --- reading ---

    async def search(self, grant: Grant, query: str) -> SearchResult:
        asked = self._gate.admit(grant, query)
        cached = self._record.peek(asked) is not None
        rows = await self._gate.asked(self._record.search(asked, self._gate.asker(grant)))
        self._gate.alive(grant)
        return self._answer(grant, query, rows, cached=cached)

    async def read(self, grant: Grant, reference: str) -> Resource:
        resource = await self._one(grant, reference)
        if in_error(resource):
            raise scoping.refused("not-found", facts.TAKEN_BACK, f"{resource['resourceType']} entered in error")
        return resource

    async def origin(self, context: Context, reference: str) -> Trace:
        """Where the value ``Type/id`` comes from, for the user who looks at it in `context`; also one taken back. Raises
        Refused, as `read` does."""
        return await self._tracing.of(context, reference)

    def follow_origin(self, context: Context, reference: str, told: Callable[[], None]) -> Followed:
        """`told` is called whenever `origin` may answer otherwise for ``Type/id``, until the context ends or it is closed.
        Raises Refused (``context-changed``)."""
        self._gate.alive(shells(context))
        among = self._followed.setdefault(context.token, set())
        return Followed(self._record, self._outbox, reference, told, among)

    async def _own_search(self, grant: Grant, query: str) -> SearchResult:
        """A query of the shell's own, about what this grant has been let through to already: by no patient's name."""
        self._gate.alive(grant)
        self._gate.pace(grant)
        rows = await self._gate.asked(self._record.search(query, self._gate.asker(grant)))
        self._gate.alive(grant)
        return self._answer(grant, query, rows, cached=False)

    async def _one(self, grant: Grant, reference: str) -> Resource:
        self._gate.alive(grant)
        self._gate.pace(grant)
        try:
            kind = scoping.readable(grant, reference)
        except Refused as fault:
            raise self._gate.refuse(grant, fault, re.split(r"[/?]", reference)[0]) from None
        resource: Resource = await self._gate.asked(self._record.read(reference, self._gate.asker(grant)))
        self._gate.alive(grant)
        wrong = None
        if not scoping.visible(grant, resource):
            wrong = scoping.refused("wrong-patient", "Panelet spurte om en annen beboer enn den som er åpen.", kind)
        elif not permits(grant.scopes, kind, "r", resource):
            wrong = scoping.refused("scope-denied", f"Panelet har ikke lov til å lese denne {kind}.", kind)
        if wrong is not None:
            raise self._gate.refuse(grant, wrong, kind)
        self._reports.add("read", grant, patients_of(resource), query=kind)
        return self._shown(resource)

    def watch(self, grant: Grant, query: str, listener: WatchListener) -> Watch:
        asked = self._gate.admit(grant, query)
        among = self._watches.setdefault(grant.context.token, set())
        live = LiveWatch(among)
        cached = self._record.peek(asked) is not None

        def told(change: RowsChange) -> None:
            if not live.closed and not self._gate.is_over(grant):
                listener(self._converted(grant, query, live, change, cached=cached))

        live.inner = self._record.watch(asked, self._gate.asker(grant), told)
        among.add(live)
        return live

    async def prefetch(self, queries: Sequence[Prefetch]) -> None:
        asked: list[tuple[str, Asker, bool]] = []
        for one in queries:
            try:
                asked.append((self._gate.admit(one.grant, one.query), self._gate.asker(one.grant), one.safety))
            except Refused:
                continue  # the panel hears it when it asks for itself
        await self._record.prefetch(asked)

    # --- writing ---

    async def commit(self, grant: Grant, writes: Sequence[Write], form: Form | None = None) -> Receipt:
        return await self._writing.commit(grant, writes, form)

    async def undo(self, receipt_id: str) -> Receipt:
        return await self._writing.undo(receipt_id)

    def on_receipt(self, listener: Callable[[Receipt], None]) -> Callable[[], None]:
        return self._writing.on_receipt(listener)

    def on_duplicates(self, ask: Ask | None) -> None:
        self._writing.on_duplicates(ask)

    def on_counts(self, listener: Callable[[Counts], None]) -> Callable[[], None]:
        return self._writing.on_counts(listener)

    def counts(self) -> Counts:
        return self._writing.counts()

    # --- contexts and drafts ---

    def opened(self, grant: Grant) -> None:
        context = grant.context
        who = (context.patient,) if context.patient else context.patients
        self._reports.add("open", grant, who, reason=grant.instance)

    def end(self, context: Context) -> None:
        self._gate.end(context)
        for watch in list(self._watches.pop(context.token, ())):
            watch.close()
        for followed in list(self._followed.pop(context.token, ())):
            followed.close()
        self._record.release(context.token)
        self._reports.forget(context.token)

    async def keep_offline(
        self, unit: str, patients: Sequence[str], asked: Sequence[tuple[Grant, str]], more: Sequence[str] = ()
    ) -> None:
        """Keep `unit` readable without the platform: each (grant, query) of `asked` about each of `patients`, with the
        grant's scopes and under its rules, and the shell's own queries in `more`. Calling it again, for another unit or
        with other patients, drops what it leaves out."""
        queries = [format_query(parse_query(text)) for text in more]
        for grant, query in asked:
            about = [for_patient(one) for one in patients] if grant.context.kind == "patient" else [grant.context]
            for context in about:
                try:
                    queries.append(scoping.narrowed(replace(grant, context=context), query))
                except Refused:
                    continue  # the panel may not ask it: then it is not kept either
        await self._record.keep_offline(unit, queries)

    def load_draft(self, key: DraftKey) -> Draft | None:
        kept = self._drafts.load(key.parts())
        return None if kept is None else Draft(kept.values, kept.revision, kept.saved)

    def save_draft(self, key: DraftKey, draft: Draft, then: Callable[[], None] | None = None) -> None:
        if key.user == self._user:
            self._drafts.save(key.parts(), draft.values, draft.revision, then)

    def merged(self, gone: str, stays: str) -> None:
        """What is unsaved about the patient who goes is about the one who stays."""
        if isinstance(self._drafts.sync, DraftSync):
            self._drafts.sync.merged(gone, stays)

    # --- inside ---

    def _moved(self, gone: str = "", stays: str = "") -> None:
        """What was refused about a patient who was joined with another; see `Outbox.merged`."""

        async def work() -> None:
            try:
                await self._outbox.merged(gone)
            except Problem as problem:  # it stays as it was, and is sent to the one who stays all the same
                log.info("what was refused stays under a former name: %s", problem.code)

        task = asyncio.ensure_future(work())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _answer(self, grant: Grant, query: str, rows: Rows, *, cached: bool) -> SearchResult:
        matches, passes = len(rows.resources) - rows.included, self._filter(grant, query)
        kept = [one for one in rows.resources[:matches] if passes(one)]
        extra = [one for one in rows.resources[matches:] if passes(one) and scoping.in_scope(grant, one)]
        context = grant.context.patient
        who = (context,) if context else tuple(dict.fromkeys(each for one in kept for each in patients_of(one)))
        self._reports.add("read", grant, who, query=query, request=rows.request, cached=cached)
        resources = tuple(self._shown(one) for one in (*kept, *extra))
        total = None if rows.total is None else max(0, rows.total - (matches - len(kept)))
        return SearchResult(resources, len(extra), total, rows.fetched, rows.more)

    def _filter(self, grant: Grant, query: str) -> Callable[[Resource], bool]:
        """What of an answer reaches the panel: the platform may not know `:not`, and no query speaks for included rows."""
        wanted = facts.asks_for_error(parse_query(query))
        return lambda one: self._passes(grant, one) and (wanted or not in_error(one))

    def _passes(self, grant: Grant, resource: Resource) -> bool:
        if scoping.visible(grant, resource):
            return True
        fault = scoping.refused("wrong-patient", "En opplysning om en annen beboer ble holdt tilbake.")
        self._gate.refuse(grant, fault, str(resource.get("resourceType")))
        return False

    def _converted(self, grant: Grant, query: str, live: LiveWatch, change: RowsChange, *, cached: bool) -> Change:
        rows = change.whole
        if rows is None and change.put and live.inner is not None:
            passes = self._filter(grant, query)
            if live.hides or not all(passes(one) for _, one in change.put):
                rows = live.inner.rows
        if rows is not None:
            whole = self._answer(grant, query, rows, cached=cached)
            live.hides = len(whole.resources) != len(rows.resources)
            return Change(whole, error=change.error, code=change.code)
        put = tuple((index, self._shown(one)) for index, one in change.put if self._passes(grant, one))
        return Change(None, change.gone, put, change.error, change.code, change.more)

    def _served(self, state: ServiceState) -> None:
        if state.state != "nede":
            self._outbox.wake()
            if self._outbox.refused():
                self._moved()  # a merge that nobody told of
            if isinstance(self._drafts.sync, DraftSync):
                self._drafts.sync.wake()

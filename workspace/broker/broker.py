"""The one door (law 1): every search, read, watch and write of every panel passes here, with its grant.

Checks scope, patient and context before the record is asked, filters every answer once more, and reports what was read.
Never decides who may see a patient (the gateway does) and never shows anything.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from workspace.access.scopes import permits
from workspace.broker import facts, links, outgoing, scoping
from workspace.broker.commits import Commit, Counts
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
from workspace.broker.grant import Grant
from workspace.broker.kept import KeptDrafts
from workspace.broker.pending import Pendings
from workspace.broker.reporting import Reports
from workspace.clock import Clock
from workspace.fhir.compartment import patients_of
from workspace.fhir.modifiers import changed_in_meaning
from workspace.fhir.search import format_query, parse_query
from workspace.fhir.service import Resource
from workspace.problem import Problem
from workspace.record import inverse
from workspace.record.client import Asker, Client, PlatformProblem
from workspace.record.drafts import Drafts
from workspace.record.draftsync import DraftSync
from workspace.record.handover import Handover
from workspace.record.items import version_in
from workspace.record.offline import Offline
from workspace.record.outbox import Item, Outbox, reference_of
from workspace.record.record import Record, Watched
from workspace.record.rows import Rows, RowsChange, ServiceState, name_of, waits
from workspace.record.tally import Tally
from workspace.vault.vault import Vault

log = logging.getLogger(__name__)
REQUESTS_PER_SECOND = 60
UNDOABLE = 200
"""Commits that are remembered for undoing; the oldest goes first."""
WIRE_STATUS = {400: "bad-query", 403: "access-denied", 404: "not-found", 410: "not-found", 429: "too-many"}
WIRE_CODES = {"avvist": "rejected", "konflikt": "conflict"}


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
        self._ended: set[str] = set()
        self._watches: dict[str, set[LiveWatch]] = {}
        self._calls: dict[tuple[str, str], deque[float]] = {}
        self._receipts: list[Callable[[Receipt], None]] = []
        self._counting: list[Callable[[Counts], None]] = []
        self._commits: dict[str, Commit] = {}
        self._tally = tally or Tally(clock)
        self._guard = Guard(record, rules or Rules.read(), clock, user=user)
        self._counted = Counts()
        self._background: set[asyncio.Task[Any]] = set()
        self.offline = offline
        if offline is not None:
            record.read_from(offline)
        self._shown = facts.Shown()
        self.pending = Pendings(outbox, drafts, user=user, tenant=tenant)
        self.drafts = drafts
        self.kept = KeptDrafts(drafts, clock)
        self._offs = [record.follow(outbox), outbox.on_change(self._moved), outbox.on_marks(self._count)]
        self._offs.append(record.on_service(self._served))
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
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._reports.close()
        await self._tally.close()
        if self.offline is not None:
            await self.offline.close()

    # --- reading ---

    async def search(self, grant: Grant, query: str) -> SearchResult:
        asked = self._admit(grant, query)
        cached = self._record.peek(asked) is not None
        rows = await self._asked(self._record.search(asked, self._asker(grant)))
        self._still(grant)
        return self._answer(grant, query, rows, cached=cached)

    async def read(self, grant: Grant, reference: str) -> Resource:
        self._alive(grant)
        self._pace(grant)
        try:
            kind = scoping.readable(grant, reference)
        except Refused as fault:
            raise self._refuse(grant, fault, re.split(r"[/?]", reference)[0]) from None
        resource: Resource = await self._asked(self._record.read(reference, self._asker(grant)))
        self._still(grant)
        wrong = None
        if not scoping.visible(grant, resource):
            wrong = scoping.refused("wrong-patient", "Panelet spurte om en annen beboer enn den som er åpen.", kind)
        elif not permits(grant.scopes, kind, "r", resource):
            wrong = scoping.refused("scope-denied", f"Panelet har ikke lov til å lese denne {kind}.", kind)
        if wrong is not None:
            raise self._refuse(grant, wrong, kind)
        self._reports.add("read", grant, patients_of(resource), query=kind)
        if facts.in_error(resource):
            raise scoping.refused("not-found", facts.TAKEN_BACK, f"{kind} entered in error")
        return self._shown(resource)

    def watch(self, grant: Grant, query: str, listener: WatchListener) -> Watch:
        asked = self._admit(grant, query)
        among = self._watches.setdefault(grant.context.token, set())
        live = LiveWatch(among)
        cached = self._record.peek(asked) is not None

        def told(change: RowsChange) -> None:
            if not live.closed and grant.context.token not in self._ended:
                listener(self._converted(grant, query, live, change, cached=cached))

        live.inner = self._record.watch(asked, self._asker(grant), told)
        among.add(live)
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

    async def commit(self, grant: Grant, writes: Sequence[Write], form: Form | None = None) -> Receipt:
        self._alive(grant)
        self._pace(grant)
        own = frozenset(write.full_url for write in writes if write.full_url.startswith("urn:uuid:"))
        for write in writes:
            try:
                scoping.checked_write(grant, write.action, write.resource, self._user, own)
                if write.action == "update" and self._record.waiting.is_known(name_of(write.resource)):
                    raise scoping.refused("bad-write", outgoing.NOT_YET)
                if write.action == "update" and not (write.resource.get("id") and write.if_match):
                    raise scoping.refused("bad-write", "Panelet sa ikke hvilken utgave det ville endre.")
                if write.action == "update" and self._was_withheld(write):
                    raise scoping.refused("bad-write", facts.SENTENCE, "an update of what could not be shown whole")
            except Refused as fault:
                raise self._refuse(grant, fault, str(write.resource.get("resourceType"))) from None
        writes = self._rested(grant, writes)
        await self._linked_to_its_own(grant, writes)
        writes, reused = await self._guard.checked(grant, writes)
        self._still(grant)
        writes = self._rested(grant, writes)  # the user may have chosen one that waits
        if not writes:  # all of it was there already
            self._tally.add(0, reused)
            self._count()
            return Receipt(str(uuid4()), "lagret", undoable=False)
        bundle = outgoing.bundle(grant, writes)
        patient = grant.context.patient or grant.context.unit or ""
        commit = Commit(grant, tuple(writes))
        own_id, handover = self._remember(commit), self._handover(grant, form)
        try:
            item = await self._outbox.commit(
                bundle, patient, self._asker(grant), own=own_id, form=outgoing.kept(grant, form), bases=self._bases(writes),
                replaces=self.pending.replaced_by(grant, form), handover=handover,
            )  # fmt: skip
        except BaseException:
            self._commits.pop(own_id, None)
            raise
        finally:
            if handover is not None:
                handover.close()
        if item.state in WIRE_CODES:
            self.pending.failed(grant, form, item.id)
        elif reused:
            self._tally.add(0, reused)
            self._count()
        return self._receipt(item)

    def _handover(self, grant: Grant, form: Form | None) -> Handover | None:
        """What leaves the form's draft when the commit is durable."""
        if form is None or not form.changes:
            return None
        about = grant.context.patient or grant.context.unit or ""
        key = DraftKey(self._tenant, self._user, about, grant.package, form.view, "", form.state_version)
        return self._drafts.hand_over(key.parts(), form.values, form.changes)

    async def _linked_to_its_own(self, grant: Grant, writes: Sequence[Write]) -> None:
        """What is written points at nothing about another patient. Raises Refused ``wrong-patient``; where that cannot be
        found out in time (the platform is away) the write goes on: it must be durable."""
        for reference in sorted(set().union(*(links.pointed_at(write.resource) for write in writes))):
            there = self._record.held(reference)
            if there is None:
                try:
                    async with asyncio.timeout(links.WAIT):
                        there = await self._record.read(reference, self._asker(grant))
                except (Problem, TimeoutError):
                    continue
            if not scoping.visible(grant, there):
                fault = scoping.refused("wrong-patient", outgoing.FOREIGN)
                raise self._refuse(grant, fault, reference.partition("/")[0])

    def _rested(self, grant: Grant, writes: Sequence[Write]) -> list[Write]:
        try:
            return outgoing.rested(grant, writes, self._record.waiting)
        except Refused as fault:
            raise self._refuse(grant, fault, "rests on what waits") from None

    def on_duplicates(self, ask: Ask | None) -> None:
        """Who asks the user about a value that exists already. Without one nothing is looked for and all is saved."""
        self._guard.ask = ask

    def _was_withheld(self, write: Write) -> bool:
        """The panel saw less than there is: what it sends back would take the rest away."""
        base = self._record.held(f"{write.resource['resourceType']}/{write.resource['id']}", version_in(write.if_match))
        tags = (write.resource.get("meta") or {}).get("tag") or ()
        return facts.TAG in tags or (base is not None and changed_in_meaning(base))

    def _bases(self, writes: Sequence[Write]) -> dict[str, Resource]:
        """The versions that updates were made from, where they are at hand: a conflict is shown against them."""
        found = {}
        for write in writes:
            if write.action == "update":
                name = name_of(write.resource)
                base = self._record.waiting.find(name) if waits(write.resource) else None
                base = base or self._record.held(name, version_in(write.if_match))
                if base is not None:
                    found[name] = base
        return found

    def _remember(self, commit: Commit) -> str:
        """Before it is sent, so that its receipt is known as undoable from the first."""
        own = str(uuid4())
        self._commits[own] = commit
        while len(self._commits) > UNDOABLE:
            del self._commits[next(iter(self._commits))]
        return own

    async def undo(self, receipt_id: str) -> Receipt:
        commit = self._commits.get(receipt_id)
        if commit is None or not commit.undoable():
            raise scoping.refused("not-undoable", "Dette kan ikke angres lenger.")
        del self._commits[receipt_id]  # at once: a second click must not undo the undoing
        try:
            entries = await self._way_back(commit)
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
            back = await self._outbox.commit(bundle, commit.patient, self._asker(commit.grant))
        except BaseException:
            self._commits[receipt_id] = commit
            raise
        if back.state == "avvist":
            self._commits[receipt_id] = commit
        return self._receipt(back)

    async def _way_back(self, commit: Commit) -> list[dict[str, Any]]:
        """Created becomes entered-in-error; updated becomes the version that stood before, as the platform has it."""
        created, entries = [], []
        for write, now in zip(commit.writes, commit.answered, strict=True):
            if write.action == "create":
                created.append(now)
                continue
            version = write.if_match.removeprefix("W/").strip('"')
            place = f"{now['resourceType']}/{now['id']}/_history/{version}"
            former = await self._asked(self._record.read(place, self._asker(commit.grant)))
            entries.append(inverse.restored(former, now))
        return [*inverse.inverse(created), *entries]

    def on_receipt(self, listener: Callable[[Receipt], None]) -> Callable[[], None]:
        self._receipts.append(listener)
        return lambda: self._receipts.remove(listener) if listener in self._receipts else None

    def on_counts(self, listener: Callable[[Counts], None]) -> Callable[[], None]:
        """Told the counts now and whenever they change."""
        self._counting.append(listener)
        listener(self.counts())
        return lambda: self._counting.remove(listener) if listener in self._counting else None

    def counts(self) -> Counts:
        states = [one.state for one in self._outbox.refused()]
        conflicts = states.count("konflikt")
        return Counts(self._outbox.unsent(), *self._tally.now(), len(states) - conflicts, conflicts)

    # --- contexts and drafts ---

    def opened(self, grant: Grant) -> None:
        context = grant.context
        who = (context.patient,) if context.patient else context.patients
        self._reports.add("open", grant, who, reason=grant.instance)

    def end(self, context: Context) -> None:
        self._ended.add(context.token)
        for watch in list(self._watches.pop(context.token, ())):
            watch.close()
        for key in [key for key in self._calls if key[0] == context.token]:
            del self._calls[key]
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

    def save_draft(self, key: DraftKey, draft: Draft) -> None:
        if key.user == self._user:
            self._drafts.save(key.parts(), draft.values, draft.revision)

    def merged(self, gone: str, stays: str) -> None:
        """What is unsaved about the patient who goes is about the one who stays."""
        if isinstance(self._drafts.sync, DraftSync):
            self._drafts.sync.merged(gone, stays)

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
        calls = self._calls.setdefault((grant.context.token, grant.instance), deque())
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
            code = WIRE_STATUS.get(problem.status, "unavailable")
            raise Refused(code, problem.sentence, problem.advice, problem.detail) from problem
        except Problem as problem:
            raise Refused(problem.code, problem.sentence, problem.advice, problem.detail) from problem

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
        return lambda one: self._passes(grant, one) and (wanted or not facts.in_error(one))

    def _passes(self, grant: Grant, resource: Resource) -> bool:
        if scoping.visible(grant, resource):
            return True
        fault = scoping.refused("wrong-patient", "En opplysning om en annen beboer ble holdt tilbake.")
        self._refuse(grant, fault, str(resource.get("resourceType")))
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

    def _moved(self, item: Item) -> None:
        commit = self._commits.get(item.id)
        entries = [entry["resource"] for entry in item.bundle.get("entry") or ()]
        if item.state == "lagret":
            typed = sum(one.get("resourceType") != "Provenance" and "id" not in one for one in entries)
            reused = sum(
                entity.get("role") == "source"
                for one in entries
                if one.get("resourceType") == "Provenance"
                for entity in one.get("entity") or ()
            )
            self._tally.add(typed, reused)
            if commit is not None:
                answers = (item.answer or {}).get("entry") or ()
                commit.patient = item.patient
                commit.answered = tuple(entry.get("resource") or {} for entry in answers)
        elif item.state != "venter":
            self._commits.pop(item.id, None)
        for told in list(self._receipts):
            told(self._receipt(item))
        self._count()

    def _count(self) -> None:
        now = self.counts()
        if now != self._counted:
            self._counted = now
            for listener in list(self._counting):
                listener(now)

    def _served(self, state: ServiceState) -> None:
        if state.state != "nede":
            self._outbox.wake()
            if isinstance(self._drafts.sync, DraftSync):
                self._drafts.sync.wake()

    def _receipt(self, item: Item) -> Receipt:
        problem = item.problem
        if problem is not None and item.state in WIRE_CODES:
            problem = Refused(WIRE_CODES[item.state], problem.sentence, problem.advice, problem.detail)
        entries = (item.answer or {}).get("entry") or ()
        names = tuple(reference for entry in entries if (reference := reference_of(entry)))
        commit = self._commits.get(item.id)
        return Receipt(item.id, item.state, names, problem, undoable=commit is not None and commit.undoable())

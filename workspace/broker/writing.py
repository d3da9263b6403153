"""A panel's write on its way: checked, asked about where the same exists already, sent, remembered so that it can be taken
back, and counted. Every write of every panel passes here, after the gate.

Never decides who may write about a patient (the gateway does); what becomes of a write is the outbox's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from workspace.broker import facts, outgoing, scoping
from workspace.broker.commits import Commit, Counts
from workspace.broker.door import DraftKey, Form, Receipt, Refused, Write
from workspace.broker.duplicates import Ask, Guard
from workspace.broker.gate import Gate
from workspace.broker.grant import Grant
from workspace.broker.pending import Pendings
from workspace.fhir import links
from workspace.fhir.modifiers import changed_in_meaning
from workspace.fhir.service import Resource
from workspace.problem import Problem
from workspace.record import inverse
from workspace.record.drafts import Drafts
from workspace.record.handover import Handover
from workspace.record.items import version_in
from workspace.record.ours import TRANSACTION, tag
from workspace.record.outbox import Item, Outbox, reference_of
from workspace.record.record import Record
from workspace.record.rows import name_of, waits
from workspace.record.tally import Tally

UNDOABLE = 200
"""Commits that are remembered for undoing; the oldest goes first."""
LINKS_WAIT = 0.5
"""Seconds to find out what a write points at; a platform that is away must not keep it from being durable."""
WIRE_CODES = {"avvist": "rejected", "konflikt": "conflict"}


class Writing:
    """`user` is ``Practitioner/<id>``, `tenant` the organisation that is dataansvarlig. ``close()`` ends all listening."""

    def __init__(
        self,
        gate: Gate,
        record: Record,
        outbox: Outbox,
        drafts: Drafts,
        pending: Pendings,
        guard: Guard,
        tally: Tally,
        has_withheld: Callable[[str, str], bool],
        *,
        user: str,
        tenant: str,
    ) -> None:
        self._gate, self._record, self._outbox, self._drafts = gate, record, outbox, drafts
        self._pending, self._guard, self._tally, self._has_withheld = pending, guard, tally, has_withheld
        self._user, self._tenant = user, tenant
        self._receipts: list[Callable[[Receipt], None]] = []
        self._counting: list[Callable[[Counts], None]] = []
        self._commits: dict[str, Commit] = {}
        self._counted = Counts()
        self._offs = [outbox.on_change(self._moved), outbox.on_marks(self._count)]

    def close(self) -> None:
        for off in self._offs:
            off()

    async def commit(self, grant: Grant, writes: Sequence[Write], form: Form | None = None) -> Receipt:
        self._gate.alive(grant)
        self._gate.pace(grant)
        key = self._key(grant, form)
        replaces = self._pending.replaced_by(key, form)
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
                raise self._gate.refuse(grant, fault, str(write.resource.get("resourceType"))) from None
        writes = self._rested(grant, writes)
        await self._linked_to_its_own(grant, writes)
        writes, reused = await self._guard.checked(grant, writes)
        self._gate.alive(grant)
        writes = self._rested(grant, writes)  # the user may have chosen one that waits
        if not writes:  # all of it was there already
            self._tally.add(0, reused)
            self._count()
            return Receipt(str(uuid4()), "lagret", undoable=False)
        bundle = outgoing.bundle(grant, writes)
        patient = grant.context.patient or grant.context.unit or ""
        commit = Commit(grant, tuple(writes))
        own_id, handover = self._remember(commit), self._handover(key, form)
        try:
            item = await self._outbox.commit(
                bundle, patient, self._gate.asker(grant), own=own_id, form=outgoing.kept(grant, form),
                bases=self._bases(writes), replaces=replaces, handover=handover,
            )  # fmt: skip
        except BaseException:
            self._commits.pop(own_id, None)
            raise
        finally:
            if handover is not None:
                handover.close()
        if item.state != "lagret":
            self._pending.stands(key, item.id, handover)
        if item.state not in WIRE_CODES and reused:
            self._tally.add(0, reused)
            self._count()
        return self._receipt(item)

    def _key(self, grant: Grant, form: Form | None) -> DraftKey:
        """Of the draft of the form that a commit comes from."""
        about, form = grant.context.patient or grant.context.unit or "", form or Form()
        return DraftKey(self._tenant, self._user, about, grant.package, form.view, "", form.state_version)

    def _handover(self, key: DraftKey, form: Form | None) -> Handover | None:
        """What leaves the form's draft when the commit is durable."""
        if form is None or not form.changes:
            return None
        return self._drafts.hand_over(key.parts(), form.values, form.changes)

    async def _linked_to_its_own(self, grant: Grant, writes: Sequence[Write]) -> None:
        """What is written points at nothing about another patient. Raises Refused ``wrong-patient``; where that cannot be
        found out in time (the platform is away) the write goes on: it must be durable."""
        for reference in sorted(set().union(*(links.pointed_at(write.resource) for write in writes))):
            there = self._record.held(reference)
            if there is None:
                try:
                    async with asyncio.timeout(LINKS_WAIT):
                        there = await self._record.read(reference, self._gate.asker(grant))
                except (Problem, TimeoutError):
                    continue
            if not scoping.visible(grant, there):
                fault = scoping.refused("wrong-patient", outgoing.FOREIGN)
                raise self._gate.refuse(grant, fault, reference.partition("/")[0])

    def _rested(self, grant: Grant, writes: Sequence[Write]) -> list[Write]:
        try:
            return outgoing.rested(grant, writes, self._record.waiting)
        except Refused as fault:
            raise self._gate.refuse(grant, fault, "rests on what waits") from None

    def on_duplicates(self, ask: Ask | None) -> None:
        """Who asks the user about a value that exists already. Without one nothing is looked for and all is saved."""
        self._guard.ask = ask

    def _was_withheld(self, write: Write) -> bool:
        """The panel saw less than there is: what it sends back would take the rest away."""
        name, version = name_of(write.resource), version_in(write.if_match)
        if self._has_withheld(name, version):
            return True
        base = self._record.held(name, version)
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
        """Take a commit back. What waits and has never left is withdrawn, and its words are its form's draft again; the
        receipt comes back *lagret*, with nothing written. What was answered is written back to what stood before. Raises
        Refused ``not-undoable``, or Problem ``not-yet`` (it may be under way) or ``rested-on``."""
        commit = self._commits.get(receipt_id)
        waiting = self._outbox.item(receipt_id)
        if commit is not None and waiting is not None and waiting.state == "venter":
            await self._pending.withdraw(receipt_id)
            self._commits.pop(receipt_id, None)
            return Receipt(receipt_id, "lagret", undoable=False)
        if commit is None or not commit.undoable():
            raise scoping.refused("not-undoable", "Dette kan ikke angres lenger.")
        del self._commits[receipt_id]  # at once: a second click must not undo the undoing
        try:
            entries = await self._way_back(commit)
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
            back = await self._outbox.commit(bundle, commit.patient, self._gate.asker(commit.grant))
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
            name = name_of(now)
            place = f"{name}/_history/{commit.matches[name]}"
            former = await self._gate.asked(self._record.read(place, self._gate.asker(commit.grant)))
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
                ours = {name_of(one) for one in commit.answered if tag(one, TRANSACTION) in ("", item.sent_as)}
                commit.matches = {name: match for name, match in item.updates.items() if name in ours}
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

    def _receipt(self, item: Item) -> Receipt:
        problem = item.problem
        if problem is not None and item.state in WIRE_CODES:
            problem = Refused(WIRE_CODES[item.state], problem.sentence, problem.advice, problem.detail)
        entries = (item.answer or {}).get("entry") or ()
        names = tuple(reference for entry in entries if (reference := reference_of(entry)))
        commit = self._commits.get(item.id)
        may = commit is not None and (item.state == "venter" or commit.undoable())
        return Receipt(item.id, item.state, names, problem, undoable=may)

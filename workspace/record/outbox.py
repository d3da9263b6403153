"""Writes on their way: durable before they are called *venter*, acknowledged before they are called *lagret*.

First in, first out for each patient. A transaction keeps its id however often it is sent; the platform answers a repeat
with the first outcome, so replays never make two. What is refused or in conflict stays in sight with the platform's own
words and opens again in its form; what rests on it waits, and says so. Each transaction is sealed by its author's session
key when it is made, so that the device may deliver it after sign-out (`delivery`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

from workspace.access import seal
from workspace.clock import Clock, instant
from workspace.fhir.service import Resource
from workspace.problem import Problem
from workspace.record import chain, kept, order, readdress, refusal
from workspace.record.attempts import Attempts
from workspace.record.behind import Behind, Outcome, orphans
from workspace.record.chain import reference_of
from workspace.record.client import Asker, Client, PlatformProblem
from workspace.record.conflict import Choice, Conflict
from workspace.record.handover import Handover
from workspace.record.hearers import Hearers
from workspace.record.items import Form, Item, State, is_answer
from workspace.record.marks import Mark, marks_of
from workspace.record.patience import Patience, Pause, may_still_pass
from workspace.record.sealing import Sealing
from workspace.record.settling import Settling, moved_on
from workspace.record.standins import in_place_of
from workspace.vault.vault import Vault

__all__ = ["Form", "Item", "Mark", "Outbox", "State", "reference_of"]

log = logging.getLogger(__name__)
WAIT = 2.0
"""Seconds that a commit waits for the platform before it is called *venter*."""


class Outbox:
    """`delivered` is handed each answered bundle at once, so that every watch shows it. `away` says whether the platform is
    known not to answer: then nobody waits for it."""

    def __init__(
        self,
        vault: Vault,
        client: Client,
        clock: Clock,
        *,
        user: str,
        delivered: Callable[[Mapping[str, Any], str], None] = lambda bundle, transaction: None,
        key: seal.SessionKey | None = None,
        away: Callable[[], bool] = lambda: False,
    ) -> None:
        self._vault, self._client, self._clock, self.user = vault, client, clock, user
        self._delivered, self._away = delivered, away
        self._items: dict[str, Item] = {}  # what waits
        self._refused: dict[str, Item] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._answers: dict[str, asyncio.Future[Item]] = {}
        self._known: dict[str, str] = {}
        self._late: set[str] = set()  # called *venter*: no answer came in time
        self._keeping: set[asyncio.Future[None]] = set()
        self._ending = asyncio.Lock()
        self._rewriting: set[str] = set()  # on the way to the disk in a new shape; not sent before it is there
        self._replacing: set[str] = set()  # refused, and on the way to the disk in a new shape
        self._awake = asyncio.Event()
        self._closed = False
        self._settling, self._sealing = Settling(client, user), Sealing(key)
        self.session_key, self.has_key = self._sealing.session_key, self._sealing.has_key
        self._readdressing = readdress.Readdressing(client, vault, self._sealing)
        self._refusals = refusal.Refusals(client, self._settling, clock)
        self._attempts = Attempts(client)
        self._behind = Behind(self._settling, self._sealing, self._attempts)
        hearers = Hearers()
        self.on_change, self.on_marks = hearers.on_change, hearers.on_marks
        self._tell, self._mark = hearers.tell, hearers.mark
        self.pause = Pause()
        """What the platform has asked of everything that is sent here."""
        self.registered: set[str] = set()
        """Ids of keys that the platform knows: what is sealed with them can be delivered without its author."""

    async def start(self) -> None:
        """Take up what a crash or a cut network left, in its order; what was refused is in sight again."""

        broken = []
        for item in await self._vault.run(partial(kept.rows, user=self.user)):
            if item.state == "venter" and (fault := kept.tampered(item)) is not None:
                item = replace(item, state="avvist", problem=fault)
                broken.append(item)
            (self._items if item.state == "venter" else self._refused)[item.id] = item
            self._late.add(item.id)
            self._attempts.took_up(item.id)
        if broken:
            await self._vault.run(partial(kept.write_states, items=broken))
        self._pump()

    async def close(self) -> None:
        """Stop sending; what waits stays in the vault."""
        await asyncio.gather(*self._keeping, return_exceptions=True)
        self._closed = True
        senders = list(self._sending.values())
        for task in senders:
            task.cancel()
        await asyncio.gather(*senders, return_exceptions=True)

    # Looking --------------------------------------------------------------------------------------

    def unsent(self) -> int:
        """How many still wait."""
        return len(self._items)

    def deliverable(self) -> tuple[Item, ...]:
        """What can be delivered without its author."""
        return tuple(order.going(((one, one.state) for one in self.items()), self.registered))

    def items(self) -> tuple[Item, ...]:
        """All that is not settled, in the order of delivery: what waits, what is held, what was refused."""
        return tuple(sorted((*self._items.values(), *self._refused.values()), key=lambda each: each.seq))

    def item(self, own: str) -> Item | None:
        return self._items.get(own) or self._refused.get(own)

    def late(self) -> tuple[Item, ...]:
        """What waits and has been called *venter*: its commit returned without an answer, it is held, or it was taken up
        from the vault. Nothing of what is answered in the ordinary time is ever among them."""
        return tuple(one for one in self.items() if one.state == "venter" and (one.held or one.id in self._late))

    def refused(self) -> tuple[Item, ...]:
        """What the platform did not take, oldest first, until somebody has seen to it (`forget`)."""
        return tuple(self._refused.values())

    def marks(self) -> dict[str, Mark]:
        """See `marks_of`. What is answered in the ordinary time gets no mark."""
        return marks_of((*self.late(), *self._refused.values()))

    def wake(self) -> None:
        """The platform is there again: what waits is sent now, not at the end of its pause."""
        self._awake.set()
        self._awake = asyncio.Event()

    # Writing --------------------------------------------------------------------------------------

    async def commit(
        self,
        bundle: Mapping[str, Any],
        patient: str,
        asker: Asker,
        wait: float = WAIT,
        *,
        own: str = "",
        form: Form = Form(),  # noqa: B008 (frozen)
        bases: Mapping[str, Resource] | None = None,
        replaces: str = "",
        handover: Handover | None = None,
    ) -> Item:
        """Durable when this returns; answered within `wait` seconds if the platform is there, else still waiting: at once
        when it is known to be away. In a vault that is in memory only, what still waits carries the Problem ``not-durable``.

        `own` is the transaction's id, a new UUID; made here when it is not given. `bases` are the versions that its updates
        were made from. `replaces` names a refused item that this one mends: it goes, and what rests on it goes on.
        `handover` is of the draft it comes from, which is without it in the same step. Raises Problem ``being-sent`` when
        what it replaces is being replaced already."""
        if replaces in self._replacing:
            raise Problem(
                "being-sent", "Dette sendes allerede på nytt.", "Se etter i listen over det som ikke er lagret."
            )
        own = own or str(uuid4())
        made = instant(self._clock.now())
        item = Item(own, patient, bundle, asker, form=form, bases=dict(bases or {}), author=self.user, made=made)
        item = self._sealing.sealed(item)
        former = self._refused.get(replaces)
        if former is not None:
            item = in_place_of(item, former)
            self._replacing.add(former.id)
        settled = self._answers[own] = asyncio.get_running_loop().create_future()
        try:
            keeping = asyncio.ensure_future(self._keep(item, former, handover))
            self._keeping.add(keeping)
            keeping.add_done_callback(self._keeping.discard)
            # Shielded: a panel that goes away meanwhile must not leave it on the disk with nobody to send it.
            await asyncio.shield(keeping)
            hopeless = self._away() or self.pause.left > wait
            return await asyncio.wait_for(settled, 0 if hopeless else wait)
        except TimeoutError:
            waiting = self._items.get(own, item)
            if not self._vault.durable and waiting.problem is None:
                waiting = replace(waiting, problem=refusal.only_in_memory())
            self._tell(waiting)
            return waiting
        finally:
            self._answers.pop(own, None)
            if settled.cancelled() or not settled.done():
                self._late.add(own)
                self._mark()

    async def forget(self, own: str) -> None:
        """The author has seen to a refused item, or gives up a held one. What names what it was to make can never be sent:
        it is refused too, and stays in sight."""
        gone = self._refused.get(own) or self._items.get(own)
        busy = own in self._sending or own in self._replacing
        if gone is None or busy or (gone.state == "venter" and not gone.held):
            return
        lonely = self._orphans(gone.creates, own)

        def write(database: Any) -> None:
            database.execute("DELETE FROM outbox WHERE id = ?", (own,))
            kept.write_states(database, lonely)

        await self._vault.run(write)
        self._refused.pop(own, None)
        self._items.pop(own, None)
        self._orphaned(lonely)
        self._pump()

    def _orphans(self, names: frozenset[str], own: str) -> list[Item]:
        return orphans(names, [o for o in self._items.values() if o.id != own and o.id not in self._sending])

    def _orphaned(self, lonely: Sequence[Item]) -> None:
        for one in lonely:
            self._items.pop(one.id, None)
            self._refused[one.id] = one
            self._tell(one)

    async def withdraw(self, own: str, back: Handover | None = None) -> None:
        """Take back what waits and has certainly not reached the platform: then there is nothing to undo there (DESIGN §3).
        `back` puts its words back in their draft, in the same step of the vault.

        What may have reached it is not taken back here, nor is its inverse queued behind it: what would be changed has no
        name or version before the answer, and a colleague may meet it between the two. It is undone when it is answered.

        Raises Problem ``not-yet`` for that, and ``rested-on`` when something written later builds on it."""
        certain = await self._attempts.never_left(own, WAIT)
        item = self._items.get(own)
        if item is None or not certain or own in self._answers:
            raise refusal.maybe_there()
        if any(order.rests_on(other, item) for other in self.items()):
            raise refusal.built_on()
        del self._items[own]  # nobody sends it from here on
        leaving = asyncio.ensure_future(self._leave(item, back))
        self._keeping.add(leaving)
        leaving.add_done_callback(self._keeping.discard)
        await asyncio.shield(leaving)

    async def _leave(self, item: Item, back: Handover | None) -> None:
        restore = back.begin() if back is not None else None

        def write(database: Any) -> None:
            database.execute("DELETE FROM outbox WHERE id = ?", (item.id,))
            if restore is not None:
                restore(database)

        try:
            await self._vault.run(write)
        except BaseException:
            self._items[item.id] = item
            if back is not None:
                back.failed()
            raise
        finally:
            self._pump()
        if back is not None:
            back.kept()

    async def merged(self, gone: str = "") -> None:
        """Two patients are one: what was refused about the one who goes is about the one whom the platform's links say that
        stays, and still refused. Without a name all are asked about, for a merge that nobody told of. Raises Problem."""
        before = {one.id: one for one in self._refused.values() if one.id not in self._replacing}
        for fresh in await self._readdressing.refused(tuple(before.values()), gone):
            if self._refused.get(fresh.id) is before[fresh.id]:
                self._refused[fresh.id] = fresh
        self._mark()

    async def conflicts(self) -> tuple[Conflict, ...]:
        """What somebody else changed first, field by field, with both authors. Asks the platform for the versions; one
        that cannot be had now is left out, and one of what is gone for good is *avvist*. Raises nothing."""
        found = []
        for item in [one for one in self._refused.values() if one.state == "konflikt"]:
            try:
                found.append(await self._settling.conflict(item))
            except Problem as problem:
                log.info("a conflict cannot be shown now: %s", problem.code)
                if getattr(problem, "status", 0) in (403, 404, 410) and self._refused.get(item.id) is item:
                    await self._end(replace(item, state="avvist", problem=refusal.closed(problem)))
                    self._pump()
        return tuple(found)

    async def resolve(
        self,
        seen: Conflict,
        choices: Mapping[str, Mapping[str, Choice]],
        wait: float = WAIT,
        *,
        handover: Handover | None = None,
    ) -> Item:
        """Write what `choices` (``Type/id`` → path → Choice) make of the conflict as it was `seen`, on top of the other's
        version. What of mine is given up stays in the history, in a Provenance of the resource. `handover` as of a commit.

        Raises Problem ``not-in-conflict``, ``choice-missing``, ``conflict-moved`` or what the platform says."""
        item = self._refused.get(own := seen.id)
        if item is None or item.state != "konflikt":
            raise Problem("not-in-conflict", "Denne konflikten er allerede løst.")
        shown = await self._settling.conflict(item)
        if moved_on(seen, shown):
            raise refusal.moved_on()
        bundle, bases = self._settling.chosen(item, shown, choices, instant(self._clock.now()))
        return await self.commit(
            bundle, item.patient, item.asker, wait, form=item.form, bases=bases, replaces=own, handover=handover
        )

    # Keeping --------------------------------------------------------------------------------------

    async def _keep(self, item: Item, former: Item | None, handover: Handover | None) -> None:
        try:
            await self._kept(item, former, handover)
        finally:
            if former is not None:
                self._replacing.discard(former.id)

    async def _kept(self, item: Item, former: Item | None, handover: Handover | None) -> None:
        item = self._sealing.resealed(chain.after(item, self._known, {}), item)
        if handover is not None and (bundle := handover.marked(item.bundle)) is not item.bundle:
            item = self._sealing.sealed(replace(item, bundle=bundle))
        empty = handover.begin() if handover is not None else None
        lonely = self._orphans(former.creates - item.creates, item.id) if former is not None else []

        def write(database: Any) -> int:
            seq = None
            if former is not None:
                database.execute("DELETE FROM outbox WHERE id = ?", (former.id,))
                seq = former.seq
                kept.write_states(database, lonely)
            row = (seq, item.id, self.user, item.patient, item.body(), item.made)
            query = "INSERT INTO outbox (seq, id, user, patient, state, body, made) VALUES (?, ?, ?, ?, 'venter', ?, ?)"
            database.execute(query, row)
            own = int(database.last_insert_rowid())
            if empty is not None:
                empty(database)
            return own

        try:
            item = replace(item, seq=await self._vault.run(write))
        except BaseException:
            if handover is not None:
                handover.failed()
            raise
        if handover is not None:
            handover.kept()
        while (fresh := chain.after(item, self._known, {})) is not item:  # an earlier one was answered meanwhile
            item = self._sealing.resealed(fresh, item)
            await self._vault.run(partial(kept.rewrite, item=item))
        if former is not None:
            self._refused.pop(former.id, None)
        self._items[item.id] = item
        self._orphaned(lonely)
        self._pump()

    # Sending --------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Hold what must be held, and send the first of each patient."""
        if self._closed:
            return
        busy: set[str] = set()
        promised: set[str] = set()
        stuck = [*self._refused.values()]
        for item in sorted(self._items.values(), key=lambda each: each.seq):
            by = chain.holder(item, stuck) if item.id not in self._sending else None
            if by is not None:
                held = chain.hold(item, by)
                if not item.held:
                    self._items[item.id] = held
                    self._late.add(held.id)  # in sight from here on, also when it is let go again
                    self._tell(held)
                    self._answered(held)
                stuck.append(held)
                continue
            if item.held:
                item = self._items[item.id] = replace(item, problem=None)
            free = not (item.lanes & busy) and not (item.uses & promised)
            busy |= item.lanes
            promised |= item.creates
            if free and item.id not in self._sending and item.id not in self._rewriting:
                self._sending[item.id] = asyncio.ensure_future(self._send(item.id))
        self._mark()

    async def _send(self, own: str) -> None:
        """Bring one item to its end, however often it takes."""
        patience = Patience()
        try:
            while True:
                await self.pause.over()
                item = self._items.get(own)
                fault = await self._try(item) if item is not None else None  # withdrawn meanwhile
                if fault is None:
                    break
                seconds = patience.next(fault)
                self.pause.asked_by(fault, seconds)
                await self._rest(seconds, woken=not getattr(fault, "retry_after", 0))
        finally:
            self._sending.pop(own, None)
        self._pump()

    async def _try(self, item: Item) -> Problem | None:
        """One attempt; None when the item is settled, else why it must be tried again."""
        try:
            answer = await self._attempts.send(item)
        except PlatformProblem as problem:
            if may_still_pass(problem):
                return problem
            return await self._refuse(item, problem)
        except Problem as problem:  # signed out: it waits for its author
            log.info("outbox waits: %s", problem.code)
            return problem
        if not is_answer(answer, item.bundle):
            log.warning("the answer is not about what was sent, or says no to a part of it")
            return await self._judged(item, await self._refusals.unclear(item, answer))
        await self._settle(item, answer)
        return None

    async def _refuse(self, item: Item, problem: PlatformProblem) -> Problem | None:
        if problem.code == readdress.REPLACED:
            try:
                if (fresh := await self._readdressing.sent(item)) is not None:
                    self._items[item.id] = fresh
                    return await self._try(fresh)
            except readdress.Circle as circle:
                return await self._judged(item, refusal.Verdict(problem=circle))
            except Problem as unknown:
                return unknown
        return await self._judged(item, await self._refusals.judge(item, problem))

    async def _judged(self, item: Item, verdict: refusal.Verdict) -> Problem | None:
        if verdict.answer is not None:
            await self._settle(item, verdict.answer)
        elif verdict.again is not None:
            return verdict.again
        elif verdict.shown is not None and await self._joined(item, verdict.shown):
            return await self._try(self._items[item.id]) if item.id in self._items else None
        else:
            await self._end(replace(item, state=verdict.state, problem=verdict.problem))
        return None

    async def _joined(self, item: Item, shown: Conflict) -> bool:
        """Join `item` with what somebody else changed meanwhile, when both can stand; it goes out under another key, for the
        platform has answered the first. False when a person must choose. Raises Problem."""
        if (fresh := self._behind.upon_own(item, shown)) is not None:
            await self._moved(fresh)
            return True
        if not shown.automatic:
            return False
        bundle, bases = self._settling.settled(item, shown, {}, instant(self._clock.now()))
        if not bundle["entry"]:  # the other one wrote the very same
            standing = [{"resource": one.theirs, "response": {"status": "200"}} for one in shown.resources]
            await self._settle(item, {"resourceType": "Bundle", "type": "transaction-response", "entry": standing})
            return True
        matches = {name: (*item.formerly.get(name, ()), match) for name, match in item.updates.items()}
        fresh = replace(item, bundle=bundle, bases=bases, key=str(uuid4()), formerly=matches)
        await self._moved(self._sealing.sealed(fresh))
        return True

    async def _moved(self, fresh: Item) -> None:
        await self._vault.run(partial(kept.rewrite, item=fresh))
        self._items[fresh.id] = fresh
        self._mark()

    async def _settle(self, item: Item, answer: Mapping[str, Any]) -> None:
        self._hand_over(answer, item.id)
        await self._end(replace(item, state="lagret", answer=answer, problem=None))

    async def _rest(self, seconds: float, *, woken: bool) -> None:
        """A pause, cut short by `wake` unless the platform has asked for it."""
        if not woken:
            await asyncio.sleep(seconds)
            return
        try:
            async with asyncio.timeout(seconds):
                await self._awake.wait()
        except TimeoutError:
            pass

    def _hand_over(self, answer: Mapping[str, Any], own: str) -> None:
        try:
            self._delivered(answer, own)
        except Exception:  # a fault in a watch must not hold back what others typed
            log.exception("the record could not take an answer")

    async def _end(self, item: Item) -> None:
        outcome = await self._behind.outcome(item, tuple(self._items.values()))
        self._known.update(outcome.names)
        async with self._ending:  # one after the other: two that end at once may both move a third
            await self._ended(item, outcome)
        self._tell(item)
        self._answered(item)

    async def _ended(self, item: Item, outcome: Outcome) -> None:
        # Later items that name or change what was written now are rewritten in the same step as this one goes: a crash in
        # between must not send one of them under two bodies, or with a name that nobody knows. One that is on its way
        # already keeps its body, and one that is rewritten does not leave before it is kept.
        others = [one for one in self._items.values() if one.id != item.id]
        rewritten = self._behind.rewritten(outcome, others, self._sending)
        self._rewriting = {one.id for one in rewritten}

        def write(database: Any) -> None:
            for one in rewritten:
                kept.rewrite(database, one)
            if item.state == "lagret":
                database.execute("DELETE FROM outbox WHERE id = ?", (item.id,))
            else:
                kept.write_states(database, [item])

        try:
            await self._vault.run(write)
        except Problem as problem:
            # Told all the same: the platform has answered. The next start sends it again and gets the same answer.
            log.warning("outbox could not note an outcome: %s", problem.code)
        finally:
            self._rewriting = set()
        self._items.pop(item.id, None)
        self._late.discard(item.id)
        self._attempts.ended(item.id)
        self._behind.ended(item.id)
        for one in rewritten:
            if one.id in self._items:
                self._items[one.id] = one
        if item.state != "lagret":
            self._refused[item.id] = item

    def _answered(self, item: Item) -> None:
        settled = self._answers.get(item.id)
        if settled is not None and not settled.done():
            settled.set_result(item)

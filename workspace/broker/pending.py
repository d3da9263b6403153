"""What is not saved yet, as the shell shows it: what waits, is held, was refused or is in conflict; and the way on.

Data only: the shell draws it. Never decides for the user and never drops anything unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workspace.broker.door import DraftKey, Form, WriteState
from workspace.problem import Problem
from workspace.record.conflict import Choice, Conflict
from workspace.record.drafts import Drafts
from workspace.record.handover import GivenBack, Handover
from workspace.record.items import Form as Kept
from workspace.record.items import Item
from workspace.record.mending import Mends, said_in
from workspace.record.outbox import Mark, Outbox

__all__ = ["Conflict", "Mark", "Pending", "Pendings"]

Exchange = Callable[[tuple[str, ...], Mapping[str, Any], Mapping[str, Any]], object]
"""(a draft's `DraftKey.parts`, before, after): where `before` still stands in an open form, `after` is to stand, by bind;
None is empty."""


@dataclass(frozen=True, slots=True)
class Pending:
    """One commit that is not *lagret*. `references` (``Type/id``) are the resources it changes; what it creates has none.
    `held`: it waits for the user to see to `rests_on`, not for the platform. `values` (by bind) stood in the form when it
    was sent. `reason` and `advice` are Norwegian sentences; `fields` those of the single fields that were refused."""

    id: str
    state: WriteState
    patient: str
    made: str
    held: bool = False
    rests_on: str = ""
    references: tuple[str, ...] = ()
    package: str = ""
    version: str = ""
    view: str = ""
    instance: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 0
    state_version: int = 1
    reason: str = ""
    advice: str = ""
    fields: tuple[str, ...] = ()

    @property
    def reopens(self) -> bool:
        """Whether it can be opened in the form it was typed in."""
        return bool(self.package and self.view and self.values)


class Pendings:
    """`broker.pending`. Every id is a receipt's."""

    def __init__(self, outbox: Outbox, drafts: Drafts, *, user: str, tenant: str) -> None:
        self._outbox, self._drafts, self._user, self._tenant = outbox, drafts, user, tenant
        self._exchanges: list[Exchange] = []

    def all(self, patient: str = "") -> tuple[Pending, ...]:
        """In the order of delivery; those about `patient` (``Patient/<id>``) alone when it is given."""
        return tuple(
            _pending(one)
            for one in self._outbox.items()
            if not patient or patient in one.lanes or one.patient == patient
        )

    def marks(self) -> Mapping[str, Mark]:
        """By ``Type/id``, for the rows about a resource: the state of the newest unsettled write of it or of what belongs to
        it, and why."""
        return self._outbox.marks()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Called now and whenever `all` or `marks` may say something else. Returns what ends it."""
        off = self._outbox.on_marks(listener)
        listener()
        return off

    async def conflicts(self) -> tuple[Conflict, ...]:
        """Field by field, both authors named; those whose versions the platform gives now."""
        return await self._outbox.conflicts()

    async def resolve(self, seen: Conflict, choices: Mapping[str, Mapping[str, Choice]]) -> Pending:
        """Settle a conflict as it was `seen`: for each resource (``Type/id``) a choice for each path in `comparison.open`:
        ``"mine"``, ``"theirs"`` or ``{"value": …}``. Other fields may be chosen too; unchosen ones are joined as shown. The
        state of the answer says how it went. Its form is emptied as by `retry`. Raises Problem ``choice-missing``,
        ``not-in-conflict``, ``conflict-moved`` (show it again), ``being-sent`` or what the platform says."""
        item = self._outbox.item(seen.id)
        handover = self._handover(item) if item is not None else None
        return self._sent(await self._outbox.resolve(seen, choices, handover=handover), handover, seen.id)

    def on_exchange(self, listener: Exchange) -> Callable[[], None]:
        """Told what leaves an open form because it was sent from here, and what comes back because that was refused. Returns
        what ends it."""
        self._exchanges.append(listener)
        return lambda: self._exchanges.remove(listener) if listener in self._exchanges else None

    async def retry(self, own: str) -> Pending:
        """Send what was refused once more, as it stands: something else has been mended meanwhile. Where its form still
        shows it, it leaves the draft in the step of the vault that takes it up, and the form at once: else it would be saved
        twice. What was typed there since stays. Raises Problem ``nothing-to-send`` or ``being-sent``."""
        item = self._outbox.item(own)
        if item is None or item.state != "avvist":
            raise Problem("nothing-to-send", "Dette er ikke lenger noe å sende på nytt.")
        handover = self._handover(item)
        again = await self._outbox.commit(
            item.bundle, item.patient, item.asker, form=item.form, bases=item.bases, replaces=own, handover=handover
        )
        return self._sent(again, handover, own)

    async def discard(self, own: str) -> None:
        """The user gives it up. What rests on what it was to create becomes *avvist*, in sight."""
        await self._outbox.forget(own)

    def reopen(self, own: str) -> Pending:
        """Put what was typed back as the draft of its form, and say where that is: open `view` of `package` for `patient`.
        The next commit from there takes its place. Raises Problem ``nothing-to-open`` or ``draft-in-the-way``."""
        item = self._outbox.item(own)
        if item is None or (item.state == "venter" and not item.held):
            raise Problem("nothing-to-open", "Dette er ikke lenger noe å rette på.")
        found = _pending(item)
        if not found.reopens:
            raise Problem("nothing-to-open", "Skjemaet dette ble skrevet i, er ikke kjent.", "Skriv det på nytt.")
        key = self._key(item)
        standing = self._drafts.load(key)
        if standing is not None and dict(standing.values) != dict(found.values):
            raise Problem(
                "draft-in-the-way", "I skjemaet står noe annet som ikke er lagret.", "Lagre eller tøm det først."
            )
        self._drafts.save(key, found.values, max(found.revision, standing.revision if standing else 0) + 1)
        self._drafts.mend(key, _mends(item))
        return found

    def _key(self, item: Item) -> tuple[str, ...]:
        form = item.form
        key = DraftKey(self._tenant, self._user, item.patient, form.package, form.view, "", form.state_version)
        return key.parts()

    def _handover(self, item: Item) -> Handover | None:
        values, key = item.form.values, self._key(item)
        changes = {bind: after for bind, after in item.form.changes.items() if bind in values}
        if not changes:
            return None
        return self._drafts.hand_over(key, values, changes, lambda: self._exchange(key, values, changes))

    def _sent(self, item: Item, handover: Handover | None, former: str) -> Pending:
        """What was refused once more (as `former` before) stands in its form again, if it stood there; what is saved from
        there mends it."""
        if item.state in ("avvist", "konflikt"):
            standing = self._drafts.mending(self._key(item))
            if not self._given_back(item, handover) and standing is not None and standing.item == former:
                self._drafts.mend(self._key(item), _mends(item))
        return _pending(item)

    def _given_back(self, item: Item, handover: Handover | None) -> bool:
        """What left the draft with `item` stands there and in the open form again; False when nothing had left it."""
        if handover is None or not (taken := handover.taken):
            return False
        self._drafts.exchange(handover.key, handover.changes, taken)
        self._exchange(handover.key, handover.changes, taken)
        self._drafts.mend(handover.key, _mends(item))
        return True

    def _exchange(self, key: tuple[str, ...], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        for listener in list(self._exchanges):
            listener(key, before, after)

    async def withdraw(self, own: str) -> None:
        """Take back what waits and has certainly not left (`Outbox.withdraw`); what was typed is its form's draft again, and
        stands in the form if that is open. Raises Problem ``not-yet`` or ``rested-on``."""
        item = self._outbox.item(own)
        form = item.form if item is not None else Kept()
        changes = {bind: after for bind, after in form.changes.items() if bind in form.values}
        back = None
        if item is not None and changes:
            key, values = self._key(item), {bind: form.values[bind] for bind in changes}
            back = GivenBack(self._drafts, key, changes, values, lambda: self._exchange(key, changes, values))
        await self._outbox.withdraw(own, back)

    # For the broker -------------------------------------------------------------------------------

    def replaced_by(self, key: DraftKey, form: Form | None) -> str:
        """The refused item that a new commit from the form of the draft `key` mends; "" when there is none. Ask when the
        user has pressed: the draft has let go of the words by the time they are sent."""
        mends = self._drafts.mending(key.parts()) if form is not None else None
        if form is None or mends is None or not set(mends.binds) & set(said_in(form.values, form.changes)):
            return ""
        item = self._outbox.item(mends.item)
        return item.id if item is not None and item.state in ("avvist", "konflikt") else ""

    def stands(self, key: DraftKey, own: str, handover: Handover | None) -> None:
        """The commit `own` is not *lagret* when it returns. Refused, its words are given back to its form; where they never
        left it, what is saved next from there mends it should it be refused later."""
        item = self._outbox.item(own)
        if item is None or not item.form.view:
            return
        if handover is not None and handover.taken:
            if item.state != "venter":
                self._given_back(item, handover)
            return
        standing, said = self._drafts.get(key.parts()), _mends(item)
        if standing is not None and any(standing.values.get(bind) == item.form.values[bind] for bind in said.binds):
            self._drafts.mend(key.parts(), said)


def _mends(item: Item) -> Mends:
    return Mends(item.id, said_in(item.form.values, item.form.changes))


def _pending(item: Item) -> Pending:
    problem = item.problem
    return Pending(
        id=item.id, state=item.state, patient=item.patient, made=item.made, held=item.held,
        rests_on=problem.detail if item.held and problem else "",
        references=tuple(item.updates), package=item.form.package, version=item.form.version, view=item.form.view,
        instance=item.form.instance, values=item.form.values, revision=item.form.revision,
        state_version=item.form.state_version,
        reason=problem.sentence if problem else "", advice=problem.advice if problem else "",
        fields=tuple(getattr(problem, "fields", ())),
    )  # fmt: skip

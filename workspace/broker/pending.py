"""What is not saved yet, as the shell shows it: what waits, is held, was refused or is in conflict; and the way on.

Data only: the shell draws it. Never decides for the user and never drops anything unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workspace.broker.door import DraftKey, Form, WriteState
from workspace.broker.grant import Grant
from workspace.problem import Problem
from workspace.record.conflict import Choice, Conflict
from workspace.record.drafts import Drafts
from workspace.record.handover import GivenBack, Handover
from workspace.record.items import Form as Kept
from workspace.record.items import Item
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
        self._mending: dict[tuple[str, str, str], str] = {}
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

    async def resolve(self, own: str, choices: Mapping[str, Mapping[str, Choice]]) -> Pending:
        """Settle a conflict: for each resource (``Type/id``) a choice for each path in `comparison.open`: ``"mine"``,
        ``"theirs"`` or ``{"value": …}``. Other fields may be chosen too; unchosen ones are joined as shown. The state of
        the answer says how it went. Its form is emptied as by `retry`. Raises Problem ``choice-missing``,
        ``not-in-conflict``, ``being-sent`` or what the platform says."""
        item = self._outbox.item(own)
        handover = self._handover(item) if item is not None else None
        return self._sent(await self._outbox.resolve(own, choices, handover=handover), handover)

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
        return self._sent(again, handover)

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
        self._mending[(found.patient, found.package, found.view)] = own
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

    def _sent(self, item: Item, handover: Handover | None) -> Pending:
        """What was refused once more stands in its form again, if it stood there; what is saved from there mends it."""
        if item.state in ("avvist", "konflikt") and item.form.view:
            self._mending[(item.patient, item.form.package, item.form.view)] = item.id
            if handover is not None and (taken := handover.taken):
                self._drafts.exchange(handover.key, handover.changes, taken)
                self._exchange(handover.key, handover.changes, taken)
        return _pending(item)

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

    def replaced_by(self, grant: Grant, form: Form | None) -> str:
        """The refused item that a new commit from the same form mends; "" when there is none."""
        own = (self._mending.pop(_place(grant, form), "") or self._same(grant, form)) if form else ""
        item = self._outbox.item(own) if own else None
        return own if item is not None and item.state in ("avvist", "konflikt") else ""

    def _same(self, grant: Grant, form: Form) -> str:
        """The refused item whose very words the form still shows, untouched: after a new start nobody remembers which that
        was. A draft keeps its form's revision, and opening the item there again raises it by one; to empty the form and
        type the same anew takes more."""
        for item in self._outbox.refused():
            sent = item.form
            untouched = form.revision in (sent.revision, sent.revision + 1) and form.values == sent.values
            if sent.values and untouched and (item.patient, sent.package, sent.view) == _place(grant, form):
                return item.id
        return ""

    def failed(self, grant: Grant, form: Form | None, own: str) -> None:
        """Refused while the form still stands: what is saved next from there is its mending."""
        if form:
            self._mending[_place(grant, form)] = own


def _place(grant: Grant, form: Form | None) -> tuple[str, str, str]:
    about = grant.context.patient or grant.context.unit or ""
    return (about, grant.package, form.view if form else "")


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

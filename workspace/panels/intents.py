"""Who does what another panel asks for: a panel open in the same context, else a package that handles it (DESIGN §3).

The choosing is pure; the rest carries a request there and its result back. Both must be about the context's own
patient: an intent never crosses patients (law 3). Never starts a process, never shows anything: the shell opens, asks
and focuses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workspace.broker.context import Context
from workspace.broker.door import Door, Receipt, Write
from workspace.panels.manifest import Package
from workspace.panels.protocol import (
    EVENT_TIMEOUT,
    MAX_RAISED,
    Answer,
    Cancel,
    ContextChanged,
    Intent,
    IntentAnswer,
    IntentRequest,
    IntentResult,
    InvalidParams,
    InvalidRequest,
    PanelError,
    TooMany,
    WrongPatient,
)
from workspace.panels.tasks import Kept
from workspace.problem import Problem

if TYPE_CHECKING:
    from workspace.panels.instance import Instance

OPEN_PATIENT = "open Patient"
"""The shell's own: it opens a patient after its own checks."""
OPENED_WITHIN = 10.0
CLOSED = "Panelet ble lukket før det var gjort."

Opener = Callable[[str, str, Context], Awaitable[str | None]]
"""``opener(package, view, context)``: the shell opens the view beside the others; gives the instance's id, or None."""


# --- choosing, pure -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """A panel that could do it; `instance` is empty when it is not open yet."""

    package: str
    view: str
    title: str
    vendor: str
    instance: str = ""

    @property
    def label(self) -> str:
        return f"{self.title} ({self.vendor})"


def candidates(name: str, raiser: Instance, open_: Iterable[Instance], packages: Iterable[Package]) -> list[Candidate]:
    """Those that handle `name` in the raiser's context, one for each view: the open ones, or if there are none the
    packages that could be opened."""
    found = [
        Candidate(one.package.id, one.view.id, one.view.title, one.package.vendor, one.id)
        for one in open_
        if one is not raiser
        and name in one.package.handles
        and one.context.token == raiser.context.token
        and one.state in ("starting", "running", "silent")
    ]
    if found:
        return found
    return [
        Candidate(package.id, view.id, view.title, package.vendor)
        for package in sorted(packages, key=lambda package: package.id)
        if name in package.handles and package.id != raiser.package.id
        for view in [view for view in package.views if view.context == raiser.context.kind][:1]
    ]


def strangers(value: Any, context: Context) -> list[str]:
    """Every ``Patient/<id>`` anywhere in a JSON value that the context is not about."""
    found: list[str] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting.extend(one.values())
            waiting.extend(one.keys())
            if one.get("resourceType") == "Patient":
                waiting.append(f"Patient/{one.get('id', '')}")
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, str) and "Patient/" in one:
            patient = "Patient/" + one.partition("Patient/")[2].partition("/_history/")[0]
            if not context.allows(patient):
                found.append(patient)
    return found


# --- carrying there and back --------------------------------------------------------------------------------


class Intents:
    """One for each host. `opener` is set by the shell; without it only panels already open are found."""

    def __init__(
        self, packages: Callable[[], Mapping[str, Package]], instances: Callable[[Context], Sequence[Instance]]
    ) -> None:
        self._packages, self._instances = packages, instances
        self.opener: Opener | None = None

    async def raised(self, raiser: Instance, name: str, args: Mapping[str, Any]) -> IntentResult:
        """See it done. Raises InvalidParams for what the manifest does not declare, WrongPatient, ContextChanged."""
        if name not in raiser.package.raises:
            raise InvalidParams(f"{name!r} is not among the intents that panel.toml raises")
        if name == OPEN_PATIENT and not raiser.acts.asked_for:
            return IntentResult(handled=False, reason="Brukeren har ikke bedt om det.")
        if name == OPEN_PATIENT:
            raiser.telling.raised(name, args)
            return IntentResult(handled=True)
        if strangers(args, raiser.context):
            raise WrongPatient(f"{name!r} was asked for another patient than the context's")
        chosen = await self._chosen(raiser, name)
        if isinstance(chosen, IntentResult):
            return chosen
        target = await self._opened(chosen, raiser.context)
        if raiser.state == "closed":
            raise ContextChanged("the context has ended")
        if target is None:
            return IntentResult(handled=False, reason=f"«{chosen.label}» kunne ikke åpnes.")
        source = f"{raiser.view.title} ({raiser.package.vendor})"
        if raiser.acts.asked_for:  # the focus is never taken out of nowhere
            target.telling.wanted(source)
        result = await target.errands.take(name, args, source)
        if strangers(result.result, raiser.context):
            target.note(f"[host] refused: the result of {name!r} names another patient")
            raise WrongPatient(f"the result of {name!r} is about another patient than the context's")
        return result

    async def _chosen(self, raiser: Instance, name: str) -> Candidate | IntentResult:
        packages = self._packages().values() if self.opener is not None else ()
        found = candidates(name, raiser, self._instances(raiser.context), packages)
        if not found:
            return IntentResult(handled=False, reason=f"Ingen andre paneler her tar imot «{name}».")
        at: int | None = 0
        if len(found) > 1 and not raiser.acts.asked_for:
            return IntentResult(handled=False, reason="Flere paneler kan gjøre dette, og ingen har valgt hvilket.")
        if len(found) > 1:
            question = f"«{raiser.view.title}» ber om noe som flere paneler kan gjøre. Hvilket vil du bruke?"
            at = await raiser.telling.listener.choose(question, [one.label for one in found])
        if at is None or not 0 <= at < len(found):
            return IntentResult(handled=False, reason="Du valgte ikke noe panel.")
        return found[at]

    async def _opened(self, chosen: Candidate, context: Context) -> Instance | None:
        name: str | None = chosen.instance
        if not name and self.opener is not None:
            name = await self.opener(chosen.package, chosen.view, context)
        target = next((one for one in self._instances(context) if one.id == name), None)
        if target is None or not await target.settled(OPENED_WITHIN):
            return None
        return target


class Errands:
    """One panel's own: what it raised and waits for, and what it took from others and owes them."""

    def __init__(self, instance: Instance, intents: Intents, door: Door) -> None:
        self._instance, self._intents, self._door = instance, intents, door
        self._taken: dict[str, asyncio.Future[IntentResult]] = {}
        self._number = 0
        self.waiting = 0
        self.kept = Kept()

    # --- raised by this panel -------------------------------------------------------------------------------

    async def raised(self, name: str, args: Mapping[str, Any]) -> IntentResult:
        """A `raise` of the panel's, answered when it is done. Raises TooMany, and what `Intents.raised` does."""
        if self.waiting >= MAX_RAISED:
            raise TooMany(f"more than {MAX_RAISED} intents at a time")
        self.waiting += 1
        try:
            return await self._intents.raised(self._instance, name, args)
        finally:
            self.waiting -= 1

    def after(self, requests: Sequence[IntentRequest]) -> None:
        """Those of an event's effects, now that all is committed; each gets its `answer`."""
        for request in requests:
            self.kept.start(self._raise(request))

    async def _raise(self, request: IntentRequest) -> None:
        instance = self._instance
        try:
            result = await self.raised(request.name, request.args)
        except PanelError as error:
            instance.note(f"[host] intent {request.name!r}: {error.message}")
            instance.dropped += 1
            result = IntentResult(handled=False, reason="Det kunne ikke gjøres.")
        if request.id:
            address = {"instance": instance.id, "context": instance.context.token}
            instance.send(Answer(**address, id=request.id, name=request.name, result=result))

    # --- asked of this panel --------------------------------------------------------------------------------

    async def take(self, name: str, args: Mapping[str, Any], source: str) -> IntentResult:
        """Ask this panel, and wait for what comes of it, however long the user takes. Never raises the panel's own
        errors: they are an intent not handled."""
        instance = self._instance
        process = instance.keeper.process
        if process is None:
            return IntentResult(handled=False, reason=instance.problem or "Panelet er ikke klart.")
        self._number += 1
        number = f"{instance.id}/{self._number}"
        done: asyncio.Future[IntentResult] = asyncio.get_running_loop().create_future()
        self._taken[number] = done
        address = {"instance": instance.id, "context": instance.context.token}
        message = Intent(**address, id=number, name=name, args=dict(args), source=source)
        later = False
        instance.flush()
        try:
            result: IntentResult = await process.peer.request(message, EVENT_TIMEOUT)
            later = result.later and result.handled
            return await done if later else result
        except TimeoutError:
            return IntentResult(handled=False, reason=f"«{instance.view.title}» svarte ikke.")
        except ContextChanged:
            return IntentResult(handled=False, reason=CLOSED)
        except InvalidRequest as error:
            instance.note(f"[host] {error.message}")
            return IntentResult(handled=False, reason=f"«{instance.view.title}» svarte ikke som avtalt.")
        except PanelError as error:
            return IntentResult(handled=False, reason=(error.message or error.name)[:500])
        finally:
            self._taken.pop(number, None)
            if later:
                instance.send(Cancel(id=number))

    def done(self, answers: Sequence[IntentAnswer], writes: Sequence[Write], receipt: Receipt | None) -> None:
        """The panel finished some, and its transaction is safe: the askers hear of it, with saved references."""
        for answer in answers:
            future = self._taken.get(answer.id)
            if future is None or future.done():
                continue
            if receipt is not None and receipt.state == "venter":
                self.kept.start(self._when_saved(future, answer, writes, receipt))
            else:
                future.set_result(_result(answer, writes, receipt))

    async def _when_saved(
        self, future: asyncio.Future[IntentResult], answer: IntentAnswer, writes: Sequence[Write], receipt: Receipt
    ) -> None:
        """Wait for the platform: until then the entries have no references to give away."""
        moved: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()

        def heard(newer: Receipt) -> None:
            if newer.id == receipt.id and newer.state != "venter" and not moved.done():
                moved.set_result(newer)

        stop = self._door.on_receipt(heard)
        try:
            newer = await moved
        finally:
            stop()
        if not future.done():
            future.set_result(_result(answer, writes, newer))

    def lost(self, reason: str) -> None:
        """The process is gone: what it owed will not come."""
        for future in self._taken.values():
            if not future.done():
                future.set_result(IntentResult(handled=False, reason=reason[:500] or "Panelet stanset."))

    def end(self) -> None:
        """The panel is closed: nobody waits for anything of it any more."""
        self.lost(CLOSED)
        self.kept.cancel()


def _result(answer: IntentAnswer, writes: Sequence[Write], receipt: Receipt | None) -> IntentResult:
    if receipt is not None and receipt.state in ("konflikt", "avvist"):
        problem: Problem | None = receipt.problem
        return IntentResult(handled=False, reason=str(problem or "Det ble ikke lagret.")[:500])
    saved = {}
    if receipt is not None and len(receipt.references) == len(writes):
        saved = {write.full_url: one for write, one in zip(writes, receipt.references, strict=True) if write.full_url}
    return IntentResult(handled=answer.handled, result=_named(answer.result, saved), reason=answer.reason)


def _named(value: Any, saved: Mapping[str, str]) -> Any:
    """A JSON value with the saved references in place of the transaction's own ``urn:uuid:``."""
    if isinstance(value, str):
        return saved.get(value, value)
    if isinstance(value, list):
        return [_named(one, saved) for one in value]
    if isinstance(value, dict):
        return {name: _named(one, saved) for name, one in value.items()}
    return value

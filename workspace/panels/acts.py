"""What the user did, run to its effects: event, check, commit, and only then the fields (DESIGN §3).

All or nothing: a refusal anywhere leaves fields and platform as they were. Acts of one instance are queued, each is
answered, and one that has begun to commit is brought to its end even if nobody waits any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workspace.broker.door import Door, Form, Receipt, Write
from workspace.clock import Clock
from workspace.panels import effects, wire
from workspace.panels.components import Action
from workspace.panels.face import ActOutcome
from workspace.panels.protocol import (
    EVENT_TIMEOUT,
    MAX_LINE,
    ContextChanged,
    Document,
    Effects,
    Event,
    InvalidParams,
    PanelError,
    State,
    TooLarge,
    WrongPatient,
)
from workspace.panels.tasks import Kept
from workspace.problem import Problem

if TYPE_CHECKING:
    from workspace.panels.instance import Instance
    from workspace.panels.process import PanelProcess

WISH = 5.0
"""Seconds after an action during which a panel may lead the user elsewhere or ask a question: never out of nowhere."""
log = logging.getLogger(__name__)

SENT = "Det som sto her, er sendt fra listen over det som ikke er lagret. Se over skjemaet og lagre det som er igjen."
ENDED = "Pasienten er byttet før panelet ble ferdig. Ingenting ble lagret."


class _Stopped(Exception):
    """The user cancelled the action while the panel worked on it."""


class _TooMuch(Exception):
    """What is typed does not fit a message."""


class Acts:
    """The acts of one instance, one at a time."""

    def __init__(self, instance: Instance, door: Door, clock: Clock) -> None:
        self._instance, self._door, self._clock = instance, door, clock
        self._queue = asyncio.Lock()
        self._last = float("-inf")  # when the user did something here last; monotonic
        self._answering: asyncio.Task[Effects] | None = None  # the panel works on it; nothing is committed yet
        self.kept = Kept()

    async def act(self, action: Action) -> ActOutcome:
        return await self._shielded(self._queued(action))

    @property
    def asked_for(self) -> bool:
        """Whether the user has just done something in this panel, so that what it asks for now is the user's wish."""
        busy = self._queue.locked()
        return busy or self._clock.monotonic() - self._last < WISH

    def cancel(self) -> bool:
        """See `face.PanelInstance`."""
        if self._answering is None or self._answering.done():
            return False
        self._answering.cancel()
        return True

    async def undo(self, receipt: Receipt) -> ActOutcome:
        return await self._shielded(self._undo(receipt))

    async def _shielded(self, work: Coroutine[Any, Any, ActOutcome]) -> ActOutcome:
        outcome: ActOutcome = await asyncio.shield(self.kept.start(work))
        self._last = self._clock.monotonic()
        return outcome

    async def _queued(self, action: Action) -> ActOutcome:
        async with self._queue:
            self._last = self._clock.monotonic()
            process = self._instance.keeper.process
            if self._instance.state == "closed":
                return ActOutcome(False, problem=ENDED)
            if process is None or self._instance.state not in ("running", "silent"):
                return ActOutcome(False, problem=self._instance.problem or "Panelet er ikke klart ennå. Prøv igjen.")
            try:
                return await self._run(action, process)
            except ContextChanged:
                return ActOutcome(False, problem=ENDED if not process.reason else self._died(process))
            except _Stopped:
                return ActOutcome(False, tone="neutral", problem="Avbrutt. Ingenting ble lagret.")
            except TimeoutError:
                return ActOutcome(False, problem="Panelet ble ikke ferdig i tide. Ingenting ble lagret.")
            except _TooMuch:
                text = "Det er skrevet mer i panelet enn det kan ta imot på en gang. Ingenting ble lagret."
                return ActOutcome(False, problem=text)
            except PanelError as error:
                if not process.alive:
                    return ActOutcome(False, problem=self._died(process))
                return ActOutcome(False, problem=error.message or "Panelet kunne ikke gjøre dette.")

    def _died(self, process: PanelProcess) -> str:
        title = self._instance.info.title
        return f"«{title}» stanset ({process.reason}). Ingenting ble lagret; det du har skrevet, er tatt vare på."

    async def _run(self, action: Action, process: PanelProcess) -> ActOutcome:
        instance = self._instance
        instance.flush()
        state = instance.fields.state
        event = Event(instance=instance.id, context=instance.context.token, action=action, state=state)
        if len(wire.encode(event)) > MAX_LINE - wire.ROW_ROOM:
            raise _TooMuch
        result = await self._answer(event, process)
        if instance.state == "closed":
            return ActOutcome(False, problem=ENDED)
        try:
            writes = effects.writes(result, instance.context)
        except (WrongPatient, InvalidParams, TooLarge) as error:
            process.note(f"[host] refused: {error.message}\n")
            log.warning("refused %s to %s", error.name, instance.grant.signature)
            text = f"«{instance.info.title}» ville lagre noe som ikke kan tas imot ({error.message}). Ingenting ble lagret."
            return ActOutcome(False, problem=text)
        if writes and instance.fields.exchanged > state.revision:
            return ActOutcome(False, tone="neutral", problem=SENT)
        asked = min(result.revision, state.revision) if result.revision else state.revision
        receipt, changes = None, instance.fields.changes(result.state, result.clear, asked)
        if writes:
            try:
                receipt = await self._commit(writes, state, changes)
            except Problem as problem:
                return ActOutcome(False, problem=str(problem))
            if receipt.state in ("konflikt", "avvist"):
                text = str(receipt.problem) if receipt.problem else f"Ikke lagret: {receipt.state}."
                return ActOutcome(False, receipt=receipt, problem=text)
        if not self._apply(result, asked) and changes:
            instance.fields.again()  # all of it was typed anew meanwhile: the draft is that
        instance.errands.done(result.answers, writes, receipt)
        instance.errands.after(result.raise_)
        if result.print is not None:
            instance.errands.kept.start(self._print(result.print))
        return ActOutcome(True, result.message, result.tone, receipt)

    async def _commit(self, writes: Sequence[Write], state: State, changes: Mapping[str, Any]) -> Receipt:
        """`changes` leave the draft in the step that makes the commit durable, before the fields do (`Fields.again` when
        they will not). Raises Problem."""
        instance, refused = self._instance, True
        form = Form(instance.view.id, state.values, state.revision, instance.package.state_version, changes)
        try:
            receipt = await self._door.commit(instance.grant, writes, form)
            refused = receipt.state in ("konflikt", "avvist")
        finally:
            if changes and refused:
                instance.fields.again()
        return receipt

    async def _answer(self, event: Event, process: PanelProcess) -> Effects:
        """The panel's effects; it may take longer while it waits for another panel's result. Raises _Stopped when the
        user cancelled."""

        def waits() -> bool:
            return self._instance.errands.waiting > 0

        answering = asyncio.ensure_future(process.peer.request(event, EVENT_TIMEOUT, waits))
        self._answering = answering
        try:
            return await asyncio.shield(answering)
        except asyncio.CancelledError:
            if answering.cancelled():
                raise _Stopped from None
            answering.cancel()
            raise
        finally:
            self._answering = None

    async def _print(self, document: Document) -> None:
        try:
            await self._instance.papers.print(document)
        except PanelError as error:
            self._instance.note(f"[host] not printed: {error.message}")
            self._instance.telling.told("Dokumentet kunne ikke skrives ut.", "warn")

    def _apply(self, result: Effects, asked: int) -> bool:
        """After the commit. What the user typed since the event left stands. Whether any field changed."""
        instance = self._instance
        changes = instance.fields.apply(result.state, result.clear, asked)
        if changes:
            instance.changed(changes)
            instance.flush()
            instance.telling.values(tuple(changes))
        return bool(changes)

    async def _undo(self, receipt: Receipt) -> ActOutcome:
        try:
            undone = await self._door.undo(receipt.id)
        except Problem as problem:
            later = problem.code in ("not-yet", "rested-on")  # it can still be undone
            return ActOutcome(False, receipt=receipt if later else None, problem=str(problem))
        if undone.state in ("konflikt", "avvist"):
            return ActOutcome(False, receipt=undone, problem=str(undone.problem or "Kunne ikke angre."))
        return ActOutcome(True, "Angret", "neutral", undone)

"""A panel in its place: between an instance of the panels' host, its body and the frame it stands in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from shiboken6 import isValid

from workspace.panels.face import ActOutcome, PanelInstance, Paper, TreeChange
from workspace.shell.asking import ask_choice, print_paper
from workspace.shell.frame import PanelFrame
from workspace.shell.kit import when
from workspace.shell.kit.body import PanelBody, Spawn
from workspace.shell.theme import Theme

Raised = Callable[[str, Mapping[str, Any]], None]


class Seat:
    """Implements `face.PanelListener`. `rendered_first` is set at the first tree; `painted_at` at its first paint
    (perf_counter seconds)."""

    def __init__(
        self,
        frame: PanelFrame,
        theme: Theme,
        now: Callable[[], datetime],
        spawn: Spawn,
        raised: Raised,
        whose: str = "",
    ) -> None:
        self.frame = frame
        self.whose = whose  # the patient's or unit's name, for what is printed
        self.front: Callable[[Seat], None] = lambda seat: None
        self.troubled: Callable[[Seat], None] = lambda seat: None  # after each change of state
        self._now = now
        self.body = PanelBody(theme, now, spawn)
        self.instance: PanelInstance | None = None
        self.rendered_first = asyncio.Event()
        self.painted_first = asyncio.Event()
        self.painted_at: float | None = None
        self._spawn, self._raise = spawn, raised
        self._seated = False
        self.body.firstPainted.connect(self._painted)
        self.body.acted.connect(self._acted)

    def attach(self, instance: PanelInstance) -> None:
        self.instance = instance
        self.body.attach(instance)
        if instance.root is not None:
            self.rendered_first.set()

    def sit(self) -> PanelBody | None:
        """Take the frame: its former body is returned, for the caller to end."""
        former = self.frame.set_body(self.body)
        self._seated = True
        if self.instance is not None and self.rendered_first.is_set():
            self.frame.show_body()
            # the frame was not listening when the first tree came
            if self.instance.root is not None:
                self.body._outside(self.instance)
        self.state_changed()
        return former

    def leave(self) -> None:
        """The context is over: no more input, no more drawing."""
        self._seated = False
        self.body.set_frozen(True)

    # --- PanelListener ---

    def rendered(self, change: TreeChange) -> None:
        if not isValid(self.body):
            return
        self.body.rendered(change)
        if not self.rendered_first.is_set():
            self.rendered_first.set()
        if self._seated:
            self.frame.show_body()
            if self.instance is not None and not self.instance.problem:
                self.frame.well()

    def values_changed(self, binds: tuple[str, ...]) -> None:
        if isValid(self.body):
            self.body.values_changed(binds)

    def bound_changed(self, watch: int) -> None:
        if isValid(self.body):
            self.body.bound_changed(watch)

    def state_changed(self) -> None:
        instance = self.instance
        if instance is None or not self._seated or not isValid(self.frame):
            return
        self.frame.set_confinement(instance.info.confinement)
        if instance.state in ("dead", "disabled"):
            self.frame.fail(instance.problem, again=instance.state == "dead")
        elif instance.state == "silent" or (instance.state == "running" and instance.problem):
            if self.rendered_first.is_set():
                self.frame.show_body()
                self.frame.warn(instance.problem)
            else:
                self.frame.fail(instance.problem)
        elif instance.state == "starting" and instance.fault:
            self.frame.explain(f"«{instance.info.title}» fra {instance.info.vendor} starter på nytt …", offer=False)
        elif instance.state == "running" and self.rendered_first.is_set():
            self.frame.well()
            self.frame.show_body()
        self.troubled(self)

    def draft_saved(self, at: str) -> None:
        if self._seated and isValid(self.frame):
            self.frame.tell(f"Kladd lagret {when.clock(at)}", "ok")

    def told(self, text: str, tone: str) -> None:
        if self._seated and isValid(self.frame):
            self.frame.tell(text, tone)

    def raised(self, name: str, context: Mapping[str, Any]) -> None:
        self._raise(name, context)

    def blob_changed(self, handle: str) -> None:
        if isValid(self.body):
            self.body.blob_changed(handle)

    def wanted(self, source: str) -> None:
        self.front(self)
        if isValid(self.body):
            self.body.focus_first()
        self.told(f"{source} ber om dette", "neutral")

    async def choose(self, question: str, choices: Sequence[str]) -> int | None:
        return await ask_choice(self.frame, question, choices) if isValid(self.frame) else None

    async def printing(self, paper: Paper) -> tuple[bool, str]:
        if self.instance is None or not isValid(self.frame):
            return False, "Panelet er lukket."
        info = self.instance.info
        about = (self.whose, f"{info.title} ({info.vendor})", self._now().strftime("%d.%m.%Y kl. %H:%M"))
        return await print_paper(self.frame, paper, about)

    # --- inside ---

    def _painted(self) -> None:
        self.painted_at = time.perf_counter()
        self.painted_first.set()

    def _acted(self, outcome: ActOutcome) -> None:
        if not self._seated or not isValid(self.frame):
            return
        receipt = outcome.receipt
        if not outcome.ok:
            self.frame.tell(outcome.problem, "bad")
        elif receipt is not None and receipt.state == "venter":
            self.frame.tell("Venter på plattformen. Det er trygt tatt vare på her.", "warn")
        elif outcome.message:
            self.frame.tell(
                outcome.message, outcome.tone, receipt if receipt is not None and receipt.undoable else None
            )

    def undo(self, receipt: Any) -> None:
        """The user pressed *Angre*."""
        if self.instance is not None:
            self._spawn(self._undo(self.instance, receipt))

    async def _undo(self, instance: PanelInstance, receipt: Any) -> None:
        outcome = await instance.undo(receipt)
        if self._seated and isValid(self.frame):
            self.frame.tell("Angret" if outcome.ok else outcome.problem, "neutral" if outcome.ok else "bad")

"""A panel in its place: between an instance of the panels' host, its body and the frame it stands in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import QRect
from shiboken6 import isValid

from workspace.panels.face import ActOutcome, PanelInstance, Paper, TreeChange
from workspace.shell.asking import ask_choice, print_paper
from workspace.shell.frame import PanelFrame
from workspace.shell.kit import when
from workspace.shell.kit.body import PanelBody, Spawn
from workspace.shell.kit.env import RowMark, no_mark
from workspace.shell.theme import Theme
from workspace.shell.turns import Turns

Raised = Callable[[str, Mapping[str, Any]], None]


class Seat:
    """Implements `face.PanelListener`. `rendered_first` is set when the first tree is drawn, off screen or on; `painted_at`
    at its first paint (perf_counter seconds).

    The first tree is drawn in a turn of its own (`turns`): many panels that open at once do not hold up the loop."""

    def __init__(
        self,
        frame: PanelFrame,
        theme: Theme,
        now: Callable[[], datetime],
        spawn: Spawn,
        raised: Raised,
        turns: Turns,
        whose: str = "",
    ) -> None:
        self.frame = frame
        self.whose = whose  # the patient's or unit's name, for what is printed
        self.front: Callable[[Seat], None] = lambda seat: None
        self.mark: Callable[[str], RowMark | None] = no_mark
        self.troubled: Callable[[Seat], None] = lambda seat: None  # after each change of state
        self.origin: Callable[[str, QRect], None] = lambda reference, area: None
        self._theme, self._now, self._turns = theme, now, turns
        self.instance: PanelInstance | None = None
        self.rendered_first = asyncio.Event()
        self.painted_first = asyncio.Event()
        self.painted_at: float | None = None
        self._spawn, self._raise = spawn, raised
        self._body: PanelBody | None = None
        self._asked = self._seated = self._held = self._left = False

    @property
    def body(self) -> PanelBody:
        """What is drawn in; made when it is first needed."""
        if self._body is None:
            self._body = body = self.frame.take_by() or PanelBody(self._theme, self._now, self._spawn, self.frame)
            body.resize(self.frame.room())
            if not self._left:
                body.firstPainted.connect(self._painted)
                body.acted.connect(self._acted)
                body.originAsked.connect(self._origin_asked)
            body.env.mark = self._marked
            if self._left:
                body.set_frozen(True)
            elif self.instance is not None:
                body.attach(self.instance)
        return self._body

    def _marked(self, about: str) -> RowMark | None:
        return self.mark(about)

    @property
    def drawn(self) -> bool:
        """Whether there is something to show."""
        return self.rendered_first.is_set()

    def attach(self, instance: PanelInstance) -> None:
        self.instance = instance
        if self._body is not None:
            self._body.attach(instance)
        if instance.root is not None:
            self._ask()

    def sit(self, *, show: bool = True) -> PanelBody | None:
        """Take the frame, and `show` what is drawn; else it stays blank until `show`. The former body is returned, for the
        caller to end."""
        self._seated, self._held = True, self.drawn and not show
        former = self._take() if show and self.drawn else self.frame.set_body(None)
        self.state_changed()
        return former

    def show(self) -> None:
        """What is drawn comes into the frame, where this seat sits."""
        self._held = False
        if self._seated and self.drawn and isValid(self.frame) and isValid(self.body):
            self._take()

    def _take(self) -> PanelBody | None:
        former = None
        if self.frame.body is not self.body:
            former = self.frame.set_body(self.body)
            self.body.show_outside()
        self.frame.show_body()
        return former

    def _come(self) -> None:
        """There is news: it is seen, unless the flip has put that off."""
        if not self._held:
            self.show()

    def freeze(self, frozen: bool) -> None:
        """Drop what is typed and pressed from now on."""
        if self._body is not None and isValid(self._body):
            self._body.set_frozen(frozen)

    def drop(self) -> None:
        """Never to be shown: what was drawn off screen goes."""
        self.leave()
        if self._body is not None and isValid(self._body) and self.frame.body is not self._body:
            self._body.deleteLater()

    def leave(self) -> None:
        """The context is over: no more input, no more drawing."""
        if self._body is not None and not self._left and isValid(self._body):
            self._body.firstPainted.disconnect(self._painted)  # it may serve another
            self._body.acted.disconnect(self._acted)
            self._body.originAsked.disconnect(self._origin_asked)
        self._seated, self._left = False, True
        self.freeze(True)

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            self._turns.ask(self._draw)

    def _draw(self) -> None:
        if self._left or self.instance is None or self.instance.root is None or not isValid(self.frame):
            return
        if self._body is None:
            _ = self.body  # draws what there is
        elif isValid(self._body):
            self._body.rendered(TreeChange(whole=True))
        self.rendered_first.set()
        self._come()

    # --- PanelListener ---

    def rendered(self, change: TreeChange) -> None:
        if not self.drawn:
            self._ask()
        elif isValid(self.body):
            self.body.rendered(change)
            self._come()
            if self._seated and self.instance is not None and not self.instance.problem:
                self.frame.well()

    def values_changed(self, binds: tuple[str, ...]) -> None:
        if self.drawn and isValid(self.body):
            self.body.values_changed(binds)

    def bound_changed(self, watch: int) -> None:
        if self.drawn and isValid(self.body):
            self.body.bound_changed(watch)

    def in_sight(self) -> bool:
        return isValid(self.frame) and not self.frame.visibleRegion().isEmpty()

    def state_changed(self) -> None:
        instance = self.instance
        if instance is None or not self._seated or not isValid(self.frame):
            return
        self.frame.set_confinement(instance.info.confinement)
        if instance.state in ("dead", "disabled"):
            self.frame.fail(instance.problem, again=instance.state == "dead")
        elif instance.state == "silent" or (instance.state == "running" and instance.problem):
            if self.drawn:
                self._come()
                self.frame.warn(instance.problem)
            else:
                self.frame.fail(instance.problem)
        elif instance.state == "starting" and instance.fault:
            self.frame.explain(f"«{instance.info.title}» fra {instance.info.vendor} starter på nytt …", offer=False)
        elif instance.state == "running":
            self.frame.well()
            self._come()
        self.troubled(self)

    def draft_saved(self, at: str) -> None:
        if self._seated and isValid(self.frame):
            self.frame.whisper(f"Kladd lagret {when.clock(at)}")

    def told(self, text: str, tone: str) -> None:
        if self._seated and isValid(self.frame):
            self.frame.tell(text, tone)

    def raised(self, name: str, context: Mapping[str, Any]) -> None:
        self._raise(name, context)

    def blob_changed(self, handle: str) -> None:
        if self.drawn and isValid(self.body):
            self.body.blob_changed(handle)

    def wanted(self, source: str) -> None:
        self.front(self)
        if self.drawn and isValid(self.body):
            self.body.focus_first()
        self.told(f"For {source.partition(' (')[0]}", "neutral")

    async def choose(self, question: str, choices: Sequence[str]) -> int | None:
        if not isValid(self.frame):
            return None
        return await ask_choice(self.body.env.theme, self.frame.window(), question, choices)

    async def printing(self, paper: Paper) -> tuple[bool, str]:
        if self.instance is None or not isValid(self.frame):
            return False, "Panelet er lukket."
        info = self.instance.info
        about = (self.whose, f"{info.title} ({info.vendor})", self._now().strftime("%d.%m.%Y kl. %H:%M"))
        return await print_paper(self.body.env.theme, self.frame.window(), paper, about)

    # --- inside ---

    def _origin_asked(self, reference: str, area: QRect) -> None:
        self.origin(reference, area)

    def _painted(self) -> None:
        self.painted_at = time.perf_counter()
        self.painted_first.set()

    def _acted(self, outcome: ActOutcome) -> None:
        if not self._seated or not isValid(self.frame):
            return
        receipt = outcome.receipt
        if not outcome.ok:
            self.frame.tell(outcome.problem, "neutral" if outcome.tone == "neutral" else "bad")
        elif receipt is not None and receipt.state == "venter":
            kept = "Venter på plattformen. Det er trygt tatt vare på her."
            self.frame.tell(kept, "warn", receipt if receipt.undoable else None)
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
            if outcome.ok:
                self.frame.tell("Angret", "neutral")
            else:
                self.frame.tell(outcome.problem, "bad", outcome.receipt)

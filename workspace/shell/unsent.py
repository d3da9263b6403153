"""What waits for the platform, and what it did not take: each with who, what, why, and the ways on.

Shows items of the outbox as they are told to it; what is sent again, forgotten or opened, the outbox and the workplace do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from workspace.fhir.describe import describe_all
from workspace.problem import Problem
from workspace.shell.card_list import Card, CardList, Made
from workspace.shell.chips import Chip, PlainButton
from workspace.shell.conflict import ConflictPage
from workspace.shell.kit import when
from workspace.shell.theme import Theme
from workspace.shell.window import MainWindow

if TYPE_CHECKING:
    from workspace.shell.kit.body import Spawn
from workspace.shell.kit.env import RowMark

SHOWN = 9
STATES = {
    "venter": ("Venter", "warn", "dot"),
    "konflikt": ("Konflikt", "bad", "diamond"),
    "avvist": ("Ikke lagret", "bad", "up"),
}
EMPTY = "Alt er lagret. Her ser du det som venter når plattformen er borte, og det den ikke tok imot."


@dataclass(frozen=True, slots=True)
class Line:
    """One transaction. `panel` and `who` in words; `lines` what it holds; `why` the reason and what to do."""

    id: str
    state: str
    panel: str
    who: str
    made: str
    lines: Sequence[str]
    why: str = ""
    held: bool = False
    reopens: bool = False


class UnsentSheet(CardList):
    """`compareAsked`, `openAsked`, `retryAsked` and `forgetAsked` carry the item's id; the last one after the user has said
    so twice."""

    compareAsked = Signal(str)
    retryAsked = Signal(str)
    openAsked = Signal(str)
    forgetAsked = Signal(str)
    empty = EMPTY

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window, "Det som ikke er lagret ennå")

    def show_page(self, page: QWidget, words: str) -> None:
        """Something else in the list's place, with the focus on its first control."""
        self.clear()
        self.say(words)
        self.inside.addWidget(page, 1)
        page.show()
        first = next((one for one in page.findChildren(QAbstractButton) if one.isEnabled()), None)
        if first is not None:
            first.setFocus(Qt.FocusReason.OtherFocusReason)

    def card(self, line: Line, buttons: list[PlainButton]) -> QWidget:
        card = Card(self.theme)
        words, tone, shape = STATES.get(line.state, (line.state, "neutral", "none"))
        head = QHBoxLayout()
        head.addWidget(Chip(self.theme, words, tone, shape))
        head.addWidget(self.label(f"{line.panel} · {line.who}" if line.who else line.panel, "medium"), 1)
        box = QVBoxLayout(card)
        pad = self.theme.px(14)
        box.setContentsMargins(pad, self.theme.px(12), pad, self.theme.px(12))
        box.setSpacing(self.theme.gap("xs"))
        box.addLayout(head)
        for text in line.lines[:SHOWN]:
            box.addWidget(self.label(text))
        if len(line.lines) > SHOWN:
            box.addWidget(self.label(f"og {len(line.lines) - SHOWN} til", "caption", "muted"))
        if line.why:
            box.addWidget(self.label(line.why, "body", "bad" if line.state != "venter" else "muted"))
        box.addWidget(self.label(line.made, "caption", "muted"))
        box.addLayout(self._buttons(line, buttons))
        card.setAccessibleName(f"{words}. {line.panel} {line.who}. {'. '.join(line.lines)}. {line.why}")
        return card

    def _buttons(self, line: Line, buttons: list[PlainButton]) -> QHBoxLayout:
        made: list[Made] = []
        own = line.id
        if line.state == "konflikt":
            made.append(("Sammenlign", lambda: self.compareAsked.emit(own), True))
        if line.reopens and line.state != "venter":
            made.append(("Åpne i skjemaet", lambda: self.openAsked.emit(own), True))
        if line.state == "avvist":
            made.append(("Send på nytt", lambda: self.retryAsked.emit(own), False))
        if line.state != "venter" or line.held:
            made.append(("Forkast", lambda: self.ask(own), False))
        return self.buttons(line, made, lambda: self.forgetAsked.emit(own), buttons)


class Unsent:
    """Between what is pending and the sheet: keeps an open sheet true, and does what its buttons ask.

    `title_of` says a package's name, `who_of` a patient's name and room; `open_form` opens an item's view again."""

    def __init__(
        self,
        window: MainWindow,
        pending: Any,
        outbox: Any,
        *,
        spawn: Spawn,
        title_of: Callable[[str], str],
        who_of: Callable[[str], str],
        open_form: Callable[[Any], Awaitable[bool]],
        mark_rows: Callable[[Mapping[str, RowMark]], None] = lambda marks: None,
    ) -> None:
        self._window, self._pending, self._outbox, self._spawn = window, pending, outbox, spawn
        self._title_of, self._who_of, self._open_form = title_of, who_of, open_form
        self._sheet: UnsentSheet | None = None
        self._comparing = ""
        self._mark_rows = mark_rows
        self._end = pending.listen(self._refresh)

    def show(self) -> None:
        self._drop()
        self._sheet = sheet = UnsentSheet(self._window.theme, self._window)
        sheet.forgetAsked.connect(lambda own: self._do(self._pending.discard(own)))
        sheet.retryAsked.connect(lambda own: self._do(self._pending.retry(own)))
        sheet.openAsked.connect(lambda own: self._do(self._open(own)))
        sheet.compareAsked.connect(lambda own: self._do(self._compare(own)))
        sheet.closed.connect(self._drop)
        self._refresh()
        sheet.open()

    def close(self) -> None:
        self._end()
        self._drop()

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        self._spawn(self._done(work))

    async def _done(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except Problem as problem:
            if self._sheet is not None:
                self._sheet.say(str(problem))

    def _drop(self) -> None:
        sheet, self._sheet, self._comparing = self._sheet, None, ""
        if sheet is not None:
            sheet.hide()
            sheet.deleteLater()

    def _refresh(self) -> None:
        marks = self._pending.marks().items()
        self._mark_rows({about: _row_mark(mark.state, mark.reason, mark.made) for about, mark in marks})
        if self._sheet is not None and not self._comparing:
            self._sheet.show_lines([self._line(one) for one in self._pending.all()])

    def _line(self, one: Any) -> Line:
        item = self._outbox.item(one.id)
        why = " ".join(part for part in (one.reason, one.advice) if part)
        if one.state == "venter" and not why:
            why = "Sendes av seg selv når plattformen svarer."
        made = f"skrevet {when.clock(one.made)}" if one.made else ""
        lines = describe_all(item.bundle) if item is not None else []
        title = self._title_of(one.package or _package(item))
        return Line(
            one.id, one.state, title, self._who_of(one.patient), made, lines, why,
            held=one.held, reopens=one.reopens and one.state != "konflikt",
        )  # fmt: skip

    async def _open(self, own: str) -> None:
        where = self._pending.reopen(own)
        if await self._open_form(where):
            self._drop()

    async def _compare(self, own: str, said: str = "") -> None:
        sheet = self._sheet
        shown = next((one for one in await self._pending.conflicts() if one.id == own), None)
        if sheet is None or not isValid(sheet):
            return
        if shown is None:
            sheet.say("Plattformen svarer ikke, så kollegaens utgave kan ikke vises nå. Prøv igjen om litt.")
            return
        self._comparing = own
        page = ConflictPage(sheet, shown)
        page.settled.connect(lambda choices: self._do(self._settle(shown, choices)))
        page.left.connect(self._back)
        about = f"{self._title_of(shown.package)} · {self._who_of(shown.patient)}"
        sheet.show_page(page, f"{about}\n{said}" if said else about)

    async def _settle(self, shown: Any, choices: Mapping[str, Mapping[str, Any]]) -> None:
        try:
            await self._pending.resolve(shown, choices)
        except Problem as problem:
            if problem.code != "conflict-moved":
                raise
            await self._compare(shown.id, str(problem))
        else:
            self._back()

    def _back(self) -> None:
        self._comparing = ""
        self._refresh()


def _row_mark(state: str, reason: str, made: str) -> RowMark:
    words, tone, shape = STATES.get(state, (state, "neutral", "none"))
    if made and not reason:
        reason = f"skrevet {when.clock(made)}"
    return RowMark(words.lower(), tone, shape, reason)


def _package(item: Any) -> str:
    packages = item.asker.packages if item is not None else ()
    return str(packages[0].partition("@")[0]) if packages else ""

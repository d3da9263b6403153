"""«Hvor kommer dette fra?»: who, in which panel, when, and from what, about one value on the screen.

A light sheet beside the work, for the context it was asked in alone: it goes with that. What it shows the broker has
answered; it looks for nothing itself and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from workspace.broker.context import Context
from workspace.problem import Problem
from workspace.record.trace import Person, Step, Trace
from workspace.shell.kit import when, whence
from workspace.shell.kit.access import announce
from workspace.shell.kit.env import RowMark
from workspace.shell.sheet import Sheet
from workspace.shell.status import Notice
from workspace.shell.theme import Theme
from workspace.shell.window import MainWindow
from workspace.shell.workplace import Workplace

OUTSIDE = "Utenfor arbeidsflaten"
UNSAID = "Ikke oppgitt"
ASKING = "Henter …"
STATES = {
    "venter": "Venter på plattformen",
    "lagret": "Lagret",
    "rettet": "Rettet",
    "feilført": "Feilført, trukket tilbake",
}
DONE = {"CREATE": "Opprettet", "UPDATE": "Rettet", "DELETE": "Slettet", "NULLIFY": "Trukket tilbake"}
WIDTH = 420


@dataclass(frozen=True, slots=True)
class Told:
    """A caption, what stands below it in lines, and in small letters what is to be known of that."""

    caption: str
    lines: tuple[str, ...]
    ink: str = "text"
    small: str = ""

    @property
    def spoken(self) -> str:
        return ": ".join(
            part for part in (self.caption, ", ".join((*self.lines, *filter(None, (self.small,))))) if part
        )


def told(trace: Trace, title_of: Callable[[str], str], mark: RowMark | None = None) -> list[Told]:
    """The story in words. `title_of` gives a package's name; `mark` is what is not saved yet about it."""
    steps, origin = trace.steps, trace.origin
    made = next((one for one in reversed(steps) if one.what == "CREATE"), None)
    found = [Told("Hvem", (_people(trace.people) or UNSAID,))]
    found.append(Told("Hvor", (_panel(origin.package, origin.version, title_of, trace.source),)))
    found += [Told("Skjedde", (_moment(trace.at),))] if trace.at else []
    if trace.state == "venter":
        found.append(Told("Skrevet", (_moment(origin.recorded) or UNSAID,)))
    elif trace.version in ("", "1"):
        found.append(Told("Registrert", (_moment(origin.recorded) or UNSAID,)))
    else:
        found += [Told("Registrert", (_moment(made.recorded),))] if made is not None else []
        found.append(Told("Sist endret", (_moment(origin.recorded) or UNSAID,)))
    found.append(_state(trace, mark))
    found += _sources(trace, title_of)
    if len(steps) > 1 or (steps and steps[0].reason):
        found.append(Told("Hva som er gjort", tuple(_step(one, title_of) for one in steps)))
    if not trace.whole:
        found.append(Told("", ("Plattformen svarer ikke nå: det kan finnes mer å vise.",), "warn"))
    return found


def _people(people: tuple[Person, ...]) -> str:
    return ", ".join(one.name or one.reference.rpartition("/")[2] for one in people)


def _panel(package: str, version: str, title_of: Callable[[str], str], source: str = "") -> str:
    if package:
        return f"{title_of(package)} {version}".strip()
    return f"{OUTSIDE} ({source})" if source else OUTSIDE


def _moment(text: str) -> str:
    return " kl. ".join(part for part in (when.day(text), when.clock(text)) if part) if text else ""


def _state(trace: Trace, mark: RowMark | None) -> Told:
    words = STATES[trace.state] + (f" · versjon {trace.version}" if trace.version else "")
    ink = {"venter": "warn", "feilført": "bad"}.get(trace.state, "text")
    if mark is None or trace.state == "venter":
        return Told("Tilstand", (words,), ink)
    late = f"En endring herfra: {mark.words}" + (f" ({mark.reason})" if mark.reason else "")
    return Told("Tilstand", (words, late), mark.tone)


def _sources(trace: Trace, title_of: Callable[[str], str]) -> list[Told]:
    """What it was reused from, those of one set together."""
    sets: dict[str, list[str]] = {}
    for one in trace.sources:
        origin = one.origin
        panel = _panel(origin.package, origin.version, title_of)
        told_of = " · ".join(part for part in (origin.name, panel, _moment(origin.at)) if part)
        sets.setdefault(told_of, []).append(one.words)
    found = [Told("", tuple(words), small=small) for small, words in sets.items()]
    if trace.unseen:
        many = "opplysning" if trace.unseen == 1 else "opplysninger"
        found.append(Told("", (f"{trace.unseen} {many} som ikke kan vises her",), "muted"))
    return [replace(found[0], caption="Gjenbrukt fra"), *found[1:]] if found else []


def _step(one: Step, title_of: Callable[[str], str]) -> str:
    done, who = DONE.get(one.what, one.what or "Skrevet"), _people(one.people)
    panel = f"i {_panel(one.package, one.version, title_of)}" if one.package else ""
    words = " ".join(part for part in (done, f"av {who}" if who else "", panel) if part)
    return " · ".join(part for part in (_moment(one.recorded), words, one.reason) if part)


class OriginSheet(Sheet):
    """Below the banner, and beside the value it tells of where there is room: whose it is stays in sight, and what it is.
    `free` is the part of the window that it may stand in."""

    def __init__(self, theme: Theme, window: QWidget, area: QRect, free: Callable[[], QRect]) -> None:
        super().__init__(theme, window, whence.WORDS)
        self._free = free
        there = window.mapFromGlobal(area.center()).x()
        self._left = there > window.width() - theme.px(WIDTH) and free().width() > 2 * theme.px(WIDTH)

    def show_trace(self, trace: Trace, lines: list[Told]) -> None:
        self.clear()
        self.say("")
        self.inside.addWidget(self.label(trace.words, "strong"))
        for one in lines:
            self.inside.addWidget(self._pair(one))
        self.inside.addStretch(1)
        said = ". ".join((trace.words, *(one.spoken for one in lines)))
        self.setAccessibleDescription(said)
        self.shut.setAccessibleDescription(said)
        announce(self.shut, said)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """The arrow keys go through what has no room; there is nothing else here to go to."""
        bar = self._area.verticalScrollBar()
        step = {
            Qt.Key.Key_Down: bar.singleStep(),
            Qt.Key.Key_Up: -bar.singleStep(),
            Qt.Key.Key_PageDown: bar.pageStep(),
            Qt.Key.Key_PageUp: -bar.pageStep(),
        }.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            bar.setValue(bar.value() + step)

    def _pair(self, one: Told) -> QWidget:
        lines = [self.label(one.caption, "caption", "muted")] if one.caption else []
        lines += [self.label(line, "body", one.ink) for line in one.lines]
        lines += [self.label(one.small, "caption", "muted")] if one.small else []
        return self.column(lines)

    def _place(self) -> None:
        free = self._free()
        width = min(self.theme.px(WIDTH), free.width())
        self.setGeometry(free.left() if self._left else free.right() + 1 - width, free.top(), width, free.height())


class Origins:
    """One sheet at a time. `title_of` gives a package's name."""

    def __init__(
        self,
        window: MainWindow,
        broker: Any,
        work: Workplace,
        *,
        spawn: Callable[[Any], Any],
        title_of: Callable[[str], str],
    ) -> None:
        self._window, self._broker, self._work = window, broker, work
        self._spawn, self._title_of = spawn, title_of
        self._sheet: OriginSheet | None = None
        self._context: Context | None = None
        work.originAsked.connect(self.ask)
        work.contextLeft.connect(self._left)
        window.originAsked.connect(self.ask_focused)

    def close(self) -> None:
        """No more is asked. Idempotent."""
        self._window.originAsked.disconnect(self.ask_focused)
        self._drop()

    def ask_focused(self, focus: QWidget | None = None) -> None:
        """Where what has the focus comes from (`focus`: what had it until now)."""
        line, asked = self._window.status, whence.asked_by(focus or self._window.focusWidget())
        line.notice("origin", None)
        if asked is not None:
            whence.ask_here(asked)
        else:
            line.notice("origin", Notice(whence.NOTHING, "neutral", "Lukk", lambda: line.notice("origin", None)))

    def ask(self, context: Context, reference: str, area: QRect) -> None:
        """Show where ``Type/id`` comes from, which stands at `area` of the screen in `context`."""
        focus = self._window.focusWidget()
        self._drop()
        if focus is not None and isValid(focus) and focus.isVisible():
            focus.setFocus(Qt.FocusReason.OtherFocusReason)  # it comes back to where this was asked
        self._sheet = sheet = OriginSheet(self._window.theme, self._window, area, self._work.below_banner)
        self._context = context
        sheet.closed.connect(lambda: self._closed(sheet))
        sheet.say(ASKING)
        sheet.open()
        self._spawn(self._answer(sheet, context, reference))

    async def _answer(self, sheet: OriginSheet, context: Context, reference: str) -> None:
        try:
            trace: Trace = await self._broker.origin(context, reference)
        except Problem as problem:
            if self._sheet is sheet:
                sheet.say(str(problem))
            return
        if self._sheet is sheet:  # else it was closed, or its patient has gone from the screen
            sheet.show_trace(trace, told(trace, self._title_of, self._work.mark(reference)))

    def _left(self, context: Context) -> None:
        if self._context == context:
            self._drop()

    def _closed(self, sheet: OriginSheet) -> None:
        if self._sheet is sheet:
            self._drop()

    def _drop(self) -> None:
        sheet, self._sheet, self._context = self._sheet, None, None
        if sheet is not None and isValid(sheet):
            sheet.close_()
            sheet.deleteLater()

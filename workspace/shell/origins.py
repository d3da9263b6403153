"""«Hvor kommer dette fra?»: who, in which panel, when, and from what, about one value on the screen.

A light sheet beside the work, for the context it was asked in alone: it goes with that. What it shows the broker has
answered; it looks for nothing itself and changes nothing. While it stands it follows: when the broker says that the story
may be another, it is asked anew, and what has become other is said without moving anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget
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
ELSEWHERE = "Dette står nå i en annen journal: den ble slått sammen med denne. Åpne den for å se hva som gjelder."
NEWS = "Nytt om dette"
STATES = {
    "venter": "Venter på plattformen",
    "lagret": "Lagret",
    "rettet": "Rettet",
    "feilført": "Feilført, trukket tilbake",
}
DONE = {"CREATE": "Opprettet", "UPDATE": "Rettet", "DELETE": "Slettet", "NULLIFY": "Trukket tilbake"}
AWAY = frozenset({"unavailable", "too-many"})
"""Codes of an answer that says nothing of what was asked about."""
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
    if trace.state == "venter" and mark is not None and mark.tone == "bad":
        why = (mark.reason,) if mark.reason else ()
        return Told("Tilstand", (mark.words[:1].upper() + mark.words[1:], *why), mark.tone)
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
        self._shown: list[Told] = []

    def show_trace(self, words: str, lines: list[Told]) -> None:
        """What it is in `words`, and its story. Once more, it takes the place of what stood there: only what is other is
        said, and neither the focus nor the scroll is moved."""
        before, self._shown = self._shown, [Told("", (words,)), *lines]
        if self._shown == before:
            return
        bar = self._area.verticalScrollBar()
        here = bar.value()
        self.clear()
        self.say("")
        self._add(self.label(words, "strong"))
        for one in lines:
            self._add(self._pair(one))
        self.inside.addStretch(1)
        if before:
            self._settle()
            bar.setValue(here)
        said = ". ".join(one.spoken for one in self._shown)
        self.setAccessibleDescription(said)
        self.shut.setAccessibleDescription(said)
        fresh = [one.spoken for one in self._shown if one not in before]
        announce(self.shut, ". ".join([NEWS, *fresh]) if before else said)

    def show_no(self, words: str) -> None:
        """Why there is nothing to show; what stood there is gone."""
        self._shown = []
        self.clear()
        self.say(words)
        for one in (self, self.shut):
            one.setAccessibleDescription(words)
        announce(self.shut, words)

    def _add(self, line: QWidget) -> None:
        self.inside.addWidget(line)
        line.show()

    def _settle(self) -> None:
        """All of it has its place in this turn: the scroll has as far to go as before."""
        content = self._area.widget()
        self.inside.activate()
        QApplication.sendPostedEvents(content, QEvent.Type.LayoutRequest)
        QApplication.sendPostedEvents(self._area, QEvent.Type.LayoutRequest)

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
        self._followed: Any = None
        self._trace: Trace | None = None
        self._asking = self._again = False
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
        self._sheet = sheet = OriginSheet(self._window.theme, self._window, area, self._work.pages.below_banner)
        self._context = context
        sheet.closed.connect(lambda: self._closed(sheet))
        self._work.pages.watch_banner(sheet)
        sheet.say(ASKING)
        sheet.open()
        try:
            self._followed = self._broker.follow_origin(
                context, reference, lambda: self._news(sheet, context, reference)
            )
        except Problem as problem:
            sheet.show_no(str(problem))
            return
        self._news(sheet, context, reference)

    def _news(self, sheet: OriginSheet, context: Context, reference: str) -> None:
        """Ask anew, once however much has happened; once more when more comes while that is under way."""
        if self._sheet is not sheet:
            return
        self._again = True
        if not self._asking:
            self._asking = True
            self._spawn(self._answer(sheet, context, reference))

    async def _answer(self, sheet: OriginSheet, context: Context, reference: str) -> None:
        while self._again and self._sheet is sheet:
            self._again = False
            try:
                trace: Trace = await self._broker.origin(context, reference)
            except Problem as problem:
                if self._sheet is sheet:
                    self._not_told(sheet, reference, problem)
                continue
            if self._sheet is sheet:  # else it was closed, or its patient has gone from the screen
                self._trace = trace
                self._followed.heard(trace)
                self._tell(sheet, trace, reference)
        if self._sheet is sheet:
            self._asking = False

    def _tell(self, sheet: OriginSheet, trace: Trace, reference: str, more: Sequence[Told] = ()) -> None:
        mark = self._work.mark(trace.reference) or self._work.mark(reference)
        sheet.show_trace(trace.words, [*told(trace, self._title_of, mark), *more])

    def _not_told(self, sheet: OriginSheet, reference: str, problem: Problem) -> None:
        """It cannot be had now. What was told before stands while it is only the platform that does not answer, when the
        platform did not take it (it says so), and when it has gone to another record with its patient."""
        trace, mark = self._trace, self._work.mark(reference)
        if trace is None:
            sheet.show_no(str(problem))
        elif problem.code in AWAY:
            self._tell(sheet, replace(trace, whole=False), reference)
        elif problem.code == "not-found" and trace.state == "venter" and mark is not None:
            self._tell(sheet, trace, reference)
        elif problem.code == "wrong-patient":
            self._tell(sheet, trace, reference, [Told("", (ELSEWHERE,), "warn")])
        else:
            sheet.show_no(str(problem))

    def _left(self, context: Context) -> None:
        if self._context == context:
            self._drop()

    def _closed(self, sheet: OriginSheet) -> None:
        if self._sheet is sheet:
            self._drop()

    def _drop(self) -> None:
        sheet, self._sheet, self._context = self._sheet, None, None
        followed, self._followed, self._trace = self._followed, None, None
        self._asking = self._again = False
        if followed is not None:
            followed.close()
        if sheet is not None and isValid(sheet):
            sheet.close_()
            sheet.deleteLater()

"""«Kladder»: what the user has begun and not saved, and what of it needs her: what runs out, what an earlier version of a
form left, and what lost to a newer text elsewhere.

Shows what the broker lists and does what its buttons ask. A text that no form can take is shown to be read and copied.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workspace.problem import Problem
from workspace.shell.card_list import Card, CardList, Made
from workspace.shell.chips import Chip, PlainButton
from workspace.shell.kit import when
from workspace.shell.status import Notice
from workspace.shell.theme import Theme
from workspace.shell.window import MainWindow

if TYPE_CHECKING:
    from workspace.shell.kit.body import Spawn

FIRST_LINES = 3
REDRAW_MS = 200
EMPTY = "Ingen kladder. Det du skriver og ikke har lagret ennå, står her til du lagrer eller forkaster det."
COPIED = "Teksten er kopiert. Lim den inn der den hører hjemme, og forkast den så her."
KINDS = {
    "draft": ("Kladd", "neutral", "none", ""),
    "ends": ("Utløper snart", "warn", "dot", "Åpne og lagre den, eller skriv videre: da står den i 14 dager til."),
    "expired": (
        "Utløpt",
        "bad",
        "up",
        "Plattformen har slettet den. Den står bare på denne maskinen, til du har sett på den.",
    ),
    "older": (
        "Eldre skjema",
        "warn",
        "diamond",
        "Skjemaet er oppdatert etter at dette ble skrevet. Kopier det du trenger.",
    ),
    "newer": (
        "Nyere skjema",
        "neutral",
        "none",
        "Skrevet i en nyere utgave av skjemaet enn den som er på denne maskinen.",
    ),
    "formless": (
        "Uten skjema",
        "warn",
        "diamond",
        "Skjemaet dette ble skrevet i, finnes ikke her. Kopier det du trenger.",
    ),
    "beside": (
        "Ved siden av",
        "warn",
        "diamond",
        "Det sto noe annet i skjemaet da to beboere ble slått sammen til én.",
    ),
    "lost": (
        "Eldre tekst",
        "warn",
        "diamond",
        "En nyere tekst i samme skjema tok plassen dens. Kopier det du trenger.",
    ),
}
"""By kind: the chip's words, tone and shape, and what to do about it."""
ONE = {
    "ends": "En kladd utløper snart.",
    "expired": "En kladd er utløpt.",
    "older": "Du har tekst fra en eldre utgave av et skjema.",
    "formless": "Du har tekst fra et skjema som ikke finnes her.",
    "beside": "En kladd ble stående ved siden av skjemaet sitt.",
    "lost": "En tekst du skrev, måtte vike for en nyere.",
}
LATER = "{} har tekst fra en eldre utgave av skjemaet."


@dataclass(frozen=True, slots=True)
class Line:
    """One draft. `lines` are its fields in words, all of them; `panel`, `who` and `made` in words."""

    id: str
    kind: str
    panel: str
    who: str
    made: str
    lines: Sequence[str]

    @property
    def opens(self) -> bool:
        return self.kind in ("draft", "ends", "expired")


class DraftsSheet(CardList):
    """`openAsked`, `copyAsked` and `discardAsked` carry the draft's id; the last one after the user has said so twice."""

    openAsked = Signal(str)
    copyAsked = Signal(str)
    discardAsked = Signal(str)
    empty = EMPTY

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window, "Kladder")

    def card(self, line: Line, buttons: list[PlainButton]) -> QWidget:
        card = Card(self.theme)
        words, tone, shape, advice = KINDS[line.kind]
        head = QHBoxLayout()
        head.addWidget(Chip(self.theme, words, tone, shape))
        head.addWidget(self.label(f"{line.panel} · {line.who}" if line.who else line.panel, "medium"), 1)
        box = QVBoxLayout(card)
        pad = self.theme.px(14)
        box.setContentsMargins(pad, self.theme.px(12), pad, self.theme.px(12))
        box.setSpacing(self.theme.gap("xs"))
        box.addLayout(head)
        shown = line.lines[:FIRST_LINES] if line.opens else line.lines
        for text in shown:
            label = self.label(_short(text) if line.opens else text)
            if not line.opens:  # to be read and taken from, by mouse and by keyboard
                label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            box.addWidget(label)
        if len(line.lines) > len(shown):
            box.addWidget(self.label(f"og {len(line.lines) - len(shown)} til", "caption", "muted"))
        if advice:
            box.addWidget(self.label(advice, "body", "bad" if tone == "bad" else "muted"))
        box.addWidget(self.label(line.made, "caption", "muted"))
        box.addLayout(self._buttons(line, buttons))
        card.setAccessibleName(f"{words}. {line.panel} {line.who}. {'. '.join(shown)}. {advice}")
        return card

    def _buttons(self, line: Line, buttons: list[PlainButton]) -> QHBoxLayout:
        own = line.id
        first: Made = ("Kopier tekst", lambda: self.copyAsked.emit(own), True)
        if line.opens:
            first = ("Åpne", lambda: self.openAsked.emit(own), True)
        made = [first, ("Forkast", lambda: self.ask(own), False)]
        return self.buttons(line, made, lambda: self.discardAsked.emit(own), buttons)


class DraftList:
    """Between what the broker keeps and the sheet: keeps an open sheet and the status line true, and does what is asked.

    `title_of` says a form's name by package and view, `who_of` whom it is about; `version_of` the state version of a form
    that is here now, None when it is not; `labels_of` its fields' names by bind, as far as they are known; `open_form` opens
    a draft's form, with its values when they are given."""

    def __init__(
        self,
        window: MainWindow,
        kept: Any,
        *,
        spawn: Spawn,
        title_of: Callable[[str, str], str],
        who_of: Callable[[str], str],
        version_of: Callable[[str, str], int | None],
        labels_of: Callable[[str, str], Mapping[str, str]],
        open_form: Callable[[Any, Mapping[str, Any]], Awaitable[bool]],
    ) -> None:
        self._window, self._kept, self._spawn = window, kept, spawn
        self._title_of, self._who_of, self._version_of = title_of, who_of, version_of
        self._labels_of, self._open_form = labels_of, open_form
        self._sheet: DraftsSheet | None = None
        self._drawn: list[Line] = []
        self._opened: list[str] = []
        self._soon = QTimer(window)  # typing is news several times a second
        self._soon.setSingleShot(True)
        self._soon.setInterval(REDRAW_MS)
        self._soon.timeout.connect(self.refresh)
        self._end = kept.listen(self._changed)
        self.refresh()

    def show(self) -> None:
        self._drop()
        self._sheet = sheet = DraftsSheet(self._window.theme, self._window)
        sheet.openAsked.connect(lambda own: self._spawn(self._open(own)))
        sheet.copyAsked.connect(self._copy)
        sheet.discardAsked.connect(self._discard)
        sheet.closed.connect(self._drop)
        self._drawn = self._all()
        sheet.show_lines(self._drawn)
        self.refresh()
        sheet.open()

    def close(self) -> None:
        self._end()
        self._soon.stop()
        self._drop()
        self._window.status.notice("drafts", None)

    def opened(self, forms: Sequence[tuple[tuple[str, str, str, int], Callable[[str, str], None]]]) -> None:
        """Forms (about, package, view, state version; and what tells a sentence in their frame) that are open now: what an
        earlier version left is offered."""
        self._opened = []
        for (about, package, view, version), tell in forms:
            if self._kept.older(about, package, view, version) is not None:
                self._opened.append(self._title_of(package, view))
                tell("Eldre tekst finnes: se Kladder", "warn")
        self.refresh()

    def refresh(self) -> None:
        """The status line, and an open sheet; also when time has passed."""
        lines = self._all()
        needing = [line for line in lines if line.kind in ONE]
        self._window.status.notice("drafts", self._notice(needing))
        if self._sheet is not None and lines != self._drawn:
            self._drawn = lines
            self._sheet.show_lines(lines)

    # --- inside ---

    def _notice(self, needing: Sequence[Line]) -> Notice | None:
        if not needing:
            return None
        words = ONE[needing[0].kind] if len(needing) == 1 else f"{len(needing)} kladder bør ses på."
        older = {line.panel for line in needing if line.kind == "older"}
        title = next((title for title in self._opened if title in older), "")
        return Notice(LATER.format(f"«{title}»") if title else words, "neutral", "Se kladder", self.show)

    def _changed(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    def _all(self) -> list[Line]:
        return [self._line(one) for one in self._kept.all()]

    def _line(self, one: Any) -> Line:
        key = one.key
        made = f"skrevet {when.day(one.saved)} {when.clock(one.saved)}" if one.saved else ""
        if one.elsewhere:
            made += " på en annen maskin"
        if one.ends_soon and not one.expired:
            made += f" · utløper {when.day(one.expires)} {when.clock(one.expires)}"
        lines = in_words(one.values, self._labels_of(key.package, key.view))
        return Line(
            one.id, self._kind(one), self._title_of(key.package, key.view), self._who_of(key.patient), made, lines
        )

    def _kind(self, one: Any) -> str:
        version = self._version_of(one.key.package, one.key.view)
        if one.lost:
            return "lost"
        if version is None:
            return "formless"
        if version != one.key.state_version:
            return "older" if one.key.state_version < version else "newer"
        if one.key.draft:
            return "beside"
        return "expired" if one.expired else "ends" if one.ends_soon else "draft"

    def _find(self, own: str) -> Any:
        return next((one for one in self._kept.all() if one.id == own), None)

    async def _open(self, own: str) -> None:
        one = self._find(own)
        try:
            # A draft stands in its form by itself; one that has run out is put there again.
            if one is not None and await self._open_form(one, one.values if one.expired else {}):
                self._drop()
            elif self._sheet is not None:
                self._sheet.say("Skjemaet kan ikke åpnes her nå. Teksten står her fortsatt.")
        except Problem as problem:
            if self._sheet is not None:
                self._sheet.say(str(problem))

    def _copy(self, own: str) -> None:
        line = next((line for line in self._drawn if line.id == own), None)
        if line is not None and self._sheet is not None:
            QGuiApplication.clipboard().setText("\n".join(line.lines))
            self._sheet.say(COPIED)

    def _discard(self, own: str) -> None:
        one = self._find(own)
        if one is not None:
            self._kept.discard(one)
        self.refresh()

    def _drop(self) -> None:
        sheet, self._sheet = self._sheet, None
        if sheet is not None:
            sheet.close_()
            sheet.deleteLater()


def in_words(values: Mapping[str, Any], labels: Mapping[str, str]) -> list[str]:
    """A draft's fields, a line each: by their label where it is known, else by the name the panel gave them."""
    return [f"{labels.get(bind) or bind}: {said}" for bind, value in values.items() if (said := _said(value))]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "ja" if value else "nei"
    if isinstance(value, (int, float)):
        return str(value).replace(".", ",")
    if isinstance(value, Mapping):
        return " ".join(filter(None, map(_said, value.values())))
    if isinstance(value, (list, tuple)):
        return ", ".join(filter(None, map(_said, value)))
    return "" if value is None else str(value)


def _short(text: str) -> str:
    first = " ".join(text.split())
    return first if len(first) <= 160 else f"{first[:159].rstrip()}…"

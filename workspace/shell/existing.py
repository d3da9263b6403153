"""«Finnes allerede»: a value that is about to be saved stands there from before. The user says what it is (law 6).

A new measurement is never held back: it is one press away. Shows what the broker found and collects the answers; looks for
nothing and writes nothing itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from workspace.broker.duplicates import Answer, Duplicate
from workspace.shell.chips import PlainButton
from workspace.shell.kit import when
from workspace.shell.sheet import Sheet
from workspace.shell.sides import Side
from workspace.shell.theme import Theme

CHOICES = (("new", "Ny"), ("use", "Bruk den"), ("replace", "Erstatt"))
SPOKEN = {
    "new": "Ny måling, begge lagres",
    "use": "Bruk den som finnes, lagre ikke på nytt",
    "replace": "Erstatt, den som finnes merkes som feilført",
}


class Segment(Side):
    """One of a value's three answers, side by side."""

    def __init__(self, theme: Theme, text: str, choice: str) -> None:
        super().__init__(theme, text, choice, 6)
        self.setToolTip(SPOKEN[choice])
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(self.theme.metrics("pill").horizontalAdvance(self.text()) + self.theme.px(26), self.theme.px(32))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint_frame(painter)
        painter.setFont(self.theme.font("pill"))
        painter.setPen(self.theme.color("accent" if self.isChecked() else "text"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())


class ExistingPage(QWidget):
    """`answered` carries the answers by `Duplicate.write`, or None when the user goes back to the form."""

    answered = Signal(object)

    def __init__(self, sheet: Sheet, found: Sequence[Duplicate], title_of: Callable[[str], str]) -> None:
        super().__init__()
        self._sheet, self._found, self._title_of = sheet, found, title_of
        self._groups: dict[int, QButtonGroup] = {}
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(sheet.theme.gap("m"))
        self._box.addLayout(self._for_all())
        for one in found:
            self._box.addLayout(self._value(one))
        self._end()

    def answers(self) -> dict[int, Answer]:
        reason = self._reason.text().strip()
        found = {}
        for place, group in self._groups.items():
            side = group.checkedButton()
            choice = side.choice if isinstance(side, Segment) else "new"
            found[place] = Answer(choice, reason if choice == "replace" else "")  # type: ignore[arg-type]
        return found

    def _for_all(self) -> QHBoxLayout:
        row = QHBoxLayout()
        if len(self._found) > 1:
            for choice, _text in CHOICES[:2]:
                button = PlainButton(self._sheet.theme, "Alle er nye" if choice == "new" else "Bruk alle som finnes")
                button.setAccessibleName(f"Alle: {SPOKEN[choice]}")
                button.clicked.connect(lambda _on=False, which=choice: self._choose_all(which))
                row.addWidget(button)
            row.addStretch(1)
        return row

    def _choose_all(self, choice: str) -> None:
        for group in self._groups.values():
            for side in group.buttons():
                if isinstance(side, Segment) and side.choice == choice:
                    side.setChecked(True)
        self._moved()

    def _value(self, one: Duplicate) -> QHBoxLayout:
        theme = self._sheet.theme
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._sheet.label(one.new, "medium"))
        there = "Står fra før" if one.same else f"Står fra før: {one.existing}"
        there += ", venter på plattformen" if one.waits else ""
        words.addWidget(self._sheet.label(f"{there} · {self._source(one)}", "caption", "muted"))
        row = QHBoxLayout()
        row.setSpacing(theme.px(2))
        row.addLayout(words, 1)
        group = self._groups[one.write] = QButtonGroup(self)
        offered = CHOICES[: 2 if one.usable else 1] if one.waits or not one.usable else CHOICES
        for choice, text in offered:
            side = Segment(theme, text, choice)
            side.setAccessibleName(f"{one.new}: {SPOKEN[choice]}")
            side.setChecked(choice == ("use" if one.same else "new"))
            group.addButton(side)
            row.addWidget(side, 0, Qt.AlignmentFlag.AlignTop)
        group.buttonClicked.connect(self._moved)
        return row

    def _end(self) -> None:
        theme = self._sheet.theme
        self._reason = QLineEdit()
        self._reason.setPlaceholderText("Hvorfor erstattes den gamle?")
        self._reason.setAccessibleName("Hvorfor erstattes den gamle verdien?")
        self._reason.setFont(theme.font("body"))
        self._reason.setMinimumHeight(theme.control)
        self._reason.textChanged.connect(self._moved)
        self._box.addWidget(self._reason)
        self._save = PlainButton(theme, "Lagre", primary=True)
        self._save.clicked.connect(lambda: self.answered.emit(self.answers()))
        self._reason.returnPressed.connect(self._save.click)
        back = PlainButton(theme, "Tilbake til skjemaet")
        back.clicked.connect(lambda: self.answered.emit(None))
        row = QHBoxLayout()
        row.addWidget(self._save)
        row.addWidget(back)
        row.addStretch(1)
        self._box.addLayout(row)
        self._hint = self._sheet.label("", "caption", "muted")
        self._box.addWidget(self._hint)
        self._box.addStretch(1)
        self._moved()

    def _moved(self, _what: object = None) -> None:
        chosen = [answer.choice for answer in self.answers().values()]
        replacing = "replace" in chosen
        self._reason.setVisible(replacing)
        self._save.setEnabled(not replacing or bool(self._reason.text().strip()))
        saved, used = sum(one != "use" for one in chosen), chosen.count("use")
        words = f"{saved} lagres, {used} gjenbrukes." if used else f"{saved} lagres."
        self._hint.setText(f"{words} Skriv hvorfor den gamle erstattes." if replacing else words)

    def _source(self, one: Duplicate) -> str:
        """«Vitale målinger, Eli Havn 14:20 · 12 min fra hverandre»."""
        origin = one.origin
        panel = self._title_of(origin.package) if origin.package else ""
        who = ", ".join(part for part in (panel, origin.name) if part)
        apart = "samtidig" if not one.minutes else f"{one.minutes} min fra hverandre"
        return " · ".join(part for part in (f"{who} {when.clock(origin.at)}".strip(), apart) if part)

    def first(self) -> QWidget:
        """Where the focus goes: one press saves what stands."""
        return self._save


async def ask_existing(
    theme: Theme, window: QWidget, found: Sequence[Duplicate], title_of: Callable[[str], str]
) -> Mapping[int, Answer] | None:
    """The user's answers; None when the sheet was left. Nothing is lost: the form stands as it was."""
    count = "Verdien er" if len(found) == 1 else f"{len(found)} av verdiene er"
    sheet = Sheet(theme, window, "Finnes allerede", f"{count} registrert fra før. Er dette noe nytt?")
    page = ExistingPage(sheet, found, title_of)
    answer: asyncio.Future[Mapping[int, Answer] | None] = asyncio.get_running_loop().create_future()

    def settle(what: object) -> None:
        if not answer.done():
            answer.set_result(what)  # type: ignore[arg-type]

    page.answered.connect(settle)
    sheet.closed.connect(lambda: settle(None))
    sheet.inside.addWidget(page, 1)
    sheet.open()
    page.first().setFocus(Qt.FocusReason.OtherFocusReason)
    try:
        return await answer
    finally:
        sheet.close_()
        sheet.deleteLater()

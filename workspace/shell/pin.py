"""Choosing, changing and taking away the PIN that opens one's own work when the platform does not answer.

Asks and says what became of it. Keeps no PIN and judges none: the vaults do.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRegularExpression, Qt
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from workspace.problem import Problem
from workspace.shell.chips import PlainButton
from workspace.shell.kit.fields import Box, LineEdit
from workspace.shell.loop import Tasks
from workspace.shell.sheet import Sheet
from workspace.shell.status import Notice
from workspace.shell.theme import Theme
from workspace.shell.window import MainWindow
from workspace.vault.pin import LONGEST

CHOOSE, CHANGE = "Velg PIN for å arbeide uten nett", "Bytt eller fjern PIN for å arbeide uten nett"
WHAT = (
    "Når plattformen ikke svarer, åpner PIN-en arbeidet ditt på denne maskinen. Da kan du lese avdelingen slik den sist ble"
    " kopiert hit, og skrive. Det du skriver, sendes når du har logget inn igjen."
)
RULES = "Minst seks siffer. Etter fem feil forsøk på rad slettes den, og du må logge inn for å velge en ny."
SPENT = "PIN-en din ble fjernet etter fem feil forsøk på denne maskinen."


class PinField(QWidget):
    """A label and a box where digits are typed unseen."""

    def __init__(self, theme: Theme, label: str) -> None:
        super().__init__()
        self._label = QLabel(label)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self.editor = LineEdit(theme)
        self.editor.setEchoMode(QLineEdit.EchoMode.Password)
        self.editor.setInputMethodHints(Qt.InputMethodHint.ImhDigitsOnly | Qt.InputMethodHint.ImhSensitiveData)
        digits = QRegularExpression(f"[0-9]{{0,{LONGEST}}}")
        self.editor.setValidator(QRegularExpressionValidator(digits, self.editor))
        self.editor.setAccessibleName(label)
        self._box = Box(theme, self.editor)
        self.setFocusProxy(self.editor)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._label)
        column.addWidget(self._box)
        self.set_theme(theme)

    def take(self) -> str:
        """What is typed; the field is empty afterwards."""
        typed = self.editor.text()
        self.editor.clear()
        return typed

    def set_wrong(self, why: str) -> None:
        self._box.set_wrong(bool(why))
        self.editor.setAccessibleDescription(why)

    def set_theme(self, theme: Theme) -> None:
        self._label.setFont(theme.font("label"))
        colours = self._label.palette()
        colours.setColor(self._label.foregroundRole(), theme.color("text"))
        self._label.setPalette(colours)
        self.editor.dress(theme)
        self._box.set_theme(theme)
        self._box.setFixedWidth(theme.px(190))


class Pins:
    """One for each shift. `vaults` are the workstation's, `vault` of who is signed in. ``await look()`` says when a PIN was
    tried too often; `close` ends it."""

    def __init__(self, window: MainWindow, vaults: Any, vault: Any, tasks: Tasks) -> None:
        self._window, self._vaults, self._vault, self._tasks = window, vaults, vault, tasks
        self._sheet: Sheet | None = None
        self.title, self._spent = CHOOSE, False

    def close(self) -> None:
        self._spent = False
        if self._sheet is not None:
            self._sheet.close_()
        self._window.status.notice("pin", None)

    async def look(self) -> None:
        """What stands in the vaults now. Raises Problem."""
        person = await self._vaults.person(self._vault)
        self.title = CHANGE if person is not None and person.pin else CHOOSE
        self._spent = person is not None and person.spent
        self._window.status.notice("pin", Notice(SPENT, "warn", "Velg en ny", self.open) if self._spent else None)

    def open(self) -> None:
        """The sheet; the same one when it is there already."""
        if self._sheet is not None:
            return
        sheet = self._sheet = Sheet(self._window.theme, self._window, self.title, WHAT)
        first, second = PinField(sheet.theme, "Ny PIN"), PinField(sheet.theme, "Samme PIN en gang til")
        said = sheet.label("", "body", "bad")
        said.hide()
        save = PlainButton(sheet.theme, "Lagre PIN", primary=True)
        save.clicked.connect(lambda: self._tasks.spawn(self._save(first, second, said)))
        first.editor.returnPressed.connect(second.setFocus)
        second.editor.returnPressed.connect(save.click)
        keys = QHBoxLayout()
        keys.addWidget(save)
        if self.title == CHANGE:
            remove = PlainButton(sheet.theme, "Fjern PIN")
            remove.clicked.connect(lambda: self._tasks.spawn(self._set(None, said)))
            keys.addWidget(remove)
        keys.addStretch(1)
        for part in (sheet.label(RULES, "body", "muted"), first, second, said):
            sheet.inside.addWidget(part)
        sheet.inside.addLayout(keys)
        sheet.inside.addStretch(1)
        sheet.closed.connect(self._closed)
        sheet.open()
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _closed(self) -> None:
        sheet, self._sheet = self._sheet, None
        if sheet is not None:
            sheet.deleteLater()
        if self._spent:  # told, and no new one wanted: it is not said at each sign-on
            self._tasks.spawn(self._seen())

    async def _seen(self) -> None:
        await self._vaults.set_pin(self._vault, None)
        await self.look()

    async def _save(self, first: PinField, second: PinField, said: QLabel) -> None:
        pin, again = first.take(), second.take()
        first.setFocus(Qt.FocusReason.OtherFocusReason)
        if pin != again:
            _say(said, "De to er ikke like.", first)
            return
        await self._set(pin, said, first)

    async def _set(self, pin: str | None, said: QLabel, field: PinField | None = None) -> None:
        try:
            await self._vaults.set_pin(self._vault, pin)
        except Problem as problem:
            if self._sheet is not None:
                _say(said, str(problem), field)
            return
        self._spent = False
        done = "fjernet fra denne maskinen." if pin is None else "lagret. Den gjelder bare på denne maskinen."
        if self._sheet is not None:
            self._sheet.close_()
        await self.look()
        line = self._window.status
        line.notice("pin", Notice(f"PIN-en er {done}", "neutral", "Lukk", lambda: line.notice("pin", None)))


def _say(said: QLabel, words: str, field: PinField | None) -> None:
    said.setText(words)
    said.show()
    if field is not None:
        field.set_wrong(words)

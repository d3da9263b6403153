"""«Arbeid uten nett»: who may come in by PIN when nobody can sign on.

Shown on the sign-in page under what went wrong. Opens nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from workspace.problem import Problem
from workspace.shell.chips import PlainButton
from workspace.shell.kit.squeezed import Scrolled
from workspace.shell.pin import PinField
from workspace.shell.sides import Side
from workspace.shell.theme import Theme

TITLE = "Arbeid uten nett"
WORDS = "Les det som er kopiert hit, og skriv. Det sendes når du har logget inn igjen."
SEEN = 4
"""Persons that are seen at once; the rest are scrolled to."""


class PersonSide(Side):
    """Somebody who has a PIN here: name and role on one row."""

    def __init__(self, theme: Theme, person: Any) -> None:
        super().__init__(theme, person.who.name or person.who.user, person.id, 8)
        self._role = person.who.role
        self.setAccessibleName(", ".join(one for one in (self.text(), self._role) if one))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(200), self.theme.px(40))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self.theme, QPainter(self)
        self.paint_frame(painter)
        edge = theme.px(14)
        area = self.rect().adjusted(edge, 0, -edge, 0)
        role = f" · {self._role}" if self._role else ""
        wide = theme.metrics("body").horizontalAdvance(role)
        metrics = theme.metrics("medium")
        name = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, max(0, area.width() - wide))
        painter.setFont(theme.font("medium"))
        painter.setPen(theme.color("text"))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, name)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.color("muted"))
        beside = area.adjusted(metrics.horizontalAdvance(name), 0, 0, 0)
        painter.drawText(beside, Qt.AlignmentFlag.AlignVCenter, role)


class WithoutBox(QWidget):
    """`asked` carries the vault's id and the PIN. `refused` says why it did not open."""

    asked = Signal(str, str)

    def __init__(self, theme: Theme, people: Sequence[Any]) -> None:
        super().__init__()
        self._theme = theme
        self._title, self._words, self._said = QLabel(TITLE), QLabel(WORDS), QLabel()
        for label in (self._title, self._words, self._said):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self._said.hide()
        self._group = QButtonGroup(self)
        self._sides = [PersonSide(theme, person) for person in people]
        self._list = self._listed()
        self.pin = PinField(theme, "PIN")
        self.go = PlainButton(theme, "Åpne uten nett", primary=True)
        self.go.clicked.connect(self._ask)
        self.pin.editor.returnPressed.connect(self._ask)
        self._group.buttonClicked.connect(self._list.ensureWidgetVisible)
        if self._sides:
            self._sides[0].setChecked(True)
        self._compose()
        self.set_theme(theme)

    def _listed(self) -> Scrolled:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for side in self._sides:
            self._group.addButton(side)
            column.addWidget(side)
        return Scrolled(inside)

    def _compose(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.pin, 0, Qt.AlignmentFlag.AlignBottom)
        row.addWidget(self.go, 0, Qt.AlignmentFlag.AlignBottom)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 14, 0, 0)
        column.setSpacing(8)
        for widget in (self._title, self._words, self._list, self._said):
            column.addWidget(widget)
        column.addLayout(row)

    def focus(self) -> None:
        """Where one begins: the PIN when there is but one person."""
        first = self.pin if len(self._sides) == 1 else self._sides[0]
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def refused(self, problem: Problem) -> None:
        self._said.setText(str(problem))
        self._said.show()
        self.pin.set_wrong(str(problem))
        self.pin.setFocus(Qt.FocusReason.OtherFocusReason)

    def _ask(self) -> None:
        chosen = self._group.checkedButton()
        pin = self.pin.take()
        if isinstance(chosen, PersonSide) and pin:
            self.asked.emit(str(chosen.choice), pin)

    def set_theme(self, theme: Theme) -> None:
        for label, role, ink in (
            (self._title, "title", "text"),
            (self._words, "body", "muted"),
            (self._said, "body", "bad"),
        ):
            label.setFont(theme.font(role))  # type: ignore[arg-type]
            colours = label.palette()
            colours.setColor(label.foregroundRole(), theme.color(ink))
            label.setPalette(colours)
        for side in self._sides:
            side.set_theme(theme)
        self.pin.set_theme(theme)
        self.go.set_theme(theme)
        seen = min(len(self._sides), SEEN)
        self._list.setMaximumHeight(seen * theme.px(40) + (seen - 1) * 2)
        self._list.setMinimumHeight(theme.px(40))  # a small window with large text shows one and scrolls
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(0, 0, self.width(), 1, self._theme.color("line"))

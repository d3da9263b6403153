"""Buttons of which one is chosen, with the arrow keys moving and choosing within their group. For the shell's own sheets."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton

from workspace.shell.theme import Theme

STEPS = {Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1}


class Side(QAbstractButton):
    """One of the sides of a question. `choice` is what it stands for; a QButtonGroup holds those that exclude each other."""

    def __init__(self, theme: Theme, text: str, choice: Any, radius: int) -> None:
        super().__init__()
        self.theme, self.choice, self._radius = theme, choice, radius
        self.setText(text)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step, group = STEPS.get(Qt.Key(event.key())), self.group()
        if step and group is not None:
            sides = group.buttons()
            other = sides[(sides.index(self) + step) % len(sides)]
            other.setFocus(Qt.FocusReason.TabFocusReason)
            other.click()
            return
        super().keyPressEvent(event)

    def paint_frame(self, painter: QPainter) -> None:
        """The ground, the edge (heavier when chosen) and the ring of the focus."""
        theme, chosen = self.theme, self.isChecked()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("accent" if chosen else "field_line"), 2 if chosen else 1))
        painter.setBrush(theme.color("accent_tint" if chosen else ("hover" if self.underMouse() else "surface")))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(2.5, 2.5, -2.5, -2.5), self._radius, self._radius)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), self._radius + 1, self._radius + 1)

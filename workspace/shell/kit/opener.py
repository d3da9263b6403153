"""The small icon at the end of a field's box, and in a corner of a trend."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton

from workspace.shell import icons
from workspace.shell.kit.painting import guarded
from workspace.shell.theme import Theme


class Opener(QAbstractButton):
    """For the mouse: the keyboard has its own way to the same, so Tab passes it by."""

    def __init__(self, theme: Theme, icon: str, name: str) -> None:
        super().__init__()
        self._theme = theme
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.set_icon(icon, name)

    def set_icon(self, icon: str, name: str) -> None:
        self._icon = icon
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(22), self._theme.px(22))

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        ink = self._theme.color("accent" if self.underMouse() else "muted")
        icons.paint(QPainter(self), self._icon, ink, self.rect().toRectF().adjusted(2, 2, -2, -2))

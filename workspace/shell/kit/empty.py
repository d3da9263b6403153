"""The empty component: nothing to show, and what to do about it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workspace.panels.components import Empty
from workspace.shell.kit.env import Env
from workspace.shell.theme import Theme


class EmptyWidget(QWidget):
    def __init__(self, component: Empty, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = env.theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.set_component(component)

    def set_component(self, component: Empty) -> None:
        self._component = component
        self.setAccessibleName(f"{component.title}. {component.text}")
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(200), self._theme.px(72))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setFont(theme.font("medium"))
        painter.setPen(theme.color("muted"))
        top = self.rect().adjusted(8, theme.px(12), -8, 0)
        painter.drawText(top, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, self._component.title)
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.color("faint"))
        below = top.adjusted(0, theme.px(22), 0, 0)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(below, flags, self._component.text)


WIDGETS: dict[str, type[QWidget]] = {"empty": EmptyWidget}

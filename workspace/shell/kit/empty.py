"""The empty component: nothing to show, and what to do about it."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workspace.panels.components import Empty
from workspace.shell.fonts import Role
from workspace.shell.kit import access
from workspace.shell.kit.env import Env
from workspace.shell.kit.painting import guarded
from workspace.shell.kit.wrapping import wrapped
from workspace.shell.theme import Theme

PAD = 12


class EmptyWidget(QWidget):
    def __init__(self, component: Empty, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = env.theme
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.set_component(component)

    def set_component(self, component: Empty) -> None:
        self._component = component
        self.spoken = access.Spoken(access.Role.StaticText)
        self.setAccessibleName(f"{component.title}. {component.text}" if component.text else component.title)
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def _lines(self, width: int) -> list[tuple[Role, str]]:
        theme, room = self._theme, width - 2 * self._theme.px(8)
        found: list[tuple[Role, str]] = []
        found += [("medium", line) for line in wrapped(theme, "medium", self._component.title, room, 4)]
        found += [("caption", line) for line in wrapped(theme, "caption", self._component.text, room, 6)]
        return found

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return sum(self._theme.line_height(role) for role, _ in self._lines(width)) + 2 * self._theme.px(PAD)

    def sizeHint(self) -> QSize:
        width = max(self.width(), self._theme.px(200))
        return QSize(self._theme.px(200), self.heightForWidth(width))

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme, top = self._theme, self._theme.px(PAD)
        painter = QPainter(self)
        for role, line in self._lines(self.width()):
            painter.setFont(theme.font(role))
            painter.setPen(theme.color("muted" if role == "medium" else "faint"))
            area = QRect(0, top, self.width(), theme.line_height(role))
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine, line)
            top += theme.line_height(role)


WIDGETS: dict[str, type[QWidget]] = {"empty": EmptyWidget}

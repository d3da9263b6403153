"""Divider and spacer: a hairline, and the room that is left."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workspace.shell.kit.env import Env
from workspace.shell.kit.painting import guarded
from workspace.shell.theme import Theme


class DividerWidget(QWidget):
    def __init__(self, component: Any, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = env.theme
        self.setFixedHeight(1)

    def set_component(self, component: Any) -> None:
        pass

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.color("line"))


class SpacerWidget(QWidget):
    def __init__(self, component: Any, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_component(self, component: Any) -> None:
        pass

    def set_theme(self, theme: Theme) -> None:
        pass


WIDGETS: dict[str, type[QWidget]] = {"divider": DividerWidget, "spacer": SpacerWidget}

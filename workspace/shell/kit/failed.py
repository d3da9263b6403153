"""The failed component: why something could not be had, and another try."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from workspace.panels.components import Failed
from workspace.shell.chips import PlainButton
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING, ink
from workspace.shell.theme import Theme


class FailedWidget(QWidget):
    def __init__(self, component: Failed, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._env, self._theme = env, env.theme
        self._words = QLabel(self)
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._again = PlainButton(env.theme, "Prøv igjen")
        self._again.clicked.connect(self._retry)
        box = QVBoxLayout(self)
        box.setContentsMargins(RING, 4, RING, 4)
        box.addWidget(self._words)
        box.addWidget(self._again)
        self.set_component(component)

    def set_component(self, component: Failed) -> None:
        self._component = component
        self._words.setFont(self._theme.font("body"))
        ink(self._words, self._theme, "bad")
        self._words.setText(component.text)
        self._again.setVisible(component.retry is not None)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._again.set_theme(theme)
        self.set_component(self._component)

    def _retry(self) -> None:
        if self._component.retry is not None:
            self._env.run(self._component.retry)


WIDGETS: dict[str, type[QWidget]] = {"failed": FailedWidget}

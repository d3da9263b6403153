"""The place of a component from a newer panel language, labelled."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from workspace.panels.face import Unknown
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING, ink
from workspace.shell.theme import Theme


class UnknownWidget(QLabel):
    """A component from a newer panel language: its place, labelled."""

    def __init__(self, component: Unknown, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = env.theme
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setContentsMargins(RING, 0, RING, 0)
        self.set_component(component)

    def set_component(self, component: Unknown) -> None:
        ink(self, self._theme, "muted")
        self.setText(f"Denne delen («{component.type}») krever en nyere arbeidsflate.")
        self.setFont(self._theme.font("caption"))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        ink(self, theme, "muted")
        self.setFont(theme.font("caption"))


WIDGETS: dict[str, type[QWidget]] = {"unknown": UnknownWidget}

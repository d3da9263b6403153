"""A heading's label: its words, and its level for screen readers, which jump from heading to heading."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from workspace.panels.components import Heading
from workspace.shell.kit.access import Role, Spoken
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING, ink
from workspace.shell.theme import Theme


class HeadingLabel(QLabel):
    """Plain text that wraps. Level 1 and 2 are the window's and the panel's own; they look the same in a body."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setContentsMargins(RING, 0, RING, 0)  # in line with the boxes of fields
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.say(theme, "", 3)

    def say(self, theme: Theme, words: str, level: int) -> None:
        self.spoken = Spoken(Role.Heading, level=min(6, max(1, level)))
        self.setText(words)
        self.setAccessibleName(words)
        self.setFont(theme.font("heading"))
        ink(self, theme, "text")


class HeadingWidget(HeadingLabel):
    """The component."""

    def __init__(self, component: Heading, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(env.theme, parent)
        self._theme = env.theme
        self.set_component(component)

    def set_component(self, component: Heading) -> None:
        self._component = component
        self.say(self._theme, component.text, component.level)

    def forget(self) -> None:
        self.set_component(Heading(text=""))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.set_component(self._component)


WIDGETS: dict[str, type[QWidget]] = {"heading": HeadingWidget}

"""The text component: words that wrap. Never interprets mark-up."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from workspace.panels.components import Text
from workspace.shell.fonts import Role
from workspace.shell.kit import access, when
from workspace.shell.kit.about import Asking
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING, ink
from workspace.shell.theme import Theme


class TextWidget(Asking, QLabel):
    ROLES: ClassVar[dict[str, tuple[Role, str]]] = {
        "body": ("body", "text"), "muted": ("body", "muted"), "caption": ("caption", "faint"),
        "strong": ("strong", "text"), "number": ("body", "text"),
    }  # fmt: skip

    def __init__(self, component: Text, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.env, self._theme = env, env.theme
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setContentsMargins(RING, 0, RING, 0)  # in line with the boxes of fields
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.set_component(component)

    def set_component(self, component: Text) -> None:
        self._component = component
        self.spoken = access.Spoken(access.Role.StaticText)
        role, token = self.ROLES[component.style]
        age = when.age(component.at, self.env.now()) if component.at else ""
        self.setFont(self._theme.font(role))
        ink(self, self._theme, token, tone=component.tone)
        self.setText(" · ".join(part for part in (component.text, age, component.source) if part))
        self.stands_in(component, component.text)
        self.setAccessibleName(component.label or (self.text() if self.offered else ""))

    def forget(self) -> None:
        self.lets_go()
        self.set_component(Text(text=""))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.set_component(self._component)

    def tick(self) -> None:
        if self._component.at:
            self.set_component(self._component)

    def offered_at(self) -> QRect:
        """No wider than the words."""
        wide = max(self.fontMetrics().horizontalAdvance(line) for line in self.text().split("\n")) + 2
        return QRect(RING, 0, min(wide, self.width() - 2 * RING), self.height())


WIDGETS: dict[str, type[QWidget]] = {"text": TextWidget}

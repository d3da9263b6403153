"""The notice component: a callout that the user must not miss."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from workspace.panels.components import Notice
from workspace.shell import icons
from workspace.shell.kit.about import Asking
from workspace.shell.kit.access import Role, Spoken
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING, ink
from workspace.shell.kit.painting import guarded
from workspace.shell.theme import Theme


class NoticeWidget(Asking, QWidget):
    """A sentence with an icon and a tone edge; announced when it appears."""

    def __init__(self, component: Notice, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.env, self._theme = env, env.theme
        self._title, self._words = QLabel(self), QLabel(self)
        self._box = QVBoxLayout(self)
        self._box.setSpacing(0)
        for label in (self._title, self._words):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            self._box.addWidget(label)
        self.set_component(component)

    def set_component(self, component: Notice) -> None:
        self._component = component
        theme = self._theme
        self._box.setContentsMargins(RING + theme.px(34), theme.px(7), RING + theme.px(10), theme.px(7))
        self._words.setFont(theme.font("body"))
        ink(self._words, theme, "text")
        self._title.setFont(theme.font("strong"))
        ink(self._title, theme, "text")
        self._title.setText(component.title)
        self._title.setVisible(bool(component.title))
        self._words.setText(component.text)
        self.setAccessibleName(f"{component.title}. {component.text}" if component.title else component.text)
        self.spoken = Spoken(Role.AlertMessage)
        self.stands_in(component, component.title or component.text)
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.set_component(self._component)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme, tone = self._theme, self._component.tone
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tint(tone))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(RING, 0, -RING, 0), 6, 6)
        size = theme.px(16)
        name = "check" if tone == "ok" else ("info" if tone in ("neutral", "accent") else "alert")
        icons.paint(painter, name, theme.tone(tone), QRectF(RING + theme.px(10), theme.px(9), size, size))


WIDGETS: dict[str, type[QWidget]] = {"notice": NoticeWidget}

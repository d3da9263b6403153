"""The pill component: one or two words that stand out."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workspace.panels.components import Pill
from workspace.shell import painters
from workspace.shell.kit.about import Asking
from workspace.shell.kit.access import Role, Spoken
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING
from workspace.shell.kit.painting import guarded
from workspace.shell.theme import Theme


class PillWidget(Asking, QWidget):
    rigid: QSize
    """Measured once: a patient with a hundred pills has each asked for its size some sixty times in one switch."""

    def __init__(self, component: Pill, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.env, self._theme = env, env.theme
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_component(component)

    def set_component(self, component: Pill) -> None:
        self._component = component
        self.spoken = Spoken(Role.StaticText)
        self.setAccessibleName(component.label or component.text)
        self.stands_in(component, component.text)
        self._measure()

    def forget(self) -> None:
        self.lets_go()
        self.set_component(Pill(text=""))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._measure()

    def _measure(self) -> None:
        theme, one = self._theme, self._component
        self.rigid = QSize(painters.pill_width(theme, one.text, one.shape) + RING, theme.pill + 2)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return self.rigid

    def offered_at(self) -> QRect:
        return self.rect().adjusted(RING, 1, 0, -1)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        one = self._component
        painters.paint_pill(QPainter(self), self._theme, RING, self.height() / 2, one.text, one.tone, one.shape)


WIDGETS: dict[str, type[QWidget]] = {"pill": PillWidget}

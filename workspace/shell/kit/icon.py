"""The icon component: one of our drawings, tinted. Says something only when it has a label."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workspace.panels.components import Icon
from workspace.shell import icons
from workspace.shell.kit.about import Asking
from workspace.shell.kit.access import Role, Spoken
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING
from workspace.shell.kit.painting import guarded
from workspace.shell.kit.tips import plain_tip
from workspace.shell.theme import Theme

SIZES = {"s": 14, "m": 20, "l": 32}


class IconWidget(Asking, QWidget):
    def __init__(self, component: Icon, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.env, self._theme = env, env.theme
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_component(component)

    def set_component(self, component: Icon) -> None:
        self._component = component
        self.spoken = Spoken(Role.Graphic)
        self.setAccessibleName(component.label)
        self.stands_in(component, component.label)
        self.setToolTip(plain_tip(component.label))
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        size = self._theme.px(SIZES[self._component.size])
        return QSize(size + RING, size)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        size = self._theme.px(SIZES[self._component.size])
        area = QRectF(RING, (self.height() - size) / 2, size, size)
        icons.paint(QPainter(self), self._component.name, self._theme.tone(self._component.tone), area)


WIDGETS: dict[str, type[QWidget]] = {"icon": IconWidget}

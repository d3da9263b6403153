"""The card component: a hairline frame with a tone along its edge, for one thing among several."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from workspace.panels.components import Card
from workspace.shell.kit.about import Asking
from workspace.shell.kit.access import Role, Spoken
from workspace.shell.kit.containers import Container
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING
from workspace.shell.kit.painting import guarded
from workspace.shell.kit.section import Titled

RADIUS = 8


class CardWidget(Asking, Titled):
    def __init__(self, component: Card, env: Env, parent: QWidget | None = None) -> None:
        self.env = env
        super().__init__(component, env, parent)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def place(self, children: list[tuple[QWidget, str, int]]) -> None:
        theme, one = self.theme, self.component
        self.spoken = Spoken(Role.Grouping)
        self.setAccessibleName(one.label or one.title)
        self.stands_in(one, one.title)
        self._title.say(theme, one.title, one.level)
        super().place(children)
        assert isinstance(self.box, QVBoxLayout)
        edge = theme.px(6) if one.tone != "neutral" else 0
        self.box.setContentsMargins(RING + theme.px(8) + edge, theme.px(9), RING + theme.px(8), theme.px(9))
        self.box.insertWidget(0, self._title)
        self._title.setVisible(bool(one.title))
        self.update()

    def forget(self) -> None:
        super().forget()
        self.lets_go()
        self.component = Card()
        self.stands_in(self.component, "")

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme, tone = self.theme, self.component.tone
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(RING + 0.5, 0.5, -RING - 0.5, -0.5)
        if tone != "neutral":
            path = QPainterPath()
            path.addRoundedRect(area, RADIUS, RADIUS)
            painter.save()
            painter.setClipPath(path)
            painter.fillRect(QRectF(area.left(), area.top(), 4, area.height()), theme.tone(tone))
            painter.restore()
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(area, RADIUS, RADIUS)


WIDGETS: dict[str, type[Container]] = {"card": CardWidget}

"""The sparkline component: the last few values as a small line, with the newest in words."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workspace.panels.components import Sparkline
from workspace.shell import painters
from workspace.shell.kit import when
from workspace.shell.kit.about import Asking
from workspace.shell.kit.access import Role, Spoken
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING
from workspace.shell.kit.painting import guarded
from workspace.shell.kit.tips import plain_tip
from workspace.shell.theme import Theme

WIDE = 84


class SparklineWidget(Asking, QWidget):
    def __init__(self, component: Sparkline, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.env, self._theme = env, env.theme
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_component(component)

    def set_component(self, component: Sparkline) -> None:
        self._component = component
        said = ", ".join(when.number(value) if value is not None else "mangler" for value in component.values)
        self.spoken = Spoken(Role.Graphic, value=component.text)
        self.setAccessibleName(component.label or component.text or "Utvikling")
        self.stands_in(component, component.text, said or "Ingen verdier")
        self.setToolTip(plain_tip(said))
        self.updateGeometry()
        self.update()

    def forget(self) -> None:
        self.lets_go()
        self.set_component(Sparkline(values=[]))
        self.setAccessibleName("")
        self.setAccessibleDescription("")

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        theme = self._theme
        words = theme.metrics("medium").horizontalAdvance(self._component.text)
        return QSize(theme.px(WIDE) + 2 * RING + (words + theme.px(10) if words else 0), theme.px(26))

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme, one = self._theme, self._component
        painter = QPainter(self)
        area = QRectF(RING + 2, theme.px(5), theme.px(WIDE) - 6, self.height() - 2 * theme.px(5))
        if any(value is not None for value in one.values):
            painters.paint_spark(painter, theme, area, one.values, one.high, one.tone)
        else:
            painter.fillRect(QRectF(area.left(), area.bottom(), area.width(), 1), theme.color("line"))
        painter.setFont(theme.font("medium"))
        painter.setPen(theme.color("text") if one.tone == "neutral" else theme.tone(one.tone))
        words = self.rect().adjusted(theme.px(WIDE) + RING + theme.px(6), 0, 0, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, one.text)


WIDGETS: dict[str, type[QWidget]] = {"sparkline": SparklineWidget}

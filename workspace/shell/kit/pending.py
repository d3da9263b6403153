"""The pending component: a skeleton for what has not come, and after a while words."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workspace.panels.components import Pending
from workspace.shell.kit.env import Env
from workspace.shell.kit.painting import guarded
from workspace.shell.theme import Theme

SKELETON_AFTER_MS = 300
WORDS_AFTER_MS = 2000


class PendingWidget(QWidget):
    """Nothing at first, a skeleton from 300 ms, words from 2 s: a quick answer never flickers."""

    def __init__(self, component: Pending, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._component, self._stage = env.theme, component, 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._later)
        self._timer.start(SKELETON_AFTER_MS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def _later(self) -> None:
        self._stage += 1
        if self._stage == 1:
            self._timer.start(WORDS_AFTER_MS - SKELETON_AFTER_MS)
        else:
            self.setAccessibleName(self._component.waits_for or "Venter på svar")
        self.update()

    def set_component(self, component: Pending) -> None:
        self._component = component
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(160), self._component.lines * self._theme.px(28))

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        if self._stage == 0:
            return
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("ground"))
        for line in range(self._component.lines):
            width = self.width() * (0.9, 0.7, 0.8)[line % 3]
            painter.drawRoundedRect(QRectF(0, line * theme.px(28) + theme.px(8), width, theme.px(12)), 4, 4)
        if self._stage > 1:
            painter.setPen(theme.color("muted"))
            painter.setFont(theme.font("caption"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._component.waits_for or "Venter på svar …")


WIDGETS: dict[str, type[QWidget]] = {"pending": PendingWidget}

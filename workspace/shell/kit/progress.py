"""The progress component: words, and a bar of how far it has come; without a value, that something goes on."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QPainter, QPainterPath, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workspace.panels.components import Progress
from workspace.shell.kit.about import Asking
from workspace.shell.kit.access import Role, Spoken
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING
from workspace.shell.kit.painting import guarded
from workspace.shell.kit.wrapping import paint_lines, wrapped
from workspace.shell.theme import Theme

STEP_MS = 80
STEPS = 30


class ProgressWidget(Asking, QWidget):
    def __init__(self, component: Progress, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.env, self._theme, self._step = env, env.theme, 0
        self._timer = QTimer(self)
        self._timer.setInterval(STEP_MS)
        self._timer.timeout.connect(self._on)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.set_component(component)

    def set_component(self, component: Progress) -> None:
        self._component = component
        self.spoken = Spoken(Role.ProgressBar, value=self.percent())
        self.setAccessibleName(component.label or component.text)
        self.stands_in(component, component.text, component.text if component.label else "")
        self._run()
        self.updateGeometry()
        self.update()

    def percent(self) -> str:
        """«40 %», or "" while the end is not known."""
        value = self._component.value
        return "" if value is None else f"{round(100 * self._part(value))} %"

    @staticmethod
    def _part(value: float) -> float:
        return min(1.0, max(0.0, value)) if value == value else 0.0

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._run()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def _run(self) -> None:
        if self._component.value is None and self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()

    def _on(self) -> None:
        self._step = (self._step + 1) % STEPS
        self.update()

    def _lines(self, width: int) -> tuple[str, ...]:
        theme = self._theme
        room = (
            width - 2 * RING - (theme.metrics("body").horizontalAdvance("100 %") + theme.px(8) if self.percent() else 0)
        )
        return wrapped(theme, "body", self._component.text, room, 3)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return len(self._lines(width)) * self._theme.line_height() + self._theme.px(14)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(200), self.heightForWidth(max(self.width(), self._theme.px(200))))

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme, one = self._theme, self._component
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.color("text"))
        top = paint_lines(painter, theme, "body", self._lines(self.width()), RING, 0, self.width() - 2 * RING)
        painter.setPen(theme.color("muted"))
        words = QRectF(RING, 0, self.width() - 2 * RING, theme.line_height())
        painter.drawText(words, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.percent())
        bar = QRectF(RING + 0.5, top + theme.px(4) + 0.5, self.width() - 2 * RING - 1, theme.px(7))
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(theme.color("ground"))
        painter.drawRoundedRect(bar, bar.height() / 2, bar.height() / 2)
        clip = QPainterPath()
        clip.addRoundedRect(bar, bar.height() / 2, bar.height() / 2)
        painter.setClipPath(clip)
        if one.value is None:
            start = bar.left() + bar.width() * 1.3 * self._step / STEPS - bar.width() * 0.3
            painter.fillRect(QRectF(start, bar.top(), bar.width() * 0.3, bar.height()), theme.tone(one.tone))
        else:
            done = QRectF(bar.left(), bar.top(), bar.width() * self._part(one.value), bar.height())
            painter.fillRect(done, theme.tone(one.tone))


WIDGETS: dict[str, type[QWidget]] = {"progress": ProgressWidget}

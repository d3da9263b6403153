"""The button component: what it does, its shortcut as a key cap, and busy in words."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from workspace.panels.components import Button
from workspace.shell.chips import key_cap
from workspace.shell.kit.env import Env
from workspace.shell.theme import Theme

BUSY_AFTER_MS = 300


class ButtonWidget(QAbstractButton):
    """Runs its action once however often it is pressed while busy."""

    def __init__(self, component: Button, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._env, self._theme, self._busy = env, env.theme, False
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.timeout.connect(self.update)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self.press)
        self.set_component(component)

    def set_component(self, component: Button) -> None:
        self.component = component
        self.setText(component.text)
        key = f", {component.shortcut}" if component.shortcut else ""
        self.setAccessibleName((component.label or component.text) + key)
        self.setAccessibleDescription(component.disabled)
        self.setToolTip(component.disabled)
        self.setEnabled(not component.disabled)
        self.updateGeometry()
        self.update()

    def press(self) -> None:
        """What a click, Space, Enter or the shortcut does."""
        if self.isEnabled() and not self._busy:
            self._env.run(self.component.action)

    def set_busy(self, busy: bool) -> None:
        self._busy = busy
        self._late.start(BUSY_AFTER_MS) if busy else self._late.stop()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        theme, one = self._theme, self.component
        chip = one.style == "chip"
        width = theme.metrics("pill" if chip else "button").horizontalAdvance(one.text) + theme.px(20 if chip else 28)
        if one.shortcut:
            width += theme.metrics("key").horizontalAdvance(one.shortcut) + theme.px(18)
        height = theme.px(26) if chip else theme.button + 6
        return QSize(width + 4, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, one = self._theme, self.component
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(3.5, 3.5, -3.5, -3.5)
        filled = one.style in ("primary", "danger") and self.isEnabled()
        token = {"primary": "accent", "danger": "bad"}.get(one.style, "hover" if self.underMouse() else "surface")
        ground = theme.color(token if self.isEnabled() else "ground")
        if one.style == "chip":
            ground = theme.tint("group")
        if filled and self.isDown():
            ground = ground.darker(112)
        painter.setPen(Qt.PenStyle.NoPen if filled or one.style == "chip" else QPen(theme.color("line"), 1))
        painter.setBrush(ground)
        radius = theme.pill_radius if one.style == "chip" else 7
        painter.drawRoundedRect(area, radius, radius)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), radius + 2, radius + 2)
        ink = theme.color("on_accent") if filled else theme.color("text" if self.isEnabled() else "faint")
        if one.style == "chip":
            ink = theme.tone("group")
        self._words(painter, ink, filled)

    def _words(self, painter: QPainter, ink: object, filled: bool) -> None:
        theme, one = self._theme, self.component
        late = self._busy and not self._late.isActive()
        text = f"{one.text} …" if late else one.text
        role = "pill" if one.style == "chip" else "button"
        width = theme.metrics(role).horizontalAdvance(text)
        cap = theme.metrics("key").horizontalAdvance(one.shortcut) + theme.px(18) if one.shortcut and not late else 0
        left = (self.width() - width - cap) // 2
        painter.setPen(ink)  # type: ignore[call-overload]
        painter.setFont(theme.font(role))
        painter.drawText(left, 0, width + 6, self.height(), Qt.AlignmentFlag.AlignVCenter, text)
        if cap:
            key_cap(painter, theme, one.shortcut, left + width + theme.px(7), self.height(), on_accent=filled)


WIDGETS: dict[str, type[QWidget]] = {"button": ButtonWidget}

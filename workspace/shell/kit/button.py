"""The button component: what it does, its shortcut as a key cap, busy in words, and why it cannot be pressed."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from workspace.panels.components import Action, Button
from workspace.shell import icons
from workspace.shell.chips import key_cap
from workspace.shell.fonts import Role
from workspace.shell.kit import access
from workspace.shell.kit.drop import Bubble
from workspace.shell.kit.env import Env
from workspace.shell.kit.painting import guarded
from workspace.shell.kit.tips import plain_tip
from workspace.shell.theme import Theme

BUSY_AFTER_MS = 300
ICON = 16


class ButtonWidget(QAbstractButton):
    """Runs its action once however often it is pressed while busy. A disabled one keeps its place in the tab order, so
    that everybody can learn why."""

    def __init__(self, component: Button, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.env, self.theme, self._busy = env, env.theme, False
        self._end = 0
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.timeout.connect(self.update)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self.press)
        self.set_component(component)

    def set_component(self, component: Button) -> None:
        self.component = component
        key = f", {component.shortcut}" if component.shortcut else ""
        off = bool(component.disabled)
        self.spoken = access.Spoken(access.Role.Button, disabled=off)
        self.setAccessibleName((component.label or component.text) + key)
        self.setAccessibleDescription(component.disabled)
        self.setToolTip(plain_tip(component.disabled))
        self.setCursor(Qt.CursorShape.ArrowCursor if off else Qt.CursorShape.PointingHandCursor)
        self.updateGeometry()
        self.update()

    def forget(self) -> None:
        self.set_busy(False)
        self.setDown(False)
        self.set_component(Button(text="", action=Action(name="")))

    def press(self) -> None:
        """What a click, Space, Enter or the shortcut does."""
        if self.component.disabled:
            self.explain()
        elif not self._busy:
            self.env.run(self.component.action)

    def explain(self) -> None:
        """Say why it cannot be pressed, where the eyes are."""
        access.announce(self, self.component.disabled)
        for former in self.window().findChildren(Bubble):
            former.leave()
        Bubble(self, self.theme, self.component.disabled)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat():
            self.click()
            return
        super().keyPressEvent(event)

    def set_busy(self, busy: bool) -> None:
        self._busy = busy
        if busy:
            self._late.start(BUSY_AFTER_MS)
        else:
            self._late.stop()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        theme, one = self.theme, self.component
        chip = one.style == "chip"
        width = theme.metrics(self._role()).horizontalAdvance(one.text) + theme.px(20 if chip else 28) + self._before()
        if one.shortcut:
            width += theme.metrics("key").horizontalAdvance(one.shortcut) + theme.px(18)
        height = theme.px(24) if chip else theme.button
        return QSize(width + 6, height + 6)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.theme.px(44), self.sizeHint().height())

    def _role(self) -> Role:
        return "pill" if self.component.style == "chip" else "button"

    def _before(self) -> int:
        return self.theme.px(ICON + 6) if self.component.icon else 0

    def after(self) -> int:
        """Room that a subclass takes after the words."""
        return 0

    def words_end(self) -> int:
        """Where the words ended when it was painted."""
        return self._end

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme, one = self.theme, self.component
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(3.5, 3.5, -3.5, -3.5)
        on = not one.disabled
        filled = one.style in ("primary", "danger") and on
        hot = self.underMouse() and on
        token = {"primary": "accent", "danger": "bad"}.get(one.style, "hover" if hot else "surface")
        ground = theme.color(token if on else "ground")
        if one.style == "chip":
            ground = theme.color("hover" if hot else "ground")
        if filled and self.isDown():
            ground = ground.darker(112)
        edge = QPen(theme.color("line"), 1, Qt.PenStyle.SolidLine if on else Qt.PenStyle.DashLine)
        painter.setPen(Qt.PenStyle.NoPen if filled else edge)
        painter.setBrush(ground)
        radius = theme.pill_radius if one.style == "chip" else 7
        painter.drawRoundedRect(area, radius, radius)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), radius + 2, radius + 2)
        ink = theme.color("on_accent") if filled else theme.color("text" if on else "faint")
        if one.style == "chip" and on:
            ink = theme.color("muted")
        self._words(painter, ink, filled)

    def _words(self, painter: QPainter, ink: QColor, filled: bool) -> None:
        theme, one = self.theme, self.component
        late = self._busy and not self._late.isActive()
        text = f"{one.text} …" if late else one.text
        role, before = self._role(), self._before()
        cap = theme.metrics("key").horizontalAdvance(one.shortcut) + theme.px(18) if one.shortcut and not late else 0
        room = self.width() - 12 - before - self.after()
        if theme.metrics(role).horizontalAdvance(text) + cap > room:
            cap = 0  # the key cap goes before the words do
        text = theme.metrics(role).elidedText(text, Qt.TextElideMode.ElideRight, room)
        width = theme.metrics(role).horizontalAdvance(text)
        left = (self.width() - width - cap - before - self.after()) // 2
        if before:
            size = theme.px(ICON)
            icons.paint(painter, one.icon, ink, QRectF(left, (self.height() - size) / 2, size, size))
            left += before
        painter.setPen(ink)
        painter.setFont(theme.font(role))
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine
        painter.drawText(left, 0, width + 6, self.height(), flags, text)
        self._end = left + width
        if cap:
            key_cap(painter, theme, one.shortcut, left + width + theme.px(7), self.height(), on_accent=filled)


WIDGETS: dict[str, type[QWidget]] = {"button": ButtonWidget}

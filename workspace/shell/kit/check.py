"""The check field: yes or no to a statement that may take several lines."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QSizePolicy, QWidget

from workspace.panels.components import CheckField
from workspace.shell import icons
from workspace.shell.kit.env import Env
from workspace.shell.kit.fields import Labelled, below
from workspace.shell.kit.ink import RING
from workspace.shell.kit.painting import guarded
from workspace.shell.kit.wrapping import paint_lines, wrapped
from workspace.shell.theme import Theme

LINES = 6


class Tick(QCheckBox):
    """The box and its statement; a click anywhere on either turns it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._words, self._wrong = theme, "", False
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def say(self, theme: Theme, words: str, *, wrong: bool) -> None:
        """Not `setText`: an ampersand in it would become a shortcut."""
        self._theme, self._words, self._wrong = theme, words, wrong
        self.updateGeometry()
        self.update()

    def _left(self) -> int:
        return RING + self._theme.px(18 + 10)

    def _lines(self, width: int) -> tuple[str, ...]:
        return wrapped(self._theme, "body", self._words, width - self._left() - RING, LINES)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        theme = self._theme
        tall = max(1, len(self._lines(width))) * theme.line_height() + 2 * theme.px(5)
        return max(tall, theme.px(44) if theme.density == "touch" else 0)

    def sizeHint(self) -> QSize:
        width = self._left() + self._theme.metrics("body").horizontalAdvance(self._words) + 2 * RING
        width = min(width, self._theme.px(420))
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(80), self.heightForWidth(max(self.width(), self._theme.px(80))))

    def hitButton(self, pos: QPoint) -> bool:
        return self.rect().contains(pos)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.ignore()  # Enter belongs to the form
            return
        super().keyPressEvent(event)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        size, top = theme.px(18), theme.px(5)
        box = QRectF(RING + 0.5, top + (theme.line_height() - size) / 2 + 0.5, size, size)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(-2, -2, 2, 2), 6, 6)
        on = self.isChecked()
        painter.setPen(QPen(theme.color("bad" if self._wrong else ("accent" if on else "faint")), 1))
        painter.setBrush(theme.color("accent" if on else ("hover" if self.underMouse() else "field")))
        painter.drawRoundedRect(box, 4, 4)
        if on:
            icons.paint(painter, "check", theme.color("on_accent"), box.adjusted(1, 1, -1, -1))
        painter.setPen(theme.color("text"))
        room = self.width() - self._left() - RING
        paint_lines(painter, theme, "body", self._lines(self.width()), self._left(), top, room)


class CheckWidget(Labelled):
    def __init__(self, component: CheckField, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(env, parent)
        self.tick_ = Tick(env.theme)
        self._hold(self.tick_, self.tick_)
        self.setFocusProxy(self.tick_)
        self.tick_.clicked.connect(lambda on: self._env.typed(self._component.bind, bool(on)))
        self.set_component(component)
        self.value_changed()

    @property
    def editor(self) -> QCheckBox:
        return self.tick_

    def set_component(self, component: CheckField) -> None:
        self._component = component
        self.tick_.say(self._theme, component.label, wrong=bool(component.error))
        self._describe(self.tick_, component.label, component.error, below(component, self._env), component.required)
        self._label.hide()

    def value_changed(self) -> None:
        self.tick_.setChecked(self._env.value(self._component.bind) is True)

    def forget(self) -> None:
        self._component = CheckField(label="", bind="")
        self.tick_.setChecked(False)
        self.tick_.say(self._theme, "", wrong=False)
        self._forget(self.tick_)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.set_component(self._component)


WIDGETS: dict[str, type[QWidget]] = {"check-field": CheckWidget}

"""The expander component: a heading that opens and closes what is below it. How it stands is the user's, after the first."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from workspace.panels.components import Expander
from workspace.shell import icons
from workspace.shell.kit.about import Asking
from workspace.shell.kit.access import Role, Spoken
from workspace.shell.kit.containers import Container, growing
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING
from workspace.shell.kit.painting import guarded
from workspace.shell.theme import Theme


class Head(Asking, QAbstractButton):
    """The line that opens and closes. Right opens, Left closes, Space and Enter turn it."""

    apart = True

    def __init__(self, env: Env) -> None:
        super().__init__()
        self.env, self._theme, self._title, self._summary = env, env.theme, "", ""
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def say(self, theme: Theme, component: Expander) -> None:
        self._theme, self._title, self._summary = theme, component.title, component.summary
        self.spoken = Spoken(Role.Button, level=component.level, expanded=self.isChecked())
        self.setAccessibleName(component.title)
        self.stands_in(component, component.title, component.summary)
        self.updateGeometry()
        self.update()

    def forget(self) -> None:
        self._title = self._summary = ""
        self.setAccessibleName("")
        self.stands_in(Expander(title=""), "")

    def sizeHint(self) -> QSize:
        wide = self._theme.metrics("heading").horizontalAdvance(self._title) + self._theme.px(40)
        return QSize(wide, self._theme.px(32))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(80), self._theme.px(32))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif key in (Qt.Key.Key_Right, Qt.Key.Key_Left):
            if self.isChecked() != (key == Qt.Key.Key_Right):
                self.click()
        else:
            super().keyPressEvent(event)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("hover"))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(RING, RING, -RING, -RING), 6, 6)
        size = theme.px(16)
        name = "chevron-down" if self.isChecked() else "chevron-right"
        icons.paint(painter, name, theme.color("muted"), QRectF(RING + 2, (self.height() - size) / 2, size, size))
        left = RING + size + theme.px(8)
        painter.setFont(theme.font("heading"))
        painter.setPen(theme.color("text"))
        room = self.width() - left - theme.px(6)
        title = theme.metrics("heading").elidedText(self._title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(left, 0, room, self.height(), Qt.AlignmentFlag.AlignVCenter, title)
        left += theme.metrics("heading").horizontalAdvance(title) + theme.px(8)
        room = self.width() - left - theme.px(6)
        if self._summary and not self.isChecked() and room > theme.px(30):
            painter.setFont(theme.font("caption"))
            painter.setPen(theme.color("faint"))
            words = theme.metrics("caption").elidedText(self._summary, Qt.TextElideMode.ElideRight, room)
            painter.drawText(left, 0, room, self.height(), Qt.AlignmentFlag.AlignVCenter, words)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 7, 7)


class ExpanderWidget(Container):
    def __init__(self, component: Expander, env: Env, parent: QWidget | None = None) -> None:
        self._head = Head(env)
        self._head.setChecked(component.open)
        super().__init__(component, env, parent)
        self._head.setParent(self)
        self._head.toggled.connect(self._turn)

    @property
    def head(self) -> QAbstractButton:
        return self._head

    def heads(self) -> list[QWidget]:
        return [self._head]

    def forget(self) -> None:
        self._head.forget()
        self.component = Expander(title="")
        self.children_ = []  # placed anew, and titled

    def renew(self, component: Expander) -> None:
        self.component = component
        self._head.setChecked(component.open)

    def place(self, children: list[tuple[QWidget, str, int]]) -> None:
        super().place(children)
        assert isinstance(self.box, QVBoxLayout)
        self.box.insertWidget(0, self._head)
        self._head.show()
        self._turn(self._head.isChecked())

    def _turn(self, opened: bool) -> None:
        self._head.say(self.theme, self.component)
        for widget, _, _ in self.children_:
            widget.setVisible(opened)
        self.updateGeometry()

    def growing(self) -> bool:
        return self._head.isChecked() and any(growing(widget, kind) for widget, kind, _ in self.children_)


WIDGETS: dict[str, type[Container]] = {"expander": ExpanderWidget}

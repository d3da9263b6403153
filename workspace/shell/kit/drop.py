"""What drops down from a field: a framed surface in the field's own window, below the box or above it where there is no
room. It is gone with the field: it may show a patient's data."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget
from shiboken6 import isValid

from workspace.shell.kit.ink import ink
from workspace.shell.kit.painting import guarded
from workspace.shell.theme import Theme

TOLD_MS = 6000


def _end(drop: QWidget, _owner: object = None) -> None:
    if isValid(drop):
        drop.hide()
        drop.deleteLater()


class Drop(QFrame):
    """Holds `content`. `show_at(box)` opens it there; it closes with its owner and with the window's size."""

    def __init__(self, owner: QWidget, theme: Theme, content: QWidget) -> None:
        super().__init__(owner.window())
        self._owner, self._theme, self._content = owner, theme, content
        self.hide()
        box = QVBoxLayout(self)
        box.setContentsMargins(4, 4, 4, 4)
        box.addWidget(content)
        owner.destroyed.connect(partial(_end, self))
        owner.installEventFilter(self)
        owner.window().installEventFilter(self)

    @property
    def owner(self) -> QWidget:
        """The field whose it is."""
        return self._owner

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_at(self, box: QWidget, width: int, height: int) -> None:
        window = self._owner.window()
        if window is not self.parentWidget():  # the panel was moved to another window since
            self.setParent(window)
            window.installEventFilter(self)
        corner = box.mapTo(window, QPoint(0, box.height()))
        room = window.height() - corner.y() - 6
        above = corner.y() - box.height() - 6
        if height > room and above > room:
            height = min(height, above)
            corner.setY(corner.y() - box.height() - height)
        else:
            height = min(height, room)
        width = min(width, window.width() - 8)
        corner.setX(max(4, min(corner.x(), window.width() - width - 4)))
        self.setGeometry(QRect(corner.x(), corner.y(), width, max(40, height)))
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        gone = watched is self._owner and kind in (QEvent.Type.Hide, QEvent.Type.ParentChange)
        if gone or (watched is self.parentWidget() and kind == QEvent.Type.Resize):
            self.hide()
        return False

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.color("surface"))
        painter.setPen(QPen(theme.color("field_line"), 1))
        painter.setBrush(theme.color("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)


class Bubble(Drop):
    """A few plain words below what they are about, for a while or until the focus goes."""

    def __init__(self, owner: QWidget, theme: Theme, words: str) -> None:
        label = QLabel()
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setText(words)
        label.setFont(theme.font("caption"))
        label.setContentsMargins(6, 3, 6, 3)
        ink(label, theme, "text")
        super().__init__(owner, theme, label)
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(self.leave)
        timer.start(TOLD_MS)
        width = min(theme.metrics("caption").horizontalAdvance(words) + 24, theme.px(280))
        self.show_at(owner, width, label.heightForWidth(width - 8) + 10)

    def leave(self) -> None:
        self.hide()
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._owner and event.type() == QEvent.Type.FocusOut:
            self.leave()
        return super().eventFilter(watched, event)

"""A sheet that slides no further than it must: it covers the right part of the window and leaves the rest readable.

For lists and details of the shell's own (what was not saved, panels on this machine). Esc or *Lukk* closes it, and the
focus goes back to where it was. Never modal: the work behind stays live.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from workspace.shell.chips import PlainButton
from workspace.shell.kit.emptying import take_out
from workspace.shell.kit.squeezed import Scrolled, Squeezed
from workspace.shell.theme import Theme

WIDTH = 560


class Sheet(QFrame):
    """A child of `window`; `inside` is the layout for what it shows. `closed` after it has gone from view."""

    closed = Signal()

    def __init__(self, theme: Theme, window: QWidget, title: str, words: str = "") -> None:
        super().__init__(window)
        self.theme = theme
        self._window = window
        self._before: QWidget | None = None
        self._title, self._words = QLabel(title), QLabel(words)
        for label, role in ((self._title, "title"), (self._words, "body")):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setFont(theme.font("title" if role == "title" else "body"))
            label.setWordWrap(True)
        if not words:  # never shown before it has a place: it would be a window of its own for a moment
            self._words.hide()
        self._tint(self._words, "muted")
        self.shut = PlainButton(theme, "Lukk", "Esc")
        self.shut.setShortcut("")
        self.shut.clicked.connect(self.close_)
        self.setAccessibleName(title)
        self._compose()
        window.installEventFilter(self)
        self.hide()

    def _compose(self) -> None:
        theme = self.theme
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self.shut, 0, Qt.AlignmentFlag.AlignTop)
        content = Squeezed()
        whole = QVBoxLayout(content)  # the words too: in a small window with large text they are all there is room for
        whole.setContentsMargins(0, 0, theme.px(8), 0)
        whole.setSpacing(theme.gap("s"))
        whole.addWidget(self._words)
        self.inside = QVBoxLayout()
        self.inside.setSpacing(theme.gap("m"))
        whole.addLayout(self.inside, 1)
        self._area = Scrolled(content)
        box = QVBoxLayout(self)
        edge = theme.gap("l")
        box.setContentsMargins(edge, theme.gap("m"), edge, theme.gap("m"))
        box.setSpacing(theme.gap("s"))
        box.addLayout(head)
        box.addWidget(self._area, 1)

    def say(self, words: str) -> None:
        """The sentence under the title."""
        self._words.setText(words)
        self._words.setVisible(bool(words))

    def open(self) -> None:
        if not self.isVisible():
            self._before = self._window.focusWidget()
            QApplication.instance().focusChanged.connect(self._see)  # type: ignore[union-attr]
        self._place()
        self.show()
        self.raise_()
        first = next((one for one in self._area.findChildren(PlainButton) if one.isVisibleTo(self)), self.shut)
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _see(self) -> None:
        """What has the focus is in sight, once all has its place."""
        QTimer.singleShot(0, self, self._scroll_to)

    def _scroll_to(self) -> None:
        here = self.focusWidget()
        if here is not None and self._area.isAncestorOf(here):
            self._area.ensureWidgetVisible(here, 0, self.theme.gap("l"))

    def close_(self) -> None:
        if not self.isVisible():
            return
        QApplication.instance().focusChanged.disconnect(self._see)  # type: ignore[union-attr]
        self.hide()
        if self._before is not None and self._before.isVisible():
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)
        self._before = None
        self.closed.emit()

    def clear(self) -> None:
        """Take away what it shows."""
        for widget in take_out(self.inside):
            widget.hide()
            widget.deleteLater()

    def label(self, words: str, role: str = "body", ink: str = "text") -> QLabel:
        """Plain text that wraps, in a role of the theme's fonts."""
        label = QLabel(words)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setFont(self.theme.font(role))  # type: ignore[arg-type]
        self._tint(label, ink)
        return label

    def column(self, lines: Sequence[QWidget]) -> QWidget:
        """Lines that belong together, under each other."""
        held = QWidget()
        box = QVBoxLayout(held)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        for line in lines:
            box.addWidget(line)
        return held

    def _tint(self, label: QLabel, ink: str) -> None:
        colours = label.palette()
        colours.setColor(label.foregroundRole(), self.theme.color(ink))
        label.setPalette(colours)

    def _place(self) -> None:
        window = self._window
        width = min(self.theme.px(WIDTH), window.width())
        self.setGeometry(window.width() - width, 0, width, window.height() - self.theme.px(30))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_()
            return
        bar = self._area.verticalScrollBar()
        page = {Qt.Key.Key_PageDown: bar.pageStep(), Qt.Key.Key_PageUp: -bar.pageStep()}.get(Qt.Key(event.key()))
        if page is not None:
            bar.setValue(bar.value() + page)
            return
        focus = self._window.focusWidget()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focus, QAbstractButton):
            focus.click()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.color("surface"))
        beside = self.geometry().right() < self._window.width() - 1
        painter.fillRect(self.width() - 1 if beside else 0, 0, 1, self.height(), self.theme.color("field_line"))

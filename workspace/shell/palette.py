"""Ctrl+K: residents, panels and actions in one list, found by typing. Shows no patient data but name, room and age."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QStyledItemDelegate, QVBoxLayout, QWidget

from workspace.shell.theme import Theme

MOST = 12


NO_HITS = "Ingen treff. Prøv færre bokstaver."


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to go to. `kind` is shown to the right: «Beboer», «Panel», «Handling»."""

    title: str
    kind: str
    hint: str
    run: Callable[[], None]


def fold(text: str) -> str:
    """For matching what is typed: lower case, but å, ø, á and their like stay themselves (R: «Anne» is not «Ánte»)."""
    return unicodedata.normalize("NFC", text).casefold()


def matching(choices: Sequence[Choice], typed: str) -> list[Choice]:
    """Those where every typed word begins a word of the title or hint; title hits first, order kept."""
    words = fold(typed).split()

    def hit(text: str) -> bool:
        parts = fold(text).replace("·", " ").split()
        return all(any(part.startswith(word) for part in parts) for word in words)

    first = [one for one in choices if hit(one.title)]
    rest = [one for one in choices if one not in first and hit(f"{one.title} {one.hint} {one.kind}")]
    return (first + rest)[:MOST]


class _Painter(QStyledItemDelegate):
    def __init__(self, palette: Palette) -> None:
        super().__init__(palette)
        self._palette = palette

    def sizeHint(self, option: object, index: object) -> QSize:
        return QSize(100, self._palette.theme.row + 4)

    def paint(self, painter: QPainter, option: object, index: object) -> None:
        theme = self._palette.theme
        choice: Choice | None = index.data(Qt.ItemDataRole.UserRole)  # type: ignore[attr-defined]
        area = option.rect  # type: ignore[attr-defined]
        if choice is None:
            painter.setFont(theme.font("body"))
            painter.setPen(theme.color("muted"))
            words = index.data(Qt.ItemDataRole.DisplayRole)  # type: ignore[attr-defined]
            painter.drawText(area.adjusted(theme.px(14), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)
            return
        chosen = index.row() == self._palette.list.currentRow()  # type: ignore[attr-defined]
        painter.fillRect(area, theme.color("selection" if chosen else "surface"))
        if chosen:
            painter.fillRect(area.left(), area.top(), 3, area.height(), theme.color("accent"))
        room = area.adjusted(theme.px(14), 0, -theme.px(14), 0)
        free = room.width() - theme.metrics("caption").horizontalAdvance(choice.kind) - theme.px(8)
        painter.setFont(theme.font("medium"))
        painter.setPen(theme.color("text"))
        title = theme.metrics("medium").elidedText(choice.title, Qt.TextElideMode.ElideRight, free)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, title)
        left = theme.metrics("medium").horizontalAdvance(title) + theme.px(8)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.color("muted"))
        hint = theme.metrics("body").elidedText(choice.hint, Qt.TextElideMode.ElideRight, max(0, free - left))
        painter.drawText(room.adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, hint)
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.color("faint"))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, choice.kind)


class Palette(QFrame):
    """A child of the window, over everything; Esc or a click outside closes it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self._choices: list[Choice] = []
        self._before: QWidget | None = None
        self.setAccessibleName("Finn beboer, panel eller handling")
        self.edit = QLineEdit()
        self.edit.setFrame(False)
        self.edit.setPlaceholderText("Finn beboer, panel eller handling")
        self.edit.setAccessibleName("Finn beboer, panel eller handling")
        self.list = QListWidget()
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setItemDelegate(_Painter(self))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setAccessibleName("Treff")
        self.edit.textChanged.connect(self._search)
        self.edit.installEventFilter(self)
        self.list.itemClicked.connect(lambda _item: self._run())
        box = QVBoxLayout(self)
        box.setContentsMargins(10, 12, 10, 10)
        box.addWidget(self.edit)
        box.addWidget(self.list)
        self.hide()

    def open(self, choices: Sequence[Choice]) -> None:
        window = self.parentWidget()
        assert window is not None
        self._choices = list(choices)
        self._before = window.focusWidget()
        self.edit.setFont(self.theme.font("title"))
        self.edit.clear()
        self._search("")
        width = min(self.theme.px(620), window.width() - 40)
        top = min(self.theme.px(56), window.height() // 10)
        height = min(self.theme.px(460), window.height() - top - 16)
        self.setGeometry((window.width() - width) // 2, top, width, height)
        self.raise_()
        self.show()
        self.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def close_(self) -> None:
        self.hide()
        if self._before is not None:
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)
            self._before = None

    def _search(self, typed: str) -> None:
        # Not `clear()`: it deletes items under wrappers that Python still has, and the program died of it now and then.
        while self.list.count():
            self.list.takeItem(0)
        for choice in matching(self._choices, typed):
            item = QListWidgetItem(f"{choice.title} {choice.hint} {choice.kind}")
            item.setData(Qt.ItemDataRole.UserRole, choice)
            self.list.addItem(item)
        self.list.setCurrentRow(0)
        if not self.list.count():
            self.list.addItem(NO_HITS)

    def _run(self) -> None:
        item = self.list.currentItem()
        choice = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        if choice is not None:
            self._before = None
            self.hide()
            choice.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step:
                self.list.setCurrentRow((self.list.currentRow() + step) % max(1, self.list.count()))
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.close_()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run()
                return True
        if event.type() == QEvent.Type.FocusOut and self.isVisible():
            self.hide()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.theme.color("field_line"), 1))
        painter.setBrush(self.theme.color("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 12, 12)
        painter.fillRect(1, self.edit.geometry().bottom() + 4, self.width() - 2, 1, self.theme.color("line"))

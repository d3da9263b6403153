"""A table's Qt views: the rows, the head with its sort arrow, and the field where rows are found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QSizePolicy,
    QTableView,
)

from workspace.shell import icons
from workspace.shell.kit import whence
from workspace.shell.kit.fields import LineEdit
from workspace.shell.kit.table_cells import PAD

if TYPE_CHECKING:
    from workspace.shell.kit.table import TableWidget
from workspace.shell.kit.painting import guarded


class Head(QHeaderView):
    """Quiet captions; a small arrow shows what the table is sorted by."""

    tall = 32
    """Pixels. Stands in the class: Qt asks for it also while Python takes a table apart and no `_table` is left."""

    def __init__(self, table: TableWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, table)
        self._table = table
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setStretchLastSection(False)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self.tall)

    def paintSection(self, painter: QPainter, rect: QRect, logical: int) -> None:
        theme, model = self._table.theme, self._table.model
        painter.fillRect(rect, theme.color("surface"))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, theme.color("line"))
        column = model.component.columns[logical]
        painter.setFont(theme.font("label"))
        painter.setPen(theme.color("muted"))
        pad = theme.px(self._table.pad)
        room = rect.adjusted(pad, 0, -pad, 0)
        side = Qt.AlignmentFlag.AlignRight if column.align == "end" else Qt.AlignmentFlag.AlignLeft
        text = theme.metrics("label").elidedText(column.title, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, text)
        if model.sorted_by.lstrip("-") == column.key and column.title:
            size = theme.px(12)
            left = room.left() + theme.metrics("label").horizontalAdvance(text) + 3
            if column.align == "end":
                left = room.right() - theme.metrics("label").horizontalAdvance(text) - size - 3
            name = "chevron-down" if model.sorted_by.startswith("-") else "chevron-up"
            area = QRect(left, rect.center().y() - size // 2, size, size)
            icons.paint(painter, name, theme.color("muted"), area.toRectF())


class View(QTableView):
    """The view: whole rows, keyboard first, hover, and a word when there is nothing."""

    def __init__(self, table: TableWidget) -> None:
        super().__init__(table)
        self._table = table
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCornerButtonEnabled(False)

    def filled(self) -> int:
        """Pixels that the columns take together."""
        return self.horizontalHeader().length()

    def widen(self, widths: dict[int, int]) -> None:
        """Give columns these widths in pixels, none: hidden. At once: told one by one of each, the view would paint all its
        rows once more, in a turn after the one in which they are first seen."""
        head, other = self.horizontalHeader(), False
        head.blockSignals(True)
        try:
            for index, width in widths.items():
                if head.isSectionHidden(index) != (not width):
                    head.setSectionHidden(index, not width)
                    other = True
                if width and head.sectionSize(index) != width:
                    head.resizeSection(index, width)
                    other = True
        finally:
            head.blockSignals(False)
        if other:
            self.updateGeometries()
            self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._table.set_hot(self.indexAt(event.position().toPoint()).row())
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._table.set_hot(-1)
        super().leaveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        whence.by_mouse(self, event)

    def offers(self, spot: QPoint | None) -> Sequence[whence.Offer]:
        here = self.currentIndex() if spot is None else self.indexAt(spot)
        return self._table.offers(here.row(), None if spot is None else here.column())

    def offered_at(self) -> QRect:
        row = max(0, self.currentIndex().row())
        return QRect(0, self.rowViewportPosition(row), self.viewport().width(), self.rowHeight(row))

    def ask_origin(self, reference: str, area: QRect) -> None:
        self._table.ask_origin(reference, area)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if whence.is_key(event):
            whence.open_menu(self, None)
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._table.activate(self.currentIndex().row())
            return
        alone = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if alone and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._table.step(1 if event.key() == Qt.Key.Key_Right else -1)
            return
        if event.matches(QKeySequence.StandardKey.Find) and self._table.model.component.find:
            self._table.open_find()
            return
        if event.key() == Qt.Key.Key_Escape and self._table.model.finding:
            self._table.find_nothing()
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._table.fit()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        theme = self._table.theme
        painter = QPainter(self.viewport())
        if self._table.model.rowCount() == 0:
            painter.setPen(theme.color("muted"))
            painter.setFont(theme.font("body"))
            words = self._table.nothing()
            room = self.viewport().rect().adjusted(theme.px(PAD), theme.px(10), -theme.px(PAD), 0)
            painter.drawText(room, Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap, words)
        if self.hasFocus():
            row = self.currentIndex().row()
            spot = self.viewport().rect()
            if row >= 0:
                spot = QRect(0, self.rowViewportPosition(row), self.viewport().width(), self.rowHeight(row))
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.drawRect(spot.adjusted(1, 1, -1, -1))


class FindEdit(LineEdit):
    """Where rows are found by their words. Enter and Down go to the rows, Escape shows all again."""

    def __init__(self, table: TableWidget) -> None:
        super().__init__(table.theme)
        self._table = table
        self.setPlaceholderText("Finn i tabellen")
        self.setAccessibleName("Finn i tabellen")

    def keeps_enter(self) -> bool:
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._table.find_nothing()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down):
            self._table.to_rows()
        else:
            super().keyPressEvent(event)

"""How a table's cells are painted: one delegate for text, pills and sparks, and what a cell needs of room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from workspace.panels.components import Cell, Pill, TableColumn
from workspace.shell import painters
from workspace.shell.chips import paint_shape
from workspace.shell.fonts import Role
from workspace.shell.kit.env import RowMark
from workspace.shell.kit.table_model import CELL, COLUMN, cell_of
from workspace.shell.kit.wrapping import paint_lines, wrapped
from workspace.shell.theme import Theme

if TYPE_CHECKING:
    from workspace.shell.kit.table import TableWidget

PAD, TIGHT = 8, 5
"""Beside what stands in a cell; the less where a column would else have to go."""
SPARK = 84
PILL = 44
"""Pills of a column stand under each other: short ones are as wide as this."""


class CellPainter(QStyledItemDelegate):
    """Paints a cell: text, then muted secondary text, then pills; the row's tint, edge and hairline."""

    def __init__(self, table: TableWidget) -> None:
        super().__init__(table)
        self._table = table

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme, model = self._table.theme, self._table.model
        area: QRect = option.rect
        row = model.row(index.row())
        chosen = row.key == self._table.chosen()
        hot = index.row() == self._table.hot
        painter.fillRect(area, theme.color("selection" if chosen else ("hover" if hot else "surface")))
        painter.fillRect(area.left(), area.bottom(), area.width(), 1, theme.color("line"))
        first = self._table.view.horizontalHeader().sectionViewportPosition(index.column()) == 0
        if first and (chosen or row.tone != "neutral"):
            edge = theme.color("accent") if chosen else theme.tone(row.tone)
            painter.fillRect(area.left(), area.top(), 3, area.height(), edge)
        cell, column = index.data(CELL), index.data(COLUMN)
        pad = theme.px(self._table.pad)
        room = area.adjusted(pad, 0, -pad, -1)
        if column.kind == "spark":
            values = cell.values
            if values:
                spark = room.adjusted(2, theme.px(9), -3, -theme.px(9))
                painters.paint_spark(painter, theme, spark.toRectF(), values, cell.high, cell.tone)
            return
        if column.kind == "pill" and cell.text:
            words = fitting_pill(theme, cell.text, cell.shape, room.width() + pad // 2)
            middle, least = room.center().y() + 1, min(theme.px(PILL), room.width())
            painters.paint_pill(painter, theme, room.left(), middle, words, cell.tone, cell.shape, least)
            return
        mark = model.mark(row) if index.column() == model.marked else None
        if mark is not None:
            room = self._mark(painter, room, mark, self._wide(cell, column))
        left = self._words(painter, room, cell, column)
        shown, rest = fitting_pills(theme, cell.pills, room.right() + pad - left)
        middle = room.center().y() + 1
        for pill in shown:
            left += painters.paint_pill(painter, theme, left, middle, pill.text, pill.tone, pill.shape) + 4
        if rest:
            painter.setFont(theme.font("label"))
            painter.setPen(theme.color("muted"))
            side = QRect(left, room.top(), theme.px(28), room.height())
            painter.drawText(side, Qt.AlignmentFlag.AlignVCenter, f"+{rest}")

    def _mark(self, painter: QPainter, room: QRect, mark: RowMark, words: int) -> QRect:
        """The room that is left. Its shape alone where its word would take what it stands beside: then the word is in the
        tip, and read out."""
        theme, size = self._table.theme, self._table.theme.px(9)
        wide = painters.pill_width(theme, mark.words, mark.shape)
        if words + theme.px(6) + wide > room.width():
            spot = QRectF(room.right() - size, room.center().y() + 1 - size / 2, size, size)
            paint_shape(painter, mark.shape, spot, theme.tone(mark.tone))
            return room.adjusted(0, 0, -size - theme.px(4), 0)
        painters.paint_pill(
            painter, theme, room.right() - wide, room.center().y() + 1, mark.words, mark.tone, mark.shape
        )
        return room.adjusted(0, 0, -wide - theme.px(6), 0)

    def _wide(self, cell: Cell, column: TableColumn) -> int:
        """What a cell's words take."""
        theme = self._table.theme
        width = theme.metrics(inked(column, cell)).horizontalAdvance(self._table.model.shown(cell, column))
        if cell.secondary:
            width += theme.metrics("body").horizontalAdvance(cell.secondary) + theme.px(6)
        return width

    def _words(self, painter: QPainter, room: QRect, cell: object, column: TableColumn) -> int:
        theme = self._table.theme
        shown = cell_of(cell)  # type: ignore[arg-type]
        role = inked(column, shown)
        metrics = theme.metrics(role)
        text = self._table.model.shown(shown, column)
        muted = column.kind in ("muted", "age", "date", "time")
        ink = theme.color("muted" if muted else "text") if shown.tone == "neutral" else theme.tone(shown.tone)
        painter.setFont(theme.font(role))
        painter.setPen(ink)
        side = Qt.AlignmentFlag.AlignRight if column.align == "end" else Qt.AlignmentFlag.AlignLeft
        if column.align == "end" and shown.secondary:
            after = theme.metrics("body").horizontalAdvance(shown.secondary) + theme.px(6)
            room = room.adjusted(max(0, room.width() - after - metrics.horizontalAdvance(text) - 2), 0, 0, 0)
            side = Qt.AlignmentFlag.AlignLeft
        if column.lines > 1 and metrics.horizontalAdvance(text) > room.width():
            lines = wrapped(theme, role, text, room.width(), column.lines)
            top = room.center().y() + 1 - len(lines) * theme.line_height(role) // 2
            paint_lines(painter, theme, role, lines, room.left(), top, room.width())
            return room.right()
        elided = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, elided)
        left = room.left() + (metrics.horizontalAdvance(elided) + theme.px(5) if text else 0)
        if shown.secondary:
            painter.setFont(theme.font("body"))
            painter.setPen(theme.color("muted"))
            rest = room.adjusted(left - room.left(), 0, 0, 0)
            words = theme.metrics("body").elidedText(shown.secondary, Qt.TextElideMode.ElideRight, max(0, rest.width()))
            painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter, words)
            left += theme.metrics("body").horizontalAdvance(words) + theme.px(6)
        return left

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(self.width_of(index.row(), index.data(COLUMN)), self._table.theme.row)

    def lines_of(self, row: int, column: TableColumn, width: int) -> int:
        """How many lines a cell takes in a column so wide."""
        theme, model = self._table.theme, self._table.model
        text = model.shown(cell_of(model.row(row).cells.get(column.key)), column)
        return len(wrapped(theme, role_of(column), text, width - 2 * theme.px(self._table.pad), column.lines))

    def width_of(self, row: int, column: TableColumn, *, brief: bool = False) -> int:
        """What a cell needs, padding and the row's mark included: a mark never takes the room of what it stands beside.
        `brief`: with the mark's shape alone."""
        theme, model = self._table.theme, self._table.model
        if column.kind == "spark":
            return theme.px(SPARK) + 2 * theme.px(PAD)
        cell = cell_of(model.row(row).cells.get(column.key))
        if column.kind == "pill":
            return max(theme.px(PILL), painters.pill_width(theme, cell.text, cell.shape)) + 2 * theme.px(PAD)
        width = self._wide(cell, column) + 2 * theme.px(PAD) + 2
        mark = model.mark(model.row(row)) if model.component.columns[model.marked] is column else None
        if mark is not None:
            width += theme.px(13) if brief else painters.pill_width(theme, mark.words, mark.shape) + theme.px(6)
        return width + sum(painters.pill_width(theme, pill.text, pill.shape) + 4 for pill in cell.pills)


def role_of(column: TableColumn) -> Role:
    return "strong" if column.kind == "strong" else ("caption" if column.kind in ("age", "muted") else "body")


def inked(column: TableColumn, cell: Cell) -> Role:
    """The letters a cell is drawn in, which are those it is measured in: what is bad stands in strong ones."""
    role = role_of(column)
    return "strong" if role == "body" and cell.tone == "bad" else role


def fitting_pills(theme: Theme, pills: list[Pill], room: int) -> tuple[list[Pill], int]:
    """The pills that fit, and how many do not: these are counted on the screen, never left out in silence."""
    widths = [painters.pill_width(theme, pill.text, pill.shape) + 4 for pill in pills]
    if sum(widths) - 4 <= room:
        return pills, 0
    count, left = 0, room - theme.px(22)
    while count < len(pills) and widths[count] <= left:
        left -= widths[count]
        count += 1
    return pills[:count], len(pills) - count


def fitting_pill(theme: Theme, text: str, shape: str, room: int) -> str:
    """The text, shortened until its pill fits."""
    over = painters.pill_width(theme, text, shape) - room
    if over <= 0:
        return text
    metrics = theme.metrics("pill")
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, metrics.horizontalAdvance(text) - over))

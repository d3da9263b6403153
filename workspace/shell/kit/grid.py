"""The grid component: equal columns, fewer where there is no room."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget

from workspace.shell.kit.containers import Container, tall_as_wide
from workspace.shell.kit.fields import Labelled


class Cells(QLayout):
    """Equal columns, fewer where there is no room. In each row the boxes of fields line up, and so does a button's foot."""

    LEAST = 104

    def __init__(self, grid: GridWidget) -> None:
        super().__init__(grid)
        self._grid = grid
        self._items: list[QLayoutItem] = []

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)
        self.invalidate()  # a child that is shown already asks for nothing itself

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._run(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._run(rect, move=True)

    def sizeHint(self) -> QSize:
        least = self._grid.theme.px(self.LEAST)
        wide = least * self._grid.component.columns
        return QSize(wide, self._run(QRect(0, 0, wide, 0), move=False))

    def minimumSize(self) -> QSize:
        return QSize(self._grid.theme.px(self.LEAST), 0)

    def columns(self, width: int) -> int:
        """How many fit."""
        gap = self.spacing()
        least = self._grid.theme.px(self.LEAST) + gap
        return int(max(1, min(self._grid.component.columns, (width + gap) // least)))

    def _run(self, rect: QRect, *, move: bool) -> int:
        columns, y = self.columns(rect.width()), rect.y()
        row: list[tuple[QLayoutItem, int, int]] = []
        used = 0
        for item, span in zip(self._items, self._grid.spans(), strict=False):
            wide = min(span, columns)
            if used + wide > columns:
                y += self._row(row, rect, y, columns, move=move) + self.spacing()
                row, used = [], 0
            row.append((item, used, wide))
            used += wide
        return y + (self._row(row, rect, y, columns, move=move) if row else 0) - rect.y()

    def _row(self, row: list[tuple[QLayoutItem, int, int]], rect: QRect, y: int, columns: int, *, move: bool) -> int:
        gap = self.spacing()
        one = (rect.width() - gap * (columns - 1)) / columns
        line, placed = 0, []
        for item, start, wide in row:
            width = round(wide * one + (wide - 1) * gap)
            tall = item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
            widget = item.widget()
            foot = widget.standing(width) if isinstance(widget, Labelled) else tall
            line = max(line, foot)
            placed.append((item, rect.x() + round(start * (one + gap)), width, tall, foot))
        bottom = 0
        for item, x, width, tall, foot in placed:
            if move:
                item.setGeometry(QRect(x, y + line - foot, width, tall))
            bottom = max(bottom, line - foot + tall)
        return bottom


class GridWidget(Container):
    """Equal columns; `span` counts columns."""

    def make(self) -> QLayout:
        tall_as_wide(self)
        return Cells(self)

    def spans(self) -> list[int]:
        return [max(1, span) for _, _, span in self.children_]

    def put(self, widget: QWidget, kind: str, span: int) -> None:
        self.box.addWidget(widget)


WIDGETS: dict[str, type[Container]] = {"grid": GridWidget}

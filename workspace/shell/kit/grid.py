"""The grid component: equal columns, fewer where there is no room."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import QWidget

from workspace.shell.kit.arranger import Arranged, Arranger, seat, tall_of
from workspace.shell.kit.containers import Container, tall_as_wide
from workspace.shell.kit.fields import Labelled


class Cells(Arranger):
    """Equal columns, fewer where there is no room. In each row the boxes of fields line up, and so does a button's foot."""

    LEAST = 104

    def __init__(self, grid: GridWidget) -> None:
        super().__init__(grid)
        self._grid = grid

    def hint(self) -> QSize:
        wide = self._grid.theme.px(self.LEAST) * self._grid.component.columns
        return QSize(wide, self.arrange(QRect(0, 0, wide, 0), move=False))

    def least(self) -> QSize:
        return QSize(self._grid.theme.px(self.LEAST), 0)

    def columns(self, width: int) -> int:
        """How many fit."""
        gap = self.spacing()
        least = self._grid.theme.px(self.LEAST) + gap
        return int(max(1, min(self._grid.component.columns, (width + gap) // least)))

    def arrange(self, rect: QRect, *, move: bool) -> int:
        columns, y = self.columns(rect.width()), rect.y()
        row: list[tuple[QWidget, int, int]] = []
        used, spans = 0, self._grid.spans()
        for at, widget in self.widgets():
            wide = min(spans[at] if at < len(spans) else 1, columns)
            if used + wide > columns:
                y += self._row(row, rect, y, columns, move=move) + self.spacing()
                row, used = [], 0
            row.append((widget, used, wide))
            used += wide
        return y + (self._row(row, rect, y, columns, move=move) if row else 0) - rect.y()

    def _row(self, row: list[tuple[QWidget, int, int]], rect: QRect, y: int, columns: int, *, move: bool) -> int:
        gap = self.spacing()
        one = (rect.width() - gap * (columns - 1)) / columns
        line, placed = 0, []
        for widget, start, wide in row:
            width = round(wide * one + (wide - 1) * gap)
            tall = tall_of(widget, width)
            foot = widget.standing(width) if isinstance(widget, Labelled) else tall
            line = max(line, foot)
            placed.append((widget, rect.x() + round(start * (one + gap)), width, tall, foot))
        bottom = 0
        for widget, x, width, tall, foot in placed:
            if move:
                seat(widget, QRect(x, y + line - foot, width, tall))
            bottom = max(bottom, line - foot + tall)
        return bottom


class GridWidget(Arranged, Container):
    """Equal columns; `span` counts columns."""

    def make(self) -> Arranger:
        tall_as_wide(self)
        return Cells(self)

    def spans(self) -> list[int]:
        return [max(1, span) for _, _, span in self.children_]

    def forget(self) -> None:
        """It has no words of its own."""

    def put(self, widget: QWidget, kind: str, span: int) -> None:
        self.box.addWidget(widget)

    def done(self) -> None:
        self.rearrange()


WIDGETS: dict[str, type[Container]] = {"grid": GridWidget}

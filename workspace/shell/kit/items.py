"""The list component: things with a title, a few words, pills and an age. One delegate paints them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from workspace.panels.components import Action, ListItem
from workspace.shell import icons, painters
from workspace.shell.kit import when
from workspace.shell.kit.stack import StackWidget
from workspace.shell.kit.table_model import MARKS
from workspace.shell.kit.wrapping import paint_lines, wrapped

PAD = 8


class ListWidget(StackWidget):
    def rows(self) -> Sequence[ListItem]:
        return tuple(self.component.items)

    def key(self, row: Any) -> str:
        return str(row.key)

    def action(self, row: Any) -> Action | None:
        return row.action  # type: ignore[no-any-return]

    def words(self, row: Any) -> str:
        pills = [" ".join(part for part in (pill.text, MARKS[pill.shape]) if part) for pill in row.pills]
        return ". ".join(part for part in (row.label or row.title, row.text, *pills, self._below(row)) if part)

    def _below(self, row: ListItem) -> str:
        age = when.age(row.at, self.env.now()) if row.at else ""
        return " · ".join(part for part in (age, row.source) if part)

    def _frame(self, row: ListItem, width: int) -> tuple[int, int, int]:
        """Where the words begin, how wide the title may be, and the room below it."""
        theme = self.theme
        left = theme.px(PAD) + (theme.px(28) if row.icon else 0)
        room = width - left - theme.px(PAD)
        pills = sum(painters.pill_width(theme, pill.text, pill.shape) + 4 for pill in row.pills)
        beside = pills if pills <= room // 2 else 0
        return left, max(1, room - beside - (theme.px(8) if beside else 0)), max(1, room)

    def tall(self, row: Any, width: int) -> int:
        theme = self.theme
        _, title, room = self._frame(row, width)
        tall = 2 * theme.px(PAD) + theme.line_height() * len(wrapped(theme, "medium", row.title, title, 2))
        tall += theme.line_height() * len(wrapped(theme, "body", row.text, room, 2))
        if self._own_line(row, title, room):
            tall += theme.pill + theme.px(4)
        if self._below(row):
            tall += theme.line_height("caption")
        return max(theme.row, tall)

    @staticmethod
    def _own_line(row: ListItem, title: int, room: int) -> bool:
        """Pills that do not fit beside the title have a line of their own."""
        return bool(row.pills) and title == room

    def paint_row(self, painter: QPainter, area: QRect, row: Any, index: int) -> None:
        theme = self.theme
        chosen, hot = row.key == self.component.selected, index == self.hot and row.action is not None
        if chosen or hot:
            painter.fillRect(area, theme.color("selection" if chosen else "hover"))
        painter.fillRect(area.left(), area.bottom(), area.width(), 1, theme.color("line"))
        if chosen or row.tone != "neutral":
            edge = theme.color("accent") if chosen else theme.tone(row.tone)
            painter.fillRect(area.left(), area.top(), 3, area.height() - 1, edge)
        left, title, room = self._frame(row, area.width())
        x, top = area.left() + left, area.top() + theme.px(PAD)
        if row.icon:
            size = theme.px(18)
            spot = QRectF(area.left() + theme.px(PAD), top + (theme.line_height() - size) / 2, size, size)
            icons.paint(painter, row.icon, theme.tone(row.tone), spot)
        painter.setPen(theme.color("text"))
        below = paint_lines(painter, theme, "medium", wrapped(theme, "medium", row.title, title, 2), x, top, title)
        own = self._own_line(row, title, room)
        if row.pills:
            widths = [painters.pill_width(theme, pill.text, pill.shape) + 4 for pill in row.pills]
            at = x if own else x + room - sum(widths) + 4
            middle = below + theme.px(2) + theme.pill / 2 if own else top + theme.line_height() / 2
            for pill, width in zip(row.pills, widths, strict=True):
                painters.paint_pill(painter, theme, at, middle, pill.text, pill.tone, pill.shape)
                at += width
            below += theme.pill + theme.px(4) if own else 0
        painter.setPen(theme.color("muted"))
        below = paint_lines(painter, theme, "body", wrapped(theme, "body", row.text, room, 2), x, below, room)
        painter.setPen(theme.color("muted" if chosen or hot else "faint"))
        paint_lines(painter, theme, "caption", wrapped(theme, "caption", self._below(row), room, 1), x, below, room)


WIDGETS: dict[str, type[QWidget]] = {"list": ListWidget}

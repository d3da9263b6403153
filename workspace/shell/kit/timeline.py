"""The timeline component: what happened and when, by day. One delegate paints the line, its marks and the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from workspace.clock import OSLO
from workspace.panels.components import Action, Entry
from workspace.shell import painters
from workspace.shell.chips import paint_shape
from workspace.shell.kit import when
from workspace.shell.kit.stack import StackWidget
from workspace.shell.kit.table_model import MARKS
from workspace.shell.kit.wrapping import paint_lines, wrapped

PAD = 6
GUTTER = 46
"""Room for the time of day."""
RAIL = 22
EARLY = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Day:
    """The heading over a day's entries; None for what has no date."""

    date: date | None


class TimelineWidget(StackWidget):
    def rows(self) -> Sequence[Day | Entry]:
        dated = [(when.moment(entry.at), entry) for entry in self.component.entries]
        sign = 1 if self.component.oldest_first else -1
        dated.sort(key=lambda one: sign * (one[0] or EARLY).timestamp() if one[0] else float("inf"))
        found: list[Day | Entry] = []
        last: Day | None = None
        for moment, entry in dated:
            day = Day(moment.date() if moment else None)
            if day != last:
                found.append(day)
                last = day
            found.append(entry)
        return found

    def default_name(self) -> str:
        return "Tidslinje"

    def key(self, row: Any) -> str:
        return "" if isinstance(row, Day) else str(row.key)

    def action(self, row: Any) -> Action | None:
        return row.action if isinstance(row, Entry) else None

    def words(self, row: Any) -> str:
        if isinstance(row, Day):
            return self._day(row)
        pills = [" ".join(part for part in (pill.text, MARKS[pill.shape]) if part) for pill in row.pills]
        moment = when.moment(row.at)
        day = when.long_day(moment.date(), self._today()) if moment else ""
        said = (f"{day} {when.clock(row.at)}".strip(), row.title, MARKS[row.shape], row.text, *pills, row.source)
        return ". ".join(part for part in said if part)

    def _today(self) -> date:
        return self.env.now().astimezone(OSLO).date()

    def _day(self, row: Day) -> str:
        if row.date is None:
            return "Uten dato"
        close = when.near(row.date, self._today()) if abs((row.date - self._today()).days) < 7 else ""
        said = when.long_day(row.date, self._today())
        return f"{close[:1].upper()}{close[1:]} · {said}" if close else said[:1].upper() + said[1:]

    def _room(self, width: int) -> tuple[int, int]:
        """Where the words begin, and their room."""
        left = self.theme.px(GUTTER) + self.theme.px(RAIL)
        return left, max(1, width - left - self.theme.px(PAD))

    def tall(self, row: Any, width: int) -> int:
        theme = self.theme
        if isinstance(row, Day):
            return theme.px(30)
        _, room = self._room(width)
        lines = len(wrapped(theme, "medium", row.title, room, 2)) + len(wrapped(theme, "body", row.text, room, 3))
        tall = 2 * theme.px(PAD) + theme.line_height() * lines
        if row.pills:
            tall += theme.pill + theme.px(4)
        return tall + (theme.line_height("caption") if row.source else 0)

    def paint_row(self, painter: QPainter, area: QRect, row: Any, index: int) -> None:
        if isinstance(row, Day):
            self._paint_day(painter, area, row)
        else:
            self._paint_entry(painter, area, row, index)

    def _paint_day(self, painter: QPainter, area: QRect, row: Day) -> None:
        theme = self.theme
        painter.setFont(theme.font("label"))
        painter.setPen(theme.color("muted"))
        words = theme.metrics("label").elidedText(self._day(row), Qt.TextElideMode.ElideRight, area.width() - 8)
        below = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft
        painter.drawText(area.adjusted(0, 0, 0, -theme.px(5)), below, words)
        painter.fillRect(area.left(), area.bottom(), area.width(), 1, theme.color("line"))

    def _paint_entry(self, painter: QPainter, area: QRect, row: Entry, index: int) -> None:
        theme = self.theme
        if index == self.hot and row.action is not None:
            painter.fillRect(area, theme.color("hover"))
        left, room = self._room(area.width())
        top, x = area.top() + theme.px(PAD), area.left() + left
        self._paint_mark(painter, area, row, index, top)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.color("muted"))
        clock = QRect(area.left(), top, theme.px(GUTTER) - 4, theme.line_height())
        painter.drawText(clock, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, when.clock(row.at) or "–")
        painter.setPen(theme.color("text"))
        top = paint_lines(painter, theme, "medium", wrapped(theme, "medium", row.title, room, 2), x, top, room)
        painter.setPen(theme.color("muted"))
        top = paint_lines(painter, theme, "body", wrapped(theme, "body", row.text, room, 3), x, top, room)
        if row.pills:
            at = float(x)
            for pill in row.pills:
                middle = top + theme.px(2) + theme.pill / 2
                at += painters.paint_pill(painter, theme, at, middle, pill.text, pill.tone, pill.shape) + 4
            top += theme.pill + theme.px(4)
        painter.setPen(theme.color("faint"))
        paint_lines(painter, theme, "caption", wrapped(theme, "caption", row.source, room, 1), x, top, room)

    def _paint_mark(self, painter: QPainter, area: QRect, row: Entry, index: int, top: int) -> None:
        """The line from entry to entry of a day, and the entry's own mark on it."""
        theme, rows = self.theme, self.model.rows
        middle = top + theme.line_height() // 2
        x = area.left() + theme.px(GUTTER) + theme.px(RAIL) // 2 - 2
        first = index == 0 or isinstance(rows[index - 1], Day)
        last = index == len(rows) - 1 or isinstance(rows[index + 1], Day)
        start, end = (middle if first else area.top()), (middle if last else area.bottom() + 1)
        painter.fillRect(x, start, 1, end - start, theme.color("line"))
        size = theme.px(10)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        spot = QRectF(x + 0.5 - size / 2, middle - size / 2, size, size)
        painter.fillRect(spot.adjusted(-2, -2, 2, 2), theme.color("surface"))
        paint_shape(painter, "dot" if row.shape == "none" else row.shape, spot, theme.tone(row.tone))


WIDGETS: dict[str, type[QWidget]] = {"timeline": TimelineWidget}

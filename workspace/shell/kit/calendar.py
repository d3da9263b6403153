"""A month to choose a day from: opened from a date field, all by keyboard. Paints; the field keeps the value."""

from __future__ import annotations

from datetime import date, timedelta

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from workspace.shell import icons
from workspace.shell.kit import days, when
from workspace.shell.kit.access import Role, Spoken, announce
from workspace.shell.kit.painting import guarded
from workspace.shell.theme import Theme

CELL = 32
HEAD = 34


class Calendar(QWidget):
    """Arrows move by a day or a week, Page Up and Page Down by a month, Home goes to today, Enter chooses, Escape leaves."""

    chosen = Signal(object)
    left = Signal()

    def __init__(self, theme: Theme, today: date) -> None:
        super().__init__()
        self._theme, self._today, self._day = theme, today, today
        self._value: date | None = None
        self.spoken = Spoken(Role.Table)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)

    def show_day(self, theme: Theme, value: date | None, today: date) -> None:
        self._theme, self._value, self._today = theme, value, today
        self._go(value or today)

    @property
    def day(self) -> date:
        """Where the keyboard stands."""
        return self._day

    def sizeHint(self) -> QSize:
        theme = self._theme
        return QSize(7 * theme.px(CELL) + 8, theme.px(HEAD) + theme.px(22) + 6 * theme.px(CELL) + theme.px(HEAD))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _go(self, day: date) -> None:
        self._day = day
        near = when.near(day, self._today)
        said = when.long_day(day, self._today) + (f", {near}" if near else "")
        self.setAccessibleName(f"Kalender: {said}")
        announce(self, said)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -7, Qt.Key.Key_Down: 7}.get(
            Qt.Key(event.key())
        )
        month = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}.get(Qt.Key(event.key()))
        if step is not None:
            self._step(step)
        elif month is not None:
            self._go(days.month_later(self._day, month))
        elif event.key() == Qt.Key.Key_Home:
            self._go(self._today)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self._day)
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def _step(self, count: int) -> None:
        try:
            self._go(self._day + timedelta(days=count))
        except OverflowError:
            return

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()

    # --- mouse ----------------------------------------------------------------------------------------------

    def _first(self) -> date:
        """The Monday in the upper left corner."""
        start = self._day.replace(day=1)
        return start - timedelta(days=start.weekday()) if start.toordinal() > 7 else start

    def _shown(self) -> list[date]:
        """The days of the six weeks, as far as the calendar goes."""
        first = self._first().toordinal()
        return [date.fromordinal(one) for one in range(first, min(first + 42, date.max.toordinal() + 1))]

    def cell(self, day: date) -> QRectF:
        """Where a day stands."""
        theme = self._theme
        count = (day - self._first()).days
        size, top = theme.px(CELL), theme.px(HEAD) + theme.px(22)
        return QRectF(4 + count % 7 * size, top + count // 7 * size, size, size)

    def _arrow(self, step: int) -> QRectF:
        size = self._theme.px(HEAD)
        return QRectF(0 if step < 0 else self.width() - size, 0, size, size)

    def _foot(self) -> QRectF:
        return QRectF(0, self.height() - self._theme.px(HEAD), self.width(), self._theme.px(HEAD))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        spot = event.position()
        for step in (-1, 1):
            if self._arrow(step).contains(spot):
                self._go(days.month_later(self._day, step))
                return
        if self._foot().contains(spot):
            self.chosen.emit(self._today)
            return
        for day in self._shown():
            if self.cell(day).contains(spot):
                self.chosen.emit(day)
                return

    # --- painting -------------------------------------------------------------------------------------------

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = Qt.AlignmentFlag.AlignCenter
        painter.setFont(theme.font("heading"))
        painter.setPen(theme.color("text"))
        head = QRectF(0, 0, self.width(), theme.px(HEAD))
        painter.drawText(head, middle, f"{when.MONTHS[self._day.month - 1]} {self._day.year}")
        for step, name in ((-1, "chevron-left"), (1, "chevron-right")):
            inset = theme.px(9)
            icons.paint(painter, name, theme.color("muted"), self._arrow(step).adjusted(inset, inset, -inset, -inset))
        painter.setFont(theme.font("label"))
        painter.setPen(theme.color("faint"))
        for index, name in enumerate(when.WEEKDAYS):
            size = theme.px(CELL)
            painter.drawText(QRectF(4 + index * size, theme.px(HEAD), size, theme.px(22)), middle, name[:2])
        for day in self._shown():
            self._paint_day(painter, day)
        painter.setFont(theme.font("button"))
        painter.setPen(theme.color("accent"))
        painter.drawText(self._foot(), middle, "I dag")

    def _paint_day(self, painter: QPainter, day: date) -> None:
        theme, area = self._theme, self.cell(day)
        inside = area.adjusted(2, 2, -2, -2)
        chosen, here = day == self._value, day == self._day
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent"))
            painter.drawRoundedRect(inside, 6, 6)
        elif day == self._today:
            painter.setPen(QPen(theme.color("line"), 1))
            painter.setBrush(theme.color("ground"))
            painter.drawRoundedRect(inside, 6, 6)
        if here:
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 7, 7)
        other = day.month != self._day.month
        painter.setFont(theme.font("strong" if day == self._today else "body"))
        painter.setPen(theme.color("on_accent" if chosen else ("faint" if other else "text")))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, str(day.day))

"""The window's own top bar: search, sandbox mark, clock, unit and user. The status line has a module of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QMenu, QSizePolicy, QWidget

from workspace.shell import icons
from workspace.shell.chips import Chip, PlainButton, SandboxMark, key_cap
from workspace.shell.theme import Theme

DAYS = ("mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag")


def day_and_time(moment: datetime) -> str:
    """«onsdag 14.01.2026 15:04»."""
    return f"{DAYS[moment.weekday()]} {moment:%d.%m.%Y %H:%M}"


class SearchButton(QAbstractButton):
    """Looks like a search field and opens the palette."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setText("Finn beboer, panel eller handling")
        self.setAccessibleName("Finn beboer, panel eller handling, Ctrl K")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.IBeamCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(380), self._theme.px(36))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(120), self._theme.px(36))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        painter.setPen(QPen(theme.color("focus" if self.hasFocus() else "line"), 2 if self.hasFocus() else 1))
        painter.setBrush(theme.color("ground"))
        painter.drawRoundedRect(area, 8, 8)
        size = theme.px(16)
        icons.paint(
            painter, "search", theme.color("muted"), QRectF(theme.px(11), (self.height() - size) / 2, size, size)
        )
        painter.setPen(theme.color("muted"))
        painter.setFont(theme.font("body"))
        cap = theme.metrics("key").horizontalAdvance("Ctrl K") + theme.px(22)
        room = self.rect().adjusted(theme.px(35), 0, -cap, 0)
        text = theme.metrics("body").elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
        key_cap(painter, theme, "Ctrl+K", self.width() - cap + theme.px(2), self.height())


class UnitButton(QAbstractButton):
    """Where the user works now; opens the list of units she has responsibility for."""

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._units: list[tuple[str, str]] = []
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self._open)

    def set_units(self, units: Sequence[tuple[str, str]], current: str, home: str) -> None:
        """`units` are (reference, name)."""
        self._units = list(units)
        name = dict(units).get(current, "")
        self.setText(f"{home} · {name}" if name else home)
        self.setAccessibleName(f"Avdeling: {self.text()}. Trykk for å bytte.")
        self.setVisible(bool(self.text()))
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def _open(self) -> None:
        if len(self._units) < 2:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for reference, name in self._units:
            menu.addAction(name, partial(self.chosen.emit, reference))
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def sizeHint(self) -> QSize:
        theme = self._theme
        return QSize(theme.metrics("pill").horizontalAdvance(self.text()) + theme.px(36), theme.px(26))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1.0, 1.0, -1.0, -1.0)
        painter.setPen(QPen(theme.color("focus" if self.hasFocus() else "line"), 2 if self.hasFocus() else 1))
        painter.setBrush(theme.color("hover" if self.underMouse() else "ground"))
        painter.drawRoundedRect(area, 5, 5)
        painter.setPen(theme.color("muted"))
        painter.setFont(theme.font("pill"))
        room = self.rect().adjusted(theme.px(9), 0, -theme.px(26), 0)
        words = theme.metrics("pill").elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room.adjusted(0, 0, 2, 0), Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, words)
        size = theme.px(12)
        if len(self._units) > 1:
            spot = QRectF(self.width() - size - theme.px(7), (self.height() - size) / 2, size, size)
            icons.paint(painter, "chevron-down", theme.color("muted"), spot)


class TopBar(QWidget):
    """Search, sandbox mark, day and time, unit, user, sign out."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.search = SearchButton(theme)
        self.mark = SandboxMark(theme)
        self.clock = Chip(theme)
        self.unit = UnitButton(theme)
        self.user = Chip(theme, tone="accent")
        self.leave = PlainButton(theme, "Logg ut", "F12")
        self.mark.hide()
        box = QHBoxLayout(self)
        box.setContentsMargins(16, 5, 16, 5)
        box.setSpacing(12)
        box.addWidget(self.search)
        box.addWidget(self.mark)
        box.addStretch(1)
        for widget in (self.clock, self.unit, self.user, self.leave):
            box.addWidget(widget)

    def set_time(self, moment: datetime) -> None:
        self.clock.set_text(day_and_time(moment))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for widget in (self.search, self.mark, self.clock, self.unit, self.user, self.leave):
            widget.set_theme(theme)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("surface"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, self._theme.color("line"))

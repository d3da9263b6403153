"""The rail: the layout's activities, at most eight, with icon and word. It never holds functions of a panel."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QVBoxLayout, QWidget

from workspace.layouts.document import Activity
from workspace.shell import icons
from workspace.shell.theme import Theme

WIDTH = 76
ITEM = (64, 54)
MOST = 8


class RailButton(QAbstractButton):
    """One activity: a real, named, checkable button that paints itself."""

    def __init__(self, title: str, icon: str, shortcut: str, theme: Theme) -> None:
        super().__init__()
        self._icon = icon
        self._theme = theme
        self.setText(title)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(title)
        self.setShortcut(shortcut)
        self.setToolTip(f"{title} ({shortcut})")
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(ITEM[0]), self._theme.px(ITEM[1]))

    def minimumSizeHint(self) -> QSize:
        """The icon alone; the tip has the word."""
        return QSize(self._theme.px(ITEM[0]), self._theme.px(22))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        if self.isChecked() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            ground = theme.color("rail_active")
            if not self.isChecked():
                ground.setAlpha(110)
            painter.setBrush(ground)
            painter.drawRoundedRect(area, 8, 8)
        ink = theme.color("on_rail" if self.isChecked() else "rail_text")
        worded = self.height() >= theme.px(50)
        size = theme.px(22) if worded else min(theme.px(22), self.height() - 6)
        top = theme.px(7) if worded else (self.height() - size) / 2
        icons.paint(painter, self._icon, ink, QRectF((self.width() - size) / 2, top, size, size))
        painter.setPen(ink)
        painter.setFont(theme.font("key"))
        if worded:
            words = QRectF(0, theme.px(31), self.width(), theme.px(18))
            text = theme.metrics("key").elidedText(self.text(), Qt.TextElideMode.ElideRight, int(words.width()) - 4)
            painter.drawText(words, Qt.AlignmentFlag.AlignCenter, text)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("on_rail"), 2))
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 7, 7)


class Rail(QWidget):
    """`chosen(activity id)` when the user goes to another activity."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._buttons: dict[str, RailButton] = {}
        self._group = QButtonGroup(self)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(6, 10, 6, 10)
        self._box.setSpacing(4)
        self._box.addStretch(1)
        self.setAccessibleName("Aktiviteter")
        self.setFixedWidth(theme.px(WIDTH))

    def set_activities(self, activities: Sequence[Activity]) -> None:
        """Show these; the first eight. Alt+1 … Alt+8 go to them."""
        for button in self._buttons.values():
            self._group.removeButton(button)
            button.deleteLater()
        self._buttons.clear()
        for index, activity in enumerate(activities[:MOST]):
            button = RailButton(activity.title, activity.icon, f"Alt+{index + 1}", self._theme)
            button.clicked.connect(lambda _checked=False, name=activity.id: self.chosen.emit(name))
            self._group.addButton(button)
            self._box.insertWidget(index, button)
            self._buttons[activity.id] = button

    def set_current(self, activity_id: str) -> None:
        button = self._buttons.get(activity_id)
        if button is not None:
            button.setChecked(True)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.setFixedWidth(theme.px(WIDTH))
        for button in self._buttons.values():
            button.set_theme(theme)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.color("rail"))

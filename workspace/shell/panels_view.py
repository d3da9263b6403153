"""«Paneler på denne maskinen»: what each package uses and sends, who is shut in how, who crashed, and the way back for one
that was switched off. For whoever runs the machine; a window beside the work, never in front of it. Shows no patient data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from PySide6.QtCore import QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workspace.panels.watching import PackageUsage
from workspace.shell.chips import PlainButton
from workspace.shell.theme import Theme
from workspace.shell.words import one_line

EVERY_MS = 2000
TITLE = "Paneler på denne maskinen"
TIERS = {"confined": "Avskjermet"}


class Host(Protocol):
    """As much of the panels' host as this view needs."""

    def usage(self) -> Sequence[PackageUsage]: ...

    def enable(self, package_id: str) -> None: ...


def number(value: float, decimals: int = 0) -> str:
    return f"{value:,.{decimals}f}".replace(",", "\u202f").replace(".", ",")


def state(one: PackageUsage) -> str:
    if one.disabled:
        return "Slått av"
    return "Kjører" if one.pids else "Kjører ikke"


COLUMNS: tuple[tuple[str, Callable[[PackageUsage], str], bool], ...] = (
    ("Panel", lambda one: one_line(one.name, 60), False),
    ("Leverandør", lambda one: one_line(one.vendor, 60), False),
    ("Versjon", lambda one: one.version, False),
    ("Tilstand", state, False),
    ("Skjerming", lambda one: TIERS.get(one.tier, one.tier), False),
    ("Minne (MB)", lambda one: number(one.memory / (1 << 20), 1), True),
    ("Regnetid (s)", lambda one: number(one.cpu, 1), True),
    ("Meldinger", lambda one: number(one.messages), True),
    ("Meldinger/s", lambda one: number(one.messages_per_second, 1), True),
    ("kB/s", lambda one: number(one.bytes_per_second / 1000, 1), True),
    ("Tegninger", lambda one: number(one.renders), True),
    ("Krasj siste time", lambda one: number(one.crashes), True),
)


class PanelsView(QWidget):
    """A window of its own that keeps itself fresh while it is seen."""

    def __init__(self, theme: Theme, host: Host, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._theme, self._host = theme, host
        self._rows: list[PackageUsage] = []
        self.setWindowTitle(TITLE)
        self.setAccessibleName(TITLE)
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setHorizontalHeaderLabels([title for title, _, _ in COLUMNS])
        self.table.setAccessibleName(TITLE)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().hide()
        self.table.itemSelectionChanged.connect(self._chosen)
        self.on = PlainButton(theme, "Slå på igjen")
        self.on.clicked.connect(self._turn_on)
        self.close_ = PlainButton(theme, "Lukk")
        self.close_.clicked.connect(self.close)
        row = QHBoxLayout()
        row.addWidget(self.on)
        row.addStretch(1)
        row.addWidget(self.close_)
        box = QVBoxLayout(self)
        box.addWidget(self._words)
        box.addWidget(self.table, 1)
        box.addLayout(row)
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.refresh)
        self.set_theme(theme)
        self.refresh()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(1080), self._theme.px(420))

    def refresh(self) -> None:
        """Read anew; the chosen row stays chosen."""
        chosen = self._package()
        self._rows = list(self._host.usage())
        self.table.setRowCount(len(self._rows))
        for at, one in enumerate(self._rows):
            for place, (_, shown, to_the_right) in enumerate(COLUMNS):
                self._put(at, place, shown(one), to_the_right=to_the_right, faint=not one.pids)
        for at, one in enumerate(self._rows):
            if chosen and one.package == chosen and at != self.table.currentRow():
                self.table.selectRow(at)
        self._say()
        self._chosen()

    def _put(self, row: int, column: int, text: str, *, to_the_right: bool, faint: bool) -> None:
        item = self.table.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            side = Qt.AlignmentFlag.AlignRight if to_the_right else Qt.AlignmentFlag.AlignLeft
            item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(row, column, item)
        if item.text() != text:
            item.setText(text)
        item.setForeground(self._theme.color("muted" if faint else "text"))

    def _say(self) -> None:
        running = [one for one in self._rows if one.pids]
        off = [one.name for one in self._rows if one.disabled]
        memory = number(sum(one.memory for one in running) / (1 << 20), 1)
        words = f"{len(running)} av {len(self._rows)} pakker kjører og bruker {memory} MB til sammen."
        if off:
            words += f" Slått av etter tre krasj på ti minutter: {', '.join(off)}. Velg raden og trykk «Slå på igjen»."
        self._words.setText(one_line(words, 600))

    def _package(self) -> str:
        row = self.table.currentRow()
        return self._rows[row].package if 0 <= row < len(self._rows) else ""

    def _chosen(self) -> None:
        row = self.table.currentRow()
        self.on.setEnabled(0 <= row < len(self._rows) and self._rows[row].disabled)
        self.on.setAccessibleDescription("" if self.on.isEnabled() else "Velg et panel som er slått av")

    def _turn_on(self) -> None:
        package = self._package()
        if package:
            self._host.enable(package)
            self.refresh()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for widget in (self._words, self.table, self.table.horizontalHeader()):
            widget.setFont(theme.font("body"))
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)  # a name is never cut: what has no room is scrolled to
        header.setHighlightSections(False)
        self.table.verticalHeader().setDefaultSectionSize(theme.row)
        for button in (self.on, self.close_):
            button.set_theme(theme)
        for row in range(self.table.rowCount()):
            for column in range(self.table.columnCount()):
                item = self.table.item(row, column)
                if item is not None:
                    item.setForeground(theme.color("text" if self._rows[row].pids else "muted"))
        self.updateGeometry()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
            return
        super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show:
            self._timer.start()
        elif event.type() == QEvent.Type.Hide:
            self._timer.stop()
        return super().event(event)

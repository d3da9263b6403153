"""`workspace panel dev`: a panel in a real frame, and beside it every message that passes, for its vendor.

Reloads as files change; faults stand below with file and line. Never part of the work surface, and never opened there.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QCloseEvent, QFontDatabase
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from workspace.broker.context import Context
from workspace.panels.conformance.inspector import Line, Tape, matches, pretty
from workspace.panels.conformance.workbench import Source, Workbench
from workspace.panels.manifest import Package, View
from workspace.problem import Problem
from workspace.shell.frame import PanelFrame
from workspace.shell.loop import Tasks
from workspace.shell.seat import Seat
from workspace.shell.theme import Theme
from workspace.shell.turns import Turns

SIZE = (1320, 820)
ROWS = 2_000
LOOK = 0.2
"""Seconds between looks at the panel's log."""
DRAWN_WITHIN = 8.0
HEADLESS_SECONDS = 3.0

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Options:
    """`seconds` None: until the window is closed (headless: three). `told` is for progress."""

    folder: Path
    view: str = ""
    theme: str = "system"
    headless: bool = False
    seconds: float | None = None
    screenshot: Path | None = None


def run(options: Options, connect: Callable[[Callable[[str], None]], Awaitable[Source]]) -> tuple[int, dict[str, Any]]:
    """Open the window and stay until it is closed. The exit code, and what happened."""
    if options.headless:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from workspace.shell import loop, start

    application = QApplication.instance() or QApplication(sys.argv[:1])
    application.setQuitOnLastWindowClosed(False)  # type: ignore[attr-defined]
    window = DevWindow(start.dress(application, options.theme, 100))
    window.show()
    report: dict[str, Any] = {}

    async def main() -> int:
        try:
            return await Dev(options, window, connect, report).work()
        finally:
            window.close()
            window.deleteLater()

    return loop.run(application, main), report


class Lines(QAbstractTableModel):
    """The tape's lines that meet the filter, the newest last."""

    HEADS = ("s", "", "Melding", "ms", "byte")

    def __init__(self, tape: Tape) -> None:
        super().__init__()
        self._tape, self._wanted = tape, ""
        self.lines: list[Line] = []

    def filter(self, wanted: str) -> None:
        self.beginResetModel()
        self._wanted = wanted
        self.lines = list(self._tape.matching(wanted))[-ROWS:]
        self.endResetModel()

    def add(self, line: Line) -> bool:
        """Whether it meets the filter."""
        if not matches(line, self._wanted):
            return False
        if len(self.lines) >= ROWS:
            self.beginRemoveRows(QModelIndex(), 0, 0)
            self.lines.pop(0)
            self.endRemoveRows()
        self.beginInsertRows(QModelIndex(), len(self.lines), len(self.lines))
        self.lines.append(line)
        self.endInsertRows()
        return True

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.HEADS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        line, column = self.lines[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            took = "" if line.took is None else f"{line.took:.1f}".replace(".", ",")
            way = "→" if line.to_panel else "←"
            return (f"{line.at:.3f}".replace(".", ","), way, line.title, took, f"{line.size}")[column]
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (0, 3, 4):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{'til panelet' if line.to_panel else 'fra panelet'} {line.title}"
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.HEADS[section]
        return None


class Inspector(QWidget):
    """Messages, a filter above them, and the chosen one laid out below."""

    def __init__(self, theme: Theme, tape: Tape) -> None:
        super().__init__()
        self.model = Lines(tape)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter: ord i meldingen, > til panelet, < fra panelet, -ping")
        self.filter.setAccessibleName("Filter for meldinger")
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self.model.filter)
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setAccessibleName("Meldinger mellom arbeidsflaten og panelet")
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.table.setTabKeyNavigation(False)
        self.table.setShowGrid(False)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(theme.line_height("caption") + 8)
        head = self.table.horizontalHeader()
        head.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        for column, width in ((0, 64), (1, 28), (3, 60), (4, 68)):
            self.table.setColumnWidth(column, theme.px(width))
        self.body = QPlainTextEdit()
        self.body.setReadOnly(True)
        self.body.setAccessibleName("Meldingen som er valgt")
        self.body.setPlaceholderText("Velg en melding for å lese den.")
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPixelSize(theme.px(12))
        self.body.setFont(fixed)
        self.table.setFont(theme.font("caption"))
        self.filter.setFont(theme.font("body"))
        self.table.selectionModel().currentRowChanged.connect(self._chosen)
        halves = QSplitter(Qt.Orientation.Vertical)
        halves.addWidget(self.table)
        halves.addWidget(self.body)
        halves.setSizes([SIZE[1] // 2, SIZE[1] // 2])
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.filter)
        box.addWidget(halves, 1)

    def heard(self, line: Line) -> None:
        bar = self.table.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 2
        if self.model.add(line) and at_end:
            self.table.scrollToBottom()

    def choose_last(self) -> None:
        """The newest message, laid out."""
        self.table.selectRow(self.model.rowCount() - 1)

    def _chosen(self, current: QModelIndex, _: QModelIndex) -> None:
        if current.isValid():
            self.body.setPlainText(pretty(self.model.lines[current.row()]))


class DevWindow(QWidget):
    """What is open and where its data come from above; panel and inspector side by side; faults below."""

    closing = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.setWindowTitle("Panelverksted")
        self.resize(*SIZE)
        self._told = QLabel("Starter …")
        self._told.setFont(theme.font("strong"))
        self._told.setAccessibleName("Hva som er åpnet")
        self.state = QLabel("")
        self.state.setFont(theme.font("caption"))
        self.faults = QLabel("")
        self.faults.setFont(theme.font("body"))
        self.faults.setWordWrap(True)
        self.faults.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.faults.setAccessibleName("Feil i panelet")
        paint = self.faults.palette()
        paint.setColor(self.faults.foregroundRole(), theme.tone("bad"))
        self.faults.setPalette(paint)
        self.faults.hide()
        self.frame = PanelFrame(theme, "", "", locked=True)
        self.inspector: Inspector | None = None
        self._sides = QSplitter(Qt.Orientation.Horizontal)
        self._sides.addWidget(self.frame)
        top = QHBoxLayout()
        top.addWidget(self._told, 1)
        top.addWidget(self.state)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 10, 12, 10)
        box.addLayout(top)
        box.addWidget(self._sides, 1)
        box.addWidget(self.faults)

    def tell(self, words: str) -> None:
        self._told.setText(words)

    def inspect(self, tape: Tape) -> None:
        self.inspector = Inspector(self.theme, tape)
        self._sides.addWidget(self.inspector)
        self._sides.setSizes([SIZE[0] * 6 // 11, SIZE[0] * 5 // 11])
        tape.heard = self.inspector.heard

    def name(self, package: Package, view: View) -> None:
        """The panel's name in its frame, which stands from one reload to the next."""
        self.frame.setWindowTitle(view.title)
        self.frame._title.setText(view.title)
        self.frame._vendor.setText(f"{package.vendor} {package.version}")

    def show_faults(self, told: list[str]) -> None:
        self.faults.setText("\n".join(told[-4:]))
        self.faults.setVisible(bool(told))

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closing.emit()
        event.accept()


class Dev:
    """The course of it: connect, open, reload at each change, until the window is closed."""

    def __init__(
        self,
        options: Options,
        window: DevWindow,
        connect: Callable[[Callable[[str], None]], Awaitable[Source]],
        report: dict[str, Any],
    ) -> None:
        self._options, self._window, self._connect, self._report = options, window, connect, report
        self._over = asyncio.Event()
        self._failed: BaseException | None = None
        self._tasks = Tasks(self._fail)
        self._turns = Turns(window)
        self._seat: Seat | None = None
        self._bench: Workbench | None = None
        window.closing.connect(self._over.set)

    async def work(self) -> int:
        """Raises Problem when there is nothing to open; faults of the panel are shown instead."""
        source = await self._connect(self._window.tell)
        bench = self._bench = Workbench(self._options.folder, source, self._options.view)
        self._window.inspect(bench.tape)
        self._window.frame.restartAsked.connect(lambda: self._tasks.spawn(self._again()))
        try:
            await self._open()
            self._tasks.spawn(self._follow())
            self._tasks.spawn(self._log())
            await self._until_over()
            self._shoot()
            self._report.update(bench.report())
        finally:
            await self._tasks.close()
            if self._seat is not None:
                self._seat.leave()
            self._turns.close()
            await bench.close()
        if self._failed is not None:
            raise self._failed
        return 0 if self._seat is not None and self._seat.rendered_first.is_set() and not self._report["errors"] else 1

    async def _until_over(self) -> None:
        seconds = self._options.seconds
        if seconds is None and self._options.headless:
            seconds = HEADLESS_SECONDS
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            return

    # --- opening --------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        bench, window = self._bench, self._window
        assert bench is not None
        former, made = self._seat, []

        def listener(package: Package, view: View, context: Context) -> Seat:
            now, spawn = bench.source.clock.now, self._tasks.spawn
            seat = Seat(window.frame, window.theme, now, spawn, self._raised, self._turns, bench.whose)
            window.name(package, view)
            made.append(seat)
            return seat

        try:
            instance = await bench.open(listener)
        except Problem as problem:
            bench.problem = problem.detail or str(problem)
            window.state.setText("Kan ikke åpnes")
            window.show_faults([f"{problem.sentence} {problem.detail}"])
            if former is None:
                window.frame.explain(str(problem), offer=True)
            return
        bench.problem = ""
        self._seat = seat = made[0]
        seat.attach(instance)
        window.tell(f"{instance.package.name} · {bench.whose or 'ingen bestemt'} · {bench.source.name}")
        await self._first_picture(seat)
        if former is not None:
            former.leave()
        old = seat.sit()
        if old is not None:
            old.deleteLater()

    async def _first_picture(self, seat: Seat) -> None:
        """Until it is drawn or gone: the former picture stands meanwhile."""
        deadline = time.monotonic() + DRAWN_WITHIN
        while not seat.rendered_first.is_set() and time.monotonic() < deadline:
            if seat.instance is not None and seat.instance.state in ("dead", "disabled"):
                return
            await asyncio.sleep(0.005)

    async def _again(self) -> None:
        await self._open()

    async def _follow(self) -> None:
        bench = self._bench
        assert bench is not None
        while True:
            file, at = await bench.changed()
            self._window.state.setText(f"{file} er endret …")
            await self._open()
            if self._seat is not None and self._seat.rendered_first.is_set() and not bench.problem:
                bench.drawn(file, at)
                self._window.state.setText(f"{file}: tegnet på nytt etter {bench.reloads[-1].seconds * 1000:.0f} ms")

    async def _log(self) -> None:
        """Faults are shown as they come; those from before the last reload are over."""
        bench = self._bench
        assert bench is not None
        while True:
            await asyncio.sleep(LOOK)
            instance = bench.instance
            if bench.problem or instance is None:
                continue
            told = [str(fault) for fault in bench.standing()]
            self._window.show_faults(told or ([instance.problem] if instance.problem else []))

    # --- inside ---------------------------------------------------------------------------------------------

    def _raised(self, name: str, context: Mapping[str, Any]) -> None:
        self._window.state.setText(f"Ber om «{name}» {dict(context)}")

    def _fail(self, fault: BaseException) -> None:
        self._failed = fault
        self._over.set()

    def _shoot(self) -> None:
        if self._options.screenshot is not None:
            if self._window.inspector is not None:
                self._window.inspector.choose_last()
            self._window.grab().save(str(self._options.screenshot))

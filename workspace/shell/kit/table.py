"""The table component: rows of 36 pixels, hairlines, one delegate that paints everything. No cell widgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QLabel,
    QSizePolicy,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from workspace.panels.components import Table, TableColumn
from workspace.panels.face import RowsChange
from workspace.shell.kit.access import announce
from workspace.shell.kit.env import Env
from workspace.shell.kit.fields import Box, LineEdit
from workspace.shell.kit.ink import RING
from workspace.shell.kit.opener import Opener
from workspace.shell.kit.table_cells import PAD, TIGHT, CellPainter
from workspace.shell.kit.table_model import RowModel
from workspace.shell.kit.table_view import FindEdit, Head, View
from workspace.shell.kit.tips import plain_tip
from workspace.shell.kit.whence import Offer
from workspace.shell.theme import Theme

FIXED = {"s": 72, "m": 120, "l": 200}
MOST_UNEVEN = 400
"""Rows whose text may take several lines; what comes after them takes one."""
WORTH_A_WORD = 2
"""A column of this priority is shown rather than the word of a row's mark."""
MANY_ROWS = 20
"""From so many rows on the head shows that they can be found by their words."""
FEW_ROWS = 8
"""A table is never squeezed below this many rows, or its own number when that is less."""


class TableWidget(QWidget):
    """The component. `rows_changed` and `set_component` patch in place; selection and scroll survive."""

    def __init__(self, component: Table, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._env = env
        self.theme: Theme = env.theme
        self.hot = -1
        self.offered: Callable[[str], Sequence[Offer]] | None = None  # by row's key, where a row says nothing itself
        self.pad = PAD
        self._elastic = True
        self._needs: list[int] | None = None  # of the columns, until the rows are others
        self._uneven = 0  # what rows of several lines take together; 0 where all are of one
        self.model = RowModel(component, env, self)
        self._view = View(self)
        self._head = Head(self)
        self._delegate = CellPainter(self)
        self._view.setModel(self.model)
        self._view.setHorizontalHeader(self._head)
        self._view.setItemDelegate(self._delegate)
        self._view.clicked.connect(self._clicked)
        self._head.sectionClicked.connect(self._sort)
        box = QVBoxLayout(self)
        box.setContentsMargins(RING, 0, RING, 0)
        box.setSpacing(0)
        self._stale = QLabel(self)
        self._stale.setTextFormat(Qt.TextFormat.PlainText)
        self._stale.hide()
        self._find = FindEdit(self)
        self._find_box = Box(env.theme, self._find)
        self._find_box.hide()
        self._find.textChanged.connect(self._found)
        self._finder = Opener(env.theme, "search", "Finn i tabellen (Ctrl+F)")
        self._finder.setParent(self._head)
        self._finder.clicked.connect(self.open_find)
        box.addWidget(self._find_box)
        box.addWidget(self._stale)
        box.addWidget(self._view)
        self._more = QLabel(self)
        self._more.setTextFormat(Qt.TextFormat.PlainText)
        self._more.hide()
        self._without = ""
        self._told: dict[QLabel, str] = {}
        for line in (self._stale, self._more):  # as wide as the table, and never the reason why it is
            line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        box.addWidget(self._more)
        self.setFocusProxy(self._view)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._dress()

    @property
    def view(self) -> QTableView:
        return self._view

    @property
    def find_edit(self) -> LineEdit:
        return self._find

    def open_find(self) -> None:
        """Ask for words; only rows that have them all are shown."""
        self._find_box.show()
        self._find.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._find.selectAll()
        self.updateGeometry()

    def find_nothing(self) -> None:
        """All rows again."""
        self._find.clear()
        here = self._find.hasFocus()
        self._find_box.hide()
        if here:
            self._view.setFocus(Qt.FocusReason.OtherFocusReason)
        self.updateGeometry()

    def to_rows(self) -> None:
        self._view.setFocus(Qt.FocusReason.TabFocusReason)
        if self.model.rowCount() and not self._view.currentIndex().isValid():
            self._view.setCurrentIndex(self.model.index(0, 0))

    def _found(self, text: str) -> None:
        self.model.find(text)
        self._count()
        self._needs = None
        self.fit()
        self.updateGeometry()

    def _count(self) -> None:
        finding = self.model.finding
        said = f"{self.model.rowCount()} av {self.model.total}" if finding else ""
        self._find_box.set_unit(said)
        self._find.setAccessibleDescription(said)
        if finding:
            announce(self._find, said)

    def nothing(self) -> str:
        """Why there are no rows, and what to do."""
        component, finding = self.model.component, self.model.finding
        if finding and self.model.total:
            return f"Ingen treff på «{finding}».\nEscape viser alle radene."
        if component.watch is not None and (bound := self._env.bound(component.watch)).nothing("") != "":
            return bound.nothing("")
        return "\n".join(part for part in (component.empty, component.empty_hint) if part)

    def chosen(self) -> str:
        return self.model.component.selected

    def forget(self) -> None:
        """No rows, nothing looked for or chosen, and the panel's own order."""
        self.model.forget()
        self.find_nothing()
        self.hot = -1
        self._view.setCurrentIndex(QModelIndex())
        self._view.verticalScrollBar().setValue(0)
        self._dress()

    def set_component(self, component: Table) -> None:
        here, scroll = self._key_here(), self._view.verticalScrollBar().value()
        same = component.columns == self.model.component.columns and component.watch == self.model.component.watch
        if same:
            self.model.update(component)
            self._view.viewport().update()
        else:
            self.model.load(component)
            row = self.model.position(here)
            if row >= 0:
                self._view.setCurrentIndex(self.model.index(row, 0))
            self._view.verticalScrollBar().setValue(scroll)
        self._dress()

    def _key_here(self) -> str:
        row = self._view.currentIndex().row()
        return self.model.row(row).key if 0 <= row < self.model.rowCount() else ""

    def rows_changed(self, component: Table, change: RowsChange) -> None:
        self.model.changed(component, change)
        self._dress()

    def bound_changed(self) -> None:
        self.model.update(self.model.component)
        self._dress()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self._dress()
        self._view.viewport().update()
        self._head.viewport().update()

    def tick(self) -> None:
        self._needs = None  # ages have grown
        self.model.tick()

    def marks_changed(self) -> None:
        """What stands beside the words of a row is other than it was, and wants its own room."""
        self._needs = None
        self.fit()
        self._view.viewport().update()

    def set_elastic(self, elastic: bool) -> None:
        """Whether it scrolls inside where room is short (the last of a panel), or stands whole with the panel scrolling."""
        if elastic != self._elastic:
            self._elastic = elastic
            self.updateGeometry()

    def set_hot(self, row: int) -> None:
        if row != self.hot:
            self.hot = row
            self._view.viewport().update()

    def activate(self, row: int) -> None:
        """Run the row's action, if it has one."""
        if 0 <= row < self.model.rowCount():
            action = self.model.row(row).action
            if action is not None:
                self._env.run(action)

    def offers(self, row: int, column: int | None) -> Sequence[Offer]:
        """What a row's value comes from: of one column, or of the row and all its cells."""
        if not 0 <= row < self.model.rowCount():
            return ()
        one = self.model.row(row)
        return self.offered(one.key) if self.offered is not None else self.model.offers(one, column)

    def ask_origin(self, reference: str, area: QRect) -> None:
        self._env.origin(reference, area)

    def step(self, by: int) -> None:
        """Sort by the next or the former column shown: Left and Right are for that, rows have no cells to go through."""
        component = self.model.component
        keys = [c.key for i, c in enumerate(component.columns) if not self._view.isColumnHidden(i)]
        if not component.sortable or not keys:
            return
        here = self.model.sorted_by.lstrip("-")
        at = keys.index(here) + by if here in keys else (0 if by > 0 else len(keys) - 1)
        self.model.sort_by(keys[at % len(keys)])
        self._head.viewport().update()

    def _clicked(self, index: QModelIndex) -> None:
        self.activate(index.row())

    def _sort(self, section: int) -> None:
        component = self.model.component
        if component.sortable:
            self.model.sort_by(component.columns[section].key)
            self._head.viewport().update()

    def _dress(self) -> None:
        component = self.model.component
        self._view.setAccessibleName(component.label or "Tabell")
        self._view.verticalHeader().setMinimumSectionSize(self.theme.row)  # first: rows are never made lower than this
        self._view.verticalHeader().setDefaultSectionSize(self.theme.row)
        self._head.tall = self.theme.px(Head.tall)
        self._head.setVisible(component.headers)
        self._find.dress(self.theme)
        self._find_box.set_theme(self.theme)
        self._finder.set_theme(self.theme)
        self._finder.setVisible(component.find and component.headers and self.model.total >= MANY_ROWS)
        if not component.find and self.model.finding:
            self.find_nothing()
        self._count()
        self._warn()
        self._needs = None
        self.fit()
        self.updateGeometry()

    def _warn(self) -> None:
        """Rows that could not be fetched anew stand, and say so: nobody may take them for fresh."""
        watch = self.model.component.watch
        error = self._env.bound(watch).error if watch is not None else ""
        more = " · ".join(part for part in (self._cut(), self._without) if part)
        self._dress_line(self._more, more, "muted")
        self._head.setToolTip(plain_tip(self._without))
        self._dress_line(self._stale, f"Ikke oppdatert: {error}" if error else "", "warn")
        told = (self._told[self._stale], self._told[self._more])
        self._view.setAccessibleDescription(". ".join(part for part in told if part))

    def _cut(self) -> str:
        """A last line for a watch's rows that are not all there are (F-04): nobody may take them for all."""
        watch = self.model.component.watch
        bound = self._env.bound(watch) if watch is not None else None
        if bound is None or not bound.more:
            return ""
        return f"Flere finnes – de {self.model.total} {'nyeste' if bound.newest else 'første'} vises"

    def _dress_line(self, line: QLabel, text: str, ink: str) -> None:
        theme = self.theme
        self._told[line] = text
        self._cut_short(line)
        line.setVisible(bool(text))
        line.setFont(theme.font("caption"))
        line.setContentsMargins(theme.px(PAD), theme.px(4), theme.px(PAD), theme.px(4))
        dressed = line.palette()
        dressed.setColor(QPalette.ColorRole.WindowText, theme.color(ink))
        line.setPalette(dressed)

    def _cut_short(self, line: QLabel) -> None:
        room = max(1, self._view.viewport().width() - 2 * self.theme.px(PAD))
        text = self._told[line]
        line.setText(self.theme.metrics("caption").elidedText(text, Qt.TextElideMode.ElideRight, room))
        line.setToolTip(plain_tip(text))

    def _say_without(self, titles: list[str]) -> None:
        """Columns that there is no room for are named: what is not shown may not be taken for not measured."""
        said = f"Ikke plass til {', '.join(titles[:-1]) + ' og ' if titles[1:] else ''}{titles[-1]}" if titles else ""
        if said != self._without:
            self._without = said
            self._warn()
            self.updateGeometry()
        for line in self._told:
            self._cut_short(line)

    def fit(self) -> None:
        """Give the columns their widths: what they need, and the rest to those that grow. Where they do not all fit they
        stand closer, then a row's mark is its shape alone, and then the least important go first."""
        columns = self.model.component.columns
        if self._needs is None:
            # Sixty rows of words are measured for each column; a body that is drawn resizes its tables twice.
            self._needs = [self._need(column) for column in columns]
        shown = self._shared_out(self._view.viewport().width())
        room = self._view.viewport().width()
        if room != self._view.filled():  # the scroll bar came or went with it
            shown = self._shared_out(room)
        self._say_without([one.title for at, one in enumerate(columns) if at not in shown and one.title])
        size = self.theme.px(20)
        self._finder.setGeometry(self._view.viewport().width() - size, (self._head.height() - size) // 2, size, size)
        tall = [(index, columns[index]) for index in sorted(shown) if columns[index].lines > 1]
        if tall or self._uneven:
            self._grow(tall)

    def _shared_out(self, room: int) -> set[int]:
        """Give the columns their part of `room`; returns those that are shown."""
        columns = self.model.component.columns
        shown, needs = self._kept(room)
        widths = shared(room, {i: needs[i] for i in sorted(shown)}, {i for i in shown if columns[i].width == "grow"})
        self._view.widen({index: max(1, widths[index]) if index in shown else 0 for index in range(len(columns))})
        return shown

    def _kept(self, room: int) -> tuple[set[int], list[int]]:
        """The columns that are shown, and what each takes."""
        columns, needs = self.model.component.columns, self._needs or []
        saved = 2 * (self.theme.px(PAD) - self.theme.px(TIGHT))
        close = [max(1, n - saved) if c.width not in FIXED else n for n, c in zip(needs, columns, strict=True)]
        shown = self._fitting(close if sum(needs) > room else needs, room)
        if any(column.priority <= WORTH_A_WORD and i not in shown for i, column in enumerate(columns)):
            at = self.model.marked
            close[at] = min(close[at], max(1, self._need(columns[at], brief=True) - saved))
            shown = self._fitting(close, room)
        self.pad = PAD if sum(needs[i] for i in shown) <= room else TIGHT
        return shown, needs if self.pad == PAD else close

    def _fitting(self, needs: list[int], room: int) -> set[int]:
        """The columns that fit; those of the highest priority always."""
        columns = self.model.component.columns
        shown = set(range(len(columns)))
        for index in sorted(shown, key=lambda i: (-columns[i].priority, -i)):
            if sum(needs[i] for i in shown) <= room or columns[index].priority <= 1:
                break
            shown.discard(index)
        # What a wide one gave up when it went, a narrower one that went before it may have.
        for index in sorted(set(range(len(columns))) - shown, key=lambda i: (columns[i].priority, i)):
            if sum(needs[i] for i in shown) + needs[index] <= room:
                shown.add(index)
        return shown

    def _grow(self, tall: list[tuple[int, TableColumn]]) -> None:
        """Rows as high as their longest text, for columns that may take several lines."""
        side, theme = self._view.verticalHeader(), self.theme
        height = 0
        for row in range(min(MOST_UNEVEN, self.model.rowCount())):
            lines = max((self._delegate.lines_of(row, one, self._view.columnWidth(at)) for at, one in tall), default=1)
            wanted = theme.row + (max(1, lines) - 1) * theme.line_height()
            if side.sectionSize(row) != wanted:
                side.resizeSection(row, wanted)
            height += wanted
        if height != self._uneven:
            self._uneven = height
            self.updateGeometry()

    def _need(self, column: TableColumn, *, brief: bool = False) -> int:
        theme = self.theme
        head = theme.metrics("label").horizontalAdvance(column.title) + 2 * theme.px(PAD) + 2
        widths = [self._delegate.width_of(row, column, brief=brief) for row in range(min(60, self.model.rowCount()))]
        if column.width in FIXED:
            usual = theme.px(FIXED[column.width])
            return max(head, usual, min(usual * 3 // 2, max(widths, default=0)))
        return min(max([head, *widths]), theme.px(420 if column.lines == 1 else 240))

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(280), self._height(max(1, self.model.rowCount())))

    def minimumSizeHint(self) -> QSize:
        return QSize(
            self.theme.px(120), self._height(min(FEW_ROWS if self._elastic else 40, max(1, self.model.rowCount())))
        )

    def _height(self, rows: int) -> int:
        stale = 0 if self._stale.isHidden() else self._stale.sizeHint().height()
        head = self._head.sizeHint().height() if self.model.component.headers else 0
        find = 0 if self._find_box.isHidden() else self._find_box.height()
        inside = rows * self.theme.row
        if self._uneven and self.model.rowCount():
            inside = sum(
                self._view.verticalHeader().sectionSize(row) for row in range(min(rows, self.model.rowCount()))
            )
        more = 0 if self._more.isHidden() else self._more.sizeHint().height()
        return inside + head + stale + find + more + 2


def shared(room: int, needs: dict[int, int], growers: set[int]) -> dict[int, int]:
    """Widths that fill `room` exactly. Of what is left, those that grow get half and all of them the rest in proportion to
    their needs, so that a row's words stay near each other; what is missing is taken from the widest first."""
    widths = dict(needs)
    if not widths or room <= 0:
        return widths
    takers = sorted(growers) or [max(widths)]
    spare = room - sum(widths.values())
    if spare >= 0:
        whole = max(1, sum(needs.values()))
        for index in widths:
            widths[index] += int(spare / 2 * needs[index] / whole)
        left = room - sum(widths.values())
        for turn, index in enumerate(takers):
            widths[index] += left // len(takers) + (left % len(takers) if turn == len(takers) - 1 else 0)
        return widths
    cap = max(widths.values())
    while sum(min(cap, width) for width in widths.values()) > room and cap > 1:
        cap -= 1
    widths = {index: min(cap, width) for index, width in widths.items()}
    widths[takers[-1]] += room - sum(widths.values())
    return widths


WIDGETS: dict[str, type[QWidget]] = {"table": TableWidget}

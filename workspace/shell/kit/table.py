"""The table component: rows of 36 pixels, hairlines, one delegate that paints everything. No cell widgets."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from workspace.panels.components import Pill, Table, TableColumn
from workspace.panels.face import RowsChange
from workspace.shell import icons, painters
from workspace.shell.fonts import Role
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING
from workspace.shell.kit.table_model import CELL, COLUMN, RowModel, cell_of
from workspace.shell.theme import Theme

PAD = 8
FIXED = {"s": 72, "m": 120, "l": 200}
SPARK = 84
FEW_ROWS = 8
"""A table is never squeezed below this many rows, or its own number when that is less."""


class CellPainter(QStyledItemDelegate):
    """Paints a cell: text, then muted secondary text, then pills; the row's tint, edge and hairline."""

    def __init__(self, table: TableWidget) -> None:
        super().__init__(table)
        self._table = table

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme, model = self._table.theme, self._table.model
        area: QRect = option.rect
        row = model.row(index.row())
        chosen = row.key == self._table.chosen()
        hot = index.row() == self._table.hot
        painter.fillRect(area, theme.color("selection" if chosen else ("hover" if hot else "surface")))
        painter.fillRect(area.left(), area.bottom(), area.width(), 1, theme.color("line"))
        first = self._table.view.horizontalHeader().sectionViewportPosition(index.column()) == 0
        if first and (chosen or row.tone != "neutral"):
            edge = theme.color("accent") if chosen else theme.tone(row.tone)
            painter.fillRect(area.left(), area.top(), 3, area.height(), edge)
        cell, column = index.data(CELL), index.data(COLUMN)
        room = area.adjusted(theme.px(PAD), 0, -theme.px(PAD), -1)
        if column.kind == "spark":
            values = cell.values
            if values:
                spark = room.adjusted(2, theme.px(9), -3, -theme.px(9))
                painters.paint_spark(painter, theme, spark.toRectF(), values, cell.high, cell.tone)
            return
        if column.kind == "pill" and cell.text:
            words = fitting_pill(theme, cell.text, cell.shape, room.width() + theme.px(PAD) // 2)
            painters.paint_pill(painter, theme, room.left(), room.center().y() + 1, words, cell.tone, cell.shape)
            return
        left = self._words(painter, room, cell, column)
        shown, rest = fitting_pills(theme, cell.pills, room.right() + theme.px(PAD) - left)
        middle = room.center().y() + 1
        for pill in shown:
            left += painters.paint_pill(painter, theme, left, middle, pill.text, pill.tone, pill.shape) + 4
        if rest:
            painter.setFont(theme.font("label"))
            painter.setPen(theme.color("muted"))
            side = QRect(left, room.top(), theme.px(28), room.height())
            painter.drawText(side, Qt.AlignmentFlag.AlignVCenter, f"+{rest}")

    def _words(self, painter: QPainter, room: QRect, cell: object, column: TableColumn) -> int:
        theme = self._table.theme
        shown = cell_of(cell)  # type: ignore[arg-type]
        role = role_of(column)
        metrics = theme.metrics(role)
        text = self._table.model.shown(shown, column)
        muted = column.kind in ("muted", "age", "date", "time")
        ink = theme.color("muted" if muted else "text") if shown.tone == "neutral" else theme.tone(shown.tone)
        painter.setFont(theme.font("strong" if shown.tone == "bad" and role == "body" else role))
        painter.setPen(ink)
        side = Qt.AlignmentFlag.AlignRight if column.align == "end" else Qt.AlignmentFlag.AlignLeft
        if column.align == "end" and shown.secondary:
            after = theme.metrics("body").horizontalAdvance(shown.secondary) + theme.px(6)
            room = room.adjusted(max(0, room.width() - after - metrics.horizontalAdvance(text) - 2), 0, 0, 0)
            side = Qt.AlignmentFlag.AlignLeft
        elided = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, elided)
        left = room.left() + (metrics.horizontalAdvance(elided) + theme.px(5) if text else 0)
        if shown.secondary:
            painter.setFont(theme.font("body"))
            painter.setPen(theme.color("muted"))
            rest = room.adjusted(left - room.left(), 0, 0, 0)
            words = theme.metrics("body").elidedText(shown.secondary, Qt.TextElideMode.ElideRight, max(0, rest.width()))
            painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter, words)
            left += theme.metrics("body").horizontalAdvance(words) + theme.px(6)
        return left

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(self.width_of(index.row(), index.data(COLUMN)), self._table.theme.row)

    def width_of(self, row: int, column: TableColumn) -> int:
        """What a cell needs, padding included."""
        theme, model = self._table.theme, self._table.model
        if column.kind == "spark":
            return theme.px(SPARK) + 2 * theme.px(PAD)
        cell = cell_of(model.row(row).cells.get(column.key))
        if column.kind == "pill":
            return painters.pill_width(theme, cell.text, cell.shape) + 2 * theme.px(PAD)
        width = theme.metrics(role_of(column)).horizontalAdvance(model.shown(cell, column)) + 2 * theme.px(PAD) + 2
        if cell.secondary:
            width += theme.metrics("body").horizontalAdvance(cell.secondary) + theme.px(6)
        return width + sum(painters.pill_width(theme, pill.text, pill.shape) + 4 for pill in cell.pills)


def role_of(column: TableColumn) -> Role:
    return "strong" if column.kind == "strong" else ("caption" if column.kind in ("age", "muted") else "body")


class Head(QHeaderView):
    """Quiet captions; a small arrow shows what the table is sorted by."""

    def __init__(self, table: TableWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, table)
        self._table = table
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setStretchLastSection(False)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._table.theme.px(32))

    def paintSection(self, painter: QPainter, rect: QRect, logical: int) -> None:
        theme, model = self._table.theme, self._table.model
        painter.fillRect(rect, theme.color("surface"))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, theme.color("line"))
        column = model.component.columns[logical]
        painter.setFont(theme.font("label"))
        painter.setPen(theme.color("muted"))
        room = rect.adjusted(theme.px(PAD), 0, -theme.px(PAD), 0)
        side = Qt.AlignmentFlag.AlignRight if column.align == "end" else Qt.AlignmentFlag.AlignLeft
        text = theme.metrics("label").elidedText(column.title, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, text)
        if model.sorted_by.lstrip("-") == column.key and column.title:
            size = theme.px(12)
            left = room.left() + theme.metrics("label").horizontalAdvance(text) + 3
            if column.align == "end":
                left = room.right() - theme.metrics("label").horizontalAdvance(text) - size - 3
            name = "chevron-down" if model.sorted_by.startswith("-") else "chevron-up"
            area = QRect(left, rect.center().y() - size // 2, size, size)
            icons.paint(painter, name, theme.color("muted"), area.toRectF())


class View(QTableView):
    """The view: whole rows, keyboard first, hover, and a word when there is nothing."""

    def __init__(self, table: TableWidget) -> None:
        super().__init__(table)
        self._table = table
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCornerButtonEnabled(False)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._table.set_hot(self.indexAt(event.position().toPoint()).row())
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._table.set_hot(-1)
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._table.activate(self.currentIndex().row())
            return
        alone = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if alone and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._table.step(1 if event.key() == Qt.Key.Key_Right else -1)
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._table.fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        theme = self._table.theme
        painter = QPainter(self.viewport())
        if self._table.model.rowCount() == 0:
            component = self._table.model.component
            painter.setPen(theme.color("muted"))
            painter.setFont(theme.font("body"))
            words = "\n".join(part for part in (component.empty, component.empty_hint) if part)
            room = self.viewport().rect().adjusted(theme.px(PAD), theme.px(10), -theme.px(PAD), 0)
            painter.drawText(room, Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap, words)
        if self.hasFocus():
            row = self.currentIndex().row()
            spot = self.viewport().rect()
            if row >= 0:
                spot = QRect(0, self.rowViewportPosition(row), self.viewport().width(), self.rowHeight(row))
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.drawRect(spot.adjusted(1, 1, -1, -1))


class TableWidget(QWidget):
    """The component. `rows_changed` and `set_component` patch in place; selection and scroll survive."""

    def __init__(self, component: Table, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._env = env
        self.theme: Theme = env.theme
        self.hot = -1
        self._elastic = True
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
        box.addWidget(self._stale)
        box.addWidget(self._view)
        self.setFocusProxy(self._view)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._dress()

    @property
    def view(self) -> QTableView:
        return self._view

    def chosen(self) -> str:
        return self.model.component.selected

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
        self.model.tick()

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
        self._view.verticalHeader().setDefaultSectionSize(self.theme.row)
        self._view.verticalHeader().setMinimumSectionSize(self.theme.row)
        self._head.setVisible(component.headers)
        self._warn()
        self.fit()
        self.updateGeometry()

    def _warn(self) -> None:
        """Rows that could not be fetched anew stand, and say so: nobody may take them for fresh."""
        watch, theme = self.model.component.watch, self.theme
        error = self._env.bound(watch).error if watch is not None else ""
        self._stale.setText(f"Ikke oppdatert: {error}" if error else "")
        self._stale.setVisible(bool(error))
        self._stale.setFont(theme.font("caption"))
        self._stale.setContentsMargins(theme.px(PAD), theme.px(4), theme.px(PAD), theme.px(4))
        dressed = self._stale.palette()
        dressed.setColor(QPalette.ColorRole.WindowText, theme.color("warn"))
        self._stale.setPalette(dressed)
        self._view.setAccessibleDescription(self._stale.text())

    def fit(self) -> None:
        """Give the columns their widths: what they need, and the rest to those that grow; the least important go first."""
        columns = self.model.component.columns
        room = self._view.viewport().width()
        needs = [self._need(column) for column in columns]
        shown = set(range(len(columns)))
        for index in sorted(shown, key=lambda i: (-columns[i].priority, -i)):
            if sum(needs[i] for i in shown) <= room or columns[index].priority <= 1:
                break
            shown.discard(index)
        widths = shared(room, {i: needs[i] for i in sorted(shown)}, {i for i in shown if columns[i].width == "grow"})
        for index in range(len(columns)):
            self._view.setColumnHidden(index, index not in shown)
            if index in shown:
                self._view.setColumnWidth(index, max(1, widths[index]))

    def _need(self, column: TableColumn) -> int:
        theme = self.theme
        head = theme.metrics("label").horizontalAdvance(column.title) + 2 * theme.px(PAD) + 2
        widths = [self._delegate.width_of(row, column) for row in range(min(60, self.model.rowCount()))]
        if column.width in FIXED:
            usual = theme.px(FIXED[column.width])
            return max(head, usual, min(usual * 3 // 2, max(widths, default=0)))
        return min(max([head, *widths]), theme.px(420))

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(280), self._height(max(1, self.model.rowCount())))

    def minimumSizeHint(self) -> QSize:
        return QSize(
            self.theme.px(120), self._height(min(FEW_ROWS if self._elastic else 40, max(1, self.model.rowCount())))
        )

    def _height(self, rows: int) -> int:
        stale = 0 if self._stale.isHidden() else self._stale.sizeHint().height()
        head = self._head.sizeHint().height() if self.model.component.headers else 0
        return rows * self.theme.row + head + stale + 2


def shared(room: int, needs: dict[int, int], growers: set[int]) -> dict[int, int]:
    """Widths that fill `room` exactly: what is left goes to those that grow (else the last), what is missing is taken from
    the widest first."""
    widths = dict(needs)
    if not widths or room <= 0:
        return widths
    takers = sorted(growers) or [max(widths)]
    spare = room - sum(widths.values())
    if spare >= 0:
        for turn, index in enumerate(takers):
            widths[index] += spare // len(takers) + (spare % len(takers) if turn == len(takers) - 1 else 0)
        return widths
    cap = max(widths.values())
    while sum(min(cap, width) for width in widths.values()) > room and cap > 1:
        cap -= 1
    widths = {index: min(cap, width) for index, width in widths.items()}
    widths[takers[-1]] += room - sum(widths.values())
    return widths


def fitting_pills(theme: Theme, pills: list[Pill], room: int) -> tuple[list[Pill], int]:
    """The pills that fit, and how many do not: these are counted on the screen, never left out in silence."""
    widths = [painters.pill_width(theme, pill.text, pill.shape) + 4 for pill in pills]
    if sum(widths) - 4 <= room:
        return pills, 0
    count, left = 0, room - theme.px(22)
    while count < len(pills) and widths[count] <= left:
        left -= widths[count]
        count += 1
    return pills[:count], len(pills) - count


def fitting_pill(theme: Theme, text: str, shape: str, room: int) -> str:
    """The text, shortened until its pill fits."""
    over = painters.pill_width(theme, text, shape) - room
    if over <= 0:
        return text
    metrics = theme.metrics("pill")
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, metrics.horizontalAdvance(text) - over))


WIDGETS: dict[str, type[QWidget]] = {"table": TableWidget}

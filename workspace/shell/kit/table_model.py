"""A table's rows for Qt: computed rows, or a watch's rows through element paths. Knows cells and sorting, paints nothing."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from workspace.panels.components import Cell, Table, TableColumn, TableRow
from workspace.panels.face import RowsChange
from workspace.shell.kit import paths, when
from workspace.shell.kit.env import Env
from workspace.shell.kit.tips import plain_tip

CELL = Qt.ItemDataRole.UserRole + 1
ROW = Qt.ItemDataRole.UserRole + 2
COLUMN = Qt.ItemDataRole.UserRole + 3
NOTHING = (2, 0.0, "")
LAST = str.maketrans({"æ": "\uf001", "ä": "\uf001", "ø": "\uf002", "ö": "\uf002", "å": "\uf003"})
Index = QModelIndex | QPersistentModelIndex
MARKS = {"up": "haster", "diamond": "obs", "dot": "", "none": ""}


def cell_of(value: Cell | str | int | float | None) -> Cell:
    """Any cell value as a Cell."""
    if isinstance(value, Cell):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Cell(text=when.number(value), sort=float(value))
    return Cell(text=str(value) if value else "")


class RowModel(QAbstractTableModel):
    """Rows in the order shown. The user's sort stands on top of the order the panel gave."""

    def __init__(self, component: Table, env: Env, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._env = env
        self._component = component
        self._sort = component.sort
        self._rows: list[TableRow] = []
        self.load(component)

    # --- what Qt asks ---

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._component.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], self._component.columns[index.column()]
        if role == CELL:
            return cell_of(row.cells.get(column.key))
        if role == ROW:
            return row
        if role == COLUMN:
            return column
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            words = self.words(row, column)
            if role == Qt.ItemDataRole.ToolTipRole:
                return plain_tip(words)
            return f"{column.title}: {words}" if role == Qt.ItemDataRole.AccessibleTextRole and column.title else words
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._component.columns[section].title
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    # --- what the table asks ---

    @property
    def component(self) -> Table:
        return self._component

    @property
    def sorted_by(self) -> str:
        return self._sort

    def row(self, index: int) -> TableRow:
        return self._rows[index]

    def position(self, key: str) -> int:
        """Where the row with `key` stands, or -1."""
        return next((index for index, row in enumerate(self._rows) if row.key == key), -1)

    def words(self, row: TableRow, column: TableColumn) -> str:
        """A cell in words, for screen readers, tool tips and copying."""
        cell = cell_of(row.cells.get(column.key))
        parts = [self.shown(cell, column), cell.secondary, MARKS[cell.shape]]
        parts += [" ".join(part for part in (pill.text, MARKS[pill.shape]) if part) for pill in cell.pills]
        if column.kind == "spark":
            parts.append(", ".join(when.number(value) if value is not None else "mangler" for value in cell.values))
        return " ".join(part for part in parts if part)

    def shown(self, cell: Cell, column: TableColumn) -> str:
        """The cell's own text; ages and times are made from `at`."""
        if column.kind == "age" and cell.at:
            text = when.age(cell.at, self._env.now())
        elif column.kind == "date" and cell.at:
            text = when.day(cell.at)
        elif column.kind == "time" and cell.at:
            text = when.clock(cell.at)
        else:
            text = cell.text
        return f"{text} · {cell.source}" if cell.source else text

    # --- change ---

    def load(self, component: Table) -> None:
        """Another component: columns or all rows may differ."""
        self.beginResetModel()
        if component.sort != self._component.sort:
            self._sort = component.sort
        self._component = component
        self._rows = self._ordered(self._given())
        self.endResetModel()

    def update(self, component: Table) -> None:
        """The same columns, other rows: patched in place, so selection and scroll stay."""
        if component.sort != self._component.sort:
            self._sort = component.sort
        self._component = component
        self._become(self._ordered(self._given()))

    def changed(self, component: Table, change: RowsChange) -> None:
        del change  # the outcome stands in the component; the difference is taken against what is shown
        self.update(component)

    def sort_by(self, key: str) -> None:
        """Sort by a column; once more turns it round; a third time gives the panel's own order back."""
        self._sort = {key: f"-{key}", f"-{key}": ""}.get(self._sort, key)
        self._become(self._ordered(self._given()))

    def tick(self) -> None:
        """Ages have grown."""
        for index, column in enumerate(self._component.columns):
            if column.kind == "age" and self._rows:
                self.dataChanged.emit(self.index(0, index), self.index(len(self._rows) - 1, index))

    def _given(self) -> list[TableRow]:
        component = self._component
        if component.watch is None:
            rows = component.rows
        else:
            rows = [self._bound_row(resource) for resource in self._env.bound(component.watch).resources]
        return rows[: component.limit] if component.limit else list(rows)

    def _bound_row(self, resource: dict[str, Any]) -> TableRow:
        cells: dict[str, Cell | str | int | float | None] = {}
        for column in self._component.columns:
            value = paths.at(resource, column.path)
            if column.kind in ("age", "date", "time"):
                cells[column.key] = Cell(at=value if isinstance(value, str) else "", sort=str(value or ""))
            elif isinstance(value, int | float) and not isinstance(value, bool):
                text = when.number(value, column.decimals) + (f" {column.unit}" if column.unit else "")
                cells[column.key] = Cell(text=text, sort=float(value))
            else:
                cells[column.key] = paths.text(value)
        return TableRow(key=f"{resource.get('resourceType')}/{resource.get('id')}", cells=cells)

    def _ordered(self, rows: list[TableRow]) -> list[TableRow]:
        key = self._sort.lstrip("-")
        if not key or key not in {column.key for column in self._component.columns}:
            return rows
        values = {row.key: _sortable(cell_of(row.cells.get(key))) for row in rows}
        full = [row for row in rows if values[row.key] is not None]
        empty = [row for row in rows if values[row.key] is None]  # last both ways
        return sorted(full, key=lambda row: values[row.key] or NOTHING, reverse=self._sort.startswith("-")) + empty

    def _become(self, wanted: list[TableRow]) -> None:
        keys = {row.key for row in wanted}
        for index in range(len(self._rows) - 1, -1, -1):
            if self._rows[index].key not in keys:
                self.beginRemoveRows(QModelIndex(), index, index)
                del self._rows[index]
                self.endRemoveRows()
        for index, row in enumerate(wanted):
            here = self._rows[index] if index < len(self._rows) else None
            if here is None or here.key != row.key:
                self._place(index, row)
            elif here != row:
                self._rows[index] = row
                self.dataChanged.emit(self.index(index, 0), self.index(index, self.columnCount() - 1))

    def _place(self, index: int, row: TableRow) -> None:
        old = next((i for i in range(index + 1, len(self._rows)) if self._rows[i].key == row.key), -1)
        if old < 0:
            self.beginInsertRows(QModelIndex(), index, index)
            self._rows.insert(index, row)
            self.endInsertRows()
            return
        self.beginMoveRows(QModelIndex(), old, old, QModelIndex(), index)
        del self._rows[old]
        self._rows.insert(index, row)
        self.endMoveRows()
        self.dataChanged.emit(self.index(index, 0), self.index(index, self.columnCount() - 1))


def _sortable(cell: Cell) -> tuple[int, float, str] | None:
    value = cell.sort if cell.sort is not None else (cell.at or cell.text)
    if isinstance(value, int | float):
        return (0, float(value), "")
    return (1, 0.0, alphabetical(value)) if value else None


def alphabetical(text: str) -> str:
    """A key that puts æ, ø and å last, in that order, as a Norwegian list does."""
    return text.casefold().translate(LAST)

"""A table's rows for Qt: computed rows, or a watch's rows through element paths. Knows cells and sorting, paints nothing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from workspace.panels.components import Action, Cell, Table, TableColumn, TableRow, Tone
from workspace.panels.face import RowsChange
from workspace.shell.kit import paths, when
from workspace.shell.kit.env import Env, RowMark
from workspace.shell.kit.tips import plain_tip
from workspace.shell.kit.whence import Offer, of_pills

CELL = Qt.ItemDataRole.UserRole + 1
ROW = Qt.ItemDataRole.UserRole + 2
COLUMN = Qt.ItemDataRole.UserRole + 3
NOTHING = (2, 0.0, "")
LAST = str.maketrans({"æ": "\uf001", "ä": "\uf001", "ø": "\uf002", "ö": "\uf002", "å": "\uf003"})
Index = QModelIndex | QPersistentModelIndex
CellValue = Cell | str | int | float | None
MARKS = {"up": "haster", "diamond": "obs", "dot": "", "none": ""}


def cell_of(value: Cell | str | int | float | None) -> Cell:
    """Any cell value as a Cell."""
    if isinstance(value, Cell):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Cell(text=when.number(value), sort=float(value))
    return Cell(text=str(value) if value else "")


class BoundRow:
    """A watch's row. Its cells are read from the resource when somebody looks: most of ten thousand are never seen."""

    __slots__ = ("_cells", "_columns", "key", "resource")

    action: Action | None = None
    label = ""
    tone: Tone = "neutral"
    abouts: Mapping[str, str] = MappingProxyType({})

    def __init__(self, resource: dict[str, Any], columns: list[TableColumn]) -> None:
        self.resource, self._columns = resource, columns
        self.key = f"{resource.get('resourceType')}/{resource.get('id')}"
        self._cells: dict[str, CellValue] | None = None

    @property
    def about(self) -> str:
        return self.key

    @property
    def cells(self) -> dict[str, CellValue]:
        if self._cells is None:
            self._cells = {column.key: _bound_cell(self.resource, column) for column in self._columns}
        return self._cells


def _bound_cell(resource: dict[str, Any], column: TableColumn) -> CellValue:
    value = paths.at(resource, column.path)
    if column.kind in ("age", "date", "time"):
        return Cell(at=value if isinstance(value, str) else "", sort=str(value or ""))
    if isinstance(value, int | float) and not isinstance(value, bool):
        told = paths.in_unit(resource, column.path, column.unit, column.decimals)
        if told is not None:
            return Cell(text=told[0], sort="" if told[1] is None else told[1])
        text = when.number(value, column.decimals) + (f" {column.unit}" if column.unit else "")
        return Cell(text=text, sort=float(value))
    return paths.text(value)


AnyRow = TableRow | BoundRow


class RowModel(QAbstractTableModel):
    """Rows in the order shown. The user's sort stands on top of the order the panel gave."""

    def __init__(self, component: Table, env: Env, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._env = env
        self._component = component
        self._sort = component.sort
        self._rows: list[AnyRow] = []
        self._find: tuple[str, ...] = ()
        self._total = 0
        # With what they were made from: a watch's rows are made anew only when their resource is another.
        self._bound: dict[int, BoundRow] = {}
        self._keys: dict[str, tuple[AnyRow, tuple[int, float, str] | None]] = {}
        self._texts: dict[str, tuple[AnyRow, str]] = {}
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
            mark = self.mark(row) if role != Qt.ItemDataRole.DisplayRole and index.column() == self.marked else None
            if mark is not None:
                words = f"{words}, {mark.words}: {mark.reason}" if mark.reason else f"{words}, {mark.words}"
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
    def marked(self) -> int:
        """The column that carries the row's mark: what the row is called, which has room."""
        columns = list(enumerate(self._component.columns))
        wide = [at for at, column in columns if column.width in ("grow", "l") and column.kind in ("strong", "text")]
        strong = [at for at, column in columns if column.kind == "strong"]
        return next(iter((*strong, *wide)), 0)

    def mark(self, row: AnyRow) -> RowMark | None:
        """What waits, was refused or is in conflict of what the row is about."""
        return self._env.mark(row.about) if row.about else None

    @property
    def component(self) -> Table:
        return self._component

    @property
    def sorted_by(self) -> str:
        return self._sort

    @property
    def total(self) -> int:
        """Rows there are, found or not."""
        return self._total

    @property
    def finding(self) -> str:
        return " ".join(self._find)

    def find(self, text: str) -> None:
        """Show only rows that have all of these words; all when there are none."""
        self._find = tuple(text.casefold().split())
        self._become(self._ordered(self._given()))

    def row(self, index: int) -> AnyRow:
        return self._rows[index]

    def position(self, key: str) -> int:
        """Where the row with `key` stands, or -1."""
        return next((index for index, row in enumerate(self._rows) if row.key == key), -1)

    def words(self, row: AnyRow, column: TableColumn) -> str:
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

    def offers(self, row: AnyRow, column: int | None) -> list[Offer]:
        """What can be asked about: the cell in `column` where it says what it is, else what the row is about; without a
        column all of them."""
        told = []
        for at, one in enumerate(self._component.columns):
            if about := row.abouts.get(one.key, ""):
                told.append((at, Offer(about, f"{one.title} {self.words(row, one)}".strip())))
            told += [(at, offer) for offer in of_pills(cell_of(row.cells.get(one.key)).pills)]
        if column is not None and (exact := [offer for at, offer in told if at == column]):
            return exact
        name = self._component.columns[self.marked] if self._component.columns else None
        whole = (
            [Offer(row.about, row.label or (self.words(row, name) if name is not None else ""))] if row.about else []
        )
        if whole and column is not None:
            return whole
        cells = [offer for _, offer in told]
        return cells if row.about in [one.reference for one in cells] else [*whole, *cells]

    # --- change ---

    def load(self, component: Table) -> None:
        """Another component: columns or all rows may differ."""
        self.beginResetModel()
        if component.sort != self._component.sort:
            self._sort = component.sort
        self._component = component
        for held in (self._bound, self._keys, self._texts):
            held.clear()
        self._rows = self._ordered(self._given())
        self.endResetModel()

    def forget(self) -> None:
        """No rows; the columns, and the width they have, stand for those that come."""
        bare = msgspec.structs.replace(self._component, rows=[], selected="", label="", empty="", empty_hint="")
        self._find, self._sort = (), bare.sort
        self.load(bare)

    def update(self, component: Table) -> None:
        """The same columns, other rows: patched in place, so selection and scroll stay."""
        if component.sort != self._component.sort:
            self._sort = component.sort
            self._keys.clear()
        self._component = component
        self._become(self._ordered(self._given()))

    def changed(self, component: Table, change: RowsChange) -> None:
        del change  # the outcome stands in the component; the difference is taken against what is shown
        self.update(component)

    def sort_by(self, key: str) -> None:
        """Sort by a column; once more turns it round; a third time gives the panel's own order back."""
        self._sort = {key: f"-{key}", f"-{key}": ""}.get(self._sort, key)
        self._keys.clear()
        self._become(self._ordered(self._given()))

    def tick(self) -> None:
        """Ages have grown."""
        for index, column in enumerate(self._component.columns):
            if column.kind == "age" and self._rows:
                self.dataChanged.emit(self.index(0, index), self.index(len(self._rows) - 1, index))

    def _given(self) -> list[AnyRow]:
        component = self._component
        rows: list[AnyRow] = list(component.rows)
        if component.watch is not None:
            bound = [self._bound_row(resource) for resource in self._env.bound(component.watch).resources]
            if len(self._bound) > 2 * len(bound) + 100:
                self._bound = {id(row.resource): row for row in bound}
            rows = list(bound)
        return rows[: component.limit] if component.limit else list(rows)

    def _bound_row(self, resource: dict[str, Any]) -> BoundRow:
        held = self._bound.get(id(resource))
        if held is None or held.resource is not resource:
            held = self._bound[id(resource)] = BoundRow(resource, self._component.columns)
        return held

    def _ordered(self, rows: list[AnyRow]) -> list[AnyRow]:
        self._total = len(rows)
        if self._find:
            rows = [row for row in rows if all(word in self._text(row) for word in self._find)]
        key = self._sort.lstrip("-")
        if not key or key not in {column.key for column in self._component.columns}:
            return rows
        values = {row.key: self._sort_key(row, key) for row in rows}
        full = [row for row in rows if values[row.key] is not None]
        empty = [row for row in rows if values[row.key] is None]  # last both ways
        return sorted(full, key=lambda row: values[row.key] or NOTHING, reverse=self._sort.startswith("-")) + empty

    def _sort_key(self, row: AnyRow, key: str) -> tuple[int, float, str] | None:
        held = self._keys.get(row.key)
        if held is None or held[0] is not row:
            held = self._keys[row.key] = (row, _sortable(cell_of(row.cells.get(key))))
        return held[1]

    def _text(self, row: AnyRow) -> str:
        """All that can be read in a row, for finding it."""
        held = self._texts.get(row.key)
        if held is None or held[0] is not row:
            said = " ".join(self.words(row, column) for column in self._component.columns)
            held = self._texts[row.key] = (row, f"{row.label} {said}".casefold())
        return held[1]

    def _become(self, wanted: list[AnyRow]) -> None:
        """Show `wanted`, telling Qt the least: rows that go, those that change places, those that come, those that differ.
        Each step is one pass, so that ten thousand rows are sorted at once and one changed row is one."""
        if len(wanted) == len(self._rows) and all(
            a is b or a.key == b.key for a, b in zip(wanted, self._rows, strict=True)
        ):
            self._renew(wanted)
            return
        keys = {row.key for row in wanted}
        self._take([row.key in keys for row in self._rows])
        here = {row.key for row in self._rows}
        self._order([row.key for row in wanted if row.key in here])
        self._bring(wanted, here)
        self._renew(wanted)

    def _take(self, stays: list[bool]) -> None:
        end = len(stays)
        while end:
            start = end - 1
            if not stays[start]:
                while start and not stays[start - 1]:
                    start -= 1
                self.beginRemoveRows(QModelIndex(), start, end - 1)
                del self._rows[start:end]
                self.endRemoveRows()
            end = start

    def _order(self, keys: list[str]) -> None:
        if [row.key for row in self._rows] == keys:
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        names = [self._rows[index.row()].key for index in before]
        by_key = {row.key: row for row in self._rows}
        self._rows = [by_key[key] for key in keys]
        places = {key: place for place, key in enumerate(keys)}
        after = [self.index(places[name], old.column()) for name, old in zip(names, before, strict=True)]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _bring(self, wanted: list[AnyRow], here: set[str]) -> None:
        start = 0
        while start < len(wanted):
            end = start
            while end < len(wanted) and wanted[end].key not in here:
                end += 1
            if end > start:
                self.beginInsertRows(QModelIndex(), start, end - 1)
                self._rows[start:start] = wanted[start:end]
                self.endInsertRows()
            start = end + 1

    def _renew(self, wanted: list[AnyRow]) -> None:
        last = self.columnCount() - 1
        for place, row in enumerate(wanted):
            old = self._rows[place]
            if old is not row and old != row:
                self._rows[place] = row
                self.dataChanged.emit(self.index(place, 0), self.index(place, last))


def _sortable(cell: Cell) -> tuple[int, float, str] | None:
    value = cell.sort if cell.sort is not None else (cell.at or cell.text)
    if isinstance(value, int | float):
        return (0, float(value), "")
    return (1, 0.0, alphabetical(value)) if value else None


def alphabetical(text: str) -> str:
    """A key that puts æ, ø and å last, in that order, as a Norwegian list does."""
    return text.casefold().translate(LAST)

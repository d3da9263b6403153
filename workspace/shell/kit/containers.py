"""Containers: column, row, grid, section, form. They place children and know nothing else."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLayout, QLayoutItem, QSizePolicy, QVBoxLayout, QWidget

from workspace.panels.components import Column, Grid, Row, Section
from workspace.shell.kit.env import Env
from workspace.shell.kit.fields import RING, Labelled
from workspace.shell.theme import Theme

STRETCHY = ("table", "trend", "text-area", "spacer", "empty", "notice", "pending", "failed")
ALIGN = {
    "start": Qt.AlignmentFlag.AlignLeft,
    "center": Qt.AlignmentFlag.AlignHCenter,
    "end": Qt.AlignmentFlag.AlignRight,
}


class Container(QWidget):
    """Base: `place(children)` puts widgets in order. Children are (widget, component kind, span)."""

    def __init__(self, component: Any, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.component, self.theme = component, env.theme
        self.children_: list[tuple[QWidget, str, int]] = []
        self.last: QWidget | None = None  # the one child that takes the room that is left
        self.box = self.make()
        self.box.setContentsMargins(0, 0, 0, 0)

    def make(self) -> QLayout:
        return QVBoxLayout(self)

    def set_component(self, component: Any) -> None:
        self.component = component
        self.place(self.children_)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.place(self.children_)

    def place(self, children: list[tuple[QWidget, str, int]]) -> None:
        self.children_ = children
        while self.box.count():
            self.box.takeAt(0)
        self.box.setSpacing(self.theme.gap(self.component.gap))
        self.last = next((widget for widget, kind, _ in reversed(children) if grows(widget, kind)), None)
        for widget, kind, span in children:
            if hasattr(widget, "set_elastic"):
                widget.set_elastic(widget is self.last)
            self.put(widget, kind, span)
            widget.show()
        self.done()

    def spacing(self) -> int:
        """Between children, in pixels."""
        return self.theme.gap(self.component.gap)

    def put(self, widget: QWidget, kind: str, span: int) -> None:
        assert isinstance(self.box, QVBoxLayout)
        self.box.addWidget(widget, 1 if widget is self.last else 0)

    def done(self) -> None:
        """After all children are in: what no child takes stays empty at the bottom."""
        if isinstance(self.box, QVBoxLayout) and not any(grows(widget, kind) for widget, kind, _ in self.children_):
            self.box.addStretch(1)


def grows(widget: QWidget, kind: str) -> bool:
    """Whether a child takes the room that is left: text areas and spacers, and groups that hold one. A table is as tall as
    its rows, and shorter only when there is no room."""
    if isinstance(widget, Container):
        return any(grows(child, inner) for child, inner, _ in widget.children_)
    return kind in ("text-area", "spacer")


def tall_as_wide(widget: QWidget) -> None:
    """Let the height follow from the width."""
    policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    widget.setSizePolicy(policy)


def least(widget: QWidget, width: int) -> int:
    """The height below which a widget would be squeezed: tables and text areas at their least, words in full."""
    if isinstance(widget, Container) and isinstance(widget.box, QVBoxLayout):
        items = [widget.box.itemAt(index) for index in range(widget.box.count())]
        rows = [item.widget() for item in items if item is not None]
        inner = [row for row in rows if row is not None and not row.isHidden()]
        return sum(least(row, width) for row in inner) + max(0, len(inner) - 1) * widget.box.spacing()
    tall = widget.minimumSizeHint().height()
    if widget.hasHeightForWidth():
        tall = widget.heightForWidth(width)
    elif widget.sizePolicy().verticalPolicy() == QSizePolicy.Policy.Fixed:
        tall = widget.sizeHint().height()
    return max(tall, widget.minimumHeight())


class ColumnWidget(Container):
    """Children under each other."""


class SectionWidget(Container):
    """A titled group."""

    def __init__(self, component: Section, env: Env, parent: QWidget | None = None) -> None:
        self._title = QLabel()
        super().__init__(component, env, parent)
        self._title.setParent(self)

    def place(self, children: list[tuple[QWidget, str, int]]) -> None:
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setContentsMargins(RING, 0, 0, 0)
        self._title.setWordWrap(True)
        self._title.setText(self.component.title)
        self._title.setFont(self.theme.font("heading"))
        dressed = self._title.palette()
        dressed.setColor(QPalette.ColorRole.WindowText, self.theme.color("text"))
        self._title.setPalette(dressed)
        self.setAccessibleName(self.component.title)
        super().place(children)
        assert isinstance(self.box, QVBoxLayout)
        self.box.insertWidget(0, self._title)
        self._title.show()


class Flow(QLayout):
    """Children beside each other, on as many lines as it takes."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._run(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._run(rect, move=True)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        widest = max((item.minimumSize().width() for item in self._items), default=0)
        return QSize(min(widest, 200), max((item.sizeHint().height() for item in self._items), default=0))

    def _run(self, rect: QRect, *, move: bool) -> int:
        x, y = rect.x(), rect.y()
        line: list[tuple[QLayoutItem, QRect]] = []
        for item in self._items:
            width = min(wish(item), rect.width())
            if line and x + width > rect.right() + 1:
                y += self._line(line, move=move) + max(4, self.spacing() // 2)
                x, line = rect.x(), []
            tall = item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
            line.append((item, QRect(QPoint(x, y), QSize(width, tall))))
            x += width + self.spacing()
        return y + self._line(line, move=move) - rect.y()

    @staticmethod
    def _line(line: list[tuple[QLayoutItem, QRect]], *, move: bool) -> int:
        """Place one line, each child in its middle; returns its height."""
        tall = max((area.height() for _, area in line), default=0)
        if move:
            for item, area in line:
                item.setGeometry(area.translated(0, (tall - area.height()) // 2))
        return tall


def wish(item: QLayoutItem) -> int:
    """The width a child would like: words on one line."""
    label = item.widget()
    if isinstance(label, QLabel):
        lines = label.text().split("\n")
        margins = label.contentsMargins()
        return max(label.fontMetrics().horizontalAdvance(line) for line in lines) + margins.left() + margins.right() + 2
    return item.sizeHint().width()


class RowWidget(Container):
    """Children beside each other."""

    def make(self) -> QLayout:
        if self.component.wrap:
            tall_as_wide(self)
            return Flow(self)
        return QHBoxLayout(self)

    def spacing(self) -> int:
        kinds = {kind for _, kind, _ in self.children_}
        # the rings of two buttons are free space already
        return max(0, super().spacing() - (4 if kinds == {"button"} else 0))

    def put(self, widget: QWidget, kind: str, span: int) -> None:
        if isinstance(self.box, QHBoxLayout):
            text = kind in ("text", "heading")
            stretch = 1 if kind in STRETCHY or kind.endswith("-field") or isinstance(widget, Container) or text else 0
            self.box.addWidget(widget, stretch, Qt.AlignmentFlag.AlignVCenter if stretch == 0 else Qt.AlignmentFlag(0))
        else:
            self.box.addWidget(widget)

    def done(self) -> None:
        if not isinstance(self.box, QHBoxLayout):
            return
        loose = not any(self.box.stretch(index) for index in range(self.box.count()))
        if loose and self.component.align in ("start", "between"):
            self.box.addStretch(1)
        if loose and self.component.align in ("end", "center"):
            self.box.insertStretch(0, 1)
        if loose and self.component.align == "center":
            self.box.addStretch(1)


class Cells(QLayout):
    """Equal columns, fewer where there is no room. In each row the boxes of fields line up, and so does a button's foot."""

    LEAST = 104

    def __init__(self, grid: GridWidget) -> None:
        super().__init__(grid)
        self._grid = grid
        self._items: list[QLayoutItem] = []

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._run(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._run(rect, move=True)

    def sizeHint(self) -> QSize:
        least = self._grid.theme.px(self.LEAST)
        wide = least * self._grid.component.columns
        return QSize(wide, self._run(QRect(0, 0, wide, 0), move=False))

    def minimumSize(self) -> QSize:
        return QSize(self._grid.theme.px(self.LEAST), 0)

    def columns(self, width: int) -> int:
        """How many fit."""
        gap = self.spacing()
        least = self._grid.theme.px(self.LEAST) + gap
        return int(max(1, min(self._grid.component.columns, (width + gap) // least)))

    def _run(self, rect: QRect, *, move: bool) -> int:
        columns, y = self.columns(rect.width()), rect.y()
        row: list[tuple[QLayoutItem, int, int]] = []
        used = 0
        for item, span in zip(self._items, self._grid.spans(), strict=False):
            wide = min(span, columns)
            if used + wide > columns:
                y += self._row(row, rect, y, columns, move=move) + self.spacing()
                row, used = [], 0
            row.append((item, used, wide))
            used += wide
        return y + (self._row(row, rect, y, columns, move=move) if row else 0) - rect.y()

    def _row(self, row: list[tuple[QLayoutItem, int, int]], rect: QRect, y: int, columns: int, *, move: bool) -> int:
        gap = self.spacing()
        one = (rect.width() - gap * (columns - 1)) / columns
        line, placed = 0, []
        for item, start, wide in row:
            width = round(wide * one + (wide - 1) * gap)
            tall = item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
            widget = item.widget()
            foot = widget.standing() if isinstance(widget, Labelled) else tall
            line = max(line, foot)
            placed.append((item, rect.x() + round(start * (one + gap)), width, tall, foot))
        bottom = 0
        for item, x, width, tall, foot in placed:
            if move:
                item.setGeometry(QRect(x, y + line - foot, width, tall))
            bottom = max(bottom, line - foot + tall)
        return bottom


class GridWidget(Container):
    """Equal columns; `span` counts columns."""

    def make(self) -> QLayout:
        tall_as_wide(self)
        return Cells(self)

    def spans(self) -> list[int]:
        return [max(1, span) for _, _, span in self.children_]

    def put(self, widget: QWidget, kind: str, span: int) -> None:
        self.box.addWidget(widget)


class FormWidget(Container):
    """Fields that belong together; `submit` runs on Enter in a one-line field (the body sees to it)."""


WIDGETS: dict[str, type[Container]] = {
    "column": ColumnWidget, "row": RowWidget, "grid": GridWidget, "section": SectionWidget, "form": FormWidget,
}  # fmt: skip
__all__ = ["WIDGETS", "Column", "Container", "FormWidget", "Grid", "Row"]

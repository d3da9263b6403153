"""Containers: column, row, grid, section, form. They place children and know nothing else."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLayout, QLayoutItem, QSizePolicy, QVBoxLayout, QWidget

from workspace.panels.components import Column, Grid, Row, Section
from workspace.shell.kit.env import Env
from workspace.shell.theme import Theme

STRETCHY = ("table", "trend", "text-area", "spacer")
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

    def put(self, widget: QWidget, kind: str, span: int) -> None:
        assert isinstance(self.box, QVBoxLayout)
        self.box.addWidget(widget, 1 if widget is self.last else 0)

    def done(self) -> None:
        """After all children are in: what no child takes stays empty at the bottom."""
        if isinstance(self.box, QVBoxLayout) and not any(grows(widget, kind) for widget, kind, _ in self.children_):
            self.box.addStretch(1)


def grows(widget: QWidget, kind: str) -> bool:
    """Whether a child takes the room that is left: tables and text areas, and groups that hold one."""
    if isinstance(widget, Container):
        return any(grows(child, inner) for child, inner, _ in widget.children_)
    return kind in ("table", "text-area", "spacer")


class ColumnWidget(Container):
    """Children under each other."""


class SectionWidget(Container):
    """A titled group."""

    def __init__(self, component: Section, env: Env, parent: QWidget | None = None) -> None:
        self._title = QLabel()
        super().__init__(component, env, parent)
        self._title.setParent(self)

    def place(self, children: list[tuple[QWidget, str, int]]) -> None:
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

    def itemAt(self, index: int) -> QLayoutItem | None:  # type: ignore[override]
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # type: ignore[override]
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
        x, y, tall = rect.x(), rect.y(), 0
        for item in self._items:
            size = item.sizeHint()
            if x > rect.x() and x + size.width() > rect.right() + 1:
                x, y, tall = rect.x(), y + tall + max(4, self.spacing() // 2), 0
            width = min(size.width(), rect.width())
            if move:
                item.setGeometry(QRect(QPoint(x, y), QSize(width, size.height())))
            x += width + self.spacing()
            tall = max(tall, size.height())
        return y + tall - rect.y()


class RowWidget(Container):
    """Children beside each other."""

    def make(self) -> QLayout:
        if self.component.wrap:
            policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
            policy.setHeightForWidth(True)
            self.setSizePolicy(policy)
            return Flow(self)
        return QHBoxLayout(self)

    def put(self, widget: QWidget, kind: str, span: int) -> None:
        if isinstance(self.box, QHBoxLayout):
            text = kind in ("text", "heading") and len(self.children_) == 1
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


class GridWidget(Container):
    """Equal columns, fewer where the panel is narrow. Children stand at the bottom of their row, so boxes line up."""

    LEAST = 104

    def make(self) -> QLayout:
        return QVBoxLayout(self)

    def _fitting(self) -> int:
        least = self.theme.px(self.LEAST) + self.theme.gap(self.component.gap)
        return max(1, min(self.component.columns, (self.width() + self.theme.gap(self.component.gap)) // least))

    def place(self, children: list[tuple[QWidget, str, int]]) -> None:
        self.children_ = children
        for widget, _, _ in children:
            widget.setParent(self)
            widget.show()
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        gap = self.theme.gap(self.component.gap)
        columns = self._fitting()
        width = (self.width() - gap * (columns - 1)) / columns
        y, row, used = 0, [], 0

        def flush() -> None:
            nonlocal y
            tall = max((widget.sizeHint().height() for widget, _, _ in row), default=0)
            for widget, start, wide in row:
                height = widget.sizeHint().height()
                left = round(start * (width + gap))
                widget.setGeometry(left, y + tall - height, round(wide * width + (wide - 1) * gap), height)
            y += tall + gap

        for widget, _, span in self.children_:
            wide = min(span, columns)
            if used + wide > columns:
                flush()
                row, used = [], 0
            row.append((widget, used, wide))
            used += wide
        if row:
            flush()
        self.setFixedHeight(max(0, y - gap))

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(self.LEAST) * self.component.columns, self.height())


class FormWidget(Container):
    """Fields that belong together; `submit` runs on Enter in a one-line field (the body sees to it)."""


WIDGETS: dict[str, type[Container]] = {
    "column": ColumnWidget, "row": RowWidget, "grid": GridWidget, "section": SectionWidget, "form": FormWidget,
}  # fmt: skip
__all__ = ["WIDGETS", "Column", "Container", "FormWidget", "Grid", "Row"]

"""The row component: children beside each other, or on as many lines as it takes."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLayout, QLayoutItem, QWidget

from workspace.shell.kit.containers import STRETCHY, Container, tall_as_wide


class Flow(QLayout):
    """Children beside each other, on as many lines as it takes."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)
        self.invalidate()  # a child that is shown already asks for nothing itself

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


WIDGETS: dict[str, type[Container]] = {"row": RowWidget}

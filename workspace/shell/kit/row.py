"""The row component: children beside each other, or on as many lines as it takes."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLayout, QWidget

from workspace.shell.kit.arranger import Arranged, Arranger, hint_of, least_of, seat, tall_of
from workspace.shell.kit.containers import STRETCHY, Container, growing, tall_as_wide


class Flow(Arranger):
    """Children beside each other, on as many lines as it takes."""

    def hint(self) -> QSize:
        return self.least()

    def least(self) -> QSize:
        children = [widget for _, widget in self.widgets()]
        widest = max((least_of(widget).width() for widget in children), default=0)
        return QSize(min(widest, 200), max((hint_of(widget).height() for widget in children), default=0))

    def arrange(self, rect: QRect, *, move: bool) -> int:
        x, y = rect.x(), rect.y()
        line: list[tuple[QWidget, QRect]] = []
        for _, widget in self.widgets():
            width = min(wish(widget), rect.width())
            if line and x + width > rect.right() + 1:
                y += self._line(line, move=move) + max(4, self.spacing() // 2)
                x, line = rect.x(), []
            line.append((widget, QRect(QPoint(x, y), QSize(width, tall_of(widget, width)))))
            x += width + self.spacing()
        return y + self._line(line, move=move) - rect.y()

    @staticmethod
    def _line(line: list[tuple[QWidget, QRect]], *, move: bool) -> int:
        """Place one line, each child in its middle; returns its height."""
        tall = max((area.height() for _, area in line), default=0)
        if move:
            for widget, area in line:
                seat(widget, area.translated(0, (tall - area.height()) // 2))
        return tall


def wish(widget: QWidget) -> int:
    """The width a child would like: words on one line."""
    if isinstance(widget, QLabel):
        lines = widget.text().split("\n")
        margins = widget.contentsMargins()
        return (
            max(widget.fontMetrics().horizontalAdvance(line) for line in lines) + margins.left() + margins.right() + 2
        )
    return hint_of(widget).width()


class RowWidget(Arranged, Container):
    """Children beside each other."""

    def make(self) -> QLayout | Arranger:
        if self.component.wrap:
            tall_as_wide(self)
            return Flow(self)
        return QHBoxLayout(self)

    def spacing(self) -> int:
        kinds = {kind for _, kind, _ in self.children_}
        # the rings of two buttons are free space already
        return max(0, super().spacing() - (4 if kinds == {"button"} else 0))

    def forget(self) -> None:
        """It has no words of its own."""

    def growing(self) -> bool:
        """A spacer in it takes the room beside its brothers, not below them."""
        return any(growing(widget, kind) for widget, kind, _ in self.children_ if kind != "spacer")

    def put(self, widget: QWidget, kind: str, span: int) -> None:
        if isinstance(self.box, QHBoxLayout):
            text = kind in ("text", "heading")
            stretch = 1 if kind in STRETCHY or kind.endswith("-field") or isinstance(widget, Container) or text else 0
            self.box.addWidget(widget, stretch, Qt.AlignmentFlag.AlignVCenter if stretch == 0 else Qt.AlignmentFlag(0))
        else:
            self.box.addWidget(widget)

    def done(self) -> None:
        if not isinstance(self.box, QHBoxLayout):
            self.rearrange()
            return
        loose = not any(self.box.stretch(index) for index in range(self.box.count()))
        if loose and self.component.align in ("start", "between"):
            self.box.addStretch(1)
        if loose and self.component.align in ("end", "center"):
            self.box.insertStretch(0, 1)
        if loose and self.component.align == "center":
            self.box.addStretch(1)


WIDGETS: dict[str, type[Container]] = {"row": RowWidget}

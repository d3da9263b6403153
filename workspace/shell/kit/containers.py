"""What containers are made of: they place children and know nothing else. Column and form are the plainest."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QSizePolicy, QVBoxLayout, QWidget

from workspace.shell.kit.access import Spoken
from workspace.shell.kit.arranger import Arranger
from workspace.shell.kit.emptying import take_out
from workspace.shell.kit.env import Env
from workspace.shell.theme import Theme

STRETCHY = ("table", "trend", "text-area", "spacer", "empty", "notice", "pending", "failed")


NARROW = frozenset(
    {"button", "menu", "number-field", "pair-field", "date-field", "time-field", "choice-field", "code-field"}
)
"""Kinds that are read more easily when they are not as wide as a wide panel."""


class Container(QWidget):
    """Base: `place(children)` puts widgets in order. Children are (widget, component kind, span)."""

    spoken: Spoken | None = None

    def __init__(self, component: Any, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.component, self.theme = component, env.theme
        self.children_: list[tuple[QWidget, str, int]] = []
        self.last: QWidget | None = None  # the one child that takes the room that is left
        self.box = self.make()
        self.box.setContentsMargins(0, 0, 0, 0)

    def make(self) -> QLayout | Arranger:
        return QVBoxLayout(self)

    def set_component(self, component: Any) -> None:
        self.component = component
        self.place(self.children_)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.place(self.children_)

    def place(self, children: list[tuple[QWidget, str, int]]) -> None:
        self.children_ = children
        if isinstance(self.box, QLayout):
            take_out(self.box)
        else:
            self.box.clear()
        self.box.setSpacing(self.spacing())
        self.last = next((widget for widget, kind, _ in reversed(children) if growing(widget, kind)), None)
        for widget, kind, span in children:
            if hasattr(widget, "set_elastic"):
                widget.set_elastic(widget is self.last)
            self.put(widget, kind, span)
            widget.show()
        self.done()

    def settle(self) -> None:
        """What stands in it has become other, while nobody could see: how much room that takes is asked anew."""
        if isinstance(self.box, QLayout):
            self.box.invalidate()
        self.updateGeometry()

    def spacing(self) -> int:
        """Between children, in pixels."""
        return self.theme.gap(self.component.gap)

    def heads(self) -> list[QWidget]:
        """What stands above the children, where they stand under each other."""
        return []

    def growing(self) -> bool:
        """Whether it takes the room that is left, because something in it does."""
        return any(growing(widget, kind) for widget, kind, _ in self.children_)

    def put(self, widget: QWidget, kind: str, span: int) -> None:
        """Under each other. What need not be as wide as the panel stands to the left, at its own width."""
        assert isinstance(self.box, QVBoxLayout)
        left = Qt.AlignmentFlag.AlignLeft if narrow(widget, kind) else Qt.AlignmentFlag(0)
        self.box.addWidget(widget, 1 if widget is self.last else 0, left)

    def done(self) -> None:
        """After all children are in: what no child takes stays empty at the bottom."""
        if isinstance(self.box, QVBoxLayout) and not any(growing(widget, kind) for widget, kind, _ in self.children_):
            self.box.addStretch(1)


def narrow(widget: QWidget, kind: str) -> bool:
    """Whether a child stands to the left, at its own width."""
    return kind in NARROW and not getattr(widget, "wraps", False)


def growing(widget: QWidget, kind: str) -> bool:
    """Whether a child takes the room that is left: text areas and spacers, and groups that hold one. A table is as tall as
    its rows, and shorter only when there is no room."""
    return widget.growing() if isinstance(widget, Container) else kind in ("text-area", "spacer")


def tall_as_wide(widget: QWidget) -> None:
    """Let the height follow from the width."""
    policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    widget.setSizePolicy(policy)


def least(widget: QWidget, width: int) -> int:
    """The height below which a widget would be squeezed: tables and text areas at their least, words in full."""
    if isinstance(widget, Container) and isinstance(widget.box, QVBoxLayout):
        around = widget.box.contentsMargins()
        width -= around.left() + around.right()
        count, tall = 0, around.top() + around.bottom()
        # Never by `itemAt`: Qt deletes an item with its widget, and the item's wrapper then stands for whatever comes to
        # lie in its place, until the program ends there.
        rows = [(row, False) for row in widget.heads()]
        rows += [(row, narrow(row, kind)) for row, kind, _ in widget.children_]
        for row, aligned in rows:
            if not row.isHidden():
                tall += least(row, min(width, row.sizeHint().width()) if aligned else width)
                count += 1
        return tall + max(0, count - 1) * widget.box.spacing()
    tall, upright = widget.minimumSizeHint().height(), widget.sizePolicy().verticalPolicy()
    if isinstance(widget, Stack):
        tall = widget.least(width)
    elif upright == QSizePolicy.Policy.Expanding:
        pass  # a text area: it takes what there is, from its least on
    elif widget.hasHeightForWidth():
        tall = widget.heightForWidth(width)
    elif upright == QSizePolicy.Policy.Fixed:
        tall = widget.sizeHint().height()
    return max(tall, widget.minimumHeight())


class Stack(QWidget):
    """Base of what is as tall as its rows at a given width, and may scroll inside where room is short."""

    def least(self, width: int) -> int:
        raise NotImplementedError


class ColumnWidget(Container):
    """Children under each other."""

    def forget(self) -> None:
        """It has no words of its own."""


class FormWidget(Container):
    """Fields that belong together; `submit` runs on Enter in a one-line field (the body sees to it)."""

    def forget(self) -> None:
        """It has no words of its own."""


WIDGETS: dict[str, type[Container]] = {"column": ColumnWidget, "form": FormWidget}

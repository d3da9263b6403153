"""Places widgets in a container without Qt's layout items, for arrangements that Qt does not have (a flow, a grid with
spans).

A QLayout written in Python holds QLayoutItems that Qt deletes behind it when a widget goes; the next measure then reads
freed memory and ends the program. Here only widgets are held, and each is asked whether it still lives. The measures
are those of QWidgetItem.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QMargins, QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from shiboken6 import isValid

GROW, SHRINK = QSizePolicy.PolicyFlag.GrowFlag.value, QSizePolicy.PolicyFlag.ShrinkFlag.value


class Arranger:
    """What a container calls its `box`: the part of QLayout's interface that containers use. Subclasses measure and
    place."""

    def __init__(self, parent: QWidget) -> None:
        self._parent, self._children, self._spacing = parent, list[QWidget](), 0

    def addWidget(self, widget: QWidget) -> None:
        if widget.parentWidget() is not self._parent:
            widget.setParent(self._parent)
        self._children.append(widget)

    def count(self) -> int:
        return len(self._children)

    def clear(self) -> None:
        self._children.clear()

    def setSpacing(self, pixels: int) -> None:
        self._spacing = pixels

    def spacing(self) -> int:
        return self._spacing

    def setContentsMargins(self, left: int, top: int, right: int, bottom: int) -> None:
        """Arrangements reach to the edge of their container."""

    def contentsMargins(self) -> QMargins:
        return QMargins(0, 0, 0, 0)

    def widgets(self) -> list[tuple[int, QWidget]]:
        """Those that live and are to be seen, each with its place among all."""
        return [(at, one) for at, one in enumerate(self._children) if isValid(one) and not one.isHidden()]

    def arrange(self, rect: QRect, *, move: bool) -> int:
        """Place all within `rect` (or only reckon); returns the height it takes."""
        raise NotImplementedError

    def hint(self) -> QSize:
        raise NotImplementedError

    def least(self) -> QSize:
        raise NotImplementedError


def rigid(widget: QWidget) -> QSize | None:
    """The one size of a widget that neither grows nor shrinks and says so (`rigid`): six calls into Qt less a measure."""
    found = getattr(widget, "rigid", None)
    return found if isinstance(found, QSize) else None


def hint_of(widget: QWidget) -> QSize:
    stiff = rigid(widget)
    if stiff is not None:
        return stiff
    found = widget.sizeHint().expandedTo(widget.minimumSizeHint())
    return found.boundedTo(widget.maximumSize()).expandedTo(widget.minimumSize())


def least_of(widget: QWidget) -> QSize:
    """As small as its policy lets it become."""
    stiff = rigid(widget)
    if stiff is not None:
        return stiff
    policy, hint, least = widget.sizePolicy(), widget.sizeHint(), widget.minimumSizeHint()
    wide = least.width() if policy.horizontalPolicy().value & SHRINK else max(hint.width(), least.width())
    tall = least.height() if policy.verticalPolicy().value & SHRINK else max(hint.height(), least.height())
    return QSize(wide, tall).boundedTo(widget.maximumSize()).expandedTo(widget.minimumSize())


def tall_of(widget: QWidget, width: int) -> int:
    """Its height at `width`."""
    stiff = rigid(widget)
    if stiff is not None:
        return stiff.height()
    if not widget.hasHeightForWidth():
        return hint_of(widget).height()
    return max(widget.minimumHeight(), min(widget.heightForWidth(width), widget.maximumHeight()))


def seat(widget: QWidget, area: QRect) -> None:
    """Into `area`; one that does not grow stands in its middle."""
    policy, hint = widget.sizePolicy(), hint_of(widget)
    wide = area.width() if policy.horizontalPolicy().value & GROW else min(area.width(), hint.width())
    free = policy.verticalPolicy().value & GROW or widget.hasHeightForWidth()
    tall = area.height() if free else min(area.height(), hint.height())
    size = QSize(wide, tall).boundedTo(widget.maximumSize())
    left = area.x() + (area.width() - size.width()) // 2
    top = area.y() + (area.height() - size.height()) // 2
    widget.setGeometry(left, top, size.width(), size.height())


class Arranged(QWidget):
    """Measures and places itself by its `box` when that is an Arranger. Also a mixin, before a container."""

    box: Any = None

    def _arranger(self) -> Arranger | None:
        return self.box if isinstance(self.box, Arranger) else None

    def event(self, event: QEvent) -> bool:
        arranger = self._arranger()
        if arranger is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
            arranger.arrange(self.rect(), move=True)
            return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        arranger = self._arranger()
        if arranger is not None:
            arranger.arrange(self.rect(), move=True)

    def hasHeightForWidth(self) -> bool:
        return True if self._arranger() is not None else super().hasHeightForWidth()

    def heightForWidth(self, width: int) -> int:
        arranger = self._arranger()
        if arranger is None:
            return super().heightForWidth(width)
        return arranger.arrange(QRect(0, 0, width, 0), move=False)

    def sizeHint(self) -> QSize:
        arranger = self._arranger()
        return arranger.hint() if arranger is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        arranger = self._arranger()
        return arranger.least() if arranger is not None else super().minimumSizeHint()

    def settle(self) -> None:
        if self._arranger() is not None:
            self.rearrange()
        elif (other := getattr(super(), "settle", None)) is not None:
            other()

    def rearrange(self) -> None:
        """After all children are in."""
        arranger = self._arranger()
        if arranger is not None:
            self.updateGeometry()
            arranger.arrange(self.rect(), move=True)

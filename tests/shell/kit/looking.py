"""Looks at painted widgets: which words were drawn where, in which ink, on which ground."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPaintDevice, QPaintEngine, QRegion
from PySide6.QtWidgets import QAbstractItemView, QAbstractScrollArea, QApplication, QWidget

from workspace.shell.theme import contrast


@dataclass(frozen=True)
class Words:
    """A run of text on a widget: its box in the widget's pixels and the colour of the pen."""

    text: str
    box: QRectF
    ink: str
    widget: QWidget


class _Engine(QPaintEngine):
    def __init__(self, widget: QWidget) -> None:
        super().__init__(QPaintEngine.PaintEngineFeature.AllFeatures)
        self._widget, self._ink = widget, "#000000"
        self.found: list[Words] = []

    def begin(self, device):
        return True

    def end(self):
        return True

    def type(self):
        return QPaintEngine.Type.User

    def updateState(self, state):
        if state.state() & QPaintEngine.DirtyFlag.DirtyPen:
            self._ink = QColor(state.pen().color()).name()

    def drawTextItem(self, point, item):
        if item.text().strip():
            tall = item.ascent() + item.descent()
            box = QRectF(point.x(), point.y() - item.ascent(), item.width(), tall)
            self.found.append(Words(item.text(), box, self._ink, self._widget))

    def drawPath(self, path):
        pass

    def drawPolygon(self, *_):
        pass

    def drawPixmap(self, *_):
        pass

    def drawImage(self, *_):
        pass

    def drawRects(self, *_):
        pass


class _Device(QPaintDevice):
    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self.engine = _Engine(widget)
        self._size = widget.size()

    def paintEngine(self):
        return self.engine

    def metric(self, which):
        metrics = QPaintDevice.PaintDeviceMetric
        known = {
            metrics.PdmWidth: self._size.width(), metrics.PdmHeight: self._size.height(),
            metrics.PdmWidthMM: self._size.width() // 4, metrics.PdmHeightMM: self._size.height() // 4,
            metrics.PdmNumColors: 1 << 24, metrics.PdmDepth: 32, metrics.PdmDpiX: 96, metrics.PdmDpiY: 96,
            metrics.PdmPhysicalDpiX: 96, metrics.PdmPhysicalDpiY: 96, metrics.PdmDevicePixelRatio: 1,
        }  # fmt: skip
        return known.get(which, 65_536)


def words(root: QWidget) -> Iterator[Words]:
    """Every run of text on `root` and what is visible in it."""
    for widget in (root, *root.findChildren(QWidget)):
        if not widget.isVisibleTo(root) or isinstance(widget, QAbstractScrollArea):
            continue  # a scroll area is painted by its viewport
        device = _Device(widget)
        widget.render(device, QPoint(), QRegion(), QWidget.RenderFlag(0))
        yield from device.engine.found


def cut(one: Words) -> str:
    """How a run of text leaves its widget, in pixels; "" when it does not. A pixel of overhang is the font's own."""
    area, box = QRectF(one.widget.rect()), one.box
    over = {
        "left": area.left() - box.left(),
        "right": box.right() - area.right(),
        "top": area.top() - box.top(),
        "bottom": box.bottom() - area.bottom(),
    }
    rows = isinstance(one.widget.parentWidget(), QAbstractItemView)  # a row at the edge is scrolled, not cut
    sides = ("left", "right") if rows else tuple(over)
    beyond = [f"{side} {over[side]:.0f}" for side in sides if over[side] > 2]
    beyond += outside(one.widget)
    return f"«{one.text}» on {type(one.widget).__name__}: {', '.join(beyond)}" if beyond else ""


def outside(widget: QWidget) -> list[str]:
    """Where a widget stands beyond what it stands in, up to what scrolls."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent.parentWidget(), QAbstractScrollArea):
        area = widget.rect().translated(widget.mapTo(parent, QPoint()))
        if not parent.rect().adjusted(-2, -2, 2, 2).contains(area):
            return [f"beyond its {type(parent).__name__}"]
        parent = parent.parentWidget()
    return []


def contrast_of(one: Words, picture: QImage, root: QWidget) -> float:
    """The contrast of a run of text with what it was painted on: the most frequent colour around it."""
    if not one.widget.visibleRegion().contains(one.box.toAlignedRect().center()):
        return 21.0  # scrolled out of sight
    corner = one.widget.mapTo(root, one.box.topLeft().toPoint())
    area = QRectF(QPointF(corner), one.box.size()).toRect().intersected(picture.rect())
    if area.width() < 2 or area.height() < 2:
        return 21.0  # scrolled out of the picture
    part = picture.copy(area).convertToFormat(QImage.Format.Format_RGB32)
    ground, _ = Counter(memoryview(part.constBits()).cast("I")).most_common(1)[0]
    return contrast(one.ink, QColor.fromRgb(ground).name())


def settle(times: int = 5) -> None:
    for _ in range(times):
        QApplication.processEvents()

"""One pill and one spark, shared by widgets and table delegates. Paints; never measures data or decides a colour."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from workspace.shell.chips import paint_shape
from workspace.shell.theme import Theme


def pill_width(theme: Theme, text: str, shape: str = "none") -> int:
    """Pixels a pill takes."""
    mark = theme.px(13) if shape != "none" else 0
    return theme.metrics("pill").horizontalAdvance(text) + theme.px(16) + mark


def paint_pill(
    painter: QPainter,
    theme: Theme,
    left: float,
    middle: float,
    text: str,
    tone: str = "neutral",
    shape: str = "none",
    least: int = 0,
) -> int:
    """Draw a pill with its left edge at `left`, centred on `middle`, at least `least` wide; returns its width."""
    words = pill_width(theme, text, shape)
    width = max(words, least)
    area = QRectF(left + 0.5, middle - theme.pill / 2 + 0.5, width - 1, theme.pill - 1)
    quiet = tone == "neutral"
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.color("line"), 1) if quiet else Qt.PenStyle.NoPen)
    painter.setBrush(theme.tint(tone))
    painter.drawRoundedRect(area, theme.pill_radius, theme.pill_radius)
    ink = theme.tone(tone)
    inset = theme.px(8) + (width - words) // 2
    if shape != "none":
        size = theme.px(9)
        paint_shape(painter, shape, QRectF(left + inset, middle - size / 2, size, size), ink)
        inset += theme.px(13)
    painter.setPen(ink)
    painter.setFont(theme.font("pill"))
    painter.drawText(area.adjusted(inset, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)
    painter.restore()
    return width


def paint_spark(
    painter: QPainter, theme: Theme, area: QRectF, values: Sequence[float | None], high: float | None, tone: str
) -> None:
    """The last few values as a line with a dot at the newest. `high` is the value at the top edge; a gap breaks the line."""
    known = [value for value in values if value is not None]
    if not known:
        return
    top = max(high or 0.0, *known, 1.0)
    step = area.width() / max(1, len(values) - 1) if len(values) > 1 else 0.0
    spots = [
        None if value is None else QPointF(area.left() + index * step, area.bottom() - area.height() * value / top)
        for index, value in enumerate(values)
    ]
    ink = theme.tone(tone)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(ink, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    run: list[QPointF] = []
    for spot in [*spots, None]:
        if spot is not None:
            run.append(spot)
            continue
        if len(run) > 1:
            painter.drawPolyline(QPolygonF(run))
        run = []
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)
    last = next(spot for spot in reversed(spots) if spot is not None)
    painter.drawEllipse(last, 2.5, 2.5)
    painter.restore()

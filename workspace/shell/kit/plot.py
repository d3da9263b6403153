"""A trend as a picture: a lane for each unit over one time axis, with the newest value written beside each curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from workspace.panels.components import Trend
from workspace.shell.kit import curves as curves_
from workspace.shell.kit import when, whence
from workspace.shell.kit.access import Role, Spoken, announce
from workspace.shell.kit.curves import Curve, Lane
from workspace.shell.kit.painting import guarded
from workspace.shell.theme import Theme

HEIGHTS = {"s": 96, "m": 150, "l": 220}
LANE = 84
"""The least height of a lane where there are several."""
LEFT, RIGHT, TOP, FOOT = 38, 20, 20, 24
STALE = 18
"""The line above the picture that says how old it is; no label stands in it."""
DOTS = 60
"""Points of a curve beyond which none has a ring of its own."""


class Plot(QWidget):
    """Left, Right, Home and End move between the points and read them out; the mouse does the same."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._component = Trend(series=[])
        self._curves: list[Curve] = []
        self._lanes: list[Lane] = []
        self._stale = self._empty = ""
        self._at: datetime | None = None
        self.offered: Callable[[datetime], Sequence[whence.Offer]] = lambda moment: ()
        self.origin: whence.Ask = lambda reference, area: None
        self.spoken = Spoken(Role.Chart)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def show_curves(self, theme: Theme, component: Trend, curves: list[Curve], stale: str, empty: str) -> None:
        """`empty` is said where there are no curves."""
        self._theme, self._component, self._curves = theme, component, curves
        self._stale, self._empty = stale, empty
        self._lanes = curves_.lanes(component, curves)
        if self._at not in self._moments():
            self._at = None
        self.setAccessibleName(component.label or "Trend")
        self._describe()
        self.updateGeometry()
        self.update()

    def words(self) -> str:
        """The newest value of each curve, or the empty text."""
        said = []
        for curve in self._curves:
            moment, value = curve.points[-1]
            one = f"{curve.series.title} {when.number(value)} {curve.series.unit}".strip()
            late = ", venter" if moment in curve.waiting else ""
            said.append(f"{one} {moment:%d.%m. %H:%M}{late}")
        return "; ".join(said + ([self._stale] if self._stale else [])) or self._empty

    def _describe(self) -> None:
        said = self._read_out(self._at) if self._at is not None else self.words()
        self.spoken = Spoken(Role.Chart, value=said)
        self.setAccessibleDescription(said)

    def sizeHint(self) -> QSize:
        height = HEIGHTS[self._component.height]
        if len(self._lanes) > 1:
            height = max(height, len(self._lanes) * LANE + TOP + FOOT)
        return QSize(self._theme.px(320), self._theme.px(height))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(160), self.sizeHint().height())

    # --- moving ---------------------------------------------------------------------------------------------

    def _moments(self) -> list[datetime]:
        return sorted({at for curve in self._curves for at, _ in curve.points})

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        whence.by_mouse(self, event)

    def offers(self, spot: QPoint | None) -> Sequence[whence.Offer]:
        moment = self._nearest(spot.x()) if spot is not None else self._at or next(iter(self._moments()[::-1]), None)
        return self.offered(moment) if moment is not None else ()

    def offered_at(self) -> QRect:
        span, area = curves_.span(self._curves), self._area()
        moment = self._at or next(iter(self._moments()[::-1]), None)
        x = self._x(moment, area, span) if span is not None and moment is not None else area.left()
        return QRect(round(x), int(area.top()), 1, int(area.height()))

    def ask_origin(self, reference: str, area: QRect) -> None:
        self.origin(reference, area)

    def _nearest(self, x: float) -> datetime | None:
        span, area = curves_.span(self._curves), self._area()
        if span is None:
            return None
        return min(self._moments(), key=lambda moment: abs(self._x(moment, area, span) - x))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if whence.is_key(event):
            whence.open_menu(self, None)
            return
        moments, key = self._moments(), event.key()
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(key))
        if moments and step is not None:
            here = moments.index(self._at) if self._at in moments else (len(moments) if step < 0 else -1)
            self._point(moments[min(len(moments) - 1, max(0, here + step))])
        elif moments and key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._point(moments[0 if key == Qt.Key.Key_Home else -1])
        elif key == Qt.Key.Key_Escape and self._at is not None:
            self._leave()
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        moment = self._nearest(event.position().x())
        if moment is not None:
            self._point(moment, say=False)

    def leaveEvent(self, event: object) -> None:
        if not self.hasFocus():
            self._leave()

    def _leave(self) -> None:
        self._at = None
        self._describe()
        self.update()

    def _point(self, moment: datetime, *, say: bool = True) -> None:
        if moment != self._at:
            self._at = moment
            self._describe()
            if say:
                announce(self, self._read_out(moment))
            self.update()

    def _read_out(self, moment: datetime) -> str:
        found = curves_.at_moment(self._curves, moment)
        values = [f"{curve.series.title} {curve.said(moment, value)}" for curve, value in found]
        return f"{moment:%d.%m. %H:%M}  " + " · ".join(values)

    # --- where things stand ---------------------------------------------------------------------------------

    def _area(self) -> QRectF:
        px = self._theme.px
        top = TOP + STALE if self._stale else TOP
        return QRectF(px(LEFT), px(top), self.width() - px(LEFT + RIGHT), self.height() - px(top + FOOT))

    def lane_area(self, index: int) -> QRectF:
        """A lane's part of the picture; its labels keep clear of the lane above."""
        area, count = self._area(), max(1, len(self._lanes))
        between = self._theme.px(22) if count > 1 else 0
        height = (area.height() - between * (count - 1)) / count
        return QRectF(area.left(), area.top() + index * (height + between), area.width(), height)

    @staticmethod
    def _x(moment: datetime, area: QRectF, span: tuple[datetime, datetime]) -> float:
        return area.left() + area.width() * ((moment - span[0]) / (span[1] - span[0]))

    # --- painting -------------------------------------------------------------------------------------------

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        span = curves_.span(self._curves)
        if span is None:
            painter.setPen(theme.color("muted"))
            painter.setFont(theme.font("body"))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), flags, self._empty)
        else:
            for index, lane in enumerate(self._lanes):
                self._lane(painter, self.lane_area(index), lane, span)
            self._times(painter, self._area(), span)
            if self._at is not None:
                self._pointer(painter, span)
        if self._stale:
            painter.setPen(theme.color("warn"))
            painter.setFont(theme.font("caption"))
            room = self.width() - theme.px(44)
            words = theme.metrics("caption").elidedText(self._stale, Qt.TextElideMode.ElideRight, room)
            painter.drawText(theme.px(LEFT), theme.px(14), words)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)

    def _lane(self, painter: QPainter, area: QRectF, lane: Lane, span: tuple[datetime, datetime]) -> None:
        theme = self._theme

        def y(value: float) -> float:
            return area.bottom() - area.height() * (value - lane.low) / (lane.high - lane.low)

        for band in lane.bands:
            box = QRectF(area.left(), y(band.high), area.width(), y(band.low) - y(band.high))
            painter.fillRect(box, theme.tint(band.tone))
        self._values(painter, area, lane)
        for curve in lane.curves:
            ink = theme.tone(curve.tone)
            for run in curve.runs:
                spots = [QPointF(self._x(at, area, span), y(value)) for at, value in run]
                self._run(painter, spots, ink, dots=len(curve.points) <= DOTS or len(run) == 1)
                self._waiting(
                    painter, [spot for spot, (at, _) in zip(spots, run, strict=True) if at in curve.waiting], ink
                )
        ends = [
            (curve, self._anchor(curve, area, y), self._x(curve.points[-1][0], area, span)) for curve in lane.curves
        ]
        self._labels(painter, area, ends)

    def _anchor(self, curve: Curve, area: QRectF, y: Callable[[float], float]) -> float:
        """The level that a curve's label stands over: its last point, or below it where the curve falls into it."""
        last, before = y(curve.points[-1][1]), [y(value) for _, value in curve.points[-3:-1]]
        below = last + self._theme.px(16) + 12
        return below if min(before, default=last) < last - 6 and below < area.bottom() + 4 else last

    def _run(self, painter: QPainter, spots: list[QPointF], ink: QColor, *, dots: bool) -> None:
        painter.setPen(QPen(ink, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPolyline(QPolygonF(spots))
        if dots:
            painter.setBrush(self._theme.color("surface"))
            painter.setPen(QPen(ink, 1.5))
            for spot in spots:
                painter.drawEllipse(spot, 2.8, 2.8)

    def _waiting(self, painter: QPainter, spots: list[QPointF], ink: QColor) -> None:
        """What the platform has not acknowledged is a diamond, larger than the rings of what stands."""
        painter.setBrush(self._theme.color("surface"))
        painter.setPen(QPen(ink, 1.5))
        for spot in spots:
            reach = (QPointF(0, -6), QPointF(6, 0), QPointF(0, 6), QPointF(-6, 0))
            painter.drawPolygon(QPolygonF([spot + far for far in reach]))

    def _values(self, painter: QPainter, area: QRectF, lane: Lane) -> None:
        """The lane's own axis, its unit above it where there are several."""
        theme = self._theme
        painter.setFont(theme.font("key"))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        fits = max(2 if len(self._lanes) > 1 else 3, int(area.height() / theme.px(36)))
        for value in curves_.ticks(lane.low, lane.high, fits):
            level = round(area.bottom() - area.height() * (value - lane.low) / (lane.high - lane.low))
            painter.fillRect(int(area.left()), level, int(area.width()), 1, theme.color("line"))
            painter.setPen(theme.color("faint"))
            spot = QRectF(0, level - theme.px(10), area.left() - theme.px(6), theme.px(20))
            painter.drawText(spot, right, when.number(value))
        if len(self._lanes) > 1 and lane.unit:
            painter.setPen(theme.color("muted"))
            above = QRectF(area.left(), area.top() - theme.px(17), area.width() / 2, theme.px(16))
            painter.drawText(above, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, lane.unit)

    def _times(self, painter: QPainter, area: QRectF, span: tuple[datetime, datetime]) -> None:
        theme = self._theme
        painter.setFont(theme.font("key"))
        painter.setPen(theme.color("faint"))
        end = -1.0
        for moment, text in curves_.marks(*span, max(2, int(area.width() / theme.px(70)))):
            wide = theme.metrics("key").horizontalAdvance(text) + 2
            x = min(max(self._x(moment, area, span) - wide / 2, area.left()), area.right() - wide)
            if x < end:
                continue
            painter.drawText(
                QRectF(x, area.bottom() + theme.px(5), wide, theme.px(16)), Qt.AlignmentFlag.AlignCenter, text
            )
            end = x + wide + theme.px(8)

    def _labels(self, painter: QPainter, area: QRectF, ends: list[tuple[Curve, float, float]]) -> None:
        """The newest value over the end of each curve; moved down when two would meet."""
        theme = self._theme
        painter.setFont(theme.font("mark"))
        ends = sorted(ends, key=lambda end: end[1])
        for (curve, _, x), top in zip(ends, self.label_tops([level for _, level, _ in ends]), strict=True):
            text = f"{curve.series.title} {curve.said(*curve.points[-1])}"
            width = theme.metrics("mark").horizontalAdvance(text)
            left = max(area.left(), min(x + 4, area.right()) - width - 2)
            spot = QRectF(left, top, width + theme.px(12), theme.px(16))
            ground = theme.color("surface")
            ground.setAlpha(200)  # readable where it crosses a curve
            painter.fillRect(spot.adjusted(-2, 1, 2 - theme.px(12), -1), ground)
            painter.setPen(theme.tone(curve.tone))
            painter.drawText(spot, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, text)

    def label_tops(self, levels: list[float]) -> list[float]:
        """Where the labels over `levels` (pixels, from the top down) stand, none over another, all inside."""
        height, first = float(self._theme.px(16)), float(self._theme.px(STALE) if self._stale else 0)
        tops: list[float] = []
        for level in levels:
            top = max(first, level - height - 4)
            tops.append(max(top, tops[-1] + height) if tops else top)
        limit = self.height() - height
        for index in range(len(tops) - 1, -1, -1):
            tops[index] = min(tops[index], limit)
            limit = tops[index] - height
        return tops

    def _pointer(self, painter: QPainter, span: tuple[datetime, datetime]) -> None:
        theme, area = self._theme, self._area()
        assert self._at is not None
        x = self._x(self._at, area, span)
        painter.fillRect(round(x), int(area.top()), 1, int(area.height()), theme.color("accent"))
        text = self._read_out(self._at)
        width = min(self.width(), theme.metrics("caption").horizontalAdvance(text) + theme.px(12))
        text = theme.metrics("caption").elidedText(text, Qt.TextElideMode.ElideRight, width - theme.px(8))
        left = min(max(0.0, x - width / 2), self.width() - width)
        box = QRectF(left, 0, width, theme.px(18))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("text"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(theme.color("surface"))
        painter.setFont(theme.font("caption"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

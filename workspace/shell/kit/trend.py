"""The trend component: curves over time with the last value written beside each. Paints; the numbers are also in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from workspace.panels.components import Series, Trend
from workspace.shell.kit import paths, when
from workspace.shell.kit.env import Env
from workspace.shell.theme import Theme

HEIGHTS = {"s": 96, "m": 150, "l": 220}
TONES = ("accent", "bad", "group", "warn", "ok")


@dataclass(frozen=True, slots=True)
class Curve:
    """A series with its points as (instant, value), oldest first, and the ink it is drawn in."""

    series: Series
    points: tuple[tuple[datetime, float], ...]
    tone: str


class TrendWidget(QWidget):
    """Left and right move between the points and read them out; the mouse does the same."""

    def __init__(self, component: Trend, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._env = env
        self._theme: Theme = env.theme
        self._component = component
        self._curves: list[Curve] = []
        self._at: datetime | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._read()

    def set_component(self, component: Trend) -> None:
        self._component = component
        self._read()
        self.updateGeometry()

    def bound_changed(self) -> None:
        self._read()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def curves(self) -> list[Curve]:
        return self._curves

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(320), self._theme.px(HEIGHTS[self._component.height]))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(160), self._theme.px(HEIGHTS[self._component.height]))

    # --- reading ---

    def _read(self) -> None:
        component = self._component
        rows = self._env.bound(component.watch).resources if component.watch is not None else ()
        curves = []
        for index, series in enumerate(component.series):
            given = paths.points(rows, series.code, series.component) if component.watch is not None else series.points
            read = [(when.moment(text), value) for text, value in given]
            known = [(at, value) for at, value in read if at is not None and value is not None]
            alone = sum(other.tone == series.tone for other in component.series) == 1
            tone = series.tone if alone and series.tone != "neutral" else TONES[index % len(TONES)]
            curves.append(Curve(series, tuple(sorted(known)), tone))
        newest = max((c.points[-1][0] for c in curves if c.points), default=None)
        if component.hours and newest is not None:
            first = max(newest, self._env.now()) - timedelta(hours=component.hours)
            curves = [Curve(c.series, tuple(p for p in c.points if p[0] >= first), c.tone) for c in curves]
        self._curves = [curve for curve in curves if curve.points]
        self._at = None
        self.setAccessibleName(component.label or "Trend")
        self.setAccessibleDescription(self.words())
        self.update()

    def words(self) -> str:
        """The newest value of each curve, or the empty text."""
        said = []
        for curve in self._curves:
            moment, value = curve.points[-1]
            said.append(
                f"{curve.series.title} {when.number(value)} {curve.series.unit}".strip() + f" {moment:%d.%m. %H:%M}"
            )
        return "; ".join(said + ([self._stale()] if self._stale() else [])) or self._component.empty

    def _stale(self) -> str:
        """Why the points may be old, in words; "" when they are fresh."""
        watch = self._component.watch
        error = self._env.bound(watch).error if watch is not None else ""
        return f"Ikke oppdatert: {error}" if error else ""

    # --- moving ---

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moments = sorted({point[0] for curve in self._curves for point in curve.points})
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is None or not moments:
            super().keyPressEvent(event)
            return
        here = moments.index(self._at) if self._at in moments else (len(moments) if step < 0 else -1)
        self._point(moments[min(len(moments) - 1, max(0, here + step))])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        span = self._span()
        if span is None:
            return
        area = self._area()
        moments = sorted({point[0] for curve in self._curves for point in curve.points})
        nearest = min(moments, key=lambda moment: abs(self._x(moment, area, span) - event.position().x()))
        self._point(nearest)

    def leaveEvent(self, event: object) -> None:
        self._at = None
        self.update()

    def _point(self, moment: datetime) -> None:
        if moment != self._at:
            self._at = moment
            self.setAccessibleDescription(self._read_out(moment))
            self.update()

    def _read_out(self, moment: datetime) -> str:
        values = [
            f"{curve.series.title} {when.number(value)}"
            for curve in self._curves
            for at, value in curve.points
            if at == moment
        ]
        return f"{moment:%d.%m. %H:%M}  " + " · ".join(values)

    # --- painting ---

    def _area(self) -> QRectF:
        theme = self._theme
        return QRectF(theme.px(34), theme.px(20), self.width() - theme.px(34 + 20), self.height() - theme.px(20 + 24))

    def _span(self) -> tuple[datetime, datetime] | None:
        moments = [point[0] for curve in self._curves for point in curve.points]
        if not moments:
            return None
        first, last = min(moments), max(moments)
        return (first, last) if last > first else (first - timedelta(hours=12), last + timedelta(hours=12))

    def _range(self) -> tuple[float, float]:
        values = [point[1] for curve in self._curves for point in curve.points]
        values += [edge for band in self._component.bands for edge in (band.low, band.high)]
        low, high = min(values), max(values)
        room = (high - low) * 0.12 or max(1.0, abs(high) * 0.1)
        return low - room, high + room

    @staticmethod
    def _x(moment: datetime, area: QRectF, span: tuple[datetime, datetime]) -> float:
        return area.left() + area.width() * ((moment - span[0]) / (span[1] - span[0]))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        span = self._span()
        if span is None:
            painter.setPen(theme.color("muted"))
            painter.setFont(theme.font("body"))
            painter.drawText(
                self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._component.empty
            )
        else:
            self._paint(painter, self._area(), span)
        if self._stale():
            painter.setPen(theme.color("warn"))
            painter.setFont(theme.font("caption"))
            words = theme.metrics("caption").elidedText(
                self._stale(), Qt.TextElideMode.ElideRight, self.width() - theme.px(44)
            )
            painter.drawText(theme.px(34), theme.px(14), words)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)

    def _paint(self, painter: QPainter, area: QRectF, span: tuple[datetime, datetime]) -> None:
        theme = self._theme
        low, high = self._range()

        def y(value: float) -> float:
            return area.bottom() - area.height() * (value - low) / (high - low)

        for band in self._component.bands:
            box = QRectF(area.left(), y(band.high), area.width(), y(band.low) - y(band.high))
            painter.fillRect(box, theme.tint(band.tone))
        self._axes(painter, area, span, low, high)
        for curve in self._curves:
            ink = theme.tone(curve.tone)
            spots = [QPointF(self._x(moment, area, span), y(value)) for moment, value in curve.points]
            painter.setPen(QPen(ink, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
            painter.drawPolyline(QPolygonF(spots))
            painter.setBrush(theme.color("surface"))
            painter.setPen(QPen(ink, 1.5))
            if len(spots) <= 60:
                for spot in spots:
                    painter.drawEllipse(spot, 2.8, 2.8)
        self._labels(painter, area, [(curve, y(curve.points[-1][1])) for curve in self._curves])
        if self._at is not None:
            self._pointer(painter, area, self._x(self._at, area, span))

    def _axes(self, painter: QPainter, area: QRectF, span: tuple[datetime, datetime], low: float, high: float) -> None:
        theme = self._theme
        painter.setFont(theme.font("key"))
        for value in _ticks(low, high, max(3, int(area.height() / theme.px(36)))):
            level = round(area.bottom() - area.height() * (value - low) / (high - low))
            painter.fillRect(int(area.left()), level, int(area.width()), 1, theme.color("line"))
            painter.setPen(theme.color("faint"))
            spot = QRectF(0, level - 10, area.left() - theme.px(6), 20)
            painter.drawText(spot, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, when.number(value))
        hours = (span[1] - span[0]) / timedelta(hours=1)
        count = max(2, min(6, int(area.width() / theme.px(76))))
        if hours >= 36:
            count = max(2, min(count, int(hours / 24) + 1))  # no day twice
        painter.setPen(theme.color("faint"))
        for index in range(count):
            moment = span[0] + (span[1] - span[0]) * index / (count - 1)
            text = f"{moment:%H:%M}" if hours < 36 else f"{moment:%d.%m}"
            x = self._x(moment, area, span)
            spot = QRectF(x - theme.px(30), area.bottom() + theme.px(5), theme.px(60), theme.px(16))
            painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, text)

    def _labels(self, painter: QPainter, area: QRectF, ends: list[tuple[Curve, float]]) -> None:
        """The last value over the end of each curve; moved down when two would meet."""
        theme = self._theme
        painter.setFont(theme.font("label"))
        ends = sorted(ends, key=lambda end: end[1])
        for (curve, _), top in zip(ends, self.label_tops([level for _, level in ends]), strict=True):
            text = f"{curve.series.title} {when.number(curve.points[-1][1])}"
            width = theme.metrics("label").horizontalAdvance(text)
            spot = QRectF(area.right() - width - 2, top, width + theme.px(12), theme.px(16))
            ground = theme.color("surface")
            ground.setAlpha(200)  # readable where it crosses a curve
            painter.fillRect(spot.adjusted(-2, 1, 2 - theme.px(12), -1), ground)
            painter.setPen(theme.tone(curve.tone))
            painter.drawText(spot, Qt.AlignmentFlag.AlignVCenter, text)

    def label_tops(self, levels: list[float]) -> list[float]:
        """Where the labels over `levels` (pixels, from the top down) stand, none over another, all inside."""
        height = float(self._theme.px(16))
        tops: list[float] = []
        for level in levels:
            top = max(0.0, level - height - 4)
            tops.append(max(top, tops[-1] + height) if tops else top)
        limit = self.height() - height
        for index in range(len(tops) - 1, -1, -1):
            tops[index] = min(tops[index], limit)
            limit = tops[index] - height
        return tops

    def _pointer(self, painter: QPainter, area: QRectF, x: float) -> None:
        theme = self._theme
        assert self._at is not None
        painter.fillRect(round(x), int(area.top()), 1, int(area.height()), theme.color("accent"))
        text = self._read_out(self._at)
        width = theme.metrics("caption").horizontalAdvance(text) + theme.px(12)
        left = min(max(0.0, x - width / 2), self.width() - width)
        box = QRectF(left, 0, width, theme.px(18))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("text"))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(theme.color("surface"))
        painter.setFont(theme.font("caption"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Round values between `low` and `high`, about `count` of them."""
    step = 10.0 ** len(str(int(high - low)))
    for part in (0.01, 0.02, 0.04, 0.05, 0.1, 0.2, 0.4, 0.5, 1.0):
        if (high - low) / (step * part) <= count:
            step *= part
            break
    first = int(low / step) * step
    return [value for index in range(count + 3) if low <= (value := round(first + index * step, 6)) <= high]


WIDGETS: dict[str, type[QWidget]] = {"trend": TrendWidget}

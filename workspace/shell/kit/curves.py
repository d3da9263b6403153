"""A trend's numbers before they are drawn: curves with their breaks, lanes with their own axis, round ticks. No Qt."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from workspace.panels.components import Band, Cell, Series, Table, TableColumn, TableRow, Trend
from workspace.record.rows import waits
from workspace.shell.kit import paths, when

TONES = ("accent", "bad", "group", "warn", "ok")
LONG_PAUSE = 4.0
"""A pause of more than this many times the usual distance breaks a line, unless it is shorter than…"""
SHORT_PAUSE = timedelta(hours=36)

Point = tuple[datetime, float]


@dataclass(frozen=True, slots=True)
class Curve:
    """A series with its points, oldest first, the runs between its breaks, the ink it is drawn in, and the moments of those
    points that the platform has not acknowledged."""

    series: Series
    points: tuple[Point, ...]
    runs: tuple[tuple[Point, ...], ...]
    tone: str
    waiting: frozenset[datetime] = frozenset()

    def said(self, moment: datetime, value: float) -> str:
        """A point in words: «112», «112, venter»."""
        return f"{when.number(value)}, venter" if moment in self.waiting else when.number(value)


@dataclass(frozen=True, slots=True)
class Lane:
    """The curves of one unit, with the bands that belong to them, between `low` and `high`."""

    unit: str
    curves: tuple[Curve, ...]
    bands: tuple[Band, ...]
    low: float
    high: float


def read(component: Trend, rows: Sequence[dict[str, Any]], now: datetime) -> list[Curve]:
    """The curves that have points within the component's window."""
    dated = [(series, _dated(component, series, rows)) for series in component.series]
    newest = max((points[-1][0] for _, points in dated if points), default=None)
    first = max(newest, now) - timedelta(hours=component.hours) if component.hours and newest is not None else None
    found = []
    late = [row for row in rows if waits(row)]
    for index, (series, points) in enumerate(dated):
        kept = [point for point in points if first is None or point[0] >= first]
        known = tuple((at, value) for at, value in kept if value is not None)
        if known:
            runs = tuple(_runs(kept, component.gap_hours))
            found.append(Curve(series, known, runs, _tone(component, series, index), _waiting(component, series, late)))
    return found


def _dated(component: Trend, series: Series, rows: Sequence[dict[str, Any]]) -> list[tuple[datetime, float | None]]:
    given: Iterable[tuple[str, float | None]] = series.points
    if component.watch is not None:
        given, _ = paths.points(rows, series.code, series.component, series.unit)
    dated = [(when.moment(text), value) for text, value in given]
    return sorted(((at, value) for at, value in dated if at is not None), key=lambda point: point[0])


def _waiting(component: Trend, series: Series, late: Sequence[dict[str, Any]]) -> frozenset[datetime]:
    points = _dated(component, series, late) if late and component.watch is not None else ()
    return frozenset(at for at, _ in points)


def others(component: Trend, rows: Sequence[dict[str, Any]]) -> str:
    """What is left out of the curves because of its unit, in words; "" when nothing is."""
    if component.watch is None:
        return ""
    count = sum(paths.points(rows, one.code, one.component, one.unit)[1] for one in component.series)
    return "" if not count else f"{count} {'måling' if count == 1 else 'målinger'} i annen enhet"


def _tone(component: Trend, series: Series, index: int) -> str:
    """The series' own, unless another has it too: curves must be told apart."""
    alone = sum(other.tone == series.tone for other in component.series) == 1
    return series.tone if alone and series.tone != "neutral" else TONES[index % len(TONES)]


def _runs(points: Sequence[tuple[datetime, float | None]], gap_hours: int) -> Iterable[tuple[Point, ...]]:
    known = [at for at, value in points if value is not None]
    pauses = [(b - a).total_seconds() for a, b in itertools.pairwise(known)]
    longest = timedelta(hours=gap_hours)
    if not gap_hours:
        longest = max(SHORT_PAUSE, timedelta(seconds=LONG_PAUSE * median(pauses))) if pauses else SHORT_PAUSE
    run: list[Point] = []
    for at, value in points:
        if run and (value is None or at - run[-1][0] > longest):
            yield tuple(run)
            run = []
        if value is not None:
            run.append((at, value))
    if run:
        yield tuple(run)


def lanes(component: Trend, curves: Sequence[Curve]) -> list[Lane]:
    """A lane for each unit, in the order of the series: two units never share an axis."""
    units = list(dict.fromkeys(curve.series.unit for curve in curves))
    first = component.series[0].key if component.series else ""
    made = []
    for unit in units:
        own = tuple(curve for curve in curves if curve.series.unit == unit)
        keys = {curve.series.key for curve in own}
        bands = tuple(band for band in component.bands if (band.series or first) in keys)
        values = [value for curve in own for _, value in curve.points]
        values += [edge for band in bands for edge in (band.low, band.high)]
        low, high = min(values), max(values)
        room = (high - low) * 0.12 or max(1.0, abs(high) * 0.1)
        made.append(Lane(unit, own, bands, low - room, high + room))
    return made


def span(curves: Sequence[Curve]) -> tuple[datetime, datetime] | None:
    """From the first point to the last; a day around a lonely one."""
    moments = [at for curve in curves for at, _ in curve.points]
    if not moments:
        return None
    first, last = min(moments), max(moments)
    return (first, last) if last > first else (first - timedelta(hours=12), last + timedelta(hours=12))


def at_moment(curves: Sequence[Curve], moment: datetime) -> list[tuple[Curve, float]]:
    """What was measured at exactly this time."""
    return [(curve, value) for curve in curves for at, value in curve.points if at == moment]


def named(component: Trend, rows: Sequence[dict[str, Any]], moment: datetime) -> list[tuple[str, str]]:
    """(``Type/id``, words) of what was measured at exactly `moment`. Nothing of points that a panel has computed."""
    found: list[tuple[str, str]] = []
    for series in component.series if component.watch is not None else ():
        for row in rows:
            for text, value in paths.points([row], series.code, series.component, series.unit)[0]:
                if when.moment(text) == moment:
                    said = f"{series.title} {when.number(value)} {series.unit}".strip()
                    found.append((f"{row.get('resourceType')}/{row.get('id')}", said))
    return found


def as_table(component: Trend, curves: Sequence[Curve]) -> Table:
    """The same numbers as rows, the newest first."""
    columns = [TableColumn(key="at", title="Tid")]
    columns += [
        TableColumn(key=f"s-{curve.series.key}", title=_titled(curve.series), kind="number", align="end")
        for curve in curves
    ]
    rows: dict[datetime, dict[str, Cell | str | int | float | None]] = {}
    for curve in curves:
        for at, value in curve.points:
            cells = rows.setdefault(at, {"at": Cell(text=f"{at:%d.%m.%Y %H:%M}", sort=at.timestamp())})
            late = at in curve.waiting
            cells[f"s-{curve.series.key}"] = (
                Cell(text=when.number(value), sort=value, secondary="venter") if late else value
            )
    made = [TableRow(key=at.isoformat(), cells=rows[at]) for at in sorted(rows, reverse=True)]
    return Table(columns=columns, rows=made, label=component.label or "Trend som tabell", empty=component.empty)


def _titled(series: Series) -> str:
    return f"{series.title} ({series.unit})" if series.unit else series.title


def ticks(low: float, high: float, count: int) -> list[float]:
    """Round values between `low` and `high`, about `count` of them."""
    step = 10.0 ** len(str(int(high - low)))
    for part in (0.01, 0.02, 0.04, 0.05, 0.1, 0.2, 0.4, 0.5, 1.0):
        if (high - low) / (step * part) <= count:
            step *= part
            break
    first = int(low / step) * step
    return [value for index in range(count + 3) if low <= (value := round(first + index * step, 6)) <= high]


def marks(first: datetime, last: datetime, most: int) -> list[tuple[datetime, str]]:
    """Where the time axis is labelled: at midnights, or at whole hours within a day; `most` at most."""
    if last - first < timedelta(hours=24):
        hours = max(1, -(-int((last - first).total_seconds() // 3600 + 1) // most))
        start = first.replace(minute=0, second=0, microsecond=0)
        found = [start + timedelta(hours=count) for count in range(0, 25, hours)]
        return [(at, f"{at:%H:%M}") for at in found if first <= at <= last] or [(first, f"{first:%H:%M}")]
    days = (last.date() - first.date()).days + 1
    step = -(-days // most)
    start = first.replace(hour=0, minute=0, second=0, microsecond=0)
    found = [max(first, start + timedelta(days=count)) for count in range(0, days, step)]
    return [(at, f"{at:%d.%m}" if days < 300 else f"{at:%m.%Y}") for at in found]

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
class Other:
    """A value that is no point of its curve, as a `limit` («< 5») or in a unit that cannot be turned into the curve's: in
    words as recorded, and whether it waits."""

    series: Series
    at: datetime
    said: str
    waits: bool = False
    limit: bool = False

    @property
    def mark(self) -> str:
        """Why it is no point, beside it in a table."""
        return ("ikke nøyaktig" if self.limit else "annen enhet") + (", venter" if self.waits else "")


@dataclass(frozen=True, slots=True)
class Lane:
    """The curves of one unit, with the bands that belong to them, between `low` and `high`."""

    unit: str
    curves: tuple[Curve, ...]
    bands: tuple[Band, ...]
    low: float
    high: float


def read(
    component: Trend, rows: Sequence[dict[str, Any]], now: datetime, seen: paths.Readings | None = None
) -> tuple[list[Curve], list[Other]]:
    """The curves that have points within the component's window, and what is left out of them. `seen` is what was read of
    the rows before."""
    seen = seen or paths.Readings()
    seen.begin()
    dated = [(series, *_dated(component, series, rows, seen)) for series in component.series]
    newest = max([now, *(points[-1][0] for _, points, _ in dated if points)])
    first = newest - timedelta(hours=component.hours) if component.hours else None
    found: list[Curve] = []
    left: list[Other] = []
    late = [row for row in rows if waits(row)]
    for index, (series, points, others) in enumerate(dated):
        kept = [point for point in points if first is None or point[0] >= first]
        known = tuple((at, value) for at, value in kept if value is not None)
        waiting = _waiting(component, series, late, seen)
        left += [
            Other(series, at, said, at in waiting, limit) for at, said, limit in others if first is None or at >= first
        ]
        if known:
            runs = tuple(_runs(kept, component.gap_hours))
            found.append(Curve(series, known, runs, _tone(component, series, index), waiting))
    return found, left


Dated = tuple[list[tuple[datetime, float | None]], list[tuple[datetime, str, bool]]]


def _dated(component: Trend, series: Series, rows: Sequence[dict[str, Any]], seen: paths.Readings) -> Dated:
    given: Iterable[tuple[str, float | None]] = series.points
    left: list[tuple[str, str, bool]] = []
    if component.watch is not None:
        known, left = paths.points(rows, series.code, series.component, series.unit, seen)
        # A limit breaks the line: what it would go through there is not so.
        given = [*known, *((text, None) for text, _, limit in left if limit)]
    dated = [(when.moment(text), value) for text, value in given]
    others = [(when.moment(text), said, limit) for text, said, limit in left]
    return (
        sorted(((at, value) for at, value in dated if at is not None), key=lambda point: point[0]),
        [(at, said, limit) for at, said, limit in others if at is not None],
    )


def _waiting(
    component: Trend, series: Series, late: Sequence[dict[str, Any]], seen: paths.Readings
) -> frozenset[datetime]:
    if not late or component.watch is None:
        return frozenset()
    points, others = _dated(component, series, late, seen)
    return frozenset((*(at for at, _ in points), *(at for at, _, _ in others)))


def left_out(others: Sequence[Other]) -> str:
    """How many are left out of the curves, in words; "" when none is."""
    limits = sum(one.limit for one in others)
    told = ((len(others) - limits, "i annen enhet"), (limits, "uten nøyaktig verdi"))
    return " · ".join(f"{count} {'måling' if count == 1 else 'målinger'} {why}" for count, why in told if count)


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


def as_table(component: Trend, curves: Sequence[Curve], others: Sequence[Other] = ()) -> Table:
    """The same numbers as rows, the newest first, and in their own unit those that no curve could take."""
    held = {curve.series.key for curve in curves} | {one.series.key for one in others}
    columns = [TableColumn(key="at", title="Tid")]
    columns += [
        TableColumn(key=_column(series), title=_titled(series), kind="number", align="end")
        for series in component.series
        if series.key in held
    ]
    rows: dict[tuple[datetime, str], dict[str, Cell | str | int | float | None]] = {}

    def cells(at: datetime, which: str = "") -> dict[str, Cell | str | int | float | None]:
        return rows.setdefault((at, which), {"at": Cell(text=f"{at:%d.%m.%Y %H:%M}", sort=at.timestamp())})

    for curve in curves:
        for at, value in curve.points:
            late = at in curve.waiting
            cells(at)[_column(curve.series)] = (
                Cell(text=when.number(value), sort=value, secondary="venter") if late else value
            )
    for one in others:
        key = _column(one.series)
        taken = key in rows.get((one.at, ""), {})  # then it has a row of its own: neither is to hide the other
        cells(one.at, one.said if taken else "")[key] = Cell(text=one.said, sort="", secondary=one.mark)
    made = [
        TableRow(key=" ".join((at.isoformat(), which)).strip(), cells=rows[at, which])
        for at, which in sorted(rows, reverse=True)
    ]
    return Table(columns=columns, rows=made, label=component.label or "Trend som tabell", empty=component.empty)


def _column(series: Series) -> str:
    return f"s-{series.key}"


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

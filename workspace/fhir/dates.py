"""FHIR dates as ranges of instants: what a date, dateTime, instant, Period or Timing covers.

Every range is `[low, high]`, both inclusive, in whole milliseconds since 1970-01-01T00:00Z, so that precision is
kept without floats: ``2026-01`` covers the month. A date or time without an offset is read in Europe/Oslo, where
the people who wrote it were. An open end of a Period is `EARLIEST` or `LATEST`. Never reads a clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple

from workspace.clock import OSLO

EARLIEST = -(2**53)
LATEST = 2**53

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SHAPE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:T(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?"
)


class Range(NamedTuple):
    """Inclusive milliseconds since 1970 UTC."""

    low: int
    high: int


def milliseconds(moment: datetime) -> int:
    """An aware instant as whole milliseconds since 1970 UTC."""
    return (moment - _EPOCH) // _MILLISECOND


def moment(value: int) -> datetime:
    """The aware UTC instant of `value` milliseconds; clamped to what a datetime can hold."""
    bounded = min(max(value, -62_135_596_800_000), 253_402_300_799_999)
    return _EPOCH + timedelta(milliseconds=bounded)


@lru_cache(maxsize=16384)
def bounds(text: str) -> Range:
    """The range that a FHIR date, dateTime or instant covers at its own precision (R4 search, "date").

    A leap second (``:60``) counts as the last second of its minute. Raises ValueError for anything else.
    """
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a FHIR date: {text!r}")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    if hour is None:
        return _days(int(year), int(month) if month else None, int(day) if day else None)
    start = datetime(int(year), int(month), int(day), int(hour), int(minute), min(int(second or 0), 59), tzinfo=OSLO)
    if zone:
        start = start.replace(tzinfo=_zone(zone))
    low = milliseconds(start.astimezone(UTC))
    if second is None:
        return Range(low, low + 59_999)
    if fraction is None:
        return Range(low, low + 999)
    digits = (fraction + "000")[:3]
    low += int(digits)
    return Range(low, low + 10 ** max(3 - len(fraction), 0) - 1)


def _zone(text: str) -> tzinfo:
    if text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def _days(year: int, month: int | None, day: int | None) -> Range:
    start = datetime(year, month or 1, day or 1, tzinfo=OSLO)
    if day:
        after = start + timedelta(days=1)
    elif month:
        after = start.replace(year=year + month // 12, month=month % 12 + 1)
    else:
        after = start.replace(year=year + 1)
    return Range(milliseconds(start.astimezone(UTC)), milliseconds(after.astimezone(UTC)) - 1)


def period(value: Mapping[str, Any]) -> Range | None:
    """The range of a FHIR Period; None when it has neither start nor end. Raises ValueError for a bad date."""
    start, end = value.get("start"), value.get("end")
    if not start and not end:
        return None
    low = bounds(start).low if start else EARLIEST
    return Range(low, bounds(end).high if end else LATEST)


def ranges(value: Any) -> list[Range]:
    """All ranges of a date, dateTime, instant, Period or Timing element as JSON; unreadable ones are left out."""
    try:
        if isinstance(value, str):
            return [bounds(value)]
        if not isinstance(value, dict):
            return []
        if "event" in value or "repeat" in value:
            return _timing(value)
        found = period(value)
    except (ValueError, OverflowError):
        return []
    return [found] if found else []


def _timing(value: Mapping[str, Any]) -> list[Range]:
    """R4: a Timing is matched on the outer limits of its schedule."""
    events = [bounds(each) for each in value.get("event", ())]
    outer = period(value.get("repeat", {}).get("boundsPeriod", {}))
    if outer:
        events.append(outer)
    if not events:
        return []
    return [Range(min(each.low for each in events), max(each.high for each in events))]

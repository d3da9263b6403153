"""Days and times of day as people type them, and back again. Pure; «i dag» is always an argument."""

from __future__ import annotations

import re
from datetime import date, timedelta

from workspace.shell.kit.when import WEEKDAYS

NEAR = {"i dag": 0, "idag": 0, "d": 0, "i går": -1, "igår": -1, "i morgen": 1, "imorgen": 1, "i overmorgen": 2}
DIGITS = re.compile(r"\d+", re.ASCII)
SHIFT = re.compile(r"([+-])(\d{1,3})", re.ASCII)
CLOCK = re.compile(r"(\d{1,2})(?:[:.,]?(\d{2}))?", re.ASCII)
LONG_AGO = 30
"""A year of two figures lies at most this many years ahead; else it is in the century before."""


def parse_day(text: str, today: date) -> date | None:
    """«14.01.2026», «14.1.26», «14.1», «14», «140126», «2026-01-14», «i dag», «i går», «fredag», «+3»; None for nothing or
    for what is no day."""
    plain = " ".join(text.casefold().split())
    if plain in NEAR:
        return _later(today, NEAR[plain])
    if plain in WEEKDAYS:
        return _later(today, (WEEKDAYS.index(plain) - today.weekday()) % 7)
    shift = SHIFT.fullmatch(plain)
    if shift is not None:
        return _later(today, int(shift[1] + shift[2]))
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", plain, re.ASCII):
        year, month, day = (int(part) for part in plain.split("-"))
        return _day(year, month, day)
    return _by_parts(plain, today)


def _by_parts(plain: str, today: date) -> date | None:
    if DIGITS.fullmatch(plain) and len(plain) in (4, 6, 8):
        parts = [plain[:2], plain[2:4], *([plain[4:]] if plain[4:] else [])]
    else:
        parts = [part for part in re.split(r"[./ -]+", plain) if part]
    if not 1 <= len(parts) <= 3 or not all(DIGITS.fullmatch(part) for part in parts) or len(parts[0]) > 2:
        return None
    month = int(parts[1]) if len(parts) > 1 else today.month
    year = _year(parts[2], today) if len(parts) > 2 else today.year
    return _day(year, month, int(parts[0])) if year is not None else None


def _year(text: str, today: date) -> int | None:
    if len(text) == 4:
        return int(text)
    if len(text) != 2:
        return None
    year = today.year // 100 * 100 + int(text)
    return year - 100 if year > today.year + LONG_AGO else year


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except (ValueError, OverflowError):
        return None


def _later(day: date, count: int) -> date | None:
    try:
        return day + timedelta(days=count)
    except OverflowError:
        return None


def from_iso(value: object) -> date | None:
    """A day from ``2026-01-14``; None for anything else."""
    if not isinstance(value, str) or len(value) != 10:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def written(day: date) -> str:
    """«14.01.2026»."""
    return f"{day:%d.%m.%Y}"


def parse_clock(text: str) -> str | None:
    """«15:04» from «15:04», «15.04», «1504», «904», «9»; None for what is no time of day."""
    plain = "".join(text.split())
    match = CLOCK.fullmatch(plain)
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if len(plain) == 3 and plain.isdigit():
        hour, minute = int(plain[0]), int(plain[1:])
    return f"{hour:02d}:{minute:02d}" if hour < 24 and minute < 60 else None


def shifted(clock: str, minutes: int) -> str:
    """A time of day so many minutes later, around midnight."""
    hour, minute = (int(part) for part in clock.split(":"))
    total = (hour * 60 + minute + minutes) % (24 * 60)
    return f"{total // 60:02d}:{total % 60:02d}"


def month_later(day: date, months: int) -> date:
    """The same day of another month, or that month's last."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    for number in range(day.day, 0, -1):
        found = _day(year, month + 1, number) if 1 <= year <= 9999 else None
        if found is not None:
            return found
    return day

"""Ages, dates and numbers as they are written in Norwegian. Pure functions; the clinical now is always an argument."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache

from workspace.clock import OSLO
from workspace.fhir import json


@lru_cache(maxsize=8192)
def moment(text: str) -> datetime | None:
    """An aware local instant from FHIR `dateTime`, `instant` or `date`; None when it is none. A bare date or an instant
    without offset counts as local. The offset is fixed: two instants of one named zone would be subtracted by the wall
    clock, an hour wrong across the two nights when it is moved."""
    try:
        found = datetime.fromisoformat(text)
        there = (found.replace(tzinfo=OSLO) if found.tzinfo is None else found).astimezone(OSLO)
    except (ValueError, OverflowError):  # no instant, or one at the very ends of the calendar
        return None
    return there.replace(tzinfo=timezone(there.utcoffset() or timedelta(0)))


def dated_only(text: str) -> bool:
    """Whether `text` says a day (or less) and no time."""
    return "T" not in text


def age(text: str, now: datetime) -> str:
    """«nå», «for 12 min siden», «for 3 t siden», «i går 21:10», «12.01.», «12.01.2024»; "" for what is no date."""
    then = moment(text)
    if then is None:
        return ""
    here = now.astimezone(OSLO)
    if dated_only(text):
        return _day(then.date(), here.date())
    minutes = int((now.astimezone(UTC) - then).total_seconds() // 60)
    if minutes < 0:
        return f"{then:%H:%M}" if then.date() == here.date() else f"{then:%d.%m. %H:%M}"
    if minutes < 1:
        return "nå"
    if minutes < 60:
        return f"for {minutes} min siden"
    if then.date() == here.date() or minutes < 6 * 60:
        return f"for {minutes // 60} t siden"
    if (here.date() - then.date()).days == 1:
        return f"i går {then:%H:%M}"
    return _day(then.date(), here.date())


def _day(then: date, today: date) -> str:
    days = (today - then).days
    if days == 0:
        return "i dag"
    if days == -1:
        return "i morgen"
    if days == 1:
        return "i går"
    if 1 < days < 7:
        return f"for {days} d siden"
    return f"{then:%d.%m.}" if then.year == today.year else f"{then:%d.%m.%Y}"


def day(text: str) -> str:
    """«14.01.2026», «2019» or «01.2019» by the precision given."""
    parts = text.split("T")[0].split("-")
    if len(parts) == 1 and parts[0].isdigit():
        return parts[0]
    if len(parts) == 2:
        return f"{parts[1]}.{parts[0]}"
    found = moment(text)
    return f"{found:%d.%m.%Y}" if found else ""


def clock(text: str) -> str:
    """«15:04»."""
    found = moment(text)
    return f"{found:%H:%M}" if found and not dated_only(text) else ""


def number(value: float | int | None, decimals: int | None = None) -> str:
    """With decimal comma, a thin space between thousands, and the digits that there are: 38,60 where that was written."""
    if value is None:
        return ""
    if decimals is None and isinstance(value, json.Literal):
        text = f"{Decimal(value.text):,f}"
    elif decimals is not None:
        text = f"{value:,.{decimals}f}"
    else:
        text = f"{value:,}" if isinstance(value, int) or not float(value).is_integer() else f"{int(value):,}"
    return text.replace(",", " ").replace(".", ",")


WEEKDAYS = ("mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag")
MONTHS = (
    "januar", "februar", "mars", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "desember",
)  # fmt: skip


def long_day(then: date, today: date) -> str:
    """«onsdag 14. januar», with the year where it is another."""
    year = "" if then.year == today.year else f" {then.year}"
    return f"{WEEKDAYS[then.weekday()]} {then.day}. {MONTHS[then.month - 1]}{year}"


def near(then: date, today: date) -> str:
    """«i dag», «i går», «i morgen», «for 3 dager siden», «om 3 dager», «om 5 uker»; "" where it is too far to help."""
    days = (then - today).days
    close = {0: "i dag", -1: "i går", 1: "i morgen"}.get(days)
    if close is not None:
        return close
    count = abs(days)
    said = f"{count} dager" if count < 14 else (f"{count // 7} uker" if count < 63 else "")
    return (f"om {said}" if days > 0 else f"for {said} siden") if said else ""

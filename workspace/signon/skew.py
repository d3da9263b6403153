"""Whether this computer's clock is right, judged by the `Date` header of an answer (O-13 of the sign-on rules).

Tokens are only good for minutes, so a clock that is wrong makes every sign-on fail in obscure ways. Never sets
a clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from workspace.problem import Problem

LARGEST = timedelta(seconds=60)


def skew_of(date_header: str | None, real: datetime) -> timedelta | None:
    """How far ahead of the server this computer is; negative is behind. None without a readable `Date`."""
    if not date_header:
        return None
    try:
        theirs = parsedate_to_datetime(date_header)
    except ValueError:
        return None
    return real - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))


def check_clock(date_header: str | None, real: datetime) -> None:
    """Raise Problem ``clock-skew`` when this computer is more than 60 s off."""
    skew = skew_of(date_header, real)
    if skew is None or abs(skew) <= LARGEST:
        return
    direction = "for fort" if skew > timedelta() else "for sakte"
    raise Problem(
        "clock-skew",
        f"Klokken på denne maskinen går {_length(abs(skew))} {direction}, så innloggingen kan ikke godtas.",
        "Slå på automatisk tid på maskinen, eller still klokken, og logg inn på nytt.",
        f"skew {skew.total_seconds():.0f} s",
    )


def _length(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return "nesten ett minutt"
    if minutes == 1:
        return "ett minutt"
    if minutes < 120:
        return f"{minutes} minutter"
    hours = round(minutes / 60)
    return f"{hours} timer" if hours < 48 else f"{round(hours / 24)} døgn"

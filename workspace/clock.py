"""The one source of time.

Three kinds, never mixed: *clinical* time comes from the platform (the sandbox's day starts on 14 January 2026,
14:45, Europe/Oslo), *real* time is the computer's own (tokens, logs), *monotonic* time measures waits.
Instants are kept with offset; shifts are reckoned in Europe/Oslo. Never stores anything.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")


class Clock(Protocol):
    """What every room is given instead of calling the system's clock."""

    def now(self) -> datetime:
        """Clinical time, aware, in Europe/Oslo."""
        ...

    def real(self) -> datetime:
        """The computer's own time, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never backwards."""
        ...


class SystemClock:
    """Clinical time is the computer's time. For production, and for servers that have no platform above them."""

    def now(self) -> datetime:
        return self.real().astimezone(OSLO)

    def real(self) -> datetime:
        return datetime.fromtimestamp(time.time(), UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def slept() -> float:
    """Seconds that this computer has slept since it was started; Linux leaves them out of the monotonic clock
    (clock_gettime(2), CLOCK_BOOTTIME). 0.0 where that cannot be told, or where they are counted anyway."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


@dataclass
class OffsetClock(SystemClock):
    """Clinical time that was `anchor` when the monotonic clock showed `at`, running at `rate`, also while the computer
    sleeps.

    The shell sets it from the platform's ``/time``; the sandbox keeps one as its own day.
    """

    anchor: datetime
    at: float
    rate: float = 1.0
    _slept: float = field(default_factory=slept, init=False, repr=False, compare=False)

    def now(self) -> datetime:
        asleep = slept() - self._slept
        passed = (self.monotonic() - self.at + (asleep if asleep > 1.0 else 0.0)) * self.rate
        # Add in UTC: adding to an aware local time would skip or repeat the hour of a clock change.
        return (self.anchor.astimezone(UTC) + timedelta(seconds=passed)).astimezone(OSLO)

    def set(self, moment: datetime, rate: float = 1.0) -> None:
        """Make it `moment` (aware) now."""
        self.anchor, self.at, self.rate, self._slept = moment, self.monotonic(), rate, slept()


def parse(text: str) -> datetime:
    """An aware instant from ISO 8601 with offset or ``Z``. Raises ValueError without an offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"instant without offset: {text!r}")
    return moment


def instant(moment: datetime) -> str:
    """ISO 8601 with offset and seconds, as FHIR wants it (R4 `instant`)."""
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")

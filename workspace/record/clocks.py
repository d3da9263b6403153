"""The platform's clinical time as a clock of this machine, and whether this machine's own clock is right.

Asks ``/time`` once a call and keeps nothing. Never sets the machine's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from workspace.clock import OffsetClock, SystemClock, parse
from workspace.problem import Problem
from workspace.record.client import Client

LARGEST = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class PlatformTime:
    """`clock` runs as the platform's does; `skew` is Problem ``clock-skew`` when the machine is more than 60 s off."""

    clock: OffsetClock
    skew: Problem | None = None


async def read_clock(client: Client, into: OffsetClock | None = None) -> PlatformTime:
    """Ask the platform what time it is. Half the round trip is added to its answer, which is as old as that.

    `into` is set instead of a new clock being made, so that all who hold it move along. Raises PlatformProblem.
    """
    own = into or SystemClock()
    asked = own.monotonic()
    answer = await client.time()
    answered = own.monotonic()
    half = timedelta(seconds=(answered - asked) / 2)
    try:
        rate = float(answer.get("rate", 1.0))
        now = parse(str(answer["now"])) + half * rate
        real = parse(str(answer["real"])) + half
    except (KeyError, ValueError, TypeError) as error:
        raise Problem(
            "platform-malformed",
            "Plattformen oppgir ikke tiden slik den skal.",
            "Meld fra til brukerstøtte.",
            f"/time: {error!r}",
        ) from error
    if into is None:
        into = OffsetClock(now, answered, rate)
    else:
        into.set(now, rate)
    return PlatformTime(into, _skew(into.real() - real))


def _skew(ahead: timedelta) -> Problem | None:
    if abs(ahead) <= LARGEST:
        return None
    minutes = max(1, round(abs(ahead).total_seconds() / 60))
    length = "ett minutt" if minutes == 1 else f"{minutes} minutter" if minutes < 120 else f"{minutes // 60} timer"
    return Problem(
        "clock-skew",
        f"Klokken på denne maskinen går {length} for {'fort' if ahead > timedelta() else 'sakte'}.",
        "Slå på automatisk tid på maskinen, eller still klokken.",
        f"{ahead.total_seconds():.0f} s ahead of the platform",
    )

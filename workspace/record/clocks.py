"""The platform's clinical time as a clock of this machine, and whether this machine's own clock is right.

Never sets the machine's clock.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from workspace.clock import OffsetClock, SystemClock, parse
from workspace.problem import Problem
from workspace.record.client import Client
from workspace.record.rows import ServiceState

log = logging.getLogger(__name__)
LARGEST = timedelta(seconds=60)
AGAIN = 300.0
"""Seconds between two looks at the platform's time."""
SLIP = timedelta(seconds=2)
"""Less than that is left as it is: the way to the platform and back is not always equally long, and time runs forwards."""


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


class Keeping:
    """Keeps `clock` with the platform's for as long as somebody is signed in: now and then, and when the platform is back. A
    shell runs for days; what is written says when, and its windows and ages are reckoned from it. ``await start()``;
    ``await close()``."""

    def __init__(self, client: Client, clock: OffsetClock) -> None:
        self._client, self._clock = client, clock
        self._back = asyncio.Event()
        self._away = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; returns at once."""
        self._task = asyncio.create_task(self._work(), name="clock")

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def served(self, state: ServiceState) -> None:
        """The platform's light: this machine may have slept while it was out."""
        if state.state == "ok" and self._away:
            self._back.set()
        self._away = state.state == "nede"

    async def _work(self) -> None:
        while True:
            try:
                async with asyncio.timeout(AGAIN):
                    await self._back.wait()
            except TimeoutError:
                pass
            self._back.clear()
            try:
                told = (await read_clock(self._client)).clock
            except Problem as problem:
                log.info("the platform's time is asked later: %s", problem.code)
                continue
            if abs(told.now() - self._clock.now()) > SLIP or told.rate != self._clock.rate:
                log.info("clinical time was %.0f s off", (told.now() - self._clock.now()).total_seconds())
                self._clock.set(told.now(), told.rate)

"""How long to wait before something is sent again: back-off with jitter, the platform's own ``Retry-After``, and whether it
is worth trying at all. Sends nothing."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from workspace.record.client import PlatformProblem

FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0
LONGEST_AFTER = 300.0
"""Seconds: a platform that asks for more is asked again after these all the same. A maintenance page that says a day, or a
date reckoned with a wrong clock, must not keep a ward's notes from the platform for a shift; a request every five minutes is
no load for one that is truly away."""


class Patience:
    """One for each thing that is tried again. `next` gives the seconds to wait."""

    def __init__(self, first: float | None = None, longest: float | None = None) -> None:
        self._pause = FIRST_WAIT if first is None else first
        self._longest = LONGEST_WAIT if longest is None else longest

    def next(self, problem: Exception | None = None, dice: Callable[[float, float], float] = random.uniform) -> float:
        """Between half the pause and all of it, so that many workstations do not come back at once; never less than the
        platform asked for."""
        pause, self._pause = self._pause, min(self._pause * 2, self._longest)
        asked = getattr(problem, "retry_after", 0.0)
        if asked > 0:
            return float(min(asked, LONGEST_AFTER) + dice(0.0, min(asked * 0.2, 5.0)))
        return dice(pause / 2, pause)


class Pause:
    """What the platform has asked of everything that is sent here: nobody sends before it is over, and nothing cuts it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._until = clock, 0.0

    @property
    def left(self) -> float:
        """Seconds; 0 when nothing was asked."""
        return max(0.0, self._until - self._clock())

    def asked_by(self, problem: Exception, seconds: float) -> None:
        """`seconds` from now, if `problem` is a 429 or a 503 with ``Retry-After``: it is about the platform then."""
        if getattr(problem, "status", 0) in (429, 503) and getattr(problem, "retry_after", 0.0) > 0:
            self._until = max(self._until, self._clock() + seconds)

    async def over(self) -> None:
        while (left := self.left) > 0:  # noqa: ASYNC110 (it may grow meanwhile)
            await asyncio.sleep(left)


def may_still_pass(problem: PlatformProblem) -> bool:
    """Whether it is worth sending again: no outcome known, a login that ran out, or somebody else answered (a hotel's or
    a hospital's portal redirects). Only the platform's own no is a no."""
    return problem.unknown_outcome or problem.status < 400 or problem.status in (401, 407, 408, 425)

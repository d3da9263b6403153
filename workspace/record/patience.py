"""How long to wait before something is sent again: back-off with jitter, the platform's own ``Retry-After``, and whether it
is worth trying at all. Pure but for the dice."""

from __future__ import annotations

import random
from collections.abc import Callable

from workspace.record.client import PlatformProblem

FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0
LONGEST_AFTER = 300.0
"""Seconds: a platform that asks for more is asked again after these all the same."""


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


def may_still_pass(problem: PlatformProblem) -> bool:
    """Whether it is worth sending again: no outcome known, a login that ran out, or somebody else answered (a hotel's or
    a hospital's portal redirects). Only the platform's own no is a no."""
    return problem.unknown_outcome or problem.status < 400 or problem.status in (401, 407, 408, 425)

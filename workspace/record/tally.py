"""How many facts a person typed and how many were reused, a count for each shift. Numbers only: no word about whom.

Shifts are reckoned in Europe/Oslo; a night belongs to the day it began on.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, time, timedelta
from typing import Any

from workspace.clock import OSLO, Clock
from workspace.problem import Problem
from workspace.vault.vault import Vault

log = logging.getLogger(__name__)
SHIFTS = ((time(7, 0), "dag"), (time(14, 45), "kveld"), (time(22, 15), "natt"))
KEPT_DAYS = 31


def shift_of(moment: datetime) -> str:
    """``2026-01-14 kveld``."""
    here = moment.astimezone(OSLO)
    name = next((word for begins, word in reversed(SHIFTS) if here.time() >= begins), "")
    day = here.date() if name else here.date() - timedelta(days=1)
    return f"{day.isoformat()} {name or 'natt'}"


class Tally:
    """``await start()`` reads what the shift has so far. Without a vault it counts in memory."""

    def __init__(self, clock: Clock, vault: Vault | None = None, *, user: str = "") -> None:
        self._clock, self._vault, self._user = clock, vault, user
        self._counts: dict[str, tuple[int, int]] = {}
        self._writing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        if self._vault is None:
            return
        oldest = shift_of(self._clock.now() - timedelta(days=KEPT_DAYS))

        def read(database: Any) -> list[tuple[str, int, int]]:
            database.execute("DELETE FROM tally WHERE shift < ?", (oldest,))
            return list(database.execute("SELECT shift, typed, reused FROM tally WHERE user = ?", (self._user,)))

        for shift, typed, reused in await self._vault.run(read):
            before = self._counts.get(shift, (0, 0))
            self._counts[shift] = (before[0] + typed, before[1] + reused)

    async def close(self) -> None:
        await asyncio.gather(*self._writing, return_exceptions=True)

    def now(self) -> tuple[int, int]:
        """(typed, reused) in this shift."""
        return self._counts.get(shift_of(self._clock.now()), (0, 0))

    def shifts(self) -> dict[str, tuple[int, int]]:
        """(typed, reused) by shift, the newest first."""
        order = {word: place for place, (_, word) in enumerate(SHIFTS)}
        by = sorted(self._counts, key=lambda one: (one[:10], order[one[11:]]), reverse=True)
        return {shift: self._counts[shift] for shift in by}

    def add(self, typed: int, reused: int) -> None:
        if not typed and not reused:
            return
        shift = shift_of(self._clock.now())
        before = self._counts.get(shift, (0, 0))
        self._counts[shift] = (before[0] + typed, before[1] + reused)
        if self._vault is not None:
            task = asyncio.ensure_future(self._write(shift, typed, reused))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _write(self, shift: str, typed: int, reused: int) -> None:
        def write(database: Any) -> None:
            database.execute(
                "INSERT INTO tally VALUES (?, ?, ?, ?) ON CONFLICT (user, shift)"
                " DO UPDATE SET typed = typed + excluded.typed, reused = reused + excluded.reused",
                (self._user, shift, typed, reused),
            )

        assert self._vault is not None
        try:
            await self._vault.run(write)
        except Problem as problem:  # a count is not worth stopping anything for
            log.info("the shift's count could not be kept: %s", problem.code)

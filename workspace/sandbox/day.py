"""The sandbox's day: clinical time that starts on 14 January 2026, 14:45, and runs only while the sandbox runs.

Kept in `clock.json`, so that the day goes on after a restart where it stopped. Never touches real or monotonic time.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from workspace.clock import OSLO, OffsetClock, instant, parse
from workspace.problem import Problem
from workspace.sandbox.folder import write_json

START = datetime(2026, 1, 14, 14, 45, tzinfo=OSLO)
FASTEST = 3600.0
"""An hour a second. Zero stands still; time never runs backwards."""

_SAVE_EVERY = 5.0


class Day(OffsetClock):
    """A `Clock` whose clinical time can be set, run fast, and is remembered in `path`."""

    def __init__(self, path: Path, anchor: datetime, rate: float = 1.0) -> None:
        super().__init__(anchor, time.monotonic(), rate)
        self._path = path

    @classmethod
    def resume(cls, path: Path) -> Day:
        """The day as it stood when the sandbox last ran, or its start. Raises Problem ``sandbox-damaged``."""
        import json

        try:
            told = json.loads(path.read_bytes())
            return cls(path, *read_setting(told, START, 1.0))
        except FileNotFoundError:
            return cls(path, START)
        except (ValueError, AttributeError) as error:
            raise Problem(
                "sandbox-damaged",
                "Filen med sandkassens klokke er skadet.",
                "Kjør «workspace sandbox serve --reset»: da legges dataene til side og lages på nytt.",
                str(error),
            ) from error

    def told(self) -> dict[str, Any]:
        """``{"now": instant, "rate": 1.0}``."""
        return {"now": instant(self.now()), "rate": self.rate}

    def save(self) -> None:
        """Remember the time it is. Raises OSError."""
        write_json(self._path, self.told())

    async def keep(self) -> None:
        """Save every few seconds until cancelled; a full disk does not stop the day."""
        while True:
            await asyncio.sleep(_SAVE_EVERY)
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self.save)


def read_setting(told: dict[str, Any], now: datetime, rate: float) -> tuple[datetime, float]:
    """The time and rate that `told` asks for; what it leaves out stays `now` and `rate`. Raises ValueError."""
    asked_now, asked_rate = told.get("now"), told.get("rate")
    if asked_now is not None:
        if not isinstance(asked_now, str):
            raise ValueError("now is not text")
        now = parse(asked_now).astimezone(OSLO)
    if asked_rate is not None:
        if isinstance(asked_rate, bool) or not isinstance(asked_rate, int | float) or not 0 <= asked_rate <= FASTEST:
            raise ValueError(f"rate is not a number from 0 to {FASTEST:.0f}")
        rate = float(asked_rate)
    return now, rate

"""Python's collector waits while something is being put on the screen: a full round holds the loop for 20–50 ms, and what
has just been fetched is what makes it due.

Where it is off already (the start), it stays so. However quickly patient follows patient, it is never off for long.
"""

from __future__ import annotations

import gc
import time

LONGEST = 1.0
"""Seconds after which a full round comes before the next hold, though somebody holds it still."""


class Collector:
    """Off from the first `hold` until everybody has let go. `close` at the end: nothing holds it any more."""

    def __init__(self) -> None:
        self._holders: set[str] = set()
        self._was = False
        self._since = 0.0

    def hold(self, who: str) -> None:
        now = time.monotonic()
        if not self._holders:
            self._was, self._since = gc.isenabled(), now
            gc.disable()
        elif self._was and now - self._since > LONGEST:
            gc.collect()
            self._since = now
        self._holders.add(who)

    def let_go(self, who: str) -> None:
        """What was thrown away meanwhile goes now; a full round comes when Python finds it due. Idempotent."""
        if who in self._holders:
            self._holders.remove(who)
            self._work_again()

    def close(self) -> None:
        if self._holders:
            self._holders.clear()
            self._work_again()

    def _work_again(self) -> None:
        if not self._holders and self._was:
            gc.enable()
            gc.collect(1)

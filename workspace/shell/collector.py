"""Python's collector waits while something is being put on the screen: a full round holds the loop for 20–50 ms, and what
has just been fetched is what makes it due.

What a context leaves behind has lived too long for the small rounds and is too little for Python to find a full one due:
one comes once in `FULL`, when what is on the screen is painted. So the memory does not grow with the number of patients.

Where it is off already (the start), it stays so. However quickly patient follows patient, it is never off for long.
"""

from __future__ import annotations

import contextlib
import gc
import time

LONGEST = 1.0
"""Seconds after which a full round comes before the next hold, though somebody holds it still."""
FULL = 8
"""Holds between two full rounds."""


class Collector:
    """Off from the first `hold` until everybody has let go. `close` at the end: nothing holds it any more."""

    def __init__(self) -> None:
        self._holders: set[str] = set()
        self._was = False
        self._since = 0.0
        self._holds = 0

    def hold(self, who: str) -> None:
        now = time.monotonic()
        if not self._holders:
            self._was, self._since = False, now
        if gc.isenabled():  # also where the start has come to its end since the first of them
            gc.disable()
            self._was = True
        elif self._was and now - self._since > LONGEST:
            self._full()
            self._since = now
        self._holds += who not in self._holders
        self._holders.add(who)

    def let_go(self, who: str) -> None:
        """What was thrown away meanwhile goes now; once in `FULL` holds, all that ever was. Idempotent."""
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
            if self._holds < FULL:
                gc.collect(1)
            else:
                self._full()

    def _full(self) -> None:
        gc.collect()
        if self._holds >= FULL:
            self._holds = 0
            give_back()


def give_back() -> None:
    """Pages in which nothing stands any more go back to the system. Nothing happens where the C library is not GNU's."""
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).malloc_trim(0)

"""How much a panel may send: a bucket of messages, bytes and renders that fills again with time. Never waits."""

from __future__ import annotations


class Bucket:
    """`rate` a second, `burst` at once. `take` says whether there was enough; times are monotonic seconds."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = burst, now

    def take(self, amount: float, now: float) -> bool:
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        self._left -= amount
        return self._left >= 0

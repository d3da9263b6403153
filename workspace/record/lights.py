"""The service light of the platform: ok, slow, or down since when. Told by the feed and by requests; asks nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workspace.clock import Clock
from workspace.record.rows import Follows, ServiceState

SLOW = 2.0
"""Seconds after which an unanswered request makes the light *treg*."""
RECOVERY = 15.0
"""Seconds without a slow request after which it is *ok* again."""


class Light:
    def __init__(self, name: str, clock: Clock) -> None:
        self._name, self._clock = name, clock
        self._down_since = ""
        self._slow_since = ""
        self._follows: Follows = ""
        self._told = self.state
        self._listeners: list[Callable[[ServiceState], None]] = []
        self._recovery: asyncio.TimerHandle | None = None

    @property
    def state(self) -> ServiceState:
        if self._down_since:
            return ServiceState(self._name, "nede", self._down_since, "")
        if not self._follows:
            return ServiceState(self._name, "ukjent", "", "")
        if self._slow_since:
            return ServiceState(self._name, "treg", self._slow_since, self._follows)
        return ServiceState(self._name, "ok", "", self._follows)

    def listen(self, listener: Callable[[ServiceState], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        listener(self.state)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def is_down(self) -> bool:
        return bool(self._down_since)

    def down(self) -> None:
        self._down_since = self._down_since or self._hour()
        self._tell()

    def up(self, follows: Follows = "strøm") -> None:
        """The platform is there; `follows` is how its changes come now."""
        self._down_since = ""
        self._follows = follows
        self._tell()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Around one request: slow when it takes longer than `SLOW`."""
        timer = asyncio.get_running_loop().call_later(SLOW, self._slow)
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        self._listeners.clear()
        if self._recovery:
            self._recovery.cancel()

    def _slow(self) -> None:
        self._slow_since = self._slow_since or self._hour()
        if self._recovery:
            self._recovery.cancel()
        self._recovery = asyncio.get_running_loop().call_later(RECOVERY, self._recovered)
        self._tell()

    def _recovered(self) -> None:
        self._slow_since = ""
        self._tell()

    def _hour(self) -> str:
        return f"{self._clock.now():%H:%M}"

    def _tell(self) -> None:
        if self.state != self._told:
            self._told = self.state
            for listener in list(self._listeners):
                listener(self._told)

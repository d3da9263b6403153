"""The platform's orders to delete what was copied here, carried out and answered (docs/seams.md, *Wipe orders*).

Asks at sign-on, when the feed says that there is one, when the platform is there again, and now and then. Deletes copies
alone: what nobody has sent yet stays. An order counts as done when the platform has our answer; until then it comes again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from workspace.problem import Problem
from workspace.record.client import Client, PlatformProblem
from workspace.record.offline import Offline
from workspace.record.patience import Patience

log = logging.getLogger(__name__)
AGAIN = 300.0
"""Seconds between questions when nothing is heard: a feed that is only polled tells of no orders."""
RETRY = 10.0
"""Seconds before the platform is asked again, or what could not be cleaned is tried again; the latter doubles each time, for
each try writes the whole vault anew."""


class Orders:
    """`device` is this workstation's own name. ``start()`` first, ``await close()`` at the end."""

    def __init__(self, client: Client, offline: Offline, *, device: str) -> None:
        self._client, self._offline, self._device = client, offline, device[:64]
        self._listeners: list[Callable[[str, int], None]] = []
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.ensure_future(self._work())

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._listeners.clear()

    def heard(self) -> None:
        """There may be an order."""
        self._awake.set()

    def on_wiped(self, listener: Callable[[str, int], None]) -> Callable[[], None]:
        """Told the reason and how many copies went, once an order is carried out. Returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    async def _work(self) -> None:
        patience = Patience(RETRY, AGAIN)
        while True:
            self._awake.clear()
            pause = AGAIN
            try:
                await self._look()
                patience = Patience(RETRY, AGAIN)
            except PlatformProblem as problem:
                if problem.status in (404, 405):
                    return  # a platform that gives no orders
                pause = RETRY
            except Problem as problem:
                log.warning("an order to wipe waits: %s", problem.code)
                pause = patience.next(problem)
            try:
                async with asyncio.timeout(pause):
                    await self._awake.wait()
            except TimeoutError:
                continue

    async def _look(self) -> None:
        for own, reason in await self._client.wipes(self._device):
            count = await self._offline.wipe()
            log.warning("wiped on order %s: %d copies", own, count)
            for listener in list(self._listeners):
                listener(reason, count)
            try:
                await self._client.wiped(own, self._device)
            except PlatformProblem as problem:
                if problem.status != 404:  # withdrawn meanwhile
                    raise

"""Warm spares: for each package one process started and introduced ahead, waiting for its one context.

A child is started in 7–16 ms, introduced in a few more; a patient switch cannot wait for that. The first are started
side by side; those that replace what was taken come behind, one at a time, when nothing on screen waits. Never hands out a
process twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from workspace.panels.manifest import Package
from workspace.panels.process import PanelProcess
from workspace.panels.tasks import Kept
from workspace.problem import Problem

Start = Callable[[Package], Awaitable[PanelProcess]]
ABREAST = 2
"""Spares that are started at the same time, at most: somebody else may be waiting for a processor."""


class Spares:
    """`start` makes an introduced process or raises Problem; `calm` waits until nothing on screen is waiting."""

    def __init__(self, start: Start, calm: Callable[[], Awaitable[None]]) -> None:
        self._start, self._calm = start, calm
        self._ready: dict[str, PanelProcess] = {}
        self._coming: dict[str, asyncio.Task[PanelProcess]] = {}
        self._wanted: dict[str, Package] = {}
        self._kept = Kept()
        self._refill: asyncio.Task[None] | None = None
        self._taken = False

    async def warm(self, packages: list[Package]) -> list[Problem]:
        """Keep one spare of each from now on, and start those that are missing. Returns what would not start."""
        self._wanted.update({package.id: package for package in packages})
        return await self._fill(ABREAST)

    async def take(self, package: Package) -> PanelProcess | None:
        """The spare, or the one that is on its way; it is then the caller's, and a new one is started behind. None when
        there is neither."""
        process = self._ready.pop(package.id, None)
        coming = self._coming.pop(package.id, None) if process is None or not process.alive else None
        self._taken = True
        if package.id in self._wanted and (self._refill is None or self._refill.done()):
            self._refill = self._kept.start(self._behind())
        if coming is not None:
            process = await self._arrival(coming)
        return process if process is not None and process.alive else None

    async def _arrival(self, coming: asyncio.Task[PanelProcess]) -> PanelProcess | None:
        try:
            return await asyncio.shield(coming)
        except Problem:
            return None  # the caller starts one of its own, and is told why that fails
        except asyncio.CancelledError:
            coming.add_done_callback(_put_away)
            raise

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self._ready.items() if process.pid is not None}

    async def close(self) -> None:
        """End the spares, those on their way included. Idempotent."""
        self._wanted.clear()
        coming, self._coming = list(self._coming.values()), {}
        for task in coming:
            task.cancel()
        await asyncio.gather(*coming, return_exceptions=True)
        await self._kept.close()
        ready, self._ready = list(self._ready.values()), {}
        await asyncio.gather(*(process.kill() for process in ready))

    async def _behind(self) -> None:
        # Once more if something was taken meanwhile; a package that will not start is not tried for ever.
        while self._taken:
            self._taken = False
            await self._calm()
            await self._fill(1)

    def _missing(self) -> list[Package]:
        return [
            package
            for name, package in self._wanted.items()
            if name not in self._coming and (name not in self._ready or not self._ready[name].alive)
        ]

    async def _fill(self, abreast: int) -> list[Problem]:
        """Start what is missing, `abreast` at a time; waits also for those that somebody else has begun."""
        turns = asyncio.Semaphore(abreast)
        for package in self._missing():
            task = asyncio.get_running_loop().create_task(self._one(package, turns))
            self._coming[package.id] = task
            task.add_done_callback(partial(self._came, package.id))
        begun = list(self._coming.values())
        done = await asyncio.gather(*(asyncio.shield(task) for task in begun), return_exceptions=True)
        for fault in done:
            if isinstance(fault, Exception) and not isinstance(fault, Problem):
                raise fault
        return [problem for problem in done if isinstance(problem, Problem)]

    async def _one(self, package: Package, turns: asyncio.Semaphore) -> PanelProcess:
        async with turns:
            return await self._start(package)

    def _came(self, name: str, task: asyncio.Task[PanelProcess]) -> None:
        if self._coming.get(name) is not task:
            if not task.cancelled():
                task.exception()  # whoever took it on its way has it, or has heard why not
            return
        del self._coming[name]
        if task.cancelled() or task.exception() is not None:
            return
        self._ready[name] = task.result()


def _put_away(coming: asyncio.Task[PanelProcess]) -> None:
    """Whoever waited for it has gone: it has served nobody, and nobody will come."""
    if not coming.cancelled() and coming.exception() is None:
        coming.result().end_for("")

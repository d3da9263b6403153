"""Warm spares: for each package one process started and introduced ahead, waiting for its one context.

A child is started in 7–16 ms, introduced in a few more; a patient switch cannot wait for that. Spares are started
behind, one at a time, when nothing on screen waits. Never hands out a process twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from workspace.panels.manifest import Package
from workspace.panels.process import PanelProcess
from workspace.panels.tasks import Kept
from workspace.problem import Problem

Start = Callable[[Package], Awaitable[PanelProcess]]


class Spares:
    """`start` makes an introduced process or raises Problem; `calm` waits until nothing on screen is waiting."""

    def __init__(self, start: Start, calm: Callable[[], Awaitable[None]]) -> None:
        self._start, self._calm = start, calm
        self._ready: dict[str, PanelProcess] = {}
        self._wanted: dict[str, Package] = {}
        self._kept = Kept()
        self._refill: asyncio.Task[None] | None = None
        self._taken = False

    async def warm(self, packages: list[Package]) -> list[Problem]:
        """Keep one spare of each from now on, and start those that are missing. Returns what would not start."""
        self._wanted.update({package.id: package for package in packages})
        return await self._fill()

    def take(self, package: Package) -> PanelProcess | None:
        """The spare, if there is a living one; it is then the caller's, and a new one is started behind."""
        process = self._ready.pop(package.id, None)
        self._taken = True
        if package.id in self._wanted and (self._refill is None or self._refill.done()):
            self._refill = self._kept.start(self._behind())
        return process if process is not None and process.alive else None

    @property
    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self._ready.items() if process.pid is not None}

    async def close(self) -> None:
        self._wanted.clear()
        await self._kept.close()
        ready, self._ready = list(self._ready.values()), {}
        await asyncio.gather(*(process.kill() for process in ready))

    async def _behind(self) -> None:
        # Once more if something was taken meanwhile; a package that will not start is not tried for ever.
        while self._taken:
            self._taken = False
            await self._calm()
            await self._fill()

    def _missing(self) -> list[str]:
        return [name for name in self._wanted if name not in self._ready or not self._ready[name].alive]

    async def _fill(self) -> list[Problem]:
        problems = []
        for name in self._missing():
            package = self._wanted.get(name)
            if package is None:
                continue  # closed meanwhile
            try:
                process = await self._start(package)
            except Problem as problem:
                problems.append(problem)
                continue
            if name in self._wanted and (name not in self._ready or not self._ready[name].alive):
                self._ready[name] = process
            else:
                await process.kill()
        return problems

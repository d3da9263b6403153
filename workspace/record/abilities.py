"""What the platform says that it can do (``GET /metadata``), read once a session and again when it has been away.

Never in the way of what is to be seen: asked a while after the start, behind everything else. Only says what is missing of
what the workspace needs; a platform that describes nothing is not doubted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from workspace import __version__
from workspace.fhir.capability import lacking
from workspace.problem import Problem
from workspace.record.client import Asker, Client, PlatformProblem
from workspace.record.rows import ServiceState

log = logging.getLogger(__name__)
BEFORE = 5.0
"""Seconds after the start."""
ASKER = Asker((f"workspace.abilities@{__version__}",))


class Abilities:
    """``await start()``; ``await close()``. `statement` is the CapabilityStatement, None until it has been read."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._listeners: list[Callable[[tuple[str, ...]], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._away = False
        self.statement: dict[str, Any] | None = None
        self.lacks: tuple[str, ...] = ()

    async def start(self) -> None:
        """Begin; returns at once."""
        self._ask(BEFORE)

    async def close(self) -> None:
        self._listeners.clear()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def served(self, state: ServiceState) -> None:
        """The platform's light: one that was away may be another when it is back."""
        if state.state == "nede":
            self._away = True
        elif state.state == "ok" and self._away:
            self._away = False
            self._ask(0.0 if self.statement is not None else BEFORE)

    def on_lacks(self, listener: Callable[[tuple[str, ...]], None]) -> Callable[[], None]:
        """Told what is missing, in words, now and whenever it changes. Returns what ends it."""
        self._listeners.append(listener)
        listener(self.lacks)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def _ask(self, after: float) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.create_task(self._read(after), name="abilities")

    async def _read(self, after: float) -> None:
        await asyncio.sleep(after)
        try:
            statement = (await self._client.get("metadata", ASKER)).body
        except PlatformProblem as problem:
            # What cannot be had now is asked for when the platform is back; one that has none says nothing of itself.
            self._away = self._away or problem.status == 0 or problem.status >= 500
            log.info("the platform does not say what it can do: %s", problem.code)
            return
        except Problem as problem:  # nobody has signed on
            self._away = True
            log.info("what the platform can do is asked later: %s", problem.code)
            return
        if statement.get("resourceType") != "CapabilityStatement":
            log.info("the platform's description of itself is none")
            return
        self.statement, before, self.lacks = statement, self.lacks, lacking(statement)
        if self.lacks:
            log.warning("the platform lacks: %s", "; ".join(self.lacks))
        if self.lacks != before:
            for listener in list(self._listeners):
                listener(self.lacks)

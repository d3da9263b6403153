"""What is heavy to import, imported behind the window in one thread, stage by stage; whoever needs a stage awaits it.

One thread and one order: two that import at once wait for each other's locks. Never touches Qt objects.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

Stage = tuple[str, Callable[[], Any]]


class Stages:
    """`stages` are (name, work), done in that order from now on; `await ready(name)` gives what the work returned."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = stages
        self._done: dict[str, Future[Any]] = {name: Future() for name, _ in stages}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stages", daemon=True)
        self._thread.start()

    async def ready(self, name: str) -> Any:
        """Wait for a stage. Raises what its work raised."""
        future = self._done[name]
        return future.result() if future.done() else await asyncio.wrap_future(future)

    def close(self) -> None:
        """Begin no further stage, and wait for the one under way."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        for name, work in self._stages:
            future = self._done[name]
            if self._over.is_set() or not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - whoever awaits the stage is told
                future.set_exception(error)

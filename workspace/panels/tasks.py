"""Work that goes on after a call has returned: kept, so that it is neither lost nor left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Kept:
    """A set of running tasks. A failure reaches the loop's exception handler (the crash log), as any bug should."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            context = {"message": "a panel task failed", "exception": error, "task": task}
            task.get_loop().call_exception_handler(context)

    def cancel(self) -> None:
        """Ask all that runs to end; `close` sees to it."""
        for task in self._tasks:
            task.cancel()

    async def finish(self, timeout: float) -> None:
        """Let what runs come to its end for `timeout` seconds, then cancel the rest, and wait until all is over."""
        mine = {task for task in self._tasks if task is not asyncio.current_task()}
        if mine:
            await asyncio.wait(mine, timeout=timeout)
        await self.close()

    async def close(self) -> None:
        mine = {task for task in self._tasks if task is not asyncio.current_task()}
        for task in mine:
            task.cancel()
        if mine:
            await asyncio.wait(mine)

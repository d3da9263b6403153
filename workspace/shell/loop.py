"""asyncio on Qt's event loop (`qtloop`).

Rules that come with it (DESIGN §11): never `exec()` a dialog inside a coroutine, keep every task. `Tasks` keeps them and
hands what fails to one listener. WORKAROUND qasync #59: a nested Qt loop wedges the task it interrupts for ever; dialogs
are therefore opened, not executed; remove the rule when qasync refuses nested loops by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)


class Tasks:
    """Keeps background tasks until they end. `failed` hears every exception but cancellation."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Start `work` now and keep it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        fault = task.exception()
        if fault is not None:
            self._failed(fault)

    async def close(self) -> None:
        """Cancel what still runs, but the caller itself, and wait for its end."""
        current = asyncio.current_task()
        pending = [task for task in self._tasks if task is not current]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


def run(app: Any, main: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run `main` on Qt's loop until it returns; its value is the exit code."""
    from workspace.shell.qtloop import Loop

    loop = Loop(app)
    asyncio.set_event_loop(loop)
    try:
        with loop:
            code: int = loop.run_until_complete(main())
            loop.run_until_complete(loop.shutdown_asyncgens())
            return code
    finally:
        asyncio.set_event_loop(None)

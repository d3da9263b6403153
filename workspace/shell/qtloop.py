"""Qt's event loop as asyncio's: the only module that knows qasync. It is imported when the loop is made, and not before.

WORKAROUND qasync 0.28: what is cancelled stays among Qt's timers until it would have been due. Each request has a time limit
of many seconds and is answered in a few milliseconds: thousands of them stood there, in the way of every new one and spread
all over the memory. `Due` and `Loop` to go when qasync stops the timer of what is cancelled.
"""

from __future__ import annotations

import asyncio
from typing import Any

import qasync
from PySide6.QtCore import QObject, QTimerEvent

FAR = 0.1
"""Seconds from which on a timer is more likely to be cancelled than to be due."""


class Due(QObject):
    """What is to be called later, each with a timer of its own that ends when it is called or cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self._handles: dict[int, asyncio.TimerHandle] = {}
        self._timers: dict[int, int] = {}  # by id of the handle: handles that say the same are equal

    def __len__(self) -> int:
        return len(self._handles)

    def add(self, seconds: float, handle: asyncio.TimerHandle) -> None:
        timer = self.startTimer(int(seconds * 1000))
        self._handles[timer], self._timers[id(handle)] = handle, timer

    def drop(self, handle: asyncio.TimerHandle) -> None:
        """Idempotent."""
        timer = self._timers.pop(id(handle), None)
        if timer is not None:
            self.killTimer(timer)
            del self._handles[timer]

    def stop(self) -> None:
        for handle in list(self._handles.values()):
            self.drop(handle)

    def timerEvent(self, event: QTimerEvent) -> None:
        handle = self._handles.get(event.timerId())
        if handle is not None:
            self.drop(handle)
            handle._run()


class Loop(qasync.QEventLoop):  # type: ignore[misc]  # qasync has no types
    """`app` is the QApplication."""

    def __init__(self, app: Any, **more: Any) -> None:
        self.due = Due()
        super().__init__(app, **more)

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        if delay < FAR:
            return super().call_later(delay, callback, *args, context=context)
        handle = asyncio.TimerHandle(self.time() + delay, callback, args, self, context)
        self.due.add(delay, handle)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Called by `TimerHandle.cancel`."""
        self.due.drop(handle)

    def close(self) -> None:
        self.due.stop()
        super().close()

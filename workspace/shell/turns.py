"""Work of some milliseconds a piece, done a piece or two a turn of the loop, so that a key press never waits for all of it.

Pieces keep their order. Never does a piece twice, and none after `close`.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

TURN = 0.008
"""Seconds after which a turn begins no further piece."""


class Turns(QObject):
    """`ask(work)` does `work` in a later turn of the loop."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._asked: deque[Callable[[], object]] = deque()
        self._pause_at = math.inf
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._turn)

    def ask(self, work: Callable[[], object]) -> None:
        self._asked.append(work)
        if not self._timer.isActive():
            self._timer.start()

    def pause(self, at: float) -> None:
        """Begin nothing after `at` (perf_counter) until `resume`: something else has that time."""
        self._pause_at = at

    def resume(self) -> None:
        self._pause_at = math.inf
        if self._asked and not self._timer.isActive():
            self._timer.start()

    def close(self) -> None:
        """Forget what is still asked for."""
        self._asked.clear()
        self._timer.stop()

    def _turn(self) -> None:
        over = time.perf_counter() + TURN
        if over - TURN >= self._pause_at:
            return
        try:
            while self._asked:
                self._asked.popleft()()
                if time.perf_counter() >= over:
                    break
        finally:  # one that fails does not hold back the others
            if self._asked:
                self._timer.start()

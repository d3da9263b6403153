"""Where a process dies when it is told to: named points of its work, and kill -9 by its own hand when it comes to one.

``(folder / "gateway.die").write_text("after-store")`` kills that folder's gateway the next time it has stored something.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

POINTS = {
    "writer": ("before-keep", "after-keep", "before-send", "after-send", "before-note", "before-tell", "after-note"),
    "gateway": ("received", "before-store", "after-store", "answered"),
    "store": ("received", "committed"),
}
"""Every step of a write, in the three processes that it passes."""


class Mortal:
    def __init__(self, folder: Path, role: str) -> None:
        self._order = folder / f"{role}.die"

    def at(self, point: str) -> None:
        try:
            told = self._order.read_text()
        except FileNotFoundError:
            return
        if told == point:
            self._order.unlink()
            os.kill(os.getpid(), signal.SIGKILL)

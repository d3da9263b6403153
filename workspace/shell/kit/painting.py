"""A guard around painting: an exception that leaves a paint event with its painter still open ends the whole program.

With it a fault of ours, or of what a vendor made us draw, is a picture that is missing and a line in the log.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import qCritical
from PySide6.QtGui import QPaintEvent

Widget = TypeVar("Widget")


def guarded(paint: Callable[[Widget, QPaintEvent], None]) -> Callable[[Widget, QPaintEvent], None]:
    """For every `paintEvent` that makes a painter of its own."""

    @functools.wraps(paint)
    def paintEvent(self: Any, event: QPaintEvent) -> None:
        try:
            paint(self, event)
        except Exception:  # noqa: BLE001 - whatever it is: the painter must end before Qt goes on
            qCritical(f"{type(self).__name__} could not be painted\n{traceback.format_exc()}")

    return paintEvent

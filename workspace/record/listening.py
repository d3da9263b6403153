"""Listeners in a list: added with what ends it, called so that a fault in one stops neither the others nor the caller."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)


def added(held: list[Any], listener: Any) -> Callable[[], None]:
    """`listener` is in `held` until what is returned is called; that may be twice."""
    held.append(listener)
    return lambda: held.remove(listener) if listener in held else None


def call(held: list[Any], *said: Any) -> None:
    """All of `held` with `said`, those that were there when it began."""
    for listener in list(held):
        try:
            listener(*said)
        except Exception:  # a fault of the screen must lose nothing
            log.exception("a listener failed")

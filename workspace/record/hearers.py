"""Who follows the outbox: told of each item's news, and called whenever anything may look different. A fault in one of them
stops neither the others nor what is sent."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from workspace.record.items import Item

log = logging.getLogger(__name__)


class Hearers:
    def __init__(self) -> None:
        self._told: list[Callable[[Item], None]] = []
        self._called: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[Item], None]) -> Callable[[], None]:
        """Told each item when its state is news: still waiting when its commit returns, held, settled."""
        return _added(self._told, listener)

    def on_marks(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Called whenever `marks` or `items` may have changed; it gets nothing and asks."""
        return _added(self._called, listener)

    def tell(self, item: Item) -> None:
        for listener in list(self._told):
            _safely(listener, item)

    def mark(self) -> None:
        for listener in list(self._called):
            _safely(listener)


def _added(held: list[Any], listener: Any) -> Callable[[], None]:
    held.append(listener)
    return lambda: held.remove(listener) if listener in held else None


def _safely(listener: Callable[..., None], *said: Item) -> None:
    try:
        listener(*said)
    except Exception:
        log.exception("a listener of the outbox failed")

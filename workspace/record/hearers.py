"""Who follows the outbox: told of each item's news, and called whenever anything may look different. A fault in one of them
stops neither the others nor what is sent."""

from __future__ import annotations

from collections.abc import Callable

from workspace.record.items import Item
from workspace.record.listening import added, call


class Hearers:
    def __init__(self) -> None:
        self._told: list[Callable[[Item], None]] = []
        self._called: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[Item], None]) -> Callable[[], None]:
        """Told each item when its state is news: still waiting when its commit returns, held, settled."""
        return added(self._told, listener)

    def on_marks(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Called whenever `marks` or `items` may have changed; it gets nothing and asks."""
        return added(self._called, listener)

    def tell(self, item: Item) -> None:
        call(self._told, item)

    def mark(self) -> None:
        call(self._called)

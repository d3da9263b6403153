"""What the shell is told about one panel: gathered, and told once per drained batch, never from inside a call.

Holds nothing else. Never decides anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from workspace.panels.face import PanelListener, TreeChange
from workspace.panels.tree import combined


class Telling:
    """Calls of one turn of the loop become one round of the listener, in the order state, tree, values, rows,
    blobs, words."""

    def __init__(self, listener: PanelListener) -> None:
        self.listener = self._listener = listener
        self._waiting = False
        self._state = False
        self._change: TreeChange | None = None
        self._binds: dict[str, None] = {}
        self._bound: dict[int, None] = {}
        self._at = ""
        self._blobs: dict[str, None] = {}
        self._wanted: list[str] = []
        self._told: list[tuple[str, str]] = []
        self._raised: list[tuple[str, Mapping[str, Any]]] = []

    def state(self) -> None:
        self._state = True
        self._soon()

    def rendered(self, change: TreeChange) -> None:
        self._change = change if self._change is None else combined(self._change, change)
        self._soon()

    def values(self, binds: tuple[str, ...]) -> None:
        self._binds.update(dict.fromkeys(binds))
        self._soon()

    def bound(self, watch: int) -> None:
        self._bound[watch] = None
        self._soon()

    def blob(self, handle: str) -> None:
        self._blobs[handle] = None
        self._soon()

    def wanted(self, source: str) -> None:
        self._wanted.append(source)
        self._soon()

    def saved(self, at: str) -> None:
        self._at = at
        self._soon()

    def told(self, text: str, tone: str) -> None:
        self._told.append((text, tone))
        self._soon()

    def raised(self, name: str, context: Mapping[str, Any]) -> None:
        self._raised.append((name, context))
        self._soon()

    def _soon(self) -> None:
        if not self._waiting:
            self._waiting = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._waiting = False
        state, self._state = self._state, False
        change, self._change = self._change, None
        binds, self._binds = tuple(self._binds), {}
        bound, self._bound = tuple(self._bound), {}
        blobs, self._blobs = tuple(self._blobs), {}
        wanted, self._wanted = self._wanted, []
        at, self._at = self._at, ""
        told, self._told = self._told, []
        raised, self._raised = self._raised, []
        if state:
            self._listener.state_changed()
        if change is not None:
            self._listener.rendered(change)
        if binds:
            self._listener.values_changed(binds)
        for watch in bound:
            self._listener.bound_changed(watch)
        for handle in blobs:
            self._listener.blob_changed(handle)
        for source in wanted:
            self._listener.wanted(source)
        if at:
            self._listener.draft_saved(at)
        for text, tone in told:
            self._listener.told(text, tone)
        for name, context in raised:
            self._listener.raised(name, context)

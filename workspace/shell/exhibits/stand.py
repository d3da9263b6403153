"""A panel's instance for the gallery: the real SDK, the real tree and its patches, without a process or a platform.

Writes go nowhere: the gallery has no record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from workspace.panels.components import Action
from workspace.panels.face import ActOutcome, BoundRows, TreeNode
from workspace.panels.protocol import Render
from workspace.panels.tree import Tree
from workspace.sdk import Panel
from workspace.sdk.testing import Bench
from workspace.shell.exhibits.exhibit import panel as shared

Rows = Mapping[str, list[dict[str, Any]]]


class Heard(Bench):
    """A bench that passes on what the panel renders."""

    def __init__(self, panel: Panel, rendered: Callable[[dict[str, Any]], None]) -> None:
        self._rendered = rendered
        super().__init__(panel)

    def draw(self, params: dict[str, Any]) -> None:
        # Converted before the bench applies it: the tree must not share lists with what the bench patches.
        self._rendered(params)
        super().draw(params)


class Stand:
    """Opens one view; `listener` is the body that draws it. As much of `face.PanelInstance` as a body uses."""

    def __init__(
        self,
        view: Callable[[Any], Any],
        now: str,
        rows: Rows,
        blobs: Mapping[str, tuple[str, bytes]],
        values: Mapping[str, Any],
    ) -> None:
        one = Panel(shared.name, shared.version)
        one.actions.update(shared.actions)
        one.view("page")(view)
        self.listener: Any = None
        self.values: dict[str, Any] = dict(values)
        self._tree, self._blobs, self._rows = Tree(), dict(blobs), rows
        self.bench = Heard(one, self._heard)
        self.bench.open("page", rows, now=now, values=self.values)

    def _heard(self, params: dict[str, Any]) -> None:
        render = msgspec.convert(params, Render)
        if render.tree is not None:
            change = self._tree.whole(render.tree, render.revision)
        else:
            change = self._tree.patch(render.patch, render.revision)
        if self.listener is not None:
            self.listener.rendered(change)

    # --- what a body asks -----------------------------------------------------------------------------------

    @property
    def root(self) -> str | None:
        return self._tree.root

    @property
    def nodes(self) -> Mapping[str, TreeNode]:
        return self._tree.nodes

    def bound(self, watch: int) -> BoundRows:
        return BoundRows(tuple(self._rows.get(self.bench.queries.get(watch, ""), ())))

    def typed(self, bind: str, value: Any) -> None:
        self.values[bind] = value
        self.bench.type(**{bind: value})

    async def act(self, action: Action) -> ActOutcome:
        effects = self.bench.act(action.name, **action.args)
        changed = {**effects.get("state", {}), **dict.fromkeys(effects.get("clear", []))}
        self.values.update(changed)
        if changed and self.listener is not None:
            self.listener.values_changed(tuple(changed))
        return ActOutcome(ok=True, message=str(effects.get("message") or ""))

    def blob(self, handle: str) -> tuple[str, bytes] | None:
        return self._blobs.get(handle)

"""What stands in for the host: an instance with a real tree, and a loop that runs what is spawned when told to."""

from __future__ import annotations

import asyncio
from typing import Any

from workspace.panels.components import Action
from workspace.panels.face import ActOutcome, BoundRows
from workspace.panels.protocol import Node
from workspace.panels.tree import Tree


class FakeInstance:
    """As much of `face.PanelInstance` as a body uses."""

    def __init__(self) -> None:
        self.tree = Tree()
        self.values: dict[str, Any] = {}
        self.rows: dict[int, BoundRows] = {}
        self.acts: list[Action] = []
        self.typings: list[tuple[str, Any]] = []
        self.gate: asyncio.Event | None = None
        self.listener: Any = None
        self.cancelled = False

    @property
    def root(self) -> str | None:
        return self.tree.root

    @property
    def nodes(self) -> Any:
        return self.tree.nodes

    def bound(self, watch: int) -> BoundRows:
        return self.rows.get(watch, BoundRows())

    def blob(self, handle: str) -> tuple[str, bytes] | None:
        return None

    def typed(self, bind: str, value: Any) -> None:
        self.typings.append((bind, value))
        self.values[bind] = value

    async def act(self, action: Action) -> ActOutcome:
        self.acts.append(action)
        if self.gate is not None:
            await self.gate.wait()
        return ActOutcome(ok=True, message="Lagret")

    def cancel(self) -> bool:
        self.cancelled = True
        if self.gate is not None:
            self.gate.set()
        return self.gate is not None

    def whole(self, node: Node) -> None:
        self.listener.rendered(self.tree.whole(node))

    def patch(self, *operations: Any) -> None:
        self.listener.rendered(self.tree.patch(operations))


class Spawner:
    """`spawn` for a body, on a loop that turns when `turn` is called."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.tasks: list[asyncio.Task[Any]] = []

    def __call__(self, work: Any) -> asyncio.Task[Any]:
        task = self.loop.create_task(work)
        self.tasks.append(task)
        return task

    def turn(self) -> None:
        for _ in range(4):
            self.loop.run_until_complete(asyncio.sleep(0))

    def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            self.loop.run_until_complete(asyncio.wait(self.tasks))
        self.loop.close()


def node(kind: str, name: str, *children: Node, **props: Any) -> Node:
    return Node(id=name, type=kind, props=props, children=list(children))

"""The tree as the shell has drawn it: renders are applied, and tests look at what stands. Knows nothing of panels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workspace.sdk import fakes

Message = dict[str, Any]


class Drawn:
    """`tree` is the root's node, empty before the first render; `revision` is the last render's."""

    def __init__(self) -> None:
        self.tree: Message = {}
        self.revision = 0

    def nodes(self) -> Iterator[Message]:
        """Every node, in reading order."""
        stack = [self.tree] if self.tree else []
        while stack:
            one = stack.pop()
            yield one
            stack.extend(reversed(one.get("children", [])))

    def all(self, kind: str) -> list[Message]:
        return [one for one in self.nodes() if one["type"] == kind]

    def one(self, kind: str) -> Message:
        """Props of the only (or first) component of its kind."""
        found = self.all(kind)
        if not found:
            raise LookupError(f"no {kind} in {[one['type'] for one in self.nodes()]}")
        props: Message = found[0].get("props", {})
        return props

    def outline(self) -> str:
        """The tree as text, a line for each component."""
        return "\n".join(fakes.outline(self.tree)) if self.tree else ""

    def texts(self) -> str:
        """All that can be read, a line each."""
        found: list[str] = []
        fakes.gather([one.get("props", {}) for one in self.nodes()], found)
        return "\n".join(found)

    def rows(self, at: int = 0) -> list[Message]:
        """The rows of table number `at`."""
        rows: list[Message] = self.all("table")[at]["props"].get("rows", [])
        return rows

    def draw(self, params: Message) -> None:
        """A render: a whole tree, or a patch on what was drawn last. Raises AssertionError for another base, RuleBroken."""
        if params.get("tree") is not None:
            self.tree = params["tree"]
        else:
            if params["base"] != self.revision:
                raise AssertionError(f"a patch on {params['base']}, but {self.revision} is drawn")
            for operation in params["patch"]:
                self._apply(operation)
        self.revision = params["revision"]
        fakes.check_tree(self.tree)

    def _apply(self, op: Message) -> None:
        nodes = {one["id"]: one for one in self.nodes()}
        if op["op"] == "gone":
            for one in nodes.values():
                one["children"] = [child for child in one.get("children", []) if child["id"] != op["id"]]
        elif op["op"] == "add":
            nodes[op["parent"]].setdefault("children", []).insert(op["index"], op["node"])
        elif op["op"] == "children":
            by_id = {child["id"]: child for child in nodes[op["id"]]["children"]}
            nodes[op["id"]]["children"] = [by_id[name] for name in op["children"]]
        elif op["op"] == "props":
            props = nodes[op["id"]].setdefault("props", {})
            props.update(op.get("props", {}))
            for name in op.get("unset", []):
                props.pop(name, None)
        else:
            rows = nodes[op["id"]]["props"]["rows"]
            drop = set(op.get("gone", [])) | {row["key"] for _, row in op.get("put", [])}
            rows[:] = [row for row in rows if row["key"] not in drop]
            for index, row in op.get("put", []):
                rows.insert(index, row)

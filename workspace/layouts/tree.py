"""Pure functions from tree to tree: every move, drag or keyboard command of the work surface is one of these.

They never change their argument, keep locked panels in sight, and leave no empty place and no split of one behind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from workspace.layouts.document import Placement, Split, Tabs, Tree, placements

Side = Literal["left", "right", "above", "below", "tab"]
Path = tuple[int, ...]
"""The way to a node: child indices from the root."""


class Locked(ValueError):
    """The layout does not let this panel be closed or covered."""


def find(tree: Tree, instance: str) -> Path:
    """Where the tabs that hold `instance` stand. Raises KeyError."""
    if isinstance(tree, Tabs):
        if any(place.instance == instance for place in tree.panels):
            return ()
        raise KeyError(instance)
    for index, child in enumerate(tree.children):
        try:
            return (index, *find(child, instance))
        except KeyError:
            continue
    raise KeyError(instance)


def at(tree: Tree, path: Path) -> Tree:
    for index in path:
        if not isinstance(tree, Split):
            raise KeyError(path)
        tree = tree.children[index]
    return tree


def resize(tree: Tree, path: Path, sizes: tuple[float, ...]) -> Tree:
    """Give the split at `path` new shares (any positive numbers, one for each child). Raises ValueError."""

    def change(node: Tree) -> Tree:
        if not isinstance(node, Split) or len(sizes) != len(node.children) or min(sizes) <= 0:
            raise ValueError(f"sizes {sizes} do not fit {path}")
        total = sum(sizes)
        return Split(
            direction=node.direction,
            children=node.children,
            sizes=tuple(round(100 * size / total, 2) for size in sizes),
        )

    return _changed(tree, path, change)


def activate(tree: Tree, instance: str) -> Tree:
    """Bring `instance` to the front of its tabs."""

    def change(node: Tree) -> Tree:
        return Tabs(panels=node.panels, active=instance) if isinstance(node, Tabs) else node

    return _changed(tree, find(tree, instance), change)


def close(tree: Tree, instance: str) -> Tree | None:
    """Take a panel away; None when it was the last. Raises Locked for a locked one."""
    place = placement(tree, instance)
    if place.locked:
        raise Locked(instance)
    return _without(tree, instance)


def move(tree: Tree, instance: str, target: str, side: Side) -> Tree:
    """Put `instance` beside, above or below the place that holds `target`, or behind it as a tab.

    Raises Locked when a locked panel would be covered, ValueError when both are the same."""
    if instance == target:
        raise ValueError("a panel cannot be moved beside itself")
    place = placement(tree, instance)
    if side == "tab" and (place.locked or any(p.locked for p in _tabs(tree, target).panels)):
        raise Locked(instance if place.locked else target)
    rest = _without(tree, instance)
    if rest is None:
        raise KeyError(target)
    return insert(rest, place, target, side)


def insert(tree: Tree, place: Placement, target: str, side: Side) -> Tree:
    """Put a new panel by the place that holds `target`."""

    def change(node: Tree) -> Tree:
        if side == "tab" and isinstance(node, Tabs):
            return Tabs(panels=(*node.panels, place), active=place.instance)
        new: Tree = Tabs(panels=(place,))
        children = (new, node) if side in ("left", "above") else (node, new)
        return Split(direction="row" if side in ("left", "right") else "column", children=children, sizes=(50, 50))

    return _flat(_changed(tree, find(tree, target), change))


def placement(tree: Tree, instance: str) -> Placement:
    """The placement of an instance. Raises KeyError."""
    for place in placements(tree):
        if place.instance == instance:
            return place
    raise KeyError(instance)


def neighbour(tree: Tree, instance: str, step: int) -> str:
    """The next (+1) or previous (-1) panel in reading order, round the end. For F6 and Shift+F6."""
    names = [place.instance for place in placements(tree)]
    return names[(names.index(instance) + step) % len(names)]


def _tabs(tree: Tree, instance: str) -> Tabs:
    node = at(tree, find(tree, instance))
    assert isinstance(node, Tabs)
    return node


def _changed(tree: Tree, path: Path, change: Callable[[Tree], Tree]) -> Tree:
    if not path:
        return change(tree)
    if not isinstance(tree, Split):
        raise KeyError(path)
    children = list(tree.children)
    children[path[0]] = _changed(children[path[0]], path[1:], change)
    return Split(direction=tree.direction, children=tuple(children), sizes=tree.sizes)


def _without(tree: Tree, instance: str) -> Tree | None:
    if isinstance(tree, Tabs):
        rest = tuple(place for place in tree.panels if place.instance != instance)
        active = tree.active if tree.active != instance else ""
        return Tabs(panels=rest, active=active) if rest else None
    kept: list[Tree] = []
    sizes: list[float] = []
    for child, size in zip(tree.children, tree.sizes or (1.0,) * len(tree.children), strict=True):
        left = _without(child, instance)
        if left is not None:
            kept.append(left)
            sizes.append(size)
    if not kept:
        return None
    if len(kept) == 1:
        return kept[0]
    return _flat(Split(direction=tree.direction, children=tuple(kept), sizes=tuple(sizes)))


def _flat(tree: Tree) -> Tree:
    """A split within a split of the same direction is one split; shares keep their proportions."""
    if isinstance(tree, Tabs):
        return tree
    children: list[Tree] = []
    sizes: list[float] = []
    for child, size in zip(tree.children, tree.sizes or (1.0,) * len(tree.children), strict=True):
        inner = _flat(child)
        if isinstance(inner, Split) and inner.direction == tree.direction:
            shares = inner.sizes or (1.0,) * len(inner.children)
            children += inner.children
            sizes += [size * share / sum(shares) for share in shares]
        else:
            children.append(inner)
            sizes.append(size)
    return Split(direction=tree.direction, children=tuple(children), sizes=tuple(sizes))

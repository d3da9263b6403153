"""A layout as a document: activities, each a tree of splits and tabs with panel placements. Pure data.

The tree is the truth and Qt its projection (DESIGN §6). This room knows one layer so far: the role's layout, and a
person's own trees on top of it. National, municipal and unit layers, versions and roll-out are not here yet.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from workspace.problem import Problem

SCHEMA = 1
Direction = Literal["row", "column"]
ActivityContext = Literal["patient", "unit", "none"]


class Placement(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A panel in its place. `instance` is unique in the layout; `locked` panels may not be closed, hidden behind
    a tab or shrunk under their minimum (safety)."""

    instance: str
    package: str
    view: str
    settings: dict[str, Any] = {}
    locked: bool = False


class Tabs(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="tabs"):
    """One place on the surface: one panel, or several behind tabs. `active` is an instance."""

    panels: tuple[Placement, ...]
    active: str = ""


class Split(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, tag_field="kind", tag="split"):
    """Children beside (`row`) or under (`column`) each other; `sizes` are shares, one for each child."""

    direction: Direction
    children: tuple[Tree, ...]
    sizes: tuple[float, ...] = ()


Tree = Tabs | Split


class Activity(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A named work surface on the rail. `context` says what its panels are about."""

    id: str
    title: str
    icon: str
    context: ActivityContext
    tree: Tree


class Layout(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A role's layout. `roles` are the role codes it is made for; an empty tuple makes it the fallback."""

    id: str
    title: str
    activities: tuple[Activity, ...]
    roles: tuple[str, ...] = ()
    schema: int = SCHEMA
    version: int = 1

    def activity(self, activity_id: str) -> Activity:
        """The activity with that id. Raises KeyError."""
        for activity in self.activities:
            if activity.id == activity_id:
                return activity
        raise KeyError(activity_id)


def load(path: Path) -> Layout:
    """Read and check one layout file. Raises Problem ``layout-broken`` that names the file and the fault."""
    try:
        layout = msgspec.json.decode(path.read_bytes(), type=Layout)
    except (OSError, msgspec.DecodeError, RecursionError) as fault:
        raise broken(path.name, str(fault)) from fault
    faults = check(layout)
    if faults:
        raise broken(path.name, "; ".join(faults))
    return layout


def dump(layout: Layout) -> bytes:
    """The document as indented JSON, stable for diffs."""
    return msgspec.json.format(msgspec.json.encode(layout, order="sorted"), indent=2) + b"\n"


def broken(name: str, detail: str) -> Problem:
    return Problem(
        "layout-broken",
        f"Oppsettet «{name}» kan ikke leses, så et enklere oppsett er åpnet.",
        "Meld fra til den som forvalter oppsettene.",
        detail,
    )


def check(layout: Layout) -> list[str]:
    """What is wrong with it, in English for the log; empty when it is sound."""
    faults = []
    if layout.schema > SCHEMA:
        faults.append(f"schema {layout.schema} is newer than {SCHEMA}")
    if not layout.activities:
        faults.append("no activities")
    seen: set[str] = set()
    for activity in layout.activities:
        for place in placements(activity.tree):
            if place.instance in seen:
                faults.append(f"instance {place.instance!r} stands twice")
            seen.add(place.instance)
        faults += _faults(activity.tree, activity.id)
    return faults


def _faults(tree: Tree, path: str) -> list[str]:
    if isinstance(tree, Tabs):
        return [] if tree.panels else [f"{path}: an empty place"]
    faults = [] if len(tree.children) >= 2 else [f"{path}: a split of fewer than two"]
    if tree.sizes and (len(tree.sizes) != len(tree.children) or min(tree.sizes) <= 0):
        faults.append(f"{path}: sizes do not fit the children")
    for index, child in enumerate(tree.children):
        faults += _faults(child, f"{path}/{index}")
    return faults


def placements(tree: Tree) -> tuple[Placement, ...]:
    """Every panel of a tree, in reading order."""
    if isinstance(tree, Tabs):
        return tree.panels
    return tuple(place for child in tree.children for place in placements(child))

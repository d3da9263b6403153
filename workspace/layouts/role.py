"""Which layout a role gets, and a person's own trees laid over it. Never loses a broken file: it is left where it is.

The shell always starts: when no layout can be read, `fallback` shows what packages there are, one activity a context.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from workspace.layouts.document import Activity, Layout, Placement, Split, Tabs, Tree, check, load
from workspace.problem import Problem


def choose(folder: Path, role: str) -> tuple[Layout | None, list[Problem]]:
    """The layout in `folder` for `role`, else the one without roles, else None; with every problem met on the way."""
    problems: list[Problem] = []
    general: Layout | None = None
    for path in sorted(folder.glob("*.json")):
        try:
            layout = load(path)
        except Problem as problem:
            problems.append(problem)
            continue
        if role in layout.roles:
            return layout, problems
        if not layout.roles:
            general = layout
    return general, problems


def fallback(views: Iterable[tuple[str, str, str]]) -> Layout:
    """A plain layout of every `(package, view, context)` there is: a column each, at most three beside each other."""
    found = list(views)
    activities = []
    for context, title, icon in (
        ("unit", "Avdeling", "bed"),
        ("patient", "Beboer", "person"),
        ("none", "Annet", "dots"),
    ):
        places: list[Tree] = [
            Tabs(panels=(Placement(instance=f"{package}.{view}", package=package, view=view),))
            for package, view, kind in found
            if kind == context
        ]
        if not places:
            continue
        columns = [places[start::3] for start in range(min(3, len(places)))]
        trees = [c[0] if len(c) == 1 else Split(direction="column", children=tuple(c)) for c in columns]
        tree = trees[0] if len(trees) == 1 else Split(direction="row", children=tuple(trees))
        activities.append(
            msgspec.convert(
                {
                    "id": context,
                    "title": title,
                    "icon": icon,
                    "context": context,
                    "tree": msgspec.to_builtins(tree),
                },
                Activity,
            )
        )
    return Layout(id="fallback", title="Enkelt oppsett", activities=tuple(activities))


class PersonalTrees(msgspec.Struct, frozen=True, kw_only=True):
    """A person's own trees over one version of a role layout, by activity; the newest last. One step undoes (law 9)."""

    layout: str
    version: int
    trees: dict[str, list[Tree]] = {}


def personal(layout: Layout, trees: PersonalTrees | None) -> Layout:
    """The layout as this person left it. Trees made over another layout or version, or that lost a locked panel, are
    passed over: the role's own stand instead."""
    if trees is None or (trees.layout, trees.version) != (layout.id, layout.version):
        return layout
    activities = []
    for activity in layout.activities:
        own = trees.trees.get(activity.id) or []
        activities.append(
            msgspec.structs.replace(activity, tree=own[-1]) if own and _keeps(activity, own[-1]) else activity
        )
    changed = msgspec.structs.replace(layout, activities=tuple(activities))
    return layout if check(changed) else changed


def _keeps(activity: Activity, tree: Tree) -> bool:
    from workspace.layouts.document import placements

    here = {place.instance for place in placements(tree)}
    return all(place.instance in here for place in placements(activity.tree) if place.locked)

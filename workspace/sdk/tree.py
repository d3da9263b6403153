"""From parts to a tree with ids, and from two trees to a flat patch. Pure functions; sends nothing.

Ids: ``#bind`` for fields, else the path of keys from the root: ``0``, ``0.2``, ``0.form.1``. A child's own `key`
stands in the place of its index, so that it is the same node when its siblings change.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from workspace.sdk.parts import Part

    Node = dict[str, Any]
    Rest = list[tuple[str, list[list[Any]]]]

MAX_NODES = 5_000
MAX_RENDER = 256 << 10  # bytes on the wire


def assemble(root: Part, before: Node | None) -> Node:
    """The tree of `root`. A part that is pending keeps what stood in its place `before`: a tree once drawn is never
    replaced by a skeleton. Raises TypeError for two fields with one bind or two children with one key."""
    former = index(before) if before else {}
    seen: set[str] = set()
    return _assemble(root, "0", former, seen)


def _assemble(part: Part, path: str, former: dict[str, Node], seen: set[str]) -> Node:
    name = _id(part, path)
    if part.suspended and name in former and former[name]["type"] != "pending":
        kept = former[name]
        ids = set(index(kept))
        if not ids & seen:
            seen |= ids
            return kept
    if name in seen:
        what = f"two fields with bind {name[1:]!r}" if name.startswith("#") else f"two children with key {name!r}"
        raise TypeError(f"{what}: one bind, one field; one key, one child")
    seen.add(name)
    made: Node = {"id": name, "type": part.kind}
    if part.props:
        made["props"] = part.props
    children = [
        _assemble(child, f"{name}.{child.key or at}", former, seen)
        for at, child in enumerate(part.children)
        if child is not None
    ]
    if children:
        made["children"] = children
    return made


def _id(part: Part, path: str) -> str:
    if part.kind == "pair-field":
        return f"#{part.props['first']['bind']}"
    bind = part.props.get("bind")
    return f"#{bind}" if bind else path


def index(root: Node) -> dict[str, Node]:
    """Every node by id."""
    found: dict[str, Node] = {}
    stack = [root]
    while stack:
        one = stack.pop()
        found[one["id"]] = one
        stack.extend(one.get("children", ()))
    return found


def diff(before: Node, after: Node) -> list[dict[str, Any]] | None:
    """Operations that turn `before` into `after`; None when the root itself is another (send it whole)."""
    if before["id"] != after["id"] or before["type"] != after["type"]:
        return None
    old, parents = index(before), _parents(before)
    new, new_parents = index(after), _parents(after)
    fresh = {
        name
        for name, one in new.items()
        if name not in old or old[name]["type"] != one["type"] or parents.get(name) != new_parents.get(name)
    }
    gone: list[dict[str, Any]] = []
    rest: list[dict[str, Any]] = []
    _gone(before, new, fresh, gone)
    _walk(after, old, fresh, rest)
    return gone + rest


def _parents(root: Node) -> dict[str, str]:
    found: dict[str, str] = {}
    stack = [root]
    while stack:
        one = stack.pop()
        for child in one.get("children", ()):
            found[child["id"]] = one["id"]
            stack.append(child)
    return found


def _gone(one: Node, new: dict[str, Node], fresh: set[str], out: list[dict[str, Any]]) -> None:
    """The topmost nodes that go; a node that comes back elsewhere or as another type goes first."""
    for child in one.get("children", ()):
        if child["id"] not in new or child["id"] in fresh:
            out.append({"op": "gone", "id": child["id"]})
        else:
            _gone(child, new, fresh, out)


def _walk(one: Node, old: dict[str, Node], fresh: set[str], out: list[dict[str, Any]]) -> None:
    was = old[one["id"]]
    _props(was, one, out)
    children = one.get("children", [])
    order = [child["id"] for child in was.get("children", ()) if _stays(child["id"], children, fresh)]
    for at, child in enumerate(children):
        if child["id"] in fresh:
            out.append({"op": "add", "parent": one["id"], "index": at, "node": child})
            order.insert(at, child["id"])
    if order != [child["id"] for child in children]:
        out.append({"op": "children", "id": one["id"], "children": [child["id"] for child in children]})
    for child in children:
        if child["id"] not in fresh:
            _walk(child, old, fresh, out)


def _stays(name: str, children: list[Node], fresh: set[str]) -> bool:
    return name not in fresh and any(child["id"] == name for child in children)


def _props(was: Node, one: Node, out: list[dict[str, Any]]) -> None:
    before, after = was.get("props", {}), one.get("props", {})
    if before == after:
        return
    rows = one["type"] == "table" and "rows" in before and "rows" in after
    changed = {
        name: value
        for name, value in after.items()
        if (name not in before or before[name] != value) and not (rows and name == "rows")
    }
    unset = [name for name in before if name not in after]
    if changed or unset:
        op: dict[str, Any] = {"op": "props", "id": one["id"]}
        if changed:
            op["props"] = changed
        if unset:
            op["unset"] = unset
        out.append(op)
    if rows and before["rows"] != after["rows"]:
        out.append({"op": "rows", "id": one["id"], **_rows(before["rows"], after["rows"])})


def _rows(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> dict[str, Any]:
    """Keys that go, then rows at their final places. A row that moved goes and comes again; the fewest possible
    move."""
    if len(before) == len(after) and all(old["key"] == row["key"] for old, row in zip(before, after, strict=True)):
        return {"put": [[at, row] for at, row in enumerate(after) if before[at] != row]}
    was = {row["key"]: (at, row) for at, row in enumerate(before)}
    now = {row["key"] for row in after}
    places = [(was[row["key"]][0], row["key"]) for row in after if row["key"] in was]
    still = _rising(places)
    gone = [row["key"] for row in before if row["key"] not in now or row["key"] not in still]
    put = [[at, row] for at, row in enumerate(after) if row["key"] not in still or was[row["key"]][1] != row]
    made: dict[str, Any] = {}
    if gone:
        made["gone"] = gone
    if put:
        made["put"] = put
    return made


def _rising(places: list[tuple[int, str]]) -> set[str]:
    """The keys of a longest rising run of places: those rows may stay where they are."""
    ends: list[int] = []
    last: list[int] = []
    back: list[int] = []
    for at, (place, _) in enumerate(places):
        low, high = 0, len(ends)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if ends[middle] < place else (low, middle)
        back.append(last[low - 1] if low else -1)
        if low == len(ends):
            ends.append(place)
            last.append(at)
        else:
            ends[low], last[low] = place, at
    stay: set[str] = set()
    at = last[-1] if last else -1
    while at >= 0:
        stay.add(places[at][1])
        at = back[at]
    return stay


# --- more rows than one render holds ------------------------------------------------------------------------

SLICE = 192 << 10  # bytes of rows in one message


def slices(message: dict[str, Any], size: Callable[[Any], int]) -> list[dict[str, Any]]:
    """A render whose tables have more rows than it may hold, as several: the tree with its first rows, then patches that
    put the rest, each on the revision before. `size` gives a value's bytes on the wire. What holds no rows is left alone."""
    rest: Rest = []
    room = SLICE
    thin: dict[str, Any] = dict(message)
    if message.get("tree") is not None:
        thin["tree"], room = _thinned(message["tree"], room, rest, size)
    else:
        thin["patch"] = []
        for op in message["patch"]:
            if op["op"] == "rows":
                kept, room = _fitting(op.get("put", []), room, size)
                more = op.get("put", [])[len(kept) :]
                thin["patch"].append({**op, "put": kept} if kept else {k: v for k, v in op.items() if k != "put"})
                if more:
                    rest.append((op["id"], more))
            elif op["op"] == "add":
                node, room = _thinned(op["node"], room, rest, size)
                thin["patch"].append({**op, "node": node})
            else:
                thin["patch"].append(op)
    made = [thin]
    for name, put in rest:
        while put:
            kept, _ = _fitting(put, SLICE, size)
            kept = kept or put[:1]
            put = put[len(kept) :]
            patch = [{"op": "rows", "id": name, "put": kept}]
            made.append({"instance": message["instance"], "context": message["context"], "patch": patch})
    first = message["revision"]
    for number, one in enumerate(made):
        one["revision"] = first + number
        if number:
            one["base"] = first + number - 1
    return made


def _thinned(node: Node, room: int, rest: Rest, size: Callable[[Any], int]) -> tuple[Node, int]:
    made = dict(node)
    rows = node.get("props", {}).get("rows") if node["type"] == "table" else None
    if rows:
        placed = [[at, row] for at, row in enumerate(rows)]
        kept, room = _fitting(placed, room, size)
        made["props"] = {**node["props"], "rows": rows[: len(kept)]}
        if len(kept) < len(rows):
            rest.append((node["id"], placed[len(kept) :]))
    children = []
    for child in node.get("children", ()):
        thin, room = _thinned(child, room, rest, size)
        children.append(thin)
    if children:
        made["children"] = children
    return made, room


def _fitting(put: list[list[Any]], room: int, size: Callable[[Any], int]) -> tuple[list[list[Any]], int]:
    """The first of `put` that there is room for, and the room that is left."""
    for number, entry in enumerate(put):
        room -= size(entry) + 1
        if room < 0:
            return put[:number], 0
    return put, room

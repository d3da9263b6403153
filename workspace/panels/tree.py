"""The tree of one open panel: what it described last, validated, by id.

A bad message leaves the tree as it was: every change is made on the side and put in place when all of it holds.
Faults are `protocol.PanelError` whose message names the node and the path (English, for the vendor). Never draws,
never keeps what is typed, never talks to the panel.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import msgspec

from workspace.panels import bounds
from workspace.panels.components import (
    COMPONENTS,
    CONTAINERS,
    CodeField,
    Component,
    Field,
    List,
    PairField,
    Table,
    TableRow,
    Timeline,
)
from workspace.panels.face import RowsChange, TreeChange, TreeNode, Unknown
from workspace.panels.protocol import (
    MAX_DEPTH,
    MAX_NODES,
    MAX_ROWS,
    MAX_STRING,
    AddNode,
    Gone,
    InvalidParams,
    Node,
    Operation,
    SetChildren,
    SetProps,
    SetRows,
    TooLarge,
)

_AT = re.compile(r" - at `\$(.*)`$")


class Tree:
    """`nodes` by id, `root` the id of the topmost one (None before the first render), `revision` the panel's number
    of the render that stands, `binds` the id of the node that owns each field."""

    def __init__(self) -> None:
        self.nodes: dict[str, TreeNode] = {}
        self.binds: dict[str, str] = {}
        self.root: str | None = None
        self.revision = 0

    def whole(self, node: Node, revision: int | None = None) -> TreeChange:
        """Replace everything by `node`. Raises InvalidParams or TooLarge; the former tree then stands."""
        fresh = dict(_built(node, None))
        if len(fresh) > MAX_NODES:
            raise TooLarge(f"a tree of {len(fresh)} nodes; the limit is {MAX_NODES}")
        _light(fresh.values())
        binds: dict[str, str] = {}
        _claim(binds, fresh.values())
        # In place: the shell may hold on to the mapping.
        self.nodes.clear()
        self.nodes.update(fresh)
        self.binds, self.root = binds, node.id
        self.revision = self.revision + 1 if revision is None else revision
        return TreeChange(whole=True)

    def patch(self, operations: Sequence[Operation], revision: int | None = None) -> TreeChange:
        """Apply all of `operations`, in order, or none. Raises InvalidParams or TooLarge: ask for `resync`."""
        if self.root is None:
            raise InvalidParams("a patch before the first whole tree")
        edit = _Edit(self)
        for number, operation in enumerate(operations):
            try:
                edit.apply(operation)
            except InvalidParams as error:
                raise InvalidParams(f"patch[{number}]: {error.message}") from None
        change = edit.finish()
        self.revision = self.revision + 1 if revision is None else revision
        return change


def combined(first: TreeChange, second: TreeChange) -> TreeChange:
    """What to tell the shell once for two renders that followed each other in one drained batch."""
    if first.whole or second.whole:
        return TreeChange(whole=True)
    unborn = set(first.added) - set(first.removed)
    removed = [*first.removed, *(i for i in second.removed if i not in unborn and i not in first.removed)]
    gone = set(second.removed)
    added = [*(i for i in first.added if i not in gone), *second.added]
    quiet = {*removed, *added, *unborn}
    rows = dict(first.rows)
    changed = dict.fromkeys([*first.changed, *second.changed])
    for table, change in second.rows.items():
        if table in rows:  # two sets of row moves do not add up to one: the table is drawn from its component
            changed[table] = None
        rows[table] = change
    return TreeChange(
        removed=tuple(removed),
        added=tuple(added),
        changed=tuple(i for i in changed if i not in quiet),
        reordered=tuple(i for i in dict.fromkeys([*first.reordered, *second.reordered]) if i not in quiet),
        rows={table: change for table, change in rows.items() if table not in quiet and table not in changed},
    )


class _Edit:
    """One patch in the making: nodes touched so far over the tree's own."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._touched: dict[str, TreeNode | None] = {}
        self._removed: dict[str, None] = {}  # ids that stood before and went, in order
        self._born: dict[str, None] = {}  # ids made by this patch, parents before children
        self._rows: dict[str, RowsChange] = {}
        self._redrawn: set[str] = set()

    def apply(self, operation: Operation) -> None:
        match operation:
            case AddNode():
                self._add(operation)
            case SetProps():
                self._props(operation)
            case SetChildren():
                self._children(operation)
            case SetRows():
                self._set_rows(operation)
            case Gone():
                if operation.id == self._tree.root:
                    raise InvalidParams("the root cannot go; send a whole tree")
                self._drop(operation.id)

    # --- looking --------------------------------------------------------------------------------------------

    def _find(self, node: str) -> TreeNode | None:
        return self._touched[node] if node in self._touched else self._tree.nodes.get(node)

    def _get(self, node: str) -> TreeNode:
        found = self._find(node)
        if found is None:
            raise InvalidParams(f"no node «{node}»")
        return found

    def _own(self, node: str) -> TreeNode:
        """A copy of the node that this patch may change."""
        found = self._get(node)
        if node not in self._touched:
            found = TreeNode(found.id, found.component, found.parent, list(found.children))
            self._touched[node] = found
        return found

    def _depth(self, node: str) -> int:
        depth, at = 1, self._get(node)
        while at.parent is not None:
            depth, at = depth + 1, self._get(at.parent)
        return depth

    # --- the operations -------------------------------------------------------------------------------------

    def _add(self, operation: AddNode) -> None:
        self._get(operation.parent)
        fresh = list(_built(operation.node, operation.parent, self._depth(operation.parent)))
        if any(known == self._tree.root for known, _ in fresh):
            raise InvalidParams("the root cannot be moved; send a whole tree")
        for known, _ in fresh:
            if self._find(known) is not None:
                self._drop(known)
        if self._find(operation.parent) is None:
            raise InvalidParams(f"«{operation.node.id}» cannot stand under itself")
        parent = self._own(operation.parent)
        if not _may_have_children(parent.component):
            raise InvalidParams(f"«{parent.id}» ({_kind(parent.component)}) cannot have children")
        if not 0 <= operation.index <= len(parent.children):
            raise InvalidParams(f"index {operation.index} among {len(parent.children)} children of «{parent.id}»")
        parent.children.insert(operation.index, operation.node.id)
        for known, node in fresh:
            self._touched[known] = node
            self._born[known] = None

    def _drop(self, node: str) -> None:
        """Take the node and all under it away, and out of its parent's children."""
        found = self._get(node)
        if found.parent is not None:
            self._own(found.parent).children.remove(node)
        waiting = [node]
        while waiting:
            at = waiting.pop()
            waiting.extend(self._get(at).children)
            self._touched[at] = None
            self._born.pop(at, None)
            self._rows.pop(at, None)
            self._redrawn.discard(at)
            if at in self._tree.nodes:
                self._removed[at] = None

    def _props(self, operation: SetProps) -> None:
        node = self._own(operation.id)
        component = _changed(node.component, operation.props, operation.unset, f"«{operation.id}»")
        if component != node.component:
            node.component = component
            self._redrawn.add(operation.id)

    def _children(self, operation: SetChildren) -> None:
        node = self._own(operation.id)
        wanted = set(operation.children)
        if len(wanted) != len(operation.children):
            raise InvalidParams(f"a child named twice under «{operation.id}»")
        stray = wanted.difference(node.children)
        if stray:
            raise InvalidParams(f"«{min(stray)}» is no child of «{operation.id}»")
        for child in [c for c in node.children if c not in wanted]:
            self._drop(child)
        node.children[:] = operation.children

    def _set_rows(self, operation: SetRows) -> None:
        node = self._own(operation.id)
        table = node.component
        if not isinstance(table, Table):
            raise InvalidParams(f"«{operation.id}» is no table")
        put = sorted(
            ((index, _converted(row, TableRow, f"«{operation.id}».rows")) for index, row in operation.put),
            key=lambda placed: placed[0],
        )
        leaving = {*operation.gone, *(row.key for _, row in put)}
        rows = [row for row in table.rows if row.key not in leaving]
        for index, row in put:
            if not 0 <= index <= len(rows):
                raise InvalidParams(f"row {index} among {len(rows)} rows of «{operation.id}»")
            rows.insert(index, row)
        node.component = _checked(msgspec.structs.replace(table, rows=rows), f"«{operation.id}»")
        if operation.id in self._rows:
            self._redrawn.add(operation.id)
        self._rows[operation.id] = RowsChange(tuple(operation.gone), tuple(put))

    # --- putting in place -----------------------------------------------------------------------------------

    def finish(self) -> TreeChange:
        tree = self._tree
        gone = sum(1 for known, node in self._touched.items() if node is None and known in tree.nodes)
        new = sum(1 for known, node in self._touched.items() if node is not None and known not in tree.nodes)
        if len(tree.nodes) - gone + new > MAX_NODES:
            raise TooLarge(f"a tree of {len(tree.nodes) - gone + new} nodes; the limit is {MAX_NODES}")
        if new:
            touched = (node for node in self._touched.values() if node is not None)
            _light([*(node for known, node in tree.nodes.items() if known not in self._touched), *touched])
        binds = {bind: node for bind, node in tree.binds.items() if node not in self._touched}
        _claim(binds, (node for node in self._touched.values() if node is not None))
        change = self._change()
        for known, node in self._touched.items():
            if node is None:
                tree.nodes.pop(known, None)
            else:
                tree.nodes[known] = node
        tree.binds = binds
        return change

    def _change(self) -> TreeChange:
        reordered = [
            known
            for known, node in self._touched.items()
            if node is not None and known not in self._born and node.children != self._tree.nodes[known].children
        ]
        changed = [known for known in self._touched if known in self._redrawn and known not in self._born]
        return TreeChange(
            removed=tuple(self._removed),
            added=tuple(self._born),
            changed=tuple(changed),
            reordered=tuple(reordered),
            rows={i: rows for i, rows in self._rows.items() if i not in self._born and i not in self._redrawn},
        )


def check_strings(value: Any) -> None:
    """Raises TooLarge for a string anywhere in what a panel sent that no screen could hold."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if len(one) > MAX_STRING:
                raise TooLarge(f"a text of {len(one)} characters; the limit is {MAX_STRING}")
        elif isinstance(one, dict):
            waiting.extend(one.values())
            waiting.extend(one)
        elif isinstance(one, list | tuple):
            waiting.extend(one)
        elif isinstance(one, msgspec.Struct):
            waiting.extend(getattr(one, name) for name in one.__struct_fields__)


# --- validation ---------------------------------------------------------------------------------------------


def _built(node: Node, parent: str | None, depth: int = 0) -> Iterator[tuple[str, TreeNode]]:
    """Every node of a wire tree, parents first. Raises InvalidParams on a repeated or empty id and on bad props."""
    seen: set[str] = set()
    waiting: list[tuple[Node, str | None, int]] = [(node, parent, depth + 1)]
    while waiting:
        at, above, level = waiting.pop()
        if not at.id:
            raise InvalidParams(f"a {at.type} without an id under «{above or ''}»")
        if at.id in seen:
            raise InvalidParams(f"the id «{at.id}» stands twice")
        if level > MAX_DEPTH:
            raise TooLarge(f"«{at.id}» is nested more than {MAX_DEPTH} levels deep")
        seen.add(at.id)
        component = _component(at)
        if at.children and not _may_have_children(component):
            raise InvalidParams(f"«{at.id}» ({at.type}) cannot have children")
        yield at.id, TreeNode(at.id, component, above, [child.id for child in at.children])
        waiting.extend((child, at.id, level + 1) for child in reversed(at.children))


def _component(node: Node) -> Component:
    known = COMPONENTS.get(node.type)
    if known is None:
        # Only what every component has is read, and only where it makes sense: a newer panel may mean more by it.
        label = node.props.get("label")
        return Unknown(type=node.type, label=label if isinstance(label, str) else "")
    return _checked(_converted(node.props, known, f"«{node.id}» ({node.type})"), f"«{node.id}» ({node.type})")


def _changed(component: Component, props: dict[str, Any], unset: Sequence[str], where: str) -> Component:
    """The component with some properties set and others back at their defaults; only those are validated."""
    fields = _fields(type(component))
    values: dict[str, Any] = {}
    for name in unset:
        if name in fields:
            values[name] = _default(fields[name], where)
    for name, value in props.items():
        if name in fields and not isinstance(component, Unknown):
            values[name] = _converted(value, fields[name].type, f"{where}.{name}")
    return _checked(msgspec.structs.replace(component, **values), where) if values else component


def _converted(value: Any, kind: Any, where: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        text = str(error)
        found = _AT.search(text)
        path, text = (found[1], text[: found.start()]) if found else ("", text)
        raise InvalidParams(f"{where}{path}: {text}") from None


def _checked(component: Component, where: str) -> Component:
    """What the types alone do not say."""
    if isinstance(component, Table):
        if len(component.rows) > MAX_ROWS:
            raise TooLarge(f"{where}: {len(component.rows)} rows; the limit is {MAX_ROWS}")
        if len({row.key for row in component.rows}) != len(component.rows):
            raise InvalidParams(f"{where}.rows: a row's key stands twice")
        if len({column.key for column in component.columns}) != len(component.columns):
            raise InvalidParams(f"{where}.columns: a column's key stands twice")
    if isinstance(component, List) and len({item.key for item in component.items}) != len(component.items):
        raise InvalidParams(f"{where}.items: an item's key stands twice")
    if isinstance(component, Timeline) and len({entry.key for entry in component.entries}) != len(component.entries):
        raise InvalidParams(f"{where}.entries: an entry's key stands twice")
    if wrong := bounds.fault(component):
        raise InvalidParams(f"{where}.{wrong}")
    if any(not bind for bind in binds_of(component)):
        raise InvalidParams(f"{where}.bind: a field without a name")
    return component


def binds_of(component: Component) -> tuple[str, ...]:
    """The fields that a component owns."""
    if isinstance(component, CodeField) and component.search:
        return (component.bind, component.search)
    if isinstance(component, Field):
        return (component.bind,)
    if isinstance(component, PairField):
        return (component.first.bind, component.second.bind)
    return ()


def _claim(binds: dict[str, str], nodes: Iterable[TreeNode]) -> None:
    """One bind, one field. Raises InvalidParams naming both."""
    for node in nodes:
        for bind in binds_of(node.component):
            if bind in binds:
                raise InvalidParams(f"«{node.id}».bind: «{bind}» is already the field of «{binds[bind]}»")
            binds[bind] = node.id


def _light(nodes: Iterable[TreeNode]) -> None:
    """Raises TooLarge for what would take too long to draw."""
    heavy = bounds.weight(node.component for node in nodes)
    if heavy > bounds.HEAVIEST:
        raise TooLarge(f"a tree too heavy to draw ({heavy}; the limit is {bounds.HEAVIEST}): show less, or use a table")


def _may_have_children(component: Component) -> bool:
    return isinstance(component, Unknown) or component.kind in CONTAINERS


def _kind(component: Component) -> str:
    return component.type if isinstance(component, Unknown) else component.kind


@cache
def _fields(kind: type[Component]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _default(field: msgspec.structs.FieldInfo, where: str) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    raise InvalidParams(f"{where}.{field.name}: is required and cannot be unset")

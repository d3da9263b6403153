"""Any component with any properties that the panel language allows is drawn, typed into, ticked and themed: no exception
and no Qt warning, whatever a vendor sends."""

from __future__ import annotations

import types
import typing
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from tests.shell.kit.conftest import NOW
from tests.shell.kit.fakes import FakeInstance
from workspace.panels.components import COMPONENTS, CONTAINERS
from workspace.panels.protocol import Node, PanelError
from workspace.shell import theme as themes
from workspace.shell.kit.body import PanelBody

WORDS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "", "2026-01-14T14:52:00+01:00", "0001-01-01T00:00:00+14:00", "9999-12-31", "2026", "R81", "Ctrl+S", "Ctrl",
            "<b>x</b>", "a&b", "\n\n\n", "x" * 300, "ᚠ🩺\u202e\u0000", "../bed", "bed",
        ]
    ),
)  # fmt: skip
NUMBERS = st.one_of(st.floats(-1e9, 1e9), st.sampled_from([0.0, -1.0, 1e-9, 1.0, 38.6]))
TYPED = st.one_of(st.none(), st.booleans(), WORDS, NUMBERS, st.integers(-5, 5), st.lists(WORDS, max_size=2))


def of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type of the panel language, as they stand on the wire."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if kind is str:
        return WORDS
    if kind is bool:
        return st.booleans()
    if kind is int:
        return st.integers(-2, 12)
    if kind is float:
        return NUMBERS
    if kind is type(None):
        return st.none()
    if origin is typing.Literal:
        return st.sampled_from(inside)
    if origin is list:
        return st.lists(of(inside[0]), max_size=4)
    if origin is tuple:
        return st.tuples(*map(of, inside))
    if origin is dict:
        return st.dictionaries(
            st.sampled_from(["a", "b"]), of(inside[1]) if inside[1] is not Any else st.just(1), max_size=2
        )
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(of, inside))
    return props(kind)


def props(kind: type[msgspec.Struct]) -> st.SearchStrategy[dict[str, Any]]:
    needed = {field.encode_name: of(field.type) for field in msgspec.structs.fields(kind) if field.required}
    more = {field.encode_name: of(field.type) for field in msgspec.structs.fields(kind) if not field.required}
    return st.fixed_dictionaries(needed, optional=more)


def nodes(kind: str) -> st.SearchStrategy[Node]:
    inside = st.just([])
    if kind in CONTAINERS:
        leaves = sorted(set(COMPONENTS) - CONTAINERS)
        inside = st.lists(st.sampled_from([*leaves, "tab"]).flatmap(lambda one: nodes(one) if one != "tab" else st.builds(
            Node, id=st.just("x"), type=st.just("tab"), props=props(COMPONENTS["tab"]))), max_size=3)  # fmt: skip
    return st.builds(Node, id=st.just("x"), type=st.just(kind), props=props(COMPONENTS[kind]), children=inside)


def numbered(node: Node, path: str = "n") -> Node:
    """The same with ids and binds that are unique, so that the tree is not refused for those."""
    held = {**node.props, **({"bind": path} if "bind" in node.props else {})}
    for name in ("first", "second"):
        if isinstance(held.get(name), dict):
            held[name] = {**held[name], "bind": f"{path}-{name}"}
    if "search" in held:
        held["search"] = f"{path}-search" if held["search"] else ""
    children = [numbered(child, f"{path}.{index}") for index, child in enumerate(node.children)]
    return Node(id=path, type=node.type, props=held, children=children)


@given(node=st.sampled_from(sorted(COMPONENTS)).flatmap(nodes), typed=TYPED, scale=st.sampled_from([1.0, 2.0]))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_the_language_allows_is_drawn(qapp, spawner, node, typed, scale):
    body = PanelBody(themes.apply(qapp, themes.load("light")), lambda: NOW, spawner)
    instance = FakeInstance()
    instance.listener = body
    root = Node(id="c", type="column", props={}, children=[numbered(node)])
    try:
        instance.tree.whole(root)
    except PanelError:
        body.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return
    instance.values = dict.fromkeys(instance.tree.binds, typed)
    body.resize(360, 280)
    body.show()
    body.attach(instance)
    QApplication.processEvents()
    body.grab()
    body.values_changed(tuple(instance.values))
    body.tick()
    body.set_theme(themes.load("dark", scale))
    QApplication.processEvents()
    body.grab()
    body.close()
    body.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

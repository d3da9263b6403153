"""The tree of a panel: what vendors send, and what the shell is told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from workspace.panels import components as ui
from workspace.panels.face import RowsChange, TreeChange, Unknown
from workspace.panels.protocol import (
    MAX_NODES,
    AddNode,
    Gone,
    InvalidParams,
    Node,
    SetChildren,
    SetProps,
    SetRows,
    TooLarge,
)
from workspace.panels.tree import MAX_DEPTH, Tree, combined


def node(id: str, type: str = "column", *children: Node, **props: Any) -> Node:
    return Node(id, type, props, list(children))


def number(bind: str, **props: Any) -> Node:
    return node(f"#{bind}", "number-field", bind=bind, **props)


def a_table(*keys: str) -> Node:
    columns = [{"key": "verdi", "title": "Verdi"}]
    return node("tabell", "table", columns=columns, rows=[row(key) for key in keys])


def row(key: str, **cells: Any) -> dict[str, Any]:
    return {"key": key, "cells": cells or {"verdi": key}}


def a_tree() -> Tree:
    tree = Tree()
    tree.whole(node("r", "column", node("s", "section", number("puls"), title="Mål"), a_table("a", "b", "c")))
    return tree


def keys(tree: Tree) -> list[str]:
    table = tree.nodes["tabell"].component
    assert isinstance(table, ui.Table)
    return [r.key for r in table.rows]


def everything(tree: Tree) -> bytes:
    shown = {i: (n.component, n.parent, n.children) for i, n in tree.nodes.items()}
    return msgspec.json.encode([shown, tree.binds, tree.root, tree.revision], order="sorted")


class TestWhole:
    def test_components_are_validated_and_found_by_id(self) -> None:
        tree = a_tree()
        assert tree.root == "r"
        assert tree.nodes["r"].children == ["s", "tabell"]
        assert tree.nodes["#puls"].parent == "s"
        assert tree.nodes["#puls"].component == ui.NumberField(bind="puls")
        assert tree.binds == {"puls": "#puls"}

    def test_unknown_component_becomes_a_labelled_placeholder_and_keeps_its_children(self) -> None:
        tree = Tree()
        tree.whole(node("r", "column", node("x", "hologram", number("puls"), label="Et hologram", depth=3)))
        assert tree.nodes["x"].component == Unknown(type="hologram", label="Et hologram")
        assert tree.nodes["#puls"].component == ui.NumberField(bind="puls")

    def test_unknown_property_is_ignored(self) -> None:
        tree = Tree()
        tree.whole(node("t", "text", text="Hei", sparkle=True))
        assert tree.nodes["t"].component == ui.Text(text="Hei")

    def test_a_bad_property_is_named_with_its_path(self) -> None:
        tree = a_tree()
        before = everything(tree)
        with pytest.raises(InvalidParams, match=r"«#puls» \(number-field\)\.minimum: Expected `float"):
            tree.whole(node("r", "column", number("puls", minimum="ti")))
        with pytest.raises(InvalidParams, match=r"«tabell» \(table\)\.rows\[1\]\.key"):
            tree.whole(node("tabell", "table", columns=[], rows=[row("a"), {"key": 1, "cells": {}}]))
        with pytest.raises(InvalidParams, match="required field `text`"):
            tree.whole(node("t", "text"))
        assert everything(tree) == before

    @pytest.mark.parametrize(
        ("bad", "says"),
        [
            (node("r", "column", node("a", "divider"), node("a", "divider")), "«a» stands twice"),
            (node("r", "column", number("puls"), node("z", "text-field", bind="puls")), "already the field of «#puls»"),
            (node("r", "column", node("", "divider")), "without an id"),
            (node("r", "column", node("#", "text-field", bind="")), "without a name"),
            (node("t", "text", node("u", "divider"), text="x"), "cannot have children"),
            (a_table("a", "a"), "key stands twice"),
        ],
    )
    def test_faults_are_refused_and_named(self, bad: Node, says: str) -> None:
        with pytest.raises(InvalidParams, match=says):
            Tree().whole(bad)

    def test_both_parts_of_a_pair_are_fields(self) -> None:
        tree = Tree()
        pair = node("bt", "pair-field", first={"bind": "sys"}, second={"bind": "dia"})
        tree.whole(pair)
        assert tree.binds == {"sys": "bt", "dia": "bt"}
        with pytest.raises(InvalidParams, match="«sys» is already"):
            Tree().whole(node("r", "column", pair, number("sys")))

    def test_limits(self) -> None:
        full = node("r", "column", *(node(f"{n}", "divider") for n in range(MAX_NODES - 1)))
        tree = Tree()
        tree.whole(full)
        full.children.append(node("en til", "divider"))
        with pytest.raises(TooLarge, match="5001 nodes"):
            tree.whole(full)
        deep = node("bunn", "column")
        for level in range(MAX_DEPTH):
            deep = node(f"{level}", "column", deep)
        with pytest.raises(TooLarge, match="levels deep"):
            tree.whole(deep)


class TestPatch:
    def test_add_tells_parents_before_children_and_the_parent_reordered(self) -> None:
        tree = a_tree()
        change = tree.patch([AddNode(parent="r", index=1, node=node("f", "form", number("spo2")))])
        assert change == TreeChange(added=("f", "#spo2"), reordered=("r",))
        assert tree.nodes["r"].children == ["s", "f", "tabell"]
        assert tree.revision == 2

    def test_props_are_set_and_unset(self) -> None:
        tree = a_tree()
        assert tree.patch([SetProps(id="#puls", props={"unit": "/min", "minimum": 20})]).changed == ("#puls",)
        assert tree.nodes["#puls"].component == ui.NumberField(bind="puls", unit="/min", minimum=20.0)
        tree.patch([SetProps(id="#puls", unset=["minimum", "ukjent"], props={"ukjent": 1})])
        assert tree.nodes["#puls"].component == ui.NumberField(bind="puls", unit="/min")
        assert tree.patch([SetProps(id="#puls", props={"unit": "/min"})]) == TreeChange()

    def test_rows_are_applied_to_the_tables_component(self) -> None:
        tree = a_tree()
        change = tree.patch([SetRows(id="tabell", gone=["a"], put=[(2, row("d")), (0, row("c"))])])
        assert keys(tree) == ["c", "b", "d"]
        assert change.changed == ()
        assert isinstance(change.rows["tabell"], RowsChange)
        assert [index for index, _ in change.rows["tabell"].put] == [0, 2]

    def test_rows_and_props_together_redraw_the_table(self) -> None:
        tree = a_tree()
        change = tree.patch([SetRows(id="tabell", gone=["a"]), SetProps(id="tabell", props={"sort": "-verdi"})])
        assert change == TreeChange(changed=("tabell",))
        assert keys(tree) == ["b", "c"]

    def test_children_reorder_and_drop(self) -> None:
        tree = a_tree()
        change = tree.patch([SetChildren(id="r", children=["tabell"])])
        assert change == TreeChange(removed=("s", "#puls"), reordered=("r",))
        assert tree.binds == {}
        assert "#puls" not in tree.nodes

    def test_an_id_that_exists_is_moved(self) -> None:
        tree = a_tree()
        change = tree.patch([AddNode(parent="r", index=0, node=node("f", "form", number("puls", unit="/min")))])
        assert tree.nodes["s"].children == []
        assert tree.nodes["#puls"].parent == "f"
        assert tree.binds == {"puls": "#puls"}
        assert change.removed == ("#puls",)
        assert change.added == ("f", "#puls")
        assert set(change.reordered) == {"r", "s"}

    def test_fields_may_swap_their_names_in_one_patch(self) -> None:
        tree = Tree()
        tree.whole(node("r", "column", number("a"), number("b")))
        tree.patch([SetProps(id="#a", props={"bind": "b"}), SetProps(id="#b", props={"bind": "a"})])
        assert tree.binds == {"a": "#b", "b": "#a"}

    @pytest.mark.parametrize(
        ("operation", "says"),
        [
            (AddNode(parent="borte", index=0, node=node("x", "divider")), r"patch\[1\]: no node «borte»"),
            (AddNode(parent="r", index=9, node=node("x", "divider")), "index 9"),
            (AddNode(parent="#puls", index=0, node=node("x", "divider")), "cannot have children"),
            (AddNode(parent="s", index=0, node=node("y", "column", node("s", "section", title="x"))), "under itself"),
            (AddNode(parent="s", index=0, node=node("r", "column")), "root"),
            (AddNode(parent="r", index=0, node=node("x", "text-field", bind="puls")), "already the field"),
            (SetProps(id="#puls", props={"decimals": "to"}), r"«#puls»\.decimals: Expected `int`"),
            (SetProps(id="s", unset=["title"]), "required"),
            (SetChildren(id="r", children=["#puls"]), "no child of «r»"),
            (SetChildren(id="r", children=["s", "s"]), "twice"),
            (SetRows(id="s", gone=["a"]), "no table"),
            (SetRows(id="tabell", put=[(9, row("z"))]), "row 9"),
            (SetRows(id="tabell", put=[(0, row("z")), (1, row("z"))]), "twice"),
            (Gone(id="borte"), "no node"),
            (Gone(id="r"), "root"),
        ],
    )
    def test_all_or_nothing(self, operation: Any, says: str) -> None:
        tree = a_tree()
        before = everything(tree)
        good = SetProps(id="tabell", props={"label": "Målinger"})
        with pytest.raises(InvalidParams, match=says):
            tree.patch([good, operation])
        assert everything(tree) == before

    def test_too_many_nodes(self) -> None:
        tree = a_tree()
        crowd = node("mange", "column", *(node(f"{n}", "divider") for n in range(MAX_NODES)))
        with pytest.raises(TooLarge):
            tree.patch([AddNode(parent="r", index=0, node=crowd)])
        assert "mange" not in tree.nodes

    def test_a_patch_before_a_tree_is_refused(self) -> None:
        with pytest.raises(InvalidParams, match="first whole"):
            Tree().patch([])


class TestCombined:
    def test_what_came_and_went_in_one_batch_is_not_told(self) -> None:
        tree = a_tree()
        first = tree.patch([AddNode(parent="r", index=0, node=node("x", "divider"))])
        second = tree.patch([Gone(id="x")])
        assert combined(first, second) == TreeChange(reordered=("r",))

    def test_what_changed_and_then_went_is_gone(self) -> None:
        tree = a_tree()
        first = tree.patch([SetProps(id="#puls", props={"unit": "/min"})])
        second = tree.patch([Gone(id="#puls")])
        assert combined(first, second) == TreeChange(removed=("#puls",), reordered=("s",))

    def test_rows_of_two_renders_redraw_the_table(self) -> None:
        tree = a_tree()
        first = tree.patch([SetRows(id="tabell", gone=["a"])])
        second = tree.patch([SetRows(id="tabell", put=[(0, row("ny"))])])
        assert combined(first, second) == TreeChange(changed=("tabell",))

    def test_whole_wins(self) -> None:
        assert combined(TreeChange(whole=True), TreeChange(added=("x",))) == TreeChange(whole=True)

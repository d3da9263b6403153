"""The right layout for the role, and always some layout."""

from pathlib import Path

import msgspec
import pytest

from workspace.layouts import tree as t
from workspace.layouts.document import dump, load, placements
from workspace.layouts.role import PersonalTrees, choose, fallback, personal
from workspace.problem import Problem

LAYOUTS = Path(__file__).resolve().parents[2] / "resources" / "layouts"


@pytest.mark.parametrize(
    ("role", "layout_id"), [("sykepleier", "sykepleier"), ("lege", "lege"), ("assistent", "felles")]
)
def test_each_role_gets_its_layout(role, layout_id):
    layout, problems = choose(LAYOUTS, role)
    assert problems == []
    assert layout is not None
    assert layout.id == layout_id
    assert [a.title for a in layout.activities] == ["Avdeling", "Beboer"]


def test_a_broken_layout_is_named_and_the_general_one_opens(tmp_path):
    (tmp_path / "a.json").write_text('{"id": "a", "roles": ["lege"]')
    (tmp_path / "b.json").write_bytes((LAYOUTS / "felles.json").read_bytes())
    layout, problems = choose(tmp_path, "lege")
    assert layout is not None
    assert layout.id == "felles"
    assert [p.code for p in problems] == ["layout-broken"]
    assert "a.json" in problems[0].sentence


def test_a_layout_with_a_panel_twice_is_refused(tmp_path):
    text = (LAYOUTS / "felles.json").read_text().replace('"instance": "report"', '"instance": "residents"')
    (tmp_path / "twice.json").write_text(text)
    with pytest.raises(Problem) as caught:
        load(tmp_path / "twice.json")
    assert "stands twice" in caught.value.detail


def test_a_layout_survives_being_written_and_read(tmp_path):
    layout = load(LAYOUTS / "lege.json")
    (tmp_path / "copy.json").write_bytes(dump(layout))
    assert load(tmp_path / "copy.json") == layout


def test_own_trees_count_until_the_role_layout_moves_on():
    layout = load(LAYOUTS / "sykepleier.json")
    own = t.move(layout.activity("beboer").tree, "note", "medications", "below")
    trees = PersonalTrees(layout=layout.id, version=layout.version, trees={"beboer": [own]})
    assert personal(layout, trees).activity("beboer").tree == own
    newer = msgspec.structs.replace(layout, version=2)
    assert personal(newer, trees) == newer


def test_own_trees_cannot_drop_a_locked_panel():
    layout = load(LAYOUTS / "sykepleier.json")
    tree = layout.activity("avdeling").tree
    alone = t.at(tree, t.find(tree, "report"))
    trees = PersonalTrees(layout=layout.id, version=1, trees={"avdeling": [alone]})
    assert personal(layout, trees) == layout


def test_without_any_layout_every_panel_still_has_a_place():
    layout = fallback([("a.list", "list", "unit"), ("a.one", "one", "patient"), ("b.two", "two", "patient")])
    assert [a.context for a in layout.activities] == ["unit", "patient"]
    assert {p.package for a in layout.activities for p in placements(a.tree)} == {"a.list", "a.one", "b.two"}

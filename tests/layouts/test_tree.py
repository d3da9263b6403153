"""The work surface's commands as pure functions: what a user sees after a move, a close or a drag."""

import random

import pytest

from workspace.layouts import tree as t
from workspace.layouts.document import Activity, Layout, Placement, Split, Tabs, Tree, check, placements


def place(name: str, locked: bool = False) -> Placement:
    return Placement(instance=name, package=f"vendor.{name}", view=name, locked=locked)


def leaf(*names: str) -> Tabs:
    return Tabs(panels=tuple(place(name) for name in names))


@pytest.fixture
def four() -> Tree:
    left = Split(direction="column", children=(leaf("vitals"), leaf("note")), sizes=(60, 40))
    right = Split(direction="column", children=(Tabs(panels=(place("summary", locked=True),)), leaf("drugs")))
    return Split(direction="row", children=(left, right), sizes=(40, 60))


def names(tree: Tree) -> list[str]:
    return [p.instance for p in placements(tree)]


def test_closing_the_last_but_one_lets_its_neighbour_take_the_room(four):
    closed = t.close(four, "note")
    assert isinstance(closed, Split)
    assert closed.children[0] == leaf("vitals")
    assert names(closed) == ["vitals", "summary", "drugs"]


def test_a_locked_panel_cannot_be_closed_or_covered(four):
    with pytest.raises(t.Locked):
        t.close(four, "summary")
    with pytest.raises(t.Locked):
        t.move(four, "note", "summary", "tab")
    with pytest.raises(t.Locked):
        t.move(four, "summary", "note", "tab")


def test_a_locked_panel_may_be_moved_in_sight(four):
    assert names(t.move(four, "summary", "vitals", "left"))[0] == "summary"


@pytest.mark.parametrize(("side", "order"), [("left", ["drugs", "vitals"]), ("right", ["vitals", "drugs"])])
def test_moving_beside_puts_it_there(four, side, order):
    moved = t.move(four, "drugs", "vitals", side)
    assert [n for n in names(moved) if n in order] == order


def test_a_tab_is_brought_to_the_front_and_back(four):
    tabbed = t.move(four, "drugs", "note", "tab")
    node = t.at(tabbed, t.find(tabbed, "drugs"))
    assert isinstance(node, Tabs)
    assert (node.active, [p.instance for p in node.panels]) == ("drugs", ["note", "drugs"])
    back = t.activate(tabbed, "note")
    shown = t.at(back, t.find(back, "note"))
    assert isinstance(shown, Tabs)
    assert shown.active == "note"


def test_resize_keeps_shares_and_refuses_nonsense(four):
    resized = t.resize(four, (), (300, 100))
    assert isinstance(resized, Split)
    assert resized.sizes == (75, 25)
    with pytest.raises(ValueError, match="do not fit"):
        t.resize(four, (), (1, 2, 3))
    with pytest.raises(ValueError, match="do not fit"):
        t.resize(four, (0, 0), (1, 2))


def test_f6_goes_round(four):
    assert t.neighbour(four, "drugs", 1) == "vitals"
    assert t.neighbour(four, "vitals", -1) == "drugs"


def test_the_last_panel_leaves_nothing():
    assert t.close(leaf("only"), "only") is None


def test_a_thousand_moves_never_lose_a_panel_or_leave_an_empty_place(four):
    chance = random.Random(7)
    tree = four
    for _ in range(1000):
        one, other = chance.sample(names(tree), 2)
        try:
            tree = t.move(tree, one, other, chance.choice(["left", "right", "above", "below", "tab"]))
        except t.Locked:
            continue
        assert sorted(names(tree)) == ["drugs", "note", "summary", "vitals"]
        layout = Layout(
            id="x", title="x", activities=(Activity(id="a", title="a", icon="bed", context="patient", tree=tree),)
        )
        assert check(layout) == []

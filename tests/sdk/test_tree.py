"""Patches, tried out on the bench's own tree: what is applied must equal what was meant."""

from __future__ import annotations

import random

from tests.sdk.drawn.drawing import draw
from workspace.sdk import ui


def lines(keys):
    return [ui.line(key, {"v": str(ord(key[0]))}) for key in keys]


def whole(describe, at):
    bench = draw(lambda _: describe(at))
    return bench.tree


def same(one, other):
    return (
        one["id"] == other["id"]
        and one["type"] == other["type"]
        and one.get("props", {}) == other.get("props", {})
        and len(one.get("children", [])) == len(other.get("children", []))
        and all(same(a, b) for a, b in zip(one.get("children", []), other.get("children", []), strict=True))
    )


def test_any_change_of_children_and_rows_ends_as_a_whole_render_would():
    chance = random.Random(7)
    names = "abcdefgh"

    def describe(at):
        chosen = random.Random(at).sample(names, random.Random(at).randint(0, 8))
        rows = random.Random(at + 1000).sample(names, random.Random(at).randint(1, 8))
        return ui.column(
            ui.row(*(ui.number(n, n) if at % 3 else ui.text(n, key=n) for n in chosen), key="r"),
            ui.text(str(at)) if at % 2 else ui.pill(str(at)),
            ui.table(lines(rows), [ui.col("V", key="v")], key="t"),
        )

    bench = draw(describe)
    for _ in range(200):
        at = chance.randint(1, 10_000)
        bench.type(at=at)
        assert same(bench.tree, whole(describe, at))


def test_a_changed_row_is_sent_alone_and_a_moved_row_moves_alone():
    orders = [["a", "b", "c", "d"], ["d", "a", "b", "c"]]
    bench = draw(lambda at: ui.table(lines(orders[at]), [ui.col("V", key="v")]))
    bench.type(at=1)
    (operation,) = bench.sent[-1]["params"]["patch"]
    assert operation["gone"] == ["d"]
    assert [index for index, _ in operation["put"]] == [0]


def test_nothing_changed_sends_nothing():
    bench = draw(lambda at: ui.text("alltid"))
    before = len(bench.sent)
    bench.type(at=1)
    assert len(bench.sent) == before


def test_a_property_that_goes_is_unset():
    bench = draw(lambda at: ui.text("x", tone="bad" if at == 0 else "neutral"))
    bench.type(at=1)
    assert bench.sent[-1]["params"]["patch"] == [{"op": "props", "id": "0", "unset": ["tone"]}]


def test_keys_and_places_keep_identity_when_a_sibling_comes():
    bench = draw(lambda at: ui.column(ui.notice("!") if at else None, ui.text("a"), ui.text("b", key="b")))
    before = {one["id"] for one in bench.nodes()}
    bench.type(at=1)
    assert before < {one["id"] for one in bench.nodes()}
    assert [one["op"] for one in bench.sent[-1]["params"]["patch"]] == ["add"]

"""The Node.js panel is a vendor's: it has its own copy of `wire.js`, which must be the one a new vendor is given."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_panel_in_node_js_has_the_scaffolds_wire():
    given = ROOT / "resources" / "scaffold" / "node" / "any" / "wire.js"
    kept = sorted((ROOT / "plugins").rglob("wire.js"))
    assert kept, "no panel in Node.js"
    for each in kept:
        assert each.read_text() == given.read_text(), (
            f"{each.relative_to(ROOT)} and {given.relative_to(ROOT)} are copies"
        )

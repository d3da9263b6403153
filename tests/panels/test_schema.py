"""The generated files are what the code says today."""

from __future__ import annotations

import json

from workspace.panels.schema import PAGE, SCHEMA, page_text, schema_text

AGAIN = "stale: run python -m workspace.panels.schema"


def test_the_schema_is_fresh() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), AGAIN


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_text(), AGAIN


def test_every_reference_leads_somewhere() -> None:
    document = json.loads(schema_text())

    def references(at: object) -> set[str]:
        if isinstance(at, dict):
            own = {at["$ref"]} if isinstance(at.get("$ref"), str) else set()
            return own.union(*(references(value) for value in at.values()))
        return set().union(*(references(value) for value in at)) if isinstance(at, list) else set()

    found = references(document)
    assert found
    assert found == {reference for reference in found if reference.removeprefix("#/$defs/") in document["$defs"]}
    assert "tree" in document["$defs"]["Render"]["properties"]

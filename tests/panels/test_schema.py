"""The generated files are what the code says today."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from workspace.panels import examples, protocol
from workspace.panels.rpc import Peer
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


def test_every_message_answer_limit_and_error_is_on_the_page() -> None:
    page = page_text()
    for kind in (*protocol.HOST_TO_PANEL, *protocol.PANEL_TO_HOST):
        assert f"### `{kind.method}`" in page
        assert protocol.__doc__
        assert kind.__doc__, f"{kind.__name__} says nothing"
    for answer in protocol.ANSWERS.values():
        assert answer is None or f"### {answer.__name__}" in page
    for what, much, _ in protocol.LIMITS:
        assert f"| {what} | {much} |" in page
    for code, kind in protocol.ERRORS.items():
        assert f"| {code} | `{kind.name}` | {(kind.__doc__ or '').split()[0]}" in page


def test_every_link_of_the_page_leads_to_a_heading() -> None:
    page = page_text()
    seen: dict[str, int] = {}
    anchors = set()
    for heading in re.findall(r"^#+ (.*)$", page, re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        anchors.add(f"{name}-{seen[name]}" if name in seen else name)
        seen[name] = seen.get(name, 0) + 1
    assert set(re.findall(r"\]\(#([^)]*)\)", page)) <= anchors


@pytest.mark.parametrize("kind", protocol.PANEL_TO_HOST, ids=lambda kind: kind.method)
def test_every_example_of_a_panels_message_is_taken_by_the_host(kind: type[protocol.Message]) -> None:
    heard: list[protocol.Message] = []
    faults: list[str] = []
    peer = Peer(lambda line: None, heard.append, _never, faulty=faults.append)
    example = next(one for one in examples.PANEL if type(one) is kind)
    line = {"jsonrpc": "2.0", "method": kind.method, "params": msgspec.to_builtins(example)}
    peer.take(msgspec.json.encode(line))
    assert faults == []
    assert heard == ([] if kind in (protocol.Cancel, protocol.Acknowledge) else [example])


async def _never(params: protocol.Message) -> None:
    raise AssertionError(params)


def test_every_json_example_of_the_page_is_one_message_that_fits_its_struct() -> None:
    lines = re.findall(r"```json\n(.*)\n```", page_text())
    assert len(lines) >= len(protocol.HOST_TO_PANEL) + len(protocol.PANEL_TO_HOST)
    kinds = {kind.method: kind for kind in (*protocol.HOST_TO_PANEL, *protocol.PANEL_TO_HOST)}
    for line in lines:
        message = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        if "method" in message:
            msgspec.convert(message["params"], kinds[message["method"]])
            assert ("id" in message) == (message["method"] in protocol.ANSWERS)

"""The same panels in the fake host and in the real one: what a vendor's unit test sees is what the shell would show."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.panels.conftest import PLUGINS, USER, MemoryDoor, Shell, until
from workspace.access.scopes import permits
from workspace.broker.context import Context, for_patient, new_token
from workspace.broker.door import Refused as Shut
from workspace.broker.door import SearchResult
from workspace.clock import SystemClock
from workspace.panels.components import COMPONENTS, Button
from workspace.panels.confinement import Policy, Tier
from workspace.panels.face import TreeNode
from workspace.panels.host import PanelHost
from workspace.panels.manifest import Package, discover
from workspace.sdk.testing import Bench, Refused

pytestmark = pytest.mark.anyio

PATIENT = "Patient/BEB-18"
CODE = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}


def pulse(name: str, value: int, at: str) -> dict[str, Any]:
    category = [{"coding": [{"code": "vital-signs"}]}]
    return {
        "resourceType": "Observation", "id": name, "status": "final", "code": CODE, "category": category,
        "subject": {"reference": PATIENT}, "effectiveDateTime": at, "valueQuantity": {"value": value, "unit": "/min"},
    }  # fmt: skip


RECORD = [pulse("a", 61, "2026-01-14T08:00:00+01:00"), pulse("b", 72, "2026-01-14T12:00:00+01:00")]
STRANGER = {**pulse("z", 1, "2026-01-14T12:00:00+01:00"), "subject": {"reference": "Patient/ANNEN"}}

PANEL = """
from workspace.sdk import Panel, PanelProblem, ui
panel = Panel("prove.begge", "1.0.0")
PULSES = "Observation?code=8867-4"

@panel.view("main")
def main(ctx):
    rows = ctx.search(PULSES)
    return ui.column(
        ui.heading(ctx.t("title", n=len(rows))),
        ui.number("Puls", "pulse"),
        ui.text(f"Skrevet: {ctx.state.pulse or 'ingenting'}"),
        ui.part(lambda: ui.text(str(len(ctx.search("Condition"))))),
        ui.button(ui.action("Lagre", save)),
        ui.button(ui.action("Annen", save, patient="Patient/ANNEN")),
        ui.button(ui.action("Uten lov", unlawful)),
        ui.button(ui.action("Feil", wrong)),
        ui.table(
            lambda: [ui.line(one["id"], {"v": one["valueQuantity"]["value"]}) for one in rows], [ui.col("V", key="v")]
        ),
    )

@panel.action
def save(ctx, patient=""):
    if not ctx.state.pulse:
        raise PanelProblem("Skriv inn puls.")
    more = {"subject": {"reference": patient}} if patient else {}
    ctx.create("Observation", code="8867-4", value=ctx.state.pulse, unit="/min", **more)
    ctx.clear("pulse")
    ctx.say("Lagret.")

@panel.action
def unlawful(ctx):
    ctx.create({"resourceType": "Flag", "status": "active"})

@panel.action
def wrong(ctx):
    raise KeyError("x")

if __name__ == "__main__":
    panel.run()
"""
MANIFEST = """
[panel]
id = "prove.begge"
name = "Begge"
vendor = "Prøveverk"
version = "1.0.0"
protocol = 1
languages = ["nb", "en"]
start = ["python", "panel.py"]

[[views]]
id = "main"
title = "Begge"

[[views.prefetch]]
query = "Observation?code=8867-4"

[access]
scopes = ["patient/Observation.crs"]
"""


class ScopedDoor(MemoryDoor):
    """The door with the broker's rule of scopes, and answers that come in the order of ids."""

    def _rows(self, grant: Any, query: str) -> list[dict[str, Any]]:
        kind, _, tail = query.partition("?")
        if not permits(grant.scopes, kind, "s", tail):
            raise Shut("scope-denied", f"Panelet har ikke lov til å lese {kind}.")
        return sorted(super()._rows(grant, query), key=lambda row: str(row["id"]))

    def watch(self, grant: Any, query: str, listener: Any) -> Any:
        self._rows(grant, query)
        return super().watch(grant, query, listener)

    async def search(self, grant: Any, query: str) -> SearchResult:
        return SearchResult(tuple(self._rows(grant, query)))

    async def commit(self, grant: Any, writes: Sequence[Any], form: Any = None) -> Any:
        for write in writes:
            if not permits(grant.scopes, write.resource["resourceType"], "c", write.resource):
                raise Shut("scope-denied", "Panelet har ikke lov til å skrive dette.")
        return await super().commit(grant, writes)


def shape(node: Mapping[str, Any]) -> Any:
    """A tree from the wire, defaults filled in as the shell does."""
    component = msgspec.convert(node.get("props", {}), COMPONENTS[node["type"]])
    return (node["id"], component, [shape(child) for child in node.get("children", ())])


def drawn(nodes: Mapping[str, TreeNode], name: str) -> Any:
    node = nodes[name]
    return (name, node.component, [drawn(nodes, child) for child in node.children])


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "packages" / "begge"
    (folder / "texts").mkdir(parents=True)
    (folder / "panel.toml").write_text(MANIFEST, encoding="utf-8")
    (folder / "panel.py").write_text(PANEL, encoding="utf-8")
    (folder / "texts" / "nb.toml").write_text('[title]\none = "{n} måling"\nother = "{n} målinger"\n', encoding="utf-8")
    (folder / "texts" / "en.toml").write_text(
        '[title]\none = "{n} reading"\nother = "{n} readings"\n', encoding="utf-8"
    )
    yield folder
    sys.modules.pop("vendor_both", None)


def fake(folder: Path) -> Bench:
    spec = importlib.util.spec_from_file_location("vendor_both", folder / "panel.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["vendor_both"] = module
    spec.loader.exec_module(module)
    bench = Bench(module.panel)
    bench.open("main", record=[*RECORD, STRANGER], patient=PATIENT)
    return bench


async def test_the_same_script_gives_the_same_trees_saves_and_refusals(package: Path, tier: Tier) -> None:
    bench = fake(package)
    door = ScopedDoor()
    for one in (*RECORD, STRANGER):
        door.put(one)
    packages, problems = discover(package.parent)
    assert not problems
    host = PanelHost(
        door, packages, clock=SystemClock(), policy=Policy(allow_unconfined=True), user=USER, tenant="x", tier=tier
    )
    try:
        panel = host.open("i1", "prove.begge", "main", for_patient(PATIENT), Shell())

        async def same() -> None:
            await until(lambda: panel.root and drawn(panel.nodes, panel.root) == shape(bench.tree), panel)

        async def click(text: str) -> Any:
            found = [n.component for n in panel.nodes.values() if isinstance(n.component, Button)]
            return await panel.act(next(one.action for one in found if one.text == text))

        await until(lambda: panel.state == "running", panel)
        await same()
        assert "2 målinger" in bench.texts()
        assert "Panelet har ikke lov til å lese Condition." in bench.texts()

        for text in ("Lagre", "Feil"):
            with pytest.raises(Refused) as caught:
                bench.click(text)
            assert (await click(text)).problem == str(caught.value)

        bench.type(pulse=88)
        panel.typed("pulse", 88)
        await same()
        for text, code in (("Annen", "wrong-patient"), ("Uten lov", "scope-denied")):
            with pytest.raises(Refused) as caught:
                bench.click(text)
            assert caught.value.error["data"]["name"] == code
            assert not (await click(text)).ok
        await same()

        effects = bench.click("Lagre")
        outcome = await click("Lagre")
        assert (outcome.ok, outcome.message) == (True, effects["message"])
        assert "3 målinger" in bench.texts()
        assert "Skrevet: ingenting" in bench.texts()
        strip = {"id", "meta", "effectiveDateTime"}
        ours = [{k: v for k, v in one.items() if k not in strip} for one in bench.record.resources.values()]
        theirs = [{k: v for k, v in one.items() if k not in strip} for one in door.resources.values()]
        assert ours == theirs

        bench.language("en")
        panel.set_settings({}, "en")
        await until(lambda: "3 readings" in str(panel.nodes), panel)
        assert "3 readings" in bench.texts()
    finally:
        await host.close()


VIEWS = [
    (package, view)
    for package in discover(PLUGINS)[0].values()
    for view in package.views
    if view.context == "patient" and package.start[0] == "python"
]
"""Those made with our SDK: only they have a fake host."""


@pytest.mark.parametrize(("package_", "view"), VIEWS, ids=[f"{p.id}:{v.id}" for p, v in VIEWS])
async def test_our_own_panels_open_alike_in_both(package_: Package, view: Any, tier: Tier) -> None:
    before, path = set(sys.modules), list(sys.path)
    sys.path.insert(0, str(package_.folder))
    try:
        spec = importlib.util.spec_from_file_location("vendor_plugin", package_.folder / "panel.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        bench = Bench(module.panel)
        bench.open(view.id, {item.query: [] for item in view.prefetch}, patient=PATIENT)
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - before:
            if str(package_.folder) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]
    host = PanelHost(
        MemoryDoor(),
        {package_.id: package_},
        clock=SystemClock(),
        policy=Policy(allow_unconfined=True),
        user=USER,
        tenant="x",
        tier=tier,
    )
    try:
        context = Context(new_token(), "patient", patient=PATIENT)
        panel = host.open("i1", package_.id, view.id, context, Shell())
        await until(lambda: panel.state == "running" and panel.root, panel)
        await asyncio.sleep(0.05)
        kinds = [(name, node.component.kind) for name, node in panel.nodes.items()]
        theirs = [(one["id"], one["type"]) for one in bench.nodes()]
        assert sorted(kinds) == sorted(theirs)
    finally:
        await host.close()

"""A real panel process reads a value and sends it back changed: the digits it did not touch are stored as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.broker.conftest import _working
from tests.gateway.conftest import Server, pulse
from tests.panels.conftest import USER, Shell, until
from workspace.broker.context import for_patient
from workspace.clock import SystemClock
from workspace.fhir import json
from workspace.panels.components import Action
from workspace.panels.confinement import Policy, Tier
from workspace.panels.host import PanelHost
from workspace.panels.manifest import discover

pytestmark = pytest.mark.anyio

MANIFEST = """
[panel]
id = "prove.desimal"
name = "Desimal"
vendor = "Prøveverk"
version = "1.0.0"
protocol = 1
languages = ["nb"]
start = ["python", "panel.py"]

[[views]]
id = "main"
title = "Desimal"

[access]
scopes = ["patient/Observation.crus"]
"""
PANEL = """
from workspace.sdk import Panel, ui
panel = Panel("prove.desimal", "1.0.0")
PULSES = "Observation?code=8867-4"

@panel.view("main")
def main(ctx):
    rows = [ui.text(one["id"]) for one in ctx.search(PULSES)]
    return ui.column(*rows, ui.number("Ny", bind="ny"), ui.button(ui.action("Rett", mend)), ui.button(ui.action("Ny", new)))

@panel.action
def mend(ctx):
    one = next(row for row in ctx.search(PULSES) if row["id"] == "maalt")
    assert one["valueQuantity"]["value"] + 0.4 == 39.0
    ctx.update({**one, "status": "amended"})

@panel.action
def new(ctx):
    ctx.create("Observation", code="8867-4", value=ctx.state.ny, unit="/min")

if __name__ == "__main__":
    panel.run()
"""


async def test_an_update_of_what_a_panel_read_keeps_the_digits(tmp_path: Path, tier: Tier) -> None:
    package = tmp_path / "packages" / "desimal"
    package.mkdir(parents=True)
    (package / "panel.toml").write_text(MANIFEST, encoding="utf-8")
    (package / "panel.py").write_text(PANEL, encoding="utf-8")
    packages, problems = discover(package.parent)
    assert not problems
    value = json.Literal("38.60")
    extension = [{"url": "urn:nobody:knows", "valueDecimal": json.Literal("1.10e-2")}]
    server = Server(tmp_path).start()
    try:
        server.store_put(pulse("BEB-18", value=value, extension=extension, id="maalt"))
        async with _working(server) as broker:
            host = PanelHost(
                broker, packages, policy=Policy(allow_unconfined=True), clock=SystemClock(), user=USER,
                tenant="311000101", tier=tier,
            )  # fmt: skip
            try:
                shell = Shell()
                panel = host.open("p1", "prove.desimal", "main", for_patient("Patient/BEB-18"), shell)
                await until(lambda: panel.root is not None and panel.state == "running", panel, 30)
                outcome = await panel.act(Action("mend"))
                assert outcome.ok, f"{outcome.problem}\n{panel.log_tail}"
                panel.typed("ny", json.Literal("37.10"))
                outcome = await panel.act(Action("new"))
                assert outcome.ok, f"{outcome.problem}\n{panel.log_tail}"
            finally:
                await host.close()
        told = server.sign_in("tone").get("Observation/maalt").text
        assert '"status":"amended"' in told
        assert '"value":38.60,' in told
        assert '"valueDecimal":1.10e-2}' in told
        assert '"value":37.10,' in server.sign_in("tone").get("Observation?patient=BEB-18").text
    finally:
        server.stop()

"""Our own panels, as real packages in real processes, through the real host."""

from __future__ import annotations

from typing import Any

import pytest

from tests.panels.conftest import PLUGINS
from workspace.broker.context import Context, for_nothing, for_patient, for_unit
from workspace.panels import components as ui
from workspace.panels.components import Action
from workspace.panels.manifest import Package, View, discover

pytestmark = pytest.mark.anyio

CONTEXTS = {"patient": for_patient("Patient/BEB-18"), "none": for_nothing()}
VIEWS = [(package, view) for package in discover(PLUGINS)[0].values() for view in package.views]


def context_for(view: View) -> Context:
    unit = for_unit("Organization/havblikk", ("Patient/BEB-18", "Patient/BEB-19"))
    return {**CONTEXTS, "unit": unit}[view.context]


@pytest.mark.parametrize(("package", "view"), VIEWS, ids=[f"{p.id}:{v.id}" for p, v in VIEWS])
async def test_every_view_opens_on_an_empty_record(bench: Any, package: Package, view: View) -> None:
    async with bench(plugins=True) as b:
        panel, _ = await b.shown(package.id, context_for(view), view=view.id)
        assert panel.problem == "", panel.log_tail
        assert len(panel.nodes) > 1
        unknown = [node for node in panel.nodes.values() if node.component.kind == "unknown"]
        assert unknown == []


async def test_vital_signs_are_typed_saved_and_shown(bench: Any) -> None:
    async with bench(plugins=True, warm=True) as b:
        b.door.pulse("a", 61)
        panel, _shell = await b.shown("nordlys.vitals", view="vitals")
        assert panel.first_render_ms is not None
        assert panel.first_render_ms < 1000
        buttons = [n.component for n in panel.nodes.values() if isinstance(n.component, ui.Button)]
        save = next(button for button in buttons if button.style == "primary")
        panel.typed("pulse", 82)
        outcome = await panel.act(Action(save.action.name, save.action.args))
        assert outcome.ok, f"{outcome.problem}\n{panel.log_tail}"
        written = [write.resource for write in b.door.commits[0]]
        assert 82 in [resource.get("valueQuantity", {}).get("value") for resource in written]
        assert {resource["subject"]["reference"] for resource in written} == {"Patient/BEB-18"}
        assert "pulse" not in panel.values
        assert outcome.message

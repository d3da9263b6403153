"""What scaffolds and the panel in Node.js save is taken by the real platform: gateway, profiles, audit and store."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import psutil
import pytest

from workspace import development
from workspace.panels.components import Action
from workspace.panels.conformance.workbench import Workbench
from workspace.panels.face import QuietListener

WEIGHT = Path(__file__).parents[3] / "plugins" / "solstrand-weight"
PATIENT = "Patient/BEB-13"
pytestmark = pytest.mark.long


@pytest.fixture
def sandbox(tmp_path):
    yield tmp_path / "sandbox"
    running = tmp_path / "sandbox" / "running.json"
    if running.exists():
        process = psutil.Process(json.loads(running.read_text())["pid"])
        process.terminate()
        process.wait(20)


async def saved(folder, sandbox, steps):
    """The outcome of each step: fields typed, an action run."""
    bench = Workbench(folder, await development.sandbox(sandbox, "tone", PATIENT)(lambda _: None))
    try:
        panel = await bench.open(lambda *_: QuietListener())
        async with asyncio.timeout(20):
            while panel.root is None or any(node.component.kind == "pending" for node in panel.nodes.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        outcomes = []
        for values, action in steps:
            for bind, value in values.items():
                panel.typed(bind, value)
            outcomes.append(await panel.act(Action(action)))
            await asyncio.sleep(0.5)  # what was saved comes back as a change
        return outcomes
    finally:
        await bench.close()


def test_all_that_they_save_is_taken(made, sandbox):
    pulse = {"pulse": 81, "comment": "rolig"}
    folders = {made("p-patient"): [(pulse, "save")]}
    folders[made("p-unit", context="unit")] = [({"pulse": 77, "resident": PATIENT}, "save")]
    if shutil.which("node"):
        folders[made("n-patient", language="node")] = [(pulse, "save")]
        folders[made("n-unit", language="node", context="unit")] = [({"pulse": 77, "resident": PATIENT}, "save")]
        screen = [{"mst_loss": "6", "mst_eating": "yes"}, {"mst_loss": "none", "mst_eating": "no"}]
        folders[WEIGHT] = [
            ({"weight": 61.5, "comment": "stolvekt"}, "saveWeight"),
            *((one, "saveScreen") for one in screen),
        ]

    async def every():
        return [
            (folder.name, outcome)
            for folder, steps in folders.items()
            for outcome in await saved(folder, sandbox, steps)
        ]

    for name, outcome in asyncio.run(every()):
        assert outcome.ok, (name, outcome.problem)
        assert outcome.receipt.state == "lagret", (name, outcome.receipt)

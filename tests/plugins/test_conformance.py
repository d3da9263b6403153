"""Our own panels pass the same checks as any vendor's, shut in and run for real."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from workspace.panels.conformance import check, rules, run

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
FOLDERS = sorted(one.parent for one in PLUGINS.glob("*/panel.toml"))


def test_every_panel_that_comes_with_the_program_conforms():
    folders = [one for one in FOLDERS if (one / "panel.py").exists() or shutil.which("node")]

    async def each():
        gate = asyncio.Semaphore(3)

        async def one(folder):
            async with gate:
                return check.judged(rules.ALL, await run.rehearse(folder))

        return await asyncio.gather(*(one(folder) for folder in folders))

    for folder, verdicts in zip(folders, asyncio.run(each()), strict=True):
        assert [(folder.name, one.code, one.reason) for one in verdicts if one.status != "passed"] == []

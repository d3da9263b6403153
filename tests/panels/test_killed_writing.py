"""kill -9 of a panel at every step of a write: what the user is told is what happened, and what was typed stands."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import Any

import pytest

from tests.panels.conftest import until
from workspace.panels.components import Action

pytestmark = pytest.mark.anyio

SAVE = Action("save")


def kill(panel: Any) -> None:
    with suppress(ProcessLookupError):
        os.kill(panel.pid, signal.SIGKILL)


@pytest.mark.parametrize("after", [0.0, 0.001, 0.003, 0.01, 0.03])
async def test_killed_around_its_answer_it_is_saved_once_and_said_or_neither(bench: Any, after: float) -> None:
    async with bench("good") as b:
        panel, _ = await b.shown("good")
        panel.typed("puls", 82)
        act = asyncio.create_task(panel.act(SAVE))
        await asyncio.sleep(after)
        kill(panel)
        outcome = await act
        assert len(b.door.commits) == outcome.ok
        if not outcome.ok:
            assert "Ingenting ble lagret" in outcome.problem
            assert dict(panel.values) == {"puls": 82}


async def test_killed_while_the_write_is_on_its_way_it_is_saved_once_and_said(bench: Any) -> None:
    async with bench("good") as b:
        panel, _ = await b.shown("good")
        panel.typed("puls", 82)
        b.door.commit_gate = asyncio.Event()
        act = asyncio.create_task(panel.act(SAVE))
        await until(lambda: b.sent("event"), panel)
        await until(lambda: any(way != "out" and "writes" in str(said) for way, *_, said in b.passed), panel)
        kill(panel)
        await until(lambda: panel.state != "running", panel)
        b.door.commit_gate.set()
        outcome = await act
        assert (outcome.ok, len(b.door.commits)) == (True, 1)
        assert "puls" not in panel.values  # what was saved is not offered again

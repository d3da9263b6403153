"""What panels stand on before anybody has signed on: spares for the next user, compiled once, never served twice."""

import asyncio
import importlib.util
from pathlib import Path

import pytest

from tests.panels.conftest import USER, MemoryDoor, Shell, _install, until
from workspace.broker.context import for_patient
from workspace.clock import SystemClock
from workspace.panels.confinement import Policy
from workspace.panels.ground import Ground
from workspace.panels.host import PanelHost
from workspace.panels.manifest import discover
from workspace.panels.staging import keep_compiled

pytestmark = pytest.mark.anyio


@pytest.fixture
def packages(tmp_path):
    folder = tmp_path / "packages"
    folder.mkdir()
    _install(folder, ["good"])
    return discover(folder)[0]


def made(packages, tier):
    return Ground(packages, clock=SystemClock(), policy=Policy(allow_unconfined=True), tier=tier)


def host(ground, packages, user=USER):
    return PanelHost(
        MemoryDoor(),
        packages,
        clock=SystemClock(),
        policy=Policy(allow_unconfined=True),
        user=user,
        tenant="f",
        ground=ground,
    )


async def shown(host, package):
    panel = host.open("one", package, "main", for_patient("Patient/BEB-18"), Shell())
    await until(lambda: panel.root is not None, panel)
    return panel


async def test_the_spares_outlive_a_user_and_have_heard_nothing_of_anybody(packages, tier):
    ground = made(packages, tier)
    heard = []
    ground.on_message(lambda *told: heard.append((told[0], told[2], told[5])))
    try:
        (name,) = packages
        assert await ground.warm([name]) == []
        early = ground.spares[name]
        assert b"initialize" in heard[0][2]
        assert not any(b"Practitioner" in raw or b"Patient" in raw for _, _, raw in heard)
        first = host(ground, packages)
        panel = await shown(first, name)
        assert panel.pid == early
        await until(lambda: name in ground.spares and ground.spares[name] != early, panel)
        kept = ground.spares[name]
        await first.close()
        assert ground.spares == {name: kept}, "what has served the first user is gone, what has served nobody stays"
        second = host(ground, packages, {**USER, "reference": "Practitioner/liv"})
        panel = await shown(second, name)
        assert panel.pid == kept
        assert not any(pid == kept and b"Practitioner/tone" in raw for _, pid, raw in heard)
        await second.close()
    finally:
        await ground.close()


async def test_a_panel_takes_the_spare_that_is_on_its_way(packages, tier):
    ground = made(packages, tier)
    pids = set()
    ground.on_message(lambda *told: pids.add(told[2]))
    mine = host(ground, packages)
    try:
        (name,) = packages
        warming = asyncio.ensure_future(ground.warm([name]))
        await asyncio.sleep(0)
        panel = await shown(mine, name)
        first = min(pids)
        assert panel.pid == first, "one process was started for it, not two"
        await warming
    finally:
        await mine.close()
        await ground.close()


async def test_closing_in_the_middle_of_warming_leaves_nothing(packages, tier):
    ground = made(packages, tier)
    warming = asyncio.ensure_future(ground.warm(list(packages)))
    await asyncio.sleep(0.02)
    await ground.close()
    await asyncio.gather(warming, return_exceptions=True)
    assert not ground.spares


def test_a_package_is_compiled_beside_its_source_and_again_when_it_changes(tmp_path):
    source = tmp_path / "panel.py"
    source.write_text("x = 1\n")
    keep_compiled(tmp_path)
    compiled = Path(importlib.util.cache_from_source(str(source)))
    first = compiled.read_bytes()
    keep_compiled(tmp_path)
    assert compiled.read_bytes() == first
    source.write_text("x = 12345\n")
    keep_compiled(tmp_path)
    assert compiled.read_bytes() != first
    (tmp_path / "broken.py").write_text("def (\n")
    keep_compiled(tmp_path)  # the panel itself says what is wrong, when it is started


def test_where_nobody_may_write_nothing_is_compiled(tmp_path):
    (tmp_path / "panel.py").write_text("x = 1\n")
    (tmp_path / "__pycache__").write_text("in the way")
    keep_compiled(tmp_path)

"""Whatever a panel sends: no exception escapes, the event loop lives, and other panels are untouched."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, seed

from tests.panels.conftest import USER, MemoryDoor, Shell, _install, until
from tests.panels.wild import SEED, encoded, profile, wild
from workspace.broker.context import Context, for_patient
from workspace.clock import SystemClock
from workspace.panels import confinement
from workspace.panels.components import Action
from workspace.panels.confinement import Policy, Tier
from workspace.panels.faults import Fault
from workspace.panels.group import Group
from workspace.panels.host import PanelHost
from workspace.panels.instance import Instance
from workspace.panels.manifest import Package, discover
from workspace.panels.process import PanelProcess
from workspace.panels.protocol import MAX_NODES


class Leaping(SystemClock):
    """A clock that leaps with each burst, so that budgets are full again: they have tests of their own."""

    leap = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.leap


class Unborn(PanelProcess):
    """Everything of a panel process but the child itself: what it would have written is handed over."""

    ended = False

    @property
    def alive(self) -> bool:
        return not self.ended

    def end_for(self, reason: str, fault: Fault = "crash") -> None:
        super().end_for(reason, fault)
        self.ended = True

    async def kill(self, reason: str = "") -> None:
        self.end_for(reason)
        await self.peer.close(self._gone())

    async def end(self) -> None:
        await self.kill()

    def _gone(self) -> Any:
        from workspace.panels.protocol import PanelError

        return PanelError("the panel has ended")


class Table:
    """One host with a panel that is spoken for, and a neighbour in the same context that must not notice."""

    def __init__(self, folder: Path) -> None:
        _install(folder, ["puppet", "good"])
        self.packages, problems = discover(folder)
        assert not problems
        self.errors: list[dict[str, Any]] = []
        self.clock = Leaping()

    async def begin(self) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: self.errors.append(context))
        self.door = MemoryDoor()
        self.door.pulse("a", 61)
        none = Tier("none", "Ikke avskjermet", "en prøve")
        self.host = PanelHost(
            self.door,
            self.packages,
            clock=self.clock,
            policy=Policy(allow_unconfined=True),
            user=USER,
            tenant="x",
            tier=none,
        )
        self.context = for_patient("Patient/BEB-18")
        self.other, self.heard = self._open("good", "p2")
        await until(lambda: self.other.state == "running" and self.other.root, self.other)
        await self.fresh()

    def _open(self, name: str, instance: str) -> tuple[Instance, Shell]:
        shell = Shell()
        return self.host.open(instance, f"prove.{name}", "main", self.context, shell), shell

    async def fresh(self) -> None:
        """A new process for the panel; the one before was ended for what it sent."""

        async def acquire(package: Package) -> PanelProcess:
            return self.process

        self.process = Unborn(self.packages["prove.puppet"], self.clock)
        self.group = Group(self.packages["prove.puppet"], self.context, acquire, self.host.faults)
        self.panel = self.lone(self.group, self.context)
        self.group.add(self.panel)
        self.group.begin(self.panel)
        await until(lambda: self.process.peer.owed, self.panel)
        self.process._output(b'{"jsonrpc":"2.0","id":1,"result":null}\n')
        await until(lambda: self.panel.state == "running", self.panel)

    def lone(self, group: Group, context: Context) -> Instance:
        package = self.packages["prove.puppet"]
        view = package.view("main")
        assert view is not None
        return Instance(
            "p1", package, view, context, door=self.door, clock=self.clock, user=USER, tenant="x", locale="nb",
            settings={}, listener=Shell(), label=lambda: confinement.CONFINED, keeper=group, intents=self.host._intents,
        )  # fmt: skip

    async def burst(self, burst: list[Any]) -> None:
        """The panel sends it while an event waits; afterwards all must be as promised."""
        self.clock.leap += 60
        before = dict(self.other.nodes)
        act = asyncio.create_task(self.panel.act(Action("do")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.process._output(encoded(burst, self.context.token, self.process.peer._number))
        for _ in range(12):
            await asyncio.sleep(0)
        self.panel.cancel()
        await asyncio.wait_for(act, 10)
        assert self.errors == []
        assert dict(self.other.nodes) == before
        whole(self.panel)
        if self.process.ended or self.panel.state != "running":
            await self.close_panel()
            await self.fresh()

    async def close_panel(self) -> None:
        await self.panel.close()
        await self.group.end()

    async def end(self) -> None:
        await self.close_panel()
        await self.host.close()


def whole(panel: Instance) -> None:
    """The tree is one: every child is there and knows its parent."""
    assert len(panel.nodes) <= MAX_NODES
    for name, node in panel.nodes.items():
        assert node.id == name
        assert all(panel.nodes[child].parent == name for child in node.children)


def test_nothing_that_a_panel_sends_escapes(tmp_path: Path) -> None:
    print(f"FUZZ_SEED={SEED}")
    table = Table(tmp_path)
    with asyncio.Runner() as runner:
        runner.run(table.begin())

        @seed(SEED)
        @profile(400)
        @given(wild)
        def bursts(burst: list[Any]) -> None:
            runner.run(table.burst(burst))

        try:
            bursts()
        finally:
            runner.run(table.end())


@pytest.mark.long
def test_nothing_that_a_panel_sends_escapes_however_long_it_goes_on(tmp_path: Path) -> None:
    print(f"FUZZ_SEED={SEED}")
    table = Table(tmp_path)
    with asyncio.Runner() as runner:
        runner.run(table.begin())

        @seed(SEED)
        @profile(4_000)
        @given(wild)
        def bursts(burst: list[Any]) -> None:
            runner.run(table.burst(burst))

        try:
            bursts()
        finally:
            runner.run(table.end())


def test_whatever_bytes_a_process_spills_the_host_and_its_neighbour_live(tmp_path: Path, tier: Tier) -> None:
    """The same through a real pipe: it may be ended for it, and then comes back."""
    print(f"FUZZ_SEED={SEED}")
    pipe = Pipe(tmp_path, tier)
    with asyncio.Runner() as runner:
        runner.run(pipe.begin())

        @seed(SEED)
        @profile(60, shrink=False)
        @given(wild)
        def bursts(burst: list[Any]) -> None:
            runner.run(pipe.burst(burst))

        try:
            bursts()
        finally:
            runner.run(pipe.host.close())


class Pipe:
    """A real host with two real processes in one context."""

    def __init__(self, folder: Path, tier: Tier) -> None:
        _install(folder, ["puppet", "good"])
        self._packages, self._tier = discover(folder)[0], tier
        self.errors: list[dict[str, Any]] = []

    async def begin(self) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: self.errors.append(context))
        self.host = PanelHost(
            MemoryDoor(),
            self._packages,
            clock=SystemClock(),
            policy=Policy(allow_unconfined=True),
            user=USER,
            tenant="x",
            tier=self._tier,
        )
        context = for_patient("Patient/BEB-18")
        self.panel = self.host.open("p1", "prove.puppet", "main", context, Shell())
        self.other = self.host.open("p2", "prove.good", "main", context, Shell())
        for one in (self.panel, self.other):
            await until(lambda one=one: one.state == "running" and one.root, one)

    async def burst(self, burst: list[Any]) -> None:
        event = self.panel.keeper.process.peer._number + 1
        data = encoded(burst, self.panel.context.token, event)
        before, pid = dict(self.other.nodes), self.other.pid
        self.panel.typed("a", "viktig")
        act = asyncio.create_task(self.panel.act(Action("spill", {"hex": data.hex()})))
        # What it spilled may be an answer to this very event, or none that can be read: neither may hold us.
        done, _ = await asyncio.wait({act}, timeout=5)
        if not done:
            self.panel.cancel()
        await asyncio.wait_for(act, 10)
        outcome = await self.other.act(Action("do"))
        assert outcome.ok, outcome.problem
        assert (self.errors, self.other.pid) == ([], pid)
        assert dict(self.other.nodes) == before
        whole(self.panel)
        if self.panel.state != "running":
            self.host.enable("prove.puppet")
            await until(lambda: self.panel.state in ("running", "dead", "disabled"), self.panel)
            if self.panel.state != "running":
                await self.panel.restart()
            await until(lambda: self.panel.state == "running", self.panel)
            assert self.panel.values["a"] == "viktig"

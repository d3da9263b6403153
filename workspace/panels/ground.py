"""What panels stand on at this machine: how they are shut in, what they may import, and the warm spares.

Made before anybody has signed on, so that the first panel waits for none of it. Knows no user, no patient and no context:
a spare has heard nothing but its language and what its own manifest says.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from workspace.clock import Clock
from workspace.panels import confinement
from workspace.panels.confinement import Limits, Policy, Tier
from workspace.panels.manifest import Package
from workspace.panels.process import MessageTap, PanelProcess
from workspace.panels.spares import Spares
from workspace.panels.staging import Stage, keep_compiled
from workspace.panels.watching import Watcher
from workspace.problem import Problem


async def at_once() -> None:
    """Nothing on screen waits: nobody has opened anything yet."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found out of this machine, and what panels import from."""

    tier: Tier
    stage: Stage


def survey(packages: Iterable[Package] = ()) -> Survey:
    """Find out how panels can be shut in, while the stage is made and `packages` are compiled where they are not. Blocks for
    some tens of milliseconds: for a thread, before there is a loop."""
    with ThreadPoolExecutor(1, thread_name_prefix="survey") as pool:
        tier = pool.submit(confinement.probe)
        stage = Stage()
        _ = stage.folder
        for package in packages:
            if package.start[0] == "python":
                keep_compiled(package.folder)
        return Survey(tier.result(), stage)


class Ground:
    """`packages` by id as `manifest.discover` found them; `tier` what `confinement.probe` said (probed when not given).

    `survey` is what was found out ahead; without one it is found out at first need.

    `policy` may be set anew, when the platform has told what kind it is; until then only a confined tier should do.
    `calm` waits until nothing on screen is waiting: the host that uses the ground sets it."""

    def __init__(
        self,
        packages: Mapping[str, Package],
        *,
        clock: Clock,
        policy: Policy,
        locale: str = "nb",
        tier: Tier | None = None,
        limits: Limits | None = None,
        survey: Survey | None = None,
    ) -> None:
        self.packages, self.policy = dict(packages), policy
        self.calm: Callable[[], Awaitable[None]] = at_once
        self._clock, self._locale = clock, locale
        self._limits = limits or Limits()
        self._tier, self._stage = (survey.tier, survey.stage) if survey is not None else (tier, Stage())
        self._surveyed = survey is not None
        self._spares = Spares(self._start, self._calm)
        self.watcher = Watcher(clock, self._limits)
        self._taps: list[MessageTap] = []
        self._processes: set[PanelProcess] = set()
        self._compiled: set[Path] = set()
        self._preparing: asyncio.Task[Tier] | None = None
        self._closed = False

    @property
    def spares(self) -> Mapping[str, int]:
        """The process ids of the warm spares, by package."""
        return self._spares.pids

    @property
    def label(self) -> str:
        """How panels are shut in, in words; a promise before it is found out."""
        return self._tier.label if self._tier is not None else confinement.CONFINED

    async def warm(self, package_ids: Iterable[str]) -> list[Problem]:
        """Have a spare ready of each; returns what would not start, and why. Unknown packages are passed over."""
        known = [self.packages[name] for name in package_ids if name in self.packages]
        return await self._spares.warm([package for package in known if package.kind == "native"])

    async def acquire(self, package: Package) -> PanelProcess:
        """A process that has served nobody: the spare, or a new one. Raises Problem."""
        return await self._spares.take(package) or await self._start(package)

    async def prepared(self) -> Tier:
        """Tier and stage, found out once, in a thread."""
        if self._surveyed and self._tier is not None:
            return self._tier
        if self._preparing is None:
            self._preparing = asyncio.get_running_loop().create_task(asyncio.to_thread(self._prepare))
        return await asyncio.shield(self._preparing)

    def on_message(self, tap: MessageTap) -> Callable[[], None]:
        """See every message of every panel from now on. Returns what undoes it."""
        self._taps.append(tap)
        return lambda: self._taps.remove(tap) if tap in self._taps else None

    async def close(self) -> None:
        """Every process reaped, the stage taken away. Idempotent."""
        self._closed = True
        await self._spares.close()
        if self._preparing is not None:
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await self._preparing
        await asyncio.gather(*(process.kill() for process in list(self._processes)))
        await self.watcher.close()
        self._stage.close()

    async def _start(self, package: Package) -> PanelProcess:
        tier = await self.prepared()
        confinement.require(tier, self.policy, package.name)
        if package.start[0] == "python" and package.folder not in self._compiled:
            self._compiled.add(package.folder)
            await asyncio.to_thread(keep_compiled, package.folder)
        process = PanelProcess(package, self._clock, self._tap)
        self._processes = {known for known in self._processes if known.alive}
        self._processes.add(process)
        launch = confinement.launch(tier, package.start, package.folder, self._stage.folder, self._limits)
        await process.start(launch, self._locale)
        self.watcher.add(process)
        if self._closed:
            await process.kill()
            raise Problem("closing", "Arbeidsflaten lukkes.")
        return process

    def _prepare(self) -> Tier:
        _ = self._stage.folder
        self._tier = self._tier or confinement.probe()
        return self._tier

    async def _calm(self) -> None:
        await self.calm()

    def _tap(self, direction: str, package: str, pid: int, instance: str, context: str, raw: bytes) -> None:
        for tap in list(self._taps):
            tap(direction, package, pid, instance, context, raw)

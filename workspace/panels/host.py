"""The host of all panels of one signed-in user: opens them, ends their contexts, and remembers who crashed.

The one entrance for the shell; `face.py` says what it gets. Never touches Qt, the platform or the vault: facts and
drafts go through the door.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workspace.broker.context import Context
from workspace.broker.door import Door, Prefetch
from workspace.clock import Clock
from workspace.panels.confinement import Limits, Policy, Tier
from workspace.panels.face import PanelInstance, PanelListener
from workspace.panels.faults import Crashes, Trouble, report, scrubbed
from workspace.panels.ground import Ground, at_once
from workspace.panels.group import Group
from workspace.panels.instance import Instance
from workspace.panels.intents import Intents, Opener
from workspace.panels.manifest import Package
from workspace.panels.process import MessageTap, PanelProcess
from workspace.panels.tasks import Kept
from workspace.panels.watching import PackageUsage
from workspace.problem import Problem

ASK_DEADLINE = 0.1
CALM_AFTER = 1.0
"""Seconds after which spares are started, and what is over is cleared away, though somebody still waits for something."""
A_TURN = 4


@dataclass(frozen=True, slots=True)
class Hold:
    """A panel asks that the patient is not changed now. The user decides."""

    instance: str
    title: str
    reason: str


class NoSuchPanel(Problem):
    def __init__(self, package: str, view: str) -> None:
        super().__init__(
            "no-such-panel",
            f"Panelet {package} ({view}) er ikke installert på denne maskinen.",
            "Be administrator legge det til, eller ta det ut av oppsettet.",
        )


class PanelHost:
    """One for each signed-in user. `user` is ``{"reference": "Practitioner/tone", "display", "role"}``; `packages` by id
    as `manifest.discover` found them; `tier` what `confinement.probe` said (probed at first need when not given).

    `ground` is shared with those who sign in after this user, and is then not closed with the host; `tier`, `limits` and
    `locale` are its own business. Without one the host makes one for itself."""

    def __init__(
        self,
        door: Door,
        packages: Mapping[str, Package],
        *,
        clock: Clock,
        policy: Policy,
        user: Mapping[str, str],
        tenant: str,
        locale: str = "nb",
        tier: Tier | None = None,
        limits: Limits | None = None,
        ground: Ground | None = None,
    ) -> None:
        self._door, self._packages, self._clock = door, dict(packages), clock
        self._user, self._tenant, self._locale = dict(user), tenant, locale
        self._shared = ground is not None
        self._ground = ground or Ground(packages, clock=clock, policy=policy, locale=locale, tier=tier, limits=limits)
        self._ground.policy, self._ground.calm = policy, self.calm
        self._groups: dict[tuple[str, str], Group] = {}
        self._kept = Kept()
        self._untap: list[Callable[[], None]] = []
        self.faults = Crashes(clock, self._user.get("reference", ""))
        self._profile: Path | None = None
        self._processes: set[PanelProcess] = set()
        self._intents = Intents(lambda: self._packages, self.instances)
        self._leaving: list[tuple[Group, Instance]] = []
        self._closed = False

    # --- opening and ending ---------------------------------------------------------------------------------

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def packages(self) -> Mapping[str, Package]:
        return self._packages

    @property
    def spares(self) -> Mapping[str, int]:
        """The process ids of the warm spares, by package."""
        return self._ground.spares

    async def warm(self, package_ids: Iterable[str]) -> list[Problem]:
        """Have a spare ready of each; returns what would not start, and why. Unknown packages are passed over."""
        return await self._ground.warm(package_ids)

    def open(
        self,
        instance_id: str,
        package_id: str,
        view_id: str,
        context: Context,
        listener: PanelListener,
        settings: Mapping[str, Any] | None = None,
    ) -> Instance:
        """A panel that is starting: returns at once, work goes on behind. Raises NoSuchPanel, or Problem when the view
        is not meant for this kind of context."""
        if self._closed:
            raise RuntimeError("the host is closed")
        package = self._packages.get(package_id)
        view = package.view(view_id) if package is not None else None
        if package is None or view is None:
            raise NoSuchPanel(package_id, view_id)
        if view.context not in ("none", context.kind):
            sentence = f"«{view.title}» kan ikke vises her: det hører til en annen slags oversikt."
            raise Problem("wrong-context-kind", sentence, "Ta det ut av oppsettet for denne aktiviteten.")
        key = (package.id, context.token)
        group = self._groups.get(key)
        if group is None or group.ended:  # its last panel was closed
            group = self._groups[key] = Group(package, context, self._acquire, self.faults)
        if instance_id in group.instances:
            raise ValueError(f"the instance {instance_id!r} is already open in this context")
        instance = Instance(
            instance_id,
            package,
            view,
            context,
            door=self._door,
            clock=self._clock,
            user=self._user,
            tenant=self._tenant,
            locale=self._locale,
            settings=settings or {},
            listener=listener,
            label=lambda: self._ground.label,
            keeper=group,
            intents=self._intents,
        )
        group.add(instance)
        if not self._leaving:
            asyncio.get_running_loop().call_soon(self._depart)
        self._leaving.append((group, instance))
        return instance

    def _depart(self) -> None:
        """All that was opened in one turn (a switch): their queries leave as one, merged by the door, safety first;
        the panels' own watches then answer from them."""
        leaving, self._leaving = self._leaving, []
        if self._closed:
            return
        queries = [
            Prefetch(instance.grant, item.query, instance.view.safety)
            for _, instance in leaving
            if instance.state == "starting"
            for item in instance.view.prefetch
        ]
        if queries:
            self._kept.start(self._prefetch(queries))
        # After the first step of the prefetch, which is when the door has merged them.
        asyncio.get_running_loop().call_soon(self._begin, leaving)

    def _begin(self, leaving: list[tuple[Group, Instance]]) -> None:
        """Some a turn of the loop: fifty that open at once do not hold it up."""
        for group, instance in leaving[:A_TURN]:
            group.begin(instance)
        if leaving[A_TURN:]:
            asyncio.get_running_loop().call_soon(self._begin, leaving[A_TURN:])

    async def _prefetch(self, queries: list[Prefetch]) -> None:
        with contextlib.suppress(Problem):  # each watch meets the same trouble, and tells its own panel
            await self._door.prefetch(queries)

    def instances(self, context: Context | None = None) -> list[Instance]:
        return [
            instance
            for (_, token), group in self._groups.items()
            if context is None or token == context.token
            for instance in group.instances.values()
        ]

    async def ask(self, context: Context) -> list[Hold]:
        """The barrier before a switch: who asks to wait. After 100 ms the switch goes on without the rest."""
        asked = [self._kept.start(group.ask()) for group in self._of(context)]
        if asked:
            await asyncio.wait(asked, timeout=ASK_DEADLINE)
        holds = []
        for task in asked:
            if not task.done():
                task.cancel()
                continue
            for instance, reason in task.result():
                holds.append(Hold(instance.id, instance.info.title, reason))
        return holds

    async def end_context(self, context: Context) -> None:
        """Over, now: watches closed, pending events answered, drafts kept; processes are seen out behind, when nothing on
        screen waits for a processor."""
        for group in self._of(context):
            del self._groups[(group.package.id, context.token)]
            group.stop()
            self._kept.start(self._see_out(group))
        self._door.end(context)

    async def _see_out(self, group: Group) -> None:
        await self.calm()
        await group.end()

    async def close(self) -> None:
        """Everything over, and every process that has served this user reaped. Idempotent."""
        self._closed = True
        groups = list(self._groups.values())
        self._groups.clear()
        for group in groups:
            group.stop()
            self._door.end(group.context)
        await asyncio.gather(*(group.end() for group in groups))
        await self._kept.finish(5.0)
        await asyncio.gather(*(process.kill() for process in list(self._processes)))
        for undo in self._untap:
            undo()
        if self._shared:
            self._ground.calm = at_once
        else:
            await self._ground.close()

    def opens_intents(self, opener: Opener) -> None:
        """How the shell opens a panel for an intent that none of the open ones handles."""
        self._intents.opener = opener

    def on_message(self, tap: MessageTap) -> Callable[[], None]:
        """See every message of every panel: ``tap(direction, package, pid, instance, context, raw)``. Returns what undoes
        it. For the inspector and for tests; what it shows is patient data."""
        undo = self._ground.on_message(tap)
        self._untap.append(undo)
        return undo

    def on_trouble(self, listener: Trouble) -> Callable[[], None]:
        """Crashes, for the administrator: ``listener(package, version, reason, disabled)``; no patient data."""
        return self.faults.listen(listener)

    # --- processes ------------------------------------------------------------------------------------------

    async def _acquire(self, package: Package) -> PanelProcess:
        process = await self._ground.acquire(package)
        if self._closed:
            await process.kill()
            raise Problem("closing", "Arbeidsflaten lukkes.")
        self._processes = {known for known in self._processes if known.alive}
        self._processes.add(process)
        return process

    async def calm(self) -> None:
        """Until nobody of those that are open now waits for a first render or for what it asked for, and that has had its
        time to be drawn; at most a second."""
        here, quiet, over = self.instances(), 0, self._clock.monotonic() + CALM_AFTER
        while quiet < 2 and not self._closed and self._clock.monotonic() < over:
            await asyncio.sleep(0.05)
            quiet = 0 if any(instance.waits for instance in here) else quiet + 1

    def _of(self, context: Context) -> list[Group]:
        return [group for (_, token), group in self._groups.items() if token == context.token]

    # --- faults and budgets ---------------------------------------------------------------------------------

    def keep_in(self, profile: Path) -> None:
        """Remember crashes over restarts, and put reports, in this folder."""
        self.faults.keep_in(profile)
        self._profile = profile

    def enable(self, package_id: str) -> None:
        """The administrator lifts the ban: what is open of it starts again."""
        self.faults.enable(package_id)
        for group in list(self._groups.values()):
            if group.package.id == package_id:
                group.enabled()

    def usage(self) -> list[PackageUsage]:
        """What each installed package uses and has sent, for the administrator; those that run first."""
        found = [
            replace(
                one, crashes=self.faults.count(one.package), disabled=self.faults.disabled(self._packages[one.package])
            )
            for one in self._ground.watcher.usage(self._packages.values(), self._ground.label)
        ]
        return sorted(found, key=lambda one: (not one.pids, one.vendor, one.name))

    def report(self, instance: PanelInstance, *, with_log: bool) -> Path:
        """Write a report about what went wrong with a panel; the log only when the user has seen it and agreed. Raises
        Problem when it cannot be written."""
        tail = scrubbed(instance.log_tail) if with_log else ""
        if self._profile is None:
            raise Problem("no-profile", "Meldingen kan ikke lagres: arbeidsflaten har ingen profilmappe.")
        try:
            return report(
                self._profile / "reports", self._clock, self._packages[instance.info.package],
                fault=instance.fault, reason=instance.problem, tier=self._ground.label, log_tail=tail,
            )  # fmt: skip
        except OSError as error:
            advice = "Sjekk at profilmappen finnes og kan skrives i."
            raise Problem("report-failed", "Meldingen kunne ikke lagres.", advice, str(error)) from error

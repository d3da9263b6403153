"""Runs a package for real, shut in as on a ward, over generated data, and gathers the evidence the checks judge.

Every view is opened with data, without, with failing queries, with fields missing, late, and with many rows; typed in,
pressed, asked, cancelled, killed and closed; then opened for somebody else. Never judges.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from workspace.broker.context import Context, for_nothing, for_patient, for_unit
from workspace.clock import OffsetClock
from workspace.panels import confinement, manifest
from workspace.panels.confinement import Policy, Tier
from workspace.panels.conformance import files, synthetic
from workspace.panels.conformance.evidence import Evidence, Passed, Visit, decoded
from workspace.panels.conformance.stand_in import Mode
from workspace.panels.conformance.visitor import Gone, Visitor
from workspace.panels.host import PanelHost
from workspace.panels.manifest import View
from workspace.problem import Problem

AT_ONCE = 3
"""Visits under way at a time."""
MODES: tuple[Mode, ...] = ("full", "none", "failing", "holes", "late", "many")


def unusable(folder: Path, fault: str) -> Evidence:
    """What there is to say of an archive that cannot be opened."""
    return Evidence(folder, manifest="the archive cannot be opened", sealed=fault, unrun="the archive cannot be opened")


async def rehearse(
    folder: Path, *, sealed: str = "", tier: Tier | None = None, told: Callable[[str], None] = lambda _: None
) -> Evidence:
    """Everything that can be seen of the package in `folder`; `sealed` is what was wrong with the archive it came in.
    Never raises for what the package does."""
    seen = Evidence(folder, sealed=sealed)
    seen.files, seen.odd = await asyncio.to_thread(files.read, folder)
    try:
        seen.package = await asyncio.to_thread(manifest.load, folder)
    except Problem as problem:
        seen.manifest = (problem.detail or str(problem)).replace(str(folder), "").lstrip("/")
        seen.unrun = "the manifest cannot be used"
        return seen
    if seen.package.kind != "native":
        seen.unrun = "only native panels are run"
        return seen
    if tier is None:
        tier = await asyncio.to_thread(confinement.probe)
    seen.confinement = tier.label
    if not tier.confined:
        seen.unrun = f"this machine cannot shut a panel in ({tier.why}); install bubblewrap"
        return seen
    await _run(seen, tier, told)
    return seen


async def _run(seen: Evidence, tier: Tier, told: Callable[[str], None]) -> None:
    package = seen.package
    assert package is not None
    clock = OffsetClock(synthetic.NOW, time.monotonic())
    host = PanelHost(
        seen.door, {package.id: package}, clock=clock, policy=Policy(), user=synthetic.USER, tenant="prove", tier=tier,
        locale=package.languages[0],
    )  # fmt: skip
    begun = time.monotonic()

    def tap(direction: str, _: str, pid: int, instance: str, context: str, raw: bytes) -> None:
        now = time.monotonic() - begun
        seen.passed.append(Passed(now, direction == "out", pid, instance, context, len(raw), decoded(raw)))

    host.on_message(tap)

    def trouble(_package: str, _version: str, reason: str, _disabled: bool) -> None:
        if "svarer ikke" not in reason:  # a hang is no crash, and is found by asking
            seen.crashes.append(reason)

    host.on_trouble(trouble)
    try:
        problems = await host.warm([package.id])
        if problems:
            seen.start = f"{problems[0].sentence} {problems[0].detail}".strip()
            seen.unrun = "the panel does not start"
            return
        _greeted(seen)
        for view in package.views:
            told(f"{view.id} …")
            await _all_of(seen, host, view)
    finally:
        await host.close()
        seen.door.close()


def _greeted(seen: Evidence) -> None:
    asked = next((one for one in seen.passed if one.to_panel and one.method == "initialize"), None)
    for one in seen.passed:
        if (
            asked is not None
            and not one.to_panel
            and one.body.get("id") == asked.body.get("id")
            and "result" in one.body
        ):
            held = one.body["result"]
            seen.greeting = held if isinstance(held, dict) else {}
            seen.hello = one.at - asked.at
            return


async def _all_of(seen: Evidence, host: PanelHost, view: View) -> None:
    """One view in every mode, at most three at a time; then for somebody else, when the first are gone."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def gated(work: Callable[[], Awaitable[None]]) -> None:
        async with gate:
            await work()

    visits = [Visit(view, mode, about(view, 0)) for mode in MODES]
    await asyncio.gather(*(gated(_errand(seen, host, visit)) for visit in visits))
    if view.context != "none":
        await _errand(seen, host, Visit(view, "full", about(view, 1)))()


def _errand(seen: Evidence, host: PanelHost, visit: Visit) -> Callable[[], Awaitable[None]]:
    first = visit.context.patient in (None, synthetic.RESIDENTS[0].reference) and visit.context.unit in (
        None,
        synthetic.UNIT,
    )

    async def run() -> None:
        seen.door.modes[visit.context.token] = visit.mode
        seen.visits.append(visit)
        visitor = Visitor(seen, host, visit)
        work: dict[Mode, Callable[[], Awaitable[None]]] = {
            "full": visitor.use, "none": visitor.abuse, "late": visitor.kill, "many": visitor.strain,
        }  # fmt: skip
        with contextlib.suppress(Gone):
            await visitor.open()
            if visit.drew and first and visit.mode in work:
                await work[visit.mode]()
        await visitor.leave()

    return run


def about(view: View, which: int) -> Context:
    """Whom a view is opened for: `which` 0 is the first, 1 somebody else altogether."""
    people = synthetic.RESIDENTS
    if view.context == "patient":
        return for_patient(people[which].reference)
    if view.context == "unit":
        there = people[:2] if which == 0 else people[2:]
        return for_unit(synthetic.UNIT + ("" if which == 0 else "-2"), tuple(one.reference for one in there))
    return for_nothing()


__all__ = ["Evidence", "about", "rehearse", "unusable"]

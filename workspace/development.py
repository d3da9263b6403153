"""Where a panel under development gets its data: the sandbox as it is on this machine, or generated ones.

Wires rooms together as `app` does, for `workspace panel dev` alone.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from workspace.problem import Problem

if TYPE_CHECKING:
    from workspace.broker.context import Context
    from workspace.panels.conformance.workbench import Source

Told = Callable[[str], None]
Connect = Callable[[Told], Awaitable["Source"]]


def generated() -> Connect:
    """Made-up residents and records for whatever is asked: nothing is started, and nothing is kept."""

    async def connect(told: Told) -> Source:
        from workspace.clock import OffsetClock
        from workspace.panels.conformance import run, synthetic
        from workspace.panels.conformance.stand_in import StandIn
        from workspace.panels.conformance.workbench import Source
        from workspace.panels.manifest import View

        door = StandIn()

        async def context(kind: str) -> tuple[Context, str]:
            who = synthetic.RESIDENTS[0]
            words = {"patient": f"{who.given} {who.family}", "unit": "Prøveavdelingen", "none": ""}
            return run.about(View(id="dev", title="dev", context=kind), 0), words[kind]  # type: ignore[arg-type]

        async def close() -> None:
            door.close()

        clock = OffsetClock(synthetic.NOW, time.monotonic())
        return Source(door, clock, synthetic.USER, "prove", "oppdiktede data", context, close)

    return connect


def sandbox(folder: Path, username: str, patient: str) -> Connect:
    """The sandbox that serves `folder`, started if none runs, signed on to as `username`. What is saved stays there."""

    async def connect(told: Told) -> Source:
        from workspace import app, settings
        from workspace.clock import SystemClock
        from workspace.panels.confinement import Policy
        from workspace.panels.conformance.workbench import Source
        from workspace.panels.ground import Ground
        from workspace.sandbox import attach, visitor
        from workspace.shell.shift import close_shift

        address = await attach.ensure(folder, progress=lambda _share, words: told(words))
        told("Logger inn …")
        platform = await app.discover(address)
        signed = await app.sign_on(platform, lambda url: visitor.choose(url, username))
        profile = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="workspace-dev-")
        ground = Ground({}, clock=SystemClock(), policy=Policy())
        options = app.Options(profile=Path(profile.name), locate=_nowhere)
        shift = await app.open_shift(options, settings.Settings(allow_key_file=True), platform, signed, ground)

        async def context(kind: str) -> tuple[Context, str]:
            return await _context(shift, kind, patient)

        async def close() -> None:
            await close_shift(shift, sign_out=True)
            await ground.close()
            await asyncio.to_thread(profile.cleanup)

        subject = signed.session.subject
        who = {"reference": subject.fhir_user, "display": subject.name, "role": subject.role}
        name = f"sandkassen, logget inn som {subject.name}"
        return Source(shift.broker, shift.clock, who, platform.organization_number, name, context, close)

    return connect


async def _context(shift: object, kind: str, patient: str) -> tuple[Context, str]:
    """A fresh context of `kind`, and whose it is. Raises Problem when nobody is there."""
    from workspace.broker.context import for_nothing, for_patient, for_unit

    if kind == "none":
        return for_nothing(), ""
    units = await shift.units_asked  # type: ignore[attr-defined]
    if not units:
        raise Problem("no-units", "Denne brukeren er ikke på vakt noe sted.", "Velg en annen med --as.")
    if kind == "unit":
        there = await shift.directory.residents(units[0].reference)  # type: ignore[attr-defined]
        return for_unit(units[0].reference, tuple(one.patient for one in there)), units[0].name
    for unit in units:
        for one in await shift.directory.residents(unit.reference):  # type: ignore[attr-defined]
            if one.patient == patient:
                return for_patient(patient), one.name
    raise Problem(
        "no-such-patient", f"Ingen av beboerne til denne brukeren er {patient}.", "Velg en annen med --patient."
    )


async def _nowhere(progress: object) -> str:
    return ""

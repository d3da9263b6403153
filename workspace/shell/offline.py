"""The desk's course when nobody can sign on: who is offered to come in by PIN, what they can read, and how it becomes an
ordinary shift once they have signed on.

Decides nothing about PINs and keys: the rooms that are handed in do.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from workspace.clock import OSLO, parse
from workspace.problem import Problem

if TYPE_CHECKING:
    from workspace.shell.options import Options, Rooms
    from workspace.shell.shift import Shift
    from workspace.shell.stages import Stages
    from workspace.shell.window import MainWindow

log = logging.getLogger(__name__)
UNREACHABLE = frozenset({"platform-unreachable", "identity-unreachable", "offline-empty"})
"""Codes of what keeps somebody from signing on who could still work here."""


class Offline:
    """What the sign-in page offers while nobody can sign on."""

    def __init__(self, options: Options, rooms: Rooms, stages: Stages, window: MainWindow) -> None:
        self._options, self._rooms, self._stages, self._window = options, rooms, stages, window

    async def offer(self, problem: Problem) -> None:
        """Under what went wrong: who may work without the platform, when it is that."""
        if problem.code in UNREACHABLE:
            self._window.sign_in.offer(await self._rooms.away(self._options))

    async def opened(self, own: str, pin: str) -> tuple[Any, Any] | None:
        """The platform as it was, and who is at work without it; None when the PIN does not open the vault `own`, which the
        page then says."""
        page = self._window.sign_in
        await self._stages.ready("work")
        try:
            platform, signed = await self._rooms.offline(self._options, own, pin)
        except Problem as problem:
            log.warning("%s: %s", problem.code, problem.detail)
            if problem.code == "pin-wrong":
                page.refused(problem)
            else:
                page.failed(problem)
                page.offer(await self._rooms.away(self._options))
            return None
        page.starting("Åpner arbeidsflaten uten nett …", 0.8)
        self._window.top.mark.setVisible(platform.sandbox)
        return platform, signed


async def joined(window: MainWindow, shift: Shift, home: str) -> str:
    """Who began by PIN has signed on: the platform's time, and the units that are theirs now. What is on screen stays.
    Returns the unit that is to be kept. Raises Problem."""
    from workspace.record.clocks import read_clock

    subject = shift.session.subject
    window.top.user.set_text(f"{subject.name} · {subject.role}")
    await read_clock(shift.client, into=shift.clock)
    units = await shift.directory.units(subject.fhir_user)
    if not units:
        return shift.unit
    shift.units = units
    here = shift.unit if any(one.reference == shift.unit for one in units) else units[0].reference
    window.top.unit.set_units([(one.reference, one.name) for one in units], here, home)
    await shift.broker.offline.only_units([one.reference for one in units])
    return here


async def readable_units(shift: Any) -> list[Any]:
    """The user's units: all of them, or those that are kept here when nobody has signed on. Raises Problem."""
    if shift.session.joined:
        return list(await shift.units_asked)
    kept = await shift.broker.offline.units()
    try:
        found = [unit for unit in await shift.units_asked if unit.reference in kept]
    except Problem:
        found = []
    if not found:
        raise Problem(
            "offline-empty",
            "Det er ingenting å lese uten nett på denne maskinen.",
            "Det som kopieres hit, varer i 72 timer. Det du har skrevet her, ligger trygt til du har logget inn.",
        )
    shift.attention.aged(age(min(kept[unit.reference] for unit in found)))
    return found


def age(fetched: str) -> str:
    """«14.01. kl. 14:45» of a clinical instant."""
    try:
        return f"{parse(fetched).astimezone(OSLO):%d.%m. kl. %H:%M}"
    except ValueError:
        return ""

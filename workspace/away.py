"""Opening the work when nobody can sign on: what must be remembered of the last sign-on, and who may come in by PIN.

Keeps no secret beside the vaults' own: the platform's description and its time lie in the workstation's vault, who
somebody is in their own. Free of Qt.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace.clock import Clock, OffsetClock, SystemClock, instant, parse
from workspace.problem import Problem

if TYPE_CHECKING:
    from workspace.signon.platform import Platform
    from workspace.signon.session import Subject
    from workspace.vault.people import Person, Vaults
    from workspace.vault.vault import Vault

log = logging.getLogger(__name__)
PLATFORM, SUBJECT = "platform", "subject"
"""Names of settings: the first in the workstation's vault, the second in a person's."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Somebody's vault, opened by their PIN, and all that is known without asking anybody."""

    vaults: Vaults
    vault: Vault
    platform: Platform
    subject: Subject
    clock: OffsetClock


async def remember(vaults: Vaults, vault: Vault, platform: Platform, subject: Subject, clock: OffsetClock) -> None:
    """Keep what `open_with_pin` needs. Raises nothing: who has signed on can work without it."""
    if not vaults.durable:
        return
    time = {"clinical": instant(clock.now()), "real": instant(clock.real()), "rate": clock.rate}
    try:
        await vaults.device().set_setting(PLATFORM, json.dumps({"platform": asdict(platform), "time": time}))
        await vault.set_setting(SUBJECT, json.dumps(asdict(subject)))
    except Problem as problem:
        log.warning("the sign-on is not remembered: %s", problem.code)


async def people(profile: Path) -> list[Person]:
    """Who may open their work here by PIN, by name. Raises nothing: whoever cannot be found is not offered."""
    from workspace.vault.keys import existing_key
    from workspace.vault.people import roster

    try:
        key = (await asyncio.to_thread(existing_key, profile)).key
        return [] if key is None else [one for one in await asyncio.to_thread(roster, profile, key) if one.pin]
    except (Problem, OSError) as fault:
        log.warning("nobody can be offered to work without the platform: %s", fault)
        return []


async def open_with_pin(profile: Path, own: str, pin: str) -> Opened:
    """Open the vault `own` with its person's PIN. Raises Problem: what is wrong with the PIN, or with a vault, or
    ``offline-unknown`` when nothing is remembered."""
    from workspace.vault.keys import existing_key
    from workspace.vault.people import Vaults

    key = (await asyncio.to_thread(existing_key, profile)).key
    if key is None:
        raise Problem("pin-none", "Nøkkelringen på denne maskinen er låst.", "Lås den opp og prøv igjen.")
    vaults = await Vaults.open(profile, key, SystemClock())
    try:
        vault = await vaults.open_with(own, pin)
        platform, clock = await _platform(vaults)
        subject = await _subject(vault)
    except BaseException:
        await vaults.close()
        raise
    return Opened(vaults, vault, platform, subject, clock)


async def _platform(vaults: Vaults) -> tuple[Platform, OffsetClock]:
    from workspace.signon.platform import Platform

    kept = await vaults.device().setting(PLATFORM)
    try:
        body = json.loads(kept or "")
        return Platform(**body["platform"]), _clock(body["time"], SystemClock())
    except (ValueError, TypeError, KeyError) as error:
        raise _unknown(error) from error


async def _subject(vault: Vault) -> Subject:
    from workspace.signon.session import Subject

    try:
        return Subject(**json.loads(await vault.setting(SUBJECT) or ""))
    except (ValueError, TypeError) as error:
        raise _unknown(error) from error


def _clock(time: Any, own: Clock) -> OffsetClock:
    """The platform's time as it would be now, had nobody set it since."""
    rate = float(time["rate"])
    passed = (own.real() - parse(time["real"])) / timedelta(seconds=1)
    return OffsetClock(parse(time["clinical"]) + timedelta(seconds=passed * rate), own.monotonic(), rate)


def _unknown(error: Exception) -> Problem:
    return Problem(
        "offline-unknown",
        "Det som trengs for å arbeide uten nett, er ikke på denne maskinen.",
        "Logg inn når plattformen svarer igjen.",
        repr(error),
    )

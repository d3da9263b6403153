"""`workspace wipe`: what was copied to this machine is deleted, without anybody signing on.

Deletes copies of the record, PINs, and the vaults in which nothing waits; with `whole` all vaults and their key, and then
what nobody has sent only when it is told to. What it cannot clean it names, and goes on. Never makes a key, and never
touches a vault that a running program has.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace.clock import SystemClock
from workspace.problem import Problem

if TYPE_CHECKING:
    from workspace.vault.people import Vaults


def run(profile: Path, *, whole: bool, even_unsent: bool, as_json: bool) -> int:
    """Do it and say what was done. 1 when something here is not clean. Raises Problem."""
    if even_unsent and not whole:
        raise Problem(
            "wipe-unclear",
            "--even-unsent gjelder bare sammen med --all.",
            "Arbeid som ikke er sendt, slettes aldri uten --all.",
        )
    told = asyncio.run(_wiped(profile, whole=whole, even_unsent=even_unsent))
    sys.stdout.write((json.dumps(told, ensure_ascii=False) if as_json else _words(told)) + "\n")
    return 1 if told["faults"] else 0


async def _wiped(profile: Path, *, whole: bool, even_unsent: bool) -> dict[str, Any]:
    from workspace.vault.keys import existing_key, forget_key
    from workspace.vault.people import FOLDER, FORMER
    from workspace.vault.vault import ASIDE

    told: dict[str, Any] = {
        "profile": str(profile),
        "vault": "none",
        "copies": 0,
        "persons": 0,
        "unsent": 0,
        "drafts": 0,
        "unread": 0,
        "pins": 0,
        "faults": [],
    }
    files = _files(profile)
    unread = [one.name for one in files if ASIDE in one.name]
    if (profile / FORMER).exists() or [one for one in files if one.suffix == ".sqlite" and one.name not in unread]:
        key = await asyncio.to_thread(existing_key, profile)
        if key.key is not None:
            unread += await _opened(profile, key.key, told, only_empty=whole and not even_unsent)
        elif not (whole and even_unsent):
            raise _keyless(profile)
        told["vault"] = "kept"
    if not whole:
        return told
    if unread and not even_unsent:
        raise Problem(
            "wipe-unread",
            "Her ligger et lager som ikke kan leses, og som kan ha arbeid som ikke er sendt.",
            "Be brukerstøtte om hjelp, eller slett det også med --all --even-unsent.",
            ", ".join(unread),
        )
    await asyncio.to_thread(forget_key, profile)  # first: without it the rest is noise
    files = _files(profile)  # one may have been moved aside
    for one in files:
        one.unlink(missing_ok=True)
    if (profile / FOLDER).is_dir():
        (profile / FOLDER).rmdir()
    told["vault"], told["unread"], told["pins"], told["faults"] = ("deleted" if files else "none"), 0, 0, []
    return told


async def _opened(profile: Path, key: bytes, told: dict[str, Any], *, only_empty: bool) -> list[str]:
    """Wipe the copies in everybody's vault, and in the one that was everybody's, and count what is unsent. Names of what
    cannot be read. With `only_empty` raises Problem ``wipe-unsent`` before anything goes."""
    from workspace.record.wiping import unsent, wipe

    vaults, unread = await _vaults(profile, key)
    try:
        unread |= await vaults.unread()
        counts = [await vaults.device().run(unsent)]
        names = {}
        for person in await vaults.others():
            names[person.id] = person.who.name or person.who.user
            try:
                async with vaults.visit(person) as vault:
                    counts.append(await vault.run(unsent))
            except Problem as problem:
                unread[person.id] = problem
        told["unsent"], told["drafts"] = (sum(each) for each in zip(*counts, strict=True))
        if only_empty and (told["unsent"] or told["drafts"]):
            raise _waiting(told["unsent"], told["drafts"])
        done = await wipe(vaults, vaults.device())
        told["unread"], told["copies"], told["persons"] = len(unread), done.copies, done.vaults
        told["pins"] = sum(person.pin for person in await vaults.others())
        told["faults"] = [_fault(own, names.get(own, ""), why) for own, why in (unread | done.faults).items()]
    finally:
        await vaults.close()
    return list(unread)


async def _vaults(profile: Path, key: bytes) -> tuple[Vaults, dict[str, Problem]]:
    """Everybody's, also when the workstation's own cannot be read: why not, by its name. Raises Problem."""
    from workspace.vault.people import FORMER, Vaults
    from workspace.vault.vault import Vault

    try:
        return await Vaults.open(profile, key, SystemClock()), {}
    except Problem as problem:
        if problem.code == "vault-damaged":  # it was moved aside
            return await Vaults.open(profile, key, SystemClock()), {FORMER: problem}
        if problem.code == "vault-newer":  # nobody else has it, so no program runs here
            memory = await Vault.open(None, None, SystemClock())
            return Vaults(profile, key, SystemClock(), memory), {FORMER: problem}
        raise


def _fault(own: str, name: str, why: Problem) -> dict[str, str]:
    return {"vault": own, "person": name, "code": why.code, "sentence": str(why)}


def _files(profile: Path) -> list[Path]:
    """The vaults, what lies beside them, and those that were moved aside as damaged."""
    from workspace.vault.people import FOLDER

    return sorted([*profile.glob("vault*.sqlite*"), *(profile / FOLDER).glob("*")])


def _waiting(unsent: int, drafts: int) -> Problem:
    return Problem(
        "wipe-unsent",
        f"Her er arbeid som ikke er sendt: {unsent} som venter på plattformen, {drafts} kladder. Ingenting er slettet.",
        "Logg inn så det blir sendt. Skal det likevel slettes for godt: --all --even-unsent.",
    )


def _keyless(profile: Path) -> Problem:
    return Problem(
        "wipe-keyless",
        "Det lokale lageret kan ikke åpnes: nøkkelen er ikke å få tak i. Ingenting er slettet.",
        "Lås opp nøkkelringen og prøv igjen, eller slett hele lageret med --all --even-unsent.",
        str(profile),
    )


def _words(told: dict[str, Any]) -> str:
    if told["vault"] == "none":
        return f"Det er ikke noe lokalt lager i {told['profile']}."
    lines = [
        f"{told['copies']} kopier for lesing uten plattform er slettet.",
        f"Lager med nøkkel er slettet for {told['persons']} som ikke hadde noe usendt.",
    ]
    if told["pins"]:
        lines.append(f"{told['pins']} kan fortsatt arbeide uten nett med PIN.")
    else:
        lines.append("Ingen kan lenger arbeide uten nett med PIN.")
    if told["faults"]:
        lines.append(
            f"Ikke renset: {len(told['faults'])} lokale lager. Rett det som står her, og kjør kommandoen igjen."
        )
    for one in told["faults"]:
        lines.append(f"  {one['person'] or 'Ukjent eier'} ({one['vault']}): {one['sentence']}")
    if told["vault"] == "deleted":
        lines.append("Det lokale lageret og nøkkelen er slettet.")
    elif told["unsent"] or told["drafts"]:
        lines.append(f"Beholdt: {told['unsent']} som venter på plattformen og {told['drafts']} kladder.")
    return "\n".join(lines)

"""`workspace wipe`: what was copied to this machine is deleted, without anybody signing on.

Deletes copies of the record only; with `whole` the vault and its key, and then what nobody has sent only when it is told to.
Never makes a key, and never touches a vault that a running program has.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from workspace.clock import SystemClock
from workspace.problem import Problem


def run(profile: Path, *, whole: bool, even_unsent: bool, as_json: bool) -> int:
    """Do it and say what was done. Raises Problem."""
    if even_unsent and not whole:
        raise Problem(
            "wipe-unclear",
            "--even-unsent gjelder bare sammen med --all.",
            "Arbeid som ikke er sendt, slettes aldri uten --all.",
        )
    told = asyncio.run(_wiped(profile, whole=whole, even_unsent=even_unsent))
    sys.stdout.write((json.dumps(told, ensure_ascii=False) if as_json else _words(told)) + "\n")
    return 0


async def _wiped(profile: Path, *, whole: bool, even_unsent: bool) -> dict[str, Any]:
    from workspace.record.offline import wipe
    from workspace.vault.keys import existing_key, forget_key
    from workspace.vault.vault import Vault

    told: dict[str, Any] = {"profile": str(profile), "vault": "none", "copies": 0, "unsent": 0, "drafts": 0}
    files = _files(profile)
    file = profile / "vault.sqlite"
    unread = [one for one in files if ".skadet-" in one.name]
    if file.exists():
        key = await asyncio.to_thread(existing_key, profile)
        if key.key is None:
            if not (whole and even_unsent):
                raise _keyless(profile)
        else:
            vault = await Vault.open(file, key.key, SystemClock())
            try:
                told["unsent"], told["drafts"] = await vault.run(_unsent)
                if whole and not even_unsent and (told["unsent"] or told["drafts"]):
                    raise _waiting(told["unsent"], told["drafts"])
                told["copies"] = await wipe(vault)
            finally:
                await vault.close()
        told["vault"] = "kept"
    if not whole:
        return told
    if unread and not even_unsent:
        raise Problem(
            "wipe-unread",
            "Her ligger et skadet lager som kan ha arbeid som ikke er sendt.",
            "Be brukerstøtte om hjelp, eller slett det også med --all --even-unsent.",
            ", ".join(one.name for one in unread),
        )
    await asyncio.to_thread(forget_key, profile)  # first: without it the rest is noise
    for one in files:
        one.unlink(missing_ok=True)
    told["vault"] = "deleted" if files else "none"
    return told


def _files(profile: Path) -> list[Path]:
    """The vault, what lies beside it, and those that were moved aside as damaged."""
    return sorted(profile.glob("vault*.sqlite*"))


def _unsent(database: Any) -> tuple[int, int]:
    """What the platform does not have: transactions, and drafts that it has not confirmed."""
    waiting = int(next(iter(database.execute("SELECT count(*) FROM outbox WHERE state <> 'lagret'")))[0])
    drafts = [more for (more,) in database.execute("SELECT other FROM draft")]
    return waiting, sum(not (more and json.loads(more).get("expires")) for more in drafts)


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
    lines = [f"{told['copies']} kopier for lesing uten plattform er slettet."]
    if told["vault"] == "deleted":
        lines.append("Det lokale lageret og nøkkelen er slettet.")
    elif told["unsent"] or told["drafts"]:
        lines.append(f"Beholdt: {told['unsent']} som venter på plattformen og {told['drafts']} kladder.")
    return "\n".join(lines)

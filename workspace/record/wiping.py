"""What a wipe deletes, and what it leaves of people's vaults: what nobody else has, and nothing else.

No PIN opens anything here afterwards. A vault goes, with its key, as soon as nothing waits in it: at once, or when its owner
has gone, or when the courier has been. One that cannot be cleaned holds up no other. Never deletes what the platform does
not have.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from workspace.problem import Problem
from workspace.vault.people import FORMER, Vaults
from workspace.vault.vault import Vault

log = logging.getLogger(__name__)
UNREADABLE = "vault-damaged"
"""Nobody can read what is copied there, and what else is in it must not go: it is passed over."""


@dataclass(slots=True)
class Wiped:
    """What a wipe came to: how many `copies` there were, how many `vaults` went whole, and in `faults` why something is not
    clean, by the id of its vault."""

    copies: int = 0
    vaults: int = 0
    faults: dict[str, Problem] = field(default_factory=dict)

    def fault(self) -> Problem | None:
        """The first reason why it is not carried out yet; None when it is."""
        return next((one for one in self.faults.values() if one.code != UNREADABLE), None)

    @contextmanager
    def going_on(self, own: str) -> Iterator[None]:
        """What fails in the vault `own` is remembered, and the others come all the same."""
        try:
            yield
        except Problem as problem:
            log.warning("a vault is not wiped: %s", problem.code)
            self.faults.setdefault(own, problem)


async def wipe(vaults: Vaults | None, own: Vault) -> Wiped:
    """Everything that was copied here: from `own`, which is open, and from everybody else's of `vaults`. All that can be
    done is done. Raises nothing."""
    done = await _round(vaults, own)
    if done.vaults and done.fault() is not None:  # what went has left room on the disk
        again = await _round(vaults, own)
        done = Wiped(done.copies + again.copies, done.vaults + again.vaults, again.faults)
    return done


async def _round(vaults: Vaults | None, own: Vault) -> Wiped:
    """PINs first, for they take the least room on the disk, and a vault that goes takes none."""
    done = Wiped(faults=await vaults.end() if vaults is not None else {})
    with done.going_on(own.path.stem if own.path is not None else FORMER):
        await _clean(own, done)
    if vaults is None:
        return done
    for unread, problem in (await vaults.unread()).items():
        done.faults.setdefault(unread, problem)
    for person in await vaults.others(than=own):
        with done.going_on(person.id):
            async with vaults.visit(person) as vault:
                await _clean(vault, done)
    await _clear(vaults, done, ordered=True)
    return done


async def _clean(vault: Vault, done: Wiped) -> None:
    """Every copy in `vault`, off the disk too. Raises Problem."""
    try:
        done.copies += await vault.run(_forget)
    except Problem as problem:
        if problem.code not in ("vault-full", "vault-unwritable"):
            raise
        done.copies += await vault.run(_forget_unwritten)
    await vault.scrub()


def _forget(database: Any) -> int:
    count = int(next(iter(database.execute("SELECT count(*) FROM offline")))[0])
    database.execute("DELETE FROM offline")
    return count


def _forget_unwritten(database: Any) -> int:
    """On a full disk: what goes is not written over, which takes as much room as it has. That is left to the scrub."""
    list(database.execute("PRAGMA secure_delete = OFF"))
    try:
        return _forget(database)
    finally:
        list(database.execute("PRAGMA secure_delete = ON"))


def unsent(database: Any) -> tuple[int, int]:
    """What the platform does not have: transactions, and drafts that it has not confirmed or that lost to a newer text."""
    waiting = int(next(iter(database.execute("SELECT count(*) FROM outbox WHERE state <> 'lagret'")))[0])
    drafts = [json.loads(more) if more else {} for (more,) in database.execute("SELECT other FROM draft")]
    return waiting, sum(not more.get("expires") or bool(more.get("other")) for more in drafts)


def waits(database: Any) -> bool:
    """Whether something must stay: what is unsent, and what was read here that the platform's log does not have yet."""
    reports = next(iter(database.execute("SELECT count(*) FROM report")))[0]
    return bool(reports) or any(unsent(database))


async def clear(vaults: Vaults) -> int:
    """What was ordered to go and can go now. How many vaults went. Raises Problem, when all have been tried; who has a
    damaged one, or a newer program's, is passed over."""
    done = Wiped()
    await _clear(vaults, done, ordered=False)
    for problem in done.faults.values():
        if problem.code not in (UNREADABLE, "vault-newer"):
            raise problem
    return done.vaults


async def _clear(vaults: Vaults, done: Wiped, *, ordered: bool) -> None:
    """`ordered`: also those whose mark a full disk did not take."""
    for person in await vaults.others():
        if ordered or person.going:
            with done.going_on(person.id):
                if await vaults.clear(person, waits, ordered=ordered):
                    done.vaults += 1
                    done.faults.pop(person.id, None)


async def clear_own(vaults: Vaults, vault: Vault) -> None:
    """`vault` is used no more: if it was ordered to go, and nothing waits, it does."""
    await vaults.leave(vault)
    await clear(vaults)

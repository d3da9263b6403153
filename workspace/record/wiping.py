"""What a wipe leaves of people's vaults: what nobody else has, and nothing else.

No PIN opens anything here afterwards. A vault goes, with its key, as soon as nothing waits in it: at once, or when its owner
has gone, or when the courier has been. Never deletes what the platform does not have.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from workspace.problem import Problem
from workspace.vault.people import Vaults
from workspace.vault.vault import Vault

log = logging.getLogger(__name__)


def unsent(database: Any) -> tuple[int, int]:
    """What the platform does not have: transactions, and drafts that it has not confirmed or that lost to a newer text."""
    waiting = int(next(iter(database.execute("SELECT count(*) FROM outbox WHERE state <> 'lagret'")))[0])
    drafts = [json.loads(more) if more else {} for (more,) in database.execute("SELECT other FROM draft")]
    return waiting, sum(not more.get("expires") or bool(more.get("other")) for more in drafts)


def waits(database: Any) -> bool:
    """Whether something must stay: what is unsent, and what was read here that the platform's log does not have yet."""
    reports = next(iter(database.execute("SELECT count(*) FROM report")))[0]
    return bool(reports) or any(unsent(database))


async def end(vaults: Vaults) -> int:
    """Every PIN goes, and every vault in which nothing waits and that nobody has open. How many went. Raises Problem."""
    await vaults.end()
    return await clear(vaults)


async def clear(vaults: Vaults) -> int:
    """What was ordered to go and can go now. How many vaults went. Raises Problem; who has a damaged one is passed over."""
    count = 0
    for person in await vaults.others():
        if not person.going:
            continue
        try:
            count += await vaults.clear(person, waits)
        except Problem as problem:
            if problem.code not in ("vault-damaged", "vault-newer"):
                raise
            log.warning("a vault that should go cannot be read: %s", problem.code)
    return count


async def clear_own(vaults: Vaults, vault: Vault) -> None:
    """`vault` is used no more: if it was ordered to go, and nothing waits, it does."""
    await vaults.leave(vault)
    await clear(vaults)

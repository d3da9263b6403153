"""The session's key, made known to the platform: then what waits can be delivered after its author has signed out.

Tried until the platform takes it; which keys are known is written in the vault, so that a later courier knows it too. A key
that nothing waits under any more is withdrawn at the end. Never holds up the work: without it, what waits is sent when its
author is back.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from workspace.problem import Problem
from workspace.record.client import Client, PlatformProblem
from workspace.record.outbox import Outbox
from workspace.record.patience import Patience, may_still_pass
from workspace.vault.vault import Vault

log = logging.getLogger(__name__)
PREFIX = "session-key:"
"""Of the vault's settings, one for each key that the platform knows."""
AGAIN = 4 * 3600.0
"""Seconds after which a session that goes on says so: the platform reckons its length from the last time."""
FAREWELL = 1.5
"""Seconds that a sign-out waits for the platform to forget the key."""


class Registration:
    """`device` is the workstation's name for itself. ``await start()``; ``await close()`` after the outbox is closed and
    before the session ends."""

    def __init__(self, outbox: Outbox, vault: Vault, client: Client, *, device: str) -> None:
        self._outbox, self._vault, self._client, self._device = outbox, vault, client, device
        self._task: asyncio.Task[None] | None = None
        self._idle: set[str] = set()
        """Own keys of earlier sessions that nothing waits under."""

    async def start(self) -> None:
        """Begin; returns at once. Keys of earlier sessions are looked up in the vault."""
        self._outbox.registered |= await registered(self._vault)
        used = {str(one.seal.get("kid")) for one in self._outbox.items()}
        self._idle = await registered(self._vault, self._outbox.user) - used
        self._task = asyncio.create_task(self._work(), name="session-key")

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        own = self._outbox.session_key().id if self._outbox.has_key() else ""
        if own in self._outbox.registered and not any(one.seal.get("kid") == own for one in self._outbox.items()):
            await self._withdraw(own)

    async def _withdraw_idle(self) -> None:
        idle, self._idle = self._idle, set()
        for own in idle:
            await self._withdraw(own)

    async def _withdraw(self, own: str) -> None:
        try:
            async with asyncio.timeout(FAREWELL):
                await self._client.withdraw_key(own)
        except (Problem, TimeoutError):
            log.info("a session's key could not be withdrawn: it is tried at the next sign-on, or runs out")
        else:
            await forget(self._vault, own)

    async def _work(self) -> None:
        patience = Patience()
        key = await asyncio.to_thread(self._outbox.session_key)  # its library takes long to import
        while True:
            try:
                await self._client.register_key(key.public, self._device)
            except PlatformProblem as problem:
                if not may_still_pass(problem):
                    log.warning("the platform does not take the session's key: %s", problem.code)
                    return
                await asyncio.sleep(patience.next(problem))
            except Problem as problem:  # the session is expired, or its provider away
                await asyncio.sleep(patience.next(problem))
            else:
                self._outbox.registered.add(key.id)
                await self._vault.set_setting(PREFIX + key.id, self._outbox.user)
                patience = Patience()
                await self._withdraw_idle()
                await asyncio.sleep(AGAIN)


async def registered(vault: Vault, user: str = "") -> set[str]:
    """Ids of the keys that the platform was told of from this vault; those of `user` alone when it is given."""

    def read(database: Any) -> list[str]:
        query = "SELECT name FROM setting WHERE name >= ? AND name < ? AND (value = ? OR ? = '')"
        return [str(row[0]) for row in database.execute(query, (PREFIX, PREFIX[:-1] + ";", user, user))]

    return {name.removeprefix(PREFIX) for name in await vault.run(read)}


async def forget(vault: Vault, own: str) -> None:
    await vault.set_setting(PREFIX + own, None)

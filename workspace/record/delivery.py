"""The courier: delivers what somebody else left sealed on this workstation, while they are not signed in here.

First in, first out for each patient of each author. It sends the bytes as their author sealed them, in the author's name
and with the author's rights of now; it looks into them for their order alone. Never changes them, never shows them to
anybody and never settles a conflict: that waits for the author.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from workspace.problem import Problem
from workspace.record.client import Client, PlatformProblem
from workspace.record.items import ANSWERED, Item, is_answer, item_of
from workspace.record.order import next_of, rests_on
from workspace.record.patience import Patience, Pause, may_still_pass
from workspace.record.readdress import REPLACED
from workspace.record.refusal import TRIES
from workspace.record.registration import forget, registered
from workspace.record.wiping import waits
from workspace.vault.people import Person, Vaults
from workspace.vault.vault import Vault

log = logging.getLogger(__name__)

KEY_GONE = frozenset({"key-unknown", "key-expired", "key-revoked"})
AUTHOR_ONLY = KEY_GONE | {"outside-session", "seal-broken"}
"""What the platform says of a seal: nothing is wrong with what was written, so its author can send it."""
NO_SUCH_DOOR = frozenset({404, 405, 501})
LOOKS = 20.0
"""Seconds between two looks at what waits."""


class Courier:
    """`own` is the vault of who is signed in; it is not touched. `pause` is that of their outbox: both send
    to one platform. ``await start()``; ``await close()`` before the vaults."""

    def __init__(self, vaults: Vaults, client: Client, *, own: Vault | None = None, pause: Pause | None = None) -> None:
        self._vaults, self._client, self._own = vaults, client, own
        self._pause = pause or Pause()
        self._task: asyncio.Task[None] | None = None
        self._left: set[str] = set()
        """Ids of what only its author can send."""
        self._noes: Counter[str] = Counter()
        self._done: set[str] = set()
        """Ids of the vaults where nothing can go: while somebody else is at this workstation, nothing comes to them."""

    async def start(self) -> None:
        """Begin; returns at once."""
        self._task = asyncio.create_task(self._work(), name="courier")

    async def close(self) -> None:
        """Stop; what is on its way is asked for again by whoever comes next, under the same key."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _work(self) -> None:
        patience = Patience()
        while True:
            try:
                fault = await self.deliver()
            except Problem as problem:  # the disk
                log.warning("the courier cannot work now: %s", problem.code)
                fault = problem
            if fault is None:
                patience = Patience()
            seconds = LOOKS if fault is None else patience.next(fault)
            await asyncio.sleep(seconds)
            await self._pause.over()

    async def deliver(self) -> Problem | None:
        """Deliver all that can go; None when that was done, else why it must be tried again."""
        tried = None
        for person in await self._vaults.others(than=self._own):
            if person.id in self._done:
                continue
            try:
                async with self._vaults.visit(person) as vault:
                    fault = await self._deliver_from(vault)
            except Problem as problem:
                if problem.code not in ("vault-damaged", "vault-newer"):
                    raise
                log.warning("a vault waits for its owner: %s", problem.code)
                fault = None
            if fault is None:
                self._done.add(person.id)
                await self._clear(person)
            elif getattr(fault, "status", 0) == 0:  # the platform is away, for all of them
                return fault
            tried = tried or fault
        return tried

    async def _clear(self, person: Person) -> None:
        """What was ordered to go, and waited for this."""
        if not person.going:
            return
        try:
            await self._vaults.clear(person, waits)
        except Problem as problem:
            log.warning("a vault that should go stays: %s", problem.code)

    async def _deliver_from(self, vault: Vault) -> Problem | None:
        while True:
            waiting = await self._waiting(vault)
            ready = next_of(waiting, await registered(vault), self._left)
            if not ready:
                return None
            for item in ready:
                if self._pause.left:  # nobody's vault is held open over a pause
                    return Problem("paused", "Plattformen har bedt om en pause.")
                fault = await self._send(vault, item, waiting)
                if fault is not None:
                    self._pause.asked_by(fault, getattr(fault, "retry_after", 0.0))
                    return fault

    async def _waiting(self, vault: Vault) -> list[tuple[Item, str]]:
        """What its author has not seen the end of, in its order, with its state in the vault."""

        def read(database: Any) -> list[tuple[Any, ...]]:
            query = "SELECT seq, id, user, patient, state, body, made FROM outbox ORDER BY seq"
            return list(database.execute(query))

        return [(item_of(*row), str(row[4])) for row in await vault.run(read)]

    async def _send(self, vault: Vault, item: Item, waiting: Sequence[tuple[Item, str]]) -> Problem | None:
        try:
            answer = (await self._client.sealed(item.sent, item.sent_as, item.seal)).body
        except PlatformProblem as problem:
            return await self._refused(vault, item, problem)
        if not is_answer(answer, item.bundle):
            return await self._again(vault, item, Problem("platform-malformed", "Plattformen svarte på noe annet."))
        # What others rest on stays until its author can give them its names and versions.
        rests = any(rests_on(other, item) for other, _ in waiting if other.author == item.author)
        await self._note(vault, item, ANSWERED if rests else "")
        log.info("delivered for an author who is not signed in")
        return None

    async def _refused(self, vault: Vault, item: Item, problem: PlatformProblem) -> Problem | None:
        if problem.code in AUTHOR_ONLY or problem.status in NO_SUCH_DOOR:
            log.warning("what waits can be sent by its author only: %s", problem.code)
            self._left.add(item.id)
            if problem.code in KEY_GONE:
                await forget(vault, str(item.seal.get("kid")))
        elif may_still_pass(problem):
            return problem
        elif problem.status == 409 and problem.code != REPLACED:
            return await self._again(vault, item, problem)
        elif problem.status in (409, 412):
            await self._note(vault, item, ANSWERED)
        else:
            await self._note(vault, replace(item, state="avvist", problem=problem), "avvist")
        return None

    async def _again(self, vault: Vault, item: Item, problem: Problem) -> Problem | None:
        """To be sent again, for it may pass; what goes on so waits for its author, who can ask what became of it, and no
        longer stands in anybody's way."""
        self._noes[item.id] += 1
        if self._noes[item.id] < TRIES:
            return problem
        await self._note(vault, item, ANSWERED)
        return None

    async def _note(self, vault: Vault, item: Item, state: str) -> None:
        def write(database: Any) -> None:
            if state:
                database.execute("UPDATE outbox SET state = ?, body = ? WHERE id = ?", (state, item.body(), item.id))
            else:
                database.execute("DELETE FROM outbox WHERE id = ?", (item.id,))

        await vault.run(write)

"""What the broker reports to the platform's audit: openings, reads (cache hits too) and refusals, in batches.

Kept in the vault until the platform has them, so that what was read while it was away is told even after a crash. The newest
thousands only: a dead platform fills neither memory nor disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Any
from uuid import uuid4

from workspace.broker.grant import Grant
from workspace.clock import Clock, instant
from workspace.fhir import json
from workspace.problem import Problem
from workspace.record.client import PURPOSE, Client, PlatformProblem
from workspace.vault.vault import Vault

log = logging.getLogger(__name__)
DELAY, BATCH, MOST = 0.5, 200, 20_000
UNREADABLE = frozenset({400, 413, 422})


class Reports:
    """`add` is cheap and never waits; `close` sends what is left. Without a `vault` they are in memory alone; what an
    earlier session of `user` left there goes first."""

    def __init__(self, client: Client, clock: Clock, vault: Vault | None = None, *, user: str = "") -> None:
        self._client, self._clock, self._vault, self._user = client, clock, vault, user
        self._unkept: list[dict[str, Any]] = []
        self._told: list[str] = []
        """Ids that the platform has and the vault still holds."""
        self._loaded = vault is None
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MOST)
        self._size = BATCH
        self._said: set[tuple[str, ...]] = set()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def add(
        self,
        kind: str,
        grant: Grant,
        patients: Sequence[str],
        *,
        query: str = "",
        request: str = "",
        cached: bool = False,
        reason: str = "",
    ) -> None:
        """One event; a read of the same shape in the same opening of a context is told once (DESIGN §5)."""
        key = (kind, grant.signature, grant.context.token, query, reason)
        if key in self._said or self._closed:
            return
        self._said.add(key)
        event = {
            "id": str(uuid4()), "kind": kind, "package": grant.signature, "instance": grant.instance,
            "context": grant.context.token, "patients": list(patients), "purpose": PURPOSE, "query": query,
            "request": request, "cached": cached, "at": instant(self._clock.now()), "reason": reason,
        }  # fmt: skip
        self._waiting.append(event)
        if self._vault is not None:
            self._unkept.append(event)
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._soon())

    def forget(self, context: str) -> None:
        """A context is over: opening it again is a new opening."""
        self._said = {key for key in self._said if key[2] != context}

    async def close(self) -> None:
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._load()
        await self._keep()
        while self._waiting and await self._send():
            pass
        await self._keep()

    async def _soon(self) -> None:
        pause = DELAY
        await self._load()
        while self._waiting:
            await asyncio.sleep(0 if self._size == 1 and pause == DELAY else pause)
            await self._keep()
            pause = DELAY if await self._send() else min(pause * 2, 30.0)
        await self._keep()

    # The vault ------------------------------------------------------------------------------------

    async def _load(self) -> None:
        """What an earlier session could not tell comes before what is told now."""
        if self._loaded or self._vault is None:
            return

        def read(database: Any) -> list[tuple[str]]:
            query = "SELECT body FROM report WHERE user = ? ORDER BY seq DESC LIMIT ?"
            return list(database.execute(query, (self._user, MOST)))

        try:
            rows = await self._vault.run(read)
        except Problem as problem:
            log.warning("earlier audit reports wait in the vault: %s", problem.code)
            return
        self._loaded = True
        here = {event["id"] for event in self._waiting}
        former = [event for (body,) in rows if (event := json.loads(body))["id"] not in here]
        self._waiting.extendleft(former[: MOST - len(self._waiting)])

    async def _keep(self) -> None:
        """The vault holds what waits, and nothing that was told."""
        if self._vault is None or not (self._unkept or self._told):
            return
        told, rows = self._told[:], [(one["id"], self._user, json.dumps(one).decode()) for one in self._unkept]
        gone = set(told)

        def write(database: Any) -> None:
            fresh = [row for row in rows if row[0] not in gone]
            database.executemany("INSERT OR IGNORE INTO report (id, user, body) VALUES (?, ?, ?)", fresh)
            database.executemany("DELETE FROM report WHERE id = ?", [(one,) for one in told])
            newest = "SELECT seq FROM report WHERE user = ? ORDER BY seq DESC LIMIT 1 OFFSET ?"
            database.execute(f"DELETE FROM report WHERE user = ? AND seq <= ({newest})", (self._user, self._user, MOST))

        try:
            await self._vault.run(write)
        except Problem as problem:  # a full disk must not keep from the platform what it could be told
            log.warning("audit reports are in memory alone: %s", problem.code)
            return
        del self._unkept[: len(rows)], self._told[: len(told)]

    # The platform ---------------------------------------------------------------------------------

    async def _send(self) -> bool:
        batch = list(islice(self._waiting, self._size))
        try:
            await asyncio.wait_for(self._client.audit(batch), 10.0)
        except (Problem, TimeoutError) as fault:
            if not (isinstance(fault, PlatformProblem) and fault.status in UNREADABLE):
                log.warning("audit reports wait: %s", type(fault).__name__)
                return False
            # One report the platform cannot read must not hold back all that follow it: find it, and go on without.
            if len(batch) > 1:
                self._size = 1
                return True
            log.error("audit report refused: %s", fault.detail)
        else:
            self._size = BATCH
        for event in batch:
            # The oldest may have been pushed out meanwhile.
            if self._waiting and self._waiting[0] is event:
                self._waiting.popleft()
            if self._vault is not None:
                self._told.append(event["id"])
        return True

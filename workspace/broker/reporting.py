"""What the broker reports to the platform's audit: openings, reads (cache hits too) and refusals, in batches.

Kept until the platform has them, and in their person's vault while it is away: what was read without the platform is in the
log once its reader has signed on. The newest thousands only, so that a dead platform cannot fill the memory.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Any
from uuid import uuid4

from workspace.broker.grant import Grant
from workspace.clock import Clock, instant
from workspace.problem import Problem
from workspace.record.client import PURPOSE, Client, PlatformProblem
from workspace.vault.vault import Vault

log = logging.getLogger(__name__)
DELAY, BATCH, MOST = 0.5, 200, 20_000
UNREADABLE = frozenset({400, 413, 422})
KEPT = "unreported"
"""Of the vault's settings. An id that is told twice changes nothing (docs/seams.md), so a crash costs a repetition."""


class Reports:
    """`add` is cheap and never waits; `close` sends what is left."""

    def __init__(self, client: Client, clock: Clock, vault: Vault | None = None) -> None:
        self._client, self._clock = client, clock
        self._vault = vault if vault is not None and vault.durable else None
        self._loaded, self._kept = self._vault is None, False
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
        self._waiting.append(
            {
                "id": str(uuid4()), "kind": kind, "package": grant.signature, "instance": grant.instance,
                "context": grant.context.token, "patients": list(patients), "purpose": PURPOSE, "query": query,
                "request": request, "cached": cached, "at": instant(self._clock.now()), "reason": reason,
            }
        )  # fmt: skip
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
        while self._waiting and await self._send():
            pass
        await self._keep()

    async def _soon(self) -> None:
        pause = DELAY
        await self._load()
        while self._waiting:
            await asyncio.sleep(0 if self._size == 1 and pause == DELAY else pause)
            sent = await self._send()
            pause = DELAY if sent else min(pause * 2, 30.0)
            if not sent or not self._waiting:
                await self._keep()

    async def _load(self) -> None:
        """What an earlier session could not tell comes first."""
        if self._loaded or self._vault is None:
            return
        try:
            kept = await self._vault.setting(KEPT)
        except Problem as problem:
            log.warning("earlier audit reports cannot be read: %s", problem.code)
            return
        self._loaded = True
        if kept:
            self._kept = True
            self._waiting = deque([*json.loads(kept), *self._waiting], maxlen=MOST)

    async def _keep(self) -> None:
        """Write down what waits, or that nothing does."""
        await self._load()
        if self._vault is None or not self._loaded or not (self._waiting or self._kept):
            return
        try:
            await self._vault.set_setting(KEPT, json.dumps(list(self._waiting)) if self._waiting else None)
        except Problem as problem:
            log.warning("audit reports are kept in memory only: %s", problem.code)
        else:
            self._kept = bool(self._waiting)

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
        return True

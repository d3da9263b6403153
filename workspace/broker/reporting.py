"""What the broker reports to the platform's audit: openings, reads (cache hits too) and refusals, in batches.

Kept in memory until the platform has them; the newest thousands only, so that a dead platform cannot fill the memory.
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
from workspace.problem import Problem
from workspace.record.client import PURPOSE, Client, PlatformProblem

log = logging.getLogger(__name__)
DELAY, BATCH, MOST = 0.5, 200, 20_000
UNREADABLE = frozenset({400, 413, 422})


class Reports:
    """`add` is cheap and never waits; `close` sends what is left."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._clock = client, clock
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

    async def _soon(self) -> None:
        pause = DELAY
        while self._waiting:
            await asyncio.sleep(0 if self._size == 1 and pause == DELAY else pause)
            pause = DELAY if await self._send() else min(pause * 2, 30.0)

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

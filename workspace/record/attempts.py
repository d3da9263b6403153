"""What may have reached the platform: each sending of the outbox passes here. In memory alone, so what is taken up from the
vault counts as sent. Never decides what becomes of an item."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from workspace.problem import Problem
from workspace.record import ours
from workspace.record.client import Client, PlatformProblem
from workspace.record.items import Item

NO_LINE = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout"})
"""httpx's names for a line that never stood: no byte of a request has left over it."""


class Attempts:
    def __init__(self, client: Client) -> None:
        self._client = client
        self._left: set[str] = set()
        self._unused: set[str] = set()  # keys that the platform does not know
        self._under_way: dict[str, asyncio.Event] = {}

    async def send(self, item: Item) -> Mapping[str, Any]:
        """The platform's answer. Raises Problem, as `Client.transaction` does."""
        before = item.id in self._left
        self._unused.discard(item.sent_as)
        over = self._under_way[item.id] = asyncio.Event()
        self._left.add(item.id)
        try:
            answer = await self._client.transaction(item.sent, item.sent_as, item.asker, repeat=before)
            body: Mapping[str, Any] = answer.body
            return body
        except Problem as problem:
            platforms = isinstance(problem, PlatformProblem)  # else no token was to be had for it
            if not before and not (platforms and problem.detail not in NO_LINE):
                self._left.discard(item.id)
            raise
        finally:
            del self._under_way[item.id]
            over.set()

    def took_up(self, own: str) -> None:
        """Nobody knows how far an earlier session came with it."""
        self._left.add(own)

    def ended(self, own: str) -> None:
        self._left.discard(own)

    def may_have_left(self, own: str) -> bool:
        return own in self._left

    def unused(self, key: str) -> None:
        """Nothing was sent under `key`."""
        self._unused.add(key)

    async def is_absent(self, item: Item) -> bool:
        """Whether the platform has not done it: asked, where it may have met it. False when that cannot be known now."""
        if item.id not in self._left or item.sent_as in self._unused:
            return True
        try:
            done = await ours.outcome_of(self._client, item)
        except Problem:
            return False
        if done is None and item.id not in self._under_way:
            self._unused.add(item.sent_as)
        return done is None

    async def never_left(self, own: str, patience: float) -> bool:
        """Whether it is certain that the platform has not met it; an attempt under way is waited for, `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                while (over := self._under_way.get(own)) is not None:
                    await over.wait()
        except TimeoutError:
            return False
        return own not in self._left

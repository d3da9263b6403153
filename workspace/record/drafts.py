"""Unsaved work: in memory at once, in the vault within a second, flushed at close. Only its own author's, ever.

A key is the joined fields of the broker's `DraftKey`. Never tells a platform: drafts that follow the user to another
PC are not here yet.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workspace.clock import Clock, instant
from workspace.problem import Problem
from workspace.vault.vault import Vault

log = logging.getLogger(__name__)
DELAY = 0.4
"""Seconds from a keystroke to the disk; at most one write in each such time, however fast she types."""

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """`values` by bind; `saved` the clinical instant of the newest change."""

    values: Mapping[str, Any]
    revision: int
    saved: str


class Drafts:
    """``await start()`` reads this user's drafts; ``await close()`` writes what is not yet on the disk."""

    def __init__(self, vault: Vault, clock: Clock, *, tenant: str, user: str) -> None:
        self._vault, self._clock = vault, clock
        self._tenant, self._user = tenant, user
        self._kept: dict[Key, Kept] = {}
        self._dirty: set[Key] = set()
        self._writer: asyncio.Task[None] | None = None

    async def start(self) -> None:
        def read(database: Any) -> list[tuple[Any, ...]]:
            query = "SELECT key, body, revision, saved FROM draft WHERE tenant = ? AND user = ?"
            return list(database.execute(query, (self._tenant, self._user)))

        for key, body, revision, saved in await self._vault.run(read):
            own = tuple(json.loads(key))
            if own not in self._dirty:  # what was typed, or forgotten, meanwhile is newer
                self._kept[own] = Kept(json.loads(body), revision, saved)

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        await self.flush()

    def load(self, key: Key) -> Kept | None:
        return self._kept.get(key)

    def save(self, key: Key, values: Mapping[str, Any], revision: int) -> str:
        """Keep it; an empty `values` forgets it. Returns the instant it is called saved."""
        saved = instant(self._clock.now())
        if values:
            self._kept[key] = Kept(dict(values), revision, saved)
        else:
            self._kept.pop(key, None)
        self._dirty.add(key)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.ensure_future(self._soon())
        return saved

    async def _soon(self) -> None:
        while self._dirty:
            await asyncio.sleep(DELAY)
            try:
                await self.flush()
            except Problem as problem:  # a full disk: still in memory, and tried again
                log.warning("drafts wait: %s", problem.code)

    async def flush(self) -> None:
        """Everything that is not on the disk yet, in one transaction."""
        keys, self._dirty = self._dirty, set()
        rows = [(json.dumps(key), self._kept.get(key)) for key in keys]
        if not rows:
            return
        patients = {json.dumps(key): key[2] if len(key) > 2 else "" for key in keys}

        def write(database: Any) -> None:
            for key, kept in rows:
                if kept is None:
                    database.execute("DELETE FROM draft WHERE key = ?", (key,))
                    continue
                body = json.dumps(kept.values, ensure_ascii=False)
                row = (key, self._tenant, self._user, patients[key], body, kept.revision, kept.saved)
                columns = "key, tenant, user, patient, body, revision, saved"
                database.execute(f"INSERT OR REPLACE INTO draft ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)

        try:
            await asyncio.shield(self._vault.run(write))
        except BaseException:
            self._dirty |= keys
            raise

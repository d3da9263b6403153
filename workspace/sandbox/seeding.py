"""Fills the store with the synthetic home: today first, older history behind, and remembers how far it came.

A restart goes on where the last one stopped. Never writes over what is in the store: a batch sent twice changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from workspace.sandbox.fhir import Prepared
from workspace.sandbox.folder import Folder, read_json, write_json

VERSION = 2
"""Of the marker file. Another version's marker is not trusted: everything is sent again, which changes nothing."""

_PAUSE = 0.02
"""Seconds between two batches of old history, so that a person's request gets between."""


class Batch(Protocol):
    """A part of the home: rows number `done` of `total` in `chunk` of `chunks` (from 0), which goes back to `since`."""

    @property
    def chunk(self) -> int: ...
    @property
    def chunks(self) -> int: ...
    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def since(self) -> date: ...
    @property
    def ends_chunk(self) -> bool: ...
    @property
    def rows(self) -> Sequence[Prepared]: ...


Produce = Callable[[int], AsyncIterator[Batch]]
"""Batches of the home in order of chunk, without the chunks already done (their number is given)."""


class Target(Protocol):
    """Where the rows go: `sandbox.fhir.Store`."""

    async def import_prepared(self, batch: list[Prepared]) -> int: ...


@dataclass
class Progress:
    """How far the fill has come, as `/health` tells it. `ready` when today is in, `complete` when all is.

    `since` is the first day one can read. `done` of `total` counts today's rows, and once those are in, chunks.
    """

    history_days: int
    since: date
    chunks_done: int = 0
    chunks: int = 0
    done: int = 0
    total: int = 0
    text: str = "Starter sandkassen"
    ready: bool = False
    complete: bool = False

    def chunk_is_in(self) -> None:
        """One more chunk is whole; the first makes the sandbox ready, the last complete."""
        self.ready = True
        self.complete = self.chunks_done >= self.chunks
        self.done, self.total = self.chunks_done, self.chunks
        if self.complete:
            self.text = "Klar"

    def health(self) -> dict[str, Any]:
        """`state`, `progress` and `history` of docs/seams.md."""
        return {
            "state": "ready" if self.ready else "seeding",
            "progress": {"done": self.done, "total": self.total, "text": self.text},
            "history": {"from": self.since.isoformat(), "complete": self.complete},
        }


def resume(folder: Folder, progress: Progress) -> int:
    """How many chunks an earlier run finished; `progress` then says so.

    Ask before the store is opened: a marker without its store is not believed.
    """
    told = read_json(folder.seed)
    if told.get("version") != VERSION or told.get("history_days") != progress.history_days or not folder.fhir.exists():
        return 0
    try:
        done, chunks, since = int(told["done"]), int(told["chunks"]), date.fromisoformat(told["since"])
    except (KeyError, TypeError, ValueError):
        return 0
    if not 1 <= done <= chunks:
        return 0
    progress.chunks_done, progress.chunks, progress.since = done, chunks, since
    progress.text = "Henter eldre journal"
    progress.chunk_is_in()
    return done


async def fill(folder: Folder, store: Target, produce: Produce, progress: Progress) -> None:
    """Import what is missing, oldest last, and mark each chunk when it is whole. Returns when all is in.

    Cancelling it is safe at any point. Raises what `produce` and the store raise.
    """
    if progress.complete:
        return
    async with contextlib.aclosing(_closable(produce(progress.chunks_done))) as batches:
        async for batch in batches:
            if batch.rows:
                await store.import_prepared(list(batch.rows))
            progress.text, progress.chunks = batch.text, batch.chunks
            if not progress.ready:
                progress.done, progress.total = batch.done, batch.total
            if batch.ends_chunk:
                progress.chunks_done, progress.since = batch.chunk + 1, batch.since
                await asyncio.to_thread(_mark, folder, progress)
                progress.chunk_is_in()
            if progress.ready:
                await asyncio.sleep(_PAUSE)


async def _closable(batches: AsyncIterator[Batch]) -> AsyncGenerator[Batch, None]:
    """`batches`, ended with this generator also when they are left half way."""
    try:
        async for batch in batches:
            yield batch
    finally:
        close = getattr(batches, "aclose", None)
        if close is not None:
            await close()


def _mark(folder: Folder, progress: Progress) -> None:
    """Remember how far we came. Raises OSError."""
    marker = {
        "version": VERSION,
        "history_days": progress.history_days,
        "done": progress.chunks_done,
        "chunks": progress.chunks,
        "since": progress.since.isoformat(),
    }
    write_json(folder.seed, marker, durable=True)

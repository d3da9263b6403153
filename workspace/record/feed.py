"""The platform's change feed, read for as long as the session lasts; a cut is healed by itself.

After a cut the feed is read again from a little before the last number, and what comes twice is recognised by its version.
When the numbers do not hold (a restarted platform, a `resync`) everything is fetched anew. Never interprets a resource.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing

from workspace.problem import Problem
from workspace.record.client import Client
from workspace.record.lights import Light
from workspace.record.rows import Changed

SILENCE = 25.0
"""Seconds without even a comment (they come every 10 s) after which the connection counts as dead."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0
OVERLAP = 50
"""How far before the last number a new connection begins."""


class Feed:
    """`arrived` gets changes in batches, as they come; `anew` is called when something may have been missed, `back` when
    the feed stands again after a cut, `lost` when it could not be had again at once."""

    def __init__(
        self,
        client: Client,
        light: Light,
        arrived: Callable[[Sequence[Changed]], None],
        anew: Callable[[], None],
        back: Callable[[], None],
        lost: Callable[[], None] = lambda: None,
        *,
        silence: float = SILENCE,
    ) -> None:
        self._client, self._light, self._silence = client, light, silence
        self._arrived, self._anew, self._back, self._lost = arrived, anew, back, lost
        self._failures = 0
        self._last = self._base = 0
        self._met = False  # whether a hello has ever come
        self._open = asyncio.Event()
        self._batch: list[Changed] = []
        self._flushing: asyncio.Handle | None = None
        self._wait = FIRST_WAIT
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
            self._task.add_done_callback(self._ended)

    def is_open(self) -> bool:
        return self._open.is_set()

    async def wait_until_open(self, seconds: float) -> bool:
        """Whether the feed stands, after at most `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._open.wait()
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._flushing:
            self._flushing.cancel()
            self._flushing = None

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A feed that stops by itself is a fault of ours: it must not go unnoticed."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._open.clear()
            self._light.down()
            task.get_loop().call_exception_handler({"message": "the change feed has ended", "exception": error})

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._listen()
            except Problem:
                pass
            except (ValueError, KeyError, TypeError):
                # A feed that speaks nonsense: what it said is lost, so everything is fetched again.
                self._anew()
            self._open.clear()
            if loop.time() - began > LONGEST_WAIT:  # one that breaks at once, again and again, is not well
                self._wait = FIRST_WAIT
            self._failures += 1
            if self._failures > 1:  # a platform that only restarts its connection is not down
                self._light.down()
            if self._failures == 2 and self._met:
                self._lost()
            await asyncio.sleep(self._wait * random.uniform(0.8, 1.0))
            self._wait = min(self._wait * 2, LONGEST_WAIT)

    async def _listen(self) -> None:
        since = max(self._base, self._last - OVERLAP)
        async with self._client.changes(since, self._silence) as lines, aclosing(events(lines)) as found:
            async for kind, data in found:
                if kind == "hello":
                    self._hello(since, int(str(data["seq"])))
                elif kind == "change":
                    self._take(data)
                elif kind == "resync":
                    self._flush()
                    self._last = self._base = max(self._last, int(str(data.get("seq", 0))))
                    self._anew()

    def _hello(self, since: int, number: int) -> None:
        if number < since:
            self._last = self._base = number  # the numbers have begun again
        if not self._met:
            # Nothing has been asked before: what is older than this needs no telling.
            self._last = self._base = max(self._last, number)
        again, self._met, self._failures = self._met, True, 0
        self._open.set()
        self._light.up()
        if number < since:
            self._anew()
        if again:
            self._back()

    def _take(self, data: dict[str, object]) -> None:
        number, version, resource = data["seq"], data["version"], data.get("resource")
        if not isinstance(number, int) or not (resource is None or isinstance(resource, dict)):
            raise ValueError("a change without number or resource")
        self._last = max(self._last, number)
        told = int(str(version)) if str(version).isdigit() else 0
        change = Changed(str(data["type"]), str(data["id"]), told, resource, str(data.get("transaction") or ""))
        self._batch.append(change)
        if self._flushing is None:
            # What lies in the buffer already comes along: a transaction reaches its watches as one.
            self._flushing = asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        if self._flushing:
            self._flushing.cancel()
            self._flushing = None
        batch, self._batch = self._batch, []
        if batch:
            self._arrived(batch)


async def events(lines: AsyncIterator[str]) -> AsyncGenerator[tuple[str, dict[str, object]], None]:
    """Server-sent events as (kind, data): comments and fields unknown are passed over. Raises ValueError."""
    kind, data = "message", []
    async for line in lines:
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "event":
                kind = value
            elif name == "data":
                data.append(value)
            continue
        if data:
            parsed = json.loads("\n".join(data))
            if not isinstance(parsed, dict):
                raise ValueError("an event without an object")
            yield kind, parsed
        kind, data = "message", []

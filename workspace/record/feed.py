"""The platform's change feed, read for as long as the session lasts; a cut is healed by itself.

After a cut the feed is read again from a little before the last number, and what comes twice is recognised by its version.
When the numbers do not hold (a restarted platform, a `resync`) everything is fetched anew. A platform whose stream does not
come through is asked every few seconds instead; one that falls silent is noticed within five. Never interprets a resource.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing

from workspace.fhir import json
from workspace.problem import Problem
from workspace.record.client import Client, PlatformProblem
from workspace.record.lights import Light
from workspace.record.rows import Changed, Follows

SILENCE = 25.0
"""Seconds without even a comment (they come every 10 s) after which the connection counts as dead."""
PULSE, ANSWER = 2.5, 2.0
"""Seconds of silence after which the platform is asked for a sign of life, and seconds that it has to give one."""
POLL = 3.0
"""Seconds between questions while the stream is cut, unless the platform says otherwise."""
LONGEST_POLL = 30.0
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0
OVERLAP = 50
"""How far before the last number a new connection begins."""


class Feed:
    """`arrived` gets changes in batches, as they come; `anew` is called when something may have been missed, `back` when
    the feed stands again after a cut, `lost` when it could not be had again at once. `merged` is told of two patients
    that are one (gone, stays), `drafted` of a change of this person's drafts elsewhere (None: compare with the revision),
    `ordered` when the platform has an order to wipe."""

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
        merged: Callable[[str, str], None] = lambda gone, stays: None,
        drafted: Callable[[dict[str, object] | None, int], None] = lambda change, revision: None,
        ordered: Callable[[], None] = lambda: None,
    ) -> None:
        self._client, self._light, self._silence = client, light, silence
        self._arrived, self._anew, self._back, self._lost = arrived, anew, back, lost
        self._merged, self._drafted, self._ordered = merged, drafted, ordered
        self._failures = 0
        self._mute = False
        self._told_lost = False
        self._heard = 0.0
        self._sight = ""
        self._polls = True  # until the platform says that it cannot be asked so
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
            pause = self._wait * random.uniform(0.8, 1.0)
            self._wait = min(self._wait * 2, LONGEST_WAIT)
            # A platform that only restarts its connection is not down, nor one that answers when it is asked.
            # One that has just not answered a question is not asked another first: the user is told at once.
            mute, self._mute = self._mute, False
            if self._failures > 1 and (mute or not await self._ask_instead(pause)):
                self._light.down()
                if not self._told_lost and self._met:
                    self._told_lost = True
                    self._lost()
            else:
                pause = 0.0 if self._failures > 1 else pause
            await asyncio.sleep(pause)

    # Without the stream ---------------------------------------------------------------------------

    async def _ask_instead(self, seconds: float) -> bool:
        """Ask for changes for `seconds`, then let the stream be tried again; whether that works here."""
        if not self._polls:
            return False
        loop = asyncio.get_running_loop()
        end = loop.time() + max(seconds, POLL)
        while loop.time() < end:
            try:
                answer = await self._client.poll(self._last, self._sight)
                for one in answer["events"]:
                    self._event(str(one["event"]), one["data"])
            except PlatformProblem as problem:
                if problem.status in (400, 404, 405):
                    self._polls = False
                return False
            except (Problem, ValueError, KeyError, TypeError):
                return False
            self._flush()
            self._last = max(self._last, int(str(answer.get("seq", 0))))
            if not self._met:  # what was fetched before may be older than this number
                self._met = True
                self._anew()
            self._sight = str(answer.get("sight") or "")
            self._drafted(None, int(str(answer.get("drafts") or 0)))
            self._stands("spørring")
            if not answer.get("more"):
                await asyncio.sleep(min(max(float(answer.get("again") or POLL), 0.2), LONGEST_POLL))
        return True

    async def _watch_pulse(self, stream: asyncio.Task[None]) -> None:
        """Ends `stream` when the platform has said nothing for a while and does not answer a question either: a line that
        was cut without a word would else be believed until `silence` is over."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(PULSE / 5)
            if loop.time() - self._heard < PULSE:
                continue
            try:
                async with asyncio.timeout(ANSWER):
                    await self._client.time()
            except (Problem, TimeoutError):
                self._failures += 1  # it is down, not merely restarting its connection
                self._mute = True
                stream.cancel()
                return
            self._heard = loop.time()

    async def _listen(self) -> None:
        """Read the stream until it ends. Raises Problem."""
        stream = asyncio.ensure_future(self._read())
        pulse = asyncio.ensure_future(self._watch_pulse(stream))
        try:
            await asyncio.wait({stream})
            if stream.cancelled():
                raise Problem("platform-unreachable", "Plattformen svarer ikke.")
            stream.result()
        finally:
            for task in (stream, pulse):
                task.cancel()
            await asyncio.gather(stream, pulse, return_exceptions=True)

    async def _read(self) -> None:
        since = max(self._base, self._last - OVERLAP)
        self._heard = asyncio.get_running_loop().time()
        async with self._client.changes(since, self._silence) as lines, aclosing(events(self._heeded(lines))) as found:
            async for kind, data in found:
                if kind == "hello":
                    self._hello(since, int(str(data["seq"])))
                    self._drafted(None, int(str(data.get("drafts") or 0)))
                else:
                    self._event(kind, data)

    async def _heeded(self, lines: AsyncIterator[str]) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        async for line in lines:
            self._heard = loop.time()
            yield line

    def _event(self, kind: str, data: dict[str, object]) -> None:
        if kind == "change":
            self._take(data)
        elif kind == "resync":
            self._flush()
            self._last = self._base = max(self._last, int(str(data.get("seq", 0))))
            self._anew()
        elif kind == "merge":
            self._flush()
            self._last = max(self._last, int(str(data.get("seq", 0))))
            self._merged(str(data["from"]), str(data["into"]))
        elif kind == "draft":
            self._drafted(data, int(str(data.get("revision") or 0)))
        elif kind == "wipe":
            self._ordered()

    def _hello(self, since: int, number: int) -> None:
        if number < since:
            self._last = self._base = number  # the numbers have begun again
        if not self._met:
            # Nothing has been asked before: what is older than this needs no telling.
            self._last = self._base = max(self._last, number)
        again, self._met, self._failures = self._met, True, 0
        if number < since:
            self._anew()
        self._stands("strøm", again)

    def _stands(self, how: Follows, again: bool = True) -> None:
        """Changes come, this way or that."""
        was_open = self._open.is_set()
        self._open.set()
        self._told_lost = False
        self._light.up(how)
        if again and not was_open:
            self._back()

    def _take(self, data: dict[str, object]) -> None:
        number, version, resource = data["seq"], data["version"], data.get("resource")
        if not isinstance(number, int) or not (resource is None or isinstance(resource, dict)):
            raise ValueError("a change without number or resource")
        self._last = max(self._last, number)
        told = int(str(version)) if str(version).isdigit() else 0
        resource = None if resource is None else self._client.by_one_name(resource)
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

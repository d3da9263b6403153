"""The platform's change feed, read for as long as the session lasts; a cut is healed by itself.

After a cut the feed is read again from a little before the last number, and what comes twice is recognised by its version.
When the numbers do not hold (a restarted platform, a `resync`), or whom this person may see is another after a cut,
everything is fetched anew. A platform whose stream does not
come through is asked every few seconds instead; one that falls silent is noticed within five. A stream that is
silent beside a platform that answers (something on the way holds it back) counts as cut after three missed beats; the next
is not believed until it has proved itself, and after two running the platform is asked instead. Never interprets a resource.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing

from workspace.fhir import json
from workspace.problem import Problem
from workspace.record.client import Client, PlatformProblem
from workspace.record.lights import Light
from workspace.record.rows import Changed, Follows

SILENCE = 12.0
"""Seconds without even a comment after which a stream counts as cut, where the platform does not say how often they come."""
BEATS = 3.0
"""Comments missed after which it does, where the platform says so in its hello."""
HELLO = 3.0
"""Seconds for the hello of a new stream: what holds that back lets nothing through."""
BACKSTOP = 25.0
"""Seconds of nothing after which the connection itself gives up."""
PULSE, ANSWER = 2.5, 2.0
"""Seconds of silence after which the platform is asked for a sign of life, and seconds that it has to give one."""
POLL = 3.0
"""Seconds between questions while the stream is cut, unless the platform says otherwise."""
LONGEST_POLL = 30.0
AGAIN, LONGEST_AGAIN = 10.0, 120.0
"""Seconds of asking before a stream that was silent is tried again."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0
KNOCK = 2.5
"""Seconds at most, and half of it at least, between two knocks on a platform that does not answer: `/time`, which is open
and looks nothing up. All else waits for `FIRST_WAIT` to `LONGEST_WAIT`, or for the first answer."""
OVERLAP = 50
"""How far before the last number a new connection begins."""


class Feed:
    """`arrived` gets changes in batches, as they come; `anew` is called when something may have been missed, `access` before
    that when whom this person may see has changed, also during a cut, `back` when the feed stands again after a cut, `lost`
    when it could not be had again at once. `merged` is told of two patients
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
        silence: float = BACKSTOP,
        access: Callable[[], None] = lambda: None,
        merged: Callable[[str, str], None] = lambda gone, stays: None,
        drafted: Callable[[dict[str, object] | None, int], None] = lambda change, revision: None,
        ordered: Callable[[], None] = lambda: None,
    ) -> None:
        self._client, self._light, self._silence = client, light, silence
        self._arrived, self._anew, self._back, self._lost = arrived, anew, back, lost
        self._access, self._merged, self._drafted, self._ordered = access, merged, drafted, ordered
        self._failures = 0
        self._mute = False
        self._unanswered = False  # the last question, whatever it was
        self._let_in = False  # a knock was answered, and nothing has come of it yet
        self._told_lost = False
        self._opened = self._heard = 0.0  # when this stream was asked for, and when a byte of it last came
        self._beat = 0.0  # seconds between its comments, as its hello has it
        self._greeted = False
        self._quiet = False  # it was silent beside a platform that answers
        self._silent = 0  # how often running: until one has proved itself, the platform is asked beside it
        self._again = AGAIN
        self._beside: asyncio.Task[bool] | None = None
        self._sight = ""  # a fingerprint of whom this person may see, as the platform last said it
        self._source = ""  # whose numbers they are: another gateway's, or one that lost its file, mean something else
        self._polls = True  # until the platform says that it cannot be asked so
        self._last = self._base = 0
        self._met = False  # whether a hello has ever come
        self._late = False  # somebody waited for it, gave up, and may have asked before it
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
            self._late = not self._met
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
            except Problem as fault:
                self._unanswered = not getattr(fault, "status", 1)
            except (ValueError, KeyError, TypeError):
                # A feed that speaks nonsense: what it said is lost, so everything is fetched again.
                self._anew()
            self._open.clear()
            quiet, self._quiet = self._quiet, False
            if quiet and (self._silent < 2 or await self._ask_for_a_while()):
                continue
            if loop.time() - began > LONGEST_WAIT:  # one that breaks at once, again and again, is not well
                self._wait = FIRST_WAIT
            self._failures += 1
            pause = self._wait * random.uniform(0.8, 1.0)
            self._wait = min(self._wait * 2, LONGEST_WAIT)
            # A platform that only restarts its connection is not down, nor one that answers when it is asked.
            # One that has just not answered a question is not asked another first: the user is told at once. After several
            # cuts in a row the pause is long: whether it is there is asked before, not after.
            mute, self._mute = self._mute, False
            asks = self._failures > 1 or pause > PULSE
            if asks and (mute or not await self._ask_instead(pause)):
                self._light.down()
                if not self._told_lost and self._met:
                    self._told_lost = True
                    self._lost()
                await self._knock(pause, unanswered=mute or self._unanswered)
            elif not asks:
                await asyncio.sleep(pause)

    async def _knock(self, seconds: float, *, unanswered: bool) -> None:
        """Wait for `seconds`, or until the platform answers again after it did not. One that answers and yet does not let
        anybody in is not asked more often than the pauses say."""
        loop = asyncio.get_running_loop()
        end, asked = loop.time() + seconds, 0.0
        unanswered = unanswered and not self._let_in
        while (pause := max(asked, KNOCK * random.uniform(0.5, 1.0))) < end - loop.time():
            await asyncio.sleep(pause)
            try:
                async with asyncio.timeout(ANSWER):
                    await self._client.time()
            except (Problem, TimeoutError) as fault:
                unanswered, asked = True, float(getattr(fault, "retry_after", 0.0))
                continue
            if unanswered:
                self._wait, self._let_in = FIRST_WAIT, True
                return
            break
        await asyncio.sleep(max(0.0, end - loop.time()))

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
                self._unanswered = not problem.status
                if problem.status in (400, 404, 405):
                    self._polls = False
                return False
            except (Problem, ValueError, KeyError, TypeError):
                return False
            self._flush()
            if self._is_another(answer):
                self._last = self._base = int(str(answer.get("seq", 0)))
                self._anew()
            self._last = max(self._last, int(str(answer.get("seq", 0))))
            if not self._met:  # what was fetched before may be older than this number
                self._met, self._late = True, False
                self._anew()
            self._sight = str(answer.get("sight") or "")
            self._drafted(None, int(str(answer.get("drafts") or 0)))
            self._stands("spørring")
            if not answer.get("more"):
                await asyncio.sleep(min(max(float(answer.get("again") or POLL), 0.2), LONGEST_POLL))
        return True

    async def _ask_for_a_while(self) -> bool:
        """Before a stream that was silent is tried again; each time for longer."""
        seconds, self._again = self._again, min(self._again * 2, LONGEST_AGAIN)
        return await self._ask_instead(seconds)

    def _doubted(self) -> bool:
        return self._silent > 0

    def _limit(self) -> float:
        if not self._greeted:
            return HELLO
        return BEATS * self._beat if self._beat else SILENCE

    async def _watch_pulse(self, stream: asyncio.Task[None]) -> None:
        """Ends `stream` when nothing comes on it any more. A platform that answers a question is there, but that is no sign
        of life of the stream; one that does not is away, which would else be believed too late."""
        loop = asyncio.get_running_loop()
        answered = loop.time()
        while True:
            await asyncio.sleep(min(PULSE, self._limit()) / 5)
            if loop.time() - self._heard >= self._limit():
                self._silent += 1 if self._greeted else 2
                self._quiet = True
                stream.cancel()
                return
            if loop.time() - max(self._heard, answered) < PULSE:
                continue
            try:
                async with asyncio.timeout(ANSWER):
                    await self._client.time()
            except (Problem, TimeoutError):
                self._failures += 1  # it is down, not merely restarting its connection
                self._mute = True
                stream.cancel()
                return
            answered = loop.time()

    async def _listen(self) -> None:
        """Read the stream until it ends. Raises Problem."""
        stream = asyncio.ensure_future(self._read())
        pulse = asyncio.ensure_future(self._watch_pulse(stream))
        beside = asyncio.ensure_future(self._ask_beside())
        self._beside = beside
        try:
            await asyncio.wait({stream})
            if stream.cancelled():
                raise Problem("platform-unreachable", "Plattformen svarer ikke.")
            stream.result()
        finally:
            for task in (stream, pulse, beside):
                task.cancel()
            await asyncio.gather(stream, pulse, beside, return_exceptions=True)

    async def _ask_beside(self) -> bool:
        """While a stream that is not believed is tried, changes come by asking."""
        return self._doubted() and await self._ask_instead(float("inf"))

    async def _read(self) -> None:
        since = max(self._base, self._last - OVERLAP)
        self._opened = self._heard = asyncio.get_running_loop().time()
        self._greeted = False
        async with self._client.changes(since, self._silence) as lines, aclosing(events(self._heeded(lines))) as found:
            async for kind, data in found:
                if kind == "hello":
                    self._greeted, self._beat = True, float(str(data.get("beat") or 0))
                    self._hello(since, int(str(data["seq"])), data)
                    self._drafted(None, int(str(data.get("drafts") or 0)))
                else:
                    self._event(kind, data)

    async def _heeded(self, lines: AsyncIterator[str]) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        async for line in lines:
            self._heard = loop.time()
            if self._greeted and self._silent and self._heard - self._opened > self._limit():
                self._proved()
            yield line

    def _proved(self) -> None:
        """It has spoken for longer than a silent one would have been waited for."""
        doubted, self._silent, self._again = self._doubted(), 0, AGAIN
        if self._beside is not None:
            self._beside.cancel()
        if doubted:
            self._stands("strøm")

    def _event(self, kind: str, data: dict[str, object]) -> None:
        if kind == "change":
            self._take(data)
        elif kind == "resync":
            self._flush()
            self._last = self._base = max(self._last, int(str(data.get("seq", 0))))
            if not self._looks_another(data) and data.get("reason") == "access":
                self._access()
            self._anew()
        elif kind == "merge":
            self._flush()
            self._last = max(self._last, int(str(data.get("seq", 0))))
            self._merged(str(data["from"]), str(data["into"]))
        elif kind == "draft":
            self._drafted(data, int(str(data.get("revision") or 0)))
        elif kind == "wipe":
            self._ordered()

    def _is_another(self, said: Mapping[str, object]) -> bool:
        """Whether the numbers are not those of before."""
        before, self._source = self._source, str(said.get("run") or self._source)
        return bool(before) and before != self._source

    def _looks_another(self, said: Mapping[str, object]) -> bool:
        """Whether this person may see others than before; tells it."""
        before, self._sight = self._sight, str(said.get("sight") or self._sight)
        if not before or before == self._sight:
            return False
        self._access()
        return True

    def _hello(self, since: int, number: int, said: Mapping[str, object]) -> None:
        another, closed = self._is_another(said), self._looks_another(said)
        if number < since or another:
            self._last = self._base = number  # the numbers have begun again
        if not self._met:
            # What is older than this needs no telling: nothing has been asked before, or all of it is asked anew.
            self._last = self._base = max(self._last, number)
        again, self._met, self._failures = self._met, True, 0
        late, self._late = self._late, False
        if number < since or closed or late or (another and number == since):  # a higher one is followed by a `resync`
            self._anew()
        if not (self._doubted() and self._polls):
            self._stands("strøm", again or late)

    def _stands(self, how: Follows, again: bool = True) -> None:
        """Changes come, this way or that."""
        was_open, self._let_in = self._open.is_set(), False
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

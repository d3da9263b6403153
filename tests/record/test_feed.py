"""The change feed: read as it is written, and distrusted when its numbers do not hold."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from workspace.clock import SystemClock
from workspace.problem import Problem
from workspace.record import feed as feed_module
from workspace.record import lights
from workspace.record.client import PlatformProblem
from workspace.record.feed import LONGEST_WAIT, Feed, events
from workspace.record.lights import Light


async def lines(*given):
    for each in given:
        yield each


class Script:
    """A client whose feed plays one script for each connection, then stays silent."""

    def __init__(self, *scripts):
        self.scripts, self.since = list(scripts), []

    @asynccontextmanager
    async def changes(self, since, silence):
        self.since.append(since)
        if not self.scripts:
            raise Problem("platform-unreachable", "Plattformen svarer ikke.")
        script = self.scripts.pop(0)

        async def play():
            for each in script:
                yield each
            if not self.scripts:
                await asyncio.Event().wait()

        yield play()


def hello(number, **more):
    return ["event: hello", f"data: {json.dumps({'seq': number, **more})}", ""]


def change(number, own="a", version=1):
    data = f'{{"seq": {number}, "type": "Flag", "id": "{own}", "version": {version}, "resource": null}}'
    return ["event: change", f"id: {number}", f"data: {data}", ""]


def played(*scripts, wait):
    """What a feed made of `scripts`: batches, and how often it asked for everything anew and came back."""

    async def run():
        client, batches, anew, back = Script(*scripts), [], [], []
        light = Light("journalplattform", SystemClock())
        feed = Feed(client, light, batches.append, lambda: anew.append(1), lambda: back.append(1))
        feed.start()
        async with asyncio.timeout(5):
            while not wait(client, batches, anew, back):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await feed.close()
        light.close()
        return client.since, [[one.name for one in batch] for batch in batches], len(anew), len(back)

    return asyncio.run(run())


def test_events_are_read_whatever_stands_between_them():
    async def run():
        given = lines(": hei", "", "event: change", 'data: {"a":', "data: 1}", "retry: 3", "", 'data:{"b": 2}', "")
        return [each async for each in events(given)]

    assert asyncio.run(run()) == [("change", {"a": 1}), ("message", {"b": 2})]


def test_what_lies_ready_comes_as_one_batch():
    given = [*hello(7), *change(8, "a"), *change(9, "b"), *change(10, "c")]
    _, batches, anew, _ = played(given, wait=lambda client, batches, anew, back: batches)
    assert batches == [["Flag/a", "Flag/b", "Flag/c"]]
    assert anew == 0


def test_after_a_cut_it_goes_on_from_a_little_before_and_fetches_nothing_anew():
    first = [*hello(100), *(line for n in range(101, 181) for line in change(n))]
    since, _, anew, back = played(first, hello(130), wait=lambda client, batches, anew, back: back)
    assert since == [0, 130]
    assert (anew, back) == (0, 1)


def test_numbers_that_begin_again_mean_fetching_anew():
    first = [*hello(100), *(line for n in range(101, 181) for line in change(n))]
    _, _, anew, _ = played(first, hello(3), wait=lambda client, batches, anew, back: anew)
    assert anew == 1


@pytest.mark.parametrize(
    ("second", "times"),
    [({"run": "a", "sight": "s"}, 0), ({"run": "b", "sight": "s"}, 1), ({"run": "a", "sight": "t"}, 1), ({}, 0)],
)
def test_the_same_number_of_another_gateway_or_for_another_sight_means_fetching_anew(second, times):
    """A gateway that has lost its file, or another one behind the same address: its numbers fit, and mean other things."""
    first = [*hello(100, run="a", sight="s"), *change(101)]
    _, _, anew, _ = played(first, hello(100, **second), wait=lambda client, batches, anew, back: back)
    assert anew == times


def test_nonsense_on_the_feed_means_fetching_anew_not_silence():
    given = [*hello(1), "event: change", "data: {broken", ""]
    since, _, anew, _ = played(given, hello(1), wait=lambda client, batches, anew, back: back)
    assert anew == 1
    assert len(since) == 2


@pytest.mark.parametrize("waited", [True, False], ids=["whoever waited had given up", "in time"])
def test_what_was_asked_before_a_late_first_hello_is_asked_anew_and_before_one_in_time_nothing_was(waited):
    async def run():
        held, anew, back = asyncio.Event(), [], []

        class Late(Script):
            @asynccontextmanager
            async def changes(self, since, silence):
                await held.wait()
                async with super().changes(since, silence) as found:
                    yield found

        light = Light("journalplattform", SystemClock())
        feed = Feed(Late(hello(7)), light, lambda batch: None, lambda: anew.append(1), lambda: back.append(1))
        feed.start()
        if waited:
            assert not await feed.wait_until_open(0.0)
        held.set()
        assert await feed.wait_until_open(5)
        await feed.close()
        light.close()
        assert (len(anew), len(back)) == ((1, 1) if waited else (0, 0))

    asyncio.run(run())


class Gone(Script):
    """Each stream ends after its script, and nothing else is answered."""

    @asynccontextmanager
    async def changes(self, since, silence):
        if not self.scripts:
            raise Problem("platform-unreachable", "Plattformen svarer ikke.")
        yield lines(*self.scripts.pop(0))

    async def poll(self, since, sight):
        raise Problem("platform-unreachable", "Plattformen svarer ikke.")


def test_a_platform_that_has_gone_away_several_times_is_told_of_as_soon_as_the_first_time():
    async def run():
        light = Light("journalplattform", SystemClock())
        feed = Feed(Gone(hello(5)), light, lambda batch: None, lambda: None, lambda: None)
        feed._wait = LONGEST_WAIT  # as after a handful of short cuts
        feed.start()
        async with asyncio.timeout(5):
            while not light.is_down():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        await feed.close()

    asyncio.run(run())


class Away(Gone):
    """Not there; `knocked` and `asked` have the instants of each knock and stream, `answers` is what it says to a knock."""

    def __init__(self, *scripts):
        super().__init__(*scripts)
        self.knocked, self.asked, self.answers = [], [], None

    @asynccontextmanager
    async def changes(self, since, silence):
        self.asked.append(asyncio.get_running_loop().time())
        if not self.scripts:
            raise PlatformProblem("platform-unreachable", "Plattformen svarer ikke.")
        yield lines(*self.scripts.pop(0))

    async def time(self):
        self.knocked.append(asyncio.get_running_loop().time())
        if self.answers is not True:
            raise self.answers or PlatformProblem("platform-unreachable", "Plattformen svarer ikke.")
        return {}


@asynccontextmanager
async def knocking(monkeypatch, knock=0.1):
    """A feed that has been without its platform for long: it would try again after minutes."""
    monkeypatch.setattr(feed_module, "KNOCK", knock)
    monkeypatch.setattr(feed_module, "LONGEST_WAIT", 300.0)
    client, light = Away(hello(5)), Light("journalplattform", SystemClock())
    feed = Feed(client, light, lambda batch: None, lambda: None, lambda: None)
    feed._wait = 300.0
    feed.start()
    try:
        yield client, light
    finally:
        await feed.close()
        light.close()


def test_a_platform_that_is_away_is_knocked_on_at_uneven_times_and_tried_when_it_answers(monkeypatch):
    async def run():
        async with knocking(monkeypatch) as (client, light):
            await asyncio.sleep(1.0)
            pauses = [after - before for before, after in pairwise(client.knocked)]
            assert light.is_down()
            assert len(client.asked) == 1, "nothing else is asked of it"
            assert len(client.knocked) <= 1.0 / 0.05 + 1, "no more often than each half of the time"
            assert len({round(each, 3) for each in pauses}) > 1, "not all workstations at once"
            assert min(pauses) >= 0.05
            client.scripts.append(hello(6))
            client.answers = True
            async with asyncio.timeout(5):
                while light.is_down():  # noqa: ASYNC110
                    await asyncio.sleep(0.005)

    asyncio.run(run())


@pytest.mark.parametrize("answers", [True, PlatformProblem("too-many", "Vent.", status=503, retry_after=3600.0)])
def test_one_that_answers_but_lets_nobody_in_or_asks_for_a_pause_is_left_alone(monkeypatch, answers):
    async def run():
        async with knocking(monkeypatch, 0.04) as (client, light):
            client.answers = answers
            await asyncio.sleep(0.5)
            assert light.is_down()
            assert len(client.knocked) <= 4, client.knocked
            assert len(client.asked) <= 4

    asyncio.run(run())


def test_the_light_is_slow_while_an_answer_is_and_well_again_after(monkeypatch):
    monkeypatch.setattr(lights, "SLOW", 0.02)
    monkeypatch.setattr(lights, "RECOVERY", 0.05)

    async def run():
        light, told = Light("journalplattform", SystemClock()), []
        light.up()
        light.listen(lambda state: told.append(state.text))
        with light.request():
            await asyncio.sleep(0.04)
        await asyncio.sleep(0.1)
        light.close()
        return told

    assert asyncio.run(run()) == ["ok", "treg", "ok"]

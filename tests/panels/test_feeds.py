"""The live queries of one instance: what is sent to its panel, and what is not."""

from __future__ import annotations

import asyncio

import pytest

from tests.panels.conftest import MemoryDoor
from workspace.broker.context import for_patient
from workspace.broker.grant import Grant
from workspace.panels.feeds import LATER, Feeds

pytestmark = pytest.mark.anyio

PULSES = "Observation?code=8867-4"


@pytest.fixture
def door():
    made = MemoryDoor()
    made.pulse("a", 61)
    return made


@pytest.fixture
def feeds(door):
    grant = Grant("v.p", "1.0.0", "V", ("patient/*.rs",), "p1", for_patient("Patient/BEB-18"))
    made = Feeds(door, grant, lambda data: made.sent.append(data), lambda handle: None)
    made.sent = []
    return made


async def come():
    for _ in range(4):
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)


async def test_what_is_only_drawn_from_is_not_sent_though_it_was_fetched_ahead(feeds, door):
    ahead = feeds.watch(PULSES, mute=True)
    feeds.tell(ahead)  # `open` has left without it
    assert feeds.watch(PULSES, bound=True) is ahead
    await come()
    assert [row["id"] for row in feeds.bound(ahead.handle).resources] == ["a"]
    assert len(door.watches) == 1
    assert feeds.sent == []


async def test_a_panel_that_has_the_rows_goes_on_hearing_of_them(feeds, door):
    ahead = feeds.watch(PULSES, mute=True)
    feeds.tell(ahead)
    await come()
    assert feeds.watch(PULSES, bound=True) is ahead
    door.pulse("b", 72)
    assert [len(data.whole.resources) if data.whole else len(data.put) for data in feeds.sent] == [1, 1]


async def test_rows_that_are_wanted_after_all_are_sent(feeds):
    drawn = feeds.watch(PULSES, bound=True)
    await come()
    wanted = feeds.watch(PULSES)
    assert wanted is not drawn
    feeds.tell(wanted)
    await come()
    assert [data.watch for data in feeds.sent] == [wanted.handle]


async def test_a_new_process_is_given_the_rows_again(feeds):
    ahead = feeds.watch(PULSES, mute=True)
    feeds.tell(ahead)
    feeds.watch(PULSES, bound=True)
    await come()
    feeds.forget()
    feeds.tell(ahead)
    assert [len(data.whole.resources) for data in feeds.sent] == [1]


async def test_what_the_manifest_says_is_drawn_from_stays_so_in_a_new_process(feeds):
    drawn = feeds.watch(PULSES, bound=True, mute=True)
    feeds.tell(drawn)
    await come()
    feeds.forget()
    feeds.tell(drawn)
    assert feeds.sent == []
    assert feeds.watch(PULSES, bound=True) is drawn


async def hidden(feeds, door):
    """A panel that has its rows, out of sight; what it was sent so far is forgotten."""
    feed = feeds.watch(PULSES)
    feeds.tell(feed)
    await come()
    feeds.sent.clear()
    feeds._in_sight = lambda: False
    return feed


async def test_a_panel_out_of_sight_hears_of_changes_in_their_order_a_moment_later(feeds, door):
    await hidden(feeds, door)
    door.pulse("b", 72)
    door.pulse("c", 73)
    assert feeds.sent == []
    await asyncio.sleep(2 * LATER)
    assert [[row["id"] for _, row in data.put] for data in feeds.sent] == [["b"], ["c"]]


async def test_what_it_has_not_heard_yet_goes_before_what_may_rest_on_it(feeds, door):
    feed = await hidden(feeds, door)
    door.pulse("b", 72)
    feeds.flush()
    assert [data.watch for data in feeds.sent] == [feed.handle]
    await asyncio.sleep(2 * LATER)
    assert len(feeds.sent) == 1


async def test_once_it_is_seen_nothing_overtakes_what_it_was_to_hear(feeds, door):
    await hidden(feeds, door)
    door.pulse("b", 72)
    feeds._in_sight = lambda: True
    door.pulse("c", 73)
    assert [[row["id"] for _, row in data.put] for data in feeds.sent] == [["b"], ["c"]]


@pytest.mark.parametrize("end", [Feeds.forget, Feeds.close])
async def test_one_that_is_gone_hears_nothing_more(feeds, door, end):
    await hidden(feeds, door)
    door.pulse("b", 72)
    end(feeds)
    await asyncio.sleep(2 * LATER)
    assert feeds.sent == []


async def test_a_watch_that_ended_is_not_heard_of(feeds, door):
    feed = await hidden(feeds, door)
    door.pulse("b", 72)
    feeds.unwatch(feed.handle)
    feeds.flush()
    assert feeds.sent == []

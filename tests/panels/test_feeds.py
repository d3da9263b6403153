"""The live queries of one instance: what is sent to its panel, and what is not."""

from __future__ import annotations

import asyncio

import pytest

from tests.panels.conftest import MemoryDoor
from workspace.broker.context import for_patient
from workspace.broker.grant import Grant
from workspace.panels.feeds import Feeds

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

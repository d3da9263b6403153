"""*Angre* of what waits: withdrawn when it has certainly never left, refused in words when it may have, and then undone when
it is answered."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import replace

import pytest

from tests.broker.conftest import endpoints
from tests.broker.test_pending import FORM, KEY, creating
from tests.record.ill_behaved_platform import IllBehaved
from workspace.broker.door import Write
from workspace.panels.fields import Fields
from workspace.problem import Problem
from workspace.record import patience

NOWHERE = "http://127.0.0.1:9"
PULSES = "Observation?code=8867-4&_sort=-date"
SENT = replace(FORM, values={"pulse": "55", "note": "sov"}, changes={"pulse": None, "note": None})


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(patience, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.1)


@asynccontextmanager
async def cut_off(working, server, origin=NOWHERE):
    """A broker that knows the platform to be away by now: nobody waits for it."""
    async with working(server) as broker:
        vars(broker._record.client._endpoints).update(vars(endpoints(origin)))
        broker._outbox._away = lambda: True
        yield broker


async def code_of(work):
    with pytest.raises(Problem) as caught:
        await work
    return caught.value.code


async def in_vault(broker):
    return await broker._outbox._vault.run(lambda database: list(database.execute("SELECT id, state FROM outbox")))


def opened(broker, server):
    form = Fields(broker, KEY, server.clock, lambda at: None)
    broker.pending.on_exchange(form.exchange)
    return form


async def saved(broker, room, form, sent=SENT):
    for bind, value in sent.values.items():
        form.typed(bind, value)
    form.save()
    receipt = await broker.commit(room, [creating(55)], sent)
    form.apply({}, list(sent.changes), form.revision)
    return receipt


def test_what_never_left_is_withdrawn_and_its_words_stand_in_its_form_again(server, working, room, until):
    async def run():
        async with cut_off(working, server) as broker:
            form, seen = opened(broker, server), []
            broker.watch(room, PULSES, seen.append)
            receipt = await saved(broker, room, form)
            assert (receipt.state, receipt.undoable, form.values) == ("venter", True, {})
            await until(lambda: seen and seen[-1].whole and len(seen[-1].whole.resources) == 1)
            done = await broker.undo(receipt.id)
            assert (done.id, done.state, done.references, done.undoable) == (receipt.id, "lagret", (), False)
            assert form.values == dict(broker.load_draft(KEY).values) == {"pulse": "55", "note": "sov"}
            assert (broker.pending.all(), broker.counts().unsent, await in_vault(broker)) == ((), 0, [])
            assert broker.kept.all()[0].lost is False
            assert await code_of(broker.undo(receipt.id)) == "not-undoable"
            await until(lambda: not seen[-1].whole or not seen[-1].whole.resources)
        async with working(server) as broker:
            assert len((await broker.search(room, PULSES)).resources) == 1, "the one that stood there before"

    asyncio.run(run())


def test_what_was_typed_since_stays_and_the_former_text_is_kept_beside(server, working, room):
    async def run():
        async with cut_off(working, server) as broker:
            form = opened(broker, server)
            receipt = await saved(broker, room, form)
            form.typed("note", "våken igjen")
            form.save()
            await broker.undo(receipt.id)
            assert form.values == dict(broker.load_draft(KEY).values) == {"pulse": "55", "note": "våken igjen"}
            assert [(dict(one.values), one.lost) for one in broker.kept.all()] == [
                (form.values, False),
                ({"note": "sov"}, True),
            ]

    asyncio.run(run())


def test_what_later_ones_build_on_is_undone_after_them(server, working, room):
    async def run():
        async with working(server) as broker:
            there = await broker.read(room, (await broker.commit(room, [creating(81)])).references[0])
        async with cut_off(working, server) as broker:
            first = await broker.commit(room, [creating(55)])
            made = f"Observation/{broker._outbox.items()[0].bundle['entry'][0]['fullUrl'][9:]}"
            resting = creating(56, derivedFrom=[{"reference": made}])
            second = await broker.commit(room, [resting])
            changed = deepcopy(there)
            changed["valueQuantity"]["value"] = 82
            third = await broker.commit(room, [Write("update", changed, if_match="1")])
            again = deepcopy(changed)
            again["valueQuantity"]["value"] = 83
            fourth = await broker.commit(room, [Write("update", again, if_match="1")])
            assert [one.undoable for one in (first, second, third, fourth)] == [True] * 4
            for built_on in (first, third):
                assert await code_of(broker.undo(built_on.id)) == "rested-on"
            assert len(await in_vault(broker)) == 4
            for one in (fourth, third, second, first):
                assert (await broker.undo(one.id)).state == "lagret"
            assert await in_vault(broker) == []

    asyncio.run(run())


def test_a_full_disk_leaves_it_waiting_and_the_form_empty(server, working, room, monkeypatch):
    async def run():
        async with cut_off(working, server) as broker:
            form = opened(broker, server)
            receipt = await saved(broker, room, form)

            async def full(work):
                raise Problem("vault-full", "Disken er full.")

            with monkeypatch.context() as patch:
                patch.setattr(broker._outbox._vault, "run", full)
                assert await code_of(broker.undo(receipt.id)) == "vault-full"
            assert ([one.id for one in broker.pending.all()], form.values) == ([receipt.id], {})
            assert broker.load_draft(KEY) is None
            await broker.undo(receipt.id)
            assert form.values == {"pulse": "55", "note": "sov"}

    asyncio.run(run())


@asynccontextmanager
async def behind(server, *modes):
    front = IllBehaved(server.url, *modes)
    try:
        yield await front.open()
    finally:
        await front.shut()


@pytest.mark.parametrize("mode", ["drop", "refuse", "hang"])
def test_what_may_have_left_is_not_taken_back_before_the_platform_has_answered(
    server, working, room, until, monkeypatch, mode
):
    monkeypatch.setattr("workspace.record.outbox.WAIT", 0.1)

    async def run():
        modes = [mode] if mode == "hang" else [mode] * 4
        async with behind(server, *modes) as origin, cut_off(working, server, origin) as broker:
            form = opened(broker, server)
            receipt = await saved(broker, room, form)
            await until(lambda: broker._outbox._attempts._left)
            assert receipt.state == "venter"
            assert await code_of(broker.undo(receipt.id)) == "not-yet"
            assert len(await in_vault(broker)) == 1
            assert form.values == {}
            if mode == "hang":
                return
            await until(lambda: broker.counts().unsent == 0)
            broker._outbox._away = lambda: False
            undone = await broker.undo(receipt.id)
            assert undone.state == "lagret"
            wrong = await broker.search(room, "Observation?status=entered-in-error")
            assert [one["valueQuantity"]["value"] for one in wrong.resources] == [55]

    asyncio.run(run())


def test_what_an_earlier_session_left_may_have_left(server, working, room):
    async def run():
        async with cut_off(working, server) as broker:
            receipt = await broker.commit(room, [creating(55)], SENT)
            for task in list(broker._outbox._sending.values()):
                task.cancel()
            await broker._outbox.start()  # as after a kill
            assert await code_of(broker.pending.withdraw(receipt.id)) == "not-yet"

    asyncio.run(run())

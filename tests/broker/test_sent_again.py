"""What is sent again from the list of what is not saved leaves the form that still shows it: nobody saves it twice."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.broker.conftest import grant
from tests.broker.test_pending import FORM, KEY, creating
from tests.gateway.conftest import Server
from tests.record.test_refusal import Contrary
from workspace.broker import context
from workspace.broker.door import Write
from workspace.panels.fields import Fields
from workspace.problem import Problem

SENT = replace(FORM, values={"pulse": "55", "temp": 38.6}, changes={"pulse": None, "temp": None, "where": "rom 201"})


@pytest.fixture
def server(tmp_path):
    fronts = []
    made = Server(tmp_path, service=lambda store: fronts.append(Contrary(store)) or fronts[-1]).start()
    made.front = fronts[-1]
    yield made
    made.stop()


@pytest.fixture
def nosy(server):
    """`working`, with a form open on the screen."""

    @asynccontextmanager
    async def opened(working):
        async with working(server) as broker:
            form = Fields(broker, KEY, server.clock, lambda at: None)
            broker.pending.on_exchange(form.exchange)
            yield broker, form

    return opened


async def saved(broker, room, form, **typed):
    """What an action of the form does (`panels.acts`)."""
    for bind, value in typed.items():
        form.typed(bind, value)
    form.save()
    receipt = await broker.commit(room, [creating(55)], replace(SENT, revision=form.revision))
    if receipt.state == "avvist":
        form.again()
    else:
        form.apply({"where": "rom 201"}, ["pulse", "temp"], form.revision)
    return receipt


def stored(server):
    found = server.sign_in("tone").get("Observation?patient=Patient/BEB-18&code=8867-4").json()["entry"]
    return sorted(each["resource"]["valueQuantity"]["value"] for each in found)


def test_what_is_sent_on_again_leaves_its_form_and_what_was_typed_since_stays(server, working, room, nosy):
    async def run():
        async with nosy(working) as (broker, form):
            server.front.says = [422]
            refused = await saved(broker, room, form, pulse="55", temp=38.6)
            assert refused.state == "avvist"
            assert dict(broker.load_draft(KEY).values) == form.values == {"pulse": "55", "temp": 38.6}
            form.typed("temp", 38.7)
            form.typed("note", "sov")
            seen = []
            broker.pending.on_exchange(lambda *_: seen.append([one.state for one in broker.pending.all()]))
            again = await broker.pending.retry(refused.id)
            assert again.state == "lagret"
            assert form.values == {"temp": 38.7, "note": "sov"}
            assert dict(broker.load_draft(KEY).values) == form.values
            assert len(seen) == 1, "told once, as soon as it is kept"
            server.front.says = [422]
            with pytest.raises(Problem) as caught:
                await broker.pending.retry(refused.id)
            assert caught.value.code == "nothing-to-send"

    asyncio.run(run())
    assert stored(server) == [55, 72]


def test_what_is_refused_once_more_stands_in_its_form_again_and_is_mended_from_there(server, working, room, nosy):
    async def run():
        async with nosy(working) as (broker, form):
            server.front.says = [422, 422]
            refused = await saved(broker, room, form, pulse="55", temp=38.6)
            again = await broker.pending.retry(refused.id)
            assert again.state == "avvist"
            assert form.values == dict(broker.load_draft(KEY).values) == {"pulse": "55", "temp": 38.6}
            assert (await saved(broker, room, form)).state == "lagret"
            assert broker.pending.all() == (), "it was the refused one's mending"
            assert broker.load_draft(KEY).values == {"where": "rom 201"}

    asyncio.run(run())
    assert stored(server) == [55, 72]


@pytest.mark.parametrize("emptied", [False, True], ids=["corrected", "emptied and typed anew"])
def test_what_stands_in_its_form_after_a_new_start_is_mended_from_there_and_what_is_typed_anew_is_its_own(
    server, working, room, nosy, emptied
):
    async def run():
        async with nosy(working) as (broker, form):
            server.front.says = [422]
            await saved(broker, room, form, pulse="55", temp=38.6)
            await broker.drafts.flush()
            broker.drafts._kept.clear()  # a new start remembers what is in the vault alone
            await broker.drafts.start()
            again = Fields(broker, KEY, server.clock, lambda at: None)
            assert again.values == {"pulse": "55", "temp": 38.6}
            for value in [None] * emptied + ["56"]:
                again.typed("pulse", value)
                if emptied:
                    again.typed("temp", None)
                again.save()
            sent = replace(SENT, values=again.state.values, revision=again.revision)
            assert (await broker.commit(room, [creating(56)], sent)).state == "lagret"
            assert len(broker.pending.all()) == emptied

    asyncio.run(run())


@pytest.mark.parametrize("resent", [False, True], ids=["left alone", "sent again in vain"])
@pytest.mark.parametrize("value", ["64", "55"], ids=["another value", "the same value"])
def test_what_is_measured_after_a_late_no_does_not_take_its_place(server, working, room, nosy, until, value, resent):
    async def run():
        async with nosy(working) as (broker, form):
            broker._outbox._away = lambda: True  # the commit returns as *venter*
            server.front.says = [422, 422] if resent else [422]
            form.typed("pulse", "55")
            form.save()
            sent = replace(SENT, values={"pulse": "55"}, changes={"pulse": None}, revision=form.revision)
            receipt = await broker.commit(room, [creating(55)], sent)
            assert receipt.state == "venter"
            form.apply({}, ["pulse"], form.revision)
            form.end()
            broker._outbox._away = lambda: False
            await until(lambda: [one.state for one in broker.pending.all()] == ["avvist"])
            if resent:
                receipt = await broker.pending.retry(receipt.id)
                assert receipt.state == "avvist"
            again = Fields(broker, KEY, server.clock, lambda at: None)
            assert again.values == {}
            again.typed("pulse", value)
            again.save()
            new = replace(sent, values={"pulse": value}, revision=again.revision)
            assert (await broker.commit(room, [creating(int(value))], new)).state == "lagret"
            assert [one.id for one in broker.pending.all()] == [receipt.id], "the first is not saved yet, and says so"

    asyncio.run(run())


@pytest.mark.parametrize("by_hand", [True, False])
def test_what_is_typed_into_a_form_that_was_emptied_does_not_take_its_place(server, working, room, nosy, by_hand):
    async def run():
        async with nosy(working) as (broker, form):
            server.front.says = [422]
            refused = await saved(broker, room, form, pulse="55", temp=38.6)
            form.typed("note", "sov")
            if by_hand:
                form.typed("pulse", None)
                form.typed("temp", None)
                form.save()
            else:
                form.apply({}, ["pulse", "temp"], form.revision)
            form.typed("pulse", "64")
            form.save()
            new = replace(SENT, values=form.state.values, changes={"pulse": None}, revision=form.revision)
            assert (await broker.commit(room, [creating(64)], new)).state == "lagret"
            assert [one.id for one in broker.pending.all()] == [refused.id]

    asyncio.run(run())


def test_what_else_is_saved_from_the_form_meanwhile_is_no_mending(server, working, room, nosy):
    async def run():
        async with nosy(working) as (broker, form):
            server.front.says = [422]
            refused = await saved(broker, room, form, pulse="55", temp=38.6)
            form.typed("note", "sov")
            form.save()
            noted = replace(SENT, values=form.state.values, changes={"note": None}, revision=form.revision)
            assert (await broker.commit(room, [creating(60)], noted)).state == "lagret"
            form.apply({}, ["note"], form.revision)
            assert [one.id for one in broker.pending.all()] == [refused.id]
            assert (await saved(broker, room, form)).state == "lagret"
            assert broker.pending.all() == ()

    asyncio.run(run())


def test_a_late_no_leaves_the_form_empty_and_stays_so_when_it_is_refused_again(server, working, room, nosy):
    async def run():
        async with nosy(working) as (broker, form):
            server.front.says = [422, 422]
            refused = await saved(broker, room, form, pulse="55", temp=38.6)
            form.apply({}, ["pulse", "temp"], form.revision)  # the no came after the form was done with it
            assert (await broker.pending.retry(refused.id)).state == "avvist"
            assert form.values == {}
            assert broker.load_draft(KEY) is None

    asyncio.run(run())


def test_two_who_press_at_once_send_it_once(server, working, room, nosy):
    async def run():
        async with nosy(working) as (broker, form):
            server.front.says = [422]
            refused = await saved(broker, room, form, pulse="55", temp=38.6)
            both = (broker.pending.retry(refused.id), broker.commit(room, [creating(55)], SENT))
            done = await asyncio.gather(*both, return_exceptions=True)
            assert [getattr(one, "state", None) or one.code for one in done] == ["lagret", "being-sent"]

    asyncio.run(run())
    assert stored(server) == [55, 72]


def test_a_full_disk_leaves_the_item_the_draft_and_the_form_as_they_were(server, working, room, nosy, monkeypatch):
    async def run():
        async with nosy(working) as (broker, form):
            server.front.says = [422]
            refused = await saved(broker, room, form, pulse="55", temp=38.6)

            async def full(work):
                raise Problem("vault-full", "Disken er full.")

            with monkeypatch.context() as patch:
                patch.setattr(broker._outbox._vault, "run", full)
                with pytest.raises(Problem):
                    await broker.pending.retry(refused.id)
            assert form.values == dict(broker.load_draft(KEY).values) == {"pulse": "55", "temp": 38.6}
            assert (await broker.pending.retry(refused.id)).state == "lagret", "and it can be tried again"
            assert form.values == {}

    asyncio.run(run())


def test_a_settled_conflict_leaves_its_form(server, working, nosy):
    async def run():
        async with nosy(working) as (tone, form), working(server, "lege") as doctor:
            mine, hers = (grant(context.for_patient("Patient/BEB-18")) for _ in range(2))
            name = (await tone.commit(mine, [creating(81)])).references[0]
            there = await tone.read(mine, name)
            quantity = there["valueQuantity"]
            other = {**there, "valueQuantity": {**quantity, "value": 90}}
            other["performer"] = [*there["performer"], {"reference": "Practitioner/lege"}]
            assert (await doctor.commit(hers, [Write("update", other, if_match="1")])).state == "lagret"
            form.typed("pulse", "82")
            form.typed("note", "sov")
            late = {**there, "valueQuantity": {**quantity, "value": 82}}
            sent = replace(FORM, values={"pulse": "82"}, changes={"pulse": None})
            receipt = await tone.commit(mine, [Write("update", late, if_match="1")], sent)
            form.again()
            assert (receipt.state, form.values) == ("konflikt", {"pulse": "82", "note": "sov"})
            (shown,) = await tone.pending.conflicts()
            settled = await tone.pending.resolve(shown, {name: {"valueQuantity": "mine"}})
            assert settled.state == "lagret"
            assert form.values == dict(tone.load_draft(KEY).values) == {"note": "sov"}

    asyncio.run(run())

"""«Hvor kommer dette fra?» at the door, with a real gateway behind it: the whole story, and nothing of anybody else's."""

from __future__ import annotations

import asyncio

import pytest

from tests.broker.test_broker import note, one_pulse
from tests.gateway.conftest import pulse
from workspace.broker import context
from workspace.broker.door import Refused, Write


async def refused(call):
    with pytest.raises(Refused) as caught:
        await call
    return caught.value.code


def test_a_value_of_ours_says_who_and_in_which_panel_and_when_it_was_recorded(server, working, room):
    async def run():
        async with working(server) as broker:
            done = await broker.commit(room, [one_pulse()])
            told = await broker.origin(room.context, done.references[0])
            assert (told.state, told.version, told.whole) == ("lagret", "1", True)
            assert [one.reference for one in told.people] == ["Practitioner/tone"]
            assert (told.origin.package, told.origin.version) == ("nordlys.vitals", "1.0.0")
            assert told.origin.at == "2026-01-14T14:40:00+01:00"
            assert told.origin.recorded
            there = await broker.origin(room.context, "Observation/puls-BEB-18")
            assert (there.origin.package, there.people[0].reference) == ("", "Practitioner/lege")

    asyncio.run(run())


def test_what_was_reused_says_from_what_and_what_is_not_open_is_only_counted(server, working, room):
    async def run():
        async with working(server) as broker:
            done = await broker.commit(room, note(["Observation/puls-BEB-18"]))
            told = await broker.origin(room.context, done.references[0])
            assert [(one.reference, one.origin.at) for one in told.sources] == [
                ("Observation/puls-BEB-18", "2026-01-14T14:40:00+01:00")
            ]
            assert "72" in told.sources[0].words
            derived = pulse("BEB-18", value=90, derivedFrom=[{"reference": "Observation/puls-BEB-01"}])
            await asyncio.to_thread(server.store_put, derived | {"id": "avledet"})
            hidden = await broker.origin(room.context, "Observation/avledet")
            assert (hidden.sources, hidden.unseen) == ((), 1)

    asyncio.run(run())


def test_nothing_is_told_of_another_patient_of_what_is_not_open_or_after_the_switch(server, working, room):
    async def run():
        async with working(server) as broker:
            assert await refused(broker.origin(room.context, "Observation/puls-BEB-19")) == "wrong-patient"
            assert await refused(broker.origin(room.context, "Observation/puls-BEB-01")) in (
                "access-denied",
                "not-found",
            )
            assert await refused(broker.origin(room.context, "Observation/x/_history/1")) == "bad-query"
            elsewhere = context.for_patient("Patient/BEB-01")
            assert await refused(broker.origin(elsewhere, "Observation/puls-BEB-01")) in ("access-denied", "not-found")
            asked = asyncio.ensure_future(broker.origin(room.context, "Observation/puls-BEB-18"))
            await asyncio.sleep(0)
            broker.end(room.context)
            assert await refused(asked) == "context-changed"

    asyncio.run(run())


def test_whoever_looks_at_it_is_told_of_its_changes_and_of_no_other_until_the_context_ends(
    server, working, room, until
):
    async def run():
        async with working(server) as broker:
            done = await broker.commit(room, [one_pulse()])
            quoted = await broker.commit(room, note(done.references))
            news = {"value": 0, "note": 0, "closed": 0}

            def counting(name):
                return lambda: news.update({name: news[name] + 1})

            for name, reference in (("value", done.references[0]), ("note", quoted.references[0])):
                followed = broker.follow_origin(room.context, reference, counting(name))
                followed.heard(await broker.origin(room.context, reference))
            broker.follow_origin(room.context, done.references[0], counting("closed")).close()
            await broker.commit(room, [one_pulse()])
            assert news == {"value": 0, "note": 0, "closed": 0}
            there = await broker.read(room, done.references[0])
            await asyncio.to_thread(server.store_put, {**there, "status": "entered-in-error"})  # at another workstation
            await until(lambda: news["value"] and news["note"])  # the note quotes it
            broker.end(room.context)
            before = dict(news)
            broker._record.refresh()
            assert news == before
            with pytest.raises(Refused) as caught:
                broker.follow_origin(room.context, done.references[0], counting("value"))
            assert caught.value.code == "context-changed"

    asyncio.run(run())


def test_what_may_have_been_missed_and_two_records_joined_are_news(server, working, room):
    async def run():
        async with working(server) as broker:
            told = []
            broker.follow_origin(room.context, "Observation/puls-BEB-18", lambda: told.append(1))
            broker._record.refresh()
            assert len(told) == 1
            broker._record._merged("Patient/BEB-18", "Patient/BEB-19")
            assert len(told) == 2
            broker._record._back()
            assert len(told) == 3

    asyncio.run(run())


def test_a_correction_and_one_taken_back_say_so(server, working, room):
    async def run():
        async with working(server) as broker:
            done = await broker.commit(room, [one_pulse()])
            there = await broker.read(room, done.references[0])
            better = {**there, "valueQuantity": {**there["valueQuantity"], "value": 83}}
            await broker.commit(room, [Write("update", better, if_match="1")])
            told = await broker.origin(room.context, done.references[0])
            assert (told.state, told.version) == ("rettet", "2")
            assert [(one.what, one.people[0].reference, one.package, one.version) for one in told.steps] == [
                (what, "Practitioner/tone", "nordlys.vitals", "1.0.0") for what in ("UPDATE", "CREATE")
            ]
            assert told.sources == ()  # the version it was made from is no other fact
            await broker.commit(room, [Write("update", {**better, "status": "entered-in-error"}, if_match="2")])
            assert await refused(broker.read(room, done.references[0])) == "not-found"
            told = await broker.origin(room.context, done.references[0])
            assert (told.state, told.steps[0].what) == ("feilført", "NULLIFY")
            assert broker.counts().registered == 1  # nobody typed an origin

    asyncio.run(run())

"""Rows that wait, at the door: the same checks as for any row, and what is written about them finds the platform's names."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.broker.conftest import grant
from tests.broker.test_pending import FORM, without_status
from tests.gateway.conftest import pulse
from tests.record.ill_behaved_platform import IllBehaved
from workspace.broker import context
from workspace.broker.door import Refused, Write
from workspace.broker.duplicates import Answer
from workspace.record import patience
from workspace.record import record as record_module
from workspace.record.client import away
from workspace.record.outbox import Outbox
from workspace.record.rows import WAITS, name_of, waits

PULSES = "Observation?code=8867-4&_sort=-date"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(patience, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.1)
    monkeypatch.setattr(record_module, "FIRST_HELLO", 0.2)  # the front passes on no stream
    monkeypatch.setattr(Outbox.commit, "__defaults__", (0.1,))  # a commit is called *venter* so soon


@asynccontextmanager
async def without_writes(server, working):
    """(broker, thaw) before a platform that answers reads and takes no transaction until `thaw` is called."""
    front = IllBehaved(server.url, *["refuse"] * 1000)
    origin = await front.open()
    try:
        async with working(server, origin=origin) as broker:
            yield broker, front.modes.clear
    finally:
        await front.shut()


def creating(patient="BEB-18", value=81, **more):
    return Write("create", pulse(patient, value=value, **more), f"urn:uuid:{uuid4()}")


async def first(broker, room):
    return (await broker.search(room, PULSES)).resources[0]


def test_what_points_at_a_row_that_waits_is_sent_after_it_under_its_real_name(server, working, room, until):
    async def run():
        async with without_writes(server, working) as (broker, thaw):
            assert (await broker.commit(room, [creating(value=81)])).state == "venter"
            row = await first(broker, room)
            assert waits(row)
            await broker.commit(room, [creating(value=82, derivedFrom=[{"reference": name_of(row)}])])
            shown = next(each for each in (await broker.search(room, PULSES)).resources if "derivedFrom" in each)
            assert shown["derivedFrom"][0]["reference"] == name_of(row), "a panel can follow it already"
            thaw()
            await until(lambda: not broker.counts().unsent)
            after = [each for each in (await broker.search(room, PULSES)).resources if "derivedFrom" in each]
            (target,) = [each["derivedFrom"][0]["reference"] for each in after]
            assert (await broker.read(room, target))["valueQuantity"]["value"] == 81
            assert target != name_of(row)
            # A click on a row as it was drawn a moment ago.
            late = await broker.commit(room, [creating(value=83, derivedFrom=[{"reference": name_of(row)}])])
            assert late.state == "lagret"
            assert (await broker.read(room, late.references[0]))["derivedFrom"] == [{"reference": target}]

    asyncio.run(run())


def test_a_row_that_waits_cannot_be_changed_yet_and_its_mark_is_not_sent(server, working, room, until):
    async def run():
        async with without_writes(server, working) as (broker, thaw):
            await broker.commit(room, [creating(value=81)])
            row = await first(broker, room)
            for match in ("", "1"):
                with pytest.raises(Refused, match="ikke lagret ennå"):
                    await broker.commit(room, [Write("update", {**row, "status": "amended"}, if_match=match)])
            copy = {key: value for key, value in row.items() if key != "id"}
            await broker.commit(room, [Write("create", copy, f"urn:uuid:{uuid4()}")])
            thaw()
            await until(lambda: not broker.counts().unsent)
            rows = (await broker.search(room, PULSES)).resources
            assert [each["valueQuantity"]["value"] for each in rows].count(81) == 2
            assert not [each for each in rows if WAITS in each["meta"].get("tag", ())]

    asyncio.run(run())


def test_another_patients_panel_and_one_without_the_scope_do_not_see_it(server, working, room):
    async def run():
        async with without_writes(server, working) as (broker, _):
            await broker.commit(room, [creating(value=81)])
            row = await first(broker, room)
            other = grant(context.for_patient("Patient/BEB-19"))
            blind = grant(room.context, "patient/Patient.rs")
            assert name_of(row) not in [name_of(each) for each in (await broker.search(other, PULSES)).resources]
            for panel, code in ((other, "wrong-patient"), (blind, "scope-denied")):
                with pytest.raises(Refused) as caught:
                    await broker.read(panel, name_of(row))
                assert caught.value.code == code
            with pytest.raises(Refused) as caught:
                await broker.search(blind, PULSES)
            assert caught.value.code == "scope-denied"
            for reference in (name_of(row), f"urn:uuid:{row['id']}"):
                with pytest.raises(Refused) as caught:
                    await broker.commit(other, [creating("BEB-19", derivedFrom=[{"reference": reference}])])
                assert caught.value.code == "wrong-patient", reference

    asyncio.run(run())


def test_the_same_typed_twice_is_found_while_the_first_waits(server, working, room, until):
    async def run():
        async with without_writes(server, working) as (broker, thaw):
            await broker.commit(room, [creating(value=81)])
            found = []
            answer = Answer("replace", "feil")

            async def ask(duplicates):
                found[:] = duplicates
                return {each.write: answer for each in duplicates}

            broker.on_duplicates(ask)
            with pytest.raises(Refused, match="ikke lagret ennå"):
                await broker.commit(room, [creating(value=81)])
            assert [(one.same, one.waits) for one in found] == [(True, True)]
            answer = Answer("use")
            again, score = creating(value=81), pulse("BEB-18", value=5)
            score["code"] = {"coding": [{"system": "http://snomed.info/sct", "code": "1104051000000101"}]}
            score["derivedFrom"] = [{"reference": again.full_url}]
            await broker.commit(room, [again, Write("create", score, f"urn:uuid:{uuid4()}")])
            thaw()
            await until(lambda: not broker.counts().unsent)
            rows = (await broker.search(room, "Observation?category=vital-signs")).resources
            (pulses,) = [each for each in rows if each["valueQuantity"]["value"] == 81]
            (scored,) = [each for each in rows if "derivedFrom" in each]
            assert scored["derivedFrom"] == [{"reference": name_of(pulses)}]

    asyncio.run(run())


def test_where_a_row_that_waits_comes_from_is_told_without_the_platform(server, working, room, until):
    async def run():
        async with without_writes(server, working) as (broker, thaw):
            await broker.commit(room, [creating()])
            row = await first(broker, room)
            news = []
            followed = broker.follow_origin(room.context, name_of(row), lambda: news.append(1))
            told = await broker.origin(room.context, name_of(row))
            followed.heard(told)
            assert (told.state, told.version, told.steps, told.whole) == ("venter", "", (), True)
            assert told.origin.package == "nordlys.vitals"
            news.clear()
            thaw()
            await until(lambda: broker.counts().unsent == 0)
            assert news, "whoever looks at it is told, by the name it had"
            told = await broker.origin(room.context, name_of(row))  # under the name it stood on the screen by
            assert (told.state, told.version) == ("lagret", "1")
            assert told.reference != name_of(row)
            news.clear()
            there = await broker.read(room, told.reference)
            better = {**there, "valueQuantity": {**there["valueQuantity"], "value": 83}}
            await broker.commit(room, [Write("update", better, if_match="1")])
            assert news, "and by the one it has now"

    asyncio.run(run())


@pytest.mark.parametrize("before", [False, True], ids=["after the mending", "before the mending"])
def test_a_form_that_still_points_at_a_row_that_was_refused_follows_its_mending(server, working, room, until, before):
    async def run():
        async with without_writes(server, working) as (broker, thaw):
            await broker.commit(room, [without_status()], FORM)
            row = next(one for one in (await broker.search(room, PULSES)).resources if waits(one))
            thaw()
            await until(lambda: broker.counts().refused == 1)
            (refused,) = broker.pending.all()
            late = creating(value=83, derivedFrom=[{"reference": name_of(row)}])
            if before:
                assert (await broker.commit(room, [late])).state == "venter"
            broker.pending.reopen(refused.id)
            done = await broker.commit(room, [creating(value=56)], replace(FORM, values={"pulse": "56"}))
            assert done.state == "lagret"
            assert name_of(await broker.read(room, name_of(row))) == done.references[0]
            if not before:
                await broker.commit(room, [late])
            await until(lambda: not broker.counts().unsent)
            rows = (await broker.search(room, PULSES)).resources
            assert [one["derivedFrom"] for one in rows if "derivedFrom" in one] == [[{"reference": done.references[0]}]]
            assert broker.pending.all() == ()

    asyncio.run(run())


def test_a_held_row_that_is_let_go_while_the_platform_is_away_stays_in_sight(server, working, room, until):
    async def run():
        async with without_writes(server, working) as (broker, thaw):
            await broker.commit(room, [without_status()], FORM)
            row = next(one for one in (await broker.search(room, PULSES)).resources if waits(one))
            thaw()
            await until(lambda: broker.counts().refused == 1)
            await broker.commit(room, [creating(value=83, derivedFrom=[{"reference": name_of(row)}])])

            async def values():
                found = (await broker.search(room, PULSES)).resources
                return sorted(one["valueQuantity"]["value"] for one in found if waits(one))

            assert await values() == [83], "held, in sight"

            async def gone(*_, **__):
                raise away("ConnectError")

            broker._outbox._client.transaction = gone
            (refused,) = [one for one in broker.pending.all() if one.state == "avvist"]
            broker.pending.reopen(refused.id)
            done = await broker.commit(room, [creating(value=56)], replace(FORM, values={"pulse": "56"}))
            assert done.state == "venter"
            assert not any(one.held for one in broker.pending.all())
            assert await values() == [56, 83], "both wait, and both are shown"

    asyncio.run(run())

"""What is not saved stays in sight and can be mended: refused forms open again, conflicts are shown and settled."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.broker.conftest import grant
from tests.gateway.conftest import pulse
from workspace.broker import context
from workspace.broker.door import Draft, DraftKey, Form, Write
from workspace.problem import Problem
from workspace.record.draftsync import DraftSync
from workspace.sandbox.merge import merge

PULSES = "Observation?code=8867-4&_sort=-date"
FORM = Form("vitals", {"pulse": "55"}, 7)
KEY = DraftKey("311000101", "Practitioner/tone", "Patient/BEB-18", "nordlys.vitals", "vitals")


def creating(value=81, **more):
    return Write("create", pulse("BEB-18", value=value, **more), f"urn:uuid:{uuid4()}")


def without_status(value=55):
    bad = creating(value)
    del bad.resource["status"]
    return bad


def test_a_refused_commit_is_listed_opens_in_its_form_and_its_mending_takes_its_place(server, working, room, until):
    async def run():
        async with working(server) as broker:
            heard = []
            broker.pending.listen(lambda: heard.append(len(broker.pending.all())))
            refused = await broker.commit(room, [without_status()], FORM)
            (one,) = broker.pending.all("Patient/BEB-18")
            assert (one.id, one.state, one.view, one.values) == (refused.id, "avvist", "vitals", {"pulse": "55"})
            assert one.reason == "Målingen mangler status."
            assert one.fields == ("Målingen mangler status.",)
            assert broker.pending.all("Patient/BEB-19") == ()
            assert (broker.counts().refused, broker.counts().unsent) == (1, 0)
            await until(lambda: 1 in heard)

            broker.save_draft(KEY, Draft({}, 8))  # she emptied the form meanwhile
            opened = broker.pending.reopen(one.id)
            assert (opened.package, opened.view, opened.patient) == ("nordlys.vitals", "vitals", "Patient/BEB-18")
            assert broker.load_draft(KEY).values == {"pulse": "55"}
            done = await broker.commit(room, [creating(55)], FORM)
            assert done.state == "lagret"
            assert broker.pending.all() == ()
            assert broker.counts().refused == 0
            await until(lambda: heard[-1] == 0)
            with pytest.raises(Problem) as caught:
                broker.pending.reopen(one.id)
            assert caught.value.code == "nothing-to-open"

    asyncio.run(run())


def test_what_was_refused_opens_with_the_one_who_stays_after_a_merge(server, working, room, until):
    async def run():
        async with working(server) as broker:
            refused = await broker.commit(room, [without_status()], FORM)
            joining = merge(server.store, "Patient/BEB-18", "Patient/BEB-19")
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(joining, server.loop))
            await until(lambda: broker.pending.all("Patient/BEB-19"))
            assert broker.pending.all("Patient/BEB-18") == ()
            assert broker.pending.reopen(refused.id).patient == "Patient/BEB-19"
            assert dict(broker.load_draft(replace(KEY, patient="Patient/BEB-19")).values) == {"pulse": "55"}

    asyncio.run(run())


def test_what_was_opened_to_be_mended_before_a_merge_is_mended_by_the_one_who_stays(server, working, room, until):
    async def run():
        async with working(server) as broker:
            DraftSync(broker.drafts, broker._outbox._client, device="pc")
            broker.save_draft(KEY, Draft({"pulse": "55"}, 7))
            await broker.commit(room, [without_status()], FORM)
            joining = merge(server.store, "Patient/BEB-18", "Patient/BEB-19")
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(joining, server.loop))
            await until(lambda: broker.pending.all("Patient/BEB-19"))
            broker.merged("Patient/BEB-18", "Patient/BEB-19")  # as the shell does
            there = grant(context.for_patient("Patient/BEB-19"))
            mended = replace(FORM, values={"pulse": "56"}, revision=9)
            done = await broker.commit(there, [Write("create", pulse("BEB-19", value=56))], mended)
            assert done.state == "lagret"
            assert broker.pending.all() == ()

    asyncio.run(run())


def test_a_mending_that_the_full_disk_did_not_take_is_one_when_it_is_tried_again(server, working, room, monkeypatch):
    async def run():
        async with working(server) as broker:
            broker.save_draft(KEY, Draft({"pulse": "55"}, 7))
            sent = replace(FORM, changes={"pulse": None})
            await broker.commit(room, [without_status()], sent)
            broker.save_draft(KEY, Draft({"pulse": "56"}, 8))
            mended = replace(sent, values={"pulse": "56"}, revision=8)

            async def full(work):
                raise Problem("vault-full", "Disken er full.")

            with monkeypatch.context() as patch:
                patch.setattr(broker._outbox._vault, "run", full)
                with pytest.raises(Problem):
                    await broker.commit(room, [creating(56)], mended)
            assert (await broker.commit(room, [creating(56)], mended)).state == "lagret"
            assert broker.pending.all() == ()

    asyncio.run(run())


def test_what_is_saved_again_from_a_form_that_still_stands_is_its_mending(server, working, room):
    async def run():
        async with working(server) as broker:
            broker.save_draft(KEY, Draft({"pulse": "55"}, 7))
            await broker.commit(room, [without_status()], FORM)
            other = await broker.commit(room, [creating(60)], Form("notes", {"x": 1}, 1))
            assert other.state == "lagret"
            assert len(broker.pending.all()) == 1
            assert (await broker.commit(room, [creating(55)], FORM)).state == "lagret"
            assert broker.pending.all() == ()

    asyncio.run(run())


def test_a_form_with_something_newer_in_it_is_not_overwritten(server, working, room):
    async def run():
        async with working(server) as broker:
            refused = await broker.commit(room, [without_status()], FORM)
            broker.save_draft(KEY, Draft({"pulse": "99"}, 9))
            with pytest.raises(Problem) as caught:
                broker.pending.reopen(refused.id)
            assert caught.value.code == "draft-in-the-way"
            assert broker.load_draft(KEY).values == {"pulse": "99"}
            await broker.pending.discard(refused.id)
            assert broker.pending.all() == ()

    asyncio.run(run())


def test_a_conflict_is_shown_by_field_and_settled_at_the_door(server, working, until):
    async def run():
        async with working(server) as tone, working(server, "lege") as doctor:
            mine = grant(context.for_patient("Patient/BEB-18"))
            hers = grant(context.for_patient("Patient/BEB-18"))
            done = await tone.commit(mine, [creating(81)])
            name = done.references[0]
            seen = []
            tone.watch(mine, PULSES, seen.append)
            await until(lambda: seen)
            there = await tone.read(mine, name)
            other = deepcopy(there)
            other["valueQuantity"]["value"] = 90
            other["performer"].append({"reference": "Practitioner/lege"})
            assert (await doctor.commit(hers, [Write("update", other, if_match="1")])).state == "lagret"
            late = deepcopy(there)
            late["valueQuantity"]["value"] = 82
            late["method"] = {"text": "manuelt"}
            receipt = await tone.commit(mine, [Write("update", late, if_match="1")], FORM)
            assert (receipt.state, receipt.problem.code) == ("konflikt", "conflict")
            assert tone.counts().conflicts == 1
            assert tone.pending.marks()[name].state == "konflikt"
            (shown,) = await tone.pending.conflicts()
            (one,) = shown.resources
            assert [each.path for each in one.comparison.open] == ["valueQuantity"]
            assert one.theirs_by.reference == "Practitioner/lege"
            assert one.base["valueQuantity"]["value"] == 81
            settled = await tone.pending.resolve(shown, {name: {"valueQuantity": "theirs"}})
            assert settled.state == "lagret"
            after = await tone.read(mine, name)
            assert (after["valueQuantity"]["value"], after["method"]["text"]) == (90, "manuelt")
            assert tone.pending.all() == ()
            assert tone.pending.marks() == {}

    asyncio.run(run())


def test_without_the_platform_all_that_waits_is_listed_with_the_rows_it_concerns(server, working, room):
    async def run():
        async with working(server) as broker:
            done = await broker.commit(room, [creating(81)])
            there = await broker.read(room, done.references[0])
        async with working(server, origin="http://127.0.0.1:9") as broker:
            waiting = await broker.commit(room, [Write("update", there, if_match="1")], FORM)
            assert waiting.state == "venter"
            (one,) = broker.pending.all()
            assert (one.state, one.held, one.references) == ("venter", False, done.references)
            assert broker.pending.marks()[done.references[0]].state == "venter"
            assert broker.counts().unsent == 1
            with pytest.raises(Problem):
                broker.pending.reopen(one.id)  # on its way: nothing to mend yet

    asyncio.run(run())


def test_a_commit_takes_its_words_out_of_the_draft_when_it_is_durable_not_when_it_is_answered(
    server, working, room, until
):
    async def run():
        async with working(server, origin="http://127.0.0.1:9") as broker:
            broker.save_draft(KEY, Draft({"pulse": "55", "note": "nyere"}, 8))
            act = asyncio.ensure_future(broker.commit(room, [creating(55)], replace(FORM, changes={"pulse": None})))
            await until(lambda: broker.counts().unsent)
            assert not act.done()
            assert broker.load_draft(KEY).values == {"note": "nyere"}
            broker.save_draft(KEY, Draft({"pulse": "55", "note": "nyere, enda"}, 9))  # the form still shows all of it
            assert broker.load_draft(KEY).values == {"note": "nyere, enda"}
            act.cancel()

    asyncio.run(run())


def test_what_was_refused_in_an_earlier_version_of_its_form_opens_as_text_that_can_be_read(server, working, room):
    async def run():
        async with working(server) as broker:
            refused = await broker.commit(room, [without_status()], FORM)
            opened = broker.pending.reopen(refused.id)
            assert opened.state_version == 1, "the shell puts it into a form of this version and into no other"
            older = broker.kept.older("Patient/BEB-18", "nordlys.vitals", "vitals", 2)
            assert dict(older.values) == {"pulse": "55"}
            assert broker.kept.older("Patient/BEB-18", "nordlys.vitals", "vitals", 1) is None
            assert [dict(one.values) for one in broker.kept.all()] == [{"pulse": "55"}]
            broker.kept.discard(older)
            assert broker.kept.all() == ()

    asyncio.run(run())

"""What a panel takes for a fact is one."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from tests.broker.conftest import grant
from tests.broker.test_broker import PULSES, ids, one_pulse, refused
from tests.gateway.conftest import pulse
from workspace.broker import context, facts
from workspace.broker.door import Write
from workspace.fhir import parameters
from workspace.fhir.search import parse_query
from workspace.panels.feeds import Feed, Feeds
from workspace.sdk import record
from workspace.sdk.results import Result, Store


def test_what_was_entered_in_error_is_no_row_and_leaves_when_it_becomes_so(server, working, room, until):
    async def run():
        server.store_put(pulse("BEB-18", "lege", id="feil", status="entered-in-error"))
        async with working(server) as broker:
            heard = []
            broker.watch(room, PULSES, heard.append)
            await until(lambda: heard)
            assert ids(heard[0].whole) == ["puls-BEB-18"]
            done = await broker.commit(room, [one_pulse(81)])
            await until(lambda: any(change.put for change in heard))
            await broker.undo(done.id)
            await until(lambda: any(done.references[0] in change.gone for change in heard))
            named = await broker.search(room, "Observation?status=entered-in-error")
            assert {"feil", done.references[0][12:]} == set(ids(named))

    asyncio.run(run())


def test_a_query_that_names_a_status_is_left_alone():
    for text in (
        "Observation?status=final",
        "Observation?status=entered-in-error,final",
        "Patient?_id=p",
        "Basic?_id=p",
    ):
        assert facts.facts_only(parse_query(text)) == parse_query(text)
    for text in ("Condition", "Condition?verification-status:not=refuted", "Condition?_id=a"):
        added = facts.facts_only(parse_query(text)).parameters
        assert ("verification-status", "not", "entered-in-error") in [
            (one.name, one.modifier, str(one.values[0])) for one in added
        ]


TEXTS = {
    "CarePlan": {"intent": "plan"},
    "Communication": {},
    "Composition": {"title": "x", "date": "2026-01-14T10:00:00+01:00", "author": [{"reference": "Practitioner/lege"}]},
    "DiagnosticReport": {"code": {"text": "x"}},
    "DocumentReference": {"content": []},
    "QuestionnaireResponse": {},
    "ServiceRequest": {"intent": "order"},
    "Task": {"intent": "order"},
}


def test_no_type_shows_what_was_entered_in_error_unless_asked_by_name(server, working):
    async def run():
        for kind, more in TEXTS.items():
            about = {"for" if kind == "Task" else "subject": {"reference": "Patient/BEB-18"}}
            server.store_put({"resourceType": kind, "id": "feil", "status": "entered-in-error", **about, **more})
            server.store_put({"resourceType": kind, "id": "rett", "status": "active", **about, **more})
        everything = grant(context.for_patient("Patient/BEB-18"), "patient/*.rs")
        async with working(server) as broker:
            for kind in TEXTS:
                assert ids(await broker.search(everything, kind)) == ["rett"], kind
                assert ids(await broker.search(everything, f"{kind}?status=entered-in-error")) == ["feil"], kind
                assert await refused(broker.read(everything, f"{kind}/feil")) == "not-found", kind

    asyncio.run(run())


def test_nor_does_it_come_as_an_included_row_or_stay_as_one(server, working, room, until):
    async def run():
        server.store_put(pulse("BEB-18", "lege", id="feil", status="entered-in-error"))
        server.store_put(pulse("BEB-18", "lege", id="kilde", effectiveDateTime="2025-01-14T14:40:00+01:00"))
        sources = [{"reference": "Observation/feil"}, {"reference": "Observation/kilde"}]
        server.store_put(pulse("BEB-18", "lege", id="avledet", derivedFrom=sources))
        asked = "Observation?date=ge2026&_include=Observation:derived-from"
        async with working(server) as broker:
            heard = []
            broker.watch(room, asked, heard.append)
            await until(lambda: heard)
            assert (set(ids(heard[0].whole)), heard[0].whole.included) == ({"puls-BEB-18", "avledet", "kilde"}, 1)
            server.store_put(pulse("BEB-18", "lege", id="kilde", status="entered-in-error"))
            await until(lambda: heard[-1].whole is not None and "kilde" not in ids(heard[-1].whole))
            assert "feil" not in ids(heard[-1].whole)

    asyncio.run(run())


def test_a_cut_answer_says_that_more_exist_all_the_way_to_the_panel(server, working, room, until):
    async def run():
        server.store_put(pulse("BEB-18", "lege", id="eldre", effectiveDateTime="2025-01-14T14:40:00+01:00"))
        async with working(server) as broker:
            cut = await broker.search(room, f"{PULSES}&_count=1")
            assert (ids(cut), cut.more) == (["puls-BEB-18"], True)
            assert (await broker.search(room, PULSES)).more is False
            feeds = Feeds(broker, room, (sent := []).append, lambda handle: None)
            feed = feeds.watch(f"{PULSES}&_count=1")
            feeds.tell(feed)
            await until(lambda: sent)
            store = Store(feed.query)
            store.whole(msgspec.to_builtins(sent[0])["whole"])
            assert Result(store).more
            bound = feeds.bound(feed.handle)
            assert (bound.more, bound.newest) == (True, True)
            feeds.close()

    asyncio.run(run())


def test_that_a_result_begins_to_be_cut_reaches_a_panel_that_has_it(server, working, room, until):
    async def run():
        async with working(server) as broker:
            feeds = Feeds(broker, room, (sent := []).append, lambda handle: None)
            feed = feeds.watch(f"{PULSES}&_count=1")
            feeds.tell(feed)
            await until(lambda: sent)
            assert (sent[0].whole.more, feeds.bound(feed.handle).more) == (False, False)
            server.store_put(pulse("BEB-18", "lege", id="nyere", effectiveDateTime="2026-01-14T15:40:00+01:00"))
            await until(lambda: len(sent) == 2)
            assert (sent[1].whole, sent[1].further, feeds.bound(feed.handle).more) == (None, True, True)
            feeds.close()

    asyncio.run(run())


def issue(own, status, at):
    about = {"reference": "Patient/BEB-18"}
    return {"resourceType": "DetectedIssue", "id": own, "status": status, "patient": about, "identifiedDateTime": at}


def test_where_no_query_can_say_it_the_rows_are_kept_in_place_all_the_same(server, working, until):
    room = grant(context.for_patient("Patient/BEB-18"), "patient/*.rs")
    assert parameters.definition("DetectedIssue", "status") is None  # R4 has no such search parameter

    async def run():
        for day, status in ((1, "final"), (2, "entered-in-error"), (3, "final")):
            server.store_put(issue(f"d{day}", status, f"2026-01-0{day}"))
        async with working(server) as broker:
            feed, heard = Feed(1, "DetectedIssue", False), []

            def told(change):
                heard.append(change)
                feed.apply(change)

            broker.watch(room, "DetectedIssue?_sort=-identified", told)
            await until(lambda: heard)
            assert [one["id"] for one in feed.rows] == ["d3", "d1"]
            server.store_put(issue("d0", "final", "2026-01-01T08:00:00+01:00"))
            await until(lambda: len(feed.rows) == 3)
            assert feed.rows[0]["id"] == "d3"
            server.store_put(issue("d3", "entered-in-error", "2026-01-03"))
            await until(lambda: len(feed.rows) == 2)
            assert {one["id"] for one in feed.rows} == {"d0", "d1"}
            assert all(one.error == "" for one in heard)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("resource", "says"),
    [
        ({"resourceType": "Condition", "code": {"text": "Hjertesvikt"}}, "code"),
        ({"resourceType": "Flag", "status": "active", "code": {"text": "HLR-"}}, "code"),
        (
            {"resourceType": "MedicationRequest", "medicationReference": {"display": "Warfarin"}},
            "medicationCodeableConcept",
        ),
        ({"resourceType": "Immunization", "vaccineCode": {"text": "Influensa"}}, "vaccineCode"),
    ],
)
def test_what_it_claims_is_gone_from_where_a_reader_looks_for_it(resource, says):
    odd = {**resource, "id": "a", "subject": {"reference": "Patient/BEB-18"}, "note": [{"text": "hemmelig"}]}
    odd["modifierExtension"] = [{"url": "http://ukjent.example/ikke", "valueBoolean": True}]
    seen = facts.shown(odd)
    assert (seen[says], seen["subject"], facts.is_withheld(seen)) == ({"text": facts.SENTENCE}, odd["subject"], True)
    assert record.withheld(seen) == facts.SENTENCE
    assert record.withheld(odd) == ""
    assert "hemmelig" not in str(seen)
    assert not any(text in str(seen) for text in ("Hjertesvikt", "HLR-", "Warfarin", "Influensa"))


def test_an_unknown_modifier_is_never_shown_as_normal_and_never_written_away(server, working, room, until):
    async def run():
        odd = {"url": "http://ukjent.example/ikke", "valueBoolean": True}
        server.store_put(pulse("BEB-18", "lege", id="forbehold", modifierExtension=[odd]))
        inside = pulse("BEB-18", "lege", id="inni")
        inside["component"] = [{"code": {"text": "x"}, "valueString": "y", "modifierExtension": [odd]}]
        server.store_put(inside)
        async with working(server) as broker:
            heard = []
            broker.watch(room, PULSES, heard.append)
            await until(lambda: heard)
            rows = {row["id"]: row for row in heard[0].whole.resources}
            assert rows["puls-BEB-18"]["valueQuantity"]["value"] == 72
            for own in ("forbehold", "inni"):
                assert "valueQuantity" not in rows[own]
                assert "component" not in rows[own]
                assert rows[own]["code"] == rows["puls-BEB-18"]["code"]
                assert rows[own]["dataAbsentReason"]["text"] == facts.SENTENCE
            assert "valueQuantity" not in await broker.read(room, "Observation/forbehold")
            row = {**rows["forbehold"], "performer": [{"reference": "Practitioner/tone"}], "status": "final"}
            row["valueQuantity"] = {"value": 1, "unit": "/min"}
            assert await refused(broker.commit(room, [Write("update", row, if_match="1")])) == "bad-write"
            row["meta"] = {}
            assert await refused(broker.commit(room, [Write("update", row, if_match="1")])) == "bad-write"
        async with working(server) as broker:  # read alone: no list of the shell's holds it
            await broker.read(room, "Observation/forbehold")
            assert await refused(broker.commit(room, [Write("update", row, if_match="1")])) == "bad-write"
            assert await refused(broker.commit(room, [Write("update", row, if_match='W/"1"')])) == "bad-write"

    asyncio.run(run())


def test_an_unknown_extension_survives_the_round_trip(server, working, room):
    async def run():
        extension = [{"url": "http://ukjent.example/x", "valueString": "y"}]
        async with working(server) as broker:
            write = one_pulse(81)
            write.resource["extension"] = extension
            done = await broker.commit(room, [write])
            there = await broker.read(room, done.references[0])
            there["valueQuantity"]["value"] = 82
            assert (await broker.commit(room, [Write("update", there, if_match="1")])).state == "lagret"
            after = await broker.read(room, done.references[0])
            assert (after["extension"], after["valueQuantity"]["value"]) == (extension, 82)

    asyncio.run(run())

"""What a panel takes for a fact is one."""

from __future__ import annotations

import asyncio

from tests.broker.test_broker import PULSES, ids, one_pulse, refused
from tests.gateway.conftest import pulse
from workspace.broker import facts
from workspace.broker.door import Write
from workspace.fhir.search import parse_query


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
    for text in ("Observation?status=final", "Observation?_id=a", "Composition?patient=Patient/p", "Patient?_id=p"):
        assert facts.facts_only(parse_query(text)) == parse_query(text)
    (added,) = facts.facts_only(parse_query("Condition")).parameters
    assert (added.name, added.modifier) == ("verification-status", "not")


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

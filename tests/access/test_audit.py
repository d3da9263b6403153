"""The shape of the log's events and their chain."""

from __future__ import annotations

import orjson

from workspace.access.audit import GENESIS, Access, audit_event, chain_of, chained, query_shape, verify_chain
from workspace.access.decision import Decision, Subject

PERMIT = Decision("permit", "permit", "R-01", "lov", "Du har stilling.")
TONE = Subject("sub", "Tone", "Practitioner/tone", "sykepleier", "1234567", "sid")


def event(own, decision=PERMIT, kind="read"):
    access = Access(
        kind, TONE, "a.b@1", ("Patient/A",), "TREAT", "Observation?patient=*", decision, "2026-01-14T14:45:00+01:00"
    )
    return audit_event(access, own)


def chain(count):
    events, previous = [], GENESIS
    for number in range(1, count + 1):
        events.append(chained(event(str(number)), "sid", number, previous))
        previous = chain_of(events[-1])["hash"]
    return events


def test_a_shape_shows_codes_and_hides_people():
    assert query_shape("Observation", "patient=Patient/A&category=vital-signs&_sort=-date") == (
        "Observation?_sort=-date&category=vital-signs&patient=*"
    )
    assert query_shape("Patient", "name=Hansen") == "Patient?name=*"
    assert query_shape("Patient") == "Patient"


def test_an_event_names_person_panel_and_patient_and_holds_strings_only():
    made = event("1")
    assert made["agent"][0]["who"]["reference"] == "Practitioner/tone"
    assert made["agent"][0]["who"]["identifier"]["value"] == "1234567"
    assert made["entity"][1]["what"] == {"reference": "Patient/A"}
    assert all(isinstance(d["valueString"], str) for d in made["entity"][0]["detail"])
    refused = event("2", Decision("deny", "no-decision", "R-01", "lov", "Nei."), "refused")
    assert (refused["outcome"], refused["outcomeDesc"]) == ("4", "Nei.")


def test_a_whole_chain_survives_the_store_and_each_kind_of_damage_shows():
    events = chain(4)
    stored = [{**orjson.loads(orjson.dumps(e)), "meta": {"versionId": "1"}} for e in events]
    assert verify_chain(reversed(stored)) == []
    assert verify_chain(stored[:1] + stored[2:])
    changed = orjson.loads(orjson.dumps(stored))
    changed[2]["agent"][0]["name"] = "En annen"
    assert verify_chain(changed) == ["3: was changed"]
    assert "sid" not in str(chain_of(events[0])["chain"])

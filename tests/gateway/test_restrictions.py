"""What a patient has closed, and protected addresses, over HTTP: nothing leaks by any road, and the log knows."""

from __future__ import annotations

from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.access.test_restrictions import consent
from tests.gateway.conftest import bundle, pulse
from tests.gateway.test_access import refusal
from tests.gateway.test_auditing import details, of, patients
from tests.gateway.test_drafts import put
from tests.gateway.test_feed import hello, stream
from tests.gateway.test_feed_cut import poll
from workspace.access.protection import PROTECTION


def close(server, *, patient="BEB-18", **more):
    """The patient closes something to Tone."""
    server.store_put({**consent(**more), "id": "sperring", "patient": {"reference": f"Patient/{patient}"}})


def test_a_closed_record_is_as_one_she_never_had(server, tone):
    put(tone)
    tone.get("Patient/BEB-18")
    close(server)
    for path in (
        "Patient/BEB-18",
        "Observation/puls-BEB-18",
        "Observation/puls-BEB-18/_history",
        "Observation?patient=BEB-18",
        "Encounter/opphold-BEB-18",
        "Consent/sperring",
        "Consent?patient=BEB-18",
    ):
        answer = tone.get(path)
        assert refusal(answer, 403, "no-decision")
        assert answer.json() == tone.get(path.replace("BEB-18", "BEB-01").replace("sperring", "ukjent")).json()
        assert "R-14" not in answer.text
    assert tone.ids("Patient") == {"BEB-19", "BEB-30"}
    assert tone.ids("Observation") == {"puls-BEB-19", "puls-BEB-30"}
    assert "BEB-18" not in tone.get("Encounter?_include=Encounter:patient").text
    assert "BEB-18" not in tone.get("Observation/_history").text
    assert tone.send(bundle(pulse("BEB-18")), str(uuid4())).status_code == 403
    assert tone.get("/drafts").json()["drafts"] == []
    assert tone.get("Consent").json().get("entry", []) == []
    doctor = server.sign_in("lege")
    assert doctor.get("Patient/BEB-18").status_code == 200
    assert doctor.get("Consent/sperring").status_code == 403  # nobody's workstation learns whom it names
    assert "sperring" not in doctor.get("Consent?patient=BEB-18").text
    refused = [e for e in of(server.log(), "Tone") if details(e)["decision"] == "deny:restricted"]
    assert len(refused) >= 6
    assert all(details(e)["rule"] == "R-14" for e in refused)
    assert {one for e in refused for one in patients(e)} >= {"Patient/BEB-18"}


def test_what_was_closed_is_so_for_all_who_come_after_in_a_row_of_merges(server, tone):
    close(server)
    for gone, stays in (("BEB-18", "BEB-19"), ("BEB-19", "BEB-30")):
        link = [{"other": {"reference": f"Patient/{stays}"}, "type": "replaced-by"}]
        server.store_put({"resourceType": "Patient", "id": gone, "active": False, "link": link})
    for one in ("BEB-18", "BEB-19", "BEB-30"):
        assert tone.get(f"Patient/{one}").status_code == 403
    assert server.sign_in("lege").get("Patient/BEB-30").status_code == 200


def test_what_is_closed_while_she_works_must_go_and_what_follows_is_not_told(server, tone):
    first = poll(tone)
    with stream(server.sign_in("tone")) as events:
        hello(events)
        close(server)
        name, said = events.next()
        assert (name, said["reason"]) == ("resync", "access")
        doctor = server.sign_in("lege")
        doctor.send(bundle(pulse("BEB-18", who="lege")), str(uuid4()))
        doctor.send(bundle(pulse("BEB-30", who="lege")), str(uuid4()))
        assert events.next()[1]["patients"] == ["Patient/BEB-30"]
    told = poll(tone, first["seq"], first["sight"])
    assert [e["data"].get("reason") for e in told["events"]] == ["access"]
    assert [e["data"]["patients"] for e in poll(tone, first["seq"])["events"]] == [["Patient/BEB-30"]]
    server.store_put({**consent(status="inactive"), "id": "sperring", "patient": {"reference": "Patient/BEB-18"}})
    assert tone.get("Patient/BEB-18").status_code == 200


def test_parts_of_a_record_are_closed_wherever_they_would_come_along(server, tone):
    doctor = server.sign_in("lege")
    kept = doctor.send(bundle(pulse("BEB-18", who="lege")), str(uuid4())).json()["entry"][0]["resource"]["id"]
    origin = {
        "resourceType": "Provenance",
        "id": "opphav",
        "target": [{"reference": "Observation/puls-BEB-18"}],
        "recorded": "2026-01-14T14:45:00+01:00",
        "agent": [{"who": {"reference": "Practitioner/lege"}}],
    }
    server.store_put(origin)
    close(server, data=[{"meaning": "instance", "reference": {"reference": "Observation/puls-BEB-18"}}])
    assert tone.get("Patient/BEB-18").status_code == 200
    found = tone.get("Observation?patient=BEB-18&_revinclude=Provenance:target&_total=accurate").json()
    seen, told = (
        [e["resource"] for e in found["entry"] if (e["resource"]["resourceType"] == "Provenance") is about]
        for about in (False, True)
    )
    assert [one["id"] for one in seen] == [kept]
    assert [each["reference"] for one in told for each in one["target"]] == [f"Observation/{kept}"]
    assert "total" not in found
    assert tone.get("Observation?patient=BEB-18&_summary=count").json().get("total") is None
    for path in ("Observation/puls-BEB-18", "Observation/puls-BEB-18/_history/1", "Provenance/opphav"):
        assert refusal(tone.get(path), 403, "no-decision")
    there = doctor.get("Observation/puls-BEB-18").json()
    wrong = {**there, "status": "entered-in-error"}
    assert tone.put(wrong, **{"If-Match": 'W/"1"'}).status_code == 403
    with stream(server.sign_in("tone")) as events:
        hello(events)
        assert doctor.put(wrong, **{"If-Match": 'W/"1"'}).status_code == 200
        doctor.send(bundle(pulse("BEB-18", who="lege", value=99)), str(uuid4()))
        assert events.next()[1]["resource"]["valueQuantity"]["value"] == 99
    assert any(details(e)["decision"] == "deny:restricted" for e in of(server.log(), "Tone"))


def test_a_kind_that_is_closed_is_closed_for_what_is_written_later_too(server, tone):
    close(server, **{"class": [{"code": "Observation"}]})
    later = server.sign_in("lege").send(bundle(pulse("BEB-18", who="lege")), str(uuid4()))
    assert later.status_code == 200
    assert tone.ids("Observation") == {"puls-BEB-19", "puls-BEB-30"}
    assert tone.get("Encounter/opphold-BEB-18").status_code == 200
    assert tone.send(bundle(pulse("BEB-18")), str(uuid4())).status_code == 403


def bed(patient, unit, room):
    return {
        "resourceType": "Encounter",
        "id": f"opphold-{patient}",
        "status": "in-progress",
        "class": {"code": "IMP"},
        "subject": {"reference": f"Patient/{patient}"},
        "serviceProvider": {"reference": f"Organization/{unit}"},
        "location": [{"location": {"reference": f"Location/{room}"}}],
    }


@pytest.fixture
def protected(server):
    """BEB-30's address is protected; she lives in room 310 at Solsiden."""
    room = {"resourceType": "Location", "id": "rom-310", "name": "310"}
    server.store_put(room)
    server.store_put({**room, "id": "rom-210", "name": "210"})
    server.store_put(
        {
            "resourceType": "Patient",
            "id": "BEB-30",
            "meta": {"security": [{"system": PROTECTION, "code": "fortrolig"}]},
            "name": [{"family": "Navn30"}],
            "address": [{"city": "Tromsø", "district": "Tromsø"}],
            "telecom": [{"system": "phone", "value": "77000000"}],
            "generalPractitioner": [{"reference": "Practitioner/lege"}],
            "managingOrganization": {"reference": "Organization/fjellheim"},
        }
    )
    server.store_put(bed("BEB-30", "solsiden", "rom-310"))
    server.store_put(bed("BEB-18", "havblikk", "rom-210"))
    return server


PLACES = ("rom-3", "310", "Tromsø", "77000000", "Organization/fjellheim")


def test_no_list_tells_where_somebody_protected_is(protected):
    server, tone = protected, protected.sign_in("tone")
    stays = tone.get("Encounter?_include=Encounter:location&_include=Encounter:patient")
    assert not any(place in stays.text for place in PLACES)
    assert "rom-210" in stays.text  # the others' rooms are there
    own = {e["resource"]["id"]: e["resource"] for e in stays.json()["entry"]}
    assert own["opphold-BEB-30"]["serviceProvider"]["reference"] == "Organization/solsiden"  # her own unit knows that
    for path in ("Patient/BEB-30", "Patient", "Patient/BEB-30/_history", "Patient/BEB-30/_history/1"):
        assert not any(place in tone.get(path).text for place in PLACES), path
    doctor = server.sign_in("lege")  # opened from above: not even the unit
    assert "olsiden" not in doctor.get("Encounter/opphold-BEB-30").text


def test_nobody_finds_somebody_protected_by_place(protected):
    tone = protected.sign_in("tone")
    assert tone.ids("Encounter?location=Location/rom-310") == set()
    assert tone.ids("Encounter?patient=BEB-30&location=Location/rom-310") == set()
    assert tone.ids("Encounter?location=Location/rom-210") == {"opphold-BEB-18"}
    assert tone.ids("Patient?address-city=Tromsø") == set()
    counted = tone.get("Patient?address-city=Tromsø&_summary=count").json()
    assert counted.get("total") is None


def test_a_change_does_not_tell_it_either(protected):
    server = protected
    with stream(server.sign_in("tone")) as events:
        hello(events)
        server.store_put(bed("BEB-30", "solsiden", "rom-310"))
        name, told = events.next()
        assert (name, told["id"]) == ("change", "opphold-BEB-30")
        assert not any(place in str(told) for place in PLACES)


def test_who_becomes_protected_while_she_works_is_another_sight_and_so_is_who_no_longer_is(server, tone):
    server.store_put(bed("BEB-18", "havblikk", "rom-210"))
    patient = tone.get("Patient/BEB-18").json()
    first = poll(tone)
    with stream(server.sign_in("tone")) as events:
        hello(events)
        server.store_put({**patient, "meta": {"security": [{"system": PROTECTION, "code": "fortrolig"}]}})
        name, said = events.next()
        assert (name, said["reason"]) == ("resync", "access")
    told = poll(tone, first["seq"], first["sight"])
    assert [each["data"].get("reason") for each in told["events"]] == ["access"]
    server.store_put({**patient, "meta": {"security": []}})
    assert poll(tone)["sight"] == first["sight"]


def test_it_is_shown_by_an_explicit_act_with_a_reason_in_the_log(protected):
    tone = protected.sign_in("tone")
    said = refusal(tone.get("Patient/BEB-30", **{"X-Workspace-Reveal": "vil se"}), 400, "reason-required")
    assert said.startswith("Beskyttet adresse vises bare med en begrunnelse.")
    reason = "Pårørende er på vei, må følges inn på rommet"
    shown = tone.get("Encounter/opphold-BEB-30", **{"X-Workspace-Reveal": quote(reason)})
    assert "rom-310" in shown.text
    assert "Tromsø" in tone.get("Patient/BEB-30", **{"X-Workspace-Reveal": quote(reason)}).text
    assert "Tromsø" not in tone.get("Patient", **{"X-Workspace-Reveal": quote(reason)}).text
    events = [e for e in of(protected.log(), "Tone") if patients(e) == ["Patient/BEB-30"]]
    assert [details(e).get("begrunnelse") for e in events].count(reason) == 2
    assert all("solsiden" not in str(e) for e in events)

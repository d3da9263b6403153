"""Who sees what, over HTTP."""

from __future__ import annotations

import asyncio
import json
import time

import httpx
import pytest

from tests.gateway.conftest import KEY, STRANGE, pulse
from workspace.fhir.service import FhirRequest


def refusal(answer, status, code):
    assert answer.status_code == status, answer.text
    issue = answer.json()["issue"][0]
    assert issue["details"]["coding"][0]["code"] == code
    return issue["details"]["text"]


def test_the_platform_describes_itself_without_sign_on(server):
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        said = http.get("/.well-known/clinician-workspace").json()
        assert said["fhir"] == server.url + "/fhir"
        assert said["sandbox"] is True
        assert http.get("/health").json() == {"state": "ready"}
        assert http.get("/time").json()["now"].startswith("2026-01-14T14:45")
        assert http.get("/fhir/metadata").json()["resourceType"] == "CapabilityStatement"


@pytest.mark.parametrize(
    "given",
    [
        {"exp": int(time.time()) - 5},
        {"aud": "http://annet.example"},
        {"iss": "http://annet.example"},
        {"header": {"typ": "JWT"}},
        {"key": STRANGE},
        {"key": STRANGE, "header": {"kid": KEY.kid}},
        {"sid": ""},
    ],
    ids=["expired", "audience", "issuer", "type", "unknown key", "forged kid", "no session"],
)
def test_a_token_that_is_not_right_is_401(server, given):
    person = server.sign_in("tone", **given)
    answer = person.get("Patient")
    assert refusal(answer, 401, "signed-out") == "Innloggingen er utløpt. Logg inn på nytt."
    assert "Bearer" in answer.headers["www-authenticate"]


def test_no_token_and_an_ended_session_are_401(server, tone):
    assert tone.http.get("/fhir/Patient").status_code == 401
    assert tone.get("Patient").status_code == 200
    server.ended.add("sid-tone")
    assert tone.get("Patient").status_code == 401


def test_a_nurse_sees_her_units_only(tone):
    assert tone.ids("Patient?_sort=_id") == {"BEB-18", "BEB-19", "BEB-30"}
    assert tone.ids("Observation?category=vital-signs") == {"puls-BEB-18", "puls-BEB-19", "puls-BEB-30"}
    assert tone.ids("Observation?patient=Patient/BEB-18") == {"puls-BEB-18"}
    assert tone.ids("Observation?subject=BEB-18") == {"puls-BEB-18"}


def test_a_doctor_of_the_home_sees_all_and_an_administrator_nothing_clinical(server):
    assert len(server.sign_in("lege").ids("Patient")) == 4
    system = server.sign_in("system")
    said = refusal(system.get("Observation"), 403, "no-decision")
    assert said == "Rollen din gir ikke tilgang til pasientopplysninger: en rolle alene åpner ingen journal."
    assert system.get("Patient/BEB-18").status_code == 403
    assert len(system.ids("Organization")) == 4
    assert system.get("AuditEvent").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "Observation?patient=Patient/BEB-01",
        "Observation?subject=BEB-01",
        "Observation?patient=BEB-18,BEB-01",
        "Patient?_id=BEB-01",
        "Patient/BEB-01",
        "Patient/finnes-ikke",
        "Patient/BEB-01/_history",
        "Observation/puls-BEB-01",
        "Observation/puls-BEB-01/_history",
        "Observation/puls-BEB-01/_history/1",
    ],
)
def test_a_foreign_patient_is_refused_in_words(tone, path):
    said = refusal(tone.get(path), 403, "no-decision")
    assert said == "Du har ikke tilgang: ingen registrert beslutning knytter deg til denne pasienten nå."


@pytest.mark.parametrize(
    ("unknown", "foreign"),
    [
        ("Patient/finnes-ikke", "Patient/BEB-01"),
        ("Observation/finnes-ikke", "Observation/puls-BEB-01"),
        ("Observation/finnes-ikke/_history", "Observation/puls-BEB-01/_history"),
        ("Observation/finnes-ikke/_history/1", "Observation/puls-BEB-01/_history/1"),
        ("Observation/puls-BEB-01/_history/9", "Observation/puls-BEB-01/_history/1"),
        ("Encounter/finnes-ikke", "Encounter/opphold-BEB-01"),
        ("Provenance/finnes-ikke", "Observation/puls-BEB-01"),
    ],
)
def test_nobody_learns_by_asking_what_there_is(tone, unknown, foreign):
    one, other = tone.get(unknown), tone.get(foreign)
    assert refusal(one, 403, "no-decision")
    assert one.json() == other.json()
    hidden = {"date", "x-request-id"}
    assert {k: v for k, v in one.headers.items() if k not in hidden} == {
        k: v for k, v in other.headers.items() if k not in hidden
    }


def test_nobody_learns_by_changing_what_there_is(server, tone):
    gone = pulse("BEB-01", "lege", id="slettet")
    server.store_put(gone)
    request = FhirRequest("DELETE", "Observation/slettet")
    assert asyncio.run_coroutine_threadsafe(server.store.handle(request), server.loop).result(5).status in (200, 204)
    match = {"If-Match": 'W/"1"'}
    said = []
    for name in ("finnes-ikke", "puls-BEB-01", "slettet"):
        one = tone.put(pulse("BEB-18", id=name), **match)
        said.append((refusal(one, 403, "no-decision"), one.json()))
        entry = {"resource": pulse("BEB-18", id=name), "request": {"method": "PUT", "url": f"Observation/{name}"}}
        entry["request"]["ifMatch"] = match["If-Match"]
        many = tone.send({"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
        assert many.json() == one.json()
    assert said[0] == said[1] == said[2]
    assert said[0][0].endswith("Det samme svares når opplysningen som endres, ikke finnes.")
    refusal(tone.put(pulse("BEB-18", id="slettet")), 403, "no-decision")  # nor is another's taken over
    events = [e for e in server.log() if e["outcome"] == "4" and e["agent"][0]["name"] == "Tone"]
    assert len([e for e in events if "PUT Observation" in json.dumps(e)]) == 4
    targets = []
    for name in ("finnes-ikke", "puls-BEB-01"):
        provenance = {
            "resourceType": "Provenance",
            "target": [{"reference": f"Observation/{name}"}],
            "recorded": "2026-01-14T14:40:00+01:00",
            "agent": [{"who": {"reference": "Practitioner/tone"}}],
        }
        targets.append(tone.http.post("/fhir/Provenance", json=provenance, headers=tone.headers()))
    assert refusal(targets[0], 403, "no-decision") == refusal(targets[1], 403, "no-decision")


def test_what_concerns_no_patient_and_a_version_that_is_not_there_are_told(tone):
    assert tone.get("Organization/finnes-ikke").status_code == 404
    assert tone.get("Observation/puls-BEB-18/_history/9").status_code == 404


def test_a_deletion_in_a_history_is_told_to_those_who_could_see_it(server, tone):
    for gone in ("puls-BEB-01", "puls-BEB-18"):
        request = FhirRequest("DELETE", f"Observation/{gone}")
        asyncio.run_coroutine_threadsafe(server.store.handle(request), server.loop).result(5)
    told = tone.get("Observation/_history?_count=50")
    deleted = [e["request"]["url"] for e in told.json()["entry"] if e["request"]["method"] == "DELETE"]
    assert deleted == ["Observation/puls-BEB-18"]
    assert "BEB-01" not in told.text
    own = tone.get("Observation/puls-BEB-18/_history?_count=1")
    assert own.json()["entry"][0]["request"]["method"] == "DELETE"
    assert refusal(tone.get("Observation/puls-BEB-01/_history?_count=1"), 403, "no-decision")
    assert refusal(tone.get("Observation/puls-BEB-01"), 403, "no-decision")
    assert tone.get("Observation/puls-BEB-18").status_code == 410


def test_a_weak_sign_on_opens_nothing(server):
    level = "helseid://claims/identity/security_level"
    for weak in ("3", "", "fire"):
        person = server.sign_in("tone", **{level: weak})
        said = refusal(person.get("Patient"), 403, "level")
        assert said == (
            "Innloggingen er ikke sikker nok for pasientopplysninger. Logg inn på nytt med sikkerhetsnivå 4."
        )
        for path in ("/changes", "/transactions/0000-0000"):
            assert person.get(path).status_code == 403
        assert person.http.post("/audit", json={"events": []}, headers=person.headers()).status_code == 403


def test_the_panels_of_one_fetch_are_counted(server, tone):
    named = ",".join(f"firma.panel{i}@1.0.0" for i in range(17))
    answer = tone.get("Patient", **{"X-Workspace-Package": named})
    assert refusal(answer, 400, "too-many-packages")
    assert tone.get("Patient", **{"X-Workspace-Package": named.rpartition(",")[0]}).status_code == 200


def test_what_comes_along_is_looked_at_too(tone):
    found = tone.get("Organization?_id=fjellbris,havblikk&_revinclude=Encounter:service-provider").json()
    assert {e["resource"]["id"] for e in found["entry"]} == {
        "fjellbris",
        "havblikk",
        "opphold-BEB-18",
        "opphold-BEB-19",
    }
    assert "BEB-01" not in str(found)
    assert "BEB-01" not in tone.get("Observation/_history").text


def test_pages_lead_on_under_the_platforms_address(server, tone):
    first = tone.get("Observation?_count=2").json()
    following = next(link["url"] for link in first["link"] if link["relation"] == "next")
    assert following.startswith(server.url + "/fhir/Observation?")
    rest = tone.http.get(following, headers=tone.headers()).json()
    assert len(first["entry"]) + len(rest["entry"]) == 3


def test_a_search_may_be_posted_and_a_batch_is_judged_entry_by_entry(tone):
    posted = tone.http.post("/fhir/Observation/_search", data={"patient": "Patient/BEB-30"}, headers=tone.headers())
    assert [e["resource"]["id"] for e in posted.json()["entry"]] == ["puls-BEB-30"]
    asked = [{"request": {"method": "GET", "url": url}} for url in ("Patient/BEB-18", "Patient/BEB-01")]
    done = tone.send({"resourceType": "Bundle", "type": "batch", "entry": asked}).json()
    assert [e["response"]["status"] for e in done["entry"]] == ["200", "403"]


def test_the_log_is_for_those_who_guard_it(server, tone):
    assert refusal(tone.get("AuditEvent"), 403, "no-decision")
    assert server.sign_in("ombud").get("AuditEvent").status_code == 200
    assert server.sign_in("ombud").get("AuditEvent/finnes-ikke").status_code == 404


def test_purposes(tone):
    assert refusal(tone.get("Patient", **{"X-Workspace-Purpose": "FUN"}), 403, "purpose")
    assert refusal(tone.get("Observation", **{"X-Workspace-Purpose": "COC"}), 403, "purpose")


def test_a_patient_who_moves_away_closes_at_once(server, tone):
    doctor = server.sign_in("lege")
    assert tone.get("Patient/BEB-18").status_code == 200
    moved = doctor.get("Encounter/opphold-BEB-18").json()
    moved["status"] = "finished"
    assert doctor.put(moved).status_code == 403  # not from here
    server.store_put(moved)
    assert tone.get("Patient/BEB-18").status_code == 403

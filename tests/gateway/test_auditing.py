"""The log: who saw what about whom, through which panel, why; whole and once."""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict
from uuid import uuid4

from tests.gateway.conftest import PACKAGE, bundle, pulse
from workspace.access.audit import chain_of, verify_chain
from workspace.gateway import auditing


def patients(event):
    found = [e["what"]["reference"] for e in event["entity"] if "what" in e]
    return [one for one in found if one.startswith("Patient/")]


def details(event):
    return {d["type"]: d["valueString"] for d in event["entity"][0]["detail"]}


def of(events, who):
    return [e for e in events if e["agent"][0]["name"] == who]


def test_a_read_is_logged_once_with_person_panel_patient_and_purpose(server, tone):
    for _ in range(3):
        tone.get("Observation?patient=BEB-18&category=vital-signs", **{"X-Request-Id": "r-1"})
    (event,) = of(server.log(), "Tone")
    assert event["agent"][0]["who"]["reference"] == "Practitioner/tone"
    assert event["agent"][1]["name"] == PACKAGE
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"
    assert patients(event) == ["Patient/BEB-18"]
    assert details(event)["query"] == "Observation?category=vital-signs&patient=*"
    assert details(event)["request"] == "r-1"
    tone.get("Observation?patient=BEB-18&category=vital-signs", **{"X-Workspace-Context": "rom-2"})
    assert len(of(server.log(), "Tone")) == 2


def test_a_list_is_one_event_with_its_patients(server, tone):
    tone.get("Patient")
    (event,) = of(server.log(), "Tone")
    assert patients(event) == ["Patient/BEB-18", "Patient/BEB-19", "Patient/BEB-30"]


def test_a_refusal_is_logged_with_its_reason(server, tone):
    tone.get("Observation?patient=BEB-01")
    (event,) = of(server.log(), "Tone")
    assert event["outcome"] == "4"
    assert patients(event) == ["Patient/BEB-01"]
    assert details(event)["decision"] == "deny:no-decision"


def test_a_write_is_in_the_log_before_it_is_answered(server, tone):
    answer = tone.send(bundle(pulse("BEB-18"), pulse("BEB-18", value=90)), str(uuid4()))
    versions = {f"Observation/{e['resource']['id']}/_history/1" for e in answer.json()["entry"]}
    found = server.sign_in("ombud").get("AuditEvent").json()["entry"]
    (event,) = of([e["resource"] for e in found], "Tone")
    assert event["action"] == "C"
    assert patients(event) == ["Patient/BEB-18"]
    assert versions < {e["what"]["reference"] for e in event["entity"] if "what" in e}


def test_a_file_that_fails_for_an_instant_stops_neither_writes_nor_the_log(server, tone, monkeypatch, caplog):
    real, failing = auditing._next, [True]

    def once(connection):
        if failing:
            failing.clear()
            raise sqlite3.OperationalError("disk I/O error")
        return real(connection)

    monkeypatch.setattr(auditing, "_next", once)
    assert [tone.send(bundle(pulse("BEB-18"))).status_code for _ in range(2)] == [200, 200]
    assert not failing
    monkeypatch.setattr(auditing, "RETRY_SECONDS", 0.1)
    deadline = time.monotonic() + 5
    while len(written := [e for e in server.log() if e["action"] == "C"]) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(written) == 2
    caplog.clear()


def test_the_brokers_reports_are_kept_once(server, tone):
    report = {
        "id": str(uuid4()),
        "kind": "read",
        "package": PACKAGE,
        "instance": "i-1",
        "context": "rom-9",
        "patients": ["Patient/BEB-18"],
        "purpose": "TREAT",
        "query": "Observation?patient=Patient/BEB-18",
        "request": "r-7",
        "cached": True,
        "at": "2026-01-14T14:46:00+01:00",
        "reason": "",
    }
    for _ in range(2):
        answer = tone.http.post("/audit", json={"events": [report]}, headers=tone.headers())
        assert answer.status_code == 204, answer.text
    other = server.sign_in("lege")
    assert other.http.post("/audit", json={"events": [report]}, headers=other.headers()).status_code == 204
    assert len(of(server.log(), "Lege")) == 1
    (event,) = of(server.log(), "Tone")
    assert event["recorded"] == report["at"]
    said = details(event)
    assert (said["cached"], said["request"], said["context"], said["instance"]) == ("true", "r-7", "rom-9", "i-1")
    assert "BEB-18" not in said["query"]
    bad = tone.http.post("/audit", json={"events": [{**report, "kind": "annet"}]}, headers=tone.headers())
    assert bad.status_code == 400


def test_the_chain_of_each_session_is_whole_across_a_restart_and_shows_tampering(server):
    tone = server.sign_in("tone")
    tone.get("Patient")
    tone.send(bundle(pulse("BEB-18")), str(uuid4()))
    server.restart()
    tone = server.sign_in("tone")
    tone.get("Patient/BEB-18")
    tone.get("Patient/BEB-01")
    chains = defaultdict(list)
    for event in server.log():
        chains[chain_of(event)["chain"]].append(event)
    longest = max(chains.values(), key=len)
    assert len(longest) == 4
    assert all(verify_chain(events) == [] for events in chains.values())
    longest[1]["agent"][0]["name"] = "En annen"
    assert verify_chain(longest)


def test_nobody_writes_the_log(server):
    ombud = server.sign_in("ombud")
    event = {"resourceType": "AuditEvent", "id": "falsk"}
    assert ombud.put(event).status_code == 403

"""A gateway killed midway: nothing is written that the log does not have, and nothing is logged twice."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from tests.gateway.conftest import Server, bundle, pulse
from tests.gateway.test_drafts import put, saying
from workspace.access.audit import chain_of, verify_chain
from workspace.clock import SystemClock
from workspace.fhir.service import FhirRequest
from workspace.gateway.intents import ENTRY, tag_of
from workspace.gateway.origins import is_beside
from workspace.sandbox.fhir import Store

ROOT = Path(__file__).resolve().parents[2]


def killed(folder, key, where):
    command = [sys.executable, "-m", "tests.gateway.killed", str(folder), key, where]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def creations(server):
    events = server.log()
    chains = defaultdict(list)
    for event in events:
        chains[chain_of(event)["chain"]].append(event)
    assert all(verify_chain(each) == [] for each in chains.values())
    return [e for e in events if e["action"] == "C"]


@pytest.mark.parametrize(("where", "written"), [("before", 0), ("after", 1), ("log", 1)])
def test_what_was_written_is_in_the_log_once_after_the_next_start(tmp_path, where, written, caplog):
    key, sent = str(uuid4()), bundle(pulse("BEB-18", value=77))
    (tmp_path / "sent.json").write_text(json.dumps(sent))
    killed(tmp_path, key, where)
    server = Server(tmp_path).start()
    try:
        tone = server.sign_in("tone")
        found = tone.ids(f"Observation?_tag=urn:workspace:transaction|{key}")
        assert len(found) == written
        events = creations(server)
        assert len(events) == written
        for event in events:
            assert event["agent"][0]["name"] == "Tone"
            named = {e["what"]["reference"] for e in event["entity"] if "what" in e}
            assert named == {"Patient/BEB-18", *(f"Observation/{own}/_history/1" for own in found)}
        told = tone.get(f"/transactions/{key}")
        assert told.status_code == (200 if written else 404)
        if written:
            assert {e["resource"]["id"] for e in told.json()["body"]["entry"]} == found
        again = tone.send(sent, key)
        assert again.status_code == 200, again.text
        if written:
            assert {e["resource"]["id"] for e in again.json()["entry"]} == found
        assert len(tone.ids(f"Observation?_tag=urn:workspace:transaction|{key}")) == 1
        assert len(creations(server)) == 1
        assert len(tone.ids(f"Provenance?_tag=urn:workspace:transaction|{key}")) == 1
    finally:
        server.stop()
        caplog.clear()


@pytest.mark.parametrize("where", ["after", "log"])
def test_what_was_written_is_no_draft_after_the_next_start_and_what_comes_of_it_is_late(tmp_path, where):
    """Nobody sends the transaction again: its author asks what became of it."""
    key = str(uuid4())
    server = Server(tmp_path).start()
    try:
        tone = server.sign_in("tone")
        first = put(tone, {"pulse": 77}, stretch="s-1").json()
    finally:
        server.stop()
    (tmp_path / "sent.json").write_text(json.dumps(saying(first, "pulse", stretch="s-1")))
    killed(tmp_path, key, where)
    server = Server(tmp_path).start()
    try:
        tone = server.sign_in("tone")
        assert tone.get(f"/transactions/{key}").status_code == 200
        assert tone.get("/drafts").json()["drafts"] == []
        assert put(tone, {"pulse": 77}, stretch="s-1").status_code == 412
    finally:
        server.stop()


async def _puts(folder, resource):
    await _asks(folder, FhirRequest("PUT", f"{resource['resourceType']}/{resource['id']}", body=resource))


async def _asks(folder, request):
    """Past the gateway, as another system does, while it is away."""
    store = Store(folder / "fhir.sqlite", SystemClock())
    await store.start()
    answer = await store.handle(request)
    assert answer.status in (200, 204), answer.body
    await store.close()
    return answer.body


def _update_of_the_first(folder):
    """A bundle that changes what is there, as it is sent; the same resource as somebody else puts it."""
    changed = pulse("BEB-18", "lege", value=80, id="puls-BEB-18")
    changed["performer"].append({"reference": "Practitioner/tone"})
    entry = {"fullUrl": "Observation/puls-BEB-18", "resource": changed}
    entry["request"] = {"method": "PUT", "url": "Observation/puls-BEB-18", "ifMatch": 'W/"1"'}
    sent = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    (folder / "sent.json").write_text(json.dumps(sent))
    return sent, pulse("BEB-18", "lege", value=90, id="puls-BEB-18")


@pytest.mark.parametrize("where", ["before", "after"])
def test_what_somebody_else_has_changed_since_is_logged_too_and_a_repeat_gets_the_first_outcome(
    tmp_path, where, caplog
):
    key = str(uuid4())
    sent, theirs = _update_of_the_first(tmp_path)
    killed(tmp_path, key, where)
    asyncio.run(_puts(tmp_path, theirs))
    server = Server(tmp_path).start()
    try:
        tone = server.sign_in("tone")
        updates = [e for e in server.log() if e["action"] == "U"]
        told, again = tone.get(f"/transactions/{key}"), tone.send(sent, key)
        if where == "before":
            assert (updates, told.status_code, again.status_code) == ([], 404, 412)
            return
        (event,) = updates
        assert "Observation/puls-BEB-18/_history/2" in [e["what"]["reference"] for e in event["entity"] if "what" in e]
        assert (told.status_code, again.status_code) == (200, 200), again.text
        for body in (told.json()["body"], again.json()):
            assert body["entry"][0]["response"]["etag"] == 'W/"2"'
            assert body["entry"][0]["resource"]["valueQuantity"]["value"] == 80
        assert tone.get("Observation/puls-BEB-18").json()["valueQuantity"]["value"] == 90
        assert len([e for e in server.log() if e["action"] == "U"]) == 1
    finally:
        server.stop()
        caplog.clear()


@pytest.mark.parametrize("how", ["changed", "changed, and the tag kept", "deleted"])
def test_what_was_created_and_is_changed_by_somebody_else_before_it_was_logged_is_found(tmp_path, how, caplog):
    key, sent = str(uuid4()), bundle(pulse("BEB-18", value=77), pulse("BEB-18", value=78))
    (tmp_path / "sent.json").write_text(json.dumps(sent))
    killed(tmp_path, key, "after")
    found = asyncio.run(_asks(tmp_path, FhirRequest("GET", "Observation", f"_tag=urn:workspace:transaction%7C{key}")))
    there = next(e["resource"] for e in found["entry"] if e["resource"]["valueQuantity"]["value"] == 77)
    if how == "deleted":
        asyncio.run(_asks(tmp_path, FhirRequest("DELETE", f"Observation/{there['id']}")))
    else:
        theirs = pulse("BEB-18", "lege", value=90, id=there["id"])
        asyncio.run(_puts(tmp_path, theirs | ({"meta": there["meta"]} if "tag" in how else {})))
    server = Server(tmp_path).start()
    try:
        tone = server.sign_in("tone")
        (event,) = creations(server)
        named = [e["what"]["reference"] for e in event["entity"] if "what" in e]
        written = {f"Observation/{e['resource']['id']}/_history/1" for e in found["entry"]}
        assert {one for one in named if one.startswith("Observation")} == written
        told, again = tone.get(f"/transactions/{key}"), tone.send(sent, key)
        assert (told.status_code, again.status_code) == (200, 200), again.text
        for body in (told.json()["body"], again.json()):
            assert [e["resource"]["valueQuantity"]["value"] for e in body["entry"]] == [77, 78]
            assert [e["response"]["etag"] for e in body["entry"]] == ['W/"1"'] * 2
        assert len(creations(server)) == 1
        assert len(tone.ids("Observation?patient=BEB-18")) == (2 if how == "deleted" else 3), "nothing was done again"
    finally:
        server.stop()
        caplog.clear()


def _with_its_own_origins():
    """A set whose client says itself where the first of two comes from, and what lost to the second."""
    sent = bundle(pulse("BEB-18", value=77), pulse("BEB-18", value=78))
    first, second = (each["fullUrl"] for each in sent["entry"])
    for about, more in ((first, {}), (second, {"activity": {"text": "Valgt bort i en konflikt"}})):
        own = {
            "resourceType": "Provenance",
            "target": [{"reference": about}],
            "recorded": "2026-01-14T14:45:00+01:00",
            "agent": [{"who": {"reference": "Practitioner/tone"}}],
            **more,
        }
        request = {"method": "POST", "url": "Provenance"}
        sent["entry"].append({"fullUrl": f"urn:uuid:{uuid4()}", "resource": own, "request": request})
    return sent


@pytest.mark.parametrize(("where", "since"), [("after", ""), ("log", ""), ("after", "deleted"), ("after", "lost")])
def test_the_origin_beside_is_no_part_of_what_is_completed_where_the_client_wrote_origins_too(
    tmp_path, where, since, caplog
):
    key, sent = str(uuid4()), _with_its_own_origins()
    (tmp_path / "sent.json").write_text(json.dumps(sent))
    killed(tmp_path, key, where)
    tag = f"_tag=urn:workspace:transaction%7C{key}&_count=50"
    made = [
        one["resource"]
        for kind in ("Observation", "Provenance")
        for one in asyncio.run(_asks(tmp_path, FhirRequest("GET", kind, tag)))["entry"]
    ]
    client_s = {int(place): f"{one['resourceType']}/{one['id']}" for one in made if (place := tag_of(one, ENTRY))}
    (beside,) = (one for one in made if is_beside(one))
    assert sorted(client_s) == [0, 1, 2, 3]
    assert [each["reference"] for each in beside["target"]] == [client_s[1]]
    if since == "deleted":  # by another system, before anybody looked: they are found in the history
        for place in (2, 0):
            asyncio.run(_asks(tmp_path, FhirRequest("DELETE", client_s[place])))
    server = Server(tmp_path)
    if since == "lost":
        with closing(sqlite3.connect(tmp_path / "gateway.sqlite")) as file, file:
            file.execute("DELETE FROM intent")
    server.start()
    try:
        tone = server.sign_in("tone")
        told, again = tone.get(f"/transactions/{key}"), tone.send(sent, key)
        if since == "lost":  # nothing says what was under way until its client asks again
            assert told.status_code == 404
            told = tone.get(f"/transactions/{key}")
        assert (told.status_code, again.status_code) == (200, 200), again.text
        for body in (told.json()["body"], again.json()):
            assert [f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in body["entry"]] == [
                client_s[place] for place in range(4)
            ]
        (event,) = creations(server)
        named = sorted(e["what"]["reference"] for e in event["entity"] if "what" in e)
        assert named == sorted(["Patient/BEB-18", *(f"{one}/_history/1" for one in client_s.values())])
    finally:
        server.stop()
        caplog.clear()


def test_a_repeat_without_an_intent_looks_into_the_history_as_well(tmp_path, caplog):
    key = str(uuid4())
    sent, theirs = _update_of_the_first(tmp_path)
    killed(tmp_path, key, "after")
    asyncio.run(_puts(tmp_path, theirs))
    server = Server(tmp_path)
    with sqlite3.connect(tmp_path / "gateway.sqlite") as file:  # the intent is lost, its key is not
        file.execute("DELETE FROM intent")
    file.close()
    server.start()
    try:
        again = server.sign_in("tone").send(sent, key)
        assert (again.status_code, again.json()["entry"][0]["response"]["etag"]) == (200, 'W/"2"')
        assert len([e for e in server.log() if e["action"] == "U"]) == 1
    finally:
        server.stop()
        caplog.clear()

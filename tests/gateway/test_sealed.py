"""A session's key, and what a device delivers for an author who has signed out."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from tests.gateway.conftest import PACKAGE, bundle, pulse
from tests.gateway.test_restrictions import close
from workspace.access import seal
from workspace.access.audit import chain_of, verify_chain
from workspace.clock import instant

ALL = "Observation?patient=BEB-18"


class Device:
    """A workstation with what somebody left on it. It has no token."""

    def __init__(self, server, person, device="stua"):
        self.server, self.key, self.name = server, seal.SessionKey.new(), device
        self.registered = self.register(person)

    def register(self, person):
        told = {"key": self.key.public, "device": self.name}
        return person.http.post("/session/key", json=told, headers=person.headers())

    def sealed(self, body, **more):
        """Bytes, envelope and idempotency key, as the outbox keeps them."""
        raw, own = json.dumps(body, ensure_ascii=False).encode(), str(uuid4())
        told = {
            "transaction": own, "author": "Practitioner/tone", "made": instant(self.server.clock.now()),
            "packages": [PACKAGE], "purpose": "TREAT", **more,
        }  # fmt: skip
        return raw, self.key.seal(raw, **told), told["transaction"]

    def deliver(self, raw, envelope, own):
        headers = {"Idempotency-Key": own, "X-Workspace-Seal": seal.to_header(envelope)}
        return httpx.post(f"{self.server.url}/sealed", content=raw, headers=headers, trust_env=False, timeout=10)


@pytest.fixture
def device(server, tone):
    return Device(server, tone)


def code(answer):
    return answer.status_code, answer.json()["issue"][0]["details"]["coding"][0]["code"]


def test_what_was_sealed_is_written_after_sign_out_in_the_authors_name(server, tone, device):
    left = device.sealed(bundle(pulse("BEB-18", value=81)))
    assert device.registered.status_code == 201
    server.ended.add("sid-tone")
    server.call(lambda: server.gateway.end_session("sid-tone"))
    assert tone.get(ALL).status_code == 401
    first, again = device.deliver(*left), device.deliver(*left)
    assert first.status_code == 200, first.text
    assert again.content == first.content
    written = first.json()["entry"][0]["resource"]
    back = server.sign_in("tone", sid="sid-tone-2")
    assert back.ids(ALL) == {"puls-BEB-18", written["id"]}
    event = next(e for e in server.log() if e["action"] == "C" and "Observation" in json.dumps(e["entity"]))
    assert [(a["name"], a["requestor"]) for a in event["agent"]] == [("Tone", True), (PACKAGE, False), ("stua", False)]
    assert event["agent"][0]["who"]["reference"] == "Practitioner/tone"
    assert event["agent"][2]["type"]["coding"][0]["code"] == "110153"


def test_sent_by_the_author_and_by_the_device_it_is_written_once(tone, device):
    raw, envelope, own = device.sealed(bundle(pulse("BEB-18", value=81)))
    first = tone.http.post("/fhir", content=raw, headers=tone.headers(**{"Idempotency-Key": own}))
    assert device.deliver(raw, envelope, own).content == first.content
    assert len(tone.ids(ALL)) == 2


def test_nothing_that_was_changed_on_the_way_is_written(server, tone, device):
    raw, envelope, own = device.sealed(bundle(pulse("BEB-18", value=81)))
    other = seal.SessionKey.new()
    forged = other.seal(raw, transaction=own, author="Practitioner/tone", made=envelope["made"])
    later = device.sealed(bundle(pulse("BEB-18", value=82)), transaction=own)
    for tampered, says in (
        ((raw.replace(b"81", b"18"), envelope, own), "seal-broken"),
        ((raw + b" ", envelope, own), "seal-broken"),
        ((raw, envelope, str(uuid4())), "seal-broken"),
        ((raw, {**envelope, "purpose": "BTG"}, own), "seal-broken"),
        ((raw, {**envelope, "author": "Practitioner/lege"}, own), "seal-broken"),
        ((raw, {**envelope, "made": "2026-01-14T14:00:00+01:00"}, own), "seal-broken"),
        ((raw, {**forged, "kid": envelope["kid"]}, own), "seal-broken"),
        ((raw, forged, own), "key-unknown"),
        ((raw, {}, own), "key-unknown"),
        ((raw, {"kid": {"a": 1}}, own), "key-unknown"),
    ):
        assert code(device.deliver(*tampered)) == (403, says)
    assert len(tone.ids(ALL)) == 1
    assert device.deliver(raw, envelope, own).status_code == 200
    assert code(device.deliver(*later)) == (422, "key-reused")
    assert len(tone.ids(ALL)) == 2
    bare = httpx.post(f"{server.url}/sealed", content=raw, headers={"Idempotency-Key": own}, trust_env=False)
    assert code(bare) == (400, "bad-seal")
    assert code(device.deliver(raw, envelope, "")) == (400, "bad-key")
    assert httpx.get(f"{server.url}/sealed", trust_env=False).status_code == 405


def test_a_key_seals_for_its_owner_only_and_nothing_but_transactions(server, tone, device):
    """The doctor's key cannot write as Tone, nor Tone's key what the doctor may."""
    doctors = Device(server, server.sign_in("lege"))
    assert code(doctors.deliver(*doctors.sealed(bundle(pulse("BEB-18"))))) == (403, "seal-broken")
    own = doctors.sealed(bundle(pulse("BEB-18")), author="Practitioner/lege")
    assert doctors.deliver(*own).status_code == 422  # says that Tone measured
    assert code(device.deliver(*device.sealed(bundle(pulse("BEB-01"))))) == (403, "no-decision")
    read = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": ALL}}]}
    assert code(device.deliver(*device.sealed(read))) == (400, "bad-bundle")
    assert code(device.deliver(*device.sealed({**read, "type": "transaction"}))) == (400, "bad-bundle")
    taken = server.sign_in("lege").http.post(
        "/session/key", json={"key": device.key.public}, headers=server.sign_in("lege").headers()
    )
    assert code(taken) == (409, "key-taken")
    assert len(tone.ids(ALL)) == 1


def test_what_was_made_outside_the_session_is_not_taken(server, tone, device):
    now = server.clock.now()
    for made in (now - timedelta(hours=1), now + timedelta(hours=17)):
        left = device.sealed(bundle(pulse("BEB-18")), made=instant(made))
        assert code(device.deliver(*left)) == (403, "outside-session")
    for nonsense in ("", "i går", "2026-01-14T14:45:00"):
        assert code(device.deliver(*device.sealed(bundle(pulse("BEB-18")), made=nonsense))) == (403, "outside-session")
    server.ended.add("sid-tone")
    server.call(lambda: server.gateway.end_session("sid-tone"))
    after = device.sealed(bundle(pulse("BEB-18")), made=instant(now + timedelta(minutes=10)))
    assert code(device.deliver(*after)) == (403, "outside-session")
    assert device.deliver(*device.sealed(bundle(pulse("BEB-18")))).status_code == 200


def test_a_key_runs_out_and_is_withdrawn_by_its_owner_or_an_administrator(server, tone, device):
    system = server.sign_in("system")
    for person, answer in (("lege", 404), ("tone", 204), ("system", 204)):
        mine = Device(server, tone)
        by = system if person == "system" else server.sign_in(person)
        revoked = by.http.post(f"/session/key/{mine.key.id}/revoke", headers=by.headers())
        assert revoked.status_code == answer, revoked.text
        said = mine.deliver(*mine.sealed(bundle(pulse("BEB-18"))))
        assert said.status_code == 200 if answer == 404 else code(said) == (403, "key-revoked")
        if answer == 204:
            again = tone.http.post("/session/key", json={"key": mine.key.public}, headers=tone.headers())
            assert code(again) == (403, "key-revoked")
    server.sql("UPDATE session_key SET expires = 1")
    assert code(device.deliver(*device.sealed(bundle(pulse("BEB-18"))))) == (403, "key-expired")


def test_who_may_deliver_from_where_and_who_withdrew_it_is_in_the_log(server, tone, device):
    mine = Device(server, tone, "vaktrom-2")
    for _ in range(2):  # lengthened: one event
        assert mine.register(tone).status_code == 201
    for person, answer in (("lege", 404), ("system", 204), ("system", 204)):
        by = server.sign_in(person)
        assert by.http.post(f"/session/key/{mine.key.id}/revoke", headers=by.headers()).status_code == answer
    assert code(mine.register(tone)) == (403, "key-revoked")
    told = []
    events = server.log()
    for event in events:
        details = {d["type"]: d["valueString"] for d in event["entity"][0]["detail"]}
        if details["query"] == f"SessionKey/{mine.key.id}":
            agents = [agent["name"] for agent in event["agent"]]
            assert agents[1] == "workspace.session-key"
            assert len(event["entity"]) == 1, "no patient"
            told.append(
                (agents[0], details["kind"], details["decision"].partition(":")[2], event["action"], *agents[2:])
            )
            if details["kind"] == "withdraw":
                assert "Tone" in details["begrunnelse"]
    assert sorted(told) == [
        ("Lege", "refused", "no-key", "E"),
        ("System", "withdraw", "permit", "E", "vaktrom-2"),
        ("Tone", "refused", "key-revoked", "E", "vaktrom-2"),
        ("Tone", "register", "permit", "E", "vaktrom-2"),
    ]
    chains = defaultdict(list)
    for event in events:
        chains[chain_of(event)["chain"]].append(event)
    assert all(verify_chain(each) == [] for each in chains.values())


def test_a_person_has_eight_keys_at_most_and_none_that_cannot_be_one(server, tone, device):
    same = tone.http.post("/session/key", json={"key": device.key.public}, headers=tone.headers())
    assert same.status_code == 201
    assert [Device(server, tone).registered.status_code for _ in range(8)] == [201] * 7 + [409]
    for bad in ({}, [], {"key": "kort"}, {"key": 7}, {"key": "ø" * 43}, {"key": device.key.public, "device": "x" * 65}):
        assert code(tone.http.post("/session/key", json=bad, headers=tone.headers())) == (400, "bad-key")
    open_to_all = tone.http.post("/session/key", json={"key": device.key.public})
    assert open_to_all.status_code == 401
    weak = server.sign_in("tone", **{"helseid://claims/identity/security_level": "3"})
    answer = weak.http.post("/session/key", json={"key": seal.SessionKey.new().public}, headers=weak.headers())
    assert code(answer) == (403, "level")


def test_rights_are_those_of_now_not_of_when_it_was_written(server, tone, device):
    """Somebody else has closed the record, or the position has ended, while it waited."""
    left, more = device.sealed(bundle(pulse("BEB-18"))), device.sealed(bundle(pulse("BEB-19")))
    close(server)
    assert code(device.deliver(*left)) == (403, "no-decision")
    refused = [e for e in server.log() if e["outcome"] == "4"]
    assert any("restricted" in json.dumps(e) and e["agent"][-1]["name"] == "stua" for e in refused)
    role = {
        "resourceType": "PractitionerRole", "id": "tone-havblikk", "practitioner": {"reference": "Practitioner/tone"},
        "organization": {"reference": "Organization/havblikk"}, "code": [{"coding": [{"code": "sykepleier"}]}],
        "period": {"start": "2025-01-01", "end": "2026-01-13"},
    }  # fmt: skip
    server.store_put(role)
    assert code(device.deliver(*more)) == (403, "no-decision")


def test_a_key_that_is_used_too_often_waits(server, tone, device, monkeypatch):
    from workspace.gateway import session_keys

    monkeypatch.setattr(session_keys, "PER_MINUTE", 2)
    left = device.sealed(bundle(pulse("BEB-18")))
    answers = [device.deliver(*left) for _ in range(6)]  # a minute may turn meanwhile
    late = [one for one in answers if one.status_code == 429]
    assert len(late) >= 2
    assert late[0].headers["retry-after"] == "5"

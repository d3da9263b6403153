"""Drafts over HTTP: their author's alone, one after another, sealed, ended in sight."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from tests.gateway.conftest import Server, bundle, pulse
from tests.gateway.test_auditing import details, of, patients
from tests.gateway.test_feed import hello, stream
from workspace.gateway.drafts import TAKEN
from workspace.gateway.seal import Seal, Unsealable, key_of
from workspace.problem import Problem

VALUES = {"text": "Sov dårlig, hostet i natt", "pulse": 81}


def key(patient="Patient/BEB-18", **more):
    held = {"patient": patient, "package": "nordlys.vitals", "view": "vitals", "draft": "", "state_version": 1}
    return {**held, **more}


def own(who="tone", named=None):
    named = named or key()
    parts = (f"Practitioner/{who}", named["patient"], named["package"], named["view"], named["draft"])
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def put(person, values=None, *, id=None, named=None, device="pc-1", stretch="", **headers):
    named = named or key()
    body = {"key": named, "values": VALUES if values is None else values, "device": device, "stretch": stretch}
    headers = {name.replace("_", "-"): value for name, value in headers.items()} or {"If-None-Match": "*"}
    path = f"/drafts/{id or own(person.who, named)}"
    return person.http.put(path, content=json.dumps(body), headers=person.headers(**headers))


def delete(person, id, **headers):
    return person.http.delete(f"/drafts/{id}", headers=person.headers(**headers))


def test_a_draft_follows_its_author_to_another_workstation(server, tone):
    made = put(tone)
    assert made.status_code == 201, made.text
    other = server.sign_in("tone", sid="sid-annen-pc")
    found = other.get("/drafts").json()
    (draft,) = found["drafts"]
    assert draft == made.json()
    assert (draft["id"], draft["key"], draft["values"]) == (own(), key(), VALUES)
    assert (draft["revision"], draft["device"], draft["merged_from"]) == (found["revision"], "pc-1", "")
    assert draft["saved"].startswith("2026-01-14T14:45")
    assert draft["expires"].startswith("2026-01-28T14:45")
    one = other.get(f"/drafts/{own()}")
    assert (one.json(), one.headers["etag"]) == (draft, f'"{draft["revision"]}"')


def test_the_newer_draft_stands_and_the_other_is_shown_it(tone):
    first = put(tone).json()["revision"]
    assert put(tone, {"text": "a"}, If_Match=f'"{first + 7}"').status_code == 412
    second = put(tone, {"text": "b"}, device="pc-2", If_Match=f'"{first}"')
    assert second.status_code == 200
    assert second.json()["revision"] > first
    late = put(tone, {"text": "c"}, If_Match=f'"{first}"')
    assert late.status_code == 412
    assert late.json()["draft"] == second.json()
    assert late.json()["sentence"] == "Kladden er endret på en annen arbeidsflate."
    assert put(tone, {"text": "c"}).status_code == 412  # If-None-Match: * where one stands
    assert put(tone, {"text": "b"}, device="pc-2", If_Match=f'"{first}"').json() == second.json()  # a lost answer
    assert put(tone, {"text": "c"}, If_Modified_Since="x").status_code == 428


def test_a_draft_that_is_deleted_is_gone_for_good(tone):
    first = put(tone).json()["revision"]
    assert delete(tone, own(), **{"If-Match": f'"{first + 1}"'}).status_code == 412
    assert delete(tone, own()).status_code == 204
    assert delete(tone, own()).status_code == 204
    assert tone.get(f"/drafts/{own()}").status_code == 404
    gone = put(tone, {"text": "x"}, If_Match=f'"{first}"')
    assert (gone.status_code, gone.json()["draft"]) == (412, None)
    assert put(tone).json()["revision"] > first + 1  # a revision is never used twice


def saying(draft, *fields, **more):
    """A transaction that says which draft it comes from."""
    told = {"id": draft["id"], "revision": draft["revision"], "device": "pc-1", "fields": list(fields), **more}
    extension = [{"url": TAKEN, "valueString": json.dumps(told)}]
    return {**bundle(pulse("BEB-18")), "meta": {"extension": extension}}


def test_what_a_transaction_took_from_its_draft_goes_with_it_and_the_authors_other_workstation_hears(server, tone):
    first = put(tone).json()
    with stream(server.sign_in("tone", sid="sid-annen-pc")) as events:
        hello(events)
        assert tone.send(saying(first, "pulse"), "a" * 12).status_code == 200
        told = next(data for name, data in (events.next() for _ in range(9)) if name == "draft")
    (rest,) = tone.get("/drafts").json()["drafts"]
    assert (rest["values"], rest["saved"], rest["device"]) == ({"text": VALUES["text"]}, first["saved"], "pc-1")
    assert (told["revision"], told["device"], told["gone"]) == (rest["revision"], "pc-1", False)
    assert tone.send(saying(rest, "text"), "b" * 12).status_code == 200
    assert tone.get("/drafts").json()["drafts"] == []


def test_a_draft_that_is_another_by_now_or_anothers_or_whose_transaction_was_refused_stays(server, tone):
    first = put(tone).json()
    refused = saying(first, "text", "pulse")
    del refused["entry"][0]["resource"]["status"]
    assert tone.send(refused, "a" * 12).status_code == 422
    assert server.sign_in("lege").send(saying(first, "text", "pulse"), "b" * 12).status_code in (200, 422)
    again = put(tone, {"text": "skrevet siden"}, If_Match=f'"{first["revision"]}"').json()
    for number, odd in enumerate(({}, {"revision": True}, {"fields": "text"}, {"device": "x" * 65}, {"id": 7})):
        assert tone.send(saying(first, "text", "pulse", **odd), f"c{number}" * 6).status_code == 200
    for number, odd in enumerate(([], [7], [{"url": TAKEN}], [{"url": TAKEN, "valueString": "["}], {"url": TAKEN})):
        one = {**bundle(pulse("BEB-18")), "meta": {"extension": odd}}
        assert tone.send(one, f"d{number}" * 6).status_code == 200
    assert tone.get("/drafts").json()["drafts"] == [again]


def on_loop(server, work):
    return asyncio.run_coroutine_threadsafe(work, server.loop).result(5)


def ended(server):
    with closing(sqlite3.connect(server.folder / "gateway.sqlite")) as file:
        return file.execute("SELECT COUNT(*) FROM ended").fetchone()[0]


def test_a_transaction_ends_what_was_typed_before_it_in_whatever_revision_and_for_as_long_as_a_draft_lives(
    server, tone
):
    first = put(tone, stretch="s-1").json()
    later = put(tone, {**VALUES, "weight": 81}, stretch="s-1", If_Match=f'"{first["revision"]}"').json()
    assert (later["stretch"], later["revision"]) == ("s-1", first["revision"] + 1)
    done = saying({**first, "revision": 0}, "pulse", stretch="s-1", left=["text"])
    for _ in range(2):
        assert tone.send(done, "a" * 12).status_code == 200
        (rest,) = tone.get("/drafts").json()["drafts"]
        assert (rest["values"], rest["saved"]) == ({"text": VALUES["text"]}, later["saved"])
    late = put(tone, {**VALUES, "pulse": 82, "weight": 81}, stretch="s-1", If_Match=f'"{rest["revision"]}"')
    assert (late.status_code, late.json()["over"], late.json()["draft"]) == (412, ["weight"], rest)
    assert late.json()["sentence"] == "Det som sto i kladden, er lagret."
    assert server.sign_in("lege").who != tone.who
    assert put(server.sign_in("lege"), stretch="s-1").status_code == 201, "what is over is its author's"
    fresh = put(tone, {"text": "siden"}, stretch="s-2", If_Match=f'"{rest["revision"]}"').json()
    assert tone.send(done, "b" * 12).status_code == 200
    assert tone.get("/drafts").json()["drafts"] == [fresh], "what was typed since stays, however often it is said"
    assert ended(server) == 1
    server.clock.set(server.clock.now() + timedelta(days=15))
    on_loop(server, server.gateway.drafts.expire())
    assert ended(server) == 0


def test_what_comes_late_of_a_draft_that_was_emptied_does_not_bring_it_back(server, tone):
    first = put(tone, stretch="s-1").json()
    again = put(tone, {"text": "og mer"}, stretch="s-1", If_Match=f'"{first["revision"]}"').json()
    says = {"If-Match": f'"{first["revision"]}"', "X-Workspace-Stretch": "s-1"}
    assert delete(tone, own(), **says).status_code == 204, f"its newest words too: {again}"
    late = put(tone, {"text": "og enda mer"}, stretch="s-1")
    assert (late.status_code, late.json()) == (412, late.json() | {"draft": None, "over": []})
    assert delete(tone, own(), **says).status_code == 204
    theirs = put(tone, {"text": "nytt"}, stretch="s-2").json()
    assert delete(tone, own(), **says).status_code == 412, "somebody goes on with it elsewhere"
    assert tone.get("/drafts").json()["drafts"] == [theirs]
    assert delete(tone, own(), **{"X-Workspace-Stretch": "s" * 65}).status_code == 400


def test_a_draft_that_moved_with_its_patient_goes_with_what_was_written_all_the_same(server, tone):
    first = put(tone, stretch="s-1", named=key("Patient/BEB-19")).json()
    on_loop(server, server.gateway.drafts.moved("Patient/BEB-19", "Patient/BEB-18"))
    (moved,) = tone.get("/drafts").json()["drafts"]
    assert (moved["id"], moved["stretch"]) == (own(), "s-1")
    assert tone.send(saying(first, "text", "pulse", stretch="s-1", left=[]), "a" * 12).status_code == 200
    assert tone.get("/drafts").json()["drafts"] == []


def test_only_the_author_reads_it_and_the_try_is_in_the_log(server, tone):
    put(tone)
    doctor = server.sign_in("lege")
    assert doctor.get("/drafts").json()["drafts"] == []
    unknown = doctor.get("/drafts/" + "0" * 64)
    for answer in (doctor.get(f"/drafts/{own()}"), delete(doctor, own())):
        assert answer.status_code == 404
        assert answer.json() == unknown.json()
    assert put(doctor, id=own()).status_code == 422
    assert tone.get("/drafts").json()["drafts"][0]["values"] == VALUES
    tries = of(server.log(), "Lege")
    assert len(tries) == 3
    for event in tries:
        assert (event["outcome"], patients(event)) == ("4", ["Patient/BEB-18"])
        assert details(event)["decision"] == "deny:not-author"


def test_a_draft_about_somebody_who_is_not_open_is_kept_back_and_comes_again(server, tone):
    foreign = key("Patient/BEB-01")
    refused = put(tone, named=foreign)
    assert refused.status_code == 403
    assert "ingen registrert beslutning" in refused.json()["issue"][0]["details"]["text"]
    put(tone)
    stay = tone.get("Encounter/opphold-BEB-18").json()
    server.store_put({**stay, "status": "finished"})
    assert tone.get("/drafts").json()["drafts"] == []
    assert tone.get(f"/drafts/{own()}").status_code == 404
    server.store_put(stay)
    assert len(tone.get("/drafts").json()["drafts"]) == 1
    about_unit, about_none = key("Organization/havblikk"), key("")
    assert put(tone, named=about_unit).status_code == put(tone, named=about_none).status_code == 201


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"values": {"t": "x" * 65_536}}, 413),
        ({"values": {"t": "x" * 300_000}}, 413),
        ({"values": []}, 400),
        ({"key": None}, 400),
        ({"key": {**key(), "patient": "Practitioner/x"}}, 400),
        ({"key": {**key(), "view": 7}}, 400),
        ({"key": {**key(), "view": "notes"}}, 422),
        ({"device": "x" * 65}, 400),
        ({"stretch": 7}, 400),
    ],
)
def test_nonsense_is_refused_in_words(tone, change, status):
    body = {"key": key(), "values": VALUES, "device": "pc-1", **change}
    headers = tone.headers(**{"If-None-Match": "*"})
    answer = tone.http.put(f"/drafts/{own()}", content=json.dumps(body), headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["issue"][0]["details"]["text"].startswith("Kladden") or status == 413
    assert tone.get("/drafts").json()["drafts"] == []


def test_there_is_a_limit_to_how_many(server, tone, monkeypatch):
    monkeypatch.setattr("workspace.gateway.drafts.MOST", 2)
    assert [put(tone, named=key(draft=str(n))).status_code for n in range(3)] == [201, 201, 409]
    assert server.sign_in("lege").get("/drafts").status_code == 200


def test_a_change_is_told_to_the_authors_own_sessions_only(server, tone):
    with stream(server.sign_in("tone", sid="sid-annen-pc")) as mine, stream(server.sign_in("lege")) as others:
        hello(mine)
        start = hello(others)
        made = put(tone).json()
        assert mine.next() == ("draft", {"id": own(), "revision": made["revision"], "device": "pc-1", "gone": False})
        delete(tone, own(), **{"X-Workspace-Device": "pc-1"})
        name, told = mine.next()
        assert (name, told["gone"], told["reason"], told["device"]) == ("draft", True, "deleted", "pc-1")
        assert told["revision"] == tone.get("/drafts").json()["revision"]
        server.call(lambda: server.gateway.announce_resync("history"))
        assert others.next() == ("resync", {"seq": start + 1, "reason": "history"})


def test_hello_says_whether_there_is_something_new(server, tone):
    with stream(server.sign_in("tone")) as events:
        assert events.next()[1]["drafts"] == 0
    made = put(tone).json()
    with stream(server.sign_in("tone")) as events:
        assert events.next()[1]["drafts"] == made["revision"]
    assert tone.get("/changes/poll").json()["drafts"] == made["revision"]
    assert server.sign_in("lege").get("/changes/poll").json()["drafts"] == 0


def test_a_draft_ends_after_fourteen_days_and_its_author_is_told(server, tone):
    put(tone)
    clock = server.clock
    clock.set(clock.now() + timedelta(days=13, hours=23), 1.0)
    assert len(tone.get("/drafts").json()["drafts"]) == 1
    with stream(server.sign_in("tone")) as events:
        hello(events)
        clock.set(clock.now() + timedelta(hours=2), 1.0)
        assert tone.get("/drafts").json()["drafts"] == []
        on_loop(server, server.gateway.drafts.expire())
        name, told = events.next()
        assert (name, told["gone"], told["reason"]) == ("draft", True, "expired")


def test_at_rest_nothing_can_be_read_and_a_restart_keeps_all(server, tone):
    put(tone)
    server.restart()
    written = b"".join(p.read_bytes() for p in server.folder.glob("gateway.sqlite*"))
    for plain in (b"hostet", b"nordlys.vitals", VALUES["text"].encode()):
        assert plain not in written
    key_file = server.folder / "gateway.key"
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert key_file.read_bytes() not in written
    assert server.sign_in("tone").get("/drafts").json()["drafts"][0]["values"] == VALUES


def test_a_key_that_is_lost_loses_the_drafts_and_nothing_else(tmp_path, caplog):
    server = Server(tmp_path).start()
    put(server.sign_in("tone"))
    server.stop()
    (tmp_path / "gateway.key").unlink()
    server.start()
    try:
        tone = server.sign_in("tone")
        assert tone.get("/drafts").json()["drafts"] == []
        assert put(tone, {"text": "på nytt"}).status_code == 201
        assert tone.get("/drafts").json()["drafts"][0]["values"] == {"text": "på nytt"}
    finally:
        server.stop()
    assert "cannot be opened" in caplog.text
    caplog.clear()


def test_what_is_sealed_is_bound_to_its_name_and_its_key(tmp_path):
    seal = Seal(key_of(b"", tmp_path / "k"))
    sealed = seal.seal(b"hemmelig", "tone 1")
    assert Seal(key_of(b"", tmp_path / "k")).open(sealed, "tone 1") == b"hemmelig"
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for wrong in (
        lambda: seal.open(sealed, "lege 1"),
        lambda: seal.open(changed, "tone 1"),
        lambda: seal.open(b"", ""),
    ):
        with pytest.raises(Unsealable):
            wrong()
    with pytest.raises(Unsealable):
        Seal(b"k" * 32).open(sealed, "tone 1")
    (tmp_path / "kort").write_bytes(b"for kort")
    with pytest.raises(Problem) as problem:
        key_of(b"", tmp_path / "kort")
    assert problem.value.code == "gateway-key-failed"

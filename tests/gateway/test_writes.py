"""Writes over HTTP: profiles, authors, keys."""

from __future__ import annotations

import threading
from uuid import uuid4

from tests.gateway.conftest import bundle, pulse
from tests.gateway.test_access import refusal
from tests.gateway.test_feed_cut import merged

TONE = {"reference": "Practitioner/tone"}


def issues(answer, status=422):
    assert answer.status_code == status, answer.text
    return [(i.get("expression", [""])[0], i["details"]["text"]) for i in answer.json()["issue"]]


def test_a_transaction_is_stored_tagged_and_answered_whole(tone):
    key = str(uuid4())
    answer = tone.send(bundle(pulse("BEB-18", value=81)), key)
    assert answer.status_code == 200, answer.text
    entry = answer.json()["entry"][0]
    assert entry["response"]["etag"] == 'W/"1"'
    assert {"system": "urn:workspace:transaction", "code": key} in entry["resource"]["meta"]["tag"]
    assert entry["resource"]["id"] in tone.ids(f"Observation?_tag=urn:workspace:transaction|{key}")


def test_a_repeat_gets_the_first_answer_and_another_body_is_refused(tone):
    key, body = str(uuid4()), bundle(pulse("BEB-18"))
    first, again = tone.send(body, key), tone.send(body, key)
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert len(tone.ids("Observation?patient=BEB-18")) == 2
    other = tone.send(bundle(pulse("BEB-18", value=99)), key)
    assert issues(other)[0][1] == "Forsendelsens nøkkel er brukt til noe annet."


def test_repeats_at_the_same_time_write_once(server, tone):
    key, body = str(uuid4()), bundle(pulse("BEB-19"))
    answers = []

    def send():
        answers.append(server.sign_in("tone").send(body, key).content)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(answers) == 6
    assert len(set(answers)) == 1
    assert len(tone.ids("Observation?patient=BEB-19")) == 2


def test_the_first_answer_survives_a_restart_and_a_lost_outcome_is_found_by_its_tag(server):
    key, body = str(uuid4()), bundle(pulse("BEB-18"), pulse("BEB-18", value=90))
    first = server.sign_in("tone").send(body, key)
    ids = [e["resource"]["id"] for e in first.json()["entry"]]
    server.sql("UPDATE answer SET status = NULL, body = NULL")  # as if it had stopped before the outcome was kept
    tone = server.sign_in("tone")
    again = tone.send(body, key)
    assert [e["resource"]["id"] for e in again.json()["entry"]] == ids
    assert [e["response"]["etag"] for e in again.json()["entry"]] == ['W/"1"', 'W/"1"']
    assert len(tone.ids("Observation?patient=BEB-18")) == 3


def test_each_field_that_is_missing_is_named(tone):
    bad = pulse("BEB-18")
    for name in ("status", "category", "code", "performer", "valueQuantity"):
        del bad[name]
    bad["category"] = [{"coding": [{"code": "vital-signs"}]}]
    bad["effectiveDateTime"] = "2026-01-14T14:40:00"
    found = dict(issues(tone.send(bundle(bad), str(uuid4()))))
    assert found == {
        "Observation.status": "Målingen mangler status.",
        "Observation.code": "Målingen mangler kode for hva som er målt.",
        "Observation.performer": "Målingen sier ikke hvem som har målt.",
        "Observation.effectiveDateTime": "Tidspunktet må ha dato, klokkeslett og tidssone.",
        "Observation.value": "Målingen mangler verdi, eller en grunn til at den mangler.",
    }
    assert len(tone.ids("Observation?patient=BEB-18")) == 1
    two = issues(tone.send(bundle(pulse("BEB-18"), {**pulse("BEB-18"), "status": "ferdig"}), str(uuid4())))
    assert two == [("Bundle.entry[1].resource.ofType(Observation).status", "Statusen «ferdig» finnes ikke.")]


def test_nobody_writes_in_anothers_name_or_about_a_foreign_patient(tone):
    said = issues(tone.send(bundle(pulse("BEB-18", who="lege")), str(uuid4())))
    assert said[0][0] == "Observation.performer"
    assert tone.send(bundle(pulse("BEB-01")), str(uuid4())).status_code == 403
    assert tone.send(bundle(pulse("BEB-18"), pulse("BEB-01")), str(uuid4())).status_code == 403
    assert len(tone.ids("Observation?patient=BEB-18")) == 1
    stolen = {**pulse("BEB-18"), "id": "puls-BEB-01"}
    assert tone.put(stolen).status_code == 403


def test_a_correction_needs_the_version_and_keeps_author_and_patient(tone):
    there = tone.get("Observation/puls-BEB-18").json()
    wrong = {**there, "status": "entered-in-error"}
    assert tone.put(wrong, **{"If-Match": 'W/"7"'}).status_code == 412
    moved = {**there, "subject": {"reference": "Patient/BEB-19"}, "performer": [*there["performer"], TONE]}
    said = issues(tone.put(moved, **{"If-Match": 'W/"1"'}))
    assert said == [("Observation.subject", "En opplysning kan ikke flyttes til en annen pasient.")]
    done = tone.put(wrong, **{"If-Match": 'W/"1"'})
    assert done.status_code == 200
    assert done.headers["etag"] == 'W/"2"'
    gone = tone.http.delete("/fhir/Observation/puls-BEB-18", headers=tone.headers())
    assert gone.status_code == 405


def test_an_update_may_not_drop_the_author(server, tone):
    problem = {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"text": "Hoste"},
        "subject": {"reference": "Patient/BEB-18"},
        "recorder": {"reference": "Practitioner/lege"},
    }
    made = server.sign_in("lege").send(bundle(problem)).json()["entry"][0]["resource"]
    match = {"If-Match": 'W/"1"'}
    assert tone.put({k: v for k, v in made.items() if k != "recorder"}, **match).status_code == 422
    assert tone.put({**made, "clinicalStatus": {"coding": [{"code": "resolved"}]}}, **match).status_code == 200


def test_a_colleagues_value_is_changed_only_in_ones_own_name(server, tone):
    there = tone.get("Observation/puls-BEB-18").json()
    other = {**there, "valueQuantity": {**there["valueQuantity"], "value": 140}}
    match = {"If-Match": 'W/"1"'}
    said = issues(tone.put(other, **match))
    assert said == [
        (
            "Observation.performer",
            "Du endrer noe en annen har skrevet, og må selv stå som ansvarlig for endringen. "
            "Bare statusen kan endres uten det.",
        )
    ]
    for hidden in (
        {"text": {"status": "generated", "div": "<div>140</div>"}},
        {"meta": {**there["meta"], "security": [{"code": "R"}]}},
        {"note": [{"text": "Feil arm"}]},
    ):
        assert issues(tone.put({**there, **hidden}, **match)) == said
    alone = {**other, "performer": [TONE]}
    assert issues(tone.put(alone, **match))[0][1] == "De som sto bak opplysningen før endringen, skal fortsatt stå der."
    assert tone.get("Observation/puls-BEB-18").json()["valueQuantity"]["value"] == 72
    signed = {**other, "performer": [*there["performer"], TONE]}
    changed = tone.put(signed, **match)
    assert changed.status_code == 200
    # Her own change she may take back: the former version stands again, with its author alone.
    assert tone.put(there, **{"If-Match": 'W/"2"'}).status_code == 200
    doctor = server.sign_in("lege")
    assert doctor.get("Observation/puls-BEB-18").json()["performer"] == [{"reference": "Practitioner/lege"}]
    assert issues(tone.put(signed, **{"If-Match": 'W/"2"'}), 412)


def test_a_note_is_changed_only_in_ones_own_name(server, tone):
    note = written_note("lege")
    made = server.sign_in("lege").send(bundle(note)).json()["entry"][0]["resource"]
    section = [{"title": "Notat", "text": {"status": "generated", "div": "<div>Noe annet.</div>"}}]
    assert issues(tone.put({**made, "section": section}, **{"If-Match": 'W/"1"'}))[0][0] == "Composition.author"
    done = tone.put({**made, "section": section, "author": [*made["author"], TONE]}, **{"If-Match": 'W/"1"'})
    assert done.status_code == 200, done.text


def test_another_may_mark_as_wrong_and_the_log_says_so(server, tone):
    there = tone.get("Observation/puls-BEB-18").json()
    done = tone.put({**there, "status": "entered-in-error"}, **{"If-Match": 'W/"1"'})
    assert done.status_code == 200
    (event,) = [e for e in server.log() if e["action"] == "U"]
    details = {d["type"]: d["valueString"] for d in event["entity"][0]["detail"]}
    assert details["begrunnelse"] == "Feilført av en annen enn den som skrev det."
    assert event["agent"][0]["name"] == "Tone"


def test_those_who_carry_out_a_task_need_not_have_asked_for_it(server, tone):
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "description": "Mål vekt",
        "for": {"reference": "Patient/BEB-18"},
        "requester": {"reference": "Practitioner/lege"},
    }
    made = server.sign_in("lege").send(bundle(task)).json()["entry"][0]["resource"]
    match = {"If-Match": 'W/"1"'}
    assert tone.put({**made, "description": "Mål høyde"}, **match).status_code == 422
    done = {**made, "status": "completed", "owner": TONE, "lastModified": "2026-01-14T14:45:00+01:00"}
    assert tone.put(done, **match).status_code == 200


def test_what_a_relative_said_is_written_by_the_one_who_heard_it(server, tone):
    server.store_put({"resourceType": "RelatedPerson", "id": "datter", "patient": {"reference": "Patient/BEB-18"}})

    def call(sender, recipient):
        return {
            "resourceType": "Communication",
            "status": "completed",
            "subject": {"reference": "Patient/BEB-18"},
            "sender": {"reference": sender},
            "recipient": [{"reference": recipient}],
            "payload": [{"contentString": "Datter ringte."}],
        }

    daughter, mine, colleague = "RelatedPerson/datter", "Practitioner/tone", "Practitioner/lege"
    for sender, recipient, status in (
        (daughter, mine, 200),
        (mine, daughter, 200),
        (mine, colleague, 200),
        (colleague, mine, 422),
        (daughter, colleague, 422),
    ):
        answer = tone.send(bundle(call(sender, recipient)), str(uuid4()))
        assert answer.status_code == status, (sender, recipient, answer.text)


def test_an_update_says_from_which_version_and_a_new_one_need_not(server, tone):
    there = tone.get("Observation/puls-BEB-18").json()
    wrong = {**there, "status": "entered-in-error"}
    said = issues(tone.put(wrong), 428)
    assert said[0][1].startswith("Endringen sier ikke hvilken versjon den bygger på.")
    entry = {"resource": wrong, "request": {"method": "PUT", "url": "Observation/puls-BEB-18"}}
    whole = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert tone.send(whole, str(uuid4())).status_code == 428
    assert tone.put(wrong, **{"If-Match": 'W/"7"'}).status_code == 412
    assert tone.get("Observation/puls-BEB-18").json()["status"] == "final"
    assert tone.put({**pulse("BEB-18"), "id": "ny-puls"}).status_code == 201
    entry["request"]["ifMatch"] = 'W/"1"'
    assert tone.send(whole, str(uuid4())).status_code == 200


def test_what_became_of_a_transaction_can_be_asked(server, tone):
    key, body = str(uuid4()), bundle(pulse("BEB-18"))
    assert issues(tone.get(f"/transactions/{key}"), 404)
    first = tone.send(body, key)
    told = tone.get(f"/transactions/{key}").json()
    assert (told["key"], told["status"], told["body"]) == (key, 200, first.json())
    assert server.sign_in("lege").get(f"/transactions/{key}").status_code == 404
    bad = pulse("BEB-18", value=1)
    del bad["status"]
    refused = str(uuid4())
    answer = tone.send(bundle(bad), refused)
    told = tone.get(f"/transactions/{refused}").json()
    assert (told["status"], told["body"]) == (422, answer.json())
    assert tone.get("/transactions/x%20y").status_code == 404


def written_note(who):
    return {
        "resourceType": "Composition",
        "status": "final",
        "type": {"coding": [{"code": "B02-2"}]},
        "subject": {"reference": "Patient/BEB-18"},
        "date": "2026-01-14T14:44:00+01:00",
        "author": [{"reference": f"Practitioner/{who}"}],
        "title": "Journalnotat",
        "section": [{"title": "Notat", "text": {"status": "generated", "div": "<div>Sov godt.</div>"}}],
    }


def test_a_note_and_its_origin_are_one_transaction(tone):
    note = written_note("tone")
    origin = {
        "resourceType": "Provenance",
        "target": [{"reference": "urn:uuid:1"}],
        "recorded": "2026-01-14T14:44:00+01:00",
        "agent": [{"who": {"reference": "Practitioner/tone"}}],
    }
    whole = bundle(note, origin)
    origin["target"][0]["reference"] = whole["entry"][0]["fullUrl"]
    done = tone.send(whole, str(uuid4()))
    assert done.status_code == 200, done.text
    written = [e["resource"] for e in done.json()["entry"]]
    assert written[1]["target"] == [{"reference": f"Composition/{written[0]['id']}"}]
    assert tone.get(f"Provenance/{written[1]['id']}").status_code == 200
    assert tone.ids(f"Composition?_id={written[0]['id']}&_revinclude=Provenance:target") == {w["id"] for w in written}


def test_nothing_is_written_any_more_about_a_patient_who_was_joined_with_another(server, tone):
    assert tone.send(bundle(pulse("BEB-18")), str(uuid4())).status_code == 200
    merged(server)
    key = str(uuid4())
    answer = tone.send(bundle(pulse("BEB-18", value=99)), key)
    assert issues(answer, 409)[0][1].startswith(
        "Journalen er slått sammen med en annen, og det skrives ikke lenger i den."
    )
    assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "patient-replaced"
    assert tone.ids(f"Observation?_tag=urn:workspace:transaction|{key}") == set()
    assert tone.send(bundle(pulse("BEB-19", value=99)), str(uuid4())).status_code == 200


def test_a_gateway_that_lost_its_file_finds_what_it_wrote_before_it_writes_again(server, tone):
    key, body = str(uuid4()), bundle(pulse("BEB-18", value=91), pulse("BEB-18", value=92))
    assert tone.send(body, key).status_code == 200
    server.stop()
    for file in server.folder.glob("gateway.sqlite*"):
        file.unlink()
    server.start()
    tone = server.sign_in("tone")
    guessed = {**pulse("BEB-30", "lege"), "status": "amended"}  # somebody else's key, seen in a tag
    stranger = server.sign_in("lege").send(bundle(guessed, pulse("BEB-30", "lege")), key, **{"X-Workspace-Repeat": "1"})
    assert refusal(stranger, 422, "key-reused")
    assert "BEB-18" not in stranger.text
    again = tone.send(body, key, **{"X-Workspace-Repeat": "1"})
    assert again.status_code == 200
    assert [one["resource"]["valueQuantity"]["value"] for one in again.json()["entry"]] == [91, 92]
    assert len(tone.ids("Observation?patient=BEB-18")) == 3
    fresh = tone.send(bundle(pulse("BEB-18", value=93)), str(uuid4()), **{"X-Workspace-Repeat": "1"})
    assert (fresh.status_code, len(tone.ids("Observation?patient=BEB-18"))) == (200, 4)

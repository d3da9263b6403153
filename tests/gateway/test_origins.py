"""The origin written beside a write: one for each, in its transaction, once, and seen by those who may see what it is of."""

from __future__ import annotations

from uuid import uuid4

from tests.gateway.conftest import PACKAGE, bundle, pulse
from tests.gateway.test_feed import hello, stream
from tests.gateway.test_restrictions import close

TRANSACTION = "urn:workspace:transaction"


def origins(person, name):
    found = person.get(f"Provenance?target={name}&_sort=-recorded").json().get("entry", ())
    return [each["resource"] for each in found]


def activity(one):
    return [each["code"] for each in one["activity"]["coding"]]


def written(answer):
    assert answer.status_code == 200, answer.text
    return [each["resource"] for each in answer.json()["entry"]]


def name_of(one):
    return f"{one['resourceType']}/{one['id']}"


def updating(resource, version, **more):
    body = {**resource, **more}
    request = {"method": "PUT", "url": name_of(body), "ifMatch": f'W/"{version}"'}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": body, "request": request}]}


def test_what_one_transaction_makes_has_one_origin_with_who_which_software_and_when(tone):
    key = str(uuid4())
    made = written(tone.send(bundle(pulse("BEB-18", value=81), pulse("BEB-18", value=82)), key))
    assert [one["valueQuantity"]["value"] for one in made] == [81, 82]  # the answer is as it was
    (one,) = origins(tone, name_of(made[0]))
    assert origins(tone, name_of(made[1])) == [one]
    assert [each["reference"] for each in one["target"]] == [name_of(each) for each in made]
    assert activity(one) == ["CREATE"]
    assert one["recorded"][:16] == made[0]["meta"]["lastUpdated"][:16]
    person, software = one["agent"]
    assert person["who"] == {"reference": "Practitioner/tone"}
    assert (software["who"]["type"], software["who"]["identifier"]["value"]) == ("Device", PACKAGE)
    assert {"system": TRANSACTION, "code": key} in one["meta"]["tag"]
    assert {name_of(one) for one in made} == {f"Observation/{own}" for own in tone.ids(f"Observation?_tag={key}")}


def test_a_change_names_the_version_it_was_made_from_and_one_taken_back_says_so(tone):
    (made,) = written(tone.send(bundle(pulse("BEB-18"))))
    written(tone.send(updating(made, 1, valueQuantity={**made["valueQuantity"], "value": 90})))
    written(tone.send(updating(made, 2, status="entered-in-error")))
    told = sorted(((activity(one), one.get("entity")) for one in origins(tone, name_of(made))), key=str)
    former = f"{name_of(made)}/_history/"
    assert told == [
        (["CREATE"], None),
        (["NULLIFY"], [{"role": "revision", "what": {"reference": f"{former}2"}}]),
        (["UPDATE"], [{"role": "revision", "what": {"reference": f"{former}1"}}]),
    ]


def test_a_repeat_makes_no_second_one_and_what_is_refused_makes_none(server, tone):
    key, body = str(uuid4()), bundle(pulse("BEB-18", value=83))
    (made,) = written(tone.send(body, key))
    server.sql("UPDATE answer SET status = NULL, body = NULL")  # as if it had stopped before the outcome was kept
    tone = server.sign_in("tone")
    assert written(tone.send(body, key)) == [made]
    assert len(origins(tone, name_of(made))) == 1
    assert tone.send(updating(made, 7, status="amended")).status_code == 412
    assert len(origins(tone, name_of(made))) == 1


def test_what_the_client_says_itself_is_added_to_and_only_the_rest_gets_one_of_its_own(tone):
    sent = bundle(pulse("BEB-18", value=84), pulse("BEB-18", value=85))
    source = [{"role": "source", "what": {"reference": "Observation/puls-BEB-18"}}]
    own = {
        "resourceType": "Provenance",
        "target": [{"reference": sent["entry"][0]["fullUrl"]}],
        "recorded": "2026-01-14T14:45:00+01:00",
        "agent": [{"who": {"reference": "Practitioner/tone"}}],
        "entity": source,
    }
    lost = {
        **own,
        "activity": {"text": "Valgt bort i en konflikt"},
        "target": [{"reference": sent["entry"][1]["fullUrl"]}],
    }
    sent["entry"] += [
        {"fullUrl": f"urn:uuid:{uuid4()}", "resource": one, "request": {"method": "POST", "url": "Provenance"}}
        for one in (own, lost)
    ]
    first, second, *_ = written(tone.send(sent))
    (one,) = origins(tone, name_of(first))
    assert (activity(one), one["entity"]) == (["CREATE"], source)
    assert [agent["who"].get("reference") or agent["who"]["identifier"]["value"] for agent in one["agent"]] == [
        "Practitioner/tone", PACKAGE,
    ]  # fmt: skip
    told = origins(tone, name_of(second))
    assert sorted(one["activity"].get("text", "") for one in told) == ["", "Valgt bort i en konflikt"]


def test_two_patients_of_one_transaction_have_an_origin_each(server, tone):
    doctor = server.sign_in("lege")
    first, second = written(doctor.send(bundle(pulse("BEB-18", "lege"), pulse("BEB-01", "lege"))))
    (one,) = origins(tone, name_of(first))
    assert [each["reference"] for each in one["target"]] == [name_of(first)]
    assert origins(tone, name_of(second)) == []  # BEB-01 is not open to her
    assert len(origins(doctor, name_of(second))) == 1


def test_what_is_closed_by_its_code_has_a_closed_origin_and_the_feed_announces_none(server, tone):
    doctor = server.sign_in("lege")
    with stream(server.sign_in("tone")) as events:
        hello(events)
        (made,) = written(doctor.send(bundle(pulse("BEB-18", "lege"))))
        (next_one,) = written(doctor.send(bundle(pulse("BEB-18", "lege", value=99))))
        assert [events.next()[1]["id"] for _ in range(2)] == [made["id"], next_one["id"]]
    (one,) = origins(tone, name_of(made))
    close(server, code=[{"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}])
    assert tone.get(name_of(made)).status_code == 403
    assert origins(tone, name_of(made)) == []
    assert tone.get(name_of(one)).status_code == 403


def test_a_single_write_is_answered_as_ever_and_has_its_origin_too(tone):
    made = tone.http.post("/fhir/Observation", json=pulse("BEB-18", value=86), headers=tone.headers())
    assert (made.status_code, made.headers["etag"]) == (201, 'W/"1"')
    there = made.json()
    assert made.headers["location"].endswith(f"Observation/{there['id']}/_history/1")
    changed = tone.put({**there, "bodySite": {"text": "håndledd"}}, **{"If-Match": 'W/"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, 'W/"2"')
    assert sorted(activity(one) for one in origins(tone, name_of(there))) == [["CREATE"], ["UPDATE"]]
    stale = tone.put({**there, "status": "amended"}, **{"If-Match": 'W/"1"'})
    assert stale.status_code == 412
    condition = {"If-None-Exist": f"_id={there['id']}"}
    same = tone.http.post("/fhir/Observation", json=pulse("BEB-18"), headers=tone.headers(**condition))
    assert same.json()["id"] == there["id"]
    assert len(origins(tone, name_of(there))) == 2

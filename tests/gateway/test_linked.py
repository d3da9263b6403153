"""What is written points at nothing about another patient, whoever sends it: the gateway looks, as the broker does."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.gateway.conftest import Server, bundle, pulse
from workspace.fhir.service import FhirResponse

SENTENCE = "Her pekes det på en opplysning som ikke hører til denne pasienten."
OTHERS = {
    "open, another's": "Observation/puls-BEB-19",
    "not open": "Observation/puls-BEB-01",
    "not there": "Observation/finnes-ikke",
    "by its address": "{base}/Observation/puls-BEB-19",
    "by a search": "Observation?patient=BEB-18&code=8867-4",
    "of another type": "Encounter/opphold-BEB-19",
}


class Counting:
    """The store, and what was asked of it; `down`: it cannot answer for what is pointed at."""

    def __init__(self, store):
        self.store, self.asked, self.down, self.on_commit = store, [], False, store.on_commit

    async def handle(self, request):
        if "AuditEvent" not in str(request.body):
            self.asked.append((request.method, request.path))
        if self.down and request.path.startswith("Encounter"):
            return FhirResponse(502, {"resourceType": "OperationOutcome", "issue": []})
        return await self.store.handle(request)


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path, Counting).start()
    yield made
    made.stop()


def linked(to, **more):
    return pulse("BEB-18", derivedFrom=[{"reference": to}], **more)


def faults(answer):
    assert answer.status_code == 422, answer.text
    return [(i["expression"], i["details"]["text"]) for i in answer.json()["issue"]]


def test_another_patients_fact_is_refused_whatever_it_is_called_and_what_is_not_there_alike(server):
    tone = server.sign_in("tone")
    for how, where in OTHERS.items():
        to = where.format(base=f"{server.url}/fhir")
        single = tone.http.post("/fhir/Observation", json=linked(to), headers=tone.headers())
        assert faults(single) == [(["Observation.derivedFrom[0]"], SENTENCE)], how
        sent = tone.send(bundle(pulse("BEB-18"), linked(to)), str(uuid4()))
        path = "Bundle.entry[1].resource.ofType(Observation).derivedFrom[0]"
        assert faults(sent) == [([path], SENTENCE)], how
    assert len(tone.ids("Observation?patient=BEB-18")) == 1, "nothing of it was written"
    assert len([e for e in server.log() if e.get("outcome") == "4"]) == 2 * len(OTHERS), "a mismatch is logged"
    there = tone.http.post("/fhir/Observation", json=linked("Observation/puls-BEB-18"), headers=tone.headers())
    assert there.status_code == 201, there.text
    changed = {**there.json(), "derivedFrom": [{"reference": "Observation/puls-BEB-19"}]}
    assert faults(tone.put(changed, **{"If-Match": 'W/"1"'}))


def test_a_write_costs_one_question_more_and_none_when_it_points_at_nothing_outside(server):
    tone, service = server.sign_in("tone"), server.gateway.service

    def asked(*resources):
        body = bundle(*resources)
        for entry, source in zip(body["entry"][1:], body["entry"], strict=False):
            entry["resource"] = {**entry["resource"], "hasMember": [{"reference": source["fullUrl"]}]}
        service.asked.clear()
        answer = tone.send(body, str(uuid4()))
        assert answer.status_code == 200, answer.text
        return list(service.asked)

    tone.get("Patient/BEB-18")  # who may see whom is known from here
    assert asked(pulse("BEB-18"), pulse("BEB-18")) == [("POST", "")], "what is written with it is known"
    one = linked("Observation/puls-BEB-18")
    assert asked(one, one) == [("GET", "Observation/puls-BEB-18"), ("POST", "")]
    two = linked("Observation/puls-BEB-18", encounter={"reference": "Encounter/opphold-BEB-18"})
    assert asked(two, one, two) == [("POST", ""), ("POST", "")], "a batch, and the write"


def test_where_the_platform_cannot_say_it_is_to_be_tried_again(server):
    tone = server.sign_in("tone")
    server.gateway.service.down = True
    body = pulse("BEB-18", encounter={"reference": "Encounter/opphold-BEB-18"})
    answer = tone.send(bundle(body), str(uuid4()))
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


def test_a_link_that_stood_there_may_stay_so_that_it_can_be_marked_as_wrong(server):
    server.store_put(linked("Observation/puls-BEB-19", id="gammel"))
    tone = server.sign_in("tone")
    wrong = {**tone.get("Observation/gammel").json(), "status": "entered-in-error"}
    assert tone.put(wrong, **{"If-Match": 'W/"1"'}).status_code == 200


def test_an_entry_is_not_called_what_it_is_not(server):
    """The platform would write the entry's own name wherever the patient is named."""
    body = bundle(pulse("BEB-18"))
    body["entry"][0]["fullUrl"] = "Patient/BEB-18"
    answer = server.sign_in("tone").send(body, str(uuid4()))
    assert (answer.status_code, answer.json()["issue"][0]["details"]["coding"][0]["code"]) == (400, "bad-bundle")

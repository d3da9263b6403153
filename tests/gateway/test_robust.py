"""Clients that send nonsense get a sentence, never a crash; a log that cannot be delivered is not lost."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.gateway.conftest import Server, bundle, pulse
from tests.gateway.test_auditing import of
from workspace.fhir.service import FhirResponse


def entry(resource, **request):
    return {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": resource, "request": request}]}


POST = {"method": "POST", "url": "Observation"}


@pytest.mark.parametrize(
    "body",
    [
        [],
        "x",
        {},
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "type": "transaction"},
        {"resourceType": "Bundle", "type": "transaction", "entry": [1]},
        {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": 1}]},
        entry(None, **POST),
        entry({"resourceType": "Patient"}, **POST),
        entry({"resourceType": "Observation", "meta": 1}, **POST),
        entry(
            {"resourceType": "Observation", "subject": [1], "performer": "x", "component": [1], "category": 3}, **POST
        ),
        entry({**pulse("BEB-18"), "valueQuantity": {"value": "åtte"}, "meta": {"tag": 7}}, **POST),
        entry(pulse("BEB-18"), method="DELETE", url="Observation/puls-BEB-18"),
        entry(pulse("BEB-18"), method="PUT", url="Observation?patient=BEB-18"),
        entry(pulse("BEB-18"), method="POST", url="../Observation"),
        entry({"resourceType": "Provenance", "target": 4, "agent": 5, "recorded": 6}, method="POST", url="Provenance"),
        entry({"resourceType": "Ukjent"}, method="POST", url="Ukjent"),
        {"resourceType": "Bundle", "type": "batch", "entry": [1, {"request": {"method": "BREW", "url": "x"}}]},
    ],
)
def test_nonsense_is_refused_in_words(tone, body):
    answer = tone.send(body, str(uuid4()))
    said = answer.json()
    if said["resourceType"] == "Bundle":
        assert all(int(e["response"]["status"]) in range(400, 500) for e in said["entry"])
        return
    assert answer.status_code in range(400, 500), answer.text
    assert all(issue["details"]["text"] for issue in said["issue"])


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"status": ["final"]}, "status"),
        ({"status": {"tag": 7}}, "status"),
        ({"code": {"coding": 7}}, "code.coding"),
        ({"identifier": {"coding": 7}}, "identifier.coding"),
        ({"valueQuantity": {"value": 7, "unit": [], "system": {}, "code": 1}}, "valueQuantity.unit"),
    ],
)
def test_an_element_of_the_wrong_json_type_is_refused_by_name(tone, wrong, named):
    broken = {**pulse("BEB-18"), **wrong}
    for answer in (tone.send(bundle(broken), str(uuid4())), tone.put({**broken, "id": "ny"})):
        assert answer.status_code == 422, answer.text
        issue = answer.json()["issue"][0]
        assert issue["expression"] == [f"Observation.{named}"]
        assert issue["details"]["text"]
    assert tone.send(bundle(pulse("BEB-18")), str(uuid4())).status_code == 200


@pytest.mark.parametrize(
    "path", ["Observation?_sort=tull", "Ukjent", "Patient/../x", "_history", "", "Observation?patient.name:x=1"]
)
def test_odd_paths_are_refused_in_words(tone, path):
    answer = tone.get(path)
    assert answer.status_code in range(400, 500)
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_key_that_is_none_and_a_body_too_large(tone):
    assert tone.send(bundle(pulse("BEB-18")), "x y").status_code == 400
    assert tone.http.post("/fhir", content=b" " * (9 * 1024 * 1024), headers=tone.headers()).status_code == 413


class Forgetful:
    """A service whose log is full until told otherwise."""

    def __init__(self, store):
        self.store, self.full = store, True
        self.on_commit = store.on_commit

    async def handle(self, request):
        rows = (request.body or {}).get("entry", [])
        if self.full and any((e.get("resource") or {}).get("resourceType") == "AuditEvent" for e in rows):
            return FhirResponse(503, {"resourceType": "OperationOutcome", "issue": []})
        return await self.store.handle(request)


def test_a_log_the_platform_does_not_take_waits_and_arrives(tmp_path, caplog):
    server = Server(tmp_path, Forgetful).start()
    try:
        done = server.sign_in("tone").send(bundle(pulse("BEB-18")), str(uuid4()))
        assert done.status_code == 200
        assert of(server.log(), "Tone") == []
        assert "did not take" in caplog.text
        server.service = lambda store: store
        server.restart()
        (event,) = of(server.log(), "Tone")
        assert event["action"] == "C"
    finally:
        server.stop()

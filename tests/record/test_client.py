"""The platform's answers as people and panels meet them."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from types import SimpleNamespace

import httpx
import pytest

from workspace.clock import SystemClock
from workspace.fhir.search import parse_query
from workspace.record.client import Asker, Client, PlatformProblem
from workspace.record.fetch import fetch

ENDPOINTS = SimpleNamespace(
    fhir="http://plattform/fhir",
    changes="http://plattform/changes",
    audit="http://plattform/audit",
    time="http://plattform/time",
)
ASKER = Asker(("nordlys.vitals@1.0.0",), "c1")


class Tokens:
    async def access_token(self, *, force=False):
        return "new" if force else "old"


@asynccontextmanager
async def client(answer):
    made = Client(ENDPOINTS, Tokens(), httpx.MockTransport(answer))
    try:
        yield made
    finally:
        await made.aclose()


def ask(answer, path="Observation?code=1"):
    async def run():
        async with client(answer) as made:
            return await made.get(path, ASKER)

    return asyncio.run(run())


def refused(answer, path="Observation?code=1"):
    with pytest.raises(PlatformProblem) as caught:
        ask(answer, path)
    return caught.value


def outcome(text, code=""):
    details = {"text": text, **({"coding": [{"code": code}]} if code else {})}
    return {"resourceType": "OperationOutcome", "issue": [{"details": details}]}


def test_every_request_says_who_asks_and_an_expired_token_is_renewed_once():
    seen = []

    def answer(request):
        seen.append(request)
        good = request.headers["authorization"] == "Bearer new"
        return httpx.Response(200 if good else 401, json={"resourceType": "Bundle"})

    found = ask(answer)
    assert [request.headers["authorization"] for request in seen] == ["Bearer old", "Bearer new"]
    assert seen[1].headers["accept"] == "application/fhir+json; fhirVersion=4.0"
    assert seen[1].headers["x-workspace-package"] == "nordlys.vitals@1.0.0"
    assert seen[1].headers["x-workspace-context"] == "c1"
    assert seen[1].headers["x-request-id"] == found.request
    assert refused(lambda request: httpx.Response(401)).code == "signed-out"


def test_an_answer_goes_when_it_has_been_read_and_not_when_the_collector_comes_by():
    gc.collect()
    gc.disable()
    try:
        ask(lambda request: httpx.Response(200, stream=httpx.ByteStream(b'{"resourceType": "Bundle"}')))
        assert not [one for one in gc.get_objects() if isinstance(one, httpx.Response)]
    finally:
        gc.enable()


def test_a_long_query_goes_in_a_body():
    def answer(request):
        assert request.method == "POST"
        assert request.url.path == "/fhir/Flag/_search"
        assert request.content.startswith(b"patient=")
        return httpx.Response(200, json={"resourceType": "Bundle"})

    ask(answer, "Flag?patient=" + ",".join(f"Patient/{n}" for n in range(300)))


def test_the_platforms_own_resources_go_by_one_name():
    def answer(request):
        rows = [{"resource": {"resourceType": "Observation", "subject": {"reference": one}}} for one in said]
        return httpx.Response(
            200, json={"resourceType": "Bundle", "link": [{"url": ENDPOINTS.fhir + "/x"}], "entry": rows}
        )

    said = [
        "http://plattform/fhir/Patient/p",
        "Patient/p",
        "http://plattform/fhirx/Patient/p",
        "https://annen/fhir/Patient/p",
    ]
    body = ask(answer).body
    assert [one["resource"]["subject"]["reference"] for one in body["entry"]] == ["Patient/p", "Patient/p", *said[2:]]
    assert body["link"] == [{"url": "http://plattform/fhir/x"}]


def test_what_a_search_says_of_itself_is_no_row():
    rows = [
        {"resource": {"resourceType": "OperationOutcome", "issue": []}},
        {"resource": {"resourceType": "Basic", "id": "b"}},
    ]

    async def run():
        async with client(lambda request: httpx.Response(200, json={"resourceType": "Bundle", "entry": rows})) as made:
            page = await fetch(made, parse_query("Basic?_count=5"), "Basic?_count=5", ASKER, SystemClock())
            assert [one["resourceType"] for one in page.matches] == ["Basic"]

    asyncio.run(run())


def test_a_link_to_another_place_is_not_followed():
    asked = []
    assert refused(asked.append, "http://annet.sted/fhir/Observation?_page=2").code == "platform-malformed"
    assert asked == []


@pytest.mark.parametrize(
    ("status", "body", "code", "sentence"),
    [
        (403, outcome("Du har ikke vakt her.", "no-decision"), "no-decision", "Du har ikke vakt her."),
        (422, outcome("Puls mangler."), "rejected", "Puls mangler."),
        (412, {}, "conflict", "Noen har endret det samme etter at du åpnet det."),
        (429, {}, "too-many", "Det sendes for mange spørringer til plattformen."),
        (502, None, "platform-failed", "Plattformen har en feil akkurat nå."),
        (200, [1], "platform-malformed", "Plattformen svarte med noe som ikke kan leses."),
    ],
)
def test_a_failure_is_a_plain_sentence(status, body, code, sentence):
    problem = refused(lambda request: httpx.Response(status, json=body))
    assert (problem.code, problem.sentence) == (code, sentence)


def test_whether_a_write_may_have_been_done_is_told_apart():
    def dead(request):
        raise httpx.ConnectError("no")

    assert refused(dead).unknown_outcome
    assert refused(lambda request: httpx.Response(503)).unknown_outcome
    assert not refused(lambda request: httpx.Response(422)).unknown_outcome

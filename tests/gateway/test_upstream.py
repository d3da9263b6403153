"""Another FHIR server behind the gateway."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx
import orjson
import pytest

from tests.gateway.conftest import Server, bundle, pulse
from tests.gateway.test_feed import hello, stream
from workspace.fhir import json
from workspace.fhir.service import FhirRequest, FhirResponse
from workspace.gateway.upstream import Upstream


def ask(handler, request):
    async def run():
        upstream = Upstream("http://fhir.test/r4/", headers={"x-api-key": "k"}, transport=httpx.MockTransport(handler))
        try:
            return await upstream.handle(request)
        finally:
            await upstream.close()

    return asyncio.run(run())


def test_a_request_goes_out_as_fhir_and_comes_back_whole():
    def serve(request):
        assert str(request.url) == "http://fhir.test/r4/Observation/7"
        assert request.headers["if-match"] == 'W/"1"'
        assert request.headers["x-api-key"] == "k"
        assert request.headers["accept"] == "application/fhir+json; fhirVersion=4.0"
        return httpx.Response(200, content=request.content, headers={"etag": 'W/"2"'})

    body = {"resourceType": "Observation", "id": "7"}
    answer = ask(serve, FhirRequest("PUT", "Observation/7", "", {"if-match": 'W/"1"'}, body))
    assert (answer.status, answer.body, answer.headers["etag"]) == (200, body, 'W/"2"')


def test_decimals_reach_another_server_and_come_back_with_their_digits():
    def serve(request):
        assert request.content == b'{"resourceType":"Observation","value":38.60}'
        return httpx.Response(200, content=b'{"resourceType": "Observation", "value": 1.10e-2}')

    body = json.loads(b'{"resourceType":"Observation","value":38.60}')
    answer = ask(serve, FhirRequest("PUT", "Observation/7", "", {}, body))
    assert json.dumps(answer.body) == b'{"resourceType":"Observation","value":1.10e-2}'


def test_a_long_search_is_posted():
    def serve(request):
        assert (request.method, request.url.path) == ("POST", "/r4/Patient/_search")
        return httpx.Response(200, content=orjson.dumps({"resourceType": "Bundle", "n": len(request.content)}))

    assert ask(serve, FhirRequest("GET", "Patient", "_id=" + "x," * 2000)).body["n"] == 4004


@pytest.mark.parametrize("broken", ["silent", "page", "refusal"])
def test_a_server_that_fails_is_an_outcome_in_words(broken):
    def serve(request):
        if broken == "silent":
            raise httpx.ConnectError("no", request=request)
        return httpx.Response(502 if broken == "refusal" else 200, content=b"<html>")

    answer = ask(serve, FhirRequest("GET", "Patient/1"))
    assert answer.status == 502
    assert answer.body["issue"][0]["details"]["text"] == "Journalserveren svarer ikke. Prøv igjen om litt."


class Quiet:
    """A service that announces nothing, as a server over HTTP."""

    def __init__(self, store):
        self.store = store
        self.down = False

    async def handle(self, request):
        return await self.store.handle(request)


def test_behind_a_server_that_announces_nothing_the_gateway_numbers_its_own_writes(tmp_path):
    server = Server(tmp_path, Quiet).start()
    try:
        tone = server.sign_in("tone")
        with stream(server.sign_in("tone")) as events:
            start = hello(events)
            tone.send(bundle(pulse("BEB-18"), pulse("BEB-18", value=80)), str(uuid4()))
            assert [events.next()[1]["seq"] for _ in range(2)] == [start + 1, start + 2]
    finally:
        server.stop()


class Busy:
    """A service that has too much to do, and says when to come back."""

    def __init__(self, store):
        self.store, self.status = store, 0

    async def handle(self, request):
        if self.status and request.path.startswith("Observation"):
            outcome = {"resourceType": "OperationOutcome", "issue": []}
            return FhirResponse(self.status, outcome, {"retry-after": "17"} if self.status == 429 else {})
        return await self.store.handle(request)


def test_who_must_wait_is_told_how_long(tmp_path):
    server = Server(tmp_path, Busy).start()
    try:
        tone = server.sign_in("tone")
        for server.gateway.service.status, wait in ((429, "17"), (503, "2")):
            answer = tone.get("Observation")
            assert (answer.status_code, answer.headers["retry-after"]) == (server.gateway.service.status, wait)
    finally:
        server.stop()

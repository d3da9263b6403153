"""Another FHIR server behind the gateway."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import httpx
import orjson
import pytest

from tests.gateway.conftest import Server, bundle, pulse
from tests.gateway.test_drafts import key, put
from tests.gateway.test_feed import hello, stream
from tests.gateway.test_feed_cut import merged, poll
from workspace.fhir import json
from workspace.fhir.service import FhirRequest, FhirResponse
from workspace.gateway import book
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


def test_a_merge_that_nobody_announced_is_noticed_told_once_and_moves_drafts(tmp_path, monkeypatch):
    monkeypatch.setattr(book, "KEPT_SECONDS", 0.2)
    server = Server(tmp_path, Quiet).start()
    try:
        tone = server.sign_in("tone")
        put(tone)
        first = poll(tone)
        with stream(server.sign_in("tone")) as events:
            hello(events)
            merged(server)
            deadline = time.monotonic() + 10
            while not [e for e in poll(tone, first["seq"], first["sight"])["events"] if e["event"] == "merge"]:
                assert time.monotonic() < deadline, "the merge is never told"
                time.sleep(0.05)
            told = []
            while not told or told[-1][0] != "merge":
                told.append(events.next())
        assert (told[-1][1]["from"], told[-1][1]["into"]) == ("Patient/BEB-18", "Patient/BEB-19")
        (moved,) = tone.get("/drafts").json()["drafts"]
        assert (moved["key"]["patient"], moved["merged_from"]) == ("Patient/BEB-19", "Patient/BEB-18")
        server.restart()
        tone = server.sign_in("tone")
        put(tone, {"text": "etter"}, named=key("Patient/BEB-18", view="note"))
        since = poll(tone)["seq"]
        time.sleep(0.3)
        assert [e["event"] for e in poll(tone, since)["events"]] == [], "told once, also over a restart"
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


class Terse:
    """A server that answers a write with what it must and no more."""

    def __init__(self, store):
        self.store, self.says, self.on_commit = store, "", store.on_commit

    async def handle(self, request):
        answer = await self.store.handle(request)
        if request.method == "GET" or not self.says or "AuditEvent" in str(request.body):
            return answer
        entries = answer.body["entry"] if answer.body["resourceType"] == "Bundle" else [{"resource": answer.body}]
        for entry in entries:
            entry["resource"].pop("meta") if self.says == "no meta" else entry.pop("resource")
        if self.says == "no meta" or answer.body["resourceType"] == "Bundle":
            return answer
        return FhirResponse(answer.status, None, answer.headers)


@pytest.mark.parametrize("says", ["no meta", "no body"])
def test_what_a_terse_server_wrote_is_answered_and_logged(tmp_path, says):
    server = Server(tmp_path, Terse).start()
    try:
        tone, terse = server.sign_in("tone"), server.gateway.service
        terse.says = says
        single = tone.http.post("/fhir/Observation", json=pulse("BEB-18", value=91), headers=tone.headers())
        sent = tone.send(bundle(pulse("BEB-18", value=92)), str(uuid4()))
        assert (single.status_code, sent.status_code) == (201, 200), (single.text, sent.text)
        terse.says = ""
        own = {f"Observation/{one}" for one in tone.ids("Observation?patient=BEB-18") - {"puls-BEB-18"}}
        assert len(own) == 2
        named = {
            e["what"]["reference"] for one in server.log() if one["action"] == "C" for e in one["entity"] if "what" in e
        }
        assert {one.partition("/_history")[0] for one in named if one.startswith("Observation")} == own
    finally:
        server.stop()

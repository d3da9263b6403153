"""A no of the platform is looked into before it is believed: nothing is called *lagret* that is not there, and nothing waits
for ever behind what can never be done. Before a real gateway and store."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.gateway.conftest import Server, bundle, pulse
from tests.record.test_chain import updating
from tests.record.test_outbox import ASKER, NOWHERE, outbox_at, stored, token_of, until
from workspace.fhir.service import FhirRequest, FhirResponse
from workspace.record import patience, refusal


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(patience, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.04)


class Contrary:
    """A store that answers the next transactions in its own way: `says` are statuses (nothing is done), or functions of
    the true answer."""

    def __init__(self, store):
        self.store, self.says, self.asked = store, [], 0

    def __getattr__(self, name):
        return getattr(self.store, name)

    async def handle(self, request):
        kinds = {each["resource"]["resourceType"] for each in (request.body or {}).get("entry", ())}
        if request.method != "POST" or request.path.strip("/") or "AuditEvent" in kinds:
            return await self.store.handle(request)
        self.asked += 1
        says = self.says.pop(0) if self.says else None
        if isinstance(says, int):
            issue = {"severity": "error", "code": "conflict", "details": {"text": "opptatt"}}
            return FhirResponse(says, {"resourceType": "OperationOutcome", "issue": [issue]})
        answer = await self.store.handle(request)
        return says(answer) if says else answer


@pytest.fixture
def server(tmp_path):
    fronts = []

    def front(store):
        fronts.append(Contrary(store))
        return fronts[-1]

    made = Server(tmp_path, service=front).start()
    made.front = fronts[-1]
    yield made
    made.stop()


def contrary(server):
    return server.front


def outbox_of(server, tmp_path):
    return outbox_at(tmp_path / "v.sqlite", server.url, token_of(server))


def test_a_platform_in_contention_is_asked_again_and_has_it_once(server, tmp_path):
    async def run():
        contrary(server).says = [409, 409]
        async with outbox_of(server, tmp_path) as outbox:
            item = await outbox.commit(bundle(pulse("BEB-18", value=99)), "BEB-18", ASKER, 5.0)
            assert (item.state, outbox.unsent(), outbox.refused()) == ("lagret", 0, ())

    asyncio.run(run())
    assert stored(server) == [99]


@pytest.mark.parametrize("status", [409, 412])
def test_what_the_platform_goes_on_refusing_is_in_sight_and_never_saved(server, tmp_path, status):
    async def run():
        contrary(server).says = [status] * 50
        async with outbox_of(server, tmp_path) as outbox:
            item = await outbox.commit(bundle(pulse("BEB-18", value=99)), "BEB-18", ASKER, 5.0)
            assert (item.state, outbox.unsent(), len(outbox.refused())) == ("avvist", 0, 1)
            assert contrary(server).asked == refusal.TRIES

    asyncio.run(run())
    assert stored(server) == []


def test_a_412_after_the_write_was_done_is_found_out_though_it_only_makes_new_things(server, tmp_path):
    async def run():
        def late(answer):
            return FhirResponse(412, {"resourceType": "OperationOutcome", "issue": []})

        contrary(server).says = [late]
        async with outbox_of(server, tmp_path) as outbox:
            item = await outbox.commit(bundle(pulse("BEB-18", value=99)), "BEB-18", ASKER, 5.0)
            assert item.state == "lagret"
            assert item.answer["entry"][0]["resource"]["valueQuantity"]["value"] == 99

    asyncio.run(run())
    assert stored(server) == [99]


@pytest.mark.parametrize(
    "entry",
    [
        {"response": {"status": "422 Unprocessable"}},
        {"response": {"status": "500"}},
        {},
        {"resource": {"resourceType": "Patient", "id": "x", "meta": {"versionId": "1"}}, "response": {"status": "201"}},
    ],
    ids=["refused", "failed", "nothing", "another type"],
)
def test_a_200_whose_entry_says_no_is_no_answer_and_what_is_there_is_looked_up(server, tmp_path, entry):
    """The store has done it, and says something else, which the gateway keeps: it is found by its tag, and is done once."""

    async def run():
        def says(answer):
            return FhirResponse(answer.status, {**answer.body, "entry": [json.loads(json.dumps(entry))]})

        contrary(server).says = [says]
        async with outbox_of(server, tmp_path) as outbox:
            item = await outbox.commit(bundle(pulse("BEB-18", value=99)), "BEB-18", ASKER, 5.0)
            assert (item.state, outbox.unsent()) == ("lagret", 0)
            assert item.answer["entry"][0]["resource"]["valueQuantity"]["value"] == 99

    asyncio.run(run())
    assert stored(server) == [99]


@pytest.mark.parametrize("how", ["gone", "closed"])
def test_a_change_of_what_is_out_of_reach_is_in_sight_and_holds_back_nobody(server, tmp_path, how):
    async def run():
        there = server.sign_in("tone").send(bundle(pulse("BEB-18", value=70)), "a" * 12).json()["entry"][0]["resource"]
        name = f"Observation/{there['id']}"
        async with outbox_at(tmp_path / "v.sqlite", NOWHERE) as outbox:
            body = updating(there, there["meta"]["versionId"], note=[{"text": "hei"}])
            await outbox.commit(body, "Patient/BEB-18", ASKER, 0.01, bases={name: there})
            await outbox.commit(bundle(pulse("BEB-18", value=99)), "Patient/BEB-18", ASKER, 0.01)
        if how == "gone":
            ask = FhirRequest("DELETE", name)
            done = asyncio.run_coroutine_threadsafe(contrary(server).store.handle(ask), server.loop)
            assert (await asyncio.to_thread(done.result, 5)).status in (200, 204)
        else:  # somebody changed it, and it is another's record now
            moved = {**there, "subject": {"reference": "Patient/BEB-99"}}
            ask = FhirRequest("PUT", name, body=moved)
            done = asyncio.run_coroutine_threadsafe(contrary(server).store.handle(ask), server.loop)
            assert (await asyncio.to_thread(done.result, 5)).status == 200
        async with outbox_of(server, tmp_path) as outbox:
            await until(lambda: outbox.unsent() == 0)
            [refused] = outbox.refused()
            assert (refused.state, refused.updates.keys()) == ("avvist", {name})
            assert refused.problem.sentence

    asyncio.run(run())
    assert 99 in stored(server)

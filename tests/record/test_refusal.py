"""A no of the platform is looked into before it is believed: nothing is called *lagret* that is not there, and nothing waits
for ever behind what can never be done. Before a real gateway and store."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from tests.gateway.conftest import Server, bundle, pulse
from tests.record.test_chain import updating
from tests.record.test_outbox import ASKER, NOWHERE, outbox_at, stored, token_of, until
from workspace.fhir.service import FhirRequest, FhirResponse
from workspace.record import patience, refusal
from workspace.record.items import Form


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(patience, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.04)


class Contrary:
    """A store that answers the next transactions in its own way: `says` are statuses or answers (nothing is done), or
    functions of the true answer. `deaf` says which GET is answered otherwise."""

    def __init__(self, store):
        self.store, self.says, self.asked, self.deaf = store, [], 0, lambda request: None

    def __getattr__(self, name):
        return getattr(self.store, name)

    async def handle(self, request):
        kinds = {each["resource"]["resourceType"] for each in (request.body or {}).get("entry", ())}
        if request.method != "POST" or request.path.strip("/") or "AuditEvent" in kinds:
            return self.deaf(request) or await self.store.handle(request)
        self.asked += 1
        says = self.says.pop(0) if self.says else None
        if isinstance(says, int):
            issue = {"severity": "error", "code": "conflict", "details": {"text": "opptatt"}}
            return FhirResponse(says, {"resourceType": "OperationOutcome", "issue": [issue]})
        if isinstance(says, FhirResponse):
            return says
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


NO = {
    "resourceType": "Bundle",
    "type": "transaction-response",
    "entry": [
        {
            "response": {
                "status": "422",
                "outcome": {"resourceType": "OperationOutcome", "issue": [{"details": {"text": "Puls er for høy."}}]},
            }
        }
    ],
}


@pytest.mark.parametrize("change", [False, True], ids=["new", "changed"])
def test_a_200_over_a_no_that_goes_on_with_nothing_there_is_in_sight_with_the_platforms_words(
    server, tmp_path, monkeypatch, change
):
    monkeypatch.setattr(refusal, "SPAN", 0.2)

    async def run():
        body, bases = bundle(pulse("BEB-18", value=99)), {}
        if change:
            there = server.sign_in("tone").send(body, "a" * 12).json()["entry"][0]["resource"]
            body, bases = updating(there, "1", note=[{"text": "hei"}]), {f"Observation/{there['id']}": there}
        contrary(server).asked, contrary(server).says = 0, [FhirResponse(200, NO)]
        form = Form("nordlys.vitals", "1.0.0", "vitals", "i1", {"pulse": "99"}, 7, 1, {"pulse": None})
        async with outbox_of(server, tmp_path) as outbox:
            item = await outbox.commit(body, "Patient/BEB-18", ASKER, 5.0, form=form, bases=bases)
            assert (item.state, outbox.unsent()) == ("avvist", 0)
            assert item.problem.sentence == "Plattformen svarte, men lagret ikke dette. Den sier: Puls er for høy."
            assert contrary(server).asked == 1, "the gateway gives its first answer to a repeat"
        async with outbox_of(server, tmp_path) as outbox:
            [refused] = outbox.refused()
            assert (refused.form.values, refused.problem.sentence) == ({"pulse": "99"}, item.problem.sentence)
            again = await outbox.commit(body, "Patient/BEB-18", ASKER, 5.0, bases=bases, replaces=refused.id)
            assert (again.state, outbox.items()) == ("lagret", ())

    asyncio.run(run())
    assert stored(server) == [99]


def _unsearched(request):
    return FhirResponse(500, {"resourceType": "OperationOutcome"}) if "_tag=" in request.query else None


def _paged(request):
    more = {"relation": "next", "url": "http://x/fhir?page=2"}
    body = {"resourceType": "Bundle", "type": "searchset", "link": [more], "entry": []}
    return FhirResponse(200, body) if "_tag=" in request.query else None


@pytest.mark.parametrize("how", ["unsearched", "paged", "half", "quick"])
def test_without_certainty_that_nothing_was_written_a_200_over_a_no_waits(server, tmp_path, monkeypatch, how):
    monkeypatch.setattr(refusal, "SPAN", 60.0 if how == "quick" else 0.0)
    monkeypatch.setattr(refusal, "LOOKS", 2)
    looked = []

    async def run():
        front = contrary(server)
        body = bundle(pulse("BEB-18", value=99), pulse("BEB-18", value=98))
        front.says = [FhirResponse(200, NO)]
        if how == "half":  # a platform whose transactions are none
            front.says, whole = [lambda answer: FhirResponse(200, NO)], front.store.handle

            async def only_one(request):
                entries = (request.body or {}).get("entry") or ()
                if len(entries) > 1:  # the origin is written beside
                    request = replace(request, body={**request.body, "entry": entries[:1]})
                return await whole(request)

            monkeypatch.setattr(front.store, "handle", only_one)
        answers = {"unsearched": _unsearched, "paged": _paged}

        def deaf(request):
            looked.extend([1] * ("_tag=" in request.query))
            return answers.get(how, lambda request: None)(request)

        front.deaf = deaf
        async with outbox_of(server, tmp_path) as outbox:
            await outbox.commit(body, "Patient/BEB-18", ASKER, 0.05)
            await until(lambda: len(looked) > 8)
            assert (outbox.unsent(), outbox.refused()) == (1, ())

    asyncio.run(run())


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

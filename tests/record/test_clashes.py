"""409, 412 and answers that say no inside: what nothing was written of is never *lagret*, and holds up nobody for ever."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from tests.faults.proxy import FaultProxy
from tests.gateway.conftest import Server, bundle, pulse
from tests.record.test_chain import made, quantity, updating, versions
from tests.record.test_delivery import left, nobody, signed_in
from tests.record.test_outbox import ASKER, KEY, NOWHERE, Tokens, endpoints, outbox_at, stored, token_of, until
from workspace.clock import SystemClock
from workspace.fhir.service import FhirRequest, FhirResponse
from workspace.record import patience
from workspace.record.client import Client, PlatformProblem
from workspace.record.items import is_answer
from workspace.record.outbox import Outbox
from workspace.record.patience import Pause
from workspace.record.refusal import TRIES
from workspace.vault.vault import Vault


class Contended:
    """The store, which answers the next `left` transactions with `status`, and writes nothing of them."""

    def __init__(self, store):
        self.store, self.left, self.status = store, 0, 409
        self.on_commit = store.on_commit

    async def handle(self, request):
        kinds = {(e.get("resource") or {}).get("resourceType") for e in (request.body or {}).get("entry", [])}
        if request.method == "POST" and "Observation" in kinds and self.left:
            self.left -= 1
            issue = {"severity": "error", "code": "conflict", "details": {"text": "En annen skriver akkurat nå."}}
            return FhirResponse(self.status, {"resourceType": "OperationOutcome", "issue": [issue]})
        return await self.store.handle(request)


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path, Contended).start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(patience, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.02)


@asynccontextmanager
async def before(server, *faults):
    """A proxy that does each of `faults` to one transaction, and then behaves."""
    left = list(faults)

    def choose(request):
        return left.pop(0) if left and request.method == "POST" and request.path == "/fhir" else ""

    async with FaultProxy("127.0.0.1", int(server.url.rpartition(":")[2]), choose) as proxy:
        yield proxy


@pytest.mark.parametrize("status", ["409", "412"])
@pytest.mark.parametrize("kind", ["create", "update"])
@pytest.mark.parametrize("by", ["line", "store"])
def test_a_no_that_nothing_explains_is_asked_again_and_written_once(server, tmp_path, status, kind, by):
    """Whoever says it: something before the gateway, or the store behind it. It was called lagret once, and was lost."""

    async def run():
        there = await made(server)
        body = bundle(pulse("BEB-18", value=71), pulse("BEB-18", value=72))
        if kind == "update":
            body = updating(there, 1, valueQuantity=quantity(71))
        if by == "store":
            server.gateway.service.left, server.gateway.service.status = 2, int(status)
        faults = [status, status] if by == "line" else []
        async with before(server, *faults) as proxy, outbox_at(tmp_path / "v", proxy.url, token_of(server)) as outbox:
            item = await outbox.commit(body, "Patient/BEB-18", ASKER, 8.0, bases={f"Observation/{there['id']}": there})
            assert item.state == "lagret"
            assert len({request.key for request, _ in proxy.seen if request.path == "/fhir" and request.body}) == 1
        if kind == "update":
            assert versions(server, there) == ["2", "1"]
        else:
            assert sorted(stored(server)) == [70, 71, 72]

    asyncio.run(run())


@pytest.mark.parametrize("status", [409, 412])
def test_one_that_goes_on_is_refused_in_sight_and_what_is_behind_it_goes_past(server, tmp_path, status):
    async def run():
        store = server.gateway.service
        store.left, store.status = TRIES, status
        async with outbox_at(tmp_path / "v", server.url, token_of(server)) as outbox:
            refused = outbox.commit(bundle(pulse("BEB-18", value=71)), "Patient/BEB-18", ASKER, 8.0)
            behind = outbox.commit(bundle(pulse("BEB-18", value=72)), "Patient/BEB-18", ASKER, 8.0)
            refused, behind = await asyncio.gather(refused, behind)
            assert (refused.state, behind.state) == ("avvist", "lagret")
            assert ("En annen skriver akkurat nå." in refused.problem.sentence) == (status == 409)
            again = await outbox.commit(refused.bundle, "Patient/BEB-18", ASKER, 8.0, replaces=refused.id)
            assert (again.state, outbox.items()) == ("lagret", ())
        assert sorted(stored(server)) == [71, 72]

    asyncio.run(run())


def test_a_409_about_what_a_colleague_has_changed_is_a_conflict(server, tmp_path):
    async def run():
        there = await made(server)
        server.store_put({**there, "valueQuantity": quantity(99)})
        async with (
            before(server, *["409"] * TRIES) as proxy,
            outbox_at(tmp_path / "v", proxy.url, token_of(server)) as outbox,
        ):
            body = updating(there, 1, valueQuantity=quantity(71))
            item = await outbox.commit(body, "Patient/BEB-18", ASKER, 8.0, bases={f"Observation/{there['id']}": there})
            assert (item.state, item.problem.code) == ("konflikt", "conflict")
            assert len((await outbox.conflicts())[0].resources) == 1

    asyncio.run(run())


def test_what_was_changed_is_gone_meanwhile_and_the_next_of_the_patient_is_written(server, tmp_path):
    async def run():
        there = await made(server)
        name, file = f"Observation/{there['id']}", tmp_path / "v"
        async with outbox_at(file, NOWHERE) as outbox:
            body = updating(there, 1, valueQuantity=quantity(71))
            await outbox.commit(body, "Patient/BEB-18", ASKER, 0.02, bases={name: there})
            await outbox.commit(bundle(pulse("BEB-18", value=72)), "Patient/BEB-18", ASKER, 0.02)
        deleting = server.store.handle(FhirRequest("DELETE", name))
        asyncio.run_coroutine_threadsafe(deleting, server.loop).result(5)
        async with outbox_at(file, server.url, token_of(server)) as outbox:
            await until(lambda: outbox.unsent() == 0)
            (refused,) = outbox.refused()
            assert (refused.state, refused.problem.code) == ("avvist", "resource-gone")
            assert "fjernet fra plattformen" in refused.problem.sentence
        assert stored(server) == [72]

    asyncio.run(run())


async def _no_outcome(self, key):
    return None


@pytest.mark.parametrize(
    ("path", "status", "code"), [("Observation/", 403, "access-denied"), ("?_tag=", 400, "rejected")]
)
def test_a_definite_no_to_a_question_is_not_asked_for_ever(server, tmp_path, monkeypatch, path, status, code):
    """The resource is closed to its author now; or the platform cannot be searched by tag, so that nobody knows."""
    asked = Client.get

    async def get(self, target, asker):
        if path in target:
            raise PlatformProblem(code, "Nei.", status=status)
        return await asked(self, target, asker)

    monkeypatch.setattr(Client, "get", get)
    monkeypatch.setattr(Client, "outcome", _no_outcome)

    async def run():
        there = await made(server)
        body = updating(there, 1, valueQuantity=quantity(71)) if status == 403 else bundle(pulse("BEB-18", value=71))
        async with (
            before(server, *["412"] * (1 if status == 403 else TRIES)) as proxy,
            outbox_at(tmp_path / "v", proxy.url, token_of(server)) as outbox,
        ):
            item = await outbox.commit(body, "Patient/BEB-18", ASKER, 8.0)
            assert (item.state, item.problem.code) == ("avvist", code)
            assert ("Se etter om det står der" in item.problem.advice) == (status == 400)
            monkeypatch.undo()
            after = await outbox.commit(bundle(pulse("BEB-18", value=72)), "Patient/BEB-18", ASKER, 8.0)
            assert after.state == "lagret"

    asyncio.run(run())


def test_a_set_that_was_half_found_is_not_lagret(server, tmp_path, monkeypatch):
    """The tag's search shows one of two: whatever that means, the other was never seen."""
    asked = Client.get

    async def get(self, target, asker):
        answer = await asked(self, target, asker)
        if "?_tag=" in target:
            answer.body["entry"] = [e for e in answer.body.get("entry", ()) if tag_place(e["resource"]) == "0"]
        return answer

    monkeypatch.setattr(Client, "get", get)
    monkeypatch.setattr(Client, "outcome", _no_outcome)

    async def run():
        async with (
            before(server, *["412-after"] * 2) as proxy,
            outbox_at(tmp_path / "v", proxy.url, token_of(server)) as outbox,
        ):
            body = bundle(pulse("BEB-18", value=71), pulse("BEB-18", value=72))
            item = await outbox.commit(body, "Patient/BEB-18", ASKER, 8.0)
            assert item.state == "lagret"
            assert [entry["resource"]["valueQuantity"]["value"] for entry in item.answer["entry"]] == [71, 72]

    asyncio.run(run())
    assert sorted(stored(server)) == [71, 72]


def tag_place(resource):
    return next(t["code"] for t in resource["meta"]["tag"] if t["system"] == "urn:workspace:entry")


# An answer that says no inside -----------------------------------------------------------------------------------------


CREATE = bundle(pulse("BEB-18"))
UPDATE = updating({**pulse("BEB-18"), "id": "o1"}, 1)
DONE = {"status": "201 Created", "location": "Observation/o1/_history/1"}


@pytest.mark.parametrize(
    ("asked", "entry", "good"),
    [
        (CREATE, {"response": DONE}, True),
        (CREATE, {"response": {"status": "200"}}, True),
        (CREATE, {"response": DONE, "resource": {"resourceType": "OperationOutcome"}}, True),
        (CREATE, {"response": {**DONE, "location": "http://x/fhir/Observation/o1/_history/1"}}, True),
        (CREATE, {"response": DONE, "resource": pulse("BEB-18", id="o1")}, True),
        (CREATE, {"response": {"status": "422 Unprocessable"}}, False),
        (CREATE, {"response": {"status": "500"}}, False),
        (CREATE, {"response": {"status": "2"}}, False),
        (CREATE, {"response": {}}, False),
        (CREATE, {}, False),
        (CREATE, {"resource": pulse("BEB-18", id="o1")}, False),
        (CREATE, {"response": {"status": "201", "location": "Patient/other/_history/1"}}, False),
        (CREATE, {"response": {"status": "201"}, "resource": {"resourceType": "Patient", "id": "o1"}}, False),
        (UPDATE, {"response": {"status": "200"}, "resource": pulse("BEB-18", id="o1")}, True),
        (UPDATE, {"response": {"status": "200"}, "resource": pulse("BEB-18", id="o2")}, False),
        (UPDATE, None, False),
    ],
)
def test_an_answer_is_one_when_each_entry_says_that_it_was_done(asked, entry, good):
    assert is_answer({"entry": [entry]}, asked) is good
    assert not is_answer({"entry": [entry, entry]}, asked)


def test_a_200_that_says_no_inside_is_asked_again_and_never_lagret(server, tmp_path, monkeypatch):
    sent = Client.transaction
    said = [{"response": {"status": "422 Nei"}}, {"response": {"status": "201", "location": "Patient/x"}}]

    async def transaction(self, body, key, asker, *, repeat=False):
        answer = await sent(self, body, key, asker) if not said else None
        if said:
            return type("Answer", (), {"body": {"resourceType": "Bundle", "entry": [said.pop(0)]}})
        return answer

    monkeypatch.setattr(Client, "transaction", transaction)

    async def run():
        async with outbox_at(tmp_path / "v", server.url, token_of(server)) as outbox:
            item = await outbox.commit(bundle(pulse("BEB-18", value=71)), "Patient/BEB-18", ASKER, 8.0)
            assert (item.state, said) == ("lagret", [])
            assert item.answer["entry"][0]["resource"]["id"]
        assert stored(server) == [71]

    asyncio.run(run())


# While the platform is known to be away ----------------------------------------------------------------------------------


def test_a_commit_waits_for_nothing_while_the_platform_is_known_to_be_away(server, tmp_path):
    async def run():
        away = [True]
        vault = await Vault.open(tmp_path / "v", KEY, SystemClock())
        async with before(server) as proxy:
            proxy.mute = True
            client = Client(endpoints(proxy.url), Tokens(token_of(server)))
            outbox = Outbox(vault, client, SystemClock(), user="Practitioner/tone", away=lambda: away[0])
            await outbox.start()
            began = time.monotonic()
            item = await outbox.commit(bundle(pulse("BEB-18", value=71)), "Patient/BEB-18", ASKER)
            assert (item.state, time.monotonic() - began < 1.0) == ("venter", True)
            assert await vault.run(lambda db: list(db.execute("SELECT state FROM outbox"))) == [("venter",)]
            await until(lambda: proxy.seen)  # it is tried all the same
            await outbox.close()
            await client.aclose()
        client = Client(endpoints(server.url), Tokens(token_of(server)))
        outbox = Outbox(vault, client, SystemClock(), user="Practitioner/tone", away=lambda: away[0])
        await outbox.start()
        await until(lambda: outbox.unsent() == 0)
        away[0] = False
        item = await outbox.commit(bundle(pulse("BEB-18", value=72)), "Patient/BEB-18", ASKER, 8.0)
        assert item.state == "lagret"
        await outbox.close()
        await client.aclose()
        await vault.close()
        assert stored(server) == [71, 72]

    asyncio.run(run())


# A pause that the platform has asked for ---------------------------------------------------------------------------------


def test_nobody_sends_while_the_platform_has_asked_for_a_pause(server, tmp_path):
    """One second by ``Retry-After``: a second that the test must wait."""

    async def run():
        async with before(server, "429") as proxy, outbox_at(tmp_path / "v", proxy.url, token_of(server)) as outbox:
            await outbox.commit(bundle(pulse("BEB-18", value=71)), "Patient/BEB-18", ASKER, 0.01)
            await until(lambda: outbox.pause.left > 0)
            began = time.monotonic()
            others = [
                outbox.commit(bundle(pulse(one, value=72)), f"Patient/{one}", ASKER) for one in ("BEB-19", "BEB-30")
            ]
            outbox.wake()
            assert [one.state for one in await asyncio.gather(*others)] == ["lagret", "lagret"]
            await until(lambda: outbox.unsent() == 0)
            assert time.monotonic() - began >= 0.8
            writes = [found for request, found in proxy.seen if request.path == "/fhir"]
            assert writes == ["429", "", "", ""]  # and none of them twice
        assert (stored(server), stored(server, "BEB-19"), stored(server, "BEB-30")) == ([71], [72], [72])

    asyncio.run(run())


def test_a_commit_in_a_pause_longer_than_its_wait_says_at_once_that_it_waits(tmp_path):
    async def run():
        async with outbox_at(tmp_path / "v", NOWHERE) as outbox:
            outbox.pause.asked_by(PlatformProblem("too-many", "Vent.", status=429, retry_after=30.0), 30.0)
            began = time.monotonic()
            item = await outbox.commit(bundle(pulse("BEB-18")), "Patient/BEB-18", ASKER)
            assert (item.state, time.monotonic() - began < 1.0) == ("venter", True)

    asyncio.run(run())


def test_only_what_is_said_of_the_platform_is_a_pause_for_all_and_the_longest_stands():
    now = [100.0]
    pause = Pause(lambda: now[0])
    for status, after in ((0, 5.0), (409, 5.0), (503, 0.0)):
        pause.asked_by(PlatformProblem("x", "Vent.", status=status, retry_after=after), 5.0)
    assert pause.left == 0
    pause.asked_by(PlatformProblem("x", "Vent.", status=503, retry_after=20.0), 20.0)
    pause.asked_by(PlatformProblem("x", "Vent.", status=429, retry_after=2.0), 2.0)
    assert pause.left == 20.0
    now[0] += 21
    assert pause.left == 0


# The courier ------------------------------------------------------------------------------------------------------------


async def left_there(server, file, *values):
    async with signed_in(server, file) as outbox:
        outbox.switch.there = False
        for patient, value in values:
            await outbox.commit(bundle(pulse(patient, value=value)), f"Patient/{patient}", ASKER, 0.02)


@pytest.mark.parametrize("times", [2, TRIES])
def test_the_courier_asks_again_after_a_409_and_leaves_to_the_author_what_goes_on(server, tmp_path, times):
    """The author's next sign-on sends it; nobody called it lagret, and what was behind it has gone."""

    async def run():
        file = tmp_path / "v.sqlite"
        await left_there(server, file, ("BEB-18", 71), ("BEB-18", 72))
        server.gateway.service.left = times
        async with nobody(server, file) as (courier, vault):
            for _ in range(min(times, TRIES - 1)):
                assert (await courier.deliver()).status == 409
                assert len(await left(vault)) == 2
            assert await courier.deliver() is None
            assert [state for _, state in await left(vault)] == ([] if times < TRIES else ["besvart"])
        assert stored(server) == ([71, 72] if times < TRIES else [72])
        async with signed_in(server, file) as outbox:
            await until(lambda: outbox.unsent() == 0)
            assert outbox.refused() == ()
        assert sorted(stored(server)) == [71, 72]

    asyncio.run(run())


def test_the_courier_keeps_the_pause_that_somebody_was_asked_for(server, tmp_path):
    async def run():
        await left_there(server, tmp_path / "v.sqlite", ("BEB-18", 71))
        async with nobody(server, tmp_path / "v.sqlite") as (courier, vaults):
            courier._pause.asked_by(PlatformProblem("too-many", "Vent.", status=429, retry_after=30.0), 30.0)
            assert (await courier.deliver()).code == "paused"
            assert [state for _, state in await left(vaults)] == ["venter"]
        async with nobody(server, tmp_path / "v.sqlite") as (courier, _):
            assert await courier.deliver() is None
        assert stored(server) == [71]

    asyncio.run(run())


def test_the_courier_deletes_nothing_for_a_200_that_says_no_inside(server, tmp_path, monkeypatch):
    async def sealed(self, content, key, envelope):
        return type("Answer", (), {"body": {"resourceType": "Bundle", "entry": [{"response": {"status": "422"}}]}})

    async def run():
        file = tmp_path / "v.sqlite"
        await left_there(server, file, ("BEB-18", 71))
        with monkeypatch.context() as said:
            said.setattr(Client, "sealed", sealed)
            async with nobody(server, file) as (courier, vault):
                assert (await courier.deliver()).code == "platform-malformed"
                assert [state for _, state in await left(vault)] == ["venter"]
        async with nobody(server, file) as (courier, vault):
            assert await courier.deliver() is None
        assert stored(server) == [71]

    asyncio.run(run())


# Behind the gateway --------------------------------------------------------------------------------------------------


def test_the_gateway_asks_the_store_again_after_a_clash_and_keeps_the_first_that_stands(server):
    tone, key, body = server.sign_in("tone"), str(uuid4()), bundle(pulse("BEB-18", value=71))
    server.gateway.service.left = 1
    assert tone.send(body, key).status_code == 409
    assert tone.get(f"/transactions/{key}").status_code == 404
    first = tone.send(body, key)
    assert first.status_code == 200
    assert tone.send(body, key).content == first.content
    assert tone.send(bundle(pulse("BEB-18", value=72)), key).status_code == 422
    assert stored(server) == [71]

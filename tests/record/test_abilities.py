"""What the platform says that it can do is read once, behind everything else, and again when it has been away."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.broker.conftest import Tokens, endpoints
from tests.gateway.conftest import Server
from workspace.cli import main
from workspace.record import abilities as abilities_module
from workspace.record.abilities import Abilities
from workspace.record.client import Client
from workspace.record.rows import ServiceState

TRANSACTIONS = "lagring av flere opplysninger samlet"


class Lesser:
    """The store, which can do fewer things for as long as `lesser`."""

    def __init__(self, store):
        self.store, self.lesser, self.asked, self.on_commit = store, False, 0, store.on_commit

    async def handle(self, request):
        answer = await self.store.handle(request)
        if request.path == "metadata":
            self.asked += 1
            rest = answer.body["rest"][0]
            rest["interaction"] = [] if self.lesser else rest["interaction"]
        return answer


@pytest.fixture
def server(tmp_path):
    (tmp_path / "platform").mkdir()
    made = Server(tmp_path / "platform", Lesser).start()
    yield made
    made.stop()


@asynccontextmanager
async def reading(server, monkeypatch, *, before=0.0):
    monkeypatch.setattr(abilities_module, "BEFORE", before)
    client = Client(endpoints(server.url), Tokens(server, "tone"))
    abilities, told = Abilities(client), []
    abilities.on_lacks(told.append)
    await abilities.start()
    try:
        yield abilities, told
    finally:
        await abilities.close()
        await client.aclose()


async def until(true):
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def light(state):
    return ServiceState("journalplattform", state, "", "strøm")


def test_it_is_asked_once_and_anew_when_the_platform_has_been_away(server, monkeypatch):
    behind = server.gateway.service

    async def run():
        async with reading(server, monkeypatch) as (abilities, told):
            await until(lambda: abilities.statement)
            abilities.served(light("ok"))
            abilities.served(light("treg"))
            abilities.served(light("ok"))
            await asyncio.sleep(0.1)
            assert (behind.asked, told) == (1, [()]), "slow is not away"
            behind.lesser = True
            abilities.served(light("nede"))
            abilities.served(light("ok"))
            await until(lambda: told[-1])
            assert (behind.asked, told) == (2, [(), (TRANSACTIONS,)])
            behind.lesser = False
            abilities.served(light("nede"))
            abilities.served(light("ok"))
            await until(lambda: not told[-1])

    asyncio.run(run())


def test_nothing_is_asked_at_the_start(server, monkeypatch):
    async def run():
        async with reading(server, monkeypatch, before=30.0) as (abilities, _):
            await asyncio.sleep(0.1)
            assert abilities.statement is None
            assert server.gateway.service.asked == 0

    asyncio.run(run())


def test_the_gateway_says_what_it_lets_through_and_no_more(server):
    told = httpx.get(f"{server.url}/fhir/metadata", trust_env=False).json()
    (rest,) = told["rest"]
    assert told["implementation"] == {"description": "Fjellheim", "url": f"{server.url}/fhir"}
    assert [each["code"] for each in rest["interaction"]] == ["transaction", "batch"], "no history of everything"
    kinds = {each["type"]: each for each in rest["resource"]}
    codes = {name: {each["code"] for each in one["interaction"]} for name, one in kinds.items()}
    assert "delete" not in set().union(*codes.values())
    assert {"create", "update"} <= codes["Observation"]
    lege = server.sign_in("lege")
    about = {"reference": "Patient/BEB-18"}
    for name, allowed in codes.items():
        body = {
            "resourceType": name,
            "subject": about,
            "patient": about,
            "for": about,
            "participant": [{"actor": about}],
        }
        if name == "Provenance":
            body["target"] = [{"reference": "Observation/puls-BEB-18"}]
        made = lege.http.post(f"/fhir/{name}", json=body, headers=lege.headers()).status_code
        assert (made == 403) == ("create" not in allowed), (name, made)
        found = lege.get(f"{name}?_count=1").status_code
        assert found == 200 or name == "AuditEvent", (name, found)
    for each in kinds["Observation"]["searchParam"]:
        assert each["name"]
    assert not [one for one in kinds["Encounter"]["searchRevInclude"] if one.partition(":")[0] not in kinds]
    assert lege.http.delete("/fhir/Observation/puls-BEB-18", headers=lege.headers()).status_code == 405


def test_doctor_says_what_the_configured_platform_lacks(server, tmp_path, capsys):
    profile = tmp_path / "profile"
    profile.mkdir()

    def told(platform):
        (profile / "settings.json").write_text(json.dumps({"platform": platform}))
        code = main(["doctor", "--profile", str(profile), "--json"])
        return code, json.loads(capsys.readouterr().out)["platform"]

    assert told(server.url) == (0, "har det arbeidsflaten trenger")
    server.gateway.service.lesser = True
    assert told(server.url) == (1, f"mangler {TRANSACTIONS}")
    assert told("")[0] == 0
    code, words = told("http://127.0.0.1:9")
    assert code == 1
    assert "Ingen svarer" in words

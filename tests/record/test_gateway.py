"""The record through the real gateway: access, live changes, own commits and the directory as the shell meets them."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import uuid4

import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.serving import PromptServer
from workspace.clock import OSLO, OffsetClock, SystemClock
from workspace.fhir.service import FhirRequest
from workspace.gateway.app import GatewaySettings, TokenCheck, gateway_app
from workspace.record.client import Asker, Client, PlatformProblem
from workspace.record.clocks import read_clock
from workspace.record.directory import Directory, Unit
from workspace.record.record import Record
from workspace.sandbox.fhir import Store

ISSUER = "http://127.0.0.1:1/identity"
NORDLYS = Asker(("nordlys.vitals@1.0.0",), "rom-1")
PULSES = "Observation?patient=Patient/BEB-18&category=vital-signs&_sort=-date&_count=50"


def to(reference):
    return {"reference": reference}


def home():
    yield {"resourceType": "Organization", "id": "fjellheim", "name": "Fjellheim"}
    for own, name in (("havblikk", "Havblikk"), ("fjellbris", "Fjellbris")):
        yield {"resourceType": "Organization", "id": own, "name": name, "partOf": to("Organization/fjellheim")}
    yield {"resourceType": "Practitioner", "id": "tone"}
    yield {
        "resourceType": "PractitionerRole",
        "id": "tone-havblikk",
        "practitioner": to("Practitioner/tone"),
        "organization": to("Organization/havblikk"),
        "code": [{"coding": [{"code": "sykepleier"}]}],
        "period": {"start": "2025-01-01"},
    }
    for own, unit, room in (("BEB-18", "havblikk", "210"), ("BEB-01", "fjellbris", "101")):
        yield {"resourceType": "Patient", "id": own, "name": [{"family": f"Navn{own[-2:]}"}]}
        yield {"resourceType": "Location", "id": f"rom-{room}", "name": room}
        yield {
            "resourceType": "Encounter",
            "id": f"{own}-opphold",
            "status": "in-progress",
            "class": {"code": "IMP"},
            "subject": to(f"Patient/{own}"),
            "location": [{"location": to(f"Location/rom-{room}")}],
            "serviceProvider": to(f"Organization/{unit}"),
        }


def pulse(patient, at, who="tone"):
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": to(f"Patient/{patient}"),
        "effectiveDateTime": f"2026-01-14T{at}:00+01:00",
        "performer": [to(f"Practitioner/{who}")],
        "valueQuantity": {"value": 72, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
    }


class Signed:
    """Tone, signed in with security level 4."""

    def __init__(self, key, audience):
        self.key, self.audience = key, audience

    async def access_token(self, *, force=False):
        now = int(SystemClock().real().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": self.audience,
            "sub": "tone",
            "iat": now,
            "exp": now + 300,
            "jti": uuid4().hex,
            "sid": "s1",
            "auth_time": now,
            "client_id": "workspace-shell",
            "scope": "openid",
            "name": "Tone Nilsen",
            "preferred_username": "tone",
            "fhirUser": "Practitioner/tone",
            "role": "sykepleier",
            "helseid://claims/identity/security_level": "4",
        }
        return jwt.encode({"alg": "RS256", "typ": "at+jwt", "kid": self.key.kid}, claims, self.key)


class Endpoints:
    def __init__(self, origin):
        self.fhir, self.changes = f"{origin}/fhir", f"{origin}/changes"
        self.audit, self.time = f"{origin}/audit", f"{origin}/time"


@asynccontextmanager
async def signed_in(folder):
    """(store, record, clock) of Tone, in front of a gateway on a port of its own."""
    clock = OffsetClock(datetime(2026, 1, 14, 14, 45, tzinfo=OSLO), time.monotonic())
    store = Store(folder / "fhir.sqlite", clock)
    await store.start()
    for each in home():
        await put(store, each)
    socket = uvicorn.Config("", host="127.0.0.1", port=0, log_level="error").bind_socket()
    origin = f"http://127.0.0.1:{socket.getsockname()[1]}"
    key = RSAKey.generate_key(2048, auto_kid=True)
    settings = GatewaySettings("Fjellheim", "1", True, ISSUER, "shell", origin, folder / "gateway.sqlite")
    check = TokenCheck(ISSUER, origin, clock, keys=lambda: {"keys": [key.as_dict(private=False)]})
    app = gateway_app(store, settings=settings, tokens=check, clock=clock, health=lambda: {"state": "ready"})
    await app.state.gateway.start()
    server = PromptServer(
        uvicorn.Config(app, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server._serve([socket]))
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    client = Client(Endpoints(origin), Signed(key, origin))
    try:
        own = (await read_clock(client)).clock
        record = Record(client, clock=own, user="Practitioner/tone")
        await record.start()
        try:
            yield store, record
        finally:
            await record.close()
    finally:
        await client.aclose()
        await app.state.gateway.close()
        server.should_exit = True
        await serving
        await store.close()


async def put(store, resource):
    path = f"{resource['resourceType']}/{resource['id']}"
    answer = await store.handle(FhirRequest("PUT", path, body=resource))
    assert answer.status < 300, answer.body


def test_a_colleagues_reading_and_an_own_one_are_live_through_the_gateway(tmp_path, until):
    async def run():
        async with signed_in(tmp_path) as (store, record):
            heard = []
            record.watch(PULSES, NORDLYS, heard.append)
            await until(lambda: heard)
            assert heard[0].whole.resources == ()
            await put(store, {**pulse("BEB-18", "14:30", "mia"), "id": "mias"})
            await until(lambda: len(heard) == 2)
            assert [row["id"] for _, row in heard[1].put] == ["mias"]
            entry = {"fullUrl": f"urn:uuid:{uuid4()}", "resource": pulse("BEB-18", "14:40")}
            entry["request"] = {"method": "POST", "url": "Observation"}
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
            answer = await record.client.transaction(bundle, str(uuid4()), NORDLYS)
            record.apply(answer.body)
            assert len(heard) == 3
            assert heard[2].put[0][0] == 0
            await put(store, {**pulse("BEB-18", "14:44", "mia"), "id": "mias-andre"})
            await until(lambda: len(heard) == 4)  # the feed's own word of ours was not told again
            assert heard[3].put[0][1]["id"] == "mias-andre"
            found = await record.search(PULSES, NORDLYS)
            assert [row["effectiveDateTime"][11:16] for row in found.resources] == ["14:44", "14:40", "14:30"]

    asyncio.run(run())


def test_the_shell_sees_only_the_units_and_residents_that_the_user_may(tmp_path, until):
    async def run():
        async with signed_in(tmp_path) as (_, record):
            directory = Directory(record, record.clock)
            assert await directory.units("Practitioner/tone") == [Unit("Organization/havblikk", "Havblikk")]
            (one,) = await directory.residents("Organization/havblikk")
            assert (one.patient, one.family, one.room) == ("Patient/BEB-18", "Navn18", "210")
            assert await directory.residents("Organization/fjellbris") == []
            with pytest.raises(PlatformProblem) as caught:
                await record.search("Observation?patient=Patient/BEB-01", NORDLYS)
            assert caught.value.status == 403
            heard = []
            live = directory.watch_banner("Patient/BEB-18", heard.append)
            await until(lambda: heard and not heard[-1].waiting)
            assert heard[-1].problem == ""
            assert heard[-1].resident.room == "210"
            live.close()

    asyncio.run(run())

"""A gateway over real HTTP: a store, a home with two units, tokens signed by a key of the test."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import uuid4

import httpx
import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.serving import PromptServer
from workspace.clock import OSLO, OffsetClock
from workspace.fhir.service import FhirRequest
from workspace.gateway.app import GatewaySettings, TokenCheck, gateway_app
from workspace.sandbox.fhir import Store

KEY = RSAKey.generate_key(2048, auto_kid=True)
STRANGE = RSAKey.generate_key(2048, auto_kid=True)
ISSUER = "http://127.0.0.1:1/identity"
PACKAGE = "nordlys.vitals@1.0.0"
ROLES = {"tone": "sykepleier", "lege": "sykehjemslege", "system": "systemansvarlig", "ombud": "personvernombud"}


def home():
    def unit(own, above=""):
        part = {"partOf": {"reference": f"Organization/{above}"}} if above else {}
        return {"resourceType": "Organization", "id": own, "name": own, **part}

    def post(who, where, code):
        return {
            "resourceType": "PractitionerRole",
            "id": f"{who}-{where}",
            "practitioner": {"reference": f"Practitioner/{who}"},
            "organization": {"reference": f"Organization/{where}"},
            "code": [{"coding": [{"code": code}]}],
            "period": {"start": "2025-01-01"},
        }

    found = [unit("fjellheim"), *(unit(u, "fjellheim") for u in ("fjellbris", "havblikk", "solsiden"))]
    found += [{"resourceType": "Practitioner", "id": who} for who in ROLES]
    found += [post("tone", "havblikk", "sykepleier"), post("tone", "solsiden", "sykepleier")]
    found += [post("lege", "fjellheim", "sykehjemslege"), post("system", "fjellheim", "systemansvarlig")]
    for patient, where in (
        ("BEB-01", "fjellbris"),
        ("BEB-18", "havblikk"),
        ("BEB-19", "havblikk"),
        ("BEB-30", "solsiden"),
    ):
        about = {"reference": f"Patient/{patient}"}
        found += [
            {"resourceType": "Patient", "id": patient, "name": [{"family": f"Navn{patient[-2:]}"}]},
            {
                "resourceType": "Encounter",
                "id": f"opphold-{patient}",
                "status": "in-progress",
                "class": {"code": "IMP"},
                "subject": about,
                "serviceProvider": {"reference": f"Organization/{where}"},
            },
            pulse(patient, "lege", id=f"puls-{patient}"),
        ]
    return found


def pulse(patient, who="tone", value=72, **more):
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-01-14T14:40:00+01:00",
        "performer": [{"reference": f"Practitioner/{who}"}],
        "valueQuantity": {"value": value, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
        **more,
    }


def bundle(*resources):
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:{uuid4()}",
                "resource": one,
                "request": {"method": "POST", "url": one["resourceType"]},
            }
            for one in resources
        ],
    }


class Person:
    """Somebody signed in: requests as the shell's client makes them."""

    def __init__(self, server, who, **claims):
        self.server, self.who = server, who
        self.http = httpx.Client(base_url=server.url, timeout=10, trust_env=False)
        self.token = server.token(who, **claims)

    def headers(self, **more):
        return {
            "Authorization": f"Bearer {self.token}",
            "X-Workspace-Package": PACKAGE,
            "X-Workspace-Context": "rom-1",
            "X-Workspace-Purpose": "TREAT",
            **more,
        }

    def get(self, path, **headers):
        return self.http.get(path if path.startswith("/") else f"/fhir/{path}", headers=self.headers(**headers))

    def ids(self, path):
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return {e["resource"]["id"] for e in answer.json().get("entry", ())}

    def send(self, body, key="", **headers):
        more = {"Idempotency-Key": key} if key else {}
        return self.http.post("/fhir", content=json.dumps(body), headers=self.headers(**more, **headers))

    def put(self, resource, **headers):
        path = f"/fhir/{resource['resourceType']}/{resource['id']}"
        return self.http.put(path, content=json.dumps(resource), headers=self.headers(**headers))


class Server:
    def __init__(self, folder, service=lambda store: store):
        self.folder = folder
        self.service = service  # what stands between gateway and store
        self.clock = OffsetClock(datetime(2026, 1, 14, 14, 45, tzinfo=OSLO), time.monotonic())
        self.ended = set()
        self.people = []
        self.url = ""

    def start(self):
        self.store = Store(self.folder / "fhir.sqlite", self.clock)
        service = self.service(self.store)
        socket = uvicorn.Config("", host="127.0.0.1", port=0).bind_socket()
        self.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        settings = GatewaySettings(
            "Fjellheim", "311000101", True, ISSUER, "arbeidsflaten", self.url, self.folder / "gateway.sqlite"
        )
        tokens = TokenCheck(
            ISSUER,
            self.url,
            self.clock,
            keys=lambda: {"keys": [KEY.as_dict(private=False)]},
            ended=self.ended.__contains__,
        )
        inner = gateway_app(
            service, settings=settings, tokens=tokens, clock=self.clock, health=lambda: {"state": "ready"}
        )
        self.gateway = inner.state.gateway

        @asynccontextmanager
        async def lifespan(app):
            await self.store.start()
            entries = [
                {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}} for r in home()
            ]
            if not (self.folder / "seeded").exists():
                body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
                assert (await self.store.handle(FhirRequest("POST", "", body=body))).status == 200
                (self.folder / "seeded").touch()
            await self.gateway.start()
            self.loop = asyncio.get_running_loop()
            yield
            await self.gateway.close()
            await self.store.close()

        app = Starlette(routes=[Mount("/", inner)], lifespan=lifespan)
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2, ws="none")
        self.uvicorn = PromptServer(config)
        self.thread = threading.Thread(target=self.uvicorn.run, args=([socket],), name="gateway-under-test")
        self.thread.start()
        deadline = time.monotonic() + 10
        while not self.uvicorn.started and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.uvicorn.started
        self.socket = socket
        return self

    def stop(self):
        for person in self.people:
            person.http.close()
        self.people.clear()
        self.uvicorn.should_exit = True
        self.thread.join(10)
        self.socket.close()
        assert not self.thread.is_alive()

    def restart(self):
        self.stop()
        self.start()

    def call(self, work):
        """Do `work` on the server's loop."""
        done = threading.Event()
        self.loop.call_soon_threadsafe(lambda: (work(), done.set()))
        assert done.wait(5)

    def store_put(self, resource):
        """Write past the gateway, as another system of the platform would."""
        path = f"{resource['resourceType']}/{resource['id']}"
        request = FhirRequest("PUT", path, body=resource)
        answer = asyncio.run_coroutine_threadsafe(self.store.handle(request), self.loop).result(5)
        assert answer.status in (200, 201), answer.body

    def sql(self, statement):
        """Change the gateway's own file while it is stopped."""
        self.stop()
        connection = sqlite3.connect(self.folder / "gateway.sqlite")
        with connection:
            connection.execute(statement)
        connection.close()
        self.start()

    def token(self, who, *, key=KEY, header=None, **claims):
        now = int(time.time())
        held = {
            "iss": ISSUER,
            "aud": self.url,
            "sub": f"sub-{who}",
            "name": who.capitalize(),
            "fhirUser": f"Practitioner/{who}",
            "role": ROLES[who],
            "sid": f"sid-{who}",
            "helseid://claims/identity/security_level": "4",
            "iat": now,
            "exp": now + 300,
            **claims,
        }
        return jwt.encode({"alg": "RS256", "typ": "at+jwt", "kid": key.kid, **(header or {})}, held, key)

    def sign_in(self, who, **claims):
        person = Person(self, who, **claims)
        self.people.append(person)
        return person

    def log(self, query="_count=500"):
        """Every AuditEvent there is, read past the gateway."""
        person = self.sign_in("ombud", sid=f"sid-{uuid4()}")
        deadline, before = time.monotonic() + 2, -1
        while time.monotonic() < deadline:
            found = person.get(f"AuditEvent?{query}").json().get("entry", [])
            if len(found) == before:
                break
            before = len(found)
            time.sleep(0.15)
        return [e["resource"] for e in found]


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path).start()
    yield made
    made.stop()


@pytest.fixture
def tone(server):
    return server.sign_in("tone")

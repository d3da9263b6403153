"""A platform that does not say whether it wrote: the log is completed, and whoever asks again is told."""

from __future__ import annotations

import asyncio
import threading
import time
from uuid import uuid4

import pytest

from tests.gateway.conftest import Server, bundle, pulse
from workspace.fhir.service import FhirResponse
from workspace.gateway import intents


class Unsure:
    """The store, but for a while it does what it is asked and answers that it failed, or takes its time."""

    def __init__(self, store):
        self.store, self.unsure, self.slow = store, 0, threading.Event()
        self.slow.set()
        self.on_commit = store.on_commit

    async def handle(self, request):
        kinds = {(e.get("resource") or {}).get("resourceType") for e in (request.body or {}).get("entry", [])}
        written = (request.method == "POST" and "Observation" in kinds) or request.path == "Observation"
        answer = await self.store.handle(request)
        if written and request.method == "POST":
            await asyncio.to_thread(self.slow.wait, 20)
            if self.unsure:
                self.unsure -= 1
                return FhirResponse(504, {"resourceType": "OperationOutcome", "issue": []})
        return answer


@pytest.fixture
def unsure(tmp_path, monkeypatch):
    monkeypatch.setattr(intents, "RETRY_SECONDS", 0.2)
    server = Server(tmp_path, Unsure).start()
    yield server
    server.gateway.service.slow.set()
    server.stop()


def created(server):
    return [e for e in server.log() if e["action"] == "C"]


def eventually(holds):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("bundled", [True, False])
def test_what_was_written_in_spite_of_a_failure_is_logged_once(unsure, bundled):
    tone, key = unsure.sign_in("tone"), str(uuid4())
    body = bundle(pulse("BEB-18", value=91)) if bundled else pulse("BEB-18", value=91)
    unsure.gateway.service.unsure = 1
    if bundled:
        assert tone.send(body, key).status_code == 504
    else:
        assert tone.http.post("/fhir/Observation", json=body, headers=tone.headers()).status_code == 504
    eventually(lambda: len(created(unsure)) == 1)
    if bundled:
        assert tone.get(f"/transactions/{key}").json()["status"] == 200
        assert tone.send(body, key).status_code == 200
    assert len(created(unsure)) == 1
    assert len(tone.ids("Observation?patient=BEB-18")) == 2


def test_a_write_that_is_under_way_is_said_to_be(unsure):
    tone, key = unsure.sign_in("tone"), str(uuid4())
    unsure.gateway.service.slow.clear()
    answers = []
    sending = threading.Thread(target=lambda: answers.append(tone.send(bundle(pulse("BEB-18")), key)))
    sending.start()
    asking = unsure.sign_in("tone")
    eventually(lambda: asking.get(f"/transactions/{key}").status_code == 202)
    waiting = asking.get(f"/transactions/{key}")
    assert (waiting.json(), waiting.headers["retry-after"]) == ({"key": key, "status": None}, "1")
    unsure.gateway.service.slow.set()
    sending.join(10)
    assert answers[0].status_code == 200
    assert asking.get(f"/transactions/{key}").json()["body"] == answers[0].json()

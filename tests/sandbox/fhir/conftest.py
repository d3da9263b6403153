from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from workspace.clock import OSLO, OffsetClock
from workspace.fhir.service import FhirRequest
from workspace.sandbox.fhir import Store


class Bench:
    """A store in a folder of its own, asked in plain calls from a test that is not async."""

    def __init__(self, path):
        self.path = path
        self.clock = OffsetClock(datetime(2026, 1, 14, 14, 45, tzinfo=OSLO), 0.0, 0.0)
        self.runner = asyncio.Runner()
        self.store = Store(path, self.clock)
        self.run(self.store.start())

    def run(self, work):
        return self.runner.run(work)

    def ask(self, method, path, body=None, **headers):
        path, _, query = path.partition("?")
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return self.run(self.store.handle(FhirRequest(method, path, query, named, body)))

    def put(self, kind, own, **content):
        answer = self.ask("PUT", f"{kind}/{own}", {"resourceType": kind, "id": own, **content})
        assert answer.status in (200, 201), answer.body
        return answer

    def ids(self, query):
        answer = self.ask("GET", query)
        assert answer.status == 200, answer.body
        return [each["resource"]["id"] for each in answer.body.get("entry", [])]

    def found(self, query):
        return set(self.ids(query))

    def reopen(self):
        self.run(self.store.close())
        self.store = Store(self.path, self.clock)
        self.run(self.store.start())

    def end(self):
        self.run(self.store.close())
        self.runner.close()


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path / "fhir.sqlite")
    yield made
    made.end()

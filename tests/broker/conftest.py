"""A broker before a real gateway: everything between a panel's request and the store, in one test's folder."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from tests.gateway.conftest import Server
from workspace.broker import context
from workspace.broker.broker import Broker
from workspace.broker.grant import Grant
from workspace.record.client import Client
from workspace.record.drafts import Drafts
from workspace.record.outbox import Outbox
from workspace.record.record import Record
from workspace.vault.vault import Vault

ALL = (
    "patient/Observation.crus",
    "patient/Patient.rs",
    "patient/Composition.crus",
    "patient/Provenance.crs",
    "patient/Practitioner.rs",
)


class Tokens:
    def __init__(self, server, who):
        self.server, self.who = server, who

    async def access_token(self, *, force=False):
        return self.server.token(self.who)


def endpoints(origin):
    return SimpleNamespace(
        fhir=f"{origin}/fhir", changes=f"{origin}/changes", audit=f"{origin}/audit", time=f"{origin}/time"
    )


def grant(where, *scopes, instance="i1"):
    return Grant("nordlys.vitals", "1.0.0", "Nordlys Helse", scopes or ALL, instance, where)


@asynccontextmanager
async def _working(server, who="tone", origin=""):
    """(broker, its parts) of somebody signed in; all of it closed again."""
    client = Client(endpoints(origin or server.url), Tokens(server, who))
    user = f"Practitioner/{who}"
    vault = await Vault.open(None, None, server.clock)
    record = Record(client, clock=server.clock, user=user)
    drafts = Drafts(vault, server.clock, tenant="311000101", user=user)
    outbox = Outbox(vault, client, server.clock, user=user, delivered=record.apply)
    broker = Broker(record, outbox, drafts, client, server.clock, user=user, tenant="311000101")
    await asyncio.gather(record.start(), drafts.start(), outbox.start())
    try:
        yield broker
    finally:
        await broker.close()
        await record.close()
        await outbox.close()
        await drafts.close()
        await client.aclose()
        await vault.close()


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path).start()
    yield made
    made.stop()


@pytest.fixture
def working():
    """``async with working(server) as broker``."""
    return _working


@pytest.fixture
def room():
    """A grant for BEB-18 with wide scopes."""
    return grant(context.for_patient("Patient/BEB-18"))


@pytest.fixture
def until():
    async def wait(true, seconds=5.0):
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    return wait

"""What leaves this person's sight leaves the screen, and what is kept for when the platform is away."""

from __future__ import annotations

import asyncio

import pytest

from tests.gateway.conftest import pulse
from tests.gateway.test_restrictions import bed
from tests.record.test_offline import NOWHERE, PULSES, UNIT, about, keep, until, values, working
from workspace.access.protection import PROTECTION
from workspace.record import offline as offline_module


@pytest.mark.parametrize("into", ["BEB-19", "BEB-01"], ids=["hers too", "a stranger"])
def test_a_reading_that_is_moved_to_another_patient_leaves_this_chart(server, tmp_path, into):
    async def run():
        async with working(server, tmp_path / "p") as broker:
            heard = []
            broker.watch(about(), PULSES, heard.append)
            await until(lambda: heard and heard[-1].whole)
            server.store_put({**pulse(into, "lege"), "id": "puls-BEB-18"})
            await until(lambda: heard[-1].gone == ("Observation/puls-BEB-18",))
            assert values(await broker.search(about(), PULSES)) == []

    asyncio.run(run())


@pytest.fixture
def _at_once(monkeypatch):
    """Copies are made without waiting for anybody."""
    monkeypatch.setattr(offline_module, "BETWEEN", 0.0)
    monkeypatch.setattr(offline_module, "BEFORE", 0.0)


def furnish(server):
    """BEB-18 lives in room 210."""
    server.store_put({"resourceType": "Location", "id": "rom-210", "name": "210"})
    server.store_put(bed("BEB-18", "havblikk", "rom-210"))


def protect(server):
    protected = {"security": [{"system": PROTECTION, "code": "strengt-fortrolig"}]}
    server.store_put({"resourceType": "Patient", "id": "BEB-18", "name": [{"family": "Navn18"}], "meta": protected})


def room(residents):
    return next(one.room for one in residents if one.patient == "Patient/BEB-18")


@pytest.mark.usefixtures("_at_once")
def test_the_room_of_whom_is_protected_from_now_on_leaves_the_lists_and_the_copies(server, tmp_path):
    furnish(server)

    async def run():
        async with working(server, tmp_path / "p") as broker:
            await keep(broker)
            told = []
            broker.directory.watch_residents(UNIT, told.append)
            await until(lambda: told and room(told[-1]) == "210")
            copied, broker.offline.copied = broker.offline.copied, ""
            assert copied
            protect(server)
            await until(lambda: room(told[-1]) == "")
            await until(lambda: broker.offline.copied)  # anew, long before the next round
        async with working(server, tmp_path / "p", origin=NOWHERE) as broker:
            assert room(await broker.directory.residents(UNIT)) == ""

    asyncio.run(run())

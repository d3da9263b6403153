"""What is read while the platform is away is never older than what this workstation was told, and says from when it is."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.broker.test_broker import refused
from tests.faults.proxy import FaultProxy
from tests.gateway.conftest import pulse
from tests.record.test_offline import NOWHERE, PULSES, about, keep, until, values, working
from workspace.fhir.service import FhirRequest
from workspace.record import offline as offline_module
from workspace.record.rows import Changed
from workspace.record.seen import Seen

PULSE = "Observation/puls-BEB-18"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(offline_module, "BETWEEN", 0.0)
    monkeypatch.setattr(offline_module, "BEFORE", 0.0)


@asynccontextmanager
async def cuttable(server, folder):
    """A workstation behind a line that `cut()` takes away."""
    port = int(server.url.rpartition(":")[2])
    async with FaultProxy("127.0.0.1", port) as proxy, working(server, folder, origin=proxy.url) as broker:

        async def cut():
            proxy.down = True
            await proxy.hang_up()

        yield broker, cut


async def watched(broker, query=PULSES):
    heard = []
    broker.watch(about(), query, heard.append)
    await until(lambda: heard and heard[-1].whole)
    return heard


async def take_away(server, how):
    if how == "moved to a stranger":
        server.store_put({**pulse("BEB-01", "lege"), "id": "puls-BEB-18"})
    elif how == "deleted":
        gone = asyncio.run_coroutine_threadsafe(server.store.handle(FhirRequest("DELETE", PULSE)), server.loop)
        await asyncio.wrap_future(gone)
    else:
        server.store_put({**pulse("BEB-18", "lege"), "id": "puls-BEB-18", "status": how})


@pytest.mark.parametrize("how", ["entered-in-error", "deleted", "moved to a stranger"])
def test_what_was_taken_back_since_it_was_copied_is_read_as_a_fact_by_no_road(server, tmp_path, how):
    async def run():
        async with cuttable(server, tmp_path / "p") as (broker, cut):
            await keep(broker)
            heard = await watched(broker)
            await broker.offline._stop()  # no newer copy
            await take_away(server, how)
            await until(lambda: PULSE in heard[-1].gone)
            kept = next(iter(broker._record._queries.texts("Observation")))
            assert (await broker.offline.load(kept)).matches == ()
            assert await broker.offline.of("Observation", "Patient/BEB-18") == ()
            await cut()
            assert await refused(broker.read(about(), PULSE)) == "unavailable"

    asyncio.run(run())


@pytest.mark.parametrize("how", ["deleted", "moved to a stranger"])
def test_what_is_gone_is_in_no_copy_that_a_later_session_reads(server, tmp_path, how):
    async def run():
        async with working(server, tmp_path / "p") as broker:
            await keep(broker)
            heard = await watched(broker)
            await broker.offline._stop()
            await take_away(server, how)
            await until(lambda: PULSE in heard[-1].gone)
        async with working(server, tmp_path / "p", origin=NOWHERE) as broker:
            assert values(await broker.search(about(), PULSES)) == []

    asyncio.run(run())


@pytest.mark.parametrize("status", ["final", "entered-in-error"])
def test_a_reading_that_is_opened_is_the_one_on_the_screen_not_that_of_an_outdated_result(server, tmp_path, status):
    async def run():
        async with cuttable(server, tmp_path / "p") as (broker, cut):
            first = "Observation?category=vital-signs&_sort=-date&_include=Observation:performer"
            await broker.search(about(), first)  # by nobody who watches: what outdates it is not fetched
            heard = await watched(broker)
            server.store_put(pulse("BEB-18", "tone", 80, id="ny"))
            await until(lambda: any(row["id"] == "ny" for one in heard for _, row in one.put))
            told = len(heard)
            server.store_put({**pulse("BEB-18", "lege", 140), "id": "puls-BEB-18", "status": status})
            await until(lambda: len(heard) > told)
            await cut()
            if status == "final":
                assert (await broker.read(about(), PULSE))["valueQuantity"]["value"] == 140
            else:
                assert await refused(broker.read(about(), PULSE)) == "unavailable"

    asyncio.run(run())


def test_a_panel_that_is_opened_meanwhile_says_from_when_its_rows_are_as_the_one_beside_it_does(server, tmp_path):
    async def run():
        async with cuttable(server, tmp_path / "p") as (broker, cut):
            heard, late = await watched(broker), []
            await cut()
            await until(lambda: heard[-1].error)
            (live,) = broker._record._queries._lives.values()
            assert live.problem is None, "nobody has asked since"
            broker.watch(about(), PULSES, late.append)
            await until(lambda: late)
            assert (late[0].error, late[0].code) == (heard[-1].error, "platform-unreachable")
            assert values(late[0].whole) == [72]

    asyncio.run(run())


def told(version, **more):
    meta = {"versionId": str(version), "lastUpdated": f"2026-01-14T12:0{version}:00+01:00"}
    return {"resourceType": "Observation", "id": "a", "status": "final", "meta": meta, **more}


def test_what_was_told_before_everything_was_fetched_anew_counts_until_the_platform_has_answered():
    seen, first, second = Seen(), told(1), told(2)
    seen.is_new(Changed("Observation", "a", 2, second))
    assert (seen.outdates(first), seen.ended(first), seen.outdates(second)) == (True, False, False)
    seen.clear()
    assert seen.outdates(first)
    seen.answered([first])  # a backup was restored
    assert not seen.outdates(first)
    assert seen.is_new(Changed("Observation", "a", 2, None))
    assert seen.ended(first)


def test_versions_that_are_no_numbers_outdate_each_other_by_when_they_were_written():
    seen, first, second = Seen(), told(1), told(2)
    first["meta"]["versionId"], second["meta"]["versionId"] = "x", "y"
    seen.is_new(Changed("Observation", "a", 0, second))
    assert seen.outdates(first)
    assert not seen.outdates(second)

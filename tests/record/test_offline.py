"""Without the platform the chosen unit stays readable, with its age, for 72 hours, and for nobody it is not meant for."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from tests.broker.conftest import Tokens, endpoints, grant
from tests.broker.test_broker import one_pulse, refused
from tests.faults.proxy import FaultProxy
from tests.gateway.conftest import pulse
from tests.gateway.test_restrictions import close
from workspace.broker import context
from workspace.broker.broker import Broker
from workspace.clock import OSLO, OffsetClock
from workspace.fhir.search import format_query, parse_query
from workspace.problem import Problem
from workspace.record import feed as feed_module
from workspace.record import offline as offline_module
from workspace.record import record as record_module
from workspace.record.client import Client
from workspace.record.directory import Directory
from workspace.record.drafts import Drafts
from workspace.record.live import page_of
from workspace.record.offline import Offline
from workspace.record.outbox import Outbox
from workspace.record.record import Record
from workspace.vault.people import Vaults
from workspace.vault.vault import Vault

KEY = bytes(range(32))
NOWHERE = "http://127.0.0.1:9"
PULSES = "Observation?code=8867-4&_sort=-date"
UNIT, PATIENTS = "Organization/havblikk", ("Patient/BEB-18", "Patient/BEB-19")


class Later(OffsetClock):
    """The home's clock on a machine that is some days further."""

    ahead = timedelta()

    def real(self):
        return super().real() + self.ahead


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(offline_module, "BETWEEN", 0.0)
    monkeypatch.setattr(offline_module, "BEFORE", 0.0)
    monkeypatch.setattr(record_module, "FIRST_HELLO", 0.2)


@asynccontextmanager
async def working(server, profile, *, origin="", who="tone", days=0):
    client = Client(endpoints(origin or server.url), Tokens(server, who))
    user = f"Practitioner/{who}"
    clock = Later(server.clock.anchor, server.clock.at)
    clock.ahead = timedelta(days=days)
    vaults = await Vaults.open(profile, KEY, clock)
    vault = await vaults.open_for("311000101", user)
    record = Record(client, clock=clock, user=user)
    offline = Offline(vault, client, clock, user=user, vaults=vaults)
    drafts = Drafts(vault, clock, tenant="311000101", user=user)
    outbox = Outbox(vault, client, clock, user=user, delivered=record.apply)
    broker = Broker(record, outbox, drafts, client, clock, user=user, tenant="311000101", offline=offline, vault=vault)
    await asyncio.gather(record.start(), outbox.start(), offline.start())
    broker.directory = Directory(record, clock)
    broker.vaults = vaults
    try:
        yield broker
    finally:
        await broker.close()
        await record.close()
        await outbox.close()
        await client.aclose()
        await vaults.close()


def about(patient="Patient/BEB-18"):
    return grant(context.for_patient(patient))


async def keep(broker, patients=PATIENTS, unit=UNIT):
    await broker.keep_offline(unit, patients, [(about(), PULSES)], broker.directory.offline_queries(unit, patients))
    async with asyncio.timeout(15):
        while not broker.offline.copied:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def until(true, seconds=10.0):
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_what_exists_in_what_is_kept_is_asked_about_though_no_panel_shows_it(server, tmp_path):
    async def run():
        profile = tmp_path / "profile"
        async with working(server, profile) as broker:
            await keep(broker)
        async with working(server, profile, origin=NOWHERE) as broker:
            asked = []

            async def ask(found):
                asked.append([(one.reference, one.existing) for one in found])

            broker.on_duplicates(ask)
            assert await refused(broker.commit(about(), [one_pulse(81)])) == "exists"
            assert asked == [[("Observation/puls-BEB-18", "Måling 72 /min")]]
            assert (await broker.commit(about("Patient/BEB-30"), [one_pulse(81, "BEB-30")])).state == "venter", (
                "nothing is kept of her"
            )

    asyncio.run(run())


def test_what_has_gone_from_the_screen_since_it_was_copied_is_not_asked_about(server, tmp_path):
    async def run():
        port = int(server.url.rpartition(":")[2])
        async with FaultProxy("127.0.0.1", port) as proxy, working(server, tmp_path / "p", origin=proxy.url) as broker:
            await keep(broker)
            heard, asked = [], []
            broker.watch(about(), PULSES, heard.append)
            await until(lambda: heard)
            await broker.offline._stop()  # no newer copy
            wrong = {**(await broker.read(about(), "Observation/puls-BEB-18")), "status": "entered-in-error"}
            server.store_put(wrong)
            await until(lambda: any("Observation/puls-BEB-18" in change.gone for change in heard))

            async def ask(found):
                asked.append(found)

            broker.on_duplicates(ask)
            proxy.down = True
            await proxy.hang_up()
            assert (await broker.commit(about(), [one_pulse(81)])).state == "venter"
            assert asked == []

    asyncio.run(run())


def values(found):
    return [row["valueQuantity"]["value"] for row in found.resources]


def test_a_unit_is_readable_without_the_platform_with_its_age_and_writes_queue(server, tmp_path):
    async def run():
        profile = tmp_path / "profile"
        async with working(server, profile) as broker:
            await keep(broker)
        server.store_put(pulse("BEB-18", "lege", 99, id="etterpaa"))
        assert b"Navn18" not in b"".join(one.read_bytes() for one in profile.rglob("*") if one.is_file())
        async with working(server, profile, origin=NOWHERE) as broker:
            for patient in PATIENTS:  # nobody had opened either of them
                found = await broker.search(about(patient), PULSES)
                assert values(found) == [72]
                assert found.fetched.startswith("2026-01-14T14:4")
            heard = []
            broker.watch(about(), PULSES, heard.append)
            async with asyncio.timeout(8):
                while not heard:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert values(heard[0].whole) == [72]
            assert "14.01. kl. 14:4" in heard[0].error
            assert (await broker.read(about(), "Observation/puls-BEB-18"))["id"] == "puls-BEB-18"
            names = [one.family for one in await broker.directory.residents(UNIT)]
            assert names == ["Navn18", "Navn19"]
            receipt = await broker.commit(about(), [one_pulse(81)])
            assert receipt.state == "venter"
            with pytest.raises(Problem):
                await broker.search(about("Patient/BEB-30"), PULSES)  # another unit: never kept

    asyncio.run(run())


def test_a_pulled_cable_shows_the_copy_at_once_and_after_two_seconds_when_nobody_knows_yet(
    server, tmp_path, monkeypatch
):
    """No connection is refused and none ends: nothing is ever answered."""
    monkeypatch.setattr(feed_module, "PULSE", 0.3)
    monkeypatch.setattr(feed_module, "ANSWER", 0.3)

    async def run():
        file = tmp_path / "v.sqlite"
        async with working(server, file) as broker:
            units = await broker.directory.units("Practitioner/tone")
            await keep(broker)
        async with FaultProxy("127.0.0.1", int(server.url.rpartition(":")[2])) as proxy:  # noqa: SIM117
            async with working(server, file, origin=proxy.url) as broker:
                states, heard = [], []
                broker._record.on_service(lambda state: states.append(state.state))
                proxy.mute = True
                began = time.monotonic()
                assert values(await broker.search(about(PATIENTS[1]), PULSES)) == [72]  # asked before the light knows
                assert time.monotonic() - began < 10.0  # the aim is two; the request itself ends after thirty
                await until(lambda: states[-1] == "nede")
                began = time.monotonic()
                broker.watch(about(), PULSES, heard.append)
                assert values(await broker.search(about(), PULSES)) == [72]
                assert (await broker.read(about(), "Observation/puls-BEB-18"))["id"] == "puls-BEB-18"
                assert (await broker.read(about(PATIENTS[1]), "Observation/puls-BEB-19"))["id"] == "puls-BEB-19"
                assert [one.family for one in await broker.directory.residents(UNIT)] == ["Navn18", "Navn19"]
                assert await broker.directory.units("Practitioner/tone") == units
                assert time.monotonic() - began < 2.0
                assert values(heard[0].whole) == [72]
                assert "14.01. kl. 14:4" in heard[0].error
                server.store_put(pulse("BEB-18", "lege", 99, id="etterpaa"))
                proxy.mute = False  # it has been asked all the while
                await until(
                    lambda: heard[-1].whole is not None and 99 in values(heard[-1].whole) and not heard[-1].error
                )

    asyncio.run(run())


def test_a_clock_that_jumps_gives_no_copy_more_than_72_hours(tmp_path):
    async def run():
        clock = Later(datetime(2026, 1, 14, 14, 45, tzinfo=OSLO), 0.0)
        vault = await Vault.open(tmp_path / "v.sqlite", KEY, clock)
        offline = Offline(vault, None, clock, user="Practitioner/tone")
        query = parse_query("Observation?patient=Patient/p")
        text, page = format_query(query), page_of(query, [{"resourceType": "Observation", "id": "a"}])

        async def after(**ahead):
            clock.ahead = timedelta(**ahead)
            return await offline.load(text) is not None

        try:
            await offline.save(text, page)
            assert await after(hours=71)
            assert await after(hours=70, minutes=58)  # a clock is set right by a little now and then
            assert not await after(days=-300)
            await offline.save(text, page)  # with the clock as it is now
            assert await after(days=-299)
            await after(days=365)
            await offline.save(text, page)
            assert await after(days=366)
            assert not await after(days=100)  # it had been a year ahead
            assert not await after(days=366)  # nor is it readable again when that day comes
        finally:
            await vault.close()

    asyncio.run(run())


def test_what_came_beside_an_answer_is_found_too(tmp_path):
    async def run():
        clock = Later(datetime(2026, 1, 14, 14, 45, tzinfo=OSLO), 0.0)
        vault = await Vault.open(tmp_path / "v.sqlite", KEY, clock)
        offline = Offline(vault, None, clock, user="Practitioner/tone")
        try:
            for text, kind, beside in (
                (
                    "MedicationRequest?_include=MedicationRequest:medication",
                    "MedicationRequest",
                    ("Medication", "paracet"),
                ),
                ("Encounter?_revinclude=Observation:encounter", "Encounter", ("Observation", "puls")),
                ("Observation?code=x", "Observation", ("Device", "a")),
            ):
                rows = [{"resourceType": kind, "id": "a"}]
                beside = [{"resourceType": beside[0], "id": beside[1]}]
                await offline.save(text, page_of(parse_query(text), rows, beside))
            for name in ("Medication/paracet", "Observation/puls", "MedicationRequest/a", "Observation/a"):
                found = await offline.find(name)
                assert f"{found['resourceType']}/{found['id']}" == name
            assert await offline.find("Medication/a") is None
        finally:
            await vault.close()

    asyncio.run(run())


def test_it_ends_after_72_hours_and_at_once_when_told(server, tmp_path):
    async def run():
        profile = tmp_path / "profile"
        async with working(server, profile) as broker:
            await keep(broker)
        async with working(server, profile, origin=NOWHERE, days=2) as broker:
            assert values(await broker.search(about(), PULSES)) == [72]
        async with working(server, profile, origin=NOWHERE, days=4) as broker:
            with pytest.raises(Problem) as caught:
                await broker.search(about(), PULSES)
            assert caught.value.code == "unavailable"
        async with working(server, profile) as broker:
            await keep(broker)
            await broker.offline.wipe()
        async with working(server, profile, origin=NOWHERE) as broker:
            with pytest.raises(Problem):
                await broker.search(about(), PULSES)

    asyncio.run(run())


def test_it_is_for_its_own_user_and_for_who_lives_in_the_unit_now(server, tmp_path):
    async def run():
        profile = tmp_path / "profile"
        async with working(server, profile) as broker:
            await keep(broker)
        async with working(server, profile, origin=NOWHERE, who="lege") as broker:
            with pytest.raises(Problem):
                await broker.search(about(), PULSES)
        async with working(server, profile) as broker:
            await keep(broker, PATIENTS[:1])  # the other one has moved out
        async with working(server, profile, origin=NOWHERE) as broker:
            assert values(await broker.search(about(), PULSES)) == [72]
            with pytest.raises(Problem):
                await broker.search(about(PATIENTS[1]), PULSES)
            await broker.offline.only_units(["Organization/solsiden"])  # no longer her unit
        async with working(server, profile, origin=NOWHERE) as broker:
            with pytest.raises(Problem):
                await broker.search(about(), PULSES)

    asyncio.run(run())


def test_what_is_too_old_goes_from_a_colleagues_vault_too_and_a_wipe_takes_everybodys(server, tmp_path):
    async def run():
        profile = tmp_path / "profile"
        async with working(server, profile) as broker:
            await keep(broker)
            kept = await copies(broker.offline._vault)
        async with working(server, profile, who="lege", days=2) as broker:
            (tone,) = await broker.vaults.others(than=broker.offline._vault)
            await asyncio.sleep(0.2)  # nothing is too old yet
            async with broker.vaults.visit(tone) as hers:
                assert await copies(hers) == kept
        async with working(server, profile, who="lege", days=4) as broker:
            await until_empty(broker, tone)
        async with working(server, profile) as broker:
            await keep(broker)
        async with working(server, profile, who="lege") as broker:
            assert await broker.offline.wipe() == kept
            assert tone.id not in [one.id for one in await broker.vaults.others()], "nothing waited: all of it is gone"

    asyncio.run(run())


def test_her_units_are_readable_too_and_which_they_are_with_their_age(server, tmp_path):
    async def run():
        profile = tmp_path / "profile"
        async with working(server, profile) as broker:
            units = await broker.directory.units("Practitioner/tone")
            assert units
            await keep(broker)
            kept = await broker.offline.units()
            assert list(kept) == [UNIT]
            assert kept[UNIT].startswith("2026-01-14T14:4")
        async with working(server, profile, origin=NOWHERE) as broker:
            assert await broker.directory.units("Practitioner/tone") == units
        async with working(server, profile, origin=NOWHERE, days=4) as broker:
            assert await broker.offline.units() == {}

    asyncio.run(run())


def test_it_is_read_too_when_no_token_is_to_be_had(server, tmp_path):
    """The token runs out in the middle of it, and whoever gives them is away."""

    class Gone:
        async def access_token(self, *, force=False):
            raise Problem("identity-unreachable", "Innloggingstjenesten svarer ikke.")

    async def run():
        profile = tmp_path / "profile"
        async with working(server, profile) as broker:
            await keep(broker)
        async with working(server, profile) as broker:
            broker._record.client._tokens = Gone()
            assert values(await broker.search(about(), PULSES)) == [72]

    asyncio.run(run())


def test_what_was_read_without_the_platform_is_in_its_log_once_its_reader_has_signed_on(server, tmp_path):
    """Some two seconds: three sessions, one after the other."""

    async def run():
        profile = tmp_path / "profile"
        here = grant(context.for_patient("Patient/BEB-18"), instance="uten-nett")
        async with working(server, profile) as broker:
            await keep(broker)
        async with working(server, profile, origin=NOWHERE) as broker:
            broker.opened(here)
            assert values(await broker.search(here, PULSES)) == [72]
        assert "uten-nett" not in str(server.log())
        async with working(server, profile) as broker:
            await broker.search(about(), PULSES)
            await until_told(server)
        found = [event for event in server.log() if "uten-nett" in str(event)]
        assert {event["agent"][0]["who"]["reference"] for event in found} == {"Practitioner/tone"}
        assert len(found) == 2, "the opening and the read, each once"

    asyncio.run(run())


async def until_told(server):
    async with asyncio.timeout(8):
        while "uten-nett" not in str(server.log()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def copies(vault):
    return await vault.run(lambda db: next(iter(db.execute("SELECT count(*) FROM offline")))[0])


async def until_empty(broker, person):
    async with asyncio.timeout(8):
        left = 1
        while left:
            async with broker.vaults.visit(person) as vault:
                left = await copies(vault)
            await asyncio.sleep(0.02)


def test_the_copy_is_told_as_such_in_the_platforms_log(server, tmp_path):
    async def run():
        async with working(server, tmp_path / "profile") as broker:
            await keep(broker)

    asyncio.run(run())
    packages = {agent.get("name") for event in server.log() for agent in event["agent"]}
    assert any(str(name).startswith("workspace.offline@") for name in packages), packages


@pytest.mark.parametrize("cut", [False, True], ids=["told", "during a cut"])
def test_what_is_closed_while_she_works_goes_from_the_screen_and_from_the_copies(server, tmp_path, cut):
    async def run():
        profile = tmp_path / "profile"
        port = int(server.url.rpartition(":")[2])
        async with FaultProxy("127.0.0.1", port) as proxy, working(server, profile, origin=proxy.url) as broker:
            seen, kept = [], {}
            broker.watch(about(), PULSES, seen.append)
            await until(lambda: seen)
            await keep(broker)
            proxy.down = cut
            if cut:
                await proxy.hang_up()
            await asyncio.to_thread(close, server)
            proxy.down = False
            await until(lambda: seen[-1].code == "no-decision", 20)
            await until(lambda: broker.offline.copied and not broker.offline._doubted.is_set(), 20)

            def names(database):
                kept["texts"] = [text for (text,) in database.execute("SELECT query FROM offline")]

            for _ in range(200):
                await broker.offline._vault.run(names)
                if not any("BEB-18" in text for text in kept["texts"]):
                    break
                await asyncio.sleep(0.05)
            assert not any("BEB-18" in text for text in kept["texts"])
            assert any("BEB-19" in text for text in kept["texts"])
        async with working(server, profile, origin=NOWHERE) as broker:
            with pytest.raises(Problem):
                await broker.search(about(), PULSES)
            assert values(await broker.search(about("Patient/BEB-19"), PULSES)) == [72]

    asyncio.run(run())


def test_who_changes_unit_as_the_platform_goes_away_still_reads_the_former_one(server, tmp_path):
    async def run():
        profile = tmp_path / "profile"
        port = int(server.url.rpartition(":")[2])
        other = "Organization/solsiden", ("Patient/BEB-30",)
        async with FaultProxy("127.0.0.1", port) as proxy, working(server, profile, origin=proxy.url) as broker:
            await keep(broker)
            proxy.down = True
            await proxy.hang_up()
            await broker.keep_offline(other[0], other[1], [(about(), PULSES)])
            await until(lambda: broker._record.is_away())
            assert values(await broker.search(about(), PULSES)) == [72]
            proxy.down = False
        async with working(server, profile) as broker:
            await keep(broker, other[1], other[0])
            assert set(await broker.offline.units()) == {"Organization/solsiden"}

    asyncio.run(run())

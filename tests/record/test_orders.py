"""An order to wipe reaches the device it names, at once or at its next sign-on; the copies are off the disk, and the log
has it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.record.test_offline import KEY, NOWHERE, PATIENTS, PULSES, about, keep, one_pulse, values, working
from tests.vaulted import deciphered
from workspace.clock import SystemClock
from workspace.problem import Problem
from workspace.record import offline as offline_module
from workspace.record import orders as orders_module
from workspace.record import record as record_module
from workspace.record.draftsync import workstation
from workspace.record.orders import Orders
from workspace.record.wiping import clear
from workspace.vault.people import Vaults, roster

TONE = "Practitioner/tone"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(offline_module, "BETWEEN", 0.0)
    monkeypatch.setattr(offline_module, "BEFORE", 0.0)
    monkeypatch.setattr(orders_module, "RETRY", 0.1)
    monkeypatch.setattr(record_module, "FIRST_HELLO", 0.2)


@asynccontextmanager
async def at_pc(server, profile, **how):
    """A workstation that obeys; `wiped` is what it told its user."""
    async with working(server, profile, **how) as broker:
        broker.device = await workstation(broker.vaults.device())
        broker.orders = Orders(broker._record.client, broker.offline, device=broker.device)
        broker.wiped = []
        broker.orders.on_wiped(lambda reason, count: broker.wiped.append((reason, count)))
        broker._record.on_order(broker.orders.heard)
        broker.orders.start()
        try:
            yield broker
        finally:
            await broker.orders.close()


def order(server, person, device, reason="PC-en er borte"):
    made = server.gateway.wipes.order(person, device, reason)
    return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(made, server.loop))


async def until(true, seconds=10.0):
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def pending(server, device, who="tone"):
    found = server.sign_in(who).get("/wipes", **{"X-Workspace-Device": device})
    assert found.status_code == 200, found.text
    return [one["id"] for one in found.json()["orders"]]


def test_who_is_signed_on_obeys_at_once_and_only_there(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a") as lost, at_pc(server, tmp_path / "b") as other:
            await keep(lost)
            await keep(other)
            bodies = await lost.offline._vault.run(
                lambda db: [bytes(b) for (b,) in db.execute("SELECT body FROM offline")]
            )
            own = await order(server, TONE, lost.device)
            await until(lambda: lost.wiped)
            assert lost.wiped == [("PC-en er borte", len(bodies))]
            await until(lambda: pending(server, lost.device) == [])
            assert await lost.offline.load(next(iter(asked(lost)))) is None
            await keep_is_refused(lost)
            assert other.wiped == []
            assert await left(other) == len(bodies)
            return own, bodies

    own, bodies = asyncio.run(run())
    raw = deciphered(tmp_path / "a", KEY)
    assert bodies
    assert not any(body[:64] in raw for body in bodies)
    assert b"havblikk" not in raw
    found = [e for e in server.log() if e["agent"][1]["name"] == "workspace.wipe"]
    assert [(e["action"], e["agent"][0]["who"]["reference"]) for e in found] == [("D", TONE)]
    assert own


def asked(broker):
    return [f"Observation?patient={PATIENTS[0]}&code=8867-4&_sort=-date", PULSES]


async def left(broker):
    return await broker.offline._vault.run(lambda db: next(iter(db.execute("SELECT count(*) FROM offline")))[0])


async def keep_is_refused(broker):
    """Nothing is copied anew before the next sign-on."""
    queries = broker.directory.offline_queries("Organization/havblikk", PATIENTS)
    await broker.keep_offline("Organization/havblikk", PATIENTS, [(about(), PULSES)], queries)
    await asyncio.sleep(0.3)
    assert await left(broker) == 0


def test_who_is_away_obeys_at_the_next_sign_on_and_what_is_unsent_stays(server, tmp_path):
    async def run():
        profile = tmp_path / "a"
        async with at_pc(server, profile) as pc:
            await keep(pc)
            device = pc.device
        await order(server, "*", device)
        async with at_pc(server, profile, origin=NOWHERE) as pc:
            assert values(await pc.search(about(), PULSES)) == [72], "nobody can tell it yet"
            assert (await pc.commit(about(), [one_pulse(81)])).state == "venter"
            await pc.vaults.set_pin(pc.offline._vault, "730214")
        server.restart()
        assert len(pending(server, device)) == 1, "an order outlives the gateway"
        async with at_pc(server, profile) as pc:
            await until(lambda: pc.wiped)
            await until(lambda: pc._outbox.unsent() == 0)
            await until(lambda: pending(server, device) == [])
            assert [(one.pin, one.going) for one in roster(profile, KEY)] == [(False, True)]
            assert await clear(pc.vaults) == 0, "she works in it"
        vaults = await Vaults.open(profile, KEY, SystemClock())
        # The log was told what she had read without the platform.
        assert await clear(vaults) == 1
        await vaults.close()
        assert list((profile / "vaults").iterdir()) == [], "sent, and nobody works in it: nothing is left"
        async with at_pc(server, profile, origin=NOWHERE) as pc:
            with pytest.raises(Problem):
                await pc.search(about(), PULSES)
        saved = server.sign_in("tone").get("Observation?patient=Patient/BEB-18&code=8867-4").json()
        assert 81 in [e["resource"]["valueQuantity"]["value"] for e in saved["entry"]]

    asyncio.run(run())


def test_an_order_stays_open_while_a_vault_cannot_be_cleaned(server, tmp_path):
    async def run():
        profile = tmp_path / "a"
        async with at_pc(server, profile, who="lege") as pc:
            await keep(pc)
            await pc.vaults.set_pin(pc.offline._vault, "730214")
            await pc.offline._vault.run(lambda database: database.execute("PRAGMA user_version = 99"))
        async with at_pc(server, profile) as pc:
            await keep(pc)
            await pc.vaults.set_pin(pc.offline._vault, "730215")
            own = await order(server, TONE, pc.device)
            async with asyncio.timeout(10):
                while await left(pc):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            await until(lambda: not any(one.pin for one in roster(profile, KEY)))
            assert pending(server, pc.device) == [own]
            assert pc.wiped == []
            (lege,) = await pc.vaults.others(than=pc.offline._vault)
            async with pc.vaults._opening[lege.id]:
                for file in (profile / "vaults").glob(f"{lege.id}*"):  # as the newer program does
                    file.unlink()
            await until(lambda: pc.wiped)
            await until(lambda: pending(server, pc.device) == [])

    asyncio.run(run())


def test_each_device_answers_for_itself_and_nobody_for_another(server):
    async def run():
        own = await order(server, TONE, "*")
        named = await order(server, TONE, "stue 3")
        return own, named

    own, named = asyncio.run(run())
    tone, lege = server.sign_in("tone"), server.sign_in("lege")
    assert set(pending(server, "stue 3")) == {own, named}
    assert pending(server, "stue 4") == [own]
    assert pending(server, "stue 3", "lege") == []

    def done(person, order, device):
        headers = person.headers(**({"X-Workspace-Device": device} if device else {}))
        return person.http.post(f"/wipe/{order}/done", headers=headers).status_code

    assert done(lege, own, "stue 3") == 404
    assert done(tone, named, "stue 4") == 404
    assert done(tone, named, "*") == 400
    assert done(tone, named, "") == 400
    assert [done(tone, own, "stue 3"), done(tone, own, "stue 3")] == [204, 204]
    assert pending(server, "stue 3") == [named]
    assert pending(server, "stue 4") == [own]
    events = [e for e in server.log() if e["agent"][1]["name"] == "workspace.wipe"]
    assert len(events) == 1, "a repeated answer is one event"


@pytest.mark.parametrize(
    ("person", "device", "reason"),
    [("", "*", "borte"), ("tone", "*", "borte"), (TONE, "", "borte"), (TONE, "x" * 65, "borte"), (TONE, "*", "")],
)
def test_an_order_that_does_not_say_who_where_and_why_is_refused(server, person, device, reason):
    async def run():
        await order(server, person, device, reason)

    with pytest.raises(Problem, match="Ordren om sletting"):
        asyncio.run(run())
    assert pending(server, "stue 3") == []

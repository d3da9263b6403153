"""What somebody left sealed on a workstation is delivered while they are away: once, in its order, and nothing decided for
them."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from tests.gateway.conftest import bundle, pulse
from tests.gateway.test_restrictions import close
from tests.record.test_outbox import ASKER, KEY, NOWHERE, Tokens, endpoints, stored, until
from workspace.problem import Problem
from workspace.record.client import Client
from workspace.record.delivery import Courier
from workspace.record.drafts import Drafts
from workspace.record.draftsync import DraftSync
from workspace.record.outbox import Outbox
from workspace.record.registration import Registration, registered
from workspace.vault.people import Vaults

pytestmark = pytest.mark.usefixtures("impatient")


class SignedOut:
    async def access_token(self, *, force=False):
        raise Problem("signed-out", "Ingen er logget inn.")


class Switch:
    """Where the platform is, as the workstation sees it: there, or nowhere."""

    def __init__(self, server):
        self.server, self.there = server, True

    @property
    def fhir(self):
        return f"{self.server.url if self.there else NOWHERE}/fhir"


@asynccontextmanager
async def signed_in(server, profile, who="tone", *, registers=True):
    """Somebody at the workstation; `switch.there = False` cuts the platform off."""
    vaults = await Vaults.open(profile, KEY, server.clock)
    vault = await vaults.open_for("311000101", f"Practitioner/{who}")
    switch = Switch(server)
    client = Client(switch, Tokens(lambda: server.token(who)))
    outbox = Outbox(vault, client, server.clock, user=f"Practitioner/{who}")
    registration = Registration(outbox, vault, client, device="stua")
    courier = Courier(vaults, client, own=vault)
    outbox.switch, outbox.courier = switch, courier
    await outbox.start()
    if registers:
        await registration.start()
        await until(lambda: bool(outbox.registered))
    try:
        yield outbox
    finally:
        await outbox.close()
        await registration.close()
        await courier.close()
        await client.aclose()
        await vaults.close()


@asynccontextmanager
async def nobody(server, profile):
    """The same workstation with nobody signed in: the courier, not yet at work, and the vaults."""
    vaults = await Vaults.open(profile, KEY, server.clock)
    client = Client(endpoints(server.url), SignedOut())
    courier = Courier(vaults, client)
    try:
        yield courier, vaults
    finally:
        await courier.close()
        await client.aclose()
        await vaults.close()


async def in_each(vaults, work):
    """What `work` gives for each person's vault, one after the other."""
    found = []
    for person in await vaults.others():
        async with vaults.visit(person) as vault:
            found.append(await work(vault))
    return found


async def left(vaults):
    query = "SELECT user, state FROM outbox ORDER BY seq"
    each = await in_each(vaults, lambda one: one.run(lambda db: list(db.execute(query))))
    return [row for rows in each for row in rows]


def test_what_was_written_without_the_platform_goes_while_nobody_is_there(server, tmp_path):
    """In the order of each patient, once, and Tone's next sign-on has nothing left to say."""

    async def run():
        file = tmp_path / "profile"
        async with signed_in(server, file) as outbox:
            outbox.switch.there = False
            for value in (1, 2, 3):
                item = await outbox.commit(bundle(pulse("BEB-18", value=value)), "Patient/BEB-18", ASKER, 0.05)
                assert item.state == "venter"
            assert len(outbox.deliverable()) == outbox.unsent() == 3
        async with nobody(server, file) as (courier, vaults):
            assert await courier.deliver() is None
            assert await left(vaults) == []
        assert stored(server) == [1, 2, 3]
        async with signed_in(server, file) as outbox:
            assert (outbox.unsent(), outbox.refused()) == (0, ())

    asyncio.run(run())


def test_a_colleague_at_the_same_machine_delivers_hers_but_never_his_own_or_the_other_way(server, tmp_path):
    async def run():
        file = tmp_path / "profile"
        async with signed_in(server, file) as outbox:
            outbox.switch.there = False
            await outbox.commit(bundle(pulse("BEB-18", value=1)), "Patient/BEB-18", ASKER, 0.05)
        async with signed_in(server, file, "lege") as his:
            his.switch.there = False
            mine = await his.commit(bundle(pulse("BEB-18", "lege", value=2)), "Patient/BEB-18", ASKER, 0.05)
            assert [item.id for item in his.items()] == [mine.id]  # nothing of hers is his to see
            his.switch.there = True
            await his.courier.start()
            await until(lambda: stored(server) == [1] or sorted(stored(server)) == [1, 2])
            his.wake()
            await until(lambda: his.unsent() == 0)
        assert sorted(stored(server)) == [1, 2]

    asyncio.run(run())


def test_what_cannot_be_delivered_waits_for_its_author(server, tmp_path):
    """A key that was never registered, or is withdrawn; and nothing overtakes it in its patient's line."""

    async def run():
        file = tmp_path / "profile"
        async with signed_in(server, file, registers=False) as outbox:
            outbox.switch.there = False
            await outbox.commit(bundle(pulse("BEB-18", value=1)), "Patient/BEB-18", ASKER, 0.05)
            assert outbox.deliverable() == ()
        async with signed_in(server, file) as outbox:
            await until(lambda: outbox.unsent() == 0)
            outbox.switch.there = False
            await outbox.commit(bundle(pulse("BEB-18", value=2)), "Patient/BEB-18", ASKER, 0.05)
            assert len(outbox.deliverable()) == 1
            tone = server.sign_in("tone")
            tone.http.post(f"/session/key/{outbox.session_key().id}/revoke", headers=tone.headers())
        async with nobody(server, file) as (courier, vaults):
            assert await courier.deliver() is None
            assert await left(vaults) == [("Practitioner/tone", "venter")]
            assert await in_each(vaults, registered) == [set()]
        assert stored(server) == [1]
        async with signed_in(server, file) as outbox:
            await until(lambda: outbox.unsent() == 0)
        assert stored(server) == [1, 2]

    asyncio.run(run())


def test_a_refusal_is_in_sight_for_its_author_and_a_closed_record_stays_closed(server, tmp_path):
    async def run():
        file = tmp_path / "profile"
        async with signed_in(server, file) as outbox:
            outbox.switch.there = False
            bad = pulse("BEB-19")
            del bad["status"]
            await outbox.commit(bundle(bad), "Patient/BEB-19", ASKER, 0.05)
            await outbox.commit(bundle(pulse("BEB-18", value=5)), "Patient/BEB-18", ASKER, 0.05)
        close(server)
        async with nobody(server, file) as (courier, vaults):
            assert await courier.deliver() is None
            assert await left(vaults) == [("Practitioner/tone", "avvist")] * 2
        async with signed_in(server, file) as outbox:
            said = [one.problem.sentence for one in outbox.refused()]
            assert said[0] == "Målingen mangler status."
            assert "Du har ikke tilgang" in said[1]

    asyncio.run(run())


def test_a_conflict_and_what_rests_on_another_wait_for_the_author(server, tmp_path):
    """The courier sends the first and the author's next sign-on the rest, with the names that the platform gave."""

    async def run():
        file = tmp_path / "profile"
        tone = server.sign_in("tone")
        there = tone.get("Observation/puls-BEB-18").json()
        mine = {**there, "performer": [*there["performer"], {"reference": "Practitioner/tone"}],
                "valueQuantity": {**there["valueQuantity"], "value": 55}}  # fmt: skip
        change = {"method": "PUT", "url": "Observation/puls-BEB-18", "ifMatch": 'W/"1"'}
        outdated = {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": mine, "request": change}]}
        first = bundle(pulse("BEB-19", value=61))
        names = {"derivedFrom": [{"reference": first["entry"][0]["fullUrl"]}]}
        async with signed_in(server, file) as outbox:
            outbox.switch.there = False
            await outbox.commit(outdated, "Patient/BEB-18", ASKER, 0.05, bases={"Observation/puls-BEB-18": there})
            await outbox.commit(first, "Patient/BEB-19", ASKER, 0.05)
            await outbox.commit(bundle(pulse("BEB-19", value=62, **names)), "Patient/BEB-19", ASKER, 0.05)
            assert len(outbox.deliverable()) == 2
        doctor = server.sign_in("lege")
        other = {**there, "valueQuantity": {**there["valueQuantity"], "value": 99}}
        assert doctor.put(other, **{"If-Match": 'W/"1"'}).status_code == 200
        async with nobody(server, file) as (courier, vaults):
            assert await courier.deliver() is None
            assert [state for _, state in await left(vaults)] == ["besvart", "besvart", "venter"]
        assert stored(server, "BEB-19") == [61]
        async with signed_in(server, file) as outbox:
            await until(lambda: outbox.unsent() == 0)
            (conflict,) = outbox.refused()
            assert conflict.state == "konflikt"
        assert stored(server, "BEB-19") == [61, 62]
        rows = tone.get("Observation?patient=BEB-19&_count=100").json()["entry"]
        by = {e["resource"]["valueQuantity"]["value"]: e["resource"] for e in rows}
        assert by[62]["derivedFrom"] == [{"reference": f"Observation/{by[61]['id']}"}]
        assert tone.get("Observation/puls-BEB-18").json()["valueQuantity"]["value"] == 99

    asyncio.run(run())


def test_what_was_changed_in_the_vault_is_not_delivered(server, tmp_path):
    async def run():
        file = tmp_path / "profile"
        async with signed_in(server, file) as outbox:
            outbox.switch.there = False
            await outbox.commit(bundle(pulse("BEB-18", value=81)), "Patient/BEB-18", ASKER, 0.05)
        async with nobody(server, file) as (courier, vaults):
            change = "UPDATE outbox SET body = replace(body, ':81', ':18')"
            await in_each(vaults, lambda one: one.run(lambda db: db.execute(change)))
            assert await courier.deliver() is None
        assert stored(server) == []
        async with signed_in(server, file) as outbox:
            assert [one.problem.code for one in outbox.refused()] == ["seal-broken"]

    asyncio.run(run())


def test_the_bytes_that_were_sealed_are_the_bytes_that_are_sent(server, tmp_path):
    """However the body may be spelt by then: what is in the vault is what goes."""

    async def run():
        file, own = tmp_path / "profile", str(uuid4())
        async with signed_in(server, file) as outbox:
            outbox.switch.there = False
            body = bundle(pulse("BEB-18", note=[{"text": 'Sov godt – «bra», 36.60 "ø"'}]))
            item = await outbox.commit(body, "Patient/BEB-18", ASKER, 0.05, own=own)
            sent = item.sent
        async with nobody(server, file) as (courier, vaults):
            query = "SELECT body FROM outbox"
            (body,) = await in_each(vaults, lambda one: one.run(lambda db: next(iter(db.execute(query)))[0]))
            kept = json.loads(body)
            assert kept["wire"].encode() == sent
            assert await courier.deliver() is None
        tone = server.sign_in("tone")
        again = tone.http.post("/fhir", content=sent, headers=tone.headers(**{"Idempotency-Key": own}))
        assert again.status_code == 200  # the same bytes: the first answer, not «key-reused»
        assert len(stored(server)) == 1

    asyncio.run(run())


def test_a_key_that_nothing_waits_under_is_withdrawn_at_sign_out(server, tmp_path):
    async def run():
        file = tmp_path / "profile"
        for _ in range(10):  # more sign-ons than a person may have keys
            async with signed_in(server, file) as outbox:
                await outbox.commit(bundle(pulse("BEB-18")), "Patient/BEB-18", ASKER)
        async with nobody(server, file) as (_, vaults):
            assert await in_each(vaults, registered) == [set()]

    asyncio.run(run())


def test_a_key_whose_work_was_delivered_is_withdrawn_at_the_next_sign_on(server, tmp_path):
    async def run():
        file = tmp_path / "profile"
        for value in range(10):
            async with signed_in(server, file) as outbox:
                async with asyncio.timeout(8):
                    while await registered(outbox._vault) != {outbox.session_key().id}:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                outbox.switch.there = False
                await outbox.commit(bundle(pulse("BEB-18", value=value)), "Patient/BEB-18", ASKER, 0.02)
            async with nobody(server, file) as (courier, vaults):
                assert await courier.deliver() is None
                assert [len(one) for one in await in_each(vaults, registered)] == [1]
        assert stored(server) == list(range(10))

    asyncio.run(run())


def test_a_draft_whose_words_a_courier_delivered_is_nowhere_shown_as_unsent(server, tmp_path):
    """Typed with the platform there, saved without it; she signs out before the platform hears, and on at another PC."""

    async def run():
        file, field = tmp_path / "profile", ("311000101", "Practitioner/tone", "Patient/BEB-18", "p", "v", "", "1")
        async with signed_in(server, file) as outbox:
            drafts = Drafts(outbox._vault, server.clock, tenant="311000101", user="Practitioner/tone")
            sync = DraftSync(drafts, outbox._client, device="stua")
            await drafts.start()
            drafts.save(field, {"pulse": "7", "note": "mer"}, 1)
            await until(lambda: drafts.load(field).known)
            outbox.switch.there = False
            form = {"pulse": "7", "note": "mer"}
            handover = drafts.hand_over(field, form, {"pulse": None, "gone": None})
            item = await outbox.commit(
                bundle(pulse("BEB-18", value=7)), "Patient/BEB-18", ASKER, 0.05, handover=handover
            )
            assert item.state == "venter"
            handover.close()
            drafts.sync = None  # killed: nothing more is told
            await sync.close()
            await drafts.close()
        (before,) = server.sign_in("tone").get("/drafts").json()["drafts"]
        assert before["values"] == form
        async with nobody(server, file) as (courier, _vaults):
            assert await courier.deliver() is None
        assert stored(server) == [7]
        (after,) = server.sign_in("tone", sid="sid-annen-pc").get("/drafts").json()["drafts"]
        assert after["values"] == {"note": "mer"}

    asyncio.run(run())

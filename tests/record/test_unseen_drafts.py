"""What its author has not seen to is never destroyed: not by what is typed next, here or elsewhere, nor by what the platform
does not take. And nothing is called saved that neither the disk nor the platform has."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx

from tests.broker.conftest import Tokens, endpoints
from tests.record.test_draftsync import FIELD, KEY, _quick, at_pc, until, values
from workspace.broker.door import Draft, DraftKey
from workspace.broker.kept import KeptDrafts
from workspace.panels.fields import Fields
from workspace.record.client import Client
from workspace.record.drafts import Drafts
from workspace.record.draftsync import DraftSync
from workspace.record.handover import GivenBack
from workspace.vault.vault import Vault

__all__ = ["_quick"]
NOTE = DraftKey("311000101", "Practitioner/tone", "Patient/BEB-18", "polarvakt.note", "note")
OLD = {"text": "En lang vurdering"}
NOWHERE = "http://127.0.0.1:9"


class Door:
    """The broker's two words for drafts."""

    def __init__(self, drafts):
        self.drafts = drafts

    def load_draft(self, key):
        kept = self.drafts.load(key.parts())
        return None if kept is None else Draft(kept.values, kept.revision, kept.saved)

    def save_draft(self, key, draft, then=None):
        self.drafts.save(key.parts(), draft.values, draft.revision, then)


def form(pc, clock, key=NOTE, told=None):
    """An open form of the workstation, as the shell keeps it."""
    fields = Fields(Door(pc.drafts), key, clock, told or (lambda at: None))
    pc.drafts.on_press(fields.save)
    pc.drafts.on_change(lambda own, kept: fields.follow(own, kept.values if kept else {}))
    return fields


def everything(pc):
    """Every text that its author can find on this workstation."""
    found = []
    for one in pc.drafts.all():
        found += [dict(one.kept.values), *([dict(one.kept.other.values)] if one.kept.other else [])]
    return found


async def expired(pc, server):
    pc.drafts.save(FIELD, OLD, 1)
    await until(lambda: pc.drafts.load(FIELD).expires)
    server.clock.set(server.clock.now() + timedelta(days=15))
    assert [one.expired for one in pc.drafts.all()] == [True]


def test_the_first_letter_in_its_form_does_not_destroy_what_has_run_out(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            await expired(a, server)
            fields = form(a, server.clock)
            assert fields.values == {}
            fields.typed("text", "H")
            fields.save()
            fields.typed("text", "Hun")
            fields.save()
            assert everything(a) == [{"text": "Hun"}, OLD]

    asyncio.run(run())


def test_who_types_on_in_what_has_run_out_leaves_no_second_text(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            fields = form(a, server.clock)
            fields.typed("text", OLD["text"])
            await expired(a, server)
            fields.typed("text", "En lang vurdering, skrevet videre")
            fields.save()
            assert everything(a) == [{"text": "En lang vurdering, skrevet videre"}]

    asyncio.run(run())


def test_a_newer_text_elsewhere_does_not_destroy_what_has_run_out(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            await expired(a, server)
            async with at_pc(server, tmp_path / "b.sqlite") as b:
                b.drafts.save(FIELD, {"text": "Hei"}, 1)
                await until(lambda: values(a) == {"text": "Hei"})
            assert everything(a) == [{"text": "Hei"}, OLD]

    asyncio.run(run())


def test_a_text_that_lost_outlives_the_next_one_that_loses(server, tmp_path):
    async def run():
        async with (
            at_pc(server, tmp_path / "b.sqlite") as b,
            at_pc(server, tmp_path / "a.sqlite", origin=NOWHERE) as a,
        ):
            for number, text in enumerate(("Første", "Andre", "Tredje"), 1):
                a.drafts.save(FIELD, {"text": f"{text}, uten nett"}, number)
                server.clock.set(server.clock.now() + timedelta(minutes=5))
                known = kept.known if (kept := b.drafts.load(FIELD)) else 0
                b.drafts.save(FIELD, {"text": f"B{number}"}, number)
                await until(lambda: b.drafts.load(FIELD).known > known)  # noqa: B023
                vars(a.where).update(vars(endpoints(server.url)))
                a.sync._seen = False
                a.sync.wake()
                await until(lambda: values(a) == {"text": f"B{number}"})  # noqa: B023
                vars(a.where).update(vars(endpoints(NOWHERE)))
            there = [one["text"] for one in everything(a)]
            assert set(there) == {"B3", "Første, uten nett", "Andre, uten nett", "Tredje, uten nett"}
            lost = [one for one in KeptDrafts(a.drafts, server.clock).all() if one.lost]
            assert len(lost) == 3
            for one in lost:
                KeptDrafts(a.drafts, server.clock).discard(one)
            assert everything(a) == [{"text": "B3"}]

    asyncio.run(run())


def test_what_the_platform_no_longer_takes_stays_here_and_in_its_form(server, tmp_path):
    """The stay ends while she types: 403, and then the list of drafts comes."""

    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a, at_pc(server, tmp_path / "b.sqlite") as b:
            fields = form(a, server.clock)
            fields.typed("text", "Sov")
            await until(lambda: (kept := a.drafts.load(FIELD)) and kept.expires)
            head = {"Authorization": f"Bearer {server.token('tone')}"}
            where = f"{server.url}/fhir/Encounter/opphold-BEB-18"
            stay = (await asyncio.to_thread(httpx.get, where, headers=head)).json()
            server.store_put({**stay, "status": "finished"})
            more = {"text": "Sov godt, og mye mer som er skrevet siden"}
            fields.typed("text", more["text"])
            fields.save()
            await until(lambda: FIELD not in a.sync._outgoing)
            unit = (*FIELD[:2], "", *FIELD[3:])
            b.drafts.save(unit, {"text": "noe annet"}, 1)
            await until(lambda: values(a, unit) == {"text": "noe annet"})
            await a.sync._fetch_all()
            assert fields.values == more
            assert more in everything(a)

    asyncio.run(run())


def test_what_has_grown_too_large_for_the_platform_outlives_its_copy_there(server, tmp_path):
    async def run():
        large = {"text": "x" * 70_000}
        async with at_pc(server, tmp_path / "a.sqlite") as a, at_pc(server, tmp_path / "b.sqlite") as b:
            a.drafts.save(FIELD, {"text": "Sov"}, 1)
            await until(lambda: values(b) == {"text": "Sov"} and a.drafts.load(FIELD).expires)
            a.drafts.save(FIELD, large, 2)
            await until(lambda: FIELD not in a.sync._outgoing)
            b.drafts.save(FIELD, {}, 2)
            await until(lambda: not b.drafts.buried())
            await a.sync._fetch_all()
            assert values(a) == large

    asyncio.run(run())


def test_what_was_typed_elsewhere_is_kept_when_it_comes_between_a_key_and_its_draft(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a, at_pc(server, tmp_path / "b.sqlite") as b:
            fields = form(a, server.clock)
            await a.record.close()  # it fetches when it is told to, here
            b.drafts.save(FIELD, {"text": "Skrevet på B", "puls": 88}, 1)
            await until(lambda: b.drafts.load(FIELD).known)
            fields.typed("text", "x")
            await a.sync._fetch_all()
            fields.save()
            assert {"text": "x"} in everything(a)
            assert {"text": "Skrevet på B", "puls": 88} in everything(a)

    asyncio.run(run())


def test_what_was_discarded_for_good_does_not_come_back_from_its_open_form(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            fields = form(a, server.clock)
            fields.typed("text", "Forkastes")
            fields.save()
            fields.typed("text", "Forkastes helt")
            kept = KeptDrafts(a.drafts, server.clock)
            kept.discard(kept.all()[0])
            assert fields.values == {}
            fields.typed("puls", 80)
            fields.save()
            assert everything(a) == [{"puls": 80}]

    asyncio.run(run())


def test_what_is_typed_on_after_a_merge_stands_in_the_form_of_the_one_who_stays(server, tmp_path):
    async def run():
        gone = DraftKey("311000101", "Practitioner/tone", "Patient/BEB-19", "polarvakt.note", "note")
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            fields = form(a, server.clock, gone)
            fields.typed("text", "Sover")
            fields.save()
            a.sync.merged("Patient/BEB-19", "Patient/BEB-18")
            fields.typed("text", "Sover, rolig pust.")
            fields.save()
            a.sync.merged("Patient/BEB-19", "Patient/BEB-18")
            fields.end()
            assert form(a, server.clock).values == {"text": "Sover, rolig pust."}
            assert everything(a) == [{"text": "Sover, rolig pust."}]
            await until(lambda: a.drafts.load(FIELD).expires)

    asyncio.run(run())


def test_what_comes_back_is_kept_beside_a_key_that_was_pressed_just_now(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            fields = form(a, server.clock)
            fields.typed("text", "Nytt")
            back = GivenBack(a.drafts, FIELD, {"text": None}, {"text": "Angret"}, lambda: None)
            await a.drafts._vault.run(back.begin())
            back.kept()
            fields.exchange(FIELD, {"text": None}, {"text": "Angret"})
            fields.save()
            assert fields.values == {"text": "Nytt"}
            assert {"text": "Nytt"} in everything(a)
            assert {"text": "Angret"} in everything(a)

    asyncio.run(run())


def test_a_draft_is_called_saved_when_the_disk_has_it(server, tmp_path):
    async def run():
        vault = await Vault.open(tmp_path / "v.sqlite", KEY, server.clock)
        drafts = Drafts(vault, server.clock, tenant="311000101", user="Practitioner/tone")
        await drafts.start()
        told, touched = [], []
        drafts.on_touch(lambda: touched.append(drafts.problem))
        (used,) = await vault.run(lambda database: database.execute("PRAGMA page_count").fetchone())
        await asyncio.wrap_future(vault._pool.submit(lambda: limit(vault, used)))
        drafts.save(FIELD, {"text": "Falt på badet i natt. " * 4000}, 1, lambda: told.append("for stor"))
        await until(lambda: drafts.problem is not None)
        assert (drafts.problem.code, told, await drafts.at_risk()) == ("vault-full", [], 1)
        assert touched[-1] is drafts.problem
        await asyncio.wrap_future(vault._pool.submit(lambda: limit(vault, used + 10_000)))
        await until(lambda: told == ["for stor"])
        assert (drafts.problem, touched[-1], await drafts.at_risk()) == (None, None, 0)
        await drafts.close()
        await vault.close()

    asyncio.run(run())


def limit(vault, pages):
    return list(vault._database.execute(f"PRAGMA max_page_count = {pages}"))


def test_what_is_in_memory_alone_is_called_saved_when_the_platform_has_it(server):
    async def run():
        where = endpoints(NOWHERE)
        client = Client(where, Tokens(server, "tone"))
        vault = await Vault.open(None, None, server.clock)
        drafts = Drafts(vault, server.clock, tenant="311000101", user="Practitioner/tone")
        DraftSync(drafts, client, device="pc-1")
        await drafts.start()
        told = []
        drafts.save(FIELD, {"text": "Sov"}, 1, lambda: told.append("Sov"))
        await drafts.flush()
        assert (told, await drafts.at_risk()) == ([], 1)
        vars(where).update(vars(endpoints(server.url)))
        assert await drafts.at_risk() == 0, "it is tried once more"
        assert told == ["Sov"]
        await drafts.close()
        await client.aclose()
        await vault.close()

    asyncio.run(run())

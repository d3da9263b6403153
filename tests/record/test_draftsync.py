"""Drafts follow their author to another workstation; the newest text wins and the other is kept beside it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace

import pytest

from tests.broker.conftest import Tokens, endpoints
from workspace.fhir import json as exact
from workspace.record import draftsync, patience
from workspace.record.client import Client, PlatformProblem
from workspace.record.drafts import Drafts
from workspace.record.draftsync import DraftSync, draft_id, workstation
from workspace.record.record import Record
from workspace.vault.vault import Vault

KEY = bytes(range(32))
FIELD = ("311000101", "Practitioner/tone", "Patient/BEB-18", "polarvakt.note", "note", "", "1")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(draftsync, "GATHER", 0.05)
    monkeypatch.setattr(patience, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.2)


@asynccontextmanager
async def at_pc(server, file, *, origin="", who="tone"):
    """A workstation: its drafts, its record, and what it was told of drafts elsewhere."""
    where = endpoints(origin or server.url)
    client = Client(where, Tokens(server, who))
    user = f"Practitioner/{who}"
    vault = await Vault.open(file, KEY, server.clock)
    record = Record(client, clock=server.clock, user=user)
    drafts = Drafts(vault, server.clock, tenant="311000101", user=user)
    sync = DraftSync(drafts, client, device=await workstation(vault))
    told = []
    drafts.on_change(lambda key, kept: told.append((key, kept and dict(kept.values))))
    record.on_draft(sync.heard)
    record.on_merge(sync.merged)
    record.on_service(lambda state: sync.wake())
    await asyncio.gather(record.start(), drafts.start())
    try:
        yield SimpleNamespace(drafts=drafts, told=told, where=where, record=record, sync=sync, client=client)
    finally:
        await record.close()
        await drafts.close()
        await client.aclose()
        await vault.close()


async def until(true, seconds=8.0):
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def values(pc, key=FIELD):
    kept = pc.drafts.load(key)
    return kept and dict(kept.values)


def test_a_number_keeps_the_digits_it_was_typed_with_on_its_way_and_in_the_vault(server, tmp_path):
    async def run():
        typed = {"temp": exact.Literal("38.60"), "pulse": 72}
        async with at_pc(server, tmp_path / "a.sqlite") as a, at_pc(server, tmp_path / "b.sqlite") as b:
            a.drafts.save(FIELD, typed, 1)
            await until(lambda: values(b) == typed)
            assert exact.dumps(values(b)) == b'{"temp":38.60,"pulse":72}'
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            assert exact.dumps(values(a)) == b'{"temp":38.60,"pulse":72}'
            assert a.drafts.all()[0].text == ("temp: 38,60", "pulse: 72")

    asyncio.run(run())


def test_what_is_typed_here_stands_there_and_what_is_emptied_there_leaves_here(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            a.drafts.save(FIELD, {"text": "Sov"}, 1)
            await until(lambda: a.drafts.load(FIELD).known)
            async with at_pc(server, tmp_path / "b.sqlite") as b:
                assert values(b) == {"text": "Sov"}  # before any panel opens
                a.drafts.save(FIELD, {"text": "Sov godt"}, 2)
                await until(lambda: values(b) == {"text": "Sov godt"})
                assert b.told[-1] == (FIELD, {"text": "Sov godt"})
                b.drafts.save(FIELD, {}, 3)
                await until(lambda: values(a) is None)
                assert a.told[-1] == (FIELD, None)
        async with at_pc(server, tmp_path / "c.sqlite") as c:
            assert c.drafts.all() == ()

    asyncio.run(run())


def test_two_who_typed_apart_meet_the_newest_wins_and_the_other_is_kept(server, tmp_path):
    async def run():
        nowhere = "http://127.0.0.1:9"
        async with at_pc(server, tmp_path / "a.sqlite", origin=nowhere) as a:
            a.drafts.save(FIELD, {"text": "Først, uten nett"}, 1)
            server.clock.set(server.clock.now() + timedelta(minutes=5))
            async with at_pc(server, tmp_path / "b.sqlite") as b:
                b.drafts.save(FIELD, {"text": "Senere, på den andre"}, 1)
                await until(lambda: b.drafts.load(FIELD).known)
                vars(a.where).update(vars(endpoints(server.url)))
                await until(lambda: values(a) == {"text": "Senere, på den andre"})
                kept = a.drafts.load(FIELD)
                assert dict(kept.other.values) == {"text": "Først, uten nett"}
                # and the other way round: what is typed last stays, here and there
                vars(a.where).update(vars(endpoints(nowhere)))
                await a.record.close()
                b.drafts.save(FIELD, {"text": "B igjen"}, 2)
                known = b.drafts.load(FIELD).known
                await until(lambda: b.drafts.load(FIELD).known > known)
                server.clock.set(server.clock.now() + timedelta(minutes=5))
                a.drafts.save(FIELD, {"text": "A sist"}, 3)
                vars(a.where).update(vars(endpoints(server.url)))
                a.sync.wake()
                await until(lambda: values(b) == {"text": "A sist"})
                assert values(a) == {"text": "A sist"}
                assert dict(a.drafts.load(FIELD).other.values) == {"text": "B igjen"}
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            assert dict(a.drafts.load(FIELD).other.values) == {"text": "B igjen"}  # kept over a restart

    asyncio.run(run())


def test_typing_goes_on_while_a_draft_is_on_its_way(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a, at_pc(server, tmp_path / "b.sqlite") as b:
            text = ""
            for sign in "Sov godt hele natten, våknet uthvilt.":
                text += sign
                a.drafts.save(FIELD, {"text": text}, len(text))
                await asyncio.sleep(0.02)
                assert values(a) == {"text": text}
            await until(lambda: values(b) == {"text": text})
            assert a.drafts.load(FIELD).other is None
            assert a.told == []  # nobody else typed

    asyncio.run(run())


def test_what_is_heard_of_while_an_answer_is_on_its_way_is_asked_for_again(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a, at_pc(server, tmp_path / "b.sqlite") as b:
            send, heard = b.client.draft, []
            b.record.on_draft(lambda change, revision: heard.append(revision))

            async def late(method, *rest, **more):
                answer = await send(method, *rest, **more)
                if method == "GET" and values(a) == {"text": "Sov"}:  # the last word is typed while this travels
                    before = len(heard)
                    a.drafts.save(FIELD, {"text": "Sov godt"}, 2)
                    await until(lambda: len(heard) > before)
                return answer

            b.client.draft = late
            a.drafts.save(FIELD, {"text": "Sov"}, 1)
            await until(lambda: values(b) == {"text": "Sov godt"}, 4)

    asyncio.run(run())


def test_what_was_typed_elsewhere_before_an_own_save_is_asked_for_when_it_is_heard_of_after_it(server, tmp_path):
    other = (*FIELD[:5], "kveld", FIELD[6])

    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a, at_pc(server, tmp_path / "b.sqlite") as b:
            await a.record.close()  # its feed is late
            b.drafts.save(other, {"text": "Kveld"}, 1)
            await until(lambda: b.drafts.load(other).known)
            a.drafts.save(FIELD, {"text": "Natt"}, 1)
            await until(lambda: a.drafts.load(FIELD).known > b.drafts.load(other).known)
            assert values(a, other) is None
            a.sync.heard({"device": "den andre"}, b.drafts.load(other).known)
            await until(lambda: values(a, other) == {"text": "Kveld"}, 4)

    asyncio.run(run())


def test_what_is_saved_while_it_is_on_its_way_does_not_stay_on_the_platform(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a, at_pc(server, tmp_path / "b.sqlite") as b:
            send, sent = a.client.draft, []

            async def meanwhile(method, *rest, **more):
                if method == "PUT":  # the commit empties the form while its last words travel
                    a.drafts.save(FIELD, {}, 2)
                answer = await send(method, *rest, **more)
                if method != "GET":  # what is there already may be asked for late
                    sent.append((method, answer[0]))
                return answer

            a.client.draft = meanwhile
            a.drafts.save(FIELD, {"text": "Sov godt"}, 1)
            await until(lambda: sent == [("PUT", 201), ("DELETE", 204)])
            assert there(server) == []
            await until(lambda: a.drafts.all() == b.drafts.all() == ())
            assert a.told == [], "it did not come back into the form"

    asyncio.run(run())


def test_words_that_the_network_held_back_do_not_bring_back_what_was_emptied(server, tmp_path):
    async def run():
        file, held = tmp_path / "a.sqlite", []
        async with at_pc(server, file) as a:
            send = a.client.draft

            async def away(method, *rest, **more):
                if method == "GET":
                    return await send(method, *rest, **more)
                if method == "PUT":
                    held.append((rest, more))
                raise PlatformProblem("platform/away", "Ingen svar.")

            a.client.draft = away
            a.drafts.save(FIELD, {"text": "Sov godt"}, 1)
            await until(lambda: held)
            a.drafts.save(FIELD, {}, 2)
            await a.drafts.flush()
        async with at_pc(server, file) as a:  # the program was started anew since
            await until(lambda: a.drafts.buried() == ())
            (rest, more) = held[0]
            status, answer = await a.client.draft("PUT", *rest, **more)
            assert (status, answer["over"]) == (412, [])
            a.drafts.save(FIELD, {"text": "Våken"}, 3)
            await until(lambda: there(server) == [(1, {"text": "Våken"})])

    asyncio.run(run())


def test_what_is_typed_here_since_is_kept_when_the_rest_was_saved_elsewhere(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a, at_pc(server, tmp_path / "b.sqlite") as b:
            a.drafts.save(FIELD, {"text": "Sov", "puls": 72}, 1)
            await until(lambda: values(b) == {"text": "Sov", "puls": 72})
            a.drafts.save(FIELD, {"text": "Sov"}, 2)
            await until(lambda: b.told[-1] == (FIELD, {"text": "Sov"}))
            a.drafts.save(FIELD, {}, 3)
            b.drafts.save(FIELD, {"text": "Sov. Våken igjen"}, 2)
            await until(lambda: values(a) == {"text": "Sov. Våken igjen"})
            assert values(b) == {"text": "Sov. Våken igjen"}
            assert (FIELD, None) not in b.told

    asyncio.run(run())


def test_a_colleague_never_meets_it(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            a.drafts.save(FIELD, {"text": "Sov godt"}, 1)
            await until(lambda: a.drafts.load(FIELD).known)
            async with at_pc(server, tmp_path / "b.sqlite", who="lege") as b:
                assert b.drafts.all() == ()

    asyncio.run(run())


def test_a_killed_platform_costs_nothing_and_what_was_typed_meanwhile_arrives(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a.sqlite", origin="http://127.0.0.1:9") as a:
            a.drafts.save(FIELD, {"text": "Sov godt"}, 1)
            await asyncio.sleep(0.3)
            assert values(a) == {"text": "Sov godt"}
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            await until(lambda: a.drafts.load(FIELD).known)
        async with at_pc(server, tmp_path / "b.sqlite") as b:
            assert values(b) == {"text": "Sov godt"}

    asyncio.run(run())


def test_a_draft_that_has_expired_stays_in_sight_until_its_author_has_seen_to_it(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            a.drafts.save(FIELD, {"text": "Sov godt"}, 1)
            await until(lambda: a.drafts.load(FIELD).known)
            server.clock.set(server.clock.now() + timedelta(days=15))
            assert a.drafts.load(FIELD) is None  # it does not come back into the form by itself
            (listed,) = a.drafts.all()
            assert (listed.expired, listed.text) == (True, ("text: Sov godt",))
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            assert [one.expired for one in a.drafts.all()] == [True]
            a.drafts.discard(FIELD)
            assert a.drafts.all() == ()

    asyncio.run(run())


def test_what_an_earlier_version_of_the_form_left_is_shown_as_text(server, tmp_path):
    async def run():
        newer = (*FIELD[:6], "2")
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            a.drafts.save(FIELD, {"text": "Sov godt", "puls": 72, "tom": ""}, 1)
            assert a.drafts.load(newer) is None
            assert a.drafts.older(newer).text == ("text: Sov godt", "puls: 72")
            assert a.drafts.older(FIELD) is None

    asyncio.run(run())


def test_what_was_emptied_and_not_told_before_the_end_does_not_come_back_from_the_platform(server, tmp_path):
    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            a.drafts.save(FIELD, {"text": "Sov godt"}, 1)
            await until(lambda: a.drafts.load(FIELD).known)
            vars(a.where).update(vars(endpoints("http://127.0.0.1:9")))
            a.drafts.save(FIELD, {}, 2)
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            assert values(a) is None
            await until(lambda: server.sign_in("tone").get("/drafts").json()["drafts"] == [])
            assert a.told == []
            vault = a.drafts._vault
            async with asyncio.timeout(5):  # the platform has heard: nothing is kept of it here either
                while await vault.run(lambda database: list(database.execute("SELECT key FROM draft"))):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    asyncio.run(run())


def test_what_was_saved_without_the_platform_does_not_come_back_from_an_answer_that_was_lost(server, tmp_path):
    """The platform has a newer text of hers than this workstation knows of: some of it is in the outbox by now."""

    async def run():
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            a.drafts.save(FIELD, {"text": "Sov"}, 1)
            await until(lambda: a.drafts.load(FIELD).known)
            send = a.client.draft

            async def lost(method, *rest, **more):
                await send(method, *rest, **more)
                raise PlatformProblem("platform-unreachable", "Plattformen svarer ikke.")

            server.clock.set(server.clock.now() + timedelta(minutes=1))
            a.client.draft = lost
            a.drafts.save(FIELD, {"text": "Sov godt", "puls": 72}, 2)
            await until(lambda: there(server) == [(1, {"text": "Sov godt", "puls": 72})])
            saved = a.drafts.hand_over(FIELD, {"text": "Sov godt", "puls": 72}, {"text": None})
            await a.drafts._vault.run(saved.begin())
            saved.kept()
            saved.close()
        server.clock.set(server.clock.now() + timedelta(minutes=1))
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            await until(lambda: there(server) == [(1, {"puls": 72})])
            assert values(a) == {"puls": 72}
            assert a.drafts.load(FIELD).other is None, "no text of hers lost to another"

    asyncio.run(run())


def test_what_was_emptied_before_a_merge_does_not_come_back_under_the_new_name(server, tmp_path):
    async def run():
        about = (*FIELD[:2], "Patient/BEB-19", *FIELD[3:])
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            a.drafts.save(about, {"text": "Sov godt"}, 1)
            await until(lambda: a.drafts.load(about).known)
            vars(a.where).update(vars(endpoints("http://127.0.0.1:9")))
            a.drafts.save(about, {}, 2)
            moved = server.gateway.drafts.moved("Patient/BEB-19", "Patient/BEB-18")
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(moved, server.loop))
            assert there(server) == [(1, {"text": "Sov godt"})]
            a.sync.merged("Patient/BEB-19", "Patient/BEB-18")
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            await until(lambda: there(server) == [])
            await until(lambda: a.drafts.buried() == ())
            assert (a.drafts.all(), a.told) == ((), [])

    asyncio.run(run())


def test_what_the_platform_never_hears_of_is_remembered_no_longer_than_it_keeps_a_draft(server, tmp_path):
    async def run():
        nowhere = "http://127.0.0.1:9"
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            a.drafts.save(FIELD, {"text": "Sov godt"}, 1)
            await until(lambda: a.drafts.load(FIELD).known)
            vars(a.where).update(vars(endpoints(nowhere)))
            a.drafts.save(FIELD, {}, 2)
        server.clock.set(server.clock.now() + timedelta(days=14))
        async with at_pc(server, tmp_path / "a.sqlite", origin=nowhere) as a:
            assert a.drafts.buried() == (FIELD,)
        server.clock.set(server.clock.now() + timedelta(days=2))
        async with at_pc(server, tmp_path / "a.sqlite", origin=nowhere) as a:
            assert a.drafts.buried() == ()
            await a.drafts.flush()
            assert await a.drafts._vault.run(lambda database: list(database.execute("SELECT key FROM draft"))) == []

    asyncio.run(run())


def there(server):
    found = server.sign_in("tone").get("/drafts").json()["drafts"]
    return [(one["key"]["state_version"], one["values"]) for one in found]


def test_after_an_update_the_newer_form_takes_the_older_ones_place_and_both_texts_stand_here(server, tmp_path):
    async def run():
        newer = (*FIELD[:6], "2")
        async with at_pc(server, tmp_path / "a.sqlite") as a, at_pc(server, tmp_path / "b.sqlite") as b:
            a.drafts.save(FIELD, {"text": "gammel"}, 1)
            await until(lambda: values(b) == {"text": "gammel"})
            a.drafts.save(newer, {"tekst": "ny"}, 1)
            await until(lambda: values(b, newer) == {"tekst": "ny"})
            assert there(server) == [(2, {"tekst": "ny"})]
            assert b.told == [(FIELD, {"text": "gammel"}), (newer, {"tekst": "ny"})], "under its own key"
            # What is saved in the newer form is not what stood in the older: that stays until she has seen to it.
            a.drafts.save(newer, {}, 2)
            await until(lambda: values(b, newer) is None)
            assert [a.drafts.older(newer).text, b.drafts.older(newer).text] == [("text: gammel",)] * 2
            a.drafts.save(newer, {"tekst": "enda nyere"}, 3)
            await until(lambda: there(server) == [(2, {"tekst": "enda nyere"})])
            a.drafts.discard(FIELD)
            await asyncio.sleep(0.3)
            assert there(server) == [(2, {"tekst": "enda nyere"})], "the older one's end is not the newer one's"
            assert a.drafts.older(newer) is None

    asyncio.run(run())


def test_an_older_form_never_takes_the_newer_ones_place_and_its_text_stays_where_it_was_typed(server, tmp_path):
    async def run():
        newer = (*FIELD[:6], "2")
        async with at_pc(server, tmp_path / "a.sqlite") as a, at_pc(server, tmp_path / "b.sqlite") as b:
            a.drafts.save(newer, {"tekst": "ny"}, 1)
            await until(lambda: values(b, newer) == {"tekst": "ny"})
            b.drafts.save(FIELD, {"text": "i det gamle skjemaet"}, 1)
            await asyncio.sleep(0.3)
            assert there(server) == [(2, {"tekst": "ny"})]
            assert values(b) == {"text": "i det gamle skjemaet"}
            assert (values(a, newer), values(a)) == ({"tekst": "ny"}, None)

    asyncio.run(run())


def test_a_newer_form_that_did_not_know_of_the_older_ones_text_takes_its_place_and_keeps_it(server, tmp_path):
    async def run():
        newer = (*FIELD[:6], "2")
        async with at_pc(server, tmp_path / "a.sqlite", origin="http://127.0.0.1:9") as a:
            a.drafts.save(newer, {"tekst": "ny"}, 1)
            async with at_pc(server, tmp_path / "b.sqlite") as b:
                b.drafts.save(FIELD, {"text": "gammel"}, 1)
                await until(lambda: b.drafts.load(FIELD).known)
                vars(a.where).update(vars(endpoints(server.url)))
                a.sync.wake()
                await until(lambda: values(b, newer) == {"tekst": "ny"})
                assert values(a) == values(b) == {"text": "gammel"}

    asyncio.run(run())


def test_a_merge_of_two_patients_moves_what_is_unsaved(server, tmp_path):
    async def run():
        about = (*FIELD[:2], "Patient/BEB-19", *FIELD[3:])
        async with at_pc(server, tmp_path / "a.sqlite") as a:
            a.drafts.save(about, {"text": "Om den som går"}, 1)
            await until(lambda: a.drafts.load(about).known)
            a.sync.merged("Patient/BEB-19", "Patient/BEB-18")
            assert values(a) == {"text": "Om den som går"}
            assert values(a, about) is None
            a.drafts.save(about, {"text": "Enda en"}, 1)
            a.sync.merged("Patient/BEB-19", "Patient/BEB-18")
            assert values(a) == {"text": "Om den som går"}
            assert values(a, (*FIELD[:5], "~BEB-19", "1")) == {"text": "Enda en"}

    asyncio.run(run())


def test_its_name_on_the_platform_is_made_of_what_it_belongs_to_and_not_of_the_state_version():
    assert draft_id(FIELD) == draft_id((*FIELD[:6], "2"))
    assert len({draft_id((*FIELD[:at], "x", *FIELD[at + 1 :])) for at in range(1, 6)}) == 5

"""Law 7 for writes: durable before *venter*, in the store before *lagret*, and once, whatever the platform or power does."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import asynccontextmanager, closing
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

from tests.gateway.conftest import bundle, pulse
from tests.record.ill_behaved_platform import IllBehaved
from workspace.access import seal
from workspace.clock import SystemClock
from workspace.problem import Problem
from workspace.record import client as client_module
from workspace.record import readdress
from workspace.record.client import Asker, Client
from workspace.record.outbox import Form, Outbox
from workspace.sandbox.merge import merge
from workspace.vault.vault import Vault

pytestmark = pytest.mark.usefixtures("impatient")

KEY = bytes(range(32))
ASKER = Asker(("nordlys.vitals@1.0.0",), "rom-1")
NOWHERE = "http://127.0.0.1:9"


class Tokens:
    def __init__(self, make):
        self.make = make

    async def access_token(self, *, force=False):
        return self.make()


def endpoints(origin):
    return SimpleNamespace(fhir=f"{origin}/fhir", changes=origin, audit=f"{origin}/audit", time=f"{origin}/time")


@asynccontextmanager
async def outbox_at(vault_file, origin, make_token=lambda: "x", delivered=lambda answer, own: None, user="tone"):
    clock = SystemClock()
    vault = await Vault.open(vault_file, KEY, clock)
    client = Client(endpoints(origin), Tokens(make_token))
    outbox = Outbox(vault, client, clock, user=f"Practitioner/{user}", delivered=delivered)
    outbox.told = []
    outbox.on_change(lambda item: outbox.told.append((item.id, item.state)))
    await outbox.start()
    try:
        yield outbox
    finally:
        await outbox.close()
        await client.aclose()
        await vault.close()


@asynccontextmanager
async def in_front_of(server, *modes):
    here = IllBehaved(server.url, *modes)
    try:
        yield here, await here.open()
    finally:
        await here.shut()


async def until(true, seconds=8.0):
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def token_of(server):
    return lambda: server.token("tone")


def stored(server, patient="BEB-18"):
    """The values of the patient's pulses beside the one of the seed, oldest first."""
    rows = server.sign_in("tone").get(f"Observation?patient={patient}&_count=100").json()["entry"]
    new = [e["resource"] for e in rows if not e["resource"]["id"].startswith("puls-")]
    new.sort(key=lambda one: one["meta"]["lastUpdated"])
    return [int(one["valueQuantity"]["value"]) for one in new]


@pytest.mark.parametrize("mode", ["drop", "refuse", "500", "hang", "twice", "401", "302", "page", "empty", "odd"])
def test_a_set_is_stored_once_however_the_platform_misbehaves(server, tmp_path, monkeypatch, mode):
    monkeypatch.setattr(client_module, "WRITE_SECONDS", 0.6)

    async def run():
        async with (
            in_front_of(server, mode, mode) as (front, origin),
            outbox_at(tmp_path / "v.sqlite", origin, token_of(server)) as outbox,
        ):
            item = await outbox.commit(
                bundle(pulse("BEB-18", value=81), pulse("BEB-18", value=82)), "BEB-18", ASKER, 8.0
            )
            assert item.state == "lagret"
            assert outbox.unsent() == 0
            assert [state for _, state in outbox.told] == ["lagret"]
            assert {key for key, _ in front.asked} == {item.id}
            assert len({body for _, body in front.asked}) == 1

    asyncio.run(run())
    assert sorted(stored(server)) == [81, 82]


def test_a_refusal_stays_in_sight_in_the_platforms_words_across_a_restart(server, tmp_path):
    async def run():
        bad = pulse("BEB-18")
        del bad["status"]
        there = server.sign_in("tone").get("Observation/puls-BEB-18").json()
        late = {"method": "PUT", "url": "Observation/puls-BEB-18", "ifMatch": 'W/"7"'}
        outdated = {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": there, "request": late}]}
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            refused = await outbox.commit(bundle(bad), "BEB-18", ASKER)
            assert (refused.state, refused.problem.sentence) == ("avvist", "Målingen mangler status.")
            conflict = await outbox.commit(outdated, "BEB-18", ASKER)
            assert (conflict.state, conflict.problem.code) == ("konflikt", "conflict")
            foreign = await outbox.commit(bundle(pulse("BEB-01")), "BEB-01", ASKER)
            assert foreign.state == "avvist"
            after = await outbox.commit(bundle(pulse("BEB-18", value=83)), "BEB-18", ASKER)
            assert after.state == "lagret"  # a refusal holds back nothing
            assert outbox.unsent() == 0
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            again = outbox.refused()
            assert [one.id for one in again] == [refused.id, conflict.id, foreign.id]
            assert [one.state for one in again] == ["avvist", "konflikt", "avvist"]
            assert again[0].problem.sentence == "Målingen mangler status."
            assert "status" not in again[0].bundle["entry"][0]["resource"]
            for one in again:
                await outbox.forget(one.id)
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            assert outbox.refused() == ()

    asyncio.run(run())
    assert stored(server) == [83]


def test_what_waits_is_told_durable_and_delivered_in_its_order_by_the_next_start(server, tmp_path):
    async def run():
        file = tmp_path / "v.sqlite"
        async with outbox_at(file, NOWHERE) as outbox:
            for value in (71, 72, 73):
                item = await outbox.commit(bundle(pulse("BEB-18", value=value)), "BEB-18", ASKER, 0.05)
                assert item.state == "venter"
            assert outbox.unsent() == 3
            assert {state for _, state in outbox.told} == {"venter"}
        async with outbox_at(file, server.url, token_of(server), user="lege") as outbox:
            assert outbox.unsent() == 0  # another's work waits for its author
        answers = []
        async with outbox_at(file, server.url, token_of(server), lambda answer, own: answers.append(own)) as outbox:
            await until(lambda: outbox.unsent() == 0)
            assert answers == [own for own, _ in outbox.told]
        async with outbox_at(file, server.url, token_of(server)) as outbox:
            assert outbox.unsent() == 0

    asyncio.run(run())
    assert stored(server) == [71, 72, 73]


def test_one_patients_delay_holds_back_nobody_else(server, tmp_path):
    async def run():
        async with (
            in_front_of(server, "hang") as (front, origin),
            outbox_at(tmp_path / "v.sqlite", origin, token_of(server)) as outbox,
        ):
            slow = asyncio.create_task(outbox.commit(bundle(pulse("BEB-18", value=1)), "BEB-18", ASKER, 0.3))
            await until(lambda: front.asked)
            second = asyncio.create_task(outbox.commit(bundle(pulse("BEB-18", value=2)), "BEB-18", ASKER, 0.3))
            other = await outbox.commit(bundle(pulse("BEB-19", value=3)), "BEB-19", ASKER)
            assert other.state == "lagret"
            assert (await slow).state == (await second).state == "venter"
            assert len(front.asked) == 2

    asyncio.run(run())
    assert stored(server, "BEB-19") == [3]


def naming(name):
    later = pulse("BEB-18", value=90)
    return bundle({**later, "derivedFrom": [{"reference": name}]})


def test_a_later_item_names_what_an_unsent_one_became(server, tmp_path):
    async def run():
        file = tmp_path / "v.sqlite"
        first = bundle(pulse("BEB-18", value=80))
        name = first["entry"][0]["fullUrl"]
        async with outbox_at(file, NOWHERE) as outbox:
            await outbox.commit(first, "BEB-18", ASKER, 0.02)
            await outbox.commit(naming(name), "BEB-18", ASKER, 0.02)
        # The first is answered, the second's answer is lost with the power: it must go out again as it went.
        async with in_front_of(server, "", "drop") as (front, origin):
            async with outbox_at(file, origin, token_of(server)) as outbox:
                await until(lambda: len(front.asked) == 2)
            async with outbox_at(file, origin, token_of(server)) as outbox:
                await until(lambda: outbox.unsent() == 0)
                assert outbox.refused() == ()
                third = await outbox.commit(naming(name), "BEB-18", ASKER)
                assert third.state == "avvist"  # a name that nobody knows any more is not guessed
            (_, first_sent), (key, sent), (again, same) = front.asked[:3]
            assert (again, same) == (key, sent)
            reference = json.loads(sent)["entry"][0]["resource"]["derivedFrom"][0]["reference"]
            assert reference.startswith("Observation/")
            assert name.encode() in first_sent

    asyncio.run(run())
    assert stored(server) == [80, 90]


def test_a_name_is_replaced_while_the_panel_still_holds_it(server, tmp_path):
    async def run():
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            first = bundle(pulse("BEB-18", value=80))
            done = await outbox.commit(first, "BEB-18", ASKER)
            later = await outbox.commit(naming(first["entry"][0]["fullUrl"]), "BEB-18", ASKER)
            assert (done.state, later.state) == ("lagret", "lagret")
            made = done.answer["entry"][0]["resource"]["id"]
            assert later.answer["entry"][0]["resource"]["derivedFrom"] == [{"reference": f"Observation/{made}"}]

    asyncio.run(run())


def test_signed_out_work_waits_for_its_author(server, tmp_path):
    async def run():
        signed = []

        def token():
            if not signed:
                raise Problem("signed-out", "Innloggingen er utløpt.")
            return server.token("tone")

        async with outbox_at(tmp_path / "v.sqlite", server.url, token) as outbox:
            item = await outbox.commit(bundle(pulse("BEB-18", value=77)), "BEB-18", ASKER, 0.2)
            assert item.state == "venter"
            signed.append(True)
            await until(lambda: outbox.unsent() == 0)

    asyncio.run(run())
    assert stored(server) == [77]


def test_a_panel_that_goes_away_and_listeners_that_fail_stop_nothing(server, tmp_path):
    async def run():
        def bad(*given):
            raise RuntimeError("a fault of the screen")

        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server), bad) as outbox:
            outbox.on_change(bad)
            gone = asyncio.create_task(outbox.commit(bundle(pulse("BEB-18", value=61)), "BEB-18", ASKER))
            await asyncio.sleep(0)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            assert (await outbox.commit(bundle(pulse("BEB-18", value=62)), "BEB-18", ASKER)).state == "lagret"
            assert outbox.unsent() == 0

    asyncio.run(run())
    assert stored(server) == [61, 62]


def test_without_a_safe_place_what_waits_says_that_it_is_not_durable(tmp_path):
    async def run():
        async with outbox_at(None, NOWHERE) as outbox:
            item = await outbox.commit(bundle(pulse("BEB-18", value=81)), "BEB-18", ASKER, 0.05)
            assert (item.state, item.problem.code) == ("venter", "not-durable")
        async with outbox_at(tmp_path / "v.sqlite", NOWHERE) as outbox:
            item = await outbox.commit(bundle(pulse("BEB-18", value=81)), "BEB-18", ASKER, 0.05)
            assert (item.state, item.problem) == ("venter", None)

    asyncio.run(run())


def test_nothing_settled_is_kept_in_memory(server, tmp_path):
    async def run():
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            for value in range(5):
                await outbox.commit(bundle(pulse("BEB-18", value=60 + value)), f"p{value}", ASKER)
            await until(lambda: not outbox._sending)
            assert outbox.items() == ()
            assert not outbox._answers

    asyncio.run(run())


WORKER = """
import asyncio, sys, time
from pathlib import Path
from tests.gateway.conftest import bundle, pulse
from tests.record.test_outbox import ASKER, outbox_at

async def run(file, origin, token):
    async with outbox_at(Path(file), origin, lambda: token) as outbox:
        body = bundle(pulse("BEB-18", value=81), pulse("BEB-18", value=82))
        item = await outbox.commit(body, "BEB-18", ASKER, 0.5)
        print(item.state, flush=True)
        await asyncio.sleep(60)

asyncio.run(run(*sys.argv[1:]))
"""


@pytest.mark.parametrize("reached", [False, True], ids=["never sent", "stored, but the answer never came"])
def test_killed_after_venter_the_next_start_delivers_exactly_once(server, tmp_path, reached):
    file = tmp_path / "v.sqlite"

    async def killed():
        async with in_front_of(server, "hang" if reached else "refuse", *["refuse"] * 50) as (front, origin):
            command = [sys.executable, "-c", WORKER, str(file), origin, server.token("tone")]
            root = str(Path(__file__).parents[2])
            process = await asyncio.create_subprocess_exec(
                *command, stdout=subprocess.PIPE, cwd=root, env={**os.environ, "PYTHONPATH": root}
            )
            line = await asyncio.wait_for(process.stdout.readline(), 30)
            assert line.strip() == b"venter"
            process.send_signal(signal.SIGKILL)
            assert await process.wait() == -signal.SIGKILL
            assert front.asked

    asyncio.run(killed())
    assert sorted(stored(server)) == ([81, 82] if reached else [])

    async def next_start():
        async with outbox_at(file, server.url, token_of(server)) as outbox:
            assert outbox.unsent() == 1
            await until(lambda: outbox.unsent() == 0)
            assert outbox.refused() == ()

    asyncio.run(next_start())
    assert sorted(stored(server)) == [81, 82]


def test_a_commit_is_on_the_disk_within_a_generous_deadline(tmp_path):
    async def run():
        async with outbox_at(tmp_path / "v.sqlite", NOWHERE) as outbox:
            own = str(uuid4())
            began = time.monotonic()
            committing = asyncio.create_task(outbox.commit(bundle(pulse("BEB-18")), "BEB-18", ASKER, 5.0, own=own))
            await until(lambda: outbox.unsent() == 1)
            assert time.monotonic() - began < 1.0
            rows = await outbox._vault.run(lambda database: list(database.execute("SELECT id, state FROM outbox")))
            assert rows == [(own, "venter")]
            committing.cancel()
            await asyncio.gather(committing, return_exceptions=True)

    asyncio.run(run())


def test_what_waits_for_a_patient_who_was_joined_with_another_is_saved_on_the_one_who_stays(server, tmp_path):
    """Never on the record that is no longer in use, and with its author, its time and its panel as they were."""
    written = pulse("BEB-18", value=99)

    async def run():
        file = tmp_path / "v.sqlite"
        async with outbox_at(file, NOWHERE) as outbox:
            await outbox.commit(bundle(written), "Patient/BEB-18", ASKER, 0.05)
        joining = merge(server.store, "Patient/BEB-18", "Patient/BEB-19")
        await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(joining, server.loop).result(20))
        async with outbox_at(file, server.url, token_of(server)) as outbox:
            async with asyncio.timeout(10):
                while outbox.unsent():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert [state for _, state in outbox.told] == ["lagret"]
            assert not outbox.refused()

    asyncio.run(run())
    found = server.sign_in("tone").get("Observation?code=8867-4&patient=Patient/BEB-19&_count=50").json()["entry"]
    mine = [one["resource"] for one in found if one["resource"]["valueQuantity"]["value"] == 99]
    assert [one["subject"]["reference"] for one in mine] == ["Patient/BEB-19"]
    assert (mine[0]["performer"], mine[0]["effectiveDateTime"]) == (written["performer"], written["effectiveDateTime"])
    assert server.sign_in("tone").get("Observation?patient=Patient/BEB-18").json().get("entry", []) == []


@pytest.mark.parametrize("told", [True, False], ids=["told", "found"])
def test_what_was_refused_before_a_merge_is_about_the_one_who_stays_and_is_sent_to_that_one(server, tmp_path, told):
    bad = pulse("BEB-18", value=99)
    del bad["status"]
    form = Form("nordlys.vitals", "1.0.0", "vitals", "i1", {"pulse": "99"}, 7)

    async def run():
        file = tmp_path / "v.sqlite"
        async with outbox_at(file, server.url, token_of(server)) as outbox:
            refused = await outbox.commit(bundle(bad), "Patient/BEB-18", ASKER, 5.0, form=form)
            other = await outbox.commit(bundle({**bad, "subject": {"reference": "Patient/BEB-30"}}), "x", ASKER, 5.0)
            joining = merge(server.store, "Patient/BEB-18", "Patient/BEB-19")
            await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(joining, server.loop).result(20))
            await outbox.merged("Patient/BEB-18" if told else "")
            assert [one.id for one in outbox.refused()] == [refused.id, other.id]
        async with outbox_at(file, server.url, token_of(server)) as outbox:
            moved, untouched = outbox.refused()
            assert (moved.state, moved.patient, moved.lanes) == ("avvist", "Patient/BEB-19", {"Patient/BEB-19"})
            assert (moved.problem.sentence, moved.form) == (refused.problem.sentence, form)
            assert (moved.author, moved.made) == (refused.author, refused.made)
            assert untouched.body() == other.body(), "nobody else's is touched"
            seal.verify(moved.seal, transaction=moved.sent_as, author=moved.author, content=moved.sent)
            mended = await outbox.commit(
                bundle(pulse("BEB-19", value=99)), "Patient/BEB-19", ASKER, 5.0, replaces=moved.id
            )
            assert (mended.state, len(outbox.refused())) == ("lagret", 1)

    asyncio.run(run())


def test_what_waits_for_a_patient_whose_one_who_stays_may_not_be_known_is_refused_in_sight(
    server, tmp_path, monkeypatch
):
    async def nobody(client, item):
        return None

    monkeypatch.setattr(readdress, "to_the_one_who_stays", nobody)

    async def run():
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            joining = merge(server.store, "Patient/BEB-18", "Patient/BEB-19")
            await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(joining, server.loop).result(20))
            item = await outbox.commit(bundle(pulse("BEB-18", value=99)), "Patient/BEB-18", ASKER, 5.0)
            assert (item.state, item.problem.code) == ("avvist", "patient-replaced")
            assert item.problem.sentence.startswith("Journalen er slått sammen med en annen")
            assert [one.id for one in outbox.refused()] == [item.id]

    asyncio.run(run())


@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_records_that_replace_each_other_in_a_circle_end_what_waits_in_sight(server, tmp_path, length):
    names = ["BEB-18", *(f"BEB-{number}" for number in range(40, 39 + length))]

    async def run():
        file = tmp_path / "v.sqlite"
        async with outbox_at(file, NOWHERE) as outbox:
            item = await outbox.commit(bundle(pulse("BEB-18", value=99)), "Patient/BEB-18", ASKER, 0.02)
        for gone, stays in zip(names, [*names[1:], names[0]], strict=True):
            link = [{"other": {"reference": f"Patient/{stays}"}, "type": "replaced-by"}]
            server.store_put({"resourceType": "Patient", "id": gone, "active": False, "link": link})
        async with outbox_at(file, server.url, token_of(server)) as outbox:
            await until(outbox.refused)
            (refused,) = outbox.refused()
            assert (refused.state, refused.patient, refused.key) == ("avvist", "Patient/BEB-18", item.key)
            assert refused.problem.code == "patient-circle"
            assert "ikke kjent hvilken av dem som består" in refused.problem.sentence
            for gone in ("", *(f"Patient/{each}" for each in names)):
                await outbox.merged(gone)
            assert [(one.patient, one.bundle) for one in outbox.refused()] == [("Patient/BEB-18", item.bundle)]
            assert (outbox.unsent(), outbox._sending) == (0, {})
            # The links are mended: it goes as it stands.
            server.store_put({"resourceType": "Patient", "id": "BEB-18", "active": True})
            mended = await outbox.commit(refused.bundle, refused.patient, ASKER, 5.0, replaces=refused.id)
            assert (mended.state, outbox.refused()) == ("lagret", ())

    asyncio.run(run())
    found = server.sign_in("tone").get("Observation?code=8867-4&patient=Patient/BEB-18&_count=50").json()["entry"]
    assert [e["resource"]["valueQuantity"]["value"] for e in found].count(99) == 1


def test_what_a_platform_has_forgotten_that_it_wrote_is_not_written_twice(server, tmp_path):
    """The answer was lost, then the gateway's file: it knows the key no more, and is told that this may be a repeat."""

    async def run():
        file = tmp_path / "v.sqlite"
        async with in_front_of(server, "drop", "refuse", "refuse", "refuse") as (front, origin):
            async with outbox_at(file, origin, token_of(server)) as outbox:
                await outbox.commit(bundle(pulse("BEB-18", value=81)), "Patient/BEB-18", ASKER, 0.02)
                await until(lambda: len(front.asked) > 1)
            with closing(sqlite3.connect(server.folder / "gateway.sqlite")) as lost, lost:
                for table in ("answer", "intent"):
                    lost.execute(f"DELETE FROM {table}")
            front.modes.clear()
            async with outbox_at(file, origin, token_of(server)) as outbox:
                await until(lambda: outbox.unsent() == 0)
                assert outbox.refused() == ()
        assert stored(server) == [81]

    asyncio.run(run())

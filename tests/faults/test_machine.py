"""What a workstation does to work that waits: a full disk, a broken or foreign vault, a clock that jumps, a keyring or none.
And two of them on one care plan."""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import shutil
import subprocess
import sys
from copy import deepcopy
from datetime import timedelta
from pathlib import Path

import pytest

from tests.gateway.conftest import Server, bundle, pulse
from tests.record.test_chain import updating
from tests.record.test_outbox import ASKER, KEY, NOWHERE, outbox_at, stored, token_of, until
from workspace.clock import SystemClock
from workspace.problem import Problem
from workspace.record import patience
from workspace.vault.vault import Vault

ROOT = Path(__file__).parents[2]


@pytest.fixture
def server(tmp_path):
    found = Server(tmp_path).start()
    yield found
    found.stop()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(patience, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.1)


def python(code, *arguments, wrap=(), **environment):
    done = subprocess.run(
        [*wrap, sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True, text=True, timeout=90, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


FULL = """
import asyncio, json, resource, signal, sys
from pathlib import Path
from tests.gateway.conftest import bundle, pulse
from tests.record.test_outbox import ASKER, NOWHERE, outbox_at
from workspace.problem import Problem

async def run(file):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    async with outbox_at(file, NOWHERE) as outbox:
        first = await outbox.commit(bundle(pulse("BEB-18", value=1)), "BEB-18", ASKER, 0.01)
        size = sum(one.stat().st_size for one in file.parent.glob(file.name + "*"))
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 60_000, hard))
        kept, refused = [first.id], []
        for number in range(60):
            try:
                body = bundle(pulse("BEB-18", value=number, note=[{"text": "x" * 2000}]))
                kept.append((await outbox.commit(body, "BEB-18", ASKER, 0.01)).id)
            except Problem as problem:
                refused.append(problem.code)
        waiting = outbox.unsent()
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        kept.append((await outbox.commit(bundle(pulse("BEB-18", value=9)), "BEB-18", ASKER, 0.01)).id)
        print(json.dumps({"kept": kept, "refused": refused, "waiting": waiting}))

asyncio.run(run(Path(sys.argv[1])))
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit on files here")
def test_on_a_full_disk_nothing_is_called_venter_that_is_not_kept(tmp_path):
    file = tmp_path / "v.sqlite"
    told = python(FULL, file)
    assert set(told["refused"]) <= {"vault-full", "vault-unwritable"}
    assert told["refused"]
    assert told["waiting"] == len(told["kept"]) - 1

    async def again():
        async with outbox_at(file, NOWHERE) as outbox:
            assert [one.id for one in outbox.items()] == told["kept"]

    asyncio.run(again())


@pytest.mark.parametrize("how", ["damaged", "of another user"])
def test_a_vault_that_cannot_be_read_is_kept_aside_with_the_work_in_it(tmp_path, how):
    async def run():
        file = tmp_path / "v.sqlite"
        async with outbox_at(file, NOWHERE) as outbox:
            await outbox.commit(bundle(pulse("BEB-18", value=81)), "BEB-18", ASKER, 0.02)
        whole = file.read_bytes()
        if how == "damaged":
            with file.open("r+b") as raw:
                raw.seek(100)
                raw.write(b"\0" * 3000)
        key = KEY if how == "damaged" else bytes(reversed(KEY))
        with pytest.raises(Problem) as caught:
            await Vault.open(file, key, SystemClock())
        assert caught.value.code == "vault-damaged"
        (aside,) = tmp_path.glob("*skadet*.sqlite")
        assert str(aside) in caught.value.sentence  # whoever helps is told where the work lies
        async with outbox_at(file, NOWHERE) as outbox:  # a new one works at once
            assert outbox.items() == ()
        if how != "damaged":
            file.unlink()
            aside.rename(file)
            assert file.read_bytes() == whole
            async with outbox_at(file, NOWHERE) as outbox:
                assert outbox.unsent() == 1  # its own user finds it whole

    asyncio.run(run())


class Jumping(SystemClock):
    """A machine whose clock somebody sets."""

    def __init__(self):
        self.by = timedelta()

    def real(self):
        return super().real() + self.by


def test_a_clock_that_jumps_changes_neither_order_nor_what_is_kept(server, tmp_path, monkeypatch):
    clock = Jumping()
    monkeypatch.setattr("tests.record.test_outbox.SystemClock", lambda: clock)

    async def run():
        file = tmp_path / "v.sqlite"
        async with outbox_at(file, NOWHERE) as outbox:
            for value, hours in ((71, 0), (72, -9000), (73, 5), (74, -1)):
                clock.by = timedelta(hours=hours)
                await outbox.commit(bundle(pulse("BEB-18", value=value)), "BEB-18", ASKER, 0.02)
        clock.by = timedelta(days=-3)
        async with outbox_at(file, server.url, token_of(server)) as outbox:
            await until(lambda: outbox.unsent() == 0)
            assert outbox.refused() == ()
        assert stored(server) == [71, 72, 73, 74]

    asyncio.run(run())


def test_two_workstations_on_one_care_plan_lose_no_word_of_either(server, tmp_path):
    """Both work on, one of them without the network; at the end each word of both stands, in the plan or its history."""
    dice = random.Random(7)
    plan = {
        "resourceType": "CarePlan",
        "id": "plan-18",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": "Patient/BEB-18"},
        "author": {"reference": "Practitioner/lege"},
        "contributor": [{"reference": "Practitioner/tone"}],
        "title": "Tiltaksplan",
        "description": "Spiser lite",
        "note": [{"text": "opprettet"}],
    }
    server.store_put(plan)

    async def edits(outbox, who, many):
        """Changes of one's own fields, of the common one, and words added to the notes, each from what one sees."""
        words = []
        name = "CarePlan/plan-18"
        for number in range(many):
            there = server.sign_in(who).get(name).json()
            word = f"{who} {number}"
            changed = deepcopy(there)
            changed["author"] = {"reference": f"Practitioner/{who}"}
            changed["note"] = [*there["note"], {"text": word}]
            if dice.random() < 0.5:
                changed["description"] = f"Endret av {word}"
                words.append(changed["description"])
            words.append(word)
            body = updating(changed, there["meta"]["versionId"])
            await outbox.commit(body, "Patient/BEB-18", ASKER, 0.3, bases={name: there})
            await asyncio.sleep(dice.random() * 0.02)
        return words

    async def run():
        async with (
            outbox_at(tmp_path / "a.sqlite", NOWHERE) as away,
            outbox_at(tmp_path / "b.sqlite", server.url, lambda: server.token("lege"), user="lege") as doctor,
        ):
            tones, doctors = await asyncio.gather(edits(away, "tone", 4), edits(doctor, "lege", 4))
        async with outbox_at(tmp_path / "a.sqlite", server.url, token_of(server)) as tone:
            asked = 0
            async with asyncio.timeout(20):
                while tone.items():
                    for shown in await tone.conflicts():
                        asked += 1
                        (one,) = shown.resources
                        assert {"tone", "lege"} >= {one.theirs_by.reference.rpartition("/")[2]}
                        chosen = {each.path: dice.choice(["mine", "theirs"]) for each in one.comparison.open}
                        settled = await tone.resolve(shown, {one.name: chosen})
                        assert settled.state in ("lagret", "venter", "konflikt"), settled.problem
                    await asyncio.sleep(0.02)
            assert asked
        history = server.sign_in("tone").get("CarePlan/plan-18/_history?_count=100").json()["entry"]
        origins = server.sign_in("tone").get("Provenance?target=CarePlan/plan-18&_count=100").json().get("entry", [])
        everything = json.dumps([history, origins])
        assert [word for word in tones + doctors if word not in everything] == []
        newest = history[0]["resource"]
        assert {note["text"] for note in newest["note"]} == {"opprettet"} | {
            f"{who} {number}" for who in ("tone", "lege") for number in range(4)
        }

    asyncio.run(run())


KEYRING = """
import asyncio, json, sys
from pathlib import Path
from tests.gateway.conftest import bundle, pulse
from tests.record.test_outbox import ASKER, NOWHERE, Tokens, endpoints
from workspace.clock import SystemClock
from workspace.record.client import Client
from workspace.record.outbox import Outbox
from workspace.vault.keys import device_key
from workspace.vault.people import Vaults

async def run(profile, user, value):
    found = device_key(profile)
    vaults = await Vaults.open(profile, found.key, SystemClock(), tenant="311000101")
    vault = await vaults.open_for("311000101", f"Practitioner/{user}", user, "sykepleier")
    client = Client(endpoints(NOWHERE), Tokens(lambda: "x"))
    outbox = Outbox(vault, client, SystemClock(), user=f"Practitioner/{user}")
    await outbox.start()
    before = outbox.unsent()
    item = await outbox.commit(bundle(pulse("BEB-18", value=value)), "BEB-18", ASKER, 0.05)
    print(json.dumps({
        "kept": found.kept, "durable": vault.durable, "before": before, "state": item.state,
        "problem": item.problem.code if item.problem else "",
    }))
    await outbox.close()
    await client.aclose()
    await vaults.close()

asyncio.run(run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
"""
UNLOCK = "printf 'passord\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; exec \"$@\""
HAS_KEYRING = bool(shutil.which("dbus-run-session") and shutil.which("gnome-keyring-daemon"))


@pytest.mark.skipif(not HAS_KEYRING, reason="needs dbus-run-session and gnome-keyring (dev.py names them)")
def test_with_a_real_keyring_unsent_work_outlives_sign_out_and_is_its_authors_alone(tmp_path):
    folders = {}
    for name in ("HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"):
        folders[name] = str(tmp_path / name)
        (tmp_path / name).mkdir(mode=0o700)
    wrap = ("dbus-run-session", "--", "sh", "-c", UNLOCK, "sh")
    profile = tmp_path / "profile"
    first = python(KEYRING, profile, "tone", 81, wrap=wrap, **folders)
    assert (first["kept"], first["durable"], first["state"], first["problem"]) == ("keyring", True, "venter", "")
    other = python(KEYRING, profile, "lege", 82, wrap=wrap, **folders)
    assert (other["kept"], other["before"]) == ("keyring", 0)  # a colleague at the same PC sees nothing of it
    again = python(KEYRING, profile, "tone", 83, wrap=wrap, **folders)
    assert (again["kept"], again["before"]) == ("keyring", 1)
    assert [one.name for one in profile.glob("*.key")] == []


def test_without_a_keyring_unsent_work_says_that_it_is_not_kept(tmp_path):
    nothing = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent", "HOME": str(tmp_path)}
    told = python(KEYRING, tmp_path / "profile", "tone", 81, **nothing)
    assert (told["kept"], told["durable"], told["problem"]) == ("nowhere", False, "not-durable")
    assert not (tmp_path / "profile").exists()

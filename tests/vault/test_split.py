"""From one vault for everybody to one for each: all of it, to its owner, whenever the power goes."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.vaulted import asked_of, keys_of
from workspace.clock import SystemClock
from workspace.vault.people import FORMER, Vaults
from workspace.vault.vault import Vault

KEY = bytes(range(32))
TENANT = "311000101"
TONE, DAHL = "Practitioner/tone", "Practitioner/dahl"
ROOT = Path(__file__).parents[2]
TABLES = ("draft", "outbox", "tally", "offline", "report")


def rows(database):
    """What lies in the former vault: two people's, by turns."""
    for number, user in enumerate((TONE, DAHL, TONE, DAHL, TONE)):
        draft = (
            json.dumps([user, number]),
            TENANT,
            user,
            "",
            f'"d{number}"',
            number,
            f"2026-01-14T1{number}:00:00",
            0,
            "",
        )
        database.execute("INSERT INTO draft VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", draft)
        item = (f"id-{number}", user, "Patient/BEB-18", "venter", f"body {number}", "2026-01-14T14:45:00")
        database.execute("INSERT INTO outbox (id, user, patient, state, body, made) VALUES (?, ?, ?, ?, ?, ?)", item)
    for user in (TONE, DAHL):
        database.execute("INSERT INTO tally VALUES (?, '2026-01-14 dag', 3, 2)", (user,))
        database.execute("INSERT INTO offline VALUES (?, 'Organization/havblikk', 'Flag', 'x', 't', 9)", (user,))
        database.execute("INSERT INTO setting VALUES (?, ?)", (f"session-key:{user}", user))
        database.execute("INSERT INTO report (id, user, body) VALUES (?, ?, 'seen')", (f"r-{user}", user))
    database.execute("INSERT INTO setting VALUES ('workstation', 'stua')")


async def former(profile):
    vault = await Vault.open(profile / FORMER, KEY, SystemClock())
    await vault.run(rows)
    await vault.close()


def opened(profile):
    return Vaults.open(profile, KEY, SystemClock(), tenant=TENANT)


def held(database):
    return {
        "drafts": [row[0] for row in database.execute("SELECT body FROM draft ORDER BY saved")],
        "outbox": list(database.execute("SELECT id, body FROM outbox ORDER BY seq")),
        "tally": list(database.execute("SELECT shift, typed, reused FROM tally")),
        "offline": list(database.execute("SELECT query FROM offline")),
        "reports": list(database.execute("SELECT id FROM report")),
        "keys": list(database.execute("SELECT name FROM setting")),
        "users": {
            row[0] for t in ("draft", "outbox", "tally", "offline") for row in database.execute(f"SELECT user FROM {t}")
        },
    }


def whole(user, *numbers):
    return {
        "drafts": [f'"d{number}"' for number in numbers],
        "outbox": [(f"id-{number}", f"body {number}") for number in numbers],
        "tally": [("2026-01-14 dag", 3, 2)],
        "offline": [("Flag",)],
        "reports": [(f"r-{user}",)],
        "keys": [(f"session-key:{user}",)],
        "users": {user},
    }


async def is_whole(profile):
    """All that was in the former vault is with its owner, once, and gone from where it was."""
    vaults = await opened(profile)
    try:
        found = {}
        for person in await vaults.others():
            async with vaults.visit(person) as vault:
                found[person.who.user] = await vault.run(held)
        assert found == {TONE: whole(TONE, 0, 2, 4), DAHL: whole(DAHL, 1, 3)}
        left = await vaults.device().run(held)
        assert left["keys"] == [("workstation",)]
        assert [left[name] for name in ("drafts", "outbox", "tally", "offline", "reports")] == [[]] * 5
    finally:
        await vaults.close()


def test_everybody_gets_what_is_theirs_in_its_order(tmp_path):
    async def run():
        await former(tmp_path)
        await (await opened(tmp_path)).close()
        await is_whole(tmp_path)

    asyncio.run(run())
    assert b"body 1" not in (tmp_path / FORMER).read_bytes()
    assert len(keys_of(tmp_path, KEY)) == 3


def test_nothing_is_given_before_it_is_known_whose_organisation_it_is(tmp_path):
    """`workspace wipe` opens them so: it does not know the platform."""

    async def run():
        await former(tmp_path)
        vaults = await Vaults.open(tmp_path, KEY, SystemClock())
        assert await vaults.others() == []
        assert len((await vaults.device().run(held))["outbox"]) == 5
        await vaults.close()

    asyncio.run(run())


def test_an_older_program_may_have_worked_in_between(tmp_path):
    """It writes where it always did, under numbers that are taken by now; nothing is lost, and the newest draft stands."""

    def more(database):
        item = ("id-9", TONE, "Patient/BEB-18", "venter", "body 9", "2026-01-15T07:00:00")
        database.execute("INSERT INTO outbox VALUES (1, ?, ?, ?, ?, ?, ?)", item)
        for key, saved, body in (
            (json.dumps([TONE, 0]), "2026-01-15T07:00:00", '"new"'),
            (json.dumps([TONE, 2]), "2025", '"old"'),
        ):
            draft = (key, TENANT, TONE, "", body, 1, saved, 0, "")
            database.execute("INSERT INTO draft VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", draft)

    async def run():
        await former(tmp_path)
        await (await opened(tmp_path)).close()
        older = await Vault.open(tmp_path / FORMER, KEY, SystemClock())
        await older.run(more)
        await older.close()
        vaults = await opened(tmp_path)
        hers = await (await vaults.open_for(TENANT, TONE)).run(held)
        await vaults.close()
        assert [own for own, _ in hers["outbox"]] == ["id-0", "id-2", "id-4", "id-9"]
        assert hers["drafts"] == ['"d2"', '"d4"', '"new"']

    asyncio.run(run())


WORKER = """
# One process for each place where the power can go: it is killed there, and the next one is born of the same parent.
import asyncio, os, signal, sys, tempfile, shutil
from pathlib import Path
import apsw
import cryptography.hazmat.primitives.ciphers.aead
from tests.vault import test_split
from workspace.vault import people, split, wraps
from workspace.vault.vault import Vault

profile, number = Path(sys.argv[1]), 0
kept = profile.with_name("kept")

def dies_at(place):
    passed = [0]

    def step():
        passed[0] += 1
        if passed[0] == place:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(owner, name):
        inner = getattr(owner, name)

        def done(*given, **how):
            step()
            return inner(*given, **how)

        setattr(owner, name, done)

    for owner, name in ((wraps, "replace_file"), (wraps, "sync_folder"), (split, "_copy"), (split, "_empty")):
        around(owner, name)
    import workspace.vault.vault as vault
    around(vault, "_scrub")
    around(vault, "_open")
    around(vault, "_transaction")

while True:
    number += 1
    shutil.rmtree(profile, ignore_errors=True)
    shutil.copytree(kept, profile)
    child = os.fork()
    if child == 0:
        dies_at(number)
        asyncio.run(test_split.split_and_close(profile))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0, status
        break
    assert os.WTERMSIG(status) == signal.SIGKILL, status
    judge = os.fork()
    if judge == 0:
        asyncio.run(test_split.is_whole(profile))
        os._exit(0)
    assert os.waitpid(judge, 0)[1] == 0, f"after the kill at step {number}"
print(number - 1)
"""


async def split_and_close(profile):
    await (await opened(profile)).close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each kill has a process of its own")
def test_the_power_goes_at_each_step(tmp_path):
    """Some three seconds: two processes for each of the places where it can go."""
    (tmp_path / "kept").mkdir()
    asyncio.run(former(tmp_path / "kept"))
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(tmp_path / "profile")],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT, timeout=90, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20, "it was killed in each of them"
    asyncio.run(is_whole(tmp_path / "profile"))
    assert {row[0] for row in asked_of(tmp_path / "profile", KEY, "SELECT id FROM outbox")} == {
        f"id-{n}" for n in range(5)
    }

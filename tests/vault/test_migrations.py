"""The schema's steps: each whole or not at all."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from workspace.clock import SystemClock
from workspace.problem import Problem
from workspace.vault import vault as vault_module
from workspace.vault.migrations import MIGRATIONS, Migration, migrate
from workspace.vault.vault import Vault

NEXT = MIGRATIONS[-1].version + 1
KEY = bytes(range(32))


def tables(database):
    return {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def version(database):
    return next(iter(database.execute("PRAGMA user_version")))[0]


@pytest.fixture
def database():
    made = apsw.Connection(":memory:")
    yield made
    made.close()


def test_every_vault_ends_at_the_newest_version_wherever_it_began(database):
    migrate(database, MIGRATIONS[:1])
    database.execute("INSERT INTO setting VALUES ('a', 'b')")
    migrate(database)
    migrate(database)
    assert version(database) == MIGRATIONS[-1].version
    assert {"setting", "draft", "outbox"} <= tables(database)
    assert list(database.execute("SELECT * FROM setting")) == [("a", "b")]


def test_a_step_that_fails_in_the_middle_leaves_the_former_version_whole(database):
    migrate(database)
    broken = Migration(NEXT, ("CREATE TABLE new (x)", "DROP TABLE setting", "not a statement"))
    with pytest.raises(apsw.SQLError):
        migrate(database, (*MIGRATIONS, broken))
    assert version(database) == MIGRATIONS[-1].version
    assert "setting" in tables(database)
    assert "new" not in tables(database)
    migrate(database, (*MIGRATIONS, Migration(NEXT, ("CREATE TABLE new (x)",))))
    assert version(database) == NEXT


WORKER = """
import os, signal, sys
import apsw
from workspace.vault import migrations, vault

def die():
    os.kill(os.getpid(), signal.SIGKILL)

database = apsw.Connection(sys.argv[1])
database.create_scalar_function("die", die)
steps = (*migrations.MIGRATIONS, migrations.Migration(99, (
    "CREATE TABLE new (x)", "DELETE FROM setting", "PRAGMA cache_spill = 1", "SELECT die()",
)))
vault.migrate = lambda connection: migrations.migrate(connection, steps)
vault._prepare(database, bytes(range(32)))
"""


def test_the_power_goes_in_the_middle_of_a_step(tmp_path, monkeypatch):
    file = tmp_path / "vault.sqlite"

    async def before():
        vault = await Vault.open(file, KEY, SystemClock())
        await vault.set_setting("a", "b")
        await vault.close()

    asyncio.run(before())
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(file)], env={**os.environ, "PYTHONPATH": root}, cwd=root, timeout=60
    )
    assert done.returncode == -signal.SIGKILL

    async def after(known):
        vault = await Vault.open(file, KEY, SystemClock())
        assert await vault.setting("a") == "b"
        assert await vault.run(version) == known
        await vault.close()

    asyncio.run(after(MIGRATIONS[-1].version))
    mended = (*MIGRATIONS, Migration(NEXT, ("CREATE TABLE new (x)",)))
    monkeypatch.setattr(vault_module, "migrate", lambda database: migrate(database, mended))
    asyncio.run(after(NEXT))


def test_a_vault_of_a_newer_program_is_left_as_it_is(tmp_path):
    async def run():
        file = tmp_path / "vault.sqlite"
        vault = await Vault.open(file, KEY, SystemClock())
        await vault.set_setting("a", "b")
        await vault.close()
        database = apsw.Connection(str(file))
        list(database.execute(f"PRAGMA hexkey = '{KEY.hex()}'"))
        database.execute(f"PRAGMA user_version = {NEXT + 5}")
        database.close()
        with pytest.raises(Problem) as caught:
            await Vault.open(file, KEY, SystemClock())
        assert caught.value.code == "vault-newer"
        assert [one.name for one in tmp_path.iterdir() if "skadet" in one.name] == []

    asyncio.run(run())

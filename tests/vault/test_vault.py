"""The local store: nothing readable on the disk, nothing lost in a crash, nothing deleted that cannot be read."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workspace.clock import SystemClock
from workspace.problem import Problem
from workspace.vault.vault import Vault

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


def opened(path, key=KEY):
    return Vault.open(path, key, SystemClock())


def test_what_was_set_is_there_again_and_not_readable_on_the_disk(tmp_path):
    async def run():
        file = tmp_path / "profile" / "vault.sqlite"
        vault = await opened(file)
        assert vault.durable
        await vault.set_setting("last-patient", "Multebær Myhre")
        await vault.set_setting("gone", "x")
        await vault.set_setting("gone", None)
        await vault.close()
        await vault.close()
        assert b"Multeb" not in b"".join(one.read_bytes() for one in file.parent.iterdir())
        assert b"SQLite format" not in file.read_bytes()
        assert os.name != "posix" or file.stat().st_mode & 0o077 == 0
        vault = await opened(file)
        assert await vault.setting("last-patient") == "Multebær Myhre"
        assert await vault.setting("gone") is None
        await vault.close()
        with pytest.raises(Problem) as caught:
            await vault.setting("last-patient")
        assert caught.value.code == "vault-closed"

    asyncio.run(run())


@pytest.mark.parametrize(("path", "key"), [(None, None), (None, KEY), ("vault.sqlite", None)])
def test_without_path_or_key_it_is_in_memory_and_says_so(tmp_path, path, key):
    async def run():
        vault = await opened(path and tmp_path / path, key)
        assert not vault.durable
        await vault.set_setting("a", "b")
        assert await vault.setting("a") == "b"
        await vault.close()
        assert list(tmp_path.iterdir()) == []

    asyncio.run(run())


@pytest.mark.parametrize("how", ["wrong key", "overwritten", "cut short"])
def test_a_file_that_cannot_be_read_is_moved_aside_whole_and_a_new_one_is_made(tmp_path, how):
    async def run():
        file = tmp_path / "vault.sqlite"
        vault = await opened(file)
        for number in range(200):
            await vault.set_setting(f"name {number}", "y" * 100)
        await vault.close()
        if how == "overwritten":
            with file.open("r+b") as raw:
                raw.write(b"\0" * 8192)
        elif how == "cut short":
            os.truncate(file, file.stat().st_size // 2)
        before = file.read_bytes()
        with pytest.raises(Problem) as caught:
            await opened(file, OTHER if how == "wrong key" else KEY)
        assert caught.value.code == "vault-damaged"
        (aside,) = [one for one in tmp_path.iterdir() if "skadet" in one.name and one.suffix == ".sqlite"]
        assert aside.name in caught.value.sentence
        assert aside.read_bytes() == before
        vault = await opened(file)
        assert await vault.setting("name 1") is None
        await vault.close()

    asyncio.run(run())


def test_two_programs_do_not_share_one_profile(tmp_path):
    async def run():
        file = tmp_path / "vault.sqlite"
        first = await opened(file)
        with pytest.raises(Problem) as caught:
            await opened(file)
        assert caught.value.code == "vault-locked"
        await first.set_setting("a", "b")
        await first.close()
        second = await opened(file)
        assert await second.setting("a") == "b"
        await second.close()

    asyncio.run(run())


def test_what_fails_midway_leaves_nothing(tmp_path):
    async def run():
        vault = await opened(tmp_path / "vault.sqlite")

        def half(database):
            database.execute("INSERT INTO setting VALUES ('a', 'b')")
            raise RuntimeError("midway")

        with pytest.raises(RuntimeError, match="midway"):
            await vault.run(half)
        assert await vault.setting("a") is None
        await vault.close()

    asyncio.run(run())


def test_a_full_disk_is_told_and_leaves_the_vault_whole(tmp_path):
    async def run():
        vault = await opened(tmp_path / "vault.sqlite")
        await vault.set_setting("a", "b")
        limit = vault._pool.submit(lambda: list(vault._database.execute("PRAGMA max_page_count = 20")))
        await asyncio.wrap_future(limit)
        with pytest.raises(Problem) as caught:
            await vault.set_setting("big", "x" * 1_000_000)
        assert caught.value.code == "vault-full"
        await vault.set_setting("c", "d")
        assert (await vault.setting("a"), await vault.setting("big"), await vault.setting("c")) == ("b", None, "d")
        await vault.close()

    asyncio.run(run())


def test_a_folder_where_nothing_can_be_made_is_told(tmp_path):
    async def run():
        (tmp_path / "file").write_text("x")
        with pytest.raises(Problem) as caught:
            await opened(tmp_path / "file" / "vault.sqlite")
        assert caught.value.code == "vault-unwritable"

    asyncio.run(run())


def test_a_key_of_another_length_is_a_fault_of_ours(tmp_path):
    with pytest.raises(ValueError, match="32"):
        asyncio.run(opened(tmp_path / "vault.sqlite", b"short"))


WORKER = """
import asyncio, sys
from pathlib import Path
from tests.vault.test_vault import opened

async def run():
    vault = await opened(Path(sys.argv[1]))
    number = 0
    while True:
        await vault.set_setting("count", str(number))
        print(number, flush=True)
        number += 1

asyncio.run(run())
"""


def test_what_run_has_answered_survives_a_kill(tmp_path):
    root = str(Path(__file__).parents[2])
    file = tmp_path / "vault.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(file)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root},
        cwd=root,
    ) as process:
        for _ in range(20):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        said = [line for line in process.stdout.read().split(b"\n")[:-1] if line]
        process.wait(10)

    async def run():
        vault = await opened(file)
        count = int(await vault.setting("count"))
        assert count >= (int(said[-1]) if said else 19)
        await vault.close()

    asyncio.run(run())

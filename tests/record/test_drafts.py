"""Law 7 for keystrokes: on the disk within a second, its author's alone, gone when it is emptied."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from workspace.clock import SystemClock
from workspace.problem import Problem
from workspace.record.drafts import Drafts
from workspace.vault.vault import Vault

KEY = bytes(range(32))
FIELD = ("311000101", "Practitioner/tone", "Patient/BEB-18", "polarvakt.note", "note", "", "1")


@asynccontextmanager
async def drafts_at(file, user="tone", tenant="311000101"):
    vault = await Vault.open(file, KEY, SystemClock())
    drafts = Drafts(vault, SystemClock(), tenant=tenant, user=f"Practitioner/{user}")
    await drafts.start()
    try:
        yield drafts
    finally:
        await drafts.close()
        await vault.close()


async def rows(drafts):
    return await drafts._vault.run(lambda database: list(database.execute("SELECT user, patient, body FROM draft")))


def test_a_keystroke_is_on_the_disk_within_a_second_and_many_cost_few_writes(tmp_path):
    async def run():
        async with drafts_at(tmp_path / "v.sqlite") as drafts:
            for number in range(50):
                drafts.save(FIELD, {"text": "s" * number}, number)
                assert drafts.load(FIELD).values == {"text": "s" * number}
            assert await rows(drafts) == []
            async with asyncio.timeout(1.0):
                while not await rows(drafts):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            (only,) = await rows(drafts)
            assert only[:2] == ("Practitioner/tone", "Patient/BEB-18")
            assert "s" * 49 in only[2]

    asyncio.run(run())


def test_closing_writes_what_was_typed_a_moment_ago(tmp_path):
    async def run():
        async with drafts_at(tmp_path / "v.sqlite") as drafts:
            saved = drafts.save(FIELD, {"text": "Sov godt"}, 8)
        async with drafts_at(tmp_path / "v.sqlite") as drafts:
            kept = drafts.load(FIELD)
            assert (kept.values, kept.revision, kept.saved) == ({"text": "Sov godt"}, 8, saved)

    asyncio.run(run())


def test_only_its_author_at_its_own_tenant_finds_it(tmp_path):
    async def run():
        async with drafts_at(tmp_path / "v.sqlite") as drafts:
            drafts.save(FIELD, {"text": "Sov godt"}, 8)
        for user, tenant in (("lege", "311000101"), ("tone", "999999999")):
            async with drafts_at(tmp_path / "v.sqlite", user, tenant) as drafts:
                assert drafts.load(FIELD) is None
        assert b"Sov godt" not in b"".join(one.read_bytes() for one in tmp_path.iterdir())

    asyncio.run(run())


def test_an_emptied_draft_is_forgotten_and_does_not_come_back(tmp_path):
    async def run():
        async with drafts_at(tmp_path / "v.sqlite") as drafts:
            drafts.save(FIELD, {"text": "Sov godt"}, 8)
            await drafts.flush()
            drafts.save(FIELD, {}, 9)
            assert drafts.load(FIELD) is None
        async with drafts_at(tmp_path / "v.sqlite") as drafts:
            assert drafts.load(FIELD) is None
            assert await rows(drafts) == []

    asyncio.run(run())


def test_what_was_forgotten_while_the_vault_was_read_stays_forgotten(tmp_path):
    async def run():
        async with drafts_at(tmp_path / "v.sqlite") as drafts:
            drafts.save(FIELD, {"text": "Sov godt"}, 8)
        vault = await Vault.open(tmp_path / "v.sqlite", KEY, SystemClock())
        drafts = Drafts(vault, SystemClock(), tenant="311000101", user="Practitioner/tone")
        drafts.save(FIELD, {}, 9)
        await drafts.start()
        assert drafts.load(FIELD) is None
        await drafts.close()
        await vault.close()

    asyncio.run(run())


def test_a_full_disk_is_tried_again(tmp_path, monkeypatch):
    async def run():
        async with drafts_at(tmp_path / "v.sqlite") as drafts:
            real, failures = drafts._vault.run, []

            async def full(work):
                if len(failures) < 1:
                    failures.append(work)
                    raise Problem("vault-full", "Disken er full.")
                return await real(work)

            monkeypatch.setattr(drafts._vault, "run", full)
            drafts.save(FIELD, {"text": "Sov godt"}, 8)
            async with asyncio.timeout(4.0):
                while not failures or not await rows(drafts):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

    asyncio.run(run())


WORKER = """
import asyncio, sys
from pathlib import Path
from tests.record.test_drafts import FIELD, drafts_at

async def run():
    async with drafts_at(Path(sys.argv[1])) as drafts:
        drafts.save(FIELD, {"text": "Sov godt"}, 8)
        await asyncio.sleep(1.0)
        print("a second", flush=True)
        await asyncio.sleep(60)

asyncio.run(run())
"""


def test_a_second_after_the_keystroke_a_killed_program_has_lost_nothing(tmp_path):
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(tmp_path / "v.sqlite")], stdout=subprocess.PIPE, env=environment, cwd=root
    ) as process:
        assert process.stdout.readline().strip() == b"a second"
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    async def run():
        async with drafts_at(tmp_path / "v.sqlite") as drafts:
            assert drafts.load(FIELD).values == {"text": "Sov godt"}

    asyncio.run(run())

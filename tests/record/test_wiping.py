"""A wipe does all that can be done: what cannot be cleaned in one vault keeps nobody else's copies readable."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import contextmanager
from functools import partial

import apsw
import pytest

from workspace.clock import SystemClock
from workspace.problem import Problem
from workspace.record.wiping import clear, wipe
from workspace.vault import pin as pin_module
from workspace.vault import vault as vault_module
from workspace.vault import wraps
from workspace.vault.people import Vaults, roster

KEY = bytes(range(32))
PLACES = "(id, user, patient, state, body, made)"


@pytest.fixture(autouse=True)
def _cheap_pins(monkeypatch):
    monkeypatch.setattr(pin_module, "COST", 2)


@pytest.fixture
def profile(tmp_path):
    return tmp_path / "profile"


async def opened(profile):
    return await Vaults.open(profile, KEY, SystemClock())


async def works(vaults, who, *, waits=False, size=2_000):
    """`who` has a PIN and a copy of `size` bytes, and perhaps something that waits; their vault, open."""
    vault = await vaults.open_for("311000101", f"Practitioner/{who}", who.title())
    row = (f"Practitioner/{who}", "Organization/havblikk", "Observation?x", os.urandom(size), "2026-01-14", 2**40)

    def write(database):
        database.execute("INSERT INTO offline VALUES (?, ?, ?, ?, ?, ?)", row)
        if waits:
            row_ = (who, f"Practitioner/{who}", "Patient/BEB-18", "venter", "{}", "2026-01-14")
            database.execute(f"INSERT INTO outbox {PLACES} VALUES (?, ?, ?, ?, ?, ?)", row_)

    await vault.run(write)
    await vaults.set_pin(vault, "730214")
    return vault


async def was_here(profile, who, version=None, **more):
    """As `works`, and they have left; `version` is their vault's, if a newer program has made it. Its files' id."""
    vaults = await opened(profile)
    vault = await works(vaults, who, **more)
    if version is not None:
        await vault.run(lambda database: database.execute(f"PRAGMA user_version = {version}"))
    await vaults.close()
    (own,) = [one.id for one in roster(profile, KEY) if one.who.name == who.title()]
    return own


def rows(vault, table):
    return vault.run(lambda database: next(iter(database.execute(f"SELECT count(*) FROM {table}")))[0])


def names(profile):
    return [one.who.name for one in roster(profile, KEY)]


def pins(profile):
    return [one.who.name for one in roster(profile, KEY) if one.pin]


def codes(done):
    return {own: problem.code for own, problem in done.faults.items()}


def test_a_full_disk_under_ones_own_vault_leaves_nobody_elses_copies(profile, monkeypatch):
    async def run():
        await was_here(profile, "dahl")
        await was_here(profile, "berg", waits=True)
        vaults = await opened(profile)
        tone = await works(vaults, "tone")
        scrub, full = vault_module._scrub, [tone._database]

        def scrubbed(database):
            if database in full:
                raise vault_module._unkept(apsw.FullError("database or disk is full"))
            scrub(database)

        monkeypatch.setattr(vault_module, "_scrub", scrubbed)
        done = await wipe(vaults, tone)
        assert (done.fault().code, list(done.faults)) == ("vault-full", [tone.path.stem])
        assert (done.copies, done.vaults) == (3, 1)
        assert (pins(profile), names(profile)) == ([], ["Berg", "Tone"])
        full.clear()
        assert (await wipe(vaults, tone)).fault() is None, "tried again with room"
        await vaults.close()

    asyncio.run(run())


@contextmanager
def room_for(size):
    """No file can be written beyond `size` bytes, as on a disk that has no more."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_copies_that_have_no_room_to_be_written_over_cannot_be_read_all_the_same(profile):
    async def run():
        await was_here(profile, "dahl", waits=True, size=900_000)
        vaults = await opened(profile)
        with room_for(250_000):
            done = await wipe(vaults, vaults.device())
        assert (done.copies, pins(profile)) == (1, [])
        (dahl,) = await vaults.others()
        async with vaults.visit(dahl) as his:
            assert [await rows(his, table) for table in ("offline", "outbox")] == [0, 1], "what waits is his"
            assert await his.run(lambda db: next(iter(db.execute("PRAGMA secure_delete")))[0]) == 1
        await vaults.close()

    asyncio.run(run())


@pytest.mark.parametrize("newer", ["vault", "key"])
def test_what_a_newer_program_has_made_stays_and_all_else_goes(profile, newer):
    async def run():
        hers = await was_here(profile, "anker", version=99 if newer == "vault" else None)
        if newer == "key":
            key = profile / "vaults" / f"{hers}.person"
            key.write_text(json.dumps({**json.loads(key.read_text()), "v": wraps.VERSION + 1}))
        await was_here(profile, "dahl")
        vaults = await opened(profile)
        tone = await works(vaults, "tone")
        before = (profile / "vaults" / f"{hers}.sqlite").read_bytes()
        done = await wipe(vaults, tone)
        assert codes(done) == {hers: "vault-newer"}
        assert done.fault() is not None, "not carried out before a program that knows it has been here"
        assert await rows(tone, "offline") == 0
        assert "Dahl" not in names(profile)
        assert (profile / "vaults" / f"{hers}.sqlite").read_bytes() == before
        assert b'"pin"' not in (profile / "vaults" / f"{hers}.person").read_bytes()
        assert pins(profile) == []
        await vaults.close()

    asyncio.run(run())


def test_a_damaged_one_is_passed_over_for_nobody_can_read_it(profile):
    async def run():
        hers = await was_here(profile, "anker", waits=True)
        await was_here(profile, "dahl")
        (profile / "vaults" / f"{hers}.sqlite").write_bytes(b"x" * 8192)
        vaults = await opened(profile)
        done = await wipe(vaults, vaults.device())
        assert (codes(done), done.fault()) == ({hers: "vault-damaged"}, None)
        assert (names(profile), pins(profile)) == (["Anker"], [])
        assert (profile / "vaults" / f"{hers}.sqlite").exists()
        await vaults.close()

    asyncio.run(run())


def test_pages_that_go_bad_under_an_open_vault_hold_up_no_other(profile, monkeypatch):
    async def run():
        await was_here(profile, "dahl")
        vaults = await opened(profile)
        tone = await works(vaults, "tone")

        def bad(database):
            raise apsw.CorruptError("database disk image is malformed")

        monkeypatch.setattr("workspace.record.wiping._forget", bad)
        monkeypatch.setattr("workspace.record.wiping._forget_unwritten", bad)
        done = await wipe(vaults, tone)
        assert done.fault().code == "vault-unwritable"
        assert (names(profile), pins(profile)) == (["Tone"], []), "his goes whole"
        await vaults.close()

    asyncio.run(run())


def test_a_key_that_cannot_be_written_keeps_no_other_pin(profile, monkeypatch):
    async def run():
        stuck = [await was_here(profile, "anker", waits=True), await was_here(profile, "berg")]
        await was_here(profile, "dahl", waits=True)
        end = wraps.end

        def ended(folder, own, key):
            if own in stuck:
                raise Problem("vault-unwritable", "Disken er full.")
            end(folder, own, key)

        monkeypatch.setattr(wraps, "end", ended)
        vaults = await opened(profile)
        done = await wipe(vaults, vaults.device())
        assert codes(done) == {stuck[0]: "vault-unwritable"}
        assert (names(profile), pins(profile)) == (["Anker", "Dahl"], ["Anker"]), "one with nothing in it needs no mark"
        for person in await vaults.others():
            async with vaults.visit(person) as vault:
                assert [await rows(vault, table) for table in ("offline", "outbox")] == [0, 1]
        await vaults.close()

    asyncio.run(run())


def test_what_goes_makes_room_for_who_stays(profile, monkeypatch):
    async def run():
        hers = await was_here(profile, "anker", waits=True)
        his = profile / "vaults" / f"{await was_here(profile, 'dahl')}.sqlite"
        scrub = vault_module._scrub

        def scrubbed(database):
            if his.exists() and hers in database.filename:
                raise vault_module._unkept(apsw.FullError("database or disk is full"))
            scrub(database)

        monkeypatch.setattr(vault_module, "_scrub", scrubbed)
        vaults = await opened(profile)
        done = await wipe(vaults, vaults.device())
        assert (done.faults, done.copies, done.vaults) == ({}, 2, 1)
        await vaults.close()

    asyncio.run(run())


def test_of_what_is_to_go_later_one_that_cannot_holds_up_no_other(profile, monkeypatch):
    async def run():
        kept = await was_here(profile, "anker")
        await was_here(profile, "dahl")
        vaults = await opened(profile)
        await vaults.end()
        remove = wraps.remove

        def removed(own_folder, own):
            if own == kept:
                raise Problem("vault-unwritable", "Disken svarer ikke.")
            remove(own_folder, own)

        monkeypatch.setattr(wraps, "remove", removed)
        with pytest.raises(Problem, match="svarer ikke"):
            await clear(vaults)
        assert names(profile) == ["Anker"]
        monkeypatch.setattr(wraps, "remove", partial(remove))
        assert await clear(vaults) == 1
        await vaults.close()

    asyncio.run(run())

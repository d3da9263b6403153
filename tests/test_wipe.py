"""`workspace wipe`, as an administrator runs it: what was copied is off the disk, and nothing unsent goes by accident."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys

import pytest

from tests.gateway.conftest import Server
from tests.record.test_offline import about, keep, one_pulse, until, working
from tests.vaulted import asked_of, deciphered
from workspace.away import people
from workspace.cli import main
from workspace.clock import SystemClock
from workspace.record import offline as offline_module
from workspace.record import record as record_module
from workspace.record.wiping import wipe
from workspace.vault import pin as pin_module
from workspace.vault.people import Vaults, roster

KEY = bytes(range(32))
NOWHERE = "http://127.0.0.1:9"
DRAFT = ("311000101", "Practitioner/tone", "Patient/BEB-18", "polarvakt.note", "note", "", "1")


@pytest.fixture
def server(tmp_path):
    (tmp_path / "platform").mkdir()
    made = Server(tmp_path / "platform").start()
    yield made
    made.stop()


@pytest.fixture
def profile(tmp_path, monkeypatch):
    monkeypatch.setattr(offline_module, "BETWEEN", 0.0)
    monkeypatch.setattr(offline_module, "BEFORE", 0.0)
    monkeypatch.setattr(record_module, "FIRST_HELLO", 0.2)
    folder = tmp_path / "profile"
    folder.mkdir()
    (folder / "vault.key").write_text(KEY.hex())
    return folder


def shift(server, profile, *, waits=False, drafted=False):
    """A unit is kept; then the platform is away, and something is written."""

    async def run():
        async with working(server, profile) as broker:
            await keep(broker)
        async with working(server, profile, origin=NOWHERE) as broker:
            if waits:
                assert (await broker.commit(about(), [one_pulse(81)])).state == "venter"
            if drafted:
                broker.drafts.save(DRAFT, {"text": "Uroen tiltok"}, 1)
                await broker.drafts.close()

    asyncio.run(run())


def told(capsys):
    return json.loads(capsys.readouterr().out)


def test_copies_go_from_the_file_and_what_waits_stays(server, profile, tmp_path, capsys):
    shift(server, profile, waits=True, drafted=True)
    shutil.copytree(profile, tmp_path / "before")
    bodies = [bytes(body)[:64] for (body,) in asked_of(tmp_path / "before", KEY, "SELECT body FROM offline")]
    assert b"Organization/havblikk" in deciphered(tmp_path / "before", KEY), "there was something to delete"
    assert main(["wipe", "--profile", str(profile), "--json"]) == 0
    found = told(capsys)
    assert found["copies"] > 3
    assert (found["vault"], found["unsent"], found["drafts"]) == ("kept", 1, 1)
    assert [one for one in profile.rglob("*-wal") if one.stat().st_size] == []
    raw = deciphered(profile, KEY)
    assert b"Uroen tiltok" in raw, "unsent work is never deleted"
    assert b"Organization/havblikk" not in raw
    assert len(bodies) == found["copies"]
    assert not any(body in raw for body in bodies), "no packed answer"


def test_nothing_is_left_of_who_has_nothing_unsent_and_no_pin_opens_anything(
    server, profile, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(pin_module, "COST", 2)
    shift(server, profile, waits=True)

    async def others():
        """Everybody has a PIN; Dahl's is in a key that was set aside too."""
        vaults = await Vaults.open(profile, KEY, SystemClock())
        for user in ("tone", "dahl"):
            await vaults.set_pin(await vaults.open_for("311000101", f"Practitioner/{user}", user.title()), "730214")
        await vaults.close()
        (dahl,) = [one for one in roster(profile, KEY) if one.who.name == "Dahl"]
        shutil.copy(
            profile / "vaults" / f"{dahl.id}.person", profile / "vaults" / f"{dahl.id}.skadet-20260114T1445.person"
        )
        return dahl.id

    gone = asyncio.run(others())
    assert [one.who.name for one in asyncio.run(people(profile))] == ["Dahl", "Tone"]
    assert main(["wipe", "--profile", str(profile), "--json"]) == 0
    assert told(capsys)["persons"] == 1
    assert asyncio.run(people(profile)) == [], "nobody is offered «Uten nett»"
    left = sorted(one.name for one in (profile / "vaults").iterdir())
    assert [name for name in left if name.startswith(gone)] == [f"{gone}.skadet-20260114T1445.person"]
    assert [name for name in left if b'"pin"' in (profile / "vaults" / name).read_bytes()] == []

    async def again():
        """What Tone had waiting goes out as she signs on; her next wipe leaves nothing of her."""
        async with working(server, profile) as broker:
            await until(lambda: broker._outbox.unsent() == 0)

    asyncio.run(again())
    assert main(["wipe", "--profile", str(profile), "--json"]) == 0
    assert told(capsys)["persons"] == 1
    assert [one.name for one in (profile / "vaults").iterdir()] == [f"{gone}.skadet-20260114T1445.person"]


def test_the_whole_vault_goes_only_when_nothing_waits_or_it_is_said(server, profile, capsys):
    shift(server, profile, waits=True)
    assert main(["wipe", "--profile", str(profile), "--all"]) == 1
    assert "1 som venter" in capsys.readouterr().err
    assert (profile / "vault.sqlite").exists()
    assert (profile / "vault.key").exists()
    assert main(["wipe", "--profile", str(profile), "--even-unsent"]) == 1
    capsys.readouterr()
    assert main(["wipe", "--profile", str(profile), "--all", "--even-unsent", "--json"]) == 0
    assert told(capsys)["vault"] == "deleted"
    assert list(profile.glob("vault*")) == []
    assert main(["wipe", "--profile", str(profile), "--all", "--json"]) == 0
    assert told(capsys)["vault"] == "none"
    assert list(profile.glob("vault*")) == [], "no key was made"


@pytest.fixture
def newer(profile):
    """A newer program has made a vault with something in it that waits."""

    async def run():
        vaults = await Vaults.open(profile, KEY, SystemClock())
        vault = await vaults.open_for("311000101", "Practitioner/dahl", "Dahl")
        await vault.run(lambda database: database.execute("PRAGMA user_version = 99"))
        await vaults.close()
        (dahl,) = [one.id for one in roster(profile, KEY) if one.who.name == "Dahl"]
        return profile / "vaults" / f"{dahl}.sqlite"

    return asyncio.run(run())


def test_a_vault_that_cannot_be_cleaned_is_named_and_the_others_are(server, profile, newer, capsys):
    shift(server, profile)
    before = newer.read_bytes()
    assert main(["wipe", "--profile", str(profile), "--json"]) == 1
    found = told(capsys)
    assert [(one["vault"], one["person"], one["code"]) for one in found["faults"]] == [
        (newer.stem, "Dahl", "vault-newer")
    ]
    assert found["copies"] > 3
    assert [one.who.name for one in roster(profile, KEY)] == ["Dahl"], "nothing waited in the other"
    assert main(["wipe", "--profile", str(profile)]) == 1
    said = capsys.readouterr().out
    assert f"Dahl ({newer.stem}): Det lokale lageret er laget av en nyere utgave" in said
    assert "Ingen kan lenger arbeide uten nett med PIN." in said
    assert newer.read_bytes() == before
    assert main(["wipe", "--profile", str(profile), "--all"]) == 1
    assert "kan ha arbeid som ikke er sendt" in capsys.readouterr().err
    assert newer.read_bytes() == before
    assert main(["wipe", "--profile", str(profile), "--all", "--even-unsent", "--json"]) == 0
    assert (told(capsys)["faults"], list(profile.glob("vault*"))) == ([], [])


@pytest.mark.parametrize("how", ["newer", "damaged"])
def test_the_workstations_own_vault_keeps_nobodys_copies(server, profile, capsys, how):
    shift(server, profile, waits=True)
    own = profile / "vault.sqlite"

    async def renewed():
        vaults = await Vaults.open(profile, KEY, SystemClock())
        await vaults.device().run(lambda database: database.execute("PRAGMA user_version = 99"))
        await vaults.close()

    if how == "newer":
        asyncio.run(renewed())
    else:
        own.write_bytes(b"x" * 8192)
    before = own.read_bytes()
    assert main(["wipe", "--profile", str(profile), "--json"]) == 1
    found = told(capsys)
    assert [(one["vault"], one["code"]) for one in found["faults"]] == [("vault.sqlite", f"vault-{how}")]
    assert (found["copies"] > 3, found["unsent"]) == (True, 1)
    assert before in [one.read_bytes() for one in profile.glob("vault*.sqlite")], "nothing is changed there"
    assert main(["wipe", "--profile", str(profile), "--all", "--even-unsent", "--json"]) == 0
    assert list(profile.glob("vault*")) == []


def test_nothing_is_deleted_without_the_key_or_while_the_program_runs(server, profile, capsys):
    shift(server, profile)

    async def busy():
        vaults = await Vaults.open(profile, KEY, SystemClock())
        ended = await asyncio.to_thread(main, ["wipe", "--profile", str(profile)])
        there = await wipe(vaults, vaults.device())
        await vaults.close()
        return ended, there.copies

    ended, there = asyncio.run(busy())
    assert ended == 1
    assert there > 3
    assert "i bruk av et annet program" in capsys.readouterr().err
    (profile / "vault.key").unlink()
    assert main(["wipe", "--profile", str(profile)]) == 1
    assert "nøkkelen er ikke å få tak i" in capsys.readouterr().err
    assert (profile / "vault.sqlite").exists()
    assert list(profile.rglob("*skadet*")) == []


def test_an_empty_profile_is_said_and_left_empty(tmp_path):
    command = [sys.executable, "-m", "workspace", "wipe", "--profile", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "ikke noe lokalt lager" in done.stdout
    assert not (tmp_path / "none").exists()

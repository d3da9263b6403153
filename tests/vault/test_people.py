"""A vault for each person at a workstation: nobody's key opens another's, no name in clear, nothing unreadable is lost."""

from __future__ import annotations

import asyncio
import json
import os
import shutil

import pytest

from workspace.clock import SystemClock
from workspace.problem import Problem
from workspace.vault import wraps
from workspace.vault.people import FOLDER, Vaults
from workspace.vault.vault import Vault
from workspace.vault.wraps import Who

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
TENANT = "311000101"
TONE = Who(TENANT, "Practitioner/tone", "Tone Multebær", "sykepleier")
DAHL = Who(TENANT, "Practitioner/dahl", "Dahl Storspove", "lege")


def opened(profile, key=KEY, **how):
    return Vaults.open(profile, key, SystemClock(), **how)


async def signs_on(vaults, who):
    return await vaults.open_for(who.tenant, who.user, who.name, who.role)


async def filled(profile):
    """Both have written something, and have gone."""
    vaults = await opened(profile)
    for who in (TONE, DAHL):
        await (await signs_on(vaults, who)).set_setting("wrote", who.user)
    await vaults.close()


def files(profile, who, key=KEY):
    own = wraps.vault_id(key, who.tenant, who.user)
    return profile / FOLDER / f"{own}.sqlite", profile / FOLDER / f"{own}.person"


def test_each_has_a_vault_of_their_own_that_is_there_again(tmp_path):
    async def run():
        await filled(tmp_path)
        vaults = await opened(tmp_path)
        assert vaults.durable
        hers = await signs_on(vaults, TONE)
        assert await hers.setting("wrote") == TONE.user
        assert await vaults.device().setting("wrote") is None
        assert {person.who for person in await vaults.others()} == {TONE, DAHL}
        (dahl,) = await vaults.others(than=hers)
        assert dahl.who == DAHL
        async with vaults.visit(dahl) as his:
            assert await his.setting("wrote") == DAHL.user
        with pytest.raises(Problem) as caught:  # a visit does not outlast its end
            await his.setting("wrote")
        assert caught.value.code == "vault-closed"
        await vaults.close()
        await vaults.close()

    asyncio.run(run())


def test_names_appear_nowhere_in_clear_and_the_files_are_their_owners_alone(tmp_path):
    asyncio.run(filled(tmp_path))
    words = [
        word for who in (TONE, DAHL) for word in (*who.name.split(), who.user, who.role, who.tenant, "tone", "dahl")
    ]
    found = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert {".person", ".sqlite"} <= {one.suffix for one in found}
    for file in found:
        content = file.name.encode() + file.read_bytes()
        assert [word for word in words if word.encode() in content] == []
        assert os.name != "posix" or file.stat().st_mode & 0o077 == 0
    assert files(tmp_path, TONE) != files(tmp_path, TONE, OTHER), "nor can it be reckoned without the device key"


def test_one_persons_file_cannot_be_opened_with_anothers_key_or_the_devices(tmp_path):
    async def run():
        await filled(tmp_path)
        hers, _ = files(tmp_path, TONE)
        _, his = files(tmp_path, DAHL)
        for key in (wraps.load(his.parent, his.stem, KEY).key, KEY):
            for raw in (True, False):
                with pytest.raises(Problem) as caught:
                    await Vault.open(hers, key, SystemClock(), raw=raw, aside=False)
                assert caught.value.code == "vault-damaged"
        assert hers.exists(), "it was left where it was"
        with pytest.raises(wraps.Damaged):
            wraps.load(his.parent, his.stem, OTHER)

    asyncio.run(run())


@pytest.mark.parametrize("what", ["vault", "key", "both"])
def test_the_file_of_one_swapped_for_anothers_is_refused_and_set_aside_with_its_key(tmp_path, what):
    """Whoever swaps them back finds all there was."""

    async def run():
        await filled(tmp_path)
        (hers, her_key), (his, his_key) = files(tmp_path, TONE), files(tmp_path, DAHL)
        if what in ("vault", "both"):
            shutil.copy(his, hers)
        if what in ("key", "both"):
            shutil.copy(his_key, her_key)
        before = hers.read_bytes(), her_key.read_bytes()
        vaults = await opened(tmp_path)
        if what == "vault":
            (tone,) = [person for person in await vaults.others() if person.who == TONE]
            with pytest.raises(Problem, match="beskjed ved neste innlogging"):
                async with vaults.visit(tone):
                    pass
            assert hers.exists(), "a visitor leaves it to its owner"
        else:
            assert [person.who for person in await vaults.others()] == [DAHL]
            assert list(await vaults.unread()) == [hers.stem]
        with pytest.raises(Problem) as caught:
            await signs_on(vaults, TONE)
        assert caught.value.code == "vault-damaged"
        (aside,) = tmp_path.glob("*/*skadet*.sqlite")
        assert str(aside) in caught.value.sentence
        assert (aside.read_bytes(), aside.with_suffix(".person").read_bytes()) == before
        again = await signs_on(vaults, TONE)
        assert await again.setting("wrote") is None
        await vaults.close()

    asyncio.run(run())


@pytest.mark.parametrize("how", ["cut short", "not JSON", "changed", "gone"])
def test_a_damaged_key_is_told_and_everything_is_kept(tmp_path, how):
    async def run():
        await filled(tmp_path)
        vault, key = files(tmp_path, TONE)
        whole = key.read_text()
        body = json.loads(whole)
        turned = {**body, "key": body["key"][:-8] + "AAAAAA=="}
        damaged = {"cut short": whole[:40], "not JSON": "xyz", "changed": json.dumps(turned), "gone": None}[how]
        key.unlink() if damaged is None else key.write_text(damaged)
        before = vault.read_bytes()
        vaults = await opened(tmp_path)
        with pytest.raises(Problem) as caught:
            await signs_on(vaults, TONE)
        assert caught.value.code == "vault-damaged"
        (aside,) = tmp_path.glob("*/*skadet*.sqlite")
        assert aside.read_bytes() == before
        await signs_on(vaults, TONE)  # a new one works at once
        assert {person.who for person in await vaults.others()} == {TONE, DAHL}
        await vaults.close()
        if damaged is not None:  # the right key comes back from a backup
            aside.rename(vault)
            key.write_text(whole)
            vaults = await opened(tmp_path)
            assert await (await signs_on(vaults, TONE)).setting("wrote") == TONE.user
            await vaults.close()

    asyncio.run(run())


def test_a_key_of_a_newer_program_is_left_as_it_is(tmp_path):
    async def run():
        await filled(tmp_path)
        _, key = files(tmp_path, TONE)
        newer = json.dumps({**json.loads(key.read_text()), "v": wraps.VERSION + 1})
        key.write_text(newer)
        vaults = await opened(tmp_path)
        with pytest.raises(Problem) as caught:
            await signs_on(vaults, TONE)
        assert caught.value.code == "vault-newer"
        assert [person.who for person in await vaults.others()] == [DAHL]
        await vaults.close()
        assert key.read_text() == newer

    asyncio.run(run())


def test_visitors_share_what_is_open_and_the_last_one_closes_it(tmp_path):
    async def run():
        await filled(tmp_path)
        vaults = await opened(tmp_path)
        (dahl,) = await vaults.others(than=await signs_on(vaults, TONE))

        async def visit(number):
            async with vaults.visit(dahl) as his:
                await his.set_setting(f"visit {number}", "x")
                await asyncio.sleep(0.01 * (number % 3))
                return await his.setting(f"visit {number}")

        assert await asyncio.gather(*(visit(number) for number in range(12))) == ["x"] * 12
        own = await Vault.open(
            files(tmp_path, DAHL)[0], wraps.load(tmp_path / FOLDER, dahl.id, KEY).key, SystemClock(), raw=True
        )  # nobody holds it
        await own.close()
        await vaults.close()

    asyncio.run(run())


def test_two_programs_do_not_share_one_profile(tmp_path):
    async def run():
        first = await opened(tmp_path)
        with pytest.raises(Problem) as caught:
            await opened(tmp_path)
        assert caught.value.code == "vault-locked"
        await first.close()
        await (await opened(tmp_path)).close()

    asyncio.run(run())


def test_without_a_device_key_all_is_in_memory_and_says_so(tmp_path):
    async def run():
        vaults = await opened(tmp_path / "profile", None, tenant=TENANT)
        hers = await signs_on(vaults, TONE)
        assert not hers.durable
        await hers.set_setting("a", "b")
        assert await vaults.device().setting("a") is None
        assert await vaults.others() == []
        await vaults.close()
        assert not (tmp_path / "profile").exists()

    asyncio.run(run())


def test_a_new_name_or_role_is_known_from_the_next_sign_on(tmp_path):
    async def run():
        await filled(tmp_path)
        vaults = await opened(tmp_path)
        married = Who(TENANT, TONE.user, "Tone Multebær Myhre", "avdelingsleder")
        hers = await signs_on(vaults, married)
        assert await hers.setting("wrote") == TONE.user
        assert {person.who for person in await vaults.others()} == {married, DAHL}
        await vaults.close()

    asyncio.run(run())


def test_on_a_full_disk_the_former_key_stays_whole(tmp_path, monkeypatch):
    asyncio.run(filled(tmp_path))
    hers, key = files(tmp_path, TONE)
    before = key.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Problem) as caught:
        wraps.save(key.parent, wraps.Wrap(key.stem, KEY, DAHL), KEY)
    assert caught.value.code == "vault-unwritable"
    assert key.read_bytes() == before
    assert wraps.load(key.parent, hers.stem, KEY).who == TONE

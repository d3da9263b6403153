"""A PIN opens its own person's vault without the platform, five tries at most, and nothing without the device key."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.vault.test_people import DAHL, KEY, OTHER, TONE, files, filled, opened, signs_on
from workspace.problem import Problem
from workspace.vault import pin as pin_module
from workspace.vault import wraps
from workspace.vault.people import roster
from workspace.vault.pin import TRIES, check

PIN, HIS, WRONG = "730214", "91827364", "730215"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """What scrypt costs is not what is tried here, but for the first of the tests."""
    monkeypatch.setattr(pin_module, "COST", 2)


async def chosen(profile):
    """Both have a PIN, and have gone."""
    await filled(profile)
    vaults = await opened(profile)
    for who, own in ((TONE, PIN), (DAHL, HIS)):
        await vaults.set_pin(await signs_on(vaults, who), own)
    await vaults.close()


async def tries(profile, who, pin):
    """One try in a program of its own: what was set in the vault, or the code of why not, with the words."""
    vaults = await opened(profile)
    try:
        vault = await vaults.open_with(files(profile, who)[0].stem, pin)
        return await vault.setting("wrote"), ""
    except Problem as problem:
        return problem.code, str(problem)
    finally:
        await vaults.close()


@pytest.mark.parametrize(
    "pin",
    [
        "",
        "12345",
        "73021a",
        "1234567890123",
        "000000",
        "123456",
        "987654",
        "234567",
        "121212",
        "123123",
        "112233",
        "٧٣٠٢١٤",
    ],
)
def test_what_is_short_or_tried_first_by_anybody_is_refused_with_words(pin):
    with pytest.raises(Problem) as caught:
        check(pin)
    assert caught.value.code == "pin-refused"
    assert caught.value.sentence


@pytest.mark.parametrize("pin", [PIN, HIS, "100200", "199105", "135790"])
def test_others_are_not(pin):
    check(pin)


def test_each_pin_opens_its_own_vault_and_no_other_and_stands_nowhere(tmp_path, monkeypatch):
    monkeypatch.setattr(pin_module, "COST", 2**15)

    async def run():
        await chosen(tmp_path)
        assert {(one.who.user, one.pin, one.spent) for one in roster(tmp_path, KEY)} == {
            (TONE.user, True, False), (DAHL.user, True, False),
        }  # fmt: skip
        assert await tries(tmp_path, TONE, PIN) == (TONE.user, "")
        assert await tries(tmp_path, DAHL, HIS) == (DAHL.user, "")
        assert (await tries(tmp_path, TONE, HIS))[0] == "pin-wrong"

    asyncio.run(run())
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert PIN.encode() not in file.read_bytes()
            assert HIS.encode() not in file.read_bytes()


def test_five_wrong_in_a_row_end_it_until_a_sign_on_whatever_is_started_again(tmp_path):
    async def run():
        await chosen(tmp_path)
        for left in (4, 3, 2, 1):
            code, words = await tries(tmp_path, TONE, WRONG)
            assert code == "pin-wrong"
            assert ("ett forsøk" if left == 1 else f"{left} forsøk") in words
        assert (await tries(tmp_path, TONE, PIN))[0] == TONE.user, "a right one in time"
        for _ in range(4):
            assert (await tries(tmp_path, TONE, WRONG))[0] == "pin-wrong"
        code, words = await tries(tmp_path, TONE, WRONG)
        assert code == "pin-spent"
        assert "Logg inn når plattformen svarer igjen" in words
        assert (await tries(tmp_path, TONE, PIN))[0] == "pin-spent", "the right one does not help either"
        assert (await tries(tmp_path, DAHL, HIS))[0] == DAHL.user, "it is hers alone"
        vaults = await opened(tmp_path)
        hers = await signs_on(vaults, TONE)
        person = await vaults.person(hers)
        assert (person.pin, person.spent) == (False, True)
        assert await hers.setting("wrote") == TONE.user
        await vaults.set_pin(hers, PIN)
        person = await vaults.person(hers)
        assert (person.pin, person.spent) == (True, False)
        await vaults.close()
        assert (await tries(tmp_path, TONE, PIN))[0] == TONE.user

    asyncio.run(run())


def test_a_try_counts_though_the_power_goes_before_it_is_judged(tmp_path, monkeypatch):
    class Dark(BaseException):
        pass

    def dies(*given):
        raise Dark

    async def cut_short():
        vaults = await opened(tmp_path)
        monkeypatch.setattr(pin_module, "_key", dies)
        with pytest.raises(Dark):
            await vaults.open_with(files(tmp_path, TONE)[0].stem, WRONG)
        monkeypatch.undo()
        await vaults.close()

    asyncio.run(chosen(tmp_path))
    vault, _ = files(tmp_path, TONE)
    for number in range(1, TRIES + 1):
        asyncio.run(cut_short())
        assert wraps.load(vault.parent, vault.stem, KEY).pin.tries == number
    assert asyncio.run(tries(tmp_path, TONE, PIN))[0] == "pin-spent"


def test_a_sign_on_makes_the_tries_new(tmp_path):
    async def run():
        await chosen(tmp_path)
        for _ in range(TRIES - 1):
            await tries(tmp_path, TONE, WRONG)
        vaults = await opened(tmp_path)
        await signs_on(vaults, TONE)
        await vaults.close()
        assert "4 forsøk" in (await tries(tmp_path, TONE, WRONG))[1]

    asyncio.run(run())


def test_it_is_changed_and_taken_away_and_the_former_one_opens_nothing(tmp_path):
    async def run():
        await chosen(tmp_path)
        vaults = await opened(tmp_path)
        hers = await signs_on(vaults, TONE)
        with pytest.raises(Problem):
            await vaults.set_pin(hers, "111111")
        await vaults.set_pin(hers, WRONG)
        await vaults.close()
        assert (await tries(tmp_path, TONE, PIN))[0] == "pin-wrong"
        assert (await tries(tmp_path, TONE, WRONG))[0] == TONE.user
        vaults = await opened(tmp_path)
        await vaults.set_pin(await signs_on(vaults, TONE), None)
        await vaults.close()
        assert (await tries(tmp_path, TONE, WRONG))[0] == "pin-none"

    asyncio.run(run())


def test_it_is_worth_nothing_under_another_device_key_or_moved_to_anothers_file(tmp_path):
    async def run():
        await chosen(tmp_path)
        (hers, _), (his, _) = files(tmp_path, TONE), files(tmp_path, DAHL)
        mine, theirs = (wraps.load(one.parent, one.stem, KEY) for one in (hers, his))
        with pytest.raises(wraps.Damaged):
            wraps.unseal(pin_module._key(OTHER, PIN, mine.pin.salt), mine.pin.key, mine.id, "pin")
        wraps.save(his.parent, replace(theirs, pin=mine.pin), KEY)  # her PIN to his vault
        assert (await tries(tmp_path, DAHL, PIN))[0] == "pin-wrong"

    asyncio.run(run())


def test_where_nothing_is_kept_there_is_none_to_choose(tmp_path):
    async def run():
        vaults = await opened(tmp_path, None)
        with pytest.raises(Problem) as caught:
            await vaults.set_pin(await signs_on(vaults, TONE), PIN)
        assert caught.value.code == "not-durable"
        await vaults.close()

    asyncio.run(run())

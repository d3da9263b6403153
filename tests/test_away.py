"""What is remembered of a sign-on, and who comes in by PIN when there is none to be had."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.vault.test_people import DAHL, KEY, TONE, opened, signs_on
from workspace import away
from workspace.clock import OffsetClock, SystemClock, parse
from workspace.problem import Problem
from workspace.signon.platform import Platform
from workspace.signon.session import Subject
from workspace.vault import pin as pin_module

PLACES = {
    name: f"https://journal.kommunen.no/{name}" for name in ("issuer", "fhir", "changes", "audit", "time", "health")
}
PLATFORM = Platform(
    base_url="https://journal.kommunen.no", name="Fjellheim", client_id="shell", sandbox=True,
    organization_number=TONE.tenant, **PLACES,
)  # fmt: skip
SUBJECT = Subject(
    sub="s-1", name=TONE.name, username="tone", fhir_user=TONE.user, role=TONE.role, hpr="9000001", sid="x",
    security_level="4", auth_time=1,
)  # fmt: skip
PIN = "730214"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(pin_module, "COST", 2)


async def before(profile, *, remembers=True):
    """Tone has signed on and chosen a PIN, Dahl has signed on."""
    (profile / "vault.key").write_text(KEY.hex())
    vaults = await opened(profile)
    hers = await signs_on(vaults, TONE)
    await signs_on(vaults, DAHL)
    clock = OffsetClock(parse("2026-01-14T14:45:00+01:00"), SystemClock().monotonic(), 2.0)
    if remembers:
        await away.remember(vaults, hers, PLATFORM, SUBJECT, clock)
    await vaults.set_pin(hers, PIN)
    await vaults.close()


def test_she_is_offered_alone_and_all_is_as_at_the_last_sign_on(tmp_path, monkeypatch):
    later = timedelta(hours=3)

    async def run():
        await before(tmp_path)
        (tone,) = await away.people(tmp_path)
        assert tone.who == TONE
        with pytest.raises(Problem) as caught:
            await away.open_with_pin(tmp_path, tone.id, "730215")
        assert caught.value.code == "pin-wrong"
        real = SystemClock.real
        monkeypatch.setattr(SystemClock, "real", lambda clock: real(clock) + later)
        found = await away.open_with_pin(tmp_path, tone.id, PIN)
        assert (found.platform, found.subject) == (PLATFORM, SUBJECT)
        ahead = found.clock.now() - (parse("2026-01-14T14:45:00+01:00") + 2 * later)
        assert timedelta() <= ahead < timedelta(seconds=30), "the platform's time went on, at its own rate"
        await found.vault.set_setting("a", "b")
        await found.vaults.close()

    asyncio.run(run())


def test_where_nothing_is_remembered_it_says_so_and_lets_go_of_the_vault(tmp_path):
    async def run():
        await before(tmp_path, remembers=False)
        (tone,) = await away.people(tmp_path)
        with pytest.raises(Problem) as caught:
            await away.open_with_pin(tmp_path, tone.id, PIN)
        assert caught.value.code == "offline-unknown"
        await (await opened(tmp_path)).close()

    asyncio.run(run())


def test_nobody_is_offered_where_there_is_no_key_and_none_is_made(tmp_path):
    async def run():
        assert await away.people(tmp_path / "none") == []
        await before(tmp_path)
        (tmp_path / "vault.key").unlink()
        assert await away.people(tmp_path) == []
        (tmp_path / "vault.key").write_text("damaged")
        assert await away.people(tmp_path) == []
        assert (tmp_path / "vault.key").read_text() == "damaged"

    asyncio.run(run())
    assert not (tmp_path / "none").exists()

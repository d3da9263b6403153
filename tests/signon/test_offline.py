"""Somebody at work without the platform, and how a real sign-on of the same person takes over."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from tests.signon.test_session import choose, tone
from workspace.clock import SystemClock
from workspace.problem import Problem
from workspace.signon import offline as offline_module
from workspace.signon.login import login
from workspace.signon.offline import OfflineSession
from workspace.signon.provider import provider_answers


def away():
    return Problem("platform-unreachable", "Plattformen svarer ikke.")


async def known(running):
    """Who Tone is, from a sign-on before."""
    session = await tone(running)
    await session.sign_out()
    return session.subject


def offline(running, subject):
    return OfflineSession(subject, away=away, look=partial(provider_answers, running.issuer, SystemClock()))


async def somebody_else(url):
    await choose(url, "bo")


async def until(true, seconds=8.0):
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_it_gives_no_token_and_says_when_one_can_sign_on_and_goes_on_as_the_real_one(running, monkeypatch):
    monkeypatch.setattr(offline_module, "LOOKS", 0.05)

    async def scene():
        subject = await known(running)
        running.stop()
        session, states = offline(running, subject), []
        session.on_state(states.append)
        session.start()
        with pytest.raises(Problem) as caught:
            await session.access_token()
        assert caught.value.code == "platform-unreachable"
        await asyncio.sleep(0.2)
        assert (states, session.joined) == (["offline"], False)
        running.start()
        await until(lambda: session.state == "expired")
        running.stop()
        await until(lambda: session.state == "offline")
        running.start()
        await until(lambda: session.state == "expired")
        stranger = await login(running, open_browser=somebody_else, clock=SystemClock())
        with pytest.raises(Problem) as refused:
            await session.rejoin(stranger)
        assert (refused.value.code, stranger.state, session.joined) == ("another-person", "signed-out", False)
        await session.rejoin(await tone(running))
        assert (session.state, session.joined, session.subject.name) == ("signed-in", True, subject.name)
        first = await session.access_token()
        assert await session.access_token(force=True) != first
        ended = await session.sign_out()
        assert (ended.revoked, session.state) == (True, "signed-out")
        return states

    assert asyncio.run(scene()) == ["offline", "expired", "offline", "expired", "signed-in", "signed-out"]


def test_who_leaves_without_a_sign_on_leaves_nothing_behind(running):
    async def scene():
        session = offline(running, await known(running))
        session.start()
        ended = await session.sign_out()
        assert (ended.revoked, session.state) == (False, "signed-out")
        await session.aclose()

    asyncio.run(scene())

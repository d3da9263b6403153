"""A session through a shift: fresh tokens, a provider that goes away, an end, and the way out."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from workspace.clock import SystemClock
from workspace.problem import Problem
from workspace.sandbox.visitor import choose
from workspace.signon.keeper import MemoryKeeper
from workspace.signon.login import keeper_name, login


class ShiftingClock(SystemClock):
    """The shell's own monotonic clock, which a test pushes forward; real time stays right."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


async def tone(platform, clock=None, **more):
    async def visit(url):
        await choose(url, "tone")

    return await login(platform, open_browser=visit, clock=clock or SystemClock(), **more)


async def until(what):
    """Wait for the background's work, ten seconds at most."""
    for _ in range(200):
        if what():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("never happened")


def test_a_token_is_shared_until_it_is_near_its_end(running):
    clock = ShiftingClock()

    async def scene():
        session = await tone(running, clock)
        first = await session.access_token()
        await session.refresh()
        assert await session.access_token() == first
        clock.ahead = 590
        await session.refresh()
        second = await session.access_token()
        clock.ahead += 2000
        third = await session.access_token()
        fourth = await session.access_token(force=True)
        await session.aclose()
        return {first, second, third, fourth}

    assert len(asyncio.run(scene())) == 4


def test_many_callers_share_one_refresh(running):
    served = []
    refresh = running.provider.refresh
    running.provider.refresh = lambda *given: served.append(1) or refresh(*given)

    async def scene():
        session = await tone(running)
        before = await session.access_token()
        await asyncio.gather(*(session.refresh(force=True) for _ in range(20)))
        after = await session.access_token()
        await session.aclose()
        return before != after, session.state

    assert asyncio.run(scene()) == (True, "signed-in")
    assert len(served) == 1


def test_an_impatient_caller_does_not_cost_the_others_the_session(running):
    async def scene():
        session = await tone(running)
        impatient = asyncio.create_task(session.refresh(force=True))
        patient = asyncio.create_task(session.refresh(force=True))
        await asyncio.sleep(0)
        impatient.cancel()
        await patient
        await session.refresh(force=True)
        await session.aclose()
        return session.state

    assert asyncio.run(scene()) == "signed-in"


def test_the_session_renews_itself_before_the_end(running, monkeypatch):
    monkeypatch.setattr("workspace.sandbox.identity.provider.ACCESS_SECONDS", 1)

    async def scene():
        session = await tone(running)
        first = session._tokens.access_token
        await until(lambda: session._tokens.access_token != first)
        await session.aclose()

    asyncio.run(scene())


def test_a_provider_away_leaves_the_living_token_usable_and_is_tried_again(running):
    clock = ShiftingClock()

    async def scene():
        session = await tone(running, clock)
        states = []
        session.on_state(states.append)
        token = await session.access_token()
        running.stop()
        with pytest.raises(Problem) as caught:
            await session.refresh(force=True)
        assert caught.value.code == "identity-unreachable"
        assert running.issuer in caught.value.sentence
        assert await session.access_token() == token
        clock.ahead = 700
        with pytest.raises(Problem) as caught:
            await session.access_token()
        assert caught.value.code == "identity-unreachable"
        running.start()
        assert await session.access_token() != token
        assert session.problem is None
        await session.aclose()
        return states, session.state

    assert asyncio.run(scene()) == ([], "signed-in")


def test_a_session_that_was_lost_comes_back_by_itself_after_the_outage(running, monkeypatch):
    monkeypatch.setattr("workspace.sandbox.identity.provider.ACCESS_SECONDS", 1)
    monkeypatch.setattr("workspace.signon.session._FIRST_WAIT", 0.1)

    async def scene():
        session = await tone(running)
        running.stop()
        await until(lambda: session.problem is not None)
        seen = session.problem.code
        running.start()
        await until(lambda: session.problem is None)
        await session.aclose()
        return seen

    assert asyncio.run(scene()) == "identity-unreachable"


def test_a_refused_refresh_expires_the_session_and_a_new_sign_on_works(running):
    keeper = MemoryKeeper()

    async def scene():
        session = await tone(running, keeper=keeper)
        states = []
        session.on_state(states.append)
        running.provider.sessions.end(session.subject.sid)
        with pytest.raises(Problem) as caught:
            await session.refresh(force=True)
        assert caught.value.code == "signed-out"
        assert "tatt vare på" in caught.value.advice
        with pytest.raises(Problem):
            await session.access_token()
        assert await keeper.load(keeper_name(running)) == ""
        await session.aclose()
        again = await tone(running)
        await again.access_token()
        await again.aclose()
        return states

    assert asyncio.run(scene()) == ["expired"]


def test_an_expired_session_goes_on_with_a_new_sign_on_of_the_same_person_only(running):
    async def somebody_else(url):
        await choose(url, "bo")

    async def scene():
        session = await tone(running)
        states = []
        session.on_state(states.append)
        running.provider.sessions.end(session.subject.sid)
        with pytest.raises(Problem):
            await session.refresh(force=True)
        stranger = await login(running, open_browser=somebody_else, clock=SystemClock())
        with pytest.raises(Problem) as caught:
            await session.rejoin(stranger)
        assert caught.value.code == "another-person"
        assert "Tone" in str(caught.value)
        assert (session.state, stranger.state) == ("expired", "signed-out")
        await session.rejoin(await tone(running))
        first = await session.access_token()
        assert await session.access_token(force=True) != first, "and it goes on renewing itself"
        await session.aclose()
        return states

    assert asyncio.run(scene()) == ["expired", "signed-in"]


def test_another_persons_token_at_refresh_is_refused(ill_behaved):
    async def scene():
        session = await tone(ill_behaved("refresh-other-person"))
        with pytest.raises(Problem) as caught:
            await session.refresh(force=True)
        await session.aclose()
        return caught.value.code, session.state

    assert asyncio.run(scene()) == ("id-token-refused", "expired")


def test_sign_out_ends_the_session_at_the_provider_and_forgets_here(running):
    keeper = MemoryKeeper()

    async def scene():
        session = await tone(running, keeper=keeper)
        states = []
        undo = session.on_state(states.append)
        result = await session.sign_out()
        undo()
        assert (result.revoked, result.ended, result.problem) == (True, True, None)
        assert running.provider.sessions.ended(session.subject.sid)
        assert await keeper.load(keeper_name(running)) == ""
        assert session._tokens.access_token == session._tokens.refresh_token == ""
        with pytest.raises(Problem):
            await session.access_token()
        again = await session.sign_out()
        assert not again.ended
        return states

    assert asyncio.run(scene()) == ["signed-out"]


def test_sign_out_without_network_still_forgets_here_and_says_so(running):
    keeper = MemoryKeeper()

    async def scene():
        session = await tone(running, keeper=keeper)
        running.stop()
        result = await session.sign_out()
        assert await keeper.load(keeper_name(running)) == ""
        return result, session.state

    result, state = asyncio.run(scene())
    assert state == "signed-out"
    assert not result.revoked
    assert result.problem is not None
    assert "logget ut av denne maskinen" in result.problem.sentence


def test_sign_out_in_the_browser_shows_the_providers_page(running):
    pages = []

    async def scene():
        session = await tone(running)
        await session.sign_out(open_browser=pages.append)

    asyncio.run(scene())
    assert pages[0].startswith(f"{running.issuer}/end-session?id_token_hint=")


def test_secrets_are_not_in_what_a_log_would_show(running):
    async def scene():
        session = await tone(running)
        token = await session.access_token()
        shown = repr(session) + repr(session._tokens) + repr(session.subject)
        await session.aclose()
        return token in shown or session._tokens.refresh_token in shown

    assert asyncio.run(scene()) is False


def test_a_wrong_clock_after_sign_on_does_not_end_a_good_session(running):
    class Drifting(SystemClock):
        off = timedelta()

        def real(self):
            return super().real() + self.off

    async def scene():
        clock = Drifting()
        session = await tone(running, clock)
        former = await session.access_token()
        for minutes in (30, -30):
            clock.off = timedelta(minutes=minutes)
            await session.refresh(force=True)
        assert await session.access_token() != former
        await session.aclose()
        return session.state

    assert asyncio.run(scene()) == "signed-in"

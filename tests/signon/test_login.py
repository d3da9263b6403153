"""Signing on against the real sandbox provider, and against providers that misbehave."""

from __future__ import annotations

import asyncio
import re
import socket
from datetime import timedelta

import httpx
import pytest

from workspace.clock import SystemClock
from workspace.problem import Problem
from workspace.sandbox.visitor import choose
from workspace.signon.keeper import MemoryKeeper
from workspace.signon.login import keeper_name, login, resume


class WrongClock(SystemClock):
    def __init__(self, minutes: float) -> None:
        self._off = timedelta(minutes=minutes)

    def real(self):
        return super().real() + self._off


def sign_on(platform, opener=None, **more):
    """Sign on, close, and give the session."""

    async def visit(url):
        await choose(url, "tone")

    async def scene():
        more.setdefault("clock", SystemClock())
        session = await asyncio.wait_for(login(platform, open_browser=opener or visit, **more), 30)
        await session.aclose()
        return session

    return asyncio.run(scene())


def problem_of(platform, opener=None, **more) -> Problem:
    with pytest.raises(Problem) as caught:
        sign_on(platform, opener, **more)
    assert caught.value.sentence.endswith(".")
    assert caught.value.advice
    return caught.value


def test_tone_signs_on_and_the_platform_is_told_who_she_is(running, as_tone):
    async def scene():
        session = await login(running, open_browser=as_tone, clock=SystemClock())
        try:
            token = await session.access_token()
            return session.subject, running.provider.keys.claims_of(token, "at+jwt")
        finally:
            await session.aclose()

    subject, claims = asyncio.run(scene())
    assert (subject.username, subject.name, subject.role) == ("tone", "Tone Åsheim", "sykepleier")
    assert (subject.fhir_user, subject.hpr, subject.security_level) == ("Practitioner/tone", "9000001", "4")
    assert claims["sid"] == subject.sid
    assert not running.provider.sessions.ended(subject.sid)
    assert claims["aud"] == running.origin
    assert claims["iss"] == running.issuer


def test_a_well_behaved_stranger_is_accepted(ill_behaved):
    assert sign_on(ill_behaved("none")).subject.sub == "somebody"


@pytest.mark.parametrize(
    "fault",
    [
        *("alg-none", "alg-none-in-capitals", "alg-hs256", "foreign-key", "unknown-kid", "no-jwt", "changed-claims"),
        *("wrong-iss", "wrong-aud", "second-aud", "wrong-azp", "wrong-nonce", "no-nonce", "expired", "stale"),
        *("from-the-future", "wrong-at-hash", "exp-is-text", "no-id-token"),
    ],
)
def test_a_bad_id_token_gives_no_session(ill_behaved, fault):
    assert problem_of(ill_behaved(fault)).code == "id-token-refused"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("callback-iss", "sign-on-refused"),
        ("no-callback-iss", "sign-on-refused"),
        ("wrong-state", "sign-on-refused"),
        ("callback-error", "sign-on-refused"),
        ("callback-denied", "sign-on-cancelled"),
        ("token-400", "sign-on-refused"),
        ("token-500", "identity-unreachable"),
        ("token-html", "identity-not-trusted"),
        ("token-type", "identity-not-trusted"),
        ("other-issuer", "identity-not-trusted"),
        ("no-pkce", "identity-not-trusted"),
        ("unsafe-endpoint", "identity-not-trusted"),
    ],
)
def test_other_misbehaviour_gives_no_session_and_a_name(ill_behaved, fault, code):
    assert problem_of(ill_behaved(fault)).code == code


@pytest.mark.parametrize(("minutes", "words"), [(10, "10 minutter for fort"), (-10, "10 minutter for sakte")])
def test_a_clock_ten_minutes_off_is_said_plainly(running, minutes, words):
    problem = problem_of(running, clock=WrongClock(minutes))
    assert problem.code == "clock-skew"
    assert words in problem.sentence
    assert "automatisk tid" in problem.advice


def test_a_server_clock_off_is_found_the_same_way(ill_behaved):
    assert "10 minutter for sakte" in problem_of(ill_behaved("clock-behind")).sentence
    assert "10 minutter for fort" in problem_of(ill_behaved("clock-ahead")).sentence


def test_half_a_minute_is_no_hindrance(ill_behaved):
    assert sign_on(ill_behaved("clock-nearly-right")).subject.sub == "somebody"


def test_a_provider_that_is_down_is_named(running):
    running.stop()
    problem = problem_of(running)
    assert problem.code == "identity-unreachable"
    assert running.issuer in problem.sentence


def test_nobody_in_the_browser_is_a_timeout_and_the_port_is_closed(running):
    addresses = []
    assert problem_of(running, addresses.append, timeout=0.2).code == "sign-on-timeout"
    with pytest.raises(ConnectionRefusedError), socket.socket() as probe:
        probe.connect(("127.0.0.1", _port(addresses[0])))


def test_an_unknown_person_is_told_with_the_names_that_exist(running):
    async def visit(url):
        await choose(url, "tore")

    problem = problem_of(running, visit)
    assert problem.code == "person-unknown"
    assert "bo, tone" in problem.advice


def test_a_stranger_on_the_loopback_neither_gets_in_nor_ends_the_wait(running):
    answers = []

    async def visit(url):
        async with httpx.AsyncClient(trust_env=False) as client:
            base = f"http://127.0.0.1:{_port(url)}"
            answers.append((await client.get(f"{base}/callback?code=x&state=guess&iss=y")).status_code)
            answers.append((await client.get(f"{base}/favicon.ico")).status_code)
            answers.append((await client.get(f"{base}/callback", headers={"Host": "evil.example"})).status_code)
            answers.append((await client.post(f"{base}/callback")).status_code)
        await choose(url, "tone")

    assert sign_on(running, visit).subject.username == "tone"
    assert answers == [400, 404, 404, 405]


def test_the_browser_is_told_how_it_went(running, ill_behaved):
    pages = []

    async def visit(url):
        async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as client:
            page = await client.get(url)
            choice = re.search(r'name="choice" value="([^"]+)"', page.text)
            if choice:
                form = {"choice": choice[1], "username": "tone"}
                page = await client.post(f"{running.issuer}/login", data=form)
            pages.append(page)

    sign_on(running, visit)
    shown = " ".join(re.findall(r"<(?:h1|p)>([^<]+)<", pages[0].text))
    assert shown == "Du er logget inn. Du kan lukke denne fanen."
    assert pages[0].headers["cache-control"] == "no-store"
    with pytest.raises(Problem):
        sign_on(ill_behaved("wrong-nonce"), visit)
    # The second browser may be cut off once the shell has its reason, but is never told that it went well.
    assert all("Du er logget inn" not in page.text for page in pages[1:])


def test_cancelling_the_login_leaves_nothing_open(running):
    addresses = []

    async def scene():
        opened = asyncio.Event()

        def show(url):
            addresses.append(url)
            opened.set()

        work = asyncio.create_task(login(running, open_browser=show, clock=SystemClock()))
        await opened.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(scene())
    with pytest.raises(ConnectionRefusedError), socket.socket() as probe:
        probe.connect(("127.0.0.1", _port(addresses[0])))


def test_a_kept_session_is_resumed_once_with_a_new_token(running, as_tone):
    keeper = MemoryKeeper()

    async def scene():
        first = await login(running, open_browser=as_tone, clock=SystemClock(), keeper=keeper)
        await first.aclose()
        kept = await keeper.load(keeper_name(running))
        second = await resume(running, keeper=keeper, clock=SystemClock())
        assert second is not None
        await second.aclose()
        assert await keeper.load(keeper_name(running)) not in ("", kept)
        # A copy of the old token is a theft: the session ends, and nothing is kept.
        await keeper.save(keeper_name(running), kept)
        assert await resume(running, keeper=keeper, clock=SystemClock()) is None
        assert await keeper.load(keeper_name(running)) == ""
        assert await resume(running, keeper=keeper, clock=SystemClock()) is None
        return first.subject, second.subject

    first, second = asyncio.run(scene())
    assert first == second
    assert running.provider.sessions.ended(first.sid)


def test_a_provider_that_is_down_does_not_cost_the_kept_session(running, as_tone):
    keeper = MemoryKeeper()

    async def scene():
        session = await login(running, open_browser=as_tone, clock=SystemClock(), keeper=keeper)
        await session.aclose()
        running.stop()
        with pytest.raises(Problem) as caught:
            await resume(running, keeper=keeper, clock=SystemClock())
        assert caught.value.code == "identity-unreachable"
        running.start()
        again = await resume(running, keeper=keeper, clock=SystemClock())
        assert again is not None
        await again.aclose()
        return again.subject.username

    assert asyncio.run(scene()) == "tone"


def test_a_person_signs_on_in_a_real_browser(running, chromium):
    async def browse(url):
        titles.extend(await asyncio.to_thread(chromium, url))

    titles: list[str] = []
    # The hint puts the focus on Tone's card, and Enter presses it: keyboard, form and content policy are all real.
    assert sign_on(running, browse, login_hint="tone", timeout=60).subject.username == "tone"
    assert titles == ["Fjellheim sykehjem", "Du er logget inn."]


def test_typing_narrows_the_people_and_enter_takes_the_one_that_is_left(running, chromium):
    counts: list[str] = []

    async def browse(url):
        counts.extend(await asyncio.to_thread(chromium, url, search="solsiden"))

    assert sign_on(running, browse, timeout=60).subject.username == "bo"
    assert counts == ["1 av 2", "Du er logget inn."]


@pytest.mark.parametrize("width", [320, 390])
def test_the_login_page_fits_a_phone(running, chromium, width):
    overflow = []

    async def browse(url):
        await asyncio.to_thread(lambda: overflow.append(chromium.measure(url, width)))
        await choose(url, "tone")

    sign_on(running, browse, timeout=60)
    assert overflow == [0]


def _port(address: str) -> int:
    found = re.search(r"127\.0\.0\.1%3A(\d+)", address)
    assert found
    return int(found[1])

"""Signing on: from «logg inn» to a session, through the system browser (RFC 8252, OpenID Connect Core §3.1).

The browser is opened by a function of the caller's. Keeps no password, sees none.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import inspect
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from workspace.clock import Clock
from workspace.problem import Problem
from workspace.signon.idtoken import check_id_token, refused
from workspace.signon.keeper import Keeper
from workspace.signon.loopback import Loopback
from workspace.signon.provider import Provider
from workspace.signon.session import Session, Subject
from workspace.signon.tokens import Tokens, exchange_code, refresh_tokens, sign_on_expired, sign_on_refused
from workspace.signon.wire import new_client

if TYPE_CHECKING:
    import httpx

SCOPE = "openid profile offline_access"
OpenBrowser = Callable[[str], Awaitable[object] | object]


class Described(Protocol):
    """The two things sign-on needs of a platform; `Platform` has them."""

    @property
    def issuer(self) -> str: ...

    @property
    def client_id(self) -> str: ...


async def login(
    platform: Described,
    *,
    open_browser: OpenBrowser,
    clock: Clock,
    timeout: float = 300.0,
    client: httpx.AsyncClient | None = None,
    keeper: Keeper | None = None,
    login_hint: str = "",
) -> Session:
    """Let a person sign on in the browser.

    Args:
        open_browser: shows an address to the person; may be a coroutine function, which then runs alongside.
        timeout: seconds the person has.
        client: to share; made and owned by the session when None.
        keeper: where the refresh token is kept for `resume`; nowhere when None.
        login_hint: username to suggest.

    Raises Problem: ``identity-unreachable``, ``identity-not-trusted``, ``clock-skew``, ``sign-on-timeout``,
    ``sign-on-cancelled``, ``sign-on-refused``, ``id-token-refused``.
    """
    own = new_client(platform.issuer) if client is None else None
    try:
        provider = Provider(platform.issuer, client or own or new_client(platform.issuer), clock)
        tokens, subject = await _sign_on(provider, platform.client_id, open_browser, timeout, login_hint)
    except BaseException:
        if own is not None:
            await own.aclose()
        raise
    return await _session(provider, platform, tokens, subject, own, keeper)


async def resume(
    platform: Described,
    *,
    keeper: Keeper,
    clock: Clock,
    client: httpx.AsyncClient | None = None,
) -> Session | None:
    """The session whose refresh token `keeper` holds; None when there is none or the provider refuses it.

    Raises Problem ``identity-unreachable`` and the like; the token is then still kept.
    """
    kept = await keeper.load(keeper_name(platform))
    if not kept:
        return None
    own = new_client(platform.issuer) if client is None else None
    try:
        provider = Provider(platform.issuer, client or own or new_client(platform.issuer), clock)
        tokens = await refresh_tokens(provider, platform.client_id, kept)
        # Spent by now: keep its successor before anything can go wrong.
        await keeper.save(keeper_name(platform), tokens.refresh_token or kept)
        if not tokens.id_token:
            raise sign_on_expired("refresh gave no id_token, so nobody is known")
        subject = await _subject(provider, platform.client_id, tokens, nonce=None)
    except BaseException as error:
        if own is not None:
            await own.aclose()
        if isinstance(error, Problem) and error.code in ("signed-out", "id-token-refused"):
            await keeper.forget(keeper_name(platform))
            return None
        raise
    return await _session(provider, platform, tokens, subject, own, keeper)


def keeper_name(platform: Described) -> str:
    """The name a refresh token is kept under: one for each provider and client."""
    return f"{platform.client_id} @ {platform.issuer}"


async def _session(
    provider: Provider,
    platform: Described,
    tokens: Tokens,
    subject: Subject,
    own: httpx.AsyncClient | None,
    keeper: Keeper | None,
) -> Session:
    name = keeper_name(platform)
    if keeper is not None and tokens.refresh_token:
        await keeper.save(name, tokens.refresh_token)
    session = Session(provider, platform.client_id, subject, tokens, owned=own, keeper=keeper, keeper_name=name)
    session.start()
    return session


async def _sign_on(
    provider: Provider, client_id: str, open_browser: OpenBrowser, timeout: float, login_hint: str
) -> tuple[Tokens, Subject]:
    metadata = await provider.metadata()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    async with Loopback(state) as loopback:
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": loopback.redirect_uri,
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        if login_hint:
            asked["login_hint"] = login_hint
        joint = "&" if "?" in metadata.authorization_endpoint else "?"
        address = f"{metadata.authorization_endpoint}{joint}{urlencode(asked)}"
        opening = asyncio.create_task(_open(open_browser, address))
        try:
            answer = await _wait(loopback, opening, timeout)
            code = _code(provider, answer)
            tokens = await exchange_code(
                provider, client_id, code=code, redirect_uri=loopback.redirect_uri, verifier=verifier
            )
            if not tokens.id_token:
                raise refused("no id_token")
            subject = await _subject(provider, client_id, tokens, nonce)
            loopback.conclude("Du er logget inn.", "Du kan lukke denne fanen.")
            await _finish(opening)
        except Problem as problem:
            loopback.conclude("Du er ikke logget inn", str(problem))
            raise
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
    return tokens, subject


async def _open(open_browser: OpenBrowser, address: str) -> None:
    result = open_browser(address)
    if inspect.isawaitable(result):
        await result


async def _wait(loopback: Loopback, opening: asyncio.Task[None], timeout: float) -> dict[str, str]:
    """The callback's parameters; what the opener raises is raised here."""
    hearing = asyncio.create_task(loopback.answer())
    try:
        async with asyncio.timeout(timeout):
            both: set[asyncio.Future[Any]] = {hearing, opening}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not hearing.done():
                await opening
            return await hearing
    except TimeoutError as error:
        raise Problem(
            "sign-on-timeout",
            "Innloggingen ble ikke fullført i tide.",
            "Trykk «Logg inn» og fullfør i nettleseren.",
            f"no callback within {timeout:.0f} s",
        ) from error
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


async def _finish(opening: asyncio.Task[None]) -> None:
    """Let an opener that plays the browser see its last page; its failures matter no more."""
    await asyncio.wait({opening}, timeout=2.0)


def _code(provider: Provider, answer: dict[str, str]) -> str:
    # RFC 9207: an answer from another provider than the one asked is a mix-up, whatever else it says.
    if answer.get("iss") != provider.issuer:
        raise sign_on_refused(f"callback from {answer.get('iss')!r}")
    if answer.get("error") == "access_denied":
        raise Problem("sign-on-cancelled", "Innloggingen ble avbrutt.", "Trykk «Logg inn» for å prøve på nytt.")
    if "error" in answer or not answer.get("code"):
        raise sign_on_refused(f"{answer.get('error')}: {answer.get('error_description')}")
    return answer["code"]


async def _subject(provider: Provider, client_id: str, tokens: Tokens, nonce: str | None) -> Subject:
    claims = await check_id_token(
        provider, tokens.id_token, client_id=client_id, nonce=nonce, access_token=tokens.access_token
    )
    return Subject.of(claims)


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

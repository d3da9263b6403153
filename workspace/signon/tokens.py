"""The token endpoint as a client sees it: exchange a code, refresh, revoke.

Reads answers strictly and names failures. Keeps nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workspace.problem import Problem
from workspace.signon.provider import Provider, not_a_provider, unreachable
from workspace.signon.skew import check_clock
from workspace.signon.wire import Unreachable, json_object, send

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True)
class Tokens:
    """What a token endpoint gave. Secrets stay out of `repr`.

    Attributes:
        lifetime: seconds the access token is good for.
        refresh_token: empty when the provider gave none.
        id_token: empty when there was none, which only a refresh may leave out.
    """

    lifetime: float
    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    id_token: str = field(default="", repr=False)


async def exchange_code(provider: Provider, client_id: str, *, code: str, redirect_uri: str, verifier: str) -> Tokens:
    """Tokens for a code. Raises Problem: ``sign-on-refused``, ``clock-skew``, ``identity-unreachable`` …"""
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    response = await _post(provider, (await provider.metadata()).token_endpoint, form)
    # A wrong clock first: it explains whatever else is the matter.
    check_clock(response.headers.get("date"), provider.clock.real())
    if response.status_code != 200:
        raise sign_on_refused(_error(response))
    return _tokens(provider, response)


async def refresh_tokens(provider: Provider, client_id: str, refresh_token: str) -> Tokens:
    """Fresh tokens. Raises Problem ``signed-out`` when refused, ``identity-unreachable`` when it may be retried."""
    form = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": refresh_token}
    response = await _post(provider, (await provider.metadata()).token_endpoint, form)
    if response.status_code in (400, 401, 403):
        raise sign_on_expired(_error(response))
    if response.status_code != 200:
        raise unreachable(provider.issuer, f"refresh: status {response.status_code}")
    return _tokens(provider, response)


async def revoke_token(provider: Provider, client_id: str, token: str) -> bool:
    """Tell the provider a refresh token is to be forgotten (RFC 7009). True when it agreed. Raises Problem."""
    endpoint = (await provider.metadata()).revocation_endpoint
    if not endpoint:
        return False
    form = {"client_id": client_id, "token": token, "token_type_hint": "refresh_token"}
    return (await _post(provider, endpoint, form)).status_code == 200


async def end_session(provider: Provider, client_id: str, id_token: str) -> bool:
    """End the session at the provider without a browser. True when it agreed. Raises Problem.

    By POST (RP-Initiated Logout 1.0 §2), so that the token stands in no address and no log.
    """
    endpoint = (await provider.metadata()).end_session_endpoint
    if not endpoint:
        return False
    form = {"client_id": client_id, "id_token_hint": id_token}
    return (await _post(provider, endpoint, form)).status_code < 400


async def _post(provider: Provider, url: str, form: Mapping[str, str]) -> httpx.Response:
    try:
        return await send(provider.client, "POST", url, form)
    except Unreachable as gone:
        raise unreachable(provider.issuer, gone.detail) from gone


def _tokens(provider: Provider, response: httpx.Response) -> Tokens:
    body: dict[str, Any] = json_object(response) or {}
    access, kind, lifetime = body.get("access_token"), body.get("token_type"), body.get("expires_in", 60)
    if not isinstance(access, str) or not access or str(kind).lower() != "bearer":
        raise not_a_provider(provider.issuer, f"token response without a bearer token, token_type {kind!r}")
    if isinstance(lifetime, bool) or not isinstance(lifetime, int | float) or lifetime <= 0:
        raise not_a_provider(provider.issuer, f"expires_in is {lifetime!r}")
    rest = {name: body.get(name) or "" for name in ("refresh_token", "id_token")}
    if not all(isinstance(value, str) for value in rest.values()):
        raise not_a_provider(provider.issuer, "a token is no text")
    return Tokens(float(lifetime), access, **rest)


def _error(response: httpx.Response) -> str:
    body = json_object(response) or {}
    return f"status {response.status_code}, {body.get('error')}: {body.get('error_description')}"


def sign_on_refused(detail: str) -> Problem:
    """The provider says no to this sign-on."""
    return Problem("sign-on-refused", "Innloggingstjenesten avviste innloggingen.", "Prøv å logge inn på nytt.", detail)


def sign_on_expired(detail: str) -> Problem:
    """The session is over; the person must sign on again."""
    return Problem(
        "signed-out",
        "Innloggingen din er utløpt.",
        "Logg inn på nytt. Det du har skrevet, er tatt vare på.",
        detail,
    )

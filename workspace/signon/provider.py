"""What an OpenID provider says of itself, and its keys. Fetched once, read strictly, kept for the session.

OpenID Connect Discovery 1.0 §4.3: the issuer must be exactly the one asked for. Holds no token.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workspace.clock import Clock
from workspace.problem import Problem
from workspace.signon.skew import check_clock
from workspace.signon.wire import Unreachable, is_safe, json_object, new_client, send

if TYPE_CHECKING:
    import httpx

_KEEP = 3600.0


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """The parts of the discovery document that sign-on uses. Empty text: the provider has no such endpoint."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str = ""
    revocation_endpoint: str = ""


class Provider:
    """One issuer as seen from here, over a client that the caller owns."""

    def __init__(self, issuer: str, client: httpx.AsyncClient, clock: Clock) -> None:
        self.issuer = issuer
        self.client = client
        self.clock = clock
        self._metadata: tuple[float, Metadata] | None = None
        self._jwks: dict[str, Any] | None = None
        self._reading = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """The discovery document, at most an hour old. Raises Problem."""
        async with self._reading:
            now = self.clock.monotonic()
            if self._metadata is None or now > self._metadata[0]:
                self._metadata = (now + _KEEP, await self._discover())
            return self._metadata[1]

    async def jwks(self, renew: bool = False) -> dict[str, Any]:
        """The provider's keys; `renew` when a token names a key we have not seen. Raises Problem."""
        if self._jwks is None or renew:
            body = await self.get_json((await self.metadata()).jwks_uri)
            if not isinstance(body.get("keys"), list):
                raise not_a_provider(self.issuer, "jwks without keys")
            self._jwks = body
        return self._jwks

    async def get_json(self, url: str) -> dict[str, Any]:
        """A JSON object from the provider. Raises Problem, at first contact also for a wrong clock here."""
        try:
            response = await send(self.client, "GET", url)
        except Unreachable as gone:
            raise unreachable(self.issuer, gone.detail) from gone
        body = json_object(response) if response.status_code == 200 else None
        if body is None:
            raise not_a_provider(self.issuer, f"GET {url}: status {response.status_code}, no JSON object")
        if self._metadata is None:
            # At first contact only: a clock that goes wrong during a shift must not end a good session.
            check_clock(response.headers.get("date"), self.clock.real())
        return body

    async def _discover(self) -> Metadata:
        if not is_safe(self.issuer):
            raise not_a_provider(self.issuer, "neither https nor on this machine")
        body = await self.get_json(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if body.get("issuer") != self.issuer:
            raise not_a_provider(self.issuer, f"document of another issuer: {body.get('issuer')!r}")
        if "S256" not in (body.get("code_challenge_methods_supported") or []):
            raise not_a_provider(self.issuer, "no PKCE S256")
        needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        optional = ("end_session_endpoint", "revocation_endpoint")
        found = {name: body[name] for name in needed + optional if body.get(name)}
        unsafe = [name for name, url in found.items() if not isinstance(url, str) or not is_safe(url)]
        missing = [name for name in needed if name not in found]
        if unsafe or missing:
            raise not_a_provider(self.issuer, f"missing {missing}, unsafe {unsafe}")
        return Metadata(issuer=self.issuer, **found)


async def provider_answers(issuer: str, clock: Clock) -> None:
    """That a person can sign on at `issuer` now. Raises Problem."""
    client = new_client(issuer)
    try:
        await Provider(issuer, client, clock).metadata()
    finally:
        await client.aclose()


def unreachable(issuer: str, detail: str) -> Problem:
    """The sign-on service does not answer."""
    return Problem(
        "identity-unreachable",
        f"Innloggingstjenesten ({issuer}) svarer ikke.",
        "Kontroller nettet og prøv igjen om litt. Det du har skrevet, er tatt vare på.",
        detail,
    )


def not_a_provider(issuer: str, detail: str) -> Problem:
    """Something answers, but not as a sign-on service that can be trusted."""
    return Problem(
        "identity-not-trusted",
        f"Innloggingstjenesten ({issuer}) svarte på en måte som ikke kan godtas.",
        "Ikke prøv flere ganger. Meld fra til brukerstøtte.",
        detail,
    )

"""The provider without its HTTP: what tokens say, when they are given and when they are refused.

Keeps sessions, codes and keys together. Never sees a request or a response.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from workspace.clock import Clock
from workspace.sandbox.identity.authorize import AuthorizeRequest, Choices, Codes, Grant
from workspace.sandbox.identity.client import CLIENT_ID
from workspace.sandbox.identity.keys import Keys
from workspace.sandbox.identity.people import Person
from workspace.sandbox.identity.sessions import Sessions, SignOn
from workspace.sandbox.identity.store import Store

ACCESS_SECONDS = 600
ID_SECONDS = 300
ACCESS_KIND = "at+jwt"


class TokenRefused(Exception):
    """An error of the token endpoint (RFC 6749 §5.2); the description is for developers."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


class Provider:
    """One issuer.

    Args:
        issuer: ``http://127.0.0.1:8650/identity``, no trailing slash.
        people: who may sign in.
        folder: where `identity.json` is kept.
        audience: the gateway's origin, the access token's `aud`; the issuer's own origin when empty.
    """

    def __init__(self, issuer: str, people: Sequence[Person], folder: Path, clock: Clock, audience: str = "") -> None:
        self.issuer = issuer.rstrip("/")
        parts = urlsplit(self.issuer)
        self.audience = audience or f"{parts.scheme}://{parts.netloc}"
        self.people = {person.username: person for person in people}
        self.clock = clock
        store = Store(folder)
        self.keys = Keys(store)
        self.sessions = Sessions(store, clock)
        self.choices = Choices(clock)
        self.codes = Codes(clock)

    def choose(self, request: AuthorizeRequest, person: Person) -> str:
        """The person said «this is me»: a code."""
        return self.codes.issue(Grant(request, person.username, self._now()))

    def exchange(self, code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
        """A token response for a code. Raises TokenRefused."""
        replayed = self.codes.replayed(code)
        if replayed is not None:
            self.sessions.end(replayed)
            raise TokenRefused("invalid_grant", "The code was used before; its session is ended")
        grant = self.codes.take(code)
        if grant is None:
            raise TokenRefused("invalid_grant", "The code is unknown or too old")
        if grant.request.redirect_uri != redirect_uri:
            raise TokenRefused("invalid_grant", "redirect_uri differs from the authorization request")
        if not hmac.compare_digest(_challenge(verifier), grant.request.challenge):
            raise TokenRefused("invalid_grant", "code_verifier does not match (RFC 7636 §4.6)")
        sign_on = self.sessions.start(grant.username, CLIENT_ID, grant.request.scope, grant.auth_time)
        self.codes.redeemed(code, sign_on.sid)
        return self._tokens(sign_on, nonce=grant.request.nonce)

    def refresh(self, token: str, scope: str = "") -> dict[str, Any]:
        """A token response for a refresh token, which is spent by it. Raises TokenRefused."""
        sign_on = self.sessions.by_refresh(token)
        if sign_on is None:
            raise TokenRefused("invalid_grant", "The refresh token is unknown, used before, or its session ended")
        if sign_on.username not in self.people:
            self.sessions.end(sign_on.sid)
            raise TokenRefused("invalid_grant", "The person is not here any more")
        if not set(scope.split()) <= set(sign_on.scope.split()):
            raise TokenRefused("invalid_scope", "scope exceeds what was granted")
        return self._tokens(sign_on)

    def revoke(self, token: str) -> None:
        """End the session a token belongs to (RFC 7009 §2.1); an unknown token is no error."""
        sign_on = self.sessions.of_refresh(token)
        if sign_on is not None:
            self.sessions.end(sign_on.sid)
            return
        claims = self.keys.claims_of(token, ACCESS_KIND)
        if claims is not None:
            self.sessions.end(str(claims.get("sid", "")))

    def end_by_hint(self, id_token_hint: str) -> bool:
        """End the session an id_token names; False when we never signed it. An old one is good enough here."""
        claims = self.keys.claims_of(id_token_hint)
        if claims is None:
            return False
        self.sessions.end(str(claims.get("sid", "")))
        return True

    def userinfo(self, access_token: str) -> dict[str, Any] | None:
        """Who the bearer is; None when the token is no good."""
        claims = self.keys.claims_of(access_token, ACCESS_KIND)
        if claims is None or claims.get("iss") != self.issuer or claims["exp"] <= self._now():
            return None
        sign_on = self.sessions.get(claims["sid"])
        person = self.people.get(sign_on.username) if sign_on else None
        return person.claims() if person else None

    def _tokens(self, sign_on: SignOn, nonce: str = "") -> dict[str, Any]:
        now = self._now()
        who = self.people[sign_on.username].claims() | {"sid": sign_on.sid, "auth_time": sign_on.auth_time}
        common = who | {"iss": self.issuer, "iat": now}
        access = self.keys.sign(
            common
            | {
                "aud": self.audience,
                "exp": now + ACCESS_SECONDS,
                "jti": secrets.token_urlsafe(16),
                "client_id": sign_on.client_id,
                "scope": sign_on.scope,
            },
            ACCESS_KIND,
        )
        about = common | {
            "aud": sign_on.client_id,
            "azp": sign_on.client_id,
            "exp": now + ID_SECONDS,
            "at_hash": _half_hash(access),
        }
        answer = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
            "scope": sign_on.scope,
            "id_token": self.keys.sign(about | ({"nonce": nonce} if nonce else {})),
        }
        if "offline_access" in sign_on.scope.split():
            answer["refresh_token"] = self.sessions.issue_refresh(sign_on)
        return answer

    def _now(self) -> int:
        return int(self.clock.real().timestamp())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _challenge(verifier: str) -> str:
    return _base64url(hashlib.sha256(verifier.encode()).digest())


def _half_hash(token: str) -> str:
    """`at_hash` (OpenID Connect Core §3.1.3.6) for RS256."""
    return _base64url(hashlib.sha256(token.encode("ascii")).digest()[:16])

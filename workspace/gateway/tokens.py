"""Access tokens: is this bearer who they say, now? (RFC 9068.)

RS256 only, header `typ` ``at+jwt``, issuer, audience, time and the session's end. Never issues a token and never logs one.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workspace.access.decision import Subject
from workspace.clock import Clock
from workspace.gateway.refused import Refused

ALGORITHM = "RS256"
KIND = "at+jwt"
LEEWAY = 30
"""Seconds that the issuer's clock may be ahead."""
REMEMBERED = 256
LONGEST = 16_384
REFETCH_SECONDS = 30.0
_LEVEL = "helseid://claims/identity/security_level"
_HPR = "helseid://claims/hpr/hpr_number"


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose request it is. `expires` is seconds since 1970, real time; `level` is how strongly they signed on, 0 when the
    token does not say."""

    subject: Subject
    sid: str
    expires: float
    claims: Mapping[str, Any]
    level: int = 0


class TokenCheck:
    """Checks tokens of one `issuer` for one `audience` (the platform's origin).

    `keys` hands over the JWKS in process; without it they are fetched from the issuer. `ended(sid)` says whether a session
    was signed out; without it only the expiry counts.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        clock: Clock,
        *,
        keys: Callable[[], Mapping[str, Any]] | None = None,
        ended: Callable[[str], bool] | None = None,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._keys = keys
        self._ended = ended
        self._fetched: Mapping[str, Any] = {}
        self._fetched_at = float("-inf")
        self._fetching = asyncio.Lock()
        self._known: OrderedDict[str, Bearer] = OrderedDict()

    async def check(self, authorization: str) -> Bearer:
        """The bearer of an ``Authorization`` header. Raises Refused 401."""
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.casefold() != "bearer" or not token or len(token) > LONGEST:
            raise signed_out("no bearer token")
        bearer = self._known.get(token)
        if bearer is None:
            bearer = self._bearer(await self._verified(token))
            self._known[token] = bearer
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        if not self.alive(bearer):
            self._known.pop(token, None)
            raise signed_out("token expired or session ended")
        return bearer

    def alive(self, bearer: Bearer) -> bool:
        """Whether the token still counts: not expired, and its session not ended."""
        if self._clock.real().timestamp() >= bearer.expires:
            return False
        return not (self._ended and self._ended(bearer.sid))

    async def _verified(self, token: str) -> Mapping[str, Any]:
        for fresh in (False, True):
            found = self._decoded(token, await self._jwks(fresh))
            if found is not None:
                return found
            if self._keys is not None:
                break
        raise signed_out("signature or type")

    def _decoded(self, token: str, jwks: Mapping[str, Any]) -> Mapping[str, Any] | None:
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        try:
            decoded = jwt.decode(token, KeySet.import_key_set(dict(jwks)), algorithms=[ALGORITHM])  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError):
            return None
        kind = str(decoded.header.get("typ", "")).casefold().removeprefix("application/")
        return dict(decoded.claims) if kind == KIND else None

    def _bearer(self, claims: Mapping[str, Any]) -> Bearer:
        now = self._clock.real().timestamp()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        expires, sid, sub = claims.get("exp"), claims.get("sid"), claims.get("sub")
        if claims.get("iss") != self._issuer or self._audience not in audiences:
            raise signed_out("issuer or audience")
        if not isinstance(expires, int | float) or isinstance(expires, bool) or now >= expires:
            raise signed_out("expired")
        for name in ("nbf", "iat"):
            early = claims.get(name, now)
            if not isinstance(early, int | float) or early > now + LEEWAY:
                raise signed_out(f"{name} in the future")
        if not (isinstance(sid, str) and sid and isinstance(sub, str) and sub):
            raise signed_out("sub or sid missing")
        subject = Subject(
            sub,
            str(claims.get("name") or sub),
            str(claims.get("fhirUser") or ""),
            str(claims.get("role") or ""),
            str(claims.get(_HPR) or ""),
            sid,
        )
        level = str(claims.get(_LEVEL) or "")
        return Bearer(subject, sid, float(expires), claims, int(level) if level.isascii() and level.isdigit() else 0)

    async def _jwks(self, fresh: bool) -> Mapping[str, Any]:
        if self._keys is not None:
            return self._keys()
        async with self._fetching:
            age = self._clock.monotonic() - self._fetched_at
            if not self._fetched or (fresh and age > REFETCH_SECONDS):
                self._fetched = await _fetch(self._issuer)
                self._fetched_at = self._clock.monotonic()
        return self._fetched


async def _fetch(issuer: str) -> Mapping[str, Any]:
    import httpx

    try:
        async with httpx.AsyncClient(timeout=10.0, trust_env=False) as http:
            found = await http.get(issuer.rstrip("/") + "/.well-known/openid-configuration")
            found.raise_for_status()
            keys = await http.get(found.json()["jwks_uri"])
            keys.raise_for_status()
            held = keys.json()
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise Refused(
            503, "identity-unreachable", "Påloggingstjenesten svarer ikke.", "Prøv igjen om litt.", type(error).__name__
        ) from error
    return held if isinstance(held, dict) else {}


def signed_out(detail: str) -> Refused:
    return Refused(401, "signed-out", "Innloggingen er utløpt.", "Logg inn på nytt.", detail, issue="login")

"""The checks an id_token must pass before anybody is signed on (OpenID Connect Core §3.1.3.7; O-08).

Algorithms by an allow list that knows nothing of `none` or shared secrets. A token that fails any check gives no
session, and the user is told so without detail; the log gets the reason.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from workspace.problem import Problem
from workspace.signon.provider import Provider

ALGORITHMS = ["RS256", "PS256", "ES256"]
"""All of them use SHA-256, which `at_hash` relies on."""
LEEWAY = 60
OLDEST = 600


async def check_id_token(
    provider: Provider, token: str, *, client_id: str, nonce: str | None, access_token: str
) -> dict[str, Any]:
    """The claims of a token that is good.

    `nonce` is None at refresh, where it may be absent (Core §12.2). The token then comes straight from the token
    endpoint, so its times are not held against this computer's clock: one that goes wrong during a shift must not
    end a good session.

    Raises Problem ``id-token-refused``, or what fetching the keys raises.
    """
    claims = await _verified(provider, token)
    now = provider.clock.real().timestamp()
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    moments = {name: claims.get(name) for name in ("exp", "iat")}
    odd = [name for name, at in moments.items() if isinstance(at, bool) or not isinstance(at, int | float)]
    if odd:
        raise refused(f"missing or no number: {odd}")
    half = _half_hash(access_token)
    checks = {
        "iss": claims.get("iss") == provider.issuer,
        "aud": client_id in audiences,
        # A second audience is a party we do not know (§3.1.3.7 step 3).
        "aud: others": audiences == [client_id],
        "azp": claims.get("azp", client_id) == client_id,
        "exp": nonce is None or claims["exp"] > now - LEEWAY,
        "iat": nonce is None or now - OLDEST <= claims["iat"] <= now + LEEWAY,
        "nonce": nonce is None or hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()),
        "at_hash": "at_hash" not in claims or claims["at_hash"] == half,
        "sub": isinstance(claims.get("sub"), str) and bool(claims["sub"]),
    }
    failed = [name for name, good in checks.items() if not good]
    if failed:
        raise refused(f"failed: {', '.join(failed)}")
    return claims


async def _verified(provider: Provider, token: str) -> dict[str, Any]:
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    header = _header(token)
    if header.get("alg") not in ALGORITHMS:
        raise refused(f"algorithm {header.get('alg')!r} is not allowed")
    known = [key.get("kid") for key in (await provider.jwks())["keys"] if isinstance(key, dict)]
    # A key we do not know may be new: fetch once more, once.
    jwks = await provider.jwks(renew=header.get("kid") not in known)
    usable = [
        key for key in jwks["keys"] if isinstance(key, dict) and key.get("kty") != "oct" and key.get("use") != "enc"
    ]
    try:
        keys = KeySet.import_key_set({"keys": usable})
        decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise refused(f"signature: {error}") from error
    return dict(decoded.claims)


def _header(token: str) -> dict[str, Any]:
    """The header before anything is verified: only good for deciding what to refuse and which key to fetch."""
    part = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError as error:
        raise refused(f"not a JWT: {error}") from error
    if not isinstance(header, dict):
        raise refused("not a JWT: the header is no object")
    return header


def _half_hash(access_token: str) -> str:
    digest = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def refused(detail: str) -> Problem:
    """The provider's proof of who signed on does not hold."""
    return Problem(
        "id-token-refused",
        "Beviset fra innloggingstjenesten kunne ikke godtas, så du er ikke logget inn.",
        "Prøv én gang til. Skjer det igjen, meld fra til brukerstøtte.",
        detail,
    )

"""The provider's signing key: makes and checks JWTs, publishes the JWKS.

RS256 only. The key is made at first need and kept in the store, so that a restart keeps sessions valid.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from workspace.sandbox.identity.store import Store

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

ALGORITHM = "RS256"


class Keys:
    """One RSA key of 2048 bits."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key: RSAKey | None = None
        self._making = threading.Lock()

    def jwks(self) -> dict[str, Any]:
        """The public key set (RFC 7517)."""
        public = self._signing().as_dict(private=False)
        return {"keys": [{**public, "use": "sig", "alg": ALGORITHM}]}

    def sign(self, claims: dict[str, Any], kind: str = "JWT") -> str:
        """A compact JWT with header `typ` = `kind`."""
        from joserfc import jwt

        key = self._signing()
        header = {"alg": ALGORITHM, "typ": kind, "kid": key.kid}
        return jwt.encode(header, claims, key, algorithms=[ALGORITHM])

    def claims_of(self, token: str, kind: str = "JWT") -> dict[str, Any] | None:
        """The claims of a JWT signed here with header `typ` = `kind`, else None. Does not look at the time."""
        from joserfc import jwt
        from joserfc.errors import JoseError

        try:
            decoded = jwt.decode(token, self._signing(), algorithms=[ALGORITHM])
        except (JoseError, ValueError):
            return None
        return dict(decoded.claims) if decoded.header.get("typ") == kind else None

    def _signing(self) -> RSAKey:
        from joserfc.jwk import RSAKey

        with self._making:
            if self._key is None:
                kept = self._store.get("key")
                if kept is None:
                    fresh = RSAKey.generate_key(2048, auto_kid=True)
                    kept = dict(fresh.as_dict(private=True))
                    self._store.put("key", kept)
                self._key = RSAKey.import_key(kept)
            return self._key

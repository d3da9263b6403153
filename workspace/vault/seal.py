"""The seal on a transaction: its author's session key signs what was committed, so that a device may deliver it later
without borrowing anybody's rights.

Ed25519 over a fixed text of who, when, what and which key. The private key lives as long as the session and is never
written. Never reads what it seals.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workspace.problem import Problem

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

VERSION = 1


class SessionKey:
    """One for each sign-on. `public` is 32 bytes in base64url; `id` its RFC 7638 thumbprint."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = _text(private.public_key().public_bytes_raw())
        self.id = thumbprint(self.public)

    @classmethod
    def new(cls) -> SessionKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate())

    def seal(self, content: Mapping[str, Any], *, transaction: str, author: str, made: str) -> dict[str, Any]:
        """The envelope of `content` as it was committed. It carries the content's digest, not the content."""
        envelope = {
            "v": VERSION, "transaction": transaction, "author": author, "made": made,
            "key": self.public, "kid": self.id, "digest": digest(content),
        }  # fmt: skip
        return {**envelope, "signature": _text(self._private.sign(_signed(envelope)))}


def verify(
    envelope: Mapping[str, Any], *, transaction: str, author: str, content: Mapping[str, Any] | None = None
) -> None:
    """That `author` sealed this very transaction with the key in the envelope. With `content`, that it is what was sealed.

    Whether the key is the author's, only the platform that met it at sign-on can say. Raises Problem ``seal-broken``."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = str(envelope["key"])
        Ed25519PublicKey.from_public_bytes(_bytes(key)).verify(_bytes(str(envelope["signature"])), _signed(envelope))
        said = (envelope["v"], envelope["transaction"], envelope["author"], envelope["kid"])
        if said != (VERSION, transaction, author, thumbprint(key)):
            raise ValueError("the envelope is another's")
        if content is not None and digest(content) != envelope["digest"]:
            raise ValueError("the content is not what was sealed")
    except (InvalidSignature, KeyError, ValueError, TypeError) as fault:
        raise Problem(
            "seal-broken",
            "Noe som ventet på å bli sendt, er endret etter at det ble skrevet.",
            "Det sendes ikke. Se over innholdet og skriv det på nytt.",
            f"{transaction}: {fault!r}",
        ) from fault


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of the content's one spelling (RFC 8785's order of keys, no white space)."""
    return _text(hashlib.sha256(_spelt(content)).digest())


def thumbprint(public: str) -> str:
    """RFC 8037 §A.3: the key's name."""
    return _text(hashlib.sha256(_spelt({"crv": "Ed25519", "kty": "OKP", "x": public})).digest())


def _signed(envelope: Mapping[str, Any]) -> bytes:
    return _spelt({name: value for name, value in envelope.items() if name != "signature"})


def _spelt(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

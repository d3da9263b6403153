"""The seal on a transaction: its author's session key signs the very bytes that are sent, so that a device may deliver them
later without borrowing anybody's rights.

Ed25519 over a fixed text of who, when, what, for which panels and why, and which key. The private key lives as long as the
session and is never written. Never reads what it seals.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workspace.problem import Problem

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

VERSION = 2
PUBLIC_BYTES = 32


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

    def seal(
        self,
        content: bytes,
        *,
        transaction: str,
        author: str,
        made: str,
        packages: Sequence[str] = (),
        purpose: str = "",
    ) -> dict[str, Any]:
        """The envelope of `content` as it is sent under the idempotency key `transaction`. It carries the content's digest,
        not the content."""
        envelope = {
            "v": VERSION, "transaction": transaction, "author": author, "made": made, "packages": list(packages),
            "purpose": purpose, "key": self.public, "kid": self.id, "digest": digest(content),
        }  # fmt: skip
        return {**envelope, "signature": _text(self._private.sign(_signed(envelope)))}


def verify(envelope: Mapping[str, Any], *, transaction: str, author: str, content: bytes | None = None) -> None:
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


def to_header(envelope: Mapping[str, Any]) -> str:
    """The envelope as one header's value."""
    return _text(_spelt(envelope))


def from_header(text: str) -> dict[str, Any]:
    """The envelope again; nothing in it is checked. Raises ValueError."""
    envelope = json.loads(_bytes(text))
    if not isinstance(envelope, dict):
        raise ValueError("not an envelope")
    return envelope


def is_public(text: str) -> bool:
    """Whether `text` is a public key in the one spelling that has this thumbprint."""
    try:
        raw = _bytes(text)
    except ValueError:
        return False
    return len(raw) == PUBLIC_BYTES and _text(raw) == text


def digest(content: bytes) -> str:
    """SHA-256 of the bytes as they are kept and sent."""
    return _text(hashlib.sha256(content).digest())


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
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

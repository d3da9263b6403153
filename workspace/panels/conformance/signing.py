"""A vendor's keys: Ed25519 (RFC 8032), as PEM files, named by a fingerprint. Never stores a key by itself."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from workspace.problem import Problem

_RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`vendor` is the first half of the ids it may sign; `raw` its 32 bytes."""

    vendor: str
    raw: bytes

    @property
    def id(self) -> str:
        """``nordlys:3f2a…``: the vendor and 16 hexadecimal digits of the key's SHA-256."""
        return f"{self.vendor}:{hashlib.sha256(self.raw).hexdigest()[:16]}"

    @property
    def text(self) -> str:
        """One line that can be read aloud, mailed and put in a trust list."""
        return f"{self.vendor} {base64.b64encode(self.raw).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class PrivateKey:
    vendor: str
    key: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.vendor, self.key.public_key().public_bytes(*_RAW))

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)


def verified(key: PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def make(vendor: str, folder: Path) -> tuple[Path, Path]:
    """``<vendor>.key`` (for the vendor alone) and ``<vendor>.pub`` in `folder`. Raises Problem ``exists``."""
    secret, public = folder / f"{vendor}.key", folder / f"{vendor}.pub"
    for path in (secret, public):
        if path.exists():
            raise Problem(
                "exists",
                f"«{path}» finnes fra før. Ingen nøkkel er laget.",
                "Ta vare på den, eller velg en annen mappe.",
            )
    key = PrivateKey(vendor, Ed25519PrivateKey.generate())
    pem = key.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(b"vendor: " + vendor.encode("ascii") + b"\n" + pem)
    public.write_text(key.public.text + "\n", encoding="ascii", newline="\n")
    return secret, public


def load_private(path: Path) -> PrivateKey:
    """Raises Problem ``bad-key``."""
    try:
        head, _, pem = path.read_bytes().partition(b"\n")
        key = serialization.load_pem_private_key(pem, None)
        vendor = head.decode("ascii").removeprefix("vendor: ").strip()
    except (OSError, ValueError, TypeError, UnicodeDecodeError) as error:
        raise _bad(path, str(error)) from error
    if not isinstance(key, Ed25519PrivateKey) or not head.startswith(b"vendor: ") or not vendor:
        raise _bad(path, "not an Ed25519 key made by keygen")
    return PrivateKey(vendor, key)


def load_public(path: Path) -> PublicKey:
    """Raises Problem ``bad-key``."""
    try:
        return public_from(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise _bad(path, str(error)) from error


def public_from(text: str) -> PublicKey:
    """From `PublicKey.text`. Raises ValueError."""
    vendor, _, encoded = text.strip().partition(" ")
    raw = base64.b64decode(encoded, validate=True)
    if not vendor.replace("-", "a").isalnum() or len(raw) != 32:
        raise ValueError("not a public key line: vendor and 32 bytes in base64")
    return PublicKey(vendor, raw)


def _bad(path: Path, detail: str) -> Problem:
    return Problem(
        "bad-key", f"«{path}» er ikke en nøkkel som kan brukes.", "Lag en med «workspace panel keygen».", detail
    )

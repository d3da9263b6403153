"""Seals what lies in the gateway's file and is nobody's business there: AES-256-GCM under the gateway's own key.

The key is handed over (production) or lies in a file of its own, for its owner only (sandbox). What is sealed is bound to a
name, so that one row cannot pass for another. Never writes the key anywhere else and never logs it.
"""

from __future__ import annotations

import os
from pathlib import Path

from workspace.problem import Problem

KEY_BYTES = 32
_NONCE = 12
_VERSION = b"\x01"


class Unsealable(Exception):
    """Sealed under another key, bound to another name, or changed."""


class Seal:
    """`seal` and `open` under one `key` of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        # Late: the library takes longer to import than the gateway may take to start.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, name: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plain, name.encode())

    def open(self, sealed: bytes, name: str) -> bytes:
        """Raises Unsealable."""
        from cryptography.exceptions import InvalidTag

        if sealed[:1] != _VERSION or len(sealed) < 1 + _NONCE + 16:
            raise Unsealable("not of this kind")
        try:
            return self._cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], name.encode())
        except InvalidTag as error:
            raise Unsealable("another key or name") from error


def key_of(given: bytes, path: Path) -> bytes:
    """The key `given`, else the one in the file `path`, made when there is none. Raises Problem ``gateway-key-failed``."""
    if given:
        return _checked(given, "the key that was handed over")
    try:
        return _checked(path.read_bytes(), path.name)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _failed(f"{path.name}: {error}") from error
    return _made(path)


def _made(path: Path) -> bytes:
    key = os.urandom(KEY_BYTES)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _failed(f"{path.name}: {error}") from error
    return key


def _checked(key: bytes, where: str) -> bytes:
    if len(key) != KEY_BYTES:
        raise _failed(f"{where} has {len(key)} bytes, not {KEY_BYTES}")
    return key


def _failed(detail: str) -> Problem:
    return Problem(
        "gateway-key-failed",
        "Nøkkelen som beskytter kladder på plattformen, kan ikke brukes.",
        "Hent den fra sikkerhetskopien. Flyttes den bort, lages en ny, men kladdene som ligger der, kan da ikke leses.",
        detail,
    )

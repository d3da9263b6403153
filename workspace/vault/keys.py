"""Where the device key is kept, which wraps each person's own (`people`): the OS keyring when it is a safe one, else a file
beside a sandbox profile, else nowhere.

A keyring library that finds no real keyring may fall back to a plain text file; hence an allow list of back ends, never
whatever happens to be installed. Never writes a key to a file unless it is told that the data are synthetic.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from workspace.problem import Problem
from workspace.vault.people import FOLDER, FORMER
from workspace.vault.vault import KEY_BYTES, WRAPPED

SERVICE = "clinician-workspace"
SAFE_BACKENDS = frozenset(
    {
        "keyring.backends.SecretService",
        "keyring.backends.libsecret",
        "keyring.backends.kwallet",
        "keyring.backends.macOS",
        "keyring.backends.Windows",
    }
)


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """`key` is None when there is no safe place for one: vaults are then in memory, without offline writes."""

    key: bytes | None
    kept: Literal["keyring", "file", "nowhere"]


def device_key(profile: Path, *, allow_key_file: bool = False, safe: frozenset[str] = SAFE_BACKENDS) -> DeviceKey:
    """The key of the vaults in `profile`, made on first use. May take tens of milliseconds: call it in a thread. Where there
    are vaults already no new one is made: it could not read them, and a keyring that is locked, or has lost the key, may
    have it again tomorrow.

    `allow_key_file` is for the sandbox's synthetic data only. Raises Problem ``key-file-damaged``.
    """
    file = profile / "vault.key"
    if allow_key_file and file.exists():
        return DeviceKey(_read_file(file), "file")
    ring = safe_keyring(safe)
    if ring is not None:
        key = _from_keyring(ring, _name(profile), make=not vaults_in(profile))
        if key is not None:
            return DeviceKey(key, "keyring")
    if allow_key_file and not vaults_in(profile):
        return DeviceKey(_from_file(file), "file")
    return DeviceKey(None, "nowhere")


def vaults_in(profile: Path) -> bool:
    """Whether something was kept here that needs a key."""
    return (profile / FORMER).exists() or any((profile / FOLDER).glob(f"*{WRAPPED}"))


def existing_key(profile: Path, *, safe: frozenset[str] = SAFE_BACKENDS) -> DeviceKey:
    """The key that the vaults in `profile` were made with, and never a new one. Raises Problem ``key-file-damaged``."""
    file = profile / "vault.key"
    if file.exists():
        return DeviceKey(_read_file(file), "file")
    ring = safe_keyring(safe)
    key = _from_keyring(ring, _name(profile), make=False) if ring is not None else None
    return DeviceKey(key, "keyring" if key is not None else "nowhere")


def forget_key(profile: Path, *, safe: frozenset[str] = SAFE_BACKENDS) -> None:
    """The key is gone for good, wherever it was: what was ciphered with it can be read by nobody."""
    (profile / "vault.key").unlink(missing_ok=True)
    ring = safe_keyring(safe)
    if ring is None:
        return
    from keyring.errors import KeyringError

    try:
        if ring.get_password(SERVICE, _name(profile)) is not None:
            ring.delete_password(SERVICE, _name(profile))
    except (KeyringError, OSError) as error:
        raise Problem(
            "key-kept", "Nøkkelen i nøkkelringen kunne ikke slettes.", "Lås opp nøkkelringen og prøv igjen.", str(error)
        ) from error


def _name(profile: Path) -> str:
    return f"vault:{profile.resolve()}"


def safe_keyring(safe: frozenset[str] = SAFE_BACKENDS) -> Any | None:
    """The first keyring back end of the allow list that works here, or None."""
    try:
        import keyring
    except ImportError:
        return None
    chosen = keyring.get_keyring()
    # The chainer asks several in turn; look inside, since one of them may be unsafe.
    for backend in getattr(chosen, "backends", None) or [chosen]:
        if type(backend).__module__ in safe:
            return backend
    return None


def _from_keyring(ring: Any, name: str, *, make: bool = True) -> bytes | None:
    from keyring.errors import KeyringError

    try:
        text = ring.get_password(SERVICE, name)
        if text is None and not make:
            return None
        if text is None:
            text = secrets.token_hex(KEY_BYTES)
            ring.set_password(SERVICE, name, text)
        key = bytes.fromhex(text)
    except (KeyringError, ValueError, OSError):
        # Locked, dismissed by the user, or written by something else: there is no safe keyring then.
        return None
    return key if len(key) == KEY_BYTES else None


def _from_file(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return _read_file(path)
    key = secrets.token_bytes(KEY_BYTES)
    with os.fdopen(handle, "w") as file:
        file.write(key.hex())
        file.flush()
        os.fsync(file.fileno())
    return key


def _read_file(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text().strip())
    except (ValueError, OSError) as error:
        raise _damaged(path, str(error)) from error
    if len(key) != KEY_BYTES:
        raise _damaged(path, f"{len(key)} bytes")
    return key


def _damaged(path: Path, detail: str) -> Problem:
    return Problem(
        "key-file-damaged",
        f"Nøkkelfilen {path} er skadet.",
        "Flytt den bort for å begynne med et tomt lokalt lager, eller hent den tilbake fra sikkerhetskopi.",
        detail,
    )

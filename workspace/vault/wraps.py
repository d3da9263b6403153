"""A person's vault key, wrapped: a small file beside their vault, worth nothing without the device key.

Written whole or not at all. Says nobody's name in clear, and neither does its own name. Bound to the vault it lies beside:
a file that was copied over another's opens nothing.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workspace.problem import Problem
from workspace.vault.vault import KEY_BYTES, WRAPPED

VERSION = 1
NONCE_BYTES = 12


class Damaged(Exception):
    """The file cannot be read, or is another vault's."""


@dataclass(frozen=True, slots=True)
class Who:
    """Whose a vault is: organisation number, FHIR user (``Practitioner/tone``), and how they are shown."""

    tenant: str
    user: str
    name: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class PinWrap:
    """The vault's key sealed once more, under the device key and a PIN together (`pin`). `tries` are wrong ones in a row."""

    salt: bytes
    key: str
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Wrap:
    """What the file of the vault `id` holds. `key` is opened by the device key alone. `spent`: a PIN was tried too often.
    `going`: it was ordered to go, and does so when nothing waits in it."""

    id: str
    key: bytes
    who: Who
    pin: PinWrap | None = None
    spent: bool = False
    going: bool = False


def vault_id(device_key: bytes, tenant: str, user: str) -> str:
    """The name of a person's files: the same each time here, and nothing to whoever has no device key."""
    return under(device_key, "name", f"{tenant}\x1f{user}")[:16].hex()


def new(own: str, who: Who) -> Wrap:
    return Wrap(own, secrets.token_bytes(KEY_BYTES), who)


def load(folder: Path, own: str, device_key: bytes) -> Wrap | None:
    """None when there is no such file. Raises `Damaged`, or Problem ``vault-newer``."""
    try:
        raw = (folder / (own + WRAPPED)).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unwritable(folder, error) from error
    return _read(own, raw, device_key)


def save(folder: Path, wrap: Wrap, device_key: bytes) -> None:
    """On the disk when this returns; a crash leaves the former one whole. Raises Problem ``vault-unwritable``."""
    who = json.dumps([wrap.who.tenant, wrap.who.user, wrap.who.name, wrap.who.role]).encode()
    body: dict[str, Any] = {
        "v": VERSION,
        "key": seal(under(device_key, "wrap"), wrap.key, wrap.id, "key"),
        "who": seal(under(device_key, "wrap"), who, wrap.id, "who"),
        "spent": wrap.spent,
        "going": wrap.going,
    }
    if wrap.pin is not None:
        salt = base64.b64encode(wrap.pin.salt).decode()
        body["pin"] = {"salt": salt, "key": wrap.pin.key, "tries": wrap.pin.tries}
    replace_file(folder / (wrap.id + WRAPPED), json.dumps(body).encode())


def end(folder: Path, own: str, device_key: bytes) -> None:
    """No PIN opens the vault `own` any more, and it is `going`. One that cannot be read loses the PIN's part, if it has one
    that can be told from the rest. Raises Problem ``vault-unwritable``."""
    try:
        wrap = load(folder, own, device_key)
    except (Damaged, Problem):
        _strip(folder / (own + WRAPPED))
        return
    if wrap is not None:
        save(folder, replace(wrap, pin=None, spent=False, going=True), device_key)


def _strip(path: Path) -> None:
    try:
        body: Any = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return
    if isinstance(body, dict) and body.pop("pin", None) is not None:
        replace_file(path, json.dumps(body).encode())


def remove(folder: Path, own: str) -> None:
    """The vault `own`, which nobody has open, and then its key: a crash in between leaves a key of nothing, that goes the
    next time. Raises Problem ``vault-unwritable``."""
    try:
        for ending in (".sqlite-wal", ".sqlite-shm", ".sqlite", WRAPPED + ".new", WRAPPED):
            (folder / (own + ending)).unlink(missing_ok=True)
        sync_folder(folder)
    except OSError as error:
        raise _unwritable(folder / own, error) from error


def replace_file(path: Path, content: bytes) -> None:
    """`content` is at `path`, whole and on the disk. Raises Problem ``vault-unwritable``."""
    fresh = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error


def sync_folder(folder: Path) -> None:
    """Names of files are on the disk too. Does nothing where folders cannot be opened (Windows keeps them itself)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def seal(key: bytes, content: bytes, own: str, part: str) -> str:
    """AES-256-GCM under `key`, bound to this version, vault and part; base64."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(NONCE_BYTES)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, content, _bound(own, part))).decode()


def unseal(key: bytes, sealed: str, own: str, part: str) -> bytes:
    """Raises `Damaged`."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        raw = base64.b64decode(sealed, validate=True)
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(own, part))
    except (InvalidTag, ValueError, TypeError) as error:
        raise Damaged(f"{part} of {own}: {type(error).__name__}") from error


def _read(own: str, raw: bytes, device_key: bytes) -> Wrap:
    try:
        body: Any = json.loads(raw)
        version = int(body["v"])
        key, who = str(body["key"]), str(body["who"])
        spent, going = bool(body.get("spent")), bool(body.get("going"))
        pin = _pin(body["pin"]) if body.get("pin") else None
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"{own}: {error!r}") from error
    if version > VERSION:
        raise Problem(
            "vault-newer",
            "Det lokale lageret er laget av en nyere utgave av programmet.",
            "Start den nyeste utgaven, eller be brukerstøtte om hjelp. Ingenting er endret.",
            f"wrapped key {version}, this program knows {VERSION}",
        )
    wrapping = under(device_key, "wrap")
    tenant, user, name, role = json.loads(unseal(wrapping, who, own, "who"))
    return Wrap(own, unseal(wrapping, key, own, "key"), Who(tenant, user, name, role), pin, spent, going)


def _pin(body: Any) -> PinWrap:
    return PinWrap(base64.b64decode(body["salt"], validate=True), str(body["key"]), int(body["tries"]))


def under(device_key: bytes, use: str, text: str = "") -> bytes:
    """A key, or a name, for one use, made from the device key: no two uses share one."""
    return hmac.digest(device_key, f"workspace.vault\x1f{VERSION}\x1f{use}\x1f{text}".encode(), "sha256")


def _bound(own: str, part: str) -> bytes:
    return f"workspace.vault\x1f{VERSION}\x1f{own}\x1f{part}".encode()


def _unwritable(path: Path, error: OSError) -> Problem:
    return Problem(
        "vault-unwritable",
        "Det lokale lageret kan ikke åpnes for skriving.",
        "Sjekk at profilmappen finnes, at du har tilgang og at disken ikke er full.",
        f"{path}: {error}",
    )

"""A package as one file: a zip with the same bytes each time, and a list of its files that a vendor's key signs.

`panel.seal` in the archive is JSON: format, id, version, the vendor's key id, path, size and SHA-256 of every file, and an
Ed25519 signature over all that in canonical form. Reading refuses every trick a zip can play; nothing is ever unpacked
before all of it has been checked.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import stat
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workspace.panels.conformance import files, signing
from workspace.panels.conformance.signing import PrivateKey, PublicKey
from workspace.problem import Problem

SEAL = "panel.seal"
SUFFIX = ".panel"
FORMAT = 1
_MOMENT = (1980, 1, 1, 0, 0, 0)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,80}")
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))})
_DEEPEST = 8


class BadPackage(Problem):
    """The file is not a package that may be installed; `code` says why."""


@dataclass(frozen=True, slots=True)
class Contents:
    """A package that is whole: every file as listed, and the signature, if any, by the key it names. Whether that key is
    to be trusted is the installer's question. `key` is None when it is unsigned."""

    files: dict[str, bytes]
    id: str
    version: str
    key: PublicKey | None
    seal: bytes


def sealed(content: Mapping[str, bytes], package_id: str, version: str, key: PrivateKey | None) -> bytes:
    """The archive. Stored, not deflated: what a compressor makes differs from one version to the next."""
    listed: dict[str, Any] = {
        "format": FORMAT,
        "id": package_id,
        "version": version,
        "key": key.public.id if key is not None else "",
        "public": key.public.text if key is not None else "",
        "files": [
            {"path": name, "size": len(content[name]), "sha256": hashlib.sha256(content[name]).hexdigest()}
            for name in sorted(content)
        ],
    }
    signature = key.sign(canonical(listed)) if key is not None else b""
    seal = {**listed, "signature": base64.b64encode(signature).decode("ascii")}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, data in [(SEAL, canonical(seal)), *((name, content[name]) for name in sorted(content))]:
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, data)
    return made.getvalue()


def canonical(value: Any) -> bytes:
    """One form for one value: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def opened(archive: Path) -> Contents:
    """Read and check. Raises BadPackage: ``package-unreadable``, ``package-unsafe``, ``package-too-large``,
    ``package-tampered``."""
    try:
        if archive.stat().st_size > 2 * files.MAX_BYTES:
            raise _too_large()
        with zipfile.ZipFile(archive) as held:
            content = dict(_entries(held))
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise BadPackage(
            "package-unreadable", f"«{archive.name}» er ikke en panelpakke.", "Hent filen på nytt.", str(error)
        ) from error
    return checked(content)


def _entries(held: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """Every file, once all names and sizes are known to be good."""
    entries = held.infolist()
    names = [entry.filename for entry in entries]
    bad = next(bad_names(names), "")
    if bad:
        raise _unsafe(bad)
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or entry.is_dir():
            raise _unsafe(f"{entry.filename} is not a plain file")
        if entry.flag_bits & 1:
            raise _unsafe(f"{entry.filename} is encrypted")
    if sum(entry.file_size for entry in entries) > files.MAX_BYTES + (1 << 20) or len(entries) > files.MAX_FILES + 1:
        raise _too_large()
    for entry in entries:
        with held.open(entry) as stream:
            data = stream.read(entry.file_size + 1)  # never more than was declared, whatever it claims to hold
        if len(data) != entry.file_size:
            raise _unsafe(f"{entry.filename} is not as long as it says")
        yield entry.filename, data


def checked(content: dict[str, bytes]) -> Contents:
    """`content` with its seal among it, as it was in the archive or lies unpacked. Raises BadPackage."""
    content = dict(content)
    raw = content.pop(SEAL, None)
    if raw is None:
        raise _tampered(f"{SEAL} is missing")
    try:
        seal = json.loads(raw)
        signature = base64.b64decode(seal.pop("signature"), validate=True)
        listed = {entry["path"]: (entry["size"], entry["sha256"]) for entry in seal["files"]}
        good = seal["format"] == FORMAT and all(isinstance(seal[name], str) for name in ("id", "version", "key"))
        good = good and len(listed) == len(seal["files"])
        key = signing.public_from(seal["public"]) if seal["key"] else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _tampered(f"{SEAL} cannot be read: {error}") from error
    if not good:
        raise _tampered(f"{SEAL} is of another format")
    there = {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in content.items()}
    if there != listed:
        wrong = sorted(name for name in there.keys() | listed.keys() if there.get(name) != listed.get(name))
        raise _tampered(f"not as listed: {', '.join(wrong[:3])}")
    if key is not None and (key.id != seal["key"] or not signing.verified(key, signature, canonical(seal))):
        raise _tampered("the signature is not by the key it names")
    return Contents(content, seal["id"], seal["version"], key, raw)


def bad_names(names: Iterable[str]) -> Iterator[str]:
    """What is wrong with each name that may not stand in a package, in English."""
    seen: dict[str, str] = {}
    for name in names:
        parts = name.split("/")
        fine = all(_NAME.fullmatch(part) and not part.endswith(".") for part in parts) and len(parts) <= _DEEPEST
        if not fine or any(part.partition(".")[0].lower() in _RESERVED for part in parts):
            yield f"{name!r} is no safe name"
        elif name.lower() in seen:
            yield f"{name!r} and {seen[name.lower()]!r} are one name on some systems"
        seen[name.lower()] = name
    for name in list(seen):
        above = name.rpartition("/")[0]
        while above:
            if above in seen:
                yield f"{seen[above]!r} is both a file and a folder"
            above = above.rpartition("/")[0]


def _unsafe(detail: str) -> BadPackage:
    return BadPackage(
        "package-unsafe", "Pakken inneholder noe som ikke hører hjemme i en panelpakke.",
        "Den er ikke installert. Meld fra til leverandøren.", detail,
    )  # fmt: skip


def _too_large() -> BadPackage:
    return BadPackage(
        "package-too-large", "Pakken er for stor.", f"En panelpakke er høyst {files.MAX_BYTES >> 20} MiB."
    )


def _tampered(detail: str) -> BadPackage:
    return BadPackage(
        "package-tampered", "Pakken er endret etter at leverandøren laget den.",
        "Den er ikke installert. Hent den på nytt fra leverandøren.", detail,
    )  # fmt: skip

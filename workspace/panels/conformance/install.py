"""Installed packages of one profile: who vouches for them, what they may see, and a way back to the version before.

`<folder>/<id>/<version>+<digest>/` holds a version's files with their seal, `<folder>/<id>/installed.json` which one is in
use. A version is moved in whole or not at all. Everything is checked again each time packages are listed: what has been
changed on disk is not started. Never runs a package.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from workspace.access.scopes import parse_scope
from workspace.panels import manifest
from workspace.panels.conformance import files, pack, signing
from workspace.panels.conformance.pack import Contents
from workspace.panels.manifest import Package
from workspace.problem import Problem

RECORD = "installed.json"
_ID = re.compile(r"[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*")


class Version(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One installed version. `key` is empty when it is unsigned; `scopes` those that were approved."""

    version: str
    folder: str
    key: str = ""
    scopes: list[str] = []


class Record(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    current: Version
    former: Version | None = None


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom this workstation trusts: public keys as `PublicKey.text`, by key id. `sandbox`: unsigned ones are let in too."""

    keys: Mapping[str, str]
    sandbox: bool = False


class Refusal(Problem):
    """The package is not installed, or not started; `code` says why."""


class Store:
    """`folder` is the profile's; made when something is installed."""

    def __init__(self, folder: Path, trust: Trust) -> None:
        self._folder, self._trust = folder, trust

    # --- looking --------------------------------------------------------------------------------------------

    def records(self) -> dict[str, Record]:
        """What is installed, by id. Raises nothing: a broken record is left out (`packages` tells of it)."""
        found = {}
        for file in sorted(self._folder.glob(f"*/{RECORD}")):
            try:
                found[file.parent.name] = _decode(file)
            except Problem:
                continue
        return found

    def packages(self) -> tuple[dict[str, Package], list[Problem]]:
        """Those that may be started, by id, and what is wrong with the others."""
        good: dict[str, Package] = {}
        problems: list[Problem] = []
        for file in sorted(self._folder.glob(f"*/{RECORD}")):
            try:
                record = _decode(file)
                package = self._sound(file.parent, record.current)
            except Problem as problem:
                problems.append(problem)
            else:
                good[package.id] = package
        return good, problems

    def _sound(self, home: Path, version: Version) -> Package:
        """Unchanged since it was installed, still trusted, and within what was approved. Raises Problem."""
        folder = home / version.folder
        _forget_compiled(folder)
        content, odd = files.read(folder)
        odd += sorted(
            {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - set(content)
        )
        if odd:
            raise _refused("package-tampered", f"«{home.name}» er endret på disken.", AGAIN, ", ".join(odd))
        contents = pack.checked(content)
        self._vouched(contents)
        package = manifest.load(folder)
        if (package.id, package.version) != (home.name, version.version) or beyond(package.scopes, version.scopes):
            raise _refused("package-tampered", f"«{home.name}» er ikke slik den ble godkjent.", AGAIN)
        return package

    # --- installing -----------------------------------------------------------------------------------------

    def install(self, archive: Path, *, approve: bool = False) -> Package:
        """Make the package in `archive` the one in use. Raises BadPackage, ManifestProblem, or Refusal:
        ``package-unsigned``, ``vendor-unknown``, ``wrong-vendor``, ``downgrade``, ``same-version``, ``not-approved``."""
        contents = pack.opened(archive)
        self._vouched(contents)
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self._folder) as waiting:
            fresh = Path(waiting) / "package"
            unpack(contents, fresh)
            package = manifest.load(fresh)
            if (package.id, package.version) != (contents.id, contents.version) or not _ID.fullmatch(package.id):
                raise _refused("package-tampered", "Pakkens segl og manifest er ikke enige.", AGAIN)
            former = self.records().get(package.id)
            digest = hashlib.sha256(contents.seal).hexdigest()[:12]
            version = Version(
                version=package.version, folder=f"{package.version}+{digest}", scopes=list(package.scopes),
                key=contents.key.id if contents.key is not None else "",
            )  # fmt: skip
            _newer(package, former, version)
            _approved(package, former, approve)
            self._put(package.id, fresh, version, former)
        return manifest.load(self._folder / package.id / version.folder)

    def _vouched(self, contents: Contents) -> None:
        key = contents.key
        if key is None:
            if not self._trust.sandbox:
                raise _refused(
                    "package-unsigned", "Pakken er ikke signert.",
                    "Be leverandøren om en signert pakke. Usignerte pakker kan bare brukes i sandkassen.",
                )  # fmt: skip
            return
        known = self._trust.keys.get(key.id)
        if known is None or signing.public_from(known) != key:
            raise _refused(
                "vendor-unknown", f"Pakken er signert med en ukjent nøkkel ({key.id}).",
                "Få leverandørens nøkkel på en annen vei enn pakken, og legg den til med «workspace panel trust».",
            )  # fmt: skip
        if contents.id.partition(".")[0] != key.vendor:
            raise _refused(
                "wrong-vendor", f"«{contents.id}» er signert av {key.vendor}, som ikke er leverandøren.", AGAIN
            )  # fmt: skip

    def _put(self, package_id: str, fresh: Path, version: Version, record: Record | None) -> None:
        home = self._folder / package_id
        home.mkdir(exist_ok=True)
        target = home / version.folder
        if record is None or record.current.folder != version.folder:
            if target.exists():
                shutil.rmtree(target)  # left from an interrupted installation, or the version before
            os.replace(fresh, target)
        same = record is not None and record.current.folder == version.folder
        former = None if record is None else record.former if same else record.current
        _write(home, Record(current=version, former=former))
        _sweep(home, {version.folder, former.folder if former else ""})

    def revert(self, package_id: str) -> Version:
        """Back to the version before; another `revert` goes forward again. Raises Refusal ``nothing-to-revert``, or why
        the former one may not be used."""
        record = self.records().get(package_id)
        if record is None or record.former is None:
            raise _refused(
                "nothing-to-revert", f"Det finnes ingen tidligere utgave av «{package_id}».", "Ingenting er endret."
            )
        self._sound(self._folder / package_id, record.former)
        _write(self._folder / package_id, Record(current=record.former, former=record.current))
        return record.former


AGAIN = "Installer pakken på nytt fra leverandøren."


def beyond(asked: Sequence[str], approved: Sequence[str]) -> list[str]:
    """The scopes of `asked` that `approved` does not cover, letter by letter."""
    return [scope for scope in asked if not _covered(scope, approved)]


def _covered(text: str, approved: Sequence[str]) -> bool:
    if text in approved:
        return True
    scope = parse_scope(text)
    letters: set[str] = set()
    for one in map(parse_scope, approved):
        same = one.level == scope.level and one.type in ("*", scope.type)
        if same and (not one.restrictions or one.restrictions == scope.restrictions):
            letters |= set(one.letters)
    return set(scope.letters) <= letters


def _newer(package: Package, record: Record | None, version: Version) -> None:
    if record is None:
        return
    known = record.current
    if precedence(package.version) < precedence(known.version):
        raise _refused(
            "downgrade", f"«{package.name}» {package.version} er eldre enn den som er installert ({known.version}).",
            f"Bruk «workspace panel revert {package.id}» for å gå tilbake til utgaven før.",
        )  # fmt: skip
    if package.version == known.version and version.folder != known.folder:
        raise _refused(
            "same-version", f"«{package.name}» {package.version} er installert fra før med et annet innhold.",
            "Be leverandøren gi pakken et nytt versjonsnummer.",
        )  # fmt: skip


def _approved(package: Package, record: Record | None, approve: bool) -> None:
    more = beyond(package.scopes, record.current.scopes if record is not None else [])
    if more and not approve:
        what = "ber om mer enn det som er godkjent" if record is not None else "må godkjennes før den kan brukes"
        raise _refused(
            "not-approved", f"«{package.name}» {what}: {', '.join(more)}.",
            "Legg til --approve for å godkjenne. Ingenting er endret.",
        )  # fmt: skip


def precedence(version: str) -> tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]:
    """Order of versions (Semantic Versioning 2.0.0, §11): a pre-release comes before its release."""
    core, _, pre = version.partition("-")
    parts = tuple((not one.isdigit(), int(one) if one.isdigit() else 0, one) for one in pre.split(".") if one)
    return tuple(int(one) for one in core.split(".")), not pre, parts


def unpack(contents: Contents, folder: Path) -> None:
    """Names were checked when the archive was read; still each file is made anew and nothing is followed."""
    for name, data in [*contents.files.items(), (pack.SEAL, contents.seal)]:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _forget_compiled(folder: Path) -> None:
    """Compiled code is not in the seal: it is made anew from what is, by whoever starts the panel."""
    for cache in folder.rglob("__pycache__"):
        shutil.rmtree(cache, ignore_errors=True)


def _decode(file: Path) -> Record:
    try:
        record = msgspec.json.decode(file.read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError) as error:
        raise _refused("package-tampered", f"«{file.parent.name}» kan ikke leses.", AGAIN, str(error)) from error
    for version in (record.current, record.former):
        if version is not None and (Path(version.folder).name != version.folder or version.folder.startswith(".")):
            raise _refused("package-tampered", f"«{file.parent.name}» peker ut av mappen sin.", AGAIN)
    return record


def _write(home: Path, record: Record) -> None:
    draft = home / (RECORD + ".new")
    with draft.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, home / RECORD)


def _sweep(home: Path, keep: set[str]) -> None:
    """Take away older versions; one that is in use elsewhere may stay until next time."""
    for folder in home.iterdir():
        if folder.is_dir() and folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)


def _refused(code: str, sentence: str, advice: str, detail: str = "") -> Refusal:
    return Refusal(code, sentence, advice, detail)

"""A panel package as its vendor wrote it down: `panel.toml`, read and checked (docs/seams.md).

One broken package is a `Problem` that names the file, the field and what to do, and never stops the others. Never
starts anything, never reads a package's code.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from workspace.access.scopes import parse_scope
from workspace.panels import runtimes
from workspace.panels.protocol import PROTOCOL_VERSION
from workspace.problem import Problem

FILE = "panel.toml"

_ID = re.compile(r"^[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*$")
_VIEW = re.compile(r"^[a-z][a-z0-9_-]*$")
_VERSION = re.compile(r"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$")
_LANGUAGE = re.compile(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
_QUERY = re.compile(r"^[A-Z][A-Za-z]+(\?[^\s#]+)?$")
_PATIENT_PARAMETER = re.compile(r"[?&](patient|subject)(:[A-Za-z]+)?=")
_INTENT = re.compile(r"^[a-z][a-z-]* ([A-Z][A-Za-z]+|[a-z][a-z-]*)$")

Text = Annotated[str, Meta(min_length=1, max_length=200)]


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """`bound`: the view only draws from it, in tables and trends; its rows are then not sent to the panel."""

    query: Text
    bound: bool = False


class View(msgspec.Struct, frozen=True, kw_only=True):
    """`minimum` in text columns and rows. `safety`: its prefetch leaves first."""

    id: Text
    title: Text
    context: Literal["patient", "unit", "none"] = "patient"
    minimum: tuple[Annotated[int, Meta(ge=1, le=400)], Annotated[int, Meta(ge=1, le=200)]] = (20, 8)
    safety: bool = False
    prefetch: list[Query] = []


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting an administrator may change: its type, default and title, with the choices if there are any."""

    type: Literal["string", "integer", "number", "boolean"]
    title: Text
    default: Any = None
    choices: list[Any] = []


class _Panel(msgspec.Struct, frozen=True, kw_only=True):
    id: Text
    name: Text
    vendor: Text
    version: Text
    protocol: int
    kind: Literal["native", "web"] = "native"
    languages: Annotated[list[Text], Meta(min_length=1)]
    start: Annotated[list[Text], Meta(min_length=1)]
    state_version: Annotated[int, Meta(ge=1)] = 1


class _Access(msgspec.Struct, frozen=True, kw_only=True):
    scopes: list[Text] = []


class _Intents(msgspec.Struct, frozen=True, kw_only=True):
    raises: list[Text] = []
    handles: list[Text] = []


class _File(msgspec.Struct, frozen=True, kw_only=True):
    panel: _Panel
    views: Annotated[list[View], Meta(min_length=1)]
    access: _Access = _Access()
    intents: _Intents = _Intents()
    settings: dict[str, Setting] = {}


@dataclass(frozen=True, slots=True)
class Package:
    """A package that may be opened. `folder` is absolute; everything else is the manifest's own."""

    folder: Path
    id: str
    name: str
    vendor: str
    version: str
    protocol: int
    kind: Literal["native", "web"]
    languages: tuple[str, ...]
    start: tuple[str, ...]
    state_version: int
    views: tuple[View, ...]
    scopes: tuple[str, ...]
    raises: tuple[str, ...]
    handles: tuple[str, ...]
    settings: dict[str, Setting]

    def view(self, view_id: str) -> View | None:
        return next((view for view in self.views if view.id == view_id), None)

    def defaults(self) -> dict[str, Any]:
        return {name: setting.default for name, setting in self.settings.items() if setting.default is not None}


class ManifestProblem(Problem):
    """`file` and `field` (``views[0].prefetch[1].query``) say where; the sentence says it in words."""

    def __init__(self, file: Path, field: str, fault: str, advice: str = "") -> None:
        where = f" i feltet {field}" if field else ""
        super().__init__(
            "manifest-broken",
            f"Panelpakken «{file.parent.name}» kan ikke brukes: {fault}{where} i {file.name}.",
            advice or "Be leverandøren rette filen, eller ta pakken bort. De andre panelene er ikke berørt.",
            detail=f"{file}: {field}: {fault}",
        )
        self.file = file
        self.field = field


def discover(folder: Path) -> tuple[dict[str, Package], list[Problem]]:
    """Every package in the folders directly under `folder`, by id, and what is wrong with the others."""
    packages: dict[str, Package] = {}
    problems: list[Problem] = []
    if not folder.is_dir():
        advice = "Sjekk hvor panelene er installert."
        return {}, [Problem("no-packages", f"Finner ikke mappen med paneler ({folder.name}).", advice, str(folder))]
    for file in sorted(folder.glob(f"*/{FILE}")):
        try:
            package = load(file.parent)
        except Problem as problem:
            problems.append(problem)
            continue
        if package.id in packages:
            other = packages[package.id].folder.name
            fault = f"id-en «{package.id}» brukes også av «{other}»"
            problems.append(ManifestProblem(file, "panel.id", fault, "Ta bort en av de to pakkene."))
            continue
        packages[package.id] = package
    return packages, problems


def load(folder: Path) -> Package:
    """The package in `folder`. Raises ManifestProblem."""
    file = folder.resolve() / FILE
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ManifestProblem(file, "", f"filen {FILE} mangler") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestProblem(file, "", "filen kan ikke leses") from error
    except tomllib.TOMLDecodeError as error:
        raise ManifestProblem(file, "", f"ugyldig TOML ({error})") from None
    protocol = raw["panel"].get("protocol") if isinstance(raw.get("panel"), dict) else None
    if isinstance(protocol, int) and protocol > PROTOCOL_VERSION:
        advice = "Oppdater programmet, eller bruk en eldre versjon av panelet."
        raise ManifestProblem(file, "panel.protocol", f"panelet krever protokoll {protocol}", advice)
    try:
        parsed = msgspec.convert(raw, _File)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        raise ManifestProblem(file, path.strip(".`"), f"ugyldig verdi ({text})") from None
    _check(file, parsed)
    return _package(folder.resolve(), parsed)


def _check(file: Path, parsed: _File) -> None:
    """What types alone do not say."""
    panel = parsed.panel

    def must(good: object, field: str, fault: str) -> None:
        if not good:
            raise ManifestProblem(file, field, fault)

    must(_ID.match(panel.id), "panel.id", f"«{panel.id}» er ikke på formen leverandør.navn med små bokstaver")
    must(_VERSION.match(panel.version), "panel.version", f"«{panel.version}» er ikke på formen 1.0.0")
    must(panel.protocol >= 1, "panel.protocol", "protokollen er minst 1")
    for number, language in enumerate(panel.languages):
        must(_LANGUAGE.match(language), f"panel.languages[{number}]", f"«{language}» er ikke et språkmerke")
    program = runtimes.script(tuple(panel.start))
    must(program, "panel.start", "programmet som skal kjøres, mangler")
    inside = (file.parent / program).resolve()
    must(inside.is_file() and inside.is_relative_to(file.parent), "panel.start", f"finner ikke «{program}» i pakken")
    must(len({view.id for view in parsed.views}) == len(parsed.views), "views", "to visninger har samme id")
    for number, view in enumerate(parsed.views):
        at = f"views[{number}]"
        must(_VIEW.match(view.id), f"{at}.id", f"«{view.id}» er ikke en gyldig id")
        for place, query in enumerate(view.prefetch):
            where = f"{at}.prefetch[{place}].query"
            must(_QUERY.match(query.query), where, f"«{query.query}» er ikke et FHIR-søk")
            must(
                not _PATIENT_PARAMETER.search(query.query), where, "søket nevner en pasient; det gjør plattformen selv"
            )
    for number, scope in enumerate(parsed.access.scopes):
        try:
            parse_scope(scope)
        except ValueError:
            must(False, f"access.scopes[{number}]", f"«{scope}» er ikke et SMART v2-scope")
    for name, intents in (("raises", parsed.intents.raises), ("handles", parsed.intents.handles)):
        for number, intent in enumerate(intents):
            must(
                _INTENT.match(intent),
                f"intents.{name}[{number}]",
                f"«{intent}» er ikke et verb og hva det gjelder (record vital-signs)",
            )
    _check_settings(file, parsed.settings)


def _check_settings(file: Path, settings: dict[str, Setting]) -> None:
    kinds: dict[str, tuple[type, ...]] = {
        "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,),
    }  # fmt: skip
    for name, setting in settings.items():
        for value in [setting.default, *setting.choices]:
            fits = isinstance(value, kinds[setting.type]) and (setting.type == "boolean") == isinstance(value, bool)
            if value is not None and not fits:
                raise ManifestProblem(file, f"settings.{name}", f"verdien {value!r} er ikke av typen {setting.type}")


def _package(folder: Path, parsed: _File) -> Package:
    panel = parsed.panel
    return Package(
        folder=folder,
        id=panel.id,
        name=panel.name,
        vendor=panel.vendor,
        version=panel.version,
        protocol=panel.protocol,
        kind=panel.kind,
        languages=tuple(panel.languages),
        start=tuple(panel.start),
        state_version=panel.state_version,
        views=tuple(parsed.views),
        scopes=tuple(parsed.access.scopes),
        raises=tuple(parsed.intents.raises),
        handles=tuple(parsed.intents.handles),
        settings=dict(parsed.settings),
    )

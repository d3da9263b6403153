"""Checks of what lies in the package: manifest, texts, icon, learning texts, scopes as declared, and nothing else."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from workspace.access.scopes import parse_scope, permits
from workspace.fhir.identifiers import national_number
from workspace.panels.conformance import files, pack
from workspace.panels.conformance.check import Findings, Rules
from workspace.panels.conformance.evidence import Evidence
from workspace.panels.manifest import Package

rules = Rules()

LEARN_AT_LEAST = 120
"""Letters of a learning text: less teaches nobody anything."""
ICON_AT_MOST = 8 << 10
LARGEST_MINIMUM = (100, 50)
"""Text columns and rows that a work surface on an ordinary screen can give one panel."""

_WORD = re.compile(r"[A-Za-zÆØÅæøåÁáČčĐđŊŋŠšŦŧŽž]")
_ELEVEN = re.compile(r"(?<!\d)\d{6} ?\d{5}(?!\d)")
_SECRET = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")


def package(seen: Evidence) -> Package:
    assert seen.package is not None
    return seen.package


# --- manifest -----------------------------------------------------------------------------------------------


@rules(
    "M-01", "The manifest can be used",
    why="The shell knows a package only by its `panel.toml`; one that cannot be read is never started.",
    mend="Correct the field named; `docs/vendors/sdk.md` shows a whole manifest.", needs="files",
)  # fmt: skip
def manifest_good(seen: Evidence) -> Findings:
    return [seen.manifest] if seen.manifest and not seen.sealed else []


@rules(
    "M-02", "Every view says how little room it can live with",
    why="The layout keeps a panel at least that large; a panel that asks for the whole screen fits nobody's work.",
    mend="Set `minimum` of the view to the columns and rows in which its most important things can be read, "
    f"at most {LARGEST_MINIMUM[0]} × {LARGEST_MINIMUM[1]}.", needs="manifest",
)  # fmt: skip
def minimum_sizes(seen: Evidence) -> Findings:
    raw = tomllib.loads(seen.files["panel.toml"].decode())
    for written, view in zip(raw["views"], package(seen).views, strict=True):
        if "minimum" not in written:
            yield f"view {view.id}: no `minimum`"
        elif view.minimum[0] > LARGEST_MINIMUM[0] or view.minimum[1] > LARGEST_MINIMUM[1]:
            yield f"view {view.id}: `minimum` is {view.minimum[0]} × {view.minimum[1]}"


@rules(
    "M-03", "There is an icon that follows the theme",
    why="The icon stands in menus, tabs and the shop, in light, dark and high contrast.",
    mend='Put `icon.svg` beside `panel.toml`: viewBox "0 0 24 24", drawn in `currentColor`, at most 8 KiB, without '
    "scripts, styles, pictures or addresses.", needs="manifest",
)  # fmt: skip
def icon(seen: Evidence) -> Findings:
    raw = seen.files.get("icon.svg")
    if raw is None:
        yield "icon.svg is missing"
        return
    text = raw.decode("utf-8", "replace")
    if len(raw) > ICON_AT_MOST:
        yield f"icon.svg is {len(raw)} bytes"
    if not re.search(r"<svg[\s>]", text) or 'viewBox="0 0 24 24"' not in text:
        yield 'icon.svg is not an <svg> with viewBox "0 0 24 24"'
    if "currentColor" not in text or re.search(r"#[0-9a-fA-F]{3,8}\b|rgba?\(", text):
        yield "icon.svg has colours of its own; use currentColor"
    bad = re.search(r"<(script|style|image|foreignObject|!DOCTYPE|!ENTITY)|\son\w+=|href=|url\(", text)
    if bad:
        yield f"icon.svg holds {bad[0].strip()!r}"


@rules(
    "M-04", "There is a learning text in every language",
    why="A user who meets the panel on a night shift must find out by herself what it is for.",
    mend="Write `learn/<language>.md` for each language in the manifest: a heading, what the panel shows, and how its "
    f"most common task is done; at least {LEARN_AT_LEAST} letters.", needs="manifest",
)  # fmt: skip
def learning_texts(seen: Evidence) -> Findings:
    for language in package(seen).languages:
        raw = seen.files.get(f"learn/{language}.md")
        text = (raw or b"").decode("utf-8", "replace").strip()
        if raw is None:
            yield f"learn/{language}.md is missing"
        elif not text.startswith("# "):
            yield f"learn/{language}.md does not begin with a heading (`# …`)"
        elif len(_WORD.findall(text)) < LEARN_AT_LEAST:
            yield f"learn/{language}.md has {len(_WORD.findall(text))} letters"


@rules(
    "M-05", "Settings can be understood and have a default",
    why="An administrator changes settings without the vendor beside her, and a panel must work untouched.",
    mend="Give every `[settings.<name>]` a `title` in words and a `default`.", needs="manifest",
)  # fmt: skip
def settings_described(seen: Evidence) -> Findings:
    for name, setting in package(seen).settings.items():
        if setting.default is None:
            yield f"settings.{name}: no default"
        if setting.title.strip() == name or "_" in setting.title:
            yield f"settings.{name}: the title {setting.title!r} is not words for a person"


# --- texts --------------------------------------------------------------------------------------------------


@rules(
    "T-01", "There are texts for every declared language",
    why="The shell switches language while running; a language that is only declared shows gaps.",
    mend="Write `texts/<language>.toml` for each language in the manifest, or declare fewer languages. A panel in one "
    "language alone may have its words in its code.",
    needs="manifest",
)  # fmt: skip
def texts_there(seen: Evidence) -> Findings:
    if len(package(seen).languages) < 2 and not any(name.startswith("texts/") for name in seen.files):
        return
    for language in package(seen).languages:
        _, fault = texts(seen, language)
        if fault:
            yield fault


@rules(
    "T-02", "All languages have the same texts",
    why="A text that one language lacks is shown in another, in the middle of a sentence.",
    mend="Add what is missing; take away what no language uses.", needs="manifest",
)  # fmt: skip
def texts_same(seen: Evidence) -> Findings:
    known = {language: texts(seen, language)[0] for language in package(seen).languages}
    there = {language: found for language, found in known.items() if found is not None}
    every = set().union(*there.values()) if there else set()
    for language, found in there.items():
        missing = sorted({_base(name) for name in every} - {_base(name) for name in found})
        if missing:
            yield f"texts/{language}.toml lacks {', '.join(missing[:5])}"
        blank = sorted(name for name, text in found.items() if not text.strip())
        if blank:
            yield f"texts/{language}.toml is empty at {', '.join(blank[:5])}"


def _base(name: str) -> str:
    """Without the form of a plural: languages have different ones."""
    head, _, form = name.rpartition(".")
    return head if form in ("zero", "one", "two", "few", "many", "other") else name


def texts(seen: Evidence, language: str) -> tuple[dict[str, str] | None, str]:
    """The texts of one language by key, flattened; or None and why."""
    raw = seen.files.get(f"texts/{language}.toml")
    if raw is None:
        return None, f"texts/{language}.toml is missing"
    try:
        found = dict(_flat(tomllib.loads(raw.decode("utf-8"))))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return None, f"texts/{language}.toml cannot be read: {error}"
    return (found, "") if found else (None, f"texts/{language}.toml is empty")


def _flat(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{at}{name}.")
        else:
            yield f"{at}{name}", str(inner)


# --- scopes -------------------------------------------------------------------------------------------------


@rules(
    "S-01", "Scopes name types and never more than a panel may have",
    why="A panel gets just what it was approved for; `*` and `system/` are everybody's everything.",
    mend="Name each resource type, with level `patient` or `user` and only the letters c, r, u, s that are "
    "used. Nothing "
    "clinical is deleted: set `entered-in-error` instead.", needs="manifest",
)  # fmt: skip
def scopes_narrow(seen: Evidence) -> Findings:
    for text in package(seen).scopes:
        scope = parse_scope(text)
        if scope.type == "*":
            yield f"{text}: every type"
        if scope.level == "system":
            yield f"{text}: level system"
        if "d" in scope.letters:
            yield f"{text}: deleting"


@rules(
    "S-02", "Prefetched queries are within the scopes, each asked once",
    why="A prefetched query outside the scopes is refused at every opening; one asked twice costs twice.",
    mend="Add the scope (`patient/<Type>.rs`) or take the query away; write each query once.", needs="manifest",
)  # fmt: skip
def prefetch_in_scope(seen: Evidence) -> Findings:
    for view in package(seen).views:
        known: set[tuple[Any, ...]] = set()
        for item in view.prefetch:
            kind, _, tail = item.query.partition("?")
            if not permits(package(seen).scopes, kind, "s", tail):
                yield f"view {view.id}: {item.query} needs patient/{kind}.s"
            same = (kind, *sorted(parse_qsl(tail)))
            if same in known:
                yield f"view {view.id}: {item.query} stands twice"
            known.add(same)


# --- the package --------------------------------------------------------------------------------------------


@rules(
    "K-01", "Only plain files with safe names",
    why="The package is unpacked on Windows and Linux alike; a link, or two names that differ in case only, becomes "
    "another file there.",
    mend="Use a–z, A–Z, 0–9, `.`, `_` and `-` in names; no links; no two names that differ in case only.",
    needs="files",
)  # fmt: skip
def plain_files(seen: Evidence) -> Findings:
    yield from (f"{name} is not a plain file" for name in seen.odd)
    yield from pack.bad_names(seen.files)


@rules(
    "K-02", "The package is small",
    why="It is sent to every workstation, and read at each start.",
    mend=f"At most {files.MAX_BYTES >> 20} MiB in {files.MAX_FILES} files. Leave out what the panel does not "
    f"read.",
    needs="files",
)  # fmt: skip
def small(seen: Evidence) -> Findings:
    size = sum(len(content) for content in seen.files.values())
    if size > files.MAX_BYTES:
        yield f"{size / (1 << 20):.1f} MiB"
    if len(seen.files) > files.MAX_FILES:
        yield f"{len(seen.files)} files"


@rules(
    "K-03", "No keys and no person's number in the package",
    why="A package is public to all who install it.",
    mend="Keep keys outside the folder. Use invented persons only: national numbers with 80 added to the "
    "month.",
    needs="files",
)  # fmt: skip
def no_secrets(seen: Evidence) -> Findings:
    for name, content in seen.files.items():
        if _SECRET.search(content) or name.endswith((".key", ".pem", ".p12", ".pfx")):
            yield f"{name} holds a private key"
        for found in _ELEVEN.finditer(content.decode("utf-8", "replace")):
            number = national_number(found[0])
            if number.valid and not number.synthetic and number.kind != "fhn":
                yield f"{name} holds what looks like a real national number"
                break


@rules(
    "K-04", "Nothing is imported that is not there",
    why="A panel runs with its language's standard library, `workspace.sdk` and its own files; there is no network to "
    "fetch the rest from.",
    mend="Put the module into the package, or do without it.", needs="manifest",
)  # fmt: skip
def imports(seen: Evidence) -> Findings:
    if package(seen).start[0] == "python":
        yield from _python_imports(seen)
    else:
        yield from _script_imports(seen)


def _python_imports(seen: Evidence) -> Findings:
    own = {name.partition("/")[0].removesuffix(".py") for name in seen.files if name.endswith(".py")}
    for name, content in seen.files.items():
        if not name.endswith(".py"):
            continue
        try:
            tree = ast.parse(content)
        except (SyntaxError, ValueError) as error:
            yield f"{name} is not Python: {error}"
            continue
        for node in ast.walk(tree):
            modules = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or "" for _ in [0]] if isinstance(node, ast.ImportFrom) and not node.level else []
            for module in modules:
                top = module.partition(".")[0]
                ours = module == "workspace.sdk" or module.startswith("workspace.sdk.")
                if not ours and top not in sys.stdlib_module_names and top not in own:
                    yield f"{name}:{node.lineno} imports {module}"  # type: ignore[attr-defined]


_REQUIRED = re.compile(r"""(?:require\(|from\s+|import\s+|import\()\s*["']([^"']+)["']""")


def _script_imports(seen: Evidence) -> Findings:
    for name, content in seen.files.items():
        if not name.endswith((".js", ".mjs", ".cjs")):
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            for module in _REQUIRED.findall(line):
                if not module.startswith(("node:", "./", "../")):
                    yield f"{name}:{number} imports {module} (write node:{module} if it is built in)"


@rules(
    "K-05", "Packing it twice gives the same bytes",
    why="Anybody can then check that a package was made from the sources it claims.",
    mend="Do not write time stamps or random values into files when packing.", needs="manifest",
)  # fmt: skip
def reproducible(seen: Evidence) -> Findings:
    shut = [pack.sealed(seen.files, package(seen).id, package(seen).version, None) for _ in range(2)]
    if shut[0] != shut[1]:
        yield "the two archives differ"


@rules(
    "K-06", "An archive is whole, and signed by its vendor",
    why="An unsigned or altered archive is refused where patients are.",
    mend="Make it with `workspace panel pack . --key <vendor>.key`; a folder has nothing to sign yet.", needs="files",
)  # fmt: skip
def sealed(seen: Evidence) -> Findings:
    return [seen.sealed] if seen.sealed else []

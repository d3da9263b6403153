"""SMART v2 scopes: reading them, and saying whether they cover one interaction (SMART App Launch 2.2, "Scopes").

Pure, and shared by gateway and broker. ``patient/Observation.rs?category=vital-signs`` covers a search only when
the search is at least as narrow, and a resource only when it has that category. Never decides *whose* data: that
is `access.decision` and the broker's context.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import parse_qsl

Level = Literal["patient", "user", "system"]

LETTERS = "cruds"
_SCOPE = re.compile(r"^(patient|user|system)/(\*|[A-Z][A-Za-z]+)\.(c?r?u?d?s?)(?:\?(.+))?$")
_LEGACY = re.compile(r"^(patient|user|system)/(\*|[A-Z][A-Za-z]+)\.(read|write|\*)$")
_LEGACY_LETTERS = {"read": "rs", "write": "cud", "*": LETTERS}


@dataclass(frozen=True, slots=True)
class Scope:
    """`letters` out of ``cruds``; `restrictions` are (parameter, values) that must all hold."""

    level: Level
    type: str
    letters: str
    restrictions: tuple[tuple[str, tuple[str, ...]], ...] = ()


@lru_cache(maxsize=1024)
def parse_scope(text: str) -> Scope:
    """One resource scope. Raises ValueError when it is none, so ``openid`` and ``.dus`` are refused alike."""
    legacy = _LEGACY.match(text)
    if legacy:
        level, kind, verb = legacy.groups()
        return Scope(level, kind, _LEGACY_LETTERS[verb])  # type: ignore[arg-type]
    found = _SCOPE.match(text)
    if not found or not found.group(3):
        raise ValueError(f"not a SMART v2 resource scope: {text!r}")
    level, kind, letters, query = found.groups()
    restrictions: list[tuple[str, tuple[str, ...]]] = []
    if query:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
        restrictions = [(name, tuple(value.split(","))) for name, value in pairs]
        if any(not name or not all(values) for name, values in restrictions):
            raise ValueError(f"empty restriction in scope: {text!r}")
    return Scope(level, kind, letters, tuple(restrictions))  # type: ignore[arg-type]


def resource_scopes(texts: Iterable[str]) -> tuple[Scope, ...]:
    """The resource scopes among `texts`; ``openid``, ``launch`` and the like are left out."""
    found = []
    for text in texts:
        if "/" in text.split("?")[0] and not text.startswith(("http", "launch/", "helseid:")):
            try:
                found.append(parse_scope(text))
            except ValueError:
                continue
    return tuple(found)


def permits(
    scopes: Iterable[str | Scope], type: str, interaction: str, about: Mapping[str, Any] | str | None = None
) -> bool:
    """Whether any of `scopes` covers `interaction` (one letter of ``cruds``) on `type`.

    `about` is the resource (read, create, update), the search's query string without the type (search), or None
    when neither is known yet: then only unrestricted scopes count.
    """
    if len(interaction) != 1 or interaction not in LETTERS:
        raise ValueError(f"interaction is one of {LETTERS}: {interaction!r}")
    for scope in scopes:
        parsed = parse_scope(scope) if isinstance(scope, str) else scope
        if parsed.type not in ("*", type) or interaction not in parsed.letters:
            continue
        if not parsed.restrictions or _covered(parsed, about):
            return True
    return False


def restrictions_for(
    scopes: Iterable[str | Scope], type: str, interaction: str
) -> tuple[tuple[tuple[str, tuple[str, ...]], ...], ...]:
    """The alternatives under which `interaction` is covered; an empty tuple among them means: unrestricted."""
    parsed = (parse_scope(s) if isinstance(s, str) else s for s in scopes)
    return tuple(s.restrictions for s in parsed if s.type in ("*", type) and interaction in s.letters)


def _covered(scope: Scope, about: Mapping[str, Any] | str | None) -> bool:
    if about is None:
        return False
    if isinstance(about, str):
        asked: dict[str, list[set[str]]] = {}
        for name, value in parse_qsl(about, keep_blank_values=True):
            asked.setdefault(name, []).append(set(value.split(",")))
        return all(
            any(_narrower(given, values) for given in asked.get(name, [])) for name, values in scope.restrictions
        )
    return all(any(has_token(about, name, value) for value in values) for name, values in scope.restrictions)


def _narrower(given: set[str], allowed: tuple[str, ...]) -> bool:
    """``code`` allows ``system|code``; ``system|code`` allows only itself."""
    return all(
        any(token == one or ("|" not in one and token.rpartition("|")[2] == one) for one in allowed) for token in given
    )


def has_token(resource: Mapping[str, Any], parameter: str, token: str) -> bool:
    """Whether the element that `parameter` names (``clinical-status`` → ``clinicalStatus``) holds `token`."""
    first, *rest = parameter.split("-")
    element = resource.get("id" if parameter == "_id" else first + "".join(word.capitalize() for word in rest))
    values = element if isinstance(element, list) else [element]
    return any(_token_matches(value, token) for value in values)


def _token_matches(value: Any, token: str) -> bool:
    system, bar, code = token.rpartition("|")
    if isinstance(value, str):
        return value == code and not system
    if not isinstance(value, dict):
        return False
    if "coding" in value:
        return any(_token_matches(coding, token) for coding in value["coding"])
    held = value.get("code", value.get("value"))
    return bool(held == code and (not bar or value.get("system", "") == system))

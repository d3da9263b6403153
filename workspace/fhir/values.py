"""The searchable values of a resource: what each search parameter finds in it.

Choices: a code written as a plain string has an implied system (`Token.system` None) and meets any system asked
for; system aliases and unit spellings are made canonical here (`codes`, `units`), so that both sides compare equal;
dates without offset are Europe/Oslo (`dates`); a Quantity with a comparator is a half-open range. Contained
resources and Reference elements without a literal or logical target have no values. Never changes the resource.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from workspace.fhir import codes, dates, units
from workspace.fhir.dates import Range
from workspace.fhir.parameters import Definition, Step
from workspace.fhir.references import target


class Token(NamedTuple):
    """`system` None is implied by the element, "" is none at all. `code` of text only is ""."""

    system: str | None
    code: str


class DateRange(NamedTuple):
    """Inclusive milliseconds since 1970 UTC."""

    low: int
    high: int


class Reference(NamedTuple):
    """`target` ``Type/id`` or an address as it stands, "" where only `identifier` (a logical reference) is given."""

    target: str
    identifier: Token | None = None


class Text(NamedTuple):
    """A string as it is written; compare with `texts.fold`."""

    value: str


class Quantity(NamedTuple):
    """`low` and `high` differ from `value` when a comparator says so. `code` and `unit` are canonical spellings."""

    value: float
    low: float
    high: float
    system: str
    code: str
    unit: str


class Number(NamedTuple):
    value: float


Value = Token | DateRange | Reference | Text | Quantity | Number


def elements(resource: Mapping[str, Any], path: tuple[Step, ...]) -> list[Any]:
    """Every element at `path`, lists flattened."""
    found: list[Any] = [resource]
    for name, key, wanted in path:
        following: list[Any] = []
        for each in found:
            value = each.get(name) if isinstance(each, dict) else None
            if value is None:
                continue
            if isinstance(value, list):
                following.extend(value)
            else:
                following.append(value)
        if key:
            following = [each for each in following if isinstance(each, dict) and each.get(key) == wanted]
        if not following:
            return following
        found = following
    return found


def extract(resource: Mapping[str, Any], definition: Definition, base: str = "") -> list[Value]:
    """The values of one search parameter in `resource`, in document order; empty when it is missing."""
    reader = _READERS[definition.kind]
    found: list[Value] = []
    for index, path in enumerate(definition.paths):
        for element in elements(resource, path):
            if index in definition.existence:
                found.append(Token(None, "true"))
            else:
                found.extend(reader(element, definition, base))
    if not found and definition.default:
        return [Token(None, definition.default)]
    return found


def _tokens(element: Any, definition: Definition, base: str) -> list[Value]:
    if isinstance(element, str):
        return [Token(None, element)]
    if isinstance(element, bool):
        return [Token(None, "true" if element else "false")]
    if not isinstance(element, dict):
        return [Token(None, str(element))]
    if "coding" in element:
        return [_coding(each) for each in element["coding"] if isinstance(each, dict) and each.get("code")]
    if "value" in element and isinstance(element["value"], str):
        return [_identifier(element)]
    if element.get("code") and isinstance(element["code"], str):
        return [_coding(element)]
    return []


def _coding(coding: Mapping[str, Any]) -> Token:
    return Token(codes.canonical(coding.get("system", "")), str(coding["code"]))


def _identifier(element: Mapping[str, Any]) -> Token:
    system = element.get("system", "")
    # In a ContactPoint `system` says phone or email, which is no namespace.
    implied = system in ("phone", "email", "fax", "pager", "url", "sms", "other")
    return Token(None if implied else codes.canonical(system), element["value"])


def _dates(element: Any, definition: Definition, base: str) -> list[Value]:
    return [DateRange(*each) for each in dates.ranges(element)]


def _references(element: Any, definition: Definition, base: str) -> list[Value]:
    found = target(element, base)
    if found and definition.targets and found.partition("/")[0] not in definition.targets and ":" not in found:
        return []
    identifier = element.get("identifier") if isinstance(element, dict) else None
    logical = None
    if isinstance(identifier, dict) and isinstance(identifier.get("value"), str):
        logical = _identifier(identifier)
    return [Reference(found, logical)] if found or logical else []


def _strings(element: Any, definition: Definition, base: str) -> list[Value]:
    if isinstance(element, str):
        return [Text(element)]
    if not isinstance(element, dict):
        return []
    if "family" in element or "given" in element:
        return _name(element)
    parts: list[Any] = []
    for key in ("text", "line", "city", "district", "state", "postalCode", "country"):
        value = element.get(key)
        parts.extend(value if isinstance(value, list) else [value])
    return [Text(each) for each in parts if isinstance(each, str)]


def _name(name: Mapping[str, Any]) -> list[Value]:
    given = [each for each in name.get("given", ()) if isinstance(each, str)]
    parts = [name.get("text"), name.get("family"), *given]
    # «Arne Storspove» and «Storspove, Arne» are both how people are looked up.
    if given and name.get("family"):
        parts += [" ".join([*given, name["family"]]), f"{name['family']}, {' '.join(given)}"]
    return [Text(each) for each in dict.fromkeys(parts) if isinstance(each, str)]


def _quantities(element: Any, definition: Definition, base: str) -> list[Value]:
    if not isinstance(element, dict) or not isinstance(element.get("value"), int | float):
        return []
    value = _float(element["value"])
    low = high = value
    comparator = element.get("comparator", "")
    if comparator.startswith("<"):
        low = -math.inf
    elif comparator.startswith(">"):
        high = math.inf
    code, unit = element.get("code", ""), element.get("unit", "")
    system = codes.canonical(element.get("system", ""))
    return [Quantity(value, low, high, system, units.canonical(code), units.canonical(unit))]


def _numbers(element: Any, definition: Definition, base: str) -> list[Value]:
    return [Number(_float(element))] if isinstance(element, int | float) else []


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer of over 300 digits
        return math.inf if value > 0 else -math.inf


def _uris(element: Any, definition: Definition, base: str) -> list[Value]:
    return [Token("", element)] if isinstance(element, str) else []


_READERS = {
    "token": _tokens,
    "date": _dates,
    "reference": _references,
    "string": _strings,
    "quantity": _quantities,
    "number": _numbers,
    "uri": _uris,
}

__all__ = [
    "DateRange",
    "Number",
    "Quantity",
    "Range",
    "Reference",
    "Text",
    "Token",
    "Value",
    "elements",
    "extract",
]

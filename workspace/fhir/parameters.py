"""The search parameters this platform knows: R4 names, kinds and element paths, for each resource type.

The table is the one source for search parsing, value extraction, the store's indexes and its CapabilityStatement.
Each line reads ``name kind path|path @Target,Target``. A path is dotted; ``step[key=value]`` keeps elements whose
key has that value, a last step with ``?`` turns existence into ``true``, and ``=text`` as the last path is the
value when nothing else is there. A first line ``*`` names the parameter of the type's clinical time, by which its
results are ordered when nothing else is asked. Never guesses: what is not here is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple

from workspace.fhir.parameter_table import TABLE

Kind = Literal["token", "reference", "date", "string", "quantity", "number", "uri"]


class Step(NamedTuple):
    """One step of an element path: `name`, and `key` = `value` where only such elements count."""

    name: str
    key: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """One search parameter of one resource type.

    `targets` are the types a reference may point at; empty is any. `existence` marks paths (by index) whose presence
    alone is the value ``true``; `default` is the value when no path has one. `bit` is its place in the type's list.
    """

    type: str
    name: str
    kind: Kind
    paths: tuple[tuple[Step, ...], ...]
    targets: tuple[str, ...] = ()
    existence: frozenset[int] = frozenset()
    default: str = ""
    bit: int = 0

    @property
    def expression(self) -> str:
        """The element paths, for people: ``Observation.effectiveDateTime | Observation.effectivePeriod``."""
        return " | ".join(".".join((self.type, *(step.name for step in path))) for path in self.paths)


class _Type(NamedTuple):
    definitions: dict[str, Definition]
    clinical: str


_COMMON = """
_id token id
_lastUpdated date meta.lastUpdated
_tag token meta.tag
_profile uri meta.profile
_security token meta.security
_source uri meta.source
"""


@cache
def _registry() -> dict[str, _Type]:
    found: dict[str, _Type] = {}
    for block in TABLE.strip().split("\n\n"):
        head, *lines = block.split("\n")
        name, _, clinical = head.partition(" *")
        every = [*_COMMON.strip().split("\n"), *lines]
        parsed = [_definition(name, line, bit) for bit, line in enumerate(every)]
        found[name] = _Type({each.name: each for each in parsed}, clinical.strip())
    return found


def _definition(owner: str, line: str, bit: int) -> Definition:
    parts = line.split()
    name, kind, expression = parts[0], parts[1], parts[2]
    targets = tuple(parts[3].lstrip("@").split(",")) if len(parts) > 3 else ()
    default, paths, existence = "", [], set()
    for index, path in enumerate(expression.split("|")):
        if path.startswith("="):
            default = path[1:]
            continue
        if path.endswith("?"):
            existence.add(index)
        paths.append(tuple(_step(step) for step in path.rstrip("?").split(".")))
    return Definition(owner, name, _kind(kind), tuple(paths), targets, frozenset(existence), default, bit)


def _kind(text: str) -> Kind:
    kinds: dict[str, Kind] = {
        "token": "token",
        "reference": "reference",
        "date": "date",
        "string": "string",
        "quantity": "quantity",
        "number": "number",
        "uri": "uri",
    }
    return kinds[text]


def _step(text: str) -> Step:
    name, _, condition = text.rstrip("]").partition("[")
    key, _, value = condition.partition("=")
    return Step(name, key, value)


@cache
def types() -> tuple[str, ...]:
    """Every resource type of the platform, in the table's order."""
    return tuple(_registry())


def definitions(resource_type: str) -> dict[str, Definition]:
    """The search parameters of a type by name, common ones included; empty for an unknown type."""
    entry = _registry().get(resource_type)
    return entry.definitions if entry else {}


def definition(resource_type: str, name: str) -> Definition | None:
    """One search parameter, or None when the type has none of that name."""
    return definitions(resource_type).get(name)


def clinical_time(resource_type: str) -> Definition | None:
    """The date parameter that orders a type's resources (``date`` of Observation); None where there is none."""
    entry = _registry().get(resource_type)
    return entry.definitions.get(entry.clinical) if entry and entry.clinical else None


def references_of(resource_type: str) -> tuple[Definition, ...]:
    """The parameters that `_include` and `_revinclude` may follow."""
    return tuple(each for each in definitions(resource_type).values() if each.kind == "reference")

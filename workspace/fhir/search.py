"""The grammar of FHIR R4 search: from a query string to typed parts, and back to one canonical string.

Values are typed by the parameter's kind, aliases of systems and units resolved, dates and numbers turned into the
ranges their precision means. Never evaluates a query: the store and the record have each their matcher.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

from workspace.fhir import parameters
from workspace.fhir.parameters import Definition, Kind
from workspace.fhir.search_values import (
    BadValue,
    DateValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    SearchValue,
    StringValue,
    TokenValue,
    parse_value,
    split,
)
from workspace.problem import Problem

__all__ = [
    "Chain",
    "DateValue",
    "Include",
    "NumberValue",
    "Parameter",
    "QuantityValue",
    "Query",
    "ReferenceValue",
    "SearchError",
    "SearchValue",
    "Sort",
    "StringValue",
    "TokenValue",
    "format_query",
    "parse",
    "parse_query",
    "with_parameter",
]

MODIFIERS: dict[Kind, tuple[str, ...]] = {
    "token": ("missing", "not"),
    "reference": ("missing", "identifier"),
    "date": ("missing",),
    "string": ("missing", "exact", "contains"),
    "quantity": ("missing",),
    "number": ("missing",),
    "uri": ("missing",),
}
"""Modifiers of each kind; a reference also takes a target type (``subject:Patient=x``)."""


class SearchError(Problem):
    """A query that cannot be understood. `detail` names the parameter and what was expected, in English."""


class Chain(NamedTuple):
    """``patient.identifier=…``: `parameter` is asked of the resources of `targets` that the reference points at."""

    targets: tuple[str, ...]
    parameter: Parameter


@dataclass(frozen=True, slots=True)
class Parameter:
    """One constraint. `values` are alternatives (OR); constraints of a query must all hold (AND).

    `modifier` is "", ``missing`` (then one TokenValue ``true`` or ``false``), ``not``, ``exact``, ``contains``,
    ``identifier`` or a target type. With a `chain`, `values` is empty.
    """

    name: str
    kind: Kind
    modifier: str
    chain: Chain | None
    values: tuple[SearchValue, ...]


class Sort(NamedTuple):
    name: str
    descending: bool


class Include(NamedTuple):
    """``_include=Observation:performer:Practitioner``; `type` is whose parameter is followed, `target` "" is any."""

    type: str
    name: str
    target: str = ""
    iterate: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A search. `type` is the resource type; `count` None is the server's default; `total` ``none``, ``accurate``,
    ``estimate`` or ""; `summary` ``count``, ``false`` or ""; `page` the server's opaque mark of a later page;
    `ignored` the unknown parameters dropped by a lenient parse."""

    type: str
    parameters: tuple[Parameter, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int | None = None
    include: tuple[Include, ...] = ()
    revinclude: tuple[Include, ...] = ()
    total: str = ""
    summary: str = ""
    page: str = ""
    ignored: tuple[str, ...] = ()


@lru_cache(maxsize=512)  # one query passes several rooms on its way, each of which reads it
def parse_query(text: str, *, lenient: bool = False, base: str = "") -> Query:
    """A Query from ``Observation?category=vital-signs&_sort=-date&_count=200``. Raises SearchError."""
    resource_type, _, raw = text.partition("?")
    return parse(resource_type.strip().strip("/"), raw, lenient=lenient, base=base)


def parse(resource_type: str, raw: str, *, lenient: bool = False, base: str = "") -> Query:
    """A Query from a type and a raw query string. `base` makes absolute references under it local.

    Raises SearchError for what is not understood; with `lenient` an unknown parameter is dropped and named in
    `Query.ignored` (R4 ``Prefer: handling=lenient``). Empty values are ignored, as R4 says.
    """
    if resource_type not in parameters.types():
        raise SearchError(
            "search-unknown-type", "Plattformen har ikke denne typen opplysninger.", detail=f"no type {resource_type!r}"
        )
    query = Query(resource_type)
    for key, text in parse_qsl(raw, keep_blank_values=False):
        try:
            query = _add(query, key, text, base)
        except SearchError as error:
            if not (lenient and error.code in ("search-unknown-parameter", "search-unknown-modifier")):
                raise
            query = replace(query, ignored=(*query.ignored, key))
    return query


def with_parameter(query: Query, name: str, value: str) -> Query:
    """`query` with one more constraint, e.g. ``with_parameter(query, "patient", "Patient/BEB-18")``.

    `name` may carry a modifier or chain; `value` is in search syntax (comma separates alternatives).
    """
    return _add(query, name, value, "")


def format_query(query: Query) -> str:
    """The canonical text: equal for queries that ask the same, whatever the order; can be parsed again."""
    parts = sorted({f"{_name(each)}={_quoted(_values(each))}" for each in query.parameters})
    if query.sort:
        parts.append("_sort=" + ",".join(("-" if each.descending else "") + each.name for each in query.sort))
    for key, value in (("_count", query.count), ("_total", query.total), ("_summary", query.summary)):
        if value not in (None, ""):
            parts.append(f"{key}={value}")
    for key, includes in (("_include", query.include), ("_revinclude", query.revinclude)):
        for each in sorted(set(includes)):
            name = key + (":iterate" if each.iterate else "")
            parts.append(f"{name}={each.type}:{each.name}" + (f":{each.target}" if each.target else ""))
    if query.page:
        parts.append("_page=" + _quoted(query.page))
    return query.type + ("?" + "&".join(parts) if parts else "")


def _quoted(text: str) -> str:
    return quote(text, safe=":/,|$\\-.~")


def _name(parameter: Parameter) -> str:
    if parameter.chain:
        narrowed = f":{parameter.modifier}" if parameter.modifier else ""
        return f"{parameter.name}{narrowed}.{_name(parameter.chain.parameter)}"
    return parameter.name + (f":{parameter.modifier}" if parameter.modifier else "")


def _values(parameter: Parameter) -> str:
    if parameter.chain:
        return _values(parameter.chain.parameter)
    return ",".join(sorted({str(each) for each in parameter.values}))


def _add(query: Query, key: str, text: str, base: str) -> Query:
    control = _CONTROLS.get(key.partition(":")[0])
    if control:
        return control(query, key, text)
    return replace(query, parameters=(*query.parameters, _constraint(query.type, key, text, base)))


def _constraint(resource_type: str, key: str, text: str, base: str, *, chained: bool = False) -> Parameter:
    head, dot, rest = key.partition(".")
    name, _, modifier = head.partition(":")
    known = parameters.definition(resource_type, name)
    if known is None:
        raise _unknown(resource_type, name)
    if dot:
        if chained or known.kind != "reference":
            raise _bad_modifier(key, "a chain is one step from a reference")
        if "." in rest:
            raise _bad_modifier(key, "a chain is one step from a reference")
        return Parameter(name, known.kind, modifier, _chain(known, modifier, rest, text, base), ())
    _check_modifier(known, modifier)
    try:
        values = tuple(parse_value(known, modifier, each, base) for each in split(text, ",") if each)
    except BadValue as error:
        raise _bad_value(key, str(error)) from error
    if not values:
        raise _bad_value(key, "no value")
    return Parameter(name, known.kind, modifier, None, values)


def _check_modifier(known: Definition, modifier: str) -> None:
    if not modifier or modifier in MODIFIERS[known.kind]:
        return
    if known.kind == "reference" and modifier in (known.targets or parameters.types()):
        return
    raise _bad_modifier(f"{known.name}:{modifier}", f"a {known.kind} takes {', '.join(MODIFIERS[known.kind])}")


def _chain(known: Definition, narrowed: str, rest: str, text: str, base: str) -> Chain:
    targets = known.targets or parameters.types()
    if narrowed:
        if narrowed not in targets:
            raise _bad_modifier(f"{known.name}:{narrowed}", "not a type this reference can point at")
        targets = (narrowed,)
    name = rest.partition(":")[0]
    able = tuple(each for each in targets if parameters.definition(each, name))
    if not able:
        raise _unknown("/".join(targets[:3]), name)
    kinds = {definition.kind for each in able if (definition := parameters.definition(each, name))}
    if len(kinds) > 1:
        raise _bad_modifier(f"{known.name}.{rest}", "name the type: the parameter differs between the targets")
    return Chain(able, _constraint(able[0], rest, text, base, chained=True))


def _sort(query: Query, key: str, text: str) -> Query:
    found = []
    for each in text.split(","):
        name = each.lstrip("-")
        if parameters.definition(query.type, name) is None:
            raise _unknown(query.type, name)
        found.append(Sort(name, each.startswith("-")))
    return replace(query, sort=(*query.sort, *found))


def _count(query: Query, key: str, text: str) -> Query:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise _bad_value(key, "a whole number of 0 or more")
    return replace(query, count=int(text))


def _include(query: Query, key: str, text: str) -> Query:
    name, _, modifier = key.partition(":")
    if modifier not in ("", "iterate", "recurse"):
        raise _bad_modifier(key, "iterate")
    parts = text.split(":")
    if len(parts) not in (2, 3):
        raise _bad_value(key, "Type:parameter or Type:parameter:Target")
    known = parameters.definition(parts[0], parts[1])
    if known is None or known.kind != "reference":
        raise _unknown(parts[0], parts[1])
    target = parts[2] if len(parts) == 3 else ""
    if target and target not in (known.targets or parameters.types()):
        raise _bad_value(key, f"{parts[1]} does not point at {target}")
    include = Include(parts[0], parts[1], target, bool(modifier))
    if name == "_include":
        return replace(query, include=(*query.include, include))
    return replace(query, revinclude=(*query.revinclude, include))


def _total(query: Query, key: str, text: str) -> Query:
    return replace(query, total=_one_of(key, text, ("none", "accurate", "estimate")))


def _summary(query: Query, key: str, text: str) -> Query:
    return replace(query, summary=_one_of(key, text, ("count", "false")))


def _page(query: Query, key: str, text: str) -> Query:
    return replace(query, page=text)


def _format(query: Query, key: str, text: str) -> Query:
    _one_of(key, text.replace(" ", "+"), ("json", "application/json", "application/fhir+json", "text/json"))
    return query


def _pretty(query: Query, key: str, text: str) -> Query:
    return query


_CONTROLS: dict[str, Callable[[Query, str, str], Query]] = {
    "_sort": _sort,
    "_count": _count,
    "_include": _include,
    "_revinclude": _include,
    "_total": _total,
    "_summary": _summary,
    "_page": _page,
    "_format": _format,
    "_pretty": _pretty,
}


def _one_of(key: str, text: str, allowed: Sequence[str]) -> str:
    if text not in allowed:
        raise _bad_value(key, f"one of {', '.join(allowed)}")
    return text


def _unknown(resource_type: str, name: str) -> SearchError:
    return SearchError(
        "search-unknown-parameter",
        f"Plattformen kan ikke søke på «{name}».",
        detail=f"{resource_type} has no search parameter {name!r}",
    )


def _bad_modifier(name: str, expected: str) -> SearchError:
    return SearchError(
        "search-unknown-modifier",
        f"Plattformen kan ikke søke på denne måten: «{name}».",
        detail=f"modifier or chain of {name!r} is not supported: {expected}",
    )


def _bad_value(name: str, expected: str) -> SearchError:
    return SearchError(
        "search-bad-value",
        f"Verdien for «{name}» kan ikke leses.",
        detail=f"value of {name!r}: {expected}",
    )

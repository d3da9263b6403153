"""From search parameters to SQL conditions on the index tables. Chooses nothing: `plan` decides what drives.

A condition is written on the driving row `d` (columns low, rid); `{r}` stands for the alias of its resource row.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from workspace.fhir import parameters
from workspace.fhir.search import Parameter
from workspace.fhir.search_values import (
    DateValue,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    SearchValue,
    StringValue,
    TokenValue,
)
from workspace.fhir.texts import fold
from workspace.sandbox.fhir.prepare import IMPLIED, UNTIMED, link_key, parameter_key, system_key

ROWS = {"date": "date", "string": "string", "quantity": "quantity", "number": "quantity"}


@dataclass(slots=True)
class Condition:
    """`sql` with its `arguments`. Exactly one of these may also drive the search: `links`, pairs of key and wanted
    system (None is any); `rids`, a SELECT of row ids with the same arguments; `ids`, the resource ids asked for."""

    sql: str
    arguments: list[Any] = field(default_factory=list)
    links: list[tuple[int, int | None]] = field(default_factory=list)
    rids: str = ""
    ids: list[str] = field(default_factory=list)


NEVER = "0"


def link_sql(alias: str, links: list[tuple[int, int | None]]) -> tuple[str, list[Any]]:
    """The condition that a `link` row is one of `links`."""
    if all(system is None for _, system in links):
        if len(links) == 1:
            return f"{alias}.key = ?", [links[0][0]]
        return f"{alias}.key IN ({','.join('?' * len(links))})", [key for key, _ in links]
    parts: list[str] = []
    arguments: list[Any] = []
    for key, system in links:
        if system is None:
            parts.append(f"{alias}.key = ?")
            arguments.append(key)
        else:
            parts.append(f"({alias}.key = ? AND {alias}.system IN (?, {IMPLIED}))")
            arguments += [key, system]
    if len(parts) == 1:
        return parts[0], arguments
    # The IN lets SQLite seek; the alternatives then check the systems.
    keys = list({key for key, _ in links})
    return f"({alias}.key IN ({','.join('?' * len(keys))}) AND ({' OR '.join(parts)}))", [*keys, *arguments]


def linked(links: list[tuple[int, int | None]], *, negate: bool = False) -> Condition:
    if not links:
        return Condition("1" if negate else NEVER)
    inner, arguments = link_sql("l", links)
    sql = f"EXISTS (SELECT 1 FROM link l WHERE {inner} AND l.low = d.low AND l.rid = d.rid)"
    if negate:
        return Condition("NOT " + sql, arguments)
    return Condition(sql, arguments, links=links)


def condition(connection: sqlite3.Connection, resource_type: str, parameter: Parameter, now: int) -> Condition:
    """The condition of a parameter without a chain."""
    known = parameters.definition(resource_type, parameter.name)
    assert known is not None, "the parser admits known parameters only"
    if parameter.modifier == "missing":
        return _missing(resource_type, parameter, known.bit)
    if parameter.name == "_id":
        return _ids(parameter)
    if parameter.kind in ("token", "uri", "reference"):
        links = _links(connection, resource_type, parameter)
        return linked(links, negate=parameter.modifier == "not")
    if parameter.name == "_lastUpdated":
        return _dates(parameter, "{r}.updated", "({r}.updated + 0)", now)
    clinical = parameters.clinical_time(resource_type)
    if clinical and clinical.name == parameter.name:
        found = _dates(parameter, "d.low", "{r}.high", now)
        return Condition(f"(d.low > {UNTIMED} AND {found.sql})", found.arguments)
    return _rows(resource_type, parameter, now)


def _missing(resource_type: str, parameter: Parameter, bit: int) -> Condition:
    wanted = str(parameter.values[0]) == "true"
    if parameter.name in ("_id", "_lastUpdated"):
        return Condition(NEVER if wanted else "1")
    return Condition(f"({{r}}.present >> {bit}) & 1 = {0 if wanted else 1}")


def _ids(parameter: Parameter) -> Condition:
    ids = [each.code or "" for each in parameter.values if isinstance(each, TokenValue)]
    marks = ",".join("?" * len(ids))
    if parameter.modifier == "not":
        return Condition(f"{{r}}.id NOT IN ({marks})", list(ids))
    return Condition(f"{{r}}.id IN ({marks})", list(ids), ids=ids)


def _links(connection: sqlite3.Connection, resource_type: str, parameter: Parameter) -> list[tuple[int, int | None]]:
    found: dict[tuple[int, int | None], None] = {}
    for value in parameter.values:
        name = parameter.name
        if isinstance(value, ReferenceValue):
            for target in value.targets:
                found[link_key(resource_type, name, target), None] = None
            if value.identifier is None:
                continue
            value, name = value.identifier, name + ":identifier"
        if not isinstance(value, TokenValue):
            continue
        system = None if value.system is None else system_key(value.system)
        if value.code is not None:
            found[link_key(resource_type, name, value.code), system] = None
            continue
        known = "SELECT key FROM vocabulary WHERE parameter = ? AND system = ?"
        for (key,) in connection.execute(known, (parameter_key(resource_type, name), system)):
            found[key, system] = None
    return list(found)


def _dates(parameter: Parameter, low: str, high: str, now: int) -> Condition:
    parts: list[str] = []
    arguments: list[Any] = []
    for value in parameter.values:
        if isinstance(value, DateValue):
            sql, more = _date(value, low, high, now)
            parts.append(sql)
            arguments += more
    return Condition("(" + " OR ".join(parts) + ")", arguments)


def _date(value: DateValue, low: str, high: str, now: int) -> tuple[str, list[int]]:
    """R4 search §"prefix", on ranges. `low` and `high` are SQL expressions of the resource's range."""
    if value.prefix == "ap":
        # R4: a tenth of the distance between now and the date, on both sides.
        margin = max(value.low - now, now - value.high, 0) // 10
        return f"({low} <= ? AND {high} >= ?)", [value.high + margin, value.low - margin]
    comparisons: dict[str, tuple[str, list[int]]] = {
        "eq": (f"({low} >= ? AND {low} <= ? AND {high} <= ?)", [value.low, value.high, value.high]),
        "ne": (f"({low} < ? OR {high} > ?)", [value.low, value.high]),
        "gt": (f"{high} > ?", [value.high]),
        "lt": (f"{low} < ?", [value.low]),
        "ge": (f"{high} >= ?", [value.low]),
        "le": (f"{low} <= ?", [value.high]),
        "sa": (f"{low} > ?", [value.high]),
        "eb": (f"{high} < ?", [value.low]),
    }
    return comparisons[value.prefix]


def _rows(resource_type: str, parameter: Parameter, now: int) -> Condition:
    table = ROWS[parameter.kind]
    parts: list[str] = []
    arguments: list[Any] = [parameter_key(resource_type, parameter.name)]
    for value in parameter.values:
        sql, more = _row(value, parameter.modifier, now)
        parts.append(sql)
        arguments += more
    rids = f"SELECT x.rid FROM {table} x WHERE x.parameter = ? AND ({' OR '.join(parts)})"
    return Condition(f"d.rid IN ({rids})", arguments, rids=rids)


def _row(value: SearchValue, modifier: str, now: int) -> tuple[str, list[Any]]:
    if isinstance(value, DateValue):
        sql, more = _date(value, "x.low", "x.high", now)
        return sql, list(more)
    if isinstance(value, StringValue):
        return _string(value.text, modifier)
    if isinstance(value, NumberValue):
        return _number(value)
    assert isinstance(value, QuantityValue), "tokens and references are links"
    sql, arguments = _number(value.number)
    if value.system:
        sql += " AND x.system = ? AND x.code = ?"
        return f"({sql})", [*arguments, value.system, value.unit]
    if value.unit:
        sql += " AND (x.code = ? OR x.unit = ?)"
        return f"({sql})", [*arguments, value.unit, value.unit]
    return sql, arguments


def _string(text: str, modifier: str) -> tuple[str, list[Any]]:
    folded = fold(text)
    if modifier == "exact":
        return "(x.folded = ? AND x.exact = ?)", [folded, text]
    if modifier == "contains":
        return "instr(x.folded, ?) > 0", [folded]
    return "(x.folded >= ? AND x.folded < ?)", [folded, folded + "\U0010ffff"]


def _number(value: NumberValue) -> tuple[str, list[Any]]:
    """Comparisons see a value known only as "less than" or "more than" as the range it may lie in."""
    near = value.near
    comparisons: dict[str, tuple[str, list[Any]]] = {
        "eq": ("(x.value >= ? AND x.value < ? AND x.low = x.high)", [value.low, value.high]),
        "ne": ("(x.value < ? OR x.value >= ?)", [value.low, value.high]),
        "gt": ("x.high > ?", [value.value]),
        "lt": ("x.low < ?", [value.value]),
        "ge": ("x.high >= ?", [value.value]),
        "le": ("x.low <= ?", [value.value]),
        "sa": ("x.low > ?", [value.value]),
        "eb": ("x.high < ?", [value.value]),
        "ap": ("(x.value >= ? AND x.value <= ?)", list(near)),
    }
    return comparisons[value.prefix]

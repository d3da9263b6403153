"""From a Query to SQL: one index is chosen to drive the search, the other constraints become probes.

A driver is walked in clinical order, so that a page of the newest stops early; which index drives is decided by
counting a little of each. Never reads a resource's body, except to sort by what has no column.
"""

from __future__ import annotations

import base64
import binascii
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from workspace.fhir import parameters
from workspace.fhir.search import Parameter, Query, Sort
from workspace.sandbox.fhir.conditions import Condition, condition, link_sql, linked
from workspace.sandbox.fhir.prepare import UNTIMED, link_key
from workspace.sandbox.fhir.refusal import Refusal, bad_request

SAMPLE = 3000
"""How far an index is counted to choose the driver."""
CHAIN_LIMIT = 2000
"""How many resources the far end of a chain may match."""


class Order(NamedTuple):
    """One sort key: an SQL expression; `nullable` when it may be missing, which sorts last either way."""

    expression: str
    descending: bool
    nullable: bool


@dataclass(slots=True)
class Plan:
    """`source` and `where` select the matching rows `d`; `orders` make every order total."""

    source: str
    where: str
    arguments: list[Any]
    orders: list[Order]

    def page(self, after: Sequence[Any] | None, limit: int) -> tuple[str, list[Any]]:
        """SQL for the next `limit` rows: rid, then the sort values, after the row with the values `after`."""
        columns = ", ".join(f"{each.expression} AS s{index}" for index, each in enumerate(self.orders))
        where, arguments = self.where, list(self.arguments)
        if after is not None:
            more, values = _after(self.orders, after)
            where, arguments = f"{where} AND {more}", arguments + values
        order = ", ".join(
            (f"s{index} IS NULL, " if each.nullable else "") + f"s{index}" + (" DESC" if each.descending else "")
            for index, each in enumerate(self.orders)
        )
        sql = f"SELECT DISTINCT d.rid, {columns} FROM {self.source} WHERE {where} ORDER BY {order} LIMIT ?"
        return sql, [*arguments, limit]

    def count(self) -> tuple[str, list[Any]]:
        return f"SELECT count(DISTINCT d.rid) FROM {self.source} WHERE {self.where}", self.arguments


def plan(connection: sqlite3.Connection, query: Query, now: int) -> Plan:
    """The plan of a search; `now` (ms) is what ``ap`` on dates is measured from. Raises Refusal."""
    conditions = [_compile(connection, query.type, each, now) for each in query.parameters]
    driver = _driver(connection, conditions)
    source, parts, arguments, alias = _source(query.type, driver)
    if driver is not None:
        conditions.remove(driver)
    for each in conditions:
        parts.append(each.sql)
        arguments += each.arguments
    orders = _orders(query)
    text = " AND ".join(parts)
    expressions = "".join(each.expression for each in orders)
    if alias == "r" and "{r}" in text + expressions:
        source += " CROSS JOIN resource r ON r.rid = d.rid"
    orders = [each._replace(expression=each.expression.replace("{r}", alias)) for each in orders]
    return Plan(source, text.replace("{r}", alias), arguments, orders)


def _compile(connection: sqlite3.Connection, resource_type: str, parameter: Parameter, now: int) -> Condition:
    if parameter.chain is None:
        return condition(connection, resource_type, parameter, now)
    keys: list[tuple[int, int | None]] = []
    for target in parameter.chain.targets:
        far = plan(connection, Query(target, (parameter.chain.parameter,)), now)
        sql, arguments = far.page(None, CHAIN_LIMIT + 1)
        found = [row[0] for row in connection.execute(sql, arguments)]
        if len(found) > CHAIN_LIMIT:
            raise Refusal(
                400,
                "search-too-costly",
                "Søket er for vidt. Gjør det smalere.",
                detail=parameter.name,
                issue="too-costly",
            )
        for rid in found:
            (own,) = connection.execute("SELECT id FROM resource WHERE rid = ?", (rid,)).fetchone()
            keys.append((link_key(resource_type, parameter.name, f"{target}/{own}"), None))
    return linked(keys)


def _driver(connection: sqlite3.Connection, conditions: list[Condition]) -> Condition | None:
    able = [each for each in conditions if each.links or each.rids or each.ids]
    if len(able) < 2:
        return able[0] if able else None
    return min(able, key=lambda each: _cost(connection, each))


def _cost(connection: sqlite3.Connection, each: Condition) -> float:
    """Rows to be walked, roughly; several keys have no common order and must be gathered and sorted."""
    if each.ids:
        return len(each.ids)
    if each.rids:
        sql = f"SELECT count(*) FROM ({each.rids} LIMIT {SAMPLE})"
        return 2.0 * float(connection.execute(sql, each.arguments).fetchone()[0])
    sql = f"SELECT count(*) FROM (SELECT 1 FROM link WHERE key = ? LIMIT {SAMPLE})"
    counts = [connection.execute(sql, (key,)).fetchone()[0] for key, _ in each.links]
    return float(sum(counts)) * (1 if len(counts) == 1 else 2)


def _source(resource_type: str, driver: Condition | None) -> tuple[str, list[str], list[Any], str]:
    """FROM clause with `d`, first conditions, their arguments, and the alias of the resource row."""
    if driver is not None and driver.links:
        sql, arguments = link_sql("d", driver.links)
        return "link d", [sql], arguments, "r"
    kind = ["d.type = ?", "d.body IS NOT NULL"]
    if driver is None:
        return "resource d", kind, [resource_type], "d"
    if driver.ids:
        return "resource d INDEXED BY resource_id", [*kind, driver.sql], [resource_type, *driver.arguments], "d"
    source = f"(SELECT DISTINCT rid FROM ({driver.rids})) y CROSS JOIN resource d ON d.rid = y.rid"
    return source, kind, [*driver.arguments, resource_type], "d"


def _orders(query: Query) -> list[Order]:
    """The sort asked for, else the newest first; the row id makes it total."""
    clinical = parameters.clinical_time(query.type)
    found: list[Order] = []
    for each in query.sort or (Sort(clinical.name if clinical else "_lastUpdated", True),):
        if clinical and each.name == clinical.name:
            # Without a time the column holds the lowest number: last when descending, made NULL when ascending.
            expression = "d.low" if each.descending else f"NULLIF(d.low, {UNTIMED})"
            found.append(Order(expression, each.descending, not each.descending))
        elif each.name == "_lastUpdated":
            found.append(Order("{r}.updated", each.descending, False))
        elif each.name == "_id":
            found.append(Order("{r}.id", each.descending, False))
        else:
            way = 1 if each.descending else 0
            expression = f"sort_value('{query.type}', '{each.name}', {way}, {{r}}.body)"
            found.append(Order(expression, each.descending, True))
    found.append(Order("d.rid", found[0].descending, False))
    return found


def _after(orders: list[Order], values: Sequence[Any]) -> tuple[str, list[Any]]:
    """The condition that a row comes strictly after the one with `values`."""
    first, second = orders[0], orders[1]
    if len(orders) == 2 and not first.nullable and first.descending == second.descending:
        # A row value lets SQLite seek straight to the place in the index.
        return f"({first.expression}, d.rid) {'<' if first.descending else '>'} (?, ?)", list(values)
    parts: list[str] = []
    arguments: list[Any] = []
    for index, each in enumerate(orders):
        value = values[index]
        if value is None:
            continue
        equal = "".join(f"{former.expression} IS ? AND " for former in orders[:index])
        beyond = f"{each.expression} {'<' if each.descending else '>'} ?"
        if each.nullable:
            beyond = f"({beyond} OR {each.expression} IS NULL)"
        parts.append(f"({equal}{beyond})")
        arguments += [*values[:index], value]
    return "(" + " OR ".join(parts) + ")", arguments


def mark(values: Sequence[Any]) -> str:
    """The opaque text by which a later page is asked for."""
    return base64.urlsafe_b64encode(orjson.dumps(list(values))).decode().rstrip("=")


def unmark(text: str, orders: list[Order]) -> list[Any] | None:
    """The sort values in a page mark; None for the first page. Raises Refusal for a mark that is not ours."""
    return unmark_plain(text, len(orders)) if text else None


def unmark_plain(text: str, length: int) -> list[Any]:
    """The `length` values of a page mark, the last an integer. Raises Refusal for a mark that is not ours."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        values = None
    plain = isinstance(values, list) and all(isinstance(each, int | float | str | None) for each in values)
    if not plain or len(values) != length or not isinstance(values[-1], int):
        raise bad_request("search-bad-page", "Denne siden av søket finnes ikke.", "unreadable _page")
    return list(values)

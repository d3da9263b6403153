"""Runs a planned search on one connection and makes the searchset Bundle. Never writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from workspace.fhir import json, parameters
from workspace.fhir.search import Include, Query, format_query
from workspace.fhir.service import Resource
from workspace.fhir.texts import fold
from workspace.fhir.values import DateRange, Number, Quantity, Reference, Text, Token, extract
from workspace.sandbox.fhir.plan import mark, plan, unmark
from workspace.sandbox.fhir.prepare import link_key

PAGE = 100
"""How many matches a page has when none is asked for."""
LARGEST_PAGE = 2000
INCLUDE_LIMIT = 5000
ITERATIONS = 5


class Found(NamedTuple):
    rid: int
    resource: Resource


def sort_value(resource_type: str, name: str, descending: int, body: bytes) -> Any:
    """What a resource sorts by under a parameter without a column: its lowest value, or its highest."""
    known = parameters.definition(resource_type, name)
    if known is None:
        return None
    found = [_plain(each) for each in extract(json.loads(body), known)]
    if not found:
        return None
    return max(found) if descending else min(found)


def _plain(value: Any) -> Any:
    if isinstance(value, Token):
        return value.code
    if isinstance(value, Reference):
        return value.target
    if isinstance(value, Text):
        return fold(value.value)
    if isinstance(value, DateRange):
        return value.low
    assert isinstance(value, Quantity | Number), "every kind of value is named here"
    return value.value


def prepare_connection(connection: sqlite3.Connection) -> None:
    """Give `connection` the function that plans sort with."""
    connection.create_function("sort_value", 4, sort_value, deterministic=True)


def matches(connection: sqlite3.Connection, query: Query, now: int, limit: int) -> list[tuple[str, int]]:
    """Ids and row ids of the first `limit` matches; for conditional requests."""
    planned = plan(connection, query, now)
    sql, arguments = planned.page(None, limit)
    rids = [row[0] for row in connection.execute(sql, arguments)]
    return [(connection.execute("SELECT id FROM resource WHERE rid = ?", (rid,)).fetchone()[0], rid) for rid in rids]


def search(connection: sqlite3.Connection, query: Query, now: int, base: str = "") -> Resource:
    """The searchset Bundle of `query`, seen at one moment. Raises Refusal."""
    if connection.in_transaction:
        return _search(connection, query, now, base)
    connection.execute("BEGIN")
    try:
        return _search(connection, query, now, base)
    finally:
        connection.execute("ROLLBACK")


def _search(connection: sqlite3.Connection, query: Query, now: int, base: str) -> Resource:
    planned = plan(connection, query, now)
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset"}
    address = f"{base}/" if base else ""
    bundle["link"] = [{"relation": "self", "url": address + format_query(query)}]
    if query.summary == "count" or query.count == 0:
        bundle["total"] = connection.execute(*planned.count()).fetchone()[0]
        return bundle
    size = min(query.count or PAGE, LARGEST_PAGE)
    after = unmark(query.page, planned.orders)
    sql, arguments = planned.page(after, size + 1)
    rows = connection.execute(sql, arguments).fetchall()
    page = rows[:size]
    if query.total in ("accurate", "estimate"):
        bundle["total"] = connection.execute(*planned.count()).fetchone()[0]
    elif after is None and len(rows) <= size and query.total != "none":
        bundle["total"] = len(rows)
    if len(rows) > size:
        following = replace(query, page=mark(page[-1][1:]))
        bundle["link"].append({"relation": "next", "url": address + format_query(following)})
    found = bodies(connection, [row[0] for row in page])
    entries = [_entry(each.resource, "match", address) for each in found]
    included = _included(connection, query, found, base)
    bundle["entry"] = entries + [_entry(each.resource, "include", address) for each in included]
    if not bundle["entry"]:
        del bundle["entry"]
    return bundle


def _entry(resource: Resource, mode: str, address: str) -> Resource:
    full = f"{address}{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": full, "resource": resource, "search": {"mode": mode}}


def bodies(connection: sqlite3.Connection, rids: list[int]) -> list[Found]:
    """The resources of `rids`, in that order; deleted ones are left out."""
    found: dict[int, bytes] = {}
    for start in range(0, len(rids), 500):
        some = rids[start : start + 500]
        sql = f"SELECT rid, body FROM resource WHERE rid IN ({','.join('?' * len(some))}) AND body IS NOT NULL"
        found.update(connection.execute(sql, some).fetchall())
    return [Found(rid, json.loads(found[rid])) for rid in rids if rid in found]


def _included(connection: sqlite3.Connection, query: Query, found: list[Found], base: str) -> list[Found]:
    """Resources to send along; with ``:iterate`` also those that the included ones point at."""
    if not query.include and not query.revinclude:
        return []
    seen = {each.rid for each in found}
    result: list[Found] = []
    fresh = found
    for turn in range(ITERATIONS):
        forward = [each for each in query.include if turn == 0 or each.iterate]
        backward = [each for each in query.revinclude if turn == 0 or each.iterate]
        rids = dict.fromkeys([*_forward(connection, forward, fresh, base), *_backward(connection, backward, fresh)])
        fresh = bodies(connection, [rid for rid in rids if rid not in seen][: INCLUDE_LIMIT - len(result)])
        if not fresh:
            break
        seen.update(each.rid for each in fresh)
        result += fresh
    return result


def _forward(
    connection: sqlite3.Connection, includes: Iterable[Include], found: list[Found], base: str
) -> Iterable[int]:
    targets: dict[str, None] = {}
    for include in includes:
        known = parameters.definition(include.type, include.name)
        for each in found:
            if known is None or each.resource["resourceType"] != include.type:
                continue
            for value in extract(each.resource, known, base):
                if isinstance(value, Reference) and include.target in ("", value.target.partition("/")[0]):
                    targets[value.target] = None
    for target in targets:
        kind, _, own = target.partition("/")
        row = connection.execute("SELECT rid FROM resource WHERE type = ? AND id = ?", (kind, own)).fetchone()
        if row:
            yield row[0]


def _backward(connection: sqlite3.Connection, includes: Iterable[Include], found: list[Found]) -> Iterable[int]:
    for include in includes:
        for each in found:
            kind = each.resource["resourceType"]
            if include.target not in ("", kind):
                continue
            key = link_key(include.type, include.name, f"{kind}/{each.resource['id']}")
            sql = "SELECT rid FROM link WHERE key = ? ORDER BY low DESC, rid DESC LIMIT ?"
            for (rid,) in connection.execute(sql, (key, INCLUDE_LIMIT)):
                yield rid

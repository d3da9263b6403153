"""Writes the rows of resources and versions. The only module that changes the store's tables.

Every function runs inside the caller's transaction on the writing connection. Old index rows are found by
preparing the old body again, so no index needs a second index by row id.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from workspace.fhir import json
from workspace.fhir.service import Resource
from workspace.sandbox.fhir.prepare import UNTIMED, Prepared, prepare

_LINK = "INSERT OR IGNORE INTO link (key, system, low, rid) VALUES (?, ?, ?, ?)"
_DATE = "INSERT OR IGNORE INTO date (parameter, low, high, rid) VALUES (?, ?, ?, ?)"
_STRING = "INSERT OR IGNORE INTO string (parameter, folded, exact, rid) VALUES (?, ?, ?, ?)"
_QUANTITY = (
    "INSERT OR IGNORE INTO quantity (parameter, value, low, high, system, code, unit, rid)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_RESOURCE = (
    "INSERT INTO resource (rid, type, id, version, updated, low, high, present, method, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ARCHIVE = (
    "INSERT INTO history (rid, version, type, id, updated, method, body)"
    " SELECT rid, version, type, id, updated, method, body FROM resource WHERE rid = ?"
)


class Current(NamedTuple):
    """The newest version of a resource; `body` None when it is deleted."""

    rid: int
    version: int
    body: bytes | None


class Vocabulary:
    """The code systems seen, so that ``system|`` can be searched; remembers what is written already."""

    def __init__(self) -> None:
        self._written: set[tuple[int, int, int]] = set()

    def add(self, connection: sqlite3.Connection, rows: Iterable[tuple[int, int, int]]) -> None:
        # Not remembered before the insert, and an insert that is rolled back is forgotten by `forget`.
        fresh = [row for row in set(rows) if row not in self._written]
        if fresh:
            connection.executemany("INSERT OR IGNORE INTO vocabulary VALUES (?, ?, ?)", fresh)
            if len(self._written) < 200_000:
                self._written.update(fresh)

    def forget(self) -> None:
        self._written.clear()


def current(connection: sqlite3.Connection, resource_type: str, own: str) -> Current | None:
    sql = "SELECT rid, version, body FROM resource WHERE type = ? AND id = ?"
    row = connection.execute(sql, (resource_type, own)).fetchone()
    return Current(*row) if row else None


def save(
    connection: sqlite3.Connection,
    vocabulary: Vocabulary,
    resource: Resource,
    before: Current | None,
    *,
    method: str,
    base: str,
) -> None:
    """Store `resource` (id and meta set) as the version after `before`; the former goes to history."""
    prepared = prepare(resource, base)
    if before is None:
        (rid,) = connection.execute("SELECT coalesce(max(rid), 0) + 1 FROM resource").fetchone()
        connection.execute(_RESOURCE, (rid, *prepared[:7], method, prepared[7]))
    else:
        rid = before.rid
        _archive(connection, before, base)
        sql = (
            "UPDATE resource SET version = ?, updated = ?, low = ?, high = ?, present = ?, method = ?, body = ?"
            " WHERE rid = ?"
        )
        connection.execute(sql, (*prepared[2:7], method, prepared[7], rid))
    _index(connection, vocabulary, [(rid, prepared)])


def erase(connection: sqlite3.Connection, before: Current, updated: int, base: str) -> int:
    """Mark a resource deleted; all versions stay in history. Returns the version of the deletion."""
    _archive(connection, before, base)
    sql = (
        "UPDATE resource SET version = version + 1, updated = ?, low = ?, high = ?, present = 0, method = 'DELETE',"
        " body = NULL WHERE rid = ?"
    )
    connection.execute(sql, (updated, UNTIMED, UNTIMED, before.rid))
    return before.version + 1


def _archive(connection: sqlite3.Connection, before: Current, base: str) -> None:
    connection.execute(_ARCHIVE, (before.rid,))
    if before.body is None:
        return
    old = prepare(json.loads(before.body), base)
    rid, low = before.rid, old[4]
    connection.executemany(
        "DELETE FROM link WHERE key = ? AND system = ? AND low = ? AND rid = ?",
        [(key, system, low, rid) for key, system in old[8]],
    )
    connection.executemany(
        "DELETE FROM date WHERE parameter = ? AND low = ? AND high = ? AND rid = ?", [(*each, rid) for each in old[9]]
    )
    connection.executemany(
        "DELETE FROM string WHERE parameter = ? AND folded = ? AND exact = ? AND rid = ?",
        [(*each, rid) for each in old[10]],
    )
    connection.executemany(
        "DELETE FROM quantity WHERE parameter = ? AND value = ? AND rid = ?",
        [(each[0], each[1], rid) for each in old[11]],
    )


def _index(connection: sqlite3.Connection, vocabulary: Vocabulary, rows: list[tuple[int, Prepared]]) -> None:
    """Index rows of many resources, sorted so that neighbours in an index are written together."""
    links = [(key, system, each[4], rid) for rid, each in rows for key, system in each[8]]
    links.sort()
    connection.executemany(_LINK, links)
    spans = [(*row, rid) for rid, each in rows for row in each[9]]
    texts = [(*row, rid) for rid, each in rows for row in each[10]]
    amounts = [(*row, rid) for rid, each in rows for row in each[11]]
    connection.executemany(_DATE, sorted(spans))
    connection.executemany(_STRING, sorted(texts))
    connection.executemany(_QUANTITY, sorted(amounts))
    vocabulary.add(connection, (row for _, each in rows for row in each[12]))


def insert(connection: sqlite3.Connection, vocabulary: Vocabulary, batch: list[Prepared]) -> int:
    """Store many resources with the meta they carry; those that exist (or were deleted) are left as they are.

    Returns how many were new.
    """
    (last,) = connection.execute("SELECT coalesce(max(rid), 0) FROM resource").fetchone()
    fresh = list(_absent(connection, batch))
    rows = [(last + place, each) for place, each in enumerate(fresh, 1)]
    connection.executemany(_RESOURCE, [(rid, *each[:7], "PUT", each[7]) for rid, each in rows])
    _index(connection, vocabulary, rows)
    return len(rows)


def _absent(connection: sqlite3.Connection, batch: list[Prepared]) -> Iterable[Prepared]:
    wanted = {(each[0], each[1]): each for each in batch}
    sql = "SELECT 1 FROM resource WHERE type = ? AND id = ?"
    for name, each in wanted.items():
        if connection.execute(sql, name).fetchone() is None:
            yield each


def reindex(connection: sqlite3.Connection, vocabulary: Vocabulary, base: str) -> None:
    """Fill all indexes again from the bodies; after a change of the parameter table."""
    for table in ("link", "date", "string", "quantity", "vocabulary"):
        connection.execute(f"DELETE FROM {table}")
    vocabulary.forget()
    last = 0
    while True:
        sql = "SELECT rid, body FROM resource WHERE rid > ? AND body IS NOT NULL ORDER BY rid LIMIT 2000"
        found = connection.execute(sql, (last,)).fetchall()
        if not found:
            return
        last = found[-1][0]
        rows = [(rid, prepare(json.loads(body), base)) for rid, body in found]
        sql = "UPDATE resource SET low = ?, high = ?, present = ? WHERE rid = ?"
        connection.executemany(sql, [(*each[4:7], rid) for rid, each in rows])
        _index(connection, vocabulary, rows)

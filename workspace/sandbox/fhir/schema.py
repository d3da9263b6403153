"""Tables of the store, and opening connections to them. Never reads or writes a resource.

`resource` holds the current version of each resource and a row for each deleted one; `history` the superseded
versions. `link` indexes tokens and references by a 64-bit key of (type, parameter, value) in clinical order, so that
"this patient's newest 200" is a walk from the index's end. `present` is a bit for each parameter that has a value.
"""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

from workspace.fhir.parameter_table import TABLE

VERSION = 1

TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS resource (
    rid INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    updated INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, present INTEGER NOT NULL,
    method TEXT NOT NULL, body BLOB);
CREATE UNIQUE INDEX IF NOT EXISTS resource_id ON resource (type, id);
CREATE INDEX IF NOT EXISTS resource_low ON resource (type, low, rid) WHERE body IS NOT NULL;
CREATE INDEX IF NOT EXISTS resource_updated ON resource (type, updated, rid);
CREATE TABLE IF NOT EXISTS history (
    rid INTEGER NOT NULL, version INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
    updated INTEGER NOT NULL, method TEXT NOT NULL, body BLOB, PRIMARY KEY (rid, version));
CREATE INDEX IF NOT EXISTS history_updated ON history (type, updated);
CREATE TABLE IF NOT EXISTS link (
    key INTEGER NOT NULL, low INTEGER NOT NULL, rid INTEGER NOT NULL, system INTEGER NOT NULL,
    PRIMARY KEY (key, low, rid, system)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS date (
    parameter INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (parameter, low, high, rid)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS string (
    parameter INTEGER NOT NULL, folded TEXT NOT NULL, rid INTEGER NOT NULL, exact TEXT NOT NULL,
    PRIMARY KEY (parameter, folded, rid, exact)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quantity (
    parameter INTEGER NOT NULL, value REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL,
    system TEXT NOT NULL, code TEXT NOT NULL, unit TEXT NOT NULL, rid INTEGER NOT NULL,
    PRIMARY KEY (parameter, value, rid, low, high, system, code, unit)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS vocabulary (
    parameter INTEGER NOT NULL, system INTEGER NOT NULL, key INTEGER NOT NULL,
    PRIMARY KEY (parameter, system, key)) WITHOUT ROWID;
"""

INDEXES = ("link", "date", "string", "quantity", "vocabulary")


def fingerprint() -> str:
    """Changes when the indexes would: another table of parameters, or another way to fill them."""
    return hashlib.sha256(f"{VERSION}\n{TABLE}".encode()).hexdigest()[:16]


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """A connection in autocommit mode; readers refuse writes. Usable from one thread at a time."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=2.0, cached_statements=256
    )
    try:
        _tune(connection, write=write)
    except BaseException:
        connection.close()
        raise
    return connection


def _tune(connection: sqlite3.Connection, *, write: bool) -> None:
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA mmap_size = 1073741824")
    if write:
        # Imports touch every index at random places: room for them, and checkpoints seldom.
        connection.execute("PRAGMA cache_size = -262144")
        connection.execute("PRAGMA wal_autocheckpoint = 16384")
    else:
        connection.execute("PRAGMA cache_size = -16384")
        connection.execute("PRAGMA query_only = ON")

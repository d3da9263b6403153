"""The vault's schema, one step a version. Each step runs in one transaction together with its version number.

A step is never edited once released: a mended step would not run on the vaults that have it. Never deletes what a
person typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workspace.problem import Problem


@dataclass(frozen=True, slots=True)
class Migration:
    """`version` is the schema version once every one of `statements` has run."""

    version: int
    statements: tuple[str, ...]


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        1,
        (
            "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
            "CREATE TABLE draft (key TEXT PRIMARY KEY, tenant TEXT NOT NULL, user TEXT NOT NULL, patient TEXT NOT NULL,"
            " body TEXT NOT NULL, revision INTEGER NOT NULL, saved TEXT NOT NULL) WITHOUT ROWID",
            "CREATE INDEX draft_user ON draft (tenant, user)",
        ),
    ),
    Migration(
        2,
        (
            # `seq` is the order of delivery; AUTOINCREMENT so that a number is never used again.
            "CREATE TABLE outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, user TEXT NOT NULL,"
            " patient TEXT NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL, made TEXT NOT NULL)",
            "CREATE INDEX outbox_user ON outbox (user, state)",
        ),
    ),
    Migration(
        3,
        (
            # Facts typed and reused, a row for each person and shift; no word about whom.
            "CREATE TABLE tally (user TEXT NOT NULL, shift TEXT NOT NULL, typed INTEGER NOT NULL, reused INTEGER NOT NULL,"
            " PRIMARY KEY (user, shift)) WITHOUT ROWID",
            # A unit's results for reading without the platform; bounded in time and wiped on order.
            "CREATE TABLE offline (user TEXT NOT NULL, unit TEXT NOT NULL, query TEXT NOT NULL, body TEXT NOT NULL,"
            " fetched TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (user, unit, query)) WITHOUT ROWID",
            # What the platform knows of a draft, and another workstation's text that lost to a newer one.
            "ALTER TABLE draft ADD COLUMN known INTEGER NOT NULL DEFAULT 0",
            "ALTER TABLE draft ADD COLUMN other TEXT NOT NULL DEFAULT ''",
        ),
    ),
    Migration(
        4,
        (
            # What panels saw, for the platform's log, until the platform has it.
            "CREATE TABLE report (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, user TEXT NOT NULL,"
            " body TEXT NOT NULL)",
        ),
    ),
)


def migrate(database: Any, steps: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring an open apsw connection to the newest version.

    Raises Problem ``vault-newer`` when the file was written by a newer program: it is left as it is.
    """
    version = int(next(iter(database.execute("PRAGMA user_version")))[0])
    if version > steps[-1].version:
        raise Problem(
            "vault-newer",
            "Det lokale lageret er laget av en nyere utgave av programmet.",
            "Start den nyeste utgaven, eller be brukerstøtte om hjelp. Ingenting er endret.",
            f"vault schema {version}, this program knows {steps[-1].version}",
        )
    for step in steps:
        if step.version > version:
            _run(database, step)


def _run(database: Any, step: Migration) -> None:
    database.execute("BEGIN IMMEDIATE")
    try:
        for statement in step.statements:
            database.execute(statement)
        # The number is part of the transaction, so a crash leaves the former version whole.
        database.execute(f"PRAGMA user_version = {step.version:d}")
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")

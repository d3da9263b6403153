"""The gateway's own SQLite file: idempotency keys, intents, the audit's chains and outbox, drafts, orders to wipe, the
feed's numbers, the public keys of sessions.

One thread owns the connection, so the event loop never waits for the disk. Holds no clinical data but the answers under
idempotency keys, audit events on their way, and drafts, which are sealed. Never decides anything.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from workspace.problem import Problem

T = TypeVar("T")

TABLES = """
CREATE TABLE IF NOT EXISTS answer (key TEXT PRIMARY KEY, author TEXT NOT NULL, digest TEXT NOT NULL,
    status INTEGER, body BLOB, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chain (session TEXT PRIMARY KEY, number INTEGER NOT NULL, hash TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS logged (key TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (place INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS intent (key TEXT PRIMARY KEY, author TEXT NOT NULL, session TEXT NOT NULL, body BLOB NOT NULL,
    asked INTEGER NOT NULL, logged INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS draft (id TEXT NOT NULL, author TEXT NOT NULL, sealed BLOB NOT NULL, revision INTEGER NOT NULL,
    expires INTEGER NOT NULL, PRIMARY KEY (author, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ended (author TEXT NOT NULL, stretch TEXT NOT NULL, until INTEGER NOT NULL, spent BLOB,
    PRIMARY KEY (author, stretch)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS wipe (id TEXT PRIMARY KEY, person TEXT NOT NULL, device TEXT NOT NULL, reason TEXT NOT NULL,
    at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS wiped (id TEXT NOT NULL, device TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (id, device)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session_key (id TEXT PRIMARY KEY, public TEXT NOT NULL, author TEXT NOT NULL, sid TEXT NOT NULL,
    subject BLOB NOT NULL, device TEXT NOT NULL, starts TEXT NOT NULL, ends TEXT NOT NULL, expires INTEGER NOT NULL,
    revoked INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


class GatewayStore:
    """``await start()`` first, ``await close()`` at the end; `run` gives work to the thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None

    async def start(self) -> None:
        """Open the file, or make it. Raises Problem ``gateway-store-failed``."""
        self._thread = ThreadPoolExecutor(1, "gateway-store")
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
        except sqlite3.DatabaseError as error:
            await self._stop()
            raise Problem(
                "gateway-store-failed",
                "Plattformens egen fil for logg og kvitteringer kan ikke åpnes.",
                "Se etter at mappen kan skrives i. Er filen skadet, må den legges til side før plattformen startes.",
                f"{self._path.name}: {error}",
            ) from error
        except BaseException:
            await self._stop()
            raise

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA busy_timeout = 5000")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(TABLES)
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """`work(connection)` in one transaction on the store's thread; rolled back when it raises."""
        assert self._thread is not None, "start() first"
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work)

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection
        assert connection is not None, "start() first"
        connection.execute("BEGIN IMMEDIATE")
        try:
            found = work(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return found

    async def close(self) -> None:
        if self._thread and self._connection:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._leave)
        await self._stop()

    def _leave(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    async def _stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.to_thread(thread.shutdown)

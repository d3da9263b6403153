"""The FHIR R4 store on SQLite: one thread writes, a few read, the event loop never waits for the disk.

Changes are announced on the event loop in commit order. A user's write goes before a waiting import. The store
knows nothing of users: the gateway has decided before it asks.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from workspace.clock import Clock
from workspace.fhir.service import FhirRequest, FhirResponse
from workspace.problem import Problem
from workspace.sandbox.fhir import find, rows, schema
from workspace.sandbox.fhir.prepare import Prepared
from workspace.sandbox.fhir.refusal import Refusal, answer
from workspace.sandbox.fhir.routes import Readers, only_reads, serve_read, serve_write
from workspace.sandbox.fhir.write import Change, Writer

Listener = Callable[[list[Change]], None]
"""Called on the event loop with the changes of one commit: (type, id, version, resource or None if deleted)."""


class Store:
    """A `FhirService` on the SQLite file `path`. `base` makes addresses in answers absolute; "" keeps them relative.

    ``await start()`` before anything else, ``await close()`` at the end.
    """

    def __init__(self, path: Path | str, clock: Clock, *, base: str = "", readers: int = 3) -> None:
        self._path = Path(path)
        self._clock = clock
        self._base = base.rstrip("/")
        self._reader_count = readers
        self._listeners: list[Listener] = []
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._vocabulary = rows.Vocabulary()
        self._waiting = 0
        self._quiet = asyncio.Event()
        self._writer: sqlite3.Connection | None = None
        self._writing: ThreadPoolExecutor | None = None
        self._reading: ThreadPoolExecutor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    # Life -----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the file, or make it. Raises Problem ``store-damaged`` or ``store-locked``."""
        self._loop = asyncio.get_running_loop()
        self._quiet.set()
        self._writing = ThreadPoolExecutor(1, "fhir-write")
        self._reading = ThreadPoolExecutor(self._reader_count, "fhir-read")
        try:
            await self._loop.run_in_executor(self._writing, self._open)
        except BaseException:
            await self._stop_threads()
            raise

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection: sqlite3.Connection | None = None
        try:
            connection = schema.connect(self._path, write=True)
            self._prepare(connection)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise _problem(error) from error
            raise
        self._writer = connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        for statement in schema.TABLES.split(";"):
            connection.execute(statement)
        known = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '0')")
        connection.execute("COMMIT")
        if known.get("clean") == "0":
            # Not quick_check: in SQLite 3.40 it finds NULLs that are not there in tables WITHOUT ROWID whose key has
            # another order than their columns, and every crash would look like damage.
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if found != ("ok",):
                raise sqlite3.DatabaseError(str(found))
        find.prepare_connection(connection)
        print_now, print_then = f"{schema.fingerprint()} {self._base}", known.get("fingerprint")
        if print_then != print_now:
            connection.execute("BEGIN IMMEDIATE")
            if print_then is not None:
                rows.reindex(connection, self._vocabulary, self._base)
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('fingerprint', ?)", (print_now,))
            connection.execute("COMMIT")

    async def close(self) -> None:
        """Finish what is under way, mark the file as cleanly left, and close it. May be called twice."""
        if self._writing and self._loop and self._writer:
            await self._loop.run_in_executor(self._writing, self._leave)
        await self._stop_threads()

    def _leave(self) -> None:
        connection, self._writer = self._writer, None
        if connection is None:
            return
        try:
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '1')")
        finally:
            connection.close()

    async def _stop_threads(self) -> None:
        for pool in (self._reading, self._writing):
            if pool:
                await asyncio.to_thread(pool.shutdown)
        self._reading = self._writing = None
        with self._lock:
            while self._opened:
                self._opened.pop().close()

    def set_aside(self) -> Path:
        """Keep a damaged file under a new name, so that `start` makes a fresh one. Returns the new name."""
        stamp = self._clock.real().strftime("%Y%m%d-%H%M%S")
        aside = self._path.with_name(f"{self._path.name}.skadet-{stamp}")
        for ending in ("", "-wal", "-shm"):
            source = self._path.with_name(self._path.name + ending)
            if source.exists():
                source.rename(aside.with_name(aside.name + ending))
        return aside

    # Work -----------------------------------------------------------------------------------------

    async def handle(self, request: FhirRequest) -> FhirResponse:
        """Answer one request; anything a client can get wrong is an OperationOutcome, never an exception."""
        assert self._loop is not None, "start() first"
        if only_reads(request):
            return await self._loop.run_in_executor(self._reading, self._read, request)
        self._waiting += 1
        self._quiet.clear()
        try:
            return await self._loop.run_in_executor(self._writing, self._write, request)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._quiet.set()

    def on_commit(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` on the event loop after each commit, in commit order. Returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    async def import_prepared(self, batch: list[Prepared]) -> int:
        """Store a batch from `prepare.prepare` in one short transaction, unannounced, with the meta it carries.

        What exists already is left as it is, so a batch may be sent again. Waits while users' writes are waiting.
        Returns how many were new.
        """
        assert self._loop is not None, "start() first"
        await self._quiet.wait()
        return await self._loop.run_in_executor(self._writing, self._import, batch)

    def _read(self, request: FhirRequest) -> FhirResponse:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = schema.connect(self._path, write=False)
            find.prepare_connection(connection)
            self._local.connection = connection
            with self._lock:
                self._opened.append(connection)
        try:
            return serve_read(Readers(connection, self._clock, self._base), request)
        except Problem as problem:
            return answer(problem)
        except sqlite3.DatabaseError as error:
            return answer(_unreadable(error))

    def _write(self, request: FhirRequest) -> FhirResponse:
        assert self._writer is not None, "start() first"
        writer = Writer(self._writer, self._vocabulary, self._clock, self._base)
        try:
            return serve_write(writer, request, self._announce)
        except Problem as problem:
            return answer(problem)
        except sqlite3.DatabaseError as error:
            return answer(_unreadable(error))

    def _announce(self, changes: list[Change]) -> None:
        """From the writing thread, right after a commit: the loop calls listeners in the order of the commits."""
        if changes and self._listeners and self._loop is not None:
            self._loop.call_soon_threadsafe(self._tell, changes)

    def _tell(self, changes: list[Change]) -> None:
        for listener in list(self._listeners):
            listener(changes)

    def _import(self, batch: list[Prepared]) -> int:
        assert self._writer is not None, "start() first"
        # An import can be made again from its definitions: it need not wait for the disk.
        self._writer.execute("PRAGMA synchronous = NORMAL")
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                new = rows.insert(self._writer, self._vocabulary, batch)
                self._writer.execute("COMMIT")
            except BaseException:
                self._writer.execute("ROLLBACK")
                self._vocabulary.forget()
                raise
        finally:
            self._writer.execute("PRAGMA synchronous = FULL")
        return new


def _problem(error: sqlite3.DatabaseError) -> Problem:
    """Why the file cannot be opened, in words a person can act on."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return Problem(
            "store-locked",
            "Sandkassens data er i bruk av et annet program.",
            "Lukk den andre sandkassen og prøv igjen.",
            text,
        )
    if "unable to open" in text or "readonly" in text or "full" in text:
        return Problem(
            "store-unreachable",
            "Sandkassens data kan ikke åpnes eller skrives.",
            "Se etter at mappen finnes, at den kan skrives i og at disken ikke er full.",
            text,
        )
    return Problem(
        "store-damaged",
        "Sandkassens data er skadet og kan ikke leses.",
        "Legg den skadde filen til side, så lages dataene på nytt.",
        text,
    )


def _unreadable(error: Exception) -> Refusal:
    return Refusal(
        500,
        "store-failed",
        "Plattformen fikk ikke lest eller lagret opplysningen.",
        advice="Prøv igjen om litt.",
        detail=str(error),
        issue="exception",
    )

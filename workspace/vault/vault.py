"""The encrypted local store: drafts, the outbox and a few settings, on SQLite with every page ciphered.

One thread owns the connection; work reaches it as functions and runs in one transaction each, in the order given.
What `run` has answered is on the disk (``synchronous=FULL``). Never deletes a file it cannot read: it is moved aside
and the user is told where.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from workspace.clock import Clock
from workspace.problem import Problem
from workspace.vault.migrations import migrate

T = TypeVar("T")
Database = Any
"""An apsw connection; used only inside a function given to `Vault.run`."""

KEY_BYTES = 32
ASIDE = ".skadet-"
"""In the name of what was moved out of the way."""
WRAPPED = ".person"
"""Ending of the file beside a person's vault that holds its key (`wraps`)."""


class Vault:
    """`path` is None for a vault in memory: `durable` is then False, and the shell says so."""

    def __init__(self, database: Database, pool: ThreadPoolExecutor, path: Path | None) -> None:
        self._database = database
        self._pool = pool
        self._closed = False
        self.path = path
        self.durable = path is not None

    @classmethod
    async def open(
        cls, path: Path | None, key: bytes | None, clock: Clock, *, raw: bool = False, aside: bool = True
    ) -> Vault:
        """Open, or make, the vault at `path` with a 32-byte `key`. Without path or key it is kept in memory only.

        `raw`: the key ciphers the pages as it is, without being stretched first; a vault is opened as it was made. Without
        `aside` a file that cannot be read stays where it is.

        Raises Problem ``vault-damaged`` (wrong key or broken file; already moved aside, so opening again makes a new
        one), ``vault-locked`` (another program has it), ``vault-newer`` or ``vault-unwritable``.
        """
        if path is None or key is None:
            path, key = None, None
        elif len(key) != KEY_BYTES:
            raise ValueError(f"the vault's key has {len(key)} bytes, not {KEY_BYTES}")
        pool = ThreadPoolExecutor(1, thread_name_prefix="vault")
        try:
            database = await asyncio.wrap_future(pool.submit(_open, path, key, clock, raw, aside))
        except BaseException:
            pool.shutdown(wait=True)
            raise
        return cls(database, pool, path)

    def run(self, work: Callable[[Database], T]) -> asyncio.Future[T]:
        """Run `work` with the connection in the writer thread, in one transaction; durable when this is done.

        Its place among the others is that of this call, not of who awaits it first: what was handed over later is written
        later. Raises what `work` raises (nothing is then kept), or Problem ``vault-closed`` (at once), ``vault-full`` or
        ``vault-unwritable``.
        """
        if self._closed:
            raise Problem("vault-closed", "Det lokale lageret er lukket.", "Logg inn på nytt.")
        return asyncio.wrap_future(self._pool.submit(_transaction, self._database, work))

    async def scrub(self) -> None:
        """What was deleted is gone from the file too: every page is written anew and the log beside it emptied. Raises
        Problem ``vault-closed``, ``vault-full`` or ``vault-unwritable``."""
        if self._closed:
            raise Problem("vault-closed", "Det lokale lageret er lukket.", "Logg inn på nytt.")
        await asyncio.wrap_future(self._pool.submit(_scrub, self._database))

    async def close(self) -> None:
        """Finish what was handed over, then close. Idempotent."""
        if self._closed:
            return
        self._closed = True
        await asyncio.wrap_future(self._pool.submit(self._database.close))
        self._pool.shutdown(wait=True)

    async def setting(self, name: str) -> str | None:
        """A small remembered text such as ``last-patient:Practitioner/tone``; None when never set."""

        def read(database: Database) -> str | None:
            row = next(iter(database.execute("SELECT value FROM setting WHERE name = ?", (name,))), None)
            return None if row is None else str(row[0])

        return await self.run(read)

    async def set_setting(self, name: str, value: str | None) -> None:
        """Remember `value`; None forgets it."""

        def write(database: Database) -> None:
            if value is None:
                database.execute("DELETE FROM setting WHERE name = ?", (name,))
            else:
                database.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

        await self.run(write)


def _open(path: Path | None, key: bytes | None, clock: Clock, raw: bool, aside: bool) -> Database:
    import apsw

    if path is None:
        memory = apsw.Connection(":memory:")
        migrate(memory)
        return memory
    database: Database | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        database = apsw.Connection(str(path))
        _prepare(database, key or b"", raw=raw)
    except (apsw.NotADBError, apsw.CorruptError) as error:
        _close(database)
        raise (set_aside(path, clock, str(error)) if aside else _unreadable(path, str(error))) from error
    except (apsw.BusyError, apsw.LockedError) as error:
        _close(database)
        raise Problem(
            "vault-locked",
            "Det lokale lageret er i bruk av et annet program.",
            "Lukk det andre vinduet med samme profil og start på nytt.",
            str(error),
        ) from error
    except (apsw.Error, OSError) as error:
        _close(database)
        raise Problem(
            "vault-unwritable",
            "Det lokale lageret kan ikke åpnes for skriving.",
            "Sjekk at profilmappen finnes, at du har tilgang og at disken ikke er full.",
            f"{path}: {error}",
        ) from error
    except BaseException:
        _close(database)
        raise
    return database


def _prepare(database: Database, key: bytes, *, raw: bool = False) -> None:
    database.set_busy_timeout(500)
    list(database.execute(f"PRAGMA key = 'raw:{key.hex()}'" if raw else f"PRAGMA hexkey = '{key.hex()}'"))
    # Exclusive: two programs on one profile would interleave their outboxes.
    list(database.execute("PRAGMA locking_mode = EXCLUSIVE"))
    list(database.execute("PRAGMA journal_mode = WAL"))
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA secure_delete = ON")
    database.execute("PRAGMA temp_store = MEMORY")
    database.execute("BEGIN IMMEDIATE")  # reads page one and takes the lock
    database.execute("COMMIT")
    check = str(next(iter(database.execute("PRAGMA quick_check(1)")))[0])
    if check != "ok":
        import apsw

        raise apsw.CorruptError(check)
    migrate(database)


def _transaction(database: Database, work: Callable[[Database], T]) -> T:
    try:
        database.execute("BEGIN IMMEDIATE")
        answer = work(database)
        database.execute("COMMIT")
    except _disk_errors() as error:
        _rollback(database)
        raise _unkept(error) from error
    except BaseException:
        _rollback(database)
        raise
    return answer


def _scrub(database: Database) -> None:
    try:
        database.execute("VACUUM")
        list(database.execute("PRAGMA wal_checkpoint(TRUNCATE)"))
    except _disk_errors() as error:
        raise _unkept(error) from error


def _disk_errors() -> tuple[type[Exception], ...]:
    """What a disk does to an open vault. One that goes bad meanwhile is set aside when it is next opened."""
    import apsw

    return (
        apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.CorruptError, apsw.NotADBError,
    )  # fmt: skip


def _unkept(error: Exception) -> Problem:
    import apsw

    if isinstance(error, apsw.FullError):
        full = "Disken er full, så arbeidet ditt kan ikke lagres lokalt."
        return Problem("vault-full", full, "Frigjør plass på disken.", str(error))
    return Problem(
        "vault-unwritable",
        "Disken svarer ikke, så arbeidet ditt kan ikke lagres lokalt.",
        "Sjekk disken og at du har tilgang til profilmappen.",
        str(error),
    )


def _rollback(database: Database) -> None:
    if database.in_transaction:
        database.execute("ROLLBACK")


def _close(database: Database | None) -> None:
    if database is not None:
        database.close(True)


def set_aside(path: Path, clock: Clock, detail: str) -> Problem:
    """Move the vault at `path`, and what lies beside it under its name (its log, its wrapped key), out of the way, whole.
    The Problem that says so."""
    stamp = clock.real().strftime("%Y%m%dT%H%M%S")
    aside = path.with_name(f"{path.stem}{ASIDE}{stamp}{path.suffix}")
    number = 1
    while aside.exists() or aside.with_suffix(WRAPPED).exists():
        number += 1
        aside = path.with_name(f"{path.stem}{ASIDE}{stamp}-{number}{path.suffix}")
    for ending in ("", "-wal", "-shm"):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    if path.with_suffix(WRAPPED).exists():
        path.with_suffix(WRAPPED).rename(aside.with_suffix(WRAPPED))
    return Problem(
        "vault-damaged",
        f"Det lokale lageret kunne ikke leses og er flyttet til {aside}.",
        "Et nytt, tomt lager er laget. Ingenting er slettet; be brukerstøtte om hjelp hvis du savner noe.",
        detail,
    )


def _unreadable(path: Path, detail: str) -> Problem:
    return Problem(
        "vault-damaged",
        "Et lokalt lager på denne maskinen kan ikke leses.",
        "Den det tilhører, får beskjed ved neste innlogging. Ingenting er slettet.",
        f"{path}: {detail}",
    )

"""The home's rows, made in a process of their own and handed over in batches, newest first.

Run as ``python -m workspace.sandbox.home.producer --history 730 --base URL`` the module writes length-prefixed
marshal frames to its standard output; `produce` starts it, reads them and ends it. Chunk 0 is the standing data and
the last 14 days; every further chunk is the 7 days before. Never touches a database.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import marshal
import os
import struct
import sys
import tempfile
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING

from workspace.problem import Problem

if TYPE_CHECKING:
    from workspace.sandbox.fhir import Prepared
    from workspace.sandbox.home.definitions import Home

FIRST_DAYS = 14
CHUNK_DAYS = 7
WORK_DAYS = 1
"""Days whose finished tasks come with the first chunk; the others' wait for the next, since nobody works from them."""
BATCH = 1000
_LENGTH = struct.Struct(">I")
_MONTHS = (
    *("januar", "februar", "mars", "april", "mai", "juni"),
    *("juli", "august", "september", "oktober", "november", "desember"),
)


@dataclass(frozen=True, slots=True)
class Batch:
    """About a thousand rows for `Store.import_prepared`.

    `chunk` of `chunks` counts from 0. `done` of `total` are the rows of this chunk, this batch included; the chunk is
    whole when they are equal. `text` says in Norwegian what is being made. `since` is the first day of the chunk.
    """

    chunk: int
    chunks: int
    done: int
    total: int
    text: str
    since: date
    rows: list[Prepared]

    @property
    def ends_chunk(self) -> bool:
        return self.done == self.total


def chunk_count(history_days: int) -> int:
    """How many chunks `history_days` make; the first one is always there."""
    return 1 + max(0, -(-(history_days - FIRST_DAYS) // CHUNK_DAYS))


def chunk_days(chunk: int, history_days: int, last: date) -> tuple[date, date]:
    """First and last day of a chunk, when the home's last day is `last`. Chunk 0 is never shortened."""
    if chunk == 0:
        return last - timedelta(days=FIRST_DAYS - 1), last
    newest = last - timedelta(days=FIRST_DAYS + (chunk - 1) * CHUNK_DAYS)
    oldest = max(newest - timedelta(days=CHUNK_DAYS - 1), last - timedelta(days=history_days - 1))
    return oldest, newest


# --- in the child -------------------------------------------------------------------------------------------


def batches(home: Home, history_days: int, base: str = "", skip_chunks: int = 0) -> Iterator[Batch]:
    """Every batch, in this process. Standing data come first, then days, the newest first."""
    from workspace.sandbox.fhir import prepare
    from workspace.sandbox.home.days import Maker
    from workspace.sandbox.home.standing import leavers, standing

    chunks, maker = chunk_count(history_days), Maker(home)
    newest = home.now.date()
    for chunk in range(skip_chunks, chunks):
        first, last = chunk_days(chunk, history_days, home.now.date())
        made = list(standing(home) if chunk == 0 else leavers(home) if chunk == 1 else ())
        for back in range((last - first).days + 1):
            day = last - timedelta(days=back)
            made += maker.day(day, work=chunk > 0 or chunks == 1 or (newest - day).days < WORK_DAYS)
        if chunk == 1:  # the work of the first chunk's other days
            for back in range(WORK_DAYS, FIRST_DAYS):
                made += maker.day(newest - timedelta(days=back), rest=False)
        text = (
            "Gjør klar sykehjemmet: beboere, ansatte og de siste 14 dagene"
            if chunk == 0
            else f"Henter eldre journal: tilbake til {first.day}. {_MONTHS[first.month - 1]} {first.year}"
        )
        if not made:
            yield Batch(chunk, chunks, 0, 0, text, first, [])
        for start in range(0, len(made), BATCH):
            rows = [prepare(one, base) for one in made[start : start + BATCH]]
            yield Batch(chunk, chunks, start + len(rows), len(made), text, first, rows)


def main(arguments: Sequence[str] | None = None, out: IO[bytes] | None = None) -> int:
    """Write every batch to `out` (standard output), and an empty frame when all is written."""
    parser = argparse.ArgumentParser(description="Makes the synthetic home's history.")
    parser.add_argument("--first-chunk", action="store_true", help="only the standing data and the last days")
    parser.add_argument("--history", type=int, default=FIRST_DAYS, help="days of history")
    parser.add_argument("--skip", type=int, default=0, help="chunks that are there already")
    parser.add_argument("--base", default="", help="the address the store answers under")
    parser.add_argument("--folder", type=Path, default=None, help="the definitions")
    asked = parser.parse_args(arguments)
    from workspace.sandbox.home.definitions import load

    out = out or sys.stdout.buffer
    days = FIRST_DAYS if asked.first_chunk else asked.history
    try:
        for batch in batches(load(asked.folder), days, asked.base, asked.skip):
            frame = marshal.dumps(
                (
                    batch.chunk,
                    batch.chunks,
                    batch.done,
                    batch.total,
                    batch.text,
                    batch.since.toordinal(),
                    batch.rows,
                )
            )
            out.write(_LENGTH.pack(len(frame)) + frame)
            out.flush()
            if batch.ends_chunk and batch.chunk == 0 and hasattr(os, "nice"):
                os.nice(10)  # what is older may wait for those who work
        out.write(_LENGTH.pack(0))
        out.flush()
    except BrokenPipeError:  # nobody listens any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Problem as problem:
        sys.stderr.write(f"{problem.code}\t{problem.sentence}\t{problem.advice}\n")
        return 2
    return 0


# --- in the parent ------------------------------------------------------------------------------------------


async def produce(
    history_days: int, *, base: str = "", skip_chunks: int = 0, folder: Path | None = None
) -> AsyncGenerator[Batch, None]:
    """Start the child and yield its batches; the child waits while nobody asks for the next one.

    The child is ended when the iterator is closed (use `contextlib.aclosing` when leaving early). Raises Problem:
    ``home-definitions`` for broken definitions, ``home-producer`` when the child fails.
    """
    command = ["-m", __spec__.name, "--history", str(history_days), "--skip", str(skip_chunks), "--base", base]
    if folder:
        command += ["--folder", str(folder)]
    with tempfile.TemporaryFile() as errors:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=_environment(),
        )
        assert child.stdout is not None
        try:
            async with aclosing(_frames(child.stdout)) as frames:
                async for batch in frames:
                    yield batch
        except asyncio.IncompleteReadError:
            await child.wait()
            raise _failed(errors, child.returncode) from None
        finally:
            await _end(child)


def _environment() -> dict[str, str]:
    """Ours, with this checkout first to import from, whatever folder the sandbox was started in."""
    root = str(Path(__file__).resolve().parents[3])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))}


async def _frames(stream: asyncio.StreamReader) -> AsyncGenerator[Batch, None]:
    while True:
        (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
        if not length:
            return
        chunk, chunks, done, total, text, since, rows = marshal.loads(await stream.readexactly(length))
        yield Batch(chunk, chunks, done, total, text, date.fromordinal(since), rows)


async def _end(child: asyncio.subprocess.Process) -> None:
    """Ends the child whatever it is doing, and waits until it is gone and its pipe is closed."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
    if child.stdout is not None:
        while await child.stdout.read(1 << 20):
            pass
    await child.wait()


def _failed(errors: IO[bytes], returncode: int | None) -> Problem:
    errors.seek(0)
    said = errors.read().decode("utf-8", "replace").strip()
    parts = said.splitlines()[-1].split("\t") if said else []
    if returncode == 2 and len(parts) == 3:
        return Problem(parts[0], parts[1], parts[2])
    return Problem(
        "home-producer",
        "Det syntetiske sykehjemmet kunne ikke lages ferdig.",
        "Start sandkassen på nytt. Det som er laget, er lagret.",
        detail=f"exit {returncode}: {said[-2000:]}",
    )


if __name__ == "__main__":
    sys.exit(main())

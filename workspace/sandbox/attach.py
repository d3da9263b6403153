"""Finds the sandbox that serves a folder, or starts one, and waits until it can be used.

Light: nothing but the standard library, because it stands in the way of the first window. Never stops a sandbox: one
that it started ends by itself when nobody has used it for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workspace.problem import Problem
from workspace.sandbox.folder import Folder, read_json

Told = Callable[[float | None, str], None]
"""Progress: a share 0..1, or None when it is not known, and what is being done (Norwegian)."""

IDLE_EXIT = 120
"""Seconds after which a sandbox started from here ends, when nobody uses it."""

_STARTING = "Starter sandkassen"
_POLL = 0.04
_PATIENCE = 90.0
"""Seconds without any progress before we give up."""
_LARGEST_LOG = 1 << 20


async def ensure(folder: Path, *, history_days: int = 90, progress: Told | None = None) -> str:
    """The origin of a sandbox over `folder` that is ready, ``http://127.0.0.1:8650``; starts one if none runs.

    Raises Problem: ``sandbox-stopped`` or what the new process left, ``sandbox-slow``, ``sandbox-folder``.
    """
    started: list[subprocess.Popen[bytes]] = []
    try:
        return await _wait(Folder(folder), history_days, progress or (lambda _share, _text: None), started)
    finally:
        for process in started:
            _leave(process)


async def _wait(where: Folder, history_days: int, tell: Told, started: list[subprocess.Popen[bytes]]) -> str:
    said: object = None
    deadline = time.monotonic() + _PATIENCE
    while True:
        url, health = await _look(where)
        if health.get("state") == "ready":
            tell(1.0, "Klar")
            return url
        if not started and not url and not where.is_held():
            tell(None, _STARTING)
            started.append(_start(where, history_days))
        if started and started[0].poll() is not None:
            _check_end(where, started.pop())
        now = health.get("progress", {})
        if now != said:
            said, deadline = now, time.monotonic() + _PATIENCE
            tell(_share(now), str(now.get("text") or _STARTING))
        if time.monotonic() > deadline:
            raise Problem(
                "sandbox-slow",
                "Sandkassen blir ikke klar.",
                f"Se hva som står i {where.log}, og prøv igjen.",
                f"no progress in {_PATIENCE:.0f} s: {health!r}",
            )
        await asyncio.sleep(_POLL)


async def find(folder: Path) -> str | None:
    """The origin of the sandbox that serves `folder`, ready or not; None when none does."""
    return (await _look(Folder(folder)))[0] or None


async def _look(where: Folder) -> tuple[str, dict[str, Any]]:
    """Origin and health of the one that runs; empty when none does, or it does not answer yet."""
    running = where.read_running()
    # A crash leaves running.json, and another program may have the port by now: the lock cannot be a leftover.
    if running is None or not where.is_held():
        return "", {}
    health = await _health(running.url)
    return (running.url, health) if health else ("", {})


async def _health(url: str, timeout: float = 2.0) -> dict[str, Any]:
    """What `/health` says; empty when there is no sensible answer. Speaks HTTP itself: a client costs 60 ms to import."""
    host, _, port = url.removeprefix("http://").partition(":")
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(f"GET /health HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
                answer = await reader.read()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
        head, _, body = answer.partition(b"\r\n\r\n")
        found = json.loads(body) if head.startswith(b"HTTP/1.1 200") else {}
    except (OSError, ValueError, TimeoutError):
        return {}
    return found if isinstance(found, dict) and found.get("state") in ("seeding", "ready") else {}


def _start(where: Folder, history_days: int) -> subprocess.Popen[bytes]:
    """A sandbox of its own session, which outlives us. Raises Problem ``sandbox-folder``."""
    where.make()
    command = [sys.executable, "-m", "workspace", "sandbox", "serve", "--sandbox", str(where.path)]
    command += ["--history", str(history_days), "--idle-exit", str(IDLE_EXIT)]
    root = str(Path(__file__).resolve().parents[2])
    known = os.environ.get("PYTHONPATH", "")
    environment = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{known}" if known else root}
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    try:
        if where.log.exists() and where.log.stat().st_size > _LARGEST_LOG:
            os.replace(where.log, where.log.with_suffix(".log.1"))
        with where.log.open("ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=where.path, **apart
            )
    except OSError as error:
        raise where.unusable(str(error)) from error


def _check_end(where: Folder, ended: subprocess.Popen[bytes]) -> None:
    """Nothing when ours ended because somebody else's runs. Raises Problem with what it said, else."""
    told = read_json(where.stopped)
    mine = told.get("pid") == ended.pid
    if (mine and told.get("code") == "sandbox-running") or where.is_held():
        return
    if mine and told.get("sentence"):
        raise Problem(*(str(told.get(name) or "") for name in ("code", "sentence", "advice", "detail")))
    raise Problem(
        "sandbox-stopped",
        "Sandkassen stoppet da den skulle starte.",
        f"Se hva som står sist i {where.log}, og prøv igjen.",
        f"exit code {ended.returncode}",
    )


def _leave(started: subprocess.Popen[bytes]) -> None:
    """Let the process live on: without a code, Popen warns of a child that nobody waits for."""
    if started.returncode is None:
        started.returncode = 0


def _share(progress: dict[str, Any]) -> float | None:
    done, total = progress.get("done"), progress.get("total")
    if not isinstance(done, int | float) or not isinstance(total, int | float) or total <= 0:
        return None
    return min(1.0, max(0.0, done / total))

"""`workspace sandbox serve`: one process that holds a folder, listens at once, fills itself and stops cleanly.

Binds to this machine only. Writes no patient data to its log, and deletes none: a reset sets files aside.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workspace.clock import SystemClock
from workspace.problem import Problem
from workspace.sandbox import seeding
from workspace.sandbox.day import START, Day
from workspace.sandbox.folder import Folder, Lock, read_json, write_json
from workspace.sandbox.front import Front
from workspace.sandbox.platform import Platform

HOST = "127.0.0.1"
_LOG = logging.getLogger("workspace.sandbox")
_LONGEST_GOODBYE = 1
"""Seconds that open answers get at the end."""


def run(
    folder: Path, *, port: int = 8650, history_days: int = 90, idle_exit: float | None = None, reset: bool = False
) -> int:
    """Serve the sandbox in `folder` until it is told to stop. Blocks; returns 0.

    Args:
        port: wished for; when it is taken a free one is used and told in `running.json`.
        history_days: days of history before the first day.
        idle_exit: seconds without a request or an open stream after which it ends by itself; never when None.
        reset: set the data aside first and begin anew.

    Raises Problem: ``sandbox-running``, ``sandbox-damaged``, ``sandbox-folder`` and what the rooms raise. The same
    is left in `stopped.json` for whoever started this process.
    """
    where = Folder(folder)
    where.make()
    os.umask(0o077)  # what we make here is our user's alone
    try:
        lock = _hold(where)
        try:
            with _logging(where):
                if reset:
                    _set_aside(where)
                day = Day.resume(where.clock)
                asyncio.run(_serve(where, day, _bind(port), history_days, idle_exit))
        finally:
            lock.release()
    except Problem as problem:
        _leave_word(where, problem)
        raise
    return 0


async def _serve(where: Folder, day: Day, bound: socket.socket, history_days: int, idle_exit: float | None) -> None:
    origin = f"http://{HOST}:{bound.getsockname()[1]}"
    progress = seeding.Progress(history_days, START.date())
    platform = Platform(where, day, origin, progress)
    front = Front(day, platform.health, lambda: progress.ready, platform.merge, platform.wipe)
    stop = asyncio.Event()
    server, serving = _listen(front, bound)
    tasks = [
        asyncio.create_task(_live(platform, front, progress), name="sandbox-live"),
        asyncio.create_task(day.keep(), name="sandbox-day"),
    ]
    if idle_exit is not None:
        tasks.append(asyncio.create_task(_until_idle(front, idle_exit, stop), name="sandbox-idle"))
    for task in (serving, tasks[0]):
        task.add_done_callback(lambda done: stop.set() if done.cancelled() or done.exception() else None)
    with _signals(stop):
        try:
            while not (server.started or serving.done()):  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.005)
            write_json(where.running, {"url": origin, "pid": os.getpid()})
            _LOG.info("listening at %s", origin)
            if sys.stdout is not None and sys.stdout.isatty():
                sys.stdout.write(f"Sandkassen svarer på {origin} (Ctrl+C avslutter).\n")
            await stop.wait()
        finally:
            await _end(where, day, platform, server, serving, tasks)
    for task in (serving, *tasks):
        if not task.cancelled():
            task.result()


async def _end(
    where: Folder,
    day: Day,
    platform: Platform,
    server: Any,
    serving: asyncio.Task[None],
    tasks: list[asyncio.Task[None]],
) -> None:
    """Stop in an order that loses nothing: nobody finds us, streams end, answers finish, data are closed."""
    where.running.unlink(missing_ok=True)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    server.should_exit = True
    platform.end_streams()
    await asyncio.gather(serving, return_exceptions=True)
    await platform.close()
    with contextlib.suppress(OSError):
        day.save()
    _LOG.info("stopped")


async def _live(platform: Platform, front: Front, progress: seeding.Progress) -> None:
    """Build the platform and fill it. Once today is in, a failure to fetch older history stops nobody's work."""
    front.inner = await platform.start()
    try:
        await platform.fill()
    except Exception:
        if not progress.ready:
            raise
        progress.text = "Eldre historikk kunne ikke lages; det prøves igjen ved neste start"
        _LOG.exception("filling older history failed")


async def _until_idle(front: Front, seconds: float, stop: asyncio.Event) -> None:
    while front.idle() < seconds:  # noqa: ASYNC110 - every request would have to reset a timer
        await asyncio.sleep(min(1.0, seconds / 4))
    _LOG.info("nobody has used the sandbox for %.0f seconds", seconds)
    stop.set()


def _listen(front: Front, bound: socket.socket) -> tuple[Any, asyncio.Task[None]]:
    """A uvicorn server on `bound`, and the task that runs it."""
    import uvicorn

    class Server(uvicorn.Server):
        """Leaves signals to `_signals`, which closes the streams first."""

        def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
            return contextlib.nullcontext()

    config = uvicorn.Config(
        front,
        loop="none",
        http="h11",
        ws="none",
        lifespan="off",
        access_log=False,  # its lines would hold patients' ids
        log_config=None,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=_LONGEST_GOODBYE,
    )
    server = Server(config)
    return server, asyncio.create_task(server.serve(sockets=[bound]), name="sandbox-http")


def _bind(port: int) -> socket.socket:
    """A socket on this machine, at `port` if it is free. Raises OSError."""
    for wished in (port, 0):
        # The protocol by name: without it asyncio does not turn Nagle off, and answers wait 40 ms for an acknowledgement.
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if sys.platform != "win32":  # there it would let two programs share the port
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((HOST, wished))
            # Bound alone, two could hold it with SO_REUSEADDR: listening is what decides.
            bound.listen(128)
        except OSError as error:
            bound.close()
            if wished == 0 or error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
                raise
            _LOG.warning("port %d cannot be had, taking a free one", wished)
        else:
            bound.setblocking(False)
            return bound
    raise AssertionError("unreachable")


def _hold(where: Folder) -> Lock:
    """Hold the folder. Raises Problem ``sandbox-running``."""
    # Somebody who looks whether we run holds the lock for an instant, hence a few tries.
    for _ in range(10):
        try:
            lock = Lock.take(where)
        except OSError as error:
            raise where.unusable(str(error)) from error
        if lock is not None:
            where.stopped.unlink(missing_ok=True)
            return lock
        time.sleep(0.03)
    running = where.read_running()
    at = f" på {running.url}" if running else ""
    raise Problem(
        "sandbox-running",
        f"Sandkassen i {where.path} går allerede{at}.",
        "Bruk den som går, avslutt den først, eller velg en annen mappe med --sandbox.",
        f"pid {running.pid}" if running else "",
    )


def _set_aside(where: Folder) -> None:
    """Keep the old data under new names. Sign-ons are kept unless their file is damaged."""
    from workspace.sandbox.fhir import Store

    clock = SystemClock()
    stamp = clock.real().strftime("%Y%m%d-%H%M%S")
    if where.fhir.exists():
        _LOG.warning("set aside as %s", Store(where.fhir, clock).set_aside().name)
    others = [where.gateway.with_name(where.gateway.name + ending) for ending in ("", "-wal", "-shm")]
    others += [where.gateway_key, where.seed, where.clock]
    if where.identity.exists() and not read_json(where.identity):
        others.append(where.identity)
    for path in others:
        aside = where.set_aside(path, stamp)
        if aside is not None:
            _LOG.warning("set aside as %s", aside.name)


def _leave_word(where: Folder, problem: Problem) -> None:
    told = {"pid": os.getpid(), "code": problem.code, "sentence": problem.sentence, "advice": problem.advice}
    with contextlib.suppress(OSError):
        write_json(where.stopped, told | {"detail": problem.detail})


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """The signals that ask a program to end set `stop`."""
    loop = asyncio.get_running_loop()
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
    before = {}
    for number in (getattr(signal, name) for name in names):
        # Not loop.add_signal_handler: Windows has none.
        before[number] = signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _logging(where: Folder) -> Iterator[None]:
    """Our own lines and others' warnings go to the folder's log while this lasts. Raises OSError."""
    handler = logging.FileHandler(where.log, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root, ours = logging.getLogger(), logging.getLogger("workspace")
    before = ours.level
    root.addHandler(handler)
    ours.setLevel(logging.INFO)
    try:
        yield
    except Problem as problem:
        _LOG.error("%s: %s", problem.code, problem.detail or problem.sentence)
        raise
    except Exception:
        _LOG.exception("stopped by a fault")
        raise
    finally:
        root.removeHandler(handler)
        ours.setLevel(before)
        handler.close()

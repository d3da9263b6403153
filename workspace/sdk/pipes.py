"""The process's own loop: lines from stdin to the session and back. Keeps both pipes to itself, so that a vendor's
``print()`` lands on stderr and ``input()`` finds nothing."""

from __future__ import annotations

import os
import sys

from workspace.sdk.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from workspace.sdk.panel import Panel

_CHUNK = 1 << 16
_BATCH = 4 << 20
"""Bytes read before views run, however much more is waiting: a flood of input may not starve the screen."""


def serve(panel: Panel) -> None:
    """Until `shutdown` or the end of input."""
    source, sink = _take_pipes()

    def send(line: str) -> None:
        left = memoryview(line.encode("utf-8", "replace") + b"\n")
        while left:
            left = left[os.write(sink, left) :]

    session = Session(panel, send)
    read = _poller(source)
    rest = b""
    try:
        while not session.done:
            chunk = read(session.next_wake())
            if chunk == b"":
                return
            if chunk is not None:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if not session.done:
                        session.handle(line.decode("utf-8", "replace"))
            if not session.done:
                session.settle()
    except BrokenPipeError:
        return  # the host has gone: there is nobody left to tell


def _take_pipes() -> tuple[int, int]:
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return source, sink


def _poller(source: int) -> Callable[[float | None], bytes | None]:
    """A function that waits at most so many seconds: what is there, None when nothing came, empty at the end."""
    if os.name != "posix":
        return _thread_poller(source)
    from select import select

    def read(timeout: float | None) -> bytes | None:
        if not select([source], [], [], timeout)[0]:
            return None
        data = os.read(source, _CHUNK)
        size = len(data)
        parts = [data]
        while len(data) == _CHUNK and size < _BATCH and select([source], [], [], 0)[0]:
            data = os.read(source, _CHUNK)
            parts.append(data)
            size += len(data)
        return b"".join(parts)

    return read


def _thread_poller(source: int) -> Callable[[float | None], bytes | None]:
    """Windows cannot wait for a pipe with a deadline: a thread reads, and touches nothing else."""
    import queue
    import threading

    box: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def pump() -> None:
        while True:
            data = os.read(source, _CHUNK)
            box.put(data)
            if not data:
                return

    threading.Thread(target=pump, daemon=True).start()

    def read(timeout: float | None) -> bytes | None:
        try:
            data = box.get(timeout=timeout)
        except queue.Empty:
            return None
        while data and not box.empty():
            more = box.get()
            if not more:
                box.put(more)
                break
            data += more
        return data

    return read

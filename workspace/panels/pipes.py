"""A child process and its three pipes, on any asyncio loop (plain or qasync). The one module that knows how.

Reads and writes the descriptors directly: a streams layer costs a task switch a message. On Windows this module gets
a sibling with reader threads; nothing else needs to know. Never understands what passes through.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from workspace.panels.confinement import FILTER
from workspace.panels.selftest import handed

CHUNK = 256 << 10
MAX_UNREAD = 8 << 20
"""Bytes waiting for a child that does not read its input; beyond that it is given up."""
PIPE = 1 << 20
"""Bytes that wait in the pipe to a child, where the system lets us: as long as a line may be. What a panel opens with is
some hundred KiB; in the 64 KiB that a pipe holds by itself it needs the shell's loop five times, which has to draw."""
REAP_EVERY = 0.05


@contextlib.contextmanager
def yielding() -> Iterator[None]:
    """What is started within is *batch* to the scheduler, and so is all that it starts (sched(7), SCHED_BATCH): it has its
    full share of the processors, but one who draws is not put off the processor in the middle of a turn because a
    panel has been told something. Where there is no such policy nothing is other than it was."""
    batch = getattr(os, "SCHED_BATCH", None)
    former = os.sched_getscheduler(0) if batch is not None else None
    changed = former == getattr(os, "SCHED_OTHER", None) and batch is not None and _policy(batch)
    try:
        yield
    finally:
        if changed and former is not None:
            _policy(former)


def _policy(policy: int) -> bool:
    try:
        os.sched_setscheduler(0, policy, os.sched_param(0))
    except OSError:
        return False
    return True


class Child:
    """A running program. `on_output(bytes)` and `on_errors(bytes)` for what it writes, `on_exit(returncode)` once, when
    it is gone and everything it wrote has been handed over. All on the loop that started it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str,
        on_output: Callable[[bytes], None],
        on_errors: Callable[[bytes], None],
        on_exit: Callable[[int], None],
        filter: bytes = b"",
    ) -> None:
        """`filter` is what the program reads from the descriptor that stands for `confinement.FILTER` in its command.
        Raises OSError when the program cannot be started."""
        self._loop = asyncio.get_running_loop()
        self._on_output, self._on_errors, self._on_exit = on_output, on_errors, on_exit
        self._unsent = bytearray()
        self._writing = False
        with handed(filter) as descriptor, yielding():
            self._popen = subprocess.Popen(
                [str(descriptor) if part == FILTER else part for part in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(env),
                cwd=cwd,
                bufsize=0,
                start_new_session=True,
                pass_fds=[descriptor] if descriptor >= 0 else [],
            )
        stdin, stdout, stderr = self._popen.stdin, self._popen.stdout, self._popen.stderr
        assert stdin is not None
        assert stdout is not None
        assert stderr is not None
        self.pid = self._popen.pid
        self.returncode: int | None = None
        self._in, self._out, self._err = stdin, stdout, stderr
        self._exited = self._loop.create_future()
        for pipe in (stdin, stdout, stderr):
            os.set_blocking(pipe.fileno(), False)
        _widen(stdin.fileno())
        self._loop.add_reader(stdout.fileno(), self._readable, stdout, on_output)
        self._loop.add_reader(stderr.fileno(), self._readable, stderr, on_errors)
        self._watch_exit()

    # --- writing --------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> bool:
        """Send, or keep until the child reads. False when the child is gone or does not read (it is then ended)."""
        if self._in.closed:
            return False
        if not self._unsent:
            data = data[self._send(data) :]
            if not data:
                return True
        self._unsent += data
        if len(self._unsent) > MAX_UNREAD:
            self.kill()
            return False
        if not self._writing and not self._in.closed:
            self._writing = True
            self._loop.add_writer(self._in.fileno(), self._writable)
        return True

    def _send(self, data: bytes | bytearray) -> int:
        try:
            return os.write(self._in.fileno(), data)
        except BlockingIOError:
            return 0
        except OSError:
            self.close_input()
            return 0

    def _writable(self) -> None:
        del self._unsent[: self._send(self._unsent)]
        if not self._unsent and self._writing:
            self._writing = False
            self._loop.remove_writer(self._in.fileno())

    def close_input(self) -> None:
        if self._in.closed:
            return
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._in.fileno())
        self._unsent.clear()
        with contextlib.suppress(OSError):
            self._in.close()

    # --- reading --------------------------------------------------------------------------------------------

    def _readable(self, pipe: object, tell: Callable[[bytes], None]) -> None:
        stream = self._out if pipe is self._out else self._err
        if stream.closed:
            return
        data = self._take(stream)
        if data is None:
            return
        if data:
            tell(data)
            return
        self._loop.remove_reader(stream.fileno())
        stream.close()
        if stream is self._out and self.returncode is None:
            # The protocol's only road is closed: nothing this process does can be seen any more.
            self._loop.call_later(1.0, self.kill)

    @staticmethod
    def _take(stream: object) -> bytes | None:
        try:
            return os.read(stream.fileno(), CHUNK)  # type: ignore[attr-defined]
        except BlockingIOError:
            return None
        except OSError:
            return b""

    # --- the end --------------------------------------------------------------------------------------------

    def kill(self) -> None:
        """End it and everything it started, at once. Idempotent."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                self._popen.kill()

    async def wait(self) -> int:
        """Its return code, once it is reaped and its pipes are closed."""
        return int(await asyncio.shield(self._exited))

    def _watch_exit(self) -> None:
        self._pidfd = -1
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):
                self._pidfd = os.pidfd_open(self.pid)
        if self._pidfd >= 0:
            self._loop.add_reader(self._pidfd, self._reap)
        else:
            self._loop.call_later(REAP_EVERY, self._reap)

    def _reap(self) -> None:
        if self.returncode is not None:
            return
        code = self._popen.poll()
        if code is None:
            if self._pidfd < 0:
                self._loop.call_later(REAP_EVERY, self._reap)
            return
        self.returncode = code
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
        self.close_input()
        for stream, tell in ((self._out, self._on_output), (self._err, self._on_errors)):
            if stream.closed:
                continue
            # What it wrote last is still in the pipe; bounded, for a grandchild may hold the other end and go on.
            for _ in range(16):
                data = self._take(stream)
                if not data:
                    break
                tell(data)
            self._loop.remove_reader(stream.fileno())
            stream.close()
        if not self._exited.done():
            self._exited.set_result(code)
        self._on_exit(code)


def _widen(descriptor: int) -> None:
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):  # more than this user may have: it stays as it is
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE)

"""One panel process: started shut in, initialized, fed and listened to, pinged, and ended for certain.

A process serves one context in its life (law 4): `adopt` binds it to one token and refuses another. Never knows what
is on screen, and never reads a message's content beyond its address.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from workspace.clock import Clock
from workspace.panels import confinement
from workspace.panels.budget import Bucket
from workspace.panels.manifest import Package
from workspace.panels.pipes import Child
from workspace.panels.protocol import (
    PROTOCOL_VERSION,
    ContextChanged,
    Initialize,
    InitializeResult,
    Log,
    Message,
    PanelError,
    ParseError,
    Ping,
    Shutdown,
    TooMany,
)
from workspace.panels.rpc import Peer
from workspace.panels.wire import Lines, LineTooLong
from workspace.problem import Problem

MESSAGES = (400.0, 2_000.0)
BYTES = (8.0 * (1 << 20), 24.0 * (1 << 20))
"""Rate a second and burst; a panel that needs more is broken."""
BAD_LINES = 3
LOG_BYTES = 64 << 10
INITIALIZE_TIMEOUT = 10.0
ANSWER_TIMEOUT = 2.0
SHUTDOWN_TIMEOUT = 0.5


class Owner(Protocol):
    """Whoever the process's messages are for."""

    def heard(self, params: Message, size: int) -> None: ...

    async def asked(self, params: Message) -> Any: ...

    def exited(self, process: PanelProcess) -> None: ...

    def silence(self, process: PanelProcess, silent: bool) -> None: ...


MessageTap = Callable[[str, str, int, str, str, bytes], None]
"""``(direction, package, pid, instance, context, raw)``."""


class StartFailed(Problem):
    """The panel could not be started, or did not introduce itself."""

    def __init__(self, package: Package, why: str, detail: str = "") -> None:
        super().__init__(
            "panel-start-failed",
            f"«{package.name}» fra {package.vendor} kunne ikke starte: {why}.",
            "Prøv «Start på nytt». Skjer det igjen, meld fra til leverandøren.",
            detail,
        )


class PanelProcess:
    """`context` is the one token it serves, empty while it is a spare. `reason` is why it ended, in Norwegian."""

    def __init__(self, package: Package, clock: Clock, tap: MessageTap | None = None) -> None:
        self.package = package
        self.context = ""
        self.owner: Owner | None = None
        self.reason = ""
        self.ending = False
        self.dropped = 0  # messages for another instance or an ended context
        self.silent = False
        self._clock = clock
        self._tap = tap
        self._child: Child | None = None
        self._lines = Lines()
        self._bad = 0
        self._log: deque[bytes] = deque()
        self._log_size = 0
        now = clock.monotonic()
        self._messages, self._bytes = Bucket(*MESSAGES, now), Bucket(*BYTES, now)
        self._alive = asyncio.Event()
        self.peer = Peer(self._write, self._heard, self._asked, self._tapped if tap else None)

    # --- starting -------------------------------------------------------------------------------------------

    async def start(self, launch: confinement.Launch, locale: str) -> None:
        """Start and introduce. Raises StartFailed; the process is then gone."""
        try:
            self._child = Child(
                launch.command,
                env=launch.env,
                cwd=launch.cwd,
                on_output=self._output,
                on_errors=self._errors,
                on_exit=self._exited,
                filter=launch.filter,
            )
        except OSError as error:
            raise StartFailed(self.package, "programmet finnes ikke eller kan ikke kjøres", str(error)) from error
        hello = Initialize(locale=locale, scopes=list(self.package.scopes))
        try:
            result: InitializeResult = await self.peer.request(hello, INITIALIZE_TIMEOUT)
            if result.protocol > PROTOCOL_VERSION:
                raise StartFailed(self.package, f"det snakker protokoll {result.protocol}")
        except (PanelError, TimeoutError) as error:
            why = self.reason or "det svarte ikke som avtalt ved oppstart"
            await self.kill(why)
            raise StartFailed(self.package, why, f"{error!r}; {self.log_tail[-500:]}") from error
        except (asyncio.CancelledError, StartFailed):
            await self.kill("avbrutt")
            raise

    def adopt(self, context: str, owner: Owner) -> None:
        """Give the process its one context. A second one is a programming error."""
        if self.context not in ("", context):
            raise RuntimeError("a panel process never gets a second context")
        self.context, self.owner = context, owner

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None and self.alive else None

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.returncode is None

    @property
    def log_tail(self) -> str:
        """What the panel wrote to stderr and as `log`, the last 64 KiB. The vendor's, never ours."""
        return b"".join(self._log).decode("utf-8", "replace")

    # --- the line -------------------------------------------------------------------------------------------

    def _write(self, line: bytes) -> None:
        if self._child is not None and not self._child.write(line) and not self.reason and not self.ending:
            self.reason = "det tar ikke imot meldinger"

    def _output(self, data: bytes) -> None:
        if self._over():
            return  # its last words after we decided: nobody is to act on them
        now = self._clock.monotonic()
        if not self._bytes.take(len(data), now):
            self.end_for("det sendte for mye på en gang")
            return
        try:
            for line in self._lines.feed(data):
                if self._over():
                    return
                if not self._messages.take(1, now):
                    self.end_for("det sendte for mange meldinger")
                    return
                self._line(line)
        except LineTooLong:
            self.end_for("det sendte en melding som er for stor")

    def _over(self) -> bool:
        return self.ending or bool(self.reason)

    def _line(self, line: bytes) -> None:
        try:
            self.peer.take(line)
        except ParseError:
            self.note(b"[host] not a message: " + line[:200] + b"\n")
            self._bad += 1
            if self._bad >= BAD_LINES:
                self.end_for("det sendte meldinger som ikke kan leses")
            return
        self._bad = 0
        self._speaks()

    def _speaks(self) -> None:
        self._alive.set()
        if self.silent:
            self.silent = False
            if self.owner is not None:
                self.owner.silence(self, False)

    def _heard(self, params: Message) -> None:
        if isinstance(params, Log):
            self.note(f"[{params.level}] {params.text}\n")
        elif self.owner is not None:
            self.owner.heard(params, self.peer.size)

    async def _asked(self, params: Message) -> Any:
        if self.owner is None:
            raise ContextChanged("no context is open")
        return await self.owner.asked(params)

    def _tapped(self, direction: str, instance: str, context: str, raw: bytes) -> None:
        if self._tap is not None and self._child is not None:
            self._tap(direction, self.package.id, self._child.pid, instance, context, raw)

    def _errors(self, data: bytes) -> None:
        self.note(data)

    def note(self, text: str | bytes) -> None:
        """Into the panel's own log, which is bounded."""
        data = text.encode() if isinstance(text, str) else text
        self._log.append(data[-LOG_BYTES:])
        self._log_size += len(self._log[-1])
        while self._log_size > LOG_BYTES and len(self._log) > 1:
            self._log_size -= len(self._log.popleft())

    # --- watching over it -----------------------------------------------------------------------------------

    async def check(self, timeout: float = ANSWER_TIMEOUT) -> bool:
        """Ping; whether it said anything within `timeout`. Tells the owner when it falls silent."""
        self._alive.clear()
        pong = self.peer.start(Ping())
        pong.add_done_callback(lambda f: f.cancelled() or f.exception())
        try:
            async with asyncio.timeout(timeout):
                await self._alive.wait()
        except TimeoutError:
            if self.alive and not self.silent and not self.ending:
                self.silent = True
                if self.owner is not None:
                    self.owner.silence(self, True)
            return False
        return True

    # --- the end --------------------------------------------------------------------------------------------

    def end_for(self, reason: str) -> None:
        """It broke the rules: end it at once; `reason` is told to the user."""
        self.reason = self.reason or reason
        if self._child is not None:
            self._child.kill()

    async def kill(self, reason: str = "") -> None:
        """End it now, and reap it. Idempotent."""
        self.end_for(reason)
        if self._child is not None:
            await self._child.wait()
        await self.peer.close(PanelError("the panel has ended"))

    async def end(self) -> None:
        """Ask it to go, and see to it that it goes: what it still sends is dropped. Idempotent."""
        self.ending = True
        if self._child is None:
            return
        if self._child.returncode is None:
            asked = self.peer.start(Shutdown())
            asked.add_done_callback(lambda f: f.cancelled() or f.exception())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SHUTDOWN_TIMEOUT):
                    await self._child.wait()
        await self.kill()

    def _exited(self, code: int) -> None:
        if not self.reason and not self.ending:
            self.reason = _reason(code, self.log_tail)
        self._alive.set()
        self.peer.fail(ContextChanged("the context has ended") if self.ending else TooMany("the panel has ended"))
        if self.owner is not None:
            self.owner.exited(self)


def _reason(code: int, log: str) -> str:
    """A return code in words. bubblewrap passes signals on as 128 + n."""
    number = -code if code < 0 else code - 128 if code > 128 else 0
    if "MemoryError" in log[-2000:] or number == signal.SIGKILL:
        return "det brukte for mye minne, eller ble stanset av maskinen"
    if number == signal.SIGXCPU:
        return "det brukte for mye regnekraft"
    if number:
        return f"det krasjet (signal {number})"
    return "det avsluttet seg selv" if code == 0 else f"det krasjet (kode {code})"


Starter = Callable[[Package], Awaitable[PanelProcess]]

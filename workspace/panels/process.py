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
from workspace.panels.faults import Fault
from workspace.panels.manifest import Package
from workspace.panels.pipes import Child
from workspace.panels.protocol import (
    ANSWER_TIMEOUT,
    BAD_LINES,
    BYTES,
    INITIALIZE_TIMEOUT,
    MESSAGES,
    OLDEST_PROTOCOL,
    PROTOCOL_VERSION,
    SHUTDOWN_TIMEOUT,
    ContextChanged,
    Initialize,
    InitializeResult,
    Log,
    Message,
    PanelError,
    ParseError,
    Ping,
    Render,
    Shutdown,
    TooMany,
    UnsupportedProtocol,
)
from workspace.panels.rpc import Peer
from workspace.panels.watching import Counts
from workspace.panels.wire import Lines, LineTooLong, failure
from workspace.problem import Problem

LOG_BYTES = 64 << 10
PING_AFTER = 0.25
"""Seconds that an answer may be owed without a word before the panel is asked whether it is there."""
PING_AGAIN = 1.0


class Owner(Protocol):
    """Whoever the process's messages are for."""

    def heard(self, params: Message, size: int) -> None: ...

    async def asked(self, params: Message) -> Any: ...

    def exited(self, process: PanelProcess) -> None: ...

    def silence(self, process: PanelProcess, silent: bool) -> None: ...


MessageTap = Callable[[str, str, int, str, str, bytes], None]
"""``(direction, package, pid, instance, context, raw)``."""


class StartFailed(Problem):
    """The panel could not be started, or did not introduce itself. `why` is the reason alone, `fault` how it failed,
    `log_tail` what it wrote before."""

    def __init__(
        self, package: Package, why: str, detail: str = "", fault: Fault = "crash", log_tail: str = ""
    ) -> None:
        self.why, self.fault, self.log_tail = why, fault, log_tail
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
        self.fault: Fault = ""
        self.counts = Counts()
        self._clock = clock
        self._tap = tap
        self._child: Child | None = None
        self._lines = Lines()
        self._bad = 0
        self._log: deque[bytes] = deque()
        self._log_size = 0
        now = clock.monotonic()
        self._messages, self._bytes = Bucket(*MESSAGES, now), Bucket(*BYTES, now)
        self.protocol = PROTOCOL_VERSION  # as agreed
        self._heard_at = now  # the last sign of life, or since when one is due
        self._doubt: asyncio.TimerHandle | None = None
        self._ping_after = PING_AFTER
        self.peer = Peer(
            self._write,
            self._heard,
            self._asked,
            self._tapped if tap else None,
            asking=self._expecting,
            faulty=self._faulty,
        )

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
        hello = Initialize(
            protocol=PROTOCOL_VERSION, oldest=OLDEST_PROTOCOL, locale=locale, scopes=list(self.package.scopes)
        )
        try:
            result: InitializeResult = await self.peer.request(hello, INITIALIZE_TIMEOUT)
            if not OLDEST_PROTOCOL <= result.protocol <= PROTOCOL_VERSION:
                raise UnsupportedProtocol(f"the panel answered with protocol {result.protocol}")
            self.protocol = result.protocol
        except (PanelError, TimeoutError) as error:
            slow = isinstance(error, TimeoutError)
            why = self.reason or ("det brukte for lang tid" if slow else "det svarte ikke som avtalt ved oppstart")
            if isinstance(error, UnsupportedProtocol):
                spoken = f"{OLDEST_PROTOCOL}–{PROTOCOL_VERSION}" if PROTOCOL_VERSION > OLDEST_PROTOCOL else "1"
                why = f"det snakker en annen protokoll enn denne arbeidsflaten ({spoken}): {error.message}"
            self.end_for(why, "slow-start" if slow else "crash")
            await self.kill()
            raise StartFailed(
                self.package, why, f"{error!r}; {self.log_tail[-500:]}", self.fault, self.log_tail
            ) from error
        except asyncio.CancelledError:
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
            self.reason, self.fault = "det tar ikke imot meldinger", "hang"

    def _output(self, data: bytes) -> None:
        if self._over():
            return  # its last words after we decided: nobody is to act on them
        now = self._clock.monotonic()
        self.counts.bytes += len(data)
        if not self._bytes.take(len(data), now):
            self.end_for("det sendte for mye på en gang", "flood")
            return
        lines = data.count(b"\n")  # counted before they are cut: empty ones cost time too
        self.counts.messages += lines
        if not self._messages.take(lines, now):
            self.end_for("det sendte for mange meldinger", "flood")
            return
        try:
            for line in self._lines.feed(data):
                if self._over():
                    return
                self._line(line)
        except LineTooLong:
            self.end_for("det sendte en melding som er for stor", "flood")

    def _over(self) -> bool:
        return self.ending or bool(self.reason)

    def _line(self, line: bytes) -> None:
        try:
            self.peer.take(line)
        except ParseError as error:
            self.note(b"[host] not a message: " + line[:200] + b"\n")
            self._write(failure(None, error))
            self._bad += 1
            if self._bad >= BAD_LINES:
                self.end_for("det sendte meldinger som ikke kan leses", "unreadable")
            return
        self._bad = 0
        self._speaks()

    def _speaks(self) -> None:
        """A sign of life."""
        self._heard_at = self._clock.monotonic()
        if self.peer.owed:
            self._expecting()
        if self.silent:
            self.silent = False
            if self.owner is not None:
                self.owner.silence(self, False)

    def _heard(self, params: Message) -> None:
        self.counts.renders += isinstance(params, Render)
        if isinstance(params, Log):
            self.note(f"[{params.level}] {params.text}\n")
        elif self.owner is not None:
            self.owner.heard(params, self.peer.size)

    async def _asked(self, params: Message) -> Any:
        if self.owner is None:
            raise ContextChanged("no context is open")
        return await self.owner.asked(params)

    def _faulty(self, words: str) -> None:
        self.note(f"[host] dropped: {words}\n")

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

    def check(self) -> None:
        """Ask whether it is there; the owner is told when it is not."""
        self.peer.start(Ping()).add_done_callback(lambda f: f.cancelled() or f.exception())

    def _expecting(self) -> None:
        """An answer is owed: a sign of life is due. The clock starts when nothing was owed before."""
        if self._doubt is None and self.owner is not None and not self._over():
            self._heard_at = self._clock.monotonic()
            self._ping_after = PING_AFTER
            self._doubt = asyncio.get_running_loop().call_later(PING_AFTER, self._doubted)

    def _doubted(self) -> None:
        self._doubt = None
        if not self.alive or self._over() or not self.peer.owed:
            return
        quiet = self._clock.monotonic() - self._heard_at
        if quiet >= ANSWER_TIMEOUT:
            self._fall_silent()
            return
        ask = quiet >= self._ping_after - 0.01
        if ask:
            self._ping_after = PING_AGAIN
        again = max(0.02, min(self._ping_after, ANSWER_TIMEOUT - quiet))
        self._doubt = asyncio.get_running_loop().call_later(again, self._doubted)
        if ask:
            self.check()

    def _fall_silent(self) -> None:
        if not self.silent:
            self.silent = True
            if self.owner is not None:
                self.owner.silence(self, True)

    # --- the end --------------------------------------------------------------------------------------------

    def end_for(self, reason: str, fault: Fault = "crash") -> None:
        """It broke the rules: end it at once; `reason` is told to the user."""
        if not self.reason:
            self.reason, self.fault = reason, fault
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
            self.reason, self.fault = _reason(code, self.log_tail)
        if self._doubt is not None:
            self._doubt.cancel()
            self._doubt = None
        self.peer.fail(ContextChanged("the context has ended") if self.ending else TooMany("the panel has ended"))
        if self.owner is not None:
            self.owner.exited(self)


def _reason(code: int, log: str) -> tuple[str, Fault]:
    """A return code in words. bubblewrap passes signals on as 128 + n."""
    number = -code if code < 0 else code - 128 if code > 128 else 0
    short_of_memory = any(word in log[-2000:] for word in ("MemoryError", "Cannot allocate memory"))
    if short_of_memory or number == signal.SIGKILL:
        return "det brukte for mye minne, eller ble stanset av maskinen", "leak"
    if number == signal.SIGXCPU:
        return "det brukte for mye regnekraft", "cpu"
    if number:
        return f"det krasjet (signal {number})", "crash"
    return "det avsluttet seg selv" if code == 0 else f"det krasjet (kode {code})", "crash"


Starter = Callable[[Package], Awaitable[PanelProcess]]

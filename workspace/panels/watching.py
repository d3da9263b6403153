"""The watch over all panel processes: what each tree of processes uses, and an end to those that use too much.

Limits inside a process bind that process alone; this counts what a panel and everything it started use together, in every
tier and for every language. Reads `/proc`; where there is none only the counts of messages are known, and the job object
of the Windows tier bounds the rest. Never looks into a process's memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from workspace.clock import Clock
from workspace.panels.budget import Bucket
from workspace.panels.confinement import Limits
from workspace.panels.faults import Fault
from workspace.panels.manifest import Package

EVERY, CALM = 0.5, 2.0
"""Seconds between two looks at the same process; the looks are spread, so that none holds up the loop. Python panels,
whose whole address space is bounded from within, are looked at more seldom: a look costs half a millisecond."""
BURN_RATE, BURN_SECONDS = 0.25, 30.0
"""Processor seconds a second that a panel may use for ever, and how many it may use at once."""
RATE_OVER = 10.0
MANY = 200
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PROC = os.path.isdir("/proc/self/task")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a tree of processes uses now: `memory` bytes of its own (no shared libraries), `cpu` seconds of those alive,
    `tasks` processes and threads together."""

    pids: tuple[int, ...] = ()
    memory: int = 0
    cpu: float = 0.0
    tasks: int = 0


@dataclass(slots=True)
class Counts:
    """What a process sent and drew since it started."""

    messages: int = 0
    bytes: int = 0
    renders: int = 0

    def add(self, other: Counts) -> None:
        self.messages += other.messages
        self.bytes += other.bytes
        self.renders += other.renders


class Running(Protocol):
    """As much of a `PanelProcess` as the watch needs."""

    package: Package
    counts: Counts

    @property
    def pid(self) -> int | None: ...

    def end_for(self, reason: str, fault: Fault = "crash") -> None: ...


@dataclass(slots=True)
class _Seen:
    process: Running
    burn: Bucket
    sample: Sample = Sample()
    used: float = 0.0  # processor seconds, also of children that have ended
    due: float = 0.0


@dataclass(frozen=True, slots=True)
class PackageUsage:
    """One package on this machine, for the administrator. `memory` is its proportional share (PSS) in bytes where the system
    tells, `cpu` seconds; messages, bytes and renders since sign-on, and the first two a second over the last ten."""

    package: str
    name: str
    vendor: str
    version: str
    pids: tuple[int, ...] = ()
    memory: int = 0
    cpu: float = 0.0
    messages: int = 0
    bytes: int = 0
    renders: int = 0
    messages_per_second: float = 0.0
    bytes_per_second: float = 0.0
    crashes: int = 0
    disabled: bool = False
    tier: str = ""


@dataclass(slots=True)
class _History:
    """A package's sums of processes that have ended, and its recent totals: (monotonic, messages, bytes)."""

    ended: Counts = field(default_factory=Counts)
    cpu: float = 0.0
    recent: deque[tuple[float, int, int]] = field(default_factory=lambda: deque(maxlen=int(2 * RATE_OVER / EVERY)))


class Watcher:
    """`add` each process once it runs. `close` before the loop ends."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock, self._limits = clock, limits
        self._seen: list[_Seen] = []
        self._history: dict[str, _History] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, process: Running) -> None:
        now = self._clock.monotonic()
        self._seen.append(_Seen(process, Bucket(BURN_RATE, BURN_SECONDS, now)))
        self._history.setdefault(process.package.id, _History())
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self) -> None:
        while self._seen:
            now = self._clock.monotonic()
            due = [seen for seen in self._seen if seen.due <= now or seen.process.pid is None]
            for seen in due:
                seen.due = now + (CALM if seen.process.package.start[0] == "python" else EVERY)
                self._look(seen)
                await asyncio.sleep(EVERY / len(due))
            if not due:
                await asyncio.sleep(EVERY)

    def _look(self, seen: _Seen) -> None:
        process, pid = seen.process, seen.process.pid
        if pid is None:
            self._gone(seen)
            return
        sample = measure(pid)
        burnt, seen.sample = max(0.0, sample.cpu - seen.sample.cpu), sample
        seen.used += burnt
        now = self._clock.monotonic()
        if sample.memory > self._limits.memory:
            process.end_for("det brukte for mye minne", "leak")
        elif sample.tasks > self._limits.tasks:
            process.end_for("det startet for mange prosesser", "processes")
        elif not seen.burn.take(burnt, now):
            process.end_for("det brukte for mye regnekraft", "cpu")
        self._note(process.package.id, now)

    def _gone(self, seen: _Seen) -> None:
        if seen in self._seen:
            self._seen.remove(seen)
            history = self._history[seen.process.package.id]
            history.ended.add(seen.process.counts)
            history.cpu += seen.used

    def _note(self, package: str, now: float) -> None:
        recent, total = self._history[package].recent, self._total(package)
        if not recent or now - recent[-1][0] >= EVERY / 2:
            recent.append((now, total.messages, total.bytes))

    def _of(self, package: str) -> list[_Seen]:
        return [seen for seen in self._seen if seen.process.package.id == package]

    def _total(self, package: str) -> Counts:
        total = Counts()
        total.add(self._history[package].ended)
        for seen in self._of(package):
            total.add(seen.process.counts)
        return total

    # --- for the administrator ---

    def usage(self, packages: Iterable[Package], tier: str) -> list[PackageUsage]:
        """Of each package: now and since sign-on. Reads some files for each process, so not on every frame."""
        return [self._usage(package, tier) for package in packages]

    def _usage(self, package: Package, tier: str) -> PackageUsage:
        who: dict[str, Any] = {"package": package.id, "name": package.name, "vendor": package.vendor}
        who |= {"version": package.version, "tier": tier}
        history = self._history.get(package.id)
        if history is None:
            return PackageUsage(**who)
        running = [seen for seen in self._of(package.id) if seen.process.pid is not None]
        pids = tuple(pid for seen in running for pid in family(seen.process.pid or 0))
        total, recent = self._total(package.id), history.recent
        now = self._clock.monotonic()
        first = next((one for one in recent if now - one[0] <= RATE_OVER), (now, total.messages, total.bytes))
        passed = max(now - first[0], EVERY)
        return PackageUsage(
            **who,
            pids=pids,
            memory=sum(share(pid) for pid in pids),
            cpu=round(history.cpu + sum(seen.used for seen in running), 2),
            messages=total.messages,
            bytes=total.bytes,
            renders=total.renders,
            messages_per_second=round((total.messages - first[1]) / passed, 1),
            bytes_per_second=round((total.bytes - first[2]) / passed, 1),
        )


def measure(pid: int) -> Sample:
    """The tree under `pid`, itself included; empty when it is gone."""
    pids = family(pid)
    memory, cpu, tasks = 0, 0.0, 0
    for one in pids:
        with contextlib.suppress(OSError, ValueError):
            own, used, threads = _read(one)
            memory, cpu, tasks = memory + own, cpu + used, tasks + threads
    return Sample(tuple(pids), memory, cpu, tasks)


def family(pid: int) -> list[int]:
    """`pid` and all that descends from it. Inside a sandbox no child can leave: orphans go to the sandbox's own first."""
    if not _PROC:
        return [pid]
    found: list[int] = []
    waiting = [pid]
    while waiting and len(found) < MANY:
        one = waiting.pop()
        found.append(one)
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{one}/task"):
                with contextlib.suppress(OSError), open(f"/proc/{one}/task/{thread}/children", "rb") as file:
                    waiting += [int(child) for child in file.read().split()]
    return found


def _read(pid: int) -> tuple[int, float, int]:
    fields = {}
    with open(f"/proc/{pid}/status", "rb") as file:
        for line in file:
            if line.startswith((b"RssAnon", b"RssShmem", b"Threads")):
                name, _, value = line.partition(b":")
                fields[name] = int(value.split()[0])
    with open(f"/proc/{pid}/stat", "rb") as file:
        parts = file.read().rpartition(b")")[2].split()
    memory = (fields.get(b"RssAnon", 0) + fields.get(b"RssShmem", 0)) << 10
    return memory, (int(parts[11]) + int(parts[12])) / _TICKS, fields.get(b"Threads", 1)


def share(pid: int) -> int:
    """Its proportional share of memory (PSS) in bytes; 0 where the system does not tell."""
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        for line in file:
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) << 10
    return 0

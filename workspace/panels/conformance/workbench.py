"""A panel under development: opened in a confined process of its own, and anew, with the same draft, when a file changes.

Free of Qt; the window is `shell.inspector`. Where data come from (the sandbox, or generated) is handed in.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workspace.broker.context import Context
from workspace.broker.door import Door
from workspace.clock import Clock, SystemClock
from workspace.panels import manifest
from workspace.panels.confinement import Policy
from workspace.panels.conformance import files
from workspace.panels.conformance.faults import Fault, faults
from workspace.panels.conformance.inspector import Tape
from workspace.panels.face import PanelListener
from workspace.panels.ground import Ground
from workspace.panels.host import PanelHost
from workspace.panels.instance import Instance
from workspace.panels.manifest import Package, View
from workspace.problem import Problem

POLL = 0.1
"""Seconds between looks at the folder."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where data come from, and who asks. `context` gives a fresh context of a kind; `close` ends what was made for it."""

    door: Door
    clock: Clock
    user: Mapping[str, str]
    tenant: str
    name: str
    context: Callable[[str], Awaitable[tuple[Context, str]]]  # and whose it is, in words
    close: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reload:
    """`file` is the one that changed last; `seconds` from its change until the panel was drawn anew."""

    file: str
    seconds: float


@dataclass(slots=True)
class Workbench:
    """One folder, one view. `seated` makes a listener for a new instance and is told when it may be shown."""

    folder: Path
    source: Source
    wanted: str = ""  # the view's id; the first when empty
    tape: Tape = field(default_factory=Tape)
    instance: Instance | None = None
    whose: str = ""
    problem: str = ""
    reloads: list[Reload] = field(default_factory=list)
    _ground: Ground | None = None
    _host: PanelHost | None = None
    _stamps: dict[str, tuple[int, int]] = field(default_factory=dict)
    _leaving: list[asyncio.Future[None]] = field(default_factory=list)
    _faults: list[Fault] = field(default_factory=list)

    async def open(self, listener: Callable[[Package, View, Context], PanelListener]) -> Instance:
        """Read the folder and open the panel, in place of the one that stands. Raises Problem; the former then stands."""
        self._stamps = await asyncio.to_thread(stamps, self.folder)
        package = await asyncio.to_thread(manifest.load, self.folder)
        view = package.view(self.wanted) if self.wanted else package.views[0]
        if view is None:
            known = ", ".join(one.id for one in package.views)
            raise Problem("no-such-view", f"Panelet har ingen visning «{self.wanted}».", f"Det har {known}.")
        context, self.whose = await self.source.context(view.context)
        former, self._host = self._host, self._new_host(package)
        if former is not None:
            self._keep_log()
            if self.instance is not None:
                self.instance.finish()  # what was typed is handed over as a draft, which the new instance begins with
            self._leaving.append(asyncio.ensure_future(former.close()))
        self.instance = self._host.open("dev", package.id, view.id, context, listener(package, view, context))
        return self.instance

    def _new_host(self, package: Package) -> PanelHost:
        if self._ground is None:
            self._ground = Ground({}, clock=self.source.clock, policy=Policy())
            self._ground.on_message(self.tape.tap)
        return PanelHost(
            self.source.door, {package.id: package}, clock=self.source.clock, policy=Policy(), user=self.source.user,
            tenant=self.source.tenant, ground=self._ground,
        )  # fmt: skip

    async def changed(self) -> tuple[str, float]:
        """Wait for a change in the folder: the file that changed last, and when (seconds since 1970)."""
        while True:
            await asyncio.sleep(POLL)
            now = await asyncio.to_thread(stamps, self.folder)
            if now != self._stamps:
                fresh = {name: stamp for name, stamp in now.items() if self._stamps.get(name) != stamp}
                self._stamps = now
                if not fresh:
                    return "(a file is gone)", _now()
                name = max(fresh, key=lambda one: fresh[one])
                return name, fresh[name][0] / 1e9

    def drawn(self, file: str, changed_at: float) -> None:
        """The panel stands drawn anew after a change of `file`."""
        self.reloads.append(Reload(file, max(0.0, _now() - changed_at)))

    def faults(self) -> list[Fault]:
        """What went wrong in the panel so far, the newest last."""
        return self._faults + faults(self._tail())

    def standing(self) -> list[Fault]:
        """Those of the panel that stands now."""
        return faults(self._tail())

    def _tail(self) -> str:
        return self.instance.log_tail if self.instance is not None else ""

    def _keep_log(self) -> None:
        self._faults += faults(self._tail())

    def report(self) -> dict[str, Any]:
        """What happened, for scripts."""
        instance = self.instance
        return {
            "panel": instance.package.id if instance is not None else "",
            "view": instance.view.id if instance is not None else "",
            "state": instance.state if instance is not None else "dead",
            "problem": self.problem or (instance.problem if instance is not None else ""),
            "confinement": instance.info.confinement if instance is not None else "",
            "data": self.source.name,
            "first_render_ms": None if instance is None else instance.first_render_ms,
            "values": dict(instance.values) if instance is not None else {},
            "messages": self.tape.totals(),
            "reloads": [{"file": one.file, "ms": round(one.seconds * 1000, 1)} for one in self.reloads],
            "errors": [{"text": one.text, "file": one.file, "line": one.line} for one in self.faults()],
        }

    async def close(self) -> None:
        if self._host is not None:
            self._keep_log()
            await self._host.close()
        await asyncio.gather(*self._leaving)
        if self._ground is not None:
            await self._ground.close()
        await self.source.close()


def _now() -> float:
    """Real time, as the files' own times are given."""
    return SystemClock().real().timestamp()


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Time (ns) and size of every file that belongs to the package."""
    found: dict[str, tuple[int, int]] = {}
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in files.LEFT_OUT and not name.startswith(".")]
        for name in names:
            path = os.path.join(here, name)
            if name.startswith(".") or name.endswith(("~", ".swp", ".pyc")):
                continue
            try:
                held = os.stat(path)
            except OSError:
                continue  # gone between the two looks
            found[os.path.relpath(path, folder)] = (held.st_mtime_ns, held.st_size)
    return found

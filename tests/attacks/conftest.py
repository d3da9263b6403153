"""One ward for all attacks: a real gateway and store over HTTP, the real broker and host, the real kit on Qt's own loop, a
well-behaved neighbour of another vendor, and somebody who types in its field while the attack goes on.

Every test names the tier it is refused in (`refused`), and fails, never skips, where this machine has a lower one."""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import logging
import shutil
import time
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLineEdit, QMainWindow, QWidget

from tests.broker.conftest import _working
from tests.gateway.conftest import Server
from workspace.broker.context import for_patient, for_unit
from workspace.clock import OSLO
from workspace.panels.components import Action
from workspace.panels.confinement import Limits, Policy, probe
from workspace.panels.host import PanelHost
from workspace.panels.manifest import discover
from workspace.shell import theme as themes
from workspace.shell.frame import PanelFrame
from workspace.shell.loop import Tasks
from workspace.shell.seat import Seat
from workspace.shell.turns import Turns

PROGRAMS = Path(__file__).parent / "panels"
BLOCK, BLOCK_ON_THE_WALL = 0.8, 4.0
"""Seconds: no attack may keep the event loop from a key press longer, in its own processor time, and on the wall of a busy
machine."""
NOW = datetime(2026, 1, 14, 15, 4, tzinfo=OSLO)
TOP = "bubblewrap"
WIDE = ["patient/Observation.crus", "patient/Patient.rs", "patient/Encounter.rs", "patient/Composition.crus"]
NARROW = ["patient/Observation.rs?category=vital-signs"]
SCOPES = {"beyond_its_scope": NARROW, "through_include": ["patient/Observation.rs", "patient/Patient.rs"]}
MANIFEST = """
[panel]
id = "{vendor}.{id}"
name = "Panel {id}"
vendor = "{Vendor}"
version = "1.0.0"
protocol = 1
languages = ["nb"]
start = ["python", "panel.py"]

[[views]]
id = "main"
title = "Utsikt {id}"

[[views]]
id = "ward"
title = "Liste {id}"
context = "unit"

[access]
scopes = {scopes}

[intents]
raises = ["open Patient"]
"""


def refused(tier: str):
    """The tier in which the attack is refused: "bubblewrap", or "every" where the broker or host refuses it alone."""
    return pytest.mark.tier(tier)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    given = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    given["ward"].play(pyfuncitem.obj(**given))
    return True


@pytest.fixture(scope="session")
def tier():
    """The machine's; below the top one every attack fails at once, none is passed over."""
    found = probe()
    assert found.name == TOP, f"this machine cannot confine: {found.why}. Install bubblewrap (0.8 or later)."
    return found


@pytest.fixture(autouse=True)
def _in_the_tier_it_names(request, tier):
    named = request.node.get_closest_marker("tier")
    assert named is not None, "an attack states the tier it is refused in: @refused(…)"
    [wanted] = named.args
    assert wanted in ("every", TOP)
    assert tier.name == TOP


def install(folder: Path) -> None:
    for file in sorted(PROGRAMS.glob("*.py")):
        if file.stem == "bare":
            continue
        name = file.stem.replace("_", "-")
        package = folder / name
        package.mkdir(parents=True)
        vendor = "nabo" if name == "neighbour" else "fiende"
        words = {"id": name, "vendor": vendor, "Vendor": f"{vendor.capitalize()} AS"}
        scopes = json.dumps(SCOPES.get(file.stem, WIDE))
        (package / "panel.toml").write_text(MANIFEST.format(**words, scopes=scopes), encoding="utf-8")
        shutil.copy2(file, package / "panel.py")
        shutil.copy2(PROGRAMS / "bare.py", package / "bare.py")
    (folder / "neighbour" / "hemmelig.txt").write_text("naboens hemmelighet")


class Attack:
    """A hostile panel in its seat."""

    def __init__(self, ward: Ward, name: str, context, view: str, instance: str) -> None:
        self.ward, self.package = ward, "fiende." + name.replace("_", "-")
        self.context = context
        self.frame = PanelFrame(ward.theme, f"Utsikt {name}", "Fiende AS")
        ward.box.addWidget(self.frame, 1)
        self.raised: list[tuple[str, dict]] = []
        self.seat = Seat(
            self.frame, ward.theme, lambda: NOW, ward.tasks.spawn, lambda *told: self.raised.append(told), ward.turns
        )  # fmt: skip
        self.panel = ward.host.open(instance, self.package, view, context, self.seat)
        self.seat.attach(self.panel)
        self.seat.sit()
        self.frame.show()

    async def shown(self):
        await until(lambda: self.seat.drawn and self.panel.state == "running", self.panel)
        return self

    async def act(self, **args):
        return await self.panel.act(Action("attack", args))

    async def found(self, **args):
        """What the panel says it got hold of."""
        outcome = await self.act(**args)
        assert outcome.ok, outcome.problem

        def said():
            return [line for line in self.panel.log_tail.splitlines() if line.startswith("FUNN ")]

        await until(said, self.panel)
        return json.loads(said()[-1].removeprefix("FUNN "))

    async def ended(self, *, pid, timeout=10.0):
        """The process is gone; returns the reason, told with the panel's name."""
        await until(lambda: self.panel.pid != pid, self.panel, timeout)
        await until(lambda: self.told(), self.panel)
        return self.told()[-1][1]

    def told(self):
        """What the administrator's log heard of this panel."""
        return [(name, reason) for name, _version, reason, _off in self.ward.troubles if name == self.package]

    def logged(self, word: str) -> bool:
        return any(self.package in line and word in line for line in self.ward.lines)

    async def close(self):
        self.seat.leave()
        await self.panel.close()
        self.ward.host.enable(self.package)
        self.ward.box.removeWidget(self.frame)
        body = self.frame.set_body(None)
        if body is not None:
            body.deleteLater()
        self.frame.deleteLater()


class Listener(logging.Handler):
    def __init__(self, lines):
        super().__init__(logging.WARNING)
        self.lines = lines

    def emit(self, record):
        self.lines.append(record.getMessage())


class Ward:
    """The loop, the platform, the host, the neighbour. `play` runs one attack under watch."""

    def __init__(self, app: QApplication, folder: Path, tier) -> None:
        from workspace.shell.qtloop import Loop

        app.setQuitOnLastWindowClosed(False)
        self.theme = themes.apply(app, themes.load("light"))
        self.loop = Loop(app, set_running_loop=False)
        self.loop.set_exception_handler(self._escaped)
        self.faults: list[BaseException | str] = []
        self.troubles: list[tuple[str, str, str, bool]] = []
        self.lines: list[str] = []
        self.passed: list[tuple[str, str, str, bytes]] = []
        self.open: list[Attack] = []
        self.pressed = self.longest = self.busiest = 0.0
        self.count = 0
        self.folder = folder
        install(folder / "packages")
        packages, problems = discover(folder / "packages")
        assert not problems, problems
        self.server = Server(folder).start()
        for _ in range(32):  # its threads are started now, not in the middle of a test that counts them
            self.server.store._reading.submit(time.sleep, 0.02)
        self.window = QMainWindow()
        inside = QWidget()
        self.box = QHBoxLayout(inside)
        self.window.setCentralWidget(inside)
        self.window.resize(1200, 700)
        self._stack = AsyncExitStack()
        logging.getLogger("workspace").addHandler(listener := Listener(self.lines))
        self._listener = listener
        self._run(self._begin(packages, tier))

    def _run(self, work):
        asyncio._set_running_loop(None)
        asyncio.set_event_loop(self.loop)
        task = self.loop.create_task(work)
        task.add_done_callback(lambda _: self.loop.stop())
        try:
            self.loop.run_forever()
            return task.result()
        finally:
            # Between the tests pytest-qt lets Qt work, and with it this loop's timers.
            asyncio._set_running_loop(self.loop)

    async def _begin(self, packages, tier):
        self.tasks = Tasks(self.faults.append)
        self.broker = await self._stack.enter_async_context(_working(self.server))
        user = {"reference": "Practitioner/tone", "display": "Tone Nilsen", "role": "sykepleier"}
        self.host = PanelHost(
            self.broker, packages, clock=self.server.clock, policy=Policy(), user=user, tenant="311000101",
            tier=tier, limits=Limits(memory=192 << 20),
        )  # fmt: skip
        self.host.on_trouble(lambda *told: self.troubles.append(told))
        self.host.on_message(
            lambda direction, package, pid, i, c, raw: self.passed.append((direction, package, c, raw))
        )
        self.context = for_patient("Patient/BEB-18")
        self.frame = PanelFrame(self.theme, "Notat", "Nabo AS")
        self.box.addWidget(self.frame, 1)
        self.window.show()
        self.window.activateWindow()
        self.turns = Turns(self.window)
        self.seat = Seat(self.frame, self.theme, lambda: NOW, self.tasks.spawn, lambda *_: None, self.turns)
        self.neighbour = self.host.open("nabo", "nabo.neighbour", "main", self.context, self.seat)
        self.seat.attach(self.neighbour)
        self.seat.sit()
        await until(lambda: self.seat.drawn and self.seat.body.widget("#notat"), self.neighbour)
        self.field = self.seat.body.widget("#notat").findChild(QLineEdit)

    def close(self):
        logging.getLogger("workspace").removeHandler(self._listener)
        self._run(self._end())
        asyncio._set_running_loop(None)
        asyncio.set_event_loop(None)
        self.window.deleteLater()
        self.server.stop()
        self.loop.close()

    async def _end(self):
        self.seat.leave()
        await self.host.close()
        await self._stack.aclose()
        await self.tasks.close()

    def _escaped(self, loop, context):
        self.faults.append(context.get("exception") or context.get("message", "?"))

    # --- one attack ---

    def play(self, work):
        """Run the attack; then: nothing escaped, no key press waited, the neighbour is as it was."""
        for kept in (self.faults, self.troubles, self.lines, self.passed):
            kept.clear()
        self.longest, self.busiest, self.pressed = 0.0, 0.0, 0
        pid = self.neighbour.pid
        self._run(self._watched(work))
        assert self.faults == []
        assert self.busiest < BLOCK, f"the event loop was kept busy for {self.busiest:.2f} s"
        assert self.longest < BLOCK_ON_THE_WALL, f"the event loop stood still for {self.longest:.2f} s"
        assert self.pressed >= 1
        assert self.neighbour.state == "running"
        assert self.neighbour.pid == pid, "another vendor's panel died"
        gc.collect()

    async def _watched(self, work):
        beats = asyncio.ensure_future(self._heart())
        typist = asyncio.ensure_future(self._typist())
        try:
            await asyncio.wait_for(work, 40)
        finally:
            for attack in [*self.open]:
                self.open.remove(attack)
                await asyncio.wait_for(attack.close(), 15)
            typist.cancel()
            beats.cancel()
            await asyncio.gather(beats, return_exceptions=True)
            await self.press()
            [ended] = await asyncio.gather(typist, return_exceptions=True)
            await self.still()
            if not isinstance(ended, asyncio.CancelledError):
                raise ended

    async def still(self):
        """Nothing more is due of itself: no draft, no words that fade."""
        self.neighbour.fields.save()
        await asyncio.sleep(0.01)
        for timer in self.window.findChildren(QTimer):
            timer.stop()

    async def _heart(self):
        while True:
            before, used = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.005)
            self.longest = max(self.longest, time.perf_counter() - before - 0.005)
            self.busiest = max(self.busiest, time.thread_time() - used)

    async def _typist(self):
        while True:
            await self.press()
            await asyncio.sleep(0.15)

    async def press(self):
        """A key in the neighbour's field: it must land there, at once."""
        self.pressed += 1
        word = f"{self.pressed % 10}"
        self.field.setFocus()
        self.field.selectAll()
        # Sent, not waited for: a nested Qt loop inside a coroutine wedges it (see shell/loop.py).
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            event = QKeyEvent(kind, ord(word), Qt.KeyboardModifier.NoModifier, word)
            QApplication.sendEvent(self.field, event)
        assert self.neighbour.values["notat"] == word, "a key press did not land"

    def attack(self, name, *, context=None, view="main", instance=""):
        self.count += 1
        instance = instance or f"fiende-{self.count}"  # the broker counts an instance's questions
        made = Attack(self, name, context or self.context, view, instance)
        self.open.append(made)
        return made

    async def shown(self, name, **more):
        return await self.attack(name, **more).shown()


async def until(good, panel=None, timeout=10.0):
    try:
        async with asyncio.timeout(timeout):
            while not good():  # noqa: ASYNC110 - what is waited for is on the other side of a process
                await asyncio.sleep(0.01)
    except TimeoutError:
        told = f"{panel.state}: {panel.problem}\n{panel.log_tail}" if panel is not None else ""
        pytest.fail(f"waited {timeout} s in vain. {told}")


@pytest.fixture(scope="module")
def ward(qapp, tmp_path_factory, tier):
    made = Ward(qapp, tmp_path_factory.mktemp("ward"), tier)
    yield made
    made.close()


@pytest.fixture
def unit():
    """A list's context: the ward Havblikk, without the residents of other wards."""
    return for_unit("Organization/havblikk", ("Patient/BEB-18", "Patient/BEB-19"))


@pytest.fixture
def bystander(ward):
    """Names of what is not this panel's."""
    (ward.folder / "fyll.txt").write_text("hemmelig")
    return SimpleNamespace(
        secret=str(ward.folder / "fyll.txt"),
        neighbour=str(ward.folder / "packages" / "neighbour" / "hemmelig.txt"),
    )

"""What panels cost: `python tests/benchmarks/panels.py --json`.

The real host, confined processes and the real work surface, with packages of made-up vendors in a temporary folder and a
door with generated rows. Needs no sandbox. Each figure is the median of its runs; memory counts a package's whole process
tree, the confinement's own processes included; of the fifty panels all are visible at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import psutil
import vendors
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from workspace.broker.context import for_patient
from workspace.clock import OSLO, SystemClock
from workspace.layouts.document import Activity, Layout, Placement, Split, Tabs
from workspace.panels import confinement
from workspace.panels.conformance import synthetic
from workspace.panels.host import PanelHost
from workspace.panels.manifest import discover
from workspace.shell import loop, theme
from workspace.shell.frame import PanelFrame
from workspace.shell.kit.body import PanelBody
from workspace.shell.seat import Seat
from workspace.shell.turns import Turns
from workspace.shell.watchdog import Watchdog
from workspace.shell.window import MainWindow
from workspace.shell.workplace import Group, Workplace

USER = {"reference": "Practitioner/tone", "display": "Tone Nilsen", "role": "sykepleier"}
VENDORS, PANELS = 20, 50
WALL = (3840, 2160)
"""Ten columns wide: in a smaller window panels stand below each other, and those out of sight are not painted."""
PATIENTS = [one.reference for one in synthetic.RESIDENTS]
KEYED = 10_000
"""Rows that a panel computes itself: the SDK sends them in several renders, each within the limit of 256 KiB."""
SECONDS = 20.0


@dataclass
class Figures:
    """By name: value, unit, aim, runs."""

    told: dict[str, dict[str, object]] = field(default_factory=dict)

    def add(self, name: str, values: list[float], unit: str, aim: str, digits: int = 2) -> None:
        value = round(statistics.median(values), digits)
        self.told[name] = {"value": value, "unit": unit, "aim": aim, "runs": len(values)}


class Bench:
    """A window, a host over the packages of `folder`, and panels seated in frames."""

    def __init__(self, folder: Path, window: MainWindow, tier: confinement.Tier) -> None:
        packages, problems = discover(folder)
        assert not problems, problems
        self.window, self.door, self.clock = window, vendors.Door(), SystemClock()
        policy = confinement.Policy(allow_unconfined=False)
        self.host = PanelHost(
            self.door, packages, clock=self.clock, policy=policy, user=USER, tenant="fjellheim", tier=tier
        )
        self.tasks, self.turns = loop.Tasks(failed), Turns(window)
        self.lines: list[tuple[str, str, int]] = []

    async def close(self) -> None:
        await self.host.close()
        await self.tasks.close()
        self.door.close()

    def now(self) -> datetime:
        return datetime(2026, 1, 28, 15, 0, tzinfo=OSLO)

    def seat(self, package: str, patient: str = PATIENTS[0], view: str = "main") -> Seat:
        """A panel that is starting, in a frame on screen."""
        frame = PanelFrame(self.window.theme, package, "Prøve")
        frame.setParent(None)
        frame.resize(600, 700)
        frame.show()
        seat = Seat(frame, self.window.theme, self.now, self.tasks.spawn, lambda name, context: None, self.turns)
        seat.attach(self.host.open(f"{package}-{time.monotonic_ns()}", package, view, for_patient(patient), seat))
        seat.sit()
        return seat

    async def end(self, seat: Seat) -> None:
        seat.leave()
        assert seat.instance is not None
        await self.host.end_context(seat.instance.context)
        seat.frame.deleteLater()
        seat.body.deleteLater()

    def tap(self, direction: str, package: str, pid: int, instance: str, context: str, raw: bytes) -> None:
        self.lines.append((direction, package, len(raw)))


def failed(error: BaseException) -> None:
    raise error


@asynccontextmanager
async def bench(folder: Path, window: MainWindow, tier: confinement.Tier) -> AsyncIterator[Bench]:
    made = Bench(folder, window, tier)
    try:
        yield made
    finally:
        await made.close()


async def until(good: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not good():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {SECONDS} s in vain: {what}")
        await asyncio.sleep(0.001)


class Paints(QObject):
    """When `widget` was last painted, counted when the paint is over (perf_counter)."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self.over = asyncio.Event()
        self.at = 0.0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, self._done)
        return False

    def _done(self) -> None:
        self.at = time.perf_counter()
        self.over.set()

    async def after(self, good: Callable[[], bool], what: str) -> float:
        """The end of the first paint from now on that finds `good`."""
        async with asyncio.timeout(SECONDS):
            while True:
                await self.over.wait()
                self.over.clear()
                if good():
                    return self.at
        raise AssertionError(what)


# --- one panel ---------------------------------------------------------------------------------------------------


async def first_render(b: Bench, runs: int) -> list[float]:
    """No spare: from the opening, with the process still to be started, to its first tree in the shell."""
    times = []
    for number in range(runs + 1):
        seat = b.seat("alfa.vanlig")
        await until(seat.rendered_first.is_set, "first render")
        assert seat.instance is not None
        if number:
            times.append(seat.instance.first_render_ms or 0.0)
        assert seat.instance.info.confinement == confinement.CONFINED
        await b.end(seat)
        await asyncio.sleep(0.05)
    return times


async def key_to_repaint(b: Bench, runs: int) -> list[float]:
    """A key goes to the field, its value to the panel, the panel's words back and on screen."""
    seat = b.seat("alfa.vanlig")
    await until(lambda: seat.painted_first.is_set() and seat.body.findChild(QLineEdit), "a field")
    editor = seat.body.findChild(QLineEdit)
    assert editor is not None
    assert seat.instance is not None
    echo = next(name for name in seat.instance.nodes if name.endswith("echo"))
    widget = seat.body.widget(echo)
    assert widget is not None
    paints, times, typed = Paints(widget), [], ""
    for number in range(runs + 1):
        await asyncio.sleep(0.05)
        paints.over.clear()
        sign = "abcdefghijklmnopqrstuvwxyz"[number % 26]
        typed += sign
        began = time.perf_counter()
        QTest.keyClicks(editor, sign)
        wanted = f"Merknad: {typed}"
        ended = await paints.after(lambda: words(seat, echo) == wanted, "the echo")  # noqa: B023 - awaited here
        if number:
            times.append((ended - began) * 1000)
    await b.end(seat)
    return times


def words(seat: Seat, node: str) -> str:
    assert seat.instance is not None
    return str(getattr(seat.instance.nodes[node].component, "text", ""))


async def changed_cell(b: Bench, runs: int) -> list[float]:
    """What the panel sends for one cell of the rows it computed, against what it sent for all of them."""
    undo = b.host.on_message(b.tap)
    b.lines.clear()
    seat = b.seat("alfa.egen")
    await until(lambda: rows_of(seat) == KEYED, "all rows")
    await asyncio.sleep(0.2)
    whole = sum(size for direction, _, size in b.lines if direction == "in")
    editor = seat.body.findChild(QLineEdit)
    assert editor is not None
    ratios = []
    for number in range(runs):
        b.lines.clear()
        QTest.keyClicks(editor, str(number % 10))
        await until(lambda: any(direction == "in" for direction, _, _ in b.lines), "a patch")
        await asyncio.sleep(0.1)
        ratios.append(sum(size for direction, _, size in b.lines if direction == "in") / whole)
    undo()
    await b.end(seat)
    return ratios


def rows_of(seat: Seat) -> int:
    table = table_of(seat)
    return table.model.rowCount() if table is not None else 0


def table_of(seat: Seat) -> Any:
    names = list(seat.instance.nodes) if seat.instance is not None else []
    return next((w for name in names if (w := seat.body.widget(name)) is not None and hasattr(w, "view")), None)


async def bound_repaint(b: Bench, runs: int) -> tuple[list[float], list[float]]:
    """A row of a bound table of 10,000 changes on the platform's side: until it is repainted, and what it cost on the
    wire to the panel and back."""
    undo = b.host.on_message(b.tap)
    seat = b.seat("alfa.bundet")
    await until(lambda: rows_of(seat) == 10_000 and seat.painted_first.is_set(), "10,000 bound rows")
    table = table_of(seat)
    paints, times, sizes = Paints(table.view.viewport()), [], []
    for number in range(runs + 1):
        await asyncio.sleep(0.1)
        paints.over.clear()
        b.lines.clear()
        value = 100 + number
        began = time.perf_counter()
        b.door.change(3, value, number + 2)
        ended = await paints.after(lambda: str(value) in str(table.model.index(3, 1).data()), "the row")  # noqa: B023
        if number:
            times.append((ended - began) * 1000)
            sizes.append(float(sum(size for _, _, size in b.lines)))
    undo()
    await b.end(seat)
    return times, sizes


async def idle_memory(b: Bench) -> list[float]:
    """MB of each warm spare with what shuts it in."""
    assert await b.host.warm(b.host.packages) == []
    await asyncio.sleep(0.5)
    return [tree_pss(pid) for pid in b.host.spares.values()]


def tree_pss(pid: int) -> float:
    top = psutil.Process(pid)
    return sum(pss(one.pid) for one in (top, *top.children(recursive=True)))


def pss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


# --- fifty panels ------------------------------------------------------------------------------------------------


class Timed(Workplace):
    """Notes when banner and panels have flipped."""

    flipped_at = 0.0

    def _flip(self, group: Group, former: Group | None) -> list[tuple[PanelFrame, PanelBody]]:
        olds = super()._flip(group, former)
        self.flipped_at = time.perf_counter()
        return olds


def fifty(packages: list[tuple[str, str]]) -> Layout:
    """All of them visible, ten beside each other in five rows."""
    places = [Tabs(panels=(Placement(instance=f"p{n}", package=p, view=v),)) for n, (p, v) in enumerate(packages)]
    rows = [Split(direction="row", children=tuple(places[n : n + 10])) for n in range(0, len(places), 10)]
    tree = Split(direction="column", children=tuple(rows))
    return Layout(
        id="femti",
        title="Femti",
        activities=(Activity(id="beboer", title="Beboer", icon="person", context="patient", tree=tree),),
    )


async def many(b: Bench, runs: int) -> tuple[list[float], list[float], list[float]]:
    """Longest block while all open, longest block while the patient is switched, and the time to the flip."""
    views = [(package.id, view.id) for package in b.host.packages.values() for view in package.views][:PANELS]
    assert len(views) == PANELS
    assert len({package.partition(".")[0] for package, _ in views}) == VENDORS
    b.window.resize(*WALL)
    work = Timed(b.window, b.host, fifty(views), now=b.now, spawn=b.tasks.spawn)
    await work.build()
    b.window.show_work()
    await asyncio.sleep(0.3)
    assert await b.host.warm(b.host.packages) == []
    watchdog = Watchdog(b.window)
    opening, switching, flips = [], [], []
    for number in range(runs + 1):
        await settled(b)
        watchdog.longest_ms = 0.0
        watchdog.start()
        began = time.perf_counter()
        assert await work.open_patient(PATIENTS[number % len(PATIENTS)], f"Beboer {number}")
        group = work.patient
        assert group is not None
        await until(lambda: all(s.painted_first.is_set() for s in group.seats.values()), "fifty paints")  # noqa: B023
        watchdog.stop()
        if number:
            switching.append(watchdog.longest_ms)
            flips.append((work.flipped_at - began) * 1000)
        else:
            opening.append(watchdog.longest_ms)
    await work.close()
    b.window.clear_pages()
    return opening, switching, flips


async def settled(b: Bench) -> None:
    """Every package has its spare again, and nothing moves."""
    await until(lambda: len(b.host.spares) == len(b.host.packages), "the spares")
    await asyncio.sleep(0.3)


# --- all of it ---------------------------------------------------------------------------------------------------


async def measure(folder: Path, window: MainWindow, options: argparse.Namespace) -> Figures:
    tier = await asyncio.to_thread(confinement.probe)
    if not tier.confined:
        raise SystemExit(f"panels cannot be confined here ({tier.why}): these figures would mean nothing")
    figures = Figures()
    one = folder / "one"
    vendors.install(
        one, "alfa.vanlig", vendors.ORDINARY.format(query=vendors.PULSES, views=("main",)), query=vendors.PULSES
    )
    vendors.install(one, "alfa.bundet", vendors.BOUND.format(query=vendors.MANY, columns=vendors.RATES))
    vendors.install(one, "alfa.egen", vendors.KEYED.format(count=KEYED))
    runs = options.runs
    async with bench(one, window, tier) as b:
        figures.add("child_start_to_first_render", await first_render(b, runs), "ms", "<= 60")
        figures.add("key_press_to_repaint", await key_to_repaint(b, runs), "ms", "<= 16")
        figures.add("changed_cell_bytes_ratio", await changed_cell(b, runs), "×", "<= 0.01", 5)
        times, sizes = await bound_repaint(b, runs)
        figures.add("bound_cell_to_repaint", times, "ms", "<= 16")
        figures.add("bound_cell_bytes", sizes, "bytes", "0")
        figures.add("idle_process_memory", await idle_memory(b), "MB PSS", "<= 12")
    crowd = folder / "crowd"
    for number in range(VENDORS):
        views = ("a", "b", "c") if number < PANELS - 2 * VENDORS else ("a", "b")
        program = vendors.ORDINARY.format(query=vendors.PULSES, views=views)
        vendors.install(crowd, f"leverandor{number}.panel", program, views, vendors.PULSES)
    async with bench(crowd, window, tier) as b:
        opening, switching, flips = await many(b, options.switches)
        figures.add("fifty_panels_open_longest_block", opening, "ms", "<= 50")
        figures.add("fifty_panels_switch_longest_block", switching, "ms", "<= 50")
        figures.add("fifty_panels_switch_to_flip", flips, "ms", "<= 150")
    return figures


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--switches", type=int, default=5)
    options = parser.parse_args()
    application = QApplication([])
    application.setQuitOnLastWindowClosed(False)
    window = MainWindow(theme.apply(application, theme.load("light"), 1.0))
    window.resize(1920, 1080)
    window.show()
    window.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen, False)
    told: list[Figures] = []

    async def work() -> int:
        with tempfile.TemporaryDirectory() as folder:
            told.append(await measure(Path(folder), window, options))
        window.let_go()
        return 0

    code = loop.run(application, work)
    figures = told[0].told
    if options.json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:36} {figure['value']:>10} {figure['unit']:8} aim {figure['aim']}")
    return code


if __name__ == "__main__":
    sys.exit(main())

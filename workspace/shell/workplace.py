"""The work itself: a layout's activities, the contexts that are open in them, and the switch from patient to patient.

Switching (DESIGN §3): freeze, ask, open the new context in warm spares off screen while the former stands whole; after at
most 100 ms banner and panels flip in one turn; who is not ready is blank and says whose data it awaits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from PySide6.QtCore import QObject, QRect, Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from workspace.broker.context import Context, for_patient, for_unit
from workspace.layouts import tree as trees
from workspace.layouts.document import Activity, Layout, Placement, Tree, placements
from workspace.panels.faults import scrubbed
from workspace.panels.host import PanelHost
from workspace.problem import Problem
from workspace.shell.banner import Banner, BannerText
from workspace.shell.collector import Collector
from workspace.shell.facts import Facts
from workspace.shell.frame import PanelFrame
from workspace.shell.kit.body import PanelBody, Spawn
from workspace.shell.kit.env import RowMark
from workspace.shell.panels_view import PanelsView
from workspace.shell.patient_pages import PatientPages
from workspace.shell.seat import Seat
from workspace.shell.surface import Surface
from workspace.shell.theme import Theme
from workspace.shell.turns import Turns
from workspace.shell.window import ActivityPage, MainWindow

FLIP_AFTER = 0.1
CLEAR_AFTER = 0.1
"""Seconds after a flip when what is over is cleared away, though a panel has not been painted."""
FLIP_BUDGET = 0.01
"""Seconds of drawing in the turn of the flip; what is beyond comes in the turns after it."""


@dataclass
class Group:
    """What is open in one context: its seats by instance."""

    context: Context
    name: str
    banner: BannerText | None = None
    seats: dict[str, Seat] = field(default_factory=dict)


class Workplace(QObject):
    """One layout for one signed-in user. `patientAsked` when a panel wants a patient opened; `contextLeft` in the turn in
    which a context goes from the screen; `originAsked` (context, ``Type/id``, where on the screen it is shown)."""

    patientAsked = Signal(str)
    patientShown = Signal(str)
    contextLeft = Signal(object)
    originAsked = Signal(object, str, object)

    def __init__(
        self, window: MainWindow, host: PanelHost, layout: Layout, *, now: Callable[[], datetime], spawn: Spawn
    ) -> None:
        super().__init__(window)
        self._window, self._host, self._layout = window, host, layout
        self._now, self._spawn = now, spawn
        self._frames: dict[str, PanelFrame] = {}
        self._trees: dict[str, Tree] = {}
        self._panels: PanelsView | None = None
        self.unit: Group | None = None
        self.patient: Group | None = None
        host.opens_intents(self._open_for_intent)
        self._switching = asyncio.Lock()
        self._turns = Turns(self)
        self._collector = Collector()
        self._wanted = ""
        self._marks: Mapping[str, RowMark] = {}
        self.pages = PatientPages(window, layout)

    # --- making ---

    async def build(self) -> None:
        """Make the pages, a frame a turn of the loop. Before anything is opened."""
        for activity in self._layout.activities:
            frames: dict[str, QWidget] = {}
            for place in placements(activity.tree):
                frames[place.instance] = self._frame(activity, place)
                await asyncio.sleep(0)
            surface = Surface(activity.tree, frames, self._window.theme)
            surface.resized.connect(lambda path, sizes, one=activity: self._resized(one, path, sizes))
            banner = Banner(self._window.theme) if activity.context == "patient" else None
            if banner is not None:
                banner.originAsked.connect(self._asked_in_banner)
            self._trees[activity.id] = activity.tree
            page = ActivityPage(self._window.theme, surface, banner)
            page.joined.restartAsked.connect(self.pages.ask_joined)
            self._window.add_page(activity.id, page)
        self._window.rail.set_activities(self._layout.activities)
        self._window.go(self._layout.activities[0].id)

    def _frame(self, activity: Activity, place: Placement) -> PanelFrame:
        package = self._host.packages.get(place.package)
        title, vendor = place.package, "finnes ikke her"
        if package is not None:
            view = next((one for one in package.views if one.id == place.view), None)
            title, vendor = (view.title if view is not None else package.name), package.vendor
        group = 1 if activity.context == "patient" else 0
        frame = PanelFrame(self._window.theme, title, vendor, group=group, locked=place.locked)
        frame.restartAsked.connect(lambda name=place.instance: self._restart(name))
        frame.reportWanted.connect(lambda name=place.instance: self._show_log(name))
        frame.reportAsked.connect(lambda with_log, name=place.instance: self._report(name, with_log=with_log))
        frame.undoAsked.connect(lambda receipt, name=place.instance: self._undo(name, receipt))
        frame.closeAsked.connect(lambda name=place.instance, one=activity: self._close_panel(one, name))
        frame.resetAsked.connect(lambda one=activity: self._project(one, one.tree))
        if package is None:
            frame.explain(f"Panelet «{place.package}» er ikke installert på denne maskinen.", offer=False)
        self._frames[place.instance] = frame
        return frame

    def _places(self, kind: str) -> list[Placement]:
        """Placements of a kind of context, those of the activity on screen first."""
        shown = self.current()
        activities = sorted((a for a in self._layout.activities if a.context == kind), key=lambda a: a.id != shown)
        return [place for activity in activities for place in placements(self._trees[activity.id])]

    def current(self) -> str:
        """The activity on screen."""
        page = self._window.pages.currentWidget()
        return next((a.id for a in self._layout.activities if self._window.page(a.id) is page), "")

    def go(self, activity_id: str) -> None:
        self._window.go(activity_id)

    def seats(self) -> dict[str, Seat]:
        """Every panel that is open, by instance."""
        found: dict[str, Seat] = {}
        for group in (self.unit, self.patient):
            found |= group.seats if group is not None else {}
        return found

    # --- contexts ---

    async def open_unit(self, unit: str, name: str, patients: Sequence[str]) -> None:
        """Show a unit's panels; another unit's end."""
        former = self.unit
        context = for_unit(unit, tuple(patients))
        self.unit = group = self._open(context, name, "unit")
        await self._first(group, FLIP_AFTER)
        self._spawn(self._clear_up(group, self._flip(group, former)))
        if former is not None:
            await self._host.end_context(former.context)

    async def open_patient(self, reference: str, name: str, facts: Facts | None = None) -> bool:
        """Switch to a patient (``Patient/<id>``). False when a panel holds the switch, or a later one overtook it.

        `facts` are the banner's: name, number and what safety asks for flip with the panels."""
        self._wanted = reference
        async with self._switching:
            if self._wanted != reference:
                return False
            former = self.patient
            if former is not None and former.context.patient == reference:
                self.pages.bring(self.current())
                return True
            self._collector.hold(reference)
            flipped = False
            try:
                flipped = await self._switch(reference, name, facts, former)
            finally:
                if not flipped:
                    self._collector.let_go(reference)
            if not flipped:
                return False
            if former is not None:
                await asyncio.sleep(0)  # the flip is painted first: the former context is frozen and out of sight
                await self._host.end_context(former.context)
            self.patientShown.emit(reference)
            return True

    async def _switch(self, reference: str, name: str, facts: Facts | None, former: Group | None) -> bool:
        """Open the new context off screen and flip to it; False when a panel of the former holds the switch."""
        flip_at = time.perf_counter() + FLIP_AFTER
        self._turns.pause(flip_at)
        # Asked while the new context opens off screen: neither waits for the other.
        asking = self._spawn(self._may_leave(former)) if former is not None else None
        group = self._open(for_patient(reference), name, "patient")
        try:
            await self._first(group, flip_at - time.perf_counter(), facts)
            stays = asking is not None and not await asking
        finally:
            self._turns.resume()
        if stays:
            await self._drop(group)
            return False
        group.banner = facts.text if facts is not None else None
        self.patient = group
        self.pages.bring(self.current())
        self._spawn(self._clear_up(group, self._flip(group, former)))
        return True

    async def _drop(self, group: Group) -> None:
        """A context that was opened off screen and is not to be shown."""
        for seat in group.seats.values():
            seat.drop()
        await self._host.end_context(group.context)

    async def _may_leave(self, former: Group) -> bool:
        for seat in former.seats.values():
            seat.freeze(True)
        holds = await self._host.ask(former.context)
        if holds:
            for seat in former.seats.values():
                seat.freeze(False)
            seat = former.seats.get(holds[0].instance) or next(iter(former.seats.values()))
            seat.frame.tell(f"{holds[0].title}: {holds[0].reason}", "warn")
        return not holds

    def _open(self, context: Context, name: str, kind: str) -> Group:
        group = Group(context, name)
        for place in self._places(kind):
            if place.package in self._host.packages:
                self._take_seat(group, self._frames[place.instance], place)
        return group

    def _take_seat(self, group: Group, frame: PanelFrame, place: Placement) -> bool:
        """Open one panel of a context in its frame, off screen. Whether it could be opened; else the frame says why."""
        seat = Seat(frame, self._window.theme, self._now, self._spawn, self._raised, self._turns, group.name)
        seat.mark = self.mark
        seat.front, seat.troubled = self._front, lambda _seat: self._fall_back()
        seat.origin = lambda about, area: self.originAsked.emit(group.context, about, area)
        try:
            instance = self._host.open(place.instance, place.package, place.view, group.context, seat, place.settings)
        except Problem as problem:
            frame.explain(str(problem), offer=False)
            return False
        seat.attach(instance)
        group.seats[place.instance] = seat
        return True

    async def _first(self, group: Group, seconds: float, facts: Facts | None = None) -> None:
        """Until every panel has drawn itself and the banner knows what safety asks for; at most `seconds`."""
        waits = [asyncio.ensure_future(seat.rendered_first.wait()) for seat in group.seats.values()]
        waits += [asyncio.ensure_future(facts.safe.wait())] if facts is not None else []
        if waits:
            await asyncio.wait(waits, timeout=max(0.0, seconds))
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    def _flip(self, group: Group, former: Group | None) -> list[tuple[PanelFrame, PanelBody]]:
        """Banner and panels in one turn of the loop: nobody sees two patients. Returns the former bodies, out of sight, each
        with its frame."""
        if former is not None:
            self.contextLeft.emit(former.context)
            for seat in former.seats.values():
                seat.leave()
        if group.context.kind == "patient":
            self.pages.say(group.banner or BannerText(group.name))
        olds = self._seat_all(group)
        if group.context.kind == "patient":
            self.pages.begin()
        return olds

    async def _clear_up(self, group: Group, olds: list[tuple[PanelFrame, PanelBody]]) -> None:
        """What nobody sees waits for what is seen: former bodies are emptied, and spares start, when the new are painted
        with all that they asked for. In the turns between they held the last panel of four up by 12 ms of 130."""
        seen = [seat for seat in group.seats.values() if seat.in_sight()]
        await self.painted(seen, CLEAR_AFTER)
        await self._host.calm()
        self._collector.let_go(group.context.patient or "")
        for frame, old in olds:
            if isValid(old) and isValid(frame):
                frame.put_by(old)
            await asyncio.sleep(0)
        if group.context.kind == "patient":
            await self.warm()

    def _seat_all(self, group: Group) -> list[tuple[PanelFrame, PanelBody]]:
        """Every frame is the new context's from here: drawn, as far as a frame's time allows and those on screen first, or
        blank, to be shown in the next turns; who is not ready says whose data it awaits."""
        over = time.perf_counter() + FLIP_BUDGET
        olds: list[tuple[PanelFrame, PanelBody]] = []
        for seat in sorted(group.seats.values(), key=lambda one: not one.in_sight()):
            now = seat.drawn and time.perf_counter() < over
            if seat.drawn and not now:
                seat.frame.blank()
                self._turns.ask(seat.show)
            elif not seat.drawn:
                seat.frame.await_data(group.name)
            old = seat.sit(show=now)
            if old is not None:
                olds.append((seat.frame, old))
        return olds

    def say(self, patient: str, text: BannerText) -> None:
        """Newer facts for the banner; dropped when they are about somebody else."""
        if self.patient is not None and self.patient.context.patient == patient:
            self.pages.say(text)

    async def warm(self) -> None:
        """Have processes ready for the next patient."""
        trees = [self._trees.get(a.id, a.tree) for a in self._layout.activities if a.context == "patient"]
        await self._host.warm(dict.fromkeys(place.package for tree in trees for place in placements(tree)))

    # --- what panels and frames ask ---

    def _raised(self, name: str, context: Mapping[str, Any]) -> None:
        patient = context.get("patient")
        if name == "open Patient" and isinstance(patient, str) and patient.startswith("Patient/"):
            self.patientAsked.emit(patient)

    def _front(self, seat: Seat) -> None:
        """Bring a panel that another panel asks for to where the user looks: its activity, and its tab."""
        name = next((name for name, one in self.seats().items() if one is seat), "")
        home = next((a for a in self._layout.activities if a.id == self.current() and self._holds(a, name)), None)
        home = home or next((a for a in self._layout.activities if self._holds(a, name)), None)
        if home is None:  # the user had closed it: it comes back to where the layout has it
            home = next((a for a in self._layout.activities if name in {p.instance for p in placements(a.tree)}), None)
            if home is not None:
                self._project(home, home.tree)
        if home is not None:
            self.go(home.id)
            self._window.page(home.id).bring(name)

    def _holds(self, activity: Activity, name: str) -> bool:
        return any(place.instance == name for place in placements(self._trees[activity.id]))

    async def _open_for_intent(self, package: str, view: str, context: Context) -> str | None:
        """A panel that the layout does not have is opened for an intent, as a tab beside the first panel of the activity."""
        group = next((g for g in (self.unit, self.patient) if g is not None and g.context == context), None)
        homes = [a for a in self._layout.activities if a.context == context.kind]
        home = next((a for a in homes if a.id == self.current()), homes[0] if homes else None)
        if group is None or home is None:
            return None
        place = Placement(instance=f"intent-{package}-{view}", package=package, view=view)
        tree = self._trees[home.id]
        free = next((one.instance for one in placements(tree) if not one.locked), None)
        if free is None or not self._take_seat(group, self._frame(home, place), place):
            return None
        page = self._window.page(home.id)
        page.surface.add(place.instance, self._frames[place.instance])
        self._project(home, trees.insert(tree, place, free, "tab"))
        group.seats[place.instance].sit()
        return place.instance

    def _seat(self, name: str) -> Seat | None:
        return self.seats().get(name)

    def _restart(self, name: str) -> None:
        seat = self._seat(name)
        if seat is not None and seat.instance is not None:
            self._spawn(seat.instance.restart())

    def _show_log(self, name: str) -> None:
        """Before a report is made, the user sees what the panel's log would add to it."""
        seat = self._seat(name)
        if seat is not None and seat.instance is not None:
            seat.frame.ask_report(scrubbed(seat.instance.log_tail))

    def _report(self, name: str, *, with_log: bool) -> None:
        seat = self._seat(name)
        if seat is None or seat.instance is None:
            return
        try:
            path = self._host.report(seat.instance, with_log=with_log)
        except Problem as problem:
            seat.frame.tell(str(problem), "bad")
            return
        seat.frame.tell(f"Meldingen er lagret som {path.name} i mappen «{path.parent.name}» i profilen", "ok")

    def _fall_back(self) -> None:
        """When no panel of an activity works, the page says so, and what works all the same."""
        seats = self.seats()
        for activity in self._layout.activities:
            here = [seats[place.instance] for place in placements(self._trees[activity.id]) if place.instance in seats]
            states = [seat.instance.state for seat in here if seat.instance is not None]
            none = bool(states) and all(one in ("dead", "disabled") for one in states)
            self._window.page(activity.id).set_fallback(shown=none)

    def show_panels(self) -> None:
        """«Paneler på denne maskinen», in a window beside the work."""
        if self._panels is None:
            self._panels = PanelsView(self._window.theme, self._host, self._window)
        self._panels.refresh()
        self._panels.show()
        self._panels.activateWindow()

    def _undo(self, name: str, receipt: object) -> None:
        seat = self._seat(name)
        if seat is not None:
            seat.undo(receipt)

    def _resized(self, activity: Activity, path: trees.Path, sizes: tuple[float, ...]) -> None:
        try:
            self._trees[activity.id] = trees.resize(self._trees[activity.id], path, tuple(max(1.0, s) for s in sizes))
        except ValueError:
            return

    def _close_panel(self, activity: Activity, name: str) -> None:
        try:
            rest = trees.close(self._trees[activity.id], name)
        except (trees.Locked, KeyError):
            return
        if rest is None:
            return
        self._frames[name].hide()
        self._project(activity, rest)

    def _project(self, activity: Activity, tree: Tree) -> None:
        self._trees[activity.id] = tree
        self._window.page(activity.id).surface.project(tree)

    # --- keeping up ---

    def set_theme(self, theme: Theme) -> None:
        for frame in self._frames.values():
            frame.set_theme(theme)
        if self._panels is not None:
            self._panels.set_theme(theme)

    def set_marks(self, marks: Mapping[str, RowMark]) -> None:
        """What is not saved yet, by ``Type/id``: rows about it say so."""
        self._marks = marks
        for seat in self.seats().values():
            if seat.drawn:
                seat.body.marks_changed()

    def mark(self, about: str) -> RowMark | None:
        """What is not saved yet about ``Type/id``."""
        return self._marks.get(about)

    def _asked_in_banner(self, about: str, area: QRect) -> None:
        if self.patient is not None:
            self.originAsked.emit(self.patient.context, about, area)

    def tick(self) -> None:
        for seat in self.seats().values():
            if seat.drawn:
                seat.body.tick()

    async def painted(self, seats: Sequence[Seat], seconds: float) -> float | None:
        """When (perf_counter) the last of `seats` was painted, or None after `seconds`."""
        deadline = time.monotonic() + seconds
        for seat in seats:
            try:
                await asyncio.wait_for(seat.painted_first.wait(), max(0.01, deadline - time.monotonic()))
            except TimeoutError:
                return None
        return max((seat.painted_at or 0.0 for seat in seats), default=None)

    async def close(self) -> None:
        """End both contexts; the drafts are kept by the host."""
        if self._panels is not None:
            self._panels.close()
            self._panels.deleteLater()
            self._panels = None
        for group in (self.patient, self.unit):
            if group is not None:
                self.contextLeft.emit(group.context)
                for seat in group.seats.values():
                    seat.leave()
                await self._host.end_context(group.context)
        self.patient = self.unit = None
        self._turns.close()
        self._collector.close()

"""The switch from patient to patient, on the real work surface with real panels: all frames at once, and a way to say no."""

from __future__ import annotations

import asyncio
import gc
from datetime import datetime

import pytest

from tests.panels.conftest import USER, MemoryDoor, _install
from workspace.clock import OSLO, SystemClock
from workspace.layouts.document import Activity, Layout, Placement, Split, Tabs
from workspace.panels.components import Action
from workspace.panels.confinement import Policy, probe
from workspace.panels.host import PanelHost
from workspace.panels.manifest import discover
from workspace.shell import loop, theme
from workspace.shell.kit.body import PanelBody
from workspace.shell.window import MainWindow
from workspace.shell.workplace import Workplace

A, B = "Patient/BEB-18", "Patient/BEB-19"
PANELS = 12


def layout(package):
    places = tuple(Tabs(panels=(Placement(instance=f"p{n}", package=package, view="main"),)) for n in range(PANELS))
    rows = tuple(Split(direction="row", children=places[n : n + 4]) for n in range(0, PANELS, 4))
    tree = Split(direction="column", children=rows)
    activity = Activity(id="beboer", title="Beboer", icon="person", context="patient", tree=tree)
    return Layout(id="prove", title="Prøve", activities=(activity,))


@pytest.fixture
def surface(qapp, tmp_path):
    """``surface(play)`` runs ``await play(work, host)`` on Qt's loop, with twelve panels of one package on screen."""
    folder = tmp_path / "packages"
    folder.mkdir()
    _install(folder, ["good"])
    packages, _ = discover(folder)
    (name,) = packages
    tier = probe()

    def run(play):
        window = MainWindow(theme.apply(qapp, theme.load("light"), 1.0))
        faults = []

        async def main():
            host = PanelHost(
                MemoryDoor(),
                packages,
                clock=SystemClock(),
                policy=Policy(allow_unconfined=True),
                user=USER,
                tenant="f",
                tier=tier,
            )
            tasks = loop.Tasks(faults.append)
            now = datetime(2026, 1, 14, 15, 0, tzinfo=OSLO)
            work = Workplace(window, host, layout(name), now=lambda: now, spawn=tasks.spawn)
            try:
                await work.build()
                window.show_work()
                window.show()
                await host.warm([name])
                await asyncio.wait_for(play(work, host), 30)
            finally:
                await work.close()
                await tasks.close()
                await host.close()
                window.let_go()
            return 0

        loop.run(qapp, main)
        assert not faults

    return run


async def until(good):
    while not good():  # noqa: ASYNC110 - what is waited for is on the other side of a process
        await asyncio.sleep(0.005)


def shown(work):
    """Whose panels stand in the frames: the contexts' patients, and None for a blank frame."""
    seats = {id(seat.body): seat for group in (work.patient,) for seat in group.seats.values() if seat.drawn}
    found = []
    for frame in work._frames.values():
        stands = frame.body is not None and frame._stack.currentWidget() is frame.body
        seat = seats.get(id(frame.body)) if stands else None
        assert not stands or seat is not None, "a body of another context stands in a frame"
        found.append(seat.instance.context.patient if seat is not None else None)
    return found


def test_all_frames_are_the_new_patients_at_the_flip_and_full_soon_after(surface):
    async def play(work, host):
        assert await work.open_patient(A, "Arne")
        await until(lambda: shown(work) == [A] * PANELS)
        switching = asyncio.ensure_future(work.open_patient(B, "Berit"))
        while not switching.done():
            whose = set(shown(work))
            assert whose <= ({A} if work.patient.context.patient == A else {B, None})
            await asyncio.sleep(0)
        assert await switching
        await until(lambda: shown(work) == [B] * PANELS)
        assert {one.context.patient for one in host.instances()} == {B}
        seats = work.patient.seats.values()
        assert all(seat.in_sight() for seat in seats)
        next(iter(seats)).frame.hide()  # behind a tab; in another activity it is the page that is hidden
        assert [seat.in_sight() for seat in seats] == [False] + [True] * (PANELS - 1)

    surface(play)


def test_the_former_patients_bodies_go_once_the_new_are_painted(surface):
    async def play(work, host):
        assert await work.open_patient(A, "Arne")
        await until(lambda: shown(work) == [A] * PANELS)
        await until(gc.isenabled)
        assert await work.open_patient(B, "Berit")
        assert not gc.isenabled()  # until all is painted
        frames = work._frames.values()
        # One that is seen and one that stands by in each frame: emptied, for whoever comes next.
        await until(
            lambda: sum(body._drawing.emptied for frame in frames for body in frame.findChildren(PanelBody)) == PANELS
        )
        assert sum(len(frame.findChildren(PanelBody)) for frame in frames) == 2 * PANELS
        assert all(seat.painted_first.is_set() for seat in work.patient.seats.values())
        assert gc.isenabled()
        await until(lambda: host.spares)  # for the patient after this one

    surface(play)


def test_a_procedure_that_must_not_be_cut_stops_the_switch_and_leaves_nothing_of_the_other_patient(surface):
    async def play(work, host):
        assert await work.open_patient(A, "Arne")
        await until(lambda: shown(work) == [A] * PANELS)
        acting = asyncio.ensure_future(work.patient.seats["p0"].instance.act(Action("slow")))
        await asyncio.sleep(0.05)
        await until(gc.isenabled)
        assert not await work.open_patient(B, "Berit")
        assert gc.isenabled()
        assert shown(work) == [A] * PANELS
        assert {one.context.patient for one in host.instances()} == {A}
        assert "Blodoverføring pågår" in work._frames["p0"]._state.text()
        assert not work.patient.seats["p1"].body._frozen, "the work goes on"
        acting.cancel()
        await asyncio.gather(acting, return_exceptions=True)

    surface(play)

"""What panels hand over and ask for, in the work surface itself: an intent brings a panel in front or opens it, a picture is
drawn, a question goes with its patient."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QBuffer, QByteArray, QCoreApplication, QEvent, QIODevice
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLineEdit

from tests.panels.conftest import USER, MemoryDoor, Puppeteer, _install, until
from workspace.broker.door import Receipt, Refused
from workspace.clock import OSLO, SystemClock
from workspace.layouts.document import Activity, Layout, Placement, Split, Tabs, placements
from workspace.panels.confinement import Policy, Tier, probe
from workspace.panels.face import ActOutcome
from workspace.panels.host import PanelHost
from workspace.panels.manifest import discover
from workspace.shell import theme
from workspace.shell.chips import PlainButton
from workspace.shell.forms import Forms
from workspace.shell.sheet import Sheet
from workspace.shell.surface import _Tabbed
from workspace.shell.window import MainWindow
from workspace.shell.workplace import Workplace

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 14, 15, 4, tzinfo=OSLO)
MEASURE = "measure pulse"


@pytest.fixture(scope="module")
def tier() -> Tier:
    return probe()


def place(name: str) -> Placement:
    return Placement(instance=name, package=f"prove.{name.replace('_', '-')}", view="main")


def layout(*trees: Any) -> Layout:
    activities = tuple(
        Activity(id=f"a{at}", title=f"A{at}", icon="person", context="patient", tree=tree)
        for at, tree in enumerate(trees)
    )
    return Layout(id="x", title="X", schema=1, version=1, roles=("sykepleier",), activities=activities)


@asynccontextmanager
async def workplace(qapp: Any, folder: Path, tier: Tier, shown: Layout, *names: str) -> AsyncIterator[Workplace]:
    """A window with a real host and real panels in it; Qt's events are let through in between."""
    _install(folder, ["puppet", *names])
    packages, problems = discover(folder)
    assert not problems
    window = MainWindow(theme.apply(qapp, theme.load("light"), 1.0))
    host = PanelHost(
        MemoryDoor(),
        packages,
        clock=SystemClock(),
        policy=Policy(allow_unconfined=True),
        user=USER,
        tenant="x",
        tier=tier,
    )
    tasks: set[asyncio.Task[Any]] = set()

    def spawn(work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        return task

    async def turn() -> None:
        while True:
            qapp.processEvents()
            await asyncio.sleep(0.005)

    turning = asyncio.create_task(turn())
    made = Workplace(window, host, shown, now=lambda: NOW, spawn=spawn)
    try:
        await made.build()
        window.show_work()
        window.resize(1200, 800)
        window.show()
        window.activateWindow()
        assert await made.open_patient("Patient/BEB-18", "Arne Storspove")
        await until(lambda: "puppet" in made.seats() and made.seats()["puppet"].rendered_first.is_set())
        yield made
    finally:
        await made.close()
        await host.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        turning.cancel()
        await asyncio.gather(turning, return_exceptions=True)
        window.let_go()
        window.hide()
        window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def strings(work: Workplace) -> Puppeteer:
    return Puppeteer(work.seats()["puppet"].instance)  # type: ignore[arg-type]


async def test_the_panel_asked_comes_in_front_of_its_tab_and_activity_and_has_the_focus(
    qapp: Any, tmp_path: Path, tier: Tier
) -> None:
    behind = Tabs(panels=(place("other_helper"), place("helper")), active="other_helper")
    shown = layout(Tabs(panels=(place("puppet"),)), behind)
    async with workplace(qapp, tmp_path, tier, shown, "helper", "other_helper") as work:
        seat = work.seats()["helper"]
        await until(lambda: seat.rendered_first.is_set())
        assert (work.current(), seat.frame.isVisible()) == ("a0", False)
        number = await strings(work).start("raise", name=MEASURE)
        sheet = await shown_sheet(work)
        offered = {one.text() for one in sheet.findChildren(PlainButton)}
        assert offered >= {"Prøve helper (Prøveverk)", "Prøve other_helper (Prøveverk)"}
        next(one for one in sheet.findChildren(PlainButton) if "Prøve helper" in one.text()).click()
        assert (await strings(work).answer(number))["result"] == {"handled": True, "result": "gjort"}
        await until(lambda: work.current() == "a1" and seat.frame.isVisible())
        field = seat.body.widget("#a")
        window = field.window()
        await until(lambda: window.focusWidget() is field or field.isAncestorOf(window.focusWidget()))
        assert seat.frame._state.text() == "For Prøve puppet"


async def test_what_was_sent_from_the_list_leaves_the_field_that_still_shows_it(
    qapp: Any, tmp_path: Path, tier: Tier
) -> None:
    async with workplace(qapp, tmp_path, tier, layout(Tabs(panels=(place("puppet"),)))) as work:
        seat = work.seats()["puppet"]
        fields = [{"id": f"#{b}", "type": "text-field", "props": {"label": b, "bind": b}} for b in "ab"]
        tree = {"id": "rot", "type": "column", "children": fields}
        await strings(work).say({"method": "render", "params": {"revision": 2, "tree": tree}})
        await until(lambda: seat.body.widget("#b") is not None)
        forms = Forms(work, work._host)
        assert forms.fill("prove.puppet", "main", {"a": "Sov godt", "b": "Våken"})
        key = ("x", USER["reference"], "Patient/BEB-18", "prove.puppet", "main", "", "1")
        forms.exchange(key, {"a": "Sov godt", "b": "Sov"}, {"a": None, "b": None})
        assert dict(seat.instance.values) == {"b": "Våken"}
        shown: list[Any] = [seat.body.widget(one).findChild(QLineEdit) for one in ("#a", "#b")]
        assert [one.text() for one in shown] == ["", "Våken"]


async def test_what_waits_can_be_undone_where_it_was_saved_and_a_no_for_now_leaves_the_button(
    qapp: Any, tmp_path: Path, tier: Tier
) -> None:
    async with workplace(qapp, tmp_path, tier, layout(Tabs(panels=(place("puppet"),)))) as work:
        seat = work.seats()["puppet"]
        answers = [Refused("not-yet", "Dette kan være på vei."), Refused("not-undoable", "Ikke lenger.")]

        async def undo(receipt: str) -> Receipt:
            if answers:
                raise answers.pop(0)
            return Receipt(receipt, "lagret", undoable=False)

        work._host._door.undo = undo  # type: ignore[method-assign]
        button = seat.frame._undo
        seat._acted(ActOutcome(True, receipt=Receipt("1", "venter", undoable=False)))
        assert not button.isVisible()
        seat._acted(ActOutcome(True, receipt=Receipt("1", "venter")))
        assert button.isVisible()
        button.click()
        await until(lambda: "på vei" in seat.frame._state.accessibleName() and button.isVisible())
        button.click()
        await until(lambda: "Ikke lenger" in seat.frame._state.accessibleName())
        assert not button.isVisible()


async def shown_sheet(work: Workplace) -> Sheet:
    window = work.seats()["puppet"].frame.window()

    def visible() -> list[Sheet]:
        return [one for one in window.findChildren(Sheet) if one.isVisible()]

    await until(visible)
    return visible()[0]


async def test_a_package_that_the_layout_does_not_have_is_opened_as_a_tab_and_stays_for_the_next_patient(
    qapp: Any, tmp_path: Path, tier: Tier
) -> None:
    async with workplace(qapp, tmp_path, tier, layout(Tabs(panels=(place("puppet"),))), "helper") as work:
        answer = await strings(work).ask("raise", name=MEASURE)
        assert answer["result"] == {"handled": True, "result": "gjort"}
        name = "intent-prove.helper-main"
        seat = work.seats()[name]
        await until(lambda: seat.frame.isVisible())
        assert [one.instance for one in placements(work._trees["a0"])] == ["puppet", name]
        assert seat.frame.window().findChildren(_Tabbed)
        assert await work.open_patient("Patient/BEB-19", "Ruth Ishavet")
        await until(lambda: name in work.seats() and work.seats()[name] is not seat)
        assert work.seats()[name].instance.context.patient == "Patient/BEB-19"


async def test_a_panel_the_user_had_closed_comes_back_to_its_place(qapp: Any, tmp_path: Path, tier: Tier) -> None:
    both = Split(direction="row", children=(Tabs(panels=(place("puppet"),)), Tabs(panels=(place("helper"),))))
    async with workplace(qapp, tmp_path, tier, layout(both), "helper") as work:
        seat = work.seats()["helper"]
        await until(lambda: seat.rendered_first.is_set())
        seat.frame.closeAsked.emit()
        await until(lambda: not seat.frame.isVisible())
        assert (await strings(work).ask("raise", name=MEASURE))["result"]["handled"]
        await until(lambda: seat.frame.isVisible())


async def test_a_picture_that_a_panel_hands_over_is_drawn_when_all_of_it_has_come(
    qapp: Any, tmp_path: Path, tier: Tier
) -> None:
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(0x336699)
    held = QByteArray()
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    png = held.data()
    shown = layout(Tabs(panels=(place("puppet"),)))
    async with workplace(qapp, tmp_path, tier, shown) as work:
        pull, seat = strings(work), work.seats()["puppet"]
        picture = {"id": "bilde", "type": "picture", "props": {"blob": "rtg", "text": "Røntgen av thorax"}}
        tree = {"id": "rot", "type": "column", "children": [picture]}
        await pull.say({"method": "render", "params": {"revision": 2, "tree": tree}})
        await until(lambda: seat.body.widget("bilde") is not None)
        widget: Any = seat.body.widget("bilde")
        assert widget.failed(), "nothing has come yet"
        about = {"handle": "rtg", "mime": "image/png", "total": len(png)}
        await pull.ask("blob", **about, offset=0, data=base64.b64encode(png[:50]).decode())
        assert widget.failed()
        await pull.ask("blob", **about, offset=50, data=base64.b64encode(png[50:]).decode())
        await until(lambda: not widget.failed())
        assert widget.accessibleName() == "Røntgen av thorax"
        await pull.ask("blob", handle="rtg", mime="image/png", total=0)
        await until(widget.failed)


async def test_a_question_goes_with_the_patient_it_is_about(qapp: Any, tmp_path: Path, tier: Tier) -> None:
    shown = layout(Tabs(panels=(place("puppet"),)))
    async with workplace(qapp, tmp_path, tier, shown) as work:
        await strings(work).start("print", document={"title": "Epikrise", "text": "Arnes"})
        sheet = await shown_sheet(work)
        assert await work.open_patient("Patient/BEB-19", "Ruth Ishavet")
        await until(lambda: not sheet_visible(sheet))


def sheet_visible(sheet: Sheet) -> bool:
    from shiboken6 import isValid

    return isValid(sheet) and sheet.isVisible()

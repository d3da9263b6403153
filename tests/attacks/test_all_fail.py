"""Every panel of a work surface fails at once: the shell says so, keeps answering keys, and shows the way back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.attacks.conftest import NOW, refused, until
from workspace.layouts.document import Activity, Layout, Placement, Split, Tabs
from workspace.shell.palette import Choice
from workspace.shell.panels_view import COLUMNS
from workspace.shell.window import MainWindow
from workspace.shell.workplace import Workplace

NAMES = ("dies-on-start", "crashes")


def layout():
    tabs = tuple(Tabs(panels=(Placement(instance=name, package=f"fiende.{name}", view="main"),)) for name in NAMES)
    tree = Split(direction="row", children=tabs, sizes=(1.0, 1.0))
    one = Activity(id="beboer", title="Beboer", icon="person", context="patient", tree=tree)
    return Layout(id="prove", title="Prøve", activities=(one,))


@refused("every")
def test_when_every_panel_fails_the_shell_says_so_and_keys_still_work(ward, tmp_path):
    ward.host.keep_in(tmp_path)
    window = MainWindow(ward.theme)
    window.show()
    window.show_work()
    work = Workplace(window, ward.host, layout(), now=lambda: NOW, spawn=ward.tasks.spawn)

    async def fail():
        await work.build()
        assert await work.open_patient("Patient/BEB-18", "Navn18")
        await until(lambda: all(seat.instance.state == "disabled" for seat in work.seats().values()))

    ward._run(fail())
    page = window.page("beboer")
    assert page._fallback.isVisible()
    assert "Ingen av panelene her virker nå" in page._fallback.accessibleName()
    for seat in work.seats().values():
        assert "fra Fiende AS er slått av for deg" in seat.frame._notice.words()

    asked = []
    window.paletteAsked.connect(lambda: asked.append(True))
    window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert asked == [True]
    window.palette_.open([Choice("Paneler på denne maskinen", "Handling", "", work.show_panels)])
    QTest.keyClicks(window.palette_.edit, "paneler")
    QTest.keyClick(window.palette_.edit, Qt.Key.Key_Return)
    view = work._panels
    assert view is not None
    assert view.isVisible()
    rows = {view.table.item(row, 0).text(): row for row in range(view.table.rowCount())}
    state = [title for title, _, _ in COLUMNS].index("Tilstand")
    for name in NAMES:
        row = rows[f"Panel {name}"]
        assert view.table.item(row, state).text() == "Slått av"
        view.table.selectRow(row)
        QTest.keyClick(view.on, Qt.Key.Key_Space)
        assert not ward.host.faults.disabled(ward.host.packages[f"fiende.{name}"])
    log = (tmp_path / "panels.log").read_text()
    assert all(f"fiende.{name}" in log for name in NAMES)

    # The user hides one, and reports the other.
    frame = work.seats()[NAMES[1]].frame
    QTest.keyClick(frame._notice.report, Qt.Key.Key_Space)
    QTest.keyClick(frame._notice._page.make, Qt.Key.Key_Space)
    assert len(list((tmp_path / "reports").iterdir())) == 1
    assert "reports" in frame._state.accessibleName()
    QTest.keyClick(work.seats()[NAMES[0]].frame._notice.hide_, Qt.Key.Key_Space)
    assert not work.seats()[NAMES[0]].frame.isVisible()

    ward._run(work.close())
    ward._run(ward.still())
    window.let_go()

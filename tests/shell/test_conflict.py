"""Two changed the same: both are shown with who and when, and nothing is saved before each field is chosen."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from workspace.record.conflict import Author, Conflict, Versions, compare
from workspace.shell import theme
from workspace.shell.chips import PlainButton
from workspace.shell.conflict import ConflictPage, VersionChoice
from workspace.shell.unsent import UnsentSheet
from workspace.shell.window import MainWindow

BASE = {
    "resourceType": "CarePlan",
    "id": "1",
    "title": "Tiltaksplan: fall",
    "status": "active",
    "description": "Tilsyn hver time",
}
MINE = {**BASE, "status": "on-hold", "description": "Tilsyn hver halvtime"}
THEIRS = {**BASE, "status": "completed", "description": "Alarmmatte", "period": {"end": "2026-02-01"}}
ME = Author("Practitioner/tone", "Tone Nilsen", "2026-01-14T15:02:00+01:00")
ELI = Author("Practitioner/eli", "Eli Havn", "2026-01-14T15:01:00+01:00")


@pytest.fixture
def open_page(qtbot, qapp):
    window = MainWindow(theme.apply(qapp, theme.load("light"), 1.0))
    qtbot.addWidget(window)
    window.show_work()
    window.show()
    window.activateWindow()
    sheet = UnsentSheet(window.theme, window)

    def opened(mine=MINE, theirs=THEIRS):
        versions = Versions("CarePlan/1", BASE, mine, theirs, ME, ELI, compare(BASE, mine, theirs))
        page = ConflictPage(sheet, Conflict("tx", "Patient/BEB-18", (versions,)))
        sheet.open()
        sheet.show_page(page, "Tiltaksplan · rom 210 Arne Storspove")
        return page

    yield opened
    window.let_go()


def sides(page):
    return {one.accessibleName(): one for one in page.findChildren(VersionChoice)}


def save(page):
    return next(one for one in page.findChildren(PlainButton) if one.text() == "Lagre valget")


def test_both_are_named_with_time_and_value(open_page):
    page = open_page()
    assert {"Du · 15:02: på vent", "Eli Havn · 15:01: fullført", "Du · 15:02: Tilsyn hver halvtime"} <= set(sides(page))
    said = [label.text() for label in page.findChildren(QLabel)]
    assert "Slås sammen av seg selv: Periode" in said
    assert any("Velg for 2 felt til" in one for one in said)


def test_nothing_is_saved_before_each_is_chosen(open_page, qtbot):
    page = open_page()
    assert not save(page).isEnabled()
    QTest.mouseClick(sides(page)["Eli Havn · 15:01: fullført"], Qt.MouseButton.LeftButton)
    assert not save(page).isEnabled()
    both = next(one for name, one in sides(page).items() if name.startswith("Begge"))
    QTest.mouseClick(both, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(page.settled, timeout=1000) as told:
        QTest.mouseClick(save(page), Qt.MouseButton.LeftButton)
    joined = {"value": "Alarmmatte\nTilsyn hver halvtime"}
    assert told.args == [{"CarePlan/1": {"status": "theirs", "description": joined}}]


def test_arrows_choose_within_a_field(open_page):
    page = open_page()
    first = sides(page)["Du · 15:02: på vent"]
    first.setFocus()
    QTest.keyClick(first, Qt.Key.Key_Right)
    assert page.choices() == {"CarePlan/1": {"status": "theirs"}}
    QTest.keyClick(sides(page)["Eli Havn · 15:01: fullført"], Qt.Key.Key_Left)
    assert page.choices() == {"CarePlan/1": {"status": "mine"}}


def test_a_fact_taken_back_is_said_first(open_page):
    page = open_page(theirs={**BASE, "status": "entered-in-error"})
    assert "Eli Havn har merket dette som feilført." in [label.text() for label in page.findChildren(QLabel)]
    page = open_page(mine={**BASE, "verificationStatus": {"coding": [{"code": "refuted"}]}}, theirs=THEIRS)
    assert "Du har merket dette som avkreftet." in [label.text() for label in page.findChildren(QLabel)]
    assert "Du · 15:02: avkreftet" in sides(page)

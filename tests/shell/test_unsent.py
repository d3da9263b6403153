"""The sheet of what waits and what was not saved: in words, by keyboard, and true while it is open."""

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from workspace.record import refusal
from workspace.record.conflict import Author, Conflict, Versions, compare
from workspace.shell import theme
from workspace.shell.chips import PlainButton
from workspace.shell.conflict import ConflictPage, VersionChoice
from workspace.shell.unsent import EMPTY, Line, Unsent, UnsentSheet
from workspace.shell.window import MainWindow

REFUSED = Line(
    "1",
    "avvist",
    "Journalnotat",
    "rom 212 Einar",
    "skrevet 14:58",
    ["Notat: <b>Slapp</b>"],
    "Kategori mangler.",
    reopens=True,
)
WAITING = Line("2", "venter", "Vitale målinger", "rom 203 Ruth", "skrevet 15:03", [f"Måling {n}" for n in range(12)])


@pytest.fixture
def sheet(qtbot, qapp):
    window = MainWindow(theme.apply(qapp, theme.load("light"), 1.0))
    qtbot.addWidget(window)
    window.show_work()
    window.show()
    window.activateWindow()
    window.top.search.setFocus()
    yield UnsentSheet(window.theme, window)
    window.let_go()


def words(sheet):
    return [label.text() for label in sheet.findChildren(QLabel) if label.isVisible()]


def test_each_says_what_and_why(sheet):
    sheet.show_lines([REFUSED, WAITING])
    sheet.open()
    said = words(sheet)
    assert "Notat: <b>Slapp</b>" in said, "as it was typed, not as mark-up"
    assert "Kategori mangler." in said
    assert "og 3 til" in said
    named = [one.accessibleName() for one in sheet.findChildren(PlainButton) if one.isVisible()]
    assert "Åpne i skjemaet: Journalnotat rom 212 Einar" in named
    assert not [one for one in named if "rom 203" in one], "what waits is sent by itself"


def test_the_keyboard_is_enough_and_comes_back_where_it_was(sheet, qtbot):
    before = sheet.parentWidget().focusWidget()
    sheet.show_lines([REFUSED])
    sheet.open()
    focus = sheet.parentWidget().focusWidget()
    assert focus.accessibleName().startswith("Åpne i skjemaet")
    with qtbot.waitSignal(sheet.openAsked, timeout=1000) as asked:
        QTest.keyClick(focus, Qt.Key.Key_Space)
    assert asked.args == ["1"]
    QTest.keyClick(focus, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
    assert sheet.parentWidget().focusWidget() is before


def test_an_empty_one_says_what_it_is_for(sheet):
    sheet.show_lines([])
    sheet.open()
    assert EMPTY in words(sheet)


def test_it_follows_the_window(sheet):
    sheet.show_lines([REFUSED])
    sheet.open()
    sheet.parentWidget().resize(900, 600)
    assert sheet.geometry().right() == sheet.parentWidget().width() - 1
    assert sheet.height() < 600


def test_nothing_is_discarded_before_it_is_said_twice_and_a_second_quick_click_says_nothing(sheet, qtbot):
    forgotten, other = [], Line("3", "avvist", "Journalnotat", "rom 205 Harald", "skrevet 14:59", ["Notat: Uro"])
    sheet.forgetAsked.connect(forgotten.append)
    sheet.show_lines([REFUSED, other])
    sheet.open()

    def button(text, about="1"):
        shown = [one for one in sheet.findChildren(PlainButton) if one.isVisible() and one.text() == text]
        return next(one for one in shown if one.property("about") == about)

    qtbot.mouseClick(button("Forkast"), Qt.MouseButton.LeftButton)
    assert sheet.parentWidget().focusWidget() is button("Behold"), "Enter alone must not do it"
    for text in ("Ja, forkast", "Behold"):
        qtbot.mouseDClick(button(text), Qt.MouseButton.LeftButton)
    assert (forgotten, button("Ja, forkast").isVisible()) == ([], True)
    qtbot.mouseClick(button("Behold"), Qt.MouseButton.LeftButton)
    assert button("Forkast").hasFocus() or sheet.isAncestorOf(sheet.parentWidget().focusWidget())
    qtbot.mouseClick(button("Forkast"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button("Ja, forkast"), Qt.MouseButton.LeftButton)
    assert forgotten == ["1"]


def test_news_leave_the_focus_where_it_was(sheet, qtbot):
    sheet.show_lines([REFUSED, WAITING])
    sheet.open()
    sheet.show_lines([WAITING, REFUSED])
    focus = sheet.parentWidget().focusWidget()
    assert (focus.property("about"), sheet.isAncestorOf(focus)) == ("1", True)
    sheet.show_lines([])
    assert sheet.isAncestorOf(sheet.parentWidget().focusWidget())


class Moving:
    """`broker.pending` with one conflict, in which the other writes again before the first choice is saved."""

    def __init__(self):
        self.theirs, self.chosen = 99, []

    def listen(self, listener):
        return lambda: None

    def marks(self):
        return {}

    def all(self):
        return []

    async def conflicts(self):
        base, mine, theirs = ({"resourceType": "Observation", "valueString": str(v)} for v in (70, 71, self.theirs))
        one = Versions("Observation/1", base, mine, theirs, Author(), Author(), compare(base, mine, theirs))
        return (Conflict("1", "Patient/BEB-18", (one,)),)

    async def resolve(self, seen, choices):
        self.chosen.append((seen.resources[0].theirs["valueString"], choices))
        if self.theirs == 99:
            self.theirs = 38
            raise refusal.moved_on()


def test_a_choice_about_what_has_moved_on_shows_the_new_version_and_says_so(sheet, qtbot):
    pending, loop = Moving(), asyncio.new_event_loop()
    spawn = loop.run_until_complete
    unsent = Unsent(
        sheet.parentWidget(), pending, None, spawn=spawn, title_of=str, who_of=str, open_form=lambda where: None
    )
    unsent.show()
    unsent._sheet.compareAsked.emit("1")
    for seen, said in (("99", False), ("38", True)):
        page = unsent._sheet.findChildren(ConflictPage)[-1]
        shown = words(unsent._sheet)
        assert any("endret igjen" in one for one in shown) is said
        page.findChildren(VersionChoice)[0].click()
        assert page.findChildren(VersionChoice)[1].text() == seen
        page.settled.emit(page.choices())
    assert [seen for seen, _ in pending.chosen] == ["99", "38"]
    unsent.close()
    loop.close()

"""The sheet of what waits and what was not saved: in words, by keyboard, and true while it is open."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from workspace.shell import theme
from workspace.shell.chips import PlainButton
from workspace.shell.unsent import EMPTY, Line, UnsentSheet
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

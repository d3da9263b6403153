"""What is typed again: each value's three answers, one press for all, and nothing replaced without a reason."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from workspace.broker.duplicates import Answer, Duplicate
from workspace.record.origin import Origin
from workspace.shell import theme
from workspace.shell.chips import PlainButton
from workspace.shell.existing import ExistingPage, Segment
from workspace.shell.sheet import Sheet
from workspace.shell.window import MainWindow

ELI = Origin("Practitioner/eli", "Eli Havn", "nordlys.vitals", "1.0.0", "2026-01-14T14:40:00+01:00", "")
PULSE = Duplicate(0, "Observation/1", "Puls 112 /min", "Puls 104 /min", ELI, 5, False, {})
SAME = Duplicate(3, "Observation/2", "Temperatur 38,6 °C", "Temperatur 38,6 °C", ELI, 0, True, {})
ODD = Duplicate(5, "Observation/3", "Vekt 71,5 kg", "Kan ikke vises", ELI, 2, False, {}, usable=False)


@pytest.fixture
def page(qtbot, qapp):
    window = MainWindow(theme.apply(qapp, theme.load("light"), 1.0))
    qtbot.addWidget(window)
    window.show_work()
    window.show()
    window.activateWindow()
    sheet = Sheet(window.theme, window, "Finnes allerede", "2 av verdiene er registrert fra før.")
    made = ExistingPage(sheet, [PULSE, SAME, ODD], {"nordlys.vitals": "Vitale målinger"}.get)
    sheet.inside.addWidget(made, 1)
    sheet.open()
    made.first().setFocus()
    yield made
    window.let_go()


def press(page, text):
    found = next(one for one in page.findChildren(PlainButton) if one.text() == text)
    QTest.mouseClick(found, Qt.MouseButton.LeftButton)


def side(page, start):
    return next(one for one in page.findChildren(Segment) if one.accessibleName().startswith(start))


def test_another_value_is_new_and_the_very_same_is_reused_unless_the_user_says_otherwise(page, qtbot):
    with qtbot.waitSignal(page.answered, timeout=1000) as told:
        QTest.keyClick(page.window().focusWidget(), Qt.Key.Key_Return)
    assert told.args == [{0: Answer("new"), 3: Answer("use"), 5: Answer("new")}]


def test_one_press_for_all(page):
    press(page, "Bruk alle som finnes")
    assert {place: answer.choice for place, answer in page.answers().items()} == {0: "use", 3: "use", 5: "new"}
    press(page, "Alle er nye")
    assert {answer.choice for answer in page.answers().values()} == {"new"}


def test_what_cannot_be_shown_cannot_be_used_or_replaced(page):
    assert [one.choice for one in page.findChildren(Segment) if one.accessibleName().startswith("Vekt")] == ["new"]


def test_nothing_is_replaced_without_a_reason(page, qtbot):
    QTest.mouseClick(side(page, "Puls 112 /min: Erstatt"), Qt.MouseButton.LeftButton)
    assert not page.first().isEnabled()
    assert page._reason.isVisible()
    QTest.keyClicks(page._reason, "feil beboer")
    with qtbot.waitSignal(page.answered, timeout=1000) as told:
        QTest.keyClick(page._reason, Qt.Key.Key_Return)
    assert told.args == [{0: Answer("replace", "feil beboer"), 3: Answer("use"), 5: Answer("new")}]


def test_arrows_choose_and_the_source_is_said(page):
    new = side(page, "Puls 112 /min: Ny")
    new.setFocus()
    QTest.keyClick(new, Qt.Key.Key_Right)
    assert page.answers()[0].choice == "use"
    said = [label.text() for label in page.findChildren(type(page._hint))]
    assert "Står fra før: Puls 104 /min · Vitale målinger, Eli Havn 14:40 · 5 min fra hverandre" in said


def test_back_to_the_form_answers_nothing(page, qtbot):
    with qtbot.waitSignal(page.answered, timeout=1000) as told:
        press(page, "Tilbake til skjemaet")
    assert told.args == [None]

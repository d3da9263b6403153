from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QMenu

from workspace.panels.components import ChoiceField, Option
from workspace.shell.kit.choice import ChipButton, ChoiceWidget, MenuButton, SegmentButton

OPTIONS = [
    Option(value="A", label="A våken", key="a"),
    Option(value="C", label="C forvirret", key="c"),
    Option(value="V", label="V reagerer på tiltale", key="v"),
]
LEVEL = ChoiceField(bind="level", label="Bevissthet", options=OPTIONS)


@pytest.fixture
def show(qtbot, notes):
    def make(component: ChoiceField) -> ChoiceWidget:
        made = ChoiceWidget(component, notes.env)
        qtbot.addWidget(made)
        made.resize(240, made.sizeHint().height())
        made.show()
        return made

    return make


def test_a_letter_chooses_and_arrows_stop_at_the_ends(qtbot, notes, show):
    box = show(LEVEL).findChild(MenuButton)
    qtbot.keyClicks(box, "c")
    qtbot.keyClick(box, Qt.Key.Key_Down)
    qtbot.keyClick(box, Qt.Key.Key_Down)
    qtbot.keyClick(box, Qt.Key.Key_Up)
    qtbot.keyClicks(box, "x")
    assert [value for _, value in notes.typed] == ["C", "V", "V", "C"]


def test_the_first_arrow_takes_the_first_or_the_last(qtbot, notes, show):
    box = show(LEVEL).findChild(MenuButton)
    qtbot.keyClick(box, Qt.Key.Key_Up)
    assert notes.typed == [("level", "V")]


def test_the_name_tells_what_is_chosen(notes, show):
    field = show(LEVEL)
    box = field.findChild(MenuButton)
    assert box.accessibleName() == "Bevissthet: ikke valgt"
    notes.values["level"] = "A"
    field.value_changed()
    assert box.accessibleName() == "Bevissthet: A våken"


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
def test_the_list_opens_with_the_chosen_one_and_choosing_tells_it(qtbot, notes, show):
    notes.values["level"] = "C"
    box = show(LEVEL).findChild(MenuButton)
    qtbot.keyClick(box, Qt.Key.Key_Return)
    menu = box.findChild(QMenu)
    assert menu is not None
    assert [action.text() for action in menu.actions() if action.isChecked()] == ["C forvirret"]
    menu.actions()[2].trigger()
    assert notes.typed == [("level", "V")]
    menu.close()
    qtbot.waitUntil(lambda: box.findChild(QMenu) is None)
    assert QApplication.activePopupWidget() is None


def test_chips_show_the_first_choice_until_the_user_chooses(qtbot, notes, show):
    field = show(ChoiceField(bind="how", label="Vis", options=OPTIONS, style="chips", initial="C"))
    chips = field.findChildren(ChipButton)
    assert [chip.isChecked() for chip in chips] == [False, True, False]
    assert notes.typed == []
    qtbot.mouseClick(chips[0], Qt.MouseButton.LeftButton)
    assert notes.typed == [("how", "A")]
    assert [chip.isChecked() for chip in chips] == [True, False, False]
    qtbot.mouseClick(chips[0], Qt.MouseButton.LeftButton)
    assert chips[0].isChecked(), "one of several is always chosen"


def test_several_chips_may_be_chosen_and_given_up(qtbot, notes, show):
    field = show(ChoiceField(bind="how", label="Vis", options=OPTIONS, style="chips", multiple=True))
    chips = field.findChildren(ChipButton)
    for chip in (chips[0], chips[2], chips[0]):
        qtbot.keyClick(chip, Qt.Key.Key_Space)
    assert [value for _, value in notes.typed] == [["A"], ["A", "V"], ["V"]]


def test_options_may_change_while_it_stands(notes, show):
    field = show(ChoiceField(bind="how", label="Vis", options=OPTIONS, style="chips"))
    field.set_component(ChoiceField(bind="how", label="Vis", options=[Option(value="n", label="Å & Ø")], style="chips"))
    chips = [chip for chip in field.findChildren(ChipButton) if chip.isVisible()]
    assert [chip.accessibleName() for chip in chips] == ["Å & Ø"]


def segments(**more):
    options = [Option(value=value, label=value) for value in ("Tabell", "Trend", "Alle")]
    return ChoiceField(bind="view", label="Visning", options=options, style="segments", initial="Trend", **more)


def test_segments_are_one_stop_and_the_arrows_choose(qtbot, notes):
    made = ChoiceWidget(segments(), notes.env)
    qtbot.addWidget(made)
    made.show()
    made.activateWindow()
    first, second, third = made.findChildren(SegmentButton)
    stops = [one for one in (first, second, third) if one.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert stops == [second], "the chosen one"
    second.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is second)
    qtbot.keyClick(second, Qt.Key.Key_Right)
    assert notes.values["view"] == "Alle"
    assert QApplication.focusWidget() is third
    qtbot.keyClick(third, Qt.Key.Key_Right)
    assert notes.typed == [("view", "Alle")], "it stops at the end"
    qtbot.keyClick(third, Qt.Key.Key_Left)
    assert notes.values["view"] == "Trend"
    face = QAccessible.queryAccessibleInterface(second)
    assert face.role() == QAccessible.Role.RadioButton
    assert face.state().checked
    assert "Visning" in face.text(QAccessible.Text.Description)


def test_segments_stand_side_by_side_as_one_group(qtbot, notes):
    made = ChoiceWidget(segments(), notes.env)
    qtbot.addWidget(made)
    made.show()
    QApplication.processEvents()
    first, second, third = made.findChildren(SegmentButton)
    assert first.geometry().right() + 1 == second.geometry().left()
    assert second.geometry().right() + 1 == third.geometry().left()


def test_a_choices_error_is_read_with_each_of_its_chips(qtbot, notes):
    options = [Option(value="a", label="Fall"), Option(value="b", label="Smitte")]
    made = ChoiceWidget(
        ChoiceField(bind="x", label="Merker", options=options, style="chips", error="Velg ett"), notes.env
    )
    qtbot.addWidget(made)
    assert {chip.accessibleDescription() for chip in made.findChildren(ChipButton)} == {"Merker. Velg ett"}


def test_chips_wrap_where_there_is_no_room(qtbot, notes):
    options = [Option(value=str(number), label=f"Valg nummer {number}") for number in range(12)]
    made = ChoiceWidget(ChoiceField(bind="x", label="Mange", options=options, style="chips"), notes.env)
    qtbot.addWidget(made)
    made.resize(300, made.heightForWidth(300))
    made.show()
    QApplication.processEvents()
    assert all(chip.geometry().right() <= 300 for chip in made.findChildren(ChipButton))
    assert len({chip.geometry().top() for chip in made.findChildren(ChipButton)}) > 1

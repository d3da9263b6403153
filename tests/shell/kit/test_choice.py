from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMenu

from workspace.panels.components import ChoiceField, Option
from workspace.shell.kit.choice import ChipButton, ChoiceWidget, MenuButton

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

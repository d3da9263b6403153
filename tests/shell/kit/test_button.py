from __future__ import annotations

from PySide6.QtCore import Qt

from workspace.panels.components import Action, Button
from workspace.shell.kit.button import ButtonWidget

SAVE = Button(text="Lagre & lukk", shortcut="Ctrl+S", style="primary", action=Action("save"))


def test_click_space_and_enter_run_it_and_busy_does_not(qtbot, notes):
    button = ButtonWidget(SAVE, notes.env)
    qtbot.addWidget(button)
    button.show()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.keyClick(button, Qt.Key.Key_Space)
    qtbot.keyClick(button, Qt.Key.Key_Return)
    assert notes.ran == [Action("save")] * 3
    button.set_busy(True)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    button.press()
    assert len(notes.ran) == 3
    button.set_busy(False)
    button.press()
    assert len(notes.ran) == 4


def test_a_button_that_is_off_says_why(qtbot, notes):
    button = ButtonWidget(Button(text="Signer", action=Action("sign"), disabled="Notatet er tomt <b>"), notes.env)
    qtbot.addWidget(button)
    button.show()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert notes.ran == []
    assert button.accessibleDescription() == "Notatet er tomt <b>"
    assert "&lt;b&gt;" in button.toolTip()


def test_the_name_tells_the_shortcut_and_an_ampersand_makes_none(qtbot, notes):
    button = ButtonWidget(SAVE, notes.env)
    qtbot.addWidget(button)
    assert button.accessibleName() == "Lagre & lukk, Ctrl+S"
    assert button.shortcut().isEmpty()


def test_it_has_room_for_its_words_at_every_scale(qtbot, notes):
    from workspace.shell import theme as themes

    button = ButtonWidget(SAVE, notes.env)
    qtbot.addWidget(button)
    for scale in themes.SCALES:
        theme = themes.load("light", scale)
        button.set_theme(theme)
        words = theme.metrics("button").horizontalAdvance(SAVE.text) + theme.metrics("key").horizontalAdvance("Ctrl S")
        assert button.sizeHint().width() > words + 12

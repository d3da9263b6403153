from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QWidget

from workspace.panels.components import CodeField, Option
from workspace.shell.kit.code import MOST, CodeWidget, matching

ICPC = [
    Option(value="R81", label="Pneumoni"), Option(value="R78", label="Akutt bronkitt"),
    Option(value="K78", label="Atrieflimmer"), Option(value="A81", label="Annen pneumoni, uspesifisert"),
    Option(value="http://codes|J01", label="Amoksicillin", code="J01", hint="500 mg"),
]  # fmt: skip
FIELD = CodeField(bind="code", label="Diagnose", options=ICPC)


@pytest.fixture
def field(qtbot, notes):
    window = QWidget()
    window.resize(400, 400)
    made = CodeWidget(FIELD, notes.env, window)
    made.setGeometry(10, 10, 300, made.heightForWidth(300))
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    made.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is made.editor)
    yield made
    window.close()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("r", ["R81", "R78"]),
        ("R81", ["R81"]),
        ("pneu", ["R81", "A81"]),
        ("brok", []),
        ("bron", ["R78"]),
        ("annen pneu", ["A81"]),
        ("flimmer", ["K78"]),
        ("500", ["http://codes|J01"]),
        ("j0", ["http://codes|J01"]),
        ("", [one.value for one in ICPC]),
    ],
)
def test_codes_come_first_then_words_then_parts_of_words(typed: str, found: list[str]):
    ordered = [one.value for one in matching(ICPC, typed)]
    assert ordered[: len(found)] == found
    assert len(ordered) == len(found) or typed == "r"


def test_a_long_list_is_bounded():
    many = [Option(value=f"A{number:04d}", label="Ett av mange") for number in range(5_000)]
    assert len(matching(many, "mange")) == MOST


def test_typing_arrows_and_enter_choose(qtbot, notes, field):
    qtbot.keyClicks(field.editor, "pneu")
    assert [one.value for one in field.matches] == ["R81", "A81"]
    assert field.editor.accessibleDescription() == "R81 Pneumoni, 1 av 2"
    assert field.editor.keeps_enter(), "Enter is the list's, not the form's"
    qtbot.keyClick(field.editor, Qt.Key.Key_Down)
    assert "2 av 2" in field.editor.accessibleDescription()
    qtbot.keyClick(field.editor, Qt.Key.Key_Return)
    assert notes.typed == [("code", "A81")]
    assert field.editor.text() == "A81 Annen pneumoni, uspesifisert"
    assert not field.is_open()
    assert not field.editor.keeps_enter()


def test_escape_leaves_what_was_there(qtbot, notes, field):
    notes.values["code"] = "R78"
    field.value_changed()
    field.editor.selectAll()
    qtbot.keyClicks(field.editor, "atr")
    qtbot.keyClick(field.editor, Qt.Key.Key_Escape)
    assert field.editor.text() == "R78 Akutt bronkitt"
    assert notes.typed == []


def test_an_emptied_field_chooses_nothing(qtbot, notes, field):
    notes.values["code"] = "R78"
    field.value_changed()
    field.editor.selectAll()
    qtbot.keyClick(field.editor, Qt.Key.Key_Backspace)
    assert notes.typed == [("code", None)]


def test_a_code_typed_in_full_needs_no_list(qtbot, notes, field):
    qtbot.keyClicks(field.editor, "k78")
    field.editor.clearFocus()
    assert notes.typed[-1] == ("code", "K78")
    assert field.editor.text() == "K78 Atrieflimmer"


def test_words_that_are_no_code_say_so(qtbot, notes, field):
    qtbot.keyClicks(field.editor, "vondt")
    assert field.matches == []
    field.editor.clearFocus()
    assert field.editor.accessibleDescription() == "Velg en av kodene i listen"
    assert ("code", "vondt") not in notes.typed


def test_down_opens_the_whole_list_and_the_mouse_chooses(qtbot, notes, field):
    qtbot.keyClick(field.editor, Qt.Key.Key_Down)
    assert len(field.matches) == len(ICPC)
    qtbot.mouseClick(field._matches, Qt.MouseButton.LeftButton, pos=QPoint(40, field._matches._line() + 5))
    assert notes.typed == [("code", "R78")]


def test_the_panel_may_bring_the_options_for_what_is_typed(qtbot, notes, field):
    field.set_component(CodeField(bind="code", label="Diagnose", options=[], search="typed", searching=True))
    qtbot.keyClicks(field.editor, "pneu")
    qtbot.waitUntil(lambda: ("typed", "pneu") in notes.typed, timeout=3000)
    assert [value for bind, value in notes.typed if bind == "typed"] == ["pneu"], "told once, when the typing rests"
    assert field._matches.words == "Søker …"
    field.set_component(CodeField(bind="code", label="Diagnose", options=ICPC[:1], search="typed"))
    assert [one.value for one in field.matches] == ["R81"]
    assert field.editor.text() == "pneu", "new options do not disturb the typing"
    qtbot.keyClick(field.editor, Qt.Key.Key_Return)
    assert notes.typed[-1] == ("code", "R81")


def test_a_chosen_code_without_its_option_shows_itself(notes, field):
    notes.values["code"] = "Z99"
    field.value_changed()
    assert field.editor.text() == "Z99"
    field.set_component(CodeField(bind="code", label="Diagnose", options=[Option(value="Z99", label="Annet")]))
    assert field.editor.text() == "Z99 Annet"

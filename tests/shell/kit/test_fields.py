from __future__ import annotations

from datetime import datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from workspace.clock import OSLO
from workspace.fhir import json
from workspace.panels.components import NumberField, PairField, TextArea, TextField
from workspace.shell import theme as themes
from workspace.shell.kit.area import AreaWidget, difference
from workspace.shell.kit.line import LineWidget
from workspace.shell.kit.number import NumberWidget, odd, parse_number, shown_number
from workspace.shell.kit.pair import PairWidget

PULSE = NumberField(bind="pulse", label="Puls", unit="/min", minimum=20, maximum=250)
PRESSURE = PairField(
    label="Blodtrykk", unit="mmHg", first=NumberField(bind="sys", label="Systolisk"),
    second=NumberField(bind="dia", label="Diastolisk"),
)  # fmt: skip


@pytest.fixture
def shown(qtbot):
    def show(widget):
        qtbot.addWidget(widget)
        widget.resize(200, widget.sizeHint().height())
        widget.show()
        widget.activateWindow()
        widget.setFocus()
        qtbot.waitUntil(lambda: QApplication.focusWidget() is not None)
        return widget

    return show


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("38,6", 38.6), ("38.6", 38.6), (" 112 ", 112), ("1 200", 1200), ("-2,5", -2.5), ("−2", -2), ("", None),
        ("  ", None), ("38,", "38,"), ("3x", "3x"), ("nan", "nan"), ("1e5", "1e5"), ("1_0", "1_0"), ("٣", "٣"),
        ("1,2,3", "1,2,3"), ("9" * 40, "9" * 40), ("38,60", json.Literal("38.60")), ("+38,6", 38.6), ("07,5", 7.5),
        ("38,0", json.Literal("38.0")),
    ],
)  # fmt: skip
def test_norwegian_numbers_become_numbers_and_other_text_stays_text(typed: str, value):
    found = parse_number(typed)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "value", [0, 7, 38.6, 1200, -2.5, 12345.25, *map(json.Literal, ("38.60", "38.0", "1200.50", "-0.10"))]
)
def test_what_is_shown_is_read_back_as_the_same_number(value):
    found = parse_number(shown_number(value))
    assert (found, json.dumps(found)) == (value, json.dumps(value))


def test_typing_tells_the_number_at_every_key(qtbot, notes, shown):
    field = shown(NumberWidget(PULSE, notes.env))
    qtbot.keyClicks(field.editor, "38,6")
    assert notes.typed == [("pulse", 3), ("pulse", 38), ("pulse", "38,"), ("pulse", 38.6)]
    field.editor.clear()
    qtbot.keyClicks(field.editor, "1")
    qtbot.keyClick(field.editor, Qt.Key.Key_Backspace)
    assert notes.typed[-1] == ("pulse", None)


def test_arrows_step_a_number_by_its_last_decimal(qtbot, notes, shown):
    notes.values["t"] = 38.6
    field = shown(NumberWidget(NumberField(bind="t", label="Temperatur", decimals=1), notes.env))
    qtbot.keyClick(field.editor, Qt.Key.Key_Up)
    qtbot.keyClick(field.editor, Qt.Key.Key_Up)
    qtbot.keyClick(field.editor, Qt.Key.Key_Down)
    assert notes.typed == [("t", 38.7), ("t", 38.8), ("t", 38.7)]
    assert field.editor.text() == "38,7"


def test_the_caret_survives_a_new_component_and_an_unchanged_value(qtbot, notes, shown):
    field = shown(NumberWidget(PULSE, notes.env))
    qtbot.keyClicks(field.editor, "112")
    field.editor.setCursorPosition(1)
    field.set_component(NumberField(bind="pulse", label="Puls", unit="/min", error="Skriv et tall"))
    field.value_changed()
    assert (field.editor.text(), field.editor.cursorPosition()) == ("112", 1)
    notes.values["pulse"] = 95
    field.value_changed()
    assert (field.editor.text(), field.editor.cursorPosition()) == ("95", 1)


def test_an_unlikely_value_warns_without_stopping():
    assert odd(300, PULSE, typing=False) == "Uvanlig verdi (ventet 20–250). Sjekk før du lagrer."
    assert odd(11, PULSE, typing=True) == "", "it may become 112"
    assert odd(11, PULSE, typing=False) != ""
    assert odd("38,", PULSE, typing=True) == ""
    assert odd("38x", PULSE, typing=True) != ""
    assert "minst 5" in odd(2, NumberField(bind="x", minimum=5), typing=False)
    assert odd(80, PULSE, typing=False) == ""


def test_an_error_is_tied_to_its_field_for_screen_readers(notes, shown):
    field = shown(NumberWidget(NumberField(bind="x", label="Puls", error="Skriv et tall", required=True), notes.env))
    assert field.editor.accessibleName() == "Puls (må fylles ut)"
    assert field.editor.accessibleDescription() == "Skriv et tall"


@pytest.mark.parametrize("key", ["/", " "])
def test_a_pair_moves_on_and_back(qtbot, notes, shown, key: str):
    field = shown(PairWidget(PRESSURE, notes.env))
    qtbot.keyClicks(field.first, "104" + key)
    assert QApplication.focusWidget() is field.second
    qtbot.keyClicks(field.second, "6")
    assert notes.values == {"sys": 104, "dia": 6}
    qtbot.keyClick(field.second, Qt.Key.Key_Backspace)
    qtbot.keyClick(field.second, Qt.Key.Key_Backspace)
    assert QApplication.focusWidget() is field.first
    assert field.first.text() == "104"
    assert [field.first.accessibleName(), field.second.accessibleName()] == [
        "Blodtrykk, Systolisk",
        "Blodtrykk, Diastolisk",
    ]


def test_three_digits_are_seen_whole_in_a_narrow_pair(notes, shown):
    notes.values |= {"sys": 104, "dia": 62}
    field = shown(PairWidget(PRESSURE, notes.env))
    field.resize(118, field.height())
    need = field.first.fontMetrics().horizontalAdvance("104")
    assert field.first.width() >= need + 4
    assert field.second.width() >= field.second.fontMetrics().horizontalAdvance("62") + 4


def test_a_line_of_text_is_told_and_emptied_to_nothing(qtbot, notes, shown):
    field = shown(LineWidget(TextField(bind="why", label="Begrunnelse"), notes.env))
    qtbot.keyClicks(field.editor, "å")
    qtbot.keyClick(field.editor, Qt.Key.Key_Backspace)
    assert notes.typed == [("why", "å"), ("why", None)]


def test_a_text_area_keeps_the_caret_when_text_is_added_after_it(qtbot, notes, shown):
    notes.values["note"] = "Slapp og varm."
    area = shown(AreaWidget(TextArea(bind="note", label="Notat"), notes.env))
    caret = area.editor.textCursor()
    caret.setPosition(5)
    area.editor.setTextCursor(caret)
    notes.values["note"] = "Slapp og varm. 🌡 38,6"
    area.value_changed()
    assert area.editor.toPlainText() == "Slapp og varm. 🌡 38,6"
    assert area.editor.textCursor().position() == 5
    assert notes.typed == [], "what came from elsewhere is not typed again"
    qtbot.keyClicks(area.editor, "!")
    assert notes.typed == [("note", "Slapp! og varm. 🌡 38,6")]
    area.editor.undo()
    area.editor.undo()
    assert area.editor.toPlainText() == "Slapp og varm."


def test_tab_leaves_a_text_area(notes, shown):
    assert shown(AreaWidget(TextArea(bind="n", label="Notat"), notes.env)).editor.tabChangesFocus()


@pytest.mark.parametrize(
    ("old", "new"),
    [("abc", "abXc"), ("aaa", "aa"), ("", "x"), ("x", ""), ("🌡a", "🌡b"), ("same", "same"), ("aba", "ababa")],
)
def test_a_difference_turns_the_old_text_into_the_new(old: str, new: str):
    start, end, middle = difference(old, new)
    raw = old.encode("utf-16-le")
    assert (raw[: start * 2] + middle.encode("utf-16-le") + raw[end * 2 :]).decode("utf-16-le") == new


def test_a_vendors_label_is_letters_not_markup_or_shortcut(notes, shown):
    field = shown(NumberWidget(NumberField(bind="x", label="<b>A</b> & B", error="<img src='file:///x'>"), notes.env))
    assert field._label.textFormat() == field._words.textFormat() == Qt.TextFormat.PlainText
    assert field._label.text() == "<b>A</b> && B"


def test_the_age_of_a_prefilled_value_grows(qtbot, notes):
    one = NumberField(bind="w", label="Vekt", source="Mia", at="2026-01-14T14:52:00+01:00")
    made = NumberWidget(one, notes.env)
    qtbot.addWidget(made)
    assert made.editor.accessibleDescription() == "Mia · for 12 min siden"
    notes.env.now = lambda: datetime(2026, 1, 14, 15, 14, tzinfo=OSLO)
    made.tick()
    assert made.editor.accessibleDescription() == "Mia · for 22 min siden"


def test_a_text_area_is_legible_after_the_theme_was_changed_while_it_was_open(shown, notes, qapp):
    area = shown(AreaWidget(TextArea(bind="note", label="Notat"), notes.env))
    area.editor.setPlainText("Sov godt hele natten")
    dark = themes.apply(qapp, themes.load("dark"), 1.0)
    area.set_theme(dark)
    qapp.processEvents()
    picture = area.editor.viewport().grab().toImage()
    corner = picture.pixelColor(picture.width() - 3, picture.height() - 3)
    assert corner.lightnessF() < 0.3, "the ground is dark"
    assert area.editor.palette().text().color() == dark.color("text")
    box = area.grab().toImage()
    middle = area.editor.viewport().mapTo(area, area.editor.viewport().rect().bottomRight())
    assert box.pixelColor(middle.x() - 3, middle.y() - 3) == dark.color("field")
    themes.apply(qapp, notes.env.theme, 1.0)

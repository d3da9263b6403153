"""Another tree over one that stands: what is typed goes nowhere else, and no tree of a vendor's holds up the window."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from tests.shell.kit.conftest import NOW
from tests.shell.kit.fakes import node
from workspace.panels.protocol import SetProps
from workspace.shell import theme as themes
from workspace.shell.frame import PanelFrame
from workspace.shell.kit.body import PanelBody

ROOT = Path(__file__).parents[3]
FIELD = node("text-field", "#t", bind="t", label="Tekst")


def pair(**more):
    return node(
        "pair-field", "#sys", label="Blodtrykk", first={"bind": "sys", "label": "Systolisk"},
        second={"bind": "dia", "label": "Diastolisk"}, **more,
    )  # fmt: skip


def active(qtbot, body):
    body.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is body)


def typed(qtbot, keys):
    for key in keys:
        qtbot.keyClick(QApplication.focusWidget(), key)


@pytest.mark.parametrize("way", ["resync", "next-patient"])
def test_containers_that_change_places_do_not_hang_the_window(way):
    """In a process of its own, which it would take along."""
    command = [sys.executable, "-m", "tests.shell.kit.swapped_trees", way]
    done = subprocess.run(command, cwd=ROOT, timeout=60, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "s > c > #t\n"), done.stderr


def test_a_root_that_stood_within_another_is_laid_out(qtbot, body, instance):
    area = node("text-area", "#t", bind="t", label="Tekst")
    instance.whole(node("column", "0", node("heading", "0.0", text="Henter"), area))
    qtbot.wait(20)
    instance.whole(area)
    body.resize(300, 700)
    qtbot.wait(50)
    assert body.widget("#t").width() <= 300
    assert body.widget("#t").height() > 500


def test_the_next_digit_of_the_diastolic_is_not_the_systolics(qtbot, body, instance):
    instance.whole(node("column", "0", node("section", "0.0", pair(), title="Mål")))
    active(qtbot, body)
    body.widget("#sys").first.setFocus()
    typed(qtbot, "120/8")
    above = node("notice", "0.0", text="Ny måling kom")
    instance.whole(node("column", "0", above, node("section", "0.1", pair(), title="Mål")))
    typed(qtbot, "0")
    assert instance.values == {"sys": 120, "dia": 80}


def test_the_focus_stays_on_the_chip_and_in_a_row_that_wraps_from_now_on(qtbot, body, instance):
    options = [{"value": value, "label": value} for value in "abc"]
    chips = node("choice-field", "#x", bind="x", label="X", style="chips", options=options)
    instance.whole(node("column", "c", node("section", "s", chips, title="S"), node("row", "r", FIELD)))
    active(qtbot, body)
    chip = body.widget("#x")._chips[2]
    chip.setFocus()
    instance.whole(node("column", "c", node("card", "k", chips, title="S"), node("row", "r", FIELD)))
    assert QApplication.focusWidget() is chip
    field = body.widget("#t").editor
    field.setFocus()
    typed(qtbot, "ab")
    instance.patch(SetProps(id="r", props={"wrap": True}))
    typed(qtbot, "c")
    assert instance.values["t"] == "abc"


@pytest.mark.parametrize("kinds", [("text-field", "text-area"), ("text-area", "text-field")])
def test_the_caret_stands_where_it_stood_when_the_field_is_of_another_kind(qtbot, body, instance, kinds):
    for kind in kinds:
        instance.whole(node("column", "c", node(kind, "#t", bind="t", label="Tekst")))
        if kind == kinds[0]:
            active(qtbot, body)
            body.widget("#t").editor.setFocus()
            typed(qtbot, "abc")
    typed(qtbot, "d")
    assert instance.values["t"] == "abcd"


def test_a_field_that_is_anothers_from_now_on_shows_and_undoes_nothing_of_the_former(qtbot, body, instance):
    instance.whole(node("column", "c", node("number-field", "n", bind="pulse", label="Puls")))
    qtbot.keyClicks(body.widget("n").editor, "88")
    instance.patch(SetProps(id="n", props={"bind": "temp", "label": "Temperatur"}))
    qtbot.keyClicks(body.widget("n").editor, "3")
    assert instance.values == {"pulse": 88, "temp": 3}
    instance.whole(node("column", "c", node("text-area", "a", bind="one", label="En")))
    qtbot.keyClicks(body.widget("a").editor, "til den ene")
    instance.whole(node("column", "c", node("text-area", "a", bind="two", label="To")))
    qtbot.keyClick(body.widget("a").editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert instance.values.get("two") is None


@pytest.fixture
def framed(qtbot, light, instance, spawner):
    """A body in its frame, with another panel's field below."""
    window = QWidget()
    frame, beside = PanelFrame(light, "Notat", "Polarvakt"), QLineEdit()
    box = QVBoxLayout(window)
    box.addWidget(frame, 1)
    box.addWidget(beside)
    window.resize(620, 620)
    qtbot.addWidget(window)
    body = PanelBody(light, lambda: NOW, spawner)
    instance.listener = body
    frame.set_body(body)
    body.attach(instance)
    frame.show_body()
    window.show()
    active(qtbot, window)
    window.frame, window.body, window.beside = frame, body, beside
    return window


def test_a_calendar_that_stands_open_closes_with_its_panel(qtbot, framed, instance):
    instance.whole(node("column", "c", node("date-field", "d", bind="d", label="Dato")))
    date = framed.body.widget("d")
    date.editor.setFocus()
    date.open()
    calendar = date.calendar
    assert QApplication.focusWidget() is calendar
    framed.frame.fail("«Notat» fra Polarvakt stanset.")
    assert not calendar.isVisible()
    qtbot.waitUntil(framed.frame._notice.has_focus)
    framed.frame.show_body()
    assert QApplication.focusWidget() is date.editor


def test_the_focus_does_not_come_back_into_a_page_that_nobody_sees(qtbot, framed, instance):
    def pages():
        return node(
            "column", "c",
            node(
                "tabs", "t",
                node("tab", "one", node("text-field", "#a", bind="a", label="A"), title="En"),
                node("tab", "two", node("text-field", "#b", bind="b", label="B"), title="To"),
            ),
        )  # fmt: skip

    instance.whole(pages())
    framed.body.widget("#a").editor.setFocus()
    framed.frame.fail("«Notat» fra Polarvakt stanset.")
    framed.body.widget("t").bar.setCurrentIndex(1)
    framed.frame.show_body()
    assert QApplication.focusWidget() is framed.body.widget("#b").editor


def test_what_was_saved_does_not_come_back_into_its_field_and_an_editor_with_nothing_to_undo_lets_the_key_through(
    qtbot, body, instance
):
    asked = []
    body.undoAsked.connect(lambda: asked.append(True))
    number = node("number-field", "#p", bind="p", label="Puls")
    instance.whole(node("column", "c", node("text-area", "#a", bind="a", label="Notat"), number))
    active(qtbot, body)
    for name, text in (("#a", "Falt på badet"), ("#p", "77")):
        editor = body.widget(name).editor
        editor.setFocus()
        typed(qtbot, text)
        qtbot.keyClick(editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert instance.values.get(name[1:]) in (None, 7), "the editor's own goes first"
        typed(qtbot, text)
        instance.values.pop(name[1:])
        body.values_changed((name[1:],))
        qtbot.keyClick(editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert instance.values.get(name[1:]) is None
    assert asked == [True, True]


def test_line_ends_of_another_system_are_no_lines_more(body, instance):
    instance.values["t"] = "Linje en\r\nLinje to"
    instance.whole(node("column", "c", node("text-area", "a", bind="t", label="A")))
    body.values_changed(("b",))
    assert body.widget("a").editor.toPlainText() == "Linje en\nLinje to"


def test_larger_text_is_larger_for_what_stands_in_an_empty_field_too(qapp, body, instance):
    instance.whole(node("column", "c", node("text-area", "a", bind="t", label="A", placeholder="Hva er nytt?")))
    large = themes.apply(qapp, themes.load("light"), 2.0)
    body.set_theme(large)
    assert body.widget("a").editor.viewport().font() == large.font("body")


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_either_enter_is_enter_in_a_shortcut(qtbot, body, instance, spawner, key):
    save = node("button", "b", text="Signer", shortcut="Ctrl+Enter", action={"name": "sign"})
    instance.whole(node("column", "c", node("text-area", "#a", bind="a", label="Notat"), save))
    active(qtbot, body)
    body.widget("#a").editor.setFocus()
    qtbot.keyClick(body.widget("#a").editor, key, Qt.KeyboardModifier.ControlModifier)
    spawner.turn()
    assert [action.name for action in instance.acts] == ["sign"]


def test_the_focus_waits_in_the_frame_while_the_panel_is_away_and_comes_back_with_it(qtbot, framed, instance):
    note = node("column", "c", node("text-area", "#note", bind="note", label="Notat"))
    frame, body, beside, taken = framed.frame, framed.body, framed.beside, []
    away = "«Notat» fra Polarvakt starter på nytt …"

    def heard(old, new):
        taken.append(new is beside)

    instance.whole(note)
    QApplication.instance().focusChanged.connect(heard)
    area = body.widget("#note").editor
    area.setFocus()
    typed(qtbot, "Sover")
    frame.fail("«Notat» fra Polarvakt stanset.")
    assert QApplication.focusWidget() is frame._notice.again
    frame.explain(away, offer=False)
    assert QApplication.focusWidget() is frame._notice
    typed(qtbot, " godt")
    instance.whole(note)
    frame.show_body()
    assert QApplication.focusWidget() is area
    typed(qtbot, ".")
    assert (area.toPlainText(), beside.text(), any(taken)) == ("Sover.", "", False)
    QApplication.instance().focusChanged.disconnect(heard)
    frame.explain(away, offer=False)
    instance.whole(node("column", "other", node("text-field", "#line", bind="note", label="Notat")))
    frame.show_body()
    assert QApplication.focusWidget() is body.widget("#line").editor, "what had it is gone: the first field"
    beside.setFocus()
    frame.explain(away, offer=False)
    frame.show_body()
    assert QApplication.focusWidget() is beside, "who works elsewhere is not disturbed"

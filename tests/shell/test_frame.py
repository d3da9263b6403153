"""A panel's frame when something is wrong: named, read out, reachable by keyboard, and honest about how it is shut in."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QLabel, QWidget

from workspace.shell import theme as themes
from workspace.shell.frame import PanelFrame

WORDS = "«Vitale målinger» fra Nordlys Helse stanset: det krasjet (kode 1)."


@pytest.fixture(params=[1.0, 2.0])
def frame(qtbot, qapp, request):
    theme = themes.apply(qapp, themes.load("light"), request.param)
    window = QWidget()
    made = PanelFrame(theme, "Vitale målinger", "Nordlys Helse")
    made.setParent(window)
    window.resize(620, 420)
    made.resize(620, 420)
    window.show()
    qtbot.addWidget(window)
    qtbot.waitExposed(window)
    window.activateWindow()
    made.window_ = window
    return made


def shown(frame):
    return [b.text() for b in (*frame._notice.buttons(), *frame._strip.buttons()) if b.isVisible()]


def test_a_dead_panel_says_whose_it_is_and_what_can_be_done(frame, qtbot):
    frame.fail(WORDS)
    assert shown(frame) == ["Start på nytt", "Meld fra", "Skjul"]
    assert frame._notice.accessibleName() == WORDS
    for button in frame._notice.buttons():
        said = QAccessible.queryAccessibleInterface(button)
        assert said.text(QAccessible.Text.Name) == button.text()
        assert said.text(QAccessible.Text.Description) == WORDS
        assert button.focusPolicy() == Qt.FocusPolicy.StrongFocus
        inside = button.geometry()
        assert frame._notice.rect().contains(button.mapTo(frame._notice, button.rect().topLeft()))
        assert inside.height() > 10
    with qtbot.waitSignal(frame.restartAsked, timeout=500):
        qtbot.keyClick(frame._notice.again, Qt.Key.Key_Space)
    with qtbot.waitSignal(frame.closeAsked, timeout=500):
        qtbot.keyClick(frame._notice.hide_, Qt.Key.Key_Space)


def test_a_locked_panel_cannot_be_hidden_and_one_switched_off_not_be_started(frame, qapp, qtbot):
    frame.fail(WORDS, again=False)
    assert shown(frame) == ["Meld fra", "Skjul"]
    locked = PanelFrame(frame._theme, "Allergier", "Fjelldata", locked=True)
    qtbot.addWidget(locked)
    locked.show()
    locked.fail(WORDS)
    assert shown(locked) == ["Start på nytt", "Meld fra"]


def test_a_silent_panel_keeps_its_picture_under_a_strip_that_stays(frame):
    frame.warn("«Notat» fra Polarvakt svarer ikke.")
    assert frame._strip.isVisible()
    assert shown(frame) == ["Start på nytt", "Meld fra", "Skjul"]
    frame.well()
    assert not frame._strip.isVisible()


def test_the_log_is_seen_before_it_goes_into_a_report_and_stays_out_unless_chosen(frame, qtbot):
    frame.fail(WORDS)
    with qtbot.waitSignal(frame.reportWanted, timeout=500):
        qtbot.keyClick(frame._notice.report, Qt.Key.Key_Space)
    for press, with_log in (("make", False), ("with_log", True)):
        frame.ask_report("linje fra panelet")
        page = frame._notice._page
        assert page.log.toPlainText() == "linje fra panelet"
        with qtbot.waitSignal(frame.reportAsked, timeout=500) as asked:
            qtbot.keyClick(getattr(page, press), Qt.Key.Key_Space)
        assert asked.args == [with_log]
        assert shown(frame) == ["Start på nytt", "Meld fra", "Skjul"]
    asked = []
    frame.reportAsked.connect(asked.append)
    frame.ask_report("")
    page = frame._notice._page
    assert not page.log.isVisible()
    assert not page.with_log.isVisible()
    qtbot.keyClick(page.cancel, Qt.Key.Key_Space)
    assert asked == []


def test_a_lower_tier_is_labelled_for_as_long_as_the_panel_stands(frame):
    frame.set_confinement("Ikke avskjermet")
    frame.tell("Lagret", "ok")
    frame.blank()
    frame.set_body(None)
    assert frame._walls.isVisible()
    assert frame._walls.accessibleName() == "Ikke avskjermet"
    assert "ikke skjermet av" in frame._walls.toolTip()
    frame.set_confinement("confined")
    assert not frame._walls.isVisible()


def test_a_vendors_words_stay_on_one_line_as_words(frame):
    frame.tell("Trykk\n\nher \u202efdp.exe\u202c <b>nå</b>" + " x" * 4000, "bad")
    said = frame._state.accessibleName()
    assert said.startswith("Trykk her fdp.exe <b>nå</b>")
    assert len(said) <= 300
    assert frame._state.width() <= frame.width()
    frame.fail("<b>«X»</b> fra <img src='file:///etc/passwd'> stanset.")
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in frame.findChildren(QLabel))


def test_one_patient_after_another_leaves_no_timer_behind(frame):
    timers = len(frame.findChildren(QTimer))
    for number in range(5):
        frame.await_data(f"Beboer {number}")
    assert len(frame.findChildren(QTimer)) == timers


def test_what_is_not_offered_any_more_cannot_be_undone(frame):
    undone = []
    frame.undoAsked.connect(undone.append)
    frame.tell("Lagret", receipt="den forrige beboerens")
    frame.set_body(None)
    frame._undo_pressed()
    frame.tell("Lagret", receipt="for lenge siden")
    frame._timer.timeout.emit()
    frame._undo_pressed()
    assert undone == []
    frame.tell("Lagret", receipt="nå")
    frame._undo.click()
    assert undone == ["nå"]


def test_a_draft_that_is_saved_takes_no_undo_away_and_no_bad_news(frame):
    undone = []
    frame.undoAsked.connect(undone.append)
    frame.tell("Lagret", receipt="nå")
    frame.whisper("Kladd lagret 15:04")
    assert (frame._told[0], frame._undo.isVisible()) == ("Lagret", True)
    frame._undo.click()
    assert undone == ["nå"]
    frame.tell("Ikke lagret", "bad")
    frame.whisper("Kladd lagret 15:05")
    assert frame._told[0] == "Ikke lagret"
    frame.tell("Angret", "neutral")
    frame.whisper("Kladd lagret 15:06")
    assert frame._told[0] == "Kladd lagret 15:06"

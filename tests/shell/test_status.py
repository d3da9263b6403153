"""The status line: what needs the user stands first, with one thing to do; the line keeps its height."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from tests.shell.kit.looking import cut, settle, words
from workspace.shell import theme
from workspace.shell.attention import Attention
from workspace.shell.chips import PlainButton
from workspace.shell.sheet import Sheet
from workspace.shell.status import Notice, StatusLine
from workspace.shell.window import MainWindow


@pytest.fixture
def line(qtbot, qapp):
    made = StatusLine(theme.apply(qapp, theme.load("light"), 1.0))
    qtbot.addWidget(made)
    made.resize(1440, made.height())
    made.show()
    return made


def button(line, text):
    return next(one for one in (line._act, line._saved) if one.text() == text and one.isVisible())


def test_the_most_urgent_is_shown_and_the_next_when_it_is_over(line):
    line.set_light("Journalplattform", "ok")
    line.notice("away", Notice("Plattformen svarer ikke.", "warn"))
    line.notice("login", Notice("Innloggingen er utløpt.", "bad", "Logg inn på nytt", lambda: None))
    assert line.text().startswith("Innloggingen er utløpt.")
    assert button(line, "Logg inn på nytt")
    line.notice("login", None)
    assert line.text().startswith("Plattformen svarer ikke.")
    assert not line._act.isVisible(), "nothing to press where nothing can be done"
    line.notice("away", None)
    assert line.text() == "Journalplattform"
    assert line.accessibleName() == "Status"


def test_nothing_above_moves_when_something_is_said(line):
    height = line.height()
    line.notice("login", Notice("Innloggingen er utløpt.", "bad", "Logg inn på nytt", lambda: None))
    assert line.height() == height
    assert line._act.height() <= height


def test_what_is_offered_is_done_by_mouse_and_by_keyboard(line):
    done = []
    line.notice("login", Notice("Utløpt.", "bad", "Logg inn på nytt", lambda: done.append(1)))
    QTest.mouseClick(button(line, "Logg inn på nytt"), Qt.MouseButton.LeftButton)
    QTest.keyClick(button(line, "Logg inn på nytt"), Qt.Key.Key_Space)
    assert done == [1, 1]


def test_what_waits_can_be_looked_at(line, qtbot):
    line.set_saved("2 venter på plattformen")
    with qtbot.waitSignal(line.savedAsked, timeout=1000):
        QTest.mouseClick(button(line, "2 venter på plattformen"), Qt.MouseButton.LeftButton)


class Told:
    """A service light, or an outbox with items, as the rooms behind tell them."""

    def __init__(self, **what):
        self.__dict__.update(what)


def test_an_expired_login_an_absent_platform_and_refused_work_are_ranked_in_words(line):
    asked = []
    attention = Attention(line, sign_in=lambda: asked.append("login"), show_unsent=lambda: asked.append("unsent"))
    attention.platform(Told(state="nede", since="15:02", text="nede siden 15:02"))
    assert "Journalplattformen svarer ikke siden 15:02" in line.text()
    refused = [Told(state="avvist"), Told(state="konflikt")]
    attention.outbox(Told(refused=lambda: refused, unsent=lambda: 3))
    assert line.text().startswith("2 ble ikke lagret.")
    assert "3 venter på plattformen" in line.text()
    QTest.mouseClick(button(line, "Se hva"), Qt.MouseButton.LeftButton)
    attention.outbox(Told(refused=list, unsent=lambda: 0))
    attention.session("expired")
    QTest.mouseClick(button(line, "Logg inn på nytt"), Qt.MouseButton.LeftButton)
    assert asked == ["unsent", "login"]
    attention.session("signed-in")
    attention.platform(Told(state="ok", since="", text="ok"))
    assert line.shown_notice() is None
    assert "Alt er lagret" in line.text()
    attention.close()


def test_what_the_user_has_seen_to_leaves_the_line_and_all_is_not_called_saved_before(line):
    refused, waiting, heard = [Told(state="avvist")], [1], []
    outbox = Told(
        refused=lambda: refused,
        unsent=lambda: len(waiting),
        on_change=lambda listener: list,
        on_marks=lambda listener: heard.append(listener) or list,
    )
    quiet = Told(on_state=lambda listener: list, on_service=lambda listener: list, joined=True, durable=True)
    attention = Attention(line, sign_in=list, show_unsent=list)
    attention.follow(session=quiet, record=quiet, outbox=outbox, vault=quiet)
    assert "1 registrering ble ikke lagret." in line.text()
    assert "1 venter på plattformen" in line.text()
    waiting.append(2)
    heard[0]()
    assert "1 venter på plattformen" in line.text(), "in its ordinary time"
    waiting.clear()  # taken back
    heard[0]()
    assert "Alt annet er lagret" in line.text()
    refused.clear()
    heard[0]()
    assert line.shown_notice() is None
    assert "Alt er lagret" in line.text()
    attention.close()


def test_what_the_platform_lacks_is_said_in_words_and_can_be_closed(line):
    attention = Attention(line, sign_in=list, show_unsent=list)
    attention.lacks(("søk i Flag etter status", "versjoner av Observation", "FHIR R4"))
    assert "mangler noe arbeidsflaten trenger: søk i Flag etter status og 2 til." in line.text()
    QTest.mouseClick(button(line, "Lukk"), Qt.MouseButton.LeftButton)
    assert "mangler" not in line.text()
    attention.lacks(("FHIR R4",))
    assert "trenger: FHIR R4." in line.text()
    attention.lacks(())
    assert "mangler" not in line.text()
    attention.close()


def test_at_large_text_what_needs_the_user_is_said_whole_and_the_lights_wait(line, qapp):
    words = (
        "Journalplattformen svarer ikke siden 14:45. Du kan lese det som er hentet, og skrive: det venter trygt her."
    )
    line.setFixedWidth(1440)  # as the window gives it
    for scale in (1.0, 2.0):
        line.set_theme(theme.apply(qapp, theme.load("light"), scale))
        line.set_light("Journalplattform", "bad", "nede siden 14:45")
        line.set_light("Innlogging", "ok")
        line.set_saved("Alt er lagret")
        line.notice("away", Notice(words, "warn"))
        qapp.processEvents()
        assert line._words.width() >= line._words.sizeHint().width(), scale
        assert line._saved.geometry().right() <= line.width()
        line.notice("away", None)
        qapp.processEvents()
        free = line._lights_left() + line._lights_width()
        assert free <= line._saved.geometry().left(), "the lights are back"


AWAY = "Journalplattformen svarer ikke siden 14:45. Du kan lese det som er hentet, og skrive: det venter trygt her."


@pytest.mark.parametrize(("scale", "width"), [(2.0, 760), (2.0, 1024), (1.5, 760), (1.0, 760)])
def test_where_there_is_no_room_nothing_is_cut_in_half_and_all_of_it_is_a_press_away(qapp, qtbot, scale, width):
    window = MainWindow(theme.apply(qapp, theme.load("light"), scale))
    qtbot.addWidget(window)
    window.resize(width, 520)
    window.show_work()
    window.show()
    window.activateWindow()
    line = window.status
    line.set_light("Journalplattform", "bad", "nede siden 14:45")
    line.set_light("Innlogging", "ok")
    line.set_saved("2 venter på plattformen")
    line.set_counts("I dag: 14 registrert, 41 gjenbrukt")
    line.set_right("6 paneler · 3 leverandører")
    for notice in (None, Notice(AWAY, "warn"), Notice(AWAY, "bad", "Logg inn på nytt", list)):
        line.notice("away", notice)
        settle()
        assert line.width() == width
        assert [wrong for one in words(line) if (wrong := cut(one))] == []
        shown = " ".join(one.text for one in words(line))
        for half in ("I dag:", "6 paneler", "nede siden"):
            assert half not in shown or line.text().partition(half)[2].partition(" · ")[0] in shown
    assert line._all.isVisible()
    line._all.setFocus()
    QTest.keyClick(line._all, Qt.Key.Key_Space)
    (sheet,) = (one for one in window.findChildren(Sheet) if one.isVisible())
    told = [one.text() for one in sheet.findChildren(QLabel)]
    assert told[2:] == [
        AWAY,
        "Journalplattform: nede siden 14:45",
        "Innlogging: i orden",
        "I dag: 14 registrert, 41 gjenbrukt",
        "6 paneler · 3 leverandører",
    ]
    waits = next(one for one in sheet.findChildren(PlainButton) if one.text() == "2 venter på plattformen")
    with qtbot.waitSignal(line.savedAsked, timeout=1000):
        QTest.keyClick(waits, Qt.Key.Key_Space)
    assert not sheet.isVisible()
    window.let_go()


def test_where_all_has_room_nothing_more_is_offered(line):
    line.set_light("Journalplattform", "ok")
    line.set_saved("Alt er lagret")
    line.set_counts("I dag: 0 registrert, 0 gjenbrukt")
    assert not line._all.isVisible()

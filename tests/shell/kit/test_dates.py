"""Days and times as they are typed, in words, in a calendar."""

from __future__ import annotations

from datetime import date

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QWidget

from workspace.panels.components import DateField, TimeField
from workspace.shell.kit import days, when
from workspace.shell.kit.date import DateWidget
from workspace.shell.kit.time import TimeWidget

TODAY = date(2026, 1, 14)  # a Wednesday


@pytest.fixture
def shown(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(500, 500)

    def show(widget):
        widget.setParent(window)
        widget.setGeometry(10, 10, 220, widget.heightForWidth(220) or widget.sizeHint().height())
        window.show()
        widget.show()
        window.activateWindow()
        widget.setFocus()
        qtbot.waitUntil(lambda: QApplication.focusWidget() is widget.editor)
        return widget

    return show


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("14.01.2026", "2026-01-14"), ("14.1.26", "2026-01-14"), ("3.2", "2026-02-03"), ("3", "2026-01-03"),
        ("140126", "2026-01-14"), ("14012026", "2026-01-14"), ("1402", "2026-02-14"), ("2026-01-14", "2026-01-14"),
        ("i dag", "2026-01-14"), ("I  GÅR", "2026-01-13"), ("i morgen", "2026-01-15"), ("fredag", "2026-01-16"),
        ("onsdag", "2026-01-14"), ("+10", "2026-01-24"), ("-1", "2026-01-13"), ("09.05.39", "2039-05-09"),
        ("09.05.1939", "1939-05-09"), ("1/2", "2026-02-01"), ("29.2.2024", "2024-02-29"), ("9.5.57", "1957-05-09"),
        ("31.2", None), ("14.13.2026", None), ("", None), ("i fjor", None), ("29.2.2025", None), ("14.1.2", None),
        ("٣", None), ("99", None), ("1.2.3.4", None), ("00.00.0000", None), ("123", None),
    ],
)  # fmt: skip
def test_a_day_is_understood_as_people_write_it(typed: str, day: str | None):
    found = days.parse_day(typed, TODAY)
    assert (found.isoformat() if found else None) == day


@pytest.mark.parametrize(
    ("typed", "clock"),
    [
        ("15:04", "15:04"), ("15.04", "15:04"), ("1504", "15:04"), ("904", "09:04"), ("9", "09:00"), ("23", "23:00"),
        ("0:00", "00:00"), ("24", None), ("12:60", None), ("nå", None), ("", None), ("1:2:3", None), ("15:4", None),
    ],
)  # fmt: skip
def test_a_time_is_understood_as_people_write_it(typed: str, clock: str | None):
    assert days.parse_clock(typed) == clock


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 1, 14), "i dag"), (date(2026, 1, 13), "i går"), (date(2026, 1, 15), "i morgen"),
        (date(2026, 1, 17), "om 3 dager"), (date(2025, 12, 24), "for 3 uker siden"), (date(2019, 1, 1), ""),
    ],
)  # fmt: skip
def test_how_near_a_day_is_in_words(day: date, words: str):
    assert when.near(day, TODAY) == words


def test_a_month_later_stays_in_the_month():
    assert days.month_later(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert days.month_later(date(2026, 3, 31), -1) == date(2026, 2, 28)
    assert days.month_later(date(2026, 12, 5), 1) == date(2027, 1, 5)
    assert days.month_later(date(9999, 12, 5), 1) == date(9999, 12, 5)


def test_typing_a_date_sends_a_day_or_what_is_typed(qtbot, notes, shown):
    field = shown(DateWidget(DateField(bind="d", label="Dato"), notes.env))
    qtbot.keyClicks(field.editor, "i dag")
    assert notes.values["d"] == "2026-01-14"
    assert "i dag" in field.editor.accessibleDescription()
    field.editor.clear()
    qtbot.keyClicks(field.editor, "i fjor")
    assert notes.values["d"] == "i fjor"
    QApplication.sendEvent(field.editor, QEvent(QEvent.Type.FocusOut))
    field.editor.clearFocus()
    assert "Skriv en dato" in field.editor.accessibleDescription()


def test_leaving_the_field_writes_the_day_out(qtbot, notes, shown):
    field = shown(DateWidget(DateField(bind="d", label="Dato"), notes.env))
    qtbot.keyClicks(field.editor, "3.2")
    field.editor.clearFocus()
    assert field.editor.text() == "03.02.2026"
    assert "tirsdag" in field.editor.accessibleDescription()
    assert notes.values["d"] == "2026-02-03"


def test_arrows_move_by_a_day(qtbot, notes, shown):
    field = shown(DateWidget(DateField(bind="d", label="Dato"), notes.env))
    qtbot.keyClick(field.editor, Qt.Key.Key_Up)
    assert notes.values["d"] == "2026-01-14", "an empty field begins with today"
    qtbot.keyClick(field.editor, Qt.Key.Key_Down)
    assert notes.values["d"] == "2026-01-13"


def test_the_ends_of_the_calendar_stop_the_arrows(qtbot, notes, shown):
    notes.values["d"] = "9999-12-31"
    field = shown(DateWidget(DateField(bind="d", label="Dato"), notes.env))
    qtbot.keyClick(field.editor, Qt.Key.Key_Up)
    assert field.editor.text() == "31.12.9999"
    field.open()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_PageDown):
        qtbot.keyClick(field.calendar, key)
    assert field.calendar.day == date(9999, 12, 31)
    assert not field.calendar.grab().isNull()


def test_the_calendar_is_all_keyboard(qtbot, notes, shown):
    notes.values["d"] = "2026-01-14"
    field = shown(DateWidget(DateField(bind="d", label="Dato"), notes.env))
    qtbot.keyClick(field.editor, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    pad = field.calendar
    assert pad is not None
    assert QApplication.focusWidget() is pad
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_PageDown):
        qtbot.keyClick(pad, key)
    assert pad.day == date(2026, 2, 22)
    assert "22. februar" in pad.accessibleName()
    qtbot.keyClick(pad, Qt.Key.Key_Return)
    assert notes.values["d"] == "2026-02-22"
    assert field.editor.text() == "22.02.2026"
    assert field.calendar is None
    assert QApplication.focusWidget() is field.editor
    qtbot.keyClick(field.editor, Qt.Key.Key_F4)
    qtbot.keyClick(field.calendar, Qt.Key.Key_Escape)
    assert field.calendar is None
    assert notes.values["d"] == "2026-02-22", "Escape chooses nothing"


def test_a_day_is_chosen_with_the_mouse(qtbot, notes, shown):
    field = shown(DateWidget(DateField(bind="d", label="Dato"), notes.env))
    qtbot.mouseClick(field._opener, Qt.MouseButton.LeftButton)
    pad = field.calendar
    qtbot.mouseClick(pad, Qt.MouseButton.LeftButton, pos=pad.cell(date(2026, 1, 20)).center().toPoint())
    assert notes.values["d"] == "2026-01-20"
    qtbot.mouseClick(field._opener, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(field.calendar, Qt.MouseButton.LeftButton, pos=field.calendar._foot().center().toPoint())
    assert notes.values["d"] == "2026-01-14"


def test_an_unlikely_day_warns_and_does_not_stop(qtbot, notes, shown):
    field = shown(DateWidget(DateField(bind="d", label="Født", maximum="2026-01-14"), notes.env))
    qtbot.keyClicks(field.editor, "i morgen")
    field.editor.clearFocus()
    assert "Uvanlig dato (ventet til 14.01.2026)" in field.editor.accessibleDescription()
    assert notes.values["d"] == "2026-01-15"


def test_a_day_from_elsewhere_is_shown_and_typing_is_not_disturbed(notes, shown):
    field = shown(DateWidget(DateField(bind="d", label="Dato"), notes.env))
    notes.values["d"] = "2026-01-20"
    field.value_changed()
    assert field.editor.text() == "20.01.2026"
    field.editor.setText("20.1")
    field.value_changed()
    assert field.editor.text() == "20.1", "the same day, as the user wrote it"


def test_the_calendar_ends_with_its_field(qtbot, notes, shown):
    field = shown(DateWidget(DateField(bind="d", label="Dato"), notes.env))
    field.open()
    window, drop = field.window(), field._drop
    assert drop.isVisible()
    field.hide()
    assert not drop.isVisible(), "a calendar must not stand over another patient"
    field.deleteLater()
    qtbot.waitUntil(lambda: not window.findChildren(type(drop)))


def test_the_calendar_follows_its_field_to_another_window(qtbot, notes, shown):
    field = shown(DateWidget(DateField(bind="d", label="Dato"), notes.env))
    field.open()
    field.calendar.left.emit()
    other = QWidget()
    qtbot.addWidget(other)
    other.resize(500, 500)
    field.setParent(other)
    other.show()
    field.show()
    field.open()
    assert field.calendar.window() is other
    assert other.rect().contains(field._drop.geometry())


def test_now_is_a_word_a_button_and_an_arrow(qtbot, notes, shown):
    field = shown(TimeWidget(TimeField(bind="t", label="Kl."), notes.env))
    qtbot.keyClicks(field.editor, "nå")
    assert (field.editor.text(), notes.values["t"]) == ("15:04", "15:04")
    qtbot.keyClick(field.editor, Qt.Key.Key_Up)
    assert notes.values["t"] == "15:09"
    field.editor.clear()
    qtbot.keyClicks(field.editor, "2358")
    qtbot.keyClick(field.editor, Qt.Key.Key_Up)
    assert notes.values["t"] == "00:03"
    qtbot.mouseClick(field._opener, Qt.MouseButton.LeftButton)
    assert notes.values["t"] == "15:04"


def test_a_time_that_is_none_says_so_after_leaving(qtbot, notes, shown):
    field = shown(TimeWidget(TimeField(bind="t", label="Kl."), notes.env))
    qtbot.keyClicks(field.editor, "25")
    assert field.editor.accessibleDescription() == "", "nobody is told while typing"
    field.editor.clearFocus()
    assert "Skriv et klokkeslett" in field.editor.accessibleDescription()
    assert notes.values["t"] == "25"
    field.setFocus()
    field.editor.clear()
    qtbot.keyClicks(field.editor, "7")
    field.editor.clearFocus()
    assert (field.editor.text(), notes.values["t"]) == ("07:00", "07:00")

"""The administrator's view: what runs, who is off, and the way back, by keyboard."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from workspace.panels.watching import PackageUsage
from workspace.shell import theme as themes
from workspace.shell.panels_view import COLUMNS, PanelsView


class Host:
    """Real usage rows, and what was enabled."""

    def __init__(self):
        self.rows = [
            PackageUsage("a.x", "Vitale", "Nordlys", "1.0.0", (7, 8), 12 << 20, 1.5, 1200, 9000, 40, 2.5, 1500.0),
            PackageUsage("b.y", "Notat", "Polarvakt", "2.1.0", crashes=3, disabled=True, tier="Ikke avskjermet"),
        ]
        self.rows[0] = replace(self.rows[0], tier="confined")

    def usage(self):
        return self.rows

    def enable(self, package):
        self.rows = [replace(one, disabled=False, crashes=0) if one.package == package else one for one in self.rows]


@pytest.fixture
def view(qtbot, qapp):
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    made = PanelsView(themes.apply(qapp, themes.load("light"), 1.0), Host(), window)
    made.show()
    yield made
    made.close()


def row(view, number):
    return [view.table.item(number, column).text() for column in range(len(COLUMNS))]


def test_every_package_has_a_row_with_what_it_uses(view):
    running = [
        "Vitale",
        "Nordlys",
        "1.0.0",
        "Kjører",
        "Avskjermet",
        "12,0",
        "1,5",
        "1\u202f200",
        "2,5",
        "1,5",
        "40",
        "0",
    ]
    assert row(view, 0) == running
    assert row(view, 1)[3:5] == ["Slått av", "Ikke avskjermet"]
    assert row(view, 1)[-1] == "3"
    assert not view.isModal()


def test_what_was_switched_off_is_switched_on_again_by_keyboard(view, qtbot):
    assert not view.on.isEnabled()
    view.table.selectRow(0)
    assert not view.on.isEnabled()
    qtbot.keyClick(view.table, Qt.Key.Key_Down)
    assert view.on.isEnabled()
    qtbot.keyClick(view.on, Qt.Key.Key_Space)
    assert row(view, 1)[3] == "Kjører ikke"
    assert not view.on.isEnabled()


def test_it_stays_fresh_while_it_is_seen_and_rests_when_it_is_not(view, qtbot):
    assert view._timer.isActive()
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert not view.isVisible()
    assert not view._timer.isActive()

"""The inspector's list of messages, its filter, and the message that is chosen."""

from __future__ import annotations

import json

import pytest

from workspace.panels.conformance.inspector import Tape
from workspace.shell import theme
from workspace.shell.inspector import DevWindow, Inspector


def message(number):
    return json.dumps(
        {"jsonrpc": "2.0", "method": "render" if number % 2 else "log", "params": {"number": number}}
    ).encode()


@pytest.fixture
def inspector(qtbot):
    tape = Tape()
    made = Inspector(theme.load("light"), tape)
    qtbot.addWidget(made)
    tape.heard = made.heard
    for number in range(6):
        tape.tap("in", "p", 1, "i", "c", message(number))
    return made, tape


def test_messages_come_as_they_pass_and_the_filter_chooses_among_old_and_new(inspector):
    made, tape = inspector
    assert made.model.rowCount() == 6
    made.filter.setText("render")
    assert made.model.rowCount() == 3
    tape.tap("in", "p", 1, "i", "c", message(7))
    tape.tap("in", "p", 1, "i", "c", message(8))
    assert made.model.rowCount() == 4
    assert {made.model.data(made.model.index(row, 2)) for row in range(4)} == {"render"}


def test_the_chosen_message_is_laid_out_below(inspector):
    made, _ = inspector
    made.table.selectRow(2)
    assert '"number": 2' in made.body.toPlainText()
    assert made.table.accessibleName()
    assert made.filter.accessibleName()


@pytest.mark.parametrize("name", theme.NAMES)
def test_faults_stand_below_until_they_are_gone(qtbot, name):
    window = DevWindow(theme.load(name))
    qtbot.addWidget(window)
    window.show()
    assert not window.faults.isVisible()
    window.show_faults(["KeyError: 'x' (panel.py:3)"])
    assert window.faults.isVisible()
    assert "panel.py:3" in window.faults.text()
    window.show_faults([])
    assert not window.faults.isVisible()

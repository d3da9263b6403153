"""What screen readers ask of our own interfaces, as Qt's bridges do: everything, of everything, at any time."""

from __future__ import annotations

import gc

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QWidget

from workspace.panels.components import Action, Button, Heading, Progress, Sparkline, Text
from workspace.shell.kit import access
from workspace.shell.kit.button import ButtonWidget
from workspace.shell.kit.heading import HeadingWidget
from workspace.shell.kit.progress import ProgressWidget
from workspace.shell.kit.sparkline import SparklineWidget
from workspace.shell.kit.text import TextWidget

MADE = {
    "heading": lambda env: HeadingWidget(Heading(text="Tittel", level=2), env),
    "text": lambda env: TextWidget(Text(text="Ord"), env),
    "button": lambda env: ButtonWidget(Button(text="Lagre", action=Action(name="x"), disabled="Tomt"), env),
    "progress": lambda env: ProgressWidget(Progress(text="Henter", value=0.5), env),
    "sparkline": lambda env: SparklineWidget(Sparkline(values=[1, 2]), env),
}


@pytest.fixture
def listening(qapp):
    """An assistive technology is there: Qt makes and keeps interfaces for everything that is shown."""
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(False)


@pytest.mark.parametrize("kind", MADE)
def test_every_question_has_an_answer(qtbot, notes, listening, kind):
    made = MADE[kind](notes.env)
    qtbot.addWidget(made)
    made.show()
    face = QAccessible.queryAccessibleInterface(made)
    assert face.role() != QAccessible.Role.Client
    assert face.text(QAccessible.Text.Name)
    for which in QAccessible.Text:
        assert isinstance(face.text(which), str)
    for ask in (
        face.actionInterface, face.attributesInterface, face.editableTextInterface, face.selectionInterface,
        face.tableCellInterface, face.textInterface, face.valueInterface,
    ):  # fmt: skip
        ask()
    assert face.state() is not None
    assert face.rect().isValid()
    assert face.childCount() == 0
    access.announce(made, "noe å si")


def test_a_button_can_be_pressed_by_a_screen_reader(qtbot, notes, listening):
    made = ButtonWidget(Button(text="Lagre", action=Action(name="save")), notes.env)
    qtbot.addWidget(made)
    made.show()
    face = QAccessible.queryAccessibleInterface(made)
    actions = face.actionInterface()
    assert actions is not None
    assert "SetFocus" in actions.actionNames()


def test_interfaces_end_with_their_widgets(qtbot, notes, listening):
    before = len(access._voices)
    holder = QWidget()
    qtbot.addWidget(holder)
    for _ in range(40):
        made = HeadingWidget(Heading(text="Tittel"), notes.env, holder)
        made.show()
        assert QAccessible.queryAccessibleInterface(made).role() == QAccessible.Role.Heading
        made.deleteLater()
        del made
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert len(access._voices) <= before

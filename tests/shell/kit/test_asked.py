"""What reaches a body from outside its own panel: Esc while an action runs, and another panel that asks for its first
field."""

from __future__ import annotations

import asyncio

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from workspace.panels.protocol import Node


def form() -> Node:
    save = Node("b", "button", {"text": "Lagre", "action": {"name": "save"}})
    pulse = Node("#pulse", "number-field", {"label": "Puls", "bind": "pulse"})
    chips = {"label": "Visning", "bind": "mode", "style": "chips", "slot": "toolbar", "options": []}
    shown = Node("#mode", "choice-field", chips)
    return Node(
        "0", "column", {}, [shown, Node("h", "heading", {"text": "Ny måling"}), save, Node("g", "grid", {}, [pulse])]
    )


def test_escape_lets_go_of_an_action_that_runs(body, instance, spawner):
    instance.whole(form())
    button = body.widget("b")
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Escape)
    assert not instance.cancelled, "nothing runs"
    instance.gate = asyncio.Event()
    QTest.keyClick(button, Qt.Key.Key_Space)
    spawner.turn()
    QTest.keyClick(button, Qt.Key.Key_Escape)
    assert instance.cancelled
    spawner.turn()
    assert all(task.done() for task in spawner.tasks)


def test_the_focus_goes_to_the_first_field(body, instance, qtbot):
    instance.whole(form())
    body.activateWindow()
    body.focus_first()
    field = body.widget("#pulse")
    qtbot.waitUntil(lambda: field.hasFocus() or field.isAncestorOf(body.window().focusWidget()))

from __future__ import annotations

import pytest
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from workspace.shell.kit.painting import guarded
from workspace.shell.kit.registry import registry


class Faulty(QWidget):
    @guarded
    def paintEvent(self, event):
        painter = QPainter(self)
        painter.fillRect(0, 0, 4, 4, "red")
        raise ValueError("a fault while painting")


@pytest.mark.qt_log_ignore("could not be painted", extend=True)
def test_a_fault_while_painting_is_a_line_in_the_log(qtbot, qtlog):
    made = Faulty()
    qtbot.addWidget(made)
    made.show()
    for _ in range(3):
        assert not made.grab().isNull(), "the program goes on, and paints again"
    told = [record.message for record in qtlog.records if "could not be painted" in record.message]
    assert told
    assert "a fault while painting" in told[0]


def test_every_component_paints_under_guard():
    bare = [
        kind
        for kind, widget in registry().items()
        if "paintEvent" in vars(widget) and not hasattr(vars(widget)["paintEvent"], "__wrapped__")
    ]
    assert bare == []

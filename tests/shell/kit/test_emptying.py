from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from workspace.shell.kit.emptying import take_out


class Words(QLabel):
    tall = 20

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, _width: int) -> int:
        return self.tall


@pytest.fixture
def held(qtbot):
    held = QWidget()
    qtbot.addWidget(held)
    QVBoxLayout(held)
    return held


def test_what_was_taken_out_and_put_back_is_heard_when_it_wants_other_room(held):
    box, label = held.layout(), Words("x")
    box.setContentsMargins(0, 0, 0, 0)
    box.addWidget(label)
    assert take_out(box) == [label]
    box.addWidget(label)
    assert box.heightForWidth(100) == 20
    label.tall = 60
    label.updateGeometry()
    assert box.heightForWidth(100) == 60


def test_widgets_come_in_order_and_stretches_go(held):
    box = held.layout()
    first, second = QLabel("1"), QLabel("2")
    box.addWidget(first)
    box.addStretch(1)
    box.addWidget(second)
    assert take_out(box) == [first, second]
    assert box.count() == 0
    for one in (second, first):  # whose they are
        box.addWidget(one)

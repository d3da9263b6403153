from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from workspace.shell.kit.emptying import take_out


class Asked(QLabel):
    times = 0

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, _width: int) -> int:
        self.times += 1
        return 20


@pytest.fixture
def box(qtbot):
    held = QWidget()
    qtbot.addWidget(held)
    return QVBoxLayout(held)


def test_what_was_taken_out_and_put_back_is_asked_anew_when_it_wants_other_room(box):
    label = Asked("x")
    box.addWidget(label)
    assert take_out(box) == [label]
    box.addWidget(label)
    box.heightForWidth(100)
    label.times = 0
    box.heightForWidth(100)
    assert label.times == 0  # known
    label.updateGeometry()
    box.heightForWidth(100)
    assert label.times > 0


def test_widgets_come_in_order_and_stretches_and_layouts_go(box):
    first, second = QLabel("1"), QLabel("2")
    box.addWidget(first)
    box.addStretch(1)
    box.addWidget(second)
    box.addLayout(QVBoxLayout())
    assert take_out(box) == [first, second]
    assert box.count() == 0

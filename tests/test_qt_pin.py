"""PYSIDE-3474: PySide6 6.12.0 on Python 3.11 drops references to None and True until it dies. The pin holds it off."""

import sys

import pytest
from PySide6.QtCore import QObject, QTimer, Signal


class Emitter(QObject):
    fired = Signal(bool)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None and True are immortal from Python 3.12 on")
@pytest.mark.parametrize("single", [None, True, False])
def test_qt_calls_do_not_eat_references(qapp, single):
    emitter, timer = Emitter(), QTimer()
    before = sys.getrefcount(single)
    for _ in range(200):
        emitter.fired.emit(True)
        timer.setInterval(10)
        emitter.setObjectName("x")
        emitter.parent()
    assert abs(sys.getrefcount(single) - before) < 100

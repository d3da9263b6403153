"""Much work in small pieces: in order, once, and with room for keys between."""

import time

import pytest
from PySide6.QtCore import QTimer

from workspace.shell.turns import Turns


@pytest.fixture
def turns(qapp):
    made = Turns()
    yield made
    made.close()


def test_everything_is_done_once_and_in_order(qtbot, turns):
    done = []
    for number in range(50):
        turns.ask(lambda number=number: done.append(number))
    qtbot.waitUntil(lambda: len(done) == 50)
    assert done == list(range(50))


def test_others_get_their_turn_between_pieces(qtbot, turns):
    done, ticks = [], []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(len(done)))
    timer.start(1)
    for number in range(20):
        turns.ask(lambda number=number: (time.sleep(0.01), done.append(number)))
    qtbot.waitUntil(lambda: len(done) == 20)
    timer.stop()
    assert len({count for count in ticks if 0 < count < 20}) >= 5, "the loop went round while the work was done"


def test_nothing_is_begun_in_a_pause(qtbot, turns):
    done = []
    turns.pause(time.perf_counter())
    turns.ask(lambda: done.append(1))
    qtbot.wait(30)
    assert not done
    turns.resume()
    qtbot.waitUntil(lambda: done == [1])


def test_one_that_fails_does_not_hold_back_the_others(qtbot, turns):
    done = []
    with qtbot.captureExceptions() as met:
        turns.ask(lambda: 1 / 0)
        turns.ask(lambda: done.append(1))
        qtbot.waitUntil(lambda: done == [1])
    assert met[0][0] is ZeroDivisionError

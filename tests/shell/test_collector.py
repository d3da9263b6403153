"""The collector is off while something is put on the screen, and never longer."""

from __future__ import annotations

import gc
import weakref

import pytest

from workspace.shell.collector import Collector


class Thing:
    def __init__(self):
        self.me = self


@pytest.fixture
def collector():
    assert gc.isenabled()
    made = Collector()
    yield made
    made.close()
    assert gc.isenabled()


def thrown_away():
    return weakref.ref(Thing())


def test_it_works_again_when_the_last_has_let_go_and_what_was_thrown_away_is_gone(collector):
    collector.hold("Patient/a")
    collector.hold("Patient/b")
    collector.hold("Patient/b")
    gone = thrown_away()
    collector.let_go("Patient/a")
    assert not gc.isenabled()
    assert gone() is not None
    collector.let_go("Patient/b")
    assert gc.isenabled()
    assert gone() is None


def test_who_has_let_go_twice_does_not_let_go_for_another(collector):
    collector.hold("Patient/a")
    collector.hold("Patient/b")
    collector.let_go("Patient/a")
    collector.let_go("Patient/a")
    assert not gc.isenabled()


def test_a_start_that_comes_to_its_end_while_it_is_held_leaves_it_off_from_the_next_hold_on(collector):
    gc.disable()
    collector.hold("Patient/a")
    gc.enable()  # the start is over
    collector.hold("Patient/b")
    assert not gc.isenabled()
    collector.let_go("Patient/a")
    collector.let_go("Patient/b")
    assert gc.isenabled()


def test_once_in_a_while_all_that_was_thrown_away_goes_however_old_it_is(collector, monkeypatch):
    monkeypatch.setattr("workspace.shell.collector.FULL", 3)
    thing = Thing()
    gone = weakref.ref(thing)
    gc.collect()  # it has lived through every round there is
    del thing
    for number in range(3):
        assert gone() is not None
        collector.hold(f"Patient/{number}")
        collector.let_go(f"Patient/{number}")
    assert gone() is None


def test_one_hold_after_another_does_not_keep_it_off_for_long(collector, monkeypatch):
    collector.hold("Patient/a")
    gone = thrown_away()
    collector.hold("Patient/b")
    assert gone() is not None
    monkeypatch.setattr("workspace.shell.collector.LONGEST", 0.0)
    collector.hold("Patient/c")
    assert gone() is None
    assert not gc.isenabled()


def test_where_it_was_off_it_stays_off(collector):
    gc.disable()
    collector.hold("Patient/a")
    collector.let_go("Patient/a")
    still_off = not gc.isenabled()
    gc.enable()
    assert still_off

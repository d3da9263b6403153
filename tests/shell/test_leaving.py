"""Signing out with work that is not saved: what the user is told, and that one press goes on and one stays."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QLabel

from workspace.shell import theme
from workspace.shell.chips import PlainButton
from workspace.shell.leaving import Unattended, may_leave, words_of
from workspace.shell.loop import Tasks
from workspace.shell.sheet import Sheet
from workspace.shell.window import MainWindow


@pytest.fixture
def window(qtbot, qapp):
    made = MainWindow(theme.apply(qapp, theme.load("light"), 1.0))
    qtbot.addWidget(made)
    made.show_work()
    made.show()
    yield made
    made.let_go()


def test_each_case_is_said_in_words():
    both = "2 venter på plattformen. De sendes fra denne maskinen når den svarer, også etter at du har logget ut."
    assert words_of(2, 0, 0, durable=True) == both
    assert words_of(1, 0, 0, durable=True).startswith("1 venter på plattformen. Den sendes fra denne maskinen")
    later = "2 venter på plattformen. De er trygge her, og sendes neste gang du logger inn her."
    assert words_of(0, 2, 0, durable=True) == later
    mixed = words_of(2, 1, 0, durable=True)
    assert "3 venter på plattformen. 2 sendes fra denne maskinen" in mixed
    assert mixed.endswith("1 sendes neste gang du logger inn her.")
    assert "bare i minnet" in words_of(1, 0, 0, durable=False)
    assert words_of(0, 0, 1, durable=True) == "1 ble ikke lagret og må ses over. Den ligger her til du gjør det."
    assert words_of(0, 0, 0, durable=True) == ""
    assert words_of(0, 0, 2, durable=False).endswith("De er bare i minnet: logger du ut nå, er de borte.")
    assert words_of(0, 0, 0, 1, durable=False) == "1 kladd er bare i minnet: logger du ut nå, er den borte."
    assert words_of(0, 0, 0, 2, durable=True) == "2 kladder er bare i minnet: logger du ut nå, er de borte."


async def none_at_risk():
    return 0


SAFE = SimpleNamespace(at_risk=none_at_risk)


def outbox(waiting, goes, refused=0):
    return SimpleNamespace(unsent=lambda: waiting, deliverable=lambda: [0] * goes, refused=lambda: [0] * refused)


@pytest.mark.parametrize(("press", "goes"), [("Logg ut", True), ("Bli her", False), ("Lukk", False)])
def test_one_press_goes_on_and_one_stays(window, press, goes):
    async def run():
        asking = asyncio.ensure_future(may_leave(window.theme, window, outbox(2, 2), SAFE, durable=True))
        await asyncio.sleep(0)
        (sheet,) = (one for one in window.findChildren(Sheet) if one.isVisible())
        assert any("også etter at du har logget ut" in one.text() for one in sheet.findChildren(QLabel))
        next(one for one in sheet.findChildren(PlainButton) if one.text() == press).click()
        assert await asking is goes
        assert await may_leave(window.theme, window, outbox(0, 0), SAFE, durable=True) is True  # nothing to ask

    asyncio.run(run())


def test_the_courier_begins_when_it_is_quiet_and_is_closed_before_somebody_signs_on(monkeypatch):
    monkeypatch.setattr("workspace.shell.leaving.QUIET", 0.01)
    told = []

    class Working:
        async def close(self):
            told.append("closed")

    async def start():
        told.append("started")
        await asyncio.sleep(0.05)  # a vault that is slow to open
        return Working()

    async def run():
        tasks = Tasks(lambda fault: told.append(fault))
        unattended = Unattended(start, tasks)
        await unattended.end()
        unattended.begin()
        unattended.begin()
        await asyncio.sleep(0.03)
        await unattended.end()  # in the middle of opening
        assert told == ["started", "closed"]
        unattended.begin()
        await asyncio.sleep(0.2)
        await unattended.end()
        await unattended.end()
        assert told == ["started", "closed"] * 2
        await tasks.close()

    asyncio.run(run())

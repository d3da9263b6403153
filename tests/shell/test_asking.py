"""What a panel may have the shell ask: in a sheet, by keyboard, and gone with whoever asked."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTextBrowser

from workspace.panels.face import Paper
from workspace.panels.protocol import Node
from workspace.panels.tree import Tree
from workspace.shell import theme
from workspace.shell.asking import ask_choice, page, print_paper
from workspace.shell.chips import PlainButton
from workspace.shell.sheet import Sheet
from workspace.shell.window import MainWindow


@pytest.fixture
def window(qtbot, qapp):
    made = MainWindow(theme.apply(qapp, theme.load("light"), 1.0))
    qtbot.addWidget(made)
    made.show_work()
    made.show()
    made.activateWindow()
    made.top.search.setFocus()
    yield made
    made.let_go()


@pytest.fixture
def loop():
    made = asyncio.new_event_loop()
    yield made
    made.close()


def asked(loop, question):
    """The question under way, once it is on screen."""
    task = loop.create_task(question)
    loop.run_until_complete(asyncio.sleep(0))
    return task


def buttons(window):
    sheet = next(one for one in window.findChildren(Sheet) if one.isVisible())
    return {one.text(): one for one in sheet.findChildren(PlainButton) if one.isVisible()}


CHOICES = ("Vitale målinger (Nordlys Helse)", "Målekurve (Fjelldata)")


def test_a_choice_is_made_by_the_keyboard_and_the_focus_comes_back(window, loop):
    before = window.focusWidget()
    task = asked(loop, ask_choice(window.theme, window, "Hvilket panel?", CHOICES))
    assert window.focusWidget().text() == CHOICES[0]
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
    QTest.keyClick(buttons(window)[CHOICES[1]], Qt.Key.Key_Space)
    assert loop.run_until_complete(task) == 1
    assert window.focusWidget() is before


def test_escape_chooses_nothing(window, loop):
    task = asked(loop, ask_choice(window.theme, window, "Hvilket panel?", CHOICES))
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
    assert loop.run_until_complete(task) is None


def test_a_question_nobody_waits_for_goes_from_view(window, loop):
    task = asked(loop, print_paper(window.theme, window, Paper("Epikrise", "Hemmelig"), ("Arne Storspove",)))
    assert [one for one in window.findChildren(Sheet) if one.isVisible()]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    assert [one for one in window.findChildren(Sheet) if one.isVisible()] == []


def test_the_paper_is_seen_before_it_is_printed(window, loop, monkeypatch):
    from PySide6.QtPrintSupport import QPrinterInfo

    monkeypatch.setattr(QPrinterInfo, "availablePrinterNames", list)
    paper = Paper("Epikrise", "Linje <b>1</b>\nLinje 2")
    task = asked(loop, print_paper(window.theme, window, paper, ("Arne Storspove", "Notat (Polarvakt)", "14.01.2026")))
    shown = window.findChild(QTextBrowser).toPlainText()
    assert "Arne Storspove" in shown
    assert "Linje <b>1</b>" in shown, "as it was written, not as mark-up"
    QTest.mouseClick(buttons(window)["Velg skriver …"], Qt.MouseButton.LeftButton)
    assert loop.run_until_complete(task) == (False, "Denne maskinen har ingen skriver.")


def test_a_tree_is_printed_in_reading_order_and_nothing_of_it_is_mark_up():
    tree = Tree()
    columns = [{"key": "a", "title": "Tid"}, {"key": "b", "title": "Puls"}]
    rows = [{"key": "1", "cells": {"a": "12:00", "b": 72}}]
    tree.whole(
        Node(
            "r",
            "column",
            {},
            [
                Node("h", "heading", {"text": "Puls & pust"}),
                Node("t", "table", {"columns": columns, "rows": rows}),
                Node("s", "section", {"title": "Etter"}, [Node("x", "text", {"text": "<img src=http://x>"})]),
            ],
        )
    )
    made = page(Paper("Kurve", root=tree.root, nodes=tree.nodes), ("A <b>",))
    order = ["A &lt;b&gt;", "Puls &amp; pust", "Tid  ·  Puls", "12:00  ·  72", "Etter", "&lt;img src=http://x&gt;"]
    assert [made.index(word) for word in order] == sorted(made.index(word) for word in order)
    assert "<img" not in made

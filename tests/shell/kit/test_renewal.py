"""A body that serves one context after another: nothing of the former stays, and the next looks as in a body of its own."""

from __future__ import annotations

import gc

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLayout, QLayoutItem, QLineEdit, QPlainTextEdit, QWidget

from tests.shell.kit.bodies import note, vitals
from tests.shell.kit.conftest import NOW
from tests.shell.kit.fakes import FakeInstance, node
from tests.shell.kit.looking import settle
from workspace.panels.components import COMPONENTS, Value
from workspace.panels.face import BoundRows
from workspace.panels.protocol import SetProps, SetRows
from workspace.shell.exhibits.exhibit import load
from workspace.shell.gallery import stand
from workspace.shell.kit.about import Asking
from workspace.shell.kit.body import PanelBody
from workspace.shell.kit.containers import Container
from workspace.shell.kit.table import TableWidget

KINDS = sorted(load())
OWN = {
    "Finn i tabellen",
    "Finn i tabellen (Ctrl+F)",
    "Tabell",
    "Trend",
    "Vis som tabell (T)",
    "Vis som kurver (T)",
    "/",
}
"""What a widget says by itself, whatever it shows."""


@pytest.fixture
def make(qtbot, light, spawner):
    """`make()`: a body on screen, without an instance."""

    def made() -> PanelBody:
        body = PanelBody(light, lambda: NOW, spawner)
        body.resize(560, 480)
        body.show()
        qtbot.addWidget(body)
        return body

    return made


def showing(body: PanelBody, instance) -> PanelBody:
    instance.listener = body
    body.attach(instance)
    settle()
    return body


def used(body: PanelBody) -> None:
    """Somebody has typed into it, looked for rows, and opened what can be opened."""
    for editor in body.findChildren(QLineEdit):
        if editor.isVisible():
            editor.setFocus()
            QTest.keyClicks(editor, "Kari")
    for editor in body.findChildren(QPlainTextEdit):
        editor.setFocus()
        QTest.keyClicks(editor, "Kari vil ikke")
    for table in body.findChildren(TableWidget):
        table.open_find()
        QTest.keyClicks(table.find_edit, "a")
        table.to_rows()
    for one in asked_about(body):
        one.setFocus()
    settle()


def asked_about(body: PanelBody) -> list[Asking]:
    """What of it says what it stands in."""
    return [one for one in body.findChildren(QWidget) if isinstance(one, Asking) and one.offered]


def said(body: PanelBody) -> set[str]:
    """Every word in it, seen or heard, but those that it says whatever it shows."""
    found: set[str] = set()
    for one in body.findChildren(QWidget):
        found |= {one.accessibleName(), one.accessibleDescription(), one.toolTip()}
        if isinstance(one, QLabel | QLineEdit):
            found.add(one.text())
        if isinstance(one, QPlainTextEdit):
            found.add(one.toPlainText())
        if isinstance(one, TableWidget):
            model = one.model
            found |= {
                str(model.index(r, c).data()) for r in range(model.rowCount()) for c in range(model.columnCount())
            }
    return found - {""} - OWN


def picture(body: PanelBody):
    held = QApplication.focusWidget()
    if held is not None:
        held.clearFocus()
    settle()
    return body.grab().toImage()


def next_of(kind: str) -> str:
    return KINDS[(KINDS.index(kind) + 1) % len(KINDS)]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_stays_and_the_next_looks_as_in_its_own_body(make, kind):
    body = showing(make(), stand(kind))
    used(body)
    assert bool(asked_about(body)) == issubclass(COMPONENTS[kind], Value)
    body.retire()
    assert asked_about(body) == []
    held = QApplication.focusWidget()
    assert not isinstance(held, Asking) or held.apart, "somebody stands on what is not there"
    for _ in range(3):  # what is deleted lets go of what hung by it
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        settle()
    assert said(body) == set()
    for then in (kind, next_of(kind)):
        fresh = picture(showing(make(), stand(then)))
        assert picture(showing(body, stand(then))) == fresh, f"{then} after {kind}"
        body.retire()


def drawn(node_) -> FakeInstance:
    instance = FakeInstance()
    instance.tree.whole(node_)
    return instance


def test_what_is_the_same_is_the_same_widget(make):
    body = showing(make(), drawn(vitals()))
    trend, field = body.widget("t"), body.widget("#pust")
    body.retire()
    showing(body, drawn(vitals()))
    assert (body.widget("t"), body.widget("#pust")) == (trend, field)


def test_ctrl_z_brings_nothing_of_the_former_back(make):
    body = showing(make(), drawn(note()))
    QTest.keyClicks(body.findChild(QPlainTextEdit), "Kari vil ikke")
    body.retire()
    instance = drawn(note())
    instance.values["t"] = "Ny"
    showing(body, instance)
    editor = body.findChild(QPlainTextEdit)
    assert editor.toPlainText() == "Ny"
    assert not editor.document().isUndoAvailable()
    QTest.keyClick(editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert editor.toPlainText() == "Ny"


def test_an_action_that_ends_late_says_nothing_to_the_next(make, spawner):
    former = drawn(vitals())
    body = showing(make(), former)
    heard = []
    body.acted.connect(heard.append)

    async def late():
        import asyncio

        former.gate = asyncio.Event()
        body.widget("save").press()
        await asyncio.sleep(0)
        body.retire()
        body.attach(drawn(vitals()))
        body.widget("save").press()  # of the next: it is not kept from it
        former.gate.set()
        for _ in range(5):
            await asyncio.sleep(0)

    spawner.loop.run_until_complete(late())
    assert len(heard) == 1  # the next one's own


def test_rows_of_a_watch_are_the_next_ones(make):
    columns = [{"key": "v", "title": "Verdi", "path": "valueString"}]
    table = node("table", "t", columns=columns, watch=1)

    def about(word: str) -> FakeInstance:
        instance = drawn(node("column", "c", table))
        rows = tuple({"resourceType": "Observation", "id": f"{word}{n}", "valueString": word} for n in range(30))
        instance.rows[1] = BoundRows(rows)
        return instance

    body = showing(make(), about("Kari"))
    body.widget("t").view.verticalScrollBar().setValue(200)
    body.widget("t").view.selectRow(20)
    body.retire()
    showing(body, about("Ola"))
    view = body.widget("t").view
    assert {view.model().index(row, 0).data() for row in range(30)} == {"Ola"}
    assert view.verticalScrollBar().value() == 0
    assert not view.currentIndex().isValid()


def rows(count: int) -> list[dict]:
    return [{"key": str(number), "cells": {"v": "x"}} for number in range(count)]


def words(drugs: int) -> str:
    return "Faste legemidler: " + "Amlodipin, " * drugs


def about(drugs: int, problems: int):
    """Words that wrap above tables, as a patient's summary has them."""
    columns = [{"key": "v", "title": "Verdi"}]
    pill = node("row", "tags", node("pill", "p", text="Ingen kjente"), wrap=True)
    first = node("row", "first", pill, node("text", "drugs", text=words(drugs)), wrap=True)
    tables = [node("table", f"t{n}", columns=columns, rows=rows(count)) for n, count in enumerate((problems, 9))]
    return node("column", "c", first, node("column", "last", *tables))


@pytest.mark.parametrize(("before", "after"), [((20, 3), (3, 5)), ((2, 8), (14, 2)), ((2, 100), (3, 5))])
def test_what_changes_before_it_is_seen_has_its_room(make, before, after):
    fresh = picture(showing(make(), drawn(about(*after))))
    body = showing(make(), drawn(about(*before)))
    body.hide()
    body.retire()
    instance = drawn(about(*before))  # at first, while the answers are on their way
    showing(body, instance)
    instance.patch(SetProps(id="drugs", props={"text": words(after[0])}))
    put = [[number, row] for number, row in enumerate(rows(after[1]))]
    instance.patch(SetRows(id="t0", gone=[str(number) for number in range(before[1])], put=put))
    settle()
    body.show()
    assert picture(body) == fresh


def test_columns_fill_the_room_when_the_scroll_bar_is_gone(make):
    """The table's, and the body's own."""
    body = make()
    for count in (8, 100, 8, 60, 3):
        showing(body, drawn(about(2, count)))
        view = body.widget("t0").view
        assert view.columnWidth(0) == view.viewport().width()
        body.hide()
        body.retire()
        body.show()


def test_no_layout_item_is_held_in_python(make):
    """Qt deletes an item with its widget; a wrapper of it is then one of whatever lies there next, and ends the program."""
    body = showing(make(), drawn(vitals()))
    body.retire()
    showing(body, drawn(note()))
    assert any(isinstance(one, Container) for one in body.findChildren(QWidget))
    gc.collect()
    assert [one for one in gc.get_objects() if isinstance(one, QLayoutItem) and not isinstance(one, QLayout)] == []

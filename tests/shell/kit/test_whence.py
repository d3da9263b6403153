"""«Hvor kommer dette fra?» of rows, cells and points: what is offered, by mouse and by keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu

from workspace.panels.components import (
    Cell,
    Entry,
    List,
    ListItem,
    Pill,
    Series,
    Table,
    TableColumn,
    TableRow,
    Timeline,
    Trend,
)
from workspace.panels.face import BoundRows
from workspace.shell.kit import whence
from workspace.shell.kit.items import ListWidget
from workspace.shell.kit.table import TableWidget
from workspace.shell.kit.timeline import TimelineWidget
from workspace.shell.kit.trend import TrendWidget

pytestmark = pytest.mark.qt_log_ignore("does not support (raise|grabbing)", extend=True)
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
COLUMNS = [TableColumn(key="pulse", title="Puls"), TableColumn(key="breath", title="Pust")]


def observation(own, value, code="8867-4", at="2026-01-14T14:20:00+01:00"):
    quantity = {"value": value, "unit": "/min", "code": "/min"}
    about = {"resourceType": "Observation", "id": own, "code": {"coding": [{"code": code}]}}
    return {**about, "effectiveDateTime": at, "valueQuantity": quantity}


@pytest.fixture
def show(qtbot, notes):
    notes.asked = []
    notes.env.origin = lambda reference, area: notes.asked.append(reference)

    def make(kind, component, rows=()):
        notes.rows = BoundRows(tuple(rows))
        made = kind(component, notes.env)
        qtbot.addWidget(made)
        made.resize(400, 240)
        made.show()
        made.activateWindow()
        made.setFocus()
        QApplication.processEvents()
        return made

    return make


def opened(widget):
    """What the open menu offers; it is closed again."""
    menu = widget.findChildren(QMenu)[-1]  # one that is closed goes in the next turn
    words = [action.text() for action in menu.actions() if action.isEnabled() and not action.isSeparator()]
    menu.close()
    return words, [action for action in menu.actions() if not action.isSeparator()]


def right_click(view, spot):
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, spot, view.viewport().mapToGlobal(spot))
    QApplication.sendEvent(view.viewport(), event)


@pytest.mark.parametrize(("key", "held"), [(Qt.Key.Key_Menu, Qt.KeyboardModifier.NoModifier), (Qt.Key.Key_F10, SHIFT)])
def test_a_bound_row_is_asked_about_without_the_vendor_doing_anything(qtbot, notes, show, key, held):
    columns = [TableColumn(key="v", title="Verdi", path="valueQuantity.value")]
    made = show(TableWidget, Table(columns=columns, watch=1), [observation("a", 81), observation("b", 82)])
    made.view.setCurrentIndex(made.model.index(1, 0))
    qtbot.keyClick(made.view, key, held)
    words, actions = opened(made.view)
    assert words == ["Hvor kommer dette fra?\tCtrl I"]
    actions[0].trigger()
    assert notes.asked == ["Observation/b"]
    right_click(made.view, made.view.visualRect(made.model.index(0, 0)).center())
    opened(made.view)[1][0].trigger()
    assert notes.asked == ["Observation/b", "Observation/a"]


def test_a_row_that_gathers_several_values_is_asked_about_cell_by_cell(qtbot, notes, show):
    row = TableRow(
        key="a", cells={"pulse": 81, "breath": 18}, about="Observation/p",
        abouts={"pulse": "Observation/p", "breath": "Observation/b"},
    )  # fmt: skip
    made = show(TableWidget, Table(columns=COLUMNS, rows=[row]))
    right_click(made.view, made.view.visualRect(made.model.index(0, 1)).center())
    opened(made.view)[1][0].trigger()
    assert notes.asked == ["Observation/b"]
    made.view.setCurrentIndex(made.model.index(0, 0))
    qtbot.keyClick(made.view, Qt.Key.Key_Menu)
    assert opened(made.view)[0] == ["Puls 81", "Pust 18"]


def test_pills_of_a_row_are_asked_about_beside_the_row_itself(qtbot, notes, show):
    flags = Cell(pills=[Pill(text="Fall", about="Flag/1"), Pill(text="+1", label="Og HLR−", abouts={"HLR−": "Flag/2"})])
    row = TableRow(key="a", cells={"pulse": "Arne", "breath": flags}, label="Arne", about="Patient/a")
    made = show(TableWidget, Table(columns=COLUMNS, rows=[row]))
    made.view.setCurrentIndex(made.model.index(0, 0))
    qtbot.keyClick(made.view, Qt.Key.Key_Menu)
    assert opened(made.view)[0] == ["Arne", "Fall", "HLR−"]
    right_click(made.view, made.view.visualRect(made.model.index(0, 1)).center())
    assert opened(made.view)[0] == ["Fall", "HLR−"]
    right_click(made.view, made.view.visualRect(made.model.index(0, 0)).center())
    opened(made.view)[1][0].trigger()
    assert notes.asked == ["Patient/a"]


def test_a_menu_has_its_length_and_says_how_many_more_there_are(qtbot, notes, show):
    flags = Cell(pills=[Pill(text="x " * 60, abouts={f"Nr. {at} {'lang ' * 30}": f"Flag/{at}" for at in range(40)})])
    made = show(TableWidget, Table(columns=COLUMNS, rows=[TableRow(key="a", cells={"pulse": flags})]))
    qtbot.keyClick(made.view, Qt.Key.Key_Menu)
    words, actions = opened(made.view)
    assert (len(words), actions[-1].text()) == (whence.MOST, f"og {40 - whence.MOST} til")
    assert max(len(one) for one in words) == whence.WIDE


def test_a_row_that_a_panel_has_computed_says_that_it_does_not_say(qtbot, notes, show):
    row = TableRow(key="a", cells={"pulse": 81}, about="javascript:alert(1)")
    made = show(TableWidget, Table(columns=COLUMNS, rows=[row]))
    made.view.setCurrentIndex(made.model.index(0, 0))
    qtbot.keyClick(made.view, Qt.Key.Key_Menu)
    words, actions = opened(made.view)
    assert words == []
    assert whence.UNSAID in actions[0].text()


def test_a_point_is_asked_about_among_what_was_measured_then_in_curves_and_table_alike(qtbot, notes, show):
    codes = {"Puls": "8867-4", "Pust": "9279-1"}
    series = [Series(key=title, title=title, unit="/min", code=code) for title, code in codes.items()]
    rows = [
        observation("p1", 80),
        observation("b1", 18, "9279-1"),
        observation("p2", 90, at="2026-01-14T15:00:00+01:00"),
    ]
    made = show(TrendWidget, Trend(series=series, watch=1), rows)
    qtbot.keyClick(made.plot, Qt.Key.Key_Home)
    qtbot.keyClick(made.plot, Qt.Key.Key_F10, SHIFT)
    words, actions = opened(made.plot)
    assert words == ["Puls 80 /min", "Pust 18 /min"]
    actions[1].trigger()
    assert notes.asked == ["Observation/b1"]
    qtbot.keyClick(made.plot, Qt.Key.Key_End)
    whence.ask_here(whence.asked_by(made.plot))
    assert notes.asked == ["Observation/b1", "Observation/p2"]
    made.turn()
    assert [one.reference for one in made.table.offers(1, None)] == ["Observation/p1", "Observation/b1"]


@pytest.mark.parametrize(
    ("kind", "component"),
    [
        (ListWidget, List(items=[ListItem(key="a", title="Ta CRP"), ListItem(key="b", title="Fall", about="Task/1")])),
        (TimelineWidget, Timeline(entries=[Entry(key="b", at="2026-01-14", title="Fall", about="Task/1")])),
    ],
)
def test_an_item_that_says_what_it_stands_in_is_asked_about(qtbot, notes, show, kind, component):
    made = show(kind, component)
    made.view.setFocus()
    qtbot.keyClick(made.view, Qt.Key.Key_End)
    whence.ask_here(whence.asked_by(made.view))
    assert notes.asked == ["Task/1"]
    right_click(made.view, QPoint(made.width() // 2, made.view.visualRect(made.view.currentIndex()).center().y()))
    assert len(opened(made.view)[0]) == 1

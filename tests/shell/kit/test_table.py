from __future__ import annotations

import dataclasses
import random
import time

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication

from workspace.panels.components import Action, Cell, Pill, Table, TableColumn, TableRow
from workspace.panels.face import BoundRows
from workspace.shell.kit.env import RowMark
from workspace.shell.kit.table import TableWidget, shared
from workspace.shell.kit.table_cells import PAD, TIGHT, fitting_pills
from workspace.shell.kit.table_model import RowModel

COLUMNS = [
    TableColumn(key="name", title="Beboer", kind="strong", width="grow"),
    TableColumn(key="score", title="NEWS2", kind="number", align="end", priority=2),
    TableColumn(key="seen", title="Sist sett", kind="age", priority=3),
]


def row(key: str, score: float | None = 0, **more) -> TableRow:
    cells = {"name": f"Navn {key}", "score": score, "seen": Cell(at="2026-01-14T14:52:00+01:00")}
    return TableRow(key=key, cells=cells, action=Action("open", {"key": key}), **more)


def table(*rows: TableRow, **more) -> Table:
    return Table(columns=COLUMNS, rows=list(rows), label="Beboere", **more)


def shown(model: RowModel) -> list[TableRow]:
    return [model.row(index) for index in range(model.rowCount())]


@pytest.fixture
def widget(qtbot, notes):
    made = TableWidget(table(*(row(f"{n:02d}", n % 5) for n in range(40))), notes.env)
    qtbot.addWidget(made)
    made.resize(500, 260)
    made.show()
    return made


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("sort", ["", "score", "-score", "name"])
def test_patched_rows_are_those_of_a_fresh_build(notes, seed: int, sort: str):
    chance = random.Random(seed)
    model = RowModel(table(sort=sort), notes.env)
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for _ in range(12):
        keys = chance.sample(range(20), chance.randint(0, 20))
        wanted = table(*(row(str(k), chance.choice([None, 0, 1, 7.5])) for k in keys), sort=sort)
        model.update(wanted)
        assert shown(model) == shown(RowModel(wanted, notes.env))
    del tester


def test_selection_follows_its_row_and_the_scroll_stays(widget):
    view = widget.view
    view.setCurrentIndex(widget.model.index(20, 0))
    view.verticalScrollBar().setValue(300)
    rows = [row("new"), *reversed(widget.model.component.rows)]
    widget.set_component(table(*rows))
    assert widget.model.row(view.currentIndex().row()).key == "20"
    assert view.verticalScrollBar().value() == 300
    widget.set_component(Table(columns=COLUMNS[:2], rows=rows))  # other columns: built anew
    assert widget.model.row(view.currentIndex().row()).key == "20"
    assert view.verticalScrollBar().value() == 300


def test_the_head_has_a_height_also_while_python_takes_the_table_apart(widget):
    head = widget.view.horizontalHeader()
    tall = head.sizeHint().height()
    held = dict(vars(head))
    vars(head).clear()  # as the garbage collector does it, with Qt's part still there
    try:
        assert head.sizeHint().height() == tall
    finally:
        vars(head).update(held)


def test_rows_are_as_high_as_before_when_the_text_is_small_again(widget, light):
    before = widget.view.rowHeight(0)
    widget.set_theme(dataclasses.replace(light, scale=2.0))
    assert widget.view.rowHeight(0) > before
    widget.set_theme(light)
    assert widget.view.rowHeight(0) == before


def test_a_header_sorts_turns_and_gives_the_panels_order_back(qtbot, widget):
    head = widget.view.horizontalHeader()

    def press(section: int) -> list[str]:
        spot = QPoint(head.sectionViewportPosition(section) + 5, 10)
        qtbot.mouseClick(head.viewport(), Qt.MouseButton.LeftButton, pos=spot)
        return [one.key for one in shown(widget.model)]

    given = [one.key for one in shown(widget.model)]
    up = press(1)
    assert [int(key) % 5 for key in up] == sorted(int(key) % 5 for key in given)
    assert [int(key) % 5 for key in press(1)] == sorted((int(key) % 5 for key in given), reverse=True)
    assert press(1) == given


def test_a_sort_survives_new_rows_and_a_panel_that_forbids_sorting_is_obeyed(qtbot, notes, widget):
    widget.model.sort_by("score")
    widget.set_component(table(row("a", 9), row("b", 1), row("c", None)))
    assert [one.key for one in shown(widget.model)] == ["b", "a", "c"]
    widget.model.sort_by("score")
    assert [one.key for one in shown(widget.model)] == ["a", "b", "c"], "what has no value stays last"
    fixed = TableWidget(table(row("b", 2), row("a", 1), sortable=False), notes.env)
    qtbot.addWidget(fixed)
    fixed._sort(1)
    assert [one.key for one in shown(fixed.model)] == ["b", "a"]


def test_norwegian_letters_come_last_in_a_sorted_list(notes):
    names = ["Åse", "Berit", "Øystein", "Ærlig", "Anne"]
    rows = [TableRow(key=name, cells={"name": name}) for name in names]
    model = RowModel(table(*rows, sort="name"), notes.env)
    assert [one.key for one in shown(model)] == ["Anne", "Berit", "Ærlig", "Øystein", "Åse"]


def test_enter_space_and_a_click_run_the_rows_action(qtbot, notes, widget):
    view = widget.view
    view.setFocus()
    view.setCurrentIndex(widget.model.index(2, 0))
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Space)
    spot = view.visualRect(widget.model.index(0, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.RightButton, pos=spot)
    assert [action.args["key"] for action in notes.ran] == ["02", "03", "00"]


def test_the_least_important_columns_go_first_when_it_is_narrow(widget):
    def hidden() -> list[bool]:
        return [widget.view.isColumnHidden(index) for index in range(3)]

    assert hidden() == [False, False, False]
    widget.resize(190, 260)
    assert hidden() == [False, False, True]
    widget.resize(120, 260)
    assert hidden() == [False, True, True]
    widget.resize(500, 260)
    assert hidden() == [False, False, False]
    total = sum(widget.view.columnWidth(index) for index in range(3))
    assert total == widget.view.viewport().width()


def test_columns_without_room_are_named(widget):
    widget.resize(500, 260)
    assert widget._more.isHidden()
    widget.resize(150, 260)
    assert widget.view.accessibleDescription() == "Ikke plass til Sist sett"
    assert widget._more.isVisible()
    assert "Ikke plass til Sist sett" in widget._head.toolTip()
    widget.resize(500, 260)
    assert widget._more.isHidden()
    assert widget.view.accessibleDescription() == ""


def test_columns_are_measured_anew_for_other_rows(qtbot, widget):
    name = widget.view.columnWidth(0)
    widget.set_component(table(row("x" * 30, 1)))
    widget.resize(501, 260)
    wider = widget.view.columnWidth(0)
    assert wider > name + 20
    widget.set_component(table(*(row(f"{n:02d}", n % 5) for n in range(40))))
    widget.resize(500, 260)
    qtbot.waitUntil(lambda: widget.view.columnWidth(0) == name)  # the scroll bar comes a turn later


def test_widths_fill_the_room_and_the_widest_give_way():
    assert shared(100, {0: 30, 1: 20}, {0}) == {0: 70, 1: 30}
    assert shared(100, {0: 30, 1: 20}, set()) == {0: 45, 1: 55}
    assert shared(101, {0: 30, 1: 20, 2: 10}, {0, 2}) == {0: 51, 1: 26, 2: 24}
    tight = shared(100, {0: 30, 1: 200}, {0})
    assert sum(tight.values()) == 100
    assert tight[0] == 30


def test_nothing_to_show_is_said_in_words_on_the_table(qtbot, notes, light):
    made = TableWidget(table(empty="Ingen målinger"), notes.env)
    qtbot.addWidget(made)
    made.resize(300, 200)
    made.show()
    blank = TableWidget(table(empty=""), notes.env)
    qtbot.addWidget(blank)
    blank.resize(300, 200)
    blank.show()
    assert made.grab().toImage() != blank.grab().toImage()


def test_every_cell_is_told_in_words_urgency_too(notes):
    columns = [TableColumn(key="x", title="NEWS2", kind="pill"), TableColumn(key="p", title="", kind="pills")]
    cells = {"x": Cell(text="7", shape="up", tone="bad"), "p": Cell(pills=[Pill(text="HLR−"), Pill(text="Fall")])}
    model = RowModel(Table(columns=columns, rows=[TableRow(key="1", cells=cells)]), notes.env)
    said = [model.data(model.index(0, n), Qt.ItemDataRole.AccessibleTextRole) for n in (0, 1)]
    assert said == ["NEWS2: 7 haster", "HLR− Fall"]


def test_a_vendors_markup_is_shown_and_not_drawn_in_tool_tips(notes):
    model = RowModel(table(TableRow(key="1", cells={"name": "<img src='x'>"})), notes.env)
    assert "<img" not in model.data(model.index(0, 0), Qt.ItemDataRole.ToolTipRole)


def test_a_bound_table_reads_paths_and_follows_its_watch(qtbot, notes):
    def pulse(name: str, value: float) -> dict:
        return {"resourceType": "Observation", "id": name, "valueQuantity": {"value": value, "unit": "/min"}}

    notes.rows = BoundRows((pulse("a", 80), pulse("b", 37.5)))
    columns = [TableColumn(key="v", title="Puls", path="valueQuantity.value", unit="/min")]
    made = TableWidget(Table(columns=columns, watch=1), notes.env)
    qtbot.addWidget(made)
    said = [made.model.words(one, columns[0]) for one in shown(made.model)]
    assert said == ["80 /min", "37,5 /min"]
    notes.rows = BoundRows((pulse("c", 91), pulse("a", 80)))
    made.bound_changed()
    assert [one.key for one in shown(made.model)] == ["Observation/c", "Observation/a"]


def test_pills_without_room_are_counted_and_not_left_out_in_silence(light):
    pills = [Pill(text="Fall"), Pill(text="HLR−", tone="bad"), Pill(text="Allergi: penicillin", tone="bad")]
    assert fitting_pills(light, pills, 1000) == (pills, 0)
    shown, rest = fitting_pills(light, pills, 130)
    assert (shown, rest) == (pills[:2], 1)
    assert fitting_pills(light, pills, 10) == ([], 3)


def test_left_and_right_sort_by_the_columns_in_turn(qtbot, widget):
    qtbot.keyClick(widget.view, Qt.Key.Key_Right)
    assert widget.model.sorted_by == "name"
    qtbot.keyClick(widget.view, Qt.Key.Key_Right)
    assert widget.model.sorted_by == "score"
    assert [row.cells["score"] for row in shown(widget.model)] == sorted(n % 5 for n in range(40))
    qtbot.keyClick(widget.view, Qt.Key.Key_Left)
    assert widget.model.sorted_by == "name"


def test_rows_that_are_not_all_there_are_end_in_a_line_that_says_so(qtbot, notes):
    rows = tuple({"resourceType": "X", "id": str(number)} for number in range(3))
    notes.rows = BoundRows(rows, more=True, newest=True)
    made = TableWidget(Table(columns=[TableColumn(key="a", title="A", path="id")], watch=1), notes.env)
    qtbot.addWidget(made)
    made.show()
    assert made.view.accessibleDescription() == "Flere finnes – de 3 nyeste vises"
    cut = made.sizeHint().height()
    notes.rows = BoundRows(rows, more=True)
    made.bound_changed()
    assert made.view.accessibleDescription() == "Flere finnes – de 3 første vises"
    notes.rows = BoundRows(rows)
    made.bound_changed()
    assert (made.view.accessibleDescription(), made.sizeHint().height() < cut) == ("", True)


def test_rows_that_could_not_be_fetched_anew_say_so(qtbot, notes):
    notes.rows = BoundRows(resources=({"resourceType": "X", "id": "1"},), error="Får ikke kontakt")
    made = TableWidget(Table(columns=[TableColumn(key="a", title="A", path="id")], watch=1), notes.env)
    qtbot.addWidget(made)
    made.show()
    assert made.model.rowCount() == 1
    assert made.view.accessibleDescription() == "Ikke oppdatert: Får ikke kontakt"
    stale = made.sizeHint().height()
    notes.rows = BoundRows(resources=notes.rows.resources)
    made.bound_changed()
    assert made.view.accessibleDescription() == ""
    assert made.sizeHint().height() < stale


def many(count: int) -> BoundRows:
    return BoundRows(
        tuple(
            {
                "resourceType": "Observation",
                "id": str(n),
                "valueQuantity": {"value": n % 97},
                "note": [{"text": f"Merknad {n}"}],
            }
            for n in range(count)
        )
    )


WIDE = [
    TableColumn(key="v", title="Verdi", kind="number", align="end", path="valueQuantity.value"),
    TableColumn(key="n", title="Merknad", path="note.text", width="grow"),
]


@pytest.fixture
def huge(qtbot, notes):
    notes.rows = many(10_000)
    made = TableWidget(Table(columns=WIDE, watch=1, label="Mange"), notes.env)
    qtbot.addWidget(made)
    made.resize(420, 500)
    made.show()
    made.activateWindow()
    made.view.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is made.view)
    return made


def test_one_changed_row_of_ten_thousand_is_one_change(notes, huge):
    told = []
    huge.model.dataChanged.connect(lambda first, last: told.append((first.row(), last.row())))
    huge.model.modelReset.connect(lambda: told.append("reset"))
    huge.model.layoutChanged.connect(lambda: told.append("layout"))
    rows = list(notes.rows.resources)
    rows[4711] = {**rows[4711], "valueQuantity": {"value": 1000}}
    notes.rows = BoundRows(tuple(rows))
    started = time.perf_counter()
    huge.bound_changed()
    spent = time.perf_counter() - started
    assert told == [(4711, 4711)]
    assert huge.model.index(4711, 0).data() == "1 000"
    assert spent < 0.5, f"{spent * 1000:.0f} ms; the aim is 16"


def test_ten_thousand_rows_are_sorted_and_found_at_once(qtbot, huge):
    started = time.perf_counter()
    huge.view.setCurrentIndex(huge.model.index(12, 0))
    huge.model.sort_by("v")
    assert huge.model.row(huge.view.currentIndex().row()).key == "Observation/12", "the keyboard stays on its row"
    qtbot.keyClick(huge.view, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(huge.find_edit, "merknad 99")
    assert huge.model.rowCount() == 280
    assert huge.find_edit.accessibleDescription() == "280 av 10000"
    assert time.perf_counter() - started < 5
    qtbot.keyClick(huge.find_edit, Qt.Key.Key_Return)
    assert QApplication.focusWidget() is huge.view
    qtbot.keyClick(huge.view, Qt.Key.Key_Escape)
    assert huge.model.rowCount() == 10_000


def test_the_mouse_finds_too_where_there_are_many_rows(qtbot, huge, shown_table):
    assert huge._finder.isVisible()
    qtbot.mouseClick(huge._finder, Qt.MouseButton.LeftButton)
    assert QApplication.focusWidget() is huge.find_edit
    assert not shown_table(table(row("01")))._finder.isVisible()


def test_only_what_is_seen_is_read(huge):
    read = sum(1 for row in huge.model._rows if row._cells is not None)
    assert 0 < read < 200


def test_find_says_when_nothing_fits_and_how_to_go_back(qtbot, notes, shown_table):
    made = shown_table(table(row("01"), row("02")))
    qtbot.keyClick(made.view, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClicks(made.find_edit, "finnes ikke")
    assert made.model.rowCount() == 0
    assert made.nothing() == "Ingen treff på «finnes ikke».\nEscape viser alle radene."
    qtbot.keyClick(made.find_edit, Qt.Key.Key_Escape)
    assert made.model.rowCount() == 2
    assert not made.find_edit.isVisible()
    assert QApplication.focusWidget() is made.view


def test_a_table_may_go_without_finding(qtbot, shown_table):
    made = shown_table(table(row("01"), find=False))
    qtbot.keyClick(made.view, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert not made.find_edit.isVisible()


@pytest.fixture
def shown_table(qtbot, notes):
    def make(component: Table) -> TableWidget:
        made = TableWidget(component, notes.env)
        qtbot.addWidget(made)
        made.resize(400, 240)
        made.show()
        made.activateWindow()
        made.view.setFocus()
        qtbot.waitUntil(lambda: QApplication.focusWidget() is made.view)
        return made

    return make


def test_rows_that_come_go_and_change_places_end_in_the_wanted_order(notes):
    def rows(keys: str) -> list[TableRow]:
        return [TableRow(key=key, cells={"a": key}) for key in keys]

    model = RowModel(Table(columns=[TableColumn(key="a", title="A")], rows=rows("abcdef")), notes.env)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for keys in ("fedcba", "axbyc", "", "qwerty", "ytrewq", "q", "abcq"):
        model.update(Table(columns=[TableColumn(key="a", title="A")], rows=rows(keys)))
        assert "".join(model.row(index).key for index in range(model.rowCount())) == keys


def test_a_long_text_takes_the_lines_it_may(qtbot, notes):
    column = TableColumn(key="t", title="Tekst", width="grow", lines=2)
    rows = [
        TableRow(key="1", cells={"t": "Kort"}),
        TableRow(key="2", cells={"t": "Lang tekst som må over flere linjer " * 4}),
    ]
    made = TableWidget(Table(columns=[column], rows=rows), notes.env)
    qtbot.addWidget(made)
    made.resize(220, 200)
    made.show()
    QApplication.processEvents()
    heights = [made.view.rowHeight(row) for row in range(2)]
    assert heights == [made.theme.row, made.theme.row + made.theme.line_height()]
    made.resize(1400, 200)
    QApplication.processEvents()
    assert [made.view.rowHeight(row) for row in range(2)] == [made.theme.row] * 2


def test_a_row_of_a_watch_says_by_itself_that_it_waits_and_its_mark_has_room(qtbot, notes):
    reading = {"resourceType": "Observation", "id": "3c7d", "valueQuantity": {"value": 81}}
    notes.rows = BoundRows((reading,))
    columns = [
        TableColumn(key="value", title="Puls", path="valueQuantity.value", kind="number"),
        TableColumn(key="at", title="Tid", path="effectiveDateTime", width="grow", kind="muted"),
    ]
    made = TableWidget(Table(columns=columns, watch=3, label="Pulser"), notes.env)
    qtbot.addWidget(made)
    made.resize(300, 120)
    before = made.view.columnWidth(0)
    notes.env.mark = {"Observation/3c7d": RowMark("venter", "warn", "dot", "skrevet 03:00")}.get
    made.marks_changed()
    index = made.model.index(0, 0)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "Puls: 81, venter: skrevet 03:00"
    assert made.view.columnWidth(0) > before


def test_columns_stand_closer_and_a_mark_gives_up_its_word_before_a_column_goes(qtbot, notes):
    columns = [
        TableColumn(key="at", title="Tid"),
        TableColumn(key="pulse", title="Puls", kind="number"),
        TableColumn(key="temperature", title="Temp", kind="number", priority=2),
        TableColumn(key="by", title="Av", priority=3),
    ]
    cells = {"at": "14:45", "pulse": 112, "temperature": "38,6", "by": "Tone Multebær"}
    waits = TableRow(key="a", cells=cells, about="Observation/a")
    notes.env.mark = {"Observation/a": RowMark("venter", "warn", "diamond", "")}.get
    made = TableWidget(Table(columns=columns, rows=[waits], label="Målinger"), notes.env)
    qtbot.addWidget(made)
    made.show()
    worded = made._delegate.width_of(0, columns[0]) - 2 * (PAD - TIGHT)
    seen = []
    for width in range(360, 100, -2):
        made.resize(width, 120)
        shown = "".join(c.key[0] for i, c in enumerate(columns) if not made.view.isColumnHidden(i))
        state = (shown, "close" if made.pad == TIGHT else "wide", made.view.columnWidth(0) >= worded)
        seen += [state] if state not in seen else []
    assert seen[:6] == [
        ("aptb", "wide", True),
        ("aptb", "close", True),
        ("apt", "wide", True),
        ("apt", "close", True),
        ("apt", "close", False),
        ("ap", "close", False),
    ]


def test_a_bad_value_in_strong_letters_leaves_its_word_room(qtbot, notes):
    """What is painted strong is measured strong: a long value never runs into what is said of it."""
    cell = Cell(text="41 ml/min/1,73m2", secondary="lav", tone="bad")
    plain = Cell(text=cell.text, secondary="lav")
    columns = [TableColumn(key="value", title="Verdi", kind="number")]
    widths = []
    for one in (cell, plain):
        made = TableWidget(Table(columns=columns, rows=[TableRow(key="a", cells={"value": one})], label="V"), notes.env)
        qtbot.addWidget(made)
        widths.append(made._delegate.width_of(0, columns[0]))
    theme = notes.env.theme
    strong, body = (theme.metrics(role).horizontalAdvance(cell.text) for role in ("strong", "body"))
    assert strong > body
    assert widths[0] - widths[1] == strong - body


def test_a_bound_cell_shows_a_limit_as_one(qtbot, notes):
    below = {"resourceType": "Observation", "id": "a", "valueQuantity": {"value": 5, "comparator": "<", "unit": "mg/L"}}
    notes.rows = BoundRows((below,))
    columns = [
        TableColumn(key="bare", title="CRP", path="valueQuantity.value"),
        TableColumn(key="unit", title="CRP", path="valueQuantity.value", unit="mg/L", decimals=1),
        TableColumn(key="whole", title="CRP", path="valueQuantity"),
    ]
    made = TableWidget(Table(columns=columns, watch=1), notes.env)
    qtbot.addWidget(made)
    (row,) = shown(made.model)
    assert [made.model.words(row, column) for column in columns] == ["< 5", "< 5,0 mg/L", "< 5 mg/L"]

"""Lists and timelines: keyboard, order, what screen readers get, what survives a change."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from tests.shell.kit.fakes import node
from workspace.panels.components import Action, Entry, List, ListItem, Pill, Timeline
from workspace.panels.protocol import InvalidParams, SetProps
from workspace.shell.kit.items import ListWidget
from workspace.shell.kit.timeline import Day, TimelineWidget

OPEN = Action(name="open")
TASKS = [
    ListItem(key="a", title="Ta CRP", text="Bestilt etter visitt", pills=[Pill(text="i dag", tone="warn", shape="diamond")],
             at="2026-01-14T14:52:00+01:00", source="Ingrid", action=OPEN),
    ListItem(key="b", title="Skift på sår"),
    ListItem(key="c", title="Ring datter", action=Action(name="call")),
]  # fmt: skip
EVENTS = [
    Entry(key="old", at="2026-01-13T22:10:00+01:00", title="Fall", tone="warn", shape="diamond"),
    Entry(
        key="new", at="2026-01-14T14:52:00+01:00", title="NEWS2 7", source="Tone", tone="bad", shape="up", action=OPEN
    ),
    Entry(key="day", at="2025-12-03", title="Flyttet"),
    Entry(key="none", at="", title="Uvisst når"),
]


@pytest.fixture
def show(qtbot, notes):
    def make(kind, component):
        made = kind(component, notes.env)
        qtbot.addWidget(made)
        made.resize(360, made.heightForWidth(360))
        made.show()
        made.activateWindow()
        made.setFocus()
        qtbot.waitUntil(lambda: QApplication.focusWidget() is made.view)
        return made

    return make


def test_arrows_and_enter_go_through_a_list(qtbot, notes, show):
    made = show(ListWidget, List(items=TASKS, label="Oppgaver"))
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_End, Qt.Key.Key_Space):
        qtbot.keyClick(made.view, key)
    assert [action.name for action in notes.ran] == ["open", "call"], "an item without an action does nothing"
    qtbot.keyClick(made.view, Qt.Key.Key_Home)
    assert made.view.currentIndex().row() == 0


def test_a_click_runs_the_items_action_once(qtbot, notes, show):
    made = show(ListWidget, List(items=TASKS))
    spot = made.view.visualRect(made.model.index(2, 0)).center()
    qtbot.mouseClick(made.view.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert [action.name for action in notes.ran] == ["call"]


def test_an_item_is_read_with_all_it_shows(show):
    made = show(ListWidget, List(items=TASKS, label="Oppgaver"))
    said = made.model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "Ta CRP. Bestilt etter visitt. i dag obs. for 12 min siden · Ingrid"
    assert made.view.accessibleName() == "Oppgaver"


def test_the_row_under_the_keyboard_survives_a_change(qtbot, show):
    made = show(ListWidget, List(items=TASKS))
    qtbot.keyClick(made.view, Qt.Key.Key_End)
    made.set_component(List(items=[ListItem(key="x", title="Ny"), *TASKS]))
    assert made.key(made.model.rows[made.view.currentIndex().row()]) == "c"


def test_an_empty_list_says_what_to_do(show):
    made = show(ListWidget, List(items=[], empty="Ingen oppgaver", empty_hint="Det du får tildelt, kommer hit."))
    assert made.view.accessibleDescription() == "Ingen oppgaver. Det du får tildelt, kommer hit."
    assert made.heightForWidth(300) > 30


def test_long_words_make_an_item_taller_and_never_wider(show):
    short = show(ListWidget, List(items=[ListItem(key="a", title="Kort")]))
    long = show(ListWidget, List(items=[ListItem(key="a", title="Lang " * 40, text="tekst " * 60)]))
    assert long.heightForWidth(300) > short.heightForWidth(300)
    assert long.heightForWidth(300) < 300, "two lines of each at most"


def test_a_timeline_is_by_day_the_newest_first(show):
    made = show(TimelineWidget, Timeline(entries=EVENTS))
    shown = [made.words(row) if isinstance(row, Day) else row.key for row in made.model.rows]
    assert shown == [
        "I dag · onsdag 14. januar", "new", "I går · tirsdag 13. januar", "old", "Onsdag 3. desember 2025", "day",
        "Uten dato", "none",
    ]  # fmt: skip
    turned = show(TimelineWidget, Timeline(entries=EVENTS, oldest_first=True))
    assert [row.key for row in turned.model.rows if not isinstance(row, Day)] == ["day", "old", "new", "none"]


def test_arrows_skip_the_days(qtbot, notes, show):
    made = show(TimelineWidget, Timeline(entries=EVENTS))
    visited = []
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_End, Qt.Key.Key_Down):
        qtbot.keyClick(made.view, key)
        visited.append(made.model.rows[made.view.currentIndex().row()].key)
    assert visited == ["old", "day", "old", "none", "none"]
    qtbot.keyClick(made.view, Qt.Key.Key_Home)
    qtbot.keyClick(made.view, Qt.Key.Key_Return)
    assert [action.name for action in notes.ran] == ["open"]


def test_an_entry_is_read_with_day_time_and_source(show):
    made = show(TimelineWidget, Timeline(entries=EVENTS))
    assert made.words(EVENTS[1]) == "onsdag 14. januar 14:52. NEWS2 7. haster. Tone"


def test_keys_must_be_unique(body, instance):
    instance.whole(node("column", "c", node("list", "l", items=[{"key": "a", "title": "A"}])))
    twice = [{"key": "a", "title": "A"}, {"key": "a", "title": "B"}]
    with pytest.raises(InvalidParams, match="key stands twice"):
        instance.patch(SetProps(id="l", props={"items": twice}))
    with pytest.raises(InvalidParams, match="key stands twice"):
        instance.whole(node("timeline", "t", entries=[{"key": "a", "at": "", "title": "A"}] * 2))


def test_a_list_that_is_reached_by_keyboard_is_scrolled_into_sight(qtbot, body, instance):
    items = [{"key": str(number), "title": f"Nummer {number}"} for number in range(60)]
    instance.whole(node("column", "c", node("list", "l", items=items, label="Lang")))
    body.activateWindow()
    qtbot.waitExposed(body)
    view = body.widget("l").view
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_End)
    QApplication.processEvents()
    last = view.visualRect(view.currentIndex())
    assert body._scroll.viewport().rect().contains(view.viewport().mapTo(body._scroll.viewport(), last.center()))


def test_odd_instants_stand_under_without_a_date(show):
    odd = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30", "i går", ""]
    made = show(TimelineWidget, Timeline(entries=[Entry(key=str(n), at=at, title="Noe") for n, at in enumerate(odd)]))
    assert [made.words(row) for row in made.model.rows if isinstance(row, Day)] == ["Uten dato"]
    assert len(made.model.rows) == 1 + len(odd)

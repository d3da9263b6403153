from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QWidget

from tests.shell.kit.bodies import note, vitals, ward
from tests.shell.kit.fakes import node
from workspace.panels.protocol import AddNode, Gone, SetChildren, SetProps, SetRows
from workspace.shell import theme as themes
from workspace.shell.frame import PanelFrame
from workspace.shell.kit.body import PanelBody
from workspace.shell.kit.registry import registry


def form(*more):
    return node(
        "column", "c",
        node("button", "tool", text="Trend", slot="toolbar", action={"name": "trend"}),
        node("pill", "state", text="Kladd", slot="status"),
        node(
            "form", "f",
            node("number-field", "#pulse", bind="pulse", label="Puls"),
            node("text-area", "#note", bind="note", label="Notat"),
            node("button", "save", text="Lagre", shortcut="Ctrl+S", style="primary", action={"name": "save"}),
            submit={"name": "save"},
        ),
        *more,
    )  # fmt: skip


@pytest.fixture
def shown(qtbot, body, instance):
    instance.whole(form())
    body.activateWindow()
    qtbot.waitExposed(body)
    return body


def editor(body: PanelBody, name: str) -> QWidget:
    return body.widget(name).editor


def test_every_component_of_the_language_has_a_widget():
    from workspace.panels.components import COMPONENTS

    assert set(COMPONENTS) | {"unknown"} == set(registry())


def test_what_is_typed_goes_to_the_instance(qtbot, shown, instance):
    qtbot.keyClicks(editor(shown, "#pulse"), "92")
    assert instance.typings == [("pulse", 9), ("pulse", 92)]


def test_focus_caret_and_text_survive_patches_around_them(qtbot, shown, instance):
    field = editor(shown, "#pulse")
    field.setFocus()
    qtbot.keyClicks(field, "112")
    field.setCursorPosition(1)
    instance.patch(
        SetProps(id="#pulse", props={"error": "Sjekk verdien"}),
        AddNode(parent="f", index=0, node=node("text", "hint", text="NEWS2 blir 3")),
        SetChildren(id="f", children=["save", "hint", "#note", "#pulse"]),
        Gone(id="#note"),
    )
    assert editor(shown, "#pulse") is field
    assert QApplication.focusWidget() is field
    assert (field.text(), field.cursorPosition()) == ("112", 1)
    assert shown.widget("#note") is None
    assert shown.widget("hint").text() == "NEWS2 blir 3"


def test_a_field_is_the_same_one_when_the_tree_is_sent_whole(qtbot, shown, instance):
    field = editor(shown, "#pulse")
    field.setFocus()
    qtbot.keyClicks(field, "112")
    field.setCursorPosition(2)
    instance.whole(form(node("divider", "d")))
    assert editor(shown, "#pulse") is field
    assert QApplication.focusWidget() is field
    assert (field.text(), field.cursorPosition()) == ("112", 2)
    assert shown.widget("d").isVisibleTo(shown)


def test_what_is_typed_while_the_tree_is_sent_whole_goes_on_where_the_caret_stands(qtbot, shown, instance):
    area = editor(shown, "#note")
    area.setFocus()
    for letter in "Sover godt.":
        qtbot.keyClicks(area, letter)
        instance.whole(form())
    qtbot.keyClick(area, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert area.toPlainText() == "", "what was typed in one go is undone in one go"
    qtbot.keyClicks(area, "Våken.")
    assert instance.values["note"] == "Våken."


def test_a_whole_tree_that_is_another_puts_the_fields_where_they_belong(qtbot, shown, instance):
    field, tool = editor(shown, "#pulse"), shown.widget("tool")
    field.setFocus()
    qtbot.keyClicks(field, "112")
    field.setCursorPosition(1)
    instance.whole(
        node(
            "column", "c",
            node("text", "tool", text="Trend"),
            node(
                "section", "vital", node("number-field", "#pulse", bind="pulse", label="Puls", unit="/min"),
                title="Målinger",
            ),
            node("number-field", "#note", bind="note", label="Notat"),
        )
    )  # fmt: skip
    assert editor(shown, "#pulse") is field
    assert QApplication.focusWidget() is field, "it stands in another container now"
    assert (field.text(), field.cursorPosition()) == ("112", 1)
    assert shown.widget("vital").isAncestorOf(field)
    assert shown.widget("tool") is not tool
    assert {name for name in ("f", "save", "state") if shown.widget(name) is not None} == set()
    tops = [shown.widget(name).mapTo(shown, shown.rect().topLeft()).y() for name in ("tool", "vital", "#note")]
    qtbot.wait(20)
    assert tops == sorted(tops)


def test_a_new_title_of_a_tab_is_seen_when_the_tree_is_sent_whole(qtbot, shown, instance):
    def pages(title):
        return node(
            "column", "c",
            node(
                "tabs", "t",
                node("tab", "one", node("text", "a", text="A"), title=title),
                node("tab", "two", node("text", "b", text="B"), title="To"),
            ),
        )  # fmt: skip

    instance.whole(pages("En"))
    bar = shown.widget("t").bar
    bar.setCurrentIndex(1)
    instance.whole(pages("Første"))
    assert shown.widget("t").bar is bar
    assert bar.tabText(0) == "Første"
    assert bar.currentIndex() == 1
    assert shown.widget("b").isVisibleTo(shown)
    assert not shown.widget("a").isVisibleTo(shown)


def test_patched_bodies_stand_in_the_trees_order(qtbot, shown, instance):
    instance.patch(SetChildren(id="f", children=["save", "#note", "#pulse"]))
    shown.resize(521, 420)
    qtbot.wait(20)
    tops = [shown.widget(name).mapTo(shown, shown.rect().topLeft()).y() for name in ("save", "#note", "#pulse")]
    assert tops == sorted(tops)
    assert len(set(tops)) == 3


def test_toolbar_and_status_are_handed_out_and_only_when_they_change(qtbot, body, instance):
    tools, states = [], []
    body.toolbarChanged.connect(tools.append)
    body.statusChanged.connect(states.append)
    instance.whole(form())
    assert tools == [[body.widget("tool")]]
    assert states == [[body.widget("state")]]
    instance.patch(SetProps(id="#pulse", props={"hint": "liggende"}))
    assert len(tools) == len(states) == 1
    instance.patch(Gone(id="tool"))
    assert tools[-1] == []
    assert len(states) == 1


def test_ctrl_s_and_enter_run_the_form(qtbot, shown, instance, spawner):
    field = editor(shown, "#pulse")
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Return)
    spawner.turn()
    qtbot.keyClick(field, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    spawner.turn()
    assert [action.name for action in instance.acts] == ["save", "save"]
    area = editor(shown, "#note")
    area.setFocus()
    qtbot.keyClick(area, Qt.Key.Key_Return)
    spawner.turn()
    assert len(instance.acts) == 2, "Enter in a text area is a new line"


def test_an_action_runs_once_while_it_is_busy(qtbot, shown, instance, spawner):
    outcomes = []
    shown.acted.connect(outcomes.append)
    instance.gate = asyncio.Event()
    save = shown.widget("save")
    for _ in range(3):
        qtbot.mouseClick(save, Qt.MouseButton.LeftButton)
    qtbot.keyClick(save, Qt.Key.Key_Return)
    spawner.turn()
    assert len(instance.acts) == 1
    assert outcomes == []
    instance.gate.set()
    spawner.turn()
    assert [outcome.message for outcome in outcomes] == ["Lagret"]
    qtbot.keyClick(save, Qt.Key.Key_Space)
    spawner.turn()
    assert len(instance.acts) == 2


def test_a_frozen_body_drops_what_is_typed_and_pressed(qtbot, shown, instance, spawner):
    shown.set_frozen(True)
    qtbot.keyClicks(editor(shown, "#pulse"), "9")
    qtbot.keyClicks(editor(shown, "#note"), "x")
    qtbot.keyClick(editor(shown, "#pulse"), Qt.Key.Key_Return)
    qtbot.mouseClick(shown.widget("save"), Qt.MouseButton.LeftButton)
    spawner.turn()
    assert instance.typings == []
    assert instance.acts == []
    assert editor(shown, "#pulse").text() == ""
    assert editor(shown, "#note").toPlainText() == ""
    shown.set_frozen(False)
    qtbot.keyClicks(editor(shown, "#pulse"), "9")
    assert instance.typings == [("pulse", 9)]


def test_values_that_come_from_elsewhere_are_shown_and_not_typed(shown, instance):
    instance.values |= {"pulse": 88.5, "note": "Slapp"}
    shown.values_changed(("pulse", "note"))
    assert editor(shown, "#pulse").text() == "88,5"
    assert editor(shown, "#note").toPlainText() == "Slapp"
    assert instance.typings == []


def test_first_painted_comes_once_and_after_the_first_tree(qtbot, body, instance):
    painted = []
    body.firstPainted.connect(lambda: painted.append(instance.root))
    body.repaint()
    assert painted == []
    instance.whole(form())
    qtbot.waitUntil(lambda: painted == ["c"])
    instance.whole(form())
    body.repaint()
    qtbot.wait(20)
    assert painted == ["c"]


def test_table_rows_are_patched_in_the_widget_that_stands(body, instance):
    instance.whole(node("column", "c", node("table", "t", columns=[{"key": "a", "title": "A"}], rows=[])))
    table = body.widget("t")
    instance.patch(
        SetRows(id="t", gone=[], put=[[0, {"key": "1", "cells": {"a": "x"}}], [1, {"key": "2", "cells": {"a": "y"}}]])
    )
    instance.patch(SetRows(id="t", gone=["1"], put=[]))
    assert body.widget("t") is table
    assert [table.model.row(n).key for n in range(table.model.rowCount())] == ["2"]


def test_an_unknown_component_keeps_a_labelled_place(body, instance):
    instance.whole(node("column", "c", node("hologram", "h")))
    assert "hologram" in body.widget("h").text()


def test_a_row_that_starts_to_wrap_keeps_its_children(body, instance):
    chips = [node("button", f"b{n}", text=f"Knapp {n}", action={"name": "x"}) for n in range(12)]
    instance.whole(node("column", "c", node("row", "r", *chips)))
    first = body.widget("b0")
    instance.patch(SetProps(id="r", props={"wrap": True}))
    assert body.widget("b0") is first
    assert first.isVisibleTo(body)
    body.resize(300, 420)
    QApplication.processEvents()
    assert all(body.widget(f"b{n}").geometry().right() <= body.widget("r").width() for n in range(12))


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("what", [vitals, note, ward])
def test_nothing_overlaps_or_leaves_the_panel_sideways(qapp, qtbot, body, instance, what, scale: float):
    body.set_theme(themes.load("light", scale))
    body.resize(520, 420)
    instance.whole(what())
    for _ in range(4):
        QApplication.processEvents()
    leaves = [name for name, one in instance.nodes.items() if not one.children]
    areas = {}
    for name in leaves:
        widget = body.widget(name)
        area = widget.rect().translated(widget.mapTo(body, widget.rect().topLeft()))
        assert area.left() >= 0, name
        assert area.right() <= body.width(), name
        assert not any(area.intersects(other) for other in areas.values()), name
        areas[name] = area


def test_boxes_of_one_row_line_up_with_and_without_an_error(qtbot, body, instance):
    instance.whole(vitals())
    QApplication.processEvents()

    def foot(name: str) -> int:
        widget = body.widget(name)
        return widget.mapTo(body, widget.rect().topLeft()).y() + widget.standing(widget.width())

    assert len({foot(name) for name in ("#pust", "#spo2", "#o2", "#bt")}) == 1
    save = body.widget("save")
    assert save.mapTo(body, save.rect().bottomLeft()).y() + 1 == foot("#puls")


@pytest.mark.parametrize("what", [vitals, note, ward, form])
def test_everything_that_takes_the_focus_has_a_name(body, instance, what):
    instance.whole(what())
    nameless = [
        f"{type(widget).__name__} in {widget.parentWidget().objectName()}"
        for widget in body.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not widget.focusProxy() and not widget.accessibleName()
    ]
    assert nameless == []


def test_tab_goes_through_the_fields_as_they_stand(qtbot, shown):
    editor(shown, "#pulse").setFocus()
    qtbot.keyClick(editor(shown, "#pulse"), Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is editor(shown, "#note")
    qtbot.keyClick(editor(shown, "#note"), Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is shown.widget("save")


def test_what_a_frame_took_ends_with_the_body(qtbot, light, instance, spawner):
    bar = QWidget()
    qtbot.addWidget(bar)
    gone = PanelBody(light, lambda: None, spawner)
    instance.listener = gone
    gone.toolbarChanged.connect(lambda widgets: [one.setParent(bar) for one in widgets])
    instance.tree.whole(form())
    gone.attach(instance)
    assert bar.findChild(QWidget, "tool") is not None
    gone.deleteLater()
    qtbot.waitUntil(lambda: bar.findChild(QWidget, "tool") is None)


def test_tab_follows_the_tree_after_patches(qtbot, body, instance):
    def field(name):
        return node("number-field", f"#{name}", bind=name, label=name)

    instance.whole(node("column", "c", field("a"), field("d")))
    instance.patch(AddNode(parent="c", index=1, node=field("b")), AddNode(parent="c", index=2, node=field("e")))
    instance.patch(SetChildren(id="c", children=["#e", "#a", "#b", "#d"]))
    body.activateWindow()
    qtbot.waitExposed(body)
    editor(body, "#e").setFocus()
    passed = []
    for _ in range(4):
        here = QApplication.focusWidget()
        passed.append(here.accessibleName())
        qtbot.keyClick(here, Qt.Key.Key_Tab)
    assert passed == ["e", "a", "b", "d"]


@pytest.mark.parametrize("kind", ["row", "grid"])
def test_what_comes_late_is_placed_among_what_stands(body, instance, kind):
    """A child that was there before another came keeps no place from before."""
    waits = [node("pending", "a"), node("pending", "b")]
    instance.whole(node("column", "c", node(kind, "r", *waits, **({"wrap": True} if kind == "row" else {}))))
    for name, index in (("b", 1), ("a", 0)):
        text = node("text", name, text=f"Tekst {name}")
        instance.patch(Gone(id=name), AddNode(parent="r", index=index, node=text))
        for _ in range(4):
            QApplication.processEvents()
    first, second = body.widget("a").geometry(), body.widget("b").geometry()
    assert first.top() == second.top()
    assert first.right() < second.left()
    assert body.widget("r").rect().contains(second)


def test_words_in_another_language_say_which(body, instance):
    instance.whole(
        node("column", "c", node("text", "t", text="Buorre beaivi", language="se"), node("text", "n", text="God dag"))
    )
    sami = QAccessible.queryAccessibleInterface(body.widget("t")).attributesInterface()
    assert sami.attributeValue(QAccessible.Attribute.Locale).bcp47Name() == "se"
    assert QAccessible.queryAccessibleInterface(body.widget("n")).attributesInterface() is None
    instance.patch(SetProps(id="t", props={"text": "God dag"}, unset=["language"]))
    assert QAccessible.queryAccessibleInterface(body.widget("t")).attributesInterface() is None


def test_ctrl_z_takes_back_what_was_saved_but_never_what_an_editor_can(qtbot, light, instance, spawner):
    frame = PanelFrame(light, "Vitale målinger", "Nordlys Helse")
    qtbot.addWidget(frame)
    frame.resize(520, 420)
    body = PanelBody(light, lambda: None, spawner)
    instance.listener = body
    instance.tree.whole(form())
    frame.set_body(body)
    frame.show_body()
    body.attach(instance)
    frame.show()
    frame.activateWindow()
    qtbot.waitExposed(frame)
    undone = []
    frame.undoAsked.connect(undone.append)
    save = body.widget("save")
    save.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is save)
    qtbot.keyClick(save, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert undone == [], "nothing is saved yet"
    frame.tell("Lagret", receipt="kvittering")
    field = editor(body, "#pulse")
    field.setFocus()
    qtbot.keyClicks(field, "92")
    qtbot.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert field.text() != "92"
    assert undone == [], "the editor's own typing goes first"
    save.setFocus()
    qtbot.keyClick(save, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert undone == ["kvittering"]
    qtbot.keyClick(save, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert undone == ["kvittering"], "once"

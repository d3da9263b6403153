"""Tabs, expanders and cards: what is shown, what the keyboard does, what survives a patch."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication

from tests.shell.kit.fakes import node
from workspace.panels.protocol import AddNode, Gone, SetProps


def tabs(**props):
    return node(
        "column", "c",
        node(
            "tabs", "t",
            node("tab", "a", node("text", "ta", text="Side A"), title="Problemer", badge="2"),
            node("tab", "b", node("number-field", "#x", bind="x", label="Felt"), title="Prøver"),
            node("tab", "d", node("text", "td", text="Side D"), title="Notater"),
            label="Sammendrag", **props,
        ),
    )  # fmt: skip


@pytest.fixture
def shown(qtbot, body, instance):
    def show(tree):
        instance.whole(tree)
        body.activateWindow()
        qtbot.waitExposed(body)
        return body

    return show


def seen(body, *names: str) -> list[bool]:
    return [body.widget(name).isVisibleTo(body) for name in names]


def test_one_page_at_a_time_chosen_by_keyboard(qtbot, shown):
    body = shown(tabs())
    bar = body.widget("t").bar
    assert seen(body, "a", "b", "d") == [True, False, False]
    bar.setFocus()
    qtbot.keyClick(bar, Qt.Key.Key_Right)
    assert seen(body, "a", "b", "d") == [False, True, False]
    assert [bar.accessibleTabName(index) for index in range(3)] == ["Problemer, 2", "Prøver", "Notater"]
    qtbot.keyClick(bar, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is body.widget("#x").editor


def test_the_panel_says_which_tab_stands_open_first(shown):
    assert seen(shown(tabs(selected="Notater")), "a", "b", "d") == [False, False, True]


def test_the_open_tab_survives_patches_and_the_first_takes_over_when_it_goes(qtbot, shown, instance):
    body = shown(tabs())
    body.widget("t").bar.setCurrentIndex(1)
    instance.patch(
        AddNode(parent="t", index=0, node=node("tab", "n", title="Ny")),
        SetProps(id="b", props={"title": "Prøvesvar", "badge": "1 høy"}),
    )
    assert seen(body, "n", "a", "b") == [False, False, True]
    assert body.widget("t").bar.tabText(2) == "Prøvesvar"
    assert body.widget("t").bar.currentIndex() == 2
    instance.patch(Gone(id="b"))
    assert seen(body, "n", "a", "d") == [True, False, False]


def test_a_tabs_ampersand_is_a_letter(shown):
    body = shown(node("column", "c", node("tabs", "t", node("tab", "a", title="F & F"))))
    assert body.widget("t").bar.tabText(0) == "F && F"
    assert body.widget("t").bar.accessibleTabName(0) == "F & F"


def test_an_expander_opens_and_closes_by_keyboard(qtbot, shown):
    inside = node("number-field", "#x", bind="x", label="Felt")
    body = shown(node("column", "c", node("expander", "e", inside, title="Mer", summary="1 felt", level=4)))
    head = body.widget("e").head
    assert seen(body, "#x") == [False]
    head.setFocus()
    for key, open_ in (
        (Qt.Key.Key_Right, True), (Qt.Key.Key_Right, True), (Qt.Key.Key_Left, False), (Qt.Key.Key_Space, True),
        (Qt.Key.Key_Return, False),
    ):  # fmt: skip
        qtbot.keyClick(head, key)
        assert seen(body, "#x") == [open_]
    face = QAccessible.queryAccessibleInterface(head)
    assert face.text(QAccessible.Text.Name) == "Mer"
    assert face.text(QAccessible.Text.Description) == "1 felt"
    assert (bool(face.state().expandable), bool(face.state().expanded)) == (True, False)
    assert face.attributesInterface().attributeValue(QAccessible.Attribute.Level) == 4


def test_what_the_user_opened_stays_open_when_the_panel_redraws_it(qtbot, shown, instance):
    body = shown(node("column", "c", node("expander", "e", node("text", "t", text="x"), title="Mer")))
    qtbot.mouseClick(body.widget("e").head, Qt.MouseButton.LeftButton)
    instance.patch(
        SetProps(id="e", props={"title": "Mer (2)"}), AddNode(parent="e", index=1, node=node("text", "u", text="y"))
    )
    assert seen(body, "t", "u") == [True, True]


def test_opening_makes_room_and_the_body_scrolls(qtbot, shown):
    lines = [node("text", f"l{number}", text=f"Linje {number}") for number in range(40)]
    body = shown(node("column", "c", node("expander", "e", *lines, title="Mer"), node("text", "after", text="Etter")))
    before = body._inside.height()
    qtbot.mouseClick(body.widget("e").head, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: body._inside.height() > before + 400)


@pytest.mark.parametrize(("kind", "level"), [("section", 3), ("card", 4), ("heading", 2)])
def test_headings_tell_their_level(shown, kind: str, level: int):
    props = {"text": "Tittel"} if kind == "heading" else {"title": "Tittel"}
    body = shown(node("column", "c", node(kind, "h", level=level, **props)))
    label = body.widget("h") if kind == "heading" else body.widget("h")._title
    face = QAccessible.queryAccessibleInterface(label)
    assert face.role() == QAccessible.Role.Heading
    assert face.text(QAccessible.Text.Name) == "Tittel"
    assert face.attributesInterface().attributeValue(QAccessible.Attribute.Level) == level


def test_a_card_is_a_named_group_around_its_children(shown):
    body = shown(node("column", "c", node("card", "k", node("text", "t", text="Inni"), title="Kort", tone="bad")))
    card, text = body.widget("k"), body.widget("t")
    assert QAccessible.queryAccessibleInterface(card).role() == QAccessible.Role.Grouping
    assert card.accessibleName() == "Kort"
    assert card.rect().contains(text.geometry())
    assert text.geometry().top() > card._title.geometry().bottom()

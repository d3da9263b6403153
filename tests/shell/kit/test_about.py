"""Pills, texts and the rest that can be asked where they come from: one stop of Tab, arrows between, and nothing left."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from tests.shell.kit.fakes import node
from workspace.panels.components import COMPONENTS, Value
from workspace.panels.protocol import AddNode, Gone, SetProps
from workspace.shell.gallery import stand
from workspace.shell.kit import whence
from workspace.shell.kit.about import AMONG, HOW, Asking

pytestmark = pytest.mark.qt_log_ignore("does not support (raise|grabbing)", extend=True)
KINDS = sorted(kind for kind, made in COMPONENTS.items() if issubclass(made, Value))
SHIFT = Qt.KeyboardModifier.ShiftModifier


def pill(name, **props):
    return node("pill", name, text=name, **props)


def tree(*pills):
    """A field, a row of pills, a text that gathers two, one without, and a field."""
    return node(
        "column", "root",
        node("text-field", "#before", bind="before", label="Før"),
        node("row", "r", *pills, wrap=True),
        node("text", "drugs", text="Faste legemidler (2): A, B", abouts={"A": "Medication/a", "B": "Medication/b"}),
        node("text", "plain", text="Uten"),
        node("text-field", "#after", bind="after", label="Etter"),
    )  # fmt: skip


THREE = (pill("a", about="Flag/a"), pill("none"), pill("b", about="Flag/b"), pill("c", about="Flag/c"))


@pytest.fixture
def asked(body):
    found = []
    body.originAsked.connect(lambda reference, area: found.append(reference))
    return found


@pytest.fixture
def drawn(body, instance):
    def draw(root):
        instance.whole(root)
        body.activateWindow()
        QApplication.processEvents()
        return body

    return draw


def here(body):
    """The node that has the focus."""
    focus = QApplication.focusWidget()
    held = [name for name, one in body._widgets.items() if one is focus or one.isAncestorOf(focus)]
    return held[-1] if held else None


def press(key, held=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(QApplication.focusWidget(), key, held)


def walk(body, *keys):
    """Where each key leads."""
    found = []
    for key in keys:
        press(key)
        found.append(here(body))
    return found


def menu_of(widget):
    (menu,) = (one for one in widget.findChildren(QMenu) if one.isVisible())
    return menu, [action.text() for action in menu.actions() if action.isEnabled() and not action.isSeparator()]


def test_pills_beside_each_other_are_one_stop_and_the_arrows_go_between(drawn):
    body = drawn(tree(*THREE))
    body.widget("#before").editor.setFocus()
    tab, right, left, down, end, home = (
        Qt.Key.Key_Tab, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Down, Qt.Key.Key_End, Qt.Key.Key_Home,
    )  # fmt: skip
    assert walk(body, tab, right, right, right, left, home, end, home, down) == [*"abccbacab"]
    assert walk(body, tab, tab) == ["drugs", "#after"]
    press(Qt.Key.Key_Backtab, SHIFT)
    assert here(body) == "drugs"
    press(Qt.Key.Key_Backtab, SHIFT)
    assert here(body) in "abc"
    press(Qt.Key.Key_Backtab, SHIFT)
    assert here(body) == "#before"


@pytest.mark.parametrize(("key", "held"), [(Qt.Key.Key_Menu, Qt.KeyboardModifier.NoModifier), (Qt.Key.Key_F10, SHIFT)])
def test_a_pill_is_asked_about_by_key_and_by_right_click(drawn, asked, key, held):
    body = drawn(tree(*THREE))
    one = body.widget("b")
    one.setFocus()
    press(key, held)
    menu, words = menu_of(one)
    assert words == ["Hvor kommer dette fra?\tCtrl I"]
    menu.actions()[0].trigger()
    menu.close()
    spot = QPoint(4, 4)
    QApplication.sendEvent(body.widget("c"), QContextMenuEvent(QContextMenuEvent.Reason.Mouse, spot, QPoint()))
    menu, _ = menu_of(body.widget("c"))
    menu.actions()[0].trigger()
    menu.close()
    whence.ask_here(whence.asked_by(one))
    assert asked == ["Flag/b", "Flag/c", "Flag/b"]


def test_a_text_that_gathers_several_asks_which(drawn, asked):
    body = drawn(tree())
    one = body.widget("drugs")
    one.setFocus()
    whence.ask_here(whence.asked_by(one))
    menu, words = menu_of(one)
    assert words == ["A", "B"]
    menu.actions()[-1].trigger()
    menu.close()
    assert asked == ["Medication/b"]


def test_what_says_nothing_or_nonsense_is_as_it_was(drawn, asked):
    body = drawn(tree(pill("none"), pill("odd", about="javascript:alert(1)", abouts={"x": "../Patient/1"})))
    for name in ("none", "odd", "plain"):
        one = body.widget(name)
        assert one.focusPolicy() == Qt.FocusPolicy.NoFocus, name
        assert one.accessibleDescription() == ""
        QApplication.sendEvent(one, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(2, 2), QPoint()))
        assert one.findChildren(QMenu) == []
    body.widget("#before").editor.setFocus()
    assert walk(body, Qt.Key.Key_Tab, Qt.Key.Key_Tab) == ["drugs", "#after"]


def test_it_has_a_name_a_role_and_says_how(drawn):
    body = drawn(tree(*THREE))
    for name, said in (("a", "a"), ("drugs", "Faste legemidler (2): A, B")):
        one = body.widget(name)
        one.setFocus()
        face = QAccessible.queryAccessibleInterface(one)
        assert (face.role(), face.text(QAccessible.Text.Name)) == (QAccessible.Role.StaticText, said)
        assert face.state().focusable
        assert face.text(QAccessible.Text.Description).startswith(HOW)
    assert AMONG.format(count=3) in body.widget("a").accessibleDescription()


@pytest.mark.parametrize("name", ["a", "c", "drugs"])
def test_the_focus_is_seen_around_it_and_moves_nothing(drawn, name):
    body = drawn(tree(*THREE))
    one, row = body.widget(name), body.widget(name).parentWidget()
    QApplication.processEvents()
    places = {key: each.geometry() for key, each in body._widgets.items()}
    bare = row.grab().toImage()
    one.setFocus()
    QApplication.processEvents()
    seen, ink = row.grab().toImage(), body.env.theme.color("focus").name()
    edge = one.offered_at().translated(one.pos())
    assert bare.pixelColor(edge.left() - 2, edge.center().y()).name() != ink
    assert seen.pixelColor(edge.left() - 2, edge.center().y()).name() == ink
    assert {key: each.geometry() for key, each in body._widgets.items()} == places
    one.clearFocus()
    QApplication.processEvents()
    assert row.grab().toImage() == bare


def test_one_that_comes_to_say_it_later_stands_in_its_place_and_drops_input_when_frozen(drawn, instance, asked):
    body = drawn(tree(pill("a"), pill("b", about="Flag/b")))
    instance.patch(SetProps(id="a", props={"about": "Flag/a"}))
    body.widget("#before").editor.setFocus()
    assert walk(body, Qt.Key.Key_Tab, Qt.Key.Key_Right, Qt.Key.Key_Tab) == ["a", "b", "drugs"]
    body.widget("a").setFocus()
    body.set_frozen(True)
    press(Qt.Key.Key_Menu)
    assert body.widget("a").findChildren(QMenu) == []
    body.set_frozen(False)
    instance.patch(SetProps(id="a", props={}, unset=["about"]))
    assert here(body) == "a"  # nobody is moved from where they stand
    assert walk(body, Qt.Key.Key_Tab, Qt.Key.Key_Tab) == ["b", "drugs"]


def test_one_that_goes_takes_no_other_with_it(drawn, instance):
    body = drawn(tree(*THREE))
    body.widget("b").setFocus()
    instance.patch(Gone(id="b"), AddNode(parent="r", index=0, node=pill("d", about="Flag/d")))
    body.widget("#before").editor.setFocus()
    assert walk(body, Qt.Key.Key_Tab, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Tab) == ["d", "a", "c", "drugs"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_that_may_show_a_value_can_be_asked(body, kind, asked):
    showing = stand(kind)
    showing.listener = body
    body.attach(showing)
    body.activateWindow()
    QApplication.processEvents()
    for one in [one for one in body.findChildren(QWidget) if isinstance(one, Asking) and one.offered]:
        one.setFocus()
        assert QApplication.focusWidget() is one
        assert HOW in one.accessibleDescription()
        assert one.accessibleName()
        press(Qt.Key.Key_Menu)
        menu, words = menu_of(one)
        assert words
        menu.actions()[-1].trigger()
        menu.close()
    assert asked
